"""TOML documents whose errors name the file, the line and what to do.

`tomllib` reports a line only for broken syntax. Study definitions and mappings are written by
hand, so a misspelt key or an unknown code must point to its line as well: `Table` is a cursor
that knows its path in the document and finds the line again when something is wrong.
"""

import difflib
import math
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*("[^"]*"|'[^']*'|[A-Za-z0-9_-]+)\s*(?:\.[^=]*)?=""")


class DocumentError(Exception):
    """A study definition or mapping that cannot be used; the text says what, where, what to do."""


Path_ = tuple[str | int, ...]


def _unquote(word: str) -> str:
    return word.strip().strip("\"'")


def line_numbers(text: str) -> dict[Path_, int]:
    """Line (from 1) of every table header and key of a TOML text, by path; arrays count from 0."""
    lines: dict[Path_, int] = {}
    counts: dict[Path_, int] = {}
    here: Path_ = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            names = [_unquote(part) for part in header[2].split(".")]
            here = ()
            for position, name in enumerate(names):
                here = (*here, name)
                if position == len(names) - 1 and header[1] == "[[":
                    counts[here] = counts.get(here, -1) + 1
                if here in counts:
                    here = (*here, counts[here])
            lines[here] = number
        elif key := _KEY.match(line):
            lines.setdefault((*here, _unquote(key[1])), number)
    return lines


@dataclass(frozen=True)
class Document:
    """One parsed TOML text and where its keys stand."""

    name: str
    text: str
    data: dict[str, Any]
    lines: dict[Path_, int]

    def root(self) -> "Table":
        """The cursor on the top level."""
        return Table(self, (), self.data)

    def error(self, path: Path_, message: str) -> DocumentError:
        """An error at `path`, or at the nearest enclosing key that has a line of its own."""
        while path and path not in self.lines:
            path = path[:-1]
        return DocumentError(f"{self.name} line {self.lines.get(path, 1)}: {message}")


def parse_document(name: str, text: str) -> Document:
    """Parse TOML `text`; `name` is how messages call it. Raises DocumentError on broken syntax."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DocumentError(f"{name}: not valid TOML: {error}.") from error
    return Document(name, text, data, line_numbers(text))


def read_document(path: Path) -> Document:
    """Read and parse a TOML file. Raises DocumentError if it is missing or not UTF-8 text."""
    try:
        return parse_document(path.name, path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DocumentError(f"{path}: no such file.") from error
    except UnicodeDecodeError as error:
        raise DocumentError(f"{path}: not UTF-8 text. Save it as UTF-8.") from error


def nearest(word: str, allowed: list[str]) -> str:
    """A hint for a message: the nearest allowed word, and all of them."""
    close = difflib.get_close_matches(word, allowed, n=1)
    hint = f" Did you mean '{close[0]}'?" if close else ""
    return f"{hint} Allowed: {', '.join(allowed)}." if allowed else hint


@dataclass
class Table:
    """A cursor on one TOML table: typed access to its keys; `done` refuses the keys nobody read."""

    document: Document
    path: Path_
    data: dict[str, Any]
    seen: set[str] = field(default_factory=set)

    def error(self, key: str | None, message: str) -> DocumentError:
        """An error at `key` of this table (at the table itself when None)."""
        return self.document.error(self.path if key is None else (*self.path, key), message)

    def _get(self, key: str, kind: type | tuple[type, ...], what: str, default: Any) -> Any:
        self.seen.add(key)
        if key not in self.data:
            if default is ...:
                raise self._missing(key, what)
            return default
        value = self.data[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.error(key, f"'{key}' takes {what}, not {value!r}.")
        return value

    def _missing(self, key: str, what: str) -> DocumentError:
        typo = difflib.get_close_matches(key, sorted(set(self.data) - self.seen), n=1)
        if typo:
            return self.error(typo[0], f"'{typo[0]}' is not known here. Did you mean '{key}'?")
        return self.error(None, f"'{key}' is missing here; it takes {what}.")

    def text(self, key: str, default: Any = ...) -> Any:
        """A string."""
        return self._get(key, str, "a text in quotes", default)

    def filled(self, key: str) -> str:
        """A string that is not empty."""
        value = self.text(key)
        if not value.strip():
            raise self.error(key, f"'{key}' is empty.")
        return value

    def flag(self, key: str, default: Any = ...) -> Any:
        """A boolean."""
        return self._get(key, bool, "true or false", default)

    def number(self, key: str, default: Any = ...) -> Any:
        """A finite number."""
        value = self._get(key, (int, float), "a number", default)
        if value is not default and not math.isfinite(value):
            raise self.error(key, f"'{key}' takes a finite number, not {value}.")
        return value

    def code(self, key: str, allowed: list[str], default: Any = ...) -> Any:
        """A string out of `allowed`."""
        value = self.text(key, default)
        if value is not default and value not in allowed:
            raise self.error(key, f"'{value}' is not known as {key}.{nearest(value, allowed)}")
        return value

    def new_code(self, key: str = "code") -> str:
        """A string that declares a code: lower case, digits and underscores, from a letter on."""
        value = self.text(key)
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", value) or "__" in value:
            raise self.error(
                key,
                f"'{value}' cannot be a code. Use lower-case letters, digits and single '_', "
                "starting with a letter.",
            )
        return value

    def items(self, key: str, kind: type | tuple[type, ...], what: str, default: Any = ...) -> Any:
        """A list whose items are all of `kind`."""
        values = self._get(key, list, f"a list of {what}", default)
        if values is default:
            return default
        if not all(isinstance(v, kind) and not isinstance(v, bool) for v in values):
            raise self.error(key, f"'{key}' takes a list of {what}, not {values!r}.")
        return tuple(values)

    def texts(self, key: str, default: Any = ...) -> Any:
        """A list of strings, as a tuple."""
        return self.items(key, str, "texts in quotes", default)

    def numbers(self, key: str, default: Any = ...) -> Any:
        """A list of finite numbers, as a tuple."""
        values = self.items(key, (int, float), "numbers", default)
        if values is not default and not all(math.isfinite(value) for value in values):
            raise self.error(key, f"'{key}' takes finite numbers, not {list(values)}.")
        return values

    def table(self, key: str, default: Any = ...) -> Any:
        """A sub-table as a cursor."""
        value = self._get(key, dict, "a table", default)
        return default if value is default else Table(self.document, (*self.path, key), value)

    def tables(self, key: str, at_least: int = 0) -> list["Table"]:
        """An array of tables as cursors."""
        values = self._get(key, list, "a list of tables", [])
        if not all(isinstance(value, dict) for value in values):
            raise self.error(key, f"'{key}' takes tables ([[{key}]]).")
        if len(values) < at_least:
            raise self.error(None, f"at least {at_least} [[{key}]] is needed.")
        return [Table(self.document, (*self.path, key, i), v) for i, v in enumerate(values)]

    def mapping(self, key: str) -> dict[str, "Table"]:
        """A table of tables, in the order of the document."""
        outer = self.table(key, None)
        return {} if outer is None else {name: outer.table(name) for name in outer.data}

    def done(self) -> None:
        """Refuse every key that was not asked for: a typo must not be ignored in silence."""
        for key in self.data:
            if key not in self.seen:
                hint = nearest(key, sorted(self.seen))
                raise self.error(key, f"'{key}' is not known here.{hint}")


def unique(tables: list[Table], codes: list[str], what: str) -> None:
    """Refuse a code that is declared twice."""
    for position, code in enumerate(codes):
        if code in codes[:position]:
            raise tables[position].error("code", f"{what} '{code}' is declared twice.")
