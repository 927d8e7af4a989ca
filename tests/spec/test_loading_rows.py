"""Rows in = loaded + quarantined: what is kept out, what is repaired, and what is said of it."""

import re
from pathlib import Path

import duckdb
import pytest

from etl.errors import LoadError
from etl.load import LoadReport
from tests.spec.made import HEADER, Workshop
from trial.document import DocumentError, parse_document
from trial.study_file import parse_study, read_study

GOOD = "good,2014,f,7,1,30,,0,200"


def _issues(report: LoadReport) -> list[tuple[str, str, str, int]]:
    return [(i["severity"], i["rule"], i["column_name"], i["n_rows"]) for i in report.issues]


def _records(workshop: Workshop, report: LoadReport, sql: str) -> list[tuple]:
    path = workshop.store / "snapshots" / report.snapshot_id / "records.duckdb"
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute(sql).fetchall()


# A row of one child, and what is said of it: severity, rule, column.
ROWS: list[tuple[str, list[tuple[str, str, str]]]] = [
    ("p,2015,f,7,1,30,,0,200", [("error", "unknown_code", "protocol")]),
    ("p,,f,7,1,30,,0,200", [("error", "missing_value", "protocol")]),
    (",2014,f,7,1,30,,0,200", [("error", "missing_value", "id")]),
    ("p,2014,x,7,1,30,,0,200", [("error", "unknown_code", "sex")]),
    ("p,2014,f,seven,1,30,,0,200", [("error", "not_a_number", "age")]),
    ("p,2014,f,inf,1,30,,0,200", [("error", "not_a_number", "age")]),
    ("p,2014,f,nan,1,30,,0,200", [("error", "not_a_number", "age")]),
    ("p,2014,f,25,1,30,,0,200", [("error", "outside_bands", "age")]),
    ("p,2014,f,-5,1,30,,0,200", [("error", "outside_bands", "age")]),
    (
        "p,2014,f,7,1,30,250,1,200",
        [
            ("warning", "after_last_observation", "relapse"),
            ("warning", "after_terminal", "relapse"),
        ],
    ),
    ("p,2014,f,7,1,30.5,,0,200", [("error", "not_a_day", "remission")]),
    ("p,2014,f,7,1,-3,,0,200", [("error", "not_a_day", "remission")]),
    ("p,2014,f,7,1,99999999,,0,200", [("error", "not_a_day", "remission")]),
    ("p,2014,f,7,1,30,,2,200", [("error", "unknown_code", "dead")]),
    ("p,2014,f,7,1,30,,,200", [("error", "missing_value", "dead")]),
    ("p,2014,f,7,1,30,,0,", [("error", "missing_value", "seen")]),
    ("p,2014, f ,7,1,30,,0,200", [("repair", "outer_spaces", "sex")]),
    ("p,2014,f,7,1,30,,0,200", []),
]


def test_every_row_is_loaded_repaired_or_quarantined(tmp_path: Path) -> None:
    rows = [re.sub("^p,", f"p{i},", row) for i, (row, _) in enumerate(ROWS)]
    workshop = Workshop(tmp_path).patients(*rows)
    report = workshop.load()
    sql = "select source_row, severity, rule, column_name from finding order by all"
    found = _records(workshop, report, sql)
    assert found == sorted((i + 2, *said) for i, (_, told) in enumerate(ROWS) for said in told)
    bad = [i + 2 for i, (_, told) in enumerate(ROWS) if any(said[0] == "error" for said in told)]
    account = report.files[0]
    assert (account.rows_in, account.rows_quarantined) == (len(ROWS), len(bad))
    assert account.rows_loaded == len(ROWS) - len(bad)
    kept = _records(workshop, report, "select source_row from quarantine order by all")
    assert [row for (row,) in kept] == bad
    told = "select distinct source_row from record_fact order by all"
    loaded = [row for (row,) in _records(workshop, report, told)]
    assert sorted([*loaded, *bad]) == [i + 2 for i in range(len(ROWS))], "every row, once"


