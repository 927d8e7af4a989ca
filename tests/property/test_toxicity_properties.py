"""What must hold for any toxicity: naive second ways, units, order, mirrors."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import stdtrit

from analysis.stats.competing import aalen_johansen, incidence_at
from analysis.stats.estimate import Estimate
from analysis.stats.toxicity import (
    PerPatient,
    burden_difference,
    false_discovery_rates,
    first_event_counts,
    grade_days,
    mean_burden,
    per_patient,
    rate,
    rate_difference,
    rate_ratio,
    share_difference,
    share_of_courses,
)

FEW = settings(max_examples=15, deadline=None)
Courses = list[tuple[int, int]]  # of a patient: courses with the event, courses
COURSE = st.integers(1, 8).flatmap(lambda m: st.tuples(st.integers(0, m), st.just(m)))
COHORT = st.lists(COURSE, min_size=8, max_size=30)


def cohort_of(courses: Courses) -> PerPatient:
    y, m = zip(*courses, strict=True)
    return PerPatient(np.array(y, dtype=float), np.array(m, dtype=float))


def frame_of(rows: list[tuple[int, int, int]]) -> pl.DataFrame:
    return pl.DataFrame(rows, ["patient_key", "n_events", "n_courses"], orient="row")


def numbers(*found: Estimate) -> list[float | None]:
    return [value for x in found for value in (x.estimate, x.lower, x.upper)]


def same(ours: list[float | None], theirs: list[float | None]) -> None:
    assert [x is None for x in ours] == [x is None for x in theirs]
    known = [(x, y) for x, y in zip(ours, theirs, strict=True) if x is not None]
    assert [x for x, _ in known] == pytest.approx([y for _, y in known], rel=1e-9, abs=1e-12)


@FEW
@given(COHORT)
def test_the_error_is_that_of_leaving_one_patient_out(courses: Courses) -> None:
    """r less the rate without a patient, squared and summed: the module's variance of r."""
    found = rate(cohort_of(courses))
    events, exposure = (sum(x) for x in zip(*courses, strict=True))
    assert found.estimate == events / exposure
    if found.lower is None or found.upper is None or not events:
        assert found.reason and (not events or len(courses) < 10 or "alike" in found.reason)
        return
    r = events / exposure
    left_out = [(events - y) / (exposure - m) for y, m in courses]
    error = math.sqrt(sum((r - x) ** 2 for x in left_out)) / r
    half = float(stdtrit(len(courses) - 1, 0.975)) * error
    assert math.log(found.upper / found.lower) / 2 == pytest.approx(half, rel=1e-9)
    assert 0 < found.lower <= r <= found.upper


@FEW
@given(COHORT)
def test_a_share_mirrors_and_stays_inside(courses: Courses) -> None:
    found = share_of_courses(cohort_of(courses))
    without = share_of_courses(cohort_of([(m - y, m) for y, m in courses]))
    mirrored = [None if x is None else 1 - x for x in (without.estimate, without.upper)]
    same([found.estimate, found.lower], mirrored)
    for value in numbers(found):
        assert value is None or 0 <= value <= 1
    assert (found.lower, found.upper) != (0, 0) and found.lower != 1


