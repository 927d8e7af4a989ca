"""What SAS transport, Dataset-JSON and supplement files say, and the rows read from them."""

import gzip
import json
import zlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.errors import LoadError
from etl.sources.dataset_json import read_dataset_json
from etl.sources.raw import ROW, RawTable, raw_frame
from etl.sources.sas_transport import number_text, read_sas_transport, sas_text
from etl.sources.supplement import SUPPLEMENT_RULES, with_supplement
from tests.conftest import ROOT

EXAMPLES = ROOT / "tests" / "fixtures" / "dataset_json"
FORMS = ("json", "ndjson", "dsjc", "xpt")


def _example(folder: Path, stem: str, form: str) -> RawTable:
    """An example of CDISC, unpacked first where it is kept packed."""
    path = EXAMPLES / f"{stem}.{form}"
    if not path.exists():
        packed = path.with_name(path.name + ".gz").read_bytes()
        path = folder / path.name
        path.write_bytes(gzip.decompress(packed))
    read = read_sas_transport if form == "xpt" else read_dataset_json
    [table] = read(path, path.name)
    return table


def _cells(table: RawTable) -> list[tuple[str, ...]]:
    return table.rows.select(table.columns).rows()


def _numbers(table: RawTable) -> list[int]:
    return table.rows[ROW].to_list()


# ---- one table in every form


@pytest.mark.parametrize(("stem", "n_rows", "n_columns"), [("dm", 18, 26), ("adtte", 254, 26)])
def test_the_same_table_reads_alike_from_every_form(
    tmp_path: Path, stem: str, n_rows: int, n_columns: int
) -> None:
    first, *others = (_example(tmp_path, stem, form) for form in FORMS)
    assert first.name == stem.upper()
    assert (first.n_rows, len(first.columns)) == (n_rows, n_columns)
    assert _numbers(first) == list(range(1, n_rows + 1))
    for other in others:
        assert (other.name, other.columns) == (first.name, first.columns)
        assert other.rows.equals(first.rows)


def test_a_time_to_event_table_of_sas_has_dates_numbers_and_labels(tmp_path: Path) -> None:
    table = _example(tmp_path, "adtte", "xpt")
    shown = ("USUBJID", "AGE", "STARTDT", "ADT", "AVAL", "CNSR", "EVNTDESC")
    assert table.rows.select(shown).row(0) == (
        *("01-701-1015", "63", "2014-01-02", "2014-01-03", "2", "0"),
        "Dematologic Event Occured",
    )
    assert dict(table.labels)["CNSR"] == "Censor"
    assert table.form == "SAS transport 5, UTF-8"
    assert table.repairs.height == 0


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("json", "Dataset-JSON 1.1.0, JSON"),
        ("ndjson", "Dataset-JSON 1.1.0, NDJSON"),
        ("dsjc", "Dataset-JSON 1.1.0, NDJSON"),
    ],
)
def test_how_a_file_was_read_is_said(tmp_path: Path, form: str, said: str) -> None:
    assert _example(tmp_path, "suppdm", form).form == said


# ---- numbers and dates as text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("12", "12"),
        ("12.0", "12"),
        ("0.10", "0.1"),
        ("1.50", "1.5"),
        ("-0.0", "0"),
        ("100", "100"),
        ("1E2", "100"),
        ("1e-5", "0.00001"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("0.1000000000000000055", "0.1000000000000000055"),
        ("1e999999", "1E+999999"),
    ],
)
def test_a_number_is_written_in_plain_digits(value: str, text: str) -> None:
    assert number_text(Decimal(value)) == text


DAY = 19_725  # 54 years of 365 days, 14 leap days, and 1: 2 January 2014


