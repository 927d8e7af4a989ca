"""The propensity of the newer cohort given baseline covariates, and the weights that follow.

Two cohorts that were not randomized differ in who was treated. The propensity e is the probability,
given the covariates, that a patient belongs to the newer cohort: logistic regression, maximum
likelihood. Covariates are levels only (numbers come already banded), so all patients with the same
levels form one pattern, and patterns with their counts hold the whole likelihood:

    log L = sum over patterns of [ newer log e + older log(1 - e) ],   logit e = x'b
    gradient X'(newer - n e),   information X' diag(n e (1 - e)) X

solved by Newton's method (iteratively reweighted least squares). Each covariate is dummy coded
against its most frequent level in both cohorts together (ties: the first). A missing value is a
level like any other. A column that earlier columns already determine is left out, as R does.

Weights, w for a patient of the older and of the newer cohort:

- overlap: e and 1 - e. They target those who could have been in either cohort. At the maximum the
  gradient is 0, which says that the weighted means of every column of the model are the same in
  both cohorts: balance of the levels is exact, whether or not the model is true;
- newer: e / (1 - e) and 1. The older cohort is weighted to the newer one's covariates (ATT).

In each cohort they are divided by their sum, so a weight is a share of its cohort.

Separation: if covariates tell the cohorts apart, some e is 0 or 1 and b has no finite estimate;
Newton's steps then never shrink, and the answer is a reason. The frequent case is met before: a
level that only one cohort has. `common_levels` leaves its patients out and says how many.

Sources: Rosenbaum & Rubin, Biometrika 1983;70:41; Li, Morgan & Zaslavsky, JASA 2018;113:390
(overlap weights, exact balance); Albert & Anderson, Biometrika 1984;71:1 (separation); Kish, Survey
Sampling 1965 (effective sample size). Oracle: R, glm(newer ~ ., family = binomial), alias().
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from scipy.special import expit, log_expit

from analysis.stats.counts import Array

Target = Literal["overlap", "newer"]
MISSING = "missing"  # how the level None is called in sentences
SEPARATED = "the covariates together tell the cohorts apart: the propensity has no finite estimate"
MAX_STEPS = 30
CONVERGED = 1e-8  # of a step; the next would be its square
# A column is told by earlier ones if less than this share of its length is its own.
COLLINEAR = 1e-7
# Two patterns can have one propensity and differ in its last digits.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Coding:
    """A covariate's levels in order; None, the missing value, is last."""

    covariate: str
    levels: tuple[str | None, ...]


@dataclass(frozen=True)
class Patterns:
    """Patients by covariate pattern.

    `codes` (P, covariates): the position of the level in `codings`. `counts` (P, 2): patients of
    the older and of the newer cohort. `of_row` (n,): each row's pattern; -1 if it was left out.
    """

    codings: tuple[Coding, ...]
    codes: Array
    counts: Array
    of_row: Array

    @property
    def n(self) -> tuple[int, int]:
        """Patients of the older and of the newer cohort."""
        older, newer = self.counts.sum(axis=0).tolist()
        return older, newer


def covariate_patterns(
    frame: pl.DataFrame, covariates: tuple[str, ...], is_newer: Array
) -> Patterns:
    """From one row per enrollment with a column of levels per covariate, and `is_newer` (n,).

    Patterns come sorted by level, so that the order of rows does not matter. Raises ValueError for
    a covariate of fractional numbers.
    """
    for name in covariates:
        if frame[name].dtype.is_float():
            raise ValueError(f"{name}: numbers must be banded into levels first")
    named = {str(j): frame[name] for j, name in enumerate(covariates)}
    # The column `all` keeps one pattern where there are no covariates.
    rows = pl.DataFrame({"all": np.zeros(frame.height, bool), **named, "newer": is_newer})
    table = (
        rows.with_row_index("row")
        .group_by("all", *named)
        .agg((~pl.col("newer")).sum().alias("older"), pl.col("newer").sum(), pl.col("row"))
        .sort("all", *named)
    )
    codings, codes = _coded(table, covariates)
    counts = table.select("older", "newer").to_numpy().astype(np.int64)
    of_row = np.empty(frame.height, dtype=np.int64)
    of_row[table["row"].explode().drop_nulls().to_numpy()] = np.repeat(
        np.arange(table.height), counts.sum(axis=1)
    )
    return Patterns(codings, codes, counts, of_row)


def _coded(table: pl.DataFrame, covariates: tuple[str, ...]) -> tuple[tuple[Coding, ...], Array]:
    """The levels of the columns "0", "1", ... of a table, and their positions: (P, covariates)."""
    codings, codes = [], np.zeros((table.height, len(covariates)), dtype=np.int64)
    for j, name in enumerate(covariates):
        column = table[str(j)]
        known = column.drop_nulls().unique().sort().cast(pl.String).to_list()
        missing = [None] if column.null_count() else []
        codings.append(Coding(name, (*known, *missing)))
        codes[:, j] = column.rank("dense").fill_null(len(known) + 1).to_numpy().astype(int) - 1
    return tuple(codings), codes


