"""What the fair comparison tells of how many patients, for the gate: all of it falls together.

Its numbers hang together: levels of covariates add to cohorts, those used and left out to all. The
curves and the bars of propensity, which show single patients, stand apart and fall first.
"""

import numpy as np

from analysis import survival_disclosed as told_of
from analysis.answer import Disclosed
from analysis.stats.counts import DayCounts
from analysis.stats.fair_comparison import FairComparison
from analysis.survival_fair_results import Fair, Pair

BINS = 10
# Rounding must not move a propensity of exactly a tenth into the bin below.
ROUNDING = 1e-9


def bins(found: FairComparison) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Patients of the older and the newer cohort in each tenth of propensity; empty without one."""
    if found.propensity is None:
        return (), ()
    score, counts = found.propensity.score, found.propensity.counts
    position = np.minimum((score * BINS + ROUNDING).astype(int), BINS - 1)
    older, newer = (np.bincount(position, counts[:, c], minlength=BINS) for c in (0, 1))
    return tuple(int(n) for n in older), tuple(int(n) for n in newer)


def _of_pair(pair: Pair) -> list[int]:
    found = pair.found
    counts = [found.n_in_both, sum(found.n) - found.n_in_both, *(x.n for x in found.left_out)]
    for row in found.balance:
        counts += [int(n) for n in row.before.ravel()]
    for n, used in zip(found.n, found.n_used, strict=True):
        counts += [n, used, n - used]
    if found.propensity:
        pairs = zip(found.n_used, found.propensity.support.n_inside, strict=True)
        counts += [x for used, inside in pairs for x in (inside, used - inside)]
    if found.complete_cases:
        complete = found.complete_cases
        pairs = zip(found.n, complete.n, complete.n_used, strict=True)
        counts += [x for n, known, used in pairs for x in (known, n - known, used, known - used)]
        counts += [x.n for x in complete.left_out]
    for stratum in pair.stratified.strata if pair.stratified else ():
        counts += [x for c in stratum.counts for x in (c.n, c.n_events, c.n - c.n_events)]
    return counts


def together(fair: Fair) -> Disclosed:
    """Everything at the chosen time: the row of the head, and what the weights rest on."""
    own = [n for pair in fair.pairs for n in _of_pair(pair)]
    return Disclosed((*told_of.chosen_time(fair.results).counts, *own), "fair")


def other_times(fair: Fair) -> Disclosed:
    """The same at the other milestone times."""
    times = told_of.all_times(fair.results).counts
    return Disclosed((*together(fair).counts, *times), "fair_times")


def curves(fair: Fair, patients: tuple[DayCounts, ...]) -> Disclosed:
    """Curves show every day's events and censorings, of the patients that they are of."""
    counts = (int(n) for c in patients for n in (*c.events, *c.censored))
    return Disclosed((*told_of.curve(fair.results).counts, *counts), "fair_curves")


def propensities(pair: Pair) -> Disclosed:
    """Every bar of the propensities."""
    older, newer = bins(pair.found)
    return Disclosed((*older, *newer), f"fair_overlap.{pair.newer.cohort.code}")
