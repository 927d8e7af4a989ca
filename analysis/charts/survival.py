"""The Kaplan-Meier picture: curves, bands, censoring marks, the at-risk table under its axis."""

from dataclasses import dataclass

import altair as alt
import numpy as np
import polars as pl

from analysis.charts import curves as shared
from analysis.charts import palette
from analysis.charts.at_risk import AtRiskBlock, AtRiskColumn, table_height, table_layers
from analysis.charts.curves import PLOT_HEIGHT
from analysis.charts.steps import Steps, buckets, steps_frame, thinned
from analysis.stats.counts import AtRisk
from analysis.stats.survival import KaplanMeier
from trial.words import say

# Above the plot, for half of the topmost label of the axis.
TOP = 14
# Between the names of two curves, as a share of the axis: a line of text.
NAME_STEP = 0.055
# Of the axis of time: a curve that ends earlier is named behind its end.
ROOM_FOR_NAME = 0.4


@dataclass(frozen=True)
class Curve:
    """One cohort's curve; `role` picks its colour. It fades at `fade_day`, ends at `end_day`.

    It is survival from `start_day` on, and drawn from there, at 1.
    Without `has_percentages` (too few patients) it has its numbers at risk, and no curve.
    """

    label: str
    role: int
    km: KaplanMeier
    end_day: float
    fade_day: float | None
    at_risk: tuple[AtRisk, ...]
    has_percentages: bool
    start_day: float = 0.0

    @property
    def steps(self) -> Steps:
        """S from 1 on; at S = 1 or 0 it has no limits."""
        km, counts = self.km, self.km.counts
        return Steps(
            day=counts.day,
            height=km.survival,
            lower=km.lower,
            upper=km.upper,
            n_at_risk=counts.at_risk,
            start=1.0,
            end_day=self.end_day,
            fade_day=self.fade_day,
            start_day=self.start_day,
        )

    def told(self, day: float) -> str:
        """What the pointer is told on a day: S with its limits, at risk, events so far."""
        events = int(self.km.counts.events[self.km.counts.day <= day].sum())
        more = f", {events} {say('survival.row_events')}"
        return self.steps.told(day, say("survival.row_at_risk"), self.has_percentages, more)

    @property
    def end_height(self) -> float:
        """S where the curve ends."""
        drawn = self.km.survival[self.km.counts.day <= self.end_day]
        return float(drawn[-1]) if drawn.size else 1.0


@dataclass(frozen=True)
class Mark:
    """A published result at a time (in the unit of the axis), with its limits if it has some."""

    label: str
    time: float
    value: float
    lower: float | None
    upper: float | None


def _steps(curve: Curve, unit_days: float, n_buckets: int) -> pl.DataFrame:
    frame = steps_frame(curve.steps, unit_days, n_buckets).rename({"height": "survival"})
    return frame.with_columns(pl.lit(curve.label).alias("cohort"))


def _marks(curve: Curve, unit_days: float, n_buckets: int) -> pl.DataFrame:
    counts = curve.km.counts
    drawn = thinned(counts.day, counts.censored > 0, curve.end_day, n_buckets)
    return pl.DataFrame(
        {
            "time": counts.day[drawn] / unit_days,
            "survival": curve.km.survival[drawn],
            "cohort": [curve.label] * drawn.size,
        },
        schema={"time": pl.Float64, "survival": pl.Float64, "cohort": pl.String},
    )


def _hover_layer(
    curves: tuple[Curve, ...], unit_days: float, x: alt.X, time_title: str
) -> alt.Chart:
    days = np.linspace(0, max(c.end_day for c in curves), shared.HOVER_POINTS)
    told = {c.label: [c.told(float(day)) for day in days] for c in curves}
    return shared.hover_layer(x, list(days / unit_days), told, time_title)


def _block(curve: Curve) -> AtRiskBlock:
    names = ("survival.row_at_risk", "survival.row_events", "survival.row_censored")
    columns = tuple(
        AtRiskColumn(row.time_days, (str(row.at_risk), str(row.events), str(row.censored)))
        for row in curve.at_risk
    )
    return AtRiskBlock(curve.label, curve.role, tuple(say(name) for name in names), columns)


