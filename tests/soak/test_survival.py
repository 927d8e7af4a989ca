"""Long counts of the survival statistics: late entry, weights and strata; the size of MaxCombo."""

import numpy as np
import pytest

from analysis.stats.counts import DayCounts
from analysis.stats.logrank import FlemingHarrington, max_combo, stratified_log_rank
from analysis.stats.survival import kaplan_meier, survival_at
from tests.property.test_survival_properties import (
    Late,
    late_counts,
    naive_late_survival,
    naive_test,
)

pytestmark = pytest.mark.soak
N_DATA_SETS = 500
N_TRIALS = 2000
WEIGHTS = [FlemingHarrington(rho, gamma) for rho, gamma in ((0, 0), (1, 0), (0, 1), (0.5, 2))]


def _patients(rng: np.random.Generator) -> Late:
    n = int(rng.integers(1, 60))
    entry = rng.integers(0, 25, n) * rng.integers(0, 2, n)
    return list(
        zip(
            entry.tolist(),
            rng.integers(0, 60, n).tolist(),
            rng.integers(0, 2, n).tolist(),
            strict=True,
        )
    )


def test_late_entry_weights_and_strata_against_the_naive_second_implementation() -> None:
    rng = np.random.default_rng(20161122)
    worst = 0.0
    for step in range(N_DATA_SETS):
        a, b, c, d = (_patients(rng) for _ in range(4))
        strata = ((late_counts(a), late_counts(b)), (late_counts(c), late_counts(d)))
        weight = WEIGHTS[step % len(WEIGHTS)]
        ours = stratified_log_rank(strata, weight).chi_square
        naive = naive_test([(a, b), (c, d)], weight)
        assert (ours is None) == (naive is None)
        if ours is not None and naive is not None:
            worst = max(worst, abs(ours - naive) / (1 + naive))
        t = float(rng.integers(0, 60))
        found = survival_at(kaplan_meier(strata[0][0]), t).estimate
        if found is not None:
            worst = max(worst, abs(found - naive_late_survival(a, t)))
    print(f"\nsoak: {N_DATA_SETS} late-entry data sets, S(t), tests: worst {worst:.1e}")
    assert worst < 1e-9


def _trial(rng: np.random.Generator) -> tuple[DayCounts, DayCounts]:
    """Two cohorts of 90 with one hazard; censoring from 1 to 5 years."""
    cohorts = []
    for _ in range(2):
        event = np.ceil(rng.exponential(1000, 90))
        seen = np.minimum(event, np.ceil(rng.uniform(365, 1826, 90)))
        day, place = np.unique(seen, return_inverse=True)
        events = np.bincount(place, event == seen).astype(np.int64)
        cohorts.append(DayCounts(day, events, np.bincount(place) - events))
    return cohorts[0], cohorts[1]


def test_max_combo_rejects_as_often_as_it_says() -> None:
    rng = np.random.default_rng(20161123)
    p = [max_combo(_trial(rng)).p_value or 0.0 for _ in range(N_TRIALS)]
    share = float(np.mean(np.array(p) < 0.05))
    print(f"\nsoak: MaxCombo under equal hazards: p < 0.05 in {share:.1%} of {N_TRIALS} trials")
    assert 0.038 < share < 0.065
