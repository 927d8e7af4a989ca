"""The tidy numbers of competing events: incidences, differences, who is in the figure."""

from dataclasses import replace

from analysis.answer import Disclosed, Number, of_estimate
from analysis.compose import Page
from analysis.incidence_results import GroupIncidence, differences, row_disclosed
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.competing import state_at_risk_table
from analysis.stats.survival import survival_at
from trial.study import Endpoint


def incidence_numbers(
    on: Page, endpoint: Endpoint, found: tuple[GroupIncidence, ...]
) -> list[Number]:
    """Of each group at every milestone time, then the differences at the time of the view."""
    numbers = []
    base = replace(on.number(), endpoint=endpoint.code)
    for g in found:
        mine = replace(base, cohort=g.group.code, denominator=g.n)
        for time in on.study.milestone_times:
            days = time * on.study.unit_days
            for state in endpoint.states:
                part = row_disclosed(found, state, days, f"states.{time:g}")
                code = "+".join(endpoint.state_events(state))
                row = replace(mine, level_code=code, time_days=days, disclosed=part)
                row = replace(row, statistic="incidence", unit="proportion")
                row = replace(row, numerator=g.events_by(state, days))
                numbers.append(replace(row, **of_estimate(g.at(state, days))))
            numbers.append(_free_number(mine, found, g, days, f"states.{time:g}"))
        numbers += _count_numbers(on, endpoint, mine, g, found)
    days = on.view.time * on.study.unit_days
    for g, difference in differences(on, endpoint, found, days):
        part = row_disclosed(found, 1, days, f"states.{on.view.time:g}")
        row = replace(base, cohort=g.group.code, comparator=found[0].group.code, disclosed=part)
        row = replace(row, statistic="incidence_difference", unit="proportion", time_days=days)
        numbers.append(replace(row, **of_estimate(difference)))
    return numbers


def _count_numbers(
    on: Page, endpoint: Endpoint, base: Number, g: GroupIncidence, found: tuple[GroupIncidence, ...]
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
        part = row_disclosed(found, 1, row.time_days, f"states.{time:g}")
        left = Disclosed((*part.counts, row.at_risk, g.n - row.at_risk), part.part)
        told = {"statistic": "at_risk", "time_days": row.time_days, "disclosed": left}
        numbers.append(replace(mine, **told, estimate=row.at_risk, numerator=row.at_risk))
    return numbers


def _free_number(
    base: Number, found: tuple[GroupIncidence, ...], g: GroupIncidence, days: float, part: str
) -> Number:
    """The proportion without any event; its interval is that of Kaplan-Meier."""
    known = g.fit if g.n >= FEWEST_FOR_PERCENT else None
    estimate = survival_at(known.event_free, days) if known else g.at(1, days)
    disclosed = row_disclosed(found, 1, days, part)
    row = replace(base, level_code="event_free", time_days=days, disclosed=disclosed)
    return replace(row, statistic="incidence", unit="proportion", **of_estimate(estimate))
