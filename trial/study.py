"""Study definitions as frozen dataclasses: what `trial/study_file.py` reads from a TOML file.

Nothing in Python names a study. What a cohort, a line of therapy, a block, a characteristic, a
milestone and an endpoint of a trial are is data; the algorithms that use them are few and generic.
"""

from dataclasses import dataclass, field

from trial.response import AssayDefault, ResponseRule, Timepoint
from trial.survival_rule import SurvivalRule

ENROLLMENT = "enrollment"
# The table of finished times: what an endpoint needs that is not derived.
FINISHED_TIMES = "fct_finished_time"
# And the table of courses: what a milestone needs that is the start of a block.
COURSES_TABLE = "fct_course"
MISSING = "missing"
UNIT_DAYS = {"year": 365.25, "month": 365.25 / 12, "week": 7.0, "day": 1.0}
# Milestones that the warehouse derives for a line by the study's response rule, and what they say.
DERIVED_MILESTONES = {
    "non_response": "no remission by the landmark, dated to the start of the line",
    "non_response_found": "no remission by the landmark, dated to the marrow that showed it",
    "early_death": "death before any remission",
    "death_in_remission": "death in remission, before any relapse",
}
# From when a fact is known that the response rule decides.
LANDMARK = "response_landmark"


@dataclass(frozen=True)
class Cohort:
    """One cohort; the one declared `reference` is what the others are compared with."""

    code: str
    label: str
    is_reference: bool


@dataclass(frozen=True)
class LineKind:
    """Why a line of therapy began. Cohorts are compared within one kind, if `is_compared`."""

    code: str
    label: str
    is_compared: bool
    note: str


@dataclass(frozen=True)
class Block:
    """A planned block of treatment, in treatment order.

    An adverse event belongs to a course of the block up to `attribution_days` after its end, and
    not beyond a relapse if `until_relapse`. `planned_days`: from its start to the next block, as
    planned; None if the study does not say.
    """

    code: str
    label: str
    note: str
    attribution_days: int
    until_relapse: bool
    planned_days: int | None = None


@dataclass(frozen=True)
class Level:
    """One level of a characteristic; `lower` <= value < `upper` for a band of a number."""

    code: str
    label: str
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True)
class DateBound:
    """Day 0 is before (or from, inclusive) the baseline date plus calendar months."""

    date_code: str
    months: int
    is_before: bool


@dataclass(frozen=True)
class DeriveRule:
    """One rule of a derived characteristic: `level` if any bound or all of `levels` hold.

    Rules are tried in order. A rule whose facts are missing does not hold; if it is `decisive`,
    the characteristic stays missing then.
    """

    level: str
    bounds: tuple[DateBound, ...]
    levels: tuple[tuple[str, tuple[str, ...]], ...]
    is_decisive: bool


@dataclass(frozen=True)
class Happened:
    """A characteristic with levels yes and no: whether a milestone happened by a day."""

    milestone_code: str
    by_day: int | None


@dataclass(frozen=True)
class Characteristic:
    """A fact about an enrollment to filter by. `known_at` is the milestone it is known from.

    At most one of `years_since` (a baseline date), `rules` and `happened` derives it while
    loading; otherwise the export says it. `compared_with` names the characteristic that a
    recorded one is checked against.
    """

    code: str
    label: str
    kind: str
    unit: str
    known_at: str
    levels: tuple[Level, ...]
    years_since: str | None = None
    rules: tuple[DeriveRule, ...] = ()
    happened: Happened | None = None
    compared_with: str | None = None

    @property
    def is_derived(self) -> bool:
        """Whether it is derived while loading instead of read."""
        return bool(self.years_since or self.rules or self.happened)

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
    """Something that happens to an enrollment on a day. After a `terminal` one nothing can.

    `repeats`: it can happen again. `requires`: the milestone that has to come first. `details`:
    what kind it was, such as the site of a relapse. Derived ones come from the response rule, or
    are the first day of the first course of `block` in a line.
    """

    code: str
    label: str
    is_terminal: bool
    repeats: bool = False
    requires: str | None = None
    details: tuple[Level, ...] = ()
    block: str | None = None

    @property
    def is_derived(self) -> bool:
        """Whether the warehouse derives it."""
        return self.code in DERIVED_MILESTONES or self.block is not None


@dataclass(frozen=True)
class EndpointEvent:
    """A milestone that ends an endpoint; `state` 1 is the event, 2 and more compete with it."""

    milestone_code: str
    state: int


@dataclass(frozen=True)
class Endpoint:
    """A time to event: origin, what ends it, where observation without event ends (`censor`).

    `kind`: survival (one state, Kaplan-Meier), incidence (state 1 with competing states) or
    states (all states together, adding to 1). `line_codes`: the kinds of line it is defined for.
    `is_finished`: the export brings its times; they are kept as they are and not derived again.
    """

    code: str
    label: str
    abbreviation: str
    kind: str
    line_codes: tuple[str, ...]
    origin: str
    events: tuple[EndpointEvent, ...]
    censor: str
    rmst_taus: tuple[float, ...]
    definition: str
    no_event_label: str = ""
    is_finished: bool = False

    def state_events(self, state: int) -> tuple[str, ...]:
        """The milestones of a state."""
        return tuple(e.milestone_code for e in self.events if e.state == state)

    @property
    def states(self) -> tuple[int, ...]:
        """The states that events lead to, in the order they are declared."""
        return tuple(dict.fromkeys(event.state for event in self.events))


@dataclass(frozen=True)
class Category:
    """A group of adverse-event terms; `is_default` ones are shown without being asked for."""

    code: str
    label: str
    is_default: bool


