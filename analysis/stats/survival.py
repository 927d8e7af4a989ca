"""Survival of one cohort from day counts: Kaplan-Meier, quantiles, follow-up.

Conventions, those of R's survival package 3.5 (who is at risk: `counts.py`):

- S(t) includes the events on t; an event on day 0 counts: S drops at 0;
- Greenwood's variance; pointwise limits on the log(-log S) scale (`conf.type = "log-log"`), or on
  the log or plain one where asked for.

Delayed entry: the same product over days, with the numbers that are under observation. Early risk
sets can be small or empty, and then the curve misleads in three ways, each said as the `reason`
beside the number: it falls to 0 while others are still to enter (and stays there, as in R); it
rests on a handful; or it starts, in truth, on the day the first come under observation.

Sources: Kaplan & Meier, JASA 1958;53:457; Greenwood 1926; Brookmeyer & Crowley, Biometrics
1982;38:29 (quantiles); Schemper & Smith, Controlled Clinical Trials 1996;17:343 (reverse
Kaplan-Meier); Tsai, Jewell & Wang, Biometrika 1987;74:883 (delayed entry). R: survfit.
"""

from dataclasses import dataclass
from math import inf, sqrt

import numpy as np

from analysis.stats.counts import Array, DayCounts, at_risk_table
from analysis.stats.estimate import Estimate, not_estimable
from analysis.stats.limits import Scale, clopper_pearson, pointwise_limits

# R compares curve heights with this tolerance when it looks for a quantile.
HEIGHT_TOLERANCE = float(np.sqrt(np.finfo(float).eps))
# With fewer at risk at an event, and others still to enter, the curve is said to rest on a handful.
FEW_AT_RISK = 5


@dataclass(frozen=True)
class KaplanMeier:
    """The curve on every distinct day, arrays (K,).

    `log_variance` is Greenwood's sum, the variance of log S; infinite where S is 0. `lower` and
    `upper`, on the `scale`, are NaN where S is 0 or 1: there are no pointwise limits there.
    """

    counts: DayCounts
    survival: Array
    log_variance: Array
    lower: Array
    upper: Array
    scale: Scale = "log-log"


def kaplan_meier(counts: DayCounts, scale: Scale = "log-log") -> KaplanMeier:
    """The product-limit curve. A cohort of nobody gives empty arrays. R: survfit(Surv ~ 1)."""
    d = counts.events.astype(float)
    # Nobody need be at risk on a day on which somebody enters: it leaves the curve as it is.
    n = np.maximum(counts.at_risk, 1).astype(float)
    survival = np.cumprod((n - d) / n)
    with np.errstate(divide="ignore"):
        log_variance = np.cumsum(np.where(d > 0, d / (n * (n - d)), 0.0))
    limits = pointwise_limits(survival, log_variance, scale)
    return KaplanMeier(counts, survival, log_variance, *limits, scale)


def entry_caveat(counts: DayCounts, until: float = inf) -> str | None:
    """What delayed entry does to the curve up to a day, in words; None if there is nothing to say.

    The worst first: fallen to 0 before others entered; an event among fewer than FEW_AT_RISK
    before others entered; nobody at risk for a time; nobody at risk at the start.
    """
    if counts.entered is None:
        return None
    shown = counts.day <= until
    waiting = counts.entered[::-1].cumsum()[::-1]  # on the day or later: not at risk on it
    early = shown & (counts.events > 0) & (waiting > 0)
    for doubtful, what in (
        (early & (counts.events == counts.at_risk), "the curve falls to 0 on day {0}, with {1} at"),
        (early & (counts.at_risk < FEW_AT_RISK), "a step of the curve on day {0} with only {1} at"),
    ):
        if doubtful.any():
            k = int(np.argmax(doubtful))
            told = what.format(f"{counts.day[k]:.0f}", counts.at_risk[k])
            return f"{told} risk and {waiting[k]} not yet entered"
    return _empty_time(counts, shown)


def _empty_time(counts: DayCounts, shown: Array) -> str | None:
    """A time without anybody at risk before later entries, in words."""
    if counts.n_at_start == 0:
        return f"nobody is at risk up to day {_first_entry(counts):.0f}: survival given that day"
    empty = np.flatnonzero((counts.at_risk == 0) & shown)
    if not empty.size:
        return None
    start, end = counts.day[empty[0] - 1], counts.day[empty[0]]
    return f"nobody is at risk after day {start:.0f} up to day {end:.0f}"


