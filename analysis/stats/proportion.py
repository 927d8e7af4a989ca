"""Proportions of patients with their 95 % intervals, and what compares two of them.

One proportion: Wilson's score interval is the default, without continuity correction;
Clopper-Pearson where exact limits are asked for; Jeffreys and Agresti-Coull to compare with.

Two proportions, always (numerator, denominator) against those of the reference:

- difference: Newcombe's hybrid score interval (MOVER from the two Wilson intervals, without
  continuity correction) is the default; Miettinen and Nurminen's score interval on request;
- ratio: Koopman's score interval;
- odds ratio: conditional likelihood with exact limits, or the sample odds ratio with Woolf's.

A score interval holds every value that the score test at 5 % does not reject:

    (p - p0 - d)^2 <= z^2 [ q (1 - q) / n + q0 (1 - q0) / n0 ] N / (N - 1)      (difference d)
    (p - r p0)^2   <= z^2 [ q (1 - q) / n + r^2 q0 (1 - q0) / n0 ]              (ratio r)

where q and q0 make the data likeliest among all pairs with q = q0 + d, or q = r q0. The factor
N / (N - 1), N = n + n0, belongs to Miettinen and Nurminen and is not in Koopman's. The ends are
found by halving between a value inside and one outside, so cells of 0 need no rule of their own.
The p value of a score interval is its own test of no difference: below 0.05 exactly if the
interval leaves it out.

Everywhere: a proportion lies in [0, 1], and its denominator is given, never inferred. 0 of n has
the lower limit 0.0, n of n the upper limit 1.0, both exactly. A denominator of 0 is not
estimable. Counts that cannot be (negative, more than the denominator) are a ValueError. A ratio
without finite value has no estimate and no upper limit, but its lower limit.

Sources: Wilson, JASA 1927;22:209; Clopper & Pearson, Biometrika 1934;26:404; Agresti & Coull, Am
Stat 1998;52:119; Brown, Cai & DasGupta, Stat Sci 2001;16:101; Newcombe, Stat Med 1998;17:857
(method 3) and 1998;17:873 (methods 10 and 6); Miettinen & Nurminen, Stat Med 1985;4:213; Koopman,
Biometrics 1984;40:513; Woolf, Ann Hum Genet 1955;19:251. R: prop.test(correct = FALSE),
binom.test, qbeta; the score limits by uniroot over likelihoods maximized by polyroot (difference)
or uniroot (ratio); fisher.test's conditional likelihood, but solved to 1e-15 (fisher.test itself
stops at 1e-4); glm for Woolf's.
"""

from collections.abc import Callable
from dataclasses import replace
from math import exp, inf, log, sqrt

import numpy as np
from scipy.special import betaincinv, chdtrc, gammaln

from analysis.stats.counts import Array
from analysis.stats.estimate import CONFIDENCE_LEVEL, Estimate, Z, not_estimable
from analysis.stats.limits import clopper_pearson as exact_limits
from analysis.stats.limits import mover_difference

# numerator, denominator, and those of the reference
Counts = tuple[int, int, int, int]
TAIL = (1 - CONFIDENCE_LEVEL) / 2
# No odds ratio or ratio of counts below 10^15 has a limit beyond exp of this.
LOG_BOUND = 80.0
MAX_HALVINGS = 100
MAX_STEPS = 200
NEARLY = 0.99


def edge(is_inside: Callable[[float], bool], inside: float, outside: float) -> float:
    """Where a set that holds `inside` ends on the way to `outside`, to the last digit.

    `outside` itself if the set reaches so far. By halving: it needs no derivative and cannot leave
    its bracket.
    """
    if is_inside(outside):
        return outside
    for _ in range(MAX_HALVINGS):
        middle = (inside + outside) / 2
        if middle in (inside, outside):
            break
        inside, outside = (middle, outside) if is_inside(middle) else (inside, middle)
    return inside


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


def jeffreys(numerator: int, denominator: int) -> Estimate:
    """A proportion with Jeffreys' limits: equal tails of Beta(x + 1/2, n - x + 1/2).

    At 0 of n the lower limit is 0 and at n of n the upper one 1 (Brown, Cai & DasGupta 2001),
    else the interval would leave the estimate out. R: qbeta.
    """
    _check(numerator, denominator)
    method = "Jeffreys interval"
    if denominator == 0:
        return not_estimable("no patients", method)
    a, b = numerator + 0.5, denominator - numerator + 0.5
    lower = 0.0 if numerator == 0 else float(betaincinv(a, b, TAIL))
    upper = 1.0 if numerator == denominator else float(betaincinv(a, b, 1 - TAIL))
    return Estimate(numerator / denominator, lower, upper, method=method)


