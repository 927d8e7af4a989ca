"""Groups by something known only after time zero: who is in which of them, and how they fare.

Two honest ways. At a landmark: who is still under observation on a day is grouped by what had
happened by then, and time counts from that day. In time: everybody counts as before until the own
switch and as after from then on. A plain Kaplan-Meier by what happened some time would give those
in whom it happened the time they had to live for it (immortal time): it is never computed.

Sources: `analysis.stats.landmark`, `analysis.stats.time_dependent`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from analysis.compose import Page
from analysis.groups import Group, groups
from analysis.link import threshold_of
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.counts import DayCounts
from analysis.stats.cox import hazard_ratios
from analysis.stats.estimate import Estimate, not_estimable
from analysis.stats.landmark import Dropped, landmark
from analysis.stats.limits import mover_difference
from analysis.stats.survival import KaplanMeier, kaplan_meier, survival_at
from analysis.survival_later_time import Changing, changing_of, few_in
from trial.study import Endpoint
from trial.survival_rule import Split
from trial.words import say
from warehouse.query import query

ALL = "all"
# Levels of each kind of split: the one that is compared with, the other, and who is neither.
LEVELS = {
    "milestone": ("not_switched", "switched"),
    "infusion": ("not_given", "given"),
    "timepoint": ("not_negative", "negative", "not_known"),
}
# Colours that no cohort of two or three has; who is neither is grey.
ROLES = (3, 2, 5)
# Classes of a sample that are a result; all others are not known.
RESULTS = {"negative": "negative", "positive": "not_negative", "indeterminate": "not_negative"}


def _few(n: int, method: str) -> Estimate:
    told = say("survival.few", n=FEWEST_FOR_PERCENT) if n else say("response.nobody")
    return not_estimable(told, method)


@dataclass(frozen=True)
class Side:
    """One level at the landmark: days since then of those under observation; who is left out."""

    code: str
    label: str
    role: int
    counts: DayCounts
    dropped: Dropped

    @property
    def n(self) -> int:
        """Under observation after the landmark."""
        return self.counts.n

    @cached_property
    def km(self) -> KaplanMeier:
        """Survival given alive without event at the landmark."""
        return kaplan_meier(self.counts)

    def at(self, days: float) -> Estimate:
        """S so many days after the landmark; of fewer than ten patients the counts alone."""
        if self.n < FEWEST_FOR_PERCENT:
            return _few(self.n, "Kaplan-Meier")
        return survival_at(self.km, days)

    def events_by(self, days: float) -> int:
        """Events up to and including a day."""
        return int(self.counts.events[self.counts.day <= days].sum())


@dataclass(frozen=True)
class Scope:
    """The levels in one group, or in all together; the second is compared with the first.

    `strata`: of all together, the scopes of the groups. `n_in_doubt`: a quarantined row might tell
    in which level they are; they are in none. `n_later`: of the first level, in whom it happened
    after the landmark; None where nobody changes once.
    """

    code: str
    label: str
    sides: tuple[Side, ...]
    n_in_doubt: int
    n_later: int | None
    strata: tuple["Scope", ...] = ()

    @property
    def n(self) -> int:
        """Under observation at the landmark, and in a level."""
        return sum(side.n for side in self.sides)

    @property
    def n_dropped(self) -> int:
        """With the event, or last seen, by the landmark."""
        return sum(side.dropped.n for side in self.sides)

    @property
    def n_timed(self) -> int:
        """With a time of the endpoint."""
        return self.n + self.n_dropped + self.n_in_doubt

    @property
    def pair(self) -> tuple[Side, Side]:
        """The level that is compared with, and the other."""
        return self.sides[0], self.sides[1]

    @cached_property
    def refused(self) -> str:
        """Why all together are not compared, as `few_in`; a group without any time is none."""
        return few_in(
            (side.label, scope.label)
            for scope in self.strata
            for side in scope.pair
            if scope.n_timed and side.n < FEWEST_FOR_PERCENT
        )

    def _why_not(self, method: str) -> Estimate | None:
        if self.refused:
            return not_estimable(self.refused, method)
        for side in self.pair:
            if side.n < FEWEST_FOR_PERCENT:
                reason = _few(side.n, method).reason
                return not_estimable(say("share.of", group=side.label, reason=reason), method)
        return None

    def at(self, side: Side, days: float) -> Estimate:
        """S of a level; of all together none where they are not compared."""
        return not_estimable(self.refused, "Kaplan-Meier") if self.refused else side.at(days)

    def difference(self, days: float) -> Estimate:
        """The other minus the first, MOVER; or why not."""
        if why_not := self._why_not("difference"):
            return why_not
        first, other = self.pair
        return mover_difference(first.at(days), other.at(days))

    @cached_property
    def hazard_ratio(self) -> Estimate:
        """The hazard of the other against the first, from the landmark on (Cox, Efron)."""
        method = "Cox model"
        return self._why_not(method) or hazard_ratios(tuple(s.counts for s in self.pair))[0]

    @cached_property
    def stratified(self) -> Estimate:
        """The same within the groups, each with a baseline hazard of its own."""
        if why_not := self._why_not("Cox model, stratified"):
            return why_not
        strata = [tuple(side.counts for side in s.pair) for s in self.strata if s.n]
        return hazard_ratios(*strata)[0]


@dataclass(frozen=True)
class Later:
    """A split of the view's population, for one endpoint, at one landmark.

    `frames`: what the queries of the split tell, by landmark day; see `warehouse/queries/later_*`.
    """

    on: Page
    split: Split
    endpoint: Endpoint
    day: int
    frames: Mapping[int, pl.DataFrame]

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The groups of the view."""
        return groups(self.on.study, self.on.view.selection)

    @cached_property
    def empty(self) -> tuple[Group, ...]:
        """The groups of which nobody has a time of the endpoint."""
        rows = self.timed(self.day)
        return tuple(g for g in self.groups if rows.filter(g.matches).is_empty())

    @property
    def has_all(self) -> bool:
        """Whether all together are looked at: several groups of one kind, that can be compared."""
        return len(self.groups) - len(self.empty) > 1 and not self.on.refused

    def is_shown(self, one: Scope | Changing) -> bool:
        """Whether a group, or all together, has anybody to be told of."""
        return one.code not in {group.code for group in self.empty}

    @property
    def of(self) -> str:
        """What the split is about, in words."""
        study, code = self.on.study, self.split.of
        if self.split.kind == "milestone":
            return study.milestone_label(code)
        if self.split.kind == "timepoint":
            return study.timepoint(code).label
        return next(x.label for x in study.code_list("infusion") if x.code == code)

    def label(self, level: str, day: int) -> str:
        """A level in words."""
        return say(f"later.{level}", of=self.of, day=day)

    @property
    def days(self) -> float:
        """The chosen time in days."""
        return self.on.view.time * self.on.study.unit_days

    def left_out(self, group: Group) -> dict[str, int]:
        """Who of a group has no time of the endpoint, by reason."""
        without = self.frames[self.day].filter(group.matches & pl.col("state").is_null())
        return dict(without.group_by("reason").agg(pl.col("n").sum()).sort("reason").rows())

    @cached_property
    def by_day(self) -> dict[int, tuple[Scope, ...]]:
        """Every group, then all together, at each landmark that is offered."""
        return {day: self._scopes(day) for day in self.split.days}

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """Those at the landmark of the view."""
        return self.by_day[self.day]

    def without_result(self, group: Group) -> tuple[int, int]:
        """Of a split of MRD: of how many a quarantined row might tell a result, of all timed."""
        mine = self.timed(self.day).filter(group.matches)
        return int(mine.filter("is_in_doubt")["n"].sum()), int(mine["n"].sum())

    def timed(self, day: int) -> pl.DataFrame:
        """Who has a time of the endpoint, as is known by a landmark."""
        return self.frames[day].filter(pl.col("state").is_not_null())

    def _scopes(self, day: int) -> tuple[Scope, ...]:
        rows = self.timed(day)
        each = tuple(self._scope(g.code, g.label, rows.filter(g.matches), day) for g in self.groups)
        if not self.has_all:
            return each
        return (*each, self._scope(ALL, say("later.all"), rows, day, each))

    def _scope(
        self, code: str, label: str, rows: pl.DataFrame, day: int, strata: tuple[Scope, ...] = ()
    ) -> Scope:
        levels = LEVELS[self.split.kind]
        by_day = (pl.col("switch_day") <= day).fill_null(False)
        is_class = self.split.kind == "timepoint"
        known = rows if is_class else rows.filter(by_day | ~pl.col("is_in_doubt"))
        halves = _by_class(known, day) if is_class else _by_switch(known, day)
        sides = tuple(
            Side(level, self.label(level, day), role, *half)
            for level, role, half in zip(levels, ROLES, halves, strict=False)
        )
        n_in_doubt = int(rows["n"].sum()) - int(known["n"].sum())
        n_later = _switched_after(known, day) if self.split.kind == "milestone" else None
        return Scope(code, label, sides, n_in_doubt, n_later, strata)

    @cached_property
    def changing(self) -> tuple[Changing, ...]:
        """Every group as it switches in time, then all together."""
        rows = self.timed(self.day)
        each = tuple(changing_of(g.code, g.label, rows.filter(g.matches)) for g in self.groups)
        if not self.has_all:
            return each
        return (*each, changing_of(ALL, say("later.all"), rows, each))


