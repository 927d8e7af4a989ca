"""Who counts in a proportion, where the others went, and what the page says if there is little."""

import pytest

from analysis.answer import Account, Answer
from analysis.groups import Group
from analysis.link import View, decode, response_parts
from analysis.measures import MRD, RESPONSE, Counted, Kind, Rule
from analysis.questions import part_answer, whole_answer
from tests.conftest import Loaded
from tests.spec.clinic import Clinic, on
from tests.spec.tables import rows
from warehouse.query import Snapshot

GROUP = Group("a", "A", "a", "first_relapse", 0, True)
RULES = {
    f"{denominator}{suffix}": Rule(denominator, missing)
    for denominator in ("enrolled", "started", "sampled", "evaluable")
    for suffix, missing in (("", "not_negative"), ("*", "left_out"))
}

# y: in the denominator. A star: who is not known is left out. Who died before the sample, or never
# came to the time point, is known not to have responded.
MRD_RULES = """
class         | reached | enrolled | enrolled* | started | started* | sampled | sampled* | evaluable | evaluable*
negative      | yes     | y        | y         | y       | y        | y       | y        | y         | y
positive      | yes     | y        | y         | y       | y        | y       | y        | y         | y
indeterminate | yes     | y        | -         | y       | -        | y       | -        | -         | -
not_evaluable | yes     | y        | -         | y       | -        | y       | -        | -         | -
not_sampled   | yes     | y        | -         | y       | -        | -       | -        | -         | -
too_early     | yes     | y        | -         | y       | -        | -       | -        | -         | -
in_doubt      | yes     | y        | -         | y       | -        | -       | -        | -         | -
in_doubt      | no      | y        | -         | -       | -        | -       | -        | -         | -
died          | yes     | y        | y         | y       | y        | -       | -        | -         | -
not_reached   | no      | y        | y         | -       | -        | -       | -        | -         | -
"""  # noqa: E501
RESPONSE_RULES = """
class           | reached | enrolled | enrolled* | started | started* | sampled | sampled* | evaluable | evaluable*
remission       | yes     | y        | y         | y       | y        | y       | y        | y         | y
remission       | no      | y        | y         | -       | -        | y       | y        | y         | y
other_remission | yes     | y        | y         | y       | y        | y       | y        | y         | y
non_response    | yes     | y        | y         | y       | y        | y       | y        | y         | y
early_death     | yes     | y        | y         | y       | y        | -       | -        | y         | y
early_death     | no      | y        | y         | -       | -        | -       | -        | y         | y
not_evaluable   | yes     | y        | -         | y       | -        | -       | -        | -         | -
in_doubt        | yes     | y        | -         | y       | -        | -       | -        | -         | -
"""  # noqa: E501


@pytest.mark.parametrize(("kind", "table"), [(MRD, MRD_RULES), (RESPONSE, RESPONSE_RULES)])
def test_who_is_in_the_denominator_by_class_and_rule(kind: Kind, table: str) -> None:
    told = rows(table)
    assert {row["class"] for row in told} == set(kind.classes)
    for row in told:
        found = {
            name: "y" if rule.counts(kind, row["class"], row["reached"] == "yes") else "-"
            for name, rule in RULES.items()
        }
        assert {"class": row["class"], "reached": row["reached"], **found} == row


# 26 children: 6 negative, 4 positive, 3 indeterminate, 1 failed, 2 not sampled, 1 too early, 2 in
# doubt (one of them had not come so far), 2 died before, 5 never came so far.
WARD = Counted(
    GROUP,
    MRD,
    {
        ("not_reached", False): 5, ("died", True): 2,
        ("negative", True): 6, ("positive", True): 4, ("indeterminate", True): 3,
        ("not_evaluable", True): 1, ("not_sampled", True): 2, ("too_early", True): 1,
        ("in_doubt", True): 1, ("in_doubt", False): 1,
    },
)  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "of", "left_out"),
    [
        ("enrolled", 26, {}),
        (
            "enrolled*",
            17,
            {
                "indeterminate": 3, "not_evaluable": 1, "not_sampled": 2, "too_early": 1,
                "in_doubt": 2,
            },
        ),
        ("started", 20, {"in_doubt": 1, "not_reached": 5}),
        (
            "started*",
            12,
            {
                "indeterminate": 3, "not_evaluable": 1, "not_sampled": 2, "too_early": 1,
                "in_doubt": 2, "not_reached": 5,
            },
        ),
        (
            "sampled",
            14,
            {"not_sampled": 2, "too_early": 1, "in_doubt": 2, "died": 2, "not_reached": 5},
        ),
        (
            "sampled*",
            10,
            {
                "indeterminate": 3, "not_evaluable": 1, "not_sampled": 2, "too_early": 1,
                "in_doubt": 2, "died": 2, "not_reached": 5,
            },
        ),
        (
            "evaluable",
            10,
            {
                "indeterminate": 3, "not_evaluable": 1, "not_sampled": 2, "too_early": 1,
                "in_doubt": 2, "died": 2, "not_reached": 5,
            },
        ),
    ],
)  # fmt: skip
def test_a_proportion_and_who_is_left_out_of_it_add_to_everybody(
    rule: str, of: int, left_out: dict[str, int]
) -> None:
    found = WARD.share(RULES[rule])
    assert (found.numerator, found.denominator, found.left_out) == (6, of, 26 - of)
    assert list(WARD.left_out(RULES[rule]).items()) == list(left_out.items()), "in their order"
    assert sum(left_out.values()) == found.left_out
    assert sum(WARD.counts.values()) == WARD.n == 26


