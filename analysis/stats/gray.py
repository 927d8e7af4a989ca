"""Is the cumulative incidence of one state the same in all cohorts? Gray's k-sample test, rho = 0.

Under the hypothesis all cohorts share one subdistribution F. On a day cohort g has n_g at risk, its
event-free Kaplan-Meier just before is S_g and its incidence F_g; h_g = n_g / S_g stands for those
whom censoring has spared, and r_g = h_g (1 - F_g) for its share in the subdistribution's risk set.
Of d events of the state on the day d r_g / sum r are expected in cohort g, and dF = d / sum h is
the pooled step. The scores are observed less expected, summed over days (and over strata).

Variance, Gray's own: with a_ig = h_i (1[i = g] - h_g / sum h) and its running sum
c_ig = sum a_ig dF / (1 - F-) the score i moves with what happens in cohort g

    by  a_ig + (1 - (1 - F) / S_g) [c_ig(end) - c_ig]   at an event of the state,
    by         (1 - F) / S_g       [c_ig(end) - c_ig]   at an event of another state,

(S_g and F here after the day's events), and the squares are summed over days and cohorts with
weights S_g- d / (n_g sum h) and S_g-^2 d_g / n_g^2, each less its share for ties: 1 - (d - 1) /
(S_g- sum h - 1) and 1 - (d_g - 1) / (n_g - 1). A cohort counts on the days on which it is at risk;
where only one is, nothing is compared.

Conventions: at risk on a day is who leaves on it or later; an event on day 0 counts. Sources: Gray,
Ann Stat 1988;16:1141. Oracle: R cmprsk 2.2-11, cuminc(time, state, group, strata, rho = 0).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from analysis.stats.competing import CauseSets, StateCounts, cause_sets
from analysis.stats.counts import Array

ROUNDING = 1e-10  # a pooled 1 - F, or a variance per event, below this is 0


@dataclass(frozen=True)
class GrayTest:
    """Gray's test: chi-square, degrees of freedom, p; or the reason why there is none.

    `observed` events of the state by cohort, and `expected` under one common incidence (empty if
    there is no test).
    """

    chi_square: float | None
    degrees_of_freedom: int
    p_value: float | None
    observed: tuple[int, ...]
    expected: tuple[float, ...]
    reason: str | None = None


@dataclass(frozen=True)
class _Score:
    """Of one stratum: `excess` (G,) and its `variance` (G, G); which cohorts were `compared`."""

    excess: Array
    variance: Array
    compared: Array


@dataclass(frozen=True)
class _Days:
    """The days on which two cohorts or more are at risk: arrays (K, G), the pooled ones (K,)."""

    sets: CauseSets
    before: Array
    after: Array
    share: Array  # h
    free: Array  # 1 - F_g just before
    pooled_before: Array
    pooled_after: Array

    @property
    def total(self) -> Array:
        """The sum of h over the cohorts: (K,)."""
        return self.share.sum(axis=1)


def _before(after: Array, start: float) -> Array:
    """A running product or sum just before each day."""
    return np.concatenate((np.full((1, *after.shape[1:]), start), after[:-1]))


def _days(sets: CauseSets) -> _Days:
    n = sets.at_risk
    leaving = np.divide(sets.own + sets.other, n, out=np.zeros_like(n), where=n > 0)
    after = np.cumprod(1 - leaving, axis=0)
    before = _before(after, 1.0)
    step = np.divide(before * sets.own, n, out=np.zeros_like(n), where=n > 0)
    free = 1 - _before(np.cumsum(step, axis=0), 0.0)
    together = (n > 0).sum(axis=1) > 1
    sets, before, after, free = sets.on(together), *(x[together] for x in (before, after, free))
    share = np.divide(sets.at_risk, before, out=np.zeros_like(before), where=sets.at_risk > 0)
    pooled = np.cumsum(sets.own.sum(axis=1) / share.sum(axis=1))
    return _Days(sets, before, after, share, free, _before(pooled, 0.0), pooled)


def _excess(days: _Days) -> Array:
    own, risk = days.sets.own, days.share * days.free
    expected = own.sum(axis=1) / risk.sum(axis=1)
    return (own - expected[:, None] * risk).sum(axis=0)


def _movement(days: _Days) -> tuple[Array, Array]:
    """a, and c at the end less c on each day: both (K, G, G)."""
    h, total = days.share, days.total
    a = h[:, :, None] * (np.eye(h.shape[1]) - (h / total[:, None])[:, None, :])
    step = days.sets.own.sum(axis=1) / total
    hazard = np.divide(step, 1 - days.pooled_before, out=np.zeros_like(step), where=step > 0)
    c = np.cumsum(a * hazard[:, None, None], axis=0)
    return a, c[-1:] - c


def _own_weight(days: _Days) -> Array:
    """Weight of an event of the state by cohort, less the share of ties: (K, G)."""
    n, d, total = days.sets.at_risk, days.sets.own.sum(axis=1)[:, None], days.total[:, None]
    others = total * days.before - 1
    ties = 1 - np.divide(d - 1, others, out=np.zeros_like(others), where=d > 1)
    weight = ties * days.before * d / total
    return np.divide(weight, n, out=np.zeros_like(weight), where=n > 0)


def _other_weight(days: _Days) -> Array:
    """Weight of the events of other states, less the share of ties: (K, G)."""
    n, d = days.sets.at_risk, days.sets.other
    ties = 1 - np.divide(d - 1, n - 1, out=np.zeros_like(n), where=d > 1)
    squared = np.divide(days.before, n, out=np.zeros_like(n), where=n > 0) ** 2
    return ties * squared * d


def _variance(days: _Days) -> Array:
    a, to_come = _movement(days)
    left, after = (1 - days.pooled_after)[:, None], days.after
    ratio = np.divide(left, after, out=np.zeros_like(after), where=after > 0)
    own = a + (1 - ratio)[:, None, :] * to_come
    other = ratio[:, None, :] * to_come
    return np.einsum("tik,tjk,tk->ij", own, own, _own_weight(days)) + np.einsum(
        "tik,tjk,tk->ij", other, other, _other_weight(days)
    )


def _score(cohorts: tuple[StateCounts, ...], state: int) -> _Score | str:
    """One stratum's score; or the reason why Gray's variance does not exist."""
    days, size = _days(cause_sets(cohorts, state)), len(cohorts)
    is_event = days.sets.own.sum(axis=1) > 0
    if not is_event.any():
        return _Score(np.zeros(size), np.zeros((size, size)), np.zeros(size, dtype=bool))
    if (1 - days.pooled_before[is_event]).min() < ROUNDING:
        return "the pooled incidence reaches 1 before the last event"
    compared = np.asarray(np.any(days.share[is_event] > 0, axis=0))
    return _Score(_excess(days), _variance(days), compared)


def gray_test(cohorts: tuple[StateCounts, ...], state: int) -> GrayTest:
    """The k-sample test of one state. R: cuminc(time, state, group)$Tests.

    A cohort that is never at risk together with another at an event of the state costs no degree of
    freedom. No events, only one cohort at risk, late entries, or a pooled incidence that passes 1
    (possible when cohorts run out early): no test, and the reason.
    """
    return stratified_gray_test((cohorts,), state)


def stratified_gray_test(strata: tuple[tuple[StateCounts, ...], ...], state: int) -> GrayTest:
    """The test with scores and variances summed over strata, each holding all cohorts in one order.

    A cohort may be empty in a stratum. R: cuminc(time, state, group, strata)$Tests.
    """
    columns = [[c.cause_specific(state).n_events for c in cohorts] for cohorts in strata]
    observed = np.sum(columns, axis=0)
    told = tuple(int(x) for x in observed)
    if any(c.entered is not None for cohorts in strata for c in cohorts):
        return _no_test("the test does not take late entries", told)
    if not observed.sum():
        return _no_test("no events", told)
    scores = []
    for cohorts in strata:
        found = _score(cohorts, state)
        if isinstance(found, str):
            return _no_test(found, told)
        scores.append(found)
    return _test(_sum(scores), observed)


def _sum(scores: list[_Score]) -> _Score:
    return _Score(
        np.sum([s.excess for s in scores], axis=0),
        np.sum([s.variance for s in scores], axis=0),
        np.asarray(np.any([s.compared for s in scores], axis=0)),
    )


def _no_test(reason: str, observed: tuple[int, ...]) -> GrayTest:
    return GrayTest(None, 0, None, observed, (), reason)


def _test(score: _Score, observed: Array) -> GrayTest:
    compared = np.flatnonzero(score.compared)
    told = tuple(int(x) for x in observed), tuple(float(x) for x in observed - score.excess)
    degrees, kept = len(compared) - 1, compared[:-1]
    if degrees < 1:
        return _no_test("only one cohort was at risk at an event", told[0])
    variance, excess = score.variance[np.ix_(kept, kept)], score.excess[kept]
    if np.linalg.matrix_rank(variance, tol=ROUNDING * observed.sum()) < degrees:
        return _no_test("no variance: too few at risk", told[0])
    chi_square = float(excess @ np.linalg.solve(variance, excess))
    return GrayTest(chi_square, degrees, float(chdtrc(degrees, chi_square)), *told)
