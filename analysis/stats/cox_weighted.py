"""Cox regression on rows, with weights and the robust (sandwich) variance.

Question: by what factor do hazards differ with covariates, when rows have weights or a patient has
several? A row is a patient under observation from the start, or a piece (start, time] of one
(counting process). Strata have baseline hazards of their own.

Ties are Efron's as coxph has them with weights: d tied events are d terms, each with their mean
weight wbar, and in the l-th (l = 0 ... d-1) the tied rows count 1 - l/d in the risk set. With
r_i = w_i exp(z_i b), S sums over those at risk and E sums over the tied events (0: r, 1: r z),

    log L = sum over events of w_i z_i b - sum over terms of wbar log D,    D = S0 - (l/d) E0
    m = (S1 - (l/d) E1) / D,    h = wbar / D
    gradient = sum over events of w_i z_i - sum over terms of wbar m
    information = sum over rows of r_i H_i z_i z_i' - sum over terms of wbar m m'

where H_i adds h over the terms at which row i is at risk, at its own event times 1 - l/d. So an
event of weight 2 is not the same as two tied events of weight 1.

Robust variance (Lin & Wei, JASA 1989;84:1074): the derivative of the gradient by w_i is the score
residual; times w_i, summed over a cluster, times the inverse information: how far the cluster moves
the coefficients. The sum of the squares is the variance; it allows for weights that are no counts,
several rows of one patient, and hazards that are not proportional.

Newton's method with step halving on centered and scaled covariates. Where the likelihood keeps
rising while a hazard ratio runs away (separation), that is the answer.

Sources: Efron, JASA 1977;72:557; Binder, Biometrika 1992;79:139 (weights); Therneau & Grambsch,
Modeling Survival Data 2000, sections 3.3 and 7.2. Oracle: R survival 3.5, coxph(Surv(start, time,
event) ~ z + strata(s), weights = w, cluster = id, robust = TRUE).
"""

from dataclasses import dataclass
from math import exp

import numpy as np
from scipy.special import ndtr

from analysis.stats.counts import Array
from analysis.stats.estimate import Estimate, Z, not_estimable

METHOD = "Cox model, weighted, Efron ties, robust interval"
MAX_STEPS, ROUNDING = 100, 1e-10
# In log hazard between two rows: Newton's step this small (the next is its square) is the last; one
# this large, when the likelihood per unit of weight has not even FLAT to gain, has no end.
CONVERGED, RUNAWAY, FLAT = 1e-7, 0.5, 1e-8
COLLINEAR = 1e-8  # below this eigenvalue rounding takes 1e-7 of the standard errors, and more
# A risk set has a larger sum of risks, or the step went too far: hazards e^600 apart have no end.
NOTHING = 1e-290
LARGEST_LOG = 700.0  # exp of it can still be written


@dataclass(frozen=True)
class CoxRows:
    """Checked rows of weight above 0: arrays (n,), covariates (n, p); `start` may be -infinity."""

    time: Array
    event: Array
    covariates: Array
    weights: Array
    cluster: Array
    stratum: Array
    start: Array
    n_zero_weight: int


def cox_rows(
    time: Array,
    event: Array,
    covariates: Array,
    weights: Array | None = None,
    cluster: Array | None = None,
    stratum: Array | None = None,
    start: Array | None = None,
) -> CoxRows:
    """Check the rows, leave out those of weight 0 and count them; covariates (n,) or (n, p).

    No cluster: every row is one. Raises ValueError for columns of several lengths, missing or
    infinite values, an event that is not 0 or 1, a negative weight, an empty interval.
    """
    n = len(time)
    z = np.asarray(covariates, dtype=float)
    z = z[:, None] if z.ndim == 1 else z
    time, event = np.asarray(time, dtype=float), np.asarray(event, dtype=float)
    w = np.ones(n) if weights is None else np.asarray(weights, dtype=float)
    begin = np.full(n, -np.inf) if start is None else np.asarray(start, dtype=float)
    group = np.arange(n) if cluster is None else np.asarray(cluster)
    strata = np.zeros(n, dtype=int) if stratum is None else np.asarray(stratum)
    if any(len(x) != n for x in (event, z, w, begin, group, strata)):
        raise ValueError("columns of several lengths")
    _check(time, event, z, w, begin)
    k = w > 0
    group, strata = (np.unique(x[k], return_inverse=True)[1] for x in (group, strata))
    n_zero = n - int(k.sum())
    return CoxRows(time[k], event[k] == 1, z[k], w[k], group, strata, begin[k], n_zero)


