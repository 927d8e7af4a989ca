"""Every endpoint of a view at one time: values, differences, what they tell of how many patients.

Survival endpoints by Kaplan-Meier, incidence ones by Aalen-Johansen (their state 1). Differences
end where the head of the page ends them: with the follow-up that all cohorts share.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from analysis.answer import Disclosed
from analysis.compose import Page
from analysis.follow_up_guards import is_thin
from analysis.groups import groups
from analysis.incidence_results import GroupIncidence, beyond, group_incidence
from analysis.link import View
from analysis.outcomes import Outcomes
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.competing import state_at_risk_table
from analysis.stats.counts import DayCounts, at_risk_table
from analysis.stats.estimate import Estimate, not_estimable
from analysis.stats.limits import mover_difference
from analysis.stats.survival import kaplan_meier, survival_at
from analysis.survival_window import window_of
from analysis.wording import in_unit
from trial.study import Endpoint, Study
from trial.words import say
from warehouse.query import query

METHOD = "difference, MOVER from the two intervals"


@dataclass(frozen=True)
class EndpointRow:
    """An endpoint at a day: each group's value, and each later group's difference from the first.

    `pairs` is empty where groups are not compared. `disclosed`: its own counts, and how far they
    are from those of the endpoints before it.
    """

    endpoint: Endpoint
    days: float
    found: tuple[GroupIncidence, ...]
    values: tuple[Estimate, ...]
    pairs: tuple[tuple[GroupIncidence, Estimate], ...]
    disclosed: Disclosed

    @property
    def is_incidence(self) -> bool:
        """Whether its value is a cumulative incidence, and no survival."""
        return self.endpoint.kind == "incidence"

    def events_by(self, g: GroupIncidence) -> int:
        """Events up to and including the day: what the value counts."""
        return g.events_by(1, self.days)

    def at_risk(self, g: GroupIncidence) -> int:
        """At risk just before the day."""
        return state_at_risk_table(g.counts, (self.days,))[0].at_risk

    def is_thin(self, g: GroupIncidence) -> bool:
        """Whether few are at risk just before the day since others were censored."""
        return is_thin(at_risk_table(g.counts.any_event(), (self.days,))[0])


def listed(study: Study, view: View) -> tuple[Endpoint, ...]:
    """The endpoints of the list: survival and incidence, defined for a line of the view."""
    lines = set(view.selection.line_codes)
    return tuple(e for e in study.endpoints if e.kind != "states" and lines & set(e.line_codes))


def all_outcomes(on: Page, endpoints: tuple[Endpoint, ...]) -> dict[str, Outcomes]:
    """How the population ends each endpoint, in one query; by endpoint code."""
    codes = [e.code for e in endpoints]
    found = query(on.snapshot, "survival_all", on.view.selection, endpoint_codes=codes)
    found = found.with_columns(is_population=pl.lit(True))
    parts: dict[str, dict] = {code: {} for code in codes}
    by = ("endpoint_code", "cohort_code", "entry_reason")
    for (code, cohort, line), rows in found.partition_by(*by, as_dict=True).items():
        parts[str(code)][str(cohort), str(line)] = rows
    return {code: Outcomes(of) for code, of in parts.items()}


# ---------------------------------------------------------------- values and differences


def value_of(endpoint: Endpoint, g: GroupIncidence, days: float) -> Estimate:
    """S of a survival endpoint, the incidence of state 1 of the others; counts alone under ten."""
    if endpoint.kind == "incidence" or g.fit is None or g.n < FEWEST_FOR_PERCENT:
        return g.at(1, days)
    return survival_at(g.fit.event_free, days)


def _beyond(on: Page, found: tuple[GroupIncidence, ...], days: float) -> str | None:
    """Why there is no difference of survival by this day: the rule of the page's head."""
    counts = [g.counts.any_event() for g in found if g.n >= FEWEST_FOR_PERCENT]
    window = window_of(counts, on.study.randomised)
    if not window.is_beyond(days):
        return None
    end = in_unit(on.study)(window.end or 0.0)
    return say("survival.beyond", end=end, unit=on.study.time_unit)


