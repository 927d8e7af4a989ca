"""The newer pictures of toxicity as data: sections, amounts, days, differences, who left."""

import re
from dataclasses import replace
from itertools import pairwise

import altair as alt
import pytest
import vl_convert

from analysis.charts import palette
from analysis.charts.axes import day_ticks, round_step
from analysis.charts.by_day import BARS, Onsets, by_day, by_day_height
from analysis.charts.cells import Cell, DifferenceCell
from analysis.charts.incidence import incidence_chart
from analysis.charts.leaving import death_bar, left_bar, left_before, left_before_height
from analysis.charts.rows import Amount, Difference, Proportion, Quartiles, Row
from analysis.charts.toxicity import (
    HeatMap,
    difference_map,
    heat_map,
    heat_map_height,
    rate_differences,
    rates,
    rates_height,
    spans,
    spans_height,
)
from tests.spec.test_incidence_chart import made_curve
from tests.spec.test_response_chart import AGAINST, NEW, OLD, data_of

LONG = "fewer than ten patients of one cohort"


def made_sections(label: str = "Infections", small: str = "CTCAE 4.03, 5") -> tuple[Row, ...]:
    """Two pinned rows, an open category with two terms, a closed one, one with nothing to open."""

    def shares(x: int) -> tuple[Proportion, Proportion]:
        return Proportion(OLD, 0, x, 100, x / 100), Proportion(NEW, 1, 5, 50, 0.1)

    def less(words: str) -> tuple[Difference, ...]:
        return (Difference(AGAINST, 1, None, instead=words),)

    return (
        Row("Any of these", shares(80), is_pinned=True),
        Row("Fatal event", shares(2), less("withheld"), is_pinned=True),
        Row(label, shares(40), (Difference(AGAINST, 1, -0.3),), is_open=True),
        Row("Sepsis", shares(20), less("two scales"), 1, small=small),
        Row("Pneumonia", shares(9), less(LONG), 1, small="a longer list of scales, 3, 4, 5"),
        Row("Hepatic", shares(7), is_open=False),
        Row("Eye", shares(1)),
    )


def made_amounts(label: str = "Sepsis") -> tuple[Row, ...]:
    """Events per course: with an interval, and counts alone."""
    ours = Amount(OLD, 0, 0.42, 0.3, 0.58, "31/74\u20020.42", "31 in 74 courses")
    few = Amount(NEW, 1, None, number="3/8", instead=LONG)
    other = Amount(NEW, 1, 0.1, 0.0, 0.2, "10/101\u20020.10")
    less = Amount(AGAINST, 1, -0.32, -0.5, -0.14, "\u22120.32")
    return (Row(label, (ours, other), (less,)), Row("Hepatic", (ours, few)))


def made_spans(label: str = "Sepsis") -> tuple[Row, ...]:
    """Onsets of two cohorts, one of too few."""
    ours = Quartiles(OLD, 0, 12, 9, 5, 17.5, n_unknown=3, unknown="without a day")
    return (Row(label, (ours, Quartiles(NEW, 1, 4, None, instead="too few"))),)


def made_differences(block: str = "F1", category: str = "Infections") -> HeatMap:
    """A difference with limits, one of too few, one that cannot be compared, days beneath."""
    cells = (
        DifferenceCell(block, category, -0.124, -0.25, 0.01),
        DifferenceCell("CLO", category, None, instead="<\u00a010", is_few=True),
        DifferenceCell("CLO", "Hepatic", None, instead="not comparable"),
    )
    beneath = (("31 d", ""), "Days at risk")
    return HeatMap(AGAINST, 1, (block, "CLO"), (category, "Hepatic"), cells, *beneath)


def made_onsets(label: str = OLD, role: int = 0, n_days: int = 20) -> Onsets:
    """Three first onsets on day 1, one on day 3; of ten patients one leaves after day 8."""
    return Onsets(label, role, (3, 0, 1, *[0] * (n_days - 3)), (*[10] * 8, *[9] * (n_days - 8)))


