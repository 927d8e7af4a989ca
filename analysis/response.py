"""Response: remission by the landmark and MRD at each time point, with where the missing went.

The head of the page: a sentence, big numbers and all time points. The parts beneath it are answers
of their own (`analysis.response_parts`), worked out only if they are open.
"""

from dataclasses import replace
from functools import partial

import polars as pl

from analysis.answer import Answer, Card, Disclosed, Figure, Note, Number, Table
from analysis.charts.palette import colour
from analysis.charts.response import difference, dumbbell, page_height
from analysis.compose import Page, page
from analysis.disclosure import gate
from analysis.link import REMISSION, View, response_points, threshold_of
from analysis.measures import (
    Counted,
    Measure,
    Measured,
    Rule,
    accounts,
    base_number,
    class_label,
    counted,
    judged_groups,
    measure_of,
    measured,
    rule_of,
)
from analysis.shares import Share, headline_of, line_numbers
from analysis.wording import percent, percent_limits
from trial.words import say
from warehouse.query import Snapshot, query

# A difference of this many points in the share of indeterminate results is worth a warning.
MOST_INDETERMINATE = 0.10
# So is a larger share of a group of whom nothing is known.
MOST_UNKNOWN = 0.20
# So is a mean limit of detection that is so many times another's.
MOST_LIMIT_RATIO = 2.0


def response_lines(on: Page) -> tuple[Measured, ...]:
    """Remission, then MRD at every time point; empty if the study judges no response."""
    rule, shown = rule_of(on.view), judged_groups(on)
    found = []
    mrd = pl.DataFrame()
    for point in response_points(on.study):
        measure = measure_of(on.view, point)
        if point == REMISSION:
            frame = query(on.snapshot, "response", on.view.selection, definition=measure.by)
        else:
            mrd = _mrd(on) if mrd.is_empty() else mrd
            frame = mrd.filter(pl.col("timepoint_code") == point)
        counts = tuple(counted(frame, g, measure.kind) for g in shown)
        found.append(measured(on, measure, counts, rule))
    return tuple(found)


def _mrd(on: Page) -> pl.DataFrame:
    threshold = threshold_of(on.view.mrd)
    return query(on.snapshot, "mrd", on.view.selection, threshold=threshold)


def _chosen(on: Page, results: tuple[Measured, ...]) -> list[Measured]:
    """What the page is asked about, and remission if it is something else."""
    asked = [m for m in results if m.measure.point == on.view.timepoint]
    return asked + [m for m in results if m.measure.point == REMISSION and m not in asked]


def rule_in_words(on: Page, measure: Measure) -> str:
    """Denominator and missing rule of a measure in words."""
    rule = rule_of(on.view)
    of = say(f"denominator_mrd.{rule.denominator}")
    if measure.point == REMISSION:
        of = say(f"denominator_remission.{rule.denominator}")
    if rule.denominator == "evaluable":
        return of
    return say("response.rule", of=of, missing=say(f"missing.{rule.missing}"))


def _sentence(on: Page, m: Measured) -> str:
    """A measure in words: of whom, how many in each group, the difference."""
    of = rule_in_words(on, m.measure)
    return headline_of(replace(m.line, label=say("response.of", label=m.label, of=of)))


def _cards(on: Page, m: Measured) -> list[Card]:
    rule, found = rule_of(on.view), []
    for c, share in zip(m.counted, m.line.shares, strict=True):
        told = _small(on, c, share, rule)
        disclosed = m.line.disclosed
        value = _big(share)
        found.append(Card(m.label, c.group.label, colour(c.group.role), value, told, disclosed))
    return found


def _big(share: Share) -> str:
    if share.instead:
        return say("value.none")
    if share.found.estimate is None:
        return f"{share.numerator}/{share.denominator}"
    return percent(share.found.estimate)


def _small(on: Page, c: Counted, share: Share, rule: Rule) -> tuple[str, ...]:
    """n/N with its interval, and where the others of the group went."""
    if share.instead:
        counted_ = share.instead
    elif share.found.estimate is None:
        counted_ = str(share.found.reason)
    else:
        limits = percent_limits(share.found)
        told = {"n": share.numerator, "of": share.denominator, "limits": limits}
        counted_ = say("response.card", **told)
    classes = c.counts
    left = c.left_out(rule)
    # A small class is not told; the proportion of everybody may still be.
    is_told = not gate().hides(*classes.values())
    others = [(code, n) for code, n in classes.items() if code != c.kind.yes and n and is_told]
    parts = ", ".join(f"{n} {class_label(on.study, code)}" for code, n in others)
    n_left = sum(left.values())
    key = "response.card_left_out" if n_left else "response.card_others"
    where = say(key, parts=parts, n=n_left, of=c.n) if parts else ""
    return tuple(text for text in (counted_, where) if text)


