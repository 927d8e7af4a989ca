"""Nobody with an event, one child, everything on day 0: each part of survival says a sentence.

One clinic holds every case; what was recorded of a relapse, which no number uses, tells them apart.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import cycle, islice, product
from math import isfinite

import pytest

from analysis.answer import Answer, Number
from analysis.export import summary_markdown
from analysis.link import View, decode
from analysis.link_survival import LATER_BY, SCALES, SURVIVAL_PARTS, WEIGHTS
from analysis.questions import answer, part_answer, whole_answer
from tests.spec.clinic import Clinic, on
from warehouse.query import Snapshot

# As the clinic writes them, and as a link chooses them.
TIMES = {"very early": "very_early", "early": "early", "late": "late", "": "missing"}
RISKS = {"S1": "s1", "S2": "s2", "S3": "s3", "S4": "s4", "": "missing"}
PLACES = tuple(product(TIMES, RISKS))
ANYBODY = {"f.risk_group": "high,not_high,missing"}


@dataclass(frozen=True)
class Course:
    """What became of one child, in days since the relapse; None where it never came to it."""

    protocol: str
    seen: int
    is_dead: bool = False
    remission: int | None = 30
    relapse: int | None = None
    transplant: int | None = None
    blina: int | None = None
    mrd: str = ""

    def tell(self, clinic: Clinic, name: str, k: int, **recorded: str) -> None:
        """Write the rows of the child; what is known of it before the relapse differs with k."""
        baseline = {"site": ("BM", "CNS")[k % 2], "genetics": ("favourable", "other")[k // 2 % 2]}
        child = clinic.child(name, self.protocol, **baseline, **recorded)
        told = {"entry_reason": "first relapse", "start_date": on(0), "line_number": "1"}
        told |= {
            "remission_date": on(self.remission),
            "remission_type": "" if self.remission is None else "M1",
        }
        clinic.add("lines", case_id=child.case, **told)
        if self.blina is not None:
            child.course("BLINA", self.blina, self.blina + 28)
            if k % 2:
                child.infusion("CD3", self.blina, None)
            if self.mrd:
                child.sample(self.blina + 28, self.mrd, "%")
        if self.transplant is not None:
            child.transplant(self.transplant)
            if self.mrd:
                child.sample(self.transplant - 10, self.mrd, "%")
        seen = self.seen
        child.seen(seen, death_date=seen if self.is_dead else None, relapse_date=self.relapse)


def both(n: int, course: Course, later: int = 0) -> list[Course]:
    """The same course for n children of either protocol, each seen some days later."""
    return [
        replace(course, protocol=protocol, seen=course.seen + later * k)
        for protocol in ("2014", "2016")
        for k in range(n)
    ]


def mixed(
    protocol: str, n: int, first: int, later: int, transplant: int | None = None
) -> list[Course]:
    """Every other child dies, each some days after the one before."""
    return [
        Course(protocol, first + later * k, is_dead=k % 2 > 0, transplant=transplant)
        for k in range(n)
    ]


CASES: dict[str, list[Course]] = {
    "no_event": both(12, Course("", 500), later=1),
    "one_living": [Course("2014", 900)],
    "one_dead": [Course("2016", 900, is_dead=True, transplant=100, blina=60, mrd="0.001")],
    "dead_on_day_0": both(12, Course("", 0, is_dead=True, remission=None)),
    "last_seen_on_day_0": both(12, Course("", 0, remission=None)),
    "one_cohort_without_event": [
        *mixed("2014", 16, 60, 60),
        *[Course("2016", 700 + k) for k in range(10)],
    ],
    "one_cohort": mixed("2016", 16, 50, 40),
    "same_day": both(10, Course("", 200, is_dead=True, relapse=150)),
    "all_events": both(12, Course("", 90, is_dead=True, relapse=80), later=13),
    "transplanted_at_once": [
        *mixed("2014", 12, 100, 40),
        *mixed("2016", 12, 90, 50, transplant=30),
    ],
    "dead_on_the_day_of_blinatumomab": both(10, Course("", 35, is_dead=True, blina=35)),
    "all_given_and_negative": [
        replace(c, is_dead=k % 3 > 0)
        for k, c in enumerate(both(12, Course("", 400, blina=40, transplant=120, mrd="0.001"), 60))
    ],
    "nine_and_twelve": [*mixed("2014", 9, 100, 90), *mixed("2016", 12, 100, 90)],
    "never_in_remission": both(10, Course("", 300, remission=None), later=1),
    "nobody": [],
}
FEWER_THAN_TEN = ("one_living", "one_dead")


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """All cases, loaded together."""
    return load_cases(Clinic(tmp_path_factory.mktemp("degenerate")), *CASES)


def load_cases(clinic: Clinic, *cases: str) -> Snapshot:
    """The snapshot of some of the cases."""
    for case in cases:
        time, risk = PLACES[list(CASES).index(case)]
        for k, course in enumerate(CASES[case]):
            course.tell(clinic, f"{case}{k}", k, timing_recorded=time, risk_recorded=risk)
    return clinic.snapshot()[0]


def view(clinic: Snapshot, case: str, **options: str) -> View:
    """The survival page of one case."""
    time, risk = PLACES[list(CASES).index(case)]
    recorded = {"f.timing_recorded": TIMES[time], "f.strategic_group_recorded": RISKS[risk]}
    asked = {name: [value] for name, value in {**ANYBODY, **recorded, **options}.items()}
    decoded = decode("survival", asked, clinic.snapshot_id, clinic.study)
    assert decoded.problems == ()
    return decoded.view


def head(clinic: Snapshot, case: str, **options: str) -> Answer:
    """What the page says of a case."""
    return answer(clinic, view(clinic, case, **options))


def part(clinic: Snapshot, case: str, look: str, **options: str) -> Answer:
    """What a part of the page says of a case that has patients."""
    found = part_answer(clinic, view(clinic, case, look=look, **options))
    assert found is not None
    return found


# ---------------------------------------------------------------- every part of every case

# No number that is none, no minus before a zero, no name of a placeholder.
ODD = re.compile(r"\b(inf|nan|NaN|Infinity|None|null)\b|(?<![\w.])[-−]0(\.0+)?(?![.\d])|[{}]")
SPLITS = ("transplant", "mrd_after_blina1", "cd3_by_day_8")
# Every part with each of its options; a case takes every fourth, the next case the next ones.
ASKED = [
    *({"look": look} for look in ("endpoints", "components", "era", "bridge")),
    *({"look": "later", "split": split, "by": by} for split in SPLITS for by in LATER_BY),
    *({"look": "fair", "weights": weights} for weights in WEIGHTS),
    *({"look": "subgroups", "scale": scale} for scale in SCALES),
]
PACE = 4


def test_every_part_is_asked_for() -> None:
    assert {asked["look"] for asked in ASKED} == set(SURVIVAL_PARTS)


def _answers(clinic: Snapshot, case: str) -> Iterator[Answer]:
    """The head by every fourth endpoint, and the parts whose turn it is, each by the next one."""
    codes, turn = [e.code for e in clinic.study.endpoints], list(CASES).index(case)
    for code in codes[turn % PACE :: PACE]:
        yield head(clinic, case, endpoint=code)
    mine = ASKED[turn % PACE :: PACE] if CASES[case] else []
    for code, options in zip(islice(cycle(codes), turn, turn + len(mine)), mine, strict=True):
        yield part(clinic, case, **options, endpoint=code)


def _texts(found: Answer) -> Iterator[str]:
    """Everything that is read of an answer, on the page or in its files."""
    yield from (summary_markdown(found), *(note.text for note in found.notes))
    for figure in found.figures:
        yield from (figure.title, figure.legend, figure.alt_text)
    for table in found.tables:
        yield table.title
        yield from (cell for row in table.rows for cell in row if isinstance(cell, str))
    yield from (n.not_estimable_reason or "" for n in found.numbers)


def _is_whole(number: Number) -> bool:
    """Finite where there is a number, and a reason where there is none."""
    values = (number.estimate, number.lower, number.upper, number.p_value)
    is_told = number.estimate is not None or number.numerator is not None
    return all(isfinite(x) for x in values if x is not None) and (
        is_told or bool(number.not_estimable_reason)
    )


def _drawn(found: Answer) -> Iterator[str]:
    """The texts in the data of each chart; raises ValueError for a number that is none."""
    for figure in found.figures:
        spec = figure.spec
        json.dumps(spec, allow_nan=False)
        for rows in spec["datasets"].values():
            yield from (x for row in rows for x in row.values() if isinstance(x, str))


@pytest.mark.parametrize("case", CASES)
def test_every_part_says_a_sentence_with_no_odd_number(clinic: Snapshot, case: str) -> None:
    for found in _answers(clinic, case):
        assert found.headline
        assert [text for text in (*_texts(found), *_drawn(found)) if ODD.search(text)] == []
        assert [n for n in found.numbers if not _is_whole(n)] == []


# ---------------------------------------------------------------- what is said


def _notes(found: Answer) -> str:
    return " ".join(note.text for note in found.notes)


def _estimated(found: Answer) -> list[Number]:
    return [n for n in found.numbers if n.estimate is not None]


def test_nobody_is_a_sentence_and_no_part(clinic: Snapshot) -> None:
    found = head(clinic, "nobody", endpoint="os")
    assert found.headline.startswith("No patients match")
    assert found.figures == found.tables == ()
    assert part_answer(clinic, view(clinic, "nobody", look="fair")) is None


@pytest.mark.parametrize("endpoint", ["os_transplant", "cir"])
def test_patients_without_the_time_zero_are_not_called_no_patients(
    clinic: Snapshot, endpoint: str
) -> None:
    found = head(clinic, "never_in_remission", endpoint=endpoint)
    assert "Nobody of" in found.headline and "No patients match" not in found.headline
    assert found.figures == ()
    assert {n.unit for n in _estimated(found)} <= {"patients"}
    zero = "remission" if endpoint == "cir" else "transplant"
    assert f"10 of 10 in ALL-REZ 2014 never reached {zero}" in _notes(found)


@pytest.mark.parametrize("options", ASKED, ids=lambda asked: "-".join(asked.values()))
def test_one_child_who_came_to_everything_has_no_curve(
    clinic: Snapshot, options: dict[str, str]
) -> None:
    """Each part can be drawn, or has nothing to draw: fewer than ten have no curve."""
    found = part(clinic, "one_dead", endpoint="os", **options)
    assert found.headline
    assert [text for text in _drawn(found) if ODD.search(text)] == []
    if options["look"] in ("bridge", "later"):
        assert [f.code for f in found.figures if "states" not in f.code] == []


@pytest.mark.parametrize("case", FEWER_THAN_TEN)
@pytest.mark.parametrize("endpoint", ["os", "rfs", "to_transplant", "states"])
def test_one_child_has_no_percentage(clinic: Snapshot, case: str, endpoint: str) -> None:
    found = head(clinic, case, endpoint=endpoint)
    assert "%" not in found.headline and "fewer than 10 patients" in found.headline
    assert [n for n in _estimated(found) if n.unit in ("proportion", "ratio")] == []


def test_without_any_event_there_is_no_ratio_and_the_reason_is_said(clinic: Snapshot) -> None:
    found = head(clinic, "no_event", endpoint="os", time="1")
    assert "100.0 %" in found.headline and "0 events in 12" in found.headline
    assert "Hazard ratio not estimable: a cohort without events" in found.headline


def test_deaths_of_day_0_alone_have_no_hazard_ratio(clinic: Snapshot) -> None:
    reason = "every event was on day 0: a proportion, not a hazard"
    found = head(clinic, "dead_on_day_0", endpoint="os")
    assert f"Hazard ratio not estimable: {reason}" in found.headline
    assert "cannot be judged" not in _notes(found), "there is no ratio to be judged"
    for options in ({"look": "subgroups", "scale": "hazard_ratio"}, {"look": "fair"}):
        beneath = part(clinic, "dead_on_day_0", endpoint="os", **options)
        assert [n for n in _estimated(beneath) if "hazard_ratio" in (n.statistic or "")] == []
        assert [n for n in beneath.numbers if n.statistic == "interaction" and n.p_value] == []


def test_deaths_of_day_0_are_not_called_failures_of_response(clinic: Snapshot) -> None:
    told = _notes(part(clinic, "dead_on_day_0", "endpoints"))
    assert "OS: some events count on day 0." in told and "failures of response" not in told


def test_a_cohort_of_nine_has_no_interaction_test(clinic: Snapshot) -> None:
    found = part(clinic, "nine_and_twelve", "subgroups", endpoint="os", scale="hazard_ratio")
    tests = [n for n in found.numbers if n.statistic == "interaction"]
    assert tests and {n.not_estimable_reason for n in tests} == {"fewer than 10 patients"}
    assert "No interaction test is possible" in found.headline


def test_no_median_follow_up_is_a_whole_sentence(clinic: Snapshot) -> None:
    assert "no median follow-up (nobody was censored)" in head(clinic, "all_events").headline
    assert "no median follow-up (fewer than 10 patients)" in head(clinic, "one_living").headline


def test_one_year_is_no_span(clinic: Snapshot) -> None:
    assert "ALL-REZ 2014: 2016 (N = 12)" in part(clinic, "no_event", "era").headline


def test_events_after_the_shared_follow_up_do_not_contradict_the_reason(clinic: Snapshot) -> None:
    """The cohort has events, and none of them while both cohorts are followed."""
    found = head(clinic, "one_cohort_without_event", endpoint="os")
    ratio = next(n for n in found.numbers if n.statistic == "hazard_ratio")
    assert ratio.estimate is None
    assert str(ratio.not_estimable_reason).startswith("a cohort without events")


@pytest.mark.parametrize("look", ["", *SURVIVAL_PARTS])
def test_a_selection_of_one_child_shows_nothing_where_small_counts_are_withheld(
    clinic: Snapshot, look: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELAPSE_BOARD_DISCLOSURE", "k")
    asked = {"endpoint": "os", **({"look": look} if look else {})}
    shown = whole_answer(clinic, view(clinic, "one_dead", **asked))
    assert any(cohort.is_withheld for cohort in shown.cohorts)
    assert shown.figures == shown.tables == shown.numbers == ()
