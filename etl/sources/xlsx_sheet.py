"""One sheet of an .xlsx workbook -> its filled cells as lines of text.

The XML is read in a stream and only filled cells are kept, each line up to its last one: a cell at
XFD1048576 costs one long line and not a grid of 17 billion. Cells and rows must come in order.

Source: ECMA-376 Part 1, 18.3 (worksheet).
"""

import re
from dataclasses import dataclass, field
from zipfile import ZipFile

from etl.errors import LoadError
from etl.sources.cell_text import DATE, MONTH, NOT_CALCULATED, iso_text, number_text
from etl.sources.grid import Line, Merge, column_number, place
from etl.sources.xlsx import (
    ELEMENTS,
    Attributes,
    Book,
    SheetPart,
    damaged,
    index_of,
    parse,
    unescaped,
)

MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384
# Of one sheet; a line counts up to its last filled cell. 50 million take 0.4 GB without their text.
MOST_CELLS = 50_000_000

_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")


@dataclass(frozen=True)
class SheetCells:
    """The filled cells of one sheet.

    `lines`: rows with a filled cell, ascending. `merges`: merged ranges. `dates`: in the 1904 date
    system, by column (from 0), the rows with a date cell, ascending.
    """

    lines: list[Line] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    dates: dict[int, list[int]] = field(default_factory=dict)


def read_cells(
    archive: ZipFile, book: Book, sheet: SheetPart, title: str, most_cells: int = MOST_CELLS
) -> SheetCells:
    """The filled cells of one sheet; `title` names file and sheet in messages.

    Raises LoadError if the sheet is damaged, lies outside of the grid of Excel or is too large.
    """
    reading = _Reading(book, title, most_cells)
    parse(archive, sheet.part, title, reading.start, reading.end, reading.text)
    if not reading.is_sheet:
        raise LoadError(f"{title}: {sheet.part} is no worksheet. Save the workbook again.")
    return reading.cells


