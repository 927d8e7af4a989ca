"""The fair comparison equals R step by step: glm, weights, balance, weighted curves, Cox, E-value.

Real comparisons that were not randomized (hormone treatment in rotterdam, sex in lung) and ones
that were, from R's survival package; and made edge cases for the curves.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

from analysis.stats.e_value import (
    e_value_of_hazard_ratio,
    e_value_of_risk_ratio,
    risk_ratio_of_hazard_ratio,
)
from analysis.stats.estimate import Estimate
from analysis.stats.fair_comparison import FairComparison, FairPlan, fair_comparison
from analysis.stats.propensity import common_levels, covariate_patterns, propensity
from analysis.stats.weighted_survival import (
    weighted_cohort,
    weighted_kaplan_meier,
    weighted_restricted_mean,
    weighted_standard_error_at,
    weighted_survival_at,
)
from tests.oracle.r_results import r_file, same

EXACT = 1e-8
COX = 1e-6
# R's own rounding: 1e-8 relative to numbers that are 0 by construction.
ZERO = 1e-9
R = r_file("fair")


@dataclass(frozen=True)
class Compared:
    """A case: R's results (of all or of the complete cases), its rows, ours for one target."""

    r: dict
    frame: pl.DataFrame
    ours: FairComparison

    @property
    def target(self) -> dict:
        return self.r["targets"][self.ours.plan.target]


def _frame(case: dict) -> pl.DataFrame:
    data = {k: v for k, v in case["data"].items() if k in case["covariates"]}
    return pl.DataFrame(data).with_columns(
        pl.Series("cohort_code", ["newer" if c else "older" for c in case["data"]["cohort"]]),
        pl.Series("patient_key", case["data"]["id"]),
        pl.Series("time_days", case["data"]["time"]),
        pl.Series("state", case["data"]["event"]),
    )


def _compared(name: str, target: str) -> Compared:
    name, _, complete = name.partition("/")
    case = R["cases"][name]
    frame = _frame(case)
    plan = FairPlan(
        ("older", "newer"),
        tuple(case["covariates"]),
        tuple(case["times"]),
        case["tau"],
        "newer" if target == "newer" else "overlap",
    )
    found = fair_comparison(frame, plan)
    assert (found.complete_cases is None) == ("complete_cases" not in case)
    if complete:
        assert found.complete_cases is not None
        return Compared(
            case["complete_cases"], frame.drop_nulls(case["covariates"]), found.complete_cases
        )
    return Compared(case["result"], frame, found)


NAMES = [*R["cases"], *(f"{n}/complete" for n, c in R["cases"].items() if "complete_cases" in c)]


@pytest.fixture(
    scope="module", params=[(n, t) for n in NAMES for t in ("overlap", "newer")], ids=str
)
def compared(request: pytest.FixtureRequest) -> Compared:
    return _compared(*request.param)


def _all_same(ours, r, tolerance: float, what: str) -> None:
    for k, (a, b) in enumerate(zip(ours, r, strict=True)):
        same(a, b, tolerance, f"{what} {k}")


def test_the_propensity_model(compared: Compared) -> None:
    frame, r = compared.frame, compared.r["model"]
    is_newer = (frame["cohort_code"] == "newer").to_numpy()
    patterns, _ = common_levels(covariate_patterns(frame, compared.ours.plan.covariates, is_newer))
    model = propensity(patterns)
    assert not isinstance(model, str)
    assert ["intercept", *map(str, model.terms)] == r["term"]
    assert list(map(str, model.collinear)) == r["aliased"]
    _all_same(model.fit.coefficients.tolist(), r["coefficient"], EXACT, "coefficient")
    _all_same(model.fit.standard_errors.tolist(), r["se"], EXACT, "standard error")
    same(model.fit.log_likelihood, r["log_likelihood"][0], EXACT, "log likelihood")
    score = model.score[patterns.of_row[patterns.of_row >= 0]]
    _all_same(score[:20].tolist(), compared.r["score_first"], EXACT, "score of row")
    same(float(score.sum()), compared.r["score_sum"], EXACT, "sum of scores")
    same(float((score**2).sum()), compared.r["score_squares"], EXACT, "squares of scores")


def test_who_is_used_and_the_common_support(compared: Compared) -> None:
    ours, r = compared.ours, compared.r["support"]
    assert [list(ours.n), list(ours.n_used)] == [compared.r["n"], compared.r["n_used"]]
    assert ours.propensity is not None
    support = ours.propensity.support
    _all_same((support.lower, support.upper), r["range"], EXACT, "range")
    assert list(support.n_inside) == r["inside"]
    for quartiles, expected in zip(ours.propensity.quartiles, r["quartiles"], strict=True):
        _all_same(quartiles, expected, EXACT, "quartile")


