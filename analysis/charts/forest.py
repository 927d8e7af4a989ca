"""The forest: comparisons row by row, with shrunken ones as hollow marks under the raw ones.

Rows, places and colours are those of the dots (`dots.py`): the picture of the groups' own values
and this one have the same row step and stand side by side.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, exp, isfinite

import altair as alt
import polars as pl

from analysis.charts import palette
from analysis.charts.dots import ROOMY, Layout, Values, differences, dot_chart, layout, proportions
from analysis.charts.response import ratio_values
from analysis.charts.rows import Row

# Pixels from the middle of the dot down to the hollow mark.
BELOW_DOT = 10
HOLLOW = 38
# Units of time from tick to tick: the first that needs at most four on a side.
STEPS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0)


@dataclass(frozen=True)
class Shrunken:
    """The shrunken estimate of the row at a position, on the scale of the axis (log of a ratio).

    Raises ValueError for what is not finite.
    """

    row: int
    estimate: float
    lower: float
    upper: float

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if not all(map(isfinite, (self.estimate, self.lower, self.upper))):
            raise ValueError(f"row {self.row}: not a number")


def _sides(texts: tuple[str, str]) -> str:
    return f"\u2190 {texts[0]} \u00b7 {texts[1]} \u2192"


def with_sides(values: Values, sides: tuple[str, str], overall: float | None) -> Values:
    """The axis with what lies left and right of its line, and the line of everybody."""
    return replace(values, sides=_sides(sides), overall=overall)


def hazard_values(rows: Sequence[Row], title: str) -> Values:
    """A log axis of ratios around a line at 1; a third is written 0.33."""
    values = ratio_values(rows, title)
    return replace(values, ticks=tuple((x, f"{exp(x):.2g}") for x, _ in values.ticks))


def mean_values(limit: float, title: str) -> Values:
    """From 0 to the limit of the mean, in the study's unit."""
    step = next((s for s in STEPS if limit / s <= 4), STEPS[-1])
    ticks = [step * k for k in range(int(limit / step + 1e-9) + 1)]
    return Values((0.0, limit), tuple((x, f"{x:g}") for x in ticks), title)


def mean_difference_values(rows: Sequence[Row], title: str) -> Values:
    """Units of time, as far on both sides of zero as any limit reaches."""
    drawn = [x for _, d in differences(rows) for x in (d.estimate, d.lower, d.upper)]
    reach = max((abs(x) for x in drawn if x is not None), default=0.0)
    step = next((s for s in STEPS if reach <= 4 * s), STEPS[-1])
    n_steps = min(max(ceil(reach / step), 2), 4)
    ticks = [step * k for k in range(-n_steps, n_steps + 1)]
    written = tuple((x, f"{x:+g}".replace("-", "\u2212") if x else "0") for x in ticks)
    return Values((ticks[0], ticks[-1]), written, title, zero_line=True)


def values_chart(rows: Sequence[Row], values: Values) -> alt.LayerChart:
    """Each group's own value, row by row. Raises ValueError if no row has one."""
    return dot_chart(rows, layout(rows, ROOMY), proportions(rows), values)


def forest_chart(
    rows: Sequence[Row], values: Values, shrunken: Sequence[Shrunken] = ()
) -> alt.LayerChart:
    """The comparisons of the rows, and under each its shrunken one.

    Raises ValueError if no row has a comparison.
    """
    places = layout(rows, ROOMY)
    chart = dot_chart(rows, places, differences(rows), values)
    if not shrunken:
        return chart
    *layers, hover = chart.layer
    chart.layer = [*layers, *_hollow(places, values, shrunken), hover]
    return chart


def _hollow(
    places: Layout, values: Values, shrunken: Sequence[Shrunken]
) -> tuple[alt.Chart, alt.Chart]:
    """Thin lines and hollow diamonds; what lies beyond the axis ends at its edge."""
    low, high = values.domain
    frame = pl.DataFrame(
        [
            {
                "x": min(max(s.estimate, low), high),
                "lower": min(max(s.lower, low), high),
                "upper": min(max(s.upper, low), high),
                "y": (places.slots[s.row].above + places.slots[s.row].below) / 2 + BELOW_DOT,
            }
            for s in shrunken
        ]
    )
    across = alt.Scale(domain=list(values.domain), nice=False, zero=False)
    down = alt.Scale(domain=[0, places.height], reverse=True, nice=False, zero=False)
    base = alt.Chart(frame).encode(y=alt.Y("y:Q", scale=down), tooltip=alt.TooltipValue(None))
    lines = base.mark_rule(color=palette.NEUTRAL, strokeWidth=1).encode(
        x=alt.X("lower:Q", scale=across), x2=alt.X2("upper:Q")
    )
    marks = base.mark_point(
        shape="diamond", filled=False, color=palette.NEUTRAL, size=HOLLOW, strokeWidth=1.3
    )
    return lines, marks.encode(x=alt.X("x:Q", scale=across))
