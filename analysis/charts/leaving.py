"""Whole groups by what became of them: before each block of treatment, and at last.

The bars of `classes`, closer together: many blocks stand above one another. A cohort is named once,
on top, and has its dot before each of its bars.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby

import altair as alt
import polars as pl

from analysis.charts import palette
from analysis.charts.classes import (
    AXIS_HEIGHT,
    Bar,
    Key,
    Part,
    class_keys,
    key_layers,
    keys_height,
    part_layers,
    percent_axis,
    words_axis,
    written,
)
from analysis.charts.dots import LINE, NUMBER_LETTER
from analysis.charts.labels import label_expr
from analysis.charts.layers import layered

# Pixels before a bar, where its cohort's dot stands; of a bar, from bar to bar, between blocks.
LEFT = 16
BAR = 16
LANE = 18
GAP = 10


def left_bar(
    block: str, group: str, role: int, counts: Mapping[str, int], labels: Mapping[str, str]
) -> Bar:
    """Everybody of a group before a block, by class: those of `palette.LEFT_BEFORE`.

    A class that is not counted is nobody. Raises ValueError for another class.
    """
    return _bar(block, group, role, counts, labels, palette.LEFT_BEFORE)


def death_bar(
    label: str, group: str, role: int, counts: Mapping[str, int], labels: Mapping[str, str]
) -> Bar:
    """Everybody of a group: alive, or dead by class, those of `palette.DEATHS`.

    A class that is not counted is nobody. Raises ValueError for another class.
    """
    return _bar(label, group, role, counts, labels, palette.DEATHS)


def _bar(
    label: str,
    group: str,
    role: int,
    counts: Mapping[str, int],
    labels: Mapping[str, str],
    classes: Mapping[str, str],
) -> Bar:
    if unknown := sorted(counts.keys() - classes.keys()):
        raise ValueError(f"{label}, {group}: no class {', '.join(unknown)}")
    parts = tuple(Part(c, labels.get(c, c), counts.get(c, 0)) for c in classes)
    return Bar(label, group, role, parts)


def _all_keys(bars: Sequence[Bar]) -> list[Key]:
    """The cohorts, then every class that anybody is in."""
    groups = {bar.group: bar.role for bar in bars}
    cohorts = [Key(g, palette.colour(role), palette.shape(role)) for g, role in groups.items()]
    return cohorts + list(class_keys(bars).values())


def _places(bars: Sequence[Bar]) -> tuple[dict[float, str], list[float], list[float]]:
    """The label under which bars follow one another by its y; of each bar that y and its own."""
    if not bars:
        raise ValueError("no bars to draw")
    labels, label_tops, tops = {}, [], []
    y = keys_height(_all_keys(bars))
    for label, mine in groupby(bars, key=lambda bar: bar.label):
        labels[y], first = written(label), y
        y += LINE + 2
        for _ in mine:
            label_tops.append(first)
            tops.append(y)
            y += LANE
        y += GAP
    return labels, label_tops, tops


def left_before_height(bars: Sequence[Bar]) -> int:
    """Pixels of the whole picture. Raises ValueError without a bar."""
    return _plot_height(_places(bars)[2]) + AXIS_HEIGHT


def _plot_height(tops: Sequence[float]) -> int:
    return round(tops[-1] + LANE + 2)


def left_before(bars: Sequence[Bar], axis_title: str) -> alt.LayerChart:
    """The bars in the order given; those that follow one another under one label share it.

    Each is the whole of its group; a bar of nobody is an empty frame. At the right end of a label
    stands each bar's N. Raises ValueError without a bar.
    """
    labels, label_tops, tops = _places(bars)
    height = _plot_height(tops)
    down = alt.Scale(domain=[0, height], reverse=True, nice=False, zero=False)
    names = label_expr({y: [text] for y, text in labels.items()}, 1)
    axis = words_axis(list(labels), (names, names), [0] * len(labels), "bold")
    y = alt.Y("y:Q", scale=down, axis=axis)
    across = alt.Scale(domain=[0, 1], nice=False, range=[LEFT, {"expr": "width"}])
    x = alt.X("x:Q", scale=across, axis=percent_axis(axis_title))
    layers = [*key_layers(_all_keys(bars), y), _dots(bars, tops, y)]
    layers += _sizes(bars, label_tops, y)
    layers += part_layers(bars, [(top, top + BAR) for top in tops], x, y, LEFT)
    return layered(layers, height)


def _dots(bars: Sequence[Bar], tops: Sequence[float], y: alt.Y) -> alt.Chart:
    """Before each bar the dot of its cohort."""
    frame = pl.DataFrame(
        {
            "y": [top + BAR / 2 for top in tops],
            "colour": [palette.colour(bar.role) for bar in bars],
            "shape": [palette.shape(bar.role) for bar in bars],
        }
    )
    dots = alt.Chart(frame).mark_point(filled=True, opacity=1, size=70)
    return dots.encode(
        x=alt.XValue(6),
        y=y,
        color=alt.Color("colour:N", scale=None),
        shape=alt.Shape("shape:N", scale=None),
        tooltip=alt.TooltipValue(None),
    )


def _sizes(bars: Sequence[Bar], label_tops: Sequence[float], y: alt.Y) -> list[alt.Chart]:
    """A column of N a cohort, at the right end of the labels' lines."""
    groups = list(dict.fromkeys(bar.group for bar in bars))
    width = (max(len(f"N {bar.n}") for bar in bars) + 2) * NUMBER_LETTER
    layers = []
    for position, group in enumerate(groups):
        mine = [(bar, top) for bar, top in zip(bars, label_tops, strict=True) if bar.group == group]
        frame = pl.DataFrame({"y": [t for _, t in mine], "text": [f"N {b.n}" for b, _ in mine]})
        text = alt.Chart(frame).mark_text(
            align="right", baseline="top", fontSize=11, dy=1, color=palette.colour(mine[0][0].role)
        )
        x = alt.XValue({"expr": f"width - {(len(groups) - 1 - position) * width:.1f}"})
        layers.append(
            text.encode(x=x, y=y, text=alt.Text("text:N"), tooltip=alt.TooltipValue(None))
        )
    return layers
