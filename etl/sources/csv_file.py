"""CSV files -> raw rows, all text.

Python's reader, not a typed one: a field that is not a number must arrive as it was written, a
row with too many or too few fields must be quarantined with its row number instead of ending the
load, and a quoted line break inside a field must not shift the numbers of the rows after it.
"""

import csv
import io
from pathlib import Path

from etl.errors import LoadError
from etl.sources.raw import RawTable, raw_frame


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LoadError(f"{path}: cannot be read: {error.strerror}.") from error
    if not data.strip():
        raise LoadError(f"{path}: the file is empty. Export it again.")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise LoadError(f"{path}: UTF-16 text. Save it as CSV UTF-8, separated by commas.")
    if b"\x00" in data:
        raise LoadError(f"{path}: not a CSV text file (it holds NUL bytes). Export it as CSV.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LoadError(
            f"{path}: not UTF-8 text (byte {error.start + 1}). Save it as CSV UTF-8."
        ) from error


def _header(path: Path, cells: list[str]) -> tuple[str, ...]:
    columns = tuple(cell.strip() for cell in cells)
    if len(columns) == 1 and ";" in columns[0]:
        raise LoadError(f"{path}: separated by semicolons. Save it as CSV separated by commas.")
    if "" in columns:
        number = columns.index("") + 1
        raise LoadError(f"{path}: column {number} of the header has no name. Name it.")
    repeated = sorted({c for c in columns if columns.count(c) > 1})
    if repeated:
        raise LoadError(f"{path}: the header names twice: {', '.join(repeated)}. Rename one.")
    return columns


def read_csv_file(path: Path) -> RawTable:
    """Read a comma-separated UTF-8 file with one header row.

    Raises LoadError, naming file and place, if it is missing, empty, binary, not UTF-8, has no
    usable header. A header without rows is an empty table: nobody was transplanted yet.
    """
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    numbers: list[int] = []
    rows: list[list[str]] = []
    misfits: list[tuple[int, tuple[str, ...]]] = []
    number = 0
    columns: tuple[str, ...] = ()
    try:
        for cells in reader:
            number += 1
            if not cells:
                continue
            if not columns:
                columns = _header(path, cells)
            elif len(cells) == len(columns):
                numbers.append(number)
                rows.append(cells)
            else:
                misfits.append((number, tuple(cells)))
    except csv.Error as error:
        raise LoadError(
            f"{path} row {number + 1}: not readable as CSV ({error}). Check the quotes there."
        ) from error
    if not columns:
        raise LoadError(f"{path}: no header. Export it again.")
    frame = raw_frame(columns, rows, numbers)
    return RawTable(path.name, "", columns, frame, tuple(misfits), form="CSV")
