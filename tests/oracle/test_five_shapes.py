"""One demo in five shapes gives the same results tables, whatever carried the rows.

Eight CSV files, a Russian workbook, REDCap, ADaM transport files and ODM-XML are read by five
readers through five mappings; each is the oracle of the others.
"""

from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pytest

from etl.demo import SHAPES
from etl.demo.plan import Plan
from etl.demo.tables import drawn_group, tables
from etl.load import LoadReport, load
from etl.mapping_file import read_mapping

SEED, PATIENTS = 20140, 60
# Rows of totals, which are set aside: the workbook sums its adverse events up.
TOTALS = {"workbook": 1}


@dataclass(frozen=True)
class OfShape:
    """A shape as written and loaded; `n_rows` without its data dictionary."""

    folder: Path
    store: Path
    n_rows: int
    report: LoadReport


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, OfShape]:
    made = tables(drawn_group(np.arange(PATIENTS), PATIENTS, SEED, Plan()), SEED, 0)
    loaded = {}
    for shape, how in SHAPES.items():
        folder, store = tmp_path_factory.mktemp(shape), tmp_path_factory.mktemp(f"{shape}-store")
        files = how.write(folder, made)
        n_rows = sum(n for name, n in files if name != "dictionary.csv")
        report = load(folder, read_mapping(how.mapping), store)
        loaded[shape] = OfShape(folder, store, n_rows, report)
    return loaded


def test_five_shapes_give_the_same_results(shapes: dict[str, OfShape]) -> None:
    assert len(shapes) == 5
    hashes = {shape: of.report.results_hash for shape, of in shapes.items()}
    assert len(set(hashes.values())) == 1, hashes


@pytest.mark.parametrize("shape", SHAPES)
def test_every_row_of_every_shape_is_accounted_for(shape: str, shapes: dict[str, OfShape]) -> None:
    report, n_rows = shapes[shape].report, shapes[shape].n_rows
    for file in report.files:
        parts = file.rows_loaded + file.rows_quarantined + file.rows_excluded
        assert file.rows_in == parts, file.file_name
    assert report.rows_quarantined == 0
    assert sum(file.rows_loaded for file in report.files) == n_rows > PATIENTS
    assert sum(file.rows_excluded for file in report.files) == TOTALS.get(shape, 0)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_snapshot_says_that_it_is_synthetic(shape: str, shapes: dict[str, OfShape]) -> None:
    of = shapes[shape]
    path = of.store / "snapshots" / of.report.snapshot_id / "results.duckdb"
    with duckdb.connect(str(path), read_only=True) as con:
        assert con.execute("select is_synthetic, mapping_code from load").fetchall() == [
            (True, SHAPES[shape].mapping)
        ]


def test_one_changed_cell_changes_the_results(shapes: dict[str, OfShape], tmp_path: Path) -> None:
    """The dose of one infusion in the REDCap shape: 0.1 becomes 0.2 million cells per kg."""
    of = shapes["redcap"]
    rows = (of.folder / "data.csv").read_text(encoding="utf-8").splitlines()
    line = next(i for i, row in enumerate(rows) if ",infusions," in row and ",0.1,2," in row)
    rows[line] = rows[line].replace(",0.1,2,", ",0.2,2,")
    export = tmp_path / "export"
    export.mkdir()
    (export / "data.csv").write_text("\n".join(rows), encoding="utf-8")
    report = load(export, read_mapping(SHAPES["redcap"].mapping), tmp_path / "store")
    assert report.enrollments == of.report.enrollments and report.rows_quarantined == 0
    assert report.results_hash != of.report.results_hash
