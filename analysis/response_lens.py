"""The definition lens: one measure under every definition or threshold, and who changes class.

The same children, counted by other rules: classes under each definition, how many change between
two of them, and the difference of the groups under every combination of definition, denominator
and missing rule at once.
"""

from dataclasses import replace
from functools import partial
from itertools import combinations

import polars as pl

from analysis.answer import Answer, Disclosed, Figure, Number, Table
from analysis.charts.classes import Bar, Part, class_bars, class_bars_height
from analysis.charts.dots import STRIP
from analysis.charts.response import difference, page_height
from analysis.charts.rows import Difference, Row
from analysis.compose import Page
from analysis.disclosure import gate
from analysis.groups import Group
from analysis.link import DENOMINATORS, MISSING_RULES, REMISSION, threshold_of, thresholds
from analysis.measures import (
    Counted,
    Measure,
    Measured,
    Rule,
    accounts,
    base_number,
    by_label,
    class_counts,
    class_label,
    judged_groups,
    measured,
    rule_of,
)
from analysis.response import class_numbers, class_table, material_in_words
from analysis.shares import line_numbers
from analysis.stats.estimate import Estimate
from analysis.wording import points
from trial.words import say
from warehouse.query import query

EVERYBODY = Rule("enrolled", "not_negative")
# Roles of the definitions in the strip: none that a cohort of two or three has.
FIRST_ROLE = 2


def rules() -> tuple[Rule, ...]:
    """Every denominator under either missing rule; among the evaluable nobody is missing."""
    both = [Rule(d, m) for d in DENOMINATORS for m in MISSING_RULES]
    return tuple(r for r in both if r.denominator != "evaluable" or r.missing == MISSING_RULES[0])


def rule_label(rule: Rule) -> str:
    """A rule in a few words."""
    of = say(f"denominator_choice.{rule.denominator}")
    if rule.denominator == "evaluable":
        return of
    return say("lens.rule", of=of, missing=say(f"missing.{rule.missing}"))


def lens_measures(on: Page) -> tuple[Measure, ...]:
    """What is asked about, under every definition or threshold of the study."""
    point, rule = on.view.timepoint, on.study.response
    if point == REMISSION:
        return tuple(Measure(point, d.code) for d in (rule.definitions if rule else ()))
    return tuple(Measure(point, t) for t in thresholds(on.study))


def _bars(on: Page, found: dict[Measure, tuple[Counted, ...]]) -> Figure:
    bars = [
        Bar(by_label(on.study, m), c.group.label, c.group.role, _parts(on, c))
        for m, counts in found.items()
        for c in counts
    ]
    counts = next(iter(found.values()))
    return Figure(
        code="lens_classes",
        title=say("lens.title_classes", what=point_label(on)),
        draw=partial(class_bars, bars, say("response.axis")),
        page_height=class_bars_height(bars),
        caption=on.caption("lens.caption_classes", notes=_definition_notes(on)),
        alt_text=say("lens.alt_classes", what=point_label(on)),
        tables=("lens_classes", "lens_changes"),
        disclosed=tuple(
            Disclosed(tuple(c.counts.values()), f"classes.{m.by}.{c.group.code}")
            for m, of_all in found.items()
            for c in of_all
        ),
        accounts=accounts(on, counts, EVERYBODY, "lens"),
    )


def _parts(on: Page, c: Counted) -> tuple[Part, ...]:
    return tuple(Part(code, class_label(on.study, code), n) for code, n in c.counts.items())


def point_label(on: Page) -> str:
    """The time point or landmark that is asked about, in words."""
    rule = on.study.response
    if on.view.timepoint == REMISSION:
        assert rule
        what = on.study.milestone_label(rule.remission)
        return say("response.remission", what=what[:1].upper() + what[1:], day=rule.landmark_day)
    return say("lens.mrd_at", at=on.study.timepoint(on.view.timepoint).label)


def _definition_notes(on: Page) -> str:
    rule = on.study.response
    if on.view.timepoint != REMISSION or rule is None:
        return say("lens.thresholds")
    return " ".join(
        say("lens.note", label=d.label, note=d.note) for d in rule.definitions if d.note
    )


