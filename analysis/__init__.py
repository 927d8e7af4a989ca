"""Answers: one module a question. Selection in, Answer out; knows nothing of streamlit."""
