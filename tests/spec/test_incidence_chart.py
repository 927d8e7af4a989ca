"""Cumulative incidence as data and as it is drawn, with its at-risk table."""

import json
from dataclasses import replace

import altair as alt
import numpy as np
import pytest
import vl_convert

from analysis.charts.at_risk import AtRiskBlock, AtRiskColumn
from analysis.charts.incidence import IncidenceCurve, incidence_chart, page_height
from tests.spec.test_response_chart import NEW, OLD
from tests.spec.test_survival_chart import _axes

UNIT = 100.0
TICKS = (0.0, 100.0, 200.0, 300.0)
NAMES = ("at risk", "events", "competing", "censored")


def made_curve(label: str = OLD, role: int = 0, state: str = "relapse") -> IncidenceCurve:
    """Twelve patients; below ten at risk from day 150 on, below five after day 250."""
    return IncidenceCurve(
        label=label,
        role=role,
        state=state,
        day=np.array([50.0, 120.0, 150.0, 250.0, 280.0]),
        incidence=np.array([0.1, 0.2, 0.2, 0.3, 0.5]),
        lower=np.array([np.nan, 0.1, 0.1, 0.15, 0.2]),
        upper=np.array([np.nan, 0.35, 0.35, 0.5, 0.8]),
        n_at_risk=np.array([12, 11, 9, 6, 3]),
        end_day=250.0,
        fade_day=150.0,
    )


def made_block(label: str = OLD, role: int = 0) -> AtRiskBlock:
    """The table of such a curve: the four lines add to twelve."""
    counts = (
        ("12", "0", "0", "0"),
        ("11", "1", "0", "0"),
        ("8", "2", "1", "1"),
        ("2", "5", "3", "2"),
    )
    columns = tuple(AtRiskColumn(t, c) for t, c in zip(TICKS, counts, strict=True))
    return AtRiskBlock(label, role, NAMES, columns)


def drawn(
    curves: tuple[IncidenceCurve, ...], blocks: tuple[AtRiskBlock, ...] = (), bands: bool = True
) -> alt.LayerChart:
    """The chart with the words of these tests."""
    return incidence_chart(
        curves,
        blocks,
        tick_days=TICKS,
        unit_days=UNIT,
        time_title="Time",
        incidence_title="Incidence",
        at_risk="at risk",
        bands=bands,
    )


def _data(spec: dict, layer: int) -> list[dict]:
    return spec["datasets"][spec["layer"][layer]["data"]["name"]]


def test_what_the_chart_encodes() -> None:
    curves = (made_curve(), made_curve(NEW, 1))
    spec = drawn(curves).to_dict()
    assert [layer["mark"]["type"] for layer in spec["layer"]] == ["area", "line", "rule"]
    line = spec["layer"][1]["encoding"]
    assert line["y"]["scale"]["domain"] == [0, 1]
    assert line["x"]["scale"]["domain"] == [0, 3]
    assert line["x"]["axis"]["values"] == [0, 1, 2, 3]
    assert line["color"]["scale"]["domain"] == [OLD, NEW]
    assert line["strokeDash"]["scale"]["domain"] == [OLD, NEW]
    assert spec["layer"][0]["encoding"]["y"]["axis"] == line["y"]["axis"]
    without = drawn(curves, bands=False).to_dict()
    assert [layer["mark"]["type"] for layer in without["layer"]] == ["line", "rule"]


def test_states_are_told_apart_by_the_width_of_the_line() -> None:
    curves = (made_curve(), made_curve(state="death in remission"))
    line = drawn(curves).to_dict()["layer"][1]["encoding"]
    assert line["color"]["scale"]["domain"] == [f"{OLD}, relapse", f"{OLD}, death in remission"]
    assert len(set(line["color"]["scale"]["range"])) == 1
    thick, thin = line["strokeWidth"]["scale"]["range"]
    assert thick > 1.5 * thin


