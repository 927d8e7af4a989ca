"""How a line is judged, what its EFS and states become, and which class an MRD result has."""

from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analysis.outcomes import from_registration
from tests.spec.clinic import Child, Clinic, Ward, on
from trial.selection import selection
from warehouse.query import query


def _tables(ward: Ward, sql: str, of: str = "") -> dict[str, tuple]:
    """Rows of a query over both files, by the name of the child; of whose names `of` begins."""
    others = () if of else OTHERS
    found = ward.rows(sql, lambda name: name.startswith(of) and not name.startswith(others))
    return {name.removeprefix(of): row for name, row in found.items()}


RESPONSE = """
    select source_patient_id, response_code, remission_day, is_late, failure_day
    from results.fct_response join records.record_enrollment using (enrollment_key)
    where is_default
"""
ENDPOINT = """
    select source_patient_id, time_days, state, reason
    from results.fct_time_to_event join records.record_enrollment using (enrollment_key)
    where endpoint_code = '{}'
"""


def _ward(folder: Path) -> Clinic:
    """One child for every rule."""
    clinic = Clinic(folder)
    clinic.child("responds").line(40).sample(40, "0.5", "%").seen(500)
    clinic.child("on day 60").line(60).sample(60, "0.5", "%").seen(500)
    clinic.child("late").line(61).sample(40, "5", "%").sample(61, "0.5", "%").seen(500)
    clinic.child("late, never looked at before").line(70).seen(500)
    clinic.child("fails").line().sample(20, "20", "%").sample(41, "9", "%").seen(500)
    clinic.child("fails and dies").line().sample(41, "9", "%").seen(90, death_date=90)
    clinic.child("dies early").line().sample(20, "20", "%").seen(30, death_date=30)
    clinic.child("dies on day 60").line().sample(20, "20", "%").seen(60, death_date=60)
    clinic.child("dies late, never looked at").line().seen(100, death_date=100)
    clinic.child("never looked at").line().seen(500)
    clinic.child("failed sample only").line().sample(41, "failed").seen(500)
    clinic.child("lost on day 30").line().sample(20, "20", "%").seen(30)
    clinic.child("remission on the day of death").line(50).seen(50, death_date=50)
    clinic.child("relapses").line(40).seen(500, relapse_date=200, relapse_site="BM")
    clinic.child("relapses and dies on one day").line(40).seen(
        200, relapse_date=200, relapse_site="BM", death_date=200
    )
    clinic.child("dies in remission").line(40).seen(300, death_date=300)
    clinic.child("second malignancy").line(40).seen(500, second_malignancy_date=400)
    return clinic


# How the names of children begin who are there for other questions than how a line is judged.
OTHERS = (SAMPLED, TIMED, AGED, EVENTFUL) = ("sampled ", "timed ", "born ", "events ")


def _sampled(clinic: Clinic) -> None:
    def child(name: str) -> Child:
        return clinic.child(f"{SAMPLED}{name}")

    child("last one").line(40).sample(36, "1", "%").sample(40, "0.001", "%").seen(500)
    child("PCR of one day").line(40).sample(40, "1", "%").sample(
        40, "0.001", "%", method="PCR"
    ).seen(500)
    child("blood never").line(40).sample(40, "0.001", "%", material="PB").seen(500)
    child("before the next block").line(40).course("R1", 45, 50).sample(46, "0.001", "%").seen(500)
    child("too early to say").line(20).sample(20, "1", "%").seen(30)


def _timed(clinic: Clinic) -> None:
    for position, (diagnosis, end, on_therapy, site, *_) in enumerate(TIMES):
        told = {"diagnosis_date": diagnosis, "frontline_end_date": end, "site": site}
        name = f"{TIMED}{position}"
        clinic.child(name, on_frontline_therapy=on_therapy, **told).line(40).seen(500)


def _eventful(clinic: Clinic) -> None:
    child = clinic.child(f"{EVENTFUL}a").line(40).course("R1", 70, 75)
    for day in (5, 6, 24, 25, 60, 61, 70, 105, 106):
        child.event(day, grade="3")
    child.seen(500)
    child = clinic.child(f"{EVENTFUL}b").line(40).event(50).event(45)
    child.seen(45, relapse_date=44, relapse_site="BM")
    clinic.child(f"{EVENTFUL}c").line().event(40, grade="5").seen(40, death_date=40)


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Ward:
    """Everybody of whom nothing is counted together, loaded once."""
    clinic = _ward(tmp_path_factory.mktemp("ward"))
    _sampled(clinic)
    _timed(clinic)
    for born in AGES:
        clinic.child(f"{AGED}{born}", birth_date=born).line(40).seen(500)
    _eventful(clinic)
    snapshot, report = clinic.snapshot()
    assert report.rows_quarantined == 0, report.issues
    return Ward(clinic, snapshot)


