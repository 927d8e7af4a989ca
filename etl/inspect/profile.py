"""What a column holds: its guessed type, how much of it is filled, its levels or its range.

What could tell who somebody is never leaves this module: of identifiers, names, dates of birth,
free text and texts that hardly repeat only the type and the number of cells are kept.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from etl.inspect import words
from etl.values import read_date

ID, DATE, DAY, NUMBER = "id", "date", "day number", "number"
YES_NO, CHOICE, TEXT, EMPTY = "yes/no", "choice", "text", "empty"
WITH_LEVELS = (YES_NO, CHOICE)
# Of so many distinct texts at most, each twice on average, one speaks of a choice.
MOST_LEVELS, LONGEST_LEVEL = 60, 60
# Whole numbers are codes rather than amounts if so few of them come so often.
MOST_CODES, LARGEST_CODE, CODE_REPEATS = 8, 99, 5
# A range of fewer cells tells of single patients.
FEWEST_FOR_RANGE = 5
# So many of the cells have to be readable as a type.
MOSTLY = 0.9
_SAMPLE = 2000
_LEAST_IDENTIFIER = 10_000
_FORMATS = (
    ("%d.%m.%Y", re.compile(r"\d{2}\.\d{2}\.\d{4}")),
    ("%Y-%m-%d", re.compile(r"\d{4}-\d{2}-\d{2}")),
    ("%d-%m-%Y", re.compile(r"\d{2}-\d{2}-\d{4}")),
    ("%d.%m.%y", re.compile(r"\d{2}\.\d{2}\.\d{2}")),
)
_SLASHES = re.compile(r"(\d{2})/(\d{2})/\d{4}")
_NUMERIC = re.compile(r"[-+\d.,\s]*")
_TIME = re.compile(r"[T\s]\s*\d{1,2}:\d{2}.*")
_DAY_NAMES = ("day", "study day", "день")
_CHECKED = ("yes", "no", "y", "n", "да", "нет", "true", "false", "checked", "unchecked")


@dataclass(frozen=True)
class Level:
    """One text of a choice, what the export calls it ('' if it does not say), how often it is."""

    text: str
    label: str
    count: int

    @property
    def said(self) -> str:
        """What a person would call it."""
        return self.label or self.text


@dataclass(frozen=True)
class Column:
    """One column. `levels`: those that may be shown, by count; `n_levels`: all there are.

    `low`, `high`: the range of a number, the years of a date; None if they are not to be shown.
    `date_format`: how most dates are written, '' if that cannot be told. `is_unique`: every row
    has a text and no text comes twice. `is_synthetic`: all cells are one mark of made-up rows.
    `has_missing_words`: some cells hold a word such as NA, counted as not filled.
    """

    name: str
    label: str
    kind: str
    filled: int
    n_levels: int = 0
    levels: tuple[Level, ...] = ()
    date_format: str = ""
    low: float | None = None
    high: float | None = None
    is_private: bool = False
    is_unique: bool = False
    is_synthetic: bool = False
    has_missing_words: bool = False

    @property
    def hidden(self) -> int:
        """Levels that are not shown."""
        return self.n_levels - len(self.levels)


@dataclass(frozen=True)
class Hints:
    """What an export says of its columns beside the cells."""

    labels: dict[str, str]
    codes: dict[str, tuple[tuple[str, str], ...]]
    identifiers: frozenset[str] = frozenset()
    free_text: frozenset[str] = frozenset()


def _holds(phrase: str, wanted: Iterable[str]) -> bool:
    return any(f" {word} " in f" {phrase} " for word in wanted)


def is_identifying(name: str) -> bool:
    """Whether a column is called like one that tells who somebody is."""
    for phrase in words.phrases(name):
        if _holds(phrase, words.IDENTIFYING) or phrase in words.NAME_WORDS:
            return True
        if _holds(phrase, words.NAME_WORDS) and _holds(phrase, words.PERSON_WORDS):
            return True
    return False


def _is_identifier(name: str) -> bool:
    called = (*words.PATIENT, *words.ENROLLMENT)
    said = words.phrases(name)
    return any(phrase in called or phrase.endswith(" id") for phrase in said)


def _numbers(texts: pl.Series) -> pl.Series:
    numbers = texts.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    return numbers.filter(numbers.is_finite().fill_null(False))


def _is_date(text: str) -> bool:
    if any(shape.fullmatch(text) for _, shape in _FORMATS) or _SLASHES.fullmatch(text):
        return True
    return not _NUMERIC.fullmatch(text) and read_date(text, partial=True).value is not None


def _slash_format(texts: list[str]) -> str:
    """Which of the two numbers is the month; '' if no cell shows it, or cells contradict."""
    found = [(int(m[1]), int(m[2])) for t in texts if (m := _SLASHES.fullmatch(t))]
    day_first = any(first > 12 for first, _ in found)
    month_first = any(second > 12 for _, second in found)
    if day_first == month_first:
        return ""
    return "%d/%m/%Y" if day_first else "%m/%d/%Y"


def _date_format(texts: list[str]) -> str:
    """The format that most of these texts have."""
    bare = [_TIME.sub("", text) for text in texts]
    counts = {name: sum(bool(s.fullmatch(t)) for t in bare) for name, s in _FORMATS}
    counts["/"] = sum(bool(_SLASHES.fullmatch(t)) for t in bare)
    best = max(counts, key=lambda name: counts[name])
    if not counts[best]:
        return "%Y-%m-%d"
    return _slash_format(bare) if best == "/" else best


def _year(text: str, date_format: str) -> int | None:
    try:
        return datetime.strptime(_TIME.sub("", text), date_format).year
    except ValueError:
        return None


def _dates(base: Column, counts: pl.DataFrame, sample: list[str]) -> Column | None:
    """The column as one of dates, None if it is none."""
    if sum(map(_is_date, sample)) < MOSTLY * len(sample):
        return None
    date_format = _date_format(sample)
    texts = counts["text"].to_list() if base.filled >= FEWEST_FOR_RANGE and date_format else []
    years = [year for text in texts if (year := _year(text, date_format))]
    low, high = (min(years), max(years)) if years else (None, None)
    return replace(base, kind=DATE, date_format=date_format, low=low, high=high)


def _number(base: Column, counts: pl.DataFrame) -> Column | None:
    """The column as one of numbers, codes or days, None if it is none."""
    numbers = _numbers(counts["text"])
    if len(numbers) < MOSTLY * counts.height:
        return None
    low, high = float(numbers.min()), float(numbers.max())  # type: ignore[arg-type]
    whole = bool((numbers == numbers.floor()).all()) and len(numbers) == counts.height
    if whole and low >= 0 and high <= LARGEST_CODE and counts.height <= MOST_CODES:
        if set(counts["text"]) <= {"0", "1"}:
            return replace(base, kind=YES_NO, levels=_levels(counts, {}))
        if base.filled >= CODE_REPEATS * counts.height:
            return replace(base, kind=CHOICE, levels=_levels(counts, {}))
    unlike = counts.height >= MOSTLY * base.filled and base.filled >= FEWEST_FOR_RANGE
    if whole and unlike and low >= _LEAST_IDENTIFIER:
        return replace(base, kind=ID, is_private=True)
    said = words.phrases(base.name)
    is_day = whole and any(p in _DAY_NAMES or p.endswith(("dy", " day", " день")) for p in said)
    base = replace(base, kind=DAY if is_day else NUMBER)
    return replace(base, low=low, high=high) if base.filled >= FEWEST_FOR_RANGE else base


def _levels(counts: pl.DataFrame, labels: dict[str, str]) -> tuple[Level, ...]:
    return tuple(Level(text, labels.get(text, ""), n) for text, n in counts.iter_rows())


def _tellable(counts: pl.DataFrame) -> pl.DataFrame:
    """Without texts that come once and are unlike those that come again: remarks, mostly."""
    again = counts.filter(pl.col("count") > 1)["text"].to_list()
    longest = max(map(len, again), default=0)
    most_words = max((len(text.split()) for text in again), default=0)
    alike = pl.col("text").str.len_chars() <= longest
    alike &= pl.col("text").str.split(" ").list.len() <= most_words
    return counts.filter((pl.col("count") > 1) | alike)


def _choice(base: Column, counts: pl.DataFrame) -> Column | None:
    """The column as a choice, None if its texts hardly repeat or are long."""
    longest = counts["text"].str.len_chars().max() or 0
    few = counts.height <= min(MOST_LEVELS, base.filled // 2)
    if not few or int(str(longest)) > LONGEST_LEVEL:
        return None
    kind = YES_NO if {t.casefold() for t in counts["text"]} <= set(_CHECKED) else CHOICE
    return replace(base, kind=kind, levels=_levels(_tellable(counts), {}))


def _coded(base: Column, counts: pl.DataFrame, codes: tuple[tuple[str, str], ...]) -> Column:
    """The column as a choice of a code list of the export, whether it writes codes or labels."""
    found = dict(counts.iter_rows())
    labels = dict(codes)
    known = {text: found[text] for text in labels if text in found}
    if not known:
        known = {text: found[text] for text in labels.values() if text in found}
        labels = {}
    levels = tuple(Level(text, labels.get(text, ""), n) for text, n in known.items())
    both = {word.casefold() for _, word in codes} <= set(_CHECKED)
    return replace(base, kind=YES_NO if both else CHOICE, levels=levels)


def _counts(cells: pl.Series) -> pl.DataFrame:
    """text, count of the filled cells, the most frequent first."""
    text = cells.str.strip_chars().alias("text")
    filled = text.filter((text != "") & ~text.is_in(words.MISSING))
    counts = filled.value_counts(name="count").sort(["count", "text"], descending=[True, False])
    return counts.with_columns(pl.col("count").cast(pl.Int64))


def _is_synthetic(counts: pl.DataFrame) -> bool:
    if counts.height != 1:
        return False
    return any(mark in counts["text"][0].casefold() for mark in words.SYNTHETIC)


def _typed(base: Column, counts: pl.DataFrame, hints: Hints) -> Column:
    if base.kind == EMPTY:
        return base
    if _is_identifier(base.name):
        return replace(base, kind=ID, is_private=True)
    if base.name in hints.codes:
        return _coded(base, counts, hints.codes[base.name])
    sample = counts["text"].gather_every(max(1, counts.height // _SAMPLE)).to_list()
    found = _dates(base, counts, sample) or _number(base, counts)
    if found:
        return found
    said = words.phrases(base.name)
    free = any(_holds(phrase, words.FREE_TEXT) for phrase in said)
    if base.is_synthetic:
        return replace(base, kind=CHOICE, levels=_levels(counts, {}))
    if free or base.name in hints.free_text:
        return base
    return _choice(base, counts) or base


def _names_persons(one: Column) -> bool:
    """Whether levels look like names of persons or addresses of mail."""
    named = sum(bool(words.PERSON.fullmatch(level.said)) for level in one.levels)
    return named * 2 > len(one.levels)


def private(one: Column) -> Column:
    """A column without everything that may tell who somebody is."""
    return replace(one, is_private=True, levels=(), low=None, high=None)


def column(cells: pl.Series, hints: Hints) -> Column:
    """What a column of text holds; its name is that of the series."""
    counts = _counts(cells)
    filled = int(counts["count"].sum())
    called = cells.name in hints.identifiers or is_identifying(cells.name)
    base = Column(
        name=cells.name,
        label=hints.labels.get(cells.name, ""),
        kind=TEXT if filled else EMPTY,
        filled=filled,
        n_levels=counts.height,
        is_unique=counts.height == len(cells) == filled,
        is_synthetic=_is_synthetic(counts),
        has_missing_words=bool(cells.str.strip_chars().is_in(words.MISSING).any()),
    )
    called = called or is_identifying(base.label)
    found = _typed(base, counts, hints)
    if called or found.is_private or _names_persons(found):
        return private(found)
    return found
