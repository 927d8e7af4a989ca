"""An estimate with its interval, or the reason in words why there is none."""

import math
from dataclasses import dataclass

CONFIDENCE_LEVEL = 0.95
Z = 1.959963984540054  # 97.5 % point of the standard normal distribution


@dataclass(frozen=True)
class Estimate:
    """A number, its two-sided 95 % limits and p value; what is not estimable is None.

    `reason` says in words why the estimate (or, with an estimate, its interval) is missing.
    Never infinite, never NaN.
    """

    estimate: float | None
    lower: float | None = None
    upper: float | None = None
    p_value: float | None = None
    method: str = ""
    reason: str | None = None

    def __post_init__(self) -> None:
        """Refuse what is not a number: a kernel must say why instead."""
        for value in (self.estimate, self.lower, self.upper, self.p_value):
            if value is not None and not math.isfinite(value):
                raise ValueError(f"{self.method}: {value} is not an estimate")


def not_estimable(reason: str, method: str = "") -> Estimate:
    """No estimate, for this reason."""
    return Estimate(None, method=method, reason=reason)
