"""Deaths, infections, the list of events and who left before a block, recounted child by child."""

import random
from collections import Counter, defaultdict
from dataclasses import dataclass, replace

import pytest

from analysis.answer import Answer, Number
from analysis.compose import page
from analysis.link import View
from analysis.toxicity_deaths import CLASSES, DEAD, MATCHES, deaths_answer
from analysis.toxicity_infections import DIMENSIONS, infections_answer
from analysis.toxicity_list import list_answer
from tests.property.test_response_properties import check_accounts, made
from tests.property.test_toxicity_page_properties import (
    Line,
    Raw,
    documented,
    items_of_event,
    population,
    random_view,
    raw,
    rows,
)
from trial.study import Study
from warehouse.query import Snapshot

VIEWS = 12
SEEDS = (4, 5)
OF_CLASS = ("remission", "relapse", "death", "second_malignancy")
COLUMNS = {
    "site": "infection_site_code",
    "pathogen": "pathogen_code",
    "documentation": "documentation_code",
    "outcome": "outcome_code",
    "term": "term_code",
}


@dataclass(frozen=True)
class Told:
    """The rows of an export as they were loaded, with the days of milestones and the doubts."""

    raw: Raw
    days: dict[int, dict[str, list[int]]]
    causes: dict[int, str | None]
    doubts: dict[int, set[str]]
    lines: dict[Line, dict]

    def day(self, key: int, code: str) -> int | None:
        """The first day of a milestone."""
        return min(self.days[key][code], default=None)


def read(snapshot: Snapshot) -> Told:
    days: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    causes, doubts = {}, defaultdict(set)
    for row in rows(snapshot, "select * from fct_milestone"):
        days[row["enrollment_key"]][row["milestone_code"]].append(row["day"])
        if row["milestone_code"] == "death":
            causes[row["enrollment_key"]] = row["detail_code"]
    for row in rows(snapshot, "select * from fct_doubt"):
        doubts[row["enrollment_key"]].add(row["milestone_code"])
    found = raw(snapshot)
    lines = {(x["enrollment_key"], x["line_number"]): x for x in found.lines}
    return Told(found, days, causes, doubts, lines)


@pytest.fixture(scope="module", params=SEEDS)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple:
    folder = tmp_path_factory.mktemp("random")
    snapshot, enrolled, seed = made(folder, request.param, defects=request.param % 2 == 0)
    return snapshot, enrolled, seed, read(snapshot), folder / "store"


# ---------------------------------------------------------------- the models, row by row


def death_class(told: Told, study: Study, line: Line) -> str:
    """The class of a death, or alive, or in doubt: by the words of the page's caption."""
    key, doubts = line[0], told.doubts[line[0]]
    day = told.day(key, "death")
    if day is None:
        return "in_doubt" if "death" in doubts else "alive"
    if [d for d in told.days[key]["second_malignancy"] if d <= day]:
        return "after_second_malignancy"
    if doubts & set(OF_CLASS):
        return "unknown"
    mine, rule = told.lines[line], study.response
    assert rule
    remissions = [d for d in told.days[key]["remission"] if d < day]
    is_judged = mine["entry_reason"] in rule.line_codes
    is_by_landmark = day - mine["start_day"] < rule.landmark_day
    if is_judged and is_by_landmark and max(remissions, default=-1) < mine["start_day"]:
        return "early"
    relapses = [d for d in told.days[key]["relapse"] if d <= day]
    if told.causes[key] == "leukaemia":
        return "with_disease"
    if not remissions or (relapses and max(relapses) >= max(remissions)):
        return "with_disease"
    if [d for d in told.days[key]["transplant"] if d <= day]:
        return "in_remission_after_transplant"
    return "unknown" if "transplant" in doubts else "in_remission"


def events_of(told: Told, key: int) -> list[dict]:
    inside = [e for line, found in told.raw.events.items() if line[0] == key for e in found]
    return inside + [e for e in told.raw.outside if e["enrollment_key"] == key]


def is_fatal(event: dict) -> bool:
    return event["grade_low"] == 5 or event["outcome_code"] == "fatal"


def death_match(told: Told, line: Line) -> str | None:
    """What death and fatal events say of each other; None: neither happened."""
    key, doubts = line[0], told.doubts[line[0]]
    has_died = told.day(key, "death") is not None
    has_event = any(map(is_fatal, events_of(told, key)))
    cause = told.causes.get(key)
    if not has_died:
        if not has_event:
            return None
        return "death_in_quarantine" if "death" in doubts else "no_death"
    if cause in ("infection", "toxicity"):
        if has_event:
            return "matched"
        return "event_in_quarantine" if "fct_adverse_event" in doubts else "no_fatal_event"
    if has_event:
        return "other_cause" if cause else "no_cause"
    return "not_toxic" if cause else "not_toxic_no_cause"


