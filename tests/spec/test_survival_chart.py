"""The Kaplan-Meier picture as data, and its at-risk table as it is drawn."""

import re
import xml.etree.ElementTree as ET

import pytest
import vl_convert

from analysis.answer import Answer, Figure
from analysis.link import decode
from analysis.survival import survival_answer
from tests.conftest import Loaded

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def answer(loaded: Loaded) -> Answer:
    snapshot = loaded.snapshots["colon"]
    decoded = decode("survival", {}, snapshot.snapshot_id, snapshot.study)
    return survival_answer(snapshot, decoded.view)


@pytest.fixture(scope="module")
def figure(answer: Answer) -> Figure:
    return answer.figures[0]


def _moved(element: ET.Element) -> tuple[float, float]:
    found = re.match(r"translate\(([-\d.]+),([-\d.]+)\)", element.get("transform", ""))
    return (float(found[1]), float(found[2])) if found else (0.0, 0.0)


def _axes(svg: str) -> list[tuple[list[float], list[list[str]], float]]:
    """Of every axis with labels: their x on the page, their lines of text, the axis's y."""
    axes: list[tuple[list[float], list[list[str]], float]] = []

    def walk(element: ET.Element, x: float, y: float) -> None:
        dx, dy = _moved(element)
        x, y = x + dx, y + dy
        if "role-axis-label" in element.get("class", ""):
            labels = [
                (x + _moved(t)[0], [s.text or "" for s in t] or [t.text or ""])
                for t in element.iter(f"{SVG}text")
            ]
            axes.append(([at for at, _ in labels], [lines for _, lines in labels], y))
            return
        for child in element:
            walk(child, x, y)

    walk(ET.fromstring(svg), 0.0, 0.0)
    return axes


@pytest.mark.parametrize("width", [620, 300])
@pytest.mark.parametrize("bands", ["yes", "no"])
def test_at_risk_columns_stand_under_their_ticks_and_add_up(
    loaded: Loaded, width: int, bands: str
) -> None:
    snapshot = loaded.snapshots["colon"]
    view = decode("survival", {"bands": [bands]}, snapshot.snapshot_id, snapshot.study).view
    answer = survival_answer(snapshot, view)
    figure = answer.figures[0]
    svg = vl_convert.vegalite_to_svg(figure.chart.properties(width=width).to_dict())
    axes = _axes(svg)
    times = next(a for a in axes if a[1][:3] == [["0"], ["1"], ["2"]])
    percent = [lines[0] for _, labels, _ in axes for lines in labels if "%" in lines[0]]
    assert percent == ["0%", "25%", "50%", "75%", "100%"]
    assert figure.title.removesuffix(" by cohort") in svg
    blocks = [a for a in axes if all(len(lines) == 3 for lines in a[1])]
    assert len(blocks) == len(answer.cohorts) == 3
    for (places, lines, _), cohort in zip(blocks, answer.cohorts, strict=True):
        assert places == pytest.approx(times[0], abs=0.6)
        for column in lines:
            assert sum(int(text) for text in column) == cohort.n_population
    # Nothing is cut off: the picture is wide and high enough for its last label.
    root = ET.fromstring(svg)
    assert max(max(places) for places, _, _ in axes) < float(root.get("width", "0"))
    assert max(y for _, _, y in axes) < float(root.get("height", "0"))


def test_what_the_chart_encodes(figure: Figure) -> None:
    spec = figure.chart.to_dict()
    marks = [layer["mark"]["type"] for layer in spec["layer"]]
    assert marks[:4] == ["area", "line", "tick", "rule"]
    line = spec["layer"][1]["encoding"]
    assert line["y"]["scale"]["domain"] == [0, 1]
    assert line["x"]["scale"]["domain"][0] == 0
    assert line["color"]["scale"]["domain"] == ["Observation", "Levamisole", "Levamisole + 5-FU"]
    # The line type repeats the colour.
    assert line["strokeDash"]["scale"]["domain"] == line["color"]["scale"]["domain"]
    assert line["x"]["axis"]["title"] == "Years since randomisation"
    n_rows = sum(len(rows) for rows in spec["datasets"].values())
    assert n_rows < 5000


def test_the_drawn_steps_are_steps_of_the_curve(answer: Answer, figure: Figure) -> None:
    spec = figure.chart.to_dict()
    drawn = spec["datasets"][spec["layer"][1]["data"]["name"]]
    steps = {(row[0], row[1]): row[5] for row in answer.table("curve").rows}
    checked = 0
    for row in drawn:
        key = (row["cohort"], round(row["time"] * 365.25))
        if row["time"] > 0 and key in steps:
            assert row["survival"] == pytest.approx(steps[key], abs=1e-12)
            checked += 1
    assert checked > 300


def test_a_figure_says_what_it_is(answer: Answer, figure: Figure) -> None:
    for said in (answer.snapshot, "Kaplan-Meier", "all enrolled patients", answer.notice):
        assert said in figure.caption
    assert answer.headline in figure.alt_text
