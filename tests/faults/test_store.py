"""Two loads at once, and a load killed at any moment, leave the last good snapshot readable."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from analysis.questions import choices
from tests.conftest import EXAMPLES, ROOT, Loaded
from warehouse.query import SnapshotError, open_snapshot, query
from warehouse.store import building, current_ids

LOAD = [sys.executable, "-m", "etl", "load"]


def start_load(store: Path, mapping: str, path: Path | None = None) -> subprocess.Popen[bytes]:
    path = path or EXAMPLES / f"{mapping}.csv"
    command = [*LOAD, str(path), "--mapping", mapping, "--warehouse", str(store)]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def snapshot_ids(store: Path) -> list[str]:
    """Every snapshot in the store."""
    return sorted(p.name for p in (store / "snapshots").iterdir())


def readable_rows(store: Path) -> dict[str, int]:
    """Rows in of the current snapshot of each study, read from its file."""
    return {
        study: query(open_snapshot(store, name), "load")["rows_in"][0]
        for study, name in current_ids(store).items()
    }


def variant(folder: Path, number: int) -> Path:
    """The colon export without its last patients: other data of the same study."""
    lines = (EXAMPLES / "colon.csv").read_text().splitlines()
    path = folder / f"colon_{number}.csv"
    path.write_text("\n".join(lines[: len(lines) - 2 * number]) + "\n")
    return path


def test_loads_at_once_all_publish(tmp_path: Path) -> None:
    store = tmp_path / "store"
    same = [start_load(store, "colon") for _ in range(2)]
    others = [start_load(store, "colon", variant(tmp_path, 5)), start_load(store, "myeloid")]
    assert [p.wait(120) for p in same + others] == [0, 0, 0, 0]
    assert len(snapshot_ids(store)) == 3
    rows = readable_rows(store)
    assert rows["myeloid"] == 646 and rows["colon"] in (1858, 1848)
    assert sorted(p.name for p in store.iterdir()) == ["current", "snapshots"]


def test_a_killed_load_leaves_the_last_good_snapshot(tmp_path: Path) -> None:
    store = tmp_path / "store"
    assert start_load(store, "colon").wait(120) == 0
    good = current_ids(store)
    started = time.monotonic()
    whole = start_load(store, "colon", variant(tmp_path, 9))
    assert whole.wait(120) == 0
    duration = time.monotonic() - started
    assert start_load(store, "colon").wait(120) == 0
    assert current_ids(store) == good
    n_killed = 0
    for step in range(6):  # tests/soak kills at every moment
        process = start_load(store, "colon", variant(tmp_path, 20 + step))
        time.sleep(duration * (0.3 + 0.12 * step))
        os.killpg(process.pid, signal.SIGKILL)
        n_killed += process.wait() != 0
        rows = readable_rows(store)["colon"]
        finished = 1858 - 2 * (20 + step)
        assert rows in (1858, finished)
        if rows == finished:  # it was faster than the kill: back to the good one
            assert start_load(store, "colon").wait(120) == 0
    assert n_killed >= 3
    # The next load sweeps away what the killed ones left behind.
    assert start_load(store, "colon").wait(120) == 0
    assert sorted(p.name for p in store.iterdir()) == ["current", "snapshots"]
    for name in snapshot_ids(store):
        assert query(open_snapshot(store, name), "load").height == 1


def test_a_load_does_not_sweep_away_one_at_work(tmp_path: Path) -> None:
    with building(tmp_path / "store") as mine:
        with building(tmp_path / "store") as other:
            assert mine.is_dir() and other.is_dir() and mine != other
        assert mine.is_dir() and not other.exists()
    assert not mine.exists()


def test_a_damaged_snapshot_is_said_and_breaks_no_other(tmp_path: Path, loaded: Loaded) -> None:
    store = shutil.copytree(loaded.store, tmp_path / "store")
    current = current_ids(store)
    damaged = store / "snapshots" / current["myeloid"] / "results.duckdb"
    damaged.write_bytes(damaged.read_bytes()[:5000])
    with pytest.raises(SnapshotError, match="damaged"):
        open_snapshot(store, current["myeloid"])
    os.environ["RELAPSE_BOARD_STORE"], before = str(store), os.environ["RELAPSE_BOARD_STORE"]
    try:
        assert [c.snapshot.study.code for c in choices()] == ["colon"]
    finally:
        os.environ["RELAPSE_BOARD_STORE"] = before


def test_newer_data_do_not_move_an_old_snapshot(tmp_path: Path, loaded: Loaded) -> None:
    store = tmp_path / "store"
    shutil.copytree(loaded.store, store)
    old = current_ids(store)["colon"]
    before = {p: p.read_bytes() for p in (store / "snapshots" / old).iterdir()}
    assert start_load(store, "colon", variant(tmp_path, 3)).wait(120) == 0
    assert current_ids(store)["colon"] != old
    assert {p: p.read_bytes() for p in (store / "snapshots" / old).iterdir()} == before
    assert query(open_snapshot(store, old), "load")["rows_in"][0] == 1858
