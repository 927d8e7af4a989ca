"""The kinds of blocks of a study: patients with an event, rates by course and by time at risk."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
import polars as pl

from analysis.answer import Disclosed, Number, of_estimate
from analysis.charts.rows import Amount, Row
from analysis.disclosure import gate
from analysis.groups import Group
from analysis.shares import FEWEST_FOR_PERCENT, Line, Share, line_numbers
from analysis.stats.estimate import Estimate, not_estimable
from analysis.stats.toxicity import (
    DAYS_PER_YEAR,
    PerPatient,
    rate,
    rate_difference,
    share_difference,
    share_of_courses,
)
from analysis.toxicity_exposure import events_asked, is_withholding, rest_of, two_scales
from analysis.toxicity_items import Items, number_code
from analysis.wording import written
from trial.study import BlockGroup
from trial.words import say
from warehouse.query import query

# Groups whose patients had so many times the courses of another's are compared by rates alone.
MOST_COURSES = 1.25
EVERY, FIRST, LATER = "all", "first", "later"
PARTS = (EVERY, FIRST, LATER)


def _signed(write: Callable[[float], str]) -> Callable[[float], str]:
    """A writer that puts a sign, a true minus, before."""
    return lambda x: ("\u2212" if x < 0 else "+") + write(abs(x))


def _hundredths(x: float) -> str:
    return f"{x:.2f}"


def _tenths(x: float) -> str:
    """7.3; below 1 with a digit more, so that little is not nothing."""
    return f"{x:.1f}" if x >= 1 else f"{x:.2f}"


def _per_cent(x: float) -> str:
    return f"{100 * x:.1f}"


@dataclass(frozen=True)
class Measure:
    """A rate of a kind of blocks: what is counted over what, and how it is written."""

    code: str
    events: str
    exposure: str
    estimate: Callable[[PerPatient], Estimate]
    difference: Callable[[PerPatient, PerPatient], Estimate]
    write: Callable[[float], str]
    unit: str

    def told(self, found: Estimate) -> str:
        """The rate in words."""
        return written(found, self.write, " %" if self.code == SHARE else "")

    def difference_told(self, found: Estimate) -> str:
        """A difference in words."""
        unit = say("value.points") if self.code == SHARE else ""
        return written(found, _signed(self.write), unit)


SHARE = "share_of_courses"
PER_COURSE = Measure(
    *("rate_per_course", "n_events", "n_courses"),
    *(rate, rate_difference, _hundredths, "per course"),
)
PER_YEAR = Measure(
    *("rate_per_year", "n_events", "n_days"),
    partial(rate, per=DAYS_PER_YEAR),
    partial(rate_difference, per=DAYS_PER_YEAR),
    *(_tenths, "per patient-year"),
)
OF_COURSES = Measure(
    *(SHARE, "n_courses_with", "n_courses"),
    *(share_of_courses, share_difference, _per_cent, "proportion"),
)
MEASURES = (PER_COURSE, PER_YEAR, OF_COURSES)


@dataclass(frozen=True)
class Exposed:
    """What a group had in a part of the courses of a kind of blocks.

    `rows`: of the documented, a row those who are alike: n, n_courses, n_days, n_events,
    n_courses_with, is_possible.
    """

    group: Group
    rows: pl.DataFrame
    n_started: int
    n_population: int

    def total(self, column: str) -> int:
        """Courses, days or events of all documented."""
        return int((self.rows[column] * self.rows["n"]).sum())

    @cached_property
    def n_documented(self) -> int:
        """The denominator."""
        return int(self.rows["n"].sum())

    @cached_property
    def n_with(self) -> int:
        """Patients with an event for certain."""
        return int(self.rows.filter(pl.col("n_events") > 0)["n"].sum())

    @cached_property
    def n_possible(self) -> int:
        """Patients of whom it is possible, but not certain."""
        return int(self.rows.filter("is_possible")["n"].sum())

    @property
    def instead(self) -> str:
        """Why there is no number; empty if there is one."""
        if self.n_documented:
            return ""
        return say("toxicity.undocumented" if self.n_started else "toxicity.not_given")

    @property
    def courses_each(self) -> str:
        """Courses a documented patient had: who had more had more time for an event."""
        if not self.n_documented:
            return ""
        return say("compare.each", courses=f"{self.total('n_courses') / self.n_documented:.1f}")

    @property
    def counts(self) -> tuple[int, ...]:
        """Every number of patients, and of courses, that it tells."""
        n, courses, some = self.n_documented, self.total("n_courses"), self.total("n_courses_with")
        events = self.total("n_events")
        patients = (n, self.n_with, n - self.n_with, self.n_possible, self.n_started - n)
        return (*patients, self.n_started, some, courses - some, events, max(courses - events, 0))

    def per_patient(self, measure: Measure) -> PerPatient:
        """Events and exposure of every documented patient."""
        columns = (measure.events, measure.exposure, "n")
        return PerPatient(*(self.rows[c].to_numpy().astype(np.float64) for c in columns))

    def found(self, measure: Measure) -> Estimate:
        """The rate with its interval by patient; of fewer than ten the counts alone."""
        if self.instead:
            return not_estimable(self.instead, measure.code)
        if self.n_documented < FEWEST_FOR_PERCENT:
            return not_estimable(say("survival.few", n=FEWEST_FOR_PERCENT), measure.code)
        return measure.estimate(self.per_patient(measure))

    def told(self, measure: Measure) -> str:
        """31 events in 74 courses: 0.42 (0.30 to 0.58)."""
        if self.instead:
            return self.instead
        sizes = {"n": self.total(measure.events), "of": self.total(measure.exposure)}
        counted = say(f"compare.counted_{measure.exposure}", **sizes)
        if measure.code == SHARE:
            counted = f"{sizes['n']}/{sizes['of']}"
        found = self.found(measure)
        return counted if found.estimate is None else f"{counted}: {measure.told(found)}"


@dataclass(frozen=True)
class Kind:
    """A kind of blocks: each part of its courses, by group.

    `refused` says why its groups are not compared at all, `apart` why not for this item. `also`:
    numbers of patients that it tells beside other looks at the page.
    """

    kind: BlockGroup
    parts: dict[str, tuple[Exposed, ...]]
    refused: str | None
    apart: str
    also: tuple[int, ...]

    @cached_property
    def disclosed(self) -> Disclosed:
        """All that is told of it stands or falls together."""
        counts = [n for of in self.parts.values() for one in of for n in one.counts]
        never = [one.n_population - one.n_started for one in self.parts[EVERY]]
        return Disclosed((*counts, *never, *self._between()), f"compare.{self.kind.code}")

    def _between(self) -> tuple[int, ...]:
        """All courses less the first, less the later ones, and those with an event in both."""
        found = list(self.also)
        for every, first, later in zip(*(self.parts[p] for p in PARTS), strict=True):
            for name in ("n_started", "n_documented", "n_with"):
                a, b, c = (getattr(one, name) for one in (every, first, later))
                found += [a - b, a - c, b + c - a]
        return tuple(found)

    @property
    def is_hidden(self) -> bool:
        """Whether the policy withholds it: what the tables do not show no picture may."""
        return not gate().passes(self.disclosed)

    def line(self, part: str, label: str, indent: int = 0) -> Line:
        """Patients with an event: each group's share."""
        shares = []
        for one in self.parts[part]:
            more = say("toxicity.possible", n=one.n_possible) if one.n_possible else ""
            more = " ".join(text for text in (one.courses_each, more) if text)
            sizes = (one.n_with, one.n_documented, one.instead, one.n_started - one.n_documented)
            apart = "" if one.instead else self.apart or self._unequal(part)
            shares.append(Share(one.group, *sizes, apart=apart, more=more))
        told = self.disclosed
        return Line(label, tuple(shares), told.part, self.refused, indent, told.counts)

    def _unequal(self, part: str) -> str:
        """Why patients are not compared: who had more courses had more time for an event."""
        each = [
            one.total("n_courses") / one.n_documented for one in self.parts[part] if not one.instead
        ]
        if len(each) < 2 or max(each) <= MOST_COURSES * min(each):
            return ""
        return say("compare.unequal", courses=", ".join(f"{x:.1f}" for x in each))

    def pairs(self, measure: Measure, part: str = EVERY) -> list[tuple[Exposed, Estimate]]:
        """Each group after the first with its difference from the first; none if refused."""
        reference, *others = self.parts[part]
        if self.refused:
            return []
        return [(one, self._difference(measure, one, reference)) for one in others]

    def _difference(self, measure: Measure, one: Exposed, reference: Exposed) -> Estimate:
        for side in (reference, one):
            reason = self.apart or side.found(measure).reason
            if self.apart or side.found(measure).estimate is None:
                told = say("share.of", group=side.group.label, reason=reason)
                return not_estimable(told, measure.code)
        return measure.difference(reference.per_patient(measure), one.per_patient(measure))

    def amounts(self, measure: Measure, part: str, label: str, indent: int = 0) -> Row:
        """A rate of each group as a chart draws it; a withheld one says so."""
        hidden = say("disclosure.short") if self.is_hidden else ""
        drawn = tuple(_drawn(one, measure, hidden) for one in self.parts[part])
        return Row(label, drawn, indent=indent)