def test_every_line_is_judged_by_one_landmark(ward: Ward) -> None:
    found = _tables(ward, RESPONSE)
    assert found == {
        "responds": ("remission", 40, False, None),
        "on day 60": ("remission", 60, False, None),
        "late": ("non_response", 61, True, 40),
        "late, never looked at before": ("non_response", 70, True, 60),
        "fails": ("non_response", None, False, 41),
        "fails and dies": ("non_response", None, False, 41),
        "dies early": ("early_death", None, False, 20),
        "dies on day 60": ("non_response", None, False, 20),
        "dies late, never looked at": ("early_death", None, False, 60),
        "never looked at": ("not_evaluable", None, False, 60),
        "failed sample only": ("not_evaluable", None, False, 60),
        "lost on day 30": ("not_evaluable", None, False, 20),
        "remission on the day of death": ("early_death", None, False, 60),
        "relapses": ("remission", 40, False, None),
        "relapses and dies on one day": ("remission", 40, False, None),
        "dies in remission": ("remission", 40, False, None),
        "second malignancy": ("remission", 40, False, None),
    }


NEVER_IN_REMISSION = (
    "fails",
    "fails and dies",
    "dies early",
    "dies on day 60",
    "dies late, never looked at",
    "never looked at",
    "failed sample only",
    "lost on day 30",
    "remission on the day of death",
)


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        (
            "efs",
            {
                "responds": (500, 0, "last_disease_assessment"),
                "on day 60": (500, 0, "last_disease_assessment"),
                "late": (0, 1, "non_response"),
                "late, never looked at before": (0, 1, "non_response"),
                "fails": (0, 1, "non_response"),
                "fails and dies": (0, 1, "non_response"),
                "dies early": (30, 1, "early_death"),
                "dies on day 60": (0, 1, "non_response"),
                "dies late, never looked at": (100, 1, "early_death"),
                "never looked at": (500, 0, "last_disease_assessment"),
                "failed sample only": (500, 0, "last_disease_assessment"),
                "lost on day 30": (30, 0, "last_disease_assessment"),
                "remission on the day of death": (50, 1, "early_death"),
                "relapses": (200, 1, "relapse"),
                "relapses and dies on one day": (200, 1, "relapse"),
                "dies in remission": (300, 1, "death_in_remission"),
                "second malignancy": (400, 1, "second_malignancy"),
            },
        ),
        (
            "cir",
            {
                "responds": (460, 0, "last_disease_assessment"),
                "on day 60": (440, 0, "last_disease_assessment"),
                "late": (439, 0, "last_disease_assessment"),
                "late, never looked at before": (430, 0, "last_disease_assessment"),
                "relapses": (160, 1, "relapse"),
                "relapses and dies on one day": (160, 1, "relapse"),
                "dies in remission": (260, 2, "death_in_remission"),
                "second malignancy": (360, 3, "second_malignancy"),
                **dict.fromkeys(NEVER_IN_REMISSION, (None, None, "without_origin")),
            },
        ),
    ],
)
def test_what_a_line_ends_with(ward: Ward, endpoint: str, expected: dict) -> None:
    assert _tables(ward, ENDPOINT.format(endpoint)) == expected


def test_failure_on_its_own_day(ward: Ward) -> None:
    found = _tables(ward, ENDPOINT.format("efs_found"))
    assert found["fails"] == (41, 1, "non_response_found")
    assert found["late, never looked at before"] == (60, 1, "non_response_found")


