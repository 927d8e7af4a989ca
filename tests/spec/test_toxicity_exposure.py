"""Kinds of blocks, time and burden on small wards, whose numbers can be counted by hand."""

import lzma
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from analysis.answer import Answer, Number
from analysis.compose import page
from analysis.disclosure import release
from analysis.link import View, default_view
from analysis.toxicity_burden import burden_answer
from analysis.toxicity_compare import compare_answer
from analysis.toxicity_first import states_of
from analysis.toxicity_time import time_answer
from tests.spec.clinic import Clinic, on
from tests.spec.tables import rows
from trial.selection import selection
from warehouse.query import Snapshot, open_snapshot

FIXTURES = Path(__file__).parent.parent / "fixtures"
N = 12
OLD, NEW = "allrez2014", "allrez2016"
ANSWERS = {"compare": compare_answer, "time": time_answer, "burden": burden_answer}


def _old_child(clinic: Clinic, k: int) -> None:
    """F1, F2, R1; an oral mucositis on day k + 1 of F1 for k + 1 days, the last two without end."""
    child = clinic.child(f"A{k}", "2014").line(30).course("R1", 60, 65).seen(400)
    f1 = next(c for c in clinic.rows["courses"] if c["case_id"] == child.case)
    f1["anc_recovery_date"] = on(16) if k < 7 else ""
    end = on(6 + 2 * k) if k < 10 else ""
    child.event(6 + k, "oral mucositis", "3", end_date=end)
    if k == 0:
        child.event(8, "sepsis", "3").event(9, "sepsis", "4").event(27, "sepsis", "3")
    if k == 1:
        child.event(61, "sepsis", "3")
    if k == 2:
        child.event(8, "sepsis", "3-4")
    if k == 11:
        # Of two that begin on one day the one without an end is the longer.
        child.event(17, "oral mucositis", "4", end_date=on(18))


def _new_child(clinic: Clinic, k: int) -> None:
    """F1, F2, blinatumomab, half of them twice; the last one's F1 is not documented."""
    child = clinic.child(f"B{k}", "2016").line(30).course("BLINA", 90, 118).seen(400)
    f1 = next(c for c in clinic.rows["courses"] if c["case_id"] == child.case)
    f1["anc_recovery_date"] = on(16) if k < 6 else ""
    if k < 6:
        child.course("BLINA", 140, 168, number="2")
    if k < 2:
        child.event(8, "sepsis", "3")
    if k == 0:
        child.event(95, "sepsis", "3").event(96, "sepsis", "3")
    if k == 1:
        child.event(141, "sepsis", "3")
    if k == N - 1:
        f1["ae_documented"] = "no"


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Twelve children a cohort."""
    clinic = Clinic(tmp_path_factory.mktemp("ward"))
    clinic.redefine('code = "f2"\nlabel = "F2"', 'code = "f2"\nplanned_days = 21\nlabel = "F2"')
    for k in range(N):
        _old_child(clinic, k)
        _new_child(clinic, k)
    return clinic.snapshot()[0]


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Two children of the newer cohort: every sum is theirs. One has an R1 without documents."""
    clinic = Clinic(tmp_path_factory.mktemp("single"))
    child = clinic.child("C0", "2016").line(30).seen(400)
    child.course("R1", 70, 75, ae_documented="no")
    clinic.rows["courses"][0]["anc_recovery_date"] = on(16)
    child.event(8, "sepsis", "3", end_date=on(9)).event(9, "sepsis", "4", end_date=on(10))
    child.event(22, "pneumonia", "2", end_date=on(40)).event(28, "sepsis", "2", end_date="")
    clinic.child("C1", "2016").line(None).event(10, "sepsis", "5", outcome="fatal").seen(
        10, death_date=10, death_cause="infection"
    )
    lost = clinic.child("C2", "2014").line(None).seen(26)
    lost.event(25, "sepsis", "3", end_date=on(29)).event(28, "pneumonia", "3", end_date=on(29))
    return clinic.snapshot()[0]


