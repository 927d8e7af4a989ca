"""Every number of the toxicity page equals R scripts written from the definitions alone.

Of the synthetic demo (`toxicity.R`) and of a public trial in ADaM and SDTM (`toxicity_cdisc.R`):
who started each block, days at risk, patients and events of every item at every grade, differences,
false discovery rates, who left. How to make them again stands on top of the scripts.
"""

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from analysis.answer import Number
from analysis.compose import page
from analysis.link import View, decode
from analysis.questions import answer
from analysis.toxicity_items import items_of
from analysis.toxicity_parts import ANSWERS
from analysis.toxicity_rows import RowMaker
from etl.load import load
from etl.mapping_file import read_mapping
from tests.conftest import Demo
from tests.oracle.r_results import same
from warehouse.query import Snapshot, open_snapshot

HERE = Path(__file__).parent
CDISC = HERE.parent / "fixtures" / "cdisc_pilot"
POPULATIONS = {"all": {}, "default": {"f.risk_group": "high"}}
EVERYBODY = {"cohorts": "allrez2014,allrez2016", "lines": "first_relapse"}
GRADES = (1, 2, 3, 4)
EVENT_BLOCKS = ("f1", "clo", "blina")
EVENT_GRADES = (1, 3)
LIMITS = ("estimate", "lower", "upper")


def r_numbers(name: str) -> dict:
    return json.loads(gzip.decompress((HERE / f"{name}.json.gz").read_bytes()))


DEMO = r_numbers("toxicity")["numbers"]
PILOT = r_numbers("toxicity_cdisc")


def view_of(snapshot: Snapshot, **options: str) -> View:
    params = {name: [value] for name, value in options.items()}
    decoded = decode("toxicity", params, snapshot.snapshot_id, snapshot.study)
    assert decoded.problems == ()
    return decoded.view


def agrees(ours: Number, record: dict) -> bool:
    """Counts are equal, and estimates within 1e-8; where there are few the page gives counts."""
    for name in ("numerator", "denominator"):
        mine = getattr(ours, name)
        if name in record and mine is not None and mine != record[name]:
            return False
    if ours.estimate is None:
        return bool(ours.not_estimable_reason)
    # Without events R's incidence has limits of 0; the page tells what n can exclude.
    is_none = record["statistic"] == "incidence" and record["estimate"] == 0
    for name in LIMITS[:1] if is_none else LIMITS:
        if name in record and getattr(ours, name) is not None:
            same(getattr(ours, name), record[name], 1e-8, f"{name} of {record}")
    return True


def compare(ours: dict[tuple, Number], theirs: Iterator[tuple[tuple, dict]], at_least: int) -> None:
    """Every record of R is a number of the page, and equal."""
    absent, wrong, n = [], [], 0
    for key, record in theirs:
        n += 1
        if key not in ours:
            absent.append(record)
        elif not agrees(ours[key], record):
            wrong.append((record, ours[key]))
    assert not absent, "\n".join([f"{len(absent)} of {n}:", *map(str, absent[:10])])
    assert not wrong, "\n".join([f"{len(wrong)} of {n}:", *map(str, wrong[:10])])
    assert n >= at_least


def item_of(record: dict) -> str:
    """The item's code."""
    return record["item"].rpartition("/")[2]


def head(snapshot: Snapshot, grades: tuple[int, ...], **options: str) -> dict[tuple, Number]:
    """Numbers of the head at several grades, with and without the hidden categories."""
    found = {}
    for grade in grades:
        for extra in ("no", "yes"):
            view = view_of(snapshot, grade=str(grade), extra=extra, **options)
            for n in answer(snapshot, view).numbers:
                key = (n.statistic, n.cohort, n.comparator, n.block_code, n.item_code, n.grade_min)
                found[(*key, n.level_code)] = n
    return found


def of_head(records: list[dict], population: str) -> Iterator[tuple[tuple, dict]]:
    names = {
        "started": "block_started",
        "documented": "block_documented",
        "undocumented": "block_undocumented",
        "days_at_risk": "block_days",
        "left_before_lines": "block_class_count",
        "patients": "proportion",
        "patients_difference": "proportion_difference",
    }
    for r in records:
        if r.get("population", "all") != population or r["statistic"] not in names:
            continue
        nobody = not r.get("numerator") and r["statistic"] in ("started", "documented")
        if (nobody or r["statistic"] == "days_at_risk") and not r["numerator"]:
            continue
        item = item_of(r) if "item" in r else None
        key = (names[r["statistic"]], r["cohort"], r.get("comparator"), r["block"], item)
        named = {k: v for k, v in r.items() if k != "denominator" or r["statistic"] == "patients"}
        yield (*key, r.get("grade"), r.get("level")), named


@pytest.mark.parametrize("population", POPULATIONS)
def test_patients_of_every_item_block_and_grade(demo: Demo, population: str) -> None:
    ours = head(demo.snapshot, GRADES, **EVERYBODY, **POPULATIONS[population])
    compare(ours, of_head(DEMO, population), 2100)


