"""DDL from the canonical schemas: types, keys, NOT NULL, CHECK and comments."""

import dataframely as dy
import duckdb
from dataframely.columns import Column

from trial.schema import TableSpec

SQL_TYPES: dict[type[Column], str] = {
    dy.Int8: "tinyint",
    dy.Int32: "integer",
    dy.Int64: "bigint",
    dy.Float64: "double",
    dy.String: "varchar",
    dy.Date: "date",
    dy.Bool: "boolean",
}


def quoted(identifier: str) -> str:
    """An identifier as DuckDB quotes it. Identifiers come from declarations, never from users."""
    return '"' + identifier.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _type(name: str, column: Column, codes: dict[str, tuple[str, ...]]) -> str:
    """The type of a column; one with a list of codes holds nothing else."""
    if name in codes:
        return f"enum ({', '.join(_text(code) for code in codes[name])})"
    return SQL_TYPES[type(column)]


def _column(name: str, column: Column, codes: dict[str, tuple[str, ...]]) -> str:
    parts = [quoted(name), _type(name, column, codes)]
    if not column.nullable:
        parts.append("not null")
    lowest = getattr(column, "min", None)
    if lowest is not None:
        parts.append(f"check ({quoted(name)} >= {int(lowest)})")
    return " ".join(parts)


def create_table(con: duckdb.DuckDBPyConnection, table: TableSpec) -> None:
    """Create one empty table with its constraints and comments.

    A built table has no index for its key: its SQL groups by the key, or joins tables that have it.
    """
    columns = table.schema.columns()
    lines = [_column(name, column, dict(table.codes)) for name, column in columns.items()]
    if not table.by_sql:
        key = ", ".join(quoted(name) for name in table.schema.primary_key())
        lines.append(f"primary key ({key})")
    con.execute(f"create table {quoted(table.name)} ({', '.join(lines)})")
    grain = (table.schema.__doc__ or (table.schema.__base__ or object).__doc__ or "").strip()
    con.execute(f"comment on table {quoted(table.name)} is {_text(grain)}")
    for name, column in columns.items():
        target = f"{quoted(table.name)}.{quoted(name)}"
        con.execute(f"comment on column {target} is {_text(column.description or '')}")
