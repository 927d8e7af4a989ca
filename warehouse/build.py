"""Build: checked frames -> the two database files of a snapshot -> published."""

import copy
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import dataframely as dy
import duckdb
import polars as pl

from trial.response import ResponseRule
from trial.schema import TableSpec, population_columns, tables_of
from trial.study import DeathRule, Study
from warehouse.content import content_hash, table_digest
from warehouse.ddl import create_table, quoted, sql_types
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
    rule, points, tox = study.response, study.timepoints, study.toxicity
    rows: dict[str, list[tuple]] = {
        "dim_endpoint": [(e.code, e.origin, e.censor, e.is_finished) for e in study.endpoints],
        "dim_endpoint_event": [
            (e.code, event.milestone_code, event.state, priority)
            for e in study.endpoints
            for priority, event in enumerate(e.events, start=1)
        ],
        "dim_endpoint_line": [(e.code, line) for e in study.endpoints for line in e.line_codes],
        "dim_endpoint_need": [(e.code, m) for e in study.endpoints for m in study.needs(e)],
        "dim_block_milestone": [(m.code, m.block) for m in study.milestones if m.block],
        "dim_block": [(b.code, i, b.planned_days) for i, b in enumerate(study.blocks, start=1)],
        "dim_block_group": [(g.code, b) for g in tox.block_groups for b in g.block_codes],
        "dim_scale": [(s.code, s.family) for s in tox.scales],
        "dim_death_rule": _death_rows(tox.death),
        "dim_timepoint": [
            (p.code, p.after_block, p.before_block, p.before_milestone, p.from_day, p.to_day)
            for p in points
        ],
        "dim_term": [
            (t.code, t.category_code, tox.category(t.category_code).is_default) for t in tox.terms
        ],
        "dim_method": [(m, i) for i, m in enumerate(rule.method_order if rule else (), start=1)],
        "dim_response_rule": _response_rows(rule),
        "dim_response_definition": [
            (d.code, detail, position == 0)
            for position, d in enumerate(rule.definitions if rule else ())
            for detail in d.details or ("",)
        ],
        "dim_course_rule": _course_rows(rule),
        "dim_other_source": [
            (source,) for source in (rule.course.other_sources if rule and rule.course else ())
        ],
    }
    return {name: _frame(found, name, study) for name, found in rows.items()}


def _response_rows(rule: ResponseRule | None) -> list[tuple]:
    if rule is None:
        return []
    days = (rule.landmark_day, rule.assessed_from_day)
    codes = (rule.remission, rule.relapse, rule.death, rule.contact, rule.material)
    told = (*days, *codes, rule.mrd_measure, rule.needs_sample)
    return [(line, *told) for line in rule.line_codes]


def _death_rows(rule: DeathRule | None) -> list[tuple]:
    if rule is None:
        return []
    told = {cause: True for cause in rule.toxic_causes} | dict.fromkeys(rule.disease_causes, False)
    rest = (rule.transplant, rule.second_malignancy)
    return [(cause, is_toxic, *rest) for cause, is_toxic in (told or {"": True}).items()]


def _course_rows(rule: ResponseRule | None) -> list[tuple]:
    if rule is None or rule.course is None:
        return []
    course = rule.course
    days = (course.before_days, course.after_from_day, course.after_to_day)
    measures = (rule.material, rule.mrd_measure, course.high_measure)
    infusions = (course.drug, course.cells, course.cells_by_day, course.cells_not_after)
    return [(course.block_code, *days, *measures, *infusions, rule.death, rule.contact)]


def insert(con: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    """Insert a frame, in the order of its rows, into a table that is there."""
    columns = ", ".join(quoted(c) for c in frame.columns)
    con.register("incoming", frame)
    con.execute(f"insert into {quoted(name)} ({columns}) select {columns} from incoming")
    con.unregister("incoming")


def in_order(frame: pl.DataFrame, table: TableSpec) -> pl.DataFrame:
    """Checked rows in the order of their key: as they stood in the export they would tell who is
    who without the secret, and equal data must give equal tables.

    Raises dataframely's ValidationError for rows that break the schema, and duckdb's
    ConstraintException for two of one key: a large table has no index that would find them.
    """
    key = table.schema.primary_key()
    checked = _without_key(table.schema).validate(frame, cast=True)
    ordered = checked if _rises(checked, key) else checked.sort(*(_ranked(checked[c]) for c in key))
    if not _rises(ordered, key):
        raise duckdb.ConstraintException(f"{table.name}: two rows have the same key.")
    return ordered


@functools.lru_cache(maxsize=512)
def _without_key(schema: type[dy.Schema]) -> type[dy.Schema]:
    """The schema with all its rules but the key, which ordered rows show in a tenth of the time."""
    columns = {name: copy.copy(column) for name, column in schema.columns().items()}
    for column in columns.values():
        column.primary_key = False
    return type(schema.__name__, (dy.Schema,), columns)


def _ranked(values: pl.Series) -> pl.Series:
    """Values in the same order, faster to sort: texts as places in their sorted list."""
    if values.dtype != pl.String:
        return values
    return values.cast(pl.Enum(values.unique().sort()))


def _rises(frame: pl.DataFrame, key: Sequence[str]) -> bool:
    """Whether each row has a higher key than the one before it."""
    if frame.height < 2:
        return True
    is_higher = pl.lit(False)
    for name in reversed(key):
        value, before = pl.col(name), pl.col(name).shift(1)
        is_higher = (value > before) | ((value == before) & is_higher)
    return frame.select(is_higher.slice(1).all()).item()


def build_table(con: duckdb.DuckDBPyConnection, table: TableSpec, study: Study) -> None:
    """Create a table that the warehouse builds, and fill it from `models/<name>.sql`."""
    create_table(con, table)
    model = (MODELS / f"{table.name}.sql").read_text(encoding="utf-8")
    carried = set(population_columns(study)) if table.carries else set()
    types = sql_types(table)
    columns = [c for c in types if not (table.sums and c == "n")]
    names = ", ".join(quoted(c) for c in columns)
    # Codes become places in their list here already: sorted and grouped as texts they take longer.
    picked = ", ".join(
        f"cast({'counted' if c in carried else 'built'}.{quoted(c)} as {types[c]}) as {quoted(c)}"
        for c in columns
    )
    source = f"({model}) as built"
    if table.carries:
        source += " inner join dim_population as counted using (enrollment_key, line_number)"
    key = columns if table.sums else table.schema.primary_key()
    order = ", ".join(quoted(c) for c in dict.fromkeys((*table.order, *key)))
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
                insert(con, table.name, in_order(frames[table.name], table))
        for con in connections.values():
            # Closing would do it too, but in silence if the disk is full.
            con.execute("checkpoint")
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
        try:
            digest, results_hash = _fill(built, study, frames)
        except (duckdb.IOException, duckdb.TransactionException, duckdb.FatalException) as error:
            raise OSError(f"cannot write the snapshot: {error}") from error
        snapshot_id = f"{data_cutoff or UNDATED}.{digest[:12]}"
        is_new = publish(store, built, snapshot_id, study.code)
    return Published(snapshot_id, is_new, results_hash)
