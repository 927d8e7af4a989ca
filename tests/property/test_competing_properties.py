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
    cause_specific_hazard_ratios,
    delayed_state_counts,
    incidence_at,
    incidence_error_at,
    state_at_risk_table,
    state_counts,
    state_probabilities,
)
from analysis.stats.counts import day_counts
from analysis.stats.fine_gray import fine_gray_fit, subdistribution_hazard_ratios
from analysis.stats.gray import gray_test, stratified_gray_test
from analysis.stats.proportion import clopper_pearson, newcombe_difference, wilson
from analysis.stats.survival import kaplan_meier

STATES = 3
Patients = list[tuple[int, int]]
DAYS = st.integers(0, 12)
PATIENTS = st.lists(st.tuples(DAYS, st.integers(0, STATES)), min_size=1, max_size=40)
ONE_STATE = st.lists(st.tuples(DAYS, st.integers(0, 1)), min_size=1, max_size=40)
FEW = settings(max_examples=25, deadline=None)
FEWER = settings(max_examples=12, deadline=None)
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


# Several cohorts: Gray's test, Fine-Gray, cause-specific hazards. A row: cohort, day, state.
Rows = list[tuple[int, int, int]]


def rows_of(n_cohorts: int) -> st.SearchStrategy[Rows]:
    row = st.tuples(st.integers(0, n_cohorts - 1), st.integers(1, 9), st.integers(0, 2))
    return st.lists(row, min_size=6, max_size=36)


def cohorts_of(rows: Rows, n_cohorts: int) -> tuple[StateCounts, ...]:
    found = []
    for cohort in range(n_cohorts):
        mine = [(d, e) for g, d, e in rows if g == cohort]
        days = sorted({d for d, _ in mine})
        counted = np.array([[mine.count((d, e)) for e in range(3)] for d in days], dtype=np.int64)
        counted = counted.reshape(-1, 3)
        found.append(StateCounts(np.array(days, dtype=float), counted[:, 1:], counted[:, 0]))
    return tuple(found)


def naive_gray(rows: Rows, n_cohorts: int) -> tuple[list[float], np.ndarray]:
    """Scores and variance of state 1, day by day and cohort by cohort as Gray 1988 sums them."""
    size, scores = range(n_cohorts), [0.0] * n_cohorts
    free, incidence, pooled = [1.0] * n_cohorts, [0.0] * n_cohorts, 0.0
    c, kept = np.zeros((n_cohorts, n_cohorts)), []
    for day in sorted({d for _, d, e in rows if e}):
        n = [sum(g == k and d >= day for g, d, _ in rows) for k in size]
        own, other = ([rows.count((k, day, e)) for k in size] for e in (1, 2))
        if sum(x > 0 for x in n) < 2:
            break
        h = [n[k] / free[k] if n[k] else 0.0 for k in size]
        risk, d = [h[k] * (1 - incidence[k]) for k in size], sum(own)
        a = np.array([[h[i] * ((i == k) - h[k] / sum(h)) for k in size] for i in size])
        before, pooled_before = list(free), pooled
        pooled += d / sum(h)
        if d:
            c = c + a * d / sum(h) / (1 - pooled_before)
        for k in size:
            scores[k] += own[k] - d * risk[k] / sum(risk)
            if n[k]:
                incidence[k] += free[k] * own[k] / n[k]
                free[k] *= 1 - (own[k] + other[k]) / n[k]
        for k in [k for k in size if n[k]]:
            left = (1 - pooled) / free[k] if free[k] else 0.0
            if d:
                tied = 1 - (d - 1) / (sum(h) * before[k] - 1) if d > 1 else 1.0
                weight = tied * before[k] * d / sum(h) / n[k]
                kept.append((k, a[:, k], 1 - left if free[k] else 1.0, c[:, k], weight))
            if other[k] and free[k]:
                tied = 1 - (other[k] - 1) / (n[k] - 1) if other[k] > 1 else 1.0
                weight = tied * before[k] ** 2 * other[k] / n[k] ** 2
                kept.append((k, 0 * a[:, k], left, c[:, k], weight))
    moves = [(a_k + share * (c[:, k] - c_then), w) for k, a_k, share, c_then, w in kept]
    return scores, sum((w * np.outer(u, u) for u, w in moves), start=0 * c)


