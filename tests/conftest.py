"""What several kinds of test share: the example exports, loaded once into a store of the tests."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from etl.demo import MAPPING, write_demo
from etl.load import load
from etl.mapping_file import read_mapping
from warehouse.query import Snapshot, open_snapshot

ROOT = Path(__file__).parent.parent
# The machines are noisy: how long an example takes says nothing.
settings.register_profile("noisy", deadline=None)
settings.load_profile("noisy")
EXAMPLES = ROOT / "etl" / "examples"


@pytest.fixture(scope="session", autouse=True)
def _own_secret(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test touches the key file or the store of the user."""
    folder = tmp_path_factory.mktemp("operator")
    os.environ["RELAPSE_BOARD_KEY_FILE"] = str(folder / "identity.key")
    os.environ["RELAPSE_BOARD_STORE"] = str(folder / "no-store")


@dataclass(frozen=True)
class Loaded:
    """A store with the example exports, and the snapshot of each study."""

    store: Path
    snapshots: dict[str, Snapshot]


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """The example exports, loaded. Nothing may be loaded into this store: make one's own."""
    store = tmp_path_factory.mktemp("store")
    snapshots = {}
    for name in ("colon", "myeloid"):
        report = load(EXAMPLES / f"{name}.csv", read_mapping(name), store)
        snapshots[name] = open_snapshot(store, report.snapshot_id)
    return Loaded(store, snapshots)


@dataclass(frozen=True)
class Demo:
    """The synthetic demo export as `make run` makes it, and its snapshot."""

    folder: Path
    store: Path
    snapshot: Snapshot


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The default demo, written and loaded once."""
    folder, store = tmp_path_factory.mktemp("demo"), tmp_path_factory.mktemp("demo-store")
    write_demo(folder)
    report = load(folder, read_mapping(MAPPING), store)
    return Demo(folder, store, open_snapshot(store, report.snapshot_id))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Files stay together on one worker, and all browser tests do: one server and one browser."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "browser" if "/browser/" in nodeid else nodeid.split("::", 1)[0]

    return ByFile(config, log)
