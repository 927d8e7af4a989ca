"""Survival from the transplant as it is shown: words, table, curves, tidy numbers."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from analysis.answer import Account, Figure, Number, Table, of_estimate
from analysis.charts.survival import Curve, page_height, survival_chart
from analysis.measures import threshold_label
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.counts import at_risk_table
from analysis.survival_accounts import time_accounts
from analysis.survival_bridge_after import (
    ALL,
    NEGATIVE,
    After,
    Arm,
    between,
    curve_disclosed,
    disclosed_of,
    within,
)
from analysis.survival_bridge_reach import points_told
from analysis.survival_tables import END_BELOW, FADE_BELOW, end_day, whole_units
from analysis.wording import written
from trial.words import say

# ---------------------------------------------------------------- words and table


def told(arm: Arm, days: float) -> str:
    """61.0 % (45.2 to 73.5); 16/42 events; of fewer than ten the counts alone."""
    counted = say("bridge.counted", events=arm.events_by(days), n=arm.n)
    if not arm.n:
        return say("response.nobody")
    if arm.n < FEWEST_FOR_PERCENT:
        return counted
    value = written(arm.at(days), lambda x: f"{100 * x:.1f}", " %")
    return say("bridge.cell", told=value, counted=counted)


def headline(after: After) -> str:
    """Survival from it at the chosen time, each group; with the word that they are selected."""
    parts = "; ".join(
        say("share.named", group=arm.label, told=told(arm, after.days)) for arm in after.whole
    )
    label = after.endpoint.label
    return say("bridge.headline_after", endpoint=label, time=after.when, parts=parts)


def _difference_cell(after: After, arm: Arm) -> str:
    """What a row is compared with, and how it compares."""
    pairs = between(after, after.days) if arm.code == ALL else within(after, after.days)
    for one, found in pairs:
        if one is arm:
            is_whole = arm.code == ALL
            other = after.whole[0].label if is_whole else say(f"bridge.{NEGATIVE}")
            label = say("share.minus", cohort=arm.label, comparator=other)
            return say("bridge.difference", label=label, told=points_told(found))
    return say("value.none")


def after_table(after: After) -> Table:
    """Each group and its classes of MRD: survival, events and patients, differences."""
    rows, disclosed = [], []
    for arms in after.arms:
        for arm in arms:
            disclosed.append(disclosed_of(after, arm, after.days))
            label = say("subgroups.overall") if arm.code == ALL else arm.label
            cells = (told(arm, after.days), _difference_cell(after, arm))
            rows.append((arm.group.label, label, *cells))
    columns = [say("column.cohort"), say("bridge.column_mrd", at=_timepoint_label(after))]
    columns += [say("bridge.column_survival", time=after.when), say("bridge.column_difference")]
    title = say("bridge.table_after", endpoint=after.endpoint.label)
    return Table("bridge_after", title, tuple(columns), tuple(rows), tuple(disclosed), n_labels=2)


def _timepoint_label(after: After) -> str:
    code = after.timepoint_code
    return after.on.study.timepoint(code).label if code else say("value.none")


# ---------------------------------------------------------------- pictures


def _ticks(after: After) -> tuple[float, ...]:
    """Ticks of all curves together, the last at or behind the last end: one axis for all."""
    last, unit = max((end_day(arm.counts) for arm in after.whole), default=0.0), 0.999
    return whole_units(after.on.study.unit_days, last + unit * after.on.study.unit_days)


def _curve(arm: Arm, ticks: tuple[float, ...]) -> Curve:
    counts = arm.counts
    faded = counts.day[counts.at_risk < FADE_BELOW]
    first = float(faded[0]) if faded.size else None
    return Curve(
        label=arm.label,
        role=arm.role,
        km=arm.km,
        end_day=end_day(counts),
        fade_day=0.0 if arm.n < FADE_BELOW else first,
        at_risk=at_risk_table(counts, ticks),
        has_percentages=arm.n >= FEWEST_FOR_PERCENT,
    )


def _figure(after: After, arms: Iterable[Arm], code: str, title: str, caption: str) -> Figure:
    study, view = after.on.study, after.on.view
    curves = tuple(_curve(arm, _ticks(after)) for arm in arms)
    origin = study.milestone_label(after.endpoint.origin)
    axis = say("survival.axis_time", unit=study.time_unit.capitalize(), origin=origin)
    return Figure(
        code=code,
        title=title,
        draw=partial(
            survival_chart,
            curves,
            unit_days=study.unit_days,
            time_title=axis,
            survival_title=after.endpoint.label,
            bands=view.bands,
            marks=view.marks,
        ),
        page_height=page_height(curves),
        caption=caption,
        alt_text=say("survival.alt", endpoint=title, headline=headline(after)),
        tables=("bridge_after",),
        disclosed=(curve_disclosed(arms, f"{code}.curve"),),
    )


def after_figures(after: After) -> list[Figure]:
    """The curves of all groups, then of each group by MRD; none of nobody."""
    shown = [arm for arm in after.whole if arm.n]
    if not shown:
        return []
    told_of: dict[str, Any] = {
        "definition": after.endpoint.definition,
        "fade": FADE_BELOW,
        "end": END_BELOW,
    }
    caption = after.on.caption("bridge.caption_after", **told_of)
    title = say("survival.title", endpoint=after.endpoint.label)
    whole = _figure(after, shown, "bridge_after", title, caption)
    accounts = _accounts(after)
    return [replace(whole, accounts=accounts), *_mrd_figures(after, told_of, accounts)]


def _accounts(after: After) -> tuple[Account, ...]:
    pairs = [(arm.group, ended) for arm, ended in zip(after.whole, after.ended, strict=True)]
    return time_accounts(after.on.study, after.endpoint, pairs, "bridge/after_account")


def _mrd_figures(
    after: After, told_of: dict[str, Any], accounts: tuple[Account, ...]
) -> list[Figure]:
    """One a group: its classes of MRD with anybody."""
    if not after.has_mrd:
        return []
    mrd = {"at": _timepoint_label(after), "threshold": threshold_label(after.on.view.mrd)}
    caption, figures = after.on.caption("bridge.caption_mrd", **mrd, **told_of), []
    for position, (arms, account) in enumerate(zip(after.classes, accounts, strict=True), start=1):
        if known := [arm for arm in arms if arm.n]:
            names = {"endpoint": after.endpoint.label, "group": arms[0].group.label}
            title = say("bridge.title_mrd", **names, **mrd)
            figure = _figure(after, known, f"bridge_mrd_{position}", title, caption)
            figures.append(replace(figure, accounts=(account,), beside=bool(figures)))
    return figures


# ---------------------------------------------------------------- numbers


def after_numbers(after: After) -> list[Number]:
    """Patients, events and survival of every curve; differences between and within groups."""
    numbers, base = [], replace(after.on.number(), endpoint=after.endpoint.code)
    for arms in after.arms:
        for arm in arms:
            numbers += _arm_numbers(after, arm, _of_arm(after, base, arm))
    for time in after.on.study.milestone_times:
        days = time * after.on.study.unit_days
        row = replace(base, statistic="bridge_survival_difference", unit="proportion")
        row = replace(row, time_days=days)
        for arm, found in between(after, days):
            row = replace(row, disclosed=disclosed_of(after, arm, days))
            one = replace(_of_arm(after, row, arm), comparator=after.whole[0].group.code)
            numbers.append(replace(one, **of_estimate(found)))
        for arm, found in within(after, days):
            row = replace(row, disclosed=disclosed_of(after, arm, days))
            one = replace(_of_arm(after, row, arm), comparator=NEGATIVE)
            numbers.append(replace(one, **of_estimate(found)))
    return numbers


def _of_arm(after: After, base: Number, arm: Arm) -> Number:
    row = replace(base, cohort=arm.group.code)
    if arm.code == ALL:
        return row
    return replace(row, timepoint_code=after.timepoint_code, level_code=arm.code)


def _arm_numbers(after: After, arm: Arm, base: Number) -> list[Number]:
    told = disclosed_of(after, arm, after.days)
    mine = replace(base, unit="patients", method="count", disclosed=told)
    numbers = [
        replace(mine, statistic=f"bridge_{name}", estimate=n, numerator=n, denominator=arm.n)
        for name, n in (("n", arm.n), ("events", arm.counts.n_events))
    ]
    for time in after.on.study.milestone_times:
        days = time * after.on.study.unit_days
        row = replace(base, statistic="bridge_survival", unit="proportion", time_days=days)
        row = replace(row, numerator=arm.events_by(days), denominator=arm.n)
        row = replace(row, disclosed=disclosed_of(after, arm, days))
        numbers.append(replace(row, **of_estimate(arm.at(days))))
    return numbers
