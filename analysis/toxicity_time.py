"""When: the first event of a course, recovery, the next course, days of onset and duration."""

from dataclasses import dataclass

import polars as pl

from analysis.answer import Answer, Figure, Note, Number, Table
from analysis.compose import Page
from analysis.toxicity_course import Course, course_of
from analysis.toxicity_exposure import is_kept, not_kept, scales_told
from analysis.toxicity_first import DAYS, Incidence, first_event, recovery, undated_share
from analysis.toxicity_incidence import (
    at_risk_table,
    incidence_figure,
    incidence_numbers,
    incidence_table,
    incidence_told,
    ticks_of,
)
from analysis.toxicity_spans import (
    MOST_DAYS,
    MOST_DRAWN,
    Spans,
    day_by_day,
    delay,
    later_onsets,
    terms_in,
)
from trial.words import say
from warehouse.query import query

# With fewer dates than for every second patient a curve would look like aplasia.
MOST_UNDATED = 0.5


@dataclass(frozen=True)
class Part:
    """A piece of the answer."""

    figures: tuple[Figure, ...]
    tables: tuple[Table, ...]
    numbers: tuple[Number, ...]


def _caption(course: Course, key: str) -> str:
    scales = scales_told(course.items, course.on.view.item, (course.block.code,))
    days = course.block.attribution_days
    told = {**course.told, "days": days, "scales": scales, "most": MOST_DAYS, "drawn": MOST_DRAWN}
    told["until"] = say("time.until") if course.block.until_relapse else ""
    return course.on.caption(key, **told)


def _of_incidence(of: Incidence, base: Number) -> Part:
    figures = incidence_figure(of, _caption(of.course, f"time.caption_{of.code}"))
    tables = (incidence_table(of), at_risk_table(of, ticks_of(of)))
    return Part(figures, tables, tuple(incidence_numbers(of, base)))


def _recovery(course: Course) -> tuple[Part, list[Note]]:
    """Recovery of neutrophils, if any is recorded in a course of this number."""
    chosen = course.on.view.selection
    rows = query(course.on.snapshot, "course_recovery", chosen, **course.place)
    day, notes = pl.col("recovery_day"), []
    if early := int(rows.filter(day < 0)["n"].sum()):
        text = say("time.early_recovery", n=early, **course.told)
        notes.append(Note("warning", text, course.disclosed((early,), "early_recovery")))
    rows = rows.with_columns(pl.when(day >= 0).then(day).alias("recovery_day"))
    if rows["recovery_day"].is_null().all():
        return Part((), (), ()), [Note("info", say("time.no_recovery", **course.told)), *notes]
    notes = [*_undated(course, rows), *notes]
    if any(undated_share(rows.filter(g.group.matches)) > MOST_UNDATED for g in course.groups):
        notes.append(Note("warning", say("time.recovery_not_shown", **course.told)))
        return Part((), (), ()), notes
    return _of_incidence(recovery(course, rows), course.number), notes


def _undated(course: Course, rows: pl.DataFrame) -> list[Note]:
    """Of how many no recovery is recorded."""
    parts, counts = [], []
    for one in course.groups:
        mine = rows.filter(one.group.matches)
        n, of = int(mine.filter(pl.col("recovery_day").is_null())["n"].sum()), int(mine["n"].sum())
        counts += [n, of - n]
        if n:
            told = {"n": n, "of": of, "group": one.group.label}
            parts.append(say("toxicity.left_out_of", **told))
    if not parts:
        return []
    text = say("time.undated", parts=", ".join(parts), **course.told)
    return [Note("warning", text, course.disclosed(tuple(counts), "undated"))]


def _spans(course: Course) -> Part:
    found = Spans(course, terms_in(course))
    figures = [
        figure
        for name in ("onset", "duration")
        for figure in found.figure(name, _caption(course, f"time.caption_{name}"))
    ]
    return Part(tuple(figures), (found.table(),), tuple(found.numbers()))


def _notes(course: Course, of: Incidence) -> list[Note]:
    notes = []
    if course.refused or course.apart:
        notes.append(Note("warning", course.refused or course.apart))
    left_out = [one for one in course.groups if one.n_started > one.n_documented]
    if left_out:
        parts = ", ".join(
            say(
                "toxicity.left_out_of",
                n=one.n_started - one.n_documented,
                of=one.n_started,
                group=one.group.label,
            )
            for one in left_out
        )
        text = say("time.left_out", parts=parts, **course.told)
        notes.append(Note("warning", text, course.disclosed((), "left_out")))
    notes += _late(course)
    notes.append(Note("info", of.gray_told, of.disclosed))
    return [*notes, Note("info", say("time.selected")), Note("info", say("time.exploratory"))]


def _late(course: Course) -> list[Note]:
    """Events that are not counted: after the last contact, or perhaps of the grade."""
    notes = []
    late = course.first.filter(pl.col("first_day") > pl.col("last_day"))
    if n := int(late["n"].sum()):
        text = say("time.late", n=n, **course.told)
        notes.append(Note("warning", text, course.disclosed((n,), "late")))
    if n := int(course.first["n_possible"].sum()):
        text = say("time.possible", n=n, **course.told)
        told = course.disclosed((n, *course.rest(course.on.view.item)), "possible")
        notes.append(Note("info", text, told))
    return notes


def time_answer(on: Page) -> Answer:
    """The times of a view; a sentence if nobody of the population had the course."""
    if not is_kept(on):
        return not_kept(on)
    course = course_of(on)
    if not any(one.n_started for one in course.groups):
        return on.answer(say("time.nobody", **course.told), [], (), (), ())
    of = first_event(course)
    headline = incidence_told(of, DAYS[-1])
    by_day = day_by_day(of)
    bars = by_day.figure(_caption(course, "time.caption_by_day"))
    next_course, delays = delay(course)
    recovered, more = _recovery(course)
    first = _of_incidence(of, course.event_number)
    parts = (
        first,
        Part(bars, (by_day.table(),), tuple(by_day.numbers())),
        recovered,
        Part((), (next_course,), tuple(delays)),
        _spans(course),
    )
    return on.answer(
        headline,
        [*_notes(course, of), *later_onsets(of), *more],
        tuple(figure for part in parts for figure in part.figures),
        tuple(table for part in parts for table in part.tables),
        tuple(number for part in parts for number in part.numbers),
        headline_disclosed=(of.disclosed,),
    )
