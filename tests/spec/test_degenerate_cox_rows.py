"""What a Cox model on rows says when there is little or nothing to say."""

import numpy as np
import polars as pl
import pytest

from analysis.stats.cox_covariates import Covariate, CoxModel, cox_model
from analysis.stats.cox_weighted import (
    WeightedFit,
    hazard_ratio,
    weighted_cox,
    weighted_hazard_ratio,
)
from analysis.stats.landmark import landmark
from analysis.stats.time_dependent import (
    counting_process,
    mantel_byar,
    simon_makuch,
    time_dependent_cox,
)


def columns(text: str) -> list[np.ndarray]:
    """Rows of numbers as columns."""
    rows = [[float(x) for x in line.split()] for line in text.strip().splitlines()]
    return [np.array(column) for column in zip(*rows, strict=True)]


# time, event, cohort
NO_EVENTS = "3 0 0 \n 4 0 1"
ONE_COHORT = "3 1 0 \n 4 1 0"
ONE_PATIENT = "3 1 0"
NO_EVENTS_IN_ONE = "3 1 0 \n 4 1 0 \n 5 0 1"
ALL_BEFORE = "1 1 0 \n 2 1 0 \n 3 1 1 \n 4 1 1"
ALL_ON_DAY_0 = "0 1 0 \n 0 1 0 \n 0 1 1 \n 0 1 1"


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (ONE_PATIENT, "a cohort without patients"),
        (ONE_COHORT, "a cohort without patients"),
        (NO_EVENTS, "a cohort without events: the hazard ratio has no finite estimate"),
        (NO_EVENTS_IN_ONE, "a cohort without events: the hazard ratio has no finite estimate"),
        (
            ALL_BEFORE,
            "monotone likelihood: the hazard ratio of the cohort has no finite estimate",
        ),
    ],
)
def test_no_weighted_hazard_ratio(rows: str, reason: str) -> None:
    time, event, cohort = columns(rows)
    found = weighted_hazard_ratio(time, event, cohort, np.full(time.size, 0.7))
    assert (found.estimate, found.reason) == (None, reason)


def test_cohorts_never_at_risk_together() -> None:
    time, event, cohort = columns("3 1 0 \n 4 1 0 \n 8 1 1 \n 9 1 1")
    start = np.array([0, 0, 5, 5])
    reason = "covariate 1 does not differ among those at risk together at an event"
    assert weighted_cox(time, event, cohort, start=start) == reason
    gone_before = columns("1 0 1 \n 3 1 0 \n 4 1 0")
    assert weighted_cox(*gone_before) == reason


def test_all_events_on_day_0_are_all_tied() -> None:
    """Everybody has the event at once: the cohorts are the same, whoever counts more."""
    time, event, cohort = columns(ALL_ON_DAY_0)
    found = weighted_hazard_ratio(time, event, cohort, np.ones(4))
    assert found.reason == "no robust standard error: no patient moves the fit"
    time, event, cohort = columns(ALL_ON_DAY_0 + "\n 0 0 0 \n 5 0 1")
    assert weighted_hazard_ratio(time, event, cohort, np.ones(6)).estimate == pytest.approx(1)


def test_weights_of_0_can_leave_nobody() -> None:
    time, event, cohort = columns(ALL_BEFORE)
    assert weighted_cox(time, event, cohort, np.zeros(4)) == "no patients with a weight above 0"
    found = weighted_hazard_ratio(time, event, cohort, np.array([1, 1, 0, 0]))
    assert found.reason == "a cohort without patients"
    found = weighted_hazard_ratio(time, event, cohort, np.array([1, 1, 1, 0]))
    assert found.estimate is None and found.reason is not None


def test_nobody_and_no_event() -> None:
    none = np.array([])
    assert weighted_cox(none, none, none) == "no patients"
    assert weighted_hazard_ratio(none, none, none, none).reason == "a cohort without patients"
    time, event, cohort = columns(NO_EVENTS)
    assert weighted_cox(time, event, cohort) == "no events"
    assert weighted_cox(time, event + 1, np.ones(2)) == "covariate 1 has no variance"


