"""Reading snapshots of older schema versions: their tables shown as the tables of today.

The file is attached read-only to a database in memory that holds nothing but views, so that every
query stays as it is. Version 1 had one line of therapy an enrollment, and no more than milestones.
"""

from pathlib import Path

import duckdb

from trial.schema import TABLES
from warehouse.ddl import create_table, quoted

OLDER = "older"
# Version 1, by table: what its rows are today.
VERSION_1 = {
    "dim_enrollment": "*, cast(null as integer) as entry_day",
    "fct_milestone": "*, cast(null as varchar) as detail_code",
    "fct_time_to_event": "*, 1 as line_number",
    "load": "*, false as is_synthetic",
    "file": "*, true as is_enrolling",
}
ONE_LINE_EACH = """
    enrollment_key, 1 as line_number, 'enrollment' as entry_reason, 0 as start_day,
    true as is_primary
"""


def open_version_1(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection that shows a results file of schema version 1 as one of today."""
    con = duckdb.connect(":memory:")
    con.execute(f"attach '{str(path).replace(chr(39), chr(39) * 2)}' as {OLDER} (read_only)")
    there = {
        name
        for (name,) in con.execute(
            "select table_name from duckdb_tables() where database_name = ?", [OLDER]
        ).fetchall()
    }
    for table in TABLES:
        if table.name in there:
            columns = VERSION_1.get(table.name, "*")
            source = f"{OLDER}.{quoted(table.name)}"
            con.execute(f"create view {quoted(table.name)} as select {columns} from {source}")
        elif table.name == "dim_line":
            source = f"{OLDER}.dim_enrollment"
            con.execute(f"create view dim_line as select {ONE_LINE_EACH} from {source}")
        elif table.database == "results":
            create_table(con, table)
    con.execute("set enable_external_access = false")
    con.execute("set lock_configuration = true")
    return con
