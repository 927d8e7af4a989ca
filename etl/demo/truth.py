"""The truth of a demo: what an analysis without error would find, by potential outcomes.

Children of each protocol's high-risk case mix are simulated without censoring, by the day and by
the cell of baseline traits (risk group, ten years or older, genetics) on which outcomes depend. A
case mix is then a weight of each cell, so that one simulation gives the outcomes of a protocol in
its own children and in others'. Nothing here is a coefficient of the simulation: the hazard ratio
is the one that a Cox model with the protocol alone converges to (Efron's ties), under the
censoring of the demo by its data cut-off and loss.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from etl.demo.arrays import take
from etl.demo.baseline import YEAR, Children, drawn_children
from etl.demo.natural_history import LANDMARK, History, Traits, simulated
from etl.demo.observation import drawn_contact
from etl.demo.plan import Nature

DRAWS = 1_000_000
SEED = 2014_2016
_PART = 16_000
_DAYS = int(9 * YEAR)  # later events share the last day; no estimand looks further than 5 years
_CELLS = 12
COHORTS = ("allrez2014", "allrez2016")
_SHARES = (0.6, 0.4)
_YEARS = (1, 2, 3, 5)
_INCIDENCE_YEARS = (1, 2, 3)
_MEAN_YEARS = (2, 3)
_CAUSES = ("relapse", "death_in_remission", "second_malignancy")

DEFINITIONS = {
    "day_0": "relapse diagnosis of the enrollment; a year is 365.25 days; S(t) counts events at t",
    "high_risk": "derived S3 or S4; children whose time of relapse is not recorded are not in it",
    "os": "death of any cause",
    "efs": (
        "death without remission up to day 60: its day; otherwise no remission by day 60 (also "
        "remission found later, be it in the first marrow that was looked at): day 0; then "
        "relapse, second malignancy or death: its day"
    ),
    "rfs": (
        "relapse, second malignancy or death, from the first marrow with remission in line 1, at "
        "whatever day (the study's own endpoint goes on after a second malignancy: at 3 years it "
        "is 0.002-0.003 higher); rfs_by_landmark: only remissions up to day 60"
    ),
    "cumulative_incidence": "first of its three causes, from the same remission as rfs",
    "rmst_years": "mean time without event up to 2 and 3 years, in years",
    "hazard_ratio": (
        "ALL-REZ 2016 against ALL-REZ 2014, Cox model with the protocol alone, Efron's ties, in "
        "the limit of many children enrolled 60:40, of whom the high-risk ones count, censored by "
        "the visit before the data cut-off and by loss (efs: by the last look at the disease); its "
        "own error of simulation is about 0.0015 on the log scale"
    ),
    "own_case_mix": "each cohort in its own high-risk children: what a crude comparison estimates",
    "newer_case_mix": "both protocols in the high-risk children of ALL-REZ 2016 (ATT)",
    "overlap": "both protocols in the children of overlap weights, by the cells of baseline traits",
}


_COUNTED = ("os", "efs", "causes", "causes_by_landmark", "contact", "assessed")


@dataclass(frozen=True)
class _Outcomes:
    """Numbers of children of one protocol by cell (rows) and day (columns).

    `os`, `efs`: of the event, days from day 0. `causes`, `causes_by_landmark`: of the first event
    after remission, one table for each of _CAUSES, days from remission. `contact`, `assessed`:
    ends of follow-up, all cells together. `share`: high risk among all enrolled.
    """

    os: np.ndarray
    efs: np.ndarray
    causes: np.ndarray
    causes_by_landmark: np.ndarray
    contact: np.ndarray
    assessed: np.ndarray
    share: float

    @property
    def cells(self) -> np.ndarray:
        """Share of the children in each cell."""
        return self.os.sum(axis=1) / self.os.sum()


def efs_days(history: History) -> np.ndarray:
    """The day of the first event of event-free survival, by DEFINITIONS."""
    first, death = history.lines[0], history.death
    is_failure = (first.remission > LANDMARK) & (death > LANDMARK)
    event = np.minimum.reduce([first.relapse, death, history.second_malignancy])
    return np.where(is_failure, 0.0, event)


def _count(cell: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Number of elements by cell and day."""
    at = cell * (_DAYS + 1) + np.minimum(day, _DAYS).astype(np.int64)
    return np.bincount(at, minlength=_CELLS * (_DAYS + 1)).reshape(_CELLS, _DAYS + 1)


