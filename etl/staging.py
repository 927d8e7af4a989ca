"""Staging: the raw rows of one file -> typed facts, each with its file and row, plus findings.

Nothing is decided between rows here; that is `etl/checks.py`. A cell that cannot be read is an
error of its row; a cell that is blank, or holds a text the mapping calls missing, is missing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

import polars as pl

from etl.cells import Cells, every_row, matching, one_of
from etl.errors import LoadError, shown
from etl.findings import FILE, found
from etl.mapping import (
    IS,
    NOT,
    Codes,
    Day,
    MilestoneRule,
    Number,
    RowCondition,
    SourceRule,
)
from etl.sources.raw import READER_REPAIRS, ROW, SET_ASIDE, RawTable
from etl.staging_facts import fact_frame
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
    `findings`: as `etl.findings.COLUMNS`. `excluded`: rows left out by rule, with the reason.
    """

    number: int
    source: SourceRule
    enrollments: pl.DataFrame
    milestones: pl.DataFrame
    denials: pl.DataFrame
    feeds: pl.DataFrame
    facts: dict[str, pl.DataFrame]
    rows: pl.DataFrame
    raw: pl.DataFrame
    findings: pl.DataFrame
    excluded: pl.DataFrame


def _check_columns(raw: RawTable, source: SourceRule) -> None:
    made = {new.name for new in source.new_columns}
    for column, purpose in source.columns().items():
        if column not in raw.columns and column not in made:
            hint = nearest(column, list(raw.columns))
            raise LoadError(
                f"{raw.title}: the mapping reads column '{column}' ({purpose}), "
                f"but the file has no such column.{hint}"
            )
        if column in raw.repeated:
            raise LoadError(
                f"{raw.title}: the header names twice: {shown(column)} ({purpose}). Rename one, or "
                f"read the second as '{shown(column)} (2)'."
            )
    again = sorted(made & set(raw.columns))
    if again:
        raise LoadError(f"{raw.title}: has a column '{again[0]}' already; name the new one else.")


def _check_rows(cells: Cells, source: SourceRule) -> None:
    for column in dict.fromkeys((source.enrollment_id, source.patient_id)):
        cells.require(cells.frame, column, "The patient identifier")
    for column, known in source.conditions().items():
        unknown = cells.frame.filter(~one_of(column, known))
        cells.note(
            unknown,
            "unknown_row_kind",
            f"No rule of the mapping is for such a row.{nearest('', sorted(known))}",
            column,
        )
    matched = pl.any_horizontal(
        every_row(False), *(matching(_kinds(rows)) for rows in source.all_conditions)
    )
    cells.note(
        cells.frame.filter(~matched),
        "row_matches_no_rule",
        "No rule of the mapping is for such a row. Add one, or correct the export.",
    )
    _check_single(cells, source)
    _check_filled(cells, source)


def _check_filled(cells: Cells, source: SourceRule) -> None:
    """A row that would enroll somebody of whom it says nothing is a note, not a patient."""
    made = {new.name for new in source.new_columns}
    told = {*source.columns()} - {source.enrollment_id, source.patient_id} - made
    told -= {source.synthetic.column} if source.synthetic else set()
    if source.enrollment is None or not told:
        return
    message = "Nothing but the identifier is filled. Fill the row in, or take it out."
    empty = cells.frame.filter(pl.all_horizontal(pl.col(sorted(told)).is_null()))
    cells.note(empty, "nothing_but_identifier", message)


def _kinds(conditions: tuple[RowCondition, ...]) -> tuple[RowCondition, ...]:
    """The conditions that say of what kind a row is, not whether something stands in it."""
    return tuple(c for c in conditions if c.kind in (IS, NOT))


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
        return [cells.codes(rows, cell).alias(name)]
    value = cells.scaled(rows, cell)
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
    rows = cells.frame.filter(matching(rule.rows))
    if rule.cohort.column:
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
        cells.codes(rows, rule.cohort).alias("cohort_code"),
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
    "pick": pl.String,
}


def _detail(cells: Cells, rows: pl.DataFrame, rule: MilestoneRule, has_day: pl.Expr) -> pl.Expr:
    if rule.detail is None:
        return pl.lit(None, pl.String)
    detail = cells.codes(rows, rule.detail)
    if rule.wants_detail and rule.detail.column:
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
    rows = cells.frame.filter(matching(rule.rows))
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
        pl.lit(cells.shown.get(rule.day.column, rule.day.column)).alias("column_name"),
        pl.col(rule.day.column).alias("raw_text"),
        _detail(cells, rows, rule, has_day).alias("detail_code"),
        value.alias("date" if rule.day.date_format else "day"),
        pl.lit(rule.pick, pl.String).alias("pick"),
        has_day.alias("_has_day"),
    ).filter("_has_day")
    return {
        "milestones": facts.drop("_has_day").match_to_schema(
            MILESTONE_COLUMNS, missing_columns="insert"
        ),
        "denials": rows.filter(~happened).select(*told, *denied),
        "feeds": rows.select(told),
    }


def _unreadable_feeds(
    cells: Cells, raw: RawTable, file_number: int, source: SourceRule
) -> pl.DataFrame:
    """Rows that might have been about anything their source tells of, for all one can tell.

    Rows of a kind that no condition knows, and rows with too many or too few fields: of these the
    enrollment is the one that stands where its column is.
    """
    known = pl.all_horizontal(
        every_row(True), *(one_of(c, v) for c, v in source.conditions().items())
    )
    rows = pl.concat(
        [
            cells.frame.filter(~known).select(FILE, ROW, enrollment_id=source.enrollment_id),
            misfit_rows(raw, file_number, source),
        ]
    )
    return all_told(rows, source)


