"""Writing TOML: every text of an export is hostile, and must come back as it was."""

import re
from collections.abc import Mapping, Sequence

from etl.errors import shown

Value = str | bool | int | float | Sequence["Value"] | Mapping[str, "Value"]
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SHORT = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LONGEST_NOTE = 240


def _escaped(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def quoted(text: str) -> str:
    """A text as a TOML string on one line; what cannot be printed is escaped."""
    return '"' + "".join(map(_escaped, text)) + '"'


def written(value: Value) -> str:
    """A value on one line."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key(k)} = {written(v)}" for k, v in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(map(written, value)) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def key(text: str) -> str:
    """A text as a TOML key."""
    return text if _BARE.fullmatch(text) else quoted(text)


def note(text: str) -> str:
    """A comment line; what cannot be printed is replaced."""
    return f"# {shown(text, _LONGEST_NOTE)}"


def entry(name: str, value: Value, guess: str = "") -> str:
    """A key and its value; why it was guessed stands behind it."""
    line = f"{key(name)} = {written(value)}"
    return f"{line}  {note(f'guess: {guess}')}" if guess else line


def fill_in(text: str) -> str:
    """A comment line that says what a person has to say."""
    return note(f"fill in: {text}")
