"""The canonical tables, declared once: staging checks, DDL, comments and glossary come from here.

A snapshot has two files. Tables of `RESULTS` hold no source identifier, no calendar date finer
than a year and no raw text; tables of `RECORDS` hold what the clinician path needs. Columns whose
metadata says `volatile` describe the act of loading, not the data, and stay out of the content id.
"""

import functools
from dataclasses import dataclass

import dataframely as dy

from trial.study import Study

# 1: one line an enrollment, milestones only. 2: lines, courses, samples, adverse events.
SCHEMA_VERSION = 2
VOLATILE = {"volatile": True}


class Enrollment(dy.Schema):
    """One row per enrollment; baseline facts only. The study adds its own characteristics."""

    enrollment_key = dy.Int64(
        primary_key=True, description="Surrogate key of the enrollment: a keyed hash (HMAC)."
    )
    patient_key = dy.Int64(
        nullable=False, description="Surrogate key of the patient: a keyed hash (HMAC)."
    )
    cohort_code = dy.String(nullable=False, description="Cohort of the enrollment, from the study.")
    enrollment_year = dy.Int32(
        nullable=True, description="Calendar year of day 0; empty if the export has no dates."
    )
    entry_day = dy.Int32(
        nullable=True, description="Day of registration; empty if the export does not say."
    )


class Line(dy.Schema):
    """One row per line of therapy of an enrollment; an export without lines has one each."""

    enrollment_key = dy.Int64(primary_key=True, description="Whose line.")
    line_number = dy.Int32(primary_key=True, min=1, description="1 for the first line.")
    entry_reason = dy.String(nullable=False, description="Why the line began, from the study.")
    start_day = dy.Int32(nullable=False, min=0, description="Its time zero.")
    protocol_as_treated = dy.String(
        nullable=True, description="Cohort code of the protocol that was in fact given."
    )
    intent = dy.String(nullable=True, description="curative or palliative.")
    is_primary = dy.Bool(
        nullable=False,
        description="First line of this kind of the patient: what pages count by default.",
    )


class MilestoneFact(dy.Schema):
    """One row per enrollment x milestone x instance that happened."""

    enrollment_key = dy.Int64(primary_key=True, description="Whose milestone.")
    milestone_code = dy.String(primary_key=True, description="What happened, from the study.")
    instance = dy.Int32(primary_key=True, min=1, description="1 for the first, 2 for a second.")
    day = dy.Int32(nullable=False, min=0, description="Days since day 0 of the enrollment.")
    detail_code = dy.String(nullable=True, description="What kind: site, cause, donor ...")


class Course(dy.Schema):
    """One row per line x block given x number of the course."""

    enrollment_key = dy.Int64(primary_key=True, description="Whose course.")
    line_number = dy.Int32(primary_key=True, min=1, description="In which line.")
    block_code = dy.String(primary_key=True, description="Block, from the study.")
    course_number = dy.Int32(primary_key=True, min=1, description="1 for the first of its kind.")
    start_day = dy.Int32(nullable=False, min=0, description="First day.")
    stop_day = dy.Int32(nullable=True, min=0, description="Last day; empty if not recorded.")
    is_planned = dy.Bool(nullable=True, description="Given as planned.")
    dose_percent = dy.Float64(nullable=True, min=0, description="Dose given, per cent of planned.")
    is_completed = dy.Bool(nullable=True, description="Given to its end.")
    ae_documented = dy.String(
        nullable=False, description="Adverse events documented: yes, no or unknown."
    )


class Infusion(dy.Schema):
    """One row per infusion segment or cell infusion."""

    enrollment_key = dy.Int64(primary_key=True, description="Whose infusion.")
    infusion_number = dy.Int32(primary_key=True, min=1, description="In order of the day.")
    line_number = dy.Int32(nullable=False, description="In which line.")
    block_code = dy.String(nullable=False, description="In which block.")
    course_number = dy.Int32(nullable=False, description="In which course of it.")
    kind_code = dy.String(nullable=False, description="What was infused.")
    start_day = dy.Int32(nullable=False, min=0, description="First day.")
    stop_day = dy.Int32(nullable=True, min=0, description="Last day.")
    dose = dy.Float64(nullable=True, min=0, description="Dose in the unit of dose_basis.")
    dose_basis = dy.String(nullable=True, description="Unit of the dose.")
    step = dy.Int32(nullable=True, description="Dose step.")
    cell_source = dy.String(nullable=True, description="Whose cells.")


