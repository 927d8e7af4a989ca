"""Events of a block, per course: rates with intervals by patient, and their differences.

Courses of one patient are alike, so the patient is the unit of every interval
(`analysis.stats.toxicity`).
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl

from analysis.answer import Disclosed, Number, of_estimate
from analysis.charts.rows import Amount, Row
from analysis.groups import Group
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.estimate import Estimate, not_estimable
from analysis.stats.toxicity import PerPatient, rate, rate_difference
from analysis.toxicity_items import ANY, Items
from analysis.wording import written
from trial.words import say
from warehouse.query import query


@dataclass(frozen=True)
class Rate:
    """Events of an item in the courses of a group; `instead` says why there is no number.

    `apart` says why it is not compared.
    """

    group: Group
    patients: PerPatient
    instead: str = ""
    left_out: int = 0
    apart: str = ""

    @property
    def n_events(self) -> int:
        """Events."""
        return int(self.patients.n_events)

    @property
    def n_courses(self) -> int:
        """Courses of the documented."""
        return int(self.patients.all_exposure)

    @cached_property
    def found(self) -> Estimate:
        """Events per course, its interval by patient."""
        method = "rate per course"
        if self.instead:
            return not_estimable(self.instead, method)
        if self.patients.n < FEWEST_FOR_PERCENT:
            return not_estimable(say("survival.few", n=FEWEST_FOR_PERCENT), method)
        return rate(self.patients)

    @property
    def counts(self) -> tuple[int, ...]:
        """Patients with the event, without it, and those left out."""
        return self.n_with, self.patients.n - self.n_with, self.left_out

    @property
    def n_with(self) -> int:
        """Patients with an event."""
        alike = self.patients.alike
        is_with = self.patients.events > 0
        return int(is_with.sum() if alike is None else alike[is_with].sum())

    @property
    def told(self) -> str:
        """31 in 74 courses (0.42 a course; 0.30 to 0.58)."""
        if self.instead:
            return self.instead
        counted = say("toxicity.events_in", n=self.n_events, courses=self.n_courses)
        if self.found.estimate is None:
            return counted
        return f"{counted}: {written(self.found, per_course)}"


def per_course(value: float) -> str:
    """0.42."""
    return f"{value:.2f}"


def signed(value: float) -> str:
    """+0.12."""
    return f"{value:+.2f}".replace("-", "\u2212")


def difference_of(one: Rate, reference: Rate) -> Estimate:
    """`one` minus `reference`, or why not."""
    for side in (reference, one):
        if side.apart or side.found.estimate is None:
            why = side.apart or side.found.reason
            reason = say("share.of", group=side.group.label, reason=why)
            return not_estimable(reason, "difference of rates")
    return rate_difference(reference.patients, one.patients)


@dataclass(frozen=True)
class RateLine:
    """One row of events: as a Line of shares, with rates per course."""

    label: str
    rates: tuple[Rate, ...]
    part: str
    refused: str | None = None
    indent: int = 0

    @cached_property
    def pairs(self) -> tuple[tuple[Rate, Estimate], ...]:
        """Each group after the first with its difference from the first."""
        if self.refused or not self.rates:
            return ()
        reference, *others = self.rates
        return tuple((one, difference_of(one, reference)) for one in others)

    @property
    def disclosed(self) -> Disclosed:
        """What the row tells of patients."""
        return Disclosed(tuple(n for one in self.rates for n in one.counts), self.part)

    @property
    def cells(self) -> tuple[str, ...]:
        """The label, every rate and every difference, as a table shows them."""
        told = [written(found, signed) for _, found in self.pairs]
        return (self.label, *(one.told for one in self.rates), *told)

    def chart_row(self, is_hidden: bool) -> Row:
        """The row as a chart draws it; a withheld one says so."""
        hidden = say("disclosure.short") if is_hidden else ""
        drawn = tuple(_drawn(one, hidden) for one in self.rates)
        if is_hidden:
            return Row(self.label, drawn, indent=self.indent)
        reference = self.rates[0].group.label
        differences = tuple(
            Amount(
                say("share.minus", cohort=one.group.label, comparator=reference),
                one.group.role,
                *(found.estimate, found.lower, found.upper),
                number="" if found.estimate is None else written(found, signed),
                more=written(found, signed),
                instead=found.reason or "",
            )
            for one, found in self.pairs
        )
        return Row(self.label, drawn, differences, self.indent)


def _drawn(one: Rate, hidden: str) -> Amount:
    label, role = one.group.label, one.group.role
    if instead := hidden or one.instead:
        return Amount(label, role, None, instead=instead)
    found, counted = one.found, f"{one.n_events}/{one.n_courses}"
    if found.estimate is None:
        return Amount(label, role, None, number=counted, instead=found.reason or "")
    limits = (found.estimate, found.lower, found.upper)
    number = f"{counted}\u2002{per_course(found.estimate)}"
    return Amount(label, role, *limits, number=number, more=one.told)


@dataclass(frozen=True)
class Rates:
    """Every item's events in the chosen block, ready for a row each.

    `events`: (events, courses, patients) of who had any, by group and item; `courses`: documented
    patients by their courses of the block, by group.
    """

    items: Items
    events: dict[tuple[str, str], list[tuple[int, int, int]]]
    courses: dict[str, dict[int, int]]

    def line(self, item: str, indent: int = 0) -> RateLine:
        """One item: each group's rate."""
        items, block = self.items, self.items.on.view.block
        rates, apart = [], items.two_scales(block, item)
        for s in items.started(block):
            reason = "" if s.n_documented else items.why_nobody(s)
            sizes = (self._per_patient(item, s.group), reason, s.n_undocumented)
            rates.append(Rate(s.group, *sizes, "" if reason else apart))
        part, _ = items.together(block, item)
        return RateLine(items.label(item), tuple(rates), part, items.refused(block), indent)

    def _per_patient(self, item: str, group: Group) -> PerPatient:
        """Events and courses of every documented patient: those without events too."""
        counted = self.events.get((group.code, item), [])
        without = dict(self.courses.get(group.code, {}))
        for _, n_courses, n in counted:
            without[n_courses] -= n
        every = [*counted, *((0, n_courses, n) for n_courses, n in without.items())]
        of_some = [row for row in every if row[2]]
        columns = [np.array([row[k] for row in of_some], dtype=float) for k in range(3)]
        return PerPatient(*columns)


