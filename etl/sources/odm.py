"""CDISC ODM-XML -> raw rows, all text: one table for each item group.

ODM 1.1 to 1.3 as snapshot or with transactions, Dataset-XML, the clinical data of ODM 2.0, and
projects of REDCap, which come as one flat table (`etl.sources.redcap_flat`). Read as a stream:
libraries that build objects from ODM files hold the whole file several times over and apply no
transactions. Names are compared without the namespace of the version.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
from lxml import etree

from etl.errors import LoadError, shown
from etl.sources import odm_metadata, odm_records
from etl.sources.odm_metadata import Definitions, define
from etl.sources.odm_records import UNIT, Clinical, Record
from etl.sources.odm_xml import declared_encoding, elements, local_name, namespace
from etl.sources.raw import REPAIRED, ROW, RawTable, raw_frame
from etl.sources.redcap_flat import flat_table

NAMESPACE = re.compile(r"http://www\.cdisc\.org/ns/odm/v(1\.[0-3]|2\.0)")
PLACE = (
    "StudyOID",
    "SubjectKey",
    "StudyEventOID",
    "StudyEventRepeatKey",
    "FormOID",
    "FormRepeatKey",
    "ItemGroupRepeatKey",
)
LOCATION = "LocationOID"
KEPT = odm_metadata.WHOLE | odm_records.WHOLE
# Names the reader looks for: another spelling of one would be passed over in silence.
_READ = """
    Study GlobalVariables StudyName StudyDescription ProtocolName MetaDataVersion
    Question TranslatedText Decode CodeListItem EnumeratedItem CodeListRef
    ItemRef ItemGroupRef FormRef SiteRef MeasurementUnitRef Value ItemData
