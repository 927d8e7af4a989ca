"""An XML file from anywhere -> its elements, one after the other, with nothing resolved.

The file is hostile until shown otherwise. No document type is accepted, so there are no entities
to expand and nothing to fetch, whatever the parser would do with them. Depth and length of a text
are bounded by the parser's own limits (256 levels, 10 MB); what was read is cleared behind the
reader, so memory does not grow with the file.
"""

import codecs
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from lxml import etree

from etl.errors import LoadError, shown

CHUNK_BYTES = 1 << 15
HEAD_BYTES = 1 << 10
DECLARED = re.compile(rb"""<\?xml[^>]*\sencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)""")


class _Prolog:
    """What stands above the root element, as the parser meets it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.at_root = False

    def doctype(self, *declared: object) -> None:
        """End the reading at the first sight of a document type, before its declarations."""
        raise LoadError(
            f"{self.path}: holds a DOCTYPE. It could declare entities that pull in other files or "
            "grow without end, so it is not read. Delete the declaration and try again."
        )

    def start(self, tag: str, attributes: object) -> None:
        """The root element: the prolog is over."""
        self.at_root = True

    def end(self, tag: str) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to give."""


def _not_xml(path: Path, error: etree.XMLSyntaxError) -> LoadError:
    reason = shown((error.msg or "unknown reason").strip())
    return LoadError(
        f"{path} line {error.lineno}: not readable as XML ({reason}). Export it again, "
        "without uploaded documents if they are larger than 7 MB."
    )


def _check_prolog(path: Path) -> None:
    prolog = _Prolog(path)
    # Of a target only those methods are called that it has; the type asks for all.
    parser = etree.XMLParser(
        target=cast(Any, prolog), resolve_entities=False, no_network=True, load_dtd=False
    )
    with path.open("rb") as file:
        while not prolog.at_root and (chunk := file.read(CHUNK_BYTES)):
            parser.feed(chunk)


def _is_single_byte(encoding: str) -> bool:
    upper = bytes(range(128, 256)).decode(encoding, errors="ignore")
    return len(upper) > 64


def _is_utf_8_beyond_ascii(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    ascii_only = True
    try:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                decoder.decode(chunk)
                ascii_only = ascii_only and chunk.isascii()
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return not ascii_only


def declared_encoding(path: Path) -> str:
    """The encoding that a file has by its first bytes, or declares; UTF-8 if neither tells."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\x00" in head[:4]:
        return "UTF-16"
    declared = DECLARED.match(head.removeprefix(codecs.BOM_UTF8))
    return declared[1].decode("ascii") if declared else "UTF-8"


def _check_encoding(path: Path) -> None:
    """Refuse an encoding that no export uses, or that the bytes give the lie to.

    Bytes beyond ASCII that form valid UTF-8 throughout are UTF-8: text in a code page of single
    bytes does not do so by chance. Such a file would be read without an error, every letter wrong.
    """
    declared = declared_encoding(path)
    try:
        codec = codecs.lookup(declared).name
        is_single_byte = _is_single_byte(codec)
    except (LookupError, UnicodeError) as error:
        raise LoadError(
            f"{path} line 1: declares the unknown encoding {shown(declared)!r}. Save it as UTF-8."
        ) from error
    if codec == "utf-7":
        raise LoadError(f"{path} line 1: declares UTF-7. Save it as UTF-8.")
    if is_single_byte and _is_utf_8_beyond_ascii(path):
        raise LoadError(
            f"{path} line 1: declares {shown(declared)} but is UTF-8 text. Correct the encoding "
            "in its first line to UTF-8."
        )


def _clear(element: etree._Element) -> None:
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _events(path: Path, kept: frozenset[str]) -> Iterator[tuple[str, etree._Element]]:
    n_open = 0
    with path.open("rb") as file:
        parse = etree.iterparse(
            file,
            events=("start", "end"),
            remove_comments=True,
            remove_pis=True,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
        )
        for event, element in parse:
            is_kept = local_name(element) in kept
            n_open += is_kept and event == "start"
            yield event, element
            n_open -= is_kept and event == "end"
            if event == "end" and n_open == 0:
                _clear(element)


def elements(path: Path, kept: frozenset[str]) -> Iterator[tuple[str, etree._Element]]:
    """Start and end of every element in the order of the file, the root's start first.

    At the end of an element whose name (without namespace) is in `kept` all that is in it is still
    there; of others only their attributes. Raises LoadError, naming
    file and line, if the file cannot be read, is not in the encoding it declares, holds a document
    type, is not well-formed XML, goes deeper than 256 levels or holds a text longer than 10 MB.
    """
    try:
        _check_encoding(path)
        _check_prolog(path)
        yield from _events(path, kept)
    except OSError as error:
        raise LoadError(f"{path}: cannot be read: {error.strerror}.") from error
    except etree.XMLSyntaxError as error:
        raise _not_xml(path, error) from error


@lru_cache(maxsize=4096)
def _parts(tag: str) -> tuple[str, str]:
    namespace, _, name = tag.rpartition("}")
    return namespace[1:], name


def namespace(element: etree._Element) -> str:
    """Namespace of an element, '' if it has none."""
    return _parts(cast(str, element.tag))[0]


def local_name(element: etree._Element) -> str:
    """Name of an element without its namespace."""
    return _parts(cast(str, element.tag))[1]
