"""The fair comparison on the survival page: what is offered, to whom it speaks, what is told."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.answer import Answer, Number
from analysis.charts.balance import Propensities, balance, distance, overlap
from analysis.charts.rows import Row
from analysis.compose import Page, page
from analysis.disclosure import release
from analysis.link import decode
from analysis.survival import survival_answer
from analysis.survival_fair import fair_answer, fair_notes
from analysis.survival_fair_results import distinct, fair_results
from tests.spec.made import HEADER, MAPPING, STUDY, Workshop
from trial.survival_rule import SurvivalRule
from warehouse.query import Snapshot

# What a comparison adjusts for, and which of the made-up populations a patient is of.
RULE = """
[[endpoint]]
code = "cir"
label = "Incidence of relapse"
abbreviation = "CIR"
kind = "incidence"
origin = "enrollment"
censor = "last_contact"
rmst_taus = [12]
definition = "To relapse, death competes."
event = [{{ milestone = "relapse", state = 1 }}, {{ milestone = "death", state = 2 }}]

[[characteristic]]
code = "case"
label = "Case"
kind = "choice"
known_at = "enrollment"
level = [{levels}]

[survival]
covariates = ["sex", "age"]
stratify_by = "sex"
"""


def _line(k: int, cohort: str, sex: str, last: int, dead: bool, age: str = "7") -> str:
    return f"{cohort}-{k},{cohort},{sex},{age},1,0,,{int(dead)},{last}"


def _cohort(cohort: str, girls: list[int], boys: list[int], alive: int = 900) -> list[str]:
    """Deaths on these days; 0 for who lives to the end."""
    pairs = [("f", day) for day in girls] + [("m", day) for day in boys]
    return [
        _line(k, cohort, sex, day if day else alive, bool(day))
        for k, (sex, day) in enumerate(pairs)
    ]


def _alike(last: int, dead: bool) -> list[str]:
    """45 and 50 patients, a third of them boys, who all end on one day."""
    return [
        _line(k, cohort, "f" if k % 3 else "m", last, dead)
        for cohort, n in (("2014", 45), ("2016", 50))
        for k in range(n)
    ]


# 40 girls and 10 boys against 20 girls and 40 boys. By day 365 die 10 of the 40 girls and 5 of the
# 10 boys; 4 of the 20 girls and 16 of the 40 boys.
OLD = _cohort("2014", [100] * 10 + [0] * 30, [200] * 5 + [0] * 5)
NEW = _cohort("2016", [100] * 4 + [0] * 16, [200] * 16 + [0] * 24)
BOTH = ("2014", "2016")
CASES = {
    "two": [*OLD, *NEW],
    "far_apart": [
        *_cohort("2014", [100] * 30 + [0] * 90, [0] * 5),
        *_cohort("2016", [100] * 2 + [0] * 3, [100] * 20 + [0] * 100),
    ],
    "few": [*OLD[20:], *NEW],
    "few_unknown": [*OLD[20:], *NEW, *(_line(k, "2016", "", 300, True) for k in range(100, 107))],
    "one_sided": [*OLD, *NEW, *(_line(k, "2016", "f", 50, True, "12") for k in range(100, 106))],
    "unknown": [*OLD, *NEW, *(_line(k, c, "", 300, True) for c in BOTH for k in range(100, 112))],
    # Followed to day 3000, with late deaths; the newer cohort to day 900.
    "unequal": [
        *_cohort("2014", [100] * 10 + [2000] * 20 + [0] * 10, [200] * 5 + [0] * 5, alive=3000),
        *NEW,
    ],
    "small_level": [*OLD[:-6], *NEW],
    "one_patient": [_line(0, "2014", "f", 30, True)],
    "one_each": [_line(0, "2014", "f", 30, True), _line(0, "2016", "m", 30, False)],
    "nine_each": [_line(k, c, "f", 30, True) for c in BOTH for k in range(9)],
    "one_level": [_line(k, c, "f", 30, True) for c in BOTH for k in range(50)],
    "no_event": _alike(800, False),
    "censored_at_once": _alike(0, False),
    "dead_on_day_0": _alike(0, True),
    "nobody": [],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """All cases in one snapshot: a view chooses one by its filter."""
    levels = ", ".join(f'{{ code = "{case}", label = "{case}" }}' for case in CASES)
    study = STUDY.replace("times = [1, 12]", "times = [1, 12, 60]") + RULE.format(levels=levels)
    codes = ", ".join(f'"{case}" = "{case}"' for case in CASES)
    column = f'case = {{ column = "case", codes = {{ {codes} }} }}'
    mapping = MAPPING.replace("[[source.milestone]]", f"{column}\n\n[[source.milestone]]", 1)
    lines = [f"{case}-{line},{case}" for case, rows in CASES.items() for line in rows]
    workshop = Workshop(tmp_path_factory.mktemp("fair"), study=study, mapping=mapping)
    return workshop.patients(*lines, header=f"{HEADER},case").snapshot()


def _on(snapshot: Snapshot, case: str, **params: str) -> Page:
    asked = {name: [value] for name, value in {"f.case": case, **params}.items()}
    decoded = decode("survival", asked, snapshot.snapshot_id, snapshot.study)
    assert decoded.problems == ()
    return page("survival", snapshot, decoded.view)


def _answer(snapshot: Snapshot, case: str, **params: str) -> Answer:
    return fair_answer(_on(snapshot, case, **params))


def _number(found: Answer, statistic: str, **of: object) -> Number:
    mine = [
        n
        for n in found.numbers
        if n.statistic == statistic and all(getattr(n, k) == v for k, v in of.items())
    ]
    assert len(mine) == 1, (statistic, of, mine)
    return mine[0]


def test_overlap_weights_by_hand(made: Snapshot) -> None:
    """A level counts old x new / (old + new): girls 40 x 20 / 60, boys 10 x 40 / 50."""
    girls, boys = 40 * 20 / 60, 10 * 40 / 50
    found = _answer(made, "two", time="12")
    for cohort, of_girls, of_boys in (("old", 30 / 40, 5 / 10), ("new", 16 / 20, 24 / 40)):
        number = _number(found, "weighted_survival", cohort=cohort, time_days=12 * 365.25 / 12)
        by_hand = (girls * of_girls + boys * of_boys) / (girls + boys)
        assert number.estimate == pytest.approx(by_hand, abs=1e-9)
    assert "as they were −3.3 percentage points" in found.headline
    assert "in patients whom both cohorts could have had, +6.9 percentage points" in found.headline


def test_the_weights_can_make_the_older_cohort_like_the_newer_one(made: Snapshot) -> None:
    found = _answer(made, "two", time="12", weights="newer")
    number = _number(found, "weighted_survival", cohort="old", time_days=12 * 365.25 / 12)
    assert number.estimate == pytest.approx((20 * 0.75 + 40 * 0.5) / 60, abs=1e-9)
    assert "in patients like those of New" in found.headline


def test_every_crude_number_is_the_heads(made: Snapshot) -> None:
    on = _on(made, "two", time="12")
    head, found = survival_answer(made, on.view), fair_answer(on)
    table = found.table("fair")
    crude = {row[0]: row[1] for row in table.rows}
    told = {row[0]: row[1] for row in head.table("comparison").rows}
    assert crude["Difference at 12 months"] == told["Difference at 12 months"]
    ratio = _number(head, "hazard_ratio")
    assert crude["Hazard ratio"].startswith(f"{ratio.estimate:.2f} (")
    at = next(row for row in head.table("milestones").rows if row[0] == "12 months")
    assert (crude["Old at 12 months"], crude["New at 12 months"]) == at[1:]
    mean = told["Difference of mean within 12 months"]
    assert mean.startswith(crude["Difference of mean within 12 months"])


def test_balance_is_shown_before_and_after_with_all_levels(made: Snapshot) -> None:
    found = _answer(made, "two", time="12")
    table = found.table("fair_balance")
    assert [row[1:4] for row in table.rows if row[0] == "Sex"] == [
        ("girl", "40/50 (80.0 %)", "20/60 (33.3 %)"),
        ("boy", "10/50 (20.0 %)", "40/60 (66.7 %)"),
    ]
    before = _number(found, "standardized_difference_before", characteristic_code="sex").estimate
    # |p - q| / sqrt((p(1-p) + q(1-q)) / 2) of 0.8 and 1/3.
    assert before == pytest.approx((0.8 - 1 / 3) / ((0.16 + 2 / 9) / 2) ** 0.5)
    after = _number(found, "standardized_difference_after", characteristic_code="sex").estimate
    assert after == pytest.approx(0, abs=1e-9)
    assert table.rows[0][-2:] == (f"{before:.2f}", "0.00")


def test_a_verdict_of_too_little_balance_names_its_figures(made: Snapshot) -> None:
    """Nearly nobody is alike: the weights leave few in effect."""
    found = _answer(made, "far_apart", time="12")
    assert (
        "NOT balanced enough, so do not take it for fair: effective patients in" in found.headline
    )
    assert _number(found, "weighted_hazard_ratio").estimate is not None


def test_too_few_are_not_adjusted_but_stratified(made: Snapshot) -> None:
    found = _answer(made, "few", time="12")
    assert found.headline.startswith(
        "No fair comparison of New with Old: too few to adjust: 30 patients in Old, at least 40 "
    )
    assert "Within strata of Sex: hazard ratio" in found.headline
    assert [f.code for f in found.figures] == ["fair_balance", "fair_overlap"]
    assert found.table("fair_strata").rows == (
        ("girl", "0/20 events", "4/20 events"),
        ("boy", "5/10 events", "16/40 events"),
    )
    assert not any((n.statistic or "").startswith("weighted_sur") for n in found.numbers)
    assert _number(found, "stratified_hazard_ratio").estimate is not None
    test = _number(found, "stratified_log_rank_chi_square")
    assert test.p_value is not None and 0 < test.p_value < 1
    assert _number(found, "weighted_n", cohort="old").denominator == 30


def test_a_stratum_that_is_not_recorded_is_one_like_the_others(made: Snapshot) -> None:
    found = _answer(made, "few_unknown", time="12")
    assert found.table("fair_strata").rows[-1] == ("not recorded", "0/0 events", "7/7 events")


def test_who_has_a_level_that_only_one_cohort_has_is_left_out_and_counted(made: Snapshot) -> None:
    found = _answer(made, "one_sided", time="12")
    assert any("Age: 10 or older, 6 of 66 in New" in note.text for note in found.notes)
    weighted = next(f for f in found.figures if f.code == "fair_weighted")
    told = [account.told for account in weighted.accounts]
    n = weighted.accounts[1].n_enrolled
    assert told[1] == (
        f"New: 60 of {n} enrolled are shown; left out: {n - 66} outside the chosen population, "
        "6 with a level that only one cohort has."
    )
    assert _number(found, "weighted_n", cohort="new").numerator == 60


def test_a_missing_covariate_brings_the_complete_cases_beside(made: Snapshot) -> None:
    found = _answer(made, "unknown", time="12")
    assert found.table("fair").columns[-1] == "Weighted, complete cases"
    told = "With every covariate known are 50 of 62 in Old, 60 of 72 in New"
    assert any(told in note.text for note in found.notes)
    at = {"cohort": "old", "time_days": 12 * 365.25 / 12}
    complete = _number(found, "weighted_survival", level_code="complete_cases", **at)
    by_hand = (40 * 20 / 60 * 0.75 + 8 * 0.5) / (40 * 20 / 60 + 8)
    assert complete.estimate == pytest.approx(by_hand, abs=1e-9)
    levels = [row[1] for row in found.table("fair_balance").rows if row[0] == "Sex"]
    assert levels == ["girl", "boy", "not recorded"]


def test_a_patient_in_both_cohorts_is_told(made: Snapshot) -> None:
    fair = fair_results(_on(made, "two"))
    (pair,) = fair.pairs
    assert not any("are in New and in Old" in note.text for note in fair_notes(fair))
    both = replace(pair, found=replace(pair.found, n_in_both=6))
    (note,) = [n for n in fair_notes(replace(fair, pairs=(both,))) if "are in New" in n.text]
    assert note.text.startswith("6 of 110 patients are in New and in Old")
    assert {6, 104} <= set(note.disclosed.counts)


def test_unequal_follow_up_cuts_both_hazard_ratios_at_the_shared_day(made: Snapshot) -> None:
    on = _on(made, "unequal", time="12")
    assert fair_results(on).cut_day == 900
    found = fair_answer(on)
    late = _number(found, "weighted_hazard_ratio")
    plain = _number(_answer(made, "two", time="12"), "weighted_hazard_ratio")
    assert late.time_days == 900 and plain.time_days is None
    assert late.estimate == pytest.approx(plain.estimate, rel=1e-12), "nothing after day 900 counts"
    assert any("first 29.6 months" in note.text for note in found.notes)


def test_a_time_beyond_the_shared_follow_up_has_no_weighted_difference_either(
    made: Snapshot,
) -> None:
    at = {"time_days": 60 * 365.25 / 12}
    on = _on(made, "unequal", time="60", tau="12")
    found = fair_answer(on)
    weighted = _number(found, "weighted_survival_difference", **at)
    crude = _number(survival_answer(made, on.view), "survival_difference", **at)
    assert weighted.estimate is None
    assert weighted.not_estimable_reason == crude.not_estimable_reason
    assert "Mean within 12 months instead: as they were" in found.headline


def test_equal_follow_up_is_not_cut(made: Snapshot) -> None:
    assert fair_results(_on(made, "two")).cut_day is None


def test_other_views_get_a_sentence(made: Snapshot) -> None:
    on = _on(made, "two")
    randomised = replace(made, study=replace(made.study, randomised=True))
    bare = replace(made, study=replace(made.study, survival=SurvivalRule()))
    sentences = {
        "The cohorts were randomised": replace(on, snapshot=randomised),
        "This study declares no covariates": replace(on, snapshot=bare),
        "No fair comparison: one cohort is chosen": _on(made, "two", cohorts="new"),
        "Weighted comparisons are of survival endpoints. Incidence of relapse has competing": (
            _on(made, "two", endpoint="cir")
        ),
    }
    for sentence, view in sentences.items():
        found = fair_answer(view)
        assert found.headline.startswith(sentence)
        assert (found.figures, found.tables, found.numbers) == ((), (), ())


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("nobody", "0 patients in Old"),
        ("one_patient", "0 patients in Old"),
        ("one_each", "0 patients in New"),
        ("nine_each", "9 patients in Old"),
        ("one_level", "no covariate differs between patients"),
    ],
)
def test_little_is_a_sentence(made: Snapshot, case: str, told: str) -> None:
    found = _answer(made, case, time="1")
    assert found.headline.startswith("No fair comparison of New with Old: ")
    assert told in found.headline
    _is_whole(found)


@pytest.mark.parametrize("case", ["no_event", "censored_at_once", "dead_on_day_0"])
def test_no_event_or_nothing_else_is_a_number_or_a_reason(made: Snapshot, case: str) -> None:
    found = _answer(made, case, time="1")
    assert _number(found, "weighted_hazard_ratio").not_estimable_reason
    assert _number(found, "e_value").not_estimable_reason
    _is_whole(found)


def _is_whole(found: Answer) -> None:
    """Every number is finite or has a reason; every figure can be drawn."""
    for n in found.numbers:
        assert n.estimate is not None or n.not_estimable_reason, n
        assert all(x is None or abs(x) < 1e9 for x in (n.estimate, n.lower, n.upper, n.p_value)), n
    for figure in found.figures:
        assert "NaN" not in json.dumps(figure.spec) and figure.page_height > 0
    assert "{" not in found.headline and "None" not in found.headline


def test_under_the_policy_all_of_it_falls_together(
    made: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four boys of the older cohort are too few; without a small cell only the curves are."""
    monkeypatch.setenv("RELAPSE_BOARD_DISCLOSURE", "k")
    small = release(_answer(made, "small_level", time="12"))
    assert "withheld" in small.headline and small.figures == ()
    assert all(n.estimate is None for n in small.numbers)
    shown = release(_answer(made, "two", time="12", weights="newer"))
    assert "weighted, in patients like those of New" in shown.headline
    assert [f.code for f in shown.figures] == ["fair_balance", "fair_overlap"]
    assert _number(shown, "weighted_hazard_ratio").estimate is not None


