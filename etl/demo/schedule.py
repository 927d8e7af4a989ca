"""When the blocks of a line and the marrow looks between them are due, if nothing happens first.

Days count from the start of the line. Induction is a prephase and the blocks F1 and F2; then come
R1, R2, R1, ... of ALL-REZ 2014 or FLU, CLO, BLINA, BLINA of ALL-REZ 2016. The times between blocks
are those of the clinic: three weeks and the days that blood counts take.
"""

from dataclasses import dataclass

import numpy as np

N_BLOCKS = 8
BLINA_DAYS = 28
# Of ALL-REZ 2016: the blocks after induction that are FLU, CLO, BLINA 1, BLINA 2.
FIRST_BLINA, SECOND_BLINA = 2, 3


@dataclass(frozen=True)
class Schedule:
    """One line an element; `blocks` has a column for each of N_BLOCKS after induction."""

    prephase: np.ndarray
    f1: np.ndarray
    f2: np.ndarray
    blocks: np.ndarray
    marrow_f1: np.ndarray
    marrow_f2: np.ndarray
    marrow_block: np.ndarray


def drawn_schedule(rng: np.random.Generator, protocol: np.ndarray) -> Schedule:
    """Schedules of lines treated by these protocols (0 ALL-REZ 2014, 1 ALL-REZ 2016)."""
    n = len(protocol)

    def days(low: int, high: int, share: float = 1.0) -> np.ndarray:
        drawn = rng.integers(low, high + 1, n)
        return drawn if share == 1.0 else np.where(rng.random(n) < share, drawn, 0)

    f1 = days(5, 8)
    f2 = f1 + 14 + days(0, 7) + days(1, 7, 0.07)
    first = f2 + 21 + days(0, 7) + days(1, 13, 0.06)
    gaps = 21 + rng.integers(0, 10, (n, N_BLOCKS - 1))
    gaps[:, FIRST_BLINA] += 21 * protocol
    blocks = first[:, None] + np.concatenate([np.zeros((n, 1)), gaps.cumsum(axis=1)], axis=1)
    return Schedule(
        prephase=days(0, 1).astype(float),
        f1=f1.astype(float),
        f2=f2.astype(float),
        blocks=blocks,
        marrow_f1=(f2 - days(0, 3)).astype(float),
        marrow_f2=(first - days(0, 3)).astype(float),
        marrow_block=np.maximum(blocks[:, 1] - days(0, 3), 61),
    )
