"""A view and its address are the same thing; what is not valid is not applied, and said."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.link import (
    COURSES,
    DENOMINATORS,
    EFFECTS,
    MISSING_RULES,
    SORTS,
    TOXICITY_PARTS,
    WINDOWS,
    Decoded,
    LinkError,
    View,
    address,
    classes_of,
    decode,
    default_view,
    encode,
    on_data,
    parse_link,
    response_parts,
    response_points,
    snapshot_in,
    thresholds,
    toxicity_parts,
)
from analysis.link_survival import SCALES, SURVIVAL_PARTS, survival_parts
from tests.spec.made import STUDY
from trial.document import parse_document
from trial.selection import selection
from trial.study_file import parse_study, read_study

MADE = parse_study(parse_document("made.toml", STUDY))
COLON = read_study("colon")
ALLREZ = read_study("allrez")
DATA = "2026-05-03.0123456789ab"


@st.composite
def views(draw: st.DrawFn) -> View:
    """Any view of the colon study."""
    cohorts = draw(st.lists(st.sampled_from([c.code for c in COLON.cohorts]), min_size=1))
    levels = {x.code: draw(st.lists(st.sampled_from(x.level_codes))) for x in COLON.characteristics}
    endpoint = draw(st.sampled_from(COLON.endpoints))
    return replace(
        default_view(draw(st.sampled_from(["survival", "data"])), DATA, COLON),
        selection=selection(COLON, cohorts, levels),
        endpoint=endpoint.code,
        time=draw(st.sampled_from(COLON.milestone_times)),
        tau=draw(st.sampled_from(endpoint.rmst_taus)),
        bands=draw(st.booleans()),
        marks=draw(st.booleans()),
        look=draw(st.sampled_from(survival_parts(COLON))),
        scale=draw(st.sampled_from(SCALES)),
    )


@st.composite
def response_views(draw: st.DrawFn) -> View:
    """Any response view of ALL-REZ, with every option about response."""
    rule = ALLREZ.response
    assert rule
    cohorts = draw(st.lists(st.sampled_from([c.code for c in ALLREZ.cohorts]), min_size=1))
    lines = draw(st.lists(st.sampled_from([line.code for line in ALLREZ.lines]), min_size=1))
    point = draw(st.sampled_from(response_points(ALLREZ)))
    options = {
        "definition": [d.code for d in rule.definitions],
        "mrd": thresholds(ALLREZ),
        "denominator": DENOMINATORS,
        "missing": MISSING_RULES,
        "effect": EFFECTS,
        "part": response_parts(ALLREZ),
        "course": COURSES,
        "who": ["all", *classes_of(point)],
        "sort": SORTS,
        "window": list(WINDOWS),
    }
    return replace(
        default_view("response", DATA, ALLREZ),
        selection=selection(ALLREZ, cohorts, {}, lines),
        timepoint=point,
        **{name: draw(st.sampled_from(codes)) for name, codes in options.items()},
    )


@given(views())
def test_a_view_comes_back_from_its_address(view: View) -> None:
    page, params = parse_link("http://127.0.0.1:8501" + address(view))
    assert decode(page, params, view.data, COLON) == Decoded(view, ())


@given(response_views())
def test_a_response_view_comes_back_from_its_address(view: View) -> None:
    page, params = parse_link("http://127.0.0.1:8501" + address(view))
    assert decode(page, params, view.data, ALLREZ) == Decoded(view, ())


def test_every_option_is_written_even_at_its_default() -> None:
    link = address(default_view("survival", DATA, MADE))
    assert link == (
        f"/survival?v=1&data={DATA}&cohorts=old,new&lines=enrollment&endpoint=efs&time=12&tau=12"
        "&bands=yes&marks=yes&look=endpoints&scale=hazard_ratio"
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


def _decoded(query: str) -> Decoded:
    page, params = parse_link(f"/response?data={DATA}&{query}")
    return decode(page, params, DATA, ALLREZ)


def test_every_option_about_response_is_written_even_at_its_default() -> None:
    assert address(default_view("response", DATA, ALLREZ)) == (
        f"/response?v=1&data={DATA}&cohorts=allrez2014,allrez2016&lines=first_relapse&endpoint=efs"
        "&time=3&tau=3&bands=yes&marks=yes&timepoint=after_induction&definition=morphology"
        "&mrd=0.0001&denominator=enrolled&missing=not_negative&effect=difference&part=lens"
        "&course=1&who=all&sort=class&window=year&block=f1&grade=3&extra=no&unit=patients"
        "&order=study&least=0&open=none&item=category/infection&more=blocks&nth=1"
        "&look=endpoints&split=transplant&day=120&by=landmark&weights=overlap&scale=hazard_ratio"
        "&published=no&f.risk_group=high"
    )


def test_a_study_without_mrd_writes_no_option_about_it() -> None:
    names = [name for name, _ in encode(default_view("response", DATA, read_study("myeloid")))]
    assert {"timepoint", "definition", "denominator", "missing", "who"} <= set(names)
    assert not {"mrd", "course"} & set(names)


RESPONSE_VALUES = [
    ("timepoint=remission", "timepoint", "remission"),
    ("definition=counts", "definition", "counts"),
    ("mrd=limit", "mrd", "limit"),
    ("mrd=0.001", "mrd", "0.001"),
    ("denominator=started", "denominator", "started"),
    ("missing=left_out&denominator=enrolled", "missing", "left_out"),
    ("effect=odds_ratio", "effect", "odds_ratio"),
    ("part=courses", "part", "courses"),
    ("course=6", "course", "6"),
    ("who=died", "who", "died"),
    ("timepoint=remission&who=early_death", "who", "early_death"),
    ("sort=follow_up", "sort", "follow_up"),
    ("window=all", "window", "all"),
]


@pytest.mark.parametrize(("query", "name", "value"), RESPONSE_VALUES)
def test_an_option_about_response_is_read(query: str, name: str, value: str) -> None:
    decoded = _decoded(query)
    assert decoded.problems == ()
    assert getattr(decoded.view, name) == value
    assert f"&{name}={value}&" in address(decoded.view)


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("timepoint=day_8", "'day_8' is not valid for timepoint; valid are: after_induction"),
        ("definition=by_eye", "'by_eye' is not valid for definition; valid are: morphology"),
        ("mrd=0.5", "'0.5' is not valid for mrd; valid are: 0.0001, 0.001, limit"),
        ("mrd=nan", "'nan' is not valid for mrd"),
        ("mrd=1e-4", "'1e-4' is not valid for mrd"),
        ("denominator=", "'' is not valid for denominator; valid are: enrolled, started"),
        ("missing=negative", "'negative' is not valid for missing; valid are: not_negative"),
        ("effect=hazard", "'hazard' is not valid for effect; valid are: difference, odds_ratio"),
        ("part=toxicity", "'toxicity' is not valid for part; valid are: lens, courses, flow"),
        ("course=0", "'0' is not valid for course; valid are: 1, 2"),
        ("course=7", "'7' is not valid for course"),
        ("sort=name", "'name' is not valid for sort; valid are: class, follow_up, response_day"),
        ("window=day", "'day' is not valid for window; valid are: year, all"),
        ("who=early_death", "'early_death' is not valid for who; valid are: all, negative"),
        ("timepoint=remission&who=negative", "'negative' is not valid for who; valid are: all"),
        ("part=lens&part=flow", "'part' is given twice; neither was used"),
        ("find=R-0001", "nothing in this study is called 'R-0001' (find)"),
    ],
)  # fmt: skip
def test_an_option_about_response_that_is_not_valid_is_said_and_not_applied(
    query: str, problem: str
) -> None:
    decoded = _decoded(query)
    asked = _decoded("timepoint=remission" if "remission" in query else "")
    assert [text for text in decoded.problems if problem in text] == list(decoded.problems) != []
    assert decoded.view == asked.view


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        ("missing=left_out", ("evaluable", "left_out")),
        ("missing=not_negative", ("enrolled", "not_negative")),
        ("missing=left_out&denominator=enrolled", ("enrolled", "left_out")),
        ("missing=left_out&denominator=sampled", ("sampled", "left_out")),
        ("", ("enrolled", "not_negative")),
    ],
)
def test_an_old_link_that_left_out_the_missing_counted_the_evaluable(
    query: str, rule: tuple[str, str]
) -> None:
    """Such a link names no denominator; one that names it is taken at its word."""
    decoded = _decoded(query)
    assert (decoded.view.denominator, decoded.view.missing) == rule
    assert decoded.problems == ()


def test_no_parameter_can_hold_an_identifier() -> None:
    """Every value is one that the study declares: what else somebody typed is in no address."""
    names = [name for name, _ in encode(default_view("response", DATA, ALLREZ))]
    names += [f"f.{x.code}" for x in ALLREZ.characteristics]
    names += ["patient", "find", "wanted", "f.patient_id", "f.", "KR-0042"]
    for name in names:
        if name in ("v", "data"):
            continue
        decoded = _decoded(f"{name}=KR-0042")
        assert "KR-0042" not in address(decoded.view), name
        assert len(decoded.problems) == 1, name


TOXICITY_VALUES = [
    ("unit=events", "unit", "events"),
    ("order=difference", "order", "difference"),
    ("least=10", "least", "10"),
    ("open=all", "open", "all"),
    ("open=hepatic,infection", "open", "infection,hepatic"),
    ("open=none,infection", "open", "infection"),
    ("find=Sepsis", "find", "Sepsis"),
    ("item=term/crs", "item", "term/crs"),
    ("item=fatal", "item", "fatal"),
    ("more=deaths", "more", "deaths"),
    ("nth=2", "nth", "2"),
]


@pytest.mark.parametrize(("query", "name", "value"), TOXICITY_VALUES)
def test_an_option_about_toxicity_is_read_and_written(query: str, name: str, value: str) -> None:
    decoded = _decoded(query)
    assert decoded.problems == () and getattr(decoded.view, name) == value
    assert dict(encode(decoded.view))[name] == value


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("unit=children", "'children' is not valid for unit; valid are: patients, events"),
        ("least=7", "'7' is not valid for least"),
        ("open=blood", "'blood' is not valid for open"),
        ("find=sepsys", "nothing in this study is called 'sepsys' (find)"),
        ("item=infection", "'infection' is not valid for item"),
        ("more=lens", "'lens' is not valid for more"),
        ("nth=0", "'0' is not valid for nth"),
    ],
)
def test_an_option_about_toxicity_that_is_not_valid_is_said(query: str, problem: str) -> None:
    decoded = _decoded(query)
    assert [text for text in decoded.problems if problem in text] == list(decoded.problems) != []
    assert decoded.view == _decoded("").view


def test_a_study_offers_the_parts_of_toxicity_that_it_has_anything_for() -> None:
    assert toxicity_parts(ALLREZ) == TOXICITY_PARTS
    assert toxicity_parts(read_study("cdisc_pilot")) == ("blocks", "time", "burden", "list")
    assert "more" not in dict(encode(default_view("toxicity", DATA, read_study("colon"))))


SURVIVAL_VALUES = [
    ("look=fair", "look", "fair"),
    ("split=cd3_by_day_8", "day", "8"),
    ("split=transplant&day=180", "day", "180"),
    ("by=time_dependent", "by", "time_dependent"),
    ("weights=newer", "weights", "newer"),
    ("scale=rmst", "scale", "rmst"),
    ("published=yes", "published", "yes"),
]


@pytest.mark.parametrize(("query", "name", "value"), SURVIVAL_VALUES)
def test_an_option_about_survival_is_read_and_written(query: str, name: str, value: str) -> None:
    decoded = _decoded(query)
    assert decoded.problems == () and getattr(decoded.view, name) == value
    assert dict(encode(decoded.view))[name] == value


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("look=lens", "'lens' is not valid for look"),
        ("split=relapse", "'relapse' is not valid for split"),
        ("split=cd3_by_day_8&day=90", "'90' is not valid for day; valid are: 8"),
        ("weights=older", "'older' is not valid for weights"),
    ],
)
def test_an_option_about_survival_that_is_not_valid_is_said(query: str, problem: str) -> None:
    decoded = _decoded(query)
    assert len(decoded.problems) == 1 and problem in decoded.problems[0]


def test_a_study_offers_the_parts_of_survival_that_it_has_anything_for() -> None:
    assert survival_parts(ALLREZ) == SURVIVAL_PARTS
    assert survival_parts(COLON) == ("endpoints", "subgroups"), "randomised: nothing to adjust"
    assert survival_parts(read_study("myeloid")) == ("endpoints", "later", "subgroups")
