"""Samples: which marrow, blood and fluid was looked at when, and what was found.

Every look at the marrow has a morphology but few; of the MRD results 15 % are missing at each time
point. A child without remission is never MRD negative, nor is a marrow at the relapse.
"""

from dataclasses import dataclass

import numpy as np

from etl.demo.arrays import NEVER
from etl.demo.courses import BLOCKS, Courses, Transplants, has_line, known_remission
from etl.demo.observation import Enrollments
from etl.demo.plan import Observation
from etl.demo.schedule import FIRST_BLINA

MATERIALS = ("BM", "PB", "CSF")
METHODS = ("morphology", "flow", "PCR")
_BM, _PB, _CSF = range(3)
_MORPHOLOGY, _FLOW, _PCR = range(3)
RESULTS = ("number", "below", "undetectable", "detected", "failed")
_MRD_MISSING = 0.15
_LIMITS = np.array([1e-3, 1e-4, 1e-5])
_SINCE = np.array(["2016-01-01", "2018-01-01"]).astype("datetime64[D]").astype(float)


@dataclass(frozen=True)
class Assessments:
    """One result an element, by case and day; days count from day 0 of the case.

    `value`: blasts in percent, or MRD as a fraction; `result` an index of RESULTS ("below": less
    than `lod`); `unit` 0 none, 1 percent, 2 fraction; `lod` and `loq` fractions, NaN where not
    known or none; `course`: position in Courses of the latest course of the line started by then,
    or -1.
    """

    case: np.ndarray
    line: np.ndarray
    day: np.ndarray
    material: np.ndarray
    method: np.ndarray
    value: np.ndarray
    result: np.ndarray
    unit: np.ndarray
    lod: np.ndarray
    loq: np.ndarray
    course: np.ndarray


@dataclass(frozen=True)
class _Looks:
    """One time point of every case: its day (NEVER: none), line, log10 MRD level in remission."""

    day: np.ndarray
    line: int
    level: np.ndarray
    material: int = _BM
    has_morphology: bool = True


def _course_day(c: Courses, n: int, line: int, block: str, number: int, *, stop: bool = False):
    """Day on which this course of each case started (or stopped); NEVER: not given."""
    at = (c.line == line) & (c.block == BLOCKS.index(block)) & (c.number == number)
    day = np.full(n, NEVER)
    day[c.case[at]] = (c.stop if stop else c.start)[at]
    return day


def _before_next(rng: np.random.Generator, next_start: np.ndarray) -> np.ndarray:
    return next_start - rng.integers(0, 4, len(next_start))


def _first_line_looks(rng: np.random.Generator, e: Enrollments, c: Courses) -> list[_Looks]:
    """Day 0, after F1, after F2, after the next block or two, and around blinatumomab."""
    first, s = e.history.lines[0], e.history.lines[0].schedule
    n, depth = len(e.number), e.history.depth
    noise = rng.normal(0, 0.7, (5, n))
    is_new = e.protocol == 1
    is_refractory = np.isinf(first.remission)
    second = np.where(is_refractory | (first.n_blocks < 3), NEVER, s.blocks[:, FIRST_BLINA])
    blina = _course_day(c, n, 0, "BLINA", 1)
    after_blina = _course_day(c, n, 0, "BLINA", 1, stop=True) + rng.integers(0, 3, n)
    after_blina = np.where(after_blina >= blina + 14, after_blina, NEVER)
    # After a course cut short by relapse or death there is no look but that at the relapse.
    has_block = np.where(first.n_blocks > 0, s.marrow_block, NEVER)
    f1 = np.where(first.has_marrow_f1, s.marrow_f1, NEVER)
    f2 = np.where(first.has_marrow_f2, s.marrow_f2, NEVER)
    later = np.where(is_new, _before_next(rng, blina), _before_next(rng, second))
    cleared = -5.1 + 0.6 * depth + noise[4]
    return [
        _Looks(np.zeros(n), 0, np.zeros(n)),
        _Looks(f1, 0, -2.3 + 0.7 * depth + noise[0]),
        _Looks(f2, 0, e.history.mrd_after_induction),
        _Looks(has_block, 0, -3.4 + 0.8 * depth + noise[1]),
        _Looks(later, 0, -3.6 + 0.8 * depth + noise[2]),
        _Looks(np.where(rng.random(n) < 0.3, blina + 14, NEVER), 0, cleared - 0.5, _PB, False),
        _Looks(after_blina, 0, cleared),
    ]


def _transplant_looks(rng: np.random.Generator, e: Enrollments, t: Transplants) -> list[_Looks]:
    """Within eight days before conditioning, and 30 and 100 days after the first transplants."""
    n, looks = len(e.number), []
    for line, level in ((0, e.history.mrd_before_transplant), (1, np.full(n, -4.6))):
        at = (t.line == line) & ~t.is_repeat
        conditioning = np.full(n, NEVER)
        conditioning[t.case[at]] = t.conditioning[at]
        before = conditioning - rng.integers(1, 8, n)
        looks.append(_Looks(before, line, level))
        for days in (30, 100):
            after = conditioning + 7 + days + rng.integers(-3, 4, n)
            looks.append(_Looks(after, line, -5.6 + rng.normal(0, 0.6, n)))
    return looks


