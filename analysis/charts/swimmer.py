"""Patients as lanes: from day 0 to the last contact, with their blocks and what happened to them.

Places on the y axis are pixels from the top. A lane has 16 of them; one that is highlighted has a
line more, for its name. Who is alive at the last contact ends in an arrow.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import polars as pl

from analysis.charts import palette
from analysis.charts.classes import FITS, Key, fitting, key_layers, keys_height
from analysis.charts.dots import PHONE
from analysis.charts.labels import label_expr
from analysis.charts.layers import layered
from trial.words import say

LANE = 16
BAR = 11
NAME = 16
MOST_LANES = 60
ALIVE = "triangle-right"
# Over many lanes the ticks are said once more, on top.
MANY_LANES = 20
TICK_LINE = 16
AXIS_HEIGHT = 50
# Pixels of a letter of a lane's name beside the plot, and of all of them at most.
NAME_LETTER = 5.6
WIDEST_NAME = 84
TEXT_LETTER = 5.0
STEPS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
MOST_TICKS = 6
AIR = 1.03
Named = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Span:
    """A block that was given, from a day of the lane to another; both count.

    Raises ValueError if it ends before it starts.
    """

    start: int
    stop: int
    code: str
    label: str

    def __post_init__(self) -> None:
        """Refuse what has no length."""
        if self.stop < self.start:
            raise ValueError(f"{self.label}: from day {self.start} to {self.stop}")


@dataclass(frozen=True)
class Mark:
    """What happened or was found on a day of the lane."""

    day: int
    code: str
    label: str


@dataclass(frozen=True)
class Lane:
    """One patient's line from day 0 to `last_day`; `label` names it, two may have the same.

    Raises ValueError if the last day is before day 0.
    """

    label: str
    role: int
    last_day: int
    spans: tuple[Span, ...]
    marks: tuple[Mark, ...]
    is_alive: bool
    highlighted: bool

    def __post_init__(self) -> None:
        """Refuse what ends before it begins."""
        if self.last_day < 0:
            raise ValueError(f"{self.label}: ends on day {self.last_day}")

    @property
    def end(self) -> int:
        """The last day of anything on it."""
        return max(
            self.last_day, *(s.stop + 1 for s in self.spans), *(m.day for m in self.marks), 0
        )

    @property
    def begin(self) -> int:
        """The first day of anything on it: 0, or before."""
        return min(0, *(s.start for s in self.spans), *(m.day for m in self.marks), 0)


@dataclass(frozen=True)
class _Drawn:
    """All that is drawn: lanes, legend, and where it stands."""

    lanes: Sequence[Lane]
    spans: dict[str, Key]
    marks: dict[str, Key]
    keys: list[Key]
    unit_days: float

    @property
    def narrow(self) -> float:
        """Pixels of the plot on a phone: the names stand beside it."""
        return PHONE - self.name_width

    @property
    def name_width(self) -> float:
        letters = max((len(lane.label) for lane in self.lanes if not lane.highlighted), default=0)
        return min(letters * NAME_LETTER + 4, WIDEST_NAME)

    @property
    def top(self) -> float:
        """The first pixel of the first lane."""
        ticks = TICK_LINE if len(self.lanes) > MANY_LANES else 0
        return keys_height(self.keys, self.narrow) + ticks

    @property
    def middles(self) -> list[float]:
        """The middle of every lane."""
        middles, y = [], self.top
        for lane in self.lanes:
            y += NAME if lane.highlighted else 0
            middles.append(y + LANE / 2)
            y += LANE
        return middles

    @property
    def height(self) -> int:
        """Pixels of the plot."""
        return round(self.middles[-1] + LANE / 2 + 2)

    @property
    def domain(self) -> tuple[float, float]:
        """The axis of time: all lanes, and room for an arrow."""
        first = min(lane.begin for lane in self.lanes) / self.unit_days
        last = max(max(lane.end for lane in self.lanes), 1) / self.unit_days
        return first, first + (last - first) * AIR

    def share(self, days: float) -> float:
        """The share of the plot that so many days take."""
        return days / self.unit_days / (self.domain[1] - self.domain[0])


def _drawn(
    lanes: Sequence[Lane],
    blocks: Named,
    marks: Named,
    cohorts: Sequence[tuple[int, str]],
    unit_days: float,
) -> _Drawn:
    """Legend entries of what occurs alone, in the order given. Raises ValueError as the chart."""
    _refuse(lanes, blocks, marks)
    span_keys = {
        code: Key(label, palette.BLOCKS[k % len(palette.BLOCKS)])
        for k, (code, label) in enumerate(blocks)
        if any(span.code == code for lane in lanes for span in lane.spans)
    }
    looks = palette.marks([code for code, _ in marks])
    mark_keys = {
        code: Key(label, looks[code][1], looks[code][0])
        for code, label in marks
        if any(mark.code == code for lane in lanes for mark in lane.marks)
    }
    roles = {lane.role for lane in lanes}
    lines = [Key(text, palette.colour(role), ALIVE) for role, text in cohorts if role in roles]
    return _Drawn(lanes, span_keys, mark_keys, [*lines, *span_keys.values(), *mark_keys.values()],
                  unit_days)  # fmt: skip


def _refuse(lanes: Sequence[Lane], blocks: Named, marks: Named) -> None:
    if not 0 < len(lanes) <= MOST_LANES:
        raise ValueError(f"{len(lanes)} lanes: draw 1 to {MOST_LANES} in one picture")
    known = {code for code, _ in blocks}, {code for code, _ in marks}
    for lane in lanes:
        for given, items in zip(known, (lane.spans, lane.marks), strict=True):
            if lost := {item.code for item in items} - given:
                raise ValueError(f"{lane.label}: {sorted(lost)[0]} is not in the legend")


def swimmer_height(
    lanes: Sequence[Lane],
    *,
    blocks: Named,
    marks: Named,
    cohorts: Sequence[tuple[int, str]] = (),
) -> int:
    """Pixels of the whole picture. Raises ValueError as the chart does."""
    return _drawn(lanes, blocks, marks, cohorts, 1.0).height + AXIS_HEIGHT


def swimmer_chart(
    lanes: Sequence[Lane],
    *,
    blocks: Named,
    marks: Named,
    cohorts: Sequence[tuple[int, str]] = (),
    unit_days: float,
    time_title: str,
    landmark_day: int | None = None,
) -> alt.LayerChart:
    """The lanes in the order given, on an axis of time in units of so many days.

    `blocks` and `marks`: code and label of all there can be, in the order of the legend, which
    shows those that occur; `cohorts`: role and label. A dashed line stands at `landmark_day`.
    Raises ValueError without a lane, above `MOST_LANES`, and for what has no entry in the legend.
    """
    shown = _drawn(lanes, blocks, marks, cohorts, unit_days)
    axes = _axes(shown, time_title)
    layers = [*key_layers(shown.keys, axes.y(), shown.narrow), *_names(shown, axes)]
    layers += [_grid(shown, axes, landmark_day), *_lines(shown, axes), *_spans(shown, axes)]
    layers += [_marks(shown, axes), *_top_ticks(shown, axes)]
    return layered(layers, shown.height)


def time_ticks(first: float, last: float) -> list[float]:
    """Round times from first to last, 0 among them: at most so many that a phone can write them."""
    step = next((s for s in STEPS if (last - first) / s <= MOST_TICKS), STEPS[-1])
    lowest = -int(-first // step)
    return [k * step for k in range(lowest, int(last // step) + 1)]


@dataclass(frozen=True)
class _Axes:
    """What the layers share: any field can stand on either axis."""

    across: alt.Scale
    down: alt.Scale
    time: alt.Axis
    names: alt.Axis
    time_title: str

    def x(self, field: str = "x") -> alt.X:
        return alt.X(f"{field}:Q", scale=self.across, axis=self.time)

    def y(self, field: str = "y") -> alt.Y:
        return alt.Y(f"{field}:Q", scale=self.down, axis=self.names)


def _axes(shown: _Drawn, time_title: str) -> _Axes:
    time = alt.Axis(
        values=time_ticks(*shown.domain),
        # Not `format`: the page rounds those to one digit.
        labelExpr="format(datum.value, '.2~f')",
        title=time_title,
        titleFontSize=12,
        titleFontWeight="normal",
        titlePadding=4,
        labelFontSize=12,
        labelOverlap=False,
        labelFlush=False,
        grid=False,
        domain=False,
    )
    return _Axes(
        across=alt.Scale(domain=list(shown.domain), nice=False, zero=False),
        down=alt.Scale(domain=[0, shown.height], reverse=True, nice=False, zero=False),
        time=time,
        names=_name_axis(shown),
        time_title=time_title,
    )


def _name_axis(shown: _Drawn) -> alt.Axis:
    """The names beside the plot, in the colour of the page's theme."""
    lanes = zip(shown.middles, shown.lanes, strict=True)
    lines = {y: [lane.label] for y, lane in lanes if not lane.highlighted}
    return alt.Axis(
        values=list(lines),
        labelExpr=label_expr(lines, 1),
        labelFontSize=10,
        labelLimit=WIDEST_NAME + 6,
        labelOverlap=False,
        labelFlush=False,
        labelPadding=4,
        domain=False,
        ticks=False,
        grid=False,
        title=None,
    )


