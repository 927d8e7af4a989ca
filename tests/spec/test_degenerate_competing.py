"""What competing events and toxicity say when there is little or nothing to say: words, no numbers.

A cohort is written as its patients, a day and how it left: 0 censored, 1 relapse, 2 death.
"""

import math

import numpy as np
import polars as pl
import pytest

from analysis.stats.competing import (
    StateCounts,
    aalen_johansen,
    cause_specific_hazard_ratios,
    delayed_state_counts,
    incidence_at,
    state_counts,
    state_probabilities,
)
from analysis.stats.estimate import Estimate
from analysis.stats.fine_gray import subdistribution_hazard_ratios
from analysis.stats.gray import gray_test
from analysis.stats.toxicity import (
    burden_difference,
    false_discovery_rates,
    first_event_counts,
    grade_days,
    mean_burden,
    per_patient,
    rate,
    rate_difference,
    rate_ratio,
    share_of_courses,
)

RELAPSE, DEATH = 1, 2


def cohort(*patients: tuple[int, int], entry: int = 0) -> StateCounts:
    rows = [(entry, day, state, 1) for day, state in patients]
    schema = [(name, pl.Int64) for name in ("entry_day", "time_days", "state", "n")]
    return delayed_state_counts(pl.DataFrame(rows, schema, orient="row"), 2).counts


SOME = cohort((1, 1), (2, 2), (3, 0), (4, 1), (6, 2), (7, 0))
OTHERS = cohort((1, 2), (2, 1), (2, 0), (5, 1), (8, 0))
NOBODY = cohort()
CENSORED = cohort((2, 0), (5, 0), (9, 0))
NO_RELAPSE = cohort((2, 2), (4, 0), (5, 2), (9, 0))
ALL_ON_DAY_0 = cohort((0, 1), (0, 1), (0, 1))
LATE = cohort((4, 1), (5, 2), (7, 0), entry=2)

NO_RATIO = "a cohort without events: the {} hazard ratio has no finite estimate"
WHY_NOT = [
    (SOME, NOBODY, "only one cohort was at risk at an event", "a cohort without patients"),
    (NOBODY, NOBODY, "no events", "a cohort without patients"),
    (CENSORED, CENSORED, "no events", NO_RATIO.format("subdistribution")),
    (NO_RELAPSE, NO_RELAPSE, "no events", NO_RATIO.format("subdistribution")),
    (
        cohort((1, 1), (1, 0)),
        cohort((5, 1), (6, 0)),
        None,
        "monotone likelihood: the subdistribution hazard ratio has no finite estimate",
    ),
    (
        cohort((1, 0)),
        cohort((5, 1), (6, 1)),
        "only one cohort was at risk at an event",
        NO_RATIO.format("subdistribution"),
    ),
    (
        SOME,
        LATE,
        "the test does not take late entries",
        "the weights for censoring do not take late entries",
    ),
]


@pytest.mark.parametrize(("one", "other", "no_test", "no_ratio"), WHY_NOT)
def test_two_cohorts_that_cannot_be_compared(one, other, no_test, no_ratio) -> None:
    for cohorts in ((one, other), (other, one)):
        test = gray_test(cohorts, RELAPSE)
        assert test.reason == no_test
        assert (test.p_value is None) == (no_test is not None)
        (ratio,) = subdistribution_hazard_ratios(cohorts, RELAPSE)
        assert (ratio.estimate, ratio.reason) == (None, no_ratio)


def test_a_state_in_one_cohort_only_has_a_test_but_no_ratio() -> None:
    cohorts = (SOME, NO_RELAPSE)
    assert gray_test(cohorts, RELAPSE).p_value is not None
    (ratio,) = subdistribution_hazard_ratios(cohorts, RELAPSE)
    assert ratio.reason == NO_RATIO.format("subdistribution")
    (ratio,) = cause_specific_hazard_ratios(cohorts, RELAPSE)
    assert ratio.estimate is None and ratio.reason and ratio.reason.startswith("a cohort without")
    assert subdistribution_hazard_ratios(cohorts, DEATH)[0].estimate is not None


def test_everybody_has_the_event_on_day_0() -> None:
    found = incidence_at(aalen_johansen(ALL_ON_DAY_0), RELAPSE, 0)
    assert (found.estimate, found.upper) == (1, 1)
    assert found.lower == pytest.approx(0.025 ** (1 / 3))
    cohorts = (ALL_ON_DAY_0, ALL_ON_DAY_0)
    assert gray_test(cohorts, RELAPSE).reason == "no variance: too few at risk"
    (ratio,) = subdistribution_hazard_ratios(cohorts, RELAPSE)
    assert (ratio.estimate, ratio.lower) == (1, None)
    assert ratio.reason == "no variance: all have the event at once"


