"""What must hold for any competing events and any proportions: naive seconds, sums, mirrors."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.stats.competing import (
    AalenJohansen,
    StateCounts,
    aalen_johansen,
    incidence_at,
    incidence_error_at,
    state_at_risk_table,
    state_counts,
    state_probabilities,
)
from analysis.stats.counts import day_counts
from analysis.stats.proportion import clopper_pearson, newcombe_difference, wilson
from analysis.stats.survival import kaplan_meier

STATES = 3
Patients = list[tuple[int, int]]
DAYS = st.integers(0, 12)
PATIENTS = st.lists(st.tuples(DAYS, st.integers(0, STATES)), min_size=1, max_size=40)
ONE_STATE = st.lists(st.tuples(DAYS, st.integers(0, 1)), min_size=1, max_size=40)
FEW = settings(max_examples=50, deadline=None)
COUNTS = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def frame_of(patients: Patients) -> pl.DataFrame:
    days, states = [t for t, _ in patients], [e for _, e in patients]
    return pl.DataFrame(
        {"time_days": days, "state": states, "n": [1] * len(days)},
        schema={"time_days": pl.Int32, "state": pl.Int8, "n": pl.Int64},
    )


def fit_of(patients: Patients, n_states: int = STATES) -> AalenJohansen:
    return aalen_johansen(state_counts(frame_of(patients), n_states))


def naive_incidence(patients: Patients, state: int, t: float, weights: list) -> complex:
    """F of patients with weights: every day walked, everybody looked at each time."""
    free, incidence = 1.0 + 0j, 0j
    weighted = list(zip(patients, weights, strict=True))
    for day in sorted({d for d, e in patients if e and d <= t}):
        at_risk = sum(w for (d, _), w in weighted if d >= day)
        entered = sum(w for (d, e), w in weighted if d == day and e == state)
        left = sum(w for (d, e), w in weighted if d == day and e)
        incidence += free * entered / at_risk
        free *= 1 - left / at_risk
    return incidence


def naive_error(patients: Patients, state: int, t: float) -> float:
    """The infinitesimal jackknife by its definition.

    The derivative by one patient's weight is the imaginary part of a complex step: no rounding.
    """
    step, total = 1e-30, 0.0
    for i in range(len(patients)):
        weights = [1 + (step * 1j if j == i else 0) for j in range(len(patients))]
        total += (naive_incidence(patients, state, t, weights).imag / step) ** 2
    return total**0.5


@FEW
@given(PATIENTS, st.integers(1, STATES), st.integers(0, 13))
def test_the_incidence_is_the_naive_one(patients: Patients, state: int, day: int) -> None:
    fit = fit_of(patients)
    found = incidence_at(fit, state, day)
    if found.estimate is None:
        assert day > max(d for d, _ in patients) and found.reason
        return
    naive = naive_incidence(patients, state, day, [1] * len(patients)).real
    assert found.estimate == pytest.approx(naive, abs=1e-12)
    error = incidence_error_at(fit, state, day)
    assert error or found.estimate in (0, 1)
    assert (error or 0) == pytest.approx(naive_error(patients, state, day), rel=1e-9, abs=1e-12)
    if found.lower is not None and found.upper is not None:
        assert 0 <= found.lower <= found.estimate <= found.upper <= 1


@FEW
@given(PATIENTS)
def test_the_states_add_to_one_and_never_fall(patients: Patients) -> None:
    fit = fit_of(patients)
    assert (fit.event_free.survival + fit.cif.sum(axis=1)).tolist() == pytest.approx(
        [1] * fit.counts.day.size, abs=1e-12
    )
    assert (np.diff(fit.cif, axis=0, prepend=0) >= 0).all() and fit.cif.max() <= 1
    assert not fit.standard_error[(fit.cif == 0) | (fit.cif == 1)].any()
    for day in (-1.0, *fit.counts.day):
        found = state_probabilities(fit, day)
        assert not isinstance(found, str)
        assert found.event_free + sum(found.by_state) == pytest.approx(1, abs=1e-12)
    for row in state_at_risk_table(fit.counts, (0, 1, 7.5, 12, 99)):
        assert row.at_risk + sum(row.events) + row.censored == len(patients)


@FEW
@given(ONE_STATE)
def test_one_state_is_one_minus_kaplan_meier(patients: Patients) -> None:
    fit, km = fit_of(patients, n_states=1), kaplan_meier(day_counts(frame_of(patients)))
    assert np.abs(fit.cif[:, 0] - (1 - km.survival)).max() <= 1e-12
    assert ((fit.cif[:, 0] == 1) == (km.survival == 0)).all()
    inside = (km.survival > 0) & (km.survival < 1)
    greenwood = km.survival[inside] * np.sqrt(km.log_variance[inside])
    assert fit.standard_error[inside, 0].tolist() == pytest.approx(greenwood.tolist(), rel=1e-9)


@FEW
@given(st.lists(st.tuples(DAYS, st.integers(1, STATES)), min_size=1, max_size=40), DAYS)
def test_without_censoring_it_is_a_proportion(patients: Patients, day: int) -> None:
    fit, n = fit_of(patients), len(patients)
    for state in range(1, STATES + 1):
        p = sum(d <= day and e == state for d, e in patients) / n
        assert incidence_at(fit, state, day).estimate == pytest.approx(p, abs=1e-12)
        error = incidence_error_at(fit, state, day)
        assert error is None or error == pytest.approx((p * (1 - p) / n) ** 0.5, rel=1e-9)


@FEW
@given(PATIENTS, st.randoms(use_true_random=False), st.integers(1, 5))
def test_neither_order_nor_repeats_of_rows_matter(patients: Patients, random, times: int) -> None:
    shuffled = patients * times
    random.shuffle(shuffled)
    once = frame_of(patients).with_columns(n=pl.lit(times, pl.Int64))
    once = pl.concat((once, frame_of([(99, 1)]).with_columns(n=pl.lit(0, pl.Int64))))  # nobody
    ours, theirs = aalen_johansen(state_counts(once, STATES)), fit_of(shuffled)
    assert ours.cif.tolist() == theirs.cif.tolist()
    assert ours.standard_error.tolist() == theirs.standard_error.tolist()


@FEW
@given(PATIENTS)
def test_a_state_that_nobody_enters_changes_nothing(patients: Patients) -> None:
    narrow, wide = fit_of(patients), fit_of(patients, n_states=STATES + 2)
    assert wide.cif[:, :STATES].tolist() == narrow.cif.tolist()
    assert wide.standard_error[:, :STATES].tolist() == narrow.standard_error.tolist()
    assert not wide.cif[:, STATES:].any() and not wide.standard_error[:, STATES:].any()


def test_millions_on_thousands_of_days_keep_their_digits() -> None:
    """Nearly all gone by the end and one rare state: the running sums lose no more than 1e-8.

    The second way sums the module's formula day by day, without multiplying it out.
    """
    rng = np.random.default_rng(7)
    events = np.column_stack((rng.poisson(900, 4000), rng.poisson(100, 4000), np.zeros(4000)))
    events = events.astype(np.int64)
    events[[1700, 3200], 2] = 1
    events[-1] = 0, 7, 0
    counts = StateCounts(np.arange(4000.0), events, rng.poisson(1, 4000))
    fit = aalen_johansen(counts)
    before = np.concatenate(([1.0], fit.event_free.survival[:-1]))
    n, h = counts.at_risk, counts.events.sum(axis=1) / counts.at_risk
    for row in (0, 1, 1699, 1700, 2500, 3990, 3998, 3999):
        s = slice(0, row + 1)
        for k in range(3):
            x, to_come = counts.events[s, k] / n[s], fit.cif[row, k] - fit.cif[s, k]
            after = np.divide(to_come, 1 - h[s], out=np.zeros(row + 1), where=h[s] < 1)
            spread = before[s] ** 2 * x * (1 - x) - 2 * before[s] * x * to_come
            variance = ((spread + after**2 * h[s] * (1 - h[s])) / n[s]).sum()
            assert fit.standard_error[row, k] == pytest.approx(variance**0.5, rel=1e-8)


@FEW
@given(COUNTS)
def test_an_interval_holds_its_proportion_and_mirrors(counts: tuple[int, int]) -> None:
    x, n = counts
    for interval in (wilson, clopper_pearson):
        found, mirrored = interval(x, n), interval(n - x, n)
        assert found.lower is not None and found.estimate is not None and found.upper is not None
        assert 0 <= found.lower <= found.estimate <= found.upper <= 1
        assert found.lower == pytest.approx(1 - (mirrored.upper or 0.0), abs=1e-12)


@FEW
@given(COUNTS, COUNTS)
def test_swapping_cohorts_turns_the_difference(one: tuple[int, int], two: tuple[int, int]) -> None:
    there, back = newcombe_difference(*one, *two), newcombe_difference(*two, *one)
    assert there.estimate is not None and there.lower is not None and there.upper is not None
    assert there.estimate == -(back.estimate or 0.0)
    assert (there.lower, there.upper) == pytest.approx((-(back.upper or 0), -(back.lower or 0)))
    assert -1 <= there.lower <= there.estimate <= there.upper <= 1
