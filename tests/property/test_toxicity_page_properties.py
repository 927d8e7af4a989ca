"""Every cell of the toxicity page, recounted patient by patient over random exports and filters."""

import random
from collections import defaultdict
from dataclasses import dataclass, replace

import pytest

from analysis.answer import Answer, Number
from analysis.link import LEAST, ORDERS, UNITS, View, default_view, known_late
from analysis.questions import answer
from tests.property.test_response_properties import check_accounts, made
from trial.selection import Selection, selection
from trial.study import ENROLLMENT, MISSING, Study
from warehouse.query import Snapshot

VIEWS = 10
SEEDS = (4, 5)
GRADES = (1, 2, 3, 4)
Line = tuple[int, int]


@dataclass(frozen=True)
class Raw:
    """The rows of an export as they were loaded, by plain Python."""

    lines: list[dict]
    courses: dict[Line, list[dict]]
    events: dict[Line, list[dict]]
    outside: list[dict]
    doubtful: set[int]


def rows(snapshot: Snapshot, sql: str) -> list[dict]:
    found = snapshot.connection.cursor().execute(sql)
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def raw(snapshot: Snapshot) -> Raw:
    courses, events = defaultdict(list), defaultdict(list)
    for row in rows(snapshot, "select * from fct_course"):
        courses[row["enrollment_key"], row["line_number"]].append(row)
    every = rows(snapshot, "select * from fct_adverse_event")
    for row in every:
        if row["block_code"]:
            events[row["enrollment_key"], row["line_number"]].append(row)
    doubts = rows(snapshot, "select * from fct_doubt")
    return Raw(
        rows(snapshot, "select * from dim_line join dim_enrollment using (enrollment_key)"),
        courses,
        events,
        [row for row in every if not row["block_code"]],
        {
            row["enrollment_key"]
            for row in doubts
            if row["milestone_code"] in ("fct_adverse_event", "fct_course")
        },
    )


@pytest.fixture(scope="module", params=SEEDS)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple:
    folder = tmp_path_factory.mktemp("random")
    snapshot, enrolled, seed = made(folder, request.param, defects=request.param % 2 == 0)
    return snapshot, enrolled, seed, raw(snapshot)


def random_view(chance: random.Random, data: str, study: Study) -> View:
    levels = {}
    for x in study.characteristics:
        if not known_late(x, ENROLLMENT) and chance.random() < 0.1:
            levels[x.code] = chance.sample(x.level_codes, chance.randint(1, len(x.level_codes)))
    cohorts, lines = [c.code for c in study.cohorts], [line.code for line in study.lines]
    chosen = selection(
        study,
        chance.sample(cohorts, chance.randint(1, len(cohorts))),
        levels,
        ["first_relapse"] if chance.random() < 0.7 else chance.sample(lines, chance.randint(1, 3)),
    )
    return replace(
        default_view("toxicity", data, study),
        selection=chosen,
        block=chance.choice(study.blocks).code,
        grade=chance.choice(GRADES),
        unit=chance.choice(UNITS),
        order=chance.choice(ORDERS),
        least=chance.choice(LEAST),
        open=chance.choice(["none", "all", "infection,hepatic"]),
        find=chance.choice(["", "", "infection", "E", "nothing of the kind"]),
        extra=chance.random() < 0.5,
    )


def is_chosen(line: dict, study: Study, chosen: Selection) -> bool:
    if not line["is_primary"] or line["cohort_code"] not in chosen.cohort_codes:
        return False
    if line["entry_reason"] not in chosen.line_codes:
        return False
    for f in chosen.filters:
        level = line[study.characteristic(f.characteristic_code).level_column]
        if (MISSING if level is None else level) not in f.level_codes:
            return False
    return True


def population(found: Raw, study: Study, view: View) -> dict[str, list[Line]]:
    several = len(view.selection.line_codes) > 1
    groups = defaultdict(list)
    for line in found.lines:
        if is_chosen(line, study, view.selection):
            code = line["cohort_code"] + (f"/{line['entry_reason']}" if several else "")
            groups[code].append((line["enrollment_key"], line["line_number"]))
    return groups


def documented(found: Raw, line: Line, block: str) -> bool | None:
    """None: did not start the block."""
    given = [c for c in found.courses[line] if c["block_code"] == block]
    if not given:
        return None
    return all(c["ae_documented"] == "yes" for c in given) and line[0] not in found.doubtful


def items_of_event(event: dict, study: Study, extra: bool) -> set[str]:
    """The items that an event counts for; none if its category is not shown."""
    term = study.toxicity.term(event["term_code"])
    fatal = {"fatal"} if event["grade_low"] == 5 or event["outcome_code"] == "fatal" else set()
    if not (study.toxicity.category(term.category_code).is_default or extra):
        return fatal
    return {"all" if extra else "any", term.code, term.category_code} | fatal


