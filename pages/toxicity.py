"""Toxicity: what each treatment block costs, over those who started it."""

import streamlit as st

from analysis.wording import grade_label
from pages.frame import figures, notes, open_page, select, table, toggle
from trial.words import say

opened, found = open_page("toxicity")
study, view = opened.snapshot.study, opened.view

if view.block:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        blocks = {b.code: b.label for b in study.blocks}
        grades = {str(g): grade_label(study, g) for g in sorted(study.toxicity.grades)}
        graded = say("toxicity.severity" if study.toxicity.steps else "toxicity.grade")
        select("block", say("toxicity.block"), blocks, view.block)
        select("grade", graded, grades, str(view.grade))
        toggle("extra", say("toxicity.extra"), view.extra)

figures(found)
for shown in found.tables:
    table(shown)
notes(found)
