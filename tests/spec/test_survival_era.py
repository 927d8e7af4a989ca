"""The cohorts by year of enrollment: who, how ill, what they were given, how MRD was measured."""

import json
from collections.abc import Iterator
from dataclasses import replace
from math import sqrt

import pytest

from analysis.answer import Answer, Number
from analysis.compose import Page, page
from analysis.disclosure import release
from analysis.link import decode
from analysis.survival_era import era_answer
from analysis.survival_era_counts import Assay
from tests.spec.clinic import Clinic
from tests.spec.made import HEADER, MAPPING, STUDY, Workshop
from trial.survival_rule import SurvivalRule
from warehouse.query import Snapshot

RULE = """
[[endpoint]]
code = "cir"
label = "Incidence of relapse"
abbreviation = "relapse"
kind = "incidence"
origin = "enrollment"
censor = "last_contact"
rmst_taus = [12]
definition = "To relapse, death competes."
event = [{ milestone = "relapse", state = 1 }, { milestone = "death", state = 2 }]

[survival]
covariates = ["sex", "age"]

[survival.bridge]
reach = "cir"
after = "efs"
"""
ORIGIN = 'origin = { column = "diagnosed", date_format = "%Y-%m-%d" }\n'


def _year(cohort: str, year: str, n: int, n_girls: int, relapses: list[int]) -> Iterator[str]:
    """Patients diagnosed in a year, the first ones with a relapse on a day; all seen to day 800."""
    for k in range(n):
        relapse = relapses[k] if k < len(relapses) else ""
        sex = "f" if k < n_girls else "m"
        day = f"{year}-03-01" if year else ""
        yield f"{cohort}-{year}-{k},{cohort},{sex},7,1,0,{relapse},0,800,{day}"


def _workshop(folder, *lines: str) -> Workshop:
    mapping = MAPPING.replace("[source.enrollment]\n", f"[source.enrollment]\n{ORIGIN}", 1)
    workshop = Workshop(folder, study=STUDY + RULE, mapping=mapping)
    return workshop.patients(*lines, header=f"{HEADER},diagnosed")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Old: 20 in 2014 (15 girls), 12 in 2015 (6). New: 16 in 2015 (4), 8 in 2016 (1)."""
    return _workshop(
        tmp_path_factory.mktemp("era"),
        *_year("2014", "2014", 20, 15, [30, 60, 400, 500, 600]),
        *_year("2014", "2015", 12, 6, [365] * 6),
        *_year("2016", "2015", 16, 4, [366] * 8),
        *_year("2016", "2016", 8, 1, []),
    ).snapshot()


def _on(snapshot: Snapshot, **params: str) -> Page:
    asked = {name: [value] for name, value in params.items()}
    decoded = decode("survival", asked, snapshot.snapshot_id, snapshot.study)
    return page("survival", snapshot, decoded.view)


def _answer(snapshot: Snapshot, **params: str) -> Answer:
    return era_answer(_on(snapshot, **params))


def _number(found: Answer, statistic: str, **of: object) -> Number:
    mine = [
        n
        for n in found.numbers
        if n.statistic == statistic and all(getattr(n, k) == v for k, v in of.items())
    ]
    assert len(mine) == 1, (statistic, of, mine)
    return mine[0]


def test_every_year_has_its_patients_levels_and_incidence(made: Snapshot) -> None:
    found = _answer(made)
    rows = {row[:2]: row[2:] for row in found.table("era_old").rows}
    assert found.table("era_old").columns[2:] == ("2014", "2015", "all years")
    assert rows["Patients enrolled", ""] == (20, 12, 32)
    girls = [cell.split(";")[0] for cell in rows["Sex", "girl"]]
    assert girls == ["15/20 (75.0 %", "6/12 (50.0 %", "21/32 (65.6 %"]
    # By day 365, that day included: two of 20, six of 12.
    reached = [cell.split(";")[0] for cell in rows["Treatment", "relapse within a year"]]
    assert reached == ["2/20 (10.0 %", "6/12 (50.0 %", "8/32 (25.0 %"]


def test_levels_add_up_to_their_year(made: Snapshot) -> None:
    found = _answer(made)
    sizes = {(n.cohort, n.item_code): n.numerator for n in found.numbers if _is(n, "era_patients")}
    assert len(sizes) == 6
    for code in ("sex", "age"):
        for place, n in sizes.items():
            levels = [
                x.numerator
                for x in found.numbers
                if _is(x, "era_level")
                and x.characteristic_code == code
                and (x.cohort, x.item_code) == place
            ]
            assert sum(x or 0 for x in levels) == n


def _is(number: Number, statistic: str) -> bool:
    return number.statistic == statistic


def test_below_ten_patients_a_year_has_no_percentage(made: Snapshot) -> None:
    found = _answer(made)
    rows = {row[:2]: row[2:] for row in found.table("era_new").rows}
    assert rows["Sex", "girl"][1] == "1/8"
    number = _number(
        found, "era_level", cohort="new", item_code="year_2016", characteristic_code="sex",
        level_code="girl",
    )  # fmt: skip
    assert number.estimate is None and number.not_estimable_reason == "fewer than 10 patients"


def test_the_headline_names_the_largest_differences_and_tests_nothing(made: Snapshot) -> None:
    found = _answer(made)
    assert found.headline.startswith(
        "By year of enrollment: Old: 2014 to 2015 (N = 32); New: 2015 to 2016 (N = 24). "
        "Largest differences of case mix, Old then New: "
        "Sex: girl 21/32 (65.6 %), then 5/24 (20.8 %). "
        "Treatment, Old then New: relapse within a year 8/32 (25.0 %), then 0/24 (0.0 %)."
    )
    assert all(n.p_value is None for n in found.numbers)
    assert any(note.text == "Years in which every cohort enrolled: 2015." for note in found.notes)


def test_a_year_that_nobody_was_followed_for_is_not_yet_seen(tmp_path) -> None:
    short = [line.replace(",800,", ",200,") for line in _year("2016", "2021", 15, 5, [])]
    found = _answer(_workshop(tmp_path, *_year("2014", "2014", 15, 5, [9]), *short).snapshot())
    number = _number(found, "era_reach", cohort="new", item_code="year_2021")
    assert number.estimate is None and number.not_estimable_reason == "follow-up ends on day 200"
    figure = next(f for f in found.figures if f.code == "era_2")
    texts = [row.get("below") for rows in figure.spec["datasets"].values() for row in rows]
    assert "not\nyet" in texts


def test_data_without_years_are_a_sentence(tmp_path) -> None:
    study = STUDY + RULE
    lines = [f"{c}-{k},{c},f,7,1,30,,0,90" for c in ("2014", "2016") for k in range(3)]
    found = _answer(Workshop(tmp_path, study=study).patients(*lines).snapshot())
    assert found.headline.startswith("These data hold no calendar years")
    assert (found.figures, found.tables, found.numbers) == ((), (), ())


def test_one_cohort_and_nobody_are_not_compared(made: Snapshot) -> None:
    alone = _answer(made, cohorts="new")
    assert alone.headline == "By year of enrollment: New: 2015 to 2016 (N = 24)."
    assert [t.code for t in alone.tables] == ["era_new"]
    nobody = _answer(made, **{"f.sex": "missing"})
    assert nobody.headline == "No patients match Sex: not recorded in Old, New."


def test_a_study_without_covariates_gets_a_sentence(made: Snapshot) -> None:
    bare = replace(made, study=replace(made.study, survival=SurvivalRule()))
    found = era_answer(replace(_on(made), snapshot=bare))
    assert found.headline.startswith("This study declares no covariates")


def test_under_the_policy_small_cells_take_their_characteristic_along(
    made: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One girl in a year hides all of sex, in the headline and in the pictures too."""
    monkeypatch.setenv("RELAPSE_BOARD_DISCLOSURE", "k")
    found = release(_answer(made))
    assert "withheld" in found.headline and found.figures == ()
    told = {
        (n.characteristic_code, n.estimate is None) for n in found.numbers if _is(n, "era_level")
    }
    assert {hidden for code, hidden in told if code == "sex"} == {True}
    assert False in {hidden for code, hidden in told if code == "age"}
    row = next(row for row in found.table("era_new").rows if row[1] == "girl")
    assert row == ("Sex", "girl", "withheld", "withheld", "withheld")