def view(snapshot: Snapshot, **options) -> View:
    found = default_view("toxicity", snapshot.snapshot_id, snapshot.study)
    everybody = selection(snapshot.study, [c.code for c in snapshot.study.cohorts], {})
    plain = {"selection": everybody, "item": "term/sepsis", "grade": 3}
    return replace(found, **{**plain, **options})


def told(part: str, snapshot: Snapshot, **options) -> Answer:
    return ANSWERS[part](page("toxicity", snapshot, view(snapshot, **options)))


def number(found: Answer, statistic: str, cohort: str, **also) -> Number:
    """The one number of a statistic and cohort."""
    mine = [
        n
        for n in found.numbers
        if (n.statistic, n.cohort) == (statistic, cohort)
        and all(getattr(n, name) == value for name, value in also.items())
    ]
    (one,) = mine
    return one


def counted(found: Answer, statistic: str, cohort: str, **also) -> tuple[int | None, int | None]:
    one = number(found, statistic, cohort, **also)
    return one.numerator, one.denominator


def cells(found: Answer, table: str, *labels: object) -> tuple:
    """The rest of the row of a table that begins so."""
    (row,) = [r for r in found.table(table).rows if r[: len(labels)] == labels]
    return row[len(labels) :]


def warnings(found: Answer) -> str:
    return " ".join(n.text for n in found.notes if n.kind == "warning")


# ---------------------------------------------------------------- kinds of blocks


def test_a_patient_counts_once_in_a_kind_of_blocks_and_events_all(ward: Snapshot) -> None:
    found = told("compare", ward)
    assert counted(found, "group_patients_proportion", OLD, level_code="standard") == (3, 12)
    assert counted(found, "group_rate_per_course", OLD, level_code="standard") == (5, 36)
    assert counted(found, "group_share_of_courses", OLD, level_code="standard") == (4, 36)


def test_days_at_risk_run_to_the_day_before_the_next_course(ward: Snapshot) -> None:
    """F1 from day 6 to 24, F2 from 25 to 59, R1 from 60 to 95, 30 days after its end."""
    found = told("compare", ward)
    days = 12 * (19 + 35 + 36)
    assert number(found, "group_days", OLD, level_code="standard").estimate == days
    one = number(found, "group_rate_per_year", OLD, level_code="standard")
    assert (one.numerator, one.denominator) == (5, days)
    assert one.estimate == pytest.approx(5 / days * 365.25)
    assert f"{days} (30 a course)" in cells(
        found, "compare_within", "ALL-REZ 2014", "F and R blocks"
    )


def test_who_is_undocumented_in_one_block_of_a_kind_is_not_counted_in_it(ward: Snapshot) -> None:
    found = told("compare", ward)
    assert counted(found, "group_patients_proportion", NEW, level_code="standard") == (2, 11)
    blina = counted(found, "group_patients_proportion", NEW, level_code="blinatumomab")
    assert blina == (2, 12)
    assert "F and R blocks: not counted" in warnings(found) and "1 of 12" in warnings(found)


def test_first_courses_stand_beside_later_ones_without_a_difference(ward: Snapshot) -> None:
    found = told("compare", ward)
    first, later = "blinatumomab/first", "blinatumomab/later"
    assert counted(found, "group_rate_per_course", NEW, level_code=first) == (2, 12)
    assert counted(found, "group_rate_per_course", NEW, level_code=later) == (1, 6)
    assert number(found, "group_rate_per_course", NEW, level_code=later).estimate is None
    assert not any("minus" in column for column in found.table("compare_number").columns)
    assert not any("minus" in column for column in found.table("compare_within").columns)
    assert "same children" in warnings(found)


def test_cohorts_are_compared_only_in_a_kind_that_both_were_given(ward: Snapshot) -> None:
    found = told("compare", ward)
    statistic = "group_rate_per_course_difference"
    shared = number(found, statistic, NEW, level_code="standard")
    assert shared.estimate == pytest.approx(2 / 22 - 5 / 36) and shared.comparator == OLD
    alone = number(found, statistic, NEW, level_code="blinatumomab")
    assert alone.estimate is None and "not given" in (alone.not_estimable_reason or "")
    several = told("compare", ward, selection=replace(
        view(ward).selection, line_codes=("first_relapse", "refractory")
    ))  # fmt: skip
    assert not [n for n in several.numbers if n.comparator]


