"""What must hold for Cox models on rows, whatever the data; and second implementations of them."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import CoxPHFitter, CoxTimeVaryingFitter

from analysis.stats.counts import DayCounts, day_counts
from analysis.stats.cox import cox_fit
from analysis.stats.cox_covariates import Covariate, CoxModel, cox_model
from analysis.stats.cox_weighted import (
    CoxMaximum,
    WeightedFit,
    cox_maximum,
    cox_rows,
    weighted_cox,
    weighted_hazard_ratio,
)
from analysis.stats.landmark import landmark
from analysis.stats.survival import survival_at
from analysis.stats.time_dependent import (
    counting_process,
    mantel_byar,
    simon_makuch,
    state_counts,
    time_dependent_cox,
)

few = settings(max_examples=8, deadline=None)
Rows = dict[str, np.ndarray]
# Time, event, x, y: both covariates go either way, so that there is always a finite fit.
ANCHOR = [
    *[(2, 1, 0, 0.5), (3, 1, 1, -0.5), (4, 1, 0, -1.5), (5, 1, 1, 1.5), (6, 1, 1, -1.0)],
    *[(6, 1, 0, 1.0), (7, 1, 0, -0.2), (9, 0, 0, 2.0), (9, 0, 1, -2.0), (9, 0, 1, 0.2)],
]


def made(seed: int) -> Rows:
    """Columns time, event, x (0, 1), y, w, of 10 to 30 patients: ties, events on day 0."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(0, 21))
    more = (
        rng.integers(0, 13, n),
        rng.integers(0, 2, n),
        rng.integers(0, 2, n),
        rng.normal(size=n),
    )
    rows = np.concatenate((np.array(ANCHOR), np.column_stack(more)))
    return dict(zip(("time", "event", "x", "y"), rows.T, strict=True)) | {
        "w": rng.uniform(0.2, 5, len(rows))
    }


ROWS = st.integers(0, 10**6).map(made)


def fit_of(r: Rows, **changed: np.ndarray) -> WeightedFit:
    given_ = {"weights": r["w"], **changed}
    z = given_.pop("covariates", np.column_stack((r["x"], r["y"])))
    fit = weighted_cox(given_.pop("time", r["time"]), r["event"], z, **given_)
    assert isinstance(fit, WeightedFit), fit
    return fit


def equal(one: WeightedFit, other: WeightedFit, relative: float = 1e-8) -> None:
    for name in ("coefficients", "standard_errors", "naive_standard_errors"):
        a, b = getattr(one, name), getattr(other, name)
        assert a.tolist() == pytest.approx(b.tolist(), rel=relative, abs=relative), name


def taken(r: Rows, index: np.ndarray) -> Rows:
    return {name: column[index] for name, column in r.items()}


def naive_log_likelihood(r: Rows, beta: np.ndarray) -> float:
    """The weighted partial likelihood with Efron's ties, row by row."""
    total = 0.0
    eta = r["x"] * beta[0] + r["y"] * beta[1]
    for t in sorted(set(r["time"][r["event"] == 1])):
        dead = [i for i in range(len(eta)) if r["time"][i] == t and r["event"][i]]
        at_risk = sum(r["w"][i] * math.exp(eta[i]) for i in range(len(eta)) if r["time"][i] >= t)
        tied = sum(r["w"][i] * math.exp(eta[i]) for i in dead)
        mean = sum(r["w"][i] for i in dead) / len(dead)
        total += sum(r["w"][i] * eta[i] for i in dead)
        total -= sum(mean * math.log(at_risk - k / len(dead) * tied) for k in range(len(dead)))
    return total


@few
@given(ROWS)
def test_the_fit_is_the_maximum_of_the_naive_likelihood(r: Rows) -> None:
    z = np.column_stack((r["x"], r["y"]))
    fit = cox_maximum(cox_rows(r["time"], r["event"], z, r["w"]), ("x", "y"))
    assert isinstance(fit, CoxMaximum)
    best = naive_log_likelihood(r, fit.coefficients)
    assert fit.log_likelihood == pytest.approx(best, rel=1e-10)
    null = naive_log_likelihood(r, np.zeros(2))
    assert fit.log_likelihood_null == pytest.approx(null, rel=1e-10)
    h = 1e-3
    for k in range(2):
        step = h * np.eye(2)[k]
        near = [naive_log_likelihood(r, fit.coefficients + s * step) for s in (-1, 1)]
        assert max(near) < best
        # The curvature is the information, of which the naive variance is the inverse.
        information = np.linalg.inv(fit.naive_variance)[k, k]
        assert (2 * best - sum(near)) / h**2 == pytest.approx(information, rel=1e-3)


