"""Survival from the transplant: each group, and within it by the MRD that was known at its day."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from analysis.answer import Disclosed
from analysis.compose import Page
from analysis.groups import Group, groups
from analysis.link import threshold_of
from analysis.outcomes import Ended, outcomes
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.counts import DayCounts, day_counts
from analysis.stats.estimate import Estimate, not_estimable
from analysis.stats.limits import mover_difference
from analysis.stats.survival import KaplanMeier, kaplan_meier, survival_at
from analysis.survival_window import Window, window_of
from analysis.wording import in_unit, time_in_words
from trial.study import Endpoint
from trial.survival_rule import Bridge
from trial.words import say
from warehouse.query import query

ALL = "all"
MOVER = "difference, MOVER from the two intervals"
NEGATIVE, NOT_NEGATIVE, NOT_KNOWN = "negative", "not_negative", "not_known"
MRD_CLASSES = (NEGATIVE, NOT_NEGATIVE, NOT_KNOWN)
# Classes of a sample to those of the page; whatever is not named is not known.
CLASS_OF = {"negative": NEGATIVE, "positive": NOT_NEGATIVE, "indeterminate": NOT_NEGATIVE}
# Colours of no cohort of two, told apart by their line types too.
ROLES = {NEGATIVE: 2, NOT_NEGATIVE: 4, NOT_KNOWN: 5}


@dataclass(frozen=True)
class Arm:
    """One curve: everybody of a group, or one class of MRD of it."""

    group: Group
    code: str
    label: str
    role: int
    counts: DayCounts
    km: KaplanMeier

    @property
    def n(self) -> int:
        """Patients."""
        return self.counts.n

    def events_by(self, days: float) -> int:
        """Events up to and including a day."""
        return int(self.counts.events[self.counts.day <= days].sum())

    def at(self, days: float) -> Estimate:
        """S(t); of fewer than ten patients counts alone."""
        if self.n < FEWEST_FOR_PERCENT:
            few = say("survival.few", n=FEWEST_FOR_PERCENT)
            return not_estimable(few if self.n else say("response.nobody"), "Kaplan-Meier")
        return survival_at(self.km, days)


@dataclass(frozen=True)
class After:
    """Survival from it: everybody of each group, and each class of MRD of each group.

    `classes` is empty where the study has no time point of MRD before it. `crossed`: how many
    reached it with and without a survival from it, which the numbers of both tell together.
    `window`: how far groups are compared.
    """

    on: Page
    endpoint: Endpoint
    timepoint_code: str | None
    ended: tuple[Ended, ...]
    whole: tuple[Arm, ...]
    classes: tuple[tuple[Arm, ...], ...]
    crossed: tuple[int, ...]
    window: Window

    @property
    def days(self) -> float:
        """The chosen time in days."""
        return self.on.view.time * self.on.study.unit_days

    @property
    def when(self) -> str:
        """The chosen time in words."""
        return time_in_words(self.on.study, self.on.view.time)

    @property
    def has_mrd(self) -> bool:
        """Whether curves by MRD are told."""
        return bool(self.classes)

    @property
    def arms(self) -> list[tuple[Arm, ...]]:
        """Everybody and the classes of each group."""
        if not self.has_mrd:
            return [(arm,) for arm in self.whole]
        return [(arm, *of) for arm, of in zip(self.whole, self.classes, strict=True)]


def after_of(on: Page, bridge: Bridge, crossed: tuple[int, ...]) -> After:
    """Survival from the bridge of the groups of a view; `crossed` as in `After`."""
    endpoint, chosen = on.study.endpoint(bridge.after), on.view.selection
    shown = groups(on.study, chosen)
    found = outcomes(on.snapshot, chosen, endpoint)
    ended = tuple(found.of(group) for group in shown)
    whole = tuple(
        _arm(g, ALL, g.label, g.role, mine.by_day) for g, mine in zip(shown, ended, strict=True)
    )
    has_mrd = bridge.timepoint is not None and bool(on.view.mrd)
    classes = _classes(on, bridge, shown) if has_mrd else ()
    timepoint = bridge.timepoint if has_mrd else None
    enough = [arm.counts for arm in whole if arm.n >= FEWEST_FOR_PERCENT]
    window = window_of(enough, on.study.randomised)
    return After(on, endpoint, timepoint, ended, whole, classes, crossed, window)


def _arm(group: Group, code: str, label: str, role: int, rows: pl.DataFrame) -> Arm:
    counts = day_counts(rows)
    return Arm(group, code, label, role, counts, kaplan_meier(counts))


def _classes(on: Page, bridge: Bridge, shown: Iterable[Group]) -> tuple[tuple[Arm, ...], ...]:
    """The classes of each group; each of its patients is in one of them."""
    told = {"endpoint_code": bridge.after, "timepoint_code": bridge.timepoint}
    told["threshold"] = threshold_of(on.view.mrd)
    rows = query(on.snapshot, "bridge_mrd", on.view.selection, **told)
    named = pl.col("class").replace_strict(CLASS_OF, default=NOT_KNOWN, return_dtype=pl.String)
    rows = rows.with_columns(named.alias("class"))
    return tuple(
        tuple(
            _arm(g, code, say(f"bridge.{code}"), ROLES[code], _of_class(rows, g, code))
            for code in MRD_CLASSES
        )
        for g in shown
    )


def _of_class(rows: pl.DataFrame, group: Group, code: str) -> pl.DataFrame:
    return rows.filter(group.matches & (pl.col("class") == code))


# ---------------------------------------------------------------- what it tells


def _outside(after: After) -> list[int]:
    """Those of the population who have no time: few never reached it, or few are in doubt."""
    found = []
    for ended in after.ended:
        found += [n for code, n in ended.left_out.items() if code != "without_origin"]
    return found


def _told_at(after: After, arms: Iterable[Arm]) -> list[int]:
    """Patients, events by the chosen time, later, and none."""
    counts: list[int] = []
    for arm in arms:
        by, total = arm.events_by(after.days), arm.counts.n_events
        counts += [arm.n, by, total - by, arm.n - by, arm.n - total]
    return counts


def _steps(after: After, arms: Iterable[Arm]) -> list[int]:
    """Between two times as many had the event as they differ by."""
    counts, study = [], after.on.study
    for arm in arms:
        by = [arm.events_by(t * study.unit_days) for t in study.milestone_times]
        counts += [b - a for a, b in pairwise([0, *by, arm.counts.n_events])]
    return counts


def at_time(after: After) -> Disclosed:
    """Everybody of each group at the chosen time."""
    counts = (*_told_at(after, after.whole), *_outside(after), *after.crossed)
    return Disclosed(counts, "bridge/after")


def at_times(after: After) -> Disclosed:
    """Everybody of each group at all times."""
    steps = _steps(after, after.whole)
    return Disclosed((*steps, *at_time(after).counts), "bridge/after_times")


def _classes_at_time(after: After) -> Disclosed:
    """Every class at the chosen time; together they are everybody."""
    arms = [arm for of in after.classes for arm in of]
    return Disclosed((*_told_at(after, arms), *at_time(after).counts), "bridge/mrd")


def _classes_at_times(after: After) -> Disclosed:
    """Every class at all times."""
    arms = [arm for of in after.classes for arm in of]
    counts = (*_steps(after, arms), *_classes_at_time(after).counts, *at_times(after).counts)
    return Disclosed(counts, "bridge/mrd_times")


def disclosed_of(after: After, arm: Arm, days: float) -> Disclosed:
    """What the numbers of a curve at a time tell."""
    if arm.code == ALL:
        return at_time(after) if days == after.days else at_times(after)
    return _classes_at_time(after) if days == after.days else _classes_at_times(after)


def curve_disclosed(arms: Iterable[Arm], part: str) -> Disclosed:
    """A curve shows every step: each day's events and censorings."""
    counts = [n for arm in arms for n in (*arm.counts.events, *arm.counts.censored)]
    return Disclosed(tuple(int(n) for n in counts), part)


# ---------------------------------------------------------------- comparisons


def between(after: After, days: float) -> list[tuple[Arm, Estimate]]:
    """Every group after the first less the first, among those who reached it.

    None beyond the follow-up that all share, where it is unequal.
    """
    if after.on.refused:
        return []
    reference, *others = after.whole
    if after.window.is_beyond(days):
        study = after.on.study
        end = f"{in_unit(study)(after.window.end or 0.0)} {study.time_unit}s"
        beyond = not_estimable(say("forest.beyond", window=end), MOVER)
        return [(arm, beyond) for arm in others]
    return [(arm, _difference(reference, arm, days)) for arm in others]


def within(after: After, days: float) -> list[tuple[Arm, Estimate]]:
    """In each group: who was not negative less who was negative."""
    found = []
    for negative, not_negative, _ in after.classes:
        found.append((not_negative, _difference(negative, not_negative, days)))
    return found


def _difference(one: Arm, other: Arm, days: float) -> Estimate:
    for arm in (one, other):
        if (found := arm.at(days)).estimate is None:
            reason = say("share.of", group=arm.label, reason=found.reason)
            return not_estimable(reason, MOVER)
    return mover_difference(one.at(days), other.at(days))
