"""Mappings: one TOML file ties one export format of one study to the canonical tables.

A mapping says which file feeds what: column to column, code to code, day numbers or dates, row
conditions, wide columns to milestones, event flags of either sense. What can be said in one is
written for data managers in `etl/mappings/README.md`; `etl/mapping_file.py` reads it.
"""

from dataclasses import dataclass

from etl.fact_tables import FactColumn, FactTable
from trial.study import Study

IS, NOT, FILLED, EMPTY = "is", "not", "filled", "empty"


@dataclass(frozen=True)
class Codes:
    """A coded column: export text -> code; any other text is an error, or means `others`.

    Without a column every row has the code `value`.
    """

    column: str | None
    codes: tuple[tuple[str, str], ...] = ()
    value: str | None = None
    others: str | None = None


@dataclass(frozen=True)
class Number:
    """A numeric column, decimal point; the value is the number times `times`."""

    column: str
    times: float = 1.0


@dataclass(frozen=True)
class Day:
    """A day of the calendar of the enrollment: a day number, or a date in `date_format`.

    `unit_days`: the number counts units of so many days. `first`: the number of the first day, 0
    or 1; in a calendar that begins with 1 the day before it is -1, as CDISC counts study days.
    """

    column: str
    date_format: str | None
    unit_days: float = 1.0
    first: int = 0


@dataclass(frozen=True)
class Flag:
    """An event flag: which texts mean that it happened, which that it did not (either sense)."""

    column: str
    event: tuple[str, ...]
    no_event: tuple[str, ...]


@dataclass(frozen=True)
class RowCondition:
    """Only rows whose `column` holds one of `values`, or none of them, or anything, or nothing.

    `kind` is is, not, filled or empty; the empty text among the values stands for a missing one.
    """

    column: str
    values: tuple[str, ...]
    kind: str = IS


@dataclass(frozen=True)
class NewColumn:
    """A column made of others before anything is read.

    `kind`: split (piece `part` of the cell cut at `by`; -1 is the last), first_filled (of
    `sources`), join (of `sources`, with `by` between) or row (the number of the row).
    """

    name: str
    kind: str
    sources: tuple[str, ...]
    by: str = ""
    part: int = 1

    @property
    def shown(self) -> str:
        """How a finding names it: the columns of the export behind it."""
        return " / ".join(self.sources) or self.name


@dataclass(frozen=True)
class Exclusion:
    """Rows that are left out by rule, and why."""

    rows: tuple[RowCondition, ...]
    reason: str


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
    milestone without its detail is a finding. `pick`: of several days the first or the last counts.
    """

    code: str
    rows: tuple[RowCondition, ...]
    day: Day
    flag: Flag | None
    required: bool
    exclusive: bool
    detail: Codes | None
    wants_detail: bool
    pick: str | None = None


@dataclass(frozen=True)
class Unit:
    """The unit of a measured cell: the text of a column, what `codes` makes of it, or `value`."""

    column: str | None
    codes: tuple[tuple[str, str], ...] = ()
    value: str | None = None


@dataclass(frozen=True)
class FactCell:
    """Where a column of a fact table comes from: a column of the export, or one value for all.

    `codes` (and `others`) for a coded cell, `day` for a day, `unit` for a measured one, `unit_days`
    for a duration, `category` (a column) for a term of an open list. `highest_grade`: what a grade
    that is not recorded can be at most. `is_counted`: neither, but 1, 2, 3 in the order of their
    days.
    """

    column: str | None
    value: str | None = None
    codes: tuple[tuple[str, str], ...] = ()
    others: str | None = None
    day: Day | None = None
    unit: Unit | None = None
    unit_days: float = 1.0
    category: str | None = None
    is_counted: bool = False
    highest_grade: int = 5

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the export that it reads."""
        unit = self.unit.column if self.unit else None
        return tuple(c for c in (self.column, unit, self.category) if c)


@dataclass(frozen=True)
class FactRule:
    """How rows become rows of a fact table: each of its columns that the export has.

    `is_span`: rows of one key become one, from the first start to the last stop.
    """

    table: FactTable
    rows: tuple[RowCondition, ...]
    cells: tuple[tuple[FactColumn, FactCell], ...]
    is_span: bool = False

    def cell(self, name: str) -> FactCell | None:
        """The cell of a column, None if the mapping does not name it."""
        return next((cell for column, cell in self.cells if column.name == name), None)


