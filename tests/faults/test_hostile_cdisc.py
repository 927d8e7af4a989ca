"""Damaged and hostile SAS transport and Dataset-JSON files: rows that are right, or one reason."""

import gzip
import json
import random
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyreadstat
import pytest

from etl.errors import LoadError
from etl.sources.bounds import MB, Bounds
from etl.sources.dataset_json import DOCUMENT_BYTES, read_dataset_json
from etl.sources.raw import ROW, RawTable
from etl.sources.sas_transport import read_sas_transport
from tests.conftest import ROOT

EXAMPLES = ROOT / "tests" / "fixtures" / "dataset_json"
READERS = {"xpt": read_sas_transport, "json": read_dataset_json}


def _given(folder: Path, content: bytes, form: str, bounds: Bounds = Bounds()) -> list[RawTable]:  # noqa: B008
    path = folder / f"t.{form}"
    path.write_bytes(content)
    return READERS[form](path, f"t.{form}", bounds)


def _rows_or_reason(folder: Path, content: bytes, form: str) -> list[RawTable]:
    """The tables, whole and all text; or none, with a reason that names the file."""
    try:
        tables = _given(folder, content, form)
    except LoadError as error:
        assert str(error).startswith(f"t.{form}")
        return []
    for table in tables:
        assert table.rows.schema == {**dict.fromkeys(table.columns, pl.String), ROW: pl.Int64}
        assert sum(table.rows.null_count().row(0)) == 0
    return tables


def _refused(folder: Path, content: bytes, form: str, words: str, bounds: Bounds) -> None:
    with pytest.raises(LoadError) as caught:
        _given(folder, content, form, bounds)
    assert str(caught.value).startswith(f"t.{form}") and words in str(caught.value)
    assert len(str(caught.value)) < 300


def _transport(folder: Path, version: Any, n_rows: int = 9) -> bytes:
    """Observations of 11 bytes, written by ReadStat; with a long label where there are any."""
    numbers = range(n_rows)
    frame: Any = pl.DataFrame(
        {"ID": [f"P{i:02}" for i in numbers], "DAY": [float(i) for i in numbers]}
    )
    labels: Any = {"DAY": "d" * (60 if version == 8 else 10)}
    path = folder / "written.xpt"
    pyreadstat.write_xport(
        frame,
        path,
        file_format_version=version,
        column_labels=labels,
        variable_format={"DAY": "DATE9."},
    )
    return path.read_bytes()


SAID: dict[str, Any] = {"datasetJSONVersion": "1.1.0", "records": 1, "name": "T", "label": ""}
COLUMNS = [{"itemOID": "IT.A", "name": "A", "label": "", "dataType": "string"}]


def _json(row: str = '["x"]', **changed: Any) -> bytes:
    """A document of one record, `row` as it stands; a change to None leaves the attribute out."""
    said = {k: v for k, v in {**SAID, "columns": COLUMNS, **changed}.items() if v is not None}
    return json.dumps({**said, "rows": ["ROW"]}).replace('"ROW"', row).encode()


def _lines(n_records: int = 30) -> bytes:
    head = {**SAID, "columns": COLUMNS, "records": n_records}
    return "\n".join([json.dumps(head), *(f'["row {i}"]' for i in range(n_records))]).encode()


# ---- cut short


def test_a_cut_file_that_counts_its_rows_never_passes(tmp_path: Path) -> None:
    whole = _transport(tmp_path, 8)
    assert len(_rows_or_reason(tmp_path, whole, "xpt")) == 1
    for end in range(0, len(whole), 3):
        assert not _rows_or_reason(tmp_path, whole[:end], "xpt"), end
    for end in range(0, len(whole), 80):
        assert not _rows_or_reason(tmp_path, whole[:end], "xpt"), end


def test_a_cut_file_of_version_5_passes_only_between_two_rows(tmp_path: Path) -> None:
    """80 observations of 11 bytes end where a record of 80 bytes does; no fewer of them do."""
    whole = _transport(tmp_path, 5, n_rows=90)
    start = whole.index(b"HEADER RECORD*******OBS ") + 80
    passed = {
        end: table.n_rows
        for end in range(0, len(whole) + 1, 5)
        for table in _rows_or_reason(tmp_path, whole[:end], "xpt")
    }
    assert passed == {start: 0, start + 880: 80, len(whole): 90}


@pytest.mark.parametrize("packed", [lambda b: b, gzip.compress, zlib.compress])
def test_cut_lines_never_pass(tmp_path: Path, packed: Callable[[bytes], bytes]) -> None:
    whole = packed(_lines())
    assert _rows_or_reason(tmp_path, whole, "json")[0].n_rows == 30
    for end in range(len(whole)):
        assert not _rows_or_reason(tmp_path, whole[:end], "json"), end