@pytest.mark.parametrize(
    ("row", "issues"),
    [
        (
            "good,2014,f,7,1,30,,1,200",
            [
                ("error", "conflicting_milestone", "dead", 1),
                ("error", "conflicting_milestone", "seen", 1),
            ],
        ),
        # A row that does not fit sends the whole piece of the file to the other reader.
        ("p,2014,f,7,1,30,,0", [("error", "wrong_number_of_fields", "", 1)]),
        ("p,2014,f,7,1,30,,0,200,extra", [("error", "wrong_number_of_fields", "", 1)]),
        (GOOD, [("repair", "identical_copy", "", 1)]),
        (
            "good,2016,f,7,1,30,,0,200",
            [("error", "conflicting_baseline", "", 2)],
        ),
        (
            "good,2014,f,7,1,31,,0,200",
            [("error", "conflicting_milestone", "remission", 2)],
        ),
    ],
)
def test_a_row_beside_others_is_loaded_repaired_or_quarantined(
    tmp_path: Path, row: str, issues: list[tuple]
) -> None:
    workshop = Workshop(tmp_path).patients(GOOD, "other,2016,m,12,NA,,,1,50", row)
    report = workshop.load()
    assert _issues(report) == issues
    account = report.files[0]
    # Two rows that contradict each other have a finding each.
    bad = (
        2
        if len(issues) == 2 and issues[0][0] == "error"
        else sum(n for severity, _, _, n in issues if severity == "error")
    )
    assert account.rows_in == 3
    assert account.rows_quarantined == bad
    assert account.rows_loaded == 3 - bad
    kept = _records(workshop, report, "select count(*) from quarantine")
    assert kept == [(bad,)]
    told = "select count(distinct (file_number, source_row)) from record_fact"
    assert _records(workshop, report, told) == [(3 - bad,)], "every loaded row is accounted for"


def test_a_finding_says_file_row_column_text_and_what_to_do(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path).patients(GOOD, "p,2015,f,7,1,30,,0,200")
    report = workshop.load()
    sql = "select source_row, column_name, raw_text, rule, severity, message from finding"
    row, column, raw, rule, severity, message = _records(workshop, report, sql)[0]
    assert (row, column, raw, rule, severity) == (3, "protocol", "2015", "unknown_code", "error")
    assert "Allowed: 2014, 2016" in message and "mapping" in message
    text = _records(workshop, report, "select source_row, row_text from quarantine")[0]
    assert text[0] == 3 and '"protocol":"2015"' in text[1]


def test_a_patient_with_a_bad_row_elsewhere_is_not_lost_in_silence(tmp_path: Path) -> None:
    """A quarantined enrollment orphans its rows of other files: they are quarantined too."""
    mapping = Workshop(tmp_path).mapping + (
        '\n[[source]]\ncode = "extra"\nfile = "extra.csv"\npatient_id = "id"\n'
        '[[source.milestone]]\ncode = "relapse"\nday = { column = "relapse" }\n'
    )
    mapping = mapping.replace(
        '[[source.milestone]]\ncode = "relapse"\nday = { column = "relapse" }\n\n', "", 1
    )
    workshop = Workshop(tmp_path, mapping=mapping)
    workshop.patients(GOOD, "p,2015,f,7,1,30,,0,200")
    workshop.files["extra.csv"] = "id,relapse\np,90\ngood,\nnobody,3\nnobody else,\n"
    report = workshop.load()
    assert [(f.rows_in, f.rows_loaded, f.rows_quarantined) for f in report.files] == [
        (2, 1, 1),
        (4, 1, 3),
    ]
    # Also the row that says nothing of a patient whom nobody enrolls.
    assert ("error", "no_enrollment", "", 3) in _issues(report)
    told = _records(workshop, report, "select table_name from record_fact where file_number = 2")
    assert told == [("none",)], "a loaded row without a fact is recorded as such"


