"""Long counts for the Cox models on rows: is separation found when, and only when, it is there?"""

import numpy as np
import pytest
from scipy.optimize import linprog

from analysis.stats.cox_weighted import CoxMaximum, cox_maximum, cox_rows

pytestmark = pytest.mark.soak
N_DATA_SETS = 1500


def separated(time: np.ndarray, event: np.ndarray, z: np.ndarray) -> bool:
    """Whether some direction has every event at the top of its risk set, and not all at one level.

    Exactly then the likelihood is monotone (Bryson & Johnson, Technometrics 1981;23:381).
    """
    dead = np.flatnonzero(event)
    differences = np.concatenate([z[i] - z[time >= time[i]] for i in dead])
    best = linprog(
        -differences.sum(axis=0), A_ub=-differences, b_ub=0.0 * differences[:, 0], bounds=(-1, 1)
    )
    return -best.fun > 1e-6


def made(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n, p = int(rng.integers(4, 40)), int(rng.integers(1, 5))
    time = rng.integers(0, rng.choice([3, 10, 100]), n)
    event = rng.random(n) < rng.choice([0.2, 0.6, 1.0])
    event[rng.integers(n)] = True
    kinds = (
        lambda: rng.normal(size=n),
        lambda: rng.integers(0, 2, n),
        lambda: rng.random(n) < 0.1,
        lambda: np.round(np.exp(rng.normal(8, 1.5, n))),
        lambda: time + rng.integers(0, 2, n),
    )
    z = np.column_stack([kinds[rng.integers(len(kinds))]() for _ in range(p)]).astype(float)
    return time, event, z


def test_separation_is_found_when_it_is_there() -> None:
    rng = np.random.default_rng(19890316)
    wrong, counted = [], {"separated": 0, "fitted": 0, "other": 0}
    for k in range(N_DATA_SETS):
        time, event, z = made(rng)
        names = tuple("abcd"[: z.shape[1]])
        found = cox_maximum(cox_rows(time, event, z), names)
        if isinstance(found, str) and "monotone" not in found:
            counted["other"] += 1
            continue
        is_separated = separated(time, event, (z - z.mean(axis=0)) / z.std(axis=0))
        counted["separated" if is_separated else "fitted"] += 1
        if is_separated == isinstance(found, CoxMaximum):
            wrong.append((k, found))
    print(f"\nsoak: {N_DATA_SETS} Cox data sets, {counted}, wrongly told: {len(wrong)}")
    assert not wrong, wrong[:3]
