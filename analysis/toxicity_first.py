"""What comes first in a course, from its start: an event or a recovery, or leaving the course.

Cumulative incidence, never 1 - Kaplan-Meier: who has left the course, for the next one, a relapse,
death or since its days of attribution have passed, can no longer have an event of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import polars as pl

from analysis.answer import Disclosed
from analysis.groups import Group
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.competing import (
    AalenJohansen,
    StateCounts,
    aalen_johansen,
    incidence_at,
    state_counts,
)
from analysis.stats.estimate import Estimate, not_estimable
from analysis.stats.gray import GrayTest, gray_test
from analysis.stats.limits import mover_difference
from analysis.stats.toxicity import FIRST_EVENT, LEFT_BLOCK
from analysis.survival_tables import FADE_BELOW
from analysis.survival_window import END_BELOW
from analysis.toxicity_course import Course
from analysis.wording import p_value, written
from trial.words import say

DAYS = (7, 14, 28)
END = "end"
METHOD = "Aalen-Johansen"


def states_of(rows: pl.DataFrame, event_day: str) -> StateCounts:
    """Counts by day of the first event (state 1), of leaving the course (2), of the censored.

    Columns: `event_day` (null: none), last_day at risk, until_code, n; days from the start of the
    course. Who leaves for the next course, or since the days of attribution have passed, is at risk
    up to the day before. On one day the event beats the exit; one after the exit is none of this
    course. As `analysis.stats.toxicity.first_event_counts`, for rows of several patients.
    """
    is_next = pl.col("until_code").is_in(["next_course", "window"])
    leaves = pl.col("last_day") + is_next.cast(pl.Int32)
    has_event = (pl.col(event_day) <= leaves).fill_null(False)
    is_seen = pl.col("until_code") != "censored"
    found = rows.select(
        pl.when(has_event).then(event_day).otherwise(leaves).alias("time_days"),
        pl.when(has_event)
        .then(FIRST_EVENT)
        .otherwise(pl.when(is_seen).then(LEFT_BLOCK).otherwise(0))
        .alias("state"),
        pl.col("n"),
    )
    return state_counts(found, LEFT_BLOCK)


@dataclass(frozen=True)
class Ran:
    """One group: its counts and the Aalen-Johansen estimates of them."""

    group: Group
    counts: StateCounts

    @property
    def n(self) -> int:
        """Documented patients with the course."""
        return self.counts.n

    @cached_property
    def fit(self) -> AalenJohansen:
        """The estimates of both states."""
        return aalen_johansen(self.counts)

    @property
    def last_day(self) -> float:
        """The last day on which anybody leaves, has an event or is censored."""
        return float(self.counts.day[-1]) if self.n else 0.0

    def at(self, day: float) -> Estimate:
        """The incidence by a day; of fewer than ten patients the counts alone."""
        if self.n < FEWEST_FOR_PERCENT:
            few = say("survival.few", n=FEWEST_FOR_PERCENT)
            return not_estimable(few if self.n else say("response.nobody"), METHOD)
        return incidence_at(self.fit, FIRST_EVENT, day)

    def events_by(self, day: float) -> int:
        """Patients with the event up to and including a day."""
        return int(self.counts.events[self.counts.day <= day, 0].sum())

    def counts_between(self, days: Sequence[float]) -> tuple[int, ...]:
        """With the event, left without it, censored: by each day, from day to day, and after all.

        Of two rows of a table that are shown the difference is known as well.
        """
        every = [*self.counts.events.T, self.counts.censored]
        found = []
        for of_state in every:
            by = [int(of_state[self.counts.day <= day].sum()) for day in days]
            total = int(of_state.sum())
            steps = [after - before for before, after in pairwise([*by, total])]
            found += [*by, *steps]
        return (*found, *(self.n - sum(found[k :: 2 * len(days)]) for k in range(len(days))))

    def told(self, day: float) -> str:
        """45.2 % (34.8 to 57.4); 36/80."""
        counted = f"{self.events_by(day)}/{self.n}"
        found = self.at(day)
        if not self.n:
            return say("response.nobody")
        if self.n < FEWEST_FOR_PERCENT:
            return counted
        value = written(found, lambda x: f"{100 * x:.1f}", " %")
        return say("time.cell", told=value, counted=counted)

    @property
    def end_day(self) -> float:
        """The last day on which at least five are at risk."""
        enough = self.counts.day[self.counts.at_risk >= END_BELOW]
        return float(enough[-1]) if enough.size else 0.0

    @property
    def fade_day(self) -> float | None:
        """The last day on which ten are at risk; None if none is later."""
        days = self.counts.day
        enough = days[self.counts.at_risk >= FADE_BELOW]
        last = float(enough[-1]) if enough.size else 0.0
        return last if days.size and last < days[-1] else None

    @property
    def steps(self) -> tuple[int, ...]:
        """What a curve shows: each day's events, exits, censorings."""
        found = [*self.counts.events.ravel().tolist(), *self.counts.censored.tolist()]
        return tuple(int(n) for n in found)


