"""The way to a transplant: how many reach it by when, what comes before it, how long they wait."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import polars as pl

from analysis.answer import Disclosed, Figure, Number, Table, of_estimate
from analysis.compose import Page
from analysis.groups import Group
from analysis.incidence_figures import state_figures, too_few
from analysis.incidence_results import (
    GroupIncidence,
    curve_disclosed,
    differences,
    incidence_results,
    state_label,
)
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.estimate import Estimate, not_estimable
from analysis.stats.survival import survival_at
from analysis.survival_accounts import time_accounts
from analysis.survival_disclosed import ONE_PATIENT
from analysis.survival_tables import FADE_BELOW
from analysis.survival_window import END_BELOW
from analysis.wording import percent, percent_limits, points, time_in_words, written
from trial.study import Endpoint
from trial.survival_rule import Bridge
from trial.words import say
from warehouse.query import query

YEAR = 365.25
NO_EVENT = "no_event"
QUARTILES = (0.25, 0.5, 0.75)
QUARTILE_METHOD = "median and quartiles of those who reached it, linear between days"


@dataclass(frozen=True)
class Time:
    """A day at which shares are told, and its name."""

    days: float
    label: str


@dataclass(frozen=True)
class Wait:
    """One group: who reached it, who has a survival from it, and the days before.

    `both` reached it and have a survival from it; `reached` only, or `followed` only: it came in
    another line, or after another event. `days`: from remission to it, of those with a remission.
    """

    group: Group
    both: int
    reached: int
    followed: int
    days: np.ndarray

    @property
    def n_reached(self) -> int:
        """All who reached it."""
        return self.both + self.reached

    @property
    def n_followed(self) -> int:
        """All who have a survival from it."""
        return self.both + self.followed


@dataclass(frozen=True)
class Reach:
    """Everything about reaching it, group by group."""

    on: Page
    endpoint: Endpoint
    groups: tuple[GroupIncidence, ...]
    waits: tuple[Wait, ...]

    @property
    def label(self) -> str:
        """What is reached."""
        return state_label(self.on, self.endpoint, 1)

    @property
    def times(self) -> tuple[Time, ...]:
        """Half a year, a year, and the study's milestone times, in order."""
        study = self.on.study
        found = {YEAR / 2: say("bridge.half_year"), YEAR: say("bridge.year")}
        for time in study.milestone_times:
            found.setdefault(time * study.unit_days, time_in_words(study, time))
        return tuple(Time(days, found[days]) for days in sorted(found))

    @property
    def chosen(self) -> Time:
        """The time of the view."""
        days = self.on.view.time * self.on.study.unit_days
        return next(time for time in self.times if time.days == days)


def reach_of(on: Page, bridge: Bridge) -> Reach:
    """The way to the bridge of the groups of a view."""
    endpoint = on.study.endpoint(bridge.reach)
    chosen, told = on.view.selection, {"reach_code": bridge.reach, "after_code": bridge.after}
    frame = query(on.snapshot, "bridge_wait", chosen, **told)
    found = incidence_results(on, endpoint)
    waits = tuple(_wait(g.group, frame.filter(g.group.matches)) for g in found)
    return Reach(on, endpoint, found, waits)


def _wait(group: Group, rows: pl.DataFrame) -> Wait:
    is_reached, is_followed = pl.col("is_reached"), pl.col("is_followed")
    kinds = (is_reached & is_followed, is_reached & ~is_followed, ~is_reached & is_followed)
    both, reached, followed = (int(rows.filter(kind)["n"].sum()) for kind in kinds)
    known = rows.filter(pl.col("wait_days").is_not_null())
    days = np.repeat(known["wait_days"].to_numpy(), known["n"].to_numpy())
    return Wait(group, both, reached, followed, days)


# ---------------------------------------------------------------- what it tells


def _outside(g: GroupIncidence) -> tuple[int, ...]:
    """Those of the population who have no time, by reason."""
    return tuple(g.ended.left_out.values())