def counted(found: Raw, study: Study, view: View, line: Line, block: str) -> dict[str, int]:
    """Events of the line in the block by item, of at least the view's grade for certain."""
    n: dict[str, int] = defaultdict(int)
    for event in found.events[line]:
        if event["block_code"] == block:
            for item in items_of_event(event, study, view.extra):
                n[item] += item == "fatal" or event["grade_low"] >= view.grade
    return n


def of(numbers: tuple[Number, ...], statistic: str) -> list[Number]:
    return [n for n in numbers if n.statistic == statistic]


def check_cells(found: Answer, raw: Raw, study: Study, view: View) -> int:
    groups, checked = population(raw, study, view), 0
    for n in of(found.numbers, "proportion"):
        block, item = n.block_code or "", n.item_code or ""
        inside = [x for x in groups[n.cohort or ""] if documented(raw, x, block)]
        mine = [x for x in inside if counted(raw, study, view, x, block)[item]]
        assert (n.numerator, n.denominator) == (len(mine), len(inside)), (n.cohort, block, item)
        checked += 1
    for n in of(found.numbers, "rate_per_course"):
        inside = [x for x in groups[n.cohort or ""] if documented(raw, x, view.block)]
        events = sum(counted(raw, study, view, x, view.block)[n.item_code or ""] for x in inside)
        given = [c for x in inside for c in raw.courses[x] if c["block_code"] == view.block]
        assert (n.numerator, n.denominator) == (events, len(given)), (n.cohort, n.item_code)
        checked += 1
    return checked


def check_started(found: Answer, raw: Raw, study: Study, view: View) -> None:
    groups = population(raw, study, view)
    for n in of(found.numbers, "block_started"):
        told = [documented(raw, x, n.block_code or "") for x in groups[n.cohort or ""]]
        assert n.numerator == sum(x is not None for x in told)
    classes: dict[tuple, int] = defaultdict(int)
    for n in of(found.numbers, "block_class_count"):
        classes[n.cohort, n.block_code] += n.numerator or 0
    for (cohort, _), n in classes.items():
        assert n == len(groups[cohort])


def check_whole(found: Answer, study: Study, view: View) -> None:
    """A category holds its terms; nothing is above its whole; any holds every category."""
    every = "all" if view.extra else "any"
    n = {(x.cohort, x.block_code, x.item_code): x for x in of(found.numbers, "proportion")}
    for (cohort, block, item), number in n.items():
        assert 0 <= (number.numerator or 0) <= (number.denominator or 0)
        for term in study.toxicity.terms:
            if term.category_code == item and (cohort, block, term.code) in n:
                inner = n[cohort, block, term.code].numerator or 0
                assert inner <= (number.numerator or 0) <= (n[cohort, block, every].numerator or 0)


def test_every_patient_is_counted_once_in_each_cell(exported: tuple) -> None:
    snapshot, enrolled, seed, found = exported
    chance, checked = random.Random(seed), 0
    for _ in range(VIEWS):
        view = random_view(chance, snapshot.snapshot_id, snapshot.study)
        told = answer(snapshot, view)
        checked += check_cells(told, found, snapshot.study, view)
        check_started(told, found, snapshot.study, view)
        check_whole(told, snapshot.study, view)
        check_accounts(told, snapshot.study, enrolled)
    assert checked > 1000


def test_a_higher_grade_is_never_had_by_more(exported: tuple) -> None:
    snapshot, _, _, _ = exported
    view = default_view("toxicity", snapshot.snapshot_id, snapshot.study)
    counts = []
    for grade in GRADES:
        numbers = answer(snapshot, replace(view, grade=grade, extra=True)).numbers
        told = of(numbers, "proportion")
        counts.append({(n.cohort, n.block_code, n.item_code): n.numerator or 0 for n in told})
    for lower, higher in zip(counts, counts[1:], strict=False):
        assert set(lower) == set(higher)
        assert all(higher[key] <= lower[key] for key in lower)
    assert sum(counts[0].values()) > sum(counts[-1].values())


def test_every_event_lies_in_the_window_of_its_course_or_is_told_as_outside(
    exported: tuple,
) -> None:
    snapshot, _, _, found = exported
    view = default_view("toxicity", snapshot.snapshot_id, snapshot.study)
    for line, events in found.events.items():
        for event in events:
            (course,) = [
                c
                for c in found.courses[line]
                if (c["block_code"], c["course_number"])
                == (event["block_code"], event["course_number"])
            ]
            assert course["start_day"] <= event["onset_day"] <= course["until_day"]
    lines, cohorts = snapshot.study.lines, snapshot.study.cohorts
    chosen = ([c.code for c in cohorts], {}, [line.code for line in lines])
    everybody = replace(view, selection=selection(snapshot.study, *chosen))
    for event in found.outside:
        mine = [
            c
            for line, given in found.courses.items()
            for c in given
            if line[0] == event["enrollment_key"]
        ]
        assert not [c for c in mine if c["start_day"] <= event["onset_day"] <= c["until_day"]]
    notes = " ".join(n.text for n in answer(snapshot, everybody).notes)
    assert ("outside every block" in notes) == bool(found.outside)
