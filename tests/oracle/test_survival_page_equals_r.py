"""Every number of the head of the survival page equals an R script written from its definitions.

`survival_page.R`, of the synthetic demo and of two public data sets: how far cohorts are compared,
tests and hazard ratios on follow-up that ends there, tests of proportional hazards, completeness,
fragility; endpoints beside each other, competing events, components, the way to transplant. How to
make its numbers again stands on top of the script.
"""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.answer import Number
from analysis.link import View, decode
from analysis.questions import answer
from tests.conftest import Demo, Loaded
from tests.oracle.r_results import same
from warehouse.query import Snapshot

HERE = Path(__file__).parent
RECORDS = json.loads(gzip.decompress((HERE / "survival_page.json.gz").read_bytes()))["numbers"]
POPULATIONS = {"all": {}, "default": {"f.risk_group": "high"}}
EVERYBODY = {"cohorts": "allrez2014,allrez2016", "lines": "first_relapse"}
HEAD = {
    *("window_days", "log_rank_chi_square", "hazard_ratio", "proportionality_chi_square"),
    *("survival_difference", "completeness", "fragility"),
}
TOLERANCE = {"hazard_ratio": 1e-6, "subdistribution_hazard_ratio": 1e-5, "gray_chi_square": 1e-6}


def view_of(snapshot: Snapshot, **options: str) -> View:
    params = {name: [value] for name, value in options.items()}
    decoded = decode("survival", params, snapshot.snapshot_id, snapshot.study)
    assert decoded.problems == ()
    return decoded.view


def agrees(ours: Number, record: dict) -> bool:
    """Within the tolerance of its kind; where R has no number, or few patients, none is given."""
    if ours.estimate is None:
        return bool(ours.not_estimable_reason)
    tolerance = TOLERANCE.get(ours.statistic or "", 1e-8)
    for name in ("estimate", "lower", "upper", "p_value"):
        mine, r = getattr(ours, name), record.get(name)
        if mine is None or r is None:
            continue
        try:
            same(mine, r, tolerance, name)
        except AssertionError:
            return False
    return True


def head_key(number: Number | dict) -> tuple:
    """What a number of the head is of."""
    get = number.get if isinstance(number, dict) else lambda name: getattr(number, name)
    statistic, comparator = get("statistic"), get("comparator")
    cohort = get("cohort")
    if isinstance(number, dict):
        joint = statistic in ("log_rank_chi_square", "proportionality_chi_square", "window_days")
        cohort = "all" if joint and cohort is None else cohort
    elif cohort and "," in cohort:
        cohort = "all"
    days = get("time_days") if statistic == "survival_difference" else None
    return statistic, cohort, comparator, None if days is None else round(days, 2)


def head_records(population: str, endpoint: str) -> Iterator[tuple[tuple, dict]]:
    for record in RECORDS:
        mine = record["population"] == population and record["endpoint"] == endpoint
        if mine and record["statistic"] in HEAD and "item_code" not in record:
            yield head_key(record), record


def check_head(numbers: tuple[Number, ...], population: str, endpoint: str) -> int:
    """Every number of the head that R gives is there and equal; how many were compared."""
    ours, checked = {head_key(n): n for n in numbers}, 0
    pairs = {key for key in ours if key[0] == "proportionality_chi_square"}
    for key, record in head_records(population, endpoint):
        if key not in ours and key[0] == "proportionality_chi_square" and pairs:
            continue  # of a pair: the page tests all together
        if key not in ours and key[0] in ("log_rank_chi_square", "window_days"):
            continue  # of a pair among several, or of the one cohort that there is
        if key not in ours and record.get("reason"):
            continue
        assert key in ours, (population, endpoint, record)
        assert agrees(ours[key], record), (endpoint, ours[key], record)
        if record.get("reason") == "beyond_common_window":
            assert ours[key].estimate is None, record
        else:
            checked += ours[key].estimate is not None
    return checked


@pytest.mark.parametrize("population", sorted(POPULATIONS))
def test_the_head_of_the_demo(demo: Demo, population: str) -> None:
    endpoints = [e.code for e in demo.snapshot.study.endpoints if e.kind == "survival"]
    checked = 0
    for endpoint in endpoints:
        options = {**EVERYBODY, **POPULATIONS[population], "endpoint": endpoint, "time": "3"}
        found = answer(demo.snapshot, view_of(demo.snapshot, **options))
        checked += check_head(found.numbers, population, endpoint)
    assert checked > 70


@pytest.mark.parametrize(("study", "endpoints"), [("colon", "os rfs"), ("myeloid", "os efs rfs")])
def test_the_head_of_public_data(loaded: Loaded, study: str, endpoints: str) -> None:
    checked = 0
    for endpoint in endpoints.split():
        snapshot = loaded.snapshots[study]
        found = answer(snapshot, view_of(snapshot, endpoint=endpoint, time="3"))
        checked += check_head(found.numbers, study, endpoint)
    assert checked > 25


@pytest.mark.parametrize("population", sorted(POPULATIONS))
def test_follow_up_of_competing_events(demo: Demo, population: str) -> None:
    """Windows of each cohort and of both, completeness."""
    for endpoint in ("cir", "trm", "to_transplant"):
        options = {**EVERYBODY, **POPULATIONS[population], "endpoint": endpoint, "time": "3"}
        found = answer(demo.snapshot, view_of(demo.snapshot, **options))
        assert check_head(found.numbers, population, endpoint) == 5
