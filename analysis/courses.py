"""The courses of one block: who had one, what was found after it, by kind of line and cohort.

One kind of line and one cohort at a time: who comes to such a course differs between them, so no
difference and no test stands between them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import polars as pl

from analysis.answer import Account, Disclosed, Table
from analysis.compose import Page
from analysis.groups import Group, groups
from analysis.link import threshold_of
from analysis.measures import MRD, Measure, class_label
from analysis.shares import Line, Share
from trial.response import CourseRule
from trial.selection import Selection
from trial.words import say
from warehouse.query import query

Parts = list[tuple[str, str, Callable[[pl.DataFrame], pl.DataFrame]]]


@dataclass(frozen=True)
class Courses:
    """The courses of a number, of every kind of line: one row a set of facts, with counts."""

    on: Page
    rule: CourseRule
    selection: Selection
    frame: pl.DataFrame

    @property
    def measure(self) -> Measure:
        """MRD below the threshold of the view."""
        return Measure("", self.on.view.mrd)

    @property
    def block(self) -> str:
        """The block in words."""
        return self.on.study.block(self.rule.block_code).label

    def groups(self) -> tuple[Group, ...]:
        """Every kind of line and cohort, with such a course or without."""
        return groups(self.on.study, self.selection)

    def shown(self) -> tuple[Group, ...]:
        """Groups with such a course."""
        return tuple(g for g in self.groups() if self.n(self.of(g)))

    def of(self, group: Group) -> pl.DataFrame:
        """The rows of a group."""
        return self.frame.filter(group.matches)

    def n(self, frame: pl.DataFrame) -> int:
        """Courses in a part of the frame."""
        return int(frame["n"].sum())

    def share(self, group: Group, frame: pl.DataFrame, missing: str) -> Share:
        """Negative after the course, of those in a part of the frame."""
        n, negative = self.n(frame), self.n(frame.filter(pl.col("class") == MRD.yes))
        unknown = self.n(frame.filter(pl.col("class").is_in(MRD.missing)))
        of = n - unknown if missing == "left_out" else n
        if of:
            reason = ""
        elif not self.n(self.of(group)):
            reason = say("courses.no_course")
        else:
            reason = say("response.nobody" if n == 0 else "response.nobody_known")
        return Share(group, negative, of, reason, n - of)


def all_lines(on: Page) -> Selection:
    """The filters of the view over every kind of line: each is shown by itself."""
    lines = tuple(line.code for line in on.study.lines)
    return replace(on.view.selection, line_codes=lines)


def courses_of(on: Page, rule: CourseRule) -> Courses:
    """The courses of the number that the view names."""
    selection = all_lines(on)
    told = {"threshold": threshold_of(on.view.mrd), "high_from": rule.high_from}
    frame = query(on.snapshot, "course", selection, **told)
    number = pl.col("course_number") == int(on.view.course)
    return Courses(on, rule, selection, frame.filter(number))


def course_numbers(on: Page) -> tuple[str, ...]:
    """The numbers of courses that anybody of the population had."""
    numbers = query(on.snapshot, "course_number", all_lines(on))["course_number"]
    return tuple(str(number) for number in numbers)


def number_told(on: Page) -> dict:
    """The number of the courses, for a text."""
    return {"number": on.view.course}


def account_of(
    courses: Courses, group: Group, shown: pl.DataFrame, left_out: tuple[tuple[str, int], ...]
) -> tuple[Account, ...]:
    """Of all lines of the kind: who is shown; who is outside the population, or had no course."""
    size = courses.on.size_of(courses.selection, group)
    n, n_left = courses.n(shown), sum(k for _, k in left_out)
    without = size.n_population - n - n_left
    reasons = (
        (say("account.filtered"), size.n_enrolled - size.n_population),
        (say("courses.without", block=courses.block, **number_told(courses.on)), without),
        *left_out,
    )
    named = tuple((label, k) for label, k in reasons if k)
    disclosed = Disclosed((n, *(k for _, k in reasons)), f"course.{group.code}")
    return (Account(group.label, size.n_enrolled, n, named, disclosed),)


def lines_of(
    courses: Courses, parts: Parts, missing: str, withheld: str = "course"
) -> list[tuple[str, str, Line]]:
    """One line a kind of line and part with anybody: kind, code, row. No row is compared.

    Rows of one kind under one `withheld` fall together.
    """
    refused = say("courses.single_arm")
    found = []
    for kind in courses.on.study.lines:
        begun = {g.line_code for g in courses.shown()}
        mine = [g for g in courses.groups() if g.line_code == kind.code and kind.code in begun]
        for code, label, rows in parts:
            shares = tuple(
                courses.share(cohort_of(courses, g), rows(courses.of(g)), missing) for g in mine
            )
            if any(s.denominator + s.left_out for s in shares):
                text = say("courses.row", line=kind.label, label=label)
                found.append(
                    (kind.code, code, Line(text, shares, f"{withheld}.{kind.code}", refused))
                )
    return found


def cohort_of(courses: Courses, group: Group) -> Group:
    """The group under the name and colour of its cohort: the row says which line it is."""
    cohorts = courses.on.study.cohorts
    role = next(k for k, c in enumerate(cohorts) if c.code == group.cohort_code)
    return replace(group, label=courses.on.study.cohort(group.cohort_code).label, role=role)


def by_cohort(code: str, title: str, lines: list[tuple[str, str, Line]]) -> Table:
    """Rows of single groups as a table: a column a cohort."""
    cohorts = list(dict.fromkeys(s.group.label for _, _, line in lines for s in line.shares))
    rows = []
    for _, _, line in lines:
        told = {s.group.label: s.told for s in line.shares}
        rows.append((line.label, *(told.get(c, say("value.none")) for c in cohorts)))
    disclosed = tuple(line.disclosed for _, _, line in lines)
    columns = (say("column.measure"), *cohorts)
    return Table(code, title, columns, tuple(rows), disclosed)


def rule_account(courses: Courses, group: Group) -> tuple[Account, ...]:
    """The account of a group under the missing rule."""
    frame = courses.of(group)
    if courses.on.view.missing == "not_negative":
        return account_of(courses, group, frame, ())
    unknown = frame.filter(pl.col("class").is_in(MRD.missing))
    reasons = tuple(
        (class_label(courses.on.study, code), courses.n(unknown.filter(pl.col("class") == code)))
        for code in MRD.missing
    )
    shown = frame.filter(pl.col("class").is_in(MRD.missing).not_())
    return account_of(courses, group, shown, reasons)
