"""Competing events and follow-up, counted by hand: where comparisons end, what is warned of."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from analysis.answer import Answer, Number
from analysis.compose import page
from analysis.incidence_window import cut_states, end_day, fade_day
from analysis.stats.competing import StateCounts, state_counts
from analysis.stats.counts import DayCounts
from analysis.stats.gray import gray_test
from analysis.survival import survival_answer
from analysis.survival_endpoints import endpoints_answer
from analysis.survival_window import window_of
from tests.spec.made import STUDY
from tests.spec.wards import Child, Wards, wards_of

ENDPOINTS = """
[[endpoint]]
code = "cir"
label = "Incidence of relapse"
abbreviation = "CIR"
kind = "incidence"
origin = "enrollment"
censor = "last_contact"
rmst_taus = [12]
definition = "To relapse; death competes."
event = [{ milestone = "relapse", state = 1 }, { milestone = "death", state = 2 }]

[[endpoint]]
code = "states"
label = "What became of everybody"
abbreviation = "states"
kind = "states"
origin = "enrollment"
censor = "last_contact"
rmst_taus = [12]
no_event = "without event"
definition = "Relapse or death before it."
event = [{ milestone = "relapse", state = 1 }, { milestone = "death", state = 2 }]
"""
MONTH = 30.4375


def _relapsed(protocol: str, n: int, day: int) -> list[Child]:
    return [Child(protocol, 2000, relapse=day)] * n


def _unequal() -> list[Child]:
    """The newer cohort has 27 at risk on day 200, and 9 after 18 of them were last seen then."""
    old = [*_relapsed("2014", 6, 100), *_relapsed("2014", 6, 300), *[Child("2014", 2000)] * 18]
    new = [*_relapsed("2016", 3, 100), *[Child("2016", 200)] * 18, *_relapsed("2016", 1, 400)]
    return [*old, *new, *[Child("2016", 2000)] * 8]


def _cut() -> list[Child]:
    """The same children, had nobody been seen after day 200."""
    old = [*_relapsed("2014", 6, 100), *[Child("2014", 200)] * 24]
    return [*old, *_relapsed("2016", 3, 100), *[Child("2016", 200)] * 27]


def _resolved(protocol: str) -> list[Child]:
    """Twelve of whom three are without event at a year; nobody was censored before it."""
    dead = [Child(protocol, 60, is_dead=True)] * 4
    return [*_relapsed(protocol, 5, 50), *dead, *[Child(protocol, 800)] * 3]


@pytest.fixture(scope="module")
def wards(tmp_path_factory: pytest.TempPathFactory) -> Wards:
    children = {
        "unequal": _unequal(),
        "cut": _cut(),
        "resolved": [*_resolved("2014"), *_resolved("2016")],
        "few": [*_resolved("2014"), *_relapsed("2016", 2, 50), *[Child("2016", 800)] * 5],
        "all few": [*[Child("2014", 800)] * 3, *[Child("2016", 800)] * 2],
    }
    return wards_of(tmp_path_factory.mktemp("wards"), STUDY + ENDPOINTS, children)


def _ward(wards: Wards, name: str, endpoint: str = "cir", time: str = "12") -> Answer:
    return survival_answer(wards.snapshot, wards.view(name, endpoint=endpoint, time=time))


def _number(found: Answer, statistic: str, **wanted: object) -> Number:
    (number,) = [
        n
        for n in found.numbers
        if n.statistic == statistic and all(getattr(n, k) == v for k, v in wanted.items())
    ]
    return number


def _warnings(found: Answer) -> str:
    return "\n".join(note.text for note in found.notes if note.kind == "warning")


def _drawn(found: Answer, position: int = 0) -> list[dict]:
    """The rows of the curves or areas of a figure."""
    spec = found.figures[position].chart.to_dict()
    return next(rows for rows in spec["datasets"].values() if "part" in rows[0])


# ---------------------------------------------------------------- where comparisons end


def test_the_second_line_says_how_each_cohort_was_followed(wards: Wards) -> None:
    """2000 days are 65.71 months, 200 days are 6.57."""
    line = _ward(wards, "unequal").headline.splitlines()[1]
    assert line == (
        "Events and follow-up: Old 12/30 events (0 competing), median follow-up 65.71 months; "
        "New 4/30 events (0 competing), median follow-up 6.57 months."
    )
    assert "Old 12/30 with an event" in _ward(wards, "unequal", "states").headline


def test_a_difference_ends_with_the_follow_up_that_all_share(wards: Wards) -> None:
    found = _ward(wards, "unequal")
    difference = _number(found, "incidence_difference")
    assert difference.estimate is None
    reason = "later than the 6.57 months in which the cohorts are compared"
    assert difference.not_estimable_reason == reason and reason in found.headline
    early = _number(_ward(wards, "unequal", time="1"), "incidence_difference")
    assert early.estimate == 0


def test_test_and_ratio_are_those_of_follow_up_that_ended_there(wards: Wards) -> None:
    found, cut = _ward(wards, "unequal"), _ward(wards, "cut")
    for statistic in ("gray_chi_square", "subdistribution_hazard_ratio"):
        ours, theirs = _number(found, statistic), _number(cut, statistic)
        assert ours.estimate == pytest.approx(theirs.estimate)
        assert ours.p_value == pytest.approx(theirs.p_value)
        assert (ours.method or "").endswith(", up to 6.6 months")
        assert "up to" not in (theirs.method or "")
    assert _number(found, "window_days", cohort="new").estimate == 200
    both = _number(found, "window_days", cohort="old,new")
    assert (both.estimate, both.level_code) == (200, "unequal")


def test_the_reader_is_told_what_is_not_compared(wards: Wards) -> None:
    told = _warnings(_ward(wards, "unequal"))
    assert "Follow-up is unequal: median Old 65.71 months; New 6.57 months." in told
    assert "end at 6.6 months" in told and "(7 later events not compared)" in told
    assert "Over all follow-up the subdistribution hazard ratio is New 0." in told
    # On day 365.25 the one who relapses on day 400 and eight others are left of the newer cohort.
    assert "Half of the patients were followed for less than 12 months: New 9 still at risk" in told
    assert "At 12 months fewer than 10 are at risk in New: the estimate there is unstable." in told
    assert "unequal" not in _warnings(_ward(wards, "cut"))


def test_all_states_are_not_to_be_compared_beyond_it_either(wards: Wards) -> None:
    found = _ward(wards, "unequal", "states")
    told = _warnings(found)
    assert "Compare the cohorts up to 6.6 months" in told
    assert "12 months is later than that." in told
    assert "At 12 months fewer than 10 are at risk in New" in told
    table = found.table("states")
    assert {table.rows[k][0] for k in table.pale} == {"12 months"}
    assert "later than that" not in _warnings(_ward(wards, "unequal", "states", "1"))


def test_curves_and_areas_are_pale_beyond_it(wards: Wards) -> None:
    for endpoint in ("cir", "states"):
        rows = _drawn(_ward(wards, "unequal", endpoint))
        assert max(r["time"] for r in rows if r["part"] == "full") == pytest.approx(200 / MONTH)
        assert max(r["time"] for r in rows if r["part"] == "pale") == pytest.approx(2000 / MONTH)


# ---------------------------------------------------------------- events resolve, and hide nobody


def test_few_left_since_all_others_had_an_event_is_no_warning(wards: Wards) -> None:
    found = _ward(wards, "resolved")
    assert "at risk" not in _warnings(found) and "Half" not in _warnings(found)
    assert found.table("states").pale == ()
    difference = _number(found, "incidence_difference")
    assert difference.estimate == 0 and difference.lower is not None


@pytest.mark.parametrize("endpoint", ["cir", "states"])
def test_nor_do_curves_fade_or_end_there(wards: Wards, endpoint: str) -> None:
    rows = _drawn(_ward(wards, "resolved", endpoint))
    assert {r["part"] for r in rows} == {"full"}
    assert max(r["time"] for r in rows) == pytest.approx(800 / MONTH)


def test_below_ten_patients_there_is_no_curve_and_the_name(wards: Wards) -> None:
    found = _ward(wards, "few")
    assert {r["curve"] for r in _drawn(found)} == {"Old"}
    assert "Too few for a curve: New (n = 7)." in found.figures[0].caption
    assert "Too few for a curve: New (n = 7)." in _ward(wards, "few", "states").figures[0].caption
    assert _ward(wards, "all few").figures == ()


# ---------------------------------------------------------------- the rules alone


def _counts(*rows: tuple[int, int, int]) -> StateCounts:
    """From day, state, how many."""
    return state_counts(pl.DataFrame(rows, schema=["time_days", "state", "n"], orient="row"), 2)


COUNTS = _counts((0, 1, 1), (10, 2, 3), (20, 1, 2), (20, 0, 4), (50, 1, 1), (90, 0, 6))


@pytest.mark.parametrize("day", [0, 5, 20, 30, 50, 90, 200])
def test_cut_follow_up_is_that_of_every_child_cut(day: int) -> None:
    rows = [(0, 1, 1), (10, 2, 3), (20, 1, 2), (20, 0, 4), (50, 1, 1), (90, 0, 6)]
    wanted = _counts(*[(min(t, day), state if t <= day else 0, n) for t, state, n in rows])
    found = cut_states(COUNTS, day)
    assert found.day.tolist() == wanted.day.tolist()
    assert found.events.tolist() == wanted.events.tolist()
    assert found.censored.tolist() == wanted.censored.tolist()
    assert found.n == 17 and COUNTS.n == 17, "and the whole is as it was"


def test_cut_follow_up_goes_through_the_test_as_it_is() -> None:
    other = _counts((10, 1, 4), (40, 0, 10), (70, 1, 2))
    cut = tuple(cut_states(c, 60) for c in (COUNTS, other))
    assert gray_test(cut, 1).chi_square != gray_test((COUNTS, other), 1).chi_square
    with pytest.raises(ValueError, match="delayed entry"):
        cut_states(replace(COUNTS, entered=np.ones(5)), 60)


def _days(*rows: tuple[int, int, int]) -> DayCounts:
    """From day, events, censored."""
    day, events, censored = (np.array(x) for x in zip(*rows, strict=True))
    return DayCounts(day.astype(float), events, censored)


def test_a_window_ends_with_ten_at_risk_or_with_the_first_censored() -> None:
    resolved = _days((10, 15, 0), (300, 0, 1), (400, 0, 4))  # 20, 5 at risk from day 11 on
    followed = _days((10, 2, 0), (100, 0, 10), (200, 0, 12))  # 22 at risk on day 100, 12 on 200
    found = window_of([resolved, followed], is_randomised=False)
    assert [day.estimate for day in found.by_cohort] == [300, 200]
    assert (found.day, found.is_unequal, found.end) == (200, True, 200)
    arms = window_of([resolved, followed], is_randomised=True)
    assert (arms.day, arms.end) == (200, None)


def test_nobody_censored_is_followed_in_full_and_ends_nothing() -> None:
    known = _days((10, 15, 0), (300, 5, 0))
    found = window_of([known, _days((100, 0, 10), (200, 0, 12))], is_randomised=False)
    assert found.by_cohort[0].reason == "nobody was censored" and found.day == 200
    assert window_of([known, known], is_randomised=False).day is None
    assert (end_day(known), fade_day(known)) == (300, None)


def test_a_curve_fades_and_ends_after_the_censored() -> None:
    counts = _days((10, 3, 0), (20, 0, 5), (30, 0, 1), (40, 0, 6), (50, 0, 4))  # 19 16 11 10 4
    assert (fade_day(counts), end_day(counts)) == (40, 40)
    assert fade_day(_days((10, 3, 0), (20, 0, 6))) == 0, "fewer than ten patients"


# ---------------------------------------------------------------- the list of endpoints


def _listed(wards: Wards, name: str, time: str = "12") -> Answer:
    return endpoints_answer(page("survival", wards.snapshot, wards.view(name, time=time)))


def test_the_list_warns_of_few_at_risk_where_others_were_censored(wards: Wards) -> None:
    told = [n.text for n in _listed(wards, "unequal").notes if "unstable" in n.text]
    assert any("CIR (New)" in text for text in told) and not any("Old" in text for text in told)
    resolved = _listed(wards, "resolved")
    assert not any("unstable" in n.text for n in resolved.notes)
    cell = next(r[3] for r in resolved.table("endpoints").rows if r[0].startswith("CIR"))
    assert cell.endswith("5/12 events, 3 at risk")


def test_the_list_compares_no_incidence_beyond_unequal_follow_up(wards: Wards) -> None:
    late = _number(_listed(wards, "unequal"), "endpoint_difference", endpoint="cir")
    assert "in which the cohorts are compared" in (late.not_estimable_reason or "")
    early = _number(_listed(wards, "unequal", "1"), "endpoint_difference", endpoint="cir")
    assert early.estimate == 0
