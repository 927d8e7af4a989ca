"""What became of a whole cohort: the share in each state over time, stacked to 100 %."""

from dataclasses import dataclass
from typing import Any, Literal

import altair as alt
import numpy as np
import polars as pl

from analysis.charts import curves as shared
from analysis.charts import palette
from analysis.charts.at_risk import AtRiskBlock, table_height, table_layers
from analysis.charts.curves import PLOT_HEIGHT
from analysis.charts.steps import buckets, parted

# Proportions of one time add to 1 but for rounding.
ROUNDING = 1e-6
# A state is named in its band if the band is this high for as long as the name is on a phone:
# pixels of a bold letter, of the plot, and from the left edge on.
ROOM_FOR_NAME = 0.07
BOLD_LETTER = 7.2
PHONE = 280
LEFT_EDGE = 10
LONG_NAME = 22
# Opacity of what rests on few.
PALE = 0.4


@dataclass(frozen=True)
class State:
    """A state in words and its colour, from `palette.STATES`."""

    label: str
    colour: str


@dataclass(frozen=True)
class Occupancy:
    """One cohort's proportions in each state, `states` from the bottom of the stack up.

    `day` ascends from 0; `proportions` is (times, states); each holds from its day to the next.
    Pale from `fade_day` on (None: nowhere). Raises ValueError if there is no time or state, for
    NaN, and if a time does not add to 1.
    """

    label: str
    role: int
    states: tuple[State, ...]
    day: np.ndarray
    proportions: np.ndarray
    fade_day: float | None = None

    def __post_init__(self) -> None:
        """Refuse what is no division of a whole."""
        if not self.states or not self.day.size:
            raise ValueError("no states to draw")
        if self.proportions.shape != (self.day.size, len(self.states)):
            raise ValueError("one proportion a time and state is needed")
        if not np.all(np.isfinite(self.proportions)) or np.any(self.proportions < -ROUNDING):
            raise ValueError("a proportion is no number or below 0")
        if np.any(np.abs(self.proportions.sum(axis=1) - 1) > ROUNDING):
            raise ValueError("the proportions of a time do not add to 1")


def _drawn(shown: Occupancy) -> np.ndarray:
    """Positions to draw: the last one of each bucket of time, first and last always."""
    n_buckets = buckets(len(shown.states))
    bucket = np.floor(shown.day / max(float(shown.day[-1]), 1.0) * n_buckets)
    last_of_bucket = np.append(np.diff(bucket) > 0, True)
    last_of_bucket[0] = True
    return np.flatnonzero(last_of_bucket)


def _frame(shown: Occupancy, unit_days: float) -> pl.DataFrame:
    """One row a time and state: its lower and upper edge in the stack, full or pale (`part`).

    What begins on the last day has no width: drawn, it would be a sliver at the edge.
    """
    positions = _drawn(shown)
    upper = np.clip(np.cumsum(shown.proportions[positions], axis=1), 0.0, 1.0)
    upper[:, -1] = 1.0
    if positions.size > 1:
        upper[-1] = upper[-2]
    lower = np.hstack([np.zeros((positions.size, 1)), upper[:, :-1]])
    frames = []
    for k, state in enumerate(shown.states):
        edges = {"day": shown.day[positions], "lower": lower[:, k], "upper": upper[:, k]}
        frame = parted(pl.DataFrame(edges), shown.fade_day, float(shown.day[-1]))
        frames.append(frame.with_columns(pl.lit(state.label).alias("state")))
    found = pl.concat(frames)
    return found.with_columns(pl.Series("time", found["day"].to_numpy() / unit_days))


def _columns(shown: Occupancy) -> int:
    """Two columns of names if a phone has room for them."""
    return 1 if max(len(state.label) for state in shown.states) > LONG_NAME else 2