def _drawn(one: Exposed, measure: Measure, hidden: str) -> Amount:
    label, role = one.group.label, one.group.role
    if instead := hidden or one.instead:
        return Amount(label, role, None, instead=instead)
    found = one.found(measure)
    counted = f"{one.total(measure.events)}/{one.total(measure.exposure)}"
    if found.estimate is None:
        return Amount(label, role, None, number=counted, instead=found.reason or "")
    number = f"{counted}\u2002{measure.write(found.estimate)}"
    limits = (found.estimate, found.lower, found.upper)
    return Amount(label, role, *limits, number=number, more=one.told(measure))


def kinds_of(items: Items) -> tuple[Kind, ...]:
    """Every kind of blocks that anybody of the population was given."""
    on = items.on
    found = query(on.snapshot, "group_exposure", on.view.selection, **events_asked(on))
    family = None
    if is_withholding():
        family = query(on.snapshot, "group_family", on.view.selection, grade=on.view.grade)
    kinds = []
    for kind in on.study.toxicity.block_groups:
        mine = found.filter(pl.col("group_code") == kind.code)
        parts = {part: _exposed(items, mine, part) for part in PARTS}
        if not any(one.n_started for one in parts[EVERY]):
            continue
        refused = _refused(items, parts[EVERY])
        apart = two_scales(items, on.view.item, kind.block_codes)
        also = () if family is None else _also(items, kind, parts, family)
        kinds.append(Kind(kind, parts, refused, apart, also))
    return tuple(kinds)


