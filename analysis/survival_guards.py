"""What a reader of a survival comparison must know: each guard says what was found.

A guard that speaks says what to read instead; one that has nothing to say is silent.
"""

from analysis import follow_up_guards as follow_up
from analysis import survival_disclosed as told_of
from analysis.answer import Note
from analysis.follow_up_guards import Followed
from analysis.outcomes import from_registration
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.cox import hazard_ratios
from analysis.stats.survival import kaplan_meier, survival_at
from analysis.survival_results import CohortSurvival, Results
from analysis.survival_window import FEWEST_AT_RISK
from analysis.wording import (
    p_value,
    percent,
    points,
    points_limits,
    time_in_words,
    written,
)
from trial.words import say

# A test of proportional hazards below this speaks.
NOT_PROPORTIONAL = 0.05
FEWEST_EVENTS = 10


def not_proportional(results: Results, key: str) -> list[Note]:
    """What a part that shows hazard ratios says where the head says that they do not hold."""
    test = results.proportionality
    if test is None or test.overall.p_value is None or is_proportional(results):
        return []
    told = say(key, p=p_value(test.overall.p_value), events=test.n_events)
    return [Note("warning", told, told_of.totals(results))]


def is_proportional(results: Results) -> bool | None:
    """Whether the hazard ratios hold over time; None if that cannot be judged."""
    test = results.proportionality
    if test is None or test.overall.p_value is None:
        return None
    return test.overall.p_value >= NOT_PROPORTIONAL


def guards(results: Results) -> list[Note]:
    """Every guard of a view that has patients, those that change how to read it first."""
    notes = [*_proportional(results), *_unequal(results), *_follow_up(results)]
    notes += [*_late(results), *_few_events(results), *_shared(results)]
    return [*notes, *_at_origin(results), *_fragility(results)]


def _labelled(results: Results, told: list[tuple[CohortSurvival, str]]) -> str:
    return "; ".join(say("share.named", group=c.cohort.label, told=text) for c, text in told)


def _proportional(results: Results) -> list[Note]:
    """One hazard ratio is too little for curves that converge or cross."""
    test = results.proportionality
    if test is None or not results.comparisons:
        return []
    disclosed = told_of.totals(results)
    if test.overall.p_value is None:
        if all(x.hazard_ratio.estimate is None for x in results.comparisons):
            return []  # the headline says why there is no ratio
        text = say("survival.ph_unknown", reason=test.overall.reason)
        return [Note("info", text, disclosed)]
    told = {"p": p_value(test.overall.p_value), "events": test.n_events}
    if is_proportional(results):
        return [Note("info", say("survival.ph_holds", **told), disclosed)]
    text = say("survival.ph_fails", instead=_instead(results), **told)
    return [Note("warning", text, disclosed)]


def _instead(results: Results) -> str:
    """What there is to read in place of a hazard ratio: the curves alone if nothing else is."""
    time, found = results.view.time, []
    if any(x.difference_at(time).estimate is not None for x in results.comparisons):
        found.append(say("survival.instead_time", time=time_in_words(results.study, time)))
    if any(x.rmst_difference.estimate is not None for x in results.comparisons):
        found.append(say("survival.instead_mean"))
    return say("survival.instead_and").join(found) or say("survival.instead_curves")


def _unequal(results: Results) -> list[Note]:
    """Comparisons end with the follow-up that all cohorts share."""
    window, study = results.window, results.study
    if not results.comparisons:
        return []
    groups = followed_groups(results)
    if study.randomised:
        text = follow_up.unequal_arms(study, groups)
        return [Note("warning", text, told_of.totals(results))] if text else []
    if window.end is None:
        return []
    told = {"end": f"{window.end / study.unit_days:.1f}", "unit": study.time_unit}
    text = say(
        "survival.unequal",
        n=FEWEST_AT_RISK,
        beyond=results.n_beyond,
        parts=follow_up.medians_told(study, groups),
        **told,
    )
    holds = is_proportional(results) is not False
    if holds and results.n_beyond and (beside := _over_all(results)):
        text = f"{text} {beside}"
    return [Note("warning", text, told_of.totals(results))]


def followed_groups(results: Results) -> tuple[Followed, ...]:
    """How each cohort with patients was followed."""
    known = [(c, *c.at(results.view.time)) for c in results.cohorts if c.counts.n]
    return tuple(
        Followed(
            label=c.cohort.label,
            counted=say("survival.counted", events=c.counts.n_events, n=c.counts.n),
            median=c.follow_up,
            completeness=c.completeness,
            at=row,
            is_told=found.estimate is not None,
        )
        for c, found, row in known
    )


def _follow_up(results: Results) -> list[Note]:
    """Follow-up too short for the chosen time, few at risk then, and unequal completeness."""
    study, time, groups = results.study, results.view.time, followed_groups(results)
    at_time, totals = told_of.chosen_time(results), told_of.totals(results)
    told = [
        (follow_up.immature(study, time, groups), at_time),
        (follow_up.thin(study, time, [(g.label, g.at) for g in groups if g.is_told]), at_time),
        (follow_up.incomplete(groups), totals),
    ]
    return [Note("warning", text, disclosed) for text, disclosed in told if text]