def death_block(told: Told, line: Line) -> str | None:
    key, day = line[0], told.day(line[0], "death")
    if day is None:
        return None
    given = [c for x, courses in told.raw.courses.items() if x[0] == key for c in courses]
    holding = [c for c in given if c["start_day"] <= day <= c["until_day"]]
    if holding:
        last = max(holding, key=lambda c: (c["start_day"], c["line_number"], c["course_number"]))
        return last["block_code"]
    return "in_doubt" if "fct_course" in told.doubts[key] else "outside"


def came_instead(told: Told, study: Study, line: Line, block: str) -> str:
    """Of who did not start a block: what came before it, whichever was first."""
    key, mine = line[0], told.lines[line]
    if "fct_course" in told.doubts[key]:
        return "in_doubt"
    order = [b.code for b in study.blocks]
    if any(order.index(c["block_code"]) > order.index(block) for c in told.raw.courses[line]):
        return "later_block"
    if told.doubts[key] & {"relapse", "death"}:
        return "in_doubt"
    later = [x for (k, n), x in told.lines.items() if k == key and n > line[1]]
    relapses = [d for d in told.days[key]["relapse"] if d > mine["start_day"]]
    came = [(d, 0, "relapsed") for d in relapses]
    came += [(x["start_day"], 1, "next_line") for x in later]
    came += [(d, 2, "died") for d in told.days[key]["death"]]
    return min(came)[2] if came else "ongoing"


def test_every_row_of_the_models_is_what_its_words_say(exported: tuple) -> None:
    snapshot, _, _, told, _ = exported
    study = snapshot.study
    found = {
        (r["enrollment_key"], r["line_number"]): r
        for r in rows(snapshot, "select * from fct_death")
    }
    for line in told.lines:
        kind = death_class(told, study, line)
        match = death_match(told, line)
        assert (line in found) == (kind not in ("alive", "in_doubt") or match is not None)
        if line not in found:
            continue
        row = found[line]
        assert row["class_code"] == (kind if kind in DEAD else "no_death"), line
        block = death_block(told, line)
        assert row["block_code"] == (None if block in ("outside", "in_doubt") else block)
        assert (row["day"], row["cause_code"]) == (
            told.day(line[0], "death"),
            told.causes.get(line[0]),
        )
    left = rows(snapshot, "select * from fct_block_left")
    assert len(left) == len(told.lines) * len(study.blocks)
    for row in left:
        line, block = (row["enrollment_key"], row["line_number"]), row["block_code"]
        started = documented(told.raw, line, block)
        words = {True: "documented", False: "undocumented"}
        wanted = came_instead(told, study, line, block) if started is None else words[started]
        assert row["class_code"] == wanted, (line, block)


# ---------------------------------------------------------------- the answers


def by_code(numbers: tuple[Number, ...], statistic: str, cohort: str) -> Counter:
    """Numerators of a statistic and a group, by item and level."""
    mine = [n for n in numbers if n.statistic == statistic and n.cohort == cohort]
    keys = [(n.item_code, n.level_code) for n in mine]
    assert len(set(keys)) == len(keys)
    for n in mine:
        assert 0 <= (n.numerator or 0) <= (n.denominator or 0)
    return Counter({key: n.numerator or 0 for key, n in zip(keys, mine, strict=True)})


def check_deaths(found: Answer, told: Told, study: Study, groups: dict[str, list[Line]]) -> None:
    for cohort, lines in groups.items():
        classes = by_code(found.numbers, "death_class_count", cohort)
        assert classes == Counter((None, death_class(told, study, x)) for x in lines)
        assert sum(classes.values()) == len(lines)
        shares = by_code(found.numbers, "death_class_proportion", cohort)
        assert shares == classes and {level for _, level in shares} == set(CLASSES)
        dead = [x for x in lines if death_class(told, study, x) in DEAD]
        causes = by_code(found.numbers, "death_cause_count", cohort)
        assert causes == Counter(
            (death_class(told, study, x), told.causes[x[0]] or "not_recorded") for x in dead
        )
        blocks = by_code(found.numbers, "death_block_count", cohort)
        assert blocks == Counter((None, death_block(told, x)) for x in dead)
        matches = by_code(found.numbers, "death_match_count", cohort)
        known = (death_match(told, x) for x in lines)
        assert matches == Counter((None, m) for m in known if m is not None)
        assert {level for _, level in matches} == set(MATCHES)


def infections_in(told: Told, study: Study, view: View, line: Line) -> list[dict]:
    terms = {t.code for t in study.toxicity.terms if t.category_code == "infection"}
    return [
        e
        for e in told.raw.events[line]
        if e["block_code"] == view.block and e["term_code"] in terms
        if e["grade_low"] >= view.grade
    ]


