"""Competing events: cumulative incidence of each state, and all states of a whole cohort.

Aalen-Johansen estimates, never 1 - Kaplan-Meier: who has died can no longer relapse.
"""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from analysis.answer import Answer, Disclosed, Figure, Note, Number, Table, of_estimate
from analysis.charts import incidence as incidence_chart
from analysis.charts import states as state_chart
from analysis.charts.at_risk import AtRiskBlock, AtRiskColumn
from analysis.charts.palette import STATES
from analysis.compose import Page, late_entry, page
from analysis.groups import Group, groups, origin_label
from analysis.link import View
from analysis.outcomes import Ended, outcomes
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.competing import (
    AalenJohansen,
    StateCounts,
    aalen_johansen,
    incidence_at,
    state_at_risk_table,
    state_counts,
    state_probabilities,
)
from analysis.stats.estimate import Estimate, not_estimable
from analysis.stats.limits import mover_difference
from analysis.stats.survival import survival_at
from analysis.survival_tables import END_BELOW, FADE_BELOW, whole_units
from analysis.wording import percent, percent_limits, points, points_limits, time_in_words, written
from trial.study import Endpoint
from trial.words import say
from warehouse.query import Snapshot


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
        """The last day on which at least five are at risk."""
        enough = self.counts.day[self.counts.at_risk >= END_BELOW]
        return float(enough[-1]) if enough.size else 0.0

    def fade_day(self) -> float | None:
        """The first day on which fewer than ten are at risk."""
        if self.n < FADE_BELOW:
            return 0.0
        faded = self.counts.day[self.counts.at_risk < FADE_BELOW]
        return float(faded[0]) if faded.size else None


def state_label(on: Page, endpoint: Endpoint, state: int) -> str:
    """What the screen calls a state: its milestones."""
    return " or ".join(on.study.milestone_label(code) for code in endpoint.state_events(state))


def _found(on: Page, endpoint: Endpoint) -> list[GroupIncidence]:
    chosen = on.view.selection
    ended = outcomes(on.snapshot, chosen, endpoint)
    n_states = max(endpoint.states)
    found = []
    for group in groups(on.study, chosen):
        mine = ended.of(group)
        counts = state_counts(mine.by_day, n_states)
        fit = aalen_johansen(counts) if counts.n else None
        found.append(GroupIncidence(group, counts, fit, mine))
    return found


def _ticks(on: Page, found: list[GroupIncidence]) -> tuple[float, ...]:
    return whole_units(on.study.unit_days, max((g.end_day() for g in found), default=0.0))


def _block(
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


def _curve(on: Page, endpoint: Endpoint, g: GroupIncidence) -> incidence_chart.IncidenceCurve:
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
        fade_day=g.fade_day(),
        has_percentages=g.n >= FEWEST_FOR_PERCENT,
    )


def _time_title(on: Page, endpoint: Endpoint) -> str:
    origin = origin_label(on.study, endpoint, on.view.selection)
    return say("survival.axis_time", unit=on.study.time_unit.capitalize(), origin=origin)


def _incidence_figure(
    on: Page, endpoint: Endpoint, found: list[GroupIncidence], headline: str
) -> list[Figure]:
    known = [g for g in found if g.fit is not None]
    if not known:
        return []
    ticks = _ticks(on, known)
    curves = tuple(_curve(on, endpoint, g) for g in known)
    blocks = tuple(_block(on, endpoint, g, ticks) for g in known)
    draw = partial(
        incidence_chart.incidence_chart,
        curves,
        blocks,
        tick_days=ticks,
        unit_days=on.study.unit_days,
        time_title=_time_title(on, endpoint),
        incidence_title=endpoint.label,
        at_risk=say("survival.row_at_risk"),
        bands=on.view.bands,
    )
    caption = on.caption(
        "incidence.caption", definition=endpoint.definition, fade=FADE_BELOW, end=END_BELOW
    )
    return [
        Figure(
            code="curve",
            title=say("survival.title", endpoint=endpoint.label),
            draw=draw,
            page_height=incidence_chart.page_height(curves, blocks),
            caption=caption,
            alt_text=say("incidence.alt", endpoint=endpoint.label, headline=headline),
            tables=("at_risk",),
            disclosed=_curve_disclosed(known),
        )
    ]


def _curve_disclosed(found: list[GroupIncidence]) -> tuple[Disclosed, ...]:
    """A curve shows every step: each day's events and censorings."""
    counts = []
    for g in found:
        counts += [*g.counts.events.ravel().tolist(), *g.counts.censored.tolist()]
    return (Disclosed(tuple(int(n) for n in counts if n), "curve"),)


def _occupancy(on: Page, endpoint: Endpoint, g: GroupIncidence) -> state_chart.Occupancy:
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
    return state_chart.Occupancy(g.group.label, g.group.role, drawn, day, proportions)


