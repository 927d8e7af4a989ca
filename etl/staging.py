"""Staging: the raw rows of one file -> typed facts, each with its file and row, plus findings.

Nothing is decided between rows here; that is `etl/checks.py`. A cell that cannot be read is an
error of its row; a cell that is blank, or holds a text the mapping calls missing, is missing.
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from etl.errors import LoadError
from etl.findings import FILE, found, none_found
from etl.mapping import Codes, Day, Flag, MilestoneRule, Number, RowCondition, SourceRule
from etl.sources.csv_file import ROW, RawFile
from trial.document import nearest
from trial.study import Characteristic, Study

FACT_COLUMNS = {FILE: pl.Int32, ROW: pl.Int64, "patient_id": pl.String}
MAX_DAY = 100 * 366


@dataclass(frozen=True)
class StagedFile:
    """Facts of one file, each with file, row and patient_id.

    `enrollments`: cohort_code, origin_date and the level (and value) of every characteristic.
    `milestones`: milestone_code, column_name, raw_text, and day or date. `denials`: milestones
    that a row says did not happen. `feeds`: every row with each milestone it could have told of.
    `rows`: every row. `findings`: as `etl.findings.COLUMNS`.
    """

    enrollments: pl.DataFrame
    milestones: pl.DataFrame
    denials: pl.DataFrame
    feeds: pl.DataFrame
    rows: pl.DataFrame
    findings: pl.DataFrame


class Cells:
    """The cells of one file: trimmed, missing texts as null, parsed on demand; keeps findings."""

    def __init__(self, raw: RawFile, file_number: int, source: SourceRule) -> None:
        """Trim the columns that the mapping reads; every trimmed cell is recorded as a repair."""
        self.findings = [none_found()]
        tagged = raw.rows.with_columns(pl.lit(file_number, pl.Int32).alias(FILE))
        columns = list(source.columns())
        for column in columns:
            trimmed = tagged.filter(pl.col(column) != pl.col(column).str.strip_chars())
            self.note(
                trimmed,
                "outer_spaces",
                "Spaces around the text were removed.",
                column,
                severity="repair",
            )
        stripped = pl.col(columns).str.strip_chars()
        present = ~stripped.is_in(list(source.missing))
        self.frame = tagged.with_columns(pl.when(present & (stripped != "")).then(stripped))

    def note(
        self,
        rows: pl.DataFrame,
        rule: str,
        message: str,
        column: str = "",
        severity: str = "error",
    ) -> None:
        """Record a finding for each of `rows`."""
        self.findings.append(found(rows, rule, severity, message, column))

    def matching(self, conditions: tuple[RowCondition, ...]) -> pl.Expr:
        """Which rows meet all conditions."""
        return pl.all_horizontal(
            pl.lit(True), *(pl.col(c.column).is_in(list(c.values)) for c in conditions)
        )

    def require(self, rows: pl.DataFrame, column: str, what: str) -> None:
        """An error for each row where `column` is missing."""
        message = f"{what} is missing. Fill it in the export, or take the row out there."
        self.note(rows.filter(pl.col(column).is_null()), "missing_value", message, column)

    def codes(self, rows: pl.DataFrame, cell: Codes) -> pl.Expr:
        """The code of a coded column; an unknown text is an error."""
        known = [text for text, _ in cell.codes]
        unknown = rows.filter(pl.col(cell.column).is_not_null() & ~pl.col(cell.column).is_in(known))
        message = f"Not a known code.{nearest('', known)} Add it to the mapping if it is one."
        self.note(unknown, "unknown_code", message, cell.column)
        return pl.col(cell.column).replace_strict(dict(cell.codes), default=None)

    def number(self, rows: pl.DataFrame, column: str) -> pl.Expr:
        """The value of a numeric column; anything else, infinite included, is an error."""
        value = pl.col(column).cast(pl.Float64, strict=False)
        value = pl.when(value.is_finite()).then(value)
        self.note(
            rows.filter(pl.col(column).is_not_null() & value.is_null()),
            "not_a_number",
            "Not a number. Numbers are written with digits and a decimal point.",
            column,
        )
        return value

    def day(self, rows: pl.DataFrame, day: Day) -> pl.Expr:
        """A day number (Int32), or a date where the mapping gives a date format."""
        if day.date_format:
            value = pl.col(day.column).str.to_date(day.date_format, strict=False)
            self.note(
                rows.filter(pl.col(day.column).is_not_null() & value.is_null()),
                "not_a_date",
                f"Not a date of the form {day.date_format}. Correct it in the export.",
                day.column,
            )
            self.note(
                rows.filter(value > date.today()),
                "date_in_future",
                "This date has not come yet. Correct it in the export.",
                day.column,
            )
            return value
        value = self.number(rows, day.column)
        in_range = value.is_between(0, MAX_DAY) & (value == value.round())
        self.note(
            rows.filter(value.is_not_null() & ~in_range),
            "not_a_day",
            f"Not a whole number of days from 0 to {MAX_DAY}. Correct it in the export.",
            day.column,
        )
        return pl.when(in_range).then(value).cast(pl.Int32)

    def happened(self, rows: pl.DataFrame, flag: Flag | None) -> pl.Expr:
        """Whether an event flag says that it happened; neither text is an error."""
        if flag is None:
            return pl.lit(True)
        known = [*flag.event, *flag.no_event]
        self.require(rows, flag.column, "The event flag")
        unknown = rows.filter(pl.col(flag.column).is_not_null() & ~pl.col(flag.column).is_in(known))
        self.note(
            unknown, "unknown_code", f"Not a known event flag.{nearest('', known)}", flag.column
        )
        return pl.col(flag.column).is_in(list(flag.event))


def _check_columns(raw: RawFile, source: SourceRule) -> None:
    for column, purpose in source.columns().items():
        if column not in raw.columns:
            hint = nearest(column, list(raw.columns))
            raise LoadError(
                f"{raw.name}: the mapping reads column '{column}' ({purpose}), "
                f"but the file has no such column.{hint}"
            )


def _check_rows(cells: Cells, source: SourceRule) -> None:
    cells.require(cells.frame, source.patient_id, "The patient identifier")
    for column, known in source.conditions().items():
        unknown = cells.frame.filter(~pl.col(column).is_in(sorted(known)).fill_null(False))
        cells.note(
            unknown,
            "unknown_row_kind",
            f"No rule of the mapping is for such a row.{nearest('', sorted(known))}",
            column,
        )
    _check_matched(cells, source)


def _check_matched(cells: Cells, source: SourceRule) -> None:
    rules = [m.rows for m in source.milestones]
    if source.enrollment:
        rules.append(source.enrollment.rows)
    matched = pl.any_horizontal(pl.lit(False), *(cells.matching(rows) for rows in rules))
    cells.note(
        cells.frame.filter(~matched.fill_null(False)),
        "row_matches_no_rule",
        "No rule of the mapping is for such a row. Add one, or correct the export.",
    )


def _band(x: Characteristic, value: pl.Expr) -> pl.Expr:
    label = pl.lit(None, pl.String)
    for level in x.levels:
        inside = value.is_between(level.lower, level.upper, closed="left")
        label = pl.when(inside).then(pl.lit(level.code)).otherwise(label)
    return label


def _characteristic(
    cells: Cells, rows: pl.DataFrame, x: Characteristic, cell: Codes | Number
) -> list[pl.Expr]:
    if isinstance(cell, Codes):
        return [cells.codes(rows, cell).alias(x.code)]
    value = cells.number(rows, cell.column)
    outside = rows.filter(value.is_not_null() & _band(x, value).is_null())
    cells.note(outside, "outside_bands", f"No band of {x.label} holds this value.", cell.column)
    return [value.alias(x.code), _band(x, value).alias(x.level_column)]


def _enrollments(cells: Cells, source: SourceRule, study: Study) -> pl.DataFrame:
    rule = source.enrollment
    schema = {**FACT_COLUMNS, "cohort_code": pl.String, "origin_date": pl.Date}
    if rule is None:
        return pl.DataFrame(schema=schema)
    rows = cells.frame.filter(cells.matching(rule.rows))
    cells.require(rows, rule.cohort.column, "The cohort")
    if rule.origin:
        cells.require(rows, rule.origin.column, "The date of day 0")
    facts = [
        expr
        for code, cell in rule.characteristics
        for expr in _characteristic(cells, rows, study.characteristic(code), cell)
    ]
    origin = cells.day(rows, rule.origin) if rule.origin else pl.lit(None, pl.Date)
    return rows.select(
        FILE,
        ROW,
        pl.col(source.patient_id).alias("patient_id"),
        cells.codes(rows, rule.cohort).alias("cohort_code"),
        origin.alias("origin_date"),
        *facts,
    )


FEED_COLUMNS = {**FACT_COLUMNS, "milestone_code": pl.String}
DENIAL_COLUMNS = {**FEED_COLUMNS, "column_name": pl.String, "raw_text": pl.String}
MILESTONE_COLUMNS = {**DENIAL_COLUMNS, "day": pl.Int32, "date": pl.Date}


def _milestone(cells: Cells, source: SourceRule, rule: MilestoneRule) -> dict[str, pl.DataFrame]:
    """What the rows of one rule say: that it happened, that it did not, which rows can say so."""
    rows = cells.frame.filter(cells.matching(rule.rows))
    happened = cells.happened(rows, rule.flag)
    if rule.required or rule.flag:
        cells.require(rows.filter(happened), rule.day.column, f"The day of '{rule.code}'")
    value = cells.day(rows, rule.day)
    told = [
        FILE,
        ROW,
        pl.col(source.patient_id).alias("patient_id"),
        pl.lit(rule.code).alias("milestone_code"),
    ]
    said_in = rule.flag.column if rule.flag else rule.day.column
    denied = [pl.lit(said_in).alias("column_name"), pl.col(said_in).alias("raw_text")]
    facts = rows.filter(happened & pl.col(rule.day.column).is_not_null()).select(
        *told,
        pl.lit(rule.day.column).alias("column_name"),
        pl.col(rule.day.column).alias("raw_text"),
        value.alias("date" if rule.day.date_format else "day"),
    )
    return {
        "milestones": facts.match_to_schema(MILESTONE_COLUMNS, missing_columns="insert"),
        "denials": rows.filter(~happened).select(*told, *denied),
        "feeds": rows.select(told),
    }


def _unreadable_feeds(
    cells: Cells, raw: RawFile, file_number: int, source: SourceRule
) -> pl.DataFrame:
    """Rows that might have been about any milestone of their source, for all one can tell.

    Rows of a kind that no condition knows, and rows with too many or too few fields: of these the
    patient is who stands where the patient's column is.
    """
    known = pl.all_horizontal(
        pl.lit(True),
        *(pl.col(c).is_in(sorted(v)).fill_null(False) for c, v in source.conditions().items()),
    )
    place = raw.columns.index(source.patient_id)
    misfits = [
        (file_number, number, fields[place].strip())
        for number, fields in raw.misfits
        if len(fields) > place
    ]
    rows = pl.concat(
        [
            cells.frame.filter(~known).select(FILE, ROW, patient_id=source.patient_id),
            pl.DataFrame(misfits, schema=FACT_COLUMNS, orient="row"),
        ]
    )
    codes = pl.DataFrame({"milestone_code": [rule.code for rule in source.milestones]})
    return rows.join(codes.cast(pl.String), how="cross")


def _together(told: list[dict[str, pl.DataFrame]], name: str, columns: dict) -> pl.DataFrame:
    return pl.concat([pl.DataFrame(schema=columns), *(part[name] for part in told)])


def stage(raw: RawFile, file_number: int, source: SourceRule, study: Study) -> StagedFile:
    """Type the rows of one file by its rule. Raises LoadError if a mapped column is not there."""
    _check_columns(raw, source)
    cells = Cells(raw, file_number, source)
    _check_rows(cells, source)
    enrollments = _enrollments(cells, source, study)
    told = [_milestone(cells, source, rule) for rule in source.milestones]
    misfits = pl.DataFrame(
        [
            {FILE: file_number, ROW: number, "fields": f"{len(fields)} fields"}
            for number, fields in raw.misfits
        ],
        schema={FILE: pl.Int32, ROW: pl.Int64, "fields": pl.String},
    )
    cells.note(
        misfits,
        "wrong_number_of_fields",
        f"The header has {len(raw.columns)} columns and this row has another number. Look for "
        "a missing quote or a separator inside a text.",
    )
    return StagedFile(
        enrollments=enrollments,
        milestones=_together(told, "milestones", MILESTONE_COLUMNS),
        denials=_together(told, "denials", DENIAL_COLUMNS),
        feeds=pl.concat(
            [
                _together(told, "feeds", FEED_COLUMNS),
                _unreadable_feeds(cells, raw, file_number, source),
            ]
        ),
        rows=cells.frame.select(FILE, ROW, pl.col(source.patient_id).alias("patient_id")),
        findings=pl.concat(cells.findings).unique(
            ["source_row", "column_name", "rule"], keep="first", maintain_order=True
        ),
    )
