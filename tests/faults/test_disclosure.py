"""Policy k: no number of patients from 1 to 4, nor anything it can be computed from.

The naive reader of this test takes every text of an answer, with its files, and looks for small
counts by itself: n/N, whole numbers in cells, columns of tables that add up to a shown total.
"""

import csv
import functools
import io
import json
import re

import pytest
import vl_convert

from analysis.answer import Answer, Figure, Table
from analysis.disclosure import Gate, PolicyError, gate, is_clinician
from analysis.export import FIGURE_WIDTH, numbers_csv, summary_markdown
from analysis.filters import filter_bar
from analysis.link import TOXICITY_PARTS, decode
from analysis.link_survival import SURVIVAL_PARTS
from analysis.questions import whole_answer
from tests.conftest import Demo
from trial.words import say

K = 5
SMALL = range(1, K)
PAGES = ("overview", "response", "toxicity", "survival", "data")
EVERYBODY = {"cohorts": "allrez2014,allrez2016", "lines": "first_relapse"}
VIEWS = [
    {},
    {"f.risk_group": "high"},
    {"f.strategic_group": "s4"},
    {"cohorts": "allrez2016", "f.genetics": "unfavourable", "grade": "4", "block": "clo"},
    {"lines": "refractory", "endpoint": "os"},
    {"missing": "left_out", "endpoint": "cir", "block": "r1", "extra": "yes"},
    {"endpoint": "states", "block": "blina", "time": "1", "mrd": "0.001"},
]
# Several tests read the answer of one view; all of them under policy k.
ANSWERS: dict[str, Answer] = {}
FRACTION = re.compile(r"(?<![\w.,/])(\d+)/(\d+)(?![\w./])")
EVENTS = re.compile(r"\b(\d+) events? in (\d+)")
OF = re.compile(r"\b(\d+) of (\d+)\b")


@pytest.fixture(autouse=True)
def _policy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELAPSE_BOARD_DISCLOSURE", "k")


def _answer(demo: Demo, page: str, options: dict[str, str]) -> Answer:
    params = {name: [value] for name, value in {**EVERYBODY, **options}.items()}
    view = decode(page, params, demo.snapshot.snapshot_id, demo.snapshot.study).view
    if repr(view) not in ANSWERS:
        assert gate().k == K
        ANSWERS[repr(view)] = whole_answer(demo.snapshot, view)
    return ANSWERS[repr(view)]


def _drawn(figure: Figure) -> str:
    """Every text that a figure shows, on the page or as a file: the picture, title and legend."""
    picture = _svg(json.dumps({**figure.spec, "width": FIGURE_WIDTH}))
    return f"{figure.title} {picture} {figure.legend}"


@functools.cache
def _svg(spec: str) -> str:
    """A picture, drawn once: the head of a page is the same above each of its parts."""
    return vl_convert.vegalite_to_svg(json.loads(spec))


def _small_in(text: str) -> list[str]:
    """Small counts, and denominators that leave few, in a text."""
    found = []
    for pattern in (FRACTION, EVENTS, OF):
        for match in pattern.finditer(text):
            n, of = int(match[1]), int(match[2])
            if n in SMALL or of in SMALL or of - n in SMALL:
                found.append(match[0])
    return found


def _small_cells(table: Table) -> list[str]:
    """Whole numbers of patients, and the only withheld one of rows that add up."""
    found = []
    for row in table.rows:
        for value in row[table.n_labels :]:
            if isinstance(value, int) and value in SMALL:
                found.append(f"{table.code}: {row}")
            if isinstance(value, str):
                found += [f"{table.code}: {hit}" for hit in _small_in(value)]
    return found


def _small_numbers(found: Answer) -> list[str]:
    hits = []
    for row in csv.DictReader(io.StringIO(numbers_csv(found))):
        if row["unit"] == "rows":
            continue
        n, of = (int(row[c]) if row[c] else None for c in ("numerator", "denominator"))
        small = [x for x in (n, of) if x in SMALL]
        if n is not None and of is not None and (of - n) in SMALL:
            small.append(of - n)
        if small:
            hits.append(f"{row['statistic']} {row['level_code']} {n}/{of}")
    return hits


