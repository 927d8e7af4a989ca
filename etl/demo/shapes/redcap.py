"""The demo as a flat CSV of REDCap with repeating instruments, raw values, and its dictionary.

One record an enrollment: its first row holds the forms that do not repeat (baseline, follow-up),
then one row an instance of each repeating instrument. Choices are coded 1, 2, ...; why a course was
stopped is a checkbox, thus a column a choice.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from etl.demo.shapes.fields import CASE, FORMS, ORIGIN, Field, Form, Tables, iso_date, recoded

RECORD, INSTRUMENT, INSTANCE = "record_id", "redcap_repeat_instrument", "redcap_repeat_instance"
_COMPLETE = "2"
_RECORDS_IN_PART = 500
_CHECKBOX = ("courses", "stop_reason")
# Instruments in the order of the project, with what the names of their fields begin with.
_INSTRUMENTS = {
    "patients": ("baseline", ""),
    "followup": ("follow_up", "fu"),
    "lines": ("lines", "line"),
    "courses": ("courses", "course"),
    "infusions": ("infusions", "inf"),
    "assessments": ("assessments", "asm"),
    "adverse_events": ("adverse_events", "ae"),
    "transplants": ("transplants", "hsct"),
}
_DICTIONARY = (
    "Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
    "Choices, Calculations, OR Slider Labels", "Field Note",
    "Text Validation Type OR Show Slider Number", "Text Validation Min", "Text Validation Max",
    "Identifier?", "Branching Logic (Show field only if...)", "Required Field?",
    "Custom Alignment", "Question Number (surveys only)", "Matrix Group Name", "Matrix Ranking?",
    "Field Annotation",
)  # fmt: skip
_TYPES = {"yes_no": "yesno", "choice": "radio"}
_VALIDATION = {"date": "date_dmy", "whole": "integer", "number": "number"}
_IDENTIFIERS = {"patient_id", "medical_record", "birth_date"}


def field_name(table: str, column: str) -> str:
    """The name of a column's field: unique in the project."""
    prefix = _INSTRUMENTS[table][1]
    is_plain = not prefix or column.startswith(f"{prefix}_")
    return column if is_plain else f"{prefix}_{column}"


def _is_checkbox(table: str, field: Field) -> bool:
    return (table, field.column) == _CHECKBOX


def _cells(table: str, field: Field) -> list[pl.Expr]:
    """The columns of a field, coded as REDCap exports raw values."""
    name, column = field_name(table, field.column), field.column
    if _is_checkbox(table, field):
        return [
            (pl.col(column) == choice).fill_null(False).cast(pl.Int8).cast(pl.String)
            .alias(f"{name}___{k}")
            for k, choice in enumerate(field.choices, start=1)
        ]  # fmt: skip
    if field.kind == "date":
        return [iso_date(column).alias(name)]
    if field.kind == "yes_no":
        return [recoded(column, {"yes": "1", "no": "0"}).alias(name)]
    if field.kind == "choice":
        codes = {choice: str(k) for k, choice in enumerate(field.choices, start=1)}
        return [recoded(column, codes).alias(name)]
    return [pl.col(column).alias(name)]


def _form_rows(form: Form, table: pl.DataFrame) -> pl.DataFrame:
    """record_id and the fields of a form, in the order of the table."""
    cells = [cell for field in form.fields for cell in _cells(form.table, field)]
    complete = pl.lit(_COMPLETE).alias(f"{_INSTRUMENTS[form.table][0]}_complete")
    return table.select(pl.col(CASE).alias(RECORD), *cells, complete)


def _repeated(rows: pl.DataFrame, instrument: str) -> pl.DataFrame:
    instance = pl.int_range(1, pl.len() + 1).over(RECORD).cast(pl.String)
    return rows.select(
        RECORD,
        pl.lit(instrument).alias(INSTRUMENT),
        instance.alias(INSTANCE),
        pl.exclude(RECORD),
    )


def _in_parts(tables: Tables) -> Iterator[Tables]:
    """The tables of some records at a time: a row has every field of the project, mostly blank."""
    for cases in tables["patients"].select(CASE).iter_slices(_RECORDS_IN_PART):
        yield {name: table.join(cases, on=CASE, how="semi") for name, table in tables.items()}


def _project(tables: Tables) -> pl.DataFrame:
    """All rows: by record the row of the forms that do not repeat, then instances."""
    forms = {table: _form_rows(FORMS[table], tables[table]) for table in _INSTRUMENTS}
    base = forms["patients"].join(forms["followup"], on=RECORD, maintain_order="left")
    blank = pl.lit(None, pl.String)
    parts = [
        base.select(RECORD, blank.alias(INSTRUMENT), blank.alias(INSTANCE), pl.exclude(RECORD))
    ]
    parts += [
        _repeated(forms[table], instrument)
        for table, (instrument, _) in _INSTRUMENTS.items()
        if FORMS[table].repeats
    ]
    record = base.select(RECORD).with_row_index("_record")
    rows = pl.concat(parts, how="diagonal").join(record, on=RECORD, maintain_order="left")
    # The parts stand in the order of the instruments, instances in their order.
    return rows.sort("_record", maintain_order=True).drop("_record")


def _dictionary_row(form: Form, field: Field) -> list[str]:
    name, instrument = field_name(form.table, field.column), _INSTRUMENTS[form.table][0]
    kind = "checkbox" if _is_checkbox(form.table, field) else _TYPES.get(field.kind, "text")
    choices = " | ".join(f"{k}, {text}" for k, text in enumerate(field.choices, start=1))
    told = dict.fromkeys(_DICTIONARY, "") | {
        "Variable / Field Name": name,
        "Form Name": instrument,
        "Field Type": kind,
        "Field Label": field.label,
        "Choices, Calculations, OR Slider Labels": choices,
        "Text Validation Type OR Show Slider Number": _VALIDATION.get(field.kind, ""),
        "Identifier?": "y" if field.column in _IDENTIFIERS else "",
        "Field Annotation": "@DEFAULT='SYNTHETIC' @READONLY" if field.column == ORIGIN else "",
    }
    return list(told.values())


def _dictionary() -> list[list[str]]:
    first = FORMS["patients"]
    record = _dictionary_row(first, Field(RECORD, "Record: the enrollment"))
    fields = [(FORMS[table], field) for table in _INSTRUMENTS for field in FORMS[table].fields]
    return [list(_DICTIONARY), record, *(_dictionary_row(form, field) for form, field in fields)]


def write_redcap(out: Path, tables: Tables) -> tuple[tuple[str, int], ...]:
    """Write data.csv and dictionary.csv to the folder `out`; the data rows of both."""
    n_rows = 0
    with (out / "data.csv").open("wb") as file:
        for part in _in_parts(tables):
            rows = _project(part)
            rows.write_csv(file, include_header=n_rows == 0)
            n_rows += rows.height
    dictionary = _dictionary()
    with (out / "dictionary.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(dictionary)
    return (("data.csv", n_rows), ("dictionary.csv", len(dictionary) - 1))
