"""What holds for all charts: valid, drawable, whole, no NaN, and any label stays a text."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable

import altair as alt
import polars as pl
import pytest
import vl_convert

from analysis.answer import Figure
from analysis.charts import palette
from analysis.charts.balance import Propensities, balance, distance, overlap
from analysis.charts.by_day import by_day
from analysis.charts.classes import class_bars
from analysis.charts.components import component_bars
from analysis.charts.flow import flow_chart
from analysis.charts.forest import Shrunken, forest_chart, hazard_values
from analysis.charts.leaving import left_before
from analysis.charts.paired import paired_chart
from analysis.charts.response import difference, dumbbell
from analysis.charts.rows import Row
from analysis.charts.toxicity import difference_map, heat_map, rate_differences, rates, spans
from tests.spec.test_classes_chart import made_bars
from tests.spec.test_components_chart import made_shares
from tests.spec.test_flow_chart import made_flow
from tests.spec.test_forest_chart import made_forest
from tests.spec.test_incidence_chart import drawn as drawn_incidence
from tests.spec.test_incidence_chart import made_block, made_curve
from tests.spec.test_paired_chart import made_paths
from tests.spec.test_response_chart import made_rows
from tests.spec.test_states_chart import drawn as drawn_states
from tests.spec.test_states_chart import made_states
from tests.spec.test_swimmer_chart import drawn as drawn_lanes
from tests.spec.test_swimmer_chart import made_lanes
from tests.spec.test_toxicity_chart import made_heat_map, made_terms
from tests.spec.test_toxicity_charts import (
    made_amounts,
    made_differences,
    made_left,
    made_onsets,
    made_sections,
    made_spans,
)

HOSTILE = "datum.x'\"</script>"
WHITE_PAGE, DARK_PAGE = "#ffffff", "#0e1117"

CHARTS: dict[str, Callable[[str], alt.LayerChart]] = {
    "dumbbell": lambda label: dumbbell(made_rows(label), "Patients"),
    "difference": lambda label: difference(made_rows(label), "Points", (label, label)),
    "rates": lambda label: rates(made_terms(label), "Patients"),
    "sections": lambda label: rates(made_sections(label, label), "Patients"),
    "section_differences": lambda label: rate_differences(made_sections(label), "Points"),
    "amounts": lambda label: rates(made_amounts(label), "Events", is_rate=True),
    "spans": lambda label: spans(made_spans(label), "Day", first_day=1),
    "heat_map": lambda label: heat_map(made_heat_map(label, label)),
    "difference_map": lambda label: difference_map(made_differences(label, label)),
    "by_day": lambda label: by_day([made_onsets(label)], "Day", label),
    "left_before": lambda label: left_before(made_left(label, label, label), "Patients"),
    "incidence": lambda label: drawn_incidence(
        (made_curve(label), made_curve(label, 0, label + "2")), (made_block(label),)
    ),
    "forest": lambda label: forest_chart(
        made_forest(label), hazard_values(made_forest(label), "Ratio"), [Shrunken(2, -0.6, -1, 0)]
    ),
    "component_bars": lambda label: component_bars(made_shares(label), "Patients"),
    "balance": lambda label: balance(
        [Row(label, (distance("before", 0, 0.2, ""), distance("after", 1, 0.0, "")))], "d", 0.1
    ),
    "overlap": lambda label: overlap(
        Propensities(label, 0, (1, 2)), Propensities("new", 1, (2, 1)), (0.2, 0.8), "Propensity"
    ),
    "class_bars": lambda label: class_bars(made_bars(label, label), "Patients"),
    "flow": lambda label: flow_chart(made_flow(label, label, label)),
    "paired": lambda label: paired_chart(made_paths(label), 1e-4, (label, "during", label)),
    "swimmer": lambda label: drawn_lanes(made_lanes(label), label),
    "states": lambda label: drawn_states(made_states(label, (label, label + "2", label + "3"))),
}
every_chart = pytest.mark.parametrize("name", CHARTS)


def _texts(svg: str) -> str:
    root = ET.fromstring(svg)
    return "\n".join("".join(e.itertext()) for e in root.iter("{http://www.w3.org/2000/svg}text"))


def _figure(name: str) -> Figure:
    drawn = CHARTS[name]("plain")
    return Figure("x", "", lambda: drawn, 0, "", "")


@every_chart
def test_a_chart_is_valid_whole_and_of_one_view(name: str) -> None:
    spec = _figure(name).spec
    alt.LayerChart.from_dict(spec, validate=True)
    text = json.dumps(spec, allow_nan=False)
    assert "NaN" not in text and "nan" not in text and "Infinity" not in text
    assert all(len(rows) < 5000 for rows in spec["datasets"].values())
    # One layered view: nested concat or facet is cut off or stretched on a phone.
    assert not {"hconcat", "vconcat", "concat", "facet"} & spec.keys()
    assert all("layer" not in layer for layer in spec["layer"])
    assert "width" not in spec


@every_chart
def test_a_page_gets_the_same_chart_with_frames_for_rows(name: str) -> None:
    for_file, for_page = _figure(name).spec, _figure(name).spec_of_frames
    frames = for_page["datasets"]
    assert all(isinstance(frame, pl.DataFrame) for frame in frames.values())
    # What a browser reads from a frame as it stands in a row: no date, no list, no category.
    types = {kind for frame in frames.values() for kind in frame.dtypes}
    assert all(t.is_numeric() or t in (pl.String, pl.Boolean) for t in types)
    as_rows = {name: frame.to_dicts() for name, frame in frames.items()}
    assert _inline(for_page | {"datasets": as_rows}) == _inline(for_file)


def _inline(spec: dict) -> dict:
    """The chart with the rows of each layer in place of their name."""
    layers = [layer | {"data": spec["datasets"][layer["data"]["name"]]} for layer in spec["layer"]]
    return {k: v for k, v in spec.items() if k != "datasets"} | {"layer": layers}


@every_chart
def test_the_chart_of_a_page_is_the_same_when_it_is_drawn_again(name: str) -> None:
    again = [
        {k: v for k, v in _figure(name).spec_of_frames.items() if k != "datasets"} for _ in "ab"
    ]
    assert again[0] == again[1]


@every_chart
def test_any_label_stays_a_text(name: str) -> None:
    chart = CHARTS[name](HOSTILE)
    spec = chart.to_dict(validate=True)
    svg = vl_convert.vegalite_to_svg(chart.properties(width=620).to_dict())
    assert HOSTILE in _texts(svg)
    assert "</script>" not in svg
    for expression in _expressions(spec):
        assert "</script>" not in expression
    # No label becomes the name of a field: a dot or bracket in it would be read as a path.
    fields = {field for rows in spec["datasets"].values() for row in rows for field in row}
    assert all(field.replace("_", "").isalnum() for field in fields)


def _expressions(part: object) -> list[str]:
    if isinstance(part, dict):
        own = [v for k, v in part.items() if k in ("labelExpr", "expr", "test")]
        return own + [e for v in part.values() for e in _expressions(v)]
    return [e for v in part for e in _expressions(v)] if isinstance(part, list) else []


@every_chart
@pytest.mark.parametrize("width", [310, 620])
def test_nothing_is_drawn_outside_the_picture(name: str, width: int) -> None:
    svg = vl_convert.vegalite_to_svg(CHARTS[name]("label").properties(width=width).to_dict())
    root = ET.fromstring(svg)
    # The plot takes nearly all of the width: labels stand in it, not beside it.
    assert float(root.get("width", "0")) < width + 90
    assert vl_convert.vegalite_to_png(CHARTS[name]("label").to_dict())[:4] == b"\x89PNG"


def test_colours_are_seen_on_both_pages() -> None:
    for colour in (*palette.COLOURS, palette.NEUTRAL):
        assert palette.contrast(colour, WHITE_PAGE) > 4
        assert palette.contrast(colour, DARK_PAGE) > 4


def test_no_two_roles_look_the_same() -> None:
    looks = {(palette.colour(k), tuple(palette.dash(k)), palette.shape(k)) for k in range(12)}
    assert len(looks) == 12


def test_neighbouring_states_differ_in_lightness() -> None:
    for below, above in zip(palette.STATES, palette.STATES[1:], strict=False):
        assert palette.contrast(below, above) > 2
    for colour in palette.STATES:
        assert palette.contrast(palette.text_on(colour), colour) > 4.5
