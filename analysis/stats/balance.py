"""How far two cohorts differ in a characteristic: standardized differences.

A distance without unit, never negative: 0 where the cohorts are alike. The direction is read from
the counts or means themselves. It is no test, and says nothing of chance. Counts may be sums of
weights.

- levels: the Mahalanobis distance between the two vectors of proportions, with the mean of the
  two multinomial covariance matrices; with two levels |p - q| / sqrt((p(1-p) + q(1-q)) / 2).
  `missing` is a level like any other;
- means: |difference| / sqrt of the mean of the two variances.

`CovariateBalance` holds one covariate before and after weighting.

Sources: Yang & Dalton, SAS Global Forum 2012, paper 335; Austin, Stat Med 2009;28:3083.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from analysis.stats.counts import Array
from analysis.stats.estimate import Estimate, not_estimable

LEVELS = "standardized difference, Yang-Dalton"
MEANS = "standardized difference of means"
# An eigenvalue below this share of the largest is 0: one patient in 10^9 is above it.
ZERO = 1e-12


def _covariance(p: Array) -> Array:
    """Of one draw from the levels: (k, k)."""
    return np.diag(p) - np.outer(p, p)


def standardized_difference_levels(
    counts: Sequence[float], reference_counts: Sequence[float]
) -> Estimate:
    """Between two cohorts' counts of the same k levels, in the same order.

    The pseudo-inverse of the full (k, k) covariance: no level has to be left out, and one that
    nobody has changes nothing. Not estimable: an empty cohort; one and the same level for all; no
    level in common (the distance has no bound). Raises ValueError if the levels cannot be the same.
    """
    one, reference = (np.asarray(c, dtype=float) for c in (counts, reference_counts))
    if one.shape != reference.shape or min(one.min(initial=0), reference.min(initial=0)) < 0:
        raise ValueError(f"{one.size} and {reference.size} counts: not of the same levels")
    if not one.sum() or not reference.sum():
        where = "" if not one.sum() else " in the reference"
        return not_estimable(f"no patients{where}", LEVELS)
    if not ((one > 0) & (reference > 0)).any():
        return not_estimable("the cohorts have no level in common", LEVELS)
    if np.count_nonzero(one + reference) == 1:
        return not_estimable("all patients have the same level", LEVELS)
    p, q = one / one.sum(), reference / reference.sum()
    spread = (_covariance(p) + _covariance(q)) / 2
    inverse = np.linalg.pinv(spread, rcond=ZERO, hermitian=True)
    return Estimate(sqrt(max(float((p - q) @ inverse @ (p - q)), 0.0)), method=LEVELS)


@dataclass(frozen=True)
class Moments:
    """A cohort's mean and standard deviation (n - 1) of a number; None where n is too small."""

    n: int
    mean: float | None
    standard_deviation: float | None


def standardized_difference_means(one: Moments, reference: Moments) -> Estimate:
    """Between two cohorts' means; not estimable below two patients each, or without any spread."""
    if min(one.n, reference.n) < 2:
        return not_estimable("fewer than two patients in a cohort", MEANS)
    if one.mean is None or reference.mean is None:
        raise ValueError(f"two or more patients without a mean: {one}, {reference}")
    if one.standard_deviation is None or reference.standard_deviation is None:
        raise ValueError(f"two or more patients without a deviation: {one}, {reference}")
    spread = sqrt((one.standard_deviation**2 + reference.standard_deviation**2) / 2)
    if spread == 0:
        return not_estimable("no spread in either cohort", MEANS)
    return Estimate(abs(one.mean - reference.mean) / spread, method=MEANS)


@dataclass(frozen=True)
class CovariateBalance:
    """One covariate before and after weighting; columns: the reference, the other cohort.

    `levels` (k,), None is a missing value. `before` (k, 2): patients. `after` (k, 2): sums of
    weights; None, as its difference, where nothing was weighted.
    """

    covariate: str
    levels: tuple[str | None, ...]
    before: Array
    after: Array | None
    difference_before: Estimate
    difference_after: Estimate | None


def covariate_balance(
    covariate: str, levels: tuple[str | None, ...], before: Array, after: Array | None
) -> CovariateBalance:
    """A covariate's distances from its counts and sums of weights, (k, 2) each."""
    unweighted = standardized_difference_levels(*before.T[::-1].tolist())
    if after is None:
        return CovariateBalance(covariate, levels, before, None, unweighted, None)
    weighted = standardized_difference_levels(*after.T[::-1].tolist())
    return CovariateBalance(covariate, levels, before, after, unweighted, weighted)


def largest_difference(differences: Iterable[Estimate | None]) -> float | None:
    """The largest distance among covariates; None if no covariate has one."""
    known = [d.estimate for d in differences if d is not None and d.estimate is not None]
    return max(known, default=None)