def agresti_coull(numerator: int, denominator: int) -> Estimate:
    """A proportion with Agresti and Coull's limits: Wald's after z^2/2 of either kind are added.

    The estimate is x/n, not the center of the interval; the limits are cut off at 0 and 1.
    """
    _check(numerator, denominator)
    method = "Agresti-Coull interval"
    if denominator == 0:
        return not_estimable("no patients", method)
    n = denominator + Z * Z
    center = (numerator + Z * Z / 2) / n
    half_width = Z * sqrt(center * (1 - center) / n)
    lower, upper = max(center - half_width, 0.0), min(center + half_width, 1.0)
    return Estimate(numerator / denominator, lower, upper, method=method)


def _nobody(denominator: int, reference_denominator: int) -> str | None:
    """The reason if a side has no patients."""
    if reference_denominator == 0:
        return "no patients in the reference"
    return "no patients" if denominator == 0 else None


def _likeliest_with_difference(d: float, counts: Counts) -> tuple[float, float]:
    """The pair of probabilities with difference d under which the counts are likeliest.

    Newton's steps along the reference's probability; the log likelihood is concave, so its slope
    says on which side the maximum lies, and a step out of the bracket becomes a halving.
    """
    x, n, x0, n0 = counts
    top = 1 - d
    low, high = max(0.0, -d), min(1.0, top)
    q0 = (low + high) / 2
    for _ in range(MAX_STEPS):
        if not low < q0 < high:
            break
        q, rest, rest0 = q0 + d, top - q0, 1 - q0
        slope = x / q - (n - x) / rest + x0 / q0 - (n0 - x0) / rest0
        bend = x / q**2 + (n - x) / rest**2 + x0 / q0**2 + (n0 - x0) / rest0**2
        low, high = (q0, high) if slope > 0 else (low, q0)
        following = q0 + slope / bend
        if not low < following < high:
            following = q0 + NEARLY * ((high if slope > 0 else low) - q0)
        if abs(following - q0) <= 1e-17:
            break
        q0 = following
    return min(max(q0 + d, 0.0), 1.0), q0


def _score_p(counts: Counts, factor: float) -> float:
    """p of the score test that both proportions are one; 1 if nobody or everybody has it."""
    x, n, x0, n0 = counts
    pooled = (x + x0) / (n + n0)
    variance = factor * pooled * (1 - pooled) * (1 / n + 1 / n0)
    return float(chdtrc(1, (x / n - x0 / n0) ** 2 / variance)) if variance > 0 else 1.0


def miettinen_nurminen_difference(
    numerator: int, denominator: int, reference_numerator: int, reference_denominator: int
) -> Estimate:
    """A proportion minus the reference's, with Miettinen and Nurminen's score limits; in [-1, 1].

    Variance with the factor N / (N - 1). The p value is that of the same test. Not estimable
    without patients on either side. R: uniroot over polyroot, in tests/oracle/tables.R.
    """
    counts = numerator, denominator, reference_numerator, reference_denominator
    method = "difference, Miettinen-Nurminen score interval with N/(N-1)"
    _check(*counts[:2])
    _check(*counts[2:])
    if reason := _nobody(denominator, reference_denominator):
        return not_estimable(reason, method)
    x, n, x0, n0 = counts
    factor = (n + n0) / (n + n0 - 1)
    estimate = x / n - x0 / n0

    def is_inside(d: float) -> bool:
        q, q0 = _likeliest_with_difference(d, counts)
        variance = factor * (q * (1 - q) / n + q0 * (1 - q0) / n0)
        return (estimate - d) ** 2 <= Z * Z * variance

    lower, upper = edge(is_inside, estimate, -1.0), edge(is_inside, estimate, 1.0)
    return Estimate(estimate, lower, upper, _score_p(counts, factor), method)


def _likeliest_with_ratio(ratio: float, counts: Counts) -> tuple[float, float]:
    """The pair of probabilities with this ratio under which the counts are likeliest.

    The smaller root of r N q0^2 - (r (n + x0) + x + n0) q0 + x + x0, in a form in which nothing
    cancels.
    """
    x, n, x0, n0 = counts
    of_one, of_other = ratio * (n + x0), x + n0
    discriminant = (of_one - of_other) ** 2 + 4 * ratio * (n - x) * (n0 - x0)
    q0 = 2 * (x + x0) / (of_one + of_other + sqrt(discriminant))
    return min(ratio * q0, 1.0), q0


def _koopman_inside(counts: Counts) -> Callable[[float], bool]:
    """Whether the log of a ratio is in Koopman's interval."""
    x, n, x0, n0 = counts

    def is_inside(log_ratio: float) -> bool:
        ratio = exp(log_ratio)
        q, q0 = _likeliest_with_ratio(ratio, counts)
        variance = q * (1 - q) / n + ratio**2 * q0 * (1 - q0) / n0
        return (x / n - ratio * x0 / n0) ** 2 <= Z * Z * variance

    return is_inside


Inside = Callable[[float], bool]


