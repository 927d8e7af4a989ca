"""Survival of the chosen cohorts: curve, milestones, median, follow-up, comparison.

Population: the enrollments of the selection for which the endpoint could be derived; those left out
are counted and named. Every cohort is compared with the reference, or with the first chosen cohort
if the reference is not chosen. Conventions: `analysis/stats/survival.py`.
"""

from dataclasses import dataclass, replace

import polars as pl

from analysis.answer import Answer, CohortSize, Figure, Note, Number, Table, of_estimate
from analysis.charts.survival import Curve, page_height, survival_chart
from analysis.link import View
from analysis.stats.cox import hazard_ratios
from analysis.stats.estimate import Estimate, not_estimable
from analysis.stats.survival import (
    AtRisk,
    DayCounts,
    KaplanMeier,
    LogRank,
    at_risk_table,
    day_counts,
    follow_up,
    kaplan_meier,
    log_rank,
    quantile,
    restricted_mean,
    restricted_mean_difference,
    restricted_mean_estimate,
    survival_at,
    survival_difference,
)
from analysis.wording import (
    crossing,
    cutoff_in_words,
    in_unit,
    p_value,
    percent,
    percent_limits,
    points,
    points_limits,
    time_in_words,
    written,
)
from trial.selection import in_words
from trial.study import Cohort, Endpoint, Study
from trial.words import say
from warehouse.query import Snapshot, query

QUESTION = "survival"
FADE_BELOW = 10
END_BELOW = 5
FEWEST_FOR_PERCENT = 10
FEWEST_FOR_TAU = 10


@dataclass(frozen=True)
class CohortSurvival:
    """Everything about one cohort; `milestones` pairs each time (study unit) with its S(t)."""

    cohort: Cohort
    size: CohortSize
    n_without_origin: int
    counts: DayCounts
    km: KaplanMeier
    milestones: tuple[tuple[float, Estimate, AtRisk], ...]
    median: Estimate
    follow_up: Estimate

    def at(self, time: float) -> tuple[Estimate, AtRisk]:
        """S and the at-risk row at a milestone time."""
        return next((found, row) for t, found, row in self.milestones if t == time)

    def events_by(self, days: float) -> int:
        """Events up to and including a day: what S(t) counts."""
        return int(self.counts.events[self.counts.day <= days].sum())


@dataclass(frozen=True)
class Comparison:
    """One cohort against the comparator; times in days."""

    cohort: Cohort
    comparator: Cohort
    differences: tuple[tuple[float, Estimate], ...]
    rmst_difference: Estimate
    hazard_ratio: Estimate

    def difference_at(self, time: float) -> Estimate:
        """The difference of S at a milestone time."""
        return next(found for t, found in self.differences if t == time)


@dataclass(frozen=True)
class Tau:
    """The time a restricted mean is taken to (study unit): asked for, and possible."""

    asked: float
    shown: float | None


@dataclass(frozen=True)
class Results:
    """All estimates behind the page."""

    snapshot: Snapshot
    view: View
    endpoint: Endpoint
    cohorts: tuple[CohortSurvival, ...]
    tau: Tau
    means: tuple[Estimate, ...]
    comparisons: tuple[Comparison, ...]
    log_rank: LogRank
    reasons: pl.DataFrame

    @property
    def study(self) -> Study:
        """The study of the snapshot."""
        return self.snapshot.study


def _percentable(found: Estimate, n: int) -> Estimate:
    """No percentage of fewer than ten children: the counts say it all."""
    if n >= FEWEST_FOR_PERCENT or found.estimate is None:
        return found
    return not_estimable(say("survival.few", n=FEWEST_FOR_PERCENT), found.method)


def _cohort_survival(
    study: Study, cohort: Cohort, attrition: dict, counts: DayCounts
) -> CohortSurvival:
    km = kaplan_meier(counts)
    days = tuple(t * study.unit_days for t in study.milestone_times)
    rows = at_risk_table(counts, days)
    found = tuple(_percentable(survival_at(km, d), counts.n) for d in days)
    return CohortSurvival(
        cohort=cohort,
        size=CohortSize(
            cohort.code, cohort.label, attrition["n_population"], attrition["n_enrolled"]
        ),
        n_without_origin=attrition["n_without_origin"],
        counts=counts,
        km=km,
        milestones=tuple(zip(study.milestone_times, found, rows, strict=True)),
        median=_percentable(quantile(km), counts.n),
        follow_up=follow_up(counts),
    )


