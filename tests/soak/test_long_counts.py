"""The long counts of `make soak`; each prints one summary line."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from analysis.stats.logrank import log_rank
from analysis.stats.restricted_mean import restricted_mean
from analysis.stats.survival import kaplan_meier, survival_at
from tests.faults.test_store import readable_rows, start_load, variant
from tests.property.test_survival_properties import (
    counts_of,
    naive_log_rank,
    naive_mean,
    naive_survival,
)
from warehouse.store import current_ids

pytestmark = pytest.mark.soak
N_DATA_SETS = 2000
N_KILLS = 100


def test_random_data_sets_against_the_naive_second_implementation() -> None:
    rng = np.random.default_rng(20161122)
    worst = 0.0
    for _ in range(N_DATA_SETS):
        one, other = (
            [
                (int(t), int(e))
                for t, e in zip(rng.integers(0, 60, n), rng.integers(0, 2, n), strict=True)
            ]
            for n in rng.integers(1, 120, 2)
        )
        counts = counts_of(one)
        t = float(rng.integers(0, max(d for d, _ in one) + 1))
        found = survival_at(kaplan_meier(counts), t).estimate
        assert found is not None
        worst = max(worst, abs(found - naive_survival(one, t)))
        mean = restricted_mean(kaplan_meier(counts), 30).mean
        worst = max(worst, abs(mean - naive_mean(one, 30)) / 30)
        ours, naive = log_rank((counts, counts_of(other))).chi_square, naive_log_rank(one, other)
        if ours is not None and naive is not None:
            worst = max(worst, abs(ours - naive) / (1 + naive))
    print(f"\nsoak: {N_DATA_SETS} random data sets, S(t), RMST, log-rank: worst {worst:.1e}")
    assert worst < 1e-9


def test_a_load_killed_a_hundred_times(tmp_path: Path) -> None:
    store = tmp_path / "store"
    assert start_load(store, "colon").wait(120) == 0
    begin = time.monotonic()
    assert start_load(store, "colon", variant(tmp_path, 1)).wait(120) == 0
    duration = time.monotonic() - begin
    rng = np.random.default_rng(7)
    killed = finished = 0
    for step in range(N_KILLS):
        process = start_load(store, "colon", variant(tmp_path, 2 + step))
        time.sleep(float(rng.uniform(0.2, 1.1)) * duration)
        os.killpg(process.pid, signal.SIGKILL)
        died = process.wait() != 0
        killed, finished = killed + died, finished + (not died)
        assert readable_rows(store)["colon"] > 1600
    assert start_load(store, "colon").wait(120) == 0
    assert sorted(p.name for p in store.iterdir()) == ["current", "snapshots"]
    print(
        f"\nsoak: {killed} loads killed, {finished} faster than the kill; all snapshots readable:"
        f" {current_ids(store)}"
    )
