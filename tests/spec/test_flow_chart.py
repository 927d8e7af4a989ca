"""A flow as data: nobody is lost, one patient is equally wide everywhere, nothing overlaps."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest

from analysis.charts import palette
from analysis.charts.flow import (
    Band,
    Flow,
    Node,
    Stage,
    curve,
    flow_chart,
    flow_height,
    node_lefts,
    node_texts,
    patient_width,
    ribbons,
)
from tests.spec.test_response_chart import OLD, data_of

# Where 100 patients are, stage by stage.
PATHS = {
    ("all", "remission", "negative", "alive"): 50,
    ("all", "remission", "negative", "dead"): 10,
    ("all", "remission", "positive", "alive"): 5,
    ("all", "remission", "positive", "dead"): 15,
    ("all", "none", "positive", "dead"): 17,
    ("all", "none", "not_known", "alive"): 1,
    ("all", "none", "not_known", "dead"): 2,
}
STAGES = (
    ("Population", {"all": "plain"}),
    ("Remission", {"remission": "good", "none": "bad"}),
    ("MRD", {"negative": "good", "unseen": "between", "positive": "bad", "not_known": "unknown"}),
    ("At 2 years", {"alive": "good", "dead": "bad"}),
)


def made_flow(label: str = OLD, stage: str = "Remission", node: str = "no remission") -> Flow:
    """100 patients on seven paths; a node of nobody."""
    names = {"none": node, "not_known": "not\u00ad known"}
    stages, bands = [], []
    for k, (title, tones) in enumerate(STAGES):
        n = Counter[str]()
        for path, patients in PATHS.items():
            n[path[k]] += patients
        nodes = tuple(Node(c, names.get(c, c), n[c], tone) for c, tone in tones.items())
        stages.append(Stage(stage if title == "Remission" else title, nodes))
    for k in range(3):
        moved = Counter[tuple[str, str]]()
        for path, patients in PATHS.items():
            moved[path[k], path[k + 1]] += patients
        bands += [Band(k, a, b, n) for (a, b), n in moved.items()]
    # Any order of the bands gives the same picture.
    return Flow(label, 0, tuple(stages), tuple(reversed(bands)))


def test_a_patient_is_equally_wide_in_every_stage_and_band() -> None:
    flow = made_flow()
    each = patient_width(flow)
    nodes = data_of(flow_chart(flow).to_dict(), "rect")
    widths = [node["x2"] - node["x"] for node in nodes]
    counts = [node.n for stage in flow.stages for node in stage.nodes if node.n]
    assert widths == pytest.approx([n * each for n in counts])
    assert [r.width for r in ribbons(flow)] == pytest.approx(
        [r.band.n * each for r in ribbons(flow)]
    )
    points = data_of(flow_chart(flow).to_dict(), "area")
    for k, ribbon in enumerate(ribbons(flow)):
        drawn = [p["x2"] - p["x"] for p in points if p["band"] == k]
        assert drawn == pytest.approx([ribbon.width] * len(drawn))


def test_nodes_stand_side_by_side_within_the_plot() -> None:
    flow = made_flow()
    each = patient_width(flow)
    for stage in flow.stages:
        lefts = node_lefts(flow, stage)
        nodes = [node for node in stage.nodes if node.n]
        assert list(lefts) == [node.code for node in nodes]
        edges = [(lefts[node.code], lefts[node.code] + node.n * each) for node in nodes]
        assert all(one[1] < other[0] for one, other in pairwise(edges))
        assert edges[0][0] >= 0 and edges[-1][1] <= 1 + 1e-9


def test_the_bands_fill_both_ends_of_a_node_without_overlap() -> None:
    flow = made_flow()
    each = patient_width(flow)
    for k, stage in enumerate(flow.stages):
        lefts = node_lefts(flow, stage)
        for node in stage.nodes:
            leaving = [r for r in ribbons(flow) if (r.band.stage, r.band.source) == (k, node.code)]
            reaching = [
                r for r in ribbons(flow) if (r.band.stage + 1, r.band.target) == (k, node.code)
            ]
            starts = [(r.source_left, r.width) for r in leaving]
            ends = [(r.target_left, r.width) for r in reaching]
            for edges in (starts, ends):
                if edges:
                    assert sorted(edges)[0][0] == pytest.approx(lefts[node.code])
                    assert sum(w for _, w in edges) == pytest.approx(node.n * each)
                    for (x, width), (following, _) in pairwise(sorted(edges)):
                        assert x + width == pytest.approx(following)


def test_bands_of_a_node_do_not_cross_one_another() -> None:
    found = ribbons(made_flow())
    for one in found:
        for other in found:
            if (one.band.stage, one.band.source) == (other.band.stage, other.band.source):
                is_left = one.source_left < other.source_left
                assert is_left == (one.target_left < other.target_left)


def test_a_curve_is_level_at_both_ends() -> None:
    points = curve(0.2, 0.6, 11)
    assert points[0] == (0, 0.2) and points[-1] == (1, pytest.approx(0.6))
    places = [place for _, place in points]
    assert places == sorted(places)
    assert places[1] - places[0] < (places[6] - places[5]) / 2
    assert curve(0.3, 0.3, 5) == [(t / 4, 0.3) for t in range(5)]


def test_a_band_has_the_tone_of_its_source_and_a_plain_one_lends_none() -> None:
    tones = {(r.band.source, r.band.target): r.tone for r in ribbons(made_flow())}
    assert tones["none", "positive"] == "bad" and tones["negative", "dead"] == "good"
    assert tones["all", "remission"] == "good" and tones["all", "none"] == "bad"
    points = data_of(flow_chart(made_flow()).to_dict(), "area")
    said = {(p["place"], p["told"], p["colour"]) for p in points}
    assert ("no remission \u2192 positive", "17/100 (17.0 %)", palette.TONES["bad"]) in said


def test_a_node_says_what_it_has_room_for_and_the_rest_stands_above() -> None:
    assert node_texts("no remission", 20) == ["no remission 20", "no\nremission 20", "20"]
    assert node_texts("", 20) == ["20", "20"]
    spec = flow_chart(made_flow()).to_dict()
    axis = spec["layer"][0]["encoding"]["y"]["axis"]
    # On a phone 3 of 100 patients are ten pixels.
    phone, wide = axis["labelExpr"].split("] : {")
    assert "not\\u00a0known\\u00a03" in phone
    assert "no\\u00a0remission\\u00a020" in phone and "no\\u00a0remission\\u00a020" not in wide
    # Over a node of nobody stands nothing, and its band takes no room.
    assert "unseen" not in axis["labelExpr"]


def test_the_page_has_room_for_every_stage() -> None:
    flow = made_flow()
    nodes = data_of(flow_chart(flow).to_dict(), "rect")
    assert max(node["y2"] for node in nodes) < flow_height(flow)
    longer = made_flow(stage="a stage with so many words that a phone needs two lines for them")
    assert flow_height(longer) > flow_height(flow)


def test_many_bands_have_fewer_points() -> None:
    codes = [f"n{k}" for k in range(15)]

    def stage(label: str) -> Stage:
        return Stage(label, tuple(Node(c, c, 15, "good") for c in codes))

    def flow(n_stages: int) -> Flow:
        stages = tuple(stage(str(k)) for k in range(n_stages))
        bands = [Band(k, a, b, 1) for k in range(n_stages - 1) for a in codes for b in codes]
        return Flow(OLD, 0, stages, tuple(bands))

    assert len(data_of(flow_chart(flow(4)).to_dict(), "area")) < 5000
    with pytest.raises(ValueError, match="too many for one picture"):
        flow_chart(flow(6))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda f: {"bands": f.bands[1:]}, "bands differ by"),
        (lambda f: {"bands": (*f.bands, Band(1, "none", "negative", 1))}, "bands differ by"),
        (lambda f: {"bands": (*f.bands, f.bands[0])}, "a band comes twice"),
        (lambda f: {"bands": (*f.bands, Band(2, "negative", "unheard_of", 0))}, "no such band"),
        (lambda f: {"bands": (*f.bands, Band(3, "dead", "dead", 0))}, "no such band"),
        (lambda f: {"stages": (*f.stages[:3], Stage("", f.stages[3].nodes[:1]))}, "not 100"),
        (lambda f: {"stages": (*f.stages, Stage("", (Node("a", "", 100, "bad"),)))}, "differ by"),
        (lambda f: {"stages": (), "bands": ()}, "nobody to draw"),
        (lambda f: {"stages": (Stage("", (Node("a", "", 0, "bad"),)),), "bands": ()}, "nobody"),
        (lambda f: {"stages": (Stage("", (Node("a", "", 1, "bad"),) * 2),), "bands": ()}, "twice"),
    ],
)
def test_a_flow_that_loses_or_makes_patients_is_an_error(change, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        replace(made_flow(), **change(made_flow()))


def test_what_is_no_node_is_an_error() -> None:
    with pytest.raises(ValueError, match="no tone"):
        Node("a", "", 1, "pink")
    with pytest.raises(ValueError, match="-1 patients"):
        Node("a", "", -1, "good")
