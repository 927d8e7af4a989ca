"""Proportions and their differences equal R and the published examples."""

import pytest

from analysis.stats.estimate import Estimate
from analysis.stats.proportion import clopper_pearson, newcombe_difference, wilson
from tests.oracle.r_results import r_file, same

EXACT = 1e-8
R = r_file("proportions")


def _limits(found: Estimate) -> tuple[float, float]:
    assert found.lower is not None and found.upper is not None
    return found.lower, found.upper


@pytest.mark.parametrize("r", R["singles"], ids=lambda r: f"{r['x']}/{r['n']}")
def test_one_proportion(r: dict) -> None:
    for found, key in (
        (wilson(r["x"], r["n"]), "wilson"),
        (clopper_pearson(r["x"], r["n"]), "exact"),
    ):
        same(found.estimate, r["estimate"], EXACT, "estimate")
        for ours, theirs in zip(_limits(found), r[key], strict=True):
            same(ours, theirs, EXACT, f"{key} of {r['x']}/{r['n']}")


@pytest.mark.parametrize("r", R["differences"], ids=lambda r: str(r["counts"]))
def test_the_difference_of_two(r: dict) -> None:
    found = newcombe_difference(*r["counts"])
    for ours, key in ((found.estimate, "estimate"), (found.lower, "lower"), (found.upper, "upper")):
        same(ours, r[key], EXACT, key)


NEWCOMBE_TABLE_2 = {
    (56, 70, 48, 80): (0.0524, 0.3339),
    (9, 10, 3, 10): (0.1705, 0.8090),
    (6, 7, 2, 7): (0.0582, 0.8062),
    (5, 56, 0, 29): (-0.0381, 0.1926),
    (0, 10, 0, 20): (-0.1611, 0.2775),
    (0, 10, 0, 10): (-0.2775, 0.2775),
    (10, 10, 0, 20): (0.6791, 1.0),
    (10, 10, 0, 10): (0.6075, 1.0),
}


@pytest.mark.parametrize("counts", NEWCOMBE_TABLE_2, ids=str)
def test_the_published_differences(counts: tuple[int, int, int, int]) -> None:
    """Newcombe, Stat Med 1998;17:873, table II, method 10 (score, no continuity correction)."""
    found = _limits(newcombe_difference(*counts))
    assert found == pytest.approx(NEWCOMBE_TABLE_2[counts], abs=5.1e-5)


def test_the_published_proportions() -> None:
    """Newcombe, Stat Med 1998;17:857, table I: method 3 (score) and method 5 (exact)."""
    for (x, n), score, exact in (
        ((81, 263), (0.2553, 0.3662), (0.2527, 0.3676)),
        ((15, 148), (0.0624, 0.1605), (0.0578, 0.1617)),
        ((0, 20), (0.0, 0.1611), (0.0, 0.1684)),
        ((1, 29), (0.0061, 0.1718), (0.0009, 0.1776)),
    ):
        assert _limits(wilson(x, n)) == pytest.approx(score, abs=5.1e-5)
        assert _limits(clopper_pearson(x, n)) == pytest.approx(exact, abs=5.1e-5)


@pytest.mark.parametrize("interval", [wilson, clopper_pearson])
@pytest.mark.parametrize("n", [1, 3, 7, 10, 49, 180, 10**7])
def test_the_ends_are_exact(interval, n: int) -> None:
    none, all_ = _limits(interval(0, n)), _limits(interval(n, n))
    assert none[0] == 0.0 and all_[1] == 1.0
    assert 0 < none[1] == pytest.approx(1 - all_[0])


def test_nobody_is_not_estimable() -> None:
    assert wilson(0, 0).estimate is None and wilson(0, 0).reason == "no patients"
    assert clopper_pearson(0, 0).reason == "no patients"
    assert newcombe_difference(0, 0, 3, 5).reason == "no patients"
    assert newcombe_difference(3, 5, 0, 0).reason == "no patients in the reference"


@pytest.mark.parametrize("counts", [(-1, 5), (6, 5), (1, 0), (0, -1)])
def test_impossible_counts_are_refused(counts: tuple[int, int]) -> None:
    for interval in (wilson, clopper_pearson):
        with pytest.raises(ValueError, match="no proportion"):
            interval(*counts)