def _check(time: Array, event: Array, z: Array, w: Array, start: Array) -> None:
    if np.isnan(start).any() or not all(np.isfinite(x).all() for x in (time, event, z, w)):
        raise ValueError("missing or infinite values")
    if not np.isin(event, (0, 1)).all():
        raise ValueError("an event other than 0 and 1: competing events need a model of their own")
    if (w < 0).any():
        raise ValueError(f"{(w < 0).sum()} negative weights")
    if wrong := int((start >= time).sum()):
        raise ValueError(f"{wrong} rows end on or before their start: never at risk")


@dataclass(frozen=True)
class _Stratum:
    """The n rows of one stratum that are ever at risk at an event, by falling time; E events at K.

    `row`: their places among all rows. `first`, `last`: at risk at the event times first to last-1.
    `n_by_end`: how many rows end at an event time or later (K,); `late`, `n_late`: rows by falling
    start, and how many start at an event time or later. `dead`: event rows by time; `slot`: their
    event time; `opens`: the first of each; `share`: l/d; `mean_weight`: wbar.
    """

    row: Array
    z: Array
    weights: Array
    first: Array
    last: Array
    n_by_end: Array
    late: Array
    n_late: Array
    dead: Array
    slot: Array
    opens: Array
    share: Array
    mean_weight: Array

    def at_risk(self, x: Array) -> Array:
        """Sum of x (n, q) over those at risk at each event time: (K, q)."""
        total = np.cumsum(x, axis=0)[self.n_by_end - 1]
        return total - _cumulated(x[self.late])[self.n_late] if self.late.size else total

    def tied(self, y: Array) -> Array:
        """Sum of y (E, q) over the events of each event time: (K, q)."""
        return np.add.reduceat(y, self.opens, axis=0)

    def undergone(self, y: Array) -> Array:
        """Sum of y (E, q) over the terms at which each row is at risk, ties by share: (n, q)."""
        sums = _cumulated(self.tied(y))
        total = sums[self.last] - sums[self.first]
        total[self.dead] -= self.tied(self.share[:, None] * y)[self.slot]
        return total


def _cumulated(x: Array) -> Array:
    """Sums of the first 0, 1, ... rows of x (n, q): (n + 1, q)."""
    return np.concatenate((np.zeros((1, x.shape[1])), np.cumsum(x, axis=0)))


def _strata(rows: CoxRows, z: Array) -> list[_Stratum]:
    """All strata with an event."""
    places = (np.flatnonzero(rows.stratum == s) for s in range(rows.stratum.max() + 1))
    return [_stratum(rows, z, p) for p in places if rows.event[p].any()]


def _stratum(rows: CoxRows, z: Array, row: Array) -> _Stratum:
    row = row[np.argsort(-rows.time[row], kind="stable")]
    times = np.unique(rows.time[row[rows.event[row]]])
    last = np.searchsorted(times, rows.time[row], side="right")
    first = np.searchsorted(times, rows.start[row], side="right")
    ever, slots = last > first, np.arange(times.size)
    row, first, last = row[ever], first[ever], last[ever]
    late = np.argsort(-first, kind="stable")[: np.count_nonzero(first)]
    n_by_end, n_late = (np.searchsorted(-x, -slots) for x in (last, first[late]))
    dead = np.flatnonzero(rows.event[row])[::-1]
    slot, w = last[dead] - 1, rows.weights[row]
    opens, d = np.searchsorted(slot, slots), np.bincount(slot)
    share = (np.arange(dead.size) - opens[slot]) / d[slot]
    mean_weight = (np.add.reduceat(w[dead], opens) / d)[slot]
    at_risk = (row, z[row], w, first, last, n_by_end, late, n_late)
    return _Stratum(*at_risk, dead, slot, opens, share, mean_weight)


def _terms(s: _Stratum, beta: Array) -> tuple[Array, Array, Array, float]:
    """One stratum at b: risk r up to a factor (n, 1), m (E, p), h (E, 1) and log L."""
    eta = s.z @ beta
    top = eta.max()  # only differences count, and so exp cannot overflow
    risk = (s.weights * np.exp(eta - top))[:, None]
    x = np.hstack((risk, risk * s.z))
    total = s.at_risk(x)[s.slot] - s.share[:, None] * s.tied(x[s.dead])[s.slot]
    if not total[:, 0].min() > NOTHING:
        return risk, total[:, 1:], total[:, :1], -np.inf
    value = s.weights[s.dead] @ eta[s.dead] - s.mean_weight @ (np.log(total[:, 0]) + top)
    return risk, total[:, 1:] / total[:, :1], s.mean_weight[:, None] / total[:, :1], float(value)


