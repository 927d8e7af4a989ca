"""Survival of the chosen cohorts: headline, notes, figure, tables and tidy numbers of a view."""

from functools import partial

from analysis import survival_disclosed as told_of
from analysis.answer import Answer, Figure, Note
from analysis.charts.survival import Curve, Mark, page_height, survival_chart
from analysis.follow_up_guards import followed_sentence, is_thin
from analysis.groups import origin_label
from analysis.incidence import incidence_answer
from analysis.link import View
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.counts import at_risk_table
from analysis.survival_guards import followed_groups, guards, is_proportional
from analysis.survival_numbers import survival_numbers
from analysis.survival_results import (
    FEWEST_FOR_TAU,
    CohortSurvival,
    Comparison,
    Results,
    survival_results,
)
from analysis.survival_tables import (
    FADE_BELOW,
    end_day,
    fade_day,
    survival_tables,
    tick_days,
)
from analysis.survival_window import END_BELOW
from analysis.wording import (
    cutoff_in_words,
    in_unit,
    notice,
    percent,
    percent_limits,
    points,
    points_limits,
    time_in_words,
    written,
)
from trial.selection import in_words
from trial.survival_rule import Published
from trial.words import say
from warehouse.query import Snapshot

QUESTION = "survival"


def _headline(results: Results) -> str:
    study, time = results.study, results.view.time
    parts = []
    for c in results.cohorts:
        found, row = c.at(time)
        events = c.events_by(time * study.unit_days)
        counted = say("survival.one_event") if events == 1 else say("survival.events", n=events)
        told = {"cohort": c.cohort.label, "events": counted, "n": c.counts.n}
        if not c.counts.n and c.cohort.line_code not in results.endpoint.line_codes:
            parts.append(say("survival.headline_undefined", cohort=c.cohort.label))
            continue
        if found.estimate is None:
            parts.append(say("survival.headline_none", reason=found.reason, **told))
            continue
        limits = percent_limits(found) if found.lower is not None else found.reason
        told |= {"value": percent(found.estimate), "limits": limits}
        if is_thin(row):
            told["n"] = say("survival.n_at_risk", n=c.counts.n, at_risk=row.at_risk)
        parts.append(say("survival.headline_cohort", **told))
    when = time_in_words(study, time)
    label = results.endpoint.label
    text = say("survival.headline", endpoint=label, time=when, cohorts="; ".join(parts))
    first = " ".join([text, *(_difference_sentence(x, time) for x in results.comparisons)])
    measured = [_measures_sentence(results, x) for x in results.comparisons]
    return "\n".join([first, *measured, followed_sentence(study, followed_groups(results))])


def _measures_sentence(results: Results, x: Comparison) -> str:
    """The mean second, the hazard ratio third; without a ratio that holds there is none."""
    study, holds = results.study, is_proportional(results)
    tau = time_in_words(study, results.tau.shown or results.tau.asked)
    mean = written(x.rmst_difference, in_unit(study, signed=True), f" {study.time_unit}s")
    pair = {"cohort": x.cohort.label, "comparator": x.comparator.label}
    named = say("share.minus", **pair) + " " + mean
    value = written(x.hazard_ratio, lambda h: f"{h:.2f}")
    key = "ratio_fails" if holds is False else "ratio_unknown" if holds is None else "ratio_told"
    if x.hazard_ratio.estimate is None:
        key = "ratio_told"
    ratio = say(f"survival.{key}", value=value)
    return say("survival.measures", tau=tau, mean=named, ratio=ratio)


def _difference_sentence(comparison: Comparison, time: float) -> str:
    found = comparison.difference_at(time)
    told = {"cohort": comparison.cohort.label, "comparator": comparison.comparator.label}
    if found.estimate is None:
        return say("survival.headline_no_difference", reason=found.reason, **told)
    limits = points_limits(found) if found.lower is not None else found.reason
    return say("survival.headline_difference", value=points(found.estimate), limits=limits, **told)


