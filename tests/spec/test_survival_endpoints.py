"""The list of endpoints: what each row says, of whom, and what is said where nothing can be."""

from dataclasses import replace
from pathlib import Path

import pytest

from analysis.answer import Answer, Number
from analysis.compose import Page, page
from analysis.disclosure import release
from analysis.link import decode
from analysis.survival import survival_answer
from analysis.survival_endpoints import endpoints_answer
from analysis.survival_endpoints_results import listed
from tests.conftest import Demo, Loaded
from tests.spec.made import STUDY
from tests.spec.wards import Child, Wards, wards_of
from trial.words import say
from warehouse.query import Snapshot

MORE = """
[[endpoint]]
code = "os"
label = "Overall survival"
abbreviation = "OS"
origin = "enrollment"
censor = "last_contact"
rmst_taus = [12]
definition = "To death."
event = [{ milestone = "death", state = 1 }]

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


def _page(snapshot: Snapshot, **options: str) -> Page:
    asked = {name: [value] for name, value in options.items()}
    decoded = decode("survival", asked, snapshot.snapshot_id, snapshot.study)
    assert decoded.problems == ()
    return page("survival", snapshot, decoded.view)


def _answer(snapshot: Snapshot, **options: str) -> Answer:
    return endpoints_answer(_page(snapshot, **options))


def _cohort(protocol: str, relapses: int, deaths: int, on_day_0: int = 0) -> list[Child]:
    """Twenty children seen to day 800, but for those who die; all events by day 300."""
    events = [Child(protocol, 800, relapse=0)] * on_day_0
    events += [Child(protocol, 800, relapse=100 + k) for k in range(relapses)]
    events += [Child(protocol, 200 + k, is_dead=True) for k in range(deaths)]
    return [*events, *[Child(protocol, 800)] * (20 - len(events))]


def _unequal() -> list[Child]:
    """The older cohort is followed for 1000 days, most of the newer for 200."""
    old = [Child("2014", 1000, relapse=50 if k < 5 else None) for k in range(30)]
    return [*old, *[Child("2016", 900 if k < 9 else 200) for k in range(30)]]


def _nested(protocol: str) -> list[Child]:
    """Event-free less overall survival: three with a relapse who live."""
    died, lives = Child(protocol, 300, is_dead=True), Child(protocol, 900)
    return [*[Child(protocol, 900, relapse=50)] * 3, *[died] * 20, *[lives] * 20]


@pytest.fixture(scope="module")
def wards(tmp_path_factory: pytest.TempPathFactory) -> Wards:
    """Populations of two cohorts, each for a question of its own."""
    reached, never = Child("2014", 800, remission=30), Child("2014", 800)
    children = {
        "plain": [*_cohort("2014", 8, 2), *_cohort("2016", 4, 1)],
        "day 0": [*_cohort("2014", 4, 0, on_day_0=5), *_cohort("2016", 3, 0)],
        "remission": [*[reached] * 12, *[never] * 6, *[Child("2016", 800, remission=30)] * 12],
        "unequal": _unequal(),
        "few": [*_cohort("2014", 4, 1), *_cohort("2016", 1, 1)[:9]],
        "nested": [*_nested("2014"), *_nested("2016")],
        "all on day 0": [*[Child("2014", 500, relapse=0)] * 12, Child("2016", 500, relapse=0)],
        "all censored": [*[Child("2014", 500)] * 12, Child("2016", 500)],
        "seen on day 0": [*[Child("2014", 0)] * 12, Child("2016", 0)],
    }
    return wards_of(tmp_path_factory.mktemp("wards"), STUDY + MORE, children)


def _ward(wards: Wards, name: str, time: str = "12") -> Answer:
    return endpoints_answer(page("survival", wards.snapshot, wards.view(name, time=time)))


def _number(found: Answer, statistic: str, **wanted: object) -> Number:
    (number,) = [
        n
        for n in found.numbers
        if n.statistic == statistic and all(getattr(n, k) == v for k, v in wanted.items())
    ]
    return number


def test_each_endpoint_is_counted_by_hand(wards: Wards) -> None:
    found = _ward(wards, "plain")
    # Nobody is censored before a year: every value is a quotient.
    wanted = {"efs": (10, 5, 0.5, 0.75), "os": (2, 1, 0.9, 0.95), "cir": (8, 4, 0.4, 0.2)}
    for code, (old, new, of_old, of_new) in wanted.items():
        for cohort, events, value in (("old", old, of_old), ("new", new, of_new)):
            number = _number(found, "endpoint_value", endpoint=code, cohort=cohort)
            assert (number.numerator, number.denominator) == (events, 20)
            assert number.estimate == pytest.approx(value)
        difference = _number(found, "endpoint_difference", endpoint=code)
        assert difference.estimate == pytest.approx(of_new - of_old)
        assert (difference.cohort, difference.comparator) == ("new", "old")


def test_the_list_says_what_each_endpoints_own_page_says(demo: Demo) -> None:
    found = _answer(demo.snapshot, time="3")
    codes = [e.code for e in demo.snapshot.study.endpoints if e.kind != "states"]
    assert {n.endpoint for n in found.numbers if n.statistic == "endpoint_value"} == set(codes)
    for code in codes:
        view = _page(demo.snapshot, endpoint=code, time="3").view
        own = survival_answer(demo.snapshot, view).numbers
        for number in (n for n in found.numbers if n.endpoint == code):
            names = {"endpoint_value": ("survival", "incidence")}
            names["endpoint_difference"] = ("survival_difference", "incidence_difference")
            if number.statistic not in names:
                continue
            first = demo.snapshot.study.endpoint(code).state_events(1)
            (same,) = [
                n
                for n in own
                if n.statistic in names[number.statistic or ""]
                and (n.cohort, n.comparator) == (number.cohort, number.comparator)
                and n.time_days == number.time_days
                and n.level_code in (None, "+".join(first))
            ]
            estimates = (number.estimate, number.lower, number.upper, number.numerator)
            assert estimates == (same.estimate, same.lower, same.upper, same.numerator), code


def test_events_on_day_0_are_told_apart_from_the_rest(wards: Wards) -> None:
    found = _ward(wards, "day 0")
    (row,) = found.table("day_0").rows
    assert row[0] == "EFS: Event-free survival"
    assert row[1].startswith("5/20 (25.0 %;") and "of the other 15: 73.3 %" in row[1]
    assert row[2].startswith("0/20 (0.0 %;") and "of the other 20: 85.0 %" in row[2]
    share = _number(found, "day_0_proportion", cohort="old")
    assert (share.numerator, share.denominator, share.estimate) == (5, 20, 0.25)
    assert any("count on day 0" in n.text for n in found.notes)


def test_without_an_event_on_day_0_nothing_is_said_of_it(wards: Wards) -> None:
    found = _ward(wards, "plain")
    assert "day_0" not in [t.code for t in found.tables]
    assert not any("day 0" in n.text for n in found.notes)


def test_each_row_says_its_time_zero_and_who_reached_it(wards: Wards) -> None:
    found = _ward(wards, "remission")
    zero = {row[0]: row[1] for row in found.table("endpoints").rows}
    assert zero["OS: Overall survival"] == "from diagnosis"
    assert zero["RFS: Relapse-free survival"] == "from remission, among those who reached it"
    told = {row[0]: row[1:] for row in found.table("left_out").rows}
    assert told["RFS: Relapse-free survival"] == ("12/18; 6 never reached remission", "12/12")
    (warned,) = [n.text for n in found.notes if n.text.startswith("RFS: counted from remission")]
    assert "Old 12 of 18, New 12 of 12" in warned


def test_of_an_incidence_lower_is_better_but_of_the_way_to_transplant_neither(demo: Demo) -> None:
    found = _answer(demo.snapshot)
    better = {row[0].split(":")[0]: row[2] for row in found.table("endpoints").rows}
    assert better["EFS"] == "higher is better" and better["CIR"] == "lower is better"
    assert better["transplant"] == "neither is better"
    drawn = str(found.figures[0].chart.to_dict())
    assert "CIR (lower is better)" in drawn and "transplant (neither is better)" in drawn


def test_the_definitions_are_printed(demo: Demo) -> None:
    table = _answer(demo.snapshot).table("definitions")
    assert table.is_prose and not table.disclosed
    told = {row[0].split(":")[0]: row[-1] for row in table.rows}
    assert "counted on day 0" in told["EFS"]
    assert "on the day of the last marrow" in told["EFS (day of failure)"]


def test_survival_is_not_compared_beyond_unequal_follow_up(wards: Wards) -> None:
    found = _ward(wards, "unequal")
    difference = _number(found, "endpoint_difference", endpoint="os")
    assert difference.estimate is None
    assert "in which the cohorts are compared" in (difference.not_estimable_reason or "")
    # At a month all are followed.
    found = _ward(wards, "unequal", "1")
    assert _number(found, "endpoint_difference", endpoint="os").estimate == 0


def test_below_ten_patients_there_are_counts_alone(wards: Wards) -> None:
    found = _ward(wards, "few")
    number = _number(found, "endpoint_value", endpoint="efs", cohort="new")
    assert number.estimate is None and (number.numerator, number.denominator) == (2, 9)
    (cell,) = [row[4] for row in found.table("endpoints").rows if row[0].startswith("EFS")]
    assert "2/9 events" in cell and "%" not in cell
    assert "fewer than 10 patients" in found.table("endpoints").rows[0][5]


@pytest.mark.parametrize("fate", ["all on day 0", "all censored", "seen on day 0"])
def test_one_fate_for_all_and_one_patient_are_sentences(wards: Wards, fate: str) -> None:
    found = _ward(wards, fate)
    assert found.headline.startswith("4 endpoints at 12 months. Event-free survival: ")
    assert all(n.estimate is not None or n.not_estimable_reason for n in found.numbers)
    assert "nan" not in repr(found.tables).lower() and "inf " not in repr(found.tables).lower()
    for figure in found.figures:
        assert figure.chart.to_dict()


def test_nobody_with_a_time_is_a_sentence(tmp_path: Path) -> None:
    study = STUDY.replace('code = "efs"', 'code = "late"').replace(
        'origin = "enrollment"', 'origin = "remission"'
    )
    children = {"all": [*[Child("2014", 500)] * 12, *[Child("2016", 500)] * 12]}
    made = wards_of(tmp_path, study, children)
    found = _answer(made.snapshot)
    assert found.headline == "None of the 2 endpoints has a time in: all enrolled patients."
    assert found.figures == () and found.numbers == ()
    assert {row[1] for row in found.table("left_out").rows} == {"0/12; 12 never reached remission"}


def test_kinds_of_line_are_shown_and_not_compared(demo: Demo) -> None:
    found = _answer(demo.snapshot, lines="first_relapse,refractory")
    table = found.table("endpoints")
    assert not any("minus" in column for column in table.columns)
    assert not any(n.statistic == "endpoint_difference" for n in found.numbers)
    efs = next(row for row in table.rows if row[0].startswith("EFS:"))
    assert "not defined for this line" in efs


def test_overlapping_outcomes_of_randomised_patients_are_no_findings(loaded: Loaded) -> None:
    found = _answer(loaded.snapshots["colon"])
    assert any(n.text.startswith("4 differences of overlapping outcomes") for n in found.notes)
    assert not any("not randomised" in n.text for n in found.notes)


def test_policy_k_withholds_an_endpoint_that_another_gives_away(
    wards: Wards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELAPSE_BOARD_DISCLOSURE", "k")
    found = release(_ward(wards, "nested"))
    hidden, told = say("disclosure.short"), {}
    for row in found.table("endpoints").rows:
        told[row[0].split(":")[0]] = hidden in row
    assert told["OS"] and not told["EFS"]
    drawn = str(found.figures[0].chart.to_dict())
    assert "23/43 ev." in drawn and "20/43 ev." not in drawn
    values = {n.endpoint: n.estimate for n in found.numbers if n.statistic == "endpoint_value"}
    assert values["os"] is None and values["efs"] is not None


def test_rows_of_many_groups_have_room(loaded: Loaded) -> None:
    """Three arms: the percentage alone stands beside a name, the rest under the pointer."""
    spec = str(_answer(loaded.snapshots["colon"], time="5").figures[0].chart.to_dict())
    assert "149/315 events by then" in spec and "/315 ev." not in spec


def test_what_is_not_defined_for_the_line_is_named(demo: Demo) -> None:
    on = _page(demo.snapshot, lines="refractory", endpoint="os")
    assert [e.code for e in listed(on.study, on.view)] == ["os", "os_blina"]
    found = endpoints_answer(on)
    assert any(
        n.text.startswith("Not defined for this kind of line: Event-free") for n in found.notes
    )
    assert replace(found, notes=()).headline.startswith("2 endpoints")
