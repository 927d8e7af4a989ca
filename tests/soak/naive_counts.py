"""How many rows the files of an export hold, counted without any reader of ours.

By Python's csv, by its json, by its parser of XML. None where no such count is possible: only a
reader can judge what is damaged like that.
"""

import csv
import io
import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

import pyreadstat

from etl.sources.raw import RawTable
from tests.soak.exports import Export, Files

_WORKBOOK = "xl/workbook.xml"
# Sheets of the demo have one line of headers, but for these; a title stands above some of them.
_HEADER_LINES = {"Индукция": 2}
_HEAD = 3


def csv_rows(data: bytes, separator: str) -> int | None:
    """Rows of a CSV file below its header; blank lines are none."""
    try:
        text = io.StringIO(data.decode("utf-8-sig"), newline="")
        if text.read(4).lower() != "sep=":
            text.seek(0)
        return max(0, sum(1 for cells in csv.reader(text, delimiter=separator) if cells) - 1)
    except (UnicodeDecodeError, csv.Error):
        return None


def _named(tree: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [element for element in tree.iter() if element.tag.rpartition("}")[2] == name]


def _item_groups(tree: ElementTree.Element, tables: set[str]) -> int:
    """Records of ODM in these item groups, whatever a transaction makes of them."""
    return sum(group.get("ItemGroupOID") in tables for group in _named(tree, "ItemGroupData"))


def _redcap_rows(tree: ElementTree.Element) -> int:
    """Rows of a REDCap project without events: one a person, and one a repeat of a form."""
    rows = set()
    for person in _named(tree, "SubjectData"):
        for form in _named(person, "FormData"):
            repeat = form.get("FormRepeatKey") or "1"
            place = (form.get("FormOID"), repeat) if repeat != "1" else ()
            rows |= {(person.get("SubjectKey"), place)} if len(form) else set()
    return len(rows)


def xml_rows(data: bytes, tables: set[str]) -> int | None:
    """Records of an ODM file in these item groups, or rows of a REDCap project ('')."""
    try:
        tree = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError):
        return None
    return _redcap_rows(tree) if tables == {""} else _item_groups(tree, tables)


def json_rows(data: bytes) -> int | None:
    """Records of a Dataset-JSON file, a document or lines."""
    try:
        return len(json.loads(data)["rows"])
    except (ValueError, TypeError, KeyError):
        return len([line for line in data.split(b"\n") if line.strip()]) - 1


@cache
def _observations(data: bytes) -> int:
    """Rows of an unharmed SAS file, by the library that the world reads them with."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "unharmed.xpt"
        path.write_bytes(data)
        columns, _ = pyreadstat.read_xport(path, output_format="dict")
    return len(next(iter(columns.values())))


def sas_rows(data: bytes, unharmed: bytes) -> int | None:
    """Rows of a SAS file that is as long as before, its heads as before: as many as there were."""
    start = unharmed.rindex(b"OBS     HEADER RECORD") + 80
    is_same = data[:start] == unharmed[:start] and len(data) == len(unharmed)
    return _observations(unharmed) if is_same else None


def _lines(sheet: bytes) -> int:
    """Rows of a sheet with anything but blanks in a cell, titles and headers too."""
    rows = _named(ElementTree.fromstring(sheet), "row")
    texts = ((e.text or "" for tag in "tv" for e in _named(row, tag)) for row in rows)
    return sum(any(text.strip() for text in row) for row in texts)


def sheet_rows(inner: Files, unharmed: Files, tables: set[str]) -> int | None:
    """Rows of these sheets of a workbook, titles too, if only rows below the header are harmed."""
    names = [e.get("name") for e in _named(ElementTree.fromstring(unharmed[_WORKBOOK]), "sheet")]
    files = {f"xl/worksheets/sheet{names.index(table) + 1}.xml": table for table in tables}
    if any(inner[name] != data for name, data in unharmed.items() if name not in files):
        return None
    rows = 0
    for file, table in files.items():
        head = unharmed[file].split(b"</row>")[:_HEAD]
        try:
            lines = _lines(inner[file])
        except (ElementTree.ParseError, ValueError):
            return None
        if inner[file].split(b"</row>")[:_HEAD] != head:
            return None
        rows += lines - _HEADER_LINES.get(table, 1)
    return rows


def file_rows(export: Export, inner: Files, name: str, tables: list[RawTable]) -> int | None:
    """Rows of the tables that were read of a file, with those set aside; None: cannot be told."""
    names = {table.name for table in tables}
    if _WORKBOOK in export.inner:
        return sheet_rows(inner, export.inner, names)
    if name not in inner:
        return None
    if export.grain == "cells":
        separator = tables[0].form.rpartition(" ")[2]
        return csv_rows(inner[name], "\t" if separator == "tab" else separator)
    if export.grain == "json":
        return json_rows(inner[name])
    if export.grain == "records":
        return sas_rows(inner[name], export.inner[name])
    return xml_rows(inner[name], names)
