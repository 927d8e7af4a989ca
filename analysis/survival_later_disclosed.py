"""What the numbers of a split by something known later tell of how many patients, for the gate.

All together are the sum of the groups, so their rows stand or fall with those of the groups. Two
landmarks that are looked at one after the other tell how many moved, left or died between them: the
steps between all that are offered go with every row. So do the steps of other splits of the same
endpoint, which tell who left between their days.
"""

from itertools import pairwise

import polars as pl

from analysis.answer import Disclosed
from analysis.stats.counts import at_risk_table
from analysis.survival_later_model import ALL, Later, Scope, Side
from analysis.survival_later_time import Changing


def _own(scopes: tuple[Scope, ...]) -> tuple[Scope, ...]:
    """The groups, without all together."""
    return tuple(scope for scope in scopes if scope.code != ALL)


def _landmarks(later: Later) -> list[int]:
    """The landmarks of every split that offers the endpoint."""
    splits = later.on.study.survival.splits
    offered = (s.days for s in splits if later.endpoint.code in s.endpoint_codes)
    return sorted({day for days in offered for day in days})


def _between_days(later: Later) -> list[int]:
    """Who moved from level to level, and who left, between two landmarks."""
    counts = []
    for one, other in pairwise(_own(later.by_day[day]) for day in sorted(later.split.days)):
        for before, after in zip(one, other, strict=True):
            for a, b in zip(before.sides, after.sides, strict=True):
                counts.append(abs(b.n - a.n))
            counts.append(abs(after.n_in_doubt - before.n_in_doubt))
            counts.append(abs((after.n_later or 0) - (before.n_later or 0)))
    return [*counts, *_left_between(later)]


def _left_between(later: Later) -> list[int]:
    """Who had the event or was last seen between two landmarks of any split."""
    rows, counts = later.timed(later.day), []
    for group in later.groups:
        mine = rows.filter(group.matches)
        by = [int(mine.filter(pl.col("time_days") <= day)["n"].sum()) for day in _landmarks(later)]
        counts += [after - before for before, after in pairwise(by)]
    return counts


def _left_out(later: Later) -> list[int]:
    return [n for group in later.groups for n in later.left_out(group).values()]


def sizes(later: Later) -> Disclosed:
    """Who is in which level at the landmark, and how many are in none."""
    counts: list[int] = []
    for scope in _own(later.scopes):
        counts += [*(side.n for side in scope.sides), scope.n_dropped, scope.n_in_doubt]
        if scope.n_later is not None:
            counts += [scope.n_later, scope.pair[0].n - scope.n_later]
    return Disclosed((*counts, *_left_out(later), *_between_days(later)), "later/sizes")


def dropped(later: Later) -> Disclosed:
    """Who was left out of each level, with the event and without."""
    counts: list[int] = []
    for scope in _own(later.scopes):
        for side in scope.sides:
            counts += [side.dropped.events, side.dropped.censored]
    return Disclosed((*counts, *totals(later).counts), "later/dropped")


def totals(later: Later) -> Disclosed:
    """Events of each level after the landmark, and those without."""
    counts: list[int] = []
    for scope in _own(later.scopes):
        for side in scope.sides:
            counts += [side.counts.n_events, side.n - side.counts.n_events]
    return Disclosed((*counts, *sizes(later).counts), "later/totals")


def _at(side: Side, days: float) -> tuple[int, ...]:
    """Events by a time, censored before it, at risk on it, events after it, without by it."""
    (row,), by = at_risk_table(side.counts, (days,)), side.events_by(days)
    return by, row.censored, row.at_risk, side.counts.n_events - by, side.n - by


def at_time(later: Later, time: float) -> Disclosed:
    """A row of one time: the chosen one by itself, the others with one another."""
    unit = later.on.study.unit_days
    if time == later.on.view.time:
        counts = [n for s in _sides(later) for n in _at(s, later.days)]
        return Disclosed((*counts, *totals(later).counts), "later/time")
    counts = []
    for side in _sides(later):
        rows = [_at(side, t * unit) for t in later.on.study.milestone_times]
        before = (0, 0, side.n, side.counts.n_events, side.n)
        for one, other in pairwise([before, *rows]):
            counts += [abs(b - a) for a, b in zip(one, other, strict=True)]
        counts += rows[-1]
    return Disclosed((*counts, *totals(later).counts), "later/times")


def _sides(later: Later) -> list[Side]:
    return [side for scope in _own(later.scopes) for side in scope.sides]


def curve(later: Later, scope: Scope) -> Disclosed:
    """A curve shows every step: each day's events and censorings."""
    counts = [n for s in scope.sides for n in (*s.counts.events, *s.counts.censored)]
    steps = tuple(int(n) for n in counts)
    return Disclosed((*steps, *totals(later).counts), "later/curve")


def _switched(later: Later) -> list[int]:
    """Who switched after the last landmark, or by the one and not by the one before."""
    counts: list[int] = []
    groups = [c for c in later.changing if c.code != ALL]
    by_day = [_own(later.by_day[day]) for day in sorted(later.split.days)]
    for position, one in enumerate(groups):
        by = [s[position].pair[1].n + s[position].pair[1].dropped.n for s in by_day]
        counts += [abs(b - a) for a, b in pairwise([*by, one.counted[1]])]
    return counts


def model(later: Later) -> Disclosed:
    """Patients before and after the switch, and events of both."""
    counts: list[int] = []
    for one in later.changing:
        if one.code != ALL:
            before, after, events_before, events_after = one.counted
            counts += [one.n, before, after, one.n - before, one.n - after, one.n_in_doubt]
            counts += [events_before, events_after, after - events_after]
            counts += [one.n - events_before - events_after]
    return Disclosed((*counts, *_left_out(later), *_switched(later)), "later/model")


def curves(later: Later, one: Changing) -> Disclosed:
    """Curves in time show every step, and every switch."""
    counts = [] if isinstance(one.curves, str) else [one.curves.n_gone]
    for side in one.sides:
        for steps in (side.events, side.censored, side.entered):
            counts += [] if steps is None else [int(n) for n in steps]
    return Disclosed((*counts, *model(later).counts), "later/in_time")
