"""How often a guard alarms where nothing is wrong, and where something is.

The test of proportional hazards is counted on all follow-up, and as the page asks it: up to the end
of the follow-up that both cohorts share, where follow-up is unequal. Proportional by construction:
both cohorts treated by one protocol (ratio 1), and the earlier of two children each against single
ones (the hazard is doubled on every day). Their follow-up stays that of ALL-REZ 2014 and of ALL-REZ
2016, half as long.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pytest

from analysis.stats.proportionality import proportionality
from etl.demo.arrays import take
from tests.soak.cohorts import (
    SIZES,
    Times,
    Trial,
    World,
    counts_of,
    drawn,
    earlier,
    trials,
    without_effect,
)
from tests.soak.coverage import Pair, pair_of, shared_pair
from tests.soak.survival_worlds import days_at, hazards

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
    """By endpoint the share of p < 0.05; with too few events there is no test and no alarm.

    On all follow-up, and ("shared") as the page asks it.
    """
    p_values: dict[str, list[float | None]] = defaultdict(list)
    for pairs in many:
        for endpoint, pair in pairs.items():
            p_values[endpoint].append(proportionality(pair).overall.p_value)
            shared = proportionality(shared_pair(pair)[0]).overall.p_value
            p_values[f"{endpoint} shared"].append(shared)
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


LEAST_POWER = 0.8


def _crossing(rng: np.random.Generator) -> dict[str, Pair]:
    """Crossing hazards at the sizes of a trial, followed as the cohorts of the demo are."""
    both = []
    for size, (early, late), (first, last) in zip(
        SIZES, hazards("crossing"), ((1826, 2922), (365, 2008)), strict=True
    ):
        event = days_at(rng, size, early, late)
        seen = np.ceil(rng.uniform(first, last, size))
        both.append(counts_of(Times(np.minimum(event, seen), (event <= seen).astype(int))))
    return {"made": (both[0], both[1])}


def test_crossing_hazards_are_found() -> None:
    """In the newer cohort more events in the first half-year (2.5 times), fewer later (0.4)."""
    rng = np.random.default_rng(20161124)
    alarms = _alarms(_crossing(rng) for _ in range(N_TRIALS // 2))
    print(f"\nsoak: crossing hazards found, {N_TRIALS // 2} trials: {_told(alarms)}")
    assert min(alarms.values()) >= LEAST_POWER


def _followed_alike(n: int, sizes: tuple[int, int]) -> Iterator[dict[str, Pair]]:
    """Both cohorts enrolled, treated and followed as ALL-REZ 2014."""
    both = [drawn(World(), 0, n * size, seed) for size, seed in zip(sizes, (1, 2), strict=True)]
    for k in range(n):
        older, newer = (
            take(everybody, np.arange(k * size, (k + 1) * size))
            for everybody, size in zip(both, sizes, strict=True)
        )
        yield _pairs((older, newer))


def _unequal(many: Iterable[dict[str, Pair]]) -> dict[str, float]:
    """By endpoint how often follow-up is called unequal."""
    found = [{name: shared_pair(pair)[1] is not None for name, pair in x.items()} for x in many]
    return {name: sum(x[name] for x in found) / len(found) for name in ENDPOINTS}


@pytest.mark.parametrize("sizes", [SIZES, (45, 30)])
def test_equal_follow_up_is_seldom_called_unequal(sizes: tuple[int, int]) -> None:
    alarms = _unequal(_followed_alike(N_TRIALS // 2, sizes))
    print(f"\nsoak: equal follow-up of {sizes} children called unequal: {_told(alarms)}")
    assert max(alarms.values()) <= MOST_FALSE_ALARMS


def test_follow_up_half_as_long_is_called_unequal() -> None:
    found = _unequal(map(_pairs, trials(World(), N_TRIALS // 2)))
    print(f"\nsoak: follow-up of 6 and of 3 years called unequal: {_told(found)}")
    assert min(found.values()) >= 0.99
