"""How a study judges response: remission, MRD at time points, courses of a block, the flow."""

from dataclasses import dataclass

# Everybody is in one class: of the response at the landmark, or of MRD at a time point.
RESPONSE_CLASSES = (
    *("remission", "other_remission", "non_response", "early_death"),
    *("not_evaluable", "in_doubt"),
)
MRD_CLASSES = (
    *("negative", "indeterminate", "positive", "not_evaluable", "not_sampled", "too_early"),
    *("in_doubt", "died", "not_reached"),
)


@dataclass(frozen=True)
class ResponseDefinition:
    """What counts as remission: any, or only one whose detail is among `details`.

    `note` says in a sentence what that is.
    """

    code: str
    label: str
    note: str = ""
    details: tuple[str, ...] = ()


# Of a study that declares none.
AS_RECORDED = ResponseDefinition("by_landmark", "as recorded")


@dataclass(frozen=True)
class CourseRule:
    """The block whose courses MRD is compared before and after, one at a time.

    Before: the last sample of at most `before_days` before the course and after the course before
    it; after: the last one from `after_from_day` to `after_to_day` of the course and before the
    next one. Disease is high before a course from `high_from` on (a fraction of `high_measure`).
    `drug` and `cells` are kinds of infusion; cells of a source in `other_sources`, or after
    the milestone `cells_not_after`, are counted apart.
    """

    block_code: str
    before_days: int
    after_from_day: int
    after_to_day: int
    high_measure: str | None
    high_from: float
    drug: str | None
    cells: str | None
    cells_by_day: int
    cells_planned_in: tuple[str, ...]
    cells_not_after: str | None
    other_sources: tuple[str, ...]


@dataclass(frozen=True)
class FlowStage:
    """One stage of the flow of patients.

    `kind`: remission; timepoint, block or milestone with their `code`; or state, at a time (in the
    study's unit), by the endpoints `event_free` and `alive`.
    """

    kind: str
    code: str = ""
    event_free: str = ""
    alive: str = ""
    at: float = 0.0


@dataclass(frozen=True)
class ResponseRule:
    """How the response of a line is judged: one landmark for all cohorts.

    A line is assessed if a sample of `material` (any sample, if the study names none) was taken
    from `assessed_from_day` to `landmark_day` after its start; in a study that keeps no samples
    (`needs_sample` is false), if it was followed to the landmark. `thresholds` are the MRD levels
    of a negative result; a study without MRD has no `mrd_measure`, and one that follows nobody
    beyond response no `relapse`. The first of `definitions` decides endpoints; the others are a
    lens.
    """

    line_codes: tuple[str, ...]
    landmark_day: int
    assessed_from_day: int
    remission: str
    relapse: str | None
    death: str
    contact: str
    lost: str | None
    material: str | None
    mrd_measure: str | None
    method_order: tuple[str, ...]
    thresholds: tuple[float, ...]
    needs_sample: bool = True
    definitions: tuple[ResponseDefinition, ...] = (AS_RECORDED,)
    course: CourseRule | None = None
    flow: tuple[FlowStage, ...] = ()


@dataclass(frozen=True)
class AssayDefault:
    """The detection limit of a method in years where the export does not say it."""

    method_code: str
    from_year: int
    to_year: int
    lod: float


@dataclass(frozen=True)
class Timepoint:
    """A window for samples: after the start of a block's first course, or before something.

    The last sample in the window stands for the time point.
    """

    code: str
    label: str
    after_block: str | None
    before_block: str | None
    before_milestone: str | None
    from_day: int
    to_day: int
