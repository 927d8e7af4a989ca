"""Every number of the parts beneath the survival page equals R scripts written from definitions.

`survival_page.R`: endpoints, components, the way to transplant, competing events.
`survival_compared.R`: groups by what is known only later, fair comparison, era, subgroups. What
neither has is in `survival_rest.R`; what is compared with nothing is said where it is.
"""

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from analysis.compose import page
from analysis.questions import answer
from analysis.survival_parts import ANSWERS
from tests.conftest import Demo, Loaded
from tests.oracle.r_results import same
from tests.oracle.test_survival_page_equals_r import EVERYBODY, POPULATIONS, view_of
from warehouse.query import Snapshot

FILES = [Path(__file__).with_name(f"survival_{x}.json.gz") for x in ("page", "compared")]
RECORDS = [r for x in FILES for r in json.loads(gzip.decompress(x.read_bytes()))["numbers"]]
YEAR = 365.25
KEYS = (
    *("statistic", "endpoint", "cohort", "comparator", "time_days", "characteristic_code"),
    *("level_code", "item_code", "timepoint_code"),
)
VALUES = ("estimate", "lower", "upper", "p_value", "numerator", "denominator")
# Why the page has no number where R has one: too few patients, or too few at risk at the time.
FEW = re.compile("fewer than 10|no patients")
EVERY_POPULATION = pytest.mark.parametrize("population", sorted(POPULATIONS))


def key_of(told: dict) -> tuple:
    days = told.get("time_days")
    return tuple(round(days, 2) if k == "time_days" and days else told.get(k) for k in KEYS)


def of_r(population: str, statistics: str, **fixed: object) -> list[dict]:
    """R's numbers of a population; each further key is a value, or a set of which it is any."""
    asked = {"population": population, "statistic": set(statistics.split()), **fixed}
    sets = {k: v if isinstance(v, set) else {v} for k, v in asked.items()}
    return [r for r in RECORDS if all(r.get(k) in v for k, v in sets.items())]


def tolerance(statistic: str) -> float:
    """Wider where the one or the other searches for the estimate."""
    is_searched = re.search("hazard_ratio|e_value|gray", statistic)
    return 1e-5 if "subdistribution" in statistic else 1e-6 if is_searched else 1e-8


def check(ours: dict, record: dict) -> int:
    """How many values of a number are equal; one that is not given has the right reason."""
    if record.get("reason") or (ours["estimate"] is None and record.get("estimate") is not None):
        why = ours["not_estimable_reason"]
        assert ours["estimate"] is None and why, (ours, record)
        assert record.get("reason") or FEW.search(why), (ours, record)
        return 0
    both = [v for v in VALUES if ours[v] is not None and record.get(v) is not None]
    for name in both:
        same(ours[name], record[name], tolerance(record["statistic"]), f"{name} of {record}")
    assert both and ("lower" in both) == ("lower" in record), (ours, record)
    return len(both)


def compared(ours: Iterable[dict], theirs: Iterable[dict]) -> int:
    """Every number of R is among ours and equal; how many values were compared."""
    mine, checked = {key_of(told): told for told in ours}, 0
    for record in theirs:
        assert key_of(record) in mine, record
        checked += check(mine[key_of(record)], record)
    return checked


def part(snapshot: Snapshot, look: str, population: str, **options: str) -> list[dict]:
    """The numbers of a part of the page, at 3 years if nothing else is asked."""
    base = {**EVERYBODY, **POPULATIONS[population]} if population in POPULATIONS else {}
    view = view_of(snapshot, **{**base, "time": "3", "look": look, **options})
    return [asdict(number) for number in ANSWERS[look](page("survival", snapshot, view)).numbers]


@EVERY_POPULATION
def test_endpoints_and_components_at_every_time(demo: Demo, population: str) -> None:
    statistics = "endpoint_n endpoint_events endpoint_value endpoint_difference component"
    statistics += " component_count"
    for time in (1, 2, 3, 5):
        at = {"population": population, "time": str(time)}
        ours = part(demo.snapshot, "endpoints", **at) + part(demo.snapshot, "components", **at)
        theirs = of_r(population, statistics, time_days={time * YEAR, None})
        assert compared(ours, theirs) > 150


@EVERY_POPULATION
def test_the_way_to_transplant_and_survival_after_it(demo: Demo, population: str) -> None:
    theirs = of_r(population, "bridge_incidence bridge_n bridge_events bridge_survival")
    assert compared(part(demo.snapshot, "bridge", population), theirs) > 150


@EVERY_POPULATION
@pytest.mark.parametrize("endpoint", ["cir", "trm", "to_transplant"])
def test_competing_events(demo: Demo, population: str, endpoint: str) -> None:
    options = {**EVERYBODY, **POPULATIONS[population], "time": "3", "endpoint": endpoint}
    found = answer(demo.snapshot, view_of(demo.snapshot, **options))
    # Gray's test is of all cohorts; with two that is the pair.
    pair = {"cohort": "allrez2016", "comparator": "allrez2014"}
    ours = [{**asdict(number), **pair} for number in found.numbers]
    theirs = of_r(population, "gray_chi_square subdistribution_hazard_ratio", endpoint=endpoint)
    assert compared(ours, theirs) == 6


