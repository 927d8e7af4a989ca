"""Classes of a measure as stacked bars of counts: who responded, who did not, of whom is not known.

Every bar is the whole of its group. Places on the y axis are pixels from the top. What a part or a
legend says depends on the room that the plot has once it is drawn: each text comes in several
lengths, and the page shows the longest that fits.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl

from analysis.charts import palette
from analysis.charts.dots import LINE, PHONE, WIDE
from analysis.charts.labels import label_expr, wrapped
from analysis.charts.layers import layered

KEY_LINE = 18
KEY_GAP = 8
KEY_LETTER = 7
SYMBOL = 17
BETWEEN_KEYS = 12
NAME_LINE = 16
BAR_HEIGHT = 20
BAR_GAP = 7
GROUP_GAP = 11
AXIS_HEIGHT = 46
# Pixels of a letter in a part, and what stays free left and right of the text together.
SMALL_LETTER = 6.1
AIR = 6
# A bar of fewer has numbers and no percentage.
FEWEST_FOR_PERCENT = 10
SOFT_HYPHEN = "\u00ad"
PERCENT = tuple((x / 100, f"{x}%") for x in (0, 25, 50, 75, 100))


@dataclass(frozen=True)
class Key:
    """An entry of a legend: its words, its colour, its shape."""

    label: str
    colour: str
    shape: str = "square"


@dataclass(frozen=True)
class Part:
    """So many patients of a class. `code` picks its colour: one of `palette.CLASS_COLOURS`.

    Raises ValueError for an unknown class and for fewer than no patients.
    """

    code: str
    label: str
    n: int

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if self.code not in palette.CLASS_COLOURS:
            raise ValueError(f"{self.code}: a class without a colour")
        if self.n < 0:
            raise ValueError(f"{self.label}: {self.n} patients")

    @property
    def colour(self) -> str:
        """That of its class."""
        return palette.CLASS_COLOURS[self.code]


@dataclass(frozen=True)
class Bar:
    """One group under one label: its parts, from left to right, add to all of the group.

    A part of nobody takes no room. Raises ValueError for two parts of one class.
    """

    label: str
    group: str
    role: int
    parts: tuple[Part, ...]

    def __post_init__(self) -> None:
        """Refuse a class that comes twice."""
        if len({part.code for part in self.parts}) < len(self.parts):
            raise ValueError(f"{self.label}, {self.group}: a class comes twice")

    @property
    def n(self) -> int:
        """All of the group; 0 if there is nobody."""
        return sum(part.n for part in self.parts)


def written(text: str) -> str:
    """A text without its marks of where a word may be parted: a picture would draw them."""
    return text.replace(SOFT_HYPHEN, "")


def fitting(texts: Iterable[str], letter: float = SMALL_LETTER) -> list[tuple[str, float, float]]:
    """Of texts, longest first: each with the width from which on it fits, up to that of the next.

    A text of several lines is as wide as its longest. What is not narrower than one before it is
    never better and is left out.
    """
    found: list[tuple[str, float, float]] = []
    for text in texts:
        needed = max(len(line) for line in text.split("\n")) * letter + AIR
        enough = found[-1][1] if found else 1e9
        if needed < enough:
            found.append((text, needed, enough))
    return found


def _key_places(keys: Sequence[Key], width: float) -> list[tuple[float, int]]:
    """Of every entry: its first pixel and its line, filled like words in a paragraph."""
    places, x, line = [], 0.0, 0
    for key in keys:
        taken = SYMBOL + len(written(key.label)) * KEY_LETTER
        if x and x + taken > width:
            x, line = 0.0, line + 1
        places.append((x, line))
        x += taken + BETWEEN_KEYS
    return places


def _key_lines(keys: Sequence[Key], width: float) -> int:
    return _key_places(keys, width)[-1][1] + 1 if keys else 0


def keys_height(keys: Sequence[Key], narrow: float = PHONE) -> float:
    """Pixels of a legend: the lines that a phone needs, and a gap."""
    return _key_lines(keys, narrow) * KEY_LINE + KEY_GAP


def key_layers(keys: Sequence[Key], y: alt.Y, narrow: float = PHONE) -> list[alt.Chart]:
    """A legend on top of the plot; `y` is in pixels. It wraps for a phone or a wide plot.

    `narrow`: pixels of the plot on a phone, where labels beside it take a part.
    """
    rows = []
    lowest = _key_lines(keys, narrow)
    for is_narrow, width in ((True, narrow), (False, WIDE)):
        drop = lowest - _key_lines(keys, width)
        for key, (x, line) in zip(keys, _key_places(keys, width), strict=True):
            row = {"x": x, "y": (line + drop + 0.5) * KEY_LINE, "is_narrow": is_narrow}
            row |= {"text": written(key.label), "colour": key.colour, "shape": key.shape}
            rows.append(row)
    schema = {"x": pl.Float64(), "y": pl.Float64(), "is_narrow": pl.Boolean()}
    schema |= {name: pl.String() for name in ("text", "colour", "shape")}
    frame = pl.DataFrame(rows, schema=schema)
    base = alt.Chart(frame).transform_filter(f"datum.is_narrow === (width < {WIDE})")
    base = base.encode(y=y, tooltip=alt.TooltipValue(None))
    at = alt.X("x:Q", scale=None, axis=None)
    symbols = base.mark_point(
        filled=True, opacity=1, size=100, xOffset=6, stroke=palette.NEUTRAL, strokeWidth=0.7
    )
    symbols = symbols.encode(
        x=at, color=alt.Color("colour:N", scale=None), shape=alt.Shape("shape:N", scale=None)
    )
    words = base.mark_text(
        align="left",
        baseline="middle",
        dx=SYMBOL,
        fontSize=12,
        color=palette.NEUTRAL,
        limit={"expr": f"width - {SYMBOL}"},
    )
    return [symbols, words.encode(x=at, text=alt.Text("text:N"))]


@dataclass(frozen=True)
class _Slot:
    """Where a bar stands: the label above it if it is the first under it, its name, itself."""

    narrow: tuple[str, ...]
    wide: tuple[str, ...]
    label_top: float
    name: float
    top: float

    @property
    def bottom(self) -> float:
        return self.top + BAR_HEIGHT


def _slots(bars: Sequence[Bar], top: float) -> list[_Slot]:
    slots: list[_Slot] = []
    y = top
    for k, bar in enumerate(bars):
        is_first = k == 0 or bars[k - 1].label != bar.label
        label = bar.label if is_first else ""
        y += GROUP_GAP if is_first and k else 0
        narrow, wide = (tuple(wrapped(written(label), w)) if label else () for w in (PHONE, WIDE))
        name = y + len(narrow) * LINE + (2 if narrow else 0)
        slots.append(_Slot(narrow, wide, y, name, name + NAME_LINE))
        y = slots[-1].bottom + BAR_GAP
    return slots


def class_keys(bars: Sequence[Bar]) -> dict[str, Key]:
    """A legend entry for every class that anybody is in, in the order of the parts."""
    every = {part.code: part for bar in bars for part in bar.parts}
    found = {part.code for bar in bars for part in bar.parts if part.n}
    return {code: Key(p.label, p.colour) for code, p in every.items() if code in found}


def _layout(bars: Sequence[Bar]) -> list[_Slot]:
    keys = list(class_keys(bars).values())
    return _slots(bars, keys_height(keys))


def _plot_height(bars: Sequence[Bar]) -> int:
    return round(_layout(bars)[-1].bottom + 4)


def class_bars_height(bars: Sequence[Bar]) -> int:
    """Pixels of the whole picture. Raises ValueError without a bar."""
    _refuse_nothing(bars)
    return _plot_height(bars) + AXIS_HEIGHT


def _refuse_nothing(bars: Sequence[Bar]) -> None:
    if not bars:
        raise ValueError("no bars to draw")


def class_bars(bars: Sequence[Bar], axis_title: str) -> alt.LayerChart:
    """The bars in the order given; those that follow one another under one label share it.

    A bar of nobody is an empty frame with its N of 0. Raises ValueError without a bar.
    """
    _refuse_nothing(bars)
    slots, height = _layout(bars), _plot_height(bars)
    down = alt.Scale(domain=[0, height], reverse=True, nice=False, zero=False)
    y = alt.Y("y:Q", scale=down, axis=_label_axis(slots))
    x = alt.X("x:Q", scale=alt.Scale(domain=[0, 1], nice=False), axis=percent_axis(axis_title))
    layers = [*key_layers(list(class_keys(bars).values()), y), *_name_layers(bars, slots, y)]
    layers += part_layers(bars, [(slot.top, slot.bottom) for slot in slots], x, y)
    return layered(layers, height)


def percent_axis(title: str) -> alt.Axis:
    """0 to 100 % of a bar."""
    ticks = {x: [text] for x, text in PERCENT}
    return alt.Axis(
        values=list(ticks),
        labelExpr=label_expr(ticks, 3),
        labelFontSize=12,
        labelPadding=4,
        labelOverlap=False,
        labelFlush=True,
        grid=False,
        ticks=True,
        domain=False,
        title=title,
        titleFontSize=12,
        titleFontWeight="normal",
        titlePadding=6,
    )


def _label_axis(slots: Sequence[_Slot]) -> alt.Axis:
    """The labels inside the plot, from its left edge on, in the colour of the page's theme."""
    first = [slot for slot in slots if slot.narrow]
    tops = [slot.label_top for slot in first]
    narrow, wide = (
        label_expr({slot.label_top: lines for slot, lines in zip(first, each, strict=True)}, 1)
        for each in ([s.narrow for s in first], [s.wide for s in first])
    )
    drops = [(len(slot.narrow) - len(slot.wide)) * LINE for slot in first]
    return words_axis(tops, (narrow, wide), drops, "bold")


