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


def bad_rows(findings: pl.DataFrame) -> pl.DataFrame:
    """File and row number of every row with an error, once each."""
    return findings.filter(pl.col("severity") == "error").select(ROW_ID).unique()


def without_bad(frame: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """The rows of `frame` that no error condemns."""
    return frame.join(bad_rows(findings), left_on=[FILE, ROW], right_on=ROW_ID, how="anti")