@dataclass(frozen=True)
class _Point:
    """Log likelihood, gradient (p,) and information (p, p) at some b."""

    value: float
    gradient: Array
    information: Array


def _point(strata: list[_Stratum], beta: Array) -> _Point:
    value, gradient, information = 0.0, np.zeros(beta.size), np.zeros((beta.size, beta.size))
    for s in strata:
        risk, mean, hazard, log_likelihood = _terms(s, beta)
        value += log_likelihood
        if value == -np.inf:
            break
        gradient += s.weights[s.dead] @ s.z[s.dead] - s.mean_weight @ mean
        information += (risk * s.undergone(hazard) * s.z).T @ s.z
        information -= (s.mean_weight[:, None] * mean).T @ mean
    return _Point(value, gradient, information)


def _scores(s: _Stratum, beta: Array) -> Array:
    """Weighted score residuals of the stratum's rows: (n, p)."""
    risk, mean, hazard, _ = _terms(s, beta)
    scores = risk * (s.undergone(hazard * mean) - s.z * s.undergone(hazard))
    expected = (s.tied(mean) / np.bincount(s.slot)[:, None])[s.slot]
    scores[s.dead] += s.weights[s.dead][:, None] * (s.z[s.dead] - expected)
    return scores


@dataclass(frozen=True)
class CoxMaximum:
    """Where the partial likelihood is largest: `coefficients` (p,), log hazard ratios.

    `naive_variance` (p, p): the inverse information. `influence` (clusters, p): how far each
    cluster moves the coefficients. `score_chi_square`: the score test that all are 0.
    """

    coefficients: Array
    naive_variance: Array
    influence: Array
    log_likelihood: float
    log_likelihood_null: float
    score_chi_square: float


def cox_maximum(rows: CoxRows, names: tuple[str, ...]) -> CoxMaximum | str:
    """The fit of the covariates called `names`; or the reason in words why there is none.

    Reasons: no rows, no events, a covariate without variance or without differences among those at
    risk together, collinearity, monotone likelihood; they name the covariate. R: coxph.
    """
    if reason := _nothing_to_fit(rows, names):
        return reason
    counted = np.concatenate([s.row for s in _strata(rows, rows.covariates)])
    center, scale = (f(rows.covariates[counted], axis=0) for f in (np.mean, np.std))
    scale[scale == 0] = 1.0
    strata = _strata(rows, (rows.covariates - center) / scale)
    null = _point(strata, np.zeros(len(names)))
    if reason := _undetermined(null, sum(s.mean_weight.sum() for s in strata), names):
        return reason
    found = _newton(strata, null, names)
    if isinstance(found, str):
        return found
    beta, end = found
    inverse = np.linalg.inv(end.information)
    score = null.gradient @ np.linalg.solve(null.information, null.gradient)
    influence = np.zeros((int(rows.cluster.max()) + 1, len(names)))
    for s in strata:
        np.add.at(influence, rows.cluster[s.row], _scores(s, beta) @ inverse / scale)
    naive = inverse / np.outer(scale, scale)
    return CoxMaximum(beta / scale, naive, influence, end.value, null.value, float(score))


def _nothing_to_fit(rows: CoxRows, names: tuple[str, ...]) -> str | None:
    if not rows.time.size:
        return "no patients with a weight above 0" if rows.n_zero_weight else "no patients"
    constant = [m for m, c in zip(names, rows.covariates.T, strict=True) if not np.ptp(c)]
    if constant and rows.event.any():
        return f"{', '.join(constant)} has no variance"
    return None if rows.event.any() else "no events"


def _undetermined(null: _Point, n_events: float, names: tuple[str, ...]) -> str | None:
    """Why the likelihood is flat in a direction, if it is; covariates have variance 1 here."""
    own = np.diag(null.information)
    if still := [m for m, x in zip(names, own, strict=True) if x < ROUNDING * n_events]:
        return f"{', '.join(still)} does not differ among those at risk together at an event"
    correlation = null.information / np.sqrt(np.outer(own, own))
    for k in range(1, len(names)):
        if np.linalg.eigvalsh(correlation[: k + 1, : k + 1])[0] < COLLINEAR:
            return f"collinear: {names[k]} is determined by {', '.join(names[:k])}"
    return None


