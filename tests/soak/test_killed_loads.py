"""Loads killed at any moment while a reader reads: never half a load, never an error.

Loads are processes of their own, forked from a server that has imported the program once, since an
import takes longer than a load. A third is killed at a random moment, the others at the first sign
that the building, the snapshot or the pointer is there: the moments that matter are the shortest.
"""

import multiprocessing
import os
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from etl.load import LoadReport, load
from etl.mapping_file import read_mapping
from tests.faults.test_store import snapshot_ids, variant
from tests.soak.memory_disk import memory_folder
from warehouse.query import open_snapshot, query
from warehouse.store import current_ids

pytestmark = pytest.mark.soak
STUDY = "colon"
N_ROUNDS, N_VARIANTS = 16, 20
LEAST_KILLED = 200
SERVER = multiprocessing.get_context("forkserver")
Counts = dict[str, tuple[int, int]]


@dataclass(frozen=True)
class Expected:
    """What a load of an export gives when nobody disturbs it."""

    path: Path
    snapshot_id: str
    results_hash: str
    counts: tuple[int, int]


def counts_of(store: Path, snapshot_id: str) -> tuple[int, int]:
    """Rows in and enrollments of a snapshot."""
    snapshot = open_snapshot(store, snapshot_id)
    rows = query(snapshot, "load")["rows_in"][0]
    return rows, int(query(snapshot, "enrollment")["n_enrolled"].sum())


def expected(path: Path, store: Path) -> Expected:
    """The export loaded into a store of its own."""
    report = load(path, read_mapping(STUDY), store)
    counts = counts_of(store, report.snapshot_id)
    return Expected(path, report.snapshot_id, report.results_hash, counts)


def load_in_process(path: Path, store: Path, told: Any) -> None:
    """Load, and tell the report; run in a process that may be killed."""
    report = load(path, read_mapping(STUDY), store)
    told.send(report)


def read_on(store: Path, known: Counts, done: Event, told: Any) -> None:
    """Read the current snapshot again and again; tell how often, and what was wrong."""
    n_reads, wrong = 0, []
    while not done.is_set():
        try:
            snapshot_id = current_ids(store)[STUDY]
            found = counts_of(store, snapshot_id)
            if found != known.get(snapshot_id):
                wrong.append(f"{snapshot_id} holds {found}, not {known.get(snapshot_id)}")
        except Exception as error:  # Whatever a reader meets is a defect.
            wrong.append(repr(error))
        n_reads += 1
        done.wait(0.001)
    told.send((n_reads, wrong))


def is_building(store: Path) -> bool:
    return any(store.glob("building-*/snapshot/results.duckdb"))


def is_placed(store: Path, snapshot_id: str) -> bool:
    return (store / "snapshots" / snapshot_id).is_dir()


def is_current(store: Path, snapshot_id: str) -> bool:
    return current_ids(store)[STUDY] == snapshot_id


def is_pointing(store: Path) -> bool:
    """Whether the new pointer is written, or in its place already."""
    return any((store / "current").glob(f".{STUDY}-*"))


def left_over(store: Path) -> list[str]:
    """What killed loads left: folders they built in, pointers that never got their place."""
    beside = [path.name for path in store.iterdir() if path.name not in ("current", "snapshots")]
    return beside + [path.name for path in (store / "current").glob(f".{STUDY}*")]


def wait_for(holds: Callable[[], bool], process: ForkServerProcess) -> None:
    while process.is_alive() and not holds():
        time.sleep(0.0002)


