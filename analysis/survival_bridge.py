"""The transplant as a bridge: who reaches it, survival from it, and by MRD before it."""

from functools import partial

from analysis.answer import Answer, Disclosed, Note, Number
from analysis.compose import Page
from analysis.disclosure import gate
from analysis.follow_up_guards import thin
from analysis.link import known_late
from analysis.stats.counts import at_risk_table
from analysis.survival_bridge_after import After, after_of, between
from analysis.survival_bridge_after import at_time as after_at_time
from analysis.survival_bridge_reach import (
    Reach,
    at_time,
    crossed,
    headline,
    reach_figures,
    reach_numbers,
    reach_of,
    reach_table,
    reached,
    wait_table,
)
from analysis.survival_bridge_shown import after_figures, after_numbers, after_table
from analysis.survival_bridge_shown import headline as after_headline
from trial.survival_rule import Bridge
from trial.words import say


def _late_filters(on: Page, bridge: Bridge) -> list[str]:
    """Characteristics that are filtered by and known only after the way to the bridge began."""
    origin = on.study.endpoint(bridge.reach).origin
    chosen = (on.study.characteristic(f.characteristic_code) for f in on.view.selection.filters)
    return [x.label for x in chosen if known_late(x, origin)]


def _undefined(on: Page, bridge: Bridge) -> list[str]:
    """Kinds of line of the view that the way to the bridge is not defined for."""
    defined = on.study.endpoint(bridge.reach).line_codes
    return [on.study.line(c).label for c in on.view.selection.line_codes if c not in defined]


def _nothing(on: Page, bridge: Bridge) -> str:
    """Why nothing can be told of this view; empty if something can."""
    if late := _late_filters(on, bridge):
        origin = on.study.milestone_label(on.study.endpoint(bridge.reach).origin)
        return say("bridge.late", labels=", ".join(late), origin=origin)
    undefined = _undefined(on, bridge)
    if len(undefined) == len(on.view.selection.line_codes):
        label = on.study.endpoint(bridge.reach).label
        return say("survival.not_defined", endpoint=label, lines=", ".join(undefined))
    return ""


def _notes(on: Page, bridge: Bridge, reach: Reach, after: After) -> list[Note]:
    what, notes = reach.label, []
    if on.refused:
        notes.append(Note("warning", on.refused))
    if undefined := _undefined(on, bridge):
        told = {"endpoint": reach.endpoint.label, "lines": ", ".join(undefined)}
        notes.append(Note("warning", say("survival.not_defined", **told)))
    if between(after, after.days):
        notes.append(Note("warning", say("bridge.selected", what=what)))
    notes += [*_thin(reach, after), *_crossed(reach)]
    notes.append(Note("info", say("bridge.immortal", what=what)))
    if after.has_mrd:
        notes.append(Note("info", say("bridge.mrd_note", what=what)))
    return notes


def _thin(reach: Reach, after: After) -> list[Note]:
    """Where few are at risk at the chosen time since others were censored before."""
    ways = [(g.group.label, g.at(1, after.days), g.counts.any_event()) for g in reach.groups]
    lives = [(arm.label, arm.at(after.days), arm.counts) for arm in after.whole]
    parts = ((reach.endpoint, ways, at_time(reach)), (after.endpoint, lives, after_at_time(after)))
    notes = []
    for endpoint, found, disclosed in parts:
        known = (
            (label, at_risk_table(counts, (after.days,))[0])
            for label, value, counts in found
            if value.estimate is not None
        )
        if told := thin(reach.on.study, reach.on.view.time, known):
            text = say("share.of", group=endpoint.label, reason=told)
            notes.append(Note("warning", text, disclosed))
    return notes


def _crossed(reach: Reach) -> list[Note]:
    """That those who reached it and those with a survival from it are not quite the same."""
    kinds = [("reached_only", w.reached, w.group) for w in reach.waits]
    kinds += [("followed_alone", w.followed, w.group) for w in reach.waits]
    parts = [
        say(f"bridge.{kind}", n=n, group=group.label, what=reach.label)
        for kind, n, group in kinds
        if n
    ]
    text = say("bridge.crossed", parts="; ".join(parts))
    return [Note("info", text, crossed(reach))] if parts else []


def _headline(reach: Reach, after: After) -> tuple[str, tuple[Disclosed, ...]]:
    """Both sentences and what they tell; survival from it is left out where it is withheld."""
    told = after_at_time(after)
    if not gate().passes(told):
        return headline(reach), (reached(reach),)
    return f"{headline(reach)} {after_headline(after)}", (reached(reach), told)


def _numbers(reach: Reach, after: After) -> tuple[Number, ...]:
    return (*reach_numbers(reach), *after_numbers(after))


def bridge_answer(on: Page) -> Answer:
    """Reaching the bridge and survival from it; a sentence where there is nothing to show.

    Raises ValueError for a study that declares no bridge.
    """
    bridge = on.study.survival.bridge
    if bridge is None:
        raise ValueError(f"{on.study.code} declares no bridge")
    if reason := _nothing(on, bridge):
        return on.answer(reason, [], (), (), ())
    reach = reach_of(on, bridge)
    if not any(g.n for g in reach.groups):
        if on.is_empty:
            return on.empty()
        told = {"population": on.population, "endpoint": on.study.endpoint(bridge.reach).label}
        return on.answer(say("later.nobody", **told), [], (), (), ())
    both = tuple(n for w in reach.waits for n in (w.both, w.reached, w.followed))
    after = after_of(on, bridge, both)
    text, told = _headline(reach, after)
    return on.answer(
        text,
        _notes(on, bridge, reach, after),
        (*reach_figures(reach, text), *after_figures(after)),
        (reach_table(reach), wait_table(reach), after_table(after)),
        partial(_numbers, reach, after),
        headline_disclosed=told,
    )
