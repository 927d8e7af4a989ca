"""Subdistribution hazard ratio of cohorts: the Fine-Gray model of one state, from state counts.

The model compares how fast the cumulative incidence itself grows: who had another state stays in
the risk set, with the weight G(t-) / G(s-) that says how likely they would still be uncensored at t
after leaving on day s. G is the Kaplan-Meier estimate of censoring, one for all cohorts (crr's
default). The covariates are cohorts only, so the weighted number at risk of cohort g is

    Y_g(t) = n_g(t) + G(t-) A_g(t),   A_g(t) = sum over s < t of (other events of g on s) / G(s-)

and with Breslow's treatment of ties the log pseudo-likelihood is

    sum over days of  sum_g d_g b_g - d log sum_g Y_g exp(b_g)        (b = 0 for the first cohort).

Conventions, those of crr: at equal times events come before censoring, so G(t-) knows the
censorings before t only, and who is censored on t is at risk on it. Day 0 is a day like any other
(crr itself takes the censorings on day 0 into G(0-); shift all times by a day to see it agree).

Variance (Fine & Gray, section 4): inverse information x sum of (eta + psi)^2 x inverse information
over patients. With z = weighted mean of the cohort dummies x and lambda = d / sum Y exp(b), eta is
x - z at the patient's event less exp(b) times the sum over days of (x - z) lambda while in the risk
set; psi carries the estimation of G: with n all at risk and q(u) the sum over the days t >= u of
the part of (x - z) exp(b) lambda that those with another state before u bring in,

    psi = [q(u) / n(u) if censored on u] - sum over u up to the last day of q(u) c(u) / n(u)^2.

All of a cohort who leave on one day in one way share their eta + psi. Sources: Fine & Gray, JASA
1999;94:496; Geskus, Biometrics 2011;67:39. Oracle: R cmprsk 2.2-11, crr(gtol = 1e-12).
"""

from dataclasses import dataclass
from math import exp

import numpy as np
from scipy.special import ndtr

from analysis.stats.competing import CauseSets, StateCounts, cause_sets
from analysis.stats.counts import Array
from analysis.stats.cox import EventDays, comparable
from analysis.stats.estimate import Estimate, Z, not_estimable

METHOD = "Fine-Gray model, robust Wald interval"
MAX_STEPS = 50
CONVERGED = 1e-10
LONGEST_STEP = 5.0
MONOTONE = "monotone likelihood: the subdistribution hazard ratio has no finite estimate"
NEVER_TOGETHER = "the cohorts are never at risk together at an event"


@dataclass(frozen=True)
class FineGrayFit:
    """Log subdistribution hazard ratios of all cohorts but the first, against the first.

    `coefficients` (cohorts - 1,) and their robust `covariance`; `n_events` of the state.
    """

    coefficients: Array
    covariance: Array
    n_events: int

    @property
    def standard_errors(self) -> Array:
        """Robust standard errors: (cohorts - 1,)."""
        return np.sqrt(np.diag(self.covariance))


@dataclass(frozen=True)
class _RiskSets:
    """Days of all cohorts: `sets`, G just before (K,), A and Y (K, cohorts)."""

    sets: CauseSets
    uncensored: Array
    other_before: Array
    at_risk: Array


def _before(sums: Array) -> Array:
    """A running sum just before each day."""
    return np.concatenate((np.zeros((1, *sums.shape[1:])), sums[:-1]))


def _after(sums: Array) -> Array:
    """Of the steps on each day, the sum over that day and all later ones."""
    return np.cumsum(sums[::-1], axis=0)[::-1]


def _risk_sets(cohorts: tuple[StateCounts, ...], state: int) -> _RiskSets:
    sets = cause_sets(cohorts, state)
    censoring = 1 - sets.censored.sum(axis=1) / sets.at_risk.sum(axis=1)
    uncensored = np.concatenate(([1.0], np.cumprod(censoring)[:-1]))
    other_before = _before(np.cumsum(sets.other / uncensored[:, None], axis=0))
    at_risk = sets.at_risk + uncensored[:, None] * other_before
    return _RiskSets(sets, uncensored, other_before, at_risk)


@dataclass(frozen=True)
class _Day:
    """At a coefficient, by day: `mean` of the dummies z (K, cohorts), `hazard` lambda (K,)."""

    log_likelihood: float
    mean: Array
    hazard: Array


def _at(risk: _RiskSets, beta: Array) -> _Day:
    """The pseudo-likelihood and what its derivatives are made of; beta (cohorts,), first 0."""
    own = risk.sets.own
    weight = risk.at_risk * np.exp(beta)
    total, d = weight.sum(axis=1), own.sum(axis=1)
    value = float(own.sum(axis=0) @ beta - d @ np.log(total))
    return _Day(value, weight / total[:, None], d / total)


def _derivatives(risk: _RiskSets, mean: Array) -> tuple[Array, Array]:
    """Score and information of all cohorts but the first."""
    own = risk.sets.own
    d = own.sum(axis=1)
    information = np.diag(d @ mean) - np.einsum("t,ti,tj->ij", d, mean, mean)
    return (own.sum(axis=0) - d @ mean)[1:], information[1:, 1:]


