"""The one gate between numbers and anyone's eyes.

The operator chooses at start: a policy ($RELAPSE_BOARD_DISCLOSURE) and who is looking
($RELAPSE_BOARD_ACCESS). Policy `exact` lets every number pass. Policy `k` (or `k10` for another
threshold than 5) withholds a row or figure, with everything that goes with it, when a number of
patients in it is from 1 to k - 1; withheld is never shown as 0. What is a part of what is said by
whoever builds an answer (`analysis.answer.Disclosed`): counts, and what is left of their
denominators. If the selection itself leaves 1 to k - 1 patients in or out of a group, nothing of it
is shown: two selections that differ by a child must not be subtracted.

A viewer sees aggregates; the records of patients are opened for a clinician alone.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from analysis.answer import Answer, Card, Disclosed, Figure, Note, Number, Table
from trial.words import say

ENVIRONMENT = "RELAPSE_BOARD_DISCLOSURE"
ACCESS = "RELAPSE_BOARD_ACCESS"
EXACT = "exact"
VIEWER, CLINICIAN = "viewer", "clinician"
DEFAULT_K = 5
_K = re.compile(r"k([2-9]|[1-9][0-9])?")


class PolicyError(Exception):
    """The operator asked for a policy or role that this program does not know."""


@dataclass(frozen=True)
class Gate:
    """What passes: with `k` None everything, else no number of patients from 1 to k - 1."""

    k: int | None = None

    def hides(self, *counts: int) -> bool:
        """Whether any of these numbers of patients is too small to be shown."""
        return self.k is not None and any(0 < count < self.k for count in counts)

    def passes(self, disclosed: Disclosed) -> bool:
        """Whether everything of this passes."""
        return not self.hides(*disclosed.counts)


def gate() -> Gate:
    """The operator's policy. Raises PolicyError for one that is not known."""
    asked = os.environ.get(ENVIRONMENT, EXACT)
    if asked == EXACT:
        return Gate()
    found = _K.fullmatch(asked)
    if not found:
        raise PolicyError(say("disclosure.unknown", variable=ENVIRONMENT, value=asked))
    return Gate(int(found[1] or DEFAULT_K))


def is_clinician() -> bool:
    """Whether the operator serves clinicians: the one place that decides who sees rows.

    Raises PolicyError for a role that is not known. A policy that withholds small cells is not
    for clinicians, who see exact numbers: the two together are refused.
    """
    role = os.environ.get(ACCESS, VIEWER)
    if role not in (VIEWER, CLINICIAN):
        raise PolicyError(say("disclosure.unknown_role", variable=ACCESS, value=role))
    if role == CLINICIAN and gate().k is not None:
        raise PolicyError(say("disclosure.role_and_policy", access=ACCESS, policy=ENVIRONMENT))
    return role == CLINICIAN


def _all_disclosed(answer: Answer) -> Iterable[Disclosed]:
    yield from answer.headline_disclosed
    for note in answer.notes:
        yield note.disclosed
    for figure in answer.figures:
        yield from figure.disclosed
        for account in figure.accounts:
            yield account.disclosed
    for card in answer.cards:
        yield card.disclosed
    for table in answer.tables:
        yield from table.disclosed
    for number in answer.numbers:
        yield number.disclosed


@dataclass(frozen=True)
class _Withheld:
    """The parts of an answer that may not be shown, and the gate that said so."""

    gate: Gate
    parts: frozenset[str]

    def passes(self, *disclosed: Disclosed) -> bool:
        return all(d.part not in self.parts and self.gate.passes(d) for d in disclosed)


def _table(table: Table, withheld: _Withheld) -> Table:
    if not table.disclosed:
        return table
    hidden, rows = say("disclosure.short"), []
    for row, disclosed in zip(table.rows, table.disclosed, strict=True):
        kept = row[: table.n_labels]
        rows.append(
            row if withheld.passes(disclosed) else (*kept, *[hidden] * (len(row) - len(kept)))
        )
    return replace(table, rows=tuple(rows))


def _number(number: Number, withheld: _Withheld) -> Number:
    if withheld.passes(number.disclosed):
        return number
    empty = dict.fromkeys(("estimate", "lower", "upper", "p_value", "numerator", "denominator"))
    return replace(number, **empty, not_estimable_reason=say("disclosure.reason"))


def _figures(answer: Answer, withheld: _Withheld) -> tuple[tuple[Figure, ...], tuple[Note, ...]]:
    kept = [f for f in answer.figures if withheld.passes(*f.disclosed)]
    lost = [f.title for f in answer.figures if not withheld.passes(*f.disclosed)]
    shown = tuple(
        replace(f, accounts=tuple(a for a in f.accounts if withheld.passes(a.disclosed)))
        for f in kept
    )
    notes = tuple(Note("info", say("disclosure.figure", title=title)) for title in lost)
    return shown, notes


def _card(card: Card, withheld: _Withheld) -> Card:
    if withheld.passes(card.disclosed):
        return card
    return replace(card, value=say("disclosure.short"), small=())


def _nothing(answer: Answer, names: list[str]) -> Answer:
    """The answer of a selection that leaves too few in or out of a group."""
    told = say("disclosure.population", cohorts=", ".join(names))
    nothing = {"notes": (), "figures": (), "tables": (), "cards": (), "has_numbers": False}
    return replace(answer, headline=told, tell=tuple, **nothing)


def release(answer: Answer, beside: Answer | None = None) -> Answer:
    """The answer as the policy lets it out; what is withheld in `beside` is withheld here too.

    Raises PolicyError.
    """
    policy = gate()
    if policy.k is None:
        return answer
    small = [
        c.label
        for c in answer.cohorts
        if policy.hides(c.n_population, c.n_enrolled - c.n_population)
    ]
    if small:
        sizes = tuple(replace(c, n_population=0, is_withheld=True) for c in answer.cohorts)
        answer = replace(answer, cohorts=sizes)
        if answer.is_about_patients:
            return _nothing(answer, small)
    told = [*_all_disclosed(answer), *(_all_disclosed(beside) if beside else ())]
    parts = {d.part for d in told if d.part and not policy.passes(d)}
    withheld = _Withheld(policy, frozenset(parts))
    figures, lost = _figures(answer, withheld)
    keeps = withheld.passes(*answer.headline_disclosed)
    headline = answer.headline if keeps else say("disclosure.headline")
    # What a figure says to those who do not see it repeats the headline.
    figures = tuple(
        replace(f, alt_text=f.alt_text.replace(answer.headline, headline)) for f in figures
    )
    notes = tuple(n for n in answer.notes if withheld.passes(n.disclosed))
    return replace(
        answer,
        headline=headline,
        notes=(*notes, *lost, Note("info", say("disclosure.policy", k=policy.k))),
        figures=figures,
        tables=tuple(_table(table, withheld) for table in answer.tables),
        tell=lambda: tuple(_number(number, withheld) for number in answer.numbers),
        cards=tuple(_card(card, withheld) for card in answer.cards),
    )
