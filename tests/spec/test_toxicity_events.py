"""Deaths, infections and the list of events, on small wards: who is what, what is said of it."""

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from analysis.answer import Answer, Table
from analysis.compose import Page, page
from analysis.disclosure import release
from analysis.export import numbers_csv, summary_markdown, table_csv
from analysis.link import default_view
from analysis.toxicity_deaths import deaths_answer
from analysis.toxicity_infections import infections_answer
from analysis.toxicity_list import list_answer
from tests.spec.clinic import Clinic, Ward, on
from trial.selection import selection
from warehouse.query import Snapshot, open_snapshot

N = 10
BROKEN = "31.02.2016"


def view(snapshot: Snapshot, line: str = "first_relapse", **options) -> Page:
    study = snapshot.study
    chosen = selection(study, [c.code for c in study.cohorts], {}, [line])
    found = default_view("toxicity", snapshot.snapshot_id, study)
    return page("toxicity", snapshot, replace(found, selection=chosen, **options))


def warnings(found: Answer) -> str:
    return " ".join(n.text for n in found.notes if n.kind == "warning")


def cells(table: Table) -> dict[str, tuple]:
    return {row[0]: row[1:] for row in table.rows}


# ---------------------------------------------------------------- deaths


@pytest.fixture(scope="module")
def dead(tmp_path_factory: pytest.TempPathFactory) -> Ward:
    """Children of the older protocol who died each in another way; ten a cohort who live."""
    clinic = Clinic(tmp_path_factory.mktemp("deaths"))
    for k in range(N):
        clinic.child(f"A-{k}").line(30).seen(400)
        clinic.child(f"B-{k}", "2016").line(30).seen(400)

    def died(name: str, day: int, remission: int | None = 30, cause: str = "other", **more):
        child = clinic.child(name).line(remission)
        child.seen(day, death_date=day, death_cause=cause, **more)
        return child

    died("day 15", 15, None, "infection").event(10, "sepsis", "5", outcome="fatal")
    died("day 59", 59, None, "bleeding")
    died("day 60", 60, None)
    died("in remission", 200, cause="infection")
    died("of leukaemia", 200, cause="leukaemia")
    died("remission at death", 150, 150)
    died("relapsed at once", 200, relapse_date=30)
    died("transplanted", 200, cause="toxicity").transplant(110).event(
        112, "pneumonia", "4", outcome="fatal"
    )
    died("second malignancy", 220, cause="other", second_malignancy_date=180)
    died("fatal event", 200, cause="bleeding").event(26, "sepsis", "4", outcome="fatal")
    died("without cause", 200, cause="").event(26, "sepsis", "5")
    clinic.child("alive").line(30).seen(400).event(26, "sepsis", "4", outcome="fatal")
    clinic.child("short").line(None).seen(40)
    clinic.child("doubtful").line(30).seen(400, last_contact_date=BROKEN)
    died("no transplant day", 200).clinic.add(
        "transplants", case_id="no transplant day/1", transplant_date=BROKEN
    )
    again = clinic.child("again").line(20).second_line(100, "second relapse")
    again.clinic.add(
        "lines",
        case_id="again/1",
        line_number="2",
        entry_reason="second relapse",
        start_date=on(100),
        remission_date=on(130),
        remission_type="M1",
    )
    again.seen(300, relapse_date=100, death_date=300, death_cause="other")
    second = clinic.child("second line").line(20).second_line(100, "second relapse")
    second.seen(120, relapse_date=100, death_date=120, death_cause="other")
    return Ward(clinic, clinic.snapshot()[0])


CLASSES = """
    select source_patient_id, class_code, block_code, match_code
    from results.fct_death inner join records.record_enrollment using (enrollment_key)
    where line_number = 1
"""


def test_each_death_has_its_class_its_block_and_its_fatal_event(dead: Ward) -> None:
    found = dead.rows(CLASSES, lambda _: True)
    assert found == {
        "day 15": ("early", "f1", "matched"),
        "day 59": ("early", "f2", "not_toxic"),
        "day 60": ("with_disease", "f2", "not_toxic"),
        "in remission": ("in_remission", None, "no_fatal_event"),
        "of leukaemia": ("with_disease", None, "not_toxic"),
        "remission at death": ("with_disease", None, "not_toxic"),
        "relapsed at once": ("with_disease", None, "not_toxic"),
        "transplanted": ("in_remission_after_transplant", "transplant", "matched"),
        "second malignancy": ("after_second_malignancy", None, "not_toxic"),
        "fatal event": ("in_remission", None, "other_cause"),
        "without cause": ("in_remission", None, "other_cause"),
        "alive": ("no_death", None, "no_death"),
        "no transplant day": ("unknown", None, "not_toxic"),
        "again": ("in_remission", None, "not_toxic"),
        "second line": ("with_disease", None, "not_toxic"),
    }


