"""When a fair comparison is not offered or not balanced, and why; input that leaves no answer."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from analysis.stats.balance import largest_difference
from analysis.stats.e_value import e_value_of_hazard_ratio, is_common
from analysis.stats.estimate import Estimate, not_estimable
from analysis.stats.fair_comparison import FairComparison, FairPlan, fair_comparison
from analysis.stats.propensity import SEPARATED
from analysis.stats.weighted_survival import (
    weighted_cohort,
    weighted_kaplan_meier,
    weighted_restricted_mean_difference,
    weighted_survival_at,
    weighted_survival_difference,
)
from tests.spec.tables import rows

PLAN = FairPlan(("2006", "2016"), ("site", "risk"), (100.0,), 100.0)
SCHEMA = {"cohort_code": pl.String, "site": pl.String, "risk": pl.String, "patient_key": pl.Int64}


def enrollments(table: str) -> pl.DataFrame:
    """Lines `cohort site risk n` as n enrollments each; `-` is missing. Times differ, half die."""
    made: list[tuple[str | None, ...]] = []
    for line in rows("\n".join(filter(str.strip, table.splitlines()))):
        levels = (None if line[c] == "-" else line[c] for c in ("site", "risk"))
        made += [(line["cohort"], *levels)] * int(line["n"])
    keyed = [(*row, k) for k, row in enumerate(made)]
    frame = pl.DataFrame(keyed, schema=SCHEMA, orient="row")
    k = pl.col("patient_key")
    return frame.with_columns((k * 37 % 300).alias("time_days"), (k % 2).alias("state"))


def answer(table: str, target: str = "overlap") -> FairComparison:
    plan = replace(PLAN, target="newer" if target == "newer" else "overlap")
    return fair_comparison(enrollments(table), plan)


BALANCED = """
    cohort site   risk n
    2006   marrow low  25
    2006   marrow high 15
    2006   other  low  20
    2006   other  high 20
    2016   marrow low  15
    2016   marrow high 20
    2016   other  low  15
    2016   other  high 25
