"""Findings: what a check saw in which cell, and what to do about it.

An `error` keeps its whole row out of the warehouse, a `repair` changed a value, a `warning` or an
`info` is loaded and listed.
"""

import polars as pl

from etl.sources.raw import ROW

FILE = "_file_number"
COLUMNS = {
    "file_number": pl.Int32,
    "source_row": pl.Int64,
    "column_name": pl.String,
    "raw_text": pl.String,
    "rule": pl.String,
    "severity": pl.String,
    "message": pl.String,
}
ROW_ID = ["file_number", "source_row"]
# More rows than a file has.
MOST_ROWS = 2**40


def none_found() -> pl.DataFrame:
    """An empty frame of findings."""
    return pl.DataFrame(schema=COLUMNS)


def found(
    frame: pl.DataFrame, rule: str, severity: str, message: str, column: str = ""
) -> pl.DataFrame:
    """One finding per row of `frame`, which carries the file and row number and `column`."""
    raw = pl.col(column).fill_null("") if column else pl.lit("")
    return frame.select(
        pl.col(FILE).cast(pl.Int32).alias("file_number"),
        pl.col(ROW).alias("source_row"),
        pl.lit(column).alias("column_name"),
        raw.alias("raw_text"),
        pl.lit(rule).alias("rule"),
        pl.lit(severity).alias("severity"),
        pl.lit(message).alias("message"),
    )


def in_column(rows: pl.DataFrame, rule: str, message: str, severity: str = "error") -> pl.DataFrame:
    """Findings in the column that each row names."""
    base = found(rows, rule, severity, message)
    return (
        base.with_columns(rows["column_name"], rows["raw_text"].fill_null(""))
        if rows.height
        else base
    )


def bad_rows(findings: pl.DataFrame) -> pl.DataFrame:
    """File and row number of every row with an error, once each."""
    return findings.filter(pl.col("severity") == "error").select(ROW_ID).unique()


def condemned(frame: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """The rows of `frame` that an error condemns."""
    return frame.filter(_is_bad(findings))


def without_bad(frame: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """The rows of `frame` that no error condemns."""
    return frame.filter(~_is_bad(findings))


def _is_bad(findings: pl.DataFrame) -> pl.Expr:
    """Whether an error condemns a row. File and row as one number take less room than a join."""
    bad = bad_rows(findings)
    numbers = bad["file_number"].cast(pl.Int64) * MOST_ROWS + bad["source_row"]
    return (pl.col(FILE).cast(pl.Int64) * MOST_ROWS + pl.col(ROW)).is_in(numbers.implode())
