"""Response: who went into remission, who became MRD negative, and where the others went."""

import streamlit as st

from analysis.disclosure import is_clinician
from analysis.link import (
    DENOMINATORS,
    EFFECTS,
    EVERYBODY,
    MISSING_RULES,
    SORTS,
    WINDOWS,
    classes_of,
    response_parts,
    thresholds,
)
from analysis.measures import class_label, point_labels, threshold_label
from analysis.questions import Opened, part_answer
from analysis.response_parts import offered_courses
from pages.frame import (
    choose,
    figures,
    find,
    headline,
    listing,
    notes,
    open_page,
    select,
    tables,
)
from trial.words import say

NARROW = 240


def _controls(opened: Opened) -> None:
    study, view = opened.snapshot.study, opened.view
    if rule := study.response:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            points = point_labels(study)
            if len(points) > 1:
                select("timepoint", say("response.timepoint"), points, view.timepoint)
            if len(rule.definitions) > 1:
                definitions = {d.code: d.label for d in rule.definitions}
                select("definition", say("response.definition"), definitions, view.definition)
            if view.mrd:
                limits = {t: threshold_label(t) for t in thresholds(study)}
                select("mrd", say("response.threshold"), limits, view.mrd)
            whom = {code: say(f"denominator_choice.{code}") for code in DENOMINATORS}
            select("denominator", say("response.denominator"), whom, view.denominator)
            rules = {code: say(f"missing_choice.{code}") for code in MISSING_RULES}
            select("missing", say("response.missing"), rules, view.missing)


opened, found = open_page("response", _controls)
study, view = opened.snapshot.study, opened.view
rule = study.response

figures(found)
notes(found)

if view.part:
    course = rule.course if rule else None
    block = study.block(course.block_code).label if course else ""
    parts = {code: say(f"part.{code}", block=block) for code in response_parts(study)}
    st.markdown(f"#### {say('part.title')}")
    choose("part", say("part.title"), parts, view.part)
    wanted = ""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if view.part == "subgroups":
            effects = {code: say(f"effect_choice.{code}") for code in EFFECTS}
            select("effect", say("response.effect"), effects, view.effect, NARROW)
        if view.part == "courses":
            numbers = {n: n for n in offered_courses(opened.snapshot, view)}
            select("course", say("courses.course"), numbers, view.course, NARROW)
        if view.part == "patients" and is_clinician():
            classes = {code: class_label(study, code) for code in classes_of(view.timepoint)}
            everybody = {EVERYBODY: say("patients.everybody")}
            select("who", say("patients.who"), everybody | classes, view.who, NARROW)
            sorts = {code: say(f"sort_choice.{code}") for code in SORTS}
            select("sort", say("patients.sort"), sorts, view.sort, NARROW)
            windows = {code: say(f"window_choice.{code}") for code in WINDOWS}
            select("window", say("patients.window"), windows, view.window, NARROW)
            wanted = find(say("patients.find"), say("patients.find_help"))
    if part := part_answer(opened.snapshot, view, wanted):
        headline(part)
        if wanted:
            listing(part.table("why"))
        figures(part)
        tables(part, but=("why",))
        notes(part)