def level_counts(patterns: Patterns, covariate: int, counts: Array) -> Array:
    """Sums of `counts` (P, 2), patients or their weights, by level of a covariate: (levels, 2)."""
    levels = len(patterns.codings[covariate].levels)
    code = patterns.codes[:, covariate]
    columns = [np.bincount(code, counts[:, c], minlength=levels) for c in (0, 1)]
    return np.stack(columns, axis=1)


@dataclass(frozen=True)
class OneSidedLevel:
    """A level that only one cohort has (0 older, 1 newer), and the patients who have it."""

    covariate: str
    level: str | None
    cohort: int
    n: int


def _restricted(patterns: Patterns, kept: Array) -> Patterns:
    position = np.concatenate((np.where(kept, np.cumsum(kept) - 1, -1), [-1]))
    of_row = position[patterns.of_row]
    return Patterns(patterns.codings, patterns.codes[kept], patterns.counts[kept], of_row)


def _one_sided(patterns: Patterns, covariate: int) -> tuple[list[OneSidedLevel], Array]:
    """The one-sided levels of a covariate, and which patterns (P,) have none of them."""
    counts = level_counts(patterns, covariate, patterns.counts)
    coding, one_sided = patterns.codings[covariate], (counts > 0).sum(axis=1) == 1
    found = [
        OneSidedLevel(coding.covariate, coding.levels[k], cohort, int(counts[k, cohort]))
        for k, cohort in zip(np.flatnonzero(one_sided), counts[one_sided].argmax(1), strict=True)
    ]
    return found, ~one_sided[patterns.codes[:, covariate]]


def common_levels(patterns: Patterns) -> tuple[Patterns, tuple[OneSidedLevel, ...]]:
    """Those whose every level both cohorts have, and the levels that the others were left out for.

    Who is left out can leave a level one-sided in turn: repeated until none is, all covariates at
    once, so that their order does not matter. One patient can count under several levels.
    """
    left_out: list[OneSidedLevel] = []
    while True:
        kept = np.ones(len(patterns.counts), dtype=bool)
        found: list[OneSidedLevel] = []
        for covariate in range(len(patterns.codings)):
            levels, clear = _one_sided(patterns, covariate)
            found, kept = [*found, *levels], kept & clear
        if not found:
            return patterns, tuple(left_out)
        left_out, patterns = [*left_out, *found], _restricted(patterns, kept)


@dataclass(frozen=True)
class Term:
    """A column of the model: 1 for patients with this level; `reference` is the level left out."""

    covariate: str
    level: str | None
    reference: str | None

    def __str__(self) -> str:
        """As glm names it, in words."""
        return f"{self.covariate} = {MISSING if self.level is None else self.level}"


def _columns(patterns: Patterns) -> tuple[list[Term], Array]:
    """All dummy columns behind the intercept: (P, 1 + terms)."""
    terms: list[Term] = []
    columns = [np.ones(len(patterns.counts))]
    for j, coding in enumerate(patterns.codings):
        totals = level_counts(patterns, j, patterns.counts).sum(axis=1)
        reference = int(totals.argmax())
        for k in np.flatnonzero(totals):
            if k != reference:
                terms.append(Term(coding.covariate, coding.levels[k], coding.levels[reference]))
                columns.append((patterns.codes[:, j] == k).astype(float))
    return terms, np.stack(columns, axis=1)


def _independent(design: Array) -> Array:
    """Which columns earlier ones do not determine: a mask (p,), by Gram-Schmidt from the left."""
    basis = np.zeros((design.shape[0], 0))
    kept = np.zeros(design.shape[1], dtype=bool)
    for j, column in enumerate(design.T):
        own = column - basis @ (basis.T @ column)
        own = own - basis @ (basis.T @ own)  # once more: the first pass loses digits
        length = np.linalg.norm(own)
        kept[j] = length > COLLINEAR * np.linalg.norm(column)
        if kept[j]:
            basis = np.column_stack((basis, own / length))
    return kept


@dataclass(frozen=True)
class LogisticFit:
    """Coefficients and standard errors (p,), the fitted log odds (P,), and the log likelihood."""

    coefficients: Array
    standard_errors: Array
    log_odds: Array
    log_likelihood: float


def _log_likelihood(log_odds: Array, successes: Array, failures: Array) -> float:
    return float(successes @ log_expit(log_odds) + failures @ log_expit(-log_odds))


def _newton_step(design: Array, beta: Array, successes: Array, failures: Array) -> Array | None:
    """The next step; None where rounding has left no information."""
    fitted = expit(design @ beta)
    n = successes + failures
    information = design.T @ ((n * fitted * (1 - fitted))[:, None] * design)
    try:
        return np.linalg.solve(information, design.T @ (successes - n * fitted))
    except np.linalg.LinAlgError:
        return None


