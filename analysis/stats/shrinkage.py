"""Shrunken estimates of the levels of one characteristic: normal-normal, tau^2 by REML.

The question: how much of the spread between levels in a forest is more than chance, and where
would each level lie without the rest. Within one characteristic only: levels of different
characteristics hold the same children.

Model: estimate y_i ~ N(theta_i, v_i) with known v_i, theta_i ~ N(mu, tau^2). On an additive scale:
log hazard ratio, log odds ratio, difference. With w_i = 1 / (v_i + tau^2):

    mu    = sum w_i y_i / sum w_i,                        variance 1 / sum w_i
    tau^2 = where sum w_i^2 (y_i - mu)^2 = sum w_i - sum w_i^2 / sum w_i   (REML score), or 0
    theta = L_i y_i + (1 - L_i) mu,   L_i = tau^2 / (tau^2 + v_i)
            variance L_i v_i + (1 - L_i)^2 / sum w_i

The restricted likelihood can have two tops, so it is searched over a grid from 0 on and only then
solved. The interval of theta counts the uncertainty of mu, not that of tau^2: with few levels it
is too narrow, and at tau^2 = 0 all levels are at mu. I^2 is tau^2 as a share of tau^2 + the
typical v, Q is Cochran's.

Sources: Viechtbauer, J Educ Behav Stat 2005;30:261 (REML); Higgins & Thompson, Stat Med
2002;21:1539 (I^2); Raudenbush & Bryk, J Educ Stat 1985;10:75 (shrinkage). R: metafor's rma(method
= "REML", control = list(threshold = 1e-14)) and blup.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from math import isfinite, sqrt

import numpy as np
from scipy.special import ndtr

from analysis.stats.contingency import HypothesisTest, cochran_q
from analysis.stats.counts import Array
from analysis.stats.estimate import Estimate, Z, not_estimable
from analysis.stats.proportion import edge

METHOD = "normal-normal, REML"
SHRUNKEN = f"shrunken, {METHOD}"
LEFT_OUT = not_estimable("no estimate with a standard error of its own", SHRUNKEN)
GRID_SIZE = 400


@dataclass(frozen=True)
class Shrinkage:
    """Levels in the order given, their standard errors (None where left out), and their spread.

    `i_squared` in [0, 1]. Without a fit, `reason` says why; with one, `caution` may say what
    little it rests on.
    """

    levels: tuple[Estimate, ...]
    standard_errors: tuple[float | None, ...]
    mean: Estimate
    tau_squared: float | None = None
    i_squared: float | None = None
    heterogeneity: HypothesisTest | None = None
    reason: str | None = None
    caution: str | None = None


def _log_likelihoods(tau_squared: Array, y: Array, v: Array) -> Array:
    """The restricted log likelihood, less a constant, at each tau^2: (m,)."""
    total = v + tau_squared[:, None]
    weight = 1 / total
    sums = weight.sum(axis=1)
    mu = (weight @ y) / sums
    squares = (weight * (y - mu[:, None]) ** 2).sum(axis=1)
    return -(np.log(total).sum(axis=1) + np.log(sums) + squares) / 2


def _score(tau_squared: float, y: Array, v: Array) -> float:
    """Twice the slope of the restricted log likelihood."""
    weight = 1 / (v + tau_squared)
    mu = (weight @ y) / weight.sum()
    squares = weight**2
    return float(squares @ (y - mu) ** 2 - weight.sum() + squares.sum() / weight.sum())


def _reml(y: Array, v: Array) -> float:
    """tau^2 where the restricted likelihood is highest; 0 at the boundary.

    From ten times the sum of squares, or of the largest variance, on the likelihood only falls.
    """
    top = 10 * max(float(((y - y.mean()) ** 2).sum()), float(v.max()))
    grid = np.concatenate(([0.0], np.geomspace(top * 1e-10, top, GRID_SIZE)))
    best = int(np.argmax(_log_likelihoods(grid, y, v)))
    low, high = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, GRID_SIZE)])
    return edge(lambda tau_squared: _score(tau_squared, y, v) >= 0, low, high)


def _i_squared(tau_squared: float, v: Array) -> float:
    """tau^2 as a share of tau^2 + the typical variance (Higgins & Thompson)."""
    weight = 1 / v
    typical = (v.size - 1) / (weight.sum() - (weight**2).sum() / weight.sum())
    return float(tau_squared / (tau_squared + typical))


def _mean(y: Array, total: Array) -> Estimate:
    """mu with Wald's limits and p."""
    weight = 1 / total
    mu, error = float(weight @ y / weight.sum()), sqrt(1 / weight.sum())
    p_value = 2 * float(ndtr(-abs(mu) / error))
    return Estimate(mu, mu - Z * error, mu + Z * error, p_value, f"mean of the levels, {METHOD}")


def _fit(y: Array, v: Array) -> tuple[float, Estimate, Array, Array]:
    """tau^2, the mean, and the shrunken values and standard errors: (k,), (k,)."""
    tau_squared = _reml(y, v)
    mean = _mean(y, v + tau_squared)
    kept = tau_squared / (tau_squared + v)
    mu = mean.estimate or 0.0
    variance = kept * v + (1 - kept) ** 2 / (1 / (v + tau_squared)).sum()
    return tau_squared, mean, kept * y + (1 - kept) * mu, np.sqrt(variance)


def _level(value: float, error: float) -> Estimate:
    return Estimate(value, value - Z * error, value + Z * error, method=SHRUNKEN)


def _usable(estimates: Sequence[float | None], errors: Sequence[float | None]) -> list[bool]:
    """Which levels have an estimate and a standard error above 0."""
    if len(estimates) != len(errors):
        raise ValueError(f"{len(estimates)} estimates, {len(errors)} standard errors")
    for value in (*estimates, *errors):
        if value is not None and not isfinite(value):
            raise ValueError(f"{value} is no estimate and no standard error")
    if any(error is not None and error < 0 for error in errors):
        raise ValueError("a standard error is negative")
    return [y is not None and bool(e) for y, e in zip(estimates, errors, strict=True)]


def shrunken(
    estimates: Sequence[float | None], standard_errors: Sequence[float | None]
) -> Shrinkage:
    """Shrink the levels of one characteristic toward their mean, on an additive scale.

    A level without an estimate, or whose standard error is missing or 0, is left out and says so.
    One level: nothing to shrink toward. Two: their spread is one difference, told as a caution.
    Raises ValueError for lists of unequal length, a negative standard error, NaN and infinity.
    """
    usable = _usable(estimates, standard_errors)
    if sum(usable) < 2:
        reason = f"{sum(usable)} of {len(usable)} levels with an estimate: nothing to shrink toward"
        nothing = not_estimable(reason, SHRUNKEN)
        levels = tuple(nothing if ok else LEFT_OUT for ok in usable)
        return Shrinkage(levels, (None,) * len(usable), nothing, reason=reason)
    y = np.array(list(compress(estimates, usable)), dtype=float)
    v = np.array(list(compress(standard_errors, usable)), dtype=float) ** 2
    tau_squared, mean, values, errors = _fit(y, v)
    fitted = iter(zip(values.tolist(), errors.tolist(), strict=True))
    pairs = [next(fitted) if ok else None for ok in usable]
    return Shrinkage(
        tuple(LEFT_OUT if pair is None else _level(*pair) for pair in pairs),
        tuple(None if pair is None else pair[1] for pair in pairs),
        mean,
        tau_squared,
        _i_squared(tau_squared, v),
        cochran_q(y, v, "spread of the levels, Cochran's Q"),
        caution="two levels: their spread is one difference" if y.size == 2 else None,
    )
