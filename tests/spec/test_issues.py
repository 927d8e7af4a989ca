"""Findings for whoever corrects the export: where, what to do, and what a correction has solved."""

import csv
from pathlib import Path

import pytest

from analysis.data import clinician_tables, data_answer
from analysis.disclosure import ACCESS
from analysis.link import default_view
from etl.__main__ import main
from etl.errors import LoadError
from etl.issues import Findings, findings, in_words, write_csv
from tests.spec.made import Workshop
from warehouse.query import open_snapshot
from warehouse.store import ENVIRONMENT

GOOD = "good,2014,f,7,1,30,,0,200"
BAD = "bad,2015,f,7,1,30,,0,200"
WORSE = "worse,2014,f,seven,1,30,,0,200"
FORMULA = "evil,=1+1,f,7,1,30,,0,200"


def _found(workshop: Workshop) -> Findings:
    return findings(workshop.store)


def _told(frame) -> list[tuple]:
    columns = ("file_name", "source_row", "source_enrollment_id", "column_name", "rule", "raw_text")
    return frame.select(columns).rows()


def test_a_finding_says_whose_row_it_is(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path).patients(GOOD, BAD)
    workshop.load()
    found = _found(workshop)
    assert _told(found.open) == [("patients.csv", 3, "bad", "protocol", "unknown_code", "2015")]
    assert found.before is None and found.solved.is_empty()
    assert "no snapshot before it" in in_words(found)


def test_a_corrected_export_shows_what_it_solved(tmp_path: Path) -> None:
    """The row stands elsewhere in the next export; what is still wrong is not called solved."""
    workshop = Workshop(tmp_path).patients(GOOD, BAD, WORSE)
    first = workshop.load()
    workshop.patients(WORSE, GOOD, BAD.replace("2015", "2016"))
    second = workshop.load()
    found = _found(workshop)
    assert second.is_new and found.before == first.snapshot_id
    assert _told(found.open) == [("patients.csv", 2, "worse", "age", "not_a_number", "seven")]
    assert _told(found.solved) == [("patients.csv", 3, "bad", "protocol", "unknown_code", "2015")]
    words = in_words(found)
    assert f"Solved since snapshot {first.snapshot_id}: 1 findings." in words
    assert "error: patients.csv, column 'protocol': unknown_code (1)" in words


def test_of_findings_that_are_alike_as_many_are_solved_as_are_gone(tmp_path: Path) -> None:
    again = [GOOD] * 3
    workshop = Workshop(tmp_path).patients(GOOD, *again)
    workshop.load()
    workshop.patients(GOOD, GOOD, "other,2016,m,12,NA,,,1,50")
    workshop.load()
    found = _found(workshop)
    assert found.open["rule"].to_list() == ["identical_copy"]
    assert found.solved["rule"].to_list() == ["identical_copy"] * 2


def test_the_data_page_counts_what_is_solved_and_shows_it_to_clinicians(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop = Workshop(tmp_path).patients(GOOD, BAD)
    before = workshop.load().snapshot_id
    snapshot = open_snapshot(
        workshop.store, workshop.patients(GOOD, BAD.replace("2015", "2016")).load().snapshot_id
    )
    monkeypatch.setenv(ENVIRONMENT, str(workshop.store))
    view = default_view("data", snapshot.snapshot_id, snapshot.study)
    solved = next(t for t in data_answer(snapshot, view).tables if t.code == "solved")
    assert before in solved.title
    assert solved.rows == (("patients", "error", "unknown_code", "protocol", 1, 0),)
    assert clinician_tables(snapshot) == (), "a viewer sees counts alone"
    monkeypatch.setenv(ACCESS, "clinician")
    rows = {t.code: t.rows for t in clinician_tables(snapshot)}
    assert rows["solved_findings"][0][:4] == ("patients.csv", 3, "protocol", "2015")


def test_a_spreadsheet_runs_nothing_of_the_written_table(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path).patients(GOOD, FORMULA)
    workshop.load()
    write_csv(_found(workshop), tmp_path / "issues.csv")
    with (tmp_path / "issues.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["raw_text"] for row in rows] == ["'=1+1"]
    assert rows[0]["state"] == "open" and rows[0]["source_enrollment_id"] == "evil"


def test_the_command_lists_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workshop = Workshop(tmp_path).patients(GOOD, BAD)
    workshop.load()
    out = tmp_path / "issues.csv"
    assert main(["issues", "--warehouse", str(workshop.store), "--csv", str(out)]) == 0
    assert "row 3 '2015'" in capsys.readouterr().out and out.is_file()
    assert main(["issues", "--warehouse", str(workshop.store), "--study", "nobody"]) == 2
    said = capsys.readouterr().err
    assert "no data of study 'nobody'" in said and "made" in said


def test_a_store_without_data_says_so(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="There are: none"):
        findings(tmp_path)
