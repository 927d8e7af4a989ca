"""How far groups with competing events are compared, and how far a curve of them is drawn.

An event takes children out of the number at risk too: where nobody was censored before a day, few
are at risk on it because the outcome of all others is known, and nothing ends or fades there.
"""

import numpy as np

from analysis.stats.competing import StateCounts
from analysis.stats.counts import DayCounts
from analysis.survival_tables import FADE_BELOW
from analysis.survival_window import END_BELOW


def cut_states(counts: StateCounts, day: float | None) -> StateCounts:
    """Follow-up that ends on a day: who is still without event is censored on it.

    R: pmin(time, day), state 0 where time > day. None: as it is. Raises ValueError for late entry.
    """
    if day is None or not counts.day.size or counts.day[-1] <= day:
        return counts
    if counts.entered is not None:
        raise ValueError("follow-up with delayed entry is not cut")
    keep = counts.day <= day
    days, events, censored = counts.day[keep], counts.events[keep], counts.censored[keep].copy()
    rest = counts.n - int(events.sum() + censored.sum())
    if days.size and days[-1] == day:
        censored[-1] += rest
        return StateCounts(days, events, censored)
    nothing = np.zeros((1, counts.n_states), dtype=events.dtype)
    return StateCounts(
        np.append(days, day), np.vstack([events, nothing]), np.append(censored, rest)
    )


# ---------------------------------------------------------------- how far a curve is drawn


def _known_to(counts: DayCounts, fewest: int) -> float:
    """The last day with so many at risk, or with nobody censored before it."""
    censored_before = np.cumsum(counts.censored) - counts.censored
    enough = counts.day[(counts.at_risk >= fewest) | (censored_before == 0)]
    return float(enough[-1]) if enough.size else 0.0


def end_day(counts: DayCounts) -> float:
    """The last day with at least five at risk, or with nobody censored before it."""
    return _known_to(counts, END_BELOW)


def fade_day(counts: DayCounts) -> float | None:
    """The last day with ten at risk, or with nobody censored before; None if none is later.

    Of fewer than ten children day 0.
    """
    if counts.n < FADE_BELOW:
        return 0.0
    last = _known_to(counts, FADE_BELOW)
    return last if last < counts.day[-1] else None


def first_of(*days: float | None) -> float | None:
    """The first of some days; None if there is none."""
    return min((day for day in days if day is not None), default=None)