@FEW
@given(COHORT, st.randoms(use_true_random=False), st.integers(2, 400))
def test_rows_order_keys_and_units(courses: Courses, random, unit: int) -> None:
    rows = [(key, y, m) for key, (y, m) in enumerate(courses)]
    split = [(key, y // 2, m) for key, y, m in rows] + [(key, y - y // 2, 0) for key, y, m in rows]
    split += [(999, 0, 0)]  # never at risk
    random.shuffle(split)
    relabeled = frame_of(split).with_columns(patient_key=7919 - 3 * pl.col("patient_key"))
    ours, theirs = per_patient(relabeled, "n_events", "n_courses"), cohort_of(courses)
    assert ours.n == theirs.n
    same(
        numbers(rate(ours), share_of_courses(ours)), numbers(rate(theirs), share_of_courses(theirs))
    )
    in_days = PerPatient(theirs.events, theirs.exposure * unit)
    same(numbers(rate(in_days, per=unit)), numbers(rate(theirs)))


@FEW
@given(COHORT, COHORT)
def test_swapping_the_cohorts(one: Courses, other: Courses) -> None:
    a, b = cohort_of(one), cohort_of(other)
    there, back = rate_ratio(a, b), rate_ratio(b, a)
    inverted = [None if x is None else 1 / x for x in (back.estimate, back.upper, back.lower)]
    same([*numbers(there), there.p_value], [*inverted, back.p_value])
    for difference in (rate_difference, share_difference):
        there, back = difference(a, b), difference(b, a)
        turned = [None if x is None else -x for x in (back.estimate, back.upper, back.lower)]
        same(numbers(there), turned)


DAY = st.integers(0, 30)
PATIENT = st.tuples(st.one_of(st.none(), DAY), DAY)


@FEW
@given(st.lists(PATIENT, min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_without_censoring_first_events_end_at_the_proportion(patients: list, random) -> None:
    random.shuffle(patients)
    columns = ["first_event_day", "exit_day"]
    rows = pl.DataFrame(patients, dict.fromkeys(columns, pl.Int64), orient="row")
    counts = first_event_counts(rows.with_columns(is_exit_observed=pl.lit(True)))
    n = sum(first is not None and first <= last for first, last in patients)
    found = incidence_at(aalen_johansen(counts), 1, 30)
    assert found.estimate == pytest.approx(n / len(patients), abs=1e-12)
    assert counts.n == len(patients) and counts.n_events == (n, len(patients) - n)


EVENT = st.tuples(
    st.integers(0, 4), st.sampled_from("ab"), st.integers(1, 5), DAY, st.integers(0, 9)
)


@FEW
@given(st.lists(EVENT, max_size=25), st.randoms(use_true_random=False))
def test_grade_days_are_the_naive_sum(drawn: list, random) -> None:
    """Every patient, term and day asked for the worst grade; an event may be told in two parts."""
    events = [(key, term, grade, day, day + more) for key, term, grade, day, more in drawn]
    parts = [(k, t, g, a, (a + b) // 2) for k, t, g, a, b in events] + [
        (k, t, g, min((a + b) // 2 + 1, b), b) for k, t, g, a, b in events
    ]
    random.shuffle(parts)
    columns = {"patient_key": pl.Int64, "term_code": pl.String, "grade": pl.Int64}
    columns |= {"start_day": pl.Int64, "end_day": pl.Int64}
    found = grade_days(pl.DataFrame(parts, columns, orient="row"), pl.Series([4, 3, 2, 1, 0, 5]))
    naive = [
        sum(
            max((g for k, t, g, a, b in events if (k, t) == (key, term) and a <= d <= b), default=0)
            for term in "ab"
            for d in range(45)
        )
        for key in (4, 3, 2, 1, 0, 5)
    ]
    assert found.tolist() == naive


@FEW
@given(*[st.lists(st.integers(0, 40), min_size=8, max_size=25)] * 2)
def test_burden_mirrors_and_is_not_below_zero(one: list[int], other: list[int]) -> None:
    a, b = np.array(one, dtype=float), np.array(other, dtype=float)
    there, back = burden_difference(a, b), burden_difference(b, a)
    turned = [None if x is None else -x for x in (back.estimate, back.upper, back.lower)]
    same(numbers(there), turned)
    mean = mean_burden(a)
    assert mean.estimate == pytest.approx(a.mean())
    if mean.lower is not None and mean.upper is not None:
        assert 0 < mean.lower <= mean.upper


P = st.one_of(st.none(), st.floats(0, 1, allow_subnormal=False))


@FEW
@given(st.lists(P, max_size=30), st.randoms(use_true_random=False))
def test_false_discovery_rates_are_the_naive_ones(p_values: list, random) -> None:
    """The least of p_j m / rank_j over all p_j not below one's own."""
    known = sorted(p for p in p_values if p is not None)
    adjusted = false_discovery_rates(p_values)
    for p, q in zip(p_values, adjusted, strict=True):
        if p is None:
            assert q is None
            continue
        ranked = [(x, rank) for rank, x in enumerate(known, start=1) if x >= p]
        assert q == pytest.approx(min(1, *(x * len(known) / rank for x, rank in ranked), 1))
        assert q >= p or q == pytest.approx(p)
    pairs = list(zip(p_values, adjusted, strict=True))
    random.shuffle(pairs)
    assert list(false_discovery_rates([p for p, _ in pairs])) == [q for _, q in pairs]


@FEW
@given(COHORT, st.integers(2, 4))
def test_patients_who_are_alike_can_stand_in_one_row(courses: Courses, times: int) -> None:
    one = cohort_of(courses)
    folded = PerPatient(one.events, one.exposure, np.full(one.events.size, float(times)))
    plain = PerPatient(np.repeat(one.events, times), np.repeat(one.exposure, times))
    for ours, theirs in (
        (rate(folded), rate(plain)),
        (share_of_courses(folded), share_of_courses(plain)),
        (rate_ratio(folded, one), rate_ratio(plain, one)),
    ):
        assert ours.reason == theirs.reason
        same(numbers(ours), numbers(theirs))
