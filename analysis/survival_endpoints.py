"""All endpoints of a view at one time, side by side: which there are, n, events, difference.

The list leads to each endpoint's own curve. Nothing is tested here: the outcomes overlap.
"""

from collections.abc import Iterator

from analysis.answer import Answer, Note
from analysis.compose import Page
from analysis.incidence_results import GroupIncidence
from analysis.survival_endpoints_figures import endpoint_figures
from analysis.survival_endpoints_results import EndpointRow, day_zero, endpoint_results
from analysis.survival_endpoints_tables import endpoint_numbers, endpoint_tables
from analysis.survival_tables import FADE_BELOW
from analysis.wording import percent, percent_limits, points, points_limits, time_in_words
from trial.study import ENROLLMENT
from trial.words import say

# ---------------------------------------------------------------- headline


def _leading(on: Page, rows: tuple[EndpointRow, ...]) -> EndpointRow:
    """The study's primary endpoint, else the first that anybody is in."""
    primary = on.study.primary(on.question)
    code = dict(primary.options).get("endpoint") if primary else None
    known = [row for row in rows if any(g.n for g in row.found)]
    return next((row for row in known if row.endpoint.code == code), known[0])


def _cohort_told(row: EndpointRow, k: int) -> str:
    g, value = row.found[k], row.values[k]
    events = row.events_by(g)
    counted = say("survival.one_event") if events == 1 else say("survival.events", n=events)
    told = {"cohort": g.group.label, "events": counted, "n": g.n}
    if not g.n and "not_defined" in g.ended.left_out:
        return say("survival.headline_undefined", cohort=g.group.label)
    if value.estimate is None:
        return say("survival.headline_none", reason=value.reason, **told)
    limits = value.reason if value.lower is None else percent_limits(value)
    return say("survival.headline_cohort", value=percent(value.estimate), limits=limits, **told)


def _differences_told(row: EndpointRow) -> Iterator[str]:
    for g, found in row.pairs:
        told = {"cohort": g.group.label, "comparator": row.found[0].group.label}
        if found.estimate is None:
            yield say("survival.headline_no_difference", reason=found.reason, **told)
            continue
        limits = found.reason if found.lower is None else points_limits(found)
        value = points(found.estimate)
        yield say("survival.headline_difference", value=value, limits=limits, **told)


def _headline(on: Page, rows: tuple[EndpointRow, ...], row: EndpointRow) -> str:
    cohorts = "; ".join(_cohort_told(row, k) for k in range(len(row.found)))
    text = say(
        "endpoints.headline",
        n=len(rows),
        time=time_in_words(on.study, on.view.time),
        endpoint=row.endpoint.label,
        cohorts=cohorts,
    )
    return " ".join([text, *_differences_told(row)])


# ---------------------------------------------------------------- notes


def _among(on: Page, rows: tuple[EndpointRow, ...]) -> list[Note]:
    """One warning a later time zero: how many of each group reached it."""
    notes = []
    for origin in dict.fromkeys(row.endpoint.origin for row in rows):
        mine = [row for row in rows if row.endpoint.origin == origin]
        if origin == ENROLLMENT or not any(g.n for row in mine for g in row.found):
            continue
        reached = ", ".join(
            say("endpoints.reached", group=g.group.label, n=_reached(g), of=g.ended.n_population)
            for g in mine[0].found
            if "not_defined" not in g.ended.left_out
        )
        told = {"origin": on.study.milestone_label(origin), "told": reached}
        names = ", ".join(row.endpoint.abbreviation for row in mine)
        text = say("endpoints.among", endpoints=names, **told)
        notes.append(Note("warning", text, mine[0].disclosed))
    return notes


def _reached(g: GroupIncidence) -> int:
    left = g.ended.left_out
    return g.ended.n_population - left.get("without_origin", 0) - left.get("not_defined", 0)


def _thin(on: Page, rows: tuple[EndpointRow, ...]) -> list[Note]:
    """A warning an endpoint whose value rests on few at risk since others were censored."""
    when, notes = time_in_words(on.study, on.view.time), []
    for row in rows:
        thin = [
            g.group.label
            for g, value in zip(row.found, row.values, strict=True)
            if value.estimate is not None and row.is_thin(g)
        ]
        if thin:
            named = {"endpoint": row.endpoint.abbreviation, "told": ", ".join(thin)}
            parts = say("endpoints.thin_of", **named)
            text = say("endpoints.thin", n=FADE_BELOW, time=when, parts=parts)
            notes.append(Note("warning", text, row.disclosed))
    return notes


def _notes(on: Page, rows: tuple[EndpointRow, ...]) -> list[Note]:
    notes = [*_among(on, rows), *_thin(on, rows)]
    for row in rows:
        if day_zero(row):
            text = say("endpoints.day_0_note", endpoints=row.endpoint.abbreviation)
            notes.append(Note("info", text, row.disclosed))
    n = sum(found.estimate is not None for row in rows for _, found in row.pairs)
    if n:
        key = "endpoints.note_randomised" if on.study.randomised else "endpoints.note"
        notes.append(Note("info", say(key, n=n)))
    shown = {row.endpoint.code for row in rows}
    others = [e.label for e in on.study.endpoints if e.kind != "states" and e.code not in shown]
    if others:
        notes.append(Note("info", say("endpoints.undefined", endpoints=", ".join(others))))
    return [*notes, *on.primary()]


def endpoints_answer(on: Page) -> Answer:
    """The list of endpoints of a view; where nobody has a time, a sentence and who is left out."""
    rows = endpoint_results(on)
    if not any(g.n for row in rows for g in row.found):
        text = say("endpoints.nobody", n=len(rows), population=on.population)
        return on.answer(text, [], (), endpoint_tables(on, rows)[-2:], ())
    row = _leading(on, rows)
    headline = _headline(on, rows, row)
    return on.answer(
        headline,
        _notes(on, rows),
        endpoint_figures(on, rows, headline),
        endpoint_tables(on, rows),
        lambda: tuple(endpoint_numbers(on, rows)),
        headline_disclosed=(row.disclosed,),
    )