def _by(g: GroupIncidence, days: float) -> list[int]:
    """Events of each state by a day."""
    return [g.events_by(state, days) for state in range(1, g.counts.n_states + 1)]


def reached(reach: Reach) -> Disclosed:
    """Who reached it by the chosen time: by then, later, and never."""
    counts: list[int] = []
    for g in reach.groups:
        by, total = g.events_by(1, reach.chosen.days), sum(g.counts.n_events[:1])
        counts += [by, total - by, g.n - total, *_outside(g)]
    return Disclosed(tuple(counts), "bridge/reached")


def at_time(reach: Reach) -> Disclosed:
    """All states at the chosen time: by then, later and never, state by state."""
    counts = list(reached(reach).counts)
    for g in reach.groups:
        by, total = _by(g, reach.chosen.days), g.counts.n_events
        later = [of - n for of, n in zip(total, by, strict=True)]
        counts += [*by, *later, g.n - sum(by), g.n - sum(total)]
    return Disclosed(tuple(counts), "bridge/time")


def at_times(reach: Reach) -> Disclosed:
    """The rows of all times: between two of them as many had an event as they differ by."""
    counts: list[int] = []
    for g in reach.groups:
        steps = [[0] * g.counts.n_states, *(_by(g, time.days) for time in reach.times)]
        steps.append(list(g.counts.n_events))
        counts += [b - a for one, other in pairwise(steps) for a, b in zip(one, other, strict=True)]
    return Disclosed((*counts, *at_time(reach).counts), "bridge/times")


def crossed(reach: Reach) -> Disclosed:
    """Who reached it and who has a survival from it, and who has but one of both."""
    counts: list[int] = []
    for wait, g in zip(reach.waits, reach.groups, strict=True):
        counts += [wait.both, wait.reached, wait.followed, g.n - wait.n_reached, *_outside(g)]
        counts += [wait.days.size, wait.n_reached - wait.days.size]
    return Disclosed(tuple(counts), "bridge/crossed")


def _disclosed(reach: Reach, time: Time, state: int | None = None) -> Disclosed:
    """What the row of a state at a time tells; without a state, that of nothing having happened."""
    if time != reach.chosen:
        return at_times(reach)
    return reached(reach) if state == 1 else at_time(reach)


# ---------------------------------------------------------------- words


def share_told(g: GroupIncidence, state: int, days: float) -> str:
    """57.3 % (46.0 to 67.1); 49/86; of fewer than ten the counts alone."""
    counted = say("bridge.counted", events=g.events_by(state, days), n=g.n)
    found = g.at(state, days)
    if not g.n:
        return say("response.nobody")
    if g.n < FEWEST_FOR_PERCENT:
        return counted
    return say(
        "bridge.cell", told=written(found, lambda x: f"{100 * x:.1f}", " %"), counted=counted
    )


def _free(g: GroupIncidence, days: float) -> Estimate:
    """The probability of no event yet."""
    if g.fit is None or g.n < FEWEST_FOR_PERCENT:
        return g.at(1, days)
    return survival_at(g.fit.event_free, days)


def _free_told(g: GroupIncidence, days: float) -> str:
    found = _free(g, days)
    if found.estimate is None:
        return say("value.not_estimable", reason=found.reason)
    if found.lower is None:
        return percent(found.estimate)
    return say("value.with_limits", value=percent(found.estimate), limits=percent_limits(found))


def _reached_told(g: GroupIncidence, days: float) -> str:
    """ALL-REZ 2014 50.6 % (39.5 to 60.6; 43 of 85 reached it); of fewer than ten no percentage."""
    counted = say("bridge.reached_n", n=g.events_by(1, days), of=g.n)
    told, found = {"cohort": g.group.label, "counted": counted}, g.at(1, days)
    if not g.n:
        return say("share.of", group=g.group.label, reason=say("response.nobody"))
    if found.estimate is None:
        return say("bridge.reached_none", reason=found.reason, **told)
    limits = percent_limits(found) if found.lower is not None else found.reason
    return say("bridge.reached", value=percent(found.estimate), limits=limits, **told)