class Assessment(dy.Schema):
    """One row per sample day x material x method x measure; two results of one key are errors."""

    enrollment_key = dy.Int64(primary_key=True, description="Whose sample.")
    sample_day = dy.Int32(primary_key=True, min=0, description="Day it was taken.")
    material_code = dy.String(primary_key=True, description="Material.")
    method_code = dy.String(primary_key=True, description="Method.")
    measure_code = dy.String(primary_key=True, description="What was measured.")
    qualifier = dy.String(
        nullable=True,
        description="= < > undetectable detected (below quantification) failed; empty: no result.",
    )
    value = dy.Float64(nullable=True, min=0, description="Fraction from 0 to 1.")
    lod = dy.Float64(nullable=True, min=0, description="Detection limit, fraction.")
    loq = dy.Float64(nullable=True, min=0, description="Quantification limit, fraction.")
    is_lod_assumed = dy.Bool(
        nullable=False, description="The detection limit is the study's default."
    )


class AdverseEvent(dy.Schema):
    """One row per adverse event, with the course it belongs to, if any."""

    enrollment_key = dy.Int64(primary_key=True, description="Whose event.")
    event_number = dy.Int32(primary_key=True, min=1, description="In order of the day.")
    term_code = dy.String(nullable=False, description="Term, from the study.")
    grade_low = dy.Int32(nullable=False, min=1, description="Grade; the lower end of '3-4'.")
    grade_high = dy.Int32(nullable=False, min=1, description="Grade; the upper end of '3-4'.")
    scale_code = dy.String(nullable=False, description="Grading scale; scales are kept apart.")
    onset_day = dy.Int32(nullable=False, min=0, description="First day.")
    end_day = dy.Int32(nullable=True, min=0, description="Last day; empty if it goes on.")
    is_serious = dy.Bool(nullable=True, description="Serious.")
    outcome_code = dy.String(nullable=True, description="recovered, ongoing, fatal or unknown.")
    line_number = dy.Int32(nullable=True, description="Line of its course; empty outside any.")
    block_code = dy.String(nullable=True, description="Block of its course; empty outside any.")
    course_number = dy.Int32(nullable=True, description="Its course; empty outside any.")


class Doubt(dy.Schema):
    """One row per enrollment x milestone (or table) that a quarantined row might have told of."""

    enrollment_key = dy.Int64(primary_key=True, description="Whose milestone.")
    milestone_code = dy.String(
        primary_key=True, description="Which milestone, or which table, is in doubt."
    )


class BlockRow(dy.Schema):
    """One row per block of the study definition."""

    block_code = dy.String(primary_key=True, description="Block, from the study.")
    position = dy.Int32(nullable=False, description="Treatment order.")


class TimepointRow(dy.Schema):
    """One row per time point of the study definition."""

    timepoint_code = dy.String(primary_key=True, description="Time point, from the study.")
    after_block = dy.String(nullable=True, description="Block whose first course starts it.")
    before_block = dy.String(nullable=True, description="Block whose first course ends it.")
    before_milestone = dy.String(nullable=True, description="Milestone that ends it.")
    from_day = dy.Int32(nullable=False, description="First day, from the anchor.")
    to_day = dy.Int32(nullable=False, description="Last day, from the anchor.")


class TermRow(dy.Schema):
    """One row per adverse-event term of the study definition."""

    term_code = dy.String(primary_key=True, description="Term, from the study.")
    category_code = dy.String(nullable=False, description="Its category.")


class ResponseRuleRow(dy.Schema):
    """One row per kind of line whose response is judged."""

    entry_reason = dy.String(primary_key=True, description="Kind of line.")
    landmark_day = dy.Int32(nullable=False, description="Day of the line by which to respond.")
    assessed_from_day = dy.Int32(nullable=False, description="First day of an assessment.")
    remission_code = dy.String(nullable=False, description="Milestone of remission.")
    relapse_code = dy.String(nullable=False, description="Milestone of relapse.")
    death_code = dy.String(nullable=False, description="Milestone of death.")
    contact_code = dy.String(nullable=False, description="Milestone of last contact.")
    material_code = dy.String(nullable=False, description="Material that counts.")
    measure_code = dy.String(nullable=False, description="Measure of MRD.")


