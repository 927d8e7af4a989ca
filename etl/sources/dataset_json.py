"""CDISC Dataset-JSON (1.1, and the older 1.0) -> raw rows, all text.

Three forms hold the same table: one JSON document; NDJSON (a line of metadata, then a record a
line); and either of them compressed (.dsjc: zlib by the standard, gzip by some writers). What a
file is, its content says, not its name. NDJSON is read line by line; a document is held whole.

The file says how many records it holds. One more or fewer, and it is refused: a file that was cut
short must not pass for a smaller study.

Convention: CDISC, Dataset-JSON 1.1 (5 December 2024) and Compressed Dataset-JSON 1.1 (2025).
"""

import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal, DecimalException
from pathlib import Path
from typing import Any

import polars as pl

from etl.errors import LoadError
from etl.sources.bounds import BOUNDS, MB, Bounds
from etl.sources.raw import RawTable, raw_frame
from etl.sources.sas_transport import checked_columns, number_text, sas_text

# A document, or a line of NDJSON: parsed at once, it takes some twenty times its size in memory.
DOCUMENT_BYTES = 256 * MB
CHUNK = MB
ROWS_A_FRAME = 20_000
BOM = b"\xef\xbb\xbf"
GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


@dataclass(frozen=True)
class _Table:
    """What the metadata say of a table. `formats`: the SAS display format of each column, or ''."""

    file: str
    name: str
    columns: tuple[str, ...]
    labels: tuple[tuple[str, str], ...]
    formats: tuple[str, ...]
    n_records: int
    form: str

    @property
    def title(self) -> str:
        return f"{self.file} [{self.name}]"


@dataclass(frozen=True)
class _Rows:
    """Rows of a table so far: whole frames, and the ones that are not in a frame yet."""

    frames: list[pl.DataFrame] = field(default_factory=list)
    cells: list[list[str]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    misfits: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; a name that stands twice would hide a value."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice[:40]!r} stands twice in one object")
    return found


# Numbers as they were written, however long; NaN and Infinity, which JSON does not know, as text.
DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=Decimal, parse_int=Decimal, parse_constant=str
)


def _parsed(where: str, text: bytes) -> Any:
    try:
        return DECODER.decode(text.decode())
    except UnicodeDecodeError as error:
        raise LoadError(f"{where}: not UTF-8 text (byte {error.start + 1}). Save it so.") from error
    except json.JSONDecodeError as error:
        at = f"line {error.lineno} column {error.colno}"
        raise LoadError(f"{where}: no JSON at {at}: {error.msg}. Export it again.") from error
    except RecursionError as error:
        raise LoadError(f"{where}: nested too deep for a table. Export it again.") from error
    except DecimalException as error:
        raise LoadError(f"{where}: a number beyond all bounds. Export it again.") from error
    except ValueError as error:
        raise LoadError(f"{where}: {error}. Export it again.") from error


def _read(path: Path, name: str) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk
    except OSError as error:
        raise LoadError(f"{name}: cannot be read: {error.strerror}.") from error


def _is_compressed(start: bytes) -> bool:
    """Gzip or zlib by their first two bytes, which no JSON text can start with."""
    is_zlib = start[:1] == b"x" and int.from_bytes(start[:2], "big") % 31 == 0
    return is_zlib or start[:2] == b"\x1f\x8b"


def _inflated(name: str, chunks: Iterable[bytes], bounds: Bounds) -> Iterator[bytes]:
    """The text of a compressed file, piece by piece, for as long as it stays within bounds."""
    inflate = zlib.decompressobj(GZIP_OR_ZLIB)
    n_in = n_out = 0
    for chunk in chunks:
        n_in += len(chunk)
        rest, piece = chunk, b" "
        while rest or piece:
            try:
                piece = inflate.decompress(rest, CHUNK)
            except zlib.error as error:
                raise LoadError(f"{name}: damaged while compressed. Export it again.") from error
            rest = inflate.unconsumed_tail
            n_out += len(piece)
            if n_out > max(bounds.free_of_ratio_bytes, bounds.ratio * (n_in - len(rest))):
                raise LoadError(
                    f"{name}: grows over {bounds.ratio} times when unpacked, as no real table does."
                    " Export it as NDJSON."
                )
            yield piece
        if inflate.unused_data:
            raise LoadError(f"{name}: more bytes after its compressed text. Export it again.")
    if not inflate.eof:
        raise LoadError(f"{name}: cut short while compressed. Export it again.")


