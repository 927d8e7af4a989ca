"""Response by subgroup: every level of every characteristic known at enrollment, exploratory."""

from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from analysis.answer import Answer, Disclosed, Figure, Note, Number, Table, of_estimate
from analysis.charts.response import difference, dumbbell, page_height, ratios
from analysis.charts.rows import Ratio, Row
from analysis.compose import Page
from analysis.disclosure import gate
from analysis.groups import Group
from analysis.link import REMISSION, known_late, threshold_of
from analysis.measures import (
    Counted,
    Measure,
    Measured,
    accounts,
    base_number,
    class_counts,
    counted,
    judged_groups,
    label_of,
    measure_of,
    measured,
    rule_of,
)
from analysis.response import rule_caption
from analysis.shares import FEWEST_FOR_PERCENT, Line, Share, line_numbers
from analysis.stats.contingency import HypothesisTest, difference_interaction, odds_interaction
from analysis.stats.estimate import Estimate, not_estimable
from analysis.stats.proportion import exact_odds_ratio, woolf_odds_ratio
from analysis.wording import p_value
from trial.study import ENROLLMENT, MISSING, Characteristic
from trial.words import say
from warehouse.query import counts_by_level

# The exact odds ratio sums over every table possible: beyond this size the sample one serves.
MOST_EXACT = 5_000


@dataclass(frozen=True)
class Level:
    """A level of a characteristic: its code and row of the page."""

    code: str
    label: str
    line: Line


@dataclass(frozen=True)
class Subgroups:
    """A characteristic: its levels with anybody, and the interaction test of each comparison."""

    characteristic: Characteristic
    levels: tuple[Level, ...]
    tests: tuple[tuple[Group, HypothesisTest], ...]


def odds_ratio_of(one: Share, reference: Share) -> Estimate:
    """The odds of one over the reference's; none where a group is too small for a percentage."""
    for share in (reference, one):
        if share.apart:
            return not_estimable(say("share.of", group=share.group.label, reason=share.apart))
        if share.denominator < FEWEST_FOR_PERCENT:
            reason = say("survival.few", n=FEWEST_FOR_PERCENT)
            return not_estimable(say("share.of", group=share.group.label, reason=reason))
    counts = (one.numerator, one.denominator, reference.numerator, reference.denominator)
    exact = one.denominator + reference.denominator <= MOST_EXACT
    return exact_odds_ratio(*counts) if exact else woolf_odds_ratio(*counts)


def _frame(on: Page, measure: Measure, codes: tuple[str, ...]) -> pl.DataFrame:
    columns = ("class", "is_reached")
    chosen = on.view.selection
    if measure.point == REMISSION:
        return counts_by_level(
            on.snapshot, "response_forest", codes, chosen, columns, definition=measure.by
        )
    told = {"timepoint_code": measure.point, "threshold": threshold_of(measure.by)}
    return counts_by_level(on.snapshot, "mrd_forest", codes, chosen, columns, **told)


def characteristics(on: Page) -> tuple[Characteristic, ...]:
    """Those that are known when the clock starts."""
    return tuple(x for x in on.study.characteristics if not known_late(x, ENROLLMENT))


def subgroups_of(on: Page, measure: Measure) -> tuple[Subgroups, ...]:
    """Every characteristic with its levels, in the study's order."""
    chosen, shown = characteristics(on), judged_groups(on)
    if not chosen:
        return ()
    frame = _frame(on, measure, tuple(x.code for x in chosen))
    found = []
    for x in chosen:
        mine = frame.filter(pl.col("characteristic_code") == x.code)
        levels = []
        for code in x.level_codes:
            rows = mine.filter(pl.col("level_code") == code)
            counts = tuple(counted(rows, g, measure.kind) for g in shown)
            if any(c.n for c in counts):
                levels.append(_level(on, x, code, counts))
        found.append(Subgroups(x, tuple(levels), _tests(on, levels)))
    return tuple(found)


def _level(on: Page, x: Characteristic, code: str, counts: tuple[Counted, ...]) -> Level:
    shares = tuple(c.share(rule_of(on.view)) for c in counts)
    line = Line(x.level_label(code), shares, f"subgroup.{x.code}", on.refused, indent=1)
    return Level(code, x.level_label(code), line)


