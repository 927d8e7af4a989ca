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

from analysis.stats.common_window import common_window, completeness
from analysis.stats.counts import DayCounts, at_risk_table, day_counts, delayed_entry
from analysis.stats.cox import hazard_ratios
from analysis.stats.limits import mover_difference
from analysis.stats.logrank import (
    FlemingHarrington,
    log_rank,
    max_combo,
    stratified_log_rank,
)
from analysis.stats.restricted_mean import (
    restricted_mean,
    restricted_mean_difference,
    restricted_mean_ratio,
)
from analysis.stats.survival import KaplanMeier, follow_up, kaplan_meier, quantile, survival_at

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


# With delayed entry: (entry day, last day, state), in order of nothing.
Late = list[tuple[int, int, int]]
LATE = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 25), st.integers(0, 1)), min_size=1, max_size=30
)
WEIGHTS = st.builds(FlemingHarrington, st.sampled_from([0, 0.5, 1]), st.sampled_from([0, 0.5, 1]))
few = settings(max_examples=25, deadline=None)


def late_counts(patients: Late) -> DayCounts:
    rows = dict(zip(("entry_day", "time_days", "state"), zip(*patients, strict=True), strict=True))
    schema = {"entry_day": pl.Int32, "time_days": pl.Int32, "state": pl.Int8}
    frame = pl.DataFrame(rows if patients else [], schema=schema).with_columns(n=pl.lit(1))
    return delayed_entry(frame).counts


def is_at_risk(patient: tuple[int, int, int], day: float) -> bool:
    entry, last, _ = patient
    return last >= day and (entry == 0 or entry < day)


def ever_at_risk(patients: Late) -> Late:
    return [p for p in patients if p[0] == 0 or p[0] < p[1]]


def naive_late_survival(patients: Late, t: float) -> float:
    s = 1.0
    for day in sorted({d for _, d, e in ever_at_risk(patients) if e and d <= t}):
        at_risk = [p for p in patients if is_at_risk(p, day)]
        s *= 1 - sum(d == day and e for _, d, e in at_risk) / len(at_risk)
    return s


def naive_test(strata: list[tuple[Late, Late]], weight: FlemingHarrington) -> float | None:
    """A weighted, stratified log-rank chi-square of two cohorts, patient by patient."""
    excess = variance = 0.0
    for one, other in strata:
        both, s = ever_at_risk(one + other), 1.0
        for day in sorted({d for _, d, e in both if e}):
            at_risk = [p for p in both if is_at_risk(p, day)]
            n, n1 = len(at_risk), sum(is_at_risk(p, day) for p in ever_at_risk(one))
            d = sum(last == day and e for _, last, e in at_risk)
            d1 = sum(last == day and e for _, last, e in ever_at_risk(one))
            w = s**weight.rho * (1 - s) ** weight.gamma
            excess += w * (d1 - d * n1 / n)
            if n > 1:
                variance += w**2 * d * (n1 / n) * (1 - n1 / n) * (n - d) / (n - 1)
            s *= 1 - d / n
    return excess**2 / variance if variance > 1e-12 else None


@few
@given(LATE, st.integers(0, 26))
def test_the_late_curve_is_the_naive_one(patients: Late, t: int) -> None:
    counts = late_counts(patients)
    row = at_risk_table(counts, (t,))[0]
    assert row.at_risk == sum(is_at_risk(p, t) for p in ever_at_risk(patients))
    assert row.at_risk + row.events + row.censored + row.not_entered == counts.n
    found = survival_at(kaplan_meier(counts), t)
    if found.estimate is None:
        assert found.reason
        return
    assert found.estimate == pytest.approx(naive_late_survival(patients, t), abs=1e-12)
    if found.lower is not None and found.upper is not None:
        assert 0 <= found.lower <= found.estimate <= found.upper <= 1


@few
@given(LATE, LATE, LATE, LATE, WEIGHTS)
def test_weights_strata_and_late_entry_are_the_naive_ones(
    a: Late, b: Late, c: Late, d: Late, weight: FlemingHarrington
) -> None:
    strata = ((late_counts(a), late_counts(b)), (late_counts(c), late_counts(d)))
    found, naive = stratified_log_rank(strata, weight), naive_test([(a, b), (c, d)], weight)
    assert (found.chi_square is None) == (naive is None)
    if naive is not None:
        assert found.chi_square == pytest.approx(naive, rel=1e-8, abs=1e-10)
    again = stratified_log_rank(strata[::-1], weight).chi_square
    assert again == (None if naive is None else pytest.approx(found.chi_square, rel=1e-9))
    alone = stratified_log_rank(strata[:1], weight), log_rank(strata[0], weight)
    assert alone[0] == alone[1]


@few
@given(PATIENTS, st.data())
def test_a_patient_seen_in_two_stretches_is_one_patient(
    patients: Patients, data: st.DataObject
) -> None:
    """(0, t] is (0, t1] without an event and then (t1, t]: nothing but n changes."""
    whole: Late = [(0, t, e) for t, e in patients]
    split: Late = []
    for _, t, e in whole:
        cut = data.draw(st.integers(0, t))
        split += [(0, t, e)] if cut in (0, t) else [(0, cut, 0), (cut, t, e)]
    one, other = kaplan_meier(late_counts(whole)), kaplan_meier(late_counts(split))
    for t in (0, 1, 7, 20, 40):
        assert _height(other, t) == pytest.approx(_height(one, t), abs=1e-12)
    reference = counts_of(patients[:3] + [(5, 1), (9, 0)])
    tests = [log_rank((reference, km.counts)).chi_square for km in (one, other)]
    assert tests[0] == (None if tests[1] is None else pytest.approx(tests[1], rel=1e-8, abs=1e-10))
    means = [restricted_mean(km, 10) for km in (one, other)]
    assert means[0].mean == pytest.approx(means[1].mean, abs=1e-9)
    assert means[0].standard_error == pytest.approx(means[1].standard_error, abs=1e-9)