def _state_figures(
    on: Page, endpoint: Endpoint, found: list[GroupIncidence], headline: str
) -> list[Figure]:
    known = [g for g in found if g.fit is not None and g.n >= FEWEST_FOR_PERCENT]
    if not known:
        return []
    ticks, figures = _ticks(on, known), []
    caption = on.caption("states.caption", definition=endpoint.definition, end=END_BELOW)
    for position, g in enumerate(known, start=1):
        shown, block = _occupancy(on, endpoint, g), _block(on, endpoint, g, ticks)
        draw = partial(
            state_chart.stacked_states,
            shown,
            block,
            tick_days=ticks,
            last_day=max(k.end_day() for k in known),
            unit_days=on.study.unit_days,
            time_title=_time_title(on, endpoint),
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
                disclosed=_curve_disclosed([g]),
            )
        )
    return figures


def _cell(found: Estimate, events: int, n: int) -> str:
    told = written(found, lambda x: f"{100 * x:.1f}", " %")
    return say("incidence.cell", told=told, events=events, n=n)


def _row_disclosed(found: list[GroupIncidence], state: int, time: float, part: str) -> Disclosed:
    counts = []
    for g in found:
        by = g.events_by(state, time)
        counts += [by, sum(g.counts.n_events[state - 1 : state]) - by, g.n - by]
    return Disclosed(tuple(counts), part)


def _state_table(on: Page, endpoint: Endpoint, found: list[GroupIncidence]) -> Table:
    """Every state at every milestone time; of one time they add to 100 % with those without."""
    rows, disclosed = [], []
    for time in on.study.milestone_times:
        days = time * on.study.unit_days
        when = time_in_words(on.study, time)
        part = f"states.{time:g}"
        for state in endpoint.states:
            cells = [_cell(g.at(state, days), g.events_by(state, days), g.n) for g in found]
            rows.append((when, state_label(on, endpoint, state), *cells))
            disclosed.append(_row_disclosed(found, state, days, part))
        rows.append(
            (when, endpoint.no_event_label or say("incidence.no_event"), *_free(found, days))
        )
        disclosed.append(disclosed[-1])
    columns = (say("column.time"), say("column.state"), *(g.group.label for g in found))
    title = say("incidence.table_states")
    return Table("states", title, columns, tuple(rows), tuple(disclosed), n_labels=2)


def _free(found: list[GroupIncidence], days: float) -> list[str]:
    """The proportion without any event, in words where it cannot be said."""
    cells = []
    for g in found:
        told = state_probabilities(g.fit, days) if g.fit else say("response.nobody")
        if g.n < FEWEST_FOR_PERCENT:
            told = say("survival.few", n=FEWEST_FOR_PERCENT)
        if isinstance(told, str):
            cells.append(say("value.not_estimable", reason=told))
        else:
            cells.append(percent(told.event_free))
    return cells


def _at_risk(on: Page, endpoint: Endpoint, found: list[GroupIncidence]) -> Table:
    rows, disclosed = [], []
    for g in found:
        for row in state_at_risk_table(g.counts, _ticks(on, found)):
            when = time_in_words(on.study, row.time_days / on.study.unit_days)
            events = [row.events[s - 1] for s in endpoint.states]
            counts = (row.at_risk, *events, row.censored)
            rows.append((g.group.label, when, *counts, g.n))
            disclosed.append(Disclosed(counts, "at_risk"))
    labels = [state_label(on, endpoint, s) for s in endpoint.states]
    columns = (say("column.cohort"), say("column.time"), say("column.at_risk"), *labels)
    columns += (say("column.censored_before"), say("column.n"))
    title = say("survival.table_at_risk")
    return Table("at_risk", title, columns, tuple(rows), tuple(disclosed), n_labels=2)


def _difference(one: Estimate, reference: Estimate) -> Estimate:
    """The difference of two incidences: MOVER from their own limits, as for S(t)."""
    return mover_difference(reference, one)


def _states_headline(on: Page, endpoint: Endpoint, found: list[GroupIncidence]) -> str:
    """The share in each state of each group: those without event first."""
    days = on.view.time * on.study.unit_days
    parts = []
    for g in found:
        told = state_probabilities(g.fit, days) if g.fit else say("response.nobody")
        if g.n < FEWEST_FOR_PERCENT:
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


def _headline(on: Page, endpoint: Endpoint, found: list[GroupIncidence]) -> str:
    if endpoint.kind == "states":
        return _states_headline(on, endpoint, found)
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
    for g, difference in _differences(on, found, days):
        told = {"cohort": g.group.label, "comparator": found[0].group.label}
        if difference.estimate is None:
            text += " " + say("survival.headline_no_difference", reason=difference.reason, **told)
            continue
        limits = points_limits(difference) if difference.lower is not None else difference.reason
        value = points(difference.estimate)
        text += " " + say("survival.headline_difference", value=value, limits=limits, **told)
    return text


