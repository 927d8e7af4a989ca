"""A real server and a real browser."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from etl.demo import write_demo
from etl.load import load
from etl.mapping_file import read_mapping
from tests.conftest import EXAMPLES, ROOT, Demo

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


class Server:
    """The dashboard as `make run` serves it, on a port and a store of its own."""

    def __init__(self, store: Path) -> None:
        """Start it."""
        self.store = store
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the process and wait until it answers."""
        command = [sys.executable, "-m", "streamlit", "run", "app.py"]
        self.process = subprocess.Popen(
            [*command, "--server.port", str(self.port)],
            cwd=ROOT,
            env={**os.environ, "RELAPSE_BOARD_STORE": str(self.store)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2):
                    return
            except OSError:
                time.sleep(0.2)
        raise TimeoutError("the server did not start")

    def kill(self) -> None:
        """End it the hard way."""
        self.process.kill()
        self.process.wait()


def load_examples(store: Path, demo: Path | None = None) -> dict[str, str]:
    """The snapshot id of each example and of the synthetic demo, loaded into a store."""
    ids = {
        name: load(EXAMPLES / f"{name}.csv", read_mapping(name), store).snapshot_id
        for name in ("colon", "myeloid")
    }
    with tempfile.TemporaryDirectory() as folder:
        if demo is None:
            demo = write_demo(Path(folder) / "demo").folder
        ids["allrez"] = load(demo, read_mapping("allrez"), store).snapshot_id
    return ids


@pytest.fixture(scope="session")
def served(
    tmp_path_factory: pytest.TempPathFactory, demo: Demo
) -> Iterator[tuple[Server, dict[str, str]]]:
    """A server over the examples, and their snapshot ids."""
    store = tmp_path_factory.mktemp("served")
    snapshots = load_examples(store, demo.folder)
    server = Server(store)
    yield server, snapshots
    server.kill()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium: the one `make test` found."""
    found = ROOT / ".venv" / "chromium"
    path = os.environ.get("CHROMIUM") or (found.read_text().strip() if found.is_file() else "")
    if not path:
        pytest.fail("no Chromium is known: run make test, or set CHROMIUM to its path")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()
