"""How often the test of proportional hazards alarms where hazards are proportional, and where not.

Proportional by construction: both cohorts treated by one protocol (ratio 1), and the earlier of two
children each against single ones (the hazard is doubled on every day). Their follow-up stays that
of ALL-REZ 2014 and of ALL-REZ 2016, half as long.
"""

from collections.abc import Callable, Iterable, Iterator

import pytest

from analysis.stats.proportionality import proportionality
from tests.soak.cohorts import (
    SIZES,
    Trial,
    World,
    counts_of,
    earlier,
    trials,
    without_effect,
)
from tests.soak.coverage import Pair, pair_of

pytestmark = pytest.mark.soak
N_TRIALS = 2000
ENDPOINTS = ("os", "efs", "rfs")
MOST_FALSE_ALARMS = 0.07


def _pairs(trial: Trial) -> dict[str, Pair]:
    return {endpoint: pair_of(trial, endpoint) for endpoint in ENDPOINTS}


def _ratio_of_1(protocol: int) -> Iterator[dict[str, Pair]]:
    return map(_pairs, trials(without_effect(protocol), N_TRIALS))


def _ratio_of_half() -> Iterator[dict[str, Pair]]:
    """The older cohort has twice the hazard: of 360 children the earlier of two each."""
    for older, newer in trials(without_effect(0), N_TRIALS, (2 * SIZES[0], SIZES[1])):
        yield {
            name: (counts_of(earlier(getattr(older, name))), counts_of(getattr(newer, name)))
            for name in ENDPOINTS
        }


def _alarms(many: Iterable[dict[str, Pair]]) -> dict[str, float]:
    """By endpoint the share of p < 0.05; with too few events there is no test and no alarm."""
    p_values: dict[str, list[float | None]] = {endpoint: [] for endpoint in ENDPOINTS}
    for pairs in many:
        for endpoint, pair in pairs.items():
            p_values[endpoint].append(proportionality(pair).overall.p_value)
    return {
        endpoint: sum(p is not None and p < 0.05 for p in found) / len(found)
        for endpoint, found in p_values.items()
    }


def _told(alarms: dict[str, float]) -> str:
    return ", ".join(f"{endpoint} {share:.1%}" for endpoint, share in alarms.items())


WORLDS: dict[str, Callable[[], Iterator[dict[str, Pair]]]] = {
    "both as ALL-REZ 2014": lambda: _ratio_of_1(0),
    "both as ALL-REZ 2016": lambda: _ratio_of_1(1),
    "hazard doubled": _ratio_of_half,
}


@pytest.mark.parametrize("world", WORLDS)
def test_proportional_hazards_seldom_alarm(world: str) -> None:
    alarms = _alarms(WORLDS[world]())
    print(f"\nsoak: false alarms of non-proportional hazards, {world}: {_told(alarms)}")
    assert max(alarms.values()) <= MOST_FALSE_ALARMS


def test_how_often_the_demo_alarms() -> None:
    """Its hazards are not proportional: told, not judged."""
    alarms = _alarms(map(_pairs, trials(World(), N_TRIALS // 2)))
    print(f"\nsoak: alarms of non-proportional hazards on the demo itself: {_told(alarms)}")
