"""A project of REDCap in ODM-XML -> the flat table that REDCap exports of it as CSV.

REDCap spreads a record over small item groups, one for each stretch of a form under one heading.
Its CSV has one row for what does not repeat of a record in an event, and one for each repeat of an
instrument or an event. Same columns, rows and texts here, so that one mapping reads both.
"""

from pathlib import Path

from etl.errors import LoadError, shown
from etl.sources.odm_metadata import Definitions
from etl.sources.odm_records import Record, Step
from etl.sources.raw import RawTable, raw_frame
from etl.sources.redcap import checkbox_column, choice_label, parse_choices

EVENT = "redcap_event_name"
INSTRUMENT = "redcap_repeat_instrument"
INSTANCE = "redcap_repeat_instance"
NOT_BEGUN = "0"
# Place of a row: record, event, repeating instrument, repeat instance.
RowKey = tuple[str, str, str, str]


def _step(record: Record, level: str) -> Step:
    return next((s for s in record.place if s.level == level), Step(level, "", ""))


def _event(oid: str) -> str:
    return oid.removeprefix("Event.")


def _form(oid: str) -> str:
    return oid.removeprefix("Form.")


def _repeats(definitions: Definitions, event: str, form: str) -> bool:
    """Whether a form ('': the event as a whole) repeats. Without events the only one has no name
    in the data, though it has one where the project says what repeats."""
    return any(f == form and event in ("", e) for e, f in definitions.repeating)


def _row_key(definitions: Definitions, record: Record) -> RowKey:
    """The row that a record belongs to.

    The project tells what repeats; a repeat key beyond 1 shows it too, so that two repeats never
    fall into one row.
    """
    subject = _step(record, "SubjectData").oid
    event_step, form_step = _step(record, "StudyEventData"), _step(record, "FormData")
    event, form = _event(event_step.oid), _form(form_step.oid)
    if _repeats(definitions, event, form) or form_step.repeat not in ("", "1"):
        return (subject, event, form, form_step.repeat or "1")
    if (event and _repeats(definitions, event, "")) or event_step.repeat not in ("", "1"):
        return (subject, event, "", event_step.repeat or "1")
    return (subject, event, "", "")


def _rows(
    path: Path, definitions: Definitions, records: list[Record]
) -> dict[RowKey, dict[str, str]]:
    rows: dict[RowKey, dict[str, str]] = {}
    for record in records:
        cells = rows.setdefault(_row_key(definitions, record), {})
        for item, text in record.cells.items():
            if cells.setdefault(item, text) != text:
                raise LoadError(
                    f"{path}: item group {record.number} gives the field {shown(item)!r} another "
                    "value than one before it in the same row. Export the project again."
                )
    return rows


def _begin_forms(definitions: Definitions, rows: dict[RowKey, dict[str, str]]) -> None:
    """A form that belongs to a row but holds nothing yet has the status 0, as in the CSV."""
    for (_, event, instrument, instance), cells in rows.items():
        oids = definitions.event_forms.get(f"Event.{event}", definitions.form_groups)
        for form in [instrument] if instrument else [_form(oid) for oid in oids]:
            whole_event = not instrument and bool(instance)
            if instrument or whole_event or not _repeats(definitions, event, form):
                cells.setdefault(f"{form}_complete", NOT_BEGUN)


def _columns(definitions: Definitions, rows: dict[RowKey, dict[str, str]]) -> tuple[str, ...]:
    """Record, event, repeat, then the items by forms; then items that no form has."""
    groups = (group for groups in definitions.form_groups.values() for group in groups)
    items = dict.fromkeys(i for group in groups for i in definitions.group_items.get(group, {}))
    found = dict.fromkeys(item for cells in rows.values() for item in cells)
    kinds = {oid: item.field_type for oid, item in definitions.items.items()}
    fields = [i for i in (items | found) if i in found or kinds.get(i) != "descriptive"]
    repeats = definitions.repeating or any(key[3] for key in rows)
    keys = [definitions.record_field]
    keys += [EVENT] if definitions.event_forms else []
    keys += [INSTRUMENT, INSTANCE] if repeats else []
    return tuple(dict.fromkeys((*keys, *fields)))


def _in_export_order(
    definitions: Definitions, rows: dict[RowKey, dict[str, str]]
) -> list[tuple[RowKey, dict[str, str]]]:
    """All records of the first arm, then of the next; of a record in an event what does not
    repeat stands first. Otherwise in the order of the file."""
    records = {key[0]: i for i, key in reversed([*enumerate(rows)])}
    events = {_event(oid): i for i, oid in enumerate(definitions.event_forms)}
    arms = {_event(oid): arm for oid, arm in definitions.event_arms.items()}

    def place(row: tuple[RowKey, dict[str, str]]) -> tuple[int, int, int, bool]:
        subject, event, _, instance = row[0]
        return (arms.get(event, 0), records[subject], events.get(event, 0), bool(instance))

    return sorted(rows.items(), key=place)


def _label(definitions: Definitions, column: str) -> str:
    item = definitions.items.get(column)
    if item is None:
        return ""
    field = column.partition("___")[0]
    choices = parse_choices(definitions.checkbox_choices.get(item.code_list, ""))
    choice = next((text for c, text in choices if checkbox_column(field, c) == column), "")
    return choice_label(item.label, choice) if choice else item.label


def flat_table(
    path: Path, name: str, form: str, definitions: Definitions, records: list[Record]
) -> RawTable:
    """The records of a project as one table, `name` and `form` as in RawTable.

    Grain: record x event x repeating instrument x instance. `_source_row` is the row that REDCap's
    own CSV has for it, the header being row 1. A file uploaded to a field is told by its name.
    Raises LoadError if two item groups of a row contradict each other.
    """
    rows = _rows(path, definitions, records)
    _begin_forms(definitions, rows)
    columns = _columns(definitions, rows)
    ordered = _in_export_order(definitions, rows)
    keys = (definitions.record_field, EVENT, INSTRUMENT, INSTANCE)
    told = [cells | dict(zip(keys, key, strict=True)) for key, cells in ordered]
    texts = [[cells.get(column, "") for column in columns] for cells in told]
    labels = ((column, _label(definitions, column)) for column in columns)
    codes = ((column, definitions.item_codes(column)) for column in columns)
    return RawTable(
        file=name,
        name="",
        columns=columns,
        rows=raw_frame(columns, texts, [*range(2, len(texts) + 2)]),
        labels=tuple((column, label) for column, label in labels if label),
        codes=tuple((column, values) for column, values in codes if values),
        form=f"REDCap project, {form}",
    )
