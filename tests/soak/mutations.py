"""An export and a random generator -> the same export damaged, and what was done to it.

Bytes are flipped, inserted, deleted, doubled and cut off, before packing and after it; and what a
text is made of is dropped, doubled, moved, renamed or replaced by something hostile.
"""

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from xml.sax.saxutils import escape

import numpy as np

from tests.soak.exports import Export, Files

# What no cell should hold, and some does.
HOSTILE = (
    "9" * 400,
    "1e308",
    "-1e-308",
    "NaN",
    "1e999999999",
    "\0",
    "a\0b",
    "\ufeff",
    "\u202edlo\u202c",
    "\u200f\u200e",
    '=HYPERLINK("http://127.0.0.1/","x")',
    "=cmd|' /C calc'!A0",
    "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/hostname'>]>",
    "&b;",
    "]]>",
    "<!--",
    "x" * 140_000,
    '"',
    '""",',
    "'; drop table load; --",
    "\r",
    "\n",
    "\r\n\r\n",
    "\t;|,",
    "31.02.2016",
    "00.00.0000",
    "2016-02-30",
    "9999-12-31",
    "0001-01-01",
    "1e5",
    "0x10",
    "١٢",
    "\u0085\u2028",
    "\U0001f9d2",
    "e\u0301" * 30,
    "\u2066{}%s%n$(id)`id`",
    "../../etc/passwd",
    "true",
    "null",
    "",
    " ",
    "SYNTHETIC",
    "итого",
)
# Numbers of SAS: missing values, a code that is none, the largest, the smallest, not normalized.
HOSTILE_NUMBERS = (
    b"." + bytes(7),
    b"Z" + bytes(7),
    b"!" + bytes(7),
    b"\x7f" + b"\xff" * 7,
    b"\xff" * 8,
    b"\x00\x10" + bytes(6),
    b"\x41" + bytes(7),
    b"\x00" * 7 + b"\x01",
)
_PIECES = {
    "markup": re.compile(r"(?<=>)(?=\s*<)"),
    "json": re.compile(r"(?<=\],)|(?<=\},)|(?<=\]\n)|(?<=[^\]]\n)"),
}
_VALUES = {
    "markup": re.compile(r'(?<=")[^"<>]*(?=")|(?<=>)[^<>]+(?=<)'),
    "json": re.compile(r'"[^"]*"|-?\d+(?:\.\d+)?|null'),
}
_RECORD = 80


@dataclass(frozen=True)
class Mutated:
    """What is handed in, what was in it before packing (None if it was damaged after), and how."""

    files: Files
    inner: Files | None
    told: str


Rows = list[list[str]]


def _pick(rng: np.random.Generator, n: int) -> int:
    return int(rng.integers(n))


def _hostile(rng: np.random.Generator) -> str:
    return HOSTILE[_pick(rng, len(HOSTILE))]


def _span(rng: np.random.Generator, length: int, most: int) -> tuple[int, int]:
    start = _pick(rng, length + 1)
    return start, min(length, start + 1 + _pick(rng, most))


# ------------------------------------------------------------------------------------------ bytes


def flip(data: bytes, rng: np.random.Generator) -> bytes:
    """Some bits of some bytes are others."""
    changed = bytearray(data)
    for _ in range(1 + _pick(rng, 8) if data else 0):
        changed[_pick(rng, len(data))] ^= 1 << _pick(rng, 8)
    return bytes(changed)


def insert(data: bytes, rng: np.random.Generator) -> bytes:
    """Random bytes, or a hostile text, stand somewhere between."""
    at = _pick(rng, len(data) + 1)
    new = rng.bytes(1 + _pick(rng, 40)) if _pick(rng, 2) else _hostile(rng).encode()
    return data[:at] + new + data[at:]


def delete(data: bytes, rng: np.random.Generator) -> bytes:
    """A block is missing."""
    start, end = _span(rng, len(data), 300)
    return data[:start] + data[end:]


def truncate(data: bytes, rng: np.random.Generator) -> bytes:
    """The end is missing; of some files everything."""
    return data[: _pick(rng, len(data) + 1)]


def double(data: bytes, rng: np.random.Generator) -> bytes:
    """A block stands twice, at once or elsewhere."""
    start, end = _span(rng, len(data), 2000)
    at = end if _pick(rng, 2) else _pick(rng, len(data) + 1)
    return data[:at] + data[start:end] + data[at:]


BYTES = (flip, insert, delete, truncate, double)

# ------------------------------------------------------------------------------------------ cells


def _swap_columns(rows: Rows, rng: np.random.Generator) -> Rows:
    """Cells of two columns change places, in one row or in all."""
    a, b = _pick(rng, len(rows[0])), _pick(rng, len(rows[0]))
    few = [1 + _pick(rng, len(rows) - 1)] if _pick(rng, 2) else range(len(rows))
    for row in (rows[i] for i in few):
        if max(a, b) < len(row):
            row[a], row[b] = row[b], row[a]
    return rows


