"""The transplant as a bridge, counted by hand: who reaches it, who is followed from it, by MRD."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from analysis.answer import Answer, Number
from analysis.compose import page
from analysis.disclosure import release
from analysis.link import decode
from analysis.survival_bridge import bridge_answer
from tests.spec.clinic import Child, Clinic
from warehouse.query import Snapshot

EVERYBODY = {"cohorts": "allrez2014,allrez2016", "time": "1"}
HALF_A_YEAR, YEAR = 182.625, 365.25


def _transplanted(child: Child, remission: int, result: str, sample_day: int = 130) -> Child:
    """In remission, an MRD sample, transplant on day 150."""
    child.line(remission).transplant(150)
    return child.sample(sample_day, result, "%") if result else child


def _older(clinic: Clinic) -> None:
    """34 children of 2014, all followed for more than a year but for those who die.

    11 negative (2 die on day 250), 1 negative two days after the transplant, 9 positive and 1 below
    a high limit (6 of the ten die on day 300);
    5 relapse on day 100, 3 die on day 80, 2 have nothing; 1 is refractory and transplanted in the
    second line, 1 relapses on day 100 and is transplanted on day 200.
    """
    for i in range(11):
        child = _transplanted(clinic.child(f"negative {i}"), 45, "0.001")
        child.seen(2000) if i >= 2 else child.seen(250, death_date=250)
    _transplanted(clinic.child("too late to be known"), 45, "0.001", 152).seen(2000)
    for i in range(10):
        child = _transplanted(clinic.child(f"positive {i}"), 50, "1" if i else "<0.1")
        child.seen(2000) if i >= 6 else child.seen(300, death_date=300)
    for i in range(5):
        clinic.child(f"relapse {i}").line(40).seen(2000, relapse_date=100)
    for i in range(3):
        clinic.child(f"death {i}").line(40).seen(80, death_date=80)
    for i in range(2):
        clinic.child(f"nothing {i}").line(40).seen(2000)
    clinic.child("refractory").line().second_line(90).transplant(200).seen(2000)
    clinic.child("relapse first").line(40).transplant(200).seen(2000, relapse_date=100)


def _newer(clinic: Clinic) -> None:
    """2016: 10 negative children without event.

    By genetics, favourable: 10 of 2016 who die on the day of transplant; unfavourable: one child;
    other: of 2014 14 negative children (7 die on day 250) and 2 without a sample, one of whom is
    said to be in remission only after the transplant.
    """
    for i in range(10):
        _transplanted(clinic.child(f"new {i}", "2016"), 45, "0.001").seen(1000)
    for i in range(10):
        child = clinic.child(f"on the day {i}", "2016", genetics="favourable")
        _transplanted(child, 45, "0.001").seen(150, death_date=150)
    clinic.child("alone", "2016", genetics="unfavourable").line(40).seen(500)
    for i in range(16):
        child = clinic.child(f"other {i}", genetics="other")
        _transplanted(child, 45 if i < 15 else 170, "0.001" if i < 14 else "")
        child.seen(2000) if i >= 7 else child.seen(250, death_date=250)


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Everybody; the window of the MRD before transplant is open for five days after it."""
    clinic = Clinic(tmp_path_factory.mktemp("bridge"))
    clinic.redefine("from_day = -30\nto_day = 0", "from_day = -30\nto_day = 5")
    _older(clinic)
    _newer(clinic)
    return clinic.snapshot()[0]


def _answer(snapshot: Snapshot, **params: str) -> Answer:
    asked = {name: [value] for name, value in {**EVERYBODY, **params, "look": "bridge"}.items()}
    decoded = decode("survival", asked, snapshot.snapshot_id, snapshot.study)
    assert decoded.problems == ()
    return bridge_answer(page("survival", snapshot, decoded.view))


def _plain(ward: Snapshot, **params: str) -> Answer:
    """Without those of the extremes."""
    return _answer(ward, **{"f.genetics": "missing", **params})


def _one(found: Answer, **keys: object) -> Number:
    (number,) = [n for n in found.numbers if all(getattr(n, k) == v for k, v in keys.items())]
    return number


