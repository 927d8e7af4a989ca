"""Who is compared with whom: the default population, lines of therapy, filters known only later."""

import re

from analysis.answer import Answer
from analysis.link import decode, default_view
from analysis.questions import answer
from analysis.survival_results import survival_results
from tests.conftest import Demo
from trial.words import say

WHOLE = {"cohorts": "allrez2014,allrez2016"}


def _view(demo: Demo, page: str, **options: str):
    params = {name: [value] for name, value in {**WHOLE, **options}.items()}
    return decode(page, params, demo.snapshot.snapshot_id, demo.snapshot.study)


def _answer(demo: Demo, page: str, **options: str) -> Answer:
    return answer(demo.snapshot, _view(demo, page, **options).view)


def test_pages_open_with_high_risk_first_relapse_by_the_same_derived_rule(demo: Demo) -> None:
    view = default_view("survival", "", demo.snapshot.study)
    assert view.selection.line_codes == ("first_relapse",)
    filters = {f.characteristic_code: f.level_codes for f in view.selection.filters}
    assert filters == {"risk_group": ("high",)}
    assert demo.snapshot.study.characteristic("risk_group").is_derived
    assert (view.endpoint, view.time, view.block, view.grade) == ("efs", 3, "f1", 3)
    assert (view.timepoint, view.mrd, view.missing) == ("after_induction", "0.0001", "not_negative")


def test_a_link_by_hand_gets_the_default_population_and_a_whole_link_only_its_own(
    demo: Demo,
) -> None:
    by_hand = decode("survival", {"endpoint": ["os"]}, "", demo.snapshot.study).view
    assert by_hand.selection.filters
    assert _view(demo, "survival", endpoint="os").view.selection.filters == ()


def test_a_refractory_filter_is_refused_from_the_relapse_on(demo: Demo) -> None:
    options = {"f.remission_by_landmark": "no"}
    for page in ("survival", "overview", "response", "toxicity"):
        found = _view(demo, page, endpoint="efs", **options)
        assert found.view.selection.filters == ()
        (problem,) = found.problems
        assert (
            "filter not applied" in problem and "immortal time" in problem and "day 60" in problem
        )


def test_transplanted_is_refused_too(demo: Demo) -> None:
    for endpoint in ("os", "rfs", "cir"):
        found = _view(demo, "survival", endpoint=endpoint, **{"f.transplanted": "yes"})
        assert len(found.problems) == 1 and found.view.selection.filters == ()


def test_lines_with_different_entry_reasons_get_no_log_rank(demo: Demo) -> None:
    view = _view(demo, "survival", lines="first_relapse,refractory", endpoint="os").view
    results = survival_results(demo.snapshot, view)
    assert [c.cohort.code for c in results.cohorts] == [
        "allrez2014/first_relapse", "allrez2016/first_relapse",
        "allrez2014/refractory", "allrez2016/refractory",
    ]  # fmt: skip
    assert all(c.counts.n >= 10 for c in results.cohorts), "otherwise their size were the reason"
    assert results.comparisons == () and results.log_rank.chi_square is None
    found = answer(demo.snapshot, view)
    assert say("group.several_lines") in [n.text for n in found.notes if n.kind == "warning"]
    assert "minus" not in found.headline
    tests = [n for n in found.numbers if n.statistic == "log_rank_chi_square"]
    assert [t.not_estimable_reason for t in tests] == [say("group.several_lines")]
    assert not [n for n in found.numbers if n.comparator]


def test_refractory_children_are_shown_one_protocol_at_a_time(demo: Demo) -> None:
    for page in ("survival", "overview", "toxicity"):
        found = _answer(demo, page, lines="refractory", endpoint="os", block="blina")
        assert not [n for n in found.numbers if n.comparator and n.estimate is not None]
        assert any("one protocol at a time" in n.text for n in found.notes)


def test_response_is_not_defined_for_lines_that_are_not_judged(demo: Demo) -> None:
    found = _answer(demo, "response", lines="refractory,second_relapse")
    assert "It is not defined for: refractory" in found.headline
    assert found.tables == found.figures == found.numbers == ()
    both = _answer(demo, "response", lines="first_relapse,refractory")
    assert {n.cohort for n in both.numbers if n.cohort} == {
        "allrez2014/first_relapse", "allrez2016/first_relapse",
    }  # fmt: skip


def test_what_is_not_in_a_figure_adds_up(demo: Demo) -> None:
    """In the figure, and in the notes why not: together everybody of the population."""
    for endpoint in ("rfs", "cir", "trm", "efs", "os", "states"):
        found = _answer(demo, "survival", endpoint=endpoint, **{"f.risk_group": "high"})
        inside = {n.cohort: n.numerator or 0 for n in found.numbers if n.statistic == "in_figure"}
        told = " ".join(n.text for n in found.notes)
        assert "no last contact" not in told, "everybody has a follow-up row"
        for c in found.cohorts:
            match = re.search(rf"(\d+) of {c.n_population} in {c.label} never reached", told)
            assert inside[c.code] + (int(match[1]) if match else 0) == c.n_population


def test_an_endpoint_that_a_line_does_not_have_says_so(demo: Demo) -> None:
    found = _answer(demo, "survival", lines="refractory", endpoint="efs")
    assert found.headline.startswith("Event-free survival is not defined for: refractory")
    assert found.figures == ()


def test_each_child_is_counted_once_a_kind_of_line(demo: Demo) -> None:
    found = _answer(demo, "overview", lines="first_relapse")
    assert [c.n_population for c in found.cohorts] == [180, 120]
    rows = {row[0]: row[1:] for row in found.table("left_out").rows}
    assert rows["ALL-REZ 2016"] == (123, 3, 120, 0, 120), "three came back with a second relapse"
    assert any("3 children are enrolled in both cohorts" in n.text for n in found.notes)


def test_the_results_table_adds_to_n(demo: Demo) -> None:
    for options in ({}, {"f.risk_group": "high"}, {"f.strategic_group": "s2"}):
        found = _answer(demo, "overview", **options)
        rows = [n for n in found.numbers if n.statistic == "results_count"]
        for c in found.cohorts:
            mine = [n.numerator or 0 for n in rows if n.cohort == c.code]
            assert sum(mine) == c.n_population
