"""The components of failure as they are shown: bars, table, tidy numbers."""

from dataclasses import dataclass, replace
from functools import partial

from analysis.answer import Account, Disclosed, Figure, Number, Table, of_estimate
from analysis.charts.components import Share, ShareBar, component_bars, components_height
from analysis.charts.palette import STATES
from analysis.compose import Page
from analysis.disclosure import gate
from analysis.follow_up_guards import is_thin
from analysis.incidence_follow_up import FollowUp
from analysis.incidence_results import GroupIncidence, state_label
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.competing import state_probabilities
from analysis.stats.counts import at_risk_table
from analysis.stats.estimate import Estimate
from analysis.stats.survival import survival_at
from analysis.survival_components_after import NO_EVENT, Afterwards
from analysis.survival_tables import FADE_BELOW
from analysis.wording import time_in_words, written
from trial.study import Endpoint
from trial.words import say

PART = "components"


@dataclass(frozen=True)
class Components:
    """First events of each group at the time of the view, and what came after them.

    `after`: of each group, or why it is not shown; empty where the study has no such survival.
    `follow_up`: how the groups were followed for the first events.
    """

    on: Page
    endpoint: Endpoint
    found: tuple[GroupIncidence, ...]
    after: tuple[Afterwards | str, ...]
    follow_up: FollowUp

    @property
    def days(self) -> float:
        """The time of the view."""
        return self.on.view.time * self.on.study.unit_days

    @property
    def when(self) -> str:
        """The time of the view in words."""
        return time_in_words(self.on.study, self.on.view.time)

    @property
    def no_event(self) -> str:
        """What being without event is called."""
        return self.endpoint.no_event_label or say("incidence.no_event")

    def label(self, state: int) -> str:
        """What a state is called."""
        return state_label(self.on, self.endpoint, state)

    def free(self, g: GroupIncidence) -> Estimate:
        """The share without event; its interval is that of Kaplan-Meier."""
        if g.fit is None or g.n < FEWEST_FOR_PERCENT:
            return g.at(1, self.days)
        return survival_at(g.fit.event_free, self.days)

    def n_free(self, g: GroupIncidence) -> int:
        """Those without an event by the time, however long they were followed."""
        return g.n - sum(g.events_by(s, self.days) for s in self.endpoint.states)

    def shares(self, g: GroupIncidence) -> list[float] | str:
        """Without event, then each state in declared order: they add to 1; or why there is none."""
        if g.fit is None or g.n < FEWEST_FOR_PERCENT:
            return g.at(1, self.days).reason or ""
        found = state_probabilities(g.fit, self.days)
        if isinstance(found, str):
            return found
        return [found.event_free, *(found.by_state[s - 1] for s in self.endpoint.states)]

    def is_unsure(self, g: GroupIncidence) -> bool:
        """Whether few of a group are left, or the time is beyond what the groups share."""
        thin = is_thin(at_risk_table(g.counts.any_event(), (self.days,))[0])
        return thin or self.follow_up.window.is_beyond(self.days)

    @property
    def disclosed(self) -> Disclosed:
        """Every state by the time, later and not, and the deaths after it: they add to all."""
        counts: list[int] = []
        for g in self.found:
            counts += [self.n_free(g), g.n - sum(g.counts.n_events), g.ended.n_population - g.n]
            for state in self.endpoint.states:
                by, total = g.events_by(state, self.days), g.counts.n_events[state - 1]
                counts += [by, total - by, g.n - by, g.n - total]
        for after in self.after:
            counts += [] if isinstance(after, str) else _after_counts(after, self.days)
        return Disclosed(tuple(counts), PART)


def _after_counts(after: Afterwards, days: float) -> list[int]:
    counts = []
    for state in after.states:
        by, dead = after.first.events_by(state, days), after.dead_by(state, days)
        counts += [dead, by - dead] if state not in after.deaths else [by]
    return counts


def written_share(found: Estimate) -> str:
    """A proportion in percent with its limits, or why there is none."""
    return written(found, lambda x: f"{100 * x:.1f}", " %")


# ---------------------------------------------------------------- figure


def _bar(of: Components, g: GroupIncidence, shares: list[float]) -> ShareBar:
    """Colours are those of the same states stacked over time."""
    labels = [of.no_event, *map(of.label, of.endpoint.states)]
    told = [_free_cell(of, g), *(_cell(of, g, state) for state in of.endpoint.states)]
    parts = tuple(
        Share(label, STATES[k % len(STATES)], share, text)
        for k, (label, share, text) in enumerate(zip(labels, shares, told, strict=True))
    )
    return ShareBar(g.group.label, g.group.role, g.n, parts, of.is_unsure(g))


