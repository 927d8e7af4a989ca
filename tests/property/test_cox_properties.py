"""What must hold for any Cox regression: a naive second implementation, mirrors, and no change."""

import cmath
from itertools import groupby
from math import fsum, log, sqrt

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analysis.stats.counts import DayCounts, day_counts
from analysis.stats.cox import (
    MONOTONE,
    NEVER_TOGETHER,
    CoxFit,
    cox_fit,
    event_days,
    hazard_ratios,
    tied_sums,
)
from analysis.stats.firth import FirthFit, firth_fit, penalized_likelihood
from analysis.stats.forest import forest, interaction
from analysis.stats.proportionality import proportionality

# day, event, cohort
Patients = list[tuple[int, int, int]]
Cohorts = tuple[DayCounts, ...]
FEW = settings(max_examples=8, deadline=None)
ROWS = {"time_days": pl.Int32, "state": pl.Int8}


def patients_of(cohorts: int, least: int = 4) -> st.SearchStrategy[Patients]:
    one = st.tuples(st.integers(0, 12), st.integers(0, 1), st.integers(0, cohorts - 1))
    return st.lists(one, min_size=least, max_size=30)


def counts_of(days: list[int], states: list[int]) -> DayCounts:
    day, place = np.unique(np.array(days, float), return_inverse=True)
    events = np.bincount(place, states, day.size).astype(int)
    return DayCounts(day, events, np.bincount(place, minlength=day.size) - events)


def cohorts_of(patients: Patients, n: int) -> Cohorts:
    split = [[p for p in patients if p[2] == j] for j in range(n)]
    return tuple(counts_of([p[0] for p in s], [p[1] for p in s]) for s in split)


def fitted(*strata: Cohorts) -> CoxFit:
    """The fit; examples without one are left aside (the naive tests see to the reasons)."""
    fit = cox_fit(*strata)
    assume(not isinstance(fit, str))
    assert isinstance(fit, CoxFit)
    return fit


def penalized(*strata: Cohorts) -> FirthFit:
    fit = firth_fit(*strata)
    assume(not isinstance(fit, str))
    assert isinstance(fit, FirthFit)
    return fit


def efron_shares(patients: Patients, beta: list):
    """For every event in turn (Efron's l): the weights of those at risk, with their cohorts."""
    weight = [cmath.exp(b) for b in (0, *beta)]
    for day, tied in groupby(sorted(p for p in patients if p[1]), key=lambda p: p[0]):
        events = list(tied)
        for order in range(len(events)):
            yield [
                (c, weight[c] * (1 - order / len(events) * (e and d == day)))
                for d, e, c in patients
                if d >= day
            ]


def naive_log_likelihood(patients: Patients, beta: list) -> complex:
    told = sum(((0, *beta)[c] for _, e, c in patients if e), 0j)
    return told - sum(
        cmath.log(sum(w for _, w in at_risk)) for at_risk in efron_shares(patients, beta)
    )


def naive_information(patients: Patients, beta: list) -> np.ndarray:
    found = np.zeros((len(beta), len(beta)))
    for at_risk in efron_shares(patients, beta):
        total = sum(w for _, w in at_risk).real
        share = [sum(w.real for c, w in at_risk if c == j + 1) / total for j in range(len(beta))]
        found += np.diag(share) - np.outer(share, share)
    return found


def naive_score(patients: Patients, beta: list) -> np.ndarray:
    """Derivatives by the complex step: no rounding."""
    step = 1e-30j
    moved = [[b + step * (i == j) for i, b in enumerate(beta)] for j in range(len(beta))]
    return np.array([naive_log_likelihood(patients, b).imag / 1e-30 for b in moved])


@FEW
@given(patients_of(3), patients_of(3))
def test_the_counts_give_the_partial_likelihood_of_the_rows(one: Patients, two: Patients) -> None:
    """Two strata: at the maximum the naive score is 0, and its information is the inverse."""
    fit = fitted(cohorts_of(one, 3), cohorts_of(two, 3))
    beta = fit.coefficients.tolist()
    score = sum(naive_score(p, beta) for p in (one, two))
    assert score == pytest.approx(0, abs=1e-8)
    information = sum(naive_information(p, beta) for p in (one, two))
    assert information @ fit.covariance == pytest.approx(np.eye(2), abs=1e-7)
    rise = [naive_log_likelihood(p, beta) - naive_log_likelihood(p, [0, 0]) for p in (one, two)]
    assert fit.likelihood_ratio == pytest.approx(2 * sum(rise).real, abs=1e-9)
    assert fit.wald == pytest.approx(beta @ information @ beta, abs=1e-8)
    at_0 = sum(naive_score(p, [0, 0]) for p in (one, two))
    spread = sum(naive_information(p, [0, 0]) for p in (one, two))
    assert fit.score == pytest.approx(at_0 @ np.linalg.solve(spread, at_0), abs=1e-8)


