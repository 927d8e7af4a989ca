"""What a mapping can say: one small study, one small export, the table that comes of it."""

from pathlib import Path

import duckdb
import polars as pl
import pytest
import xlsxwriter

from etl.__main__ import main
from etl.errors import LoadError
from etl.load import LoadReport
from etl.mapping_file import read_mapping
from tests.spec.made import STUDY, Workshop
from trial.document import DocumentError

# No characteristics; blocks, samples, adverse events in words, and an endpoint with finished times.
SMALL = (
    STUDY[: STUDY.index("[[characteristic]]")]
    + """
[[block]]
code = "a"
label = "A"

[[block]]
code = "b"
label = "B"

[[material]]
code = "marrow"
label = "marrow"

[[method]]
code = "look"
label = "by eye"

[[measure]]
code = "state"
label = "state"

[[endpoint]]
code = "os"
label = "Overall survival"
abbreviation = "OS"
origin = "enrollment"
censor = "last_contact"
rmst_taus = [12]
definition = "As the export says."
finished = true
event = [{ milestone = "death", state = 1 }]

[toxicity]
grades = [3, 2, 1]
open_terms = true
scale = [{ code = "severity", label = "severity", level = ["mild", "moderate", "severe"] }]
"""
)
PEOPLE = """
[[source]]
code = "people"
file = "people.csv"
patient_id = "id"

[source.enrollment]
cohort = { column = "arm", codes = { "O" = "old" }, others = "new" }
origin = { column = "day_0", date_format = "%Y-%m-%d" }

[[source.milestone]]
code = "last_contact"
day = { column = "seen", date_format = "%Y-%m-%d" }
"""


def _workshop(folder: Path, more: str, **files: str) -> Workshop:
    people = "id,arm,day_0,seen\np1,O,2016-01-01,2017-01-01\np2,N,2016-02-01,2017-02-01\n"
    files = {"people": people, **files}
    mapping = f'study = "made"\n{PEOPLE}\n{more}'
    return Workshop(folder, SMALL, mapping, {f"{name}.csv": text for name, text in files.items()})


def _table(workshop: Workshop, report: LoadReport, sql: str, database: str = "results") -> list:
    path = workshop.store / "snapshots" / report.snapshot_id / f"{database}.duckdb"
    with duckdb.connect(str(path), read_only=True) as con:
        return con.sql(sql).pl().with_columns(pl.col(pl.Categorical).cast(pl.String)).rows()


def _accounts(report: LoadReport) -> list[tuple]:
    return [
        (f.source_code, f.rows_in, f.rows_loaded, f.rows_quarantined, f.rows_excluded)
        for f in report.files
    ]


def _rules(report: LoadReport, severity: str = "error") -> list[tuple[str, str, int]]:
    found = [i for i in report.issues if i["severity"] == severity]
    return [(i["rule"], i["column_name"], i["n_rows"]) for i in found]


COURSE = """
[[source]]
code = "courses"
file = "courses.csv"
patient_id = "id"

[[source.fact]]
table = "fct_course"
"""
COURSES = "select block_code, course_number, start_day, stop_day from fct_course order by all"


def test_wide_columns_become_rows_by_each(tmp_path: Path) -> None:
    more = (
        COURSE
        + """
each = [ { block = "A", code = "a" }, { block = "B", code = "b" } ]
rows = { "{block} start" = { filled = true } }

[source.fact.columns]
block_code = { value = "{code}" }
course_number = { value = "1" }
start_day = { column = "{block} start", date_format = "%Y-%m-%d" }
"""
    )
    wide = "id,A start,B start\np1,2016-01-03,2016-02-01\np2,2016-02-02,\n"
    workshop = _workshop(tmp_path, more, courses=wide)
    report = workshop.load()
    assert _accounts(report)[1] == ("courses", 2, 2, 0, 0)
    assert _table(workshop, report, COURSES) == [
        ("a", 1, 1, None), ("a", 1, 2, None), ("b", 1, 31, None),
    ]  # fmt: skip


def test_a_mistake_in_a_wide_cell_names_the_column_of_the_export(tmp_path: Path) -> None:
    more = (
        COURSE
        + """
each = [ { block = "A" } ]
rows = { "{block} start" = { filled = true } }

[source.fact.columns]
block_code = { value = "a" }
course_number = { value = "1" }
start_day = { column = "{block} start", date_format = "%Y-%m-%d" }
"""
    )
    report = _workshop(tmp_path, more, courses="id,A start\np1,soon\n").load()
    assert _rules(report) == [("not_a_date", "A start", 1)]


