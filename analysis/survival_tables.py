"""The tables of the survival page, as they are shown, and where its time axis has ticks."""

from dataclasses import replace

from analysis import survival_disclosed as told_of
from analysis.answer import Disclosed, Table
from analysis.follow_up_guards import is_thin
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.counts import DayCounts, at_risk_table
from analysis.stats.estimate import Estimate
from analysis.stats.logrank import LogRank
from analysis.survival_guards import is_proportional
from analysis.survival_results import Results
from analysis.survival_window import END_BELOW
from analysis.wording import crossing, in_unit, p_value, points, time_in_words, written
from trial.words import say

FADE_BELOW = 10


def end_day(counts: DayCounts) -> float:
    """The last day on which at least five are at risk: there the curve ends."""
    enough = counts.day[counts.at_risk >= END_BELOW]
    return float(enough[-1]) if enough.size else 0.0


def fade_day(counts: DayCounts) -> float | None:
    """The last day with ten at risk, after which there are fewer; None if none is later.

    Not the next day of `counts`, on which something happens: that may be years away.
    """
    enough = counts.day[counts.at_risk >= FADE_BELOW]
    last = float(enough[-1]) if enough.size else 0.0
    return last if counts.day.size and last < counts.day[-1] else None


def tick_days(results: Results) -> tuple[float, ...]:
    """Whole units from 0 on, at most eight, as far as any curve is drawn."""
    last_day = max((end_day(c.counts) for c in results.cohorts), default=0.0)
    return whole_units(results.study.unit_days, last_day)


def whole_units(unit: float, last_day: float) -> tuple[float, ...]:
    """Days of whole units of time from 0 to about the last day, at most nine."""
    last = max(int(last_day / unit), 1)
    step = next(s for s in (1, 2, 3, 6, 12, 24, 60, 120, 365, 3650, 36500) if last / s <= 8)
    return tuple(k * unit for k in range(0, last + 1, step))


def _per_cohort(results: Results, first: str) -> tuple[str, ...]:
    return (say(f"column.{first}"), *(c.cohort.label for c in results.cohorts))


def _milestone_table(results: Results) -> Table:
    study, rows = results.study, []
    for time in study.milestone_times:
        cells = []
        for c in results.cohorts:
            found, row = c.at(time)
            events = c.events_by(time * study.unit_days)
            told = written(found, lambda x: f"{100 * x:.1f}", " %")
            n, at_risk = c.counts.n, row.at_risk
            cells.append(say("survival.cell", told=told, events=events, n=n, at_risk=at_risk))
        rows.append((time_in_words(study, time), *cells))
    others, chosen = told_of.all_times(results), told_of.chosen_time(results)
    disclosed = [chosen if t == results.view.time else others for t in study.milestone_times]
    shown = _table("milestones", _per_cohort(results, "time"), rows, disclosed)
    return replace(shown, pale=_unsure(results))


def _unsure(results: Results) -> tuple[int, ...]:
    """The milestones at which few are left, or that lie beyond the shared follow-up."""
    beyond = results.window.is_beyond
    return tuple(
        place
        for place, time in enumerate(results.study.milestone_times)
        if any(is_thin(c.at(time)[1]) for c in results.cohorts)
        or (results.comparisons and beyond(time * results.study.unit_days))
    )


def _table(
    code: str,
    columns: tuple[str, ...],
    rows: list[tuple],
    disclosed: Disclosed | list[Disclosed],
    n_labels: int = 1,
) -> Table:
    each = disclosed if isinstance(disclosed, list) else [disclosed] * len(rows)
    title = say(f"survival.table_{code}")
    return Table(code, title, columns, tuple(rows), tuple(each), n_labels)


def _titles(*columns: str) -> tuple[str, ...]:
    return tuple(say(f"column.{column}") for column in columns)


def _at_risk_table(results: Results) -> Table:
    rows = []
    for c in results.cohorts:
        for row in at_risk_table(c.counts, tick_days(results)):
            when = time_in_words(results.study, row.time_days / results.study.unit_days)
            rows.append((c.cohort.label, when, row.at_risk, row.events, row.censored, c.counts.n))
    columns = _titles("cohort", "time", "at_risk", "events_before", "censored_before", "n")
    return _table("at_risk", columns, rows, told_of.curve(results), n_labels=2)


def _cohort_table(results: Results) -> Table:
    study, cohorts = results.study, results.cohorts
    tau = time_in_words(study, results.tau.shown or results.tau.asked)
    unit = f" {study.time_unit}s"
    means = (written(mean, in_unit(study), unit) for mean in results.means)
    counts = [(c.counts.n, c.counts.n_events) for c in cohorts]
    rows = [
        (say("measure.n"), *(str(n) for n, _ in counts)),
        (say("measure.events"), *(f"{d}/{n}" for n, d in counts)),
        (say("measure.censored"), *(f"{n - d}/{n}" for n, d in counts)),
        (say("measure.median"), *(crossing(c.median, study) for c in cohorts)),
        (say("measure.rmst", time=tau), *means),
        (say("measure.follow_up"), *(crossing(c.follow_up, study) for c in cohorts)),
        (say("measure.completeness"), *(_completeness(c.completeness) for c in cohorts)),
    ]
    totals, one = told_of.totals(results), told_of.ONE_PATIENT
    disclosed = [totals, totals, totals, one, totals, one, totals]
    return _table("cohorts", _per_cohort(results, "measure"), rows, disclosed)