def test_dates_become_days_and_the_cutoff_ends_observation(tmp_path: Path) -> None:
    mapping = Workshop(tmp_path).mapping
    for column in ("remission", "relapse", "seen"):
        mapping = mapping.replace(
            f'{{ column = "{column}" }}', f'{{ column = "{column}", date_format = "%d.%m.%Y" }}'
        )
    mapping = mapping.replace(
        "cohort = {", 'origin = { column = "start", date_format = "%d.%m.%Y" }\ncohort = {'
    )
    workshop = Workshop(tmp_path, mapping=mapping).patients(
        "a,2014,f,7,1,31.01.2015,,0,01.01.2016,01.01.2015",
        "b,2016,m,12,1,15.02.2016,01.06.2017,1,01.08.2017,01.02.2016",
        "c,2016,m,12,1,31.02.2016,,0,01.08.2017,01.02.2016",
        "d,2016,m,12,1,01.01.2016,,0,01.08.2017,01.02.2016",
        "e,2016,m,12,1,,,0,01.08.2017,01.07.2017",
        "f,2016,m,12,1,,,0,01.08.2177,01.07.2015",
        "g,2016,m,12,1,,,0,01.08.2017,01.07.1015",
        header=HEADER + ",start",
    )
    undeclared = workshop.load()
    assert undeclared.data_cutoff == "2017", "a day could be one child's"
    assert undeclared.snapshot_id.startswith("2017.")
    rules = {i["rule"] for i in undeclared.issues if i["severity"] == "error"}
    assert rules == {"impossible_date", "before_day_0", "date_in_future"}
    report = workshop.load(cutoff="2017-05-31")
    assert report.snapshot_id.startswith("2017-05-31.")
    assert report.files[0].rows_quarantined == 5
    path = workshop.store / "snapshots" / report.snapshot_id / "results.duckdb"
    with duckdb.connect(str(path), read_only=True) as con:
        days = con.execute(
            "select cohort_code, milestone_code, day, enrollment_year from fct_milestone "
            "join dim_enrollment using (enrollment_key) order by all"
        ).fetchall()
    assert days == [
        ("new", "last_contact", 485, 2016),  # 2016-02-01 to the cut-off
        ("new", "remission", 14, 2016),  # relapse and death after the cut-off do not count
        ("old", "last_contact", 365, 2015),
        ("old", "remission", 30, 2015),
    ]


def test_a_declared_cutoff_that_cannot_be_applied_is_said(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path).patients(GOOD)
    report = workshop.load(cutoff="2015-01-01")
    assert _issues(report) == [("warning", "cutoff_not_applied", "", 1)]
    with pytest.raises(LoadError, match="has not come yet"):
        workshop.load(cutoff="2999-01-01")
    with pytest.raises(LoadError, match="is not a date"):
        workshop.load(cutoff="May 2015")


def test_the_order_of_the_tables_tells_nothing_of_the_export(tmp_path: Path) -> None:
    lines = [f"p{i:03},2014,f,7,0,,,0,{i}" for i in range(60)]
    workshop = Workshop(tmp_path).patients(*lines)
    folder = workshop.store / "snapshots" / workshop.load().snapshot_id
    with duckdb.connect() as con:
        for name in ("results", "records"):
            con.execute(f"attach '{folder}/{name}.duckdb' as {name} (read_only)")
        keys = con.execute("select enrollment_key from results.dim_enrollment").fetchall()
        ids = dict(
            con.execute(
                "select enrollment_key, source_patient_id from records.record_enrollment"
            ).fetchall()
        )
    assert [ids[key] for (key,) in keys] != [f"p{i:03}" for i in range(60)]


