"""Infections of a block: where, by what, how documented, how they ended.

A patient counts once in each level, whatever the number of its infections; levels overlap. What is
not recorded is a level of its own: leaving it out would turn silence into absence.
"""

from dataclasses import dataclass, replace
from functools import partial

from analysis.answer import Account, Answer, Disclosed, Figure, Note, Number, Table
from analysis.charts.rows import Row
from analysis.charts.toxicity import rates, rates_height
from analysis.compose import Page
from analysis.disclosure import gate
from analysis.groups import Group
from analysis.shares import Line, Share, line_numbers
from analysis.toxicity_items import Items, Started, items_of
from analysis.wording import at_least
from trial.words import say
from warehouse.query import query

ANY, TERM, NOT_RECORDED = "any", "term", "not_recorded"
# What is told of an infection, and the study's code list of each; outcomes are the program's.
CODE_LISTS = {
    "site": "infection_site",
    "pathogen": "pathogen",
    "documentation": "documentation",
}
DIMENSIONS = (*CODE_LISTS, "outcome", TERM)
DRAWN = ("site", "pathogen")
OUTCOMES = ("recovered", "ongoing", "fatal", "unknown")
# From this version of the tables on, site, pathogen and documentation are kept.
KEPT_SINCE = 6


@dataclass(frozen=True)
class Infections:
    """Infections of the chosen block: (patients, events) by group, dimension and level."""

    items: Items
    category: str
    counts: dict[tuple[str, str, str], tuple[int, int]]

    @property
    def on(self) -> Page:
        """The view."""
        return self.items.on

    @property
    def started(self) -> tuple[Started, ...]:
        """Who started the block, by group."""
        return self.items.started(self.on.view.block)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """What is known of infections: not all of it in data of older tables."""
        if self.on.snapshot.load["schema_version"] >= KEPT_SINCE:
            return DIMENSIONS
        return tuple(d for d in DIMENSIONS if d not in CODE_LISTS)

    def patients(self, group: Group, dimension: str, level: str) -> int:
        """Patients of a group with an infection of a level."""
        return self.counts.get((group.code, dimension, level), (0, 0))[0]

    def events(self, group: Group, dimension: str, level: str) -> int:
        """Infections of a level."""
        return self.counts.get((group.code, dimension, level), (0, 0))[1]

    def levels(self, dimension: str) -> dict[str, str]:
        """Levels that any infection has, in the study's order, and 'not recorded' in any case.

        A term is always recorded.
        """
        study = self.on.study
        if dimension == TERM:
            known = {t.code: t.label for t in study.toxicity.terms}
        elif dimension == "outcome":
            known = {code: say(f"infections.outcome_{code}") for code in OUTCOMES}
        else:
            known = {x.code: x.label for x in study.code_list(CODE_LISTS[dimension])}
        found = {level for _, d, level in self.counts if d == dimension}
        had = {code: label for code, label in known.items() if code in found}
        return had if dimension == TERM else had | {NOT_RECORDED: say("infections.not_recorded")}

    def line(self, dimension: str, level: str, label: str) -> Line:
        """A level as a row; all levels of a dimension stand or fall together.

        Beside the level it tells who had an infection, but none of this level.
        """
        if dimension == TERM:
            return self.items.line(self.on.view.block, f"term/{level}")
        shares, rest = [], []
        for s in self.started:
            reason = "" if s.n_documented else self.items.why_nobody(s)
            n = self.patients(s.group, dimension, level)
            shares.append(Share(s.group, n, s.n_documented, reason, s.n_undocumented))
            rest += [self.patients(s.group, ANY, ANY) - n] if n else []
        part = f"infections.{self.on.view.block}.{dimension}"
        refused = self.items.refused(self.on.view.block)
        return Line(label, tuple(shares), part, refused, also=tuple(rest))

    def every(self) -> Line:
        """Any infection: the row of the category, as the page's table has it."""
        line = self.items.line(self.on.view.block, f"category/{self.category}")
        return replace(line, label=say("infections.all"))

    def lines(self, dimension: str) -> dict[str, Line]:
        """Every level of a dimension as a row."""
        return {c: self.line(dimension, c, x) for c, x in self.levels(dimension).items()}


