"""Courses of one block: MRD before, during and after them, and by disease before them."""

from dataclasses import replace
from functools import partial
from typing import Any

import polars as pl

from analysis.answer import Answer, Disclosed, Figure, Note, Number, Table
from analysis.charts.paired import PAIRED_HEIGHT, Path, Point, paired_chart, paired_note
from analysis.charts.response import dumbbell, page_height
from analysis.charts.rows import Row
from analysis.compose import Page
from analysis.course_cells import (
    CELLS,
    cell_parts,
    cell_table,
    exposure_numbers,
    exposure_table,
    kind_label,
    planned_lines,
)
from analysis.courses import (
    Courses,
    Parts,
    account_of,
    by_cohort,
    cohort_of,
    courses_of,
    lines_of,
    number_told,
    rule_account,
)
from analysis.disclosure import gate
from analysis.groups import Group
from analysis.link import threshold_of
from analysis.measures import MRD, Rule, by_label, class_label
from analysis.shares import Line, line_numbers
from trial.words import say
from warehouse.query import query

DISEASE = ("high", "mrd_positive", "mrd_negative", "unknown")
RULES = (Rule("enrolled", "not_negative"), Rule("enrolled", "left_out"))


def _point(row: dict, material: str | None) -> Point | None:
    if row["status"] != "sampled":
        return None
    kinds = {
        "=": "quantified", "<": "below", ">": "above",
        "undetectable": "undetectable", "detected": "detected",
    }  # fmt: skip
    hollow = material is not None and row["material_code"] != material
    return Point(row["value"], kinds.get(row["qualifier"], "failed"), row["lod"], hollow)


def _paths(courses: Courses, group: Group) -> list[Path]:
    on = courses.on
    material = on.study.response.material if on.study.response else None
    number = int(on.view.course)
    frame = query(on.snapshot, "course_sample", courses.selection, course_number=number)
    found, role = [], cohort_of(courses, group).role
    for rows in frame.filter(group.matches).partition_by("path", maintain_order=True):
        at = {row["moment_code"]: _point(row, material) for row in rows.rows(named=True)}
        found.append(
            Path(
                role,
                at.get("before"),
                at.get("during"),
                at.get("after"),
                "",
            )
        )
    return found


def _paired_figure(courses: Courses, group: Group) -> Figure:
    on, paths = courses.on, _paths(courses, group)
    labels = tuple(say(f"courses.{moment}") for moment in ("before", "during", "after"))
    threshold = threshold_of(on.view.mrd)
    both = [p for p in paths if p.before and p.after]
    n_before = sum(p.before is not None for p in paths)
    n_after = sum(p.after is not None for p in paths)
    told: dict[str, Any] = {
        "n": len(paths),
        "before": n_before,
        "after": n_after,
        "both": len(both),
    }
    note = paired_note(paths)
    caption = on.caption(
        "courses.caption_paired",
        chosen=replace(courses.selection, line_codes=(group.line_code,)),
        days=courses.rule.before_days,
        first=courses.rule.after_from_day,
        last=courses.rule.after_to_day,
        note=f" {note}" if note else "",
        **told,
    )
    title = say("courses.title_paired", group=group.label, block=courses.block, **number_told(on))
    return Figure(
        code=f"course_{group.code}".replace("/", "_"),
        title=title,
        draw=partial(paired_chart, paths, threshold, (labels[0], labels[1], labels[2])),
        page_height=PAIRED_HEIGHT,
        caption=caption,
        alt_text=say("courses.alt_paired", title=title, **told),
        tables=("course_classes",),
        # Every line is one patient.
        disclosed=(Disclosed((1,), f"course.{group.code}"),),
        accounts=account_of(courses, group, courses.of(group), ()),
    )


def _burden_label(courses: Courses, code: str) -> str:
    told = {"limit": f"{100 * courses.rule.high_from:g} %"}
    told["by"] = by_label(courses.on.study, courses.measure)
    return say(f"burden.{code}", **told)


def _burdens(courses: Courses) -> Parts:
    """Everybody, then by disease before the course: code, label, rows."""
    found: Parts = [("all", say("courses.everybody"), lambda frame: frame)]
    for code in DISEASE:
        is_of = pl.col("disease") == code
        found.append((code, _burden_label(courses, code), lambda f, is_of=is_of: f.filter(is_of)))
    return found


def _hidden(courses: Courses) -> set[str]:
    """The kinds of line that are withheld: under either missing rule, since both are exported."""
    passed, parts = gate(), _burdens(courses)
    lines = [line for r in RULES for _, _, line in lines_of(courses, parts, r.missing)]
    return {line.part for line in lines if not passed.passes(line.disclosed)}


