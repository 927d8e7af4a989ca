"""The rows of the main table of toxicity: pinned ones, categories, and terms of those opened.

Search, order and least frequency choose among the rows; they never change a number in one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from analysis.disclosure import gate
from analysis.link import CLOSED, OPEN
from analysis.shares import Line
from analysis.stats.contingency import fisher_exact
from analysis.stats.toxicity import false_discovery_rates
from analysis.toxicity_items import ANY, Items, code_of, kind_of, shown_categories
from analysis.toxicity_rates import RateLine, Rates

PINNED, CATEGORY, TERM = "pinned", "category", "term"


@dataclass(frozen=True)
class ItemRow:
    """One row: the item, its numbers, where it stands; `is_open`: its terms follow."""

    item: str
    line: Line | RateLine
    section: str
    is_open: bool = False
    false_discovery: float | None = None

    @property
    def is_pinned(self) -> bool:
        """Whether it stands first, whatever the order."""
        return self.section == PINNED


@dataclass(frozen=True)
class Rows:
    """The rows shown, and how many of the others the least frequency left out."""

    shown: tuple[ItemRow, ...]
    n_rare: int


def pinned_items(items: Items) -> list[str]:
    """Any event, then the study's own list."""
    known = [x for x in items.on.study.toxicity.pinned if _is_known(items, x)]
    return [ANY, *known]


def _is_known(items: Items, item: str) -> bool:
    """Whether the study has the item: of an open list that is known after loading."""
    toxicity, kind = items.on.study.toxicity, kind_of(item)
    if kind == "category":
        return code_of(item) in [c.code for c in toxicity.categories]
    return kind != "term" or code_of(item) in [t.code for t in toxicity.terms]


def _terms(items: Items, category: str) -> list[str]:
    """The terms of a category that anybody had in the block."""
    found = (t for t in items.on.study.toxicity.terms if t.category_code == category)
    return [f"term/{t.code}" for t in found if items.has(items.on.view.block, f"term/{t.code}")]


def _is_open(items: Items, category: str) -> bool:
    opened = items.on.view.open.split(",")
    return OPEN in opened or (category in opened and CLOSED not in opened)


def _value(line: Line | RateLine) -> float:
    """The highest rate of a row; -1 without one, or where it is withheld."""
    shares = line.shares if isinstance(line, Line) else line.rates
    if not gate().passes(line.disclosed):
        return -1.0
    return max((s.found.estimate for s in shares if s.found.estimate is not None), default=-1.0)


def _gap(line: Line | RateLine) -> float:
    """The largest difference of a row, whichever way; -1 without one, or where it is withheld."""
    if not gate().passes(line.disclosed):
        return -1.0
    found = [d.estimate for _, d in line.pairs if d.estimate is not None]
    return max((abs(x) for x in found), default=-1.0)


def ordered(rows: Sequence[ItemRow], order: str) -> list[ItemRow]:
    """Rows in the chosen order; equal ones, and all of order 'study', as the study has them."""
    if order == "difference":
        return sorted(rows, key=lambda row: -_gap(row.line))
    if order == "rate":
        return sorted(rows, key=lambda row: -_value(row.line))
    return sorted(rows, key=lambda row: row.line.label.casefold()) if order == "name" else [*rows]


def _fisher(line: Line) -> float | None:
    """Fisher's p of the first pair of groups; None where they are not compared."""
    compared = [share for share, found in line.pairs if found.estimate is not None]
    if not compared:
        return None
    a, b = line.shares[0], compared[0]
    table = [[a.numerator, a.denominator - a.numerator], [b.numerator, b.denominator - b.numerator]]
    return fisher_exact(table).p_value


def _with_discovery(rows: Sequence[ItemRow]) -> list[ItemRow]:
    """Rows with the false discovery rate among them; of events there is none."""
    p_values = [_fisher(r.line) if isinstance(r.line, Line) else None for r in rows]
    adjusted = false_discovery_rates(p_values)
    return [replace(r, false_discovery=q) for r, q in zip(rows, adjusted, strict=True)]


@dataclass(frozen=True)
class RowMaker:
    """Makes the rows of a view: by patients, or by events if there are `rates`."""

    items: Items
    rates: Rates | None

    def row(
        self, item: str, section: str = PINNED, indent: int = 0, is_open: bool = False
    ) -> ItemRow:
        """The row of an item."""
        if self.rates:
            line: Line | RateLine = self.rates.line(item, indent)
        else:
            line = self.items.line(self.items.on.view.block, item, indent)
        return ItemRow(item, line, section, is_open)

    def _is_rare(self, row: ItemRow) -> bool:
        """Whether every group has the item more rarely than asked for.

        A withheld row is not rare: that it is left out would tell of it.
        """
        least = float(self.items.on.view.least) / 100
        return least > 0 and _value(row.line) < least and gate().passes(row.line.disclosed)

    def rows(self) -> Rows:
        """Pinned rows, then categories each followed by its terms if it is open."""
        on, found = self.items.on, self.items.on.view.find.casefold()
        categories = [f"category/{c}" for c in shown_categories(on)]
        shown = [self.row(c, CATEGORY, 0, _is_open(self.items, code_of(c))) for c in categories]
        terms = {
            c: [self.row(t, TERM, 1) for t in _terms(self.items, code_of(c))] for c in categories
        }
        every = [t for c in categories for t in terms[c]]
        if on.view.order == "difference":
            shown, every = _with_discovery(shown), _with_discovery(every)
        adjusted = {row.item: row for row in every}
        tree, n_rare = [], 0
        for row in ordered(shown, on.view.order):
            inner = [adjusted[t.item] for t in terms[row.item]]
            if found:
                inner = [t for t in inner if found in t.line.label.casefold()]
            elif not row.is_open:
                inner = []
            is_kept = not found or found in row.line.label.casefold()
            rare = [r for r in ([row] if is_kept else []) + inner if self._is_rare(r)]
            n_rare += len(rare)
            rest = [r for r in inner if r not in rare]
            if is_kept and row not in rare or rest:
                tree += [row, *ordered(rest, on.view.order)]
        pinned = [] if found else [self.row(x, PINNED) for x in pinned_items(self.items)]
        return Rows((*pinned, *tree), n_rare)