RESULTS: list[tuple[str, dict[str, str], str, str]] = [
    ("0.05", {"unit": "%"}, "positive", "negative"),
    ("0.01", {"unit": "%"}, "positive", "negative"),
    ("0.0099", {"unit": "%"}, "negative", "negative"),
    ("0.005", {"unit": "%", "loq": "0.0005"}, "indeterminate", "negative"),
    ("<0.01", {"unit": "%"}, "negative", "negative"),
    ("<0.05", {"unit": "%"}, "indeterminate", "negative"),
    (">0.01", {"unit": "%"}, "positive", "indeterminate"),
    ("undetectable", {"lod": "0.0001"}, "negative", "negative"),
    ("undetectable", {"lod": "0.0005"}, "indeterminate", "negative"),
    ("undetectable", {}, "negative", "negative"),
    ("undetectable", {"method": "PCR"}, "indeterminate", "indeterminate"),
    ("detected", {"loq": "0.0001"}, "negative", "negative"),
    ("detected", {"lod": "0.00001"}, "indeterminate", "indeterminate"),
    ("failed", {}, "not_evaluable", "not_evaluable"),
]


def test_the_class_of_an_mrd_result(tmp_path: Path) -> None:
    """One child a result; how many are in each class."""
    clinic = Clinic(tmp_path)
    for position, (result, cells, _, _) in enumerate(RESULTS):
        name = f"child {position}"
        clinic.child(name).line(40).sample(40, result, **cells).seen(500)
    snapshot, _ = clinic.snapshot()
    chosen = selection(snapshot.study, ["allrez2014"], {})
    for threshold, expected in (
        (0.0001, [r[2] for r in RESULTS]),
        (0.001, [r[3] for r in RESULTS]),
    ):
        found = query(snapshot, "mrd", chosen, threshold=threshold)
        here = (
            found.filter(timepoint_code="after_induction").group_by("class").agg(pl.col("n").sum())
        )
        assert dict(here.rows()) == Counter(expected)


@pytest.mark.parametrize(
    ("result", "cells", "at_1e_4"), [(r, c, x) for r, c, x, _ in RESULTS if r == "detected"]
)
def test_the_class_of_one_result(
    tmp_path: Path, result: str, cells: dict[str, str], at_1e_4: str
) -> None:
    clinic = Clinic(tmp_path)
    clinic.child("a").line(40).sample(40, result, **cells).seen(500)
    snapshot, _ = clinic.snapshot()
    found = query(snapshot, "mrd", selection(snapshot.study, ["allrez2014"], {}), threshold=0.0001)
    assert found.filter(timepoint_code="after_induction")["class"].to_list() == [at_1e_4]


def test_which_sample_stands_for_a_time_point(ward: Ward) -> None:
    found = _tables(
        ward,
        """
        select source_patient_id, status, value, method_code
        from results.fct_response_sample join records.record_enrollment using (enrollment_key)
        where timepoint_code = 'after_induction'
        """,
        SAMPLED,
    )
    assert found == {
        "last one": ("sampled", 0.00001, "flow"),
        "PCR of one day": ("sampled", 0.00001, "pcr"),
        "blood never": ("not_sampled", None, None),
        "before the next block": ("not_sampled", None, None),
        "too early to say": ("too_early", None, None),
    }


TIMES: list[tuple[str, str, str, str, str | None, str | None, str | None]] = [
    ("02.09.2014", "", "yes", "BM", "very_early", "s4", "high"),  # a day under 18 months
    ("01.09.2014", "", "yes", "BM", "early", "s3", "high"),  # 18 months to the day
    ("31.08.2014", "", "", "BM", None, None, None),  # 18 months on 28.02.: end not known
    ("01.03.2013", "02.09.2015", "no", "BM", "early", "s3", "high"),
    ("01.03.2013", "01.09.2015", "no", "BM", "late", "s2", "not_high"),
    ("01.03.2013", "01.09.2015", "no", "CNS", "late", "s1", "not_high"),
    ("01.03.2013", "01.02.2016", "no", "BM+CNS", "early", "s2", "not_high"),
    ("01.03.2015", "", "yes", "BM+testis", "very_early", "s4", "high"),
    ("01.03.2015", "", "yes", "testis", "very_early", "s2", "not_high"),
    ("", "01.02.2016", "no", "BM", None, None, None),
]


def test_time_site_and_risk_group(ward: Ward) -> None:
    found = _tables(
        ward,
        "select source_patient_id, timing, strategic_group, risk_group "
        "from results.dim_enrollment join records.record_enrollment using (enrollment_key)",
        TIMED,
    )
    assert found == {str(i): expected[-3:] for i, expected in enumerate(TIMES)}


