"""The fair comparison in pictures: curves as they were and weighted, balance, propensities."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from analysis import survival_fair_disclosed as told_of
from analysis.answer import Account, Figure
from analysis.charts import balance as chart
from analysis.charts.rows import Row
from analysis.charts.survival import Curve, page_height, survival_chart
from analysis.groups import origin_label
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.counts import DayCounts, at_risk_table
from analysis.stats.fair_comparison import FEW, MAX_DIFFERENCE, MAX_DIFFERENCE_OF_FEW
from analysis.stats.survival import KaplanMeier
from analysis.stats.weighted_survival import WeightedKaplanMeier
from analysis.survival_fair_results import Fair, Pair
from analysis.survival_fair_words import covariates, names, whom
from analysis.survival_results import CohortSurvival
from analysis.survival_tables import end_day, fade_day, tick_days
from trial.words import say


def fair_figures(fair: Fair, pair: Pair, headline: str, end: str) -> Iterator[Figure]:
    """The figures of a pair; their codes and tables end in `end`. Curves only if it is offered."""
    for figure in (*_curve_figures(fair, pair), *_balance_figures(fair, pair)):
        told = say("fair.alt", title=figure.title, headline=headline)
        tables = tuple(f"{code}{end}" for code in figure.tables)
        yield replace(figure, code=f"{figure.code}{end}", tables=tables, alt_text=told)


# ---------------------------------------------------------------- curves


def _curve(fair: Fair, c: CohortSurvival, km: KaplanMeier) -> Curve:
    counts = km.counts
    return Curve(
        label=c.cohort.label,
        role=c.cohort.role,
        km=km,
        end_day=end_day(counts),
        fade_day=_fade_day(fair, counts),
        at_risk=at_risk_table(counts, tick_days(fair.results)),
        has_percentages=counts.n >= FEWEST_FOR_PERCENT,
    )


def _fade_day(fair: Fair, counts: DayCounts) -> float | None:
    """Pale below ten at risk, and beyond the follow-up that the cohorts share."""
    own = fade_day(counts)
    return min((day for day in (own, fair.cut_day) if day is not None), default=None)


def _as_drawn(weighted: WeightedKaplanMeier) -> KaplanMeier:
    """A weighted curve as the picture takes one: its steps, its limits, the patients at risk."""
    s, error = weighted.survival, weighted.standard_error
    relative = np.divide(error, s, out=np.full(s.size, np.inf), where=s > 0)
    return KaplanMeier(weighted.patients, s, relative**2, weighted.lower, weighted.upper)


def _curve_figures(fair: Fair, pair: Pair) -> tuple[Figure, ...]:
    """The same two cohorts as they were and weighted, side by side; none if it is not offered."""
    if pair.outcome is None:
        return ()
    sides = (pair.older, pair.newer)
    drawn = (_as_drawn(curve) for curve in pair.outcome.curves)
    crude = tuple(_curve(fair, c, c.km) for c in sides)
    weighted = tuple(_curve(fair, c, km) for c, km in zip(sides, drawn, strict=True))
    return (
        Figure(
            code="fair_crude",
            title=say("fair.title_crude", **names(pair)),
            caption=_crude_caption(fair),
            accounts=_accounts(fair, pair, pair.found.n),
            **_drawn(fair, crude),
        ),
        Figure(
            code="fair_weighted",
            title=say("fair.title_weighted", whom=whom(pair)),
            caption=_weighted_caption(fair, pair),
            accounts=_accounts(fair, pair, pair.found.n_used),
            beside=True,
            **_drawn(fair, weighted),
        ),
    )


def _crude_caption(fair: Fair) -> str:
    definition = fair.results.endpoint.definition
    return fair.on.caption("fair.caption_crude", definition=definition)


def _weighted_caption(fair: Fair, pair: Pair) -> str:
    target = say(f"fair.weights_{pair.found.plan.target}", **names(pair))
    told: dict[str, Any] = {"definition": fair.results.endpoint.definition, "weights": target}
    told |= {"whom": whom(pair), "cohort": pair.newer.cohort.label}
    told["covariates"] = covariates(fair)
    return fair.on.caption("fair.caption_weighted", **told)


def _drawn(fair: Fair, curves: tuple[Curve, ...]) -> dict:
    """What both figures of curves have in common."""
    study, view, endpoint = fair.on.study, fair.on.view, fair.results.endpoint
    origin = origin_label(study, endpoint, view.selection)
    draw = partial(
        survival_chart,
        curves,
        unit_days=study.unit_days,
        time_title=say("survival.axis_time", unit=study.time_unit.capitalize(), origin=origin),
        survival_title=endpoint.label,
        bands=view.bands,
        marks=view.marks,
        milestones=tuple(study.milestone_times),
        chosen=view.time,
    )
    steps = told_of.curves(fair, tuple(curve.km.counts for curve in curves))
    return {
        "draw": draw,
        "page_height": page_height(curves),
        "alt_text": "",
        "tables": ("fair_weights",),
        "disclosed": (told_of.together(fair), steps),
    }


def _accounts(fair: Fair, pair: Pair, shown: tuple[int, int]) -> tuple[Account, ...]:
    """Of all enrolled in each cohort: shown, outside the population, without a time, one-sided."""
    found, together = [], told_of.together(fair)
    for c, n_all, n in zip((pair.older, pair.newer), pair.found.n, shown, strict=True):
        left_out = {
            say("account.filtered"): c.size.n_enrolled - c.size.n_population,
            say("fair.without_time"): c.size.n_population - n_all,
            say("fair.one_sided_short"): n_all - n,
        }
        told = tuple((reason, k) for reason, k in left_out.items() if k)
        found.append(Account(c.cohort.label, c.size.n_enrolled, n, told, together))
    return tuple(found)


# ---------------------------------------------------------------- balance, propensities


def _balance_figures(fair: Fair, pair: Pair) -> Iterator[Figure]:
    """Distances before and after; the bars of propensity where there is one."""
    rows = _balance_rows(pair)
    if any(item.estimate is not None for row in rows for item in row.proportions):
        yield _balance_figure(fair, pair, rows)
    if pair.found.propensity:
        yield _overlap_figure(fair, pair)


def _balance_rows(pair: Pair) -> list[Row]:
    rows = []
    for x in pair.found.balance:
        distances = [("fair.before", chart.BEFORE_ROLE, x.difference_before)]
        if x.difference_after is not None:
            distances.append(("fair.after", chart.AFTER_ROLE, x.difference_after))
        items = (
            chart.distance(say(key), role, found.estimate, found.reason or "")
            for key, role, found in distances
        )
        rows.append(Row(x.covariate, tuple(items)))
    return rows


def _balance_figure(fair: Fair, pair: Pair, rows: list[Row]) -> Figure:
    allowed = MAX_DIFFERENCE if sum(pair.found.n_used) >= FEW else MAX_DIFFERENCE_OF_FEW
    after = say("fair.caption_after") if pair.found.is_offered else ""
    return Figure(
        code="fair_balance",
        title=say("fair.title_balance", **names(pair)),
        draw=partial(chart.balance, rows, say("fair.axis_balance"), allowed),
        page_height=chart.balance_height(rows),
        caption=fair.on.caption("fair.caption_balance", after=after, **names(pair)),
        alt_text="",
        tables=("fair_balance",),
        disclosed=(told_of.together(fair),),
    )


def _overlap_figure(fair: Fair, pair: Pair) -> Figure:
    found = pair.found
    assert found.propensity
    support, (older, newer) = found.propensity.support, told_of.bins(found)
    told: dict[str, Any] = {"inside": sum(support.n_inside), "of": sum(found.n)}
    told["covariates"] = covariates(fair)
    draw = partial(
        chart.overlap,
        chart.Propensities(pair.older.cohort.label, pair.older.cohort.role, older),
        chart.Propensities(pair.newer.cohort.label, pair.newer.cohort.role, newer),
        (support.lower, support.upper),
        say("fair.axis_overlap", cohort=pair.newer.cohort.label),
    )
    return Figure(
        code="fair_overlap",
        title=say("fair.title_overlap"),
        draw=draw,
        page_height=chart.overlap_height(),
        caption=fair.on.caption("fair.caption_overlap", **told, **names(pair)),
        alt_text="",
        tables=("fair_overlap",),
        disclosed=(told_of.together(fair), told_of.propensities(pair)),
    )
