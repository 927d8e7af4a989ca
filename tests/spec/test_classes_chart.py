"""Stacked bars of classes as data: they fill the whole, in order, and say n where there is room."""

from functools import cache
from itertools import pairwise

import pytest
import vl_convert

from analysis.charts import palette
from analysis.charts.classes import Bar, Part, class_bars, class_bars_height, fitting
from tests.spec.test_response_chart import NEW, OLD, data_of
from trial.response import MRD_CLASSES, RESPONSE_CLASSES

MRD = (
    "negative",
    "indeterminate",
    "positive",
    "not_evaluable",
    "not_sampled",
    "too_early",
    "in_doubt",
    "not_reached",
)


def made_bars(label: str = "below 0.01 %", named: str = "nega\u00adtive") -> tuple[Bar, ...]:
    """Two groups under one label, one under another, and a group of nobody."""

    def bar(what: str, group: str, role: int, *counts: int) -> Bar:
        labels = (named, *MRD[1:])
        parts = zip(MRD, labels, counts, strict=True)
        return Bar(what, group, role, tuple(Part(*part) for part in parts))

    return (
        bar(label, OLD, 0, 60, 10, 20, 2, 4, 0, 1, 3),
        bar(label, NEW, 1, 30, 0, 10, 0, 5, 5, 0, 0),
        bar("below 0.1 %", OLD, 0, 70, 0, 20, 2, 4, 0, 1, 3),
        bar("below 0.1 %", NEW, 1, 0, 0, 0, 0, 0, 0, 0, 0),
    )


@cache
def made_spec() -> dict:
    """The picture of the made bars, drawn once for all tests."""
    return class_bars(made_bars(), "Patients").to_dict()


def _parts(k: int) -> list[dict]:
    return [row for row in data_of(made_spec(), "rect") if row["bar"] == k]


def test_the_parts_fill_their_bar_in_the_order_given() -> None:
    for k, bar in enumerate(made_bars()[:3]):
        parts = _parts(k)
        assert [p["code"] for p in parts] == [p.code for p in bar.parts if p.n]
        assert parts[0]["x"] == 0 and parts[-1]["x2"] == 1
        assert all(left["x2"] == right["x"] for left, right in pairwise(parts))
        assert all(p["x2"] - p["x"] == pytest.approx(p["n"] / bar.n) for p in parts)


def test_a_class_has_one_colour_under_every_label() -> None:
    parts = [p for k in range(3) for p in _parts(k)]
    assert len({(p["code"], p["colour"]) for p in parts}) == len({p["code"] for p in parts})
    assert {p["colour"] for p in parts if p["code"] == "negative"} == {palette.TONES["good"]}


def test_bars_that_follow_under_one_label_share_it() -> None:
    spec = made_spec()
    axis = spec["layer"][0]["encoding"]["y"]["axis"]
    assert len(axis["values"]) == 2
    names = data_of(spec, "text", 1)
    assert [n["text"] for n in names] == [OLD, NEW, OLD, NEW]
    assert [n["n"] for n in names] == ["N = 100", "N = 50", "N = 100", "N = 0"]
    assert [n["colour"] for n in names] == [palette.colour(k) for k in (0, 1, 0, 1)]
    tops = sorted({(p["y"], p["y2"]) for p in data_of(spec, "rect")})
    assert all(above[1] < below[0] for above, below in pairwise(tops))


def test_a_part_says_the_longest_text_that_it_has_room_for() -> None:
    spec = made_spec()
    texts = [t for t in data_of(spec, "text", 3) if t["text"].endswith("60 (60 %)")]
    assert [t["text"] for t in texts] == ["negative 60 (60 %)", "60 (60 %)"]
    assert texts[1]["enough"] == texts[0]["needed"] > texts[1]["needed"]
    svg = vl_convert.vegalite_to_svg(class_bars(made_bars(), "").properties(width=322).to_dict())
    # 60 % of 322 pixels hold the word, 20 % the number and percent, 1 % nothing.
    assert "negative 60 (60 %)" in svg and ">20 (20 %)<" in svg
    assert ">1<" not in svg and "in_doubt 1" not in svg


def test_texts_that_fit_take_turns_without_a_gap() -> None:
    found = fitting(["a long one", "short", "short", "n"], letter=1)
    assert [text for text, _, _ in found] == ["a long one", "short", "n"]
    assert all(longer[1] == shorter[2] for longer, shorter in pairwise(found))
    assert fitting(["two\nlines"], letter=1)[0][1] == fitting(["lines"], letter=1)[0][1]


def test_the_legend_names_what_occurs_and_wraps_on_a_phone() -> None:
    spec = made_spec()
    keys = data_of(spec, "point")
    narrow = [k for k in keys if k["is_narrow"]]
    assert [k["text"] for k in narrow] == list(MRD)
    assert len({k["y"] for k in narrow}) > len({k["y"] for k in keys if not k["is_narrow"]})
    only = (Bar("a", OLD, 0, (Part("negative", "yes", 3), Part("positive", "no", 0))),)
    assert {k["text"] for k in data_of(class_bars(only, "").to_dict(), "point")} == {"yes"}


def test_the_pointer_is_told_all_classes_of_a_bar() -> None:
    spec = made_spec()
    told = data_of(spec, "rect", 1)
    assert told[0]["title"] == f"below 0.01 %, {OLD}"
    assert told[0]["told_0"] == "60 (60.0 %)" and told[1]["told_1"] == "0 (0.0 %)"
    # Of nobody no percentage is said.
    assert told[3]["told_0"] == "0"
    titles = [t["title"] for t in spec["layer"][-1]["encoding"]["tooltip"]]
    assert titles == ["title", "negative", *MRD[1:], "N"]


def test_the_page_has_room_for_every_bar() -> None:
    bars = made_bars()
    assert class_bars_height(bars) > class_bars(bars, "").to_dict()["height"]
    assert class_bars_height(bars) > class_bars_height(bars[:2]) > class_bars_height(bars[:1])


def test_what_is_no_count_of_classes_is_an_error() -> None:
    with pytest.raises(ValueError, match="without a colour"):
        Part("unheard_of", "", 1)
    with pytest.raises(ValueError, match="-1 patients"):
        Part("negative", "", -1)
    with pytest.raises(ValueError, match="a class comes twice"):
        Bar("a", OLD, 0, (Part("negative", "", 1), Part("negative", "", 2)))
    with pytest.raises(ValueError, match="no bars"):
        class_bars((), "")
    with pytest.raises(ValueError, match="no bars"):
        class_bars_height(())


@pytest.mark.parametrize("codes", [MRD_CLASSES, RESPONSE_CLASSES])
def test_neighbouring_classes_differ_in_lightness(codes: tuple[str, ...]) -> None:
    colours = [palette.TONES[palette.CLASS_TONES[code]] for code in codes]
    assert all(palette.contrast(one, other) > 2 for one, other in pairwise(colours))
    assert len(set(colours)) == len(codes)


def test_text_is_read_on_every_tone_and_block() -> None:
    for colour in (*palette.TONES.values(), *palette.BLOCKS):
        assert palette.contrast(palette.text_on(colour), colour) > 4.5