def test_a_range_is_possible_and_not_counted(ward: Snapshot) -> None:
    found = told("compare", ward, grade=4)
    row = cells(found, "compare_between", "F and R blocks", "Patients")
    assert row[0].startswith("1/12") and "[1 more possible" in row[0]


def test_too_many_undocumented_are_not_compared(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path)
    for k in range(N):
        clinic.child(f"A{k}", "2014").line(30).seen(400)
        clinic.child(f"B{k}", "2016").line(30).seen(400)
    for course in clinic.rows["courses"][:12]:
        course["ae_documented"] = "unknown"
    found = told("compare", clinic.snapshot()[0])
    assert "not compared" in warnings(found)
    assert not [n for n in found.numbers if n.comparator]


# ---------------------------------------------------------------- time


def test_the_first_event_competes_with_leaving_the_course() -> None:
    """Leaving for the next course is a day later than the last day at risk; an event beats it."""
    table = """
    event | last | until       | time | state
    3     | 20   | next_course | 3    | 1
          | 20   | next_course | 21   | 2
          | 20   | window      | 21   | 2
          | 20   | death       | 20   | 2
          | 20   | relapse     | 20   | 2
          | 20   | censored    | 20   | 0
    20    | 20   | death       | 20   | 1
    21    | 20   | censored    | 20   | 0
    0     | 0    | next_course | 0    | 1
    """
    for row in rows(table):
        event = int(row["event"]) if row["event"] else None
        frame = pl.DataFrame(
            [(event, int(row["last"]), row["until"], 5)],
            schema={"d": pl.Int32, "last_day": pl.Int32, "until_code": pl.String, "n": pl.Int64},
            orient="row",
        )
        counts = states_of(frame, "d")
        assert counts.day.tolist() == [float(row["time"])], row
        by_state = [int(counts.censored[0]), *counts.events[0].tolist()]
        assert by_state.index(5) == int(row["state"]), row


def test_incidence_by_day_counts_first_events_alone(ward: Snapshot) -> None:
    found = told("time", ward, block="f1", item="term/oral_mucositis")
    told_by = [
        counted(found, "first_event_incidence", OLD, time_days=day, level_code=None)
        for day in (7, 14, 28)
    ]
    assert told_by == [(8, 12), (12, 12), (12, 12)]
    assert counted(found, "first_event_incidence", NEW, level_code="end") == (0, 11)
    assert number(found, "first_event_incidence", OLD, time_days=7).estimate == pytest.approx(
        8 / 12
    )
    assert "no events" in " ".join(n.text for n in found.notes)


def test_the_test_between_cohorts_is_called_exploratory(ward: Snapshot) -> None:
    found = told("time", ward, block="f1")
    assert "Gray's test over the whole course, exploratory" in " ".join(n.text for n in found.notes)
    (gray,) = [n for n in found.numbers if n.statistic == "first_event_gray"]
    assert gray.p_value is not None
    assert "p = " not in found.headline


def test_quartiles_of_onset_and_duration_and_who_has_no_end(ward: Snapshot) -> None:
    """Onsets on days 1 to 12; ten durations of 1 to 10 days, two without end."""
    found = told("time", ward, block="f1", item="term/oral_mucositis")
    onset, duration = (
        [
            number(found, name, OLD, level_code=code).estimate
            for code in ("first_quartile", "median", "third_quartile")
        ]
        for name in ("onset_days", "duration_days")
    )
    assert onset == [3.75, 6.5, 9.25]
    assert duration == [3.25, 5.5, 7.75]
    row = cells(found, "spans", "oral mucositis")
    assert row[2] == "5.5 (3.25 to 7.75), n 10; 2 without a recorded end"