def _newton(
    strata: list[_Stratum], here: _Point, names: tuple[str, ...]
) -> tuple[Array, _Point] | str:
    """The maximum and what is known there; or why there is none."""
    beta, slack = np.zeros(len(names)), ROUNDING * abs(here.value)
    flat = FLAT * max(float(s.mean_weight.max()) for s in strata)
    for _ in range(MAX_STEPS):
        step = np.linalg.lstsq(here.information, here.gradient)[0]
        moves = max(float(np.ptp(s.z @ step)) for s in strata)
        far, there = np.abs(step) > np.abs(step).max() / 10, _point(strata, beta + step)
        while there.value < here.value - slack:
            step = step / 2
            there = _point(strata, beta + step)
        beta, gained, here = beta + step, there.value - here.value, there
        if moves < CONVERGED:
            return beta, here
        if moves > RUNAWAY and gained < flat:
            away = ", ".join(m for m, x in zip(names, far, strict=True) if x)
            return f"monotone likelihood: the hazard ratio of {away} has no finite estimate"
    return "the fit did not converge"


@dataclass(frozen=True)
class WeightedFit:
    """Log hazard ratios with robust and naive standard errors: arrays (p,), `variance` (p, p).

    `n`, `n_events`: rows of weight above 0. `effective_n`: Kish's, the squared sum of weights over
    the sum of squares; as many rows of equal weight would tell as much.
    """

    coefficients: Array
    standard_errors: Array
    naive_standard_errors: Array
    variance: Array
    n: int
    n_events: int
    n_clusters: int
    n_zero_weight: int
    effective_n: float


def weighted_cox(
    time: Array,
    event: Array,
    covariates: Array,
    weights: Array | None = None,
    cluster: Array | None = None,
    stratum: Array | None = None,
    start: Array | None = None,
) -> WeightedFit | str:
    """Weighted Cox fit with the robust variance, grouped by `cluster`; or the reason for none.

    Arrays (n,), covariates (n,) or (n, p); rows as `cox_rows` says, which raises ValueError. No
    fit for the reasons of `cox_maximum`, and unless there are more clusters than covariates: their
    influences add to 0. R: coxph(robust = TRUE, weights = , cluster = ).
    """
    rows = cox_rows(time, event, covariates, weights, cluster, stratum, start)
    return _robust(rows, tuple(f"covariate {k + 1}" for k in range(rows.covariates.shape[1])))


def _robust(rows: CoxRows, names: tuple[str, ...]) -> WeightedFit | str:
    if isinstance(fit := cox_maximum(rows, names), str):
        return fit
    variance = fit.influence.T @ fit.influence
    errors, naive = np.sqrt(np.diag(variance)), np.sqrt(np.diag(fit.naive_variance))
    n_clusters, w = len(fit.influence), rows.weights
    if n_clusters <= len(names):
        return f"too few patients for a robust standard error: {n_clusters}"
    if (errors < ROUNDING * naive).any():
        return "no robust standard error: no patient moves the fit"
    sizes = (w.size, int(rows.event.sum()), n_clusters, rows.n_zero_weight)
    effective = float(w.sum() ** 2 / (w**2).sum())
    return WeightedFit(fit.coefficients, errors, naive, variance, *sizes, effective)


def hazard_ratio(coefficient: float, standard_error: float, method: str) -> Estimate:
    """The hazard ratio of a log hazard ratio, with Wald limits and two-sided p.

    None where the ratio or a limit is too large or small to be written: units far too large.
    """
    half, p = Z * standard_error, 2 * float(ndtr(-abs(coefficient / standard_error)))
    if abs(coefficient) + half > LARGEST_LOG:
        reason = "the hazard ratio of one unit cannot be written: use smaller units"
        return Estimate(None, p_value=p, method=method, reason=reason)
    return Estimate(exp(coefficient), exp(coefficient - half), exp(coefficient + half), p, method)


def weighted_hazard_ratio(
    time: Array, event: Array, is_other: Array, weights: Array, cluster: Array | None = None
) -> Estimate:
    """Hazard ratio of the other cohort (`is_other` 1) against the first; robust interval and p.

    Arrays (n,), one row an enrollment. Not estimable without patients or events of weight above 0
    on either side, and for the reasons of `weighted_cox`. Raises ValueError as `cox_rows` does.
    """
    rows = cox_rows(time, event, is_other, weights, cluster)
    other = rows.covariates[:, 0]
    if not np.isin(other, (0, 1)).all():
        raise ValueError("a cohort other than 0 and 1")
    if not other.size or not np.ptp(other):
        found = "a cohort without patients"
    elif not rows.event.any() or not np.ptp(other[rows.event]):
        found = "a cohort without events: the hazard ratio has no finite estimate"
    else:
        found = _robust(rows, ("the cohort",))
    if isinstance(found, str):
        return not_estimable(found, METHOD)
    return hazard_ratio(float(found.coefficients[0]), float(found.standard_errors[0]), METHOD)
