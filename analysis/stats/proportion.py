"""Proportions of patients with their 95 % intervals, and the difference of two.

Wilson's score interval is the default, without continuity correction; Clopper-Pearson where exact
limits are asked for. The difference is Newcombe's hybrid score interval: MOVER from the two Wilson
intervals, again without continuity correction.

Everywhere: a proportion lies in [0, 1], and its denominator is given, never inferred. 0 of n has
the lower limit 0.0, n of n the upper limit 1.0, both exactly. A denominator of 0 is not
estimable. Counts that cannot be (negative, more than the denominator) are a ValueError.

Sources: Wilson, JASA 1927;22:209; Clopper & Pearson, Biometrika 1934;26:404; Newcombe, Stat Med
1998;17:857 (method 3) and 1998;17:873 (method 10). R: prop.test(correct = FALSE), binom.test.
"""

from dataclasses import replace
from math import sqrt

from analysis.stats.estimate import Estimate, Z, not_estimable
from analysis.stats.limits import clopper_pearson as exact_limits
from analysis.stats.limits import mover_difference


def _check(numerator: int, denominator: int) -> None:
    if not 0 <= numerator <= denominator:
        raise ValueError(f"{numerator} of {denominator} is no proportion")


def _wilson_lower(x: int, n: int) -> float:
    """The smaller root of (p - x/n)^2 = z^2 p (1 - p) / n, in the form that does not cancel."""
    return 2 * x * x / n / (2 * x + Z * Z + Z * sqrt(Z * Z + 4 * x * (n - x) / n))


def wilson(numerator: int, denominator: int) -> Estimate:
    """A proportion with Wilson's score limits."""
    _check(numerator, denominator)
    if denominator == 0:
        return not_estimable("no patients", "Wilson interval")
    lower = _wilson_lower(numerator, denominator)
    upper = 1 - _wilson_lower(denominator - numerator, denominator)
    return Estimate(numerator / denominator, lower, upper, method="Wilson interval")


def clopper_pearson(numerator: int, denominator: int) -> Estimate:
    """A proportion with the exact (Clopper-Pearson) limits."""
    _check(numerator, denominator)
    if denominator == 0:
        return not_estimable("no patients", "Clopper-Pearson interval")
    lower, upper = exact_limits(numerator, denominator)
    return Estimate(numerator / denominator, lower, upper, method="Clopper-Pearson interval")


def newcombe_difference(
    numerator: int, denominator: int, reference_numerator: int, reference_denominator: int
) -> Estimate:
    """A proportion minus the reference's, with Newcombe's hybrid score limits; in [-1, 1].

    Not estimable without patients on either side; the reason says on which. No p value.
    """
    method = "difference, Newcombe interval"
    one = wilson(reference_numerator, reference_denominator)
    other = wilson(numerator, denominator)
    if one.estimate is None:
        return not_estimable("no patients in the reference", method)
    return replace(mover_difference(one, other), method=method)
