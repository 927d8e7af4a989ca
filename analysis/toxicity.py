"""Toxicity: patients with a worst grade of at least g in a block, over those who started it.

The denominator of a block is who started it with all their adverse events documented; the others
are shown beside it, not counted as free of events. Intervals, no p-values: of some hundred cells
many would be 'significant' by chance.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from analysis.answer import Answer, Disclosed, Figure, Note, Number, Table
from analysis.charts.toxicity import (
    Cell,
    HeatMap,
    heat_map,
    heat_map_height,
    rate_differences,
    rates,
    rates_height,
)
from analysis.compose import Page, page
from analysis.disclosure import gate
from analysis.groups import Group, groups
from analysis.link import View
from analysis.shares import FEWEST_FOR_PERCENT, Line, Share, headline_of, line_numbers
from analysis.stats.proportion import wilson
from analysis.wording import at_least
from trial.study import Block
from trial.words import say
from warehouse.query import Snapshot, query

# More rows than this do not fit a screen: then terms are in the table alone.
MOST_DRAWN = 60


@dataclass(frozen=True)
class Started:
    """Who of a group started a block; `n_documented` is the denominator."""

    group: Group
    n_started: int
    n_documented: int
    n_courses: int
    n_population: int = 0

    @property
    def n_undocumented(self) -> int:
        """Started, with events not documented in every course."""
        return self.n_started - self.n_documented

    @property
    def disclosed(self) -> tuple[int, ...]:
        """The counts of the block."""
        never = self.n_population - self.n_started
        return self.n_started, self.n_documented, self.n_undocumented, never


@dataclass(frozen=True)
class Items:
    """Everything counted for the view: who started each block, and each item's patients.

    `events`: (certain, possible) by group, block, kind and item.
    """

    on: Page
    groups: tuple[Group, ...]
    blocks: dict[tuple[str, str], Started]
    events: dict[tuple[str, str, str, str], tuple[int, int]]

    def started(self, block: str) -> tuple[Started, ...]:
        """Who started a block, by group."""
        return tuple(self.blocks.get((g.code, block), Started(g, 0, 0, 0)) for g in self.groups)

    def count(self, block: str, kind: str, item: str, group: Group) -> int:
        """Patients of a group with the item in the block, for certain."""
        return self.events.get((group.code, block, kind, item), (0, 0))[0]

    def has(self, block: str, kind: str, item: str) -> bool:
        """Whether anybody has the item in the block, be it only possibly."""
        return any((g.code, block, kind, item) in self.events for g in self.groups)

    def line(self, block: str, kind: str, item: str, label: str, indent: int = 0) -> Line:
        """One item of a block: each group's share."""
        shares = []
        for s in self.started(block):
            n = self.count(block, kind, item, s.group)
            reason = "" if s.n_documented else self._why_nobody(s)
            sizes = (n, s.n_documented, reason, s.n_undocumented)
            shares.append(Share(s.group, *sizes))
        part, also = self.together(block, kind, item)
        return Line(label, tuple(shares), part, self.refused(block), indent, also)

    def together(self, block: str, kind: str, item: str) -> tuple[str, tuple[int, ...]]:
        """What is withheld with an item, and what the item tells beside those.

        A category less one of its terms are those who had the category without that term; so a
        category stands or falls with its terms, and 'any' with the rest beside each category.
        """
        toxicity = self.on.study.toxicity
        if kind == "term":
            item = next(t.category_code for t in toxicity.terms if t.code == item)
            return f"toxicity.{block}.{item}", ()
        terms = [t.code for t in toxicity.terms if t.category_code == item]
        inner_kind, inner = ("term", terms) if kind == "category" else ("category", None)
        inner = _categories(self.on) if inner is None else inner
        rest = [
            self.count(block, kind, item, g) - self.count(block, inner_kind, x, g)
            for g in self.groups
            for x in inner
            if self.count(block, inner_kind, x, g)
        ]
        return f"toxicity.{block}.{item}", tuple(rest)

    @functools.cached_property
    def hidden(self) -> frozenset[str]:
        """The parts that the policy withholds: what the tables do not show no picture may."""
        policy = gate()
        lines = self.every_line()
        return frozenset(line.part for line in lines if not policy.passes(line.disclosed))

    def every_line(self) -> Iterator[Line]:
        """Every item of every block."""
        for block in self.on.study.blocks:
            for kind, item in _every_item(self.on):
                yield self.line(block.code, kind, item, item)

    def _why_nobody(self, started: Started) -> str:
        return say("toxicity.undocumented" if started.n_started else "toxicity.not_given")

    def refused(self, block: str) -> str | None:
        """Why the groups are not compared in a block."""
        limit = self.on.study.toxicity.most_undocumented
        for s in self.started(block):
            if s.n_started and s.n_undocumented / s.n_started > limit:
                return say("toxicity.too_undocumented", group=s.group.label)
        return self.on.refused