def test_of_three_cohorts_each_is_compared_with_the_reference(tmp_path: Path) -> None:
    third = '[[cohort]]\ncode = "third"\nlabel = "Third"\n\n'
    study = STUDY.replace("[[milestone]]", f"{third}[[milestone]]", 1)
    study += '\n[survival]\ncovariates = ["sex"]\n'
    mapping = MAPPING.replace('"2016" = "new"', '"2016" = "new", "2020" = "third"')
    lines = [*OLD, *NEW, *(line.replace("2016", "2020") for line in NEW[:30])]
    workshop = Workshop(tmp_path, study=study, mapping=mapping).patients(*lines)
    snapshot = workshop.snapshot()
    view = decode("survival", {"time": ["12"]}, snapshot.snapshot_id, snapshot.study).view
    found = fair_answer(page("survival", snapshot, view))
    first, second = found.headline.split("\n")
    assert "New minus Old" in first
    assert second.startswith("No fair comparison of Third with Old: too few to adjust: 30 patients")
    assert {"fair", "fair_2", "fair_balance_2"} <= {table.code for table in found.tables}
    assert {"fair_weighted", "fair_balance", "fair_balance_2"} <= {f.code for f in found.figures}
    assert any("one model of all of them" in note.text for note in found.notes)
    _is_whole(found)


