"""The canonical fact tables an export can feed, and what kind of cell each column takes.

`trial/schema.py` says what the tables hold; this says how a cell becomes a value of them. A study
lends its code lists (blocks, terms, methods ...); words such as yes and no are fixed here.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from trial.study import Study

YES_NO = ("yes", "no")


@dataclass(frozen=True)
class FactColumn:
    """One column as a mapping names it.

    `kind`: day, code, flag (yes or no), number, whole, duration (whole days), measured (becomes
    qualifier and value) or grade (becomes grade_low and grade_high). `lowest` and `highest` bound a
    number. One that is `required` must be filled in every row; if it `may_lack`, the mapping may
    leave it out for all; if it `may_be_blank`, the mapping has to give it and rows need not.
    """

    name: str
    kind: str
    required: bool = False
    codes: str = ""
    lowest: float = 0.0
    highest: float = float("inf")
    may_lack: bool = False
    may_be_blank: bool = False


@dataclass(frozen=True)
class FactTable:
    """One table. `day` is the column that dates a row; rows of one `key` must not disagree.

    A table without `day` has rows that are not dated. Without a key several rows of an enrollment
    can be alike but for one fact; exact copies are counted once in any case. `numbered`: the column
    that numbers rows within the enrollment.
    """

    name: str
    day: str | None
    end: str | None
    key: tuple[str, ...]
    columns: tuple[FactColumn, ...]
    numbered: str | None = None

    def column(self, name: str) -> FactColumn:
        """The column of a name. Raises KeyError."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


_LINE = FactColumn("line_number", "whole", required=True, lowest=1, highest=99)
_BLOCK = FactColumn("block_code", "code", required=True, codes="block")
_COURSE = FactColumn("course_number", "whole", required=True, lowest=1, highest=99)

FACT_TABLES = (
    FactTable(
        "dim_line",
        day="start_day",
        end=None,
        key=("line_number",),
        columns=(
            _LINE,
            FactColumn("entry_reason", "code", required=True, codes="line"),
            FactColumn("start_day", "day", required=True),
            FactColumn("protocol_as_treated", "code", codes="cohort"),
            FactColumn("intent", "code", codes="intent"),
        ),
    ),
    FactTable(
        "fct_course",
        day="start_day",
        end="stop_day",
        key=("line_number", "block_code", "course_number"),
        columns=(
            # Without it a course belongs to the line that is running on its first day.
            FactColumn("line_number", "whole", lowest=1, highest=99),
            _BLOCK,
            _COURSE,
            FactColumn("start_day", "day", required=True),
            FactColumn("stop_day", "day"),
            FactColumn("recovery_day", "day"),
            FactColumn("is_planned", "flag"),
            FactColumn("dose_percent", "number", highest=300),
            FactColumn("is_completed", "flag"),
            FactColumn("ae_documented", "code", codes="documented"),
        ),
    ),
    FactTable(
        "fct_infusion",
        day="start_day",
        end="stop_day",
        key=(),
        numbered="infusion_number",
        columns=(
            _LINE,
            _BLOCK,
            _COURSE,
            FactColumn("kind_code", "code", required=True, codes="infusion"),
            FactColumn("start_day", "day", required=True),
            FactColumn("stop_day", "day"),
            FactColumn("dose", "number"),
            FactColumn("dose_basis", "code", codes="dose_basis"),
            FactColumn("step", "whole", highest=9),
            FactColumn("cell_source", "code", codes="cell_source"),
        ),
    ),
    FactTable(
        "fct_assessment",
        day="sample_day",
        end=None,
        key=("sample_day", "material_code", "method_code", "measure_code"),
        columns=(
            FactColumn("sample_day", "day", required=True),
            FactColumn("material_code", "code", required=True, codes="material"),
            FactColumn("method_code", "code", required=True, codes="method"),
            FactColumn("measure_code", "code", required=True, codes="measure"),
            FactColumn("result", "measured", required=True, may_lack=True),
            FactColumn("lod", "number", highest=1),
            FactColumn("loq", "number", highest=1),
            FactColumn("line_number", "whole", lowest=1, highest=99),
            FactColumn("block_code", "code", codes="block"),
            FactColumn("course_number", "whole", lowest=1, highest=99),
        ),
    ),
    FactTable(
        "fct_adverse_event",
        day="onset_day",
        end="end_day",
        key=(),
        numbered="event_number",
        columns=(
            FactColumn("term_code", "code", required=True, codes="term"),
            FactColumn("grade", "grade", required=True, may_be_blank=True),
            FactColumn("scale_code", "code", required=True, codes="scale"),
            FactColumn("onset_day", "day", required=True),
            FactColumn("end_day", "day"),
            FactColumn("is_serious", "flag"),
            FactColumn("outcome_code", "code", codes="outcome"),
            FactColumn("infection_site_code", "code", codes="infection_site"),
            FactColumn("pathogen_code", "code", codes="pathogen"),
            FactColumn("documentation_code", "code", codes="documentation"),
        ),
    ),
    FactTable(
        "fct_finished_time",
        day=None,
        end=None,
        key=("endpoint_code",),
        columns=(
            FactColumn("endpoint_code", "code", required=True, codes="endpoint"),
            FactColumn("time_days", "duration", required=True),
            FactColumn("state", "code", required=True, codes="state"),
        ),
    ),
)

STATES = ("censored", "event", "competing", "competing_2", "competing_3")
WORDS = {
    "state": STATES,
    "documented": ("yes", "no", "unknown"),
    "intent": ("curative", "palliative"),
    "outcome": ("recovered", "ongoing", "fatal", "unknown"),
    "dose_basis": ("ug_m2_day", "ug_day", "million_kg"),
}


def fact_table(name: str) -> FactTable:
    """The table of a name. Raises KeyError."""
    return next(t for t in FACT_TABLES if t.name == name)


def known_codes(study: Study, column: FactColumn) -> list[str]:
    """The codes a column may hold: of the study, or fixed words."""
    if column.kind == "flag":
        return list(YES_NO)
    if column.codes in WORDS:
        return list(WORDS[column.codes])
    lists = {
        "line": study.lines,
        "cohort": study.cohorts,
        "block": study.blocks,
        "term": study.toxicity.terms,
        "scale": study.toxicity.scales,
        "endpoint": tuple(e for e in study.endpoints if e.is_finished),
    }
    return [thing.code for thing in lists.get(column.codes, study.code_list(column.codes))]


def highest_grade(study: Study, scale_codes: Iterable[str | None]) -> int:
    """The highest grade of these scales: the last step of one in words, else 5."""
    steps = {scale.code: len(scale.steps) for scale in study.toxicity.scales}
    return max((steps.get(code) or 5 for code in scale_codes if code), default=5)
