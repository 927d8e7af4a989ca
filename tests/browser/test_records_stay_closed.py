"""A viewer's pages never open the records of a snapshot; a clinician's data page does."""

import contextlib
import ctypes
import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Server
from tests.browser.screen import open_view
from tests.conftest import Demo


def _opened_records(process: int) -> list[str]:
    """The records files that a process has open, from its file handles."""
    folder = Path(f"/proc/{process}/fd")
    targets = []
    for handle in folder.iterdir():
        try:
            targets.append(os.readlink(handle))
        except FileNotFoundError:
            continue
    return [t for t in targets if t.endswith("records.duckdb")]


class Opens:
    """Counts how often a file is opened while it watches, by the kernel's own account (inotify)."""

    OPEN, NON_BLOCKING = 0x20, os.O_NONBLOCK

    def __init__(self, path: Path) -> None:
        """Watch `path`."""
        self.path, self.count = path, 0

    def __enter__(self) -> "Opens":
        """Begin to watch."""
        libc = ctypes.CDLL(None, use_errno=True)
        self.handle = libc.inotify_init1(self.NON_BLOCKING)
        watched = libc.inotify_add_watch(self.handle, str(self.path).encode(), self.OPEN)
        assert self.handle >= 0 and watched >= 0, os.strerror(ctypes.get_errno())
        return self

    def __exit__(self, *_: object) -> None:
        """Count what happened, and stop."""
        with contextlib.suppress(BlockingIOError):
            while told := os.read(self.handle, 65536):
                self.count += len(told) // 16
        os.close(self.handle)


def test_the_watch_sees_an_open(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("x")
    with Opens(path) as opens:
        path.read_text()
    assert opens.count == 1


@pytest.mark.parametrize(
    ("role", "pages"),
    [
        ("viewer", ("overview", "response", "toxicity", "survival", "data")),
        ("clinician", ("response", "data")),
    ],
)
def test_a_viewers_page_never_opens_the_records(
    demo: Demo, browser: Browser, monkeypatch: pytest.MonkeyPatch, role: str, pages: tuple[str, ...]
) -> None:
    """Every page is visited while the kernel tells which files the server opens; for a clinician
    those that show who somebody is, or else a watch that sees nothing would pass too.
    """
    monkeypatch.setenv("RELAPSE_BOARD_ACCESS", role)
    records = demo.store / "snapshots" / demo.snapshot.snapshot_id / "records.duckdb"
    server = Server(demo.store)
    try:
        with browser.new_context() as context:
            page = context.new_page()
            with Opens(records) as opens:
                for name in pages:
                    url = f"{server.url}/{name}?data={demo.snapshot.snapshot_id}"
                    open_view(page, url)
                    assert _opened_records(server.process.pid) == []
            shows_rows = page.get_by_text("Every finding with its cell").count()
    finally:
        server.kill()
    assert (opens.count > 0, shows_rows > 0) == (role == "clinician",) * 2
