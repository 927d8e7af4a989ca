"""What is known of the histories: follow-up, loss, registration, and who is enrolled twice.

Contact with a child ends at the last visit before the data cut-off, or at loss; both are drawn
without regard to what happens, so that censoring says nothing of the outcome. A flaw breaks this.
"""

from dataclasses import dataclass, replace

import numpy as np

from etl.demo.arrays import NEVER, joined, take
from etl.demo.baseline import Children
from etl.demo.natural_history import TO_TRANSPLANT, History, Line
from etl.demo.plan import Observation

CUTOFF = float(np.datetime64("2021-12-31").astype(int))
_OPEN = tuple(float(np.datetime64(day).astype(int)) for day in ("2016-07-01", "2020-12-31"))
_LOST = 0.035
_EARLIEST_LOSS = 150
# By etl.demo.derivation.SITES; testis only of boys.
_RELAPSE_SITE = np.array([0.70, 0.08, 0.03, 0.12, 0.03, 0.04])
_TESTIS = (2, 4)


@dataclass(frozen=True)
class Contact:
    """One child an element; days from day 0 to the last contact and to the last look at the
    disease."""

    contact: np.ndarray
    assessed: np.ndarray
    is_lost: np.ndarray


def drawn_contact(rng: np.random.Generator, origin: np.ndarray) -> Contact:
    """Follow-up of children whose day 0 is `origin`: a last visit up to 45 days before the cut-off.

    3.5 % are lost, evenly over their time from day 150 on. For two in five the disease was last
    looked at up to 60 days before the last contact.
    """
    n = len(origin)
    visit = CUTOFF - origin - rng.integers(0, 46, n)
    is_lost = rng.random(n) < _LOST
    lost = np.floor(_EARLIEST_LOSS + rng.random(n) * (visit - _EARLIEST_LOSS))
    contact = np.where(is_lost, lost, visit)
    before = np.where(rng.random(n) < 0.6, 0, rng.integers(1, 61, n))
    return Contact(contact, contact - before, is_lost)


@dataclass(frozen=True)
class Enrollments:
    """One enrollment an element: a row of patients.csv.

    Days count from `origin` (days since 1970), the relapse that enrolls. `number`: 1 or 2.
    `data_end`: the last day of which anything is written; `death` and `relapse` as reported (NEVER:
    not). `is_first_of_two`: the child comes back with its next relapse.
    """

    child: np.ndarray
    number: np.ndarray
    protocol: np.ndarray
    origin: np.ndarray
    registration: np.ndarray
    site: np.ndarray
    frontline_end: np.ndarray
    on_frontline: np.ndarray
    next_site: np.ndarray
    is_first_of_two: np.ndarray
    contact: np.ndarray
    assessed: np.ndarray
    data_end: np.ndarray
    is_lost: np.ndarray
    death: np.ndarray
    relapse: np.ndarray
    children: Children
    history: History


def _lost_after_transplant(rng: np.random.Generator, known: Contact, history: History) -> Contact:
    transplant = history.lines[0].conditioning + TO_TRANSPLANT
    leaves = np.isfinite(transplant) & (rng.random(len(transplant)) < 1 / 3)
    lost = transplant + rng.integers(30, 401, len(transplant))
    leaves &= lost < known.contact
    # Of the others hardly any is lost: the lost of the plain demo come back.
    stays = known.is_lost & ~leaves & (rng.random(len(transplant)) < 0.85)
    contact = np.where(leaves, lost, known.contact)
    return Contact(contact, np.minimum(known.assessed, contact), leaves | (known.is_lost & ~stays))


def _first_relapse(history: History) -> np.ndarray:
    """The first relapse after a remission in this enrollment."""
    return np.minimum(history.lines[0].relapse, history.lines[1].relapse)


def _without_half_known(known: Contact, history: History) -> Contact:
    """If the disease came back after it was last looked at, all that followed is unknown too.

    So whether the end of follow-up is the last look or the last contact says nothing of relapse.
    """
    contact = known.contact
    for day in (*(line.relapse for line in history.lines[:2]), history.second_malignancy):
        unseen = (day > known.assessed) & (day <= contact)
        contact = np.where(unseen, known.assessed, contact)
    return replace(known, contact=contact)


def _last_look(rng: np.random.Generator, known: Contact, history: History) -> np.ndarray:
    """Of a child that died: a few days before, and not before what is known of its disease."""
    first, second, _ = history.lines
    looks = (
        first.schedule.marrow_f1,
        first.schedule.marrow_f2,
        first.remission,
        first.relapse,
        second.remission,
        second.relapse,
        history.second_malignancy,
    )
    death = history.death
    latest = np.zeros(len(death))
    for day in looks:
        latest = np.where((day < death) & (day > latest), day, latest)
    before = np.maximum(latest, death - rng.integers(0, 9, len(death)))
    return np.where(death <= known.contact, before, known.assessed)


def _registration(
    rng: np.random.Generator, children: Children, observation: Observation
) -> np.ndarray:
    n = len(children.protocol)
    day = rng.integers(0, 4, n).astype(float)
    late = (children.protocol == 0) & (rng.random(n) < 1 / 3)
    referred = rng.integers(15, 76, n)
    return np.where(late, referred, day) if observation.late_referral else day


