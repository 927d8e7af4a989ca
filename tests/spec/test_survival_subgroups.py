"""The forest: every row is what the page says of that subgroup alone, and chance is counted."""

from math import exp, log

import polars as pl
import pytest

from analysis.answer import Answer, Number
from analysis.compose import page
from analysis.disclosure import release
from analysis.link import View, decode
from analysis.stats.forest import interaction
from analysis.stats.shrinkage import shrunken
from analysis.survival_results import survival_results
from analysis.survival_subgroups import by_chance, subgroups_answer
from tests.conftest import Loaded
from tests.spec.made import HEADER, Workshop
from warehouse.query import Snapshot, counts_by_level


def _view(snapshot: Snapshot, params: dict[str, str]) -> View:
    asked = {name: [value] for name, value in params.items()}
    decoded = decode("survival", asked, snapshot.snapshot_id, snapshot.study)
    assert decoded.problems == ()
    return decoded.view


def _answer(snapshot: Snapshot, **params: str) -> Answer:
    view = _view(snapshot, {**params, "look": "subgroups"})
    return subgroups_answer(page("survival", snapshot, view))


def _numbers(found: Answer, statistic: str) -> dict[tuple, Number]:
    return {
        (n.characteristic_code, n.level_code, n.cohort): n
        for n in found.numbers
        if n.statistic == statistic
    }


def _children(n: int, dead: int, seen: int = 700, sex: str = "f", age: int = 7) -> list[str]:
    """Of both cohorts n children, the first of whom die on days 20, 40, ..."""
    return [
        f"{cohort}-{sex}{age}-{i},{cohort},{sex},{age},1,10,,{int(i < dead)},"
        f"{20 * (i + 1) if i < dead else seen + i}"
        for cohort in ("2014", "2016")
        for i in range(n)
    ]


def _boys_only_older() -> list[str]:
    """12 girls a cohort of whom 4 die, 10 boys of whom 9 die, all by month 12; boys are older."""
    return [*_children(12, 4), *_children(10, 9, sex="m", age=12)]


def _unequal() -> list[str]:
    """Old is followed for 80 months, new for 20; of old some die after month 20."""
    lines = []
    for sex in "fm":
        for i in range(20):
            last = 100 * i + 50
            lines.append(f"o{sex}{i},2014,{sex},7,1,9,,{int(i < 8)},{last if i < 8 else 2400}")
            lines.append(f"n{sex}{i},2016,{sex},7,1,9,,{int(i < 4)},{last if i < 4 else 600}")
    return lines


def _competing() -> list[str]:
    """Of 10 children of a sex and cohort 3 relapse, of the boys of new 5; then 2 die."""
    lines = []
    for cohort, sex in (("2014", "f"), ("2016", "f"), ("2014", "m"), ("2016", "m")):
        relapsed = 5 if (cohort, sex) == ("2016", "m") else 3
        for i in range(10):
            relapse, dead = str(30 + i) if i < relapsed else "", relapsed <= i < relapsed + 2
            told = f"{cohort},{sex},7,1,9,{relapse},{int(dead)},{50 if dead else 800}"
            lines.append(f"{cohort}{sex}{i},{told}")
    return lines


def _all_alike(dead: int) -> list[str]:
    """Everybody on day 0, dead or alive."""
    return [
        f"{c}{s}{i},{c},{s},7,1,,,{dead},0"
        for c in ("2014", "2016")
        for s in "fm"
        for i in range(12)
    ]


