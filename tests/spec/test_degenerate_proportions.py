"""What the proportions, tables, fragility and shrinkage say where there is little or nothing.

A value or a reason in words, never an exception, an infinity or a NaN; what cannot be is refused.
"""

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
from analysis.stats.estimate import Estimate, Z
from analysis.stats.fragility import proportion_fragility, survival_fragility
from analysis.stats.proportion import (
    agresti_coull,
    exact_odds_ratio,
    jeffreys,
    koopman_ratio,
    miettinen_nurminen_difference,
    newcombe_difference,
    woolf_odds_ratio,
)
from analysis.stats.shrinkage import shrunken

DIFFERENCES = (newcombe_difference, miettinen_nurminen_difference)
RATIOS = (koopman_ratio, exact_odds_ratio, woolf_odds_ratio)
TESTS = (mantel_haenszel_test, odds_interaction, difference_interaction)


def _limits(found: Estimate) -> tuple[float, float]:
    assert found.lower is not None and found.upper is not None
    return found.lower, found.upper


@pytest.mark.parametrize("interval", [jeffreys, agresti_coull])
def test_one_proportion(interval) -> None:
    assert interval(0, 0).reason == "no patients"
    for n in (1, 4, 60, 10**6):
        none, all_ = interval(0, n), interval(n, n)
        assert none.lower == none.estimate == 0.0 and 0 < none.upper < 1
        assert all_.upper == all_.estimate == 1.0 and 0 < all_.lower < 1


@pytest.mark.parametrize("statistic", [*DIFFERENCES, *RATIOS])
def test_a_cohort_of_nobody(statistic) -> None:
    assert statistic(0, 0, 3, 5) == Estimate(
        None, method=statistic(0, 0, 3, 5).method, reason="no patients"
    )
    assert statistic(3, 5, 0, 0).reason == "no patients in the reference"
    assert statistic(0, 0, 0, 0).reason == "no patients in the reference"


def test_nobody_in_either_numerator() -> None:
    """0/20 against 0/10: the difference has the limits z^2 / (z^2 + n (N - 1) / N) of its test."""
    found = miettinen_nurminen_difference(0, 20, 0, 10)
    upper, lower = (Z**2 / (Z**2 + n * 29 / 30) for n in (20, 10))
    assert (found.estimate, found.p_value) == (0.0, 1.0)
    assert _limits(found) == pytest.approx((-lower, upper), abs=1e-12)
    for ratio in RATIOS:
        assert ratio(0, 20, 0, 10).estimate is None
    assert koopman_ratio(0, 20, 0, 10).reason == "0 of 20 against 0 of 10: no ratio"
    assert exact_odds_ratio(0, 20, 0, 10).reason == "0 of 20 against 0 of 10: no odds ratio"


def test_everybody_in_both_numerators() -> None:
    found = miettinen_nurminen_difference(20, 20, 10, 10)
    lower, upper = _limits(miettinen_nurminen_difference(0, 20, 0, 10))
    assert _limits(found) == pytest.approx((-upper, -lower), abs=1e-12)
    ratio = koopman_ratio(20, 20, 10, 10)
    assert (ratio.estimate, ratio.p_value) == (1.0, 1.0)
    lower, upper = _limits(ratio)
    assert lower < 1 < upper
    assert exact_odds_ratio(20, 20, 10, 10).reason == "20 of 20 against 10 of 10: no odds ratio"


def test_nobody_in_one_numerator() -> None:
    ratio, odds = koopman_ratio(0, 12, 3, 10), exact_odds_ratio(0, 12, 3, 10)
    for found in (ratio, odds):
        assert found.estimate == found.lower == 0.0
    above = koopman_ratio(3, 10, 0, 12)
    assert above.estimate is None and above.upper is None
    assert above.lower == pytest.approx(1 / _limits(ratio)[1])
    assert above.reason == "3 of 10 against 0 of 12: no finite estimate"
    assert exact_odds_ratio(3, 10, 0, 12).lower == pytest.approx(1 / _limits(odds)[1])
    assert woolf_odds_ratio(3, 10, 0, 12).reason == "a cell of the table is 0"