def made_left(block: str = "F1", group: str = OLD, named: str = "went on") -> list:
    """Two blocks, two groups, of which one has nobody in the second."""
    labels = {"later_block": named}
    return [
        left_bar(block, group, 0, {"documented": 90, "later_block": 10}, labels),
        left_bar(block, NEW, 1, {"documented": 40, "died": 10}, labels),
        left_bar("F2", group, 0, {"documented": 50, "relapsed": 20, "ongoing": 30}, labels),
        left_bar("F2", NEW, 1, {}, labels),
    ]


def _encoding(chart: alt.LayerChart, channel: str = "y") -> dict:
    return chart.to_dict()["layer"][0]["encoding"][channel]


def test_pinned_rows_are_set_off_by_a_line() -> None:
    rows = made_sections()
    spec = rates(rows, "").to_dict()
    tops = spec["layer"][0]["encoding"]["y"]["axis"]["values"]
    (line,) = data_of(spec, "rule", 2)
    assert tops[1] < line["y"] < tops[2]
    # The same rows without pins have no line and are closer together.
    loose = tuple(replace(row, is_pinned=False) for row in rows)
    assert rates_height(loose) < rates_height(rows)
    assert (
        len([la for la in rates(loose, "").to_dict()["layer"] if la["mark"]["type"] == "rule"]) == 2
    )
    # Nothing follows: no line.
    assert rates(rows[:2], "").to_dict()["layer"][-1]["mark"]["type"] == "rect"
    with pytest.raises(ValueError, match="pinned row after"):
        rates(rows[::-1], "")


def test_a_category_says_whether_it_is_open() -> None:
    spec = rates(made_sections(), "").to_dict()
    marks = [m for m in data_of(spec, "point", 2) if m["is_narrow"]]
    assert [m["shape"] for m in marks] == ["triangle-down", "triangle-right"]
    axis = spec["layer"][0]["encoding"]["y"]["axis"]
    tops, padding = axis["values"], axis["labelPadding"]
    assert padding["value"] == 0
    # All categories leave room for the mark, terms stand further right, pinned rows at the edge.
    assert [(c["value"], c["test"]) for c in padding["condition"]] == [
        (-12, f"indexof({[tops[2], tops[5], tops[6]]}, datum.value) >= 0"),
        (-24, f"indexof({tops[3:5]}, datum.value) >= 0"),
    ]
    plain = axis["labelFontWeight"]["condition"]["test"]
    assert plain == f"indexof({[*tops[:2], *tops[3:5]]}, datum.value) >= 0"


def test_a_small_text_stands_behind_its_label_or_beneath_it() -> None:
    rows = made_sections(small="v5")
    spec = rates(rows, "").to_dict()
    small = {(t["text"], t["is_narrow"]): t for t in data_of(spec, "text", 4)}
    tops = spec["layer"][0]["encoding"]["y"]["axis"]["values"]
    behind, beneath = small["v5", True], small["a longer list of scales, 3, 4, 5", True]
    assert behind["y"] == tops[3] and behind["x"] > 24 + len("Sepsis") * 6
    assert beneath["y"] > tops[4] and beneath["x"] == 24
    assert rates_height(rows) < rates_height(made_sections(small="much longer than the label"))


def test_long_words_do_not_take_the_room_of_the_labels() -> None:
    spec = rate_differences(made_sections(), "").to_dict()
    assert [t["text"] for t in data_of(spec, "text", 2)] == [LONG]
    numbers = [t["text"] for t in data_of(spec, "text", 3)]
    assert numbers == ["withheld", "\u221230", "two scales", ""]