def _chunks(path: Path, name: str, bounds: Bounds) -> Iterator[bytes]:
    """The plain text of the file in pieces; LoadError once it is more than the bound."""
    read = _read(path, name)
    first = next(read, b"")
    whole = _chained(first, read)
    n_bytes = 0
    for chunk in _inflated(name, whole, bounds) if _is_compressed(first) else whole:
        n_bytes += len(chunk)
        if n_bytes > bounds.total_bytes:
            most = bounds.total_bytes // MB
            raise LoadError(f"{name}: more than {most:,} MB of text. Export it in parts.")
        yield chunk


def _chained(first: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from others


def _lines(path: Path, name: str, bounds: Bounds) -> Iterator[bytes]:
    """The lines of the text; LoadError for one beyond what is parsed at once."""
    parts: list[bytes] = []
    n_bytes = 0
    for chunk in _chunks(path, name, bounds):
        for i, piece in enumerate(chunk.split(b"\n")):
            if i:
                yield b"".join(parts)
                parts, n_bytes = [], 0
            parts.append(piece)
            n_bytes += len(piece)
            if n_bytes > DOCUMENT_BYTES:
                raise LoadError(_too_long(name))
    yield b"".join(parts)


def _too_long(name: str) -> str:
    return f"{name}: more than {DOCUMENT_BYTES // MB} MB in one piece. Export it as NDJSON."


def _whole(name: str, first: bytes, others: Iterable[bytes]) -> bytes:
    """The text of a document that stands on several lines."""
    lines = [first]
    n_bytes = len(first)
    for line in others:
        lines.append(line)
        n_bytes += len(line) + 1
        if n_bytes > DOCUMENT_BYTES:
            raise LoadError(_too_long(name))
    return b"\n".join(lines)


def _text_of(item: dict[str, Any], key: str) -> str:
    value = item.get(key)
    return value if isinstance(value, str) else ""


def _described(file: str, said: dict[str, Any], items: Any, form: str) -> _Table:
    """The table that the metadata describe; `items` are its variables."""
    name = _text_of(said, "name")
    title = f"{file} [{name[:40]}]"
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise LoadError(f"{title}: its variables are not described. Export it again.")
    n_records = said.get("records")
    if not isinstance(n_records, Decimal) or n_records != n_records.to_integral_value():
        raise LoadError(f"{title}: does not say how many records it holds. Export it again.")
    columns = checked_columns(title, (_text_of(item, "name") for item in items))
    labels = [_text_of(item, "label") for item in items]
    pairs = tuple(pair for pair in zip(columns, labels, strict=True) if pair[1])
    formats = tuple(_text_of(item, "displayFormat") for item in items)
    return _Table(file, name, columns, pairs, formats, int(min(n_records, 10**12)), form)


def _cell(value: Any, sas_format: str, where: str) -> str:
    """The text of a value: of a number under a SAS format of dates, the date that it shows."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return sas_text(value, sas_format) if sas_format else number_text(value)
    raise LoadError(f"{where}: a list or an object in a cell. Export it again.")


def _add(table: _Table, rows: _Rows, number: int, record: Any, bounds: Bounds) -> None:
    """One record more."""
    where = f"{table.title} record {number}"
    if not isinstance(record, list):
        raise LoadError(f"{where}: not a list of values. Export each record as a list.")
    fits = len(record) == len(table.columns)
    formats = table.formats if fits else [""] * len(record)
    cells = [_cell(value, shown, where) for value, shown in zip(record, formats, strict=True)]
    if not _is_unicode("".join(cells)):
        raise LoadError(f"{where}: half a character. Export it again.")
    if not fits:
        rows.misfits.append((number, tuple(cells)))
        if len(rows.misfits) > bounds.misfits:
            raise LoadError(
                f"{table.title}: more than {bounds.misfits:,} records have another number of "
                "values than variables. Export it again."
            )
        return
    rows.cells.append(cells)
    rows.numbers.append(number)
    if len(rows.cells) >= ROWS_A_FRAME:
        _to_frame(table, rows)


def _to_frame(table: _Table, rows: _Rows) -> None:
    rows.frames.append(raw_frame(table.columns, rows.cells, rows.numbers))
    rows.cells.clear()
    rows.numbers.clear()


def _is_unicode(text: str) -> bool:
    """Whether it can be written as UTF-8: JSON lets half of a surrogate pair stand alone."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _raw_table(table: _Table, records: Iterable[Any], bounds: Bounds) -> RawTable:
    names = (table.name, *table.columns, *(label for _, label in table.labels))
    if not _is_unicode("".join(names)):
        raise LoadError(f"{table.file}: half a character in its metadata. Export it again.")
    rows, n_records = _Rows(), 0
    for record in records:
        n_records += 1
        _add(table, rows, n_records, record, bounds)
    if n_records != table.n_records:
        raise LoadError(
            f"{table.title}: says {table.n_records} records and holds {n_records}. Export it again."
        )
    _to_frame(table, rows)
    misfits = tuple(rows.misfits)
    return RawTable(
        file=table.file,
        name=table.name,
        columns=table.columns,
        rows=pl.concat(rows.frames),
        misfits=misfits,
        labels=table.labels,
        form=table.form,
    )


def _listed(title: str, rows: Any) -> list[Any]:
    if not isinstance(rows, list):
        raise LoadError(f"{title}: its rows are not a list. Export it again.")
    return rows


def _of_version_1_0(
    name: str, document: dict[str, Any], form: str, bounds: Bounds
) -> Iterator[RawTable]:
    """The tables of the older shape, which can hold several."""
    for part in ("clinicalData", "referenceData"):
        inside = document.get(part, {})
        groups = inside.get("itemGroupData", {}) if isinstance(inside, dict) else None
        if not isinstance(groups, dict) or not all(isinstance(g, dict) for g in groups.values()):
            raise LoadError(f"{name}: {part} holds no tables. Export it again.")
        for group in groups.values():
            table = _described(name, group, group.get("items"), form)
            yield _raw_table(table, _listed(table.title, group.get("itemData", [])), bounds)


def _records(name: str, lines: Iterable[bytes]) -> Iterator[Any]:
    """The records of NDJSON, a line each; empty lines hold none."""
    for number, line in enumerate(lines, 2):
        if line.strip():
            yield _parsed(f"{name} line {number}", line)


def _form(name: str, document: Any, kind: str) -> str:
    """How it was read; LoadError if the text is no Dataset-JSON that we know."""
    shapes = {"columns", "clinicalData", "referenceData"}
    version = document.get("datasetJSONVersion") if isinstance(document, dict) else None
    if not isinstance(version, str) or not shapes & set(document):
        raise LoadError(f"{name}: JSON, but no Dataset-JSON. Export it as CDISC Dataset-JSON 1.1.")
    if version.split(".")[:2] not in (["1", "0"], ["1", "1"]):
        raise LoadError(f"{name}: Dataset-JSON {version[:20]!r}. Export it as version 1.1.")
    return f"Dataset-JSON {version[:20]}, {kind}"


def _first(name: str, lines: Iterator[bytes]) -> tuple[Any, Iterable[bytes]]:
    """The first JSON value of the text, and the lines after it."""
    first = next(lines).removeprefix(BOM)
    if first.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise LoadError(f"{name}: UTF-16 text. Save it as UTF-8.")
    try:
        return _parsed(f"{name} line 1", first), lines
    except LoadError:
        # A document on several lines: its first is no JSON alone.
        text = _whole(name, first, lines)
    if not text.strip():
        raise LoadError(f"{name}: the file is empty. Export it again.")
    return _parsed(name, text), ()


def read_dataset_json(path: Path, name: str, bounds: Bounds = BOUNDS) -> list[RawTable]:
    """The tables of a Dataset-JSON file; the number of a row is that of its record.

    Texts are as written; numbers in plain digits of the same value; null is ''; true and false
    are words; NaN and Infinity stay the words they were written as. A number under a SAS format of
    dates is the date in ISO 8601. A record with another number of values than variables is a
    misfit. A table without records is one without rows. Raises LoadError if the file is missing,
    no Dataset-JSON, cut short, damaged, beyond the bounds, names something twice, or holds another
    number of records than it says.
    """
    document, others = _first(name, _lines(path, name, bounds))
    is_lines = isinstance(document, dict) and "columns" in document and "rows" not in document
    form = _form(name, document, "NDJSON" if is_lines else "JSON")
    if is_lines:
        table = _described(name, document, document["columns"], form)
        return [_raw_table(table, _records(name, others), bounds)]
    if any(line.strip() for line in others):
        raise LoadError(f"{name}: more text after the end of the table. Export it again.")
    if "columns" in document:
        table = _described(name, document, document["columns"], form)
        return [_raw_table(table, _listed(table.title, document["rows"]), bounds)]
    tables = list(_of_version_1_0(name, document, form, bounds))
    names = [table.name for table in tables]
    if not tables or len(set(names)) < len(names):
        raise LoadError(f"{name}: no table, or two of one name. Export each to its own file.")
    return tables
