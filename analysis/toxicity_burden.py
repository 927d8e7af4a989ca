"""How much harm a block brings and for how long: mean grade-days per patient, block by block.

A patient's grade-days are the sum of the grade over the days of each term's events in the block.
They tell long harm from short, which the worst grade does not.
"""

from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
import polars as pl

from analysis.answer import Account, Answer, Disclosed, Figure, Note, Number, Table, of_estimate
from analysis.charts.rows import Amount, Row
from analysis.charts.toxicity import rates, rates_height
from analysis.compose import Page
from analysis.disclosure import gate
from analysis.groups import Group
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.counts import Array
from analysis.stats.estimate import Estimate, not_estimable
from analysis.stats.toxicity import BURDEN, burden_difference, mean_burden
from analysis.toxicity_exposure import (
    ALL,
    accounts_of,
    among,
    is_kept,
    not_kept,
    scales_told,
    terms_of,
)
from analysis.toxicity_items import ANY, Items, Started, items_of, number_code
from analysis.wording import written
from trial.study import Block
from trial.words import say
from warehouse.query import query


def _written(x: float) -> str:
    """43.5; below 1 with a digit more, so that little is not nothing."""
    return f"{x:.1f}" if x >= 1 else f"{x:.2f}"


def _signed(x: float) -> str:
    return ("\u2212" if x < 0 else "+") + _written(abs(x))


@dataclass(frozen=True)
class Borne:
    """The grade-days of a group in a block; `rows`: of the documented, those who are alike."""

    started: Started
    rows: pl.DataFrame

    @property
    def group(self) -> Group:
        """Whose."""
        return self.started.group

    @property
    def n(self) -> int:
        """Documented patients."""
        return self.started.n_documented

    @cached_property
    def of_each(self) -> Array:
        """The grade-days of every documented patient."""
        days, n = self.rows["grade_days"].to_numpy(), self.rows["n"].to_numpy()
        return np.repeat(days, n).astype(float)

    @property
    def n_open(self) -> int:
        """Events without a recorded end."""
        return int((self.rows["n_open"] * self.rows["n"]).sum())

    @property
    def n_late(self) -> int:
        """Events that began after the last contact: not counted."""
        return int((self.rows["n_late"] * self.rows["n"]).sum())

    @property
    def grade_days(self) -> int:
        """Of all documented."""
        return int((self.rows["grade_days"] * self.rows["n"]).sum())

    @property
    def counts(self) -> tuple[int, ...]:
        """Patients: with grade-days, without, with an open end, with a late event, not counted."""
        n = {c: int(self.rows.filter(pl.col(c) > 0)["n"].sum()) for c in BORNE}
        some = n["grade_days"]
        return (*self.started.disclosed, some, self.n - some, *n.values(), self.n_open)

    @property
    def instead(self) -> str:
        """Why there is no number."""
        if self.n:
            return ""
        return say("toxicity.undocumented" if self.started.n_started else "toxicity.not_given")

    @cached_property
    def found(self) -> Estimate:
        """The mean with its interval; of fewer than ten patients none."""
        if self.instead:
            return not_estimable(self.instead, BURDEN)
        if self.n < FEWEST_FOR_PERCENT:
            return not_estimable(say("survival.few", n=FEWEST_FOR_PERCENT), BURDEN)
        return mean_burden(self.of_each)

    @property
    def told(self) -> str:
        """3304 grade-days in 76 patients: 43.5 (38.1 to 49.6)."""
        if self.instead:
            return self.instead
        counted = say("burden.counted", days=self.grade_days, n=self.n)
        if self.found.estimate is None:
            return counted
        return f"{counted}: {written(self.found, _written)}"

    def drawn(self, hidden: str) -> Amount:
        """As a chart draws it; a withheld one says so."""
        label, role = self.group.label, self.group.role
        if instead := hidden or self.instead:
            return Amount(label, role, None, instead=instead)
        found, n = self.found, say("burden.n", n=self.n)
        if found.estimate is None:
            return Amount(label, role, None, number=n, instead=found.reason or "")
        number = f"{n}\u2002{_written(found.estimate)}"
        limits = (found.estimate, found.lower, found.upper)
        return Amount(label, role, *limits, number=number, more=self.told)