@pytest.mark.parametrize(
    ("value", "sas_format", "text"),
    [
        (0, "DATE9.", "1960-01-01"),
        (-1, "DATE", "1959-12-31"),
        (DAY, "YYMMDD10.", "2014-01-02"),
        (DAY, "YYMMDDN8.", "2014-01-02"),
        (DAY, "ddmmyyp10.", "2014-01-02"),
        (DAY, "E8601DA10.", "2014-01-02"),
        (DAY, "MONYY7.", "2014-01-02"),
        (DAY + 0.5, "DATE9.", "2014-01-02T12:00:00"),
        (DAY * 86_400 + 3_661, "DATETIME20.", "2014-01-02T01:01:01"),
        (DAY * 86_400, "E8601DT.", "2014-01-02T00:00:00"),
        (DAY * 86_400 + 0.25, "DATETIME22.3", "2014-01-02T00:00:00.250000"),
        (3_661, "TIME8.", "01:01:01"),
        (90_000, "TIME8.", "90000"),
        (1e9, "DATE9.", "1000000000"),
        (1e300, "DATETIME.", "1" + 300 * "0"),
        (DAY, "", "19725"),
        (DAY, "BEST12.", "19725"),
        (63, "3.", "63"),
        (2.5, "DOLLAR8.2", "2.5"),
    ],
)
def test_a_number_of_sas_is_the_date_that_its_format_shows(
    value: float, sas_format: str, text: str
) -> None:
    assert sas_text(Decimal(repr(value)), sas_format) == text


# ---- SAS transport; the files are written by ReadStat, and changed by hand where it cannot


def _written(folder: Path, frame: Any, version: Any = 5, **options: Any) -> Path:
    path = folder / "written.xpt"
    pyreadstat.write_xport(frame, path, file_format_version=version, **options)
    return path


def _changed(path: Path, old: bytes, new: bytes) -> Path:
    data = path.read_bytes()
    assert data.count(old) == 1 and len(old) == len(new)
    path.write_bytes(data.replace(old, new))
    return path


def _read(path: Path) -> RawTable:
    [table] = read_sas_transport(path, "written.xpt")
    return table


FLOATS = st.floats(1e-70, 1e70) | st.integers(-(2**53), 2**53).map(float)


@settings(max_examples=25)
@given(st.lists(FLOATS | FLOATS.map(lambda x: -x), min_size=1, max_size=50))
def test_every_number_that_readstat_writes_comes_back(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[float]
) -> None:
    path = _written(tmp_path_factory.mktemp("xpt"), pl.DataFrame({"X": numbers}))
    assert [float(text) for (text,) in _cells(_read(path))] == numbers


def test_a_number_of_base_16_is_read_to_the_bit(tmp_path: Path) -> None:
    """-118.625 is -(7*16 + 6 + 10/16): sign and exponent C2, fraction 76A."""
    path = _written(tmp_path, pl.DataFrame({"X": [1.5]}))
    _changed(path, bytes.fromhex("4118000000000000"), bytes.fromhex("C276A00000000000"))
    assert _cells(_read(path)) == [("-118.625",)]


def test_a_special_missing_value_is_empty_and_recorded(tmp_path: Path) -> None:
    path = _written(tmp_path, pl.DataFrame({"ID": ["a", "b", "c"], "X": [1.5, None, 2.0]}))
    _changed(path, bytes.fromhex("4118000000000000"), b"B" + bytes(7))
    table = _read(path)
    assert _cells(table) == [("a", ""), ("b", ""), ("c", "2")]
    assert table.repairs.rows() == [(1, "X", ".B", "sas_missing")]


def test_a_library_of_two_datasets_is_two_tables(tmp_path: Path) -> None:
    """ReadStat itself ends at the first one."""
    first = (EXAMPLES / "dm.xpt").read_bytes()
    second = gzip.decompress((EXAMPLES / "adtte.xpt.gz").read_bytes())
    (tmp_path / "both.xpt").write_bytes(first + second[240:])
    dm, adtte = read_sas_transport(tmp_path / "both.xpt", "both.xpt")
    assert dm.rows.equals(_example(tmp_path, "dm", "json").rows)
    assert adtte.rows.equals(_example(tmp_path, "adtte", "json").rows)
    assert adtte.title == "both.xpt [ADTTE]"