def test_deaths_and_the_living_are_the_whole_population(dead: Ward) -> None:
    table = cells(deaths_answer(view(dead.snapshot)).table("deaths"))
    counts = {label: row[0].split("/")[0] for label, row in table.items()}
    assert counts == {
        "early death (before remission, before day 60)": "2",
        "death with disease": "5",
        "death in remission, no transplant": "4",
        "death in remission, after transplant": "1",
        "death after second malignancy": "1",
        "death, class not known": "1",
        "not known whether alive": "1",
        "alive when last seen": "12",
    }
    assert all(row[0].split()[0].endswith("/27") for row in table.values())


def test_early_deaths_alone_are_compared_and_tell_who_might_be_one(dead: Ward) -> None:
    found = deaths_answer(view(dead.snapshot))
    table = cells(found.table("deaths"))
    early = table.pop("early death (before remission, before day 60)")
    # Seen for 40 days alone, or with the row of the follow-up in quarantine.
    assert "[2 more possible" in early[0] and "possible" not in early[1]
    assert early[2].startswith("−7.4 (")
    assert {row[2] for row in table.values()} == {"not compared: follow-up differs"}
    compared = [n for n in found.numbers if n.comparator]
    assert [n.level_code for n in compared] == ["early"]
    assert "Dead so far: ALL-REZ 2014 14/27; ALL-REZ 2016 0/10." in found.headline


def test_many_who_might_have_died_early_refuse_the_comparison(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path)
    for k in range(N):
        clinic.child(f"A-{k}").line(30).seen(400 if k < 7 else 50)
        clinic.child(f"B-{k}", "2016").line(30).seen(400)
    found = cells(deaths_answer(view(clinic.snapshot()[0])).table("deaths"))
    assert (
        "not known whether they died early"
        in found["early death (before remission, before day 60)"][2]
    )


def test_every_mismatch_of_deaths_and_fatal_events_is_a_sentence(dead: Ward) -> None:
    found = deaths_answer(view(dead.snapshot))
    table = cells(found.table("death_matches"))
    assert table == {
        "toxic death and fatal event": (2, 0),
        "toxic death, no fatal event": (1, 0),
        "fatal event, death of another cause": (1, 0),
        "fatal event, death without a recorded cause": (1, 0),
        "fatal event, no death": (1, 0),
        "death of another cause, no fatal event": (9, 0),
    }
    told = warnings(found)
    for sentence in (
        "no fatal adverse event is recorded: 1 (ALL-REZ 2014)",
        "cause of death is another: 1 (ALL-REZ 2014)",
        "without a recorded cause: 1 (ALL-REZ 2014)",
        "no death is recorded: 1 (ALL-REZ 2014)",
        "Not known whether alive, since a row in quarantine might tell of a death: 1",
        "after an earlier relapse of the same child: 1 (ALL-REZ 2014)",
    ):
        assert sentence in told


def test_deaths_by_block_and_by_cause_are_all_deaths(dead: Ward) -> None:
    found = deaths_answer(view(dead.snapshot))
    blocks = cells(found.table("death_blocks"))
    assert blocks == {
        "F1": ("1/14", "0/0"),
        "F2": ("2/14", "0/0"),
        "transplant": ("1/14", "0/0"),
        "outside any block": ("9/14", "0/0"),
        "not known: a course is in quarantine": ("1/14", "0/0"),
    }
    causes = found.table("death_causes").rows
    assert sum(row[2] for row in causes) == 14
    assert ("death in remission, no transplant", "not recorded", 1, 0) in causes


def test_a_line_that_no_landmark_judges_has_no_early_deaths(dead: Ward) -> None:
    found = deaths_answer(view(dead.snapshot, "second_relapse"))
    early = cells(found.table("deaths"))["early death (before remission, before day 60)"]
    assert early[:2] == ("response not judged by a landmark", "nobody")
    assert cells(found.table("deaths"))["death with disease"][0] == "1/2"


def test_a_picture_of_deaths_holds_everybody(dead: Ward) -> None:
    (figure,) = deaths_answer(view(dead.snapshot)).figures
    assert [(a.n_shown, a.n_enrolled) for a in figure.accounts] == [(27, 27), (10, 10)]
    assert "Patients were followed for different times" in figure.caption
    assert figure.spec


# What was not kept before version 6 of the tables.
SINCE_6 = {
    "fct_course": ("recovery_day", "until_day", "until_code"),
    "fct_adverse_event": ("infection_site_code", "pathogen_code", "documentation_code"),
}


