"""Finding a column by what it is called: by its name first, by its label last."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from etl.inspect import words
from etl.inspect.profile import DAY, EMPTY, ID, Column
from etl.inspect.units import Unit, is_no_fact

# So many columns share the first word of their names, or half of those of a small table.
_SHARED_START = 4


@dataclass(frozen=True)
class Hit:
    """A column in a role, and why."""

    column: Column
    why: str


def _starts(unit: Unit) -> list[str]:
    """First words that several columns share, such as `fu` of fu_status and fu_death_date."""
    told = [c.name for c in unit.columns if c.kind != ID and not is_no_fact(c.name)]
    first = Counter(words.folded(name).partition(" ")[0] for name in told)
    enough = min(_SHARED_START, max(2, len(told) / 2))
    return [word for word, n in first.items() if n >= enough]


def _said(unit: Unit) -> Iterator[tuple[str, dict[Column, tuple[str, ...]], bool]]:
    """Ways to read a name, the surest first: why, the phrases of each column, whole or its end."""
    names = {c: words.phrases(c.name) for c in unit.columns if c.kind != EMPTY}
    yield "its name", names, True
    starts = _starts(unit)
    bare = {
        c: tuple(p.removeprefix(f"{s} ") for p in said for s in starts) for c, said in names.items()
    }
    yield "its name", bare, True
    yield "the end of its name", names, False
    yield "its label", {c: words.phrases(c.label) for c in names}, True


def _fits(phrase: str, said: tuple[str, ...], whole: bool) -> bool:
    if whole:
        return phrase in said
    return " " in phrase and any(one.endswith(f" {phrase}") for one in said)


def hit(
    unit: Unit,
    wanted: tuple[str, ...],
    kinds: tuple[str, ...],
    taken: tuple[str, ...] = (),
    fits: Callable[[Column], bool] = lambda _: True,
) -> Hit | None:
    """The column that is called so, of one of these kinds and not taken; None if there is none."""
    for why, names, whole in _said(unit):
        for phrase in wanted:
            for column, said in names.items():
                usable = column.kind in kinds and column.name not in taken
                if usable and _fits(phrase, said, whole) and fits(column):
                    return Hit(column, why)
    return None


def mostly(unit: Unit, share: float) -> Callable[[Column], bool]:
    """Whether so much of a column is filled."""
    return lambda column: column.filled >= share * unit.n_rows


def dated(column: Column) -> bool:
    """Whether a mapping can say how the days of a column are written."""
    return column.kind == DAY or bool(column.date_format)
