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
# How the names of tables begin that have a row for every fact.
OF_FACTS = ("fct_", "record_fact")


def quoted(identifier: str) -> str:
    """An identifier as DuckDB quotes it. Identifiers come from declarations, never from users."""
    return '"' + identifier.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def sql_types(table: TableSpec) -> dict[str, str]:
    """The type of each column; one with a list of codes holds nothing else."""
    lists = {
        name: f"enum ({', '.join(_text(code) for code in codes)})" for name, codes in table.codes
    }
    return {
        name: lists.get(name) or SQL_TYPES[type(column)]
        for name, column in table.schema.columns().items()
    }


def _column(name: str, column: Column, sql_type: str) -> str:
    parts = [quoted(name), sql_type]
    if not column.nullable:
        parts.append("not null")
    lowest = getattr(column, "min", None)
    if lowest is not None:
        parts.append(f"check ({quoted(name)} >= {int(lowest)})")
    return " ".join(parts)


def create_table(con: duckdb.DuckDBPyConnection, table: TableSpec) -> None:
    """Create one empty table with its constraints and comments.

    A built table has no index for its key: its SQL groups by the key, or joins tables that have it.
    Nor has one of facts, whose index took twenty times its room: `warehouse/build.py` looks at the
    keys of all rows that go in.
    """
    columns, types = table.schema.columns(), sql_types(table)
    lines = [_column(name, column, types[name]) for name, column in columns.items()]
    if not (table.by_sql or table.name.startswith(OF_FACTS)):
        key = ", ".join(quoted(name) for name in table.schema.primary_key())
        lines.append(f"primary key ({key})")
    name = quoted(table.name)
    grain = (table.schema.__doc__ or (table.schema.__base__ or object).__doc__ or "").strip()
    comments = [
        f"comment on column {name}.{quoted(c)} is {_text(column.description or '')}"
        for c, column in columns.items()
    ]
    of_table = f"comment on table {name} is {_text(grain)}"
    con.execute(";\n".join([f"create table {name} ({', '.join(lines)})", of_table, *comments]))