# ---------------------------------------------------------------- reaching it


def test_states_by_hand_add_to_everybody(ward: Snapshot) -> None:
    found = _plain(ward)
    told = {"statistic": "bridge_incidence", "cohort": "allrez2014", "time_days": YEAR}
    expected = {"1": 23 / 34, "2": 6 / 34, "3": 3 / 34, "no_event": 2 / 34}
    for level, proportion in expected.items():
        assert _one(found, level_code=level, **told).estimate == pytest.approx(proportion)
    early = _one(found, level_code="1", **{**told, "time_days": HALF_A_YEAR})
    assert (early.numerator, early.denominator) == (22, 34), "one came on day 200"
    assert found.headline.startswith("Transplant reached by 1 year: ALL-REZ 2014 67.6 % (")


def test_the_times_are_half_a_year_a_year_and_the_milestones(ward: Snapshot) -> None:
    times = [row[0] for row in _plain(ward).table("bridge_reach").rows]
    assert list(dict.fromkeys(times)) == ["6 months", "12 months", "2 years", "3 years", "5 years"]


def test_a_difference_of_reaching_it_is_the_newer_less_the_older(ward: Snapshot) -> None:
    found = _plain(ward)
    pair = _one(found, statistic="bridge_incidence_difference", time_days=YEAR)
    assert pair.estimate == pytest.approx(1 - 23 / 34)
    assert (pair.cohort, pair.comparator) == ("allrez2016", "allrez2014")


def test_the_days_from_remission_are_of_those_who_reached_it(ward: Snapshot) -> None:
    """12 waited 105 days, 10 waited 100; the refractory child had no remission in this line."""
    found = _plain(ward)
    row = found.table("bridge_wait").rows[-1]
    assert "among those who reached it" in row[0]
    assert row[1] == "105 (100 to 105); 22/23 with a remission before it"
    late = _answer(ward, **{"cohorts": "allrez2014", "f.genetics": "other"})
    cell = late.table("bridge_wait").rows[-1][1]
    assert cell == "105 (105 to 105); 15/16 with a remission before it"
    assert any("no outcome is compared by them" in note.text for note in found.notes)


def test_reached_and_followed_are_not_the_same_children(ward: Snapshot) -> None:
    found = _plain(ward)
    rows = [row[1] for row in found.table("bridge_wait").rows[:3]]
    assert rows == ["23/34", "22/23", 1]
    (note,) = [note.text for note in found.notes if note.text.startswith("Not quite")]
    assert "1 of ALL-REZ 2014 came to transplant in a later line" in note
    assert "1 of ALL-REZ 2014 came to transplant after another event" in note


# ---------------------------------------------------------------- survival from it


def test_survival_from_it_and_by_what_was_known_on_the_day(ward: Snapshot) -> None:
    found = _plain(ward)
    told = {"statistic": "bridge_survival", "cohort": "allrez2014", "time_days": YEAR}
    assert _one(found, level_code=None, **told).estimate == pytest.approx(15 / 23)
    assert _one(found, level_code="negative", **told).estimate == pytest.approx(9 / 11)
    assert _one(found, level_code="not_negative", **told).estimate == pytest.approx(4 / 10)
    unknown = _one(found, level_code="not_known", **told)
    assert (unknown.denominator, unknown.estimate) == (2, None), "one sampled after the day"
    parts = [n for n in found.numbers if n.statistic == "bridge_n" and n.cohort == "allrez2014"]
    counts = {n.level_code: n.numerator for n in parts}
    assert counts == {None: 23, "negative": 11, "not_negative": 10, "not_known": 2}


def test_differences_by_mrd_are_within_a_cohort(ward: Snapshot) -> None:
    found = _plain(ward)
    told = {"statistic": "bridge_survival_difference", "time_days": YEAR}
    pair = _one(found, level_code="not_negative", cohort="allrez2014", **told)
    assert pair.estimate == pytest.approx(4 / 10 - 9 / 11)
    assert pair.comparator == "negative"
    new = _one(found, level_code="not_negative", cohort="allrez2016", **told)
    assert new.estimate is None and "no patients" in (new.not_estimable_reason or "")


