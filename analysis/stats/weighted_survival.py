"""Survival of one cohort whose patients have weights: Kaplan-Meier, milestones, restricted mean.

Conventions of `counts.py` and `survival.py`: at risk at t are all whose time is t or later, S(t)
includes the events on t. On each day d is the weight of those with the event and n the weight of
those at risk; S = prod of 1 - d/n. Only ratios of weights matter.

Standard error: the infinitesimal jackknife, to which R's survfit switches when weights are not
whole numbers. The influence of patient i on log S(t) is the derivative by the patient's weight,

    -A_i(t) = -sum over s <= t of (dN_i(s) - Y_i(s) d/n) / (n - d)

so with C(t) the running sum of d / (n (n - d)),

    A_i(t) = [event] / (n - d)(t_i) - C(t_i)  once the patient has left,  and  -C(t)  before.

The variance of log S(t) is the sum over patients of (w_i A_i)^2. A patient's (or, with several rows
a patient, a cluster's) sum is P - C(t) W, with P from the rows that have left and W the weight of
the rest; P and W change on the days of its rows only, so that running sums of P^2, P W and W^2 give
every day at once. With weights of 1 and one row a patient this is Greenwood's variance. For the
restricted mean A is weighted with the area still to come, R(s), the integral of S from s to tau.

The weights are treated as known. That they come from an estimated propensity is left out: for
overlap weights the interval is then conservative (too wide), as a rule. Limits are log-log
(`conf.type = "log-log"`). The two cohorts are taken as independent in differences.

Sources: Xie & Liu, Stat Med 2005;24:3089 (weighted Kaplan-Meier); Jaeckel 1972 and Therneau &
Grambsch, Modeling Survival Data 2000, section 7.2 (infinitesimal jackknife); Austin, Stat Med
2016;35:5642 (variance with propensity weights); Zou & Donner, Stat Med 2008;27:1693 (MOVER).
Oracle: R survival 3.5, survfit(Surv(time, event) ~ 1, weights = w, id = , robust = TRUE,
conf.type = "log-log", influence = 1).
"""

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from analysis.stats.counts import Array, DayCounts, at_risk_table
from analysis.stats.estimate import Estimate, not_estimable
from analysis.stats.limits import log_log_limits, mover_difference
from analysis.stats.restricted_mean import RestrictedMean, restricted_mean_difference

METHOD = "weighted Kaplan-Meier, robust log-log interval, weights as known"
RMST = "weighted RMST difference, robust normal interval, weights as known"


@dataclass(frozen=True)
class WeightedCohort:
    """One cohort: days ascending and distinct (K,), and its rows (n,).

    `patients`: the day counts of the rows, unweighted. `events`, `at_risk` (K,): weights on and
    just before each day. `at` (n,): each row's position in the days; `cluster` (n,): whose row it
    is, None if every row is a patient's only one.
    """

    patients: DayCounts
    events: Array
    at_risk: Array
    at: Array
    is_event: Array
    weight: Array
    cluster: Array | None

    @property
    def day(self) -> Array:
        """The days: (K,)."""
        return self.patients.day


def weighted_cohort(
    time: Array, event: Array, weight: Array, cluster: Array | None = None
) -> WeightedCohort:
    """From rows (n,): days since the origin, 1 for an event and 0 censored, weight, patient.

    Rows of weight 0 are left out. Raises ValueError for another event, for a day or weight that is
    negative or not finite.
    """
    time, weight, event = (np.asarray(x, dtype=float) for x in (time, weight, event))
    if not np.isin(event, (0, 1)).all():
        raise ValueError("an event is 1 and a censoring 0; other states compete")
    for name, values in (("day", time), ("weight", weight)):
        if not (np.isfinite(values) & (values >= 0)).all():
            raise ValueError(f"a {name} is negative or not a number")
    kept = weight > 0
    day, at = np.unique(time[kept], return_inverse=True)
    is_event, weight = event[kept] == 1, weight[kept]
    events = np.bincount(at, is_event, minlength=day.size).astype(np.int64)
    everybody = np.bincount(at, minlength=day.size)
    return WeightedCohort(
        DayCounts(day, events, everybody - events),
        np.bincount(at, weight * is_event, minlength=day.size),
        # Added from the end: the last day's number at risk is then exactly who leaves on it.
        np.cumsum(np.bincount(at, weight, minlength=day.size)[::-1])[::-1],
        at,
        is_event,
        weight,
        _repeated(None if cluster is None else np.asarray(cluster)[kept]),
    )


