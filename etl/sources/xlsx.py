"""An .xlsx or .xlsm file: its sheets and what they share, texts and formats.

Read from the XML itself, each part in a stream (sheets: see `xlsx_sheet`). The common readers of
spreadsheets give an error cell and a formula that was never calculated as a blank cell, and a
percent cell as a bare number; they lay a sheet out in full, up to its last cell, which one cell at
XFD1048576 makes 17 billion. None of that can be mended after them.

Nothing is run or fetched: of a formula only the value that the program stored counts, and links to
other files are never followed. A part with a document type is refused, so there are no entities.

Source: ECMA-376 Part 1, 18.2 (workbook), 18.4 (shared strings), 18.8 (styles).
"""

import posixpath
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile

from etl.errors import LoadError
from etl.sources.cell_text import (
    PLAIN,
    format_kind,
)

_MAIN = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main|",
    "http://purl.oclc.org/ooxml/spreadsheetml/main|",
)
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships|"
ELEMENTS = {prefix + name: name for prefix in _MAIN for name in (
    "worksheet", "row", "c", "v", "f", "is", "t", "rPh", "mergeCell", "sst", "si",
    "workbook", "workbookPr", "calcPr", "sheet", "styleSheet", "numFmt", "cellXfs", "cellStyleXfs",
    "xf",
)} | {_PACKAGE + "Relationship": "Relationship"}  # fmt: skip
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
SAVE_AS = "Save it as an Excel workbook (.xlsx)."
_TRUE = ("1", "true", "on")

Attributes = dict[str, str]


@dataclass(frozen=True)
class SheetPart:
    """One sheet of a workbook: its name, where in the file it is, whether the program hides it."""

    name: str
    part: str
    is_hidden: bool


@dataclass(frozen=True)
class Book:
    """What the sheets of a workbook share.

    `strings`: texts that cells name by number. `kinds`: of each cell style, what it shows (see
    `cell_text`). `is_1904`: days count from 1904. `is_stale`: written by a program that calculates
    no formulas and leaves that to the next one.
    """

    sheets: tuple[SheetPart, ...]
    strings: tuple[str, ...]
    kinds: tuple[str, ...]
    is_1904: bool
    is_stale: bool


def open_book(archive: ZipFile, title: str) -> Book:
    """What `archive` says of its sheets, texts and formats.

    Raises LoadError, naming the file as `title`, if it is no workbook or a part is damaged.
    """
    part = _workbook_part(archive, title)
    sheets, properties, calculation = _workbook(archive, part, title)
    targets = _targets(archive, part, title)
    parts = {kind: part for kind, part in targets.values()}
    return Book(
        tuple(
            SheetPart(a.get("name", ""), targets[i][1], a.get("state", "visible") != "visible")
            for i, a in sheets
            if _target_kind(targets, i, title) == "worksheet"
        ),
        _shared_strings(archive, parts.get("sharedStrings"), title),
        _format_kinds(archive, parts.get("styles"), title),
        properties.get("date1904", "") in _TRUE,
        calculation.get("fullCalcOnLoad", "") in _TRUE,
    )


def _workbook_part(archive: ZipFile, title: str) -> str:
    """The part that the file names as its workbook."""
    names = archive.namelist()
    if "_rels/.rels" in names:
        for kind, part in _targets(archive, "", title).values():
            if kind == "officeDocument" and not part.endswith(".bin"):
                return part
    if "content.xml" in names:
        raise LoadError(f"{title}: an OpenDocument file (.ods), which is not read. {SAVE_AS}")
    raise LoadError(f"{title}: holds no workbook that is read. {SAVE_AS}")


def damaged(title: str, what: str) -> LoadError:
    """The error for a file that no spreadsheet program writes so."""
    return LoadError(f"{title}: damaged, {what:.200}. Open it in Excel and save it again.")


def _refuse_doctype(title: str, part: str) -> Callable[..., NoReturn]:
    def refuse(*_: object) -> NoReturn:
        raise LoadError(
            f"{title}: {part} holds a DOCTYPE, which no spreadsheet program writes. "
            "Open it in Excel and save it again."
        )

    return refuse


