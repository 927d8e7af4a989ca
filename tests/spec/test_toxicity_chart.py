"""Rates by term and the heat map as data."""

import pytest
import vl_convert

from analysis.charts import palette
from analysis.charts.rows import Difference, Proportion, Row
from analysis.charts.toxicity import (
    Cell,
    HeatMap,
    heat_map,
    heat_map_height,
    rate_differences,
    rates,
    rates_height,
)
from tests.spec.test_response_chart import AGAINST, NEW, OLD, data_of


def made_terms(label: str = "Sepsis") -> tuple[Row, ...]:
    """A category and its terms, one of them withheld in a cohort."""

    def row(name: str, x: int, y: int, indent: int) -> Row:
        ours = Proportion(OLD, 0, x, 100, x / 100, max(0.0, x / 100 - 0.05), x / 100 + 0.05)
        theirs = Proportion(NEW, 1, y, 100, y / 100, max(0.0, y / 100 - 0.05), y / 100 + 0.05)
        return Row(name, (ours, theirs), (Difference(AGAINST, 1, (y - x) / 100),), indent)

    withheld = Proportion(NEW, 1, None, None, None, instead="withheld")
    last = Row("Pneumonia", (Proportion(OLD, 0, 7, 100, 0.07, 0.03, 0.14), withheld), (), 1)
    return (row("Infections", 40, 30, 0), row(label, 20, 10, 1), last, row("Hepatic", 5, 0, 0))


def made_heat_map(category: str = "Infections", block: str = "F1") -> HeatMap:
    """Two blocks and categories: a known cell, n/N alone, a withheld one, and an empty place."""
    cells = (
        Cell(block, category, 40, 50, 0.8),
        Cell(block, "Hepatic", 3, 8, None, "fewer than 10"),
        Cell("CLO", "Hepatic", None, None, None, "not given"),
    )
    return HeatMap(OLD, 0, (block, "CLO"), (category, "Hepatic"), cells)


def test_rates_stand_in_the_order_given_terms_under_categories() -> None:
    spec = rates(made_terms(), "Patients").to_dict()
    axis = spec["layer"][0]["encoding"]["y"]["axis"]
    assert axis["values"] == sorted(axis["values"]) and len(axis["values"]) == 4
    terms = axis["labelPadding"]["condition"]["test"]
    assert terms == f"indexof({axis['values'][1:3]}, datum.value) >= 0"
    assert axis["labelFontWeight"]["condition"] == {"test": terms, "value": "normal"}
    dots = data_of(spec, "point", 1)
    assert [(d["cohort"], d["x"]) for d in dots if d["row"] == 1] == [(OLD, 0.2), (NEW, 0.1)]
    assert spec["layer"][5]["encoding"]["x"]["scale"]["domain"] == [0, 1]
    # Here the word stands among the numbers, not in the lane.
    assert [d["text"].split() for d in data_of(spec, "text", 3)][2] == ["withheld"]
    assert spec["height"] < rates_height(made_terms())


def test_rate_differences_have_the_row_step_of_the_rates() -> None:
    ours, theirs = rates(made_terms(), ""), rate_differences(made_terms(), "")
    assert ours.to_dict()["height"] == theirs.to_dict()["height"]
    assert [d["row"] for d in data_of(theirs.to_dict(), "point", 1)] == [0, 1, 3]


def test_over_many_rows_the_ticks_are_said_once_more() -> None:
    few, many = (rates(made_terms() * k, "").to_dict() for k in (2, 3))
    assert [d["text"] for d in data_of(few, "text")] == []
    assert [d["text"] for d in data_of(many, "text")] == ["0%", "25%", "50%", "75%", "100%"]