BORNE = ("grade_days", "n_open", "n_late")


@dataclass(frozen=True)
class Burden:
    """A block: the grade-days of each group; `refused` says why they are not compared."""

    block: Block
    groups: tuple[Borne, ...]
    refused: str | None

    @cached_property
    def disclosed(self) -> Disclosed:
        """All that is told of the block stands or falls together."""
        counts = tuple(n for one in self.groups for n in one.counts)
        return Disclosed(counts, f"burden.{self.block.code}")

    @cached_property
    def pairs(self) -> tuple[tuple[Borne, Estimate], ...]:
        """Each group after the first with its difference from the first."""
        if self.refused:
            return ()
        reference, *others = self.groups
        return tuple((one, _difference(one, reference)) for one in others)

    def row(self) -> Row:
        """As a chart draws it."""
        hidden = "" if gate().passes(self.disclosed) else say("disclosure.short")
        return Row(self.block.label, tuple(one.drawn(hidden) for one in self.groups))

    def cells(self) -> tuple[str | int, ...]:
        """Block, each group's burden, differences, events without end."""
        told = [written(found, _signed) for _, found in self.pairs]
        told += [self.refused or ""] * (len(self.groups) - 1 - len(told))
        ends = (one.n_open if one.n else say("value.none") for one in self.groups)
        return (self.block.label, *(one.told for one in self.groups), *told, *ends)

    def numbers(self, base: Number) -> list[Number]:
        """Means, differences, grade-days in all and events without a recorded end."""
        base = replace(base, block_code=self.block.code, disclosed=self.disclosed)
        numbers = []
        for one in self.groups:
            row = replace(base, cohort=one.group.code, denominator=one.n, unit="grade-days")
            numbers.append(replace(row, statistic="burden_mean", **of_estimate(one.found)))
            row = replace(row, method="count")
            counts = (("burden_grade_days", one.grade_days, "grade-days"),)
            counts += (("burden_unknown_end", one.n_open, "events"),)
            numbers += [
                replace(row, statistic=name, estimate=n, unit=unit) for name, n, unit in counts
            ]
        for one, found in self.pairs:
            comparator = self.groups[0].group.code
            row = replace(base, cohort=one.group.code, comparator=comparator, unit="grade-days")
            numbers.append(replace(row, statistic="burden_difference", **of_estimate(found)))
        return numbers


def _difference(one: Borne, reference: Borne) -> Estimate:
    for side in (reference, one):
        if side.found.estimate is None:
            told = say("share.of", group=side.group.label, reason=side.found.reason)
            return not_estimable(told, BURDEN)
    return burden_difference(reference.of_each, one.of_each)


def _burdens(items: Items) -> tuple[Burden, ...]:
    """Every block that anybody of the population started."""
    on = items.on
    found = query(on.snapshot, "burden", on.view.selection, item=ALL if on.view.extra else ANY)
    burdens = []
    for block in on.study.blocks:
        mine = found.filter(pl.col("block_code") == block.code)
        started = items.started(block.code)
        if any(s.n_started for s in started):
            groups = tuple(Borne(s, mine.filter(s.group.matches)) for s in started)
            burdens.append(Burden(block, groups, items.refused(block.code)))
    return tuple(burdens)


def _table(items: Items, burdens: tuple[Burden, ...]) -> Table:
    groups = items.groups
    columns = [say("column.block"), *(g.label for g in groups)]
    for g in groups[1:]:
        columns.append(say("share.minus", cohort=g.label, comparator=groups[0].label))
    columns += [say("burden.ends", group=g.label) for g in groups]
    rows = tuple(burden.cells() for burden in burdens)
    told = tuple(burden.disclosed for burden in burdens)
    return Table("burden", say("burden.table"), tuple(columns), rows, told)


