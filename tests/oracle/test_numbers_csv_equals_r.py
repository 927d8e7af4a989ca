"""`python -m analysis LINK --out DIR`: the exported numbers equal R, with their denominators."""

import csv
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.link import address, decode
from tests.conftest import Loaded
from tests.oracle.r_results import r_results, same
from tests.oracle.test_survival_equals_r import COHORTS, COX, EXACT

VIEWS = {
    "colon_os_three_arms": ("colon", "os", "5", "", {}),
    "colon_os_obs_vs_lev5fu": ("colon", "os", "5", "obs,lev5fu", {}),
    "colon_os_men_many_nodes": ("colon", "os", "3", "", {"f.sex": "male", "f.node4": "yes"}),
    "myeloid_os": ("myeloid", "os", "3", "", {}),
    "myeloid_os_1y": ("myeloid", "os", "1", "", {}),
    "myeloid_efs": ("myeloid", "efs", "3", "", {}),
    "myeloid_rfs": ("myeloid", "rfs", "3", "", {}),
}


def _export(loaded: Loaded, name: str, out: Path) -> list[dict[str, str]]:
    study, endpoint, tau, cohorts, filters = VIEWS[name]
    snapshot = loaded.snapshots[study]
    params = {"endpoint": endpoint, "tau": tau, **filters}
    if cohorts:
        params["cohorts"] = cohorts
    asked = {key: [value] for key, value in params.items()}
    view = decode("survival", asked, snapshot.snapshot_id, snapshot.study).view
    link = "http://127.0.0.1:8501" + address(view)
    assert main([link, "--out", str(out), "--warehouse", str(loaded.store)]) == 0
    with open(out / "numbers.csv", newline="") as file:
        return list(csv.DictReader(file))


def _number(text: str) -> float | None:
    return float(text) if text else None


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_numbers_csv_equals_r(name: str, loaded: Loaded, tmp_path: Path) -> None:
    rows, expected = _export(loaded, name, tmp_path), r_results()[name]

    def one(statistic: str, **where: object) -> dict[str, str]:
        found = [
            row
            for row in rows
            if row["statistic"] == statistic
            and all(
                float(row[k]) == pytest.approx(v) if k == "time_days" else row[k] == v
                for k, v in where.items()
            )
        ]
        assert len(found) == 1, (statistic, where, len(found))
        return found[0]

    def equal(row: dict[str, str], r: dict, names: tuple[str, ...], tolerance: float) -> None:
        for ours, theirs in zip(("estimate", "lower", "upper", "p_value"), names, strict=False):
            same(_number(row[ours]), r[theirs], tolerance, f"{row['statistic']} {ours}")

    codes = [COHORTS[g] for g in expected["groups"]]
    for code, group in zip(codes, expected["groups"].values(), strict=True):
        for at in group["at"]:
            where = {"cohort": code, "time_days": at["t"]}
            row = one("survival", **where)
            equal(row, at, ("survival", "lower", "upper"), EXACT)
            assert int(row["denominator"]) == group["n"]
            for statistic in ("at_risk", "events_before", "censored_before"):
                assert int(one(statistic, **where)["numerator"]) == at[statistic]
        median = one("median_time", cohort=code)
        for ours, r in zip(("estimate", "lower", "upper"), group["median"], strict=True):
            same(_number(median[ours]), r, EXACT, f"median {ours}")
    for code, cox, mean in zip(
        codes[1:], expected["cox"], expected["rmst_difference"], strict=True
    ):
        equal(one("hazard_ratio", cohort=code), cox, ("hr", "lower", "upper", "p"), COX)
        row = one("rmst_difference", cohort=code, time_days=expected["tau"])
        equal(row, mean, ("difference", "lower", "upper", "p"), EXACT)
    test = one("log_rank_chi_square")
    same(_number(test["estimate"]), expected["log_rank"]["chi_square"], EXACT, "chi-square")
    same(_number(test["p_value"]), expected["log_rank"]["p"], EXACT, "log-rank p")


def test_every_number_has_its_data_and_percentages_their_denominator(
    loaded: Loaded, tmp_path: Path
) -> None:
    for row in _export(loaded, "myeloid_efs", tmp_path):
        assert row["snapshot"] == loaded.snapshots["myeloid"].snapshot_id
        assert row["synthetic"] == "true"
        if row["statistic"] == "survival":
            assert row["numerator"] and row["denominator"]
        assert row["estimate"] or row["not_estimable_reason"]
        assert not {"inf", "nan"} & {row["estimate"], row["lower"], row["upper"]}
