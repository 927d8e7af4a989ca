"""Groups by something known only after time zero: transplant, MRD at a time point, infusions.

Never a plain Kaplan-Meier by what happened later: from a landmark on, or in time with a model that
moves everybody on the own day.
"""

from collections.abc import Callable, Iterator

from analysis import survival_later_disclosed as told_of
from analysis.answer import Answer, Disclosed, Note
from analysis.compose import Page
from analysis.follow_up_guards import is_thin
from analysis.measures import threshold_label
from analysis.stats.counts import at_risk_table
from analysis.stats.estimate import Estimate
from analysis.survival_later_figures import landmark_figures, origin_of, time_figures
from analysis.survival_later_model import ALL, Later, Scope, Side, endpoint_of, later_of
from analysis.survival_later_numbers import landmark_numbers, time_numbers
from analysis.survival_later_tables import landmark_tables, ratio_told, time_tables
from analysis.survival_later_time import Changing
from analysis.survival_tables import FADE_BELOW
from analysis.wording import percent, percent_limits, points, points_limits, time_in_words
from trial.words import say

TIME_DEPENDENT, MILESTONE = "time_dependent", "milestone"


def _side(side: Side, days: float) -> str:
    """61.2 % (50.1 to 70.6; 12 events in 40)."""
    found, told = side.at(days), {"events": side.events_by(days), "n": side.n}
    if found.estimate is None:
        return say("later.side_none", reason=found.reason, **told)
    limits = percent_limits(found) if found.lower is not None else found.reason
    return say("later.side", value=percent(found.estimate), limits=limits, **told)


def _part(scope: Scope, days: float) -> str:
    """One group in the headline; of all together, if they are not compared, only why."""
    if scope.refused:
        return say("later.part_refused", group=scope.label, reason=scope.refused)
    found, (first, other) = scope.difference(days), scope.pair
    if found.estimate is None:
        difference = say("later.no_difference", reason=found.reason)
    else:
        limits = points_limits(found) if found.lower is not None else found.reason
        difference = say("later.difference", value=points(found.estimate), limits=limits)
    told = {"other": _side(other, days), "first": _side(first, days)}
    return say("later.part", group=scope.label, difference=difference, **told)


def _other_endpoint(later: Later) -> list[str]:
    """That another endpoint is shown than the view's, if so."""
    asked = later.on.study.endpoint(later.on.view.endpoint)
    if asked.code == later.endpoint.code:
        return []
    return [say("later.other_endpoint", asked=asked.label, endpoint=later.endpoint.label)]


def _empty(later: Later) -> list[str]:
    """The groups that have nobody to be told of."""
    origin = origin_of(later)
    return [say("later.empty", group=g.label, origin=origin) for g in later.empty]


def _landmark_headline(later: Later) -> str:
    told = {"endpoint": later.endpoint.label, "day": later.day, "origin": origin_of(later)}
    if not any(scope.n for scope in later.scopes):
        return "\n".join([say("later.all_gone", **told), *_other_endpoint(later)])
    first, other = later.scopes[0].pair
    told |= {"first": first.label, "other": other.label}
    time = time_in_words(later.on.study, later.on.view.time)
    shown = [_part(scope, later.days) for scope in later.scopes if later.is_shown(scope)]
    parts = "; ".join(shown + _empty(later))
    caveat = say(f"later.caveat_{later.split.kind}", of=later.of)
    text = say("later.headline", time=time, parts=parts, **told)
    return "\n".join([text, caveat, *_other_endpoint(later)])


def _parts_of(later: Later, count: Callable[[Scope], int]) -> str:
    """How many of each group, of those with a time; empty if nobody."""
    parts = []
    for scope in later.scopes:
        if scope.code != ALL and (n := count(scope)):
            parts.append(say("later.gone_part", n=n, of=scope.n_timed, group=scope.label))
    return ", ".join(parts)


def _left_notes(later: Later) -> list[Note]:
    """Who is in no group of the figure."""
    notes, sizes = [], told_of.sizes(later)
    if parts := _parts_of(later, lambda scope: scope.n_dropped):
        text = say("later.gone", day=later.day, parts=parts)
        notes.append(Note("warning", text, sizes))
    if parts := _parts_of(later, lambda scope: scope.n_in_doubt):
        notes.append(Note("warning", say("later.in_doubt", of=later.of, parts=parts), sizes))
    return [*notes, *_doubtful(later)] if later.split.kind == "timepoint" else notes


