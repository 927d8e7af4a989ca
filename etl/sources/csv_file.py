"""CSV files -> raw rows, all text.

A field that is not a number must arrive as it was written, a row with too many or too few fields
must be quarantined with its row number instead of ending the load, and a quoted line break inside a
field must not shift the numbers of the rows after it. Python's reader does all that, slowly. So the
text is read piece by piece: a piece in which every line is provably a row that fits goes to the
reader of polars, any other to Python's. Which one read a piece cannot be told from the result.

Rows are counted as a spreadsheet shows them: from 1, blank lines counted, a quoted line break not,
Excel's line `sep=;` not. Blank lines are no rows; a line of separators alone is one. Fields beyond
the header are cut off if they are empty; a row with fewer fields than the header is a misfit.
"""

import csv
import io
from collections.abc import Iterator
from itertools import chain, takewhile
from pathlib import Path

import polars as pl

from etl.errors import LoadError
from etl.sources.bounds import BOUNDS, Bounds
from etl.sources.csv_head import Head, end_of_lines, read_head, unreadable
from etl.sources.encoding import Text, text_of
from etl.sources.raw import ROW, RawTable
from etl.sources.sheet import is_total

Misfit = tuple[int, tuple[str, ...]]
# So many rows of Python's reader become a frame at once: as lists they take ten times the memory.
_BATCH = 50_000
# Python's reader refuses fields from twice this length on; a line without an end in a window so
# long may hold one, so polars must not get it.
_WINDOW = 65_536
# Totals are looked for in so many of the last rows.
_TAIL = 5
_SAID = {"\t": "tab"}


def read_csv_file(path: Path, name: str, bounds: Bounds = BOUNDS) -> list[RawTable]:
    """Read a delimited text file with one header row: one table, its name ''.

    `path`: the file on disk. `name`: what messages and the table call it. A header without rows
    is an empty table: nobody was transplanted yet. Titles above the header, the header again and
    totals at the end are set aside. A column without name that is empty throughout is left out.

    Raises LoadError, naming file and place, if the file is missing, empty, binary, in no known
    encoding, has no usable header, a column with values but no name, a quote that never ends, or
    goes beyond the bounds.
    """
    text = text_of(name, _bytes(path, name))
    if not text.data.strip():
        raise LoadError(f"{name}: the file is empty. Export it again.")
    head = read_head(name, text, bounds)
    body = _Body(name, text, head, bounds)
    rows = body.read()
    totals = _totals(rows, body.misfits)
    misfits = tuple(misfit for misfit in body.misfits if misfit[0] not in totals)
    rows = rows.filter(~pl.col(ROW).is_in(totals)) if totals else rows
    rows, again = _without_header_again(rows, head)
    rows, columns = _named(name, rows, head)
    aside = [(n, "title_row") for n in head.titles]
    aside += [(n, "header_again") for n in again] + [(n, "totals_row") for n in totals]
    said = _SAID.get(head.separator, head.separator)
    form = f"CSV, {text.said}, separated by {said}"
    return [
        RawTable(name, "", columns, rows, misfits, tuple(aside), form=form, repeated=head.repeated)
    ]


def _bytes(path: Path, name: str) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LoadError(f"{name}: cannot be read: {error.strerror}.") from error
    if not data.strip():
        raise LoadError(f"{name}: the file is empty. Export it again.")
    return data


class _Lines:
    """Lines for Python's reader, piece after piece; `ahead` is '' at the end of a piece.

    The reader asks for a line of the next piece only in the middle of a row. `record` is the
    length of the row so far: whoever takes the row sets it to 0.
    """

    def __init__(self, pieces: Iterator[str], bound: int) -> None:
        self._pieces, self._bound = pieces, bound
        self._text = io.StringIO(next(pieces), newline="")
        self.ahead = self._text.readline()
        self.record = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if not self.ahead:
            self._text = io.StringIO(next(self._pieces), newline="")
            self.ahead = self._text.readline()
        line, self.ahead = self.ahead, self._text.readline()
        self.record += len(line)
        if self.record > self._bound:
            raise csv.Error(f"a row longer than {self._bound:,} characters")
        return line


