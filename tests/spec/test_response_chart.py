"""The rows of dots as data: places, domains, and that both pictures stand in line."""

import pytest
import vl_convert

from analysis.charts.response import difference, dumbbell, page_height
from analysis.charts.rows import Difference, Proportion, Row

OLD, NEW = "Protocol 2014", "Protocol 2016"
AGAINST = f"{NEW} minus {OLD}"


def made_rows(label: str = "MRD below the threshold after the second block of induction") -> tuple:
    """A row with all numbers, one without percentages, one withheld, one below zero."""
    return (
        Row(
            "Remission",
            (
                Proportion(OLD, 0, 138, 172, 0.802, 0.736, 0.855),
                Proportion(NEW, 1, 95, 115, 0.826, 0.747, 0.884),
            ),
            (Difference(AGAINST, 1, 0.024, -0.069, 0.111),),
        ),
        Row(
            label,
            (
                Proportion(OLD, 0, 3, 8, None, instead="fewer than 10 patients"),
                Proportion(NEW, 1, None, None, None, instead="withheld"),
            ),
            (Difference(AGAINST, 1, None, instead="fewer than 10 patients"),),
        ),
        Row(
            "Early death",
            (
                Proportion(OLD, 0, 20, 172, 0.116, 0.077, 0.173),
                Proportion(NEW, 1, 0, 115, 0.0, 0.0, 0.032),
            ),
            (Difference(AGAINST, 1, -0.116, -0.173, -0.071),),
        ),
    )


def data_of(spec: dict, mark: str, position: int = 0) -> list[dict]:
    """The rows of the so-manieth layer with a mark."""
    layers = [layer for layer in spec["layer"] if layer["mark"]["type"] == mark]
    return spec["datasets"][layers[position]["data"]["name"]]


def test_what_the_chart_encodes() -> None:
    spec = dumbbell(made_rows(), "Patients").to_dict()
    marks = [layer["mark"]["type"] for layer in spec["layer"]]
    assert marks == ["rule", "text", "point", "text", "rule", "point", *["text"] * 3, "rect"]
    dots = spec["layer"][5]["encoding"]
    assert dots["x"]["scale"]["domain"] == [0, 1]
    assert dots["color"]["scale"]["domain"] == [OLD, NEW]
    # The shape repeats the colour.
    assert dots["shape"]["scale"]["domain"] == [OLD, NEW]
    assert dots["shape"]["scale"]["range"] == ["circle", "diamond"]
    # The first row is on top, in the order given.
    assert dots["y"]["scale"]["reverse"] is True
    axes = spec["layer"][0]["encoding"]
    assert axes["x"]["axis"]["title"] == "Patients"
    assert axes["y"]["axis"]["values"] == sorted(axes["y"]["axis"]["values"])
    # Written in one layer, they are the axes of all, and drawn once.
    assert not any("axis" in layer["encoding"]["y"] for layer in spec["layer"][1:])
    drawn = vl_convert.vegalite_to_svg({**spec, "width": 620})
    assert drawn.count(">Patients<") == 1


def test_what_is_not_estimable_has_no_dot_but_words() -> None:
    spec = dumbbell(made_rows(), "Patients").to_dict()
    assert [(d["row"], d["x"]) for d in data_of(spec, "point", 1)] == [
        (0, 0.802),
        (0, 0.826),
        (2, 0.116),
        (2, 0.0),
    ]
    intervals = [(d["x"], d["upper"]) for d in data_of(spec, "rule", 1)]
    assert intervals == [(0.736, 0.855), (0.747, 0.884), (0.077, 0.173), (0.0, 0.032)]
    words = data_of(spec, "text", 2)
    assert [d["text"] for d in words] == ["fewer than 10 patients", "withheld"]
    numbers = [d["text"].split() for d in data_of(spec, "text", 3)]
    assert numbers == [["138/172", "80", "%"], ["3/8"], ["20/172", "12", "%"]]
    # Withheld: neither number nor percentage, in no place.
    assert [d["text"].split() for d in data_of(spec, "text", 4)][1] == []
    told = data_of(spec, "rect")[1]
    assert told["told_0"] == "fewer than 10 patients, 3/8"
    assert told["told_1"] == "withheld"