def headline(reach: Reach) -> str:
    """The share that reached it at the chosen time, each group and each difference."""
    days = reach.chosen.days
    parts = "; ".join(_reached_told(g, days) for g in reach.groups)
    what = reach.label[:1].upper() + reach.label[1:]
    when = time_in_words(reach.on.study, reach.on.view.time)
    text = say("bridge.headline", what=what, time=when, parts=parts)
    for g, found in differences(reach.on, reach.endpoint, reach.groups, days):
        label = say("share.minus", cohort=g.group.label, comparator=reach.groups[0].group.label)
        text += " " + say("bridge.difference", label=label, told=points_told(found))
    return text


def points_told(found: Estimate) -> str:
    """A difference with its limits and unit, or why there is none."""
    if found.estimate is None:
        return say("value.not_estimable", reason=found.reason)
    return written(found, points, say("value.points"))


# ---------------------------------------------------------------- tables


def reach_table(reach: Reach) -> Table:
    """Every state at every time; of one time they add to 100 % with those without any."""
    on, found = reach.on, reach.groups
    rows, disclosed = [], []
    for time in reach.times:
        pairs = differences(on, reach.endpoint, found, time.days)
        told = [written(difference, points) for _, difference in pairs]
        for state in reach.endpoint.states:
            cells = [share_told(g, state, time.days) for g in found]
            more = told if state == 1 else [say("value.none")] * len(pairs)
            rows.append((time.label, state_label(on, reach.endpoint, state), *cells, *more))
            disclosed.append(_disclosed(reach, time, state))
        free = [_free_told(g, time.days) for g in found]
        none = [say("value.none")] * len(pairs)
        rows.append((time.label, say("incidence.no_event"), *free, *none))
        disclosed.append(_disclosed(reach, time))
    columns = [say("column.time"), say("column.state"), *(g.group.label for g in found)]
    first = found[0].group.label
    columns += [
        say("column.minus", cohort=g.group.label, comparator=first)
        for g, _ in differences(on, reach.endpoint, found, reach.chosen.days)
    ]
    title = say("bridge.table_reach", what=reach.label)
    return Table("bridge_reach", title, tuple(columns), tuple(rows), tuple(disclosed), n_labels=2)


def wait_table(reach: Reach) -> Table:
    """Who reached it so far, who of them is followed from it, and the days from remission."""
    what, waits = reach.label, reach.waits
    of_n = [f"{w.n_reached}/{g.n}" for w, g in zip(waits, reach.groups, strict=True)]
    rows = [
        (say("bridge.so_far", what=what), *of_n),
        (say("bridge.followed", what=what), *(f"{w.both}/{w.n_reached}" for w in waits)),
        (say("bridge.followed_only", what=what), *(w.followed for w in waits)),
        (say("bridge.wait", what=what), *map(_wait_told, waits)),
    ]
    disclosed = [crossed(reach)] * 3 + [ONE_PATIENT]
    columns = (say("column.measure"), *(w.group.label for w in waits))
    title = say("bridge.table_wait", what=what)
    return Table("bridge_wait", title, columns, tuple(rows), tuple(disclosed))


def _quartiles(wait: Wait) -> tuple[float, ...] | None:
    """Quartiles of the days; None of fewer than ten."""
    if wait.days.size < FEWEST_FOR_PERCENT:
        return None
    return tuple(float(x) for x in np.quantile(wait.days, QUARTILES))


def _wait_told(wait: Wait) -> str:
    n, of, found = wait.days.size, wait.n_reached, _quartiles(wait)
    if found is None:
        few = say("survival.few", n=FEWEST_FOR_PERCENT)
        return say("bridge.wait_few", n=n, of=of, reason=few if n else say("bridge.no_remission"))
    lower, median, upper = (f"{x:.0f}" for x in found)
    return say("bridge.wait_cell", n=n, of=of, median=median, lower=lower, upper=upper)


# ---------------------------------------------------------------- pictures and numbers


