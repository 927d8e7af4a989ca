"""Excel workbooks (.xlsx, .xlsm) -> raw rows, one table a sheet.

Only these formats: what is read of them is what the cells show (see `xlsx`). The older .xls and
the open .ods have no reader here that tells an error cell or a percent cell apart, so they are
refused with the way out instead of being read with blanks and bare numbers in their place.
"""

from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile

import polars as pl

from etl.errors import LoadError
from etl.sources.raw import DATE_SYSTEM_1904, REPAIRED, RawTable, raw_frame
from etl.sources.sheet import Found, find_table
from etl.sources.xlsx import SAVE_AS, Book, SheetPart, open_book
from etl.sources.xlsx_sheet import SheetCells, read_cells

_OLD_CONTAINER = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def read_workbook(path: Path, name: str, only: Collection[str] | None = None) -> list[RawTable]:
    """The tables of a workbook in the order of its sheets, hidden ones too; no blank ones.

    `name`: of the file within the export. `only`: the sheets to read, all others are not looked at;
    None for all. Raises LoadError, naming file, sheet and place, if the file is no readable
    workbook, is locked with a password, has no such sheet, holds nothing but blank sheets, or if a
    sheet holds no clear table (see `sheet`).
    """
    try:
        with path.open("rb") as file:
            start = file.read(len(_OLD_CONTAINER))
            if start == _OLD_CONTAINER:
                raise _old_container(file.read(), name)
            with _archive(file, name) as archive:
                return _tables(archive, name, only)
    except OSError as error:
        raise LoadError(f"{name}: cannot be read: {error.strerror}.") from error


def _archive(file: BinaryIO, name: str) -> ZipFile:
    try:
        return ZipFile(file)
    except (BadZipFile, NotImplementedError, ValueError) as error:
        raise LoadError(
            f"{name}: no Excel workbook, or cut off ({error!s:.200}). {SAVE_AS}"
        ) from error


def _old_container(data: bytes, name: str) -> LoadError:
    if _ENCRYPTED in data:
        return LoadError(
            f"{name}: locked with a password. Open it, take the password off and save it again."
        )
    return LoadError(f"{name}: the old Excel format (.xls), which is not read. {SAVE_AS}")


def _tables(archive: ZipFile, name: str, only: Collection[str] | None) -> list[RawTable]:
    book = open_book(archive, name)
    _check_sheets(book, name, only)
    wanted = [sheet for sheet in book.sheets if only is None or sheet.name in only]
    tables = [_table(archive, book, sheet, name) for sheet in wanted]
    if not any(tables):
        raise LoadError(f"{name}: every sheet is blank. Save the workbook with its data.")
    return [table for table in tables if table is not None]


def _check_sheets(book: Book, name: str, only: Collection[str] | None) -> None:
    counts = Counter(sheet.name for sheet in book.sheets)
    if twice := [sheet for sheet, n in counts.items() if n > 1]:
        raise LoadError(f"{name}: two sheets are called {twice[0][:80]!r}. Rename one.")
    if missing := sorted(set(only or ()) - set(counts)):
        names = ", ".join(repr(sheet[:80]) for sheet in counts)
        raise LoadError(f"{name}: no sheet {missing[0]!r}. It has {names or 'none'}.")


def _table(archive: ZipFile, book: Book, sheet: SheetPart, name: str) -> RawTable | None:
    """The table of one sheet, None if the sheet is blank."""
    title = f"{name} [{repr(sheet.name[:80])[1:-1]}]"
    cells = read_cells(archive, book, sheet, title)
    found = find_table(cells.lines, cells.merges, title)
    if found is None:
        return None
    columns = tuple(filter(None, found.header.names))
    return RawTable(
        name,
        sheet.name,
        columns,
        raw_frame(columns, found.rows, found.numbers),
        found.misfits,
        found.aside,
        _repairs(found, cells, book.is_1904),
        form=_form(found, book, sheet),
    )


def _repairs(found: Found, cells: SheetCells, is_1904: bool) -> pl.DataFrame:
    """Cells that got a merged value; of each column of 1904 dates its first."""
    names = found.header.names
    rows = [(row, names[column], text, "merged_cell") for row, column, text in found.filled]
    if is_1904:
        by_number = dict(zip(found.numbers, found.rows, strict=True))
        for field, column in enumerate(found.header.places):
            row = next((r for r in cells.dates.get(column, ()) if r in by_number), None)
            if row is not None:
                rows.append((row, names[column], by_number[row][field], "date_system_1904"))
    return pl.DataFrame(rows, schema=REPAIRED, orient="row")


def _form(found: Found, book: Book, sheet: SheetPart) -> str:
    rows = [str(line.number) for line in found.header.lines]
    said = [
        "Excel workbook",
        "" if rows == ["1"] else f"header in row{'s'[: len(rows) - 1]} {' and '.join(rows)}",
        "hidden sheet" if sheet.is_hidden else "",
        DATE_SYSTEM_1904 if book.is_1904 else "",
    ]
    return ", ".join(filter(None, said))
