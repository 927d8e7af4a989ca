"""What counts as remission, who is not sampled and why, and what an assay's own limit makes of MRD.

Every table is one child a row. Days count from the relapse; the landmark is day 60, F2 begins on
day 25, so that the window after induction is day 35 to 67.
"""

from collections.abc import Collection

import pytest

from analysis.link import OWN_LIMIT, threshold_of
from tests.spec.clinic import Clinic, Ward, on
from trial.selection import selection
from warehouse.query import query

# Remissions of the one line by day and type, the last day seen, the day of death: how the line
# stands by each definition.
OTHER = "other_remission"
DEFINITIONS: dict[str, tuple[dict[int, str], int, int | None, tuple[str, ...]]] = {
    "M1": ({40: "M1"}, 500, None, ("remission", OTHER, OTHER)),
    "counts": ({40: "M1 and counts"}, 500, None, ("remission", "remission", OTHER)),
    "MRD": ({40: "MRD"}, 500, None, ("remission", OTHER, "remission")),
    "no type": ({40: ""}, 500, None, ("remission", OTHER, OTHER)),
    "M1, then MRD": ({30: "M1", 50: "MRD"}, 500, None, ("remission", OTHER, "remission")),
    "MRD, then M1": ({30: "MRD", 50: "M1"}, 500, None, ("remission", OTHER, "remission")),
    "M1, then late counts": (
        {30: "M1", 61: "M1 and counts"}, 500, None, ("remission", OTHER, OTHER),
    ),
    "late": ({61: "M1 and counts"}, 500, None, ("non_response",) * 3),
    "M1, dies on day 50": ({40: "M1"}, 50, 50, ("remission", OTHER, OTHER)),
    "M1 on the day of death": ({50: "M1"}, 50, 50, ("early_death",) * 3),
    "none": ({}, 500, None, ("not_evaluable",) * 3),
    "none, dies on day 50": ({}, 50, 50, ("early_death",) * 3),
}  # fmt: skip

# Day of the sample after F2, last day seen, day of death: status after induction, and whether F2
# was reached.
STATUSES: dict[str, tuple[int | None, int, int | None, str]] = {
    "sampled on day 35": (35, 500, None, "sampled"),
    "sampled on day 34": (34, 500, None, "not_sampled"),
    "sampled on day 67": (67, 500, None, "sampled"),
    "sampled on day 68": (68, 500, None, "not_sampled"),
    "sampled, then dies": (40, 45, 45, "sampled"),
    "dies in F2": (None, 26, 26, "died"),
    "dies on the last day": (None, 67, 67, "died"),
    "dies a day later": (None, 68, 68, "not_sampled"),
    "seen up to day 66": (None, 66, None, "too_early"),
    "seen up to day 67": (None, 67, None, "not_sampled"),
}

# Qualifier and limit of an MRD result: its class if negative means below the assay's own limit.
# Flow without a limit has the study's default, 10^-4; PCR has none.
OWN: list[tuple[str, dict[str, str], str]] = [
    ("0.01", {"unit": "%", "lod": "0.0001"}, "positive"),
    ("0.0099", {"unit": "%", "lod": "0.0001"}, "indeterminate"),
    ("0.0099", {"unit": "%"}, "indeterminate"),
    ("0.0099", {"unit": "%", "method": "PCR"}, "positive"),
    ("0.0099", {"unit": "%", "lod": "0.00001"}, "positive"),
    ("<0.01", {"unit": "%", "lod": "0.0001"}, "negative"),
    ("<0.02", {"unit": "%", "lod": "0.0001"}, "indeterminate"),
    ("<0.01", {"unit": "%"}, "negative"),
    ("<0.01", {"unit": "%", "method": "PCR"}, "indeterminate"),
    (">0.01", {"unit": "%", "lod": "0.001"}, "positive"),
    (">0.01", {"unit": "%", "method": "PCR"}, "positive"),
    ("undetectable", {"lod": "0.0005"}, "negative"),
    ("undetectable", {}, "negative"),
    ("undetectable", {"method": "PCR"}, "indeterminate"),
    ("detected", {"lod": "0.0001"}, "positive"),
    ("detected", {"method": "PCR"}, "positive"),
    ("failed", {"lod": "0.0001"}, "not_evaluable"),
    ("failed", {"method": "PCR"}, "not_evaluable"),
]


def _defined(clinic: Clinic) -> None:
    """The children whose remissions differ by type."""
    for name, (remissions, seen, death, _) in DEFINITIONS.items():
        child = clinic.child(name)
        (first, kind), *others = remissions.items() or [(None, "")]
        child.line(first, remission_type=kind)
        for day, other in others:
            assert day is not None
            child.remission(day, other)
        child.seen(seen, death_date=death)


