"""The fair comparison as tables: crude beside weighted, balance, weights, propensities, strata."""

from analysis import survival_fair_disclosed as told_of
from analysis.answer import Disclosed, Table
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.balance import CovariateBalance
from analysis.stats.e_value import EValue
from analysis.stats.estimate import Estimate
from analysis.stats.fair_comparison import FairComparison
from analysis.stats.logrank import LogRank
from analysis.survival_fair_results import Fair, Pair
from analysis.survival_fair_words import cut_in_words, names
from analysis.survival_guards import is_proportional
from analysis.survival_results import CohortSurvival
from analysis.wording import in_unit, p_value, percent, points, time_in_words, written
from trial.study import MISSING
from trial.words import say

# Place of the hazard ratio in the table of comparison; its E-value, or its test, is the next row.
RATIO_ROW = 4


def ratio_told(found: Estimate) -> str:
    """A hazard ratio with its limits."""
    return written(found, lambda ratio: f"{ratio:.2f}")


def difference_told(found: Estimate) -> str:
    """A difference in percentage points, or why there is none."""
    return written(found, points, say("value.points"))


# ---------------------------------------------------------------- crude beside weighted


def comparison_table(fair: Fair, pair: Pair, code: str) -> Table:
    """Measures in rows; as they were, weighted, of complete cases; or crude and stratified."""
    labels = _labels(fair, pair)
    columns = [say("column.measure"), say("fair.before")]
    cells = [_crude(fair, pair)]
    if pair.found.is_offered:
        columns.append(say("fair.after"))
        cells.append(_weighted(fair, pair.found))
        if pair.complete and pair.complete.outcome:
            columns.append(say("fair.column_complete"))
            cells.append(_weighted(fair, pair.complete))
    elif pair.stratified:
        columns.append(say("fair.column_stratified", by=pair.stratified.characteristic.label))
        cells.append(_stratified(pair))
    rows = tuple(zip(labels, *cells, strict=True))
    title = say("fair.table" if pair.found.is_offered else "fair.table_refused", **names(pair))
    # The ratio and what follows from it are pale where it is too little for the curves.
    pale = (RATIO_ROW, RATIO_ROW + 1) if is_proportional(fair.results) is False else ()
    together = (told_of.together(fair),) * len(rows)
    return Table(code, title, tuple(columns), rows, together, pale=pale)


def _labels(fair: Fair, pair: Pair) -> list[str]:
    study, view = fair.on.study, fair.on.view
    when = time_in_words(study, view.time)
    tau = time_in_words(study, fair.results.tau.shown or fair.results.tau.asked)
    return [
        say("fair.at", cohort=pair.older.cohort.label, time=when),
        say("fair.at", cohort=pair.newer.cohort.label, time=when),
        say("measure.difference", time=when),
        say("measure.rmst_difference", time=tau),
        say("measure.hazard_ratio"),
        say("fair.row_e_value" if pair.found.is_offered else "measure.log_rank"),
    ]


def mean_told(fair: Fair, found: Estimate) -> str:
    """A difference of restricted means, or why there is none."""
    study = fair.on.study
    return written(found, in_unit(study, signed=True), f" {study.time_unit}s")


def _crude(fair: Fair, pair: Pair) -> list[str]:
    """The head's own numbers."""
    time, crude = fair.on.view.time, pair.crude
    alone = not pair.found.is_offered and len(fair.pairs) == 1
    return [
        _survival_told(fair, pair.older),
        _survival_told(fair, pair.newer),
        difference_told(crude.difference_at(time)),
        mean_told(fair, crude.rmst_difference),
        ratio_told(crude.hazard_ratio),
        _test_told(fair.results.log_rank) if alone else say("value.none"),
    ]


def _survival_told(fair: Fair, c: CohortSurvival) -> str:
    found, row = c.at(fair.on.view.time)
    told = written(found, lambda s: f"{100 * s:.1f}", " %")
    events = c.events_by(row.time_days)
    return say("survival.cell", told=told, events=events, n=c.counts.n, at_risk=row.at_risk)


def _weighted(fair: Fair, found: FairComparison) -> list[str]:
    outcome, spread, time = found.outcome, found.spread, fair.on.view.time
    assert outcome and spread
    survival = fair.on.study.milestone_times.index(time)
    cells = []
    for c, of_cohort in enumerate(outcome.survival[survival]):
        told = written(of_cohort, lambda s: f"{100 * s:.1f}", " %")
        effective = f"{spread.effective_n[c]:.1f}"
        counted = {"n": found.n_used[c], "of": found.n[c], "effective": effective}
        cells.append(say("fair.cell", told=told, **counted))
    return [
        *cells,
        difference_told(fair.at(outcome.survival_difference, time)),
        mean_told(fair, outcome.restricted_mean_difference),
        ratio_told(outcome.hazard_ratio),
        e_value_told(outcome.e_value),
    ]


def _stratified(pair: Pair) -> list[str]:
    assert pair.stratified
    none = say("value.none")
    ratio, test = ratio_told(pair.stratified.hazard_ratio), _test_told(pair.stratified.log_rank)
    return [none, none, none, none, ratio, test]


def e_value_told(found: EValue) -> str:
    """Both E-values, or why one of them is missing."""
    if found.estimate is None:
        return say("value.not_estimable", reason=found.reason)
    value = f"{found.estimate:.2f}"
    if found.limit is None:
        return say("fair.e_value_bare", value=value, reason=found.reason)
    return say("fair.e_value_told", value=value, limit=f"{found.limit:.2f}")