def test_a_cut_document_never_passes(tmp_path: Path) -> None:
    whole = _json()
    assert all(not _rows_or_reason(tmp_path, whole[:end], "json") for end in range(len(whole)))


def test_an_example_that_holds_fewer_records_than_it_says_is_refused(tmp_path: Path) -> None:
    content = (EXAMPLES / "extended_dataset.json").read_bytes()
    _refused(tmp_path, content, "json", "says 72 records and holds 2", Bounds())


# ---- changed bytes


def _mutations(content: bytes, seed: int, n: int) -> list[bytes]:
    chance = random.Random(seed)
    mutated = []
    for _ in range(n):
        data = bytearray(content)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.choice((0, 32, 255, chance.randrange(256)))
        mutated.append(bytes(data))
    return mutated


@pytest.mark.parametrize("version", [5, 8])
def test_changed_bytes_of_a_transport_file_give_all_rows_or_a_reason(
    tmp_path: Path, version: int
) -> None:
    """80 observations of 11 bytes: no filling, in which a changed byte would be one more."""
    whole = _transport(tmp_path, version, n_rows=80)
    results = [
        _rows_or_reason(tmp_path, content, "xpt") for content in _mutations(whole, version, 400)
    ]
    read = [tables for tables in results if tables]
    assert 20 < len(read) < 380
    assert all(sum(table.n_rows for table in tables) == 80 for tables in read)


def test_filling_that_is_not_blank_is_no_observation(tmp_path: Path) -> None:
    whole = _transport(tmp_path, 5)
    """From the second observation that the filling would be: the first had blanks for a number."""
    n_filling = 160 - 9 * 11
    for at in range(len(whole) - n_filling + 11, len(whole)):
        changed = whole[:at] + b"x" + whole[at + 1 :]
        assert not _rows_or_reason(tmp_path, changed, "xpt"), at


@pytest.mark.parametrize("content", [_json(), _lines(), gzip.compress(_lines(), mtime=0)])
def test_changed_bytes_of_a_json_file_give_all_rows_or_a_reason(
    tmp_path: Path, content: bytes
) -> None:
    for number, changed in enumerate(_mutations(content, 3, 300)):
        for table in _rows_or_reason(tmp_path, changed, "json"):
            said = 1 if content == _json() else 30
            assert table.n_rows in (said, 0), number


def test_a_changed_length_of_a_variable_does_not_shift_the_rows(tmp_path: Path) -> None:
    whole = _transport(tmp_path, 5)
    at = whole.index(b"ID      ") - 4  # nlng of the first variable, 3
    assert whole[at : at + 2] == b"\x00\x03"
    for width in (0, 1, 2, 4, 200, 0xFFFF):
        changed = whole[:at] + width.to_bytes(2, "big") + whole[at + 2 :]
        assert not _rows_or_reason(tmp_path, changed, "xpt"), width


# ---- refused with a reason

HEADER = b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!" + b"0" * 30 + b"  "


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a SAS transport file"),
        (b"\x89PNG\r\n\x1a\n", "not a SAS transport file"),
        (b"**COMPRESSED** **COMPRESSED** ", "made by PROC CPORT"),
        (HEADER, "no dataset after its first header"),
        (HEADER[:79], "not a SAS transport file"),
        (HEADER + b" ", "1 bytes into a record of 80"),
        (HEADER + b" " * 1600, "no dataset after its first header"),
    ],
)
def test_what_is_no_transport_file_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    _refused(tmp_path, content, "xpt", words, Bounds())


def test_two_datasets_of_one_name_are_refused(tmp_path: Path) -> None:
    whole = _transport(tmp_path, 5)
    _refused(tmp_path, whole + whole[240:], "xpt", "two datasets of one name", Bounds())


@pytest.mark.parametrize(
    ("name", "words"), [(b"DAY     ", "names twice: DAY"), (b"        ", "variable 1 has no name")]
)
def test_a_variable_without_its_own_name_is_refused(
    tmp_path: Path, name: bytes, words: str
) -> None:
    changed = _transport(tmp_path, 5).replace(b"ID      ", name)
    _refused(tmp_path, changed, "xpt", words, Bounds())


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for form, read in READERS.items():
        with pytest.raises(LoadError, match=f"t.{form}: cannot be read: No such file"):
            read(tmp_path / "missing", f"t.{form}")