def test_courses_are_counted_in_the_order_of_their_days(tmp_path: Path) -> None:
    more = (
        COURSE
        + """
[source.fact.columns]
block_code = { column = "block", codes = { "A" = "a" } }
course_number = { counted = true }
start_day = { column = "start" }
"""
    )
    rows = "id,block,start\np1,A,60\np1,A,5\np2,A,1\n"
    workshop = _workshop(tmp_path, more, courses=rows)
    assert _table(workshop, workshop.load(), COURSES) == [
        ("a", 1, 1, None), ("a", 1, 5, None), ("a", 2, 60, None),
    ]  # fmt: skip


def test_rows_of_one_key_become_one_span(tmp_path: Path) -> None:
    more = (
        COURSE
        + """
span = true

[source.fact.columns]
block_code = { column = "block", codes = { "A" = "a" } }
course_number = { value = "1" }
start_day = { column = "start" }
stop_day = { column = "stop" }
"""
    )
    rows = "id,block,start,stop\np1,A,5,9\np1,A,2,3\np1,A,10,12\n"
    workshop = _workshop(tmp_path, more, courses=rows)
    report = workshop.load()
    assert _table(workshop, report, COURSES) == [("a", 1, 2, 12)]
    assert _accounts(report)[1] == ("courses", 3, 3, 0, 0)
    facts = "select count(*) from record_fact where table_name = 'fct_course'"
    assert _table(workshop, report, facts, "records") == [(3,)], "every row is accounted for"


VISITS = """
[[source]]
code = "visits"
file = "visits.csv"
patient_id = "id"
ignore = ["note"]

[[source.milestone]]
code = "{code}"
pick = "{pick}"
day = {{ column = "day", unit = "{unit}", first = {first} }}
"""
MILESTONES = "select milestone_code, day from fct_milestone where milestone_code = 'remission'"


@pytest.mark.parametrize(
    ("pick", "unit", "first", "day"),
    [
        ("first", "day", 0, 3),
        ("last", "day", 0, 30),
        ("first", "day", 1, 2),
        ("last", "week", 0, 210),
    ],
)
def test_of_several_days_the_first_or_last_counts(
    tmp_path: Path, pick: str, unit: str, first: int, day: int
) -> None:
    more = VISITS.format(code="remission", pick=pick, unit=unit, first=first)
    workshop = _workshop(tmp_path, more, visits="id,day,note\np1,30,x\np1,3,y\np1,7,z\n")
    report = workshop.load()
    assert _table(workshop, report, MILESTONES) == [("remission", day)]
    assert _accounts(report)[1] == ("visits", 3, 3, 0, 0)
    assert _rules(report, "repair") == []


def test_a_cell_is_cut_in_two_and_its_finding_names_the_column_of_the_export(
    tmp_path: Path,
) -> None:
    more = """
[[source]]
code = "visits"
file = "visits.csv"
patient_id = "id"

[[source.column]]
name = "after"
from = "days"
split = "->"
part = 2

[[source.milestone]]
code = "remission"
day = { column = "after" }
"""
    workshop = _workshop(tmp_path, more, visits="id,days\np1,3 -> 30\np2,4 -> soon\n")
    report = workshop.load()
    assert _table(workshop, report, MILESTONES) == [("remission", 30)]
    assert _rules(report) == [("not_a_number", "days", 1)]


def test_the_first_filled_column_counts_and_texts_are_joined(tmp_path: Path) -> None:
    more = """
[[source]]
code = "visits"
file = "visits.csv"
patient_id = "whose"

[[source.column]]
name = "whose"
join = ["letter", "number"]

[[source.column]]
name = "when"
first_filled = ["seen", "told"]

[[source.milestone]]
code = "remission"
day = { column = "when" }
"""
    rows = "letter,number,seen,told\np,1,,30\np,2,40,50\n"
    workshop = _workshop(tmp_path, more, visits=rows)
    days = _table(workshop, workshop.load(), MILESTONES + " order by day")
    assert days == [("remission", 30), ("remission", 40)]