def page_height(curves: tuple[Curve, ...]) -> int:
    """Pixels of the whole picture: plot, axis and one block a cohort."""
    return TOP + PLOT_HEIGHT + table_height(tuple(_block(c) for c in curves))


@dataclass(frozen=True)
class _Scales:
    """What the layers share: time axis, bare time, survival axis, colour and line type."""

    scale: alt.Scale
    time: alt.X
    bare_time: alt.X
    survival: alt.Y
    lower: alt.Y
    colour: alt.Color
    dash: alt.StrokeDash


def _scales(
    curves: tuple[Curve, ...], unit_days: float, time_title: str, survival_title: str
) -> _Scales:
    ticks = [row.time_days / unit_days for row in curves[0].at_risk]
    scale = shared.time_scale(max(*(c.end_day / unit_days for c in curves), ticks[-1]))
    axis = shared.percent_axis(survival_title)
    roles = {c.label: c.role for c in curves}
    return _Scales(
        scale=scale,
        time=alt.X("time:Q", scale=scale, axis=shared.time_axis(ticks, time_title)),
        bare_time=alt.X("time:Q", scale=scale, axis=None),
        survival=alt.Y("survival:Q", scale=alt.Scale(domain=[0, 1]), axis=axis),
        # The same axis once more: layers share it, and one layer without it would take it away.
        lower=alt.Y("lower:Q", scale=alt.Scale(domain=[0, 1]), axis=axis),
        colour=alt.Color("cohort:N", scale=shared.colour_scale(roles), legend=None),
        dash=alt.StrokeDash("cohort:N", scale=shared.dash_scale(roles), legend=None),
    )


def survival_chart(
    curves: tuple[Curve, ...],
    *,
    unit_days: float,
    time_title: str,
    survival_title: str,
    bands: bool,
    marks: bool,
    milestones: tuple[float, ...] = (),
    chosen: float | None = None,
    published: tuple[Mark, ...] = (),
) -> alt.LayerChart:
    """Curves of one or more cohorts with their at-risk tables; time in the study's unit.

    Each is named where it ends. Dotted lines stand at the `milestones`, a darker one at the
    `chosen` time; `published` results of other trials are grey diamonds. Raises ValueError without
    a curve that has percentages: few patients are a sentence, not a picture.
    """
    drawn = tuple(c for c in curves if c.has_percentages)
    if not drawn:
        raise ValueError("no cohort has patients enough for a curve")
    scales = _scales(drawn, unit_days, time_title, survival_title)
    layers = _curve_layers(drawn, unit_days, scales, bands)
    if marks:
        layers.append(_mark_layer(drawn, unit_days, scales))
    layers += _milestone_layer(milestones, chosen, scales)
    layers += _name_layers(drawn, unit_days, scales)
    layers += _published_layers(published, scales)
    layers.append(_hover_layer(curves, unit_days, scales.bare_time, time_title))
    layers += table_layers(tuple(_block(c) for c in curves), unit_days, scales.scale)
    return shared.over_time(layers)


def _curve_layers(
    curves: tuple[Curve, ...], unit_days: float, scales: _Scales, bands: bool
) -> list[alt.Chart]:
    n_buckets = buckets(len(curves))
    steps = alt.Chart(pl.concat([_steps(c, unit_days, n_buckets) for c in curves]))
    steps = steps.encode(color=scales.colour, detail=alt.Detail("part:N"))
    line = steps.mark_line(interpolate="step-after", strokeWidth=2).encode(
        x=scales.time,
        y=scales.survival,
        strokeDash=scales.dash,
        opacity=shared.fading(shared.PALE_LINE, 1.0),
    )
    if not bands:
        return [line]
    band = steps.mark_area(interpolate="step-after").encode(
        x=scales.bare_time,
        y=scales.lower,
        y2=alt.Y2("upper:Q"),
        opacity=shared.fading(shared.PALE_BAND, shared.BAND),
    )
    return [band, line]