@dataclass(frozen=True)
class SourceRule:
    """What one file (or each file of a pattern) feeds.

    `table` is the table within the file (a pattern), None for a file that is one table.
    `enrollment_id` is the column that identifies an enrollment, the patient's own by default.
    `single`: at most one row an enrollment. `synthetic`: the rows that are synthetic. `where`: the
    rows of the table that are this source's; without it all of them. `excludes`: rows left out by
    rule. `supplement`: the file of SDTM supplemental qualifiers. `ignored`: columns left unread on
    purpose.
    """

    code: str
    file: str
    table: str | None
    missing: tuple[str, ...]
    patient_id: str
    enrollment_id: str
    single: bool
    synthetic: RowCondition | None
    enrollment: EnrollmentRule | None
    milestones: tuple[MilestoneRule, ...]
    facts: tuple[FactRule, ...]
    where: tuple[RowCondition, ...] = ()
    excludes: tuple[Exclusion, ...] = ()
    new_columns: tuple[NewColumn, ...] = ()
    supplement: str | None = None
    ignored: tuple[str, ...] = ()

    @property
    def told(self) -> tuple[str, ...]:
        """Every milestone and table that a row of the source can tell of."""
        told = [rule.code for rule in self.milestones] + [f.table.name for f in self.facts]
        return tuple(dict.fromkeys(told))

    @property
    def all_conditions(self) -> list[tuple[RowCondition, ...]]:
        """The row conditions of every rule."""
        rules = [m.rows for m in self.milestones] + [f.rows for f in self.facts]
        return [*rules, self.enrollment.rows] if self.enrollment else rules

    def conditions(self) -> dict[str, set[str]]:
        """Every text that a list condition knows, by column: others are an error of the row."""
        known: dict[str, set[str]] = {}
        for condition in (c for rows in self.all_conditions for c in rows if c.kind == IS):
            known.setdefault(condition.column, set()).update(condition.values)
        return known

    def columns(self) -> dict[str, str]:
        """Every column of the export that is read, with what for."""
        used = {self.patient_id: "the patient", self.enrollment_id: "the enrollment"}
        for condition in self._every_condition():
            used[condition.column] = "a row condition"
        for column, purpose in (
            *self._enrollment_columns(),
            *self._milestone_columns(),
            *self._fact_columns(),
        ):
            used.setdefault(column, purpose)
        if self.synthetic:
            used[self.synthetic.column] = "whether the row is synthetic"
        for new in self.new_columns:
            for column in new.sources:
                used.setdefault(column, f"column '{new.name}'")
        return used

    def _every_condition(self) -> list[RowCondition]:
        rules = [*self.all_conditions, self.where, *(x.rows for x in self.excludes)]
        return [condition for rows in rules for condition in rows]

    def _enrollment_columns(self) -> list[tuple[str, str]]:
        if self.enrollment is None:
            return []
        rule = self.enrollment
        used = [(rule.cohort.column, "the cohort")] if rule.cohort.column else []
        used += [
            (cell.column, f"characteristic '{code}'")
            for code, cell in rule.characteristics
            if cell.column
        ]
        used += [(day.column, f"the date '{code}'") for code, day in rule.dates]
        days = ((rule.origin, "day 0"), (rule.entry, "the registration"))
        return used + [(day.column, purpose) for day, purpose in days if day]

    def _milestone_columns(self) -> list[tuple[str, str]]:
        used = []
        for m in self.milestones:
            used.append((m.day.column, f"the day of milestone '{m.code}'"))
            if m.flag:
                used.append((m.flag.column, f"the flag of milestone '{m.code}'"))
            if m.detail and m.detail.column:
                used.append((m.detail.column, f"the detail of milestone '{m.code}'"))
        return used

    def _fact_columns(self) -> list[tuple[str, str]]:
        used = []
        for fact in self.facts:
            for column, cell in fact.cells:
                used += [(name, f"'{column.name}' of {fact.table.name}") for name in cell.columns]
        return used


@dataclass(frozen=True)
class Mapping:
    """A parsed mapping; a draft is one that nobody has corrected yet."""

    code: str
    study: Study
    data_cutoff: str | None
    sources: tuple[SourceRule, ...]
    is_draft: bool = False