def _categories(on: Page) -> list[str]:
    """The categories that the view shows."""
    return [c.code for c in on.study.toxicity.categories if c.is_default or on.view.extra]


def items_of(on: Page) -> Items:
    """Everything counted for a view."""
    chosen = on.view.selection
    found = query(on.snapshot, "toxicity", chosen, grade=on.view.grade)
    # Any event shown: of the categories shown by default, or of all.
    shown, hidden = ("all", "any") if on.view.extra else ("any", "all")
    found = found.filter(pl.col("item_code") != hidden)
    started = query(on.snapshot, "block", chosen)
    blocks, events = {}, {}
    for group in groups(on.study, chosen):
        for row in started.filter(group.matches).to_dicts():
            size = on.sizes[group.code].n_population
            blocks[group.code, row["block_code"]] = Started(
                group,
                int(row["n_started"]),
                int(row["n_documented"]),
                int(row["n_courses"]),
                n_population=size,
            )
        for row in found.filter(group.matches).to_dicts():
            if row["n_possible"]:
                kind, _, item = row["item_code"].partition("/")
                named = ("any", "any") if kind == shown else (kind, item)
                key = (group.code, row["block_code"], *named)
                events[key] = (row["n"], row["n_possible"])
    return Items(on, groups(on.study, chosen), blocks, events)


def _lines(items: Items) -> list[tuple[str, str, Line]]:
    """The rows of the chosen block: any event, then categories, each opening to its terms.

    A term that nobody had is not a row; every category is.
    """
    on, block = items.on, items.on.view.block
    lines = [("any", "any", items.line(block, "any", "any", say("toxicity.any")))]
    for category in on.study.toxicity.categories:
        if category.code not in _categories(on):
            continue
        line = items.line(block, "category", category.code, category.label)
        lines.append(("category", category.code, line))
        for term in on.study.toxicity.terms:
            if term.category_code != category.code:
                continue
            if items.has(block, "term", term.code):
                line = items.line(block, "term", term.code, term.label, indent=1)
                lines.append(("term", term.code, line))
    return lines


def _started_table(items: Items) -> Table:
    rows, disclosed = [], []
    for block in items.on.study.blocks:
        for s in items.started(block.code):
            if not s.n_started:
                continue
            counts = (s.n_started, s.n_documented, s.n_undocumented, s.n_courses)
            rows.append((block.label, s.group.label, *counts))
            disclosed.append(Disclosed(s.disclosed, f"started.{block.code}.{s.group.code}"))
    names = ("block", "cohort", "started", "documented", "undocumented", "courses")
    columns = tuple(say(f"column.{name}") for name in names)
    title = say("toxicity.table_started")
    return Table("started", title, columns, tuple(rows), tuple(disclosed), n_labels=2)


def _item_table(items: Items, lines: list[tuple[str, str, Line]]) -> Table:
    first = lines[0][2]
    columns = [say("column.item")]
    for s in items.started(items.on.view.block):
        columns.append(say("toxicity.header", group=s.group.label, n=s.n_documented))
    for share, _ in first.pairs:
        told = {"cohort": share.group.label, "comparator": first.shares[0].group.label}
        columns.append(say("column.minus", **told))
    hidden = gate()
    if any(hidden.hides(*s.disclosed) for s in items.started(items.on.view.block)):
        columns = [
            say("column.item"),
            *(s.group.label for s in first.shares),
            *columns[1 + len(first.shares) :],
        ]
    rows = []
    for _, _, line in lines:
        label = ("\u2003" if line.indent else "") + line.label
        rows.append((label, *line.cells[1:]))
    disclosed = tuple(line.disclosed for _, _, line in lines)
    return Table("items", say("toxicity.table_items"), tuple(columns), tuple(rows), disclosed)


