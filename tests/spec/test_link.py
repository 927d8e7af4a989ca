"""A view and its address are the same thing; what is not valid is not applied, and said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.link import (
    Decoded,
    LinkError,
    View,
    address,
    decode,
    default_view,
    on_data,
    parse_link,
    snapshot_in,
)
from tests.spec.made import STUDY
from trial.document import parse_document
from trial.selection import selection
from trial.study_file import parse_study, read_study

MADE = parse_study(parse_document("made.toml", STUDY))
COLON = read_study("colon")
DATA = "2026-05-03.0123456789ab"


@st.composite
def views(draw: st.DrawFn) -> View:
    """Any view of the colon study."""
    cohorts = draw(st.lists(st.sampled_from([c.code for c in COLON.cohorts]), min_size=1))
    levels = {x.code: draw(st.lists(st.sampled_from(x.level_codes))) for x in COLON.characteristics}
    endpoint = draw(st.sampled_from(COLON.endpoints))
    return View(
        page=draw(st.sampled_from(["survival", "data"])),
        data=DATA,
        selection=selection(COLON, cohorts, levels),
        endpoint=endpoint.code,
        time=draw(st.sampled_from(COLON.milestone_times)),
        tau=draw(st.sampled_from(endpoint.rmst_taus)),
        bands=draw(st.booleans()),
        marks=draw(st.booleans()),
    )


@given(views())
def test_a_view_comes_back_from_its_address(view: View) -> None:
    page, params = parse_link("http://127.0.0.1:8501" + address(view))
    assert decode(page, params, view.data, COLON) == Decoded(view, ())


def test_every_option_is_written_even_at_its_default() -> None:
    link = address(default_view("survival", DATA, MADE))
    assert link == (
        f"/survival?v=1&data={DATA}&cohorts=old,new&lines=enrollment&endpoint=efs&time=12&tau=12"
        "&bands=yes&marks=yes"
    )


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("endpoint=cure", "'cure' is not valid for endpoint; valid are: efs, rfs"),
        ("f.sex=girl,cat", "filter not applied: 'cat' is not valid for f.sex"),
        ("f.eyes=blue", "filter not applied: 'f.eyes' is not valid for filter"),
        ("time=13", "'13' is not valid for time; valid are: 1, 12"),
        ("tau=nan", "'nan' is not valid for tau"),
        ("bands=maybe", "'maybe' is not valid for bands"),
        ("cohorts=old&cohorts=new", "'cohorts' is given twice; neither was used"),
        ("f.sex=girl&f.sex=boy", "filter not applied: 'f.sex' is given twice"),
        ("cohorts=", "'' is not valid for cohorts"),
        ("zoom=3", "'zoom' is not a parameter"),
        (
            "endpoint=efs&f.responder=yes",
            "filter not applied: In remission after induction is known",
        ),
        ("f.sex=girl'%20or%201=1", "filter not applied: 'girl' or 1=1' is not valid"),
    ],
)
def test_what_is_not_valid_is_said_and_not_applied(query: str, problem: str) -> None:
    page, params = parse_link(f"/survival?data={DATA}&{query}")
    decoded = decode(page, params, DATA, MADE)
    assert len(decoded.problems) == 1
    assert problem in decoded.problems[0]
    assert decoded.view.selection.filters == ()


def test_a_characteristic_may_filter_an_endpoint_that_starts_when_it_is_known() -> None:
    page, params = parse_link(f"/survival?data={DATA}&endpoint=rfs&f.responder=yes")
    decoded = decode(page, params, DATA, MADE)
    assert decoded.problems == ()
    assert decoded.view.selection.levels("responder") == ("yes",)


def test_a_link_of_another_version_or_page_leads_nowhere() -> None:
    with pytest.raises(LinkError, match="version 2"):
        snapshot_in({"v": ["2"], "data": [DATA]})
    with pytest.raises(LinkError, match="not a page"):
        parse_link("/cure?v=1")
    with pytest.raises(LinkError, match="not an address"):
        parse_link("http://[::1/survival?v=1")
    for name in ("v", "data"):
        with pytest.raises(LinkError, match=f"'{name}' is given twice"):
            snapshot_in({"v": ["1"], "data": [DATA], name: ["1", "1"]})


def test_on_other_data_a_view_keeps_what_the_study_knows() -> None:
    found = on_data(default_view("survival", DATA, MADE), "undated.0123456789ab", COLON)
    moved = found.view
    assert len(found.problems) == 3, "endpoint, time and tau are said to be left out"
    assert (moved.endpoint, moved.data) == ("os", "undated.0123456789ab")
    assert moved.selection.cohort_codes == ("obs", "lev", "lev5fu")
