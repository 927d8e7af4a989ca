"""How far, and how completely, cohorts were followed: a common window, Clark's completeness.

An older protocol is followed for longer than a newer one. Comparisons that depend on a last day
(a milestone, a restricted mean) are fair up to the day to which every cohort is still observed by
enough of its patients. The index of completeness says of each cohort how much of the follow-up it
could have had it did have; a difference between cohorts may look like a difference in outcome.

Source: Clark, Altman & De Stavola, Lancet 2002;359:1309. Median follow-up: `survival.follow_up`
(reverse Kaplan-Meier).
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from analysis.stats.counts import Array, DayCounts
from analysis.stats.estimate import Estimate, not_estimable


@dataclass(frozen=True)
class CommonWindow:
    """The last day (days from the origin) common to all cohorts, and each cohort's own.

    `day` is not estimable if one of the cohorts has no such day.
    """

    day: Estimate
    by_cohort: tuple[Estimate, ...]


def common_window(cohorts: tuple[DayCounts, ...], fewest: int) -> CommonWindow:
    """Up to which day each cohort, and all of them, have at least `fewest` at risk.

    At risk on a day, just before its events, as the at-risk table counts: a restricted mean to this
    day passes the rule of at least `fewest` at risk at tau. With delayed entry fewer may be at risk
    early. Raises ValueError for `fewest` below 1 and without cohorts.
    """
    if fewest < 1 or not cohorts:
        raise ValueError(f"{len(cohorts)} cohorts, fewest {fewest}; expected 1 or more of both")
    by_cohort = tuple(_last_day(counts, fewest) for counts in cohorts)
    days = [found.estimate for found in by_cohort if found.estimate is not None]
    if len(days) < len(by_cohort):
        missing = next(found for found in by_cohort if found.estimate is None)
        return CommonWindow(missing, by_cohort)
    return CommonWindow(Estimate(min(days), method=_method(fewest)), by_cohort)


def _method(fewest: int) -> str:
    return f"last day with at least {fewest} at risk"


def _last_day(counts: DayCounts, fewest: int) -> Estimate:
    """Numbers at risk only change after a day on which somebody comes or goes."""
    enough = np.flatnonzero(counts.at_risk >= fewest)
    if not enough.size:
        most = int(counts.at_risk.max(initial=0))
        return not_estimable(f"at most {most} at risk at any time", _method(fewest))
    return Estimate(float(counts.day[enough[-1]]), method=_method(fewest))


def completeness(frame: pl.DataFrame, until: float | None = None) -> Estimate:
    """Clark's index: observed person-time over potential person-time, a proportion in [0, 1].

    From columns followed_days (to the event or the last contact), potential_days (to the data
    cut-off), state (0 no event, 1 or more an event), n; any order, repeats allowed. Who had the
    event was followed in full: the potential time ends with it, and the column may be empty. With
    `until` both times end on that day at the latest. No interval: it describes these patients.

    Not estimable without potential person-time. Raises ValueError for a missing or negative time
    or n, a missing state, a negative `until`, and for a follow-up longer than it could have been.
    """
    if until is not None and not until >= 0:
        raise ValueError(f"completeness until day {until}; expected 0 or later")
    method = "Clark's index of completeness"
    followed, potential, state, n = (
        frame[name].cast(pl.Float64).to_numpy()
        for name in ("followed_days", "potential_days", "state", "n")
    )
    potential = np.where((state > 0) & np.isnan(potential), followed, potential)
    _check(followed, potential, state, n)
    potential = np.where(state > 0, followed, potential)
    if until is not None:
        followed, potential = np.minimum(followed, until), np.minimum(potential, until)
    if not n.any():
        return not_estimable("no patients", method)
    if not (total := float(n @ potential)):
        return not_estimable("no potential follow-up after day 0", method)
    return Estimate(float(n @ followed) / total, method=method)


def _check(followed: Array, potential: Array, state: Array, n: Array) -> None:
    if not ((followed >= 0) & (followed < np.inf) & (state >= 0) & (n >= 0)).all():
        raise ValueError("a row without follow-up, state or n, or with a negative one")
    if not ((potential >= followed) & (potential < np.inf)).all():
        raise ValueError("a row followed for longer than it could have been, or without potential")
