"""make bench: from the warehouse file, against lifelines and R on raw rows; a load; a click.

A survival comparison is curves with intervals, at-risk table, milestones, log-rank, hazard ratio
and restricted means of two cohorts. Every size is built, measured and compared with its peers in
processes of its own, so that peak memory is that of the measured work. The machine is noisy:
medians of warm rounds, and ratios count. The numbers of all three are compared as well.
"""

import argparse
import functools
import json
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tests.bench import loads
from tests.bench.printed import Column, figures, process, step, titles

SIZES = (300, 10_000, 1_000_000, 10_000_000)
DEMO = "demo"
CLICKS = (DEMO, "1000000")
ROUNDS = 15
# A comparison by R at ten million takes a minute and more, by lifelines several.
MOST_LIFELINES = 1_000_000
TOLERANCE = 1e-4
NO_R = "Rscript is not there: apt-get install r-base-core r-cran-survival r-cran-jsonlite"


def _seconds(run: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median of warm rounds, for at most about five seconds."""
    run()
    found: list[float] = []
    while len(found) < rounds and sum(found) < 5:
        begin = time.perf_counter()
        run()
        found.append(time.perf_counter() - begin)
    return statistics.median(found)


def build(n: int, folder: Path) -> None:
    """Build the snapshot of a registry of n patients."""
    from tests.bench import registry
    from warehouse.build import build_snapshot

    of = registry.study()
    begin = time.perf_counter()
    frames = registry.frames(of, n)
    made = time.perf_counter() - begin
    name = build_snapshot(folder, of, frames, None).snapshot_id
    print(json.dumps({"snapshot": name, "seconds": time.perf_counter() - begin - made}))


def demo(_: str, folder: Path) -> None:
    """Load the demo into a store."""
    from etl.demo import MAPPING, write_demo
    from etl.identity import ENVIRONMENT
    from etl.load import load
    from etl.mapping_file import read_mapping

    with tempfile.TemporaryDirectory() as name:
        os.environ[ENVIRONMENT] = f"{name}/identity.key"
        export = write_demo(Path(name) / "demo").folder
        print(json.dumps({"snapshot": load(export, read_mapping(MAPPING), folder).snapshot_id}))


def rows(snapshot_id: str, folder: Path) -> None:
    """Write the raw rows of overall survival for the peers."""
    from analysis.link import default_view
    from analysis.outcomes import outcomes
    from warehouse.query import open_snapshot

    snapshot = open_snapshot(folder, snapshot_id)
    view = default_view("survival", snapshot_id, snapshot.study)
    parts = outcomes(snapshot, view.selection, snapshot.study.endpoint("os")).parts
    with (folder / "rows.csv").open("wb") as file:
        for arm, (_, part) in enumerate(sorted(parts.items())):
            told = part.filter(pl.col("state").is_not_null())
            row = np.repeat(np.arange(told.height), told["n"].to_numpy())
            raw = told.select(time="time_days", event="state", arm=pl.lit(arm))[row]
            raw.write_csv(file, include_header=arm == 0)


def measure(snapshot_id: str, folder: Path) -> None:
    """Times and numbers of this project, from the warehouse file, and peak memory."""
    from analysis.compose import page
    from analysis.forest import subgroups
    from analysis.link import default_view
    from analysis.response import response_lines
    from analysis.survival_results import survival_results
    from analysis.toxicity import items_of
    from warehouse.query import open_snapshot

    snapshot = open_snapshot(folder, snapshot_id)
    study = snapshot.study
    view = default_view("survival", snapshot_id, study)
    results = survival_results(snapshot, view)
    first = results.comparisons[0]
    found = {
        "survival_ms": _seconds(lambda: survival_results(snapshot, view)),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "hazard_ratio": first.hazard_ratio.estimate,
        "chi_square": results.log_rank.chi_square,
        "survival": first.difference_at(3).estimate,
        "rmst": first.rmst_difference.estimate,
    }
    codes = tuple(x.code for x in study.characteristics)
    forest = functools.partial(subgroups, snapshot, view.selection, "os", codes)
    assert forest().height == 25
    found["forest_ms"] = _seconds(forest)

    def toxicity() -> int:
        items = items_of(page("toxicity", snapshot, view))
        return len([line.cells for line in items.every_line()])

    def response() -> int:
        return len([m.line.cells for m in response_lines(page("response", snapshot, view))])

    if page("toxicity", snapshot, view).sizes and items_of(page("toxicity", snapshot, view)).events:
        found["toxicity_ms"] = _seconds(toxicity)
        found["toxicity_lines"] = toxicity()
        found["response_ms"] = _seconds(response)
    found["all_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found))


def lifelines(_: str, folder: Path) -> None:
    """The same comparison by lifelines on raw rows."""
    import pandas as pd
    from lifelines import CoxPHFitter, KaplanMeierFitter
    from lifelines.statistics import logrank_test
    from lifelines.utils import restricted_mean_survival_time

    warnings.simplefilter("ignore")
    frame = pd.read_csv(folder / "rows.csv")
    tau = 3 * 365.25

    def compare() -> dict:
        groups = [frame[frame.arm == arm] for arm in (0, 1)]
        curves = [KaplanMeierFitter().fit(g.time, g.event) for g in groups]
        one, other = groups
        test = logrank_test(one.time, other.time, one.event, other.event)
        fit = CoxPHFitter().fit(frame, "time", "event")
        at = [float(c.predict(tau)) for c in curves]
        means = [float(str(restricted_mean_survival_time(c, t=tau))) for c in curves]
        return {
            "hazard_ratio": float(fit.hazard_ratios_["arm"]),
            "chi_square": float(test.test_statistic),
            "survival": at[1] - at[0],
            "rmst": means[1] - means[0],
        }

    found = compare() if len(frame) < 100_000 else {}
    begin = time.perf_counter()
    found = compare()
    print(json.dumps({**found, "seconds": time.perf_counter() - begin}))


def _same(n: int, peer: str, ours: dict, theirs: dict) -> float:
    """The largest relative difference between the numbers of two programs."""
    names = ("hazard_ratio", "chi_square", "survival", "rmst")
    worst = max(abs(ours[x] / theirs[x] - 1) for x in names)
    assert worst < TOLERANCE, f"{peer} differs at n={n}: {ours} {theirs}"
    return worst


def _size(n: int, has_r: bool) -> dict:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        built = step("build", n, folder)
        found = {"n": n, "build_s": built["seconds"]}
        ours = step("measure", built["snapshot"], folder)
        found |= {key: value for key, value in ours.items() if key.endswith(("_ms", "_mb"))}
        step("rows", built["snapshot"], folder)
        if n <= MOST_LIFELINES:
            theirs = step("lifelines", built["snapshot"], folder)
            found["lifelines_ms"] = theirs["seconds"]
            found["differs_lifelines"] = _same(n, "lifelines", ours, theirs)
        if has_r:
            theirs = process("Rscript", "tests/bench/peer.R", str(folder / "rows.csv"))
            found["r_ms"] = theirs["seconds"]
            found["differs_r"] = _same(n, "R", ours, theirs)
        return found


COLUMNS: tuple[Column, ...] = (
    ("n", "patients", 10, "{:.0f}", 1),
    ("build_s", "build s", 8, "{:.1f}", 1),
    ("survival_ms", "survival ms", 12, "{:.1f}", 1e3),
    ("lifelines_ms", "lifelines ms", 13, "{:.0f}", 1e3),
    ("r_ms", "R ms", 8, "{:.0f}", 1e3),
    ("ratio_lifelines", "x lifel.", 9, "{:.0f}", 1),
    ("ratio_r", "x R", 7, "{:.0f}", 1),
    ("forest_ms", "forest ms", 10, "{:.1f}", 1e3),
    ("toxicity_ms", "toxicity ms", 12, "{:.1f}", 1e3),
    ("response_ms", "response ms", 12, "{:.1f}", 1e3),
    ("memory_mb", "peak MB", 8, "{:.0f}", 1),
    ("differs_lifelines", "off lifel.", 11, "{:.0e}", 1),
    ("differs_r", "off R", 7, "{:.0e}", 1),
)


STEPS: dict[str, Callable[[Any, Path], None]] = {
    "build": build,
    DEMO: demo,
    "rows": rows,
    "measure": measure,
    "lifelines": lifelines,
    "write": loads.write,
    "load": loads.load,
    "read": loads.read,
}


def _screens(sizes: Sequence[int]) -> None:
    """What a visitor waits for, of each size."""
    has_r = shutil.which("Rscript") is not None
    if not has_r:
        print(NO_R)
    print(titles(COLUMNS))
    for n in sizes:
        found = _size(n, has_r)
        for peer in ("lifelines", "r"):
            if f"{peer}_ms" in found:
                found[f"ratio_{peer}"] = found[f"{peer}_ms"] / found["survival_ms"]
        print(figures(found, COLUMNS), flush=True)


def _loads(sizes: Sequence[int]) -> None:
    """What a load takes, of each size."""
    print(titles(loads.COLUMNS))
    for n in sizes:
        print(figures(loads.loaded(n), loads.COLUMNS), flush=True)


def _clicks(asked: Sequence[str]) -> None:
    """What a reader waits for in the browser, of the demo or of a number of patients."""
    # Here, since no step that is measured is to carry the browser's driver in its memory.
    from tests.bench import clicks

    print(titles(clicks.COLUMNS))
    for what in asked:
        for found in clicks.clicked(what):
            print(figures(found, clicks.COLUMNS), flush=True)


def _clickable(what: str) -> str:
    if what != DEMO and not (what.isdecimal() and int(what)):
        raise argparse.ArgumentTypeError(f"'{what}' is neither '{DEMO}' nor a number of patients")
    return what


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("step", nargs="?", choices=STEPS)
    parser.add_argument("what", nargs="?")
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+")
    parser.add_argument("--loads", type=int, nargs="*", help="patients of the loads, or none")
    parser.add_argument(
        "--clicks", type=_clickable, nargs="+", help=f"'{DEMO}' or patients: clicks in a browser"
    )
    return parser


def main() -> int:
    """Print every table, or those asked for; sizes are loaded too unless --loads says otherwise."""
    asked = _parser().parse_args()
    if asked.step:
        what = int(asked.what) if asked.what.isdecimal() else asked.what
        STEPS[asked.step](what, asked.folder)
        return 0
    if asked.sizes is None and asked.loads is None and asked.clicks is None:
        asked.sizes, asked.loads, asked.clicks = SIZES, loads.LOADS, CLICKS
    if asked.loads is None:
        asked.loads = [n for n in asked.sizes or () if n <= loads.MOST_LOADED]
    if asked.sizes:
        _screens(asked.sizes)
    if asked.loads:
        _loads(asked.loads)
    if asked.clicks:
        _clicks(asked.clicks)
    return 0


if __name__ == "__main__":
    sys.exit(main())