def _accounts(items: Items, burdens: tuple[Burden, ...]) -> tuple[Account, ...]:
    """Documented in at least one block."""
    shown, never = among(items, "block_lines"), say("burden.without")
    beside = {
        one.group.code: tuple(burden.groups[k].n for burden in burdens)
        for k, one in enumerate(shown)
    }
    return accounts_of(items, shown, never, "burden_account", beside)


def _figure(items: Items, burdens: tuple[Burden, ...]) -> tuple[Figure, ...]:
    rows = [burden.row() for burden in burdens]
    if not any(p.estimate is not None for row in rows for p in row.proportions):
        return ()
    on = items.on
    scales = scales_told(items, ANY, tuple(b.block.code for b in burdens))
    shown = say("burden.every" if on.view.extra else "burden.shown")
    return (
        Figure(
            code="burden",
            title=say("burden.title"),
            draw=partial(rates, rows, say("burden.axis"), is_rate=True),
            page_height=rates_height(rows),
            caption=on.caption("burden.caption", scales=scales, shown=shown),
            alt_text=say("burden.alt"),
            tables=("burden",),
            accounts=_accounts(items, burdens),
        ),
    )


def _headline(burdens: tuple[Burden, ...], asked: str) -> str:
    """The chosen block, or the first that anybody had: the highest would be the longest."""
    of = next((b for b in burdens if b.block.code == asked), burdens[0])
    named = (say("share.named", group=one.group.label, told=one.told) for one in of.groups)
    return say("burden.headline", block=of.block.label, parts="; ".join(named))


def _is_mixed(items: Items, block: Block) -> bool:
    """Whether a term of the block was graded by scales that do not mean the same."""
    terms = terms_of(items.on, ANY)
    return any(items.two_scales(block.code, f"term/{term}") for term in terms)


def _notes(items: Items, burdens: tuple[Burden, ...]) -> list[Note]:
    on, notes = items.on, []
    if on.refused:
        notes.append(Note("warning", on.refused))
    for burden in burdens:
        if burden.refused and burden.refused != on.refused:
            told = say("share.of", group=burden.block.label, reason=burden.refused)
            notes.append(Note("warning", told, Disclosed(part=burden.disclosed.part)))
    mixed = [b for b in burdens if _is_mixed(items, b.block)]
    if mixed:
        parts = ", ".join(b.block.label for b in mixed)
        told = Disclosed(part=mixed[0].disclosed.part)
        notes.append(Note("warning", say("burden.mixed", parts=parts), told))
    late = [(b, sum(one.n_late for one in b.groups)) for b in burdens]
    for burden, n in late:
        if n:
            text = say("burden.late", n=n, block=burden.block.label)
            told = Disclosed((n, *burden.disclosed.counts), burden.disclosed.part)
            notes.append(Note("warning", text, told))
    if steps := on.study.toxicity.steps:
        named = ", ".join(f"{k} {step}" for k, step in enumerate(steps, start=1))
        notes.append(Note("info", say("burden.steps", steps=named)))
    return [*notes, Note("info", say("burden.lengths")), Note("info", say("toxicity.exploratory"))]


def burden_answer(on: Page) -> Answer:
    """The burdens of a view; a sentence if nobody of the population started a block."""
    if not is_kept(on):
        return not_kept(on)
    items = items_of(on)
    burdens = _burdens(items)
    if not burdens:
        return on.answer(say("burden.nobody"), [], (), (), ())
    base = replace(on.number(), item_code=number_code(on, ANY), denominator_code="documented")
    return on.answer(
        _headline(burdens, on.view.block),
        _notes(items, burdens),
        _figure(items, burdens),
        (_table(items, burdens),),
        tuple(number for burden in burdens for number in burden.numbers(base)),
        headline_disclosed=tuple(burden.disclosed for burden in burdens),
    )
