"""Loads on a full disk: a whole snapshot, or code 2 and a sentence; the next load is clean.

The disk is a small file system in memory, mounted where only the process that fills it sees it
(`unshare`), so no mount stays behind. As root, or where users may make namespaces of their own.
"""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from etl.load import load
from etl.mapping_file import read_mapping
from tests.conftest import EXAMPLES, ROOT
from tests.faults.test_store import variant
from tests.soak.small_disk import Tried

pytestmark = pytest.mark.soak
STUDY = "colon"
DISK_MB = 48


def on_a_small_disk(folder: Path, *arguments: str) -> list[Tried]:
    """What `small_disk` tells of loads on a disk mounted at `folder`."""
    own = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    mount = f'mount -t tmpfs -o size={DISK_MB}m tmpfs "$0" && exec "$@"'
    program = [sys.executable, "-m", "tests.soak.small_disk", str(folder), *arguments]
    done = subprocess.run(
        ["unshare", *own, "--mount", "sh", "-c", mount, str(folder), *program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [tried(line) for line in done.stdout.splitlines()]


def tried(line: str) -> Tried:
    """A load as `small_disk` prints it."""
    told: dict[str, Any] = json.loads(line)
    for pair in ("current", "next_current"):
        told[pair] = tuple(told[pair])
    return Tried(**told)


def problem(one: Tried, before: tuple[str, int], after: tuple[str, int], files: list[str]) -> str:
    """What is wrong with a load on a full disk and the one after it; '' if nothing.

    A snapshot that is whole may be there without being the current one, as after a kill.
    """
    state = (one.exit_code, one.current, one.files)
    if state not in [(0, after, files), (2, before, []), (2, before, files)]:
        return f"code {one.exit_code}, current {one.current}, left {one.files}"
    if one.exit_code == 2 and not is_clear(one.said):
        return f"said {one.said[-300:]!r}"
    if (one.next_exit_code, one.next_current, one.next_files) != (0, after, files):
        return f"next: {one.next_exit_code}, {one.next_current}, {one.next_files}"
    return ""


def is_clear(said: str) -> bool:
    """One line for the operator, with the reason."""
    is_defect = "Traceback" in said or "defect" in said
    return "No space left on device" in said and "\n" not in said and not is_defect


def test_a_full_disk_publishes_a_whole_load_or_nothing(tmp_path: Path) -> None:
    base, disk, export = tmp_path / "base", tmp_path / "disk", tmp_path / "export.zip"
    disk.mkdir()
    first = load(EXAMPLES / f"{STUDY}.csv", read_mapping(STUDY), base)
    path = variant(tmp_path, 9)
    with zipfile.ZipFile(export, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, f"{STUDY}.csv")
    new = load(path, read_mapping(STUDY), tmp_path / "other")
    before = (first.snapshot_id, first.files[0].rows_in)
    after = (new.snapshot_id, new.files[0].rows_in)
    place = f"snapshots/{new.snapshot_id}"
    files = [f"{place}/records.duckdb", f"{place}/results.duckdb"]
    everything = on_a_small_disk(disk, str(base), str(export), STUDY)
    problems = [
        f"{one.full}, {one.free_bytes:,} bytes free: {said}"
        for one in everything
        if (said := problem(one, before, after, files))
    ]
    refused = sum(one.exit_code == 2 for one in everything)
    print(
        f"\nsoak: {len(everything)} loads on a full disk, {refused} ended with code 2, "
        f"{len(everything) - refused} published; {len(problems)} problems"
    )
    assert 0 < refused < len(everything)
    assert not problems, "\n".join(problems)
