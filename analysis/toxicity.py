"""Toxicity: patients with a worst grade of at least g in a block, over those who started it.

The head of the page: the block's numbers in words, who left before it, the table with pictures in
it. Intervals, no p-values: of some hundred cells many would be 'significant' by chance.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from analysis.answer import Account, Answer, Card, Disclosed, Figure, Note, Number, Table
from analysis.charts.palette import colour
from analysis.charts.toxicity import rate_differences, rates, rates_height
from analysis.compose import Page, page
from analysis.disclosure import gate
from analysis.link import View
from analysis.shares import Line, Share, headline_of, line_numbers
from analysis.toxicity_items import (
    ANY,
    FATAL,
    Items,
    Started,
    code_of,
    every_item,
    items_of,
    kind_of,
    number_code,
)
from analysis.toxicity_left import left
from analysis.toxicity_rates import Rate, per_course, rate_numbers, rates_of, signed
from analysis.toxicity_rows import CATEGORY, ItemRow, RowMaker, Rows
from analysis.wording import at_least, percent, percent_limits, written
from trial.study import Block
from trial.words import say
from warehouse.query import Snapshot, query

EVENTS = "events"
# More rows than this nobody reads in a picture.
MOST_DRAWN = 100


def started_table(items: Items) -> Table:
    """Who started each block: patients, those documented, courses, mean days at risk."""
    rows, disclosed = [], []
    for block in items.on.study.blocks:
        for s in items.started(block.code):
            if not s.n_started:
                continue
            counts = (s.n_started, s.n_documented, s.n_undocumented, s.n_courses)
            rows.append((block.label, s.group.label, *counts, days_told(s)))
            disclosed.append(Disclosed(s.disclosed, f"started.{block.code}.{s.group.code}"))
    names = ("block", "cohort", "started", "documented", "undocumented", "courses", "days_at_risk")
    columns = tuple(say(f"column.{name}") for name in names)
    title = say("toxicity.table_started")
    return Table("started", title, columns, tuple(rows), tuple(disclosed), n_labels=2)


def days_told(started: Started) -> str:
    """Mean days at risk of a documented patient, in words."""
    days = started.days_each
    return say("toxicity.days_unknown") if days is None else f"{days:.1f}"


def _table(items: Items, rows: Sequence[ItemRow]) -> Table:
    """Every row of the picture, with scales and, in order of difference, false discovery rates."""
    on, first = items.on, rows[0].line
    started = items.started(on.view.block)
    is_hidden = any(gate().hides(*s.disclosed) for s in started)
    columns = [say("column.item")]
    for s in started:
        told = {"group": s.group.label, "n": s.n_documented}
        columns.append(s.group.label if is_hidden else say("toxicity.header", **told))
    minus = "column.minus_events" if on.view.unit == EVENTS else "column.minus"
    for share, _ in first.pairs:
        told = {"cohort": share.group.label, "comparator": started[0].group.label}
        columns.append(say(minus, **told))
    has_rates = on.view.order == "difference" and isinstance(first, Line)
    columns += [say("column.false_discovery")] if has_rates else []
    columns.append(say("column.scales"))
    cells = tuple(_cells(items, row, len(columns), has_rates) for row in rows)
    disclosed = tuple(row.line.disclosed for row in rows)
    key = "toxicity.table_events" if on.view.unit == EVENTS else "toxicity.table_items"
    return Table("items", say(key), tuple(columns), cells, disclosed)


def _cells(items: Items, row: ItemRow, n_columns: int, has_rates: bool) -> tuple[str, ...]:
    label, *told = row.line.cells
    label = ("\u2003" if row.line.indent else "") + label
    more = []
    if has_rates:
        q = row.false_discovery
        more.append(say("value.none") if q is None else f"{q:.2g}")
    more.append(items.scales_told(row.item))
    # A row that is not compared has a reason in place of its differences.
    refused = row.line.refused or ""
    padding = [refused] * (n_columns - 1 - len(told) - len(more))
    return (label, *told, *padding, *more)


def _accounts(items: Items) -> tuple[Account, ...]:
    """Who is in a figure about the chosen block."""
    found = []
    for s in items.started(items.on.view.block):
        size = items.on.sizes[s.group.code]
        never, outside = s.n_population - s.n_started, size.n_enrolled - size.n_population
        reasons = [
            (say("account.filtered"), outside),
            (say("toxicity.not_started"), size.n_population - s.n_started),
            (say("toxicity.not_documented"), s.n_undocumented),
        ]
        told = tuple((reason, n) for reason, n in reasons if n)
        disclosed = Disclosed(
            (s.n_documented, s.n_undocumented, never, outside), f"account.{s.group.code}"
        )
        found.append(Account(s.group.label, size.n_enrolled, s.n_documented, told, disclosed))
    return tuple(found)


def _drawn(items: Items, row: ItemRow):
    """A row as a chart draws it."""
    is_hidden = row.line.part in items.hidden
    drawn = row.line.chart_row(is_hidden)
    # One scale for all is said in the notes.
    scales = items.scales_told(row.item) if len(items.on.study.toxicity.scales) > 1 else ""
    if items.on.view.order == "difference" and row.false_discovery is not None and not is_hidden:
        rate = say("toxicity.rate_short", q=f"{row.false_discovery:.2g}")
        scales = f"{scales} · {rate}" if scales else rate
    is_open = row.is_open if row.section == CATEGORY else None
    return replace(drawn, is_pinned=row.is_pinned, small=scales, is_open=is_open)


def _figures(items: Items, found: Rows, headline: str) -> tuple[Figure, ...]:
    on = items.on
    block, is_events = on.study.block(on.view.block), on.view.unit == EVENTS
    rows = [_drawn(items, row) for row in found.shown[:MOST_DRAWN]]
    if not any(p.estimate is not None for row in rows for p in row.proportions):
        return ()
    told = {"block": block.label, "at_least": at_least(on.study, on.view.grade)}
    key = "toxicity.title_events" if is_events else "toxicity.title"
    axis = say("toxicity.axis_events") if is_events else say("response.axis")
    first = Figure(
        code="rates",
        title=say(key, **told),
        draw=partial(rates, rows, axis, is_rate=is_events),
        page_height=rates_height(rows),
        caption=item_caption(on, "toxicity.caption_events" if is_events else "toxicity.caption"),
        alt_text=say("response.alt", headline=headline),
        tables=("items",),
        accounts=_accounts(items),
    )
    if not any(row.differences for row in rows):
        return (first,)
    axis = say("toxicity.axis_events_difference") if is_events else say("response.axis_difference")
    other = replace(
        first,
        code="rates_difference",
        title=say("toxicity.title_difference", **told),
        draw=partial(rate_differences, rows, axis, is_rate=is_events),
    )
    return (first, other)


def item_caption(on: Page, key: str) -> str:
    """A caption about events of a block: what counts, how long they are attributed to it."""
    block = on.study.block(on.view.block)
    worst = "toxicity.worst_severity" if on.study.toxicity.steps else "toxicity.worst_grade"
    return on.caption(
        key,
        worst=say(worst),
        at_least=at_least(on.study, on.view.grade),
        block=block.label,
        days=block.attribution_days,
        until=until(on, block),
    )


def until(on: Page, block: Block) -> str:
    """The milestone that ends the attribution to a block, besides death."""
    rule = on.study.response
    if rule is None or rule.relapse is None or not block.until_relapse:
        return ""
    return say("toxicity.until", milestone=on.study.milestone_label(rule.relapse))


def _numbers(items: Items, maker: RowMaker) -> list[Number]:
    """Who started each block; every item of every block by patients; of the chosen by events."""
    on, numbers = items.on, []
    base = replace(on.number(), grade_min=on.view.grade, denominator_code="documented")
    for block in on.study.blocks:
        for s in items.started(block.code):
            mine = replace(base, block_code=block.code, cohort=s.group.code, unit="patients")
            mine = replace(mine, grade_min=None, denominator_code=None, method="count")
            mine = replace(
                mine, disclosed=Disclosed(s.disclosed, f"started.{block.code}.{s.group.code}")
            )
            counts = (s.n_started, s.n_documented, s.n_undocumented)
            for name, n in zip(("started", "documented", "undocumented"), counts, strict=True):
                told = {"statistic": f"block_{name}", "estimate": n, "numerator": n}
                numbers.append(replace(mine, **told, denominator=s.n_started))
            if s.n_days is not None:
                told = {"statistic": "block_days", "estimate": s.n_days, "unit": "days"}
                numbers.append(replace(mine, **told, denominator=s.n_documented))
    for block in on.study.blocks:
        if any(s.n_started for s in items.started(block.code)):
            for item in every_item(on):
                line = items.line(block.code, item)
                row = replace(base, block_code=block.code, item_code=number_code(on, item))
                numbers += line_numbers(line, row, "proportion")
    if maker.rates:
        row = replace(base, block_code=on.view.block)
        for item in every_item(on):
            row = replace(row, item_code=number_code(on, item))
            numbers += rate_numbers(maker.rates.line(item), row)
    return numbers


def _notes(items: Items, found: Rows) -> list[Note]:
    on, block = items.on, items.on.study.block(items.on.view.block)
    notes = on.notes()
    refused = items.refused(block.code)
    if refused and refused != on.refused:
        notes.append(Note("warning", refused))
    notes += _undocumented(items, block)
    notes += [*_only_some(items, block), *_scale_warnings(items), *_versions(items)]
    notes += on.primary()
    if len(found.shown) > MOST_DRAWN:
        told = {"n": MOST_DRAWN, "of": len(found.shown)}
        notes.append(Note("warning", say("toxicity.too_many", **told)))
    if found.n_rare:
        text = say("toxicity.rare", n=found.n_rare, least=on.view.least)
        notes.append(Note("info", text))
    if block.note:
        notes.append(Note("info", say("toxicity.block_note", block=block.label, note=block.note)))
    notes.append(Note("info", say("toxicity.exploratory")))
    is_judged = any(row.false_discovery is not None for row in found.shown)
    if on.view.order == "difference" and (is_judged or on.view.unit == EVENTS):
        key = "no_false_discovery" if on.view.unit == EVENTS else "false_discovery"
        notes.append(Note("info", say(f"toxicity.{key}")))
    notes += _scale_notes(on)
    outside = query(on.snapshot, "outside", on.view.selection)
    if outside.height:
        n, of = int(outside["n_events"].sum()), int(outside["n_patients"].sum())
        text = say("toxicity.outside", n=n, patients=of)
        notes.append(Note("info", text, Disclosed((n, of), "outside")))
    return notes


def _undocumented(items: Items, block: Block) -> list[Note]:
    """How many started the block and are not counted."""
    started = [s for s in items.started(block.code) if s.n_undocumented]
    if not started:
        return []
    parts = ", ".join(
        say("toxicity.left_out_of", n=s.n_undocumented, of=s.n_started, group=s.group.label)
        for s in started
    )
    counts = tuple(n for s in started for n in s.disclosed)
    text = say("toxicity.left_out", block=block.label, parts=parts)
    return [Note("warning", text, Disclosed(counts, f"undocumented.{block.code}"))]


def _only_some(items: Items, block: Block) -> list[Note]:
    """A block that not every group has."""
    started = items.started(block.code)
    none = [s.group.label for s in started if not s.n_started]
    if not none or len(none) == len(started):
        return []
    text = say("toxicity.only_some", block=block.label, groups=", ".join(none))
    return [Note("warning", text, Disclosed(part=f"started.{block.code}"))]


def _scale_warnings(items: Items) -> list[Note]:
    """Terms graded by scales that do not mean the same: counted, not compared."""
    toxicity = items.on.study.toxicity
    notes = []
    for term in toxicity.terms:
        if not items.two_scales(items.on.view.block, f"term/{term.code}"):
            continue
        counts = [
            (g, code, n)
            for g in items.groups
            for code, n in items.scales.get((g.code, items.on.view.block, term.code), {}).items()
        ]
        parts = "; ".join(f"{g.label}: {toxicity.scale(c).label} {n}" for g, c, n in counts)
        told = say("toxicity.scales_differ", term=term.label, parts=parts)
        part, _ = items.together(items.on.view.block, f"term/{term.code}")
        notes.append(Note("warning", told, Disclosed(tuple(n for _, _, n in counts), part)))
    return notes


def _versions(items: Items) -> list[Note]:
    """Cohorts that were mostly graded by different versions of one family of scales."""
    toxicity, found = items.on.study.toxicity, {}
    for g in items.groups:
        counts: Counter = Counter()
        for (group, block, _), used in items.scales.items():
            if (group, block) == (g.code, items.on.view.block):
                counts.update(used)
        found[g] = counts
    most = {max(n, key=lambda c: n[c]) for n in found.values() if n}
    if len({toxicity.scale(code).family for code in most}) != 1 or len(most) < 2:
        return []
    parts = "; ".join(
        say(
            "share.named",
            group=g.label,
            told=", ".join(f"{toxicity.scale(c).label} {n}" for c, n in counts.most_common()),
        )
        for g, counts in found.items()
    )
    told = tuple(n for counts in found.values() for n in counts.values())
    return [Note("warning", say("toxicity.versions", parts=parts), Disclosed(told, "versions"))]


def _scale_notes(on: Page) -> list[Note]:
    """How grades are read, or that the scale has words and no grades."""
    scales = on.study.toxicity.scales
    if on.study.toxicity.steps:
        steps = ", ".join(on.study.toxicity.steps)
        return [Note("info", say("toxicity.scale", scale=scales[0].label, steps=steps))]
    return [Note("info", say("toxicity.ranges", grade=on.view.grade))] if on.view.grade > 1 else []


def lacking(on: Page) -> str:
    """What a study lacks for this page; empty if it has all."""
    if on.study.toxicity.terms:
        return "" if on.study.blocks else "toxicity.lacks_blocks"
    return "toxicity.lacks_terms" if on.study.blocks else "toxicity.lacks_both"


def _cards(items: Items, rows: Sequence[ItemRow]) -> list[Card]:
    """Big numbers of the rows that the headline tells."""
    found = []
    for row in rows:
        shares = row.line.shares if isinstance(row.line, Line) else row.line.rates
        title = say(
            "toxicity.card",
            label=row.line.label,
            at_least=at_least(items.on.study, items.on.view.grade),
        )
        for s, share in zip(items.started(items.on.view.block), shares, strict=True):
            small = (
                _counted(share),
                say("toxicity.card_started", n=s.n_started, undocumented=s.n_undocumented),
            )
            disclosed = Disclosed((*row.line.disclosed.counts, *s.disclosed), row.line.part)
            big = _big(share)
            found.append(
                Card(title, share.group.label, colour(share.group.role), big, small, disclosed)
            )
    return found


def _big(share: Share | Rate) -> str:
    if share.instead:
        return say("value.none")
    if isinstance(share, Rate):
        known = share.found.estimate is not None
        return (
            say("toxicity.big_rate", value=per_course(share.found.estimate or 0))
            if known
            else str(share.n_events)
        )
    if share.found.estimate is None:
        return f"{share.numerator}/{share.denominator}"
    return percent(share.found.estimate)


def _counted(share: Share | Rate) -> str:
    if share.instead:
        return share.instead
    if isinstance(share, Rate) or share.found.estimate is None:
        return share.told
    limits = percent_limits(share.found)
    return say("response.card", n=share.numerator, of=share.denominator, limits=limits)


def _told(row: ItemRow) -> str:
    """A row in words."""
    if isinstance(row.line, Line):
        return headline_of(row.line)
    label, *told = row.line.cells
    parts = [say("share.named", group=one.group.label, told=one.told) for one in row.line.rates]
    text = say("share.headline", label=label, parts="; ".join(parts))
    for one, found in row.line.pairs:
        names = {"cohort": one.group.label, "comparator": row.line.rates[0].group.label}
        key = "toxicity.rate_difference" if found.estimate is not None else "toxicity.no_difference"
        text += " " + say(key, told=written(found, signed), **names)
    return text


def _asked(items: Items, maker: RowMaker) -> list[ItemRow]:
    """What the headline tells: the item of the primary measure, and any."""
    primary = items.on.study.primary("toxicity")
    first = dict(primary.options).get("item", ANY) if primary else ANY
    named = [x for x in every_item(items.on) if code_of(x) == first and kind_of(x) != FATAL][:1]
    return [maker.row(x) for x in dict.fromkeys([*named, ANY])]


def toxicity_answer(snapshot: Snapshot, view: View) -> Answer:
    """The head of a toxicity view; a study without blocks or grades says so."""
    on = page("toxicity", snapshot, view)
    if missing := lacking(on):
        return on.answer(say("toxicity.none", lacking=say(missing)), [], (), (), ())
    if on.is_empty:
        return on.empty()
    items = items_of(on)
    maker = RowMaker(items, rates_of(items) if view.unit == EVENTS else None)
    found, asked = maker.rows(), _asked(items, maker)
    block = on.study.block(view.block)
    key = "toxicity.headline_events" if view.unit == EVENTS else "toxicity.headline"
    told = {"block": block.label, "at_least": at_least(on.study, view.grade)}
    lead, *others = map(_told, asked)
    headline = "\n".join([f"{say(key, **told)} {lead}", *others])
    if not found.shown:
        headline += "\n" + say("toxicity.nothing_found", find=view.find)
    before, left_table, left_numbers = left(items, on.caption("toxicity.caption_left"))
    tables = [_table(items, found.shown)] if found.shown else []
    return on.answer(
        headline,
        _notes(items, found),
        (*before, *_figures(items, found, headline)),
        (*tables, left_table, started_table(items)),
        lambda: (*_numbers(items, maker), *left_numbers),
        headline_disclosed=tuple(row.line.disclosed for row in asked),
        cards=tuple(_cards(items, asked)),
    )