def _texts(found: Answer) -> list[str]:
    """Every sentence of an answer."""
    texts = [found.headline, *(n.text for n in found.notes), summary_markdown(found)]
    texts += [t for f in found.figures for t in (f.legend, f.alt_text)]
    return texts + [t for card in found.cards for t in (card.value, *card.small)]


@pytest.mark.parametrize("part", ["lens", "courses", "flow", "subgroups", "patients"])
@pytest.mark.parametrize("options", VIEWS, ids=lambda v: "&".join(v) or "all")
def test_no_part_shows_a_small_count(demo: Demo, part: str, options: dict[str, str]) -> None:
    for point in ("remission", "after_induction"):
        found = _answer(demo, "response", {**options, "part": part, "timepoint": point})
        hits = [hit for text in _texts(found) for hit in _small_in(text)]
        hits += [hit for f in found.figures for hit in _small_in(_drawn(f))]
        hits += [hit for table in found.tables for hit in _small_cells(table)]
        assert hits + _small_numbers(found) == []


@pytest.mark.parametrize("part", [part for part in TOXICITY_PARTS if part != "list"])
@pytest.mark.parametrize("options", VIEWS[1:7:2], ids=lambda v: "&".join(v) or "all")
def test_no_part_of_toxicity_shows_a_small_count(
    demo: Demo, part: str, options: dict[str, str]
) -> None:
    found = _answer(demo, "toxicity", {**options, "more": part})
    hits = [hit for text in _texts(found) for hit in _small_in(text)]
    hits += [hit for f in found.figures for hit in _small_in(_drawn(f))]
    hits += [hit for table in found.tables for hit in _small_cells(table)]
    assert hits + _small_numbers(found) == []


@pytest.mark.parametrize("part", SURVIVAL_PARTS)
@pytest.mark.parametrize("options", VIEWS[:6:3], ids=lambda v: "&".join(v) or "all")
def test_no_part_of_survival_shows_a_small_count(
    demo: Demo, part: str, options: dict[str, str]
) -> None:
    found = _answer(demo, "survival", {**options, "look": part})
    hits = [hit for text in _texts(found) for hit in _small_in(text)]
    hits += [hit for f in found.figures for hit in _small_in(_drawn(f))]
    hits += [hit for table in found.tables for hit in _small_cells(table)]
    assert hits + _small_numbers(found) == []


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("options", VIEWS, ids=lambda v: "&".join(v) or "all")
def test_no_small_count_is_shown(demo: Demo, page: str, options: dict[str, str]) -> None:
    found = _answer(demo, page, options)
    texts = _texts(found)
    if options in VIEWS[:2]:
        texts += [_drawn(f) for f in found.figures]
    hits = [hit for text in texts for hit in _small_in(text)]
    if page != "data":
        hits += [hit for table in found.tables for hit in _small_cells(table)]
    hits += _small_numbers(found)
    assert hits == []


def test_withheld_is_said_and_never_zero(demo: Demo) -> None:
    found = _answer(demo, "toxicity", {})
    cells = [cell for row in found.table("items").rows for cell in row]
    assert say("disclosure.short") in cells
    withheld = [n for n in found.numbers if n.not_estimable_reason == say("disclosure.reason")]
    assert withheld
    assert all(n.estimate is None and n.numerator is None for n in withheld)


def test_partitions_fall_together(demo: Demo) -> None:
    """Where one level of a characteristic is small, none of its levels is shown."""
    table = _answer(demo, "overview", {"f.risk_group": "high"}).table("baseline")
    hidden: dict[str, set[bool]] = {}
    for row in table.rows:
        hidden.setdefault(row[0], set()).add(say("disclosure.short") in row)
    assert {frozenset(v) for v in hidden.values()} == {frozenset({True}), frozenset({False})}