CASES = {
    "plain": _boys_only_older(),
    "few": [*_children(12, 4), *_children(9, 3, sex="m", age=12)],
    "thin": [*_children(20, 4), *_children(10, 9, sex="m", age=12)],
    "unequal": _unequal(),
    "competing": _competing(),
    "small": [*_children(20, 8), *_children(3, 0, sex="m"), *_children(20, 8, age=12)],
    "no_event": [*_children(12, 0), *_children(12, 0, sex="m", age=12)],
    "all_die": [*_children(12, 12), *_children(12, 12, sex="m", age=12)],
    "all_on_day_0": _all_alike(1),
    "censored_on_day_0": _all_alike(0),
    "one_patient": ["a,2014,f,7,1,,,1,20"],
    "one_each": ["a,2014,f,7,1,,,1,20", "b,2016,m,12,1,,,0,40"],
}
EXTREMES = ("no_event", "all_die", "all_on_day_0", "censored_on_day_0", "one_patient", "one_each")
COMPETING = """
[[endpoint]]
code = "cir"
label = "Relapse, death competing"
abbreviation = "CIR"
kind = "incidence"
origin = "enrollment"
censor = "last_contact"
rmst_taus = [12]
definition = "To relapse."
event = [{ milestone = "relapse", state = 1 }, { milestone = "death", state = 2 }]

[[characteristic]]
code = "case"
label = "Case"
kind = "choice"
known_at = "enrollment"
level = [LEVELS]

[[characteristic]]
code = "sex"
"""


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """All cases in one export; a filter of the case shows one of them."""
    lines = [f"{name}-{line},{name}" for name, of in CASES.items() for line in of]
    workshop = Workshop(tmp_path_factory.mktemp("cases")).patients(*lines, header=f"{HEADER},case")
    levels = ", ".join(f'{{ code = "{name}", label = "{name}" }}' for name in CASES)
    added, first = COMPETING.replace("LEVELS", levels), '[[characteristic]]\ncode = "sex"\n'
    workshop.study = workshop.study.replace(first, added, 1)
    age, codes = 'age = { column = "age" }\n', ", ".join(f'"{name}" = "{name}"' for name in CASES)
    case = f'case = {{ column = "case", codes = {{ {codes} }} }}\n'
    workshop.mapping = workshop.mapping.replace(age, age + case, 1)
    return workshop.snapshot()


def _of_case(cases: Snapshot, name: str, **params: str) -> Answer:
    return _answer(cases, **{"cohorts": "old,new", "time": "12", "f.case": name, **params})


# ---------------------------------------------------------------- each row


@pytest.mark.parametrize("scale", ["hazard_ratio", "difference", "rmst"])
def test_every_row_is_the_head_of_the_page_under_its_own_filter(loaded: Loaded, scale: str) -> None:
    snapshot = loaded.snapshots["colon"]
    base = {"cohorts": "obs,lev5fu", "time": "5", "scale": scale}
    found = _numbers(_answer(snapshot, **base), f"subgroup_{scale}")
    events = _numbers(_answer(snapshot, **base), "subgroup_events")
    for code, level in (("sex", "male"), ("obstruct", "yes"), ("differ", "poor"), (None, None)):
        chosen = {**base, f"f.{code}": level} if code and level else base
        head = survival_results(snapshot, _view(snapshot, chosen))
        (pair,) = head.comparisons
        told = {"hazard_ratio": pair.hazard_ratio, "difference": pair.difference_at(5.0)}
        expected = told.get(scale, pair.rmst_difference)
        row = found[code, level, "lev5fu"]
        assert (row.estimate, row.lower, row.upper) == pytest.approx(
            (expected.estimate, expected.lower, expected.upper), rel=1e-9
        )
        at = {"hazard_ratio": 1e9, "difference": 5 * 365.25}.get(scale, 365.25 * head.tau.asked)
        counted = events[code, level, "lev5fu"]
        assert (counted.numerator, counted.denominator) == (
            head.cohorts[1].events_by(at), head.cohorts[1].counts.n,
        )  # fmt: skip


def test_counts_by_hand(cases: Snapshot) -> None:
    found = _of_case(cases, "plain", scale="difference")
    row = next(row for row in found.table("forest").rows if row[:2] == ("Sex", "girl"))
    assert row[2].startswith("66.7 % (") and row[2].endswith("; 4/12")
    assert row[4].startswith("+0.0 (")
    events = _numbers(found, "subgroup_events")
    assert [events["sex", x, "new"].numerator for x in ("girl", "boy")] == [4, 9]
    assert events[None, None, "old"].numerator == 13