def test_amounts_stand_on_an_axis_that_holds_all_limits() -> None:
    axis = _encoding(rates(made_amounts(), "Events", is_rate=True), "x")
    assert axis["scale"]["domain"] == pytest.approx([0, 0.6])
    assert axis["axis"]["values"] == pytest.approx([0, 0.2, 0.4, 0.6])
    spec = rates(made_amounts(), "", is_rate=True).to_dict()
    assert [t["text"] for t in data_of(spec, "text", 3)] == ["31/74\u20020.42"] * 2
    assert [t["text"] for t in data_of(spec, "text", 4)] == ["10/101\u20020.10", "3/8"]
    assert [t["text"] for t in data_of(spec, "text", 2)] == [LONG]
    told = data_of(spec, "rect")
    assert told[0]["told_0"] == "31 in 74 courses" and told[1]["told_1"] == f"{LONG}, 3/8"
    less = _encoding(rate_differences(made_amounts(), "", is_rate=True), "x")["scale"]["domain"]
    assert less == pytest.approx([-0.6, 0.6])


def test_an_axis_of_nothing_but_zeros_can_be_drawn() -> None:
    none = (Row("a", (Amount(OLD, 0, 0.0, 0.0, 0.0, "0/9"),), (Amount(AGAINST, 1, 0.0),)),)
    for chart in (rates(none, "", is_rate=True), rate_differences(none, "", is_rate=True)):
        low, high = _encoding(chart, "x")["scale"]["domain"]
        assert low <= 0 < high


@pytest.mark.parametrize(("reach", "step"), [(3, 1), (3.2, 1), (9, 5), (0.58, 0.2), (0, 0.001)])
def test_steps_are_round(reach: float, step: float) -> None:
    assert round_step(reach, 4) == pytest.approx(step)


@pytest.mark.parametrize(
    ("first", "last", "ticks"),
    [
        (1, 25, (1, 8, 15, 22, 29)),
        (0, 21, (0, 7, 14, 21)),
        (1, 4, (1, 2, 3, 4)),
        (1, 1, (1, 2)),
        (0, 100, (0, 14, 28, 42, 56, 70, 84, 98, 112)),
    ],
)
def test_days_are_counted_in_weeks(first: int, last: int, ticks: tuple[int, ...]) -> None:
    assert day_ticks(first, last) == ticks


def test_spans_are_bars_between_quartiles() -> None:
    spec = spans(made_spans(), "Day", first_day=1).to_dict()
    assert spec["layer"][0]["encoding"]["x"]["scale"]["domain"] == [1, 22]
    assert [(d["x"], d["upper"]) for d in data_of(spec, "rule", 1)] == [(5, 17.5)]
    assert [d["x"] for d in data_of(spec, "point", 1)] == [9]
    assert [t["text"].split() for t in data_of(spec, "text", 2)] == [["n", "12+3", "9", "d"]]
    assert [t["text"].split() for t in data_of(spec, "text", 3)] == [["n", "4", "too", "few"]]
    told = data_of(spec, "rect")[0]
    assert told["told_0"] == "9 d (5 to 17.5), n = 12, 3 without a day"
    assert told["told_1"] == "too few, n = 4"
    assert spec["height"] < spans_height(made_spans())
    with pytest.raises(ValueError, match="before day 6"):
        spans(made_spans(), "", first_day=6)


def test_a_difference_says_its_points_and_is_grey_or_hatched_without() -> None:
    shown = made_differences()
    spec = difference_map(shown, furthest=0.4).to_dict()
    cells = data_of(spec, "rect")
    assert [d["percent"] for d in cells] == ["\u221212", "", ""]
    assert [d["below"] for d in cells] == ["", "<\u00a010", "not\ncomparable"]
    assert cells[0]["told"] == "\u221212.4 (\u221225.0 to +1.0)"
    hatched = data_of(spec, "rule")
    assert len(hatched) == 3 and {d["place"] for d in hatched} == {"Hepatic, CLO"}
    scale = spec["layer"][0]["encoding"]["color"]["scale"]
    assert scale["domain"] == [-0.4, 0, 0.4] and scale["range"] == list(palette.DIVERGING)


