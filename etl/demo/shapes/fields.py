"""The columns of the demo's tables as forms of fields: label, kind, and what may stand there.

The shapes that code their values (REDCap, ODM) and that label them (ADaM) are made from it. A text
that stands in a table and not here ends the writing: nothing may be coded as something else.
"""

from dataclasses import dataclass

import polars as pl

from etl.demo.assessments import MATERIALS, METHODS
from etl.demo.baseline import GENETICS
from etl.demo.courses import BLOCKS, STOPPED
from etl.demo.derivation import SITES, TIMINGS
from etl.demo.events import CAUSES, OUTCOMES, TERMS
from etl.demo.infections import DOCUMENTATION, INFECTION_SITES, PATHOGENS
from etl.demo.tables import PROTOCOLS

Tables = dict[str, pl.DataFrame]
CASE = "case_id"
ORIGIN = "data_origin"
DATE = "%d.%m.%Y"


@dataclass(frozen=True)
class Field:
    """A column of a table. `kind`: text, date, whole, number, yes_no or choice (of `choices`)."""

    column: str
    label: str
    kind: str = "text"
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Form:
    """The fields of a table, without the identifier of the enrollment that every row begins with.

    `repeats`: several rows an enrollment.
    """

    table: str
    label: str
    repeats: bool
    fields: tuple[Field, ...]

    def field(self, column: str) -> Field:
        """The field of a column. Raises StopIteration if there is none."""
        return next(field for field in self.fields if field.column == column)


def _choice(column: str, label: str, *choices: str) -> Field:
    return Field(column, label, "choice", choices)


def _form(table: str, label: str, repeats: bool, *fields: Field) -> Form:
    return Form(table, label, repeats, (*fields, Field(ORIGIN, "Origin of the data")))


_LINE = Field("line_number", "Line of therapy", "whole")
_BLOCK = _choice("block", "Block", *BLOCKS)
_COURSE = Field("course_number", "Number of the course", "whole")
_DOCUMENTED = _choice("ae_documented", "Adverse events documented", "unknown", "no", "yes")

