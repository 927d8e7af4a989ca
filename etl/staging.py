"""Staging: the raw rows of one file -> typed facts, each with its file and row, plus findings.

Nothing is decided between rows here; that is `etl/checks.py`. A cell that cannot be read is an
error of its row; a cell that is blank, or holds a text the mapping calls missing, is missing.
"""

from dataclasses import dataclass

import polars as pl

from etl.cells import Cells, every_row
from etl.errors import LoadError
from etl.fact_tables import FactColumn
from etl.findings import FILE
from etl.mapping import Codes, Day, FactCell, FactRule, MilestoneRule, Number, SourceRule
from etl.sources.raw import ROW, RawTable
from trial.document import nearest
from trial.study import Characteristic, Study

FACT_COLUMNS = {FILE: pl.Int32, ROW: pl.Int64, "enrollment_id": pl.String}
# What was recorded of a derived characteristic; two underscores, which no code can have.
RECORDED = "__recorded"


@dataclass(frozen=True)
class StagedFile:
    """Facts of one file, each with file, row and enrollment_id.

    `enrollments`: patient_id, cohort_code, origin_date, entry_date or entry_day, baseline dates,
    the level (and value) of every characteristic read, and what was recorded of derived ones
    (`<code>__recorded`). `milestones`: milestone_code, column_name, raw_text, detail_code, and day
    or date. `denials`: milestones that a row says did not happen. `feeds`: every row with each
    milestone or table it could have told of. `facts`: by table, a day as `<name>` (number) and
    `<name>_date`. `rows`: every row, and whether it is synthetic. `raw`: the cells as read.
    `findings`: as `etl.findings.COLUMNS`.
    """

    source: SourceRule
    enrollments: pl.DataFrame
    milestones: pl.DataFrame
    denials: pl.DataFrame
    feeds: pl.DataFrame
    facts: dict[str, pl.DataFrame]
    rows: pl.DataFrame
    raw: pl.DataFrame
    findings: pl.DataFrame


def _check_columns(raw: RawTable, source: SourceRule) -> None:
    for column, purpose in source.columns().items():
        if column not in raw.columns:
            hint = nearest(column, list(raw.columns))
            raise LoadError(
                f"{raw.title}: the mapping reads column '{column}' ({purpose}), "
                f"but the file has no such column.{hint}"
            )


def _check_rows(cells: Cells, source: SourceRule) -> None:
    for column in dict.fromkeys((source.enrollment_id, source.patient_id)):
        cells.require(cells.frame, column, "The patient identifier")
    for column, known in source.conditions().items():
        unknown = cells.frame.filter(~pl.col(column).is_in(sorted(known)).fill_null(False))
        cells.note(
            unknown,
            "unknown_row_kind",
            f"No rule of the mapping is for such a row.{nearest('', sorted(known))}",
            column,
        )
    matched = pl.any_horizontal(
        every_row(False), *(cells.matching(rows) for rows in source.all_conditions)
    )
    cells.note(
        cells.frame.filter(~matched.fill_null(False)),
        "row_matches_no_rule",
        "No rule of the mapping is for such a row. Add one, or correct the export.",
    )
    _check_single(cells, source)


def _check_single(cells: Cells, source: SourceRule) -> None:
    """A source with one row an enrollment: exact copies are counted once, others are kept out."""
    if not source.single:
        return
    told = [c for c in source.columns() if c != source.enrollment_id]
    versions = pl.struct(told).n_unique().over(source.enrollment_id)
    cells.note(
        cells.frame.filter(versions > 1),
        "conflicting_rows",
        "Two rows of one enrollment disagree; both are kept out. Correct the export.",
    )
    number = pl.int_range(pl.len()).over(source.enrollment_id, order_by=ROW)
    again = "The same row stands further up; counted once."
    copies = cells.frame.filter((versions == 1) & (number > 0))
    cells.note(copies, "identical_copy", again, severity="repair")


