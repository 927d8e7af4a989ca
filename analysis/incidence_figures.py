"""Competing events as pictures: the curve of state 1 by group, or all states of each group."""

from collections.abc import Iterable
from functools import partial

import numpy as np

from analysis.answer import Figure
from analysis.charts import incidence as incidence_chart
from analysis.charts import states as state_chart
from analysis.charts.at_risk import AtRiskBlock, AtRiskColumn
from analysis.charts.palette import STATES
from analysis.compose import Page
from analysis.groups import origin_label
from analysis.incidence_results import (
    GroupIncidence,
    curve_disclosed,
    state_label,
    window_of_groups,
)
from analysis.incidence_window import first_of
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.competing import state_at_risk_table
from analysis.survival_tables import END_BELOW, FADE_BELOW, whole_units
from trial.study import Endpoint
from trial.words import say


def incidence_ticks(on: Page, found: tuple[GroupIncidence, ...]) -> tuple[float, ...]:
    """Days under the time axis: whole units, as far as any curve is drawn."""
    return whole_units(on.study.unit_days, max((g.end_day() for g in found), default=0.0))


def at_risk_block(
    on: Page, endpoint: Endpoint, g: GroupIncidence, ticks: tuple[float, ...]
) -> AtRiskBlock:
    """At risk, events of state 1 (of any state where all are shown), competing, censored."""
    several = endpoint.kind == "incidence"
    names = [say("survival.row_at_risk"), say("survival.row_events")]
    names += [say("survival.row_competing")] if several else []
    names.append(say("survival.row_censored"))
    columns = []
    for row in state_at_risk_table(g.counts, ticks):
        first, others = row.events[0], sum(row.events[1:])
        events = [first, others] if several else [first + others]
        told = tuple(str(n) for n in (row.at_risk, *events, row.censored))
        columns.append(AtRiskColumn(row.time_days, told))
    return AtRiskBlock(g.group.label, g.group.role, tuple(names), tuple(columns))


def _curve(
    on: Page, endpoint: Endpoint, g: GroupIncidence, end: float | None
) -> incidence_chart.IncidenceCurve:
    """Pale below ten at risk, and beyond the end of comparisons."""
    fit = g.fit
    assert fit is not None
    return incidence_chart.IncidenceCurve(
        label=g.group.label,
        role=g.group.role,
        state=state_label(on, endpoint, 1),
        day=g.counts.day,
        incidence=fit.cif[:, 0],
        lower=fit.lower[:, 0],
        upper=fit.upper[:, 0],
        n_at_risk=g.counts.at_risk,
        end_day=g.end_day(),
        fade_day=first_of(g.fade_day(), end),
    )


def time_title(on: Page, endpoint: Endpoint) -> str:
    """The title of the time axis: what it counts from."""
    origin = origin_label(on.study, endpoint, on.view.selection)
    return say("survival.axis_time", unit=on.study.time_unit.capitalize(), origin=origin)


def incidence_figure(
    on: Page, endpoint: Endpoint, found: tuple[GroupIncidence, ...], headline: str
) -> list[Figure]:
    """The curves of state 1 of all groups of at least ten in one picture; none if there is none."""
    known = tuple(g for g in found if g.fit is not None and g.n >= FEWEST_FOR_PERCENT)
    if not known:
        return []
    ticks, end = incidence_ticks(on, known), window_of_groups(on, found).end
    curves = tuple(_curve(on, endpoint, g, end) for g in known)
    blocks = tuple(at_risk_block(on, endpoint, g, ticks) for g in known)
    draw = partial(
        incidence_chart.incidence_chart,
        curves,
        blocks,
        tick_days=ticks,
        unit_days=on.study.unit_days,
        time_title=time_title(on, endpoint),
        incidence_title=endpoint.label,
        at_risk=say("survival.row_at_risk"),
        bands=on.view.bands,
    )
    few = too_few([(g.group.label, g.n) for g in found])
    told = {"definition": endpoint.definition, "fade": FADE_BELOW, "end": END_BELOW}
    caption = on.caption("incidence.caption", too_few=few, **told)
    return [
        Figure(
            code="curve",
            title=say("survival.title", endpoint=endpoint.label),
            draw=draw,
            page_height=incidence_chart.page_height(curves, blocks),
            caption=caption,
            alt_text=say("incidence.alt", endpoint=endpoint.label, headline=headline),
            tables=("at_risk",),
            disclosed=curve_disclosed(tuple(g for g in found if g.n)),
        )
    ]


def too_few(groups: Iterable[tuple[str, int]]) -> str:
    """The names of groups of one to nine patients, who have no curve; empty if there is none."""
    parts = [
        say("incidence.too_few_of", group=label, n=n)
        for label, n in groups
        if 0 < n < FEWEST_FOR_PERCENT
    ]
    return " " + say("incidence.too_few", parts=", ".join(parts)) if parts else ""


def _occupancy(
    on: Page, endpoint: Endpoint, g: GroupIncidence, end: float | None
) -> state_chart.Occupancy:
    """The states from the bottom up: without event first, then as declared."""
    fit = g.fit
    assert fit is not None
    keep = g.counts.day <= g.end_day()
    day = np.concatenate(([0.0], g.counts.day[keep]))
    states = list(endpoint.states)
    cif = np.vstack([np.zeros(len(states)), fit.cif[keep][:, [s - 1 for s in states]]])
    free = 1 - cif.sum(axis=1, keepdims=True)
    if day.size > 1 and day[1] == 0:
        day, cif, free = day[1:], cif[1:], free[1:]
    labels = [endpoint.no_event_label, *(state_label(on, endpoint, s) for s in states)]
    drawn = tuple(
        state_chart.State(label, STATES[position % len(STATES)])
        for position, label in enumerate(labels)
    )
    proportions = np.hstack([np.clip(free, 0, 1), cif])
    fade = first_of(g.fade_day(), end)
    return state_chart.Occupancy(g.group.label, g.group.role, drawn, day, proportions, fade)


def state_figures(
    on: Page, endpoint: Endpoint, found: tuple[GroupIncidence, ...], headline: str
) -> list[Figure]:
    """A picture a group of at least ten: all states stacked over time, one time axis for all."""
    known = tuple(g for g in found if g.fit is not None and g.n >= FEWEST_FOR_PERCENT)
    if not known:
        return []
    ticks, figures = incidence_ticks(on, known), []
    told = {"definition": endpoint.definition, "fade": FADE_BELOW, "end": END_BELOW}
    # The caption tells how many are too few: it is shown as the figure is.
    few = tuple(g for g in found if 0 < g.n < FEWEST_FOR_PERCENT)
    told["too_few"] = too_few([(g.group.label, g.n) for g in few])
    caption, end = on.caption("states.caption", **told), window_of_groups(on, found).end
    for position, g in enumerate(known, start=1):
        shown, block = _occupancy(on, endpoint, g, end), at_risk_block(on, endpoint, g, ticks)
        draw = partial(
            state_chart.stacked_states,
            shown,
            block,
            tick_days=ticks,
            last_day=max(k.end_day() for k in known),
            unit_days=on.study.unit_days,
            time_title=time_title(on, endpoint),
            proportion_title=say("states.axis"),
        )
        figures.append(
            Figure(
                code=f"states_{position}",
                title=say("states.title", group=g.group.label, n=g.n),
                draw=draw,
                page_height=state_chart.page_height(shown, block),
                caption=caption,
                alt_text=say("incidence.alt", endpoint=endpoint.label, headline=headline),
                tables=("at_risk",),
                disclosed=curve_disclosed((g, *few)),
            )
        )
    return figures
