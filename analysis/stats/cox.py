"""How many times as high is the hazard of one cohort as of another? Cox regression on day counts.

The only covariates are the cohorts (one dummy each against the first), so that all sums over
patients are sums over cohorts. On an event day of a stratum with n_g at risk and d_g events in
cohort g, d events in all, and w_g = exp(b_g), b of the first cohort 0, Efron's likelihood is

    log L = sum over days [ sum_g d_g b_g - sum_{l<d} log sum_g (n_g - (l/d) d_g) w_g ],

the partial likelihood of the raw rows; over strata it adds. Convention: R's survival, ties by
Efron, who is at risk as in `counts.py`. Three tests that all hazards are equal: Wald, score and
likelihood ratio.

The inner sum has no term per event here, so that a day with a thousand ties costs what a day with
one does. With A = sum n_g w_g, B = sum d_g w_g and z = d A / B the l-th total is (z - l) B / d, and
the share of cohort g in it is linear in y = 1 / (z - l):

    p_g = q_g + e_g y,    q_g = d_g w_g / B,    e_g = d n_g w_g / B - q_g z,

so that gradient (sum p_g) and information (sum p_g p_h) need the sums of y and y^2 only. These,
and that of log(z - l), are differences of log gamma at z + 1 and z - d + 1 and of its derivatives,
from Stirling's series at half-integers, Gamma(t + 1/2), written so that nothing cancels.

A finite maximum exists if and only if every cohort can be reached from every other over steps
"h had an event while g was at risk" (Ford's condition for paired comparisons): this is looked up
before the fit, and no bound on the coefficients has to tell separation from a large ratio.

Sources: Cox, JRSS B 1972;34:187; Efron, JASA 1977;72:557; Ford, Am Math Monthly 1957;64(8):28;
Abramowitz & Stegun 6.1.40. Oracle: R survival 3.5, coxph(Surv(time, event) ~ cohort + strata(s)).
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, factorial

import numpy as np
from scipy.special import chdtrc, ndtr

from analysis.stats.counts import Array, DayCounts, risk_sets
from analysis.stats.estimate import Estimate, Z, not_estimable

METHOD = "Cox model, Efron ties, Wald interval"
NO_PATIENTS = "a cohort without patients"
NO_EVENTS = "a cohort without events: the hazard ratio has no finite estimate"
NEVER_TOGETHER = "the cohorts are never at risk together at an event"
MONOTONE = "monotone likelihood: the hazard ratio has no finite estimate"
NO_CONVERGENCE = "the fit did not converge"
NO_LIMITS = "next to no information: the interval has no limits that can be written"
LARGEST_LOG = 700.0  # of a ratio that is still a number
MAX_STEPS = 100
LONGEST_STEP = 5.0
CONVERGED = 1e-7  # the last step of Newton's method; what it leaves is about its square
ROUNDING = 1e-10  # of a log likelihood, relative
# Stirling's series at half-integers: B_2k(1/2) / (2k (2k - 1)), k = 1 ... 5; from t = 20 on the
# next term is below 1e-16.
STIRLING = np.array([-1 / 24, 7 / 2880, -31 / 40320, 127 / 215040, -511 / 608256])
SHIFT = 20

Strata = tuple[tuple[DayCounts, ...], ...]


@dataclass(frozen=True)
class EventDays:
    """The risk sets of one or several fits, one entry per stratum and day with an event.

    `day` (R,), `events` and `at_risk` (cohorts, R); `first` (fits,): where each fit begins. Every
    fit has entries, and every entry an event.
    """

    day: Array
    events: Array
    at_risk: Array
    first: Array

    @property
    def sizes(self) -> Array:
        """Entries of each fit: (fits,)."""
        return np.diff(self.first, append=self.day.size)

    def sums(self, terms: Array) -> Array:
        """Sum over each fit: (..., R) to (fits, ...)."""
        return np.moveaxis(np.add.reduceat(terms, self.first, axis=-1), -1, 0)


def event_days(strata: Strata) -> EventDays:
    """The risk sets of one fit over these strata, of which at least one has an event."""
    sets = [risk_sets(cohorts) for cohorts in strata]
    return EventDays(
        np.concatenate([s.day for s in sets]),
        np.concatenate([s.events for s in sets]).T.copy(),
        np.concatenate([s.at_risk for s in sets]).T.copy(),
        np.array([0]),
    )


def _series(power: int) -> Array:
    """Coefficients, in powers of t^-2, of what the series adds to a sum of y^power (0: of log)."""
    if power == 0:
        return STIRLING
    odd = 2.0 * np.arange(1, 1 + STIRLING.size) - 1
    rising = np.prod([odd + j for j in range(power)], axis=0)
    return -STIRLING * rising / factorial(power - 1)


SERIES = np.array([_series(power) for power in range(5)])  # (power, term)


def _edges(t: Array, highest: int) -> Array:
    """What the series adds to the sums of y^0 ... at the ends t (2, R): (highest + 1, 2, R)."""
    x = 1 / t
    square = x * x
    terms = SERIES[: highest + 1].T[::-1, :, None, None]
    total = terms[0] * square
    for term in terms[1:-1]:
        total += term
        total *= square
    total += terms[-1]
    for power in range(highest + 1):
        total[power:] *= x
    return total


def _near(over: Array, d: Array, highest: int) -> Array:
    """What the shift to where the series is exact leaves out of the sums: (powers, R)."""
    low = over + np.arange(1, SHIFT + 1)[:, None]  # (SHIFT, R)
    high = low + d
    parts = [np.log(low / high), d / (low * high)]
    parts += [low**-power - high**-power for power in range(2, highest + 1)]
    return np.array([part.sum(axis=0) for part in parts])


def tied_sums(over: Array, d: Array, scale: Array, highest: int = 2) -> Array:
    """Sums over l < d of log((z - l) scale) and of (z - l)^-s, s = 1 ... highest (at most 4).

    In: `over` = z - d >= 0, `d` >= 1 and `scale` > 0, all (R,). Out: (highest + 1, R), to about
    1e-15 of their size.
    """
    near = over < SHIFT
    v = over + 0.5 + SHIFT * near
    u = v + d
    log_ratio = np.log1p(d / v)
    square = d / (u * v)
    leading = [d * np.log(u * scale) + v * log_ratio - d, log_ratio, square]
    if highest > 2:
        inverse = 1 / u, 1 / v
        leading.append(square * (inverse[0] + inverse[1]) / 2)
        leading.append(square * (inverse[0] ** 2 + inverse[0] * inverse[1] + inverse[1] ** 2) / 3)
    edges = _edges(np.array((u, v)), highest)
    sums = np.array(leading[: highest + 1]) + (edges[:, 0] - edges[:, 1])
    if near.any():
        sums[:, near] += _near(over[near], d[near], highest)
    return sums


@dataclass(frozen=True)
class Moments:
    """Efron's sums over l on every event day.

    `log_total` (R,), of the logarithm of the total weight as a share of all at risk; `products`, of
    p_g (k, R), of p_g p_h (k, k, R), and so on.
    """

    log_total: Array
    products: tuple[Array, ...]

    @property
    def shares(self) -> Array:
        """Expected events of each cohort: (k, R)."""
        return self.products[0]

    @property
    def pairs(self) -> Array:
        """Sum of p_g p_h: (k, k, R)."""
        return self.products[1]


def moments(days: EventDays, beta: Array, highest: int = 2) -> Moments:
    """The sums at the log hazard ratios `beta` (fits, cohorts - 1), of up to `highest` shares."""
    weight = np.exp(np.concatenate((np.zeros((len(beta), 1)), beta), axis=1))
    weight = np.repeat(weight.T, days.sizes, axis=1)  # (k, R), as tied, spared, q, e
    d, tied = days.events.sum(axis=0), days.events * weight
    spared = (days.at_risk - days.events) * weight
    b = tied.sum(axis=0)
    over = d * spared.sum(axis=0) / b
    scale = b / (d * days.at_risk.sum(axis=0))
    log_total, *y = tied_sums(over, d, scale, highest)
    q = tied / b
    return Moments(log_total, _products(q, spared * (d / b) - q * over, [d, *y]))


def _products(q: Array, e: Array, y: list[Array]) -> tuple[Array, ...]:
    """Sums of products of p = q + e y, from q and e (k, R) and the sums of y^0, y^1, ... (R,).

    One factor more: the sum of y^j p x is q times that of y^j x, and e times that of y^(j + 1) x.
    """
    found, sums = [], y
    while len(sums) > 1:
        between = tuple(range(1, sums[0].ndim))
        q_wide, e_wide = np.expand_dims(q, between), np.expand_dims(e, between)
        sums = [q_wide * x + e_wide * x_y for x, x_y in zip(sums, sums[1:], strict=False)]
        found.append(sums[0])
    return tuple(found)


def covariance(pairs: Array) -> Array:
    """Sum of diag(p) - p p' from the sum of p p', without the first cohort.

    (..., k, k) to (..., k - 1, k - 1). The shares add to 1, so the diagonal is what stands beside
    it: nothing cancels where a share is close to 1.
    """
    own = np.eye(pairs.shape[-1], dtype=bool)
    beside = np.where(own, 0.0, pairs)
    full = np.where(own, beside.sum(axis=-1)[..., None], -beside)
    return full[..., 1:, 1:]


@dataclass(frozen=True)
class Height:
    """Of a function to be maximized, by fit: `value` (S,), `gradient` (S, p), `curvature`.

    `curvature` (S, p, p): the negative second derivatives or what stands for them.
    """

    value: Array
    gradient: Array
    curvature: Array


def log_likelihood(days: EventDays, beta: Array) -> Height:
    """The partial likelihood of each fit at `beta` (fits, cohorts - 1), up to a constant."""
    sums = moments(days, beta)
    events = days.sums(days.events)[:, 1:]
    value = (events * beta).sum(axis=1) - days.sums(sums.log_total)
    gradient = events - days.sums(sums.shares)[:, 1:]
    return Height(value, gradient, covariance(days.sums(sums.pairs)))


def climb(
    height: Callable[[Array], Height], start: Array, close: float = CONVERGED
) -> tuple[Array, Height] | None:
    """Newton's method with step halving from `start` (S, p), all fits at once.

    Out: where the maxima are (S, p), the last step below `close`, and the height there; None if a
    fit does not converge.
    """
    beta, here = start, height(start)
    for _ in range(MAX_STEPS):
        step = np.linalg.solve(here.curvature, here.gradient[:, :, None])[:, :, 0]
        step = np.clip(step, -LONGEST_STEP, LONGEST_STEP)
        there = height(beta + step)
        while (lower := there.value < here.value - ROUNDING * (1 + np.abs(here.value))).any():
            step[lower] /= 2
            there = height(beta + step)
        beta, here = beta + step, there
        if np.abs(step).max(initial=0) < close:
            return beta, here
    return None


def _all_reached(steps: Array) -> Array:
    """Whether every cohort is reached from every other: (S, k, k) to (S,)."""
    reached = steps | np.eye(steps.shape[-1], dtype=bool)
    for _ in range(steps.shape[-1]):
        reached = reached @ reached
    return np.all(reached, axis=(1, 2), keepdims=True)[:, 0, 0]


def comparable(days: EventDays) -> tuple[Array, Array]:
    """Of each fit (S,): are the cohorts linked by common risk sets, and is the maximum finite?"""
    events, at_risk = days.events > 0, days.at_risk > 0
    steps = np.logical_or.reduceat(events[:, None] & at_risk, days.first, axis=-1)
    steps = np.moveaxis(steps, -1, 0)
    return _all_reached(steps | steps.swapaxes(1, 2)), _all_reached(steps)


@dataclass(frozen=True)
class CoxFit:
    """Log hazard ratios of all cohorts but the first, against the first; arrays (cohorts - 1,).

    `covariance` (cohorts - 1, cohorts - 1). `likelihood_ratio`, `wald` and `score` are chi-squares
    of one hypothesis, that all hazards are equal.
    """

    coefficients: Array
    standard_errors: Array
    likelihood_ratio: float
    degrees_of_freedom: int
    n_events: int
    covariance: Array
    wald: float
    score: float

    def _p(self, chi_square: float) -> float:
        return float(chdtrc(self.degrees_of_freedom, chi_square))

    @property
    def likelihood_ratio_p(self) -> float:
        """p of the likelihood-ratio test that all hazards are equal."""
        return self._p(self.likelihood_ratio)

    @property
    def wald_p(self) -> float:
        """p of Wald's test that all hazards are equal."""
        return self._p(self.wald)

    @property
    def score_p(self) -> float:
        """p of the score test that all hazards are equal (without ties: the log-rank test)."""
        return self._p(self.score)