def test_version_8_has_long_names_and_labels(tmp_path: Path) -> None:
    frame = pl.DataFrame({"date_of_first_relapse": [float(DAY), None], "note": ["x" * 300, ""]})
    path = _written(
        tmp_path,
        frame,
        version=8,
        table_name="first_relapses_of_all_patients",
        column_labels={"note": "n" * 120},
        variable_format={"date_of_first_relapse": "DATE9."},
    )
    table = _read(path)
    assert table.name == "first_relapses_of_all_patients"
    assert table.columns == ("date_of_first_relapse", "note")
    assert _cells(table) == [("2014-01-02", "x" * 300), ("", "")]
    assert table.labels == (("note", "n" * 120),)


def test_blanks_at_the_end_of_the_file_are_no_rows(tmp_path: Path) -> None:
    assert _cells(_read(_written(tmp_path, pl.DataFrame({"A": ["x", "y "]})))) == [("x",), ("y",)]


def test_a_blank_last_row_stays_where_the_file_counts_its_rows(tmp_path: Path) -> None:
    frame = pl.DataFrame({"A": ["x", ""]})
    assert _cells(_read(_written(tmp_path, frame, version=8))) == [("x",), ("",)]


def test_a_dataset_without_observations_is_a_table_without_rows(tmp_path: Path) -> None:
    table = _read(_written(tmp_path, pl.DataFrame({"A": ["x"]}).clear()))
    assert (table.columns, table.n_rows) == (("A",), 0)


@pytest.mark.parametrize(
    ("encoding", "text", "said"),
    [
        ("utf-8", "рецидив", "UTF-8"),
        ("cp1251", "Рецидив, костный мозг, ЦНС", "cp1251"),
        ("cp1252", "Rückfall nach Müller, André", "windows-1252"),
    ],
)
def test_the_encoding_is_told_by_the_text(
    tmp_path: Path, encoding: str, text: str, said: str
) -> None:
    data = text.encode(encoding)
    path = _written(tmp_path, pl.DataFrame({"A": ["q" * len(data)]}))
    table = _read(_changed(path, b"q" * len(data), data))
    assert _cells(table) == [(text,)]
    assert table.form == f"SAS transport 5, {said}"


def test_a_text_cut_within_a_character_shows_where(tmp_path: Path) -> None:
    data = "мозгцнс".encode()[:-1]
    path = _written(tmp_path, pl.DataFrame({"A": ["q" * 13, "рецид"]}))
    table = _read(_changed(path, b"q" * 13, data))
    assert _cells(table) == [("мозгцн\ufffd",), ("рецид",)]
    assert "1 texts with bytes that are no character" in table.form


# ---- Dataset-JSON


def _document(rows: list[Any] | None, *columns: dict[str, str], **more: Any) -> dict[str, Any]:
    said = {"datasetJSONVersion": "1.1.0", "records": len(rows or []), "name": "T", "label": ""}
    data = {} if rows is None else {"rows": rows}
    return {**said, "columns": list(columns), **data, **more}


def _column(name: str, **more: str) -> dict[str, str]:
    return {"itemOID": f"IT.{name}", "name": name, "label": "", "dataType": "string", **more}


def _from_json(folder: Path, content: str | bytes) -> RawTable:
    path = folder / "t.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    [table] = read_dataset_json(path, "t.json")
    return table


def test_values_of_json_as_text(tmp_path: Path) -> None:
    written = (
        '[["Ж ", 12.0, 0.10, 123456789012345678901, "0.10", null, true, false, NaN, -Infinity]]'
    )
    columns = [_column(f"C{i}") for i in range(10)]
    text = json.dumps(_document([], *columns, records=1)).replace(
        '"rows": []', f'"rows": {written}'
    )
    assert _cells(_from_json(tmp_path, text)) == [
        (
            "Ж ",
            "12",
            "0.1",
            "123456789012345678901",
            "0.10",
            "",
            "true",
            "false",
            "NaN",
            "-Infinity",
        )
    ]


