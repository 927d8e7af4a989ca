"""Numbers, as a Russian spreadsheet may write them.

The comma is always the decimal comma (`12,500` is 12.5) and thousands are parted by spaces; a text
with several commas, or with comma and point, is no number. Exponents have at most two digits that
matter and texts at most 60 characters, so every number read is finite and none is lost to zero.
"""

import re

from etl.values.read import Read, no_value, repaired

LONGEST = 60
_SPACES = " \u00a0\u2009\u202f"  # space, no-break, thin, narrow no-break
_PLAIN = re.compile(
    r"[+-]?(?:[0-9]+(?:\.[0-9]*|,[0-9]+)?|\.[0-9]+)(?:[eE][+-]?0?[0-9]{1,2})?",
)
_GROUPED = re.compile(rf"[+-]?[1-9][0-9]{{0,2}}(?:[{_SPACES}][0-9]{{3}})+(?:[.,][0-9]+)?")
_NO_SPACES = str.maketrans("", "", _SPACES)


def read_number(text: str) -> Read[float]:
    """The number that `text` writes: always finite."""
    text = text.strip()
    if nothing := no_value(text):
        return nothing
    repairs = set()
    if _GROUPED.fullmatch(text):
        repairs.add("thousands_separator")
        text = text.translate(_NO_SPACES)
    if len(text) > LONGEST or not _PLAIN.fullmatch(text):
        return Read(None, error="not_a_number")
    if "," in text:
        repairs.add("decimal_comma")
    return repaired(float(text.replace(",", ".")) + 0.0, repairs)  # + 0.0 makes -0.0 a plain 0.0
