"""What stands beside rows of dots: a line between sections, marks of opening, small texts.

Every function takes places in pixels from the top and `y`, the encoding that the rows share. What
moves with its label comes twice: for a phone and for a wide plot.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import polars as pl

from analysis.charts import palette

MARK_SIZE = 56
SMALL_FONT = 10


@dataclass(frozen=True)
class Place:
    """Pixels from the left and from the top, on a phone or on a wide plot."""

    is_narrow: bool
    x: float
    y: float


def section_layer(at: float, y: alt.Y) -> alt.Chart:
    """A thin line across the plot."""
    rule = alt.Chart(pl.DataFrame({"y": [at]}))
    rule = rule.mark_rule(color=palette.NEUTRAL, strokeWidth=1, opacity=0.7)
    return rule.encode(x=alt.XValue(0), x2=alt.X2Value("width"), y=y)


def open_layer(marks: Sequence[tuple[Place, bool]], y: alt.Y, wide: float) -> alt.Chart:
    """Before the label of a row that opens: a triangle to the right; down if it is open.

    Drawn, not written: not every font has them.
    """
    frame = _frame([place for place, _ in marks]).with_columns(
        pl.Series("shape", [_shape(is_open) for _, is_open in marks], pl.String)
    )
    points = _shown(frame, wide).mark_point(
        filled=True, opacity=1, size=MARK_SIZE, color=palette.NEUTRAL
    )
    at = alt.X("x:Q", scale=None, axis=None)
    return points.encode(x=at, y=y, shape=alt.Shape("shape:N", scale=None))


def _shape(is_open: bool) -> str:
    return "triangle-down" if is_open else "triangle-right"


def small_layer(texts: Sequence[tuple[Place, str]], y: alt.Y, wide: float) -> alt.Chart:
    """Small texts that begin at their places."""
    frame = _frame([place for place, _ in texts]).with_columns(
        pl.Series("text", [text for _, text in texts], pl.String)
    )
    words = _shown(frame, wide).mark_text(
        align="left", baseline="top", fontSize=SMALL_FONT, color=palette.NEUTRAL, dy=2
    )
    return words.encode(x=alt.X("x:Q", scale=None, axis=None), y=y, text=alt.Text("text:N"))


def _frame(places: Sequence[Place]) -> pl.DataFrame:
    schema = {"is_narrow": pl.Boolean(), "x": pl.Float64(), "y": pl.Float64()}
    return pl.DataFrame([vars(place) for place in places], schema=schema)


def _shown(frame: pl.DataFrame, wide: float) -> alt.Chart:
    """Of the two places of each the one for the plot as it is drawn."""
    return alt.Chart(frame).transform_filter(f"datum.is_narrow === (width < {wide:g})")