def test_the_results_file_holds_no_identifier_date_or_raw_text(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path).patients(
        "IVANOV-77,2014,f,7,1,30,,0,200", "PETROV-78,2014,f,BADTEXT,1,30,,0,200"
    )
    report = workshop.load()
    folder = workshop.store / "snapshots" / report.snapshot_id
    with duckdb.connect(str(folder / "results.duckdb"), read_only=True) as con:
        columns = con.execute(
            "select table_name, column_name, data_type from information_schema.columns"
        ).fetchall()
        texts = " ".join(
            str(con.execute(f'select list("{column}")::varchar from "{table}"').fetchall())
            for table, column, _ in columns
        )
    assert not any("DATE" in kind or "TIME" in kind for _, _, kind in columns)
    for secret in ("IVANOV", "PETROV", "BADTEXT"):
        assert secret not in texts
        assert secret.encode() not in (folder / "results.duckdb").read_bytes()
    assert b"BADTEXT" in (folder / "records.duckdb").read_bytes()


def test_loading_twice_is_the_same_snapshot_whatever_the_order_of_rows(tmp_path: Path) -> None:
    lines = [GOOD, "other,2016,m,12,NA,,,1,50", "third,2016,f,3,0,,,0,99"]
    first = Workshop(tmp_path).patients(*lines).load()
    again = Workshop(tmp_path).patients(*lines).load()
    assert (first.is_new, again.is_new) == (True, False)
    assert first.snapshot_id == again.snapshot_id
    assert len(list((tmp_path / "store" / "snapshots").iterdir())) == 1
    turned = Workshop(tmp_path).patients(*reversed(lines)).load()
    assert turned.results_hash == first.results_hash


