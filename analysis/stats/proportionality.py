"""Does the hazard ratio stay the same over time? The score test of proportional hazards.

Cox's model of the cohorts is widened by cohort x g(t), g a given transform of time, and the test
asks whether these new coefficients are 0: the score test at the fit without them. With u(t) the
observed less expected events of the cohorts on a day and V(t) their information (both Efron's, from
`cox.py`) the scores are sum g u, and their variance is

    sum g^2 V - (sum g V) (sum V)^-1 (sum g V).

For one cohort: its own new coefficient only, the fitted ones of all cohorts taken into account.
Overall: all together, k - 1 degrees of freedom. g is 1 - S(t-) with S the Kaplan-Meier curve of all
patients together ("km", which spreads the events evenly), the day ("identity"), or the mean rank of
the day among all patients' ("rank"); with strata one g for all.

The test never chooses the estimator: it only says that one number is too little for two curves that
converge or cross. Events at the origin (day 0) are a proportion, not a hazard; their ties take the
test's power away, so that the default looks at the time after it and counts what it left out.

Sources: Grambsch & Therneau, Biometrika 1994;81:515; Therneau, survival 3.0 (the exact score test
in place of their approximation). Oracle: R survival 3.5, cox.zph(fit, transform, terms = FALSE).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import chdtrc

from analysis.stats.counts import Array, DayCounts, risk_sets
from analysis.stats.cox import EventDays, covariance, cox_fit, event_days, moments

Transform = Literal["km", "identity", "rank"]
LEAST_EVENTS = 30
TOO_FEW = "too few to judge proportionality"
TOO_FEW_DAYS = "no change over time can be seen: too few days with events"
# A variance below this share of what it was before the fitted coefficients took theirs is 0.
NO_VARIANCE = 1e-10


@dataclass(frozen=True)
class ScoreTest:
    """A chi-square with its degrees of freedom and p; or the reason why there is none."""

    chi_square: float | None
    degrees_of_freedom: int
    p_value: float | None
    reason: str | None = None


@dataclass(frozen=True)
class Proportionality:
    """The test of each cohort but the first (against the first), and of all together.

    `n_events` are those the test looks at; `n_events_at_origin` were left out. `reason`: why there
    is no test at all; each test then says the same.
    """

    by_cohort: tuple[ScoreTest, ...]
    overall: ScoreTest
    n_events: int
    n_events_at_origin: int
    method: str
    reason: str | None = None


def proportionality(
    *strata: tuple[DayCounts, ...],
    transform: Transform = "km",
    after_origin: bool = True,
    least_events: int = LEAST_EVENTS,
) -> Proportionality:
    """Test the hazard ratios of all cohorts against the first for change over time.

    In: the cohorts, once for every stratum, as in `cox.cox_fit`; `after_origin`: only time > 0.
    No test, with the reason: no Cox fit (its reason), or fewer than `least_events` events. A cohort
    that is compared on too few days has no test of its own. R: cox.zph(terms = FALSE).
    """
    before = sum(c.n_events for cohorts in strata for c in cohorts)
    if after_origin:
        strata = tuple(tuple(_after_origin(c) for c in cohorts) for cohorts in strata)
    n_events = sum(c.n_events for cohorts in strata for c in cohorts)
    counted = (n_events, before - n_events, _method(transform, after_origin))
    fit = cox_fit(*strata)
    reason = fit if isinstance(fit, str) else TOO_FEW if n_events < least_events else None
    if isinstance(fit, str) or reason:
        none = tuple(ScoreTest(None, 1, None, reason) for _ in strata[0][1:])
        return Proportionality(none, ScoreTest(None, len(none), None, reason), *counted, reason)
    days = event_days(strata)
    every = tuple(c for cohorts in strata for c in cohorts)
    return Proportionality(
        *_tests(days, fit.coefficients, _times(days, every, transform)), *counted
    )


def _method(transform: Transform, after_origin: bool) -> str:
    told = {"km": "1 - Kaplan-Meier", "identity": "days", "rank": "ranks of days"}[transform]
    when = ", time > 0 only" if after_origin else ""
    return f"score test of proportional hazards, time as {told}{when}"


def _after_origin(counts: DayCounts) -> DayCounts:
    """Those who are still followed after day 0; who entered late on day 0 is there from then on."""
    later = counts.day > 0
    entered = None if counts.entered is None else counts.entered[later]
    return DayCounts(counts.day[later], counts.events[later], counts.censored[later], entered)


def _times(days: EventDays, every: tuple[DayCounts, ...], transform: Transform) -> Array:
    """g on every event day, less its mean over the events: (R,)."""
    g = {"km": _km, "identity": _identity, "rank": _rank}[transform](days.day, every)
    d = days.events.sum(axis=0)
    return g - (d * g).sum() / d.sum()


def _km(day: Array, every: tuple[DayCounts, ...]) -> Array:
    """1 - S just before each day, S of all patients together."""
    sets = risk_sets(every)
    n, d = sets.at_risk.sum(axis=1), sets.events.sum(axis=1)
    before = np.concatenate(([1.0], np.cumprod((n - d) / n)))
    return 1 - before[np.searchsorted(sets.day, day)]


def _identity(day: Array, every: tuple[DayCounts, ...]) -> Array:
    return day


def _rank(day: Array, every: tuple[DayCounts, ...]) -> Array:
    """Mean rank of a day among the last days of all patients."""
    days = np.concatenate([c.day for c in every])
    last = np.concatenate([c.events + c.censored for c in every])
    order = np.argsort(days, kind="stable")
    below = np.concatenate(([0], np.cumsum(last[order])))
    first = below[np.searchsorted(days[order], day, side="left")]
    end = below[np.searchsorted(days[order], day, side="right")]
    return (first + end + 1) / 2


def _tests(days: EventDays, beta: Array, g: Array) -> tuple[tuple[ScoreTest, ...], ScoreTest]:
    """The test of each cohort and of all, from g on every event day (R,)."""
    sums = moments(days, beta[None])
    score = ((days.events - sums.shares) @ g)[1:]
    weights = np.stack((np.ones_like(g), g, g * g))
    plain, mixed, squared = covariance(np.tensordot(weights, sums.pairs, axes=(1, 2)))
    variance = squared - mixed @ np.linalg.solve(plain, mixed)
    own = np.diag(squared)
    each = tuple(_test(score[[j]], variance[np.ix_([j], [j])], own[[j]]) for j in range(score.size))
    return each, _test(score, variance, own)


def _test(score: Array, variance: Array, before: Array) -> ScoreTest:
    """From the scores, their variance, and its diagonal before the fitted coefficients' share."""
    scale = np.sqrt(np.where(before > 0, before, 1.0))
    if np.linalg.eigvalsh(variance / np.outer(scale, scale))[0] < NO_VARIANCE:
        return ScoreTest(None, score.size, None, TOO_FEW_DAYS)
    chi_square = float(score @ np.linalg.solve(variance, score))
    return ScoreTest(chi_square, score.size, float(chdtrc(score.size, chi_square)))
