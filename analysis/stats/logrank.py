"""Tests that several survival curves are one: log-rank, stratified, weighted, and MaxCombo.

On each event day the events are shared out among the cohorts by their numbers at risk; the test
adds the differences between observed and expected over the days, and over strata, with the
hypergeometric variance (ties count once, jointly). A Fleming-Harrington weight G(rho, gamma) is
S(t-)^rho (1 - S(t-))^gamma, S the Kaplan-Meier curve of all cohorts of the stratum together, just
before the day: (0, 0) is the log-rank test, (1, 0) looks at early differences, (0, 1) at late ones,
(1, 1) between. Delayed entry needs nothing of its own: the risk sets know it.

MaxCombo takes the largest of several such |z| of two cohorts, and judges it by their joint normal
distribution: the covariance of two weighted sums is the variance formula with the product of their
weights. Kernel of its p: if the correlation of the z is L L', L of r columns, then z = R L u with u
uniform on the sphere of r dimensions and R^2 chi-square of r degrees, so

    P(max |z| > c) = mean over u of P(R > c / g(u)),    g(u) = max_j |L_j u|

(Deak 1980). That is an integral of a bounded function whatever the correlation; it matters because
G(0,0) is the sum of G(1,0) and G(0,1), so that the default four have rank 3. No random numbers: on
each half great circle through one pole the angles are known at which the largest |L_j u| changes,
and Gauss-Legendre runs between them; from one half circle to the next likewise.

Sources: Mantel 1966; Peto & Peto, JRSS A 1972;135:185; Fleming & Harrington, Counting Processes
and Survival Analysis 1991, section 7.2; Karrison, Stata J 2016;16:678 and Lin et al., Stat Biopharm
Res 2020;12:187 (MaxCombo); Deak, Numer Math 1980;35:369. R: survdiff(rho = , strata()),
coxph(ties = "exact")$score with delayed entry; own sums for gamma > 0; mvtnorm::pmvnorm.
"""

from dataclasses import dataclass
from itertools import combinations
from math import pi

import numpy as np
from scipy.special import chdtrc, ndtr

from analysis.stats.counts import Array, DayCounts, risk_sets

# Per rank, from the innermost circle outward: even pieces, and Gauss-Legendre points on each piece.
RULES = {2: ((8, 8),), 3: ((8, 8), (48, 4)), 4: ((6, 6), (6, 4), (12, 4))}
# An eigenvalue of a correlation matrix below this is 0: p misses by its square root at most.
ZERO = 1e-13


@dataclass(frozen=True)
class LogRank:
    """A log-rank test: chi-square, degrees of freedom, p; or the reason why there is none.

    `observed` and `expected` are numbers of events by cohort, unweighted whatever the weight.
    """

    chi_square: float | None
    degrees_of_freedom: int
    p_value: float | None
    observed: tuple[int, ...]
    expected: tuple[float, ...]
    reason: str | None = None


