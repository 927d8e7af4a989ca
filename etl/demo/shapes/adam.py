"""The demo as ADaM datasets in SAS transport files (XPT version 5).

One dataset a kind of record, named as ADaM names them, with the milestones of a child as dates in
ADSL and courses and infusions together in ADEX. USUBJID is the child and SUBJID the enrollment,
since a child can be enrolled in both protocols. Choices are written in capitals, or as CDISC's
controlled terminology has them. Numbers and dates are numeric; SAS has them as IBM floats, which
hold every double of the demo exactly.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyreadstat

from etl.demo.shapes.fields import CASE, DATE, FORMS, ORIGIN, Field, Tables, recoded

_PATIENT = "patient_id"
# Every record begins with these.
_KEYS = {"STUDYID": "Study", "USUBJID": "Patient", "SUBJID": "Enrollment", "SRCFL": "Origin"}
_LINE = {"LINENUM": "line_number"}
_COURSE = {**_LINE, "BLOCK": "block", "COURSENO": "course_number"}
_TERMS: dict[str, dict[str, str]] = {
    "material": {"BM": "BONE MARROW", "PB": "BLOOD", "CSF": "CEREBROSPINAL FLUID"},
    "method": {"morphology": "MICROSCOPY", "flow": "FLOW CYTOMETRY", "PCR": "PCR"},
    "measure": {"MRD": "MRD", "blasts": "BLAST"},
    "outcome": {
        "recovered": "RECOVERED/RESOLVED",
        "ongoing": "NOT RECOVERED/NOT RESOLVED",
        "fatal": "FATAL",
        "unknown": "UNKNOWN",
    },
    "unit": {"%": "%", "fraction": "fraction"},
}
# Results as a laboratory writes them, and a grade, which is a code that looks like a number.
_AS_TEXT = {"result", "mrd_before", "grade"}


@dataclass(frozen=True)
class Part:
    """Rows of one table in a dataset: variable -> column. `category`: PARCAT1, if there are two."""

    table: str
    variables: dict[str, str]
    category: str = ""


@dataclass(frozen=True)
class Dataset:
    """A dataset: its name, its label and the tables its rows come from."""

    name: str
    label: str
    parts: tuple[Part, ...]


_SUBJECT = {
    "TRT01P": "protocol", "SEX": "sex", "BRTHDT": "birth_date", "AGE": "age_years",
    "DIAGDT": "diagnosis_date", "FLENDT": "frontline_end_date", "ONFLFL": "on_frontline_therapy",
    "RLPSNUM": "relapse_number", "RLPSDT": "relapse_date", "REGDT": "registration_date",
    "RLPSSITE": "site", "IMMPHENO": "immunophenotype", "GENETICS": "genetics",
    "TIMEREC": "timing_recorded", "RISKREC": "risk_recorded", "BLKELSFL": "first_block_elsewhere",
}  # fmt: skip
_FOLLOW_UP = {
    "EOSSTT": "status", "LSTALVDT": "last_contact_date", "LSTASDT": "last_disease_assessment_date",
    "NXRLPSDT": "relapse_date", "NXRLPSST": "relapse_site", "NXCD19": "cd19_at_relapse",
    "DTHDT": "death_date", "DTHCAUS": "death_cause", "SECMALDT": "second_malignancy_date",
}  # fmt: skip
_LINES = {
    **_LINE, "LINERSN": "entry_reason", "ASTDT": "start_date", "TRTP": "protocol_as_treated",
    "INTENT": "intent", "REMDT": "remission_date", "REMTYPE": "remission_type",
}  # fmt: skip
_COURSES = {
    **_COURSE, "ASTDT": "start_date", "AENDT": "stop_date", "ANCRECDT": "anc_recovery_date",
    "PLANFL": "planned", "DOSEPCT": "dose_percent", "COMPLFL": "completed",
    "STOPRSN": "stop_reason", "AEDOC": "ae_documented",
}  # fmt: skip
_INFUSIONS = {
    **_COURSE, "EXTRT": "kind", "ASTDT": "start_date", "AENDT": "stop_date", "EXDOSE": "dose",
    "EXDOSU": "dose_basis", "DOSESTEP": "step", "STOPRSN": "stop_reason",
    "CELLSRC": "cell_source",
}  # fmt: skip
_ASSESSMENTS = {
    "PARAMCD": "measure", "ADT": "sample_date", "AVALC": "result", "AVALU": "unit",
    "LBSPEC": "material", "LBMETHOD": "method", "LLOD": "lod", "LLOQ": "loq", **_COURSE,
}  # fmt: skip
_EVENTS = {
    "AEDECOD": "term", "ATOXGR": "grade", "ATOXSCL": "scale", "ASTDT": "onset_date",
    "AENDT": "end_date", "AESER": "serious", "AEOUT": "outcome",
    "INFSITE": "infection_site", "INFDOC": "documentation", "AEPATHO": "pathogen",
}  # fmt: skip
_TRANSPLANTS = {
    "PRNUM": "transplant_number", "CONDDT": "conditioning_date", "ADT": "transplant_date",
    "DONOR": "donor", "GRAFT": "graft", "MANIP": "manipulation", "CONDREG": "conditioning",
    "PRSTAT": "status_at_transplant", "MRDBEF": "mrd_before", "AEDOC": "ae_documented",
}  # fmt: skip
_DATASETS = (
    Dataset("ADLOT", "Lines of Therapy", (Part("lines", _LINES),)),
    Dataset(
        "ADEX", "Exposure: Courses and Infusions",
        (Part("courses", _COURSES, "COURSE"), Part("infusions", _INFUSIONS, "INFUSION")),
    ),
    Dataset("ADLB", "Assessments of Disease", (Part("assessments", _ASSESSMENTS),)),
    Dataset("ADAE", "Adverse Events", (Part("adverse_events", _EVENTS),)),
    Dataset("ADPR", "Transplants", (Part("transplants", _TRANSPLANTS),)),
)  # fmt: skip


def _terms(field: Field) -> dict[str, str]:
    if field.kind == "yes_no":
        return {"yes": "Y", "no": "N"}
    known = _TERMS.get(field.column, {})
    return {text: known.get(text, text.upper()) for text in field.choices}


def _value(field: Field) -> pl.Expr:
    """The values of a field as SAS holds them."""
    if field.kind == "date":
        return pl.col(field.column).str.to_date(DATE)
    if field.kind in ("number", "whole") and field.column not in _AS_TEXT:
        return pl.col(field.column).cast(pl.Float64)
    if terms := _terms(field):
        return recoded(field.column, terms)
    return pl.col(field.column)


def _keys() -> list[pl.Expr]:
    columns = {"USUBJID": _PATIENT, "SUBJID": CASE, "SRCFL": ORIGIN}
    study = pl.lit("ALL-REZ").alias("STUDYID")
    return [study, *(pl.col(column).alias(v) for v, column in columns.items())]


def _records(part: Part, table: pl.DataFrame) -> pl.DataFrame:
    """Keys and variables of a part; the table has the child of each row."""
    form = FORMS[part.table]
    values = [_value(form.field(column)).alias(v) for v, column in part.variables.items()]
    category = [pl.lit(part.category).alias("PARCAT1")] if part.category else []
    return table.select(*_keys(), *category, *values)


def _subjects(tables: Tables) -> pl.DataFrame:
    """ADSL: baseline and milestones of each enrollment."""
    baseline = _records(Part("patients", _SUBJECT), tables["patients"])
    form, seen = FORMS["followup"], tables["followup"]
    values = [_value(form.field(column)).alias(v) for v, column in _FOLLOW_UP.items()]
    follow_up = seen.select(pl.col(CASE).alias("SUBJID"), *values)
    return baseline.join(follow_up, on="SUBJID", how="left", maintain_order="left")


def _labels() -> dict[str, str | None]:
    """The label of each variable; one that two datasets share means the same in both."""
    parts = [part for dataset in _DATASETS for part in dataset.parts]
    parts += [Part("patients", _SUBJECT), Part("followup", _FOLLOW_UP)]
    told: dict[str, str | None] = {
        variable: FORMS[part.table].field(column).label
        for part in parts
        for variable, column in part.variables.items()
    }
    shared = {"ASTDT": "Analysis start date", "AENDT": "Analysis end date", "ADT": "Analysis date"}
    return {**told, **_KEYS, **shared, "PARCAT1": "Kind of record"}


# A transport file says when it was written. Same rows, same bytes: the time is set to that of the
# demo's data.
_STAMP = re.compile(rb"\d{2}[A-Z]{3}\d{2}:\d{2}:\d{2}:\d{2}")
_HEADER_BYTES = 560
_WRITTEN = b"31JAN22:00:00:00"


def _write(out: Path, name: str, label: str, records: pl.DataFrame) -> tuple[str, int]:
    path = out / f"{name.lower()}.xpt"
    dates = [c for c, kind in records.schema.items() if kind == pl.Date]
    # pyreadstat takes frames of several libraries; its own type for them fits none exactly.
    frame: Any = records.with_columns(pl.col(pl.String).fill_null(""))
    pyreadstat.write_xport(
        frame,
        path,
        file_label=label,
        column_labels=_labels(),
        table_name=name,
        file_format_version=5,
        variable_format=dict.fromkeys(dates, "DATE9."),
    )
    with path.open("r+b") as file:
        header = _STAMP.sub(_WRITTEN, file.read(_HEADER_BYTES))
        file.seek(0)
        file.write(header)
    return (path.name, records.height)


def write_adam(out: Path, tables: Tables) -> tuple[tuple[str, int], ...]:
    """Write six transport files to the folder `out`; the records of each."""
    child = tables["patients"].select(CASE, _PATIENT)
    files = [_write(out, "ADSL", "Subject Level", _subjects(tables))]
    for dataset in _DATASETS:
        parts = [
            _records(part, tables[part.table].join(child, on=CASE, maintain_order="left"))
            for part in dataset.parts
        ]
        records = pl.concat(parts, how="diagonal")
        files.append(_write(out, dataset.name, dataset.label, records))
    return tuple(files)
