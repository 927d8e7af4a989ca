"""Which code of a study a text of the export means: the same word, whatever the writing."""

from collections.abc import Iterable

from etl.fact_tables import FactColumn, known_codes
from etl.inspect import words
from etl.inspect.profile import Column, Level
from etl.values.grades import GRADE_WORDS
from trial.found_terms import LONGEST_CODE, LONGEST_LABEL, code_of
from trial.study import Level as Coded
from trial.study import Study

Allowed = tuple[tuple[str, str], ...]
_LISTS = {"line": "lines", "cohort": "cohorts", "block": "blocks", "endpoint": "endpoints"}


def _compact(text: str) -> str:
    return words.folded(text).replace(" ", "")


def _same(one: str, other: str) -> bool:
    if _compact(one) == _compact(other) != "":
        return True
    pair = {words.folded(one), words.folded(other)}
    return any(pair <= set(group) for group in words.SAME)


def meaning(level: Level, allowed: Allowed, digits: bool = False) -> str | None:
    """The code that a level means, None if it means none of them or several.

    `allowed`: code and label. `digits`: 0 and 1 are no and yes.
    """
    # A number with a label is a number of the form; the label alone says what it means.
    said = [level.label] if level.text.isdecimal() and level.label else [level.text]
    said += [level.label] if level.label else []
    if digits and not level.label and level.text in words.DIGITS:
        said = [words.DIGITS[level.text], level.text]
    exact = {code for code, _ in allowed if code in map(code_of, said)}
    meant = exact or {
        code for code, label in allowed for text in said
        if _same(text, code) or _same(text, label)
    }  # fmt: skip
    return meant.pop() if len(meant) == 1 else None


def pairs(column: Column, allowed: Allowed) -> tuple[dict[str, str], list[Level]]:
    """Text -> code of the levels that mean a code, and the levels that do not."""
    digits = {level.text for level in column.levels} <= set(words.DIGITS)
    found = {level.text: meaning(level, allowed, digits) for level in column.levels}
    unknown = [level for level in column.levels if found[level.text] is None]
    return {text: code for text, code in found.items() if code}, unknown


def coded(things: Iterable[Coded]) -> Allowed:
    """Code and label of the levels of a characteristic or a code list."""
    return tuple((thing.code, thing.label) for thing in things)


def allowed_codes(study: Study, column: FactColumn) -> Allowed:
    """Code and label of what a coded column of a fact table may hold."""
    things = getattr(study, _LISTS.get(column.codes, ""), ()) or study.code_list(column.codes)
    if column.codes in ("term", "scale"):
        things = study.toxicity.terms if column.codes == "term" else study.toxicity.scales
    labels = {thing.code: thing.label for thing in things}
    return tuple((code, labels.get(code, code)) for code in known_codes(study, column))


def states(column: Column) -> dict[str, str]:
    """Text of CNSR -> event (0) or censored (anything above)."""
    found = {}
    for level in column.levels:
        number = level.text.replace(".", "", 1)
        if number.isdecimal():
            found[level.text] = "event" if float(level.text) == 0 else "censored"
    return found


def severities(column: Column) -> dict[str, str] | None:
    """Text -> step of a severity in words; None if the column holds grades or other words."""
    found = {}
    for level in column.levels:
        said = words.folded(level.said)
        steps = [i for i, named in enumerate(GRADE_WORDS, 1) if said in map(words.folded, named)]
        if not steps:
            return None
        found[level.text] = str(steps[0])
    return found or None


def suffixed(code: str, suffix: str) -> str:
    """A code with more behind it, still a code."""
    return code[: LONGEST_CODE - len(suffix)].rstrip("_") + suffix


def plain(text: str) -> str:
    """A text as a label: on one line, nothing in it that cannot be printed."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:LONGEST_LABEL]


def new_codes(levels: Iterable[Level], reserved: tuple[str, ...] = ()) -> dict[str, str]:
    """Code -> label for levels that get codes of their own: equal ones fall together."""
    found: dict[str, str] = {}
    for level in levels:
        code = code_of(level.said)
        code = suffixed(code, "_told") if code in reserved else code
        label = plain(level.said) or code
        if code not in found:
            found[code] = f"{label} ({code})" if label in found.values() else label
    return found
