"""What a cell of a heat map says: a share of patients, or a difference of two shares."""

from dataclasses import dataclass

from analysis.charts.rows import refuse_disorder, refuse_nonsense, written_percent, written_points


def _lines(text: str) -> list[str]:
    """A word a line; what a no-break space holds together stays so."""
    return [word for word in text.split(" ") if word]


@dataclass(frozen=True)
class Cell:
    """One block and category of a cohort: n/N and percent.

    Without an estimate it is grey; without n/N too (withheld, not documented, not given) it is
    hatched and says `instead`, a word or two. Raises ValueError for NaN.
    """

    block: str
    category: str
    numerator: int | None
    denominator: int | None
    estimate: float | None
    instead: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        refuse_nonsense(self.block, (self.estimate, None, None), 0.0)

    @property
    def counted(self) -> str:
        """38/52; nothing where it is withheld."""
        known = self.numerator is not None and self.denominator is not None
        return f"{self.numerator}/{self.denominator}" if known else ""

    @property
    def value(self) -> str:
        """73 %."""
        return "" if self.estimate is None else written_percent(self.estimate)

    @property
    def words(self) -> list[str]:
        """What stands in it without an estimate, line by line."""
        return [self.counted] if self.counted else _lines(self.instead)

    @property
    def is_hatched(self) -> bool:
        """There is no number at all."""
        return self.estimate is None and not self.counted

    @property
    def told(self) -> str:
        """All there is to say."""
        percent = "" if self.estimate is None else f"{100 * self.estimate:.1f} %"
        return ", ".join(part for part in (percent or self.instead, self.counted) if part) or "-"


@dataclass(frozen=True)
class DifferenceCell:
    """One block and category: the share of one cohort less that of another, -1 to 1.

    Without an estimate it is hatched and says `instead`, a word or two (not comparable, withheld);
    where there are only too few patients (`is_few`) it is grey. Raises ValueError for NaN and for
    limits that do not hold the estimate.
    """

    block: str
    category: str
    estimate: float | None
    lower: float | None = None
    upper: float | None = None
    instead: str = ""
    is_few: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        refuse_nonsense(self.block, (self.estimate, self.lower, self.upper), -1.0)
        refuse_disorder(self.block, (self.estimate, self.lower, self.upper))

    @property
    def counted(self) -> str:
        """A cell has no room for its limits: they are told."""
        return ""

    @property
    def value(self) -> str:
        """+12, in percentage points."""
        return "" if self.estimate is None else written_points(self.estimate, 0)

    @property
    def words(self) -> list[str]:
        """What stands in it without an estimate, line by line."""
        return _lines(self.instead)

    @property
    def is_hatched(self) -> bool:
        """It cannot be compared."""
        return self.estimate is None and not self.is_few

    @property
    def told(self) -> str:
        """+12.1 (-3.0 to +26.4), or why there is none."""
        if self.estimate is None:
            return self.instead or "-"
        told = written_points(self.estimate, 1)
        if self.lower is None or self.upper is None:
            return told
        return f"{told} ({written_points(self.lower, 1)} to {written_points(self.upper, 1)})"