def _height(km: KaplanMeier, t: float) -> float:
    return float(np.concatenate(([1.0], km.survival))[np.searchsorted(km.counts.day, t, "right")])


@few
@given(LATE, st.permutations(range(5)))
def test_who_was_never_at_risk_changes_nothing(patients: Late, order: list[int]) -> None:
    never: Late = [(4, 4, 1), (9, 2, 0), (9, 9, 0), (20, 1, 1), (3, 0, 1)]
    more = [never[i] for i in order] + patients[::-1]
    a, b = late_counts(patients), late_counts(more)
    assert a.n == b.n == len(ever_at_risk(patients))
    assert kaplan_meier(a).survival.tolist() == kaplan_meier(b).survival.tolist()
    assert at_risk_table(a, (0, 5, 9)) == at_risk_table(b, (0, 5, 9))


@few
@given(LATE)
def test_counted_rows_are_the_single_rows(patients: Late) -> None:
    names = ("entry_day", "time_days", "state")
    rows = pl.DataFrame(patients, schema=list(names), orient="row")
    counted = delayed_entry(rows.group_by(names).len("n"))
    single = delayed_entry(rows.with_columns(n=pl.lit(1)))
    assert counted.n_never_at_risk == single.n_never_at_risk
    assert counted.n_events_never_at_risk == single.n_events_never_at_risk
    assert at_risk_table(counted.counts, (0, 3, 9)) == at_risk_table(single.counts, (0, 3, 9))
    assert (kaplan_meier(counted.counts).survival == kaplan_meier(single.counts).survival).all()


def stretched(patients: Patients) -> DayCounts:
    return counts_of([(7 * t, e) for t, e in patients])


@settings(max_examples=15, deadline=None)
@given(PATIENTS, PATIENTS, WEIGHTS)
def test_swapping_and_stretching_leave_the_tests_alone(
    one: Patients, other: Patients, weight: FlemingHarrington
) -> None:
    a, b = counts_of(one), counts_of(other)
    there, back = max_combo((a, b)), max_combo((b, a))
    slow = max_combo((stretched(one), stretched(other)))
    for mirrored, sign in ((back, -1), (slow, 1)):
        for z, y in zip(there.z, mirrored.z, strict=True):
            assert (z is None) == (y is None)
            assert z is None or z == pytest.approx(sign * (y or 0.0), rel=1e-7, abs=1e-9)
        assert (there.p_value is None) == (mirrored.p_value is None)
        if there.p_value is not None:
            assert there.p_value == pytest.approx(mirrored.p_value, rel=1e-5)
    single, test = max_combo((a, b), (weight,)), log_rank((a, b), weight)
    assert (single.p_value is None) == (test.p_value is None)
    if test.p_value is not None:
        assert single.p_value == pytest.approx(test.p_value, rel=1e-8, abs=1e-12)
        assert there.p_value is not None and 0 <= there.p_value <= 1


@few
@given(PATIENTS, PATIENTS)
def test_swapping_inverts_the_ratio_of_means(one: Patients, other: Patients) -> None:
    m, n = (restricted_mean(kaplan_meier(counts_of(x)), 10) for x in (one, other))
    there, back = restricted_mean_ratio(m, n), restricted_mean_ratio(n, m)
    assert (there.estimate is None) == (back.estimate is None)
    if there.estimate is not None and back.estimate is not None:
        assert there.estimate * back.estimate == pytest.approx(1)
        assert (there.lower is None) == (back.upper is None)
    if there.lower is not None and back.upper is not None:
        assert there.lower * back.upper == pytest.approx(1)
        assert there.p_value == pytest.approx(back.p_value, rel=1e-8)


@few
@given(st.lists(PATIENTS, min_size=1, max_size=3), st.integers(1, 5))
def test_the_common_window_is_the_naive_one(cohorts: list[Patients], fewest: int) -> None:
    ends = [sorted((t for t, _ in patients), reverse=True) for patients in cohorts]
    expected = [float(days[fewest - 1]) if len(days) >= fewest else None for days in ends]
    found = common_window(tuple(counts_of(patients) for patients in cohorts), fewest)
    assert [own.estimate for own in found.by_cohort] == expected
    known = [day for day in expected if day is not None]
    assert found.day.estimate == (min(known) if len(known) == len(expected) else None)


@few
@given(PATIENTS, st.integers(0, 30), st.integers(1, 60))
def test_completeness_is_the_naive_one(patients: Patients, more: int, until: int) -> None:
    frame = pl.DataFrame(
        {
            "followed_days": [t for t, _ in patients],
            "potential_days": [t + more * (i % 3) for i, (t, _) in enumerate(patients)],
            "state": [e for _, e in patients],
            "n": [1] * len(patients),
        }
    )
    seen = sum(min(t, until) for t, _ in patients)
    possible = sum(min(t if e else t + more * (i % 3), until) for i, (t, e) in enumerate(patients))
    found = completeness(frame, until=until)
    assert found.estimate == (pytest.approx(seen / possible) if possible else None)
    assert completeness(frame.reverse(), until=until) == found
