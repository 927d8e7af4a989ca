"""Every survival statistic equals R: real data, a published example, made edge cases."""

import math

import polars as pl
import pytest

from analysis.groups import groups as groups_of
from analysis.outcomes import outcomes
from analysis.stats.counts import DayCounts, at_risk_table, day_counts
from analysis.stats.cox import cox_fit, hazard_ratios
from analysis.stats.limits import clopper_pearson, mover_difference
from analysis.stats.logrank import log_rank
from analysis.stats.restricted_mean import restricted_mean, restricted_mean_difference
from analysis.stats.survival import (
    follow_up,
    kaplan_meier,
    quantile,
    standard_error_at,
    survival_at,
)
from tests.conftest import Loaded
from tests.oracle.r_results import cases, r_results, same
from trial.selection import selection

EXACT = 1e-8
COX = 1e-6
REAL = {
    "colon_os_three_arms": ("colon", "os", {}),
    "colon_os_obs_vs_lev5fu": ("colon", "os", {}),
    "colon_rfs_three_arms": ("colon", "rfs", {}),
    "colon_os_men_many_nodes": ("colon", "os", {"sex": ["male"], "node4": ["yes"]}),
    "myeloid_os": ("myeloid", "os", {}),
    "myeloid_os_1y": ("myeloid", "os", {}),
    "myeloid_efs": ("myeloid", "efs", {}),
    "myeloid_rfs": ("myeloid", "rfs", {}),
}
COHORTS = {"Obs": "obs", "Lev": "lev", "Lev+5FU": "lev5fu", "A": "a", "B": "b"}
R = r_results()


def _counts(time: list[float], event: list[int]) -> DayCounts:
    frame = pl.DataFrame({"time_days": time, "state": event, "n": [1] * len(time)}, strict=False)
    return day_counts(frame)


@pytest.fixture(params=sorted(R))
def compared(request: pytest.FixtureRequest, loaded: Loaded):
    """R's results of one comparison, and the day counts of its cohorts."""
    name = request.param
    expected = R[name]
    if name.startswith("case_"):
        case = cases()[name.removeprefix("case_")]
        groups = [int(g) for g in expected["groups"]]
        rows = list(zip(case["time"], case["event"], case["group"], strict=True))
        return expected, tuple(
            _counts([t for t, _, k in rows if k == g], [e for _, e, k in rows if k == g])
            for g in groups
        )
    study, endpoint, levels = REAL[name]
    snapshot = loaded.snapshots[study]
    codes = [COHORTS[g] for g in expected["groups"]]
    chosen = selection(snapshot.study, codes, levels)
    found = outcomes(snapshot, chosen, snapshot.study.endpoint(endpoint))
    by_code = {g.code: found.of(g).by_day for g in groups_of(snapshot.study, chosen)}
    return expected, tuple(day_counts(by_code[code]) for code in codes)


def test_counts_and_curve(compared) -> None:
    expected, cohorts = compared
    for counts, group in zip(cohorts, expected["groups"].values(), strict=True):
        assert (counts.n, counts.n_events) == (group["n"], group["events"])
        km = kaplan_meier(counts)
        for row in group["at"]:
            at = at_risk_table(counts, (row["t"],))[0]
            assert at.at_risk == row["at_risk"]
            assert at.events == row["events_before"]
            assert at.censored == row["censored_before"]
            assert at.at_risk + at.events + at.censored == counts.n
            found = survival_at(km, row["t"])
            if found.estimate is None:  # R carries the last value on; here it is not estimable
                assert row["t"] > group["last"]
                continue
            same(found.estimate, row["survival"], EXACT, f"S({row['t']})")
            if 0 < found.estimate < 1:
                same(found.lower, row["lower"], EXACT, f"lower at {row['t']}")
                same(found.upper, row["upper"], EXACT, f"upper at {row['t']}")
                same(standard_error_at(km, row["t"]), row["se"], EXACT, f"se at {row['t']}")


@pytest.mark.parametrize(("key", "level"), [("median", 0.5), ("quartile", 0.75)])
def test_quantiles(compared, key: str, level: float) -> None:
    expected, cohorts = compared
    for counts, group in zip(cohorts, expected["groups"].values(), strict=True):
        found = quantile(kaplan_meier(counts), level)
        ours = (found.estimate, found.lower, found.upper)
        for value, r, what in zip(ours, group[key], ("estimate", "lower", "upper"), strict=True):
            same(value, r, EXACT, f"{key} {what}")


