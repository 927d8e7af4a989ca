"""Tests of tables of counts, over one table or over strata; what strata have in common.

Two questions. Do the cohorts differ in a characteristic or an outcome: Fisher's exact test,
Pearson's chi-square, and over strata the Cochran-Mantel-Haenszel test with the common odds ratio
and the common difference. Does the difference depend on the level of a characteristic (a forest's
interaction): on the scale of the log odds and on that of the difference, two tests, because equal
odds ratios mean unequal differences and the other way round. A test that finds no interaction is
no evidence of equal effect.

Conventions. A table is given as its rows, a stratum or level as (numerator, denominator, reference
numerator, reference denominator). A row without patients: no test. A column that nobody has costs
no degree of freedom. A stratum in which a cohort has nobody, or all have the same outcome, says
nothing of the odds and is left out of their tests; the degrees of freedom of an interaction plus 1
are the levels compared. Fisher's test counts all tables that are at most as likely as the one
seen, likelihoods within 1e-7 (relative) of it being ties, as R has it.

Derivations. Fisher, 2 x k: the likelihood of a first row (a_1 .. a_k) given the margins is a
product over columns of binom(c_j, a_j). The columns are dealt into two halves; all partial rows of
each half are listed by their sum, sorted by likelihood, and met with those of the other half that
complete them: cumulated sums replace the pairs.

Interaction on the log odds: twice the log likelihood lost by one odds ratio psi for all levels.
Given psi, the expected numerator m of a level solves m (n0 - s + m) = psi (n - m) (s - m), s its
sum of numerators, and psi is where all m add to the numerators seen. With a cell of 0 the odds
ratio of a level is not finite; then Firth's penalized likelihood, whose penalty is that of the
model with interaction under both hypotheses (Heinze & Schemper). That model has a probability of
its own for each cell, p^x (1 - p)^(n - x) there, and the penalty is sqrt(p (1 - p)) for each: the
same likelihood after half a patient is added to every cell.

Sources: Fisher, JRSS 1935;98:39; Mehta & Patel, JASA 1983;78:427; Yates, JRSS Suppl 1934;1:217;
Cochran, Biometrics 1954;10:417 (strata) and 10:101 (Q); Mantel & Haenszel, JNCI 1959;22:719;
Robins, Breslow & Greenland, Biometrics 1986;42:311 (variance of the log odds ratio); Sato,
Biometrics 1989;45:1323 (of the difference); Firth, Biometrika 1993;80:27; Heinze & Schemper, Stat
Med 2002;21:2409. R: fisher.test, chisq.test, mantelhaen.test, metafor's rma.mh(measure = "RD"),
anova(glm, glm, test = "LRT"), rma(measure = "RD", method = "FE"); Firth: own optimization in
tests/oracle/tables.R.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, log1p, prod, sqrt

import numpy as np
from scipy.special import chdtrc, gammaln, ndtr, rel_entr

from analysis.stats.counts import Array
from analysis.stats.estimate import Estimate, Z, not_estimable
from analysis.stats.proportion import LOG_BOUND, Counts, edge

TIE = 1e-7
# Of one half of the columns: reached by 6 levels of 66 patients each, or 8 of 22; half a second.
MAX_PARTIAL_ROWS = 300_000
NO_PATIENTS = "no patients in a cohort"
NOTHING_TO_COMPARE = "no stratum with both cohorts and both outcomes"


@dataclass(frozen=True)
class HypothesisTest:
    """A test: its p value, its statistic if it has one; or the reason why there is none."""

    p_value: float | None
    method: str
    statistic: float | None = None
    degrees_of_freedom: int | None = None
    reason: str | None = None


def _no_test(reason: str, method: str) -> HypothesisTest:
    return HypothesisTest(None, method, reason=reason)


def _chi_square_p(statistic: float, degrees: int, method: str) -> HypothesisTest:
    statistic = max(float(statistic), 0.0)
    return HypothesisTest(float(chdtrc(degrees, statistic)), method, statistic, degrees)


def _counts(table: Sequence[Sequence[int]]) -> Array:
    """The table as (rows, columns that somebody has)."""
    if len({len(row) for row in table}) > 1:
        raise ValueError(f"rows of unequal length: {[len(row) for row in table]}")
    counts = np.array(table, dtype=np.int64).reshape(len(table), -1)
    if counts.min(initial=0) < 0:
        raise ValueError(f"{counts.min()} is no count of patients")
    return counts[:, counts.sum(axis=0) > 0]


def _halves(columns: list[int]) -> tuple[list[int], list[int]]:
    """The columns dealt into two halves with about as many partial rows each."""
    halves: tuple[list[int], list[int]] = ([], [])
    for column in sorted(columns, reverse=True):
        min(halves, key=lambda half: prod(c + 1 for c in half)).append(column)
    return halves


def _partial_rows(columns: list[int], most: int) -> tuple[Array, Array]:
    """Sum, at most `most`, and log likelihood of the rows of these columns; by both: (m,), (m,)."""
    sums, logs = np.zeros(1, dtype=np.int64), np.zeros(1)
    for c in columns:
        a = np.arange(c + 1)
        of_column = gammaln(c + 1.0) - gammaln(a + 1.0) - gammaln(c - a + 1.0)
        sums, logs = (sums[:, None] + a).ravel(), (logs[:, None] + of_column).ravel()
        sums, logs = sums[sums <= most], logs[sums <= most]
    order = np.lexsort((logs, sums))
    return sums[order], logs[order]


def _at_most_as_likely(row_sum: int, columns: list[int], most: float) -> float:
    """The probability of all rows whose log likelihood is at most `most`, given the margins."""
    one, other = _halves(columns)
    sums, logs = _partial_rows(one, row_sum)
    other_sums, other_logs = _partial_rows(other, row_sum)
    scale = logs.max() + other_logs.max()
    total = 0.0
    for s in range(row_sum - int(other_sums[-1]), int(sums[-1]) + 1):
        here = logs[slice(*np.searchsorted(sums, (s, s + 1)))]
        there = other_logs[slice(*np.searchsorted(other_sums, (row_sum - s, row_sum - s + 1)))]
        cumulated = np.concatenate(([0.0], np.cumsum(np.exp(there - other_logs.max()))))
        n_met = np.searchsorted(there, most - here, side="right")
        total += float(np.exp(here - logs.max()) @ cumulated[n_met])
    n = sum(columns)
    log_tables = gammaln(n + 1.0) - gammaln(row_sum + 1.0) - gammaln(n - row_sum + 1.0)
    return total * exp(scale - float(log_tables))


def fisher_exact(table: Sequence[Sequence[int]]) -> HypothesisTest:
    """Fisher's exact test of two rows (cohorts) and k columns (levels), two-sided.

    1 if all patients are in one column. No test: a row without patients; more tables than can be
    listed. Raises ValueError for a negative count and for other than two rows. R: fisher.test.
    """
    method = "Fisher's exact test, two-sided"
    counts = _counts(table)
    if len(counts) != 2:
        raise ValueError(f"{len(counts)} rows: Fisher's test is of two cohorts here")
    row, columns = counts[0], counts.sum(axis=0).tolist()
    if not counts.sum(axis=1).all():
        return _no_test(NO_PATIENTS, method)
    if max(prod(c + 1 for c in half) for half in _halves(columns)) > MAX_PARTIAL_ROWS:
        return _no_test("too many patients and levels to list all tables", method)
    of_columns = gammaln(np.array(columns) + 1.0) - gammaln(row + 1.0) - gammaln(counts[1] + 1.0)
    p = _at_most_as_likely(int(row.sum()), columns, float(of_columns.sum()) + log1p(TIE))
    return HypothesisTest(min(p, 1.0), method)


def chi_square(table: Sequence[Sequence[int]], corrected: bool = False) -> HypothesisTest:
    """Pearson's test of r rows and k columns; `corrected` after Yates, two by two only.

    The correction is at most the distance itself, as in R. No test: a row without patients, all
    patients in one column or one row. R: chisq.test(correct = corrected).
    """
    method = f"Pearson's chi-square, {'with' if corrected else 'without'} continuity correction"
    counts = _counts(table)
    rows, columns = counts.shape
    if not rows or not counts.sum(axis=1).all():
        return _no_test(NO_PATIENTS, method)
    if columns == 1 or rows == 1:
        return _no_test("all patients are in one row or column", method)
    if corrected and (rows, columns) != (2, 2):
        raise ValueError(f"the correction is for 2 x 2 tables, not {rows} x {columns}")
    expected = counts.sum(axis=1)[:, None] * (counts.sum(axis=0) / counts.sum())
    distance = np.abs(counts - expected)
    distance = distance - (min(0.5, float(distance.min())) if corrected else 0.0)
    degrees = (rows - 1) * (columns - 1)
    return _chi_square_p((distance**2 / expected).sum(), degrees, method)


def _strata(strata: Sequence[Counts]) -> Array:
    """x, n, x0, n0 of the strata in which both cohorts have patients: (4, strata)."""
    for x, n, x0, n0 in strata:
        if not (0 <= x <= n and 0 <= x0 <= n0):
            raise ValueError(f"{x} of {n} against {x0} of {n0}: no proportions")
    columns = np.array(strata, dtype=float).reshape(-1, 4).T
    return columns[:, (columns[1] > 0) & (columns[3] > 0)]


def mantel_haenszel_test(strata: Sequence[Counts], corrected: bool = False) -> HypothesisTest:
    """The Cochran-Mantel-Haenszel test that no stratum's cohorts differ, 1 degree of freedom.

    `corrected`: half a patient off the distance, if that is at least half. R:
    mantelhaen.test(correct = corrected); R itself corrects by default.
    """
    method = f"Cochran-Mantel-Haenszel, {'with' if corrected else 'without'} continuity correction"
    x, n, x0, n0 = _strata(strata)
    size, having = n + n0, x + x0
    variance = float((n * n0 * having * (size - having) / (size**2 * (size - 1))).sum())
    if variance == 0:
        return _no_test(NOTHING_TO_COMPARE, method)
    distance = abs(float((x - n * having / size).sum()))
    distance -= 0.5 if corrected and distance >= 0.5 else 0.0
    return _chi_square_p(distance**2 / variance, 1, method)


def mantel_haenszel_odds_ratio(strata: Sequence[Counts]) -> Estimate:
    """The common odds ratio over strata, with Robins, Breslow and Greenland's limits.

    0, without limits, if no stratum has both a numerator and a patient of the reference without;
    no finite estimate if it is the other way round. No p value: the test is
    `mantel_haenszel_test`. R: mantelhaen.test.
    """
    method = "Mantel-Haenszel odds ratio, Robins-Breslow-Greenland interval"
    x, n, x0, n0 = _strata(strata)
    size = n + n0
    for_ratio, against = x * (n0 - x0) / size, (n - x) * x0 / size
    above, below = float(for_ratio.sum()), float(against.sum())
    if above == below == 0:
        return not_estimable(NOTHING_TO_COMPARE, method)
    if below == 0:
        return not_estimable("the common odds ratio has no finite estimate", method)
    if above == 0:
        return Estimate(0.0, method=method, reason="no limits of an odds ratio of 0")
    alike, unlike = (x + n0 - x0) / size, (n - x + x0) / size
    variance = float((alike * for_ratio).sum()) / (2 * above**2)
    variance += float((alike * against + unlike * for_ratio).sum()) / (2 * above * below)
    variance += float((unlike * against).sum()) / (2 * below**2)
    middle, half_width = log(above / below), Z * sqrt(variance)
    lower, upper = exp(middle - half_width), exp(middle + half_width)
    return Estimate(above / below, lower, upper, method=method)


def mantel_haenszel_difference(strata: Sequence[Counts]) -> Estimate:
    """The common difference over strata, weights n n0 / N, with Sato's variance; Wald limits and p.

    No limits where the variance is 0: all strata have all or none of either cohort. R: metafor's
    rma.mh(measure = "RD").
    """
    method = "Mantel-Haenszel difference, Sato variance"
    x, n, x0, n0 = _strata(strata)
    if not x.size:
        return not_estimable("no stratum with both cohorts", method)
    size = n + n0
    weight = float((n * n0 / size).sum())
    difference = float(((x * n0 - x0 * n) / size).sum()) / weight
    p = (n**2 * x0 - n0**2 * x + n * n0 * (n0 - n) / 2) / size**2
    q = (x * (n0 - x0) + x0 * (n - x)) / (2 * size)
    variance = (difference * float(p.sum()) + float(q.sum())) / weight**2
    if variance <= 1e-15:
        return Estimate(difference, method=method, reason="no variance in any stratum")
    error = sqrt(variance)
    lower, upper = difference - Z * error, difference + Z * error
    return Estimate(difference, lower, upper, 2 * float(ndtr(-abs(difference) / error)), method)


def _expected(log_ratio: float, levels: Array) -> Array:
    """Numerators (levels,) expected with one odds ratio, each level's sum being as seen."""
    x, n, x0, n0 = levels
    psi, s = exp(log_ratio), x + x0
    # Sorted so that no term is negative: nothing cancels.
    discriminant = (n0 - s) ** 2 + (psi * (n - s)) ** 2 + 2 * psi * (n * n0 + s * (n + n0 - s))
    return 2 * psi * n * s / (n0 - s + psi * (n + s) + np.sqrt(discriminant))


