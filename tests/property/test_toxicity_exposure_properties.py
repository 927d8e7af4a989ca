"""Kinds of blocks, time and burden, recounted patient by patient over random exports and views.

The second way goes row by row in Python and then through the statistics of single patients
(`per_patient`, `first_event_counts`, `grade_days`), which the pages do not use.
"""

import math
import random
import statistics
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

import polars as pl
import pytest

from analysis.answer import Answer, Number
from analysis.compose import page
from analysis.link import View, items_of_study
from analysis.stats.competing import aalen_johansen, incidence_at
from analysis.stats.estimate import Estimate
from analysis.stats.toxicity import (
    DAYS_PER_YEAR,
    first_event_counts,
    grade_days,
    mean_burden,
    per_patient,
    rate,
    share_of_courses,
)
from analysis.toxicity_burden import burden_answer
from analysis.toxicity_compare import compare_answer
from analysis.toxicity_items import code_of
from analysis.toxicity_time import time_answer
from tests.property.test_response_properties import check_accounts, made
from tests.property.test_toxicity_page_properties import (
    Line,
    Raw,
    documented,
    items_of_event,
    population,
    random_view,
    raw,
)
from trial.study import Study

VIEWS = 6
SEEDS = (6, 7)
FEWEST = 10
PARTS: dict[str, Callable[[dict], bool]] = {
    "": lambda c: True,
    "/first": lambda c: c["course_number"] == 1,
    "/later": lambda c: c["course_number"] > 1,
}


@pytest.fixture(scope="module", params=SEEDS)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple:
    folder = tmp_path_factory.mktemp("random")
    snapshot, enrolled, seed = made(folder, request.param, defects=request.param % 2 == 0)
    return snapshot, enrolled, seed, raw(snapshot)


def views(exported: tuple) -> list[View]:
    snapshot, _, seed, _ = exported
    chance, study, found = random.Random(seed), snapshot.study, []
    items = items_of_study(study)
    for _ in range(VIEWS):
        item = chance.choice([*items[:10], *items])
        view = random_view(chance, snapshot.snapshot_id, study)
        found.append(replace(view, item=item, nth=chance.choice("1112")))
    return found


def counts(event: dict, study: Study, view: View) -> bool:
    """Whether an event is of the view's item and of its grade for certain."""
    item = code_of(view.item)
    if item == "any":
        is_of = bool({"any", "all"} & items_of_event(event, study, view.extra))
    else:
        is_of = item in items_of_event(event, study, True)
    return is_of and (item == "fatal" or event["grade_low"] >= view.grade)


def of_course(found: Raw, line: Line, course: dict) -> list[dict]:
    """The events of a course."""
    key = (course["block_code"], course["course_number"])
    return [e for e in found.events[line] if (e["block_code"], e["course_number"]) == key]


def of(found: Answer, statistic: str) -> list[Number]:
    return [n for n in found.numbers if n.statistic == statistic]


def agree(number: Number, expected: Estimate, n: int) -> None:
    """Of fewer than ten patients there is no estimate; else the same, limits and all."""
    if n < FEWEST:
        assert number.estimate is None and number.not_estimable_reason
        return
    got = (number.estimate, number.lower, number.upper)
    for a, b in zip(got, (expected.estimate, expected.lower, expected.upper), strict=True):
        assert (a is None) == (b is None), (number, expected)
        assert a is None or b is None or math.isclose(a, b, abs_tol=1e-9), (number, expected)


def in_kind(found: Raw, lines: list[Line], blocks: tuple[str, ...]) -> list[Line]:
    """Who had a course of the kind and is documented in all its blocks."""
    told = {line: [documented(found, line, block) for block in blocks] for line in lines}
    return [x for x, of in told.items() if any(d is not None for d in of) and False not in of]


