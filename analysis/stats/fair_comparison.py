"""A fair comparison of two cohorts that were not randomized: offered or not, and what it gives.

Convention. The first cohort is the older one and the reference; the second is the newer one;
differences are newer minus older, ratios newer against older. Patients with a level that only one
cohort has are left out and counted (`propensity.common_levels`). With those who remain:

Offered, if
- each cohort has at least 40 patients;
- the smaller cohort has at least 10 patients per parameter of the propensity model (dummy columns;
  the intercept is not counted, nor are columns that others determine);
- at least 80 % of all patients of both cohorts, those left out included in the 80 %'s base, have a
  propensity in the range that both cohorts have;
- the propensity has an estimate.

Balanced enough, if
- every weighted standardized difference is at most 0.10 (0.20 if fewer than 100 patients remain in
  both cohorts together). With overlap weights it is 0 by construction for the covariates of the
  model; the other conditions then decide;
- the effective number of patients (Kish) is at least 50 % of those who remain, and 30, per cohort;
- no weight is above 10 % of its cohort's total.

Both verdicts name each failed condition with its figures. A comparison that is offered but not
balanced enough is computed all the same.

The hazard ratio gives both cohorts the same total weight, half of the patients who remain: for
overlap weights that is what they have anyway. All intervals take the weights as known
(`weighted_survival.py`). A patient with several rows is one cluster in each cohort's curve, and one
over both cohorts in the hazard ratio. A missing covariate is a level of its own; if any is missing,
`complete_cases` holds the same comparison among rows without a missing covariate.

Sources: Li, Morgan & Zaslavsky, JASA 2018;113:390; Austin & Stuart, Stat Med 2015;34:3661 (balance
after weighting); Peduzzi et al., J Clin Epidemiol 1996;49:1373 (10 per parameter). Oracle: R, glm,
survfit and coxph with weights, step by step.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from analysis.stats.balance import CovariateBalance, covariate_balance, largest_difference
from analysis.stats.counts import Array
from analysis.stats.cox_weighted import weighted_hazard_ratio
from analysis.stats.e_value import EValue, e_value_of_hazard_ratio, is_common
from analysis.stats.estimate import Estimate
from analysis.stats.propensity import (
    MISSING,
    CommonSupport,
    OneSidedLevel,
    Patterns,
    Propensity,
    Target,
    WeightSpread,
    common_levels,
    common_support,
    covariate_patterns,
    level_counts,
    pattern_weights,
    propensity,
    score_quartiles,
    weight_spread,
)
from analysis.stats.weighted_survival import (
    WeightedCohort,
    WeightedKaplanMeier,
    weighted_cohort,
    weighted_kaplan_meier,
    weighted_restricted_mean_difference,
    weighted_survival_at,
    weighted_survival_difference,
)

MIN_PATIENTS = 40
MIN_PATIENTS_PER_PARAMETER = 10
MIN_SUPPORT = 0.80
MAX_DIFFERENCE, MAX_DIFFERENCE_OF_FEW, FEW = 0.10, 0.20, 100
MIN_EFFECTIVE_SHARE, MIN_EFFECTIVE_N = 0.50, 30
MAX_WEIGHT_SHARE = 0.10
TOO_FEW = "too few to adjust"


@dataclass(frozen=True)
class FairPlan:
    """What is compared, declared before: codes of the older and the newer cohort, in this order.

    `covariates`: columns of baseline levels. `milestones` and `tau` in days. `target`: overlap
    weights, or the newer cohort (ATT).
    """

    cohorts: tuple[str, str]
    covariates: tuple[str, ...]
    milestones: tuple[float, ...]
    tau: float
    target: Target = "overlap"


@dataclass(frozen=True)
class PropensitySummary:
    """The model, its terms in words, and per cohort minimum, quartiles and maximum of propensity.

    `score` (P,) and `counts` (P, 2), patients of both cohorts, are for a drawing.
    """

    terms: tuple[str, ...]
    collinear: tuple[str, ...]
    score: Array
    counts: Array
    quartiles: tuple[tuple[float, ...], tuple[float, ...]]
    support: CommonSupport


@dataclass(frozen=True)
class WeightedOutcome:
    """What the weights give; `survival` and `survival_difference` by milestone, as in the plan.

    In `curves` and in each pair of `survival` the older cohort is first.
    """

    curves: tuple[WeightedKaplanMeier, WeightedKaplanMeier]
    survival: tuple[tuple[Estimate, Estimate], ...]
    survival_difference: tuple[Estimate, ...]
    restricted_mean_difference: Estimate
    hazard_ratio: Estimate
    e_value: EValue


@dataclass(frozen=True)
class FairComparison:
    """The answer. Pairs: the older cohort, the newer one.

    `n`: all rows; `n_used`: those with levels that both cohorts have; `n_in_both`: patients with
    rows in both cohorts. `reasons`: why it is not offered, empty if it is. `failures`: why it is
    not balanced enough. `weights` (rows of the frame,): each one's share of its cohort, 0 if left
    out; None, as `spread` and `outcome`, if not offered. `balance`: by covariate, before: all rows.
    `complete_cases`: the same among rows without a missing covariate; None if all are such rows.
    """

    plan: FairPlan
    n: tuple[int, int]
    n_used: tuple[int, int]
    n_in_both: int
    reasons: tuple[str, ...]
    left_out: tuple[OneSidedLevel, ...]
    propensity: PropensitySummary | None
    balance: tuple[CovariateBalance, ...] = ()
    weights: Array | None = None
    spread: WeightSpread | None = None
    failures: tuple[str, ...] = ()
    outcome: WeightedOutcome | None = None
    complete_cases: "FairComparison | None" = None

    @property
    def is_offered(self) -> bool:
        """Whether the cohorts can be compared fairly at all."""
        return not self.reasons

    @property
    def is_balanced_enough(self) -> bool:
        """Whether it is offered and every condition of balance holds."""
        return self.is_offered and not self.failures

    @property
    def estimand(self) -> str:
        """For whom the comparison speaks, in words."""
        return estimand(self.plan)

    @property
    def largest_differences(self) -> tuple[float | None, float | None]:
        """The largest standardized difference before and after weighting; None without any."""
        before = largest_difference(row.difference_before for row in self.balance)
        return before, largest_difference(row.difference_after for row in self.balance)

    @property
    def left_out_in_words(self) -> tuple[str, ...]:
        """A sentence for every level that only one cohort has."""
        return tuple(
            f"only {self.plan.cohorts[x.cohort]} has {x.covariate} ="
            f" {MISSING if x.level is None else x.level}: {x.n} left out"
            for x in self.left_out
        )


def estimand(plan: FairPlan) -> str:
    """For whom the comparison speaks, in words; and that it is no randomized one."""
    older, newer = plan.cohorts
    whom = (
        f"patients who by the named covariates could have been in {older} or in {newer};"
        " those equally typical of both count most (overlap weights)"
        if plan.target == "overlap"
        else f"the patients of {newer}; those of {older} are weighted to be like them (ATT weights)"
    )
    return f"{newer} against {older} among {whom}. Not randomized: only what is named is balanced."


def fair_comparison(frame: pl.DataFrame, plan: FairPlan) -> FairComparison:
    """From one row per enrollment of the two cohorts, in any order.

    A patient with several enrollments in a cohort counts once where a size is asked, and their rows
    are one cluster where a variance is.

    Columns: cohort_code; patient_key; time_days since the origin; state (0 censored, 1 event); the
    plan's covariates as levels (text, enum, whole number or boolean; null is missing). Raises
    ValueError for another cohort or state, a missing or negative day, a missing key, a covariate of
    fractional numbers.
    """
    _check(frame, plan)
    found = _comparison(frame, plan)
    complete = frame.drop_nulls(list(plan.covariates)) if plan.covariates else frame
    if complete.height == frame.height:
        return found
    return replace(found, complete_cases=_comparison(complete, plan))


def _check(frame: pl.DataFrame, plan: FairPlan) -> None:
    day = pl.col("time_days").cast(pl.Float64)
    wrong = {
        f"a cohort other than {' and '.join(plan.cohorts)}": ~pl.col("cohort_code").is_in(
            plan.cohorts
        ),
        "a state other than 0 and 1": ~pl.col("state").is_in([0, 1]),
        "a missing or negative day": ~((day >= 0) & day.is_finite()),
        "no patient key": pl.col("patient_key").is_null(),
    }
    counted = frame.select(
        condition.fill_null(True).sum().alias(what) for what, condition in wrong.items()
    )
    for what, n in counted.row(0, named=True).items():
        if n:
            raise ValueError(f"{n} rows with {what}")


@dataclass(frozen=True)
class _Groups:
    """Which rows (n,) are of the newer cohort, and the patterns of all and of those used."""

    is_newer: Array
    everybody: Patterns
    used: Patterns


def _comparison(frame: pl.DataFrame, plan: FairPlan) -> FairComparison:
    is_newer = (frame["cohort_code"] == plan.cohorts[1]).to_numpy()
    everybody = covariate_patterns(frame, plan.covariates, is_newer)
    used, left_out = common_levels(everybody)
    groups, model = _Groups(is_newer, everybody, used), propensity(used)
    summary = None if isinstance(model, str) else _summary(model, used)
    found = FairComparison(
        plan=plan,
        n=everybody.n,
        n_used=used.n,
        n_in_both=_n_in_both(frame, is_newer),
        reasons=tuple(_obstacles(plan, groups, model, summary, _n_patients(frame, groups))),
        left_out=left_out,
        propensity=summary,
    )
    if found.reasons or isinstance(model, str):
        return replace(found, balance=tuple(_balance(groups, None)))
    return _weighted(found, frame, groups, model)


def _n_patients(frame: pl.DataFrame, groups: _Groups) -> tuple[int, int]:
    """Patients of those used: one with several enrollments in a cohort counts once."""
    used = groups.used.of_row >= 0
    older, newer = (
        frame["patient_key"].filter(pl.Series(used & (groups.is_newer == side))).n_unique()
        for side in (False, True)
    )
    return older, newer


def _n_in_both(frame: pl.DataFrame, is_newer: Array) -> int:
    newer, keys = pl.Series(is_newer), frame.select("patient_key")
    other = keys.filter(~newer)
    return keys.filter(newer).unique().join(other, on="patient_key", how="semi").height


def _summary(model: Propensity, used: Patterns) -> PropensitySummary:
    score, counts = model.score, used.counts
    return PropensitySummary(
        tuple(str(term) for term in model.terms),
        tuple(str(term) for term in model.collinear),
        score,
        counts,
        (score_quartiles(score, counts[:, 0]), score_quartiles(score, counts[:, 1])),
        common_support(score, counts),
    )


def _obstacles(
    plan: FairPlan,
    groups: _Groups,
    model: Propensity | str,
    summary: PropensitySummary | None,
    n_patients: tuple[int, int],
) -> Iterator[str]:
    """Why the comparison is not offered, each with the number that failed."""
    n = groups.everybody.n
    for cohort, patients in zip(plan.cohorts, n_patients, strict=True):
        if patients < MIN_PATIENTS:
            yield f"{TOO_FEW}: {patients} patients in {cohort}, at least {MIN_PATIENTS} needed"
    if isinstance(model, str):
        if min(n_patients):
            yield model
        return
    if not model.terms:
        yield "no covariate differs between patients: nothing to adjust for"
    needed = MIN_PATIENTS_PER_PARAMETER * len(model.terms)
    if min(n_patients) < needed:
        yield (
            f"{TOO_FEW}: {min(n_patients)} patients in the smaller cohort for {len(model.terms)}"
            f" parameters, at least {needed} needed"
        )
    inside = sum(summary.support.n_inside) if summary else 0
    if inside < MIN_SUPPORT * sum(n):
        yield (
            f"{TOO_FEW}: {inside} of {sum(n)} patients ({inside / sum(n):.1%}) in the range of"
            f" propensity that both cohorts have, at least {MIN_SUPPORT:.0%} needed"
        )


def _balance(groups: _Groups, weights: Array | None) -> Iterator[CovariateBalance]:
    """By covariate: all patients before; after, those used, with `weights` (P, 2) of a patient."""
    everybody, used = groups.everybody, groups.used
    for j, coding in enumerate(everybody.codings):
        before = level_counts(everybody, j, everybody.counts)
        after = None if weights is None else level_counts(used, j, used.counts * weights)
        yield covariate_balance(coding.covariate, coding.levels, before, after)


def _weighted(
    found: FairComparison, frame: pl.DataFrame, groups: _Groups, model: Propensity
) -> FairComparison:
    counts, of_row = groups.used.counts, groups.used.of_row
    by_pattern = pattern_weights(model, counts, found.plan.target)
    balance = tuple(_balance(groups, by_pattern))
    weights = np.where(of_row < 0, 0.0, by_pattern[of_row, groups.is_newer.astype(int)])
    spread = weight_spread(by_pattern, counts)
    if frame.select("cohort_code", "patient_key").is_duplicated().any():
        spread = _spread_of_patients(frame, groups.is_newer, weights)
    return replace(
        found,
        balance=balance,
        weights=weights,
        spread=spread,
        failures=tuple(_failures(found, balance, spread)),
        outcome=_outcome(found.plan, frame, groups.is_newer, weights),
    )


def _spread_of_patients(frame: pl.DataFrame, is_newer: Array, weights: Array) -> WeightSpread:
    """The spread where a patient's enrollments in a cohort carry one weight, their sum."""
    rows = frame.select("patient_key", newer=pl.Series(is_newer), weight=pl.Series(weights))
    summed = (
        rows.filter(pl.col("weight") > 0).group_by("newer", "patient_key").agg(pl.sum("weight"))
    )
    w = [summed.filter(newer=side)["weight"].to_numpy() for side in (False, True)]
    effective, largest = zip(*((1 / float(x @ x), float(x.max())) for x in w), strict=True)
    return WeightSpread(effective, largest)