def test_a_numeric_date_of_json_is_the_date_that_its_format_shows(tmp_path: Path) -> None:
    dated = _column("ADT", dataType="integer", displayFormat="DATE9.")
    document = _document([[DAY], ["2014"], [None]], dated)
    assert _cells(_from_json(tmp_path, json.dumps(document))) == [("2014-01-02",), ("2014",), ("",)]


def test_a_record_of_another_length_is_a_misfit(tmp_path: Path) -> None:
    document = _document([["a", 1], ["b"], ["c", 3, None]], _column("A"), _column("B"))
    table = _from_json(tmp_path, json.dumps(document))
    assert (_cells(table), _numbers(table)) == ([("a", "1")], [1])
    assert table.misfits == ((2, ("b",)), (3, ("c", "3", "")))
    assert table.n_rows == 3


def _in_lines(rows: list[Any], *columns: dict[str, str]) -> bytes:
    head = _document(None, *columns, records=len(rows))
    return "\n".join(json.dumps(part) for part in (head, *rows)).encode()


def test_every_way_to_write_the_file_gives_the_same_table(tmp_path: Path) -> None:
    columns, rows = (_column("A", label="Первая"), _column("B")), [["x\ny", 1], ["", 2]]
    document, lines = json.dumps(_document(rows, *columns)).encode(), _in_lines(rows, *columns)
    ways = (
        document,
        json.dumps(_document(rows, *columns), indent=4, ensure_ascii=False).encode("utf-8-sig"),
        lines,
        lines.replace(b"\n", b"\r\n") + b"\r\n\r\n",
        zlib.compress(lines),
        gzip.compress(lines),
        zlib.compress(document),
    )
    for way in ways:
        table = _from_json(tmp_path, way)
        assert _cells(table) == [("x\ny", "1"), ("", "2")]
        assert _numbers(table) == [1, 2]
        assert table.labels == (("A", "Первая"),)


def test_more_records_than_are_made_a_frame_at_once_keep_their_order(tmp_path: Path) -> None:
    rows = [[number] for number in range(20_001)]
    table = _from_json(tmp_path, _in_lines(rows, _column("A")))
    assert _cells(table) == [(str(number),) for number in range(20_001)]
    assert _numbers(table) == list(range(1, 20_002))


def test_version_1_0_can_hold_several_tables(tmp_path: Path) -> None:
    def group(name: str, rows: list[list[Any]]) -> dict[str, Any]:
        items = [{"OID": "ITEMGROUPDATASEQ", "name": "ITEMGROUPDATASEQ", "label": "Record"}]
        items.append({"OID": f"IT.{name}.A", "name": "A", "label": "First", "type": "string"})
        return {"records": len(rows), "name": name, "items": items, "itemData": rows}

    document = {
        "datasetJSONVersion": "1.0.0",
        "clinicalData": {"itemGroupData": {"IG.DM": group("DM", [[1, "x"], [2, "y"]])}},
        "referenceData": {"itemGroupData": {"IG.TS": group("TS", [])}},
    }
    (tmp_path / "t.json").write_text(json.dumps(document))
    dm, ts = read_dataset_json(tmp_path / "t.json", "t.json")
    assert (dm.name, _cells(dm)) == ("DM", [("1", "x"), ("2", "y")])
    assert dm.labels == (("ITEMGROUPDATASEQ", "Record"), ("A", "First"))
    assert (ts.name, ts.n_rows) == ("TS", 0)


# ---- supplements


def _table(name: str, text: str) -> RawTable:
    """Rows of words; '.' is an empty cell, '_' a blank."""
    columns, *rows = (
        tuple("" if word == "." else word.replace("_", " ") for word in line.split())
        for line in text.strip().splitlines()
    )
    frame = raw_frame(columns, [list(row) for row in rows], list(range(2, len(rows) + 2)))
    return RawTable(f"{name}.csv", "", columns, frame, form="CSV")


