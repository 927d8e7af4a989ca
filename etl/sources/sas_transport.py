"""SAS transport files (XPORT of SAS 5 to 9) -> raw rows, all text; every dataset of the library.

Read here and not by a library: the common reader of these files ends at the first dataset, gives
a file that was cut short as a shorter table, and does not tell a special missing value from a
plain one. The format is a page long: records of 80 bytes; of each dataset a header, 140 bytes of
description for each variable, then observations of fixed width, filled up with blanks.

Convention: SAS, "Record Layout of a SAS Version 5 or 6 Data Set in SAS Transport (XPORT) Format"
and "Record Layout for a SAS Version 8 or 9 Data Set in SAS Transport Format" (October 2021).

Two things the format itself cannot tell. Version 5 does not say how many observations there are:
a file cut exactly between two of them looks whole. And a last observation of nothing but blanks
looks like the filling; it holds no value, and SAS does not read it either.
"""

import io
import math
import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import polars as pl

from etl.errors import LoadError
from etl.sources.bounds import BOUNDS, MB, Bounds
from etl.sources.encoding import text_of
from etl.sources.raw import REPAIRED, ROW, RawTable

RECORD = 80
HEADER = re.compile(rb"HEADER RECORD\*{7}(.{8})HEADER RECORD!{7}(.{32})", re.DOTALL)
MEMBER = re.compile(rb"HEADER RECORD\*{7}MEMB(?:ER|V8)  HEADER RECORD!{7}")
LIBRARIES = {b"LIBRARY ": "5", b"LIBV8   ": "8"}
NAMESTR = struct.Struct(">hhhh8s40s8shhh2s8shhl")
NAMESTR_SIZES = (136, 140)
LONG_NAME = slice(NAMESTR.size, NAMESTR.size + 32)
EPOCH = datetime(1960, 1, 1)
# Beyond this many digits before or behind the point a number is written with an exponent.
MAX_PLACES = 400
# Formats by what the number under them counts: days, seconds, seconds of a day.
DAYS = re.compile(
    r"DATE|(DDMMYY|MMDDYY|YYMMDD|MMYY|YYMM|YYQ)[BCDNPS]?|(E8601|B8601|IS8601)DA|(WEEK|WORD)DAT[EX]"
    r"|JULIAN|MONYY|YYMON|YYQR[BCDNPS]?|YEAR|NLDATE|EURDFD[DE]|EURDFMY"
)
MOMENTS = re.compile(
    r"DATETIME|(DATE|MDY)AMPM|DT(DATE|MONYY|YEAR|YYQC|WKDATX)|NLDATM|EURDFDT"
    r"|(E8601|B8601|IS8601)D[TNZ]"
)
CLOCKS = re.compile(r"(NL)?TIME|HHMM|TOD|TIMEAMPM|(E8601|B8601|IS8601)TM")
MISSING = frozenset(b"._ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def number_text(value: Decimal) -> str:
    """A number in plain digits, without zeros that say nothing: '12', not '12.0' or '1.2e1'.

    Beyond 400 places it keeps its exponent, so that '1e999999' stays a short text.
    """
    if not value:
        return "0"
    if abs(value.adjusted()) > MAX_PLACES:
        return str(value)
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


@lru_cache(maxsize=1024)
def _counts(sas_format: str) -> str:
    """What a number under this format counts: 'days', 'seconds', 'seconds of a day', or ''."""
    shown = sas_format.upper().rstrip("0123456789.")
    kinds = {"days": DAYS, "seconds": MOMENTS, "seconds of a day": CLOCKS}
    return next((kind for kind, formats in kinds.items() if formats.fullmatch(shown)), "")


def sas_text(value: Decimal, sas_format: str) -> str:
    """A number of SAS as a person reads it under its format: a date, datetime or time in ISO 8601.

    A day with a fraction keeps it as a time. Without a format of dates, beyond the years 1 to 9999,
    and for a time of more than a day, the number itself.
    """
    kind = _counts(sas_format)
    try:
        if kind == "days":
            moment = EPOCH + timedelta(days=float(value))
            return moment.isoformat() if moment.time() != EPOCH.time() else str(moment.date())
        if kind == "seconds":
            return (EPOCH + timedelta(seconds=float(value))).isoformat()
    except OverflowError:
        return number_text(value)
    if kind == "seconds of a day" and 0 <= value < 86_400:
        return (EPOCH + timedelta(seconds=float(value))).time().isoformat()
    return number_text(value)


def checked_columns(title: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names of the columns; LoadError if there is none, or one is empty, double or reserved."""
    columns = tuple(names)
    if not columns:
        raise LoadError(f"{title}: no variables. Export it again.")
    for number, column in enumerate(columns, 1):
        if not column.strip():
            raise LoadError(f"{title}: variable {number} has no name. Name it.")
        if column == ROW:
            raise LoadError(
                f"{title}: variable {number} is named {ROW}, a word of ours. Rename it."
            )
    if len(set(columns)) < len(columns):
        repeated = sorted({c for c in columns if columns.count(c) > 1})
        raise LoadError(f"{title}: names twice: {', '.join(repeated[:5])}. Rename one.")
    return columns


@dataclass(frozen=True)
class _Variable:
    name: bytes
    label: bytes
    sas_format: str
    is_number: bool
    start: int
    width: int


@dataclass(frozen=True)
class _Dataset:
    """One dataset of the library, its observations still bytes."""

    name: bytes
    variables: tuple[_Variable, ...]
    observations: bytes
    n_records: int
    width: int

    def column(self, variable: _Variable) -> list[bytes]:
        starts = range(variable.start, self.n_records * self.width, self.width)
        return [self.observations[i : i + variable.width] for i in starts]


def _trimmed(text: bytes) -> bytes:
    """Without the filling: blanks of SAS, zero bytes of some other writers."""
    return text.rstrip(b" \0")


class _Damage(Exception):
    """The bytes are no whole transport file. The text says where."""


def _take(stream: io.BytesIO, size: int, what: str) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise _Damage(f"it ends within {what}")
    return data


def _header(stream: io.BytesIO, *kinds: bytes) -> tuple[bytes, bytes]:
    """Kind and numbers of the header record that must stand here, one of `kinds`."""
    at = stream.tell()
    match = HEADER.fullmatch(_take(stream, RECORD, "its headers"))
    if not match or match[1] not in kinds:
        raise _Damage(f"no {kinds[-1].decode().strip()} header {at} bytes into the dataset")
    return match[1], match[2]


def _number(digits: bytes, what: str) -> int:
    if not digits.strip().isdigit():
        raise _Damage(f"{what} is no number")
    return int(digits)


def _to_next_record(stream: io.BytesIO) -> None:
    stream.seek(-stream.tell() % RECORD, io.SEEK_CUR)


def _variable(described: bytes, is_long: bool) -> _Variable:
    parts = NAMESTR.unpack_from(described)
    kind, width, short, label, sas_format, start = (parts[i] for i in (0, 2, 4, 5, 6, 14))
    long = _trimmed(described[LONG_NAME]) if is_long else b""
    name = long or _trimmed(short)
    if kind not in (1, 2) or width < 1 or (kind == 1 and not 2 <= width <= 8):
        raise _Damage(f"type {kind} and length {width} of a variable do not go together")
    text = _trimmed(sas_format).decode("ascii", "replace")
    return _Variable(name, _trimmed(label), text, kind == 1, start, width)


def _long_labels(
    stream: io.BytesIO, kind: bytes, numbers: bytes, variables: list[_Variable]
) -> list[_Variable]:
    """The variables with the labels (and formats) that did not fit their description."""
    n_lengths = 4 if kind == b"LABELV9 " else 2
    for _ in range(_number(numbers, "the number of long labels")):
        entry = struct.unpack(f">{1 + n_lengths}H", _take(stream, 2 + 2 * n_lengths, "its labels"))
        texts = [_take(stream, size, "its labels") for size in entry[1:]]
        if not 1 <= entry[0] <= len(variables):
            raise _Damage(f"a long label is of variable {entry[0]}, of {len(variables)}")
        variable = replace(variables[entry[0] - 1], label=_trimmed(texts[1]))
        if n_lengths == 4:
            variable = replace(variable, sas_format=texts[2].decode("ascii", "replace").strip())
        variables[entry[0] - 1] = variable
    _to_next_record(stream)
    return variables


def _width(variables: list[_Variable]) -> int:
    """Bytes of an observation; the variables must fill it without gap or overlap."""
    end = 0
    for variable in sorted(variables, key=lambda v: v.start):
        if variable.start != end:
            raise _Damage(f"the variables do not fill an observation (byte {end})")
        end += variable.width
    return end


def _n_records(rest: bytes, width: int, stated: int) -> int:
    """How many observations: as `stated` (0: not stated), else all but the filling at the end."""
    n_records = stated or len(rest) // width
    filling = rest[n_records * width :]
    if n_records * width > len(rest) or len(filling) >= RECORD or filling.strip(b" "):
        what = f"of {stated} observations" if stated else "within an observation"
        raise _Damage(f"its data do not end at the end {what}")
    while not stated and n_records and len(rest) - (n_records - 1) * width < RECORD:
        if rest[(n_records - 1) * width :].strip(b" "):
            break
        n_records -= 1
    return n_records


def _dataset(block: bytes) -> _Dataset:
    stream = io.BytesIO(block)
    _, numbers = _header(stream, b"MEMBER  ", b"MEMBV8  ")
    size = _number(numbers[25:30], "the length of a description")
    if size not in NAMESTR_SIZES:
        raise _Damage(f"variables described in {size} bytes")
    kind, _ = _header(stream, b"DSCPTV8 ", b"DSCRPTR ")
    is_long = kind == b"DSCPTV8 "
    name = _take(stream, 2 * RECORD, "its headers")[8 : 40 if is_long else 16]
    _, numbers = _header(stream, b"NAMSTV8 ", b"NAMESTR ")
    n_variables = _number(numbers[:10], "the number of variables")
    described = _take(stream, n_variables * size, "the description of its variables")
    variables = [
        _variable(described[i : i + size], is_long) for i in range(0, len(described), size)
    ]
    _to_next_record(stream)
    kind, numbers = _header(stream, b"LABELV8 ", b"LABELV9 ", b"OBSV8   ", b"OBS     ")
    if kind.startswith(b"LABEL"):
        variables = _long_labels(stream, kind, numbers, variables)
        kind, numbers = _header(stream, b"OBSV8   ", b"OBS     ")
    is_stated = kind == b"OBSV8   " and numbers[:15].strip(b" 0")
    stated = _number(numbers[:15], "the number of observations") if is_stated else 0
    rest, width = stream.read(), _width(variables)
    n_records = _n_records(rest, width, stated) if width else 0
    return _Dataset(_trimmed(name), tuple(variables), rest, n_records, width)


def _split(data: bytes) -> list[bytes]:
    """The bytes of each dataset: a new one starts where a record is a member header."""
    starts = [m.start() for m in MEMBER.finditer(data) if m.start() % RECORD == 0]
    if not starts or starts[0] != 3 * RECORD:
        raise _Damage("no dataset after its first header")
    return [data[a:b] for a, b in zip(starts, [*starts[1:], len(data)], strict=True)]


def _encoding(name: str, texts: set[bytes]) -> tuple[str, str]:
    """The encoding of the texts that are not ASCII, and how it is said; the format does not tell.

    UTF-8 if most of them are: one can be cut within a character, where its field ended.
    """
    n_broken = sum(_is_broken(text, "utf-8") for text in texts)
    if 2 * n_broken <= len(texts):
        note = f", {n_broken} texts with bytes that are no character, shown as \ufffd"
        return "utf-8", f"UTF-8{note if n_broken else ''}"
    try:
        found = text_of(name, b"\n".join(sorted(texts)).replace(b"\0", b""))
    except LoadError as error:
        raise LoadError(f"{name}: its texts are in no known encoding. Use UTF-8.") from error
    return found.encoding, found.said


def _is_broken(text: bytes, encoding: str) -> bool:
    return text.decode(encoding, "replace").encode(encoding, "replace") != text


def _other_texts(dataset: _Dataset) -> set[bytes]:
    """All texts of a dataset that are not ASCII."""
    texts = {text for v in dataset.variables for text in (v.name, v.label)}
    for variable in dataset.variables:
        if not variable.is_number:
            texts |= {_trimmed(text) for text in set(dataset.column(variable))}
    return {text for text in texts if not text.isascii()}


def _ibm_float(raw: bytes) -> float:
    """A number of IBM's base 16: sign, exponent of 7 bits, fraction of up to 56 bits.

    Exact where 53 bits hold it, and a number that came from an IEEE double always does.
    """
    bits = int.from_bytes(raw.ljust(8, b"\0"), "big")
    exponent, fraction = bits >> 56 & 0x7F, bits & (1 << 56) - 1
    return math.copysign(math.ldexp(fraction, 4 * (exponent - 64) - 56), -(bits >> 63) or 1)


def _is_missing(raw: bytes) -> bool:
    return raw[0] in MISSING and not any(raw[1:])


def _cell(raw: bytes, variable: _Variable, encoding: str) -> str:
    if not variable.is_number:
        return _trimmed(raw).decode(encoding, "replace")
    if _is_missing(raw):
        return ""
    return sas_text(Decimal(repr(_ibm_float(raw))), variable.sas_format)


def _check_numbers(
    title: str, column: str, variable: _Variable, cells: Mapping[bytes, object]
) -> None:
    """No number looks like blanks (some 1e-39): they would be filling taken for an observation."""
    if b" " * variable.width in cells:
        raise LoadError(f"{title}: damaged: blanks for a number of {column}. Export it again.")


def _special_missing(column: str, cells: list[bytes]) -> pl.DataFrame:
    """The cells that are missing for a reason (.A to .Z, ._), with the reason as their text."""
    special = [(i, c) for i, c in enumerate(cells, 1) if c[0] != 0x2E and _is_missing(c)]
    rows = [(number, column, f".{chr(cell[0])}", "sas_missing") for number, cell in special]
    return pl.DataFrame(rows, schema=REPAIRED, orient="row")


def _table(name: str, dataset: _Dataset, encoding: str, form: str) -> RawTable:
    texts = [v.name.decode(encoding, "replace") for v in dataset.variables]
    table = dataset.name.decode(encoding, "replace")
    columns = checked_columns(f"{name} [{table}]", texts)
    frame = {}
    repairs = [pl.DataFrame(schema=REPAIRED)]
    for column, variable in zip(columns, dataset.variables, strict=True):
        cells = dataset.column(variable)
        read = {raw: _cell(raw, variable, encoding) for raw in set(cells)}
        frame[column] = pl.Series([read[raw] for raw in cells], dtype=pl.String)
        if variable.is_number:
            _check_numbers(f"{name} [{table}]", column, variable, read)
            repairs.append(_special_missing(column, cells))
    numbers = pl.int_range(1, dataset.n_records + 1, dtype=pl.Int64, eager=True)
    labels = [v.label.decode(encoding, "replace") for v in dataset.variables]
    return RawTable(
        file=name,
        name=table,
        columns=columns,
        rows=pl.DataFrame({**frame, ROW: numbers}),
        repairs=pl.concat(repairs),
        labels=tuple(pair for pair in zip(columns, labels, strict=True) if pair[1]),
        form=form,
    )


def _bytes(path: Path, name: str, bounds: Bounds) -> bytes:
    try:
        if path.stat().st_size > bounds.total_bytes:
            most = bounds.total_bytes // MB
            raise LoadError(f"{name}: more than {most:,} MB. Export it in parts.")
        data = path.read_bytes()
    except OSError as error:
        raise LoadError(f"{name}: cannot be read: {error.strerror}.") from error
    if data.startswith(b"**COMPRESSED**"):
        raise LoadError(
            f"{name}: made by PROC CPORT, which only SAS reads. Export with the XPORT engine."
        )
    match = HEADER.match(data)
    if not match or match[1] not in LIBRARIES:
        raise LoadError(f"{name}: not a SAS transport file. Export with the XPORT engine.")
    return data


def read_sas_transport(path: Path, name: str, bounds: Bounds = BOUNDS) -> list[RawTable]:
    """Every dataset of a SAS transport file; the number of a row is that of its observation.

    Texts lose the blanks that fill their field; numbers are the shortest text of the same value;
    dates, datetimes and times are ISO 8601 by the format of their variable; missing numbers are
    '', with a repair `sas_missing` for a special one. A dataset without observations is a table
    without rows. Raises LoadError if the file is missing, no transport file, cut short, damaged,
    beyond the bounds, in no known encoding, or has a dataset without variables or two of one name.
    """
    data = _bytes(path, name, bounds)
    version = LIBRARIES[data[20:28]]
    try:
        if len(data) % RECORD:
            raise _Damage(f"it ends {len(data) % RECORD} bytes into a record of {RECORD}")
        datasets = [_dataset(block) for block in _split(data)]
    except _Damage as error:
        raise LoadError(f"{name}: cut short or damaged: {error}. Export it again.") from error
    names = [dataset.name for dataset in datasets]
    if len(set(names)) < len(names):
        raise LoadError(f"{name}: two datasets of one name. Export each to its own file.")
    encoding, said = _encoding(name, set().union(*(_other_texts(d) for d in datasets)))
    form = f"SAS transport {version}, {said}"
    return [_table(name, dataset, encoding, form) for dataset in datasets]
