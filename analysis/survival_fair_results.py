"""What is fair to say of two cohorts that were not randomized: the numbers of the part `fair`.

Every cohort is compared with the same comparator as in the head of the page, and all crude numbers
are the head's own. The weighted ones are those of `analysis/stats/fair_comparison.py`, with the
covariates that the study declared before. Two rules keep both sides comparable:

- a weighted difference or mean is given where the crude one is;
- a hazard ratio is of the same days as the crude one: where follow-up is unequal, both end with the
  follow-up that all cohorts share (`analysis/survival_window.py`).

Where the comparison is not offered, the crude one is stratified by the characteristic that the
study names for it.
"""

from dataclasses import dataclass, replace

import polars as pl

from analysis.compose import Page
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.counts import DayCounts, day_counts
from analysis.stats.estimate import Estimate, not_estimable
from analysis.stats.fair_comparison import (
    FairComparison,
    FairPlan,
    WeightedOutcome,
    fair_comparison,
)
from analysis.stats.logrank import LogRank, stratified_log_rank
from analysis.survival_results import (
    CohortSurvival,
    Comparison,
    Results,
    ratios_of,
    survival_results,
)
from analysis.survival_window import up_to
from trial.study import MISSING, Characteristic
from trial.words import say
from warehouse.query import query

# A time that a mean can be taken to where the head has none: nothing of it is shown.
ANY_TAU = 1.0


@dataclass(frozen=True)
class Stratum:
    """One level of the characteristic that is stratified by; counts of comparator and other."""

    label: str
    counts: tuple[DayCounts, DayCounts]


@dataclass(frozen=True)
class Stratified:
    """The crude comparison within levels of a characteristic known before."""

    characteristic: Characteristic
    strata: tuple[Stratum, ...]
    log_rank: LogRank
    hazard_ratio: Estimate


@dataclass(frozen=True)
class Pair:
    """One cohort against the comparator: crude as in the head, weighted, stratified.

    `found` names cohorts and covariates as the screen does; its levels are codes. `stratified` is
    None where the comparison is offered, or where the study names nothing to stratify by.
    """

    older: CohortSurvival
    newer: CohortSurvival
    crude: Comparison
    found: FairComparison
    stratified: Stratified | None

    @property
    def outcome(self) -> WeightedOutcome | None:
        """What the weights give; None if it is not offered."""
        return self.found.outcome

    @property
    def complete(self) -> FairComparison | None:
        """The same among those with every covariate known; None if all are, or if not offered."""
        found = self.found.complete_cases
        return found if found is not None and self.found.is_offered else None


@dataclass(frozen=True)
class Fair:
    """All comparisons of a view, with the results of the head and the covariates."""

    on: Page
    results: Results
    covariates: tuple[Characteristic, ...]
    pairs: tuple[Pair, ...]

    @property
    def cut_day(self) -> float | None:
        """The last day of all hazard ratios, crude and weighted; None for all of follow-up."""
        return self.results.window.end

    def covariate(self, label: str) -> Characteristic:
        """The covariate of a name in a comparison. Raises KeyError."""
        return self.named[label]

    @property
    def named(self) -> dict[str, Characteristic]:
        """The covariates by their names."""
        return dict(zip(distinct([x.label for x in self.covariates]), self.covariates, strict=True))

    def at(self, estimates: tuple[Estimate, ...], time: float) -> Estimate:
        """Of estimates by milestone the one of a time."""
        return estimates[self.on.study.milestone_times.index(time)]


def distinct(labels: list[str]) -> list[str]:
    """Labels as they are; of two that are the same the later ones with their position."""
    return [
        label if label not in labels[:k] else f"{label} ({k + 1})" for k, label in enumerate(labels)
    ]


def cut(frame: pl.DataFrame, day: float) -> pl.DataFrame:
    """The rows with follow-up that ends on a day, as `up_to` cuts day counts."""
    is_seen = pl.col("time_days") <= day
    time = pl.min_horizontal(pl.col("time_days"), pl.lit(int(day)))
    return frame.with_columns(time.alias("time_days"), (pl.col("state") * is_seen).alias("state"))


def fair_results(on: Page) -> Fair:
    """Every comparison of a view whose endpoint is a survival and whose groups are compared."""
    results, study = survival_results(on.snapshot, on.view), on.study
    covariates = tuple(study.characteristic(c) for c in study.survival.covariate_codes)
    fair = Fair(on, results, covariates, ())
    rows = _rows(on, covariates)
    pairs = tuple(_pair(fair, rows, comparison) for comparison in results.comparisons)
    return replace(fair, pairs=pairs)


def _rows(on: Page, covariates: tuple[Characteristic, ...]) -> pl.DataFrame:
    """One row a line: key, group, time, state, the levels of covariates and of the stratum."""
    code = on.study.survival.stratify_by
    asked = [*covariates, *([on.study.characteristic(code)] if code else [])]
    columns = list(dict.fromkeys(x.level_column for x in asked))
    told = {"endpoint_code": on.view.endpoint, "levels": columns}
    return query(on.snapshot, "fair", on.view.selection, **told)


