"""The report: what is in each file, for a terminal of 100 columns."""

import textwrap
from collections.abc import Iterator

from etl.errors import shown
from etl.inspect.profile import DATE, TEXT, WITH_LEVELS, Column
from etl.inspect.units import Found, Unit

WIDTH = 100
MOST_LEVELS = 8
# Longer tables are shown to here; of the rest the names.
MOST_COLUMNS = 150
MOST_ROWS = 3
_NAME, _KIND, _FILLED = 26, 16, 15


def _amount(number: float) -> str:
    return f"{number:g}"


def _levels(column: Column) -> str:
    told = [
        f"{shown(level.text, 30)}"
        + (f" = {shown(level.label, 40)}" if level.label else "")
        + f" ({level.count})"
        for level in column.levels[:MOST_LEVELS]
    ]
    more = max(0, len(column.levels) - MOST_LEVELS)
    told += [f"{more} more"] if more else []
    told += [f"{column.hidden} not shown: rare, or not in the code list"] if column.hidden else []
    return ", ".join(told)


def _values(column: Column) -> str:
    if column.is_private:
        return "not shown: may tell who it is"
    if column.kind in WITH_LEVELS:
        return _levels(column)
    if column.kind == TEXT:
        return f"not shown: free text, {column.n_levels} different"
    if column.low is None or column.high is None:
        return ""
    if column.kind == DATE:
        return f"years {column.low} to {column.high}"
    return f"{_amount(column.low)} to {_amount(column.high)}"


def _kind(column: Column) -> str:
    if column.kind == DATE:
        return f"date {column.date_format or 'd/m or m/d?'}"
    n = column.n_levels
    return f"{column.kind} of {n}" if column.levels and column.kind == "choice" else column.kind


def _rows(column: Column, n_rows: int) -> Iterator[str]:
    """One column: its name, type, how much is filled; its label and values in up to three lines."""
    start = f"  {shown(column.name, _NAME):<{_NAME}} {_kind(column):<{_KIND}} "
    start += f"{f'{column.filled}/{n_rows}':<{_FILLED}} "
    room = WIDTH - len(start)
    label = f'"{shown(column.label, 60)}"' if column.label not in ("", column.name) else ""
    told = "; ".join(part for part in (label, _values(column)) if part)
    lines = textwrap.wrap(told, room, break_on_hyphens=False) or [""]
    if len(lines) > MOST_ROWS:
        lines = [*lines[:MOST_ROWS], "..."]
    yield (start + lines[0]).rstrip()
    for line in lines[1:]:
        yield " " * len(start) + line


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")


def _table(unit: Unit) -> Iterator[str]:
    filled = [c for c in unit.columns if c.filled]
    empty = [shown(c.name, 40) for c in unit.columns if not c.filled]
    count = f"{unit.n_rows:,} rows, {len(unit.columns)} columns"
    yield from textwrap.wrap(f"{shown(unit.title, 80)}: {count} ({shown(unit.form, 80)})", WIDTH)
    for column in filled[:MOST_COLUMNS]:
        yield from _rows(column, unit.n_rows)
    rest = [shown(c.name, 40) for c in filled[MOST_COLUMNS:]]
    if rest:
        yield from _wrapped(f"{len(rest)} more columns: {', '.join(rest)}")
    if empty:
        yield from _wrapped(f"{len(empty)} empty: {', '.join(empty)}")
    yield ""


def report(found: Found) -> str:
    """Every table with its columns; files of the same columns after the first in one line each.

    Texts of columns that may tell who somebody is, and free text, are in no line of it.
    """
    lines: list[str] = []
    seen: dict[tuple, str] = {}
    for unit in found.units:
        key = (unit.names, tuple(c.kind for c in unit.columns))
        if key in seen:
            told = f"{unit.title}: {unit.n_rows:,} rows, columns as in {seen[key]}"
            lines += [*textwrap.wrap(shown(told, 200), WIDTH), ""]
            continue
        seen[key] = unit.title
        lines += _table(unit)
    for twin, first in found.twins:
        lines += textwrap.wrap(shown(f"{twin}: the same table as {first}", 200), WIDTH)
    for name, told in found.others:
        lines += textwrap.wrap(shown(f"{name}: {told}", 300), WIDTH)
    return "\n".join(lines).rstrip()
