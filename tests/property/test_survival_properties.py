"""What must hold for any data: a naive second implementation agrees, and order does not matter."""

import math

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test

from analysis.stats.counts import DayCounts, at_risk_table, day_counts
from analysis.stats.cox import hazard_ratios
from analysis.stats.limits import mover_difference
from analysis.stats.logrank import log_rank
from analysis.stats.restricted_mean import restricted_mean, restricted_mean_difference
from analysis.stats.survival import follow_up, kaplan_meier, quantile, survival_at

Patients = list[tuple[int, int]]
PATIENTS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 1)), min_size=1, max_size=60)


def counts_of(patients: Patients) -> DayCounts:
    days, states = [t for t, _ in patients], [e for _, e in patients]
    frame = pl.DataFrame(
        {"time_days": days, "state": states, "n": [1] * len(days)},
        schema={"time_days": pl.Int32, "state": pl.Int8, "n": pl.Int64},
    )
    return day_counts(frame)


def naive_survival(patients: Patients, t: float) -> float:
    s = 1.0
    for day in sorted({d for d, e in patients if e and d <= t}):
        at_risk = sum(d >= day for d, _ in patients)
        deaths = sum(d == day and e for d, e in patients)
        s *= 1 - deaths / at_risk
    return s


def naive_mean(patients: Patients, tau: float) -> float:
    edges = sorted({0.0, tau, *(float(d) for d, _ in patients if d < tau)})
    spans = zip(edges, edges[1:], strict=False)
    return sum((b - a) * naive_survival(patients, a) for a, b in spans)


def naive_log_rank(one: Patients, other: Patients) -> float | None:
    excess = variance = 0.0
    for day in sorted({d for d, e in one + other if e}):
        n1, n = sum(d >= day for d, _ in one), sum(d >= day for d, _ in one + other)
        d1 = sum(d == day and e for d, e in one)
        d = sum(x == day and e for x, e in one + other)
        excess += d1 - d * n1 / n
        if n > 1:
            variance += d * (n1 / n) * (1 - n1 / n) * (n - d) / (n - 1)
    return excess**2 / variance if variance > 1e-12 else None


@given(PATIENTS, st.integers(0, 45))
def test_the_curve_is_the_naive_one(patients: Patients, t: int) -> None:
    counts = counts_of(patients)
    found = survival_at(kaplan_meier(counts), t)
    if found.estimate is None:
        assert t > max(d for d, _ in patients)
        return
    assert found.estimate == pytest.approx(naive_survival(patients, t), abs=1e-12)
    if found.lower is not None and found.upper is not None:
        assert 0 <= found.lower <= found.estimate <= found.upper <= 1


@given(PATIENTS)
def test_the_curve_falls_and_the_table_adds_up(patients: Patients) -> None:
    counts = counts_of(patients)
    km = kaplan_meier(counts)
    heights = np.concatenate(([1.0], km.survival))
    assert (np.diff(heights) <= 1e-15).all() and heights.min() >= 0
    for row in at_risk_table(counts, (0, 1, 7.5, 40, 99)):
        assert row.at_risk + row.events + row.censored == len(patients)
    assert counts.n == len(patients)


@given(PATIENTS, st.integers(1, 40))
def test_the_restricted_mean_is_the_naive_area(patients: Patients, tau: int) -> None:
    mean = restricted_mean(kaplan_meier(counts_of(patients)), tau)
    assert mean.mean == pytest.approx(naive_mean(patients, tau), abs=1e-9)


@given(PATIENTS, PATIENTS)
def test_the_log_rank_test_is_the_naive_one(one: Patients, other: Patients) -> None:
    found, naive = log_rank((counts_of(one), counts_of(other))), naive_log_rank(one, other)
    if found.chi_square is None or naive is None:
        assert found.chi_square in (None, pytest.approx(0, abs=1e-9)) or naive is None
        return
    assert found.chi_square == pytest.approx(naive, rel=1e-8, abs=1e-10)