def _count_causes(cell: np.ndarray, history: History, latest: float) -> np.ndarray:
    """Number by cause, cell and day from remission, of children in remission by `latest`."""
    remission = history.lines[0].remission
    events = np.stack([history.lines[0].relapse, history.death, history.second_malignancy])
    cause, day = events.argmin(axis=0), events.min(axis=0)
    reached = np.isfinite(remission) & (remission <= latest)
    there = [reached & (cause == k) for k in range(len(_CAUSES))]
    return np.stack([_count(cell[at], day[at] - remission[at]) for at in there])


def _cell(children: Children) -> np.ndarray:
    return ((children.risk - 3) * 2 + children.is_ten) * 3 + children.genetics


def _high_risk(nature: Nature, protocol: int) -> Nature:
    """The same nature, enrolling the high-risk children of this protocol alone."""
    mix = nature.case_mix[protocol]
    high = sum(mix.risk[2:])
    only = replace(mix, risk=(0.0, 0.0, mix.risk[2] / high, mix.risk[3] / high))
    return replace(nature, case_mix=(only, only))


def _part(rng: np.random.Generator, nature: Nature, protocol: int) -> tuple[np.ndarray, ...]:
    """The numbers of _COUNTED in _PART children."""
    drawn = drawn_children(rng, np.full(_PART, protocol), nature)
    # Where the records do not tell the time of relapse, the derived risk is not known.
    children = take(drawn, drawn.is_timing_known)
    traits = Traits(children.protocol, children.risk, children.genetics, children.is_ten)
    history = simulated(rng, traits, nature)
    known = drawn_contact(rng, children.relapse)
    cell = _cell(children)
    return (
        _count(cell, history.death),
        _count(cell, efs_days(history)),
        _count_causes(cell, history, np.inf),
        _count_causes(cell, history, LANDMARK),
        _count(cell, known.contact).sum(axis=0),
        _count(cell, known.assessed).sum(axis=0),
    )


def _outcomes(nature: Nature, protocol: int, draws: int) -> _Outcomes:
    """At least `draws` children of this protocol's high-risk case mix, in parts."""
    high = _high_risk(nature, protocol)
    totals: tuple[np.ndarray, ...] = ()
    simulated_children = known = 0
    while known < draws:
        rng = np.random.default_rng([SEED, protocol, simulated_children])
        counts = _part(rng, high, protocol)
        totals = tuple(a + b for a, b in zip(totals, counts, strict=True)) if totals else counts
        simulated_children += _PART
        known = int(totals[0].sum())
    share = sum(nature.case_mix[protocol].risk[2:]) * known / simulated_children
    return _Outcomes(**dict(zip(_COUNTED, totals, strict=True)), share=share)


