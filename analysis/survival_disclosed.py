"""What the numbers of a survival page tell of how many patients, for the gate.

The row of the chosen time stands by itself; the other times stand or fall together, since two of
them next to each other tell who fell between them. A median is the day of one patient's event.
"""

from collections.abc import Sequence

from analysis.answer import Disclosed
from analysis.survival_results import CohortSurvival, Results

ONE_PATIENT = Disclosed((1,), "one_patient")


def _at(c: CohortSurvival, days: float) -> tuple[int, int, int, int]:
    """Events by a day, censored before it, at risk on it, events after it."""
    events, total = c.events_by(days), c.counts.n_events
    censored = int(c.counts.censored[c.counts.day < days].sum())
    at_risk = int(c.counts.n - c.counts.events[c.counts.day < days].sum() - censored)
    return events, censored, at_risk, total - events


def chosen_time(results: Results) -> Disclosed:
    """The row of the chosen time and what its totals leave."""
    days = results.view.time * results.study.unit_days
    counts: list[int] = []
    for c in results.cohorts:
        counts += [*_at(c, days), c.counts.n - c.events_by(days)]
    return Disclosed((*counts, *totals(results).counts), "time")


def all_times(results: Results) -> Disclosed:
    """The rows of all milestone times: between two of them as many fell as they differ by."""
    counts: list[int] = []
    for c in results.cohorts:
        before = (0, 0, c.counts.n, c.counts.n_events)
        for time in results.study.milestone_times:
            here = _at(c, time * results.study.unit_days)
            counts += [abs(a - b) for a, b in zip(here, before, strict=True)]
            before = here
        counts += before
    return Disclosed(tuple(counts), "times")


def totals(results: Results) -> Disclosed:
    """Patients, events, censored, and those of the population who are in no figure."""
    counts: list[int] = []
    for c in results.cohorts:
        n, events = c.counts.n, c.counts.n_events
        counts += [n, events, n - events, c.size.n_population - n, c.ended.n_in_doubt]
        counts += [c.ended.n_without_origin, c.size.n_population - c.ended.n_without_origin]
    return Disclosed(tuple(counts), "totals")


def beside_totals(results: Results, counts: Sequence[int], part: str) -> Disclosed:
    """Some counts of patients, which stand beside the totals."""
    return Disclosed((*counts, *totals(results).counts), part)


def curve(results: Results) -> Disclosed:
    """The curve with its steps and marks: every day's events and censorings."""
    counts: list[int] = []
    for c in results.cohorts:
        counts += [int(n) for n in (*c.counts.events, *c.counts.censored)]
    return Disclosed(tuple(counts), "curve")


def reasons(results: Results) -> Disclosed:
    """What ended the time, reason by reason."""
    counts = (n for c in results.cohorts for n in c.ended.by_reason.values())
    return Disclosed(tuple(counts), "reasons")