def not_shown(of: Components) -> list[tuple[str, str]]:
    """Each group without a bar, and why."""
    shares = [(g.group.label, of.shares(g)) for g in of.found]
    return [(label, reason) for label, reason in shares if isinstance(reason, str)]


def accounts(of: Components, shown: tuple[GroupIncidence, ...], more: str) -> tuple[Account, ...]:
    """Who of each group is in a figure; `more` says of whom the rest of the population is."""
    found = []
    for g in shown:
        size = of.on.sizes[g.group.code]
        outside, rest = size.n_enrolled - size.n_population, size.n_population - g.n
        reasons = ((say("account.filtered"), outside), (more, rest))
        told = tuple((reason, n) for reason, n in reasons if n)
        disclosed = Disclosed((g.n, outside, rest), f"account.{g.group.code}")
        found.append(Account(g.group.label, size.n_enrolled, g.n, told, disclosed))
    return tuple(found)


def component_figure(of: Components, headline: str) -> tuple[Figure, ...]:
    """A bar a group of at least ten that is followed to the time; none if there is no such."""
    shares = [(g, of.shares(g)) for g in of.found]
    bars = tuple(_bar(of, g, s) for g, s in shares if not isinstance(s, str))
    if not bars or not gate().passes(of.disclosed):
        return ()
    shown = tuple(g for g, s in shares if not isinstance(s, str))
    told = {"definition": of.endpoint.definition, "time": of.when, "fade": FADE_BELOW}
    caption = of.on.caption("components.caption", **told)
    return (
        Figure(
            code="components",
            title=say("components.title", time=of.when),
            draw=partial(component_bars, bars, say("components.axis")),
            page_height=components_height(bars),
            caption=caption,
            alt_text=say("components.alt", headline=headline),
            tables=("components",),
            disclosed=(of.disclosed,),
            accounts=accounts(of, shown, say("components.left_out")),
        ),
    )


# ---------------------------------------------------------------- table and numbers


def _cell(of: Components, g: GroupIncidence, state: int) -> str:
    return say(
        "components.cell",
        told=written_share(g.at(state, of.days)),
        events=g.events_by(state, of.days),
        total=g.counts.n_events[state - 1],
        n=g.n,
    )


def _free_cell(of: Components, g: GroupIncidence) -> str:
    told, so_far = written_share(of.free(g)), g.n - sum(g.counts.n_events)
    return say("components.cell", told=told, events=of.n_free(g), total=so_far, n=g.n)


def component_table(of: Components) -> Table:
    """Without event, then every state."""
    rows = [(of.no_event, *(_free_cell(of, g) for g in of.found))]
    for state in of.endpoint.states:
        rows.append((of.label(state), *(_cell(of, g, state) for g in of.found)))
    columns = (say("components.column_state"), *(g.group.label for g in of.found))
    title, told = say("components.table", time=of.when), (of.disclosed,) * len(rows)
    return Table("components", title, columns, tuple(rows), told)


def component_numbers(of: Components) -> list[Number]:
    """Of each group: every state's probability, who came to it by then, and who so far."""
    numbers = []
    base = replace(of.on.number(), endpoint=of.endpoint.code, disclosed=of.disclosed)
    for g in of.found:
        mine = replace(base, cohort=g.group.code, denominator=g.n)
        free = g.n - sum(g.counts.n_events)
        share = replace(mine, statistic="component", unit="proportion", time_days=of.days)
        row = replace(share, level_code=NO_EVENT)
        numbers.append(replace(row, **of_estimate(of.free(g))))
        by_then = replace(_count(mine, NO_EVENT, of.n_free(g)), time_days=of.days)
        numbers += [by_then, _count(mine, NO_EVENT, free)]
        for state in of.endpoint.states:
            by = g.events_by(state, of.days)
            row = replace(share, level_code=str(state), numerator=by)
            numbers.append(replace(row, **of_estimate(g.at(state, of.days))))
            numbers.append(replace(_count(mine, str(state), by), time_days=of.days))
            numbers.append(_count(mine, str(state), g.counts.n_events[state - 1]))
    return numbers


def _count(base: Number, code: str, n: int) -> Number:
    row = replace(base, statistic="component_count", unit="patients", method="count")
    return replace(row, level_code=code, estimate=n, numerator=n)
