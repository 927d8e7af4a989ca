"""Cox regression where a cohort has no event: Firth's penalized likelihood, from day counts.

Without an event in a cohort the partial likelihood has no finite maximum. Firth's penalty adds half
the log determinant of the information,

    log L*(b) = log L(b) + 1/2 log |I(b)|,

which is Jeffreys' prior: it takes the first-order bias away and always has a finite maximum as long
as the cohorts are at risk together at events. (It is climbed from equal hazards; with one or two
events in strata of very uneven cohorts there may be a second, higher maximum.) log L and I are
those of `cox.py` (Efron's ties, any number of strata). The penalty's gradient, 1/2 tr(I^-1 dI/db),
needs the third cumulants of cohort membership, its second derivatives the fourth ones: all sums of
products of the shares p_g.

Interval and p: profile penalized likelihood. A limit is where the maximum over the other cohorts'
coefficients has fallen by half the 95 % point of chi-square(1); the p of a cohort compares with its
coefficient at 0. In both the penalty stays that of the whole model, as in the R packages coxphf and
logistf. Wald's interval from I^-1 comes second: the likelihood is lopsided just where Firth's is
needed, and Wald's interval is not.

Sources: Firth, Biometrika 1993;80:27; Heinze & Schemper, Biometrics 2001;57:114. Oracle: the same
penalized likelihood from R's own coxph (survival 3.5: loglik and var at a given coefficient),
maximized and profiled by optimize, optim and uniroot; coxphf itself has Breslow's ties.
"""

from dataclasses import dataclass
from math import exp, isnan, nan

import numpy as np
from scipy.special import chdtrc

from analysis.stats.counts import Array, DayCounts
from analysis.stats.cox import (
    NEVER_TOGETHER,
    NO_CONVERGENCE,
    EventDays,
    Height,
    climb,
    comparable,
    covariance,
    event_days,
    missing_cohort,
    moments,
    ratio_estimate,
    wald_p,
)
from analysis.stats.estimate import Estimate, Z, not_estimable

METHOD = "Cox model, Efron ties, Firth-penalized, profile penalized-likelihood interval and p"
NO_EVENTS = "no events in any cohort"
# A last step of Newton's method this long leaves an error of its square.
NEAR = 1e-6
FAR = 1e3  # from the maximum, on the log scale: no limit is there
MAX_TRIES = 100


def _third_cumulants(pairs: Array, triples: Array) -> Array:
    """Of cohort membership, from the sums of products of the shares: (S, k, k, k).

    Over one of its indices they add to 0, which gives those of one cohort thrice without
    cancellation.
    """
    same, k = np.eye(pairs.shape[-1]), np.arange(pairs.shape[-1])
    cumulants = 2 * triples
    for equal, beside in (("gh", "gr"), ("gr", "gh"), ("hr", "gh")):
        cumulants = cumulants - np.einsum(f"{equal},s{beside}->sghr", same, pairs)
    cumulants[:, k, k, k] = 0.0
    cumulants[:, k, k, k] = -np.einsum("sggr->sg", cumulants)
    return cumulants


def _fourth_contracted(inverse: Array, slope: Array, products: list[Array]) -> Array:
    """The fourth cumulants with two of their indices summed over I^-1: (S, k, k).

    `slope` (S, k): the third ones, so summed. It is their derivative, I^-1 held: each factor p_g
    gives p_g (1[g = t] - p_t).
    """
    _, pairs, triples, quads = products
    own = np.einsum("sgg->sg", inverse)
    half = 4 * np.einsum("srh,srht->srt", inverse, triples)
    half -= own[:, :, None] * pairs + inverse * pairs
    whole = 2 * np.einsum("sg,sgrt->srt", own, triples)
    whole -= 6 * np.einsum("sgh,sghrt->srt", inverse, quads)
    return half + half.swapaxes(1, 2) + whole + slope[:, :, None] * np.eye(slope.shape[1])