def test_a_comment_in_the_study_definition_makes_another_snapshot(tmp_path: Path) -> None:
    """The definition is part of the content: nothing of a view may change behind its id."""
    workshop = Workshop(tmp_path).patients(GOOD)
    first = workshop.load().snapshot_id
    workshop.study = workshop.study + "\n# a comment\n"
    assert workshop.load().snapshot_id != first


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('column = "sex"', 'column = "gender"', "patients.csv: the mapping reads column 'gender'"),
        (
            'code = "relapse"\nday',
            'code = "relaps"\nday',
            "made.toml line .*Did you mean 'relapse'",
        ),
        ('"f" = "girl"', '"f" = "gril"', r"made.toml line \d+: 'gril' .*Did you mean 'girl'"),
        ('no_event = ["0"]', 'no_event = ["1"]', "means both"),
        ('age = { column = "age" }\n', "", r"characteristics \['age'\] are not mapped"),
        ("required = true", "requried = true", "line .*'requried' is not known here"),
        ('file = "patients.csv"', 'file = ""', r"line \d+: 'file' is empty"),
        (
            'day = { column = "relapse" }',
            'day = { column = "relapse", date_format = "%Q" }',
            r"line \d+: '%Q' does not write a date",
        ),
        ('file = "patients.csv"', 'file = "people.csv"', "no file 'people.csv'"),
    ],
)
def test_a_wrong_mapping_is_said_with_its_line(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    workshop = Workshop(tmp_path).patients(GOOD)
    assert old in workshop.mapping
    workshop.mapping = workshop.mapping.replace(old, new, 1)
    with pytest.raises(Exception) as error:
        workshop.load()
    assert re.search(message, str(error.value)), str(error.value)
    assert not workshop.store.exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("reference = true", "refrence = true", r"line \d+: 'refrence' .*Did you mean 'reference'"),
        ('origin = "remission"', 'origin = "remision"', r"line \d+: 'remision' .*'remission'"),
        ("from = 10, below", "from = 11, below", r"line \d+: a band must start where"),
        ('time_unit = "month"', 'time_unit = "moon"', r"line \d+: 'moon' .*Did you mean 'month'"),
        ("state = 1", "state = 0", "'state' is 1"),
        ("reference = true", "", "exactly one"),
        ('label = "New"', 'label = "Old"', "declared twice"),
        ("milestone_times = [1, 12]", "milestone_times = [nan]", "finite numbers"),
        ("milestone_times = [1, 12]", "milestone_times = [1e9]", "below 100 years"),
        ('code = "age"', 'code = "patient_id"', "is the name of a column"),
        ("code = 'x'", "", "not valid TOML"),
        ('code = "age"', 'code = "sex"', "declared twice"),
        ('code = "age"', 'code = "cohort_code"', "is the name of a column"),
    ],
)
def test_a_wrong_study_is_said_with_its_line(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    workshop = Workshop(tmp_path).patients(GOOD)
    if old not in workshop.study:
        workshop.study += "\n[broken\n"
    workshop.study = workshop.study.replace(old, new, 1)
    with pytest.raises(Exception) as error:
        workshop.load()
    assert re.search(message, str(error.value)), str(error.value)


STAGE = 'stage = "timepoint"\ncode = "after_induction"'
LAST = 'alive = "os"\nat = 2'


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ('["m1_counts"]', '["m1_blood"]', 'details = ["m1_blood"]', "details: m1_blood. Allowed"),
        ('code = "counts"', 'code = "morphology"', 'code = "morphology"', "declared twice"),
        ('label = "with blood counts"', 'label = ""', 'label = ""', "'label' is empty"),
        ('block = "blina"\nbefore', 'block = "blin"\nbefore', 'block = "blin"', "mean 'blina'"),
        ("to_day = 56\nhigh", "to_day = 20\nhigh", "after_to_day = 20", "end before it begins"),
        ("from_day = 21\n", "from_day = 0\n", "after_to_day = 56", "end before it begins"),
        ("cells_by_day = 8\n", "", "[response.course]", "'cells' and 'cells_by_day' go together"),
        ("high_from = 0.05\n", "", "[response.course]", "'high_measure' and 'high_from' go"),
        ('drug = "blinatumomab"', 'drug = "blina"', 'drug = "blina"', "'blina' is not known"),
        ('["allrez2016"]', '["2016"]', 'cells_planned_in = ["2016"]', "cells_planned_in: 2016"),
        ('["donor"]', '["sibling"]', 'other_sources = ["sibling"]', "other_sources: sibling"),
        ('mrd_measure = "mrd"\n', "", "[response]", "'mrd_measure' and 'thresholds' go together"),
        (STAGE, 'stage = "remission"', "[response]", "a stage of the flow stands twice"),
        (
            LAST,
            f'{LAST}\n\n[[response.flow]]\nstage = "block"\ncode = "r1"',
            "[response]",
            "the last stage",
        ),
        (STAGE, 'stage = "relapse"', 'stage = "relapse"', "Allowed: remission, timepoint, block"),
        (STAGE, 'stage = "timepoint"\ncode = "f1"', 'code = "f1"', "'f1' is not known as code"),
        ('event_free = "efs"', 'event_free = "cir"', 'event_free = "cir"', "'cir' is not known"),
        ('code = "after_f1"', 'code = "remission"', 'code = "remission"', "is what links call"),
    ],
)
def test_a_wrong_response_rule_is_said_with_its_line(
    old: str, new: str, line: str, message: str
) -> None:
    text = read_study("allrez").text
    assert text.count(old) == 1
    changed = text.replace(old, new)
    with pytest.raises(DocumentError) as error:
        parse_study(parse_document("allrez.toml", changed))
    told = re.fullmatch(r"allrez\.toml line (\d+): (.*)", str(error.value))
    assert told and message in told[2], str(error.value)
    assert changed.splitlines()[int(told[1]) - 1] == line


def test_when_no_row_can_be_loaded_nothing_is_published(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"no row could be loaded. 1 errors; the first at row 2"):
        Workshop(tmp_path).patients("p,2015,f,7,1,30,,0,200").load()


def test_a_large_file_loads_as_a_small_one_does(tmp_path: Path) -> None:
    """Above 16,384 rows polars works in parts, and once refused a filter that was a constant."""
    rows = [f"p{i},2014,f,7,1,30,,0,{200 + i % 90}" for i in range(17_000)]
    report = Workshop(tmp_path).patients(*rows, "late,2014,f,7,1,300,,0,200").load()
    assert (report.enrollments, report.rows_quarantined) == (17_001, 0)
    assert [i["rule"] for i in report.issues] == ["after_last_observation"]
