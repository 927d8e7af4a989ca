"""The forest as it is shown: rows of its two pictures, its table, its tidy numbers."""

from dataclasses import dataclass, replace
from functools import partial
from math import log

from analysis.answer import Disclosed, Figure, Number, Table, of_estimate
from analysis.charts import forest as charts
from analysis.charts.dots import Values
from analysis.charts.response import page_height, percent_values, point_values
from analysis.charts.rows import SPACE, Amount, Row
from analysis.disclosure import gate
from analysis.outcomes import Ended
from analysis.stats.contingency import HypothesisTest
from analysis.stats.estimate import Estimate
from analysis.survival_accounts import time_accounts
from analysis.survival_subgroups_asked import EVERYBODY, Asked, Side
from analysis.survival_subgroups_rows import Division, Forest, Level, Pair
from analysis.wording import in_unit, p_value, percent, points, written
from trial.words import say


@dataclass(frozen=True)
class Shown:
    """The forest, and of each group how everybody of it ended, for who is not in it."""

    forest: Forest
    ended: tuple[Ended, ...]

    @property
    def asked(self) -> Asked:
        """What is asked of every row."""
        return self.forest.asked

    def disclosed(self, division: Division | None = None) -> Disclosed:
        """What the rows of a characteristic tell, with those of everybody, which they add up to."""
        levels = (self.forest.overall, *(division.levels if division else ()))
        counts = [n for level in levels for side in level.sides for n in _counts(side)]
        code = division.characteristic.code if division else EVERYBODY
        return Disclosed(tuple(counts), f"forest/{code}")

    def is_hidden(self, division: Division | None = None) -> bool:
        """Whether the policy withholds the rows of a characteristic, or of everybody."""
        return not gate().passes(self.disclosed(division))


def _counts(side: Side) -> tuple[int, ...]:
    """Patients, events that count, later events, those without any, those who have no time."""
    later = side.n_events - side.n_counted
    return side.n, side.n_counted, later, side.n - side.n_events, side.n_left_out


# ---------------------------------------------------------------- words


def value_told(asked: Asked, found: Estimate) -> str:
    """Survival or incidence in per cent, a mean in the study's unit."""
    if asked.scale == "rmst":
        return written(found, in_unit(asked.on.study), f" {asked.on.study.time_unit}s")
    return written(found, lambda x: f"{100 * x:.1f}", " %")


def effect_told(asked: Asked, found: Estimate) -> str:
    """A comparison in words, without its unit, which stands above it."""
    write = {
        "hazard_ratio": lambda x: f"{x:.2f}",
        "difference": points,
        "rmst": in_unit(asked.on.study, signed=True),
    }[asked.scale]
    return written(found, write)


def scale_label(asked: Asked) -> str:
    """How groups are compared, in words."""
    return say(f"forest.{asked.scale}", time=asked.when)


def pair_labels(asked: Asked) -> list[str]:
    """What every group after the first is compared with: as a ratio, or less the first."""
    key = "column.against" if asked.scale == "hazard_ratio" else "share.minus"
    first = asked.groups[0].label
    return [say(key, cohort=g.label, comparator=first) for g in asked.groups[1:]]


def _unit_told(asked: Asked) -> str:
    if asked.scale == "hazard_ratio":
        return ""
    unit = say("value.points").strip()
    unit = unit if asked.scale == "difference" else f"{asked.on.study.time_unit}s"
    return say("forest.unit", unit=unit)


def _tests_told(division: Division) -> str:
    """The interaction p of each comparison, or why there is none."""
    told = []
    for group, test in division.tests:
        p = _test_told(test)
        several = len(division.tests) > 1
        told.append(say("share.of", group=group.label, reason=p) if several else p)
    return "; ".join(told)


def _test_told(test: HypothesisTest) -> str:
    return test.reason or "" if test.p_value is None else p_value(test.p_value)


# ---------------------------------------------------------------- rows of the pictures


def _amount(shown: Shown, side: Side) -> Amount:
    found, asked = side.value, shown.asked
    counted = say("forest.counted", events=side.n_counted, n=side.n)
    more = say("forest.cell", told=value_told(asked, found), counted=counted)
    name, role = side.group.label, side.group.role
    if found.estimate is None:
        instead = "" if side.n else found.reason or ""
        return Amount(name, role, None, number=counted, more=more, instead=instead)
    unit = asked.on.study.unit_days if asked.scale == "rmst" else 1.0
    number = f"{found.estimate / unit:.2f}" if asked.scale == "rmst" else percent(found.estimate)
    values = (x if x is None else x / unit for x in (found.estimate, found.lower, found.upper))
    return Amount(name, role, *values, number=SPACE.join((counted, number)), more=more)