def _pair(fair: Fair, rows: pl.DataFrame, crude: Comparison) -> Pair:
    by_code = {c.cohort.code: c for c in fair.results.cohorts}
    older, newer = by_code[crude.comparator.code], by_code[crude.cohort.code]
    mine = rows.filter(older.cohort.matches | newer.cohort.matches)
    found = _follow_the_crude(fair, _compared(fair, mine, older, newer), crude)
    stratified = None if found.is_offered else _stratified(fair, mine, older, newer)
    return Pair(older, newer, crude, found, stratified)


# ---------------------------------------------------------------- weighted


def _compared(
    fair: Fair, rows: pl.DataFrame, older: CohortSurvival, newer: CohortSurvival
) -> FairComparison:
    """The comparison of all follow-up, with the hazard ratio and E-value of the days shared."""
    study, results = fair.on.study, fair.results
    names = distinct([older.cohort.label, newer.cohort.label])
    plan = FairPlan(
        cohorts=(names[0], names[1]),
        covariates=tuple(fair.named),
        milestones=tuple(t * study.unit_days for t in study.milestone_times),
        tau=(results.tau.shown or ANY_TAU) * study.unit_days,
        target="newer" if fair.on.view.weights == "newer" else "overlap",
    )
    cohort = pl.when(older.cohort.matches).then(pl.lit(names[0])).otherwise(pl.lit(names[1]))
    frame = rows.select(
        "patient_key",
        "time_days",
        "state",
        cohort.alias("cohort_code"),
        *(pl.col(x.level_column).alias(name) for name, x in fair.named.items()),
    )
    found = fair_comparison(frame, plan)
    if fair.cut_day is None:
        return found
    return _with_ratio_of(found, fair_comparison(cut(frame, fair.cut_day), plan))


def _with_ratio_of(found: FairComparison, shorter: FairComparison) -> FairComparison:
    """Hazard ratio and E-value of a shorter follow-up of the same patients."""
    one, other = found.outcome, shorter.outcome
    if one and other:
        ratio = {"hazard_ratio": other.hazard_ratio, "e_value": other.e_value}
        found = replace(found, outcome=replace(one, **ratio))
    if found.complete_cases and shorter.complete_cases:
        complete = _with_ratio_of(found.complete_cases, shorter.complete_cases)
        found = replace(found, complete_cases=complete)
    return found


def _follow_the_crude(fair: Fair, found: FairComparison, crude: Comparison) -> FairComparison:
    """No weighted difference or mean where the head gives no crude one, for its reason."""
    outcome = found.outcome
    if found.complete_cases:
        complete = _follow_the_crude(fair, found.complete_cases, crude)
        found = replace(found, complete_cases=complete)
    if not outcome:
        return found
    differences = tuple(
        _given(mine, crude.difference_at(time))
        for time, mine in zip(
            fair.on.study.milestone_times, outcome.survival_difference, strict=True
        )
    )
    mean = _given(outcome.restricted_mean_difference, crude.rmst_difference)
    told = {"survival_difference": differences, "restricted_mean_difference": mean}
    return replace(found, outcome=replace(outcome, **told))


def _given(weighted: Estimate, crude: Estimate) -> Estimate:
    if crude.estimate is not None:
        return weighted
    return not_estimable(crude.reason or say("value.none"), weighted.method)


# ---------------------------------------------------------------- stratified


def _stratified(
    fair: Fair, rows: pl.DataFrame, older: CohortSurvival, newer: CohortSurvival
) -> Stratified | None:
    code = fair.on.study.survival.stratify_by
    if code is None:
        return None
    x = fair.on.study.characteristic(code)
    level = pl.col(x.level_column).fill_null(MISSING)
    frame = rows.with_columns(level.alias("stratum"), n=pl.lit(1))
    strata = []
    for level_code in x.level_codes:
        mine = frame.filter(pl.col("stratum") == level_code)
        if mine.height:
            pair = tuple(
                up_to(day_counts(mine.filter(c.cohort.matches)), fair.cut_day)
                for c in (older, newer)
            )
            strata.append(Stratum(x.level_label(level_code), (pair[0], pair[1])))
    return Stratified(x, tuple(strata), *_tests(strata, older, newer))


def _tests(
    strata: list[Stratum], older: CohortSurvival, newer: CohortSurvival
) -> tuple[LogRank, Estimate]:
    """Stratified log-rank test and hazard ratio; none from fewer than ten in a cohort."""
    if min(older.counts.n, newer.counts.n) < FEWEST_FOR_PERCENT:
        reason = say("survival.few", n=FEWEST_FOR_PERCENT)
        none = LogRank(None, 0, None, (), (), reason=reason)
        return none, not_estimable(reason, "Cox model, stratified")
    counts = tuple(stratum.counts for stratum in strata)
    return stratified_log_rank(counts), ratios_of(*counts)[0]
