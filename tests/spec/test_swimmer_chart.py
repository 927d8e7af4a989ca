"""Patients as lanes, as data: in their order, on one axis of time, with all that happened."""

from dataclasses import replace
from functools import cache
from itertools import pairwise

import altair as alt
import pytest
import vl_convert

from analysis.charts import palette
from analysis.charts.swimmer import (
    LANE,
    MOST_LANES,
    Lane,
    Mark,
    Span,
    swimmer_chart,
    swimmer_height,
    time_ticks,
)
from tests.spec.test_response_chart import NEW, OLD, data_of

BLOCKS = (("f1", "F1"), ("f2", "F2"), ("blina", "blinatumomab"))
MARKS = (
    ("mrd_negative", "MRD negative"),
    ("relapse", "relapse"),
    ("own", "own"),
    ("death", "death"),
)
COHORTS = ((0, OLD), (1, NEW))


def made_lanes(label: str = "P-1") -> tuple[Lane, ...]:
    """Alive with two blocks; dead after a relapse, highlighted; nothing known but a day."""
    blocks = (Span(0, 19, "f1", "F1 1"), Span(30, 30, "f2", "F2 1"))
    died = (Mark(150, "relapse", "relapse"), Mark(200, "death", "death"))
    return (
        Lane(label, 0, 400, blocks, (Mark(40, "mrd_negative", "MRD negative"),), True, False),
        Lane(label, 1, 200, (Span(0, 182, "f1", "F1 1"),), died, False, True),
        Lane("P-3", 0, 0, (), (), True, False),
    )


def drawn(
    lanes: tuple[Lane, ...], title: str = "Half-years", landmark: int | None = 60
) -> alt.LayerChart:
    """The chart with the words of these tests."""
    return swimmer_chart(
        lanes,
        blocks=BLOCKS,
        marks=MARKS,
        cohorts=COHORTS,
        unit_days=200.0,
        time_title=title,
        landmark_day=landmark,
    )


@cache
def made_spec() -> dict:
    """The picture of the made lanes, drawn once for all tests."""
    return drawn(made_lanes()).to_dict()


def _height(lanes: tuple[Lane, ...]) -> int:
    return swimmer_height(lanes, blocks=BLOCKS, marks=MARKS, cohorts=COHORTS)


def test_lanes_stand_in_the_order_given_from_day_0_to_their_last() -> None:
    spec = made_spec()
    lanes = data_of(spec, "rect", 1)
    assert [lane["x"] for lane in lanes] == [0, 0, 0]
    assert [lane["x2"] for lane in lanes] == [2, 1, 0]
    steps = [b["y"] - a["y"] for a, b in pairwise(lanes)]
    # The highlighted one has a line more above it.
    assert steps == [2 * LANE, LANE]
    assert _height(made_lanes()) > spec["height"]
    assert spec["layer"][0]["encoding"]["x"].get("axis") is None


def test_who_is_alive_ends_in_an_arrow() -> None:
    lanes = data_of(made_spec(), "rect", 1)
    assert [lane["is_alive"] for lane in lanes] == [True, False, True]
    assert [lane["last"] for lane in lanes][:2] == ["day 400, alive when last seen", "day 200"]
    alive, dead = (
        vl_convert.vegalite_to_svg(
            drawn((replace(made_lanes()[0], is_alive=is_alive),)).properties(width=300).to_dict()
        )
        for is_alive in (True, False)
    )
    assert alive.count("<path") > dead.count("<path")


def test_a_block_covers_its_days_the_last_one_too() -> None:
    spans = data_of(made_spec(), "rect", 2)
    assert [(s["x"], s["x2"]) for s in spans] == [(0, 0.1), (0.15, 0.155), (0, 0.915)]
    assert [s["colour"] for s in spans] == [palette.BLOCKS[k] for k in (0, 1, 0)]
    assert [s["told"] for s in spans] == ["day 0\u201319", "day 30", "day 0\u2013182"]


def test_a_block_is_named_where_there_is_room() -> None:
    svg = vl_convert.vegalite_to_svg(drawn(made_lanes()).properties(width=322).to_dict())
    # 183 of 400 days hold the name, 20 days do not.
    assert svg.count(">F1 1<") == 1 and ">F2 1<" not in svg


def test_the_legend_names_what_occurs_in_the_order_given() -> None:
    keys = data_of(made_spec(), "point")
    narrow = [(k["text"], k["colour"]) for k in keys if k["is_narrow"]]
    assert [text for text, _ in narrow] == [
        *(OLD, NEW),
        *("F1", "F2"),
        *("MRD negative", "relapse", "death"),
    ]
    assert narrow[1] == (NEW, palette.colour(1))
    one = drawn(made_lanes()[2:])
    assert {k["text"] for k in data_of(one.to_dict(), "point")} == {OLD}