def _doubtful(later: Later) -> list[Note]:
    """Of how many without a result a quarantined row might tell one."""
    parts, counts = [], []
    for group in later.groups:
        n, of = later.without_result(group)
        counts += [n, of - n]
        if n:
            parts.append(say("later.gone_part", n=n, of=of, group=group.label))
    if not parts:
        return []
    text = say("later.doubt_known", parts=", ".join(parts))
    return [Note("warning", text, Disclosed(tuple(counts), "later/doubt"))]


def _stays(later: Later) -> Note:
    """What the groups are, and that they stay."""
    kind, told = later.split.kind, {"day": later.day, "of": later.of}
    if kind == "infusion":
        return Note("info", say("later.stays_infusion", origin=origin_of(later), **told))
    if kind == "timepoint":
        by = later.on.view.mrd
        threshold = threshold_label(by) if by else say("response.own_limit")
        return Note("info", say("later.stays_timepoint", threshold=threshold, **told))
    return Note("info", say("later.stays", **told))


def _apart(later: Later) -> list[Note]:
    """Cells that are counted apart, of the infusions that the course rule names."""
    rule = later.on.study.response
    course = rule.course if rule else None
    if later.split.kind != "infusion" or course is None or course.cells != later.split.of:
        return []
    if not course.cells_not_after:
        return []
    label = later.on.study.milestone_label(course.cells_not_after)
    return [Note("info", say("later.apart", milestone=label))]


def _moved(later: Later) -> list[Note]:
    """In how many of the first level it happened after the landmark."""
    parts = [
        say("later.moved_part", n=scope.n_later, of=scope.pair[0].n, group=scope.label)
        for scope in later.scopes
        if scope.code != ALL and scope.n_later
    ]
    if not parts:
        return []
    text = say("later.moved", of=later.of, day=later.day, parts=", ".join(parts))
    return [Note("warning", text, told_of.sizes(later))]


def _thin(later: Later) -> list[Note]:
    """Few at risk at the chosen time, since others were not followed so long."""
    parts = [
        say("later.thin_part", group=scope.label, level=side.label)
        for scope in filter(later.is_shown, later.scopes)
        for side in scope.sides
        if scope.at(side, later.days).estimate is not None
        and is_thin(at_risk_table(side.counts, (later.days,))[0])
    ]
    return _thin_note(later, parts, told_of.at_time(later, later.on.view.time))


def _thin_note(later: Later, parts: list[str], disclosed: Disclosed) -> list[Note]:
    if not parts:
        return []
    time = time_in_words(later.on.study, later.on.view.time)
    key = "later.thin_time" if later.on.view.by == TIME_DEPENDENT else "later.thin"
    text = say(key, time=time, day=later.day, n=FADE_BELOW, parts=", ".join(parts))
    return [Note("warning", text, disclosed)]


def _pooled(later: Later, refused: str, disclosed: Disclosed) -> list[Note]:
    """What all together mix; or why they are not compared."""
    if refused:
        return [Note("warning", say("later.not_pooled", reason=refused), disclosed)]
    if not later.has_all:
        return []
    kind = "info" if later.on.study.randomised else "warning"
    return [Note(kind, say("later.pooled", split=later.split.label))]


def _shared_notes(later: Later) -> list[Note]:
    """What every look at a split has to say."""
    kind, told = later.split.kind, {"of": later.of}
    notes = [Note("info", say(f"later.immortal_{kind}", **told))]
    if kind == MILESTONE:
        notes.insert(0, Note("info", say("later.two_ways", **told)))
    n = sum(len(s.days) * len(s.endpoint_codes) for s in later.on.study.survival.splits)
    return [*notes, Note("info", say("later.looks", n=n))]


def _landmark_notes(later: Later) -> list[Note]:
    notes = [*_left_notes(later), *_moved(later), *_thin(later)]
    notes += _pooled(later, later.scopes[-1].refused, told_of.sizes(later))
    return [*notes, _stays(later), *_apart(later), *_shared_notes(later)]


def _landmark(later: Later) -> Answer:
    headline = _landmark_headline(later)
    shown = (told_of.sizes(later), told_of.at_time(later, later.on.view.time))
    return later.on.answer(
        headline,
        _landmark_notes(later),
        landmark_figures(later, headline),
        landmark_tables(later),
        lambda: landmark_numbers(later),
        headline_disclosed=shown,
    )