"""
SPELLING = {
    name.lower(): name for name in (*_READ.split(), *odm_metadata.DEFINE, *odm_records.LEVELS)
}


@dataclass
class _File:
    """An ODM file as far as it was read: what it says of itself, defines and holds."""

    path: Path
    form: str = ""
    namespace: str = ""
    definitions: Definitions = field(default_factory=Definitions)
    clinical: Clinical = field(init=False)

    def open_root(self, root: etree._Element) -> None:
        """Judge the root element: is this ODM, of a version known here, rightly encoded?"""
        self.namespace = namespace(root)
        known = self.namespace == "" or NAMESPACE.fullmatch(self.namespace)
        if local_name(root) != "ODM" or not known:
            raise LoadError(
                f"{self.path} line {root.sourceline}: the root element is "
                f"<{shown(local_name(root))}>, not <ODM> of CDISC ODM 1.1 to 2.0. "
                "Export the data as CDISC ODM-XML."
            )
        encoding = declared_encoding(self.path)
        version = root.get("ODMVersion") or self.namespace.rpartition("/v")[2]
        self.form = f"ODM-XML {shown(version)}, {encoding}".replace(" ,", ",")
        self.clinical = Clinical(self.path, root.get("FileType") == "Transactional")

    def take(self, event: str, element: etree._Element) -> None:
        """Take one start or end of an element into the definitions or the clinical part."""
        name = local_name(element)
        is_foreign = self._is_foreign(element)
        if event == "start" and not is_foreign:
            self._check_spelling(name, element)
        if self.clinical.is_open or name in ("ClinicalData", "ReferenceData"):
            if event == "start":
                self.clinical.start(element, is_foreign)
            else:
                self.clinical.end(element)
        elif event == "end" and not is_foreign:
            define(self.definitions, element)

    def _is_foreign(self, element: etree._Element) -> bool:
        its = namespace(element)
        inside = self.clinical.is_open
        return its != self.namespace and (inside or its != odm_metadata.REDCAP)

    def _check_spelling(self, name: str, element: etree._Element) -> None:
        meant = SPELLING.get(name.lower(), name)
        if meant != name:
            raise LoadError(
                f"{self.path} line {element.sourceline}: <{shown(name)}> is no element of ODM. "
                f"It is spelled <{meant}>. Export the file again with a tool that keeps to ODM."
            )


def _read_on(file: _File) -> Iterator[None]:
    """Take the file element by element; a step for each."""
    for event, element in elements(file.path, KEPT):
        if not file.form:
            file.open_root(element)
        file.take(event, element)
        yield


def _read(path: Path) -> _File:
    file = _File(path)
    for _ in _read_on(file):
        pass
    if not file.clinical.n_parts:
        raise LoadError(f"{path}: holds metadata only, no clinical data. Export the data with it.")
    if not file.clinical.n_groups:
        raise LoadError(f"{path}: holds no record of anybody. Export it again when it has data.")
    if file.definitions.is_redcap and file.clinical.aside:
        raise LoadError(f"{path}: a project of REDCap with transactions. Export a snapshot of it.")
    return file


def read_identifiers(path: Path) -> frozenset[str]:
    """Columns of a project of REDCap in XML whose fields are marked as identifiers.

    Empty for other ODM files: ODM has no such mark. Raises LoadError as `read_odm` does; the
    clinical data is not read.
    """
    file = _File(path)
    for _ in _read_on(file):
        if file.clinical.is_open:
            break
    items = file.definitions.items.items()
    return frozenset(oid for oid, item in items if item.is_identifier)


def _item_columns(file: _File, group: str, records: list[Record]) -> list[str]:
    """Items of a group as defined, then what stands in the data only; units beside their item."""
    found = dict.fromkeys(oid for record in records for oid in record.cells)
    items = dict.fromkeys(file.definitions.group_items.get(group, {}))
    items.update(dict.fromkeys(oid for oid in found if not oid.endswith(UNIT)))
    return [c for oid in items for c in (oid, oid + UNIT) if c == oid or c in found]


def _nesting(records: list[Record]) -> list[str]:
    """Columns for the repeat keys of the groups around the records, outermost first."""
    around = (s for r in records for s in r.place[:-1] if s.level == "ItemGroupData")
    return [*dict.fromkeys(f"{step.oid}.ItemGroupRepeatKey" for step in around)]


def _place_cells(record: Record) -> dict[str, str]:
    cells: dict[str, str] = {}
    for step in record.place[:-1]:
        if step.level == "ItemGroupData":
            cells[f"{step.oid}.ItemGroupRepeatKey"] = step.repeat
        else:
            oid, repeat = odm_records.LEVELS[step.level]
            cells |= {oid: step.oid, repeat: step.repeat}
    return cells | {"ItemGroupRepeatKey": record.place[-1].repeat}


def _row(file: _File, record: Record, columns: tuple[str, ...]) -> list[str]:
    place = _place_cells(record)
    place[LOCATION] = file.clinical.sites.get(record.place[:2], "")
    cells = place | record.cells
    return [cells.get(column, "") for column in columns]


def _columns(file: _File, group: str, records: list[Record]) -> tuple[str, ...]:
    sites = [LOCATION] if file.clinical.sites else []
    place = [*PLACE[:2], *sites, *PLACE[2:-1], *_nesting(records), PLACE[-1]]
    columns = (*place, *_item_columns(file, group, records))
    if len({*columns, ROW}) <= len(columns):
        twice = sorted({c for c in (*columns, ROW) if (*columns, ROW).count(c) > 1})
        raise LoadError(
            f"{file.path}: an item of group {shown(group)!r} is called like a key: "
            f"{shown(', '.join(twice))}. Rename the item."
        )
    return columns


def _repairs(file: _File, group: str) -> pl.DataFrame:
    rows = [(*told, "odm_update") for told in file.clinical.replaced.get(group, [])]
    return pl.DataFrame(rows, schema=REPAIRED, orient="row")


def _table(file: _File, name: str, group: str, records: list[Record]) -> RawTable:
    columns = _columns(file, group, records)
    rows = [_row(file, record, columns) for record in records]
    definitions = file.definitions
    labels = ((c, definitions.items[c].label) for c in columns if c in definitions.items)
    codes = ((c, definitions.item_codes(c)) for c in columns)
    title = definitions.groups.get(group, "")
    return RawTable(
        file=name,
        name=group,
        columns=columns,
        rows=raw_frame(columns, rows, [record.number for record in records]),
        aside=tuple(file.clinical.aside.get(group, [])),
        repairs=_repairs(file, group),
        labels=tuple((column, label) for column, label in labels if label),
        codes=tuple((column, values) for column, values in codes if values),
        form=f"{file.form}: {shown(title)}" if title else file.form,
    )


def read_odm(path: Path, name: str) -> list[RawTable]:
    """The tables of an ODM-XML file, called `name` within the export.

    Grain: one table per ItemGroupDef, and per item group of the data that is not defined, named by
    its OID; one row per ItemGroupData that holds after all transactions. `_source_row` is the
    running number of the ItemGroupData in the file, over all groups. Columns: `PLACE` (with
    LocationOID if a subject has a site, and for groups within groups `<OID>.ItemGroupRepeatKey`
    of those around), then the items by OID, as defined, also those without any value; a unit told
    with a value stands beside it as `<OID>.MeasurementUnitOID`. A null or absent item is ''. A
    group within which others stand, without items of its own, is no row (ODM 2.0). Audit records,
    signatures, annotations and vendors' elements give no cells. Line breaks in a Value arrive as
    spaces: XML reads attributes so. A defined group without data is an empty table.

    A project of REDCap gives one table instead, in the shape of its flat CSV export.

    Raises LoadError, naming file and line, for a file that is not well-formed or not ODM, holds a
    DOCTYPE, declares another encoding than it has, holds no clinical data, misspells an element
    the reader looks for, or holds a transaction that contradicts what came before it.
    """
    file = _read(path)
    records = file.clinical.records()
    if file.definitions.is_redcap:
        return [flat_table(path, name, file.form, file.definitions, records)]
    groups: dict[str, list[Record]] = {group: [] for group in file.definitions.groups}
    for group in file.clinical.aside:
        groups.setdefault(group, [])
    for record in records:
        groups.setdefault(record.place[-1].oid, []).append(record)
    return [_table(file, name, group, rows) for group, rows in groups.items()]
