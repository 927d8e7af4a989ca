"""The Kaplan-Meier picture: curves, bands, censoring marks, and the at-risk table under its axis.

The at-risk table is not a second chart beside the first: each cohort's rows are the labels of one
more x axis of the same view. So its columns stand under their ticks at any width, on a phone too,
and the layout reserves their room by itself.
"""

import json
from dataclasses import dataclass

import altair as alt
import numpy as np
import polars as pl

from analysis.stats.survival import AtRisk, KaplanMeier
from trial.words import say

# One luminance for all, 4.25 : 1 on white and on the dark page alike; the line type repeats the
# colour for those who do not see it.
COLOURS = ("#377cd0", "#ce5605", "#198b65", "#8d66cf", "#d04491", "#7b7b7b")
DASHES = ([1, 0], [7, 3], [2, 3], [10, 3, 2, 3], [4, 2], [1, 2])
# Two points a pixel column on a wide screen; Altair refuses more than 5,000 rows.
BUCKETS = 400
HOVER_POINTS = 120
PLOT_HEIGHT = 340
ROW_HEIGHT = 16
FIRST_ROW = 52
BLOCK_HEIGHT = 4 * ROW_HEIGHT + 6
LEGEND_ROW_HEIGHT = 18
LONG_LABEL = 14


@dataclass(frozen=True)
class Curve:
    """One cohort's curve; `role` picks its colour. It fades at `fade_day`, ends at `end_day`.

    Without `has_percentages` (too few patients) the reader is told numbers at risk alone.
    """

    label: str
    role: int
    km: KaplanMeier
    end_day: float
    fade_day: float | None
    at_risk: tuple[AtRisk, ...]
    has_percentages: bool


def _thinned(days: np.ndarray, keep: np.ndarray, end_day: float) -> np.ndarray:
    """Positions to draw: the last one of each bucket of time, so that no step is moved."""
    positions = np.flatnonzero(keep & (days <= end_day))
    buckets = np.floor(days[positions] / max(end_day, 1.0) * BUCKETS)
    last_of_bucket = np.append(np.diff(buckets) > 0, True)[: positions.size]
    return positions[last_of_bucket]


def _steps(curve: Curve, unit_days: float) -> pl.DataFrame:
    """The step function: one row a drawn step, from S(0) = 1 to the end of the curve."""
    counts, km = curve.km.counts, curve.km
    drawn = _thinned(counts.day, counts.events > 0, curve.end_day)
    day = np.concatenate(([0.0], counts.day[drawn], [curve.end_day]))
    s = np.concatenate(([1.0], km.survival[drawn]))
    # At S = 1 or 0 there are no limits; the band has no width there.
    lower = np.concatenate(([1.0], np.where(np.isnan(km.lower), km.survival, km.lower)[drawn]))
    upper = np.concatenate(([1.0], np.where(np.isnan(km.upper), km.survival, km.upper)[drawn]))
    frame = pl.DataFrame({"day": day, "survival": np.append(s, s[-1])}).with_columns(
        pl.Series("lower", np.append(lower, lower[-1])),
        pl.Series("upper", np.append(upper, upper[-1])),
    )
    return _parts(frame, curve).with_columns(
        (pl.col("day") / unit_days).alias("time"), pl.lit(curve.label).alias("cohort")
    )


def _parts(frame: pl.DataFrame, curve: Curve) -> pl.DataFrame:
    """Split where the curve fades; the step at that point belongs to both parts."""
    fade = curve.fade_day
    if fade is None or fade > curve.end_day:
        return frame.with_columns(pl.lit("full").alias("part"))
    at = frame.filter(pl.col("day") <= fade).tail(1).with_columns(pl.lit(fade).alias("day"))
    full = pl.concat([frame.filter(pl.col("day") <= fade), at])
    pale = pl.concat([at, frame.filter(pl.col("day") > fade)])
    return pl.concat(
        [
            full.with_columns(pl.lit("full").alias("part")),
            pale.with_columns(pl.lit("pale").alias("part")),
        ]
    )


def _marks(curve: Curve, unit_days: float) -> pl.DataFrame:
    counts = curve.km.counts
    drawn = _thinned(counts.day, counts.censored > 0, curve.end_day)
    return pl.DataFrame(
        {
            "time": counts.day[drawn] / unit_days,
            "survival": curve.km.survival[drawn],
            "cohort": [curve.label] * drawn.size,
        },
        schema={"time": pl.Float64, "survival": pl.Float64, "cohort": pl.String},
    )


def _height(curve: Curve, day: float) -> float:
    position = int(np.searchsorted(curve.km.counts.day, day, side="right")) - 1
    return 1.0 if position < 0 else float(curve.km.survival[position])