def _ratio(
    estimate: float, is_inside: tuple[Inside, Inside], p_value: float | None, method: str, what: str
) -> Estimate:
    """A ratio with limits: what the lower and the upper one hold is asked for on the log scale.

    `estimate` may be 0, then the lower limit is 0; or infinite, then it and the upper one are
    missing, with `what` in the reason.
    """
    start = min(max(log(estimate) if estimate > 0 else -inf, -LOG_BOUND), LOG_BOUND)
    lower = 0.0 if estimate == 0 else exp(edge(is_inside[0], start, -LOG_BOUND))
    if estimate == inf:
        reason = f"{what}: no finite estimate"
        return Estimate(None, lower, p_value=p_value, method=method, reason=reason)
    upper = exp(edge(is_inside[1], start, LOG_BOUND))
    return Estimate(estimate, lower, upper, p_value, method)


def koopman_ratio(
    numerator: int, denominator: int, reference_numerator: int, reference_denominator: int
) -> Estimate:
    """A proportion over the reference's, with Koopman's score limits.

    The p value is that of the same test, Pearson's without correction. 0 of n: the ratio is 0 and
    has an upper limit. 0 in the reference: no finite estimate, but the lower limit. 0 in both, or
    nobody on a side: not estimable. R: uniroot, in tests/oracle/tables.R.
    """
    counts = numerator, denominator, reference_numerator, reference_denominator
    method = "ratio, Koopman score interval"
    _check(*counts[:2])
    _check(*counts[2:])
    x, n, x0, n0 = counts
    reason = _nobody(n, n0)
    if reason is None and x + x0 == 0:
        reason = f"0 of {n} against 0 of {n0}: no ratio"
    if reason is not None:
        return not_estimable(reason, method)
    is_inside = _koopman_inside(counts)
    estimate = inf if x0 == 0 else x * n0 / (x0 * n)
    p_value, what = _score_p(counts, 1.0), f"{x} of {n} against {x0} of {n0}"
    return _ratio(estimate, (is_inside, is_inside), p_value, method, what)


def _given_margins(counts: Counts) -> tuple[Array, Callable[[float], Array]]:
    """Numerators possible given both margins, and their probabilities at a log odds ratio."""
    x, n, x0, n0 = counts
    possible = np.arange(max(0, x + x0 - n0), min(n, x + x0) + 1)
    cells = possible, n - possible, x + x0 - possible, n0 - x - x0 + possible
    log_weight = -sum(gammaln(cell + 1.0) for cell in cells)

    def probability(log_odds_ratio: float) -> Array:
        logs = log_weight + possible * log_odds_ratio
        weight = np.exp(logs - logs.max())
        return weight / weight.sum()

    return possible, probability


def exact_odds_ratio(
    numerator: int, denominator: int, reference_numerator: int, reference_denominator: int
) -> Estimate:
    """The odds over the reference's: conditional maximum likelihood, exact limits.

    Given both margins the numerator is noncentral hypergeometric: the estimate makes its mean the
    observed one, the limits leave 2.5 % in either tail. No p value: Fisher's test orders the
    tables otherwise and may disagree with these limits. No finite estimate, but the lower limit,
    where the numerator is the largest possible; not estimable where it is the only possible one.
    R: fisher.test, whose root finder stops at 1e-4.
    """
    counts = numerator, denominator, reference_numerator, reference_denominator
    method = "odds ratio, conditional likelihood, exact interval"
    _check(*counts[:2])
    _check(*counts[2:])
    x, n, x0, n0 = counts
    reason, against = _nobody(n, n0), f"{x} of {n} against {x0} of {n0}"
    possible, probability = _given_margins(counts)
    if reason is None and possible.size == 1:
        reason = f"{against}: no odds ratio"
    if reason is not None:
        return not_estimable(reason, method)

    def mean_is_reached(b: float) -> bool:
        return float(possible @ probability(b)) <= x

    def lower_holds(b: float) -> bool:
        return float(probability(b)[possible >= x].sum()) >= TAIL

    def upper_holds(b: float) -> bool:
        return float(probability(b)[possible <= x].sum()) >= TAIL

    ends = {int(possible[0]): 0.0, int(possible[-1]): inf}
    estimate = ends[x] if x in ends else exp(edge(mean_is_reached, -LOG_BOUND, LOG_BOUND))
    return _ratio(estimate, (lower_holds, upper_holds), None, method, against)


def woolf_odds_ratio(
    numerator: int, denominator: int, reference_numerator: int, reference_denominator: int
) -> Estimate:
    """The sample odds ratio with Woolf's limits, Wald's on the log scale, and their p value.

    Only where no cell of the table is 0: elsewhere not estimable, see `exact_odds_ratio`.
    """
    method = "odds ratio, Woolf interval"
    _check(numerator, denominator)
    _check(reference_numerator, reference_denominator)
    if reason := _nobody(denominator, reference_denominator):
        return not_estimable(reason, method)
    a, c = numerator, reference_numerator
    b, d = denominator - a, reference_denominator - c
    if 0 in (a, b, c, d):
        return not_estimable("a cell of the table is 0", method)
    log_ratio, error = log(a * d / (b * c)), sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    lower, upper = exp(log_ratio - Z * error), exp(log_ratio + Z * error)
    return Estimate(
        a * d / (b * c), lower, upper, float(chdtrc(1, (log_ratio / error) ** 2)), method
    )
