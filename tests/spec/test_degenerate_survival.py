"""What the survival statistics say where there is next to nothing to say.

A cohort is written as its days: `5` an event on day 5, `8+` last seen on day 8 without one, `3>9`
under observation from the end of day 3 on. Every answer is a value or a reason, never an exception,
NaN or infinity.
"""

import numpy as np
import polars as pl
import pytest

from analysis.stats.common_window import common_window, completeness
from analysis.stats.counts import AtRisk, DayCounts, at_risk_table, day_counts, delayed_entry
from analysis.stats.limits import mover_difference
from analysis.stats.logrank import FlemingHarrington, log_rank, max_combo, stratified_log_rank
from analysis.stats.restricted_mean import (
    restricted_mean,
    restricted_mean_difference,
    restricted_mean_estimate,
    restricted_mean_ratio,
)
from analysis.stats.survival import follow_up, kaplan_meier, quantile, survival_at

NOBODY = ""
NO_EVENTS = "5+ 8+ 12+"
ALL_ON_DAY_0 = "0 0 0"
ONE_DAY = "4 4 4 4+"
ONE_EVENT = "7"
ONE_CENSORED = "7+"
LATE = FlemingHarrington(0, 1)
EVERY_KIND = (NOBODY, NO_EVENTS, ALL_ON_DAY_0, ONE_DAY, ONE_EVENT, ONE_CENSORED, "0+", "2>6 2>9+")


def rows(days: str) -> pl.DataFrame:
    found = []
    for word in days.split():
        entry, _, end = word.rpartition(">")
        found.append((int(entry or 0), int(end.rstrip("+")), 0 if end.endswith("+") else 1, 1))
    names = {name: pl.Int64 for name in ("entry_day", "time_days", "state", "n")}
    return pl.DataFrame(found, schema=names, orient="row")


def cohort(days: str) -> DayCounts:
    return delayed_entry(rows(days)).counts


def mean_of(days: str, tau: float):
    return restricted_mean(kaplan_meier(cohort(days)), tau)


def test_no_events_at_all() -> None:
    km = kaplan_meier(cohort(NO_EVENTS))
    early = survival_at(km, 5)
    assert (early.estimate, early.upper, early.reason) == (1, 1, "no events in 3")
    assert early.lower == pytest.approx(0.025 ** (1 / 3))  # exact: nobody censored before day 5
    late = survival_at(km, 6)
    assert (late.estimate, late.lower) == (1, None)
    assert late.reason == "no events in 3, 1 censored before"
    assert survival_at(km, 13).reason == "follow-up ends on day 12"
    assert (quantile(km).estimate, quantile(km).reason) == (None, "not reached")
    test = log_rank((km.counts, cohort(NO_EVENTS)))
    assert (test.chi_square, test.p_value, test.reason) == (None, None, "no events")
    assert max_combo((km.counts, cohort(NO_EVENTS))).reason == "no events"


def test_no_events_in_one_cohort() -> None:
    test = log_rank((cohort("3 5 8+"), cohort("4+ 6+ 9+")))
    assert test.observed == (2, 0)
    assert test.chi_square == pytest.approx(2.0)  # (2 - 1)^2 / (1/4 + 1/4)


def test_no_restricted_interval_without_events_before_tau() -> None:
    found = restricted_mean_estimate(mean_of(NO_EVENTS, 5))
    assert (found.estimate, found.lower, found.reason) == (5, None, "no events before that time")
    both = restricted_mean_difference(mean_of(NO_EVENTS, 5), mean_of(NO_EVENTS, 5))
    assert (both.estimate, both.p_value) == (0, None)
    assert both.reason == "no events before that time in either cohort"


def test_all_events_on_day_0() -> None:
    km = kaplan_meier(cohort(ALL_ON_DAY_0))
    assert at_risk_table(km.counts, (0, 1)) == (AtRisk(0, 3, 0, 0), AtRisk(1, 0, 3, 0))
    found = survival_at(km, 0)
    assert (found.estimate, found.lower, found.reason) == (0, 0, "nobody is left without the event")
    assert quantile(km).estimate == 0
    assert quantile(km).reason == "no limits where the curve falls to 0"
    mean = restricted_mean_estimate(mean_of(ALL_ON_DAY_0, 10))
    assert (mean.estimate, mean.reason) == (0, "the curve falls to 0 at once")
    ratio = restricted_mean_ratio(mean_of(ALL_ON_DAY_0, 10), mean_of("3 5", 10))
    assert (ratio.estimate, ratio.reason) == (None, "a restricted mean of 0 days")


