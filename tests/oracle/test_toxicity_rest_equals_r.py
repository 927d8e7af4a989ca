"""Every number of the toxicity page that `toxicity.R` leaves out equals R.

`toxicity_rest.R`, of the synthetic demo: neutrophil recovery, time to the next course, first events
by day and differences of their incidence, infections by site, pathogen, documentation, outcome and
term. R's numbers and the page's are held against each other both ways.
"""

from collections.abc import Iterable

import pytest

from analysis.answer import Number
from tests.conftest import Demo
from tests.oracle.r_results import same
from tests.oracle.test_toxicity_equals_r import (
    EVERYBODY,
    POPULATIONS,
    QUARTILES,
    agrees,
    part,
    r_numbers,
)

RECORDS = r_numbers("toxicity_rest")["numbers"]
COUNTED = r_numbers("toxicity")["numbers"]
BLOCKS = ("prephase", "f1", "f2", "r1", "r2", "flu", "clo", "blina", "transplant", "maintenance")
TIMED = [
    ("f1", "any", 3),
    ("flu", "category/infection", 3),
    ("clo", "any", 3),
    ("blina", "term/crs", 1),
]
# By population and block.
Courses = dict[tuple[str, str], list[Number]]
EVERY_POPULATION = pytest.mark.parametrize("population", POPULATIONS)


def of_r(population: str, block: str, names: Iterable[str], **of: object) -> list[dict]:
    asked = {"population": population, "block": block, **of}
    told = (r for r in RECORDS if r["statistic"] in names)
    return [r for r in told if all(r.get(k) == v for k, v in asked.items())]


def of_page(demo: Demo, name: str, population: str, **options: str) -> tuple[Number, ...]:
    return part(demo.snapshot, name, **options, **EVERYBODY, **POPULATIONS[population])


def equal(ours: dict[tuple, Number], theirs: dict[tuple, dict]) -> int:
    """How many numbers are equal; each number of R is on the page, each of the page in R."""
    assert set(ours) == set(theirs)
    for key, record in theirs.items():
        assert agrees(ours[key], record), (ours[key], record)
    return sum(number.estimate is not None for number in ours.values())


def with_patients(numbers: Iterable[Number]) -> list[Number]:
    """Without a cohort that nobody of has the course: R has no records of it."""
    return [n for n in numbers if n.denominator != 0]


@pytest.fixture(scope="module")
def courses(demo: Demo) -> Courses:
    """The numbers of the part about time, without cohorts that nobody of has the course."""
    numbers = {}
    for population in POPULATIONS:
        for block in BLOCKS:
            told = of_page(demo, "time", population, block=block, item="any", grade="3")
            numbers[population, block] = with_patients(told)
    return numbers


RECOVERY = {
    "incidence": "recovery_incidence",
    "incidence_at_end": "recovery_incidence",
    "time_count": "recovery_count",
}
STATES = {"exit": "left"}


def course_key(name: str, record: dict) -> tuple:
    level = "end" if record["statistic"] == "incidence_at_end" else record.get("level")
    day = None if level == "end" else record.get("day")
    return name, record["cohort"], record.get("comparator"), STATES.get(level or "", level), day


def key_of_course(number: Number) -> tuple:
    return number.statistic, number.cohort, number.comparator, number.level_code, number.time_days


@EVERY_POPULATION
def test_neutrophil_recovery(courses: Courses, population: str) -> None:
    checked = 0
    for block in BLOCKS:
        told = [n for n in courses[population, block] if n.statistic in RECOVERY.values()]
        theirs = of_r(population, block, RECOVERY, item="recovery")
        undated = of_r(population, block, ["undated"])
        # More than half of a cohort without a day of recovery: none is shown.
        if any(r["numerator"] > r["denominator"] / 2 for r in undated):
            assert not told
            continue
        r = {course_key(RECOVERY[record["statistic"]], record): record for record in theirs}
        checked += equal({key_of_course(n): n for n in told}, r)
    assert checked >= 20


@EVERY_POPULATION
def test_days_to_the_next_course(courses: Courses, population: str) -> None:
    checked = 0
    for block in BLOCKS:
        told = [n for n in courses[population, block] if n.statistic == "next_course_delay"]
        ours = {(n.cohort, n.level_code): n for n in told}
        theirs = of_r(population, block, ["next_course"])
        assert {cohort for cohort, _ in ours} == {r["cohort"] for r in theirs}
        for r in theirs:
            for level, name in QUARTILES.items():
                number = ours[r["cohort"], level]
                counts = (number.numerator, number.denominator)
                assert counts == (r["numerator"], r["denominator"]), r
                assert number.estimate is not None or r["numerator"] < 10, r
                if number.estimate is not None:
                    same(number.estimate, r[name], 1e-8, str(r))
                    checked += 1
    assert checked >= 30


@EVERY_POPULATION
@pytest.mark.parametrize(("block", "item", "grade"), TIMED)
def test_first_events_by_day_and_differences(
    demo: Demo, population: str, block: str, item: str, grade: int
) -> None:
    options = {"block": block, "item": item, "grade": str(grade)}
    numbers = of_page(demo, "time", population, **options)
    of = {"population": population, "block": block, "item": item, "grade": grade}
    names = {"first_by_day": "onset_by_day", "incidence_difference": FIRST_DIFFERENCE}
    r = {
        course_key(names[record["statistic"]], record): record
        for record in of_r(population, block, names, item=item, grade=grade)
    }
    counted = (c for c in COUNTED if c["statistic"] == "time_count")
    mine = (c for c in counted if all(c.get(k) == v for k, v in of.items()))
    r |= {course_key("first_event_count", record): record for record in mine}
    shown = {*names.values(), "first_event_count"}
    told = [n for n in with_patients(numbers) if n.statistic in shown]
    # R has no limits of an incidence without events, and so no difference.
    told = [n for n in told if n.statistic != FIRST_DIFFERENCE or key_of_course(n) in r]
    assert equal({key_of_course(n): n for n in told}, r) >= 5


FIRST_DIFFERENCE = "first_event_incidence_difference"
INFECTIONS = {
    "infections": "infection_proportion",
    "infections_difference": "infection_proportion_difference",
    "infection_events": "infection_count",
}


def infection_key(record: dict) -> tuple:
    name = INFECTIONS[record["statistic"]]
    return name, record["cohort"], record.get("comparator"), record["item"], record["level"]


@EVERY_POPULATION
@pytest.mark.parametrize(("grade", "blocks"), [(1, ("f1", "transplant")), (3, BLOCKS)])
def test_infections_by_site_pathogen_documentation_outcome_and_term(
    demo: Demo, population: str, grade: int, blocks: tuple[str, ...]
) -> None:
    checked = 0
    for block in blocks:
        numbers = of_page(demo, "infections", population, block=block, grade=str(grade))
        theirs = of_r(population, block, INFECTIONS, grade=grade)
        # Of a cohort that was not given the block R has nothing.
        given = {r["cohort"] for r in theirs if r["statistic"] == "infections"}
        told = [n for n in numbers if {n.cohort, n.comparator or n.cohort} <= given]
        ours = {(n.statistic, n.cohort, n.comparator, n.item_code, n.level_code): n for n in told}
        checked += equal(ours, {infection_key(record): record for record in theirs})
    assert checked >= 250
