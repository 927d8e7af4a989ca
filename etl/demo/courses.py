"""Blocks that were given, transplants, and infusions: what of the planned treatment took place.

A block takes place if its day comes before whatever ends the line (relapse, second malignancy,
death) and before the data end; it is cut short by what comes during it.
"""

from dataclasses import dataclass

import numpy as np

from etl.demo.arrays import NEVER
from etl.demo.natural_history import TO_TRANSPLANT
from etl.demo.observation import Enrollments
from etl.demo.plan import Observation
from etl.demo.schedule import BLINA_DAYS, N_BLOCKS

BLOCKS = ("prephase", "F1", "F2", "R1", "R2", "FLU", "CLO", "BLINA", "maintenance")
_DAYS = np.array([0, 6, 5, 6, 6, 5, 5, BLINA_DAYS, 730])
_BLINA = BLOCKS.index("BLINA")
STOPPED = ("relapse", "death", "second malignancy", "ongoing at last contact", "toxicity")
_TOXICITY = STOPPED.index("toxicity")
# Slots of a case, in the order of time: twelve of line 1, two of the next line, one of the last.
_SLOT_LINE = np.array([0] * 12 + [1, 1, 2])
_SLOT_BLOCK = np.array(
    [
        [0, 1, 2, 3, 4, 3, 4, 3, 4, 3, 4, 8, 7, 7, 7],
        [0, 1, 2, 5, 6, 7, 7, 7, 7, 7, 7, 8, 7, 7, 7],
    ]
)
_SLOT_NUMBER = np.array(
    [
        [1, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 1, 1, 2, 1],
        [1, 1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 1, 1, 2, 1],
    ]
)
WINDOW_DAYS = 30  # adverse events are looked for so long after a block
TRANSPLANT_DAYS = 100


@dataclass(frozen=True)
class Transplants:
    """One transplant an element, by case and date. `case` is the position of the enrollment.

    `is_repeat`: a second transplant after the first graft failed.
    """

    case: np.ndarray
    line: np.ndarray
    number: np.ndarray
    conditioning: np.ndarray
    is_repeat: np.ndarray
    documented: np.ndarray

    @property
    def day(self) -> np.ndarray:
        """Days from day 0 to the transplant."""
        return self.conditioning + TO_TRANSPLANT


@dataclass(frozen=True)
class Courses:
    """One course an element, by case and date; days count from day 0 of the case.

    `line` 0-2; `block` an index of BLOCKS; `stopped` of STOPPED or -1 (completed);
    `window_end`: the last day on which an adverse event belongs to the course; `documented` 1 yes,
    0 no, -1 unknown; `pause` days in a blinatumomab infusion.
    """

    case: np.ndarray
    line: np.ndarray
    block: np.ndarray
    number: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    stopped: np.ndarray
    pause: np.ndarray
    window_end: np.ndarray
    documented: np.ndarray


def has_line(e: Enrollments, line: int) -> np.ndarray:
    """Whether the line is told of. A third line follows a remission without one in the first."""
    begins = e.history.lines[line].start <= e.data_end
    return begins & np.isinf(e.history.lines[0].remission) if line == 2 else begins


def known_remission(e: Enrollments, line: int) -> np.ndarray:
    """Day of the remission of this line as far as the disease was looked at; NEVER: none."""
    day = e.history.lines[line].remission
    return np.where(has_line(e, line) & (day <= e.assessed) & (day < e.history.death), day, NEVER)


def known_conditioning(e: Enrollments, line: int) -> np.ndarray:
    """First day of conditioning, if the transplant came and the remission before it is known."""
    day = e.history.lines[line].conditioning
    known = np.isfinite(known_remission(e, line)) & (day + TO_TRANSPLANT <= e.data_end)
    return np.where(known, day, NEVER)


def line_end(e: Enrollments, line: int) -> np.ndarray:
    """The day that ends a line: relapse, second malignancy or death."""
    relapse = e.history.lines[line].relapse
    return np.minimum.reduce([relapse, e.history.second_malignancy, e.history.death])


def _documented(rng: np.random.Generator, n: int, no: float = 0.04) -> np.ndarray:
    """Whether adverse events are documented: no as given, unknown for 3 in 100, else yes."""
    return np.array([0, -1, 1])[np.searchsorted([no, no + 0.03], rng.random(n), "right")]


