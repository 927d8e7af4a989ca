"""Curves, late entry, weighted and stratified tests, restricted means: R on the same rows."""

from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

from analysis.stats.counts import DayCounts, DelayedEntry, at_risk_table, delayed_entry
from analysis.stats.limits import Scale
from analysis.stats.logrank import (
    FlemingHarrington,
    largest_beyond,
    log_rank,
    max_combo,
    stratified_log_rank,
)
from analysis.stats.restricted_mean import (
    restricted_mean,
    restricted_mean_difference,
    restricted_mean_estimate,
    restricted_mean_ratio,
)
from analysis.stats.survival import (
    follow_up,
    kaplan_meier,
    quantile,
    standard_error_at,
    survival_at,
)
from tests.oracle.r_results import r_file, same

EXACT = 1e-8
R = r_file("curves")
CASES = R["cases"]
SCALES: tuple[tuple[Scale, str], ...] = (
    ("log-log", "log_log"),
    ("log", "log"),
    ("plain", "plain"),
)
LEVELS = (0.75, 0.5, 0.25)
COMPARED = sorted(name for name, case in CASES.items() if case["compared"])
each_case = pytest.mark.parametrize("name", sorted(CASES))
each_comparison = pytest.mark.parametrize("name", COMPARED)


def rows_of(name: str) -> pl.DataFrame:
    """The rows R had, in the columns the statistics take."""
    rows = pl.DataFrame(CASES[name]["rows"], strict=False)
    if "entry" not in rows.columns:
        rows = rows.with_columns(entry=pl.lit(0))
    return rows.rename({"time": "time_days", "event": "state", "entry": "entry_day"}).with_columns(
        n=pl.lit(1, pl.Int64)
    )


def by_group(rows: pl.DataFrame) -> tuple[DelayedEntry, ...]:
    return tuple(
        delayed_entry(part) for _, part in sorted(rows.partition_by("group", as_dict=True).items())
    )


@cache
def cohorts_of(name: str) -> tuple[DayCounts, ...]:
    return tuple(found.counts for found in by_group(rows_of(name)))


def strata_of(name: str) -> tuple[tuple[DayCounts, ...], ...]:
    """Every stratum with all cohorts, in order; one without patients is a cohort of nobody."""
    rows = rows_of(name)
    groups, strata = rows["group"].unique().sort(), rows["stratum"].unique().sort()
    return tuple(
        tuple(delayed_entry(rows.filter(group=g, stratum=s)).counts for g in groups) for s in strata
    )


def groups_of(name: str) -> list[tuple[DayCounts, dict[str, Any]]]:
    return list(zip(cohorts_of(name), CASES[name]["groups"].values(), strict=True))


def listed(x: Any) -> list:
    return x if isinstance(x, list) else [x]


@each_case
def test_who_is_at_risk(name: str) -> None:
    times = CASES[name]["times"]
    for counts, r in groups_of(name):
        assert (counts.n, counts.n_events) == (r["n"], r["events"])
        for i, row in enumerate(at_risk_table(counts, tuple(times))):
            columns = ("at_risk", "events_before", "censored_before", "not_entered")
            told = (row.at_risk, row.events, row.censored, row.not_entered)
            assert told == tuple(listed(r[column])[i] for column in columns)
            assert sum(told) == counts.n


@each_case
def test_who_was_never_at_risk_is_counted(name: str) -> None:
    found = by_group(rows_of(name))
    assert sum(x.n_never_at_risk for x in found) == CASES[name]["never_at_risk"]


@each_case
@pytest.mark.parametrize(("scale", "key"), SCALES)
def test_the_curve_and_its_limits(name: str, scale: Scale, key: str) -> None:
    for counts, r in groups_of(name):
        km = kaplan_meier(counts, scale)
        for i, t in enumerate(CASES[name]["times"]):
            found = survival_at(km, t)
            if found.estimate is None:  # R carries the curve on and back; here it is not estimable
                assert t > r["last"] or counts.at_risk_at(np.array([t])) == 0
                continue
            same(found.estimate, r[key]["survival"][i], EXACT, f"S({t})")
            if 0 < found.estimate < 1:
                same(found.lower, r[key]["lower"][i], EXACT, f"lower at {t}")
                same(found.upper, r[key]["upper"][i], EXACT, f"upper at {t}")
                same(standard_error_at(km, t), r[key]["se"][i], EXACT, f"se at {t}")


@each_case
@pytest.mark.parametrize(("scale", "key"), SCALES)
def test_quartiles_and_their_limits(name: str, scale: Scale, key: str) -> None:
    for counts, r in groups_of(name):
        for level, expected in zip(LEVELS, r[key]["quantiles"], strict=True):
            found = quantile(kaplan_meier(counts, scale), level)
            for ours, theirs in zip(
                (found.estimate, found.lower, found.upper), expected, strict=True
            ):
                same(ours, theirs, EXACT, f"S = {level}")


@each_case
def test_follow_up(name: str) -> None:
    for counts, r in groups_of(name):
        found = follow_up(counts)
        for ours, theirs in zip(
            (found.estimate, found.lower, found.upper), r["follow_up"], strict=True
        ):
            same(ours, theirs, EXACT, "follow-up")


@each_case
def test_restricted_means(name: str) -> None:
    for counts, r in groups_of(name):
        mean = restricted_mean(kaplan_meier(counts), CASES[name]["tau"])
        same(mean.mean, r["rmst"][0], EXACT, "mean")
        same(mean.standard_error, r["rmst"][1], EXACT, "se")


