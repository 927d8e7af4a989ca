"""The statistician's page is current, complete, and names tests and functions that are there."""

import ast
import importlib
from pathlib import Path

from analysis.stats.catalogue import page, statistics

ROOT = Path(__file__).parent.parent.parent
STATS = ROOT / "analysis" / "stats"
# What holds or shapes numbers for others, and parts of a kernel: no statistic of their own.
PLUMBING = {"catalogue", "estimate"}
PARTS = {
    "competing.cause_sets", "contingency.cochran_q", "counts.risk_sets", "cox.climb",
    "cox.comparable", "cox.covariance", "cox.event_days", "cox.log_likelihood",
    "cox.missing_cohort", "cox.moments", "cox.ratio_estimate", "cox.tied_sums", "cox.wald_p",
    "cox_weighted.cox_maximum", "cox_weighted.cox_rows", "cox_weighted.hazard_ratio",
    "firth.penalized_likelihood", "limits.clopper_pearson", "limits.log_log_limits",
    "propensity.level_counts", "proportion.edge", "weighted_survival.weighted_cohort",
}  # fmt: skip


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


def test_every_public_function_of_the_room_is_on_the_page() -> None:
    named = {name for entry in statistics() for name in entry.functions}
    there = {
        f"{path.stem}.{name}"
        for path in STATS.glob("*.py")
        if path.stem not in PLUMBING
        for name in _functions(path)
        if not name.startswith("_")
    }
    assert there - named == PARTS
