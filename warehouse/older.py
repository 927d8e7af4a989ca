"""Reading snapshots of older schema versions: what they hold shown as the tables of today.

The file is attached read-only to a database in memory. Tables that came from the export are views
of the old ones; those that the study definition or SQL makes are made anew by today's models, so
that every query stays as it is and an old link gives today's numbers. Version 1 had one line of
therapy an enrollment and no more than milestones.
"""

from pathlib import Path

import duckdb

from trial.schema import TableSpec, tables_of
from trial.study import Study
from warehouse.build import build_table, definition_rows, insert
from warehouse.ddl import create_table, quoted

OLDER = "older"
# Before version 4 no row was left out by rule, and no snapshot named the one before it.
ACCOUNT_FILE = "cast(0 as bigint) as rows_excluded"
ACCOUNT_LOAD = f"{ACCOUNT_FILE}, cast(null as varchar) as previous_snapshot_id"
NO_POTENTIAL = "cast(null as integer) as potential_months"
# What the rows of an older version are today; a table not named is as it was.
COLUMNS = {
    1: {
        "dim_enrollment": f"*, cast(null as integer) as entry_day, {NO_POTENTIAL}",
        "fct_milestone": "*, cast(null as varchar) as detail_code",
        "load": f"*, false as is_synthetic, {ACCOUNT_LOAD}",
        "file": f"*, true as is_enrolling, {ACCOUNT_FILE}",
    },
    2: {"load": f"*, {ACCOUNT_LOAD}", "file": f"*, {ACCOUNT_FILE}"},
    3: {"load": f"*, {ACCOUNT_LOAD}", "file": f"*, {ACCOUNT_FILE}"},
    # Version 5 added only tables that are made anew here.
    4: {},
    # Before version 6 a course had no end of attribution, and an infection no pathogen.
    5: {},
    # Before version 7 nobody's possible follow-up was kept.
    6: {},
}
BEFORE_7 = {"dim_enrollment": f"*, {NO_POTENTIAL}"}
BEFORE_6 = {
    "fct_course": """
        *, cast(null as integer) as recovery_day, cast(null as integer) as until_day,
        cast(null as varchar) as until_code
    """,
    "fct_adverse_event": """
        *, cast(null as varchar) as infection_site_code, cast(null as varchar) as pathogen_code,
        cast(null as varchar) as documentation_code
    """,
}
ONE_LINE_EACH = """
    enrollment_key, 1 as line_number, 'enrollment' as entry_reason, 0 as start_day,
    cast(null as varchar) as protocol_as_treated, cast(null as varchar) as intent,
    true as is_primary
"""


def attach_older(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection to a database in memory with a results file attached as `older`."""
    con = duckdb.connect(":memory:")
    con.execute(f"attach '{str(path).replace(chr(39), chr(39) * 2)}' as {OLDER} (read_only)")
    return con


def _show(con: duckdb.DuckDBPyConnection, table: TableSpec, version: int, there: set[str]) -> None:
    """A table of the export: a view of the old one, or empty if there was none."""
    since = BEFORE_7 | (BEFORE_6 if version < 6 else {})
    columns = (since | COLUMNS[version]).get(table.name, "*")
    source = f"{OLDER}.{quoted(table.name)}"
    if table.name in there:
        con.execute(f"create view {quoted(table.name)} as select {columns} from {source}")
    elif table.name == "dim_line":
        source = f"{OLDER}.dim_enrollment"
        con.execute(f"create view dim_line as select {ONE_LINE_EACH} from {source}")
    else:
        create_table(con, table)


def show_as_today(con: duckdb.DuckDBPyConnection, study: Study, version: int) -> None:
    """Make the tables of today from an attached results file of an older schema version."""
    found = con.execute(
        "select table_name from duckdb_tables() where database_name = ?", [OLDER]
    ).fetchall()
    there, defined = {name for (name,) in found}, definition_rows(study)
    for table in tables_of(study):
        if table.database != "results":
            continue
        if table.name in defined:
            create_table(con, table)
            insert(con, table.name, defined[table.name])
        elif table.by_sql:
            build_table(con, table, study)
        else:
            _show(con, table, version, there)
    con.execute("set enable_external_access = false")
    con.execute("set lock_configuration = true")