def _drop_column(rows: Rows, rng: np.random.Generator) -> Rows:
    at = _pick(rng, len(rows[0]))
    return [row[:at] + row[at + 1 :] for row in rows]


def _rename_column(rows: Rows, rng: np.random.Generator) -> Rows:
    at = _pick(rng, len(rows[0]))
    new = (rows[0][at].upper(), f"{rows[0][at]} ", rows[0][at - 1], _hostile(rng))
    rows[0][at] = new[_pick(rng, len(new))]
    return rows


def _double_column(rows: Rows, rng: np.random.Generator) -> Rows:
    at, name = _pick(rng, len(rows[0])), ("again", "")[_pick(rng, 2)]
    doubled = [row[: at + 1] + row[at:] for row in rows]
    if _pick(rng, 2) and at + 1 < len(doubled[0]):
        doubled[0][at + 1] = name
    return doubled


def _double_rows(rows: Rows, rng: np.random.Generator) -> Rows:
    start, end = _span(rng, len(rows), 10)
    at = _pick(rng, len(rows) + 1)
    return rows[:at] + [list(row) for row in rows[start:end]] + rows[at:]


def _drop_rows(rows: Rows, rng: np.random.Generator) -> Rows:
    start, end = _span(rng, len(rows), len(rows))
    return rows[:start] + rows[end:]


def _shuffle_rows(rows: Rows, rng: np.random.Generator) -> Rows:
    return [rows[0], *(rows[1 + int(i)] for i in rng.permutation(len(rows) - 1))]


def _empty_rows(rows: Rows, rng: np.random.Generator) -> Rows:
    for _ in range(1 + _pick(rng, 5)):
        at = _pick(rng, len(rows))
        rows[at] = [""] * len(rows[at]) if _pick(rng, 2) else []
    return rows


def _ragged_row(rows: Rows, rng: np.random.Generator) -> Rows:
    at = _pick(rng, len(rows))
    rows[at] = rows[at][: _pick(rng, len(rows[at]) + 1)] if _pick(rng, 2) else [*rows[at], "more"]
    return rows


def _hostile_cells(rows: Rows, rng: np.random.Generator) -> Rows:
    for _ in range(1 + _pick(rng, 10)):
        row = rows[_pick(rng, len(rows))]
        if row:
            row[_pick(rng, len(row))] = _hostile(rng)
    return rows


def _other_row(rows: Rows, rng: np.random.Generator) -> Rows:
    """A row of words that readers give a meaning to: totals, the header again, a title."""
    others = (["Total", "12"], list(rows[0]), ["A title"], ["total"] + ["3"] * (len(rows[0]) - 1))
    at = (0, len(rows), _pick(rng, len(rows) + 1))[_pick(rng, 3)]
    return [*rows[:at], others[_pick(rng, len(others))], *rows[at:]]


CELLS = (
    _swap_columns,
    _drop_column,
    _rename_column,
    _double_column,
    _double_rows,
    _drop_rows,
    _shuffle_rows,
    _empty_rows,
    _ragged_row,
    _hostile_cells,
    _hostile_cells,
    _hostile_cells,
    _shuffle_rows,
    _other_row,
)


def _of_cells(data: bytes, rng: np.random.Generator) -> tuple[bytes, str]:
    """One to three changes of the rows of a CSV file, written again with any separator."""
    rows, told = list(csv.reader(io.StringIO(data.decode(), newline=""))), []
    for _ in range(1 + _pick(rng, 3)):
        change = CELLS[_pick(rng, len(CELLS))]
        # Nothing more can be done to a table without a header or without a row.
        if len(rows) < 2 or not rows[0]:
            break
        rows = change(rows, rng)
        told.append(change.__name__.strip("_"))
    text = io.StringIO(newline="")
    separator, end = (",", ",", ";")[_pick(rng, 3)], ("\n", "\r\n")[_pick(rng, 2)]
    csv.writer(text, delimiter=separator, lineterminator=end).writerows(rows)
    return text.getvalue().encode(), " ".join(told)


# ----------------------------------------------------------------------------------------- pieces


def _of_pieces(pieces: list, rng: np.random.Generator) -> tuple[list, str]:
    """Pieces of a text, or records of a file, are dropped, doubled or change places."""
    a, b = sorted((_pick(rng, len(pieces)), _pick(rng, len(pieces))))
    start, end = _span(rng, len(pieces), 30)
    ways: dict[str, Callable[[], list]] = {
        "drop pieces": lambda: pieces[:start] + pieces[end:],
        "double pieces": lambda: pieces[:end] + pieces[start:end] + pieces[end:],
        "copy pieces": lambda: pieces[:a] + pieces[start:end] + pieces[a:],
        "swap pieces": lambda: [*pieces[:a], pieces[b], *pieces[a + 1 : b], pieces[a],
                                *pieces[b + 1 :]] if a < b else pieces,
    }  # fmt: skip
    way = list(ways)[_pick(rng, len(ways))]
    return ways[way](), way


