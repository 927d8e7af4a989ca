"""What an export does not say outright: partial dates, contradictions, near misses."""

from pathlib import Path

import duckdb
import pytest

from etl.errors import LoadError
from tests.spec.made import Workshop
from tests.spec.test_mapping_language import (
    COURSE,
    COURSES,
    EVENTS,
    PEOPLE,
    SHARED,
    SMALL,
    _accounts,
    _rules,
    _table,
    _workshop,
)

HISTORY = """
[[source]]
code = "history"
file = "history.csv"
patient_id = "id"

[[source.milestone]]
code = "relapse"
day = { column = "relapse", date_format = "%Y-%m-%d" }

[[source.milestone]]
code = "death"
day = { column = "death", date_format = "%Y-%m-%d" }
"""
DAYS = """
select source_patient_id, milestone_code, day
from results.fct_milestone join records.record_enrollment using (enrollment_key)
where milestone_code in ('relapse', 'death')
"""
# Relapse and death as told, the days of both, and whether a day was moved for it.
# Day 0 is 2016-01-01; last contact 2017-01-01.
PARTIAL: list[tuple[str, str, dict[str, int], bool]] = [
    ("2016-03", "", {"relapse": 74}, False),
    ("2016-03", "2016-03-10", {"relapse": 69, "death": 69}, True),
    ("2016-03", "2016-03-20", {"relapse": 74, "death": 79}, False),
    ("2016-03-20", "2016-03", {"relapse": 79, "death": 79}, True),
    ("2016-08-20", "2016", {"relapse": 232, "death": 232}, True),
    ("2016", "", {"relapse": 182}, False),
    ("2016-01", "", {"relapse": 14}, False),
]


def test_a_partial_date_contradicts_no_full_one(tmp_path: Path) -> None:
    told = [f"p{i},{relapse},{death}" for i, (relapse, death, _, _) in enumerate(PARTIAL)]
    people = [f"p{i},O,2016-01-01,2017-01-01" for i in range(len(PARTIAL))]
    workshop = _workshop(tmp_path, HISTORY, history="\n".join(["id,relapse,death", *told, ""]))
    workshop.files["people.csv"] = "\n".join(["id,arm,day_0,seen", *people, ""])
    report = workshop.load()
    folder = workshop.store / "snapshots" / report.snapshot_id
    with duckdb.connect() as con:
        for name in ("results", "records"):
            con.execute(f"attach '{folder}/{name}.duckdb' as {name} (read_only)")
        days = con.execute(DAYS).fetchall()
        rules = con.execute(
            "select source_row, rule from records.finding"
            " where severity = 'repair' and rule like 'partial%'"
        ).fetchall()
    for i, (_, _, expected, is_moved) in enumerate(PARTIAL):
        assert {code: day for name, code, day in days if name == f"p{i}"} == expected, PARTIAL[i]
        found = {rule for row, rule in rules if row == i + 2}
        assert found and ("partial_bounded" in found) == is_moved, PARTIAL[i]


@pytest.mark.parametrize(
    ("parts", "course", "quarantined"),
    [
        ("p1,A,5,9,yes\np1,A,20,,", ("a", 1, 5, None), 0),
        ("p1,A,5,30,yes\np1,A,20,,", ("a", 1, 5, None), 0),
        ("p1,A,5,,yes\np1,A,20,25,", ("a", 1, 5, 25), 0),
        ("p1,A,5,9,no\np1,A,20,25,yes", None, 2),
    ],
)
def test_parts_of_a_course_must_agree_and_the_last_may_still_run(
    tmp_path: Path, parts: str, course: tuple | None, quarantined: int
) -> None:
    more = (
        COURSE
        + """
span = true

[source.fact.columns]
block_code = { column = "block", codes = { "A" = "a" } }
course_number = { value = "1" }
start_day = { column = "start" }
stop_day = { column = "stop" }
ae_documented = { column = "ae", codes = { "yes" = "yes", "no" = "no" } }
"""
    )
    workshop = _workshop(tmp_path, more, courses=f"id,block,start,stop,ae\n{parts}\n")
    report = workshop.load()
    assert _table(workshop, report, COURSES) == ([course] if course else [])
    assert _accounts(report)[1] == ("courses", 2, 2 - quarantined, quarantined, 0)


