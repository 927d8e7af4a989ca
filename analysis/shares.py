"""Proportions of patients by group, and their differences: as numbers, words and chart rows.

Wilson intervals; differences against the reference group by Newcombe's method. A group of fewer
than ten patients gets n/N and no percentage.
"""

from dataclasses import dataclass, replace
from functools import cached_property

from analysis.answer import Disclosed, Number, of_estimate
from analysis.charts.rows import Difference, Proportion, Row
from analysis.groups import Group
from analysis.stats.estimate import Estimate, not_estimable
from analysis.stats.proportion import newcombe_difference, wilson
from analysis.wording import percent, percent_limits, points, points_limits
from trial.words import say

FEWEST_FOR_PERCENT = 10


@dataclass(frozen=True)
class Share:
    """`numerator` of `denominator` patients of a group; `instead` says why there is no number.

    `left_out` are those of the population who are not in the denominator. `apart` says why it is
    not compared, though it is a proportion. `more` is told after the number.
    """

    group: Group
    numerator: int
    denominator: int
    instead: str = ""
    left_out: int = 0
    apart: str = ""
    more: str = ""

    @cached_property
    def found(self) -> Estimate:
        """The proportion with its Wilson interval."""
        if self.instead:
            return not_estimable(self.instead, "Wilson")
        if 0 < self.denominator < FEWEST_FOR_PERCENT:
            return not_estimable(say("survival.few", n=FEWEST_FOR_PERCENT), "Wilson")
        return wilson(self.numerator, self.denominator)

    @property
    def counts(self) -> tuple[int, ...]:
        """The patients counted, the rest, and those left out."""
        return self.numerator, self.denominator - self.numerator, self.left_out

    @property
    def told(self) -> str:
        """38/52 (73.1 %, 59.7 to 83.2)."""
        if self.instead:
            return self.instead
        found, counted = self.found, f"{self.numerator}/{self.denominator}"
        more = f" {self.more}" if self.more else ""
        if found.estimate is None:
            return counted + more
        limits = percent_limits(found)
        told = say("share.cell", counted=counted, value=percent(found.estimate), limits=limits)
        return told + more


def difference_of(one: Share, reference: Share) -> Estimate:
    """`one` minus `reference`, Newcombe's interval."""
    for share in (reference, one):
        if share.apart:
            return not_estimable(
                say("share.of", group=share.group.label, reason=share.apart), "Newcombe"
            )
        if share.found.estimate is None:
            reason = say("share.of", group=share.group.label, reason=share.found.reason)
            return not_estimable(reason, "Newcombe")
    return newcombe_difference(
        one.numerator, one.denominator, reference.numerator, reference.denominator
    )


@dataclass(frozen=True)
class Line:
    """One row of a page: a label, each group's share, differences from the first group.

    `part` names what is withheld together; `refused` says why there is no difference. `also` are
    more numbers of patients that the row tells beside others of its part.
    """

    label: str
    shares: tuple[Share, ...]
    part: str
    refused: str | None = None
    indent: int = 0
    also: tuple[int, ...] = ()

    @cached_property
    def pairs(self) -> tuple[tuple[Share, Estimate], ...]:
        """Each group after the first with its difference from the first."""
        if self.refused or not self.shares:
            return ()
        reference, *others = self.shares
        return tuple((share, difference_of(share, reference)) for share in others)

    @property
    def disclosed(self) -> Disclosed:
        """What the row tells of patients."""
        counts = tuple(n for share in self.shares for n in share.counts)
        return Disclosed((*counts, *self.also), self.part)

    @property
    def cells(self) -> tuple[str, ...]:
        """The label, every share and every difference, as a table shows them."""
        told = [difference_told(found) for _, found in self.pairs]
        return (self.label, *(share.told for share in self.shares), *told)

    def chart_row(self, is_hidden: bool) -> Row:
        """The row as a chart draws it; a withheld one says so."""
        if is_hidden:
            hidden = say("disclosure.short")
            return Row(
                self.label,
                tuple(
                    Proportion(s.group.label, s.group.role, None, None, None, instead=hidden)
                    for s in self.shares
                ),
                indent=self.indent,
            )
        return Row(self.label, tuple(map(_proportion, self.shares)), self._drawn(), self.indent)

    def _drawn(self) -> tuple[Difference, ...]:
        """The differences under their whole name: which group minus which."""
        reference = self.shares[0].group.label
        drawn = []
        for s, d in self.pairs:
            name = say("share.minus", cohort=s.group.label, comparator=reference)
            limits = (d.estimate, d.lower, d.upper)
            drawn.append(Difference(name, s.group.role, *limits, instead=d.reason or ""))
        return tuple(drawn)


def difference_told(found: Estimate) -> str:
    """+8.1 (-10.2 to +26.0) percentage points, or why there is none."""
    if found.estimate is None:
        return say("value.not_estimable", reason=found.reason)
    return say("value.with_limits", value=points(found.estimate), limits=points_limits(found))


def _proportion(share: Share) -> Proportion:
    found = share.found
    known = not share.instead
    return Proportion(
        share.group.label,
        share.group.role,
        share.numerator if known else None,
        share.denominator if known else None,
        found.estimate,
        found.lower,
        found.upper,
        instead=share.instead,
    )


def line_numbers(line: Line, base: Number, statistic: str) -> list[Number]:
    """The tidy numbers of a row: each share, each difference."""
    numbers = []
    base = replace(base, disclosed=line.disclosed, unit="proportion")
    for share in line.shares:
        row = replace(base, cohort=share.group.code, statistic=statistic)
        row = replace(row, numerator=share.numerator, denominator=share.denominator)
        numbers.append(replace(row, **of_estimate(share.found)))
    for share, found in line.pairs:
        row = replace(base, cohort=share.group.code, comparator=line.shares[0].group.code)
        row = replace(row, statistic=f"{statistic}_difference")
        numbers.append(replace(row, **of_estimate(found)))
    return numbers


def headline_of(line: Line) -> str:
    """The row in words: each group's share, then each difference."""
    parts = [say("share.named", group=s.group.label, told=s.told) for s in line.shares]
    text = say("share.headline", label=line.label, parts="; ".join(parts))
    for share, found in line.pairs:
        told = {"cohort": share.group.label, "comparator": line.shares[0].group.label}
        if found.estimate is None:
            text += " " + say("survival.headline_no_difference", reason=found.reason, **told)
        else:
            limits = points_limits(found)
            value = points(found.estimate)
            text += " " + say("survival.headline_difference", value=value, limits=limits, **told)
    return text