def band(x: Characteristic, value: pl.Expr) -> pl.Expr:
    """The level of a number."""
    label = pl.lit(None, pl.String)
    for level in x.levels:
        inside = value.is_between(level.lower, level.upper, closed="left")
        label = pl.when(inside).then(pl.lit(level.code)).otherwise(label)
    return label


def _characteristic(
    cells: Cells, rows: pl.DataFrame, x: Characteristic, cell: Codes | Number
) -> list[pl.Expr]:
    if isinstance(cell, Codes):
        name = x.code + (RECORDED if x.is_derived else "")
        return [cells.codes(rows, cell.column, cell.codes).alias(name)]
    value = cells.number(rows, cell.column)
    if x.is_derived:
        return [value.alias(x.code + RECORDED)]
    outside = rows.filter(value.is_not_null() & band(x, value).is_null())
    cells.note(outside, "outside_bands", f"No band of {x.label} holds this value.", cell.column)
    return [value.alias(x.code), band(x, value).alias(x.level_column)]


def _entry(cells: Cells, rows: pl.DataFrame, day: Day | None) -> list[pl.Expr]:
    number, dated = pl.lit(None, pl.Int32), pl.lit(None, pl.Date)
    if day and day.date_format:
        dated = cells.day(rows, day)
    elif day:
        number = cells.day(rows, day)
    return [number.alias("entry_day"), dated.alias("entry_date")]


def _enrollments(cells: Cells, source: SourceRule, study: Study) -> pl.DataFrame:
    rule = source.enrollment
    schema = {**FACT_COLUMNS, "patient_id": pl.String, "cohort_code": pl.String}
    if rule is None:
        return pl.DataFrame(schema={**schema, "origin_date": pl.Date})
    rows = cells.frame.filter(cells.matching(rule.rows))
    cells.require(rows, rule.cohort.column, "The cohort")
    origin = pl.lit(None, pl.Date)
    if rule.origin:
        origin = cells.day(rows, rule.origin, partial=False)
        cells.require(rows, rule.origin.column, "The date of day 0")
    facts = [
        expr
        for code, cell in rule.characteristics
        for expr in _characteristic(cells, rows, study.characteristic(code), cell)
    ]
    dates = [cells.day(rows, day).alias(code) for code, day in rule.dates]
    return rows.select(
        FILE,
        ROW,
        pl.col(source.enrollment_id).alias("enrollment_id"),
        pl.col(source.patient_id).alias("patient_id"),
        cells.codes(rows, rule.cohort.column, rule.cohort.codes).alias("cohort_code"),
        origin.alias("origin_date"),
        *_entry(cells, rows, rule.entry),
        *dates,
        *facts,
    )


FEED_COLUMNS = {**FACT_COLUMNS, "milestone_code": pl.String}
DENIAL_COLUMNS = {**FEED_COLUMNS, "column_name": pl.String, "raw_text": pl.String}
MILESTONE_COLUMNS = {
    **DENIAL_COLUMNS,
    "detail_code": pl.String,
    "day": pl.Int32,
    "date": pl.Date,
}


def _detail(cells: Cells, rows: pl.DataFrame, rule: MilestoneRule, has_day: pl.Expr) -> pl.Expr:
    if rule.detail is None:
        return pl.lit(None, pl.String)
    detail = cells.codes(rows, rule.detail.column, rule.detail.codes)
    if rule.wants_detail:
        message = f"What kind of '{rule.code}' it was is not said. Loaded; fill it in."
        absent = rows.filter(has_day & pl.col(rule.detail.column).is_null())
        cells.note(absent, "detail_missing", message, rule.detail.column, severity="warning")
    return detail


