"""A covariate that switches on: hazard ratio after against before, and Simon-Makuch curves.

Question: is the hazard different after a switch (a transplant) from that of those who have not
switched yet? Groups by "ever switched" would give the switched the time they had to survive until
the switch (immortal time). Here everybody counts as before until the own switch and as after from
the next day on: rows (start, stop], one or two a patient.

- A switch on the last day (event or censoring) or later does not count: the day's event comes
  first. One on day 0 or before it: after from the start.
- Surv(0, 0, event) is no interval and R drops it in silence. In the rows of the model, and only
  there, day 0 becomes half a day (or half the first later day, if that is earlier), and the number
  of events is asserted to be the same. In the curves and the log-rank type of test day 0 stays.

The hazard ratio is the Cox model on these rows, Efron's ties, by the kernel of `cox_weighted.py`
(lifelines' CoxTimeVaryingFitter agrees with it; its default options end up to 1e-5 away).

The test of Mantel & Byar (JASA 1974;69:81) is the log-rank test with these two changing groups; it
is the score test of the Cox model but for ties, where its variance is hypergeometric.

Simon-Makuch (Stat Med 1984;3:35): Kaplan-Meier in each state with the numbers at risk there, so
that one may leave the first curve and enter the second. They start on the first day after which
enough patients are in both states, at 1: survival given alive then. They are not the survival of a
fixed group of patients.

Sources: also Crowley & Hu, JASA 1977;72:27; Kalbfleisch & Prentice, The Statistical Analysis of
Failure Time Data, section 6.4. Oracle: R survival 3.5, coxph and survfit(Surv(start, stop, event) ~
state), mantelhaen.test of the tables of state by event on each event day.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from analysis.stats.counts import Array, DayCounts
from analysis.stats.cox_weighted import cox_maximum, cox_rows, hazard_ratio
from analysis.stats.estimate import Estimate, not_estimable
from analysis.stats.logrank import LogRank, log_rank
from analysis.stats.survival import KaplanMeier, kaplan_meier

METHOD = "Cox model, time-dependent, Efron ties, Wald interval"
FEWEST_AT_RISK = 10


def _checked(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with `switched` (before the last day) and `from_start` (on day 0 or before)."""
    if frame["enrollment_key"].n_unique() < frame.height:
        raise ValueError("an enrollment with two rows")
    if frame.select(~pl.col("event").is_in([0, 1]).fill_null(False)).sum().item():
        raise ValueError("an event other than 0 and 1: competing events need a model of their own")
    if frame.select(~pl.col("time_days").is_between(0, 1e9).fill_null(False)).sum().item():
        raise ValueError("a row without a day, or with one before day 0")
    days = pl.col("time_days", "switch_day").cast(pl.Float64)
    switched = (pl.col("switch_day") < pl.col("time_days")).fill_null(False)
    return frame.with_columns(days, pl.col("event").cast(pl.Int8)).with_columns(
        switched=switched, from_start=switched & (pl.col("switch_day") <= 0)
    )


def counting_process(frame: pl.DataFrame) -> pl.DataFrame:
    """Columns enrollment_key, start, stop, event, state (0 before, 1 after): one or two rows each.

    From enrollment_key, time_days, event (0, 1), switch_day (null: never); one row an enrollment.
    Day 0 becomes half a day. Raises ValueError for a missing or negative day, a missing event or
    another than 0 and 1, and an enrollment with two rows.
    """
    known = _checked(frame)
    days = np.concatenate([known[c].drop_nulls().to_numpy() for c in ("time_days", "switch_day")])
    moment = min(1.0, days[days > 0].min(initial=1.0)) / 2
    known = known.with_columns(pl.col("time_days").replace(0.0, moment))
    rows = _pieces(known)
    assert rows["event"].sum() == frame["event"].sum(), "an event was lost"
    return rows


def _pieces(known: pl.DataFrame) -> pl.DataFrame:
    """What everybody spends before and after the switch, by enrollment and start."""
    before = known.filter(~pl.col("from_start")).select(
        "enrollment_key",
        start=pl.lit(0.0),
        stop=pl.when("switched").then("switch_day").otherwise("time_days"),
        event=pl.when("switched").then(pl.lit(0, pl.Int8)).otherwise("event"),
        state=pl.lit(0),
    )
    after = known.filter("switched").select(
        "enrollment_key",
        start=pl.col("switch_day").clip(lower_bound=0.0),
        stop="time_days",
        event="event",
        state=pl.lit(1),
    )
    return pl.concat((before, after)).sort("enrollment_key", "start")


@dataclass(frozen=True)
class TimeDependentCox:
    """The hazard after the switch against before it; `n_switched` are those who counted as after.

    `n_events_after`: events after the switch, among `n_events`.
    """

    hazard_ratio: Estimate
    n: int
    n_events: int
    n_switched: int
    n_events_after: int


