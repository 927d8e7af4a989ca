"""Study definitions: one TOML file a study, parsed into frozen dataclasses.

Nothing in Python names a study. What a cohort, a characteristic, a milestone and an endpoint of
a trial are is data; the algorithms that use them are few and generic. The text of the definition
is stored in every snapshot, and pages read it from there, so that a later edit of the file does
not move an old link.
"""

import functools
from dataclasses import dataclass
from pathlib import Path

from trial.document import Document, DocumentError, Table, parse_document, read_document, unique

STUDIES = Path(__file__).parent / "studies"
ENROLLMENT = "enrollment"
MISSING = "missing"
UNIT_DAYS = {"year": 365.25, "month": 365.25 / 12, "week": 7.0, "day": 1.0}
MAX_COHORTS = 6
# Columns of dim_enrollment that every study has; a characteristic becomes a column beside them.
ENROLLMENT_COLUMNS = (
    "enrollment_key", "patient_key", "cohort_code", "enrollment_year", "patient_id", "origin_date"
)  # fmt: skip
LONGEST_DAYS = 100 * 365.25


@dataclass(frozen=True)
class Cohort:
    """One cohort; the first declared `reference` is what the others are compared with."""

    code: str
    label: str
    is_reference: bool


@dataclass(frozen=True)
class Level:
    """One level of a characteristic; `lower` <= value < `upper` for a band of a number."""

    code: str
    label: str
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True)
class Characteristic:
    """A fact about an enrollment to filter by. `known_at` is the milestone it is known from."""

    code: str
    label: str
    kind: str
    unit: str
    known_at: str
    levels: tuple[Level, ...]

    @property
    def level_codes(self) -> tuple[str, ...]:
        """Codes of the declared levels and of 'missing', which is a level like any other."""
        return (*(level.code for level in self.levels), MISSING)

    def level_label(self, code: str) -> str:
        """What the screen calls a level."""
        return next((x.label for x in self.levels if x.code == code), "not recorded")

    @property
    def level_column(self) -> str:
        """Column of dim_enrollment that holds the level code."""
        return f"{self.code}_band" if self.kind == "number" else self.code


@dataclass(frozen=True)
class Milestone:
    """Something that happens to an enrollment on a day. After a `terminal` one nothing can."""

    code: str
    label: str
    is_terminal: bool


@dataclass(frozen=True)
class EndpointEvent:
    """A milestone that ends an endpoint; `state` 1 is the event, 2 and more compete with it."""

    milestone_code: str
    state: int


@dataclass(frozen=True)
class Endpoint:
    """A time to event: origin, what ends it, where observation without event ends (`censor`)."""

    code: str
    label: str
    abbreviation: str
    origin: str
    events: tuple[EndpointEvent, ...]
    censor: str
    rmst_taus: tuple[float, ...]
    definition: str

    @property
    def needs(self) -> tuple[str, ...]:
        """Every milestone that must be known for this endpoint."""
        return (*(event.milestone_code for event in self.events), self.censor, self.origin)


@dataclass(frozen=True)
class Study:
    """A parsed study definition; `text` is the TOML it was parsed from."""

    code: str
    label: str
    notice: str
    synthetic: bool
    randomised: bool
    source: str
    day_0: str
    time_unit: str
    milestone_times: tuple[float, ...]
    cohorts: tuple[Cohort, ...]
    characteristics: tuple[Characteristic, ...]
    milestones: tuple[Milestone, ...]
    endpoints: tuple[Endpoint, ...]
    text: str

    @property
    def unit_days(self) -> float:
        """Days in one unit of the time axis."""
        return UNIT_DAYS[self.time_unit]

    @property
    def reference(self) -> Cohort:
        """The cohort that the others are compared with."""
        return next(cohort for cohort in self.cohorts if cohort.is_reference)

    def cohort(self, code: str) -> Cohort:
        """The cohort of a code. Raises KeyError."""
        return _by_code(self.cohorts, code)

    def characteristic(self, code: str) -> Characteristic:
        """The characteristic of a code. Raises KeyError."""
        return _by_code(self.characteristics, code)

    def endpoint(self, code: str) -> Endpoint:
        """The endpoint of a code. Raises KeyError."""
        return _by_code(self.endpoints, code)

    def milestone_label(self, code: str) -> str:
        """What the screen calls a milestone; the origin of everything is day 0."""
        return self.day_0 if code == ENROLLMENT else _by_code(self.milestones, code).label