def test_one_day_is_a_table_of_two_rows() -> None:
    """3 of 10 against 9 of 20 on one day: ratio 1.5, variance 1/3 - 1/10 + 1/9 - 1/20."""
    one = cohort(*[(4, 1)] * 3, *[(4, 2)] * 4, *[(4, 0)] * 3)
    other = cohort(*[(4, 1)] * 9, *[(4, 2)] * 6, *[(4, 0)] * 5)
    (ratio,) = subdistribution_hazard_ratios((one, other), RELAPSE)
    half = 1.959963984540054 * math.sqrt(1 / 3 - 1 / 10 + 1 / 9 - 1 / 20)
    assert ratio.estimate == pytest.approx(1.5)
    assert ratio.upper == pytest.approx(1.5 * math.exp(half))


def test_a_pooled_incidence_that_passes_1_gives_no_test() -> None:
    """Nine are gone on day 1 (9/29); the two cohorts left add 2/20 on each of their days."""
    early, five_days, ten_days = (
        cohort(*[(day, 1) for day in days], *[(12, 2)] * (10 - len(days)))
        for days in ([1] * 9, range(2, 7), range(2, 12))
    )
    assert gray_test((early, five_days, five_days), RELAPSE).p_value is not None
    found = gray_test((early, ten_days, ten_days), RELAPSE)
    assert found.reason is None  # one of the first cohort is still there: 30 to share a day
    gone = cohort(*[(1, 1)] * 9)
    assert gray_test((gone, five_days, five_days), RELAPSE).p_value is not None
    assert gray_test((gone, ten_days), RELAPSE).p_value is not None  # one cohort left: no days
    found = gray_test((gone, ten_days, ten_days), RELAPSE)
    assert found.reason == "the pooled incidence reaches 1 before the last event"


def test_nobody_at_risk_before_late_entries() -> None:
    fit = aalen_johansen(LATE)
    assert incidence_at(fit, RELAPSE, 1).reason == "nobody is at risk up to day 2"
    at_4 = incidence_at(fit, RELAPSE, 4)
    assert at_4.estimate == pytest.approx(1 / 3)
    told = state_probabilities(fit, 5)
    assert not isinstance(told, str)
    assert told.event_free == pytest.approx(1 / 3)
    no_events = cohort((5, 0), (9, 2), (9, 0), entry=2)
    early = incidence_at(aalen_johansen(no_events), RELAPSE, 4)
    assert (early.estimate, early.lower, early.upper) == (0, None, None) and early.reason


def test_who_ends_by_the_day_of_entry_is_counted_beside() -> None:
    rows = pl.DataFrame({"entry_day": [5, 5, None], "time_days": [5, 3, 9], "state": [1, 0, 2]})
    found = delayed_state_counts(rows.with_columns(n=2), 2)
    assert (found.n_never_at_risk, found.n_events_never_at_risk) == (4, 2)
    assert (found.counts.n, found.counts.entered) == (2, None)


def exposed(events: list[int], exposure: list[int]):
    rows = {"patient_key": range(len(events)), "y": events, "m": exposure}
    schema = {"patient_key": pl.Int64, "y": pl.Int64, "m": pl.Int64}
    return per_patient(pl.DataFrame(rows, schema), "y", "m")


TWELVE = exposed([0, 1, 2, 0, 0, 1, 0, 3, 0, 0, 1, 0], [2, 3, 4, 2, 2, 5, 3, 4, 2, 2, 3, 2])


def told(found: Estimate) -> tuple[float | None, str | None]:
    return found.estimate, found.reason


def test_rates_without_events_without_patients_without_spread() -> None:
    none = exposed([0] * 40, [3] * 40)
    found = rate(none)
    assert told(found) == (0, "no events in 40")
    assert found.upper == pytest.approx(3.689 / 120, rel=1e-3)  # -log 0.025, each patient once
    assert share_of_courses(none).upper == pytest.approx(1 - 0.025 ** (1 / 40))
    assert told(rate(exposed([], []))) == (None, "no patients")
    few = exposed([1, 0, 1], [2, 2, 2])
    assert told(rate(few)) == (1 / 3, "fewer than 10 patients: no interval")
    alike = exposed([1] * 12, [2] * 12)
    for found in (rate(alike), share_of_courses(alike)):
        assert told(found) == (0.5, "all patients are alike: no interval")
        assert (found.lower, found.upper) == (None, None)


def test_one_patient_with_nearly_all_of_the_exposure() -> None:
    for days in (10**9, 10**18):
        found = rate(exposed([1] * 12, [days] + [1] * 11))
        assert found.reason == "one patient has nearly all of the exposure: no interval"
        assert found.lower is None


def test_comparing_with_a_cohort_without_events() -> None:
    none = exposed([0] * 40, [3] * 40)
    ratio = rate_ratio(none, TWELVE)
    assert told(ratio) == (None, "a cohort without events: the ratio has no interval")
    difference = rate_difference(none, TWELVE)
    assert difference.estimate == pytest.approx(8 / 34)
    assert difference.lower is not None and difference.upper is not None
    assert told(rate_ratio(TWELVE, exposed([], []))) == (None, "a cohort without patients")


