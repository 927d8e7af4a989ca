"""Blocks of treatment side by side in one row: 'F1 start', 'F1 stop', 'F2 start' ..."""

from collections.abc import Iterator
from dataclasses import dataclass

from etl.inspect import words
from etl.inspect.profile import DATE, Column
from etl.inspect.units import Unit


@dataclass(frozen=True)
class WideCourses:
    """Columns of one start (and stop) for each block; `{block}` in the names stands for it."""

    blocks: tuple[str, ...]
    start: str
    stop: str | None
    date_format: str


def _halves(name: str) -> Iterator[tuple[str, str, str]]:
    """A name parted at each sign: the part before, the sign, the part after."""
    place = 0
    while place < len(name):
        end = place
        while end < len(name) and not name[end].isalnum():
            end += 1
        if end > place > 0 and end < len(name):
            yield name[:place], name[place:end], name[end:]
        place = end + 1


def _templates(unit: Unit, called: tuple[str, ...]) -> dict[str, dict[str, Column]]:
    """Names with `{block}` in them -> the column of each block."""
    found: dict[str, dict[str, Column]] = {}
    for column in unit.columns:
        if column.kind != DATE or not column.date_format or "{" in column.name:
            continue
        for before, sign, after in _halves(column.name):
            if words.folded(after) in called:
                found.setdefault(f"{{block}}{sign}{after}", {})[before] = column
            elif words.folded(before) in called:
                found.setdefault(f"{before}{sign}{{block}}", {})[after] = column
    return found


def wide_courses(unit: Unit) -> WideCourses | None:
    """Numbered blocks side by side, such as 'F1 start', 'F2 start'."""
    starts = _templates(unit, words.WIDE_STARTS)
    name = max(starts, key=lambda t: len(starts[t]), default="")
    blocks = tuple(starts.get(name, {}))
    if len(blocks) < 2 or not any(c.isdigit() for block in blocks for c in block):
        return None
    stops = _templates(unit, words.WIDE_STOPS)
    stop = next((t for t, of in stops.items() if set(of) >= set(blocks)), None)
    return WideCourses(blocks, name, stop, starts[name][blocks[0]].date_format)