def _lost_by_one_odds_ratio(levels: Array) -> float:
    """Twice the log likelihood lost by one odds ratio for all levels; no cell may be 0."""
    x, n, x0, n0 = levels

    def is_below(log_ratio: float) -> bool:
        return float((_expected(log_ratio, levels) - x).sum()) <= 0

    m = _expected(edge(is_below, -LOG_BOUND / 2, LOG_BOUND / 2), levels)
    m0 = x + x0 - m
    cells = (x, m), (n - x, n - m), (x0, m0), (n0 - x0, n0 - m0)
    return 2 * sum(float(rel_entr(seen, expected).sum()) for seen, expected in cells)


def odds_interaction(levels: Sequence[Counts]) -> HypothesisTest:
    """Whether the odds ratio depends on the level: likelihood-ratio test.

    With a cell of 0 in a level, Firth's penalized likelihood for all levels, and the method says
    so. No test with fewer than two levels in which both cohorts have patients. R: anova(glm(cohort
    + level), glm(cohort * level), test = "LRT").
    """
    method = "interaction on the log odds, likelihood ratio"
    x, n, x0, n0 = compared = _strata(levels)
    if x.size < 2:
        return _no_test("fewer than two levels with both cohorts", method)
    if min(x.min(), (n - x).min(), x0.min(), (n0 - x0).min()) == 0:
        compared = compared + np.array([[0.5], [1.0], [0.5], [1.0]])
        method = f"{method}, Firth's penalty: a cell is 0"
    return _chi_square_p(_lost_by_one_odds_ratio(compared), x.size - 1, method)