def words_axis(
    values: Sequence[float],
    expressions: tuple[str, str],
    drops: Sequence[float],
    weight: Any,
) -> alt.Axis:
    """Words inside the plot from its left edge on, in the colour of the page's theme.

    `expressions` give the lines at each value for a phone and for a wide plot; there each moves
    down by its drop.
    """
    narrow, wide = expressions
    return alt.Axis(
        values=list(values),
        labelExpr=f"width < {WIDE} ? {narrow} : {wide}",
        labelOffset={
            "expr": f"width < {WIDE} ? 0 : {list(drops)}[indexof({list(values)}, datum.value)]"
        },
        labelAlign="left",
        labelBaseline="top",
        labelFontSize=12,
        labelFontWeight=weight,
        labelLineHeight=LINE,
        labelLimit=0,
        labelOverlap=False,
        labelPadding=0,
        labelFlush=False,
        domain=False,
        ticks=False,
        grid=False,
        minExtent=0,
        title=None,
        zindex=1,
    )


def _name_layers(bars: Sequence[Bar], slots: Sequence[_Slot], y: alt.Y) -> list[alt.Chart]:
    """Over each bar its group at the left and its N at the right, in the group's colour."""
    frame = pl.DataFrame(
        [
            {"y": slot.name, "text": bar.group, "n": f"N = {bar.n}"}
            | {"colour": palette.colour(bar.role)}
            for bar, slot in zip(bars, slots, strict=True)
        ]
    )
    base = alt.Chart(frame).encode(
        y=y, color=alt.Color("colour:N", scale=None), tooltip=alt.TooltipValue(None)
    )
    name = base.mark_text(
        align="left", baseline="top", fontSize=12, limit={"expr": f"width - {10 * SMALL_LETTER}"}
    )
    n = base.mark_text(align="right", baseline="top", fontSize=12)
    return [
        name.encode(x=alt.XValue(0), text=alt.Text("text:N")),
        n.encode(x=alt.XValue("width"), text=alt.Text("n:N")),
    ]


