"""Restricted mean survival time: the area under a Kaplan-Meier curve up to tau; two compared.

Standard error: Greenwood's, the sum over event days of (area after the day)^2 d / (n (n - d)).
Difference: normal interval. Ratio: normal interval of its logarithm, with the delta method's
variance of log of a mean, (standard error / mean)^2. Which tau is fair to several cohorts is for
the caller to say: a curve that ends before tau is carried on at its last height, as R does it, and
the reason beside the number says so.

Sources: Karrison, JASA 1987;82:1169; Royston & Parmar, BMC Med Res Methodol 2013;13:152; Uno et
al., J Clin Oncol 2014;32:2380 (ratio). R: survival's rmean with Greenwood's standard error.
"""

from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
from scipy.special import ndtr

from analysis.stats.estimate import Estimate, Z, not_estimable
from analysis.stats.survival import KaplanMeier, entry_caveat


@dataclass(frozen=True)
class RestrictedMean:
    """Mean time within the first `tau` days, and its standard error (days).

    `is_empty`: of nobody, and no estimate. `caveat`: what the reader of the number must know.
    """

    tau: float
    mean: float
    standard_error: float
    is_empty: bool = False
    caveat: str | None = None


def restricted_mean(km: KaplanMeier, tau: float) -> RestrictedMean:
    """Area under the curve up to tau; Greenwood variance without n/(n-1). R: print(rmean=tau).

    The caller sees to it that the cohort is observed up to tau; if it is not, `caveat` says so.
    Raises ValueError for a negative tau.
    """
    if not tau >= 0:
        raise ValueError(f"tau of {tau} days; expected 0 or more")
    counts = km.counts
    k = int(np.searchsorted(counts.day, tau))  # days strictly before tau
    edges = np.concatenate(([0.0], counts.day[:k], [tau]))
    areas = np.diff(edges) * np.concatenate(([1.0], km.survival[:k]))
    after = areas.sum() - np.cumsum(areas[:-1])
    n, d = counts.at_risk[:k].astype(float), counts.events[:k].astype(float)
    # Where everybody left has the event the area after it is 0, and 0/0 contributes nothing.
    weight = np.divide(d, n * (n - d), out=np.zeros_like(d), where=n > d)
    error = sqrt(float((after**2 * weight).sum()))
    return RestrictedMean(tau, float(areas.sum()), error, counts.n == 0, _caveat(km, tau))


def _caveat(km: KaplanMeier, tau: float) -> str | None:
    """A curve that ends before tau, or that delayed entry distorts before it."""
    counts = km.counts
    if counts.n and counts.day[-1] < tau and km.survival[-1] > 0:
        return f"follow-up ends on day {counts.day[-1]:.0f}; the curve is carried on to tau"
    return entry_caveat(counts, tau)


def _no_error(*means: RestrictedMean) -> str:
    """Why a standard error is 0: only then is there no interval. That a curve ended comes first."""
    if caveat := next((m.caveat for m in means if m.caveat), None):
        return f"no events before that time; {caveat}"
    if all(m.mean == m.tau for m in means):
        return "no events before that time" + (" in either cohort" if means[1:] else "")
    return "the curve falls to 0 at once" + (", or not at all, in each cohort" if means[1:] else "")


def _caveats(one: RestrictedMean, other: RestrictedMean) -> str | None:
    return one.caveat or other.caveat


def restricted_mean_estimate(mean: RestrictedMean) -> Estimate:
    """A restricted mean with its normal interval (days); none without events before tau."""
    method = "RMST, normal interval"
    if mean.is_empty:
        return not_estimable("no patients", method)
    if mean.standard_error == 0:
        return Estimate(mean.mean, method=method, reason=_no_error(mean))
    half = Z * mean.standard_error
    lower, upper = mean.mean - half, mean.mean + half
    return Estimate(mean.mean, lower, upper, method=method, reason=mean.caveat)


def restricted_mean_difference(one: RestrictedMean, other: RestrictedMean) -> Estimate:
    """`other` minus `one` (days), with normal interval and two-sided p."""
    method = "RMST difference, normal interval"
    if one.is_empty or other.is_empty:
        return not_estimable("a cohort without patients", method)
    difference = other.mean - one.mean
    error = sqrt(one.standard_error**2 + other.standard_error**2)
    if error == 0:
        return Estimate(difference, method=method, reason=_no_error(one, other))
    p = 2 * float(ndtr(-abs(difference) / error))
    lower, upper = difference - Z * error, difference + Z * error
    return Estimate(difference, lower, upper, p, method, _caveats(one, other))


def restricted_mean_ratio(one: RestrictedMean, other: RestrictedMean) -> Estimate:
    """`other` divided by `one`, with the interval and two-sided p of its logarithm.

    Not estimable for an empty cohort, or where a mean is 0 (tau 0, or all events on day 0).
    """
    method = "RMST ratio, normal interval of the logarithm"
    if one.is_empty or other.is_empty:
        return not_estimable("a cohort without patients", method)
    if one.mean == 0 or other.mean == 0:
        return not_estimable("a restricted mean of 0 days", method)
    ratio = log(other.mean / one.mean)
    error = sqrt((one.standard_error / one.mean) ** 2 + (other.standard_error / other.mean) ** 2)
    if error == 0:
        return Estimate(exp(ratio), method=method, reason=_no_error(one, other))
    p = 2 * float(ndtr(-abs(ratio) / error))
    lower, upper = exp(ratio - Z * error), exp(ratio + Z * error)
    return Estimate(exp(ratio), lower, upper, p, method, _caveats(one, other))