def test_an_event_of_weight_2_is_not_two_tied_events() -> None:
    """As in coxph: the weighted Efron terms keep one term an event."""
    time, event, x = (
        np.array([1, 2, 3, 4, 5.0]),
        np.array([1, 1, 1, 1, 0]),
        np.array([0, 1, 1, 0, 1]),
    )
    twice = np.array([0, 0, 1, 2, 3, 4])
    weighted = weighted_cox(time, event, x, np.array([2, 1, 1, 1, 1]))
    replicated = weighted_cox(time[twice], event[twice], x[twice], cluster=twice)
    assert isinstance(weighted, WeightedFit) and isinstance(replicated, WeightedFit)
    assert abs(weighted.coefficients[0] - replicated.coefficients[0]) > 1e-3


def test_too_few_patients_for_a_robust_error() -> None:
    time, event, cohort = columns("1 1 0 \n 2 1 1 \n 3 1 0 \n 4 1 1 \n 5 0 0")
    found = weighted_cox(time, event, cohort, cluster=np.zeros(5))
    assert found == "too few patients for a robust standard error: 1"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"event": np.array([1.0, 2.0])}, "competing events need a model"),
        ({"weights": np.array([1.0, -1.0])}, "1 negative weights"),
        ({"time": np.array([1.0, np.nan])}, "missing or infinite"),
        ({"covariates": np.array([1.0, np.inf])}, "missing or infinite"),
        ({"weights": np.array([1.0])}, "several lengths"),
        ({"start": np.array([0.0, 2.0])}, "1 rows end on or before their start"),
        ({"start": np.array([np.nan, 0.0])}, "missing or infinite"),
    ],
)
def test_what_cannot_be_is_refused(changed: dict[str, np.ndarray], message: str) -> None:
    rows = {"time": [1.0, 2.0], "event": [1.0, 1.0], "covariates": [0.0, 1.0]}
    with pytest.raises(ValueError, match=message):
        weighted_cox(**{k: np.array(v) for k, v in rows.items()} | changed)


def test_a_ratio_that_cannot_be_written_keeps_its_p() -> None:
    found = hazard_ratio(900.0, 400.0, "some method")
    assert found.estimate is None and found.p_value == pytest.approx(0.0244, abs=1e-4)
    assert found.reason == "the hazard ratio of one unit cannot be written: use smaller units"


PATIENTS = pl.DataFrame(
    {
        "time_days": [5, 8, 9, 11, 14, 15, 20, 22, 30, 31],
        "event": [1, 1, 0, 1, 1, 0, 1, 1, 0, 0],
        "age": [3, 9, 4, 12, 2, 8, 7, 15, 1, 6],
        "risk": ["S2", "S1", "S2", "S2", "S1", "S1", "S2", "S1", "S2", "S1"],
        "all_girls": ["f"] * 10,
        "censored_only": [0, 0, 1, 0, 0, 1, 0, 0, 1, 1],
    }
)
AGE, RISK = Covariate("age"), Covariate("risk", "S1")


def test_a_small_model() -> None:
    found = cox_model(PATIENTS, [AGE, RISK])
    assert isinstance(found, CoxModel)
    assert [(t.column, t.level, t.reference) for t in found.terms] == [
        ("age", None, None),
        ("risk", "S2", "S1"),
    ]
    assert (found.n, found.n_events, found.events_per_term) == (10, 6, 3)


@pytest.mark.parametrize(
    ("covariates", "reason"),
    [
        ([Covariate("all_girls", "f")], "all_girls has no variance: all have f"),
        ([Covariate("all_girls", "m")], "nobody has the reference level m of all_girls"),
        ([AGE, Covariate("ones")], "ones has no variance"),
        ([AGE, Covariate("months")], "collinear: months is determined by age"),
        (
            [RISK, Covariate("censored_only")],
            "monotone likelihood: the hazard ratio of censored_only has no finite estimate",
        ),
        ([Covariate("key", "0")], "6 events are too few for 9 terms"),
    ],
)
def test_no_model(covariates: list[Covariate], reason: str) -> None:
    frame = PATIENTS.with_columns(ones=1.0, months=12 * pl.col("age")).with_row_index("key")
    assert cox_model(frame, covariates) == reason


