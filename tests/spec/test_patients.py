"""Patients one by one: found however the identifier is typed, and told why they are not counted."""

from dataclasses import replace
from pathlib import Path

import pytest

from analysis.answer import Table
from analysis.link import default_view
from analysis.questions import part_answer
from tests.spec.clinic import Clinic
from warehouse.query import Snapshot


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> tuple[Snapshot, Path]:
    """Two children whose identifiers begin alike, and one whose relapse date is missing."""
    clinic = Clinic(tmp_path_factory.mktemp("patients"))
    clinic.child("RB-1").line(40).sample(40, "0.5", "%").seen(500)
    clinic.child("RB-12").line(40).sample(40, "undetectable", lod="0.0001").seen(500)
    clinic.child("RB-3", relapse_date="").line(40).seen(500)
    snapshot, _ = clinic.snapshot()
    return snapshot, clinic.folder / "store"


def _part(
    ward: tuple[Snapshot, Path], monkeypatch: pytest.MonkeyPatch, wanted: str, **options: str
) -> tuple[Table, Table]:
    snapshot, store = ward
    monkeypatch.setenv("RELAPSE_BOARD_STORE", str(store))
    monkeypatch.setenv("RELAPSE_BOARD_ACCESS", "clinician")
    view = default_view("response", snapshot.snapshot_id, snapshot.study)
    found = part_answer(snapshot, replace(view, part="patients", **options), wanted)
    assert found is not None
    return found.table("why"), found.table("patients")


@pytest.mark.parametrize("typed", ["RB-1", "rb-1", "RB-1/1", "RB-1 (first)"])
def test_a_patient_is_found_however_the_identifier_is_typed(
    ward: tuple[Snapshot, Path], monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    why, _ = _part(ward, monkeypatch, typed)
    classes = [row[3] for row in why.rows if row[1] == "a response"]
    assert classes == ["positive"]


def test_identifiers_that_begin_alike_are_two_patients(
    ward: tuple[Snapshot, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    why, listed = _part(ward, monkeypatch, "RB-12", who="negative")
    assert [row[3] for row in why.rows if row[1] == "a response"] == ["negative"]
    assert [row[0] for row in listed.rows] == ["RB-12"]


def test_who_is_in_no_row_is_said_to_be_in_none(
    ward: tuple[Snapshot, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    why, _ = _part(ward, monkeypatch, "RB-9")
    assert [row[1:] for row in why.rows] == [
        ("in the data", "NO", "no enrollment of this snapshot has this identifier")
    ]


def test_the_row_that_keeps_a_patient_out_comes_first(
    ward: tuple[Snapshot, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    why, _ = _part(ward, monkeypatch, "rb-3")
    kept_out = [row for row in why.rows if row[1] == "kept out of every table"]
    assert kept_out[0][0].startswith("patients.csv row")
    assert "No loaded row enrolls" in kept_out[-1][3]
