"""The cells of one file: trimmed, missing texts as null, read on demand, with every finding kept.

A strict reading of a whole column comes first; only the texts it could not read go, once each, to
the patient readers of `etl/values`, which name every repair and every error.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import polars as pl

from etl.findings import FILE, found, none_found
from etl.mapping import Day, FactCell, Flag, RowCondition, SourceRule
from etl.sources.raw import RawTable
from etl.values import (
    MESSAGES,
    Measured,
    Read,
    read_code,
    read_date,
    read_grade,
    read_measured,
    read_number,
    severity,
)
from trial.document import nearest

MAX_DAY = 100 * 366
# A strictly read date before this goes to the reader, which knows placeholders and short years.
OLDEST = date(1950, 1, 1)
MEASURED = pl.Struct({"qualifier": pl.String, "value": pl.Float64})
GRADE = pl.Struct({"low": pl.Int32, "high": pl.Int32})


def every_row(value: bool) -> pl.Expr:
    """The same answer for every row.

    Not a literal: polars 2.1 takes a negated one for a predicate of another length in a frame of
    16,384 rows and more.
    """
    return pl.repeat(value, pl.len(), dtype=pl.Boolean)


class Cells:
    """The cells of one file that the mapping reads."""

    def __init__(self, raw: RawTable, file_number: int, source: SourceRule) -> None:
        """Trim the columns that the mapping reads; every trimmed cell is recorded as a repair."""
        self.findings = [none_found()]
        self.missing: dict[str, set[str]] = {}
        tagged = raw.rows.with_columns(pl.lit(file_number, pl.Int32).alias(FILE))
        columns = list(source.columns())
        for column in columns:
            trimmed = tagged.filter(pl.col(column) != pl.col(column).str.strip_chars())
            message = "Spaces around the text were removed."
            self.note(trimmed, "outer_spaces", message, column, severity="repair")
        stripped = pl.col(columns).str.strip_chars()
        present = ~stripped.is_in(list(source.missing))
        self.frame = tagged.with_columns(pl.when(present & (stripped != "")).then(stripped))

    def note(
        self, rows: pl.DataFrame, rule: str, message: str, column: str = "", severity: str = "error"
    ) -> None:
        """Record a finding for each of `rows`."""
        if rows.height:
            self.findings.append(found(rows, rule, severity, message, column))

    def matching(self, conditions: tuple[RowCondition, ...]) -> pl.Expr:
        """Which rows meet all conditions."""
        return pl.all_horizontal(
            every_row(True), *(pl.col(c.column).is_in(list(c.values)) for c in conditions)
        )

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

    def codes(self, rows: pl.DataFrame, column: str, codes: tuple[tuple[str, str], ...]) -> pl.Expr:
        """The code of a coded column; a text that is none, however read, is an error."""
        known: Mapping[str, str] = dict(codes)
        strict = pl.col(column).replace_strict(known, default=None, return_dtype=pl.String)
        hint = nearest("", list(known))
        return self.read(rows, column, strict, lambda text: read_code(text, known), pl.String, hint)

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
            else self.day_number(rows, day.column)
        )

    def date(self, rows: pl.DataFrame, column: str, date_format: str, partial: bool) -> pl.Expr:
        """A calendar date of any unambiguous shape."""
        parsed = pl.col(column).str.to_date(date_format, strict=False)
        # Polars reads 5.3.2019 by %d.%m.%Y too: clean is only what is written back the same.
        is_clean = (parsed >= OLDEST) & (parsed.dt.to_string(date_format) == pl.col(column))
        strict = pl.when(is_clean).then(parsed)
        value = self.read(rows, column, strict, lambda t: read_date(t, partial), pl.Date)
        message = "This date has not come yet. Correct it in the export."
        self.note(rows.filter(value > date.today()), "date_in_future", message, column)
        return value

    def day_number(self, rows: pl.DataFrame, column: str) -> pl.Expr:
        """A day number from 0 on."""
        value = self.number(rows, column)
        in_range = value.is_between(0, MAX_DAY) & (value == value.round())
        message = f"Not a whole number of days from 0 to {MAX_DAY}. Correct it in the export."
        self.note(rows.filter(value.is_not_null() & ~in_range), "not_a_day", message, column)
        return pl.when(in_range).then(value).cast(pl.Int32)

    def measured(self, rows: pl.DataFrame, cell: FactCell) -> pl.Expr:
        """A laboratory result as qualifier and value (fraction); the unit stands beside it."""
        column = cell.column or ""
        if cell.unit is None:
            return self.read(
                rows, column, pl.lit(None, MEASURED), lambda t: _measured(t, None), MEASURED
            )
        unit, values = pl.col(cell.unit), pl.lit(None, MEASURED)
        for text in rows[cell.unit].unique().sort().to_list():
            mine = unit.is_null() if text is None else unit == text
            read = self.read(
                rows.filter(mine),
                column,
                pl.lit(None, MEASURED),
                lambda t, unit=text: _measured(t, unit),
                MEASURED,
            )
            values = pl.when(mine).then(read).otherwise(values)
        return values

    def grade(self, rows: pl.DataFrame, column: str) -> pl.Expr:
        """A grade as its lowest and highest possible value."""

        def reader(text: str) -> Read[dict[str, int]]:
            read = read_grade(text)
            value = {"low": read.value.low, "high": read.value.high} if read.value else None
            return Read(value, read.repairs, read.error)

        return self.read(rows, column, pl.lit(None, GRADE), reader, GRADE)

    def happened(self, rows: pl.DataFrame, flag: Flag | None) -> pl.Expr:
        """Whether an event flag says that it happened; another text is an error, and null."""
        if flag is None:
            return every_row(True)
        pairs = [(text, "yes") for text in flag.event] + [(text, "no") for text in flag.no_event]
        said = self.codes(rows, flag.column, tuple(pairs))
        self.require(rows, flag.column, "The event flag")
        return said == "yes"


def _measured(text: str, unit: str | None) -> Read[dict[str, Any]]:
    read: Read[Measured] = read_measured(text, unit, needs_unit=True)
    value = read.value
    told = {"qualifier": value.qualifier, "value": value.value} if value else None
    return Read(told, read.repairs, read.error)