def _test_told(test: LogRank) -> str:
    if test.chi_square is None or test.p_value is None:
        return say("value.not_estimable", reason=test.reason)
    told = {"chi_square": f"{test.chi_square:.2f}", "df": test.degrees_of_freedom}
    return say("value.with_p", value=say("value.log_rank", **told), p=p_value(test.p_value))


# ---------------------------------------------------------------- balance


def balance_table(fair: Fair, pair: Pair, code: str) -> Table:
    """Every level of every covariate: n/N as they were, the weighted share, both distances."""
    is_weighted = pair.found.is_offered
    rows = [row for x in pair.found.balance for row in _balance_rows(fair, pair, x)]
    labels = (pair.older.cohort.label, pair.newer.cohort.label)
    columns = [say("column.characteristic"), say("column.level"), *labels]
    if is_weighted:
        columns += [say("fair.column_weighted", cohort=label) for label in labels]
    columns.append(say("fair.column_smd"))
    columns += [say("fair.column_smd_after")] if is_weighted else []
    key = "fair.table_balance" if is_weighted else "fair.table_balance_refused"
    disclosed = (told_of.together(fair),) * len(rows)
    title = say(key, **names(pair))
    return Table(code, title, tuple(columns), tuple(rows), disclosed, n_labels=2)


def _balance_rows(fair: Fair, pair: Pair, balance: CovariateBalance) -> list[tuple]:
    """The levels in the study's order; the distances stand in the first row."""
    x, rows = fair.covariate(balance.covariate), []
    distances = [smd_told(balance.difference_before)]
    if balance.difference_after is not None:
        distances.append(smd_told(balance.difference_after))
    coded = [level or MISSING for level in balance.levels]
    for code in sorted(coded, key=x.level_codes.index):
        k = coded.index(code)
        cells = [_counted(int(balance.before[k, c]), pair.found.n[c]) for c in (0, 1)]
        if balance.after is not None:
            cells += [percent(float(balance.after[k, c])) for c in (0, 1)]
        rows.append((x.label, x.level_label(code), *cells, *distances))
        distances = [""] * len(distances)
    return rows


def _counted(n: int, of: int) -> str:
    """38/52 (73.1 %); a cohort below ten has no percentage."""
    return f"{n}/{of}" if of < FEWEST_FOR_PERCENT else f"{n}/{of} ({percent(n / of)})"


def smd_told(found: Estimate) -> str:
    """A standardized difference, or why there is none."""
    if found.estimate is None:
        return say("value.not_estimable", reason=found.reason)
    return f"{found.estimate:.2f}"


# ---------------------------------------------------------------- weights, propensities, strata


def weights_table(fair: Fair, pair: Pair, code: str) -> Table:
    """Per cohort: all, used, in the common range, the effective number, the largest weight."""
    found, rows = pair.found, []
    for c, side in enumerate((pair.older, pair.newer)):
        row = [side.cohort.label, found.n[c], f"{found.n_used[c]}/{found.n[c]}"]
        inside = found.propensity.support.n_inside[c] if found.propensity else None
        row.append(say("value.none") if inside is None else f"{inside}/{found.n_used[c]}")
        if found.spread:
            effective, n = found.spread.effective_n[c], found.n_used[c]
            told = {"effective": f"{effective:.1f}", "share": percent(effective / n), "n": n}
            largest = say("fair.share_of_weights", share=percent(found.spread.largest_share[c]))
            row += [say("fair.effective", **told), largest]
        rows.append(tuple(row))
    names_of = ["used", "inside", *(["effective", "largest"] if found.spread else [])]
    columns = [say("column.cohort"), say("column.n")]
    columns += [say(f"fair.column_{name}") for name in names_of]
    disclosed = (told_of.together(fair),) * len(rows)
    return Table(code, say("fair.table_weights"), tuple(columns), tuple(rows), disclosed)


def overlap_table(pair: Pair, code: str) -> Table:
    """Patients of both cohorts in each tenth of propensity; no rows without a propensity."""
    older, newer = told_of.bins(pair.found)
    n, rows = told_of.BINS, []
    for k, (a, b) in enumerate(zip(older, newer, strict=True)):
        where = say("fair.bin", lower=100 * k // n, upper=100 * (k + 1) // n)
        rows.append((where, f"{a}/{pair.found.n_used[0]}", f"{b}/{pair.found.n_used[1]}"))
    labels = (pair.older.cohort.label, pair.newer.cohort.label)
    columns = (say("fair.column_propensity"), *labels)
    title = say("fair.table_overlap", cohort=pair.newer.cohort.label)
    disclosed = (told_of.propensities(pair),) * len(rows)
    return Table(code, title, columns, tuple(rows), disclosed)


def strata_table(fair: Fair, pair: Pair, code: str) -> Table:
    """Events of both cohorts in each stratum; no rows where nothing is stratified."""
    rows, by = [], ""
    if pair.stratified:
        by = pair.stratified.characteristic.label
        for stratum in pair.stratified.strata:
            cells = (say("fair.events_of", events=c.n_events, n=c.n) for c in stratum.counts)
            rows.append((stratum.label, *cells))
    columns = (by, pair.older.cohort.label, pair.newer.cohort.label)
    disclosed: tuple[Disclosed, ...] = (told_of.together(fair),) * len(rows)
    title = say("fair.table_strata", by=by)
    if fair.cut_day is not None:
        title = say("fair.table_strata_cut", by=by, time=cut_in_words(fair))
    return Table(code, title, columns, tuple(rows), disclosed)