def test_no_model_of_nobody_or_without_events() -> None:
    assert cox_model(PATIENTS.clear(), [AGE, RISK]) == "no patients"
    assert cox_model(PATIENTS.with_columns(event=0), [AGE, RISK]) == "no events"
    unknown = PATIENTS.with_columns(age=pl.lit(None, pl.Int64))
    assert cox_model(unknown, [AGE]) == "no patients with all covariates known"
    with pytest.raises(ValueError, match="risk is String: a category needs a reference level"):
        cox_model(PATIENTS, [Covariate("risk")])
    with pytest.raises(ValueError, match="a model without covariates"):
        cox_model(PATIENTS, [])


def test_missing_covariates_are_left_out_and_counted() -> None:
    missing = {3: None, 9: float("nan")}
    ages = [missing.get(a, float(a)) for a in PATIENTS["age"].to_list()]
    found = cox_model(PATIENTS.with_columns(pl.Series("age", ages)), [AGE])
    assert isinstance(found, CoxModel)
    assert (found.n, found.n_missing) == (8, 2)


def test_levels_keep_their_declared_order() -> None:
    order = pl.Enum(["S3", "S1", "S2"])
    risk = ["S2", "S1", "S3", "S3", "S1", "S1", "S2", "S3", "S2", "S1"]
    found = cox_model(PATIENTS.with_columns(risk=pl.Series(risk, dtype=order)), [RISK])
    assert isinstance(found, CoxModel)
    assert [t.level for t in found.terms] == ["S3", "S2"]


def switching(text: str) -> pl.DataFrame:
    """Rows time, event, switch; - for never."""
    rows = [line.split() for line in text.strip().splitlines()]
    columns_ = {
        "enrollment_key": range(len(rows)),
        "time_days": [int(r[0]) for r in rows],
        "event": [int(r[1]) for r in rows],
        "switch_day": [None if r[2] == "-" else int(r[2]) for r in rows],
    }
    return pl.DataFrame(columns_, schema=dict.fromkeys(columns_, pl.Int64))


def test_what_a_switch_makes_of_a_patient() -> None:
    frame = switching("""
        9 1 -
        9 1 4
        9 1 9
        9 0 12
        9 1 0
        9 1 -3
        0 1 -
        0 1 0
        0 0 -
    """)
    rows = counting_process(frame).rows()
    assert rows == [
        (0, 0.0, 9.0, 1, 0),
        (1, 0.0, 4.0, 0, 0),
        (1, 4.0, 9.0, 1, 1),
        (2, 0.0, 9.0, 1, 0),  # a switch on the last day does not count
        (3, 0.0, 9.0, 0, 0),
        (4, 0.0, 9.0, 1, 1),
        (5, 0.0, 9.0, 1, 1),
        (6, 0.0, 0.5, 1, 0),  # day 0 is half a day in the model
        (7, 0.0, 0.5, 1, 0),
        (8, 0.0, 0.5, 0, 0),
    ]


def test_half_a_day_is_less_where_days_are_not_whole() -> None:
    frame = switching("0 1 - \n 2 1 1").with_columns(pl.col("time_days", "switch_day") / 10)
    stops = counting_process(frame)["stop"].to_list()
    assert stops == [0.05, 0.1, 0.2]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("5 0 - \n 6 0 2", "no events"),
        ("5 1 - \n 6 1 -", "nobody switched"),
        ("5 1 - \n 6 1 6", "nobody switched"),
        ("5 1 0 \n 6 1 0", "everybody had switched from the start"),
        (
            "5 1 - \n 6 0 2",
            "no events after the switch: the hazard ratio has no finite estimate",
        ),
        (
            "9 0 - \n 6 1 2",
            "no events before the switch: the hazard ratio has no finite estimate",
        ),
        ("5 1 - \n 9 1 7", "the switch does not differ among those at risk together at an event"),
        (
            "1 1 - \n 2 1 - \n 3 1 0 \n 4 1 0",
            "monotone likelihood: the hazard ratio of the switch has no finite estimate",
        ),
    ],
)
def test_no_time_dependent_ratio(rows: str, reason: str) -> None:
    found = time_dependent_cox(switching(rows)).hazard_ratio
    assert (found.estimate, found.reason) == (None, reason)


