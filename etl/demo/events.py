"""Deaths and adverse events: why a child died, and what each block and each transplant cost.

Rates are by patient and block. Chemotherapy and blinatumomab follow COG AALL1331 (Brown, JAMA
2021;325:833: grade >= 3 infection 40 % against 10 % in the first cycle), cytokine release and
neurotoxicity the label of blinatumomab, clofarabine Hijiya, Blood 2011;118:6043.
"""

from dataclasses import dataclass, replace

import numpy as np

from etl.demo.arrays import NEVER
from etl.demo.courses import TRANSPLANT_DAYS, Courses, Transplants, known_remission
from etl.demo.natural_history import LANDMARK
from etl.demo.observation import Enrollments
from etl.demo.plan import Observation

CAUSES = ("infection", "toxicity", "bleeding", "leukaemia", "GVHD", "other")
_INFECTION, _TOXICITY = 0, 1
# Shares of CAUSES: with disease, in remission, in remission after transplant.
_CAUSE_SHARES = np.array(
    [
        [0.20, 0.06, 0.08, 0.66, 0.00, 0.00],
        [0.62, 0.20, 0.06, 0.00, 0.00, 0.12],
        [0.38, 0.16, 0.04, 0.00, 0.32, 0.10],
    ]
)
_EARLY_SHARES = np.array([0.62, 0.14, 0.14, 0.10, 0.00, 0.00])

# Kinds of treatment that the rates tell apart, in the order of the columns below.
KINDS = ("prephase", "F", "R", "FLU and CLO", "BLINA", "maintenance", "transplant")
_KIND_OF_BLOCK = np.array([0, 1, 1, 2, 2, 3, 3, 4, 5])
_TRANSPLANT, _MAINTENANCE = 6, 5


@dataclass(frozen=True)
class Term:
    """An adverse event: first and last day of onset, days it lasts, and by kind of treatment the
    percentage of patients with any grade and with grade >= 3. `life_threatening`: grade 4 of >= 3.
    """

    name: str
    onset: tuple[int, int]
    lasts: tuple[int, int]
    life_threatening: float
    any_grade: tuple[float, ...]
    severe: tuple[float, ...]
    is_infection: bool = False