def class_table(on: Page, code: str, title: str, rows: list[tuple[str, Counted]]) -> Table:
    """Where everybody went: one row a measure and group, adding to N."""
    if not rows:
        return Table(code, title, (), ())
    classes = rows[0][1].kind.classes
    titles = tuple(class_label(on.study, name) for name in classes)
    columns = (say("column.measure"), say("column.cohort"), *titles, say("column.n"))
    told = [(label, c.group.label, *c.counts.values(), c.n) for label, c in rows]
    disclosed = [
        Disclosed(tuple(c.counts.values()), f"classes.{label}.{c.group.code}") for label, c in rows
    ]
    return Table(code, title, columns, tuple(told), tuple(disclosed), n_labels=2)


def share_table(code: str, title: str, results: tuple[Measured, ...]) -> Table:
    """Shares and differences, one row a measure."""
    first = results[0].line
    columns = [say("column.measure"), *(s.group.label for s in first.shares)]
    for share, _ in first.pairs:
        told = {"cohort": share.group.label, "comparator": first.shares[0].group.label}
        columns.append(say("column.minus", **told))
    cells = tuple(m.line.cells for m in results)
    return Table(code, title, tuple(columns), cells, tuple(m.line.disclosed for m in results))


def _sentence_table(on: Page, results: tuple[Measured, ...]) -> Table:
    """Every measure in words: the picture for those who do not see it."""
    title = say("response.table_sentences")
    rows = tuple((m.label, _sentence(on, m)) for m in results)
    disclosed = tuple(m.line.disclosed for m in results)
    columns = (say("column.measure"), say("response.column_words"))
    return Table("sentences", title, columns, rows, disclosed, is_prose=True)


def _bounds(c: Counted) -> tuple[Share, Share]:
    """Worst and best case: all that is not known counted as no response, or as response."""
    counts = c.counts
    unknown = sum(counts[code] for code in c.kind.missing)
    worst = c.share(Rule("enrolled", "not_negative"))
    return worst, replace(worst, numerator=worst.numerator + unknown)


def _bound_table(results: tuple[Measured, ...]) -> Table:
    rows, disclosed = [], []
    for m in results:
        for c in m.counted:
            worst, best = _bounds(c)
            rows.append((m.label, c.group.label, worst.told, best.told))
            unknown = best.numerator - worst.numerator
            counts = (*worst.counts, *best.counts, unknown)
            disclosed.append(Disclosed(counts, f"bounds.{m.measure.point}.{c.group.code}"))
    columns = (say("column.measure"), say("column.cohort"))
    columns += (say("column.worst"), say("column.best"))
    title = say("response.table_bounds")
    return Table("bounds", title, columns, tuple(rows), tuple(disclosed), n_labels=2)


def _tables(on: Page, results: tuple[Measured, ...]) -> tuple[Table, ...]:
    responses = [(m.label, c) for m in results if m.measure.point == REMISSION for c in m.counted]
    classes = [(m.label, c) for m in results if m.measure.point != REMISSION for c in m.counted]
    return (
        _sentence_table(on, results),
        share_table("shares", say("response.table_shares"), results),
        class_table(on, "responses", say("response.table_responses"), responses),
        class_table(on, "classes", say("response.table_classes"), classes),
        _bound_table(results),
    )


def rule_caption(on: Page) -> str:
    """What every caption about response says of denominator, missing ones and material."""
    has_mrd = len(response_points(on.study)) > 1
    points = [REMISSION, *(["mrd"] if has_mrd else [])]
    told = {rule_in_words(on, Measure(point, "")) for point in points}
    words = [say("response.counted", of=of) for of in sorted(told, reverse=True)]
    return " ".join([*words, material_in_words(on)])


def _figures(on: Page, results: tuple[Measured, ...], headline: str) -> tuple[Figure, ...]:
    passed = gate()
    rows = [m.line.chart_row(not passed.passes(m.line.disclosed)) for m in results]
    if not any(p.estimate is not None for r in rows for p in r.proportions):
        return ()
    m = _chosen(on, results)[0]
    told = Figure(
        code="response",
        title=say("response.title"),
        draw=partial(dumbbell, rows, say("response.axis")),
        page_height=page_height(rows),
        caption=on.caption("response.caption", rule=rule_caption(on), windows=windows_in_words(on)),
        alt_text=say("response.alt", headline=headline),
        tables=("sentences", "shares", "responses", "classes", "bounds"),
        accounts=accounts(on, m.counted, rule_of(on.view), "account"),
    )
    if not any(r.differences for r in rows):
        return (told,)
    other = replace(
        told,
        code="response_difference",
        title=say("response.title_difference"),
        draw=partial(difference, rows, say("response.axis_difference")),
        tables=("shares",),
    )
    return (told, other)


