"""The head of the toxicity page on a small ward: rows, what opens, what is left out, the odd."""

from dataclasses import replace
from pathlib import Path

import pytest

from analysis.answer import Answer
from analysis.link import View, default_view
from analysis.questions import answer
from tests.spec.clinic import Clinic
from trial.selection import selection
from warehouse.query import Snapshot

N = 12


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Twelve children a cohort, F1 and F2; only the older protocol gives R1."""
    clinic = Clinic(tmp_path_factory.mktemp("ward"))
    for k in range(N):
        old = clinic.child(f"A{k}", "2014").line(30).course("R1", 60, 65).seen(400)
        new = clinic.child(f"B{k}", "2016").line(30).seen(400)
        if k < 6:
            old.event(8, "sepsis", "3").event(9, "sepsis", "4")
        if k == 6:
            old.event(8, "pneumonia", "3-4")
        if k == 7:
            old.event(8, "pneumonia", "+")
        if k < 3:
            new.event(8, "oral mucositis", "3")
        old.event(7, "CRS", "2", scale="Lee 2014")
        new.event(7, "CRS", "2", scale="ASTCT 2019")
        if k == 0:
            new.event(300, "vomiting", "3")
    dead = clinic.child("C1", "2016").line(None)
    dead.event(10, "sepsis", "4", outcome="fatal").seen(15, death_date=15, death_cause="infection")
    return clinic.snapshot()[0]


def view(snapshot: Snapshot, **options) -> View:
    found = default_view("toxicity", snapshot.snapshot_id, snapshot.study)
    return replace(
        found,
        selection=selection(snapshot.study, [c.code for c in snapshot.study.cohorts], {}),
        **options,
    )


def told(snapshot: Snapshot, **options) -> dict[str, tuple]:
    """The table of the page by label; of an item that stands in it twice, the later row."""
    return {
        row[0].strip(): row[1:]
        for row in answer(snapshot, view(snapshot, **options)).table("items").rows
    }


def labels(snapshot: Snapshot, **options) -> list[str]:
    found = answer(snapshot, view(snapshot, **options))
    return (
        [row[0] for row in found.table("items").rows]
        if "items" in [t.code for t in found.tables]
        else []
    )


def warnings(found: Answer) -> str:
    return " ".join(n.text for n in found.notes if n.kind == "warning")


def test_who_had_no_event_is_in_the_denominator(snapshot: Snapshot) -> None:
    assert told(snapshot)["Infection"][0].startswith("7/12")
    assert told(snapshot)["Infection"][1].startswith("1/13")


def test_a_patient_counts_once_whatever_the_number_of_events(snapshot: Snapshot) -> None:
    assert told(snapshot, open="all")["sepsis"][0].startswith("6/12")
    assert told(snapshot, open="all", unit="events")["sepsis"][0].startswith(
        "12 events in 12 courses"
    )


def test_a_range_and_no_grade_are_certain_up_to_their_lower_end(snapshot: Snapshot) -> None:
    at = {grade: told(snapshot, grade=grade, open="all")["pneumonia"][0] for grade in (1, 3, 4)}
    assert at[1].startswith("2/12") and "possible" not in at[1]
    assert at[3].startswith("1/12") and "[1 more possible" in at[3]
    assert at[4].startswith("0/12") and "[2 more possible" in at[4]


def test_a_fatal_outcome_counts_as_fatal_whatever_its_grade_and_a_missing_grade_never(
    snapshot: Snapshot,
) -> None:
    fatal = told(snapshot, grade=3)["Fatal adverse event"]
    assert fatal[0].startswith("0/12") and fatal[1].startswith("1/13")


def test_terms_open_under_their_category_and_close(snapshot: Snapshot) -> None:
    closed, opened = labels(snapshot), labels(snapshot, open="infection")
    assert [x for x in opened if x.startswith("\u2003")] == ["\u2003sepsis", "\u2003pneumonia"]
    assert not [x for x in closed if x.startswith("\u2003")]
    at = opened.index("\u2003sepsis")
    assert opened[at - 1] == "Infection"


def test_a_search_finds_closed_terms_under_their_category_and_nothing_else(
    snapshot: Snapshot,
) -> None:
    assert labels(snapshot, find="SEPS") == ["Infection", "\u2003sepsis"]
    assert labels(snapshot, find="liver") == ["Liver and pancreas"]
    nothing = answer(snapshot, view(snapshot, find="icans"))
    assert "'icans'" in nothing.headline and all(t.code != "items" for t in nothing.tables)


def test_rare_rows_are_left_out_and_counted(snapshot: Snapshot) -> None:
    found = answer(snapshot, view(snapshot, least="20"))
    shown = labels(snapshot, least="20")
    assert "Vascular" not in shown and "Infection" in shown
    assert any("20 % of every cohort" in n.text for n in found.notes)


def test_the_largest_difference_stands_first_and_tells_its_false_discovery_rate(
    snapshot: Snapshot,
) -> None:
    found = answer(snapshot, view(snapshot, order="difference"))
    table = found.table("items")
    first = [row for row in table.rows][10 + 0]
    assert first[0] == "Infection" and "False discovery rate" in table.columns
    rates = [row[table.columns.index("False discovery rate")] for row in table.rows[10:]]
    assert 0 < float(rates[0]) < 1
    assert "False discovery rate" not in answer(snapshot, view(snapshot)).table("items").columns


def test_grades_of_two_scales_are_counted_and_not_compared(snapshot: Snapshot) -> None:
    found = answer(snapshot, view(snapshot, grade=1))
    (crs,) = [row for row in found.table("items").rows if row[0] == "CRS"]
    assert crs[1].startswith("12/12") and crs[2].startswith("12/13")
    assert "two grading scales: not compared" in crs[3] and crs[4] == "Lee 2014, ASTCT 2019"
    assert "CRS" in warnings(found) and "Lee 2014 12" in warnings(found)


def test_a_block_of_one_protocol_is_shown_alone(snapshot: Snapshot) -> None:
    found = answer(snapshot, view(snapshot, block="r1"))
    assert "Nobody of ALL-REZ 2016 started R1" in warnings(found)
    assert "not given" in found.headline and "0 %" not in found.headline.replace("0.0 %", "")


def test_a_block_that_nobody_had_is_a_sentence(snapshot: Snapshot) -> None:
    found = answer(snapshot, view(snapshot, block="maintenance"))
    assert "not given" in found.headline
    assert [f.code for f in found.figures] == ["left"]


def test_an_event_outside_every_block_is_told(snapshot: Snapshot) -> None:
    notes = " ".join(n.text for n in answer(snapshot, view(snapshot)).notes)
    assert "1 adverse event of 1 patient began outside every block" in notes


def test_who_did_not_start_a_block_is_in_a_class(snapshot: Snapshot) -> None:
    rows = answer(snapshot, view(snapshot)).table("left").rows
    columns = answer(snapshot, view(snapshot)).table("left").columns
    r1 = {row[1]: dict(zip(columns, row, strict=True)) for row in rows if row[0] == "R1"}
    assert r1["ALL-REZ 2014"]["started, documented"] == N
    assert (r1["ALL-REZ 2016"]["died before it"], r1["ALL-REZ 2016"]["N"]) == (1, N + 1)
    assert r1["ALL-REZ 2016"]["did not have it: none of these"] == N


def test_a_child_with_a_quarantined_course_is_not_documented(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path)
    clinic.child("A1").line(30).seen(400)
    clinic.child("A2").line(30).course("R9", 60, 65).seen(400)
    found = answer(*(lambda s: (s, view(s)))(clinic.snapshot()[0]))
    (f1,) = [r for r in found.table("started").rows if r[0] == "F1" and r[1] == "ALL-REZ 2014"]
    assert f1[2:5] == (2, 1, 1)
    assert "Silence is not zero" in warnings(found)
