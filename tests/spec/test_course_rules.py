"""MRD around a course of blinatumomab, disease before it, and the cells given beside it.

Every table is one child a row. Course 1 is given on days 100 to 128: before it lies day 58 to 100,
during it day 101 to 120, after it day 121 to 156, or up to the first day of the next course.
"""

from dataclasses import dataclass

import pytest

from tests.spec.clinic import Child, Clinic, Ward
from trial.selection import selection
from warehouse.query import query

START, STOP = 100, 128


@dataclass(frozen=True)
class Taken:
    """A sample: its day, its result as a percentage, and what else the export says of it."""

    day: int
    result: str = "1"
    material: str = "BM"
    method: str = "flow"
    measure: str = "MRD"


@dataclass(frozen=True)
class Given:
    """An infusion: what, from when to when, and where cells came from."""

    kind: str
    start: int
    stop: int | None
    source: str = ""


# Samples: the day of the one that stands for before, during and after course 1.
WINDOWS: dict[str, tuple[list[Taken], tuple[int | None, ...]]] = {
    "none": ([], (None, None, None)),
    "43 days before": ([Taken(57)], (None, None, None)),
    "42 days before": ([Taken(58)], (58, None, None)),
    "on the first day": ([Taken(100)], (100, None, None)),
    "on the second day": ([Taken(101)], (None, 101, None)),
    "on day 20": ([Taken(120)], (None, 120, None)),
    "on day 21": ([Taken(121)], (None, None, 121)),
    "on day 56": ([Taken(156)], (None, None, 156)),
    "on day 57": ([Taken(157)], (None, None, None)),
    "the last one": (
        [Taken(day) for day in (60, 90, 105, 115, 125, 150)], (90, 115, 150),
    ),
    "blood only during": (
        [Taken(day, material="PB") for day in (90, 110, 130)], (None, 110, None),
    ),
    "later blood during": ([Taken(105), Taken(115, material="PB")], (None, 115, None)),
    "blasts are no MRD": ([Taken(day, measure="blasts") for day in (90, 110, 130)], (None,) * 3),
}  # fmt: skip

# Samples of one day: the method and material of the one that stands for it.
ONE_DAY: dict[str, tuple[list[Taken], str, tuple[str, str]]] = {
    "before": ([Taken(90), Taken(90, method="PCR")], "before", ("pcr", "marrow")),
    "after": ([Taken(130, method="PCR"), Taken(130)], "after", ("pcr", "marrow")),
    "a later flow": ([Taken(129, method="PCR"), Taken(130)], "after", ("flow", "marrow")),
    "during": ([Taken(110), Taken(110, method="PCR")], "during", ("pcr", "marrow")),
    "marrow first": (
        [Taken(110, material="PB", method="PCR"), Taken(110)], "during", ("flow", "marrow"),
    ),
}  # fmt: skip

# Last day seen, day of death: status after course 1.
STATUSES: dict[str, tuple[int, int | None, str]] = {
    "dies on day 55": (156, 156, "died"),
    "dies on day 56": (157, 157, "not_sampled"),
    "dies in the course": (110, 110, "died"),
    "seen up to day 55": (155, None, "too_early"),
    "seen up to day 56": (156, None, "not_sampled"),
}

# Marrow and blood before course 1: disease before it, for a threshold of 10^-4.
BLASTS = {"measure": "blasts", "method": "morphology"}
DISEASE: dict[str, tuple[list[Taken], str]] = {
    "blasts 5 %": ([Taken(90, "5", **BLASTS)], "high"),
    "blasts on the first day": ([Taken(100, "30", **BLASTS)], "high"),
    "blasts, MRD negative": ([Taken(90, "30", **BLASTS), Taken(90, "0.001")], "high"),
    "blasts 4.9 %, MRD positive": ([Taken(90, "4.9", **BLASTS), Taken(90)], "mrd_positive"),
    "MRD 0.01 %": ([Taken(90, "0.01")], "mrd_positive"),
    "MRD 0.009 %": ([Taken(90, "0.009")], "mrd_negative"),
    "blasts gone": (
        [Taken(70, "30", **BLASTS), Taken(90, "1", **BLASTS), Taken(90, "0.001")], "mrd_negative",
    ),
    "blasts failed, MRD negative": (
        [Taken(90, "failed", **BLASTS), Taken(90, "0.001")], "mrd_negative",
    ),
    "nothing": ([], "unknown"),
    "blasts 4.9 % alone": ([Taken(90, "4.9", **BLASTS)], "unknown"),
    "blasts in the blood": ([Taken(90, "30", material="PB", **BLASTS)], "unknown"),
    "blasts 43 days before": ([Taken(57, "30", **BLASTS)], "unknown"),
    "blasts a day after": ([Taken(101, "30", **BLASTS)], "unknown"),
    "MRD below 0.05 %": ([Taken(90, "<0.05")], "unknown"),
    "MRD failed": ([Taken(90, "failed")], "unknown"),
}  # fmt: skip
# The class a child must get is written into its recorded risk group, to be filtered by.
RECORDED = {"high": "S1", "mrd_positive": "S2", "mrd_negative": "S3", "unknown": "S4"}

