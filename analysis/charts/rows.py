"""What a row of dots says: a label, each cohort's proportion, and their differences."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, log

SPACE = "\u2002"  # an en space: SVG does not shrink it as it does several blanks
ROUNDING = 1e-9
DIGIT_SPACE = "\u2007"  # as wide as a digit


def refuse_nonsense(what: str, values: Sequence[float | None], lowest: float) -> None:
    """Of estimate, lower, upper: raise ValueError unless each is None or from `lowest` to 1.

    Limits come in pairs, and only with an estimate.
    """
    known = [value for value in values if value is not None]
    if not all(lowest - ROUNDING <= value <= 1 + ROUNDING for value in known):
        raise ValueError(f"{what}: not a number from {lowest:g} to 1")
    if values[0] is None and known:
        raise ValueError(f"{what}: limits without an estimate")
    if (values[1] is None) != (values[2] is None):
        raise ValueError(f"{what}: one limit alone")


def refuse_disorder(what: str, values: Sequence[float | None]) -> None:
    """Of estimate, lower, upper: raise ValueError unless finite and in order.

    Limits come in pairs, around an estimate.
    """
    known = [value for value in values if value is not None]
    if not all(map(isfinite, known)):
        raise ValueError(f"{what}: not a number")
    if len(known) == 2 or (known and values[0] is None):
        raise ValueError(f"{what}: an estimate with both limits or none is needed")
    if len(known) == 3 and not known[1] - ROUNDING <= known[0] <= known[2] + ROUNDING:
        raise ValueError(f"{what}: limits that do not hold the estimate")


def written_percent(proportion: float) -> str:
    """Whole percent: 0.731 -> '73 %'."""
    return f"{100 * proportion:.0f}\u00a0%"


@dataclass(frozen=True)
class Proportion:
    """One cohort's proportion in a row.

    Without an estimate (not estimable, withheld, too few for a percentage) there is no dot, and
    `instead` says why. `numerator` and `denominator` are written wherever both are given, so leave
    them None where they are withheld. Raises ValueError for NaN or limits without an estimate.
    """

    cohort: str
    role: int
    numerator: int | None
    denominator: int | None
    estimate: float | None
    lower: float | None = None
    upper: float | None = None
    instead: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        refuse_nonsense(self.cohort, (self.estimate, self.lower, self.upper), 0.0)

    @property
    def counted(self) -> str:
        """38/52; nothing where it is withheld."""
        known = self.numerator is not None and self.denominator is not None
        return f"{self.numerator}/{self.denominator}" if known else ""

    @property
    def number(self) -> str:
        """38/52 73 %."""
        percent = "" if self.estimate is None else written_percent(self.estimate)
        percent = percent.rjust(4, DIGIT_SPACE) if percent else ""
        return SPACE.join(part for part in (self.counted, percent) if part)

    @property
    def told(self) -> str:
        """All there is to say: 73.1 % (59.7 to 83.2), 38/52."""
        if self.estimate is None:
            return ", ".join(part for part in (self.instead, self.counted) if part) or "-"
        text = f"{100 * self.estimate:.1f} %"
        if self.lower is not None and self.upper is not None:
            text += f" ({100 * self.lower:.1f} to {100 * self.upper:.1f})"
        return f"{text}, {self.counted}" if self.counted else text


def written_points(difference: float, digits: int) -> str:
    """Percentage points with their sign, a true minus: -0.104 -> '−10'."""
    text = f"{100 * difference:+.{digits}f}".replace("-", "\u2212")
    return text[1:] if float(f"{100 * difference:.{digits}f}") == 0 else text


@dataclass(frozen=True)
class Difference:
    """A difference of proportions, -1 to 1; `cohort` and `role` are of the cohort compared.

    `cohort` is the whole name of the comparison as it stands above the picture. Without an estimate
    `instead` says why. Raises ValueError for NaN or limits without an estimate.
    """

    cohort: str
    role: int
    estimate: float | None
    lower: float | None = None
    upper: float | None = None
    instead: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        refuse_nonsense(self.cohort, (self.estimate, self.lower, self.upper), -1.0)

    @property
    def number(self) -> str:
        """+8 (-10 to +26)."""
        return self._written(0)

    @property
    def told(self) -> str:
        """The same with a decimal, or why there is none."""
        return self._written(1) or self.instead or "-"

    def _written(self, digits: int) -> str:
        if self.estimate is None:
            return ""
        text = written_points(self.estimate, digits)
        if self.lower is not None and self.upper is not None:
            text += (
                f" ({written_points(self.lower, digits)} to {written_points(self.upper, digits)})"
            )
        return text


@dataclass(frozen=True)
class Ratio:
    """A ratio above 0; `cohort` and `role` as of a Difference. Drawn on a log axis.

    Without an estimate `instead` says why. Raises ValueError for what is not above 0 and finite,
    and for a limit without an estimate.
    """

    cohort: str
    role: int
    ratio: float | None
    ratio_lower: float | None = None
    ratio_upper: float | None = None
    instead: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        known = [x for x in (self.ratio, self.ratio_lower, self.ratio_upper) if x is not None]
        if not all(0 < x < inf for x in known):
            raise ValueError(f"{self.cohort}: not a ratio above 0")
        if self.ratio is None and known:
            raise ValueError(f"{self.cohort}: limits without an estimate")

    @property
    def estimate(self) -> float | None:
        """Where it is drawn: its natural logarithm."""
        return None if self.ratio is None else log(self.ratio)

    @property
    def lower(self) -> float | None:
        """The lower end of its line."""
        return None if self.ratio_lower is None else log(self.ratio_lower)

    @property
    def upper(self) -> float | None:
        """The upper end of its line."""
        return None if self.ratio_upper is None else log(self.ratio_upper)

    @property
    def number(self) -> str:
        """1.8 (0.9 to 3.4)."""
        if self.ratio is None:
            return ""
        limits = (self.ratio_lower, self.ratio_upper)
        lower, upper = ("?" if x is None else f"{x:.2g}" for x in limits)
        return f"{self.ratio:.2g} ({lower} to {upper})"

    @property
    def told(self) -> str:
        """The same, or why there is none."""
        return self.number or self.instead or "-"


@dataclass(frozen=True)
class Amount:
    """A number of any unit, or a difference of two: events per course, days of grade.

    `number` stands beside its dot, `more` (if empty, `number`) is what the pointer is told: both
    written by the caller, who knows the unit. Without an estimate `instead` says why; `number` may
    then still give counts. Raises ValueError for NaN and for limits that do not hold the estimate.
    """

    cohort: str
    role: int
    estimate: float | None
    lower: float | None = None
    upper: float | None = None
    number: str = ""
    more: str = ""
    instead: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        refuse_disorder(self.cohort, (self.estimate, self.lower, self.upper))

    @property
    def told(self) -> str:
        """All there is to say."""
        if self.more:
            return self.more
        words = self.instead if self.estimate is None else ""
        return ", ".join(part for part in (words, self.number) if part) or "-"


@dataclass(frozen=True)
class Quartiles:
    """Days of `n` patients or events of a cohort: their median between the quartiles.

    `n_unknown` are those beside them whose days are not known. Without days (nobody, too few)
    `instead` says why. Raises ValueError for days out of order and for fewer than nobody.
    """

    cohort: str
    role: int
    n: int
    estimate: float | None
    lower: float | None = None
    upper: float | None = None
    n_unknown: int = 0
    unknown: str = ""
    instead: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        refuse_disorder(self.cohort, (self.estimate, self.lower, self.upper))
        if self.n < 0 or self.n_unknown < 0 or (self.estimate is not None and not self.n):
            raise ValueError(f"{self.cohort}: days of {self.n} patients")

    @property
    def number(self) -> str:
        """n 12, 9 d; those of unknown days after a plus: n 12+3."""
        counted = f"n {self.n}" + (f"+{self.n_unknown}" if self.n_unknown else "")
        days = "" if self.estimate is None else f"{self.estimate:g}\u00a0d".rjust(4, DIGIT_SPACE)
        return SPACE.join(part for part in (counted, days) if part)

    @property
    def told(self) -> str:
        """9 d (5 to 14), n = 12, 3 unknown."""
        parts = [self.instead] if self.estimate is None else [f"{self.estimate:g} d"]
        if self.lower is not None and self.upper is not None:
            parts = [f"{parts[0]} ({self.lower:g} to {self.upper:g})"]
        parts += [f"n = {self.n}"]
        parts += [f"{self.n_unknown} {self.unknown}".rstrip()] if self.n_unknown else []
        return ", ".join(part for part in parts if part)


Item = Proportion | Amount | Quartiles
Compared = Difference | Ratio | Amount


@dataclass(frozen=True)
class Row:
    """One row: its label, a proportion a cohort, and their differences (if a picture shows them).

    A row without proportions and differences is a heading. `indent` moves a term under its
    category. Pinned rows come first, set off from the rest. `is_open`: a category that opens, and
    whether it is open; None: there is nothing to open. `small` stands small beside the label.
    """

    label: str
    proportions: tuple[Item, ...]
    differences: tuple[Compared, ...] = ()
    indent: int = 0
    is_pinned: bool = False
    is_open: bool | None = None
    small: str = ""

    @property
    def is_heading(self) -> bool:
        """Nothing is drawn in it."""
        return not self.proportions and not self.differences