@each_comparison
def test_two_restricted_means(name: str) -> None:
    one, other, *_ = (
        restricted_mean(kaplan_meier(c), CASES[name]["tau"]) for c in cohorts_of(name)
    )
    for compare, key in (
        (restricted_mean_difference, "difference"),
        (restricted_mean_ratio, "ratio"),
    ):
        found, r = compare(one, other), CASES[name]["compared"][key]
        same(found.estimate, r[0], EXACT, key)
        if not one.standard_error and not other.standard_error:
            assert found.lower is None and found.p_value is None and found.reason
            continue
        for ours, theirs in zip((found.lower, found.upper, found.p_value), r[1:], strict=True):
            same(ours, theirs, EXACT, key)


def chi_squares(name: str, stratified: bool) -> list[float | None]:
    weights = [FlemingHarrington(*w) for w in CASES[name]["compared"]["weights"]]
    strata = strata_of(name) if stratified else (cohorts_of(name),)
    return [stratified_log_rank(strata, w).chi_square for w in weights]


def check_tests(ours: list[float | None], r: dict[str, Any]) -> None:
    for found, theirs in zip(ours, r["by_definition"], strict=True):
        same(found, theirs, EXACT, "by definition")
    # R's own: log-rank, then G(1, 0) and G(0.5, 0), which it has without delayed entry only.
    for place, theirs in zip((0, 1, 4), listed(r["by_survival"]), strict=False):
        if ours[place] is not None:
            same(ours[place], theirs, EXACT, "of the survival package")


@each_comparison
def test_weighted_log_rank(name: str) -> None:
    check_tests(chi_squares(name, stratified=False), CASES[name]["compared"])


@pytest.mark.parametrize("name", [n for n in COMPARED if "stratified" in CASES[n]["compared"]])
def test_stratified_log_rank(name: str) -> None:
    check_tests(chi_squares(name, stratified=True), CASES[name]["compared"]["stratified"])


@pytest.mark.parametrize("name", [n for n in COMPARED if "max_combo" in CASES[n]["compared"]])
def test_max_combo(name: str) -> None:
    one, other = cohorts_of(name)
    found, r = max_combo((one, other)), CASES[name]["compared"]["max_combo"]
    for ours, theirs in zip(found.z, r["z"], strict=True):
        same(ours, theirs, EXACT, "z")
    if "p" in r:
        assert found.p_value == pytest.approx(r["p"], rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("r", R["largest"])
def test_the_largest_of_correlated_normals(r: dict[str, Any]) -> None:
    found = largest_beyond(r["bound"], np.array(r["corr"]))
    assert found == pytest.approx(r["p"], rel=1e-6 if len(r["corr"]) < 4 else 1e-5, abs=1e-9)


def test_klein_and_moeschberger_table_of_weights() -> None:
    """Survival Analysis, 2nd edition 2003, table 7.3 (p. 210): kidney dialysis, two placements.

    Printed: the log-rank test 2.53, p = 0.112; Fleming-Harrington (p, q) = (0, 1) 9.67, 0.002;
    (1, 0) 1.39, 0.239; (1, 1) 9.83, 0.002; (0.5, 0.5) 9.28, 0.002; (0.5, 2) 8.18, 0.004.
    """
    printed = {
        (0, 0): (2.53, 0.112),
        (0, 1): (9.67, 0.002),
        (1, 0): (1.39, 0.239),
        (1, 1): (9.83, 0.002),
        (0.5, 0.5): (9.28, 0.002),
        (0.5, 2): (8.18, 0.004),
    }
    for weight, (chi_square, p) in printed.items():
        found = log_rank(cohorts_of("kidney"), FlemingHarrington(*weight))
        assert found.chi_square == pytest.approx(chi_square, abs=0.006)
        assert found.p_value == pytest.approx(p, abs=0.0006)


def test_klein_and_moeschberger_curve_of_6_mp() -> None:
    """The same book, table 4.1 (p. 93) and the mean of section 4.5: 6-MP, weeks in remission.

    Printed: S and its standard error at every relapse; a mean of 23.29 weeks within 35, its
    standard error 2.83.
    """
    printed = {
        6: (0.857, 0.0764),
        7: (0.807, 0.0869),
        10: (0.753, 0.0963),
        13: (0.690, 0.1068),
        16: (0.627, 0.1141),
        22: (0.538, 0.1282),
        23: (0.448, 0.1346),
    }
    km = kaplan_meier(cohorts_of("drug6mp")[1])
    for week, (survival, error) in printed.items():
        assert survival_at(km, week).estimate == pytest.approx(survival, abs=0.0006)
        assert standard_error_at(km, week) == pytest.approx(error, abs=0.00006)
    mean = restricted_mean(km, 35)
    assert mean.mean == pytest.approx(23.29, abs=0.006)
    assert mean.standard_error == pytest.approx(2.83, abs=0.006)


def test_channing_house_says_what_late_entry_does() -> None:
    """The men's curve falls to 0 at 781 months, with two at risk, and R leaves it there."""
    men, women = (kaplan_meier(c) for c in cohorts_of("channing")[::-1])
    found = survival_at(men, 1000)
    assert (found.estimate, found.lower) == (0, None)
    assert found.reason == "the curve falls to 0 on day 781, with 1 at risk and 94 not yet entered"
    assert quantile(men).reason == (
        "a step of the curve on day 777 with only 2 at risk and 94 not yet entered"
    )
    start = survival_at(women, 700)
    assert (start.estimate, start.reason) == (None, "nobody is at risk up to day 733")
    mean = restricted_mean_estimate(restricted_mean(men, 1000))
    assert mean.reason == found.reason
