"""Competing events: cumulative incidence of each state, and all states of a whole cohort.

Aalen-Johansen estimates, never 1 - Kaplan-Meier: who has died can no longer relapse.
"""

from dataclasses import replace

from analysis.answer import Answer, Disclosed, Note
from analysis.compose import Page, late_entry, page
from analysis.incidence_compared import (
    comparison_notes,
    comparison_numbers,
    comparison_table,
    incidence_comparison,
    over_all_told,
)
from analysis.incidence_figures import incidence_figure, state_figures
from analysis.incidence_follow_up import (
    FollowUp,
    follow_up_notes,
    follow_up_numbers,
    follow_up_of,
    unsure_times,
)
from analysis.incidence_numbers import incidence_numbers
from analysis.incidence_results import (
    GroupIncidence,
    differences,
    incidence_results,
    row_disclosed,
    state_label,
    totals_disclosed,
)
from analysis.incidence_tables import at_risk_table, state_table
from analysis.link import View
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.competing import state_probabilities
from analysis.wording import percent, percent_limits, points, points_limits, time_in_words
from trial.study import Endpoint
from trial.words import say
from warehouse.query import Snapshot


def _states_headline(on: Page, endpoint: Endpoint, found: tuple[GroupIncidence, ...]) -> str:
    """The share in each state of each group: those without event first."""
    days = on.view.time * on.study.unit_days
    parts = []
    for g in found:
        told = state_probabilities(g.fit, days) if g.fit else say("response.nobody")
        if 0 < g.n < FEWEST_FOR_PERCENT:
            told = say("survival.few", n=FEWEST_FOR_PERCENT)
        shares = told
        if not isinstance(told, str):
            labels = [(told.event_free, endpoint.no_event_label)]
            labels += [
                (told.by_state[s - 1], state_label(on, endpoint, s)) for s in endpoint.states
            ]
            written = (say("states.share", value=percent(p), state=state) for p, state in labels)
            shares = ", ".join(written)
        parts.append(say("states.cohort", cohort=g.group.label, n=g.n, shares=shares))
    when = time_in_words(on.study, on.view.time)
    return say("states.headline", time=when, parts="; ".join(parts))


def _headline(on: Page, endpoint: Endpoint, found: tuple[GroupIncidence, ...]) -> str:
    days = on.view.time * on.study.unit_days
    parts = []
    for g in found:
        estimate, events = g.at(1, days), g.events_by(1, days)
        counted = say("survival.one_event") if events == 1 else say("survival.events", n=events)
        told = {"cohort": g.group.label, "events": counted, "n": g.n}
        if estimate.estimate is None:
            parts.append(say("survival.headline_none", reason=estimate.reason, **told))
            continue
        limits = percent_limits(estimate) if estimate.lower is not None else estimate.reason
        told |= {"value": percent(estimate.estimate), "limits": limits}
        parts.append(say("survival.headline_cohort", **told))
    when = time_in_words(on.study, on.view.time)
    text = say("survival.headline", endpoint=endpoint.label, time=when, cohorts="; ".join(parts))
    for g, difference in differences(on, endpoint, found, days):
        told = {"cohort": g.group.label, "comparator": found[0].group.label}
        if difference.estimate is None:
            text += " " + say("survival.headline_no_difference", reason=difference.reason, **told)
            continue
        limits = points_limits(difference) if difference.lower is not None else difference.reason
        value = points(difference.estimate)
        text += " " + say("survival.headline_difference", value=value, limits=limits, **told)
    return text


def _untimed(on: Page, endpoint: Endpoint, found: tuple[GroupIncidence, ...]) -> Answer:
    """There are patients, and none of them has a time of the endpoint: a sentence, and why."""
    text = say("later.nobody", population=on.population, endpoint=endpoint.label)
    return on.answer(text, _left_out_notes(on, endpoint, found), (), (), ())


def _left_out_notes(on: Page, endpoint: Endpoint, found: tuple[GroupIncidence, ...]) -> list[Note]:
    """Who of each group is left out, and why."""
    notes = []
    for g in found:
        size = on.sizes[g.group.code]
        told = {"cohort": g.group.label, "n_population": size.n_population}
        if n := g.ended.n_without_origin:
            origin = on.study.milestone_label(endpoint.origin)
            text = say("survival.left_out_origin", n=n, origin=origin, **told)
            notes.append(_left_out(text, n, size.n_population))
        if n := g.ended.n_in_doubt:
            text = say("survival.left_out_doubt", n=n, **told)
            notes.append(_left_out(text, n, size.n_population))
        if n := g.ended.n_without_day:
            censor = on.study.milestone_label(endpoint.censor)
            text = say("survival.left_out_day", n=n, censor=censor, **told)
            notes.append(_left_out(text, n, size.n_population))
    return notes


def _notes(on: Page, endpoint: Endpoint, found: tuple[GroupIncidence, ...]) -> list[Note]:
    notes = [*on.notes(), *late_entry(on.snapshot), *_left_out_notes(on, endpoint, found)]
    if endpoint.origin != "enrollment":
        notes.append(Note("info", say("incidence.among")))
    return notes


def _left_out(text: str, n: int, of: int) -> Note:
    return Note("warning", say("survival.left_out", parts=text), Disclosed((n, of - n)))


def _incidence(of: FollowUp, found: tuple[GroupIncidence, ...]) -> Answer:
    """State 1, compared between the groups."""
    on, endpoint = of.on, of.endpoint
    compared = incidence_comparison(on, endpoint, found)
    headline = f"{_headline(on, endpoint, found)}\n{of.sentence}"
    tables = (state_table(on, endpoint, found, unsure_times(of)), comparison_table(on, compared))
    numbers = (*incidence_numbers(on, endpoint, found), *follow_up_numbers(of))
    guards = follow_up_notes(of, compared.n_beyond, over_all_told(compared))
    return on.answer(
        headline,
        [*_notes(on, endpoint, found), *guards, *comparison_notes(on, compared)],
        tuple(incidence_figure(on, endpoint, found, headline)),
        (*tables, at_risk_table(on, endpoint, found)),
        (*numbers, *comparison_numbers(on, endpoint, compared)),
    )


def _states(of: FollowUp, found: tuple[GroupIncidence, ...]) -> Answer:
    """All states of each group; states compete, so none is compared alone."""
    on, endpoint = of.on, of.endpoint
    headline = f"{_states_headline(on, endpoint, found)}\n{of.sentence}"
    notes = [*_notes(on, endpoint, found), *follow_up_notes(of)]
    table = state_table(on, endpoint, found, unsure_times(of))
    return on.answer(
        headline,
        [*notes, Note("info", say("incidence.no_km"))],
        tuple(state_figures(on, endpoint, found, headline)),
        (table, at_risk_table(on, endpoint, found)),
        (*incidence_numbers(on, endpoint, found), *follow_up_numbers(of)),
    )


def incidence_answer(snapshot: Snapshot, view: View) -> Answer:
    """The answer of a survival view whose endpoint has competing states."""
    on = page("survival", snapshot, view)
    endpoint = on.study.endpoint(view.endpoint)
    found = incidence_results(on, endpoint)
    if all(g.n == 0 for g in found):
        return on.empty() if on.is_empty else _untimed(on, endpoint, found)
    days = view.time * on.study.unit_days
    told = tuple(row_disclosed(found, s, days, f"states.{view.time:g}") for s in endpoint.states)
    of_kind = _incidence if endpoint.kind == "incidence" else _states
    shown = of_kind(follow_up_of(on, endpoint, found), found)
    return replace(shown, headline_disclosed=(*told, totals_disclosed(found)))