def parse(
    archive: ZipFile,
    part: str,
    title: str,
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Stream one part of the file through the handlers of elements and of text."""
    parser = expat.ParserCreate(namespace_separator="|")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype(title, part)
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    if part not in archive.NameToInfo:
        raise damaged(title, f"it has no part {part[:80]!r}")
    try:
        with archive.open(part) as stream:
            parser.ParseFile(stream)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise damaged(title, f"{part} is no XML in an encoding that is read ({error})") from error
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise damaged(title, f"{part} cannot be unpacked ({error})") from error


def _elements(archive: ZipFile, part: str, title: str) -> list[tuple[str, Attributes]]:
    """The known elements of a small part, in the order of the file."""
    found: list[tuple[str, Attributes]] = []

    def start(name: str, attributes: Attributes) -> None:
        if name in ELEMENTS:
            found.append((ELEMENTS[name], attributes))

    parse(archive, part, title, start)
    return found


def _targets(archive: ZipFile, part: str, title: str) -> dict[str, tuple[str, str]]:
    """The parts that `part` names: id -> kind and path in the archive. Links to outside are not."""
    folder, file = posixpath.split(part)
    relations = posixpath.join(folder, "_rels", f"{file}.rels")
    return {
        a.get("Id", ""): (
            a.get("Type", "").rpartition("/")[2],
            posixpath.normpath(posixpath.join("/", folder, a.get("Target", ""))).lstrip("/"),
        )
        for _, a in _elements(archive, relations, title)
        if a.get("TargetMode") != "External"
    }


def _target_kind(targets: dict[str, tuple[str, str]], sheet_id: str, title: str) -> str:
    if sheet_id not in targets:
        raise damaged(title, "it names a sheet that it does not hold")
    return targets[sheet_id][0]


def _workbook(
    archive: ZipFile, part: str, title: str
) -> tuple[list[tuple[str, Attributes]], Attributes, Attributes]:
    """The sheets with their ids, the properties, and how the workbook is calculated."""
    sheets: list[tuple[str, Attributes]] = []
    said: dict[str, Attributes] = {}
    for name, attributes in _elements(archive, part, title):
        said.setdefault(name, attributes)
        if name == "sheet":
            ids = (v for k, v in attributes.items() if k.endswith("relationships|id"))
            sheets.append((next(ids, ""), attributes))
    if "workbook" not in said:
        raise LoadError(f"{title}: {part} is no workbook. {SAVE_AS}")
    return sheets, said.get("workbookPr", {}), said.get("calcPr", {})


def _shared_strings(archive: ZipFile, part: str | None, title: str) -> tuple[str, ...]:
    if part is None:
        return ()
    strings: list[str] = []
    pieces: list[str] = []
    inside: set[str] = set()

    def start(name: str, _: Attributes) -> None:
        inside.add(ELEMENTS.get(name, ""))

    def text(piece: str) -> None:
        if "t" in inside and "rPh" not in inside:
            pieces.append(piece)

    def end(name: str) -> None:
        inside.discard(ELEMENTS.get(name, ""))
        if ELEMENTS.get(name) == "si":
            strings.append(unescaped("".join(pieces)))
            pieces.clear()

    parse(archive, part, title, start, end, text)
    return tuple(strings)


def unescaped(text: str) -> str:
    """`_x000D_` as the character; none that a text cannot hold."""
    if "_x" not in text:
        return text
    return _ESCAPED.sub(lambda found: _character(found[1]) or found[0], text)


def _character(code: str) -> str:
    character = chr(int(code, 16))
    return character if character.isprintable() or character in "\t\n\r" else ""


def _format_kinds(archive: ZipFile, part: str | None, title: str) -> tuple[str, ...]:
    """What each cell style shows; a workbook without styles has one, for plain numbers."""
    if part is None:
        return (PLAIN,)
    codes: dict[str, str] = {}
    kinds: list[str] = []
    section = ""
    for name, attributes in _elements(archive, part, title):
        if name in ("cellXfs", "cellStyleXfs"):
            section = name
        elif name == "numFmt":
            codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif name == "xf" and section == "cellXfs":
            number = attributes.get("numFmtId", "0")
            kinds.append(format_kind(index_of(number), codes.get(number)))
    return tuple(kinds) or (PLAIN,)


def index_of(text: str) -> int:
    """A number that points at something; -1 for what is no number."""
    return int(text) if text.isdecimal() and len(text) < 10 else -1
