"""The content id: equal data give an equal id, whatever DuckDB's file bytes look like.

SHA-256 over the schema version and, for every table, its name, its columns, the number of its rows
and the bytes of each of its columns. Rows lie in a table in the order of what they say
(`warehouse/build.py` sorts them before they go in), so the order of the export does not count.
Load time, paths and tool versions (columns marked volatile in the schema) stay out. DuckDB's file
bytes differ from run to run, so they are never hashed.
"""

import hashlib
from collections.abc import Iterable, Iterator

import duckdb
import polars as pl
import polars.selectors as cs

from trial.schema import SCHEMA_VERSION, TableSpec
from warehouse.ddl import quoted

BATCH = 200_000


def _canonical_columns(table: TableSpec) -> dict[str, bool]:
    """The columns that count, and whether a value can be missing there."""
    return {
        name: column.nullable
        for name, column in table.schema.columns().items()
        if not (column.metadata or {}).get("volatile")
    }


def _batches(
    con: duckdb.DuckDBPyConnection, table: TableSpec, columns: Iterable[str]
) -> Iterator[pl.DataFrame]:
    """These columns in the order of the rows; of a list of codes the place in the list."""
    coded = dict(table.codes)
    values = (
        f"enum_code({quoted(c)}) as {quoted(c)}" if c in coded else quoted(c) for c in columns
    )
    reader = con.sql(f"select {', '.join(values)} from {quoted(table.name)}").to_arrow_reader(BATCH)
    return (pl.DataFrame(batch) for batch in reader)


def _parts(
    frame: pl.DataFrame, can_lack: list[str]
) -> Iterator[tuple[str, tuple[bytes, bytes, bytes]]]:
    """Each column in bytes: what is missing; the values, of texts their lengths; the texts."""
    number = cs.boolean().cast(pl.UInt8), (~cs.boolean() & ~cs.string()).to_physical()
    missing = frame.select(pl.col(can_lack).is_null().cast(pl.UInt8))
    filled = frame.with_columns(cs.string().fill_null(""), *(x.fill_null(0) for x in number))
    lengths = filled.with_columns(cs.string().str.len_bytes())
    texts = {column.name: column.item() for column in filled.select(cs.string().str.join())}
    for name in frame.columns:
        holes = missing[name].to_numpy().tobytes() if name in can_lack else b""
        yield name, (holes, lengths[name].to_numpy().tobytes(), texts.get(name, "").encode())


def table_digest(con: duckdb.DuckDBPyConnection, table: TableSpec) -> str:
    """One table in a line: its name, its columns, how many rows, hashes of what they hold."""
    columns, n_rows = _canonical_columns(table), 0
    hashes = {column: [hashlib.sha256() for _ in range(3)] for column in columns}
    can_lack = [name for name, is_nullable in columns.items() if is_nullable]
    for frame in _batches(con, table, columns):
        n_rows += frame.height
        for column, parts in _parts(frame, can_lack):
            for digest, part in zip(hashes[column], parts, strict=True):
                digest.update(part)
    coded = dict(table.codes)
    told = [(c, coded.get(c), *(h.hexdigest() for h in hashes[c])) for c in columns]
    return f"table {table.name} {n_rows} {told}\n"


def content_hash(digests: list[str]) -> str:
    """Hex SHA-256 over the digests of tables."""
    return hashlib.sha256(f"schema {SCHEMA_VERSION}\n{''.join(digests)}".encode()).hexdigest()