def test_weights_and_balance(compared: Compared) -> None:
    ours, r = compared.ours, compared.target
    assert ours.weights is not None and ours.spread is not None
    same(float((ours.weights**2).sum()), r["sum_squared_weights"], EXACT, "squared weights")
    keys = list(compared.frame.select("cohort_code", "patient_key").iter_rows())
    if len(set(keys)) < len(keys):  # R counts rows; here a patient carries the sum of theirs
        for cohort, effective in zip(ours.plan.cohorts, ours.spread.effective_n, strict=True):
            total = Counter[int]()
            for (code, key), weight in zip(keys, ours.weights.tolist(), strict=True):
                total[key] += weight if code == cohort else 0
            same(effective, 1 / sum(w**2 for w in total.values()), EXACT, "effective patients")
    else:
        _all_same(ours.spread.effective_n, r["effective_n"], EXACT, "effective n")
        _all_same(ours.spread.largest_share, r["largest"], EXACT, "largest weight")
    before = [row.difference_before.estimate for row in ours.balance]
    _all_same(before, compared.r["smd_before"], EXACT, "difference before")
    for row, smd in zip(ours.balance, r["smd"], strict=True):
        assert row.difference_after is not None
        assert (row.difference_after.estimate is None) == (smd is None)
        if smd is not None:
            assert row.difference_after.estimate == pytest.approx(smd, rel=EXACT, abs=ZERO)


def _same_interval(ours: Estimate, r: dict, k: int, what: str) -> None:
    same(ours.estimate, r["survival"][k], EXACT, what)
    if ours.lower is not None:
        same(ours.lower, r["lower"][k], EXACT, f"lower {what}")
        same(ours.upper, r["upper"][k], EXACT, f"upper {what}")


def test_weighted_survival(compared: Compared) -> None:
    outcome, r = compared.ours.outcome, compared.target
    assert outcome is not None
    checked = 0
    for k, (pair, difference) in enumerate(
        zip(outcome.survival, outcome.survival_difference, strict=True)
    ):
        for found, curve in zip(pair, r["curves"], strict=True):
            if found.estimate is not None and 0 < found.estimate < 1:
                _same_interval(found, curve, k, f"S at time {k}")
                checked += 1
        if difference.lower is not None:
            _same_interval(difference, r["difference"], k, f"difference at time {k}")
            checked += 1
    assert checked >= 3 * len(outcome.survival) - 4
    for curve, expected in zip(outcome.curves, r["curves"], strict=True):
        same(float(curve.survival.sum()), expected["sum_survival"], EXACT, "all days' S")
        same(float(curve.standard_error.sum()), expected["sum_se"], EXACT, "all days' se")


def test_restricted_mean_hazard_ratio_and_e_value(compared: Compared) -> None:
    outcome, r = compared.ours.outcome, compared.target
    assert outcome is not None
    for found, expected, tolerance in (
        (outcome.restricted_mean_difference, r["difference"]["rmst"], EXACT),
        (outcome.hazard_ratio, r["hazard_ratio"], COX),
    ):
        values = (found.estimate, found.lower, found.upper, found.p_value)
        _all_same(values, expected, tolerance, found.method)
    e = outcome.e_value
    _all_same((e.estimate, e.limit), r["e_value"], COX, "E-value")


@pytest.mark.parametrize("name", R["curves"])
def test_made_weighted_curves(name: str) -> None:
    case = R["curves"][name]
    r = case["result"]
    columns = (np.array(case[c]) for c in ("time", "event", "weight", "id"))
    cohort = weighted_cohort(*columns)
    curve = weighted_kaplan_meier(cohort)
    for k, t in enumerate(case["times"]):
        found = weighted_survival_at(curve, t)
        _same_interval(found, r, k, f"S({t})")
        if found.estimate is not None and 0 < found.estimate < 1:
            same(weighted_standard_error_at(curve, t), r["se"][k], EXACT, f"se({t})")
        else:
            assert found.reason and found.lower is None
    same(float(curve.survival.sum()), r["sum_survival"], EXACT, "all days' S")
    same(float(curve.standard_error.sum()), r["sum_se"], EXACT, "all days' se")
    mean = weighted_restricted_mean(cohort, case["tau"])
    _all_same((mean.mean, mean.standard_error), r["rmst"], EXACT, "restricted mean")


@pytest.mark.parametrize("case", R["e_values"], ids=lambda c: f"{c['ratio']} {c['common']}")
def test_e_values(case: dict) -> None:
    found = e_value_of_hazard_ratio(Estimate(*case["ratio"]), case["common"])
    _all_same((found.estimate, found.limit), case["e"], EXACT, "E-value")


def test_published_e_values() -> None:
    """VanderWeele & Ding, Ann Intern Med 2017;167:268: RR 3.9 (1.8 to 8.7) gives 7.26 and 3.0.

    The R package tipr documents e_value(0.9) = 1.462475 and e_value(1.3) = 1.9245.
    """
    found = e_value_of_risk_ratio(Estimate(3.9, 1.8, 8.7))
    assert (found.estimate, found.limit) == (
        pytest.approx(7.26, abs=5e-3),
        pytest.approx(3.0, abs=5e-3),
    )
    for ratio, expected in ((0.9, 1.462475), (1.3, 1.9245)):
        value = e_value_of_risk_ratio(Estimate(ratio)).estimate
        assert value == pytest.approx(expected, abs=1e-6)
    assert risk_ratio_of_hazard_ratio(1.0) == 1.0