def _burden_figure(courses: Courses, headline: str) -> tuple[Figure, ...]:
    on = courses.on
    lines = lines_of(courses, _burdens(courses), on.view.missing)
    hidden = _hidden(courses)
    rows: list[Row] = [line.chart_row(line.part in hidden) for _, _, line in lines]
    if not any(p.estimate is not None for row in rows for p in row.proportions):
        return ()
    accounts = tuple(a for g in courses.shown() for a in rule_account(courses, g))
    return (
        Figure(
            code="course_response",
            title=say("courses.title_response", block=courses.block, **number_told(on)),
            draw=partial(dumbbell, rows, say("response.axis")),
            page_height=page_height(rows),
            caption=on.caption(
                "courses.caption_response",
                chosen=courses.selection,
                missing=say(f"missing.{on.view.missing}"),
                first=courses.rule.after_from_day,
                last=courses.rule.after_to_day,
            ),
            alt_text=headline,
            tables=("course_response", "course_classes"),
            accounts=accounts,
        ),
    )


def _response_table(courses: Courses) -> Table:
    lines = lines_of(courses, _burdens(courses), courses.on.view.missing)
    return by_cohort("course_response", say("courses.table_response"), lines)


def _class_table(courses: Courses) -> Table:
    """Everybody after the course by class, adding to the courses started."""
    classes = [c for c in MRD.classes if c != "not_reached"]
    labels = tuple(class_label(courses.on.study, c) for c in classes)
    rows, disclosed = [], []
    for g in courses.shown():
        frame = courses.of(g)
        counts = [courses.n(frame.filter(pl.col("class") == c)) for c in classes]
        rows.append((g.label, *counts, courses.n(frame)))
        disclosed.append(Disclosed(tuple(counts), f"course_classes.{g.line_code}"))
    columns = (say("column.cohort"), *labels, say("column.n"))
    title = say("courses.table_classes", block=courses.block, **number_told(courses.on))
    return Table("course_classes", title, columns, tuple(rows), tuple(disclosed))


def _numbers(courses: Courses) -> tuple[Number, ...]:
    on, numbers = courses.on, []
    base = replace(on.number(), block_code=courses.rule.block_code)
    base = replace(base, timepoint_code=f"after_course_{on.view.course}")
    base = replace(base, measure_code=courses.measure.code)
    for rule in RULES:
        row = replace(base, denominator_code=rule.code)
        parts = [("course_burden_proportion", lines_of(courses, _burdens(courses), rule.missing))]
        if courses.rule.cells:
            lines = [*planned_lines(courses)] if rule.missing == on.view.missing else []
            lines += lines_of(courses, cell_parts(courses), rule.missing, CELLS)
            parts.append(("course_cells_proportion", lines))
        for statistic, lines in parts:
            for kind, code, line in lines:
                told = replace(row, item_code=kind, level_code=code)
                found = line_numbers(line, told, statistic)
                numbers += [replace(n, cohort=_plain(n.cohort)) for n in found]
    return (*numbers, *_count_numbers(courses, base))


def _plain(code: str | None) -> str | None:
    """The cohort of a group; its kind of line is the item."""
    return code.split("/")[0] if code else code


def _count_numbers(courses: Courses, base: Number) -> list[Number]:
    numbers = []
    for g in courses.shown():
        frame = courses.of(g)
        n = courses.n(frame)
        row = replace(base, cohort=g.cohort_code, item_code=g.line_code, method="count")
        row = replace(row, denominator=n, unit="patients")
        part = f"course_classes.{g.line_code}"
        for code in MRD.classes:
            k = courses.n(frame.filter(pl.col("class") == code))
            told = {"statistic": "course_class_count", "level_code": code}
            told |= {"estimate": k, "numerator": k, "disclosed": Disclosed((k, n - k), part)}
            numbers.append(replace(row, **told))
        if courses.rule.cells:
            numbers += exposure_numbers(courses, g, row)
    return numbers


def _told(on: Page, kind: str, line: Line) -> str:
    """The shares of a kind of line in words."""
    told = "; ".join(say("share.named", group=s.group.label, told=s.told) for s in line.shares)
    return say("courses.part", line=on.study.line(kind).label, told=told)


def courses_answer(on: Page) -> Answer:
    """The courses of the study's course rule; a sentence if nobody of the population had one."""
    rule = on.study.response.course if on.study.response else None
    assert rule
    courses = courses_of(on, rule)
    if not courses.shown():
        return on.answer(
            say("courses.nobody", block=courses.block, **number_told(on)), [], (), (), ()
        )
    lines = lines_of(courses, _burdens(courses)[:1], on.view.missing)
    parts = [_told(on, kind, line) for kind, _, line in lines]
    by = by_label(on.study, courses.measure)
    headline = say(
        "courses.headline", block=courses.block, by=by, parts=" ".join(parts), **number_told(on)
    )
    tables = [_response_table(courses), _class_table(courses)]
    notes = [Note("info", say("courses.single_arm"))]
    if rule.cells:
        tables += [cell_table(courses), exposure_table(courses)]
        notes.append(
            Note(
                "info",
                say("cells.note", cells=kind_label(courses, rule.cells), day=rule.cells_by_day),
            )
        )
    paired = [_paired_figure(courses, g) for g in courses.shown()]
    return on.answer(
        headline,
        notes,
        (*_burden_figure(courses, headline), *paired),
        tuple(tables),
        _numbers(courses),
        headline_disclosed=tuple(line.disclosed for _, _, line in lines),
    )