def _scaled(asked: Asked, found: Estimate) -> tuple[float | None, ...]:
    """Estimate and limits as the axis has them: the logarithm of a ratio, a mean in years."""
    values = (found.estimate, found.lower, found.upper)
    if asked.scale == "hazard_ratio":
        return tuple(x if x is None else log(x) for x in values)
    unit = asked.on.study.unit_days if asked.scale == "rmst" else 1.0
    return tuple(x if x is None else x / unit for x in values)


def _effect(asked: Asked, name: str, pair: Pair) -> Amount:
    """Two decimals of a ratio: '1' could be 0.98 as well as 1.04."""
    found = pair.raw
    if found.estimate is None:
        return Amount(name, pair.group.role, None, instead=found.reason or "")
    number = effect_told(asked, found)
    return Amount(name, pair.group.role, *_scaled(asked, found), number=number)


def _row(shown: Shown, level: Level, is_hidden: bool, indent: int) -> Row:
    if is_hidden:
        hidden = say("disclosure.short")
        sides = tuple(
            Amount(s.group.label, s.group.role, None, instead=hidden) for s in level.sides
        )
        return Row(level.label, sides, indent=indent)
    sides = tuple(_amount(shown, side) for side in level.sides)
    if shown.asked.refused:
        return Row(level.label, sides, indent=indent)
    names = pair_labels(shown.asked)
    pairs = zip(names, level.pairs, strict=True)
    effects = tuple(_effect(shown.asked, name, pair) for name, pair in pairs)
    return Row(level.label, sides, effects, indent)


def _heading(shown: Shown, division: Division) -> str:
    """A characteristic with its interaction p, unless there is none or its levels are withheld."""
    label = division.characteristic.label
    has_p = any(test.p_value is not None for _, test in division.tests)
    if not has_p or shown.is_hidden(division):
        return label
    return say("subgroups.heading", label=label, p=_tests_told(division))


def _drawn(shown: Shown) -> tuple[list[Row], list[charts.Shrunken]]:
    """The rows of both pictures, and what is shrunken in them if one group is compared."""
    rows = [_row(shown, shown.forest.overall, shown.is_hidden(), 0)]
    hollow = []
    for division in shown.forest.divisions:
        rows.append(Row(_heading(shown, division), ()))
        is_hidden = shown.is_hidden(division)
        for level in division.levels:
            if len(level.pairs) == 1 and not is_hidden:
                hollow += _hollow(shown.asked, len(rows), level.pairs[0].shrunken)
            rows.append(_row(shown, level, is_hidden, 1))
    return rows, hollow


def _hollow(asked: Asked, row: int, found: Estimate | None) -> list[charts.Shrunken]:
    drawn = _scaled(asked, found) if found else ()
    known = [x for x in drawn if x is not None]
    return [charts.Shrunken(row, *known)] if len(known) == 3 else []


# ---------------------------------------------------------------- pictures


def _left_values(asked: Asked) -> Values:
    unit, when = asked.on.study.time_unit, asked.when
    if asked.scale == "rmst":
        title = say("forest.axis_rmst", unit=unit, time=when)
        return charts.mean_values(asked.days / asked.on.study.unit_days, title)
    return percent_values(say("forest.axis", endpoint=asked.endpoint.abbreviation, time=when))


def _right_values(asked: Asked, rows: list[Row], has_hollow: bool) -> Values:
    """The axis of the comparisons, what lies on its sides, and the line of everybody."""
    kind = {"hazard_ratio": "hazard", "difference": "points", "rmst": "mean"}[asked.scale]
    title = say(f"forest.axis_{kind}", unit=asked.on.study.time_unit)
    title = say("forest.hollow", axis=title) if has_hollow else title
    if kind == "points":
        values = point_values(rows, title, None)
    else:
        is_ratio = kind == "hazard"
        values = (charts.hazard_values if is_ratio else charts.mean_difference_values)(rows, title)
    of_all = rows[0].differences
    # One line for everybody needs one comparison.
    overall = of_all[0].estimate if len(of_all) == 1 else None
    sides = (say(f"forest.lower_{kind}"), say(f"forest.higher_{kind}"))
    return charts.with_sides(values, sides, overall)


def figures(shown: Shown, caption: str, headline: str) -> tuple[Figure, ...]:
    """Each group's values, and beside them the comparisons; none of what is not there."""
    asked = shown.asked
    rows, hollow = _drawn(shown)
    if not any(side.estimate is not None for row in rows for side in row.proportions):
        return ()
    what = {"endpoint": asked.endpoint.label, "time": asked.when}
    key = "forest.title_rmst" if asked.scale == "rmst" else "forest.title"
    first = Figure(
        code="forest",
        title=say(key, **what),
        draw=partial(charts.values_chart, rows, _left_values(asked)),
        page_height=page_height(rows),
        caption=caption,
        alt_text=headline,
        tables=("forest",),
        accounts=time_accounts(
            asked.on.study,
            asked.endpoint,
            zip(asked.groups, shown.ended, strict=True),
            "forest/account",
        ),
    )
    if not any(d.estimate is not None for row in rows for d in row.differences):
        return (first,)
    values = _right_values(asked, rows, bool(hollow))
    draw = partial(charts.forest_chart, rows, values, hollow)
    title = say("forest.title_effect", endpoint=asked.endpoint.label, scale=scale_label(asked))
    return (first, replace(first, code="forest_effect", title=title, draw=draw))


