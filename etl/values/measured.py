"""Measured shares of cells: blasts and MRD, as fractions.

0.01 % is 1e-4, exactly: value and unit are put together as decimal text (`0.01e-2`) before the one
rounding to a float. A unit mixed up is an error of a factor 100, so nothing is guessed:

- A number needs its unit, from the unit cell or a percent sign. A power of ten (10^-4, 1e-4) says
  that it is a fraction; together with percent it contradicts itself. That includes the rare
  `5e-05` with unit % of a program that writes small numbers so.
- `10-4` alone may be two numbers, and `10e-4` is written for 10^-4 as well as for 10 times that:
  neither is read.
- `-` is missing, never negative. `+` and words for 'positive' say no level and are not read:
  `detected` is for what was found below the limit of quantification.
"""

import re
import unicodedata
from dataclasses import dataclass

from etl.values.read import Read, no_value, repaired, words

LONGEST = 200
PERCENT, FRACTION = "%", "fraction"
UNITS = (PERCENT, FRACTION)
_SHIFT = {PERCENT: -2, FRACTION: 0}

WORDS = ("undetectable", "detected", "failed")
NEGATIVE_WORDS = frozenset(
    {
        *("отр", "отриц", "отрицательно", "отрицательный", "отрицательная"),
        *("не обн", "не обнаружено", "не обнаружена", "не обнаружен"),
        *("не выявлено", "не выявлена", "neg", "negative", "not detected"),
    }
)
DETECTED_WORDS = frozenset({"обн", "обнаружено", "обнаружена", "обнаружен"})

_SUPERSCRIPTS = re.compile(r"\^?([⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
_MINUS = "−–-"  # the hyphen last: in a set of characters it would make a range
_MANTISSA = r"(?P<mantissa>-?(?:[0-9]{1,60}(?:\.[0-9]{0,60}|,[0-9]{1,60})?|\.[0-9]{1,60}))"
_FORMS = tuple(
    (re.compile(rf"(?P<qualifier>[<>]?)\s*{form}\s*(?P<percent>%?)"), rule)
    for form, rule in (
        (_MANTISSA, ""),
        (r"(?P<mantissa>-?[0-9](?:[.,][0-9]{1,60})?)[eE](?P<exponent>[+-]?0?[0-9]{1,2})", ""),
        (
            rf"(?:{_MANTISSA}\s*[*xXхХ×·⋅]\s*10\s*(?:\^|(?=[{_MINUS}]))|10\s*\^)"
            rf"\s*\(?(?P<exponent>[+{_MINUS}]?[0-9]{{1,2}})\)?",
            "power_of_ten",
        ),
    )
)
_CERTAIN_SEPARATOR = re.compile(r"-+>|=+>|→|[;|()]|,\s|\s+(?:и|затем|and|then)\s+")
_ANY_SEPARATOR = re.compile(rf"{_CERTAIN_SEPARATOR.pattern}|[/—{_MINUS}]|\s(?!\s*%)")


@dataclass(frozen=True)
class Measured:
    """One result.

    `qualifier`: `=`, `<` or `>` with a value (a fraction from 0 to 1); `undetectable`, `detected`
    or `failed` without one.
    """

    qualifier: str
    value: float | None


def read_measured(text: str, unit: str | None, needs_unit: bool) -> Read[Measured]:
    """The result that `text` gives in `unit`: `%`, `fraction`, or None if the unit cell is empty.

    With `needs_unit`, a plain number without any unit is an error; else it is a fraction.
    """
    text = text.strip()
    if nothing := no_value(text):
        return nothing
    if len(text) > LONGEST:
        return Read(None, error="not_a_number")
    read = _read_one(text, unit, needs_unit)
    if read.error == "not_a_number" and _are_several(text):
        return Read(None, error="several_values")
    return read


def _read_one(text: str, unit: str | None, needs_unit: bool) -> Read[Measured]:
    if word := _read_word(text):
        return word
    text = _SUPERSCRIPTS.sub(lambda run: "^" + unicodedata.normalize("NFKC", run[1]), text)
    for form, rule in _FORMS:
        if written := form.fullmatch(text):
            return _of_parts(written.groupdict(), rule, unit, needs_unit)
    return Read(None, error="not_a_number")


def _read_word(text: str) -> Read[Measured] | None:
    if text in WORDS:
        return Read(Measured(text, None))
    word = words(text).removesuffix(".")
    if word in WORDS:
        return Read(Measured(word, None), ("spelling",))
    if word in NEGATIVE_WORDS:
        return Read(Measured("undetectable", None), ("negative_word",))
    if word in DETECTED_WORDS:
        return Read(Measured("detected", None), ("detected_word",))
    return None


def _of_parts(
    parts: dict[str, str | None], rule: str, unit: str | None, needs_unit: bool
) -> Read[Measured]:
    """The result of `qualifier`, `mantissa`, `exponent` and `percent`; absent parts are empty."""
    mantissa = parts["mantissa"] or "1"
    exponent = int(re.sub(f"[{_MINUS}]", "-", parts.get("exponent") or "0"))
    said = {unit} if unit else set()
    said |= {PERCENT} if parts["percent"] else set()
    said |= {FRACTION} if exponent < 0 or not (said or needs_unit) else set()
    if len(said) > 1:
        return Read(None, error="unit_contradiction")
    if not said or not said <= set(_SHIFT):
        return Read(None, error="ambiguous_unit")
    value = float(f"{mantissa.replace(',', '.')}e{exponent + _SHIFT[said.pop()]}")
    qualifier = parts["qualifier"] or "="
    if not _is_possible(qualifier, value):
        return Read(None, error="out_of_range")
    repairs = {rule, "decimal_comma" if "," in mantissa else ""}
    repairs |= {"percent_in_value"} if parts["percent"] else set()
    return repaired(Measured(qualifier, value + 0.0), repairs)  # + 0.0 makes -0.0 a plain 0.0


def _is_possible(qualifier: str, value: float) -> bool:
    """Whether a share of cells can be so: none is below 0 or above 1."""
    at_the_end = (qualifier == "<" and value <= 0) or (qualifier == ">" and value >= 1)
    return 0 <= value <= 1 and not at_the_end


def _are_several(text: str) -> bool:
    """Whether `text` falls into two or more parts that each are a result, in whatever unit."""
    for separator in (_CERTAIN_SEPARATOR, _ANY_SEPARATOR):
        parts = [part.strip() for part in separator.split(text) if part.strip()]
        if len(parts) > 1 and all(_is_result(part) for part in parts):
            return True
    return False


def _is_result(text: str) -> bool:
    read = [no_value(text) or _read_one(text, unit, needs_unit=True) for unit in (None, PERCENT)]
    return any(one.error is None for one in read)