def _no_maximum(risk: _RiskSets) -> str | None:
    """Why there is no finite maximum: Ford's exact condition, as for Cox's likelihood."""
    rows = risk.sets.own.any(axis=1)
    own, at_risk = risk.sets.own[rows].T, risk.at_risk[rows].T
    days = EventDays(risk.sets.day[rows], own, at_risk, np.zeros(1, int))
    (linked,), (finite,) = comparable(days)
    return None if finite else MONOTONE if linked else NEVER_TOGETHER


def _maximum(risk: _RiskSets) -> Array | str:
    """The coefficients (cohorts,), the first 0, by Newton's method with step halving."""
    if reason := _no_maximum(risk):
        return reason
    beta = np.zeros(risk.sets.own.shape[1])
    now = _at(risk, beta)
    for _ in range(MAX_STEPS):
        score, information = _derivatives(risk, now.mean)
        if np.linalg.matrix_rank(information) < score.size:
            return NEVER_TOGETHER
        step = np.concatenate(([0.0], np.linalg.solve(information, score)))
        # A first step can be longer than any hazard ratio: exp must not overflow on the way.
        step = step * min(1.0, LONGEST_STEP / max(np.abs(step).max(), LONGEST_STEP))
        now, previous = _at(risk, beta + step), now.log_likelihood
        while now.log_likelihood < previous - CONVERGED and np.abs(step).max() > CONVERGED:
            step = step / 2
            now = _at(risk, beta + step)
        beta = beta + step
        if np.abs(step).max() < CONVERGED:
            return beta
    return "the fit did not converge"


@dataclass(frozen=True)
class _Influence:
    """Of a patient by cohort, last day and way of leaving: three arrays (K, cohorts, beta)."""

    own: Array
    other: Array
    censored: Array


def _influence(risk: _RiskSets, beta: Array) -> _Influence:
    """eta + psi of the module's docstring; the patients' sum is 0."""
    at, weight = _at(risk, beta), np.exp(beta)[None, :, None]
    apart = np.eye(beta.size)[None, :, 1:] - at.mean[:, None, 1:]  # x - z: (K, cohorts, beta)
    steps = apart * at.hazard[:, None, None]
    free = risk.uncensored[:, None, None]
    while_seen = -weight * np.cumsum(steps, axis=0)
    later = _after(steps * free)  # what those with another state still meet, this day included
    afterwards = -weight * np.concatenate((later[1:], np.zeros_like(later[:1]))) / free
    by_censoring, so_far = _censoring(risk, weight, later)
    base = while_seen + so_far[:, None, :]
    return _Influence(base + apart, base + afterwards, base + by_censoring[:, None, :])


def _censoring(risk: _RiskSets, weight: Array, later: Array) -> tuple[Array, Array]:
    """psi: the part of who is censored on a day, and the running part of everybody: (K, beta)."""
    n = risk.sets.at_risk.sum(axis=1)[:, None]
    q = (risk.other_before[:, :, None] * weight * later).sum(axis=1)
    lost = risk.sets.censored.sum(axis=1)[:, None]
    return q / n, -np.cumsum(q * lost / n**2, axis=0)


def _covariance(risk: _RiskSets, beta: Array) -> Array:
    _, information = _derivatives(risk, _at(risk, beta).mean)
    found, sets = _influence(risk, beta), risk.sets
    ways = (sets.own, found.own), (sets.other, found.other), (sets.censored, found.censored)
    meat = sum(np.einsum("tg,tgi,tgj->ij", n, x, x) for n, x in ways)
    bread = np.linalg.inv(information)
    return bread @ meat @ bread


def fine_gray_fit(cohorts: tuple[StateCounts, ...], state: int) -> FineGrayFit | str:
    """Fit all cohorts against the first in one model; the reason in words if there is no fit.

    R: crr(time, state, dummies, failcode = state).
    """
    counts = [c.cause_specific(state) for c in cohorts]
    if any(c.n == 0 for c in counts):
        return "a cohort without patients"
    if any(c.entered is not None for c in counts):
        return "the weights for censoring do not take late entries"
    if any(c.n_events == 0 for c in counts):
        return "a cohort without events: the subdistribution hazard ratio has no finite estimate"
    risk = _risk_sets(cohorts, state)
    beta = _maximum(risk)
    if isinstance(beta, str):
        return beta
    return FineGrayFit(beta[1:], _covariance(risk, beta), sum(c.n_events for c in counts))


def subdistribution_hazard_ratios(
    cohorts: tuple[StateCounts, ...], state: int
) -> tuple[Estimate, ...]:
    """Subdistribution hazard ratio of each cohort but the first against the first.

    Above 1: more of the event by every time. It is no rate among those still at risk (that is the
    cause-specific hazard ratio). Wald interval and p with the robust standard error.
    """
    fit = fine_gray_fit(cohorts, state)
    if isinstance(fit, str):
        return tuple(not_estimable(fit, METHOD) for _ in cohorts[1:])
    pairs = zip(fit.coefficients.tolist(), fit.standard_errors.tolist(), strict=True)
    return tuple(_ratio(b, se) for b, se in pairs)


def _ratio(b: float, se: float) -> Estimate:
    if se < CONVERGED:
        return Estimate(exp(b), method=METHOD, reason="no variance: all have the event at once")
    p = 2 * float(ndtr(-abs(b / se)))
    return Estimate(exp(b), exp(b - Z * se), exp(b + Z * se), p, METHOD)