AE = """
    DOMAIN USUBJID AESEQ AELNKID
    AE     P1      1     01
    AE     P1      2     1
    AE     P2      1     .
    AE     .       1     .
"""
HEAD = "RDOMAIN USUBJID IDVAR IDVARVAL QNAM QLABEL QVAL\n"


@pytest.mark.parametrize(
    ("rows", "values", "left_out"),
    [
        # By the patient alone: every record of the patient.
        ("AE P1 . . Q Label y", ["y", "y", "", ""], []),
        # By a number, however it is written.
        ("AE P1 AESEQ 2.0 Q Label y", ["", "y", "", ""], []),
        ("AE P1_ AESEQ __2 Q Label y", ["", "y", "", ""], []),
        # By a text: '01' is not '1'.
        ("AE P1 AELNKID 01 Q Label y", ["y", "", "", ""], []),
        ("AE P1 AELNKID 1 Q Label y", ["", "y", "", ""], []),
        # By one variable here, by another there.
        (
            "AE P1 AESEQ 1 Q Label y \n AE P1 AELNKID 1 Q Label n \n AE P2 . . Q Label z",
            ["y", "n", "z", ""],
            [],
        ),
        # No such record, patient, variable, domain; keys that are empty on both sides.
        ("AE P1 AESEQ 3 Q Label y", ["", "", "", ""], [(2, "supplement_without_parent")]),
        ("AE P9 . . Q Label y", ["", "", "", ""], [(2, "supplement_without_parent")]),
        ("AE P1 XYSEQ 1 Q Label y", ["", "", "", ""], [(2, "supplement_without_parent")]),
        ("CM P1 AESEQ 1 Q Label y", ["", "", "", ""], [(2, "supplement_without_parent")]),
        ("AE P1 . 1 Q Label y", ["", "", "", ""], [(2, "supplement_without_parent")]),
        ("AE . . . Q Label y", ["", "", "", ""], [(2, "supplement_without_parent")]),
        ("AE P2 AELNKID . Q Label y", ["", "", "", ""], [(2, "supplement_without_parent")]),
        # The same twice is one; two values are a conflict, and none is taken.
        ("AE P1 AESEQ 1 Q Label y \n AE P1 AESEQ 1.0 Q Label y", ["y", "", "", ""], []),
        (
            "AE P1 AESEQ 1 Q Label y \n AE P1 AESEQ 1 Q Label n \n AE P2 AESEQ 1 Q Label y",
            ["", "", "y", ""],
            [(2, "supplement_conflict"), (3, "supplement_conflict")],
        ),
        (
            "AE P1 . . Q Label y \n AE P1 AESEQ 1 Q Label n \n AE P2 AESEQ 1 Q Label y",
            ["", "", "y", ""],
            [(2, "supplement_conflict"), (3, "supplement_conflict")],
        ),
        # Without a name it is no value of anything.
        (
            "AE P1 AESEQ 1 . Label y \n AE P1 AESEQ 1 Q Label y",
            ["y", "", "", ""],
            [(2, "supplement_without_name")],
        ),
    ],
)
def test_a_supplement_row_becomes_a_value_or_is_left_out_with_its_rule(
    rows: str, values: list[str], left_out: list[tuple[int, str]]
) -> None:
    whole, left = with_supplement(_table("ae", AE), _table("suppae", HEAD + rows))
    assert whole.columns == ("DOMAIN", "USUBJID", "AESEQ", "AELNKID", "Q")
    assert whole.rows["Q"].to_list() == values
    assert whole.rows.drop("Q").equals(_table("ae", AE).rows)
    assert left.rows() == left_out
    assert {rule for _, rule in left_out} <= set(SUPPLEMENT_RULES)


def test_names_become_columns_in_their_order_with_their_labels() -> None:
    rows = "AE P1 AESEQ 1 Z . y \n AE P2 . . A Label_A n \n AE P2 . . Z Label_Z n"
    whole, _ = with_supplement(_table("ae", AE), _table("suppae", HEAD + rows))
    assert whole.columns[-2:] == ("Z", "A")
    assert whole.labels == (("Z", "Label Z"), ("A", "Label A"))
    assert whole.form == "CSV, with suppae.csv"


