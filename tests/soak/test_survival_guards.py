"""Does every guard of the survival page speak where its flaw is, and keep silent where it is not?

Files are written, loaded and asked as a department's are. Most guards count something: they speak
wherever it is there and nowhere else, with the numbers that a second reader counts from the demo's
own children. Others judge what varies by chance (hazards, follow-up, completeness): their false
alarms are counted here on few loads, and on thousands of trials in `test_false_alarms.py`.
"""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from scipy.stats import binom

from analysis.link import decode
from analysis.questions import whole_answer
from analysis.survival import survival_answer
from tests.soak.survival_reader import VIEWS, children_of, expected
from tests.soak.survival_worlds import PATIENTS, WORLDS, rows_of
from trial.words import TEXTS
from warehouse.query import Snapshot

pytestmark = pytest.mark.soak
CLEAN, PLANTED = 40, 10
OS, EFS = {"endpoint": "os"}, {"endpoint": "efs"}
LATE_OS, EARLY_OS = OS | {"time": "5"}, OS | {"time": "1", "tau": "1"}
FEW_CHILDREN = OS | {"f.strategic_group": "s4", "f.genetics": "unfavourable"}
FAVORABLE = OS | {"f.genetics": "favourable"}
# Cohorts that are named come without the default filter.
BOTH_LINES = OS | {"lines": "first_relapse,second_relapse", "cohorts": "allrez2014,allrez2016"}
FAIR = EFS | {"look": "fair"}

Params = dict[str, str]
Place = tuple[str, Params]


@dataclass(frozen=True)
class Guard:
    """A sentence (its code), a view in which its flaw is planted, and views without the flaw.

    `least`: the share of planted ones in which it has to speak. `most`: its probability to speak
    without its flaw; 0 for what is counted. `instead`: what else the page has to say then.
    """

    name: str
    code: str
    planted: Place
    clean: tuple[Place, ...] = (("demo", OS),)
    least: float = 1.0
    most: float = 0.0
    instead: tuple[str, ...] = ()


# Nothing tells the cohorts of the coin apart; the made ones have one hazard ratio, one follow-up.
ALIKE = (("coin", OS), ("coin", EFS), ("proportional", {}))
GUARDS = (
    Guard(
        "hazards not proportional",
        "survival.ph_fails",
        ("crossing", {}),
        ALIKE,
        least=0.8,
        most=0.07,
        instead=("survival.ratio_fails",),
    ),
    Guard("hazards: too few events", "survival.ph_unknown", ("demo", FAVORABLE), least=0.8),
    Guard("follow-up unequal", "survival.unequal", ("demo", OS), ALIKE, most=0.07),
    Guard(
        "no difference past shared time",
        "survival.beyond",
        ("demo", LATE_OS),
        least=0.5,
        instead=("survival.unequal",),
    ),
    Guard("follow-up immature", "survival.immature", ("demo", LATE_OS), (("demo", EARLY_OS),)),
    Guard(
        "completeness differs",
        "survival.incomplete",
        ("left", OS),
        (("coin", OS), ("demo", OS), ("demo", EFS)),
        most=0.01,
    ),
    Guard(
        "late registration",
        "survival.late",
        ("late referral", OS),
        instead=("survival.from_registration",),
    ),
    Guard(
        "fewer than 10 at risk",
        "survival.thin",
        ("demo", {**LATE_OS, "f.strategic_group": "s4"}),
        (("demo", EARLY_OS),),
        least=0.5,
    ),
    Guard("fewer than 10 events", "survival.few_events", ("demo", FEW_CHILDREN)),
    Guard(
        "no event in a cohort",
        "survival.few_events",
        ("no event", {}),
        (("proportional", {}),),
        instead=("value.not_estimable",),
    ),
    Guard("fewer than 10 children", "survival.few", ("demo", FEW_CHILDREN)),
    Guard(
        "shorter mean is shown",
        "survival.tau_changed",
        ("demo", FAVORABLE),
        (("demo", EARLY_OS),),
        least=0.5,
    ),
    Guard("events on day 0", "survival.at_origin", ("demo", EFS)),
    # Within one kind of line the first enrollment of a child counts alone: none is there twice.
    Guard("same child in two curves", "survival.shared_curves", ("same child", BOTH_LINES)),
    Guard(
        "same child on both protocols",
        "survival.both",
        ("same child", OS),
        (("proportional", {}),),
    ),
    Guard("several kinds of line", "group.several_lines", ("demo", BOTH_LINES)),
    Guard("not randomized", "survival.not_randomised", ("demo", OS), (("demo", BOTH_LINES),)),
    Guard(
        "Kaplan-Meier of relapse",
        "incidence.naive",
        ("demo", {"endpoint": "cir"}),
        (("demo", {"endpoint": "rfs"}),),
    ),
    Guard(
        "filter by what comes later",
        "frame.late",
        ("demo", {"f.transplanted": "yes"}),
        (("demo", {"f.sex": "female"}),),
    ),
    Guard("rows quarantined", "survival.quarantined", ("defects", OS)),
    Guard("left out, in doubt", "survival.left_out_doubt", ("defects", OS), least=0.5),
    Guard(
        "too few to adjust",
        "fair.headline_refused",
        ("demo", FEW_CHILDREN | FAIR),
        (("demo", FAIR),),
    ),
    Guard("level of one cohort", "fair.one_sided", ("level alone", FAIR), (("demo", FAIR),)),
)
# Flaws that the head has no guard of its own for: what it says then is printed.
TOLD_ONLY = ("death lag", "transplant loss", "case mix")