def misfit_rows(raw: RawTable, file_number: int, source: SourceRule) -> pl.DataFrame:
    """Misfits with the enrollment that stands where its column is; none if that is a new column."""
    place = raw.columns.index(source.enrollment_id) if source.enrollment_id in raw.columns else None
    rows = [
        (file_number, number, fields[place].strip())
        for number, fields in raw.misfits
        if place is not None and len(fields) > place
    ]
    return pl.DataFrame(rows, schema=FACT_COLUMNS, orient="row")


def all_told(rows: pl.DataFrame, source: SourceRule) -> pl.DataFrame:
    """Rows with each milestone and table that a row of the source can tell of."""
    codes = pl.DataFrame({"milestone_code": source.told}, schema={"milestone_code": pl.String})
    return rows.join(codes, how="cross")


def _together(told: list[dict[str, pl.DataFrame]], name: str, columns: dict) -> pl.DataFrame:
    return pl.concat([pl.DataFrame(schema=columns), *(part[name] for part in told)])


def _fact_feeds(facts: dict[str, pl.DataFrame]) -> list[pl.DataFrame]:
    return [
        frame.select(FILE, ROW, "enrollment_id", pl.lit(name).alias("milestone_code"))
        for name, frame in facts.items()
    ]


EXCLUDED_COLUMNS = {**FACT_COLUMNS, "reason": pl.String}


def _excluded(cells: Cells, source: SourceRule) -> pl.DataFrame:
    """Takes the rows out that the mapping leaves out by rule; they are no more looked at."""
    reason = pl.lit(None, pl.String)
    for rule in reversed(source.excludes):
        reason = pl.when(matching(rule.rows)).then(pl.lit(rule.reason)).otherwise(reason)
    told = cells.frame.select(FILE, ROW, enrollment_id=source.enrollment_id, reason=reason)
    out = told.filter(pl.col("reason").is_not_null())
    if out.height:
        cells.frame = cells.frame.join(out.select(ROW), on=ROW, how="anti")
        left = [
            f.join(out.select(source_row=ROW), on="source_row", how="anti") for f in cells.findings
        ]
        cells.findings = left
    return out.match_to_schema(EXCLUDED_COLUMNS)


def reader_findings(raw: RawTable, file_number: int) -> list[pl.DataFrame]:
    """Rows that fit no header, what the reader changed in a cell, which rows it set aside."""
    message = (
        f"The header has {len(raw.columns)} columns and this row has another number. Look for "
        "a missing quote or a separator inside a text."
    )
    misfits = numbered(file_number, [number for number, _ in raw.misfits])
    findings = [found(misfits, "wrong_number_of_fields", "error", message)]
    repairs = raw.repairs.with_columns(pl.lit(file_number, pl.Int32).alias(FILE))
    for (rule, column), rows in repairs.group_by("rule", "column_name", maintain_order=True):
        noted = found(rows, str(rule), "repair", READER_REPAIRS[str(rule)])
        findings.append(noted.with_columns(rows["raw_text"], column_name=pl.lit(column)))
    for rule in dict.fromkeys(rule for _, rule in raw.aside):
        rows = numbered(file_number, [row for row, of in raw.aside if of == rule])
        findings.append(found(rows, rule, "info", SET_ASIDE[rule]))
    return findings


def _unread_columns(
    cells: Cells, raw: RawTable, file_number: int, sources: Iterable[SourceRule]
) -> None:
    """Columns that no source of the table reads, unless the mapping ignores them on purpose."""
    read = {column for source in sources for column in source.columns()}
    ignored = [pattern for source in sources for pattern in source.ignored]
    unread = [
        column
        for column in raw.columns
        if column not in read and not any(fnmatchcase(column, pattern) for pattern in ignored)
    ]
    if unread:
        message = (
            f"{len(unread)} columns are not read: {', '.join(map(shown, unread))}. "
            "Map them or ignore them."
        )
        cells.note(numbered(file_number, [0]), "unread_columns", message, severity="info")


def numbered(file_number: int, rows: list[int]) -> pl.DataFrame:
    """Rows of a file by their numbers; 0 is the whole file."""
    schema = {FILE: pl.Int32, ROW: pl.Int64}
    return pl.DataFrame([(file_number, row) for row in rows], schema=schema, orient="row")


def stage(
    raw: RawTable,
    file_number: int,
    source: SourceRule,
    study: Study,
    shared: tuple[SourceRule, ...] = (),
) -> StagedFile:
    """Type the rows of one table by its rule; `shared` are all sources that read the table.

    Raises LoadError if a mapped column is not there.
    """
    _check_columns(raw, source)
    cells = Cells(raw, file_number, source)
    excluded = _excluded(cells, source)
    _check_rows(cells, source)
    enrollments = _enrollments(cells, source, study)
    told = [_milestone(cells, source, rule) for rule in source.milestones]
    facts: dict[str, pl.DataFrame] = {}
    for rule in source.facts:
        mine = fact_frame(cells, source, rule)
        before = facts.get(rule.table.name)
        together = mine if before is None else pl.concat([before, mine], how="diagonal")
        facts[rule.table.name] = together
    cells.findings += reader_findings(raw, file_number)
    if source == (shared or (source,))[0]:
        _unread_columns(cells, raw, file_number, shared or (source,))
    is_synthetic = matching((source.synthetic,)) if source.synthetic else every_row(False)
    findings = pl.concat(cells.findings).unique(
        ["source_row", "column_name", "rule"], keep="first", maintain_order=True
    )
    feeds = [
        _together(told, "feeds", FEED_COLUMNS),
        _unreadable_feeds(cells, raw, file_number, source),
        *_fact_feeds(facts),
    ]
    return StagedFile(
        number=file_number,
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
        excluded=excluded,
    )
