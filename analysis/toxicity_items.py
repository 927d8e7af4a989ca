"""What is counted on the toxicity page: who started each block, and each item's patients in it.

An item is `any` event shown, a `category/CODE`, a `term/CODE` or `fatal`. The denominator of a
block is who started it with all their adverse events documented; the others are shown beside it,
not counted as free of events.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from analysis.compose import Page
from analysis.disclosure import gate
from analysis.groups import Group, groups
from analysis.shares import Line, Share
from trial.words import say
from warehouse.query import query

ANY, FATAL = "any", "fatal"


@dataclass(frozen=True)
class Started:
    """Who of a group started a block; `n_documented` is the denominator.

    `n_days`: days on which events of the documented are attributed to it; None if not known.
    """

    group: Group
    n_started: int
    n_documented: int
    n_courses: int
    n_population: int = 0
    n_days: int | None = None

    @property
    def n_undocumented(self) -> int:
        """Started, with events not documented in every course."""
        return self.n_started - self.n_documented

    @property
    def days_each(self) -> float | None:
        """Mean days at risk of a documented patient."""
        if self.n_days is None or not self.n_documented:
            return None
        return self.n_days / self.n_documented

    @property
    def disclosed(self) -> tuple[int, ...]:
        """The counts of the block."""
        never = self.n_population - self.n_started
        return self.n_started, self.n_documented, self.n_undocumented, never


def kind_of(item: str) -> str:
    """any, fatal, category or term."""
    return item.partition("/")[0]


def code_of(item: str) -> str:
    """The code of an item without its kind, as numbers and tables name it."""
    return item.rpartition("/")[2]


def number_code(on: Page, item: str) -> str:
    """The code of an item in numbers: 'all' is any event of all categories, if those are shown."""
    return "all" if item == ANY and on.view.extra else code_of(item)


@dataclass(frozen=True)
class Items:
    """Everything counted for the view: who started each block, and each item's patients.

    `events`: (certain, possible) by group, block and item. `scales`: patients by group, block and
    term, then by scale.
    """

    on: Page
    groups: tuple[Group, ...]
    blocks: dict[tuple[str, str], Started]
    events: dict[tuple[str, str, str], tuple[int, int]]
    scales: dict[tuple[str, str, str], dict[str, int]]

    def started(self, block: str) -> tuple[Started, ...]:
        """Who started a block, by group."""
        return tuple(self.blocks.get((g.code, block), Started(g, 0, 0, 0)) for g in self.groups)

    def count(self, block: str, item: str, group: Group) -> int:
        """Patients of a group with the item in the block, for certain."""
        return self.events.get((group.code, block, item), (0, 0))[0]

    def possible(self, block: str, item: str, group: Group) -> int:
        """Patients of whom the item is possible but not certain: their grade is a range."""
        certain, possible = self.events.get((group.code, block, item), (0, 0))
        return possible - certain

    def has(self, block: str, item: str) -> bool:
        """Whether anybody has the item in the block, be it only possibly."""
        return any((g.code, block, item) in self.events for g in self.groups)

    def label(self, item: str) -> str:
        """What the screen calls an item."""
        toxicity, kind = self.on.study.toxicity, kind_of(item)
        if kind == "category":
            return toxicity.category(code_of(item)).label
        return toxicity.term(code_of(item)).label if kind == "term" else say(f"toxicity.{kind}")

    def line(self, block: str, item: str, indent: int = 0) -> Line:
        """One item of a block: each group's share."""
        shares, apart = [], self.two_scales(block, item)
        for s in self.started(block):
            reason = "" if s.n_documented else self.why_nobody(s)
            extra = self.possible(block, item, s.group)
            more = say("toxicity.possible", n=extra) if extra else ""
            sizes = (self.count(block, item, s.group), s.n_documented, reason, s.n_undocumented)
            shares.append(Share(s.group, *sizes, apart="" if reason else apart, more=more))
        part, also = self.together(block, item)
        return Line(self.label(item), tuple(shares), part, self.refused(block), indent, also)

    def together(self, block: str, item: str) -> tuple[str, tuple[int, ...]]:
        """What is withheld with an item, and what the item tells beside those.

        A category less one of its terms are those who had the category without that term; so a
        category stands or falls with its terms, and 'any' with the rest beside each category.
        """
        toxicity, kind = self.on.study.toxicity, kind_of(item)
        possible = tuple(self.possible(block, item, g) for g in self.groups)
        if kind == "term":
            category = toxicity.term(code_of(item)).category_code
            return f"toxicity.{block}.{category}", possible
        inner: list[str] = []
        if kind == "category":
            inner = [f"term/{t.code}" for t in toxicity.terms if t.category_code == code_of(item)]
        elif kind == ANY:
            inner = [FATAL, *(f"category/{c}" for c in shown_categories(self.on))]
        rest = [
            self.count(block, item, g) - self.count(block, x, g)
            for g in self.groups
            for x in inner
            if self.count(block, x, g)
        ]
        return f"toxicity.{block}.{code_of(item)}", (*rest, *possible)

    def two_scales(self, block: str, item: str) -> str:
        """Why a term is not compared: its grades are of scales that do not mean the same."""
        if kind_of(item) != "term":
            return ""
        scales = [self.scales.get((g.code, block, code_of(item)), {}) for g in self.groups]
        families = {self.on.study.toxicity.scale(x).family for found in scales for x in found}
        return say("toxicity.two_scales") if len(families) > 1 else ""

    def scales_told(self, item: str) -> str:
        """The scales by which an item of the chosen block was graded: 'CTCAE 4.03, 5'."""
        toxicity, kind = self.on.study.toxicity, kind_of(item)
        terms = {t.code for t in toxicity.terms if item in (f"term/{t.code}", ANY, FATAL)}
        if kind == "category":
            terms = {t.code for t in toxicity.terms if t.category_code == code_of(item)}
        used = {
            scale
            for (_, block, term), found in self.scales.items()
            if term in terms and block == self.on.view.block
            for scale in found
        }
        versions: dict[str, list[str]] = {}
        for scale in toxicity.scales:
            name, _, version = scale.label.partition(" ")
            if scale.code in used:
                versions.setdefault(name, []).append(version)
        return ", ".join(f"{name} {', '.join(of)}".strip() for name, of in versions.items())

    @functools.cached_property
    def hidden(self) -> frozenset[str]:
        """The parts that the policy withholds: what the tables do not show no picture may."""
        policy = gate()
        if policy.k is None:
            return frozenset()
        lines = self.every_line()
        return frozenset(line.part for line in lines if not policy.passes(line.disclosed))

    def every_line(self) -> Iterator[Line]:
        """Every item of every block."""
        for block in self.on.study.blocks:
            for item in every_item(self.on):
                yield self.line(block.code, item)

    def why_nobody(self, started: Started) -> str:
        """Why a group has no number."""
        return say("toxicity.undocumented" if started.n_started else "toxicity.not_given")

    def refused(self, block: str) -> str | None:
        """Why the groups are not compared in a block."""
        limit = self.on.study.toxicity.most_undocumented
        for s in self.started(block):
            if s.n_started and s.n_undocumented / s.n_started > limit:
                return say("toxicity.too_undocumented", group=s.group.label)
        return self.on.refused