# Infusions in course 1, day of a transplant: days of the drug, cells, cells by day 8, other cells.
CELLS: dict[str, tuple[list[Given], int | None, tuple[int, int, int, int]]] = {
    "nothing given": ([], None, (0, 0, 0, 0)),
    "two steps": (
        [Given("blinatumomab", 100, 106), Given("blinatumomab", 107, 127)], None, (28, 0, 0, 0),
    ),
    "a stop is missing": (
        [Given("blinatumomab", 100, 106), Given("blinatumomab", 107, None)], None, (7, 0, 0, 0),
    ),
    "one day": ([Given("blinatumomab", 100, 100)], None, (1, 0, 0, 0)),
    "cells on day 8": ([Given("CD3", 107, 107, "autologous")], None, (0, 1, 1, 0)),
    "cells on day 9": ([Given("CD3", 108, 108, "autologous")], None, (0, 1, 0, 0)),
    "cells every week": (
        [Given("CD3", day, day, "autologous") for day in (101, 108, 115)], None, (0, 3, 1, 0),
    ),
    "source unknown": ([Given("CD3", 103, 103, "unknown")], None, (0, 1, 1, 0)),
    "source not said": ([Given("CD3", 103, 103)], None, (0, 1, 1, 0)),
    "cells of a donor": ([Given("CD3", 103, 103, "donor")], None, (0, 0, 0, 1)),
    "on the day of transplant": ([Given("CD3", 104, 104, "autologous")], 104, (0, 1, 1, 0)),
    "after transplant": ([Given("CD3", 105, 105, "autologous")], 104, (0, 0, 0, 1)),
}  # fmt: skip

# Last day of course 1, day of death: who is on the course on day 8 of it.
LANDMARKS: dict[str, tuple[int | None, int | None, str]] = {
    "no stop": (None, None, "on_course"),
    "stops on day 8": (107, None, "on_course"),
    "stops on day 7": (106, None, "stopped"),
    "dies on day 8": (107, 107, "on_course"),
    "dies on day 7": (None, 106, "died"),
    "stops, dies on day 7": (105, 106, "died"),
    "stops, dies on day 8": (105, 107, "stopped"),
}


def _child(clinic: Clinic, name: str, stop: int | None = STOP, **baseline: str) -> Child:
    """A child in remission on day 40 with one course of blinatumomab."""
    return clinic.child(name, **baseline).line(40).course("BLINA", START, stop)


def _sampled(child: Child, taken: list[Taken]) -> Child:
    for s in taken:
        told = {"material": s.material, "method": s.method, "measure": s.measure}
        child.sample(s.day, s.result, "" if s.result == "failed" else "%", **told)
    return child


