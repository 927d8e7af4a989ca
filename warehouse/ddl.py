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


def _column(name: str, column: Column) -> str:
    parts = [quoted(name), SQL_TYPES[type(column)]]
    if not column.nullable:
        parts.append("not null")
    lowest = getattr(column, "min", None)
    if lowest is not None:
        parts.append(f"check ({quoted(name)} >= {int(lowest)})")
    return " ".join(parts)


def create_table(con: duckdb.DuckDBPyConnection, table: TableSpec) -> None:
    """Create one empty table with its constraints and comments."""
    columns = table.schema.columns()
    lines = [_column(name, column) for name, column in columns.items()]
    key = ", ".join(quoted(name) for name in table.schema.primary_key())
    con.execute(f"create table {quoted(table.name)} ({', '.join(lines)}, primary key ({key}))")
    grain = (table.schema.__doc__ or table.schema.__base__.__doc__ or "").strip()
    con.execute(f"comment on table {quoted(table.name)} is {_text(grain)}")
    for name, column in columns.items():
        target = f"{quoted(table.name)}.{quoted(name)}"
        con.execute(f"comment on column {target} is {_text(column.description or '')}")
