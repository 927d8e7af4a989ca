"""Survival from day counts: Kaplan-Meier, quantiles, at-risk table, log-rank, RMST.

Input everywhere is a `Cohort`: how many ended on each distinct day with an event and how many
were censored. Ten million patients are then some thousand rows, and every statistic below is exact
on them. Conventions, those of R's survival package 3.5:

- at risk at t are all whose time is t or later: an event and a censoring on one day are both still
  at risk; S(t) includes the events on t;
- Greenwood's variance; pointwise limits on the log(-log S) scale (`conf.type = "log-log"`);
- an event on day 0 counts: S drops at 0.

Sources: Kaplan & Meier, JASA 1958;53:457; Greenwood 1926; Kalbfleisch & Prentice, The Statistical
Analysis of Failure Time Data (log-log limits); Mantel 1966 and Peto & Peto, JRSS A 1972;135:185
(log-rank); Karrison, JASA 1987;82:1169 (restricted mean); Schemper & Smith, Controlled Clinical
Trials 1996;17:343 (reverse Kaplan-Meier); Zou & Donner, Stat Med 2008;27:1693 (MOVER).
"""

from dataclasses import dataclass
from math import hypot, sqrt

import numpy as np
import polars as pl
from scipy.special import betaincinv, chdtrc, ndtr

from analysis.stats.estimate import CONFIDENCE_LEVEL, Estimate, Z, not_estimable

# R compares curve heights with this tolerance when it looks for a quantile.
HEIGHT_TOLERANCE = float(np.sqrt(np.finfo(float).eps))
Array = np.ndarray


@dataclass(frozen=True)
class DayCounts:
    """One cohort: `day` ascending and distinct, `events` and `censored` on each; arrays (K,)."""

    day: Array
    events: Array
    censored: Array

    @property
    def n(self) -> int:
        """Enrollments."""
        return int(self.events.sum() + self.censored.sum())

    @property
    def n_events(self) -> int:
        """Enrollments with the event."""
        return int(self.events.sum())

    @property
    def at_risk(self) -> Array:
        """At risk on each day, just before its events: (K,)."""
        leaving = self.events + self.censored
        return self.n - (np.cumsum(leaving) - leaving)

    def reversed(self) -> "DayCounts":
        """Censoring as the event, for follow-up."""
        return DayCounts(self.day, self.censored, self.events)


def day_counts(frame: pl.DataFrame) -> DayCounts:
    """From columns time_days, state (0 censored, 1 event), n; any order, repeats allowed.

    An empty frame gives a cohort of nobody. Raises ValueError for a state other than 0 and 1:
    competing events must not be censored away (1 - KM overstates).
    """
    if frame.filter(~pl.col("state").is_in([0, 1])).height:
        raise ValueError("states above 1 compete; Kaplan-Meier would censor them")
    is_event = pl.col("state") == 1
    by_day = (
        frame.group_by("time_days")
        .agg(
            pl.col("n").filter(is_event).sum().alias("events"),
            pl.col("n").filter(~is_event).sum().alias("censored"),
        )
        .sort("time_days")
    )
    return DayCounts(
        by_day["time_days"].to_numpy().astype(float),
        by_day["events"].to_numpy().astype(np.int64),
        by_day["censored"].to_numpy().astype(np.int64),
    )


@dataclass(frozen=True)
class KaplanMeier:
    """The curve on every distinct day, arrays (K,).

    `log_variance` is Greenwood's sum, the variance of log S; infinite where S is 0. `lower` and
    `upper` are NaN where S is 0 or 1: the log-log scale has no limits there.
    """

    counts: DayCounts
    survival: Array
    log_variance: Array
    lower: Array
    upper: Array


def log_log_limits(survival: Array, log_variance: Array) -> tuple[Array, Array]:
    """Pointwise 95 % limits on the log(-log S) scale; NaN where S is 0 or 1."""
    inside = (survival > 0) & (survival < 1)
    s = np.where(inside, survival, 0.5)
    half_width = Z * np.sqrt(np.where(inside, log_variance, 0.0)) / -np.log(s)
    centre = np.log(-np.log(s))
    lower = np.where(inside, np.exp(-np.exp(centre + half_width)), np.nan)
    upper = np.where(inside, np.exp(-np.exp(centre - half_width)), np.nan)
    return lower, upper


