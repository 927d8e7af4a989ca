"""Limits that several statistics share: exact ones, pointwise ones of S, MOVER for a difference.

Pointwise limits of S are built on one of three scales and taken back (R's conf.type): log(-log S),
which stays within 0 and 1 and is the default of all pages; log S, R's own default; S itself
("plain"), cut at 0 and 1. At S = 0 or 1 no scale has limits here; R gives zero-width ones at 1 on
the log and the plain scale, which say more than is known.

Sources: Clopper & Pearson, Biometrika 1934;26:404; Kalbfleisch & Prentice, The Statistical
Analysis of Failure Time Data (log-log limits); Borgan & Liestol, Scand J Stat 1990;17:35 (scales
compared); Zou & Donner, Stat Med 2008;27:1693 (MOVER). R: survfit(conf.type = ), binom.test.
"""

from math import hypot
from typing import Literal

import numpy as np
from scipy.special import betaincinv

from analysis.stats.counts import Array
from analysis.stats.estimate import CONFIDENCE_LEVEL, Estimate, Z, not_estimable

Scale = Literal["log-log", "log", "plain"]


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


def pointwise_limits(survival: Array, log_variance: Array, scale: Scale) -> tuple[Array, Array]:
    """Pointwise 95 % limits of S on a scale, from the variance of log S; NaN where S is 0 or 1.

    Raises ValueError for another scale. R: survfit(conf.type = scale).
    """
    if scale == "log-log":
        return log_log_limits(survival, log_variance)
    s = np.where((survival > 0) & (survival < 1), survival, np.nan)
    half_width = Z * np.sqrt(log_variance)
    if scale == "log":
        return s * np.exp(-half_width), np.minimum(s * np.exp(half_width), 1.0)
    if scale == "plain":
        return np.maximum(s * (1 - half_width), 0.0), np.minimum(s * (1 + half_width), 1.0)
    raise ValueError(f"no limits on the scale {scale!r}; there are log-log, log and plain")


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