def time_dependent_cox(frame: pl.DataFrame) -> TimeDependentCox:
    """The time-dependent Cox model of a frame as `counting_process` takes it, which may raise.

    The hazard ratio has a reason instead of a number without patients, events, switches, or events
    in one of the states, and if the states are never at risk together at an event. R: coxph.
    """
    rows = counting_process(frame)
    after = rows.filter(pl.col("state") == 1)
    return TimeDependentCox(
        _hazard_ratio(rows),
        n=frame.height,
        n_events=int(rows["event"].sum()),
        n_switched=after.height,
        n_events_after=int(after["event"].sum()),
    )


def _hazard_ratio(rows: pl.DataFrame) -> Estimate:
    columns = ("stop", "event", "state", "start")
    stop, event, state, start = (rows[c].cast(pl.Float64).to_numpy() for c in columns)
    if event.any() and (reason := _one_state(event, state)):
        return not_estimable(reason, METHOD)
    fit = cox_maximum(cox_rows(stop, event, state, start=start), ("the switch",))
    if isinstance(fit, str):
        return not_estimable(fit, METHOD)
    error = float(np.sqrt(fit.naive_variance[0, 0]))
    return hazard_ratio(float(fit.coefficients[0]), error, METHOD)


def _one_state(event: Array, state: Array) -> str | None:
    """Why there is nothing to compare, if all patients or all events are in one state."""
    if not np.ptp(state):
        return "everybody had switched from the start" if state.any() else "nobody switched"
    states = state[event == 1]
    if np.ptp(states):
        return None
    where = "before" if states.all() else "after"
    return f"no events {where} the switch: the hazard ratio has no finite estimate"


def state_counts(frame: pl.DataFrame, from_day: float | None = None) -> tuple[DayCounts, DayCounts]:
    """Day counts before and after the switch; the after state is entered at the switch.

    Frame as for `counting_process`, which may raise. A switch censors in the first and enters the
    second on its day. With `from_day` only who is under observation after it, in the state held
    then; else all, and day 0 stays day 0.
    """
    pieces = _pieces(_checked(frame))
    if from_day is not None:
        pieces = pieces.filter(pl.col("stop") > from_day)
    begin = 0.0 if from_day is None else from_day
    one, other = (_counted(pieces.filter(pl.col("state") == k), begin) for k in (0, 1))
    return one, other


def _counted(pieces: pl.DataFrame, begin: float) -> DayCounts:
    start, stop = pieces["start"].to_numpy(), pieces["stop"].to_numpy()
    late, event = start > begin, pieces["event"].to_numpy() == 1
    day = np.unique(np.concatenate((stop, start[late])))
    leaving, entering = np.searchsorted(day, stop), np.searchsorted(day, start[late])
    events, all_, entered = (
        np.bincount(x, minlength=day.size) for x in (leaving[event], leaving, entering)
    )
    return DayCounts(day, events, all_ - events, entered if late.any() else None)


def mantel_byar(frame: pl.DataFrame) -> LogRank:
    """Mantel & Byar's test that the hazard is the same before and after; frame as above.

    Observed and expected events before and after; the reason as `log_rank` has it. R:
    mantelhaen.test(correct = FALSE), coxph(ties = "exact")$score.
    """
    return log_rank(state_counts(frame))


@dataclass(frozen=True)
class SimonMakuch:
    """Kaplan-Meier before and after the switch from `start_day` on, where both are 1.

    `n_gone`: enrollments whose follow-up ended on or before `start_day`, in neither curve.
    """

    start_day: float
    before: KaplanMeier
    after: KaplanMeier
    n_gone: int


def simon_makuch(frame: pl.DataFrame, fewest_at_risk: int = FEWEST_AT_RISK) -> SimonMakuch | str:
    """Both curves, from the first day after which both states have `fewest_at_risk`; or the reason.

    Frame as for `counting_process`, which may raise. A state may empty and fill again: the curve
    stays where it was (at 0, if its last patient had the event). R: survfit(Surv ~ state).
    """
    known = _checked(frame)
    day = _first_day(known, fewest_at_risk)
    if day is None:
        return f"there are never {fewest_at_risk} at risk both before and after the switch"
    before, after = (kaplan_meier(c) for c in state_counts(frame, day))
    return SimonMakuch(day, before, after, known.filter(pl.col("time_days") <= day).height)


def _first_day(known: pl.DataFrame, fewest: int) -> float | None:
    """The first day, 0 or that of a switch, after which enough are at risk in both states."""
    moved = known.filter("switched")
    switch, end = (np.sort(moved[c].to_numpy()) for c in ("switch_day", "time_days"))
    leaving = np.sort(_pieces(known).filter(pl.col("state") == 0)["stop"].to_numpy())
    days = np.unique(np.concatenate(([0.0], switch[switch > 0])))
    n_after = np.searchsorted(switch, days, "right") - np.searchsorted(end, days, "right")
    n_before = leaving.size - np.searchsorted(leaving, days, "right")
    enough = days[np.minimum(n_before, n_after) >= fewest]
    return float(enough[0]) if enough.size else None