def test_a_level_of_fewer_than_ten_gets_counts_alone(cases: Snapshot) -> None:
    found = _of_case(cases, "few")
    row = next(row for row in found.table("forest").rows if row[:2] == ("Sex", "boy"))
    assert row[2:4] == ("3/9", "3/9")
    assert row[4] == "not estimable: Old: fewer than 10 patients"
    raw = _numbers(found, "subgroup_hazard_ratio")["sex", "boy", "new"]
    assert raw.estimate is None and raw.not_estimable_reason == "Old: fewer than 10 patients"


def test_of_means_one_limit_holds_and_thin_rows_have_none(cases: Snapshot) -> None:
    """Of ten boys a cohort one lives to month 6: too few to be at risk there."""
    found = _of_case(cases, "thin", scale="rmst", tau="6")
    means = _numbers(found, "subgroup_rmst")
    assert {n.time_days for n in means.values()} == {6 * 30.4375}
    assert means["sex", "boy", "new"].not_estimable_reason == (
        "Old: fewer than 10 at risk at 6 months"
    )
    assert means[None, None, "new"].estimate == 0.0


def test_without_a_time_that_all_reach_no_mean_is_told(cases: Snapshot) -> None:
    found = _of_case(cases, "plain", scale="rmst", tau="6")
    warnings = [note.text for note in found.notes if note.kind == "warning"]
    reason = "no declared time has 10 at risk in every cohort"
    assert warnings == [f"Groups are not compared: {reason}."]
    assert found.headline.endswith("groups are not compared.")


# ---------------------------------------------------------------- levels of one characteristic


def test_shrunken_estimates_are_of_the_levels_of_one_characteristic(loaded: Loaded) -> None:
    found = _answer(loaded.snapshots["colon"], cohorts="obs,lev5fu")
    raw = _numbers(found, "subgroup_hazard_ratio")
    drawn = _numbers(found, "subgroup_hazard_ratio_shrunken")
    levels = ("under_50", "from_50", "from_60", "from_70")
    rows = [raw["age", code, "lev5fu"] for code in levels]
    logs = [[log(x or 0) for x in (n.estimate, n.lower, n.upper)] for n in rows]
    errors = [(upper - lower) / 2 / 1.959963984540054 for _, lower, upper in logs]
    expected = shrunken([b for b, _, _ in logs], errors).levels
    for code, level in zip(levels, expected, strict=True):
        assert drawn["age", code, "lev5fu"].estimate == pytest.approx(exp(level.estimate or 0))
    assert not any(code == "missing" for _, code, _ in drawn)
    assert (None, None, "lev5fu") not in drawn


def test_not_recorded_is_no_level_of_the_interaction(loaded: Loaded) -> None:
    snapshot = loaded.snapshots["colon"]
    found = _answer(snapshot, cohorts="obs,lev5fu")
    test = _numbers(found, "interaction")["differ", None, "lev5fu"]
    chosen = _view(snapshot, {"cohorts": "obs,lev5fu"}).selection
    frame = counts_by_level(
        snapshot, "forest", ("differ",), chosen, ("time_days", "state"), endpoint_code="os"
    ).rename({"level_code": "subgroup"})
    known = frame.filter(pl.col("subgroup") != "missing")
    assert known.height < frame.height
    assert test.p_value == pytest.approx(interaction(known, "obs", "lev5fu").p_value)


def test_the_tests_and_subgroups_looked_at_are_counted_beside_what_chance_gives(
    loaded: Loaded,
) -> None:
    found = _answer(loaded.snapshots["colon"], cohorts="obs,lev5fu")
    rows = found.table("forest").rows
    n, of = len(rows) - 1, len({row[0] for row in rows}) - 1
    assert f"in {n} subgroups of {of} characteristics" in found.headline
    assert f"among {of}; by chance alone it would be 0 or 1" in found.headline
    assert f"{n} subgroups of {of} characteristics" in found.figures[0].caption
    assert any("no evidence of an equal effect" in note.text for note in found.notes)
    assert [by_chance(k) for k in (0, 7, 20, 36)] == ["0", "0 or 1", "1", "1 or 2"]