def _exposed(items: Items, found: pl.DataFrame, part: str) -> tuple[Exposed, ...]:
    of_part = found.filter(pl.col("part_code") == part)
    groups = []
    for group in items.groups:
        mine = of_part.filter(group.matches)
        size = items.on.sizes[group.code].n_population
        rows = mine.filter("is_documented")
        groups.append(Exposed(group, rows, int(mine["n"].sum()), size))
    return tuple(groups)


def _refused(items: Items, every: tuple[Exposed, ...]) -> str | None:
    """Why the groups are not compared."""
    limit = items.on.study.toxicity.most_undocumented
    for one in every:
        if one.n_started and (one.n_started - one.n_documented) / one.n_started > limit:
            return say("compare.too_undocumented", group=one.group.label, limit=f"{100 * limit:g}")
    return items.on.refused


def _also(
    items: Items, kind: BlockGroup, parts: dict[str, tuple[Exposed, ...]], family: pl.DataFrame
) -> tuple[int, ...]:
    """What the kind tells beside other items, and beside each of its blocks in the page's table."""
    item, found = items.on.view.item, []
    mine = family.filter(pl.col("group_code") == kind.code)
    for part, exposed in parts.items():
        of_part = mine.filter(pl.col("part_code") == part)
        for one in exposed:
            rows = of_part.filter(one.group.matches)
            found += rest_of(items, item, dict(rows.select("item_code", "n").iter_rows()))
    for block in kind.block_codes:
        for one, started in zip(parts[EVERY], items.started(block), strict=True):
            n_with = items.count(block, item, one.group)
            beside = (
                (one.n_started, started.n_started),
                (one.n_documented, started.n_documented),
                (one.n_with, n_with),
            )
            found += [abs(a - b) for a, b in beside]
    return tuple(found)


def kind_numbers(kind: Kind, base: Number) -> list[Number]:
    """The tidy numbers of a kind: each part, measure, group and difference."""
    numbers = []
    for part in PARTS:
        level = kind.kind.code if part == EVERY else f"{kind.kind.code}/{part}"
        row = replace(base, level_code=level)
        line = kind.line(part, "")
        numbers += line_numbers(line, row, "group_patients_proportion")
        for measure in MEASURES:
            numbers += _rate_numbers(kind, measure, part, row)
        numbers += _day_numbers(kind, part, row)
    return numbers


def _rate_numbers(kind: Kind, measure: Measure, part: str, base: Number) -> list[Number]:
    numbers, statistic = [], f"group_{measure.code}"
    base = replace(base, unit=measure.unit, disclosed=kind.disclosed)
    for one in kind.parts[part]:
        sizes = one.total(measure.events), one.total(measure.exposure)
        row = replace(base, cohort=one.group.code, statistic=statistic)
        row = replace(row, numerator=sizes[0], denominator=sizes[1])
        numbers.append(replace(row, **of_estimate(one.found(measure))))
    reference = kind.parts[part][0].group.code
    for one, found in kind.pairs(measure, part):
        row = replace(base, cohort=one.group.code, comparator=reference)
        row = replace(row, statistic=f"{statistic}_difference")
        numbers.append(replace(row, **of_estimate(found)))
    return numbers


def _day_numbers(kind: Kind, part: str, base: Number) -> list[Number]:
    """Days at risk and courses; they are of no item."""
    base = replace(base, disclosed=kind.disclosed, method="count", item_code=None, grade_min=None)
    base = replace(base, denominator_code="documented")
    return [
        replace(
            base,
            cohort=one.group.code,
            statistic=statistic,
            estimate=one.total(column),
            denominator=one.n_documented,
            unit=unit,
        )
        for one in kind.parts[part]
        for statistic, column, unit in (
            ("group_days", "n_days", "days"),
            ("group_courses", "n_courses", "courses"),
        )
    ]


def number_base(items: Items) -> Number:
    """What every number of the part shares."""
    base = replace(items.on.number(), grade_min=items.on.view.grade, denominator_code="documented")
    return replace(base, item_code=number_code(items.on, items.on.view.item))