def windows_in_words(on: Page) -> str:
    """Which sample stands for each time point; empty of a study without MRD."""
    rule = on.study.response
    if rule is None or len(response_points(on.study)) == 1:
        return ""
    told = [
        say("response.window", label=p.label, first=p.from_day, last=p.to_day)
        for p in on.study.timepoints
    ]
    labels = {x.code: x.label for x in on.study.code_list("method")}
    methods = [labels[code] for code in rule.method_order]
    order = say("response.any_method")
    if len(methods) > 1:
        order = say("response.methods", first=methods[0], others=", ".join(methods[1:]))
    return say("response.windows", windows="; ".join(told), methods=order)


def material_in_words(on: Page) -> str:
    """Which samples count."""
    code = on.study.response.material if on.study.response else None
    if code is None:
        return say("response.any_material")
    label = next(x.label for x in on.study.code_list("material") if x.code == code)
    return say("response.material", material=label)


def class_numbers(on: Page, m: Measured, rule: Rule) -> list[Number]:
    """How many are in each class, group by group."""
    base, numbers = base_number(on, m.measure, rule), []
    for c in m.counted:
        disclosed = Disclosed(tuple(c.counts.values()), f"classes.{m.label}.{c.group.code}")
        for code, n in c.counts.items():
            told = {"cohort": c.group.code, "level_code": code, "statistic": "count"}
            row = replace(base, **told, estimate=n, numerator=n, denominator=c.n)
            row = replace(row, unit="patients", method="count", denominator_code="enrolled")
            numbers.append(replace(row, disclosed=disclosed))
    return numbers


def _bound_numbers(on: Page, m: Measured) -> list[Number]:
    numbers, base = [], base_number(on, m.measure, Rule("enrolled", "not_negative"))
    for c in m.counted:
        for statistic, share in zip(
            ("proportion_worst", "proportion_best"), _bounds(c), strict=True
        ):
            counts = {"numerator": share.numerator, "denominator": share.denominator}
            found = share.found
            row = replace(base, cohort=c.group.code, statistic=statistic, unit="proportion")
            row = replace(row, **counts, estimate=found.estimate, method=found.method)
            row = replace(row, lower=found.lower, upper=found.upper)
            part = f"bounds.{m.measure.point}.{c.group.code}"
            row = replace(row, not_estimable_reason=found.reason)
            numbers.append(replace(row, disclosed=Disclosed(share.counts, part)))
    return numbers


def _numbers(on: Page, results: tuple[Measured, ...]) -> tuple[Number, ...]:
    numbers: list[Number] = []
    rule = rule_of(on.view)
    for m in results:
        numbers += line_numbers(m.line, base_number(on, m.measure, rule), "proportion")
        numbers += class_numbers(on, m, rule)
        numbers += _bound_numbers(on, m)
    return tuple(numbers)


def _notes(on: Page, results: tuple[Measured, ...]) -> list[Note]:
    asked = _chosen(on, results)[0]
    notes = [*on.notes(), *_unsure(on, asked), *_degenerate(on, asked), *_assay_notes(on, asked)]
    if len(response_points(on.study)) == 1:
        notes.append(_without_mrd(on))
    return [*notes, *on.primary()]


def _unsure(on: Page, m: Measured) -> list[Note]:
    """What keeps a hurried reader from a wrong conclusion: selections, gaps, recording."""
    notes = []
    if any(s.apart for s in m.line.shares) and len(m.line.shares) > 1:
        notes.append(
            Note("warning", say("response.selected_note", label=m.label), m.line.disclosed)
        )
    for c in m.counted:
        worst, best = _bounds(c)
        n = best.numerator - worst.numerator
        if c.n and n > MOST_UNKNOWN * c.n:
            told = {
                "group": c.group.label,
                "n": n,
                "of": c.n,
                "best": best.told,
                "worst": worst.told,
            }
            text = say("response.unknown", label=m.label, **told)
            counts = (*worst.counts, *best.counts, n)
            part = f"bounds.{m.measure.point}.{c.group.code}"
            notes.append(Note("warning", text, Disclosed(counts, part)))
    rule = on.study.response
    if rule and on.view.definition != rule.definitions[0].code:
        chosen = next(d for d in rule.definitions if d.code == on.view.definition)
        notes.append(
            Note("warning", say("response.recorded", label=chosen.label, note=chosen.note))
        )
    return notes


