"""Block by category: where in the treatment which harm falls, one panel a cohort."""

from dataclasses import dataclass
from functools import partial

from analysis.answer import Answer, Disclosed, Figure, Table
from analysis.charts.cells import Cell, DifferenceCell
from analysis.charts.toxicity import HeatMap, difference_map, heat_map, heat_map_height
from analysis.compose import Page
from analysis.disclosure import gate
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.proportion import wilson
from analysis.toxicity import days_told, started_table
from analysis.toxicity_items import ANY, FATAL, Items, Started, items_of, shown_categories
from analysis.toxicity_left import population_accounts
from analysis.wording import at_least
from trial.study import Block
from trial.words import say


@dataclass(frozen=True)
class Grid:
    """Blocks that somebody started, and the rows of the map."""

    items: Items
    blocks: tuple[Block, ...]
    rows: tuple[str, ...]

    def label(self, item: str) -> str:
        """What a row is called."""
        return self.items.label(item)


def _grid(items: Items) -> Grid:
    on = items.on
    given = tuple(b for b in on.study.blocks if any(s.n_started for s in items.started(b.code)))
    categories = tuple(f"category/{c}" for c in shown_categories(on))
    return Grid(items, given, (ANY, *categories, FATAL))


def _is_hidden(grid: Grid, block: str, item: str, started: Started) -> bool:
    part, _ = grid.items.together(block, item)
    return part in grid.items.hidden or gate().hides(*started.disclosed)


def _cell(grid: Grid, block: Block, item: str, started: Started) -> Cell:
    label, items = grid.label(item), grid.items
    if not started.n_documented:
        return Cell(block.label, label, None, None, None, say("toxicity.undocumented_short"))
    if _is_hidden(grid, block.code, item, started):
        return Cell(block.label, label, None, None, None, say("disclosure.short"))
    n = items.count(block.code, item, started.group)
    few = started.n_documented < FEWEST_FOR_PERCENT
    estimate = None if few else wilson(n, started.n_documented).estimate
    return Cell(block.label, label, n, started.n_documented, estimate)


def _panels(grid: Grid) -> list[Figure]:
    items, figures = grid.items, []
    on = items.on
    labels = tuple(grid.label(item) for item in grid.rows)
    blocks = tuple(b.label for b in grid.blocks)
    caption = on.caption("blocks.caption", at_least=at_least(on.study, on.view.grade))
    for group in items.groups:
        cells, beneath = [], []
        for block in grid.blocks:
            started = next(s for s in items.started(block.code) if s.group == group)
            shown = bool(started.n_documented) and not gate().hides(*started.disclosed)
            days = started.days_each if shown else None
            beneath.append("" if days is None else say("blocks.days", n=f"{days:.0f}"))
            if started.n_started:
                cells += [_cell(grid, block, item, started) for item in grid.rows]
        if not cells:
            continue
        drawn = HeatMap(
            group.label,
            group.role,
            blocks,
            labels,
            tuple(cells),
            tuple(beneath),
            say("blocks.beneath"),
        )
        told = {"group": group.label, "at_least": at_least(on.study, on.view.grade)}
        figures.append(
            Figure(
                f"blocks_{len(figures) + 1}",
                say("toxicity.title_blocks", **told),
                partial(heat_map, drawn),
                heat_map_height(drawn),
                caption,
                say("toxicity.alt_blocks", group=group.label),
                tables=("blocks", "started"),
                accounts=population_accounts(items),
            )
        )
    return [*figures, *_differences(grid, labels, blocks, caption)]


def _difference_cell(grid: Grid, block: Block, item: str, k: int) -> DifferenceCell | None:
    """A group minus the first; none where either did not start the block."""
    items = grid.items
    line, started = items.line(block.code, item), items.started(block.code)
    if not (started[0].n_started and started[k].n_started):
        return None
    place = (block.label, grid.label(item))
    if any(_is_hidden(grid, block.code, item, s) for s in (started[0], started[k])):
        return DifferenceCell(*place, None, instead=say("disclosure.short"))
    if line.refused:
        return DifferenceCell(*place, None, instead=say("blocks.not_compared"))
    found = line.pairs[k - 1][1]
    if found.estimate is None:
        return DifferenceCell(*place, None, instead=say("blocks.few"), is_few=True)
    return DifferenceCell(*place, found.estimate, found.lower, found.upper)