# Columns:                           pre   F   R  FC  BL  MA  TX
TERMS = (
    Term("febrile neutropenia", (5, 16), (2, 9), 0.10,
         (3, 42, 40, 60, 3, 6, 55), (3, 42, 40, 60, 3, 6, 55)),
    Term("sepsis", (5, 17), (5, 18), 0.45,
         (1, 9, 8, 13, 1.5, 1, 8), (1, 9, 8, 13, 1.5, 1, 8), True),
    Term("bacteraemia", (4, 18), (5, 14), 0.08,
         (1, 13, 12, 18, 4, 2, 16), (1, 10, 10, 15, 2, 1.5, 13), True),
    Term("pneumonia", (5, 19), (8, 24), 0.12,
         (1, 10, 9, 12, 3, 4, 9), (1, 8, 7, 10, 2, 2.5, 7), True),
    Term("invasive fungal infection", (8, 20), (20, 60), 0.20,
         (0.3, 5, 5, 9, 1, 0.5, 6), (0.3, 4.5, 4.5, 8, 1, 0.5, 5), True),
    Term("viral infection", (2, 20), (5, 20), 0.05,
         (1, 10, 10, 12, 6, 14, 28), (0.5, 6, 6, 8, 2, 6, 14), True),
    Term("other infection", (2, 20), (4, 16), 0.05,
         (2, 20, 20, 22, 7, 14, 20), (1, 13, 13, 15, 3, 7, 11), True),
    Term("oral mucositis", (4, 12), (5, 14), 0.08,
         (0, 34, 36, 16, 2, 4, 62), (0, 20, 21, 7, 0.5, 1, 30)),
    Term("vomiting", (0, 6), (1, 5), 0.0,
         (3, 12, 12, 18, 6, 3, 25), (0.3, 3, 3, 5, 0.5, 0.5, 6)),
    Term("ALT increased", (4, 18), (7, 25), 0.08,
         (4, 34, 36, 40, 18, 25, 18), (1, 28, 30, 32, 11, 12, 8)),
    Term("bilirubin increased", (5, 18), (5, 18), 0.10,
         (1, 9, 9, 14, 3, 4, 12), (0.3, 6, 6, 9, 1.5, 1.5, 6)),
    Term("pancreatitis", (8, 22), (6, 25), 0.20,
         (0, 4, 3.5, 1, 0.4, 0.3, 0.3), (0, 2.8, 2.4, 0.7, 0.3, 0.2, 0.2)),
    Term("allergic reaction", (0, 5), (1, 3), 0.12,
         (0.5, 6, 9, 2, 1, 0.5, 3), (0.2, 3, 4.5, 0.7, 0.4, 0.2, 1)),
    Term("thrombosis", (5, 22), (14, 60), 0.08,
         (0.2, 3, 3, 2, 1, 0.5, 2), (0.1, 1.6, 1.6, 1, 0.5, 0.2, 1)),
    Term("seizure", (1, 18), (0, 2), 0.15,
         (0.2, 1.4, 1.6, 1, 2.2, 0.2, 1.5), (0.1, 1, 1.1, 0.7, 1.6, 0.1, 1.1)),
    Term("neurotoxicity", (1, 14), (2, 10), 0.10,
         (0, 2, 3.5, 2.5, 22, 0.5, 2), (0, 0.9, 1.4, 1, 4.5, 0.2, 1)),
    Term("ICANS", (1, 12), (2, 8), 0.10,
         (0, 0, 0, 0, 14, 0, 0), (0, 0, 0, 0, 3, 0, 0)),
    Term("CRS", (0, 6), (2, 7), 0.20,
         (0, 0, 0, 0, 26, 0, 0), (0, 0, 0, 0, 2.2, 0, 0)),
    Term("hypokalaemia", (3, 16), (3, 10), 0.10,
         (2, 24, 22, 34, 10, 3, 30), (1, 15, 14, 21, 6, 1, 15)),
    Term("hypotension", (3, 16), (1, 4), 0.15,
         (0.5, 8, 7, 10, 5, 0.5, 8), (0.2, 5, 4.5, 6.5, 1.5, 0.2, 4)),
    Term("fever", (1, 14), (1, 6), 0.0,
         (6, 14, 13, 16, 50, 14, 22), (0.5, 3, 3, 4, 6, 2, 4)),
    Term("anaemia", (4, 18), (7, 20), 0.0,
         (12, 56, 56, 62, 22, 10, 60), (8, 50, 50, 56, 15, 5, 50)),
    Term("neutropenia", (4, 16), (8, 20), 0.75,
         (10, 64, 62, 70, 36, 34, 85), (8, 60, 58, 66, 32, 24, 84)),
    Term("thrombocytopenia", (4, 16), (8, 20), 0.65,
         (8, 58, 56, 66, 14, 8, 80), (6, 54, 52, 62, 8, 4, 78)),
    Term("veno-occlusive disease", (6, 25), (10, 30), 0.35,
         (0, 0.2, 0.2, 1.5, 0, 0, 4), (0, 0.1, 0.1, 1.1, 0, 0, 3)),
)  # fmt: skip
_NAMES = [term.name for term in TERMS]
_ANY = np.array([term.any_grade for term in TERMS]).T / 100
_SEVERE = np.array([term.severe for term in TERMS]).T / 100
_LIFE_THREATENING = np.array([term.life_threatening for term in TERMS])
_ONSET = np.array([term.onset for term in TERMS])
_LASTS = np.array([term.lasts for term in TERMS])
IS_INFECTION = np.array([term.is_infection for term in TERMS])
_ICANS_SINCE = float(np.datetime64("2019-01-01").astype(int))
_FATAL_INFECTION = np.array([_NAMES.index(x) for x in ("sepsis", "sepsis", "sepsis", "pneumonia",
                             "invasive fungal infection", "viral infection")])  # fmt: skip
_FATAL_TOXICITY = np.array([_NAMES.index(x) for x in ("pancreatitis", "seizure")])
_FATAL_TRANSPLANT = _NAMES.index("veno-occlusive disease")
# How unequally events fall on patients: shape of a gamma law with mean 1.
_EVENNESS = 4.0

OUTCOMES = ("recovered", "ongoing", "fatal", "unknown")


@dataclass(frozen=True)
class AdverseEvents:
    """One event an element; days from day 0 of the case. `term` an index of TERMS; `end` NEVER: not
    known; `outcome` an index of OUTCOMES."""

    case: np.ndarray
    term: np.ndarray
    grade: np.ndarray
    onset: np.ndarray
    end: np.ndarray
    outcome: np.ndarray
    is_serious: np.ndarray


@dataclass(frozen=True)
class _Windows:
    """One course or transplant an element, with the days on which its events begin."""

    case: np.ndarray
    kind: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    end: np.ndarray
    documented: np.ndarray


@dataclass(frozen=True)
class Deaths:
    """Why children died: an index of CAUSES, -1 for the living; and the courses and transplants
    whose adverse events are documented, those of a fatal one among them."""

    cause: np.ndarray
    courses: Courses
    transplants: Transplants


def _course_windows(c: Courses) -> _Windows:
    kind = _KIND_OF_BLOCK[c.block]
    return _Windows(c.case, kind, c.start, c.stop, c.window_end, c.documented)