def test_between_cohorts_there_is_a_warning_that_they_are_selected(ward: Snapshot) -> None:
    warnings = [note.text for note in _plain(ward).notes if note.kind == "warning"]
    assert any("no effect of the protocol" in text for text in warnings)
    alone = _plain(ward, cohorts="allrez2014")
    assert not any("no effect of the protocol" in note.text for note in alone.notes)


def test_without_an_event_the_limits_are_exact(ward: Snapshot) -> None:
    found = _plain(ward)
    told = {"statistic": "bridge_survival", "cohort": "allrez2016", "level_code": None}
    at = _one(found, time_days=YEAR, **told)
    assert (at.estimate, at.numerator, at.denominator) == (1.0, 0, 10)
    # Clopper-Pearson for 10 of 10.
    assert at.lower == pytest.approx(0.025 ** (1 / 10))


def test_every_picture_has_who_is_in_it(ward: Snapshot) -> None:
    found = _plain(ward)
    codes = [figure.code for figure in found.figures]
    assert codes[:3] == ["bridge_states_1", "bridge_states_2", "bridge_after"]
    assert codes[3:] == ["bridge_mrd_1", "bridge_mrd_2"]
    for figure in found.figures:
        assert figure.accounts and figure.tables and figure.caption
        spec = figure.spec
        assert "NaN" not in str(spec)
    assert "none of these yet" in str(found.figures[0].spec)


def test_what_was_reached_and_what_was_lost_are_named(ward: Snapshot) -> None:
    """23 of 34 came to transplant; 8 of the 23 who are followed from it are dead by a year."""
    told = _plain(ward).headline
    assert "; 23 of 34 reached it); ALL-REZ 2016 100.0 % (" in told
    assert "; 8 deaths in 23); ALL-REZ 2016 100.0 % (" in told and "; 0 deaths in 10)" in told
    (cell,) = [r[2] for r in _plain(ward).table("bridge_after").rows if r[1] == "MRD not known"][:1]
    assert cell == "0 deaths in 2"
    alone = _answer(ward, **{"f.genetics": "unfavourable"}).headline
    assert "ALL-REZ 2016: fewer than 10 patients (0 of 1 reached it)" in alone
    assert "0/1" not in alone


def _drawn(found: Answer, code: str) -> list[dict]:
    """The rows of the curves or areas of a figure."""
    (figure,) = [figure for figure in found.figures if figure.code == code]
    return next(rows for rows in figure.spec["datasets"].values() if "part" in rows[0])


def test_curves_from_it_are_pale_beyond_the_follow_up_that_cohorts_share(ward: Snapshot) -> None:
    """From day 150 on the newer are seen for 850 days, the older for 1850 or until they die."""
    rows = _drawn(_plain(ward), "bridge_after")
    for cohort, last in (("ALL-REZ 2014", 1850), ("ALL-REZ 2016", 850)):
        mine = [row for row in rows if row["cohort"] == cohort]
        full = [row["time"] for row in mine if row["part"] == "full"]
        assert max(full) == pytest.approx(850 / YEAR)
        assert max(row["time"] for row in mine) == pytest.approx(last / YEAR)
    alone = _drawn(_plain(ward, cohorts="allrez2014"), "bridge_after")
    assert {row["part"] for row in alone} == {"full"}


def test_the_way_to_it_does_not_end_because_most_have_come_to_an_end(ward: Snapshot) -> None:
    """From day 200 on two of the older are left, who are seen until day 2000."""
    rows = _drawn(_plain(ward), "bridge_states_1")
    assert {row["part"] for row in rows} == {"full"}
    assert max(row["time"] for row in rows) == pytest.approx(2000 / YEAR)


def test_too_few_have_no_curve_and_are_named(ward: Snapshot) -> None:
    found = _plain(ward)
    drawn = {row["cohort"] for row in _drawn(found, "bridge_mrd_1")}
    assert drawn == {"MRD negative", "MRD not negative"}
    (figure,) = [figure for figure in found.figures if figure.code == "bridge_mrd_1"]
    assert "Too few for a curve: MRD not known (n = 2)." in figure.caption
    assert "MRD not known" not in str(figure.spec)
    assert "Too few" not in found.figures[2].caption