"""


def test_a_comparison_that_is_offered_and_balanced() -> None:
    found = answer(BALANCED)
    assert found.is_offered and found.is_balanced_enough and found.complete_cases is None
    assert found.propensity is not None and found.outcome is not None
    assert found.propensity.terms == ("site = marrow", "risk = low")
    assert found.weights is not None and found.weights[:80].sum() == pytest.approx(1)
    before, after = found.largest_differences
    assert before is not None and before > 0.1
    assert after == pytest.approx(0, abs=1e-8)
    assert "overlap weights" in found.estimand and "Not randomized" in found.estimand
    newer = answer(BALANCED, "newer")
    assert newer.estimand.startswith("2016 against 2006 among the patients of 2016")
    assert newer.weights is not None
    assert newer.weights[80:].tolist() == pytest.approx([1 / 75] * 75)


@pytest.mark.parametrize("n", [0, 1, 39])
def test_a_cohort_of_fewer_than_forty_is_too_few(n: int) -> None:
    found = answer(f"""
        cohort site   risk n
        2006   marrow low  30
        2006   other  high 30
        2016   marrow low  {n}
    """)
    assert not found.is_offered and found.outcome is None
    # A level that only one cohort has goes first: what is left counts.
    assert f"too few to adjust: {n} patients in 2016, at least 40 needed" in found.reasons


def test_nobody_at_all() -> None:
    found = fair_comparison(enrollments("cohort site risk n"), PLAN)
    assert found.n == (0, 0) and found.propensity is None
    assert found.reasons == (
        "too few to adjust: 0 patients in 2006, at least 40 needed",
        "too few to adjust: 0 patients in 2016, at least 40 needed",
    )
    assert [row.difference_before.reason for row in found.balance] == ["no patients"] * 2


def test_ten_patients_of_the_smaller_cohort_per_parameter() -> None:
    lines = [f"{c} {s} {r} 5" for c in (2006, 2016) for s in "abc" for r in "uvw"]
    found = answer("\n".join(["cohort site risk n", *lines]))
    assert found.is_offered  # 45 patients, 4 parameters
    more = [f"{c} {s} {r} 3" for c in (2006, 2016) for s in "abcd" for r in "uvwx"]
    assert answer("\n".join(["cohort site risk n", *more])).reasons == (
        "too few to adjust: 48 patients in the smaller cohort for 6 parameters, at least 60 needed",
    )


def test_a_level_of_one_cohort_is_left_out_and_counted() -> None:
    found = answer(
        BALANCED
        + """
        2006   eye    low  4
        2006   -      low  2
        2016   marrow very 3
    """
    )
    assert found.n == (86, 78) and found.n_used == (80, 75)
    assert found.left_out_in_words == (
        "only 2006 has site = eye: 4 left out",
        "only 2006 has site = missing: 2 left out",
        "only 2016 has risk = very: 3 left out",
    )
    plain = answer(BALANCED)
    assert found.outcome is not None and plain.outcome is not None
    assert found.weights is not None and (found.weights == 0).sum() == 9
    assert found.balance[0].before.sum() == 164  # before: everybody


def test_leaving_out_can_make_another_level_one_sided() -> None:
    found = answer(
        BALANCED
        + """
        2006   eye    very 4
        2016   marrow very 3
    """
    )
    assert found.left_out_in_words == (
        "only 2006 has site = eye: 4 left out",
        "only 2016 has risk = very: 3 left out",
    )
    assert found.n_used == (80, 75)


def test_no_level_in_common_leaves_nobody() -> None:
    found = answer("""
        cohort site   risk n
        2006   marrow low  50
        2016   other  low  50
    """)
    assert found.n_used == (0, 0)
    assert found.reasons[0] == "too few to adjust: 0 patients in 2006, at least 40 needed"


def test_covariates_that_together_tell_the_cohorts_apart() -> None:
    """Both cohorts have every level, but nobody of 2006 has both, nobody of 2016 has neither."""
    found = answer("""
        cohort site   risk n
        2006   marrow low  30
        2006   marrow high 15
        2006   other  low  15
        2016   marrow high 15
        2016   other  low  15
        2016   other  high 30
    """)
    assert found.reasons == (SEPARATED,) and found.propensity is None


def test_too_little_common_support() -> None:
    found = answer("""
        cohort site   risk n
        2006   marrow low  50
        2006   marrow high 15
        2006   other  low  15
        2006   other  high 2
        2016   marrow high 15
        2016   other  low  15
        2016   other  high 30
    """)
    assert found.reasons == (
        "too few to adjust: 92 of 142 patients (64.8%) in the range of propensity that both"
        " cohorts have, at least 80% needed",
    )


@pytest.mark.parametrize("covariates", [(), ("site",), ("site", "site")])
def test_nothing_to_adjust_for(covariates: tuple[str, ...]) -> None:
    frame = enrollments("""
        cohort site   risk n
        2006   marrow low  50
        2016   marrow low  60
    """)
    found = fair_comparison(frame, replace(PLAN, covariates=covariates))
    assert found.reasons == ("no covariate differs between patients: nothing to adjust for",)


def test_a_column_that_another_determines_costs_no_parameter() -> None:
    frame = enrollments(BALANCED).with_columns(pl.col("site").replace("marrow", "bone").alias("bm"))
    found = fair_comparison(frame, replace(PLAN, covariates=("site", "bm", "risk")))
    assert found.propensity is not None
    assert found.propensity.collinear == ("bm = bone",)
    plain = fair_comparison(frame, PLAN)
    assert found.weights is not None and plain.weights is not None
    assert found.weights == pytest.approx(plain.weights, rel=1e-9)


FEW_COUNT_FOR_ALL = """
    cohort site   risk n
    2006   marrow low  57
    2006   other  low  3
    2016   marrow low  5
    2016   other  low  55