# ---------------------------------------------------------------- table and numbers


def table(shown: Shown) -> Table:
    """Every row: counts and value of each group, raw and shrunken comparisons, interaction."""
    forest, asked = shown.forest, shown.asked
    key = "forest.what_rmst" if asked.scale == "rmst" else "forest.what"
    what = say(key, endpoint=asked.endpoint.abbreviation, time=asked.when)
    columns = [say("column.characteristic"), say("column.level")]
    columns += [say("forest.column_value", group=g.label, what=what) for g in asked.groups]
    unit = _unit_told(asked)
    for name in [] if asked.refused else pair_labels(asked):
        columns.append(say("forest.column_effect", name=name, scale=scale_label(asked), unit=unit))
        columns.append(say("forest.column_shrunken"))
    columns += [] if asked.refused else [say("subgroups.column_p")]
    none = [] if asked.refused else [say("value.none")]
    rows = [(forest.overall.label, "", *_cells(asked, forest.overall), *none)]
    disclosed = [shown.disclosed()]
    for x in forest.divisions:
        for level in x.levels:
            p = [] if asked.refused else [_tests_told(x) or say("value.none")]
            rows.append((x.characteristic.label, level.label, *_cells(asked, level), *p))
            disclosed.append(shown.disclosed(x))
    title = say("forest.table")
    return Table("forest", title, tuple(columns), tuple(rows), tuple(disclosed), n_labels=2)


def _cells(asked: Asked, level: Level) -> list[str]:
    cells = []
    for side in level.sides:
        counted = say("forest.counted", events=side.n_counted, n=side.n)
        told = value_told(asked, side.value)
        is_few = side.value.estimate is None
        cells.append(counted if is_few else say("forest.cell", told=told, counted=counted))
    for pair in () if asked.refused else level.pairs:
        cells.append(effect_told(asked, pair.raw))
        shrunken = pair.shrunken if pair.raw.estimate is not None else None
        cells.append(effect_told(asked, shrunken) if shrunken else say("value.none"))
    return cells


def numbers(shown: Shown) -> list[Number]:
    """Every row: events, value, comparison, shrunken comparison; every test."""
    asked = shown.asked
    base = replace(asked.on.number(), endpoint=asked.endpoint.code)
    mine = replace(base, disclosed=shown.disclosed())
    found = _level_numbers(asked, shown.forest.overall, mine)
    for x in shown.forest.divisions:
        code, disclosed = x.characteristic.code, shown.disclosed(x)
        mine = replace(base, characteristic_code=code, disclosed=disclosed)
        for level in x.levels:
            found += _level_numbers(asked, level, replace(mine, level_code=level.code))
        for group, test in x.tests:
            row = replace(mine, cohort=group.code, comparator=asked.groups[0].code)
            row = replace(row, statistic="interaction", unit="chi-square", method=test.method)
            row = replace(row, estimate=test.statistic, p_value=test.p_value)
            found.append(replace(row, not_estimable_reason=test.reason, item_code=asked.scale))
    return found


def _level_numbers(asked: Asked, level: Level, base: Number) -> list[Number]:
    found, days = [], asked.days
    at = None if asked.scale == "hazard_ratio" else days
    units = {"hazard_ratio": "ratio", "difference": "proportion", "rmst": "days"}
    value, unit = ("mean", "days") if asked.scale == "rmst" else ("value", "proportion")
    for side in level.sides:
        row = replace(base, cohort=side.group.code, denominator=side.n)
        row = replace(row, numerator=side.n_counted)
        counted = replace(row, statistic="subgroup_events", unit="patients", method="count")
        found.append(replace(counted, estimate=side.n_counted, time_days=at or asked.window))
        row = replace(row, statistic=f"subgroup_{value}", unit=unit, time_days=days)
        row = replace(row, numerator=None, denominator=side.n)
        found.append(replace(row, **of_estimate(side.value)))
    for pair in level.pairs:
        row = replace(base, cohort=pair.group.code, comparator=asked.groups[0].code)
        row = replace(row, unit=units[asked.scale], time_days=at)
        name = f"subgroup_{asked.scale}"
        found.append(replace(row, statistic=name, **of_estimate(pair.raw)))
        if pair.shrunken is not None:
            row = replace(row, statistic=f"{name}_shrunken")
            found.append(replace(row, **of_estimate(pair.shrunken)))
    return found