def kaplan_meier(counts: DayCounts) -> KaplanMeier:
    """The product-limit curve. A cohort of nobody gives empty arrays. R: survfit(Surv ~ 1)."""
    n, d = counts.at_risk.astype(float), counts.events.astype(float)
    survival = np.cumprod((n - d) / n)
    with np.errstate(divide="ignore"):
        log_variance = np.cumsum(np.where(d > 0, d / (n * (n - d)), 0.0))
    return KaplanMeier(counts, survival, log_variance, *log_log_limits(survival, log_variance))


def _step(days: Array, heights: Array, t: float, before: float) -> float:
    """The height of a right-continuous step function at t; `before` left of its first day."""
    position = int(np.searchsorted(days, t, side="right")) - 1
    return before if position < 0 else float(heights[position])


@dataclass(frozen=True)
class AtRisk:
    """What happened by t: at_risk (time >= t) + events + censored (both before t) = n."""

    time_days: float
    at_risk: int
    events: int
    censored: int


def at_risk_table(counts: DayCounts, times: tuple[float, ...]) -> tuple[AtRisk, ...]:
    """At risk just before, and events and censored strictly before, each time (KMunicate)."""
    events = np.concatenate(([0], np.cumsum(counts.events)))
    censored = np.concatenate(([0], np.cumsum(counts.censored)))
    rows = []
    for t in times:
        k = int(np.searchsorted(counts.day, t, side="left"))
        gone = int(events[k]), int(censored[k])
        rows.append(AtRisk(t, counts.n - sum(gone), *gone))
    return tuple(rows)


def clopper_pearson(x: int, n: int) -> tuple[float, float]:
    """Exact 95 % limits of a proportion x/n, 0 < n. R: binom.test."""
    tail = (1 - CONFIDENCE_LEVEL) / 2
    lower = 0.0 if x == 0 else float(betaincinv(x, n - x + 1, tail))
    upper = 1.0 if x == n else float(betaincinv(x + 1, n - x, 1 - tail))
    return lower, upper


def survival_at(km: KaplanMeier, t: float) -> Estimate:
    """S(t) with its interval.

    Beyond the last follow-up of a curve that has not reached 0: not estimable. At S = 1 or 0 the
    log-log scale has no limits: the exact (Clopper-Pearson) ones if nobody was censored before t,
    else no interval, and the reason.
    """
    counts, method = km.counts, "Kaplan-Meier, log-log interval"
    if counts.n == 0:
        return not_estimable("no patients", method)
    s = _step(counts.day, km.survival, t, 1.0)
    if t > counts.day[-1] and s > 0:
        last = f"follow-up ends on day {counts.day[-1]:.0f}"
        return not_estimable(last, method)
    if 0 < s < 1:
        lower = _step(counts.day, km.lower, t, 1.0)
        upper = _step(counts.day, km.upper, t, 1.0)
        return Estimate(s, lower, upper, method=method)
    row = at_risk_table(counts, (t,))[0]
    what = f"no events in {counts.n}" if s == 1 else "nobody is left without the event"
    if row.censored:
        return Estimate(s, method=method, reason=f"{what}, {row.censored} censored before")
    x = counts.n if s == 1 else 0
    lower, upper = clopper_pearson(x, counts.n)
    return Estimate(s, lower, upper, method="Kaplan-Meier, Clopper-Pearson interval", reason=what)


def standard_error_at(km: KaplanMeier, t: float) -> float | None:
    """Greenwood's standard error of S(t), 0 < S(t) < 1, within follow-up; else None."""
    if km.counts.n == 0 or t > km.counts.day[-1]:
        return None
    s = _step(km.counts.day, km.survival, t, 1.0)
    return s * sqrt(_step(km.counts.day, km.log_variance, t, 0.0)) if 0 < s < 1 else None