def _several_courses(clinic: Clinic) -> None:
    """Children with a course after it: of the block, of another block, of another line."""
    second = _child(clinic, "two: stop known").course("BLINA", 142, 170, number="2")
    _sampled(second, [Taken(128), Taken(142)]).seen(500)
    second = _child(clinic, "two: one sample between").course("BLINA", 142, 170, number="2")
    _sampled(second, [Taken(129)]).seen(500)
    second = _child(clinic, "two: no stop", stop=None).course("BLINA", 142, 170, number="2")
    _sampled(second, [Taken(100)]).seen(500)
    second = _child(clinic, "two: in another line").second_line(140)
    second.course("BLINA", 142, 170, line_number="2")
    _sampled(second, [Taken(139)]).seen(500)
    second = _child(clinic, "two: blasts in course 1").course("BLINA", 142, 170, number="2")
    _sampled(second, [Taken(128, "30", **BLASTS)]).seen(500)
    second = _child(clinic, "two: blasts between").course("BLINA", 142, 170, number="2")
    _sampled(second, [Taken(129, "30", **BLASTS)]).seen(500)
    for name, day in (("on its first day", 140), ("a day later", 141)):
        other = _child(clinic, f"next: R1, {name}").course("R1", 140, 145)
        _sampled(other, [Taken(day)]).seen(500)
        other = _child(clinic, f"next: second line, {name}").second_line(140)
        other.course("R1", 140, 145, line_number="2")
        _sampled(other, [Taken(day)]).seen(500)
    _child(clinic, "next: R1, last seen on its first day").course("R1", 140, 145).seen(140)
    _child(clinic, "next: R1, last seen a day before").course("R1", 140, 145).seen(139)


def _infused(child: Child, given: list[Given]) -> Child:
    for one in given:
        child.infusion(one.kind, one.start, one.stop, cell_source=one.source)
    return child


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Ward:
    """All children of this file, loaded once."""
    clinic = Clinic(tmp_path_factory.mktemp("courses"))
    for name, (taken, _) in WINDOWS.items():
        _sampled(_child(clinic, f"window: {name}"), taken).seen(500)
    for name, (taken, _, _) in ONE_DAY.items():
        _sampled(_child(clinic, f"one day: {name}"), taken).seen(500)
    for name, (seen, death, _) in STATUSES.items():
        _child(clinic, f"status: {name}").seen(seen, death_date=death)
    torn = {"sample_date": "31.02.2016"}
    _child(clinic, "doubt: nothing else").sample(90, "1", "%", **torn).seen(500)
    _child(clinic, "doubt: a sample after").sample(90, "1", "%", **torn).sample(130, "1", "%").seen(
        500
    )
    for name, (taken, disease) in DISEASE.items():
        child = _child(clinic, f"disease: {name}", protocol="2016", risk_recorded=RECORDED[disease])
        _sampled(child, taken).seen(500)
    for name, (given, transplant, _) in CELLS.items():
        child = _infused(_child(clinic, f"cells: {name}"), given).seen(500)
        if transplant is not None:
            child.transplant(transplant)
    for name, (stop, death, _) in LANDMARKS.items():
        _child(clinic, f"landmark: {name}", stop=stop).seen(death or 500, death_date=death)
    _several_courses(clinic)
    return Ward(clinic, clinic.snapshot()[0])


def _part(ward: Ward, name: str, sql: str) -> dict[str, tuple]:
    """Rows of the children of one table of this file."""
    start = f"{name}: "
    found = ward.rows(sql, lambda child: child.startswith(start))
    return {child.removeprefix(start): told for child, told in found.items()}


SAMPLES = """
    select
        source_patient_id,
        any_value(sample_day) filter (moment_code = 'before'),
        any_value(sample_day) filter (moment_code = 'during'),
        any_value(sample_day) filter (moment_code = 'after')
    from results.fct_course_sample join records.record_enrollment using (enrollment_key)
    where course_number = {number} and line_number = {line}
    group by all
"""


def test_the_last_sample_of_each_window_counts(ward: Ward) -> None:
    found = _part(ward, "window", SAMPLES.format(number=1, line=1))
    assert found == {name: days for name, (_, days) in WINDOWS.items()}


@pytest.mark.parametrize("moment", ["before", "during", "after"])
def test_of_two_samples_of_one_day_pcr_comes_before_flow_and_marrow_first(
    ward: Ward, moment: str
) -> None:
    sql = f"""
        select source_patient_id, method_code, material_code
        from results.fct_course_sample join records.record_enrollment using (enrollment_key)
        where moment_code = '{moment}'
    """
    expected = {name: told for name, (_, when, told) in ONE_DAY.items() if when == moment}
    found = _part(ward, "one day", sql)
    assert {name: found[name] for name in expected} == expected


