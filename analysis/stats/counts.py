"""Day counts: what every survival statistic is computed from, and the risk sets they give.

Conventions, those of R's survival package 3.5: at risk at t are all whose time is t or later, so
that an event and a censoring on one day are both still at risk on it. Who enters late (left
truncation) is at risk from the day after the entry on, as Surv(entry, time, event) has it; all
others are at risk from the start, day 0 included. The at-risk table counts events and censored
strictly before a time (KMunicate), so that its row adds to n.
"""

from dataclasses import dataclass

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

    @property
    def n(self) -> int:
        """Enrollments."""
        return int(self.events.sum() + self.censored.sum())

    @property
    def n_events(self) -> int:
        """Enrollments with the event."""
        return int(self.events.sum())

    @property
    def at_risk(self) -> Array:
        """At risk on each day, just before its events: (K,)."""
        return self.at_risk_at(self.day)

    @property
    def _n_at_start(self) -> int:
        return self.n - (0 if self.entered is None else int(self.entered.sum()))

    def at_risk_at(self, days: Array) -> Array:
        """At risk on any days, just before their events."""
        leaving = self.events + self.censored
        if self.entered is not None:
            leaving = leaving - self.entered
        gone = np.concatenate(([0], np.cumsum(leaving)))
        return self._n_at_start - gone[np.searchsorted(self.day, days)]

    def reversed(self) -> "DayCounts":
        """Censoring as the event, for follow-up."""
        return DayCounts(self.day, self.censored, self.events, self.entered)


def day_counts(frame: pl.DataFrame) -> DayCounts:
    """From columns time_days, state (0 censored, 1 event), n; any order, repeats allowed.

    An empty frame gives a cohort of nobody. Raises ValueError for a state other than 0 and 1:
    competing events must not be censored away (1 - KM overstates).
    """
    if frame.filter(~pl.col("state").is_in([0, 1])).height:
        raise ValueError("states above 1 compete; Kaplan-Meier would censor them")
    is_event = pl.col("state") == 1
    by_day = (
        frame.group_by("time_days")
        .agg(
            pl.col("n").filter(is_event).sum().alias("events"),
            pl.col("n").filter(~is_event).sum().alias("censored"),
        )
        .sort("time_days")
    )
    return DayCounts(
        by_day["time_days"].to_numpy().astype(float),
        by_day["events"].to_numpy().astype(np.int64),
        by_day["censored"].to_numpy().astype(np.int64),
    )


@dataclass(frozen=True)
class RiskSets:
    """Event days shared by several cohorts: `day` (K,), `events` and `at_risk` (K, cohorts)."""

    day: Array
    events: Array
    at_risk: Array


def risk_sets(cohorts: tuple[DayCounts, ...]) -> RiskSets:
    """Events and numbers at risk of every cohort on every day on which anyone has an event."""
    day = np.unique(np.concatenate([c.day[c.events > 0] for c in cohorts]))
    events = np.zeros((day.size, len(cohorts)))
    at_risk = np.zeros((day.size, len(cohorts)))
    for j, c in enumerate(cohorts):
        at = np.searchsorted(c.day, day)
        at_risk[:, j] = c.at_risk_at(day)
        held = np.isin(day, c.day)
        events[held, j] = c.events[at[held]]
    return RiskSets(day, events, at_risk)


@dataclass(frozen=True)
class AtRisk:
    """What happened by t: at_risk (time >= t) + events + censored (both before t) = n."""

    time_days: float
    at_risk: int
    events: int
    censored: int


def at_risk_table(counts: DayCounts, times: tuple[float, ...]) -> tuple[AtRisk, ...]:
    """At risk just before, and events and censored strictly before, each time (KMunicate)."""
    events = np.concatenate(([0], np.cumsum(counts.events)))
    censored = np.concatenate(([0], np.cumsum(counts.censored)))
    rows = []
    for t in times:
        k = int(np.searchsorted(counts.day, t, side="left"))
        gone = int(events[k]), int(censored[k])
        rows.append(AtRisk(t, counts.n - sum(gone), *gone))
    return tuple(rows)
