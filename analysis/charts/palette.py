"""Colours, line types and shapes, by role: the same cohort looks the same in every picture.

A role is the position of a cohort in the study definition. Marks have one luminance for all,
4.25 : 1 on white and on the dark page alike (no colour reaches 4.5 on both); line type and shape
repeat the colour for those who do not see it. Text that carries no colour of a cohort is drawn as
a label of an axis wherever it can be: the page gives those the colour of its theme.
"""

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
# A heat map: one hue, from light to dark; the cell's text is dark below `HEAT_WHITE_ABOVE` of the
# scale and white from there on.
HEAT = ("#ece2f0", "#4d1f63")
HEAT_WHITE_ABOVE = 0.61
HEAT_TEXT = (BLACK, WHITE)


def colour(role: int) -> str:
    """The colour of a role; beyond the sixth they begin again."""
    return COLOURS[role % len(COLOURS)]


def dash(role: int) -> list[int]:
    """The line type of a role; shifted where colours begin again, so that no two look the same."""
    return DASHES[(role + role // len(COLOURS)) % len(DASHES)]


def shape(role: int) -> str:
    """The shape of a role's dots; shifted where colours begin again."""
    return SHAPES[(role + role // len(COLOURS)) % len(SHAPES)]


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