def _notes(results: Results) -> tuple[Note, ...]:
    study, notes = results.study, []
    if results.not_compared:
        notes.append(Note("warning", results.not_compared))
    if not study.randomised and results.comparisons:
        notes.append(Note("warning", say("survival.not_randomised")))
    notes += guards(results)
    if results.tau.shown not in (None, results.tau.asked):
        asked, shown = (time_in_words(study, t) for t in (results.tau.asked, results.tau.shown))
        text = say("survival.tau_changed", asked=asked, shown=shown, n=FEWEST_FOR_TAU)
        notes.append(Note("warning", text))
    notes += _left_out_note(results)
    quarantined, rows_in = (results.snapshot.load[k] for k in ("rows_quarantined", "rows_in"))
    if quarantined:
        told = say("survival.quarantined", n=quarantined, rows_in=rows_in)
        notes.append(Note("warning", told))
    if results.comparisons:
        comparator = results.comparisons[0].comparator
        if not comparator.is_reference:
            notes.append(Note("info", say("survival.reference", cohort=comparator.label)))
    if len(results.compared) > 2:
        notes.append(Note("info", say("survival.joint", n=len(results.compared))))
    return (*notes, *_published_notes(results))


def _published_notes(results: Results) -> list[Note]:
    """What the marks of other trials are, where they are asked for."""
    if results.view.published != "yes":
        return []
    notes = []
    for mark in _published(results):
        value = percent(mark.value)
        if mark.lower is not None and mark.upper is not None:
            limits = say(
                "value.limits", lower=f"{100 * mark.lower:.1f}", upper=f"{100 * mark.upper:.1f}"
            )
            value = say("value.with_limits", value=value, limits=limits)
        told = {"label": mark.label, "source": mark.source, "differs": mark.differs}
        time = time_in_words(results.study, mark.time)
        notes.append(Note("info", say("survival.published_note", value=value, time=time, **told)))
    return notes or [Note("info", say("survival.none_published"))]


def _published(results: Results) -> list[Published]:
    """Results of other trials for the endpoint."""
    found = results.study.survival.published
    return [mark for mark in found if mark.endpoint_code == results.endpoint.code]


def _left_out(results: Results) -> list[str]:
    parts = []
    study, endpoint = results.study, results.endpoint
    for c in results.cohorts:
        told = {"cohort": c.cohort.label, "n_population": c.size.n_population}
        if n := c.ended.n_without_origin:
            origin = study.milestone_label(endpoint.origin)
            parts.append(say("survival.left_out_origin", n=n, origin=origin, **told))
        if n := c.ended.n_in_doubt:
            parts.append(say("survival.left_out_doubt", n=n, **told))
        if n := c.ended.n_without_day:
            censor = study.milestone_label(endpoint.censor)
            parts.append(say("survival.left_out_day", n=n, censor=censor, **told))
    return parts


def _fades(results: Results, c: CohortSurvival) -> float | None:
    """Pale below ten at risk, and beyond the follow-up that all compared cohorts share."""
    own, shared = fade_day(c.counts), results.window.end if results.comparisons else None
    return min((day for day in (own, shared) if day is not None), default=None)


def _curve(results: Results, c: CohortSurvival) -> Curve:
    return Curve(
        label=c.cohort.label,
        role=c.cohort.role,
        km=c.km,
        end_day=end_day(c.counts),
        fade_day=_fades(results, c),
        at_risk=at_risk_table(c.counts, tick_days(results)),
        has_percentages=c.counts.n >= FEWEST_FOR_PERCENT,
    )


def _has_curve(results: Results) -> bool:
    """Whether any cohort has patients enough for a curve."""
    return any(c.counts.n >= FEWEST_FOR_PERCENT for c in results.cohorts)


