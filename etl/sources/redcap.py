"""REDCap: how its exports are recognized, and what its data dictionary says of their columns.

An export is a plain CSV file. Its rows are of several kinds (events, repeating instruments), told
apart by `redcap_event_name`, `redcap_repeat_instrument` and `redcap_repeat_instance`; a mapping
does so with conditions, nothing is split at reading. One field of the dictionary is one column,
but a field of checkboxes is a column for each choice: `race___1`.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from etl.errors import LoadError
from etl.sources.encoding import text_of

# What the dictionary is called as downloaded from the project and as given by the API.
HEADINGS = {
    "field": ("Variable / Field Name", "field_name"),
    "form": ("Form Name", "form_name"),
    "kind": ("Field Type", "field_type"),
    "label": ("Field Label", "field_label"),
    "choices": ("Choices, Calculations, OR Slider Labels", "select_choices_or_calculations"),
    "validation": (
        "Text Validation Type OR Show Slider Number",
        "text_validation_type_or_show_slider_number",
    ),
    "identifier": ("Identifier?", "identifier"),
}
STATUS = (("0", "Incomplete"), ("1", "Unverified"), ("2", "Complete"))
FIXED_CHOICES = {
    "yesno": (("1", "Yes"), ("0", "No")),
    "truefalse": (("1", "True"), ("0", "False")),
}
CHECKBOX = (("1", "Checked"), ("0", "Unchecked"))
WITH_CHOICES = ("radio", "dropdown", "select", "checkbox")
# Headers of an export with labels instead of names that no form gives.
LABEL_HEADERS = frozenset(
    ("Repeat Instrument", "Repeat Instance", "Survey Identifier", "Complete?", "Data Access Group")
)
COLUMN_NAME = re.compile(r"[a-z][a-z0-9_]*")
FIRST_HEADING = re.compile(r'"?(?:Variable / Field Name|field_name)"?[ ]*([,;\t])')
HEAD_BYTES = 1 << 16

Codes = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Field:
    """One field of a project. `choices`: code -> label; `is_identifier`: may tell who it is."""

    name: str
    form: str
    kind: str
    label: str
    choices: Codes = ()
    validation: str = ""
    is_identifier: bool = False

    def columns(self) -> Iterator[tuple[str, str, Codes]]:
        """Column, label and codes of each column this field has in an export; none if no data."""
        if self.kind == "checkbox":
            for code, choice in self.choices:
                yield checkbox_column(self.name, code), choice_label(self.label, choice), CHECKBOX
        elif self.kind != "descriptive":
            yield self.name, self.label, self.choices


@dataclass(frozen=True)
class Dictionary:
    """The data dictionary of a project: its fields in their order, by forms."""

    fields: tuple[Field, ...]

    def columns(self) -> Iterator[tuple[str, str, Codes]]:
        """Column, label and codes of each column of an export with names, form status last."""
        for field in self.fields:
            yield from field.columns()
        for form in dict.fromkeys(field.form for field in self.fields):
            yield f"{form}_complete", "Complete?", STATUS

    @property
    def labels(self) -> tuple[tuple[str, str], ...]:
        """Label of each column that has one, as RawTable carries them."""
        return tuple((column, label) for column, label, _ in self.columns() if label)

    @property
    def codes(self) -> tuple[tuple[str, Codes], ...]:
        """Code list of each column that has one, as RawTable carries them."""
        return tuple((column, codes) for column, _, codes in self.columns() if codes)

    @property
    def identifiers(self) -> frozenset[str]:
        """Columns of fields marked as identifiers, under their names and under their labels."""
        marked = [field for field in self.fields if field.is_identifier]
        return frozenset(
            text for field in marked for column in field.columns() for text in column[:2] if text
        )


def is_redcap(columns: tuple[str, ...]) -> bool:
    """Whether a header looks like an export of REDCap, with names or with labels."""
    if any(c.startswith("redcap_") or "___" in c or "(choice=" in c for c in columns):
        return True
    if LABEL_HEADERS & set(columns):
        return True
    named = all(COLUMN_NAME.fullmatch(c) for c in columns)
    return named and any(c.endswith("_complete") for c in columns)


def checkbox_column(field: str, code: str) -> str:
    """Column of one choice of a field of checkboxes."""
    return f"{field}___{re.sub('[^a-z0-9_]', '_', code.lower())}"


def choice_label(label: str, choice: str) -> str:
    """Header of one choice of a field of checkboxes in an export with labels."""
    return f"{label} (choice={choice})"


def parse_choices(text: str) -> Codes:
    """Code and label of `1, Yes | 2, No, never`; what has no comma is no choice."""
    parts = [part.partition(",") for part in text.split("|")]
    return tuple((code.strip(), label.strip()) for code, comma, label in parts if comma)


def _may_be_dictionary(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES).replace(b"\x00", b"")
    except OSError as error:
        raise LoadError(f"{path}: cannot be read: {error.strerror}.") from error
    return any(
        HEADINGS["field"][i].encode() in head and HEADINGS["kind"][i].encode() in head
        for i in range(2)
    )


def _places(header: list[str]) -> dict[str, int]:
    cells = [cell.strip() for cell in header]
    return {
        word: cells.index(name) for word, names in HEADINGS.items() for name in names
        if name in cells
    }  # fmt: skip


def _rows(path: Path, text: str) -> tuple[dict[str, int], list[tuple[int, list[str]]]]:
    first = FIRST_HEADING.match(text)
    separator = first[1] if first else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        header = next(reader, [])
        places = _places(header)
        if not {"field", "kind"} <= places.keys():
            return {}, []
        rows = [(number, row) for number, row in enumerate(reader, start=2) if row]
    except csv.Error as error:
        raise LoadError(
            f"{path}: not readable as CSV ({error}). Download the data dictionary again."
        ) from error
    _check_headings(path, places)
    _check_widths(path, len(header), rows)
    return places, rows


def _check_headings(path: Path, places: dict[str, int]) -> None:
    missing = [names[0] for word, names in HEADINGS.items() if word not in places]
    if missing:
        raise LoadError(
            f"{path}: a data dictionary without {', '.join(map(repr, missing))}. "
            "Download the data dictionary again, with all its columns."
        )


def _check_widths(path: Path, width: int, rows: list[tuple[int, list[str]]]) -> None:
    for number, row in rows:
        if len(row) != width:
            raise LoadError(
                f"{path} row {number}: {len(row)} fields under {width} headings. "
                "Download the data dictionary again."
            )


def _field(cells: dict[str, str]) -> Field:
    kind = cells["kind"].lower()
    choices = parse_choices(cells["choices"]) if kind in WITH_CHOICES else ()
    return Field(
        name=cells["field"],
        form=cells["form"],
        kind=kind,
        label=" ".join(cells["label"].split()),
        choices=FIXED_CHOICES.get(kind, choices),
        validation=cells["validation"],
        is_identifier=cells["identifier"].lower() in ("y", "yes", "1", "true"),
    )


def read_dictionary(path: Path) -> Dictionary | None:
    """The data dictionary in a CSV file, None if its header is not that of one.

    Both forms: as downloaded ('Variable / Field Name', ...) and as the API gives it (field_name,
    ...), in any encoding and with the separators that CSV files are read with. Raises LoadError,
    naming file and row, if the file cannot be read, lacks a column of those read here, has a row
    with another number of fields than the header or a field twice: a mark of an identifier could
    be missed.
    """
    if not _may_be_dictionary(path):
        return None
    text = text_of(str(path), path.read_bytes())
    places, rows = _rows(path, text.data.decode(text.encoding))
    if not places:
        return None
    fields: dict[str, Field] = {}
    for number, row in rows:
        field = _field({word: row[place].strip() for word, place in places.items()})
        if field.name in fields:
            raise LoadError(
                f"{path} row {number}: the field {field.name[:80]!r} stands there twice. "
                "Download the data dictionary again."
            )
        fields[field.name] = field
    return Dictionary(tuple(fields.values()))
