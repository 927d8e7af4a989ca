"""The long counts of `make soak`: coverage by enumeration, and naive second implementations."""

from math import comb

import numpy as np
import pytest

from analysis.stats.contingency import fisher_exact
from analysis.stats.estimate import Estimate
from analysis.stats.fragility import survival_fragility
from analysis.stats.proportion import (
    exact_odds_ratio,
    koopman_ratio,
    miettinen_nurminen_difference,
    newcombe_difference,
)
from analysis.stats.survival import kaplan_meier, survival_at
from tests.property.test_fragility_properties import (
    MILESTONE,
    Patients,
    counts_of,
    smallest_number,
)
from tests.property.test_proportion_properties import naive_fisher

pytestmark = pytest.mark.soak
N, N_REFERENCE = 45, 30
PROBABILITIES = np.linspace(0.05, 0.95, 37)


def _limits(statistic) -> np.ndarray:
    """Lower and upper limit for every pair of numerators: (N + 1, N_REFERENCE + 1, 2)."""

    def of(found: Estimate) -> tuple[float, float]:
        lower = -np.inf if found.lower is None else found.lower
        return (lower, np.inf if found.upper is None else found.upper)

    cells = [
        [of(statistic(x, N, x0, N_REFERENCE)) for x0 in range(N_REFERENCE + 1)]
        for x in range(N + 1)
    ]
    return np.array(cells)


def _binomial(n: int, p: float) -> np.ndarray:
    return np.array([comb(n, x) * p**x * (1 - p) ** (n - x) for x in range(n + 1)])


@pytest.mark.parametrize(
    ("statistic", "truth", "mean", "least"),
    [
        (newcombe_difference, lambda p, q: p - q, (0.945, 0.965), 0.93),
        (miettinen_nurminen_difference, lambda p, q: p - q, (0.945, 0.965), 0.93),
        (koopman_ratio, lambda p, q: p / q, (0.945, 0.965), 0.93),
        (exact_odds_ratio, lambda p, q: p * (1 - q) / ((1 - p) * q), (0.95, 0.99), 0.95),
    ],
)
def test_the_coverage_by_enumeration(statistic, truth, mean, least) -> None:
    limits = _limits(statistic)
    coverage = []
    for p in PROBABILITIES:
        for q in PROBABILITIES:
            inside = (limits[..., 0] <= truth(p, q)) & (truth(p, q) <= limits[..., 1])
            coverage.append(_binomial(N, p) @ inside @ _binomial(N_REFERENCE, q))
    found = float(np.mean(coverage)), float(np.min(coverage))
    print(
        f"\nsoak: {statistic.__name__} at {N} against {N_REFERENCE}, {len(coverage)} pairs of"
        f" probabilities: coverage {found[0]:.4f} on average, {found[1]:.4f} at least"
    )
    assert mean[0] <= found[0] <= mean[1] and found[1] >= least


def _cohort(rng: np.random.Generator, n: int) -> Patients:
    share = rng.choice([0.2, 0.5, 0.8])
    return [(int(d), int(rng.random() < share)) for d in rng.integers(0, 10, n)]


def test_fragility_against_every_change_of_rows() -> None:
    rng = np.random.default_rng(20161123)
    n_numbers, n_sets = 0, 400
    for _ in range(n_sets):
        many, some = _cohort(rng, int(rng.integers(10, 40))), _cohort(rng, int(rng.integers(3, 9)))
        in_reference = bool(rng.random() < 0.5)
        pair = (some, many) if in_reference else (many, some)
        cohorts = counts_of(pair[0]), counts_of(pair[1])
        found = survival_fragility(cohorts, MILESTONE, in_reference)
        if found.before.lower is None:
            continue
        fixed = survival_at(kaplan_meier(counts_of(many)), MILESTONE)
        assert found.n_changes == smallest_number(fixed, some, in_reference)
        n_numbers += found.n_changes is not None
    print(
        f"\nsoak: {n_sets} pairs of cohorts, {n_numbers} with a smallest number of children: equal"
    )
    assert n_numbers > n_sets / 4


def test_fisher_against_all_tables_in_whole_numbers() -> None:
    rng = np.random.default_rng(7)
    worst, n_tables = 0.0, 600
    for _ in range(n_tables):
        k = int(rng.integers(2, 6))
        rows = rng.multinomial(int(rng.integers(3, 22)), rng.dirichlet(np.ones(k)), 2).tolist()
        found, naive = fisher_exact(rows).p_value, float(naive_fisher((rows[0], rows[1])))
        assert found is not None
        worst = max(worst, abs(found / naive - 1))
    print(f"\nsoak: {n_tables} tables, Fisher's p: worst relative difference {worst:.1e}")
    assert worst < 1e-10