def test_a_sample_before_the_second_course_lies_after_the_end_of_the_first(ward: Ward) -> None:
    """One on the first day of the second course is after the first and before the second."""
    first = _part(ward, "two", SAMPLES.format(number=1, line=1))
    second = _part(ward, "two", SAMPLES.format(number=2, line=1))
    assert {name: (first[name], second[name]) for name in second} == {
        "stop known": ((None, None, 142), (142, None, None)),
        "one sample between": ((None, None, 129), (129, None, None)),
        "no stop": ((100, None, None), (None, None, None)),
        "blasts in course 1": ((None,) * 3, (None,) * 3),
        "blasts between": ((None,) * 3, (None,) * 3),
    }


def test_a_sample_before_a_course_may_lie_before_its_line(ward: Ward) -> None:
    found = _part(ward, "two", SAMPLES.format(number=1, line=2))
    assert found == {"in another line": (139, None, None)}
    first = _part(ward, "two", SAMPLES.format(number=1, line=1))
    assert first["in another line"] == (None, None, 139)


def test_a_sample_after_a_course_was_taken_before_any_next_course(ward: Ward) -> None:
    """One on the first day of the next course was; the next course may be of another line."""
    sql = """
        select source_patient_id, status, sample_day
        from results.fct_course_sample join records.record_enrollment using (enrollment_key)
        where moment_code = 'after'
    """
    assert _part(ward, "next", sql) == {
        "R1, on its first day": ("sampled", 140),
        "R1, a day later": ("not_sampled", None),
        "second line, on its first day": ("sampled", 140),
        "second line, a day later": ("not_sampled", None),
        "R1, last seen on its first day": ("not_sampled", None),
        "R1, last seen a day before": ("too_early", None),
    }


STATUS = """
    select source_patient_id, status
    from results.fct_course_sample join records.record_enrollment using (enrollment_key)
    where moment_code = '{}'
"""


def test_who_has_no_sample_after_a_course_died_is_too_early_or_was_not_sampled(ward: Ward) -> None:
    found = _part(ward, "status", STATUS.format("after"))
    assert found == {name: (status,) for name, (_, _, status) in STATUSES.items()}


def test_a_quarantined_sample_puts_in_doubt_a_course_without_another_one(ward: Ward) -> None:
    after, before = (_part(ward, "doubt", STATUS.format(at)) for at in ("after", "before"))
    assert after == {"nothing else": ("in_doubt",), "a sample after": ("sampled",)}
    assert before == {"nothing else": ("in_doubt",), "a sample after": ("in_doubt",)}


@pytest.mark.parametrize("disease", RECORDED)
def test_disease_before_a_course_is_high_blasts_else_what_mrd_says(
    ward: Ward, disease: str
) -> None:
    study = ward.snapshot.study
    levels = {"strategic_group_recorded": [RECORDED[disease].lower()]}
    chosen = selection(study, ["allrez2016"], levels)
    found = query(ward.snapshot, "course", chosen, threshold=0.0001, high_from=0.05)
    n = sum(told == disease for _, told in DISEASE.values())
    assert dict(found.group_by("disease").agg(n=found["n"].sum()).rows()) == {disease: n}


def test_blasts_up_to_the_end_of_the_course_before_say_nothing_of_the_next(ward: Ward) -> None:
    sql = """
        select source_patient_id, high_value
        from results.fct_course_given join records.record_enrollment using (enrollment_key)
        where course_number = 2 and source_patient_id like '%blasts%'
    """
    assert _part(ward, "two", sql) == {"blasts in course 1": (None,), "blasts between": (0.3,)}


def test_cells_of_a_donor_or_after_transplant_are_counted_apart(ward: Ward) -> None:
    """A segment of infusion without its last day adds no days: how long it ran is not known."""
    sql = """
        select source_patient_id, drug_days, n_cells, n_cells_by_day, n_other_cells
        from results.fct_course_given join records.record_enrollment using (enrollment_key)
    """
    assert _part(ward, "cells", sql) == {name: told for name, (_, _, told) in CELLS.items()}


def test_by_the_landmark_a_child_is_on_the_course_or_stopped_or_died(ward: Ward) -> None:
    sql = """
        select source_patient_id, landmark_code
        from results.fct_course_given join records.record_enrollment using (enrollment_key)
    """
    found = _part(ward, "landmark", sql)
    assert found == {name: (code,) for name, (_, _, code) in LANDMARKS.items()}
