"""What every reading gives, and the texts that hold no value in any column."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Generic, Never, TypeVar

from etl.values.rules import REPAIRS

T_co = TypeVar("T_co", covariant=True)

MISSING_WORDS = frozenset(
    {
        *("н/д", "н.д.", "н.д", "нд", "нет данных", "не указано"),
        *("n/a", "n.a.", "na", "no data"),
        *("-", "--", "–", "—"),
    }
)
SPREADSHEET_ERRORS = frozenset(
    {
        *(
            "#ref!",
            "#n/a",
            "#value!",
            "#div/0!",
            "#name?",
            "#num!",
            "#null!",
            "#spill!",
            "#calc!",
            "#not calculated!",
        ),
        *("#ссылка!", "#н/д", "#знач!", "#дел/0!", "#имя?", "#число!", "#пусто!", "#перенос!"),
    }
)
TOO_NARROW = re.compile(r"#{2,}")


@dataclass(frozen=True)
class Read(Generic[T_co]):
    """One reading: with an `error` there is neither value nor repair.

    Without an error, no value means missing. `repairs` are in the order of `REPAIRS`.
    """

    value: T_co | None
    repairs: tuple[str, ...] = ()
    error: str | None = None


def repaired(value: T_co, rules: Collection[str]) -> Read[T_co]:
    """A value and the repairs it took, each once and in the fixed order."""
    return Read(value, tuple(rule for rule in REPAIRS if rule in rules))


def words(text: str) -> str:
    """A text as words are compared: small letters, е for ё, single spaces."""
    return " ".join(text.casefold().replace("ё", "е").split())


def no_value(text: str) -> Read[Never] | None:
    """The reading of an empty text, a missing word or a spreadsheet's error; None for any other.

    `#####` is what a spreadsheet exports from a column too narrow for its value.
    """
    if not text:
        return Read(None)
    folded = words(text)
    if folded in MISSING_WORDS:
        return Read(None, ("missing_word",))
    if folded in SPREADSHEET_ERRORS or TOO_NARROW.fullmatch(folded):
        return Read(None, error="spreadsheet_error")
    return None