class _Reading:
    """The cells of one sheet while its XML streams by.

    Five events make a cell, and large sheets have millions of cells: `c` and `v` are answered
    first, all other elements by a look-up.
    """

    def __init__(self, book: Book, title: str, most_cells: int) -> None:
        self.book, self.title, self.most_cells = book, title, most_cells
        self.cells = SheetCells()
        self.is_sheet = False
        self.n_cells = 0
        self.row, self.row_text, self.column = 0, "", -1
        self.columns: dict[str, int] = {}
        self.line: list[str] = []
        self.cell: Attributes = {}
        self.value = ""
        self.is_formula = self.has_value = self.collects = self.is_phonetic = False
        self.starts = {
            "t": self._start_value,
            "f": self._start_formula,
            "row": self._start_row,
            "rPh": self._start_phonetic,
            "mergeCell": self._start_merge,
            "worksheet": self._start_sheet,
        }
        self.ends = {"t": self._end_value, "row": self._end_row, "rPh": self._end_phonetic}

    def start(self, name: str, attributes: Attributes) -> None:
        """An element begins."""
        element = ELEMENTS.get(name)
        if element == "c":
            self.cell = attributes
            self.value = ""
            self.is_formula = self.has_value = False
        elif element == "v":
            self.has_value = self.collects = True
        elif element in self.starts:
            self.starts[element](attributes)

    def text(self, piece: str) -> None:
        """A piece of text, which may come in several."""
        if self.collects:
            self.value += piece

    def end(self, name: str) -> None:
        """An element ends."""
        element = ELEMENTS.get(name)
        if element == "c":
            self._end_cell()
        elif element == "v":
            self.collects = False
        elif element in self.ends:
            self.ends[element]()

    def _start_sheet(self, _: Attributes) -> None:
        self.is_sheet = True

    def _start_row(self, attributes: Attributes) -> None:
        number = index_of(attributes.get("r", str(self.row + 1)))
        if not self.row < number <= MOST_ROWS:
            raise damaged(self.title, f"a row that is no row of a sheet follows row {self.row}")
        self.row, self.row_text, self.column = number, str(number), -1

    def _end_row(self) -> None:
        if self.line:
            self.cells.lines.append(Line(self.row, tuple(self.line)))
            self.line = []

    def _start_value(self, _: Attributes) -> None:
        self.has_value = True
        self.collects = not self.is_phonetic

    def _end_value(self) -> None:
        self.collects = False

    def _start_phonetic(self, _: Attributes) -> None:
        self.is_phonetic = True

    def _end_phonetic(self) -> None:
        self.is_phonetic = False

    def _start_formula(self, attributes: Attributes) -> None:
        self.is_formula = True
        fills_others = attributes.get("t") in ("array", "dataTable")
        if self.book.is_stale and fills_others and ":" in attributes.get("ref", ""):
            raise LoadError(
                f"{self.title}: the formula of {attributes['ref'][:20]!r} was never calculated. "
                "Open the workbook in Excel and save it."
            )

    def _start_merge(self, attributes: Attributes) -> None:
        first, _, last = attributes.get("ref", "").partition(":")
        (top, left), (bottom, right) = self._address(first), self._address(last or first)
        self.cells.merges.append(Merge(top, left, bottom, right))

    def _end_cell(self) -> None:
        self._move()
        kind, value = self.cell.get("t", "n"), self.value
        if self.is_formula and (self.book.is_stale or not self._is_calculated(kind)):
            text = NOT_CALCULATED
        elif kind == "n":
            text = self._number() if value else ""
        elif kind == "s":
            text = self._shared() if value else ""
        else:
            text = _other_text(kind, value)
        if text:
            self._put(text)

    def _is_calculated(self, kind: str) -> bool:
        return self.has_value if kind == "str" else bool(self.value)

    def _move(self) -> None:
        """To the next cell, which says where it is or follows the last one."""
        column = self.column + 1
        if reference := self.cell.get("r"):
            letters = reference.rstrip("0123456789")
            if letters not in self.columns or reference[len(letters) :] != self.row_text:
                self._check_row(reference, letters)
            column = self.columns[letters]
        if not self.column < column < MOST_COLUMNS:
            raise damaged(self.title, f"cells of row {self.row} stand out of order")
        self.column = column

    def _check_row(self, reference: str, letters: str) -> None:
        row, self.columns[letters] = self._address(reference)
        if row != self.row:
            raise damaged(self.title, f"cell {reference[:20]!r} stands in row {self.row}")

    def _address(self, reference: str) -> tuple[int, int]:
        found = _REFERENCE.fullmatch(reference)
        if not found:
            raise damaged(self.title, f"{reference[:20]!r} is no cell")
        row, column = int(found[2]), column_number(found[1])
        if row > MOST_ROWS or column >= MOST_COLUMNS:
            raise damaged(self.title, f"{reference[:20]!r} lies outside of a sheet")
        return row, column

    def _put(self, text: str) -> None:
        n_blank = self.column - len(self.line)
        self.n_cells += n_blank + 1
        if self.n_cells > self.most_cells:
            raise LoadError(
                f"{self.title}: more than {self.most_cells:,} cells up to "
                f"{place(self.row, self.column)}. Delete the cells beside and below the table."
            )
        if n_blank:
            self.line.extend([""] * n_blank)
        self.line.append(text)

    def _shared(self) -> str:
        number = index_of(self.value)
        if not 0 <= number < len(self.book.strings):
            raise damaged(self.title, f"row {self.row} names a text that is not there")
        return self.book.strings[number]

    def _number(self) -> str:
        style = index_of(self.cell["s"]) if "s" in self.cell else 0
        if not 0 <= style < len(self.book.kinds):
            raise damaged(self.title, f"row {self.row} names a style that is not there")
        kind = self.book.kinds[style]
        if self.book.is_1904 and kind in (DATE, MONTH):
            self.cells.dates.setdefault(self.column, []).append(self.row)
        return number_text(self.value, kind, self.book.is_1904)


def _other_text(kind: str, value: str) -> str:
    """The text of a cell that is neither a number nor a shared text."""
    if kind == "b":
        return {"1": "TRUE", "0": "FALSE"}.get(value, value)
    if kind == "e":
        return value or NOT_CALCULATED
    return iso_text(value) if kind == "d" else unescaped(value)