def test_a_category_tells_nothing_beside_its_terms(demo: Demo) -> None:
    """Category less term: those who had the category without that term."""
    for options in VIEWS:
        found = _answer(demo, "toxicity", options)
        shown: dict[tuple, int] = {}
        for n in found.numbers:
            if n.statistic == "proportion" and n.numerator is not None:
                shown[n.cohort, n.block_code, n.item_code] = n.numerator
        for term in demo.snapshot.study.toxicity.terms:
            for (cohort, block, item), n in shown.items():
                other = shown.get((cohort, block, term.code))
                if item == term.category_code and other:
                    assert n - other not in SMALL, (cohort, block, item, term.code)


def test_a_figure_draws_nothing_that_its_numbers_withhold(demo: Demo) -> None:
    """Else a category of the picture less a term of it would tell what the table does not."""
    views = [("toxicity", VIEWS[0]), ("toxicity", VIEWS[1])]
    views += [("response", {**v, "part": part}) for v in VIEWS for part in ("courses", "subgroups")]
    for page, options in views:
        found = _answer(demo, page, options)
        known = {(n.numerator, n.denominator) for n in found.numbers}
        for figure in found.figures:
            drawn = {(int(m[1]), int(m[2])) for m in FRACTION.finditer(_drawn(figure))}
            assert drawn - known == set(), (page, options, figure.code)


@pytest.mark.parametrize("options", VIEWS, ids=lambda v: "&".join(v) or "all")
def test_a_big_number_is_withheld_where_its_share_is_and_only_there(
    demo: Demo, options: dict[str, str]
) -> None:
    """A small class beside it takes the class away, not the proportion of everybody."""
    found = _answer(demo, "response", options)
    withheld = say("disclosure.short")
    for card in found.cards:
        cells = [row for row in found.table("shares").rows if row[0] == card.title]
        is_hidden = withheld in cells[0]
        assert (card.value == withheld) == is_hidden, (card, cells)
        if is_hidden:
            assert found.headline.startswith(say("disclosure.headline"))


def test_the_filter_bar_tells_no_small_count(demo: Demo) -> None:
    params = {name: [value] for name, value in {**EVERYBODY, "f.strategic_group": "s3"}.items()}
    view = decode("overview", params, demo.snapshot.snapshot_id, demo.snapshot.study).view
    groups = filter_bar(demo.snapshot, view)
    shown = [level for group in groups for level in group.levels if level.n_all is not None]
    assert shown and any(level.n_all is None for group in groups for level in group.levels)
    for level in shown:
        assert level.n_population not in SMALL and level.n_all not in SMALL


def test_a_selection_that_leaves_few_in_or_out_shows_nothing(demo: Demo) -> None:
    study = demo.snapshot.study
    everybody = _answer(demo, "survival", {})
    assert everybody.tables
    for x in study.characteristics:
        for level in (*x.level_codes,):
            if x.known_at != "enrollment":
                continue
            found = _answer(demo, "survival", {f"f.{x.code}": level})
            for c in found.cohorts:
                assert c.is_withheld or c.n_population not in SMALL
            if any(c.is_withheld for c in found.cohorts):
                assert found.tables == found.figures == found.numbers == ()


@pytest.mark.parametrize(
    ("value", "k"), [("exact", None), ("k", 5), ("k2", 2), ("k10", 10), ("k11", 11)]
)
def test_policies(monkeypatch: pytest.MonkeyPatch, value: str, k: int | None) -> None:
    monkeypatch.setenv("RELAPSE_BOARD_DISCLOSURE", value)
    assert gate() == Gate(k)


def test_a_clinician_with_withheld_cells_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELAPSE_BOARD_ACCESS", "clinician")
    with pytest.raises(PolicyError, match="Choose one"):
        is_clinician()
    monkeypatch.setenv("RELAPSE_BOARD_DISCLOSURE", "exact")
    assert is_clinician()
    monkeypatch.setenv("RELAPSE_BOARD_ACCESS", "owner")
    with pytest.raises(PolicyError, match="not a role"):
        is_clinician()