def _cell(items: Items, block: Block, category: str, label: str, started: Started) -> Cell:
    n = items.count(block.code, "category", category, started.group)
    if not started.n_documented:
        return Cell(block.label, label, None, None, None, say("toxicity.undocumented_short"))
    part, _ = items.together(block.code, "category", category)
    if part in items.hidden or gate().hides(*started.disclosed):
        return Cell(block.label, label, None, None, None, say("disclosure.short"))
    few = started.n_documented < FEWEST_FOR_PERCENT
    estimate = None if few else wilson(n, started.n_documented).estimate
    return Cell(block.label, label, n, started.n_documented, estimate)


def _heat_maps(items: Items, caption: str) -> list[Figure]:
    on, figures = items.on, []
    shown = [b for b in on.study.blocks if any(s.n_started for s in items.started(b.code))]
    labels = {c.code: c.label for c in on.study.toxicity.categories if c.code in _categories(on)}
    for group in items.groups:
        cells = []
        for block in shown:
            started = next(s for s in items.started(block.code) if s.group == group)
            if started.n_started:
                cells += [_cell(items, block, c, label, started) for c, label in labels.items()]
        if not cells:
            continue
        blocks, categories = tuple(b.label for b in shown), tuple(labels.values())
        drawn = HeatMap(group.label, group.role, blocks, categories, tuple(cells))
        title = say("toxicity.title_blocks", group=group.label, at_least=_at_least(on))
        alt = say("toxicity.alt_blocks", group=group.label)
        draw, height = partial(heat_map, drawn), heat_map_height(drawn)
        figures.append(Figure(f"blocks_{len(figures) + 1}", title, draw, height, caption, alt))
    return figures


def _figures(items: Items, lines: list[Line], headline: str) -> tuple[Figure, ...]:
    on = items.on
    block = on.study.block(on.view.block)
    drawn = lines if len(lines) <= MOST_DRAWN else [line for line in lines if not line.indent]
    rows = [line.chart_row(line.part in items.hidden) for line in drawn]
    worst = "toxicity.worst_severity" if on.study.toxicity.steps else "toxicity.worst_grade"
    told = {"worst": say(worst), "at_least": _at_least(on), "days": block.attribution_days}
    few = "" if drawn == lines else say("toxicity.categories_only")
    caption = on.caption("toxicity.caption", **told, until=_until(on, block), rows=few)
    figures = []
    if any(p.estimate is not None for row in rows for p in row.proportions):
        title = say("toxicity.title", block=block.label, at_least=_at_least(on))
        draw, height = partial(rates, rows, say("response.axis")), rates_height(rows)
        alt = say("response.alt", headline=headline)
        figures.append(Figure("rates", title, draw, height, caption, alt, ("items",)))
        if any(row.differences for row in rows):
            draw = partial(rate_differences, rows, say("response.axis_difference"))
            title = say("toxicity.title_difference", block=block.label, at_least=_at_least(on))
            figures.append(
                Figure("rates_difference", title, draw, height, caption, alt, ("items",))
            )
    return (*figures, *_heat_maps(items, caption))


def _numbers(items: Items) -> tuple[Number, ...]:
    on, numbers = items.on, []
    base = replace(on.number(), grade_min=on.view.grade, denominator_code="documented")
    for block in on.study.blocks:
        for s in items.started(block.code):
            mine = replace(base, block_code=block.code, cohort=s.group.code, unit="patients")
            mine = replace(mine, grade_min=None, denominator_code=None, method="count")
            disclosed = Disclosed(s.disclosed, f"started.{block.code}.{s.group.code}")
            counts = (s.n_started, s.n_documented, s.n_undocumented)
            for name, n in zip(("started", "documented", "undocumented"), counts, strict=True):
                told = {"statistic": f"block_{name}", "estimate": n, "numerator": n}
                numbers.append(replace(mine, **told, denominator=s.n_started, disclosed=disclosed))
    for block in on.study.blocks:
        if any(s.n_started for s in items.started(block.code)):
            for kind, item in _every_item(on):
                line = items.line(block.code, kind, item, item)
                row = replace(base, block_code=block.code, item_code=item)
                numbers += line_numbers(line, row, "proportion")
    return tuple(numbers)