def _figure(results: Results, headline: str, population: str) -> Figure:
    study, view, endpoint = results.study, results.view, results.endpoint
    origin = origin_label(study, endpoint, view.selection)
    axis = say("survival.axis_time", unit=study.time_unit.capitalize(), origin=origin)
    curves = tuple(_curve(results, c) for c in results.cohorts if c.counts.n)
    draw = partial(
        survival_chart,
        curves,
        unit_days=study.unit_days,
        time_title=axis,
        survival_title=endpoint.label,
        bands=view.bands,
        marks=view.marks,
        milestones=tuple(study.milestone_times),
        chosen=view.time,
        published=tuple(
            Mark(m.label, m.time, m.value, m.lower, m.upper)
            for m in (_published(results) if view.published == "yes" else ())
        ),
    )
    caption = say(
        "survival.caption",
        definition=endpoint.definition,
        population=population,
        fade=FADE_BELOW,
        end=END_BELOW,
        snapshot=results.snapshot.snapshot_id,
        cutoff=cutoff_in_words(results.snapshot.data_cutoff),
        notice=notice(results.snapshot),
    )
    return Figure(
        code="curve",
        title=say("survival.title", endpoint=endpoint.label),
        draw=draw,
        page_height=page_height(curves),
        caption=caption,
        alt_text=say("survival.alt", endpoint=endpoint.label, headline=headline),
        tables=("at_risk", "curve"),
        disclosed=(told_of.curve(results),),
    )


def _not_defined(results: Results) -> str | None:
    """Why nobody can be in the figure: the endpoint is of other kinds of line."""
    study, lines = results.study, results.view.selection.line_codes
    missing = [study.line(code).label for code in lines if code not in results.endpoint.line_codes]
    if not missing:
        return None
    told = {"endpoint": results.endpoint.label, "lines": ", ".join(missing)}
    return say("survival.not_defined", **told)


def _nobody(results: Results, population: str) -> str:
    """That the population is empty, or that nobody of it has a time of the endpoint."""
    if any(c.size.n_population for c in results.cohorts):
        return say("later.nobody", population=population, endpoint=results.endpoint.label)
    names = ", ".join(c.cohort.label for c in results.cohorts)
    return say("survival.nobody", population=population, cohorts=names)


def _left_out_note(results: Results) -> tuple[Note, ...]:
    """Who of each cohort is left out, and why."""
    parts = _left_out(results)
    text = say("survival.left_out", parts="; ".join(parts))
    return (Note("warning", text, told_of.totals(results)),) if parts else ()


def survival_answer(snapshot: Snapshot, view: View) -> Answer:
    """The answer of a survival view: headline, figures, tables, notes and tidy numbers.

    An endpoint with competing states gets cumulative incidences, never 1 - Kaplan-Meier.
    """
    if snapshot.study.endpoint(view.endpoint).kind != "survival":
        return incidence_answer(snapshot, view)
    results = survival_results(snapshot, view)
    study = snapshot.study
    population = in_words(study, view.selection)
    nobody = all(c.counts.n == 0 for c in results.cohorts)
    undefined = _not_defined(results)
    headline = (undefined or _nobody(results, population)) if nobody else _headline(results)
    notes = _left_out_note(results) if nobody and not undefined else ()
    if not nobody:
        notes = _notes(results)
    if undefined and not nobody:
        notes = (Note("warning", undefined), *notes)
    return Answer(
        question=QUESTION,
        headline=headline,
        snapshot=snapshot.snapshot_id,
        data_cutoff=cutoff_in_words(snapshot.data_cutoff),
        notice=notice(snapshot),
        synthetic=snapshot.is_synthetic,
        population=population,
        cohorts=tuple(c.size for c in results.cohorts),
        notes=notes,
        figures=(_figure(results, headline, population),) if _has_curve(results) else (),
        tables=() if nobody else survival_tables(results),
        tell=partial(survival_numbers, results, population),
        headline_disclosed=()
        if nobody
        else (told_of.chosen_time(results), told_of.totals(results)),
    )
