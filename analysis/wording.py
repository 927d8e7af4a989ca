"""How numbers are written: percent, intervals, p values, times. Percent exists only on paper."""

from collections.abc import Callable

from analysis.stats.estimate import Estimate
from trial.study import Study
from trial.words import say
from warehouse.query import Snapshot


def percent(proportion: float) -> str:
    """0.578 -> '57.8 %'."""
    return f"{100 * proportion:.1f} %"


def percent_limits(found: Estimate) -> str:
    """The limits of a proportion: '53.9 to 61.6'."""
    return _limits(found, lambda x: f"{100 * x:.1f}")


def points(difference: float) -> str:
    """A difference of proportions in percentage points, signed: '+10.8'."""
    rounded = round(100 * difference, 1) + 0.0  # + 0.0 makes -0.0 a plain 0.0
    return f"{rounded:+.1f}".replace("-", "−")


def points_limits(found: Estimate) -> str:
    """The limits of a difference in percentage points."""
    return _limits(found, points)


def _limits(found: Estimate, write: Callable[[float], str]) -> str:
    unreached = say("value.not_reached")
    lower = unreached if found.lower is None else write(found.lower)
    upper = unreached if found.upper is None else write(found.upper)
    return say("value.limits", lower=lower, upper=upper)


def p_value(p: float) -> str:
    """With its sign, never 0: 'p = 0.032', 'p < 0.001'."""
    if p < 0.001:
        return "p < 0.001"
    return f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def time_in_words(study: Study, time: float) -> str:
    """A time in the study's unit: '5 years'."""
    return f"{time:g} {study.time_unit}{'' if time == 1 else 's'}"


def grade_label(study: Study, grade: int) -> str:
    """What a grade is called: its number, or the name of a severity."""
    return study.toxicity.steps[grade - 1] if study.toxicity.steps else str(grade)


def at_least(study: Study, grade: int) -> str:
    """A least grade in words, or a least severity where the study's scale has names for them."""
    steps = study.toxicity.steps
    if not steps:
        return say("toxicity.at_least_grade", grade=grade)
    return (
        steps[-1] if grade == len(steps) else say("toxicity.at_least_step", step=steps[grade - 1])
    )


def written(found: Estimate, write: Callable[[float], str], unit: str = "") -> str:
    """An estimate with its limits and unit, or why it (or its interval) is missing."""
    if found.estimate is None:
        return say("value.not_estimable", reason=found.reason)
    value = write(found.estimate) + unit
    if found.lower is None and found.upper is None:
        return say("value.no_interval", value=value, reason=found.reason)
    return say("value.with_limits", value=value, limits=_limits(found, write))


def crossing(found: Estimate, study: Study) -> str:
    """A time at which a curve crosses a level, in the study's unit; 'not reached' in words."""
    write = in_unit(study)
    if found.estimate is not None:
        return written(found, write, f" {study.time_unit}s")
    if found.lower is None:
        return found.reason or say("value.not_reached")
    return say("value.not_reached_from", reason=found.reason, lower=write(found.lower))


def in_unit(study: Study, signed: bool = False) -> Callable[[float], str]:
    """Writes days in the study's unit: 2083 -> '5.70'."""
    sign = "+" if signed else ""
    return lambda days: f"{days / study.unit_days:{sign}.2f}".replace("-", "−")


def cutoff_in_words(data_cutoff: str) -> str:
    """The data cut-off in words: its date, the year of the latest date, or that none is known."""
    if data_cutoff == "undated":
        return say("frame.cutoff_unknown")
    return say("frame.cutoff_year", year=data_cutoff) if len(data_cutoff) == 4 else data_cutoff


def notice(snapshot: Snapshot) -> str:
    """What every figure and table carries about its data; synthetic rows say so first."""
    told = snapshot.study.notice
    return say("frame.synthetic", notice=told) if snapshot.load["is_synthetic"] else told
