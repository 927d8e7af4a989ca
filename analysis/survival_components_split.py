"""Alive or dead after each first event, as it is shown: stacked over time, table, numbers."""

from dataclasses import replace
from functools import partial

from analysis.answer import Figure, Number, Table
from analysis.charts import states as state_chart
from analysis.charts.components import darker
from analysis.charts.palette import STATES
from analysis.incidence_figures import at_risk_block, incidence_ticks, time_title
from analysis.incidence_results import curve_disclosed
from analysis.incidence_window import first_of
from analysis.survival_components_after import NO_EVENT, Afterwards, alive_endpoint
from analysis.survival_components_shown import Components, accounts
from analysis.survival_tables import FADE_BELOW
from analysis.survival_window import END_BELOW
from analysis.wording import percent
from trial.words import say

METHOD = "Aalen-Johansen of the event, less deaths after it"


def shown_after(of: Components) -> tuple[Afterwards, ...]:
    """The groups that are shown."""
    return tuple(after for after in of.after if not isinstance(after, str))


# ---------------------------------------------------------------- bands


def _state_of(band: str) -> tuple[int, str]:
    """'3.dead' -> (3, 'dead'); a death itself is ('4', '')."""
    state, _, way = band.partition(".")
    return int(state), way


def _label(of: Components, band: str) -> str:
    if band == NO_EVENT:
        return of.no_event
    state, way = _state_of(band)
    label = of.label(state)
    return say(f"components.{way}", state=label) if way else label


def _colour(of: Components, band: str) -> str:
    """That of the state wherever it is stacked, darker for the dead."""
    if band == NO_EVENT:
        return STATES[0]
    state, way = _state_of(band)
    colour = STATES[(1 + of.endpoint.states.index(state)) % len(STATES)]
    return darker(colour) if way == "dead" else colour


# ---------------------------------------------------------------- figure


def _occupancy(of: Components, after: Afterwards) -> state_chart.Occupancy:
    days, shares = after.curve()
    group = after.first.group
    drawn = tuple(state_chart.State(_label(of, b), _colour(of, b)) for b in after.bands)
    fade = first_of(after.fade_day, of.follow_up.window.end)
    return state_chart.Occupancy(group.label, group.role, drawn, days, shares, fade)


def after_figures(of: Components, headline: str) -> tuple[Figure, ...]:
    """A picture a group, on one time axis: first events, parted into alive and dead."""
    known = [after for after in shown_after(of) if after.last_day > 0]
    alive = alive_endpoint(of.on, of.endpoint)
    if not known or alive is None:
        return ()
    firsts = tuple(after.first for after in known)
    ticks, last = incidence_ticks(of.on, firsts), max(after.last_day for after in known)
    caption = of.on.caption(
        "components.after_caption",
        definition=of.endpoint.definition,
        alive=alive.label,
        censor=of.on.study.milestone_label(alive.censor),
        fade=FADE_BELOW,
        end=END_BELOW,
    )
    figures = []
    for position, after in enumerate(known, start=1):
        shown = _occupancy(of, after)
        block = at_risk_block(of.on, of.endpoint, after.first, ticks)
        draw = partial(
            state_chart.stacked_states,
            shown,
            block,
            tick_days=ticks,
            last_day=last,
            unit_days=of.on.study.unit_days,
            time_title=time_title(of.on, of.endpoint),
            proportion_title=say("components.axis"),
        )
        figures.append(
            Figure(
                code=f"after_{position}",
                title=say("components.after_title", group=after.first.group.label),
                draw=draw,
                page_height=state_chart.page_height(shown, block),
                caption=caption,
                alt_text=say("components.alt", headline=headline),
                tables=("after",),
                disclosed=curve_disclosed((after.first,)),
                accounts=accounts(of, (after.first,), say("components.one_alone")),
            )
        )
    return tuple(figures)


# ---------------------------------------------------------------- table and numbers


def _known(of: Components, after: Afterwards, band: str) -> int:
    """Patients known to be in a band by the time; of the event-free those without one so far."""
    if band == NO_EVENT:
        return of.n_free(after.first)
    state, way = _state_of(band)
    by, dead = after.first.events_by(state, of.days), after.dead_by(state, of.days)
    return {"": by, "dead": dead, "alive": by - dead}[way]


def _cell(of: Components, after: Afterwards, k: int) -> str:
    told = after.at(of.days)
    text = say("components.after_few", reason=told) if isinstance(told, str) else percent(told[k])
    n = _known(of, after, after.bands[k])
    return say("components.after_cell", told=text, n=n, of=after.first.n)


def after_table(of: Components) -> Table:
    """Every band at the time, from those without event on; without rows where none is shown."""
    known, rows = shown_after(of), []
    for k, band in enumerate(known[0].bands if known else ()):
        rows.append((_label(of, band), *(_cell(of, after, k) for after in known)))
    columns = (say("components.column_state"), *(a.first.group.label for a in known))
    title, told = say("components.after_table", time=of.when), (of.disclosed,) * len(rows)
    return Table("after", title, columns, tuple(rows), told)


def after_numbers(of: Components) -> list[Number]:
    """Of each group the share alive and the share dead after each event; no intervals."""
    numbers = []
    base = replace(of.on.number(), endpoint=of.endpoint.code, disclosed=of.disclosed)
    base = replace(base, statistic="component_after", unit="proportion", time_days=of.days)
    for after in shown_after(of):
        told = after.at(of.days)
        for k, band in enumerate(after.bands):
            state, _, way = band.partition(".")
            row = replace(base, cohort=after.first.group.code, level_code=state, method=METHOD)
            row = replace(row, measure_code=way or None, denominator=after.first.n)
            row = replace(row, numerator=_known(of, after, band))
            if isinstance(told, str):
                numbers.append(replace(row, not_estimable_reason=told))
            else:
                numbers.append(replace(row, estimate=float(told[k])))
    return numbers
