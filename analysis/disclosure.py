"""The one gate between numbers and anyone's eyes.

The operator chooses a policy at start ($RELAPSE_BOARD_DISCLOSURE). Only `exact` is built: all
numbers pass. Any other policy stops the program with a reason: showing exact numbers to readers
for whom small cells were to be withheld would be the worse answer.
"""

import os

from analysis.answer import Answer

ENVIRONMENT = "RELAPSE_BOARD_DISCLOSURE"
EXACT = "exact"


class PolicyError(Exception):
    """The operator asked for a policy that this program cannot keep."""


def policy() -> str:
    """The operator's policy. Raises PolicyError for one that is not built."""
    asked = os.environ.get(ENVIRONMENT, EXACT)
    if asked != EXACT:
        raise PolicyError(
            f"{ENVIRONMENT}={asked}: this version knows only the policy '{EXACT}' (all numbers "
            "shown). Small cells cannot be withheld yet, so it shows nothing instead."
        )
    return asked


def release(answer: Answer) -> Answer:
    """The answer as the policy lets it out. Raises PolicyError."""
    policy()
    return answer