def _treated(clinic: Clinic) -> None:
    """Children with a sample or without; some had no course, or had one in another line."""
    for name, (day, seen, death, _) in STATUSES.items():
        child = clinic.child(name).line()
        if day is not None:
            child.sample(day, "1", "%")
        child.seen(seen, death_date=death)
    clinic.child("R1 on day 45, seen up to day 44").line().course("R1", 45, 50).seen(44)
    clinic.child("R1 on day 45, seen up to day 45").line().course("R1", 45, 50).seen(45)
    clinic.child("failed sample").line().sample(40, "failed").seen(500)
    for name, death in (("no course", None), ("no course, dies on day 5", 5)):
        child = clinic.child(name)
        told = {"line_number": "1", "entry_reason": "first relapse", "start_date": on(0)}
        clinic.add("lines", case_id=child.case, **told)
        child.seen(death or 500, death_date=death)
        if death is None:
            child.second_line(200).course("F2", 210, 215, line_number="2")


def _doubtful(clinic: Clinic) -> None:
    """Children of whom a row is in quarantine: a sample, a course, a remission."""
    torn = {"sample_date": "31.02.2016"}
    clinic.child("torn sample").line(40).sample(20, "1", "%", **torn).seen(500)
    clinic.child("torn sample, another one").line(40).sample(20, "1", "%", **torn).sample(
        40, "1", "%"
    ).seen(500)
    clinic.child("torn sample, dies").line(40).sample(20, "1", "%", **torn).seen(50, death_date=50)
    clinic.child("torn course").line(40).course("R1", 45, 50, start_date="31.02.2016").seen(500)
    child = clinic.child("torn remission").line(40)
    child.remission(50, "by hearsay").seen(500)


def _of(ward: Ward, sql: str, names: Collection[str]) -> dict[str, tuple]:
    """Rows of some children, in their order."""
    found = ward.rows(sql, lambda name: name in names)
    return {name: found[name] for name in names}


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Ward:
    """All children of this file, loaded once."""
    clinic = Clinic(tmp_path_factory.mktemp("definitions"))
    _defined(clinic)
    _treated(clinic)
    _doubtful(clinic)
    for position, (result, cells, _) in enumerate(OWN):
        clinic.child(f"result {position}").line(40).sample(40, result, **cells).seen(500)
    return Ward(clinic, clinic.snapshot()[0])


def test_a_definition_splits_the_remissions_and_nothing_else(ward: Ward) -> None:
    sql = """
        select source_patient_id, list(response_code order by definition_code)
        from results.fct_response join records.record_enrollment using (enrollment_key)
        group by all
    """
    expected = {name: (list(codes),) for name, (*_, codes) in DEFINITIONS.items()}
    assert _of(ward, sql, DEFINITIONS) == expected


def test_the_day_of_remission_is_the_first_one_that_the_definition_accepts(ward: Ward) -> None:
    sql = """
        select source_patient_id, list(remission_day order by definition_code), bool_or(is_late)
        from results.fct_response join records.record_enrollment using (enrollment_key)
        group by all
    """
    # By morphology, counts and MRD; late is only who was in no remission of any kind by day 60.
    expected = {
        "M1": ([40, None, None], False),
        "M1, then MRD": ([30, None, 50], False),
        "MRD, then M1": ([30, None, 30], False),
        "M1, then late counts": ([30, 61, None], False),
        "late": ([61, 61, None], True),
    }
    assert _of(ward, sql, expected) == expected


EFS = """
    select source_patient_id, time_days, state, reason
    from results.fct_time_to_event join records.record_enrollment using (enrollment_key)
    where endpoint_code = 'efs'
"""


def test_only_the_first_definition_decides_event_free_survival(ward: Ward) -> None:
    """It accepts any remission: what the lens says of M1 alone moves no endpoint."""
    expected = {
        "M1": (500, 0, "last_disease_assessment"),
        "no type": (500, 0, "last_disease_assessment"),
        "M1, then late counts": (500, 0, "last_disease_assessment"),
        "M1, dies on day 50": (50, 1, "death_in_remission"),
        "M1 on the day of death": (50, 1, "early_death"),
        "late": (0, 1, "non_response"),
    }
    assert _of(ward, EFS, expected) == expected


SAMPLE = """
    select source_patient_id, status, is_reached
    from results.fct_response_sample join records.record_enrollment using (enrollment_key)
    where timepoint_code = 'after_induction'
"""


