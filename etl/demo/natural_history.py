"""What happens to a child after the relapse, with nothing censored: potential outcomes.

Called with another protocol for the same children it gives their other potential outcome. Hazards
follow published trials and are applied after remission only, since those trials began there; the
protocol acts on relapse and death in remission, never on induction, which both protocols share.
The hazard of relapse before a transplant and that after it are each set so that all children
together, transplanted or not, come out as published: the benefit of the transplant is in once.

Sources: high risk in second remission, COG AALL1331 (Brown, JAMA 2021;325:833) and Locatelli, JAMA
2021;325:843; induction, AALL1331 and ALL R3; after a second relapse or without remission, RIALTO
and MT103-205; after transplant, FORUM. Relapses are front-loaded: hazards in months 0-6, 6-24 and
later go as 1.5 : 1 : 0.2.
"""

from dataclasses import dataclass

import numpy as np

from etl.demo.arrays import NEVER, scattered, take
from etl.demo.plan import Nature
from etl.demo.schedule import BLINA_DAYS, FIRST_BLINA, Schedule, drawn_schedule

LANDMARK = 60
MONTH = 365.25 / 12
TO_TRANSPLANT = 7  # days of conditioning
RESCUE_DELAY = 6  # a line after a relapse starts on its day or up to 5 days later

# By risk group S1-S4.
_EARLY_DEATH = np.array([0.015, 0.030, 0.055, 0.070])
_NO_REMISSION = np.array([0.02, 0.06, 0.185, 0.25])
_REMISSION_AFTER_F1 = np.array([0.75, 0.65, 0.50, 0.42])
_TRANSPLANT = np.array([[0.0, 0.85, 0.84, 0.86], [0.0, 0.85, 0.88, 0.90]])
_RELAPSE_BY_RISK = np.array([-1.75, -1.30, 0.0, 0.25])
# By genetics: favorable, unfavorable, other.
_NO_REMISSION_BY_GENETICS = np.array([0.7, 1.5, 1.0])
_RELAPSE_BY_GENETICS = np.array([-0.45, 0.40, 0.0])
_RELAPSE_BY_TEN_YEARS = 0.20
_RELAPSE_BY_DEPTH = 0.45

# Rates a month. Before the transplant in months 0-2, 2-6, 6-24, later since remission; after it in
# the same months since the transplant. Rows: ALL-REZ 2014, ALL-REZ 2016.
_EDGES = np.array([0, 2, 6, 24]) * MONTH
_RELAPSE_BEFORE = np.array([[0.085, 0.085, 0.065, 0.012], [0.046, 0.026, 0.018, 0.005]])
_RELAPSE_AFTER = np.array([[0.034, 0.034, 0.018, 0.004], [0.017, 0.017, 0.009, 0.002]])
_DEATH_BEFORE = np.array([[0.010, 0.007, 0.0012, 0.0002], [0.008, 0.004, 0.0010, 0.0002]])
_DEATH_AFTER = np.array([[0.010, 0.010, 0.0015, 0.0003], [0.008, 0.008, 0.0012, 0.0003]])
_SECOND_MALIGNANCY = np.array([0.0, 0.0, 0.0002, 0.0003])
# In a later line, whatever the protocol.
_LATER_RELAPSE = (np.array([0.055, 0.055, 0.030, 0.005]), np.array([0.040, 0.040, 0.020, 0.003]))
_LATER_DEATH = (np.array([0.015, 0.015, 0.004, 0.001]), np.array([0.02, 0.02, 0.003, 0.0005]))
# With active disease: months 0-12, 12-36, later; and after a second malignancy.
_ACTIVE_EDGES = np.array([0, 12, 36]) * MONTH
_ACTIVE_DEATH = np.array([0.095, 0.055, 0.012])
_MALIGNANCY_DEATH = np.array([0.02, 0.02, 0.01])


