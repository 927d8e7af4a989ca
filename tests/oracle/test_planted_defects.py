"""The loader finds every defect that was planted, and nothing else; no row is lost.

A clean demo has no findings but the children on both protocols. Every planted defect is one of the
dirty-data list; what follows from it (rows that stood on a quarantined row) is listed with it.
"""

import csv
from pathlib import Path

import duckdb
import pytest

from etl.demo import MAPPING, write_demo
from etl.load import LoadReport, load
from etl.mapping_file import read_mapping

Finding = tuple[str, int, str, str, str]


def _planted(export: Path) -> list[Finding]:
    with (export / "about" / "planted.csv").open(encoding="utf-8", newline="") as file:
        return sorted(
            (row["file"], int(row["row"]), row["column"], row["rule"], row["severity"])
            for row in csv.DictReader(file)
        )


def _found(store: Path, report: LoadReport) -> list[Finding]:
    path = store / "snapshots" / report.snapshot_id / "records.duckdb"
    with duckdb.connect(str(path), read_only=True) as con:
        found = con.execute(
            "select file_name, source_row, column_name, rule, severity "
            "from finding join record_file using (file_number)"
        ).fetchall()
    return sorted(found)


def _check(folder: Path, seed: int, defects: bool) -> int:
    """Write, load, compare; how many findings there are."""
    export, store = folder / "export", folder / "store"
    write_demo(export, seed=seed, defects=defects)
    report = load(export, read_mapping(MAPPING), store)
    planted, found = _planted(export), _found(store, report)
    assert sorted(set(found) - set(planted)) == [], "found, but not planted"
    assert sorted(set(planted) - set(found)) == [], "planted, but not found"
    assert found == planted, "as often as planted"
    for file in report.files:
        with (export / file.file_name).open(encoding="utf-8", newline="") as lines:
            rows = sum(1 for _ in csv.reader(lines)) - 1
        assert rows == file.rows_in == file.rows_loaded + file.rows_quarantined
    return len(found)


def test_a_clean_export_has_no_findings_but_the_children_on_both_protocols(tmp_path: Path) -> None:
    assert 0 < _check(tmp_path, seed=7, defects=False) < 20


def test_every_defect_is_found_and_nothing_else(tmp_path: Path) -> None:
    assert _check(tmp_path, seed=1, defects=True) > 300


@pytest.mark.soak
def test_every_defect_of_twenty_seeds(tmp_path: Path) -> None:
    counts = [_check(tmp_path / str(seed), seed, defects=True) for seed in range(101, 121)]
    print(f"\n20 seeds, {sum(counts)} findings planted, the same {sum(counts)} found")
