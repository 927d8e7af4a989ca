"""Competing events compared: the difference leads, the test is last, and why no Kaplan-Meier."""

import pytest

from analysis.answer import Answer, Number
from analysis.compose import page
from analysis.link import decode
from analysis.survival import survival_answer
from analysis.survival_bridge import bridge_answer
from tests.conftest import Demo
from tests.spec.made import STUDY
from tests.spec.wards import Child, Wards, wards_of
from warehouse.query import Snapshot

RELAPSE = """
[[endpoint]]
code = "cir"
label = "Incidence of relapse"
abbreviation = "CIR"
kind = "incidence"
origin = "enrollment"
censor = "last_contact"
rmst_taus = [12]
definition = "To relapse; death competes."
event = [{ milestone = "relapse", state = 1 }, { milestone = "death", state = 2 }]
"""


def _answer(snapshot: Snapshot, **options: str) -> Answer:
    asked = {name: [value] for name, value in options.items()}
    decoded = decode("survival", asked, snapshot.snapshot_id, snapshot.study)
    assert decoded.problems == ()
    return survival_answer(snapshot, decoded.view)


def _children(protocol: str, dead: int = 0, relapsed: int = 0, well: int = 0) -> list[Child]:
    """So many who die on day 100, relapse on day 200, are seen to day 800."""
    return [
        *[Child(protocol, 100, is_dead=True)] * dead,
        *[Child(protocol, 800, relapse=200)] * relapsed,
        *[Child(protocol, 800)] * well,
    ]


def _both(old: dict[str, int], new: dict[str, int]) -> list[Child]:
    return [*_children("2014", **old), *_children("2016", **new)]


@pytest.fixture(scope="module")
def wards(tmp_path_factory: pytest.TempPathFactory) -> Wards:
    """Populations of two cohorts, each with its own fate."""
    half = {"relapsed": 10, "well": 10}
    alike = {"dead": 4, "relapsed": 12, "well": 10}
    children = {
        "competing": _both({"dead": 10, "relapsed": 5, "well": 5}, half),
        "no competing": _both(half, half),
        "alike": _both(alike, alike),
        "no event": _both({"dead": 4, "well": 10}, {"dead": 2, "well": 12}),
        "few": _both(half, {"relapsed": 3, "well": 6}),
        **{kind: _both({kind: 12}, {kind: 1}) for kind in ("dead", "relapsed", "well")},
    }
    return wards_of(tmp_path_factory.mktemp("wards"), STUDY + RELAPSE, children)


def _ward(wards: Wards, name: str) -> Answer:
    return survival_answer(wards.snapshot, wards.view(name, endpoint="cir", time="12"))


def _number(found: Answer, statistic: str) -> Number:
    (number,) = [n for n in found.numbers if n.statistic == statistic]
    return number


def _notes(found: Answer, kind: str) -> str:
    return " ".join(n.text for n in found.notes if n.kind == kind)


def test_one_minus_kaplan_meier_is_told_beside_the_incidence(wards: Wards) -> None:
    """Of 20, ten die on day 100; of the ten left five relapse: 5/20, and not one half."""
    found = _ward(wards, "competing")
    told = _notes(found, "info")
    assert "it would say 50.0 % instead of 25.0 % in Old (n = 20)." in told
    # Nobody of the newer cohort has a competing event: there both are the same.
    assert "in New" not in told


def test_without_competing_events_there_is_nothing_to_set_against(wards: Wards) -> None:
    told = _notes(_ward(wards, "no competing"), "info")
    assert "instead of" not in told and "would overstate" in told


def test_the_difference_leads_and_the_test_comes_last(demo: Demo) -> None:
    found = _answer(demo.snapshot, endpoint="cir", time="3")
    rows = [row[0] for row in found.table("comparison").rows]
    assert rows == [
        "Difference at 3 years", "Subdistribution hazard ratio (Fine-Gray)", "Gray's test"
    ]  # fmt: skip
    assert "p =" not in found.headline
    assert [t.code for t in found.tables] == ["states", "comparison", "at_risk"]
    ratio = _number(found, "subdistribution_hazard_ratio")
    assert (ratio.cohort, ratio.comparator) == ("allrez2016", "allrez2014")
    test = _number(found, "gray_chi_square")
    assert test.cohort == "allrez2014,allrez2016"
    assert test.method == "Gray's test, 1 df, up to 3.9 years"
    assert "read the difference first" in _notes(found, "info")


def test_cohorts_that_are_alike_have_a_ratio_of_one(wards: Wards) -> None:
    found = _ward(wards, "alike")
    assert _number(found, "subdistribution_hazard_ratio").estimate == pytest.approx(1)
    assert _number(found, "gray_chi_square").estimate == pytest.approx(0, abs=1e-12)
    assert _notes(found, "warning").count("Fewer than 10 events") == 0


def test_without_an_event_there_is_a_reason(wards: Wards) -> None:
    found = _ward(wards, "no event")
    for statistic in ("subdistribution_hazard_ratio", "gray_chi_square"):
        number = _number(found, statistic)
        assert number.estimate is None and "events" in (number.not_estimable_reason or "")
    assert "Fewer than 10 events: 0 in Old; 0 in New." in _notes(found, "warning")
    assert "not estimable" in found.table("comparison").rows[2][1]


def test_fewer_than_ten_patients_are_not_compared(wards: Wards) -> None:
    found = _ward(wards, "few")
    ratio, test = (_number(found, s) for s in ("subdistribution_hazard_ratio", "gray_chi_square"))
    assert ratio.not_estimable_reason == "fewer than 10 patients"
    assert test.not_estimable_reason == "fewer than two cohorts have 10 patients"


@pytest.mark.parametrize("kind", ["dead", "relapsed", "well"])
def test_one_fate_for_all_and_one_patient_are_sentences(wards: Wards, kind: str) -> None:
    found = _ward(wards, kind)
    assert all(n.estimate is not None or n.not_estimable_reason for n in found.numbers)
    assert found.figures[0].chart.to_dict()


def test_one_cohort_and_kinds_of_line_are_not_compared(demo: Demo) -> None:
    alone = _answer(demo.snapshot, endpoint="cir", cohorts="allrez2016")
    several = _answer(demo.snapshot, endpoint="cir", lines="first_relapse,refractory")
    for found in (alone, several):
        assert "comparison" not in [t.code for t in found.tables]
        assert _number(found, "gray_chi_square").not_estimable_reason
        assert not [n for n in found.numbers if n.statistic == "subdistribution_hazard_ratio"]
    assert "read the difference first" not in _notes(alone, "info")


def test_states_beside_each_other_are_not_compared(demo: Demo) -> None:
    found = _answer(demo.snapshot, endpoint="states")
    followed = {"window_days", "median_follow_up", "completeness"}
    told = {"incidence", "in_figure", "events", "at_risk", *followed}
    assert {n.statistic for n in found.numbers} == told


def test_the_way_to_transplant_warns_where_few_are_left(demo: Demo) -> None:
    asked = {name: [value] for name, value in {"look": "bridge", "time": "5"}.items()}
    view = decode("survival", asked, demo.snapshot.snapshot_id, demo.snapshot.study).view
    told = _notes(bridge_answer(page("survival", demo.snapshot, view)), "warning")
    few = "At 5 years fewer than 10 are at risk in ALL-REZ 2016: the estimate there is unstable."
    assert f"Cumulative incidence of transplant: {few}" in told