def test_a_rule_has_a_name_of_its_own_unless_nobody_is_left_to_leave_out() -> None:
    assert {name: rule.code for name, rule in RULES.items()} == {
        "enrolled": "enrolled", "enrolled*": "enrolled_without_missing",
        "started": "started", "started*": "started_without_missing",
        "sampled": "sampled", "sampled*": "sampled_without_missing",
        "evaluable": "evaluable", "evaluable*": "evaluable",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "rule", "reason"),
    [
        ({}, "enrolled", "no patients"),
        ({("not_reached", False): 3}, "enrolled", "nobody reached it"),
        ({("not_reached", False): 3}, "evaluable", "nobody reached it"),
        ({("not_sampled", True): 3}, "enrolled", "nobody sampled"),
        ({("not_sampled", True): 3}, "enrolled*", "nobody sampled"),
        ({("not_sampled", True): 3}, "sampled", "nobody sampled"),
        ({("not_sampled", True): 3}, "evaluable", "nobody sampled"),
        ({("not_reached", False): 3, ("in_doubt", False): 1}, "started", "nobody reached it"),
        ({("not_reached", False): 3, ("in_doubt", False): 1}, "enrolled", "nobody reached it"),
        ({("died", True): 2, ("not_sampled", True): 1}, "enrolled", ""),
        ({("indeterminate", True): 3}, "evaluable", "known in nobody"),
        ({("indeterminate", True): 3}, "sampled", "known in nobody"),
        ({("positive", True): 3}, "evaluable", ""),
    ],
)
def test_why_there_is_no_proportion_is_said(
    cells: dict[tuple[str, bool], int], rule: str, reason: str
) -> None:
    found = Counted(GROUP, MRD, cells).share(RULES[rule])
    assert (found.instead, found.numerator) == (reason, 0)
    assert (found.found.estimate is None) == (found.denominator < 10)


def test_an_account_that_does_not_add_up_is_refused() -> None:
    whole = Account("A", 10, 7, (("not sampled", 2), ("died", 1)))
    assert whole.told == "A: 7 of 10 enrolled are shown; left out: 2 not sampled, 1 died."
    for n_shown in (6, 8):
        with pytest.raises(ValueError, match=rf"A: {n_shown} shown, 3 left out, 10 enrolled"):
            Account("A", 10, n_shown, (("not sampled", 2), ("died", 1)))


