"""Groups by something known only later: who is in which, by hand and by a naive second count."""

import csv
from dataclasses import replace
from math import exp, log

import pytest
from streamlit.testing.v1 import AppTest

from analysis.answer import Answer, Figure, Number
from analysis.compose import Page, page
from analysis.disclosure import release
from analysis.link import decode
from analysis.stats.time_dependent import time_dependent_cox
from analysis.survival_later import later_answer
from analysis.survival_later_model import later_of
from tests.conftest import EXAMPLES, ROOT, Loaded
from tests.spec.clinic import Clinic
from tests.spec.made import MAPPING, STUDY, Workshop
from warehouse.query import Snapshot

SPLIT = """
[[milestone]]
code = "transplant"
label = "transplant"

[survival]

[[survival.split]]
code = "transplant"
label = "Transplant"
milestone = "transplant"
endpoints = ["efs", "rfs"]
days = [30, 60]

[[survival.split]]
code = "early"
label = "Early transplant"
milestone = "transplant"
endpoints = ["efs"]
days = [30]

[[characteristic]]
code = "case"
label = "Case"
kind = "choice"
known_at = "enrollment"
level = [{levels}]
"""
TRANSPLANTS = """
[[source]]
code = "transplants"
file = "transplants.csv"
patient_id = "id"

[[source.milestone]]
code = "transplant"
day = { column = "day" }
"""
HEADER = "id,protocol,sex,age,responder,remission,relapse,dead,seen,case"


def view(snapshot: Snapshot, **options: str) -> Page:
    params = {name: [value] for name, value in {"look": "later", **options}.items()}
    decoded = decode("survival", params, snapshot.snapshot_id, snapshot.study)
    assert decoded.problems == ()
    return page("survival", snapshot, decoded.view)


def _patient(name: str, case: str, child: tuple) -> str:
    cohort, dead, seen, _, *more = child
    remission = more[0] if more else ""
    return f"{name},{cohort},f,7,1,{remission},,{int(dead)},{seen},{case}"


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """All cases in one study; a characteristic says of which one a child is."""
    lines, transplants = [], ["id,day"]
    for case, folk in CASES.items():
        for k, child in enumerate(folk):
            name, transplant = f"{case}_{k}", child[3]
            lines.append(_patient(name, case, child))
            transplants += [] if transplant is None else [f"{name},{transplant}"]
    levels = ", ".join(f'{{ code = "{case}", label = "{case}" }}' for case in CASES)
    codes = ", ".join(f'"{case}" = "{case}"' for case in CASES)
    read = f'age = {{ column = "age" }}\ncase = {{ column = "case", codes = {{ {codes} }} }}'
    mapping = MAPPING.replace('age = { column = "age" }', read) + TRANSPLANTS
    study = STUDY + SPLIT.replace("{levels}", levels)
    workshop = Workshop(tmp_path_factory.mktemp("later"), study, mapping)
    workshop.files["transplants.csv"] = "\n".join(transplants) + "\n"
    return workshop.patients(*lines, header=HEADER)


@pytest.fixture(scope="module")
def cases(workshop: Workshop) -> Snapshot:
    """The same, loaded."""
    return workshop.snapshot()


def answer(cases: Snapshot, case: str, **options: str) -> Answer:
    asked = {"endpoint": "efs", "split": "transplant", **options}
    return later_answer(view(cases, **asked, **{"f.case": case}))


def chosen(found: Answer, statistic: str, **columns: object) -> list[Number]:
    rows = [n for n in found.numbers if n.statistic == statistic]
    return [n for n in rows if all(getattr(n, c) == x for c, x in columns.items())]


def counts(found: Answer, cohort: str, level: str) -> dict[str | None, int | None]:
    rows = chosen(found, "landmark_count", cohort=cohort, item_code=f"transplant/{level}")
    return {n.level_code: n.numerator for n in rows}


def notes(found: Answer) -> str:
    return " ".join(note.text for note in found.notes)


# ---------------------------------------------------------------- the cases


def _transplant(k: int, early: int, late: int) -> int | None:
    """Day 20 for the first ones, day 70 for those after them, none for the rest."""
    return 20 if k < early else 70 if k < late else None