def test_cells_of_a_heat_map() -> None:
    spec = heat_map(made_heat_map(), highest=0.9).to_dict()
    cells = data_of(spec, "rect")
    known = [d for d in cells if d["estimate"] is not None]
    unknown = [d for d in cells if d["estimate"] is None]
    said = [(d["middle"], d["percent"].split(), d["below"]) for d in known]
    assert said == [(0.5, ["80", "%"], "40/50")]
    told = [(d["middle"], d["percent"], d["below"]) for d in unknown]
    assert told == [(0.5, "", "3/8"), (1.5, "", "not\ngiven")]
    assert [d["told"] for d in unknown] == ["fewer than 10, 3/8", "not given"]
    drawn = vl_convert.vegalite_to_svg(spec)
    assert drawn.count('="0.12"') == 2, "cells without an estimate are drawn, in pale grey"
    # Only the cell without any number is hatched.
    hatched = data_of(spec, "rule")
    assert len(hatched) == 3 and all(1 < d["x"] < d["x2"] < 2 for d in hatched)
    colour = spec["layer"][0]["encoding"]["color"]["scale"]
    assert colour["domain"] == [0, 0.9] and colour["range"] == list(palette.HEAT)
    x = spec["layer"][0]["encoding"]["x"]
    assert x["scale"]["domain"] == [0, 2]
    assert x["axis"]["title"] == OLD and '"0.5": ["F1"]' in x["axis"]["labelExpr"]
    # Written in one layer, the axes are those of all, and drawn once.
    assert not any("axis" in layer["encoding"]["y"] for layer in spec["layer"][1:])
    assert drawn.count(">F1<") == 1 and drawn.count(f">{OLD}<") == 1
    assert spec["height"] < heat_map_height(made_heat_map())


@pytest.mark.parametrize("width", [250, 335, 900])
def test_every_block_has_its_name_however_narrow(width: int) -> None:
    blocks = tuple(f"block {k}" for k in range(10))
    cells = tuple(Cell(block, "Hepatic", 1, 20, 0.05) for block in blocks)
    spec = heat_map(HeatMap(OLD, 0, blocks, ("Hepatic",), cells, ("5 d",) * 10, "days")).to_dict()
    drawn = vl_convert.vegalite_to_svg({**spec, "width": width})
    assert all(f">{block}<" in drawn for block in blocks)


def test_long_names_of_blocks_are_slanted() -> None:
    short, long = made_heat_map(), made_heat_map(block="maintenance " * 4)
    angles = [heat_map(m).to_dict()["layer"][0]["encoding"]["x"]["axis"] for m in (short, long)]
    assert [axis["labelAngle"] for axis in angles] == [0, -55]
    assert heat_map_height(long) > heat_map_height(short)


def test_the_text_of_a_cell_can_be_read_on_every_shade() -> None:
    """Dark below a share of the scale, white from there on; the shades as Vega mixes them."""

    def mixed(share: float) -> str:
        ends = [[int(c[k : k + 2], 16) for k in (1, 3, 5)] for c in palette.HEAT]
        return "#" + "".join(
            f"{round(a + (b - a) * share):02x}" for a, b in zip(*ends, strict=True)
        )

    dark, white = palette.HEAT_TEXT
    for step in range(101):
        text = dark if step / 100 < palette.HEAT_WHITE_ABOVE else white
        assert palette.contrast(text, mixed(step / 100)) > 4.45


def test_a_heat_map_without_a_place_or_cell_is_an_error() -> None:
    cell = Cell("F1", "Hepatic", 1, 20, 0.05)
    with pytest.raises(ValueError, match="no cells"):
        HeatMap(OLD, 0, ("F1",), ("Hepatic",), ())
    with pytest.raises(ValueError, match="no place"):
        HeatMap(OLD, 0, ("F2",), ("Hepatic",), (cell,))
    with pytest.raises(ValueError, match="two cells"):
        HeatMap(OLD, 0, ("F1",), ("Hepatic",), (cell, cell))
    with pytest.raises(ValueError, match="not a number"):
        Cell("F1", "Hepatic", 1, 20, float("nan"))
    with pytest.raises(ValueError, match="highest"):
        heat_map(made_heat_map(), highest=0.0)
    with pytest.raises(ValueError, match="no row"):
        rates((), "")
