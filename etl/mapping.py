"""Mappings: one TOML file ties one export format of one study to the canonical tables.

A mapping says which file feeds what: column to column, code to code, day numbers or dates, row
conditions, wide columns to milestones, event flags of either sense. It is checked against the
study definition when it is read, and against the header of the file before any row is touched.
"""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from etl.fact_tables import FACT_TABLES, FactColumn, FactTable, fact_table, known_codes
from trial.document import DocumentError, Table, read_document, unique
from trial.study import Characteristic, Study
from trial.study_file import read_study

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
    """How rows become enrollments. `repeats`: several rows of a patient carry the same facts.

    `dates` are baseline dates by code, `entry` the day of registration. For a derived
    characteristic the cell is what was recorded: it is compared with the derived value.
    """

    rows: tuple[RowCondition, ...]
    repeats: bool
    cohort: Codes
    origin: Day | None
    entry: Day | None
    dates: tuple[tuple[str, Day], ...]
    characteristics: tuple[tuple[str, Codes | Number], ...]


@dataclass(frozen=True)
class MilestoneRule:
    """How rows become a milestone.

    `exclusive`: the day may stand there only if the flag says that it happened. `wants_detail`: a
    milestone without its detail is a finding.
    """

    code: str
    rows: tuple[RowCondition, ...]
    day: Day
    flag: Flag | None
    required: bool
    exclusive: bool
    detail: Codes | None
    wants_detail: bool


@dataclass(frozen=True)
class FactCell:
    """Where a column of a fact table comes from: a column of the export, or one value for all.

    `codes` for a coded cell, `date_format` for a day that is a date, `unit` for a measured one.
    """

    column: str | None
    value: str | None
    codes: tuple[tuple[str, str], ...]
    date_format: str | None
    unit: str | None


@dataclass(frozen=True)
class FactRule:
    """How rows become rows of a fact table: each of its columns that the export has."""

    table: FactTable
    rows: tuple[RowCondition, ...]
    cells: tuple[tuple[FactColumn, FactCell], ...]

    def cell(self, name: str) -> FactCell | None:
        """The cell of a column, None if the mapping does not name it."""
        return next((cell for column, cell in self.cells if column.name == name), None)


@dataclass(frozen=True)
class SourceRule:
    """What one file (or each file of a pattern) feeds.

    `enrollment_id` is the column that identifies an enrollment, the patient's own by default.
    `single`: at most one row an enrollment. `synthetic`: the rows that are synthetic.
    """

    code: str
    file: str
    missing: tuple[str, ...]
    patient_id: str
    enrollment_id: str
    single: bool
    synthetic: RowCondition | None
    enrollment: EnrollmentRule | None
    milestones: tuple[MilestoneRule, ...]
    facts: tuple[FactRule, ...]

    @property
    def all_conditions(self) -> list[tuple[RowCondition, ...]]:
        """The row conditions of every rule."""
        rules = [m.rows for m in self.milestones] + [f.rows for f in self.facts]
        return [*rules, self.enrollment.rows] if self.enrollment else rules

    def conditions(self) -> dict[str, set[str]]:
        """Every text that a row condition knows, by column: others are an error of the row."""
        known: dict[str, set[str]] = {}
        for condition in (c for rows in self.all_conditions for c in rows):
            known.setdefault(condition.column, set()).update(condition.values)
        return known

    def columns(self) -> dict[str, str]:
        """Every column of the export that is read, with what for."""
        used = {self.patient_id: "the patient", self.enrollment_id: "the enrollment"}
        for column in self.conditions():
            used[column] = "a row condition"
        for column, purpose in (
            *self._enrollment_columns(),
            *self._milestone_columns(),
            *self._fact_columns(),
        ):
            used.setdefault(column, purpose)
        if self.synthetic:
            used[self.synthetic.column] = "whether the row is synthetic"
        return used

    def _enrollment_columns(self) -> list[tuple[str, str]]:
        if self.enrollment is None:
            return []
        rule = self.enrollment
        used = [(rule.cohort.column, "the cohort")]
        used += [(cell.column, f"characteristic '{code}'") for code, cell in rule.characteristics]
        used += [(day.column, f"the date '{code}'") for code, day in rule.dates]
        days = ((rule.origin, "day 0"), (rule.entry, "the registration"))
        return used + [(day.column, purpose) for day, purpose in days if day]

    def _milestone_columns(self) -> list[tuple[str, str]]:
        used = []
        for m in self.milestones:
            used.append((m.day.column, f"the day of milestone '{m.code}'"))
            if m.flag:
                used.append((m.flag.column, f"the flag of milestone '{m.code}'"))
            if m.detail:
                used.append((m.detail.column, f"the detail of milestone '{m.code}'"))
        return used

    def _fact_columns(self) -> list[tuple[str, str]]:
        used = []
        for fact in self.facts:
            for column, cell in fact.cells:
                for name in (cell.column, cell.unit):
                    if name:
                        used.append((name, f"'{column.name}' of {fact.table.name}"))
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


def _characteristic(table: Table, x: Characteristic) -> Codes | Number:
    if x.kind == "choice":
        return _codes(table, [level.code for level in x.levels])
    cell = Number(table.text("column"))
    table.done()
    return cell


