"""Limits that several statistics share: exact ones, log(-log) ones, and MOVER for a difference.

Sources: Clopper & Pearson, Biometrika 1934;26:404; Kalbfleisch & Prentice, The Statistical
Analysis of Failure Time Data (log-log limits); Zou & Donner, Stat Med 2008;27:1693 (MOVER).
"""

from math import hypot

import numpy as np
from scipy.special import betaincinv

from analysis.stats.counts import Array
from analysis.stats.estimate import CONFIDENCE_LEVEL, Estimate, Z, not_estimable


def clopper_pearson(x: int, n: int) -> tuple[float, float]:
    """Exact 95 % limits of a proportion x/n, 0 < n. R: binom.test."""
    tail = (1 - CONFIDENCE_LEVEL) / 2
    lower = 0.0 if x == 0 else float(betaincinv(x, n - x + 1, tail))
    upper = 1.0 if x == n else float(betaincinv(x + 1, n - x, 1 - tail))
    return lower, upper


def log_log_limits(survival: Array, log_variance: Array) -> tuple[Array, Array]:
    """Pointwise 95 % limits on the log(-log S) scale; NaN where S is 0 or 1."""
    inside = (survival > 0) & (survival < 1)
    s = np.where(inside, survival, 0.5)
    half_width = Z * np.sqrt(np.where(inside, log_variance, 0.0)) / -np.log(s)
    centre = np.log(-np.log(s))
    lower = np.where(inside, np.exp(-np.exp(centre + half_width)), np.nan)
    upper = np.where(inside, np.exp(-np.exp(centre - half_width)), np.nan)
    return lower, upper


def mover_difference(one: Estimate, other: Estimate) -> Estimate:
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
