"""Cox regression where there is little to compare: a number or a reason, never infinity.

Days of one cohort as in textbooks: 3 5 8+ is an event on day 3, one on day 5, and one patient
followed without it to day 8.
"""

from math import log

import polars as pl
import pytest

from analysis.stats.counts import DayCounts, day_counts
from analysis.stats.cox import CoxFit, cox_fit, hazard_ratios
from analysis.stats.estimate import Estimate
from analysis.stats.firth import FirthFit, firth_fit, firth_hazard_ratios
from analysis.stats.forest import NO_EVIDENCE, forest, interaction
from analysis.stats.proportionality import proportionality


def days(text: str) -> list[tuple[int, int]]:
    """Day and state of every patient."""
    return [(int(d.rstrip("+")), int(not d.endswith("+"))) for d in text.split()]


def cohort(text: str) -> DayCounts:
    types = {"time_days": pl.Int32, "state": pl.Int8}
    rows = pl.DataFrame(days(text), schema=types, orient="row")
    return day_counts(rows.with_columns(n=pl.lit(1)))


def ratio(*cohorts: str) -> Estimate:
    return hazard_ratios(tuple(cohort(c) for c in cohorts))[0]


def penalized(*cohorts: str) -> Estimate:
    return firth_hazard_ratios(tuple(cohort(c) for c in cohorts))[0]


def test_no_events() -> None:
    """Nothing can be said, not even with a penalty."""
    assert ratio("3+ 5+", "4+ 9+").reason == (
        "a cohort without events: the hazard ratio has no finite estimate"
    )
    assert penalized("3+ 5+", "4+ 9+").reason == "no events in any cohort"


def test_one_cohort_is_all_censored() -> None:
    """No finite ratio; the penalized one is small, with a limit on both sides."""
    assert "without events" in (ratio("3 5 8", "4+ 9+ 9+").reason or "")
    found = penalized("3 5 8", "4+ 9+ 9+")
    assert found.estimate is not None and found.lower is not None and found.upper is not None
    assert 0 < found.lower < found.estimate < 1 < found.upper
    mirrored = penalized("4+ 9+ 9+", "3 5 8")
    assert mirrored.estimate == pytest.approx(1 / found.estimate)
    assert mirrored.lower == pytest.approx(1 / found.upper)


def test_an_empty_cohort() -> None:
    for found in (ratio("3 5 8", ""), penalized("3 5 8", "")):
        assert (found.estimate, found.reason) == (None, "a cohort without patients")


def test_only_one_cohort() -> None:
    alone = (cohort("3 5 8"),)
    assert cox_fit(alone) == firth_fit(alone) == "only one cohort"
    assert hazard_ratios(alone) == firth_hazard_ratios(alone) == ()


def test_one_patient_each() -> None:
    """One event, one at risk: Jeffreys' prior is half an event more for each, 0.5 to 1.5."""
    assert "without events" in (ratio("3", "5+").reason or "")
    assert penalized("3", "5+").estimate == pytest.approx(0.5 / 1.5)
    assert "monotone" in (ratio("3", "5").reason or "")


def test_all_events_on_day_0() -> None:
    """A ratio of two proportions at best, and no change over time to look for."""
    cohorts = (cohort("0 0 4+ 9+"), cohort("0 5+ 5+ 9+"))
    assert hazard_ratios(cohorts)[0].estimate is not None
    found = proportionality(cohorts)
    assert (found.n_events, found.n_events_at_origin) == (0, 3)
    assert "without events" in (found.reason or "")


def test_all_events_on_one_day() -> None:
    """Ties of all: 2 of 4 and 1 of 4. No trend over time can be seen."""
    cohorts = (cohort("3 3 4+ 9+"), cohort("3 5+ 5+ 9+"))
    assert isinstance(cox_fit(cohorts), CoxFit)
    found = proportionality(cohorts, least_events=1)
    assert found.overall.chi_square is None
    assert found.overall.reason == "no change over time can be seen: too few days with events"


def test_everybody_has_the_event_on_the_same_day() -> None:
    """Nothing between the cohorts: ratio 1, p 1."""
    found = ratio("3 3", "3 3")
    assert (found.estimate, found.p_value) == (pytest.approx(1), pytest.approx(1))


