"""Cells given beside the courses of a block: what may be said of them, and no more.

Their number depends on how long a course lasts. So they are shown as planned or not, as at least
one by a landmark day among those still on the course, and as infusions per 28 days of the drug;
never as groups by their number, and without any test.
"""

from dataclasses import replace

import polars as pl

from analysis.answer import Disclosed, Number, Table
from analysis.courses import Courses, Parts, by_cohort, lines_of
from analysis.groups import Group
from analysis.shares import Line
from trial.words import say

DAYS = 28
# What is withheld together, beside the response by disease.
CELLS = "course_cells"
DROPPED = ("died", "stopped")


def cell_parts(courses: Courses) -> Parts:
    """At least one infusion by the landmark, or none, among those still on the course."""
    on_course = pl.col("landmark_code") == "on_course"
    day = courses.rule.cells_by_day
    return [
        (
            "by_day",
            say("cells.by_day", day=day),
            lambda f: f.filter(on_course, pl.col("has_cells")),
        ),
        ("none", say("cells.none", day=day), lambda f: f.filter(on_course, ~pl.col("has_cells"))),
    ]


def _is_planned(courses: Courses, group: Group) -> bool:
    return group.cohort_code in courses.rule.cells_planned_in


def planned_lines(courses: Courses) -> list[tuple[str, str, Line]]:
    """Response by whether the protocol plans cells: one row a kind of line and answer."""
    parts: Parts = [("all", "", lambda frame: frame)]
    found = []
    for kind, _, line in lines_of(courses, parts, courses.on.view.missing, CELLS):
        for code in ("planned", "not_planned"):
            mine = tuple(
                s for s in line.shares if _is_planned(courses, s.group) == (code == "planned")
            )
            if mine:
                label = say(
                    "courses.row",
                    line=courses.on.study.line(kind).label,
                    label=say(f"cells.{code}"),
                )
                found.append((kind, code, replace(line, label=label, shares=mine)))
    return found


def cell_table(courses: Courses) -> Table:
    """Response by planned or not, and by cells by the landmark."""
    lines = [
        *planned_lines(courses),
        *lines_of(courses, cell_parts(courses), courses.on.view.missing, CELLS),
    ]
    cells = kind_label(courses, courses.rule.cells)
    title = say("cells.table", cells=cells, day=courses.rule.cells_by_day)
    return by_cohort("course_cells", title, lines)


def kind_label(courses: Courses, code: str | None) -> str:
    """A kind of infusion in words."""
    kinds = courses.on.study.code_list("infusion")
    return next((x.label for x in kinds if x.code == code), "")


def _per_days(courses: Courses, group: Group) -> tuple[int, int, int]:
    frame = courses.of(group)
    cells, other, days = (int(frame[c].sum()) for c in ("n_cells", "n_other_cells", "drug_days"))
    return cells, other, days


def exposure_table(courses: Courses) -> Table:
    """Infusions of cells over days of the drug, and who was dropped before the landmark."""
    rows, disclosed = [], []
    for g in courses.shown():
        frame = courses.of(g)
        cells, other, days = _per_days(courses, g)
        dropped = [courses.n(frame.filter(pl.col("landmark_code") == c)) for c in DROPPED]
        per = f"{DAYS * cells / days:.1f}" if days else say("value.none")
        rows.append((g.label, courses.n(frame), cells, other, days, per, *dropped))
        n = courses.n(frame)
        counts = (n, *dropped, n - sum(dropped))
        disclosed.append(Disclosed(counts, f"course_exposure.{g.line_code}"))
    names = ("courses", "cells", "other_cells", "drug_days", "per_days", "died", "stopped")
    columns = (say("column.cohort"), *(say(f"cells.column_{name}") for name in names))
    title = say("cells.table_exposure", day=courses.rule.cells_by_day)
    return Table("course_exposure", title, columns, tuple(rows), tuple(disclosed))


def exposure_numbers(courses: Courses, group: Group, base: Number) -> list[Number]:
    """Who was dropped before the landmark, and infusions per 28 days, of a group."""
    frame = courses.of(group)
    n, part, numbers = courses.n(frame), f"course_exposure.{group.line_code}", []
    for code in DROPPED:
        k = courses.n(frame.filter(pl.col("landmark_code") == code))
        told = {"statistic": "course_cells_dropped", "level_code": code}
        told |= {"estimate": k, "numerator": k, "disclosed": Disclosed((k, n - k), part)}
        numbers.append(replace(base, **told))
    cells, _, days = _per_days(courses, group)
    row = replace(base, statistic=f"course_infusions_per_{DAYS}_days", denominator=None)
    row = replace(row, estimate=DAYS * cells / days if days else None, unit="infusions")
    row = replace(row, not_estimable_reason=None if days else say("cells.no_days"))
    return [*numbers, replace(row, disclosed=Disclosed((n,), part))]
