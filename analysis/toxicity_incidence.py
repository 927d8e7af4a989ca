"""What comes first in a course, as it is shown: by day in a table, as a curve, in words."""

from dataclasses import replace
from functools import partial

from analysis.answer import Figure, Number, Table, of_estimate
from analysis.charts.at_risk import AtRiskBlock, AtRiskColumn
from analysis.charts.axes import day_ticks
from analysis.charts.incidence import IncidenceCurve, incidence_chart, page_height
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.competing import state_at_risk_table
from analysis.stats.estimate import Estimate
from analysis.toxicity_first import DAYS, END, Incidence, Ran
from analysis.wording import points, points_limits
from trial.words import say

# ---------------------------------------------------------------- table and figure


def incidence_table(of: Incidence) -> Table:
    """By days 7, 14 and 28, and at each group's own end; differences beside."""
    groups, rows, disclosed = of.groups, [], []
    for day in DAYS:
        pairs = [_difference_told(of.difference(one, day)) for one in groups[1:]]
        when = say("time.by_day", day=day)
        rows.append((when, *(one.told(day) for one in groups), *pairs))
        disclosed.append(of.disclosed)
    none = [say("value.none")] * (len(groups) - 1)
    rows.append((say("time.end"), *map(_end_told, groups), *none))
    disclosed.append(of.disclosed)
    columns = [say("column.time"), *(one.group.label for one in groups)]
    first = groups[0].group.label
    for one in groups[1:]:
        columns.append(say("column.minus", cohort=one.group.label, comparator=first))
    title = say(f"time.table_{of.code}", **of.course.told)
    return Table(of.code, title, tuple(columns), tuple(rows), tuple(disclosed))


def _end_told(one: Ran) -> str:
    """The incidence on the group's own last day, with the day."""
    if not one.n:
        return one.told(0)
    return say("time.at_end", told=one.told(one.last_day), day=f"{one.last_day:.0f}")


def _difference_told(found: Estimate) -> str:
    if found.estimate is None:
        return say("value.not_estimable", reason=found.reason)
    if found.lower is None:
        return say("value.no_interval", value=points(found.estimate), reason=found.reason)
    return say("value.with_limits", value=points(found.estimate), limits=points_limits(found))


def at_risk_table(of: Incidence, ticks: tuple[int, ...]) -> Table:
    """At risk, with the event, left without it, censored: each strictly before its day."""
    rows, disclosed, told = [], [], of.at_risk_disclosed(ticks)
    for one in of.shown:
        for row in state_at_risk_table(one.counts, tuple(map(float, ticks))):
            counts = (row.at_risk, *row.events, row.censored)
            rows.append((one.group.label, int(row.time_days), *counts, one.n))
            disclosed.append(told)
    columns = (say("column.cohort"), say("column.day"), say("column.at_risk"), of.label)
    columns += (say("time.left"), say("column.censored_before"), say("column.n"))
    title = say("time.table_at_risk", label=of.label, **of.course.told)
    code = f"{of.code}_at_risk"
    return Table(code, title, columns, tuple(rows), tuple(disclosed), n_labels=2)


def ticks_of(of: Incidence) -> tuple[int, ...]:
    """Days under the curve: weeks, as far as any curve is drawn."""
    return day_ticks(0, max((one.end_day for one in of.shown), default=0.0))


def _at_risk_block(one: Ran, ticks: tuple[int, ...]) -> AtRiskBlock:
    names = [say(f"survival.row_{x}") for x in ("at_risk", "events", "competing", "censored")]
    columns = [
        AtRiskColumn(row.time_days, tuple(map(str, (row.at_risk, *row.events, row.censored))))
        for row in state_at_risk_table(one.counts, tuple(map(float, ticks)))
    ]
    return AtRiskBlock(one.group.label, one.group.role, tuple(names), tuple(columns))


def _curve(of: Incidence, one: Ran) -> IncidenceCurve:
    fit = one.fit
    return IncidenceCurve(
        label=one.group.label,
        role=one.group.role,
        state=of.label,
        day=one.counts.day,
        incidence=fit.cif[:, 0],
        lower=fit.lower[:, 0],
        upper=fit.upper[:, 0],
        n_at_risk=one.counts.at_risk,
        end_day=one.end_day,
        fade_day=one.fade_day,
        has_percentages=one.n >= FEWEST_FOR_PERCENT,
    )


