"""Cox regression equals R: strata, Firth's penalty, forests, proportionality; and a textbook."""

from functools import cache

import polars as pl
import pytest

from analysis.stats.counts import DayCounts, day_counts
from analysis.stats.cox import CoxFit, cox_fit, hazard_ratios
from analysis.stats.firth import FirthFit, firth_fit, firth_hazard_ratios
from analysis.stats.forest import FIRTH_METHOD, METHOD, forest, interaction
from analysis.stats.logrank import log_rank
from analysis.stats.proportionality import Proportionality, Transform, proportionality
from tests.oracle.r_results import r_file, same

COX = 1e-9
FIRTH = 1e-7
R = r_file("cox")
TRANSFORMS: tuple[Transform, ...] = ("km", "identity", "rank")
STRATIFIED = sorted(name for name, model in R["models"].items() if "stratified" in model)


def _counts(rows: pl.DataFrame) -> DayCounts:
    frame = rows.select(pl.col("time").alias("time_days"), pl.col("event").alias("state"), "n")
    if "entry" not in rows.columns:
        return day_counts(frame)
    return day_counts(frame, rows.select(pl.col("entry").alias("time_days"), "n"))


@cache
def strata_of(part: str, name: str, stratified: bool) -> tuple[tuple[DayCounts, ...], ...]:
    """The cohorts of R's data, in one stratum or in theirs; cohorts stay where they are empty."""
    data = R[part][name].get("data") or R["models"][name]["data"]
    rows = pl.DataFrame(data)
    groups = rows["group"].unique().sort()
    strata = rows.partition_by("stratum") if stratified else [rows]
    return tuple(tuple(_counts(s.filter(pl.col("group") == g)) for g in groups) for s in strata)


def _same_all(ours, r: list, tolerance: float, what: str) -> None:
    assert len(ours) == len(r), what
    for position, (x, y) in enumerate(zip(ours, r, strict=True)):
        same(float(x), y, tolerance, f"{what} {position}")


def _same_fit(fit: CoxFit | str, r: dict) -> None:
    assert not isinstance(fit, str), fit
    assert fit.n_events == r["n_events"]
    assert fit.degrees_of_freedom == len(r["beta"])
    _same_all(fit.coefficients, r["beta"], COX, "beta")
    _same_all(fit.standard_errors, r["se"], COX, "se")
    _same_all(fit.covariance.ravel(), r["covariance"], COX, "covariance")
    for test in ("likelihood_ratio", "wald", "score"):
        same(getattr(fit, test), r[test], COX, test)


@pytest.mark.parametrize("name", sorted(R["models"]))
def test_one_stratum(name: str) -> None:
    _same_fit(cox_fit(*strata_of("models", name, False)), R["models"][name]["plain"])


@pytest.mark.parametrize("name", STRATIFIED)
def test_strata(name: str) -> None:
    _same_fit(cox_fit(*strata_of("models", name, True)), R["models"][name]["stratified"])


def _same_tests(found: Proportionality, r: dict) -> None:
    assert found.reason is None
    tests = (*found.by_cohort, found.overall)
    for test, chi_square, p in zip(tests, r["chi_square"], r["p"], strict=True):
        same(test.chi_square, chi_square, COX, "chi-square")
        same(test.p_value, p, COX, "p")
    assert found.overall.degrees_of_freedom == len(found.by_cohort)


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("name", sorted(R["models"]))
def test_proportionality(name: str, transform: Transform) -> None:
    r = R["models"][name]
    for stratified, key in ((False, "zph"), (True, "zph_stratified")):
        if key in r:
            strata = strata_of("models", name, stratified)
            found = proportionality(*strata, transform=transform, least_events=1)
            _same_tests(found, r[key][transform])
            assert found.n_events + found.n_events_at_origin == r["plain"]["n_events"]


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_proportionality_with_the_origin(transform: Transform) -> None:
    strata = strata_of("models", "day_0", False)
    found = proportionality(*strata, transform=transform, after_origin=False)
    _same_tests(found, R["models"]["day_0"]["zph_from_0"][transform])
    assert found.n_events_at_origin == 0
    rows = pl.DataFrame(R["models"]["day_0"]["data"]).filter(pl.col("time") == 0)
    assert proportionality(*strata).n_events_at_origin == (rows["event"] * rows["n"]).sum() > 0