def shown_categories(on: Page) -> list[str]:
    """The categories that the view shows."""
    return [c.code for c in on.study.toxicity.categories if c.is_default or on.view.extra]


def every_item(on: Page) -> list[str]:
    """Everything the view counts, also what nobody had."""
    shown = shown_categories(on)
    terms = [f"term/{t.code}" for t in on.study.toxicity.terms if t.category_code in shown]
    return [ANY, FATAL, *(f"category/{c}" for c in shown), *terms]


def _blocks_of(on: Page, found: pl.DataFrame) -> dict[tuple[str, str], Started]:
    blocks = {}
    for group in groups(on.study, on.view.selection):
        size = on.sizes[group.code].n_population
        for row in found.filter(group.matches).rows(named=True):
            blocks[group.code, row["block_code"]] = Started(
                group,
                int(row["n_started"]),
                int(row["n_documented"]),
                int(row["n_courses"]),
                n_population=size,
                n_days=None if row["n_days"] is None else int(row["n_days"]),
            )
    return blocks


def items_of(on: Page) -> Items:
    """Everything counted for a view."""
    chosen = on.view.selection
    found = query(on.snapshot, "toxicity", chosen, grade=on.view.grade)
    # Any event shown: of the categories shown by default, or of all.
    shown, hidden = ("all", ANY) if on.view.extra else (ANY, "all")
    found = found.filter(pl.col("item_code") != hidden)
    graded = query(on.snapshot, "block_scale", chosen)
    events, scales = {}, {}
    for group in groups(on.study, chosen):
        for row in found.filter(group.matches).rows(named=True):
            item = ANY if row["item_code"] == shown else row["item_code"]
            events[group.code, row["block_code"], item] = (row["n"], row["n_possible"])
        for row in graded.filter(group.matches).rows(named=True):
            of_term = scales.setdefault((group.code, row["block_code"], row["term_code"]), {})
            of_term[row["scale_code"]] = row["n"]
    blocks = _blocks_of(on, query(on.snapshot, "block", chosen))
    return Items(on, groups(on.study, chosen), blocks, events, scales)