def _check_flag(cells: Cells, rows: pl.DataFrame, rule: MilestoneRule, happened: pl.Expr) -> None:
    """An event needs its day, and a day that only an event can have needs the event."""
    column = rule.day.column
    if rule.flag and rule.exclusive:
        message = f"'{rule.flag.column}' says that '{rule.code}' happened, but its day is missing."
        absent = rows.filter(happened & pl.col(column).is_null())
        cells.note(absent, "event_without_day", message + " Fill it in.", column)
        message = f"'{rule.flag.column}' says that '{rule.code}' did not happen, yet it has a day."
        extra = rows.filter(~happened & pl.col(column).is_not_null())
        cells.note(extra, "day_without_event", message + " Correct one.", column)
    elif rule.required or rule.flag:
        cells.require(rows.filter(happened), column, f"The day of '{rule.code}'")


def _milestone(cells: Cells, source: SourceRule, rule: MilestoneRule) -> dict[str, pl.DataFrame]:
    """What the rows of one rule say: that it happened, that it did not, which rows can say so."""
    rows = cells.frame.filter(cells.matching(rule.rows))
    happened = cells.happened(rows, rule.flag)
    value = cells.day(rows, rule.day)
    _check_flag(cells, rows, rule, happened)
    told = [
        FILE,
        ROW,
        pl.col(source.enrollment_id).alias("enrollment_id"),
        pl.lit(rule.code).alias("milestone_code"),
    ]
    said_in = rule.flag.column if rule.flag else rule.day.column
    denied = [pl.lit(said_in).alias("column_name"), pl.col(said_in).alias("raw_text")]
    has_day = happened.fill_null(False) & value.is_not_null()
    facts = rows.select(
        *told,
        pl.lit(rule.day.column).alias("column_name"),
        pl.col(rule.day.column).alias("raw_text"),
        _detail(cells, rows, rule, has_day).alias("detail_code"),
        value.alias("date" if rule.day.date_format else "day"),
        has_day.alias("_has_day"),
    ).filter("_has_day")
    return {
        "milestones": facts.drop("_has_day").match_to_schema(
            MILESTONE_COLUMNS, missing_columns="insert"
        ),
        "denials": rows.filter(~happened).select(*told, *denied),
        "feeds": rows.select(told),
    }


def _value(cells: Cells, rows: pl.DataFrame, column: FactColumn, cell: FactCell) -> list[pl.Expr]:
    """The value of one cell of a fact, as the columns its kind makes."""
    name, source = column.name, cell.column
    if source is None:
        whole = column.kind in ("whole", "number")
        return [pl.lit(int(cell.value or 0) if whole else cell.value).alias(name)]
    if column.kind == "day":
        value = cells.day(rows, Day(source, cell.date_format))
        number, dated = (pl.lit(None, pl.Int32), value) if cell.date_format else (value, None)
        dated = pl.lit(None, pl.Date) if dated is None else dated
        return [number.alias(name), dated.alias(f"{name}_date")]
    if column.kind == "code":
        return [cells.codes(rows, source, cell.codes).alias(name)]
    if column.kind == "flag":
        return [(cells.codes(rows, source, cell.codes) == "yes").alias(name)]
    if column.kind == "measured":
        return [cells.measured(rows, cell).struct.field("qualifier", "value")]
    if column.kind == "grade":
        read = cells.grade(rows, source).struct
        return [read.field("low").alias("grade_low"), read.field("high").alias("grade_high")]
    whole = column.kind == "whole"
    value = cells.bounded(rows, source, column.lowest, column.highest, whole)
    return [(value.cast(pl.Int32) if whole else value).alias(name)]


def _fact(cells: Cells, source: SourceRule, rule: FactRule) -> pl.DataFrame:
    """The rows of one fact table."""
    rows = cells.frame.filter(cells.matching(rule.rows))
    values = []
    for column, cell in rule.cells:
        values += _value(cells, rows, column, cell)
        if column.required and cell.column:
            cells.require(rows, cell.column, f"'{cell.column}'")
    enrollment = pl.col(source.enrollment_id).alias("enrollment_id")
    return rows.select(FILE, ROW, enrollment, *values)