def test_a_name_that_is_a_column_already_is_refused() -> None:
    with pytest.raises(LoadError, match=r"suppae.csv: AESEQ \(QNAM\) is a column of ae.csv"):
        with_supplement(_table("ae", AE), _table("suppae", HEAD + "AE P1 . . AESEQ L 1"))


def test_a_supplement_without_the_columns_of_its_key_is_refused() -> None:
    with pytest.raises(LoadError, match="suppae.csv: no column IDVAR, IDVARVAL"):
        supplement = _table("suppae", "RDOMAIN USUBJID QNAM QVAL\nAE P1 Q y")
        with_supplement(_table("ae", AE), supplement)


def test_values_in_place_of_names_are_refused() -> None:
    rows = "\n".join(f"AE P1 . . Q{i} L 1" for i in range(1001))
    with pytest.raises(LoadError, match="1001 different QNAM, at most 1000"):
        with_supplement(_table("ae", AE), _table("suppae", HEAD + rows))


def test_the_example_supplement_joins_its_patients(tmp_path: Path) -> None:
    parent, supplement = (_example(tmp_path, stem, "json") for stem in ("dm", "suppdm"))
    whole, left = with_supplement(parent, supplement)
    assert left.height == 0
    said = whole.rows.filter(pl.col("RACE1") != "")
    assert said.select("USUBJID", "RACE", "RACE1", "RACE2", "RACE3").rows() == [
        ("CDISC008", "MULTIPLE", "ASIAN", "BLACK OR AFRICAN AMERICAN", "WHITE")
    ]


WORDS = st.sampled_from(["", "1", "2", "1.0"])
SAID = st.tuples(
    st.sampled_from(["P1", "P2"]), st.sampled_from(["", "SEQ", "LNK"]), WORDS, st.sampled_from("xy")
)


def _naive(
    parent: list[tuple[str, ...]], said: list[tuple[str, ...]]
) -> tuple[list[str], set[int]]:
    """Values of the parent rows and numbers of the supplement rows left out, row by row."""
    same = {"1.0": "1"}

    def hits(row: tuple[str, ...], fact: tuple[str, ...]) -> bool:
        if not fact[1]:
            return row[0] == fact[0] and not fact[2]
        cell = row[1] if fact[1] == "SEQ" else row[2]
        return (
            row[0] == fact[0] and cell != "" and same.get(cell, cell) == same.get(fact[2], fact[2])
        )

    of_row = [{i for i, fact in enumerate(said) if hits(row, fact)} for row in parent]
    torn = {i for at in of_row if len({said[i][3] for i in at}) > 1 for i in at}
    # Rows of one key stand and fall together.
    keys = {(*said[i][:2], same.get(said[i][2], said[i][2])) for i in torn}
    torn = {i for i, s in enumerate(said) if (*s[:2], same.get(s[2], s[2])) in keys}
    values = [next((said[i][3] for i in sorted(at - torn)), "") for at in of_row]
    return values, torn | (set(range(len(said))) - set().union(*of_row))


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(["P1", "P2"]), WORDS, WORDS), min_size=1, max_size=6),
    st.lists(SAID, min_size=1, max_size=8),
)
def test_the_join_does_what_a_reader_would_do_row_by_row(
    parent: list[tuple[str, ...]], said: list[tuple[str, ...]]
) -> None:
    def table(columns: tuple[str, ...], rows: list[list[str]]) -> RawTable:
        return RawTable("t", "", columns, raw_frame(columns, rows, list(range(len(rows)))))

    head = ("RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "QNAM", "QVAL")
    whole, left = with_supplement(
        table(("USUBJID", "SEQ", "LNK"), [list(row) for row in parent]),
        table(head, [["T", *row[:3], "Q", row[3]] for row in said]),
    )
    values, left_out = _naive(parent, said)
    assert whole.rows["Q"].to_list() == values
    assert set(left[ROW].to_list()) == left_out and left.height == len(left_out)