_FORMS = (
    _form(
        "patients", "Baseline", False,
        Field("patient_id", "Patient"),
        Field("medical_record", "Medical record"),
        _choice("protocol", "Protocol", *PROTOCOLS),
        Field("relapse_number", "Number of the relapse", "whole"),
        _choice("sex", "Sex", "f", "m"),
        Field("birth_date", "Date of birth", "date"),
        Field("diagnosis_date", "Date of first diagnosis", "date"),
        Field("frontline_end_date", "End of frontline therapy", "date"),
        Field("on_frontline_therapy", "Relapse on frontline therapy", "yes_no"),
        Field("relapse_date", "Date of relapse", "date"),
        Field("registration_date", "Date of registration", "date"),
        _choice("site", "Site of relapse", *SITES),
        _choice("immunophenotype", "Immunophenotype", "B", "T"),
        _choice("genetics", "Genetics", *GENETICS),
        Field("age_years", "Age at relapse, years", "whole"),
        _choice("timing_recorded", "Time of relapse as recorded", *TIMINGS),
        _choice("risk_recorded", "Risk group as recorded", "S1", "S2", "S3", "S4"),
        Field("first_block_elsewhere", "First block given elsewhere", "yes_no"),
    ),
    _form(
        "lines", "Lines of therapy", True,
        _LINE,
        _choice("entry_reason", "Reason of the line", "first relapse", "second relapse",
                "refractory", "molecular"),
        Field("start_date", "First day of the line", "date"),
        _choice("protocol_as_treated", "Protocol as treated", *PROTOCOLS),
        _choice("intent", "Intent", "curative", "palliative"),
        Field("remission_date", "Date of remission", "date"),
        _choice("remission_type", "Kind of remission", "M1", "M1 and counts", "MRD"),
    ),
    _form(
        "courses", "Courses", True,
        _LINE, _BLOCK, _COURSE,
        Field("start_date", "First day of the course", "date"),
        Field("stop_date", "Last day of the course", "date"),
        Field("anc_recovery_date", "Date of neutrophil recovery", "date"),
        Field("planned", "Given as planned", "yes_no"),
        Field("dose_percent", "Dose given, percent of planned", "number"),
        Field("completed", "Given to its end", "yes_no"),
        _choice("stop_reason", "Why it was stopped", *STOPPED),
        _DOCUMENTED,
    ),
    _form(
        "infusions", "Infusions", True,
        _LINE, _BLOCK, _COURSE,
        _choice("kind", "What was infused", "blinatumomab", "CD3"),
        Field("start_date", "First day of the infusion", "date"),
        Field("stop_date", "Last day of the infusion", "date"),
        Field("dose", "Dose", "number"),
        _choice("dose_basis", "Unit of the dose", "ug/m2/d", "1e6/kg"),
        Field("step", "Dose step", "whole"),
        _choice("stop_reason", "Why it was stopped", "CRS", "neurotoxicity", "infection",
                "technical"),
        _choice("cell_source", "Source of the cells", "autologous", "donor", "unknown"),
    ),
    _form(
        "assessments", "Assessments", True,
        Field("sample_date", "Date of the sample", "date"),
        _choice("material", "Material", *MATERIALS),
        _choice("method", "Method", *METHODS),
        _choice("measure", "What was measured", "MRD", "blasts"),
        Field("result", "Result"),
        Field("unit", "Unit of the result"),
        Field("lod", "Limit of detection, fraction", "number"),
        Field("loq", "Limit of quantification, fraction", "number"),
        _LINE, _BLOCK, _COURSE,
    ),
    _form(
        "adverse_events", "Adverse events", True,
        _choice("term", "Adverse event", *(term.name for term in TERMS)),
        Field("grade", "Grade", "whole"),
        _choice("scale", "Scale of the grade", "CTCAE 4.03", "CTCAE 5", "Lee 2014", "ASTCT 2019"),
        Field("onset_date", "First day of the event", "date"),
        Field("end_date", "Last day of the event", "date"),
        Field("serious", "Serious", "yes_no"),
        _choice("outcome", "Outcome", *OUTCOMES),
        _choice("infection_site", "Site of the infection", *INFECTION_SITES),
        _choice("documentation", "Documentation of the infection", *DOCUMENTATION),
        _choice("pathogen", "Pathogen", *PATHOGENS),
    ),
    _form(
        "transplants", "Transplants", True,
        Field("transplant_number", "Number of the transplant", "whole"),
        Field("conditioning_date", "First day of conditioning", "date"),
        Field("transplant_date", "Date of transplant", "date"),
        _choice("donor", "Donor", "MSD", "MUD", "MMUD", "haplo", "cord"),
        _choice("graft", "Graft", "BM", "PB", "CB"),
        _choice("manipulation", "Manipulation of the graft", "none", "TCRab/CD19 depletion"),
        _choice("conditioning", "Conditioning", "TBI", "treosulfan", "other"),
        _choice("status_at_transplant", "Status at transplant", "CR2", "CR3", "not in remission"),
        Field("mrd_before", "MRD before transplant"),
        _DOCUMENTED,
    ),
    _form(
        "followup", "Follow-up", False,
        _choice("status", "Status", "alive", "dead", "lost"),
        Field("last_contact_date", "Date of last contact", "date"),
        Field("last_disease_assessment_date", "Date of last disease assessment", "date"),
        Field("relapse_date", "Date of next relapse", "date"),
        _choice("relapse_site", "Site of next relapse", *SITES),
        _choice("cd19_at_relapse", "CD19 at next relapse", "positive", "dim", "negative",
                "lineage switch", "unknown"),
        Field("death_date", "Date of death", "date"),
        _choice("death_cause", "Cause of death", *CAUSES),
        Field("second_malignancy_date", "Date of second malignancy", "date"),
    ),
)  # fmt: skip
FORMS: dict[str, Form] = {form.table: form for form in _FORMS}


def recoded(column: str, codes: dict[str, str]) -> pl.Expr:
    """Other texts for those of a column; empty cells stay empty.

    Raises polars' InvalidOperationError for a text that `codes` does not know.
    """
    return pl.col(column).replace_strict(codes, return_dtype=pl.String)


def iso_date(column: str) -> pl.Expr:
    """The dates of a column as yyyy-mm-dd."""
    return pl.col(column).str.to_date(DATE).dt.to_string("iso")