def _unreadable_feeds(
    cells: Cells, raw: RawTable, file_number: int, source: SourceRule
) -> pl.DataFrame:
    """Rows that might have been about anything their source tells of, for all one can tell.

    Rows of a kind that no condition knows, and rows with too many or too few fields: of these the
    enrollment is the one that stands where its column is.
    """
    known = pl.all_horizontal(
        every_row(True),
        *(pl.col(c).is_in(sorted(v)).fill_null(False) for c, v in source.conditions().items()),
    )
    place = raw.columns.index(source.enrollment_id)
    misfits = [
        (file_number, number, fields[place].strip())
        for number, fields in raw.misfits
        if len(fields) > place
    ]
    rows = pl.concat(
        [
            cells.frame.filter(~known).select(FILE, ROW, enrollment_id=source.enrollment_id),
            pl.DataFrame(misfits, schema=FACT_COLUMNS, orient="row"),
        ]
    )
    told = [rule.code for rule in source.milestones] + [f.table.name for f in source.facts]
    codes = pl.DataFrame({"milestone_code": told}, schema={"milestone_code": pl.String})
    return rows.join(codes, how="cross")


def _together(told: list[dict[str, pl.DataFrame]], name: str, columns: dict) -> pl.DataFrame:
    return pl.concat([pl.DataFrame(schema=columns), *(part[name] for part in told)])


def _misfits(cells: Cells, raw: RawTable, file_number: int) -> None:
    rows = pl.DataFrame(
        [{FILE: file_number, ROW: number} for number, _ in raw.misfits],
        schema={FILE: pl.Int32, ROW: pl.Int64},
    )
    cells.note(
        rows,
        "wrong_number_of_fields",
        f"The header has {len(raw.columns)} columns and this row has another number. Look for "
        "a missing quote or a separator inside a text.",
    )


def _fact_feeds(facts: dict[str, pl.DataFrame]) -> list[pl.DataFrame]:
    return [
        frame.select(FILE, ROW, "enrollment_id", pl.lit(name).alias("milestone_code"))
        for name, frame in facts.items()
    ]


def stage(raw: RawTable, file_number: int, source: SourceRule, study: Study) -> StagedFile:
    """Type the rows of one file by its rule. Raises LoadError if a mapped column is not there."""
    _check_columns(raw, source)
    cells = Cells(raw, file_number, source)
    _check_rows(cells, source)
    enrollments = _enrollments(cells, source, study)
    told = [_milestone(cells, source, rule) for rule in source.milestones]
    facts: dict[str, pl.DataFrame] = {}
    for rule in source.facts:
        mine = _fact(cells, source, rule)
        before = facts.get(rule.table.name)
        together = mine if before is None else pl.concat([before, mine], how="diagonal")
        facts[rule.table.name] = together
    _misfits(cells, raw, file_number)
    marked = source.synthetic
    is_synthetic = pl.col(marked.column).is_in(list(marked.values)) if marked else every_row(False)
    findings = pl.concat(cells.findings).unique(
        ["source_row", "column_name", "rule"], keep="first", maintain_order=True
    )
    feeds = [
        _together(told, "feeds", FEED_COLUMNS),
        _unreadable_feeds(cells, raw, file_number, source),
        *_fact_feeds(facts),
    ]
    return StagedFile(
        source=source,
        enrollments=enrollments,
        milestones=_together(told, "milestones", MILESTONE_COLUMNS),
        denials=_together(told, "denials", DENIAL_COLUMNS),
        feeds=pl.concat(feeds),
        facts=facts,
        rows=cells.frame.select(
            FILE,
            ROW,
            pl.col(source.enrollment_id).alias("enrollment_id"),
            is_synthetic.fill_null(False).alias("is_synthetic"),
        ),
        raw=cells.frame,
        findings=findings,
    )