def older(ward: Ward, folder: Path) -> Snapshot:
    """The snapshot of a ward as version 5 of the tables had it."""
    name = ward.snapshot.snapshot_id
    place = folder / "snapshots" / name
    place.mkdir(parents=True)
    path = place / "results.duckdb"
    path.write_bytes((ward.clinic.store / "snapshots" / name / "results.duckdb").read_bytes())
    with duckdb.connect(str(path)) as con:
        for table, columns in SINCE_6.items():
            for column in columns:
                con.execute(f"alter table {table} drop column {column}")
        con.execute("update load set schema_version = 5")
    return open_snapshot(folder, name)


def test_older_data_say_that_blocks_of_death_and_infections_are_not_kept(
    dead: Ward, tmp_path: Path
) -> None:
    snapshot = older(dead, tmp_path)
    found = deaths_answer(view(snapshot))
    assert cells(found.table("death_blocks")) == {"not kept in these data": ("14/14", "0/0")}
    assert "in which block a death fell is not known" in warnings(found)
    infected = infections_answer(view(snapshot))
    assert {t.code for t in infected.tables} == {"infections_outcome", "infections_term"}
    assert "before site, pathogen and documentation" in warnings(infected)
    assert not infected.figures and "recorded most often" not in infected.headline


# ---------------------------------------------------------------- infections and the list


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Ward:
    """Ten children a cohort with F1 and F2; infections of the older protocol, as told below."""
    clinic = Clinic(tmp_path_factory.mktemp("infections"))
    blood = {"infection_site": "blood", "documentation": "microbiological"}
    for k in range(N):
        old = clinic.child(f"A-{k}").line(30).seen(400)
        clinic.child(f"B-{k}", "2016").line(30).seen(400)
        if k < 3:
            old.event(8, "sepsis", "3", **blood, pathogen="E. coli", outcome="recovered")
        if k == 0:
            old.event(9, "bacteraemia", "4", **blood, pathogen="Klebsiella pneumoniae")
            old.event(10, "bacteraemia", "3", **blood, pathogen="E. coli")
        if k == 3:
            old.event(8, "pneumonia", "3", infection_site="lung", outcome="unknown")
        if k == 4:
            old.event(8, "pneumonia", "3-4", end_date=on(12)).event(7, "vomiting", "3")
        if k == 5:
            old.event(8, "sepsis", "")
            old.event(300, "sepsis", "3", serious="yes").event(2, "sepsis", "3")
        if k == 6:
            old.event(26, "sepsis", "3").event(8, "viral infection", "2")
    silent = clinic.child("A-silent")
    silent.line(30).seen(400).event(8, "sepsis", "4")
    for row in clinic.rows["courses"][-2:]:
        row["ae_documented"] = "no"
    clinic.child("A-broken").line(30).seen(400).event(8, "sepsis", "3", onset_date=BROKEN)
    clinic.child("A-course").line(30).seen(400).course("R1", 60, 65, start_date=BROKEN)
    return Ward(clinic, clinic.snapshot()[0])


def test_a_patient_counts_once_a_level_and_events_stand_beside(ward: Ward) -> None:
    found = infections_answer(view(ward.snapshot))
    pathogens = cells(found.table("infections_pathogen"))
    assert pathogens["any infection"][0].startswith("5/10 (50.0 %")
    assert pathogens["any infection"][-2:] == (7, 0)
    assert pathogens["E. coli"][0].startswith("3/10") and pathogens["E. coli"][-2:] == (4, 0)
    assert pathogens["Klebsiella pneumoniae"][0].startswith("1/10")
    assert "Candida albicans" not in pathogens


def test_what_is_not_recorded_is_a_level_of_every_table(ward: Ward) -> None:
    found = infections_answer(view(ward.snapshot))
    told = {
        d: cells(found.table(f"infections_{d}"))
        for d in ("site", "pathogen", "documentation", "outcome")
    }
    assert {d: rows["not recorded"][-2] for d, rows in told.items()} == {
        "site": 1,
        "pathogen": 2,
        "documentation": 2,
        "outcome": 3,
    }
    assert told["outcome"]["recorded as unknown"][-2] == 1
    assert all(
        sum(rows[x][-2] for x in rows if x != "any infection") == 7 for rows in told.values()
    )
    assert "Pathogen not recorded: 2/7 (ALL-REZ 2014)" in " ".join(n.text for n in found.notes)


def test_infections_of_other_blocks_grades_and_the_undocumented_are_not_in_it(ward: Ward) -> None:
    other = cells(infections_answer(view(ward.snapshot, block="f2")).table("infections_term"))
    assert other["any infection"][0].startswith("1/10") and other["sepsis"][-2] == 1
    low = cells(infections_answer(view(ward.snapshot, grade=1)).table("infections_term"))
    assert low["any infection"][0].startswith("7/10") and low["any infection"][-2] == 9
    found = infections_answer(view(ward.snapshot))
    assert "left out: 3 started it, adverse events not documented" in found.figures[0].legend
    assert "ALL-REZ 2014 5/10 (50.0 %" in found.headline