class _Body:
    """Reads the rows below the header. `number` is the number of the last row read."""

    def __init__(self, name: str, text: Text, head: Head, bounds: Bounds) -> None:
        self.name, self.text, self.head, self.bounds = name, text, head, bounds
        self.number = head.number
        self.misfits: list[Misfit] = []
        self.schema = {str(i): pl.String for i in range(len(head.cells))}

    def read(self) -> pl.DataFrame:
        """All rows that fit, columns '0', '1', ... and the row number."""
        empty = pl.DataFrame(schema={**self.schema, ROW: pl.Int64})
        return pl.concat([empty, *self._frames()])

    def _frames(self) -> Iterator[pl.DataFrame]:
        pieces = self._pieces()
        for piece in pieces:
            whole = fast_frame(piece, self.head.separator, self.schema)
            if whole is None:
                yield from self._slow_frames(chain([piece], pieces))
            else:
                numbers = pl.int_range(self.number + 1, self.number + 1 + pl.len(), dtype=pl.Int64)
                self.number += whole.height
                # The reader of polars leaves half of its memory unused; a copy has what it needs.
                yield whole.with_columns(numbers.alias(ROW)).rechunk()

    def _pieces(self) -> Iterator[bytes]:
        """The text below the header, cut at ends of lines, as UTF-8."""
        data, start = self.text.data, self.head.end
        line_end = end_of_lines(data)
        while start < len(data):
            end = self._cut(data, start, line_end)
            piece = data[start:end]
            start = end
            if self.text.encoding != "utf-8":
                piece = piece.decode(self.text.encoding).encode("utf-8")
            yield piece

    def _cut(self, data: bytes, start: int, line_end: bytes) -> int:
        target, bound = start + self.bounds.piece_bytes, self.bounds.record_bytes
        end = data.find(line_end, target - 1, target + bound)
        if end < 0 and target + bound < len(data):
            end = data.rfind(line_end, start, target)
            if end < 0:
                raise LoadError(
                    f"{self.name} row {self.number + 1}: longer than {bound:,} bytes: no row."
                )
        return end + 1 if end >= 0 else len(data)

    def _slow_frames(self, pieces: Iterator[bytes]) -> Iterator[pl.DataFrame]:
        """Rows by Python's reader, to the end of a piece that is the end of a row."""
        lines = _Lines((piece.decode("utf-8") for piece in pieces), self.bounds.record_bytes)
        reader = csv.reader(lines, delimiter=self.head.separator, strict=True)
        width = len(self.head.cells)
        rows: list[list[str]] = []
        numbers: list[int] = []
        try:
            for cells in reader:
                lines.record = 0
                self.number += 1
                if len(cells) == width or (cells and self._fits(cells, width)):
                    rows.append(cells)
                    numbers.append(self.number)
                    if len(rows) == _BATCH:
                        yield self._frame(rows, numbers)
                        rows, numbers = [], []
                if not lines.ahead:
                    break
        except csv.Error as error:
            raise LoadError(unreadable(self.name, self.number + 1, error)) from error
        yield self._frame(rows, numbers)

    def _fits(self, cells: list[str], width: int) -> bool:
        """Whether the row fits once empty fields beyond the header are cut; else it is a misfit."""
        if len(cells) > self.bounds.columns:
            raise LoadError(
                f"{self.name} row {self.number}: {len(cells):,} fields, more than "
                f"{self.bounds.columns:,}: no row of a table."
            )
        if len(cells) > width and not any(cells[width:]):
            del cells[width:]
            return True
        self.misfits.append((self.number, tuple(cells)))
        if len(self.misfits) > self.bounds.misfits:
            raise LoadError(
                f"{self.name}: more than {self.bounds.misfits:,} rows have another number of "
                f"fields than the header (row {self.head.number}). Check what separates the fields."
            )
        return False

    def _frame(self, rows: list[list[str]], numbers: list[int]) -> pl.DataFrame:
        frame = pl.DataFrame(rows, schema=self.schema, orient="row")
        return frame.with_columns(pl.Series(ROW, numbers, dtype=pl.Int64))