def _pattern(code: str) -> re.Pattern[str]:
    """What a sentence looks like, whatever its parts are."""
    return re.compile(".*".join(map(re.escape, re.split(r"\{[^}]*\}", TEXTS[code]["en"]))))


def _said(snapshot: Snapshot, params: Params) -> str:
    """All that a view says: problems of the address, headline, notes."""
    named = {name: [value] for name, value in params.items()}
    decoded = decode("survival", named, snapshot.snapshot_id, snapshot.study)
    answer = (whole_answer if "look" in params else survival_answer)(snapshot, decoded.view)
    said = (*decoded.problems, answer.headline, *(note.text for note in answer.notes))
    return "\n".join(said)


@dataclass
class Heard:
    """What was heard on all loads.

    `spoke`: by guard and place how often it spoke, `asked`: of how many. `silent`: what else had to
    be said and was not. `wrong`: where the second reader counts otherwise, of `n_counted` sentences
    that had to be there or not. `untold`: guards that spoke of the flaws of TOLD_ONLY.
    """

    spoke: Counter = field(default_factory=Counter)
    asked: Counter = field(default_factory=Counter)
    silent: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    n_counted: int = 0
    told: dict[str, Counter] = field(default_factory=lambda: defaultdict(Counter))


def _places() -> dict[str, dict[str, Params]]:
    """By world every view that a guard is listened to in, by its address."""
    found: dict[str, dict[str, Params]] = {world: {} for world in WORLDS}
    for guard in GUARDS:
        for world, params in (guard.planted, *guard.clean):
            found[world][str(params)] = params
    for world in TOLD_ONLY:
        found[world][str(OS)] = OS
    return found


def _times(world: str) -> int:
    """How many loads of a world."""
    is_clean = any(place == world for guard in GUARDS for place, _ in guard.clean)
    return CLEAN if is_clean else PLANTED


def _listen(heard: Heard, world: str, seed: int, said: dict[str, str]) -> None:
    """Count who spoke in the views of one load."""
    for guard in GUARDS:
        for number, (place, params) in enumerate((guard.planted, *guard.clean)):
            if place != world:
                continue
            text, key = said[str(params)], (guard.name, number)
            spoke = bool(_pattern(guard.code).search(text))
            heard.asked[key] += 1
            heard.spoke[key] += spoke
            if number == 0 and spoke:
                lacks = [code for code in guard.instead if not _pattern(code).search(text)]
                heard.silent += [f"{guard.name}, seed {seed}: {code}" for code in lacks]
    if world in (*TOLD_ONLY, "demo"):
        for guard in GUARDS:
            heard.told[world][guard.name] += bool(_pattern(guard.code).search(said[str(OS)]))


def _count_again(heard: Heard, world: str, seed: int, snapshot: Snapshot) -> None:
    """The second reader's counts against the sentences."""
    flaw = "late_referral" if world == "late referral" else None
    children = children_of(PATIENTS, seed, flaw)
    for asked in VIEWS[:3] if flaw else VIEWS:
        text = _said(snapshot, asked.params)
        for code, parts in expected(children, asked).items():
            found = _pattern(code).search(text)
            missing = [part for part in parts if not found or part not in found[0]]
            heard.n_counted += 1
            if missing or bool(found) != bool(parts):
                told = found[0] if found else "nothing"
                heard.wrong.append(f"{world} {seed} {asked}: {code} says {told}, not {parts}")