def _part_in_time(one: Changing) -> str:
    """ALL-REZ 2014 0.47 (0.21 to 1.04; 22 events in 40 after it, 21 in 62 before it)."""
    n_before, n_after, before, after = one.counted
    told = {"before": before, "n_before": n_before, "after": after, "n_after": n_after}
    counted, found = say("later.counted", **told), one.hazard_ratio
    if found.estimate is None:
        return say("later.part_no_time", group=one.label, reason=found.reason, counted=counted)
    limits = found.reason if found.lower is None else _limits(found)
    value = f"{found.estimate:.2f}"
    return say("later.part_time", group=one.label, value=value, limits=limits, counted=counted)


def _limits(found: Estimate) -> str:
    return say("value.limits", lower=f"{found.lower:.2f}", upper=f"{found.upper:.2f}")


def _headline_in_time(later: Later) -> str:
    parts = [_part_in_time(one) for one in later.changing if later.is_shown(one)]
    for one in later.changing:
        if one.strata and not one.few:
            parts.append(say("later.within", ratio=ratio_told(one.stratified)))
    told = {"endpoint": later.endpoint.label, "origin": origin_of(later), "of": later.of}
    text = say("later.headline_time", parts="; ".join(parts + _empty(later)), **told)
    caveat = say("later.caveat_milestone", of=later.of)
    return "\n".join([text, caveat, *_other_endpoint(later)])


def _thin_levels(later: Later, one: Changing) -> Iterator[str]:
    """Curves in time with few; who changes leaves the first like one who was last seen."""
    found = one.curves
    if isinstance(found, str):
        return
    for is_after, level, km in ((False, "before", found.before), (True, "after", found.after)):
        (row,) = at_risk_table(km.counts, (later.days,))
        if one.at(is_after, later.days).estimate is not None and is_thin(row):
            yield say(f"later.{level}", of=later.of)


def _thin_in_time(later: Later) -> list[Note]:
    parts, counts = [], []
    for one in filter(later.is_shown, later.changing):
        for level in _thin_levels(later, one):
            parts.append(say("later.thin_part", group=one.label, level=level))
            counts += told_of.curves(later, one).counts
    return _thin_note(later, parts, Disclosed(tuple(counts), "later/in_time"))


def _notes_in_time(later: Later) -> list[Note]:
    notes, told = [], told_of.model(later)
    parts = [
        say("later.gone_part", n=one.n_in_doubt, of=one.n + one.n_in_doubt, group=one.label)
        for one in later.changing
        if one.code != ALL and one.n_in_doubt
    ]
    if parts:
        text = say("later.in_doubt", of=later.of, parts=", ".join(parts))
        notes.append(Note("warning", text, told))
    notes.append(Note("warning", say("later.not_fixed", of=later.of)))
    for one in later.changing:
        if isinstance(one.curves, str) and later.is_shown(one) and not one.few:
            text = say("later.no_curves", group=one.label, reason=one.curves)
            notes.append(Note("info", text))
    notes += _thin_in_time(later) + _pooled(later, later.changing[-1].few, told)
    return [*notes, Note("info", say("later.model", of=later.of)), *_shared_notes(later)]


def _in_time(later: Later) -> Answer:
    headline = _headline_in_time(later)
    return later.on.answer(
        headline,
        _notes_in_time(later),
        time_figures(later, headline),
        time_tables(later),
        lambda: time_numbers(later),
        headline_disclosed=(told_of.model(later),),
    )


def later_answer(on: Page) -> Answer:
    """The split of a view, from a landmark on or in time.

    A sentence where nobody has a time of the endpoint, where its times come ready made, and where
    what is asked cannot be looked at in time.
    """
    split = on.study.survival.split(on.view.split)
    endpoint = endpoint_of(on, split)
    is_in_time = on.view.by == TIME_DEPENDENT
    if is_in_time and split.kind != MILESTONE:
        return on.answer(say("later.only_milestone", split=split.label), [], (), (), ())
    if endpoint.is_finished:
        return on.answer(say("later.finished", endpoint=endpoint.label), [], (), (), ())
    later = later_of(on)
    if later.timed(later.day).is_empty():
        told = {"population": on.population, "endpoint": endpoint.label}
        return on.answer(say("later.nobody", **told), [], (), (), ())
    return _in_time(later) if is_in_time else _landmark(later)