def _day(day: int) -> str:
    return say("patients.day", day=day)


def _names(shown: _Drawn, axes: _Axes) -> list[alt.Chart]:
    """Who is highlighted: a pale band, and the name over the lane in the cohort's colour."""
    rows = [
        {"y": y - LANE / 2 - NAME, "y2": y + LANE / 2, "text": lane.label}
        | {"colour": palette.colour(lane.role)}
        for y, lane in zip(shown.middles, shown.lanes, strict=True)
        if lane.highlighted
    ]
    schema = {"y": pl.Float64(), "y2": pl.Float64(), "text": pl.String(), "colour": pl.String()}
    base = alt.Chart(pl.DataFrame(rows, schema=schema))
    base = base.encode(
        y=axes.y(), color=alt.Color("colour:N", scale=None), tooltip=alt.TooltipValue(None)
    )
    band = base.mark_rect(opacity=0.15)
    text = base.mark_text(align="left", baseline="top", dx=3, dy=3, fontSize=12, fontWeight="bold")
    return [
        band.encode(x=alt.XValue(0), x2=alt.X2Value("width"), y2=alt.Y2("y2:Q")),
        text.encode(x=alt.XValue(0), text=alt.Text("text:N")),
    ]


def _grid(shown: _Drawn, axes: _Axes, landmark_day: int | None) -> alt.Chart:
    """Pale lines at the ticks, a dashed one at the landmark, none outside the lanes."""
    rows = [{"x": x, "is_landmark": False} for x in time_ticks(*shown.domain)]
    if landmark_day is not None and landmark_day / shown.unit_days <= shown.domain[1]:
        rows.append({"x": landmark_day / shown.unit_days, "is_landmark": True})
    place = pl.lit(shown.top).alias("y"), pl.lit(float(shown.height)).alias("y2")
    frame = pl.DataFrame(rows, schema={"x": pl.Float64, "is_landmark": pl.Boolean})
    rules = alt.Chart(frame.with_columns(place)).mark_rule(color=palette.NEUTRAL)
    is_landmark = {"test": "datum.is_landmark", "value": 1}
    return rules.encode(
        x=axes.x(),
        y=axes.y(),
        y2=alt.Y2("y2:Q"),
        opacity=alt.OpacityValue(palette.GRID_OPACITY, condition=is_landmark),
        strokeDash=alt.StrokeDashValue([1, 0], condition=is_landmark | {"value": [4, 3]}),
        tooltip=alt.TooltipValue(None),
    )


