"""The statistician's page is current, complete, and names tests and functions that are there."""

import ast
import importlib
from pathlib import Path

from analysis.stats.catalogue import page, statistics

ROOT = Path(__file__).parent.parent.parent
STATS = ROOT / "analysis" / "stats"
# What holds or shapes numbers for others: not a statistic of its own.
PLUMBING = {"catalogue", "estimate"}


def _functions(path: Path) -> set[str]:
    body = ast.parse(path.read_text("utf-8")).body
    return {x.name for x in body if isinstance(x, ast.FunctionDef)}


def test_the_page_is_current() -> None:
    assert (ROOT / "STATISTICS.md").read_text("utf-8") == page(), "run: make fix"


def test_every_function_that_is_named_is_there() -> None:
    for entry in statistics():
        for name in entry.functions:
            module, function = name.split(".")
            assert hasattr(importlib.import_module(f"analysis.stats.{module}"), function), name


def test_every_test_that_is_named_is_there() -> None:
    for entry in statistics():
        for test in entry.test.split(", "):
            path, name = test.split("::")
            assert name in _functions(ROOT / path), test


def test_every_module_of_the_room_is_on_the_page() -> None:
    named = {name.split(".")[0] for entry in statistics() for name in entry.functions}
    assert {p.stem for p in STATS.glob("*.py")} - PLUMBING - named == {"__init__"}
