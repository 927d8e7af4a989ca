"""Codes: a text that stands for a code of the mapping, or is written almost like one that does.

A text is compared with the known texts after the fewest of three steps that make it equal to one:
look-alike letters, spelling, roman numeral. The first two are done to both sides, so Latin and
Cyrillic codes are alike. If known texts of different codes become equal to it, it is neither.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from itertools import combinations

from etl.values.letters import ROMAN, without_look_alikes
from etl.values.read import Read, no_value

_RULES = ("look_alike_letters", "spelling", "roman_numeral")
_STEPS = tuple(rules for n in range(1, len(_RULES) + 1) for rules in combinations(_RULES, n))
_HYPHENS = str.maketrans(dict.fromkeys("‐‑‒–—―−", "-"))
# What a program writes for a whole number that it holds as a float.
_WHOLE = re.compile(r"(0|[1-9][0-9]*)\.0+")
_AROUND_SIGNS = re.compile(r" ?([-+/]) ?")


def read_code(text: str, codes: Mapping[str, str]) -> Read[str]:
    """The code of `text`; `codes` gives the code of each known text, written as in the export."""
    text = text.strip()
    if text in codes:
        return Read(codes[text])
    if (whole := _WHOLE.fullmatch(text)) and whole[1] in codes:
        return Read(codes[whole[1]], ("spelling",))
    for rules in _STEPS:
        meant = _meant(text, codes, rules)
        if len(meant) == 1:
            return Read(meant.pop(), rules)
    return no_value(text) or Read(None, error="unknown_code")


def _meant(text: str, codes: Mapping[str, str], rules: Collection[str]) -> set[str]:
    """The codes of all known texts that `rules` make equal to `text`."""
    folded = _folded(text, rules)
    if "roman_numeral" in rules:
        if folded not in ROMAN:
            return set()
        folded = str(ROMAN[folded])
    return {code for known, code in codes.items() if _folded(known, rules) == folded}


def _folded(text: str, rules: Collection[str]) -> str:
    """Capitals come first: more of them are look-alikes."""
    if "spelling" in rules:
        text = _spelled(text)
    return without_look_alikes(text) if "look_alike_letters" in rules else text


def spelled_alike(text: str) -> str:
    """What two texts share that differ in look-alike letters and spelling alone."""
    return _folded(text, ("look_alike_letters", "spelling"))


def _spelled(text: str) -> str:
    """Capitals, Е for Ё, plain hyphens, single spaces, none around signs, nothing invisible."""
    visible = "".join(char for char in text if unicodedata.category(char) != "Cf")
    capitals = visible.upper().replace("Ё", "Е").translate(_HYPHENS)
    return _AROUND_SIGNS.sub(r"\1", " ".join(capitals.split()))