def test_nobody_to_switch() -> None:
    nobody = switching("5 1 -").clear()
    found = time_dependent_cox(nobody)
    assert (found.n, found.n_events, found.hazard_ratio.reason) == (0, 0, "no patients")
    assert simon_makuch(nobody) == "there are never 10 at risk both before and after the switch"
    assert mantel_byar(nobody).reason == "no events"
    assert counting_process(nobody).height == 0
    nothing = landmark(nobody.rename({"event": "state"}), 30)
    assert (nothing.n, nothing.switched.n) == (0, 0)


def test_day_0_alone() -> None:
    """All events on day 0: nobody can have switched before."""
    frame = switching("0 1 - \n 0 1 0 \n 0 0 - \n 4 0 2")
    found = time_dependent_cox(frame)
    assert (found.n_events, found.n_events_after) == (2, 0)
    assert found.hazard_ratio.reason is not None
    assert mantel_byar(frame).reason == "only one cohort was at risk at an event"


def test_curves_start_where_enough_are_in_both_states() -> None:
    frame = switching("\n".join(f"{20 + k} 1 {k if k % 2 else '-'}" for k in range(8)))
    found = simon_makuch(frame, 3)
    assert not isinstance(found, str)
    assert found.start_day == 5  # the third switch, on days 1, 3 and 5
    assert (found.before.counts.n, found.after.counts.n) == (5, 4)
    assert found.after.counts.n_at_start == 3
    assert simon_makuch(frame, 5) == "there are never 5 at risk both before and after the switch"


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (switching("-1 1 -"), "before day 0"),
        (switching("5 2 -"), "competing events"),
        (switching("5 1 - \n 5 1 -").with_columns(enrollment_key=7), "two rows"),
        (switching("5 1 -").with_columns(event=pl.lit(None, pl.Int64)), "competing events"),
        (switching("5 1 -").with_columns(time_days=pl.lit(None, pl.Int64)), "without a day"),
    ],
)
def test_switches_that_cannot_be(frame: pl.DataFrame, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        time_dependent_cox(frame)


def test_who_is_left_out_at_a_landmark() -> None:
    frame = switching("""
        10 1 -
        10 0 -
        30 1 12
        31 1 30
        40 0 31
        50 1 -
    """).rename({"event": "state"})
    found = landmark(frame, 30)
    assert (found.dropped_not_switched.events, found.dropped_not_switched.censored) == (1, 1)
    assert (found.dropped_switched.events, found.dropped_switched.censored) == (1, 0)
    assert found.switched.day.tolist() == [1]  # the switch on the landmark counts
    assert found.not_switched.day.tolist() == [10, 20]
    assert found.n == 6


def test_a_row_can_stand_for_several_enrollments() -> None:
    rows = {"enrollment_key": [1, 2], "time_days": [9, 50], "state": [0, 1], "n": [3, 5]}
    found = landmark(pl.DataFrame(rows).with_columns(switch_day=7), 30)
    assert (found.n, found.dropped_switched.censored, found.switched.n_events) == (8, 3, 5)


def test_a_landmark_after_everything() -> None:
    frame = switching("10 1 - \n 12 0 3").rename({"event": "state"})
    found = landmark(frame, 12)
    assert (found.switched.n, found.not_switched.n, found.n) == (0, 0, 2)
    with pytest.raises(ValueError, match="compete"):
        landmark(frame.with_columns(state=2), 12)


def test_separation_in_one_of_several_covariates_names_it() -> None:
    rng = np.random.default_rng(5)
    time, event = np.arange(1, 41.0), np.tile([1, 0], 20)
    z = np.column_stack((rng.normal(size=40), event == 0))
    found = weighted_cox(time, event, z)
    assert found == "monotone likelihood: the hazard ratio of covariate 2 has no finite estimate"
    assert isinstance(weighted_cox(time, event, z[:, 0]), WeightedFit)


def test_separation_by_many_small_steps() -> None:
    """The covariate is the time itself: hazards run apart beyond what a number can hold."""
    time = np.arange(1, 92.0)
    found = weighted_cox(time, np.ones(91), time)
    assert found == "monotone likelihood: the hazard ratio of covariate 1 has no finite estimate"
