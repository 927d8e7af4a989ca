"""Components of failure: bars that add to 100 %, alive or dead after each, nothing compared."""

import re
from pathlib import Path

import pytest

from analysis.answer import Answer
from analysis.charts import palette
from analysis.charts.components import paler
from analysis.compose import Page, page
from analysis.disclosure import release
from analysis.link import decode
from analysis.survival import survival_answer
from analysis.survival_components import components_answer
from tests.conftest import Demo
from tests.spec.made import STUDY
from tests.spec.wards import Child, Wards, wards_of
from trial.words import say
from warehouse.query import Snapshot

STATES = """
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
code = "states"
label = "What became of everybody"
abbreviation = "states"
kind = "states"
origin = "enrollment"
censor = "last_contact"
rmst_taus = [12]
no_event = "without event"
definition = "Relapse or death before it."
event = [{ milestone = "relapse", state = 2 }, { milestone = "death", state = 1 }]
"""


def _page(snapshot: Snapshot, **options: str) -> Page:
    asked = {name: [value] for name, value in options.items()}
    decoded = decode("survival", asked, snapshot.snapshot_id, snapshot.study)
    assert decoded.problems == ()
    return page("survival", snapshot, decoded.view)


def _answer(snapshot: Snapshot, **options: str) -> Answer:
    return components_answer(_page(snapshot, **options))


def _children(protocol: str, **n: int) -> list[Child]:
    """So many who relapse and live, relapse and die by a year, die without, have nothing."""
    kinds = {
        "relapsed": Child(protocol, 900, relapse=100),
        "dead_after": Child(protocol, 300, relapse=100, is_dead=True),
        "dead": Child(protocol, 200, is_dead=True),
        "well": Child(protocol, 900),
    }
    return [kinds[kind] for kind, count in n.items() for _ in range(count)]


# All relapse, nobody does, all on day 0, all seen on day 0 alone, all dead on day 0.
FATES = {
    "relapse": {"seen": 900, "relapse": 100},
    "nothing": {"seen": 900},
    "relapse on day 0": {"seen": 900, "relapse": 0},
    "seen on day 0": {"seen": 0},
    "dead on day 0": {"seen": 0, "is_dead": True},
}


@pytest.fixture(scope="module")
def wards(tmp_path_factory: pytest.TempPathFactory) -> Wards:
    """Forty children of whom nobody is censored within a year, few, and some of one fate."""
    old = _children("2014", relapsed=3, dead_after=6, dead=2, well=9)
    new = _children("2016", relapsed=2, dead_after=1, dead=4, well=13)
    few = [*_children("2014", relapsed=4, well=16), *_children("2016", relapsed=2, well=7)]
    fates = {
        name: [Child("2014", **told)] * 11 + [Child("2016", **told)] for name, told in FATES.items()
    }
    # Of the newer cohort 9 are followed beyond day 200, and one of them relapses on day 250.
    short = [*[Child("2016", 200)] * 11, Child("2016", 900, relapse=250)]
    unequal = [*_children("2014", relapsed=3, well=17), *short, *[Child("2016", 900)] * 8]
    children = {"forty": [*old, *new], "few": few, "unequal": unequal, **fates}
    return wards_of(tmp_path_factory.mktemp("wards"), STUDY + STATES, children)


def _ward(wards: Wards, name: str, time: str = "12") -> Answer:
    return components_answer(page("survival", wards.snapshot, wards.view(name, time=time)))


def _shares(found: Answer, statistic: str, cohort: str) -> dict[tuple, tuple]:
    return {
        (n.level_code, n.measure_code): (n.numerator, n.estimate)
        for n in found.numbers
        if n.statistic == statistic and n.cohort == cohort
    }


def test_components_are_counted_by_hand_where_nobody_is_censored(wards: Wards) -> None:
    found = _ward(wards, "forty")
    wanted = {"old": (9, 2, 0.45, 0.1, 0.45), "new": (3, 4, 0.15, 0.2, 0.65)}
    for cohort, (relapsed, dead, of_relapse, of_death, of_none) in wanted.items():
        told = _shares(found, "component", cohort)
        assert told["2", None] == (relapsed, pytest.approx(of_relapse))
        assert told["1", None] == (dead, pytest.approx(of_death))
        assert told["no_event", None][1] == pytest.approx(of_none)
        assert sum(estimate for _, estimate in told.values()) == pytest.approx(1)