def _of_days(counts: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Distribution over days of children whose cells are weighted."""
    mass = weights @ counts
    return mass / mass.sum()


def _time_to_event(distribution: np.ndarray) -> dict:
    by_day = distribution.cumsum()
    days = np.arange(len(distribution))
    return {
        "survival": {str(y): _rounded(1 - by_day[int(y * YEAR)]) for y in _YEARS},
        "rmst_years": {
            str(y): _rounded((distribution * np.minimum(days, y * YEAR)).sum() / YEAR)
            for y in _MEAN_YEARS
        },
    }


def _rounded(number: float) -> float:
    return round(float(number), 5)


def _incidence(causes: np.ndarray, weights: np.ndarray) -> dict:
    mass = np.stack([weights @ counts for counts in causes])
    by_day = (mass / mass.sum()).cumsum(axis=1)
    return {
        cause: {str(y): _rounded(by_day[k, int(y * YEAR)]) for y in _INCIDENCE_YEARS}
        for k, cause in enumerate(_CAUSES)
    }


def _cohort(outcomes: _Outcomes, weights: np.ndarray) -> dict:
    efs = _of_days(outcomes.efs, weights)
    result: dict = {
        "os": _time_to_event(_of_days(outcomes.os, weights)),
        "efs": {**_time_to_event(efs), "event_on_day_0": _rounded(efs[0])},
    }
    for name, causes in (("", outcomes.causes), ("_by_landmark", outcomes.causes_by_landmark)):
        rfs = _time_to_event(_of_days(causes.sum(axis=0), weights))
        result[f"rfs{name}"] = {"survival": rfs["survival"]}
        result[f"cumulative_incidence{name}"] = _incidence(causes, weights)
    reached = (weights @ outcomes.causes_by_landmark.sum(axis=(0, 2))) / (
        weights @ outcomes.os.sum(axis=1)
    )
    result["remission_by_day_60"] = _rounded(reached)
    return result


def marginal_hazard_ratio(at_risk: np.ndarray, events: np.ndarray) -> float:
    """Hazard ratio of the second group, from numbers at risk and of events by day (two rows).

    Newton's method on Cox's partial likelihood with Efron's ties, in the limit of many: of the
    events of a day all parts from none to all are taken out of the risk set, an integral over
    [0, 1] here by Gauss and Legendre. Nobody with an event in one group: NaN.
    """
    if (events.sum(axis=1) == 0).any():
        return float("nan")
    points, weights = np.polynomial.legendre.leggauss(12)
    out = (points + 1)[:, None] / 2
    left = [at_risk[k] - out * events[k] for k in range(2)]
    total = events.sum(axis=0)
    there = total > 0
    beta = 0.0
    for _ in range(50):
        second = np.exp(beta) * left[1][:, there]
        share = second / (left[0][:, there] + second)
        score = events[1].sum() - (weights / 2) @ (share @ total[there])
        information = (weights / 2) @ ((share * (1 - share)) @ total[there])
        beta += score / information
        if abs(score / information) < 1e-12:
            break
    return float(np.exp(beta))


def _hazard_ratios(
    both: tuple[_Outcomes, _Outcomes], weights: list[np.ndarray], shares: tuple[float, float]
) -> dict:
    ratios = {}
    for name, end in (("os", "contact"), ("efs", "assessed")):
        at_risk, events = [], []
        for outcomes, weight, share in zip(both, weights, shares, strict=True):
            distribution = _of_days(getattr(outcomes, name), weight)
            ends = getattr(outcomes, end)
            followed = ends[::-1].cumsum()[::-1] / ends.sum()
            at_risk.append(share * followed * distribution[::-1].cumsum()[::-1])
            events.append(share * followed * distribution)
        # The last day collects all later events; nobody is followed so long.
        pair = np.array(at_risk)[:, :-1], np.array(events)[:, :-1]
        ratios[name] = _rounded(marginal_hazard_ratio(*pair))
    return ratios


def _view(
    both: tuple[_Outcomes, _Outcomes], weights: list[np.ndarray], shares: tuple[float, float]
) -> dict:
    pairs = zip(COHORTS, both, weights, strict=True)
    return {
        "cohorts": {code: _cohort(outcomes, weight) for code, outcomes, weight in pairs},
        "hazard_ratio": _hazard_ratios(both, weights, shares),
    }


def _views(both: tuple[_Outcomes, _Outcomes]) -> dict:
    cells = [outcomes.cells for outcomes in both]
    sizes = (_SHARES[0] * both[0].share, _SHARES[1] * both[1].share)
    own = [np.ones(_CELLS), np.ones(_CELLS)]
    dense = [size * cell for size, cell in zip(sizes, cells, strict=True)]
    shared = dense[0] * dense[1] / np.maximum(dense[0] + dense[1], 1e-300)
    overlap = [shared / np.maximum(cell, 1e-300) for cell in cells]
    newer = [cells[1] / np.maximum(cells[0], 1e-300), np.ones(_CELLS)]
    return {
        "own_case_mix": _view(both, own, sizes),
        "newer_case_mix": _view(both, newer, (0.5, 0.5)),
        "overlap": _view(both, overlap, (0.5, 0.5)),
    }


@lru_cache(maxsize=4)
def truth(nature: Nature, draws: int = DRAWS) -> dict:
    """The truth of demos of this nature, for truth.json. The same whatever the demo's own seed."""
    both = (_outcomes(nature, 0, draws), _outcomes(nature, 1, draws))
    return {
        "synthetic": True,
        "target_population": "high risk (derived S3 and S4), first relapse, line 1, all enrolled",
        "draws_per_cohort": [int(outcomes.os.sum()) for outcomes in both],
        "seed": SEED,
        "definitions": DEFINITIONS,
        **_views(both),
    }
