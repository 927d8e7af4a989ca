"""The content id: equal data give an equal id, whatever DuckDB's file bytes look like.

SHA-256 over the schema version and, for every table, its name, its columns, the number of its rows
and the sums of the two halves of each row's MD5 over its canonical text. The sums do not depend on
the order of the rows, so that nothing has to be sorted and DuckDB counts in parallel (Bellare &
Micciancio, EUROCRYPT 1997, on such incremental hashes). Load time, paths and tool versions (columns
marked volatile in the schema) stay out. DuckDB's file bytes differ from run to run, so they are
never hashed.
"""

import hashlib

import duckdb

from trial.schema import SCHEMA_VERSION, TableSpec
from warehouse.ddl import quoted

LOWER_HALF = f"{2**64 - 1}::uhugeint"


def _canonical_columns(table: TableSpec) -> list[str]:
    return [
        name
        for name, column in table.schema.columns().items()
        if not (column.metadata or {}).get("volatile")
    ]


def _cell(column: str) -> str:
    """A value is its length and its text, so that no content can imitate a boundary; NULL is N."""
    text = f"cast({quoted(column)} as varchar)"
    return f"coalesce(concat(length({text}), ':', {text}), 'N')"


def table_digest(con: duckdb.DuckDBPyConnection, table: TableSpec) -> str:
    """One table in a line: its name, its columns, its rows in whatever order."""
    columns = _canonical_columns(table)
    row = f"concat_ws('|', {', '.join(_cell(c) for c in columns)})"
    sums = con.execute(
        f"select count(*), sum(hash & {LOWER_HALF}), sum(hash >> 64) "
        f"from (select md5_number({row}) as hash from {quoted(table.name)})"
    ).fetchone()
    return f"table {table.name} {','.join(columns)} {sums}\n"


def content_hash(digests: list[str]) -> str:
    """Hex SHA-256 over the digests of tables."""
    return hashlib.sha256(f"schema {SCHEMA_VERSION}\n{''.join(digests)}".encode()).hexdigest()