@few
@given(ROWS, st.integers(0, 5))
def test_influence_is_how_the_fit_moves_with_a_weight(r: Rows, i: int) -> None:
    z, h = np.column_stack((r["x"], r["y"])), 1e-4
    fits = []
    for factor in (1 - h, 1.0, 1 + h):
        w = r["w"].copy()
        w[i] *= factor
        fits.append(cox_maximum(cox_rows(r["time"], r["event"], z, w), ("x", "y")))
    low, fit, high = fits
    moved = (high.coefficients - low.coefficients) / (2 * h)
    assert fit.influence[i].tolist() == pytest.approx(moved.tolist(), rel=1e-4, abs=1e-6)


@few
@given(ROWS)
def test_equal_weights_are_the_cox_model_from_day_counts(r: Rows) -> None:
    frame = pl.DataFrame({"time_days": r["time"], "state": r["event"], "n": 1, "x": r["x"]})
    cohorts = tuple(day_counts(frame.filter(pl.col("x") == k)) for k in (0, 1))
    expected = cox_fit(cohorts)
    fit = fit_of(r, weights=np.ones(r["x"].size), covariates=r["x"])
    assert not isinstance(expected, str)
    assert fit.coefficients[0] == pytest.approx(expected.coefficients[0], rel=1e-8, abs=1e-9)
    assert fit.naive_standard_errors[0] == pytest.approx(expected.standard_errors[0], rel=1e-8)


@few
@given(ROWS, st.sampled_from([2.0, 1e-6, 1e5]))
def test_only_relative_weights_count(r: Rows, factor: float) -> None:
    one, other = fit_of(r), fit_of(r, weights=r["w"] * factor)
    assert other.coefficients.tolist() == pytest.approx(one.coefficients.tolist(), rel=1e-7)
    assert other.standard_errors.tolist() == pytest.approx(one.standard_errors.tolist(), rel=1e-7)
    naive = one.naive_standard_errors / math.sqrt(factor)
    assert other.naive_standard_errors.tolist() == pytest.approx(naive.tolist(), rel=1e-7)
    assert other.effective_n == pytest.approx(one.effective_n)


@few
@given(ROWS, st.integers(0, 99))
def test_whole_weights_of_the_censored_are_replicated_rows(r: Rows, seed: int) -> None:
    """Of the censored only: replicated events are tied, and Efron's ties then are others."""
    copies = np.random.default_rng(seed).integers(1, 5, r["x"].size)
    n = np.where(r["event"] == 1, 1, copies)
    r = r | {"w": n.astype(float)}
    index = np.repeat(np.arange(n.size), n)
    replicated = taken(r, index)
    equal(fit_of(r), fit_of(replicated, weights=np.ones(index.size), cluster=index))


@few
@given(ROWS, st.integers(0, 99))
def test_splitting_rows_changes_nothing(r: Rows, seed: int) -> None:
    """A patient as one row (-1, time], or as two that meet in between."""
    n = r["time"].size
    cut = -1 + (r["time"] + 1) * np.random.default_rng(seed).uniform(0.01, 0.99, n)
    begin = np.full(n, -1.0)
    z, patient = np.column_stack((r["x"], r["y"])), np.arange(n)
    halves = weighted_cox(
        np.concatenate((cut, r["time"])),
        np.concatenate((np.zeros(n), r["event"])),
        np.concatenate((z, z)),
        np.tile(r["w"], 2),
        np.tile(patient, 2),
        start=np.concatenate((begin, cut)),
    )
    assert isinstance(halves, WeightedFit) and halves.n_clusters == n
    equal(fit_of(r), halves)
    equal(fit_of(r, start=begin), halves)


