"""Groups by something known only later: the curves from a landmark on, and those in time."""

from dataclasses import dataclass, replace
from functools import partial

from analysis import survival_later_disclosed as told_of
from analysis.answer import Account, Disclosed, Figure
from analysis.charts.survival import Curve, page_height, survival_chart
from analysis.groups import Group, origin_label
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.counts import AtRisk, at_risk_table
from analysis.stats.survival import KaplanMeier
from analysis.stats.time_dependent import FEWEST_AT_RISK, SimonMakuch
from analysis.survival_later_model import ALL, Later, Scope, Side
from analysis.survival_later_time import Changing
from analysis.survival_tables import FADE_BELOW, end_day, fade_day, whole_units
from analysis.survival_window import END_BELOW
from trial.words import say

# Of the curves before and after: colours that no cohort of two or three has.
BEFORE, AFTER = 3, 2


def origin_of(later: Later) -> str:
    """What the days count from."""
    return origin_label(later.on.study, later.endpoint, later.on.view.selection)


def _ticks(later: Later, ends: list[float]) -> tuple[float, ...]:
    """Whole units up to the last end of a curve or beyond it: one axis for all figures."""
    unit = later.on.study.unit_days
    ticks = whole_units(unit, max(ends, default=0.0))
    return ticks if ticks[-1] >= max(ends, default=0.0) else (*ticks, ticks[-1] + ticks[1])


def _curve(
    label: str, role: int, km: KaplanMeier, at_risk: tuple[AtRisk, ...], start_day: float = 0.0
) -> Curve:
    counts = km.counts
    has_percentages = counts.n >= FEWEST_FOR_PERCENT
    ends = (end_day(counts), fade_day(counts))
    return Curve(label, role, km, *ends, at_risk, has_percentages, start_day)


@dataclass(frozen=True)
class Legend:
    """What goes with the curves of one group.

    `since` is what the time axis counts from, `measure` what the curves are of.
    """

    code: str
    title: str
    since: str
    measure: str
    caption: str
    alt_text: str
    tables: tuple[str, ...]
    disclosed: Disclosed
    accounts: tuple[Account, ...]


def _figure(later: Later, curves: tuple[Curve, ...], legend: Legend) -> Figure:
    study, view = later.on.study, later.on.view
    unit = study.time_unit.capitalize()
    draw = partial(
        survival_chart,
        curves,
        unit_days=study.unit_days,
        time_title=say("survival.axis_time", unit=unit, origin=legend.since),
        survival_title=legend.measure,
        bands=view.bands,
        marks=view.marks,
        milestones=tuple(study.milestone_times),
        chosen=view.time,
    )
    return Figure(
        code=legend.code,
        title=legend.title,
        draw=draw,
        page_height=page_height(curves),
        caption=legend.caption,
        alt_text=legend.alt_text,
        tables=legend.tables,
        disclosed=(legend.disclosed,),
        accounts=legend.accounts,
    )


def _side_by_side(figures: list[Figure]) -> tuple[Figure, ...]:
    return tuple(replace(figure, beside=k > 0) for k, figure in enumerate(figures))


def _reasons(later: Later, group: Group) -> list[tuple[str, int]]:
    """Who of all enrolled has no time of the endpoint, by reason."""
    study, size = later.on.study, later.on.sizes[group.code]
    names = {
        "origin": study.milestone_label(later.endpoint.origin),
        "censor": study.milestone_label(later.endpoint.censor),
    }
    reasons = [(say("account.filtered"), size.n_enrolled - size.n_population)]
    left_out = later.left_out(group).items()
    return reasons + [(say(f"account.{code}", **names), n) for code, n in left_out]


def _account(
    later: Later, group: Group, n: int, reasons: list[tuple[str, int]], of: Disclosed
) -> Account:
    told = tuple((label, k) for label, k in reasons if k)
    outside = later.on.sizes[group.code].n_enrolled - later.on.sizes[group.code].n_population
    disclosed = Disclosed((n, outside, *of.counts), of.part)
    return Account(group.label, later.on.sizes[group.code].n_enrolled, n, told, disclosed)


def _drawn(scope: Scope) -> list[Side]:
    """The levels with a curve."""
    return [side for side in scope.sides if side.n >= END_BELOW]


def _landmark_account(later: Later, group: Group, scope: Scope) -> Account:
    """Of all enrolled: who is in a curve, and who is not since when or why."""
    day, drawn = later.day, sum(side.n for side in _drawn(scope))
    events = sum(side.dropped.events for side in scope.sides)
    reasons = [
        *_reasons(later, group),
        (say("later.doubt_account", of=later.of), scope.n_in_doubt),
        (say("later.left_with_event", day=day), events),
        (say("later.left_without", day=day), scope.n_dropped - events),
        (say("later.small", n=END_BELOW), scope.n - drawn),
    ]
    return _account(later, group, drawn, reasons, told_of.dropped(later))


def _has_curve(scope: Scope) -> bool:
    """Whether a level has patients enough for a curve: else the table says it all."""
    return any(side.counts.n >= FEWEST_FOR_PERCENT for side in _drawn(scope))