def _crossing(days: Array, heights: Array, level: float) -> float | None:
    """Where a falling step function crosses a level, in R's convention.

    The first day on which it is below; if a step lies exactly on the level, the middle of that
    step (its end is the last day, if the curve ends there). None if it stays above.
    """
    known = ~np.isnan(heights)
    below = np.flatnonzero(known & (heights < level - HEIGHT_TOLERANCE))
    reached = np.flatnonzero(known & (heights <= level + HEIGHT_TOLERANCE))
    if not reached.size:
        return None
    first = float(days[reached[0]])
    if heights[reached[0]] < level - HEIGHT_TOLERANCE:
        return first
    end = float(days[below[0]]) if below.size else float(days[known][-1])
    return (first + end) / 2


def quantile(km: KaplanMeier, survival: float = 0.5) -> Estimate:
    """The time by which S has fallen to `survival` (0.5: the median), with its limits.

    Limits: the same crossing of the pointwise limits (Brookmeyer & Crowley, Biometrics
    1982;38:29). None with a reason if the curve stays above. R: quantile(survfit).
    """
    method = "Kaplan-Meier, R's quantile convention"
    if km.counts.n == 0:
        return not_estimable("no patients", method)
    days = km.counts.day
    middle = _crossing(days, km.survival, survival)
    lower = _crossing(days, km.lower, survival)
    upper = _crossing(days, km.upper, survival)
    if middle is None:
        return Estimate(None, lower=lower, method=method, reason="not reached")
    missing = "upper limit not reached" if upper is None else None
    flat = bool(abs(km.survival[-1] - survival) < HEIGHT_TOLERANCE)
    ends_flat = f"the curve ends flat at {survival:.0%}" if flat else None
    return Estimate(middle, lower, upper, method=method, reason=ends_flat or missing)


def follow_up(counts: DayCounts) -> Estimate:
    """Median follow-up by reverse Kaplan-Meier: censoring is the event."""
    if counts.n and not counts.censored.sum():
        return not_estimable("nobody was censored", "reverse Kaplan-Meier")
    found = quantile(kaplan_meier(counts.reversed()))
    reason = found.reason if found.estimate is not None else "not reached"
    return Estimate(
        found.estimate,
        found.lower,
        found.upper,
        method="reverse Kaplan-Meier",
        reason=reason if counts.n else "no patients",
    )


def survival_difference(one: Estimate, other: Estimate) -> Estimate:
    """`other` minus `one`, two independent S(t), by MOVER from their limits."""
    method = "difference, MOVER from the two intervals"
    if one.estimate is None or other.estimate is None:
        reason = one.reason if one.estimate is None else other.reason
        return not_estimable(reason or "", method)
    difference = other.estimate - one.estimate
    if one.lower is None or one.upper is None or other.lower is None or other.upper is None:
        reason = one.reason if one.lower is None else other.reason
        return Estimate(difference, method=method, reason=reason)
    lower = difference - hypot(other.estimate - other.lower, one.upper - one.estimate)
    upper = difference + hypot(other.upper - other.estimate, one.estimate - one.lower)
    return Estimate(difference, lower, upper, method=method)


@dataclass(frozen=True)
class LogRank:
    """A log-rank test: chi-square, degrees of freedom, p; or the reason why there is none."""

    chi_square: float | None
    degrees_of_freedom: int
    p_value: float | None
    observed: tuple[int, ...]
    expected: tuple[float, ...]
    reason: str | None = None


@dataclass(frozen=True)
class RiskSets:
    """Event days shared by several cohorts: `day` (K,), `events` and `at_risk` (K, cohorts)."""

    day: Array
    events: Array
    at_risk: Array