SHARED = """
[[source]]
code = "remissions"
file = "visits.csv"
patient_id = "id"
ignore = ["kind"]
where = { kind = ["CR"] }

[[source.milestone]]
code = "remission"
day = { column = "day" }

[[source]]
code = "relapses"
file = "visits.csv"
patient_id = "id"
ignore = ["kind"]
where = { kind = ["REL", ""] }

[[source.milestone]]
code = "relapse"
day = { column = "day" }
"""


def test_a_table_is_split_between_sources_and_its_counts_add_up(tmp_path: Path) -> None:
    rows = "id,kind,day\np1,CR,30\np1,REL,90\np2,,80\np2,new kind,70\np2,CR,1,2\n"
    workshop = _workshop(tmp_path, SHARED, visits=rows)
    report = workshop.load()
    assert _accounts(report)[1:] == [
        ("remissions", 1, 1, 0, 0), ("relapses", 2, 2, 0, 0), ("", 2, 0, 2, 0),
    ]  # fmt: skip
    assert sum(f.rows_in for f in report.files[1:]) == 5
    assert _rules(report) == [("row_matches_no_source", "", 1), ("wrong_number_of_fields", "", 1)]
    doubt = "select milestone_code from fct_doubt order by all"
    assert _table(workshop, report, doubt) == [("relapse",), ("remission",)], (
        "nobody knows what p2 had"
    )


def test_who_is_excluded_is_counted_with_the_reason_and_with_all_rows_elsewhere(
    tmp_path: Path,
) -> None:
    mapping = f'study = "made"\n{PEOPLE}'.replace(
        "[source.enrollment]",
        '[[source.exclude]]\nrows = { arm = ["F"] }\nreason = "screen failure"\n'
        "[source.enrollment]",
    ) + VISITS.format(code="remission", pick="first", unit="day", first=0)
    people = "id,arm,day_0,seen\np1,O,2016-01-01,2017-01-01\np2,F,,nonsense\n"
    visits = "id,day,note\np1,3,\np2,4,\np2,nonsense,\np3,5,\n"
    files = {"people.csv": people, "visits.csv": visits}
    report = Workshop(tmp_path, SMALL, mapping, files).load()
    assert _accounts(report) == [("people", 2, 1, 0, 1), ("visits", 4, 1, 1, 2)]
    assert _rules(report) == [("no_enrollment", "", 1)]
    excluded = [("excluded: screen failure", "", 1), ("excluded: screen failure", "", 2)]
    assert _rules(report, "info") == excluded
    assert report.enrollments == 1


EVENTS = """
[[source]]
code = "events"
file = "events.csv"
patient_id = "id"

[[source.fact]]
table = "fct_adverse_event"

[source.fact.columns]
term_code = { column = "term", category = "organ" }
grade = { column = "severity", codes = { "MILD" = "1", "MODERATE" = "2", "SEVERE" = "3" } }
scale_code = { value = "severity" }
onset_day = { column = "day" }
"""


def test_terms_of_an_open_list_come_from_the_export_with_their_category(tmp_path: Path) -> None:
    rows = (
        "id,term,organ,severity,day\n"
        "p1,NAUSEA,GUT,MILD,3\np1,Nausea,GUT,SEVERE,4\np2,Зуд,,MODERATE,5\n"
    )
    workshop = _workshop(tmp_path, EVENTS, events=rows)
    report = workshop.load()
    graded = "select grade_low, scale_code from fct_adverse_event order by all"
    assert _table(workshop, report, graded) == [(1, "severity"), (2, "severity"), (3, "severity")]
    assert not workshop.load().is_new, "the same export gives the same snapshot"
    toxicity = workshop.snapshot().study.toxicity
    terms = [(t.label, t.category_code) for t in toxicity.terms]
    assert terms == [("Nausea", "gut"), ("Зуд", "not_coded")]
    assert [c.label for c in toxicity.categories] == ["Gut", "not coded"]


def test_a_column_of_severities_is_never_read_as_grades(tmp_path: Path) -> None:
    wrong = EVENTS.replace(', codes = { "MILD" = "1", "MODERATE" = "2", "SEVERE" = "3" }', "")
    rows = "id,term,organ,severity,day\n" + "p1,NAUSEA,GUT,MILD,3\n" * 6
    with pytest.raises(LoadError, match="'severity' holds severities in words"):
        _workshop(tmp_path, wrong, events=rows).load()