def reach_figures(reach: Reach, told: str) -> list[Figure]:
    """The states of each group of at least ten, stacked to 100 %, side by side."""
    pairs = [(g.group, g.ended) for g in reach.groups]
    accounts = time_accounts(reach.on.study, reach.endpoint, pairs, "bridge/account")
    by_group = dict(zip((g.group.label for g in reach.groups), accounts, strict=True))
    shown = [g for g in reach.groups if g.n >= FEWEST_FOR_PERCENT]
    endpoint = replace(reach.endpoint, no_event_label=say("incidence.no_event"))
    drawn = state_figures(reach.on, endpoint, reach.groups, told)
    part = replace(curve_disclosed(reach.groups)[0], part="bridge/reach_curve")
    told_of = {"definition": reach.endpoint.definition, "fade": FADE_BELOW, "end": END_BELOW}
    few = too_few([(g.group.label, g.n) for g in reach.groups])
    caption = reach.on.caption("bridge.caption_reach", too_few=few, **told_of)
    return [
        replace(
            figure,
            code=f"bridge_{figure.code}",
            title=say("bridge.title_reach", group=g.group.label, n=g.n, what=reach.label),
            caption=caption,
            tables=("bridge_reach", "bridge_wait"),
            disclosed=(part,),
            accounts=(by_group[g.group.label],),
            beside=position > 0,
        )
        for position, (g, figure) in enumerate(zip(shown, drawn, strict=True))
    ]


def reach_numbers(reach: Reach) -> list[Number]:
    """Every state at every time, differences of reaching it, waits."""
    numbers, base = [], replace(reach.on.number(), endpoint=reach.endpoint.code)
    for time in reach.times:
        at = replace(base, time_days=time.days, disclosed=_disclosed(reach, time))
        at = replace(at, unit="proportion")
        for g in reach.groups:
            mine = replace(at, cohort=g.group.code, statistic="bridge_incidence", denominator=g.n)
            for state in reach.endpoint.states:
                row = replace(mine, level_code=str(state))
                row = replace(row, disclosed=_disclosed(reach, time, state))
                row = replace(row, numerator=g.events_by(state, time.days))
                numbers.append(replace(row, **of_estimate(g.at(state, time.days))))
            row = replace(mine, level_code=NO_EVENT, **of_estimate(_free(g, time.days)))
            numbers.append(row)
        numbers += _difference_numbers(reach, replace(at, disclosed=_disclosed(reach, time, 1)))
    return [*numbers, *_wait_numbers(reach, base)]


def _difference_numbers(reach: Reach, at: Number) -> list[Number]:
    first, found = reach.groups[0].group.code, []
    assert at.time_days is not None
    for g, difference in differences(reach.on, reach.endpoint, reach.groups, at.time_days):
        row = replace(at, cohort=g.group.code, comparator=first, level_code="1")
        row = replace(row, statistic="bridge_incidence_difference")
        found.append(replace(row, **of_estimate(difference)))
    return found


def _wait_numbers(reach: Reach, base: Number) -> list[Number]:
    numbers = []
    for wait, g in zip(reach.waits, reach.groups, strict=True):
        mine = replace(base, cohort=wait.group.code, unit="patients", method="count")
        counts = (("reached", wait.n_reached, g.n), ("followed", wait.both, wait.n_reached))
        counts += (("followed_only", wait.followed, wait.n_followed),)
        for code, n, of in counts:
            row = replace(mine, statistic="bridge_count", level_code=code, estimate=n)
            row = replace(row, numerator=n, denominator=of, disclosed=crossed(reach))
            numbers.append(row)
        found = _quartiles(wait)
        few = not_estimable(say("survival.few", n=FEWEST_FOR_PERCENT), QUARTILE_METHOD)
        row = replace(mine, statistic="bridge_wait", unit="days", disclosed=ONE_PATIENT)
        for position, level in enumerate(("lower_quartile", "median", "upper_quartile")):
            days = None if found is None else found[position]
            told = few if days is None else Estimate(days, method=QUARTILE_METHOD)
            one = replace(row, level_code=level, denominator=wait.days.size)
            numbers.append(replace(one, **of_estimate(told)))
    return numbers
