"""Children at the relapse: who they are, by protocol.

Shares and ages follow COG AALL1331 (Brown, JAMA 2021;325:833: median age 9, quartiles 6 and 15,
53 % boys, a fifth favorable and a tenth unfavorable genetics), cut at 18 years; sites and risk
groups follow ALL-REZ BFM. The order of draws is: risk group, then a time and a site that make it,
then dates that make that time.
"""

from dataclasses import dataclass

import numpy as np

from etl.demo.arrays import NEVER
from etl.demo.derivation import UNKNOWN
from etl.demo.plan import Nature

YEAR = 365.25
# Relapses: first day and number of days, of ALL-REZ 2014 and ALL-REZ 2016.
_ENROLLING = (("2014-01-01", 1096), ("2016-07-01", 1645))
GENETICS = ("favourable", "unfavourable", "other")

# Share of (time, site) in a risk group; site as in etl.demo.derivation.SITES.
_KINDS = {
    1: ((2, 3, 0.60), (2, 4, 0.30), (2, 5, 0.10)),
    2: (
        (0, 3, 0.09), (0, 4, 0.02), (0, 5, 0.01),
        (1, 3, 0.09), (1, 4, 0.03), (1, 5, 0.01), (1, 1, 0.17), (1, 2, 0.05),
        (2, 1, 0.13), (2, 2, 0.05), (2, 0, 0.35),
    ),
    3: ((1, 0, 1.0),),
    4: ((0, 0, 0.70), (0, 1, 0.26), (0, 2, 0.04)),
}  # fmt: skip


@dataclass(frozen=True)
class Children:
    """One child an element. Dates are days since 1970.

    `protocol` 0 is ALL-REZ 2014, 1 ALL-REZ 2016; `risk` 1-4; `genetics` an index of GENETICS, which
    `is_genetics_recorded` or not; `on_frontline` 1, 0 or UNKNOWN; `frontline_end` infinite if there
    was none or none is recorded; `is_timing_known`: the records tell the time of relapse.
    """

    protocol: np.ndarray
    risk: np.ndarray
    timing: np.ndarray
    site: np.ndarray
    genetics: np.ndarray
    is_genetics_recorded: np.ndarray
    is_male: np.ndarray
    is_ten: np.ndarray
    birth: np.ndarray
    diagnosis: np.ndarray
    frontline_end: np.ndarray
    on_frontline: np.ndarray
    is_timing_known: np.ndarray
    relapse: np.ndarray


def _drawn(rng: np.random.Generator, shares: np.ndarray) -> np.ndarray:
    """One index per row of `shares`, which need not add up to 1."""
    edges = np.cumsum(shares, axis=1)
    return (rng.random(len(shares))[:, None] * edges[:, -1:] >= edges).sum(axis=1)


def _kinds(rng: np.random.Generator, risk: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Time and site of relapses of these risk groups."""
    point = rng.random(len(risk))
    timing, site = np.zeros(len(risk), int), np.zeros(len(risk), int)
    for group, kinds in _KINDS.items():
        edges = np.cumsum([share for *_, share in kinds])
        here = risk == group
        kind = np.minimum(np.searchsorted(edges, point[here], "right"), len(kinds) - 1)
        timing[here] = np.array([t for t, _, _ in kinds])[kind]
        site[here] = np.array([s for _, s, _ in kinds])[kind]
    return timing, site


@dataclass(frozen=True)
class _Course:
    """First diagnosis to relapse, in days, and to the end of frontline therapy if it ended."""

    interval: np.ndarray
    frontline: np.ndarray
    on_frontline: np.ndarray


def _first_course(rng: np.random.Generator, timing: np.ndarray) -> _Course:
    """Intervals well inside the limits of `derivation.timing`, whatever the months' lengths."""
    n = len(timing)
    frontline = rng.integers(690, 791, n).astype(float)
    late = frontline + 190 + np.minimum(rng.exponential(500, n), 1600).astype(int)
    on_therapy = np.where(timing == 0, True, rng.random(n) < 0.45)
    early = np.where(on_therapy, rng.integers(555, 690, n), frontline + rng.integers(5, 179, n))
    interval = np.choose(timing, [rng.integers(120, 541, n), early, late]).astype(float)
    on = np.where((timing == 2) | ~on_therapy, 0, 1)
    on[(timing == 0) & (rng.random(n) < 0.1)] = UNKNOWN
    return _Course(interval, np.where(on == 0, frontline, NEVER), on)


def drawn_children(rng: np.random.Generator, protocol: np.ndarray, nature: Nature) -> Children:
    """Children of these protocols. Boys alone relapse in the testis; girls' draws become CNS.

    Of two in a hundred whose relapse is not very early nothing tells when frontline therapy ended.
    """
    n = len(protocol)
    mix = nature.case_mix
    risk = 1 + _drawn(rng, np.array([m.risk for m in mix])[protocol])
    timing, site = _kinds(rng, risk)
    genetics = _drawn(rng, np.array([m.genetics for m in mix])[protocol])
    is_male = rng.random(n) < 0.54
    site = np.where(~is_male & (site == 2), 1, np.where(~is_male & (site == 4), 3, site))
    course = _first_course(rng, timing)
    place = np.where(protocol == 0, rng.beta(0.9, mix[0].age, n), rng.beta(0.9, mix[1].age, n))
    age_days = YEAR + place * (16.9 * YEAR - course.interval) + course.interval
    first, length = (np.array(x) for x in zip(*_ENROLLING, strict=True))
    start = first.astype("datetime64[D]").astype(float)[protocol]
    relapse = start + (rng.random(n) * length[protocol]).astype(int)
    is_known = (timing == 0) | (rng.random(n) >= 0.02)
    return Children(
        protocol=protocol,
        risk=risk,
        timing=timing,
        site=site,
        genetics=genetics,
        is_genetics_recorded=rng.random(n) >= 0.08,
        is_male=is_male,
        is_ten=np.floor(age_days) >= 10 * YEAR,
        birth=relapse - np.floor(age_days),
        diagnosis=relapse - course.interval,
        frontline_end=np.where(is_known, relapse - course.interval + course.frontline, NEVER),
        on_frontline=np.where(is_known, course.on_frontline, UNKNOWN),
        is_timing_known=is_known,
        relapse=relapse,
    )