FINISHED = """
[[source]]
code = "times"
file = "times.csv"
patient_id = "id"

[[source.fact]]
table = "fct_finished_time"

[source.fact.columns]
endpoint_code = { column = "what", codes = { "OS" = "os" } }
time_days = { column = "aval", unit = "month" }
state = { column = "cnsr", codes = { "0" = "event", "1" = "censored" } }
"""

TIMES = "select {} from fct_time_to_event where endpoint_code = 'os' order by all"


def test_finished_times_are_kept_as_they_are(tmp_path: Path) -> None:
    """CNSR 0 is an event; 2 months of 30.4375 days are 61 days, whatever the dates say."""
    rows = "id,what,aval,cnsr\np1,OS,2,0\n"
    workshop = _workshop(tmp_path, FINISHED, times=rows)
    sql = TIMES.format("time_days, state, reason")
    assert _table(workshop, workshop.load(), sql) == [
        (61, 1, "death"), (None, None, "without_day"),
    ]  # fmt: skip


def test_a_finished_time_in_quarantine_is_in_doubt(tmp_path: Path) -> None:
    rows = "id,what,aval,cnsr\np1,OS,2,0\np2,OS,3,7\n"
    workshop = _workshop(tmp_path, FINISHED, times=rows)
    sql = TIMES.format("reason")
    assert _table(workshop, workshop.load(), sql) == [("death",), ("in_doubt",)]


def test_an_assessment_without_result_says_that_somebody_looked(tmp_path: Path) -> None:
    more = """
[[source]]
code = "looks"
file = "looks.csv"
patient_id = "id"

[[source.fact]]
table = "fct_assessment"

[source.fact.columns]
sample_day = { column = "day" }
material_code = { value = "marrow" }
method_code = { value = "look" }
measure_code = { value = "state" }
"""
    workshop = _workshop(tmp_path, more, looks="id,day\np1,20\n")
    sql = "select sample_day, qualifier, value from fct_assessment"
    assert _table(workshop, workshop.load(), sql) == [(20, "done", None)]


def test_supplements_are_joined_and_their_rows_accounted_for(tmp_path: Path) -> None:
    more = (
        VISITS.format(code="remission", pick="first", unit="day", first=0)
        .replace('ignore = ["note"]', 'ignore = ["USUBJID"]\nsupplement = "supp.csv"')
        .replace('column = "day"', 'column = "CRDAY"')
    )
    supp = (
        "RDOMAIN,USUBJID,IDVAR,IDVARVAL,QNAM,QLABEL,QVAL\nV,p1,,,CRDAY,Day,12\nV,p9,,,CRDAY,Day,3\n"
    )
    workshop = _workshop(tmp_path, more, visits="id,USUBJID\np1,p1\n", supp=supp)
    report = workshop.load()
    assert _table(workshop, report, MILESTONES) == [("remission", 12)]
    assert _accounts(report)[1:] == [("visits", 1, 1, 0, 0), ("", 2, 1, 1, 0)]
    assert _rules(report) == [("supplement_without_parent", "", 1)]


def test_columns_that_nobody_reads_are_said_once_a_table(tmp_path: Path) -> None:
    more = VISITS.format(code="remission", pick="first", unit="day", first=0)
    rows = "id,day,note,extra,phone\np1,3,,a,b\np1,3,,c,d\n"
    workshop = _workshop(tmp_path, more, visits=rows)
    report = workshop.load()
    assert _rules(report, "info") == [("unread_columns", "", 1)]
    message = _table(
        workshop, report, "select message from finding where rule = 'unread_columns'", "records"
    )
    assert "2 columns are not read: extra, phone" in message[0][0]


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ('pick = "first"', 'pick = "frist"', "not known as pick"),
        ('unit = "day"', 'unit = "fortnight"', "not known as unit"),
        ("first = 0", "first = 2", "numbered 0 or 1"),
        ('ignore = ["note"]', "where = { note = { not = 3 } }", "takes a list"),
        ('ignore = ["note"]', 'where = { note = { like = "x" } }', "takes true or false"),
        ('ignore = ["note"]', 'exclude = [{ reason = "x" }]', "say which rows"),
        (
            'ignore = ["note"]',
            'column = [{ name = "n", from = "note", split = "-", part = 0 }]',
            "from the end",
        ),
    ],
)
def test_what_a_mapping_cannot_say_is_refused_with_its_line(
    tmp_path: Path, wrong: str, right: str, said: str
) -> None:
    more = VISITS.format(code="remission", pick="first", unit="day", first=0)
    workshop = _workshop(tmp_path, more.replace(wrong, right))
    workshop.write()
    with pytest.raises(DocumentError, match=rf"made.toml line \d+: .*{said}"):
        read_mapping(str(tmp_path / "made.toml"), studies=tmp_path / "studies")


