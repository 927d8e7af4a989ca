"""The long counts of `make soak`; each prints one summary line."""

import numpy as np
import pytest

from analysis.stats.logrank import log_rank
from analysis.stats.restricted_mean import restricted_mean
from analysis.stats.survival import kaplan_meier, survival_at
from tests.property.test_survival_properties import (
    counts_of,
    naive_log_rank,
    naive_mean,
    naive_survival,
)

pytestmark = pytest.mark.soak
N_DATA_SETS = 2000


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