def _infections(on: Page) -> Infections:
    category, items = on.study.toxicity.infections, items_of(on)
    assert category
    told = {"block": on.view.block, "category": category, "grade": on.view.grade}
    found = query(on.snapshot, "infections", on.view.selection, **told)
    counts = {}
    for group in items.groups:
        for row in found.filter(group.matches).rows(named=True):
            key = (group.code, row["dimension_code"], row["level_code"])
            counts[key] = (row["n"], row["n_events"])
    return Infections(items, category, counts)


# ---------------------------------------------------------------- tables and picture


def _table(of: Infections, dimension: str) -> Table:
    """Patients and, beside them, events of every level; any infection first."""
    groups = of.items.groups
    columns = [say(f"infections.{dimension}"), *(g.label for g in groups)]
    for g in groups[1:]:
        columns.append(say("column.minus", cohort=g.label, comparator=groups[0].label))
    width = len(columns)
    columns += [say("infections.column_events", group=g.label) for g in groups]
    rows, disclosed = [], []
    for code, line in {ANY: of.every(), **of.lines(dimension)}.items():
        kind = ANY if code == ANY else dimension
        told = [*line.cells, *[line.refused or ""] * (width - len(line.cells))]
        rows.append((*told, *(of.events(g, kind, code) for g in groups)))
        disclosed.append(line.disclosed)
    title = say("infections.table", dimension=say(f"infections.{dimension}").lower())
    code = f"infections_{dimension}"
    return Table(code, title, tuple(columns), tuple(rows), tuple(disclosed))


def _asked(on: Page) -> dict[str, str]:
    """The block and the least grade, in words."""
    block = on.study.block(on.view.block).label
    return {"block": block, "at_least": at_least(on.study, on.view.grade)}


def _accounts(of: Infections) -> tuple[Account, ...]:
    """Who is in the picture: the documented of the block."""
    found = []
    for s in of.started:
        size = of.on.sizes[s.group.code]
        outside = size.n_enrolled - size.n_population
        reasons = [
            (say("account.filtered"), outside),
            (say("toxicity.not_started"), size.n_population - s.n_started),
            (say("toxicity.not_documented"), s.n_undocumented),
        ]
        told = tuple((reason, n) for reason, n in reasons if n)
        disclosed = Disclosed((*s.disclosed, outside), f"account.{s.group.code}")
        found.append(Account(s.group.label, size.n_enrolled, s.n_documented, told, disclosed))
    return tuple(found)


def _is_hidden(of: Infections, dimension: str) -> bool:
    """Whether the policy withholds a dimension: what no table shows no picture may."""
    return not all(gate().passes(line.disclosed) for line in of.lines(dimension).values())


def _drawn(of: Infections) -> list[Row]:
    rows = []
    for dimension in DRAWN:
        is_hidden = _is_hidden(of, dimension)
        rows.append(Row(say(f"infections.{dimension}"), ()))
        for line in of.lines(dimension).values():
            shown = replace(line, indent=1)
            rows.append(replace(shown.chart_row(is_hidden), differences=()))
    return rows


def _figure(of: Infections) -> tuple[Figure, ...]:
    on = of.on
    if not set(DRAWN) <= set(of.dimensions):
        return ()
    rows = _drawn(of)
    if not any(p.estimate is not None for row in rows for p in row.proportions):
        return ()
    block, worst = _asked(on).values()
    scales = of.items.scales_told(f"category/{of.category}") or say("infections.no_scales")
    return (
        Figure(
            code="infections",
            title=say("infections.title", block=block, at_least=worst),
            draw=partial(rates, rows, say("response.axis")),
            page_height=rates_height(rows),
            caption=on.caption("infections.caption", scales=scales, block=block, at_least=worst),
            alt_text=say("infections.alt"),
            tables=tuple(f"infections_{d}" for d in DRAWN),
            accounts=_accounts(of),
        ),
    )


