"""Restricted mean survival time: the area under a Kaplan-Meier curve up to tau, and differences.

Source: Karrison, JASA 1987;82:1169. R: survival's rmean with Greenwood's standard error.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.special import ndtr

from analysis.stats.estimate import Estimate, Z
from analysis.stats.survival import KaplanMeier


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
