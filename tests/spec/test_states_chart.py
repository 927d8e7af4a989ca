"""Stacked states as data: they fill the whole, and are named where there is room."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.charts import palette
from analysis.charts.at_risk import AtRiskBlock, AtRiskColumn
from analysis.charts.states import Occupancy, State, page_height, stacked_states
from tests.spec.test_response_chart import NEW, OLD

NAMES = ("in remission", "relapse", "death")


def made_states(label: str = OLD, names: tuple[str, ...] = NAMES) -> Occupancy:
    """Remission falls from 100 to 20 %, relapse rises to 78 %, death to 2 %."""
    share = np.linspace(0, 1, 51)
    proportions = np.column_stack([1 - 0.8 * share, 0.78 * share, 0.02 * share])
    states = tuple(State(n, c) for n, c in zip(names, palette.STATES, strict=False))
    return Occupancy(label, 0, states, share * 500, proportions)


def drawn(shown: Occupancy, block: AtRiskBlock | None = None, last_day: float = 600.0):
    """The chart with the words of these tests."""
    return stacked_states(
        shown,
        block,
        tick_days=(0.0, 200.0, 400.0, 600.0),
        last_day=last_day,
        unit_days=100.0,
        time_title="Time",
        proportion_title="Patients",
    )


def _data(spec: dict, layer: int) -> list[dict]:
    return spec["datasets"][spec["layer"][layer]["data"]["name"]]


def test_what_the_chart_encodes() -> None:
    spec = drawn(made_states()).to_dict()
    assert [layer["mark"]["type"] for layer in spec["layer"]] == ["area", "text", "text", "rule"]
    area = spec["layer"][0]
    assert area["mark"]["interpolate"] == "step-after"
    assert area["encoding"]["y"]["scale"]["domain"] == [0, 1]
    assert area["encoding"]["x"]["scale"]["domain"] == [0, 6]
    # The legend reads from the top of the stack down.
    assert area["encoding"]["color"]["scale"]["domain"] == list(NAMES[::-1])
    assert area["encoding"]["color"]["legend"]["title"] == OLD
    titles = [t["title"] for t in spec["layer"][3]["encoding"]["tooltip"]]
    assert titles == ["Time", *NAMES[::-1]]


def test_the_bands_fill_the_whole_at_every_time() -> None:
    rows = _data(drawn(made_states()).to_dict(), 0)
    times = sorted({r["time"] for r in rows})
    assert times[0] == 0 and times[-1] == 5
    for time in times:
        edges = [(r["lower"], r["upper"]) for r in rows if r["time"] == time]
        assert edges[0][0] == 0 and edges[-1][1] == 1
        assert all(below[1] == above[0] for below, above in zip(edges, edges[1:], strict=False))


def test_the_pointer_is_told_all_states_at_its_time() -> None:
    rows = _data(drawn(made_states()).to_dict(), 3)
    for row in (rows[0], rows[60], rows[-1]):
        told = [float(row[f"told_{k}"].removesuffix(" %")) for k in range(3)]
        assert sum(told) == pytest.approx(100, abs=0.15)
    assert [rows[-1][f"told_{k}"] for k in range(3)] == ["2.0 %", "78.0 %", "20.0 %"]


def test_a_state_is_named_in_its_band_where_there_is_room() -> None:
    spec = drawn(made_states()).to_dict()
    right, left = _data(spec, 1), _data(spec, 2)
    # 2 % are too thin for a name: the legend has it.
    assert [r["state"] for r in right] == ["in remission", "relapse"]
    assert left == []
    for name in right:
        bands = [r for r in _data(spec, 0) if r["state"] == name["state"] and r["time"] > 3]
        assert all(r["lower"] < name["middle"] < r["upper"] for r in bands)
    falling = replace(made_states(), proportions=made_states().proportions[::-1])
    spec = drawn(falling).to_dict()
    assert [r["state"] for r in _data(spec, 2)] == ["relapse"]
    for name in _data(spec, 1) + _data(spec, 2):
        assert name["text"] in (palette.BLACK, palette.WHITE)


def test_cohorts_with_the_same_end_have_the_same_axis() -> None:
    short = made_states(NEW)
    short = replace(short, day=short.day[:20], proportions=short.proportions[:20])
    long, short = drawn(made_states()).to_dict(), drawn(short).to_dict()
    assert long["layer"][0]["encoding"]["x"] == short["layer"][0]["encoding"]["x"]
    assert long["layer"][0]["encoding"]["y"] == short["layer"][0]["encoding"]["y"]


def test_numbers_at_risk_stand_beneath() -> None:
    block = AtRiskBlock(OLD, 0, ("at risk",), (AtRiskColumn(0.0, ("50",)),))
    spec = drawn(made_states(), block).to_dict()
    assert [layer["mark"]["type"] for layer in spec["layer"][4:]] == ["point", "point"]
    assert page_height(made_states(), block) - page_height(made_states()) == 38


def test_many_times_are_thinned_first_and_last_kept() -> None:
    day = np.arange(0.0, 10_000.0)
    share = day / 20_000
    shown = Occupancy(OLD, 0, made_states().states[:2], day, np.column_stack([1 - share, share]))
    rows = _data(drawn(shown).to_dict(), 0)
    assert len(rows) < 5000
    assert rows[0]["time"] == 0 and rows[-1]["time"] == 99.99


@pytest.mark.parametrize("wrong", [0.9, np.nan, -0.1])
def test_what_is_no_division_of_a_whole_is_an_error(wrong: float) -> None:
    proportions = made_states().proportions.copy()
    proportions[3, 1] = wrong
    with pytest.raises(ValueError, match="proportion"):
        replace(made_states(), proportions=proportions)


def test_nothing_to_draw_is_an_error() -> None:
    with pytest.raises(ValueError, match="no states"):
        Occupancy(OLD, 0, (), np.array([0.0]), np.empty((1, 0)))
    with pytest.raises(ValueError, match="no states"):
        Occupancy(OLD, 0, made_states().states, np.array([]), np.empty((0, 3)))
    with pytest.raises(ValueError, match="one proportion"):
        replace(made_states(), proportions=np.ones((2, 3)) / 3)


def test_shares_are_pale_from_a_day_on_and_named_before_it() -> None:
    spec = drawn(replace(made_states(), fade_day=300.0)).to_dict()
    rows = _data(spec, 0)
    full = [r["time"] for r in rows if r["part"] == "full"]
    pale = [r["time"] for r in rows if r["part"] == "pale"]
    assert (min(full), max(full), min(pale), max(pale)) == (0, 3, 3, 5)
    opacity = spec["layer"][0]["encoding"]["opacity"]
    assert opacity["condition"]["value"] < opacity["value"] == 1
    assert {r["time"] for r in _data(spec, 1)} == {3}
    never = _data(drawn(made_states()).to_dict(), 0)
    assert {r["part"] for r in never} == {"full"}


def test_a_step_on_the_last_day_is_no_sliver_at_the_edge() -> None:
    shares = np.array([[1.0, 0.0, 0.0], [0.8, 0.2, 0.0], [0.3, 0.7, 0.0]])
    shown = Occupancy(OLD, 0, made_states().states, np.array([0.0, 100.0, 400.0]), shares)
    spec = drawn(shown).to_dict()
    assert [r["upper"] for r in _data(spec, 0) if r["state"] == NAMES[0]] == [1.0, 0.8, 0.8]
    # The pointer is told what came of it.
    assert _data(spec, 3)[-1]["told_2"] == "30.0 %"
