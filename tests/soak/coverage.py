"""How often the 95 % intervals of a trial hold the demo's truth, how wide and how biased they are.

Estimates and truths have the same names. Ratios are on the log scale, times in years. Differences
and ratios are of ALL-REZ 2016 against ALL-REZ 2014. `rfs` is the study's (relapse or death);
`rfs, 2nd malignancy` the truth file's, which a second malignancy ends too.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import log, nan, sqrt

import numpy as np

from analysis.stats.competing import aalen_johansen, incidence_at
from analysis.stats.counts import DayCounts, at_risk_table
from analysis.stats.cox import hazard_ratios
from analysis.stats.estimate import Estimate, not_estimable
from analysis.stats.limits import mover_difference
from analysis.stats.proportion import clopper_pearson, newcombe_difference, wilson
from analysis.stats.restricted_mean import (
    restricted_mean,
    restricted_mean_difference,
    restricted_mean_estimate,
)
from analysis.stats.survival import kaplan_meier, quantile, survival_at
from analysis.survival_window import up_to, window_of
from etl.demo.baseline import YEAR
from tests.soak.cohorts import (
    CAUSES,
    COHORTS,
    REMISSION,
    Trial,
    Uncensored,
    counts_of,
    state_counts_of,
)

BOTH = (*COHORTS, "difference")
WITH_MALIGNANCY = "rfs, 2nd malignancy"
FEWEST_AT_RISK = 10  # at tau, in each cohort, for a restricted mean

Found = Iterator[tuple[str, Estimate]]
Pair = tuple[DayCounts, DayCounts]


def in_years(found: Estimate) -> Estimate:
    """Days as years."""
    estimate, lower, upper = (
        None if x is None else x / YEAR for x in (found.estimate, found.lower, found.upper)
    )
    return Estimate(estimate, lower, upper, reason=found.reason)


def logged(found: Estimate) -> Estimate:
    """A ratio on the log scale."""
    estimate, lower, upper = (
        None if x is None else log(x) for x in (found.estimate, found.lower, found.upper)
    )
    return Estimate(estimate, lower, upper, reason=found.reason)


def pair_of(trial: Trial, endpoint: str) -> Pair:
    """The day counts of an endpoint."""
    older, newer = trial
    return counts_of(getattr(older, endpoint)), counts_of(getattr(newer, endpoint))


def shared_pair(pair: Pair) -> tuple[Pair, float | None]:
    """As far as the page compares them, and the day on which that ends; None: of all follow-up."""
    end = window_of(pair, is_randomised=False).end
    return (up_to(pair[0], end), up_to(pair[1], end)), end


def of_survival(name: str, pair: Pair, years: Iterable[int]) -> Found:
    """S at some years, and the differences."""
    curves = [kaplan_meier(counts) for counts in pair]
    for year in years:
        found = [survival_at(km, year * YEAR) for km in curves]
        for who, s in zip(BOTH, (*found, mover_difference(*found)), strict=True):
            yield f"{name} S({year}) {who}", s


def of_means(name: str, pair: Pair, years: Iterable[int]) -> Found:
    """Restricted means; not estimable, as on the page, if few are at risk at tau."""
    curves = [kaplan_meier(counts) for counts in pair]
    for year in years:
        fewest = min(at_risk_table(counts, (year * YEAR,))[0].at_risk for counts in pair)
        means = [restricted_mean(km, year * YEAR) for km in curves]
        found = [*map(restricted_mean_estimate, means), restricted_mean_difference(*means)]
        for who, mean in zip(BOTH, found, strict=True):
            is_shown = fewest >= FEWEST_AT_RISK
            shown = in_years(mean) if is_shown else not_estimable("few at risk at tau")
            yield f"{name} RMST({year}) {who}", shown


def of_medians(name: str, pair: Pair) -> Found:
    """Median times. A lower limit that is not reached lies beyond the last day of follow-up."""
    for cohort, counts in zip(COHORTS, pair, strict=True):
        found = quantile(kaplan_meier(counts))
        if found.lower is None:
            found = replace(found, lower=float(counts.day[-1]))
        yield f"{name} median {cohort}", in_years(found)


def of_hazards(name: str, pair: Pair) -> Found:
    """The log hazard ratio."""
    yield f"{name} log HR", logged(hazard_ratios(pair)[0])


def of_causes(trial: Trial, years: Iterable[int]) -> Found:
    """Cumulative incidences from remission by first event, and the time free of all three."""
    fits = [aalen_johansen(state_counts_of(cohort.causes, len(CAUSES))) for cohort in trial]
    for state, cause in enumerate(CAUSES, start=1):
        for year in years:
            found = [incidence_at(fit, state, year * YEAR) for fit in fits]
            for who, f in zip(BOTH, (*found, mover_difference(*found)), strict=True):
                yield f"{cause} F({year}) {who}", f
    first, second = (fit.counts.any_event() for fit in fits)
    yield from of_survival(WITH_MALIGNANCY, (first, second), years)


def of_response(trial: Trial) -> Found:
    """Shares in remission at the landmark, of all enrolled."""
    older, newer = ((int((c.response == REMISSION).sum()), len(c.response)) for c in trial)
    yield "remission difference", newcombe_difference(*newer, *older)
    for cohort, table in zip(COHORTS, (older, newer), strict=True):
        yield f"remission {cohort}", wilson(*table)
        yield f"remission exact {cohort}", clopper_pearson(*table)


def estimates(trial: Trial) -> dict[str, Estimate]:
    """Every estimate of a trial by name."""
    found: dict[str, Estimate] = {}
    for endpoint, years in (("os", (1, 2, 3, 5)), ("efs", (0, 1, 2, 3, 5))):
        pair = pair_of(trial, endpoint)
        found.update(of_survival(endpoint, pair, years))
        found.update(of_means(endpoint, pair, (2, 3)))
        found.update(of_medians(endpoint, pair))
        found.update(of_hazards(endpoint, pair))
    found.update(of_survival("rfs", pair_of(trial, "rfs"), (1, 2, 3)))
    found.update(of_causes(trial, (1, 2, 3)))
    found.update(of_response(trial))
    return found


def with_differences(truths: dict[str, float]) -> dict[str, float]:
    """Also the differences of all that is known of both cohorts."""
    older, newer = (f" {cohort}" for cohort in COHORTS)
    names = [name.removesuffix(older) for name in truths if name.endswith(older)]
    return truths | {f"{n} difference": truths[n + newer] - truths[n + older] for n in names}


def truths(view: dict) -> dict[str, float]:
    """What a view of the truth file says, by the names of `estimates`."""
    found: dict[str, float] = {}
    for cohort, known in view["cohorts"].items():
        for endpoint, name in (("os", "os"), ("efs", "efs"), ("rfs", WITH_MALIGNANCY)):
            survival, means = known[endpoint]["survival"], known[endpoint].get("rmst_years", {})
            found |= {f"{name} S({year}) {cohort}": s for year, s in survival.items()}
            found |= {f"{name} RMST({year}) {cohort}": mean for year, mean in means.items()}
        for cause, by_year in known["cumulative_incidence"].items():
            found |= {f"{cause} F({year}) {cohort}": f for year, f in by_year.items()}
        found[f"efs S(0) {cohort}"] = 1 - known["efs"]["event_on_day_0"]
        found[f"remission {cohort}"] = known["remission_by_day_60"]
        found[f"remission exact {cohort}"] = known["remission_by_day_60"]
    ratios = {f"{name} log HR": log(ratio) for name, ratio in view["hazard_ratio"].items()}
    return with_differences(found) | ratios


def further_truths(both: Iterable[Uncensored]) -> dict[str, float]:
    """What the truth file does not hold: medians, and the relapse-free survival of the study."""
    found: dict[str, float] = {}
    for cohort, drawn in zip(COHORTS, both, strict=True):
        for endpoint in ("os", "efs"):
            days = getattr(drawn, endpoint)
            middle = np.partition(days, days.size // 2)[days.size // 2]
            found[f"{endpoint} median {cohort}"] = float(middle) / YEAR
        rfs = drawn.rfs[~np.isnan(drawn.rfs)]
        found |= {f"rfs S({y}) {cohort}": float((rfs > y * YEAR).mean()) for y in (1, 2, 3)}
    return with_differences(found)


@dataclass(frozen=True)
class Coverage:
    """How one quantity was estimated in `n` trials.

    `without`: trials without an interval; `covered`: those whose interval holds the truth. An
    interval without an upper limit (a median) reaches to infinity and has no part in `width`, the
    mean width. `bias`: mean of estimate minus truth, with its Monte Carlo error; `absolute`: mean
    of its absolute value.
    """

    name: str
    truth: float
    n: int
    without: int
    covered: int
    bias: float
    bias_error: float
    absolute: float
    width: float

    @property
    def coverage(self) -> float:
        """Of the intervals, the share that holds the truth; NaN without intervals."""
        return self.covered / (self.n - self.without) if self.n > self.without else nan

    @property
    def missed(self) -> float:
        """Of all trials, the share whose interval does not hold the truth."""
        return 1 - (self.covered + self.without) / self.n


HEAD = (
    f"{'quantity':38} {'truth':>8} {'cover':>6} {'bias':>8} {'MC err':>7} {'width':>7} {'none':>6}"
)


def in_words(row: Coverage) -> str:
    """A line of the table under HEAD; coverage and trials without an interval in percent."""
    return (
        f"{row.name:38} {row.truth:8.4f} {100 * row.coverage:6.2f} {row.bias:+8.4f} "
        f"{row.bias_error:7.4f} {row.width:7.4f} {100 * row.without / row.n:6.2f}"
    )


def _coverage(name: str, truth: float, found: list[Estimate]) -> Coverage:
    estimate, lower, upper = (
        np.array([nan if (x := getattr(e, limit)) is None else x for e in found])
        for limit in ("estimate", "lower", "upper")
    )
    without = np.isnan(lower) & np.isnan(upper)
    covered = ~without & ~(lower > truth) & ~(upper < truth)
    error, width = (x[~np.isnan(x)] for x in (estimate - truth, upper - lower))
    return Coverage(
        name,
        truth,
        len(found),
        int(without.sum()),
        int(covered.sum()),
        float(error.mean()) if error.size else nan,
        float(error.std() / sqrt(error.size)) if error.size else nan,
        float(np.abs(error).mean()) if error.size else nan,
        float(width.mean()) if width.size else nan,
    )


def coverages(truths: dict[str, float], found: Iterable[dict[str, Estimate]]) -> list[Coverage]:
    """Of every quantity that has a truth, from the estimates of each trial."""
    by_name: dict[str, list[Estimate]] = defaultdict(list)
    for trial in found:
        for name in truths.keys() & trial.keys():
            by_name[name].append(trial[name])
    return [_coverage(name, truths[name], by_name[name]) for name in sorted(by_name)]