def test_alive_and_dead_after_an_event_are_counted_by_hand(wards: Wards) -> None:
    told = _shares(_ward(wards, "forty"), "component_after", "old")
    assert told == {
        ("no_event", None): (9, pytest.approx(0.45)),
        ("2", "alive"): (3, pytest.approx(0.15)),
        ("2", "dead"): (6, pytest.approx(0.30)),
        ("1", None): (2, pytest.approx(0.10)),
    }


def test_the_dead_after_an_event_are_alive_before(wards: Wards) -> None:
    """A relapse on day 100, death on day 300: at a month nobody, at 200 days all nine live."""
    told = _shares(_ward(wards, "forty", "1"), "component_after", "old")
    assert told["2", "alive"] == (0, 0) and told["2", "dead"] == (0, 0)
    figure = _ward(wards, "forty").figures[1]
    spec = figure.chart.to_dict()
    rows = spec["datasets"][spec["layer"][0]["data"]["name"]]
    (alive,) = [r for r in rows if r["state"] == "relapse, alive" and round(r["time"], 2) == 3.29]
    assert alive["upper"] - alive["lower"] == pytest.approx(9 / 20)


def test_all_alive_stand_below_all_dead(demo: Demo) -> None:
    table = _answer(demo.snapshot, time="3").table("after")
    labels = [row[0].rsplit(", ")[-1] for row in table.rows[1:]]
    assert labels == [*["alive"] * 3, *["dead"] * 3, "death before remission", "death in remission"]


def test_the_components_are_the_states_of_their_own_page(demo: Demo) -> None:
    for time in ("1", "3"):
        own = survival_answer(
            demo.snapshot, _page(demo.snapshot, endpoint="states", time=time).view
        )
        endpoint, days = demo.snapshot.study.endpoint("states"), float(time) * 365.25
        names = {"+".join(endpoint.state_events(s)): str(s) for s in endpoint.states}
        names["event_free"] = "no_event"
        wanted = {
            (n.cohort, names[n.level_code or ""]): (n.estimate, n.lower, n.upper)
            for n in own.numbers
            if n.statistic == "incidence" and n.time_days == days
        }
        found = {
            (n.cohort, n.level_code): (n.estimate, n.lower, n.upper)
            for n in _answer(demo.snapshot, time=time).numbers
            if n.statistic == "component"
        }
        assert found == wanted and len(found) == 12


def test_overall_survival_is_what_the_living_add_to(demo: Demo) -> None:
    own = survival_answer(demo.snapshot, _page(demo.snapshot, endpoint="os", time="3").view)
    found = _answer(demo.snapshot, time="3")
    for cohort in ("allrez2014", "allrez2016"):
        (survival,) = [
            n.estimate
            for n in own.numbers
            if (n.statistic, n.cohort, n.time_days) == ("survival", cohort, 3 * 365.25)
        ]
        told = _shares(found, "component_after", cohort)
        living = sum(
            estimate
            for (code, way), (_, estimate) in told.items()
            if way == "alive" or code == "no_event"
        )
        assert living == pytest.approx(survival, abs=0.005)


def test_nothing_is_compared_and_the_reader_is_told_why(wards: Wards) -> None:
    found = _ward(wards, "forty")
    assert any("no component has a p-value" in n.text for n in found.notes)
    assert all(n.comparator is None and n.p_value is None for n in found.numbers)
    assert not any("minus" in column for t in found.tables for column in t.columns)


def test_the_bars_add_to_everybody_and_share_the_colours_of_the_states(wards: Wards) -> None:
    spec = _ward(wards, "forty").figures[0].chart.to_dict()
    (parts,) = [rows for rows in spec["datasets"].values() if "x2" in rows[0] and "y2" in rows[0]]
    for top in {row["y"] for row in parts}:
        mine = [row for row in parts if row["y"] == top]
        assert mine[0]["x"] == 0 and mine[-1]["x2"] == pytest.approx(1)
        assert all(a["x2"] == b["x"] for a, b in zip(mine, mine[1:], strict=False))
    own = survival_answer(wards.snapshot, wards.view("forty", endpoint="states")).figures[0]
    colours = own.chart.to_dict()["layer"][0]["encoding"]["color"]["scale"]
    wanted = dict(zip(colours["domain"], colours["range"], strict=True))
    assert {row["colour"] for row in parts} == set(wanted.values())