def incidence_figure(of: Incidence, caption: str) -> tuple[Figure, ...]:
    """The curves of all groups with anybody; none if no curve goes beyond the first day."""
    ticks = ticks_of(of)
    if not any(one.end_day for one in of.shown):
        return ()
    curves = tuple(_curve(of, one) for one in of.shown)
    blocks = tuple(_at_risk_block(one, ticks) for one in of.shown)
    draw = partial(
        incidence_chart,
        curves,
        blocks,
        tick_days=tuple(map(float, ticks)),
        unit_days=1.0,
        time_title=say("time.axis_days"),
        incidence_title=say(f"time.axis_{of.code}"),
        at_risk=say("survival.row_at_risk"),
        bands=of.course.on.view.bands,
        whole_days=True,
    )
    return (
        Figure(
            code=of.code,
            title=say(f"time.title_{of.code}", **of.course.told),
            draw=draw,
            page_height=page_height(curves, blocks),
            caption=caption,
            alt_text=say("time.alt", label=of.label, **of.course.told),
            tables=(of.code, f"{of.code}_at_risk"),
            disclosed=(of.curve_disclosed,),
            accounts=of.course.accounts(of.code),
        ),
    )


# ---------------------------------------------------------------- words and numbers


def incidence_told(of: Incidence, day: int) -> str:
    """The incidence by a day of every group, with differences."""
    parts = "; ".join(
        say("share.named", group=one.group.label, told=one.told(day)) for one in of.groups
    )
    text = say(f"time.headline_{of.code}", day=day, parts=parts, **of.course.told)
    for one in of.groups[1:]:
        names = {"cohort": one.group.label, "comparator": of.groups[0].group.label}
        found = of.difference(one, day)
        if found.estimate is None:
            text += " " + say("survival.headline_no_difference", reason=found.reason, **names)
        else:
            limits = points_limits(found) if found.lower is not None else found.reason
            value = points(found.estimate)
            text += " " + say("survival.headline_difference", value=value, limits=limits, **names)
    return text


def incidence_numbers(of: Incidence, base: Number) -> list[Number]:
    """Incidence by day and at the end, differences, the test, and how each group's time ended."""
    base, numbers = replace(base, unit="proportion"), []
    statistic = f"{of.code}_incidence"
    for one in of.groups:
        mine = replace(base, cohort=one.group.code, statistic=statistic, denominator=one.n)
        for day in (*DAYS, None):
            at = one.last_day if day is None else float(day)
            row = replace(mine, time_days=day, numerator=one.events_by(at))
            row = replace(row, level_code=END if day is None else None)
            numbers.append(replace(row, disclosed=of.disclosed, **of_estimate(one.at(at))))
        numbers += _end_numbers(of, one, base)
    reference = of.groups[0].group.code
    for one in of.groups[1:]:
        for day in DAYS:
            row = replace(base, cohort=one.group.code, comparator=reference, time_days=day)
            row = replace(row, statistic=f"{statistic}_difference", disclosed=of.disclosed)
            numbers.append(replace(row, **of_estimate(of.difference(one, day))))
    return [*numbers, _gray_number(of, base)]


def _end_numbers(of: Incidence, one: Ran, base: Number) -> list[Number]:
    """How many had the event, left without it, were censored: all there are."""
    event, left = one.counts.n_events
    ended = {"event": event, "left": left, "censored": one.n - event - left}
    row = replace(base, cohort=one.group.code, statistic=f"{of.code}_count", unit="patients")
    row = replace(row, denominator=one.n, method="count", disclosed=of.disclosed)
    return [replace(row, level_code=c, estimate=n, numerator=n) for c, n in ended.items()]


def _gray_number(of: Incidence, base: Number) -> Number:
    row = replace(base, statistic=f"{of.code}_gray", unit="chi-square", disclosed=of.disclosed)
    row = replace(row, method="Gray's test, exploratory")
    found = of.gray
    if isinstance(found, str):
        return replace(row, not_estimable_reason=found)
    return replace(row, estimate=found.chi_square, p_value=found.p_value)