def _later_looks(rng: np.random.Generator, e: Enrollments, c: Courses) -> list[_Looks]:
    """At the relapse; at remission of the next line, or at the end of its blinatumomab."""
    n = len(e.number)
    second = e.history.lines[1]
    looks = [_Looks(e.history.lines[0].relapse, 0, np.zeros(n))]
    found = known_remission(e, 1)
    looked = _course_day(c, n, 1, "BLINA", 1, stop=True) + rng.integers(0, 3, n)
    day = np.where(np.isfinite(second.remission), found, looked)
    looks.append(_Looks(day, 1, -4.4 + 0.5 * e.history.depth + rng.normal(0, 0.8, n)))
    again = _course_day(c, n, 1, "BLINA", 2, stop=True) + rng.integers(0, 3, n)
    looks.append(_Looks(again, 1, -4.9 + rng.normal(0, 0.8, n)))
    looks.append(_Looks(second.relapse, 1, np.zeros(n)))
    return looks


def _taken(e: Enrollments, looks: list[_Looks]) -> np.ndarray:
    """Which looks took place: a row a case and a column a look.

    In its line, while the child was followed, before its death and a second malignancy, nothing
    after the relapse that ends the line, and no second look at a material on one day.
    """
    day = np.stack([look.day for look in looks], axis=1)
    taken = np.isfinite(day) & (day <= e.assessed[:, None]) & (day < e.history.death[:, None])
    taken &= day < e.history.second_malignancy[:, None]
    for k, look in enumerate(looks):
        line = e.history.lines[look.line]
        taken[:, k] &= has_line(e, look.line) & (day[:, k] <= line.relapse)
        taken[:, k] &= day[:, k] >= line.start
        for j in range(k):
            same = (looks[j].material == look.material) & (day[:, j] == day[:, k])
            is_relapse = day[:, k] == line.relapse
            taken[:, j] &= ~(same & is_relapse)
            taken[:, k] &= ~(same & ~is_relapse & taken[:, j])
    return taken


@dataclass(frozen=True)
class _Found:
    """What a look shows, one an element: case, day, and the state of the disease then."""

    case: np.ndarray
    line: np.ndarray
    day: np.ndarray
    material: np.ndarray
    level: np.ndarray
    has_morphology: np.ndarray
    in_remission: np.ndarray
    is_remission_day: np.ndarray
    has_marrow_disease: np.ndarray


def _found(e: Enrollments, looks: list[_Looks], taken: np.ndarray) -> _Found:
    case, slot = np.nonzero(taken)
    line = np.array([look.line for look in looks])[slot]
    day = np.stack([look.day for look in looks], axis=1)[case, slot]
    remission = np.stack([known_remission(e, k) for k in range(2)], axis=1)[case, line]
    relapse = np.stack([e.history.lines[k].relapse for k in range(2)], axis=1)[case, line]
    is_relapse = day == relapse
    # Only at day 0 and at the relapse it matters where the disease is.
    site = np.where(is_relapse, e.next_site[case], e.site[case])
    return _Found(
        case=case,
        line=line,
        day=day,
        material=np.array([look.material for look in looks])[slot],
        level=np.stack([look.level for look in looks], axis=1)[case, slot],
        has_morphology=np.array([look.has_morphology for look in looks])[slot],
        in_remission=(day >= remission) & ~is_relapse,
        is_remission_day=day == remission,
        has_marrow_disease=site < 3,
    )


