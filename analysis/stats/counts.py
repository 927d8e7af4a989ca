"""Day counts: what every survival statistic is computed from, and the risk sets they give.

Conventions, those of R's survival package 3.5: at risk at t are all whose time is t or later, so
that an event and a censoring on one day are both still at risk on it. Who enters late (left
truncation) is at risk from the day after the entry on, as Surv(entry, time, event) has it; all
others are at risk from the start, day 0 included (R's Surv(0, 0, 1) loses the day-0 events; here
they stay). Who ends on or before the day of the own entry was never at risk: R leaves such rows
out with a warning, `delayed_entry` leaves them out and counts them.

The at-risk table counts events and censored strictly before a time (KMunicate), so that its row,
with those who have not entered yet, adds to n.

Sources: Keiding, Stat Methods Med Res 1992;1:275 (left truncation); Morris et al., BMJ Open
2019;9:e030215 (KMunicate). R: Surv, survfit.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

Array = np.ndarray


@dataclass(frozen=True)
class DayCounts:
    """One cohort: `day` ascending and distinct, `events` and `censored` on each; arrays (K,).

    `entered`: how many come under observation at the end of each day; None if all did at the start.
    """

    day: Array
    events: Array
    censored: Array
    entered: Array | None = None

    @cached_property
    def n(self) -> int:
        """Enrollments."""
        return int(self.events.sum() + self.censored.sum())

    @cached_property
    def n_events(self) -> int:
        """Enrollments with the event."""
        return int(self.events.sum())

    @property
    def n_at_start(self) -> int:
        """Enrollments under observation from the start, day 0 included."""
        return self.n - (0 if self.entered is None else int(self.entered.sum()))

    @property
    def at_risk(self) -> Array:
        """At risk on each day, just before its events: (K,)."""
        return self._present[:-1]

    @cached_property
    def _present(self) -> Array:
        """Under observation before the first day, after the first, ... after the last: (K + 1,)."""
        leaving = self.events + self.censored
        if self.entered is not None:
            leaving = leaving - self.entered
        present = np.empty(leaving.size + 1, leaving.dtype)
        present[0] = self.n_at_start
        np.subtract(present[0], np.cumsum(leaving), out=present[1:])
        return present

    def at_risk_at(self, days: Array) -> Array:
        """At risk on any days, just before their events."""
        return self._present[np.searchsorted(self.day, days)]

    def reversed(self) -> "DayCounts":
        """Censoring as the event, for follow-up."""
        return DayCounts(self.day, self.censored, self.events, self.entered)


def day_counts(frame: pl.DataFrame, entries: pl.DataFrame | None = None) -> DayCounts:
    """From columns time_days, state (0 censored, 1 event), n; any order, repeats allowed.

    `entries`: columns time_days, n of those who came under observation late, at the end of that
    day; they are among the rows of `frame`. Day 0 or before is no late entry. An empty frame gives
    a cohort of nobody.

    Raises ValueError for a state other than 0 and 1 (competing events must not be censored away:
    1 - KM overstates), a missing or negative day, a missing or negative n, and for entries that
    cannot be: somebody would leave before being at risk.
    """
    time, n = _days_and_n(frame)
    state = frame["state"].cast(pl.Float64).to_numpy()
    is_event = state == 1
    if not (is_event | (state == 0)).all():
        raise ValueError("states above 1 compete; Kaplan-Meier would censor them")
    somebody = n > 0
    rows = time[somebody], n[somebody], is_event[somebody]
    if entries is None:
        return _counted(*rows)
    entry, n_entering = _days_and_n(entries)
    late = (entry > 0) & (n_entering > 0)
    return _counted(*rows, entry[late], n_entering[late])


def _days_and_n(frame: pl.DataFrame) -> tuple[Array, Array]:
    """Days and whole numbers of enrollments, a missing one as NaN refused: (rows,), (rows,)."""
    time, n = (frame[name].cast(pl.Float64).to_numpy() for name in ("time_days", "n"))
    if not ((n >= 0) & (n == np.floor(n))).all():
        raise ValueError("a row without n, or with one that is negative or not whole")
    if not ((time >= 0) & (time < np.inf)).all():
        raise ValueError("a row without a day, or with one before day 0")
    return time, n


def _sums(place: Array, n: Array, size: int) -> Array:
    """Sum of n by place, exact below 2^53: (size,)."""
    return np.bincount(place, n, size).astype(np.int64)


def _counted(time: Array, n: Array, is_event: Array, *entries: Array) -> DayCounts:
    """Sums by day; `entries`, if any: days and n. Their days stand among the others."""
    entry, n_entering = entries or (time[:0], n[:0])
    day, place = np.unique(np.concatenate((time, entry)), return_inverse=True)
    left, came = place[: time.size], place[time.size :]
    events = _sums(left[is_event], n[is_event], day.size)
    censored = _sums(left, n, day.size) - events
    entered = _sums(came, n_entering, day.size)
    if not entered.any():
        return DayCounts(day, events, censored)
    counts = DayCounts(day, events, censored, entered)
    if (counts.at_risk < events + censored).any():
        raise ValueError("more leave than are at risk: an entry on or after the own last day")
    return counts


@dataclass(frozen=True)
class DelayedEntry:
    """Counts of those ever at risk, and how many never were (of them: with an event)."""

    counts: DayCounts
    n_never_at_risk: int
    n_events_never_at_risk: int


def delayed_entry(frame: pl.DataFrame) -> DelayedEntry:
    """From columns entry_day, time_days, state (0 censored, 1 event), n; in any order.

    No entry day, or one on day 0 or before: under observation from the start. An end on or before
    a later entry day: never at risk, left out of the counts and told beside them (R leaves such
    rows out with a warning). Raises ValueError as `day_counts` does.
    """
    late = (pl.col("entry_day") > 0).fill_null(False)
    never_at_risk = late & (pl.col("time_days") <= pl.col("entry_day"))
    never = frame.filter(never_at_risk)
    kept = frame.filter(~never_at_risk.fill_null(False))
    entries = kept.filter(late).select(pl.col("entry_day").alias("time_days"), "n")
    return DelayedEntry(
        day_counts(kept, entries),
        int(never["n"].sum()),
        int(never.filter(pl.col("state") == 1)["n"].sum()),
    )


@dataclass(frozen=True)
class RiskSets:
    """Event days shared by several cohorts: `day` (K,), `events` and `at_risk` (K, cohorts)."""

    day: Array
    events: Array
    at_risk: Array


def risk_sets(cohorts: tuple[DayCounts, ...]) -> RiskSets:
    """Events and numbers at risk of every cohort on every day on which anyone has an event."""
    own = [np.flatnonzero(c.events) for c in cohorts]
    day = np.unique(np.concatenate([c.day[k] for c, k in zip(cohorts, own, strict=True)]))
    events = np.zeros((day.size, len(cohorts)))
    at_risk = np.empty((day.size, len(cohorts)))
    for j, (c, k) in enumerate(zip(cohorts, own, strict=True)):
        events[np.searchsorted(day, c.day[k]), j] = c.events[k]
        at_risk[:, j] = c.at_risk_at(day)
    return RiskSets(day, events, at_risk)


@dataclass(frozen=True)
class AtRisk:
    """What happened by t: at_risk (time >= t) + events + censored (both before t) = n.

    With delayed entry + not_entered: who comes under observation on t or later is not at risk on t.
    """

    time_days: float
    at_risk: int
    events: int
    censored: int
    not_entered: int = 0


def at_risk_table(counts: DayCounts, times: tuple[float, ...]) -> tuple[AtRisk, ...]:
    """At risk just before, and events and censored strictly before, each time (KMunicate)."""
    before = np.searchsorted(counts.day, times)
    events, censored = (_sum_before(x, before) for x in (counts.events, counts.censored))
    at_risk = counts._present[before]
    waiting = counts.n - at_risk - events - censored
    columns = (x.tolist() for x in (at_risk, events, censored, waiting))
    return tuple(AtRisk(*row) for row in zip(times, *columns, strict=True))


def _sum_before(n: Array, position: Array) -> Array:
    """The sum of all n that stand before each position."""
    return np.concatenate(([0], np.cumsum(n)))[position]
