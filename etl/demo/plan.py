"""What a demo is made of: nature (what happens) apart from observation (what is written down).

The truth of a demo depends on its nature alone. A flaw changes one or the other.
"""

from dataclasses import dataclass


class DemoError(Exception):
    """No demo was written. The text says what is wrong, where, and what to do."""


@dataclass(frozen=True)
class CaseMix:
    """Whom a protocol enrolls: shares of S1-S4, of genetics (favorable, unfavorable, other), and
    the second parameter of the beta law of age at first diagnosis (larger: younger)."""

    risk: tuple[float, float, float, float]
    genetics: tuple[float, float, float]
    age: float


@dataclass(frozen=True)
class Nature:
    """What happens to the children of ALL-REZ 2014 and 2016, in this order of protocols.

    `wait_for_mrd`: a child with MRD >= 1e-4 waits longer for the transplant.
    """

    case_mix: tuple[CaseMix, CaseMix] = (
        CaseMix((0.06, 0.44, 0.30, 0.20), (0.21, 0.10, 0.69), 1.15),
        CaseMix((0.00, 0.15, 0.50, 0.35), (0.19, 0.11, 0.70), 1.15),
    )
    wait_for_mrd: bool = False


@dataclass(frozen=True)
class Observation:
    """What the export shows of it. Each switch is a flaw, told in `etl.demo.flaws`.

    `same_child`: the share of the children who relapse after ALL-REZ 2014, while ALL-REZ 2016 is
    open and at a hospital that takes part in it, who are enrolled again.
    """

    late_referral: bool = False
    death_reporting_lag: bool = False
    transplant_dependent_loss: bool = False
    assay_limit_by_year: bool = False
    underreported_adverse_events: bool = False
    cd3_tied_to_course_length: bool = False
    same_child: float = 0.2


@dataclass(frozen=True)
class Plan:
    """A nature and how it is observed."""

    nature: Nature = Nature()
    observation: Observation = Observation()
