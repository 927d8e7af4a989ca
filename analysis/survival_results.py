"""The estimates behind the survival page: each cohort's, and each cohort against the comparator.

Population: the enrollments of the selection for which the endpoint could be derived; those left out
are counted. Every cohort is compared with the reference, or with the first chosen cohort if the
reference is not chosen. Where follow-up is unequal, comparisons end with the follow-up that all
share (`analysis/survival_window.py`). Conventions: `analysis/stats/survival.py`.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import polars as pl

from analysis.answer import CohortSize
from analysis.groups import Group, groups, not_compared
from analysis.link import View
from analysis.outcomes import Ended, outcomes
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.counts import AtRisk, DayCounts, at_risk_table, day_counts
from analysis.stats.cox import hazard_ratios
from analysis.stats.estimate import Estimate, not_estimable
from analysis.stats.fragility import Fragility, survival_fragility
from analysis.stats.limits import mover_difference
from analysis.stats.logrank import LogRank, log_rank
from analysis.stats.proportionality import Proportionality, proportionality
from analysis.stats.restricted_mean import (
    restricted_mean,
    restricted_mean_difference,
    restricted_mean_estimate,
)
from analysis.stats.survival import KaplanMeier, follow_up, kaplan_meier, quantile, survival_at
from analysis.survival_window import (
    END_BELOW,
    Window,
    completeness_of,
    few_within,
    followed_asked,
    up_to,
    window_of,
)
from analysis.wording import in_unit
from trial.study import Endpoint, Study
from trial.words import say
from warehouse.query import Snapshot, query

FEWEST_FOR_TAU = 10
# Of more children a count of single ones says nothing, and takes long.
MOST_FRAGILE = 5_000


@dataclass(frozen=True)
class CohortSurvival:
    """Everything about one cohort; `milestones` pairs each time (study unit) with its S(t)."""

    cohort: Group
    size: CohortSize
    ended: Ended
    counts: DayCounts
    km: KaplanMeier
    milestones: tuple[tuple[float, Estimate, AtRisk], ...]
    median: Estimate
    follow_up: Estimate
    completeness: Estimate
    n_late: int
    n_shared: int
    n_both: int

    def at(self, time: float) -> tuple[Estimate, AtRisk]:
        """S and the at-risk row at a milestone time."""
        return next((found, row) for t, found, row in self.milestones if t == time)

    def events_by(self, days: float) -> int:
        """Events up to and including a day: what S(t) counts."""
        return int(self.counts.events[self.counts.day <= days].sum())

    @property
    def n_at_origin(self) -> int:
        """Events on day 0: a proportion, not a hazard."""
        return self.events_by(0)


@dataclass(frozen=True)
class Comparison:
    """One cohort against the comparator; times in days."""

    cohort: Group
    comparator: Group
    differences: tuple[tuple[float, Estimate], ...]
    rmst_difference: Estimate
    hazard_ratio: Estimate
    fragility: tuple[Fragility, ...] = ()

    def difference_at(self, time: float) -> Estimate:
        """The difference of S at a milestone time."""
        return next(found for t, found in self.differences if t == time)


@dataclass(frozen=True)
class Tau:
    """The time a restricted mean is taken to (study unit): asked for, and possible."""

    asked: float
    shown: float | None


@dataclass(frozen=True)
class Results:
    """All estimates behind the page."""

    snapshot: Snapshot
    view: View
    endpoint: Endpoint
    cohorts: tuple[CohortSurvival, ...]
    tau: Tau
    means: tuple[Estimate, ...]
    comparisons: tuple[Comparison, ...]
    log_rank: LogRank
    compared: tuple[str, ...]
    not_compared: str | None
    window: Window

    @cached_property
    def proportionality(self) -> Proportionality | None:
        """Whether the hazard ratios stay the same over time; None if nothing is compared."""
        counts = [c.counts for c in self.cohorts if c.cohort.code in self.compared]
        if len(counts) < 2:
            return None
        return proportionality(tuple(up_to(c, self.window.end) for c in counts))

    @property
    def n_beyond(self) -> int:
        """Events after the end of all comparisons."""
        if self.window.end is None:
            return 0
        return sum(c.counts.n_events - c.events_by(self.window.end) for c in self.cohorts)

    @property
    def study(self) -> Study:
        """The study of the snapshot."""
        return self.snapshot.study


def _percentable(found: Estimate, n: int) -> Estimate:
    """No estimate from fewer than ten children: the counts say it all."""
    return found if n >= FEWEST_FOR_PERCENT or n == 0 else _too_few(found.method)


def _too_few(method: str) -> Estimate:
    return not_estimable(say("survival.few", n=FEWEST_FOR_PERCENT), method)


def _cohort_survival(
    study: Study, cohort: Group, ended: Ended, followed: pl.DataFrame
) -> CohortSurvival:
    counts = day_counts(ended.by_day)
    km = kaplan_meier(counts)
    days = tuple(t * study.unit_days for t in study.milestone_times)
    rows = at_risk_table(counts, days)
    found = tuple(_percentable(survival_at(km, d), counts.n) for d in days)
    return CohortSurvival(
        cohort=cohort,
        size=CohortSize(cohort.code, cohort.label, ended.n_population, ended.n_enrolled),
        ended=ended,
        counts=counts,
        km=km,
        milestones=tuple(zip(study.milestone_times, found, rows, strict=True)),
        median=_percentable(quantile(km), counts.n),
        follow_up=_percentable(follow_up(counts), counts.n),
        completeness=_percentable(completeness_of(followed, cohort), counts.n),
        n_late=int(followed.filter(cohort.matches)["n_late"].sum()),
        n_shared=int(followed.filter(cohort.matches)["n_shared"].sum()),
        n_both=int(followed.filter(cohort.matches)["n_both"].sum()),
    )


def _tau(study: Study, endpoint: Endpoint, asked: float, cohorts: list[CohortSurvival]) -> Tau:
    def qualifies(tau: float) -> bool:
        rows = (at_risk_table(c.counts, (tau * study.unit_days,))[0] for c in cohorts)
        return all(row.at_risk >= FEWEST_FOR_TAU for row in rows)

    if not cohorts:
        return Tau(asked, None)
    shorter = sorted((t for t in endpoint.rmst_taus if t <= asked), reverse=True)
    return Tau(asked, next((tau for tau in shorter if qualifies(tau)), None))


def survival_results(snapshot: Snapshot, view: View) -> Results:
    """Every estimate of the view. Cohorts without patients stay, with reasons for numbers."""
    study, chosen = snapshot.study, view.selection
    endpoint = study.endpoint(view.endpoint)
    found = outcomes(snapshot, chosen, endpoint)
    followed = query(snapshot, "followed", chosen, **followed_asked(study, endpoint))
    cohorts = [_cohort_survival(study, g, found.of(g), followed) for g in groups(study, chosen)]
    reason, compared = not_compared(study, chosen), _compared(cohorts)
    tau = _tau(study, endpoint, view.tau, compared)
    window = window_of([c.counts for c in compared], study.randomised)
    return Results(
        snapshot=snapshot,
        view=view,
        endpoint=endpoint,
        cohorts=tuple(cohorts),
        tau=tau,
        means=tuple(_mean(study, c, tau) for c in cohorts),
        comparisons=() if reason else _comparisons(view, study, cohorts, tau, window),
        log_rank=_log_rank(cohorts, reason or _few_within(study, compared, window), window),
        compared=() if reason else tuple(c.cohort.code for c in compared),
        not_compared=reason,
        window=window,
    )


def _few_within(study: Study, compared: list[CohortSurvival], window: Window) -> str:
    n = sum(c.counts.n_events for c in compared)
    within = n if window.end is None else sum(c.events_by(window.end) for c in compared)
    return few_within(study, window.end, within, n)


def _no_tau() -> str:
    return say("survival.no_tau", n=FEWEST_FOR_TAU)


def _mean(study: Study, cohort: CohortSurvival, tau: Tau) -> Estimate:
    if cohort.counts.n < FEWEST_FOR_PERCENT:
        return _too_few("RMST")
    if tau.shown is None:
        return not_estimable(_no_tau(), "RMST")
    return restricted_mean_estimate(restricted_mean(cohort.km, tau.shown * study.unit_days))


def _compared(cohorts: list[CohortSurvival]) -> list[CohortSurvival]:
    """The cohorts with enough patients to be compared."""
    return [c for c in cohorts if c.counts.n >= FEWEST_FOR_PERCENT]


def _log_rank(cohorts: list[CohortSurvival], refused: str | None, window: Window) -> LogRank:
    if refused:
        return LogRank(None, 0, None, (), (), reason=refused)
    compared = _compared(cohorts)
    if len(compared) < 2:
        reason = "survival.only_one" if len(cohorts) < 2 else "survival.few_cohorts"
        told = say(reason, n=FEWEST_FOR_PERCENT)
        return LogRank(None, 0, None, (), (), reason=told)
    return log_rank(tuple(up_to(c.counts, window.end) for c in compared))


def _hazard_ratios(study: Study, cohorts: list[CohortSurvival], window: Window) -> list[Estimate]:
    """Of every cohort but the first, in one model of the cohorts with enough patients."""
    compared = _compared(cohorts)
    if reason := _few_within(study, compared, window):
        return [not_estimable(reason, "Cox model") for _ in cohorts[1:]]
    codes = {c.cohort.code for c in compared}
    if cohorts[0].cohort.code not in codes:
        return [_too_few("Cox model") for _ in cohorts[1:]]
    found = iter(_ratios_within(compared, window) if compared[1:] else ())
    return [next(found) if c.cohort.code in codes else _too_few("Cox model") for c in cohorts[1:]]


def ratios_of(*strata: tuple[DayCounts, ...]) -> tuple[Estimate, ...]:
    """Hazard ratios as `stats.cox` has them; of events on day 0 alone none: they are no hazard."""
    days = [int(c.day[c.events > 0].max()) for cohorts in strata for c in cohorts if c.n_events]
    if days and max(days) == 0:
        none = not_estimable(say("survival.all_at_origin"), "Cox model")
        return tuple(none for _ in strata[0][1:])
    return hazard_ratios(*strata)


def _ratios_within(compared: list[CohortSurvival], window: Window) -> list[Estimate]:
    """Of every cohort but the first, within the follow-up that is compared."""
    counts = tuple(up_to(c.counts, window.end) for c in compared)
    is_cut = sum(c.n_events for c in counts) < sum(c.counts.n_events for c in compared)
    return [_within_shared(ratio) if is_cut else ratio for ratio in ratios_of(counts)]


def _within_shared(ratio: Estimate) -> Estimate:
    """Why there is none is of the shared follow-up, where later events are told beside it."""
    if ratio.estimate is not None:
        return ratio
    return replace(ratio, reason=say("survival.within_shared", reason=ratio.reason))


def _mean_difference(
    study: Study, comparator: CohortSurvival, other: CohortSurvival, tau: Tau
) -> Estimate:
    for cohort in (comparator, other):
        mean = _mean(study, cohort, tau)
        if mean.estimate is None:
            return not_estimable(mean.reason or "", "RMST difference")
    days = (tau.shown or tau.asked) * study.unit_days
    return restricted_mean_difference(
        restricted_mean(comparator.km, days), restricted_mean(other.km, days)
    )


def _difference(
    study: Study, comparator: CohortSurvival, other: CohortSurvival, time: float, window: Window
) -> Estimate:
    """Of S at a time; none beyond the follow-up that all share, where it is unequal."""
    if window.is_beyond(time * study.unit_days):
        end = in_unit(study)(window.end or 0.0)
        return not_estimable(say("survival.beyond", end=end, unit=study.time_unit), "MOVER")
    for c in (comparator, other):
        row = c.at(time)[1]
        if row.censored and row.at_risk < END_BELOW:
            told = {"cohort": c.cohort.label, "n": row.at_risk}
            return not_estimable(say("survival.ended", **told), "MOVER")
    return mover_difference(comparator.at(time)[0], other.at(time)[0])


def _fragility(
    study: Study, comparator: CohortSurvival, other: CohortSurvival, time: float
) -> tuple[Fragility, ...]:
    """Of the difference at the chosen time, changing children of the one and of the other."""
    days = time * study.unit_days
    pair = (comparator.counts, other.counts)
    return tuple(survival_fragility(pair, days, in_reference) for in_reference in (True, False))


def _comparisons(
    view: View, study: Study, cohorts: list[CohortSurvival], tau: Tau, window: Window
) -> tuple[Comparison, ...]:
    comparator, *others = cohorts
    ratios = _hazard_ratios(study, cohorts, window) if others else []
    found = []
    for other, ratio in zip(others, ratios, strict=True):
        differences = tuple(
            (time, _difference(study, comparator, other, time, window))
            for time in study.milestone_times
        )
        mean = _mean_difference(study, comparator, other, tau)
        chosen = next(d for time, d in differences if time == view.time)
        is_small = comparator.counts.n + other.counts.n <= MOST_FRAGILE
        fragile: tuple[Fragility, ...] = ()
        if chosen.lower is not None and is_small:
            fragile = _fragility(study, comparator, other, view.time)
        pair = (other.cohort, comparator.cohort)
        found.append(Comparison(*pair, differences, mean, ratio, fragile))
    return tuple(found)