ODM = b'{"FileOID": "x", "ODMVersion": "1.3.2", "Study": [{"OID": "s"}]}'
DEEP = 200_000


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b" \n\n", "the file is empty"),
        (b"\x89PNG\r\n\x1a\n", "not UTF-8 text"),
        ('{"a": 1}'.encode("utf-16"), "UTF-16 text"),
        (ODM, "JSON, but no Dataset-JSON"),
        (b"[1, 2]", "JSON, but no Dataset-JSON"),
        (b'"x"', "JSON, but no Dataset-JSON"),
        (b"1e5", "JSON, but no Dataset-JSON"),
        (_json(datasetJSONVersion="2.0.0"), "Dataset-JSON '2.0.0'"),
        (_json(datasetJSONVersion=1.1), "JSON, but no Dataset-JSON"),
        (_json(columns=None), "JSON, but no Dataset-JSON"),
        (_json(columns=[]), "no variables"),
        (_json(columns="A"), "its variables are not described"),
        (_json(columns=[{"name": 1}]), "variable 1 has no name"),
        (_json(columns=[COLUMNS[0], {"name": "A"}]), "names twice: A"),
        (_json(columns=[{"name": "_source_row"}]), "a word of ours"),
        (_json(records=None), "does not say how many records"),
        (_json(records="1"), "does not say how many records"),
        (_json(records=0.5), "does not say how many records"),
        (_json(records=-1), "says -1 records and holds 1"),
        (_json(records=2), "says 2 records and holds 1"),
        (_json().replace(b'"records": 1', b'"records": 1e999999'), "and holds 1"),
        (_json(row='["x"], ["y"]'), "says 1 records and holds 2"),
        (_json(row='{"A": "x"}'), "record 1: not a list of values"),
        (_json(row="null"), "record 1: not a list of values"),
        (_json(row="[[1]]"), "record 1: a list or an object in a cell"),
        (_json(row='[{"a": 1}]'), "record 1: a list or an object in a cell"),
        (_json(row='["\\ud800"]'), "record 1: half a character"),
        (_json(row='["x", "\\udfff"]'), "record 1: half a character"),
        (_json(name="\ud800"), "half a character"),
        (_json(row='["x\ty"]'), "Invalid control character"),
        (_json(row='["x"]]'), "no JSON at line 1"),
        (_json(row=f"[1e{'9' * 30}]"), "a number beyond all bounds"),
        (_json(row="[" * DEEP + "]" * DEEP), "nested too deep"),
        (b"[" * DEEP, "nested too deep"),
        (b'{"a":' * DEEP, "nested too deep"),
        (_json().replace(b'"name": "T"', b'"name": "T", "name": "U"'), "'name' stands twice"),
        (_json() + b"\n[1]", "more text after the end"),
        (_json().replace(b'["x"]]', b'["x"], "rows": 1]'), "no JSON at line 1"),
        (_lines() + b'\n["one more"]', "says 30 records and holds 31"),
        (_lines().replace(b'["row 7"]', b'["row 7"'), "t.json line 9: no JSON"),
        (_lines().replace(b'["row 7"]', b'["row \xff"]'), "t.json line 9: not UTF-8"),
        (_lines().replace(b'["row 7"]', b'{"A": 7}'), "record 8: not a list of values"),
        (gzip.compress(_lines(), mtime=0) + b"x", "more bytes after its compressed text"),
        (b"\x1f\x8b\x08\x00" + b"\xff" * 99, "damaged while compressed"),
        (b'{"datasetJSONVersion": "1.0.0", "clinicalData": []}', "clinicalData holds no tables"),
        (b'{"datasetJSONVersion": "1.0.0", "clinicalData": {}}', "no table"),
    ],
)
def test_what_is_no_whole_dataset_json_is_refused(
    tmp_path: Path, content: bytes, words: str
) -> None:
    _refused(tmp_path, content, "json", words, Bounds())


def test_a_long_number_stays_what_it_is(tmp_path: Path) -> None:
    [table] = _given(tmp_path, _json(row=f"[{'7' * 100_000}]"), "json")
    assert table.rows["A"].to_list() == ["7" * 100_000]


# ---- beyond the bounds


def test_a_file_that_bursts_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    bomb = gzip.compress(b'{"x": "' + b" " * (20 * MB))
    assert len(bomb) < MB
    tracemalloc.start()
    _refused(tmp_path, bomb, "json", "grows over 200 times", Bounds(free_of_ratio_bytes=4 * MB))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * MB


def test_more_text_than_the_bound_is_refused(tmp_path: Path) -> None:
    few = Bounds(total_bytes=1000)
    _refused(tmp_path, _lines(100), "json", "of text. Export it in parts", few)
    _refused(tmp_path, _transport(tmp_path, 5), "xpt", "Export it in parts", few)


def test_a_document_too_large_to_parse_at_once_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    with path.open("wb") as file:
        file.write(b"{")
        file.truncate(DOCUMENT_BYTES + MB)
    with pytest.raises(LoadError, match="more than 256 MB in one piece. Export it as NDJSON"):
        read_dataset_json(path, "t.json")


def test_a_file_of_misfits_only_is_refused(tmp_path: Path) -> None:
    content = _lines().replace(b'["row', b'["", "row')
    _refused(tmp_path, content, "json", "more than 20 records", Bounds(misfits=20))
    assert len(_given(tmp_path, content, "json")[0].misfits) == 30
