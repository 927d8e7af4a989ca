"""Who left before each block: denominators shrink from block to block, and not by chance."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import polars as pl

from analysis.answer import Account, Disclosed, Figure, Number, Table
from analysis.charts.leaving import left_bar, left_before, left_before_height
from analysis.groups import Group
from analysis.toxicity_items import Items
from trial.words import say
from warehouse.query import query

CLASSES = (
    *("documented", "undocumented", "later_block", "relapsed", "next_line", "died"),
    *("ongoing", "in_doubt"),
)


def _counts(items: Items) -> dict[tuple[str, str], dict[str, int]]:
    """By block and group: lines by class, every class, adding to the population."""
    found = query(items.on.snapshot, "block_left", items.on.view.selection)
    counts = {}
    for group in items.groups:
        mine = found.filter(group.matches)
        for block in items.on.study.blocks:
            of_block = mine.filter(pl.col("block_code") == block.code)
            known = dict(of_block.select("class_code", "n").iter_rows())
            counts[block.code, group.code] = {code: int(known.get(code, 0)) for code in CLASSES}
    return counts


def _disclosed(block: str, group: Group, counts: dict[str, int]) -> Disclosed:
    return Disclosed(tuple(counts.values()), f"left.{block}.{group.code}")


def left(items: Items, caption: str) -> tuple[tuple[Figure, ...], Table, list[Number]]:
    """The picture above the table, its numbers as a table, and as tidy numbers."""
    on, counts = items.on, _counts(items)
    labels = {code: say(f"left.{code}") for code in CLASSES}
    rows, disclosed, numbers = [], [], []
    for block in on.study.blocks:
        for group in items.groups:
            of = counts[block.code, group.code]
            rows.append((block.label, group.label, *of.values(), sum(of.values())))
            disclosed.append(_disclosed(block.code, group, of))
            numbers += _numbers(items, block.code, group, of)
    columns = (say("column.block"), say("column.cohort"), *labels.values(), say("column.n"))
    title = say("toxicity.table_left")
    table = Table("left", title, columns, tuple(rows), tuple(disclosed), n_labels=2)
    return _figure(items, counts, labels, caption, tuple(disclosed)), table, numbers


def _figure(
    items: Items,
    counts: Mapping[tuple[str, str], Mapping[str, int]],
    labels: Mapping[str, str],
    caption: str,
    disclosed: tuple[Disclosed, ...],
) -> tuple[Figure, ...]:
    on = items.on
    given = [b for b in on.study.blocks if any(s.n_started for s in items.started(b.code))]
    if not given:
        return ()
    bars = [
        left_bar(block.label, group.label, group.role, counts[block.code, group.code], labels)
        for block in given
        for group in items.groups
    ]
    return (
        Figure(
            code="left",
            title=say("toxicity.title_left"),
            draw=partial(left_before, bars, say("response.axis")),
            page_height=left_before_height(bars),
            caption=caption,
            alt_text=say("toxicity.alt_left"),
            tables=("left", "started"),
            disclosed=disclosed,
            accounts=population_accounts(items),
        ),
    )


def population_accounts(items: Items) -> tuple[Account, ...]:
    """Who is in a figure about every block: the whole population."""
    found = []
    for group in items.groups:
        size = items.on.sizes[group.code]
        outside = size.n_enrolled - size.n_population
        told = ((say("account.filtered"), outside),) if outside else ()
        disclosed = Disclosed((size.n_population, outside), f"population.{group.code}")
        found.append(Account(group.label, size.n_enrolled, size.n_population, told, disclosed))
    return tuple(found)


def _numbers(items: Items, block: str, group: Group, of: dict[str, int]) -> list[Number]:
    base = replace(items.on.number(), block_code=block, cohort=group.code, unit="patients")
    base = replace(base, statistic="block_class_count", method="count")
    base = replace(base, denominator=sum(of.values()), disclosed=_disclosed(block, group, of))
    return [replace(base, level_code=c, estimate=n, numerator=n) for c, n in of.items()]
