"""How long a load takes, against DuckDB merely reading the same two files into tables.

A load reads every cell by the mapping, checks rows against each other, writes both files of a
snapshot, and builds and hashes its tables; DuckDB's reading (all columns as text, or of the types
that it guesses) is what no load can do without. Processor time beside the time by the clock: its
ratio stands on a busy machine too.
"""

import json
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.printed import Column, step

LOADS = (10_000, 100_000, 1_000_000)
MOST_LOADED = LOADS[-1]
ROUNDS = 3
# Sizes from which on one round has to do.
LARGE = 1_000_000
COLUMNS: tuple[Column, ...] = (
    ("n", "patients", 10, "{:.0f}", 1),
    ("rows", "rows", 11, "{:.0f}", 1),
    ("seconds", "load s", 8, "{:.1f}", 1),
    ("processor", "cpu s", 8, "{:.1f}", 1),
    ("rows_a_second", "rows/s", 9, "{:.0f}", 1),
    ("memory_mb", "peak MB", 8, "{:.0f}", 1),
    ("text_s", "DuckDB text s", 14, "{:.2f}", 1),
    ("guess_s", "guessed s", 10, "{:.2f}", 1),
    ("ratio_text", "x text", 7, "{:.1f}", 1),
    ("ratio_guess", "x guessed", 10, "{:.1f}", 1),
    ("ratio_cpu", "x cpu", 7, "{:.1f}", 1),
)


def write(patients: int, folder: Path) -> None:
    """Write the export, study and mapping."""
    from tests.bench.export import write_export

    write_export(folder, patients)


def load(patients: int, folder: Path) -> None:
    """Load the export, each round into a store of its own."""
    from etl.identity import ENVIRONMENT
    from etl.load import load as load_export
    from etl.mapping_file import read_mapping

    os.environ[ENVIRONMENT] = str(folder / "key")
    mapping = read_mapping(str(folder / "mapping.toml"), studies=folder)
    rows: list[int] = []

    def run() -> None:
        with tempfile.TemporaryDirectory(dir=folder) as store:
            report = load_export(folder / "export", mapping, Path(store))
        rows.append(sum(file.rows_loaded for file in report.files))

    found = _measured(run, patients)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**found, "rows": rows[-1], "memory_mb": peak}))


def read(kind: str, folder: Path) -> None:
    """Read both files into the tables of a database file: as 'text' or of 'guess'ed types."""
    import duckdb

    options = {"text": "all_varchar = true", "guess": "all_varchar = false"}[kind]

    def run() -> None:
        with (
            tempfile.TemporaryDirectory(dir=folder) as name,
            duckdb.connect(str(Path(name) / "read.duckdb")) as con,
        ):
            for file in sorted((folder / "export").iterdir()):
                source = f"read_csv('{file}', header = true, {options})"
                con.execute(f"create table {file.stem} as select * from {source}")

    patients = sum(1 for _ in (folder / "export" / "patients.csv").open("rb")) - 1
    print(json.dumps(_measured(run, patients)))


def _measured(run: Callable[[], None], patients: int) -> dict[str, float]:
    """Median seconds and processor seconds of a few rounds; of one of a large export."""
    clock, processor = [], []
    for _ in range(1 if patients >= LARGE else ROUNDS):
        begin, begin_processor = time.perf_counter(), time.process_time()
        run()
        clock.append(time.perf_counter() - begin)
        processor.append(time.process_time() - begin_processor)
    return {"seconds": statistics.median(clock), "processor": statistics.median(processor)}


def loaded(n: int) -> dict:
    """All figures of one size."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        step("write", n, folder)
        found = {"n": n, **step("load", n, folder)}
        text, guess = step("read", "text", folder), step("read", "guess", folder)
    return {
        **found,
        "rows_a_second": found["rows"] / found["seconds"],
        "text_s": text["seconds"],
        "guess_s": guess["seconds"],
        "ratio_text": found["seconds"] / text["seconds"],
        "ratio_guess": found["seconds"] / guess["seconds"],
        "ratio_cpu": found["processor"] / text["processor"],
    }
