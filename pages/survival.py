"""Survival: who lived, how long, and the difference between the cohorts."""

import streamlit as st

from analysis.wording import time_in_words
from pages.frame import figures, notes, open_page, select, table, toggle
from trial.words import say

opened, found = open_page("survival")
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

figures(found)

for shown in found.tables:
    if shown.code not in ("at_risk", "curve"):
        table(shown)

notes(found)
