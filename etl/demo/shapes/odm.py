"""The demo as CDISC ODM-XML 1.3.2: a snapshot with its metadata, one subject an enrollment.

Study events are baseline, therapy and follow-up; each table is a form with one item group, which
repeats where an enrollment has several rows. Written subject by subject: memory holds one of them.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
from lxml import etree

from etl.demo.shapes.fields import CASE, FORMS, Field, Form, Tables, iso_date, recoded

FILE = "export.xml"
_NAMESPACE = "http://www.cdisc.org/ns/odm/v1.3"
_STUDY, _VERSION = "ST.ALLREZ", "MDV.1"
_EVENTS = {
    "BASELINE": ("patients",),
    "THERAPY": (
        "lines", "courses", "infusions", "assessments", "adverse_events", "transplants",
    ),
    "FOLLOWUP": ("followup",),
}  # fmt: skip
_TYPES = {"date": "date", "whole": "integer", "number": "float"}
_YES_NO = {"yes": "Y", "no": "N"}
# The same rows must make the same bytes: the day is that of the demo's data, not of its writing.
_WRITTEN = "2022-01-31T00:00:00+00:00"

Row = dict[str, str | None]


def item_oid(table: str, column: str) -> str:
    """The OID of a column's item."""
    return f"IT.{table}.{column}".upper()


def coded_value(text: str) -> str:
    """The code of a choice: `very early` is VERY_EARLY."""
    return re.sub(r"[^A-Z0-9.]+", "_", text.upper())


def _codes(field: Field) -> dict[str, str]:
    """The choices of a field, text -> code."""
    if field.kind == "yes_no":
        return _YES_NO
    return {text: coded_value(text) for text in field.choices}


# ------------------------------------------------------------------------------------- metadata


def _add(parent: etree._Element, tag: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, tag, attributes)


def _text(parent: etree._Element, text: str) -> None:
    """`text` in English, as ODM wraps what people read."""
    translated = _add(parent, "TranslatedText")
    translated.set("{http://www.w3.org/XML/1998/namespace}lang", "en")
    translated.text = text


def _repeating(form: Form) -> str:
    return "Yes" if form.repeats else "No"


def _add_events(version: etree._Element) -> None:
    protocol = _add(version, "Protocol")
    for event in _EVENTS:
        _add(protocol, "StudyEventRef", StudyEventOID=f"SE.{event}", Mandatory="Yes")
    for event, tables in _EVENTS.items():
        name = event.capitalize()
        defined = _add(
            version,
            "StudyEventDef",
            OID=f"SE.{event}",
            Name=name,
            Repeating="No",
            Type="Scheduled",
        )
        for table in tables:
            _add(defined, "FormRef", FormOID=f"F.{table.upper()}", Mandatory="No")


def _add_forms(version: etree._Element) -> None:
    for table, form in FORMS.items():
        oid = table.upper()
        defined = _add(version, "FormDef", OID=f"F.{oid}", Name=form.label, Repeating="No")
        _add(defined, "ItemGroupRef", ItemGroupOID=f"IG.{oid}", Mandatory="No")
    for table, form in FORMS.items():
        oid = f"IG.{table.upper()}"
        group = _add(version, "ItemGroupDef", OID=oid, Name=form.label, Repeating=_repeating(form))
        for field in form.fields:
            _add(group, "ItemRef", ItemOID=item_oid(table, field.column), Mandatory="No")


def _add_item(version: etree._Element, table: str, field: Field) -> None:
    oid, kind = item_oid(table, field.column), _TYPES.get(field.kind, "text")
    length = {"Length": "200"} if kind == "text" else {}
    item = _add(version, "ItemDef", OID=oid, Name=field.column, DataType=kind, **length)
    _text(_add(item, "Question"), field.label)
    if _codes(field):
        _add(item, "CodeListRef", CodeListOID=f"CL.{oid.removeprefix('IT.')}")


def _add_code_list(version: etree._Element, table: str, field: Field) -> None:
    oid = item_oid(table, field.column).replace("IT.", "CL.", 1)
    codes = _add(version, "CodeList", OID=oid, Name=field.label, DataType="text")
    for text, code in _codes(field).items():
        item = _add(codes, "CodeListItem", CodedValue=code)
        _text(_add(item, "Decode"), text)