def missing_cohort(strata: Strata) -> str | None:
    """The reason why there is nothing to compare: fewer than two cohorts, or one of nobody.

    Raises ValueError if the strata do not all hold the same cohorts.
    """
    if len({len(cohorts) for cohorts in strata}) != 1:
        raise ValueError("every stratum needs the same cohorts; one without patients is allowed")
    cohorts = list(zip(*strata, strict=True))
    if len(cohorts) < 2:
        return "only one cohort"
    return None if all(sum(c.n for c in cohort) for cohort in cohorts) else NO_PATIENTS


def _finite(strata: Strata) -> EventDays | str:
    """The risk sets if there is a finite estimate, else the reason why there is none."""
    if reason := missing_cohort(strata):
        return reason
    if not all(sum(c.n_events for c in cohort) for cohort in zip(*strata, strict=True)):
        return NO_EVENTS
    days = event_days(strata)
    linked, finite = comparable(days)
    if finite[0]:
        return days
    return MONOTONE if linked[0] else NEVER_TOGETHER


def cox_fit(*strata: tuple[DayCounts, ...]) -> CoxFit | str:
    """Fit all cohorts against the first in one model; the reason in words if there is no fit.

    In: the cohorts, once for every stratum and in the same order; a cohort may be empty in a
    stratum. Strata have baseline hazards of their own and the hazard ratios in common. No fit, with
    the reason: an empty cohort, a cohort without events, cohorts never at risk together, a monotone
    likelihood (separation). Raises ValueError if the strata differ in their number of cohorts.
    R: coxph.
    """
    days = _finite(strata)
    if isinstance(days, str):
        return days
    start = np.zeros((1, len(strata[0]) - 1))
    found = climb(lambda beta: log_likelihood(days, beta), start)
    if found is None:
        return NO_CONVERGENCE
    return _fit(found[0][0], found[1], log_likelihood(days, start), int(days.events.sum()))


