"""The definitions of an ODM file: what its items, item groups, forms and code lists are called.

Several versions of the metadata in one file are taken together: a later one adds items to a group
and replaces labels.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lxml import etree

from etl.sources.odm_xml import local_name

REDCAP = "https://projectredcap.org"
_REDCAP = f"{{{REDCAP}}}"


@dataclass(frozen=True)
class Item:
    """One item: its label ('' if none), its code list ('' if none).

    Of REDCap its field type, and whether it is marked as an identifier.
    """

    label: str
    code_list: str
    field_type: str = ""
    is_identifier: bool = False


@dataclass
class Definitions:
    """What a file defines, each by its OID, in the order of the file.

    `groups`: name of an item group; `group_items`: OIDs of its items. `form_groups`: item groups
    of a form; `event_forms`: forms of a study event. `codes`: value -> label of a code list.
    Of REDCap: `record_field`, what repeats: (event, form), form '' if the event as a whole;
    `event_arms`: number of the arm of an event; `checkbox_choices`: choices of the field that a
    code list of checkboxes belongs to, as written.
    """

    items: dict[str, Item] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    group_items: dict[str, dict[str, None]] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    form_groups: dict[str, dict[str, None]] = field(default_factory=dict)
    event_forms: dict[str, dict[str, None]] = field(default_factory=dict)
    record_field: str = ""
    repeating: set[tuple[str, str]] = field(default_factory=set)
    event_arms: dict[str, int] = field(default_factory=dict)
    checkbox_choices: dict[str, str] = field(default_factory=dict)

    @property
    def is_redcap(self) -> bool:
        """The file is a project of REDCap: one record is spread over many small item groups."""
        return bool(self.record_field)

    def item_codes(self, oid: str) -> tuple[tuple[str, str], ...]:
        """Value and label of each code of an item, none if it has no code list."""
        item = self.items.get(oid)
        return tuple(self.codes.get(item.code_list, {}).items()) if item else ()


def _text(element: etree._Element, *path: str) -> str:
    for name in path:
        found = [child for child in element if local_name(child) == name]
        if not found:
            return ""
        element = found[0]
    return " ".join("".join(element.itertext()).split())


def _refs(element: etree._Element, name: str, oid: str) -> dict[str, None]:
    return {child.get(oid, ""): None for child in element if local_name(child) == name}


def _define_item(known: Definitions, element: etree._Element) -> None:
    name = element.get("Name", "")
    label = _text(element, "Question", "TranslatedText") or name
    lists = [c.get("CodeListOID", "") for c in element if local_name(c) == "CodeListRef"]
    kind = element.get(f"{_REDCAP}FieldType", "")
    is_identifier = element.get(f"{_REDCAP}Identifier", "") == "y"
    known.items[element.get("OID", "")] = Item(label, "".join(lists[:1]), kind, is_identifier)


def _define_group(known: Definitions, element: etree._Element) -> None:
    oid = element.get("OID", "")
    known.groups[oid] = element.get("Name", "")
    known.group_items.setdefault(oid, {}).update(_refs(element, "ItemRef", "ItemOID"))


def _define_code_list(known: Definitions, element: etree._Element) -> None:
    oid = element.get("OID", "")
    known.checkbox_choices[oid] = element.get(f"{_REDCAP}CheckboxChoices", "")
    known.codes[oid] = {
        value: _text(code, "Decode", "TranslatedText") or value
        for code in element
        if (value := code.get("CodedValue")) is not None
    }


def _define_form(known: Definitions, element: etree._Element) -> None:
    refs = _refs(element, "ItemGroupRef", "ItemGroupOID")
    known.form_groups.setdefault(element.get("OID", ""), {}).update(refs)


def _define_event(known: Definitions, element: etree._Element) -> None:
    oid = element.get("OID", "")
    known.event_forms.setdefault(oid, {}).update(_refs(element, "FormRef", "FormOID"))
    arm = element.get(f"{_REDCAP}ArmNum", "")
    known.event_arms[oid] = int(arm) if arm.isascii() and arm.isdigit() else 0


def _define_version(known: Definitions, element: etree._Element) -> None:
    known.record_field = element.get(f"{_REDCAP}RecordIdField", known.record_field)


def _define_repeat(known: Definitions, element: etree._Element) -> None:
    event = element.get(f"{_REDCAP}UniqueEventName")
    if event is not None:
        known.repeating.add((event, element.get(f"{_REDCAP}RepeatInstrument", "")))


DEFINE: Mapping[str, Callable[[Definitions, etree._Element], None]] = {
    "ItemDef": _define_item,
    "ItemGroupDef": _define_group,
    "CodeList": _define_code_list,
    "FormDef": _define_form,
    "StudyEventDef": _define_event,
    "MetaDataVersion": _define_version,
    "RepeatingInstrument": _define_repeat,
    "RepeatingEvent": _define_repeat,
    "RepeatingEvents": _define_repeat,
}
# Elements whose children are read with them: complete at their end.
WHOLE = frozenset({"ItemDef", "ItemGroupDef", "CodeList", "FormDef", "StudyEventDef"})


def define(known: Definitions, element: etree._Element) -> None:
    """Take an element of the metadata into the definitions, at its end; others change nothing."""
    take = DEFINE.get(local_name(element))
    if take:
        take(known, element)