# The relapse is on 01.03.2016.
AGES = {"29.02.2008": 8, "01.03.2008": 8, "02.03.2008": 7, "28.02.2008": 8}


def test_age_in_completed_years(ward: Ward) -> None:
    sql = "select source_patient_id, age from results.dim_enrollment "
    sql += "join records.record_enrollment using (enrollment_key)"
    assert _tables(ward, sql, AGED) == {born: (age,) for born, age in AGES.items()}


def test_an_adverse_event_belongs_to_the_course_in_whose_window_it_begins(ward: Ward) -> None:
    found = _tables(
        ward,
        """
        select concat(source_patient_id, ' ', onset_day), block_code
        from results.fct_adverse_event join records.record_enrollment using (enrollment_key)
        """,
        EVENTFUL,
    )
    assert found == {
        "a 5": (None,), "a 6": ("f1",), "a 24": ("f1",), "a 25": ("f2",), "a 60": ("f2",),
        "a 61": (None,), "a 70": ("r1",), "a 105": ("r1",), "a 106": (None,),
        "b 45": (None,), "b 50": (None,), "c 40": ("f2",),
    }  # fmt: skip


def test_a_range_of_grades_counts_up_to_its_lower_end(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path)
    clinic.child("a").line(40).event(8, grade="3-4").event(9, grade="2").seen(500)
    clinic.child("b").line(40).event(8, grade="4").seen(500)
    clinic.child("silent").line(40).seen(500)
    clinic.child("undocumented").line(40).event(8, grade="4").seen(500)
    for row in clinic.rows["courses"]:
        if row["case_id"] == "undocumented/1":
            row["ae_documented"] = "no"
    snapshot, _ = clinic.snapshot()
    chosen = selection(snapshot.study, ["allrez2014"], {})
    counts = {}
    for grade in (3, 4):
        found = query(snapshot, "toxicity", chosen, grade=grade)
        any_row = found.filter(block_code="f1", item_code="any").row(0, named=True)
        counts[grade] = (any_row["n"], any_row["n_possible"])
    assert counts == {3: (2, 2), 4: (1, 2)}
    started = query(snapshot, "block", chosen).filter(block_code="f1").row(0, named=True)
    assert (started["n_started"], started["n_documented"]) == (4, 3)


def _rules(clinic: Clinic) -> set[tuple[str, str]]:
    _, report = clinic.snapshot()
    return {(issue["severity"], issue["rule"]) for issue in report.issues}


def test_a_transplant_without_a_line_is_quarantined(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path)
    clinic.child("plain").line(40).seen(500)
    child = clinic.child("no line")
    days = {"conditioning_date": on(93), "transplant_date": on(100)}
    clinic.add("transplants", case_id=child.case, transplant_number="1", donor="MUD", **days)
    child.seen(500)
    assert ("error", "no_line") in _rules(clinic)


def test_a_child_without_follow_up_is_a_finding(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path)
    clinic.child("plain").line(40).seen(500)
    clinic.child("unseen").line(40)
    assert _rules(clinic) == {("warning", "no_follow_up")}


def test_a_relapse_after_the_last_contact_is_a_finding(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path)
    child = clinic.child("swapped").line(40)
    child.seen(100, last_disease_assessment_date=500, relapse_date=400, relapse_site="BM")
    assert _rules(clinic) == {("warning", "after_last_observation")}


def test_from_registration_on_a_child_is_at_risk(tmp_path: Path) -> None:
    """Three of five are registered late; one of them dies before, and was never at risk."""
    clinic = Clinic(tmp_path)
    clinic.child("a").line(40).seen(500)
    clinic.child("b", registration_date=on(30)).line(40).seen(300, death_date=300)
    clinic.child("c", registration_date=on(100)).line(40).seen(400)
    clinic.child("d").line().seen(20, death_date=20)
    clinic.child("e", registration_date=on(50)).line().seen(45, death_date=45)
    snapshot, _ = clinic.snapshot()
    chosen = selection(snapshot.study, ["allrez2014"], {})
    found = from_registration(snapshot, chosen, snapshot.study.endpoint("os"))["allrez2014"]
    assert (found.n_never_at_risk, found.n_events_never_at_risk) == (1, 1)
    assert found.counts.at_risk_at(np.array([0, 20, 30, 31, 100, 101, 301])).tolist() == [
        2, 2, 1, 2, 2, 3, 2
    ]  # fmt: skip
