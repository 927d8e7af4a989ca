"""Alive or dead after each first event: two estimates of the same patients, laid on one another.

First events are Aalen-Johansen probabilities up to the last contact with known disease status.
Deaths are those up to the last contact, each in the state of the first event before it. Of who has
had an event, the dead are taken away: alive after it is the distance between the two curves (the
prevalence estimate of Pepe, Longton & Thornquist, Stat Med 1991;10:413). Every estimate allows for
its own censoring, so that in small groups the dead after an event can seem more than had it: such a
step is cut to none alive, and if it is more than `MOST_CUT` the group is not shown.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from analysis.compose import Page
from analysis.incidence_results import GroupIncidence
from analysis.incidence_window import end_day, fade_day, first_of
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.competing import (
    AalenJohansen,
    aalen_johansen,
    state_counts,
    state_probabilities,
)
from analysis.stats.counts import Array
from trial.study import DERIVED_MILESTONES, Endpoint
from trial.words import say
from warehouse.query import query

MOST_CUT = 0.005
NO_EVENT = "no_event"
# Derived milestones that are a death themselves.
DEATHS = tuple(code for code in DERIVED_MILESTONES if "death" in code)


@dataclass(frozen=True)
class Afterwards:
    """One group: `first` its first events, `dead` the deaths by the first event before them."""

    first: GroupIncidence
    dead: AalenJohansen
    states: tuple[int, ...]
    deaths: tuple[int, ...]

    @property
    def split(self) -> tuple[int, ...]:
        """The states that one can live with."""
        return tuple(s for s in self.states if s not in self.deaths)

    @property
    def bands(self) -> tuple[str, ...]:
        """Codes from the bottom up: all alive below all dead, the last alive beside its dead."""
        alive = [f"{s}.alive" for s in self.split]
        dead = [f"{s}.dead" for s in self.split[::-1]]
        return (NO_EVENT, *alive, *dead, *map(str, self.deaths))

    @property
    def last_day(self) -> float:
        """Where the curve of either estimate ends first."""
        return min(self.first.end_day(), end_day(self.dead.counts.any_event()))

    @property
    def fade_day(self) -> float | None:
        """Where the curve of either estimate is pale first."""
        return first_of(self.first.fade_day(), fade_day(self.dead.counts.any_event()))

    def dead_by(self, state: int, days: float) -> int:
        """Deaths after a first event of a state, up to and including a day."""
        counts = self.dead.counts
        return int(counts.events[counts.day <= days, state - 1].sum())

    def shares(self, days: Array) -> Array:
        """The share in each band on each day: (days, bands); they add to 1."""
        assert self.first.fit is not None
        first, dead = _on(self.first.fit, days), _on(self.dead, days)
        had = {s: first[:, s - 1] for s in self.states}
        died = {s: np.minimum(dead[:, s - 1], had[s]) for s in self.split}
        columns = [1 - first.sum(axis=1), *(had[s] - died[s] for s in self.split)]
        columns += [*(died[s] for s in self.split[::-1]), *(had[s] for s in self.deaths)]
        return np.clip(np.column_stack(columns), 0, 1)

    def cut(self, until: float) -> float:
        """By how much the dead after an event seem more than had it, at most, up to a day."""
        assert self.first.fit is not None
        days = self._days(until)
        first, dead = _on(self.first.fit, days), _on(self.dead, days)
        columns = [s - 1 for s in self.split]
        return float((dead - first)[:, columns].max(initial=0.0))

    def _days(self, until: float) -> Array:
        both = np.union1d(self.first.counts.day, self.dead.counts.day)
        return np.union1d([0.0], both[both <= until])

    def curve(self) -> tuple[Array, Array]:
        """Days from 0 to the last day, and the shares on each."""
        days = self._days(self.last_day)
        return days, self.shares(days)

    def at(self, days: float) -> Array | str:
        """The shares on a day; beyond the follow-up of either estimate the reason."""
        assert self.first.fit is not None
        for fit in (self.first.fit, self.dead):
            if isinstance(reason := state_probabilities(fit, days), str):
                return reason
        return self.shares(np.array([days]))[0]


def _on(fit: AalenJohansen, days: Array) -> Array:
    """Incidences on some days: (days, states), 0 before the first."""
    row = np.searchsorted(fit.counts.day, days, side="right")
    return np.vstack([np.zeros((1, fit.cif.shape[1])), fit.cif])[row]


# ---------------------------------------------------------------- from the data


def alive_endpoint(on: Page, endpoint: Endpoint) -> Endpoint | None:
    """Survival from the same time zero, whose one event is a death; None if the study has none."""
    terminal = {m.code for m in on.study.milestones if m.is_terminal}
    for other in on.study.endpoints:
        is_same = other.origin == endpoint.origin and set(endpoint.line_codes) <= set(
            other.line_codes
        )
        dies = {e.milestone_code for e in other.events} <= terminal
        if other.kind == "survival" and is_same and dies and not other.is_finished:
            return other
    return None


def _deaths(on: Page, endpoint: Endpoint) -> tuple[int, ...]:
    """The states that are a death themselves."""
    deadly = {*DEATHS, *(m.code for m in on.study.milestones if m.is_terminal)}
    return tuple(s for s in endpoint.states if set(endpoint.state_events(s)) <= deadly)


def _of_group(
    on: Page, endpoint: Endpoint, g: GroupIncidence, rows: dict[str, pl.DataFrame], alive: str
) -> Afterwards | str:
    """One group, or why it is not shown."""
    n_states = max(endpoint.states)
    first, dead = (
        state_counts(rows[code].filter(g.group.matches), n_states)
        for code in (endpoint.code, alive)
    )
    if first.n < FEWEST_FOR_PERCENT:
        few = say("survival.few", n=FEWEST_FOR_PERCENT)
        return few if first.n else say("response.nobody")
    apart = rows[alive].filter(g.group.matches, ~pl.col("is_nested"))["n"].sum()
    if apart:
        return say("components.not_nested", n=int(apart))
    deaths = _deaths(on, endpoint)
    shown = GroupIncidence(g.group, first, aalen_johansen(first), g.ended)
    found = Afterwards(shown, aalen_johansen(dead), endpoint.states, deaths)
    is_far = found.cut(found.last_day) > MOST_CUT
    return say("components.too_far") if is_far else found


def afterwards(
    on: Page, endpoint: Endpoint, found: tuple[GroupIncidence, ...]
) -> tuple[Afterwards | str, ...]:
    """Each group's first events and deaths, or why it is not shown; empty without such a survival.

    Of those with a time of both endpoints; who has one alone is in neither estimate.
    """
    alive = alive_endpoint(on, endpoint)
    if alive is None:
        return ()
    told = query(
        on.snapshot, "survival_both", on.view.selection, first=endpoint.code, alive=alive.code
    )
    codes = (endpoint.code, alive.code)
    rows = {code: told.filter(pl.col("endpoint_code") == code) for code in codes}
    return tuple(_of_group(on, endpoint, g, rows, alive.code) for g in found)