Half = tuple[DayCounts, Dropped]


def _by_switch(rows: pl.DataFrame, day: int) -> tuple[Half, ...]:
    found = landmark(rows, day)
    return (
        (found.not_switched, found.dropped_not_switched),
        (found.switched, found.dropped_switched),
    )


def _switched_after(rows: pl.DataFrame, day: int) -> int:
    """In how many it happened after the landmark, within their own time as `landmark` has it."""
    later = (pl.col("switch_day") > day) & (pl.col("switch_day") <= pl.col("time_days"))
    return int(rows.filter(later)["n"].sum())


def _by_class(rows: pl.DataFrame, day: int) -> tuple[Half, ...]:
    """One landmark a level: nobody switches within it."""
    level = pl.col("class").replace_strict(RESULTS, default="not_known", return_dtype=pl.String)
    never = rows.with_columns(level=level, switch_day=pl.lit(None, pl.Int32))
    parts = (never.filter(pl.col("level") == code) for code in LEVELS["timepoint"])
    return tuple(_by_switch(part, day)[0] for part in parts)


def endpoint_of(on: Page, split: Split) -> Endpoint:
    """The endpoint of the view if the split offers it, else the first that it offers."""
    offered = split.endpoint_codes
    code = on.view.endpoint if on.view.endpoint in offered else offered[0]
    return on.study.endpoint(code)


def later_of(on: Page) -> Later:
    """The split of a view."""
    split, day = on.study.survival.split(on.view.split), int(on.view.day)
    endpoint = endpoint_of(on, split)
    return Later(on, split, endpoint, day, _frames(on, split, endpoint))


def _frames(on: Page, split: Split, endpoint: Endpoint) -> dict[int, pl.DataFrame]:
    """What is known by each landmark that is offered; of a switch one query tells all."""
    chosen, told = on.view.selection, {"endpoint_code": endpoint.code}
    if split.kind == "milestone":
        found = query(on.snapshot, "later_milestone", chosen, milestone_code=split.of, **told)
        return dict.fromkeys(split.days, found)
    if split.kind == "infusion":
        found = query(on.snapshot, "later_infusion", chosen, infusion_code=split.of, **told)
        return dict.fromkeys(split.days, found)
    told |= {"timepoint_code": split.of}
    threshold = threshold_of(on.view.mrd) if on.view.mrd else None
    return {
        day: query(on.snapshot, "later_timepoint", chosen, threshold=threshold, day=day, **told)
        for day in split.days
    }
