"""Survival of the chosen cohorts: headline, notes, figure, tables and tidy numbers of a view."""

from dataclasses import replace
from functools import partial

from analysis import survival_disclosed as told_of
from analysis.answer import Answer, Disclosed, Figure, Note, Number, of_estimate
from analysis.charts.survival import Curve, page_height, survival_chart
from analysis.compose import late_entry
from analysis.groups import origin_label
from analysis.incidence import incidence_answer
from analysis.link import View
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.counts import DayCounts, at_risk_table
from analysis.stats.estimate import Estimate
from analysis.survival_results import (
    FEWEST_FOR_TAU,
    CohortSurvival,
    Comparison,
    Results,
    Tau,
    survival_results,
)
from analysis.survival_tables import END_BELOW, FADE_BELOW, end_day, survival_tables, tick_days
from analysis.wording import (
    cutoff_in_words,
    notice,
    percent,
    percent_limits,
    points,
    points_limits,
    time_in_words,
)
from trial.selection import in_words
from trial.study import Study
from trial.words import say
from warehouse.query import Snapshot

QUESTION = "survival"


def _headline(results: Results) -> str:
    study, time = results.study, results.view.time
    parts = []
    for c in results.cohorts:
        found, _ = c.at(time)
        events = c.events_by(time * study.unit_days)
        counted = say("survival.one_event") if events == 1 else say("survival.events", n=events)
        told = {"cohort": c.cohort.label, "events": counted, "n": c.counts.n}
        if found.estimate is None:
            parts.append(say("survival.headline_none", reason=found.reason, **told))
            continue
        limits = percent_limits(found) if found.lower is not None else found.reason
        told |= {"value": percent(found.estimate), "limits": limits}
        parts.append(say("survival.headline_cohort", **told))
    when = time_in_words(study, time)
    label = results.endpoint.label
    text = say("survival.headline", endpoint=label, time=when, cohorts="; ".join(parts))
    return " ".join([text, *(_difference_sentence(x, time) for x in results.comparisons)])


def _difference_sentence(comparison: Comparison, time: float) -> str:
    found = comparison.difference_at(time)
    told = {"cohort": comparison.cohort.label, "comparator": comparison.comparator.label}
    if found.estimate is None:
        return say("survival.headline_no_difference", reason=found.reason, **told)
    limits = points_limits(found) if found.lower is not None else found.reason
    return say("survival.headline_difference", value=points(found.estimate), limits=limits, **told)


def _notes(results: Results) -> tuple[Note, ...]:
    study, time, notes = results.study, results.view.time, []
    when = time_in_words(study, time)
    if results.not_compared:
        notes.append(Note("warning", results.not_compared))
    if not study.randomised and results.comparisons:
        notes.append(Note("warning", say("survival.not_randomised")))
    thin = [
        c.cohort.label
        for c in results.cohorts
        if c.at(time)[0].estimate is not None and c.at(time)[1].at_risk < FADE_BELOW
    ]
    if thin:
        text = say("survival.thin", time=when, n=FADE_BELOW, cohorts=", ".join(thin))
        notes.append(Note("warning", text, told_of.chosen_time(results)))
    if results.tau.shown not in (None, results.tau.asked):
        asked, shown = (time_in_words(study, t) for t in (results.tau.asked, results.tau.shown))
        text = say("survival.tau_changed", asked=asked, shown=shown, n=FEWEST_FOR_TAU)
        notes.append(Note("warning", text))
    notes += late_entry(results.snapshot)
    if left_out := _left_out(results):
        text = say("survival.left_out", parts="; ".join(left_out))
        notes.append(Note("warning", text, told_of.totals(results)))
    quarantined, rows_in = (results.snapshot.load[k] for k in ("rows_quarantined", "rows_in"))
    if quarantined:
        told = say("survival.quarantined", n=quarantined, rows_in=rows_in)
        notes.append(Note("warning", told))
    if results.comparisons:
        comparator = results.comparisons[0].comparator
        if not comparator.is_reference:
            notes.append(Note("info", say("survival.reference", cohort=comparator.label)))
        notes.append(Note("info", say("survival.hazard_note")))
    if len(results.compared) > 2:
        notes.append(Note("info", say("survival.joint", n=len(results.compared))))
    return tuple(notes)


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


def _fade_day(counts: DayCounts) -> float | None:
    """The first day on which fewer than ten are at risk; day 0 if there never were ten."""
    if counts.n < FADE_BELOW:
        return 0.0
    faded = counts.day[counts.at_risk < FADE_BELOW]
    return float(faded[0]) if faded.size else None


def _curve(results: Results, c: CohortSurvival) -> Curve:
    return Curve(
        label=c.cohort.label,
        role=c.cohort.role,
        km=c.km,
        end_day=end_day(c.counts),
        fade_day=_fade_day(c.counts),
        at_risk=at_risk_table(c.counts, tick_days(results)),
        has_percentages=c.counts.n >= FEWEST_FOR_PERCENT,
    )


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


