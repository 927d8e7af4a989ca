"""Rates, first events, burden and false discovery rates equal R; one published example."""

import polars as pl
import pytest

from analysis.stats.competing import aalen_johansen, incidence_at
from analysis.stats.estimate import Estimate
from analysis.stats.toxicity import (
    PerPatient,
    burden_difference,
    false_discovery_rates,
    first_event_counts,
    grade_days,
    mean_burden,
    per_patient,
    rate,
    rate_difference,
    rate_ratio,
    share_difference,
    share_of_courses,
)
from tests.oracle.r_results import r_file, same

EXACT = 1e-8
R = r_file("toxicity_rates")
RATES = R["rates"]


def _cohorts(case: dict) -> tuple[PerPatient, PerPatient]:
    rows = pl.DataFrame(case["rows"]).rename({"patient": "patient_key"})
    one, other = (
        per_patient(rows.filter(pl.col("cohort") == c), "events", "exposure") for c in (1, 2)
    )
    return one, other


def _same(found: Estimate, r: list[float], relative: float, what: str) -> None:
    ours = (found.estimate, found.lower, found.upper, found.p_value)
    for value, theirs in zip(ours, r, strict=False):
        same(value, theirs, relative, what)


@pytest.mark.parametrize("name", sorted(RATES))
def test_rates_and_shares(name: str) -> None:
    """A glm on the single courses, its sandwich clustered by patient, Student's t."""
    r, cohorts = RATES[name], _cohorts(RATES[name])
    for i, patients in enumerate(cohorts):
        assert patients.n == r["n"][i]
        found = share_of_courses(patients) if r["binary"] else rate(patients, r["per"])
        _same(found, [r[key][i] for key in ("estimate", "lower", "upper")], EXACT, f"cohort {i}")
        assert found.reason is None
    difference = (
        share_difference(*cohorts) if r["binary"] else rate_difference(*cohorts, per=r["per"])
    )
    _same(difference, r["difference"], EXACT, "difference")
    if not r["binary"]:
        _same(rate_ratio(*cohorts), r["ratio"], EXACT, "ratio")


def test_no_events_at_all() -> None:
    """Poisson's exact limit in the whole exposure; Clopper-Pearson of 0, or all, of n patients."""
    for r in R["none"]["rate"]:
        n = r["n"]
        nobody = pl.DataFrame({"patient_key": range(n), "y": [0] * n, "m": [r["exposure"] / n] * n})
        found = rate(per_patient(nobody, "y", "m"))
        _same(found, [0, 0, r["upper"]], EXACT, f"0 in {r['exposure']}")
        assert found.reason == f"no events in {n}"
    for r in R["none"]["share"]:
        n = r["n"]
        courses = pl.DataFrame({"patient_key": range(n), "y": [0] * n, "m": [3] * n})
        nobody = share_of_courses(per_patient(courses, "y", "m"))
        _same(nobody, [0, 0, r["upper"]], EXACT, f"0 of {n}")
        everybody = share_of_courses(per_patient(courses, "m", "m"))
        _same(everybody, [1, r["lower_of_all"], 1], EXACT, f"{n} of {n}")


def test_burden() -> None:
    r = R["burden"]
    events = pl.DataFrame(r["events"]).rename(
        {"patient": "patient_key", "term": "term_code", "start": "start_day", "end": "end_day"}
    )
    days = grade_days(events, pl.Series(range(1, 46)))
    assert days.tolist() == r["grade_days"]
    one, other = days[:20], days[20:]
    for burdens, theirs in zip((one, other), r["means"], strict=True):
        _same(mean_burden(burdens), theirs, EXACT, "mean")
    _same(burden_difference(one, other), r["difference"], EXACT, "difference")


def test_first_event_against_leaving_the_block() -> None:
    r = R["first_event"]
    columns = ("first_event_day", "exit_day", "is_exit_observed")
    rows = pl.DataFrame({name: r[name] for name in columns})
    for chosen, curve in (
        (rows, r["curve"]),
        (rows.filter(pl.Series(r["full"])), r["curve_uncensored"]),
    ):
        fit = aalen_johansen(first_event_counts(chosen))
        for i, day in enumerate(r["days"]):
            found = incidence_at(fit, 1, day)
            same(found.estimate, curve["estimate"][i], EXACT, f"F({day})")
            if found.estimate:
                same(found.lower, curve["lower"][i], EXACT, f"lower({day})")
                same(found.upper, curve["upper"][i], EXACT, f"upper({day})")
    last = incidence_at(fit, 1, 99).estimate
    same(last, r["share_uncensored"], EXACT, "the end without censoring")


def test_false_discovery_rates() -> None:
    for r in R["adjusted"]:
        ours = false_discovery_rates(r["p"])
        for value, theirs in zip(ours, r["adjusted"], strict=True):
            same(value, theirs, EXACT, "adjusted p")


def test_the_published_example_of_benjamini_and_hochberg() -> None:
    """JRSS B 1995;57:289, section 4.1: of 15 end points four are rejected at 0.05.

    (Thrombolysis with rt-PA and APSAC; Bonferroni rejects three.)
    """
    published = (0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344)
    published += (0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0)
    adjusted = false_discovery_rates(published)
    assert [q is not None and q <= 0.05 for q in adjusted] == [True] * 4 + [False] * 11
    assert adjusted[3] == pytest.approx(15 / 4 * 0.0095)
