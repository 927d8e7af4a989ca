"""Cox regression on cohort membership, from day counts, Efron's treatment of ties.

The only covariates are the cohorts (one dummy each against the reference), so on an event day with
n_g at risk and d_g events in cohort g all sums over patients are sums over cohorts:

    log L = sum_days [ sum_g d_g b_g - sum_{l=0}^{d-1} log sum_g (n_g - (l/d) d_g) exp(b_g) ]

which is the partial likelihood of the raw rows (Efron, JASA 1977;72:557), with gradient and
information by differentiation. Newton's method with step halving; R: coxph(Surv ~ cohort).
"""

from dataclasses import dataclass
from math import exp

import numpy as np
from scipy.special import chdtrc, ndtr

from analysis.stats.counts import Array, DayCounts, risk_sets
from analysis.stats.estimate import Estimate, Z, not_estimable

METHOD = "Cox model, Efron ties, Wald interval"
MAX_STEPS = 50
CONVERGED = 1e-12


@dataclass(frozen=True)
class CoxFit:
    """Log hazard ratios of all cohorts but the first, against the first; arrays (cohorts - 1,)."""

    coefficients: Array
    standard_errors: Array
    likelihood_ratio: float
    degrees_of_freedom: int
    n_events: int

    @property
    def likelihood_ratio_p(self) -> float:
        """p of the likelihood-ratio test that all hazards are equal."""
        return float(chdtrc(self.degrees_of_freedom, self.likelihood_ratio))


@dataclass(frozen=True)
class _Terms:
    """One row per event within each day (Efron's l): at-risk less the tied share, (D, cohorts)."""

    at_risk: Array
    events: Array


def _terms(cohorts: tuple[DayCounts, ...]) -> _Terms:
    sets = risk_sets(cohorts)
    d = sets.events.sum(axis=1).astype(int)
    row = np.repeat(np.arange(d.size), d)
    order = np.arange(d.sum()) - np.repeat(np.cumsum(d) - d, d)
    share = (order / d[row])[:, None]
    return _Terms(sets.at_risk[row] - share * sets.events[row], sets.events.sum(axis=0))


def _derivatives(terms: _Terms, beta: Array) -> tuple[float, Array, Array]:
    """Log likelihood, gradient and information at beta (cohorts - 1,)."""
    full = np.concatenate(([0.0], beta))
    weight = terms.at_risk * np.exp(full)
    total = weight.sum(axis=1)
    share = weight / total[:, None]
    log_likelihood = float(terms.events @ full - np.log(total).sum())
    gradient = terms.events - share.sum(axis=0)
    information = np.diag(share.sum(axis=0)) - share.T @ share
    return log_likelihood, gradient[1:], information[1:, 1:]


def cox_fit(cohorts: tuple[DayCounts, ...]) -> CoxFit | str:
    """Fit all cohorts against the first in one model; the reason in words if there is no fit."""
    if any(c.n == 0 for c in cohorts):
        return "a cohort without patients"
    if any(c.n_events == 0 for c in cohorts):
        return "a cohort without events: the hazard ratio has no finite estimate"
    terms = _terms(cohorts)
    beta = np.zeros(len(cohorts) - 1)
    start, gradient, information = _derivatives(terms, beta)
    value = start
    for _ in range(MAX_STEPS):
        if np.linalg.matrix_rank(information) < beta.size:
            return "the cohorts are never at risk together at an event"
        step = np.linalg.solve(information, gradient)
        previous = value
        value, gradient, information = _derivatives(terms, beta + step)
        while value < previous - 1e-9 and np.abs(step).max() > 1e-10:
            step = step / 2
            value, gradient, information = _derivatives(terms, beta + step)
        beta = beta + step
        if np.abs(beta).max() > 15:
            return "monotone likelihood: the hazard ratio has no finite estimate"
        if np.abs(step).max() < CONVERGED**0.5 and abs(value - previous) <= CONVERGED * (
            1 + abs(value)
        ):
            errors = np.sqrt(np.diag(np.linalg.inv(information)))
            ratio = 2 * (value - start)
            return CoxFit(beta, errors, ratio, beta.size, int(terms.events.sum()))
    return "the fit did not converge"


def hazard_ratios(cohorts: tuple[DayCounts, ...]) -> tuple[Estimate, ...]:
    """Hazard ratio of each cohort but the first against the first, Wald interval and p."""
    fit = cox_fit(cohorts)
    if isinstance(fit, str):
        return tuple(not_estimable(fit, METHOD) for _ in cohorts[1:])
    found = []
    for b, se in zip(fit.coefficients.tolist(), fit.standard_errors.tolist(), strict=True):
        p = 2 * float(ndtr(-abs(b / se)))
        found.append(Estimate(exp(b), exp(b - Z * se), exp(b + Z * se), p, METHOD))
    return tuple(found)
