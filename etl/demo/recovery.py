"""When neutrophils recovered after a course, as far as an export tells it.

Nobody waits for it after blinatumomab or in the prephase, so that hardly a date is recorded there.
"""

import numpy as np

from etl.demo.arrays import NEVER
from etl.demo.courses import BLOCKS, Courses, Transplants
from etl.demo.observation import Enrollments

# Days from the first day of a course; by block the chance of each further day, and of a record.
_FIRST, _MOST_MORE = 18, 22
_MORE = {"F1": 0.22, "F2": 0.22, "R1": 0.22, "R2": 0.22, "FLU": 0.33, "CLO": 0.35, "BLINA": 0.22}
_RECORDED = {"F1": 0.92, "F2": 0.92, "R1": 0.92, "R2": 0.92, "FLU": 0.92, "CLO": 0.92,
             "BLINA": 0.03}  # fmt: skip


def _of_block(values: dict[str, float], c: Courses) -> np.ndarray:
    return np.array([values.get(block, 0.0) for block in BLOCKS])[c.block]


def _bound(e: Enrollments, t: Transplants, c: Courses) -> np.ndarray:
    """The day by which they have to recover: the next course, conditioning, relapse or death."""
    follows = np.append(c.case[1:] == c.case[:-1], False)
    days = [np.where(follows, np.append(c.start[1:], 0), NEVER), e.history.death[c.case]]
    for line in range(2):
        relapse = e.history.lines[line].relapse[c.case]
        days.append(np.where(relapse >= c.start, relapse, NEVER))
    # A case has two transplants at most.
    for number in (1, 2):
        conditioning = np.full(len(e.number), NEVER)
        at = t.number == number
        conditioning[t.case[at]] = t.conditioning[at]
        day = conditioning[c.case]
        days.append(np.where(day >= c.start, day, NEVER))
    return np.minimum.reduce(days)


def recovery_days(
    rng: np.random.Generator, e: Enrollments, t: Transplants, c: Courses
) -> np.ndarray:
    """Day from day 0 of the case on which neutrophils recovered after each course, 18 to 40 days
    after its first day; NEVER: something came first, or it is not recorded.
    """
    day = c.start + _FIRST + rng.binomial(_MOST_MORE, _of_block(_MORE, c))
    is_recorded = rng.random(len(c.case)) < _of_block(_RECORDED, c)
    is_seen = (day < _bound(e, t, c)) & (day <= e.data_end[c.case])
    return np.where(is_recorded & is_seen, day, NEVER)
