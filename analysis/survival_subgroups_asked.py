"""What every row of the forest is asked for, the counts of all rows, and the groups in each.

One query counts all rows. They are computed on the same follow-up as the head of the page: where
follow-up is unequal, hazard ratios are of what lies within the common window, and nothing is
compared at a time beyond it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf

import numpy as np
import polars as pl

from analysis.compose import Page
from analysis.groups import Group, groups
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.competing import aalen_johansen, incidence_at, state_counts
from analysis.stats.counts import DayCounts, day_counts
from analysis.stats.estimate import Estimate, not_estimable
from analysis.stats.restricted_mean import restricted_mean, restricted_mean_estimate
from analysis.stats.survival import kaplan_meier, survival_at
from analysis.survival_results import FEWEST_FOR_TAU
from analysis.survival_window import few_within, window_of
from analysis.wording import in_unit, time_in_words
from trial.study import Characteristic, Endpoint
from trial.words import say
from warehouse.query import counts_by_level

EVERYBODY = "everybody"
KEYS = ("subgroup", "cohort_code", "entry_reason")


@dataclass(frozen=True)
class Asked:
    """What every row is asked for.

    `scale` is one of `link_survival.SCALES`; `time` (the study's unit) the milestone, or tau, None
    where no tau is possible; `window` the day that follow-up is cut at, None where it is equal.
    `refused`: why nothing is compared, empty if groups are.
    """

    on: Page
    endpoint: Endpoint
    scale: str
    groups: tuple[Group, ...]
    time: float | None
    window: float | None
    refused: str = ""

    @property
    def days(self) -> float:
        """The milestone or tau in days; the asked tau where none is possible."""
        time = self.on.view.tau if self.time is None else self.time
        return time * self.on.study.unit_days

    @property
    def when(self) -> str:
        """The milestone or tau in words."""
        return time_in_words(self.on.study, self.days / self.on.study.unit_days)

    @property
    def window_told(self) -> str:
        """The common window in words; empty where follow-up is equal."""
        if self.window is None:
            return ""
        return f"{in_unit(self.on.study)(self.window)} {self.on.study.time_unit}s"


@dataclass(frozen=True)
class Rows:
    """The counts of all rows: subgroup x cohort x kind of line x day x state, n.

    A subgroup is EVERYBODY, or as `named` says. `without`: those who have no time, without day and
    state.
    """

    frame: pl.DataFrame
    without: pl.DataFrame
    shown: tuple[Group, ...]

    @cached_property
    def _parts(self) -> dict[tuple[object, ...], pl.DataFrame]:
        return self.frame.partition_by(*KEYS, as_dict=True)

    @cached_property
    def _left_out(self) -> dict[tuple[object, ...], int]:
        counted = self.without.group_by(KEYS).agg(pl.col("n").sum())
        return {tuple(keys): int(n) for *keys, n in counted.iter_rows()}

    def of(self, subgroup: str, group: Group) -> pl.DataFrame:
        """The rows of a group in a subgroup; columns time_days, state, n among them."""
        found = self._parts.get((subgroup, group.cohort_code, group.line_code))
        return self.frame.clear() if found is None else found

    def left_out(self, subgroup: str, group: Group) -> int:
        """How many of a group in a subgroup have no time."""
        return self._left_out.get((subgroup, group.cohort_code, group.line_code), 0)

    def has(self, subgroup: str) -> bool:
        """Whether anybody of the groups is in it with a time."""
        return any(self.of(subgroup, group).height for group in self.shown)

    def content(self, subgroup: str) -> int:
        """The same number for subgroups of the same counts on every day, and for no others."""
        frames = [self.of(subgroup, group).drop("subgroup") for group in self.shown]
        counted = pl.concat(frames).drop("characteristic_code", "level_code")
        return sum(counted.hash_rows().to_list())


def named(x: Characteristic, level_code: str) -> str:
    """The name of a subgroup."""
    return f"{x.code}/{level_code}"


def rows_of(on: Page, endpoint: Endpoint, chosen: Sequence[Characteristic]) -> Rows:
    """The counts by level of one characteristic or more.

    Each of them has everybody once: the rows of the first are those of everybody.
    """
    codes, columns = [x.code for x in chosen], ("time_days", "state")
    told, selected = {"endpoint_code": endpoint.code}, on.view.selection
    found = counts_by_level(on.snapshot, "survival_forest", codes, selected, columns, **told)
    code, level = pl.col("characteristic_code"), pl.col("level_code")
    whole = found.filter(code == codes[0]).with_columns(pl.lit(EVERYBODY).alias("subgroup"))
    each = found.with_columns(pl.concat_str(code, level, separator="/").alias("subgroup"))
    both, has_time = pl.concat([whole, each]), pl.col("state").is_not_null()
    return Rows(both.filter(has_time), both.filter(~has_time), groups(on.study, selected))


# ---------------------------------------------------------------- what is asked


def _window_end(cohorts: Sequence[DayCounts], is_randomised: bool) -> float | None:
    """The day on which the head's comparisons end, where follow-up is unequal; else None."""
    enough = [c for c in cohorts if c.n >= FEWEST_FOR_PERCENT]
    return window_of(enough, is_randomised).end


def _tau(on: Page, endpoint: Endpoint, cohorts: Sequence[DayCounts]) -> float | None:
    """The head's tau: the longest one up to that asked for with enough at risk in every group."""
    enough = [c for c in cohorts if c.n >= FEWEST_FOR_PERCENT]
    for tau in sorted((t for t in endpoint.rmst_taus if t <= on.view.tau), reverse=True):
        day = np.array([tau * on.study.unit_days])
        if enough and all(int(c.at_risk_at(day)[0]) >= FEWEST_FOR_TAU for c in enough):
            return tau
    return None


def asked_of(on: Page, endpoint: Endpoint, rows: Rows) -> Asked:
    """What the view asks of all rows."""
    view = on.view
    asked = Asked(on, endpoint, view.scale, rows.shown, view.time, None)
    if endpoint.kind == "survival":
        cohorts = [day_counts(rows.of(EVERYBODY, group)) for group in rows.shown]
        window = None if on.refused else _window_end(cohorts, on.study.randomised)
        time = _tau(on, endpoint, cohorts) if view.scale == "rmst" else view.time
        asked = replace(asked, time=time, window=window)
        if view.scale == "hazard_ratio" and not on.refused:
            asked = replace(asked, refused=_few_within(asked, cohorts))
    return replace(asked, refused=on.refused or asked.refused or _refused(asked))


def _few_within(asked: Asked, cohorts: Sequence[DayCounts]) -> str:
    """Why there is no hazard ratio: the head's reason."""
    end, n = asked.window, sum(c.n_events for c in cohorts)
    within = n if end is None else sum(int(c.events[c.day <= end].sum()) for c in cohorts)
    return few_within(asked.on.study, end, within, n)


def _refused(asked: Asked) -> str:
    """Why no row can be compared; empty if rows can be."""
    if len(asked.groups) < 2:
        return say("survival.only_one")
    if asked.time is None:
        return say("survival.no_tau", n=FEWEST_FOR_TAU)
    is_beyond = asked.window is not None and asked.days > asked.window
    if asked.scale == "difference" and is_beyond:
        return say("forest.beyond", window=asked.window_told)
    return ""


# ---------------------------------------------------------------- one group in one row


@dataclass(frozen=True)
class Side:
    """One group in one row: patients, events that count in the row, events in all, its value.

    `at_risk`: just before the milestone or tau. `n_left_out`: those who have no time.
    """

    group: Group
    n: int
    n_counted: int
    n_events: int
    at_risk: int
    n_left_out: int
    value: Estimate


def few(n: int) -> str:
    """Why a group of fewer than ten has no number."""
    return say("survival.few", n=FEWEST_FOR_PERCENT) if n else say("forest.empty")


def side_of(asked: Asked, rows: Rows, subgroup: str, group: Group) -> Side:
    """A group in a row."""
    mine, days = rows.of(subgroup, group), asked.days
    n, events = int(mine["n"].sum()), mine.filter(pl.col("state") == 1)
    is_ratio = asked.scale == "hazard_ratio"
    until = (inf if asked.window is None else asked.window) if is_ratio else days
    counted = int(events.filter(pl.col("time_days") <= until)["n"].sum())
    at_risk = int(mine.filter(pl.col("time_days") >= days)["n"].sum())
    if n < FEWEST_FOR_PERCENT:
        value = not_estimable(few(n))
    elif asked.scale == "rmst" and at_risk < FEWEST_FOR_TAU:
        value = not_estimable(say("forest.few_at_tau", n=FEWEST_FOR_TAU, time=asked.when))
    else:
        value = _value(asked, mine)
    n_events, left_out = int(events["n"].sum()), rows.left_out(subgroup, group)
    return Side(group, n, counted, n_events, at_risk, left_out, value)


def _value(asked: Asked, rows: pl.DataFrame) -> Estimate:
    """Survival or incidence at the milestone, or the restricted mean."""
    if asked.endpoint.kind == "incidence":
        fit = aalen_johansen(state_counts(rows, max(asked.endpoint.states)))
        return incidence_at(fit, 1, asked.days)
    km = kaplan_meier(day_counts(rows))
    if asked.scale != "rmst":
        return survival_at(km, asked.days)
    return restricted_mean_estimate(restricted_mean(km, asked.days))