def test_a_block_that_nobody_started_is_a_sentence(ward: Ward) -> None:
    found = infections_answer(view(ward.snapshot, block="clo"))
    assert found.headline == "Nobody of this population started clofarabine block."
    assert not found.tables and not found.figures


def test_infections_without_any_recorded_site_are_told_and_not_drawn_as_none(ward: Ward) -> None:
    found = infections_answer(view(ward.snapshot, block="f2"))
    assert "ALL-REZ 2014: none with a recorded site or pathogen." in found.headline
    assert cells(found.table("infections_site"))["not recorded"][-2] == 1


def listed(ward: Ward, monkeypatch: pytest.MonkeyPatch, **options) -> Answer:
    monkeypatch.setenv("RELAPSE_BOARD_STORE", str(ward.clinic.store))
    monkeypatch.setenv("RELAPSE_BOARD_ACCESS", "clinician")
    return list_answer(view(ward.snapshot, **options))


def test_the_list_holds_every_event_of_the_cell_and_marks_what_is_only_possible(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = listed(ward, monkeypatch, item="category/infection", grade=4)
    rows = [(row[0], row[4], row[5], row[6], row[7][:8]) for row in found.table("events").rows]
    assert rows == [
        ("A-0", "bacteraemia", "4", "CTCAE 5", "yes"),
        ("A-4", "pneumonia", "3-4", "CTCAE 5", "possibly"),
        ("A-5", "sepsis", "no grade", "CTCAE 5", "possibly"),
        ("A-silent", "sepsis", "4", "CTCAE 5", "no: not "),
    ]
    assert found.table("events_counts").rows == (
        ("ALL-REZ 2014", 1, 2, 7, 3, 13),
        ("ALL-REZ 2016", 0, 0, 10, 0, 10),
    )
    assert not found.numbers and not found.figures


def test_an_event_has_its_days_of_the_course_and_its_dates(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = listed(ward, monkeypatch, item="term/pneumonia", grade=3)
    one, other = found.table("events").rows
    assert one[8:12] == ("3", "2016-03-09", "–", "–")
    assert other[8:12] == ("3", "2016-03-09", "7", "2016-03-13")
    assert one[12:] == (
        "recorded as unknown",
        "not recorded",
        "lung",
        "not recorded",
        "not recorded",
    )


def test_events_outside_every_block_are_listed_with_the_nearest_course(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = listed(ward, monkeypatch, item="term/sepsis", grade=3)
    rows = [(row[0], row[6], row[8]) for row in found.table("events_outside").rows]
    assert rows == [
        ("A-5", "2016-03-03", "F1 1: 4 days before its first day"),
        ("A-5", "2016-12-26", "F2 1: 240 days after its last day of attribution"),
    ]


def test_who_is_not_counted_is_listed_with_the_reason(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = listed(ward, monkeypatch, item="any")
    assert {row[0]: row[3] for row in found.table("events_undocumented").rows} == {
        "A-silent": "events not documented in course 1",
        "A-broken": "an adverse event in quarantine",
        "A-course": "a course in quarantine",
    }
    other = listed(ward, monkeypatch, item="any", block="r1").table("events_undocumented").rows
    assert [row[0] for row in other] == ["A-course"] and "might have been" in other[0][3]


def test_fatal_events_are_listed_whatever_their_grade(
    dead: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = listed(dead, monkeypatch, item="fatal", grade=1)
    assert found.headline.startswith("Fatal adverse event, of any grade, in F1: 1 event listed")
    later = listed(dead, monkeypatch, item="fatal", block="f2").table("events").rows
    assert [row[0] for row in later] == ["alive", "fatal event", "without cause"]


def test_a_viewer_gets_a_sentence_and_no_identifier(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELAPSE_BOARD_STORE", "/nowhere")
    found = list_answer(view(ward.snapshot, item="any"))
    assert "'clinician'" in found.headline
    assert not (found.tables or found.figures or found.notes or found.numbers)


def test_no_identifier_is_in_the_files_of_deaths_and_infections(ward: Ward) -> None:
    for answer in (deaths_answer, infections_answer):
        found = answer(view(ward.snapshot))
        texts = [numbers_csv(found), summary_markdown(found)]
        texts += [table_csv(found, table) for table in found.tables]
        assert not [t for t in texts if "A-0" in t or "A-silent" in t]


def test_small_counts_are_withheld_with_all_that_tells_of_them(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELAPSE_BOARD_DISCLOSURE", "k")
    for answer in (deaths_answer, infections_answer):
        found = release(answer(view(ward.snapshot)))
        shown = [n for n in found.numbers if n.numerator is not None]
        assert not [n for n in shown if 0 < (n.numerator or 0) < 5]
        told = " ".join([*(n.text for n in found.notes), found.headline])
        assert "3/10" not in told and "2/7" not in told
