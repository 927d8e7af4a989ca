"""Standardized differences equal R's, where one level is left out and the matrix inverted."""

from math import sqrt

import pytest

from analysis.stats.balance import (
    Moments,
    standardized_difference_levels,
    standardized_difference_means,
)
from tests.oracle.r_results import r_file, same

EXACT = 1e-8
R = r_file("proportions")


@pytest.mark.parametrize("r", R["levels"], ids=lambda r: str(r["counts"]))
def test_levels(r: dict) -> None:
    found = standardized_difference_levels(r["counts"], r["reference"])
    same(found.estimate, r["smd"], EXACT, "levels")
    swapped = standardized_difference_levels(r["reference"][::-1], r["counts"][::-1])
    same(swapped.estimate, r["smd"], EXACT, "levels the other way round")


@pytest.mark.parametrize("r", R["means"], ids=lambda r: f"n = {r['n']}")
def test_means(r: dict) -> None:
    one = Moments(r["n"], r["mean"], r["sd"])
    reference = Moments(r["reference_n"], r["reference_mean"], r["reference_sd"])
    same(standardized_difference_means(one, reference).estimate, r["smd"], EXACT, "means")
    same(standardized_difference_means(reference, one).estimate, r["smd"], EXACT, "means")


@pytest.mark.parametrize(("x", "n", "y", "m"), [(30, 100, 55, 100), (1, 7, 6, 7), (2, 900, 1, 20)])
def test_two_levels_are_the_usual_formula(x: int, n: int, y: int, m: int) -> None:
    p, q = x / n, y / m
    usual = abs(p - q) / sqrt((p * (1 - p) + q * (1 - q)) / 2)
    found = standardized_difference_levels((x, n - x), (y, m - y))
    assert found.estimate == pytest.approx(usual, rel=1e-12)


def test_a_rare_level_counts_and_an_unused_one_does_not() -> None:
    rare = standardized_difference_levels((1, 5_000_000, 4_999_999), (9, 5_000_000, 4_999_991))
    assert rare.estimate == pytest.approx(8e-7 / sqrt(5e-7), rel=1e-3)
    with_unused = standardized_difference_levels((3, 0, 4, 9), (5, 0, 4, 2))
    without = standardized_difference_levels((3, 4, 9), (5, 4, 2))
    assert with_unused.estimate == pytest.approx(without.estimate, rel=1e-12)


@pytest.mark.parametrize(
    ("counts", "reference", "reason"),
    [
        ((0, 0), (3, 4), "no patients"),
        ((3, 4), (0, 0), "no patients in the reference"),
        ((), (), "no patients"),
        ((5, 0, 0), (8, 0, 0), "all patients have the same level"),
        ((5, 0), (0, 8), "the cohorts have no level in common"),
        ((5, 2, 0, 0), (0, 0, 8, 1), "the cohorts have no level in common"),
    ],
)
def test_levels_that_give_no_distance(counts: tuple, reference: tuple, reason: str) -> None:
    found = standardized_difference_levels(counts, reference)
    assert (found.estimate, found.reason) == (None, reason)


def test_levels_of_different_characteristics_are_refused() -> None:
    for counts in ((1, 2, 3), (1, -2)):
        with pytest.raises(ValueError, match="same levels"):
            standardized_difference_levels(counts, (1, 2))


def test_means_that_give_no_distance() -> None:
    few = Moments(1, 4.0, None), Moments(0, None, None)
    many = Moments(9, 4.0, 2.0)
    for moments in few:
        for pair in ((moments, many), (many, moments)):
            assert (
                standardized_difference_means(*pair).reason == "fewer than two patients in a cohort"
            )
    flat = standardized_difference_means(Moments(9, 4.0, 0.0), Moments(9, 5.0, 0.0))
    assert (flat.estimate, flat.reason) == (None, "no spread in either cohort")