def _tau(study: Study, endpoint: Endpoint, asked: float, cohorts: list[CohortSurvival]) -> Tau:
    def qualifies(tau: float) -> bool:
        rows = (at_risk_table(c.counts, (tau * study.unit_days,))[0] for c in cohorts)
        return all(row.at_risk >= FEWEST_FOR_TAU for row in rows)

    shorter = sorted((t for t in endpoint.rmst_taus if t <= asked), reverse=True)
    return Tau(asked, next((tau for tau in shorter if qualifies(tau)), None))


def survival_results(snapshot: Snapshot, view: View) -> Results:
    """Every estimate of the view. Cohorts without patients stay, with reasons for numbers."""
    study, chosen = snapshot.study, view.selection
    endpoint = study.endpoint(view.endpoint)
    counts = query(snapshot, "survival", chosen, endpoint_code=endpoint.code)
    attrition = query(
        snapshot, "attrition", chosen, endpoint_code=endpoint.code, origin_code=endpoint.origin
    )
    by_cohort = {row["cohort_code"]: row for row in attrition.to_dicts()}
    nobody = {"n_population": 0, "n_enrolled": 0, "n_without_origin": 0}
    cohorts = [
        _cohort_survival(
            study,
            study.cohort(code),
            by_cohort.get(code, nobody),
            day_counts(counts.filter(pl.col("cohort_code") == code)),
        )
        for code in chosen.cohort_codes
    ]
    # The reference comes first in the comparison, wherever the study lists it.
    cohorts.sort(key=lambda c: not c.cohort.is_reference)
    tau = _tau(study, endpoint, view.tau, cohorts)
    return Results(
        snapshot=snapshot,
        view=view,
        endpoint=endpoint,
        cohorts=tuple(cohorts),
        tau=tau,
        means=tuple(_mean(study, c, tau) for c in cohorts),
        comparisons=_comparisons(study, cohorts, tau),
        log_rank=_log_rank(cohorts),
        reasons=query(snapshot, "reason", chosen, endpoint_code=endpoint.code),
    )


def _no_tau() -> str:
    return say("survival.no_tau", n=FEWEST_FOR_TAU)


def _mean(study: Study, cohort: CohortSurvival, tau: Tau) -> Estimate:
    if tau.shown is None:
        return not_estimable(_no_tau(), "RMST")
    return restricted_mean_estimate(restricted_mean(cohort.km, tau.shown * study.unit_days))


def _log_rank(cohorts: list[CohortSurvival]) -> LogRank:
    if len(cohorts) < 2:
        return LogRank(None, 0, None, (), (), reason=say("survival.only_one"))
    return log_rank(tuple(c.counts for c in cohorts))


def _comparisons(study: Study, cohorts: list[CohortSurvival], tau: Tau) -> tuple[Comparison, ...]:
    comparator, *others = cohorts
    ratios = hazard_ratios(tuple(c.counts for c in cohorts)) if others else ()
    found = []
    for other, ratio in zip(others, ratios, strict=True):
        differences = tuple(
            (time, survival_difference(comparator.at(time)[0], other.at(time)[0]))
            for time in study.milestone_times
        )
        mean_difference = not_estimable(_no_tau(), "RMST difference")
        if tau.shown is not None:
            days = tau.shown * study.unit_days
            mean_difference = restricted_mean_difference(
                restricted_mean(comparator.km, days), restricted_mean(other.km, days)
            )
        found.append(
            Comparison(other.cohort, comparator.cohort, differences, mean_difference, ratio)
        )
    return tuple(found)


# --- words -----------------------------------------------------------------------------------


