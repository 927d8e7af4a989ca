"""The first lines of a CSV file -> what separates its fields, and where its header stands.

The separator is the one by which the most of the first rows have as many fields as the header (two
at least). On a tie a tab, semicolon or bar wins over the comma, which also stands in numbers and
sentences. Excel's line `sep=;` decides without a count, and is no row, as in Excel.

The header is the first row with anything in it. Only what can hardly be otherwise is taken for a
title above it: rows with cells in less than half of the columns, over a row with names in all
columns, none twice, none a number or date.
"""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass

from etl.errors import LoadError, shown
from etl.sources.bounds import Bounds
from etl.sources.encoding import Text
from etl.sources.raw import ROW

# The first wins a tie.
SEPARATORS = ("\t", ";", "|", ",")
_HEAD_BYTES = 256 * 1024
_HEAD_RECORDS = 100
_SEP_LINE = re.compile(r'"?sep=([\t !#-/:-@\[-`{-~])"?[\r\n]+', re.IGNORECASE)
_NUMBER_OR_DATE = re.compile(r"[<>≤≥~+-]?\d[\d\s.,:/%TZ-]*")


@dataclass(frozen=True)
class Record:
    """A row of the file: its number, its cells, and the lines read when it ended."""

    number: int
    cells: tuple[str, ...]
    lines: int


@dataclass(frozen=True)
class Head:
    """What separates fields; the numbers of titles; the header with its number; where it ends."""

    separator: str
    titles: tuple[int, ...]
    cells: tuple[str, ...]
    number: int
    end: int

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, '' where the header has none."""
        return tuple(cell.strip() for cell in self.cells)

    @property
    def repeated(self) -> tuple[str, ...]:
        """Names that stand more than once, as in REDCap's exports with labels."""
        return tuple(name for name, n in Counter(self.names).items() if name and n > 1)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names made different: the second of a name gets ` (2)`, the third ` (3)`."""
        seen: Counter[str] = Counter()
        found = []
        for name in self.names:
            seen[name] += 1
            found.append(f"{name} ({seen[name]})" if name and seen[name] > 1 else name)
        return tuple(found)


def end_of_lines(data: bytes) -> bytes:
    """The byte that ends every line: of CRLF the last, CR only where there is no LF at all."""
    return b"\n" if b"\n" in data else b"\r"


def read_head(name: str, text: Text, bounds: Bounds) -> Head:
    """Find separator and header.

    Raises LoadError if the first row with anything in it is too long, not readable, holds control
    characters, has too many columns, or names a column twice.
    """
    lines = _first_lines(name, text, bounds)
    sep_line = _SEP_LINE.fullmatch(lines[0])
    skipped = 1 if sep_line else 0
    read = {
        separator: _records(name, lines[skipped:], separator)
        for separator in ((sep_line[1],) if sep_line else SEPARATORS)
    }
    separator = max(read, key=lambda s: _fitting(read[s][0]))
    if not sep_line and not _fitting(read[separator][0]):
        separator = ","
    records, error = read[separator]
    if not records:
        raise LoadError(f"{name}: no header. Export it again." if error is None else error)
    header = _header(records)
    used = lines[: skipped + records[header].lines]
    head = Head(
        separator,
        tuple(record.number for record in records[:header]),
        records[header].cells,
        records[header].number,
        sum(len(line.encode(text.encoding)) for line in used),
    )
    _refuse_bad_header(name, head, bounds)
    return head


def _first_lines(name: str, text: Text, bounds: Bounds) -> list[str]:
    """The first quarter of a megabyte in whole lines; one line at least."""
    line_end = end_of_lines(text.data)
    end = text.data.rfind(line_end, 0, _HEAD_BYTES)
    if end < 0:
        end = text.data.find(line_end, 0, bounds.record_bytes)
    if end < 0:
        if len(text.data) > bounds.record_bytes:
            raise LoadError(f"{name} row 1: longer than {bounds.record_bytes:,} bytes: no table.")
        end = len(text.data)
    return list(io.StringIO(text.data[: end + 1].decode(text.encoding), newline=""))


def _records(name: str, lines: list[str], separator: str) -> tuple[list[Record], str | None]:
    """The first rows that are not blank, and why reading ended early."""
    reader = csv.reader(lines, delimiter=separator, strict=True)
    records: list[Record] = []
    number = 0
    try:
        for cells in reader:
            number += 1
            if cells:
                records.append(Record(number, tuple(cells), reader.line_num))
            if len(records) == _HEAD_RECORDS:
                break
    except csv.Error as error:
        return records, unreadable(name, number + 1, error)
    return records, None


def unreadable(name: str, number: int, error: csv.Error) -> str:
    """The message for a row that Python's reader cannot read."""
    return f"{name} row {number}: not readable as CSV ({error}). Check the quotes there."


def _fitting(records: list[Record]) -> int:
    """How many rows have as many fields as the header, two at least, with quotes in pairs."""
    if not records:
        return 0
    header = _header(records)
    width = len(records[header].cells)
    if width < 2:
        return 0
    return sum(
        len(record.cells) >= width
        and not any(record.cells[width:])
        and not any(cell.count('"') % 2 for cell in record.cells)
        for record in records[header:]
    )


def _header(records: list[Record]) -> int:
    """The place of the header: below the titles if they and it are beyond doubt, else 0."""
    widths = Counter(len(record.cells) for record in records)
    width = max(widths, key=lambda w: (widths[w], w))
    for place, record in enumerate(records):
        if 2 * sum(map(_is_filled, record.cells)) >= width:
            return place if _names_columns(record.cells, width) else 0
    return 0


def _is_filled(cell: str) -> bool:
    return bool(cell.strip())


def _names_columns(cells: tuple[str, ...], width: int) -> bool:
    names = [cell.strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    return (
        len(cells) == width
        and all(names)
        and len(set(names)) == len(names)
        and not any(_NUMBER_OR_DATE.fullmatch(name) for name in names)
    )


def _refuse_bad_header(name: str, head: Head, bounds: Bounds) -> None:
    if len(head.cells) > bounds.columns:
        raise LoadError(
            f"{name} row {head.number}: {len(head.cells):,} columns, more than "
            f"{bounds.columns:,}: no table."
        )
    if any(c < " " and c not in "\t\r\n" for cell in head.cells for c in cell):
        raise LoadError(
            f"{name}: not a CSV text file (control characters in row {head.number}). "
            "Export it as CSV or as a workbook."
        )
    taken = [column for column, n in Counter(filter(None, head.columns)).items() if n > 1]
    if taken:
        raise LoadError(f"{name}: the header names twice: {shown(taken[0])}. Rename one.")
    if ROW in head.names:
        raise LoadError(f"{name}: a column is called '{ROW}', a name kept for row numbers.")
