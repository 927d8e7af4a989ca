"""Where in the export a canonical value stood, so that a check between rows can name the cell."""

from dataclasses import dataclass

import polars as pl

from etl.findings import FILE, found, none_found
from etl.mapping import SourceRule
from etl.sources.raw import ROW
from etl.staging import StagedFile


@dataclass(frozen=True)
class Places:
    """Cells of all files of a load.

    `columns`: (file number, canonical name) -> column of the file. `raw`: cells by file. `shown`:
    (file number, new column) -> what a finding calls it.
    """

    columns: dict[tuple[int, str], str]
    raw: dict[int, pl.DataFrame]
    shown: dict[tuple[int, str], str]

    def found(
        self, rows: pl.DataFrame, name: str, rule: str, severity: str, message: str
    ) -> pl.DataFrame:
        """One finding per row of `rows`, in the column that holds the canonical value `name`."""
        frames = [none_found()]
        for number in rows[FILE].unique().sort().to_list():
            mine = rows.filter(pl.col(FILE) == number).select(ROW).unique().sort(ROW)
            column = self.columns.get((number, name), "")
            cells = self.raw[number].join(mine, on=ROW, how="semi")
            noted = found(cells, rule, severity, message, column)
            named = pl.lit(self.shown.get((number, column), column)).alias("column_name")
            frames.append(noted.with_columns(named))
        return pl.concat(frames)


def places(staged: list[StagedFile]) -> Places:
    """The places of all files of a load."""
    columns: dict[tuple[int, str], str] = {}
    for file in staged:
        for name, column in _named(file.source):
            columns[file.number, name] = column
    shown = {
        (file.number, new.name): new.shown for file in staged for new in file.source.new_columns
    }
    return Places(columns, {file.number: file.raw for file in staged}, shown)


def _named(source: SourceRule) -> list[tuple[str, str]]:
    named = [
        (f"{fact.table.name}.{column.name}", cell.column)
        for fact in source.facts
        for column, cell in fact.cells
        if cell.column
    ]
    rule = source.enrollment
    if rule:
        named += [(code, day.column) for code, day in rule.dates]
        named += [(code, cell.column) for code, cell in rule.characteristics if cell.column]
        named += [("cohort_code", rule.cohort.column)] if rule.cohort.column else []
        named += [("entry", rule.entry.column)] if rule.entry else []
    return named