def _hostile_value(text: str, grain: str, rng: np.random.Generator) -> str:
    """A hostile text for a value, mostly escaped as the format asks for."""
    places = [match.span() for match in _VALUES[grain].finditer(text)]
    start, end = places[_pick(rng, len(places))]
    new, is_escaped = _hostile(rng), _pick(rng, 4)
    if is_escaped and grain == "json":
        new = json.dumps(new)
    elif is_escaped:
        new = escape(new.replace("\0", "\ufffd"), {'"': "&quot;"})
    return text[:start] + new + text[end:]


def _moved_value(text: str, grain: str, rng: np.random.Generator) -> str:
    """The value of one place stands at another."""
    places = [match.span() for match in _VALUES[grain].finditer(text)]
    (start, end), other = (places[_pick(rng, len(places))] for _ in range(2))
    return text[:start] + text[slice(*other)] + text[end:]


def _of_text(data: bytes, grain: str, rng: np.random.Generator) -> tuple[bytes, str]:
    text = data.decode()
    way = _pick(rng, 6)
    if way == 0 or not _VALUES[grain].search(text):
        cuts = [0, *(match.end() for match in _PIECES[grain].finditer(text)), len(text)]
        pieces, told = _of_pieces([text[a:b] for a, b in pairwise(cuts)], rng)
        return "".join(pieces).encode(), told
    if way == 1:
        return _moved_value(text, grain, rng).encode(), "move value"
    return _hostile_value(text, grain, rng).encode(), "hostile value"


def _of_records(data: bytes, rng: np.random.Generator) -> tuple[bytes, str]:
    """Records are dropped, doubled or moved; mostly a number or text is hostile."""
    if _pick(rng, 3) == 0:
        records = [data[i : i + _RECORD] for i in range(0, len(data), _RECORD)]
        changed, told = _of_pieces(records, rng)
        return b"".join(changed), told
    new = HOSTILE_NUMBERS[_pick(rng, len(HOSTILE_NUMBERS))]
    if _pick(rng, 2):
        new = _hostile(rng).encode()[:40]
    # What the variables are called ends before the last header; behind it are the rows.
    start = data.find(b"OBS     HEADER RECORD") if _pick(rng, 4) else 0
    at = start + _pick(rng, len(data) - start)
    return data[:at] + new[: len(data) - at] + data[at + len(new) :], "hostile value"


# ---------------------------------------------------------------------------------------- exports


def _of_grain(data: bytes, grain: str, rng: np.random.Generator) -> tuple[bytes, str]:
    """A file with one to three changes of what it says."""
    if grain == "cells":
        return _of_cells(data, rng)
    told = []
    for _ in range(1 + _pick(rng, 3)):
        # A change may leave nothing that another one could change.
        if len(data) > 2 * _RECORD:
            data, said = (
                _of_records(data, rng) if grain == "records" else _of_text(data, grain, rng)
            )
            told.append(said)
    return data, " ".join(told)


def _of_files(files: Files, grain: str, rng: np.random.Generator) -> tuple[Files, str]:
    """One file or two with other contents."""
    changed, told = dict(files), []
    tables = [name for name in sorted(files) if "/" not in name or "worksheets/sheet" in name]
    names = tables if _pick(rng, 4) else sorted(files)
    for name in rng.permutation(names)[: 1 + _pick(rng, 2)]:
        changed[name], said = _of_grain(files[name], grain, rng)
        told.append(f"{name}: {said}")
    return changed, ", ".join(told)


def _of_bytes(files: Files, rng: np.random.Generator) -> tuple[Files, str]:
    name = sorted(files)[_pick(rng, len(files))]
    change = BYTES[_pick(rng, len(BYTES))]
    return {**files, name: change(files[name], rng)}, f"{name}: {change.__name__} bytes"


def mutated(export: Export, rng: np.random.Generator) -> Mutated:
    """One export damaged: mostly in what it says, else in its bytes, before or after packing."""
    way = _pick(rng, 6)
    if way == 0:
        packed, told = _of_bytes(export.pack(export.inner), rng)
        return Mutated(packed, None, f"as handed in, {told}")
    if way == 1:
        inner, told = _of_bytes(export.inner, rng)
    else:
        inner, told = _of_files(export.inner, export.grain, rng)
    return Mutated(export.pack(inner), inner, told)