# Cohort, dead, last seen, transplant or None, remission if any.
CASES: dict[str, list[tuple]] = {
    "by_hand": [
        ("2014", True, 20, None),  # died before day 30
        ("2014", True, 30, 10),  # died on day 30: by then
        ("2014", False, 25, None),  # last seen before
        ("2014", True, 31, 30),  # transplanted on the landmark
        ("2014", True, 90, 31),  # transplanted after it: stays
        ("2014", False, 200, None),
        ("2014", False, 40, 0),
        ("2016", True, 30, None),
        ("2016", False, 100, None),
        ("2016", False, 100, 29),
    ],
    # Remission, where the clock starts, is on day 50; the transplant was on day 40.
    "before_zero": [("2014", False, 300, 40, 50)],
    "in_doubt": [*[("2014", False, 100, None)] * 3, ("2014", False, 100, "soon")],
    "twenty": [
        *[("2014", k % 3 == 0, 20 + 20 * k, 25 if k % 2 else None) for k in range(20)],
        ("2014", True, 5, None),
    ],
    "distinct_days": [
        (
            ("2014", "2016")[k % 2],
            k % 3 < 2,
            40 + (k * 17) % 101,
            10 + (k * 7) % 29 if k % 4 < 2 else None,
        )
        for k in range(40)
    ],
    # By day 30 ten of 24 are transplanted in both cohorts, and by day 70 eight more of 2014.
    "enough": [
        *[("2014", k % 2 == 0, 100 + (k * 7) % 24, _transplant(k, 10, 18)) for k in range(24)],
        *[("2016", k % 3 == 0, 100 + (k * 5) % 24, _transplant(k, 10, 10)) for k in range(24)],
    ],
    "nine_in_one": [
        *[("2014", k % 2 == 0, 100 + (k * 7) % 24, _transplant(k, 10, 18)) for k in range(24)],
        *[("2016", k % 3 == 0, 100 + (k * 5) % 24, _transplant(k, 9, 9)) for k in range(24)],
    ],
    "one_cohort_empty": [("2014", k % 2 == 0, 99 + k, _transplant(k, 10, 10)) for k in range(24)],
    # After day 30: 12 with the event by day 100; 10 last seen far apart, so 9 from day 100 on.
    "plateau": [
        *[("2014", True, 31 + k, None) for k in range(12)],
        ("2014", False, 130, None),
        *[("2014", False, 1930 + k, None) for k in range(9)],
        *[("2014", True, 50 + k, 20) for k in range(12)],
    ],
    # The tenth transplant is on day 40; by then four died without one, and one with one.
    "late_start": [
        ("2014", True, 40, None),
        *[("2014", True, 10 + k, None) for k in range(3)],
        ("2014", True, 39, 5),
        *[("2014", False, 300 + k, 31 + k) for k in range(10)],
        *[("2014", k % 2 == 0, 200 + k, None) for k in range(14)],
    ],
    "one_level": [
        *[("2014", k % 2 == 0, 50 + 9 * k, None) for k in range(12)],
        *[("2016", k % 3 == 0, 50 + 7 * k, 5) for k in range(12)],
    ],
    "one_patient": [("2014", True, 90, 20)],
    "nobody_switched": [("2014", k % 2 == 0, 40 + k, None) for k in range(24)],
    "everybody_switched": [("2014", k % 2 == 0, 40 + k, 0) for k in range(24)],
    "all_censored": [("2014", False, 40 + k, 20 if k % 2 else None) for k in range(24)],
    "events_on_day_0": [("2014", True, 0, 0 if k % 2 else None) for k in range(24)],
    "events_after_alone": [("2014", k % 2 == 1, 40 + k, 20 if k % 2 else None) for k in range(24)],
    "day_0_too": [
        *[("2014", k % 2 == 0, 5 * (k % 7), (None, 0, 3)[k % 3]) for k in range(42)],
        *[("2014", True, 0, None)] * 3,
    ],
    "large": [("2014", False, 1500, 20 if k < 20 else None) for k in range(40)],
    # One child is transplanted between day 30 and day 60.
    "large_but_one": [
        *[("2014", False, 1500, 20 if k < 20 else None) for k in range(39)],
        ("2014", False, 1500, 45),
    ],
    # After every landmark.
    "large_but_one_later": [
        *[("2014", False, 1500, 20 if k < 20 else None) for k in range(39)],
        ("2014", False, 1500, 100),
    ],
}
DEGENERATE = (
    *("one_patient", "nobody_switched", "everybody_switched", "all_censored"),
    *("events_on_day_0", "events_after_alone"),
)