def test_some_events_on_day_0_stay_in_the_curve() -> None:
    """R's Surv(0, 0, 1) would lose them once somebody enters late."""
    counts = cohort("0 0 5 9+ 3>8")
    assert counts.n == 5
    assert at_risk_table(counts, (0, 5)) == (AtRisk(0, 4, 0, 0, 1), AtRisk(5, 3, 2, 0))
    assert survival_at(kaplan_meier(counts), 0).estimate == pytest.approx(0.5)


def test_one_patient() -> None:
    km = kaplan_meier(cohort(ONE_EVENT))
    assert survival_at(km, 6).estimate == 1
    assert survival_at(km, 7).estimate == survival_at(km, 99).estimate == 0
    assert (quantile(km).estimate, quantile(km).lower, quantile(km).upper) == (7, None, None)
    assert log_rank((km.counts, cohort(ONE_EVENT))).reason == "no variance: too few at risk"
    alone = kaplan_meier(cohort(ONE_CENSORED))
    assert survival_at(alone, 7).estimate == 1
    assert follow_up(alone.counts).estimate == 7


def test_an_empty_cohort() -> None:
    nobody, somebody = cohort(NOBODY), cohort("3 5+ 8")
    km = kaplan_meier(nobody)
    for found in (survival_at(km, 5), quantile(km), follow_up(nobody)):
        assert (found.estimate, found.reason) == (None, "no patients")
    assert at_risk_table(nobody, (0,)) == (AtRisk(0, 0, 0, 0),)
    assert mover_difference(survival_at(km, 5), survival_at(kaplan_meier(somebody), 5)).reason == (
        "no patients"
    )
    test = log_rank((nobody, somebody))
    assert test.reason == "only one cohort was at risk at an event"
    mean = restricted_mean_estimate(restricted_mean(km, 10))
    assert (mean.estimate, mean.reason) == (None, "no patients")
    for compare in (restricted_mean_difference, restricted_mean_ratio):
        found = compare(restricted_mean(km, 10), mean_of("3 5", 10))
        assert (found.estimate, found.reason) == (None, "a cohort without patients")


def test_an_empty_cohort_costs_the_others_no_degree_of_freedom() -> None:
    pair = cohort("3 5 8+"), cohort("2 9+ 11")
    test = log_rank((pair[0], cohort(NOBODY), pair[1]))
    assert test.degrees_of_freedom == 1
    assert test.chi_square == pytest.approx(log_rank(pair).chi_square)


def test_nobody_censored_has_no_follow_up_to_speak_of() -> None:
    assert follow_up(cohort("3 5 8")).reason == "nobody was censored"


def test_ties_everywhere() -> None:
    """One day, three of four, as many in the other cohort: the hypergeometric variance."""
    test = log_rank((cohort(ONE_DAY), cohort("4 4+ 4+ 4+")))
    # observed 3, expected 2, variance 4 * 4/8 * 4/8 * 4/7 = 4/7
    assert test.chi_square == pytest.approx(7 / 4)
    assert survival_at(kaplan_meier(cohort(ONE_DAY)), 4).estimate == pytest.approx(0.25)


def test_everybody_at_risk_has_the_event_on_one_day() -> None:
    test = log_rank((cohort("4 4 4"), cohort("4 4")))
    assert (test.chi_square, test.reason) == (None, "no variance: too few at risk")
    means = mean_of("4 4 4", 6), mean_of("4 4", 6)
    found = restricted_mean_difference(*means)
    assert (found.estimate, found.lower) == (0, None)
    assert found.reason == "the curve falls to 0 at once, or not at all, in each cohort"