def _changes(on: Page, one: Measure, other: Measure) -> pl.DataFrame:
    """Classes under one definition by classes under another."""
    if one.point == REMISSION:
        asked = {"definition": one.by, "other": other.by}
        return query(on.snapshot, "response_change", on.view.selection, **asked)
    limits = {"threshold": threshold_of(one.by), "other": threshold_of(other.by)}
    point = {"timepoint_code": one.point}
    return query(on.snapshot, "mrd_change", on.view.selection, **point, **limits)


def _change_rows(
    on: Page, pair: tuple[Measure, Measure], shown: tuple[Group, ...]
) -> list[tuple[tuple, Disclosed, list[Number]]]:
    """Every change of class between two definitions, and how many changed in all."""
    one, other = pair
    frame = _changes(on, one, other)
    totals = [int(frame.filter(g.matches)["n"].sum()) for g in shown]
    moved = frame.filter(pl.col("class") != pl.col("other_class"))
    kinds = moved.select("class", "other_class").unique().sort("class", "other_class").rows()
    labels = [(say("lens.all_changes"), moved)] + [
        (
            say("lens.change", one=class_label(on.study, a), other=class_label(on.study, b)),
            moved.filter(pl.col("class") == a, pl.col("other_class") == b),
        )
        for a, b in kinds
    ]
    codes = ["any"] + [f"{a}|{b}" for a, b in kinds]
    between = say("lens.between", one=by_label(on.study, one), other=by_label(on.study, other))
    rows = []
    for code, (label, part) in zip(codes, labels, strict=True):
        counts = [int(part.filter(g.matches)["n"].sum()) for g in shown]
        told = [say("lens.of", n=n, of=of) for n, of in zip(counts, totals, strict=True)]
        left = [of - n for n, of in zip(counts, totals, strict=True)]
        disclosed = Disclosed((*counts, *left), f"change.{one.by}.{other.by}")
        base = replace(on.number(), timepoint_code=one.timepoint_code, level_code=code)
        base = replace(base, measure_code=f"{one.code}|{other.code}", statistic="change_count")
        base = replace(base, unit="patients", method="count", denominator_code="enrolled")
        numbers = [
            replace(
                base, cohort=g.code, estimate=n, numerator=n, denominator=of, disclosed=disclosed
            )
            for g, n, of in zip(shown, counts, totals, strict=True)
        ]
        rows.append(((between, label, *told), disclosed, numbers))
    return rows


def _change_table(on: Page, measures: tuple[Measure, ...]) -> tuple[Table, list[Number]]:
    shown = judged_groups(on)
    rows = [row for pair in combinations(measures, 2) for row in _change_rows(on, pair, shown)]
    columns = (say("lens.column_between"), say("lens.column_change"), *(g.label for g in shown))
    table = Table(
        "lens_changes",
        say("lens.table_changes"),
        columns,
        tuple(told for told, _, _ in rows),
        tuple(disclosed for _, disclosed, _ in rows),
        n_labels=2,
    )
    return table, [number for _, _, numbers in rows for number in numbers]


Combinations = dict[Rule, dict[Measure, Measured]]


def _combinations(on: Page, found: dict[Measure, tuple[Counted, ...]]) -> Combinations:
    return {
        rule: {m: measured(on, m, counts, rule) for m, counts in found.items()} for rule in rules()
    }


def _strip_rows(on: Page, every: Combinations, position: int) -> list[Row]:
    """One row a rule, one dot a definition: the difference of one group from the reference."""
    passed = gate()
    is_hidden = any(
        not passed.passes(x.line.disclosed) for row in every.values() for x in row.values()
    )
    rows = []
    for rule, by in every.items():
        is_shown = rule.code == rule_of(on.view).code
        label = say("lens.shown", label=rule_label(rule)) if is_shown else rule_label(rule)
        dots = []
        for k, (m, x) in enumerate(by.items()):
            told = {} if is_hidden or not x.line.pairs else _limits(x, position)
            instead = say("disclosure.short") if is_hidden else told.pop("instead", "")
            name, role = by_label(on.study, m), FIRST_ROLE + k
            dots.append(Difference(name, role, **(told or {"estimate": None}), instead=instead))
        rows.append(Row(label, (), tuple(dots)))
    return rows