def test_below_ten_patients_there_is_no_bar_and_counts_alone(wards: Wards) -> None:
    found = _ward(wards, "few")
    assert any("No bar of New: fewer than 10 patients" in n.text for n in found.notes)
    row = next(row for row in found.table("components").rows if row[0] == "relapse")
    assert "2/9 by then" in row[2] and "%" not in row[2]
    assert [f.code for f in found.figures] == ["components", "after_1"]


@pytest.mark.parametrize("fate", FATES)
def test_one_fate_for_all_and_one_patient_are_sentences(wards: Wards, fate: str) -> None:
    found = _ward(wards, fate)
    assert found.headline.startswith("Components of failure at 12 months: Old ")
    assert all(n.estimate is not None or n.not_estimable_reason for n in found.numbers)
    assert not re.search(r"\b(nan|inf)\b", repr(found.tables).lower())
    for figure in found.figures:
        assert figure.chart.to_dict()


def test_nobody_with_a_time_is_a_sentence(demo: Demo) -> None:
    found = _answer(demo.snapshot, lines="refractory", endpoint="os")
    assert found.headline.startswith("Nobody has a time for: What became of everybody.")
    assert found.tables == found.figures == found.numbers == ()


def test_without_overall_survival_there_are_bars_alone(tmp_path: Path) -> None:
    only = STATES[STATES.rindex("[[endpoint]]") :]
    children = [c for p in ("2014", "2016") for c in _children(p, relapsed=4, well=8)]
    study = STUDY.replace("[[cohort]]", only + "\n[[cohort]]", 1)
    found = _ward(wards_of(tmp_path, study, {"all": children}), "all")
    assert [f.code for f in found.figures] == ["components"]
    assert [t.code for t in found.tables] == ["components"]


def test_policy_k_withholds_a_whole_whose_part_is_small(
    wards: Wards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELAPSE_BOARD_DISCLOSURE", "k")
    found = release(_ward(wards, "forty"))
    hidden = say("disclosure.short")
    assert found.figures == () and found.headline == say("disclosure.headline")
    assert all(set(row[1:]) == {hidden} for t in found.tables for row in t.rows)
    assert all(n.estimate is None for n in found.numbers)


def _rows(found: Answer, position: int, column: str) -> list[dict]:
    spec = found.figures[position].chart.to_dict()
    return next(rows for rows in spec["datasets"].values() if column in rows[0])


def test_a_bar_is_pale_where_few_are_left_or_beyond_what_cohorts_share(wards: Wards) -> None:
    found = _ward(wards, "unequal")
    told = " ".join(note.text for note in found.notes if note.kind == "warning")
    assert "Compare the cohorts up to 6.6 months" in told
    assert "12 months is later than that." in told
    assert "At 12 months fewer than 10 are at risk in New: the estimate there is unstable." in told
    colours = {row["colour"] for row in _rows(found, 0, "x2")}
    assert colours == {paler(c) for c in palette.STATES[:2]}
    early = {row["colour"] for row in _rows(_ward(wards, "unequal", "1"), 0, "x2")}
    assert early <= set(palette.STATES)
    assert not any("at risk in" in note.text for note in _ward(wards, "forty").notes)


def test_the_areas_are_pale_from_there_on(wards: Wards) -> None:
    found = _ward(wards, "unequal")
    for position in (1, 2):
        rows = _rows(found, position, "part")
        full = [row["time"] for row in rows if row["part"] == "full"]
        assert max(full) == pytest.approx(200 / 30.4375)
        assert max(row["time"] for row in rows) == pytest.approx(900 / 30.4375)
    assert {row["part"] for row in _rows(_ward(wards, "forty"), 1, "part")} == {"full"}