# ---------------------------------------------------------------- sentences instead of numbers


def test_a_filter_known_only_later_is_refused(ward: Snapshot) -> None:
    found = _answer(ward, **{"endpoint": "os_transplant", "f.transplanted": "yes"})
    assert "immortal time" in found.headline
    assert not found.figures and not found.tables and not found.numbers


def test_a_kind_of_line_it_is_not_defined_for_is_a_sentence(ward: Snapshot) -> None:
    found = _answer(ward, lines="refractory", endpoint="os")
    assert found.headline.startswith("Cumulative incidence of transplant is not defined for")
    assert not found.tables


def test_nobody_is_a_sentence(ward: Snapshot) -> None:
    found = _answer(ward, **{"f.sex": "male"})
    assert found.headline.startswith("No patients match")
    assert not found.numbers


@pytest.mark.parametrize("genetics", ["favourable", "unfavourable"])
def test_all_dead_on_the_day_and_one_patient_are_sentences(ward: Snapshot, genetics: str) -> None:
    found = _answer(ward, **{"f.genetics": genetics})
    assert found.headline
    for number in found.numbers:
        assert number.estimate is not None or number.not_estimable_reason, number
    for figure in found.figures:
        assert "NaN" not in str(figure.spec)


def test_all_dead_on_the_day_are_events_at_day_0(ward: Snapshot) -> None:
    found = _answer(ward, **{"f.genetics": "favourable"})
    told = {"statistic": "bridge_survival", "cohort": "allrez2016", "level_code": None}
    assert _one(found, time_days=YEAR, **told).estimate == 0.0


def test_a_study_without_a_bridge_is_an_error_of_the_caller(ward: Snapshot) -> None:
    study = replace(ward.study, survival=replace(ward.study.survival, bridge=None))
    view = decode("survival", {}, ward.snapshot_id, ward.study).view
    with pytest.raises(ValueError, match="allrez declares no bridge"):
        bridge_answer(page("survival", replace(ward, study=study), view))


# ---------------------------------------------------------------- policy k


@pytest.fixture
def under_k(ward: Snapshot, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Answer]:
    """The answer of 2014, of children of some genetics, as the policy lets it out."""
    monkeypatch.setenv("RELAPSE_BOARD_DISCLOSURE", "k")

    def found(genetics: str) -> Answer:
        return release(_answer(ward, **{"cohorts": "allrez2014", "f.genetics": genetics}))

    return found


def test_a_small_class_takes_all_classes_away_and_not_everybody(
    under_k: Callable[[str], Answer],
) -> None:
    found = under_k("other")
    hidden = {row[1]: "withheld" in row for row in found.table("bridge_after").rows}
    classes = dict.fromkeys(("MRD negative", "MRD not negative", "MRD not known"), True)
    assert hidden == {"Everybody": False, **classes}
    shown = [n for n in found.numbers if n.statistic == "bridge_n" and n.estimate is not None]
    assert [(n.level_code, n.numerator) for n in shown] == [(None, 16)]
    assert "bridge_mrd_1" not in [figure.code for figure in found.figures]


def test_who_is_in_one_of_two_numbers_alone_withholds_the_second(
    under_k: Callable[[str], Answer],
) -> None:
    """23 reached it and 23 are followed from it, but one of each alone."""
    found = under_k("missing")
    assert found.headline.startswith("Transplant reached by 1 year: ALL-REZ 2014 67.6 %")
    assert "from transplant" not in found.headline
    assert all("withheld" in row for row in found.table("bridge_after").rows)
    by_a_year = [row for row in found.table("bridge_reach").rows if row[0] == "12 months"]
    hidden = {row[1]: "withheld" in row for row in by_a_year}
    assert hidden == {
        "transplant": False, "relapse": True, "death": True, "none of these yet": True,
    }  # fmt: skip