def _every_item(on: Page) -> list[tuple[str, str]]:
    """Everything the view counts, also what nobody had."""
    shown = _categories(on)
    terms = [t.code for t in on.study.toxicity.terms if t.category_code in shown]
    return [("any", "any"), *(("category", c) for c in shown), *(("term", t) for t in terms)]


def _notes(items: Items) -> list[Note]:
    on, block = items.on, items.on.study.block(items.on.view.block)
    notes = on.notes()
    refused = items.refused(block.code)
    if refused and refused != on.refused:
        notes.append(Note("warning", refused))
    for s in items.started(block.code):
        if s.n_undocumented:
            told = {"n": s.n_undocumented, "of": s.n_started, "group": s.group.label}
            disclosed = Disclosed(s.disclosed, f"started.{block.code}.{s.group.code}")
            notes.append(Note("warning", say("toxicity.left_out", **told), disclosed))
    notes += on.primary()
    if block.note:
        notes.append(Note("info", say("toxicity.block_note", block=block.label, note=block.note)))
    notes.append(Note("info", say("toxicity.exploratory")))
    notes += _scale_notes(on)
    outside = query(on.snapshot, "outside", on.view.selection)
    if outside.height:
        n, of = int(outside["n_events"].sum()), int(outside["n_patients"].sum())
        text = say("toxicity.outside", n=n, patients=of)
        notes.append(Note("info", text, Disclosed((n, of), "outside")))
    return notes


def _at_least(on: Page) -> str:
    return at_least(on.study, on.view.grade)


def _scale_notes(on: Page) -> list[Note]:
    """How grades are read, or that the scale has words and no grades."""
    scales = on.study.toxicity.scales
    if on.study.toxicity.steps:
        steps = ", ".join(on.study.toxicity.steps)
        return [Note("info", say("toxicity.scale", scale=scales[0].label, steps=steps))]
    return [Note("info", say("toxicity.ranges", grade=on.view.grade))] if on.view.grade > 1 else []


def _until(on: Page, block: Block) -> str:
    """The milestone that ends the attribution to a block, besides death."""
    rule = on.study.response
    if rule is None or rule.relapse is None or not block.until_relapse:
        return ""
    return say("toxicity.until", milestone=on.study.milestone_label(rule.relapse))


def _lacking(on: Page) -> str:
    """What a study lacks for this page; empty if it has all."""
    if on.study.toxicity.terms:
        return "" if on.study.blocks else "toxicity.lacks_blocks"
    return "toxicity.lacks_terms" if on.study.blocks else "toxicity.lacks_both"


def toxicity_answer(snapshot: Snapshot, view: View) -> Answer:
    """The answer of a toxicity view; a study without blocks or grades says so."""
    on = page("toxicity", snapshot, view)
    if lacking := _lacking(on):
        return on.answer(say("toxicity.none", lacking=say(lacking)), [], (), (), ())
    if on.is_empty:
        return on.empty()
    items = items_of(on)
    lines = _lines(items)
    primary = on.study.primary("toxicity")
    first = dict(primary.options).get("item", "any") if primary else "any"
    chosen = [line for kind, item, line in lines if item in ("any", first)]
    block = on.study.block(view.block)
    headline = say("toxicity.headline", block=block.label, at_least=_at_least(on))
    headline = " ".join([headline, *(headline_of(line) for line in reversed(chosen))])
    return on.answer(
        headline,
        _notes(items),
        _figures(items, [line for _, _, line in lines], headline),
        (_item_table(items, lines), _started_table(items)),
        _numbers(items),
        headline_disclosed=tuple(line.disclosed for line in chosen),
    )