def _failures(
    found: FairComparison, balance: tuple[CovariateBalance, ...], spread: WeightSpread
) -> Iterator[str]:
    """Why the weighted cohorts are not balanced enough, each condition with its figures."""
    allowed = MAX_DIFFERENCE if sum(found.n_used) >= FEW else MAX_DIFFERENCE_OF_FEW
    for row in balance:
        distance = row.difference_after.estimate if row.difference_after else None
        if distance is not None and distance > allowed:
            yield f"{row.covariate}: standardized difference {distance:.3f}, above {allowed:.2f}"
    pairs = zip(found.plan.cohorts, found.n_used, spread.effective_n, strict=True)
    for cohort, n, effective in pairs:
        if effective < MIN_EFFECTIVE_SHARE * n:
            share = f"{effective:.1f} of {n} ({effective / n:.1%})"
            yield f"effective patients in {cohort}: {share}, below {MIN_EFFECTIVE_SHARE:.0%}"
        if effective < MIN_EFFECTIVE_N:
            yield f"effective patients in {cohort}: {effective:.1f}, below {MIN_EFFECTIVE_N}"
    for cohort, share in zip(found.plan.cohorts, spread.largest_share, strict=True):
        if share > MAX_WEIGHT_SHARE:
            yield f"one patient has {share:.1%} of {cohort}'s weight, above {MAX_WEIGHT_SHARE:.0%}"