def _first_entry(counts: DayCounts) -> float:
    """The day at the end of which the first late one comes under observation."""
    return float(counts.day[0 if counts.entered is None else np.argmax(counts.entered > 0)])


def _step(days: Array, heights: Array, t: float, before: float) -> float:
    """The height of a right-continuous step function at t; `before` left of its first day."""
    position = int(np.searchsorted(days, t, side="right")) - 1
    return before if position < 0 else float(heights[position])


def survival_at(km: KaplanMeier, t: float) -> Estimate:
    """S(t) with its interval.

    Not estimable: beyond the last follow-up of a curve that has not reached 0, and before anybody
    came under observation. At S = 1 or 0 there are no pointwise limits: the exact (Clopper-Pearson)
    ones if all were observed from the start and nobody was censored before t, else no interval,
    and the reason. With delayed entry the reason may also be what `entry_caveat` says.
    """
    counts, method = km.counts, f"Kaplan-Meier, {km.scale} interval"
    if counts.n == 0:
        return not_estimable("no patients", method)
    s = _step(counts.day, km.survival, t, 1.0)
    if t > counts.day[-1] and s > 0:
        last = f"follow-up ends on day {counts.day[-1]:.0f}"
        return not_estimable(last, method)
    if counts.n_at_start == 0 and t <= (first := _first_entry(counts)):
        return not_estimable(f"nobody is at risk up to day {first:.0f}", method)
    if 0 < s < 1:
        lower = _step(counts.day, km.lower, t, 1.0)
        upper = _step(counts.day, km.upper, t, 1.0)
        return Estimate(s, lower, upper, method=method, reason=entry_caveat(counts, t))
    return _at_the_edge(counts, t, s, method)


def _at_the_edge(counts: DayCounts, t: float, s: float, method: str) -> Estimate:
    """S(t) where it is 1 or 0."""
    row = at_risk_table(counts, (t,))[0]
    what = f"no events in {counts.n}" if s == 1 else "nobody is left without the event"
    if counts.n_at_start < counts.n:
        late = f"{what}, {counts.n - counts.n_at_start} entered late"
        return Estimate(s, method=method, reason=entry_caveat(counts, t) or late)
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
    step (its end is the last day, if the curve ends there). None if it stays above. Heights that
    are NaN are unknown: neither.
    """
    reached = np.flatnonzero(heights <= level + HEIGHT_TOLERANCE)
    if not reached.size:
        return None
    below = np.flatnonzero(heights < level - HEIGHT_TOLERANCE)
    first = reached[0]
    if below.size and below[0] == first:
        return float(days[first])
    end = below[0] if below.size else np.flatnonzero(~np.isnan(heights))[-1]
    return float(days[first] + days[end]) / 2


def quantile(km: KaplanMeier, survival: float = 0.5) -> Estimate:
    """The time by which S has fallen to `survival` (0.5: the median), with its limits.

    Limits: the same crossing of the pointwise limits, on their scale (Brookmeyer & Crowley,
    Biometrics 1982;38:29). None with a reason if the curve stays above; a reason beside the number
    where the curve ends flat on the level, delayed entry misleads or a limit is missing. R:
    quantile(survfit), but for limits that rise again (few at risk early, with delayed entry): R
    sorts their heights before it looks, here the first crossing counts.
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
    flat = bool(abs(km.survival[-1] - survival) < HEIGHT_TOLERANCE)
    ends_flat = f"the curve ends flat at {survival:.0%}" if flat else None
    reason = ends_flat or entry_caveat(km.counts, middle) or _missing(lower, upper)
    return Estimate(middle, lower, upper, method=method, reason=reason)


def _missing(lower: float | None, upper: float | None) -> str | None:
    """Why a quantile lacks a limit: only a curve that falls to 0 at once lacks the lower one."""
    if lower is None:
        return "no limits where the curve falls to 0"
    return "upper limit not reached" if upper is None else None


def follow_up(counts: DayCounts) -> Estimate:
    """Median follow-up by reverse Kaplan-Meier: censoring is the event."""
    if counts.n and not counts.censored.any():
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
