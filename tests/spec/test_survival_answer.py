"""What the survival answer says in words: denominators, reasons, who is left out."""

from pathlib import Path

import pytest

from analysis.answer import Answer
from analysis.link import decode
from analysis.survival import survival_answer
from etl.load import load
from etl.mapping_file import read_mapping
from tests.conftest import EXAMPLES, Demo, Loaded
from tests.spec.made import Workshop
from warehouse.query import open_snapshot

EVERY = "high,not_high,missing"


def _answer(snapshot, **params: str) -> Answer:
    asked = {name: [value] for name, value in params.items()}
    decoded = decode("survival", asked, snapshot.snapshot_id, snapshot.study)
    assert decoded.problems == ()
    return survival_answer(snapshot, decoded.view)


def _made(tmp_path: Path, n: int, dead: bool = True) -> Workshop:
    lines = [
        f"{cohort}{i},{cohort},f,7,1,30,,{int(dead and i % 3 == 0)},{100 + 20 * i}"
        for cohort in ("2014", "2016")
        for i in range(n)
    ]
    return Workshop(tmp_path).patients(*lines)


def test_the_headline_leads_with_the_milestone_and_has_its_denominators(loaded: Loaded) -> None:
    found = _answer(loaded.snapshots["myeloid"], time="3")
    assert found.headline == (
        "Overall survival at 3 years: Arm A 45.4 % (39.6 to 51.0; 160 events in 317); "
        "Arm B 55.2 % (49.6 to 60.5; 142 events in 329). "
        "Arm B minus Arm A: +9.8 percentage points (+1.8 to +17.6).\n"
        "Mean within 3 years: Arm B minus Arm A +0.28 years (+0.10 to +0.45). Hazard ratio 0.71 "
        "(0.57 to 0.88).\n"
        "Events and follow-up: Arm A 171/317 events, median follow-up 4.76 years; Arm B 149/329 "
        "events, median follow-up 4.82 years."
    )


def test_nobody_is_a_sentence_not_a_picture(loaded: Loaded) -> None:
    found = _answer(loaded.snapshots["myeloid"], **{"f.sex": "missing"})
    assert found.headline == "No patients match Sex: not recorded in Arm A, Arm B."
    assert found.figures == ()
    assert all(n.estimate is not None or n.not_estimable_reason for n in found.numbers)


def test_one_cohort_is_shown_and_not_compared(loaded: Loaded) -> None:
    found = _answer(loaded.snapshots["colon"], cohorts="lev")
    assert [c.code for c in found.cohorts] == ["lev"]
    assert "minus" not in found.headline
    test = [n for n in found.numbers if n.statistic == "log_rank_chi_square"][0]
    assert test.not_estimable_reason == "one cohort is chosen: nothing to compare"


def test_below_ten_patients_there_is_no_percentage(tmp_path: Path) -> None:
    found = _answer(_made(tmp_path, 9).snapshot(), time="1")
    assert "%" not in found.headline
    assert "fewer than 10 patients (0 events in 9)" in found.headline


def test_cohorts_below_ten_patients_are_not_compared(loaded: Loaded) -> None:
    found = _answer(loaded.snapshots["colon"], **{"f.extent": "submucosa"})
    sizes = {c.code: c.n_population for c in found.cohorts}
    assert sizes == {"obs": 8, "lev": 3, "lev5fu": 10}
    numbers = {(n.statistic, n.cohort): n for n in found.numbers if n.time_days is None}
    for key in (("hazard_ratio", "lev5fu"), ("median_time", "obs"), ("median_follow_up", "lev")):
        assert numbers[key].not_estimable_reason == "fewer than 10 patients", key
    test = next(n for n in found.numbers if n.statistic == "log_rank_chi_square")
    assert test.not_estimable_reason == "fewer than two cohorts have 10 patients"
    shown = {row[0] for row in found.table("curve").rows if row[5] is not None}
    assert shown == {"Levamisole + 5-FU"}
    spec = found.figures[0].chart.to_dict()
    drawn = spec["datasets"][spec["layer"][1]["data"]["name"]]
    assert {row["cohort"] for row in drawn} == {"Levamisole + 5-FU"}, "eight patients: no curve"
    told = [rows for rows in spec["datasets"].values() if "told_0" in rows[0]][0]
    assert not any("%" in row["told_0"] for row in told), "nor a percentage under the pointer"
    assert any("%" in row["told_2"] for row in told)