@dataclass(frozen=True)
class Term:
    """An adverse-event term and its category."""

    code: str
    label: str
    category_code: str


@dataclass(frozen=True)
class Scale:
    """A grading scale. `steps` are the names of 1, 2, 3 ... where it has words and no grades.

    Grades of one `family` mean the same, such as those of two versions of CTCAE.
    """

    code: str
    label: str
    steps: tuple[str, ...] = ()
    family: str = ""


@dataclass(frozen=True)
class BlockGroup:
    """Blocks that are looked at together, such as those of one kind."""

    code: str
    label: str
    block_codes: tuple[str, ...]


@dataclass(frozen=True)
class DeathRule:
    """How deaths are told apart: milestones, and causes.

    Adverse events should tell of the `toxic_causes`; who died of `disease_causes` had the disease,
    even if no relapse is recorded.
    """

    toxic_causes: tuple[str, ...]
    disease_causes: tuple[str, ...] = ()
    transplant: str | None = None
    second_malignancy: str | None = None


@dataclass(frozen=True)
class Toxicity:
    """Terms, categories, grading scales, and the grades a reader can ask for.

    `is_open`: a term of the export that is not declared is taken as the export names it.
    `pinned`: the items that stand first, as `category/CODE`, `term/CODE` or `fatal`. `infections`:
    the category whose events have a site, a pathogen and so on. `block_groups`: kinds of blocks to
    compare, the first with the others.
    """

    categories: tuple[Category, ...] = ()
    terms: tuple[Term, ...] = ()
    scales: tuple[Scale, ...] = ()
    grades: tuple[int, ...] = ()
    most_undocumented: float = 0.2
    is_open: bool = False
    pinned: tuple[str, ...] = ()
    infections: str | None = None
    block_groups: tuple[BlockGroup, ...] = ()
    death: DeathRule | None = None

    @property
    def steps(self) -> tuple[str, ...]:
        """The names of 1, 2, 3 ... if all scales have the same; empty for grades."""
        named = {scale.steps for scale in self.scales}
        return named.pop() if len(named) == 1 else ()

    def category(self, code: str) -> Category:
        """The category of a code. Raises KeyError."""
        return _by_code(self.categories, code)

    def term(self, code: str) -> Term:
        """The term of a code. Raises KeyError."""
        return _by_code(self.terms, code)

    def scale(self, code: str) -> Scale:
        """The scale of a code. Raises KeyError."""
        return _by_code(self.scales, code)


@dataclass(frozen=True)
class Primary:
    """The one primary measure of a question, in words, and the options a page opens with."""

    question: str
    measure: str
    options: tuple[tuple[str, str], ...]


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
    lines: tuple[LineKind, ...] = (LineKind(ENROLLMENT, "as enrolled", True, ""),)
    default_levels: tuple[tuple[str, tuple[str, ...]], ...] = ()
    baseline_dates: tuple[Level, ...] = ()
    blocks: tuple[Block, ...] = ()
    codes: tuple[tuple[str, tuple[Level, ...]], ...] = ()
    response: ResponseRule | None = None
    assay_defaults: tuple[AssayDefault, ...] = ()
    timepoints: tuple[Timepoint, ...] = ()
    toxicity: Toxicity = field(default_factory=Toxicity)
    primaries: tuple[Primary, ...] = ()
    survival: SurvivalRule = field(default_factory=SurvivalRule)

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

    def line(self, code: str) -> LineKind:
        """The kind of line of a code. Raises KeyError."""
        return _by_code(self.lines, code)

    def block(self, code: str) -> Block:
        """The block of a code. Raises KeyError."""
        return _by_code(self.blocks, code)

    def timepoint(self, code: str) -> Timepoint:
        """The time point of a code. Raises KeyError."""
        return _by_code(self.timepoints, code)

    def characteristic(self, code: str) -> Characteristic:
        """The characteristic of a code. Raises KeyError."""
        return _by_code(self.characteristics, code)

    def milestone(self, code: str) -> Milestone:
        """The milestone of a code. Raises KeyError."""
        return _by_code(self.milestones, code)

    def endpoint(self, code: str) -> Endpoint:
        """The endpoint of a code. Raises KeyError."""
        return _by_code(self.endpoints, code)

    def code_list(self, name: str) -> tuple[Level, ...]:
        """A code list of the study, such as 'material'; empty if it has none of that name."""
        return dict(self.codes).get(name, ())

    def needs(self, endpoint: Endpoint) -> tuple[str, ...]:
        """Every milestone of an export that must be known to derive an endpoint."""
        if endpoint.is_finished:
            return (FINISHED_TIMES,)
        told = {event.milestone_code for event in endpoint.events}
        if self.response and told & set(DERIVED_MILESTONES):
            told |= {self.response.remission, self.response.death}
            told |= {self.response.relapse} if self.response.relapse else set()
        told |= {endpoint.censor, endpoint.origin}
        starts = told & {m.code for m in self.milestones if m.block}
        told |= {COURSES_TABLE} if starts else set()
        return tuple(sorted(told - starts - set(DERIVED_MILESTONES) - {ENROLLMENT}))

    def primary(self, question: str) -> Primary | None:
        """The primary measure of a question, None if the study declares none."""
        return next((p for p in self.primaries if p.question == question), None)

    def milestone_label(self, code: str) -> str:
        """What the screen calls a milestone; the origin of everything is day 0."""
        if code == ENROLLMENT:
            return self.day_0
        if code == LANDMARK and self.response:
            return f"day {self.response.landmark_day}"
        return self.milestone(code).label


def _by_code(things: tuple, code: str):
    for thing in things:
        if thing.code == code:
            return thing
    raise KeyError(code)