@dataclass(frozen=True)
class Incidence:
    """The first event of a course, or its recovery: `code` names it in numbers, tables, texts.

    `apart` says why the groups are not compared. `rest`: what the event tells beside other items.
    """

    code: str
    label: str
    course: Course
    groups: tuple[Ran, ...]
    apart: str
    rest: tuple[int, ...]

    @property
    def shown(self) -> tuple[Ran, ...]:
        """Groups with anybody."""
        return tuple(one for one in self.groups if one.n)

    @cached_property
    def disclosed(self) -> Disclosed:
        """What the rows of the table tell: they stand or fall together."""
        counts = [n for one in self.groups for n in one.counts_between((*DAYS, one.last_day))]
        return self.course.disclosed((*counts, *self.rest), f"{self.code}.days")

    def at_risk_disclosed(self, ticks: Sequence[int]) -> Disclosed:
        """What the table of those at risk tells, just before each day."""
        before = [day - 1.0 for day in ticks]
        counts = [n for one in self.groups for n in one.counts_between(before)]
        return self.course.disclosed((*counts, *self.rest), f"{self.code}.at_risk")

    @property
    def curve_disclosed(self) -> Disclosed:
        """A curve shows every step."""
        steps = tuple(n for one in self.groups for n in one.steps)
        return self.course.disclosed((*steps, *self.rest), f"{self.code}.curve")

    def difference(self, one: Ran, day: float) -> Estimate:
        """A group minus the first by a day, MOVER; or why not."""
        reference = self.groups[0]
        if self.apart:
            return not_estimable(self.apart, METHOD)
        for side in (reference, one):
            if side.at(day).estimate is None:
                told = say("share.of", group=side.group.label, reason=side.at(day).reason)
                return not_estimable(told, METHOD)
        return mover_difference(reference.at(day), one.at(day))

    @cached_property
    def gray(self) -> GrayTest | str:
        """Gray's test of all groups; or why there is none."""
        if len(self.groups) < 2:
            return say("time.one_group")
        if self.apart:
            return self.apart
        for one in self.groups:
            if one.n < FEWEST_FOR_PERCENT:
                few = say("survival.few", n=FEWEST_FOR_PERCENT)
                return say("share.of", group=one.group.label, reason=few)
            if not one.counts.n_events[0]:
                return say("share.of", group=one.group.label, reason=say("time.no_events"))
        found = gray_test(tuple(one.counts for one in self.groups), FIRST_EVENT)
        return found if found.reason is None else found.reason

    @property
    def gray_told(self) -> str:
        """The test in words."""
        found = self.gray
        if isinstance(found, str):
            return say("time.no_gray", reason=found)
        assert found.chi_square is not None and found.p_value is not None
        told = {"chi_square": f"{found.chi_square:.2f}", "df": found.degrees_of_freedom}
        return say("time.gray", p=p_value(found.p_value), **told)


def first_event(course: Course) -> Incidence:
    """The first event of the view's item and grade."""
    groups = []
    for among in course.groups:
        rows = course.first.filter(among.group.matches).filter("is_documented")
        groups.append(Ran(among.group, states_of(rows, "first_day")))
    return Incidence(
        "first_event",
        course.told["asked"],
        course,
        tuple(groups),
        course.apart,
        _rest(course, groups),
    )


def _rest(course: Course, groups: list[Ran]) -> tuple[int, ...]:
    """What the events tell beside other items, and beside all courses in the page's table."""
    item, block = course.on.view.item, course.block.code
    beside = [course.items.count(block, item, g.group) - g.counts.n_events[0] for g in groups]
    return (*map(abs, beside), *course.rest(item))


def recovery(course: Course, rows: pl.DataFrame) -> Incidence:
    """The recovery of neutrophils, from the rows of `course_recovery` (no date before the course).

    Where an export has no date, nobody knows whether they did not recover or whether it was not
    written down: with too many of them in a group no groups are compared.
    """
    groups = [
        Ran(a.group, states_of(rows.filter(a.group.matches), "recovery_day")) for a in course.groups
    ]
    apart = course.refused or _undated(course, rows)
    return Incidence("recovery", say("time.recovery"), course, tuple(groups), apart, ())


def undated_share(rows: pl.DataFrame) -> float:
    """The share of patients without a date of recovery; 0 of nobody."""
    undated = rows.filter(pl.col("recovery_day").is_null())
    return int(undated["n"].sum()) / max(int(rows["n"].sum()), 1)


def _undated(course: Course, rows: pl.DataFrame) -> str:
    """Why groups are not compared: too many of one are without a date; empty if they are."""
    limit = course.on.study.toxicity.most_undocumented
    for one in course.groups:
        mine = rows.filter(one.group.matches)
        if undated_share(mine) > limit:
            return say("time.too_undated", group=one.group.label, limit=f"{100 * limit:g}")
    return ""