class MethodRow(dy.Schema):
    """One row per method, in order of preference for two samples of one day."""

    method_code = dy.String(primary_key=True, description="Method.")
    position = dy.Int32(nullable=False, description="1 is preferred.")


class EndpointLineRow(dy.Schema):
    """One row per endpoint x kind of line it is defined for."""

    endpoint_code = dy.String(primary_key=True, description="Endpoint, from the study.")
    entry_reason = dy.String(primary_key=True, description="Kind of line.")


class EndpointNeedRow(dy.Schema):
    """One row per endpoint x milestone of the export that must be known to derive it."""

    endpoint_code = dy.String(primary_key=True, description="Endpoint, from the study.")
    milestone_code = dy.String(primary_key=True, description="Milestone that must be known.")


class Response(dy.Schema):
    """One row per line whose response is judged at the landmark (built in the warehouse)."""

    enrollment_key = dy.Int64(primary_key=True, description="Whose response.")
    line_number = dy.Int32(primary_key=True, description="Of which line.")
    response_code = dy.String(
        nullable=False,
        description="remission, non_response, early_death, or not_evaluable at the landmark.",
    )
    remission_day = dy.Int32(nullable=True, description="First remission of the line.")
    is_late = dy.Bool(nullable=False, description="Remission first reached after the landmark.")
    failure_day = dy.Int32(
        nullable=True,
        description="Without remission by the landmark: the last assessment by then, "
        "else the landmark.",
    )
    start_day = dy.Int32(nullable=False, description="Start of the line.")


class ResponseSample(dy.Schema):
    """One row per line x time point: the MRD sample that stands for it (built)."""

    enrollment_key = dy.Int64(primary_key=True, description="Whose sample.")
    line_number = dy.Int32(primary_key=True, description="In which line.")
    timepoint_code = dy.String(primary_key=True, description="Time point, from the study.")
    status = dy.String(
        nullable=False, description="sampled, not_sampled, not_reached, too_early or in_doubt."
    )
    sample_day = dy.Int32(nullable=True, description="Day of the sample.")
    method_code = dy.String(nullable=True, description="Its method.")
    qualifier = dy.String(nullable=True, description="As in fct_assessment.")
    value = dy.Float64(nullable=True, description="Fraction.")
    lod = dy.Float64(nullable=True, description="Detection limit, fraction.")
    loq = dy.Float64(nullable=True, description="Quantification limit, fraction.")
    is_lod_assumed = dy.Bool(nullable=True, description="The limit is the study's default.")


class WorstGrade(dy.Schema):
    """One row per course x term: the worst grade (built)."""

    enrollment_key = dy.Int64(primary_key=True, description="Whose course.")
    line_number = dy.Int32(primary_key=True, description="In which line.")
    block_code = dy.String(primary_key=True, description="Block.")
    course_number = dy.Int32(primary_key=True, description="Course.")
    term_code = dy.String(primary_key=True, description="Term.")
    grade_low = dy.Int32(nullable=False, description="Worst grade that is certain.")
    grade_high = dy.Int32(nullable=False, description="Worst grade that is possible.")


class EndpointRow(dy.Schema):
    """One row per endpoint of the study definition."""

    endpoint_code = dy.String(primary_key=True, description="Endpoint, from the study.")
    origin_code = dy.String(
        nullable=False, description="Milestone that starts the clock, or 'enrollment' (day 0)."
    )
    censor_code = dy.String(
        nullable=False, description="Milestone up to which an enrollment is observed."
    )


class EndpointEventRow(dy.Schema):
    """One row per endpoint x milestone that ends it."""

    endpoint_code = dy.String(primary_key=True, description="Endpoint, from the study.")
    milestone_code = dy.String(primary_key=True, description="Milestone that ends it.")
    state = dy.Int8(nullable=False, min=1, description="1 the event, 2 and more competing.")
    priority = dy.Int32(
        nullable=False, description="Which milestone counts when two fall on one day; 1 wins."
    )