def test_each_child_is_in_one_group_of_the_landmark_or_left_out(cases: Snapshot) -> None:
    found = answer(cases, "by_hand", day="30")
    plain = {"n": 2, "events": 1, "dropped_events": 1, "dropped_censored": 1}
    # Of the two, one is transplanted on day 31.
    assert counts(found, "old", "not_switched") == {**plain, "switched_later": 1}
    assert counts(found, "old", "switched") == {**plain, "dropped_censored": 0}
    assert counts(found, "new", "not_switched") == {
        "n": 1, "events": 0, "dropped_events": 1, "dropped_censored": 0, "switched_later": 0,
    }  # fmt: skip
    together = [counts(found, "all", level)["n"] for level in ("switched", "not_switched")]
    assert together == [3, 3]
    assert "3 of 7 (Old), 1 of 3 (New)" in notes(found)


def test_below_ten_in_a_group_there_is_no_percentage(cases: Snapshot) -> None:
    found = answer(cases, "by_hand", day="30")
    assert "%" not in found.headline
    assert "fewer than 10 patients; 1 event in 2" in found.headline
    assert not any(n.estimate for n in found.numbers if n.unit in ("proportion", "ratio"))


def test_a_switch_before_time_zero_counts_from_the_start(cases: Snapshot) -> None:
    asked = {"endpoint": "rfs", "split": "transplant", "f.case": "before_zero"}
    assert counts(later_answer(view(cases, **asked)), "old", "switched")["n"] == 1
    assert later_of(view(cases, **asked)).timed(30)["switch_day"].to_list() == [0]


def test_who_may_have_been_transplanted_is_in_no_group_and_counted(cases: Snapshot) -> None:
    found = answer(cases, "in_doubt", day="30")
    assert counts(found, "old", "not_switched")["n"] == 3
    assert "might tell of transplant: 1 of 4 (Old)" in notes(found)
    assert [n.numerator for n in chosen(found, "landmark_count", level_code="in_doubt")] == [1]
    in_time = answer(cases, "in_doubt", by="time_dependent")
    assert "might tell of transplant: 1 of 4 (Old)" in notes(in_time)


def test_the_account_of_a_figure_is_all_enrolled(cases: Snapshot) -> None:
    (figure,) = answer(cases, "twenty", day="30").figures
    told = figure.accounts[0].told
    assert told.startswith("Old: 19 of ") and told.endswith(", 2 with the event by day 30.")
    assert figure.spec["layer"]


# ---------------------------------------------------------------- a naive second count


def _myeloid() -> list[tuple[int, int, int | None, str]]:
    text = (EXAMPLES / "myeloid.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return [
        (
            int(row["futime"]),
            int(row["death"]),
            int(row["txtime"]) if row["txtime"] not in ("", "NA") else None,
            row["trt"],
        )
        for row in rows
    ]


def _naive_survival(group: list[tuple[int, int]], days: float) -> float:
    survival = 1.0
    for day in sorted({time for time, dead in group if dead and time <= days}):
        at_risk = sum(time >= day for time, _ in group)
        survival *= 1 - sum(dead for time, dead in group if time == day) / at_risk
    return survival


def test_survival_after_the_landmark_equals_a_naive_count(loaded: Loaded) -> None:
    found = later_answer(view(loaded.snapshots["myeloid"], endpoint="os", day="90"))
    for arm, cohort in (("A", "a"), ("B", "b")):
        for level in ("switched", "not_switched"):
            group = [
                (time - 90, dead)
                for time, dead, switch, trt in _myeloid()
                if trt == arm and time > 90
                and (switch is not None and switch <= min(90, time)) == (level == "switched")
            ]  # fmt: skip
            assert counts(found, cohort, level)["n"] == len(group)
            (row,) = chosen(
                found,
                "landmark_survival",
                cohort=cohort,
                item_code=f"transplant/{level}",
                time_days=3 * 365.25,
            )
            assert row.estimate == pytest.approx(_naive_survival(group, 3 * 365.25), rel=1e-12)