def test_without_events_there_is_a_reason_and_never_infinity(tmp_path: Path) -> None:
    found = _answer(_made(tmp_path, 30, dead=False).snapshot(), time="1", tau="6")
    by_name = {(n.statistic, n.cohort): n for n in found.numbers if n.time_days is None}
    ratio = by_name["hazard_ratio", "new"]
    assert ratio.estimate is None and "without events" in (ratio.not_estimable_reason or "")
    assert by_name["log_rank_chi_square", "old,new"].not_estimable_reason == "no events"
    at = next(n for n in found.numbers if n.statistic == "survival" and n.cohort == "old")
    assert (at.estimate, at.numerator, at.denominator) == (1.0, 0, 30)
    # Clopper-Pearson for 30 of 30: 0.025 ** (1 / 30).
    assert at.lower == pytest.approx(0.025 ** (1 / 30), rel=1e-9)


def test_who_is_not_in_the_figure_is_counted(tmp_path: Path) -> None:
    workshop = _made(tmp_path, 12)
    workshop.patients(*workshop.files["patients.csv"].splitlines()[1:], "x,2016,m,3,0,,,1,44")
    found = _answer(workshop.snapshot(), endpoint="rfs")
    left_out = [note.text for note in found.notes if note.text.startswith("Not in the figure")]
    assert left_out == ["Not in the figure: 1 of 13 in New never reached remission."]
    in_figure = [n for n in found.numbers if n.statistic == "in_figure" and n.cohort == "new"][0]
    assert (in_figure.numerator, in_figure.denominator) == (12, 13)


def test_a_quarantined_row_takes_its_patient_out_of_what_it_might_have_told(
    loaded: Loaded, tmp_path: Path
) -> None:
    """Patient 1 of colon: recurrence on day 968, dead on 1521. Its recurrence row is damaged."""
    lines = (EXAMPLES / "colon.csv").read_text().splitlines()
    assert lines[2].startswith('1,1,"Lev+5FU"') and lines[2].endswith(",968,1")
    lines[2] = lines[2].replace("Lev+5FU", "Lev+6MP")
    export = tmp_path / "colon.csv"
    export.write_text("\n".join(lines) + "\n")
    report = load(export, read_mapping("colon"), tmp_path / "store")
    assert (report.rows_quarantined, report.enrollments) == (1, 929)
    snapshot = open_snapshot(tmp_path / "store", report.snapshot_id)

    def in_figure(endpoint: str) -> tuple[int | None, list[str]]:
        found = _answer(snapshot, endpoint=endpoint, cohorts="lev5fu")
        number = [n for n in found.numbers if n.statistic == "in_figure"][0]
        return number.numerator, [n.text for n in found.notes if "Not in the figure" in n.text]

    said = "Not in the figure: 1 of 304 in Levamisole + 5-FU have a quarantined row that this"
    assert in_figure("rfs") == (303, [f"{said} endpoint needs."])
    # Overall survival does not need the recurrence row.
    assert in_figure("os") == (304, [])
    assert any("1 of 1858 rows" in note.text for note in _answer(snapshot).notes)


def test_a_row_with_a_field_too_many_also_puts_its_patient_in_doubt(tmp_path: Path) -> None:
    workshop = _made(tmp_path, 12)
    lines = workshop.files["patients.csv"].splitlines()[1:]
    found = _answer(workshop.patients(*lines, "20140,2014,f,7,1,30,44,1,99,extra").snapshot())
    left_out = [note.text for note in found.notes if "Not in the figure" in note.text]
    assert left_out == [
        "Not in the figure: 1 of 12 in Old have a quarantined row that this endpoint needs."
    ]