@FEW
@given(st.integers(2, 3).flatmap(lambda k: st.tuples(st.just(k), rows_of(k))))
def test_gray_is_the_naive_one(drawn: tuple[int, Rows]) -> None:
    n_cohorts, rows = drawn
    found = gray_test(cohorts_of(rows, n_cohorts), 1)
    if found.chi_square is None:
        assert found.reason and found.p_value is None
        return
    scores, variance = naive_gray(rows, n_cohorts)
    excess = [o - e for o, e in zip(found.observed, found.expected, strict=True)]
    assert excess == pytest.approx(scores, abs=1e-10)
    naive = scores @ np.linalg.pinv(variance, rcond=1e-9) @ scores
    assert found.chi_square == pytest.approx(naive, rel=1e-6, abs=1e-9)


def naive_fine_gray(rows: Rows, beta: float) -> tuple[float, float, float]:
    """Score, information and the sum of squared (eta + psi) of two cohorts, from the rows."""
    g, t, e = (np.array(x) for x in zip(*rows, strict=True))
    r = np.exp(beta * g)

    def uncensored(day: int) -> float:
        """G just before a day."""
        days = sorted({d for _, d, s in rows if s == 0 and d < day})
        return float(np.prod([1 - ((t == u) & (e == 0)).sum() / (t >= u).sum() for u in days]))

    def weights(day: int) -> np.ndarray:
        late = [(s == 2) * uncensored(day) / uncensored(d) for _, d, s in rows]
        return np.where(t >= day, 1.0, late)

    events = [(day, weights(day) * r) for day in t[e == 1]]
    means = [(day, w, w.sum(), (w * g).sum() / w.sum()) for day, w in events]
    information = sum(z * (1 - z) for _, _, _, z in means)
    eta = np.zeros(len(rows))
    for _, w, total, z in means:
        eta -= (g - z) * w / total
    for i in np.flatnonzero(e == 1):
        eta[i] += g[i] - next(z for day, _, _, z in means if day == t[i])
    psi = np.zeros(len(rows))
    for u in sorted(set(t[e == 0])):
        gone = (t < u) & (e == 2)
        q = sum(((g - z) * w * gone).sum() / total for day, w, total, z in means if day >= u)
        n, lost = (t >= u).sum(), ((t == u) & (e == 0)).sum()
        psi += np.where((t == u) & (e == 0), q / n, 0) - np.where(t >= u, q * lost / n**2, 0)
    score = sum(g[i] for i in np.flatnonzero(e == 1)) - sum(z for *_, z in means)
    return float(score), float(information), float(((eta + psi) ** 2).sum())


@FEWER
@given(rows_of(2))
def test_fine_gray_is_the_naive_one(rows: Rows) -> None:
    fit = fine_gray_fit(cohorts_of(rows, 2), 1)
    if isinstance(fit, str):
        return
    score, information, squares = naive_fine_gray(rows, fit.coefficients[0])
    assert score == pytest.approx(0, abs=1e-7)
    assert fit.covariance[0, 0] == pytest.approx(squares / information**2, rel=1e-7, abs=1e-12)


def told(cohorts: tuple[StateCounts, ...]) -> list[float | None]:
    """Everything that compares two cohorts, as numbers: the ratios first."""
    ratios = (
        subdistribution_hazard_ratios(cohorts, 1)[0],
        cause_specific_hazard_ratios(cohorts, 1)[0],
    )
    test = gray_test(cohorts, 1)
    return [*(x.estimate for x in ratios), *(x.p_value for x in ratios), test.chi_square]