LEVELS = {"switched": "yes", "not_switched": "no", "given": "yes", "not_given": "no"}
SWITCHED = {"switched/n": "switched", "switched/events": "events_after"}
LANDMARK = "landmark_count landmark_survival landmark_difference landmark_hazard_ratio"
LANDMARK += " landmark_hazard_ratio_stratified"
IN_TIME = "time_dependent_count time_dependent_hazard_ratio time_dependent_hazard_ratio_stratified"
IN_TIME += " mantel_byar_chi_square simon_makuch_survival simon_makuch_start"


def later_as_r(ours: Iterable[dict]) -> Iterator[dict]:
    """Levels have R's names; what compares two of them is of the split."""
    for told in ours:
        split, _, level = told["item_code"].partition("/")
        named = {**told, "item_code": f"{split}/{LEVELS.get(level, level)}"}
        if told["comparator"]:
            yield {**told, "item_code": split, "comparator": None}
        elif told["statistic"] == "time_dependent_count":
            code = SWITCHED.get(f"{level}/{told['level_code']}")
            yield {**told, "item_code": split, "level_code": code}
        elif told["statistic"] == "simon_makuch_survival":
            yield {**named, "timepoint_code": None}
            start = {"statistic": "simon_makuch_start", "item_code": split, "lower": None}
            day = float(told["timepoint_code"].removeprefix("day_"))
            yield {**told, **start, "estimate": day, "time_days": None, "timepoint_code": None}
        else:
            yield named


def check_landmark(snapshot: Snapshot, population: str, split: str, day: int, **of: str) -> int:
    options = {"split": split, "by": "landmark", "day": str(day), **of}
    ours = list(later_as_r(part(snapshot, "later", population, **options)))
    # All together are looked at where more than one cohort has anybody.
    keys = {"cohort": {t["cohort"] for t in ours}, "timepoint_code": f"day_{day}"}
    theirs = of_r(population, LANDMARK, endpoint=ours[0]["endpoint"], **keys)
    return compared(ours, (r for r in theirs if r["item_code"].partition("/")[0] == split))


def check_in_time(snapshot: Snapshot, population: str, endpoint: str) -> int:
    options = {"endpoint": endpoint, "split": "transplant", "by": "time_dependent"}
    # The page does not count rows of the model.
    theirs = of_r(population, IN_TIME, endpoint=endpoint, level_code={None, *SWITCHED.values()})
    return compared(later_as_r(part(snapshot, "later", population, **options)), theirs)


@EVERY_POPULATION
def test_groups_by_a_later_transplant(demo: Demo, population: str) -> None:
    # Fewer than 10 of a cohort had theirs by day 90, or had not by day 180: not all are compared.
    for day, at_least in ((90, 70), (120, 130), (180, 45)):
        compared_here = check_landmark(demo.snapshot, population, "transplant", day, endpoint="rfs")
        assert compared_here >= at_least
    assert check_in_time(demo.snapshot, population, "rfs") > 90


@pytest.mark.parametrize("endpoint", ["os", "rfs"])
def test_groups_by_a_later_transplant_of_public_data(loaded: Loaded, endpoint: str) -> None:
    where = (loaded.snapshots["myeloid"], "myeloid")
    for day in (90, 180):
        assert check_landmark(*where, "transplant", day, endpoint=endpoint) > 150
    assert check_in_time(*where, endpoint) > 110


KNOWN_BY = [("mrd_after_blina1", 42), ("mrd_after_blina1", 56), ("cd3_by_day_8", 8)]


@EVERY_POPULATION
@pytest.mark.parametrize(("split", "day"), KNOWN_BY)
def test_groups_by_mrd_or_cells_known_on_the_landmark(
    demo: Demo, population: str, split: str, day: int
) -> None:
    assert check_landmark(demo.snapshot, population, split, day) > 20


# Not told: R's crude numbers (the head has them), and stratified ones: the groups repeat timing.
OUTCOMES = {
    "weighted_survival": "fair_survival",
    "weighted_survival_difference": "fair_survival_difference",
    "weighted_rmst_difference": "fair_rmst_difference",
    "weighted_hazard_ratio": "fair_hazard_ratio_cut",  # follow-up is unequal
    "e_value": "fair_e_value_cut",
}
BALANCE = {
    **{f"standardized_difference_{when}": "fair_smd" for when in ("before", "after")},
    **{name: f"fair_{name}" for name in ("effective_n", "largest_weight")},
}
COUNTS = {"weighted_n": "used", "common_support": "inside"}
FAIR = {**OUTCOMES, **BALANCE, **dict.fromkeys(COUNTS, "fair_count")}


def fair_as_r(ours: list[dict], weights: str) -> Iterator[dict]:
    """R names the weights, and who they are of; an E-value has that of the limit beside it."""
    limits = {t["level_code"]: t["estimate"] for t in ours if t["statistic"] == "e_value_limit"}
    for told in (t for t in ours if t["statistic"] in FAIR):
        statistic, who = told["statistic"], told["level_code"]
        item = f"{weights}_complete" if who == "complete_cases" else weights
        item = "crude" if statistic == "standardized_difference_before" else item
        item = "used" if statistic in COUNTS else item
        level = COUNTS.get(statistic)
        named = {**told, "statistic": FAIR[statistic], "item_code": item, "level_code": level}
        if statistic == "e_value":
            named["lower"] = limits[who]
        yield {**named, "time_days": None} if FAIR[statistic].endswith("_cut") else named


