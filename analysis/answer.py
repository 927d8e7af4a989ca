"""What a page shows and an export writes: headline, figures, tables, notes and tidy numbers."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property

import altair as alt
from altair.utils.schemapi import debug_mode

from analysis.charts.layers import with_frames, with_rows
from analysis.stats.estimate import Estimate
from trial.words import say


@dataclass(frozen=True)
class Disclosed:
    """The numbers of patients that something shows or lets one work out.

    `counts`: every cell, and what is left of its denominator. `part`: what stands or falls
    together, in the whole answer: if a count of one is too small, all of that part is withheld.
    """

    counts: tuple[int, ...] = ()
    part: str = ""


NOBODY = Disclosed()


@dataclass(frozen=True)
class Number:
    """One tidy row of numbers.csv; what does not apply is None.

    `lower` and `upper` are two-sided 95 % limits. `numerator` and `denominator` are patients.
    """

    snapshot: str
    synthetic: bool
    question: str
    endpoint: str | None = None
    population: str | None = None
    cohort: str | None = None
    comparator: str | None = None
    characteristic_code: str | None = None
    level_code: str | None = None
    block_code: str | None = None
    item_code: str | None = None
    grade_min: int | None = None
    timepoint_code: str | None = None
    measure_code: str | None = None
    denominator_code: str | None = None
    time_days: float | None = None
    statistic: str | None = None
    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None
    p_value: float | None = None
    numerator: int | None = None
    denominator: int | None = None
    unit: str | None = None
    method: str | None = None
    not_estimable_reason: str | None = None
    disclosed: Disclosed = NOBODY


# What an export writes of a Number: everything but what the gate needs to know.
NUMBER_COLUMNS = tuple(field.name for field in fields(Number) if field.name != "disclosed")


def of_estimate(found: Estimate) -> dict:
    """The columns of a Number that an Estimate fills."""
    return {
        "estimate": found.estimate,
        "lower": found.lower,
        "upper": found.upper,
        "p_value": found.p_value,
        "method": found.method,
        "not_estimable_reason": found.reason,
    }


@dataclass(frozen=True)
class Table:
    """A table as it is shown: column titles and rows of texts and whole numbers.

    `disclosed` goes with `rows`; a table without it tells nothing about patients. The first
    `n_labels` cells of a row are its labels, which stay when the row is withheld. Of prose the last
    cell of a row is a sentence that says all. Rows at the places `pale` are shown in grey.
    """

    code: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple, ...]
    disclosed: tuple[Disclosed, ...] = ()
    n_labels: int = 1
    is_prose: bool = False
    pale: tuple[int, ...] = ()


@dataclass(frozen=True)
class Account:
    """Who of a group is in a figure: all enrolled, shown, and left out by reason.

    Raises ValueError if shown and left out are not all enrolled: nobody is lost in silence.
    """

    label: str
    n_enrolled: int
    n_shown: int
    left_out: tuple[tuple[str, int], ...]
    disclosed: Disclosed = NOBODY

    def __post_init__(self) -> None:
        """Refuse an account that does not add up."""
        n_left_out = sum(n for _, n in self.left_out)
        if self.n_shown + n_left_out != self.n_enrolled:
            told = f"{self.n_shown} shown, {n_left_out} left out"
            raise ValueError(f"{self.label}: {told}, {self.n_enrolled} enrolled")

    @property
    def told(self) -> str:
        """In words."""
        reasons = ", ".join(f"{n} {reason}" for reason, n in self.left_out)
        key = "account.left_out" if reasons else "account.all"
        told = {"n": self.n_shown, "of": self.n_enrolled, "reasons": reasons}
        return say(key, label=self.label, **told)


@dataclass(frozen=True)
class Card:
    """One big number of a group: what it is of, the number, and what stands small beneath.

    `colour` is the group's, #rrggbb.
    """

    title: str
    label: str
    colour: str
    value: str
    small: tuple[str, ...]
    disclosed: Disclosed = NOBODY


@dataclass(frozen=True)
class Figure:
    """A chart, its caption, what it says for those who do not see it, the codes of its tables.

    The chart is made by `draw` when it is looked at: the numbers do not wait for it.
    `page_height` is the height in pixels with legend, axes and table, for a page that fits it in.
    `accounts` say of each group who is in it. `beside`: it stands beside the figure before it where
    there is room; those of one height do so anyway. `names_patients`: it shows who they are, and
    its files say so in their names.
    """

    code: str
    title: str
    draw: Callable[[], alt.LayerChart]
    page_height: int
    caption: str
    alt_text: str
    tables: tuple[str, ...] = ()
    disclosed: tuple[Disclosed, ...] = ()
    accounts: tuple[Account, ...] = ()
    beside: bool = False
    names_patients: bool = False

    @cached_property
    def chart(self) -> alt.LayerChart:
        """The chart, made once. Altair's checks at each step are the tests'."""
        with debug_mode(False):
            return self.draw()

    @property
    def spec(self) -> dict:
        """The chart as Vega-Lite with its data, for a file."""
        return with_rows(self.chart)

    @property
    def spec_of_frames(self) -> dict:
        """The same for a page, its `datasets` as polars frames."""
        return with_frames(self.chart)

    @property
    def legend(self) -> str:
        """The caption, and who is in the figure."""
        return " ".join([self.caption, *(account.told for account in self.accounts)])


@dataclass(frozen=True)
class Note:
    """Something the reader must know: `warning` before the figure, `info` beneath it."""

    kind: str
    text: str
    disclosed: Disclosed = NOBODY


@dataclass(frozen=True)
class CohortSize:
    """A cohort in the strip on top: how many of its enrollments are in the population."""

    code: str
    label: str
    n_population: int
    n_enrolled: int
    is_withheld: bool = False


@dataclass(frozen=True)
class Answer:
    """Everything behind one view.

    The tidy numbers are made by `tell` when they are asked for: a screen does not wait for them.
    One about patients one by one has none (`has_numbers`).
    """

    question: str
    headline: str
    snapshot: str
    data_cutoff: str
    notice: str
    synthetic: bool
    population: str
    cohorts: tuple[CohortSize, ...]
    notes: tuple[Note, ...]
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...]
    tell: Callable[[], tuple[Number, ...]]
    headline_disclosed: tuple[Disclosed, ...] = ()
    cards: tuple[Card, ...] = ()
    is_about_patients: bool = True
    has_numbers: bool = True

    @cached_property
    def numbers(self) -> tuple[Number, ...]:
        """The tidy numbers, made once."""
        return self.tell()

    def table(self, code: str) -> Table:
        """The table of a code. Raises KeyError."""
        for table in self.tables:
            if table.code == code:
                return table
        raise KeyError(code)