def test_what_divides_nobody_anew_is_named_and_not_counted(cases: Snapshot) -> None:
    """All boys are older: age divides as sex does."""
    found = _of_case(cases, "plain")
    assert {row[0] for row in found.table("forest").rows} == {"Everybody", "Sex"}
    (note,) = [note.text for note in found.notes if note.text.startswith("Not divided by")]
    assert note == (
        "Not divided by: Case (one level in this population); "
        "Age (divides these patients as this does: Sex)."
    )


def test_unequal_follow_up_ends_all_comparisons_alike(cases: Snapshot) -> None:
    asked = {"cohorts": "old,new", "time": "12", "f.case": "unequal"}
    head = survival_results(cases, _view(cases, asked))
    assert head.window.end == 600
    found = _of_case(cases, "unequal")
    events = _numbers(found, "subgroup_events")
    assert events["sex", "girl", "old"].numerator == 6, "those by day 600"
    assert "Follow-up of the cohorts is unequal" in found.figures[0].caption
    everybody = _numbers(found, "subgroup_hazard_ratio")[None, None, "new"]
    assert everybody.estimate == pytest.approx(head.comparisons[0].hazard_ratio.estimate)


# ---------------------------------------------------------------- sentences instead of numbers


def test_competing_events_are_compared_by_the_difference_alone(cases: Snapshot) -> None:
    found = _of_case(cases, "competing", endpoint="cir", scale="difference")
    values = _numbers(found, "subgroup_value")
    assert values["sex", "boy", "new"].estimate == pytest.approx(0.5)
    pair = _numbers(found, "subgroup_difference")["sex", "boy", "new"]
    assert pair.estimate == pytest.approx(0.2)
    for scale in ("hazard_ratio", "rmst"):
        refused = _of_case(cases, "competing", endpoint="cir", scale=scale)
        assert refused.headline.startswith("Relapse, death competing has competing events")
        assert not refused.figures and not refused.tables and not refused.numbers


@pytest.mark.parametrize("scale", ["hazard_ratio", "difference", "rmst"])
@pytest.mark.parametrize("case", EXTREMES)
def test_the_extremes_are_sentences(cases: Snapshot, case: str, scale: str) -> None:
    found = _of_case(cases, case, scale=scale)
    assert found.headline
    for number in found.numbers:
        assert number.estimate is not None or number.not_estimable_reason, number
    for figure in found.figures:
        assert "NaN" not in str(figure.spec)


def test_one_cohort_is_shown_and_not_compared(loaded: Loaded) -> None:
    found = _answer(loaded.snapshots["colon"], cohorts="lev")
    assert found.headline.endswith("groups are not compared.")
    assert [figure.code for figure in found.figures] == ["forest"]
    assert not any("Shrunken" in column for column in found.table("forest").columns)
    assert "Right:" not in found.figures[0].caption


def test_nobody_with_a_time_is_a_sentence(cases: Snapshot) -> None:
    found = _of_case(cases, "all_on_day_0", endpoint="rfs")
    assert found.headline == "Nobody of this population has a time for: Relapse-free survival."


# ---------------------------------------------------------------- policy k


def test_a_small_level_withholds_all_levels_of_its_characteristic(
    cases: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELAPSE_BOARD_DISCLOSURE", "k")
    found = release(_of_case(cases, "small"))
    rows = {(row[0], row[1]): row[2:] for row in found.table("forest").rows}
    assert set(rows["Sex", "girl"]) == {"withheld"}
    assert "withheld" not in rows["Age", "under 10"]
    drawn = str(found.figures[0].spec)
    assert "16/40" not in drawn and "8/23" in drawn