def rates_of(items: Items) -> Rates:
    """The events of the chosen block at the view's grade."""
    on = items.on
    told = {"block": on.view.block}
    found = query(on.snapshot, "block_events", on.view.selection, grade=on.view.grade, **told)
    documented = query(on.snapshot, "block_courses", on.view.selection, **told)
    # Any event shown: of the categories shown by default, or of all.
    shown, hidden = ("all", ANY) if on.view.extra else (ANY, "all")
    events, courses = {}, {}
    for group in items.groups:
        for row in found.filter(group.matches, pl.col("item_code") != hidden).rows(named=True):
            item = ANY if row["item_code"] == shown else row["item_code"]
            of = (row["n_events"], row["n_courses"], row["n"])
            events.setdefault((group.code, item), []).append(of)
        mine = documented.filter(group.matches).select("n_courses", "n")
        courses[group.code] = dict(mine.iter_rows())
    return Rates(items, events, courses)


def rate_numbers(line: RateLine, base: Number) -> list[Number]:
    """The tidy numbers of a row: each rate, each difference. Numerators are events of courses."""
    base = replace(base, disclosed=line.disclosed, unit="per course")
    numbers = []
    for one in line.rates:
        row = replace(base, cohort=one.group.code, statistic="rate_per_course")
        row = replace(row, numerator=one.n_events, denominator=one.n_courses)
        numbers.append(replace(row, **of_estimate(one.found)))
    for one, found in line.pairs:
        row = replace(base, cohort=one.group.code, comparator=line.rates[0].group.code)
        row = replace(row, statistic="rate_per_course_difference")
        numbers.append(replace(row, **of_estimate(found)))
    return numbers