@pytest.mark.parametrize("population", POPULATIONS)
def test_events_per_course(demo: Demo, population: str) -> None:
    ours = {}
    for block in EVENT_BLOCKS:
        for grade in EVENT_GRADES:
            options = {"unit": "events", "block": block, "grade": str(grade), "extra": "yes"}
            view = view_of(demo.snapshot, **options, **EVERYBODY, **POPULATIONS[population])
            for n in answer(demo.snapshot, view).numbers:
                if str(n.statistic).startswith("rate_per_course"):
                    key = (n.statistic, n.cohort, n.comparator, n.block_code, n.item_code)
                    ours[(*key, n.grade_min)] = n
    names = {"events": "rate_per_course", "events_difference": "rate_per_course_difference"}
    theirs = (
        ((names[r["statistic"]], r["cohort"], r.get("comparator"), r["block"],
          item_of(r), r["grade"]), r)
        for r in DEMO
        if r["population"] == population and r["statistic"] in names and r["item"] != "any"
        and r["block"] in EVENT_BLOCKS and r["grade"] in EVENT_GRADES
    )  # fmt: skip
    compare(ours, theirs, 250)


def test_false_discovery_rates_among_the_rows_that_somebody_has(demo: Demo) -> None:
    checked = 0
    for block in ("f1", "f2"):
        options = {"order": "difference", "open": "all", "extra": "yes", "block": block}
        view = view_of(demo.snapshot, grade="3", **options, **EVERYBODY)
        items = items_of(page("toxicity", demo.snapshot, view))
        rows = RowMaker(items, None).rows().shown
        ours = {row.item: row.false_discovery for row in rows if not row.is_pinned}
        for r in DEMO:
            told = (r["population"], r.get("block"), r.get("grade"), r["statistic"])
            if told != ("all", block, 3, "patients_difference") or "fdr_seen" not in r:
                continue
            same(ours[r["item"]], r["fdr_seen"], 1e-8, str(r))
            checked += 1
    assert checked > 50


