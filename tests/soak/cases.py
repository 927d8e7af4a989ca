"""One damaged export handed in: what became of it, and what is wrong with that.

Right is either a refusal that names the file, with nothing published and nothing left over, or a
load that accounts for every row. Anything else is a problem.
"""

import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from etl.assign import Part, assigned
from etl.errors import LoadError
from etl.load import COUNTED_ASIDE, LoadReport, load
from etl.sources.export import opened
from etl.sources.raw import RawTable
from tests.soak.exports import Export, Files, exports
from tests.soak.mutations import Mutated, mutated
from tests.soak.naive_counts import file_rows
from warehouse.query import open_snapshot, query, read_records

SEED = 20261125
MOST_SECONDS = 20
MOST_BYTES = 1536 * 1024 * 1024
MOST_LETTERS = 4000


@dataclass(frozen=True)
class Outcome:
    """What became of case `number`: 'refused', 'loaded' or 'quarantined'; `problem` '' if right.

    `seconds` and `peak_bytes`: what it took. `is_counted`: whether its rows were counted by
    another reader too.
    """

    number: int
    kind: str
    told: str
    became: str
    problem: str
    seconds: float
    peak_bytes: int
    is_counted: bool


class Wrong(Exception):
    """The text says what should not have happened."""


def demand(holds: bool, text: str) -> None:
    """Raise Wrong unless it holds."""
    if not holds:
        raise Wrong(text)


def case(number: int) -> tuple[str, Mutated]:
    """The kind of export and the damage of a case: the same for the same number."""
    kinds = list(exports())
    kind = kinds[number % len(kinds)]
    return kind, mutated(exports()[kind], np.random.default_rng([SEED, number]))


def is_whole(number: int) -> bool:
    """Whether the snapshot of this case is built: of each kind one in four."""
    return number // len(exports()) % 4 == 0


def written(files: Files, folder: Path) -> Path:
    """The export on disk: a folder, or the archive."""
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder / "export.zip" if list(files) == ["export.zip"] else folder


def _by_file(parts: list[Part]) -> dict[str, list[RawTable]]:
    tables: dict[str, list[RawTable]] = {}
    for part in parts:
        tables.setdefault(part.raw.file, []).append(part.raw)
    return tables


def count_again(export: Export, inner: Files, parts: list[Part]) -> bool:
    """Demand that as many rows were read as another reader counts; whether it could count all."""
    counted = []
    for name, tables in _by_file(parts).items():
        rows = file_rows(export, inner, name.removesuffix(".gz"), tables)
        read = sum(table.n_rows + len(table.aside) for table in tables)
        demand(rows in (None, read), f"{name}: {read} rows read, {rows} counted")
        counted.append(rows is not None)
    return all(counted)


def check_refusal(text: str, names: list[str]) -> None:
    """Demand a sentence in print that names the export or a file of it."""
    demand(any(name in text for name in names), f"names no file: {text!r}")
    demand(text.isprintable(), f"is not printable: {text!r}")
    demand(len(text) <= MOST_LETTERS, f"{len(text)} letters: {text[:300]!r}")


def _check_accounts(report: LoadReport, parts: list[Part]) -> None:
    for file in report.files:
        became = (file.rows_loaded, file.rows_quarantined, file.rows_excluded)
        demand(min(became) >= 0 and sum(became) == file.rows_in, f"does not add up: {file}")
    aside = sum(rule in COUNTED_ASIDE for part in parts for _, rule in part.raw.aside)
    read = sum(part.raw.n_rows for part in parts) + aside
    rows_in = sum(file.rows_in for file in report.files)
    demand(rows_in == read, f"{rows_in} rows in, {read} rows read")


def _check_snapshot(report: LoadReport, store: Path) -> None:
    """The snapshot says what the report says, and holds the text of every row kept out."""
    snapshot = open_snapshot(store, report.snapshot_id)
    accounts = query(snapshot, "file").select("rows_in", "rows_quarantined").rows()
    snapshot.connection.close()
    told = [(file.rows_in, file.rows_quarantined) for file in report.files]
    demand(accounts == told, f"snapshot says {accounts}, report {told}")
    kept = read_records(store, report.snapshot_id, "quarantine").height
    demand(kept == report.rows_quarantined, f"{kept} of {report.rows_quarantined} rows are kept")
    files = [path for path in store.rglob("*") if path.is_file() and path.name[0] != "."]
    left = sorted(str(path.relative_to(store)) for path in files)
    place = f"snapshots/{report.snapshot_id}"
    right = [f"current/{report.study_code}", f"{place}/records.duckdb", f"{place}/results.duckdb"]
    demand(left == right, f"the store holds {left}")


def _loaded(path: Path, export: Export, parts: list[Part], store: Path) -> str:
    report = load(path, export.mapping, store)
    _check_accounts(report, parts)
    _check_snapshot(report, store)
    return "quarantined" if report.rows_quarantined else "loaded"


def _almost_loaded(path: Path, export: Export, folder: Path) -> str:
    """The same up to the building, which takes the most time: the store cannot be one."""
    store = folder / "no-store"
    store.touch()
    try:
        load(path, export.mapping, store)
    except NotADirectoryError:
        return "checked"
    raise Wrong("loaded into a store that cannot be")


def _peak_bytes() -> int:
    """The most memory this process had since it was last asked to forget it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _became(path: Path, kind: str, damage: Mutated, folder: Path, whole: bool) -> tuple[str, bool]:
    """What became of the export, and whether its rows were counted again."""
    export, inner, store = exports()[kind], damage.inner or {}, folder / "store"
    try:
        with opened(path) as opened_export:
            parts, _ = assigned(opened_export, export.mapping)
            is_counted = bool(inner) and count_again(export, inner, parts)
        if whole:
            return _loaded(path, export, parts, store), is_counted
        return _almost_loaded(path, export, folder), is_counted
    except LoadError as error:
        check_refusal(str(error), [path.name, *damage.files, *inner])
        demand(not list(store.rglob("*")), "something was left in the store")
        return "refused", False


@contextmanager
def _unpacking_in(folder: Path) -> Iterator[None]:
    """Temporary files go to `folder`; demand that none is left."""
    folder.mkdir()
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before
    demand(not list(folder.iterdir()), "something was left unpacked")


def _tried(kind: str, damage: Mutated, folder: Path, whole: bool) -> tuple[str, bool, str]:
    """What became of the export, whether its rows were counted again, and what is wrong."""
    try:
        with _unpacking_in(folder / "private"):
            path = written(damage.files, folder / "handed-in")
            return *_became(path, kind, damage, folder, whole), ""
    except Wrong as wrong:
        return "failed", False, str(wrong)
    except KeyboardInterrupt:
        raise
    except BaseException:  # Anything else is a defect; a panic in Rust is no Exception.
        return "failed", False, traceback.format_exc(limit=-4)


def judged(number: int, whole: bool) -> Outcome:
    """Hand in case `number`; `whole`: build its snapshot too. Never raises but for an interrupt."""
    kind, damage = case(number)
    begin = time.monotonic()
    _forget_peak()
    with tempfile.TemporaryDirectory(prefix="case-") as folder:
        became, is_counted, problem = _tried(kind, damage, Path(folder), whole)
    seconds, peak = time.monotonic() - begin, _peak_bytes()
    if not problem and (seconds > MOST_SECONDS or peak > MOST_BYTES):
        problem = f"took {seconds:.0f} s and {peak / 2**20:,.0f} MB"
    return Outcome(number, kind, damage.told, became, problem, seconds, peak, is_counted)
