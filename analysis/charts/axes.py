"""Axes of numbers other than shares: amounts from zero, their differences, days in weeks."""

from collections.abc import Iterable, Sequence
from math import ceil, floor, log10

from analysis.charts.dots import Items, Values, differences, proportions
from analysis.charts.rows import Row

MINUS = "\u2212"
# Ticks are at least this far apart: closer ones could not be told apart.
FINEST = 0.001
# Steps between ticks of days; the first that needs at most so many.
DAY_STEPS = (1, 7, 14, 28, 56, 84, 168, 364)
MOST_DAY_TICKS = 10


def _drawn(items: Items) -> list[float]:
    """Every estimate and limit that is drawn."""
    found = [x for _, item in items for x in (item.estimate, item.lower, item.upper)]
    return [x for x in found if x is not None]


def round_step(reach: float, most: int) -> float:
    """1, 2 or 5 times a power of ten: the first of which at most so many steps cover `reach`."""
    least = max(reach / most, FINEST)
    power = 10.0 ** floor(log10(least) + 1e-9)
    return next(k * power for k in (1, 2, 5, 10) if k * power >= least * (1 - 1e-9))


def _written(x: float) -> str:
    """Without the digits that only binary fractions have."""
    return f"{round(x, 6):g}".replace("-", MINUS)


def amount_values(rows: Sequence[Row], title: str) -> Values:
    """From 0 as far as any limit reaches. Raises ValueError for an amount below 0."""
    found = _drawn(proportions(rows))
    if min(found, default=0.0) < 0:
        raise ValueError("an amount below 0")
    reach = max(found, default=0.0)
    step = round_step(reach, 4)
    n_steps = max(1, ceil(reach / step - 1e-9))
    ticks = tuple((k * step, _written(k * step)) for k in range(n_steps + 1))
    return Values((0.0, ticks[-1][0]), ticks, title)


def amount_difference_values(
    rows: Sequence[Row], title: str, sides: tuple[str, str] | None
) -> Values:
    """As far on both sides of zero as any limit reaches; `sides` says what lies there."""
    reach = max((abs(x) for x in _drawn(differences(rows))), default=0.0)
    step = round_step(reach, 3)
    n_steps = max(1, ceil(reach / step - 1e-9))
    ticks = tuple((k * step, _signed(k * step)) for k in range(-n_steps, n_steps + 1))
    said = f"\u2190 {sides[0]} \u00b7 {sides[1]} \u2192" if sides else ""
    return Values((ticks[0][0], ticks[-1][0]), ticks, title, zero_line=True, sides=said)


def _signed(x: float) -> str:
    return f"+{_written(x)}" if x > 0 else _written(x)


def day_ticks(first: int, last: float) -> tuple[int, ...]:
    """Days at whole weeks from `first` on, the last one not before `last`; of few every day."""
    reach = max(last - first, 1.0)
    step = next((s for s in DAY_STEPS if reach <= s * (MOST_DAY_TICKS - 1)), DAY_STEPS[-1])
    return tuple(range(first, first + step * ceil(reach / step - 1e-9) + 1, step))


def day_values(rows: Sequence[Row], title: str, first: int) -> Values:
    """Days from `first` on, in weeks. Raises ValueError for a day before."""
    found = _drawn(proportions(rows))
    if min(found, default=float(first)) < first:
        raise ValueError(f"a day before day {first}")
    ticks = day_ticks(first, max(found, default=float(first)))
    return Values((float(first), float(ticks[-1])), _as_texts(ticks), title)


def _as_texts(days: Iterable[int]) -> tuple[tuple[float, str], ...]:
    return tuple((float(day), str(day)) for day in days)