def fast_frame(piece: bytes, separator: str, schema: dict[str, type]) -> pl.DataFrame | None:
    """The rows of UTF-8 text in whole lines, read by polars; None unless every line surely fits.

    Sure: as many separators as so many lines of so many fields have, and no line with more of them
    than that (polars tells), so none with fewer, so none blank (of one column, blank lines are
    looked for). No line so long that Python's reader might refuse it. Quotes only around whole
    fields.
    """
    text = piece.replace(b"\r\n", b"\n") if b"\r" in piece else piece
    if b"\r" in text or text.startswith((b"\n", b"\xef\xbb\xbf")):
        return None
    if len(schema) == 1 and b"\n\n" in text:
        return None
    n_lines = text.count(b"\n") + (not text.endswith(b"\n"))
    if text.count(separator.encode()) != n_lines * (len(schema) - 1) or _has_long_line(text):
        return None
    try:
        frame = pl.read_csv(
            text,
            has_header=False,
            schema=schema,
            separator=separator,
            quote_char=None,
            empty_string_is_null=False,
        )
    except pl.exceptions.PolarsError:
        return None
    if frame.height != n_lines:
        return None
    return _unquoted(frame) if b'"' in text else frame


def _has_long_line(text: bytes) -> bool:
    return any(
        text.find(b"\n", start, start + _WINDOW) < 0
        for start in range(0, len(text) - _WINDOW + 1, _WINDOW)
    )


def _unquoted(frame: pl.DataFrame) -> pl.DataFrame | None:
    """Fields without the quotes around them; None if a quoted field ends elsewhere.

    A quote inside a field that does not begin with one is a character like any other.
    """
    every = pl.all()
    quoted = every.str.starts_with('"')
    ends = every.str.ends_with('"') & (every.str.count_matches('"', literal=True) == 2)
    if frame.select((quoted & ~ends).any()).select(pl.any_horizontal(pl.all())).item():
        return None
    bare = every.str.strip_prefix('"').str.strip_suffix('"')
    return frame.with_columns(pl.when(quoted).then(bare).otherwise(every))


def _totals(rows: pl.DataFrame, misfits: list[Misfit]) -> list[int]:
    """The numbers of the rows of totals that the table ends in, whether they fit or not."""
    tail = [(row[-1], row[:-1]) for row in rows.tail(_TAIL).rows()] + misfits[-_TAIL:]
    filled = [(number, cells) for number, cells in sorted(tail, reverse=True) if any(cells)]
    totals = takewhile(lambda numbered: is_total(numbered[1]), filled)
    return sorted(number for number, _ in totals)


def _without_header_again(rows: pl.DataFrame, head: Head) -> tuple[pl.DataFrame, list[int]]:
    """Rows without those that are the header again (not in a table of one column)."""
    if len(head.cells) < 2 or not (rows["0"] == head.cells[0]).any():
        return rows, []
    again = pl.all_horizontal(pl.col(str(i)) == cell for i, cell in enumerate(head.cells))
    return rows.filter(~again), rows.filter(again)[ROW].to_list()


def _named(name: str, rows: pl.DataFrame, head: Head) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Rows under the names of their columns, without columns that have neither name nor values."""
    columns = {str(i): column for i, column in enumerate(head.columns)}
    for place in [place for place, column in columns.items() if not column]:
        filled = rows.filter(pl.col(place).str.strip_chars() != "")
        if filled.height:
            raise LoadError(
                f"{name}: column {int(place) + 1} of the header has no name, but row "
                f"{filled[0, ROW]} has a value there. Name it."
            )
        del columns[place]
    if not columns:
        raise LoadError(f"{name}: no header. Export it again.")
    named = [pl.col(place).alias(column) for place, column in columns.items()]
    return rows.select(*named, ROW), tuple(columns.values())
