"""E-value: how strong a confounder that nobody measured would have to be.

The smallest association, as a risk ratio with cohort and with outcome alike and beyond the measured
covariates, that an unmeasured confounder needs to explain an observed ratio away. For a risk ratio
RR above 1 (below 1 its inverse) the bounding factor's equation solved for equal associations gives

    E = RR + sqrt(RR (RR - 1))

once for the estimate and once for the confidence limit nearer to 1; where the interval holds 1, no
confounder is needed and the limit's E-value is 1.

A hazard ratio stands for a risk ratio while the outcome is rare. Where more than 15 % have it by
the end of follow-up, it is first turned into an approximate risk ratio,

    RR = (1 - 0.5^sqrt(HR)) / (1 - 0.5^sqrt(1 / HR))

Sources: VanderWeele & Ding, Ann Intern Med 2017;167:268 (E-value and its table of approximations);
VanderWeele, Biometrics 2020;76:746 (hazard ratio to risk ratio). R: EValue::evalues.HR, evalues.RR.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import expm1, log, sqrt

from analysis.stats.estimate import Estimate

COMMON = 0.15


# Its square is still a number.
LARGEST = 1e150


@dataclass(frozen=True)
class EValue:
    """E-values of the estimate and of the limit nearer to 1, both 1 or more; None with a reason."""

    estimate: float | None
    limit: float | None
    method: str
    reason: str | None = None


def is_common(n_events: int, n: int) -> bool:
    """Whether more than 15 % have the outcome by the end of follow-up; False without patients."""
    return n > 0 and n_events / n > COMMON


def risk_ratio_of_hazard_ratio(hazard_ratio: float) -> float:
    """The approximate risk ratio of a common outcome; nearer to 1 than the hazard ratio above 0."""
    root = sqrt(hazard_ratio)
    return expm1(-log(2) * root) / expm1(-log(2) / root)


def e_value_of_risk_ratio(ratio: Estimate) -> EValue:
    """Of a risk ratio with its limits. Raises ValueError unless all are above 0."""
    return _e_value(ratio, "E-value of a risk ratio", _unchanged)


def e_value_of_hazard_ratio(ratio: Estimate, is_common_outcome: bool) -> EValue:
    """Of a hazard ratio with its limits; for `is_common_outcome` see `is_common`.

    Without an estimate: its reason. Without limits: no E-value of a limit, and the reason. Raises
    ValueError unless all are above 0.
    """
    if is_common_outcome:
        method = "E-value, hazard ratio turned into a risk ratio (outcome above 15 %)"
        return _e_value(ratio, method, risk_ratio_of_hazard_ratio)
    method = "E-value, hazard ratio taken as a risk ratio (outcome at most 15 %)"
    return _e_value(ratio, method, _unchanged)


def _unchanged(ratio: float) -> float:
    return ratio


def _of(risk_ratio: float) -> float:
    above = max(risk_ratio, 1 / risk_ratio)
    return above + sqrt(above * (above - 1))


def _e_value(ratio: Estimate, method: str, risk_ratio: Callable[[float], float]) -> EValue:
    if ratio.estimate is None:
        return EValue(None, None, method, ratio.reason)
    if min(x for x in (ratio.estimate, ratio.lower, ratio.upper) if x is not None) <= 0:
        raise ValueError(f"{ratio}: a ratio and its limits are above 0")
    if max(x for x in (ratio.estimate, ratio.upper) if x is not None) > LARGEST:
        return EValue(None, None, method, "a ratio too large for an E-value")
    estimate = _of(risk_ratio(ratio.estimate))
    if ratio.lower is None or ratio.upper is None:
        return EValue(estimate, None, method, ratio.reason or "the ratio has no interval")
    if ratio.lower <= 1 <= ratio.upper:
        return EValue(estimate, 1.0, method)
    nearer = ratio.lower if ratio.lower > 1 else ratio.upper
    return EValue(estimate, _of(risk_ratio(nearer)), method)