def _next_site(rng: np.random.Generator, is_male: np.ndarray) -> np.ndarray:
    """Where the next relapse would be: an index of SITES."""
    n = len(is_male)
    drawn = np.searchsorted(_RELAPSE_SITE.cumsum()[:-1], rng.random(n), "right")
    return np.where(~is_male & np.isin(drawn, _TESTIS), 0, drawn)


def _known(
    rng: np.random.Generator, origin: np.ndarray, history: History, observation: Observation
) -> Contact:
    """Follow-up as the export tells it, with the flaws that change it."""
    known = drawn_contact(rng, origin)
    if observation.transplant_dependent_loss:
        known = _lost_after_transplant(rng, known, history)
    if observation.death_reporting_lag:
        known = replace(known, contact=np.where(known.is_lost, known.contact, CUTOFF - origin))
    return _without_half_known(known, history)


def _enrolled(
    rng: np.random.Generator, children: Children, history: History, observation: Observation
) -> Enrollments:
    """The enrollments with the relapse that comes first for the child."""
    n, origin = len(children.protocol), children.relapse
    known = _known(rng, origin, history, observation)
    is_dead = history.death <= known.contact
    lag = rng.integers(60, 401, n) * observation.death_reporting_lag
    is_reported = is_dead & (history.death + lag <= CUTOFF - origin)
    data_end = np.minimum(known.contact, history.death)
    relapse = _first_relapse(history)
    return Enrollments(
        child=np.arange(n),
        number=np.ones(n, int),
        protocol=children.protocol,
        origin=origin,
        registration=_registration(rng, children, observation),
        site=children.site,
        frontline_end=children.frontline_end,
        on_frontline=children.on_frontline,
        next_site=_next_site(rng, children.is_male),
        is_first_of_two=np.zeros(n, bool),
        contact=np.where(is_reported, history.death, known.contact),
        assessed=_last_look(rng, known, history),
        data_end=data_end,
        is_lost=known.is_lost & ~is_dead,
        death=np.where(is_reported, history.death, NEVER),
        relapse=np.where(relapse <= data_end, relapse, NEVER),
        children=children,
        history=history,
    )


def _comes_back(rng: np.random.Generator, first: Enrollments, share: float) -> np.ndarray:
    """Children who relapse after ALL-REZ 2014 and are enrolled with this relapse on ALL-REZ 2016.

    Their next line starts on the day of the relapse, as a day 0 must.
    """
    after, second = first.history.lines[:2]
    day = first.origin + after.relapse
    return (
        (first.protocol == 0)
        & (after.relapse <= first.data_end - 30)
        & (second.start == after.relapse)
        & ~second.is_palliative
        & (day >= _OPEN[0])
        & (day <= _OPEN[1])
        & (rng.random(len(day)) < share)
    )


def _shifted(line: Line, days: np.ndarray) -> Line:
    return replace(
        line,
        start=line.start - days,
        remission=line.remission - days,
        conditioning=line.conditioning - days,
        maintenance=line.maintenance - days,
        relapse=line.relapse - days,
    )


def _no_more(line: Line) -> Line:
    return replace(line, start=np.full(len(line.start), NEVER))


def _again(first: Enrollments) -> Enrollments:
    """The second enrollments of these: the line after the relapse becomes the first line.

    The first relapse ended frontline therapy if nothing else had.
    """
    after, second, third = first.history.lines
    days = after.relapse
    history = replace(
        first.history,
        lines=(_shifted(second, days), _shifted(third, days), _no_more(third)),
        second_malignancy=np.full(len(days), NEVER),
        death=first.history.death - days,
        is_evaluated=np.ones(len(days), bool),
    )
    ended = np.where(first.on_frontline == 0, first.frontline_end, first.origin)
    relapse = second.relapse - days
    data_end = first.data_end - days
    return replace(
        first,
        number=np.full(len(days), 2),
        protocol=np.ones(len(days), int),
        origin=first.origin + days,
        registration=first.registration % 4,
        site=first.next_site,
        frontline_end=ended,
        on_frontline=np.zeros(len(days), int),
        next_site=np.zeros(len(days), int),
        is_first_of_two=np.zeros(len(days), bool),
        contact=first.contact - days,
        assessed=first.assessed - days,
        data_end=data_end,
        death=first.death - days,
        relapse=np.where(relapse <= data_end, relapse, NEVER),
        history=history,
    )


def _ended(first: Enrollments, comes_back: np.ndarray) -> Enrollments:
    """The first enrollments; those of children who come back have no line after the first."""
    lines = first.history.lines
    start = np.where(comes_back, NEVER, lines[1].start)
    last = np.where(comes_back, NEVER, lines[2].start)
    kept = (lines[0], replace(lines[1], start=start), replace(lines[2], start=last))
    history = replace(first.history, lines=kept)
    return replace(first, history=history, is_first_of_two=comes_back)


def observed(
    rng: np.random.Generator, children: Children, history: History, observation: Observation
) -> Enrollments:
    """The enrollments of these children, a child's second directly after its first.

    Children who die before their registration are not there.
    """
    everyone = _enrolled(rng, children, history, observation)
    point = np.flatnonzero(history.death >= everyone.registration)
    first = take(everyone, point)
    comes_back = _comes_back(rng, first, observation.same_child)
    both = joined(_ended(first, comes_back), _again(take(first, comes_back)))
    return take(both, np.lexsort((both.number, both.child)))
