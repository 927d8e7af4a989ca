"""Open a snapshot and query it into polars. Every call takes its own cursor; values are bound.

One function composes SQL: `_population` turns a Selection into a predicate out of declared,
quoted identifiers and bound values. Everything else is the static text of `queries/*.sql`. The
table that a query counts is called `counted` there; it carries all columns of the predicate.
"""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import polars.selectors as cs

from trial.document import DocumentError
from trial.schema import SCHEMA_VERSION
from trial.selection import Selection
from trial.study import MISSING, Characteristic, Study
from trial.study_file import study_from_text
from warehouse.ddl import quoted
from warehouse.older import OLDER, attach_older, show_as_today
from warehouse.store import snapshot_folder

QUERIES = Path(__file__).parent / "queries"
# The query of each kind of stage of a flow.
FLOW_QUERIES = {
    "remission": "flow_remission",
    "timepoint": "flow_timepoint",
    "block": "flow_block",
    "milestone": "flow_milestone",
    "state": "flow_state",
}
_CLASS_OF = re.compile(r"\{class of (\w+)\}")


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
    def is_synthetic(self) -> bool:
        """Whether no real patient is behind it: the study or the rows say so."""
        return self.study.synthetic or self.load["is_synthetic"]

    @property
    def data_cutoff(self) -> str:
        """ISO date of the data cut-off, or 'undated'."""
        return self.load["data_cutoff"]


@functools.lru_cache(maxsize=64)
def _static_sql(name: str) -> str:
    """The text of a query, with `{class of x}` put in from `mrd_class.sql`."""
    text = (QUERIES / f"{name}.sql").read_text(encoding="utf-8")
    return _CLASS_OF.sub(lambda found: _class_of(found[1]), text)


def _class_of(parameter: str) -> str:
    return _static_sql("mrd_class").replace("$x", f"cast(${parameter} as double)")


def _run(con: duckdb.DuckDBPyConnection, sql: str, values: dict[str, Any]) -> pl.DataFrame:
    with con.cursor() as cursor:
        found = cursor.sql(sql, params=values).pl() if values else cursor.sql(sql).pl()
    return found.with_columns(cs.categorical().cast(pl.String), cs.enum().cast(pl.String))


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(
        str(path),
        read_only=True,
        config={
            "enable_external_access": "false",
            "lock_configuration": "true",
            # Groups of four coded columns, block and item among them, are counted in one array.
            "perfect_ht_threshold": "15",
        },
    )


def _version(name: str, con: duckdb.DuckDBPyConnection) -> int:
    version = _run(con, "select schema_version from load", {}).item()
    if version > SCHEMA_VERSION:
        raise SnapshotError(
            f"Snapshot {name} was made by a newer program (schema {version}, this one reads up "
            f"to {SCHEMA_VERSION}). Update it."
        )
    return version


def _read_older(path: Path, version: int) -> duckdb.DuckDBPyConnection:
    """The connection to a file of an older version, shown as one of today."""
    con = attach_older(path)
    definition = f"select definition from {OLDER}.study"
    show_as_today(con, study_from_text(_run(con, definition, {}).item()), version)
    return con


@functools.lru_cache(maxsize=64)
def _open(folder: Path) -> Snapshot:
    path = folder / "results.duckdb"
    try:
        con = _connect(path)
        version = _version(folder.name, con)
        if version < SCHEMA_VERSION:
            con.close()
            con = _read_older(path, version)
        load = _run(con, _static_sql("load"), {}).row(0, named=True)
        study = study_from_text(load.pop("definition"))
    except duckdb.Error as error:
        raise SnapshotError(f"Snapshot {folder.name} is damaged and cannot be read.") from error
    except DocumentError as error:
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
    values: dict[str, Any] = {
        "cohorts": list(chosen.cohort_codes),
        "lines": list(chosen.line_codes),
    }
    parts = [
        "counted.is_primary",
        "list_contains($cohorts, counted.cohort_code)",
        "list_contains($lines, counted.entry_reason)",
    ]
    for position, f in enumerate(chosen.filters):
        column = "counted." + quoted(study.characteristic(f.characteristic_code).level_column)
        name = f"levels_{position}"
        values[name] = [code for code in f.level_codes if code != MISSING]
        condition = f"coalesce(list_contains(${name}, {column}), false)"
        if MISSING in f.level_codes:
            condition += f" or {column} is null"
        parts.append(f"({condition})")
    return " and ".join(parts), values