def test_never_at_risk_together() -> None:
    """The other cohort is gone before the first event, or has entered after the last."""
    assert ratio("5 8 9", "1+ 2+ 3").reason is not None
    early = cohort("2 3")
    rows = pl.DataFrame({"time_days": [7, 9], "state": [1, 1], "n": [1, 1]})
    late = day_counts(rows, pl.DataFrame({"time_days": [4], "n": [2]}))
    assert cox_fit((early, late)) == "the cohorts are never at risk together at an event"
    assert firth_fit((early, late)) == "the cohorts are never at risk together at an event"


def test_separation() -> None:
    """All of the other cohort before the first of the reference: monotone likelihood."""
    found = ratio("10 11 12", "1 2 3")
    assert found.reason == "monotone likelihood: the hazard ratio has no finite estimate"
    assert (penalized("10 11 12", "1 2 3").estimate or 0) > 1


def test_a_third_cohort_without_events_leaves_no_fit_but_a_penalized_one() -> None:
    three = (cohort("3 5 8 9"), cohort("2 4 9 9+"), cohort("6+ 7+ 9+"))
    assert "without events" in str(cox_fit(three))
    fit = firth_fit(three)
    assert isinstance(fit, FirthFit) and fit.coefficients[1] < 0
    assert fit.wald_p_values[1] > fit.p_values[1], "Wald's limits are too far out here"


def test_three_events_in_three_cohorts_still_have_limits() -> None:
    """Far out the penalty is nearly all there is; a rough second derivative does not arrive."""
    fit = firth_fit((cohort("1 1 1+ 2+"), cohort("3"), cohort("2+ 2+ 5+")))
    assert isinstance(fit, FirthFit)
    assert (fit.lower < fit.coefficients).all() and (fit.coefficients < fit.upper).all()


def test_a_cohort_may_be_missing_in_a_stratum() -> None:
    """A stratum with one cohort says nothing of the ratio."""
    first = (cohort("3 5 8"), cohort("4 6 9+"))
    second = (cohort("2 4 4+"), cohort(""))
    one, both = cox_fit(first), cox_fit(first, second)
    assert isinstance(one, CoxFit) and isinstance(both, CoxFit)
    assert both.coefficients.tolist() == one.coefficients.tolist()
    assert both.n_events == 7
    assert cox_fit(second) == "a cohort without patients"


def test_a_cohort_with_events_only_where_it_is_alone() -> None:
    """It has events, but none while the reference is at risk in the same stratum."""
    first = (cohort("3 5 8"), cohort("4+ 6+ 9+"))
    second = (cohort(""), cohort("2 4 4+"))
    assert "monotone" in str(cox_fit(first, second))


def test_strata_of_other_cohorts_are_refused() -> None:
    with pytest.raises(ValueError, match="same cohorts"):
        cox_fit((cohort("3"), cohort("4")), (cohort("3"),))


def test_few_events_do_not_judge_proportionality() -> None:
    old, new = cohort("0 " + "1 2 3 5 7 8 " * 2), cohort("0 0 " + "1 4 6 9 9+ " * 4)
    found = proportionality((old, new))
    assert (found.n_events, found.n_events_at_origin) == (28, 3)
    assert found.reason == found.overall.reason == "too few to judge proportionality"
    assert found.overall.p_value is None and found.by_cohort[0].p_value is None
    assert proportionality((old, new), after_origin=False).reason is None


LEVELS = {
    "a: both": ("3 5 8 9+", "4 6 9+ 9+"),
    "b: both": ("2 5 7 9+", "1 6 8 9+"),
    "c: no events": ("3+ 5+", "4+"),
    "d: an arm without": ("3 5 6", "4+ 7+"),
    "e: empty": ("3 5 6", ""),
    "f: never together": ("5 6", "1+ 2+"),
    "g: separated": ("10 11", "1 2"),
}


