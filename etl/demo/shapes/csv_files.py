"""The demo as eight CSV files, the shape that every number of patients can be written in."""

from pathlib import Path

from etl.demo.shapes.fields import Tables


def write_csv_files(out: Path, tables: Tables) -> tuple[tuple[str, int], ...]:
    """Write a CSV file a table to the folder `out`, or go on with those that are there; the rows.

    So tables can be written in parts, and memory does not grow with the number of patients.
    """
    for name, table in tables.items():
        with (out / f"{name}.csv").open("ab") as file:
            table.write_csv(file, include_header=file.tell() == 0)
    return tuple((f"{name}.csv", table.height) for name, table in tables.items())
