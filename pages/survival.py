"""Survival: who lived, how long, and the difference between the cohorts."""

import streamlit as st

from analysis.link_survival import LATER_BY, SCALES, WEIGHTS, survival_parts
from analysis.questions import Opened, part_answer
from analysis.survival_endpoints_results import listed
from analysis.wording import time_in_words
from pages.frame import (
    choose,
    figures,
    headline,
    lead_to,
    notes,
    open_page,
    select,
    table,
    tables,
    toggle,
)
from trial.words import say

NARROW = 260


def _controls(opened: Opened) -> None:
    study, view = opened.snapshot.study, opened.view
    endpoint = study.endpoint(view.endpoint)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        endpoints = {e.code: e.label for e in study.endpoints}
        times = {f"{t:g}": time_in_words(study, t) for t in study.milestone_times}
        taus = {f"{t:g}": time_in_words(study, t) for t in endpoint.rmst_taus}
        select("endpoint", say("survival.endpoint"), endpoints, view.endpoint)
        select("time", say("survival.time"), times, f"{view.time:g}")
        if endpoint.kind == "survival":
            select("tau", say("survival.tau"), taus, f"{view.tau:g}")
        if endpoint.kind != "states":
            toggle("bands", say("survival.bands"), view.bands)
        if endpoint.kind == "survival":
            toggle("marks", say("survival.marks"), view.marks)
            if view.published:
                toggle("published", say("survival.published"), view.published == "yes")


def _part_controls(opened: Opened) -> None:
    """What the open part can be asked."""
    study, view = opened.snapshot.study, opened.view
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if view.look == "later":
            splits = {s.code: s.label for s in study.survival.splits}
            select("split", say("look.split"), splits, view.split, NARROW)
            ways = {way: say(f"by_choice.{way}") for way in LATER_BY}
            select("by", say("look.by"), ways, view.by, NARROW)
            if view.by == "landmark":
                days = sorted(study.survival.split(view.split).days)
                told = {str(day): say("look.day_of", day=day) for day in days}
                select("day", say("look.day"), told, view.day, NARROW)
        if view.look == "fair":
            kinds = {x: say(f"weights_choice.{x}") for x in WEIGHTS}
            select("weights", say("look.weights"), kinds, view.weights, NARROW)
        if view.look == "subgroups":
            scales = {x: say(f"scale_choice.{x}") for x in SCALES}
            select("scale", say("look.scale"), scales, view.scale, NARROW)


opened, found = open_page("survival", _controls)
study, view = opened.snapshot.study, opened.view

figures(found)

for shown in found.tables:
    if shown.code not in ("at_risk", "curve"):
        table(shown)

notes(found)

if view.look and any(c.n_population or c.is_withheld for c in found.cohorts):
    st.markdown(f"#### {say('survival.more')}")
    parts = {code: say(f"look.{code}") for code in survival_parts(study)}
    choose("look", say("survival.more"), parts, view.look)
    _part_controls(opened)
    if part := part_answer(opened.snapshot, view):
        headline(part)
        if view.look == "endpoints":
            curves = {e.code: e.abbreviation for e in listed(study, view)}
            lead_to("endpoint", say("look.curves"), curves, view.endpoint)
        figures(part)
        tables(part)
        notes(part)