@dataclass(frozen=True)
class FlemingHarrington:
    """The weight S(t-)^rho (1 - S(t-))^gamma of an event day; (0, 0): all days alike.

    Raises ValueError for a negative exponent.
    """

    rho: float = 0.0
    gamma: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a weight without bound."""
        if not (self.rho >= 0 and self.gamma >= 0):
            raise ValueError(f"{self}; expected exponents of 0 or more")

    def __str__(self) -> str:
        """As it is written: G(0, 1)."""
        return f"G({self.rho:g}, {self.gamma:g})"


UNWEIGHTED = FlemingHarrington()
FOUR = tuple(FlemingHarrington(rho, gamma) for rho, gamma in ((0, 0), (1, 0), (0, 1), (1, 1)))


@dataclass(frozen=True)
class _EventDays:
    """One stratum on its event days: who has the events, who was to be expected to, (K, cohorts).

    `share`: of each cohort among those at risk. `spread` (K,): the hypergeometric variance of the
    day but for the shares. `before` (K,): S of all cohorts together just before the day.
    """

    events: Array
    expected: Array
    share: Array
    spread: Array
    before: Array

    def weight(self, weight: FlemingHarrington) -> Array:
        """The weight of each day: (K,)."""
        return self.before**weight.rho * (1 - self.before) ** weight.gamma


def _event_days(cohorts: tuple[DayCounts, ...]) -> _EventDays:
    sets = risk_sets(cohorts)
    n, d = sets.at_risk.sum(axis=1), sets.events.sum(axis=1)
    share = sets.at_risk / n[:, None]
    spread = d * (n - d) / np.maximum(n - 1, 1)  # 0 where one is at risk: it has the event
    before = np.concatenate(([1.0], np.cumprod(1 - d / n)[:-1])) if n.size else n
    return _EventDays(sets.events, d[:, None] * share, share, spread, before)


def log_rank(cohorts: tuple[DayCounts, ...], weight: FlemingHarrington = UNWEIGHTED) -> LogRank:
    """The k-sample test with hypergeometric variance. R: survdiff (weighted: rho).

    A cohort that is never at risk at an event has no expectation and costs no degree of freedom.
    """
    return stratified_log_rank((cohorts,), weight)


def stratified_log_rank(
    strata: tuple[tuple[DayCounts, ...], ...], weight: FlemingHarrington = UNWEIGHTED
) -> LogRank:
    """The test within strata, added up. R: survdiff(Surv ~ cohort + strata(stratum)).

    Each stratum holds the same cohorts in the same order (one without patients as a cohort of
    nobody), else ValueError. A stratum in which only one cohort is at risk says nothing.
    """
    if len({len(cohorts) for cohorts in strata}) != 1:
        raise ValueError("every stratum holds the same cohorts, in the same order")
    days = [_event_days(cohorts) for cohorts in strata]
    weights = [stratum.weight(weight) for stratum in days]
    pairs = list(zip(days, weights, strict=True))
    observed = np.sum([stratum.events.sum(axis=0) for stratum in days], axis=0)
    expected = np.sum([stratum.expected.sum(axis=0) for stratum in days], axis=0)
    told = tuple(int(x) for x in observed), tuple(float(x) for x in expected)
    compared = np.flatnonzero(np.sum([w @ x.expected for x, w in pairs], axis=0) > 0)
    if reason := _no_test(observed, expected, compared):
        return LogRank(None, 0, None, *told, reason=reason)
    kept, degrees = compared[:-1], len(compared) - 1
    excess = np.sum([w @ (x.events - x.expected) for x, w in pairs], axis=0)[kept]
    variance = np.sum([_variance(x, w) for x, w in pairs], axis=0)[np.ix_(kept, kept)]
    if np.linalg.matrix_rank(variance) < degrees:
        return LogRank(None, degrees, None, *told, reason="no variance: too few at risk")
    chi_square = float(excess @ np.linalg.solve(variance, excess))
    return LogRank(chi_square, degrees, float(chdtrc(degrees, chi_square)), *told)


def _no_test(observed: Array, expected: Array, compared: Array) -> str | None:
    """Why there is nothing to compare, in words; None if there is."""
    if not observed.any():
        return "no events"
    if np.count_nonzero(expected) < 2:
        return "only one cohort was at risk at an event"
    return "the weight leaves fewer than two cohorts" if len(compared) < 2 else None


def _variance(days: _EventDays, weight: Array) -> Array:
    """Of the weighted observed less expected: (cohorts, cohorts)."""
    scaled = (weight**2 * days.spread)[:, None] * days.share
    variance = -scaled.T @ days.share
    np.fill_diagonal(variance, (scaled * (1 - days.share)).sum(axis=0))
    return variance


@dataclass(frozen=True)
class MaxCombo:
    """The largest |z| of several weighted log-rank tests of two cohorts, and its p.

    `z` by weight: positive if the second cohort has more events than expected; None where a weight
    leaves no variance (such a weight takes no part, and the reason names it). Without any z the
    statistic and p are None, with the reason.
    """

    statistic: float | None
    p_value: float | None
    weights: tuple[FlemingHarrington, ...]
    z: tuple[float | None, ...]
    reason: str | None = None


def max_combo(
    cohorts: tuple[DayCounts, DayCounts], weights: tuple[FlemingHarrington, ...] = FOUR
) -> MaxCombo:
    """The two-sided test; always the same p for the same counts.

    p is right to 1e-6 of its value if at most three of the weights are independent, as of the
    default four; with four to 2e-5 of it. Raises ValueError for other than two cohorts, and for
    other than 1 to 4 weights.
    """
    if len(cohorts) != 2 or not 1 <= len(weights) <= 4:
        raise ValueError(f"{len(cohorts)} cohorts, {len(weights)} weights; expected 2, and 1 to 4")
    days = _event_days(cohorts)
    w = np.array([days.weight(weight) for weight in weights])  # (weights, K)
    excess = w @ (days.events - days.expected)[:, 1]
    covariance = (w * (days.spread * days.share[:, 0] * days.share[:, 1])) @ w.T
    error = np.sqrt(np.diag(covariance))
    kept = error > 0
    if not kept.any():
        reason = "no variance: too few at risk" if days.spread.size else "no events"
        return MaxCombo(None, None, weights, (None,) * len(weights), reason)
    z = excess[kept] / error[kept]
    correlation = covariance[np.ix_(kept, kept)] / np.outer(error[kept], error[kept])
    largest = float(np.abs(z).max())
    found = iter(z.tolist())
    told = tuple(next(found) if has_variance else None for has_variance in kept)
    without = [str(weight) for weight, x in zip(weights, told, strict=True) if x is None]
    reason = f"no variance under {' and '.join(without)}" if without else None
    return MaxCombo(largest, largest_beyond(largest, correlation), weights, told, reason)


def largest_beyond(bound: float, correlation: Array) -> float:
    """P(max |Z_j| > bound) of standard normals Z with this correlation matrix (k, k), k <= 4.

    The matrix may be singular; the kernel is that of the module's docstring. R: 1 - pmvnorm of
    mvtnorm.
    """
    values, vectors = np.linalg.eigh(correlation)
    independent = np.flatnonzero(values > ZERO)[::-1]
    # (k, rank); the pole is where the z agree most, so that the integrand peaks near it.
    rows = vectors[:, independent] * np.sqrt(values[independent])
    if rows.shape[1] == 1:
        return 2 * float(ndtr(-bound))
    points, weight = _sphere(rows, RULES[rows.shape[1]])
    largest = np.abs(rows @ points.T).max(axis=0)
    return min(1.0, float(weight @ chdtrc(rows.shape[1], (bound / largest) ** 2)))


def _sphere(rows: Array, rules: tuple[tuple[int, int], ...]) -> tuple[Array, Array]:
    """Points of the unit sphere of r dimensions, and weights that add to 1: (V, r), (V,).

    Half circles from pole to opposite pole, one through each point of the sphere of one dimension
    less; half a sphere, as g(u) = g(-u). L_j u is pole_j cos(angle) + (the rest) sin(angle) on
    them: |L_j u| and |L_k u| change places where the difference or the sum of the two is 0. That
    the outer spheres have their edges where the rest changes places counts for planes of change
    near the pole: there the angle of the change jumps from one half circle to the next.
    """
    rank = rows.shape[1]
    if rank == 1:
        return np.ones((1, 1)), np.ones(1)
    directions, share = _sphere(rows[:, 1:], rules[1:])
    pairs = combinations(range(len(rows)), 2)
    turns = np.array([rows[j] + sign * rows[k] for j, k in pairs for sign in (-1, 1)])
    changes = np.arctan2(-turns[:, 0], directions @ turns[:, 1:].T) % pi  # (directions, pairs)
    angle, weight = _pieces(changes, *rules[0])
    sine = np.sin(angle)
    weight = weight * sine ** (rank - 2)
    weight *= (share / weight.sum(axis=1))[:, None]
    across = sine[..., None] * directions[:, None, :]
    points = np.concatenate((np.cos(angle)[..., None], across), axis=2)
    return points.reshape(-1, rank), weight.ravel()


def _pieces(edges: Array, n_even: int, n_points: int) -> tuple[Array, Array]:
    """Gauss-Legendre from 0 to pi between edges (V, m) and even ones: both (V, points)."""
    even = np.broadcast_to(np.linspace(0, pi, n_even + 1), (len(edges), n_even + 1))
    edges = np.sort(np.concatenate((edges, even), axis=1), axis=1)
    points, weights = np.polynomial.legendre.leggauss(n_points)
    half = np.diff(edges)[..., None] / 2
    angle = edges[:, :-1, None] + half * (1 + points)
    return angle.reshape(len(edges), -1), (half * weights).reshape(len(edges), -1)
