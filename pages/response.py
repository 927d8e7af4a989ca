"""Response: who went into remission, who became MRD negative, and where the others went."""

import streamlit as st

from analysis.link import MISSING_RULES
from pages.frame import figures, headline, notes, open_page, select, table
from trial.words import say

opened, found = open_page("response")
study, view = opened.snapshot.study, opened.view

headline(found)

if study.response:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rules = {code: say(f"missing_choice.{code}") for code in MISSING_RULES}
        if view.timepoint:
            points = {p.code: p.label for p in study.timepoints}
            limits = {f"{t:g}": f"{100 * t:g} %" for t in study.response.thresholds}
            select("timepoint", say("response.timepoint"), points, view.timepoint)
            select("mrd", say("response.threshold"), limits, f"{view.mrd:g}")
        select("missing", say("response.missing"), rules, view.missing)

figures(found)
for shown in found.tables:
    table(shown)
notes(found)
