"""Competing events compared between groups: the difference leads, Gray's test comes last.

Where follow-up is unequal, all three end with the follow-up that the groups share. Who of a group
is fewer than ten is not compared.
"""

from dataclasses import dataclass, replace

from analysis.answer import Disclosed, Note, Number, Table, of_estimate
from analysis.compose import Page
from analysis.incidence_results import (
    GroupIncidence,
    compared_groups,
    differences,
    row_disclosed,
    totals_disclosed,
    window_of_groups,
)
from analysis.incidence_window import cut_states
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.competing import StateCounts
from analysis.stats.estimate import Estimate, not_estimable
from analysis.stats.fine_gray import METHOD, subdistribution_hazard_ratios
from analysis.stats.gray import GrayTest, gray_test
from analysis.stats.survival import kaplan_meier, survival_at
from analysis.survival_window import Window, few_within
from analysis.wording import p_value, percent, points, time_in_words, written
from trial.study import Endpoint
from trial.words import say

# Two estimates that differ by less look the same where they are written.
LEAST_TOLD = 0.001
FEWEST_EVENTS = 10


@dataclass(frozen=True)
class IncidencePair:
    """A group against the first: difference at the milestone, subdistribution hazard ratio."""

    one: GroupIncidence
    difference: Estimate
    ratio: Estimate


@dataclass(frozen=True)
class IncidenceComparison:
    """State 1 of all groups: every pair with the first, Gray's test of those of at least ten.

    `window`: how far they are compared. `n_beyond`: events of state 1 after its end. `over_all`:
    the ratios of the groups compared, over all follow-up; empty unless there are such events.
    """

    found: tuple[GroupIncidence, ...]
    pairs: tuple[IncidencePair, ...]
    test: GrayTest
    compared: tuple[GroupIncidence, ...]
    window: Window
    n_beyond: int
    over_all: tuple[Estimate, ...]


def _counts(found: tuple[GroupIncidence, ...], end: float | None) -> tuple[StateCounts, ...]:
    return tuple(cut_states(g.counts, end) for g in found)


def _few_within(on: Page, enough: tuple[GroupIncidence, ...], window: Window) -> str:
    n = sum(g.counts.n_events[0] for g in enough)
    return few_within(on.study, window.end, n - _n_beyond(enough, window), n)


def _ratios(
    on: Page,
    found: tuple[GroupIncidence, ...],
    enough: tuple[GroupIncidence, ...],
    window: Window,
) -> list[Estimate]:
    """Of every group but the first, in one model of the groups with enough patients."""
    if reason := _few_within(on, enough, window):
        return [not_estimable(reason, METHOD) for _ in found[1:]]
    few = not_estimable(say("survival.few", n=FEWEST_FOR_PERCENT), METHOD)
    if found[0] not in enough or len(enough) < 2:
        return [few for _ in found[1:]]
    ratios = iter(subdistribution_hazard_ratios(_counts(enough, window.end), 1))
    return [next(ratios) if g in enough else few for g in found[1:]]


def _test(
    on: Page, found: tuple[GroupIncidence, ...], enough: tuple[GroupIncidence, ...], window: Window
) -> GrayTest:
    if not on.refused and len(enough) > 1:
        if reason := _few_within(on, enough, window):
            return GrayTest(None, 0, None, (), (), reason)
        return gray_test(_counts(enough, window.end), 1)
    key = "survival.only_one" if len(found) < 2 else "survival.few_cohorts"
    reason = on.refused or say(key, n=FEWEST_FOR_PERCENT)
    return GrayTest(None, 0, None, (), (), reason)


def incidence_comparison(
    on: Page, endpoint: Endpoint, found: tuple[GroupIncidence, ...]
) -> IncidenceComparison:
    """The groups compared, or the reasons why not; `endpoint` is of kind incidence."""
    days, enough = on.view.time * on.study.unit_days, compared_groups(on, found)
    window = window_of_groups(on, found)
    pairs: tuple[IncidencePair, ...] = ()
    if told := differences(on, endpoint, found, days):
        ratios = _ratios(on, found, enough, window)
        pairs = tuple(
            IncidencePair(g, difference, ratio)
            for (g, difference), ratio in zip(told, ratios, strict=True)
        )
    test, n_beyond = _test(on, found, enough, window), _n_beyond(enough, window)
    over_all: tuple[Estimate, ...] = ()
    if n_beyond and pairs and len(enough) > 1:
        over_all = subdistribution_hazard_ratios(_counts(enough, None), 1)
    return IncidenceComparison(found, pairs, test, enough, window, n_beyond, over_all)


def _n_beyond(found: tuple[GroupIncidence, ...], window: Window) -> int:
    if window.end is None:
        return 0
    return sum(g.counts.n_events[0] - g.events_by(1, window.end) for g in found)


# ---------------------------------------------------------------- table


def _at_time(on: Page, found: tuple[GroupIncidence, ...]) -> Disclosed:
    return row_disclosed(found, 1, on.view.time * on.study.unit_days, f"states.{on.view.time:g}")


def _with_p(told: str, p: float | None) -> str:
    return told if p is None else say("value.with_p", value=told, p=p_value(p))


def _test_told(test: GrayTest) -> str:
    if test.chi_square is None:
        return say("value.not_estimable", reason=test.reason)
    told = {"chi_square": f"{test.chi_square:.2f}", "df": test.degrees_of_freedom}
    return _with_p(say("value.log_rank", **told), test.p_value)


