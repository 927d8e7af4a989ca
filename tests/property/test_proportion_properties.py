"""What must hold for any counts: order, symmetry, and a naive second implementation."""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise, product
from math import comb, exp, log, prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.stats.contingency import (
    chi_square,
    difference_interaction,
    fisher_exact,
    mantel_haenszel_difference,
    mantel_haenszel_odds_ratio,
    mantel_haenszel_test,
    odds_interaction,
)
from analysis.stats.estimate import Estimate, Z
from analysis.stats.proportion import (
    Counts,
    agresti_coull,
    clopper_pearson,
    exact_odds_ratio,
    jeffreys,
    koopman_ratio,
    miettinen_nurminen_difference,
    newcombe_difference,
    wilson,
    woolf_odds_ratio,
)
from analysis.stats.shrinkage import shrunken

INTERVALS = (wilson, clopper_pearson, jeffreys, agresti_coull)
DIFFERENCES = (newcombe_difference, miettinen_nurminen_difference)
RATIOS = (koopman_ratio, exact_odds_ratio, woolf_odds_ratio)
Statistic = Callable[[int, int, int, int], Estimate]


def _pairs(most: int, least: int = 1) -> st.SearchStrategy[Counts]:
    def one(n: int) -> st.SearchStrategy[tuple[int, int]]:
        return st.tuples(st.integers(0, n), st.just(n))

    side = st.integers(least, most).flatmap(one)
    return st.tuples(side, side).map(lambda both: (*both[0], *both[1]))


PAIRS = _pairs(40)
STRATA = st.lists(_pairs(15, least=0), min_size=1, max_size=5)
ROWS = st.integers(2, 4).flatmap(
    lambda k: st.tuples(*[st.lists(st.integers(0, 5), min_size=k, max_size=k)] * 2)
)
FEW = settings(max_examples=15)


def _swapped(c: Counts) -> Counts:
    return c[2], c[3], c[0], c[1]


def _without(c: Counts) -> Counts:
    """The same patients, those outside the numerator counted."""
    return c[1] - c[0], c[1], c[3] - c[2], c[3]


@pytest.mark.parametrize("interval", INTERVALS)
@pytest.mark.parametrize("n", [1, 2, 5, 23])
def test_limits_rise_with_the_numerator_and_hold_the_proportion(interval, n: int) -> None:
    found = [interval(x, n) for x in range(n + 1)]
    assert (found[0].lower, found[-1].upper) == (0.0, 1.0)
    for x, one in enumerate(found):
        assert 0 <= one.lower <= one.estimate <= one.upper <= 1
        mirrored = found[n - x]
        assert one.lower == pytest.approx(1 - mirrored.upper, abs=1e-12)
    for one, following in pairwise(found):
        assert one.lower <= following.lower and one.upper <= following.upper


@pytest.mark.parametrize("statistic", (*DIFFERENCES, *RATIOS))
@pytest.mark.parametrize(("n", "n0"), [(1, 1), (4, 3), (6, 9)])
def test_limits_of_two_rise_with_the_numerator(statistic: Statistic, n: int, n0: int) -> None:
    for x0 in range(n0 + 1):
        found = [statistic(x, n, x0, n0) for x in range(n + 1)]
        for limits in ([e.lower for e in found], [e.upper for e in found]):
            known = [limit for limit in limits if limit is not None]
            assert all(a <= b + 1e-12 for a, b in pairwise(known))


@FEW
@given(PAIRS)
def test_swapping_cohorts_mirrors_the_interval(counts: Counts) -> None:
    for statistic in DIFFERENCES:
        one, other = statistic(*counts), statistic(*_swapped(counts))
        assert one.estimate is not None and one.lower is not None and one.upper is not None
        assert -1 <= one.lower <= one.estimate <= one.upper <= 1
        mirrored = other.estimate, other.lower, other.upper, other.p_value
        expected = -one.estimate, -one.upper, -one.lower, one.p_value
        assert mirrored == pytest.approx(expected, abs=1e-11)
    for statistic in RATIOS:
        one, other = statistic(*counts), statistic(*_swapped(counts))
        assert one.p_value == pytest.approx(other.p_value)
        for a, b in ((one.estimate, other.estimate), (one.lower, other.upper)):
            if a and b:
                assert a * b == pytest.approx(1, rel=1e-9)
            else:  # 0 is the mirror of what is not finite
                assert not a and not b


@FEW
@given(PAIRS)
def test_counting_those_without_mirrors_the_difference_and_the_odds(counts: Counts) -> None:
    for statistic in DIFFERENCES:
        one, other = statistic(*counts), statistic(*_without(counts))
        assert one.lower is not None and other.upper is not None
        assert one.lower == pytest.approx(-other.upper, abs=1e-11)
    one, other = exact_odds_ratio(*counts), exact_odds_ratio(*_without(counts))
    if one.lower and other.upper:
        assert one.lower * other.upper == pytest.approx(1, rel=1e-9)


