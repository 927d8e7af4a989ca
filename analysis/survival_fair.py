"""The fair comparison of cohorts that were not randomized: crude beside weighted, and its balance.

Offered and judged by the rules of `analysis/stats/fair_comparison.py`; both verdicts stand in the
headline. Never for randomized cohorts: there the plain comparison is the fair one.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from analysis import survival_fair_disclosed as told_of
from analysis.answer import Answer, Note, Table
from analysis.compose import Page
from analysis.stats.estimate import Estimate
from analysis.stats.fair_comparison import TOO_FEW
from analysis.survival_fair_figures import fair_figures
from analysis.survival_fair_numbers import fair_numbers
from analysis.survival_fair_results import Fair, Pair, fair_results
from analysis.survival_fair_tables import (
    balance_table,
    comparison_table,
    mean_told,
    overlap_table,
    ratio_told,
    strata_table,
    weights_table,
)
from analysis.survival_fair_words import covariates, cut_in_words, names, suffix, whom
from analysis.survival_guards import not_proportional
from analysis.wording import points, points_limits, time_in_words
from trial.study import MISSING
from trial.words import say


def fair_answer(on: Page) -> Answer:
    """The comparisons of a view, or the sentence that says why there is none."""
    if reason := _not_for(on):
        return on.answer(reason, [], (), (), ())
    fair = fair_results(on)
    if not fair.pairs:
        return on.answer(say("fair.alone", reason=say("survival.only_one")), [], (), (), ())
    headline = "\n".join(_headline(fair, pair) for pair in fair.pairs)
    pairs = [(pair, suffix(position)) for position, pair in enumerate(fair.pairs)]
    return on.answer(
        headline,
        fair_notes(fair),
        tuple(f for pair, end in pairs for f in fair_figures(fair, pair, headline, end)),
        tuple(t for pair, end in pairs for t in _tables(fair, pair, end)),
        partial(fair_numbers, fair),
        headline_disclosed=(told_of.together(fair),),
    )


def _not_for(on: Page) -> str | None:
    """Why the view has no weighted comparison at all, in words."""
    study, endpoint = on.study, on.study.endpoint(on.view.endpoint)
    if study.randomised:
        return say("fair.randomised")
    if not study.survival.covariate_codes:
        return say("fair.no_covariates")
    if endpoint.kind != "survival":
        others = [e.label for e in study.endpoints if e.kind == "survival"]
        if not others:
            return say("fair.no_survival")
        return say("fair.only_survival", endpoint=endpoint.label, other=others[0])
    return say("fair.refused", reason=on.refused) if on.refused else None


# ---------------------------------------------------------------- headline and notes


def _points(found: Estimate) -> str:
    if found.estimate is None:
        return say("value.not_estimable", reason=found.reason)
    value = points(found.estimate)
    if found.lower is None and found.upper is None:
        return say("fair.points_bare", value=value, reason=found.reason)
    return say("fair.points", value=value, limits=points_limits(found))


def _headline(fair: Fair, pair: Pair) -> str:
    """The crude difference beside the weighted one; or why there is none, beside the crude one."""
    on, found, time = fair.on, pair.found, fair.on.view.time
    told = {
        "endpoint": fair.results.endpoint.label,
        "time": time_in_words(on.study, time),
        "crude": _points(pair.crude.difference_at(time)),
        **names(pair),
    }
    if found.outcome is None:
        text = say("fair.headline_refused", reasons=_reasons(found.reasons), **told)
        if not pair.stratified:
            return text
        by, ratio = pair.stratified.characteristic.label, pair.stratified.hazard_ratio
        return f"{text} {say('fair.headline_stratified', by=by, ratio=ratio_told(ratio))}"
    verdict = say("fair.balanced")
    if found.failures:
        verdict = say("fair.unbalanced", failures="; ".join(found.failures))
    told["weighted"] = _points(fair.at(found.outcome.survival_difference, time))
    told |= {"whom": whom(pair), "verdict": verdict, "covariates": covariates(fair)}
    told["mean"] = _means(fair, pair) if pair.crude.difference_at(time).estimate is None else ""
    return say("fair.headline", **told)


def _means(fair: Fair, pair: Pair) -> str:
    """The restricted means, which stand in where the time has no difference."""
    crude, tau = pair.crude.rmst_difference, fair.results.tau.shown
    if pair.outcome is None or tau is None or crude.estimate is None:
        return ""
    weighted = pair.outcome.restricted_mean_difference
    told = {"crude": mean_told(fair, crude), "weighted": mean_told(fair, weighted)}
    return say("fair.headline_mean", time=time_in_words(fair.on.study, tau), **told)


def _reasons(reasons: tuple[str, ...]) -> str:
    """Every failed condition; that they are too few is said once."""
    first, *others = reasons
    return "; ".join([first, *(reason.removeprefix(f"{TOO_FEW}: ") for reason in others)])


def fair_notes(fair: Fair) -> list[Note]:
    """What a reader of the comparison must know: who is left out, in both, or not recorded."""
    together = told_of.together(fair)
    is_offered = any(pair.found.is_offered for pair in fair.pairs)
    historical = say("fair.not_randomised", covariates=covariates(fair))
    notes = [Note("warning", historical if is_offered else say("survival.not_randomised"))]
    for pair in fair.pairs:
        notes += [replace(note, disclosed=together) for note in _pair_notes(fair, pair)]
    notes += not_proportional(fair.results, "survival.ph_fails_ratio")
    if fair.cut_day is not None:
        notes.append(Note("info", say("fair.cut", time=cut_in_words(fair))))
    if is_offered:
        notes.append(Note("info", say("fair.e_value")))
    if len(fair.results.compared) > 2:
        notes.append(Note("info", say("survival.joint", n=len(fair.results.compared))))
    return [*notes, Note("info", say("fair.noise"))]


def _pair_notes(fair: Fair, pair: Pair) -> Iterator[Note]:
    found, labels = pair.found, (pair.older.cohort.label, pair.newer.cohort.label)
    if found.n_in_both:
        told = {"n": found.n_in_both, "of": sum(found.n), **names(pair)}
        yield Note("warning", say("fair.both", **told))
    if found.left_out:
        parts = []
        for x in found.left_out:
            named = fair.covariate(x.covariate)
            level = named.level_label(x.level or MISSING)
            told = {"n": x.n, "of": found.n[x.cohort], "cohort": labels[x.cohort]}
            parts.append(say("fair.one_sided_part", label=named.label, level=level, **told))
        yield Note("warning", say("fair.one_sided", parts="; ".join(parts)))
    if pair.complete:
        known = zip(pair.complete.n, found.n, labels, strict=True)
        told = (say("fair.missing_part", n=n, of=of, cohort=label) for n, of, label in known)
        yield Note("info", say("fair.missing", parts=", ".join(told)))
        if reasons := pair.complete.reasons:
            yield Note("info", say("fair.complete_refused", reasons=_reasons(reasons)))


# ---------------------------------------------------------------- tables


def _tables(fair: Fair, pair: Pair, end: str) -> tuple[Table, ...]:
    return (
        comparison_table(fair, pair, f"fair{end}"),
        strata_table(fair, pair, f"fair_strata{end}"),
        weights_table(fair, pair, f"fair_weights{end}"),
        balance_table(fair, pair, f"fair_balance{end}"),
        overlap_table(pair, f"fair_overlap{end}"),
    )