def _repeated(cluster: Array | None) -> Array | None:
    """Clusters as 0, 1, ...; None if each has one row only."""
    if cluster is None:
        return None
    clusters, codes = np.unique(cluster, return_inverse=True)
    return codes if clusters.size < codes.size else None


@dataclass(frozen=True)
class WeightedKaplanMeier:
    """The curve on every distinct day, arrays (K,).

    `patients`: unweighted day counts, for numbers at risk. `standard_error`: robust, 0 where S is
    0. `lower` and `upper` are NaN where S is 0 or 1: the log-log scale has no limits there.
    """

    patients: DayCounts
    survival: Array
    standard_error: Array
    lower: Array
    upper: Array


def _survival(cohort: WeightedCohort) -> Array:
    return np.cumprod((cohort.at_risk - cohort.events) / cohort.at_risk)


def _inverse_left(cohort: WeightedCohort) -> Array:
    """1 / (n - d) by day; 0 where nobody is left: S is 0 from there on and has no variance."""
    left = cohort.at_risk - cohort.events
    return np.divide(1, left, out=np.zeros(left.size), where=left > 0)


def _by_day(cohort: WeightedCohort, rows: Array, values: Array) -> Array:
    """Sums of values by the day of their rows: (K,)."""
    return np.bincount(cohort.at[rows], values, minlength=cohort.day.size)


def _after(by_day: Array) -> Array:
    """The sum over all later days: (K,)."""
    return np.append(np.cumsum(by_day[::-1])[::-1], 0.0)[1:]


def _squared_sums(cohort: WeightedCohort, left: Array) -> tuple[Array, Array, Array]:
    """After each day the sums over clusters of P^2, P W and W^2, each (K,).

    `left` (n,) is a row's part of P, once it has left. Rows are taken cluster by cluster in order
    of time; a row's step of P^2 (P W, W^2) is added on its day.
    """
    if cohort.cluster is None:
        rows = np.arange(left.size)
        gone, there = np.cumsum(_by_day(cohort, rows, left**2)), cohort.weight**2
        return gone, np.zeros_like(gone), _after(_by_day(cohort, rows, there))
    rows = np.lexsort((cohort.at, cohort.cluster))
    p, w = left[rows], cohort.weight[rows]
    cluster = cohort.cluster[rows]
    first = np.searchsorted(cluster, cluster)
    p_after = _within(p, first)
    w_after = np.bincount(cluster, w)[cluster] - _within(w, first)
    p_before, w_before = p_after - p, w_after + w
    # P W and W^2 end at 0 with the cluster's last row: what is to come is subtracted from 0.
    both, squared = p_before * w_before - p_after * w_after, w_before**2 - w_after**2
    return (
        np.cumsum(_by_day(cohort, rows, p_after**2 - p_before**2)),
        _after(_by_day(cohort, rows, both)),
        _after(_by_day(cohort, rows, squared)),
    )


def _within(values: Array, first: Array) -> Array:
    """Running sums that start anew at each row's `first`, the position where its group begins."""
    total = np.cumsum(values)
    return total - (total - values)[first]


def _log_variance(cohort: WeightedCohort) -> Array:
    """Robust variance of log S: (K,); without meaning where S is 0."""
    inverse = _inverse_left(cohort)
    c = np.cumsum(cohort.events / cohort.at_risk * inverse)
    left = cohort.weight * (cohort.is_event * inverse[cohort.at] - c[cohort.at])
    p_squared, p_w, w_squared = _squared_sums(cohort, left)
    return np.maximum(p_squared - 2 * c * p_w + c**2 * w_squared, 0.0)


