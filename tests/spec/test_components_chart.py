"""Shares as stacked bars: they fill the whole, are named where there is room, and are legal."""

import json
from dataclasses import replace

import pytest
import vl_convert

from analysis.charts import palette
from analysis.charts.components import (
    Share,
    ShareBar,
    component_bars,
    components_height,
    darker,
    paler,
)

# The darkest one is that of a death, which is never parted into alive and dead.
DEATH = palette.STATES[4]
HOSTILE = "datum.x'\"</script>"


def made_shares(label: str = "Old") -> list[ShareBar]:
    """Two groups: without event, relapse, death; the second has no death."""
    names, bars = ("well", label, "dead"), []
    for k, shares in enumerate(((0.2, 0.7, 0.1), (0.6, 0.4, 0.0))):
        parts = zip(names, palette.STATES, shares, strict=False)
        told = tuple(Share(name, colour, x, f"{x:.0%}, {label}") for name, colour, x in parts)
        bars.append(ShareBar(f"{label} {k}", k, 40 + k, told))
    return bars


def _rows(spec: dict, column: str) -> list[dict]:
    return next(rows for rows in spec["datasets"].values() if column in rows[0])


def test_the_parts_fill_the_bar_and_nobody_takes_no_room() -> None:
    parts = _rows(component_bars(made_shares(), "Patients").to_dict(), "x2")
    tops = sorted({row["y"] for row in parts})
    edges = [[x for row in parts if row["y"] == top for x in (row["x"], row["x2"])] for top in tops]
    assert edges[0] == pytest.approx([0, 0.2, 0.2, 0.9, 0.9, 1])
    assert edges[1] == pytest.approx([0, 0.6, 0.6, 1])


def test_a_part_says_its_name_or_its_percentage_as_far_as_there_is_room() -> None:
    texts = _rows(component_bars(made_shares(), "Patients").to_dict(), "needed")
    mine = [row for row in texts if row["share"] == pytest.approx(0.7)]
    assert [row["text"] for row in mine] == ["Old 70 %", "70 %"]
    assert mine[1]["enough"] == mine[0]["needed"]


def test_a_part_that_nobody_has_is_in_no_legend() -> None:
    bars = made_shares()[1:]
    svg = vl_convert.vegalite_to_svg(component_bars(bars, "Patients").to_dict())
    assert ">well<" in svg and ">dead<" not in svg


def test_what_is_no_whole_is_refused() -> None:
    for shares in ((0.5, 0.4), (1.2, -0.2), (float("nan"), 0.5)):
        parts = tuple(Share("a", palette.STATES[0], x, "") for x in shares)
        with pytest.raises(ValueError, match="do not add to 1"):
            ShareBar("Old", 0, 20, parts)
    with pytest.raises(ValueError, match="no bars"):
        component_bars((), "Patients")


def test_any_label_stays_a_text_and_the_height_is_that_of_the_picture() -> None:
    chart = component_bars(made_shares(HOSTILE), HOSTILE)
    spec = chart.to_dict(validate=True)
    assert "NaN" not in json.dumps(spec)
    svg = vl_convert.vegalite_to_svg(chart.properties(width=620).to_dict())
    assert "</script>" not in svg and "datum.x" in svg
    height = float(svg.split('height="')[1].split('"')[0])
    assert abs(height - components_height(made_shares(HOSTILE))) < 30


def test_the_dead_differ_in_lightness_from_the_living() -> None:
    for colour in palette.STATES[:6]:
        assert palette.contrast(darker(colour), colour) > 2 or colour == DEATH


def test_a_pale_bar_is_paler_and_still_readable() -> None:
    full = made_shares()
    spec = component_bars([replace(bar, is_pale=True) for bar in full], "Patients").to_dict()
    wanted = {paler(s.colour) for bar in full for s in bar.shares if s.proportion > 0}
    assert {r["colour"] for r in _rows(spec, "x2") if "proportion" in r or "y2" in r} >= wanted
    for colour in palette.STATES:
        assert palette.contrast(paler(colour), palette.text_on(paler(colour))) > 4.5
