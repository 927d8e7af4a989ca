"""The canonical tables, declared once: staging checks, DDL, comments and glossary come from here.

A snapshot has two files. Tables of `RESULTS` hold no source identifier, no calendar date finer
than a year and no raw text; tables of `RECORDS` hold what the clinician path needs. Columns whose
metadata says `volatile` describe the act of loading, not the data, and stay out of the content id.
"""

import functools
from dataclasses import dataclass

import dataframely as dy

from trial.study import Study

SCHEMA_VERSION = 1
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


class MilestoneFact(dy.Schema):
    """One row per enrollment x milestone x instance that happened."""

    enrollment_key = dy.Int64(primary_key=True, description="Whose milestone.")
    milestone_code = dy.String(primary_key=True, description="What happened, from the study.")
    instance = dy.Int32(primary_key=True, min=1, description="1 for the first, 2 for a second.")
    day = dy.Int32(nullable=False, min=0, description="Days since day 0 of the enrollment.")


class Doubt(dy.Schema):
    """One row per enrollment x milestone that a quarantined row might have told of."""

    enrollment_key = dy.Int64(primary_key=True, description="Whose milestone.")
    milestone_code = dy.String(primary_key=True, description="Which milestone is in doubt.")


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
    """One row per enrollment x endpoint that could be derived (built in the warehouse)."""

    enrollment_key = dy.Int64(primary_key=True, description="Whose time.")
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
    TableSpec("fct_milestone", MilestoneFact, "results"),
    TableSpec("fct_doubt", Doubt, "results"),
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