def _limits(x: Measured, position: int) -> dict:
    found = x.line.pairs[position][1]
    told = {"estimate": found.estimate, "lower": found.lower, "upper": found.upper}
    return told | {"instead": found.reason or ""}


def _strips(on: Page, every: Combinations) -> list[Figure]:
    first = next(iter(next(iter(every.values())).values()))
    figures = []
    for position, (share, _) in enumerate(first.line.pairs):
        rows = _strip_rows(on, every, position)
        if not any(d.estimate is not None for row in rows for d in row.differences):
            continue
        names = {"cohort": share.group.label, "comparator": first.line.shares[0].group.label}
        figures.append(
            Figure(
                code=f"lens_strip_{share.group.code}".replace("/", "_"),
                title=say("lens.title_strip", what=point_label(on), **names),
                draw=partial(difference, rows, say("response.axis_difference"), style=STRIP),
                page_height=page_height(rows, STRIP),
                caption=on.caption("lens.caption_strip", material=material_in_words(on)),
                alt_text=_sentence(every, position, names),
                tables=("lens_strip",),
                accounts=accounts(on, first.counted, EVERYBODY, "lens"),
            )
        )
    return figures


def _estimates(every: Combinations, position: int) -> list[Estimate]:
    found = [x.line.pairs[position][1] for by in every.values() for x in by.values()]
    return [x for x in found if x.estimate is not None]


def _holds_zero(found: Estimate) -> bool:
    return found.lower is not None and found.upper is not None and found.lower <= 0 <= found.upper


def _sentence(every: Combinations, position: int, names: dict) -> str:
    """From where to where the difference runs."""
    found = _estimates(every, position)
    n = sum(len(by) for by in every.values())
    if not found:
        return say("lens.none", **names)
    ends = {
        "lowest": points(min(x.estimate or 0.0 for x in found)),
        "highest": points(max(x.estimate or 0.0 for x in found)),
        "with_zero": sum(_holds_zero(x) for x in found),
    }
    key = "lens.sentence_all" if len(found) == n else "lens.sentence"
    return say(key, n=n, known=len(found), **ends, **names)


def _strip_table(on: Page, every: Combinations) -> Table:
    first = next(iter(next(iter(every.values())).values())).line
    columns = [
        say("lens.column_rule"),
        say("lens.column_by"),
        *(s.group.label for s in first.shares),
    ]
    columns += [
        say("column.minus", cohort=s.group.label, comparator=first.shares[0].group.label)
        for s, _ in first.pairs
    ]
    rows = [
        (rule_label(rule), by_label(on.study, m), *x.line.cells[1:])
        for rule, by in every.items()
        for m, x in by.items()
    ]
    disclosed = [x.line.disclosed for by in every.values() for x in by.values()]
    title = say("lens.table_strip")
    return Table("lens_strip", title, tuple(columns), tuple(rows), tuple(disclosed), n_labels=2)


def lens_answer(on: Page) -> Answer:
    """The lens over what the page is asked about."""
    found = {m: class_counts(on, m) for m in lens_measures(on)}
    every = _combinations(on, found)
    rows = [(by_label(on.study, m), c) for m, counts in found.items() for c in counts]
    changes, change_numbers = _change_table(on, tuple(found))
    numbers = list(change_numbers)
    for rule, by in every.items():
        for m, x in by.items():
            numbers += line_numbers(x.line, base_number(on, m, rule), "proportion")
            numbers += class_numbers(on, x, rule) if rule == EVERYBODY else []
    pairs = next(iter(every[EVERYBODY].values())).line
    told = [
        _sentence(every, k, {"cohort": s.group.label, "comparator": pairs.shares[0].group.label})
        for k, (s, _) in enumerate(pairs.pairs)
    ]
    return on.answer(
        " ".join(told) or say("lens.alone"),
        [],
        (_bars(on, found), *_strips(on, every)),
        (
            class_table(on, "lens_classes", say("lens.table_classes"), rows),
            changes,
            _strip_table(on, every),
        ),
        tuple(numbers),
        headline_disclosed=tuple(x.line.disclosed for by in every.values() for x in by.values()),
    )
