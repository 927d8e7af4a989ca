"""What an event-free time failed of, by group: first events at one time, adding to 100 %.

The study's first endpoint of kind states says what the components are. They compete, so none is
tested or subtracted by itself.
"""

from analysis.answer import Answer, Note
from analysis.compose import Page
from analysis.incidence_follow_up import follow_up_notes, follow_up_of
from analysis.incidence_results import incidence_results
from analysis.survival_components_after import afterwards
from analysis.survival_components_shown import (
    Components,
    component_figure,
    component_numbers,
    component_table,
    not_shown,
)
from analysis.survival_components_split import after_figures, after_numbers, after_table
from analysis.wording import percent
from trial.words import say


def _headline(of: Components) -> str:
    labels = [of.no_event, *map(of.label, of.endpoint.states)]
    parts = []
    for g in of.found:
        told = of.shares(g)
        if isinstance(told, str):
            counted = {"cohort": g.group.label, "n": g.n, "reason": told}
            parts.append(say("components.cohort_none", **counted))
            continue
        shares = ", ".join(
            say("components.share", state=label, value=percent(share))
            for label, share in zip(labels, told, strict=True)
        )
        parts.append(say("components.cohort", cohort=g.group.label, n=g.n, shares=shares))
    return say("components.headline", time=of.when, parts="; ".join(parts))


def _parts(pairs: list[tuple[str, str]]) -> str:
    return "; ".join(say("components.few", group=label, reason=reason) for label, reason in pairs)


def _notes(of: Components) -> list[Note]:
    notes = follow_up_notes(of.follow_up)
    if missing := not_shown(of):
        text = say("components.not_shown", parts=_parts(missing))
        notes.append(Note("warning", text, of.disclosed))
    after = zip(of.found, of.after, strict=False)
    if absent := [(g.group.label, a) for g, a in after if isinstance(a, str)]:
        text = say("components.after_none", parts=_parts(absent))
        notes.append(Note("info", text, of.disclosed))
    key = "components.note_randomised" if of.on.study.randomised else "components.note"
    return [*notes, Note("info", say(key))]


def components_answer(on: Page) -> Answer:
    """The components of a view; where nobody has a time of the endpoint, a sentence.

    Raises StopIteration for a study without an endpoint of kind states: it is not offered there.
    """
    endpoint = next(e for e in on.study.endpoints if e.kind == "states")
    found = incidence_results(on, endpoint)
    if not any(g.n for g in found):
        text = say("components.none", endpoint=endpoint.label, population=on.population)
        return on.answer(text, [], (), (), ())
    follow_up = follow_up_of(on, endpoint, found)
    of = Components(on, endpoint, found, afterwards(on, endpoint, found), follow_up)
    headline = _headline(of)
    return on.answer(
        headline,
        _notes(of),
        (*component_figure(of, headline), *after_figures(of, headline)),
        (component_table(of), after_table(of)),
        lambda: (*component_numbers(of), *after_numbers(of)),
        headline_disclosed=(of.disclosed,),
    )