def test_fewer_than_ten_get_their_number_alone(ward: Snapshot) -> None:
    found = told("time", ward, block="f1")
    assert cells(found, "spans", "sepsis")[0] == "n 2"
    assert number(found, "onset_days", OLD, level_code="median").estimate is None


def test_the_next_course_is_counted_beyond_the_days_planned(ward: Snapshot) -> None:
    """F2 on day 25, planned for 21 days: R1 comes on day 60, blinatumomab on day 90."""
    found = told("time", ward, block="f2")
    for cohort, late in ((OLD, 14), (NEW, 44)):
        one = number(found, "next_course_delay", cohort, level_code="median")
        assert (one.estimate, one.numerator, one.denominator) == (late, 12, 12)
    unplanned = told("time", ward, block="f1")
    assert number(unplanned, "next_course_delay", OLD, level_code="median").estimate == 19
    last = told("time", ward, block="r1")
    assert cells(last, "next_course", "ALL-REZ 2014") == (12, 0, "no patients", 0, 0, 12, 0, 0)


def test_recovery_that_was_not_recorded_is_none(ward: Snapshot) -> None:
    """Six of eleven on day 10 of F1; the others left for F2 without."""
    found = told("time", ward, block="f1")
    assert counted(found, "recovery_incidence", NEW, time_days=7) == (0, 11)
    assert counted(found, "recovery_incidence", NEW, time_days=14) == (6, 11)
    assert counted(found, "recovery_count", NEW, level_code="left") == (5, 11)
    without = told("time", ward, block="r1")
    assert not [n for n in without.numbers if n.statistic == "recovery_incidence"]
    assert "No recovery" in " ".join(n.text for n in without.notes)


def test_recoveries_without_a_date_are_told_and_with_many_of_them_nothing_is_compared(
    ward: Snapshot,
) -> None:
    found = told("time", ward)
    (warned,) = [n for n in found.notes if "No date of neutrophil recovery" in n.text]
    assert warned.kind == "warning" and "5 of 11 (ALL-REZ 2016)" in warned.text
    apart = [n for n in found.numbers if n.statistic == "recovery_incidence_difference"]
    assert apart and all("more than 20 %" in (n.not_estimable_reason or "") for n in apart)
    (test,) = [n for n in found.numbers if n.statistic == "recovery_gray"]
    assert "more than 20 %" in (test.not_estimable_reason or "")
    nobody = told("time", ward, block="f2")
    assert not [n for n in nobody.numbers if n.statistic == "recovery_incidence"]


def test_a_curve_of_recovery_with_few_dates_is_not_drawn(single: Snapshot) -> None:
    found = told("time", single, block="f1")
    assert not [n for n in found.numbers if n.statistic == "recovery_incidence"]
    assert any("is not shown: of more than half of a cohort" in n.text for n in found.notes)


def test_bars_by_day_begin_with_day_1_and_tell_who_is_still_at_risk(ward: Snapshot) -> None:
    found = told("time", ward, block="f1", item="term/oral_mucositis")
    table = found.table("by_day")
    assert table.rows[0][:3] == (1, 1, 12) and table.rows[11][:3] == (12, 1, 12)
    assert table.rows[-1][:3] == (19, 0, 12)


def test_a_course_that_nobody_had_is_a_sentence(ward: Snapshot) -> None:
    found = told("time", ward, block="f1", nth="4")
    assert found.headline.startswith("Nobody") and not found.tables and not found.figures


def test_an_event_after_the_last_contact_is_said_and_not_counted(single: Snapshot) -> None:
    found = told("time", single, block="f2", item="term/pneumonia")
    assert counted(found, "first_event_count", OLD, level_code="event") == (0, 1)
    assert counted(found, "first_event_count", OLD, level_code="censored") == (1, 1)
    assert "after their last contact" in warnings(found)


def test_a_fatal_event_is_an_event_and_no_competitor(single: Snapshot) -> None:
    found = told("time", single, block="f1", item="fatal", grade=1)
    assert counted(found, "first_event_count", NEW, level_code="event") == (1, 2)