def test_every_figure_can_be_drawn_and_every_number_has_a_value_or_a_reason(
    made: Snapshot,
) -> None:
    found = _answer(made)
    assert [f.code for f in found.figures] == ["era_1", "era_2"]
    assert [f.page_height for f in found.figures] == [found.figures[0].page_height] * 2
    for figure in found.figures:
        assert "NaN" not in json.dumps(figure.spec)
    for n in found.numbers:
        assert n.estimate is not None or n.not_estimable_reason, n


def test_the_block_and_the_samples_of_a_clinic(tmp_path) -> None:
    """Twelve children of one year: five on blinatumomab, eight samples, two of them by PCR."""
    clinic = Clinic(tmp_path)
    for k in range(12):
        child = clinic.child(f"c{k}", "2016" if k % 2 else "2014").line(remission=40)
        if k < 5:
            child.course("BLINA", 100, 128)
        if k < 7:
            told = {"method": "PCR", "lod": "0.00001"} if k < 2 else {"lod": "0.0001"}
            child.sample(20, "undetectable", **told)
        if k == 0:
            # It stands for the time point after blinatumomab and for that before transplant.
            child.transplant(130).sample(120, "undetectable", lod="0.0001")
        child.seen(700)
    snapshot, _ = clinic.snapshot()
    found = _answer(snapshot, **{"f.risk_group": "high,not_high,missing"})
    started = {
        n.cohort: (n.numerator, n.denominator)
        for n in found.numbers
        if _is(n, "era_block") and n.item_code == "year_2016"
    }
    assert started == {"allrez2014": (3, 6), "allrez2016": (2, 6)}
    samples = [n for n in found.numbers if _is(n, "era_mrd_samples") and n.item_code == "all_years"]
    assert {(n.cohort, n.level_code): n.numerator for n in samples} == {
        ("allrez2014", "flow"): 4, ("allrez2014", "pcr"): 1,
        ("allrez2016", "flow"): 2, ("allrez2016", "pcr"): 1,
    }  # fmt: skip
    limit = _number(found, "era_mrd_limit_mean", cohort="allrez2014", item_code="all_years")
    assert limit.estimate == pytest.approx((1e-4**4 * 1e-5) ** (1 / 5))
    assert (
        "Mean limit of detection of MRD: 0.0063 % (5 samples), then 0.0046 % (3" in found.headline
    )
    median = _number(found, "era_mrd_limit_median", cohort="allrez2014", item_code="all_years")
    assert median.estimate == pytest.approx(1e-4)


def test_the_mean_limit_is_geometric_and_the_median_is_of_samples() -> None:
    assay = Assay({"flow": 4, "pcr": 2}, {"flow": 3, "pcr": 2}, {1e-5: 2, 1e-4: 2}, 1)
    assert assay.mean_limit == pytest.approx(1e-4 / sqrt(10))
    assert assay.median_limit == pytest.approx(5.5e-5)
    assert (assay.n, assay.n_limit) == (6, 4)
    empty = Assay({}, {}, {}, 0)
    assert (empty.mean_limit, empty.median_limit, empty.n) == (None, None, 0)