def test_cohorts_that_were_not_randomised_are_never_compared_without_saying_so(
    tmp_path: Path, loaded: Loaded
) -> None:
    said = "not randomised"
    assert any(said in note.text for note in _answer(_made(tmp_path, 12).snapshot()).notes)
    assert not any(said in note.text for note in _answer(loaded.snapshots["colon"]).notes)


def test_a_mean_is_taken_to_a_time_that_ten_in_each_cohort_reach(tmp_path: Path) -> None:
    found = _answer(_made(tmp_path, 20).snapshot(), tau="12")
    assert any("6 months is shown" in note.text for note in found.notes)
    times = {round(n.time_days or 0) for n in found.numbers if n.statistic == "rmst"}
    assert times == {183}


def test_events_on_day_0_are_told_beside_how_it_went_for_the_others(demo: Demo) -> None:
    """Survival of those without event on day 0 is S(t) / S(0)."""
    found = _answer(demo.snapshot, endpoint="efs", time="3", **{"f.risk_group": "high"})
    (told,) = [n.text for n in found.notes if n.text.startswith("Events on day 0")]
    at = next(
        n for n in found.numbers
        if (n.statistic, n.cohort, n.time_days) == ("survival", "allrez2014", 3 * 365.25)
    )  # fmt: skip
    failed, n = (int(x) for x in told.split("ALL-REZ 2014 ")[1].split(" (")[0].split("/"))
    assert at.denominator == n and at.estimate is not None
    rest = 100 * at.estimate / (1 - failed / n)
    assert (
        f"ALL-REZ 2014 {failed}/{n} (of the other {n - failed}: {rest:.1f} % without event)" in told
    )


def test_comparisons_end_with_the_follow_up_that_is_shared(demo: Demo) -> None:
    found = _answer(demo.snapshot, endpoint="os", time="5", **{"f.risk_group": "high"})
    text = " ".join(n.text for n in found.notes)
    assert "Follow-up is unequal" in text and "Hazards are not proportional" in text
    assert "Over all follow-up the hazard ratio" not in text, "no ratio beside the refusal of it"
    assert "Read the difference of means instead." in text, "there is none at 5 years"
    assert "not estimable (later than the" in found.headline
    rows = found.table("milestones").rows
    assert [rows[k][0] for k in found.table("milestones").pale] == ["5 years"]


def test_over_all_follow_up_the_ratio_stands_beside_where_hazards_hold(demo: Demo) -> None:
    found = _answer(demo.snapshot, endpoint="rfs", time="3")
    text = " ".join(n.text for n in found.notes)
    assert "Follow-up is unequal" in text and "Hazards are not proportional" not in text
    assert ("Over all follow-up the hazard ratio is" in text) == ("(0 later" not in text)


def test_a_child_in_two_curves_is_told_though_they_are_not_compared(demo: Demo) -> None:
    lines = "first_relapse,second_relapse"
    found = _answer(demo.snapshot, endpoint="os", lines=lines, **{"f.risk_group": EVERY})
    (told,) = [n.text for n in found.notes if "more than one of these curves" in n.text]
    held = demo.snapshot.connection.execute(
        "select max(n) from (select count(*) as n from (select e.patient_key, "
        "t.cohort_code || t.entry_reason as curve, count(*) over (partition by e.patient_key) as k "
        "from fct_time_to_event t join dim_enrollment e using (enrollment_key) "
        "where t.endpoint_code = 'os' and t.state is not null "
        "and t.entry_reason in ('first_relapse', 'second_relapse')) where k > 1 group by curve)"
    ).fetchall()
    (most,) = held[0]
    assert told.startswith(f"At least {most} children stand in more than one of these curves")