# ---------------------------------------------------------------- words and numbers


def _headline(of: Infections) -> tuple[str, tuple[Disclosed, ...]]:
    """Any infection, with its difference: the levels are in the tables."""
    line = of.every()
    parts = "; ".join(say("share.named", group=s.group.label, told=s.told) for s in line.shares)
    shown = [d for d in DRAWN if d in of.dimensions and not _is_hidden(of, d)]
    most = [_most(of, k, shown) for k, s in enumerate(of.started) if s.n_documented and shown]
    levels = [x.disclosed for d in shown for x in of.lines(d).values()]
    headline = say("infections.headline", told=" ".join([f"{parts}.", *most]), **_asked(of.on))
    return headline, (line.disclosed, *levels)


def _most(of: Infections, position: int, dimensions: list[str]) -> str:
    """Of a group the recorded site and pathogen that most patients had."""
    told = []
    for dimension in dimensions:
        lines = [x for code, x in of.lines(dimension).items() if code != NOT_RECORDED]
        had = [(x.shares[position], x.label) for x in lines if x.shares[position].numerator]
        if had:
            share, label = max(had, key=lambda found: found[0].numerator)
            named = {"dimension": say(f"infections.{dimension}").lower(), "label": label}
            counted = f"{share.numerator}/{share.denominator}"
            told.append(say("infections.level_told", told=counted, **named))
    key = "infections.most" if told else "infections.none_recorded"
    return say(key, group=of.items.groups[position].label, told=", ".join(told))


def _notes(of: Infections) -> list[Note]:
    on, notes = of.on, []
    refused = of.items.refused(on.view.block)
    if refused:
        notes.append(Note("warning", refused))
    if set(CODE_LISTS) - set(of.dimensions):
        notes.append(Note("warning", say("infections.not_kept")))
    for dimension in (d for d in of.dimensions if d in CODE_LISTS):
        notes += _not_recorded(of, dimension)
    return [*notes, Note("info", say("infections.exploratory"))]


def _not_recorded(of: Infections, dimension: str) -> list[Note]:
    """Of how many infections a dimension is not recorded."""
    parts = []
    for g in of.items.groups:
        n, every = of.events(g, dimension, NOT_RECORDED), of.events(g, ANY, ANY)
        if n:
            parts.append(say("infections.n_of", n=n, of=every, group=g.label))
    if not parts:
        return []
    what = say(f"infections.{dimension}")
    told = {"what": what, "what_lower": what.lower(), "parts": ", ".join(parts)}
    line = of.line(dimension, NOT_RECORDED, "")
    return [Note("info", say("infections.not_recorded_note", **told), line.disclosed)]


def _numbers(of: Infections) -> tuple[Number, ...]:
    on, numbers = of.on, []
    base = replace(on.number(), block_code=on.view.block, grade_min=on.view.grade)
    base = replace(base, denominator_code="documented")
    lines = [(ANY, {ANY: of.every()}), *((d, of.lines(d)) for d in of.dimensions)]
    for dimension, levels in lines:
        for code, line in levels.items():
            row = replace(base, item_code=dimension, level_code=code)
            numbers += line_numbers(line, row, "infection_proportion")
            row = replace(row, statistic="infection_count", unit="events", method="count")
            row = replace(row, denominator_code=None, disclosed=line.disclosed)
            for g in of.items.groups:
                n = of.events(g, dimension, code)
                numbers.append(replace(row, cohort=g.code, estimate=n))
    return tuple(numbers)


def infections_answer(on: Page) -> Answer:
    """The infections of the chosen block; a sentence if nobody of the population started it."""
    of = _infections(on)
    if not any(s.n_started for s in of.started):
        block = on.study.block(on.view.block).label
        return on.answer(say("infections.nobody", block=block), [], (), (), ())
    headline, disclosed = _headline(of)
    tables = tuple(_table(of, dimension) for dimension in of.dimensions)
    return on.answer(
        headline, _notes(of), _figure(of), tables, _numbers(of), headline_disclosed=disclosed
    )