def test_survival_of_exactly_one_half() -> None:
    """R: the middle of the step; to the last day if the curve ends on it."""
    assert quantile(kaplan_meier(cohort("1 2 5 6+"))).estimate == 3.5
    flat = quantile(kaplan_meier(cohort("1 2 8+ 9+")))
    assert (flat.estimate, flat.reason) == (5.5, "the curve ends flat at 50%")


def test_a_weight_that_is_0_on_every_event_day() -> None:
    """G(0, 1) is 0 on the first event day: with no other day nothing is left."""
    pair = cohort("4 4 9+"), cohort("4 8+ 9+")
    test = log_rank(pair, LATE)
    assert (test.chi_square, test.reason) == (None, "the weight leaves fewer than two cohorts")
    found = max_combo(pair)
    assert found.z[2:] == (None, None)
    assert found.reason == "no variance under G(0, 1) and G(1, 1)"
    assert found.p_value == pytest.approx(log_rank(pair).p_value)


def test_strata_that_say_nothing() -> None:
    informative = cohort("3 5 8+"), cohort("2 9+ 11")
    alone, nobody = (cohort("1 4"), cohort(NOBODY)), (cohort(NOBODY), cohort(NOBODY))
    test = stratified_log_rank((alone, informative, nobody))
    assert test.chi_square == pytest.approx(log_rank(informative).chi_square)
    assert test.observed == (4, 2)
    only = stratified_log_rank((alone, (cohort(NOBODY), cohort("2 5"))))
    assert (only.chi_square, only.reason) == (None, "no variance: too few at risk")
    with pytest.raises(ValueError, match="same cohorts"):
        stratified_log_rank((informative, (cohort("3"),)))


def test_late_entry_lets_the_curve_fall_to_0_early() -> None:
    counts = cohort("2 4 5>9+ 5>11 6>12")
    assert at_risk_table(counts, (3, 9)) == (AtRisk(3, 1, 1, 0, 3), AtRisk(9, 3, 2, 0))
    km = kaplan_meier(counts)
    why = "the curve falls to 0 on day 4, with 1 at risk and 3 not yet entered"
    found = survival_at(km, 10)
    assert (found.estimate, found.lower, found.reason) == (0, None, why)
    assert restricted_mean_estimate(restricted_mean(km, 10)).reason == why
    assert quantile(km).reason == (
        "a step of the curve on day 2 with only 2 at risk and 3 not yet entered"
    )


def test_late_entry_of_everybody() -> None:
    km = kaplan_meier(cohort("2>5 2>8+ 2>9 3>9+"))
    assert survival_at(km, 2).reason == "nobody is at risk up to day 2"
    found = survival_at(km, 8)
    assert found.estimate == pytest.approx(0.75)
    assert found.reason == "nobody is at risk up to day 2: survival given that day"


def test_a_time_without_anybody_at_risk() -> None:
    km = kaplan_meier(cohort("3+ 4+ 4+ 4+ 4+ 4+ 9>12 9>15+"))
    assert at_risk_table(km.counts, (6,)) == (AtRisk(6, 0, 0, 6, 2),)
    assert survival_at(km, 12).reason == "nobody is at risk after day 4 up to day 9"


def test_whoever_ends_on_or_before_the_own_entry_was_never_at_risk() -> None:
    found = delayed_entry(rows("3>3 7>1 5>2+ 4 3>6"))
    assert (found.counts.n, found.n_never_at_risk, found.n_events_never_at_risk) == (2, 3, 2)
    assert delayed_entry(rows("3>3")).counts.n == 0


def test_an_entry_before_the_start_is_none() -> None:
    frame = rows("5 8+").with_columns(entry_day=pl.Series([-3, None]))
    assert delayed_entry(frame).counts.entered is None


def test_a_mean_beyond_follow_up_says_so() -> None:
    found = restricted_mean_estimate(mean_of("3 8+", 20))
    assert found.estimate == 3 + 17 / 2
    assert found.reason == "follow-up ends on day 8; the curve is carried on to tau"


def test_the_window_that_cohorts_share() -> None:
    one, other = cohort("3 5+ 8 9+"), cohort("2+ 6+ 20+")
    found = common_window((one, other), 2)
    assert [own.estimate for own in found.by_cohort] == [8, 6]
    assert found.day.estimate == 6
    too_few = common_window((one, other, cohort(NOBODY)), 2)
    assert (too_few.day.estimate, too_few.day.reason) == (None, "at most 0 at risk at any time")