def _headline(results: Results) -> str:
    study, time = results.study, results.view.time
    parts = []
    for c in results.cohorts:
        found, _ = c.at(time)
        events = c.events_by(time * study.unit_days)
        told = {"cohort": c.cohort.label, "events": events, "n": c.counts.n}
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
    if not study.randomised and results.comparisons:
        notes.append(Note("warning", say("survival.not_randomised")))
    thin = [
        c.cohort.label for c in results.cohorts if c.counts.n and c.at(time)[1].at_risk < FADE_BELOW
    ]
    if thin:
        text = say("survival.thin", time=when, n=FADE_BELOW, cohorts=", ".join(thin))
        notes.append(Note("warning", text))
    if results.tau.shown not in (None, results.tau.asked):
        asked, shown = (time_in_words(study, t) for t in (results.tau.asked, results.tau.shown))
        text = say("survival.tau_changed", asked=asked, shown=shown, n=FEWEST_FOR_TAU)
        notes.append(Note("warning", text))
    if left_out := _left_out(results):
        notes.append(Note("info", say("survival.left_out", parts="; ".join(left_out))))
    if results.comparisons:
        comparator = results.comparisons[0].comparator
        if not comparator.is_reference:
            notes.append(Note("info", say("survival.reference", cohort=comparator.label)))
        notes.append(Note("info", say("survival.hazard_note")))
    if len(results.cohorts) > 2:
        notes.append(Note("info", say("survival.joint", n=len(results.cohorts))))
    return tuple(notes)


def _left_out(results: Results) -> list[str]:
    parts = []
    study, endpoint = results.study, results.endpoint
    for c in results.cohorts:
        told = {"cohort": c.cohort.label, "n_population": c.size.n_population}
        if c.n_without_origin:
            origin = study.milestone_label(endpoint.origin)
            parts.append(
                say("survival.left_out_origin", n=c.n_without_origin, origin=origin, **told)
            )
        no_day = c.size.n_population - c.n_without_origin - c.counts.n
        if no_day:
            censor = study.milestone_label(endpoint.censor)
            parts.append(say("survival.left_out_day", n=no_day, censor=censor, **told))
    return parts


# --- tables ----------------------------------------------------------------------------------


def _per_cohort(results: Results, first: str) -> tuple[str, ...]:
    return (say(f"column.{first}"), *(c.cohort.label for c in results.cohorts))


def _milestone_table(results: Results) -> Table:
    study, rows = results.study, []
    for time in study.milestone_times:
        cells = []
        for c in results.cohorts:
            found, row = c.at(time)
            events = c.events_by(time * study.unit_days)
            told = written(found, lambda x: f"{100 * x:.1f}", " %")
            n, at_risk = c.counts.n, row.at_risk
            cells.append(say("survival.cell", told=told, events=events, n=n, at_risk=at_risk))
        rows.append((time_in_words(study, time), *cells))
    return _table("milestones", _per_cohort(results, "time"), rows)


def _table(code: str, columns: tuple[str, ...], rows: list[tuple]) -> Table:
    return Table(code, say(f"survival.table_{code}"), columns, tuple(rows))


def _titles(*columns: str) -> tuple[str, ...]:
    return tuple(say(f"column.{column}") for column in columns)


def _at_risk_table(results: Results) -> Table:
    rows = []
    for c in results.cohorts:
        for row in at_risk_table(c.counts, _tick_days(results)):
            when = time_in_words(results.study, row.time_days / results.study.unit_days)
            rows.append((c.cohort.label, when, row.at_risk, row.events, row.censored, c.counts.n))
    columns = _titles("cohort", "time", "at_risk", "events_before", "censored_before", "n")
    return _table("at_risk", columns, rows)


def _cohort_table(results: Results) -> Table:
    study, cohorts = results.study, results.cohorts
    tau = time_in_words(study, results.tau.shown or results.tau.asked)
    unit = f" {study.time_unit}s"
    means = (written(mean, in_unit(study), unit) for mean in results.means)
    counts = [(c.counts.n, c.counts.n_events) for c in cohorts]
    rows = [
        (say("measure.n"), *(str(n) for n, _ in counts)),
        (say("measure.events"), *(f"{d}/{n}" for n, d in counts)),
        (say("measure.censored"), *(f"{n - d}/{n}" for n, d in counts)),
        (say("measure.median"), *(crossing(c.median, study) for c in cohorts)),
        (say("measure.rmst", time=tau), *means),
        (say("measure.follow_up"), *(crossing(c.follow_up, study) for c in cohorts)),
    ]
    return _table("cohorts", _per_cohort(results, "measure"), rows)


def _with_p(told: str, p: float | None) -> str:
    return told if p is None else say("value.with_p", value=told, p=p_value(p))