def _hover(curves: tuple[Curve, ...], unit_days: float) -> pl.DataFrame:
    """A grid of times; for each the sentence of every cohort."""
    last = max(c.end_day for c in curves)
    rows = []
    for day in np.linspace(0, last, HOVER_POINTS):
        row: dict[str, object] = {"time": day / unit_days}
        for c in curves:
            row[c.label] = _told(c, float(day))
        rows.append(row)
    return pl.DataFrame(rows)


def _told(curve: Curve, day: float) -> str:
    if day > curve.end_day:
        return "-"
    counts, km = curve.km.counts, curve.km
    position = int(np.searchsorted(counts.day, day, side="right")) - 1
    at_risk = int((counts.at_risk[counts.day >= day]).max(initial=0))
    at_risk_text = f"{at_risk} {say('survival.row_at_risk')}"
    if not curve.has_percentages:
        return at_risk_text
    text = f"{100 * _height(curve, day):.1f} %"
    if position >= 0 and not np.isnan(km.lower[position]):
        text += f" ({100 * km.lower[position]:.1f} to {100 * km.upper[position]:.1f})"
    return f"{text}, {at_risk_text}"


def _time_scale(curves: tuple[Curve, ...], unit_days: float) -> alt.Scale:
    last_tick = curves[0].at_risk[-1].time_days
    last = max(*(c.end_day for c in curves), last_tick)
    return alt.Scale(domain=[0, last / unit_days], nice=False, zero=True)


def _at_risk_axis(curve: Curve, position: int, unit_days: float) -> alt.Axis:
    """One cohort's block of the at-risk table: three lines of labels under each tick."""
    rows = {
        f"{row.time_days / unit_days:.4f}": [str(row.at_risk), str(row.events), str(row.censored)]
        for row in curve.at_risk
    }
    names = ["survival.row_at_risk", "survival.row_events", "survival.row_censored"]
    colour = COLOURS[curve.role]
    offset = FIRST_ROW + position * BLOCK_HEIGHT
    return alt.Axis(
        orient="bottom",
        offset=offset + ROW_HEIGHT,
        values=[row.time_days / unit_days for row in curve.at_risk],
        labelExpr=f"{json.dumps(rows)}[format(datum.value, '.4f')]",
        labelColor=colour,
        labelFontSize=12,
        labelLineHeight=ROW_HEIGHT,
        labelOverlap=False,
        labelFlush=False,
        labelPadding=0,
        domain=False,
        ticks=False,
        grid=False,
        title=[*(say(name) for name in names)],
        titleColor=colour,
        titleFontSize=12,
        titleFontWeight="normal",
        titleLineHeight=ROW_HEIGHT,
        titleAlign="right",
        titleAnchor="start",
        titleBaseline="top",
        titleX=-18,
        titleY=0,
    )


def _cohort_axis(curve: Curve, position: int) -> alt.Axis:
    """The cohort's name above its block, as the title of an axis without labels."""
    return alt.Axis(
        orient="bottom",
        offset=FIRST_ROW + position * BLOCK_HEIGHT,
        labels=False,
        domain=False,
        ticks=False,
        grid=False,
        title=curve.label,
        titleColor=COLOURS[curve.role],
        titleFontSize=12,
        titleFontWeight="bold",
        titleAlign="left",
        titleAnchor="start",
        titleBaseline="top",
        titleX=0,
        titleY=0,
    )


def _legend_columns(curves: tuple[Curve, ...]) -> int:
    """One column where names are long: side by side a phone would cut them off."""
    return 1 if max(len(c.label) for c in curves) > LONG_LABEL else 2