def check_kinds(told: Answer, found: Raw, study: Study, view: View) -> int:
    groups, checked = population(found, study, view), 0
    kinds = {kind.code: kind.block_codes for kind in study.toxicity.block_groups}
    for n in of(told, "group_patients_proportion"):
        code, _, part = (n.level_code or "").partition("/")
        is_of, rows = PARTS[f"/{part}" if part else ""], []
        for line in in_kind(found, groups[n.cohort or ""], kinds[code]):
            for c in found.courses[line]:
                if c["block_code"] in kinds[code] and is_of(c):
                    events = [e for e in of_course(found, line, c) if counts(e, study, view)]
                    days = c["until_day"] - c["start_day"] + 1
                    rows.append((str(line), 1, days, len(events), int(bool(events))))
        schema = ["patient_key", "courses", "days", "events", "with"]
        frame = pl.DataFrame(rows, schema=schema, orient="row")
        patients, some = {r[0] for r in rows}, {r[0] for r in rows if r[3]}
        assert (n.numerator, n.denominator) == (len(some), len(patients)), n
        same = [m for m in told.numbers if (m.cohort, m.level_code) == (n.cohort, n.level_code)]
        by_name = {m.statistic: m for m in same if m.comparator is None}
        if frame.height:
            by_course = rate(per_patient(frame, "events", "courses"))
            by_year = rate(per_patient(frame, "events", "days"), DAYS_PER_YEAR)
            share = share_of_courses(per_patient(frame, "with", "courses"))
            agree(by_name["group_rate_per_course"], by_course, len(patients))
            agree(by_name["group_rate_per_year"], by_year, len(patients))
            agree(by_name["group_share_of_courses"], share, len(patients))
            assert by_name["group_days"].estimate == frame["days"].sum()
            checked += 1
    return checked


def given(found: Raw, lines: list[Line], view: View) -> list[tuple[Line, dict]]:
    """The course of the view of every documented line that had it."""
    inside = [x for x in lines if documented(found, x, view.block)]
    return [
        (line, c)
        for line in inside
        for c in found.courses[line]
        if c["block_code"] == view.block and c["course_number"] == int(view.nth)
    ]


def exits(course: dict) -> tuple[int, bool]:
    """The day of leaving a course, and whether that was seen."""
    after = course["until_code"] in ("next_course", "window")
    return course["until_day"] - course["start_day"] + after, course["until_code"] != "censored"


def check_incidence(told: Answer, statistic: str, of_group: dict[str, list[tuple]]) -> int:
    """`of_group`: (event day or None, exit day, whether it was seen) of every patient."""
    checked = 0
    for n in of(told, statistic):
        rows = of_group[n.cohort or ""]
        schema = {"first_event_day": pl.Int64, "exit_day": pl.Int64, "is_exit_observed": pl.Boolean}
        states = first_event_counts(pl.DataFrame(rows, schema=schema, orient="row"))
        assert n.denominator == states.n
        day = n.time_days
        if n.level_code == "end":
            day = float(states.day[-1]) if states.n else 0.0
        assert day is not None
        assert n.numerator == sum(e is not None and e <= min(x, day) for e, x, _ in rows)
        if states.n:
            agree(n, incidence_at(aalen_johansen(states), 1, day), states.n)
            checked += 1
    return checked


def check_first(told: Answer, found: Raw, study: Study, view: View) -> int:
    groups, first, recovered = population(found, study, view), defaultdict(list), defaultdict(list)
    for code, lines in groups.items():
        for line, c in given(found, lines, view):
            days = [
                e["onset_day"] - c["start_day"]
                for e in of_course(found, line, c)
                if counts(e, study, view)
            ]
            first[code].append((min(days, default=None), *exits(c)))
            back = c["recovery_day"]
            recovered[code].append((None if back is None else back - c["start_day"], *exits(c)))
    checked = check_incidence(told, "first_event_incidence", first)
    return checked + check_incidence(told, "recovery_incidence", recovered)


def quartiles(days: list[int]) -> tuple[float, ...] | None:
    """By linear interpolation (R's type 7); none of fewer than ten."""
    if len(days) < FEWEST:
        return None
    return tuple(statistics.quantiles(days, n=4, method="inclusive"))


def check_quartiles(numbers: list[Number], days: list[int]) -> None:
    assert [n.level_code for n in numbers] == ["first_quartile", "median", "third_quartile"]
    expected = quartiles(days)
    for n, day in zip(numbers, expected or (None,) * 3, strict=True):
        assert n.numerator == len(days), n
        assert n.estimate == (None if day is None else pytest.approx(day)), n


