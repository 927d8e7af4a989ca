"""What a viewer reaches: no identifier, no date, no raw text in the results."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb

from etl.demo import MAPPING, write_demo
from etl.load import load
from etl.mapping_file import read_mapping
from tests.conftest import Demo

# An ISO or clinic date anywhere in a text.
DATE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}\.\d{1,2}\.\d{4}")
# Dates of the load and of the study definition, not of a patient.
OF_THE_LOAD = {("load", "data_cutoff"), ("load", "loaded_at"), ("study", "definition")}


def _cells(path: Path) -> Iterator[tuple[str, str, str]]:
    """Every distinct value of every column of every table, as text."""
    with duckdb.connect(str(path), read_only=True) as con:
        columns = con.execute(
            "select table_name, column_name from duckdb_columns() where not internal"
        ).fetchall()
        for table, column in columns:
            values = con.execute(
                f'select distinct cast("{column}" as varchar) from "{table}"'
            ).fetchall()
            for (value,) in (v for v in values if v[0] is not None):
                yield table, column, value


def _identifiers(folder: Path) -> set[str]:
    """Every identifier that the export has: patients, cases, record numbers."""
    found = set()
    with (folder / "patients.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found |= {row["patient_id"], row["case_id"], row["medical_record"]}
    return {text for text in found if text}


def test_results_hold_no_identifier_no_date_and_no_raw_text(tmp_path: Path) -> None:
    export, store = tmp_path / "export", tmp_path / "store"
    write_demo(export, seed=11, defects=True)
    report = load(export, read_mapping(MAPPING), store)
    folder = store / "snapshots" / report.snapshot_id
    identifiers = _identifiers(export)
    assert len(identifiers) > 600
    with duckdb.connect(str(folder / "records.duckdb"), read_only=True) as con:
        raw = {t for (t,) in con.execute("select distinct raw_text from finding").fetchall()}
    # Texts of the export that are also words of the study definition tell of nobody.
    words = {value for table, _, value in _cells(folder / "results.duckdb") if table == "study"}
    words |= {"undetectable", "detected", "failed"}
    is_number = re.compile(r"[\d.,eE+-]*")
    telling = {
        t
        for t in raw
        if len(t) > 3 and not is_number.fullmatch(t) and not any(t in w for w in words)
    }
    assert len(telling) > 30
    for table, column, value in _cells(folder / "results.duckdb"):
        place = f"{table}.{column}: {value}"
        assert not any(name in value for name in identifiers), place
        if (table, column) not in OF_THE_LOAD:
            assert not DATE.search(value), place
            assert value not in telling, place
    bytes_of = (folder / "results.duckdb").read_bytes()
    assert not [name for name in identifiers if name.encode() in bytes_of]


def test_the_search_finds_what_the_records_hold(demo: Demo) -> None:
    path = demo.store / "snapshots" / demo.snapshot.snapshot_id / "records.duckdb"
    values = {value for _, _, value in _cells(path)}
    assert _identifiers(demo.folder) & values and any(DATE.search(v) for v in values)
