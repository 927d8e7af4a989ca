"""Reading study definitions: one TOML file a study, checked against itself.

The text of the definition is stored in every snapshot, and pages read it from there, so that a
later edit of the file does not move an old link. What belongs to blocks, response and toxicity
is read by `trial/treatment_file.py`.
"""

import functools
from pathlib import Path
from typing import Any

from trial.document import Document, DocumentError, Table, parse_document, read_document, unique
from trial.response_file import Declared
from trial.study import (
    DERIVED_MILESTONES,
    ENROLLMENT,
    LANDMARK,
    MISSING,
    UNIT_DAYS,
    Characteristic,
    Cohort,
    DateBound,
    DeriveRule,
    Endpoint,
    EndpointEvent,
    Happened,
    Level,
    LineKind,
    Milestone,
    Study,
)
from trial.survival_file import Beside, survival
from trial.treatment_file import labelled, treatment

STUDIES = Path(__file__).parent / "studies"
MAX_COHORTS = 6
# Columns of dim_enrollment that every study has; a characteristic becomes a column beside them.
ENROLLMENT_COLUMNS = (
    "enrollment_key", "patient_key", "cohort_code", "enrollment_year", "entry_day",
    "patient_id", "enrollment_id", "origin_date", "entry_date",
)  # fmt: skip
LONGEST_DAYS = 100 * 365.25
ENDPOINT_KINDS = ["survival", "incidence", "states"]


def _cohorts(root: Table) -> tuple[Cohort, ...]:
    tables = root.tables("cohort", at_least=1)
    cohorts = tuple(
        Cohort(t.new_code(), t.filled("label"), t.flag("reference", False)) for t in tables
    )
    for table in tables:
        table.done()
    unique(tables, [cohort.code for cohort in cohorts], "cohort")
    unique(tables, [cohort.label for cohort in cohorts], "cohort label")
    if len(cohorts) > MAX_COHORTS:
        raise tables[MAX_COHORTS].error(None, f"more than {MAX_COHORTS} cohorts; merge some.")
    if sum(cohort.is_reference for cohort in cohorts) != 1:
        raise tables[0].error(None, "exactly one [[cohort]] needs 'reference = true'.")
    return cohorts


def _lines(root: Table) -> tuple[LineKind, ...]:
    tables = root.tables("line")
    kinds = []
    for t in tables:
        kinds.append(
            LineKind(t.new_code(), t.filled("label"), t.flag("compared", True), t.text("note", ""))
        )
        t.done()
    unique(tables, [kind.code for kind in kinds], "line")
    return tuple(kinds) or (LineKind(ENROLLMENT, "as enrolled", True, ""),)


def _levels(table: Table, kind: str) -> tuple[Level, ...]:
    tables = table.tables("level", at_least=1)
    levels = []
    for position, level in enumerate(tables):
        lower = upper = None
        if kind == "number":
            lower, upper = level.number("from"), level.number("below")
            if position and lower != levels[-1].upper:
                raise level.error("from", "a band must start where the band before it ends.")
            if lower >= upper:
                raise level.error("below", "a band must end above its start.")
        levels.append(Level(level.new_code(), level.text("label"), lower, upper))
        if levels[-1].code == MISSING:
            raise level.error("code", f"'{MISSING}' is reserved; every characteristic has it.")
        level.done()
    unique(tables, [level.code for level in levels], "level")
    return tuple(levels)


def _bound(table: Table | None, dates: list[str], is_before: bool) -> tuple[DateBound, ...]:
    if table is None:
        return ()
    months = table.number("months", 0)
    if months != int(months) or months < 0:
        raise table.error("months", "'months' is a whole number from 0 on.")
    bound = DateBound(table.code("date", dates), int(months), is_before)
    table.done()
    return (bound,)


def _rule(
    table: Table, levels: list[str], dates: list[str], before: dict[str, Characteristic]
) -> DeriveRule:
    wanted = []
    conditions = table.table("is", None)
    for code in conditions.data if conditions else ():
        if code not in before:
            raise table.error("is", f"'{code}' is not a characteristic declared before this one.")
        codes = conditions.texts(code)
        for level in codes:
            if level not in before[code].level_codes:
                raise conditions.error(code, f"'{level}' is not a level of '{code}'.")
        wanted.append((code, codes))
    rule = DeriveRule(
        level=table.code("level", levels),
        bounds=(
            *_bound(table.table("before", None), dates, True),
            *_bound(table.table("from", None), dates, False),
        ),
        levels=tuple(wanted),
        is_decisive=table.flag("decisive", False),
    )
    if not rule.bounds and not rule.levels:
        raise table.error(None, "a rule needs 'before', 'from' or 'is'.")
    table.done()
    return rule