def weighted_kaplan_meier(cohort: WeightedCohort) -> WeightedKaplanMeier:
    """The weighted product-limit curve; a cohort of nobody gives empty arrays. R: survfit."""
    survival, variance = _survival(cohort), _log_variance(cohort)
    error = survival * np.sqrt(variance)
    limits = log_log_limits(survival, variance)
    return WeightedKaplanMeier(cohort.patients, survival, error, *limits)


def weighted_survival_at(curve: WeightedKaplanMeier, t: float) -> Estimate:
    """S(t) with its robust interval.

    Beyond the last follow-up of a curve that has not reached 0: not estimable. At S = 1 or 0 there
    is no interval (exact limits need whole patients), and the reason says so.
    """
    counts = curve.patients
    if counts.n == 0:
        return not_estimable("no patients", METHOD)
    k = int(np.searchsorted(counts.day, t, side="right")) - 1
    s = 1.0 if k < 0 else float(curve.survival[k])
    if t > counts.day[-1] and s > 0:
        return not_estimable(f"follow-up ends on day {counts.day[-1]:.0f}", METHOD)
    if 0 < s < 1:
        return Estimate(s, float(curve.lower[k]), float(curve.upper[k]), method=METHOD)
    what = f"no events in {counts.n}" if s == 1 else "nobody is left without the event"
    if censored := at_risk_table(counts, (t,))[0].censored:
        what = f"{what}, {censored} censored before"
    return Estimate(s, method=METHOD, reason=what)


def weighted_standard_error_at(curve: WeightedKaplanMeier, t: float) -> float | None:
    """The robust standard error of S(t), 0 < S(t) < 1, within follow-up; else None."""
    found = weighted_survival_at(curve, t)
    if found.lower is None:
        return None
    return float(curve.standard_error[np.searchsorted(curve.patients.day, t, side="right") - 1])


def weighted_survival_difference(
    one: WeightedKaplanMeier, other: WeightedKaplanMeier, t: float
) -> Estimate:
    """S(t) of `other` minus that of `one`, by MOVER from their robust limits."""
    found = mover_difference(weighted_survival_at(one, t), weighted_survival_at(other, t))
    return replace(found, method="weighted difference, MOVER from the two robust intervals")


def weighted_restricted_mean(cohort: WeightedCohort, tau: float) -> RestrictedMean:
    """Area under the weighted curve up to tau (days) and its robust standard error.

    The caller sees to it that the cohort is observed up to tau. R: the area under survfit's curve,
    and the areas under the columns of its `influence.surv`.
    """
    inside = cohort.day < tau
    edges = np.concatenate(([0.0], cohort.day[inside], [tau]))
    areas = np.diff(edges) * np.concatenate(([1.0], _survival(cohort)[inside]))
    # Area still to come after each day; 0 on days from tau on, which have no influence.
    rest = np.zeros(cohort.day.size)
    rest[inside] = _after(areas)[:-1]
    slope = rest * _inverse_left(cohort)
    reduced = np.cumsum(cohort.events / cohort.at_risk * slope)
    influence = cohort.weight * (reduced[cohort.at] - cohort.is_event * slope[cohort.at])
    if cohort.cluster is not None:
        influence = np.bincount(cohort.cluster, influence)
    return RestrictedMean(tau, float(areas.sum()), sqrt(float(influence @ influence)))


def weighted_restricted_mean_difference(
    one: WeightedCohort, other: WeightedCohort, tau: float
) -> Estimate:
    """`other` minus `one` (days), with robust normal interval and two-sided p.

    Not estimable for an empty cohort, or if follow-up of a curve that is not yet at 0 ends before
    tau. Raises ValueError unless tau is above 0.
    """
    if not tau > 0:
        raise ValueError(f"tau is {tau} days: it must be above 0")
    for cohort in (one, other):
        if cohort.patients.n == 0:
            return not_estimable("a cohort without patients", RMST)
        if tau > cohort.day[-1] and _survival(cohort)[-1] > 0:
            return not_estimable(f"follow-up ends on day {cohort.day[-1]:.0f}", RMST)
    means = weighted_restricted_mean(one, tau), weighted_restricted_mean(other, tau)
    found = restricted_mean_difference(*means)
    flat = "no events that differ in time before then" if found.p_value is None else None
    return replace(found, method=RMST, reason=flat)
