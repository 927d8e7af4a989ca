"""Colours, line types and shapes, by role: the same cohort looks the same in every picture.

A role is the position of a cohort in the study definition. Marks have one luminance for all,
4.25 : 1 on white and on the dark page alike (no colour reaches 4.5 on both); line type and shape
repeat the colour for those who do not see it. Text that carries no colour of a cohort is drawn as
a label of an axis wherever it can be: the page gives those the colour of its theme.
"""

from collections.abc import Sequence

BLACK, WHITE = "#000000", "#ffffff"
COLOURS = ("#377cd0", "#ce5605", "#198b65", "#8d66cf", "#d04491", "#7b7b7b")
DASHES = ([1, 0], [7, 3], [2, 3], [10, 3, 2, 3], [4, 2], [1, 2])
SHAPES = ("circle", "diamond", "square", "triangle-up", "cross", "triangle-down")
# Readable on both pages, for what belongs to no cohort: grid, zero line, words.
NEUTRAL = "#7b7b7b"
GRID_OPACITY = 0.28
# Areas on one another, from the bottom up: dark and light take turns, so that neighbours stay
# apart without colour; a thin line between them does the rest.
STATES = ("#2c72b0", "#f0c04a", "#a63f0a", "#cf7fb0", "#452569", "#9fdcf5", "#6b6b6b", "#dcdcd4")
# What became known of a patient, and what did not. Light and dark take turns in the order in which
# classes stand beside one another (MRD, remission): neighbours stay apart without colour.
TONES = {
    "good": "#3fa796",
    "between": "#f7e2a0",
    "bad": "#86183f",
    "died": "#d5cbe3",
    "ended": "#9a86ad",
    "failed": "#e3e1d8",
    "unsampled": "#959595",
    "early": "#d5e3ee",
    "doubt": "#565656",
    "unknown": "#d9d9d2",
    "plain": "#8fa3b8",
}
# Classes of a measure to their tones: the same class looks the same under every definition.
CLASS_TONES = {
    "negative": "good",
    "indeterminate": "between",
    "positive": "bad",
    "not_evaluable": "failed",
    "not_sampled": "unsampled",
    "too_early": "early",
    "in_doubt": "doubt",
    "died": "died",
    "not_reached": "ended",
    "remission": "good",
    "other_remission": "between",
    "non_response": "bad",
    "early_death": "ended",
}
# What became of everybody before a block, and of everybody at last. Those that stand beside one
# another differ in lightness.
LEFT_BEFORE = {
    "documented": "#3fa796",
    "undocumented": "#e3e1d8",
    "later_block": "#8d66cf",
    "relapsed": "#f0c04a",
    "next_line": "#a63f0a",
    "died": TONES["died"],
    "ongoing": "#5b94ca",
    "in_doubt": TONES["doubt"],
}
DEATHS = {
    "alive": "#3fa796",
    "early": "#f7e2a0",
    "with_disease": "#86183f",
    "in_remission": "#d5cbe3",
    "in_remission_after_transplant": "#6a4fa3",
    "after_second_malignancy": "#f0c04a",
    "unknown": "#6b6b6b",
}
CLASS_COLOURS = {c: TONES[tone] for c, tone in CLASS_TONES.items()} | LEFT_BEFORE | DEATHS
# Blocks of treatment along a lane, by position; dark and light take turns.
BLOCKS = (
    "#2c72b0",
    "#f0c04a",
    "#7a3f98",
    "#9fdcf5",
    "#a63f0a",
    "#a8d5a2",
    "#452569",
    "#f2a7b8",
    "#1d6b57",
    "#d8c7a9",
    "#6b6b6b",
    "#dcdcd4",
)
# Marks on a lane by code: shape (a name, or a path around its middle) and colour.
_UPRIGHT = "M-0.35,-1L0.35,-1L0.35,1L-0.35,1Z"
_CROSSED = (
    "M-1,-0.65L-0.65,-1L0,-0.35L0.65,-1L1,-0.65L0.35,0"
    "L1,0.65L0.65,1L0,0.35L-0.65,1L-1,0.65L-0.35,0Z"
)
_STAR = (
    "M0,-1.1L0.26,-0.36L1.05,-0.34L0.42,0.14L0.65,0.89L0,0.44L-0.65,0.89L-0.42,0.14"
    "L-1.05,-0.34L-0.26,-0.36Z"
)
MARKS = {
    "remission": ("circle", "#16917c"),
    "mrd_negative": ("triangle-down", "#16917c"),
    "mrd_positive": ("triangle-up", "#d0365f"),
    "cells": (_UPRIGHT, "#8d66cf"),
    "transplant": ("square", "#377cd0"),
    "relapse": ("diamond", "#ce5605"),
    "death": (_CROSSED, NEUTRAL),
    "second_malignancy": (_STAR, "#d04491"),
}
# Those of other codes, that a study brings: shapes that none of the above has.
OTHER_MARKS = ("cross", "triangle-left", "wedge")
# A heat map: one hue, from light to dark; the cell's text is dark below `HEAT_WHITE_ABOVE` of the
# scale and white from there on.
HEAT = ("#ece2f0", "#4d1f63")
HEAT_WHITE_ABOVE = 0.61
HEAT_TEXT = (BLACK, WHITE)
# Differences: blue below zero, brown above, nearly white at zero; each side of the same lightness
# at the same distance. White text from `DIVERGING_WHITE_ABOVE` of a side on.
DIVERGING = ("#1f5fa6", "#f0eee9", "#9c4a06")
DIVERGING_WHITE_ABOVE = 0.835


def colour(role: int) -> str:
    """The colour of a role; beyond the sixth they begin again."""
    return COLOURS[role % len(COLOURS)]


def dash(role: int) -> list[int]:
    """The line type of a role; shifted where colours begin again, so that no two look the same."""
    return DASHES[(role + role // len(COLOURS)) % len(DASHES)]


def shape(role: int) -> str:
    """The shape of a role's dots; shifted where colours begin again."""
    return SHAPES[(role + role // len(COLOURS)) % len(SHAPES)]


def marks(codes: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Shape and colour of each code on a lane; no two look the same, of up to 18 unknown ones."""
    others = [code for code in codes if code not in MARKS]
    free = {
        code: (OTHER_MARKS[k // len(COLOURS) % len(OTHER_MARKS)], colour(k))
        for k, code in enumerate(others)
    }
    return {code: MARKS.get(code) or free[code] for code in codes}


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, 0 black to 1 white. Source: WCAG 2.1."""
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21. Source: WCAG 2.1."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def text_on(colour: str) -> str:
    """Black or white, whichever is read better on a colour."""
    return max((BLACK, WHITE), key=lambda text: contrast(text, colour))
