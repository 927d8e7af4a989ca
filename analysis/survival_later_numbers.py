"""Groups by something known only later: the tidy numbers.

`item_code` is the split and the level, `timepoint_code` the landmark; days count from the landmark.
Of curves in time days count from time zero, and `timepoint_code` is the day on which they start.
A split of infusions has no p-value.
"""

from dataclasses import replace

from analysis import survival_later_disclosed as told_of
from analysis.answer import Disclosed, Number, of_estimate
from analysis.stats.estimate import Estimate
from analysis.survival_later_model import Later, Scope, Side
from analysis.survival_later_time import Changing


def _base(later: Later) -> Number:
    return replace(later.on.number(), endpoint=later.endpoint.code)


def _item(later: Later, level: str) -> str:
    return f"{later.split.code}/{level}"


def _counts(later: Later, scope: Scope, base: Number) -> list[Number]:
    """Under observation, their events, and who is left out, of each level."""
    numbers, disclosed = [], told_of.dropped(later)
    for side in scope.sides:
        of, gone = side.n + side.dropped.n, side.dropped
        counts = {
            "n": (side.n, of),
            "events": (side.counts.n_events, side.n),
            "dropped_events": (gone.events, of),
            "dropped_censored": (gone.censored, of),
        }
        row = replace(base, item_code=_item(later, side.code), disclosed=disclosed)
        if side is scope.pair[0] and scope.n_later is not None:
            counts["switched_later"] = (scope.n_later, side.n)
        numbers += [_count(row, code, n, whole) for code, (n, whole) in counts.items()]
    if n := scope.n_in_doubt:
        row = replace(base, item_code=later.split.code, disclosed=disclosed)
        numbers.append(_count(row, "in_doubt", n, scope.n + scope.n_dropped + n))
    return numbers


def _count(row: Number, code: str, n: int, of: int) -> Number:
    row = replace(row, statistic="landmark_count", level_code=code, unit="patients")
    return replace(row, estimate=n, numerator=n, denominator=of, method="count")


def _survival(later: Later, scope: Scope, side: Side, base: Number) -> list[Number]:
    numbers, unit = [], later.on.study.unit_days
    row = replace(base, statistic="landmark_survival", unit="proportion", denominator=side.n)
    row = replace(row, item_code=_item(later, side.code))
    for time in later.on.study.milestone_times:
        days = time * unit
        row = replace(row, time_days=days, disclosed=told_of.at_time(later, time))
        found = of_estimate(scope.at(side, days))
        numbers.append(replace(row, numerator=side.events_by(days), **found))
    return numbers


def _compared(later: Later, scope: Scope, base: Number) -> list[Number]:
    """The other level against the first."""
    numbers, (first, other) = [], scope.pair
    base = replace(base, item_code=_item(later, other.code), comparator=_item(later, first.code))
    for time in later.on.study.milestone_times:
        days = time * later.on.study.unit_days
        row = replace(base, statistic="landmark_difference", unit="proportion", time_days=days)
        row = replace(row, disclosed=told_of.at_time(later, time))
        numbers.append(replace(row, **of_estimate(scope.difference(days))))
    ratios = {"landmark_hazard_ratio": scope.hazard_ratio}
    if scope.strata:
        ratios["landmark_hazard_ratio_stratified"] = scope.stratified
    for statistic, found in ratios.items():
        kept = replace(found, p_value=None) if later.split.kind == "infusion" else found
        numbers.append(_ratio(base, statistic, kept, told_of.totals(later)))
    return numbers


def _ratio(base: Number, statistic: str, found: Estimate, disclosed: Disclosed) -> Number:
    row = replace(base, statistic=statistic, unit="ratio", disclosed=disclosed)
    return replace(row, **of_estimate(found))


def landmark_numbers(later: Later) -> tuple[Number, ...]:
    """Every number of the landmark."""
    numbers = []
    for scope in later.scopes:
        base = replace(_base(later), cohort=scope.code, timepoint_code=f"day_{later.day}")
        numbers += _counts(later, scope, base)
        for side in scope.sides:
            numbers += _survival(later, scope, side, base)
        numbers += _compared(later, scope, base)
    return tuple(numbers)


def _model(later: Later, one: Changing, base: Number) -> list[Number]:
    disclosed = told_of.model(later)
    before, after, events_before, events_after = one.counted
    sides = (("not_switched", before, events_before), ("switched", after, events_after))
    numbers = []
    for level, n, events in sides:
        row = replace(base, item_code=_item(later, level), disclosed=disclosed)
        row = replace(row, statistic="time_dependent_count", unit="patients", method="count")
        counts = {"n": (n, one.n), "events": (events, n)}
        for code, (k, of) in counts.items():
            row = replace(row, level_code=code, estimate=k, numerator=k, denominator=of)
            numbers.append(row)
    base = replace(base, item_code=_item(later, "switched"))
    base = replace(base, comparator=_item(later, "not_switched"))
    ratios = {"time_dependent_hazard_ratio": one.hazard_ratio}
    if one.strata:
        ratios["time_dependent_hazard_ratio_stratified"] = one.stratified
    numbers += [_ratio(base, name, found, disclosed) for name, found in ratios.items()]
    test = one.mantel_byar
    row = replace(base, statistic="mantel_byar_chi_square", unit="chi-square", disclosed=disclosed)
    row = replace(row, estimate=test.chi_square, p_value=test.p_value, method="Mantel-Byar")
    return [*numbers, replace(row, not_estimable_reason=test.reason)]


def _curves(later: Later, one: Changing, base: Number) -> list[Number]:
    found, numbers = one.curves, []
    start = None if isinstance(found, str) else f"day_{found.start_day:g}"
    row = replace(base, statistic="simon_makuch_survival", unit="proportion", timepoint_code=start)
    row = replace(row, disclosed=told_of.curves(later, one))
    for is_after, level in ((False, "not_switched"), (True, "switched")):
        for time in later.on.study.milestone_times:
            days = time * later.on.study.unit_days
            named = replace(row, item_code=_item(later, level), time_days=days)
            numbers.append(replace(named, **of_estimate(one.at(is_after, days))))
    return numbers


def time_numbers(later: Later) -> tuple[Number, ...]:
    """Every number of the model in time."""
    numbers = []
    for one in later.changing:
        base = replace(_base(later), cohort=one.code)
        numbers += _model(later, one, base) + _curves(later, one, base)
    return tuple(numbers)
