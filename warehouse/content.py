"""The content id: equal data give an equal id, whatever DuckDB's file bytes look like.

SHA-256 over the schema version and every table as sorted rows in canonical text. Load time, paths
and tool versions (columns marked volatile in the schema) stay out. DuckDB's file bytes differ from
run to run, so they are never hashed.
"""

import hashlib

import duckdb

from trial.schema import SCHEMA_VERSION, TableSpec
from warehouse.ddl import quoted

BATCH = 10_000


def _canonical_columns(table: TableSpec) -> list[str]:
    return [
        name
        for name, column in table.schema.columns().items()
        if not (column.metadata or {}).get("volatile")
    ]


def update_hash(digest, con: duckdb.DuckDBPyConnection, table: TableSpec) -> None:
    """Feed one table to a hash: its name, its columns, its rows sorted by all of them.

    A value is its length and its text, so that no content can imitate a boundary; NULL is 'N'.
    """
    columns = _canonical_columns(table)
    digest.update(f"table {table.name} {','.join(columns)}\n".encode())
    text = ", ".join(f"cast({quoted(c)} as varchar)" for c in columns)
    cursor = con.cursor()
    cursor.execute(f"select {text} from {quoted(table.name)} order by all")
    while rows := cursor.fetchmany(BATCH):
        for row in rows:
            cells = ("N" if value is None else f"{len(value)}:{value}" for value in row)
            digest.update("|".join(cells).encode() + b"\n")


def content_hash(
    connections: dict[str, duckdb.DuckDBPyConnection], tables: tuple[TableSpec, ...]
) -> str:
    """Hex SHA-256 over `tables`, each read from the connection of its database."""
    digest = hashlib.sha256(f"schema {SCHEMA_VERSION}\n".encode())
    for table in tables:
        update_hash(digest, connections[table.database], table)
    return digest.hexdigest()