@few
@given(ROWS, st.integers(0, 99))
def test_the_order_of_rows_does_not_matter(r: Rows, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(r["time"].size)
    patient = np.arange(order.size) // 2
    shuffled = taken(r | {"patient": patient, "stratum": r["x"]}, order)
    y = {"covariates": r["y"], "cluster": patient, "stratum": r["x"]}
    z = {c: shuffled[k] for c, k in (("covariates", "y"), ("cluster", "patient"))}
    equal(fit_of(r, **y), fit_of(shuffled, **z, stratum=shuffled["stratum"]))


@few
@given(ROWS, st.floats(-5, 5))
def test_who_is_never_at_risk_at_an_event_changes_nothing(r: Rows, y: float) -> None:
    """Censored before the first event; alone in a stratum; or of weight 0."""
    more = {name: np.append(column, 1.0) for name, column in r.items()}
    more["time"][-1], more["event"][-1], more["y"][-1] = -1.0, 0.0, 100 * y
    equal(fit_of(r), fit_of(more))
    more["time"][-1] = 6.0
    equal(fit_of(r), fit_of(more, stratum=np.append(np.zeros(r["x"].size), 1)))
    more["w"][-1] = 0.0
    equal(fit_of(r), fit_of(more))


@few
@given(ROWS, st.floats(0.01, 100), st.floats(-1000, 1000))
def test_units_of_time_and_covariates(r: Rows, unit: float, origin: float) -> None:
    one = fit_of(r)
    z = np.column_stack((1 - r["x"], r["y"] * unit + origin))
    other = fit_of(r, covariates=z, time=r["time"] * 7)
    factor = np.array([-1, 1 / unit])
    expected = one.coefficients * factor
    assert other.coefficients.tolist() == pytest.approx(expected.tolist(), rel=1e-6, abs=1e-9)
    errors = one.standard_errors * abs(factor)
    assert other.standard_errors.tolist() == pytest.approx(errors.tolist(), rel=1e-6)


@few
@given(ROWS)
def test_swapping_cohorts_inverts_the_weighted_ratio(r: Rows) -> None:
    there = weighted_hazard_ratio(r["time"], r["event"], r["x"], r["w"])
    back = weighted_hazard_ratio(r["time"], r["event"], 1 - r["x"], r["w"])
    assert there.estimate is not None and back.estimate is not None
    assert there.lower is not None and there.upper is not None and back.upper is not None
    assert there.estimate * back.estimate == pytest.approx(1, rel=1e-8)
    assert there.lower * back.upper == pytest.approx(1, rel=1e-8)
    assert there.p_value == pytest.approx(back.p_value, rel=1e-7)
    assert there.lower <= there.estimate <= there.upper


@settings(max_examples=2, deadline=None)
@given(ROWS)
@pytest.mark.filterwarnings("ignore")  # lifelines warns of what it is given; its numbers count here
def test_lifelines_agrees_on_several_covariates(r: Rows) -> None:
    frame = pl.DataFrame(r).with_columns(sex=pl.col("x").replace_strict({0: "m", 1: "f"}))
    found = cox_model(frame, [Covariate("sex", "m"), Covariate("y")], time="time")
    assert isinstance(found, CoxModel)
    # It cannot start at time 0.
    data = pl.DataFrame(r).select(pl.col("time") + 1, "event", "x", "y").to_pandas()
    tight = {"precision": 1e-18, "r_precision": 1e-18}
    theirs = CoxPHFitter().fit(data, "time", "event", fit_options=tight)
    for term, b, se in zip(found.terms, theirs.params_, theirs.standard_errors_, strict=True):
        assert term.coefficient == pytest.approx(b, rel=1e-6, abs=1e-8)
        assert term.standard_error == pytest.approx(se, rel=1e-6)
    ratio = theirs.log_likelihood_ratio_test().test_statistic
    assert found.likelihood_ratio.chi_square == pytest.approx(ratio, rel=1e-6, abs=1e-8)


Switching = list[tuple[int, int, int | None]]
# Events before and after the switch, while others are in the other state.
SWITCHED: Switching = [(2, 1, None), (3, 1, 1), (4, 1, None), (5, 1, 1), (9, 0, None), (9, 0, 2)]


def made_switching(seed: int) -> Switching:
    """Time, event, switch of up to 25 patients; switches on day 0, before it, and after the end."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(0, 26))
    time, event, switch = (rng.integers(low, 13, n).tolist() for low in (0, 0, -2))
    return [
        (t, e % 2, None if s % 3 == 0 else s) for t, e, s in zip(time, event, switch, strict=True)
    ]


SWITCHING = st.integers(0, 10**6).map(made_switching)


def frame_of(patients: Switching) -> pl.DataFrame:
    columns = {
        "enrollment_key": range(len(patients)),
        "time_days": [p[0] for p in patients],
        "event": [p[1] for p in patients],
        "switch_day": [p[2] for p in patients],
    }
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.Int64))


def naive_state(patient: tuple[int, int, int | None], t: float) -> int | None:
    """The state in which a patient is at risk at t, in the morning of which switches count."""
    time, _, switch = patient
    if time < t:
        return None
    return int(switch is not None and switch < time and (switch < t or switch <= 0))


def naive_mantel_byar(patients: Switching) -> float | None:
    excess = variance = 0.0
    for t in sorted({p[0] for p in patients if p[1]}):
        states = [naive_state(p, t) for p in patients]
        n, n1 = sum(s is not None for s in states), sum(s == 1 for s in states)
        dead = [s for s, p in zip(states, patients, strict=True) if p[0] == t and p[1]]
        d, d1 = len(dead), sum(s == 1 for s in dead)
        excess += d1 - d * n1 / n
        if n > 1:
            variance += d * (n1 / n) * (1 - n1 / n) * (n - d) / (n - 1)
    return excess**2 / variance if variance > 1e-12 else None


@few
@given(SWITCHING)
def test_pieces_keep_all_events_and_all_time(patients: Switching) -> None:
    frame = frame_of(patients)
    rows = counting_process(frame)
    assert rows["event"].sum() == frame["event"].sum()
    assert (rows["start"] < rows["stop"]).all()
    assert rows["enrollment_key"].n_unique() == len(patients)
    spent = rows.group_by("enrollment_key").agg((pl.col("stop") - pl.col("start")).sum().alias("t"))
    kept = frame.join(spent, on="enrollment_key").filter(pl.col("time_days") > 0)
    assert kept["t"].to_list() == kept["time_days"].to_list()
    assert sum(c.n_events for c in state_counts(frame)) == frame["event"].sum()


@few
@given(SWITCHING)
def test_mantel_byar_is_the_naive_one(patients: Switching) -> None:
    found, naive = mantel_byar(frame_of(patients)), naive_mantel_byar(patients)
    if found.chi_square is None or naive is None:
        assert naive is None or found.reason
        return
    assert found.chi_square == pytest.approx(naive, rel=1e-8, abs=1e-10)


@settings(max_examples=25, deadline=None)
@given(SWITCHING, st.integers(1, 6))
def test_simon_makuch_is_the_naive_curve(patients: Switching, fewest: int) -> None:
    patients = SWITCHED + patients
    found = simon_makuch(frame_of(patients), fewest)
    after = [[naive_state(p, day + 0.5) for p in patients] for day in range(14)]
    enough = [d for d, s in enumerate(after) if min(s.count(0), s.count(1)) >= fewest]
    if isinstance(found, str):
        assert not enough
        return
    assert found.start_day == enough[0]
    assert found.n_gone == sum(p[0] <= found.start_day for p in patients)
    for state, km in ((0, found.before), (1, found.after)):
        s = 1.0
        for t in sorted({p[0] for p in patients if p[1] and p[0] > found.start_day}):
            here = [p for p in patients if naive_state(p, t) == state]
            if here:
                s *= 1 - sum(p[0] == t and p[1] for p in here) / len(here)
            at = survival_at(km, t).estimate
            assert at is None or at == pytest.approx(s, abs=1e-12)


@few
@given(SWITCHING)
def test_order_time_and_keys_of_switching_patients(patients: Switching) -> None:
    frame = frame_of(SWITCHED + patients)
    changed = frame.sample(fraction=1, shuffle=True, seed=1).with_columns(
        pl.col("time_days", "switch_day") * 3, (100 - pl.col("enrollment_key")).cast(pl.String)
    )
    one, other = time_dependent_cox(frame), time_dependent_cox(changed)
    assert one.hazard_ratio.estimate == pytest.approx(other.hazard_ratio.estimate, rel=1e-9)
    assert (one.n_switched, one.n_events_after) == (other.n_switched, other.n_events_after)


@settings(max_examples=2, deadline=None)
@given(SWITCHING)
@pytest.mark.filterwarnings("ignore")
def test_lifelines_agrees_on_a_switch(patients: Switching) -> None:
    frame = frame_of(SWITCHED + patients)
    rows = counting_process(frame).to_pandas()
    tight = {"precision": 1e-18, "r_precision": 1e-18}
    theirs = CoxTimeVaryingFitter().fit(
        rows, "event", "start", "stop", id_col="enrollment_key", fit_options=tight
    )
    found = time_dependent_cox(frame).hazard_ratio.estimate
    assert found is not None
    assert math.log(found) == pytest.approx(theirs.params_["state"], rel=1e-6, abs=1e-8)


def rows_in(counts: DayCounts) -> list[tuple[float, int, int]]:
    found = zip(counts.day.tolist(), counts.events.tolist(), counts.censored.tolist(), strict=True)
    return [row for row in found if row[1] + row[2]]


@few
@given(SWITCHING, st.integers(-1, 13))
def test_landmark_groups_and_those_left_out_are_all(patients: Switching, day: int) -> None:
    found = landmark(frame_of(patients).rename({"event": "state"}), day)
    assert found.n == len(patients)
    out = (found.dropped_not_switched, found.dropped_switched)
    assert sum(d.events for d in out) == sum(p[0] <= day and p[1] for p in patients)
    assert sum(d.censored for d in out) == sum(p[0] <= day and not p[1] for p in patients)
    for group, is_switched in ((found.not_switched, False), (found.switched, True)):
        here = [
            p for p in patients if p[0] > day and (p[2] is not None and p[2] <= day) == is_switched
        ]
        days = sorted({p[0] for p in here})
        expected = [
            (t - day, sum(p[:2] == (t, 1) for p in here), sum(p[:2] == (t, 0) for p in here))
            for t in days
        ]
        assert rows_in(group) == expected