def test_a_curve_fades_and_ends_and_shows_its_own_steps() -> None:
    rows = _data(drawn((made_curve(),)).to_dict(), 1)
    assert [(r["day"], r["incidence"]) for r in rows if r["part"] == "full"] == [
        (0, 0),
        (50, 0.1),
        (120, 0.2),
        (150, 0.2),
    ]
    assert [(r["day"], r["incidence"]) for r in rows if r["part"] == "pale"] == [
        (150, 0.2),
        (250, 0.3),
        (250, 0.3),
    ]
    assert [(r["lower"], r["upper"]) for r in rows[:3]] == [(0, 0), (0.1, 0.1), (0.1, 0.35)]


def test_what_the_pointer_is_told() -> None:
    few = replace(made_curve(NEW, 1), has_percentages=False)
    rows = _data(drawn((made_curve(), few)).to_dict(), 2)
    assert rows[0]["told_0"] == "0.0 %, 12 at risk"
    near = [r for r in rows if 1.3 < r["time"] < 1.4][0]
    assert near["told_0"] == "20.0 % (10.0 to 35.0), 9 at risk"
    # Of too few patients no percentage, in no place.
    assert near["told_1"] == "9 at risk"
    assert all("%" not in r["told_1"] for r in rows)
    ended = replace(made_curve(NEW, 1), end_day=100.0)
    assert _data(drawn((made_curve(), ended)).to_dict(), 2)[-1]["told_1"] == "-"


@pytest.mark.parametrize("width", [620, 300])
def test_at_risk_columns_stand_under_their_ticks(width: int) -> None:
    blocks = (made_block(), made_block(NEW, 1))
    chart = drawn((made_curve(), made_curve(NEW, 1)), blocks)
    axes = _axes(vl_convert.vegalite_to_svg(chart.properties(width=width).to_dict()))
    times = next(a for a in axes if a[1] == [["0"], ["1"], ["2"], ["3"]])
    tables = [a for a in axes if all(len(lines) == 4 for lines in a[1])]
    assert len(tables) == 2
    for places, lines, _ in tables:
        assert places == pytest.approx(times[0], abs=0.6)
        assert all(sum(int(text) for text in column) == 12 for column in lines)
    offsets = [
        layer["encoding"]["x"]["axis"]["offset"]
        for layer in chart.to_dict()["layer"]
        if layer["mark"]["type"] == "point"
    ]
    # Name, four lines of 16 pixels, a gap; twice.
    assert offsets == [52, 68, 138, 154]
    assert page_height((made_curve(),), blocks) - page_height((made_curve(),), ()) == 2 * 86


def test_many_steps_are_thinned_without_moving_any() -> None:
    day = np.arange(1.0, 20_001.0)
    many = IncidenceCurve(
        OLD, 0, "relapse", day, day / 40_000, day / 50_000, day / 30_000, day[::-1], 20_000.0, None
    )
    spec = drawn(tuple(replace(many, state=f"state {k}") for k in range(14))).to_dict()
    rows = _data(spec, 1)
    assert len(rows) < 5000
    assert all(r["incidence"] == pytest.approx(r["day"] / 40_000) for r in rows)


def test_nothing_to_draw_is_an_error() -> None:
    with pytest.raises(ValueError, match="no curve"):
        drawn(())
    with pytest.raises(ValueError, match="two curves"):
        drawn((made_curve(), made_curve()))
    with pytest.raises(ValueError, match="from 0 to 1"):
        replace(made_curve(), incidence=np.array([0.1, np.nan, 0.2, 0.3, 0.5]))
    with pytest.raises(ValueError, match="one number a day"):
        replace(made_curve(), lower=np.array([0.1]))
    with pytest.raises(ValueError, match="4 counts"):
        AtRiskBlock(OLD, 0, NAMES, (AtRiskColumn(0.0, ("1", "2")),))


def test_a_withheld_count_says_so() -> None:
    block = AtRiskBlock(
        OLD, 0, ("at risk",), (AtRiskColumn(0.0, ("12",)), AtRiskColumn(1.0, ("<5",)))
    )
    text = json.dumps(drawn((made_curve(),), (block,)).to_dict())
    assert "u003c5" in text
    assert "<5" in vl_convert.vegalite_to_svg(json.loads(text)).replace("&lt;", "<")
