"""Gray's test, the Fine-Gray model, cause-specific hazards and late entries equal R.

Public data (mgus2, bone marrow transplants, myeloid), the example of cmprsk's own tests, made ties.
"""

import math

import polars as pl
import pytest

from analysis.stats.competing import (
    StateCounts,
    aalen_johansen,
    cause_specific_hazard_ratios,
    delayed_state_counts,
    incidence_at,
    incidence_error_at,
    state_at_risk_table,
    state_counts,
    state_probabilities,
)
from analysis.stats.cox import cox_fit
from analysis.stats.estimate import Z
from analysis.stats.fine_gray import FineGrayFit, fine_gray_fit, subdistribution_hazard_ratios
from analysis.stats.gray import GrayTest, gray_test, stratified_gray_test
from analysis.stats.survival import standard_error_at
from tests.oracle.r_results import r_file, same

EXACT, COX, GRAY, FINE_GRAY = 1e-8, 1e-6, 1e-6, 1e-5
R = r_file("gray")
CASES, LATE = R["cases"], R["late"]


def _counts(rows: pl.DataFrame, n_states: int) -> StateCounts:
    return state_counts(rows.rename({"time": "time_days"}), n_states)


def _rows(case: dict) -> pl.DataFrame:
    return pl.DataFrame(case["counts"], schema_overrides={"time": pl.Float64})


def _cohorts(case: dict) -> tuple[StateCounts, ...]:
    rows = _rows(case)
    codes = rows["cohort"].unique().sort()
    return tuple(_counts(rows.filter(pl.col("cohort") == c), case["n_states"]) for c in codes)


def _strata(case: dict) -> tuple[tuple[StateCounts, ...], ...]:
    rows, n_states = _rows(case), case["n_states"]
    codes = rows["cohort"].unique().sort()
    return tuple(
        tuple(
            _counts(rows.filter((pl.col("stratum") == s) & (pl.col("cohort") == c)), n_states)
            for c in codes
        )
        for s in rows["stratum"].unique().sort()
    )


@pytest.fixture(params=sorted(CASES))
def case(request: pytest.FixtureRequest) -> dict:
    return CASES[request.param]


def _same_test(found: GrayTest, r: dict | None, what: str) -> None:
    if r is None:
        assert found.chi_square is None and found.reason, what
        return
    assert found.degrees_of_freedom == r["df"], what
    same(found.chi_square, r["chi_square"], GRAY, f"{what}: chi-square")
    same(found.p_value, r["p"], GRAY, f"{what}: p")
    assert sum(found.expected) == pytest.approx(sum(found.observed)), what


def test_gray(case: dict) -> None:
    cohorts = _cohorts(case)
    for state, r in enumerate(case["states"], start=1):
        _same_test(gray_test(cohorts, state), r["gray"], f"state {state}")


def test_gray_stratified(case: dict) -> None:
    if "stratum" not in case["counts"]:
        return
    strata = _strata(case)
    for state, r in enumerate(case["states"], start=1):
        _same_test(stratified_gray_test(strata, state), r["stratified"], f"state {state}")


def test_fine_gray(case: dict) -> None:
    cohorts = _cohorts(case)
    for state, expected in enumerate(case["states"], start=1):
        fit, r = fine_gray_fit(cohorts, state), expected["fine_gray"]
        if r is None:
            assert isinstance(fit, str)
            continue
        assert isinstance(fit, FineGrayFit)
        same_all(fit.coefficients.tolist(), r["beta"], FINE_GRAY, f"beta of state {state}")
        same_all(fit.standard_errors.tolist(), r["se"], FINE_GRAY, f"se of state {state}")
        for ours, theirs in zip(fit.covariance.tolist(), r["covariance"], strict=True):
            same_all(ours, theirs, FINE_GRAY, f"covariance of state {state}")
        ratios = subdistribution_hazard_ratios(cohorts, state)
        for ratio, b, se in zip(ratios, r["beta"], r["se"], strict=True):
            same(ratio.estimate, math.exp(b), FINE_GRAY, "ratio")
            same(ratio.lower, math.exp(b - Z * se), FINE_GRAY, "lower")
            same(ratio.upper, math.exp(b + Z * se), FINE_GRAY, "upper")
            same(ratio.p_value, math.erfc(abs(b / se) / math.sqrt(2)), FINE_GRAY, "p")


