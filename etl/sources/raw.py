"""What every reader gives: the tables of a file as raw rows, all text, each with its row number.

A reader decides nothing about content. What it has to decide to find the table at all (where the
header stands, which row is a total, that a spreadsheet's day number is a date) it records.
"""

from dataclasses import dataclass, field

import polars as pl

ROW = "_source_row"
# How the forms begin of what a spreadsheet may have written.
SPREADSHEETS = ("CSV", "Excel workbook")
# What the form of a workbook says whose day numbers count from 1904.
DATE_SYSTEM_1904 = "1904 date system"
REPAIRED = {ROW: pl.Int64, "column_name": pl.String, "raw_text": pl.String, "rule": pl.String}
# What readers can record, with its sentence. A row set aside is no data row.
SET_ASIDE = {
    "title_row": "A title above the header, no data.",
    "totals_row": "A row of totals, no patient: set aside and not loaded.",
    "header_again": "The header stands here again: set aside and not loaded.",
    "odm_change": "A change to an earlier record of the file: applied to that record.",
    "odm_removed": "A later transaction of the file removed this record: not loaded.",
    "odm_context": "Sent again only as context of a change: not loaded a second time.",
}
READER_REPAIRS = {
    "merged_cell": "The value of a merged cell was given to each row of it.",
    "date_system_1904": "A date cell of the 1904 date system was written as the date it shows.",
    "odm_update": "A later transaction of the file replaced or removed this value.",
    "sas_missing": "A special missing value of SAS was read as missing.",
}


@dataclass(frozen=True)
class RawTable:
    """One table of one file as read.

    `file`: the name of the file within the export. `name`: the table within the file (sheet,
    form, domain), '' if the file is one table. `rows`: every row that fits the header, all columns
    text (a cell without a value is ''), plus `_source_row`, the number that a person looking at the
    file would give the row: the line of a spreadsheet or CSV file (the header of a plain CSV file
    is row 1), the number of the record elsewhere. `misfits`: row number and fields of rows with
    another number of fields than the header. `aside`: row number and rule (of `SET_ASIDE`) of rows
    that are no data. `repairs`: what was changed in a cell while reading (columns of `REPAIRED`,
    rules of `READER_REPAIRS`). `labels`: what the export calls a column, where it says so. `codes`:
    code lists of the export, by column: text in the rows -> label. `form`: how it was read, in
    words for a person ('CSV, cp1251, separated by ;'). `repeated`: headings that stand more than
    once; the second is called `name (2)`, and what is read must not be one of them.
    """

    file: str
    name: str
    columns: tuple[str, ...]
    rows: pl.DataFrame
    misfits: tuple[tuple[int, tuple[str, ...]], ...] = ()
    aside: tuple[tuple[int, str], ...] = ()
    repairs: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REPAIRED))
    labels: tuple[tuple[str, str], ...] = ()
    codes: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    form: str = ""
    repeated: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """File and table, as messages call it."""
        return f"{self.file} [{self.name}]" if self.name else self.file

    @property
    def n_rows(self) -> int:
        """Data rows in the table, misfits included, rows set aside not."""
        return self.rows.height + len(self.misfits)


def raw_frame(columns: tuple[str, ...], rows: list[list[str]], numbers: list[int]) -> pl.DataFrame:
    """Rows of text and their numbers as the frame of a RawTable."""
    table = {c: [row[i] for row in rows] for i, c in enumerate(columns)}
    schema = {**dict.fromkeys(columns, pl.String), ROW: pl.Int64}
    return pl.DataFrame({**table, ROW: numbers}, schema=schema)
