"""First onsets by day of a course: a small panel of bars a cohort, one beneath the other.

All panels are one view with one scale of patients. Places on the y axis are pixels from the top.
Under the bars stands how many patients were still in the block: a day late in the course has fewer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import altair as alt
import polars as pl

from analysis.charts import palette
from analysis.charts.axes import day_ticks, round_step
from analysis.charts.labels import label_expr
from analysis.charts.layers import layered

NAME = 20
BARS = 64
COUNTS = 20
PANEL_GAP = 12
AXIS_HEIGHT = 62
# Of a day's share, left and right of its bar.
EDGE = 0.1


@dataclass(frozen=True)
class Onsets:
    """One cohort's days, the first one first: patients with their first onset, and all still in.

    Raises ValueError without a day, for counts that are none or that grow while nobody comes, and
    for more onsets than patients.
    """

    label: str
    role: int
    onsets: tuple[int, ...]
    still_in: tuple[int, ...]

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if not self.onsets or len(self.onsets) != len(self.still_in):
            raise ValueError(f"{self.label}: both numbers are needed of every day")
        if min(*self.onsets, *self.still_in) < 0:
            raise ValueError(f"{self.label}: fewer than no patients")
        if list(self.still_in) != sorted(self.still_in, reverse=True):
            raise ValueError(f"{self.label}: patients come back into the block")
        if any(n > all_ for n, all_ in zip(self.onsets, self.still_in, strict=True)):
            raise ValueError(f"{self.label}: more onsets than patients")
        if sum(self.onsets) > self.n:
            raise ValueError(f"{self.label}: more first onsets than patients")

    @property
    def n(self) -> int:
        """All of the cohort who started the course."""
        return self.still_in[0]

    def told(self, day: int) -> str:
        """3 of 54 on a day; a dash after the last one."""
        if day > len(self.onsets):
            return "-"
        return f"{self.onsets[day - 1]} / {self.still_in[day - 1]}"


def by_day_height(cohorts: Sequence[Onsets]) -> int:
    """Pixels of the whole picture."""
    return _plot_height(cohorts) + AXIS_HEIGHT


def _plot_height(cohorts: Sequence[Onsets]) -> int:
    return round(_base(len(cohorts) - 1)) + COUNTS


def _base(position: int) -> float:
    """Where the bars of a panel stand."""
    return position * (NAME + BARS + COUNTS + PANEL_GAP) + float(NAME + BARS)


def by_day(cohorts: Sequence[Onsets], axis_title: str, still_in: str) -> alt.LayerChart:
    """The panels in the order given, over the days of the longest.

    `still_in` says what the numbers under the bars are, and what the pointer is told. Days on
    which nobody had an onset have no bar. Raises ValueError without a cohort.
    """
    if not cohorts:
        raise ValueError("no cohort to draw")
    n_days = max(len(c.onsets) for c in cohorts)
    height, step = _plot_height(cohorts), _step(cohorts)
    top = max(1, *(max(c.onsets) for c in cohorts))
    across = alt.Scale(domain=[0.5, n_days + 0.5], nice=False, zero=False)
    down = alt.Scale(domain=[0, height], reverse=True, nice=False, zero=False)
    counts = {
        _base(k) - BARS * n / top: str(n)
        for k in range(len(cohorts))
        for n in range(0, top + 1, step)
    }
    days = _days(n_days)
    x = alt.X("x:Q", scale=across, axis=_day_axis(days, [axis_title, still_in]))
    y = alt.Y("y:Q", scale=down, axis=_count_axis(counts))
    layers = [_grid(list(counts), y), *_names(cohorts, y), _bars(cohorts, top, x, y)]
    layers.append(_still_in(cohorts, days, x, y))
    layers = [layer.encode(tooltip=alt.TooltipValue(None)) for layer in layers]
    layers.append(_hover(cohorts, n_days, height, x, y))
    return layered(layers, height)


def _step(cohorts: Sequence[Onsets]) -> int:
    """Patients from line to line: whole ones."""
    return max(1, ceil(round_step(float(max(max(c.onsets) for c in cohorts)), 3)))


def _days(n_days: int) -> list[int]:
    """The days that are written: first days of weeks; of a short course every day."""
    return [day for day in day_ticks(1, n_days) if day <= n_days]


def _day_axis(days: Sequence[int], title: list[str]) -> alt.Axis:
    return alt.Axis(
        values=list(days),
        labelExpr=label_expr({day: [str(day)] for day in days}, 0),
        labelFontSize=12,
        labelOverlap=False,
        labelFlush=False,
        labelPadding=4,
        grid=False,
        ticks=True,
        domain=False,
        title=title,
        titleFontSize=12,
        titleFontWeight="normal",
        titleLineHeight=15,
        titlePadding=6,
    )


def _count_axis(counts: dict[float, str]) -> alt.Axis:
    return alt.Axis(
        values=list(counts),
        labelExpr=label_expr({y: [text] for y, text in counts.items()}, 3),
        labelFontSize=11,
        labelOverlap=False,
        labelFlush=False,
        labelPadding=4,
        domain=False,
        ticks=False,
        grid=False,
        title=None,
    )


def _grid(heights: Sequence[float], y: alt.Y) -> alt.Chart:
    rules = alt.Chart(pl.DataFrame({"y": list(heights)}))
    rules = rules.mark_rule(color=palette.NEUTRAL, opacity=palette.GRID_OPACITY)
    return rules.encode(x=alt.XValue(0), x2=alt.X2Value("width"), y=y)


def _names(cohorts: Sequence[Onsets], y: alt.Y) -> list[alt.Chart]:
    """Over each panel its cohort, and how many of how many had an onset."""
    frame = pl.DataFrame(
        {
            "y": [_base(k) - BARS - NAME + 2 for k in range(len(cohorts))],
            "text": [c.label for c in cohorts],
            "n": [f"{sum(c.onsets)}/{c.n}" for c in cohorts],
            "colour": [palette.colour(c.role) for c in cohorts],
        }
    )
    base = alt.Chart(frame).encode(y=y, color=alt.Color("colour:N", scale=None))
    look = {"baseline": "top", "fontSize": 12, "fontWeight": "bold"}
    names = base.mark_text(align="left", limit={"expr": "width - 60"}, **look)
    numbers = base.mark_text(align="right", **look)
    return [
        names.encode(x=alt.XValue(0), text=alt.Text("text:N")),
        numbers.encode(x=alt.XValue("width"), text=alt.Text("n:N")),
    ]


def _bars(cohorts: Sequence[Onsets], top: int, x: alt.X, y: alt.Y) -> alt.Chart:
    rows = [
        {
            "x": day - 0.5 + EDGE,
            "x2": day + 0.5 - EDGE,
            "y": _base(k) - BARS * n / top,
            "y2": _base(k),
            "n": n,
            "colour": palette.colour(c.role),
        }
        for k, c in enumerate(cohorts)
        for day, n in enumerate(c.onsets, start=1)
        if n
    ]
    schema = {name: pl.Float64() for name in ("x", "x2", "y", "y2")}
    frame = pl.DataFrame(rows, schema=schema | {"n": pl.Int64(), "colour": pl.String()})
    bars = alt.Chart(frame).mark_rect(opacity=1)
    return bars.encode(
        x=x,
        x2=alt.X2("x2:Q"),
        y=y,
        y2=alt.Y2("y2:Q"),
        color=alt.Color("colour:N", scale=None),
    )


def _still_in(cohorts: Sequence[Onsets], days: Sequence[int], x: alt.X, y: alt.Y) -> alt.Chart:
    """How many are still in the block, under the days that are written."""
    rows = [
        {
            "x": float(day),
            "y": _base(k) + 4,
            "text": str(c.still_in[day - 1]),
            "colour": palette.colour(c.role),
        }
        for k, c in enumerate(cohorts)
        for day in days
        if day <= len(c.still_in)
    ]
    texts = alt.Chart(pl.DataFrame(rows)).mark_text(baseline="top", fontSize=11)
    return texts.encode(x=x, y=y, text=alt.Text("text:N"), color=alt.Color("colour:N", scale=None))


def _hover(cohorts: Sequence[Onsets], n_days: int, height: int, x: alt.X, y: alt.Y) -> alt.Chart:
    """Anywhere on a day: what all cohorts have there. Labels are titles, never names of fields."""
    frame = pl.DataFrame(
        [
            {"x": day - 0.5, "x2": day + 0.5, "y": 0.0, "y2": float(height), "day": day}
            | {f"told_{k}": c.told(day) for k, c in enumerate(cohorts)}
            for day in range(1, n_days + 1)
        ]
    )
    # The tooltip puts what is called `title` above all else.
    tooltip = [alt.Tooltip("day:Q", title="title")]
    tooltip += [alt.Tooltip(f"told_{k}:N", title=c.label) for k, c in enumerate(cohorts)]
    area = alt.Chart(frame).mark_rect(opacity=0)
    return area.encode(x=x, x2=alt.X2("x2:Q"), y=y, y2=alt.Y2("y2:Q"), tooltip=tooltip)