def test_the_effect_in_time_is_the_other_way_round_than_the_naive_one(loaded: Loaded) -> None:
    found = later_answer(view(loaded.snapshots["myeloid"], endpoint="os", by="time_dependent"))
    (row,) = chosen(found, "time_dependent_hazard_ratio", cohort="all")
    assert row.estimate == pytest.approx(1.80, abs=0.01)
    # Ever against never would give 0.74: it is nowhere.
    ratios = [n.estimate for n in found.numbers if n.unit == "ratio" and n.estimate]
    assert len(ratios) == 4 and min(ratios) > 1.5


def _score(folk: list[tuple], beta: float) -> float:
    """The score of a stratified model in time at a log hazard ratio, by loops; no ties."""
    total = 0.0
    for cohort, dead, day, _ in folk:
        if not dead:
            continue
        at_risk = [
            switch is not None and switch < day
            for group, _, time, switch in folk
            if group == cohort and time >= day
        ]
        own = next(s for c, _, t, s in folk if c == cohort and t == day)
        weights = [exp(beta * after) for after in at_risk]
        share = sum(w for w, after in zip(weights, at_risk, strict=True) if after) / sum(weights)
        total += (own is not None and own < day) - share
    return total


def test_the_ratio_within_the_cohorts_solves_a_naive_score(cases: Snapshot) -> None:
    folk = CASES["distinct_days"]
    found = answer(cases, "distinct_days", by="time_dependent")
    (row,) = chosen(found, "time_dependent_hazard_ratio_stratified")
    assert row.estimate is not None
    assert _score(folk, log(row.estimate)) == pytest.approx(0, abs=1e-6)
    assert abs(_score(folk, log(row.estimate) + 0.01)) > 1e-3


def test_the_ratio_of_day_counts_is_that_of_the_model_of_rows(
    loaded: Loaded, cases: Snapshot
) -> None:
    pages = [view(loaded.snapshots["myeloid"], endpoint="os")]
    asked = {"endpoint": "efs", "split": "transplant", "f.case": "day_0_too"}
    pages.append(view(cases, **asked))
    for on in pages:
        later = later_of(on)
        for one in filter(later.is_shown, later.changing):
            rows = time_dependent_cox(one.frame)
            found, same = one.hazard_ratio, rows.hazard_ratio
            assert found.estimate == pytest.approx(same.estimate, rel=1e-7)
            assert found.upper == pytest.approx(same.upper, rel=1e-7)
            counted = (one.counted[1], sum(one.counted[2:]), one.counted[3])
            assert counted == (rows.n_switched, rows.n_events, rows.n_events_after)


# ---------------------------------------------------------------- MRD and infusions