def _by_code(things: tuple, code: str):
    for thing in things:
        if thing.code == code:
            return thing
    raise KeyError(code)


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


def _characteristics(root: Table, milestones: list[str]) -> tuple[Characteristic, ...]:
    tables = root.tables("characteristic")
    found = []
    for table in tables:
        kind = table.code("kind", ["choice", "number"])
        found.append(
            Characteristic(
                code=table.new_code(),
                label=table.text("label"),
                kind=kind,
                unit=table.text("unit") if kind == "number" else "",
                known_at=table.code("known_at", [ENROLLMENT, *milestones]),
                levels=_levels(table, kind),
            )
        )
        table.done()
    unique(tables, [x.code for x in found], "characteristic")
    columns = [*ENROLLMENT_COLUMNS, *(x.level_column for x in found if x.kind == "number")]
    for table, x in zip(tables, found, strict=True):
        if x.code in columns:
            raise table.error("code", f"'{x.code}' is the name of a column already; take another.")
    return tuple(found)


def _milestone(table: Table) -> Milestone:
    return Milestone(table.new_code(), table.filled("label"), table.flag("terminal", False))


def _endpoint(table: Table, milestones: list[str]) -> Endpoint:
    events = []
    for event in table.tables("event", at_least=1):
        state = event.number("state")
        if state not in range(1, 10):
            raise event.error("state", f"'state' is 1 (event) to 9 (competing), not {state!r}.")
        events.append(EndpointEvent(event.code("milestone", milestones), int(state)))
        event.done()
    if all(event.state != 1 for event in events):
        raise table.error(None, "no event has 'state = 1': nothing to estimate.")
    endpoint = Endpoint(
        code=table.new_code(),
        label=table.text("label"),
        abbreviation=table.text("abbreviation"),
        origin=table.code("origin", [ENROLLMENT, *milestones]),
        events=tuple(events),
        censor=table.code("censor", milestones),
        rmst_taus=table.numbers("rmst_taus"),
        definition=table.text("definition"),
    )
    if any(event.state != 1 for event in events):
        raise table.error("event", "competing events need a cumulative incidence; not built yet.")
    table.done()
    return endpoint


def _check_times(table: Table, key: str, times: tuple[float, ...], unit_days: float) -> None:
    if not times or min(times) <= 0 or max(times) * unit_days > LONGEST_DAYS:
        raise table.error(key, f"'{key}' takes one or more times above 0 and below 100 years.")


def parse_study(document: Document) -> Study:
    """Check a study definition against itself. Raises DocumentError with the wrong line."""
    root = document.root()
    milestone_tables = root.tables("milestone", at_least=1)
    milestones = tuple(_milestone(t) for t in milestone_tables)
    codes = [milestone.code for milestone in milestones]
    unique(milestone_tables, codes, "milestone")
    for table in milestone_tables:
        table.done()
    endpoint_tables = root.tables("endpoint", at_least=1)
    endpoints = tuple(_endpoint(table, codes) for table in endpoint_tables)
    unique(endpoint_tables, [endpoint.code for endpoint in endpoints], "endpoint")
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
        cohorts=_cohorts(root),
        characteristics=_characteristics(root, codes),
        milestones=milestones,
        endpoints=endpoints,
        text=document.text,
    )
    _check_times(root, "milestone_times", study.milestone_times, study.unit_days)
    for table, endpoint in zip(endpoint_tables, endpoints, strict=True):
        _check_times(table, "rmst_taus", endpoint.rmst_taus, study.unit_days)
    root.done()
    return study


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
