"""Every number of the parts of the survival page that the other R scripts leave out equals R.

`survival_rest.R`, of the synthetic demo: events on day 0, who has no time zero, alive or dead after
the first event, the way to transplant and its differences, covariates and propensities of the fair
comparison, the crude one within strata, totals and MRD samples of the years, values of subgroups.
R's numbers and the page's are held against each other both ways.
"""

import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Demo
from tests.oracle.test_survival_page_equals_r import EVERYBODY
from tests.oracle.test_survival_parts_equal_r import (
    EVERY_POPULATION,
    YEAR,
    check,
    era_as_r,
    key_of,
    part,
)
from warehouse.query import Snapshot

FILE = Path(__file__).with_name("survival_rest.json.gz")
RECORDS = json.loads(gzip.decompress(FILE.read_bytes()))["numbers"]
TOO_FEW = {
    "female": {"f.sex": "female"},
    "under_6": {"f.age": "under_6"},
    "combined": {"f.site": "combined"},
}


def measured_key(told: dict) -> tuple:
    return (*key_of(told), told.get("measure_code"))


def of_r(population: str, statistics: str, **fixed: object) -> list[dict]:
    asked = {"population": population, **fixed}
    told = (r for r in RECORDS if r["statistic"] in statistics.split())
    return [r for r in told if all(r.get(k) == v for k, v in asked.items())]


def equal_both_ways(ours: Iterable[dict], theirs: list[dict], statistics: str) -> int:
    """How many values are equal; each number of the page is in R, each of R on the page."""
    told = [number for number in ours if number["statistic"] in statistics.split()]
    mine = {measured_key(number): number for number in told}
    r = {measured_key(record): record for record in theirs}
    assert set(mine) == set(r)
    assert (len(mine), len(r)) == (len(told), len(theirs))
    return sum(check(mine[key], r[key]) for key in r)


@EVERY_POPULATION
@pytest.mark.parametrize("time", [1, 3, 5])
def test_events_on_day_0_and_who_is_left_out(demo: Demo, population: str, time: int) -> None:
    statistics = "day_0_proportion survival_after_day_0 endpoint_left_out"
    theirs = of_r(population, "day_0_proportion endpoint_left_out")
    theirs += of_r(population, "survival_after_day_0", time_days=time * YEAR)
    ours = part(demo.snapshot, "endpoints", population, time=str(time))
    assert equal_both_ways(ours, theirs, statistics) >= 40


@EVERY_POPULATION
@pytest.mark.parametrize("time", [1, 3, 5])
def test_alive_or_dead_after_the_first_event(demo: Demo, population: str, time: int) -> None:
    ours = part(demo.snapshot, "components", population, time=str(time))
    theirs = of_r(population, "component_after", time_days=time * YEAR)
    assert equal_both_ways(ours, theirs, "component_after") >= 50


@EVERY_POPULATION
def test_the_way_to_transplant_and_differences_of_it(demo: Demo, population: str) -> None:
    statistics = "bridge_count bridge_wait bridge_incidence_difference bridge_survival_difference"
    ours = part(demo.snapshot, "bridge", population)
    assert equal_both_ways(ours, of_r(population, statistics), statistics) >= 51
    half = [t for t in ours if t["time_days"] == YEAR / 2]
    theirs = of_r(population, "bridge_incidence")
    assert equal_both_ways(half, theirs, "bridge_incidence") == 24


def fair(snapshot: Snapshot, population: str, **options: str) -> Iterator[dict]:
    """Counts are the same for all weights, and R has them once."""
    for told in part(snapshot, "fair", population, **options):
        is_weighted = told["statistic"] == "covariate_weighted"
        yield told if is_weighted else {**told, "measure_code": None}


@EVERY_POPULATION
@pytest.mark.parametrize("endpoint", ["efs", "os"])
@pytest.mark.parametrize("weights", ["overlap", "newer"])
def test_covariates_and_propensities(
    demo: Demo, population: str, endpoint: str, weights: str
) -> None:
    statistics = "covariate_count propensity_count covariate_weighted"
    ours = fair(demo.snapshot, population, endpoint=endpoint, weights=weights)
    theirs = of_r(population, "covariate_count propensity_count", endpoint=endpoint)
    of = {"endpoint": endpoint, "measure_code": weights}
    theirs += of_r(population, "covariate_weighted", **of)
    assert equal_both_ways(ours, theirs, statistics) >= 88


@pytest.mark.parametrize("population", sorted(TOO_FEW))
@pytest.mark.parametrize("endpoint", ["efs", "os"])
def test_too_few_to_adjust_are_compared_in_strata(
    demo: Demo, population: str, endpoint: str
) -> None:
    statistics = "covariate_count stratified_hazard_ratio stratified_log_rank_chi_square"
    asked = {**EVERYBODY, **TOO_FEW[population], "endpoint": endpoint}
    # R says beside its numbers the day on which follow-up was cut.
    ours = [{**told, "time_days": None} for told in fair(demo.snapshot, population, **asked)]
    theirs = [{**r, "time_days": None} for r in of_r(population, statistics, endpoint=endpoint)]
    assert equal_both_ways(ours, theirs, statistics) >= 42


@EVERY_POPULATION
def test_totals_of_the_years_and_mrd_samples(demo: Demo, population: str) -> None:
    totals = "era_count era_level era_transplant era_block"
    samples = "era_mrd_samples era_mrd_limit_mean era_mrd_limit_median"
    ours = part(demo.snapshot, "era", population)
    assert equal_both_ways(ours, of_r(population, samples), samples) >= 60
    all_years = [t for t in era_as_r(ours) if t["item_code"] == "all_years"]
    theirs = [
        r
        for r in of_r(population, totals)
        if r["statistic"] != "era_level" or r["numerator"] > 0  # a level of nobody is not shown
    ]
    assert equal_both_ways(all_years, theirs, totals) >= 52


@EVERY_POPULATION
@pytest.mark.parametrize("endpoint", ["efs", "os"])
@pytest.mark.parametrize("scale", ["hazard_ratio", "difference", "rmst"])
def test_values_and_events_of_subgroups(
    demo: Demo, population: str, endpoint: str, scale: str
) -> None:
    value = "subgroup_mean" if scale == "rmst" else "subgroup_value"
    told = part(demo.snapshot, "subgroups", population, endpoint=endpoint, scale=scale)
    ours = [
        {**t, "item_code": scale if t["statistic"] == "subgroup_events" else None} for t in told
    ]
    # Not shown: characteristics that do not divide, or repeat another.
    shown = {t["characteristic_code"] for t in ours}
    theirs = of_r(population, value, endpoint=endpoint)
    theirs += of_r(population, "subgroup_events", endpoint=endpoint, item_code=scale)
    theirs = [r for r in theirs if r.get("characteristic_code") in shown]
    assert equal_both_ways(ours, theirs, f"{value} subgroup_events") >= 100
