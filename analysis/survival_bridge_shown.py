"""Survival from the transplant as it is shown: words, table, curves, tidy numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from analysis.answer import Account, Figure, Number, Table, of_estimate
from analysis.charts.survival import Curve, page_height, survival_chart
from analysis.incidence_figures import too_few
from analysis.incidence_window import first_of
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
from analysis.survival_tables import FADE_BELOW, end_day, fade_day, whole_units
from analysis.survival_window import END_BELOW
from analysis.wording import percent, percent_limits, written
from trial.words import say

# ---------------------------------------------------------------- words and table


def _events_told(after: After, arm: Arm) -> str:
    """By the chosen time: 16 deaths, or 16 events."""
    n, study = arm.events_by(after.days), after.on.study
    terminal = {m.code for m in study.milestones if m.is_terminal}
    if {event.milestone_code for event in after.endpoint.events} <= terminal:
        return say("bridge.deaths", n=n)
    return say("survival.one_event") if n == 1 else say("survival.events", n=n)


def told(after: After, arm: Arm) -> str:
    """61.0 % (45.2 to 73.5); 16 deaths in 42; of fewer than ten the counts alone."""
    days = after.days
    counted = say("bridge.events_in", events=_events_told(after, arm), n=arm.n)
    if not arm.n:
        return say("response.nobody")
    if arm.n < FEWEST_FOR_PERCENT:
        return counted
    value = written(arm.at(days), lambda x: f"{100 * x:.1f}", " %")
    return say("bridge.cell", told=value, counted=counted)


def _cohort_told(after: After, arm: Arm) -> str:
    """As the head of a survival endpoint tells a cohort."""
    found = arm.at(after.days)
    named = {"cohort": arm.label, "events": _events_told(after, arm), "n": arm.n}
    if not arm.n:
        return say("share.of", group=arm.label, reason=found.reason)
    if found.estimate is None:
        return say("survival.headline_none", reason=found.reason, **named)
    limits = percent_limits(found) if found.lower is not None else found.reason
    return say("survival.headline_cohort", value=percent(found.estimate), limits=limits, **named)


def headline(after: After) -> str:
    """Survival from it at the chosen time, each group; with the word that they are selected."""
    parts = "; ".join(_cohort_told(after, arm) for arm in after.whole)
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
            cells = (told(after, arm), _difference_cell(after, arm))
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
    last, unit = max((end_day(arm.counts) for arm in _drawn(after.whole)), default=0.0), 0.999
    return whole_units(after.on.study.unit_days, last + unit * after.on.study.unit_days)


def _drawn(arms: Iterable[Arm]) -> list[Arm]:
    """Those with patients enough for a curve."""
    return [arm for arm in arms if arm.n >= FEWEST_FOR_PERCENT]


def _curve(after: After, arm: Arm, ticks: tuple[float, ...]) -> Curve:
    """Pale below ten at risk; where groups are compared, beyond the follow-up that they share."""
    counts = arm.counts
    is_compared = arm.code == ALL and not after.on.refused
    return Curve(
        label=arm.label,
        role=arm.role,
        km=arm.km,
        end_day=end_day(counts),
        fade_day=first_of(fade_day(counts), after.window.end if is_compared else None),
        at_risk=at_risk_table(counts, ticks),
        has_percentages=True,
    )


def _figure(
    after: After, arms: Sequence[Arm], code: str, title: str, caption: tuple[str, dict[str, Any]]
) -> Figure:
    """The curves of those with enough patients; the caption names the others."""
    study, view = after.on.study, after.on.view
    curves = tuple(_curve(after, arm, _ticks(after)) for arm in _drawn(arms))
    key, words = caption
    few = too_few([(arm.label, arm.n) for arm in arms])
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
        caption=after.on.caption(key, too_few=few, **words),
        alt_text=say("survival.alt", endpoint=title, headline=headline(after)),
        tables=("bridge_after",),
        disclosed=(curve_disclosed(arms, f"{code}.curve"),),
    )


def after_figures(after: After) -> list[Figure]:
    """The curves of all groups, then of each group by MRD; none where all are too few."""
    shown = [arm for arm in after.whole if arm.n]
    if not _drawn(shown):
        return []
    told_of: dict[str, Any] = {
        "definition": after.endpoint.definition,
        "fade": FADE_BELOW,
        "end": END_BELOW,
    }
    title = say("survival.title", endpoint=after.endpoint.label)
    whole = _figure(after, shown, "bridge_after", title, ("bridge.caption_after", told_of))
    accounts = _accounts(after)
    return [replace(whole, accounts=accounts), *_mrd_figures(after, told_of, accounts)]


def _accounts(after: After) -> tuple[Account, ...]:
    pairs = [(arm.group, ended) for arm, ended in zip(after.whole, after.ended, strict=True)]
    return time_accounts(after.on.study, after.endpoint, pairs, "bridge/after_account")


def _mrd_figures(
    after: After, told_of: dict[str, Any], accounts: tuple[Account, ...]
) -> list[Figure]:
    """One a group: its classes of MRD with anybody, where one has patients enough for a curve."""
    if not after.has_mrd:
        return []
    mrd = {"at": _timepoint_label(after), "threshold": threshold_label(after.on.view.mrd)}
    caption, figures = ("bridge.caption_mrd", {**mrd, **told_of}), []
    for position, (arms, account) in enumerate(zip(after.classes, accounts, strict=True), start=1):
        known = [arm for arm in arms if arm.n]
        if _drawn(known):
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
