"""Build: checked frames -> the two database files of a snapshot -> published."""

from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from trial.schema import tables_of
from trial.study import Study
from warehouse.content import content_hash
from warehouse.ddl import create_table, quoted
from warehouse.store import UNDATED, building, publish

MODELS = Path(__file__).parent / "models"
BUILT_BY_SQL = ("fct_time_to_event",)
DATABASES = ("results", "records")


@dataclass(frozen=True)
class Published:
    """What a build published: the id, and whether such a snapshot was not there before.

    `results_hash` covers the results tables alone, to compare two formats of one export.
    """

    snapshot_id: str
    is_new: bool
    results_hash: str


def endpoint_rows(study: Study) -> dict[str, pl.DataFrame]:
    """dim_endpoint and dim_endpoint_event of a study definition."""
    endpoints = [(e.code, e.origin, e.censor) for e in study.endpoints]
    events = [
        (e.code, event.milestone_code, event.state, priority)
        for e in study.endpoints
        for priority, event in enumerate(e.events, start=1)
    ]
    return {
        "dim_endpoint": pl.DataFrame(
            endpoints, schema=["endpoint_code", "origin_code", "censor_code"], orient="row"
        ),
        "dim_endpoint_event": pl.DataFrame(
            events,
            schema=["endpoint_code", "milestone_code", "state", "priority"],
            orient="row",
        ),
    }


def _insert(con: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    columns = ", ".join(quoted(c) for c in frame.columns)
    con.register("incoming", frame)
    # Ordered by key: rows as they stood in the export would tell who is who without the secret.
    con.execute(
        f"insert into {quoted(name)} ({columns}) select {columns} from incoming order by {columns}"
    )
    con.unregister("incoming")


def _fill(folder: Path, study: Study, frames: dict[str, pl.DataFrame]) -> tuple[str, str]:
    """Write both files; the content hash over all tables and over the results alone."""
    tables = tables_of(study)
    connections = {name: duckdb.connect(str(folder / f"{name}.duckdb")) for name in DATABASES}
    try:
        for table in tables:
            con = connections[table.database]
            create_table(con, table)
            if table.name in BUILT_BY_SQL:
                model = (MODELS / f"{table.name}.sql").read_text(encoding="utf-8")
                con.execute(f"insert into {quoted(table.name)} {model}")
            else:
                _insert(con, table.name, table.schema.validate(frames[table.name], cast=True))
        results = tuple(t for t in tables if t.database == "results")
        return content_hash(connections, tables), content_hash(connections, results)
    finally:
        for con in connections.values():
            con.close()


def build_snapshot(
    store: Path, study: Study, frames: dict[str, pl.DataFrame], data_cutoff: str | None
) -> Published:
    """Build a snapshot from checked frames (one per table but the built ones) and publish it.

    Raises dataframely's ValidationError or duckdb.Error if a frame breaks its schema: staging let
    through what it should not; nothing is published then.
    """
    frames = {**frames, **endpoint_rows(study)}
    with building(store) as folder:
        built = folder / "snapshot"
        built.mkdir()
        digest, results_hash = _fill(built, study, frames)
        snapshot_id = f"{data_cutoff or UNDATED}.{digest[:12]}"
        is_new = publish(store, built, snapshot_id, study.code)
    return Published(snapshot_id, is_new, results_hash)