def test_both_pictures_have_the_same_row_step() -> None:
    rows = made_rows()
    ours = dumbbell(rows, "Patients").to_dict()
    theirs = difference(rows, "Percentage points").to_dict()
    assert ours["height"] == theirs["height"] < page_height(rows)
    middles: dict[int, list[float]] = {}
    for dot in data_of(ours, "point", 1):
        middles.setdefault(dot["row"], []).append(dot["y"])
    for dot in data_of(theirs, "point", 1):
        assert dot["y"] == pytest.approx(sum(middles[dot["row"]]) / 2)
    first, second = (spec["layer"][0]["encoding"]["y"]["axis"] for spec in (ours, theirs))
    assert first == second


def test_the_axis_of_differences_reaches_as_far_on_both_sides() -> None:
    spec = difference(made_rows(), "Percentage points", ("2014 higher", "2016 higher")).to_dict()
    x = spec["layer"][0]["encoding"]["x"]
    assert x["scale"]["domain"] == [-0.2, 0.2]
    assert x["axis"]["values"] == [-0.2, -0.15, -0.1, -0.05, 0.0, 0.05, 0.1, 0.15, 0.2]
    assert '["+5"]' in x["axis"]["labelExpr"]
    zero = [d["x"] for d in data_of(spec, "rule") if d["is_zero"]]
    assert set(zero) == {0.0}
    assert data_of(spec, "text")[0]["text"] == "← 2014 higher · 2016 higher →"
    numbers = [d["text"] for d in data_of(spec, "text", 3)]
    assert numbers == ["+2 (−7 to +11)", "", "−12 (−17 to −7)"]


def test_the_sides_of_zero_stand_above_the_first_row() -> None:
    differences = (Difference(AGAINST, 1, 0.1), Difference("another", 2, 0.2))
    rows = (Row("a", (Proportion(OLD, 0, 1, 20, 0.05),), differences),)
    spec = difference(rows, "", ("less", "more")).to_dict()
    names, sides = data_of(spec, "text", 1), data_of(spec, "text")
    first_row = spec["layer"][0]["encoding"]["y"]["axis"]["values"][0]
    assert max(name["y"] for name in names) + 9 <= sides[0]["y"] <= first_row - 9


@pytest.mark.parametrize(("reach", "last"), [(0.0, 0.1), (0.04, 0.1), (0.3, 0.3), (1.0, 1.0)])
def test_the_axis_of_differences_holds_what_it_shows(reach: float, last: float) -> None:
    proportions = (Proportion(OLD, 0, 1, 20, 0.05),)
    rows = (Row("a", proportions, (Difference(AGAINST, 1, 0.0, -reach, reach),)),)
    domain = difference(rows, "").to_dict()["layer"][0]["encoding"]["x"]["scale"]["domain"]
    assert domain == [-last, last]


def test_a_long_label_wraps_above_its_row() -> None:
    short, long = (dumbbell(made_rows(label), "").to_dict() for label in ("short", "long " * 20))
    assert long["height"] - short["height"] == 15 * 4
    expression = long["layer"][0]["encoding"]["y"]["axis"]["labelExpr"]
    # Broken for a phone and for a wide plot: the plot's width decides.
    assert expression.startswith("width < 520 ? ")
    assert expression.count("long long long") > 3


def test_nothing_to_draw_is_an_error() -> None:
    with pytest.raises(ValueError, match="no row has a proportion"):
        dumbbell((), "")
    with pytest.raises(ValueError, match="no row has a proportion"):
        dumbbell((Row("heading", ()),), "")
    with pytest.raises(ValueError, match="nothing to draw"):
        difference((Row("a", (Proportion(OLD, 0, 1, 20, 0.05),)),), "")


@pytest.mark.parametrize(
    "numbers",
    [
        (float("nan"), None, None),
        (0.5, float("nan"), 0.6),
        (50.0, None, None),
        (None, 0.1, 0.2),
        (0.5, 0.4, None),
    ],
)
def test_what_is_no_proportion_is_an_error(numbers: tuple) -> None:
    with pytest.raises(ValueError, match=OLD):
        Proportion(OLD, 0, 1, 20, *numbers)
    with pytest.raises(ValueError, match=AGAINST):
        Difference(AGAINST, 1, *numbers)