def _ten_of(clinic: Clinic, protocol: str, genetics: str) -> None:
    """Ten children of one kind in a protocol."""
    for position in range(10):
        child = clinic.child(f"{genetics} {protocol} {position}", protocol, genetics=genetics)
        if genetics == "favourable":
            child.line(40).sample(40, "0.001", "%").course("BLINA", 100, 128).seen(500)
        elif genetics == "unfavourable":
            child.line().seen(500)
        else:
            child.line().sample(40, "5", "%").seen(500)


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Favourable: all respond; unfavourable: no samples; other: none respond; T: no course."""
    made = Clinic(tmp_path_factory.mktemp("degenerate"))
    for protocol in ("2014", "2016"):
        for genetics in ("favourable", "unfavourable", "other"):
            _ten_of(made, protocol, genetics)
        for position in range(3):
            child = made.child(f"T {protocol} {position}", protocol, immunophenotype="T")
            told = {"line_number": "1", "entry_reason": "first relapse", "start_date": on(0)}
            made.add("lines", case_id=child.case, **told)
            child.seen(500)
    return made.snapshot()[0]


def _view(snapshot: Snapshot, **options: str) -> View:
    cohorts = ",".join(c.code for c in snapshot.study.cohorts)
    params = {name: [told] for name, told in {"cohorts": cohorts, **options}.items()}
    decoded = decode("response", params, snapshot.snapshot_id, snapshot.study)
    assert decoded.problems == ()
    return decoded.view


def _answer(snapshot: Snapshot, **options: str) -> Answer:
    """The answer of the page and of its open part."""
    return whole_answer(snapshot, _view(snapshot, **options))


def _texts(found: Answer) -> str:
    cells = [str(cell) for table in found.tables for row in table.rows for cell in row]
    return "\n".join([found.headline, *(note.text for note in found.notes), *cells])


LITTLE: list[tuple[dict[str, str], str]] = [
    (
        {"cohorts": "allrez2014"},
        "Only ALL-REZ 2014 is shown: there is nothing to compare it with.",
    ),
    (
        {"f.genetics": "unfavourable"},
        "MRD below 0.01 % after induction (F1 and F2): nobody in this population was sampled "
        "there, so nothing is known of it.",
    ),
    ({"f.immunophenotype": "t"}, "ALL-REZ 2014 nobody reached it"),
    ({"f.genetics": "unfavourable", "timepoint": "after_blina1"}, "nobody reached it"),
    (
        {"f.genetics": "favourable"},
        "MRD below 0.01 % after induction (F1 and F2): everybody who is counted, in every group.",
    ),
    (
        {"f.genetics": "other"},
        "MRD below 0.01 % after induction (F1 and F2): nobody of those counted, in any group.",
    ),
    ({"f.genetics": "unfavourable", "denominator": "evaluable"}, "ALL-REZ 2014 nobody sampled"),
    (
        {"f.genetics": "unfavourable", "timepoint": "remission"},
        "Remission by day 60, by morphology: nobody in this population was sampled there",
    ),
    ({"f.genetics": "favourable", "f.immunophenotype": "t"}, "No patients match"),
    ({"lines": "refractory"}, "No patients match"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "sentence"), LITTLE)
def test_what_there_is_little_of_is_said_in_a_sentence(
    clinic: Snapshot, options: dict[str, str], sentence: str
) -> None:
    assert sentence in _texts(_answer(clinic, part="flow", **options))


@pytest.mark.parametrize(
    "options",
    [
        {"f.genetics": "favourable"},
        {"f.genetics": "unfavourable", "denominator": "sampled"},
        {"f.immunophenotype": "t", "effect": "odds_ratio", "cohorts": "allrez2016"},
    ],
)
def test_every_part_is_drawn_however_little_there_is(
    clinic: Snapshot, options: dict[str, str]
) -> None:
    for part in response_parts(clinic.study):
        found = part_answer(clinic, _view(clinic, part=part, **options))
        assert found and found.headline, part
        assert all(figure.spec for figure in found.figures), part


PARTS: list[tuple[dict[str, str], str]] = [
    (
        {"part": "courses", "f.genetics": "other"},
        "Nobody of this population had course 1 of blinatumomab.",
    ),
    (
        {"part": "courses", "f.genetics": "favourable", "course": "2"},
        "Nobody of this population had course 2 of blinatumomab.",
    ),
    (
        {"part": "courses", "f.genetics": "favourable", "missing": "left_out"},
        "first relapse: ALL-REZ 2014 known in nobody; ALL-REZ 2016 known in nobody.",
    ),
    (
        {"part": "lens", "cohorts": "allrez2016"},
        "One group, or groups that are not compared: the classes are shown, no difference.",
    ),
    (
        {"part": "lens", "f.immunophenotype": "t"},
        "under no combination of definition, denominator and missing rule do both groups have "
        "enough patients.",
    ),
    ({"part": "patients"}, "Single patients are shown to clinicians only."),
]


@pytest.mark.parametrize(("options", "sentence"), PARTS)
def test_a_part_of_the_page_says_why_it_has_little(
    clinic: Snapshot, options: dict[str, str], sentence: str
) -> None:
    assert sentence in _answer(clinic, **options).headline


def test_a_study_without_a_response_rule_says_so(loaded: Loaded) -> None:
    found = _answer(loaded.snapshots["colon"])
    assert found.headline == "This study declares no response rule: there is no response to show."
    assert found.figures == found.tables == found.numbers == ()


@pytest.mark.parametrize("part", ["lens", "flow", "subgroups"])
def test_a_study_without_mrd_has_every_part_that_remission_alone_makes(
    loaded: Loaded, part: str
) -> None:
    study = loaded.snapshots["myeloid"].study
    assert response_parts(study) == ("lens", "flow", "subgroups", "patients")
    found = _answer(loaded.snapshots["myeloid"], part=part)
    told = "This study measures no MRD: response is complete remission alone."
    assert told in [note.text for note in found.notes]
    assert any(figure.code.startswith(part) for figure in found.figures)
    assert not [n for n in found.numbers if (n.measure_code or "").startswith("mrd")]