def _mark_layer(curves: tuple[Curve, ...], unit_days: float, scales: _Scales) -> alt.Chart:
    n_buckets = buckets(len(curves))
    censored = alt.Chart(pl.concat([_marks(c, unit_days, n_buckets) for c in curves]))
    tick = censored.mark_tick(thickness=1.2, size=8, orient="vertical", opacity=0.8)
    return tick.encode(x=scales.bare_time, y=scales.survival, color=scales.colour)


def _milestone_layer(
    milestones: tuple[float, ...], chosen: float | None, scales: _Scales
) -> list[alt.Chart]:
    """Dotted lines at the times at which survival is told."""
    last = scales.scale["domain"][1]
    times = [time for time in milestones if time <= last]
    if not times:
        return []
    frame = pl.DataFrame({"time": times, "is_chosen": [time == chosen for time in times]})
    lines = alt.Chart(frame).mark_rule(color=palette.NEUTRAL, strokeDash=[2, 3], strokeWidth=1)
    darker = {"test": "datum.is_chosen", "value": 0.9}
    return [lines.encode(x=scales.bare_time, opacity=alt.OpacityValue(0.35, condition=darker))]


def named_places(heights: list[float]) -> list[float]:
    """Where the names of curves stand: beside their ends, the lowest beneath and others above.

    Names keep a line of text apart, and stay on the axis.
    """
    order = sorted(range(len(heights)), key=lambda k: heights[k])
    places = [0.0] * len(heights)
    below = -1.0
    for position, k in enumerate(order):
        is_under = position == 0 and len(order) > 1 and heights[k] > NAME_STEP
        wanted = heights[k] + (-0.6 if is_under else 0.6) * NAME_STEP
        places[k] = below = max(wanted, below + NAME_STEP)
    over = max(places, default=0.0) - (1 - NAME_STEP / 2)
    return [place - max(over, 0.0) for place in places]


def _name_layers(curves: tuple[Curve, ...], unit_days: float, scales: _Scales) -> list[alt.Chart]:
    """Each curve's name where it ends: before its end, or after it where there is no room."""
    named = pl.DataFrame(
        {
            "time": [c.end_day / unit_days for c in curves],
            "survival": named_places([c.end_height for c in curves]),
            "cohort": [c.label for c in curves],
        }
    )
    is_early = pl.col("time") < ROOM_FOR_NAME * scales.scale["domain"][1]
    layers = []
    for early, rows in ((False, ~is_early), (True, is_early)):
        frame = named.filter(rows)
        if frame.height:
            names = alt.Chart(frame).mark_text(
                align="left" if early else "right",
                baseline="middle",
                fontWeight="bold",
                dx=6 if early else -2,
            )
            text = alt.Text("cohort:N")
            layers.append(
                names.encode(x=scales.bare_time, y=scales.survival, text=text, color=scales.colour)
            )
    return layers


def _published_layers(published: tuple[Mark, ...], scales: _Scales) -> list[alt.Chart]:
    """Grey diamonds with their limits and names, within the axis of time."""
    last = scales.scale["domain"][1]
    shown = [mark for mark in published if mark.time <= last]
    if not shown:
        return []
    frame = pl.DataFrame(
        {
            "time": [m.time for m in shown],
            "survival": [m.value for m in shown],
            "lower": [m.value if m.lower is None else m.lower for m in shown],
            "upper": [m.value if m.upper is None else m.upper for m in shown],
            "text": [m.label for m in shown],
        }
    )
    marks, grey = alt.Chart(frame), palette.NEUTRAL
    limits = marks.mark_rule(color=grey, strokeWidth=1.5).encode(
        x=scales.bare_time, y=scales.lower, y2=alt.Y2("upper:Q")
    )
    points = marks.mark_point(color=grey, shape="diamond", filled=True, size=70, opacity=1)
    # Above its limits, where no curve has its name.
    words = marks.mark_text(color=grey, align="right", dx=4, dy=-3, fontSize=10, baseline="bottom")
    return [
        limits,
        points.encode(x=scales.bare_time, y=scales.survival),
        words.encode(
            x=scales.bare_time,
            y=alt.Y("upper:Q", scale=alt.Scale(domain=[0, 1]), axis=scales.survival["axis"]),
            text=alt.Text("text:N"),
        ),
    ]
