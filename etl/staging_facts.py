"""Staging of facts: the rows of a file -> rows of a canonical fact table, each cell by its kind.

A day stands in two columns, a number and a date; which of them is filled the mapping says.
"""

import polars as pl

from etl.cells import Cells, every_row, matching
from etl.fact_tables import FactColumn
from etl.findings import FILE
from etl.mapping import Codes, Day, FactCell, FactRule, SourceRule
from etl.sources.raw import ROW
from etl.values import EVENT_WITHOUT_GRADE
from trial.found_terms import code_of

# An assessment of which the export says that it took place, and no result.
LOOKED_AT = "done"
# What a fact row carries until it is checked: the texts of a term, how its rows go together.
TERM_TEXT, CATEGORY_TEXT, SPAN, COUNTED = "_term_text", "_category_text", "_span", "_counted"
CARRIED = (TERM_TEXT, CATEGORY_TEXT, SPAN, COUNTED)


def _value(cells: Cells, rows: pl.DataFrame, column: FactColumn, cell: FactCell) -> list[pl.Expr]:
    """The value of one cell of a fact, as the columns its kind makes."""
    name, source = column.name, cell.column
    if source is None:
        return [_constant(column, cell).alias(name)]
    if cell.day:
        return _fact_day(cells, rows, name, cell.day)
    if column.kind == "code":
        return _code(cells, rows, name, cell)
    if column.kind == "flag":
        return [(cells.codes(rows, Codes(source, cell.codes)) == "yes").alias(name)]
    if column.kind == "duration":
        return [cells.duration(rows, source, cell.unit_days, 0).alias(name)]
    if column.kind == "measured":
        return [cells.measured(rows, cell).struct.field("qualifier", "value")]
    if column.kind == "grade":
        read = _severity(cells, rows, cell) if cell.codes else cells.grade(rows, source)
        grade = cells.graded(rows, source, read, cell.highest_grade).struct
        return [grade.field("low").alias("grade_low"), grade.field("high").alias("grade_high")]
    whole = column.kind == "whole"
    value = cells.bounded(rows, source, column.lowest, column.highest, whole)
    return [(value.cast(pl.Int32) if whole else value).alias(name)]


def _constant(column: FactColumn, cell: FactCell) -> pl.Expr:
    """The same value for all, or, of a number that is counted, none yet."""
    if column.kind == "whole":
        return pl.lit(int(cell.value) if cell.value else None, pl.Int32)
    if column.kind == "flag":
        return every_row(cell.value == "yes")
    return pl.lit(float(cell.value or 0) if column.kind == "number" else cell.value)


def _fact_day(cells: Cells, rows: pl.DataFrame, name: str, day: Day) -> list[pl.Expr]:
    value = cells.day(rows, day)
    if day.date_format:
        return [pl.lit(None, pl.Int32).alias(name), value.alias(f"{name}_date")]
    return [value.alias(name), pl.lit(None, pl.Date).alias(f"{name}_date")]


def _code(cells: Cells, rows: pl.DataFrame, name: str, cell: FactCell) -> list[pl.Expr]:
    """A coded cell; one without codes is a term of an open list: the code of its own text."""
    if cell.codes:
        return [cells.codes(rows, Codes(cell.column, cell.codes, others=cell.others)).alias(name)]
    text = pl.col(str(cell.column))
    texts = rows[str(cell.column)].drop_nulls().unique().to_list()
    code = text.replace_strict({t: code_of(t) for t in texts}, return_dtype=pl.String)
    category = pl.col(cell.category) if cell.category else pl.lit(None, pl.String)
    return [code.alias(name), text.alias(TERM_TEXT), category.alias(CATEGORY_TEXT)]


def _severity(cells: Cells, rows: pl.DataFrame, cell: FactCell) -> pl.Expr:
    """A step of a scale in words, by the mapping."""
    told = rows
    if EVENT_WITHOUT_GRADE not in dict(cell.codes):
        told = rows.filter(pl.col(str(cell.column)) != EVENT_WITHOUT_GRADE)
    step = cells.codes(told, Codes(cell.column, cell.codes)).cast(pl.Int32)
    return pl.when(step.is_not_null()).then(pl.struct(low=step, high=step))


def fact_frame(cells: Cells, source: SourceRule, rule: FactRule) -> pl.DataFrame:
    """The rows of one fact table: file, row, enrollment_id, its columns, and `CARRIED`."""
    rows = cells.frame.filter(matching(rule.rows))
    values = []
    for column, cell in rule.cells:
        values += _value(cells, rows, column, cell)
        if column.required and cell.column and not column.may_be_blank:
            cells.require(rows, cell.column, f"'{cells.shown.get(cell.column, cell.column)}'")
    if rule.table.name == "fct_assessment" and rule.cell("result") is None:
        values.append(pl.lit(LOOKED_AT).alias("qualifier"))
    counted = any(cell.is_counted for _, cell in rule.cells)
    values += [
        pl.lit(True).alias(name) for name, on in ((SPAN, rule.is_span), (COUNTED, counted)) if on
    ]
    enrollment = pl.col(source.enrollment_id).alias("enrollment_id")
    return rows.select(FILE, ROW, enrollment, *values)