Edges = Sequence[tuple[float, float]]


def part_layers(
    bars: Sequence[Bar], edges: Edges, x: alt.X, y: alt.Y, left: float = 0.0
) -> list[alt.Chart]:
    """Parts, their texts, and frames that tell all; `edges`: top and bottom of every bar.

    `left`: pixels of the plot that the bars leave free.
    """
    return [
        _part_layer(bars, edges, x, y),
        _text_layer(bars, edges, x, y, left),
        _hover_layer(bars, edges, y, left),
    ]


def _part_frame(bars: Sequence[Bar], edges: Edges) -> pl.DataFrame:
    """One row a part with anybody: its edges in shares of the bar, its texts' beginning."""
    rows = []
    for k, (bar, (top, bottom)) in enumerate(zip(bars, edges, strict=True)):
        before = 0
        for part in bar.parts:
            if part.n:
                ends = {"x": before / bar.n, "x2": (before + part.n) / bar.n}
                row = {"bar": k, "code": part.code, "n": part.n, "colour": part.colour}
                row |= {"label": written(part.label), "percent": _percent(part.n, bar.n)}
                rows.append(row | ends | {"y": top, "y2": bottom})
            before += part.n
    schema = {"bar": pl.Int64(), "code": pl.String(), "n": pl.Int64(), "colour": pl.String()}
    schema |= {"label": pl.String(), "percent": pl.String()}
    schema |= {name: pl.Float64() for name in ("x", "x2", "y", "y2")}
    return pl.DataFrame(rows, schema=schema)