def test_the_legend_looks_like_what_it_names() -> None:
    spec = made_spec()
    keys = {k["text"]: (k["shape"], k["colour"]) for k in data_of(spec, "point")}
    for mark in data_of(spec, "point", 2):
        name = mark["title"].split(": ")[1]
        assert keys[name] == (mark["shape"], mark["colour"])


def test_no_two_marks_look_the_same() -> None:
    codes = [*palette.MARKS, *(f"own_{k}" for k in range(18))]
    looks = palette.marks(codes)
    assert len(set(looks.values())) == len(codes)
    assert looks["death"] == palette.MARKS["death"]
    for _, colour in looks.values():
        assert palette.contrast(colour, "#ffffff") > 3.5
        assert palette.contrast(colour, "#0e1117") > 3.5


def test_neighbouring_blocks_differ_in_lightness() -> None:
    for one, other in pairwise(palette.BLOCKS):
        assert palette.contrast(one, other) > 2


def test_the_landmark_is_a_dashed_line_of_its_own() -> None:
    rules = data_of(made_spec(), "rule")
    assert [r["x"] for r in rules if r["is_landmark"]] == [0.3]
    without = data_of(drawn(made_lanes(), landmark=None).to_dict(), "rule")
    beyond = data_of(drawn(made_lanes(), landmark=9999).to_dict(), "rule")
    assert without == beyond == [r for r in rules if not r["is_landmark"]]


@pytest.mark.parametrize(
    ("first", "last", "ticks"),
    [(0, 3.1, [0, 1, 2, 3]), (0, 0.4, [0, 0.1, 0.2, 0.3, 0.4]), (-0.6, 1.1, [-0.5, 0, 0.5, 1])],
)
def test_ticks_are_round_and_few(first: float, last: float, ticks: list[float]) -> None:
    found = time_ticks(first, last)
    assert found == pytest.approx(ticks)
    assert len(time_ticks(0, 1e9)) > 0


def test_all_that_is_on_a_lane_lies_on_the_axis() -> None:
    early_and_late = (
        Lane("P-1", 0, 10, (Span(-20, 30, "f1", "F1"),), (Mark(400, "own", "own"),), False, False),
    )
    spec = drawn(early_and_late).to_dict()
    domains = {
        tuple(layer["encoding"]["x"]["scale"]["domain"])
        for layer in spec["layer"]
        if (layer["encoding"]["x"].get("scale") or {}).get("domain")
    }
    ((first, last),) = domains
    assert first <= -0.1 and last >= 2


def test_the_pointer_is_told_everything_of_a_lane_by_day() -> None:
    lane = data_of(made_spec(), "rect", 1)[0]
    assert lane["title"] == "P-1"
    assert lane["told"] == "F1 1 day 0\u201319 \u00b7 F2 1 day 30 \u00b7 MRD negative day 40"


def test_names_stand_beside_the_plot_and_the_highlighted_one_above_its_lane() -> None:
    spec = made_spec()
    lanes = data_of(spec, "rect", 1)
    axis = spec["layer"][0]["encoding"]["y"]["axis"]
    assert axis["values"] == [lanes[0]["y"], lanes[2]["y"]]
    (name,) = data_of(spec, "text", 1)
    assert name["text"] == "P-1"
    assert name["y"] < lanes[1]["y"] - LANE
    assert name["colour"] == palette.colour(1)


def test_sixty_lanes_are_drawn_with_ticks_on_both_ends_and_no_more() -> None:
    lanes = made_lanes()[:1] * MOST_LANES
    spec = drawn(lanes).to_dict()
    assert len(data_of(spec, "rect", 1)) == MOST_LANES
    assert [t["text"] for t in data_of(spec, "text", 3)] == ["0", "0.5", "1", "1.5", "2"]
    for wrong in ((), lanes + lanes[:1]):
        with pytest.raises(ValueError, match="draw 1 to 60"):
            drawn(wrong)
        with pytest.raises(ValueError, match="draw 1 to 60"):
            _height(wrong)


def test_what_is_no_lane_is_an_error() -> None:
    with pytest.raises(ValueError, match="from day 9 to 8"):
        Span(9, 8, "f1", "F1")
    with pytest.raises(ValueError, match="ends on day -1"):
        replace(made_lanes()[2], last_day=-1)
    with pytest.raises(ValueError, match="r1 is not in the legend"):
        drawn((replace(made_lanes()[2], spans=(Span(0, 1, "r1", "R1"),)),))
    with pytest.raises(ValueError, match="sct is not in the legend"):
        drawn((replace(made_lanes()[2], marks=(Mark(0, "sct", "SCT"),)),))