def _penalty(information: Array, products: list[Array]) -> Height:
    """Half the log determinant of the information, its gradient and negative second derivatives."""
    inverse = np.pad(np.linalg.inv(information), ((0, 0), (1, 0), (1, 0)))  # (S, k, k)
    third = _third_cumulants(products[1], products[2])
    slope = np.einsum("sgh,sghr->sr", inverse, third)
    turned = np.einsum("sgh,shir->sgir", inverse, third)
    bend = _fourth_contracted(inverse, slope, products)
    bend -= np.einsum("sgir,sigt->srt", turned, turned)
    value = np.linalg.slogdet(information)[1]
    return Height(value / 2, slope[:, 1:] / 2, -bend[:, 1:, 1:] / 2)


def penalized_likelihood(days: EventDays, beta: Array) -> Height:
    """The penalized partial likelihood of each fit at `beta` (S, cohorts - 1), up to a constant.

    Where its second derivative is not that of a maximum, the curvature is the information as if
    there were half an event more in each of the k cohorts: 1 + k / (2 events) times, which is what
    the penalty adds where the risk sets are alike.
    """
    sums = moments(days, beta, 4)
    products, events = [days.sums(x) for x in sums.products], days.sums(days.events)
    information = covariance(products[1])
    penalty = _penalty(information, products)
    value = (events[:, 1:] * beta).sum(axis=1) - days.sums(sums.log_total) + penalty.value
    gradient = (events - products[0])[:, 1:] + penalty.gradient
    exact = information + penalty.curvature
    alike = information * (1 + events.shape[1] / (2 * events.sum(axis=1)))[:, None, None]
    is_maximum = np.linalg.eigvalsh(exact)[:, :1, None] > 0
    return Height(value, gradient, np.where(is_maximum, exact, alike))


@dataclass(frozen=True)
class FirthFit:
    """Penalized log hazard ratios of all cohorts but the first; arrays (cohorts - 1,).

    `lower`, `upper`, `p_values`: by profile penalized likelihood, on the log scale; NaN where the
    profile did not converge. `standard_errors`: from the information at the maximum, for Wald's
    interval. `likelihood_ratio`: the penalized one, of all hazards being equal.
    """

    coefficients: Array
    standard_errors: Array
    lower: Array
    upper: Array
    p_values: Array
    likelihood_ratio: float
    degrees_of_freedom: int
    n_events: int

    @property
    def likelihood_ratio_p(self) -> float:
        """p of the penalized likelihood-ratio test that all hazards are equal."""
        return float(chdtrc(self.degrees_of_freedom, self.likelihood_ratio))

    @property
    def wald_p_values(self) -> Array:
        """p of Wald's test of each coefficient."""
        pairs = zip(self.coefficients.tolist(), self.standard_errors.tolist(), strict=True)
        return np.array([wald_p(b, se) for b, se in pairs])


@dataclass(frozen=True)
class _Point:
    """A point of the profile of one coefficient: all of them, `beta` (p,).

    `depth` below the top, with its `slope`; `path` (p,): how all move with the profiled one.
    """

    beta: Array
    depth: float
    slope: float
    path: Array