@dataclass(frozen=True)
class Line:
    """One line of treatment an element. Days count from the child's day 0; NEVER: it did not.

    `n_blocks` after induction; `maintenance` the day it would start; the marrows looked at after F1
    and after F2; `is_palliative`: no treatment against the disease.
    """

    start: np.ndarray
    schedule: Schedule
    n_blocks: np.ndarray
    has_marrow_f1: np.ndarray
    has_marrow_f2: np.ndarray
    remission: np.ndarray
    conditioning: np.ndarray
    maintenance: np.ndarray
    relapse: np.ndarray
    is_palliative: np.ndarray


@dataclass(frozen=True)
class History:
    """One child an element, uncensored. Days count from day 0.

    `lines`: the first; the one after no remission or after the first relapse; the one after the
    next relapse. `depth`: how deep the disease sits, standard normal; it drives both MRD and
    relapse. `mrd_*`: log10 of the MRD level of a marrow in remission. `is_evaluated`: a marrow was
    looked at by the landmark.
    """

    lines: tuple[Line, Line, Line]
    second_malignancy: np.ndarray
    death: np.ndarray
    is_evaluated: np.ndarray
    depth: np.ndarray
    mrd_after_induction: np.ndarray
    mrd_before_transplant: np.ndarray


@dataclass(frozen=True)
class Traits:
    """What the history of a child depends on; fields as in etl.demo.baseline.Children."""

    protocol: np.ndarray
    risk: np.ndarray
    genetics: np.ndarray
    is_ten: np.ndarray