@FEW
@given(patients_of(2))
def test_a_reason_is_given_exactly_where_the_likelihood_has_no_maximum(patients: Patients) -> None:
    """Far out on both sides the likelihood is lower, or there is a reason."""
    cohorts = cohorts_of(patients, 2)
    assume(all(c.n_events for c in cohorts))
    rises = [naive_score(patients, [b])[0] * b < -1e-6 * abs(b) for b in (-20.0, 20.0)]
    found = cox_fit(cohorts)
    assert isinstance(found, CoxFit) == all(rises)
    assert isinstance(found, CoxFit) or found in (MONOTONE, NEVER_TOGETHER)


@settings(max_examples=10, deadline=None)
@given(patients_of(3), st.lists(st.floats(-2, 2), min_size=4, max_size=4))
def test_the_penalty_is_half_the_log_determinant(patients: Patients, betas: list[float]) -> None:
    """The likelihood is known up to a constant: what counts are differences."""
    here, there = betas[:2], betas[2:]
    assume(np.linalg.det(naive_information(patients, here)) > 1e-6)

    def naive(beta: list) -> float:
        determinant = np.linalg.slogdet(naive_information(patients, beta))[1]
        return naive_log_likelihood(patients, beta).real + determinant / 2

    days = event_days((cohorts_of(patients, 3),))
    a, b = (penalized_likelihood(days, np.array([x])) for x in (here, there))
    assert float(a.value[0] - b.value[0]) == pytest.approx(naive(here) - naive(there), abs=1e-8)
    beside = [np.array([[here[0] + h, here[1]]]) for h in (1e-5, -1e-5)]
    rise = naive(beside[0][0].tolist()) - naive(beside[1][0].tolist())
    assert a.gradient[0, 0] == pytest.approx(rise / 2e-5, abs=1e-5)
    c, d = (penalized_likelihood(days, x).gradient[0] for x in beside)
    assert a.curvature[0, 0] == pytest.approx((d - c) / 2e-5, abs=1e-5)


@given(st.floats(0, 1e6), st.integers(1, 3000), st.floats(1e-6, 1))
@settings(max_examples=30, deadline=None)
def test_the_sums_over_ties_are_those_of_the_terms(over: float, d: int, scale: float) -> None:
    found = tied_sums(np.array([over]), np.array([float(d)]), np.array([scale]), 4)[:, 0]
    terms = [over + left for left in range(1, d + 1)]
    logs = [log(t * scale) for t in terms]
    # Logarithms near 0 or of both signs: rounding goes by the size of what was added.
    assert found[0] == pytest.approx(fsum(logs), abs=1e-14 * (d + fsum(map(abs, logs))))
    for power in range(1, 5):
        assert found[power] == pytest.approx(fsum(t**-power for t in terms), rel=1e-12)


@pytest.mark.parametrize("over", [0.0, 0.3, 7.0, 19.99, 20.0, 20.7, 26.0])
@pytest.mark.parametrize("d", [1, 2, 9, 60])
def test_the_sums_are_exact_where_the_series_begins(over: float, d: int) -> None:
    """A wrong last coefficient of the series would show here, and hardly anywhere else."""
    found = tied_sums(np.array([over]), np.array([float(d)]), np.array([1.0]), 4)[:, 0]
    terms = [over + left for left in range(1, d + 1)]
    naive = [fsum(map(log, terms)), *(fsum(t**-power for t in terms) for power in range(1, 5))]
    assert found[0] == pytest.approx(naive[0], rel=2e-14, abs=1e-15)
    assert found[1:] == pytest.approx(np.array(naive[1:]), rel=2e-14, abs=0)