def test_identifiers_that_look_alike_are_two_children_and_a_warning(tmp_path: Path) -> None:
    people = "id,arm,day_0,seen\nA-1,O,2016-01-01,\nа-1,O,2016-01-01,\n007,O,2016-01-01,\n"
    people += "7.0,O,2016-01-01,\nB-2,O,2016-01-01,\n"
    report = Workshop(tmp_path, SMALL, f'study = "made"\n{PEOPLE}', {"people.csv": people}).load()
    assert report.enrollments == 5
    assert ("look_alike_id", "", 4) in _rules(report, "warning")


def test_somebody_left_out_and_enrolled_at_once_is_a_warning(tmp_path: Path) -> None:
    mapping = f'study = "made"\n{PEOPLE}'.replace(
        "[source.enrollment]",
        '[[source.exclude]]\nrows = { arm = ["F"] }\nreason = "screen failure"\n'
        "[source.enrollment]",
    )
    people = "id,arm,day_0,seen\np1,F,2016-01-01,2017-01-01\np1,O,2016-01-01,2017-01-01\n"
    report = Workshop(tmp_path, SMALL, mapping, {"people.csv": people}).load()
    assert report.enrollments == 1
    assert _rules(report, "warning") == [("excluded_and_enrolled", "", 1)]


def test_a_term_in_two_categories_counts_in_the_more_frequent_and_says_so(tmp_path: Path) -> None:
    rows = "id,term,organ,severity,day\np1,Fever,Zoo,MILD,3\np2,Fever,Zoo,MILD,3\n"
    rows += "p1,Fever,Alpha,MILD,9\np1,CD4+ low,X,MILD,3\np1,CD4- low,X,MILD,3\n"
    workshop = _workshop(tmp_path, EVENTS, events=rows)
    report = workshop.load()
    assert ("term_in_two_categories", "", 1) in _rules(report, "warning")
    terms = {t.label: t.category_code for t in workshop.snapshot().study.toxicity.terms}
    assert terms == {"Fever": "zoo", "CD4+ low": "x", "CD4- low": "x"}


def test_a_row_with_nothing_but_a_name_enrolls_nobody(tmp_path: Path) -> None:
    mapping = f'study = "made"\n{PEOPLE}'.replace(
        'cohort = { column = "arm", codes = { "O" = "old" }, others = "new" }\n'
        'origin = { column = "day_0", date_format = "%Y-%m-%d" }',
        'cohort = { value = "old" }',
    ).replace('day = { column = "seen", date_format = "%Y-%m-%d" }', 'day = { column = "seen" }')
    people = "id,arm,day_0,seen\np1,O,,300\nfilled in by I. Ivanov,,,\nmean,,,300\n"
    report = Workshop(tmp_path, SMALL, mapping, {"people.csv": people}).load()
    assert report.enrollments == 1
    assert _accounts(report) == [("people", 3, 1, 1, 1)]
    assert _rules(report) == [("nothing_but_identifier", "", 1)]


def test_a_day_number_of_another_program_is_no_date(tmp_path: Path) -> None:
    """21915 is 2020-01-01 in SAS and 1959-12-31 in Excel."""
    people = "id,arm,day_0,seen\np1,O,21915,2021-01-01\np2,O,2020-01-01,2021-01-01\n"
    people += "p3,O,43831,2021-01-01\n"
    workshop = Workshop(tmp_path, SMALL, f'study = "made"\n{PEOPLE}', {"people.csv": people})
    report = workshop.load()
    assert _rules(report) == [("not_a_date", "day_0", 1)]
    assert _rules(report, "repair") == [("excel_serial", "day_0", 1)]


def test_a_row_that_two_sources_take_is_refused(tmp_path: Path) -> None:
    both = SHARED.replace('where = { kind = ["CR"] }', 'where = { kind = { not = ["x"] } }')
    workshop = _workshop(tmp_path, both, visits="id,kind,day\np1,CR,30\np1,REL,90\n")
    with pytest.raises(LoadError, match="row 3: more than one of the sources"):
        workshop.load()