def same_numbers(ours: list[float | None], theirs: list[float | None]) -> None:
    assert [x is None for x in ours] == [x is None for x in theirs]
    known = [x for x in zip(ours, theirs, strict=True) if x[0] is not None]
    assert [x for x, _ in known] == pytest.approx([y for _, y in known], rel=1e-6, abs=1e-8)


@FEWER
@given(rows_of(2), st.randoms(use_true_random=False), st.integers(2, 30))
def test_order_units_and_the_never_at_risk_change_nothing(rows: Rows, random, unit: int) -> None:
    moved = [(g, d * unit, e) for g, d, e in rows]
    moved += [(0, 0, 0), (1, 0, 0)]  # gone before the first event
    random.shuffle(moved)
    same_numbers(told(cohorts_of(moved, 2)), told(cohorts_of(rows, 2)))


@FEW
@given(rows_of(2))
def test_swapping_the_cohorts_inverts_the_ratios(rows: Rows) -> None:
    one, other = cohorts_of(rows, 2)
    there, back = told((one, other)), told((other, one))
    inverted = [None if x is None else 1 / x for x in back[:2]]
    same_numbers(there, [*inverted, *back[2:]])


@FEWER
@given(rows_of(3))
def test_the_order_of_three_cohorts_does_not_matter(rows: Rows) -> None:
    one, two, three = cohorts_of(rows, 3)
    there, back = gray_test((one, two, three), 1), gray_test((three, one, two), 1)
    same_numbers([there.chi_square, there.p_value], [back.chi_square, back.p_value])
    assert there.degrees_of_freedom == back.degrees_of_freedom
    (nobody,) = cohorts_of([], 1)
    with_nobody = gray_test((one, nobody, two, three), 1)
    same_numbers([there.chi_square, there.p_value], [with_nobody.chi_square, with_nobody.p_value])
    everybody = stratified_gray_test(((one, two, three), (nobody, nobody, nobody)), 1)
    same_numbers([there.chi_square, there.p_value], [everybody.chi_square, everybody.p_value])


@FEWER
@given(PATIENTS, st.integers(0, 11))
def test_who_enters_on_day_0_or_never_at_risk_changes_nothing(patients: Patients, day: int) -> None:
    frame = frame_of([(d, e) for d, e in patients])
    on_time = frame.with_columns(entry_day=pl.lit(0))
    never = frame_of([(day, 1)]).with_columns(entry_day=pl.lit(day + 1))
    found = delayed_state_counts(pl.concat((on_time, never)), STATES)
    assert (found.n_never_at_risk, found.n_events_never_at_risk) == (1, 1)
    assert aalen_johansen(found.counts).cif.tolist() == fit_of(patients).cif.tolist()


@FEWER
@given(st.lists(st.tuples(DAYS, DAYS, st.integers(0, STATES)), min_size=1, max_size=40), DAYS)
def test_late_entries_are_the_naive_product(patients: list[tuple[int, int, int]], day: int) -> None:
    """Rows: entry, last day, state. At risk: came before the day or at the start, still there."""
    frame = frame_of([(d, e) for _, d, e in patients])
    frame = frame.with_columns(entry_day=pl.Series([came for came, _, _ in patients]))
    fit = aalen_johansen(delayed_state_counts(frame, STATES).counts)
    free, incidence = 1.0, np.zeros(STATES)
    for u in sorted({d for came, d, e in patients if e and d <= day and (came < d or came == 0)}):
        there = [(d, e) for came, d, e in patients if d >= u and (came < u or came == 0)]
        entered = np.array([there.count((u, e)) for e in range(1, STATES + 1)]) / len(there)
        incidence += free * entered
        free *= 1 - entered.sum()
    found = state_probabilities(fit, day)
    if not isinstance(found, str):
        assert found.event_free == pytest.approx(free, abs=1e-12)
        assert found.by_state == pytest.approx(tuple(incidence), abs=1e-12)
    assert (fit.event_free.survival + fit.cif.sum(axis=1)).tolist() == pytest.approx(
        [1] * fit.counts.day.size, abs=1e-12
    )
