"""Cox regression on thousands of random data sets; each test prints a summary line."""

import numpy as np
import pytest

from analysis.stats.cox import CoxFit, cox_fit
from analysis.stats.estimate import Z
from analysis.stats.firth import FirthFit, firth_fit
from analysis.stats.forest import interaction
from analysis.stats.proportionality import proportionality
from tests.property.test_cox_properties import (
    Patients,
    cohorts_of,
    frame_of,
    naive_information,
    naive_score,
)

pytestmark = pytest.mark.soak
N_DATA_SETS = 1500
N_TRIALS = 1500


def _random(rng: np.random.Generator, n_cohorts: int) -> Patients:
    """Few days, so many ties, some of them on day 0."""
    n, last = int(rng.integers(3 * n_cohorts, 60)), int(rng.integers(2, 30))
    columns = (rng.integers(0, k, n).tolist() for k in (last, 2, n_cohorts))
    return list(zip(*columns, strict=True))


def test_random_data_sets_against_the_naive_second_implementation() -> None:
    rng = np.random.default_rng(19770557)
    worst, n_fits = 0.0, 0
    for _ in range(N_DATA_SETS):
        k = int(rng.integers(2, 5))
        strata = [_random(rng, k) for _ in range(int(rng.integers(1, 4)))]
        fit = cox_fit(*(cohorts_of(s, k) for s in strata))
        if isinstance(fit, CoxFit):
            beta = fit.coefficients.tolist()
            score = sum(naive_score(s, beta) for s in strata)
            information = sum(naive_information(s, beta) for s in strata)
            apart = information @ fit.covariance - np.eye(k - 1)
            worst = max(worst, float(np.abs(score).max()), float(np.abs(apart).max()))
            n_fits += 1
    print(f"\nsoak: {n_fits} Cox fits of {N_DATA_SETS} random data sets: worst {worst:.1e}")
    assert worst < 1e-6 and n_fits > N_DATA_SETS / 2


def _trial(rng: np.random.Generator, n: int, log_ratio: float) -> Patients:
    """Two cohorts of n, exponential times, followed for 400 to 1,600 days."""
    cohort = np.repeat([0, 1], n)
    time = np.ceil(rng.exponential(1000 * np.exp(-log_ratio * cohort)))
    seen = np.ceil(rng.uniform(400, 1600, 2 * n))
    columns = np.minimum(time, seen).astype(int), (time <= seen).astype(int), cohort
    return list(zip(*(c.tolist() for c in columns), strict=True))


def test_coverage_of_the_penalized_interval_in_small_trials() -> None:
    """12 children in each cohort, and few events in the other one."""
    rng = np.random.default_rng(20010114)
    truth, profile, wald, n_without = -1.2, 0, 0, 0
    for _ in range(N_TRIALS):
        cohorts = cohorts_of(_trial(rng, 12, truth), 2)
        n_without += isinstance(cox_fit(cohorts), str)
        fit = firth_fit(cohorts)
        assert isinstance(fit, FirthFit)
        profile += fit.lower[0] <= truth <= fit.upper[0]
        wald += abs(fit.coefficients[0] - truth) <= Z * fit.standard_errors[0]
    covered = profile / N_TRIALS
    print(
        f"\nsoak: Firth's profile interval holds the truth in {covered:.1%} of {N_TRIALS} trials"
        f" (Wald's in {wald / N_TRIALS:.1%}); {n_without} had no Cox fit"
    )
    assert 0.925 <= covered <= 0.975


def test_false_alarms_of_proportionality_and_interaction() -> None:
    """Under proportional hazards, the same in both levels: at most 7 % below 0.05."""
    rng = np.random.default_rng(19940081)
    changing = differing = 0
    for _ in range(N_TRIALS):
        levels = {key: _trial(rng, 40, -0.4) for key in ("a", "b")}
        strata = [cohorts_of(patients, 2) for patients in levels.values()]
        changing += (proportionality(*strata).overall.p_value or 1.0) < 0.05
        differing += (interaction(frame_of(levels), 0, 1).p_value or 1.0) < 0.05
    shares = changing / N_TRIALS, differing / N_TRIALS
    print(
        f"\nsoak: of {N_TRIALS} trials with one constant hazard ratio {shares[0]:.1%} are called"
        f" not proportional, {shares[1]:.1%} different between two levels"
    )
    assert max(shares) <= 0.07