@pytest.mark.parametrize("name", sorted(R["firth"]))
def test_firth(name: str) -> None:
    r = R["firth"][name]
    strata = strata_of("firth", name, r["stratified"])
    fit = firth_fit(*strata)
    assert isinstance(fit, FirthFit), fit
    _same_all(fit.coefficients, r["beta"], FIRTH, "beta")
    _same_all(fit.standard_errors, r["se"], FIRTH, "se")
    _same_all(fit.lower, r["lower"], FIRTH, "lower")
    _same_all(fit.upper, r["upper"], FIRTH, "upper")
    _same_all(fit.p_values, r["p"], FIRTH, "p")
    same(fit.likelihood_ratio, r["likelihood_ratio"], FIRTH, "likelihood ratio")
    for found, p in zip(firth_hazard_ratios(*strata), r["p"], strict=True):
        same(found.p_value, p, FIRTH, "p of the estimate")


def _forest_frame(part: str, name: str) -> pl.DataFrame:
    data = R[part][name].get("data") or R["models"][name]["data"]
    named = {"time": "time_days", "event": "state", "group": "cohort_code", "stratum": "subgroup"}
    return pl.DataFrame(data).rename(named)


@pytest.mark.parametrize("name", sorted(R["forests"]))
def test_forest_and_interaction(name: str) -> None:
    r = R["forests"][name]
    frame = _forest_frame("forests", name)
    found = forest(frame, 0, 1)
    finite = found.filter(pl.col("reason").is_null()).to_dicts()
    assert [row["subgroup"] for row in finite] == [row["stratum"] for row in r["rows"]]
    for ours, row in zip(finite, r["rows"], strict=True):
        assert [ours["n_reference"], ours["n_other"]] == row["n"]
        assert [ours["n_events_reference"], ours["n_events_other"]] == row["n_events"]
        keys = {"log_hazard_ratio": "beta", "standard_error": "se", "p_value": "p"}
        for key in (*keys, "lower", "upper"):
            same(ours[key], row[keys.get(key, key)], COX, f"{key} of {row['stratum']}")
    test = interaction(frame, 0, 1)
    assert test.degrees_of_freedom == r["interaction"]["df"]
    assert test.method == METHOD
    same(test.chi_square, r["interaction"]["chi_square"], COX, "chi-square")
    same(test.p_value, r["interaction"]["p"], COX, "p")


def test_an_interaction_with_levels_without_events() -> None:
    r = R["penalized_forests"]["mended"]
    frame = _forest_frame("penalized_forests", "mended")
    test = interaction(frame, 0, 1)
    assert (list(test.levels), test.left_out, test.method) == (r["levels"], (), FIRTH_METHOD)
    assert test.degrees_of_freedom == r["interaction"]["df"]
    same(test.chi_square, r["interaction"]["chi_square"], FIRTH, "chi-square")
    same(test.p_value, r["interaction"]["p"], FIRTH, "p")


STAINED = (
    [5, 8, 10, 13, 18, 24, 26, 26, 31, 35, 40, 41, 48, 50, 59, 61, 68, 71, 113, 118, 143],
    [76, 105, 107, 109, 116, 154, 162, 188, 212, 217, 225],
)
UNSTAINED = ([23, 47, 69, 148, 181], [70, 71, 100, 101, 198, 208, 212, 224])


def _rows(events: list[int], censored: list[int]) -> DayCounts:
    state = [1] * len(events) + [0] * len(censored)
    return day_counts(pl.DataFrame({"time_days": events + censored, "state": state, "n": 1}))


def test_the_published_staining_example() -> None:
    """Collett, Modelling Survival Data in Medical Research: 45 women with breast cancer.

    Stained against not: log-rank 3.515, hazard ratio 2.48, standard error 0.501. There with
    Breslow's ties, of which the data have one pair (0.908; Efron's gives 0.909).
    """
    cohorts = (_rows(*UNSTAINED), _rows(*STAINED))
    fit = cox_fit(cohorts)
    assert isinstance(fit, CoxFit)
    assert log_rank(cohorts).chi_square == pytest.approx(3.515, abs=5e-4)
    assert hazard_ratios(cohorts)[0].estimate == pytest.approx(2.48, abs=5e-3)
    assert fit.coefficients[0] == pytest.approx(0.908, abs=2e-3)
    assert fit.standard_errors[0] == pytest.approx(0.501, abs=5e-4)