class TimeToEvent(dy.Schema):
    """One row per line x endpoint that could be derived (built in the warehouse)."""

    enrollment_key = dy.Int64(primary_key=True, description="Whose time.")
    line_number = dy.Int32(primary_key=True, description="Of which line.")
    endpoint_code = dy.String(primary_key=True, description="Endpoint, from the study.")
    time_days = dy.Int32(
        nullable=False, min=0, description="Days from the origin to the event or to censoring."
    )
    state = dy.Int8(
        nullable=False, min=0, description="0 censored, 1 event, 2 and more competing events."
    )
    reason = dy.String(nullable=False, description="Milestone that ended the time.")


class Load(dy.Schema):
    """One row: the load that built the snapshot."""

    study_code = dy.String(primary_key=True, description="Study of the snapshot.")
    mapping_code = dy.String(nullable=False, description="Mapping the export was read with.")
    data_cutoff = dy.String(
        nullable=False,
        description="Declared data cut-off (ISO date), else the year of the latest date in the "
        "data, else 'undated'.",
    )
    schema_version = dy.Int32(nullable=False, description="Version of these tables.")
    rows_in = dy.Int64(nullable=False, min=0, description="Data rows read.")
    rows_loaded = dy.Int64(nullable=False, min=0, description="Rows that reached a table.")
    rows_quarantined = dy.Int64(nullable=False, min=0, description="Rows kept out, with a rule.")
    is_synthetic = dy.Bool(nullable=False, description="The rows say that they are synthetic.")
    loaded_at = dy.String(
        nullable=False, metadata=VOLATILE, description="When the snapshot was built (UTC)."
    )
    program_version = dy.String(
        nullable=False, metadata=VOLATILE, description="Version of the program that built it."
    )


class LoadedFile(dy.Schema):
    """One row per file of the export; rows_in = rows_loaded + rows_quarantined."""

    file_number = dy.Int32(primary_key=True, description="Number of the file within the load.")
    source_code = dy.String(nullable=False, description="Source of the mapping that read it.")
    is_enrolling = dy.Bool(nullable=False, description="Its rows enroll patients.")
    rows_in = dy.Int64(nullable=False, min=0, description="Data rows read.")
    rows_loaded = dy.Int64(nullable=False, min=0, description="Rows that reached a table.")
    rows_quarantined = dy.Int64(nullable=False, min=0, description="Rows kept out, with a rule.")


class Issue(dy.Schema):
    """One row per file x severity x rule x column: how many findings, in how many rows."""

    file_number = dy.Int32(primary_key=True, description="Number of the file within the load.")
    severity = dy.String(
        primary_key=True,
        description="error (row quarantined), warning, repair (value changed) or info.",
    )
    rule = dy.String(primary_key=True, description="Code of the check.")
    column_name = dy.String(primary_key=True, description="Column of the export; '' for the row.")
    n_findings = dy.Int64(nullable=False, min=1, description="Findings.")
    n_rows = dy.Int64(nullable=False, min=1, description="Rows with such a finding.")


class StudyRow(dy.Schema):
    """One row: the study definition the snapshot was built with."""

    study_code = dy.String(primary_key=True, description="Study of the snapshot.")
    definition = dy.String(nullable=False, description="The study definition, TOML, verbatim.")


class RecordEnrollment(dy.Schema):
    """One row per enrollment: the way back to the source."""

    enrollment_key = dy.Int64(primary_key=True, description="Key in the results file.")
    source_patient_id = dy.String(nullable=False, description="Patient identifier, as exported.")
    origin_date = dy.Date(nullable=True, description="Calendar date of day 0, if exported.")


class RecordFact(dy.Schema):
    """One row per source row x fact that was taken from it."""

    file_number = dy.Int32(primary_key=True, description="Number of the file within the load.")
    source_row = dy.Int64(primary_key=True, description="Row in the file; the header is row 1.")
    table_name = dy.String(
        primary_key=True,
        description="Canonical table the fact went to; 'none' if the row says nothing happened.",
    )
    item_code = dy.String(primary_key=True, description="Milestone code; '' for baseline.")
    enrollment_key = dy.Int64(nullable=False, description="Whose fact.")