def _comparison_table(results: Results) -> Table:
    study, unit = results.study, f" {results.study.time_unit}s"
    time = results.view.time
    tau = time_in_words(study, results.tau.shown or results.tau.asked)
    pairs = [
        say("column.against", cohort=x.cohort.label, comparator=x.comparator.label)
        for x in results.comparisons
    ]
    differences, means, ratios = [], [], []
    for x in results.comparisons:
        differences.append(written(x.difference_at(time), points, say("value.points")))
        told = written(x.rmst_difference, in_unit(study, signed=True), unit)
        means.append(_with_p(told, x.rmst_difference.p_value))
        told = written(x.hazard_ratio, lambda h: f"{h:.2f}")
        ratios.append(_with_p(told, x.hazard_ratio.p_value))
    rows = [
        (say("measure.difference", time=time_in_words(study, time)), *differences),
        (say("measure.rmst_difference", time=tau), *means),
        (say("measure.hazard_ratio"), *ratios),
        (say("measure.log_rank", n=len(results.cohorts)), _log_rank_cell(results.log_rank))
        + ("",) * (len(pairs) - 1),
    ]
    return _table("comparison", (say("column.measure"), *pairs), rows if pairs else [])


def _log_rank_cell(test: LogRank) -> str:
    if test.chi_square is None:
        return say("value.not_estimable", reason=test.reason)
    told = {"chi_square": f"{test.chi_square:.2f}", "df": test.degrees_of_freedom}
    return _with_p(say("value.log_rank", **told), test.p_value)


def _reason_table(results: Results) -> Table:
    study, rows = results.study, []
    kinds = results.reasons.select("state", "reason").unique()
    for kind in kinds.sort("state", "reason", descending=[True, False]).to_dicts():
        same = results.reasons.filter(state=kind["state"], reason=kind["reason"])
        counted = dict(same.select("cohort_code", "n").iter_rows())
        state = say("state.event" if kind["state"] else "state.censored")
        reason = say("survival.reason", reason=study.milestone_label(kind["reason"]), state=state)
        cells = (f"{counted.get(c.cohort.code, 0)}/{c.counts.n}" for c in results.cohorts)
        rows.append((reason, *cells))
    return _table("reasons", _per_cohort(results, "reason"), rows)


def _curve_table(results: Results) -> Table:
    rows = []
    for c in results.cohorts:
        arrays = (c.counts.day, c.counts.at_risk, c.counts.events, c.counts.censored)
        limits = (c.km.survival, c.km.lower, c.km.upper)
        for day, at_risk, events, censored, s, lower, upper in zip(*arrays, *limits, strict=True):
            # NaN limits (S is 0 or 1) stay empty; R leaves them out too.
            lower, upper = (None if x != x else float(x) for x in (lower, upper))
            counts = (int(day), int(at_risk), int(events), int(censored))
            rows.append((c.cohort.label, *counts, float(s), lower, upper))
    counted = ("day", "at_risk", "events", "censored")
    columns = _titles("cohort", *counted, "survival", "lower", "upper")
    return _table("curve", columns, rows)


# --- figure ----------------------------------------------------------------------------------


def _end_day(counts: DayCounts) -> float:
    """The last day on which at least five are at risk: there the curve ends."""
    enough = counts.day[counts.at_risk >= END_BELOW]
    return float(enough[-1]) if enough.size else 0.0


def _tick_days(results: Results) -> tuple[float, ...]:
    """Whole units from 0 on, at most eight, as far as any curve is drawn."""
    unit = results.study.unit_days
    last = int(max((_end_day(c.counts) for c in results.cohorts), default=0.0) / unit)
    last = max(last, 1)
    step = next(s for s in (1, 2, 3, 5, 6, 10, 12, 24, 60, 120, 365, 3650) if last / s <= 8)
    return tuple(k * unit for k in range(0, last + 1, step))


def _curve(results: Results, c: CohortSurvival) -> Curve:
    faded = c.counts.day[c.counts.at_risk < FADE_BELOW]
    return Curve(
        label=c.cohort.label,
        role=[cohort.code for cohort in results.study.cohorts].index(c.cohort.code),
        km=c.km,
        end_day=_end_day(c.counts),
        fade_day=float(faded[0]) if faded.size else None,
        at_risk=at_risk_table(c.counts, _tick_days(results)),
    )


def _figure(results: Results, headline: str, population: str) -> Figure:
    study, view, endpoint = results.study, results.view, results.endpoint
    origin = study.milestone_label(endpoint.origin)
    axis = say("survival.axis_time", unit=study.time_unit.capitalize(), origin=origin)
    curves = tuple(_curve(results, c) for c in results.cohorts if c.counts.n)
    chart = survival_chart(
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
        notice=study.notice,
    )
    return Figure(
        code="curve",
        title=say("survival.title", endpoint=endpoint.label),
        chart=chart,
        page_height=page_height(curves),
        caption=caption,
        alt_text=say("survival.alt", endpoint=endpoint.label, headline=headline),
        tables=("at_risk", "curve"),
    )


