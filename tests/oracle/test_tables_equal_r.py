"""Proportions, tables, strata, interactions and fragility equal R and the published examples."""

import numpy as np
import pytest

from analysis.stats.contingency import (
    chi_square,
    difference_interaction,
    fisher_exact,
    mantel_haenszel_difference,
    mantel_haenszel_odds_ratio,
    mantel_haenszel_test,
    odds_interaction,
)
from analysis.stats.counts import DayCounts
from analysis.stats.estimate import Estimate
from analysis.stats.fragility import proportion_fragility, survival_fragility
from analysis.stats.proportion import (
    agresti_coull,
    exact_odds_ratio,
    jeffreys,
    koopman_ratio,
    miettinen_nurminen_difference,
    woolf_odds_ratio,
)
from tests.oracle.r_results import r_file, same

EXACT = 1e-8
PENALIZED = 1e-5
R = r_file("tables")


def _all_same(found: Estimate, r: dict, what: str) -> None:
    for key in ("estimate", "lower", "upper"):
        same(getattr(found, key), r[key], EXACT, f"{what} {key}")
    if "p" in r:
        same(found.p_value, r["p"], EXACT, f"{what} p")


@pytest.mark.parametrize("r", R["singles"], ids=lambda r: f"{r['x']}/{r['n']}")
def test_one_proportion(r: dict) -> None:
    for interval, key in ((jeffreys, "jeffreys"), (agresti_coull, "agresti_coull")):
        found = interval(r["x"], r["n"])
        assert found.estimate == r["x"] / r["n"]
        for ours, theirs in zip((found.lower, found.upper), r[key], strict=True):
            same(ours, theirs, EXACT, f"{key} of {r['x']}/{r['n']}")


@pytest.mark.parametrize("r", R["pairs"], ids=lambda r: str(r["counts"]))
def test_two_proportions(r: dict) -> None:
    counts = r["counts"]
    _all_same(miettinen_nurminen_difference(*counts), r["difference"], "difference")
    for statistic, key in (
        (koopman_ratio, "ratio"),
        (exact_odds_ratio, "exact"),
        (woolf_odds_ratio, "woolf"),
    ):
        found = statistic(*counts)
        if r[key]:
            _all_same(found, r[key], key)
        else:
            assert found.estimate is None and found.lower is None and found.reason
    x, n, x0, n0 = counts
    same(fisher_exact([[x, n - x], [x0, n0 - x0]]).p_value, r["fisher"], EXACT, "Fisher")


@pytest.mark.parametrize("r", R["tables"], ids=lambda r: str(r["rows"]))
def test_one_table(r: dict) -> None:
    same(fisher_exact(r["rows"]).p_value, r["fisher"], EXACT, "Fisher")
    found = chi_square(r["rows"])
    assert found.degrees_of_freedom == r["df"]
    same(found.statistic, r["chi_square"], EXACT, "chi-square")
    same(found.p_value, r["p"], EXACT, "p")
    if r["corrected"] is not None:
        same(chi_square(r["rows"], True).statistic, r["corrected"], EXACT, "corrected")


@pytest.mark.parametrize("r", R["strata"], ids=lambda r: f"{r['source']} {r['strata'][0]}")
def test_strata(r: dict) -> None:
    strata = [tuple(s) for s in r["strata"]]
    plain = mantel_haenszel_test(strata)
    same(plain.statistic, r["chi_square"], EXACT, "chi-square")
    same(plain.p_value, r["p"], EXACT, "p")
    same(mantel_haenszel_test(strata, True).statistic, r["corrected"], EXACT, "corrected")
    odds, difference = mantel_haenszel_odds_ratio(strata), mantel_haenszel_difference(strata)
    ours = (odds.estimate, odds.lower, odds.upper)
    for value, theirs in zip(ours, r["odds_ratio"], strict=True):
        same(value, theirs, EXACT, "common odds ratio")
    ours = (difference.estimate, difference.lower, difference.upper, difference.p_value)
    for value, theirs in zip(ours, r["difference"], strict=True):
        same(value, theirs, EXACT, "common difference")


@pytest.mark.parametrize("r", R["strata"], ids=lambda r: f"{r['source']} {r['strata'][0]}")
def test_interaction(r: dict) -> None:
    strata = [tuple(s) for s in r["strata"]]
    odds, theirs = odds_interaction(strata), r["odds_interaction"]
    tolerance = PENALIZED if "Firth" in odds.method else EXACT
    has_empty_cell = any(0 in (x, n - x, x0, n0 - x0) for x, n, x0, n0 in strata)
    assert ("Firth" in odds.method) == has_empty_cell
    for found, r_test, relative in (
        (odds, theirs, tolerance),
        (difference_interaction(strata), r["difference_interaction"], EXACT),
    ):
        assert found.degrees_of_freedom == r_test["df"]
        same(found.statistic, r_test["chi_square"], relative, found.method)
        # A p value of 1e-31 carries the error of its statistic many times over.
        same(found.p_value, r_test["p"], relative * 100, found.method)