def test_all_against_none() -> None:
    """The difference is 1 and reaches its end."""
    assert _limits(miettinen_nurminen_difference(10, 10, 0, 10))[1] == 1.0
    assert _limits(miettinen_nurminen_difference(0, 10, 10, 10))[0] == -1.0
    assert _limits(miettinen_nurminen_difference(1, 1, 0, 1))[1] == 1.0


@pytest.mark.parametrize("counts", [(-1, 5, 1, 5), (6, 5, 1, 5), (1, 5, -1, 5), (1, 5, 6, 5)])
def test_impossible_counts_are_refused(counts) -> None:
    for statistic in (*DIFFERENCES, *RATIOS, proportion_fragility):
        with pytest.raises(ValueError, match="no proportion"):
            statistic(*counts)
    for statistic in (*TESTS, mantel_haenszel_odds_ratio, mantel_haenszel_difference):
        with pytest.raises(ValueError, match="no proportion"):
            statistic([counts])


def test_tables() -> None:
    assert fisher_exact([[0, 0], [3, 4]]).reason == "no patients in a cohort"
    assert fisher_exact([[5, 0], [4, 0]]).p_value == 1.0
    assert fisher_exact([[1, 0], [0, 1]]).p_value == 1.0
    too_many = fisher_exact([[300] * 8, [300] * 8])
    assert too_many.reason == "too many patients and levels to list all tables"
    assert chi_square([[0, 0], [3, 4]]).reason == "no patients in a cohort"
    assert chi_square([[5, 0], [4, 0]]).reason == "all patients are in one row or column"
    assert chi_square([[5, 5], [5, 5]], corrected=True).p_value == 1.0
    with pytest.raises(ValueError, match="2 x 2 tables, not 2 x 3"):
        chi_square([[1, 2, 3], [3, 2, 1]], corrected=True)
    with pytest.raises(ValueError, match="two cohorts"):
        fisher_exact([[1, 2], [2, 1], [3, 4]])
    for test in (fisher_exact, chi_square):
        with pytest.raises(ValueError, match="-1 is no count"):
            test([[1, -1], [2, 2]])
        with pytest.raises(ValueError, match="unequal length"):
            test([[1, 2, 3], [2, 2]])


@pytest.mark.parametrize(
    "strata", [[], [(0, 0, 3, 5)], [(0, 4, 0, 5), (3, 3, 2, 2)], [(2, 4, 0, 0), (0, 0, 1, 3)]]
)
def test_strata_that_say_nothing(strata) -> None:
    nothing = "no stratum with both cohorts and both outcomes"
    assert mantel_haenszel_test(strata).reason == nothing
    assert mantel_haenszel_odds_ratio(strata).reason == nothing
    difference = mantel_haenszel_difference(strata)
    assert difference.lower is None
    assert difference.reason in ("no stratum with both cohorts", "no variance in any stratum")


def test_a_common_odds_ratio_at_an_end() -> None:
    strata = [(0, 5, 2, 6), (0, 4, 1, 4)]
    found = mantel_haenszel_odds_ratio(strata)
    assert (found.estimate, found.lower) == (0.0, None)
    mirrored = mantel_haenszel_odds_ratio([(x0, n0, x, n) for x, n, x0, n0 in strata])
    assert mirrored.reason == "the common odds ratio has no finite estimate"
    assert mantel_haenszel_test(strata).p_value is not None


def test_interaction_of_too_few_levels() -> None:
    for test in (odds_interaction, difference_interaction):
        for levels in ([], [(3, 5, 2, 6)], [(3, 5, 2, 6), (2, 4, 0, 0)]):
            assert test(levels).reason == "fewer than two levels with both cohorts"


def test_interaction_of_levels_without_events() -> None:
    """A value all the same; equal levels have no interaction."""
    empty = [(0, 10, 0, 8), (0, 12, 0, 9), (0, 3, 0, 3)]
    for test in (odds_interaction, difference_interaction):
        found = test(empty)
        assert found.degrees_of_freedom == 2 and (found.p_value or 0) > 0.9
        alike = test([(0, 10, 4, 8), (0, 10, 4, 8)])
        assert alike.statistic == pytest.approx(0, abs=1e-12) and alike.p_value == pytest.approx(1)
    assert "a cell is 0" in odds_interaction(empty).method
    assert "of 3 without variance" in difference_interaction(empty).method