# --- numbers ---------------------------------------------------------------------------------


def _numbers(results: Results, population: str) -> tuple[Number, ...]:
    base = Number(
        snapshot=results.snapshot.snapshot_id,
        synthetic=results.study.synthetic,
        question=QUESTION,
        endpoint=results.endpoint.code,
        population=population,
    )
    numbers = []
    for c, mean in zip(results.cohorts, results.means, strict=True):
        mine = replace(base, cohort=c.cohort.code, denominator=c.counts.n)
        numbers += _cohort_numbers(results, c, mine)
        numbers.append(_timed(mine, "rmst", "days", mean, results.tau, results.study))
    for x in results.comparisons:
        pair = replace(base, cohort=x.cohort.code, comparator=x.comparator.code)
        for time, found in x.differences:
            days = time * results.study.unit_days
            row = replace(pair, statistic="survival_difference", unit="proportion", time_days=days)
            numbers.append(replace(row, **of_estimate(found)))
        numbers.append(
            _timed(pair, "rmst_difference", "days", x.rmst_difference, results.tau, results.study)
        )
        ratio = replace(pair, statistic="hazard_ratio", unit="ratio")
        numbers.append(replace(ratio, **of_estimate(x.hazard_ratio)))
    test = results.log_rank
    numbers.append(
        replace(
            base,
            cohort=",".join(c.cohort.code for c in results.cohorts),
            statistic="log_rank_chi_square",
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


def _cohort_numbers(results: Results, c: CohortSurvival, base: Number) -> list[Number]:
    def count(statistic: str, value: int, time_days: float | None = None) -> Number:
        row = replace(base, statistic=statistic, unit="patients", time_days=time_days)
        return replace(row, estimate=value, numerator=value, method="count")

    numbers = [
        replace(count("enrolled", c.size.n_enrolled), denominator=c.size.n_enrolled),
        replace(count("population", c.size.n_population), denominator=c.size.n_enrolled),
        replace(count("in_figure", c.counts.n), denominator=c.size.n_population),
        count("events", c.counts.n_events),
        count("censored", c.counts.n - c.counts.n_events),
    ]
    for row in at_risk_table(c.counts, (0.0,)) + tuple(row for _, _, row in c.milestones):
        numbers.append(count("at_risk", row.at_risk, row.time_days))
        numbers.append(count("events_before", row.events, row.time_days))
        numbers.append(count("censored_before", row.censored, row.time_days))
    for time, found, _ in c.milestones:
        days = time * results.study.unit_days
        row = replace(base, statistic="survival", unit="proportion", time_days=days)
        numbers.append(replace(row, numerator=c.events_by(days), **of_estimate(found)))
    for statistic, found in (("median_time", c.median), ("median_follow_up", c.follow_up)):
        row = replace(base, statistic=statistic, unit="days")
        numbers.append(replace(row, **of_estimate(found)))
    return numbers


def survival_answer(snapshot: Snapshot, view: View) -> Answer:
    """The answer of a survival view: headline, one figure, tables, notes and tidy numbers."""
    results = survival_results(snapshot, view)
    study = snapshot.study
    population = in_words(study, view.selection)
    nobody = all(c.counts.n == 0 for c in results.cohorts)
    if nobody:
        names = ", ".join(c.cohort.label for c in results.cohorts)
        headline = say("survival.nobody", population=population, cohorts=names)
    else:
        headline = _headline(results)
    tables = (
        _milestone_table(results),
        _comparison_table(results),
        _cohort_table(results),
        _reason_table(results),
        _at_risk_table(results),
        _curve_table(results),
    )
    return Answer(
        question=QUESTION,
        headline=headline,
        snapshot=snapshot.snapshot_id,
        data_cutoff=cutoff_in_words(snapshot.data_cutoff),
        notice=study.notice,
        synthetic=study.synthetic,
        population=population,
        cohorts=tuple(c.size for c in results.cohorts),
        notes=_notes(results),
        figures=() if nobody else (_figure(results, headline, population),),
        tables=tuple(table for table in tables if table.rows),
        numbers=_numbers(results, population),
    )