@pytest.fixture(scope="module")
def blina(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Children given blinatumomab on day 60; samples and cells differ, or are plain (2014)."""
    clinic = Clinic(tmp_path_factory.mktemp("blina"))

    def child(name: str, seen: int = 400, dead: int | None = None, protocol: str = "2016"):
        found = clinic.child(name, protocol).line(30).course("BLINA", 60, 88)
        return found.seen(seen, death_date=dead)

    for k in range(24):
        plain = child(f"plain {k}", 300 + k, 300 + k if k % 3 else None, "2014")
        if k % 2:
            plain.infusion("CD3", 60, None)

    child("two samples").sample(60 + 28, "0.1", "%").sample(60 + 50, "0.001", "%")
    child("negative").sample(60 + 30, "0.001", "%").infusion("CD3", 60, None)
    child("late").sample(60 + 43, "0.001", "%").infusion("CD3", 60 + 8, None)
    child("failed").sample(60 + 28, "failed").infusion("CD3", 60 + 9, None)
    child("none").infusion("CD3", 60, None, cell_source="donor")
    child("died before", 60 + 42, 60 + 42).sample(60 + 20, "0.001", "%")
    child("transplanted").transplant(64).infusion("CD3", 65, None)
    return clinic.snapshot()[0]


def _levels(found: Answer) -> dict[str, int]:
    rows = chosen(found, "landmark_count", level_code="n", cohort="allrez2016")
    return {str(n.item_code).split("/")[1]: int(n.numerator or 0) for n in rows}


ANYBODY = {"f.risk_group": "high,not_high,missing", "endpoint": "os_blina"}


def test_a_sample_after_the_landmark_changes_no_group(blina: Snapshot) -> None:
    """The sample of day 28 counts on day 42, though a later one stands for the time point."""
    asked = {**ANYBODY, "split": "mrd_after_blina1"}
    early = later_answer(view(blina, day="42", **asked))
    assert _levels(early) == {"not_negative": 1, "negative": 1, "not_known": 4}
    assert "1 of 7 (ALL-REZ 2016)" in notes(early)
    later = later_answer(view(blina, day="56", **asked))
    assert _levels(later) == {"not_negative": 0, "negative": 3, "not_known": 3}


def test_cells_count_from_the_first_day_to_the_landmark_and_not_those_of_a_donor(
    blina: Snapshot,
) -> None:
    found = later_answer(view(blina, split="cd3_by_day_8", **ANYBODY))
    # "negative" and "late"; a day later, of a donor, and after transplant: not.
    assert _levels(found) == {"not_given": 5, "given": 2}


def test_infusions_have_a_ratio_and_no_p_value(blina: Snapshot) -> None:
    found = later_answer(view(blina, split="cd3_by_day_8", **ANYBODY))
    (ratio,) = chosen(found, "landmark_hazard_ratio", cohort="allrez2014")
    assert ratio.estimate is not None
    assert all(n.p_value is None for n in found.numbers)


def test_a_result_or_an_infusion_is_not_looked_at_in_time(blina: Snapshot) -> None:
    for split in ("mrd_after_blina1", "cd3_by_day_8"):
        found = later_answer(view(blina, split=split, by="time_dependent", **ANYBODY))
        assert "from a landmark alone" in found.headline
        assert found.numbers == () and found.figures == ()


# ---------------------------------------------------------------- what is said


def test_an_endpoint_that_the_split_does_not_offer_is_replaced_and_said(cases: Snapshot) -> None:
    found = answer(cases, "distinct_days", split="early", endpoint="rfs")
    assert "not offered for Relapse-free survival: Event-free survival is shown" in found.headline
    assert {n.endpoint for n in found.numbers} == {"efs"}


@pytest.mark.parametrize("by", ["landmark", "time_dependent"])
def test_it_is_said_why_there_is_no_plain_curve_and_that_it_is_no_effect(
    cases: Snapshot, by: str
) -> None:
    found = answer(cases, "enough", by=by, day="30")
    assert "Not the effect of transplant" in found.headline
    assert "immortal time" in notes(found)
    assert "mix what differs between the cohorts" in notes(found)


def test_curves_in_time_say_that_they_follow_no_fixed_group(loaded: Loaded) -> None:
    found = later_answer(view(loaded.snapshots["myeloid"], endpoint="os", by="time_dependent"))
    assert [figure.code for figure in found.figures] == ["later_1", "later_2", "later_3"]
    assert all("not the survival of a fixed group" in f.legend for f in found.figures)
    assert "not the survival of a fixed group" in notes(found)


def test_all_together_is_not_compared_where_it_would_compare_cohorts(cases: Snapshot) -> None:
    found = answer(cases, "one_level", day="30")
    rows = chosen(found, "landmark_difference", cohort="all")
    assert {n.estimate for n in rows} == {None}
    assert "fewer than 10 in 'transplant by day 30' of Old" in str(rows[0].not_estimable_reason)


POOLED = (
    *("landmark_difference", "landmark_survival", "landmark_hazard_ratio"),
    *("landmark_hazard_ratio_stratified", "time_dependent_hazard_ratio"),
    *("time_dependent_hazard_ratio_stratified", "mantel_byar_chi_square", "simon_makuch_survival"),
)


@pytest.mark.parametrize("by", ["landmark", "time_dependent"])
def test_a_group_too_small_in_one_cohort_is_not_made_enough_by_pooling(
    cases: Snapshot, by: str
) -> None:
    enough, short = (answer(cases, c, by=by, day="30") for c in ("enough", "nine_in_one"))
    assert {n.cohort for n in enough.numbers if n.statistic in POOLED and n.estimate} == {
        *("old", "new", "all"),
    }
    assert "within the cohorts" in str([table.rows for table in enough.tables])
    level = "transplant by day 30" if by == "landmark" else "after it"
    reason = f"fewer than 10 in '{level}' of New"
    pooled = [n for n in short.numbers if n.statistic in POOLED and n.cohort == "all"]
    assert len(pooled) > 4
    assert {(n.estimate, n.not_estimable_reason) for n in pooled} == {(None, reason)}
    assert f"({reason}" in short.headline and reason in notes(short)
    assert "within the cohorts" not in short.headline + str([t.rows for t in short.tables])
    assert not [f for f in short.figures if "all cohorts" in f.title]
    # What is shown of each cohort alone stays.
    assert [n for n in short.numbers if n.cohort == "old" and n.unit == "ratio" and n.estimate]


@pytest.mark.parametrize("by", ["landmark", "time_dependent"])
def test_a_cohort_with_nobody_is_no_stratum(cases: Snapshot, by: str) -> None:
    found = answer(cases, "one_cohort_empty", by=by, day="30")
    assert "New: nobody has a time" in found.headline
    assert "fewer than 10" not in found.headline
    assert {n.cohort for n in found.numbers if n.statistic in POOLED} <= {"old", "new"}


def test_a_third_cohort_with_nobody_does_not_forbid_what_the_others_allow(cases: Snapshot) -> None:
    enough, empty = (
        later_of(view(cases, endpoint="efs", split="transplant", day="30", **{"f.case": case}))
        for case in ("enough", "one_cohort_empty")
    )
    pooled, in_time = enough.scopes[-1], enough.changing[-1]
    pooled = replace(pooled, strata=(*pooled.strata, empty.scopes[1]))
    in_time = replace(in_time, strata=(*in_time.strata, empty.changing[1]))
    for one in (pooled, in_time):
        assert one.refused == "" and one.hazard_ratio.estimate and one.stratified.estimate


def test_who_is_transplanted_after_the_landmark_is_counted_and_said(cases: Snapshot) -> None:
    found = answer(cases, "enough", day="30")
    later = chosen(found, "landmark_count", level_code="switched_later")
    assert {n.item_code for n in later} == {"transplant/not_switched"}
    assert {n.cohort: (n.numerator, n.denominator) for n in later} == {
        "old": (8, 14), "new": (0, 14), "all": (8, 28),
    }  # fmt: skip
    assert "Without transplant by day 30, but with it later: 8 of 14 (Old). So this" in notes(found)
    table = found.table("later_counts")
    assert [row[table.columns.index("Later transplant")] for row in table.rows] == [
        8, "–", 0, "–", 8, "–",
    ]  # fmt: skip
    assert "but with it later" not in notes(answer(cases, "large", day="30"))


@pytest.mark.parametrize("by", ["landmark", "time_dependent"])
def test_it_is_said_why_both_ways_can_disagree(cases: Snapshot, by: str) -> None:
    assert "can disagree, even on which side of 1" in notes(answer(cases, "enough", by=by))


def _lines(figure: Figure) -> list[dict]:
    """The steps that are drawn."""
    return [r for d in figure.spec["datasets"].values() for r in d if r.get("part")]


def test_a_curve_is_pale_as_soon_as_fewer_than_ten_are_at_risk(cases: Snapshot) -> None:
    """Not only from the next event or censoring on: here they are five years apart."""
    (figure,) = answer(cases, "plateau", day="30").figures
    pale = [r["day"] for r in _lines(figure) if r["part"] == "pale" and r["cohort"][:2] == "no"]
    assert min(pale) == 100
    full = [r["day"] for r in _lines(figure) if r["part"] == "full" and r["cohort"][:2] == "no"]
    assert max(full) == 100


def test_few_at_risk_at_the_chosen_time_are_warned_of_if_others_were_not_followed(
    cases: Snapshot,
) -> None:
    found = answer(cases, "plateau", day="30", time="12")
    assert "fewer than 10 are at risk in Old (no transplant by day 30), since" in notes(found)
    # A month after day 30 ten are left of them; of those transplanted one, but none was lost.
    assert "are at risk in" not in notes(answer(cases, "plateau", day="30", time="1"))


def test_curves_in_time_begin_where_they_count_from(cases: Snapshot) -> None:
    """The tenth is transplanted on day 40; on that day there are ten in both."""
    (figure,) = answer(cases, "late_start", by="time_dependent").figures
    assert {r["cohort"]: r["day"] for r in reversed(_lines(figure))} == {
        "before transplant": 40, "after transplant": 40,
    }  # fmt: skip
    assert min(r["day"] for r in _lines(figure)) == 40
    assert "4 events before transplant and 1 after it" in figure.legend
    assert "Event-free survival from day 40 on" in str(figure.spec)
    pointed = [r for d in figure.spec["datasets"].values() for r in d if "told_0" in r]
    assert pointed[0]["told_0"] == "-" and any("%" in row["told_0"] for row in pointed)


def test_an_endpoint_with_finished_times_has_no_day_to_count_from(cases: Snapshot) -> None:
    ready = tuple(replace(e, is_finished=True) for e in cases.study.endpoints)
    other = replace(cases, study=replace(cases.study, endpoints=ready))
    assert "ready made" in later_answer(view(other)).headline


@pytest.mark.parametrize("case", DEGENERATE)
@pytest.mark.parametrize("by", ["landmark", "time_dependent"])
def test_what_cannot_be_estimated_is_a_sentence(cases: Snapshot, case: str, by: str) -> None:
    found = answer(cases, case, by=by, day="30")
    assert found.headline
    assert all(n.estimate is not None or n.not_estimable_reason for n in found.numbers)
    assert not [n for n in found.numbers if n.unit == "ratio" and n.estimate is not None]
    assert all(figure.spec for figure in found.figures)


def test_everybody_gone_by_the_landmark_is_a_sentence(cases: Snapshot) -> None:
    found = answer(cases, "events_on_day_0", day="30")
    assert "Nobody is left to be grouped" in found.headline
    gone = {"n": 0, "events": 0, "dropped_events": 12, "dropped_censored": 0}
    assert counts(found, "old", "switched") == gone
    assert counts(found, "old", "not_switched") == {**gone, "switched_later": 0}


def test_nobody_with_a_time_is_a_sentence(cases: Snapshot) -> None:
    found = answer(cases, "one_patient", endpoint="rfs")
    assert found.headline.startswith("Nobody of") and found.numbers == ()


def test_the_landmark_is_offered_only_where_it_counts(
    workshop: Workshop, cases: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELAPSE_BOARD_STORE", str(workshop.store))
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.switch_page(str(ROOT / "pages/survival.py"))
    app.query_params |= {"look": "later", "split": "transplant", "f.case": "enough"}
    shown = {}
    for by in ("landmark", "time_dependent"):
        app.query_params["by"] = by
        assert not app.run().exception
        shown[by] = [box.label for box in app.selectbox]
    assert "Landmark" in shown["landmark"] and "How" in shown["time_dependent"]
    assert "Landmark" not in shown["time_dependent"]


# ---------------------------------------------------------------- small counts


def test_two_landmarks_that_differ_by_a_child_are_withheld(
    cases: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each count is large; looked at one after the other they would tell of one child."""
    monkeypatch.setenv("RELAPSE_BOARD_DISCLOSURE", "k")
    shown = release(answer(cases, "large", day="30"))
    assert [row[2] for row in shown.table("later_counts").rows] == [20, 20]
    for day in ("30", "60"):
        rows = release(answer(cases, "large_but_one", day=day)).table("later_counts").rows
        assert {row[2] for row in rows} == {"withheld"}


def test_one_child_that_is_transplanted_later_is_not_told(
    cases: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELAPSE_BOARD_DISCLOSURE", "k")
    found = release(answer(cases, "large_but_one_later", day="30"))
    assert {row[-2] for row in found.table("later_counts").rows} == {"withheld"}
    assert "but with it later" not in notes(found)
    told = chosen(found, "landmark_count", level_code="switched_later", cohort="old")
    assert [n.numerator for n in told] == [None]
