"""Cumulative incidence with competing events: curves from 0 up, and the at-risk table beneath."""

from dataclasses import dataclass

import altair as alt
import numpy as np
import polars as pl

from analysis.charts import curves as shared
from analysis.charts.at_risk import AtRiskBlock, table_height, table_layers
from analysis.charts.curves import PLOT_HEIGHT
from analysis.charts.steps import Steps, buckets, steps_frame

# Line widths of the states, the first one first.
WIDTHS = (2.4, 1.2, 0.7)
ROUNDING = 1e-9


@dataclass(frozen=True)
class IncidenceCurve:
    """One cohort's cumulative incidence of one state, arrays (K,) over ascending distinct days.

    `incidence` is right-continuous, 0 before the first day; `lower` and `upper` are NaN where
    there are no limits; `n_at_risk` is at risk just before each day. `role` picks colour and line
    type, `state` (in words) the width: the first state drawn is thickest. The curve is pale from
    `fade_day` on and ends at `end_day`. Without `has_percentages` (too few patients) the reader is
    told numbers at risk alone. Raises ValueError for arrays of different lengths and for an
    incidence outside 0 to 1.
    """

    label: str
    role: int
    state: str
    day: np.ndarray
    incidence: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    n_at_risk: np.ndarray
    end_day: float
    fade_day: float | None
    has_percentages: bool = True

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        arrays = (self.incidence, self.lower, self.upper, self.n_at_risk)
        if any(array.shape != self.day.shape for array in arrays):
            raise ValueError(f"{self.label}: one number a day is needed")
        if not np.all((self.incidence >= 0) & (self.incidence <= 1 + ROUNDING)):
            raise ValueError(f"{self.label}: an incidence is no number from 0 to 1")

    @property
    def steps(self) -> Steps:
        """The curve, from 0 on."""
        return Steps(
            day=self.day,
            height=self.incidence,
            lower=self.lower,
            upper=self.upper,
            n_at_risk=self.n_at_risk,
            start=0.0,
            end_day=self.end_day,
            fade_day=self.fade_day,
        )


def _named(curves: tuple[IncidenceCurve, ...]) -> dict[str, IncidenceCurve]:
    """The curves by the name that the legend gives them: the state is said if there are several."""
    if not curves:
        raise ValueError("no curve to draw")
    one_state = len({c.state for c in curves}) == 1
    named = {c.label if one_state else f"{c.label}, {c.state}": c for c in curves}
    if len(named) < len(curves):
        raise ValueError("two curves of one cohort and state")
    return named


def _frame(name: str, curve: IncidenceCurve, unit_days: float, n_buckets: int) -> pl.DataFrame:
    """One row a drawn step: time, incidence, lower, upper, part, curve."""
    frame = steps_frame(curve.steps, unit_days, n_buckets).rename({"height": "incidence"})
    return frame.with_columns(pl.lit(name).alias("curve"))


def page_height(curves: tuple[IncidenceCurve, ...], blocks: tuple[AtRiskBlock, ...]) -> int:
    """Pixels of the whole picture: legend, plot, axis and at-risk table."""
    return shared.legend_height(list(_named(curves))) + PLOT_HEIGHT + table_height(blocks)


def incidence_chart(
    curves: tuple[IncidenceCurve, ...],
    blocks: tuple[AtRiskBlock, ...],
    *,
    tick_days: tuple[float, ...],
    unit_days: float,
    time_title: str,
    incidence_title: str,
    at_risk: str,
    bands: bool,
    whole_days: bool = False,
) -> alt.LayerChart:
    """Curves of one or more cohorts and states on 0 to 100 %, with their at-risk table.

    `blocks` is the table, one block a cohort, its columns at `tick_days`; time is shown in units of
    `unit_days`. `at_risk` are the words after a number at risk where the pointer is. `whole_days`:
    of a time of few days every day is told, and nothing between two. Raises ValueError without a
    curve, for two of one cohort and state, and for whole days in another unit.
    """
    if whole_days and unit_days != 1:
        raise ValueError(f"whole days in units of {unit_days:g} days")
    named = _named(curves)
    scale = shared.time_scale(max(*(c.end_day for c in curves), *tick_days) / unit_days)
    axis = shared.time_axis([day / unit_days for day in tick_days], time_title)
    bare_time = alt.X("time:Q", scale=scale, axis=None)
    band, line = _curve_layers(named, unit_days, incidence_title)
    layers = [band.encode(x=bare_time)] if bands else []
    layers.append(line.encode(x=alt.X("time:Q", scale=scale, axis=axis)))
    days = _told_days(named, whole_days)
    told = {
        name: [c.steps.told(float(day), at_risk, c.has_percentages) for day in days]
        for name, c in named.items()
    }
    times, written = list(days / unit_days), "d" if whole_days else ".2f"
    layers.append(shared.hover_layer(bare_time, times, told, time_title, written))
    return shared.over_time(layers + table_layers(blocks, unit_days, scale))


def _curve_layers(
    named: dict[str, IncidenceCurve], unit_days: float, title: str
) -> tuple[alt.Chart, alt.Chart]:
    """The bands and the lines."""
    n_buckets, roles = buckets(len(named)), {name: c.role for name, c in named.items()}
    height, axis = alt.Scale(domain=[0, 1]), shared.percent_axis(title)
    names = list(named)
    legend = shared.line_legend(names, stroke_width=None)
    frames = [_frame(name, c, unit_days, n_buckets) for name, c in named.items()]
    steps = alt.Chart(pl.concat(frames)).encode(
        color=alt.Color("curve:O", sort=names, scale=shared.colour_scale(roles), legend=legend),
        detail=alt.Detail("part:N"),
    )
    line = steps.mark_line(interpolate="step-after").encode(
        y=alt.Y("incidence:Q", scale=height, axis=axis),
        strokeDash=alt.StrokeDash(
            "curve:O", sort=names, scale=shared.dash_scale(roles), legend=legend
        ),
        strokeWidth=alt.StrokeWidth("curve:O", sort=names, scale=_widths(named), legend=legend),
        opacity=shared.fading(shared.PALE_LINE, 1.0),
    )
    # The same axis once more: layers share it, and one layer without it would take it away.
    band = steps.mark_area(interpolate="step-after").encode(
        y=alt.Y("lower:Q", scale=height, axis=axis),
        y2=alt.Y2("upper:Q"),
        opacity=shared.fading(shared.PALE_BAND, shared.BAND),
    )
    return band, line


def _widths(named: dict[str, IncidenceCurve]) -> alt.Scale:
    states = list(dict.fromkeys(c.state for c in named.values()))
    widths = [WIDTHS[min(states.index(c.state), len(WIDTHS) - 1)] for c in named.values()]
    return alt.Scale(type="ordinal", domain=list(named), range=widths)


def _told_days(named: dict[str, IncidenceCurve], whole_days: bool) -> np.ndarray:
    """The days that the pointer can be told of."""
    last = max(c.end_day for c in named.values())
    return np.arange(last + 1) if whole_days else np.linspace(0, last, shared.HOVER_POINTS)