@FEW
@given(PAIRS)
def test_a_score_interval_and_its_test_never_disagree(counts: Counts) -> None:
    for statistic, nothing in ((miettinen_nurminen_difference, 0), (koopman_ratio, 1)):
        found = statistic(*counts)
        if found.lower is None or found.p_value is None:
            assert counts[0] == counts[2] == 0
            continue
        outside = found.lower > nothing or (found.upper is not None and found.upper < nothing)
        assert outside == (found.p_value < 0.05)


def _naive_likeliest(d: float, counts: Counts) -> float:
    """The reference's probability by ternary search along the log likelihood."""
    x, n, x0, n0 = counts

    def value(q0: float) -> float:
        cells = (x, q0 + d), (n - x, 1 - q0 - d), (x0, q0), (n0 - x0, 1 - q0)
        return sum(k * log(max(q, 1e-300)) for k, q in cells if k)

    low, high = max(0.0, -d), min(1.0, 1 - d)
    for _ in range(100):
        a, b = low + (high - low) / 3, high - (high - low) / 3
        low, high = (a, high) if value(a) < value(b) else (low, b)
    return (low + high) / 2


@settings(max_examples=15)
@given(_pairs(12))
def test_the_limits_of_the_difference_lie_on_the_edge_of_the_naive_test(counts: Counts) -> None:
    x, n, x0, n0 = counts
    found = miettinen_nurminen_difference(*counts)
    assert found.lower is not None and found.upper is not None
    for d in (found.lower, found.upper):
        if abs(d) > 1 - 1e-9:
            assert x / n - x0 / n0 == pytest.approx(d)
            continue
        q0 = _naive_likeliest(d, counts)
        q = q0 + d
        variance = (q * (1 - q) / n + q0 * (1 - q0) / n0) * (n + n0) / (n + n0 - 1)
        assert (x / n - x0 / n0 - d) ** 2 == pytest.approx(Z * Z * variance, rel=1e-4)


@FEW
@given(_pairs(12))
def test_the_exact_odds_ratio_leaves_its_tails(counts: Counts) -> None:
    x, n, x0, n0 = counts
    found, possible = exact_odds_ratio(*counts), range(max(0, x + x0 - n0), min(n, x + x0) + 1)

    def expected(ratio: float, values: list[int]) -> float:
        weight = {u: comb(n, u) * comb(n0, x + x0 - u) * ratio**u for u in possible}
        return sum(weight[u] for u in values) / sum(weight.values())

    if found.lower:
        tail = expected(found.lower, [u for u in possible if u >= x])
        assert tail == pytest.approx(0.025, rel=1e-8)
    if found.upper is not None:
        tail = expected(found.upper, [u for u in possible if u <= x])
        assert tail == pytest.approx(0.025, rel=1e-8)


def naive_fisher(rows: tuple[list[int], list[int]]) -> Fraction:
    """All first rows with these margins, in whole numbers: no rounding, no tolerance."""
    columns = [a + b for a, b in zip(*rows, strict=True)]

    def weight(row: tuple[int, ...] | list[int]) -> int:
        return prod(comb(c, a) for c, a in zip(columns, row, strict=True))

    every = (row for row in product(*[range(c + 1) for c in columns]) if sum(row) == sum(rows[0]))
    weights = [weight(row) for row in every]
    return Fraction(sum(w for w in weights if w <= weight(rows[0])), sum(weights))


@FEW
@given(ROWS, st.randoms())
def test_fisher_is_the_naive_enumeration_in_any_order(rows, random) -> None:
    found = fisher_exact(rows)
    if not (sum(rows[0]) and sum(rows[1])):
        assert found.p_value is None and found.reason == "no patients in a cohort"
        return
    assert found.p_value == pytest.approx(float(naive_fisher(rows)), rel=1e-10)
    columns = list(zip(*rows, strict=True))
    random.shuffle(columns)
    other, one = zip(*columns, strict=True)
    moved = fisher_exact([[*one, 0], [*other, 0]])
    assert moved.p_value == pytest.approx(found.p_value, rel=1e-12)


@FEW
@given(ROWS)
def test_a_column_without_patients_changes_nothing(rows) -> None:
    found, wider = chi_square(rows), chi_square([[0, *row] for row in rows])
    assert found == wider
    if found.statistic is not None:
        assert found.degrees_of_freedom == sum(a + b > 0 for a, b in zip(*rows, strict=True)) - 1


def naive_mantel_haenszel(strata: list[Counts]) -> Fraction | None:
    distance, variance = Fraction(0), Fraction(0)
    for x, n, x0, n0 in strata:
        size, having = n + n0, x + x0
        if n and n0:
            distance += x - Fraction(n * having, size)
            variance += Fraction(n * n0 * having * (size - having), size**2 * (size - 1))
    return distance**2 / variance if variance else None