"""


def test_weights_on_too_few_patients_fail_with_their_figures() -> None:
    found = answer(FEW_COUNT_FOR_ALL, "newer")
    assert found.is_offered and not found.is_balanced_enough
    assert found.outcome is not None  # computed all the same
    assert found.failures == (
        "effective patients in 2006: 3.6 of 60 (5.9%), below 50%",
        "effective patients in 2006: 3.6, below 30",
        "one patient has 30.6% of 2006's weight, above 10%",
    )


def test_covariates_still_different_after_weighting_fail_with_their_figures() -> None:
    """The model adds sites and risks up; the cohorts differ in how the two go together."""
    table = """
        cohort site   risk n
        2006   marrow low  45
        2006   marrow high 5
        2006   other  low  5
        2006   other  high 30
        2016   marrow low  30
        2016   marrow high 60
        2016   other  low  25
        2016   other  high 5
    """
    found = answer(table, "newer")
    assert found.failures == (
        "site: standardized difference 0.177, above 0.10",
        "risk: standardized difference 0.256, above 0.10",
    )
    # Overlap weights balance the levels exactly, whatever the model misses.
    assert answer(table).is_balanced_enough


def test_fewer_than_a_hundred_patients_may_differ_by_0_20() -> None:
    lines = """
        2006 marrow low  20
        2006 marrow high 3
        2006 other  low  4
        2006 other  high 15
        2016 marrow low  12
        2016 marrow high 18
        2016 other  low  10
        2016 other  high 4
    """
    few = answer("cohort site risk n" + lines, "newer")
    assert sum(few.n_used) == 86 and few.is_balanced_enough
    twice = answer("cohort site risk n" + lines + lines, "newer")
    assert twice.failures == ("risk: standardized difference 0.152, above 0.10",)


def test_missing_is_a_level_and_complete_cases_are_the_sensitivity() -> None:
    found = answer(
        BALANCED
        + """
        2006   -      low  6
        2016   -      high 7
    """
    )
    assert found.propensity is not None and "site = missing" in found.propensity.terms
    assert found.n_used == (86, 82) and found.balance[0].levels == ("marrow", "other", None)
    complete, plain = found.complete_cases, answer(BALANCED)
    assert complete is not None and complete.complete_cases is None
    assert complete.weights is not None and plain.weights is not None
    assert complete.weights.tolist() == plain.weights.tolist()


def test_a_child_in_both_cohorts_is_counted() -> None:
    frame = enrollments(BALANCED).with_columns(pl.col("patient_key").replace({154: 0, 153: 1}))
    found = fair_comparison(frame, PLAN)
    assert found.n_in_both == 2 and found.is_offered


@pytest.mark.parametrize(
    ("day", "state", "reason"),
    [
        (pl.lit(50), pl.lit(0), "a cohort without events"),
        (pl.col("time_days"), pl.lit(0), "a cohort without events"),
        (pl.lit(0), pl.lit(1), ""),
        (pl.lit(0), pl.lit(0), "a cohort without events"),
        (pl.lit(200), pl.lit(1), ""),
        (pl.col("time_days"), (pl.col("cohort_code") == "2006").cast(pl.Int64), "without events"),
    ],
)
def test_outcomes_that_tell_nothing(day: pl.Expr, state: pl.Expr, reason: str) -> None:
    frame = enrollments(BALANCED).with_columns(day.alias("time_days"), state.alias("state"))
    outcome = fair_comparison(frame, PLAN).outcome
    assert outcome is not None
    ratio, mean = outcome.hazard_ratio, outcome.restricted_mean_difference
    assert reason in (ratio.reason or "") and (ratio.estimate is None) == bool(ratio.reason)
    assert (outcome.e_value.estimate is None) == (ratio.estimate is None)
    for found in (*outcome.survival_difference, mean):
        assert found.lower is not None or found.reason


def test_follow_up_that_ends_before_tau_or_the_milestone() -> None:
    frame = enrollments(BALANCED).with_columns(pl.min_horizontal("time_days", 80))
    frame = frame.with_columns(
        pl.when(pl.col("time_days") == 80).then(0).otherwise(1).alias("state")
    )
    outcome = fair_comparison(frame, PLAN).outcome
    assert outcome is not None
    assert outcome.restricted_mean_difference.reason == "follow-up ends on day 80"
    assert outcome.survival_difference[0].reason == "follow-up ends on day 80"


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("cohort_code", "1996", "155 rows with a cohort other than 2006 and 2016"),
        ("state", 2, "155 rows with a state other than 0 and 1"),
        ("time_days", -1, "155 rows with a missing or negative day"),
        ("time_days", None, "155 rows with a missing or negative day"),
        ("time_days", float("nan"), "155 rows with a missing or negative day"),
        ("patient_key", None, "155 rows with no patient key"),
        ("site", 3.5, "site: numbers must be banded into levels first"),
    ],
)
def test_impossible_input_is_refused(column: str, values: object, message: str) -> None:
    frame = enrollments(BALANCED).with_columns(pl.lit(values).alias(column))
    with pytest.raises(ValueError, match=message):
        fair_comparison(frame, PLAN)


def test_weighted_curves_without_an_answer() -> None:
    nobody = weighted_cohort(*np.zeros((3, 0)))
    weightless = weighted_cohort(np.array([3, 4]), np.array([1, 0]), np.zeros(2))
    some = weighted_cohort(np.array([2, 5, 9]), np.array([1, 1, 0]), np.array([0.5, 1, 2]))
    for empty in (nobody, weightless):
        curve = weighted_kaplan_meier(empty)
        assert curve.survival.size == 0
        assert weighted_survival_at(curve, 5).reason == "no patients"
        difference = weighted_survival_difference(curve, weighted_kaplan_meier(some), 5)
        assert difference.reason == "no patients"
        mean = weighted_restricted_mean_difference(some, empty, 5)
        assert mean.reason == "a cohort without patients"
    same_time = weighted_restricted_mean_difference(some, some, 2)
    assert (same_time.estimate, same_time.lower) == (0, None)
    with pytest.raises(ValueError, match="must be above 0"):
        weighted_restricted_mean_difference(some, some, 0)
    for time, event, weight in (([1], [2], [1]), ([-1], [1], [1]), ([1], [1], [-1])):
        with pytest.raises(ValueError, match="compete|negative"):
            weighted_cohort(np.array(time), np.array(event), np.array(weight))


def test_e_values_without_an_answer() -> None:
    missing = e_value_of_hazard_ratio(not_estimable("no events in either cohort"), True)
    assert (missing.estimate, missing.reason) == (None, "no events in either cohort")
    open_ended = e_value_of_hazard_ratio(Estimate(2.0), False)
    assert open_ended.limit is None and open_ended.reason == "the ratio has no interval"
    null = e_value_of_hazard_ratio(Estimate(1.0, 0.5, 2.0), False)
    assert (null.estimate, null.limit) == (1, 1)
    touching = e_value_of_hazard_ratio(Estimate(1.5, 1.0, 2.0), False)
    assert touching.limit == 1
    with pytest.raises(ValueError, match="above 0"):
        e_value_of_hazard_ratio(Estimate(0.5, 0.0, 1.0), False)
    assert (is_common(3, 20), is_common(4, 20), is_common(0, 0)) == (False, True, False)


def test_no_covariate_has_no_largest_difference() -> None:
    assert largest_difference([]) is None
    assert largest_difference([None, not_estimable("no patients")]) is None


def test_enrollments_of_one_patient_count_once() -> None:
    """Six patients a cohort with eight enrollments each are six, not forty-eight."""
    row = np.arange(96)
    newer = row // 8 % 2 == 0
    frame = pl.DataFrame(
        {
            "cohort_code": np.where(newer, "new", "old"),
            "patient_key": row // 8,
            "A": np.where(row % 3 == 0, "x", "y"),
            "time_days": 1 + row % 40,
            "state": row % 2,
        }
    )
    found = fair_comparison(frame, FairPlan(("old", "new"), ("A",), (20.0,), 30.0))
    assert found.reasons[0] == "too few to adjust: 6 patients in old, at least 40 needed"
    assert not found.is_offered