@FEW
@given(patients_of(2), st.integers(200, 4000))
def test_a_patient_counted_many_times_is_many_patients(patients: Patients, times: int) -> None:
    """The sums in closed form, with thousands of ties, against one term per event."""
    once = cohorts_of(patients, 2)
    many = tuple(DayCounts(c.day, c.events * times, c.censored * times) for c in once)
    beta = fitted(many).coefficients[0]
    score = 0.0
    for day in np.unique(np.concatenate([c.day[c.events > 0] for c in many])):
        n = [float(c.at_risk_at(np.array([day]))[0]) for c in many]
        d = [float(c.events[c.day == day].sum()) for c in many]
        share = np.arange(sum(d)) / sum(d)
        left = [(n[j] - share * d[j]) * np.exp(j * beta) for j in (0, 1)]
        score += d[1] - (left[1] / (left[0] + left[1])).sum()
    assert score == pytest.approx(0, abs=1e-7 * sum(c.n_events for c in many))


@FEW
@given(patients_of(2), patients_of(2))
def test_swapping_two_cohorts_inverts_the_ratio_and_keeps_p(one: Patients, two: Patients) -> None:
    strata = (cohorts_of(one, 2), cohorts_of(two, 2))
    swapped = tuple(s[::-1] for s in strata)
    there, back = hazard_ratios(*strata)[0], hazard_ratios(*swapped)[0]
    assert there.reason == back.reason
    fit = fitted(*strata)
    assert (there.estimate or 0) * (back.estimate or 0) == pytest.approx(1, rel=1e-9)
    assert (there.lower or 0) * (back.upper or 0) == pytest.approx(1, rel=1e-9)
    assert there.p_value == pytest.approx(back.p_value, rel=1e-9)
    assert fitted(*swapped).likelihood_ratio == pytest.approx(fit.likelihood_ratio, abs=1e-9)


@settings(max_examples=6, deadline=None)
@given(patients_of(2))
def test_swapping_inverts_the_penalized_ratio_too(patients: Patients) -> None:
    cohorts = cohorts_of(patients, 2)
    there, back = penalized(cohorts), penalized(cohorts[::-1])
    assert there.coefficients == pytest.approx(-back.coefficients, abs=1e-8)
    assert there.lower == pytest.approx(-back.upper, abs=1e-7)
    # A likelihood ratio of 0 is known to about 1e-16, and p falls with its root there.
    assert there.p_values == pytest.approx(back.p_values, abs=1e-7)
    assert there.lower[0] < there.coefficients[0] < there.upper[0]


@FEW
@given(patients_of(3, least=10))
def test_another_order_of_the_cohorts_is_the_same_model(patients: Patients) -> None:
    a, b, c = cohorts_of(patients, 3)
    fit, again, other = fitted((a, b, c)), fitted((a, c, b)), fitted((b, a, c))
    assert again.coefficients == pytest.approx(fit.coefficients[::-1], abs=1e-8)
    between = fit.coefficients[1] - fit.coefficients[0]
    assert other.coefficients == pytest.approx([-fit.coefficients[0], between], abs=1e-8)
    for test in ("likelihood_ratio", "wald", "score"):
        assert getattr(other, test) == pytest.approx(getattr(fit, test), abs=1e-7)


@FEW
@given(patients_of(2, least=10), st.integers(2, 9))
def test_stretching_time_changes_nothing(patients: Patients, times: int) -> None:
    stretched = [(d * times, e, c) for d, e, c in patients]
    cohorts, longer = cohorts_of(patients, 2), cohorts_of(stretched, 2)
    assert fitted(longer).coefficients.tolist() == fitted(cohorts).coefficients.tolist()
    for transform in ("km", "identity", "rank"):
        a, b = (
            proportionality(x, transform=transform, least_events=1).overall.chi_square
            for x in (cohorts, longer)
        )
        assert a == b or a == pytest.approx(b, rel=1e-7, abs=1e-9)


@FEW
@given(patients_of(2, least=10))
def test_who_is_never_at_risk_at_an_event_changes_nothing(patients: Patients) -> None:
    """Censored before the first event, here on the day before it."""
    first = min((d for d, e, _ in patients if e), default=0)
    assume(first > 0)
    cohorts = cohorts_of(patients, 2)
    more = cohorts_of([*patients, (first - 1, 0, 1), (first - 1, 0, 0)], 2)
    assert fitted(more).coefficients.tolist() == fitted(cohorts).coefficients.tolist()
    assert fitted(more).covariance.tolist() == fitted(cohorts).covariance.tolist()