def _differences(
    on: Page, found: list[GroupIncidence], days: float
) -> list[tuple[GroupIncidence, Estimate]]:
    if on.refused or on.study.endpoint(on.view.endpoint).kind != "incidence":
        return []
    return [(g, _difference(g.at(1, days), found[0].at(1, days))) for g in found[1:]]


def _numbers(on: Page, endpoint: Endpoint, found: list[GroupIncidence]) -> list[Number]:
    numbers = []
    base = replace(on.number(), endpoint=endpoint.code)
    for g in found:
        mine = replace(base, cohort=g.group.code, denominator=g.n)
        for time in on.study.milestone_times:
            days = time * on.study.unit_days
            for state in endpoint.states:
                part = _row_disclosed(found, state, days, f"states.{time:g}")
                code = "+".join(endpoint.state_events(state))
                row = replace(mine, level_code=code, time_days=days, disclosed=part)
                row = replace(row, statistic="incidence", unit="proportion")
                row = replace(row, numerator=g.events_by(state, days))
                numbers.append(replace(row, **of_estimate(g.at(state, days))))
            numbers.append(_free_number(mine, found, g, days, f"states.{time:g}"))
        numbers += _count_numbers(on, endpoint, mine, g, found)
    days = on.view.time * on.study.unit_days
    for g, difference in _differences(on, found, days):
        part = _row_disclosed(found, 1, days, f"states.{on.view.time:g}")
        row = replace(base, cohort=g.group.code, comparator=found[0].group.code, disclosed=part)
        row = replace(row, statistic="incidence_difference", unit="proportion", time_days=days)
        numbers.append(replace(row, **of_estimate(difference)))
    return numbers


def _count_numbers(
    on: Page, endpoint: Endpoint, base: Number, g: GroupIncidence, found: list[GroupIncidence]
) -> list[Number]:
    """Patients in the figure, by state at their last day, and at risk at the milestone times."""
    free = g.n - sum(g.counts.n_events)
    totals = Disclosed((*map(int, g.counts.n_events), free), "totals")
    mine = replace(base, unit="patients", method="count", disclosed=totals)
    counts = [("in_figure", None, g.n), ("events", "event_free", free)]
    for state in endpoint.states:
        code = "+".join(endpoint.state_events(state))
        counts.append(("events", code, int(g.counts.n_events[state - 1])))
    numbers = [
        replace(mine, statistic=statistic, level_code=code, estimate=n, numerator=n)
        for statistic, code, n in counts
    ]
    times = tuple(t * on.study.unit_days for t in on.study.milestone_times)
    for time, row in zip(
        on.study.milestone_times, state_at_risk_table(g.counts, times), strict=True
    ):
        part = _row_disclosed(found, 1, row.time_days, f"states.{time:g}")
        left = Disclosed((*part.counts, row.at_risk, g.n - row.at_risk), part.part)
        told = {"statistic": "at_risk", "time_days": row.time_days, "disclosed": left}
        numbers.append(replace(mine, **told, estimate=row.at_risk, numerator=row.at_risk))
    return numbers


def _free_number(
    base: Number, found: list[GroupIncidence], g: GroupIncidence, days: float, part: str
) -> Number:
    """The proportion without any event; its interval is that of Kaplan-Meier."""
    known = g.fit if g.n >= FEWEST_FOR_PERCENT else None
    estimate = survival_at(known.event_free, days) if known else g.at(1, days)
    disclosed = _row_disclosed(found, 1, days, part)
    row = replace(base, level_code="event_free", time_days=days, disclosed=disclosed)
    return replace(row, statistic="incidence", unit="proportion", **of_estimate(estimate))


def _notes(on: Page, endpoint: Endpoint, found: list[GroupIncidence]) -> list[Note]:
    notes = [*on.notes(), *late_entry(on.snapshot)]
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
    if endpoint.origin != "enrollment":
        notes.append(Note("info", say("incidence.among")))
    notes.append(Note("info", say("incidence.no_km")))
    return notes


def _left_out(text: str, n: int, of: int) -> Note:
    return Note("warning", say("survival.left_out", parts=text), Disclosed((n, of - n)))


def incidence_answer(snapshot: Snapshot, view: View) -> Answer:
    """The answer of a survival view whose endpoint has competing states."""
    on = page("survival", snapshot, view)
    endpoint = on.study.endpoint(view.endpoint)
    found = _found(on, endpoint)
    if all(g.n == 0 for g in found):
        return on.empty()
    headline = _headline(on, endpoint, found)
    draw = _incidence_figure if endpoint.kind == "incidence" else _state_figures
    days = view.time * on.study.unit_days
    return on.answer(
        headline,
        _notes(on, endpoint, found),
        tuple(draw(on, endpoint, found, headline)),
        (_state_table(on, endpoint, found), _at_risk(on, endpoint, found)),
        tuple(_numbers(on, endpoint, found)),
        headline_disclosed=tuple(
            _row_disclosed(found, s, days, f"states.{view.time:g}") for s in endpoint.states
        ),
    )
