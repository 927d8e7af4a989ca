"""How often the patient-clustered intervals hold the truth: children differ, 2 to 6 courses each.

Sixty children; a child's own rate is the cohort's times a gamma factor (variance: how much they
differ), its own share a beta draw. Prints a summary line for each kind of number.
"""

from collections.abc import Callable

import numpy as np
import pytest

from analysis.stats.estimate import Estimate, Z
from analysis.stats.toxicity import (
    PerPatient,
    mean_burden,
    rate,
    rate_difference,
    rate_ratio,
    share_difference,
    share_of_courses,
)

pytestmark = pytest.mark.soak
N_SETS, N_CHILDREN = 3000, 60
ACCEPTED = 0.934, 0.965

Draw = Callable[[np.random.Generator], PerPatient]


def counted(mean: float, variance: float) -> Draw:
    """Events in the courses: Poisson with the child's own rate."""

    def draw(rng: np.random.Generator) -> PerPatient:
        courses = rng.integers(2, 7, N_CHILDREN).astype(float)
        own = rng.gamma(1 / variance, variance, N_CHILDREN)
        return PerPatient(rng.poisson(mean * own * courses).astype(float), courses)

    return draw


def shared(mean: float, correlation: float) -> Draw:
    """Courses with the event: binomial with the child's own share."""

    def draw(rng: np.random.Generator) -> PerPatient:
        courses = rng.integers(2, 7, N_CHILDREN)
        size = 1 / correlation - 1
        own = rng.beta(mean * size, (1 - mean) * size, N_CHILDREN)
        return PerPatient(rng.binomial(courses, own).astype(float), courses.astype(float))

    return draw


def holds(found: Estimate, truth: float) -> bool:
    """Within the limits; without an interval it does not."""
    if found.lower is None or found.upper is None:
        return False
    return found.lower <= truth <= found.upper


def plain(patients: PerPatient, truth: float) -> bool:
    """The sandwich as it comes: no small-sample factor, normal quantile."""
    y, m = patients.events, patients.exposure
    r = y.sum() / m.sum()
    half = Z * np.linalg.norm(y - r * m) / y.sum()
    return abs(np.log(r / truth)) <= half


def judged(name: str, covered: dict[str, float], beside: str = "") -> None:
    told = ", ".join(f"{key} {value:.1%}" for key, value in covered.items())
    print(f"\nsoak: {name}, {N_SETS} sets of {N_CHILDREN} children: {told}{beside}")
    low, high = ACCEPTED
    assert all(low <= value <= high for value in covered.values()), name


def test_rates_per_course() -> None:
    rng, covered, as_it_comes = np.random.default_rng(17), {}, []
    for mean, variance in ((0.2, 0.5), (0.2, 1.0), (1.0, 0.5), (1.0, 1.0), (1.0, 2.0)):
        sets = [counted(mean, variance)(rng) for _ in range(N_SETS)]
        name = f"{mean:g} a course, variance {variance:g}"
        covered[name] = float(np.mean([holds(rate(s), mean) for s in sets]))
        as_it_comes.append(float(np.mean([plain(s, mean) for s in sets])))
    judged("rates", covered, f" (plain sandwich {min(as_it_comes):.1%} to {max(as_it_comes):.1%})")


def test_shares_of_courses() -> None:
    rng, covered = np.random.default_rng(18), {}
    for mean, correlation in ((0.1, 0.2), (0.3, 0.2), (0.3, 0.4), (0.6, 0.3)):
        draw = shared(mean, correlation)
        found = [holds(share_of_courses(draw(rng)), mean) for _ in range(N_SETS)]
        covered[f"{mean:g}, correlation {correlation:g}"] = float(np.mean(found))
    judged("shares of courses", covered)


def test_comparisons() -> None:
    rng = np.random.default_rng(19)
    pairs = [(counted(0.4, 1.0)(rng), counted(0.25, 1.0)(rng)) for _ in range(N_SETS)]
    shares = [(shared(0.4, 0.3)(rng), shared(0.25, 0.3)(rng)) for _ in range(N_SETS)]
    covered = {
        "rate ratio": np.mean([holds(rate_ratio(*pair), 0.25 / 0.4) for pair in pairs]),
        "rate difference": np.mean([holds(rate_difference(*pair), -0.15) for pair in pairs]),
        "share difference": np.mean([holds(share_difference(*pair), -0.15) for pair in shares]),
    }
    judged("comparisons", {key: float(value) for key, value in covered.items()})


def test_mean_burden() -> None:
    """A child's events have a grade of 1 to 4 and last ten days each: burdens are skewed."""
    rng = np.random.default_rng(20)
    covered, as_it_comes = {}, []
    for mean in (0.5, 2.0):
        burdens = np.zeros((N_SETS, N_CHILDREN))
        events = rng.poisson(mean * rng.gamma(2, 0.5, burdens.shape))
        for k in range(events.max()):
            grade_days = rng.integers(1, 5, burdens.shape) * rng.poisson(10, burdens.shape)
            burdens += (events > k) * grade_days
        truth = mean * 2.5 * 10
        found = [holds(mean_burden(row), truth) for row in burdens]
        covered[f"{mean:g} events a child"] = float(np.mean(found))
        half = Z * burdens.std(axis=1, ddof=1) / np.sqrt(N_CHILDREN)
        as_it_comes.append(float(np.mean(abs(burdens.mean(axis=1) - truth) <= half)))
    normal = ", ".join(f"{x:.1%}" for x in as_it_comes)
    judged("mean burden", covered, f" (normal interval {normal})")
