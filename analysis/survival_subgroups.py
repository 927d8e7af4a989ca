"""Survival by subgroup: a forest of every characteristic known at the start, exploratory."""

from functools import partial
from math import ceil, floor

from analysis.answer import Answer, Note
from analysis.compose import Page
from analysis.outcomes import outcomes
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.survival_guards import not_proportional
from analysis.survival_results import FEWEST_FOR_TAU, survival_results
from analysis.survival_subgroups_asked import Asked
from analysis.survival_subgroups_rows import Forest, characteristics, forest_of
from analysis.survival_subgroups_shown import (
    Shown,
    effect_told,
    figures,
    numbers,
    pair_labels,
    scale_label,
    table,
)
from trial.study import Endpoint
from trial.words import say

# A test falls below 0.05, and an interval misses no difference, one time in so many by chance.
ONE_IN = 20


def by_chance(n: int) -> str:
    """How many of n tests would be positive if nothing differed anywhere: '1 or 2'."""
    low, high = floor(n / ONE_IN), ceil(n / ONE_IN)
    return str(low) if low == high else say("forest.chance", low=low, high=high)


# ---------------------------------------------------------------- words


def _overall_told(forest: Forest) -> str:
    """The comparison of everybody."""
    asked = forest.asked
    units = {"difference": say("value.points"), "rmst": f" {asked.on.study.time_unit}s"}
    told = []
    for name, pair in zip(pair_labels(asked), forest.overall.pairs, strict=True):
        has_unit = pair.raw.estimate is not None
        unit = units.get(asked.scale, "") if has_unit else ""
        text = effect_told(asked, pair.raw) + unit
        told.append(say("forest.headline_pair", name=name, told=text))
    return "; ".join(told)


def _tests_told(forest: Forest) -> str:
    n = len(forest.p_values)
    if not n:
        return say("forest.no_tests")
    positive = sum(p < 1 / ONE_IN for p in forest.p_values)
    return say("forest.tests", positive=positive, n=n, chance=by_chance(n))


def _headline(forest: Forest) -> str:
    told = {"n": len(forest.levels), "of": len(forest.divisions)}
    if forest.asked.refused:
        what = {"endpoint": forest.asked.endpoint.label, "time": forest.asked.when}
        return say("forest.headline_alone", **what, **told)
    return say(
        "forest.headline",
        endpoint=forest.asked.endpoint.label,
        scale=scale_label(forest.asked),
        overall=_overall_told(forest),
        tests=_tests_told(forest),
        **told,
    )


def _left_caption(asked: Asked) -> str:
    """What the picture of each group's own value shows."""
    if asked.scale == "rmst":
        return say("forest.left_rmst", time=asked.when, few=FEWEST_FOR_TAU)
    is_incidence = asked.endpoint.kind == "incidence"
    method = say("forest.aalen_johansen" if is_incidence else "forest.kaplan_meier")
    events = say("forest.all_events" if asked.scale == "hazard_ratio" else "forest.events_by")
    return say("forest.left", method=method, time=asked.when, events=events)


def _right_caption(forest: Forest) -> str:
    """What the picture of the comparisons shows, and how many were looked at."""
    asked, compared = forest.asked, forest.n_compared
    window = say("forest.window", window=asked.window_told) if asked.window_told else ""
    told = {"tests": len(forest.p_values), "compared": compared, "chance": by_chance(compared)}
    right = say(f"forest.right_{asked.scale}", time=asked.when, window=window)
    return say("forest.compared", right=right, **told)


def _caption(forest: Forest) -> str:
    asked = forest.asked
    randomised = asked.on.study.randomised or asked.refused
    told = asked.on.caption(
        "forest.caption",
        definition=asked.endpoint.definition,
        left=_left_caption(asked),
        right="" if asked.refused else _right_caption(forest),
        design="" if randomised else say("survival.not_randomised"),
        n=len(forest.levels),
        of=len(forest.divisions),
        few=FEWEST_FOR_PERCENT,
    )
    # What does not apply leaves a gap.
    return " ".join(told.split())


# ---------------------------------------------------------------- notes