def _counts(rows: dict) -> DayCounts:
    time, event = np.array(rows["time"], dtype=float), np.array(rows["event"])
    day, place = np.unique(time, return_inverse=True)
    events = np.bincount(place, event).astype(np.int64)
    return DayCounts(day, events, np.bincount(place) - events)


@pytest.mark.parametrize("r", R["fragilities"], ids=lambda r: r["source"])
def test_fragility_of_survival(r: dict) -> None:
    cohorts = _counts(r["one"]), _counts(r["other"])
    for theirs in r["found"]:
        found = survival_fragility(cohorts, theirs["t"], theirs["in_reference"])
        assert found.n_changes == theirs["n_changes"], theirs
        assert list(found.censored_before or ()) == theirs["lost"]
        if theirs.get("before") is None:
            assert found.before.lower is None and found.reason
            continue
        assert found.excluded_zero == theirs["excluded"]
        assert found.becomes_event == theirs["to_event"]
        for ours, limits in ((found.before, theirs["before"]), (found.after, theirs["after"])):
            if limits is None:
                assert ours is None and found.reason
                continue
            assert ours is not None
            triple = (ours.estimate, ours.lower, ours.upper)
            for value, theirs_value in zip(triple, limits, strict=True):
                same(value, theirs_value, EXACT, f"{r['source']} at {theirs['t']}")


@pytest.mark.parametrize("r", R["shares"], ids=lambda r: f"{r['counts']} {r['in_reference']}")
def test_fragility_of_proportions(r: dict) -> None:
    found = proportion_fragility(*r["counts"], in_reference=r["in_reference"])
    assert (found.n_changes, found.excluded_zero) == (r["n_changes"], r["excluded"])


NEWCOMBE_TABLE_2 = {
    (56, 70, 48, 80): (0.0528, 0.3382),
    (9, 10, 3, 10): (0.1700, 0.8406),
    (6, 7, 2, 7): (0.0342, 0.8534),
    (5, 56, 0, 29): (-0.0326, 0.1933),
    (0, 10, 0, 20): (-0.1658, 0.2844),
    (0, 10, 0, 10): (-0.2879, 0.2879),
    (10, 10, 0, 20): (0.7156, 1.0),
    (10, 10, 0, 10): (0.6636, 1.0),
}


@pytest.mark.parametrize("counts", NEWCOMBE_TABLE_2, ids=str)
def test_the_published_differences(counts: tuple[int, int, int, int]) -> None:
    """Newcombe, Stat Med 1998;17:873, table II, method 6 (Miettinen-Nurminen)."""
    found = miettinen_nurminen_difference(*counts)
    assert (found.lower, found.upper) == pytest.approx(NEWCOMBE_TABLE_2[counts], abs=5.1e-5)


def test_the_published_intervals_of_two_trials() -> None:
    """Fagerland, Lydersen & Laake, Statistical Analysis of Contingency Tables, 2017, chapter 4.

    Epinephrine 7/34 against 1/34 (Perondi 2004), ratio; CHRNA4 genotype 0/16 against 15/72
    (Ritland 2007), difference and Fisher's test.
    """
    ratio = koopman_ratio(7, 34, 1, 34)
    assert (ratio.lower, ratio.upper) == pytest.approx((1.2209, 42.5757), abs=5.1e-5)
    difference = miettinen_nurminen_difference(0, 16, 15, 72)
    assert (difference.lower, difference.upper) == pytest.approx((-0.3164, -0.0056), abs=5.1e-5)
    assert fisher_exact([[0, 16], [15, 57]]).p_value == pytest.approx(0.06287, abs=5.1e-6)


def test_the_published_exact_tests() -> None:
    """Fisher's tea tasting (Agresti, Categorical Data Analysis); Convictions of ?fisher.test."""
    assert fisher_exact([[3, 1], [1, 3]]).p_value == pytest.approx(0.4857, abs=5.1e-5)
    assert fisher_exact([[2, 10], [15, 3]]).p_value == pytest.approx(0.0005367, abs=5.1e-8)


def test_the_published_strata() -> None:
    """Berkeley admissions and penicillin in rabbits as ?mantelhaen.test of R shows them.

    Agresti, Categorical Data Analysis, 1990, p. 231 (rabbits); Bickel et al., Science 1975;187:398.
    """
    berkeley = [tuple(s) for s in R["strata"][0]["strata"]]
    assert mantel_haenszel_test(berkeley, True).statistic == pytest.approx(1.4269, abs=5.1e-5)
    assert mantel_haenszel_test(berkeley, True).p_value == pytest.approx(0.2323, abs=5.1e-5)
    common = mantel_haenszel_odds_ratio(berkeley)
    published = (0.9046968, 0.7719074, 1.0603298)
    assert (common.estimate, common.lower, common.upper) == pytest.approx(published, abs=5.1e-8)
    rabbits = [tuple(s) for s in R["strata"][1]["strata"]]
    assert mantel_haenszel_test(rabbits, True).p_value == pytest.approx(0.047, abs=5.1e-4)