def _difference(reason: str | None, reference: Estimate, one: Estimate) -> Estimate:
    return not_estimable(reason, METHOD) if reason else mover_difference(reference, one)


def _pairs(
    on: Page, endpoint: Endpoint, found: tuple[GroupIncidence, ...], values: tuple[Estimate, ...]
) -> tuple[tuple[GroupIncidence, Estimate], ...]:
    if on.refused:
        return ()
    days = on.view.time * on.study.unit_days
    rule = beyond if endpoint.kind == "incidence" else _beyond
    reason = rule(on, found, days)
    others = zip(found[1:], values[1:], strict=True)
    return tuple((g, _difference(reason, values[0], value)) for g, value in others)


# ---------------------------------------------------------------- day 0


@dataclass(frozen=True)
class DayZero:
    """A group of a survival endpoint: events on day 0, and survival of all others."""

    g: GroupIncidence
    n_events: int
    rest: Estimate


def _without_day_0(counts: DayCounts) -> DayCounts:
    """The group without who had the event on day 0; who was censored on it stays."""
    return DayCounts(counts.day, np.where(counts.day == 0, 0, counts.events), counts.censored)


def day_zero(row: EndpointRow) -> tuple[DayZero, ...]:
    """Each group of a survival endpoint with events on day 0; empty if no group has any."""
    if row.is_incidence or not any(g.events_by(1, 0) for g in row.found):
        return ()
    found = []
    for g in row.found:
        n = g.events_by(1, 0)
        rest = survival_at(kaplan_meier(_without_day_0(g.counts.any_event())), row.days)
        if g.n - n < FEWEST_FOR_PERCENT:
            rest = not_estimable(say("survival.few", n=FEWEST_FOR_PERCENT), rest.method)
        found.append(DayZero(g, n, rest))
    return tuple(found)


# ---------------------------------------------------------------- what they disclose


def _cells(g: GroupIncidence, days: float) -> list[int]:
    """The parts of a group: by state on day 0, by the day, later; censored before; left out."""
    row = state_at_risk_table(g.counts, (days,))[0]
    cells = [row.at_risk, row.censored, g.n - sum(g.counts.n_events), *g.ended.left_out.values()]
    for state, total in enumerate(g.counts.n_events, start=1):
        first, by = g.events_by(state, 0), g.events_by(state, days)
        cells += [first, by - first, total - by, g.n - total, g.n - by, g.n - first]
    return cells


def _told(g: GroupIncidence, days: float) -> tuple[int, ...]:
    """What two endpoints of the same children are subtracted by."""
    events = g.counts.n_events[0]
    return g.n, events, g.n - events, g.events_by(1, days)


def _disclosed(
    code: str, found: tuple[GroupIncidence, ...], before: list[EndpointRow], days: float
) -> Disclosed:
    """An endpoint's own cells, and its distance from those before it: often they are nested."""
    counts = [n for g in found for n in _cells(g, days)]
    for other in before:
        for g, h in zip(found, other.found, strict=True):
            pairs = zip(_told(g, days), _told(h, days), strict=True)
            counts += [abs(a - b) for a, b in pairs]
    return Disclosed(tuple(counts), f"endpoint.{code}")


def endpoint_results(on: Page) -> tuple[EndpointRow, ...]:
    """Every listed endpoint at the time of the view, in the study's order."""
    endpoints = listed(on.study, on.view)
    ended, days = all_outcomes(on, endpoints), on.view.time * on.study.unit_days
    rows: list[EndpointRow] = []
    for endpoint in endpoints:
        of, chosen = ended[endpoint.code], groups(on.study, on.view.selection)
        found = tuple(group_incidence(endpoint, g, of.of(g)) for g in chosen)
        values = tuple(value_of(endpoint, g, days) for g in found)
        pairs = _pairs(on, endpoint, found, values)
        disclosed = _disclosed(endpoint.code, found, rows, days)
        rows.append(EndpointRow(endpoint, days, found, values, pairs, disclosed))
    return tuple(rows)