def _days_apart(items: Items, block: str, k: int) -> str:
    """How many more mean days at risk a group has than the first."""
    reference, started = items.started(block)[0], items.started(block)[k]
    if reference.days_each is None or started.days_each is None:
        return ""
    if gate().hides(*reference.disclosed, *started.disclosed):
        return ""
    days = round(started.days_each - reference.days_each)
    apart = f"{days:+d}".replace("-", "\u2212") if days else "0"
    return say("blocks.days", n=apart)


def _differences(
    grid: Grid, labels: tuple[str, ...], blocks: tuple[str, ...], caption: str
) -> list[Figure]:
    """One panel for each group after the first."""
    items, figures = grid.items, []
    reference = items.groups[0]
    for k, group in enumerate(items.groups[1:], start=1):
        found = [_difference_cell(grid, b, item, k) for b in grid.blocks for item in grid.rows]
        cells = tuple(cell for cell in found if cell)
        if items.on.refused or not any(cell.estimate is not None for cell in cells):
            continue
        title = say("share.minus", cohort=group.label, comparator=reference.label)
        beneath = tuple(_days_apart(items, block.code, k) for block in grid.blocks)
        told = say("blocks.beneath_difference") if any(beneath) else ""
        drawn = HeatMap(title, group.role, blocks, labels, cells, beneath, told)
        figures.append(
            Figure(
                f"blocks_difference_{k}",
                say("blocks.title_difference", title=title),
                partial(difference_map, drawn),
                heat_map_height(drawn),
                caption,
                say("blocks.alt_difference", title=title),
                tables=("blocks",),
                accounts=population_accounts(items),
            )
        )
    return figures


def _table(grid: Grid) -> Table:
    """Every cell in words, with its difference."""
    rows, disclosed = [], []
    items = grid.items
    for block in grid.blocks:
        for item in grid.rows:
            line = items.line(block.code, item)
            label, *told = line.cells
            padding = [line.refused or ""] * (2 * len(line.shares) - 1 - len(told))
            rows.append((block.label, label, *told, *padding))
            disclosed.append(line.disclosed)
    groups = items.groups
    columns = [say("column.block"), say("column.item"), *(g.label for g in groups)]
    for g in groups[1:]:
        columns.append(say("column.minus", cohort=g.label, comparator=groups[0].label))
    title = say("blocks.table")
    return Table("blocks", title, tuple(columns), tuple(rows), tuple(disclosed), n_labels=2)


def _headline(grid: Grid) -> tuple[str, tuple[Disclosed, ...]]:
    """The chosen block, or the first that anybody had: of all the highest would be the longest."""
    items, on = grid.items, grid.items.on
    block = next((b for b in grid.blocks if b.code == on.view.block), grid.blocks[0])
    line, started, parts = items.line(block.code, ANY), items.started(block.code), []
    for share, one in zip(line.shares, started, strict=True):
        told = share.told
        if one.days_each is not None and not share.instead:
            told = say("blocks.with_days", told=told, days=days_told(one))
        parts.append(say("share.named", group=share.group.label, told=told))
    graded = {"at_least": at_least(on.study, on.view.grade), "block": block.label}
    counts = tuple(n for one in started for n in one.disclosed)
    disclosed = Disclosed((*line.disclosed.counts, *counts), line.part)
    return say("blocks.headline", parts="; ".join(parts), **graded), (disclosed,)


def blocks_answer(on: Page) -> Answer:
    """The map of a view; a sentence if nobody started any block."""
    items = items_of(on)
    grid = _grid(items)
    if not grid.blocks:
        return on.answer(say("blocks.nobody"), [], (), (), ())
    headline, disclosed = _headline(grid)
    tables = (_table(grid), started_table(items))
    return on.answer(headline, [], tuple(_panels(grid)), tables, (), headline_disclosed=disclosed)