def test_a_course_without_any_documented_patient_has_no_numbers(single: Snapshot) -> None:
    found = told("time", single, block="r1")
    assert "no patients" in found.headline and "1 of 1" in warnings(found)
    assert not found.figures and not [n for n in found.numbers if n.numerator]
    assert cells(told("burden", single), "burden", "R1")[1] == "none documented"


# ---------------------------------------------------------------- burden


def test_grade_days_take_the_highest_of_overlapping_events_and_are_cut(single: Snapshot) -> None:
    """F1: sepsis 3 + 4 + 4, pneumonia 2 on days 22 to 24, and 5 on the day of death.

    F2: sepsis 2 from day 28 without an end, at most to day 60. The other cohort's child was seen
    to day 26: sepsis 3 on days 25 and 26, and a pneumonia after that.
    """
    found = told("burden", single)
    assert number(found, "burden_grade_days", NEW, block_code="f1").estimate == 11 + 2 * 3 + 5
    assert number(found, "burden_grade_days", NEW, block_code="f2").estimate == 2 * (60 - 28 + 1)
    assert number(found, "burden_unknown_end", NEW, block_code="f2").estimate == 1
    assert number(found, "burden_grade_days", OLD, block_code="f2").estimate == 3 * 2
    assert "after the last contact" in warnings(found)


def test_of_fewer_than_ten_no_mean_is_given(single: Snapshot) -> None:
    found = told("burden", single)
    assert number(found, "burden_mean", NEW, block_code="f1").estimate is None
    assert cells(found, "burden", "F1")[1] == "22 grade-days in 2 patients"


def test_who_had_no_event_counts_in_the_mean(ward: Snapshot) -> None:
    """R1: one sepsis of grade 3 without an end, from day 61 to the end of the window, day 95."""
    found = told("burden", ward)
    one = number(found, "burden_mean", OLD, block_code="r1")
    assert one.estimate == pytest.approx(3 * 35 / 12) and one.denominator == 12
    assert one.lower is not None and one.lower > 0


# ---------------------------------------------------------------- all of them


def test_older_data_say_that_they_are_to_be_loaded_again(tmp_path: Path) -> None:
    name = "2021-12-31.4bb55ab1af24"
    place = tmp_path / "snapshots" / name
    place.mkdir(parents=True)
    packed = (FIXTURES / "schema_5" / "results.duckdb.xz").read_bytes()
    (place / "results.duckdb").write_bytes(lzma.decompress(packed))
    older = open_snapshot(tmp_path, name)
    for part in ANSWERS:
        found = told(part, older)
        assert "load the export again" in found.headline
        assert not found.numbers and not found.tables


@pytest.mark.parametrize("part", ANSWERS)
@pytest.mark.parametrize("item", ["any", "term/sepsis"])
def test_every_figure_says_who_is_in_it_and_how_it_was_made(
    ward: Snapshot, part: str, item: str
) -> None:
    found = told(part, ward, item=item, block="f1")
    for figure in found.figures:
        assert {a.label for a in figure.accounts} == {"ALL-REZ 2014", "ALL-REZ 2016"}
        assert figure.tables and figure.alt_text
        for words in ("documented", "Population", ward.snapshot_id):
            assert words in figure.legend
        assert "day" in figure.legend or "Wilson" in figure.legend
        figure.chart.to_dict()


@pytest.mark.parametrize("part", ANSWERS)
def test_small_numbers_are_withheld_with_what_they_follow_from(
    ward: Snapshot, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sepsis: one or two children a cohort, in every part of the page."""
    monkeypatch.setenv("RELAPSE_BOARD_DISCLOSURE", "k")
    found = release(told(part, ward, block="f1"))
    small = {"first_event", "group", "onset", "recovery", "burden"}
    for n in found.numbers:
        if (n.statistic or "").split("_")[0] in small - {"recovery", "burden"}:
            assert n.estimate is None and n.numerator is None, n
    for table in found.tables:
        for row in table.rows:
            assert not [c for c in row[table.n_labels :] if isinstance(c, int) and 0 < c < 5]
    assert all(
        not 0 < count < 5 for f in found.figures for a in f.accounts for _, count in a.left_out
    )
