"""How groups with competing events were followed: what is said of it, and its tidy numbers.

The same sentences as of survival (`analysis/follow_up_guards.py`). Every state ends the follow-up
that is needed: the median is the reverse Kaplan-Meier of any event.
"""

from dataclasses import dataclass, replace

from analysis import follow_up_guards as guards
from analysis.answer import Note, Number, of_estimate
from analysis.compose import Page
from analysis.follow_up_guards import Followed, is_thin
from analysis.incidence_results import (
    GroupIncidence,
    compared_groups,
    risk_disclosed,
    totals_disclosed,
    window_of_groups,
)
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.counts import at_risk_table
from analysis.stats.estimate import Estimate, not_estimable
from analysis.stats.survival import follow_up
from analysis.survival_disclosed import ONE_PATIENT
from analysis.survival_window import FEWEST_AT_RISK, Window, completeness_of, followed_asked
from analysis.wording import time_in_words
from trial.study import Endpoint
from trial.words import say
from warehouse.query import query


@dataclass(frozen=True)
class FollowUp:
    """The groups with patients, how each was followed, and how far they are compared."""

    on: Page
    endpoint: Endpoint
    found: tuple[GroupIncidence, ...]
    groups: tuple[Followed, ...]
    window: Window

    @property
    def days(self) -> float:
        """The chosen time."""
        return self.on.view.time * self.on.study.unit_days

    @property
    def sentence(self) -> str:
        """Events, median follow-up and completeness of each group."""
        return guards.followed_sentence(self.on.study, self.groups)


def follow_up_of(on: Page, endpoint: Endpoint, found: tuple[GroupIncidence, ...]) -> FollowUp:
    """How the groups of a view were followed for an endpoint with several states."""
    followed = query(
        on.snapshot, "followed", on.view.selection, **followed_asked(on.study, endpoint)
    )
    known, days = tuple(g for g in found if g.n), on.view.time * on.study.unit_days
    groups = tuple(
        Followed(
            label=g.group.label,
            counted=_counted(endpoint, g),
            median=_percentable(follow_up(g.counts.any_event()), g),
            completeness=_percentable(completeness_of(followed, g.group), g),
            at=at_risk_table(g.counts.any_event(), (days,))[0],
            is_told=g.at(1, days).estimate is not None,
        )
        for g in known
    )
    return FollowUp(on, endpoint, known, groups, window_of_groups(on, found))


def _counted(endpoint: Endpoint, g: GroupIncidence) -> str:
    total = sum(g.counts.n_events)
    if endpoint.kind != "incidence":
        return say("states.counted", events=total, n=g.n)
    first = g.counts.n_events[0]
    return say("incidence.counted", events=first, competing=total - first, n=g.n)


def _percentable(found: Estimate, g: GroupIncidence) -> Estimate:
    """No estimate from fewer than ten children: the counts say it all."""
    if g.n >= FEWEST_FOR_PERCENT:
        return found
    return not_estimable(say("survival.few", n=FEWEST_FOR_PERCENT), found.method)


# ---------------------------------------------------------------- notes


def follow_up_notes(of: FollowUp, n_beyond: int = 0, beside: str = "") -> list[Note]:
    """What a reader must know of follow-up; `n_beyond` and `beside` as in `_unequal`."""
    study, time = of.on.study, of.on.view.time
    totals = totals_disclosed(of.found)
    at_time = risk_disclosed(of.found, of.days, f"states.{time:g}")
    known = [(g.label, g.at) for g in of.groups if g.is_told]
    told = [
        (_unequal(of, n_beyond, beside), totals),
        (guards.immature(study, time, of.groups), at_time),
        (guards.thin(study, time, known), at_time),
        (guards.incomplete(of.groups), totals),
    ]
    return [Note("warning", text, disclosed) for text, disclosed in told if text]


def _unequal(of: FollowUp, n_beyond: int, beside: str) -> str:
    """Comparisons end with the follow-up that all groups share.

    `n_beyond`: events later than it; `beside`: what stands beside what is not compared.
    """
    study, end = of.on.study, of.window.end
    compared = compared_groups(of.on, of.found)
    if len(compared) < 2:
        return ""
    if study.randomised:
        return guards.unequal_arms(study, of.groups)
    if end is None:
        return ""
    told = {"end": f"{end / study.unit_days:.1f}", "unit": study.time_unit, "n": FEWEST_AT_RISK}
    told["parts"] = guards.medians_told(study, of.groups)
    if of.endpoint.kind == "incidence":
        return say("incidence.unequal", beyond=n_beyond, **told) + beside
    text = say("states.unequal", **told)
    if of.window.is_beyond(of.days):
        text += say("states.beyond", time=time_in_words(study, of.on.view.time))
    return text


def unsure_times(of: FollowUp) -> tuple[float, ...]:
    """The milestone times at which few are left, or beyond what the groups share."""
    study = of.on.study
    return tuple(
        time
        for time in study.milestone_times
        if of.window.is_beyond(time * study.unit_days)
        or any(
            is_thin(at_risk_table(g.counts.any_event(), (time * study.unit_days,))[0])
            for g in of.found
        )
    )


# ---------------------------------------------------------------- numbers


def follow_up_numbers(of: FollowUp) -> list[Number]:
    """The window of each group and of all, median follow-up and completeness."""
    base, numbers = replace(of.on.number(), endpoint=of.endpoint.code), []
    days = replace(base, unit="days", disclosed=ONE_PATIENT)
    compared = compared_groups(of.on, of.found)
    window = replace(days, statistic="window_days")
    for g, found in zip(compared, of.window.by_cohort, strict=True):
        numbers.append(replace(window, cohort=g.group.code, **of_estimate(found)))
    if of.window.day is not None and len(compared) > 1:
        told = {"estimate": of.window.day, "cohort": ",".join(g.group.code for g in compared)}
        level = "unequal" if of.window.is_unequal else "equal"
        numbers.append(replace(window, level_code=level, **told))
    for g, told in zip(of.found, of.groups, strict=True):
        mine = replace(days, cohort=g.group.code, denominator=g.n, statistic="median_follow_up")
        numbers.append(replace(mine, **of_estimate(told.median)))
        share = replace(mine, statistic="completeness", unit="proportion")
        share = replace(share, disclosed=totals_disclosed(of.found))
        numbers.append(replace(share, **of_estimate(told.completeness)))
    return numbers