def test_the_colours_of_a_difference_are_mixed_as_the_test_of_contrast_mixes_them() -> None:
    cell = DifferenceCell("F1", "a", 0.25)
    shown = HeatMap(AGAINST, 1, ("F1",), ("a",), (cell,))
    svg = vl_convert.vegalite_to_svg(difference_map(shown, furthest=0.5).to_dict())
    channels = [int(_mixed(0.5, palette.DIVERGING[1:])[k : k + 2], 16) for k in (1, 3, 5)]
    assert f'fill="rgb({", ".join(map(str, channels))})"' in svg


@pytest.mark.parametrize(
    ("estimate", "colour"), [(-0.5, "#ffffff"), (0.5, "#ffffff"), (0, "#000000")]
)
def test_the_text_of_a_dark_difference_is_white_on_both_sides(estimate: float, colour: str) -> None:
    shown = HeatMap(AGAINST, 1, ("F1",), ("a",), (DifferenceCell("F1", "a", estimate),))
    svg = vl_convert.vegalite_to_svg(difference_map(shown, furthest=0.5).to_dict())
    (text,) = re.findall(r"<text[^>]*>[^<0-9]*[05]0?<", svg)
    assert f'fill="{colour}"' in text


def _mixed(share: float, ends: tuple[str, ...]) -> str:
    pairs = zip(*([int(c[k : k + 2], 16) for k in (1, 3, 5)] for c in ends), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


@pytest.mark.parametrize("end", [palette.DIVERGING[0], palette.DIVERGING[2]])
def test_the_text_of_a_difference_can_be_read_on_every_shade(end: str) -> None:
    dark, white = palette.HEAT_TEXT
    for step in range(101):
        text = dark if step / 100 < palette.DIVERGING_WHITE_ABOVE else white
        shade = _mixed(step / 100, (palette.DIVERGING[1], end))
        assert palette.contrast(text, shade) > 4.4


def test_under_the_names_of_blocks_stand_their_days() -> None:
    shown = made_differences()
    spec = difference_map(shown).to_dict()
    days = data_of(spec, "text", 2)
    assert [d["text"] for d in days] == ["31 d", ""]
    assert all(d["y"] < data_of(spec, "rect")[0]["y"] for d in days)
    axis = spec["layer"][0]["encoding"]["y"]["axis"]
    assert '"0.0": ["Days at risk"]' in axis["labelExpr"]
    bare = HeatMap(AGAINST, 1, shown.blocks, shown.categories, shown.cells)
    assert heat_map_height(bare) < heat_map_height(shown)
    assert spec["height"] < heat_map_height(shown)


def test_bars_by_day_stand_on_one_scale() -> None:
    shown = [made_onsets(), Onsets(NEW, 1, (0, 1), (5, 5))]
    spec = by_day(shown, "Day", "still in").to_dict()
    bars = data_of(spec, "rect")
    assert [b["n"] for b in bars] == [3, 1, 1]
    assert [b["y2"] - b["y"] for b in bars] == pytest.approx([BARS, BARS / 3, BARS / 3])
    assert bars[0]["x2"] < bars[1]["x"] and bars[1]["y2"] < bars[2]["y"]
    assert [(t["x"], t["text"]) for t in data_of(spec, "text", 2)] == [
        (1, "10"),
        (8, "10"),
        (15, "9"),
        (1, "5"),
    ]
    assert [n["n"] for n in data_of(spec, "text")] == ["4/10", "1/5"]
    told = data_of(spec, "rect", 1)
    assert len(told) == 20 and told[2]["told_0"] == "1 / 10" and told[2]["told_1"] == "-"
    assert spec["layer"][3]["encoding"]["x"]["axis"]["values"] == [1, 8, 15]
    assert spec["height"] < by_day_height(shown)


def test_days_without_any_onset_can_be_drawn() -> None:
    spec = by_day([Onsets(OLD, 0, (0,), (0,))], "", "").to_dict()
    assert data_of(spec, "rect") == []
    assert len(data_of(spec, "rule")) == 2


def test_everybody_is_in_one_class_before_a_block() -> None:
    bars = made_left()
    assert [bar.n for bar in bars] == [100, 50, 100, 0]
    spec = left_before(bars, "Patients").to_dict()
    assert [t["text"] for t in data_of(spec, "text", 1)] == ["N 100", "N 100"]
    assert [t["text"] for t in data_of(spec, "text", 2)] == ["N 50", "N 0"]
    # Each block is said once, each cohort once, each bar has its cohort's dot.
    assert len(spec["layer"][0]["encoding"]["y"]["axis"]["values"]) == 2
    narrow = [k["text"] for k in data_of(spec, "point") if k["is_narrow"]]
    assert narrow[:2] == [OLD, NEW] and len(narrow) == 2 + 5
    dots = data_of(spec, "point", 1)
    assert [d["shape"] for d in dots] == [palette.shape(k) for k in (0, 1, 0, 1)]
    tops = sorted({(p["y"], p["y2"]) for p in data_of(spec, "rect")})
    assert all(above[1] < below[0] for above, below in pairwise(tops))
    assert left_before_height(bars) > spec["height"]


@pytest.mark.parametrize("classes", [palette.LEFT_BEFORE, palette.DEATHS])
def test_neighbouring_classes_differ_in_lightness(classes: dict[str, str]) -> None:
    colours = list(classes.values())
    assert all(palette.contrast(one, other) > 2 for one, other in pairwise(colours))
    assert len(set(colours)) == len(colours)
    assert all(palette.contrast(palette.text_on(c), c) > 4.5 for c in colours)


def _in_days(unit_days: float) -> alt.LayerChart:
    return incidence_chart(
        (made_curve(),),
        (),
        tick_days=(0.0, 7.0),
        unit_days=unit_days,
        time_title="Day",
        incidence_title="",
        at_risk="at risk",
        bands=False,
        whole_days=True,
    )


def test_of_few_days_every_whole_day_is_told() -> None:
    spec = _in_days(1.0).to_dict()
    assert [row["time"] for row in data_of(spec, "rule")] == list(range(251))
    assert spec["layer"][-1]["encoding"]["tooltip"][0]["format"] == "d"
    with pytest.raises(ValueError, match="whole days in units of 100 days"):
        _in_days(100.0)


def test_what_cannot_be_drawn_is_an_error() -> None:
    refused = {
        "not a number": lambda: Amount(OLD, 0, float("nan")),
        "both limits": lambda: Amount(OLD, 0, 1.0, 0.5),
        "do not hold": lambda: Amount(OLD, 0, 1.0, 2.0, 3.0),
        "amount below 0": lambda: rates((Row("a", (Amount(OLD, 0, -1.0),)),), "", is_rate=True),
        "days of 0": lambda: Quartiles(OLD, 0, 0, 3.0),
        "from -1 to 1": lambda: DifferenceCell("F1", "a", 1.2),
        "furthest": lambda: difference_map(made_differences(), furthest=0),
        "no DifferenceCell": lambda: difference_map(
            HeatMap(OLD, 0, ("F1",), ("a",), (Cell("F1", "a", 1, 20, 0.05),))
        ),
        "no Cell": lambda: heat_map(made_differences()),
        "1 texts beneath 2": lambda: HeatMap(
            OLD, 0, ("F1", "F2"), ("a",), (Cell("F1", "a", 1, 20, 0.05),), ("31 d",)
        ),
        "of every day": lambda: Onsets(OLD, 0, (1, 0), (5,)),
        "come back": lambda: Onsets(OLD, 0, (1, 0), (5, 6)),
        "more onsets": lambda: Onsets(OLD, 0, (1, 3), (5, 2)),
        "more first onsets": lambda: Onsets(OLD, 0, (4, 4), (5, 5)),
        "fewer than no": lambda: Onsets(OLD, 0, (-1,), (5,)),
        "no cohort": lambda: by_day([], "", ""),
        "no class alive": lambda: left_bar("F1", OLD, 0, {"alive": 1}, {}),
        "no class ongoing": lambda: death_bar("", OLD, 0, {"ongoing": 1}, {}),
        "no bars": lambda: left_before_height([]),
    }
    for message, make in refused.items():
        with pytest.raises(ValueError, match=message):
            make()
