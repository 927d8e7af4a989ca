"""The parts of the response page beneath its head: one is open, and only that is worked out."""

from collections.abc import Callable

from analysis.answer import Answer
from analysis.compose import Page, page
from analysis.courses import course_numbers
from analysis.link import View
from analysis.patients import patients_answer
from analysis.response import is_judged
from analysis.response_courses import courses_answer
from analysis.response_flow import flow_answer
from analysis.response_lens import lens_answer
from analysis.response_subgroups import subgroups_answer
from warehouse.query import Snapshot

ANSWERS: dict[str, Callable[[Page], Answer]] = {
    "lens": lens_answer,
    "courses": courses_answer,
    "flow": flow_answer,
    "subgroups": subgroups_answer,
}


def response_part(snapshot: Snapshot, view: View, wanted: str = "") -> Answer | None:
    """The answer of the part that is open; None where the head has said that there is nothing.

    `wanted` is the patient whom a clinician asks about.
    """
    on = page("response", snapshot, view)
    if on.study.response is None or not view.part:
        return None
    if view.part != "courses" and (on.is_empty or not is_judged(on)):
        return None
    if view.part == "patients":
        return patients_answer(on, wanted)
    return ANSWERS[view.part](on)


def offered_courses(snapshot: Snapshot, view: View) -> tuple[str, ...]:
    """The numbers of courses there are, with the chosen one."""
    found = course_numbers(page("response", snapshot, view))
    return tuple(sorted({*found, view.course}))