@pytest.mark.parametrize("row", [{"y": -1}, {"m": None}, {"patient_key": None}, {"m": 0}], ids=str)
def test_exposure_that_cannot_be_is_refused(row: dict) -> None:
    rows = [{"patient_key": 1, "y": 1, "m": 2}, {"patient_key": 2, "y": 1, "m": 2} | row]
    with pytest.raises(ValueError, match=r"1 rows|without m"):
        per_patient(pl.DataFrame(rows), "y", "m")


def test_more_courses_with_the_event_than_courses_are_refused() -> None:
    with pytest.raises(ValueError, match="more courses"):
        share_of_courses(exposed([3], [2]))


def first(*patients: tuple[int | None, int | None, bool]) -> StateCounts:
    columns = {"first_event_day": pl.Int64, "exit_day": pl.Int64, "is_exit_observed": pl.Boolean}
    return first_event_counts(pl.DataFrame(patients, columns, orient="row"))


def test_which_comes_first_in_a_block() -> None:
    """Rows: first event, exit, exit observed. State 1 is the event, 2 the exit, 0 censored."""
    for patient, expected in (
        ((3, 20, True), (3, 1)),
        ((20, 20, True), (20, 1)),  # a fatal event: the event, no competitor
        ((20, 20, False), (20, 1)),
        ((21, 20, True), (20, 2)),  # after the block
        ((None, 20, True), (20, 2)),
        ((None, 20, False), (20, 0)),
        ((0, 0, True), (0, 1)),
        ((4, None, False), (4, 1)),
    ):
        counts = first(patient)
        state = 1 + int(counts.events[0].argmax()) if counts.events.any() else 0
        assert (counts.day.tolist(), state) == ([expected[0]], expected[1]), patient
    assert first().n == 0
    for impossible in ((None, None, True), (-1, 20, True), (None, -3, False)):
        with pytest.raises(ValueError, match="1 rows"):
            first(impossible)


def test_burden_without_events_or_with_few() -> None:
    assert told(mean_burden(np.array([]))) == (None, "no patients")
    assert told(mean_burden(np.zeros(25))) == (0, "no events in 25: no interval")
    few = mean_burden(np.array([3.0, 8.0]))
    assert told(few) == (5.5, "fewer than 10 patients: no interval")
    assert told(mean_burden(np.full(12, 4.0))) == (
        4,
        "all patients are alike: no interval",
    )
    assert burden_difference(np.zeros(25), np.arange(25.0)).lower is None
    assert told(burden_difference(np.array([]), np.ones(3))) == (None, "no patients")


def test_grade_days_of_nothing_and_of_the_impossible() -> None:
    columns = ("patient_key", "term_code", "grade", "start_day", "end_day")
    types = (pl.Int64, pl.String, pl.Int64, pl.Int64, pl.Int64)
    schema = list(zip(columns, types, strict=True))
    assert grade_days(pl.DataFrame(schema=schema), pl.Series([7, 8])).tolist() == [0, 0]
    for row in ((1, "a", 3, 5, 4), (1, "a", None, 5, 6), (1, "a", 3, 5, None), (9, "a", 3, 5, 6)):
        with pytest.raises(ValueError, match="1 events"):
            grade_days(pl.DataFrame([row], schema, orient="row"), pl.Series([1, 2]))


def test_no_p_values() -> None:
    assert false_discovery_rates([]) == ()
    assert false_discovery_rates([None]) == (None,)
    for wrong in (1.2, -0.1, float("nan")):
        with pytest.raises(ValueError, match="p value"):
            false_discovery_rates([0.5, wrong])


def test_a_very_large_ratio_is_finite_and_found() -> None:
    """R: crr gives 7.601152, as coxph does; the first Newton step goes far beyond it."""
    one = StateCounts(np.array([1.0, 9.0]), np.array([[1], [0]]), np.array([0, 2000]))
    other = StateCounts(np.array([2.0]), np.array([[1]]), np.array([0]))
    (found,) = subdistribution_hazard_ratios((one, other), 1)
    assert found.estimate == pytest.approx(math.exp(7.601152), rel=1e-5)


@pytest.mark.parametrize(
    ("day", "state", "n"),
    [(None, 1, 3.0), (-5.0, 1, 1.0), (1.0, 1, -3.0), (1.0, 1, 1.5), (1.0, 1, None), (1.0, 3, 1.0)],
)
def test_counts_that_cannot_be_are_refused(day: float, state: int, n: float) -> None:
    frame = pl.DataFrame({"time_days": [day], "state": [state], "n": [n]}, strict=False)
    with pytest.raises(ValueError, match="1 rows"):
        state_counts(frame, 2)
    with pytest.raises(ValueError, match="1 rows"):
        delayed_state_counts(frame.with_columns(pl.lit(5).alias("entry_day")), 2)
