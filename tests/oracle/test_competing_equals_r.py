"""Cumulative incidences equal R: public data, ties of every kind, states that nobody enters."""

import numpy as np
import polars as pl
import pytest

from analysis.stats.competing import (
    AalenJohansen,
    aalen_johansen,
    incidence_at,
    incidence_error_at,
    state_at_risk_table,
    state_counts,
    state_probabilities,
)
from analysis.stats.survival import standard_error_at, survival_at
from tests.oracle.r_results import r_file, same

EXACT = 1e-8
R = r_file("competing")["cases"]


@pytest.fixture(params=sorted(R))
def fitted(request: pytest.FixtureRequest) -> tuple[dict, AalenJohansen]:
    """R's results of one data set, and ours from its day counts."""
    r = R[request.param]
    frame = pl.DataFrame(r["counts"], schema_overrides={"time_days": pl.Float64})
    return r, aalen_johansen(state_counts(frame, r["n_states"]))


def test_the_at_risk_table(fitted: tuple[dict, AalenJohansen]) -> None:
    r, fit = fitted
    for i, row in enumerate(state_at_risk_table(fit.counts, tuple(r["times"]))):
        censored, *events = (before[i] for before in r["before"])
        assert (row.at_risk, row.events, row.censored) == (r["at_risk"][i], tuple(events), censored)
        assert row.at_risk + sum(row.events) + row.censored == r["n"] == fit.counts.n


def test_probabilities(fitted: tuple[dict, AalenJohansen]) -> None:
    r, fit = fitted
    for day, expected in zip(r["times"], r["probability"], strict=True):
        found = state_probabilities(fit, day)
        assert not isinstance(found, str)
        for ours, theirs in zip((found.event_free, *found.by_state), expected, strict=True):
            same(ours, theirs, EXACT, f"P({day})")


def test_standard_errors_and_limits(fitted: tuple[dict, AalenJohansen]) -> None:
    r, fit = fitted
    for i, day in enumerate(r["times"]):
        for state in range(1, r["n_states"] + 1):
            found, error = incidence_at(fit, state, day), incidence_error_at(fit, state, day)
            same(found.estimate, r["probability"][i][state], EXACT, f"F({day})")
            if error is None:  # at F = 0 or 1 R gives a standard error of 0 and no limits
                assert found.estimate in (0, 1) and r["se"][i][state] < 1e-15
                assert found.reason
                continue
            same(error, r["se"][i][state], EXACT, f"se at {day}")
            same(found.lower, r["lower"][i][state], EXACT, f"lower at {day}")
            same(found.upper, r["upper"][i][state], EXACT, f"upper at {day}")


def test_event_free_survival(fitted: tuple[dict, AalenJohansen]) -> None:
    """The infinitesimal jackknife of S is Greenwood's variance."""
    r, fit = fitted
    for i, day in enumerate(r["times"]):
        found = survival_at(fit.event_free, day)
        same(found.estimate, r["probability"][i][0], EXACT, f"S({day})")
        if found.estimate is not None and 0 < found.estimate < 1:
            same(standard_error_at(fit.event_free, day), r["se"][i][0], EXACT, f"se at {day}")
            same(found.lower, r["lower"][i][0], EXACT, f"lower at {day}")
            same(found.upper, r["upper"][i][0], EXACT, f"upper at {day}")


def test_every_day_of_the_curves(fitted: tuple[dict, AalenJohansen]) -> None:
    r, fit = fitted
    assert fit.counts.day.tolist() == r["day"]
    all_states = np.column_stack((fit.event_free.survival, fit.cif)).sum(axis=0)
    for ours, theirs in zip(all_states, r["sum_probability"], strict=True):
        same(float(ours), theirs, EXACT, "sum of P")
    for ours, theirs in zip(fit.standard_error.sum(axis=0), r["sum_se"][1:], strict=True):
        same(float(ours), theirs, EXACT, "sum of se")


def test_cmprsk_gives_the_same_incidences(fitted: tuple[dict, AalenJohansen]) -> None:
    r, fit = fitted
    for state, incidences in zip(r["gray_state"], r["gray"], strict=True):
        for day, theirs in zip(r["times"], incidences, strict=True):
            if theirs is not None:
                same(incidence_at(fit, state, day).estimate, theirs, EXACT, f"F({day})")


def _fit(name: str) -> AalenJohansen:
    frame = pl.DataFrame(R[name]["counts"], schema_overrides={"time_days": pl.Float64})
    return aalen_johansen(state_counts(frame, R[name]["n_states"]))


def test_beyond_the_last_follow_up() -> None:
    """R carries the last value on; here it is not estimable unless nobody is left event-free."""
    followed, reason = _fit("hand"), "follow-up ends on day 9"
    found = incidence_at(followed, 1, 10)
    assert (found.estimate, found.reason) == (None, reason)
    assert state_probabilities(followed, 10) == reason
    assert incidence_error_at(followed, 1, 10) is None
    for name in ("mgus2", "all_events"):
        all_gone, last = _fit(name), R[name]["last"]
        assert incidence_at(all_gone, 1, last + 1) == incidence_at(all_gone, 1, last)


def test_no_events_has_an_exact_bound_only_without_censoring() -> None:
    """One-sided tail 2.5 %: 1 - 0.025^(1/5) = 0.5218 for 0 of 5."""
    fit = _fit("nobody_in_a_state")
    early = incidence_at(fit, 2, 4)  # the censoring on day 4 is not before it
    assert (early.estimate, early.lower, early.reason) == (0, 0, "no events in 5")
    assert early.upper == pytest.approx(1 - 0.025 ** (1 / 5), rel=1e-12)
    late = incidence_at(fit, 2, 8)
    assert (late.estimate, late.lower, late.upper) == (0, None, None)
    assert late.reason == "no events in 5, 1 censored before"
    everyone = incidence_at(_fit("all_the_same_event"), 2, 5)
    assert (everyone.estimate, everyone.upper, everyone.reason) == (
        1,
        1,
        "nobody is left without the event",
    )
    assert everyone.lower == pytest.approx(0.025 ** (1 / 4), rel=1e-12)


def test_nobody_at_all() -> None:
    nobody = pl.DataFrame(schema={"time_days": pl.Int32, "state": pl.Int8, "n": pl.Int64})
    fit = aalen_johansen(state_counts(nobody, 3))
    assert fit.cif.shape == (0, 3)
    assert incidence_at(fit, 3, 10).reason == "no patients" == state_probabilities(fit, 10)
    assert state_at_risk_table(fit.counts, (0, 5))[1].events == (0, 0, 0)


@pytest.mark.parametrize(
    "row", [{"state": 3}, {"state": -1}, {"state": None}, {"time_days": None}], ids=str
)
def test_what_is_no_state_is_refused(row: dict) -> None:
    rows = [{"time_days": 4, "state": 1, "n": 2}, {"time_days": 5, "state": 2, "n": 1} | row]
    with pytest.raises(ValueError, match="1 rows"):
        state_counts(pl.DataFrame(rows), 2)


@pytest.mark.parametrize("state", [0, 3])
def test_a_state_that_is_not_there_is_refused(state: int) -> None:
    with pytest.raises(ValueError, match="none of 1 to 2"):
        incidence_at(_fit("mgus2"), state, 10)