def _morphology(rng: np.random.Generator, f: _Found) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the looks with a morphology, and their blasts in percent.

    Present at every remission, and missing in 2 of 100 other looks.
    """
    n = len(f.case)
    present = f.has_morphology & (f.is_remission_day | (f.day <= 60) | (rng.random(n) >= 0.02))
    clear = np.round(4.5 * rng.random(n) ** 1.5, 1)
    ill = np.round(5 + 90 * rng.beta(1.1, 1.1, n))
    begins = np.round(25 + 73 * rng.beta(2.0, 1.2, n))
    blasts = np.where(f.day == 0, begins, ill)
    blasts = np.where(f.in_remission | ~f.has_marrow_disease, clear, blasts)
    return np.flatnonzero(present), blasts


def _mrd_level(rng: np.random.Generator, f: _Found, blasts: np.ndarray) -> np.ndarray:
    """MRD as a fraction: by its own course in remission, near the blasts with disease, above 2e-3
    where a marrow looks clear and the disease is elsewhere."""
    n = len(f.case)
    near = blasts / 100 * np.exp(rng.normal(0, 0.15, n))
    hidden = 10 ** rng.uniform(-2.6, -1.4, n)
    ill = np.where(f.has_marrow_disease, np.maximum(near, 0.006), hidden)
    level = np.where(f.in_remission, 10 ** np.minimum(f.level, -1.4), ill)
    return np.minimum(level, 0.98)


def _limits(
    rng: np.random.Generator, date: np.ndarray, method: np.ndarray, observation: Observation
) -> tuple[np.ndarray, np.ndarray]:
    """Limits of detection and of quantification: flow 1e-4 both, PCR 1e-5 and 1e-4."""
    lod = np.where(method == _PCR, 1e-5, 1e-4)
    loq = np.full(len(date), 1e-4)
    if observation.assay_limit_by_year:
        lod = _LIMITS[np.searchsorted(_SINCE, date, "right")]
        loq = lod
    return lod, loq


def _mrd(
    rng: np.random.Generator, e: Enrollments, f: _Found, blasts: np.ndarray, o: Observation
) -> Assessments:
    """MRD results: flow at most looks, PCR beside it at one in eight."""
    n = len(f.case)
    has_flow = rng.random(n) >= _MRD_MISSING
    has_pcr = (rng.random(n) < 0.12) & has_flow & (f.material == _BM)
    look = np.concatenate([np.flatnonzero(has_flow), np.flatnonzero(has_pcr)])
    method = np.where(np.arange(len(look)) < has_flow.sum(), _FLOW, _PCR)
    level = _mrd_level(rng, f, blasts)[look]
    lod, loq = _limits(rng, e.origin[f.case[look]] + f.day[look], method, o)
    point = rng.random(len(look))
    is_below = (point < 0.35) & (method == _FLOW)
    nothing = np.where(is_below, RESULTS.index("below"), RESULTS.index("undetectable"))
    result = np.where(level < lod, nothing, np.where(level < loq, 3, 0))
    result = np.where(rng.random(len(look)) < 0.015, RESULTS.index("failed"), result)
    unit = np.where(result == 0, np.where(rng.random(len(look)) < 0.8, 1, 2), 0)
    unit = np.where(result == 1, 1, unit)
    is_silent = (rng.random(len(look)) < 0.04) & (result != 1)
    return Assessments(
        case=f.case[look],
        line=f.line[look],
        day=f.day[look],
        material=f.material[look],
        method=method,
        value=np.where(result == 1, lod, level),
        result=result,
        unit=unit,
        lod=np.where(is_silent, np.nan, lod),
        loq=np.where(is_silent, np.nan, loq),
        course=look,
    )


def _plain(f: _Found, look: np.ndarray, material: np.ndarray, blasts: np.ndarray) -> Assessments:
    """Morphologies of the looks at these positions."""
    n = len(look)
    none = np.full(n, np.nan)
    return Assessments(
        case=f.case[look],
        line=f.line[look],
        day=f.day[look],
        material=material,
        method=np.full(n, _MORPHOLOGY),
        value=blasts,
        result=np.zeros(n, int),
        unit=np.ones(n, int),
        lod=none,
        loq=none,
        course=look,
    )


def _latest_course(f: _Found, c: Courses, n: int) -> np.ndarray:
    """For each look, the position of the latest course of its line started by its day, or -1."""
    first = np.searchsorted(c.case, np.arange(n + 1))
    latest = np.full(len(f.case), -1)
    for k in range(int(np.diff(first).max(initial=0))):
        at = first[f.case] + k
        inside = at < first[f.case + 1]
        at = np.where(inside, at, 0)
        begun = inside & (c.line[at] == f.line) & (c.start[at] <= f.day)
        latest = np.where(begun, at, latest)
    return latest


def assessments(
    rng: np.random.Generator, e: Enrollments, c: Courses, t: Transplants, observation: Observation
) -> Assessments:
    """All results. At day 0 also blood, and cerebrospinal fluid where the disease is there."""
    looks = [
        *_first_line_looks(rng, e, c),
        *_transplant_looks(rng, e, t),
        *_later_looks(rng, e, c),
    ]
    f = _found(e, looks, _taken(e, looks))
    marrow, blasts = _morphology(rng, f)
    at_origin = np.flatnonzero((f.day == 0) & (f.line == 0))
    blood = np.round(80 * rng.beta(0.6, 1.4, len(at_origin)))
    in_fluid = at_origin[np.isin(e.site[f.case[at_origin]], [1, 3])]
    fluid = np.round(5 + 85 * rng.random(len(in_fluid)))
    parts = [
        _plain(f, marrow, np.zeros(len(marrow), int), blasts[marrow]),
        _plain(
            f,
            at_origin,
            np.full(len(at_origin), _PB),
            np.where(f.has_marrow_disease[at_origin], blood, 0.0),
        ),
        _plain(f, in_fluid, np.full(len(in_fluid), _CSF), fluid),
        _mrd(rng, e, f, blasts, observation),
    ]
    fields = {k: np.concatenate([getattr(part, k) for part in parts]) for k in vars(parts[0])}
    fields["course"] = _latest_course(f, c, len(e.number))[fields["course"]]
    order = np.lexsort((fields["method"], fields["material"], fields["day"], fields["case"]))
    return Assessments(**{k: values[order] for k, values in fields.items()})
