"""MRD before, during and after a course: one line a patient, on a log axis with a floor.

A result that is no number is never drawn as one. Undetectable lies in a band under the axis, with a
tick where its detection limit was; detected but not quantified in a band of its own; a result below
or above a limit is a triangle at the limit that points to where the value is. Results that failed
are counted beneath, not drawn. Places on the y axis are pixels from the top: every chart has the
same, whatever its patients.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, isfinite, log10

import altair as alt
import polars as pl

from analysis.charts import palette
from analysis.charts.labels import label_expr
from analysis.charts.layers import layered
from trial.words import say

TOP = 12
DECADE = 44
DECADES = 6
LANE_TEXT = 15
# Above each lane a little air; the first has room for its words and one row of dots.
DETECTED_TOP = TOP + DECADES * DECADE + 8
DETECTED_MIDDLE = DETECTED_TOP + LANE_TEXT + 7
DETECTED_BOTTOM = DETECTED_TOP + LANE_TEXT + 16
FLOOR_TOP = DETECTED_BOTTOM + 3
FLOOR_ROW, FLOOR_ROWS = 9, 3
FLOOR_BOTTOM = FLOOR_TOP + LANE_TEXT + FLOOR_ROW * FLOOR_ROWS + 3
LANE_MIDDLES = {
    "detected": float(DETECTED_MIDDLE),
    "undetectable": FLOOR_TOP + LANE_TEXT + 3.0 + FLOOR_ROW * (FLOOR_ROWS - 1) / 2,
}
PAIRED_HEIGHT = FLOOR_BOTTOM + 64
# Sideways, in shares of a place: numbers a little, what lies in a lane over most of it.
SPREAD, LANE_SPREAD, TICK = 0.2, 0.76, 0.016
COLUMNS = 24
GOLDEN = 0.618034
# More paths than that are a web: their dots and quartiles then; and more dots than that a blot.
MOST_PATHS, MOST_DOTS = 400, 4500
KINDS = ("quantified", "below", "above", "undetectable", "detected", "failed")
SHAPES = {
    "quantified": "circle",
    "below": "triangle-down",
    "above": "triangle-up",
    "undetectable": "circle",
    "detected": "diamond",
}
PALE, STRONG = 0.35, 0.9
PLACES = 3


@dataclass(frozen=True)
class Point:
    """A result: a fraction from 0 to 1, and its detection limit if that is known.

    `value` is the limit of a result below or above one, and counts for no other kind but
    `quantified`. `hollow`: another material. Raises ValueError for an unknown kind, for a fraction
    that is none, and for a kind that lacks its value.
    """

    value: float | None
    kind: str
    lod: float | None
    hollow: bool

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind}: no kind of result")
        for number in (self.value, self.lod):
            if number is not None and not (isfinite(number) and 0 <= number <= 1):
                raise ValueError(f"{number}: not a fraction from 0 to 1")
        if self.value is None and self.kind in ("quantified", "below", "above"):
            raise ValueError(f"{self.kind}: without a value")

    @property
    def is_drawn(self) -> bool:
        """A failed result has no place."""
        return self.kind != "failed"

    def is_high(self, threshold: float | None) -> bool:
        """At or above a threshold; without one: detected by its own assay."""
        if threshold is None and self.kind == "detected":
            return True
        least = (self.lod or 0.0) if threshold is None else threshold
        is_number = self.kind in ("quantified", "above")
        return is_number and self.value is not None and self.value >= least

    def told(self) -> str:
        """The result as text: 0.012 %, <0.01 %, undetectable (<0.001 %)."""
        number = "" if self.value is None else percent_text(self.value)
        if self.kind == "undetectable":
            limit = "" if self.lod is None else f" (<{percent_text(self.lod)})"
            return f"{say('paired.not_seen')}{limit}"
        if self.kind in ("detected", "failed"):
            return say("paired.detected") if self.kind == "detected" else say("paired.failed")
        return {"quantified": "", "below": "<", "above": ">"}[self.kind] + number


@dataclass(frozen=True)
class Path:
    """One course of a patient; None: no sample then. `told` names it where that is allowed."""

    role: int
    before: Point | None
    during: Point | None
    after: Point | None
    told: str

    @property
    def points(self) -> tuple[Point | None, Point | None, Point | None]:
        """In order of time."""
        return (self.before, self.during, self.after)

    def ends_high(self, threshold: float | None) -> bool:
        """Its result after the course is at or above the threshold."""
        return self.after is not None and self.after.is_high(threshold)


@dataclass(frozen=True)
class Spot:
    """A point of a path where it is drawn: x in places from the left, y in pixels from the top."""

    path: int
    place: int
    point: Point
    x: float
    y: float


def percent_text(fraction: float) -> str:
    """Two digits that count, never as a power: 0.00012 -> '0.012 %'."""
    if fraction == 0:
        return "0\u00a0%"
    digits = max(0, 1 - floor(log10(100 * fraction)))
    text = f"{100 * fraction:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}\u00a0%"


def height_of(fraction: float) -> float:
    """Pixels from the top. What is smaller than the axis shows stands at its lower edge."""
    lowest = 10.0**-DECADES
    return TOP - DECADE * log10(max(fraction, lowest))


def spots(paths: Sequence[Path]) -> list[Spot]:
    """Every point that is drawn, in its place. The same paths always lie the same way."""
    return [spot for place in range(PLACES) for spot in _spots_at(paths, place)]


def _spots_at(paths: Sequence[Path], place: int) -> list[Spot]:
    points = [(k, path.points[place]) for k, path in enumerate(paths)]
    drawn = [(k, point) for k, point in points if point and point.is_drawn]
    found = []
    for kind in ("undetectable", "detected"):
        lane = [(k, point) for k, point in drawn if point.kind == kind]
        lane.sort(key=lambda item: (_before(paths[item[0]]), item[0]))
        for rank, (k, point) in enumerate(lane):
            x, y = lane_place(rank, len(lane), FLOOR_ROWS if kind == "undetectable" else 1)
            top = FLOOR_TOP + LANE_TEXT if kind == "undetectable" else DETECTED_MIDDLE - 3
            found.append(Spot(k, place, point, place + 0.5 + x, top + y))
    for k, point in drawn:
        if point.kind in ("quantified", "below", "above"):
            x = place + 0.5 + ((k * GOLDEN) % 1 - 0.5) * SPREAD
            found.append(Spot(k, place, point, x, height_of(point.value or 0.0)))
    return found


def _before(path: Path) -> float:
    """Those with more disease before lie further left in a lane: their lines cross less."""
    known = path.before and path.before.value
    return -known if known else 0.0


def lane_place(rank: int, n: int, most_rows: int) -> tuple[float, float]:
    """Where the so-manieth of n lies in a lane: sideways from the middle, pixels from its top."""
    rows = min(most_rows, ceil(n / COLUMNS))
    columns = ceil(n / rows)
    column, row = rank // rows, rank % rows
    # Few rows stand in the middle of the lane.
    down = (row + (most_rows - rows) / 2) * FLOOR_ROW
    return ((column + 0.5) / columns - 0.5) * LANE_SPREAD, 3.0 + down


def paired_note(paths: Sequence[Path]) -> str:
    """Why the picture has no line a course; empty if it has."""
    if len(paths) <= MOST_PATHS:
        return ""
    key = "paired.too_many" if _has_dots(paths) else "paired.far_too_many"
    return say(key, n=len(paths))


def _has_dots(paths: Sequence[Path]) -> bool:
    return sum(p is not None and p.is_drawn for path in paths for p in path.points) <= MOST_DOTS


def paired_chart(
    paths: Sequence[Path],
    threshold: float | None,
    labels: tuple[str, str, str],
) -> alt.LayerChart:
    """One cohort's courses; `labels` name the three places. Several charts share all axes.

    Lines that end at or above the threshold are strong, the others pale; to a sample of another
    material (hollow) a line is dashed. Without a threshold (the assay's own limit) no line is drawn
    across, and detected by its own assay counts as high. Above `MOST_PATHS` see `paired_note`.
    Raises ValueError without a path; a place without a sample is empty.
    """
    if not paths:
        raise ValueError("no paths to draw")
    axes = _axes(paths, labels)
    found = spots(paths)
    is_web = len(paths) > MOST_PATHS
    layers = [*_floor_layers(axes), *_threshold_layers(axes, threshold)]
    layers += [] if is_web else [_line_layer(axes, paths, found, threshold)]
    if not is_web or _has_dots(paths):
        layers += _dot_layers(axes, paths, found, threshold, labels)
    layers += _quartile_layers(axes, paths, found) if is_web else []
    return layered(layers, FLOOR_BOTTOM)


@dataclass(frozen=True)
class _Axes:
    """What the layers share: any field can stand on either axis."""

    across: alt.Scale
    down: alt.Scale
    places: alt.Axis
    heights: alt.Axis

    def x(self, field: str = "x") -> alt.X:
        return alt.X(f"{field}:Q", scale=self.across, axis=self.places)

    def y(self, field: str = "y") -> alt.Y:
        return alt.Y(f"{field}:Q", scale=self.down, axis=self.heights)


def _axes(paths: Sequence[Path], labels: tuple[str, str, str]) -> _Axes:
    return _Axes(
        across=alt.Scale(domain=[0, PLACES], nice=False, zero=False),
        down=alt.Scale(domain=[0, FLOOR_BOTTOM], reverse=True, nice=False, zero=False),
        places=_place_axis(paths, labels),
        heights=_value_axis(),
    )


def place_lines(paths: Sequence[Path], place: int, label: str) -> list[str]:
    """What stands beneath a place: its label, its samples, how many of them failed."""
    points = [point for path in paths if (point := path.points[place])]
    n_failed = sum(not point.is_drawn for point in points)
    failed = [f"({n_failed} {say('paired.failed')})"] if n_failed else []
    return [label, f"n = {len(points)}", *failed]


def _place_axis(paths: Sequence[Path], labels: tuple[str, str, str]) -> alt.Axis:
    lines = {k + 0.5: place_lines(paths, k, label) for k, label in enumerate(labels)}
    return alt.Axis(
        values=list(lines),
        labelExpr=label_expr(lines, 1),
        labelFontSize=12,
        labelLineHeight=15,
        labelLimit=0,
        labelOverlap=False,
        labelFlush=False,
        labelPadding=6,
        domain=False,
        ticks=False,
        grid=False,
        title=None,
    )


def _value_axis() -> alt.Axis:
    ticks = {height_of(10.0**-k): [percent_text(10.0**-k)] for k in range(DECADES)}
    return alt.Axis(
        values=list(ticks),
        labelExpr=label_expr(ticks, 1),
        labelFontSize=12,
        labelOverlap=False,
        labelFlush=False,
        labelPadding=4,
        domain=False,
        ticks=False,
        grid=True,
        gridOpacity=palette.GRID_OPACITY,
        gridColor=palette.NEUTRAL,
        title=None,
    )


def _floor_layers(axes: _Axes) -> list[alt.Chart]:
    """The two lanes under the axis, each with its words."""
    frame = pl.DataFrame(
        {
            "y": [float(DETECTED_TOP), float(FLOOR_TOP)],
            "y2": [float(DETECTED_BOTTOM), float(FLOOR_BOTTOM)],
            "text": [say("paired.detected"), say("paired.undetectable")],
        }
    )
    base = alt.Chart(frame).encode(y=axes.y(), tooltip=alt.TooltipValue(None))
    band = base.mark_rect(color=palette.NEUTRAL, opacity=0.13)
    text = base.mark_text(
        align="left",
        baseline="top",
        dx=4,
        dy=3,
        fontSize=11,
        color=palette.NEUTRAL,
        limit={"expr": "width - 8"},
    )
    return [
        band.encode(x=alt.XValue(0), x2=alt.X2Value("width"), y2=alt.Y2("y2:Q")),
        text.encode(x=alt.XValue(0), text=alt.Text("text:N")),
    ]


def _threshold_layers(axes: _Axes, threshold: float | None) -> list[alt.Chart]:
    """The dashed line; its words between two places, where no dot lies."""
    if threshold is None:
        return []
    is_tick = percent_text(threshold) in [percent_text(10.0**-k) for k in range(DECADES)]
    text = (
        say("paired.threshold")
        if is_tick
        else f"{say('paired.threshold')} {percent_text(threshold)}"
    )
    frame = pl.DataFrame({"x": [1.0], "y": [height_of(threshold)], "text": [text]})
    base = alt.Chart(frame).encode(y=axes.y(), tooltip=alt.TooltipValue(None))
    line = base.mark_rule(color=palette.NEUTRAL, strokeDash=[5, 3], strokeWidth=1.5)
    said = base.mark_text(baseline="bottom", dy=-2, fontSize=11, color=palette.NEUTRAL)
    return [
        line.encode(x=alt.XValue(0), x2=alt.X2Value("width")),
        said.encode(x=axes.x(), text=alt.Text("text:N")),
    ]


def _line_frame(
    paths: Sequence[Path], found: Sequence[Spot], threshold: float | None
) -> pl.DataFrame:
    """One row a piece between two samples of a path that follow one another."""
    of_path: dict[int, list[Spot]] = {}
    for spot in found:
        of_path.setdefault(spot.path, []).append(spot)
    rows = []
    for k, mine in of_path.items():
        path = paths[k]
        look = {"colour": palette.colour(path.role), "is_strong": path.ends_high(threshold)}
        for one, other in pairwise(mine):
            row = {"x": one.x, "y": one.y, "x2": other.x, "y2": other.y}
            rows.append(row | look | {"is_dashed": one.point.hollow or other.point.hollow})
    schema = {name: pl.Float64() for name in ("x", "y", "x2", "y2")}
    schema |= {"colour": pl.String(), "is_strong": pl.Boolean(), "is_dashed": pl.Boolean()}
    return pl.DataFrame(rows, schema=schema)


def _strength(pale: float, strong: float) -> dict:
    return {"condition": {"test": "datum.is_strong", "value": strong}, "value": pale}


def _line_layer(
    axes: _Axes, paths: Sequence[Path], found: Sequence[Spot], threshold: float | None
) -> alt.Chart:
    lines = alt.Chart(_line_frame(paths, found, threshold)).mark_rule(strokeCap="round")
    dash = alt.StrokeDashValue([1, 0], condition={"test": "datum.is_dashed", "value": [3, 3]})
    return lines.encode(
        x=axes.x(),
        y=axes.y(),
        x2=alt.X2("x2:Q"),
        y2=alt.Y2("y2:Q"),
        color=alt.Color("colour:N", scale=None),
        opacity=alt.OpacityValue(**_strength(PALE, STRONG)),
        strokeWidth=alt.StrokeWidthValue(
            1.0, condition={"test": "datum.is_strong && !datum.is_dashed", "value": 1.7}
        ),
        strokeDash=dash,
        tooltip=alt.TooltipValue(None),
    )


def _dot_frame(
    paths: Sequence[Path],
    found: Sequence[Spot],
    threshold: float | None,
    labels: Sequence[str],
) -> pl.DataFrame:
    """One row a point: its place and look, and what all samples of its path are."""
    rows = []
    for spot in found:
        path, point = paths[spot.path], spot.point
        row = {"x": spot.x, "y": spot.y, "shape": SHAPES[point.kind]}
        row |= {"colour": palette.colour(path.role), "is_strong": path.ends_high(threshold)}
        row |= {"fill": "transparent" if point.hollow else palette.colour(path.role)}
        row |= {"title": path.told or labels[spot.place]}
        row |= {f"told_{k}": p.told() if p else "-" for k, p in enumerate(path.points)}
        is_tick = point.kind == "undetectable" and point.lod is not None
        row["limit"] = height_of(point.lod) if is_tick and point.lod is not None else None
        rows.append(row | {"left": spot.x - TICK, "right": spot.x + TICK})
    numbers = ("x", "y", "limit", "left", "right")
    texts = ("shape", "colour", "fill", "title", *(f"told_{k}" for k in range(PLACES)))
    schema = {name: pl.Float64() for name in numbers} | {name: pl.String() for name in texts}
    return pl.DataFrame(rows, schema=schema | {"is_strong": pl.Boolean()})


def _dot_layers(
    axes: _Axes,
    paths: Sequence[Path],
    found: Sequence[Spot],
    threshold: float | None,
    labels: tuple[str, str, str],
) -> list[alt.Chart]:
    """Ticks at the limits of undetectable results, and the dots."""
    frame = _dot_frame(paths, found, threshold, labels)
    # The tooltip puts what is called `title` above all else.
    tooltip = [alt.Tooltip("title:N", title="title")]
    tooltip += [alt.Tooltip(f"told_{k}:N", title=label) for k, label in enumerate(labels)]
    colour = alt.Color("colour:N", scale=None)
    limits = alt.Chart(frame.filter(pl.col("limit").is_not_null()))
    limits = limits.mark_rule(strokeWidth=1.6, opacity=0.7).encode(
        x=axes.x("left"),
        x2=alt.X2("right:Q"),
        y=axes.y("limit"),
        color=colour,
        tooltip=tooltip,
    )
    dots = alt.Chart(frame.drop("limit", "left", "right"))
    is_web = len(paths) > MOST_PATHS
    dots = dots.mark_point(size=14 if is_web else 30, strokeWidth=0.8 if is_web else 1.2).encode(
        x=axes.x(),
        y=axes.y(),
        color=colour,
        fill=alt.Fill("fill:N", scale=None),
        shape=alt.Shape("shape:N", scale=None),
        opacity=alt.OpacityValue(**(_strength(0.2, 0.4) if is_web else _strength(0.6, 1.0))),
        tooltip=tooltip,
    )
    return [limits, dots]


def quartile_heights(heights: Sequence[float]) -> tuple[float, float, float]:
    """The quartiles of places on the y axis, from the least disease up.

    Each is the place of a result (the first that a quarter, a half, three quarters do not exceed):
    nothing lies between two, so no number is made of results that are none.
    """
    from_below = sorted(heights, reverse=True)
    first, second, third = (from_below[ceil(len(heights) * q / 4) - 1] for q in (1, 2, 3))
    return first, second, third


def _quartile_layers(axes: _Axes, paths: Sequence[Path], found: Sequence[Spot]) -> list[alt.Chart]:
    """Of the study's own material: median and quartiles at each place, and the line of medians."""
    rows = []
    for place in range(PLACES):
        heights = [
            LANE_MIDDLES.get(spot.point.kind, spot.y)
            for spot in found
            if spot.place == place and not spot.point.hollow
        ]
        if heights:
            first, second, third = quartile_heights(heights)
            row = {"x": place + 0.5, "y": second, "first": first, "third": third}
            rows.append(row | {"left": place + 0.25, "right": place + 0.75})
    schema = {name: pl.Float64() for name in ("x", "y", "first", "third", "left", "right")}
    base = alt.Chart(pl.DataFrame(rows, schema=schema)).encode(tooltip=alt.TooltipValue(None))
    layers = []
    # White beneath, so that they are seen on their dots.
    for colour, more in ((palette.WHITE, 2.5), (palette.colour(paths[0].role), 0.0)):
        line = base.mark_line(color=colour, strokeWidth=3 + more)
        layers.append(line.encode(x=axes.x(), y=axes.y(), order=alt.Order("x:Q")))
        for name, width in (("first", 1.5), ("third", 1.5), ("y", 4)):
            bar = base.mark_rule(color=colour, strokeWidth=width + more)
            layers.append(bar.encode(x=axes.x("left"), x2=alt.X2("right:Q"), y=axes.y(name)))
    return layers
