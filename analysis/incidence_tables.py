"""The tables of competing events: all states at fixed times, and who was at risk."""

from dataclasses import replace

from analysis.answer import Disclosed, Table
from analysis.compose import Page
from analysis.incidence_figures import incidence_ticks
from analysis.incidence_results import GroupIncidence, row_disclosed, state_label
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.competing import state_at_risk_table, state_probabilities
from analysis.stats.estimate import Estimate
from analysis.wording import percent, time_in_words, written
from trial.study import Endpoint
from trial.words import say


def _cell(found: Estimate, events: int, n: int) -> str:
    told = written(found, lambda x: f"{100 * x:.1f}", " %")
    return say("incidence.cell", told=told, events=events, n=n)


def state_table(
    on: Page,
    endpoint: Endpoint,
    found: tuple[GroupIncidence, ...],
    unsure: tuple[float, ...] = (),
) -> Table:
    """Every state at every milestone time; of one time they add to 100 % with those without.

    The rows of `unsure` times are pale.
    """
    rows, disclosed, pale = [], [], []
    for time in on.study.milestone_times:
        days = time * on.study.unit_days
        when = time_in_words(on.study, time)
        part, first = f"states.{time:g}", len(rows)
        for state in endpoint.states:
            cells = [_cell(g.at(state, days), g.events_by(state, days), g.n) for g in found]
            rows.append((when, state_label(on, endpoint, state), *cells))
            disclosed.append(row_disclosed(found, state, days, part))
        rows.append(
            (when, endpoint.no_event_label or say("incidence.no_event"), *_free(found, days))
        )
        disclosed.append(disclosed[-1])
        pale += range(first, len(rows)) if time in unsure else ()
    columns = (say("column.time"), say("column.state"), *(g.group.label for g in found))
    title = say("incidence.table_states")
    shown = Table("states", title, columns, tuple(rows), tuple(disclosed), n_labels=2)
    return replace(shown, pale=tuple(pale))


def _free(found: tuple[GroupIncidence, ...], days: float) -> list[str]:
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


def at_risk_table(on: Page, endpoint: Endpoint, found: tuple[GroupIncidence, ...]) -> Table:
    """At risk, and by then events of each state and censored: they add to N."""
    rows, disclosed = [], []
    for g in found:
        for row in state_at_risk_table(g.counts, incidence_ticks(on, found)):
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