def followed(*patients: tuple[int, int | None, int]) -> pl.DataFrame:
    names = {name: pl.Int64 for name in ("followed_days", "potential_days", "state")}
    return pl.DataFrame(patients, schema=names, orient="row").with_columns(n=pl.lit(1))


def test_completeness_of_follow_up() -> None:
    """Clark's C: 100 of 400 days lost; the event on day 50 was followed in full."""
    frame = followed((100, 200, 0), (150, 150, 0), (50, None, 1))
    assert completeness(frame).estimate == pytest.approx(300 / 400)
    assert completeness(frame, until=100).estimate == 1
    assert completeness(followed()).reason == "no patients"
    assert completeness(followed((0, 0, 0))).reason == "no potential follow-up after day 0"
    with pytest.raises(ValueError, match="longer than it could have been"):
        completeness(followed((300, 200, 0)))
    with pytest.raises(ValueError, match="without potential"):
        completeness(followed((300, None, 0)))


@pytest.mark.parametrize("one", EVERY_KIND)
@pytest.mark.parametrize("other", EVERY_KIND)
def test_no_pair_of_odd_cohorts_is_an_error(one: str, other: str) -> None:
    """`Estimate` refuses NaN and infinity, and warnings are errors: building it is the test."""
    pair = cohort(one), cohort(other)
    curves = [kaplan_meier(counts) for counts in pair]
    at = [survival_at(km, day) for km in curves for day in (0, 4, 7, 50)]
    quartiles = [quantile(km, level) for km in curves for level in (0.25, 0.5, 0.75)]
    means = [restricted_mean(km, 6) for km in curves]
    compared = [
        mover_difference(at[1], at[5]),
        restricted_mean_difference(*means),
        restricted_mean_ratio(*means),
        common_window(pair, 1).day,
        *(follow_up(counts) for counts in pair),
        *(restricted_mean_estimate(mean) for mean in means),
    ]
    for found in at + quartiles + compared:
        assert found.estimate is not None or found.reason, found
    for test in (log_rank(pair), log_rank(pair, LATE), max_combo(pair)):
        assert test.p_value is not None or test.reason
        assert test.p_value is None or np.isfinite(test.p_value)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("state", 2, "compete"),
        ("state", None, "compete"),
        ("n", -1, "without n"),
        ("n", None, "without n"),
        ("time_days", None, "without a day"),
        ("time_days", -4, "before day 0"),
    ],
)
def test_impossible_rows_are_refused(column: str, value: int | None, said: str) -> None:
    frame = rows("3 5+").with_columns(pl.Series(column, [value, 1], dtype=pl.Int64))
    with pytest.raises(ValueError, match=said):
        day_counts(frame)


def test_an_entry_after_the_own_end_is_refused() -> None:
    entries = pl.DataFrame({"time_days": [9], "n": [1]})
    with pytest.raises(ValueError, match="more leave than are at risk"):
        day_counts(rows("3"), entries)


def test_other_impossible_demands() -> None:
    with pytest.raises(ValueError, match="tau"):
        mean_of("3 5", -1)
    with pytest.raises(ValueError, match="fewest 0"):
        common_window((cohort("3"),), 0)
    with pytest.raises(ValueError, match="expected 2, and 1 to 4"):
        max_combo((cohort("3"), cohort("4")), ())
    with pytest.raises(ValueError, match="exponents"):
        FlemingHarrington(-1, 0)
    with pytest.raises(ValueError, match="no limits on the scale"):
        kaplan_meier(cohort("3 5"), "logit")  # type: ignore[arg-type]


def test_a_mean_without_events_still_says_that_follow_up_ended() -> None:
    everybody_lost = DayCounts(np.array([300.0]), np.array([0]), np.array([40]))
    found = restricted_mean_estimate(restricted_mean(kaplan_meier(everybody_lost), 1096))
    assert found.reason is not None and "follow-up ends on day 300" in found.reason
