"""MRD around a course as data: what is no number is never drawn as one."""

from functools import cache
from itertools import pairwise

import pytest

from analysis.charts import palette
from analysis.charts.paired import (
    DECADE,
    DETECTED_BOTTOM,
    DETECTED_TOP,
    FLOOR_BOTTOM,
    FLOOR_TOP,
    MOST_DOTS,
    MOST_PATHS,
    PAIRED_HEIGHT,
    SPREAD,
    TOP,
    Path,
    Point,
    height_of,
    paired_chart,
    paired_note,
    percent_text,
    quartile_heights,
    spots,
)
from tests.spec.test_response_chart import data_of

LABELS = ("before", "during", "after")
UNDETECTABLE = Point(None, "undetectable", 1e-5, False)


def measured(value: float, hollow: bool = False) -> Point:
    return Point(value, "quantified", 1e-5, hollow)


def made_paths(told: str = "") -> tuple[Path, ...]:
    """Every kind of result, a sample missing in every place, and one that failed."""
    return (
        Path(0, measured(0.02), measured(0.01, hollow=True), measured(1e-4), told),
        Path(0, measured(0.5), None, UNDETECTABLE, told),
        Path(0, measured(1e-3), Point(1e-4, "below", 1e-4, False), measured(9.9e-5), told),
        Path(0, Point(0.1, "above", None, False), None, None, told),
        Path(0, None, None, Point(None, "detected", 1e-5, False), told),
        Path(0, measured(1e-3), None, Point(None, "failed", None, False), told),
        Path(0, None, Point(None, "undetectable", None, True), UNDETECTABLE, told),
    )


@cache
def _made(threshold: float | None = 1e-4) -> dict:
    """The picture of the made paths, drawn once for all tests."""
    return paired_chart(made_paths(), threshold, LABELS).to_dict()


def _drawn(paths: tuple[Path, ...] | list[Path], threshold: float | None = 1e-4) -> dict:
    return paired_chart(paths, threshold, LABELS).to_dict()


def _places(spec: dict) -> str:
    """What stands beneath the places."""
    axes = [layer["encoding"]["x"].get("axis") for layer in spec["layer"]]
    return next(axis["labelExpr"] for axis in axes if axis)


def _dots(spec: dict) -> list[dict]:
    return data_of(spec, "point")


def test_each_power_of_ten_is_a_step_down_and_the_axis_ends_in_a_floor() -> None:
    heights = [height_of(10.0**-k) for k in range(7)]
    assert heights[0] == TOP
    assert [b - a for a, b in pairwise(heights)] == pytest.approx([DECADE] * 6)
    # Below the axis: at its edge, above the lanes; nothing is infinitely far down.
    assert height_of(1e-9) == height_of(0.0) == heights[-1] < DETECTED_TOP < FLOOR_TOP
    assert FLOOR_BOTTOM < PAIRED_HEIGHT
    axis = _made()["layer"][0]["encoding"]["y"]["axis"]
    assert axis["values"] == pytest.approx(heights[:6])
    for text in ("100", "10", "1", "0.1", "0.01", "0.001"):
        assert f'"{text}\\u00a0%"' in axis["labelExpr"]


@pytest.mark.parametrize(
    ("fraction", "text"),
    [(1.0, "100"), (0.123, "12"), (0.1, "10"), (1.26e-4, "0.013"), (5e-7, "0.00005"), (0.0, "0")],
)
def test_a_percentage_is_written_out(fraction: float, text: str) -> None:
    assert percent_text(fraction) == f"{text}\u00a0%"


def test_what_is_no_number_lies_in_its_lane() -> None:
    for spot in spots(made_paths()):
        if spot.point.kind == "undetectable":
            assert FLOOR_TOP < spot.y < FLOOR_BOTTOM
        elif spot.point.kind == "detected":
            assert DETECTED_TOP < spot.y < DETECTED_BOTTOM
        else:
            assert spot.y == height_of(spot.point.value or 0.0)


def test_a_failed_result_is_counted_and_not_drawn() -> None:
    paths = made_paths()
    assert len(spots(paths)) == sum(p is not None for path in paths for p in path.points) - 1
    beneath = _places(_made())
    assert '["before", "n = 5"]' in beneath
    assert '["after", "n = 6", "(1 failed)"]' in beneath


def test_undetectable_has_a_tick_at_its_limit_where_that_is_known() -> None:
    ticks = [row for row in data_of(_made(), "rule", 2)]
    assert [tick["limit"] for tick in ticks] == [pytest.approx(height_of(1e-5))] * 2
    assert all(tick["left"] < tick["x"] < tick["right"] for tick in ticks)


def test_the_kind_of_result_is_seen_in_its_shape_and_material_in_its_fill() -> None:
    dots = _dots(_made())
    shapes = {dot["shape"] for dot in dots if dot["y"] == height_of(1e-4) and dot["x"] < 2}
    assert shapes == {"triangle-down"}
    assert {dot["shape"] for dot in dots if dot["y"] == height_of(0.1)} == {"triangle-up"}
    hollow = [dot for dot in dots if dot["fill"] == "transparent"]
    assert len(hollow) == 2 and all(1 < dot["x"] < 2 for dot in hollow)