def given_transplants(rng: np.random.Generator, e: Enrollments) -> Transplants:
    """Transplants in remission of line 1 or 2, and after graft failure (1.5 %) another."""
    n = len(e.number)
    first = known_conditioning(e, 0)
    repeat = first + TO_TRANSPLANT + rng.integers(28, 46, n)
    is_repeated = (rng.random(n) < 0.015) & (repeat + TO_TRANSPLANT <= e.data_end)
    repeat = np.where(is_repeated & (repeat + TO_TRANSPLANT < line_end(e, 0)), repeat, NEVER)
    days = np.stack([first, repeat, known_conditioning(e, 1)], axis=1)
    is_there = np.isfinite(days)
    case, slot = np.nonzero(is_there)
    return Transplants(
        case=case,
        line=np.array([0, 0, 1])[slot],
        number=is_there.cumsum(axis=1)[case, slot],
        conditioning=days[case, slot],
        is_repeat=slot == 1,
        documented=_documented(rng, n, no=0.09)[case],
    )


def _starts(rng: np.random.Generator, e: Enrollments) -> np.ndarray:
    """Days on which blocks are due, a row a case and a column a slot; NEVER: not due."""
    first, second, third = e.history.lines
    n = len(first.start)
    s = first.schedule
    due = np.full((n, len(_SLOT_LINE)), NEVER)
    due[:, 0], due[:, 1], due[:, 2] = s.prephase, s.f1, s.f2
    is_planned = np.arange(N_BLOCKS) < first.n_blocks[:, None]
    due[:, 3:11] = np.where(is_planned, s.blocks, NEVER)
    is_transplanted = np.isfinite(first.conditioning)
    due[:, 11] = np.where(is_transplanted, NEVER, first.maintenance)
    begin = np.where(second.is_palliative, NEVER, second.start)
    # The marrow that shows remission stands two weeks or more after the start of the infusion.
    due[:, 12] = np.minimum(begin + rng.integers(1, 6, n), second.remission - 14)
    again = rng.random(n) < 0.4
    due[:, 13] = np.where(again, due[:, 12] + 42 + rng.integers(0, 8, n), NEVER)
    due[:, 14] = np.where(third.is_palliative, NEVER, third.start) + rng.integers(1, 6, n)
    return due


def _ends(e: Enrollments) -> tuple[np.ndarray, np.ndarray]:
    """Of each slot: the day that ends its line (-1: no such line), and that of conditioning."""
    lines = range(len(e.history.lines))
    ends = [np.where(has_line(e, line), line_end(e, line), -1.0) for line in lines]
    conditioning = [line.conditioning for line in e.history.lines]
    return np.stack(ends, axis=1)[:, _SLOT_LINE], np.stack(conditioning, axis=1)[:, _SLOT_LINE]