@FEW
@given(STRATA, st.randoms())
def test_strata_in_any_order_swapped_and_with_an_empty_one(strata: list[Counts], random) -> None:
    found, naive = mantel_haenszel_test(strata), naive_mantel_haenszel(strata)
    assert (found.statistic is None) == (naive is None)
    if naive is not None:
        assert found.statistic == pytest.approx(float(naive), rel=1e-10, abs=1e-20)
    shuffled = [*strata, (0, 0, 3, 7)]
    random.shuffle(shuffled)
    mirrored = [_swapped(s) for s in shuffled]
    assert mantel_haenszel_test(mirrored).p_value == pytest.approx(found.p_value)
    one, other = mantel_haenszel_odds_ratio(strata), mantel_haenszel_odds_ratio(mirrored)
    if one.estimate and other.upper:
        assert one.lower == pytest.approx(1 / other.upper)
    one, other = mantel_haenszel_difference(strata), mantel_haenszel_difference(mirrored)
    assert (one.lower is None) == (other.lower is None)
    if one.lower is not None and other.upper is not None:
        assert one.lower == pytest.approx(-other.upper, abs=1e-12)


def naive_deviance(levels: list[Counts], added: float) -> float:
    """Of cohort + level, by Newton's method on the whole design matrix."""
    k = len(levels)
    y = np.array([[x + added, x0 + added] for x, _, x0, _ in levels]).ravel()
    m = np.array([[n + 2 * added, n0 + 2 * added] for _, n, _, n0 in levels]).ravel()
    design = np.hstack([np.repeat(np.eye(k), 2, axis=0), np.tile([[1.0], [0.0]], (k, 1))])
    b = np.zeros(k + 1)
    for _ in range(40):
        p = 1 / (1 + np.exp(-design @ b))
        information = design.T @ ((m * p * (1 - p))[:, None] * design)
        b = b + np.clip(np.linalg.solve(information, design.T @ (y - m * p)), -1, 1)
    p = 1 / (1 + np.exp(-design @ b))
    return float(2 * (y * np.log(y / (m * p)) + (m - y) * np.log((m - y) / (m * (1 - p)))).sum())


@settings(max_examples=15)
@given(st.lists(_pairs(15), min_size=2, max_size=4))
def test_the_interaction_is_the_naive_deviance(levels: list[Counts]) -> None:
    has_empty_cell = any(0 in (x, n - x, x0, n0 - x0) for x, n, x0, n0 in levels)
    found = odds_interaction([*levels, (0, 0, 1, 2)])
    assert found.degrees_of_freedom == len(levels) - 1
    expected = naive_deviance(levels, 0.5 if has_empty_cell else 0.0)
    assert found.statistic == pytest.approx(expected, rel=1e-6, abs=1e-8)
    for test in (odds_interaction, difference_interaction):
        mirrored = test([_swapped(level) for level in reversed(levels)])
        assert mirrored.statistic == pytest.approx(test(levels).statistic, rel=1e-9, abs=1e-9)


@settings(max_examples=15)
@given(
    st.lists(st.tuples(st.floats(-3, 3), st.floats(0.05, 2)), min_size=2, max_size=7),
    st.floats(0.01, 100),
)
def test_shrunken_levels_lie_between_their_own_and_the_mean(levels, scale: float) -> None:
    y, errors = [a for a, _ in levels], [b for _, b in levels]
    found = shrunken(y, errors)
    mu = found.mean.estimate
    assert mu is not None and found.tau_squared is not None
    for own, level in zip(y, found.levels, strict=True):
        assert level.estimate is not None
        assert min(own, mu) - 1e-9 <= level.estimate <= max(own, mu) + 1e-9
    stretched = shrunken([a * scale for a in y], [b * scale for b in errors])
    assert stretched.tau_squared == pytest.approx(
        found.tau_squared * scale**2, rel=1e-5, abs=1e-8 * scale**2
    )
    mirrored = shrunken([-a for a in reversed(y)], errors[::-1])
    assert mirrored.mean.estimate == pytest.approx(-mu, abs=1e-6)


@settings(max_examples=15)
@given(st.lists(st.tuples(st.floats(-2, 2), st.floats(0.1, 1)), min_size=3, max_size=6))
def test_no_other_tau_squared_is_likelier(levels) -> None:
    y, v = np.array([a for a, _ in levels]), np.array([b for _, b in levels]) ** 2

    def log_likelihood(tau_squared: float) -> float:
        w = 1 / (v + tau_squared)
        mu = (w @ y) / w.sum()
        return float((np.log(w).sum() - log(w.sum()) - w @ (y - mu) ** 2) / 2)

    found = shrunken(y.tolist(), np.sqrt(v).tolist()).tau_squared
    assert found is not None
    best = log_likelihood(found)
    assert all(log_likelihood(exp(s)) <= best + 1e-9 for s in np.linspace(-12, 5, 60))
