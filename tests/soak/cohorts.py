"""Many trials of the demo's high-risk children at once, without files, as arrays and day counts.

`etl.demo` itself draws the children, what happens to them and what is known of it. What export,
loader and SQL models then make of a child in its first relapse is told a second time here, by
`enrolled`. That this is the same as writing, loading and querying is proved on the default demo in
`tests/property/test_coverage_quick.py`, so that thousands of trials need not be written.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import polars as pl

from analysis.stats.competing import StateCounts
from analysis.stats.counts import DayCounts
from etl.demo.arrays import NEVER, joined, take
from etl.demo.baseline import GENETICS, Children, drawn_children
from etl.demo.courses import known_conditioning, known_remission
from etl.demo.derivation import risk, timing
from etl.demo.natural_history import LANDMARK, TO_TRANSPLANT, History, Traits, simulated
from etl.demo.observation import Enrollments, observed
from etl.demo.plan import CaseMix, Nature, Plan
from etl.demo.truth import efs_days

Array = np.ndarray
COHORTS = ("allrez2014", "allrez2016")
COVARIATES = ("risk", "genetics", "is_ten")
SIZES = (180, 120)  # high-risk children of ALL-REZ 2014 and of ALL-REZ 2016
CAUSES = ("relapse", "death_in_remission", "second_malignancy")  # states 1, 2, 3 after remission
# States 1 to 5 of all enrolled.
STATES = ("non_response", "early_death", "relapse", "death_in_remission", "second_malignancy")
REMISSION, NON_RESPONSE, EARLY_DEATH, NOT_EVALUABLE = range(4)
NOT_RECORDED = 3  # of genetics: the place after the recorded levels
_ASSESSED_FROM = 10  # an earlier marrow is that of the diagnosis
_PART = 16_000
SEED = 2016_2014


@dataclass(frozen=True)
class Times:
    """Days to the end of an endpoint, and the state then (0 censored); NaN: origin not reached."""

    days: Array
    state: Array


@dataclass(frozen=True)
class Enrolled:
    """One first relapse an element: levels of baseline characteristics, response, and endpoints.

    `risk` 1-4 for S1-S4 or UNKNOWN; `genetics` an index of etl.demo.baseline.GENETICS or
    NOT_RECORDED; `years` completed years of age; `response` at the landmark; `os`, `efs` from the
    relapse, and `states`, the first of STATES; from remission `rfs` (relapse, death), `causes` (the
    first of CAUSES) and `transplant`, the day of the first one (NEVER: none; NaN: no remission).
    """

    protocol: Array
    risk: Array
    genetics: Array
    years: Array
    response: Array
    os: Times
    efs: Times
    rfs: Times
    causes: Times
    states: Times
    transplant: Array


def _first(events: tuple[Array, ...], end: Array) -> Times:
    """The earliest of competing days, the earlier named on one day; else censored at `end`."""
    days = np.stack(events)
    state, day = days.argmin(axis=0) + 1, days.min(axis=0)
    happened = np.isfinite(day)
    return Times(np.where(happened, day, end), np.where(happened, state, 0))


def _since(origin: Array, times: Times) -> Times:
    """The same, counted from `origin`; NaN and state 0 where it never came."""
    reached = np.isfinite(origin)
    days = times.days - np.where(reached, origin, 0.0)
    return Times(np.where(reached, days, np.nan), np.where(reached, times.state, 0))


def _is_looked_at(e: Enrollments) -> Array:
    """Whether a marrow was looked at between the diagnosis and the landmark."""
    first, looked = e.history.lines[0], np.zeros(len(e.number), bool)
    ends = np.minimum(e.history.death, e.history.second_malignancy)
    for has, day in ((first.has_marrow_f1, first.schedule.marrow_f1),
                     (first.has_marrow_f2, first.schedule.marrow_f2)):  # fmt: skip
        inside = (day >= _ASSESSED_FROM) & (day <= LANDMARK)
        looked |= has & inside & (day <= e.assessed) & (day < ends) & (day <= first.relapse)
    return looked


def _response(e: Enrollments, remission: Array) -> Array:
    """The response rule of the study, first to last."""
    failed = np.isfinite(remission) & (remission > LANDMARK)
    dies_early = e.death < LANDMARK
    seen = np.minimum(e.death, e.contact) >= LANDMARK
    rules = [remission <= LANDMARK, failed, dies_early, seen & _is_looked_at(e)]
    found = [REMISSION, NON_RESPONSE, EARLY_DEATH, NON_RESPONSE]
    dead = np.where(np.isfinite(e.death), EARLY_DEATH, NOT_EVALUABLE)
    return np.select(rules, found, default=dead)


def _month_and_day(date: Array) -> tuple[Array, Array]:
    """Months since 1970, and days since the first of the month."""
    day = date.astype("datetime64[D]")
    month = day.astype("datetime64[M]")
    return month.astype(int), (day - month).astype(int)


def _years(birth: Array, day: Array) -> Array:
    """Completed calendar years between two dates (days since 1970)."""
    (born, of_month), (month, today) = _month_and_day(birth), _month_and_day(day)
    return (month - born - (today < of_month)) // 12


def enrolled(everybody: Enrollments) -> Enrolled:
    """The first relapses of these enrollments, as the snapshot of their export tells them."""
    e = take(everybody, everybody.number == 1)
    child, remission = e.children, known_remission(e, 0)
    derived = timing(child.diagnosis, e.frontline_end, e.on_frontline, e.origin)
    malignancy = np.where(
        e.history.second_malignancy <= e.assessed, e.history.second_malignancy, NEVER
    )
    in_remission = np.isfinite(remission)
    response = _response(e, remission)
    failure = np.where(response == NON_RESPONSE, 0.0, NEVER)
    dead_in_remission = np.where(in_remission & (e.relapse > e.death), e.death, NEVER)
    early = np.where(in_remission | (response == NON_RESPONSE), NEVER, e.death)
    states = _first((failure, early, e.relapse, dead_in_remission, malignancy), e.assessed)
    transplant = known_conditioning(e, 0) + TO_TRANSPLANT
    return Enrolled(
        protocol=e.protocol,
        risk=risk(derived, e.site),
        genetics=np.where(child.is_genetics_recorded, child.genetics, NOT_RECORDED),
        years=_years(child.birth, e.origin),
        response=response,
        os=_first((e.death,), e.contact),
        efs=Times(states.days, np.minimum(states.state, 1)),
        rfs=_since(remission, _first((np.minimum(e.relapse, e.death),), e.assessed)),
        causes=_since(remission, _first((e.relapse, dead_in_remission, malignancy), e.assessed)),
        states=states,
        transplant=np.where(in_remission, transplant, np.nan)
        - np.where(in_remission, remission, 0),
    )


def high_risk(nature: Nature) -> Nature:
    """The same nature, enrolling children of S3 and S4 alone, in their own proportion."""

    def only(mix: CaseMix) -> CaseMix:
        return replace(mix, risk=(0.0, 0.0, *mix.risk[2:]))

    older, newer = nature.case_mix
    return replace(nature, case_mix=(only(older), only(newer)))


@dataclass(frozen=True)
class World:
    """What high-risk children are drawn from: a demo's plan, and whose hazards act in each cohort.

    `treated` twice the same: nothing but case mix and follow-up tells the cohorts apart.
    """

    plan: Plan = Plan()
    treated: tuple[int, int] = (0, 1)


def without_effect(protocol: int) -> World:
    """Both cohorts treated by this protocol, of its case mix too; follow-up as it is in each."""
    mix = Nature().case_mix[protocol]
    return World(Plan(nature=Nature(case_mix=(mix, mix))), (protocol, protocol))


def _part(rng: np.random.Generator, world: World, cohort: int) -> tuple[Children, History]:
    """High-risk children whose records tell the time of relapse: a little fewer than _PART."""
    nature = high_risk(world.plan.nature)
    children = drawn_children(rng, np.full(_PART, cohort), nature)
    children = take(children, children.is_timing_known)
    treated = np.full(len(children.risk), world.treated[cohort])
    traits = Traits(treated, children.risk, children.genetics, children.is_ten)
    return children, simulated(rng, traits, nature)


def drawn(world: World, cohort: int, n: int, seed: int) -> Enrolled:
    """Exactly `n` high-risk children of a cohort (0 ALL-REZ 2014, 1 ALL-REZ 2016)."""
    parts: list[Enrolled] = []
    while sum(len(part.risk) for part in parts) < n:
        rng = np.random.default_rng([seed, cohort, len(parts)])
        children, history = _part(rng, world, cohort)
        parts.append(enrolled(observed(rng, children, history, world.plan.observation)))
    return take(reduce(joined, parts), np.arange(n))


Trial = tuple[Enrolled, Enrolled]


def trials(
    world: World, n: int, sizes: tuple[int, int] = SIZES, seed: int = SEED
) -> Iterator[Trial]:
    """`n` trials with so many high-risk children of ALL-REZ 2014 and of ALL-REZ 2016."""
    both = [drawn(world, cohort, n * size, seed) for cohort, size in enumerate(sizes)]
    for k in range(n):
        older, newer = (
            take(everybody, np.arange(k * size, (k + 1) * size))
            for everybody, size in zip(both, sizes, strict=True)
        )
        yield older, newer


def state_counts_of(times: Times, n_states: int) -> StateCounts:
    """Numbers by day and state of those who reached the origin."""
    known = ~np.isnan(times.days)
    day, at = np.unique(times.days[known], return_inverse=True)
    width = n_states + 1
    cell = np.bincount(at * width + times.state[known], minlength=day.size * width)
    table = cell.reshape(day.size, width)
    return StateCounts(day, table[:, 1:], table[:, 0])


def counts_of(times: Times) -> DayCounts:
    """The same of an endpoint with one kind of event."""
    return state_counts_of(times, 1).any_event()


def frame(trial: Trial, endpoint: str) -> pl.DataFrame:
    """One row an enrollment, for `analysis.stats.fair_comparison`; genetics unrecorded is a level.

    Its covariates are those of COVARIATES, all that the outcome of a high-risk child depends on.
    """
    times = [getattr(cohort, endpoint) for cohort in trial]
    levels = np.array([*GENETICS, "not recorded"])
    return pl.DataFrame(
        {
            "cohort_code": np.repeat(COHORTS, [len(cohort.risk) for cohort in trial]),
            "time_days": np.concatenate([t.days for t in times]),
            "state": np.concatenate([t.state for t in times]),
            "risk": np.concatenate([cohort.risk for cohort in trial]),
            "genetics": levels[np.concatenate([cohort.genetics for cohort in trial])],
            "is_ten": np.concatenate([cohort.years for cohort in trial]) >= 10,
        }
    ).with_row_index("patient_key")


def earlier(times: Times) -> Times:
    """The earlier of two children each: half as many, with twice the hazard at every day.

    Of those who reached the origin. Censoring is the earlier of two as well, so still independent.
    """
    reached = np.flatnonzero(~np.isnan(times.days))
    one, other = reached[: reached.size // 2 * 2].reshape(2, -1)
    first = times.days[one] - times.state[one] / 2 < times.days[other] - times.state[other] / 2
    whose = np.where(first, one, other)
    return Times(times.days[whose], times.state[whose])


@dataclass(frozen=True)
class Uncensored:
    """Days of events with nothing censored, one child an element, as in `Enrolled`.

    `rfs` and `transplant` are NaN without remission; `state` is the first of STATES, on day `efs`.
    """

    os: Array
    efs: Array
    rfs: Array
    state: Array
    transplant: Array


def _uncensored(history: History) -> Uncensored:
    first, efs = history.lines[0], efs_days(history)
    reached = np.isfinite(first.remission)
    origin = np.where(reached, first.remission, 0.0)
    rfs, transplant = (
        np.where(reached, day - origin, np.nan)
        for day in (np.minimum(first.relapse, history.death), first.conditioning + TO_TRANSPLANT)
    )
    events = np.stack([first.relapse, history.death, history.second_malignancy])
    cause = np.where(reached, [[3], [4], [5]], 2)[events.argmin(axis=0), np.arange(efs.size)]
    return Uncensored(history.death, efs, rfs, np.where(efs == 0, 1, cause), transplant)


def uncensored(world: World, cohort: int, draws: int) -> Uncensored:
    """About `draws` children of a cohort: the truth of what the truth file does not hold."""
    seeds = ([SEED + 1, cohort, k] for k in range(draws // _PART))
    parts = [_uncensored(_part(np.random.default_rng(seed), world, cohort)[1]) for seed in seeds]
    return reduce(joined, parts)