def _tests(on: Page, levels: list[Level]) -> tuple[tuple[Group, HypothesisTest], ...]:
    """Whether the comparison depends on the level; 'not recorded' is no level of it."""
    test = difference_interaction if on.view.effect == "difference" else odds_interaction
    known = [level.line for level in levels if level.code != MISSING]
    if on.refused or not known or any(s.apart for line in known for s in line.shares):
        return ()
    reference, *others = (s.group for s in known[0].shares)
    tests = []
    for k, group in enumerate(others, start=1):
        counts = [
            (line.shares[k].numerator, line.shares[k].denominator,
             line.shares[0].numerator, line.shares[0].denominator)
            for line in known
        ]  # fmt: skip
        tests.append((group, test(counts)))
    return tuple(tests)


def _p_values(found: Subgroups) -> str:
    """The interaction p of each comparison, or why there is none."""
    told = []
    for group, test in found.tests:
        p = test.reason if test.p_value is None else p_value(test.p_value)
        told.append(p if len(found.tests) == 1 else say("share.of", group=group.label, reason=p))
    return "; ".join(told)


def _heading(found: Subgroups) -> str:
    """A characteristic with its interaction p values, unless its levels are withheld."""
    label, p = found.characteristic.label, _p_values(found)
    return say("subgroups.heading", label=label, p=p) if p and not _is_hidden(found) else label


def _is_hidden(found: Subgroups) -> bool:
    passed = gate()
    return any(not passed.passes(level.line.disclosed) for level in found.levels)


def _with_ratio(line: Line, row: Row) -> Row:
    """The row with odds ratios in place of its differences."""
    if not row.differences:
        return row
    reference, *others = line.shares
    ratios_ = []
    for share, drawn in zip(others, row.differences, strict=True):
        found = odds_ratio_of(share, reference)
        limits = (found.lower or None, found.upper)
        values = (found.estimate or None, *limits) if found.estimate else (None, None, None)
        ratios_.append(Ratio(drawn.cohort, drawn.role, *values, instead=found.reason or ""))
    return replace(row, differences=tuple(ratios_))


def _drawn(found: tuple[Subgroups, ...]) -> tuple[Subgroups, ...]:
    """What divides the patients anew: not one level for all, nor a second record of the same."""
    return tuple(x for x in found if len(x.levels) > 1 and x.characteristic.compared_with is None)


def _rows(on: Page, overall: Line, found: tuple[Subgroups, ...]) -> list[Row]:
    rows = [(overall, overall.chart_row(not gate().passes(overall.disclosed)))]
    drawn: list[Row] = []
    for x in _drawn(found):
        drawn.append(Row(_heading(x), ()))
        for level in x.levels:
            row = level.line.chart_row(_is_hidden(x))
            drawn.append(row if on.view.effect == "difference" else _with_ratio(level.line, row))
    first = rows[0][1]
    return [first if on.view.effect == "difference" else _with_ratio(overall, first), *drawn]


def _figures(on: Page, m: Measured, rows: list[Row], n: int, headline: str) -> tuple[Figure, ...]:
    caption = on.caption("subgroups.caption", rule=rule_caption(on), n=n)
    first = Figure(
        code="subgroups",
        title=say("subgroups.title", what=m.label),
        draw=partial(dumbbell, rows, say("response.axis")),
        page_height=page_height(rows),
        caption=caption,
        alt_text=headline,
        tables=("subgroups",),
        accounts=accounts(on, m.counted, rule_of(on.view), "account"),
    )
    drawn = [d for row in rows for d in row.differences if d.estimate is not None]
    if not drawn:
        return (first,)
    is_difference = on.view.effect == "difference"
    # One line for everybody needs one comparison.
    of_all = rows[0].differences
    overall = of_all[0].estimate if len(of_all) == 1 else None
    if is_difference:
        draw = partial(difference, rows, say("response.axis_difference"), overall=overall)
    else:
        draw = partial(ratios, rows, say("subgroups.axis_ratio"), overall=overall)
    title = say("response.title_difference" if is_difference else "subgroups.title_ratio")
    return (first, replace(first, code="subgroups_effect", title=title, draw=draw))


