"""The forest as data: hollow marks lie under their rows, and ticks are written short."""

import pytest
import vl_convert

from analysis.charts.forest import (
    Shrunken,
    forest_chart,
    hazard_values,
    mean_difference_values,
    mean_values,
    values_chart,
    with_sides,
)
from analysis.charts.rows import Amount, Row

PAIR = "New against old"


def _row(label: str, *effects: Amount) -> Row:
    sides = (Amount("old", 0, 0.4, 0.3, 0.5, "6/10"), Amount("new", 1, None, number="2/4"))
    return Row(label, sides, effects)


def made_forest(label: str) -> tuple[Row, ...]:
    """A row of everybody, a heading, a level and one without a comparison."""
    return (
        _row("Everybody", Amount(PAIR, 1, -0.4, -0.8, 0.0, "0.67 (0.45 to 1.00)")),
        Row(label, ()),
        _row(label, Amount(PAIR, 1, -0.9, -1.6, -0.2, "0.41 (0.20 to 0.82)")),
        _row("b", Amount(PAIR, 1, None, instead="fewer than 10 patients")),
    )


def _marks(spec: dict, filled: bool) -> list[dict]:
    """The points at a place of the axis; those of the legend stand at a pixel."""
    points = [layer for layer in spec["layer"] if layer["mark"]["type"] == "point"]
    (found,) = [
        layer
        for layer in points
        if layer["mark"]["filled"] is filled and layer["encoding"]["x"].get("field") == "x"
    ]
    return spec["datasets"][found["data"]["name"]]


def test_a_hollow_mark_lies_under_the_dot_of_its_row() -> None:
    rows = made_forest("Sex")
    values = with_sides(hazard_values(rows, "Hazard ratio"), ("fewer", "more"), -0.4)
    spec = forest_chart(rows, values, [Shrunken(2, -0.6, -1.0, -0.2)]).to_dict()
    (hollow,) = _marks(spec, False)
    dots = {round(dot["x"], 3): dot["y"] for dot in _marks(spec, True)}
    assert hollow["x"] == -0.6
    assert 5 < hollow["y"] - dots[-0.9] < 15
    assert spec["layer"][-1]["mark"]["type"] == "rect", "the pointer still finds the rows"


def test_what_lies_beyond_the_axis_ends_at_its_edge() -> None:
    rows = made_forest("Sex")
    values = hazard_values(rows, "Hazard ratio")
    spec = forest_chart(rows, values, [Shrunken(2, -0.6, -99.0, 99.0)]).to_dict()
    (hollow,) = _marks(spec, False)
    assert (hollow["lower"], hollow["upper"]) == values.domain


def test_ticks_are_written_short() -> None:
    assert [text for _, text in hazard_values(made_forest("a"), "").ticks] == [
        "0.1", "0.33", "1", "3", "10",
    ]  # fmt: skip
    assert [text for _, text in mean_values(3.0, "").ticks] == ["0", "1", "2", "3"]
    ticks = mean_difference_values(made_forest("a"), "").ticks
    assert [text for _, text in ticks] == [
        "−2", "−1.5", "−1", "−0.5", "0", "+0.5", "+1", "+1.5", "+2",
    ]  # fmt: skip


@pytest.mark.parametrize("label", ["plain", "datum.x'\"</script>"])
def test_it_is_drawn_whole_with_any_label(label: str) -> None:
    rows = made_forest(label)
    values = hazard_values(rows, "Hazard ratio")
    for chart in (
        forest_chart(rows, values, [Shrunken(2, -0.6, -1.0, -0.2)]),
        forest_chart(rows, values),
        values_chart(rows, mean_values(3.0, "Mean")),
    ):
        svg = vl_convert.vegalite_to_svg(chart.to_dict(validate=True))
        assert "NaN" not in svg and "undefined" not in svg
        assert "<script" not in svg


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="row 2: not a number"):
        Shrunken(2, float("nan"), 0.0, 1.0)