def _fit(beta: Array, top: Height, start: Height, n_events: int) -> CoxFit:
    """The fit from the heights at its maximum and at equal hazards."""
    information, gradient = top.curvature[0], start.gradient[0]
    inverse = np.linalg.inv(information)
    return CoxFit(
        beta,
        np.sqrt(np.diag(inverse)),
        max(2 * float(top.value[0] - start.value[0]), 0.0),
        beta.size,
        n_events,
        inverse,
        float(beta @ information @ beta),
        float(gradient @ np.linalg.solve(start.curvature[0], gradient)),
    )


def wald_p(coefficient: float, standard_error: float) -> float:
    """Two-sided p of Wald's test of one coefficient."""
    return 2 * float(ndtr(-abs(coefficient / standard_error)))


def ratio_estimate(b: float, lower: float, upper: float, p: float, method: str) -> Estimate:
    """A hazard ratio from its logarithm and limits; without limits where they have no number."""
    if max(-lower, upper) > LARGEST_LOG:
        return Estimate(exp(b), p_value=p, method=method, reason=NO_LIMITS)
    return Estimate(exp(b), exp(lower), exp(upper), p, method)


def hazard_ratios(*strata: tuple[DayCounts, ...]) -> tuple[Estimate, ...]:
    """Hazard ratio of each cohort but the first against the first, Wald interval and p.

    In and reasons as in `cox_fit`; with several strata: the common ratio, stratified.
    """
    fit, method = cox_fit(*strata), METHOD if len(strata) == 1 else f"{METHOD}, stratified"
    if isinstance(fit, str):
        return tuple(not_estimable(fit, method) for _ in strata[0][1:])
    pairs = zip(fit.coefficients.tolist(), fit.standard_errors.tolist(), strict=True)
    return tuple(
        ratio_estimate(b, b - Z * se, b + Z * se, wald_p(b, se), method) for b, se in pairs
    )
