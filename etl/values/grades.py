"""Severity grades 1-5 of adverse events.

Words are read by the general descriptions of CTCAE v5 (NCI, 2017): 1 mild, 2 moderate, 3 severe,
4 life-threatening, 5 death. `+` says that there was an event and not which grade it had.
"""

import re
from dataclasses import dataclass

from etl.values.letters import ROMAN, without_look_alikes
from etl.values.read import Read, no_value, repaired, words

EVENT_WITHOUT_GRADE = "+"
GRADES = {str(grade): grade for grade in range(1, 6)}
# Compared without regard to case and with е for ё.
GRADE_WORDS = (
    ("легкая", "легкий", "легкое", "mild"),
    ("умеренная", "умеренный", "умеренное", "средняя", "средней тяжести", "moderate"),
    ("тяжелая", "тяжелый", "тяжелое", "severe"),
    ("жизнеугрожающая", "жизнеугрожающее", "life-threatening", "life threatening"),
    ("летальная", "летальный", "смерть", "fatal", "death"),
)
_WORDS = {word: grade for grade, names in enumerate(GRADE_WORDS, start=1) for word in names}
_NUMERALS = {numeral: grade for numeral, grade in ROMAN.items() if grade in GRADES.values()}
_TO = re.compile("[-‐‑‒–—−]")


@dataclass(frozen=True)
class Grade:
    """The lowest and the highest grade that the text allows, 1 to 5; mostly the same."""

    low: int
    high: int


def read_grade(text: str) -> Read[Grade]:
    """The grade, or the rising range of grades, that `text` gives."""
    text = text.strip()
    if nothing := no_value(text):
        return nothing
    if one := _grade(text):
        return repaired(Grade(one[0], one[0]), one[1])
    ends = [_grade(end.strip()) for end in _TO.split(text, maxsplit=1)]
    if len(ends) == 2 and ends[0] and ends[1] and ends[0][0] < ends[1][0]:
        (low, low_rules), (high, high_rules) = ends[0], ends[1]
        return repaired(Grade(low, high), {"grade_range", *low_rules, *high_rules})
    return Read(None, error="not_a_grade")


def is_severity(text: str) -> bool:
    """Whether `text` is a word for a severity."""
    return words(text) in _WORDS


def _grade(text: str) -> tuple[int, set[str]] | None:
    """One grade and the repairs it took."""
    if word := _WORDS.get(words(text)):
        return word, {"grade_word"}
    latin = without_look_alikes(text)
    repairs = {"look_alike_letters"} if latin != text else set()
    if latin in GRADES:
        return GRADES[latin], repairs
    if numeral := _NUMERALS.get(latin.upper()):
        return numeral, {*repairs, "roman_numeral"}
    return None