def page_height(shown: Occupancy, block: AtRiskBlock | None = None) -> int:
    """Pixels of the whole picture: legend with its title, plot, axis and numbers at risk."""
    rows = -(-len(shown.states) // _columns(shown))
    legend = rows * shared.LEGEND_ROW_HEIGHT + shared.LEGEND_OFFSET
    return legend + PLOT_HEIGHT + table_height(_blocks(block))


def _blocks(block: AtRiskBlock | None) -> tuple[AtRiskBlock, ...]:
    return () if block is None else (block,)


def stacked_states(
    shown: Occupancy,
    block: AtRiskBlock | None = None,
    *,
    tick_days: tuple[float, ...],
    last_day: float,
    unit_days: float,
    time_title: str,
    proportion_title: str,
) -> alt.LayerChart:
    """One cohort's states over time, adding to 100 %; `block` are its numbers at risk beneath.

    The axis of time goes to `last_day`: give all cohorts the same one and the same ticks. Names of
    states are in the legend, the top of the stack first, and in the bands that have room.
    """
    scale = shared.time_scale(max(last_day, float(shown.day[-1])) / unit_days)
    axis = shared.time_axis([day / unit_days for day in tick_days], time_title)
    y: dict[str, Any] = {
        "scale": alt.Scale(domain=[0, 1]),
        "axis": shared.percent_axis(proportion_title),
    }
    bare_time = alt.X("time:Q", scale=scale, axis=None)
    frame = _frame(shown, unit_days)
    # The thin line keeps neighbours apart, on the white page and on the dark one.
    area = alt.Chart(frame.drop("day")).mark_area(
        interpolate="step-after", stroke="#ffffff", strokeWidth=0.7
    )
    area = area.encode(
        x=alt.X("time:Q", scale=scale, axis=axis),
        y=alt.Y("lower:Q", **y),
        y2=alt.Y2("upper:Q"),
        color=_colour(shown),
        opacity=shared.fading(PALE, 1.0),
        detail=alt.Detail("part:N"),
    )
    layers = [area, *_name_layers(_names(shown, frame, scale.domain[1]), bare_time, y)]
    layers.append(_hover_layer(shown, unit_days, bare_time, time_title))
    return shared.over_time(layers + table_layers(_blocks(block), unit_days, scale))


def _colour(shown: Occupancy) -> alt.Color:
    downwards = shown.states[::-1]
    labels = [state.label for state in downwards]
    legend = alt.Legend(
        orient="top",
        title=shown.label,
        titleColor=palette.colour(shown.role),
        titleFontSize=12,
        titleFontWeight="bold",
        titleLimit=0,
        columns=_columns(shown),
        values=labels,
        labelFontSize=12,
        labelLimit=300,
        symbolType="square",
        symbolOpacity=1,
        symbolStrokeWidth=0,
        titlePadding=4,
        rowPadding=shared.LEGEND_ROW_PADDING,
        columnPadding=12,
        padding=0,
        offset=shared.LEGEND_OFFSET,
    )
    scale = alt.Scale(domain=labels, range=[state.colour for state in downwards])
    return alt.Color("state:N", scale=scale, legend=legend)


def _name_layers(names: pl.DataFrame, time: alt.X, y: dict[str, Any]) -> list[alt.Chart]:
    layers = []
    sides: tuple[tuple[Literal["left", "right"], int], ...] = (("right", -6), ("left", 0))
    on_light = {"test": f"datum.text === '{palette.BLACK}'", "value": palette.BLACK}
    colour = alt.ColorValue(palette.WHITE, condition=on_light)
    for align, dx in sides:
        text = alt.Chart(names.filter(pl.col("align") == align)).mark_text(
            align=align, baseline="middle", dx=dx, fontSize=12, fontWeight="bold"
        )
        middle = alt.Y("middle:Q", **y)
        layers.append(text.encode(x=time, y=middle, text=alt.Text("state:N"), color=colour))
    return layers


def _names(shown: Occupancy, frame: pl.DataFrame, last: float) -> pl.DataFrame:
    """One row a state with room for its name, at the right end or else at the left.

    Where shares are pale there is no name.

    Columns time, middle, state, align, text (its colour). `last` is the end of the axis of time.
    """
    frame = frame.filter(pl.col("part") == "full")
    end, left = frame["time"].to_numpy().max(initial=0.0), LEFT_EDGE / PHONE * last
    rows = []
    for state in shown.states:
        band = frame.filter(pl.col("state") == state.label)
        long = (len(state.label) * BOLD_LETTER + LEFT_EDGE) / PHONE * last
        places = {"right": (end - long, end, end), "left": (left, left + long, left)}
        for align, (first, until, at) in places.items():
            middle = _middle(band, first, until) if long <= end else None
            if middle is not None:
                row = {"time": at, "middle": middle, "state": state.label, "align": align}
                rows.append(row | {"text": palette.text_on(state.colour)})
                break
    schema = {name: pl.Float64() for name in ("time", "middle")}
    schema |= {name: pl.String() for name in ("state", "align", "text")}
    return pl.DataFrame(rows, schema=schema)


def _middle(band: pl.DataFrame, first: float, last: float) -> float | None:
    """The middle of what is the state's own from first to last; None without room for a name."""
    begun = band.filter(pl.col("time") <= first).tail(1)
    held = pl.concat([begun, band.filter(pl.col("time") > first, pl.col("time") <= last)])
    lower, upper = held["lower"].to_numpy().max(), held["upper"].to_numpy().min()
    return float(lower + upper) / 2 if upper - lower >= ROOM_FOR_NAME else None


def _hover_layer(shown: Occupancy, unit_days: float, x: alt.X, time_title: str) -> alt.Chart:
    """All states at the time of the pointer, the top of the stack first."""
    days = np.linspace(float(shown.day[0]), float(shown.day[-1]), shared.HOVER_POINTS)
    at = np.searchsorted(shown.day, days, side="right") - 1
    told = {
        state.label: [f"{100 * p:.1f} %" for p in shown.proportions[at, k]]
        for k, state in reversed(list(enumerate(shown.states)))
    }
    return shared.hover_layer(x, list(days / unit_days), told, time_title)
