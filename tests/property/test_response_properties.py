"""Nobody is lost on the response page: over random exports, filters and rules it all adds up."""

import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from analysis.answer import Answer, Number
from analysis.compose import page
from analysis.link import (
    COURSES,
    DENOMINATORS,
    EFFECTS,
    MISSING_RULES,
    View,
    default_view,
    known_late,
    response_parts,
    response_points,
    thresholds,
)
from analysis.measures import MRD, RESPONSE
from analysis.questions import answer, part_answer
from etl.demo import write_demo
from etl.load import load
from etl.mapping_file import read_mapping
from trial.selection import selection
from trial.study import ENROLLMENT, Study
from warehouse.query import Snapshot, open_snapshot

VIEWS = 15
# Classes of whom it is not known whether they responded, or who never came to the time point.
UNKNOWN = {*MRD.missing, *RESPONSE.missing, "not_reached"}
SEEDS = (1, 2, 3)


@pytest.fixture(scope="module", params=SEEDS)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple:
    """A random export, every second one full of defects."""
    seed = request.param
    return made(tmp_path_factory.mktemp("random"), seed, defects=seed % 2 == 0)


Exported = tuple[Snapshot, dict[tuple[str, str], int], int]


def made(folder: Path, seed: int, defects: bool) -> Exported:
    """A random export of children, loaded; how many it enrolls; its seed."""
    demo = write_demo(folder / "demo", patients=300 if defects else 40, seed=seed, defects=defects)
    store = folder / "store"
    loaded = load(demo.folder, read_mapping("allrez"), store).snapshot_id
    enrolled = lines_in(store / "snapshots" / loaded / "results.duckdb")
    return open_snapshot(store, loaded), enrolled, seed


def random_view(random: random.Random, data: str, study: Study) -> View:
    """A view of the response page with random filters and rules."""
    levels = {}
    for x in study.characteristics:
        if not known_late(x, ENROLLMENT) and random.random() < 0.12:
            levels[x.code] = random.sample(x.level_codes, random.randint(1, len(x.level_codes)))
    cohorts = [c.code for c in study.cohorts]
    lines = [line.code for line in study.lines]
    chosen = selection(
        study,
        random.sample(cohorts, random.randint(1, len(cohorts))),
        levels,
        ["first_relapse"] if random.random() < 0.7 else random.sample(lines, random.randint(1, 3)),
    )
    options = {
        "timepoint": random.choice(response_points(study)),
        "mrd": random.choice(thresholds(study)),
        "definition": random.choice(study.response.definitions).code if study.response else "",
        "denominator": random.choice(DENOMINATORS),
        "missing": random.choice(MISSING_RULES),
        "effect": random.choice(EFFECTS),
        "part": random.choice([p for p in response_parts(study) if p != "patients"]),
        "course": random.choice(COURSES[:3]),
    }
    view = default_view("response", data, study)
    return View(**{**vars(view), "selection": chosen, **options})


def lines_in(path: Path) -> dict[tuple[str, str], int]:
    """How many first lines of each kind each cohort enrolled: a plain count of the tables."""
    with duckdb.connect(str(path), read_only=True) as con:
        rows = con.execute(
            "select cohort_code, entry_reason, count(*) from dim_line"
            " join dim_enrollment using (enrollment_key) where is_primary group by all"
        ).fetchall()
    return {(cohort, kind): n for cohort, kind, n in rows}


def check_accounts(found: Answer, study: Study, enrolled: dict[tuple[str, str], int]) -> None:
    """Of every figure: shown and left out by reason are all that the cohort enrolled."""
    labels = {}
    for cohort in study.cohorts:
        for line in study.lines:
            n = enrolled.get((cohort.code, line.code), 0)
            labels[f"{cohort.label}, {line.label}"] = n
    for figure in found.figures:
        assert figure.accounts, figure.code
        for account in figure.accounts:
            left_out = sum(n for _, n in account.left_out)
            assert account.n_shown + left_out == account.n_enrolled
            assert min([account.n_shown, *(n for _, n in account.left_out)]) >= 0
            assert account.label in figure.legend
            names = {label: n for label, n in labels.items() if label.startswith(account.label)}
            assert account.n_enrolled in names.values(), (figure.code, account)


def by_group(numbers: tuple[Number, ...], statistic: str) -> Iterator[tuple[tuple, list[Number]]]:
    """The numbers of a statistic, together what is of one measure and group."""
    groups = defaultdict(list)
    for n in numbers:
        if n.statistic == statistic:
            of = (n.cohort, n.timepoint_code, n.measure_code, n.block_code, n.item_code)
            groups[of].append(n)
    yield from groups.items()


def check_numbers(found: Answer, sizes: dict[str, int]) -> None:
    """Classes are a division of everybody; nothing is above its whole."""
    for statistic in ("count", "flow_count"):
        for of, numbers in by_group(found.numbers, statistic):
            assert sum(n.numerator or 0 for n in numbers) == sizes[of[0]], of
    for of, numbers in by_group(found.numbers, "course_class_count"):
        assert sum(n.numerator or 0 for n in numbers) == numbers[0].denominator, of
    for n in found.numbers:
        if n.numerator is not None and n.denominator is not None:
            assert 0 <= n.numerator <= n.denominator, n
        if n.estimate is None:
            assert n.p_value is not None or n.not_estimable_reason, n


def check_unknown(found: Answer) -> None:
    """No proportion, and no difference, where nobody's response is known.

    Quarantined rows once turned a time point that nobody of a cohort came to into 0 %.
    """
    decided = defaultdict(int)
    for n in found.numbers:
        if n.statistic == "count" and n.level_code not in UNKNOWN:
            decided[n.cohort, n.timepoint_code, n.measure_code] += n.numerator or 0
    for n in found.numbers:
        if n.statistic in ("proportion", "proportion_difference"):
            for cohort in (n.cohort, n.comparator or n.cohort):
                if decided[cohort, n.timepoint_code, n.measure_code] == 0:
                    assert n.estimate is None, n


def check_view(snapshot: Snapshot, enrolled: dict[tuple[str, str], int], view: View) -> None:
    """Everything of one view."""
    head, part = answer(snapshot, view), part_answer(snapshot, view)
    sizes = {code: s.n_population for code, s in page("response", snapshot, view).sizes.items()}
    check_numbers(head, sizes)
    check_unknown(head)
    check_accounts(head, snapshot.study, enrolled)
    asked = [
        n.denominator
        for n in head.numbers
        if n.statistic == "proportion" and (n.timepoint_code or "remission") == view.timepoint
    ]
    for figure in head.figures:
        assert [account.n_shown for account in figure.accounts] == asked
    if part is not None:
        check_numbers(part, sizes)
        check_accounts(part, snapshot.study, enrolled)
        for figure in part.figures:
            assert figure.chart.to_dict()


def test_nobody_is_lost(exported: Exported) -> None:
    snapshot, enrolled, seed = exported
    chance = random.Random(seed)
    for _ in range(VIEWS):
        view = random_view(chance, snapshot.snapshot_id, snapshot.study)
        check_view(snapshot, enrolled, view)
