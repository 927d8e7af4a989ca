"""The tidy numbers of the survival page."""

from dataclasses import replace

from analysis import survival_disclosed as told_of
from analysis.answer import Disclosed, Number, of_estimate
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.counts import at_risk_table
from analysis.stats.estimate import Estimate
from analysis.survival_results import CohortSurvival, Comparison, Results, Tau
from trial.study import Study

QUESTION = "survival"


def survival_numbers(results: Results, population: str) -> tuple[Number, ...]:
    """Every number of the page, tidy."""
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
        told = of_estimate(x.hazard_ratio)
        numbers.append(replace(ratio, **{**told, "method": f"{told['method']}{_until(results)}"}))
        numbers += _fragility_numbers(results, x, base)
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
            method=f"log-rank, {test.degrees_of_freedom} df{_until(results)}",
            not_estimable_reason=test.reason,
        )
    )
    return (*numbers, *_guard_numbers(results, base))


def _until(results: Results) -> str:
    """Where comparisons end, if they do before follow-up does."""
    end = results.window.end
    if end is None or results.not_compared:
        return ""
    return f", up to {end / results.study.unit_days:.1f} {results.study.time_unit}s"


def _fragility_numbers(results: Results, x: Comparison, base: Number) -> list[Number]:
    """How many changed outcomes move the interval across 0; cohort: whose children change."""
    row = replace(base, statistic="fragility", unit="patients", method="count")
    row = replace(row, time_days=results.view.time * results.study.unit_days)
    row = replace(row, disclosed=told_of.chosen_time(results))
    numbers = []
    for f in x.fragility:
        mine, other = (x.comparator, x.cohort) if f.in_reference else (x.cohort, x.comparator)
        told = {"cohort": mine.code, "comparator": other.code, "estimate": f.n_changes}
        numbers.append(replace(row, **told, not_estimable_reason=f.reason))
    return numbers


def _guard_numbers(results: Results, base: Number) -> list[Number]:
    """How far and how completely cohorts were followed; whether hazards are proportional."""
    window, numbers = results.window, []
    days = replace(base, statistic="window_days", unit="days", disclosed=told_of.ONE_PATIENT)
    named = [c for c in results.cohorts if c.counts.n >= FEWEST_FOR_PERCENT]
    for c, found in zip(named, window.by_cohort, strict=True):
        numbers.append(replace(days, cohort=c.cohort.code, **of_estimate(found)))
    if window.day is not None and len(named) > 1:
        told = {"estimate": window.day, "level_code": "unequal" if window.is_unequal else "equal"}
        numbers.append(replace(days, cohort=",".join(c.cohort.code for c in named), **told))
    share = replace(base, statistic="completeness", unit="proportion")
    for c in results.cohorts:
        row = replace(share, cohort=c.cohort.code, denominator=c.counts.n)
        numbers.append(
            replace(row, disclosed=told_of.totals(results), **of_estimate(c.completeness))
        )
    test = results.proportionality
    if test is not None:
        row = replace(base, statistic="proportionality_chi_square", unit="chi-square")
        row = replace(row, cohort=",".join(results.compared), disclosed=told_of.totals(results))
        overall = test.overall
        told = {"estimate": overall.chi_square, "p_value": overall.p_value, "method": test.method}
        numbers.append(replace(row, **told, not_estimable_reason=overall.reason))
    return numbers


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