def cochran_q(estimates: Array, variances: Array, method: str) -> HypothesisTest:
    """Whether k independent estimates are of one value: the inverse-variance sum of squares."""
    weight = 1 / variances
    mean = (weight * estimates).sum() / weight.sum()
    return _chi_square_p((weight * (estimates - mean) ** 2).sum(), estimates.size - 1, method)


def difference_interaction(levels: Sequence[Counts]) -> HypothesisTest:
    """Whether the difference of the proportions depends on the level: Cochran's Q.

    Weights are the inverse of p(1-p)/n + p0(1-p0)/n0. A level in which either cohort has all or
    none has no variance: half a patient is then added to each of its four cells, and the method
    says to how many levels. No test with fewer than two levels in which both cohorts have
    patients. R: metafor, rma(measure = "RD", method = "FE").
    """
    method = "interaction on the difference, Cochran's Q"
    x, n, x0, n0 = compared = _strata(levels)
    if x.size < 2:
        return _no_test("fewer than two levels with both cohorts", method)
    flat = (x * (n - x) == 0) & (x0 * (n0 - x0) == 0)
    if flat.any():
        method = f"{method}, half a patient added to each cell of {flat.sum()} without variance"
    x, n, x0, n0 = compared + flat * np.array([[0.5], [1.0], [0.5], [1.0]])
    p, p0 = x / n, x0 / n0
    return cochran_q(p - p0, p * (1 - p) / n + p0 * (1 - p0) / n0, method)
