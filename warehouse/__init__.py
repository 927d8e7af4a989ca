"""Tables: DuckDB and all SQL. Build a snapshot, publish it, open it, query it into polars."""
