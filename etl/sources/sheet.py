"""Finding the table in a grid of text cells: where it begins, and which rows are no data.

People lay sheets out for people: a title above the table, a heading over a group of columns, one
cell over several rows, a line of totals, notes below. The rules are few and lean towards taking a
row as data: what is wrongly taken as data fails the checks of the load in the open.

- **Header**: see `header`. Lines above it are titles.
- **Totals**: a line whose first filled cell is a word for a total, and else holds only figures.
- **The header again**: a line with exactly the cells of a header row of two columns or more.
- **Merged over rows**: the value is given to each row that has a filled cell of its own.
- **Misfits**: a line with a cell merged over several columns has fewer fields than the header.
  At the end of the sheet, after a blank line or the totals, lines with one filled cell only are
  notes, or rows begun and left; they do not fit either. Both keep their number and their cells.

Everything else but blank lines is a row of data. A column without a name must be blank there.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from etl.errors import LoadError
from etl.sources.grid import Line, Merge, is_figure, place
from etl.sources.header import Header, find_header

# Cells that merged ranges may cover in one sheet, counted in rows with a filled cell.
MOST_COVERED = 5_000_000
# Columns of a table in which a line with one filled cell may be a note.
LEAST_COLUMNS_WITH_NOTES = 3

_TOTAL = re.compile(
    r"(?:(?:общий |промежуточный )?итог|(?:grand |sub)?totals?|sum|сумма"
    r"|mean|average|median|count|среднее|медиана|количество|(?:итого|всего)(?:\s.*)?)\s*[:.]?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Found:
    """The table of a sheet.

    `header`: its rows and names. `rows` and `numbers`: the rows of data, one field for each named
    column. `misfits`: number and filled cells of rows that do not fit. `aside`: number and rule of
    rows that are no data. `filled`: row, column (from 0) and text of each cell of a row of data
    that got the value merged over it.
    """

    header: Header
    rows: list[list[str]]
    numbers: list[int]
    misfits: tuple[tuple[int, tuple[str, ...]], ...]
    aside: tuple[tuple[int, str], ...]
    filled: tuple[tuple[int, int, str], ...]


def find_table(
    lines: Iterable[Line], merges: Sequence[Merge] = (), title: str = "sheet"
) -> Found | None:
    """The table in the lines of a sheet (ascending by number), None if all of them are blank.

    `title` names file and sheet in messages. Raises LoadError if two columns have one name, if a
    column without a name has filled cells, if the header has more than two rows, and if a cell
    that a merged one covers holds a value of its own.
    """
    lines = [line for line in lines if line.filled]
    if not lines:
        return None
    header = find_header(lines, merges, title)
    titles = [line.number for line in lines if line.number < header.lines[0].number]
    body, again = _without_header(lines, header)
    body, filled = _spread_down(body, merges, header, title)
    totals = {line.number for line in body if is_total(line.cells)}
    misfits = (_merged_across(body, merges, header, title) | _notes(body, totals, header)) - totals
    no_data = totals | misfits
    data = [line for line in body if line.number not in no_data]
    _check_named(data, header, title)
    numbers = [line.number for line in data]
    return Found(
        header,
        _fields(data, header),
        numbers,
        tuple((line.number, line.filled) for line in body if line.number in misfits),
        _aside(title_row=titles, header_again=again, totals_row=totals),
        _of_rows(filled, set(numbers)),
    )


def is_total(cells: Iterable[str]) -> bool:
    """Whether a row holds totals: such a word first, and then nothing but figures and blanks."""
    filled = (cell.strip() for cell in cells if cell and not cell.isspace())
    return bool(_TOTAL.fullmatch(next(filled, ""))) and all(is_figure(cell) for cell in filled)


def _without_header(lines: list[Line], header: Header) -> tuple[list[Line], list[int]]:
    """The lines below the header, and the numbers of those that repeat a row of it."""
    below = [line for line in lines if line.number > header.last_row]
    if len(header.places) < 2:
        return below, []
    rows = {_texts(line) for line in header.lines}
    # Most lines differ in the first cell already; only of the others all cells are compared.
    first_cells = {line.filled[0].strip() for line in header.lines}
    again = {
        line.number
        for line in below
        if line.filled[0].strip() in first_cells and _texts(line) in rows
    }
    return [line for line in below if line.number not in again], sorted(again)


def _texts(line: Line) -> tuple[str, ...]:
    """The cells of a line up to its last filled one, without outer spaces."""
    return tuple("\0".join(cell.strip() for cell in line.cells).rstrip("\0").split("\0"))


def _spread_down(
    body: list[Line], merges: Sequence[Merge], header: Header, title: str
) -> tuple[list[Line], list[tuple[int, int, str]]]:
    """The lines with the value of each cell merged over rows in all of them; and which got it."""
    changed: dict[int, list[str]] = {}
    filled: list[tuple[int, int, str]] = []
    for top, after, m in _covered(body, merges, header, title):
        text = body[top].cells[m.left]
        for i in range(top + 1, after):
            cells = changed.setdefault(i, list(body[i].cells))
            _put(cells, m.left, text, f"{title}: {place(body[i].number, m.left)}")
            filled.append((body[i].number, m.left, text))
    lines = [
        replace(line, cells=tuple(changed[i])) if i in changed else line
        for i, line in enumerate(body)
    ]
    return lines, filled


def _put(cells: list[str], column: int, text: str, where: str) -> None:
    cells.extend([""] * (column + 1 - len(cells)))
    if cells[column].strip():
        raise LoadError(
            f"{where} holds a value under a merged cell that hides it. "
            "Unmerge the cell and keep one value."
        )
    cells[column] = text


def _merged_across(
    body: list[Line], merges: Sequence[Merge], header: Header, title: str
) -> set[int]:
    """The rows in which a filled cell is merged over several named columns."""
    rows: set[int] = set()
    for top, after, m in _covered(body, merges, header, title):
        if bisect_right(header.places, m.right) - bisect_left(header.places, m.left) > 1:
            rows.update(line.number for line in body[top:after])
    return rows


def _covered(
    body: list[Line], merges: Sequence[Merge], header: Header, title: str
) -> list[tuple[int, int, Merge]]:
    """The merged ranges below the header with a value, and the lines (from, to) that they cover."""
    numbers = [line.number for line in body]
    covered: list[tuple[int, int, Merge]] = []
    for m in merges:
        top, after = bisect_left(numbers, m.top), bisect_right(numbers, m.bottom)
        is_there = header.last_row < m.top and top < after and numbers[top] == m.top
        if is_there and body[top].words(m.left):
            covered.append((top, after, m))
    if sum(after - top for top, after, _ in covered) > MOST_COVERED:
        raise LoadError(
            f"{title}: merged cells cover more than {MOST_COVERED:,} cells. Unmerge them."
        )
    return covered


def _notes(body: list[Line], totals: set[int], header: Header) -> set[int]:
    """The lines at the end with one filled cell each, after a blank line or the totals."""
    notes: set[int] = set()
    tail: list[int] = []
    if len(header.places) < LEAST_COLUMNS_WITH_NOTES:
        return notes
    above = [header.last_row, *(line.number for line in body[:-1])]
    for line, number_above in zip(reversed(body), reversed(above), strict=True):
        if len(line.filled) != 1:
            break
        tail.append(line.number)
        if line.number > number_above + 1 or number_above in totals:
            notes.update(tail)
    return notes


def _check_named(data: list[Line], header: Header, title: str) -> None:
    """Every filled cell of a row of data stands in a column with a name."""
    width = max((len(line.cells) for line in data), default=0)
    unnamed = sorted(set(range(width)) - set(header.places))
    for line in data if unnamed else ():
        for column in unnamed:
            if line.words(column):
                raise LoadError(
                    f"{title}: {place(line.number, column)} is filled, but its column has no name "
                    f"in the header (row {header.last_row}). Name the column or clear it."
                )


def _fields(data: list[Line], header: Header) -> list[list[str]]:
    width = header.places[-1] + 1
    return [
        [cells[i] for i in header.places]
        for cells in (line.cells + ("",) * (width - len(line.cells)) for line in data)
    ]


def _aside(**numbers: Iterable[int]) -> tuple[tuple[int, str], ...]:
    """Rows set aside, by rule, in the order of the sheet."""
    return tuple(sorted((row, rule) for rule, rows in numbers.items() for row in rows))


def _of_rows(
    filled: list[tuple[int, int, str]], rows: set[int]
) -> tuple[tuple[int, int, str], ...]:
    return tuple(cell for cell in filled if cell[0] in rows)