def check_days(told: Answer, found: Raw, study: Study, view: View) -> int:
    groups, checked = population(found, study, view), 0
    for code, lines in groups.items():
        delays, onsets, durations = [], defaultdict(list), defaultdict(list)
        for line, c in given(found, lines, view):
            later = [
                x["start_day"]
                for other, courses in found.courses.items()
                for x in courses
                if other[0] == line[0]
                and x["start_day"] > c["start_day"]
                and (other == line or c["until_code"] == "next_course")
            ]
            delays += [min(later) - c["start_day"]] if later else []
            by_term = defaultdict(list)
            for e in of_course(found, line, c):
                if counts(e, study, view):
                    end = math.inf if e["end_day"] is None else e["end_day"]
                    by_term[e["term_code"]].append((e["onset_day"], -end))
            for term, events in by_term.items():
                onset, end = min(events)
                onsets[term].append(onset - c["start_day"] + 1)
                durations[term] += [] if end == -math.inf else [int(-end - onset + 1)]
        mine = [n for n in told.numbers if n.cohort == code and n.comparator is None]
        if delay := [n for n in mine if n.statistic == "next_course_delay"]:
            check_quartiles(delay, delays)
        for term, days in onsets.items():
            of_term = [n for n in mine if n.item_code == term]
            check_quartiles([n for n in of_term if n.statistic == "onset_days"], days)
            ended = [n for n in of_term if n.statistic == "duration_days"]
            check_quartiles(ended, durations[term])
            checked += 1
    return checked


def check_burden(told: Answer, found: Raw, study: Study, view: View) -> int:
    groups, checked = population(found, study, view), 0
    for n in of(told, "burden_mean"):
        inside = [x for x in groups[n.cohort or ""] if documented(found, x, n.block_code or "")]
        assert n.denominator == len(inside)
        rows, unknown = [], 0
        for line in inside:
            for c in found.courses[line]:
                for e in of_course(found, line, c) if c["block_code"] == n.block_code else ():
                    if {"any", "all"} & items_of_event(e, study, view.extra):
                        unknown += e["end_day"] is None
                        end = min(e["end_day"] or c["until_day"], c["until_day"])
                        row = (str(line), e["term_code"], e["grade_low"], e["onset_day"], end)
                        rows.append(row)
        if not inside:
            assert n.estimate is None
            continue
        schema = ["patient_key", "term_code", "grade", "start_day", "end_day"]
        types = dict(zip(schema, (pl.String, pl.String, *[pl.Int64] * 3), strict=True))
        events = pl.DataFrame(rows, schema=types, orient="row")
        of_each = grade_days(events, pl.Series([str(line) for line in inside]))
        agree(n, mean_burden(of_each), len(inside))
        place = (n.cohort, n.block_code)
        (open_ends,) = [
            m for m in of(told, "burden_unknown_end") if (m.cohort, m.block_code) == place
        ]
        assert open_ends.estimate == unknown
        checked += 1
    return checked


def check_form(told: Answer) -> None:
    """Every row is whole and says what it tells; no number is without a reason or a count."""
    for table in told.tables:
        assert len(table.rows) == len(table.disclosed)
        assert all(len(row) == len(table.columns) for row in table.rows), table.code
        text = " ".join(str(cell) for row in table.rows for cell in row)
        assert "nan" not in text.lower().split() and "inf" not in text.lower().split()
        assert "None" not in text
    for n in told.numbers:
        assert n.estimate is not None or n.not_estimable_reason, n
        assert n.disclosed.part, n
    codes = [table.code for table in told.tables]
    assert len(set(codes)) == len(codes)
    assert all(set(figure.tables) <= set(codes) for figure in told.figures)


def test_kinds_of_blocks_are_those_of_single_patients(exported: tuple) -> None:
    snapshot, enrolled, _, found = exported
    checked = 0
    for view in views(exported):
        told = compare_answer(page("toxicity", snapshot, view))
        check_form(told)
        check_accounts(told, snapshot.study, enrolled)
        checked += check_kinds(told, found, snapshot.study, view)
    assert checked > 10


def test_times_are_those_of_single_patients(exported: tuple) -> None:
    snapshot, enrolled, _, found = exported
    checked = 0
    for view in [*views(exported), *(replace(v, item="any", nth="1") for v in views(exported))]:
        told = time_answer(page("toxicity", snapshot, view))
        check_form(told)
        check_accounts(told, snapshot.study, enrolled)
        checked += check_first(told, found, snapshot.study, view)
        checked += check_days(told, found, snapshot.study, view)
    assert checked > 10


def test_burdens_are_those_of_single_patients(exported: tuple) -> None:
    snapshot, enrolled, _, found = exported
    checked = 0
    for view in views(exported)[:3]:
        told = burden_answer(page("toxicity", snapshot, view))
        check_form(told)
        check_accounts(told, snapshot.study, enrolled)
        checked += check_burden(told, found, snapshot.study, view)
    assert checked > 10
