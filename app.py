"""The front door: what is loaded, and a link to each page of it. Pages stand on their own."""

import streamlit as st

from analysis.link import PAGES, default_view
from analysis.questions import choices
from pages.frame import page_link, plain
from trial.words import say

st.set_page_config(page_title=say("app.title"), layout="centered")
st.title(say("app.title"))
st.write(say("app.about"))

offered = [choice.snapshot for choice in choices() if choice.is_current]
if not offered:
    st.markdown(say("app.empty"))

for snapshot in offered:
    st.subheader(plain(snapshot.study.label))
    st.caption(plain(snapshot.study.notice))
    with st.container(horizontal=True):
        for page in PAGES:
            page_link(default_view(page, snapshot.snapshot_id, snapshot.study), say(f"page.{page}"))
