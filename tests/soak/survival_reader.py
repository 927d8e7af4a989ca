"""A second reader of the demo's children, who counts for the guards of the survival page.

From the children that the demo drew, not from the snapshot: which guard has to speak in a view, and
which numbers it has to say.
"""

from dataclasses import dataclass

import numpy as np

from etl.demo.arrays import take
from etl.demo.baseline import GENETICS, YEAR
from etl.demo.courses import known_remission
from etl.demo.flaws import plan
from etl.demo.tables import drawn_group
from tests.soak.cohorts import Array, Enrolled, Times, enrolled

LABELS = ("ALL-REZ 2014", "ALL-REZ 2016")
FEW = 10
LATE_DAYS = 14

# Whom a view is about: its filters, and the same of the children (strategic group, genetics).
POPULATIONS: dict[str, dict[str, str]] = {
    "high risk": {},
    "not high risk": {"f.risk_group": "not_high"},
    "unfavorable": {"f.genetics": "unfavourable"},
    "very early": {"f.strategic_group": "s4"},
}


@dataclass(frozen=True)
class Asked:
    """A view that the second reader counts too."""

    endpoint: str
    time: int
    population: str

    @property
    def params(self) -> dict[str, str]:
        """Its address."""
        named = {"endpoint": self.endpoint, "time": str(self.time)}
        return named | POPULATIONS[self.population]


VIEWS = (
    Asked("os", 3, "high risk"),
    Asked("efs", 3, "high risk"),
    Asked("rfs", 3, "high risk"),
    Asked("os", 5, "high risk"),
    Asked("os", 5, "not high risk"),
    Asked("efs", 2, "not high risk"),
    Asked("os", 2, "unfavorable"),
    Asked("rfs", 5, "very early"),
)


@dataclass(frozen=True)
class Children:
    """The first relapses of a demo: outcomes, and the days of registration and of remission."""

    outcomes: Enrolled
    registration: Array
    remission: Array


def children_of(patients: int, seed: int, flaw: str | None) -> Children:
    """Those of the demo that is written with the same arguments."""
    everybody = drawn_group(np.arange(patients), patients, seed, plan(flaw)).enrollments
    first = take(everybody, everybody.number == 1)
    return Children(enrolled(everybody), first.registration, known_remission(first, 0))


def _chosen(of: Enrolled, population: str) -> Array:
    is_high = of.risk >= 3
    return {
        "high risk": is_high,
        "not high risk": np.isin(of.risk, (1, 2)),
        "unfavorable": is_high & (of.genetics == GENETICS.index("unfavourable")),
        "very early": of.risk == 4,
    }[population]


@dataclass(frozen=True)
class _Cohort:
    """One cohort of a view."""

    label: str
    days: Array
    state: Array
    is_late: Array

    @property
    def n(self) -> int:
        return self.days.size


def _cohorts(children: Children, asked: Asked) -> list[_Cohort]:
    of, times = children.outcomes, getattr(children.outcomes, asked.endpoint)
    assert isinstance(times, Times)
    there = _chosen(of, asked.population) & ~np.isnan(times.days)
    begin = children.remission if asked.endpoint == "rfs" else np.zeros(there.size)
    is_late = np.where(there, children.registration - begin, 0) > LATE_DAYS
    return [
        _Cohort(label, *(x[there & (of.protocol == k)] for x in (times.days, times.state, is_late)))
        for k, label in enumerate(LABELS)
    ]


def expected(children: Children, asked: Asked) -> dict[str, list[str]]:
    """By guard what its sentence has to hold; an empty list: it has to keep silent.

    Few at risk counts where somebody was lost sight of before: else all outcomes by then are known.
    It is not judged where a curve has ended by then.
    """
    cohorts = [c for c in _cohorts(children, asked) if c.n]
    events = [int(c.state.sum()) for c in cohorts]
    at_risk = [int((c.days >= asked.time * YEAR).sum()) for c in cohorts]
    on_day_0 = [int(((c.days == 0) & (c.state > 0)).sum()) for c in cohorts]
    found: dict[str, list[str]] = {
        "survival.few_events": [
            f"{c.label} {n}" for c, n in zip(cohorts, events, strict=True) if n < FEW
        ],
        "survival.late": [f"{c.label} {c.is_late.sum()}/{c.n}" for c in cohorts if any(c.is_late)],
        "survival.at_origin": [
            f"{c.label} {n}/{c.n}" for c, n in zip(cohorts, on_day_0, strict=True) if any(on_day_0)
        ],
    }
    if all(at_risk):
        is_thin = [n < FEW <= c.n for c, n in zip(cohorts, at_risk, strict=True)]
        unseen = [
            bool((~c.state.astype(bool) & (c.days < asked.time * YEAR)).any()) for c in cohorts
        ]
        thin = [c.label for c, *few in zip(cohorts, is_thin, unseen, strict=True) if all(few)]
        found["survival.thin"] = [", ".join(thin)] if thin else []
    return found
