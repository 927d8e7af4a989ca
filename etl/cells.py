"""The cells of one file: trimmed, missing texts as null, read on demand, with every finding kept.

A strict reading of a whole column comes first; only the texts it could not read go, once each, to
the patient readers of `etl/values`, which name every repair and every error.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, timedelta
from typing import Any

import polars as pl

from etl.errors import LoadError
from etl.findings import FILE, found, none_found
from etl.mapping import (
    EMPTY,
    FILLED,
    IS,
    NOT,
    Codes,
    Day,
    FactCell,
    Flag,
    NewColumn,
    Number,
    RowCondition,
    SourceRule,
)
from etl.sources.raw import DATE_SYSTEM_1904, ROW, SPREADSHEETS, RawTable
from etl.values import (
    EVENT_WITHOUT_GRADE,
    MESSAGES,
    Measured,
    Read,
    is_severity,
    read_code,
    read_date,
    read_grade,
    read_measured,
    read_number,
    severity,
)
from trial.document import nearest

MAX_DAY = 100 * 366
# Of fewer cells nobody can tell whether the column is one of severities.
FEWEST_SEVERITIES = 5
# A strictly read date up to this goes to the reader, which knows placeholders and short years.
OLDEST = date(1900, 1, 1)
GENERATION = timedelta(days=20 * 365)
MEASURED = pl.Struct({"qualifier": pl.String, "value": pl.Float64})
GRADE = pl.Struct({"low": pl.Int32, "high": pl.Int32})


def every_row(value: bool) -> pl.Expr:
    """The same answer for every row.

    Not a literal: polars 2.1 takes a negated one for a predicate of another length in a frame of
    16,384 rows and more.
    """
    return pl.repeat(value, pl.len(), dtype=pl.Boolean)


def one_of(column: str, values: Collection[str]) -> pl.Expr:
    """Whether a cell holds one of these texts; the empty text stands for a missing one."""
    texts = sorted(value for value in values if value)
    said = pl.col(column).is_in(texts).fill_null(False)
    return said | pl.col(column).is_null() if "" in values else said


def _met(condition: RowCondition) -> pl.Expr:
    if condition.kind == IS:
        return one_of(condition.column, condition.values)
    if condition.kind == NOT:
        return one_of(condition.column, condition.values).not_()
    present = pl.col(condition.column).is_not_null()
    return {FILLED: present, EMPTY: ~present}[condition.kind]


def matching(conditions: tuple[RowCondition, ...]) -> pl.Expr:
    """Which rows meet all conditions; never null."""
    return pl.all_horizontal(every_row(True), *map(_met, conditions))


def _made(new: NewColumn) -> pl.Expr:
    """A new column, of trimmed columns whose missing cells are null."""
    if new.kind == "row":
        return pl.col(ROW).cast(pl.String)
    if new.kind == "first_filled":
        return pl.coalesce(new.sources)
    if new.kind == "join":
        return pl.concat_str(new.sources, separator=new.by)
    pieces = pl.col(new.sources[0]).str.split(new.by)
    place = new.part - 1 if new.part > 0 else new.part
    piece = pieces.list.get(place, null_on_oob=True).str.strip_chars()
    return pl.when(piece != "").then(piece)


def trimmed(frame: pl.DataFrame, columns: Iterable[str], source: SourceRule) -> pl.DataFrame:
    """These columns without spaces around, missing texts as null; and the source's new columns."""
    made = {new.name for new in source.new_columns}
    text = pl.col([column for column in columns if column not in made]).str.strip_chars()
    clean = frame.select(pl.when(~text.is_in(["", *source.missing])).then(text))
    # A column that was clean stays the one it was, which takes no room a second time.
    frame = frame.with_columns(c for c in clean if not c.equals(frame[c.name]))
    for new in source.new_columns:
        frame = frame.with_columns(_made(new).alias(new.name))
    return frame