@dataclass(frozen=True)
class _Profile:
    """The profile of coefficient `j` of one fit below its maximum at `beta` (p,), `height` high."""

    days: EventDays
    j: int
    beta: Array
    height: float

    @property
    def _free(self) -> Array:
        return np.flatnonzero(np.arange(self.beta.size) != self.j)

    def _full(self, others: Array, b: float) -> Array:
        return np.insert(others, self.j, b, axis=-1)

    def _restricted(self, others: Array, b: float) -> Height:
        """The penalized likelihood as a function of the other coefficients only."""
        here, free = penalized_likelihood(self.days, self._full(others, b)), self._free
        return Height(here.value, here.gradient[:, free], here.curvature[:, free][:, :, free])

    def top(self) -> _Point:
        """The maximum as a point of the profile."""
        return self._point(self.beta[None])

    def at(self, b: float, near: _Point) -> _Point | None:
        """The point at which coefficient j is b; `near`: another. None without convergence."""
        start = near.beta + near.path * (b - near.beta[self.j])
        if self.beta.size == 1:
            return self._point(start[None])
        found = climb(lambda x: self._restricted(x, b), start[None, self._free], NEAR)
        return None if found is None else self._point(self._full(found[0], b))

    def _point(self, beta: Array) -> _Point:
        here, free = penalized_likelihood(self.days, beta), self._free
        curvature = here.curvature[0]
        others = -np.linalg.solve(curvature[np.ix_(free, free)], curvature[free, self.j])
        depth = self.height - float(here.value[0])
        return _Point(beta[0], depth, float(here.gradient[0, self.j]), self._full(others, 1.0))

    def limit(self, step: float) -> float:
        """Where the depth is Z^2/2, from the top in the direction of `step`.

        From a point beyond, Newton's method; a step that leaves the bracket becomes its middle. NaN
        if there is no such point, or the profile did not converge.
        """
        found = self._beyond(step)
        inside, outside = self.beta[self.j], np.inf * step
        for _ in range(MAX_TRIES):
            if found is None or not found.slope:
                return nan
            at, missing = float(found.beta[self.j]), Z * Z / 2 - found.depth
            inside, outside = (at, outside) if missing > 0 else (inside, at)
            to = at - missing / found.slope
            if not min(inside, outside) <= to <= max(inside, outside):
                to = float(inside + outside) / 2
            if abs(to - at) < NEAR:
                return to
            found = self.at(to, found)
        return nan

    def _beyond(self, step: float) -> _Point | None:
        """A point at or below the limits' depth."""
        found: _Point | None = self.top()
        while found is not None and found.depth < Z * Z / 2:
            found = self.at(float(found.beta[self.j]) + step, found) if abs(step) < FAR else None
            step *= 2
        return found

    def p_value(self) -> float:
        """p of the coefficient being 0; NaN if the profile did not converge there."""
        found = self.at(0.0, self.top())
        return nan if found is None else float(chdtrc(1, max(2 * found.depth, 0.0)))


def firth_fit(*strata: tuple[DayCounts, ...]) -> FirthFit | str:
    """Fit all cohorts against the first; the reason in words if there is no fit.

    In: as `cox.cox_fit`. Cohorts without events are allowed; no fit without any event, with an
    empty cohort, or with cohorts never at risk together at an event. Where all cohorts have many
    events the result is close to `cox_fit`'s. Raises ValueError if the strata differ in their
    number of cohorts.
    """
    if reason := missing_cohort(strata):
        return reason
    if not any(c.n_events for cohorts in strata for c in cohorts):
        return NO_EVENTS
    days = event_days(strata)
    if not comparable(days)[0][0]:
        return NEVER_TOGETHER
    start = np.zeros((1, len(strata[0]) - 1))
    found = climb(lambda beta: penalized_likelihood(days, beta), start)
    if found is None:
        return NO_CONVERGENCE
    beta, height = found[0], float(found[1].value[0])
    inverse = np.linalg.inv(covariance(days.sums(moments(days, beta).pairs)))[0]
    errors = np.sqrt(np.diag(inverse))
    profiles = [_Profile(days, j, beta[0], height) for j in range(errors.size)]
    above_equal = height - float(penalized_likelihood(days, start).value[0])
    return FirthFit(
        beta[0],
        errors,
        np.array([p.limit(-Z * se) for p, se in zip(profiles, errors.tolist(), strict=True)]),
        np.array([p.limit(Z * se) for p, se in zip(profiles, errors.tolist(), strict=True)]),
        np.array([p.p_value() for p in profiles]),
        max(2 * above_equal, 0.0),
        errors.size,
        int(days.events.sum()),
    )


def firth_hazard_ratios(*strata: tuple[DayCounts, ...]) -> tuple[Estimate, ...]:
    """Penalized hazard ratio of each cohort but the first, profile interval and p.

    In and reasons as in `firth_fit`; with several strata: the common ratio, stratified.
    """
    fit, method = firth_fit(*strata), METHOD if len(strata) == 1 else f"{METHOD}, stratified"
    if isinstance(fit, str):
        return tuple(not_estimable(fit, method) for _ in strata[0][1:])
    rows = np.column_stack((fit.coefficients, fit.lower, fit.upper, fit.p_values)).tolist()
    return tuple(_estimate(b, lower, upper, p, method) for b, lower, upper, p in rows)


def _estimate(b: float, lower: float, upper: float, p: float, method: str) -> Estimate:
    if isnan(lower + upper + p):
        return Estimate(exp(b), method=method, reason="the profile likelihood did not converge")
    return ratio_estimate(b, lower, upper, p, method)
