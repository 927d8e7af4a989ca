"""Shares that add to 100 %, one stacked bar a group: what came first, of all of it.

The shares are estimates, and no counts. Places on the y axis are pixels from the top.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import polars as pl

from analysis.charts import palette
from analysis.charts.classes import (
    AXIS_HEIGHT,
    BAR_GAP,
    BAR_HEIGHT,
    FITS,
    NAME_LINE,
    Key,
    fitting,
    key_layers,
    keys_height,
    percent_axis,
)
from analysis.charts.layers import layered

# Shares of one bar add to 1 but for rounding.
ROUNDING = 1e-6
# What is left of the colour of a pale bar.
PALE = 0.4


@dataclass(frozen=True)
class Share:
    """A part of a bar: its name, its colour (#rrggbb), the share, what the pointer is told."""

    label: str
    colour: str
    proportion: float
    told: str


@dataclass(frozen=True)
class ShareBar:
    """One group of `n`; all bars have the same parts, in one order. Pale: it rests on few.

    Raises ValueError for NaN, for a share below 0, and if the shares do not add to 1.
    """

    label: str
    role: int
    n: int
    shares: tuple[Share, ...]
    is_pale: bool = False

    def __post_init__(self) -> None:
        """Refuse what is no division of a whole."""
        values = [share.proportion for share in self.shares]
        if not all(x >= -ROUNDING for x in values) or not abs(sum(values) - 1) <= ROUNDING:
            raise ValueError(f"{self.label}: the shares do not add to 1")


def darker(colour: str) -> str:
    """A colour halfway to black: the same thing, at its end."""
    channels = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
    return "#" + "".join(f"{c // 2:02x}" for c in channels)


def paler(colour: str) -> str:
    """A colour most of the way to white: the same thing, resting on few."""
    channels = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
    return "#" + "".join(f"{round(255 - PALE * (255 - c)):02x}" for c in channels)


def _keys(bars: Sequence[ShareBar]) -> list[Key]:
    """A legend entry for every part that is drawn in any bar."""
    every = {s.label: Key(s.label, s.colour) for bar in bars for s in bar.shares}
    drawn = {s.label for bar in bars for s in bar.shares if s.proportion > ROUNDING}
    return [key for label, key in every.items() if label in drawn]


def _tops(bars: Sequence[ShareBar]) -> list[float]:
    """The first pixel of each bar's name."""
    first, step = keys_height(_keys(bars)), NAME_LINE + BAR_HEIGHT + BAR_GAP
    return [first + k * step for k in range(len(bars))]


def _height(bars: Sequence[ShareBar]) -> int:
    return round(_tops(bars)[-1] + NAME_LINE + BAR_HEIGHT + 4)


def components_height(bars: Sequence[ShareBar]) -> int:
    """Pixels of the whole picture."""
    return _height(bars) + AXIS_HEIGHT


def _part_frame(bars: Sequence[ShareBar]) -> pl.DataFrame:
    """One row a part that takes room: its edges and its texts."""
    rows = []
    for bar, top in zip(bars, _tops(bars), strict=True):
        before = 0.0
        for share in bar.shares:
            after = min(before + max(share.proportion, 0.0), 1.0)
            if share.proportion > ROUNDING:
                place = {"x": before, "x2": after, "y": top + NAME_LINE}
                place |= {"y2": top + NAME_LINE + BAR_HEIGHT, "proportion": share.proportion}
                colour = paler(share.colour) if bar.is_pale else share.colour
                rows.append(place | {"label": share.label, "colour": colour})
            before = after
    return pl.DataFrame(rows)


def _part_layer(frame: pl.DataFrame, x: alt.X, y: alt.Y) -> alt.Chart:
    """The parts; a thin white line keeps neighbours apart on either page."""
    rects = alt.Chart(frame.select("x", "x2", "y", "y2", "colour"))
    rects = rects.mark_rect(opacity=1, stroke=palette.WHITE, strokeWidth=0.8)
    colour = alt.Color("colour:N", scale=None)
    return rects.encode(x=x, x2=alt.X2("x2:Q"), y=y, y2=alt.Y2("y2:Q"), color=colour)


def _text_layer(frame: pl.DataFrame, x: alt.X, y: alt.Y) -> alt.Chart:
    """In each part its name and percentage, or the percentage, as far as there is room."""
    rows = []
    for row in frame.rows(named=True):
        percent = f"{100 * row['proportion']:.0f} %"
        place = {"x": (row["x"] + row["x2"]) / 2, "y": (row["y"] + row["y2"]) / 2}
        for text, needed, enough in fitting([f"{row['label']} {percent}", percent]):
            share = {"share": row["x2"] - row["x"], "needed": needed, "enough": enough}
            rows.append(place | share | {"text": text, "colour": palette.text_on(row["colour"])})
    texts = alt.Chart(pl.DataFrame(rows)).transform_filter(FITS)
    texts = texts.mark_text(baseline="middle", fontSize=11)
    colour = alt.Color("colour:N", scale=None)
    return texts.encode(x=x, y=y, text=alt.Text("text:N"), color=colour)


def _name_layers(bars: Sequence[ShareBar], y: alt.Y) -> list[alt.Chart]:
    """Over each bar its group at the left and its N at the right, in the group's colour."""
    rows = [
        {"y": top, "text": bar.label, "n": f"N = {bar.n}", "colour": palette.colour(bar.role)}
        for bar, top in zip(bars, _tops(bars), strict=True)
    ]
    base = alt.Chart(pl.DataFrame(rows)).encode(y=y, color=alt.Color("colour:N", scale=None))
    name = base.mark_text(align="left", baseline="top", fontSize=12, limit={"expr": "width - 60"})
    n = base.mark_text(align="right", baseline="top", fontSize=12)
    return [
        name.encode(x=alt.XValue(0), text=alt.Text("text:N")),
        n.encode(x=alt.XValue("width"), text=alt.Text("n:N")),
    ]


def _hover_layer(bars: Sequence[ShareBar], y: alt.Y) -> alt.Chart:
    """Anywhere on a bar: all its parts. Labels are titles, never names of fields."""
    rows = []
    for bar, top in zip(bars, _tops(bars), strict=True):
        told = {f"told_{k}": share.told for k, share in enumerate(bar.shares)}
        place = {"y": top, "y2": top + NAME_LINE + BAR_HEIGHT}
        rows.append({"title": bar.label} | place | told | {"n": bar.n})
    # The tooltip puts what is called `title` above all else.
    tooltip = [alt.Tooltip("title:N", title="title")]
    tooltip += [alt.Tooltip(f"told_{k}:N", title=s.label) for k, s in enumerate(bars[0].shares)]
    tooltip.append(alt.Tooltip("n:Q", title="N"))
    area = alt.Chart(pl.DataFrame(rows)).mark_rect(opacity=0)
    return area.encode(
        x=alt.XValue(0), x2=alt.X2Value("width"), y=y, y2=alt.Y2("y2:Q"), tooltip=tooltip
    )


def component_bars(bars: Sequence[ShareBar], axis_title: str) -> alt.LayerChart:
    """The bars in the order given, on one axis from 0 to 100 %. Raises ValueError without a bar."""
    if not bars:
        raise ValueError("no bars to draw")
    height = _height(bars)
    y = alt.Y(
        "y:Q",
        scale=alt.Scale(domain=[0, height], reverse=True, nice=False, zero=False),
        axis=None,
    )
    x = alt.X("x:Q", scale=alt.Scale(domain=[0, 1], nice=False), axis=percent_axis(axis_title))
    frame = _part_frame(bars)
    layers = [*key_layers(_keys(bars), y), *_name_layers(bars, y)]
    layers += [_part_layer(frame, x, y), _text_layer(frame, x, y)]
    # The page's theme would give every mark a tooltip of its bare coordinates.
    layers = [layer.encode(tooltip=alt.TooltipValue(None)) for layer in layers]
    layers.append(_hover_layer(bars, y))
    return layered(layers, height)