def test_follow_up(compared) -> None:
    expected, cohorts = compared
    for counts, group in zip(cohorts, expected["groups"].values(), strict=True):
        found = follow_up(counts)
        for value, r in zip(
            (found.estimate, found.lower, found.upper), group["follow_up"], strict=True
        ):
            same(value, r, EXACT, "follow-up")


def test_differences_of_survival(compared) -> None:
    expected, cohorts = compared
    one, *others = (kaplan_meier(counts) for counts in cohorts)
    checked = 0
    for other, rows in zip(others, expected["survival_difference"], strict=True):
        for r in rows:
            at = survival_at(one, r["t"]), survival_at(other, r["t"])
            # At S = 1 or 0 the limits here are exact ones, and R's none or of no width.
            if not all(x.estimate is not None and 0 < x.estimate < 1 for x in at):
                continue
            found = mover_difference(*at)
            same(found.estimate, r["difference"], EXACT, "difference")
            same(found.lower, r["lower"], EXACT, "lower")
            same(found.upper, r["upper"], EXACT, "upper")
            checked += 1
    assert checked


def test_exact_limits() -> None:
    for row in r_results("exact"):
        for ours, r in zip(clopper_pearson(row["x"], row["n"]), row["limits"], strict=True):
            same(ours, r, EXACT, f"{row['x']}/{row['n']}")


def test_log_rank(compared) -> None:
    expected, cohorts = compared
    found, r = log_rank(cohorts), expected["log_rank"]
    assert found.degrees_of_freedom == r["df"]
    same(found.chi_square, r["chi_square"], EXACT, "chi-square")
    same(found.p_value, r["p"], EXACT, "p")


def test_hazard_ratios(compared) -> None:
    expected, cohorts = compared
    fit = cox_fit(cohorts)
    assert not isinstance(fit, str)
    same(fit.likelihood_ratio, expected["likelihood_ratio"], COX, "likelihood ratio")
    for position, (found, r) in enumerate(
        zip(hazard_ratios(cohorts), expected["cox"], strict=True)
    ):
        same(float(fit.coefficients[position]), r["beta"], COX, "beta")
        same(float(fit.standard_errors[position]), r["se"], COX, "se")
        same(found.estimate, r["hr"], COX, "hazard ratio")
        same(found.lower, r["lower"], COX, "lower")
        same(found.upper, r["upper"], COX, "upper")
        same(found.p_value, r["p"], COX, "p")


def test_restricted_means(compared) -> None:
    expected, cohorts = compared
    means = [restricted_mean(kaplan_meier(counts), expected["tau"]) for counts in cohorts]
    for mean, group in zip(means, expected["groups"].values(), strict=True):
        same(mean.mean, group["rmst"][0], EXACT, "mean")
        same(mean.standard_error, group["rmst"][1], EXACT, "se")
    for mean, r in zip(means[1:], expected["rmst_difference"], strict=True):
        found = restricted_mean_difference(means[0], mean)
        same(found.estimate, r["difference"], EXACT, "difference")
        same(found.lower, r["lower"], EXACT, "lower")
        same(found.upper, r["upper"], EXACT, "upper")
        same(found.p_value, r["p"], EXACT, "p")


def test_the_published_6mp_example() -> None:
    """Gehan 1965, Lawless 1982: medians 8 and 23 weeks, log-rank 16.79, log HR -1.572 (Efron)."""
    case = cases()["drug6mp"]
    rows = list(zip(case["time"], case["event"], case["group"], strict=True))
    placebo, drug = (
        _counts([t for t, _, k in rows if k == g], [e for _, e, k in rows if k == g])
        for g in (0, 1)
    )
    assert quantile(kaplan_meier(placebo)).estimate == 8
    assert quantile(kaplan_meier(drug)).estimate == 23
    assert log_rank((placebo, drug)).chi_square == pytest.approx(16.793, abs=5e-4)
    ratio = hazard_ratios((placebo, drug))[0].estimate
    assert ratio is not None and math.log(ratio) == pytest.approx(-1.572, abs=5e-4)
