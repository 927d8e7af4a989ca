"""One course of a block, the first or a later one: who had it, and what may be said of it."""

from dataclasses import dataclass, replace
from functools import cached_property

import polars as pl

from analysis.answer import Account, Disclosed, Number
from analysis.compose import Page
from analysis.toxicity_exposure import (
    Among,
    accounts_of,
    asked_told,
    events_asked,
    is_withholding,
    rest_of,
    two_scales,
)
from analysis.toxicity_items import Items, items_of, number_code
from trial.study import Block
from trial.words import say
from warehouse.query import query


@dataclass(frozen=True)
class Course:
    """The course that the view names, of every group.

    `first`: rows of the query `course_first`. `family`: patients by item, by group, where numbers
    are withheld at all.
    """

    items: Items
    first: pl.DataFrame
    family: dict[str, dict[str, int]]

    @property
    def on(self) -> Page:
        """The view."""
        return self.items.on

    @property
    def block(self) -> Block:
        """The block that it is a course of."""
        return self.on.study.block(self.on.view.block)

    @property
    def place(self) -> dict[str, int | str]:
        """The course, for a query."""
        return {"block": self.on.view.block, "nth": int(self.on.view.nth)}

    @cached_property
    def told(self) -> dict[str, str]:
        """The item, block and number in words."""
        asked = asked_told(self.items)
        return {"asked": asked, "block": self.block.label, "nth": self.on.view.nth}

    @cached_property
    def groups(self) -> tuple[Among, ...]:
        """Of every group who had the course, and of whom events are documented."""
        found = []
        for group in self.items.groups:
            mine = self.first.filter(group.matches)
            documented = mine.filter("is_documented")
            found.append(Among(group, int(mine["n"].sum()), int(documented["n"].sum())))
        return tuple(found)

    @cached_property
    def refused(self) -> str | None:
        """Why the groups are not compared in anything of the course."""
        limit = self.on.study.toxicity.most_undocumented
        for one in self.groups:
            if one.n_started and (one.n_started - one.n_documented) / one.n_started > limit:
                return say("toxicity.too_undocumented", group=one.group.label)
        return self.items.refused(self.block.code)

    @property
    def apart(self) -> str:
        """Why they are not compared in the events of the view, though in other things."""
        return self.refused or two_scales(self.items, self.on.view.item, (self.block.code,))

    @cached_property
    def also(self) -> tuple[int, ...]:
        """What every number of the course tells: who did not have it, who is not documented.

        And those who started the block, but did not have this course.
        """
        found = []
        for one, started in zip(self.groups, self.items.started(self.block.code), strict=True):
            never = self.on.sizes[one.group.code].n_population - one.n_started
            found += [never, one.n_started, one.n_documented, one.n_started - one.n_documented]
            found += [started.n_started - one.n_started, started.n_documented - one.n_documented]
        return tuple(found)

    def disclosed(self, counts: tuple[int, ...], part: str) -> Disclosed:
        """What something about the course tells."""
        return Disclosed((*counts, *self.also), f"course.{part}")

    def rest(self, item: str) -> tuple[int, ...]:
        """What an item tells beside other items."""
        return tuple(n for of in self.family.values() for n in rest_of(self.items, item, of))

    def accounts(self, part: str) -> tuple[Account, ...]:
        """Who is in a figure about the course."""
        never = say("time.without", block=self.block.label, nth=self.on.view.nth)
        return accounts_of(self.items, self.groups, never, f"course_account.{part}")

    @property
    def number(self) -> Number:
        """What every number of the course shares."""
        base = replace(self.on.number(), block_code=self.block.code)
        base = replace(base, timepoint_code=f"course_{self.on.view.nth}")
        return replace(base, denominator_code="documented")

    @property
    def event_number(self) -> Number:
        """The same of the events of the view."""
        item = number_code(self.on, self.on.view.item)
        return replace(self.number, item_code=item, grade_min=self.on.view.grade)


def course_of(on: Page) -> Course:
    """The course of a view."""
    items, chosen = items_of(on), on.view.selection
    place = {"block": on.view.block, "nth": int(on.view.nth)}
    first = query(on.snapshot, "course_first", chosen, **place, **events_asked(on))
    family = {}
    if is_withholding():
        found = query(on.snapshot, "course_family", chosen, **place, grade=on.view.grade)
        for group in items.groups:
            mine = found.filter(group.matches).select("item_code", "n")
            family[group.code] = dict(mine.iter_rows())
    return Course(items, first, family)