def _around(written: pl.Series) -> tuple[date, date]:
    """Between which days a bare number can be one of Excel's.

    Day numbers of other programs count from other years: a number that lies a generation away from
    the dates written beside it is none of Excel's.
    """
    days = [day for day in written.to_list() if day]
    if not days:
        return date.min, date.max
    return min(days) - GENERATION, max(days) + GENERATION


class Cells:
    """The cells of one source that the mapping reads."""

    def __init__(self, raw: RawTable, file_number: int, source: SourceRule) -> None:
        """Trim the columns that the mapping reads; every trimmed cell is recorded as a repair."""
        self.findings = [none_found()]
        self.missing: dict[str, set[str]] = {}
        # A bare number is a day of Excel's 1900 system only where a spreadsheet may have put it.
        self.reads_serials = raw.form.startswith(SPREADSHEETS) and DATE_SYSTEM_1904 not in raw.form
        self.shown = {new.name: new.shown for new in source.new_columns}
        tagged = raw.rows.with_columns(pl.lit(file_number, pl.Int32).alias(FILE))
        read = [column for column in source.columns() if column not in self.shown]
        has_spaces = pl.col(read) != pl.col(read).str.strip_chars()
        for column in [c.name for c in tagged.select(has_spaces.any()) if c.item()]:
            spaced = tagged.filter(pl.col(column) != pl.col(column).str.strip_chars())
            message = "Spaces around the text were removed."
            self.note(spaced, "outer_spaces", message, column, severity="repair")
        self.frame = trimmed(tagged, source.columns(), source)

    def note(
        self, rows: pl.DataFrame, rule: str, message: str, column: str = "", severity: str = "error"
    ) -> None:
        """Record a finding for each of `rows`."""
        if rows.height:
            named = self.shown.get(column)
            noted = found(rows, rule, severity, message, column)
            if named:
                noted = noted.with_columns(pl.lit(named).alias("column_name"))
            self.findings.append(noted)

    def require(self, rows: pl.DataFrame, column: str, what: str) -> None:
        """An error for each row where `column` is missing, or holds a word for missing."""
        words = sorted(self.missing.get(column, set()))
        absent = rows.filter(pl.col(column).is_null() | pl.col(column).is_in(words))
        message = f"{what} is missing. Fill it in the export, or take the row out there."
        self.note(absent, "missing_value", message, column)

    def read(
        self,
        rows: pl.DataFrame,
        column: str,
        strict: pl.Expr,
        reader: Callable[[str], Read[Any]],
        kind: pl.DataType | type[pl.DataType],
        hint: str = "",
    ) -> pl.Expr:
        """The values of a column: `strict` where it is not null, else what `reader` makes of it."""
        left = rows.filter(pl.col(column).is_not_null() & strict.is_null())
        texts = left[column].unique(maintain_order=True).to_list()
        reads = {text: reader(text) for text in texts}
        by_rule: dict[str, list[str]] = {}
        for text, read in reads.items():
            for rule in (*read.repairs, *([read.error] if read.error else [])):
                by_rule.setdefault(rule, []).append(text)
            if read.value is None and not read.error:
                self.missing.setdefault(column, set()).add(text)
        for rule, said in by_rule.items():
            hits = left.filter(pl.col(column).is_in(said))
            message = MESSAGES[rule] + (hint if rule == "unknown_code" else "")
            self.note(hits, rule, message, column, severity(rule))
        values = [reads[text].value for text in texts]
        known = pl.Series(values, dtype=kind) if values else pl.Series([], dtype=kind)
        repaired = pl.col(column).replace_strict(
            pl.Series(texts, dtype=pl.String), known, default=None, return_dtype=kind
        )
        return pl.coalesce(strict, repaired) if texts else strict

    def codes(self, rows: pl.DataFrame, cell: Codes) -> pl.Expr:
        """The code of a coded column; a text that is none, however read, is an error.

        Unless the mapping says what any other text means.
        """
        if cell.column is None:
            return pl.lit(cell.value)
        known: Mapping[str, str] = dict(cell.codes)
        strict = pl.col(cell.column).replace_strict(known, default=None, return_dtype=pl.String)
        hint = nearest("", list(known))

        def reader(text: str) -> Read[str]:
            read = read_code(text, known)
            return Read(cell.others) if cell.others and read.error == "unknown_code" else read

        return self.read(rows, cell.column, strict, reader, pl.String, hint)

    def scaled(self, rows: pl.DataFrame, cell: Number) -> pl.Expr:
        """A numeric column in the unit of the study."""
        value = self.number(rows, cell.column)
        return value if cell.times == 1 else value * cell.times

    def number(self, rows: pl.DataFrame, column: str) -> pl.Expr:
        """The value of a numeric column; anything else, infinite included, is an error."""
        value = pl.col(column).cast(pl.Float64, strict=False)
        strict = pl.when(value.is_finite()).then(value)
        return self.read(rows, column, strict, read_number, pl.Float64)

    def bounded(
        self, rows: pl.DataFrame, column: str, lowest: float, highest: float, whole: bool = False
    ) -> pl.Expr:
        """A number from `lowest` to `highest`; one outside, or not whole if it has to be: error."""
        value = self.number(rows, column)
        inside = value.is_between(lowest, highest)
        if whole:
            inside = inside & (value == value.round())
        self.note(
            rows.filter(value.is_not_null() & ~inside),
            "out_of_range",
            MESSAGES["out_of_range"],
            column,
        )
        return pl.when(inside).then(value)

    def day(self, rows: pl.DataFrame, day: Day, partial: bool = True) -> pl.Expr:
        """A day number (Int32), or a date where the mapping gives a date format.

        `partial`: a month without a day is read as its 15th.
        """
        return (
            self.date(rows, day.column, day.date_format, partial)
            if day.date_format
            else self.day_number(rows, day)
        )

    def date(self, rows: pl.DataFrame, column: str, date_format: str, partial: bool) -> pl.Expr:
        """A calendar date of any unambiguous shape."""
        # Many rows share few days: each text is read once.
        texts = rows.select(pl.col(column).unique().alias("text")).drop_nulls()
        parsed = pl.col("text").str.to_date(date_format, strict=False)
        days = texts.with_columns(parsed.alias("day"))
        # Polars reads 5.3.2019 by %d.%m.%Y too: clean is only what is written back the same.
        is_same = pl.col("day").dt.to_string(date_format) == pl.col("text")
        clean = days.filter((pl.col("day") > OLDEST) & is_same)
        strict = pl.col(column).replace_strict(
            clean["text"], clean["day"], default=None, return_dtype=pl.Date
        )
        first, last = _around(clean["day"])

        def reader(text: str) -> Read[date]:
            read = read_date(text, partial)
            if "excel_serial" not in read.repairs or not read.value:
                return read
            believed = self.reads_serials and first <= read.value <= last
            return read if believed else Read(None, error="not_a_date")

        value = self.read(rows, column, strict, reader, pl.Date)
        message = "This date has not come yet. Correct it in the export."
        self.note(rows.filter(value > date.today()), "date_in_future", message, column)
        return value

    def day_number(self, rows: pl.DataFrame, day: Day) -> pl.Expr:
        """A day number as days from day 0 on."""
        value = self.duration(rows, day.column, day.unit_days, day.first)
        return value - day.first if day.first else value

    def duration(self, rows: pl.DataFrame, column: str, unit_days: float, lowest: int) -> pl.Expr:
        """A number of units as whole days, from `lowest` on; only days themselves must be whole."""
        value = self.number(rows, column)
        days = value if unit_days == 1 else (value * unit_days).round()
        in_range = days.is_between(lowest, MAX_DAY) & (days == days.round())
        message = (
            f"Not a whole number of days from {lowest} to {MAX_DAY}. Correct it in the export."
        )
        self.note(rows.filter(value.is_not_null() & ~in_range), "not_a_day", message, column)
        return pl.when(in_range).then(days).cast(pl.Int32)

    def measured(self, rows: pl.DataFrame, cell: FactCell) -> pl.Expr:
        """A laboratory result as qualifier and value (fraction); the unit stands beside it."""
        column = cell.column or ""
        if cell.unit is None or cell.unit.column is None:
            same = cell.unit.value if cell.unit else None
            return self.read(
                rows, column, pl.lit(None, MEASURED), lambda t: _measured(t, same), MEASURED
            )
        unit, values = pl.col(cell.unit.column), pl.lit(None, MEASURED)
        meant = dict(cell.unit.codes)
        for text in rows[cell.unit.column].unique().sort().to_list():
            mine = unit.is_null() if text is None else unit == text
            said = meant.get(text, text) if text else None
            read = self.read(
                rows.filter(mine),
                column,
                pl.lit(None, MEASURED),
                lambda t, unit=said: _measured(t, unit),
                MEASURED,
            )
            values = pl.when(mine).then(read).otherwise(values)
        return values

    def grade(self, rows: pl.DataFrame, column: str) -> pl.Expr:
        """A grade as its lowest and highest possible value; see `graded` for one not recorded.

        Raises LoadError for a column of words alone: a severity is a scale of its own.
        """
        filled = rows[column].drop_nulls()
        if filled.len() >= FEWEST_SEVERITIES and all(is_severity(t) for t in filled.unique()):
            raise LoadError(
                f"column '{column}' holds severities in words and no grades: they are a scale of "
                "their own. Declare it in the study (a scale with 'level'), and map the words by "
                "'codes'."
            )

        def reader(text: str) -> Read[dict[str, int]]:
            read = read_grade(text)
            value = {"low": read.value.low, "high": read.value.high} if read.value else None
            return Read(value, read.repairs, read.error)

        graded = rows.filter(pl.col(column) != EVENT_WITHOUT_GRADE)
        return self.read(graded, column, pl.lit(None, GRADE), reader, GRADE)

    def graded(self, rows: pl.DataFrame, column: str, grade: pl.Expr, highest: int) -> pl.Expr:
        """Grades read from a column; where it says none, any from 1 to `highest`, with a warning.

        An event without a grade is an event: kept out, it would count as one that never was.
        """
        words = sorted({EVENT_WITHOUT_GRADE, *self.missing.get(column, set())})
        is_silent = pl.col(column).is_null() | pl.col(column).is_in(words)
        # A mapping may say what a text means that elsewhere says nothing.
        is_silent = is_silent & grade.struct.field("low").is_null()
        message = f"No grade is recorded: it counts as an event of unknown grade, 1 to {highest}."
        self.note(rows.filter(is_silent), "no_grade", message, column, "warning")
        unknown = pl.struct(low=pl.lit(1, pl.Int32), high=pl.lit(highest, pl.Int32))
        return pl.when(is_silent).then(unknown).otherwise(grade)

    def happened(self, rows: pl.DataFrame, flag: Flag | None) -> pl.Expr:
        """Whether an event flag says that it happened; another text is an error, and null."""
        if flag is None:
            return every_row(True)
        pairs = [(text, "yes") for text in flag.event] + [(text, "no") for text in flag.no_event]
        said = self.codes(rows, Codes(flag.column, tuple(pairs)))
        self.require(rows, flag.column, "The event flag")
        return said == "yes"


def _measured(text: str, unit: str | None) -> Read[dict[str, Any]]:
    read: Read[Measured] = read_measured(text, unit, needs_unit=True)
    value = read.value
    told = {"qualifier": value.qualifier, "value": value.value} if value else None
    return Read(told, read.repairs, read.error)