@given(PATIENTS, PATIENTS)
def test_swapping_cohorts_inverts_the_ratio_and_keeps_p(one: Patients, other: Patients) -> None:
    a, b = counts_of(one), counts_of(other)
    there, back = hazard_ratios((a, b))[0], hazard_ratios((b, a))[0]
    assert (there.estimate is None) == (back.estimate is None)
    if there.estimate is not None and back.estimate is not None:
        assert there.estimate * back.estimate == pytest.approx(1, rel=1e-6)
        assert there.p_value == pytest.approx(back.p_value, rel=1e-6, abs=1e-12)
        assert there.lower is not None and there.upper is not None
        assert there.lower <= there.estimate <= there.upper
    p, q = log_rank((a, b)).p_value, log_rank((b, a)).p_value
    assert (p is None) == (q is None)
    assert p is None or p == pytest.approx(q, rel=1e-8)
    m, n = (restricted_mean(kaplan_meier(x), 10) for x in (a, b))
    difference, mirrored = restricted_mean_difference(m, n), restricted_mean_difference(n, m)
    assert difference.estimate == pytest.approx(-(mirrored.estimate or 0.0))
    at = [survival_at(kaplan_meier(x), 0) for x in (a, b)]
    d, e = mover_difference(*at), mover_difference(*reversed(at))
    assert d.estimate == pytest.approx(-(e.estimate or 0.0))


@given(st.permutations([(3, 1), (3, 0), (5, 1), (8, 0), (8, 1), (0, 1)]))
def test_the_order_of_patients_does_not_matter(patients: Patients) -> None:
    counts = counts_of(list(patients))
    assert counts.day.tolist() == [0, 3, 5, 8]
    assert kaplan_meier(counts).survival.tolist() == pytest.approx([5 / 6, 2 / 3, 4 / 9, 2 / 9])


@given(PATIENTS, st.integers(2, 9))
def test_stretching_time_stretches_times_and_nothing_else(patients: Patients, k: int) -> None:
    stretched = [(t * k, e) for t, e in patients]
    a, b = kaplan_meier(counts_of(patients)), kaplan_meier(counts_of(stretched))
    assert a.survival.tolist() == b.survival.tolist()
    for find in (quantile, lambda km: follow_up(km.counts)):
        before, after = find(a).estimate, find(b).estimate
        assert (before is None) == (after is None)
        if before is not None:
            assert after == pytest.approx(before * k)


@given(PATIENTS, PATIENTS)
def test_nothing_estimable_is_ever_infinite(one: Patients, other: Patients) -> None:
    """`Estimate` refuses NaN and infinity: building every statistic is the test."""
    counts = (counts_of(one), counts_of(other), counts_of([]))
    for c in counts:
        km = kaplan_meier(c)
        for found in (quantile(km), follow_up(c), survival_at(km, 10)):
            assert found.estimate is not None or found.reason
    log_rank(counts)
    assert all(r.estimate is None and r.reason for r in hazard_ratios(counts))


def test_competing_events_are_refused() -> None:
    frame = pl.DataFrame({"time_days": [1, 2], "state": [1, 2], "n": [1, 1]})
    with pytest.raises(ValueError, match="compete"):
        day_counts(frame)


def _with_both_events(patients: Patients) -> bool:
    return len({e for _, e in patients}) == 2


@settings(max_examples=25, deadline=None)
@given(
    PATIENTS.filter(lambda p: len(p) > 15 and _with_both_events(p)),
    PATIENTS.filter(lambda p: len(p) > 15 and _with_both_events(p)),
)
@pytest.mark.filterwarnings("ignore")  # lifelines warns of what it is given; its numbers count here
def test_lifelines_agrees(one: Patients, other: Patients) -> None:
    """The second implementation: curve, log-rank and hazard ratio."""
    counts = (counts_of(one), counts_of(other))
    times, events = (np.array([p[i] for p in one + other], dtype=float) for i in (0, 1))
    group = np.array([0] * len(one) + [1] * len(other))
    theirs = KaplanMeierFitter().fit(times[group == 0], events[group == 0])
    km = kaplan_meier(counts[0])
    for day in km.counts.day:
        found = survival_at(km, float(day)).estimate
        assert found == pytest.approx(float(theirs.predict(day)), abs=1e-10)
    test = multivariate_logrank_test(times, group, events)
    ours = log_rank(counts)
    if ours.chi_square is not None and ours.chi_square > 1e-9:
        assert ours.chi_square == pytest.approx(float(test.test_statistic), rel=1e-6)
    ratio = hazard_ratios(counts)[0]
    if ratio.estimate is not None and abs(math.log(ratio.estimate)) < 3:
        # lifelines drops nobody at time 0 but cannot start there: half a day for all of them.
        frame = pd.DataFrame({"t": np.maximum(times, 0.5), "e": events, "g": group})
        fit = CoxPHFitter().fit(frame, "t", "e", fit_options={"precision": 1e-10})
        assert math.log(ratio.estimate) == pytest.approx(float(fit.params_["g"]), abs=1e-4)
