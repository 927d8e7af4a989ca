"""Gray's test and the Fine-Gray model on thousands of random data sets; prints a summary line."""

import numpy as np
import pytest

from analysis.stats.fine_gray import fine_gray_fit
from analysis.stats.gray import gray_test
from tests.property.test_competing_properties import cohorts_of, naive_fine_gray, naive_gray

pytestmark = pytest.mark.soak
N_DATA_SETS = 600


def test_random_data_sets_against_the_naive_second_implementations() -> None:
    """Small cohorts, few days (many ties), three ways of leaving; now and then three cohorts."""
    rng = np.random.default_rng(19880999)
    worst, n_tests, n_fits = 0.0, 0, 0
    for _ in range(N_DATA_SETS):
        n, n_cohorts = rng.integers(6, 60), int(rng.integers(2, 4))
        columns = (rng.integers(0, k, n).tolist() for k in (n_cohorts, rng.integers(2, 25), 3))
        rows = list(zip(*columns, strict=True))
        cohorts = cohorts_of(rows, n_cohorts)
        found = gray_test(cohorts, 1)
        if found.chi_square is not None:
            scores, variance = naive_gray(rows, n_cohorts)
            naive = scores @ np.linalg.pinv(variance, rcond=1e-9) @ scores
            worst, n_tests = max(worst, abs(found.chi_square - naive) / (1 + naive)), n_tests + 1
        fit = fine_gray_fit(cohorts, 1)
        if n_cohorts == 2 and not isinstance(fit, str):
            score, information, squares = naive_fine_gray(rows, float(fit.coefficients[0]))
            apart = abs(fit.covariance[0, 0] / (squares / information**2) - 1) if squares else 0
            worst, n_fits = max(worst, apart, abs(score)), n_fits + 1
    print(f"\nsoak: {n_tests} Gray tests and {n_fits} Fine-Gray fits: worst {worst:.1e}")
    assert worst < 1e-7 and min(n_tests, n_fits) > N_DATA_SETS / 3
