"""Is the hazard ratio of two cohorts the same in all subgroups? A forest, and an interaction test.

The forest: in every subgroup Cox's model of the other cohort against the reference, all subgroups
fitted in one pass over their day counts (likelihood, ties and reasons as in `cox.py`). Subgroups
may overlap, as those of several characteristics do: each is a fit of its own.

The interaction test belongs to one characteristic, whose levels share no patients. They are strata,
each with a baseline hazard of its own, in both models that it compares: one log hazard ratio per
level (the maxima are then exactly the forest's), or one for all levels. Twice the difference of the
log likelihoods is chi-square with as many degrees of freedom as there are levels, less 1.

A level that cannot speak (no event while both cohorts were at risk) is in neither model. Where a
level has an arm without events, or is separated otherwise, both log likelihoods carry Firth's
penalty of the model with one ratio per level: the model with one ratio for all is its restriction,
as in the test of `firth.py`. (A penalty of its own would add a term that grows with the logarithm
of the sample size.)

Sources: Cox, JRSS B 1972;34:187; Heinze & Schemper, Biometrics 2001;57:114. Oracle: R survival 3.5,
coxph by subgroup, anova(coxph(S ~ z + strata(level)), coxph(S ~ z:level + strata(level))); with the
penalty as in `firth.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import polars as pl
from scipy.special import chdtrc, ndtr

from analysis.stats.counts import Array
from analysis.stats.cox import (
    MONOTONE,
    NEVER_TOGETHER,
    NO_CONVERGENCE,
    NO_EVENTS,
    NO_LIMITS,
    NO_PATIENTS,
    EventDays,
    Height,
    climb,
    comparable,
    log_likelihood,
)
from analysis.stats.estimate import Z
from analysis.stats.firth import penalized_likelihood

FEW_LEVELS = "fewer than two levels can be compared"
NO_EVIDENCE = "absence of interaction is no evidence of equal effect"
METHOD = f"interaction, Cox models with levels as strata, likelihood ratio; {NO_EVIDENCE}"
FIRTH_METHOD = METHOD.replace("likelihood ratio", "Firth-penalized likelihood ratio")


@dataclass(frozen=True)
class _Subgroups:
    """Day counts of all subgroups: `key` (S,); `n`, `n_events` (S, 2), by cohort.

    `days`: the event days of the subgroups that have some, one fit each; None if there are none.
    `of` (fits,): where those subgroups stand in `key`.
    """

    key: pl.Series
    n: Array
    n_events: Array
    of: Array
    days: EventDays | None


def forest(frame: pl.DataFrame, reference: str | int, other: str | int) -> pl.DataFrame:
    """Hazard ratio of `other` against `reference` in every subgroup, Wald interval and p.

    Grain in: subgroup x cohort_code x time_days x state (0 censored, 1 event); n; in any order,
    repeats allowed, other cohorts ignored. Grain out: one row per subgroup of the frame, ascending:
    n_reference, n_other, n_events_reference, n_events_other, log_hazard_ratio, standard_error,
    hazard_ratio, lower, upper, p_value; or null with a `reason`, as in `cox.cox_fit`. Subgroups are
    integers or strings. Raises ValueError for another state, a missing subgroup or day, a negative
    n. R: coxph in each subgroup.
    """
    groups = _subgroups(frame, reference, other)
    reason = _reasons(groups)
    beta, error = np.full((2, groups.n.shape[0]), np.nan)
    fitted = np.flatnonzero([r is None for r in reason])
    if fitted.size:
        days = _kept(groups, fitted)
        found = climb(lambda b: log_likelihood(days, b), np.zeros((fitted.size, 1)))
        if found is None:
            reason = [r or NO_CONVERGENCE for r in reason]
        else:
            beta[fitted] = found[0][:, 0]
            error[fitted] = found[1].curvature[:, 0, 0] ** -0.5
    return _table(groups, beta, error, reason)


def _table(
    groups: _Subgroups, beta: Array, error: Array, reason: Sequence[str | None]
) -> pl.DataFrame:
    lower, upper = np.exp(beta - Z * error), np.exp(beta + Z * error)
    endless = np.isfinite(beta) & ~((lower > 0) & np.isfinite(upper))
    lower[endless] = upper[endless] = np.nan
    reason = [NO_LIMITS if without else r for without, r in zip(endless, reason, strict=True)]
    counted = {
        "subgroup": groups.key,
        "n_reference": groups.n[:, 0],
        "n_other": groups.n[:, 1],
        "n_events_reference": groups.n_events[:, 0],
        "n_events_other": groups.n_events[:, 1],
    }
    estimated = {
        "log_hazard_ratio": beta,
        "standard_error": error,
        "hazard_ratio": np.exp(beta),
        "lower": lower,
        "upper": upper,
        "p_value": 2 * ndtr(-np.abs(beta / error)),
    }
    told = {"reason": pl.Series(reason, dtype=pl.String)}
    return pl.DataFrame(counted | estimated | told, nan_to_null=True)


def _placed(column: pl.Series) -> tuple[pl.Series, Array]:
    """The distinct values of an integer or string column, ascending, and each row's among them."""
    key = column.unique().sort()
    if key.dtype.is_integer():
        return key, np.searchsorted(key.to_numpy(), column.to_numpy())
    return key, column.cast(pl.Enum(key)).to_physical().to_numpy().astype(np.int64)