class RecordFile(dy.Schema):
    """One row per file of the export: its name."""

    file_number = dy.Int32(primary_key=True, description="Number of the file within the load.")
    file_name = dy.String(
        nullable=False, metadata=VOLATILE, description="Name of the file, without its folder."
    )


class Finding(dy.Schema):
    """One row per finding of a check."""

    finding_number = dy.Int64(primary_key=True, description="Number of the finding.")
    file_number = dy.Int32(nullable=False, description="Number of the file within the load.")
    source_row = dy.Int64(nullable=False, description="Row in the file; 0 for the whole file.")
    column_name = dy.String(nullable=False, description="Column of the export; '' for the row.")
    raw_text = dy.String(nullable=False, description="What stood there.")
    rule = dy.String(nullable=False, description="Code of the check.")
    severity = dy.String(nullable=False, description="error, warning, repair or info.")
    message = dy.String(nullable=False, description="What is wrong and what to do.")


class Quarantine(dy.Schema):
    """One row per row of the export that was kept out of every table."""

    file_number = dy.Int32(primary_key=True, description="Number of the file within the load.")
    source_row = dy.Int64(primary_key=True, description="Row in the file; the header is row 1.")
    row_text = dy.String(nullable=False, description="The row as JSON, as exported.")


@dataclass(frozen=True)
class TableSpec:
    """A canonical table: its name, its schema and the file it lives in."""

    name: str
    schema: type[dy.Schema]
    database: str


TABLES = (
    TableSpec("dim_enrollment", Enrollment, "results"),
    TableSpec("dim_endpoint", EndpointRow, "results"),
    TableSpec("dim_endpoint_event", EndpointEventRow, "results"),
    TableSpec("dim_endpoint_line", EndpointLineRow, "results"),
    TableSpec("dim_endpoint_need", EndpointNeedRow, "results"),
    TableSpec("dim_block", BlockRow, "results"),
    TableSpec("dim_timepoint", TimepointRow, "results"),
    TableSpec("dim_term", TermRow, "results"),
    TableSpec("dim_method", MethodRow, "results"),
    TableSpec("dim_response_rule", ResponseRuleRow, "results"),
    TableSpec("dim_line", Line, "results"),
    TableSpec("fct_milestone", MilestoneFact, "results"),
    TableSpec("fct_course", Course, "results"),
    TableSpec("fct_infusion", Infusion, "results"),
    TableSpec("fct_assessment", Assessment, "results"),
    TableSpec("fct_adverse_event", AdverseEvent, "results"),
    TableSpec("fct_doubt", Doubt, "results"),
    TableSpec("fct_response", Response, "results"),
    TableSpec("fct_response_sample", ResponseSample, "results"),
    TableSpec("fct_worst_grade", WorstGrade, "results"),
    TableSpec("fct_time_to_event", TimeToEvent, "results"),
    TableSpec("load", Load, "results"),
    TableSpec("file", LoadedFile, "results"),
    TableSpec("issue", Issue, "results"),
    TableSpec("study", StudyRow, "results"),
    TableSpec("record_enrollment", RecordEnrollment, "records"),
    TableSpec("record_fact", RecordFact, "records"),
    TableSpec("record_file", RecordFile, "records"),
    TableSpec("finding", Finding, "records"),
    TableSpec("quarantine", Quarantine, "records"),
)


@functools.lru_cache(maxsize=64)
def enrollment_schema(study: Study) -> type[dy.Schema]:
    """dim_enrollment with the study's characteristics: a level code each, and a number's value."""
    columns: dict[str, dy.Column] = {}
    for x in study.characteristics:
        if x.kind == "number":
            columns[x.code] = dy.Float64(nullable=True, description=f"{x.label} ({x.unit}).")
        columns[x.level_column] = dy.String(
            nullable=True, description=f"{x.label}: level code; empty if not recorded."
        )
    return type(f"Enrollment_{study.code}", (Enrollment,), columns)


def tables_of(study: Study) -> tuple[TableSpec, ...]:
    """Every table of a snapshot of this study, the enrollment table with its characteristics."""
    return tuple(
        TableSpec(t.name, enrollment_schema(study), t.database) if t.name == "dim_enrollment" else t
        for t in TABLES
    )
