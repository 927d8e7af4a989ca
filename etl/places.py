"""Where in the export a canonical value stood, so that a check between rows can name the cell."""

from dataclasses import dataclass

import polars as pl

from etl.findings import FILE, found, none_found
from etl.mapping import SourceRule
from etl.sources.raw import ROW
from etl.staging import StagedFile


@dataclass(frozen=True)
class Places:
    """`columns`: (file number, canonical name) -> column of the file; `raw`: cells by file."""

    columns: dict[tuple[int, str], str]
    raw: dict[int, pl.DataFrame]

    def found(
        self, rows: pl.DataFrame, name: str, rule: str, severity: str, message: str
    ) -> pl.DataFrame:
        """One finding per row of `rows`, in the column that holds the canonical value `name`."""
        frames = [none_found()]
        for number in rows[FILE].unique().sort().to_list():
            mine = rows.filter(pl.col(FILE) == number).select(ROW).unique().sort(ROW)
            column = self.columns.get((number, name), "")
            cells = self.raw[number].join(mine, on=ROW, how="semi")
            frames.append(found(cells, rule, severity, message, column))
        return pl.concat(frames)


def places(staged: list[StagedFile]) -> Places:
    """The places of all files of a load, numbered from 1."""
    columns: dict[tuple[int, str], str] = {}
    for number, file in enumerate(staged, start=1):
        for name, column in _named(file.source):
            columns[number, name] = column
    return Places(columns, {i: file.raw for i, file in enumerate(staged, start=1)})


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
        named += [(code, cell.column) for code, cell in rule.characteristics]
        named.append(("cohort_code", rule.cohort.column))
        named += [("entry", rule.entry.column)] if rule.entry else []
    return named
