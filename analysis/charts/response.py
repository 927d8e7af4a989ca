"""Response: the proportions of the cohorts, row by row, and their differences or ratios."""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil, log

import altair as alt

from analysis.charts.dots import ROOMY, Style, Values, differences, dot_chart, layout, proportions
from analysis.charts.rows import Row

PERCENT_TICKS = tuple((x / 100, f"{x}%") for x in (0, 25, 50, 75, 100))
# Percentage points from tick to tick: the first that needs at most four on a side.
STEPS = (5, 10, 20, 25)
# Ticks above 1 of a log axis; what lies beyond the last is drawn at the edge.
RATIOS = ((1.5, 2.0), (2.0, 4.0), (3.0, 10.0), (10.0, 100.0))


def percent_values(title: str) -> Values:
    """0 to 100 %, always."""
    return Values((0.0, 1.0), PERCENT_TICKS, title)


def point_values(rows: Sequence[Row], title: str, sides: tuple[str, str] | None) -> Values:
    """Percentage points, as far on both sides of zero as any limit reaches."""
    drawn = [x for _, d in differences(rows) for x in (d.estimate, d.lower, d.upper)]
    reach = max((100 * abs(x) for x in drawn if x is not None), default=0.0)
    step = next((s for s in STEPS if reach <= 4 * s), STEPS[-1])
    n_steps = min(max(ceil(reach / step), 2), 100 // step)
    ticks = [step * k for k in range(-n_steps, n_steps + 1)]
    written = tuple((x / 100, f"{x:+d}".replace("-", "\u2212") if x else "0") for x in ticks)
    last = written[-1][0]
    said = f"\u2190 {sides[0]} \u00b7 {sides[1]} \u2192" if sides else ""
    return Values((-last, last), written, title, zero_line=True, sides=said)


def dumbbell(rows: Sequence[Row], axis_title: str) -> alt.LayerChart:
    """One row a time point or measure: a dot with its interval a cohort, on 0 to 100 %.

    Raises ValueError if no row has a proportion.
    """
    return dot_chart(rows, layout(rows, ROOMY), proportions(rows), percent_values(axis_title))


def ratio_values(rows: Sequence[Row], title: str) -> Values:
    """A log axis of ratios around a line at 1, as far on both sides as any limit reaches."""
    drawn = [x for _, d in differences(rows) for x in (d.estimate, d.lower, d.upper)]
    reach = max((abs(x) for x in drawn if x is not None), default=0.0)
    ends = next((r for r in RATIOS if log(r[-1]) >= reach), RATIOS[-1])
    ticks = tuple((log(x), f"{x:g}") for x in sorted([1.0, *ends, *(1 / x for x in ends)]))
    return Values((ticks[0][0], ticks[-1][0]), ticks, title, zero_line=True)


def difference(
    rows: Sequence[Row],
    axis_title: str,
    sides: tuple[str, str] | None = None,
    style: Style = ROOMY,
    overall: float | None = None,
) -> alt.LayerChart:
    """The differences of the same rows in percentage points around a line at zero.

    Row step and height are those of `dumbbell`, to stand right of it. `sides` says what lies left
    and right of zero; `overall` draws a line at the difference of everybody. Raises ValueError if
    no row has a difference.
    """
    values = replace(point_values(rows, axis_title, sides), overall=overall)
    return dot_chart(rows, layout(rows, style), differences(rows), values)


def ratios(rows: Sequence[Row], axis_title: str, overall: float | None = None) -> alt.LayerChart:
    """The ratios of the same rows on a log axis around a line at 1; `overall` a log ratio.

    Raises ValueError if no row has a ratio.
    """
    values = replace(ratio_values(rows, axis_title), overall=overall)
    return dot_chart(rows, layout(rows, ROOMY), differences(rows), values)


def page_height(rows: Sequence[Row], style: Style = ROOMY) -> int:
    """Pixels of either picture."""
    return layout(rows, style).page_height