def _happened(table: Table | None, milestones: list[str], levels: list[str]) -> Happened | None:
    if table is None:
        return None
    if set(levels) != {"yes", "no"}:
        raise table.error(None, "its levels are 'yes' and 'no'.")
    by_day = table.number("by_day", None)
    happened = Happened(
        table.code("milestone", milestones), None if by_day is None else int(by_day)
    )
    table.done()
    return happened


def _characteristic(
    table: Table, milestones: list[str], dates: list[str], before: dict[str, Characteristic]
) -> Characteristic:
    kind = table.code("kind", ["choice", "number"])
    levels = _levels(table, kind)
    codes = [level.code for level in levels]
    x = Characteristic(
        code=table.new_code(),
        label=table.text("label"),
        kind=kind,
        unit=table.text("unit") if kind == "number" else "",
        known_at=table.code("known_at", [ENROLLMENT, LANDMARK, *milestones]),
        levels=levels,
        years_since=table.code("years_since", dates, None),
        rules=tuple(_rule(t, codes, dates, before) for t in table.tables("derive")),
        happened=_happened(table.table("happened", None), milestones, codes),
        compared_with=table.code("compared_with", list(before), None),
    )
    if sum(bool(way) for way in (x.years_since, x.rules, x.happened)) > 1:
        raise table.error(None, "one of 'years_since', 'derive' and 'happened' is enough.")
    if x.years_since and kind != "number":
        raise table.error("years_since", "'years_since' makes a number.")
    table.done()
    return x


def _characteristics(
    root: Table, milestones: list[str], dates: list[str]
) -> tuple[Characteristic, ...]:
    tables = root.tables("characteristic")
    found: dict[str, Characteristic] = {}
    for table in tables:
        x = _characteristic(table, milestones, dates, found)
        if x.code in found:
            raise table.error("code", f"characteristic '{x.code}' is declared twice.")
        found[x.code] = x
    columns = [*ENROLLMENT_COLUMNS, *dates]
    columns += [x.level_column for x in found.values() if x.kind == "number"]
    for table, code in zip(tables, found, strict=True):
        if code in columns:
            raise table.error("code", f"'{code}' is the name of a column already; take another.")
    return tuple(found.values())


def _milestones(root: Table) -> tuple[Milestone, ...]:
    tables = root.tables("milestone", at_least=1)
    found: list[Milestone] = []
    for table in tables:
        earlier = [milestone.code for milestone in found]
        found.append(
            Milestone(
                code=table.new_code(),
                label=table.filled("label"),
                is_terminal=table.flag("terminal", False),
                repeats=table.flag("repeats", False),
                requires=table.code("requires", earlier, None),
                details=labelled(table, "detail"),
                block=table.text("block", None),
            )
        )
        derived = table.flag("derived", False)
        if derived != (found[-1].code in DERIVED_MILESTONES):
            names = ", ".join(DERIVED_MILESTONES)
            raise table.error("code", f"derived milestones ('derived = true') are: {names}.")
        table.done()
    unique(tables, [milestone.code for milestone in found], "milestone")
    return tuple(found)


def _events(table: Table, milestones: list[str], kind: str) -> tuple[EndpointEvent, ...]:
    events = []
    for event in table.tables("event", at_least=1):
        state = event.number("state")
        if state not in range(1, 10):
            raise event.error("state", f"'state' is 1 (event) to 9 (competing), not {state!r}.")
        events.append(EndpointEvent(event.code("milestone", milestones), int(state)))
        event.done()
    states = {event.state for event in events}
    if 1 not in states:
        raise table.error(None, "no event has 'state = 1': nothing to estimate.")
    if (states != {1}) != (kind != "survival"):
        raise table.error(
            "event",
            f"kind '{kind}' does not fit these states. 'survival' has state 1 alone; with "
            "competing states the kind is 'incidence' or 'states': 1 - Kaplan-Meier would "
            "overstate the risk.",
        )
    return tuple(events)


def _endpoint(table: Table, milestones: list[str], lines: list[str]) -> Endpoint:
    kind = table.code("kind", ENDPOINT_KINDS, "survival")
    chosen = table.texts("lines", tuple(lines))
    for line in chosen:
        if line not in lines:
            raise table.error("lines", f"'{line}' is no [[line]] of this study.")
    endpoint = Endpoint(
        code=table.new_code(),
        label=table.text("label"),
        abbreviation=table.text("abbreviation"),
        kind=kind,
        line_codes=chosen,
        origin=table.code("origin", [ENROLLMENT, *milestones]),
        events=_events(table, milestones, kind),
        censor=table.code("censor", milestones),
        rmst_taus=table.numbers("rmst_taus"),
        definition=table.text("definition"),
        no_event_label=table.filled("no_event") if kind == "states" else "",
        is_finished=table.flag("finished", False),
    )
    table.done()
    if endpoint.is_finished and len(endpoint.events) > len(endpoint.states):
        raise table.error(
            "event",
            "a finished time does not say which of several milestones ended it: one milestone a "
            "state, such as 'progression or death'.",
        )
    return endpoint