def _numbers(frame: pl.DataFrame) -> tuple[Array, ...]:
    """Day, state and n of every row, checked: (rows,) each."""
    names = ("time_days", "state", "n")
    day, state, n = (frame[name].cast(pl.Float64).to_numpy() for name in names)
    known = (day >= 0) & np.isin(state, (0, 1)) & (n >= 0)
    wrong = int((~known).sum()) + frame["subgroup"].null_count()
    if wrong:
        raise ValueError(f"{wrong} rows without subgroup or day, of another state or a negative n")
    return day, state.astype(np.int64), n


def _subgroups(frame: pl.DataFrame, reference: str | int, other: str | int) -> _Subgroups:
    day, state, n = _numbers(frame)
    key, place = _placed(frame["subgroup"])
    is_other = frame["cohort_code"].eq_missing(other).to_numpy()
    compared = is_other | frame["cohort_code"].eq_missing(reference).to_numpy()
    day, position = np.unique(day[compared], return_inverse=True)
    size = (len(key), day.size, 2, 2)  # subgroup, day, cohort, state
    index = (place[compared], position, is_other[compared].astype(int), state[compared])
    cell = np.ravel_multi_index(index, size) if day.size else position
    return _counted(key, day, np.bincount(cell, n[compared], prod(size)).reshape(size))


def _counted(key: pl.Series, day: Array, cells: Array) -> _Subgroups:
    """From n by subgroup, day, cohort and state: (S, K, 2, 2)."""
    events, leaving = cells[..., 1], cells[..., 0] + cells[..., 1]  # (S, K, 2)
    n, n_events = leaving.sum(axis=1), events.sum(axis=1)
    at_risk = n[:, None] - (np.cumsum(leaving, axis=1) - leaving)
    row = np.nonzero(events[..., 0] + events[..., 1])
    of, first = np.unique(row[0], return_index=True)
    days = EventDays(day[row[1]], events[row].T.copy(), at_risk[row].T.copy(), first)
    return _Subgroups(key, n.astype(int), n_events.astype(int), of, days if of.size else None)


def _reasons(groups: _Subgroups) -> list[str | None]:
    """Why each subgroup has no finite estimate; None where it has one."""
    linked, finite = np.zeros((2, len(groups.key)), dtype=bool)
    if groups.days is not None:
        linked[groups.of], finite[groups.of] = comparable(groups.days)
    nobody, without = ((x == 0).any(axis=1) for x in (groups.n, groups.n_events))
    chosen = np.select(
        [nobody, without, ~linked, ~finite], [NO_PATIENTS, NO_EVENTS, NEVER_TOGETHER, MONOTONE], ""
    )
    return [r or None for r in chosen.tolist()]


def _kept(groups: _Subgroups, fitted: Array) -> EventDays:
    """The event days of these subgroups only; all of them have some."""
    assert groups.days is not None
    days = groups.days
    inside = np.isin(groups.of, fitted)
    rows = np.repeat(inside, days.sizes)
    sizes = days.sizes[inside]
    first = np.cumsum(sizes) - sizes
    return EventDays(days.day[rows], days.events[:, rows], days.at_risk[:, rows], first)


@dataclass(frozen=True)
class Interaction:
    """The test over the levels of a characteristic, or the reason why there is none.

    `levels` were compared, `left_out` could not be. `method` says whether Firth's penalty was
    needed, and what the test does not say.
    """

    chi_square: float | None
    degrees_of_freedom: int
    p_value: float | None
    levels: tuple[str | int, ...]
    left_out: tuple[str | int, ...]
    method: str
    reason: str | None = None


def interaction(frame: pl.DataFrame, reference: str | int, other: str | int) -> Interaction:
    """Test whether the hazard ratio is the same in all subgroups of the frame.

    In: as `forest`; the subgroups are the levels of one characteristic, so that no patient is in
    two. No test, with the reason, where fewer than two levels can be compared. Raises ValueError as
    `forest`. R: anova of the two stratified coxph.
    """
    groups = _subgroups(frame, reference, other)
    finite = np.array([r is None for r in _reasons(groups)], dtype=bool)
    speaks = np.zeros(len(groups.key), dtype=bool)
    if groups.days is not None:
        speaks[groups.of] = comparable(groups.days)[0]
    levels, left_out = (tuple(groups.key.filter(pl.Series(x))) for x in (speaks, ~speaks))
    penalized = bool((speaks & ~finite).any())
    method = FIRTH_METHOD if penalized else METHOD
    if len(levels) < 2:
        return Interaction(None, 0, None, levels, left_out, method, FEW_LEVELS)
    days = _kept(groups, np.flatnonzero(speaks))
    height = penalized_likelihood if penalized else log_likelihood
    ratio = _likelihood_ratio(lambda beta: height(days, beta), len(levels))
    degrees = len(levels) - 1
    if ratio is None:
        return Interaction(None, degrees, None, levels, left_out, method, NO_CONVERGENCE)
    return Interaction(ratio, degrees, float(chdtrc(degrees, ratio)), levels, left_out, method)


def _likelihood_ratio(height: Callable[[Array], Height], n_levels: int) -> float | None:
    """Twice what one ratio per level adds to one ratio for all; None without convergence."""

    def common(beta: Array) -> Height:
        here = height(np.repeat(beta, n_levels, axis=0))
        parts = (here.value, here.gradient, here.curvature)
        return Height(*(x.sum(axis=0, keepdims=True) for x in parts))

    apart, together = climb(height, np.zeros((n_levels, 1))), climb(common, np.zeros((1, 1)))
    if apart is None or together is None:
        return None
    return max(2 * float(apart[1].value.sum() - together[1].value.sum()), 0.0)
