"""What a study can say about adverse events, and what is answered to a mistake in it."""

from pathlib import Path

import pytest

from trial.document import DocumentError, parse_document
from trial.study_file import parse_study

ALLREZ = (Path(__file__).parents[2] / "trial" / "studies" / "allrez.toml").read_text("utf-8")


def study(old: str = "", new: str = ""):
    assert old in ALLREZ
    return parse_study(parse_document("allrez.toml", ALLREZ.replace(old, new, 1)))


def test_a_study_says_what_stands_first_and_how_deaths_are_told_apart() -> None:
    toxicity = study().toxicity
    assert toxicity.pinned[0] == "category/infection" and toxicity.pinned[-1] == "fatal"
    assert toxicity.death is not None
    assert toxicity.death.toxic_causes == ("infection", "toxicity")
    assert [g.block_codes for g in toxicity.block_groups] == [
        ("f1", "f2", "r1", "r2"), ("flu", "clo"), ("blina",),
    ]  # fmt: skip


def test_two_versions_of_a_scale_are_one_family_and_others_their_own() -> None:
    families = {s.code: s.family for s in study().toxicity.scales}
    assert families["ctcae_403"] == families["ctcae_5"]
    assert families["lee_2014"] != families["astct_2019"]


def test_the_planned_time_to_the_next_block_is_the_blocks() -> None:
    found = study('code = "f1"\nlabel = "F1"', 'code = "f1"\nplanned_days = 21\nlabel = "F1"')
    assert (found.block("f1").planned_days, found.block("f2").planned_days) == (21, None)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            '"term/sepsis",',
            '"term/sepsys",',
            "is no item of this study. Did you mean 'term/sepsis'",
        ),
        ('"term/sepsis",', '"fatal",', "an item is pinned once"),
        ('infections = "infection"', 'infections = "sepsis"', "is not known as infections"),
        ('blocks = ["flu", "clo"]', 'blocks = ["flu", "f1"]', "a block belongs to one group"),
        ('blocks = ["flu", "clo"]', 'blocks = ["flo"]', "'flo' is no block"),
        ('["infection", "toxicity"]', '["infektion"]', "is no detail of 'death'"),
        ('malignancy = "second_', 'tumour = "second_', "'tumour' is not known here"),
    ],
)
def test_a_mistake_is_answered_with_its_line(old: str, new: str, told: str) -> None:
    with pytest.raises(DocumentError, match=r"line \d+") as caught:
        study(old, new)
    assert told in str(caught.value)