def page_height(curves: tuple[Curve, ...]) -> int:
    """Pixels of the whole picture: legend, plot, axis and one block a cohort."""
    legend = -(-len(curves) // _legend_columns(curves)) * LEGEND_ROW_HEIGHT + 14
    return legend + PLOT_HEIGHT + FIRST_ROW + len(curves) * BLOCK_HEIGHT + 14


@dataclass(frozen=True)
class _Scales:
    """What the layers share: time axis, bare time, survival axis, colour and line type."""

    time: alt.X
    bare_time: alt.X
    survival: alt.Y
    lower: alt.Y
    colour: alt.Color
    dash: alt.StrokeDash


def _scales(
    curves: tuple[Curve, ...], unit_days: float, time_title: str, survival_title: str
) -> _Scales:
    scale = _time_scale(curves, unit_days)
    time_axis = alt.Axis(
        values=[row.time_days / unit_days for row in curves[0].at_risk],
        title=time_title,
        grid=False,
        titlePadding=4,
        format="~g",
        labelFlush=False,
        labelOverlap=False,
    )
    survival_axis = alt.Axis(format="%", title=survival_title, values=[0, 0.25, 0.5, 0.75, 1])
    legend = alt.Legend(
        orient="top",
        title=None,
        columns=_legend_columns(curves),
        labelFontSize=12,
        labelLimit=300,
        symbolType="stroke",
        symbolSize=400,
        symbolStrokeWidth=2.5,
        symbolOpacity=1,
    )
    labels = [c.label for c in curves]
    colours = alt.Scale(domain=labels, range=[COLOURS[c.role] for c in curves])
    dashes = alt.Scale(domain=labels, range=[DASHES[c.role] for c in curves])
    return _Scales(
        time=alt.X("time:Q", scale=scale, axis=time_axis),
        bare_time=alt.X("time:Q", scale=scale, axis=None),
        survival=alt.Y("survival:Q", scale=alt.Scale(domain=[0, 1]), axis=survival_axis),
        # The same axis once more: layers share it, and one layer without it would take it away.
        lower=alt.Y("lower:Q", scale=alt.Scale(domain=[0, 1]), axis=survival_axis),
        colour=alt.Color("cohort:N", scale=colours, legend=legend),
        dash=alt.StrokeDash("cohort:N", scale=dashes, legend=legend),
    )


def survival_chart(
    curves: tuple[Curve, ...],
    *,
    unit_days: float,
    time_title: str,
    survival_title: str,
    bands: bool,
    marks: bool,
) -> alt.LayerChart:
    """Curves of one or more cohorts with their at-risk tables; time in the study's unit.

    Raises ValueError without a curve: an empty population is a sentence, not a picture.
    """
    if not curves:
        raise ValueError("no cohort has patients")
    scales = _scales(curves, unit_days, time_title, survival_title)
    steps = alt.Chart(pl.concat([_steps(c, unit_days) for c in curves]))
    steps = steps.encode(x=scales.bare_time, color=scales.colour, detail="part:N")
    layers: list[alt.Chart] = []
    if bands:
        pale_band = alt.condition("datum.part === 'pale'", alt.value(0.05), alt.value(0.13))
        band = steps.mark_area(interpolate="step-after")
        layers.append(band.encode(y=scales.lower, y2="upper:Q", opacity=pale_band))
    pale = alt.condition("datum.part === 'pale'", alt.value(0.35), alt.value(1.0))
    line = steps.mark_line(interpolate="step-after", strokeWidth=2)
    layers.append(
        line.encode(x=scales.time, y=scales.survival, strokeDash=scales.dash, opacity=pale)
    )
    if marks:
        censored = alt.Chart(pl.concat([_marks(c, unit_days) for c in curves]))
        tick = censored.mark_tick(thickness=1.2, size=8, orient="vertical", opacity=0.8)
        layers.append(tick.encode(x=scales.bare_time, y=scales.survival, color=scales.colour))
    layers.append(_hover_layer(curves, unit_days, scales.bare_time, time_title))
    layers += _table_layers(curves, unit_days, _time_scale(curves, unit_days))
    chart = (
        alt.layer(*layers)
        .resolve_axis(x="independent")
        .resolve_scale(x="shared", y="shared", color="shared", strokeDash="shared")
        .properties(height=PLOT_HEIGHT)
    )
    assert isinstance(chart, alt.LayerChart)
    return chart


def _hover_layer(
    curves: tuple[Curve, ...], unit_days: float, x: alt.X, time_title: str
) -> alt.Chart:
    nearest = alt.selection_point(
        name="hover",
        on="pointerover",
        nearest=True,
        encodings=["x"],
        empty=False,
        clear="pointerout",
    )
    labels = [f"told_{position}" for position in range(len(curves))]
    tooltip = [alt.Tooltip("time:Q", title=time_title, format=".2f")]
    tooltip += [
        alt.Tooltip(f"{field}:N", title=c.label) for field, c in zip(labels, curves, strict=True)
    ]
    frame = _hover(curves, unit_days).rename(
        {c.label: field for field, c in zip(labels, curves, strict=True)}
    )
    return (
        alt.Chart(frame)
        .mark_rule(color="#888888", strokeWidth=1)
        .encode(x=x, opacity=alt.condition(nearest, alt.value(0.7), alt.value(0)), tooltip=tooltip)
        .add_params(nearest)
    )


def _table_layers(curves: tuple[Curve, ...], unit_days: float, scale: alt.Scale) -> list[alt.Chart]:
    """Invisible marks that carry the axes of the at-risk table."""
    nothing = pl.DataFrame({"time": [0.0]})
    layers = []
    for position, curve in enumerate(curves):
        for axis in (_cohort_axis(curve, position), _at_risk_axis(curve, position, unit_days)):
            layers.append(
                alt.Chart(nothing)
                .mark_point(opacity=0, size=0)
                .encode(x=alt.X("time:Q", scale=scale, axis=axis))
            )
    return layers