def logistic_fit(design: Array, successes: Array, failures: Array) -> LogisticFit | str:
    """Maximum likelihood of successes against failures (P,) by `design` (P, p) of full rank.

    A reason in words under separation. R: glm(cbind(successes, failures) ~ design, binomial).
    """
    beta = np.zeros(design.shape[1])
    value = _log_likelihood(design @ beta, successes, failures)
    for _ in range(MAX_STEPS):
        step = _newton_step(design, beta, successes, failures)
        if step is None or not np.isfinite(step).all():
            return SEPARATED
        found = _log_likelihood(design @ (beta + step), successes, failures)
        while found < value - ROUNDING * (1 + abs(value)):
            step = step / 2
            found = _log_likelihood(design @ (beta + step), successes, failures)
        beta, value = beta + step, found
        if np.abs(step).max() < CONVERGED:
            return _fitted(design, beta, successes + failures, value)
    return SEPARATED


def _fitted(design: Array, beta: Array, n: Array, log_likelihood: float) -> LogisticFit:
    fitted = expit(design @ beta)
    information = design.T @ ((n * fitted * (1 - fitted))[:, None] * design)
    errors = np.sqrt(np.diag(np.linalg.inv(information)))
    return LogisticFit(beta, errors, design @ beta, log_likelihood)


@dataclass(frozen=True)
class Propensity:
    """The fitted model: `terms` follow the intercept in `fit`; `collinear` were left out of it."""

    terms: tuple[Term, ...]
    collinear: tuple[Term, ...]
    fit: LogisticFit

    @property
    def score(self) -> Array:
        """The propensity of each pattern: (P,)."""
        return expit(self.fit.log_odds)


def propensity(patterns: Patterns) -> Propensity | str:
    """The propensity of the newer cohort; a reason in words if it has no estimate."""
    if not min(patterns.n):
        return "a cohort without patients"
    terms, design = _columns(patterns)
    kept = _independent(design)
    older, newer = patterns.counts.T.astype(float)
    fit = logistic_fit(design[:, kept], newer, older)
    if isinstance(fit, str):
        return fit
    own = kept[1:].tolist()
    return Propensity(
        tuple(term for term, k in zip(terms, own, strict=True) if k),
        tuple(term for term, k in zip(terms, own, strict=True) if not k),
        fit,
    )


@dataclass(frozen=True)
class CommonSupport:
    """The range of propensities that both cohorts have, and the patients of each within it.

    From the larger of the two minima to the smaller of the two maxima, both included; empty where
    `lower` is above `upper`.
    """

    lower: float
    upper: float
    n_inside: tuple[int, int]


def common_support(score: Array, counts: Array) -> CommonSupport:
    """From the propensity (P,) and the patients (P, 2) of each pattern; both cohorts have some."""
    ranges = [score[counts[:, c] > 0] for c in (0, 1)]
    lower = max(float(r.min()) for r in ranges)
    upper = min(float(r.max()) for r in ranges)
    inside = (score >= lower - ROUNDING) & (score <= upper + ROUNDING)
    older, newer = counts[inside].sum(axis=0).tolist()
    return CommonSupport(lower, upper, (older, newer))


def score_quartiles(score: Array, counts: Array) -> tuple[float, float, float, float, float]:
    """Minimum, quartiles and maximum of a cohort's propensities, counts (P,) > 0 somewhere.

    A quantile is the smallest propensity that its share of patients does not exceed. R:
    quantile(score, type = 1).
    """
    order = np.argsort(score, kind="stable")
    cumulative = np.cumsum(counts[order])
    wanted = np.maximum(np.ceil(np.array((0, 0.25, 0.5, 0.75, 1)) * cumulative[-1]), 1)
    a, b, c, d, e = score[order][np.searchsorted(cumulative, wanted)].tolist()
    return a, b, c, d, e


def pattern_weights(model: Propensity, counts: Array, target: Target) -> Array:
    """The weight of a patient of each pattern and cohort, (P, 2); it adds to 1 in each cohort."""
    odds, certain = model.fit.log_odds, np.ones(len(counts))
    raw = (expit(odds), expit(-odds)) if target == "overlap" else (np.exp(odds), certain)
    weights = np.stack(raw, axis=1)
    return weights / (weights * counts).sum(axis=0)


@dataclass(frozen=True)
class WeightSpread:
    """By cohort: Kish's effective number of patients, and the largest weight's share."""

    effective_n: tuple[float, float]
    largest_share: tuple[float, float]


def weight_spread(weights: Array, counts: Array) -> WeightSpread:
    """From weights (P, 2) that add to 1 over the patients (P, 2) of each cohort."""
    older, newer = (1 / (counts * weights**2).sum(axis=0)).tolist()
    largest = np.where(counts > 0, weights, 0.0).max(axis=0).tolist()
    return WeightSpread((older, newer), (largest[0], largest[1]))