def levels(*names: str) -> pl.DataFrame:
    rows = [
        (name, arm, day, state, 1)
        for name in names
        for arm, text in zip(("old", "new"), LEVELS[name], strict=True)
        for day, state in days(text)
    ]
    columns = ["subgroup", "cohort_code", "time_days", "state", "n"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def test_a_forest_gives_every_subgroup_a_row() -> None:
    found = forest(levels(*LEVELS), "old", "new")
    reasons = dict(zip(found["subgroup"], found["reason"], strict=True))
    assert reasons == {
        "a: both": None,
        "b: both": None,
        "c: no events": "a cohort without events: the hazard ratio has no finite estimate",
        "d: an arm without": "a cohort without events: the hazard ratio has no finite estimate",
        "e: empty": "a cohort without patients",
        "f: never together": "a cohort without events: the hazard ratio has no finite estimate",
        "g: separated": "monotone likelihood: the hazard ratio has no finite estimate",
    }
    numbers = found.select("log_hazard_ratio", "hazard_ratio", "lower", "upper", "p_value")
    assert numbers.head(2).null_count().sum_horizontal()[0] == 0
    assert numbers.tail(5).null_count().row(0) == (5,) * 5
    assert found["n_other"].to_list() == [4, 4, 1, 2, 0, 2, 2]


def test_a_forest_without_any_fit() -> None:
    assert forest(levels("c: no events"), "old", "new")["hazard_ratio"].to_list() == [None]
    assert forest(levels(), "old", "new").is_empty()
    absent = forest(levels("a: both"), "old", "another")
    assert absent["reason"].to_list() == ["a cohort without patients"]


def test_the_interaction_leaves_out_who_cannot_speak() -> None:
    """A level without any comparison counts in neither model; one without events is penalized."""
    found = interaction(
        levels("a: both", "b: both", "c: no events", "f: never together"), "old", "new"
    )
    assert (found.levels, found.degrees_of_freedom) == (("a: both", "b: both"), 1)
    assert found.left_out == ("c: no events", "f: never together")
    assert "Firth" not in found.method and found.method.endswith(NO_EVIDENCE)
    wider = interaction(levels("a: both", "b: both", "d: an arm without"), "old", "new")
    assert (wider.degrees_of_freedom, wider.left_out) == (2, ())
    assert "Firth" in wider.method and wider.p_value is not None


def test_one_level_has_no_interaction() -> None:
    for names in ((), ("a: both",), ("a: both", "e: empty"), ("c: no events",)):
        found = interaction(levels(*names), "old", "new")
        assert found.p_value is None
        assert found.reason == "fewer than two levels can be compared"


def test_a_forest_refuses_what_cannot_be() -> None:
    good = levels("a: both")
    for wrong in (
        good.with_columns(state=pl.lit(2)),
        good.with_columns(n=pl.lit(-1)),
        good.with_columns(time_days=pl.lit(None, pl.Int64)),
        good.with_columns(subgroup=pl.lit(None, pl.String)),
    ):
        with pytest.raises(ValueError, match="8 rows without"):
            forest(wrong, "old", "new")


def many(day: list[int], events: list[int], censored: list[int]) -> DayCounts:
    return DayCounts(*(pl.Series(x).to_numpy() for x in (day, events, censored)))


def test_a_large_ratio_is_still_a_number() -> None:
    """One patient of a million has the event first, one of the reference before it ends."""
    fit = cox_fit((many([2, 9], [1, 0], [0, 999_999]), many([1, 3], [1, 0], [0, 1])))
    assert isinstance(fit, CoxFit)
    assert fit.coefficients[0] == pytest.approx(log(1e6), abs=1)


def test_a_first_step_that_is_too_long() -> None:
    """One day compares 1,200 with 11,110 at risk, 100 events each: close to log of 100/11,110
    against 100/1,200. Newton's method alone jumps over it and does not come back.
    """
    old = many([1, 4, 6], [100, 100, 1000], [0, 0, 0])
    new = many([0, 1, 2], [0, 100, 0], [100, 10_010, 1000])
    fit = cox_fit((old, new))
    assert isinstance(fit, CoxFit)
    assert fit.coefficients[0] == pytest.approx(log(1_200 / 11_110), abs=0.1)


def test_an_interval_beyond_all_numbers() -> None:
    """A million against one, and one against a million: the ratio may be anything."""
    first = (many([1, 2], [1, 0], [0, 999_999]), many([2], [0], [1]))
    second = (many([2], [0], [1]), many([1, 2], [1, 0], [0, 999_999]))
    found = hazard_ratios(first, second)[0]
    assert (found.estimate, found.p_value) == (pytest.approx(1), pytest.approx(1))
    assert (found.lower, found.upper) == (None, None)
    assert "no limits" in (found.reason or "")


def test_strata_that_hardly_compare() -> None:
    """Each has one patient on one side. The penalty alone has a valley where both say little; the
    fit climbs out of it, to a maximum.
    """
    first = (many([1, 2], [1, 0], [0, 19]), many([2], [0], [1]))
    second = (many([2], [0], [1]), many([1, 2], [1, 0], [0, 7]))
    fit = firth_fit(first, second)
    assert isinstance(fit, FirthFit)
    assert fit.lower[0] < fit.coefficients[0] < fit.upper[0]
