"""The days on which an adverse event belongs to a course, and what ends them.

Block F2 is given on days 25 to 30, so that its window ends on day 60, if nothing comes before.
"""

from pathlib import Path

import pytest

from etl.load import LoadReport
from tests.spec.clinic import Child, Clinic, Ward, on
from tests.spec.test_mapping_language import COURSE, EVENTS, _rules, _table, _workshop

# Last day seen, day of relapse, of death, first day of the next course: the end of F2, and why.
ENDS: dict[str, tuple[int, int | None, int | None, int | None, tuple[int, str]]] = {
    "nothing": (400, None, None, None, (60, "window")),
    "next course": (400, None, None, 50, (49, "next_course")),
    "next course on its last day": (400, None, None, 30, (29, "next_course")),
    "next course on its first day": (400, None, None, 25, (25, "next_course")),
    "next course on the first day after": (400, None, None, 61, (60, "next_course")),
    "next course later": (400, None, None, 62, (60, "window")),
    "relapse": (400, 40, None, None, (40, "relapse")),
    "relapse on its first day": (400, 25, None, None, (25, "relapse")),
    "relapse before it": (400, 24, None, None, (60, "window")),
    "relapse on the last day": (400, 60, None, None, (60, "relapse")),
    "relapse after": (400, 61, None, None, (60, "window")),
    "relapse on the day before the next course": (400, 49, None, 50, (49, "relapse")),
    "death": (40, None, 40, None, (40, "death")),
    "death on the last day": (60, None, 60, None, (60, "death")),
    "death on the day after": (61, None, 61, None, (60, "window")),
    "death on the day of relapse": (40, 40, 40, None, (40, "death")),
    "death before it began": (20, None, 20, None, (25, "death")),
    "seen to day 40": (40, None, None, None, (40, "censored")),
    "seen to the day before the last": (59, None, None, None, (59, "censored")),
    "seen to the last day": (60, None, None, None, (60, "window")),
    "seen to the relapse": (40, 40, None, None, (40, "relapse")),
    "seen to the day before the next course": (49, None, None, 50, (49, "next_course")),
    # What is dated after the last contact was seen all the same.
    "seen before it began": (20, None, None, None, (25, "censored")),
    "death after the last contact": (35, None, 40, None, (40, "death")),
    "relapse after the last contact": (35, 40, None, None, (40, "relapse")),
    "next course after the last contact": (35, None, None, 45, (44, "next_course")),
}
# Conditioning from day 93 on, transplant on day 100: the window ends on day 200, relapse or not.
TRANSPLANTS: dict[str, tuple[int, int | None, tuple[int, str]]] = {
    "transplant": (400, None, (200, "window")),
    "transplant, relapse": (400, 120, (200, "window")),
    "transplant, seen to day 150": (150, 120, (150, "censored")),
}


def _seen(child: Child, seen: int, relapse: int | None, death: int | None = None) -> None:
    child.seen(seen, relapse_date=relapse, relapse_site="BM" if relapse else "", death_date=death)


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Ward:
    clinic = Clinic(tmp_path_factory.mktemp("windows"))
    for name, (seen, relapse, death, next_start, _) in ENDS.items():
        child = clinic.child(name).line(20)
        if next_start is not None:
            child.course("R1", next_start, next_start + 5, number="2")
        _seen(child, seen, relapse, death)
    for name, (seen, relapse, _) in TRANSPLANTS.items():
        _seen(clinic.child(name).line(20).transplant(100), seen, relapse)
    return Ward(clinic, clinic.snapshot()[0])


UNTIL = """
    select source_patient_id, until_day, until_code
    from results.fct_course join records.record_enrollment using (enrollment_key)
    where block_code = '{block}'
"""


def test_a_course_ends_with_what_comes_first(ward: Ward) -> None:
    found = ward.rows(UNTIL.format(block="f2"), lambda child: child in ENDS)
    assert found == {name: end for name, (*_, end) in ENDS.items()}


def test_a_transplant_ends_with_no_relapse(ward: Ward) -> None:
    found = ward.rows(UNTIL.format(block="transplant"), lambda child: child in TRANSPLANTS)
    assert found == {name: end for name, (*_, end) in TRANSPLANTS.items()}


def test_without_a_response_rule_the_window_and_the_next_course_alone_end_a_course(
    tmp_path: Path,
) -> None:
    cells = """
[source.fact.columns]
block_code = { column = "block", codes = { "A" = "a", "B" = "b" } }
course_number = { counted = true }
start_day = { column = "start", date_format = "%Y-%m-%d" }
"""
    # p1 is last seen in 2017; p2 is not seen after its course, and nobody knows what that means.
    rows = "id,block,start\np1,A,2016-01-03\np1,B,2016-01-13\np2,B,2017-01-31\n"
    workshop = _workshop(tmp_path, COURSE + cells, courses=rows)
    until = "select block_code, start_day, until_day, until_code from fct_course order by all"
    assert _table(workshop, workshop.load(), until) == [
        ("a", 2, 11, "next_course"), ("b", 12, 42, "window"), ("b", 365, 395, "window"),
    ]  # fmt: skip


def _loaded(clinic: Clinic) -> tuple[Ward, LoadReport]:
    snapshot, report = clinic.snapshot()
    return Ward(clinic, snapshot), report


