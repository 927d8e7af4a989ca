"""Screens: one page a question. Each file is an outline: frame, controls, answer."""
