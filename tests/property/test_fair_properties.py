"""What must hold for any two cohorts: naive second implementations, order, names, swapping."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.stats.counts import Array
from analysis.stats.estimate import Estimate
from analysis.stats.fair_comparison import (
    FairComparison,
    FairPlan,
    WeightedOutcome,
    fair_comparison,
)
from analysis.stats.propensity import (
    common_levels,
    covariate_patterns,
    level_counts,
    pattern_weights,
    propensity,
)
from analysis.stats.restricted_mean import restricted_mean
from analysis.stats.survival import kaplan_meier
from analysis.stats.weighted_survival import (
    WeightedCohort,
    weighted_cohort,
    weighted_kaplan_meier,
    weighted_restricted_mean,
)

Rows = tuple[Array, Array, Array, Array]
SEEDS = st.integers(0, 10**6)
PLAN = FairPlan(("older", "newer"), ("site", "risk", "age"), (20.0, 45.0), 40.0)


def enrollments(seed: int, n: int = 130) -> pl.DataFrame:
    """Two cohorts that differ in three covariates, one of them with missing values; few days."""
    rng = np.random.default_rng(seed)
    newer = rng.permutation(n) < n // 2
    levels = [rng.integers(0, k, n) for k in (2, 2, 3)]
    levels[1] = np.where(newer & (rng.random(n) < 0.4), 1, levels[1])
    time = np.minimum(rng.exponential(40 + 20 * levels[1]), rng.uniform(60, 90, n)).astype(int)
    frame = pl.DataFrame({c: x for c, x in zip(PLAN.covariates, levels, strict=True)})
    return frame.with_columns(
        pl.when(pl.Series(rng.random(n) > 0.06)).then("age").alias("age"),
        pl.Series("cohort_code", np.where(newer, "newer", "older")),
        pl.Series("patient_key", np.arange(n)),
        pl.Series("time_days", time),
        pl.Series("state", (rng.random(n) < 0.8).astype(int)),
    )


def rows(seed: int, n: int = 40, patients: int | None = None) -> Rows:
    """Days with many ties, events, weights, and whose row it is."""
    rng = np.random.default_rng(seed)
    whose = rng.integers(0, patients, n) if patients else np.arange(n)
    return rng.integers(0, 12, n), rng.integers(0, 2, n), rng.exponential(1, n) + 0.05, whose


def outcome_of(found: FairComparison) -> WeightedOutcome:
    assert found.is_offered, found.reasons
    assert found.outcome is not None
    return found.outcome


def numbers(found: FairComparison) -> list[float | None]:
    """Everything that a page would show."""
    outcome, spread = outcome_of(found), found.spread
    assert spread is not None
    shown: list[float | None] = [*spread.effective_n, *spread.largest_share]
    pairs = (estimate for pair in outcome.survival for estimate in pair)
    for e in (
        *pairs,
        *outcome.survival_difference,
        outcome.restricted_mean_difference,
        outcome.hazard_ratio,
    ):
        shown += [e.estimate, e.lower, e.upper, e.p_value]
    return [*shown, outcome.e_value.estimate, outcome.e_value.limit]


def alike(one: list[float | None], other: list[float | None]) -> None:
    for a, b in zip(one, other, strict=True):
        assert (a is None) == (b is None)
        assert a is None or a == pytest.approx(b, rel=1e-7, abs=1e-9)


@settings(max_examples=6)
@given(SEEDS)
def test_order_and_names_do_not_matter(seed: int) -> None:
    frame = enrollments(seed)
    expected = numbers(fair_comparison(frame, PLAN))
    shuffled = frame.sample(fraction=1, shuffle=True, seed=seed)
    renamed = shuffled.with_columns(
        pl.col("site").replace_strict({0: "z", 1: "a"}),
        pl.col("risk") * -7,
        pl.col("patient_key").cast(pl.String) + "x",
    )
    for other in (shuffled, renamed):
        alike(numbers(fair_comparison(other, PLAN)), expected)
    backwards = replace(PLAN, covariates=PLAN.covariates[::-1])
    alike(numbers(fair_comparison(frame, backwards)), expected)


@settings(max_examples=6)
@given(SEEDS)
def test_a_covariate_that_is_the_same_for_all_changes_nothing(seed: int) -> None:
    frame = enrollments(seed).with_columns(pl.lit("all").alias("whole"))
    plan = replace(PLAN, covariates=("whole", *PLAN.covariates))
    assert numbers(fair_comparison(frame, plan)) == numbers(fair_comparison(frame, PLAN))


def _negated(e: Estimate) -> list[float | None]:
    return [None if x is None else -x for x in (e.estimate, e.upper, e.lower)]


@settings(max_examples=6)
@given(SEEDS)
def test_swapping_the_reference_negates_differences_and_inverts_the_ratio(seed: int) -> None:
    frame = enrollments(seed)
    there = outcome_of(fair_comparison(frame, PLAN))
    back = outcome_of(fair_comparison(frame, replace(PLAN, cohorts=("newer", "older"))))
    for a, b in zip(there.survival, back.survival, strict=True):
        assert a[0].estimate == pytest.approx(b[1].estimate)
    for a, b in zip(
        (*there.survival_difference, there.restricted_mean_difference),
        (*back.survival_difference, back.restricted_mean_difference),
        strict=True,
    ):
        alike([a.estimate, a.lower, a.upper], _negated(b))
    one, other = there.hazard_ratio, back.hazard_ratio
    for a, b in ((one.estimate, other.estimate), (one.lower, other.upper)):
        assert a is not None and b is not None and a * b == pytest.approx(1, rel=1e-7)
    assert one.p_value == pytest.approx(other.p_value)
    alike([there.e_value.limit], [back.e_value.limit])


@settings(max_examples=25)
@given(SEEDS)
def test_overlap_weights_balance_every_level_exactly(seed: int) -> None:
    """Li, Morgan & Zaslavsky 2018, theorem 3; and newer-cohort weights balance the fitted odds."""
    frame = enrollments(seed)
    is_newer = (frame["cohort_code"] == "newer").to_numpy()
    patterns, _ = common_levels(covariate_patterns(frame, PLAN.covariates, is_newer))
    model = propensity(patterns)
    assert not isinstance(model, str)
    weights = pattern_weights(model, patterns.counts, "overlap")
    for j in range(3):
        shares = level_counts(patterns, j, patterns.counts * weights)
        assert shares.sum(axis=0).tolist() == pytest.approx([1, 1])
        assert shares[:, 0].tolist() == pytest.approx(shares[:, 1].tolist(), abs=1e-12)
    # The likelihood's gradient is 0: as many patients of the newer cohort as the model expects.
    expected = model.score @ patterns.counts.sum(axis=1)
    assert expected == pytest.approx(patterns.n[1], rel=1e-10)
    assert patterns.counts.sum() == (patterns.of_row >= 0).sum()


@settings(max_examples=25)
@given(SEEDS)
def test_weights_of_one_give_the_unweighted_curve(seed: int) -> None:
    time, event, weight, _ = rows(seed)
    for w in (np.ones_like(weight), np.full_like(weight, 0.3)):
        cohort = weighted_cohort(time, event, w)
        curve, plain = weighted_kaplan_meier(cohort), kaplan_meier(cohort.patients)
        assert curve.survival == pytest.approx(plain.survival, abs=1e-12)
        inside = plain.survival > 0
        greenwood = plain.survival[inside] * np.sqrt(plain.log_variance[inside])
        assert curve.standard_error[inside] == pytest.approx(greenwood, abs=1e-12)
        assert curve.lower == pytest.approx(plain.lower, nan_ok=True)
        assert curve.upper == pytest.approx(plain.upper, nan_ok=True)
        ours, mean = weighted_restricted_mean(cohort, 8), restricted_mean(plain, 8)
        assert ours.mean == pytest.approx(mean.mean)
        assert ours.standard_error == pytest.approx(mean.standard_error, abs=1e-12)


def naive_survival(time: Array, event: Array, weight: Array, t: float) -> float:
    s = 1.0
    for day in sorted({d for d, e in zip(time, event, strict=True) if e and d <= t}):
        at_risk = sum(w for d, w in zip(time, weight, strict=True) if d >= day)
        dead = sum(w for d, e, w in zip(time, event, weight, strict=True) if d == day and e)
        s *= 1 - dead / at_risk
    return s


def naive_mean(time: Array, event: Array, weight: Array, tau: float) -> float:
    edges = [*range(int(tau)), tau]
    spans = zip(edges, edges[1:], strict=False)
    return sum((b - a) * naive_survival(time, event, weight, a) for a, b in spans)


Statistic = Callable[[Array, Array, Array, float], float]


def naive_error(statistic: Statistic, rows: Rows, t: float) -> float:
    """The jackknife by hand: move each weight a little, add up what a patient's rows do."""
    time, event, weight, whose = rows
    moved: dict[int, float] = {}
    for i, w in enumerate(weight):
        up, down = weight.copy(), weight.copy()
        up[i], down[i] = w * (1 + 1e-5), w * (1 - 1e-5)
        slope = statistic(time, event, up, t) - statistic(time, event, down, t)
        moved[whose[i]] = moved.get(whose[i], 0.0) + slope / 2e-5
    return float(np.sqrt(sum(x**2 for x in moved.values())))