def _degenerate(on: Page, m: Measured) -> list[Note]:
    """What a reader should not have to work out: one group alone, nobody sampled, all alike."""
    notes = []
    if len(m.counted) == 1:
        notes.append(say("response.one_group", cohort=m.counted[0].group.label))
    sampled = [sum(c.counts[code] for code in c.kind.sampled) for c in m.counted]
    if not any(sampled):
        notes.append(say("response.nobody_sampled", label=m.label))
    elif all(s.numerator == s.denominator > 0 for s in m.line.shares):
        notes.append(say("response.everybody", label=m.label))
    elif not any(s.numerator for s in m.line.shares):
        notes.append(say("response.nobody_responded", label=m.label))
    return [Note("info", text, m.line.disclosed) for text in notes]


def _assay_notes(on: Page, m: Measured) -> list[Note]:
    """Where the assays of the groups see different things, or limits are assumed."""
    if m.measure.point == REMISSION:
        return []
    notes = []
    shares = [c.counts["indeterminate"] / c.n for c in m.counted if c.n]
    if len(shares) > 1 and max(shares) - min(shares) > MOST_INDETERMINATE:
        notes.append(Note("warning", say("response.indeterminate", at=m.label), m.line.disclosed))
    if told := _limits_differ(on, m):
        notes.append(Note("warning", told, m.line.disclosed))
    mrd = _mrd(on).filter(pl.col("timepoint_code") == m.measure.point, pl.col("is_lod_assumed"))
    if assumed := int(mrd["n"].sum()):
        text = say("response.assumed", n=assumed, at=m.label)
        notes.append(Note("info", text, Disclosed((assumed,), "assumed")))
    return notes


def _limits_differ(on: Page, m: Measured) -> str:
    """Where the assays of one group see much lower than those of another, in words."""
    told = {"timepoint_code": m.measure.point}
    found = query(on.snapshot, "assay", on.view.selection, **told)
    limits = {}
    for c in m.counted:
        mine = found.filter(c.group.matches)
        if not mine.is_empty():
            limits[c.group.label] = float(mine["mean_lod"].item())
    if len(limits) < 2 or max(limits.values()) < MOST_LIMIT_RATIO * min(limits.values()):
        return ""
    parts = "; ".join(f"{label} {100 * limit:.2g} %" for label, limit in limits.items())
    return say("response.limits_differ", at=m.label, parts=parts)


def _without_mrd(on: Page) -> Note:
    """Why no MRD is shown."""
    rule = on.study.response
    if rule is None or rule.mrd_measure:
        return Note("info", say("response.no_timepoints"))
    return Note("info", say("response.no_mrd", what=on.study.milestone_label(rule.remission)))


def not_judged(on: Page) -> str:
    """Which of the chosen kinds of line have no response, in words; empty if all have."""
    rule, study = on.study.response, on.study
    judged = rule.line_codes if rule else ()
    others = [study.line(c).label for c in on.view.selection.line_codes if c not in judged]
    lines = ", ".join(study.line(c).label for c in judged)
    return say("response.not_judged", lines=lines, others=", ".join(others)) if others else ""


def is_judged(on: Page) -> bool:
    """Whether any of the chosen kinds of line has a response."""
    rule = on.study.response
    return bool(rule and set(on.view.selection.line_codes) & set(rule.line_codes))


def response_answer(snapshot: Snapshot, view: View) -> Answer:
    """The head of a response view; a study without a response rule says so."""
    on = page("response", snapshot, view)
    if on.study.response is None:
        return on.answer(say("response.none"), [], (), (), ())
    if on.is_empty:
        return on.empty()
    undefined = not_judged(on)
    if not is_judged(on):
        return on.answer(undefined, [], (), (), ())
    results = response_lines(on)
    told = _chosen(on, results)
    headline = "\n".join(_sentence(on, m) for m in told)
    return on.answer(
        headline,
        [*([Note("warning", undefined)] if undefined else []), *_notes(on, results)],
        _figures(on, results, headline),
        _tables(on, results),
        partial(_numbers, on, results),
        headline_disclosed=tuple(m.line.disclosed for m in told),
        cards=tuple(card for m in told for card in _cards(on, m)),
    )