def _first_event(
    rng: np.random.Generator, n: int, edges: np.ndarray, rates: tuple[np.ndarray, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Days to the first of competing causes, and its index; piecewise constant rates a month.

    Each of `rates` has a row for each of `n` children, or one for all, and a column a piece, which
    begin at `edges` (days). The time is that at which the cumulative total rate reaches a standard
    exponential draw.
    """
    left, share = rng.exponential(size=n), rng.random(n)
    day, cause = np.full(n, NEVER), np.zeros(n, int)
    widths = np.append(np.diff(edges), NEVER)
    for piece, (begin, width) in enumerate(zip(edges, widths, strict=True)):
        parts = [rate[:, piece] / MONTH for rate in rates]
        total = sum(parts)
        here = (left > 0) & (left <= total * width)
        day[here] = begin + (left / total)[here]
        bound = np.zeros(n)
        for part in parts[:-1]:
            bound = bound + part
            cause += here & (share * total >= bound)
        left = np.where(here, -1.0, left - total * width)
    return np.maximum(np.ceil(day), 1), cause


def _death_after(rng: np.random.Generator, begin: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """Day of death at these rates from `begin` on, at the earliest four days later."""
    wait, _ = _first_event(rng, len(begin), _ACTIVE_EDGES, (rates[None, :],))
    return begin + 3 + wait


@dataclass(frozen=True)
class _InRemission:
    conditioning: np.ndarray
    relapse: np.ndarray
    death: np.ndarray
    second_malignancy: np.ndarray


@dataclass(frozen=True)
class _Rates:
    """Rates in remission, a row a child: relapse and death, before and after the transplant."""

    relapse: tuple[np.ndarray, np.ndarray]
    death: tuple[np.ndarray, np.ndarray]


def _in_remission(
    rng: np.random.Generator, remission: np.ndarray, planned: np.ndarray, rates: _Rates
) -> _InRemission:
    """From remission on: the transplant if its day comes, then relapse, death or malignancy.

    A child conditioned for the transplant reaches it.
    """
    malignancy = _SECOND_MALIGNANCY[None, :]
    before = (rates.relapse[0], rates.death[0], malignancy)
    wait, cause = _first_event(rng, len(remission), _EDGES, before)
    day = remission + wait
    conditioning = np.where(planned < day, planned, NEVER)
    after = (rates.relapse[1], rates.death[1], malignancy)
    later, later_cause = _first_event(rng, len(remission), _EDGES, after)
    is_transplanted = np.isfinite(conditioning)
    day = np.where(is_transplanted, conditioning + TO_TRANSPLANT + later, day)
    cause = np.where(is_transplanted, later_cause, cause)
    relapse, death, second = (np.where(cause == k, day, NEVER) for k in range(3))
    return _InRemission(conditioning, relapse, death, second)


def _rates(traits: Traits, depth: np.ndarray) -> _Rates:
    """Rates of the first line, by protocol and traits; the mean over `depth` is kept."""
    log_factor = (
        _RELAPSE_BY_RISK[traits.risk - 1]
        + _RELAPSE_BY_GENETICS[traits.genetics]
        + _RELAPSE_BY_TEN_YEARS * traits.is_ten
        + _RELAPSE_BY_DEPTH * depth
        - _RELAPSE_BY_DEPTH**2 / 2
    )
    factor = np.exp(log_factor)[:, None]
    of = traits.protocol
    return _Rates(
        (_RELAPSE_BEFORE[of] * factor, _RELAPSE_AFTER[of] * factor),
        (_DEATH_BEFORE[of], _DEATH_AFTER[of]),
    )


@dataclass(frozen=True)
class _Response:
    """Induction of the first line. `is_refractory`: goes on to a line after no remission."""

    early_death: np.ndarray
    remission: np.ndarray
    is_refractory: np.ndarray
    is_evaluated: np.ndarray
    has_marrow_f1: np.ndarray
    has_marrow_f2: np.ndarray


def _response(rng: np.random.Generator, traits: Traits, schedule: Schedule) -> _Response:
    """Death, no remission, or remission after F1, after F2 or after the next block.

    Of those in remission 4.7 % have no marrow looked at by the landmark: their remission is found
    after it. A death without remission never falls on the landmark.
    """
    n, group = len(traits.risk), traits.risk - 1
    point = rng.random(n)
    dies = point < _EARLY_DEATH[group]
    none = _NO_REMISSION[group] * _NO_REMISSION_BY_GENETICS[traits.genetics]
    fails = ~dies & (point < _EARLY_DEATH[group] + none)
    responds = ~dies & ~fails
    is_late = fails & (rng.random(n) < 0.08)
    is_evaluated = ~(responds & (rng.random(n) < 0.047))
    has_f1 = (rng.random(n) < 0.88) | (schedule.marrow_f2 > LANDMARK)
    is_fast = responds & is_evaluated & has_f1 & (rng.random(n) < _REMISSION_AFTER_F1[group])
    remission = np.where(responds, schedule.marrow_f2, NEVER)
    remission = np.where(is_fast, schedule.marrow_f1, remission)
    remission = np.where(is_late | (responds & ~is_evaluated), schedule.marrow_block, remission)
    death = 4 + np.floor(rng.beta(1.6, 1.4, n) * (schedule.marrow_f2 - 4))
    death = np.where(death == LANDMARK, LANDMARK - 1, death)
    return _Response(
        early_death=np.where(dies, death, NEVER),
        remission=remission,
        is_refractory=fails & ~is_late,
        is_evaluated=is_evaluated,
        has_marrow_f1=has_f1 & is_evaluated,
        has_marrow_f2=is_evaluated & (~is_fast | (rng.random(n) < 0.97)),
    )


@dataclass(frozen=True)
class _Pathway:
    """What is planned after induction: blocks, and then a transplant or maintenance."""

    n_blocks: np.ndarray
    conditioning: np.ndarray
    maintenance: np.ndarray
    mrd_after_induction: np.ndarray
    mrd_before_transplant: np.ndarray


def _pathway(
    rng: np.random.Generator,
    traits: Traits,
    schedule: Schedule,
    depth: np.ndarray,
    nature: Nature,
) -> _Pathway:
    """S3 and S4 are transplanted, S2 with MRD of 1e-3 or more after induction, S1 not."""
    n, is_new = len(depth), traits.protocol == 1
    after_induction = -3.1 + 0.8 * depth + rng.normal(0, 0.8, n)
    before_transplant = np.where(
        is_new, -4.9 + 0.6 * depth + rng.normal(0, 0.8, n), -3.6 + 0.8 * depth + rng.normal(0, 1, n)
    )
    wanted = rng.random(n) < _TRANSPLANT[traits.protocol, traits.risk - 1]
    wanted &= (traits.risk > 2) | (after_induction >= -3)
    n_old = np.where(wanted, rng.integers(2, 5, n), rng.integers(6, 9, n))
    n_blocks = np.where(is_new, 3 + (rng.random(n) < 0.35), n_old)
    last = np.take_along_axis(schedule.blocks, n_blocks[:, None] - 1, axis=1)[:, 0]
    rest = np.where(is_new, BLINA_DAYS + 14, 24)
    wait = rng.integers(30, 121, n) * (nature.wait_for_mrd & (before_transplant >= -4))
    conditioning = np.where(wanted, last + rest + rng.integers(0, 15, n) + wait, NEVER)
    maintenance = np.where(wanted, NEVER, last + rest + rng.integers(2, 9, n))
    return _Pathway(n_blocks, conditioning, maintenance, after_induction, before_transplant)


def _no_line(schedule: Schedule, protocol: np.ndarray) -> Line:
    """A line that has not begun, treated by induction, up to four blocks and no maintenance."""
    n = len(protocol)
    never, yes = np.full(n, NEVER), np.ones(n, bool)
    return Line(
        start=never,
        schedule=schedule,
        n_blocks=np.full(n, FIRST_BLINA + 1),
        has_marrow_f1=yes,
        has_marrow_f2=yes,
        remission=never,
        conditioning=never,
        maintenance=never,
        relapse=never,
        is_palliative=~yes,
    )


@dataclass(frozen=True)
class _Rescue:
    """A later line and the death it ends with (NEVER: alive, or relapsed again)."""

    line: Line
    death: np.ndarray


def _rescue(
    rng: np.random.Generator, begin: np.ndarray, protocol: np.ndarray, depth: np.ndarray
) -> _Rescue:
    """The line that starts on `begin` after no remission or after a relapse."""
    n = len(begin)
    schedule = drawn_schedule(rng, protocol)
    is_palliative = rng.random(n) < 0.12
    responds = ~is_palliative & (rng.random(n) < 0.52)
    marrow = np.where(rng.random(n) < 0.4, schedule.marrow_f1, schedule.marrow_f2)
    remission = np.where(responds, begin + marrow, NEVER)
    planned = np.where(rng.random(n) < 0.7, remission + 90 + rng.integers(0, 61, n), NEVER)
    factor = np.exp(_RELAPSE_BY_DEPTH * depth)[:, None]
    before, after = _LATER_RELAPSE
    dying = _LATER_DEATH[0][None, :], _LATER_DEATH[1][None, :]
    rates = _Rates((before * factor, after * factor), dying)
    known = np.where(responds, remission, 0.0)
    after_remission = _in_remission(rng, known, planned, rates)
    # A malignancy after a second relapse is not told apart from death in remission.
    dead = np.fmin(after_remission.death, after_remission.second_malignancy)
    active = _death_after(rng, begin, _ACTIVE_DEATH)
    line = Line(
        **{
            **vars(_no_line(schedule, protocol)),
            "start": begin,
            "remission": remission,
            "conditioning": np.where(responds, after_remission.conditioning, NEVER),
            "relapse": np.where(responds, after_remission.relapse, NEVER),
            "is_palliative": is_palliative,
        }
    )
    return _Rescue(line, np.where(responds, dead, active))


def _last_line(
    rng: np.random.Generator, relapse: np.ndarray, protocol: np.ndarray, schedule: Schedule
) -> _Rescue:
    """The line after one relapse too many: no further remission."""
    begin = relapse + rng.integers(0, RESCUE_DELAY, len(relapse))
    death = _death_after(rng, begin, _ACTIVE_DEATH)
    is_palliative = rng.random(len(relapse)) < 0.5
    fields = {**vars(_no_line(schedule, protocol)), "start": begin, "is_palliative": is_palliative}
    return _Rescue(Line(**fields), death)


def _rescue_start(
    rng: np.random.Generator, schedule: Schedule, n_blocks: np.ndarray, relapse: np.ndarray
) -> np.ndarray:
    """After a relapse, its day (often) or a few days later; after no remission, once that is known
    and past the landmark."""
    n = len(relapse)
    delay = np.where(rng.random(n) < 0.8, 0, rng.integers(1, RESCUE_DELAY, n))
    known = np.where(n_blocks == 0, schedule.marrow_f2, schedule.marrow_block)
    refractory = np.maximum(known + rng.integers(3, 15, n), LANDMARK + 1)
    return np.where(np.isfinite(relapse), relapse + delay, refractory)


def _after_first_line(
    rng: np.random.Generator,
    traits: Traits,
    first: Line,
    is_refractory: np.ndarray,
    depth: np.ndarray,
) -> tuple[tuple[Line, Line], np.ndarray]:
    """The lines after the first, and the death in them.

    A child without remission may die before the next line; its line then never begins.
    """
    n = len(depth)
    start = _rescue_start(rng, first.schedule, first.n_blocks, first.relapse)
    active = _death_after(rng, first.schedule.marrow_f2, _ACTIVE_DEATH)
    active = np.where(active == LANDMARK, LANDMARK - 1, active)
    dies_before = is_refractory & (active <= start)
    goes_on = np.flatnonzero((is_refractory & ~dies_before) | np.isfinite(first.relapse))
    second = _rescue(rng, start[goes_on], traits.protocol[goes_on], depth[goes_on])
    again = np.flatnonzero(np.isfinite(second.line.relapse))
    third = _last_line(
        rng,
        second.line.relapse[again],
        traits.protocol[goes_on][again],
        take(second.line.schedule, again),
    )
    death = np.where(dies_before, active, NEVER)
    death[goes_on] = second.death
    death[goes_on[again]] = third.death
    lines = scattered(second.line, goes_on, n), scattered(third.line, goes_on[again], n)
    return lines, death


def _of_responders(responds: np.ndarray, then: _InRemission) -> _InRemission:
    """The same days, of the children who reached remission."""
    return _InRemission(**{k: np.where(responds, day, NEVER) for k, day in vars(then).items()})


def _first_line(
    rng: np.random.Generator,
    schedule: Schedule,
    response: _Response,
    path: _Pathway,
    then: _InRemission,
) -> Line:
    """The first line; half of the refractory children are given one block after induction."""
    n = len(response.remission)
    one_more = (rng.random(n) < 0.5).astype(int)
    return Line(
        start=np.zeros(n),
        schedule=schedule,
        n_blocks=np.where(response.is_refractory, one_more, path.n_blocks),
        has_marrow_f1=response.has_marrow_f1,
        has_marrow_f2=response.has_marrow_f2,
        remission=response.remission,
        conditioning=then.conditioning,
        maintenance=np.where(np.isfinite(response.remission), path.maintenance, NEVER),
        relapse=then.relapse,
        is_palliative=np.zeros(n, bool),
    )


def _death_of_malignancy(rng: np.random.Generator, malignancy: np.ndarray) -> np.ndarray:
    is_ill = np.isfinite(malignancy)
    return np.where(
        is_ill, _death_after(rng, np.where(is_ill, malignancy, 0.0), _MALIGNANCY_DEATH), NEVER
    )


def simulated(rng: np.random.Generator, traits: Traits, nature: Nature) -> History:
    """The histories of children with these traits."""
    depth = rng.normal(size=len(traits.risk))
    schedule = drawn_schedule(rng, traits.protocol)
    response = _response(rng, traits, schedule)
    path = _pathway(rng, traits, schedule, depth, nature)
    responds = np.isfinite(response.remission)
    known = np.where(responds, response.remission, 0.0)
    rates = _rates(traits, depth)
    then = _of_responders(responds, _in_remission(rng, known, path.conditioning, rates))
    first = _first_line(rng, schedule, response, path, then)
    later, dead_later = _after_first_line(rng, traits, first, response.is_refractory, depth)
    dead_of_it = _death_of_malignancy(rng, then.second_malignancy)
    return History(
        lines=(first, *later),
        second_malignancy=then.second_malignancy,
        death=np.minimum.reduce([response.early_death, then.death, dead_later, dead_of_it]),
        is_evaluated=response.is_evaluated,
        depth=depth,
        mrd_after_induction=path.mrd_after_induction,
        mrd_before_transplant=path.mrd_before_transplant,
    )
