"""The numbers from R that the oracle tests compare with, and how close is equal."""

import json
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def r_file(name: str) -> dict:
    """What `name`.R wrote to `name`.json. A missing file says which command makes it."""
    path = HERE / f"{name}.json"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; make it with: Rscript tests/oracle/{name}.R")
    return json.loads(path.read_text())


def r_results(part: str = "results") -> dict:
    """Results of survival.R by name."""
    return r_file("survival")[part]


def cases() -> dict:
    """The made and published cases that R and the tests both read."""
    return json.loads((HERE / "cases.json").read_text())


def same(ours: float | None, r: float | None, relative: float, what: str) -> None:
    """Equal within a relative tolerance; what R cannot give must be None here too."""
    if r is None or ours is None:
        assert ours is None and r is None, f"{what}: {ours} here, {r} in R"
        return
    assert ours == pytest.approx(r, rel=relative, abs=relative * 1e-3), what