def _span_days(span: Span) -> str:
    days = _day(span.start)
    return days if span.stop == span.start else f"{days}\u2013{span.stop}"


def _in_order(lane: Lane) -> str:
    """Everything of a lane, by day."""
    items = [(span.start, f"{span.label} {_span_days(span)}") for span in lane.spans]
    items += [(mark.day, f"{mark.label} {_day(mark.day)}") for mark in lane.marks]
    return " \u00b7 ".join(text for _, text in sorted(items)) or say("value.none")


def _tooltip(title: str, *more: alt.Tooltip) -> list[alt.Tooltip]:
    # The tooltip puts what is called `title` above all else.
    return [alt.Tooltip("title:N", title="title"), alt.Tooltip("told:N", title=title), *more]


def _lines(shown: _Drawn, axes: _Axes) -> list[alt.Chart]:
    """A line a lane, an arrow where it goes on; anywhere in a lane, all there is to say."""
    rows = []
    for y, lane in zip(shown.middles, shown.lanes, strict=True):
        last = _day(lane.last_day)
        last = f"{last}, {say('patients.alive')}" if lane.is_alive else last
        row = {"x": 0.0, "x2": lane.last_day / shown.unit_days, "y": y, "title": lane.label}
        row |= {"told": _in_order(lane), "last": last, "is_alive": lane.is_alive}
        row |= {"top": y - LANE / 2, "bottom": y + LANE / 2}
        rows.append(row | {"colour": palette.colour(lane.role)})
    frame = pl.DataFrame(rows)
    last = alt.Tooltip("last:N", title=say("patients.column_last_seen"))
    base = alt.Chart(frame).encode(
        y=axes.y(), color=alt.Color("colour:N", scale=None), tooltip=_tooltip(axes.time_title, last)
    )
    line = base.mark_rule(strokeWidth=2).encode(x=axes.x(), x2=alt.X2("x2:Q"))
    arrow = base.transform_filter("datum.is_alive").mark_point(
        shape=ALIVE, filled=True, opacity=1, size=45, xOffset=3
    )
    area = base.mark_rect(opacity=0).encode(
        x=alt.XValue(0), x2=alt.X2Value("width"), y=axes.y("top"), y2=alt.Y2("bottom:Q")
    )
    return [area, line, arrow.encode(x=axes.x("x2"))]


