"""Landmark analysis: groups by what had happened to a patient by a day, time counted from that day.

Question: do those who had switched (were transplanted) by the landmark fare better from there on
than those who had not? Both groups were under observation at the landmark, so none gets the time
it had to survive as a gift (immortal time). A later switch does not move a patient.

Who had the event or was censored on or before the landmark is left out, and counted by kind and
group. So those left out and both groups are all, and no time is 0 afterwards.

Sources: Anderson, Cain & Gelber, J Clin Oncol 1983;1:710; van Houwelingen & Putter, Dynamic
Prediction in Clinical Survival Analysis 2012, section 2.4. Oracle: R survival 3.5,
survfit(Surv(time - day, event) ~ (switch <= day), subset = time > day).
"""

from dataclasses import dataclass

import polars as pl

from analysis.stats.counts import DayCounts, day_counts


@dataclass(frozen=True)
class Dropped:
    """Left out of one group: enrollments with the event, or censored, by the landmark."""

    events: int
    censored: int

    @property
    def n(self) -> int:
        """Both."""
        return self.events + self.censored


@dataclass(frozen=True)
class Landmark:
    """The day, those not switched and switched by it (days since the landmark), and who is out."""

    landmark_day: float
    not_switched: DayCounts
    switched: DayCounts
    dropped_not_switched: Dropped
    dropped_switched: Dropped

    @property
    def n(self) -> int:
        """All enrollments, those left out among them."""
        groups = (self.not_switched, self.switched)
        dropped = (self.dropped_not_switched, self.dropped_switched)
        return sum(g.n for g in groups) + sum(d.n for d in dropped)


def landmark(frame: pl.DataFrame, landmark_day: float) -> Landmark:
    """From columns enrollment_key, time_days, state (0, 1), switch_day (null: never).

    Column n, if there is one: how many enrollments a row stands for. A switch on the landmark
    counts; one after the own last day never happened. A group may be of nobody. Raises ValueError
    for a missing or negative day or n, and for a state other than 0 and 1, as `day_counts` does.
    """
    n = pl.col("n") if "n" in frame.columns else pl.lit(1)
    happened = pl.col("switch_day") <= pl.min_horizontal("time_days", pl.lit(landmark_day))
    known = frame.select(
        "time_days", "state", n=n.cast(pl.Int64), switched=happened.fill_null(False)
    )
    groups = [known.filter(pl.col("switched") == switched) for switched in (False, True)]
    one, other = (_from(g, landmark_day) for g in groups)
    return Landmark(landmark_day, one, other, *(_dropped(g, landmark_day) for g in groups))


def _from(group: pl.DataFrame, day: float) -> DayCounts:
    counts = day_counts(group)
    later = counts.day > day
    return DayCounts(counts.day[later] - day, counts.events[later], counts.censored[later])


def _dropped(group: pl.DataFrame, day: float) -> Dropped:
    counts = day_counts(group)
    by_then = counts.day <= day
    return Dropped(int(counts.events[by_then].sum()), int(counts.censored[by_then].sum()))