def test_who_has_no_sample_died_is_too_early_or_was_not_sampled(ward: Ward) -> None:
    expected = {name: (status, True) for name, (*_, status) in STATUSES.items()}
    expected |= {
        "R1 on day 45, seen up to day 44": ("too_early", True),
        "R1 on day 45, seen up to day 45": ("not_sampled", True),
        "failed sample": ("sampled", True),
        "no course": ("not_reached", False),
        "no course, dies on day 5": ("not_reached", False),
    }
    assert _of(ward, SAMPLE, expected) == expected


def test_a_row_in_quarantine_puts_in_doubt_what_it_might_have_told(ward: Ward) -> None:
    expected = {
        "torn sample": ("in_doubt", True),
        "torn sample, another one": ("sampled", True),
        "torn sample, dies": ("in_doubt", True),
        "torn course": ("in_doubt", True),
        "torn remission": ("not_sampled", True),
    }
    assert _of(ward, SAMPLE, expected) == expected
    sql = """
        select distinct source_patient_id, response_code
        from results.fct_response join records.record_enrollment using (enrollment_key)
        where is_default
    """
    responses = dict.fromkeys(expected, ("remission",)) | {"torn remission": ("in_doubt",)}
    assert _of(ward, sql, expected) == responses


def test_who_had_a_course_in_the_line_has_started(ward: Ward) -> None:
    """A course of a later line does not count for this one."""
    sql = """
        select distinct source_patient_id, has_started
        from results.fct_response join records.record_enrollment using (enrollment_key)
    """
    expected = {"M1": (True,), "dies in F2": (True,)}
    expected |= {"no course": (False,), "no course, dies on day 5": (False,)}
    assert _of(ward, sql, expected) == expected


def test_the_class_of_a_result_at_the_assay_s_own_limit(ward: Ward) -> None:
    chosen = selection(ward.snapshot.study, ["allrez2014"], {})
    told = {"timepoint_code": "after_induction", "threshold": threshold_of(OWN_LIMIT)}
    classes = query(ward.snapshot, "patient_mrd", chosen, **told)
    by_key = dict(classes.select("enrollment_key", "class").rows())
    keys = "select source_patient_id, enrollment_key from records.record_enrollment"
    names = [f"result {position}" for position in range(len(OWN))]
    found = [by_key[key] for (key,) in _of(ward, keys, names).values()]
    assert [(*row[:2], told) for row, told in zip(OWN, found, strict=True)] == OWN


# Day of remission, last day seen, day of death: how the line stands if no samples are kept.
WITHOUT_SAMPLES: dict[str, tuple[int | None, int, int | None, str]] = {
    "remission on day 60": (60, 500, None, "remission"),
    "seen up to day 60": (None, 60, None, "non_response"),
    "seen up to day 59": (None, 59, None, "not_evaluable"),
    "dies on day 59": (None, 59, 59, "early_death"),
    "dies on day 60": (None, 60, 60, "non_response"),
    "dies on day 300": (None, 300, 300, "non_response"),
}


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Ward:
    """A study that keeps no samples, and counts only M1 with blood counts as remission."""
    clinic = Clinic(tmp_path_factory.mktemp("strict"))
    clinic.redefine("landmark_day = 60", "landmark_day = 60\nneeds_sample = false")
    any_type = 'note = "M1 marrow: any remission recorded, however it was confirmed."'
    clinic.redefine(any_type, 'details = ["m1_counts"]')
    for name, (remission, seen, death, _) in WITHOUT_SAMPLES.items():
        child = clinic.child(name).line(remission, remission_type="M1 and counts")
        child.seen(seen, death_date=death)
    clinic.child("M1, dies").line(40).seen(300, death_date=300)
    clinic.child("counts, dies").line(40, remission_type="M1 and counts").seen(300, death_date=300)
    return Ward(clinic, clinic.snapshot()[0])


def test_a_study_without_samples_judges_who_was_followed_to_the_landmark(strict: Ward) -> None:
    sql = """
        select source_patient_id, response_code
        from results.fct_response join records.record_enrollment using (enrollment_key)
        where is_default
    """
    expected = {name: (code,) for name, (*_, code) in WITHOUT_SAMPLES.items()}
    assert _of(strict, sql, WITHOUT_SAMPLES) == expected


def test_a_stricter_first_definition_makes_no_failure_of_another_remission(strict: Ward) -> None:
    """M1 alone is then no remission, and no failure on day 0 either."""
    expected = {
        "counts, dies": (300, 1, "death_in_remission"),
        "M1, dies": (300, 1, "death_in_remission"),
        "seen up to day 60": (0, 1, "non_response"),
    }
    assert _of(strict, EFS, expected) == expected


def test_a_death_in_another_remission_still_competes_with_relapse(strict: Ward) -> None:
    sql = EFS.replace("'efs'", "'cir'")
    assert _of(strict, sql, ["M1, dies"]) == {"M1, dies": (260, 2, "death_in_remission")}
