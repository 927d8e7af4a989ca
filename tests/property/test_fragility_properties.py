"""The number of children is the smallest there is: found again by trying every change of rows."""

from collections.abc import Iterator
from itertools import combinations, combinations_with_replacement

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analysis.stats.counts import DayCounts
from analysis.stats.estimate import Estimate
from analysis.stats.fragility import Fragility, proportion_fragility, survival_fragility
from analysis.stats.limits import mover_difference
from analysis.stats.proportion import newcombe_difference
from analysis.stats.survival import kaplan_meier, survival_at

Patients = list[tuple[int, int]]
MILESTONE = 6
ROW = st.tuples(st.integers(0, 9), st.integers(0, 1))
# Enough children on one side that the other one's few can decide: (events, censored, event-free).
MANY = st.sampled_from(
    [
        [(d, 1) for d in days] + [(c, 0) for c in lost] + [(9, 0)] * free
        for days, lost, free in (
            ([0, 1, 1, 2, 3, 4, 5, 6, 6, 6, 8], [1, 4, 5, 5, 6], 3),
            ([0, 2, 6], [0, 3, 3, 6, 7], 20),
            ([0, 0, 0, 1, 2, 2, 3, 4, 4, 4, 5, 5, 6, 6, 6, 6], [2, 4], 2),
            ([3, 3, 7, 8], [], 12),
        )
    ]
)
SOME = st.lists(ROW, min_size=2, max_size=6)
FEW = settings(max_examples=15)


def counts_of(patients: Patients) -> DayCounts:
    time, event = np.array(patients).T
    day, place = np.unique(time, return_inverse=True)
    events = np.bincount(place, event).astype(np.int64)
    return DayCounts(day.astype(float), events, np.bincount(place) - events)


def _survival(patients: Patients) -> Estimate:
    return survival_at(kaplan_meier(counts_of(patients)), MILESTONE)


def _with_event(patients: Patients) -> list[int]:
    return [i for i, (d, e) in enumerate(patients) if e and d <= MILESTONE]


def _event_free(patients: Patients) -> list[int]:
    return [i for i, (d, e) in enumerate(patients) if d > MILESTONE or (d == MILESTONE and not e)]


def _changed(patients: Patients, new: dict[int, tuple[int, int]]) -> Patients:
    return [new.get(i, row) for i, row in enumerate(patients)]


def every_change(patients: Patients, k: int) -> Iterator[Patients]:
    """k children with the event freed of it, whichever; or k others given it, on any day."""
    for chosen in combinations(_with_event(patients), k):
        yield _changed(patients, dict.fromkeys(chosen, (MILESTONE, 0)))
    free = _event_free(patients)[:k]  # all alike: at risk through the milestone
    if len(free) == k:
        for days in combinations_with_replacement((0, 2, 5, MILESTONE), k):
            yield _changed(patients, {i: (d, 1) for i, d in zip(free, days, strict=True)})


def side(difference: Estimate) -> int | None:
    """1 above zero, -1 below, 0 if the interval holds it; None without an interval."""
    if difference.lower is None or difference.upper is None:
        return None
    return int(difference.lower > 0) - int(difference.upper < 0)


def smallest_number(fixed: Estimate, mine: Patients, in_reference: bool) -> int | None:
    """By brute force over recomputations."""

    def difference(patients: Patients) -> Estimate:
        s = _survival(patients)
        return mover_difference(s, fixed) if in_reference else mover_difference(fixed, s)

    before = side(difference(mine))
    for k in range(1, len(mine) + 1):
        if any(side(difference(rows)) not in (None, before) for rows in every_change(mine, k)):
            return k
    return None


@settings(max_examples=20)
@given(MANY, SOME, st.booleans())
def test_no_fewer_children_would_do(many: Patients, some: Patients, in_reference: bool) -> None:
    pair = (some, many) if in_reference else (many, some)
    found = survival_fragility((counts_of(pair[0]), counts_of(pair[1])), MILESTONE, in_reference)
    assume(found.before.lower is not None)
    assert found.n_changes == smallest_number(_survival(many), some, in_reference)


def _mirrored(found: Fragility) -> tuple:
    limits = None
    if found.after is not None and found.after.lower is not None and found.after.upper is not None:
        limits = pytest.approx((-found.after.upper, -found.after.lower))
    return found.n_changes, found.excluded_zero, found.becomes_event, found.n_changeable, limits


@FEW
@given(MANY, SOME, st.booleans(), st.integers(0, 10))
def test_the_names_of_the_cohorts_do_not_matter(
    many: Patients, some: Patients, in_reference: bool, day: int
) -> None:
    one, other = counts_of(many), counts_of(some)
    found = survival_fragility((one, other), day, in_reference)
    swapped = survival_fragility((other, one), day, not in_reference)
    # An estimated difference of exactly 0 has no side to widen to.
    assume(found.before.estimate != 0)
    after = found.after
    limits = None if after is None else (after.lower, after.upper)
    assert _mirrored(swapped) == (
        found.n_changes,
        found.excluded_zero,
        found.becomes_event,
        found.n_changeable,
        limits,
    )
    assert (found.censored_before or ())[::-1] == swapped.censored_before
    assert (found.n_changes is None) == (found.reason is not None)


@FEW
@given(MANY, SOME, st.integers(2, 5))
def test_only_what_happened_by_the_milestone_counts(many: Patients, some: Patients, k: int) -> None:
    """Neither the scale of time nor what comes later plays a part."""
    one, other = counts_of(many), counts_of(some)
    found = survival_fragility((one, other), MILESTONE)
    later = [(d, e) if d <= MILESTONE else (d + k, 1 - e) for d, e in some]
    moved = survival_fragility((one, counts_of(later)), MILESTONE)
    assert moved.n_changes == found.n_changes and moved.after == found.after
    stretched = [counts_of([(d * k, e) for d, e in rows]) for rows in (many, some)]
    scaled = survival_fragility((stretched[0], stretched[1]), MILESTONE * k)
    assert (scaled.n_changes, scaled.after) == (found.n_changes, found.after)


@FEW
@given(MANY, SOME)
def test_a_child_under_observation_only_later_is_never_changed(
    many: Patients, some: Patients
) -> None:
    one, other = counts_of(many), counts_of(some)
    entered = np.array([0] * other.day.size + [1, 0])  # in the evening of day 20, to leave on 30
    nobody = np.zeros_like(entered[-2:])
    late = DayCounts(
        np.append(other.day, [20.0, 30.0]),
        np.append(other.events, nobody),
        np.append(other.censored, entered[-2:][::-1]),
        entered,
    )
    found = survival_fragility((one, other), MILESTONE)
    moved = survival_fragility((one, late), MILESTONE)
    if found.before.lower is not None and moved.before.lower is not None:
        assert (moved.n_changes, moved.after) == (found.n_changes, found.after)


@FEW
@given(
    st.integers(1, 25).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.integers(1, 25).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
)
def test_no_fewer_children_would_do_for_a_proportion(
    other: tuple[int, int], one: tuple[int, int]
) -> None:
    (x, n), before = other, side(newcombe_difference(*other, *one))
    moved = [
        abs(new - x) for new in range(n + 1) if side(newcombe_difference(new, n, *one)) != before
    ]
    found = proportion_fragility(*other, *one)
    assert found.n_changes == min(moved, default=None)
    assert found.excluded_zero == (before != 0)
    assert proportion_fragility(*one, *other, in_reference=True).n_changes == found.n_changes