def _over_all(results: Results) -> str:
    """The hazard ratios over all follow-up, beside those that end with the shared one."""
    compared = [c for c in results.cohorts if c.cohort.code in results.compared]
    if len(compared) < 2:
        return ""
    found = hazard_ratios(tuple(c.counts for c in compared))
    told = [
        (c, written(ratio, lambda h: f"{h:.2f}"))
        for c, ratio in zip(compared[1:], found, strict=True)
        if ratio.estimate is not None
    ]
    return say("survival.over_all", parts=_labelled(results, told)) if told else ""


def _late(results: Results) -> list[Note]:
    """Who registers late must have lived until then: counted from registration beside."""
    late = [c for c in results.cohorts if c.n_late]
    if not late:
        return []
    days = results.study.survival.late_days
    parts = _labelled(results, [(c, f"{c.n_late}/{c.counts.n}") for c in late])
    text = say("survival.late", days=days, parts=parts)
    counts = [n for c in results.cohorts for n in (c.n_late, c.counts.n - c.n_late)]
    disclosed = told_of.beside_totals(results, counts, "late")
    if beside := _from_registration(results):
        text = f"{text} {beside}"
    return [Note("warning", text, disclosed)]


def _from_registration(results: Results) -> str:
    """Survival at the chosen time with delayed entry; none where events fall on day 0.

    Who fails on the day of diagnosis is never at risk after a registration: such a curve would be
    of the others only.
    """
    if any(c.n_at_origin for c in results.cohorts):
        return ""
    study, time = results.study, results.view.time
    entered = from_registration(results.snapshot, results.view.selection, results.endpoint)
    told = []
    for c in results.cohorts:
        found = entered[c.cohort.code].counts
        if found.n >= FEWEST_FOR_PERCENT:
            at = survival_at(kaplan_meier(found), time * study.unit_days)
            told.append((c, written(at, lambda x: f"{100 * x:.1f}", " %")))
    if not told:
        return ""
    when = time_in_words(study, time)
    return say("survival.from_registration", time=when, parts=_labelled(results, told))


def _few_events(results: Results) -> list[Note]:
    few = [
        (c, str(c.counts.n_events))
        for c in results.cohorts
        if c.counts.n and c.counts.n_events < FEWEST_EVENTS
    ]
    if not few or not results.comparisons:
        return []
    text = say("survival.few_events", n=FEWEST_EVENTS, parts=_labelled(results, few))
    return [Note("warning", text, told_of.totals(results))]


def _shared(results: Results) -> list[Note]:
    """The same child on both sides of a comparison, or in several curves.

    A child that entered one cohort with the first relapse and the other with the next is in the
    comparison once, and what happened on the other protocol counts there.
    """
    if not results.comparisons:
        return _several_curves(results)
    both = [(c, f"{c.n_both}/{c.counts.n}") for c in results.cohorts if c.n_both]
    if not both:
        return []
    counts = [x for c in results.cohorts for x in (c.n_both, c.counts.n - c.n_both)]
    disclosed = told_of.beside_totals(results, counts, "shared")
    text = say("survival.both", parts=_labelled(results, both))
    return [Note("warning", text, disclosed)]


def _several_curves(results: Results) -> list[Note]:
    n = max((c.n_shared for c in results.cohorts), default=0)
    if not n:
        return []
    counts = [x for c in results.cohorts for x in (c.n_shared, c.counts.n - c.n_shared)]
    disclosed = told_of.beside_totals(results, counts, "shared")
    return [Note("warning", say("survival.shared_curves", n=n), disclosed)]


def _at_origin(results: Results) -> list[Note]:
    """Who failed on day 0, and how it went for the others."""
    if not any(c.n_at_origin for c in results.cohorts):
        return []
    study, time, told = results.study, results.view.time, []
    for c in results.cohorts:
        if not c.counts.n:
            continue
        n, at = c.n_at_origin, c.at(time)[0].estimate
        text = f"{n}/{c.counts.n}"
        others = c.counts.n - n
        if at is not None and others >= FEWEST_FOR_PERCENT:
            # S(t) over S(0): nobody is censored before the events of day 0.
            text += say("survival.of_the_rest", n=others, value=percent(at * c.counts.n / others))
        told.append((c, text))
    when = time_in_words(study, time)
    text = say("survival.at_origin", time=when, parts=_labelled(results, told))
    counts = [x for c in results.cohorts for x in (c.n_at_origin, c.counts.n - c.n_at_origin)]
    disclosed = told_of.beside_totals(results, counts, "time")
    return [Note("info", text, disclosed)]


def _fragility(results: Results) -> list[Note]:
    """How many changed outcomes would close, or open, the gap at the chosen time."""
    notes, time = [], time_in_words(results.study, results.view.time)
    for x in results.comparisons:
        known = [f for f in x.fragility if f.n_changes is not None]
        if not known:
            continue
        parts = "; ".join(
            say(
                "survival.fragile_part",
                group=(x.comparator if f.in_reference else x.cohort).label,
                n=f.n_changes,
            )
            for f in known
        )
        key = "fragile_closes" if known[0].excluded_zero else "fragile_opens"
        lost = known[0].censored_before or (0, 0)
        beside = ", ".join(
            say("share.named", group=g.label, told=n)
            for g, n in zip((x.comparator, x.cohort), lost, strict=True)
        )
        difference = x.difference_at(results.view.time)
        told = {"value": points(difference.estimate or 0.0), "limits": points_limits(difference)}
        text = say(f"survival.{key}", time=time, parts=parts, unknown=beside, **told)
        notes.append(Note("info", text, told_of.chosen_time(results)))
    return notes
