"""What is said of how long, and how completely, groups were followed: the sentences alone.

Who shows one says what it tells of how many patients; an empty text has nothing to say.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analysis.stats.counts import AtRisk
from analysis.stats.estimate import Estimate
from analysis.survival_window import FEWEST_AT_RISK, MOST_INCOMPLETE, is_unequal
from analysis.wording import crossing, in_unit, time_in_words, written
from trial.study import Study
from trial.words import say


@dataclass(frozen=True)
class Followed:
    """A group with patients: its events in words, how it was followed, and the chosen time.

    `median`: reverse Kaplan-Meier. `at`: who is at risk at the chosen time. `is_told`: there is an
    estimate at it.
    """

    label: str
    counted: str
    median: Estimate
    completeness: Estimate
    at: AtRisk
    is_told: bool


def is_thin(row: AtRisk) -> bool:
    """Whether an estimate rests on few since others were censored before.

    Where nobody was, few are at risk because the outcome of all others is known.
    """
    return row.at_risk < FEWEST_AT_RISK and row.censored > 0


def _labelled(told: Iterable[tuple[Followed, str]]) -> str:
    return "; ".join(say("share.named", group=g.label, told=text) for g, text in told)


def _median_told(study: Study, median: Estimate) -> str:
    """The median follow-up without its interval, or why there is none."""
    if median.estimate is None and median.lower is None:
        return say("survival.no_median", reason=median.reason)
    return say("survival.median_follow_up", median=crossing(median, study).partition(" (")[0])


def followed_sentence(study: Study, groups: Sequence[Followed]) -> str:
    """Events of all, median follow-up and completeness of each group: a line of the headline."""
    parts = []
    for g in groups:
        share = ""
        if g.completeness.estimate is not None:
            share = say("survival.followed_share", value=f"{100 * g.completeness.estimate:.0f} %")
        told = {"group": g.label, "counted": g.counted, "completeness": share}
        parts.append(say("follow_up.part", median=_median_told(study, g.median), **told))
    return say("survival.followed", parts="; ".join(parts))


def medians_told(study: Study, groups: Sequence[Followed]) -> str:
    """The median follow-up of each group that has one."""
    return _labelled(
        (g, written(g.median, in_unit(study), f" {study.time_unit}s").partition(" (")[0])
        for g in groups
        if g.median.estimate is not None
    )


def unequal_arms(study: Study, groups: Sequence[Followed]) -> str:
    """Randomised arms could be followed equally long: what differs is who left."""
    medians = [g.median.estimate for g in groups if g.median.estimate is not None]
    if len(medians) < 2 or not is_unequal(medians):
        return ""
    return say("survival.unequal_arms", parts=medians_told(study, groups))


def immature(study: Study, time: float, groups: Sequence[Followed]) -> str:
    """A time later than half of a group was followed."""
    short = [
        (g, say("survival.at_risk_n", n=g.at.at_risk))
        for g in groups
        if g.is_told
        and g.median.estimate is not None
        and g.median.estimate < time * study.unit_days
    ]
    if not short:
        return ""
    return say("survival.immature", time=time_in_words(study, time), parts=_labelled(short))


def thin(study: Study, time: float, told: Iterable[tuple[str, AtRisk]]) -> str:
    """Few at risk at the chosen time, since others were not followed so long.

    `told`: the name of each group with an estimate there, and who is at risk.
    """
    found = [label for label, at in told if is_thin(at)]
    if not found:
        return ""
    when = time_in_words(study, time)
    return say("survival.thin", time=when, n=FEWEST_AT_RISK, cohorts=", ".join(found))


def incomplete(groups: Sequence[Followed]) -> str:
    """Groups that were followed with different care may differ for that reason alone."""
    known = [(g, g.completeness.estimate) for g in groups if g.completeness.estimate is not None]
    shares = [share for _, share in known]
    if len(known) < 2 or max(shares) - min(shares) <= MOST_INCOMPLETE:
        return ""
    parts = _labelled((g, f"{100 * share:.0f} %") for g, share in known)
    return say("survival.incomplete", parts=parts)
