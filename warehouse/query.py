"""Open a snapshot and query it into polars. Every call takes its own cursor; values are bound.

One function composes SQL: `_population` turns a Selection into a predicate out of declared,
quoted identifiers and bound values. Everything else is the static text of `queries/*.sql`.
"""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from trial.document import DocumentError
from trial.schema import SCHEMA_VERSION
from trial.selection import Selection
from trial.study import MISSING, Study, study_from_text
from warehouse.ddl import quoted
from warehouse.store import snapshot_folder

QUERIES = Path(__file__).parent / "queries"


class SnapshotError(Exception):
    """A snapshot that cannot be opened; the text says which and what there is instead."""


@dataclass(frozen=True)
class Snapshot:
    """An open snapshot: read-only, immutable, and with the study definition it was built with."""

    snapshot_id: str
    study: Study
    load: dict[str, Any]
    connection: duckdb.DuckDBPyConnection

    @property
    def data_cutoff(self) -> str:
        """ISO date of the data cut-off, or 'undated'."""
        return self.load["data_cutoff"]


@functools.lru_cache(maxsize=32)
def _static_sql(name: str) -> str:
    return (QUERIES / f"{name}.sql").read_text(encoding="utf-8")


def _run(con: duckdb.DuckDBPyConnection, sql: str, values: dict[str, Any]) -> pl.DataFrame:
    with con.cursor() as cursor:
        return cursor.sql(sql, params=values).pl() if values else cursor.sql(sql).pl()


@functools.lru_cache(maxsize=64)
def _open(folder: Path) -> Snapshot:
    path = folder / "results.duckdb"
    try:
        con = duckdb.connect(
            str(path),
            read_only=True,
            config={"enable_external_access": "false", "lock_configuration": "true"},
        )
        load = _run(con, _static_sql("load"), {}).row(0, named=True)
    except duckdb.Error as error:
        raise SnapshotError(f"Snapshot {folder.name} is damaged and cannot be read.") from error
    if load["schema_version"] > SCHEMA_VERSION:
        con.close()
        raise SnapshotError(
            f"Snapshot {folder.name} was made by a newer program (schema "
            f"{load['schema_version']}, this one reads up to {SCHEMA_VERSION}). Update it."
        )
    try:
        study = study_from_text(load.pop("definition"))
    except DocumentError as error:
        con.close()
        raise SnapshotError(f"Snapshot {folder.name} cannot be read: {error}") from error
    return Snapshot(folder.name, study, load, con)


def open_snapshot(store: Path, snapshot_id: str) -> Snapshot:
    """Open a snapshot by its id. Raises SnapshotError if the store has none of that id."""
    try:
        folder = snapshot_folder(store, snapshot_id)
    except ValueError as error:
        raise SnapshotError(f"'{snapshot_id}' is not the id of a snapshot.") from error
    if not (folder / "results.duckdb").is_file():
        raise SnapshotError(f"There is no snapshot {snapshot_id} here.")
    return _open(folder)


def _population(study: Study, chosen: Selection) -> tuple[str, dict[str, Any]]:
    """The predicate of a selection, and the values to bind to it."""
    values: dict[str, Any] = {"cohorts": list(chosen.cohort_codes)}
    parts = ["list_contains($cohorts, enrollment.cohort_code)"]
    for position, f in enumerate(chosen.filters):
        column = "enrollment." + quoted(study.characteristic(f.characteristic_code).level_column)
        name = f"levels_{position}"
        values[name] = [code for code in f.level_codes if code != MISSING]
        condition = f"coalesce(list_contains(${name}, {column}), false)"
        if MISSING in f.level_codes:
            condition += f" or {column} is null"
        parts.append(f"({condition})")
    return " and ".join(parts), values


def query(
    snapshot: Snapshot, name: str, chosen: Selection | None = None, **values: Any
) -> pl.DataFrame:
    """Run `queries/<name>.sql`; its header says grain and parameters.

    `{population}` in the text becomes the predicate of `chosen`; `$name` is bound from `values`.
    """
    sql = _static_sql(name)
    if chosen is not None:
        predicate, bound = _population(snapshot.study, chosen)
        sql = sql.replace("{population}", predicate)
        values.update(bound)
    return _run(snapshot.connection, sql, values)


def level_counts(snapshot: Snapshot, characteristic_code: str, chosen: Selection) -> pl.DataFrame:
    """Enrollments by level of a characteristic: in all, and under all other filters.

    Columns level_code (every declared level and 'missing', in the study's order), n_all,
    n_population; a level without enrollments has 0.
    """
    x = snapshot.study.characteristic(characteristic_code)
    predicate, values = _population(snapshot.study, chosen.without(characteristic_code))
    sql = _static_sql("level").replace("{population}", predicate)
    sql = sql.replace("{level}", "enrollment." + quoted(x.level_column))
    counted = _run(snapshot.connection, sql, values)
    counted = counted.with_columns(pl.col("level_code").fill_null(MISSING))
    levels = pl.DataFrame({"level_code": list(x.level_codes)})
    return levels.join(counted, on="level_code", how="left", maintain_order="left").fill_null(0)