def _transplant_windows(e: Enrollments, c: Courses, t: Transplants) -> _Windows:
    """From conditioning to day 100, or to the next transplant, course, relapse or death."""
    follows = np.append(t.case[1:] == t.case[:-1], False)
    following = np.where(follows, np.append(t.conditioning[1:], 0) - 1, NEVER)
    later = np.full(len(t.case), NEVER)
    for line in (1, 2):
        at = c.line == line
        first = np.full(len(e.number), NEVER)
        np.minimum.at(first, c.case[at], c.start[at])
        day = first[t.case]
        later = np.minimum(later, np.where(day > t.conditioning, day - 1, NEVER))
    relapses = [e.history.lines[line].relapse[t.case] for line in range(2)]
    bounds = [following, later, t.day + TRANSPLANT_DAYS]
    bounds += [np.where(day > t.conditioning, day, NEVER) for day in relapses]
    bounds += [e.data_end[t.case], e.history.death[t.case]]
    kind = np.full(len(t.case), _TRANSPLANT)
    end = np.minimum.reduce(bounds)
    return _Windows(t.case, kind, t.conditioning, end, end, t.documented)


def _position_at_death(n: int, w: _Windows, death: np.ndarray) -> np.ndarray:
    """For each case, the position of the window that its death falls into; -1: none."""
    position = np.full(n, -1)
    inside = np.flatnonzero((w.start <= death[w.case]) & (w.end >= death[w.case]))
    position[w.case[inside]] = inside
    return position


def _circumstances(e: Enrollments, t: Transplants) -> np.ndarray:
    """Row of _CAUSE_SHARES: 0 with disease, 1 in remission, 2 in remission after transplant."""
    in_remission = np.zeros(len(e.number), bool)
    for line in range(2):
        relapse = e.history.lines[line].relapse
        in_remission |= (known_remission(e, line) < e.death) & (relapse > e.death)
    is_transplanted = np.zeros(len(e.number), bool)
    is_transplanted[t.case[t.day < e.death[t.case]]] = True
    return np.where(in_remission, np.where(is_transplanted, 2, 1), 0)


def _cause_shares(e: Enrollments, t: Transplants) -> np.ndarray:
    """A row a case and a column for each of CAUSES."""
    shares = _CAUSE_SHARES[_circumstances(e, t)]
    is_early = (e.death <= LANDMARK) & (known_remission(e, 0) > e.death)
    shares = np.where(is_early[:, None], _EARLY_SHARES, shares)
    is_after_malignancy = e.history.second_malignancy < e.death
    return np.where(is_after_malignancy[:, None], np.eye(len(CAUSES))[-1], shares)


def deaths(rng: np.random.Generator, e: Enrollments, c: Courses, t: Transplants) -> Deaths:
    """Causes of death. Infection and toxicity are causes only where an event can be told of it:
    within the time of a course or transplant, and of a child enrolled once."""
    n = len(e.number)
    in_course = _position_at_death(n, _course_windows(c), e.death)
    in_transplant = _position_at_death(n, _transplant_windows(e, c, t), e.death)
    is_told = ((in_course >= 0) | (in_transplant >= 0)) & ~e.is_first_of_two & (e.number == 1)
    without_event = np.array([0, 0, 1, 1, 1, 1])
    shares = _cause_shares(e, t) * np.where(is_told[:, None], 1, without_event)
    edges = shares.cumsum(axis=1)
    cause = (rng.random(n)[:, None] * edges[:, -1:] >= edges).sum(axis=1)
    cause = np.where(np.isfinite(e.death), cause, -1)
    # The second enrollment of a child stands directly after its first: one child, one death.
    first = np.flatnonzero(e.is_first_of_two)
    cause[first] = cause[first + 1]
    is_event = (cause == _INFECTION) | (cause == _TOXICITY)
    return Deaths(
        cause,
        replace(c, documented=_marked(c.documented, in_course[is_event])),
        replace(t, documented=_marked(t.documented, in_transplant[is_event])),
    )


def _marked(documented: np.ndarray, positions: np.ndarray) -> np.ndarray:
    marked = documented.copy()
    marked[positions[positions >= 0]] = 1
    return marked


def _onset(rng: np.random.Generator, w: _Windows, row: np.ndarray, term: np.ndarray) -> np.ndarray:
    """Days after the start as the term has them; in maintenance any day of the course."""
    first, last = _ONSET[term].T
    after = first + np.floor(rng.random(len(row)) * (last - first + 1))
    whole = np.floor(rng.random(len(row)) * (w.stop - w.start + 1)[row])
    return w.start[row] + np.where(w.kind[row] == _MAINTENANCE, whole, after)


