"""Build: checked frames -> the two database files of a snapshot -> published."""

from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from trial.schema import TableSpec, population_columns, tables_of
from trial.study import ResponseRule, Study
from warehouse.content import content_hash, table_digest
from warehouse.ddl import create_table, quoted
from warehouse.store import UNDATED, building, publish

MODELS = Path(__file__).parent / "models"
DATABASES = ("results", "records")


@dataclass(frozen=True)
class Published:
    """What a build published: the id, and whether such a snapshot was not there before.

    `results_hash` covers the results tables alone, without the account of the loading, to compare
    two formats of one export.
    """

    snapshot_id: str
    is_new: bool
    results_hash: str


def _frame(rows: list[tuple], table: str, study: Study) -> pl.DataFrame:
    spec = next(t for t in tables_of(study) if t.name == table)
    return pl.DataFrame(rows, schema=list(spec.schema.columns()), orient="row", strict=False)


def definition_rows(study: Study) -> dict[str, pl.DataFrame]:
    """The tables that are the study definition in rows, for the SQL models."""
    rule, points = study.response, study.timepoints
    rows: dict[str, list[tuple]] = {
        "dim_endpoint": [(e.code, e.origin, e.censor, e.is_finished) for e in study.endpoints],
        "dim_endpoint_event": [
            (e.code, event.milestone_code, event.state, priority)
            for e in study.endpoints
            for priority, event in enumerate(e.events, start=1)
        ],
        "dim_endpoint_line": [(e.code, line) for e in study.endpoints for line in e.line_codes],
        "dim_endpoint_need": [(e.code, m) for e in study.endpoints for m in study.needs(e)],
        "dim_block": [(b.code, i) for i, b in enumerate(study.blocks, start=1)],
        "dim_timepoint": [
            (p.code, p.after_block, p.before_block, p.before_milestone, p.from_day, p.to_day)
            for p in points
        ],
        "dim_term": [
            (t.code, t.category_code, study.toxicity.category(t.category_code).is_default)
            for t in study.toxicity.terms
        ],
        "dim_method": [(m, i) for i, m in enumerate(rule.method_order if rule else (), start=1)],
        "dim_response_rule": _response_rows(rule),
    }
    return {name: _frame(found, name, study) for name, found in rows.items()}


def _response_rows(rule: ResponseRule | None) -> list[tuple]:
    if rule is None:
        return []
    days = (rule.landmark_day, rule.assessed_from_day)
    codes = (rule.remission, rule.relapse, rule.death, rule.contact, rule.material)
    return [(line, *days, *codes, rule.mrd_measure) for line in rule.line_codes]


def insert(con: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    """Insert a frame into a table that is there, ordered by its columns."""
    columns = ", ".join(quoted(c) for c in frame.columns)
    con.register("incoming", frame)
    # Ordered by key: rows as they stood in the export would tell who is who without the secret.
    con.execute(
        f"insert into {quoted(name)} ({columns}) select {columns} from incoming order by {columns}"
    )
    con.unregister("incoming")


def build_table(con: duckdb.DuckDBPyConnection, table: TableSpec, study: Study) -> None:
    """Create a table that the warehouse builds, and fill it from `models/<name>.sql`."""
    create_table(con, table)
    model = (MODELS / f"{table.name}.sql").read_text(encoding="utf-8")
    carried = set(population_columns(study)) if table.carries else set()
    columns = [c for c in table.schema.columns() if not (table.sums and c == "n")]
    names = ", ".join(quoted(c) for c in columns)
    picked = ", ".join(f"{'counted' if c in carried else 'built'}.{quoted(c)}" for c in columns)
    source = f"({model}) as built"
    if table.carries:
        source += " inner join dim_population as counted using (enrollment_key, line_number)"
    key = table.schema.primary_key()
    order = ", ".join(quoted(c) for c in dict.fromkeys((*table.order, *key, *columns)))
    if table.sums:
        names, picked = f"{names}, n", f"{picked}, count(*) as n"
    group = " group by all" if table.sums else ""
    con.execute(
        f"insert into {quoted(table.name)} ({names}) "
        f"select * from (select {picked} from {source}{group}) order by {order}"
    )


def _fill(folder: Path, study: Study, frames: dict[str, pl.DataFrame]) -> tuple[str, str]:
    """Write both files; the content hash over all tables and over the results alone."""
    tables = tables_of(study)
    connections = {name: duckdb.connect(str(folder / f"{name}.duckdb")) for name in DATABASES}
    try:
        for table in tables:
            con = connections[table.database]
            if table.by_sql:
                build_table(con, table, study)
            else:
                create_table(con, table)
                insert(con, table.name, table.schema.validate(frames[table.name], cast=True))
        digests = {t.name: table_digest(connections[t.database], t) for t in tables}
        results = [digests[t.name] for t in tables if t.database == "results" and not t.is_account]
        return content_hash(list(digests.values())), content_hash(results)
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
    frames = {**frames, **definition_rows(study)}
    with building(store) as folder:
        built = folder / "snapshot"
        built.mkdir()
        digest, results_hash = _fill(built, study, frames)
        snapshot_id = f"{data_cutoff or UNDATED}.{digest[:12]}"
        is_new = publish(store, built, snapshot_id, study.code)
    return Published(snapshot_id, is_new, results_hash)