def _part_layer(bars: Sequence[Bar], edges: Edges, x: alt.X, y: alt.Y) -> alt.Chart:
    """The parts; a thin white line keeps neighbours apart on either page."""
    frame = _part_frame(bars, edges).drop("label", "percent")
    rects = alt.Chart(frame).mark_rect(opacity=1, stroke=palette.WHITE, strokeWidth=0.8)
    return rects.encode(
        x=x,
        x2=alt.X2("x2:Q"),
        y=y,
        y2=alt.Y2("y2:Q"),
        color=alt.Color("colour:N", scale=None),
        tooltip=alt.TooltipValue(None),
    )


def _text_frame(bars: Sequence[Bar], edges: Edges, left: float) -> pl.DataFrame:
    """One row a part and text, with the widths from and up to which it is written."""
    rows = []
    for row in _part_frame(bars, edges).rows(named=True):
        counted = f"{row['n']} ({row['percent']})" if row["percent"] else str(row["n"])
        written_ = [f"{row['label']} {counted}", counted, str(row["n"])]
        for text, needed, enough in fitting(written_):
            place = {"x": (row["x"] + row["x2"]) / 2, "y": (row["y"] + row["y2"]) / 2}
            # What the bars leave free is no room.
            free = (row["x2"] - row["x"]) * left
            share = {
                "share": row["x2"] - row["x"],
                "needed": needed + free,
                "enough": enough + free,
            }
            rows.append(place | share | {"text": text, "colour": palette.text_on(row["colour"])})
    schema = {name: pl.Float64() for name in ("x", "y", "share", "needed", "enough")}
    return pl.DataFrame(rows, schema=schema | {"text": pl.String(), "colour": pl.String()})


FITS = "datum.share * width >= datum.needed && datum.share * width < datum.enough"


def _text_layer(bars: Sequence[Bar], edges: Edges, x: alt.X, y: alt.Y, left: float) -> alt.Chart:
    texts = alt.Chart(_text_frame(bars, edges, left)).transform_filter(FITS)
    texts = texts.mark_text(baseline="middle", fontSize=11)
    return texts.encode(
        x=x,
        y=y,
        text=alt.Text("text:N"),
        color=alt.Color("colour:N", scale=None),
        tooltip=alt.TooltipValue(None),
    )


def _hover_layer(bars: Sequence[Bar], edges: Edges, y: alt.Y, left: float) -> alt.Chart:
    """Frames around the bars that tell all classes of a bar. Labels are titles, never fields."""
    keys = class_keys(bars)
    fields = {f"told_{k}": code for k, code in enumerate(keys)}
    rows = []
    for bar, (top, bottom) in zip(bars, edges, strict=True):
        counts = {part.code: part.n for part in bar.parts}
        told = {field: _told(counts.get(code), bar.n) for field, code in fields.items()}
        title = ", ".join(text for text in (bar.label, bar.group) if text)
        rows.append({"title": title, "y": top, "y2": bottom, "n": bar.n} | told)
    # The tooltip puts what is called `title` above all else.
    tooltip = [alt.Tooltip("title:N", title="title")]
    tooltip += [
        alt.Tooltip(f"{field}:N", title=written(keys[code].label)) for field, code in fields.items()
    ]
    tooltip.append(alt.Tooltip("n:Q", title="N"))
    area = alt.Chart(pl.DataFrame(rows)).mark_rect(
        fill="transparent", stroke=palette.NEUTRAL, strokeWidth=0.8, strokeOpacity=0.8
    )
    return area.encode(
        x=alt.XValue(left or 0), x2=alt.X2Value("width"), y=y, y2=alt.Y2("y2:Q"), tooltip=tooltip
    )


def _percent(n: int, of: int) -> str:
    """57 %; nothing of a few, of whom a percentage would say more than is known."""
    return f"{100 * n / of:.0f} %" if of >= FEWEST_FOR_PERCENT else ""


def _told(n: int | None, of: int) -> str:
    """98 (57.0 %); a dash for a class that the bar does not know."""
    if n is None:
        return "-"
    return f"{n} ({100 * n / of:.1f} %)" if of >= FEWEST_FOR_PERCENT else str(n)