def _cohort(events: dict[int, int], censored: dict[int, int]) -> DayCounts:
    day = sorted({*events, *censored})
    counts = ([rows.get(d, 0) for d in day] for rows in (events, censored))
    return DayCounts(np.array(day, dtype=float), *(np.array(c, dtype=np.int64) for c in counts))


SEVEN = _cohort({1: 1, 2: 1, 3: 1, 4: 1}, {9: 3})


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (_cohort({}, {}), "no patients"),
        (_cohort({1: 1}, {3: 4}), "follow-up ends on day 3"),
        (_cohort({}, {2: 1, 9: 4}), "no events in 5, 1 censored before"),
        (_cohort({1: 2, 4: 1}, {2: 1}), "nobody is left without the event, 1 censored before"),
    ],
)
def test_fragility_without_an_interval(other: DayCounts, why: str) -> None:
    for in_reference in (False, True):
        found = survival_fragility((SEVEN, other), 5, in_reference)
        assert found.n_changes is None
        assert found.reason == f"no interval of the difference: {why}"


def test_fragility_that_no_child_can_change() -> None:
    found = survival_fragility((SEVEN, _cohort({}, {9: 1})), 5)
    assert found.reason == "the interval holds zero whatever the status of this cohort's children"
    same = proportion_fragility(1, 1, 30, 60)
    assert same.n_changes is None and same.excluded_zero is False
    certain = proportion_fragility(20, 20, 0, 20)
    assert certain.n_changes is not None and certain.excluded_zero is True


def test_fragility_of_a_handful_counted_by_hand() -> None:
    """Ten event-free children (exact limits from 0.692) against five with and five without event.

    With one event 9/10 survive, log-log from 0.473; the reference's 5/10 reach up to 0.753. So the
    lower limit falls from 0.5 - sqrt(0.308^2 + 0.253^2) to 0.4 - sqrt(0.427^2 + 0.253^2).
    """
    one, other = _cohort({2: 4, 3: 1}, {9: 5}), _cohort({}, {9: 10})
    found = survival_fragility((one, other), 5)
    assert found.excluded_zero and found.n_changes == 1 and found.becomes_event
    assert found.n_changeable == 10 and found.censored_before == (0, 0)
    assert found.after is not None and found.after.estimate == pytest.approx(0.9 - 0.5)
    assert _limits(found.before)[0] == pytest.approx(0.101, abs=1e-3)
    assert _limits(found.after)[0] == pytest.approx(-0.096, abs=1e-3)
    # In the reference: the event of day 3 goes, then those of day 2.
    found = survival_fragility((one, other), 5, in_reference=True)
    assert found.becomes_event is False and found.n_changeable == 5
    with pytest.raises(ValueError, match="before day 0"):
        survival_fragility((one, other), -1)


def test_shrinkage_of_few_levels() -> None:
    assert shrunken([], []).reason == "0 of 0 levels with an estimate: nothing to shrink toward"
    one = shrunken([0.4, None, 0.1], [0.2, None, 0.0])
    assert one.reason == "1 of 3 levels with an estimate: nothing to shrink toward"
    assert [level.reason for level in one.levels][1:] == [
        "no estimate with a standard error of its own"
    ] * 2
    two = shrunken([0.5, None, -0.5], [0.1, None, 0.1])
    # Two levels: tau^2 is half the squared difference less the mean variance.
    assert two.tau_squared == pytest.approx(0.5 - 0.01)
    assert two.caution == "two levels: their spread is one difference"
    assert two.levels[1].estimate is None and two.standard_errors[1] is None
    assert two.mean.estimate == pytest.approx(0)


def test_shrinkage_at_the_boundary() -> None:
    found = shrunken([0.2, 0.2, 0.2], [0.1, 0.4, 0.3])
    assert found.tau_squared == found.i_squared == 0.0
    assert [level.estimate for level in found.levels] == pytest.approx([0.2] * 3)
    for estimates, errors in (([0.1], []), ([0.1], [-1.0]), ([float("nan")], [1.0])):
        with pytest.raises(ValueError, match=r"standard error"):
            shrunken(estimates, errors)
