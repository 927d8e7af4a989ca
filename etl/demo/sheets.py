"""The tables of a demo as rows that defects can be planted in, and what a row holds up.

A defect must give its own finding and no other. So before a row is spoiled it is asked what stands
on it: rows that name it, and adverse events that would lie outside every block without it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from etl.demo.courses import TRANSPLANT_DAYS, WINDOW_DAYS


@dataclass(frozen=True, eq=False)
class Row:
    """One row of a file; the texts in `cells` are changed in place."""

    file: str
    columns: tuple[str, ...]
    cells: list[str]

    def __getitem__(self, column: str) -> str:
        """The text of a cell."""
        return self.cells[self.columns.index(column)]

    def day(self, column: str) -> date | None:
        """The date in a cell of the clean export; None if it is empty."""
        text = self[column]
        return date(int(text[6:]), int(text[3:5]), int(text[:2])) if text else None

    def known_day(self, column: str) -> date:
        """The date in a cell that is never empty."""
        day = self.day(column)
        assert day is not None, (self.file, column)
        return day

    def changed(self, texts: dict[str, str]) -> list[str]:
        """The cells with other texts in some columns."""
        return [texts.get(c, old) for c, old in zip(self.columns, self.cells, strict=True)]

    def key(self, *columns: str) -> tuple[str, ...]:
        """The texts of several cells."""
        return tuple(self[column] for column in columns)


def written(day: date) -> str:
    """A date as the export writes it."""
    return f"{day:%d.%m.%Y}"


COURSE = ("line_number", "block", "course_number")


@dataclass(frozen=True, eq=False)
class Case:
    """All rows of one enrollment, by file."""

    rows: dict[str, list[Row]]

    def __getitem__(self, file: str) -> list[Row]:
        """The rows of a file, in its order."""
        return self.rows.get(file, [])

    @property
    def origin(self) -> date:
        """Day 0."""
        return self["patients"][0].known_day("relapse_date")

    @property
    def followup(self) -> Row:
        """The row of followup.csv."""
        return self["followup"][0]

    @property
    def death(self) -> date | None:
        """The day of death."""
        return self.followup.day("death_date")

    @property
    def has_fatal_event(self) -> bool:
        """Whether an adverse event of grade 5 is told."""
        return any(event["grade"] == "5" for event in self["adverse_events"])

    def remission(self, line: str) -> date | None:
        """The day of remission of a line."""
        return next(r.day("remission_date") for r in self["lines"] if r["line_number"] == line)

    def naming(self, file: str, row: Row, columns: tuple[str, ...]) -> list[Row]:
        """The rows of another file with the same texts in these columns."""
        return [other for other in self[file] if other.key(*columns) == row.key(*columns)]

    def without(self, *lost: Row) -> "Case":
        """The case if these rows were not there."""
        gone = {id(row) for row in lost}
        kept = {f: [r for r in rows if id(r) not in gone] for f, rows in self.rows.items()}
        return Case(kept)

    def _bounds(self, start: date) -> list[date]:
        """Last days of the events of what began on `start`, by what came after it."""
        later = [c.known_day("start_date") for c in self["courses"]]
        later += [t.known_day("conditioning_date") for t in self["transplants"]]
        bounds = [day - timedelta(1) for day in later if day > start]
        relapse = self.followup.day("relapse_date") if self["followup"] else None
        return bounds + [day for day in (relapse,) if day and day >= start]

    def windows(self) -> Iterator[tuple[date, date]]:
        """First and last day on which an adverse event belongs to a course or transplant."""
        for course in self["courses"]:
            start, stop = course.known_day("start_date"), course.known_day("stop_date")
            yield start, min([*self._bounds(start), stop + timedelta(WINDOW_DAYS)])
        for t in self["transplants"]:
            start, day = t.known_day("conditioning_date"), t.known_day("transplant_date")
            yield start, min([*self._bounds(start), day + timedelta(TRANSPLANT_DAYS)])

    def is_far(self, day: date) -> bool:
        """Whether a day is beyond every course and transplant, however one counts."""
        lasts = [c.known_day("stop_date") + timedelta(WINDOW_DAYS) for c in self["courses"]]
        days = [t.known_day("transplant_date") for t in self["transplants"]]
        return day > max(lasts + [last + timedelta(TRANSPLANT_DAYS) for last in days])

    @property
    def has_all_events_inside(self) -> bool:
        """Whether every adverse event belongs to some course or transplant."""
        spans = list(self.windows())
        days = {event.known_day("onset_date") for event in self["adverse_events"]}
        return all(any(first <= day <= last for first, last in spans) for day in days)


@dataclass(frozen=True)
class Sheets:
    """All rows by file, in the order of the file; and all cases by case_id."""

    rows: dict[str, list[Row]]
    cases: dict[str, Case]


def sheets(tables: dict[str, pl.DataFrame]) -> Sheets:
    """The rows of these tables."""
    rows: dict[str, list[Row]] = {}
    cases: dict[str, dict[str, list[Row]]] = {}
    for name, table in tables.items():
        columns = tuple(table.columns)
        at = columns.index("case_id")
        rows[name] = [Row(name, columns, list(c)) for c in table.fill_null("").iter_rows()]
        for row in rows[name]:
            cases.setdefault(row.cells[at], {}).setdefault(name, []).append(row)
    return Sheets(rows, {case_id: Case(of_case) for case_id, of_case in cases.items()})


@dataclass(frozen=True)
class Follows:
    """A finding on a row that follows from another row's being kept out."""

    row: Row
    column: str
    rule: str


def _after_line(case: Case, line: Row) -> list[Follows]:
    files = ("courses", "infusions", "assessments")
    rows = [r for file in files for r in case.naming(file, line, ("line_number",))]
    return [Follows(row, "", "no_line") for row in rows]


def _after_course(case: Case, course: Row) -> list[Follows]:
    infusions = [Follows(r, "", "no_course") for r in case.naming("infusions", course, COURSE)]
    samples = case.naming("assessments", course, COURSE)
    return infusions + [Follows(r, "block", "assessment_without_course") for r in samples]


def follows(case: Case, row: Row) -> list[Follows]:
    """What a load finds in other rows if it keeps `row` out."""
    if row.file == "patients":
        others = [r for file, rows in case.rows.items() if file != row.file for r in rows]
        return [Follows(r, "", "no_enrollment") for r in others]
    if row.file == "lines":
        return _after_line(case, row)
    return _after_course(case, row) if row.file == "courses" else []


def _line_can_go(case: Case, line: Row) -> bool:
    """No event lies in its courses alone, and no transplant needs its remission."""
    lost = case.naming("courses", line, ("line_number",))
    left = [r.day("remission_date") for r in case.without(line)["lines"]]
    remissions = [day for day in left if day]
    transplanted = [t.known_day("transplant_date") for t in case["transplants"]]
    return (
        all(any(r <= day for r in remissions) for day in transplanted)
        and case.without(*lost).has_all_events_inside
    )


def can_go(case: Case, row: Row) -> bool:
    """Whether `row` can be kept out with no finding in other rows but those of `follows`."""
    if row.file == "lines":
        return _line_can_go(case, row)
    if row.file in ("courses", "transplants"):
        return case.without(row).has_all_events_inside
    return row.file != "followup" or not case.has_fatal_event