@FEW
@given(patients_of(2, least=10), st.integers(1, 11))
def test_splitting_the_time_of_a_patient_changes_nothing(patients: Patients, day: int) -> None:
    """Followed to the day, and entering late on it: the same times at risk."""
    split = []
    for j in (0, 1):
        own = [p[:2] for p in patients if p[2] == j]
        cut = [p for p in own if p[0] > day]
        rows = pl.DataFrame([*own, *[(day, 0)] * len(cut)], ROWS, orient="row")
        entries = pl.DataFrame({"time_days": [day], "n": [len(cut)]})
        split.append(day_counts(rows.with_columns(n=pl.lit(1)), entries))
    fit, cut_fit = fitted(cohorts_of(patients, 2)), fitted(tuple(split))
    assert cut_fit.coefficients.tolist() == fit.coefficients.tolist()
    assert cut_fit.standard_errors.tolist() == fit.standard_errors.tolist()


@FEW
@given(patients_of(3, least=10))
def test_the_same_stratum_twice_is_half_the_variance(patients: Patients) -> None:
    cohorts = cohorts_of(patients, 3)
    fit, twice = fitted(cohorts), fitted(cohorts, cohorts)
    assert twice.coefficients == pytest.approx(fit.coefficients, abs=1e-9)
    assert twice.standard_errors == pytest.approx(fit.standard_errors / sqrt(2), rel=1e-9)
    empty = tuple(counts_of([], []) for _ in cohorts)
    assert fitted(empty, cohorts).coefficients == pytest.approx(fit.coefficients, abs=1e-12)


def frame_of(subgroups: dict[str, Patients]) -> pl.DataFrame:
    rows = [(key, *p, 1) for key, patients in subgroups.items() for p in patients]
    columns = ["subgroup", "time_days", "state", "cohort_code", "n"]
    types = dict(zip(columns, (pl.String, pl.Int32, pl.Int8, pl.Int64, pl.Int64), strict=True))
    return pl.DataFrame(rows, schema=types, orient="row")


@FEW
@given(st.lists(patients_of(3, least=1), min_size=1, max_size=4), st.randoms())
def test_a_row_of_the_forest_is_the_fit_of_its_subgroup(groups: list[Patients], order) -> None:
    """In any order of rows; the third cohort is not looked at."""
    subgroups = {f"level {j}": patients for j, patients in enumerate(groups)}
    frame = frame_of(subgroups)
    shuffled = frame[order.sample(range(frame.height), frame.height)]
    found = forest(shuffled, 0, 1)
    assert found["subgroup"].to_list() == list(subgroups)
    for row, patients in zip(found.to_dicts(), groups, strict=True):
        cohorts = cohorts_of(patients, 3)[:2]
        assert [row["n_reference"], row["n_other"]] == [c.n for c in cohorts]
        assert [row["n_events_reference"], row["n_events_other"]] == [c.n_events for c in cohorts]
        ratio = hazard_ratios(cohorts)[0]
        assert row["reason"] == ratio.reason
        if ratio.estimate is not None:
            ours = [row[key] for key in ("hazard_ratio", "lower", "upper", "p_value")]
            alone = [ratio.estimate, ratio.lower, ratio.upper, ratio.p_value]
            assert ours == pytest.approx(alone, rel=1e-9)


@FEW
@given(patients_of(2, least=10), patients_of(2, least=10))
def test_the_interaction_compares_the_sum_of_the_fits_with_the_stratified_one(
    one: Patients, two: Patients
) -> None:
    strata = (cohorts_of(one, 2), cohorts_of(two, 2))
    apart = sum(fitted(s).likelihood_ratio for s in strata)
    found = interaction(frame_of({"a": one, "b": two}), 0, 1)
    assert found.degrees_of_freedom == 1 and found.levels == ("a", "b")
    assert found.chi_square == pytest.approx(apart - fitted(*strata).likelihood_ratio, abs=1e-8)
    assert interaction(frame_of({"a": one, "b": one}), 0, 1).chi_square == pytest.approx(
        0, abs=1e-8
    )