def _characteristics(table: Table, study: Study) -> tuple[tuple[str, Codes | Number], ...]:
    known = {x.code: x for x in study.characteristics}
    cells = []
    for code, cell in table.mapping("characteristics").items():
        if code not in known:
            raise cell.error(None, f"study '{study.code}' has no characteristic '{code}'.")
        cells.append((code, _characteristic(cell, known[code])))
    read = [x.code for x in study.characteristics if not x.is_derived]
    left_out = [code for code in read if code not in dict(cells)]
    if left_out:
        raise table.error(
            "characteristics",
            f"the study's characteristics {left_out} are not mapped. Map them, or take them "
            "out of the study definition.",
        )
    return tuple(cells)


def _date(table: Table) -> Day:
    day = _day(table)
    if day.date_format is None:
        raise table.error(None, "this is a date: give its 'date_format'.")
    return day


def _enrollment(table: Table | None, study: Study) -> EnrollmentRule | None:
    if table is None:
        return None
    origin, entry = table.table("origin", None), table.table("entry", None)
    known = [d.code for d in study.baseline_dates]
    dates = table.mapping("dates")
    for code, cell in dates.items():
        if code not in known:
            raise cell.error(None, f"study '{study.code}' has no [[baseline_date]] '{code}'.")
    rule = EnrollmentRule(
        rows=_rows(table),
        repeats=table.flag("repeats", False),
        cohort=_codes(table.table("cohort"), [c.code for c in study.cohorts]),
        origin=_date(origin) if origin else None,
        entry=_day(entry) if entry else None,
        dates=tuple((code, _date(cell)) for code, cell in dates.items()),
        characteristics=_characteristics(table, study),
    )
    table.done()
    return rule


def _milestone(table: Table, study: Study) -> MilestoneRule:
    known = {m.code: m for m in study.milestones if not m.is_derived}
    code = table.code("code", list(known))
    detail = table.table("detail", None)
    wants = detail.flag("wanted", False) if detail else False
    rule = MilestoneRule(
        code=code,
        rows=_rows(table),
        day=_day(table.table("day")),
        flag=_flag(table.table("flag", None)),
        required=table.flag("required", False),
        exclusive=table.flag("exclusive", False),
        detail=_codes(detail, [d.code for d in known[code].details]) if detail else None,
        wants_detail=wants,
    )
    table.done()
    return rule


def _fact_cell(table: Table, column: FactColumn, study: Study) -> FactCell:
    codes = table.table("codes", None)
    allowed = known_codes(study, column) if column.kind in ("code", "flag") else []
    day = _day(_part(table, "column", "date_format")) if "date_format" in table.data else None
    cell = FactCell(
        column=table.text("column", None),
        value=table.text("value", None),
        codes=tuple((text, codes.code(text, allowed)) for text in codes.data) if codes else (),
        date_format=table.text("date_format", None) if day else None,
        unit=table.text("unit", None) if column.kind == "measured" else None,
    )
    if (cell.column is None) == (cell.value is None):
        raise table.error(None, "give either 'column' or 'value'.")
    if allowed and cell.column and not cell.codes:
        raise table.error(None, "a coded column needs its 'codes'.")
    if allowed and cell.value is not None and cell.value not in allowed:
        raise table.error("value", f"'{cell.value}' is none of {', '.join(allowed)}.")
    table.done()
    return cell


def _part(table: Table, *keys: str) -> Table:
    """A cursor on some keys of a table, to be read as a table of its own."""
    return Table(table.document, table.path, {k: table.data[k] for k in keys if k in table.data})


def _fact(table: Table, study: Study) -> FactRule:
    target = fact_table(table.code("table", [t.name for t in FACT_TABLES]))
    columns = table.mapping("columns")
    known = [column.name for column in target.columns]
    cells = []
    for name, cell in columns.items():
        if name not in known:
            told = f"{target.name} has no column '{name}'. It has: {', '.join(known)}."
            raise cell.error(None, told)
        column = target.column(name)
        cells.append((column, _fact_cell(cell, column, study)))
    lacking = [c.name for c in target.columns if c.required and c.name not in columns]
    if lacking:
        raise table.error("columns", f"{target.name} needs {', '.join(lacking)}.")
    rule = FactRule(target, _rows(table), tuple(cells))
    table.done()
    return rule


def _synthetic(table: Table | None) -> RowCondition | None:
    if table is None:
        return None
    condition = RowCondition(table.filled("column"), (table.filled("value"),))
    table.done()
    return condition


def _source(table: Table, study: Study) -> SourceRule:
    enrollment_id = table.text("enrollment_id", None) or table.filled("patient_id")
    source = SourceRule(
        code=table.new_code(),
        file=table.filled("file"),
        missing=table.texts("missing", ("",)),
        patient_id=table.text("patient_id", enrollment_id),
        enrollment_id=enrollment_id,
        single=table.flag("single", False),
        synthetic=_synthetic(table.table("synthetic", None)),
        enrollment=_enrollment(table.table("enrollment", None), study),
        milestones=tuple(_milestone(m, study) for m in table.tables("milestone")),
        facts=tuple(_fact(f, study) for f in table.tables("fact")),
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
    if has_origin:
        return
    for i, source in enumerate(sources):
        dated = [("milestone", m.day.date_format) for m in source.milestones]
        dated += [
            ("fact", next((c.date_format for _, c in f.cells if c.date_format), None))
            for f in source.facts
        ]
        for kind, date_format in dated:
            if date_format:
                raise root.document.error(
                    ("source", i, kind),
                    "a date needs a day 0: add [source.enrollment.origin] with its column.",
                )
