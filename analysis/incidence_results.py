"""The estimates behind competing events: each group's counts and Aalen-Johansen fit.

Aalen-Johansen estimates, never 1 - Kaplan-Meier: who has died can no longer relapse.
"""

from dataclasses import dataclass

from analysis.answer import Disclosed
from analysis.compose import Page
from analysis.groups import Group, groups
from analysis.incidence_window import end_day, fade_day
from analysis.outcomes import Ended, Outcomes, outcomes
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.competing import (
    AalenJohansen,
    StateCounts,
    aalen_johansen,
    incidence_at,
    state_at_risk_table,
    state_counts,
)
from analysis.stats.estimate import Estimate, not_estimable
from analysis.stats.limits import mover_difference
from analysis.survival_window import Window, window_of
from analysis.wording import in_unit
from trial.study import Endpoint
from trial.words import say


@dataclass(frozen=True)
class GroupIncidence:
    """One group: its counts and its Aalen-Johansen fit (None without patients)."""

    group: Group
    counts: StateCounts
    fit: AalenJohansen | None
    ended: Ended

    @property
    def n(self) -> int:
        """Patients in the estimate."""
        return self.counts.n

    def at(self, state: int, days: float) -> Estimate:
        """The incidence of a state by a day; fewer than ten patients give counts alone."""
        if self.fit is None or self.n < FEWEST_FOR_PERCENT:
            reason = say("survival.few", n=FEWEST_FOR_PERCENT) if self.n else say("response.nobody")
            return not_estimable(reason, "Aalen-Johansen")
        return incidence_at(self.fit, state, days)

    def events_by(self, state: int, days: float) -> int:
        """Events of a state up to and including a day."""
        return int(self.counts.events[self.counts.day <= days, state - 1].sum())

    def end_day(self) -> float:
        """Where a curve ends: the last day with five at risk, or with nobody censored before."""
        return end_day(self.counts.any_event())

    def fade_day(self) -> float | None:
        """From when on a curve is pale: fewer than ten at risk since others were censored."""
        return fade_day(self.counts.any_event())


def state_label(on: Page, endpoint: Endpoint, state: int) -> str:
    """What the screen calls a state: its milestones."""
    return " or ".join(on.study.milestone_label(code) for code in endpoint.state_events(state))


def group_incidence(endpoint: Endpoint, group: Group, ended: Ended) -> GroupIncidence:
    """One group as it ended an endpoint; without patients there is no fit."""
    counts = state_counts(ended.by_day, max(endpoint.states))
    return GroupIncidence(group, counts, aalen_johansen(counts) if counts.n else None, ended)


def incidence_results(
    on: Page, endpoint: Endpoint, ended: Outcomes | None = None
) -> tuple[GroupIncidence, ...]:
    """Every group of the view, the reference first; `ended` if it is known already."""
    chosen = on.view.selection
    ended = ended or outcomes(on.snapshot, chosen, endpoint)
    return tuple(group_incidence(endpoint, g, ended.of(g)) for g in groups(on.study, chosen))


def compared_groups(on: Page, found: tuple[GroupIncidence, ...]) -> tuple[GroupIncidence, ...]:
    """The groups with enough patients to be compared; none where groups are not compared."""
    return () if on.refused else tuple(g for g in found if g.n >= FEWEST_FOR_PERCENT)


def window_of_groups(on: Page, found: tuple[GroupIncidence, ...]) -> Window:
    """How far the groups are compared."""
    counts = [g.counts.any_event() for g in compared_groups(on, found)]
    return window_of(counts, on.study.randomised)


def beyond(on: Page, found: tuple[GroupIncidence, ...], days: float) -> str | None:
    """Why groups are not compared on a day: it is later than the follow-up that they share."""
    window, study = window_of_groups(on, found), on.study
    if window.end is None or not window.is_beyond(days):
        return None
    return say("survival.beyond", end=in_unit(study)(window.end), unit=study.time_unit)


def differences(
    on: Page, endpoint: Endpoint, found: tuple[GroupIncidence, ...], days: float
) -> list[tuple[GroupIncidence, Estimate]]:
    """Each group after the first with its incidence of state 1 less the first's.

    MOVER from the limits of the two incidences, as for S(t). None where groups are not compared,
    and of an endpoint that shows all states at once. Not estimable beyond the follow-up that all
    share, where it is unequal.
    """
    if on.refused or endpoint.kind != "incidence":
        return []
    reference, *others = found
    if reason := beyond(on, found, days):
        return [(g, not_estimable(reason, "MOVER")) for g in others]
    return [(g, mover_difference(reference.at(1, days), g.at(1, days))) for g in others]


def row_disclosed(
    found: tuple[GroupIncidence, ...], state: int, time: float, part: str
) -> Disclosed:
    """What an incidence by a day tells: by then, later, without."""
    counts = []
    for g in found:
        by = g.events_by(state, time)
        counts += [by, sum(g.counts.n_events[state - 1 : state]) - by, g.n - by]
    return Disclosed(tuple(counts), part)


def risk_disclosed(found: tuple[GroupIncidence, ...], days: float, part: str) -> Disclosed:
    """Who is at risk on a day, and what became of the others before it."""
    counts = []
    for g in found:
        (row,) = state_at_risk_table(g.counts, (days,))
        counts += [row.at_risk, g.n - row.at_risk, *row.events, row.censored]
    return Disclosed((*row_disclosed(found, 1, days, part).counts, *counts), part)


def totals_disclosed(found: tuple[GroupIncidence, ...]) -> Disclosed:
    """All events of all groups, and those without any."""
    counts = [n for g in found for n in (*g.counts.n_events, g.n - sum(g.counts.n_events))]
    return Disclosed(tuple(counts), "totals")


def curve_disclosed(found: tuple[GroupIncidence, ...]) -> tuple[Disclosed, ...]:
    """A curve shows every step: each day's events and censorings."""
    counts = []
    for g in found:
        counts += [*g.counts.events.ravel().tolist(), *g.counts.censored.tolist()]
    return (Disclosed(tuple(int(n) for n in counts if n), "curve"),)