def _planned_stop(
    rng: np.random.Generator, e: Enrollments, due: np.ndarray, block: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Last day as planned, days of pause, and whether toxicity stops the block for good."""
    is_blina = block == _BLINA
    is_paused = is_blina & (rng.random(due.shape) < 0.12)
    pause = np.where(is_paused, rng.integers(1, 7, due.shape), 0)
    ends_early = is_blina & ~is_paused & (rng.random(due.shape) < 0.04)
    days = np.where(ends_early, rng.integers(4, 21, due.shape), _DAYS[block] + pause)
    stop = due + days - 1
    stop[:, 0] = e.history.lines[0].schedule.f1 - 1
    return stop, pause, ends_early


def _window_end(e: Enrollments, t: Transplants, c: Courses) -> np.ndarray:
    """The earliest of: the day before the next course or the conditioning, relapse, death, 30 days
    after the course, the end of the data."""
    follows = np.append(c.case[1:] == c.case[:-1], False)
    following = np.where(follows, np.append(c.start[1:], 0) - 1, NEVER)
    bounds = [following, c.stop + WINDOW_DAYS, e.data_end[c.case], e.history.death[c.case]]
    conditioned = [known_conditioning(e, line)[c.case] - 1 for line in range(2)]
    relapses = [e.history.lines[line].relapse[c.case] for line in range(2)]
    for day in conditioned + relapses:
        bounds.append(np.where(day >= c.start, day, NEVER))
    return np.minimum.reduce(bounds)


def _why_stopped(e: Enrollments, case: np.ndarray, line: np.ndarray, stop: np.ndarray):
    """Index of STOPPED for courses cut short on the day `stop`."""
    relapse = np.stack([part.relapse for part in e.history.lines], axis=1)[case, line]
    reasons = [stop == relapse, stop == e.history.death[case]]
    reasons.append(stop == e.history.second_malignancy[case])
    return np.select(reasons, [0, 1, 2], 3)


def given_courses(rng: np.random.Generator, e: Enrollments, t: Transplants) -> Courses:
    """The courses that were given. Those of a case never overlap."""
    due = _starts(rng, e)
    end, conditioning = _ends(e)
    block, number = _SLOT_BLOCK[e.protocol], _SLOT_NUMBER[e.protocol]
    planned, pause, ends_early = _planned_stop(rng, e, due, block)
    takes_place = (due < end) & (planned < conditioning) & (due <= e.data_end[:, None])
    at = case, slot = np.nonzero(takes_place)
    line = _SLOT_LINE[slot]
    stop = np.minimum.reduce([planned[at], end[at], e.data_end[case]])
    is_cut = stop < planned[at]
    stopped = np.where(ends_early[at], _TOXICITY, -1)
    stopped = np.where(is_cut, _why_stopped(e, case, line, stop), stopped)
    courses = Courses(
        case=case,
        line=line,
        block=block[at],
        number=number[at],
        start=due[at],
        stop=stop,
        stopped=stopped,
        pause=pause[at],
        window_end=stop,
        documented=_documented(rng, len(case)),
    )
    fields = {**vars(courses), "window_end": _window_end(e, t, courses)}
    return Courses(**fields)


@dataclass(frozen=True)
class Infusions:
    """One segment of an infusion, or one infusion of cells, an element.

    `course`: position in Courses; `step` 1 or 2 of blinatumomab, 0 for cells; `is_stopped`: the
    segment ended before its time.
    """

    course: np.ndarray
    step: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    is_stopped: np.ndarray


def _segments(rng: np.random.Generator, c: Courses, at: np.ndarray) -> tuple[np.ndarray, ...]:
    """Start and stop of up to three segments of the courses `at`: low step, until the pause, after.

    Only lines after the first begin with a week at the low step.
    """
    begin, stop = c.start[at], c.stop[at]
    low = np.where(c.line[at] > 0, 7, 0)
    pause = c.pause[at]
    break_day = np.where(pause > 0, begin + rng.integers(10, 20, len(at)), NEVER)
    starts = np.stack([begin, begin + low, break_day + pause], axis=1)
    stops = np.stack([begin + low - 1, break_day - 1, np.full(len(at), NEVER)], axis=1)
    starts[:, 0] = np.where(low > 0, starts[:, 0], NEVER)
    return starts, np.minimum(stops, stop[:, None]), break_day, pause


_CELL_DAYS = np.array([0, 7, 14, 21])


def given_infusions(
    rng: np.random.Generator, e: Enrollments, c: Courses, observation: Observation
) -> Infusions:
    """Blinatumomab by segments; in line 1 of ALL-REZ 2016 also CD3+ cells on days 1, 8, 15 and 22.

    Cells are planned for two children in three, and given while the infusion runs.
    """
    at = np.flatnonzero(c.block == _BLINA)
    starts, stops, break_day, pause = _segments(rng, c, at)
    is_planned = (e.protocol[c.case[at]] == 1) & (c.line[at] == 0)
    if observation.cd3_tied_to_course_length:
        is_planned &= c.stop[at] - c.start[at] >= 21
    else:
        is_planned &= (rng.random(len(e.number)) < 0.65)[c.case[at]]
    cells = c.start[at][:, None] + _CELL_DAYS
    in_pause = (cells >= break_day[:, None]) & (cells < (break_day + pause)[:, None])
    is_given = is_planned[:, None] & (cells <= c.stop[at][:, None]) & ~in_pause
    days = np.concatenate([starts, np.where(is_given, cells, NEVER)], axis=1)
    ends = np.concatenate([stops, cells], axis=1)
    row, slot = np.nonzero(days <= c.stop[at][:, None])
    is_segment = slot < 3
    cut = is_segment & (ends[row, slot] == break_day[row] - 1)
    cut |= is_segment & (c.stopped[at][row] >= 0) & (ends[row, slot] == c.stop[at][row])
    return Infusions(
        course=at[row],
        step=np.where(is_segment, np.where(slot == 0, 1, 2), 0),
        start=days[row, slot],
        stop=ends[row, slot],
        is_stopped=cut,
    )
