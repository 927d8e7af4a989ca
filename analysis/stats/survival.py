"""Survival of one cohort from day counts: Kaplan-Meier, quantiles, follow-up.

Conventions, those of R's survival package 3.5 (who is at risk: `counts.py`):

- S(t) includes the events on t; an event on day 0 counts: S drops at 0;
- Greenwood's variance; pointwise limits on the log(-log S) scale (`conf.type = "log-log"`).

Sources: Kaplan & Meier, JASA 1958;53:457; Greenwood 1926; Brookmeyer & Crowley, Biometrics
1982;38:29 (quantiles); Schemper & Smith, Controlled Clinical Trials 1996;17:343 (reverse
Kaplan-Meier).
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from analysis.stats.counts import Array, DayCounts, at_risk_table
from analysis.stats.estimate import Estimate, not_estimable
from analysis.stats.limits import clopper_pearson, log_log_limits

# R compares curve heights with this tolerance when it looks for a quantile.
HEIGHT_TOLERANCE = float(np.sqrt(np.finfo(float).eps))


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