@settings(max_examples=10)
@given(SEEDS, st.sampled_from([None, 7]), st.integers(0, 11))
def test_curve_and_errors_are_the_naive_ones(seed: int, patients: int | None, t: int) -> None:
    data = rows(seed, 25, patients)
    cohort = weighted_cohort(*data)
    curve = weighted_kaplan_meier(cohort)
    k = int(np.searchsorted(cohort.day, t, side="right")) - 1
    if k >= 0 and curve.survival[k] > 1e-12:
        assert curve.survival[k] == pytest.approx(naive_survival(*data[:3], t), abs=1e-12)
        error = naive_error(naive_survival, data, t)
        assert curve.standard_error[k] == pytest.approx(error, rel=1e-6, abs=1e-9)
    mean = weighted_restricted_mean(cohort, 9)
    assert mean.mean == pytest.approx(naive_mean(*data[:3], 9))
    error = naive_error(naive_mean, data, 9)
    assert mean.standard_error == pytest.approx(error, rel=1e-6, abs=1e-9)


def curve_numbers(cohort: WeightedCohort, stretch: float = 1) -> list[float]:
    curve, mean = weighted_kaplan_meier(cohort), weighted_restricted_mean(cohort, 9 * stretch)
    arrays = (curve.survival, curve.standard_error)
    times = (mean.mean / stretch, mean.standard_error / stretch)
    return [*np.concatenate(arrays).tolist(), *times]


