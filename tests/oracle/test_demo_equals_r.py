"""Every number of the synthetic demo equals an independent R script that reads the same CSV files.

`tests/oracle/allrez.R` was written without looking at this program's analysis. Its results are of
the default demo; if the generator changes, make them again:
    python -m etl demo DEMO && Rscript tests/oracle/allrez.R DEMO > tests/oracle/allrez.json
"""

import hashlib
import json
import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from analysis.answer import Number
from analysis.link import decode
from analysis.questions import answer
from tests.conftest import Demo

ORACLE = json.loads((Path(__file__).parent / "allrez.json").read_text("utf-8"))
POPULATIONS = {
    "default": {"f.risk_group": "high"},
    "all": {},
    "early_marrow": {"f.timing": "early", "f.site": "marrow"},
}
EVERYBODY = {"cohorts": "allrez2014,allrez2016", "lines": "first_relapse"}
# What the program says in words or in tables alone; their parts are compared as other statistics.
NOT_NUMBERS = {
    "enrollments", "children", "children_on_both_protocols", "primary_lines",
    "recorded_high_risk_not_derived", "population_size", "baseline_mean", "baseline_sd",
    "standardized_difference_number", "timepoint_count", "lod_assumed_count",
    "proportion_best", "proportion_best_difference", "rmst_se", "incidence_se",
}  # fmt: skip
SUMS = {"late_remission"}
# Where R gives a number and the program, on purpose, a sentence instead.
UNSAID = ("a selection: ", "fewer than 10 patients", "nobody reached it", "same level")
KEYS = (
    "cohort", "comparator", "endpoint", "block_code", "item_code", "grade_min", "timepoint_code",
    "measure_code", "denominator_code", "characteristic_code", "level_code",
)  # fmt: skip


def _key(record: dict, statistic: str | None) -> tuple:
    days = record.get("time_days")
    time = None if days is None or str(statistic).startswith("proportion") else round(days, 3)
    return (statistic, time, *(record.get(name) for name in KEYS))


def _numbers(demo: Demo, page: str, **options: str) -> tuple[Number, ...]:
    params = {name: [value] for name, value in {**EVERYBODY, **options}.items()}
    decoded = decode(page, params, demo.snapshot.snapshot_id, demo.snapshot.study)
    assert decoded.problems == ()
    return answer(demo.snapshot, decoded.view).numbers


def _views(demo: Demo, population: str) -> Iterator[tuple[tuple[Number, ...], dict]]:
    """The numbers of every view of a population, and what to read differently in them."""
    study = demo.snapshot.study
    numbers = partial(_numbers, demo, **POPULATIONS[population])
    yield numbers("overview"), {}
    for threshold in ("0.0001", "0.001"):
        for missing in ("not_negative", "left_out"):
            yield numbers("response", mrd=threshold, missing=missing), {}
    for grade in ("3", "4"):
        yield numbers("toxicity", extra="no", grade=grade), {"any": "any_default"}
        yield numbers("toxicity", extra="yes", grade=grade), {"all": "any"}
    for endpoint in study.endpoints:
        yield numbers("survival", endpoint=endpoint.code), {}


def _found(demo: Demo, population: str) -> dict[tuple, Number]:
    found = {}
    for numbers, renamed in _views(demo, population):
        for number in numbers:
            record = {name: getattr(number, name) for name in (*KEYS, "time_days")}
            record["item_code"] = renamed.get(number.item_code or "", number.item_code)
            found[_key(record, number.statistic)] = number
    return found


def _wanted(population: str) -> Iterator[tuple[tuple, dict]]:
    """R's records of a population under this program's names."""
    for record in ORACLE["numbers"]:
        statistic = record["statistic"]
        if record.get("population") != population or statistic in NOT_NUMBERS:
            continue
        if record.get("denominator_code") == "sampled" or record.get("level_code") in SUMS:
            continue
        yield _key(_renamed(record), RENAMED.get(statistic, statistic)), record


RENAMED = {
    "n": "in_figure",
    "response_count": "count",
    "mrd_count": "count",
    "state_count": "events",
}


def _renamed(record: dict) -> dict:
    record = dict(record)
    if record["statistic"] in ("response_count", "mrd_count"):
        record["denominator_code"] = "enrolled"
        if record["statistic"] == "response_count":
            record["measure_code"] = "remission_by_landmark"
    if record.get("measure_code") == "remission_by_landmark":
        record["measure_code"] = "remission_morphology"
    if record["question"] == "toxicity" and record["statistic"].startswith("proportion"):
        record["denominator_code"] = "documented"
    if record["statistic"] == "log_rank_chi_square":
        record |= {"cohort": "allrez2014,allrez2016", "comparator": None}
    return record


def _close(mine: float | None, r: float | None, tolerance: float) -> bool:
    if mine is None or r is None:
        return mine is None and r is None
    return math.isclose(mine, r, rel_tol=tolerance, abs_tol=1e-12)


def _differs(mine: Number, r: dict) -> bool:
    tolerance = 1e-6 if mine.statistic == "hazard_ratio" else 1e-8
    # Comparisons end with shared follow-up: these are compared in test_survival_page_equals_r.py.
    if ", up to " in (mine.method or "") or "cohorts are compared" in (
        mine.not_estimable_reason or ""
    ):
        return False
    if r.get("reason") == "not_reached":
        return mine.estimate is not None or not _close(mine.lower, r.get("lower"), tolerance)
    if mine.estimate is None and r.get("reason") == "beyond_last_follow_up":
        return "follow-up ends" not in (mine.not_estimable_reason or "")
    if mine.estimate is None:
        return not any(said in (mine.not_estimable_reason or "") for said in UNSAID)
    names = [n for n in ("estimate", "lower", "upper", "p_value", "numerator") if n in r]
    return not all(_close(getattr(mine, name), r[name], tolerance) for name in names)


def test_the_demo_is_the_one_that_r_read(demo: Demo) -> None:
    hashes = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(demo.folder.glob("*.csv"))
    }
    assert hashes == ORACLE["made_from"]["sha256"], __doc__


@pytest.mark.parametrize("population", sorted(POPULATIONS))
def test_numbers_of_the_demo(demo: Demo, population: str) -> None:
    found = _found(demo, population)
    wanted = list(_wanted(population))
    absent = [record for key, record in wanted if key not in found]
    wrong = [
        (record, found[key])
        for key, record in wanted
        if key in found and _differs(found[key], record)
    ]
    assert len(wanted) > 400
    assert not absent, "\n".join([f"{len(absent)} of {len(wanted)}:", *map(str, absent[:20])])
    assert not wrong, "\n".join([f"{len(wrong)} of {len(wanted)}:", *map(str, wrong[:20])])