def test_randomised_arms_are_compared_in_full_and_told_to_differ(tmp_path: Path) -> None:
    lines = [
        f"{cohort}{i},{cohort},f,7,1,30,,{int(i % 3 == 0)},{days + i}"
        for cohort, days in (("2014", 1500), ("2016", 900))
        for i in range(20)
    ]
    made = Workshop(tmp_path).patients(*lines)
    told = {}
    for is_random in ("false", "true"):
        made.study = made.study.replace("randomised = false", f"randomised = {is_random}")
        text = " ".join(n.text for n in _answer(made.snapshot(), time="1").notes)
        told[is_random] = ("Follow-up is unequal" in text, "Follow-up differs between" in text)
    assert told == {"false": (True, False), "true": (False, True)}


def test_a_kind_of_line_without_the_endpoint_is_no_group_of_nobody(demo: Demo) -> None:
    found = _answer(demo.snapshot, endpoint="efs", lines="first_relapse,refractory")
    assert "therapy not defined for this kind of line" in found.headline
    assert "0/0" not in " ".join([found.headline, *(n.text for n in found.notes)])


def test_a_child_on_both_protocols_is_told_though_it_is_compared_once(demo: Demo) -> None:
    found = _answer(demo.snapshot, endpoint="os", **{"f.risk_group": EVERY})
    (told,) = [n.text for n in found.notes if n.text.startswith("Enrolled in more than one cohort")]
    held = demo.snapshot.connection.execute(
        "select t.cohort_code, count(*) from fct_time_to_event t "
        "join dim_enrollment e using (enrollment_key) where t.endpoint_code = 'os' "
        "and t.entry_reason = 'first_relapse' and t.is_primary and t.state is not null "
        "and exists (select 1 from dim_enrollment o where o.patient_key = e.patient_key "
        "and o.cohort_code <> e.cohort_code) group by all order by 1"
    ).fetchall()
    n = {c.code: n.denominator for c in found.cohorts for n in found.numbers if n.cohort == c.code}
    labels = {c.code: c.label for c in found.cohorts}
    parts = "; ".join(f"{labels[code]} {k}/{n[code]}" for code, k in held)
    assert held and f"more than one cohort: {parts}." in told


def test_a_window_that_holds_few_of_the_events_has_no_ratio_and_no_test(tmp_path: Path) -> None:
    old = [(0, 10), *((1, 12 + k) for k in range(8)), *((1, 400 + 90 * k) for k in range(5))]
    old += [(0, 3000)] * 3
    new = [(1, 500 + k) for k in range(3)] + [(0, 700)] * 9
    lines = [
        f"{cohort}{i},{cohort},f,7,1,30,,{dead},{days}"
        for cohort, children in (("2014", old), ("2016", new))
        for i, (dead, days) in enumerate(children)
    ]
    found = _answer(Workshop(tmp_path).patients(*lines).snapshot(), time="1")
    # The seventh death on day 18 is the last at which ten of 2014 are at risk.
    reason = "only 7 of 16 events are within the 0.59 months in which the cohorts are compared"
    assert f"Hazard ratio not estimable: {reason}." in found.headline
    test = next(n for n in found.numbers if n.statistic == "log_rank_chi_square")
    assert test.not_estimable_reason == reason


def test_nothing_is_compared_at_a_time_at_which_a_curve_has_ended(tmp_path: Path) -> None:
    old = [(int(k % 3 == 0), 300 + k) for k in range(20)]
    new = [(1, 10), *[(0, 20)] * 9, *[(0, 300)] * 3]
    lines = [
        f"{cohort}{i},{cohort},f,7,1,30,,{dead},{days}"
        for cohort, children in (("2014", old), ("2016", new))
        for i, (dead, days) in enumerate(children)
    ]
    made = Workshop(tmp_path).patients(*lines)
    made.study = made.study.replace("randomised = false", "randomised = true")
    found = _answer(made.snapshot(), time="1")
    assert "1 event in 13, 3 still at risk)" in found.headline
    assert "not estimable (the curve of New has ended, 3 still at risk)" in found.headline
