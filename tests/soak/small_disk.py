"""Loads on a disk that is too small; run as a program inside a mount that nobody else sees.

python -m tests.soak.small_disk DISK STORE EXPORT MAPPING -> a line of JSON for each load. DISK: a
small file system, empty. STORE: a store to begin from. EXPORT is loaded into copies of it on DISK,
and again into a store elsewhere, unpacked on DISK.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from warehouse.store import current_ids

# How much of what a load needs is free, in hundredths.
SHARES = (0, 1, 2, 3, 5, 8, 12, 17, 23, 30, 37, 44, 51, 58, 65, 72, 79, 86, 93, 97, 99, 100, 101)
SHARES += (103, 107, 115, 130, 160, 200)
BLOCK = 4096


@dataclass(frozen=True)
class Tried:
    """A load with `free_bytes` left on the disk `full` ('store' or 'unpacking'), and the next one.

    `current`: the current snapshot's id afterwards and its rows. `files`: all files of the store
    but those of the snapshots that were there before.
    """

    full: str
    free_bytes: int
    exit_code: int
    said: str
    current: tuple[str, int]
    files: list[str]
    next_exit_code: int
    next_current: tuple[str, int]
    next_files: list[str]


def loaded(store: Path, export: Path, mapping: str, temporary: Path) -> tuple[int, str]:
    """The exit code of a load, and what it said to the operator."""
    command = [sys.executable, "-m", "etl", "load", str(export), "--mapping", mapping]
    done = subprocess.run(
        [*command, "--warehouse", str(store)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    return done.returncode, done.stderr.strip()


def current(store: Path) -> tuple[str, int]:
    """The current snapshot and the rows that went into it, read anew."""
    [snapshot_id] = current_ids(store).values()
    path = store / "snapshots" / snapshot_id / "results.duckdb"
    with duckdb.connect(str(path), read_only=True) as con:
        [(rows,)] = con.execute("select rows_in from load").fetchall()
    return snapshot_id, rows


def files_of(store: Path, but: frozenset[str] = frozenset()) -> list[str]:
    """The files in a store."""
    found = {str(path.relative_to(store)) for path in store.rglob("*") if path.is_file()}
    return sorted(found - but)


def fill(disk: Path, free_bytes: int) -> Path:
    """A file that leaves so much free on the disk."""
    ballast = disk / "ballast"
    blocks = shutil.disk_usage(disk).free // BLOCK - free_bytes // BLOCK
    with ballast.open("wb") as file:
        for _ in range(blocks):
            file.write(bytes(BLOCK))
    return ballast


@dataclass(frozen=True)
class Bench:
    """The disk, the store to begin from, and what is loaded."""

    disk: Path
    base: Path
    export: Path
    mapping: str

    def tried(self, full: str, free_bytes: int) -> Tried:
        """A load with so much free, and one more when there is room again."""
        store = (self.disk if full == "store" else self.base.parent) / "store"
        temporary = self.disk / "temporary" if full == "unpacking" else self.base.parent
        shutil.copytree(self.base, store)
        temporary.mkdir(exist_ok=True)
        before = frozenset(files_of(self.base))
        ballast = fill(self.disk, free_bytes)
        exit_code, said = loaded(store, self.export, self.mapping, temporary)
        after, files = current(store), files_of(store, before)
        files += [path.name for path in self.disk.glob("temporary/*")]
        ballast.unlink()
        next_exit_code, _ = loaded(store, self.export, self.mapping, temporary)
        then = (next_exit_code, current(store), files_of(store, before))
        shutil.rmtree(store)
        return Tried(full, free_bytes, exit_code, said, after, files, *then)

    def needed(self, full: str) -> int:
        """What a load takes of the disk in the end."""
        if full == "unpacking":
            return self.export.stat().st_size * 8
        store = self.disk / "needed"
        shutil.copytree(self.base, store)
        free = shutil.disk_usage(self.disk).free
        exit_code, said = loaded(store, self.export, self.mapping, self.base.parent)
        if exit_code:
            raise SystemExit(f"no load on an empty disk: {said}")
        used = free - shutil.disk_usage(self.disk).free
        shutil.rmtree(store)
        return used


def main(disk: str, base: str, export: str, mapping: str) -> None:
    """Try every size and print what happened."""
    bench = Bench(Path(disk), Path(base), Path(export), mapping)
    for full, shares in (("store", SHARES), ("unpacking", SHARES[::4])):
        needed = bench.needed(full)
        for share in shares:
            print(json.dumps(asdict(bench.tried(full, needed * share // 100))), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