def _composed(name: str, study: Study, chosen: Selection, x: Characteristic | None) -> tuple:
    """The text of a query with population and level put in, and the values to bind."""
    predicate, values = _population(study, chosen)
    sql = _static_sql(name).replace("{population}", predicate)
    if x:
        sql = sql.replace("{level}", "counted." + quoted(x.level_column))
        sql = sql.replace("{value}", "counted." + quoted(x.code))
    return sql, values


def query(
    snapshot: Snapshot, name: str, chosen: Selection | None = None, **values: Any
) -> pl.DataFrame:
    """Run `queries/<name>.sql`; its header says grain and parameters.

    `{population}` in the text becomes the predicate of `chosen`; `$name` is bound from `values`.
    """
    sql = _static_sql(name)
    if chosen is not None:
        sql, bound = _composed(name, snapshot.study, chosen, None)
        values.update(bound)
    return _run(snapshot.connection, sql, values)


def by_level(
    snapshot: Snapshot, name: str, characteristic_code: str, chosen: Selection
) -> pl.DataFrame:
    """Run `queries/<name>.sql` with `{level}` and `{value}` as columns of a characteristic."""
    x = snapshot.study.characteristic(characteristic_code)
    sql, values = _composed(name, snapshot.study, chosen, x)
    return _run(snapshot.connection, sql, values)


def _by_levels(
    snapshot: Snapshot,
    name: str,
    codes: Sequence[str],
    chosen: Selection,
    columns: Sequence[str],
) -> tuple[str, dict[str, Any]]:
    """A query with `{levels}` and `{sets}`: one grouping set a characteristic, with `columns`."""
    levels = [snapshot.study.characteristic(c).level_column for c in codes]
    quoted_levels = [f"counted.{quoted(c)}" for c in levels]
    sets = [f"({', '.join([level, *columns])})" for level in quoted_levels]
    predicate, values = _population(snapshot.study, chosen)
    sql = _static_sql(name).replace("{population}", predicate)
    sql = sql.replace("{levels}", ", ".join(quoted_levels)).replace("{sets}", ", ".join(sets))
    return sql, values


def _with_levels(snapshot: Snapshot, codes: Sequence[str], found: pl.DataFrame) -> pl.DataFrame:
    """The rows with characteristic_code and level_code ('missing' if not recorded) by their mask.

    In the mask the bit of a row's own characteristic is 0.
    """
    columns = [snapshot.study.characteristic(c).level_column for c in codes]
    full, last = 2 ** len(columns) - 1, len(columns) - 1
    masks = {full - 2 ** (last - i): code for i, code in enumerate(codes)}
    return found.select(
        pl.col("mask").replace_strict(masks, return_dtype=pl.String).alias("characteristic_code"),
        pl.coalesce(*columns, pl.lit(MISSING)).alias("level_code"),
        pl.exclude("mask", *columns),
    )


def counts_by_level(
    snapshot: Snapshot,
    name: str,
    characteristic_codes: Sequence[str],
    chosen: Selection,
    columns: Sequence[str],
    **values: Any,
) -> pl.DataFrame:
    """Run `queries/<name>.sql` for every level of several characteristics, in one pass.

    Columns characteristic_code, level_code ('missing' if not recorded), cohort_code, entry_reason,
    then `columns`, n. An enrollment is in it once for each characteristic.
    """
    grouped = ("cohort_code", "entry_reason", *columns)
    sql, bound = _by_levels(snapshot, name, characteristic_codes, chosen, grouped)
    found = _run(snapshot.connection, sql, {**bound, **values})
    return _with_levels(snapshot, characteristic_codes, found)


def flow_paths(
    snapshot: Snapshot, chosen: Selection, definition: str, threshold: float | None
) -> pl.DataFrame:
    """How many lines of a population took each path through the stages of the study's flow.

    Columns cohort_code, entry_reason, stage_0, stage_1 ..., n; a line that a stage has no row of
    has 'none' there.
    """
    return _flow(snapshot, "flow", chosen, definition, threshold)