def risk_sets(cohorts: tuple[DayCounts, ...]) -> RiskSets:
    """Events and numbers at risk of every cohort on every day on which anyone has an event."""
    day = np.unique(np.concatenate([c.day[c.events > 0] for c in cohorts]))
    events = np.zeros((day.size, len(cohorts)))
    at_risk = np.zeros((day.size, len(cohorts)))
    for j, c in enumerate(cohorts):
        at = np.searchsorted(c.day, day)
        gone = np.concatenate(([0], np.cumsum(c.events + c.censored)))
        at_risk[:, j] = c.n - gone[at]
        held = np.isin(day, c.day)
        events[held, j] = c.events[at[held]]
    return RiskSets(day, events, at_risk)


def log_rank(cohorts: tuple[DayCounts, ...]) -> LogRank:
    """The unweighted k-sample test with hypergeometric variance. R: survdiff.

    A cohort that is never at risk at an event has no expectation and costs no degree of freedom.
    """
    sets = risk_sets(cohorts)
    n, d = sets.at_risk.sum(axis=1), sets.events.sum(axis=1)
    observed = tuple(int(x) for x in sets.events.sum(axis=0))
    share = sets.at_risk / n[:, None]
    expected = (d[:, None] * share).sum(axis=0)
    compared = np.flatnonzero(expected > 0)
    degrees = len(compared) - 1
    told = (observed, tuple(float(x) for x in expected))
    if not sum(observed):
        return LogRank(None, 0, None, *told, reason="no events")
    if degrees < 1:
        return LogRank(None, 0, None, *told, reason="only one cohort was at risk at an event")
    spread = np.where(n > 1, d * (n - d) / np.maximum(n - 1, 1), 0.0)
    variance = np.diag((spread[:, None] * share).sum(axis=0))
    variance = variance - np.einsum("k,ki,kj->ij", spread, share, share)
    kept = compared[:-1]
    excess = (np.array(observed) - expected)[kept]
    if np.linalg.matrix_rank(variance[np.ix_(kept, kept)]) < degrees:
        return LogRank(None, degrees, None, *told, reason="no variance: too few at risk")
    chi_square = float(excess @ np.linalg.solve(variance[np.ix_(kept, kept)], excess))
    return LogRank(chi_square, degrees, float(chdtrc(degrees, chi_square)), *told)


@dataclass(frozen=True)
class RestrictedMean:
    """Mean time within the first `tau` days, and its standard error (days)."""

    tau: float
    mean: float
    standard_error: float


def restricted_mean(km: KaplanMeier, tau: float) -> RestrictedMean:
    """Area under the curve up to tau; Greenwood variance without n/(n-1). R: print(rmean=tau).

    The caller sees to it that the cohort is observed up to tau.
    """
    days, counts = km.counts.day, km.counts
    inside = days < tau
    edges = np.concatenate(([0.0], days[inside], [tau]))
    heights = np.concatenate(([1.0], km.survival[inside]))
    areas = np.diff(edges) * heights
    after = areas.sum() - np.cumsum(areas[:-1]) if inside.any() else np.array([])
    n, d = counts.at_risk[inside].astype(float), counts.events[inside].astype(float)
    # Where everybody left has the event the area after it is 0, and 0/0 contributes nothing.
    weight = np.divide(d, n * (n - d), out=np.zeros_like(d), where=n > d)
    return RestrictedMean(tau, float(areas.sum()), sqrt(float((after**2 * weight).sum())))


def restricted_mean_estimate(mean: RestrictedMean) -> Estimate:
    """A restricted mean with its normal interval (days)."""
    half = Z * mean.standard_error
    return Estimate(mean.mean, mean.mean - half, mean.mean + half, method="RMST, normal interval")


def restricted_mean_difference(one: RestrictedMean, other: RestrictedMean) -> Estimate:
    """`other` minus `one` (days), with normal interval and two-sided p."""
    difference = other.mean - one.mean
    error = sqrt(one.standard_error**2 + other.standard_error**2)
    method = "RMST difference, normal interval"
    if error == 0:
        return Estimate(difference, method=method, reason="no events before tau in either cohort")
    p = 2 * float(ndtr(-abs(difference) / error))
    return Estimate(difference, difference - Z * error, difference + Z * error, p, method)