@pytest.mark.parametrize("name", ["adam", "sdtm"])
def test_a_public_trial(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    store = tmp_path_factory.mktemp(f"pilot-{name}")
    report = load(CDISC / name, read_mapping(f"cdisc_{name}"), store)
    snapshot = open_snapshot(store, report.snapshot_id)
    grades = (1, 3) if name == "adam" else (2,)
    ours = head(snapshot, grades, cohorts="placebo,low,high")
    codes = {
        x.label.casefold(): x.code
        for x in (*snapshot.study.toxicity.terms, *snapshot.study.toxicity.categories)
    }
    records = []
    for r in PILOT[name]["numbers"]:
        item = str(r.get("item", "")).rpartition("/")[2]
        records.append({**r, "item": codes.get(item.casefold(), item)} if item else r)
    compare(ours, of_head(records, "all"), 500)
    cohorts = {"cohorts": "placebo,low,high"}
    ours = {told(n): n for n in part(snapshot, "burden", **cohorts)}
    names = {"burden": "burden_mean", "burden_difference": "burden_difference"}
    compare(ours, of_parts(names, "all", lambda r: r["item"] == "any", records), 12)
    names = {"incidence": "first_event_incidence", "gray": "first_event_gray"}
    for block in snapshot.study.blocks:
        for grade in grades:
            options = {"item": "any", "grade": str(grade), "block": block.code, **cohorts}
            ours = {told(n): n for n in part(snapshot, "time", **options)}
            of = (block.code, "any", grade)
            is_of = lambda r, of=of: (  # noqa: E731
                (r["block"], r["item"], r["grade"]) == of and "reason" not in r
            )
            compare(ours, of_parts(names, "all", is_of, records), 3)


def part(snapshot: Snapshot, name: str, **options: str) -> tuple[Number, ...]:
    """The numbers of one part of the page."""
    found = ANSWERS[name](page("toxicity", snapshot, view_of(snapshot, more=name, **options)))
    return found.numbers


@pytest.mark.parametrize("population", POPULATIONS)
def test_deaths(demo: Demo, population: str) -> None:
    ours = {
        (n.statistic, n.cohort, n.item_code, n.level_code): n.numerator
        for n in part(demo.snapshot, "deaths", **EVERYBODY, **POPULATIONS[population])
        if not n.comparator
    }
    checked = 0
    for r in DEMO:
        if r["population"] != population:
            continue
        level = r.get("level") or r.get("block")
        if r["statistic"] == "deaths" and "cause" in r:
            cause = "not_recorded" if r["cause"] == "missing" else r["cause"]
            key = ("death_cause_count", r["cohort"], r["level"], cause)
        elif r["statistic"] in ("deaths_in_block", "fatal_match"):
            name = {"deaths_in_block": "death_block_count", "fatal_match": "death_match_count"}
            key = (name[r["statistic"]], r["cohort"], None, level)
        else:
            continue
        assert ours.get(key, 0) == r["numerator"], r
        checked += 1
    assert checked >= 100


def of_parts(
    names: dict[str, str],
    population: str,
    keep: Callable[[dict], bool],
    records: Sequence[dict] = DEMO,
) -> Iterator[tuple[tuple, dict]]:
    """R's records under the names of a part's numbers."""
    for r in records:
        is_mine = r.get("population", "all") == population and r["statistic"] in names
        if not is_mine or not keep(r):
            continue
        # Patient-years are the page's days.
        left_out = {"denominator"} if r["statistic"] == "group_per_year" else set()
        item = item_of(r) if "item" in r else None
        level = r["group"] + COURSES_OF[r.get("course")] if "group" in r else r.get("level")
        key = (names[r["statistic"]], r.get("cohort"), r.get("comparator"))
        key = (*key, r.get("block"), item, level, r.get("day"))
        yield key, {k: v for k, v in r.items() if k not in left_out}


COURSES_OF = {None: "", "1": "/first", "2+": "/later"}


def told(n: Number) -> tuple:
    key = (n.statistic, n.cohort, n.comparator, n.block_code, n.item_code, n.level_code)
    return (*key, n.time_days)


@pytest.mark.parametrize("population", POPULATIONS)
def test_kinds_of_blocks(demo: Demo, population: str) -> None:
    ours = {}
    for item in ("any", "category/infection"):
        options = {"item": item, "grade": "3", **EVERYBODY, **POPULATIONS[population]}
        ours |= {told(n): n for n in part(demo.snapshot, "compare", **options)}
    names = {
        "group_patients": "group_patients_proportion",
        "group_per_course": "group_rate_per_course",
        "group_per_year": "group_rate_per_year",
        "group_share_of_courses": "group_share_of_courses",
    }
    theirs = of_parts(names, population, lambda r: r.get("denominator", 0) > 0)
    compare(ours, theirs, 60)


@pytest.mark.parametrize("population", POPULATIONS)
def test_first_events_within_a_course(demo: Demo, population: str) -> None:
    for block, item, grade in (
        ("f1", "any", 3),
        ("flu", "category/infection", 3),
        ("clo", "any", 3),
        ("blina", "term/crs", 1),
    ):
        options = {"item": item, "grade": str(grade), "block": block, **POPULATIONS[population]}
        ours = {told(n): n for n in part(demo.snapshot, "time", **options, **EVERYBODY)}
        names = {"incidence": "first_event_incidence", "gray": "first_event_gray"}
        theirs = of_parts(
            names,
            population,
            lambda r, of=(block, item, grade): (
                (r["block"], r["item"], r["grade"]) == of and "reason" not in r
            ),
        )
        compare(ours, theirs, 1)


@pytest.mark.parametrize("population", POPULATIONS)
def test_grade_days(demo: Demo, population: str) -> None:
    for extra, item in (("no", "any"), ("yes", "all")):
        options = {"extra": extra, **EVERYBODY, **POPULATIONS[population]}
        ours = {told(n): n for n in part(demo.snapshot, "burden", **options)}
        names = {"burden": "burden_mean", "burden_difference": "burden_difference"}
        theirs = of_parts(names, population, lambda r, item=item: r["item"] == item)
        compare(ours, theirs, 15)


@pytest.mark.parametrize("population", POPULATIONS)
def test_onset_and_duration(demo: Demo, population: str) -> None:
    for block in ("f1", "blina"):
        options = {"item": "any", "grade": "3", "extra": "yes", "block": block}
        numbers = part(demo.snapshot, "time", **options, **EVERYBODY, **POPULATIONS[population])
        ours = {(n.statistic, n.cohort, n.item_code, n.level_code): n for n in numbers}
        checked = 0
        for r in DEMO:
            mine = (r["population"], r.get("block"), r.get("grade")) == (population, block, 3)
            if not mine or r["statistic"] not in ("onset", "duration"):
                continue
            key = (f"{r['statistic']}_days", r["cohort"], item_of(r))
            for level, name in QUARTILES.items():
                number = ours[(*key, level)]
                if number.estimate is None:
                    assert r["numerator"] < 10, r
                else:
                    same(number.estimate, r[name], 1e-8, str(r))
                assert number.numerator == r["numerator"], r
                checked += 1
        assert checked > 50


QUARTILES = {"first_quartile": "lower", "median": "estimate", "third_quartile": "upper"}


def test_what_may_be_a_matter_of_grading_or_of_an_unclassed_cause_is_told(demo: Demo) -> None:
    """The cohorts of the demo were graded by two versions of CTCAE; some died of bleeding."""
    head = answer(demo.snapshot, view_of(demo.snapshot, **EVERYBODY, block="f1"))
    (versions,) = [n.text for n in head.notes if "different versions of a scale" in n.text]
    assert "ALL-REZ 2014 CTCAE 4.03" in versions and "ALL-REZ 2016 CTCAE 5" in versions
    deaths = ANSWERS["deaths"](page("toxicity", demo.snapshot, view_of(demo.snapshot, **EVERYBODY)))
    assert any("neither toxic nor the disease: bleeding" in n.text for n in deaths.notes)
