"""Fragility: how many children of one cohort decide on which side of zero an interval lies.

The question: the smallest number of children in a named cohort whose status, if it were the other
one, moves the 95 % interval of the difference across zero. An interval that leaves zero out now:
until its nearer limit reaches zero. One that holds zero: until it leaves zero out, on whichever
side that needs fewer (as many on both sides: the side on which the difference is now). Walsh et
al. count so with Fisher's test in the cohort with fewer events; here the interval shown decides,
and each cohort has its own number.

Proportions: a child in the numerator leaves it, or one outside it enters it; Newcombe's interval.

Survival at a milestone t: Kaplan-Meier in each cohort, MOVER interval of the difference. Only what
happened by t matters, so a child is in one of three states there: with the event (on t or before),
event-free (known to be so through t), or censored before t, whose status nobody knows. These last
are never changed, but told beside the number, which means little if they are more. The change:

- an event-free child gets the event on day t. All event-free children are at risk on t, so it
  does not matter which one;
- a child with the event has none and is followed event-free through t. The latest event first;
  on one day it does not matter which one.

Both rules take the change that moves S(t) furthest for one child (what censoring takes away goes
to those who follow, so later events weigh more), which is why the count is the smallest; with
delayed entry it is the smallest by this rule. Neither depends on the order of rows.

Every number of changes is tried in turn from 1 on: nothing is assumed of how the limits run. A
number of changes after which there is no interval (S(t) becomes 1 after somebody was censored)
decides nothing, and the count goes on.

Sources: Walsh et al., J Clin Epidemiol 2014;67:622; Newcombe, Stat Med 1998;17:873; Zou & Donner,
Stat Med 2008;27:1693. R: survfit on the changed rows, in tests/oracle/tables.R.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from analysis.stats.counts import Array, DayCounts
from analysis.stats.estimate import Estimate
from analysis.stats.limits import mover_difference
from analysis.stats.proportion import newcombe_difference
from analysis.stats.survival import kaplan_meier, survival_at


@dataclass(frozen=True)
class Fragility:
    """How many children of one cohort, changed, move the interval across zero.

    The changed children are of the reference if `in_reference`; `becomes_event`: they get the
    event (a proportion: enter the numerator), else they lose it; `n_changeable` of them could. By
    that the interval goes from `before`, which left zero out if `excluded_zero`, to `after`.
    `censored_before`: lost to follow-up before the milestone, in the reference and in the other
    cohort; None for proportions. Without a number, `reason` says why.
    """

    n_changes: int | None
    in_reference: bool
    before: Estimate
    after: Estimate | None = None
    excluded_zero: bool | None = None
    becomes_event: bool | None = None
    n_changeable: int | None = None
    censored_before: tuple[int, int] | None = None
    reason: str | None = None


@dataclass(frozen=True)
class _Change:
    """One way to change children of a cohort: how many could be, and the difference after k."""

    becomes_event: bool
    raises_difference: bool
    n_changeable: int
    after: Callable[[int], Estimate]


def _is_across(before: Estimate, after: Estimate, rising: bool) -> bool:
    """Whether the interval has crossed zero, moving up (`rising`) or down."""
    if after.lower is None or after.upper is None:
        return False
    if _excludes_zero(before):
        return after.upper >= 0 if rising else after.lower <= 0
    return after.lower > 0 if rising else after.upper < 0


def _excludes_zero(difference: Estimate) -> bool:
    if difference.lower is None or difference.upper is None:
        return False
    return difference.lower > 0 or difference.upper < 0


def _first_across(before: Estimate, change: _Change, at_most: int) -> tuple[int, Estimate] | None:
    """The smallest number of changes that moves the interval across zero, if there is one."""
    for k in range(1, min(change.n_changeable, at_most) + 1):
        after = change.after(k)
        if _is_across(before, after, change.raises_difference):
            return k, after
    return None


def _in_order(before: Estimate, up: _Change, down: _Change) -> tuple[_Change, ...]:
    """The changes worth trying; of two, first the one that widens the difference."""
    above = (before.estimate or 0.0) >= 0
    if _excludes_zero(before):
        return (down,) if above else (up,)
    return (up, down) if above else (down, up)


def _fragility(
    before: Estimate,
    changes: tuple[_Change, _Change],
    in_reference: bool,
    censored_before: tuple[int, int] | None = None,
) -> Fragility:
    """The smallest number over the changes worth trying."""
    empty = Fragility(None, in_reference, before, censored_before=censored_before)
    if before.lower is None or before.upper is None:
        return replace(empty, reason=f"no interval of the difference: {before.reason}")
    down, up = sorted(changes, key=lambda change: change.raises_difference)
    excluded = _excludes_zero(before)
    best, at_most = None, max(up.n_changeable, down.n_changeable)
    for change in _in_order(before, up, down):
        if found := _first_across(before, change, at_most):
            best, at_most = (change, *found), found[0] - 1
    if best is None:
        what = "leaves zero out" if excluded else "holds zero"
        reason = f"the interval {what} whatever the status of this cohort's children"
        return replace(empty, excluded_zero=excluded, reason=reason)
    change, n_changes, after = best
    return replace(
        empty,
        n_changes=n_changes,
        after=after,
        excluded_zero=excluded,
        becomes_event=change.becomes_event,
        n_changeable=change.n_changeable,
    )


def proportion_fragility(
    numerator: int,
    denominator: int,
    reference_numerator: int,
    reference_denominator: int,
    in_reference: bool = False,
) -> Fragility:
    """Of a difference of two proportions with Newcombe's interval.

    No number without patients on a side, or if no number of changes is enough. Raises ValueError
    for counts that cannot be.
    """
    other, one = (numerator, denominator), (reference_numerator, reference_denominator)
    x, n = one if in_reference else other

    def after(k: int) -> Estimate:
        changed = x + k, n
        pair = (*other, *changed) if in_reference else (*changed, *one)
        return newcombe_difference(*pair)

    changes = (
        _Change(True, not in_reference, n - x, after),
        _Change(False, in_reference, x, lambda k: after(-k)),
    )
    return _fragility(after(0), changes, in_reference)


@dataclass(frozen=True)
class _Books:
    """A cohort closed at the end of day t, whose row is the last; event-free ones end there."""

    day: Array
    events: Array
    censored: Array
    entered: Array | None

    @property
    def n_event_free(self) -> int:
        return int(self.censored[-1])

    @property
    def n_with_event(self) -> int:
        return int(self.events.sum())

    @property
    def n_censored_before(self) -> int:
        return int(self.censored[:-1].sum())

    def with_event(self, k: int) -> "_Books":
        """k event-free children get the event on the last day."""
        last = np.zeros_like(self.events)
        last[-1] = k
        return replace(self, events=self.events + last, censored=self.censored - last)

    def event_free(self, k: int) -> "_Books":
        """The k latest events did not happen, and their children are followed to the last day."""
        later = self.events[::-1].cumsum()[::-1] - self.events
        undone = np.clip(k - later, 0, self.events)
        censored = self.censored.copy()
        censored[-1] += undone.sum()
        return replace(self, events=self.events - undone, censored=censored)

    def survival(self) -> Estimate:
        """S on the last day."""
        counts = DayCounts(self.day, self.events, self.censored, self.entered)
        busy = (counts.events > 0) | (counts.censored > 0)
        busy |= False if self.entered is None else self.entered > 0
        entered = None if self.entered is None else self.entered[busy]
        shown = DayCounts(self.day[busy], self.events[busy], self.censored[busy], entered)
        return survival_at(kaplan_meier(shown), float(self.day[-1]))


def _books(counts: DayCounts, t: float) -> _Books:
    """Everything up to t, with a row on t; who comes under observation on t or later is not in."""
    before = counts.day < t
    on = counts.day == t
    at_risk, events = int(counts.at_risk_at(np.array([t]))[0]), int(counts.events[on].sum())
    entered = counts.entered
    return _Books(
        np.append(counts.day[before], t),
        np.append(counts.events[before], events),
        np.append(counts.censored[before], at_risk - events),
        None if entered is None else np.append(entered[before], 0),
    )


def survival_fragility(
    cohorts: tuple[DayCounts, DayCounts], day: float, in_reference: bool = False
) -> Fragility:
    """Of the difference of two Kaplan-Meier estimates at a milestone; the first is the reference.

    No number where the difference has no interval (a cohort of nobody, follow-up that ends before,
    S = 1 or 0 with censoring before), or if no number of changes is enough. Raises ValueError for
    a milestone before day 0.
    """
    if day < 0:
        raise ValueError(f"day {day:.0f} is before day 0")
    at_milestone = [survival_at(kaplan_meier(counts), day) for counts in cohorts]
    before = mover_difference(*at_milestone)
    books = tuple(_books(counts, day) for counts in cohorts)
    mine = books[0 if in_reference else 1]

    def difference(changed: _Books) -> Estimate:
        s = changed.survival()
        pair = (s, at_milestone[1]) if in_reference else (at_milestone[0], s)
        return mover_difference(*pair)

    changes = (
        _Change(True, in_reference, mine.n_event_free, lambda k: difference(mine.with_event(k))),
        _Change(
            False, not in_reference, mine.n_with_event, lambda k: difference(mine.event_free(k))
        ),
    )
    lost = books[0].n_censored_before, books[1].n_censored_before
    return _fragility(before, changes, in_reference, lost)