def _outcome(
    plan: FairPlan, frame: pl.DataFrame, is_newer: Array, weights: Array
) -> WeightedOutcome:
    time, event = (frame[c].cast(pl.Float64).to_numpy() for c in ("time_days", "state"))
    keys = frame["patient_key"]
    repeats = keys.n_unique() < keys.len()
    cluster = keys.rank("dense").to_numpy() if repeats else None
    one, other = (
        weighted_cohort(
            time[rows], event[rows], weights[rows], None if cluster is None else cluster[rows]
        )
        for rows in (~is_newer, is_newer)
    )
    ratio = _hazard_ratio(time, event, is_newer, weights, cluster)
    return _compared(plan, one, other, ratio)


def _hazard_ratio(
    time: Array, event: Array, is_newer: Array, weights: Array, cluster: Array | None
) -> Estimate:
    """Of those with a weight; both cohorts' weights add to half of their number."""
    used = weights > 0
    scaled = weights[used] * used.sum() / 2
    whose = None if cluster is None else cluster[used]
    return weighted_hazard_ratio(time[used], event[used], is_newer[used], scaled, whose)


def _compared(
    plan: FairPlan, one: WeightedCohort, other: WeightedCohort, ratio: Estimate
) -> WeightedOutcome:
    curves = weighted_kaplan_meier(one), weighted_kaplan_meier(other)
    events = one.patients.n_events + other.patients.n_events
    common = is_common(events, one.patients.n + other.patients.n)
    a, b = curves
    return WeightedOutcome(
        curves,
        tuple((weighted_survival_at(a, t), weighted_survival_at(b, t)) for t in plan.milestones),
        tuple(weighted_survival_difference(a, b, t) for t in plan.milestones),
        weighted_restricted_mean_difference(one, other, plan.tau),
        ratio,
        e_value_of_hazard_ratio(ratio, common),
    )