def landmark_figures(later: Later, headline: str) -> tuple[Figure, ...]:
    """One figure a group, side by side, with the curve of each level from the landmark on."""
    pairs = enumerate(zip(later.groups, later.scopes, strict=False), start=1)
    shown = [(k, group, scope) for k, (group, scope) in pairs if _has_curve(scope)]
    ends = [end_day(side.counts) for _, _, scope in shown for side in _drawn(scope)]
    ticks = _ticks(later, ends)
    figures = []
    for k, group, scope in shown:
        curves = tuple(
            _curve(side.label, side.role, side.km, at_risk_table(side.counts, ticks))
            for side in _drawn(scope)
        )
        legend = _landmark_legend(later, f"later_{k}", group, scope, headline)
        figures.append(_figure(later, curves, legend))
    return _side_by_side(figures)


def _landmark_legend(later: Later, code: str, group: Group, scope: Scope, headline: str) -> Legend:
    endpoint, day, origin = later.endpoint, later.day, origin_of(later)
    names = {"split": later.split.label, "endpoint": endpoint.label, "group": group.label}
    told = {"definition": endpoint.definition, "fade": FADE_BELOW, "end": END_BELOW}
    return Legend(
        code=code,
        title=say("later.title", day=day, **names),
        since=say("later.since", day=day, origin=origin),
        measure=endpoint.label,
        caption=later.on.caption("later.caption", chosen=None, day=day, origin=origin, **told),
        alt_text=say("later.alt", headline=headline),
        tables=("later", "later_counts"),
        disclosed=told_of.curve(later, scope),
        accounts=(_landmark_account(later, group, scope),),
    )


def _in_time_accounts(later: Later, one: Changing) -> tuple[Account, ...]:
    """Of all enrolled of each group of the figure: who is in the curves."""
    found = []
    for group, mine in zip(later.groups, later.changing, strict=False):
        if one.code in (ALL, mine.code):
            doubt = (say("later.doubt_account", of=later.of), mine.n_in_doubt)
            reasons = [*_reasons(later, group), doubt, *_gone(one, mine)]
            n = mine.n - sum(k for _, k in _gone(one, mine))
            found.append(_account(later, group, n, reasons, told_of.curves(later, one)))
    return tuple(found)


def _gone(one: Changing, mine: Changing) -> list[tuple[str, int]]:
    """Whose time ended before the curves start."""
    if isinstance(one.curves, str):
        return []
    day = one.curves.start_day
    ended = mine.frame.filter(mine.frame["time_days"] <= day)
    events = int(ended["event"].sum())
    label = {"day": f"{day:g}"}
    return [
        (say("later.left_with_event", **label), events),
        (say("later.left_without", **label), ended.height - events),
    ]


def _in_time_curves(
    later: Later, one: Changing, found: SimonMakuch, ticks: tuple[float, ...]
) -> tuple[Curve, ...]:
    """Before and after; the table under the axis counts who is in each from time zero on."""
    start = found.start_day
    rows = tuple(at_risk_table(counts, ticks) for counts in one.sides)
    return (
        _curve(say("later.before", of=later.of), BEFORE, found.before, rows[0], start),
        _curve(say("later.after", of=later.of), AFTER, found.after, rows[1], start),
    )


def time_figures(later: Later, headline: str) -> tuple[Figure, ...]:
    """Simon-Makuch curves of each group that has enough in both states, then of all together."""
    shown = [
        (k, one, one.curves)
        for k, one in enumerate(later.changing, start=1)
        if not isinstance(one.curves, str)
    ]
    ends = [end_day(km.counts) for _, _, found in shown for km in (found.before, found.after)]
    ticks, figures = _ticks(later, ends), []
    for k, one, found in shown:
        curves = _in_time_curves(later, one, found, ticks)
        legend = _in_time_legend(later, f"later_{k}", one, found, headline)
        figures.append(_figure(later, curves, legend))
    return _side_by_side(figures)


def _in_time_legend(
    later: Later, code: str, one: Changing, found: SimonMakuch, headline: str
) -> Legend:
    endpoint, origin = later.endpoint, origin_of(later)
    names = {"split": later.split.label, "endpoint": endpoint.label, "group": one.label}
    day, (before, after) = f"{found.start_day:g}", one.events_by_start
    told = {"of": later.of, "origin": origin, "day": day, "before": before, "after": after}
    told |= {"definition": endpoint.definition}
    since = say("later.measure", endpoint=endpoint.label, day=day)
    few = {"fade": FADE_BELOW, "end": END_BELOW, "fewest": FEWEST_AT_RISK}
    return Legend(
        code=code,
        title=say("later.title_time", **names),
        since=origin,
        measure=since if found.start_day else endpoint.label,
        caption=later.on.caption("later.caption_time", chosen=None, **told, **few),
        alt_text=say("later.alt_time", headline=headline),
        tables=("later_model", "later_curves"),
        disclosed=told_of.curves(later, one),
        accounts=_in_time_accounts(later, one),
    )
