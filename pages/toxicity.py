"""Toxicity: what each treatment block costs, over those who started it."""

import streamlit as st

from analysis.disclosure import is_clinician
from analysis.link import (
    CLOSED,
    COURSES,
    LEAST,
    OPEN,
    ORDERS,
    UNITS,
    items_of_study,
    toxicity_parts,
)
from analysis.questions import Opened, part_answer
from analysis.toxicity_items import code_of, kind_of
from analysis.wording import grade_label
from pages.frame import (
    choose,
    figures,
    headline,
    notes,
    open_page,
    search,
    select,
    tables,
    toggle,
)
from trial.study import Study
from trial.words import say

NARROW = 200


def item_labels(study: Study) -> dict[str, str]:
    """What every item is called, in a list to choose from."""
    toxicity, labels = study.toxicity, {}
    for item in items_of_study(study):
        kind, code = kind_of(item), code_of(item)
        if kind == "category":
            labels[item] = toxicity.category(code).label
        else:
            labels[item] = toxicity.term(code).label if kind == "term" else say(f"toxicity.{kind}")
    return labels


def _controls(opened: Opened) -> None:
    study, view = opened.snapshot.study, opened.view
    if not view.block:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        blocks = {b.code: b.label for b in study.blocks}
        grades = {str(g): grade_label(study, g) for g in sorted(study.toxicity.grades)}
        graded = say("toxicity.severity" if study.toxicity.steps else "toxicity.grade")
        select("block", say("toxicity.block"), blocks, view.block, NARROW)
        select("grade", graded, grades, str(view.grade), NARROW)
        units = {code: say(f"unit_choice.{code}") for code in UNITS}
        select("unit", say("toxicity.unit"), units, view.unit, NARROW)
        orders = {code: say(f"order_choice.{code}") for code in ORDERS}
        select("order", say("toxicity.order"), orders, view.order, NARROW)
        opens = {code: say(f"open_choice.{code}") for code in (CLOSED, OPEN)}
        opens |= {c.code: c.label for c in study.toxicity.categories}
        if view.open not in opens:
            opens[view.open] = ", ".join(opens[code] for code in view.open.split(","))
        select("open", say("toxicity.open"), opens, view.open, NARROW)
        if view.unit == UNITS[0]:
            least = {x: say("toxicity.least_choice", least=x) for x in LEAST}
            least["0"] = say("toxicity.least_any")
            select("least", say("toxicity.least"), least, view.least, NARROW)
        search("find", say("toxicity.find"), say("toxicity.find_help"), view.find, NARROW)
        if any(not c.is_default for c in study.toxicity.categories):
            toggle("extra", say("toxicity.extra"), view.extra)


opened, found = open_page("toxicity", _controls)
study, view = opened.snapshot.study, opened.view

figures(found)
tables(found)
notes(found)

if view.more and any(c.n_population or c.is_withheld for c in found.cohorts):
    st.markdown(f"#### {say('toxicity.more')}")
    # Rows one by one are for clinicians: others are not offered what they would be refused.
    refused = set() if is_clinician() else {"list"} - {view.more}
    parts = {x: say(f"more.{x}") for x in toxicity_parts(study) if x not in refused}
    choose("more", say("toxicity.more"), parts, view.more)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if view.more in ("compare", "time", "list"):
            select("item", say("toxicity.item"), item_labels(study), view.item, 2 * NARROW)
        if view.more == "time":
            numbers = {n: n for n in COURSES}
            select("nth", say("toxicity.nth"), numbers, view.nth, NARROW)
    if part := part_answer(opened.snapshot, view):
        headline(part)
        figures(part)
        tables(part)
        notes(part)