def _effect_told(on: Page, line: Line) -> list[str]:
    if on.view.effect == "difference":
        return list(line.cells[1 + len(line.shares) :])
    told = []
    for share, _ in line.pairs:
        found = odds_ratio_of(share, line.shares[0])
        none = say("value.not_estimable", reason=found.reason)
        told.append(none if found.estimate is None else _ratio_told(found))
    return told


def _ratio_told(found: Estimate) -> str:
    unreached = say("value.not_reached")
    lower, upper = (unreached if x is None else f"{x:.2f}" for x in (found.lower, found.upper))
    limits = say("value.limits", lower=lower, upper=upper)
    return say("value.with_limits", value=f"{found.estimate:.2f}", limits=limits)


def _table(on: Page, overall: Line, found: tuple[Subgroups, ...]) -> Table:
    shares = overall.shares
    columns = [say("column.characteristic"), say("column.level"), *(s.group.label for s in shares)]
    key = "column.minus" if on.view.effect == "difference" else "subgroups.column_ratio"
    columns += [
        say(key, cohort=s.group.label, comparator=shares[0].group.label) for s, _ in overall.pairs
    ]
    columns.append(say("subgroups.column_p"))
    rows: list[tuple] = [(overall.label, "", *_cells(on, overall), say("value.none"))]
    disclosed = [overall.disclosed]
    for x in found:
        for level in x.levels:
            told = _cells(on, level.line)
            rows.append((x.characteristic.label, level.label, *told, _p_values(x)))
            disclosed.append(level.line.disclosed)
    title = say("subgroups.table")
    return Table("subgroups", title, tuple(columns), tuple(rows), tuple(disclosed), n_labels=2)


def _cells(on: Page, line: Line) -> list[str]:
    return [*(share.told for share in line.shares), *_effect_told(on, line)]


def _numbers(on: Page, m: Measured, overall: Line, found: tuple[Subgroups, ...]) -> list[Number]:
    base = base_number(on, m.measure, rule_of(on.view))
    numbers = _line_numbers(on, overall, base)
    for x in found:
        code = x.characteristic.code
        for level in x.levels:
            row = replace(base, characteristic_code=code, level_code=level.code)
            numbers += _line_numbers(on, level.line, row)
        counts = tuple(n for level in x.levels for n in level.line.disclosed.counts)
        for group, test in x.tests:
            row = replace(base, characteristic_code=code, cohort=group.code)
            row = replace(row, comparator=overall.shares[0].group.code, p_value=test.p_value)
            row = replace(row, statistic=f"interaction_{on.view.effect}", method=test.method)
            row = replace(row, not_estimable_reason=test.reason)
            numbers.append(replace(row, disclosed=Disclosed(counts, f"subgroup.{code}")))
    return numbers


def _line_numbers(on: Page, line: Line, base: Number) -> list[Number]:
    numbers = line_numbers(line, base, "subgroup_proportion")
    if on.view.effect == "difference":
        return numbers
    numbers = [n for n in numbers if n.statistic == "subgroup_proportion"]
    for share, _ in line.pairs:
        row = replace(base, cohort=share.group.code, comparator=line.shares[0].group.code)
        row = replace(row, statistic="subgroup_odds_ratio", unit="ratio", disclosed=line.disclosed)
        numbers.append(replace(row, **of_estimate(odds_ratio_of(share, line.shares[0]))))
    return numbers


def subgroups_answer(on: Page) -> Answer:
    """The forest of what the page is asked about."""
    measure, rule = measure_of(on.view, on.view.timepoint), rule_of(on.view)
    m = measured(on, measure, class_counts(on, measure), rule)
    overall = replace(m.line, label=say("subgroups.overall"))
    found = subgroups_of(on, measure)
    drawn = _drawn(found)
    n = sum(len(x.levels) for x in drawn)
    n_tests = sum(test.p_value is not None for x in drawn for _, test in x.tests)
    told = {"n": n, "of": len(drawn), "tests": n_tests}
    headline = say("subgroups.headline", what=label_of(on.study, measure), **told)
    rows = _rows(on, overall, found)
    is_drawn = any(p.estimate is not None for row in rows for p in row.proportions)
    return on.answer(
        headline,
        [Note("info", say("subgroups.note"))],
        _figures(on, m, rows, n, headline) if is_drawn else (),
        (_table(on, overall, found),),
        tuple(_numbers(on, m, overall, found)),
    )