@settings(max_examples=25)
@given(SEEDS, st.sampled_from([None, 9]))
def test_what_leaves_a_weighted_curve_as_it_is(seed: int, patients: int | None) -> None:
    """Another unit of weight or time; a row of weight 0; each row as two of half the weight."""
    time, event, weight, whose = rows(seed, 40, patients)
    expected = curve_numbers(weighted_cohort(time, event, weight, whose))
    heavier = weighted_cohort(time, event, weight * 1e-3, whose)
    halves = [np.repeat(x, 2) for x in (time, event, weight / 2, whose)]
    shuffled = np.random.default_rng(seed).permutation(80)
    split = weighted_cohort(*(x[shuffled] for x in halves))
    added = weighted_cohort(
        np.append(time, 5), np.append(event, 1), np.append(weight, 0), np.append(whose, 99)
    )
    for cohort in (heavier, split, added):
        assert curve_numbers(cohort) == pytest.approx(expected, rel=1e-9, abs=1e-11)
    stretched = weighted_cohort(time * 30, event, weight, whose)
    assert curve_numbers(stretched, 30) == pytest.approx(expected, rel=1e-9, abs=1e-11)


@settings(max_examples=6)
@given(SEEDS)
def test_no_number_is_ever_infinite(seed: int) -> None:
    """`Estimate` refuses NaN and infinity: building the answer is the test."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(80, 120))
    frame = pl.DataFrame(
        {
            "site": rng.integers(0, 2, n),
            "risk": rng.integers(0, 3, n),
            "age": rng.integers(0, 2, n),
            "cohort_code": rng.choice(["older", "newer"], n),
            "patient_key": rng.integers(0, n // 2, n),
            "time_days": rng.integers(0, rng.integers(1, 60), n),
            "state": (rng.random(n) < rng.random() / 5).astype(int),
        }
    )
    for target in ("overlap", "newer"):
        plan = replace(PLAN, target="newer" if target == "newer" else "overlap")
        found = fair_comparison(frame, plan)
        assert found.is_offered == (found.outcome is not None)
        if found.outcome is None:
            continue
        for e in (*found.outcome.survival_difference, found.outcome.hazard_ratio):
            assert e.lower is not None or e.reason