def _numbers(results: Results, population: str) -> tuple[Number, ...]:
    base = Number(
        snapshot=results.snapshot.snapshot_id,
        synthetic=results.snapshot.is_synthetic,
        question=QUESTION,
        endpoint=results.endpoint.code,
        population=population,
    )
    numbers = []
    for c, mean in zip(results.cohorts, results.means, strict=True):
        mine = replace(base, cohort=c.cohort.code, denominator=c.counts.n)
        numbers += _cohort_numbers(results, c, mine)
        mine = replace(mine, disclosed=told_of.totals(results))
        numbers.append(_timed(mine, "rmst", "days", mean, results.tau, results.study))
    for x in results.comparisons:
        pair = replace(base, cohort=x.cohort.code, comparator=x.comparator.code)
        for time, found in x.differences:
            days = time * results.study.unit_days
            row = replace(pair, statistic="survival_difference", unit="proportion", time_days=days)
            row = replace(row, disclosed=_at_time(results, time))
            numbers.append(replace(row, **of_estimate(found)))
        numbers.append(
            _timed(pair, "rmst_difference", "days", x.rmst_difference, results.tau, results.study)
        )
        pair = replace(pair, disclosed=told_of.totals(results))
        ratio = replace(pair, statistic="hazard_ratio", unit="ratio")
        numbers.append(replace(ratio, **of_estimate(x.hazard_ratio)))
    test = results.log_rank
    numbers.append(
        replace(
            base,
            cohort=",".join(results.compared),
            statistic="log_rank_chi_square",
            disclosed=told_of.totals(results),
            unit="chi-square",
            estimate=test.chi_square,
            p_value=test.p_value,
            method=f"log-rank, {test.degrees_of_freedom} df",
            not_estimable_reason=test.reason,
        )
    )
    return tuple(numbers)


def _timed(
    base: Number, statistic: str, unit: str, found: Estimate, tau: Tau, study: Study
) -> Number:
    time = tau.shown if tau.shown is not None else tau.asked
    row = replace(base, statistic=statistic, unit=unit, time_days=time * study.unit_days)
    return replace(row, **of_estimate(found))


def _at_time(results: Results, time: float) -> Disclosed:
    """What a number of a milestone time tells."""
    chosen = time == results.view.time
    return told_of.chosen_time(results) if chosen else told_of.all_times(results)


def _cohort_numbers(results: Results, c: CohortSurvival, base: Number) -> list[Number]:
    totals = told_of.totals(results)

    def count(
        statistic: str, value: int, disclosed: Disclosed, time_days: float | None = None
    ) -> Number:
        row = replace(base, statistic=statistic, unit="patients", time_days=time_days)
        row = replace(row, disclosed=disclosed)
        return replace(row, estimate=value, numerator=value, method="count")

    n_events = c.counts.n_events
    numbers = [
        replace(count("enrolled", c.size.n_enrolled, totals), denominator=c.size.n_enrolled),
        replace(count("population", c.size.n_population, totals), denominator=c.size.n_enrolled),
        replace(count("in_figure", c.counts.n, totals), denominator=c.size.n_population),
        count("events", n_events, totals),
        count("censored", c.counts.n - n_events, totals),
    ]
    rows = [(told_of.curve(results), row) for row in at_risk_table(c.counts, (0.0,))]
    rows += [(_at_time(results, time), row) for time, _, row in c.milestones]
    for part, row in rows:
        numbers.append(count("at_risk", row.at_risk, part, row.time_days))
        numbers.append(count("events_before", row.events, part, row.time_days))
        numbers.append(count("censored_before", row.censored, part, row.time_days))
    for time, found, _ in c.milestones:
        days = time * results.study.unit_days
        row = replace(base, statistic="survival", unit="proportion", time_days=days)
        row = replace(row, disclosed=_at_time(results, time))
        numbers.append(replace(row, numerator=c.events_by(days), **of_estimate(found)))
    for statistic, found in (("median_time", c.median), ("median_follow_up", c.follow_up)):
        row = replace(base, statistic=statistic, unit="days", disclosed=told_of.ONE_PATIENT)
        numbers.append(replace(row, **of_estimate(found)))
    return numbers


def _not_defined(results: Results) -> str | None:
    """Why nobody can be in the figure: the endpoint is of other kinds of line."""
    study, lines = results.study, results.view.selection.line_codes
    missing = [study.line(code).label for code in lines if code not in results.endpoint.line_codes]
    if not missing:
        return None
    told = {"endpoint": results.endpoint.label, "lines": ", ".join(missing)}
    return say("survival.not_defined", **told)


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
    if nobody:
        names = ", ".join(c.cohort.label for c in results.cohorts)
        empty = say("survival.nobody", population=population, cohorts=names)
        headline = undefined if undefined else empty
    else:
        headline = _headline(results)
    notes = () if nobody else _notes(results)
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
        figures=() if nobody else (_figure(results, headline, population),),
        tables=() if nobody else survival_tables(results),
        tell=partial(_numbers, results, population),
        headline_disclosed=() if nobody else (told_of.chosen_time(results),),
    )
