"""Balance of two cohorts: distances before and after weighting, and who could have been in both.

The distances are rows of dots on one axis from 0, with a dashed line at the distance that is
allowed. The propensities are bars: patients of the newer cohort upwards, of the older one
downwards, so that what both have stands opposite each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import altair as alt
import polars as pl

from analysis.charts import palette
from analysis.charts.axes import round_step
from analysis.charts.dots import ROOMY, Values, dot_chart, layout, proportions
from analysis.charts.labels import label_expr
from analysis.charts.layers import layered
from analysis.charts.rows import Amount, Row

# Roles of what is neither of two cohorts: as it was, and weighted.
BEFORE_ROLE, AFTER_ROLE = 5, 3
PANEL, AXIS_HEIGHT, NAME_HEIGHT = 110, 52, 22
# Of a bar's share, left and right of it.
EDGE = 0.06


def balance(rows: Sequence[Row], axis_title: str, allowed: float) -> alt.LayerChart:
    """One row a covariate: its distance before and after; dashed: the largest that is allowed.

    Rows hold `Amount`s of 0 or more. Raises ValueError without any, and for one below 0.
    """
    items = proportions(rows)
    known = [item.estimate for _, item in items if item.estimate is not None]
    if min(known, default=0.0) < 0:
        raise ValueError("a distance below 0")
    reach = max([*known, 1.5 * allowed])
    step = round_step(reach, 4)
    ticks = tuple((k * step, f"{k * step:.2g}") for k in range(ceil(reach / step - 1e-9) + 1))
    values = Values((0.0, ticks[-1][0]), ticks, axis_title, overall=allowed)
    return dot_chart(rows, layout(rows, ROOMY), items, values)


def balance_height(rows: Sequence[Row]) -> int:
    """Pixels of that picture."""
    return layout(rows, ROOMY).page_height


def distance(label: str, role: int, value: float | None, instead: str) -> Amount:
    """A distance as a row shows it: two decimals, or why there is none."""
    number = "" if value is None else f"{value:.2f}"
    return Amount(label, role, value, number=number, instead=instead)


@dataclass(frozen=True)
class Propensities:
    """How many patients of a cohort have a propensity in each of equal bins from 0 to 1.

    Raises ValueError without a bin and for fewer than no patients.
    """

    label: str
    role: int
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if not self.counts or min(self.counts) < 0:
            raise ValueError(f"{self.label}: {self.counts} patients in bins of propensity")


def overlap_height() -> int:
    """Pixels of the picture: a name and bars upwards, a name and bars downwards, the axis."""
    return 2 * (PANEL + NAME_HEIGHT) + AXIS_HEIGHT


def overlap(
    older: Propensities, newer: Propensities, shared: tuple[float, float], axis_title: str
) -> alt.LayerChart:
    """Bars of both cohorts on one scale of patients; pale behind them the range that both have.

    `shared`: from where to where; empty if its ends are out of order. Raises ValueError for
    cohorts of different bins.
    """
    if len(older.counts) != len(newer.counts):
        raise ValueError("cohorts of different bins")
    top = max(1, *older.counts, *newer.counts)
    y = _count_scale(top)
    x = _across(axis_title)
    layers = [_range(shared, x), _bars(older, newer, x, y), _middle(y)]
    layers += _names(older, newer)
    return layered(layers, 2 * (PANEL + NAME_HEIGHT), view=alt.Undefined)


def _across(title: str) -> alt.X:
    """The propensity. Layers share its axis, and one layer without it would take it away."""
    scale = alt.Scale(domain=[0, 1], nice=False, zero=True)
    axis = alt.Axis(values=[0, 0.2, 0.4, 0.6, 0.8, 1], format="%", title=title, grid=False)
    return alt.X("x:Q", scale=scale, axis=axis)


def _count_scale(top: int) -> alt.Y:
    """Patients up and down from the middle, as far as the fuller bar, with room for the names."""
    step = max(1, round(round_step(float(top), 3)))
    far = top * (PANEL + NAME_HEIGHT) / PANEL
    at = list(range(0, top + 1, step))
    texts = {float(sign * n): [str(n)] for n in at for sign in (1, -1)}
    axis = alt.Axis(
        values=list(texts),
        labelExpr=label_expr(texts, 1, start=-far),
        title=None,
        grid=True,
        domain=False,
        ticks=False,
        labelOverlap=False,
    )
    return alt.Y("y:Q", scale=alt.Scale(domain=[-far, far], nice=False), axis=axis)


def _bars(older: Propensities, newer: Propensities, x: alt.X, y: alt.Y) -> alt.Chart:
    n = len(older.counts)
    rows = [
        {
            "x": (k + EDGE) / n,
            "x2": (k + 1 - EDGE) / n,
            "y": float(sign * count),
            "y2": 0.0,
            "colour": palette.colour(cohort.role),
            "bin": f"{100 * k / n:.0f} to {100 * (k + 1) / n:.0f} %",
            "older": older.counts[k],
            "newer": newer.counts[k],
        }
        for cohort, sign in ((older, -1), (newer, 1))
        for k, count in enumerate(cohort.counts)
        if count
    ]
    schema = {name: pl.Float64() for name in ("x", "x2", "y", "y2")}
    schema |= {"colour": pl.String(), "bin": pl.String()}
    frame = pl.DataFrame(rows, schema=schema | {"older": pl.Int64(), "newer": pl.Int64()})
    return (
        alt.Chart(frame)
        .mark_rect(opacity=1)
        .encode(
            x=x,
            x2=alt.X2("x2:Q"),
            y=y,
            y2=alt.Y2("y2:Q"),
            color=alt.Color("colour:N", scale=None),
            # The tooltip puts what is called `title` above all else.
            tooltip=[
                alt.Tooltip("bin:N", title="title"),
                alt.Tooltip("older:Q", title=older.label),
                alt.Tooltip("newer:Q", title=newer.label),
            ],
        )
    )


def _range(shared: tuple[float, float], x: alt.X) -> alt.Chart:
    lower, upper = shared
    rows = [{"x": lower, "x2": upper}] if lower <= upper else []
    frame = pl.DataFrame(rows, schema={"x": pl.Float64(), "x2": pl.Float64()})
    area = alt.Chart(frame).mark_rect(color=palette.NEUTRAL, opacity=0.14, tooltip=None)
    return area.encode(x=x, x2=alt.X2("x2:Q"))


def _middle(y: alt.Y) -> alt.Chart:
    rule = alt.Chart(pl.DataFrame({"y": [0.0]})).mark_rule(color=palette.NEUTRAL, tooltip=None)
    return rule.encode(y=y)


def _names(older: Propensities, newer: Propensities) -> list[alt.Chart]:
    """Each cohort's name in its colour: the newer one's on top, the older one's at the bottom."""
    layers = []
    for cohort, place in ((newer, 4), (older, 2 * (PANEL + NAME_HEIGHT) - 16)):
        text = alt.Chart(pl.DataFrame({"text": [f"{cohort.label}: {sum(cohort.counts)}"]}))
        text = text.mark_text(
            align="left", baseline="top", fontSize=12, fontWeight="bold", tooltip=None
        )
        layers.append(
            text.encode(
                x=alt.XValue(4),
                y=alt.YValue(place),
                text=alt.Text("text:N"),
                color=alt.ColorValue(palette.colour(cohort.role)),
            )
        )
    return layers
