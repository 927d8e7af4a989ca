"""Identifiers that are written almost alike: perhaps one child in two spellings.

They are not merged, since two children can have such numbers; but somebody should look.
"""

import re

import polars as pl

from etl.findings import found
from etl.values import spelled_alike

CASE = "enrollment_id"
_NUMBER = re.compile(r"0*([0-9]+)(?:\.0+)?")
MESSAGE = (
    "Another enrollment has an identifier that is written almost alike. Loaded as two; if it is "
    "one child, write it the same way in all rows."
)


def _folded(identifier: str) -> str:
    """Capitals, look-alike letters, hyphens, spaces, leading zeros and `.0` do not tell apart."""
    plain = spelled_alike(identifier).replace(" ", "")
    number = _NUMBER.fullmatch(plain)
    return number[1] if number else plain


def look_alikes(enrollments: pl.DataFrame) -> pl.DataFrame:
    """A warning for each row of an enrollment whose identifier looks like another one's."""
    ids = enrollments[CASE].unique().to_list()
    spellings: dict[str, list[str]] = {}
    for identifier in ids:
        spellings.setdefault(_folded(identifier), []).append(identifier)
    alike = [text for group in spellings.values() if len(group) > 1 for text in group]
    return found(enrollments.filter(pl.col(CASE).is_in(alike)), "look_alike_id", "warning", MESSAGE)