def _completeness(found: Estimate) -> str:
    """99 %: what it is of is known to the month."""
    if found.estimate is None:
        return say("value.not_estimable", reason=found.reason)
    return f"{100 * found.estimate:.0f} %"


def _with_p(told: str, p: float | None) -> str:
    return told if p is None else say("value.with_p", value=told, p=p_value(p))


def _comparison_table(results: Results) -> Table:
    study, unit = results.study, f" {results.study.time_unit}s"
    time = results.view.time
    tau = time_in_words(study, results.tau.shown or results.tau.asked)
    pairs = [
        say("column.against", cohort=x.cohort.label, comparator=x.comparator.label)
        for x in results.comparisons
    ]
    differences, means, ratios = [], [], []
    for x in results.comparisons:
        differences.append(written(x.difference_at(time), points, say("value.points")))
        told = written(x.rmst_difference, in_unit(study, signed=True), unit)
        means.append(_with_p(told, x.rmst_difference.p_value))
        told = written(x.hazard_ratio, lambda h: f"{h:.2f}")
        ratios.append(_with_p(told, x.hazard_ratio.p_value))
    rows = [
        (say("measure.difference", time=time_in_words(study, time)), *differences),
        (say("measure.rmst_difference", time=tau), *means),
        (say("measure.hazard_ratio"), *ratios),
        _log_rank_row(results),
    ]
    totals = told_of.totals(results)
    disclosed = [told_of.chosen_time(results), totals, totals, totals] if pairs else []
    columns = (say("column.measure"), *pairs)
    shown = _table("comparison", columns, rows if pairs else [], disclosed)
    # The ratio and its test are pale where one number does not describe the curves.
    return replace(shown, pale=(2, 3)) if pairs and is_proportional(results) is False else shown


def _log_rank_row(results: Results) -> tuple[str, ...]:
    """In the column of the pair; of several cohorts it belongs to no pair and stands alone."""
    told, n_pairs = _log_rank_cell(results.log_rank), len(results.comparisons)
    if n_pairs == 1 or results.log_rank.chi_square is None:
        return (say("measure.log_rank"), told, *[""] * (n_pairs - 1))
    return (say("measure.log_rank_all", n=len(results.compared), value=told), *[""] * n_pairs)


def _log_rank_cell(test: LogRank) -> str:
    if test.chi_square is None:
        return say("value.not_estimable", reason=test.reason)
    told = {"chi_square": f"{test.chi_square:.2f}", "df": test.degrees_of_freedom}
    return _with_p(say("value.log_rank", **told), test.p_value)


def _reason_table(results: Results) -> Table:
    study, rows = results.study, []
    counted = {c.cohort.code: c.ended.by_reason for c in results.cohorts}
    kinds = sorted({kind for by in counted.values() for kind in by}, key=lambda k: (-k[0], k[1]))
    for state, code in kinds:
        ended = say("state.event" if state else "state.censored")
        reason = say("survival.reason", reason=study.milestone_label(code), state=ended)
        cells = (
            f"{counted[c.cohort.code].get((state, code), 0)}/{c.counts.n}" for c in results.cohorts
        )
        rows.append((reason, *cells))
    return _table("reasons", _per_cohort(results, "reason"), rows, told_of.reasons(results))


def _curve_table(results: Results) -> Table:
    rows = []
    for c in results.cohorts:
        arrays = (c.counts.day, c.counts.at_risk, c.counts.events, c.counts.censored)
        limits = (c.km.survival, c.km.lower, c.km.upper)
        for day, at_risk, events, censored, s, lower, upper in zip(*arrays, *limits, strict=True):
            # NaN limits (S is 0 or 1) stay empty; R leaves them out too.
            lower, upper = (None if x != x else float(x) for x in (lower, upper))
            counts = (int(day), int(at_risk), int(events), int(censored))
            shown = (float(s), lower, upper) if c.counts.n >= FEWEST_FOR_PERCENT else (None,) * 3
            rows.append((c.cohort.label, *counts, *shown))
    counted = ("day", "at_risk", "events", "censored")
    columns = _titles("cohort", *counted, "survival", "lower", "upper")
    return _table("curve", columns, rows, told_of.curve(results))


def survival_tables(results: Results) -> tuple[Table, ...]:
    """Every table that has rows; the first is the one to read first."""
    tables = (
        _milestone_table(results),
        _comparison_table(results),
        _cohort_table(results),
        _reason_table(results),
        _at_risk_table(results),
        _curve_table(results),
    )
    return tuple(table for table in tables if table.rows)
