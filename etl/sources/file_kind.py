"""What a file is, by its first bytes; by the ending of its name only where they leave it open."""

import re
from pathlib import PurePosixPath

from etl.sources.archive import GZIP_START, ZIP_STARTS

START_BYTES = 4096
ZIP, OLD_OFFICE, XML, JSON, TRANSPORT, TEXT = "zip", "old office", "XML", "JSON", "SAS", "text"
WORKBOOK, ARCHIVE = "workbook", "a zip archive"
# By a folder in it a zip file is a document of an office program.
_DOCUMENTS = {"xl": WORKBOOK, "word": "a Word document", "ppt": "a presentation"}
_OFFICE_LIST, _OPEN_DOCUMENT = "[Content_Types].xml", "mimetype"
# Each file that holds no table which can be read: its first bytes, and what to call it.
_OTHERS = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"%PDF-", "a PDF document"),
    (b"{\\rtf", "a rich text document"),
    (b"MZ\x90\x00", "a Windows program"),
    (b"\x7fELF", "a program"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\xfd7zXZ\x00", "an xz-compressed file"),
    (b"\x28\xb5\x2f\xfd", "a zstd-compressed file"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1\x00", "an Arrow file"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\x00\x01\x00\x00Standard ", "an Access database"),
    (b"$FL2@(#)", "an SPSS file"),
    (b"<stata_dta>", "a Stata file"),
    (b"\x00" * 12 + b"\xc2\xea\x81\x60", "a SAS dataset (.sas7bdat)"),
)
_MIDDLE = ((128, b"DICM", "a DICOM image"), (257, b"ustar", "a tar archive"))
_BZIP = re.compile(rb"BZh[1-9]1AY&SY")
_OLD_OFFICE_START = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLD_OFFICE_OTHERS = {".doc": "a Word document", ".ppt": "a presentation", ".msg": "a mail"}
_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be", b"\xef\xbb\xbf": "utf-8"}
_HTML = re.compile(r"<(?:!doctype html|html|head|body|table|meta)\b", re.IGNORECASE)
_JSON = re.compile(r'\{\s*["}]')
_JSON_ENDINGS = {".json", ".ndjson", ".jsonl", ".dsjc"}
_COMPRESSED_JSON = ".dsjc"


def ending(name: str) -> str:
    """The ending of a name in small letters, that of the packed file for `x.csv.gz`."""
    lower = name.casefold().removesuffix(".gz")
    return PurePosixPath(lower).suffix


def is_gzip_name(name: str) -> bool:
    """Whether the name says that the file is gzip-compressed."""
    return name.casefold().endswith(".gz")


def kind_of(start: bytes, name: str) -> str:
    """One of the kinds above, or for a file without a readable table what it looks like.

    `start`: the first `START_BYTES` bytes of the file.
    """
    if start.startswith(ZIP_STARTS):
        return ZIP
    if start.startswith(_OLD_OFFICE_START):
        return _OLD_OFFICE_OTHERS.get(ending(name), OLD_OFFICE)
    if start.startswith(b"HEADER RECORD*******"):
        return TRANSPORT
    if ending(name) == _COMPRESSED_JSON:
        return JSON
    return _other(start) or _kind_of_text(_plain(start), name)


def document_kind(members: list[str]) -> str:
    """What a zip file with these members is: a workbook, a document by its name, or an archive."""
    if members[:1] == [_OPEN_DOCUMENT]:
        return WORKBOOK
    if _OFFICE_LIST in members:
        folders = {member.split("/", 1)[0] for member in members}
        return next((what for f, what in _DOCUMENTS.items() if f in folders), ARCHIVE)
    return ARCHIVE


def _other(start: bytes) -> str:
    for first, what in _OTHERS:
        if start.startswith(first):
            return what
    for place, middle, what in _MIDDLE:
        if start[place : place + len(middle)] == middle:
            return what
    if start.startswith(GZIP_START):
        return "a gzip-compressed file whose name does not end in .gz"
    return "a bzip2-compressed file" if _BZIP.match(start) else ""


def _plain(start: bytes) -> str:
    """The first letters; those beyond ASCII do not matter here."""
    for mark, encoding in _MARKS.items():
        if start.startswith(mark):
            return start[len(mark) :].decode(encoding, errors="replace").lstrip()
    return start.decode("latin-1").lstrip()


def _kind_of_text(text: str, name: str) -> str:
    if text.startswith(("<?xml", "<ODM")) or (ending(name) == ".xml" and text[:1] == "<"):
        return XML
    if _HTML.match(text):
        return "a web page"
    return JSON if _JSON.match(text) or ending(name) in _JSON_ENDINGS else TEXT
