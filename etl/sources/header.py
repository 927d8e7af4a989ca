"""The header of a sheet: which line it is, whether it has a second row, and the column names.

- The header is the first line with at least two filled cells and at least half as many as the
  fullest of the first lines (a heading counts all columns that it is merged over). So a table
  with its header in row 1 is read as it stands; a title, or a line like `exported: | 1 May`,
  is no header.
- The line right below is its second row if headings group columns, each column of a group has its
  name there, and every other column is named in one of the two rows only. Headings group columns
  if they are merged over several or, in a sheet that shows no merged cells there, are followed by
  blank cells. Because a first row of data must never end up in the header, two of three signs have
  to agree: merged cells; a column named in the upper row only; no figures in the lower row.
- A column of a group is called `Group / Name`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from etl.errors import LoadError
from etl.sources.grid import Line, Merge, column_letters, is_figure, place
from etl.sources.raw import ROW

# Lines among which the header is looked for.
FIRST_LINES = 50


@dataclass(frozen=True)
class Header:
    """The header row or rows: their lines, and the name of each column, '' for none."""

    lines: tuple[Line, ...]
    names: tuple[str, ...]

    @property
    def last_row(self) -> int:
        """The number of the lower header row."""
        return self.lines[-1].number

    @property
    def places(self) -> tuple[int, ...]:
        """The columns (from 0) that have a name."""
        return tuple(i for i, name in enumerate(self.names) if name)


def find_header(lines: Sequence[Line], merges: Sequence[Merge], title: str) -> Header:
    """The header among the lines of a sheet, of which there is one and none is blank.

    Raises LoadError, naming the columns, if two have one name, and if the header has more rows.
    """
    first = header_index(lines, merges)
    upper = lines[first]
    groups = [
        m
        for m in merges
        if m.top == m.bottom == upper.number and m.right > m.left and upper.words(m.left)
    ]
    header = Header((upper,), tuple(upper.words(i) for i in range(len(upper.cells))))
    if first + 1 < len(lines):
        header = _two_rows(upper, lines[first + 1], groups) or header
    _check_names(header, title)
    _check_end(header, lines[first + len(header.lines) :], merges, title)
    return header


def header_index(lines: Sequence[Line], merges: Sequence[Merge] = ()) -> int:
    """Which of the lines, none of them blank, is the (upper) header row."""
    sample = lines[:FIRST_LINES]
    last = max(len(line.cells) for line in sample) - 1
    widths = [_width(line, [m for m in merges if m.top == line.number], last) for line in sample]
    densest = max(widths)
    least = min(densest, 2)
    return next(i for i, w in enumerate(widths) if w >= least and 2 * w >= densest)


def _width(line: Line, merges: Sequence[Merge], last: int) -> int:
    """Filled cells, with the columns up to the last that they are merged over.

    1 for one cell, however wide: that is a title.
    """
    n_filled = len(line.filled)
    if n_filled < 2:
        return n_filled
    return n_filled + sum(min(m.right, last) - m.left for m in merges if line.words(m.left))


def _two_rows(upper: Line, lower: Line, groups: Sequence[Merge]) -> Header | None:
    """Both lines as the header if the lower completes the upper, else None."""
    columns = range(max(len(upper.cells), len(lower.cells)))
    above, below = [upper.words(i) for i in columns], [lower.words(i) for i in columns]
    heads = _merged_heads(above, groups) if groups else _heads_before_blanks(above)
    alone = [i for i in columns if not heads[i]]
    fits = (
        lower.number == upper.number + 1
        and any(heads)
        and all(below[i] for i in columns if heads[i])
        and not any(above[i] and below[i] for i in alone)
    )
    signs = (
        bool(groups),
        any(above[i] for i in alone),
        not any(is_figure(name) for name in below if name),
    )
    if not fits or sum(signs) < 2:
        return None
    names = (f"{heads[i]} / {below[i]}" if heads[i] else above[i] or below[i] for i in columns)
    return Header((upper, lower), tuple(names))


def _merged_heads(above: list[str], groups: Sequence[Merge]) -> list[str]:
    """Of each column the heading that is merged over it and others, '' for none."""
    heads = [""] * len(above)
    for group in groups:
        if not heads[group.left]:
            for column in range(group.left, min(group.right + 1, len(above))):
                heads[column] = above[group.left]
    return heads


def _heads_before_blanks(above: list[str]) -> list[str]:
    """Of each column the heading if blank cells follow it, or that heading before it."""
    heads = list(above)
    for i in range(1, len(above)):
        heads[i] = above[i] or heads[i - 1]
    are_alone = (bool(text and after) for text, after in zip(above, [*above[1:], "-"], strict=True))
    return ["" if is_alone else head for head, is_alone in zip(heads, are_alone, strict=True)]


def _check_names(header: Header, title: str) -> None:
    seen: dict[str, int] = {}
    for column in header.places:
        name = header.names[column]
        if name in seen:
            first, second = column_letters(seen[name]), column_letters(column)
            raise LoadError(
                f"{title}: columns {first} and {second} are both called {name[:80]!r} "
                f"(header in row {header.last_row}). Rename one."
            )
        seen[name] = column
    if ROW in seen:
        raise LoadError(f"{title}: column {column_letters(seen[ROW])} is called {ROW}. Rename it.")


def _check_end(header: Header, below: Sequence[Line], merges: Sequence[Merge], title: str) -> None:
    """Nothing in the header may be merged down beside the rows below it."""
    rows = {line.number for line in header.lines}
    first_below = below[0].number if below else None
    for m in merges:
        if first_below is not None and m.top in rows and m.bottom >= first_below:
            raise LoadError(
                f"{title}: the header cell {place(m.top, m.left)} is merged down to row "
                f"{m.bottom}, beside row {first_below}. Use a header of one or two rows."
            )
