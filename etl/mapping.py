"""Mappings: one TOML file ties one export format of one study to the canonical tables.

A mapping says which file feeds what: column to column, code to code, day numbers or dates, row
conditions, wide columns to milestones, event flags of either sense. It is checked against the
study definition when it is read, and against the header of the file before any row is touched.
"""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from trial.document import DocumentError, Table, read_document, unique
from trial.study import Study, read_study

MAPPINGS = Path(__file__).parent / "mappings"


@dataclass(frozen=True)
class Codes:
    """A coded column: export text -> code."""

    column: str
    codes: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Number:
    """A numeric column, decimal point."""

    column: str


@dataclass(frozen=True)
class Day:
    """A day of the calendar of the enrollment: a day number, or a date in `date_format`."""

    column: str
    date_format: str | None


@dataclass(frozen=True)
class Flag:
    """An event flag: which texts mean that it happened, which that it did not (either sense)."""

    column: str
    event: tuple[str, ...]
    no_event: tuple[str, ...]


@dataclass(frozen=True)
class RowCondition:
    """Only rows whose `column` holds one of `values`."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class EnrollmentRule:
    """How rows become enrollments. `repeats`: several rows of a patient carry the same facts."""

    rows: tuple[RowCondition, ...]
    repeats: bool
    cohort: Codes
    origin: Day | None
    characteristics: tuple[tuple[str, Codes | Number], ...]


@dataclass(frozen=True)
class MilestoneRule:
    """How rows become a milestone."""

    code: str
    rows: tuple[RowCondition, ...]
    day: Day
    flag: Flag | None
    required: bool


@dataclass(frozen=True)
class SourceRule:
    """What one file (or each file of a pattern) feeds."""

    code: str
    file: str
    missing: tuple[str, ...]
    patient_id: str
    enrollment: EnrollmentRule | None
    milestones: tuple[MilestoneRule, ...]

    def conditions(self) -> dict[str, set[str]]:
        """Every text that a row condition knows, by column: others are an error of the row."""
        known: dict[str, set[str]] = {}
        rules = [m.rows for m in self.milestones]
        if self.enrollment:
            rules.append(self.enrollment.rows)
        for condition in (c for rows in rules for c in rows):
            known.setdefault(condition.column, set()).update(condition.values)
        return known

    def columns(self) -> dict[str, str]:
        """Every column of the export that is read, with what for."""
        used = {self.patient_id: "the patient"}
        for column in self.conditions():
            used[column] = "a row condition"
        if self.enrollment:
            used[self.enrollment.cohort.column] = "the cohort"
            for code, cell in self.enrollment.characteristics:
                used[cell.column] = f"characteristic '{code}'"
            if self.enrollment.origin:
                used[self.enrollment.origin.column] = "day 0"
        for m in self.milestones:
            used[m.day.column] = f"the day of milestone '{m.code}'"
            if m.flag:
                used[m.flag.column] = f"the flag of milestone '{m.code}'"
        return used


@dataclass(frozen=True)
class Mapping:
    """A parsed mapping."""

    code: str
    study: Study
    data_cutoff: str | None
    sources: tuple[SourceRule, ...]


def _codes(table: Table, allowed: list[str]) -> Codes:
    codes = table.table("codes")
    pairs = tuple((text, codes.code(text, allowed)) for text in codes.data)
    if not pairs:
        raise table.error("codes", "'codes' is empty: say which text means which code.")
    cell = Codes(table.text("column"), pairs)
    table.done()
    return cell


def _day(table: Table) -> Day:
    day = Day(table.filled("column"), table.text("date_format", None))
    if day.date_format is not None:
        try:
            sample = date(2016, 11, 22)
            is_date = datetime.strptime(sample.strftime(day.date_format), day.date_format)
            if is_date.date() != sample:
                raise ValueError
        except ValueError:
            told = f"'{day.date_format}' does not write a date; write it as '%d.%m.%Y'."
            raise table.error("date_format", told) from None
    table.done()
    return day


def _rows(table: Table) -> tuple[RowCondition, ...]:
    rows = table.table("rows", None)
    if rows is None:
        return ()
    return tuple(RowCondition(column, rows.texts(column)) for column in rows.data)


def _flag(table: Table | None) -> Flag | None:
    if table is None:
        return None
    flag = Flag(table.text("column"), table.texts("event"), table.texts("no_event"))
    both = set(flag.event) & set(flag.no_event)
    if both:
        raise table.error(None, f"{sorted(both)} means both 'event' and 'no_event'.")
    table.done()
    return flag


def _characteristic(table: Table, study: Study, code: str) -> Codes | Number:
    x = study.characteristic(code)
    if x.kind == "choice":
        return _codes(table, [level.code for level in x.levels])
    cell = Number(table.text("column"))
    table.done()
    return cell


def _enrollment(table: Table | None, study: Study) -> EnrollmentRule | None:
    if table is None:
        return None
    known = [x.code for x in study.characteristics]
    cells = []
    for code, cell in table.mapping("characteristics").items():
        if code not in known:
            raise cell.error(None, f"study '{study.code}' has no characteristic '{code}'.")
        cells.append((code, _characteristic(cell, study, code)))
    left_out = [code for code in known if code not in dict(cells)]
    if left_out:
        raise table.error(
            "characteristics",
            f"the study's characteristics {left_out} are not mapped. Map them, or take them "
            "out of the study definition.",
        )
    origin = table.table("origin", None)
    rule = EnrollmentRule(
        rows=_rows(table),
        repeats=table.flag("repeats", False),
        cohort=_codes(table.table("cohort"), [c.code for c in study.cohorts]),
        origin=_day(origin) if origin else None,
        characteristics=tuple(cells),
    )
    if rule.origin and rule.origin.date_format is None:
        raise table.error("origin", "'origin' is a date: give its 'date_format'.")
    table.done()
    return rule


def _milestone(table: Table, study: Study) -> MilestoneRule:
    rule = MilestoneRule(
        code=table.code("code", [m.code for m in study.milestones]),
        rows=_rows(table),
        day=_day(table.table("day")),
        flag=_flag(table.table("flag", None)),
        required=table.flag("required", False),
    )
    table.done()
    return rule


def _source(table: Table, study: Study) -> SourceRule:
    source = SourceRule(
        code=table.new_code(),
        file=table.filled("file"),
        missing=table.texts("missing", ("",)),
        patient_id=table.filled("patient_id"),
        enrollment=_enrollment(table.table("enrollment", None), study),
        milestones=tuple(_milestone(m, study) for m in table.tables("milestone")),
    )
    table.done()
    return source


def read_mapping(name: str, folder: Path = MAPPINGS, studies: Path | None = None) -> Mapping:
    """The mapping `name` (of the project, or a path to a TOML file) and its study.

    Raises DocumentError, naming the wrong line, if mapping or study cannot be used.
    """
    path = Path(name) if name.endswith(".toml") else folder / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.toml")))
        raise DocumentError(f"no mapping '{name}'. Known: {known}; or give a path to a .toml.")
    root = read_document(path).root()
    code = root.text("study")
    study = read_study(code, studies) if studies else read_study(code)
    tables = root.tables("source", at_least=1)
    sources = tuple(_source(table, study) for table in tables)
    unique(tables, [source.code for source in sources], "source")
    if not any(source.enrollment for source in sources):
        raise root.error(None, "no source has an [source.enrollment]: nobody would be enrolled.")
    _check_dates(root, sources)
    mapping = Mapping(path.stem, study, root.text("data_cutoff", None), sources)
    root.done()
    return mapping


def _check_dates(root: Table, sources: tuple[SourceRule, ...]) -> None:
    has_origin = any(s.enrollment and s.enrollment.origin for s in sources)
    for i, source in enumerate(sources):
        for j, milestone in enumerate(source.milestones):
            if milestone.day.date_format and not has_origin:
                raise root.document.error(
                    ("source", i, "milestone", j),
                    "a date needs a day 0: add [source.enrollment.origin] with its column.",
                )