@pytest.mark.parametrize(
    ("unit", "value", "rules"),
    [
        ('unit = { value = "%" }', 0.01, []),
        ('unit = { value = "fraction" }', None, [("out_of_range", "mrd", 1)]),
        ('unit = { column = "u", codes = { "1" = "%" } }', 0.01, []),
        ('unit = "u"', None, [("ambiguous_unit", "mrd", 1)]),
    ],
)
def test_a_unit_is_a_column_a_code_or_the_same_for_all(
    tmp_path: Path, unit: str, value: float | None, rules: list[tuple]
) -> None:
    more = f"""
[[source]]
code = "looks"
file = "looks.csv"
patient_id = "id"
ignore = ["u"]

[[source.fact]]
table = "fct_assessment"

[source.fact.columns]
sample_day = {{ column = "day" }}
material_code = {{ value = "marrow" }}
method_code = {{ value = "look" }}
measure_code = {{ value = "state" }}
result = {{ column = "mrd", {unit} }}
"""
    number = "1" if value else "7"
    workshop = _workshop(tmp_path, more, looks=f"id,day,mrd,u\np1,20,{number},1\n")
    report = workshop.load()
    found = _table(workshop, report, "select value from fct_assessment")
    assert found == ([(value,)] if value else [])
    assert _rules(report) == rules


@pytest.mark.parametrize("counts_from_1904", [False, True])
def test_a_bare_day_number_of_the_other_date_system_is_no_date(
    tmp_path: Path, counts_from_1904: bool
) -> None:
    """42370 is 1 January 2016 by the 1900 system and four years and a day later by the other."""
    workshop = Workshop(tmp_path, SMALL, f'study = "made"\n{PEOPLE}'.replace(".csv", ".xlsx"))
    workshop.write()
    book = xlsxwriter.Workbook(tmp_path / "export" / "people.xlsx", {"date_1904": counts_from_1904})
    for number, row in enumerate([["id", "arm", "day_0", "seen"], ["p1", "O", 42370, 42736]]):
        book.add_worksheet() if number == 0 else None
        book.worksheets()[0].write_row(number, 0, row)
    book.close()
    if counts_from_1904:
        with pytest.raises(LoadError, match="no row could be loaded.*'42370'"):
            workshop.load()
    else:
        report = workshop.load()
        years = _table(workshop, report, "select enrollment_year from dim_enrollment")
        assert years == [(2016,)]


def test_a_file_without_identifiers_has_a_patient_in_every_row(tmp_path: Path) -> None:
    people = "arm,day_0,seen\nO,2016-01-01,2017-01-01\nN,2016-02-01,2017-02-01\n"
    made = 'patient_id = "id"\n[[source.column]]\nname = "id"\nrow = true\n'
    mapping = f'study = "made"\n{PEOPLE}'.replace('patient_id = "id"\n', made)
    report = Workshop(tmp_path, SMALL, mapping, {"people.csv": people}).load()
    assert report.enrollments == 2 and report.issues == ()


def test_a_date_of_long_ago_as_the_mapping_writes_it_is_no_repair(tmp_path: Path) -> None:
    workshop = _workshop(tmp_path, "")
    people = "id,arm,day_0,seen\np1,O,1931-01-01,1932-01-01\np2,N,1900-01-01,1950-01-01\n"
    workshop.files["people.csv"] = people
    report = workshop.load()
    assert _rules(report, "repair") == []
    assert _rules(report) == [("placeholder_date", "day_0", 1)]


def test_a_draft_is_not_loaded_before_somebody_has_corrected_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workshop = _workshop(tmp_path, "")
    workshop.mapping = "draft = true\n" + workshop.mapping
    export, mapping = workshop.write(), str(tmp_path / "made.toml")
    told = ["--mapping", mapping, "--studies", str(tmp_path / "studies")]
    assert main(["load", str(export), *told, "--warehouse", str(workshop.store)]) == 2
    assert "a draft." in capsys.readouterr().err and not workshop.store.exists()
