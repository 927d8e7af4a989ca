"""Shrunken estimates equal R's metafor and the published examples."""

import pytest

from analysis.stats.shrinkage import Shrinkage, shrunken
from tests.oracle.r_results import r_file, same

CLOSE = 1e-6
R = r_file("shrinkage")["cases"]


def _shrunken(name: str) -> Shrinkage:
    return shrunken(R[name]["y"], R[name]["se"])


@pytest.mark.parametrize("name", R)
def test_the_spread(name: str) -> None:
    found, r = _shrunken(name), R[name]
    assert found.tau_squared is not None and found.heterogeneity is not None
    # At the boundary metafor creeps toward 0 and stops short of it.
    assert found.tau_squared == pytest.approx(r["tau2"], rel=CLOSE, abs=1e-9 * max(r["se"]) ** 2)
    assert found.i_squared == pytest.approx(r["i2"], rel=CLOSE, abs=1e-8)
    same(found.heterogeneity.statistic, r["q"], CLOSE, "Q")
    same(found.heterogeneity.p_value, r["q_p"], CLOSE, "p of Q")
    assert found.heterogeneity.degrees_of_freedom == len(r["y"]) - 1


@pytest.mark.parametrize("name", R)
def test_the_levels_and_their_mean(name: str) -> None:
    found, r = _shrunken(name), R[name]
    mean = found.mean
    for ours, theirs in zip(
        (mean.estimate, mean.lower, mean.upper, mean.p_value), r["mean"], strict=True
    ):
        same(ours, theirs, CLOSE, "mean")
    for level, error, theirs in zip(found.levels, found.standard_errors, r["levels"], strict=True):
        same(error, theirs["se"], CLOSE, "standard error")
        for key in ("estimate", "lower", "upper"):
            same(getattr(level, key), theirs[key], CLOSE, key)


def test_the_published_examples() -> None:
    """Viechtbauer, J Educ Behav Stat 2005;30:261, p. 271: REML 0.2232, I^2 76.84 %.

    BCG vaccine (Colditz 1994) as metafor prints it (Viechtbauer, J Stat Softw 2010;36(3)): tau^2
    0.3132, I^2 92.22 %, Q 152.2330, mean log risk ratio -0.7145 (-1.0669 to -0.3622).
    """
    ten = _shrunken("viechtbauer_2005")
    assert ten.tau_squared == pytest.approx(0.2232, abs=5.1e-5)
    assert ten.i_squared == pytest.approx(0.7684, abs=5.1e-5)
    bcg = _shrunken("bcg_log_risk_ratio")
    assert bcg.tau_squared == pytest.approx(0.3132, abs=5.1e-5)
    assert bcg.i_squared == pytest.approx(0.9222, abs=5.1e-5)
    assert bcg.heterogeneity is not None
    assert bcg.heterogeneity.statistic == pytest.approx(152.2330, abs=5.1e-5)
    published = (-0.7145, -1.0669, -0.3622)
    assert (bcg.mean.estimate, bcg.mean.lower, bcg.mean.upper) == pytest.approx(
        published, abs=5.1e-5
    )