def _span_frame(shown: _Drawn) -> pl.DataFrame:
    """One row a span: its edges (the last day is part of it), colour and words."""
    rows = []
    for y, lane in zip(shown.middles, shown.lanes, strict=True):
        for span in lane.spans:
            edges = {"x": span.start / shown.unit_days, "x2": (span.stop + 1) / shown.unit_days}
            edges |= {"y": y, "top": y - BAR / 2, "bottom": y + BAR / 2}
            said = {"title": f"{lane.label}: {span.label}", "told": _span_days(span)}
            said |= {"label": span.label, "block": shown.spans[span.code].label}
            share = {"share": shown.share(span.stop + 1 - span.start)}
            rows.append(edges | said | share | {"colour": shown.spans[span.code].colour})
    schema = {name: pl.Float64() for name in ("x", "x2", "y", "top", "bottom", "share")}
    texts = ("title", "told", "label", "block", "colour")
    return pl.DataFrame(rows, schema=schema | {name: pl.String() for name in texts})


def _spans(shown: _Drawn, axes: _Axes) -> list[alt.Chart]:
    """Blocks as bars, their names where there is room."""
    frame = _span_frame(shown)
    bars = alt.Chart(frame.drop("label", "block", "share")).mark_rect(
        opacity=1, stroke=palette.WHITE, strokeWidth=0.6
    )
    bars = bars.encode(
        x=axes.x(),
        x2=alt.X2("x2:Q"),
        y=axes.y("top"),
        y2=alt.Y2("bottom:Q"),
        color=alt.Color("colour:N", scale=None),
        tooltip=_tooltip(axes.time_title),
    )
    return [bars, _span_texts(frame, axes)]


def _span_texts(frame: pl.DataFrame, axes: _Axes) -> alt.Chart:
    rows = []
    for row in frame.rows(named=True):
        place = {"x": (row["x"] + row["x2"]) / 2} | {k: row[k] for k in ("y", "share", "title")}
        place |= {"told": row["told"], "colour": palette.text_on(row["colour"])}
        for text, needed, enough in fitting((row["label"], row["block"]), TEXT_LETTER):
            rows.append(place | {"text": text, "needed": needed, "enough": enough})
    schema = {name: pl.Float64() for name in ("x", "y", "share", "needed", "enough")}
    schema |= {name: pl.String() for name in ("title", "told", "colour", "text")}
    texts = alt.Chart(pl.DataFrame(rows, schema=schema)).transform_filter(FITS)
    return texts.mark_text(baseline="middle", fontSize=9).encode(
        x=axes.x(),
        y=axes.y(),
        text=alt.Text("text:N"),
        color=alt.Color("colour:N", scale=None),
        tooltip=_tooltip(axes.time_title),
    )


def _marks(shown: _Drawn, axes: _Axes) -> alt.Chart:
    """What happened, on top of all; a white edge keeps it apart from its block."""
    rows = []
    for y, lane in zip(shown.middles, shown.lanes, strict=True):
        for mark in lane.marks:
            key = shown.marks[mark.code]
            row = {"x": mark.day / shown.unit_days, "y": y, "told": _day(mark.day)}
            row |= {"title": f"{lane.label}: {mark.label}"}
            rows.append(row | {"colour": key.colour, "shape": key.shape})
    schema = {"x": pl.Float64(), "y": pl.Float64()}
    schema |= {name: pl.String() for name in ("told", "title", "colour", "shape")}
    points = alt.Chart(pl.DataFrame(rows, schema=schema))
    points = points.mark_point(size=48, opacity=1, stroke=palette.WHITE, strokeWidth=0.8)
    return points.encode(
        x=axes.x(),
        y=axes.y(),
        fill=alt.Fill("colour:N", scale=None),
        shape=alt.Shape("shape:N", scale=None),
        tooltip=_tooltip(axes.time_title),
    )


def _top_ticks(shown: _Drawn, axes: _Axes) -> list[alt.Chart]:
    """Over many lanes the ticks once more."""
    if len(shown.lanes) <= MANY_LANES:
        return []
    ticks = time_ticks(*shown.domain)
    frame = pl.DataFrame({"x": ticks, "text": [f"{x:g}" for x in ticks]})
    frame = frame.with_columns(pl.lit(shown.top - 3).alias("y"))
    text = alt.Chart(frame).mark_text(baseline="bottom", fontSize=11, color=palette.NEUTRAL)
    return [
        text.encode(x=axes.x(), y=axes.y(), text=alt.Text("text:N"), tooltip=alt.TooltipValue(None))
    ]