@EVERY_POPULATION
@pytest.mark.parametrize("endpoint", ["efs", "os"])
def test_the_fair_comparison(demo: Demo, population: str, endpoint: str) -> None:
    for weights in ("overlap", "newer"):
        ours = part(demo.snapshot, "fair", population, endpoint=endpoint, weights=weights)
        both = {weights, f"{weights}_complete"}
        theirs = of_r(population, " ".join(OUTCOMES.values()), endpoint=endpoint, item_code=both)
        # Balance and counts are not told of complete cases.
        of = {"endpoint": endpoint, "level_code": {None, "used", "inside"}}
        theirs += of_r(population, " ".join(BALANCE.values()), item_code=weights, **of)
        theirs += of_r(population, "fair_smd", item_code="crude", **of)
        theirs += of_r(population, "fair_count", item_code="used", **of)
        assert compared(fair_as_r(ours, weights), theirs) > 95


def era_as_r(ours: Iterable[dict]) -> Iterator[dict]:
    names = {"era_patients": "era_count", "era_reach": "era_transplant"}
    for told in ours:
        statistic = names.get(told["statistic"], told["statistic"])
        level = "blina" if statistic == "era_block" else told["level_code"]
        named = {**told, "statistic": statistic, "level_code": level}
        yield {**named, "item_code": told["item_code"].removeprefix("year_")}


@EVERY_POPULATION
def test_the_cohorts_by_year(demo: Demo, population: str) -> None:
    ours = list(era_as_r(part(demo.snapshot, "era", population)))
    # R's samples here are all of a line; those of a time point, and all years, are in the rest.
    theirs = of_r(population, "era_count era_level era_transplant era_block")
    shown = {key_of(told) for told in ours}
    hidden = [r for r in theirs if key_of(r) not in shown]
    # A level without anybody is not shown.
    assert all(r["statistic"] == "era_level" and r["numerator"] == 0 for r in hidden)
    assert compared(ours, (r for r in theirs if r not in hidden)) > 170


def subgroups_as_r(ours: Iterable[dict], scale: str, named: str, tests: str) -> Iterator[dict]:
    for told in ours:
        statistic = told["statistic"].replace(f"subgroup_{scale}", f"subgroup_{named}")
        if statistic == "subgroup_events":
            n = {"estimate": told["denominator"], "numerator": told["denominator"]}
            yield {**told, **n, "statistic": "subgroup_n", "time_days": None, "denominator": None}
        elif statistic == "interaction":
            yield {**told, "item_code": tests}
        else:
            item = f"{named}/at_least_10" if statistic.endswith("_shrunken") else None
            yield {**told, "statistic": statistic, "item_code": item}


def with_same_levels(told: list[dict], theirs: list[dict], scale: str) -> list[dict]:
    """R's tests and shrunken values of characteristics with an estimate of as many levels here."""
    # A mean needs ten at risk at its time here, and in R nobody.
    shrunken = (t for t in told if t["statistic"] == f"subgroup_{scale}_shrunken")
    known = Counter(t["characteristic_code"] for t in shrunken if t["estimate"] is not None)
    tests = (r for r in theirs if r["statistic"] == "interaction")
    n = {r["characteristic_code"]: r.get("numerator", 0) for r in tests}
    return [r for r in theirs if n[c := r["characteristic_code"]] == known[c]]


@EVERY_POPULATION
@pytest.mark.parametrize("endpoint", ["efs", "os"])
@pytest.mark.parametrize("scale", ["hazard_ratio", "difference", "rmst"])
def test_subgroups(demo: Demo, population: str, endpoint: str, scale: str) -> None:
    named = "hazard_ratio_cut" if scale == "hazard_ratio" else scale
    ten = f"{named}/at_least_10"
    # The likelihood ratio is of all levels, Cochran's Q of those with an estimate.
    item = named if scale == "hazard_ratio" else ten
    told = part(demo.snapshot, "subgroups", population, endpoint=endpoint, scale=scale)
    # Not shown: one level alone, what repeats another, and mean and variance of the shrunken.
    of: dict = {"endpoint": endpoint, "level_code": {t["level_code"] for t in told}}
    of["characteristic_code"] = {t["characteristic_code"] for t in told}
    tests = of_r(population, "interaction", item_code=item, **of)
    tests += of_r(population, f"subgroup_{named}_shrunken", item_code=ten, **of)
    tests = tests if scale == "hazard_ratio" else with_same_levels(told, tests, scale)
    theirs = of_r(population, f"subgroup_n subgroup_{named}", **of) + tests
    fewest = {"hazard_ratio": 150, "difference": 140, "rmst": 60}
    assert compared(subgroups_as_r(told, scale, named, item), theirs) >= fewest[scale]
