"""The store: immutable snapshots side by side, and one pointer a study to the current one.

    store/snapshots/<id>/results.duckdb, records.duckdb
    store/current/<study>               the id of the study's current snapshot
    store/building-<random>/            a load at work; its lock says whether it still lives
    store/current/.lock                 held for a moment by who begins a load or sets a pointer

A snapshot is built in a folder of its own and gets its place by one rename; the pointer is
replaced by one rename. So a reader sees a whole snapshot or none, two loads cannot disturb each
other, and a killed load leaves nothing but a folder that the next load sweeps away. A file name is
never reused: DuckDB goes on reading the old file in a process that has it open.
"""

import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

DEFAULT_STORE = Path(__file__).parent / "store"
ENVIRONMENT = "RELAPSE_BOARD_STORE"
SNAPSHOT_ID = re.compile(r"(undated|\d{4}(-\d{2}-\d{2})?)\.[0-9a-f]{12}")
UNDATED = "undated"


def store_folder() -> Path:
    """Where snapshots lie: $RELAPSE_BOARD_STORE, else warehouse/store."""
    return Path(os.environ.get(ENVIRONMENT) or DEFAULT_STORE)


def snapshot_folder(store: Path, snapshot_id: str) -> Path:
    """Where a snapshot lies. Raises ValueError if the id is not one: it may come from a link."""
    if not SNAPSHOT_ID.fullmatch(snapshot_id):
        raise ValueError(snapshot_id)
    return store / "snapshots" / snapshot_id


def current_ids(store: Path) -> dict[str, str]:
    """The current snapshot of each study, by study code."""
    folder = store / "current"
    if not folder.is_dir():
        return {}
    pointers = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    return {p.name: p.read_text(encoding="ascii").strip() for p in pointers}


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _alone(store: Path) -> Iterator[None]:
    """Nobody else begins a load or sets a pointer meanwhile."""
    with open(store / "current" / ".lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_alive(folder: Path) -> bool:
    """Whether a load still holds the lock of its building folder."""
    try:
        with open(folder / "lock", "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def _sweep(store: Path) -> None:
    """Remove what killed loads left behind; nobody else may be beginning or pointing.

    That is: folders whose lock nobody holds or that have none any more (killed while removing
    them), folders not yet named, pointers not yet in their place.
    """
    for folder in store.glob("building-*"):
        if not _is_alive(folder):
            shutil.rmtree(folder, ignore_errors=True)
    for folder in store.glob(".building-*"):
        shutil.rmtree(folder, ignore_errors=True)
    for pointer in (store / "current").glob(".*-*"):
        pointer.unlink(missing_ok=True)


@contextmanager
def building(store: Path) -> Iterator[Path]:
    """A private folder to build a snapshot in, removed at the end if it was not published."""
    (store / "snapshots").mkdir(parents=True, exist_ok=True)
    (store / "current").mkdir(exist_ok=True)
    folder = store / f"building-{secrets.token_hex(8)}"
    # The lock exists and is held before the folder has the name that a sweep looks for.
    hidden = store / f".{folder.name}"
    with ExitStack() as held:
        with _alone(store):
            _sweep(store)
            hidden.mkdir()
            lock = held.enter_context(open(hidden / "lock", "wb"))
            fcntl.flock(lock, fcntl.LOCK_EX)
            os.rename(hidden, folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def publish(store: Path, built: Path, snapshot_id: str, study_code: str) -> bool:
    """Give a built snapshot its place and point its study to it.

    `built` holds the two database files. False if the same content is already there: then the
    snapshot stays as it is, and only the pointer is set.
    """
    place = snapshot_folder(store, snapshot_id)
    for path in built.iterdir():
        _sync(path)
    _sync(built)
    try:
        os.rename(built, place)
        is_new = True
    except OSError:
        if not place.is_dir():
            raise
        is_new = False
    _sync(place.parent)
    pointer = store / "current" / study_code
    if not is_new and current_ids(store).get(study_code) == snapshot_id:
        return False
    fresh = store / "current" / f".{study_code}-{secrets.token_hex(8)}"
    with _alone(store):
        try:
            fresh.write_text(snapshot_id + "\n", encoding="ascii")
            _sync(fresh)
            os.replace(fresh, pointer)
        finally:
            fresh.unlink(missing_ok=True)
    _sync(pointer.parent)
    return is_new