def flow_lines(
    snapshot: Snapshot, chosen: Selection, definition: str, threshold: float | None
) -> pl.DataFrame:
    """The path of each line of a population: enrollment_key, line_number, stage_0, stage_1 ..."""
    return _flow(snapshot, "flow_line", chosen, definition, threshold)


def _flow(
    snapshot: Snapshot, name: str, chosen: Selection, definition: str, threshold: float | None
) -> pl.DataFrame:
    """A query with `{stages}` and `{joins}`: one of each for every stage of the study's flow."""
    study = snapshot.study
    predicate, values = _population(study, chosen)
    columns, joins = [], []
    for k, stage in enumerate(study.response.flow if study.response else ()):
        told = {
            "code": stage.code, "event_free": stage.event_free, "alive": stage.alive,
            "at": stage.at * study.unit_days, "definition": definition, "threshold": threshold,
        }  # fmt: skip
        sql = _static_sql(FLOW_QUERIES[stage.kind])
        for parameter, value in told.items():
            if f"${parameter}" in sql:
                sql = re.sub(rf"\${parameter}\b", f"${parameter}_{k}", sql)
                values[f"{parameter}_{k}"] = value
        joins.append(f"left join ({sql}) as at_{k} using (enrollment_key, line_number)")
        columns.append(f"coalesce(at_{k}.stage, 'none') as stage_{k}")
    sql = _static_sql(name).replace("{population}", predicate)
    sql = sql.replace("{stages}", ", ".join(columns)).replace("{joins}", "\n".join(joins))
    return _run(snapshot.connection, sql, values)


def level_counts(snapshot: Snapshot, chosen: Selection) -> dict[str, pl.DataFrame]:
    """Enrollments by level of each characteristic: in all, and under all other filters.

    By characteristic code: columns level_code (every declared level and 'missing', in the study's
    order), n_all, n_population; a level without enrollments has 0. Characteristics that are not
    filtered are counted in one pass.
    """
    study = snapshot.study
    filtered = [f.characteristic_code for f in chosen.filters]
    others = [x.code for x in study.characteristics if x.code not in filtered]
    found = _levels_in_one_pass(snapshot, others, chosen) if others else {}
    for code in filtered:
        found |= _levels_in_one_pass(snapshot, [code], chosen.without(code))
    return {x.code: _every_level(x, found[x.code]) for x in study.characteristics}


def _levels_in_one_pass(
    snapshot: Snapshot, codes: Sequence[str], chosen: Selection
) -> dict[str, pl.DataFrame]:
    """The levels of several characteristics that anybody has, counted under one selection."""
    sql, values = _by_levels(snapshot, "level", codes, chosen, ())
    counted = _with_levels(snapshot, codes, _run(snapshot.connection, sql, values))
    return {code: counted.filter(pl.col("characteristic_code") == code) for code in codes}


def _every_level(x: Characteristic, counted: pl.DataFrame) -> pl.DataFrame:
    levels = pl.DataFrame({"level_code": list(x.level_codes)})
    counts = counted.select("level_code", "n_all", "n_population")
    return levels.join(counts, on="level_code", how="left", maintain_order="left").fill_null(0)


def compared_levels(
    snapshot: Snapshot, characteristic_code: str, other_code: str, chosen: Selection
) -> pl.DataFrame:
    """Run `queries/differs.sql`: where two characteristics say different things."""
    x, other = (snapshot.study.characteristic(c) for c in (characteristic_code, other_code))
    sql, values = _composed("differs", snapshot.study, chosen, x)
    sql = sql.replace("{other}", "counted." + quoted(other.level_column))
    return _run(snapshot.connection, sql, values)


def read_records(store: Path, snapshot_id: str, name: str, **values: Any) -> pl.DataFrame:
    """Run `queries/<name>.sql` over the records file of a snapshot: for clinicians alone.

    The file is opened for this one query and closed again; values are bound. Raises SnapshotError
    if it is not there.
    """
    path = snapshot_folder(store, snapshot_id) / "records.duckdb"
    try:
        with duckdb.connect(str(path), read_only=True) as con:
            return _run(con, _static_sql(name), values)
    except duckdb.Error as error:
        raise SnapshotError(f"The records of snapshot {snapshot_id} cannot be read.") from error