def _same_child(heard: Heard, seed: int, folder: Path, said: str) -> None:
    """Named are as many children as any curve shares with another one, counted from the files.

    A curve has the first line of its kind of every child, by its day.
    """
    cases = {row["case_id"]: row for row in rows_of(folder / "export", "patients")}
    curves: dict[str, set[tuple[str, str]]] = defaultdict(set)
    seen: set[tuple[str, str]] = set()
    lines = rows_of(folder / "export", "lines")
    for row in sorted(lines, key=lambda row: row["start_date"].split(".")[::-1]):
        case, kind = cases[row["case_id"]], row["entry_reason"]
        if kind in ("first relapse", "second relapse") and (case["patient_id"], kind) not in seen:
            seen.add((case["patient_id"], kind))
            curves[case["patient_id"]].add((case["protocol"], kind))
    shared = Counter(curve for mine in curves.values() if len(mine) > 1 for curve in mine)
    most = max(shared.values())
    found = _pattern("survival.shared_curves").search(said)
    heard.n_counted += 1
    if not found or f" {most} child" not in found[0]:
        heard.wrong.append(f"same child {seed}: {most} share curves, said: {found and found[0]}")


@pytest.fixture(scope="module")
def heard() -> Heard:
    """Every world, loaded and listened to."""
    found = Heard()
    for world, views in _places().items():
        for seed in range(_times(world)):
            with TemporaryDirectory(prefix="guards-") as name:
                snapshot = WORLDS[world](Path(name), seed)
                said = {key: _said(snapshot, params) for key, params in views.items()}
                _listen(found, world, seed, said)
                if world in ("demo", "late referral"):
                    _count_again(found, world, seed, snapshot)
                if world == "same child":
                    _same_child(found, seed, Path(name), said[str(BOTH_LINES)])
                snapshot.connection.close()
    return found


def _of(heard: Heard, guard: Guard) -> tuple[str, int, int]:
    """A line of the table, and how often it spoke without its flaw, of how many."""
    told = f"{heard.spoke[guard.name, 0]}/{heard.asked[guard.name, 0]}"
    numbers = range(1, len(guard.clean) + 1)
    spoke = sum(heard.spoke[guard.name, k] for k in numbers)
    asked = sum(heard.asked[guard.name, k] for k in numbers)
    return f"{guard.name:40} {told:>8} {spoke:>5}/{asked}", spoke, asked


def test_every_guard_speaks_where_its_flaw_is(heard: Heard) -> None:
    print(f"\n{'guard':40} {'planted':>8} {'clean':>8}")
    print(*(_of(heard, guard)[0] for guard in GUARDS), sep="\n")
    deaf = [
        guard.name
        for guard in GUARDS
        if heard.spoke[guard.name, 0] < guard.least * heard.asked[guard.name, 0]
    ]
    print(f"soak: {len(GUARDS) - len(deaf)} of {len(GUARDS)} guards speak where their flaw is")
    assert deaf == []
    assert heard.silent == []


def test_no_guard_speaks_without_its_flaw(heard: Heard) -> None:
    """Of those that vary by chance no more than 999 in 1,000 times that many would."""
    false = {guard.name: _of(heard, guard)[1:] for guard in GUARDS}
    told = ", ".join(f"{name} {n}/{of}" for name, (n, of) in false.items() if n)
    print(
        f"\nsoak: guards that spoke without their flaw, of {CLEAN} loads or views: {told or None}"
    )
    loud = [g.name for g in GUARDS if false[g.name][0] > binom.ppf(0.999, false[g.name][1], g.most)]
    assert loud == []


def test_guards_say_the_numbers_that_a_second_reader_counts(heard: Heard) -> None:
    print(f"\nsoak: {heard.n_counted} sentences counted again, {len(heard.wrong)} otherwise")
    assert heard.wrong == []


def test_what_is_said_of_flaws_that_nothing_in_the_data_shows(heard: Heard) -> None:
    """Told, not judged: how often each guard speaks, with the flaw and on the plain demo."""
    for world in TOLD_ONLY:
        told = ", ".join(
            f"{name} {n}/{_times(world)} (plain {heard.told['demo'][name]}/{CLEAN})"
            for name, n in heard.told[world].items()
            if n or heard.told["demo"][name]
        )
        print(f"\nsoak: guards on a demo with {world}: {told}")
