"""How the groups of the rows of a forest compare: raw, shrunken, and whether levels differ.

All hazard ratios are fitted in one pass. Shrinkage and tests are of the levels of one
characteristic: levels of different ones hold the same patients. 'Not recorded' is no level there.
"""

from collections.abc import Mapping, Sequence
from math import exp, log

import numpy as np
import polars as pl

from analysis.groups import Group
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.contingency import HypothesisTest, cochran_q
from analysis.stats.counts import day_counts
from analysis.stats.estimate import Estimate, Z, not_estimable
from analysis.stats.forest import FEW_LEVELS, NO_EVIDENCE, forest, interaction
from analysis.stats.forest import METHOD as RATIO_METHOD
from analysis.stats.limits import mover_difference
from analysis.stats.restricted_mean import restricted_mean, restricted_mean_difference
from analysis.stats.shrinkage import shrunken
from analysis.stats.survival import kaplan_meier
from analysis.survival_subgroups_asked import Asked, Rows, Side, few
from trial.words import say

Q_METHOD = f"interaction, heterogeneity chi-square (Cochran's Q, inverse variance); {NO_EVIDENCE}"
COX = "Cox model, Wald interval"
# By subgroup and group.
Raw = dict[tuple[str, str], Estimate]
Sides = Mapping[str, tuple[Side, ...]]


def compared(asked: Asked, rows: Rows, sides: Sides) -> Raw:
    """Every group after the first against it, in every subgroup."""
    found: Raw = {}
    for position, group in enumerate(asked.groups[1:], start=1):
        is_ratio = asked.scale == "hazard_ratio" and not asked.refused
        ratios = _ratios(asked, rows, group) if is_ratio else {}
        for name, of in sides.items():
            one, reference = of[position], of[0]
            if reason := asked.refused or _why_not(asked, one, reference):
                found[name, group.code] = not_estimable(reason)
            elif is_ratio and _ends_at_origin(rows, name, (asked.groups[0], group)):
                found[name, group.code] = not_estimable(say("survival.all_at_origin"), COX)
            elif is_ratio:
                found[name, group.code] = ratios[name]
            else:
                found[name, group.code] = _difference(asked, rows, name, one, reference)
    return found


def _why_not(asked: Asked, one: Side, reference: Side) -> str:
    """Why two groups of a row are not compared; empty if they can be."""
    for side in (reference, one):
        if reason := _missing(asked, side):
            return say("share.of", group=side.group.label, reason=reason)
    return ""


def _missing(asked: Asked, side: Side) -> str:
    """Why a group of a row cannot be compared."""
    if side.n < FEWEST_FOR_PERCENT:
        return few(side.n)
    if asked.scale != "hazard_ratio" and side.value.estimate is None:
        return side.value.reason or ""
    return ""


def _cut(frame: pl.DataFrame, window: float | None) -> pl.DataFrame:
    """Follow-up up to a day: who is followed further is censored on it."""
    if window is None:
        return frame
    within = pl.col("time_days") <= window
    return frame.with_columns(
        pl.when(within).then("state").otherwise(0).alias("state"),
        pl.when(within).then("time_days").otherwise(window).alias("time_days"),
    )


def _ends_at_origin(rows: Rows, name: str, pair: tuple[Group, Group]) -> bool:
    """Whether a row has events of the two groups, and all of them on day 0."""
    events = [rows.of(name, group).filter(pl.col("state") == 1) for group in pair]
    last = [day for day in (frame["time_days"].max() for frame in events) if day is not None]
    return bool(last) and max(last) == 0


def _ratios(asked: Asked, rows: Rows, other: Group) -> dict[str, Estimate]:
    """The hazard ratio of every subgroup."""
    frame = _cut(rows.frame, asked.window)
    found = forest(frame, asked.groups[0].cohort_code, other.cohort_code)
    columns = ("subgroup", "hazard_ratio", "lower", "upper", "p_value", "reason")
    return {
        name: Estimate(ratio, lower, upper, p, COX, reason)
        for name, ratio, lower, upper, p, reason in found.select(columns).iter_rows()
    }


def _difference(asked: Asked, rows: Rows, name: str, one: Side, reference: Side) -> Estimate:
    if asked.scale != "rmst":
        return mover_difference(reference.value, one.value)
    before, after = (
        restricted_mean(kaplan_meier(day_counts(rows.of(name, side.group))), asked.days)
        for side in (reference, one)
    )
    return restricted_mean_difference(before, after)


# ---------------------------------------------------------------- levels of one characteristic


def _additive(asked: Asked, found: Estimate) -> tuple[float | None, float | None]:
    """Estimate and standard error (half the interval over 1.96) where they are additive."""
    if found.estimate is None or found.lower is None or found.upper is None:
        return None, None
    values = (found.estimate, found.lower, found.upper)
    value, lower, upper = (log(x) for x in values) if asked.scale == "hazard_ratio" else values
    return value, (upper - lower) / (2 * Z)


def shrunken_levels(asked: Asked, raw: Sequence[Estimate]) -> list[Estimate]:
    """The levels drawn toward their mean, in the units of the raw comparisons.

    One level, or one with a comparison: nothing to shrink toward, and the reason says so.
    """
    pairs = [_additive(asked, found) for found in raw]
    levels = shrunken([value for value, _ in pairs], [error for _, error in pairs]).levels
    return [_ratio(level) if asked.scale == "hazard_ratio" else level for level in levels]


def _ratio(level: Estimate) -> Estimate:
    """From its logarithm."""
    if level.estimate is None or level.lower is None or level.upper is None:
        return level
    values = exp(level.estimate), exp(level.lower), exp(level.upper)
    return Estimate(*values, method=level.method, reason=level.reason)


def tested(
    asked: Asked, rows: Rows, names: Sequence[str], group: Group, raw: Sequence[Estimate]
) -> HypothesisTest:
    """Whether the comparison of a group depends on the level; `names` are the levels' subgroups."""
    if asked.scale == "hazard_ratio":
        return _ratio_tested(asked, rows, names, group)
    pairs = [_additive(asked, found) for found in raw]
    known = [(value, error) for value, error in pairs if value is not None and error]
    if len(known) < 2:
        return HypothesisTest(None, Q_METHOD, reason=FEW_LEVELS)
    values, errors = (np.array(x) for x in zip(*known, strict=True))
    return cochran_q(values, errors**2, Q_METHOD)


def _ratio_tested(asked: Asked, rows: Rows, names: Sequence[str], group: Group) -> HypothesisTest:
    frame = _cut(rows.frame.filter(pl.col("subgroup").is_in(names)), asked.window)
    pair = (asked.groups[0], group)
    fewest = min(sum(int(rows.of(name, side)["n"].sum()) for name in names) for side in pair)
    if fewest < FEWEST_FOR_PERCENT:
        return HypothesisTest(None, RATIO_METHOD, reason=few(fewest))
    if all(_ends_at_origin(rows, name, pair) for name in names):
        return HypothesisTest(None, RATIO_METHOD, reason=say("survival.all_at_origin"))
    found = interaction(frame, asked.groups[0].cohort_code, group.cohort_code)
    told = (found.p_value, found.method, found.chi_square, found.degrees_of_freedom)
    return HypothesisTest(*told, reason=found.reason)