def _notes(shown: Shown) -> list[Note]:
    forest = shown.forest
    notes = _not_compared(forest.asked)
    notes += [*_not_proportional(shown), *_unstable(forest)]
    notes.append(Note("info", say("forest.note")))
    if len(forest.asked.groups) > 2 and not forest.asked.refused:
        notes.append(Note("info", say("forest.pairs")))
    labels = [d.characteristic.label for d in forest.divisions if _has_two(d.levels)]
    if labels and not forest.asked.refused:
        notes.append(Note("info", say("forest.two_levels", labels=", ".join(labels))))
    return [*notes, *_left_out(forest)]


def _not_compared(asked: Asked) -> list[Note]:
    """Why no row is compared: the page's own sentence, or what this scale lacks."""
    if not asked.refused or asked.refused == asked.on.refused:
        return [Note("warning", asked.refused)] if asked.refused else []
    return [Note("warning", say("forest.not_compared", reason=asked.refused))]


def _not_proportional(shown: Shown) -> list[Note]:
    """What the head says of its hazard ratio holds for a forest of them."""
    asked = shown.forest.asked
    if asked.scale != "hazard_ratio" or asked.refused:
        return []
    head = survival_results(asked.on.snapshot, asked.on.view)
    return not_proportional(head, "survival.ph_fails_rows")


def _has_two(levels: tuple) -> bool:
    """Whether just two levels of a characteristic are shrunken."""
    shrunk = [p.shrunken for level in levels for p in level.pairs[:1] if p.shrunken]
    return sum(found.estimate is not None for found in shrunk) == 2


def _unstable(forest: Forest) -> list[Note]:
    """That few are at risk at the milestone in some rows that are compared there."""
    asked = forest.asked
    if asked.scale != "difference" or asked.refused:
        return []
    n = sum(
        any(pair.raw.estimate is not None for pair in level.pairs)
        and any(side.at_risk < FEWEST_FOR_PERCENT for side in level.sides)
        for level in (forest.overall, *forest.levels)
    )
    text = say("forest.thin", n=n, few=FEWEST_FOR_PERCENT, time=asked.when)
    return [Note("warning", text)] if n else []


def _left_out(forest: Forest) -> list[Note]:
    """The characteristics that make no rows, with the reason."""
    parts = [
        say("forest.left_out_part", label=x.label, reason=reason) for x, reason in forest.left_out
    ]
    return [Note("info", say("forest.left_out", parts="; ".join(parts)))] if parts else []


# ---------------------------------------------------------------- the answer


def _why_none(on: Page, endpoint: Endpoint) -> str:
    """Why the scale of the view cannot be had of an endpoint; empty if it can."""
    if endpoint.kind == "states":
        return say("forest.states", endpoint=endpoint.label)
    if endpoint.kind == "incidence" and on.view.scale != "difference":
        return say("forest.only_difference", endpoint=endpoint.label)
    return "" if characteristics(on, endpoint) else say("forest.at_origin")


def _sentence(on: Page, text: str, notes: list[Note]) -> Answer:
    return on.answer(text, notes, (), (), ())


def subgroups_answer(on: Page) -> Answer:
    """The forest of the endpoint of the view; a sentence where there is none to show."""
    endpoint = on.study.endpoint(on.view.endpoint)
    if reason := _why_none(on, endpoint):
        return _sentence(on, reason, [])
    forest = forest_of(on, endpoint)
    if forest is None:
        return _sentence(on, say("forest.nobody", endpoint=endpoint.label), [])
    if not forest.divisions:
        told = say("forest.undivided", endpoint=endpoint.label)
        return _sentence(on, told, _left_out(forest))
    ended = outcomes(on.snapshot, on.view.selection, endpoint)
    shown = Shown(forest, tuple(ended.of(group) for group in forest.asked.groups))
    headline = _headline(forest)
    return on.answer(
        headline,
        _notes(shown),
        figures(shown, _caption(forest), headline),
        (table(shown),),
        partial(_numbers, shown),
        headline_disclosed=(shown.disclosed(),),
    )


def _numbers(shown: Shown) -> tuple:
    return tuple(numbers(shown))
