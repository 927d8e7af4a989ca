"""Step functions of time as rows to draw: thinned, split where a curve fades, ended where it ends.

Shared by every picture of curves over time, so that all fade and end alike.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

# Two points a pixel column on a wide screen; Altair refuses more than 5,000 rows.
BUCKETS = 400
MOST_ROWS = 4000


@dataclass(frozen=True)
class Steps:
    """A right-continuous step function of days, arrays (K,), `start` left of its first day.

    `day` ascends; `lower` and `upper` may be NaN: the band has no width there; `n_at_risk` is just
    before each day. Pale from `fade_day` on (None: nowhere), drawn from `start_day`, before any
    step, to `end_day`.
    """

    day: np.ndarray
    height: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    n_at_risk: np.ndarray
    start: float
    end_day: float
    fade_day: float | None
    start_day: float = 0.0

    def told(self, day: float, at_risk: str, has_percentages: bool, more: str = "") -> str:
        """What there is to say of a day: 57.8 % (53.9 to 61.6), 41 at risk; '-' where no curve is.

        `more` is said last.
        """
        if not self.start_day <= day <= self.end_day:
            return "-"
        counted = f"{int(self.n_at_risk[self.day >= day].max(initial=0))} {at_risk}{more}"
        if not has_percentages:
            return counted
        position = int(np.searchsorted(self.day, day, side="right")) - 1
        if position < 0:
            return f"{100 * self.start:.1f} %, {counted}"
        text = f"{100 * self.height[position]:.1f} %"
        lower, upper = self.lower[position], self.upper[position]
        if not (np.isnan(lower) or np.isnan(upper)):
            text += f" ({100 * lower:.1f} to {100 * upper:.1f})"
        return f"{text}, {counted}"


def buckets(n_curves: int) -> int:
    """Steps to draw a curve, so that all curves together stay drawable."""
    return min(BUCKETS, MOST_ROWS // max(n_curves, 1))


def thinned(days: np.ndarray, keep: np.ndarray, end_day: float, n_buckets: int) -> np.ndarray:
    """Positions to draw: the last one of each bucket of time, so that no step is moved."""
    positions = np.flatnonzero(keep & (days <= end_day))
    bucket = np.floor(days[positions] / max(end_day, 1.0) * n_buckets)
    last_of_bucket = np.append(np.diff(bucket) > 0, True)[: positions.size]
    return positions[last_of_bucket]


def _filled(steps: Steps) -> dict[str, np.ndarray]:
    """Height and limits; where there are no limits the band has no width."""
    known = ~(np.isnan(steps.lower) | np.isnan(steps.upper))
    return {
        "height": steps.height,
        "lower": np.where(known, steps.lower, steps.height),
        "upper": np.where(known, steps.upper, steps.height),
    }


def steps_frame(steps: Steps, unit_days: float, n_buckets: int = BUCKETS) -> pl.DataFrame:
    """One row a drawn step, from the start to the end: day, height, lower, upper, part, time."""
    columns = _filled(steps)
    changes = [np.diff(values, prepend=steps.start) != 0 for values in columns.values()]
    drawn = thinned(steps.day, np.any(changes, axis=0), steps.end_day, n_buckets)
    frame = {"day": np.concatenate(([steps.start_day], steps.day[drawn], [steps.end_day]))}
    for name, values in columns.items():
        values = np.concatenate(([steps.start], values[drawn]))
        frame[name] = np.append(values, values[-1])
    return parted(pl.DataFrame(frame), steps.fade_day, steps.end_day).with_columns(
        (pl.col("day") / unit_days).alias("time")
    )


def parted(frame: pl.DataFrame, fade: float | None, end_day: float) -> pl.DataFrame:
    """Split by `day` where a curve fades, in `part`; the step at that point is of both parts."""
    if fade is None or fade > end_day:
        return frame.with_columns(pl.lit("full").alias("part"))
    at = frame.filter(pl.col("day") <= fade).tail(1).with_columns(pl.lit(fade).alias("day"))
    full = pl.concat([frame.filter(pl.col("day") <= fade), at])
    pale = pl.concat([at, frame.filter(pl.col("day") > fade)])
    full, pale = (
        part.with_columns(pl.lit(name).alias("part"))
        for part, name in ((full, "full"), (pale, "pale"))
    )
    return pl.concat([full, pale])