def same_all(ours: list[float], r: list[float], relative: float, what: str) -> None:
    for one, theirs in zip(ours, r, strict=True):
        same(one, theirs, relative, what)


def test_cause_specific_hazards(case: dict) -> None:
    cohorts = _cohorts(case)
    for state, expected in enumerate(case["states"], start=1):
        ratios, r = cause_specific_hazard_ratios(cohorts, state), expected["cause_specific"]
        if r is None:
            assert all(ratio.estimate is None and ratio.reason for ratio in ratios)
            continue
        fit = cox_fit(tuple(c.cause_specific(state) for c in cohorts))
        assert not isinstance(fit, str)
        same_all(fit.coefficients.tolist(), r["beta"], COX, "beta")
        same_all(fit.standard_errors.tolist(), r["se"], COX, "se")
        same_all([x.estimate or 0 for x in ratios], [math.exp(b) for b in r["beta"]], COX, "ratio")


def test_the_output_that_cmprsk_ships() -> None:
    """cmprsk 2.2-9, tests/test.Rout.save: stratified tests 3.393977 and 1.989511, p 0.1832345 and

    0.3698139, 2 df; crr(ss, cc, cv[, 1]): coefficient -0.1753, standard error 0.354.
    """
    strata = _strata(CASES["cmprsk_test"])
    for state, chi_square, p in ((1, 3.393977, 0.1832345), (2, 1.989511, 0.3698139)):
        found = stratified_gray_test(strata, state)
        assert found.chi_square == pytest.approx(chi_square, abs=5e-7)
        assert found.p_value == pytest.approx(p, abs=5e-8)
    fit = fine_gray_fit(_cohorts(CASES["cmprsk_test_covariate"]), 1)
    assert isinstance(fit, FineGrayFit)
    assert fit.coefficients[0] == pytest.approx(-0.1753, abs=5e-5)
    assert fit.standard_errors[0] == pytest.approx(0.354, abs=5e-4)


@pytest.mark.parametrize("name", sorted(LATE))
def test_late_entries(name: str) -> None:
    r, n_states = LATE[name], LATE[name]["n_states"]
    rows = pl.DataFrame(r["counts"]).rename({"time": "time_days", "entry": "entry_day"})
    found = delayed_state_counts(rows, n_states)
    fit = aalen_johansen(found.counts)
    assert found.n_never_at_risk == r["n_never"]
    assert found.counts.n == sum(r["counts"]["n"]) - r["n_never"]
    for i, day in enumerate(r["times"]):
        probabilities = state_probabilities(fit, day)
        assert not isinstance(probabilities, str)
        ours = [probabilities.event_free, *probabilities.by_state]
        same_all(ours, r["probability"][i], EXACT, f"P({day})")
        assert state_at_risk_table(found.counts, (day,))[0].at_risk == r["at_risk"][i]
        if 0 < probabilities.event_free < 1:
            error = standard_error_at(fit.event_free, day)
            same(error, r["event_free_se"][i], EXACT, f"Greenwood at {day}")
        for state in range(1, n_states + 1):
            _same_incidence(fit, state, day, r["se"][i][state - 1])


def _same_incidence(fit, state: int, day: float, se: float) -> None:
    """The standard error, and the log(-log) limits that it gives."""
    found, error = incidence_at(fit, state, day), incidence_error_at(fit, state, day)
    if error is None:
        assert se == 0 and found.lower is None and found.reason
        return
    same(error, se, EXACT, f"se at {day}")
    f = found.estimate
    assert f is not None
    factor = math.exp(Z * se / (f * math.log(f)))
    same(found.lower, f ** (1 / factor), EXACT, f"lower at {day}")
    same(found.upper, f**factor, EXACT, f"upper at {day}")