def _check_times(table: Table, key: str, times: tuple[float, ...], unit_days: float) -> None:
    if not times or min(times) <= 0 or max(times) * unit_days > LONGEST_DAYS:
        raise table.error(key, f"'{key}' takes one or more times above 0 and below 100 years.")


def _default_levels(
    root: Table, characteristics: tuple[Characteristic, ...]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    table = root.table("default_population", None)
    if table is None:
        return ()
    known = {x.code: x for x in characteristics}
    found = []
    for code in table.data:
        levels = table.texts(code)
        if code not in known or known[code].known_at != ENROLLMENT:
            raise table.error(code, f"'{code}' is no characteristic known at enrollment.")
        if set(levels) - set(known[code].level_codes):
            raise table.error(code, f"these are not all levels of '{code}'.")
        found.append((code, levels))
    return tuple(found)


def parse_study(document: Document) -> Study:
    """Check a study definition against itself. Raises DocumentError with the wrong line."""
    root = document.root()
    milestones = _milestones(root)
    codes = [milestone.code for milestone in milestones]
    cohorts, lines = _cohorts(root), _lines(root)
    endpoint_tables = root.tables("endpoint", at_least=1)
    endpoints = tuple(_endpoint(t, codes, [line.code for line in lines]) for t in endpoint_tables)
    unique(endpoint_tables, [endpoint.code for endpoint in endpoints], "endpoint")
    dates = labelled(root, "baseline_date")
    characteristics = _characteristics(root, codes, [d.code for d in dates])
    treated = treatment(root, _declared(cohorts, lines, milestones, endpoints))
    _check_block_starts(root, milestones, [b.code for b in treated["blocks"]])
    study = Study(
        code=root.new_code(),
        label=root.text("label"),
        notice=root.text("notice"),
        synthetic=root.flag("synthetic"),
        randomised=root.flag("randomised"),
        source=root.text("source"),
        day_0=root.text("day_0"),
        time_unit=root.code("time_unit", list(UNIT_DAYS)),
        milestone_times=tuple(sorted(root.numbers("milestone_times"))),
        cohorts=cohorts,
        characteristics=characteristics,
        milestones=milestones,
        endpoints=endpoints,
        text=document.text,
        lines=lines,
        default_levels=_default_levels(root, characteristics),
        baseline_dates=dates,
        **treated,
        survival=survival(
            root.table("survival", None), _beside(endpoints, characteristics, milestones, treated)
        ),
    )
    _check_times(root, "milestone_times", study.milestone_times, study.unit_days)
    for table, endpoint in zip(endpoint_tables, endpoints, strict=True):
        _check_times(table, "rmst_taus", endpoint.rmst_taus, study.unit_days)
    if study.response is None and any(m.code in DERIVED_MILESTONES for m in milestones):
        raise root.error(None, "derived milestones need a [response] rule.")
    root.done()
    return study


def _check_block_starts(root: Table, milestones: tuple[Milestone, ...], blocks: list[str]) -> None:
    for table, milestone in zip(root.tables("milestone"), milestones, strict=True):
        if milestone.block is not None:
            table.code("block", blocks)


def _beside(
    endpoints: tuple[Endpoint, ...],
    characteristics: tuple[Characteristic, ...],
    milestones: tuple[Milestone, ...],
    treated: dict[str, Any],
) -> Beside:
    """What [survival] may name."""
    infusions = dict(treated["codes"])["infusion"]
    codes = {
        "milestone": [m.code for m in milestones if m.code not in DERIVED_MILESTONES],
        "timepoint": [p.code for p in treated["timepoints"]],
        "infusion": [level.code for level in infusions],
    }
    return Beside(endpoints, characteristics, codes)


def _declared(
    cohorts: tuple[Cohort, ...],
    lines: tuple[LineKind, ...],
    milestones: tuple[Milestone, ...],
    endpoints: tuple[Endpoint, ...],
) -> Declared:
    """What the parts about treatment may name."""
    return Declared(
        lines=tuple(line.code for line in lines),
        cohorts=tuple(cohort.code for cohort in cohorts),
        milestones={
            m.code: tuple(d.code for d in m.details) for m in milestones if not m.is_derived
        },
        endpoints={e.code: e.kind for e in endpoints},
    )


def read_study(code: str, folder: Path = STUDIES) -> Study:
    """The study definition `code`. Raises DocumentError if it is unknown or wrong."""
    path = folder / f"{code}.toml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.toml")))
        raise DocumentError(f"no study definition '{code}' in {folder}. Known: {known}.")
    study = parse_study(read_document(path))
    if study.code != code:
        raise DocumentError(f"{path.name}: its code is '{study.code}'; rename file or code.")
    return study


@functools.lru_cache(maxsize=64)
def study_from_text(text: str) -> Study:
    """The study definition stored in a snapshot."""
    return parse_study(parse_document("study definition of the snapshot", text))