def _study() -> etree._Element:
    study = etree.Element("Study", {"OID": _STUDY})
    told = _add(study, "GlobalVariables")
    _add(told, "StudyName").text = "ALL-REZ 2014 and ALL-REZ 2016"
    _add(told, "StudyDescription").text = "SYNTHETIC DATA. No patient."
    _add(told, "ProtocolName").text = "ALL-REZ"
    version = _add(study, "MetaDataVersion", OID=_VERSION, Name="First version")
    _add_events(version)
    _add_forms(version)
    fields = [(table, field) for table, form in FORMS.items() for field in form.fields]
    for table, field in fields:
        _add_item(version, table, field)
    for table, field in fields:
        if _codes(field):
            _add_code_list(version, table, field)
    return study


# ----------------------------------------------------------------------------------------- data


def _coded(form: Form, table: pl.DataFrame) -> pl.DataFrame:
    """case_id and the values of a form as ODM writes them, in the order of the table."""
    cells = []
    for field in form.fields:
        cell = pl.col(field.column)
        if codes := _codes(field):
            cell = recoded(field.column, codes)
        elif field.kind == "date":
            cell = iso_date(field.column)
        cells.append(cell.alias(item_oid(form.table, field.column)))
    return table.select(CASE, *cells)


def _by_case(cases: pl.DataFrame, table: pl.DataFrame) -> Iterator[list[Row]]:
    """The rows of each case, cases in their order and rows in that of the table."""
    ordered = table.join(cases, on=CASE, maintain_order="left").sort("_case", maintain_order=True)
    counts = cases.join(table.group_by(CASE).len(), on=CASE, how="left", maintain_order="left")
    values, first = ordered.drop(CASE, "_case"), 0
    for count in counts["len"].fill_null(0):
        yield values.slice(first, count).to_dicts()
        first += count


def _add_group(form: etree._Element, table: str, row: Row, repeat_key: str) -> None:
    group = _add(form, "ItemGroupData", ItemGroupOID=f"IG.{table.upper()}")
    if FORMS[table].repeats:
        group.set("ItemGroupRepeatKey", repeat_key)
    for oid, value in row.items():
        if value is not None:
            _add(group, "ItemData", ItemOID=oid, Value=value)


def _subject(case: str, rows: dict[str, list[Row]]) -> etree._Element:
    subject = etree.Element("SubjectData", {"SubjectKey": case})
    for event, tables in _EVENTS.items():
        told = [table for table in tables if rows[table]]
        if not told:
            continue
        visited = _add(subject, "StudyEventData", StudyEventOID=f"SE.{event}")
        for table in told:
            form = _add(visited, "FormData", FormOID=f"F.{table.upper()}")
            for number, row in enumerate(rows[table], start=1):
                _add_group(form, table, row, str(number))
    return subject


def _subjects(tables: Tables) -> Iterator[etree._Element]:
    cases = tables["patients"].select(CASE).with_row_index("_case")
    rows = {name: _by_case(cases, _coded(FORMS[name], tables[name])) for name in FORMS}
    for case in cases[CASE]:
        yield _subject(case, {name: next(of_case) for name, of_case in rows.items()})


def write_odm(out: Path, tables: Tables) -> tuple[tuple[str, int], ...]:
    """Write export.xml to the folder `out`; how many item groups it holds."""
    root: dict[str, Any] = {
        "FileOID": "F.ALLREZ",
        "FileType": "Snapshot",
        "Granularity": "All",
        "ODMVersion": "1.3.2",
        "CreationDateTime": _WRITTEN,
        "Description": "SYNTHETIC DATA. No patient.",
    }
    with etree.xmlfile(str(out / FILE), encoding="utf-8") as file:
        file.write_declaration()
        with file.element("ODM", root, nsmap={None: _NAMESPACE}):
            file.write(_study(), pretty_print=True)
            version = {"StudyOID": _STUDY, "MetaDataVersionOID": _VERSION}
            with file.element("ClinicalData", version):
                for subject in _subjects(tables):
                    file.write(subject, pretty_print=True)
    return ((FILE, sum(table.height for table in tables.values())),)