# Day of recovery after F2 (days 25 to 30), of a child that is seen to day 400.
RECOVERIES: dict[str, tuple[int | None, tuple | None]] = {
    "not recorded": (None, (None,)),
    "on the first day": (25, (25,)),
    "in the course": (28, (28,)),
    "after it": (50, (50,)),
    "before it": (24, None),
}


def test_recovery_is_a_day_of_a_course_and_not_before_its_first(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path)
    for name, (day, _) in RECOVERIES.items():
        child = clinic.child(name).line(20).seen(400)
        row = next(
            r for r in clinic.rows["courses"] if r["case_id"] == child.case and r["block"] == "F2"
        )
        row["anc_recovery_date"] = on(day)
    ward, report = _loaded(clinic)
    found = ward.rows(
        "select source_patient_id, recovery_day from results.fct_course "
        "join records.record_enrollment using (enrollment_key) where block_code = 'f2'",
        lambda child: True,
    )
    assert found == {name: told for name, (_, told) in RECOVERIES.items() if told}
    assert _rules(report) == [("day_before_start", "anc_recovery_date", 1)]


def test_recovery_after_the_data_cutoff_has_not_happened(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path)
    child = clinic.child("p", relapse_date="01.12.2021", registration_date="01.12.2021")
    told = {"start_date": "20.12.2021", "stop_date": "25.12.2021"}
    child.clinic.add("lines", case_id=child.case, line_number="1", entry_reason="first relapse",
                     start_date="01.12.2021")  # fmt: skip
    child.course("F1", 0, 0, anc_recovery_date="10.01.2022", **told)
    child.seen(0, last_contact_date="31.12.2021", last_disease_assessment_date="31.12.2021")
    ward, report = _loaded(clinic)
    days = ward.rows("select block_code, recovery_day, until_day from results.fct_course", bool)
    assert days == {"f1": (None, 30)}
    assert report.rows_quarantined == 0


def test_what_is_known_of_an_infection_stands_beside_it(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path)
    told = {"infection_site": "lung", "documentation": "microbiological"}
    child = clinic.child("p").line(20).seen(400)
    child.event(26, "pneumonia", pathogen="Aspergillus fumigatus", **told)
    child.event(27, "sepsis")
    child.event(28, "viral infection", pathogen="a worm")
    ward, report = _loaded(clinic)
    found = ward.rows(
        "select term_code, infection_site_code, pathogen_code, documentation_code "
        "from results.fct_adverse_event",
        lambda term: True,
    )
    assert found == {
        "pneumonia": ("lung", "aspergillus", "microbiological"),
        "sepsis": (None, None, None),
    }
    assert _rules(report) == [("unknown_code", "pathogen", 1)]


# A grade as the export has it: the range that is loaded, what is found; None: kept out.
GRADES: dict[str, tuple[tuple[int, int] | None, list[tuple[str, str]]]] = {
    "3": ((3, 3), []),
    "3-4": ((3, 4), [("repair", "grade_range")]),
    "": ((1, 5), [("warning", "no_grade")]),
    "+": ((1, 5), [("warning", "no_grade")]),
    "н/д": ((1, 5), [("repair", "missing_word"), ("warning", "no_grade")]),
    "7": (None, [("error", "not_a_grade")]),
    "0": (None, [("error", "not_a_grade")]),
    "x": (None, [("error", "not_a_grade")]),
}


def test_an_event_without_a_grade_is_an_event_of_unknown_grade(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path)
    for text in GRADES:
        clinic.child(f"'{text}'").line(20).seen(400).event(26, grade=text)
    ward, report = _loaded(clinic)
    of_child = "join records.record_enrollment using (enrollment_key)"
    grades = ward.rows(
        "select source_patient_id, grade_low, grade_high "
        f"from results.fct_adverse_event {of_child}",
        bool,
    )
    assert grades == {f"'{text}'": loaded for text, (loaded, _) in GRADES.items() if loaded}
    found = ward.rows(
        "select source_enrollment_id, list({'s': severity, 'r': rule} order by rule) "
        "from records.finding group by all",
        bool,
    )
    rules = {case: [(f["s"], f["r"]) for f in told] for case, (told,) in found.items()}
    assert rules == {f"'{text}'/1": told for text, (_, told) in GRADES.items() if told}
    assert report.rows_quarantined == sum(not loaded for loaded, _ in GRADES.values())


def test_an_unknown_severity_is_at_most_the_last_step_of_its_scale(tmp_path: Path) -> None:
    rows = "id,term,organ,severity,day\np1,NAUSEA,GUT,MILD,3\np1,NAUSEA,GUT,,4\np1,NAUSEA,GUT,+,5\n"
    workshop = _workshop(tmp_path, EVENTS, events=rows)
    report = workshop.load()
    graded = "select onset_day, grade_low, grade_high from fct_adverse_event order by all"
    assert _table(workshop, report, graded) == [(3, 1, 1), (4, 1, 3), (5, 1, 3)]
    assert ("no_grade", "severity", 2) in _rules(report, "warning")


def test_a_mapping_may_say_what_a_plus_means(tmp_path: Path) -> None:
    mapping = EVENTS.replace('"MILD" = "1"', '"MILD" = "1", "+" = "2"')
    rows = "id,term,organ,severity,day\np1,NAUSEA,GUT,+,3\n"
    workshop = _workshop(tmp_path, mapping, events=rows)
    report = workshop.load()
    graded = "select grade_low, grade_high from fct_adverse_event"
    assert _table(workshop, report, graded) == [(2, 2)]
    assert all(rule != "no_grade" for rule, _, _ in _rules(report, "warning"))