def test_lines_join_samples_in_order_and_the_threshold_makes_them_strong() -> None:
    lines = data_of(_made(), "rule", 1)
    assert len(lines) == 2 + 1 + 2 + 1
    assert all(line["x"] < line["x2"] for line in lines)
    # At the threshold counts as above it; just below does not; the dashed ones touch blood.
    assert [line["is_strong"] for line in lines] == [True, True, False, False, False, False]
    assert [line["is_dashed"] for line in lines].count(True) == 3
    own_limit = data_of(_made(None), "rule")
    assert [line["is_strong"] for line in own_limit].count(True) == 4


def test_without_a_threshold_no_line_lies_across() -> None:
    with_line, without = _made(), _made(None)
    assert len(with_line["layer"]) == len(without["layer"]) + 2
    assert data_of(with_line, "rule")[0]["y"] == height_of(1e-4)
    # The axis says a power of ten already.
    assert data_of(with_line, "text", 1)[0]["text"] == "threshold"
    assert data_of(_drawn(made_paths(), 5e-4), "text", 1)[0]["text"] == "threshold 0.05\u00a0%"


def test_equal_results_lie_side_by_side_and_the_same_way_every_time() -> None:
    paths = [Path(0, measured(0.01), None, UNDETECTABLE, "") for _ in range(200)]
    found = spots(paths)
    assert found == spots(paths)
    places = {(round(spot.x, 6), spot.y) for spot in found}
    assert len(places) == 400
    assert all(abs(s.x - s.place - 0.5) <= SPREAD / 2 for s in found if s.place == 0)
    assert all(FLOOR_TOP < s.y < FLOOR_BOTTOM and s.x < 3 for s in found if s.place == 2)


def test_the_pointer_is_told_all_samples_of_a_path() -> None:
    dots = _dots(_drawn(made_paths("P-1")))
    assert {dot["title"] for dot in dots} == {"P-1"}
    told = {tuple(dot[f"told_{k}"] for k in range(3)) for dot in dots}
    assert ("2\u00a0%", "1\u00a0%", "0.01\u00a0%") in told
    assert ("50\u00a0%", "-", "undetectable (<0.001\u00a0%)") in told
    assert ("0.1\u00a0%", "<0.01\u00a0%", "0.0099\u00a0%") in told
    assert ("0.1\u00a0%", "-", "failed") in told
    assert (">10\u00a0%", "-", "-") in told


def test_many_paths_are_dots_with_quartiles_and_the_note_says_so() -> None:
    few = [Path(0, measured(0.01), None, measured(1e-4), "")] * MOST_PATHS
    assert paired_note(few) == ""
    many = [*few, Path(0, measured(0.01), None, measured(1e-4), "")]
    assert paired_note(many).startswith("401 courses are too many for a line each: dots")
    spec = _drawn(many)
    assert len(_dots(spec)) == 802
    assert [layer["mark"]["type"] for layer in spec["layer"]].count("line") == 2
    far_too_many = many * (MOST_DOTS // 800 + 1)
    assert "or a dot each" in paired_note(far_too_many)
    marks = [layer["mark"]["type"] for layer in _drawn(far_too_many)["layer"]]
    assert "point" not in marks and "line" in marks


def test_a_quartile_is_the_place_of_a_result() -> None:
    # From the least disease (furthest down) up: 40, 30, 20, 10.
    assert quartile_heights([10, 40, 20, 30]) == (40, 30, 20)
    assert quartile_heights([7]) == (7, 7, 7)
    hollow = [Path(0, None, measured(0.1, hollow=True), measured(0.01), "")] * (MOST_PATHS + 1)
    quartiles = data_of(_drawn(hollow), "line")
    # Of another material there is no median.
    assert [(q["x"], q["y"]) for q in quartiles] == [(2.5, pytest.approx(height_of(0.01)))]


def test_cohorts_share_all_axes() -> None:
    one, other = _made(), _drawn([Path(1, measured(0.3), None, None, "")])
    assert one["height"] == other["height"]
    for spec in (one, other):
        assert spec["layer"][0]["encoding"]["y"]["scale"]["domain"] == [0, FLOOR_BOTTOM]
        # The axis of a layer is that of all.
        axes = [layer["encoding"]["y"]["axis"] for layer in spec["layer"]]
        assert all(axis == axes[0] for axis in axes)
    assert {dot["colour"] for dot in _dots(other)} == {palette.colour(1)}


def test_what_is_no_result_is_an_error() -> None:
    for value in (float("nan"), -0.1, 1.5):
        with pytest.raises(ValueError, match="not a fraction"):
            measured(value)
    with pytest.raises(ValueError, match="no kind of result"):
        Point(0.1, "guessed", None, False)
    for kind in ("quantified", "below", "above"):
        with pytest.raises(ValueError, match="without a value"):
            Point(None, kind, 1e-5, False)
    with pytest.raises(ValueError, match="no paths"):
        _drawn([])


def test_a_cohort_without_a_sample_is_an_empty_picture() -> None:
    spec = _drawn([Path(0, None, None, None, "")])
    assert _dots(spec) == []
    assert '["after", "n = 0"]' in _places(spec)