def test_labels_that_are_the_same_are_told_apart() -> None:
    assert distinct(["Site", "Age", "Site"]) == ["Site", "Age", "Site (3)"]


def test_the_balance_has_its_limit_on_the_axis_and_refuses_a_distance_below_zero() -> None:
    row = Row("Sex", (distance("As they were", 5, 0.02, ""), distance("Weighted", 3, None, "none")))
    spec = balance([row], "Distance", 0.1).to_dict()
    drawn = [
        r["x"] for rows in spec["datasets"].values() for r in rows if set(r) == {"x", "y", "y2"}
    ]
    assert drawn == [0.1]
    with pytest.raises(ValueError, match="below 0"):
        balance([Row("Sex", (distance("Weighted", 3, -0.1, ""),))], "Distance", 0.1)


def test_propensities_are_drawn_up_and_down_and_must_match() -> None:
    older, newer = Propensities("Old", 0, (3, 0, 5)), Propensities("New", 1, (0, 4, 2))
    spec = overlap(older, newer, (0.4, 0.6), "Propensity").to_dict()
    bars = [r for rows in spec["datasets"].values() for r in rows if "bin" in r]
    assert sorted(r["y"] for r in bars) == [-5, -3, 2, 4]
    with pytest.raises(ValueError, match="different bins"):
        overlap(older, Propensities("New", 1, (1,)), (0, 1), "Propensity")
    with pytest.raises(ValueError, match="bins of propensity"):
        Propensities("New", 1, (-1, 2))
