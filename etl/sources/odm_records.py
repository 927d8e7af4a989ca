"""The clinical part of an ODM file -> one record per ItemGroupData, transactions applied.

The rules of the ODM specification (Transactions): a transaction type stands on an element or comes
from the nearest element around it that has one; they are applied in the order of the file. Insert
of what is there, Update or Remove of what is not, are errors of the file, and the file is refused:
which of its values hold cannot be known. It may be the sequel of another file, of which this one
tells the changes only. Without any type an element adds a record: in a snapshot as often as it
stands there, in a transactional file once for each key.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from lxml import etree

from etl.errors import LoadError, shown
from etl.sources.odm_xml import local_name

REDCAP_FILE = "{https://projectredcap.org}DocName"
UNIT = ".MeasurementUnitOID"
# Level -> attributes of its key.
LEVELS = {
    "ClinicalData": ("StudyOID", ""),
    "ReferenceData": ("StudyOID", ""),
    "SubjectData": ("SubjectKey", ""),
    "StudyEventData": ("StudyEventOID", "StudyEventRepeatKey"),
    "FormData": ("FormOID", "FormRepeatKey"),
    "ItemGroupData": ("ItemGroupOID", "ItemGroupRepeatKey"),
}
TYPES = ("Insert", "Update", "Upsert", "Remove", "Context")
# Parts that say who, when and why, but hold no value of a patient.
ACCOMPANYING = (
    *("AuditRecord", "AuditRecords", "Signature", "Signatures", "Annotation", "Annotations"),
    *("Association", "InvestigatorRef", "Query", "ArchiveLayoutRef"),
)
# Elements whose children are read with them: complete at their end.
WHOLE = frozenset({"ItemData"})


class Step(NamedTuple):
    """One level of the place of a record: what it is, its OID (or key), its repeat key."""

    level: str
    oid: str
    repeat: str


Place = tuple[Step, ...]


@dataclass(slots=True)
class Record:
    """One ItemGroupData: its running number in the file, its place, the text of each item."""

    number: int
    place: Place
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Sent:
    """One ItemData as it stands in the file."""

    oid: str
    text: str
    unit: str
    own_type: str
    line: int


@dataclass(slots=True)
class _Open:
    """One level that is being read."""

    place: Place
    change: str
    line: int
    number: int = 0
    sent: list[_Sent] = field(default_factory=list)
    is_frame: bool = False


@dataclass
class Clinical:
    """The clinical part as far as it was read.

    `by_subject`: of each study and subject the records at each place; a level without records is
    there with none. `sites`: the last site told of a subject. `aside`: number and rule of records
    that are no rows of their own or were removed, by item group. `replaced`: number, item, text
    before, of values that a later transaction of the file replaced, by item group.
    """

    path: Path
    is_transactional: bool
    by_subject: dict[Place, dict[Place, list[Record]]] = field(default_factory=dict)
    sites: dict[Place, str] = field(default_factory=dict)
    aside: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    replaced: dict[str, list[tuple[int, str, str]]] = field(default_factory=dict)
    n_groups: int = 0
    n_parts: int = 0
    _open: list[_Open] = field(default_factory=list)
    _skipped: int = 0

    @property
    def is_open(self) -> bool:
        """The reading is inside the clinical part."""
        return bool(self._open) or self._skipped > 0

    def start(self, element: etree._Element, is_foreign: bool) -> None:
        """Take the start of an element of the clinical part. What vendors add is skipped."""
        name = local_name(element)
        if self._skipped or is_foreign or name in ACCOMPANYING:
            self._skipped += 1
        elif name in LEVELS:
            self._enter(element, name)
        elif not _is_item(name) and name not in ("SiteRef", "MeasurementUnitRef", "Value"):
            raise self._error(element.sourceline, f"{_tag(name)} is not known in clinical data")
        elif _is_item(name) and self._open[-1].place[-1].level != "ItemGroupData":
            raise self._error(element.sourceline, f"{_tag(name)} stands outside an item group")

    def end(self, element: etree._Element) -> None:
        """Take the end of an element, where its children are known."""
        name = local_name(element)
        if self._skipped:
            self._skipped -= 1
        elif name in LEVELS:
            self._leave()
        elif name == "SiteRef":
            self.sites[self._open[-1].place[:2]] = element.get("LocationOID", "")
        elif _is_item(name):
            self._open[-1].sent.append(self._item(element))

    def records(self) -> list[Record]:
        """The records that hold after all transactions, in the order of the file."""
        found = (r for places in self.by_subject.values() for rs in places.values() for r in rs)
        return sorted(found, key=lambda record: record.number)

    def _error(self, line: object, what: str) -> LoadError:
        return LoadError(
            f"{self.path} line {line}: {what}. Export the data again, as a snapshot of all of it."
        )

    def _enter(self, element: etree._Element, name: str) -> None:
        around = self._open[-1] if self._open else _Open((), "", 0)
        oid, repeat = LEVELS[name]
        key = element.get(oid)
        if key is None and name not in ("ClinicalData", "ReferenceData"):
            raise self._error(element.sourceline, f"{_tag(name)} has no {oid}")
        step = Step(name, key or "", element.get(repeat, "") if repeat else "")
        own = self._own_type(element)
        level = _Open((*around.place, step), own or around.change, element.sourceline or 0)
        if name == "ItemGroupData":
            around.is_frame = True
            self.n_groups += 1
            level.number = self.n_groups
        self.n_parts += name == "ClinicalData"
        self._open.append(level)
        if own == "Remove":
            self._remove(level)
        elif name != "ItemGroupData" and level.change not in ("Remove", "Context"):
            self._at(level.place).setdefault(level.place, [])

    def _own_type(self, element: etree._Element) -> str:
        own = element.get("TransactionType", "")
        if own and own not in TYPES:
            raise self._error(
                element.sourceline,
                f"the transaction type {shown(own)!r} is none of {', '.join(TYPES)}",
            )
        return own

    def _at(self, place: Place) -> dict[Place, list[Record]]:
        return self.by_subject.setdefault(place[:2], {})

    def _remove(self, level: _Open) -> None:
        places = self._at(level.place)
        gone = [place for place in places if place[: len(level.place)] == level.place]
        if not gone:
            raise self._error(level.line, "a transaction removes what the file does not hold")
        for place in gone:
            for record in places.pop(place):
                self._set_aside(record.place, record.number, "odm_removed")

    def _set_aside(self, place: Place, number: int, rule: str) -> None:
        self.aside.setdefault(place[-1].oid, []).append((number, rule))

    def _leave(self) -> None:
        level = self._open.pop()
        if level.place[-1].level != "ItemGroupData":
            return
        if level.sent or not level.is_frame:
            self._apply(level)

    def _apply(self, level: _Open) -> None:
        """One ItemGroupData, complete: a new record, or a change of one that is there."""
        there = self._at(level.place).get(level.place, [])
        if level.change in ("Remove", "Context") or there:
            self._change(level, there)
        elif level.change == "Update":
            raise self._error(level.line, "a transaction updates what the file does not hold")
        else:
            self._add(level)

    def _add(self, level: _Open) -> None:
        record = Record(level.number, level.place, {})
        for sent in level.sent:
            if sent.oid in record.cells:
                raise self._error(sent.line, "an item stands twice in one item group")
            if sent.own_type in ("Update", "Remove"):
                raise self._error(sent.line, "a transaction changes what the file does not hold")
            _put(record, sent)
        self._at(level.place).setdefault(level.place, []).append(record)

    def _change(self, level: _Open, there: list[Record]) -> None:
        if not level.change and not self.is_transactional:
            self._add(level)
            return
        if level.change in ("", "Insert"):
            raise self._error(level.line, "a transaction inserts what the file holds already")
        if len(there) > 1:
            raise self._error(level.line, "a transaction changes one of several with the same key")
        is_context = level.change == "Context" and not any(s.own_type for s in level.sent)
        rule = "odm_context" if is_context else "odm_change"
        self._set_aside(level.place, level.number, rule)
        if level.change == "Remove" or is_context:
            return
        if not there:
            raise self._error(level.line, "a transaction updates what the file does not hold")
        for sent in level.sent:
            self._change_item(there[0], sent, sent.own_type or level.change)

    def _change_item(self, record: Record, sent: _Sent, change: str) -> None:
        before = record.cells.get(sent.oid)
        if sent.own_type == "Insert" and before is not None:
            raise self._error(sent.line, "a transaction inserts what the file holds already")
        if sent.own_type in ("Update", "Remove") and before is None:
            raise self._error(sent.line, "a transaction changes what the file does not hold")
        if change == "Context":
            return
        if before and (change == "Remove" or before != sent.text):
            told = self.replaced.setdefault(record.place[-1].oid, [])
            told.append((record.number, sent.oid, before))
        record.cells.pop(sent.oid, None)
        record.cells.pop(sent.oid + UNIT, None)
        if change != "Remove":
            _put(record, sent)

    def _item(self, element: etree._Element) -> _Sent:
        oid = element.get("ItemOID")
        if not oid:
            raise self._error(element.sourceline, f"{_tag(local_name(element))} has no ItemOID")
        texts = [*_texts(element)]
        if len(texts) > 1:
            raise self._error(element.sourceline, "an item has more than one value")
        units = [c.get("MeasurementUnitOID", "") for c in _named(element, "MeasurementUnitRef")]
        unit = "".join(units[:1]) or element.get("MeasurementUnitOID", "")
        own = self._own_type(element)
        return _Sent(oid, "".join(texts), unit, own, element.sourceline or 0)


def _is_item(name: str) -> bool:
    return name.startswith("ItemData")


def _tag(name: str) -> str:
    return f"<{shown(name)}>"


def _named(element: etree._Element, name: str) -> Iterator[etree._Element]:
    return (child for child in element if local_name(child) == name)


def _texts(element: etree._Element) -> Iterator[str]:
    """Values of an item: attribute (1.x), child (2.0), or its own text (typed items of 1.3).

    A file uploaded to REDCap is told by its name. None if the item is null.
    """
    values = ["".join(child.itertext()) for child in _named(element, "Value")]
    if element.get("IsNull") == "Yes":
        return
    if REDCAP_FILE in element.attrib:
        yield element.get(REDCAP_FILE, "")
    elif "Value" in element.attrib:
        yield element.get("Value", "")
    elif local_name(element) != "ItemData":
        yield element.text or ""
    else:
        yield from values


def _put(record: Record, sent: _Sent) -> None:
    record.cells[sent.oid] = sent.text
    if sent.unit:
        record.cells[sent.oid + UNIT] = sent.unit
