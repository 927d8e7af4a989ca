"""Competing events from day counts: the Aalen-Johansen probabilities of several final states.

Everybody starts event-free and may enter one of the states 1, 2, ... J, or be censored (0). On each
day the event-free S and the cumulative incidences F_1 ... F_J add to 1:

    F_k(t) = sum over days s <= t of S(s-) d_k(s) / n(s),    S(t) = prod of 1 - d(s) / n(s)

with d_k events of state k, d of all states, n at risk. Conventions as in `survival.py`: who has an
event or is censored on a day is at risk on it; F(t) includes the events on t; an event on day 0
counts. With one state F is 1 - Kaplan-Meier.

Standard error: the infinitesimal jackknife, the only one that R's survfit has for several states
(`std.err` of `pstate`): the sum over patients of the squared derivative of F_k(t) by the patient's
weight. These influences are orthogonal between days (within a day they add to 0 over those at
risk), so their sum of squares needs the day counts only, and is the Greenwood-type variance of
Andersen, Borgan, Gill & Keiding; for S it is Greenwood's own:

    var F_k(t) = sum over s <= t of 1/n { S(s-)^2 h_k (1 - h_k) - 2 S(s-) h_k [F_k(t) - F_k(s)]
                                          + [F_k(t) - F_k(s)]^2 h / (1 - h) },  h_k = d_k/n, h = d/n

Limits: log(-log F), on F itself as survfit's conf.type = "log-log" does for `pstate`:
F^exp(+-z se / (F log F)). They are not mirrored: with one state they differ from 1 minus the
limits of Kaplan-Meier, which are log(-log S).

Late entries (left truncation): who enters on a day is at risk from the next day on. The estimates
are survfit's. The variance is then the Greenwood-type formula with these numbers at risk; survfit's
jackknife differs from it, because the influences of who came later are no longer orthogonal.

Sources: Aalen & Johansen, Scand J Stat 1978;5:141; Andersen et al., Statistical Models Based on
Counting Processes 1993, section IV.4; Choudhury, Stat Med 2002;21:1129 (limits). Oracle: R
survival 3.5, survfit(Surv(time, factor(state)) ~ 1, conf.type = "log-log"); with late entries
survfit(Surv(entry, time, factor(state)) ~ 1, id = id). Cause-specific hazard ratio: coxph with the
other states censored.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from analysis.stats.counts import Array, DayCounts
from analysis.stats.cox import hazard_ratios
from analysis.stats.estimate import Estimate, not_estimable
from analysis.stats.limits import clopper_pearson, log_log_limits
from analysis.stats.survival import KaplanMeier, entry_caveat, kaplan_meier, survival_at


@dataclass(frozen=True)
class StateCounts:
    """One cohort: `day` (K,) ascending and distinct, `events` (K, J) by state, `censored` (K,).

    `entered` (K,): how many come under observation at the end of each day; None if all did at the
    start.
    """

    day: Array
    events: Array
    censored: Array
    entered: Array | None = None

    @property
    def n_states(self) -> int:
        """States that end the event-free time, with or without an event in this cohort."""
        return self.events.shape[1]

    @property
    def n(self) -> int:
        """Enrollments."""
        return int(self.events.sum() + self.censored.sum())

    @property
    def n_events(self) -> tuple[int, ...]:
        """Enrollments that entered each state: J numbers."""
        return tuple(int(x) for x in self.events.sum(axis=0))

    @property
    def at_risk(self) -> Array:
        """Event-free and observed on each day, just before its events: (K,)."""
        return self.any_event().at_risk

    def any_event(self) -> DayCounts:
        """All states as one event: the counts of event-free survival."""
        return DayCounts(self.day, self.events.sum(axis=1), self.censored, self.entered)

    def cause_specific(self, state: int) -> DayCounts:
        """One state as the event, the others censored: for its cause-specific hazard, no curve."""
        own = self.events[:, _column(self, state)]
        others = self.events.sum(axis=1) - own
        return DayCounts(self.day, own, self.censored + others, self.entered)


def _column(counts: StateCounts, state: int) -> int:
    if not 1 <= state <= counts.n_states:
        raise ValueError(f"state {state} is none of 1 to {counts.n_states}")
    return state - 1


def state_counts(frame: pl.DataFrame, n_states: int) -> StateCounts:
    """From columns time_days, state (0 censored, 1 to n_states), n; any order, repeats allowed.

    `n_states` is given and not found in the data: a state that nobody entered keeps its place. An
    empty frame gives a cohort of nobody. Raises ValueError for another state, a missing or negative
    day, a missing, negative or fractional n.
    """
    _refuse(frame, n_states)
    by_day = (
        frame.filter(pl.col("n") > 0)
        .group_by("time_days")
        .agg(
            pl.col("n").filter(pl.col("state") == state).sum().alias(str(state))
            for state in range(n_states + 1)
        )
        .sort("time_days")
    )
    counted = by_day.drop("time_days").to_numpy().astype(np.int64)  # (K, J + 1)
    day = by_day["time_days"].to_numpy().astype(float)
    return StateCounts(day, counted[:, 1:], counted[:, 0])


def _refuse(frame: pl.DataFrame, n_states: int) -> None:
    """Nobody is dropped or invented in silence."""
    day, state, n = (pl.col(c).cast(pl.Float64) for c in ("time_days", "state", "n"))
    known = (day >= 0) & day.is_finite() & state.is_in([float(k) for k in range(n_states + 1)])
    known &= (n >= 0) & (n == n.floor())
    if wrong := frame.filter(~known.fill_null(False)).height:
        raise ValueError(
            f"{wrong} rows without a day from 0 on, with a state outside 0 to {n_states}, or with "
            "an n that is no number of enrollments"
        )


@dataclass(frozen=True)
class DelayedStates:
    """Counts of those ever at risk, and how many never were (of them: with an event)."""

    counts: StateCounts
    n_never_at_risk: int
    n_events_never_at_risk: int


def delayed_state_counts(frame: pl.DataFrame, n_states: int) -> DelayedStates:
    """From columns entry_day, time_days, state, n, as `state_counts`, some under observation late.

    No entry day, or one on day 0 or before: from the start. An end on or before a later entry day:
    never at risk, left out and counted (R leaves such rows out with a warning).
    """
    _refuse(frame, n_states)
    late = (pl.col("entry_day") > 0).fill_null(False)
    ever = ~late | (pl.col("time_days") > pl.col("entry_day"))
    never = frame.filter(~ever)
    counts = state_counts(frame.filter(ever), n_states)
    entries = frame.filter(ever & late & (pl.col("n") > 0)).group_by("entry_day")
    by_day = entries.agg(pl.col("n").sum()).sort("entry_day")
    if by_day.height:
        counts = _entered(counts, by_day["entry_day"].to_numpy(), by_day["n"].to_numpy())
    events = never.filter(pl.col("state") > 0)["n"].sum()
    return DelayedStates(counts, int(never["n"].sum()), int(events))


def _entered(counts: StateCounts, day: Array, n: Array) -> StateCounts:
    """The counts with n coming under observation on each day, on the days of both."""
    days = np.union1d(counts.day, day.astype(float))
    events = np.zeros((days.size, counts.n_states), dtype=np.int64)
    censored, entered = np.zeros((2, days.size), dtype=np.int64)
    at = np.searchsorted(days, counts.day)
    events[at], censored[at] = counts.events, counts.censored
    entered[np.searchsorted(days, day)] = n
    return StateCounts(days, events, censored, entered)


@dataclass(frozen=True)
class CauseSets:
    """Several cohorts on the days of all: `day` (K,); the others (K, cohorts).

    `own` events of one state, `other` those of all other states, and who is `at_risk` before them.
    """

    day: Array
    own: Array
    other: Array
    censored: Array
    at_risk: Array

    def on(self, chosen: Array) -> "CauseSets":
        """Some of the days: `chosen` (K,) of booleans."""
        columns = self.own, self.other, self.censored, self.at_risk
        return CauseSets(self.day[chosen], *(x[chosen] for x in columns))


def cause_sets(cohorts: tuple[StateCounts, ...], state: int) -> CauseSets:
    """One state against all others in several cohorts, on every day on which anyone leaves."""
    day = np.unique(np.concatenate([c.day for c in cohorts]))
    own, other, censored, at_risk = np.zeros((4, day.size, len(cohorts)))
    for j, c in enumerate(cohorts):
        at, cause = np.searchsorted(day, c.day), c.cause_specific(state)
        own[at, j], censored[at, j] = cause.events, c.censored
        other[at, j] = cause.censored - c.censored
        at_risk[:, j] = c.any_event().at_risk_at(day)
    return CauseSets(day, own, other, censored, at_risk)


def cause_specific_hazard_ratios(
    cohorts: tuple[StateCounts, ...], state: int
) -> tuple[Estimate, ...]:
    """Cause-specific hazard ratio of each cohort against the first: other states are censored.

    It compares the rate among those still event-free, not how many ever have the event. A cohort
    without the event: not estimable. R: coxph(Surv(time, state == k) ~ cohort).
    """
    return hazard_ratios(tuple(c.cause_specific(state) for c in cohorts))


@dataclass(frozen=True)
class AalenJohansen:
    """The probabilities on every distinct day.

    `event_free`: S with Greenwood's variance (K,). `cif`: F by state, its `standard_error` and the
    log(-log) limits `lower` and `upper`, all (K, J); limits are NaN where F is 0 or 1.
    """

    counts: StateCounts
    event_free: KaplanMeier
    cif: Array
    standard_error: Array
    lower: Array
    upper: Array


def aalen_johansen(counts: StateCounts) -> AalenJohansen:
    """The probabilities of all states. A cohort of nobody gives empty arrays. R: survfit."""
    event_free = kaplan_meier(counts.any_event())
    at_risk = _at_risk(counts)
    before = np.concatenate(([1.0], event_free.survival))[:-1, None]  # S just before each day
    cif = np.cumsum(before * counts.events / at_risk, axis=0)
    elsewhere = before * (counts.events.sum(axis=1)[:, None] - counts.events)
    # Nobody left, nobody elsewhere: rounding must not leave 1 - 1e-16 with a standard error.
    certain = (event_free.survival[:, None] == 0) & (np.cumsum(elsewhere, axis=0) == 0)
    cif[certain] = 1.0
    error = np.sqrt(_variance(counts, before))
    error[(cif == 0) | certain] = 0.0
    relative = np.divide(error, cif, out=np.zeros_like(cif), where=cif > 0)
    return AalenJohansen(counts, event_free, cif, error, *log_log_limits(cif, relative**2))


def _at_risk(counts: StateCounts) -> Array:
    """At risk as a column (K, 1); 1 where nobody is, before late entries: nothing happens then."""
    return np.maximum(counts.at_risk, 1).astype(float)[:, None]


def _variance(counts: StateCounts, before: Array) -> Array:
    """Variance of F by state: (K, J); the module's formula, multiplied out into running sums.

    F(t) - F(s) is written R(s) - R(t) with R what is still to come after a day: R is at most S, so
    that nothing grows large where S is small.
    """
    n = _at_risk(counts)
    h_k = counts.events / n
    d = counts.events.sum(axis=1)[:, None]
    # On a day when all at risk have an event nothing is to come, and 0/0 contributes nothing.
    odds = np.divide(d, n - d, out=np.zeros_like(n), where=n > d)
    steps = before * h_k
    rest = np.cumsum(steps[::-1], axis=0)[::-1] - steps
    constant = np.cumsum((before * steps * (1 - h_k) - 2 * steps * rest + rest**2 * odds) / n, 0)
    linear = np.cumsum((steps - rest * odds) / n, 0)
    square = np.cumsum(odds / n, 0)
    return np.maximum(constant + 2 * rest * linear + rest**2 * square, 0.0)


def _followed_to(fit: AalenJohansen, day: float) -> str | None:
    """None where the probabilities are estimable on this day, else the reason why not."""
    event_free = survival_at(fit.event_free, day)
    return event_free.reason if event_free.estimate is None else None


def _row(counts: StateCounts, day: float) -> int:
    """The last row on or before this day; -1 before the first."""
    return int(np.searchsorted(counts.day, day, side="right")) - 1


def incidence_at(fit: AalenJohansen, state: int, day: float) -> Estimate:
    """F of a state on a day with its log(-log) limits.

    Beyond the last follow-up while somebody is still event-free, and before anybody came under
    observation: not estimable. With late entries the reason beside the number may be what
    `survival.entry_caveat` says.
    """
    method, counts = "Aalen-Johansen, log(-log) interval", fit.counts
    column, row = _column(counts, state), _row(counts, day)
    if reason := _followed_to(fit, day):
        return not_estimable(reason, method)
    value = float(fit.cif[row, column]) if row >= 0 else 0.0
    if not 0 < value < 1:
        return _at_the_edge(counts, day, value, method)
    lower, upper = float(fit.lower[row, column]), float(fit.upper[row, column])
    return Estimate(
        value, lower, upper, method=method, reason=entry_caveat(fit.event_free.counts, day)
    )


def _at_the_edge(counts: StateCounts, day: float, value: float, method: str) -> Estimate:
    """F = 0 or 1, where log(-log) has no limits.

    The exact (Clopper-Pearson) ones if nobody was censored before the day and all were observed
    from the start, else no interval, and the reason.
    """
    what = f"no events in {counts.n}" if value == 0 else "nobody is left without the event"
    if censored := state_at_risk_table(counts, (day,))[0].censored:
        return Estimate(value, method=method, reason=f"{what}, {censored} censored before")
    if counts.entered is not None:
        late = f"{what}, {int(counts.entered.sum())} entered late"
        return Estimate(value, method=method, reason=entry_caveat(counts.any_event(), day) or late)
    lower, upper = clopper_pearson(0 if value == 0 else counts.n, counts.n)
    exact = "Aalen-Johansen, Clopper-Pearson interval"
    return Estimate(value, lower, upper, method=exact, reason=what)


def incidence_error_at(fit: AalenJohansen, state: int, day: float) -> float | None:
    """Standard error of F of a state on a day, 0 < F < 1, within follow-up; else None."""
    column, row = _column(fit.counts, state), _row(fit.counts, day)
    if row < 0 or _followed_to(fit, day) or not 0 < fit.cif[row, column] < 1:
        return None
    return float(fit.standard_error[row, column])


@dataclass(frozen=True)
class StateProbabilities:
    """Where the cohort is on a day: event-free, or in each of the J states; they add to 1."""

    time_days: float
    event_free: float
    by_state: tuple[float, ...]


def state_probabilities(fit: AalenJohansen, day: float) -> StateProbabilities | str:
    """The probability of every state on a day; or the reason in words why there is none."""
    if reason := _followed_to(fit, day):
        return reason
    row = _row(fit.counts, day)
    if row < 0:
        return StateProbabilities(day, 1.0, (0.0,) * fit.counts.n_states)
    by_state = tuple(float(x) for x in fit.cif[row])
    return StateProbabilities(day, float(fit.event_free.survival[row]), by_state)


@dataclass(frozen=True)
class StateAtRisk:
    """What happened by t: at_risk (time >= t) + events + censored (all before t) = n.

    Late entries after t are the rest.
    """

    time_days: float
    at_risk: int
    events: tuple[int, ...]
    censored: int


def state_at_risk_table(counts: StateCounts, times: tuple[float, ...]) -> tuple[StateAtRisk, ...]:
    """At risk just before, and events by state and censored strictly before, each time."""
    first = np.searchsorted(counts.day, times, side="left")
    nobody = np.zeros((1, counts.n_states), dtype=np.int64)
    events = np.concatenate((nobody, np.cumsum(counts.events, axis=0)))[first]
    censored = np.concatenate(([0], np.cumsum(counts.censored)))[first]
    at_risk = counts.any_event().at_risk_at(np.asarray(times, dtype=float))
    return tuple(
        StateAtRisk(t, int(left), tuple(int(x) for x in gone), int(lost))
        for t, left, gone, lost in zip(times, at_risk, events, censored, strict=True)
    )