def _test_row(of: IncidenceComparison) -> tuple[str, ...]:
    """In the column of the pair; of several groups it belongs to no pair and stands alone."""
    told, n_pairs = _test_told(of.test), len(of.pairs)
    if n_pairs == 1 or of.test.chi_square is None:
        return (say("incidence.gray"), told, *[""] * (n_pairs - 1))
    alone = say("incidence.gray_all", n=len(of.compared), value=told)
    return (alone, *[""] * n_pairs)


def comparison_table(on: Page, of: IncidenceComparison) -> Table:
    """Difference, ratio, test; without rows where there is nothing to compare."""
    reference, rows = of.found[0].group.label, []
    names = [
        say("column.against", cohort=pair.one.group.label, comparator=reference)
        for pair in of.pairs
    ]
    if of.pairs:
        when = time_in_words(on.study, on.view.time)
        unit = say("value.points")
        differences_ = [written(pair.difference, points, unit) for pair in of.pairs]
        rows.append((say("measure.difference", time=when), *differences_))
        ratios = [
            _with_p(written(pair.ratio, lambda h: f"{h:.2f}"), pair.ratio.p_value)
            for pair in of.pairs
        ]
        rows += [(say("incidence.ratio"), *ratios), _test_row(of)]
    totals = totals_disclosed(of.found)
    disclosed = (_at_time(on, of.found), totals, totals)[: len(rows)]
    columns, title = (say("column.measure"), *names), say("survival.table_comparison")
    return Table("comparison", title, columns, tuple(rows), disclosed)


# ---------------------------------------------------------------- notes


def over_all_told(of: IncidenceComparison) -> str:
    """The ratios over all follow-up, beside those that end with the shared one."""
    told = [
        say("share.named", group=g.group.label, told=written(ratio, lambda h: f"{h:.2f}"))
        for g, ratio in zip(of.compared[1:], of.over_all, strict=False)
        if ratio.estimate is not None
    ]
    return " " + say("incidence.over_all", parts="; ".join(told)) if told else ""


def comparison_notes(on: Page, of: IncidenceComparison) -> list[Note]:
    """Why there is no Kaplan-Meier, what the ratio is, and where events are few."""
    notes = []
    few = [g for g in of.compared if g.counts.n_events[0] < FEWEST_EVENTS]
    if of.pairs and few:
        parts = "; ".join(
            say("incidence.few_of", n=g.counts.n_events[0], group=g.group.label) for g in few
        )
        text = say("incidence.few_events", n=FEWEST_EVENTS, parts=parts)
        notes.append(Note("warning", text, totals_disclosed(of.found)))
    notes.append(no_kaplan_meier(on, of.found))
    if of.pairs:
        notes.append(Note("info", say("incidence.ratio_note")))
    return notes


def _naive(g: GroupIncidence, days: float) -> tuple[float, float] | None:
    """1 - Kaplan-Meier of state 1 and its incidence, where both exist and look different."""
    incidence = g.at(1, days).estimate
    free = survival_at(kaplan_meier(g.counts.cause_specific(1)), days).estimate
    if incidence is None or free is None or abs(1 - free - incidence) < LEAST_TOLD:
        return None
    return 1 - free, incidence


def no_kaplan_meier(on: Page, found: tuple[GroupIncidence, ...]) -> Note:
    """Why the curve is not 1 - Kaplan-Meier: what that would say instead, where it differs."""
    days = on.view.time * on.study.unit_days
    parts = []
    for g in found:
        if (told := _naive(g, days)) is not None:
            wrong, right = map(percent, told)
            parts.append(
                say("incidence.naive_of", wrong=wrong, right=right, group=g.group.label, n=g.n)
            )
    if not parts:
        return Note("info", say("incidence.no_km"))
    when = time_in_words(on.study, on.view.time)
    text = say("incidence.naive", time=when, parts="; ".join(parts))
    return Note("info", text, _at_time(on, found))


# ---------------------------------------------------------------- numbers


def comparison_numbers(on: Page, endpoint: Endpoint, of: IncidenceComparison) -> list[Number]:
    """Gray's chi-square of all groups compared, and the ratio of every pair."""
    base = replace(on.number(), endpoint=endpoint.code, disclosed=totals_disclosed(of.found))
    numbers, until = [], _until(on, of.window)
    for pair in of.pairs:
        row = replace(base, cohort=pair.one.group.code, comparator=of.found[0].group.code)
        row = replace(row, statistic="subdistribution_hazard_ratio", unit="ratio")
        told = of_estimate(pair.ratio)
        numbers.append(replace(row, **{**told, "method": f"{told['method']}{until}"}))
    test = of.test
    row = replace(base, statistic="gray_chi_square", unit="chi-square")
    told = {"estimate": test.chi_square, "p_value": test.p_value}
    told |= {"method": f"Gray's test, {test.degrees_of_freedom} df{until}"}
    compared = ",".join(g.group.code for g in of.compared)
    numbers.append(replace(row, cohort=compared, not_estimable_reason=test.reason, **told))
    return numbers


def _until(on: Page, window: Window) -> str:
    """Where comparisons end, if they do before follow-up does."""
    if window.end is None:
        return ""
    return f", up to {window.end / on.study.unit_days:.1f} {on.study.time_unit}s"
