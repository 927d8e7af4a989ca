"""What pictures of curves over time share: axes, legend, fading, and the rule under the pointer."""

import altair as alt
import polars as pl

from analysis.charts import palette
from analysis.charts.layers import layered

PLOT_HEIGHT = 340
HOVER_POINTS = 120
LEGEND_ROW_HEIGHT = 18
LEGEND_ROW_PADDING = 4
LEGEND_OFFSET = 14
LONG_LABEL = 14
PALE_LINE, PALE_BAND, BAND = 0.35, 0.05, 0.13


def fading(pale: float, full: float) -> alt.OpacityValue:
    """Opacity by part of a curve."""
    return alt.OpacityValue(full, condition={"test": "datum.part === 'pale'", "value": pale})


def time_scale(last: float) -> alt.Scale:
    """From 0 to exactly the last time: all charts of one page can share it."""
    return alt.Scale(domain=[0, last], nice=False, zero=True)


def time_axis(ticks: list[float], title: str) -> alt.Axis:
    """The axis of time with its ticks; the at-risk table goes under it."""
    return alt.Axis(
        values=ticks,
        title=title,
        grid=False,
        titlePadding=4,
        # Not `format`: the page shortens what that writes, 112 to 1.1e+2.
        labelExpr="format(datum.value, '.6~g')",
        labelFlush=False,
        labelOverlap=False,
    )


def percent_axis(title: str) -> alt.Axis:
    """0 to 100 %, always."""
    return alt.Axis(format="%", title=title, values=[0, 0.25, 0.5, 0.75, 1])


def legend_columns(labels: list[str]) -> int:
    """One column where names are long: side by side a phone would cut them off."""
    return 1 if max(len(label) for label in labels) > LONG_LABEL else 2


def legend_height(labels: list[str]) -> int:
    """Pixels of a legend above the plot."""
    return -(-len(labels) // legend_columns(labels)) * LEGEND_ROW_HEIGHT + LEGEND_OFFSET


def line_legend(labels: list[str], stroke_width: float | None = 2.5) -> alt.Legend:
    """The legend of lines, above the plot; None: their widths come from their scale."""
    width = alt.Undefined if stroke_width is None else stroke_width
    return alt.Legend(
        orient="top",
        title=None,
        columns=legend_columns(labels),
        labelFontSize=12,
        labelLimit=300,
        symbolType="stroke",
        symbolSize=400,
        symbolStrokeWidth=width,
        symbolOpacity=1,
        # Said here, so that page and export have the same height.
        rowPadding=LEGEND_ROW_PADDING,
        columnPadding=12,
        padding=0,
        offset=LEGEND_OFFSET,
    )


def colour_scale(roles: dict[str, int]) -> alt.Scale:
    """Cohort labels to their colours."""
    return alt.Scale(domain=list(roles), range=[palette.colour(role) for role in roles.values()])


def dash_scale(roles: dict[str, int]) -> alt.Scale:
    """Cohort labels to their line types."""
    return alt.Scale(domain=list(roles), range=[palette.dash(role) for role in roles.values()])


def hover_layer(
    x: alt.X,
    times: list[float],
    told: dict[str, list[str]],
    time_title: str,
    time_format: str = ".2f",
) -> alt.Chart:
    """A rule that follows the pointer and tells, at its time, one sentence a label.

    `told` has for each label one sentence a time, which is written in `time_format`. Labels become
    titles, never names of fields.
    """
    fields = {f"told_{position}": label for position, label in enumerate(told)}
    frame = pl.DataFrame({"time": times} | {field: told[label] for field, label in fields.items()})
    nearest = alt.selection_point(
        name="hover",
        on="pointerover",
        nearest=True,
        encodings=["x"],
        empty=False,
        clear="pointerout",
    )
    tooltip = [alt.Tooltip("time:Q", title=time_title, format=time_format)]
    tooltip += [alt.Tooltip(f"{field}:N", title=label) for field, label in fields.items()]
    shown = alt.condition(nearest, alt.value(0.7), alt.value(0))
    return (
        alt.Chart(frame)
        .mark_rule(color="#888888", strokeWidth=1)
        .encode(x=x, opacity=shown, tooltip=tooltip)
        .add_params(nearest)
    )


def over_time(layers: list[alt.Chart]) -> alt.LayerChart:
    """The layers as one view: every layer has its own axis of time, or none; all else is shared."""
    resolve = alt.Resolve(
        axis={"x": "independent"},
        scale={"x": "shared", "y": "shared", "color": "shared", "strokeDash": "shared"},
    )
    return layered(layers, PLOT_HEIGHT, resolve=resolve, view=alt.Undefined)
