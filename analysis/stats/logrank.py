"""Tests that several survival curves are one: the log-rank test.

Sources: Mantel 1966 and Peto & Peto, JRSS A 1972;135:185. R: survdiff.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from analysis.stats.counts import DayCounts, risk_sets


@dataclass(frozen=True)
class LogRank:
    """A log-rank test: chi-square, degrees of freedom, p; or the reason why there is none."""

    chi_square: float | None
    degrees_of_freedom: int
    p_value: float | None
    observed: tuple[int, ...]
    expected: tuple[float, ...]
    reason: str | None = None


def log_rank(cohorts: tuple[DayCounts, ...]) -> LogRank:
    """The unweighted k-sample test with hypergeometric variance. R: survdiff.

    A cohort that is never at risk at an event has no expectation and costs no degree of freedom.
    """
    sets = risk_sets(cohorts)
    n, d = sets.at_risk.sum(axis=1), sets.events.sum(axis=1)
    observed = tuple(int(x) for x in sets.events.sum(axis=0))
    share = sets.at_risk / n[:, None]
    expected = (d[:, None] * share).sum(axis=0)
    compared = np.flatnonzero(expected > 0)
    degrees = len(compared) - 1
    told = (observed, tuple(float(x) for x in expected))
    if not sum(observed):
        return LogRank(None, 0, None, *told, reason="no events")
    if degrees < 1:
        return LogRank(None, 0, None, *told, reason="only one cohort was at risk at an event")
    spread = np.where(n > 1, d * (n - d) / np.maximum(n - 1, 1), 0.0)
    variance = np.diag((spread[:, None] * share).sum(axis=0))
    variance = variance - np.einsum("k,ki,kj->ij", spread, share, share)
    kept = compared[:-1]
    excess = (np.array(observed) - expected)[kept]
    if np.linalg.matrix_rank(variance[np.ix_(kept, kept)]) < degrees:
        return LogRank(None, degrees, None, *told, reason="no variance: too few at risk")
    chi_square = float(excess @ np.linalg.solve(variance[np.ix_(kept, kept)], excess))
    return LogRank(chi_square, degrees, float(chdtrc(degrees, chi_square)), *told)
