"""The tidy numbers of the fair comparison. The crude ones are the head's and stand there."""

from collections.abc import Iterator
from dataclasses import replace

from analysis import survival_fair_disclosed as told_of
from analysis.answer import Number, of_estimate
from analysis.stats.e_value import EValue
from analysis.stats.estimate import Estimate
from analysis.stats.fair_comparison import FairComparison
from analysis.survival_fair_results import Fair, Pair
from trial.study import MISSING

COMPLETE = "complete_cases"


def fair_numbers(fair: Fair) -> tuple[Number, ...]:
    """All numbers of all pairs; those of complete cases have that as their level."""
    return tuple(number for pair in fair.pairs for number in _of_pair(fair, pair))


def _of_pair(fair: Fair, pair: Pair) -> Iterator[Number]:
    view = fair.on.view
    base = replace(fair.on.number(), endpoint=view.endpoint, measure_code=view.weights or None)
    base = replace(base, disclosed=told_of.together(fair))
    yield from _weighted(fair, pair, pair.found, base)
    if pair.complete:
        yield from _weighted(fair, pair, pair.complete, replace(base, level_code=COMPLETE))
    yield from _balance(fair, pair, base)
    yield from _patients(pair, base)
    yield from _propensities(pair, base)
    yield from _stratified(pair, base)


def _codes(pair: Pair) -> dict[str, str]:
    return {"cohort": pair.newer.cohort.code, "comparator": pair.older.cohort.code}


def _weighted(fair: Fair, pair: Pair, found: FairComparison, base: Number) -> Iterator[Number]:
    outcome, study = found.outcome, fair.on.study
    against = replace(base, **_codes(pair))
    if outcome is None:
        return
    times = study.milestone_times
    sides = (pair.older, pair.newer)
    for k, time in enumerate(times):
        chosen = time == fair.on.view.time
        told = told_of.together(fair) if chosen else told_of.other_times(fair)
        at = {"time_days": time * study.unit_days, "unit": "proportion", "disclosed": told}
        for c, side in enumerate(sides):
            row = replace(base, cohort=side.cohort.code, statistic="weighted_survival", **at)
            row = replace(row, denominator=found.n_used[c])
            yield replace(row, **of_estimate(outcome.survival[k][c]))
        row = replace(against, statistic="weighted_survival_difference", **at)
        yield replace(row, **of_estimate(outcome.survival_difference[k]))
    tau = (fair.results.tau.shown or fair.results.tau.asked) * study.unit_days
    row = replace(against, statistic="weighted_rmst_difference", unit="days", time_days=tau)
    yield replace(row, **of_estimate(outcome.restricted_mean_difference))
    row = replace(against, statistic="weighted_hazard_ratio", unit="ratio", time_days=fair.cut_day)
    yield replace(row, **of_estimate(outcome.hazard_ratio))
    yield from _e_values(outcome.e_value, replace(against, time_days=fair.cut_day))


def _e_values(found: EValue, base: Number) -> Iterator[Number]:
    for statistic, value in (("e_value", found.estimate), ("e_value_limit", found.limit)):
        reason = None if value is not None else found.reason
        told = Estimate(value, method=found.method, reason=reason)
        yield replace(base, statistic=statistic, unit="ratio", **of_estimate(told))


def _balance(fair: Fair, pair: Pair, base: Number) -> Iterator[Number]:
    base = replace(base, unit="standard deviations", **_codes(pair))
    for balance in pair.found.balance:
        row = replace(base, characteristic_code=fair.covariate(balance.covariate).code)
        before, after = balance.difference_before, balance.difference_after
        yield replace(row, statistic="standardized_difference_before", **of_estimate(before))
        if after is not None:
            yield replace(row, statistic="standardized_difference_after", **of_estimate(after))
        yield from _levels(fair, pair, balance.covariate, row)


def _levels(fair: Fair, pair: Pair, covariate: str, base: Number) -> Iterator[Number]:
    balance = next(b for b in pair.found.balance if b.covariate == covariate)
    base = replace(base, comparator=None)
    for k, level in enumerate(balance.levels):
        for c, side in enumerate((pair.older, pair.newer)):
            n, of = int(balance.before[k, c]), pair.found.n[c]
            row = replace(base, cohort=side.cohort.code, level_code=level or MISSING)
            count = replace(row, statistic="covariate_count", unit="patients", method="count")
            yield replace(count, estimate=n, numerator=n, denominator=of)
            if balance.after is not None:
                share = Estimate(float(balance.after[k, c]), method="weighted share")
                row = replace(row, statistic="covariate_weighted", unit="proportion")
                yield replace(row, **of_estimate(share))


def _patients(pair: Pair, base: Number) -> Iterator[Number]:
    """Who is used, who has a propensity that both cohorts have, and what weighting costs."""
    found = pair.found
    for c, side in enumerate((pair.older, pair.newer)):
        row = replace(base, cohort=side.cohort.code, unit="patients", method="count")
        used = {"estimate": found.n_used[c], "numerator": found.n_used[c]}
        yield replace(row, statistic="weighted_n", denominator=found.n[c], **used)
        if found.propensity:
            n = found.propensity.support.n_inside[c]
            inside = replace(row, statistic="common_support", denominator=found.n_used[c])
            yield replace(inside, estimate=n, numerator=n)
        if found.spread:
            row = replace(row, denominator=found.n_used[c], method="Kish")
            yield replace(row, statistic="effective_n", estimate=found.spread.effective_n[c])
            row = replace(row, unit="proportion", method="largest share of the weights")
            yield replace(row, statistic="largest_weight", estimate=found.spread.largest_share[c])


def _propensities(pair: Pair, base: Number) -> Iterator[Number]:
    base = replace(base, unit="patients", method="count", statistic="propensity_count")
    base = replace(base, disclosed=told_of.propensities(pair))
    for side, used, counts in zip(
        (pair.older, pair.newer), pair.found.n_used, told_of.bins(pair.found), strict=True
    ):
        for k, n in enumerate(counts):
            where = f"from_{100 * k // told_of.BINS}_percent"
            row = replace(base, cohort=side.cohort.code, level_code=where, denominator=used)
            yield replace(row, estimate=n, numerator=n)


def _stratified(pair: Pair, base: Number) -> Iterator[Number]:
    found = pair.stratified
    if found is None:
        return
    row = replace(base, measure_code=None, characteristic_code=found.characteristic.code)
    row = replace(row, **_codes(pair))
    ratio = replace(row, statistic="stratified_hazard_ratio", unit="ratio")
    yield replace(ratio, **of_estimate(found.hazard_ratio))
    test = found.log_rank
    yield replace(
        row,
        statistic="stratified_log_rank_chi_square",
        unit="chi-square",
        estimate=test.chi_square,
        p_value=test.p_value,
        method=f"log-rank, stratified, {test.degrees_of_freedom} df",
        not_estimable_reason=test.reason,
    )
