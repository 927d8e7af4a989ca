"""How far cohorts are compared: the follow-up that all of them share, and how complete it is.

An older protocol is followed for longer than a newer one. Where that differs much, differences,
tests and hazard ratios end with the follow-up that all cohorts share: beyond it one cohort would be
compared with a handful of the other's, whose follow-up has just begun.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from analysis.groups import Group
from analysis.stats.common_window import common_window
from analysis.stats.counts import DayCounts
from analysis.stats.estimate import Estimate, not_estimable
from analysis.stats.survival import follow_up
from analysis.wording import in_unit
from trial.study import Endpoint, Study
from trial.words import say

FEWEST_AT_RISK = 10
# Where fewer are at risk a curve ends, and nothing is compared.
END_BELOW = 5
# A longest median follow-up of more than so many times the shortest is unequal.
MOST_UNEQUAL = 1.25
# Percentage points between the most and the least completely followed cohort.
MOST_INCOMPLETE = 0.10
METHOD = f"last day with at least {FEWEST_AT_RISK} at risk, or with nobody censored before it"


@dataclass(frozen=True)
class Window:
    """The last day that is compared (`last_day`): of all cohorts, and of each; None: no end.

    `is_unequal`: median follow-up (reverse Kaplan-Meier) differs by more than a quarter.
    """

    day: float | None
    by_cohort: tuple[Estimate, ...]
    is_unequal: bool

    @property
    def end(self) -> float | None:
        """The day on which comparisons end; None: they have no end of their own."""
        return self.day if self.is_unequal else None

    def is_beyond(self, days: float) -> bool:
        """Whether a day lies after all comparisons."""
        return self.end is not None and days > self.end


def window_of(cohorts: Sequence[DayCounts], is_randomised: bool) -> Window:
    """The window of the cohorts that are compared.

    Of fewer than two cohorts nothing is unequal; nor where a median follow-up is not known, since
    nobody was censored: such a cohort was followed in full. In a randomised study follow-up differs
    by who leaves it, and all of it is compared.
    """
    if not cohorts:
        return Window(None, (), False)
    days = tuple(last_day(counts) for counts in cohorts)
    ends = [found.estimate for found in days if found.estimate is not None]
    told = [] if is_randomised else [follow_up(counts).estimate for counts in cohorts]
    medians = [median for median in told if median is not None]
    differs = len(medians) > 1 and is_unequal(medians)
    return Window(min(ends, default=None), days, differs)


def few_within(study: Study, end: float | None, within: int, n: int) -> str:
    """Why there is no ratio and no test: most events are after the end of comparisons."""
    if end is None or 2 * within >= n:
        return ""
    told = {"end": in_unit(study)(end), "unit": study.time_unit}
    return say("survival.few_within", within=within, n=n, **told)


def last_day(counts: DayCounts) -> Estimate:
    """The last day with ten at risk, or with nobody censored before it; why not if nobody ever is.

    An event takes children out of the number at risk too: until the first is censored few are at
    risk because the outcome of all others is known, and that ends no follow-up.
    """
    censored = counts.day[counts.censored > 0]
    if not censored.size:
        return not_estimable(say("survival.nobody_censored"), METHOD)
    found = common_window((counts,), FEWEST_AT_RISK).day.estimate
    return Estimate(max(found or 0.0, float(censored[0])), method=METHOD)


def is_unequal(medians: Sequence[float]) -> bool:
    """Whether the longest median follow-up is more than a quarter longer than the shortest."""
    return max(medians) > MOST_UNEQUAL * min(medians)


def up_to(counts: DayCounts, day: float | None) -> DayCounts:
    """Follow-up that ends on a day: who is still without event is censored on it.

    R: pmin(time, day), event & time <= day. None: as it is. Raises ValueError for delayed entry.
    """
    if day is None or not counts.day.size or counts.day[-1] <= day:
        return counts
    if counts.entered is not None:
        raise ValueError("follow-up with delayed entry is not cut")
    keep = counts.day <= day
    days, events, censored = (x[keep] for x in (counts.day, counts.events, counts.censored))
    rest = counts.n - int(events.sum() + censored.sum())
    if days.size and days[-1] == day:
        censored = censored.copy()
        censored[-1] += rest
        return DayCounts(days, events, censored)
    return DayCounts(np.append(days, day), np.append(events, 0), np.append(censored, rest))


def completeness_of(found: pl.DataFrame, group: Group) -> Estimate:
    """Clark's index of a group, from rows of `queries/followed.sql`; or why there is none.

    The same as `stats.common_window.completeness` of its lines: observed person-time over potential
    person-time.
    """
    mine, method = found.filter(group.matches), "Clark's index of completeness"
    if not mine.height:
        return not_estimable(say("response.nobody"), method)
    (row,) = mine.rows(named=True)
    if row["n_unknown"]:
        return not_estimable(say("survival.no_cutoff"), method)
    if not row["potential_days"]:
        return not_estimable(say("survival.no_follow_up"), method)
    return Estimate(row["followed_days"] / row["potential_days"], method=method)


def followed_asked(study: Study, endpoint: Endpoint) -> dict:
    """What the query needs to know."""
    terminal = [m.code for m in study.milestones if m.is_terminal]
    late = study.survival.late_days
    return {"endpoint_code": endpoint.code, "terminal": terminal, "late_days": late}