def _grade(rng: np.random.Generator, kind: np.ndarray, term: np.ndarray) -> np.ndarray:
    n = len(term)
    share = _SEVERE[kind, term] / _ANY[kind, term]
    severe = 3 + (rng.random(n) < _LIFE_THREATENING[term])
    return np.where(rng.random(n) < share, severe, 1 + (rng.random(n) < 0.65))


def _named(origin: np.ndarray, term: np.ndarray, onset: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Whether the term was in use: ICANS since 2019, and neurotoxicity of BLINA less since then."""
    since = origin + onset >= _ICANS_SINCE
    is_icans, is_neuro = term == _NAMES.index("ICANS"), term == _NAMES.index("neurotoxicity")
    return np.where(is_icans, since, ~(is_neuro & since & (keep > 0.4)))


def _events_in(
    rng: np.random.Generator, e: Enrollments, w: _Windows, frailty: np.ndarray
) -> AdverseEvents:
    """At most one event a term in each window whose events are documented."""
    chance = 1 - (1 - np.minimum(_ANY[w.kind], 0.99)) ** frailty[w.case][:, None]
    happens = (rng.random(chance.shape) < chance) & (w.documented != 0)[:, None]
    row, term = np.nonzero(happens)
    onset, case = _onset(rng, w, row, term), w.case[row]
    lasts = _LASTS[term]
    end = onset + lasts[:, 0] + np.floor(rng.random(len(row)) * (lasts[:, 1] - lasts[:, 0] + 1))
    grade = _grade(rng, w.kind[row], term)
    is_unknown = rng.random(len(row)) < 0.03
    is_open = end > np.minimum(e.data_end, e.history.death)[case]
    serious = np.where(grade == 4, 0.8, np.where(IS_INFECTION[term] & (grade == 3), 0.5, 0.08))
    events = AdverseEvents(
        case=case,
        term=term,
        grade=grade,
        onset=onset,
        end=np.where(is_unknown | is_open, NEVER, end),
        outcome=np.where(is_unknown, 3, np.where(is_open, 1, 0)),
        is_serious=rng.random(len(row)) < serious,
    )
    kept = (onset <= w.end[row]) & _named(e.origin[case], term, onset, rng.random(len(row)))
    return _at(events, np.flatnonzero(kept))


def _at(events: AdverseEvents, index: np.ndarray) -> AdverseEvents:
    return AdverseEvents(**{name: values[index] for name, values in vars(events).items()})


def _fatal(rng: np.random.Generator, e: Enrollments, d: Deaths, windows: _Windows) -> AdverseEvents:
    """The grade 5 event of each death of infection or toxicity, begun up to five days before."""
    n = len(e.number)
    position = _position_at_death(n, windows, e.death)
    case = np.flatnonzero((d.cause == _INFECTION) | (d.cause == _TOXICITY))
    row = position[case]
    in_transplant = windows.kind[row] == _TRANSPLANT
    toxic = _FATAL_TOXICITY[rng.integers(0, len(_FATAL_TOXICITY), len(case))]
    toxic = np.where(in_transplant, _FATAL_TRANSPLANT, toxic)
    infection = _FATAL_INFECTION[rng.integers(0, len(_FATAL_INFECTION), len(case))]
    onset = np.maximum(e.death[case] - rng.integers(0, 6, len(case)), windows.start[row])
    return AdverseEvents(
        case=case,
        term=np.where(d.cause[case] == _INFECTION, infection, toxic),
        grade=np.full(len(case), 5),
        onset=onset,
        end=e.death[case],
        outcome=np.full(len(case), OUTCOMES.index("fatal")),
        is_serious=np.ones(len(case), bool),
    )


def adverse_events(
    rng: np.random.Generator, e: Enrollments, d: Deaths, observation: Observation
) -> AdverseEvents:
    """All adverse events, by case and onset."""
    courses, transplants = (
        _course_windows(d.courses),
        _transplant_windows(e, d.courses, d.transplants),
    )
    # A transplant after a course of the same days comes last: the death belongs to it.
    windows = _Windows(
        **{k: np.concatenate([v, getattr(transplants, k)]) for k, v in vars(courses).items()}
    )
    frailty = rng.gamma(_EVENNESS, 1 / _EVENNESS, len(e.number))
    events = _events_in(rng, e, windows, frailty)
    missed = (rng.random(len(events.case)) < 0.5) & (e.protocol[events.case] == 0)
    if observation.underreported_adverse_events:
        events = _at(events, np.flatnonzero(~missed))
    fatal = _fatal(rng, e, d, windows)
    both = AdverseEvents(
        **{k: np.concatenate([v, getattr(fatal, k)]) for k, v in vars(events).items()}
    )
    return _at(both, np.lexsort((both.term, both.onset, both.case)))