@dataclass
class Round:
    """Loads into one store, each killed once and then let be.

    `duration`: how long the last whole load took. `killed`: how many ended how.
    """

    store: Path
    rng: np.random.Generator
    killed: Counter[str]
    duration: float = 0.0

    def start(self, path: Path) -> tuple[ForkServerProcess, Any]:
        """A load at work, and where its report will come."""
        receives, sends = SERVER.Pipe(duplex=False)
        process = SERVER.Process(target=load_in_process, args=(path, self.store, sends))
        process.start()
        sends.close()
        return process, receives

    def kill_one(self, one: Expected) -> None:
        """Start a load and kill it."""
        process, _ = self.start(one.path)
        signs: tuple[Callable[[], bool], ...] = (
            lambda: is_building(self.store),
            lambda: is_placed(self.store, one.snapshot_id),
            lambda: is_pointing(self.store) or is_current(self.store, one.snapshot_id),
            lambda: is_current(self.store, one.snapshot_id),
        )
        moment = int(self.rng.integers(len(signs) + 2))
        if moment < len(signs):
            wait_for(signs[moment], process)
        else:
            process.join(float(self.rng.uniform(0.0, 0.9)) * self.duration)
        if process.pid is not None and process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
        process.join()
        self.killed[self._found(one, process.exitcode)] += 1

    def _found(self, one: Expected, exit_code: int | None) -> str:
        if exit_code != -signal.SIGKILL:
            return "ended before the kill"
        if is_current(self.store, one.snapshot_id):
            return "killed when published"
        if is_placed(self.store, one.snapshot_id):
            return "killed between snapshot and pointer"
        return "killed while building" if is_building(self.store) else "killed before building"

    def load_whole(self, one: Expected) -> None:
        """The next load is as if nothing had happened."""
        begin = time.monotonic()
        process, receives = self.start(one.path)
        report: LoadReport = receives.recv()
        process.join()
        self.duration = time.monotonic() - begin
        assert process.exitcode == 0
        assert (report.snapshot_id, report.results_hash) == (one.snapshot_id, one.results_hash)
        assert is_current(self.store, one.snapshot_id)
        assert not (left := left_over(self.store)), left


@contextmanager
def reader(store: Path, known: Counts) -> Iterator[list[int]]:
    """A process that reads the store all the time; how often it did is there at the end."""
    n_reads: list[int] = []
    receives, sends = SERVER.Pipe(duplex=False)
    done = SERVER.Event()
    process = SERVER.Process(target=read_on, args=(store, known, done, sends))
    process.start()
    sends.close()
    try:
        yield n_reads
    finally:
        done.set()
        n, wrong = receives.recv()
        process.join()
    assert not wrong, wrong[:5]
    n_reads.append(n)


def one_round(
    store: Path, order: list[Expected], rng: np.random.Generator, killed: Counter[str]
) -> int:
    """Load the first, then kill and load the others beside a reader; how often it read."""
    known = {one.snapshot_id: one.counts for one in order}
    loads = Round(store, rng, killed)
    loads.load_whole(order[0])
    with reader(store, known) as n_reads:
        for one in order[1:]:
            loads.kill_one(one)
            loads.load_whole(one)
    assert snapshot_ids(store) == sorted(known)
    return sum(n_reads)


def test_killed_loads_never_show_half_a_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLARS_MAX_THREADS", "1")
    SERVER.set_forkserver_preload(["etl.load", __name__])
    rng, killed = np.random.default_rng(20140), Counter[str]()
    n_reads = 0
    with memory_folder(tmp_path) as folder:
        paths = [variant(folder, 1 + k) for k in range(N_VARIANTS)]
        whole = [expected(path, folder / "whole") for path in paths]
        assert len({one.counts for one in whole}) == len({one.snapshot_id for one in whole})
        for number in range(N_ROUNDS):
            order = [whole[int(i)] for i in rng.permutation(N_VARIANTS)]
            n_reads += one_round(folder / f"store-{number}", order, rng, killed)
            shutil.rmtree(folder / f"store-{number}")
    n_killed = sum(n for how, n in killed.items() if how.startswith("killed"))
    told = ", ".join(f"{n} {how}" for how, n in sorted(killed.items()))
    print(f"\nsoak: {n_killed} loads killed ({told}); {n_reads:,} reads beside, none wrong")
    assert n_killed >= LEAST_KILLED