def check_infections(
    found: Answer, told: Told, study: Study, view: View, groups: dict[str, list[Line]]
) -> int:
    checked = 0
    for n in found.numbers:
        if n.comparator or n.statistic not in ("infection_proportion", "infection_count"):
            continue
        dimension, level, lines = n.item_code or "", n.level_code, groups[n.cohort or ""]
        inside = [x for x in lines if documented(told.raw, x, view.block)]
        events = {x: infections_in(told, study, view, x) for x in inside}
        if dimension != "any":
            column = COLUMNS[dimension]
            events = {
                x: [e for e in of if (e[column] or "not_recorded") == level]
                for x, of in events.items()
            }
        if n.statistic == "infection_count":
            assert n.estimate == sum(map(len, events.values())), (n.cohort, dimension, level)
        else:
            with_it = sum(map(bool, events.values()))
            assert (n.numerator, n.denominator) == (with_it, len(inside)), (dimension, level)
        checked += 1
    return checked


def check_levels_cover(found: Answer) -> None:
    """Events of all levels of a dimension are all events; 'not recorded' is one of the levels."""
    counts = [n for n in found.numbers if n.statistic == "infection_count"]
    for cohort in {n.cohort for n in counts}:
        mine = [n for n in counts if n.cohort == cohort]
        (every,) = (n.estimate for n in mine if n.item_code == "any")
        for dimension in DIMENSIONS:
            levels = {n.level_code: n.estimate or 0 for n in mine if n.item_code == dimension}
            assert sum(levels.values()) == every
            assert ("not_recorded" in levels) == (dimension != "term")


def test_deaths_and_infections_count_every_child_once_a_cell(exported: tuple) -> None:
    snapshot, enrolled, seed, told, _ = exported
    chance, checked, study = random.Random(seed), 0, snapshot.study
    for _ in range(VIEWS):
        view = replace(random_view(chance, snapshot.snapshot_id, study), more="deaths")
        on = page("toxicity", snapshot, view)
        groups = {code: [] for code in on.sizes} | population(told.raw, study, view)
        dead, infected = deaths_answer(on), infections_answer(on)
        check_deaths(dead, told, study, groups)
        checked += check_infections(infected, told, study, view, groups)
        check_levels_cover(infected)
        for found in (dead, infected):
            check_accounts(found, study, enrolled)
    assert checked > 100


def test_the_list_is_every_event_and_every_child_behind_a_cell(
    exported: tuple, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot, _, seed, told, store = exported
    monkeypatch.setenv("RELAPSE_BOARD_STORE", str(store))
    monkeypatch.setenv("RELAPSE_BOARD_ACCESS", "clinician")
    chance, study, n_listed = random.Random(seed), snapshot.study, 0
    for _ in range(VIEWS):
        view = random_view(chance, snapshot.snapshot_id, study)
        term = chance.choice(study.toxicity.terms)
        item = chance.choice(
            ["any", "any", "fatal", f"category/{term.category_code}", f"term/{term.code}"]
        )
        view = replace(view, item=item)
        found = list_answer(page("toxicity", snapshot, view))
        lines = [x for of in population(told.raw, study, view).values() for x in of]
        n_listed += check_list(found, told, study, view, lines)
    assert n_listed > 20


def check_list(found: Answer, told: Told, study: Study, view: View, lines: list[Line]) -> int:
    code, is_of_fatal = view.item.rpartition("/")[2], view.item == "fatal"

    def is_asked(event: dict) -> bool:
        # Any event is called 'all' where all categories are shown.
        asked = {"any", "all"} if code == "any" else {code}
        if not asked & items_of_event(event, study, view.extra or view.item not in ("any",)):
            return False
        return is_of_fatal or event["grade_high"] >= view.grade

    events = [
        (x, e)
        for x in lines
        for e in told.raw.events[x]
        if e["block_code"] == view.block and is_asked(e)
    ]
    tables = {t.code: t.rows for t in found.tables}
    assert len(tables.get("events", ())) == len(events)
    certain = {
        x
        for x, e in events
        if documented(told.raw, x, view.block) and (is_of_fatal or e["grade_low"] >= view.grade)
    }
    counts = tables["events_counts"]
    assert sum(row[1] for row in counts) == len(certain)
    assert all(sum(row[1:5]) == row[5] for row in counts)
    keys = {x[0] for x in lines}
    outside = [e for e in told.raw.outside if e["enrollment_key"] in keys and is_asked(e)]
    assert len(tables.get("events_outside", ())) == len(outside)
    silent = [x for x in lines if documented(told.raw, x, view.block) is False]
    assert sum(row[4] for row in counts) == len(silent)
    reasons = [row[3] for row in tables.get("events_undocumented", ())]
    assert all(reasons) and sum("might have been" not in r for r in reasons) == len(silent)
    return len(events)
