"""Groups that switch in time: before and after something that happened after time zero.

Everybody counts as before until the own switch and as after from then on, so that nobody gets the
time it had to live for the switch. Convention and sources: `analysis.stats.time_dependent`.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.counts import DayCounts
from analysis.stats.cox_weighted import cox_maximum, cox_rows, hazard_ratio
from analysis.stats.estimate import Estimate, not_estimable
from analysis.stats.logrank import LogRank
from analysis.stats.survival import survival_at
from analysis.stats.time_dependent import (
    METHOD,
    SimonMakuch,
    TimeDependentCox,
    counting_process,
    mantel_byar,
    simon_makuch,
    state_counts,
    time_dependent_cox,
)
from trial.words import say


@dataclass(frozen=True)
class Changing:
    """One group, or all together, as it switches in time.

    `frame`: enrollment_key, time_days, event, switch_day, one row a patient. `strata` as of Scope.
    """

    code: str
    label: str
    frame: pl.DataFrame
    n_in_doubt: int
    strata: tuple["Changing", ...] = ()

    @property
    def n(self) -> int:
        """Patients with a time."""
        return self.frame.height

    @cached_property
    def _cox(self) -> TimeDependentCox:
        return time_dependent_cox(self.frame)

    @property
    def counted(self) -> tuple[int, int, int, int]:
        """Ever before the switch, those after it; events before and after."""
        cox, start = self._cox, pl.col("switch_day") <= 0
        from_start = self.frame.filter(start & (pl.col("time_days") > pl.col("switch_day")))
        before, after = self.n - from_start.height, cox.n_switched
        return before, after, cox.n_events - cox.n_events_after, cox.n_events_after

    @property
    def few(self) -> str:
        """Why there are too few patients; empty if there are enough."""
        before, after, _, _ = self.counted
        for n, key in ((before, "before_short"), (after, "after_short")):
            if n < FEWEST_FOR_PERCENT:
                told = say("survival.few", n=FEWEST_FOR_PERCENT) if n else say("response.nobody")
                return say("share.of", group=say(f"later.{key}"), reason=told)
        return ""

    @cached_property
    def hazard_ratio(self) -> Estimate:
        """The hazard after the switch against before it; or why not."""
        return not_estimable(self.few, METHOD) if self.few else self._cox.hazard_ratio

    @cached_property
    def stratified(self) -> Estimate:
        """The same within the groups, each with a baseline hazard of its own."""
        method = f"{METHOD}, stratified"
        if self.few:
            return not_estimable(self.few, method)
        return stratified_cox(tuple(s.frame for s in self.strata), method)

    @cached_property
    def mantel_byar(self) -> LogRank:
        """The test that the hazard is the same before and after."""
        if self.few:
            return LogRank(None, 0, None, (), (), reason=self.few)
        return mantel_byar(self.frame)

    @cached_property
    def curves(self) -> SimonMakuch | str:
        """The curves before and after the switch; or why there are none."""
        return simon_makuch(self.frame)

    @cached_property
    def sides(self) -> tuple[DayCounts, DayCounts]:
        """Day counts before and after the switch, from time zero on."""
        return state_counts(self.frame)

    def at(self, is_after: bool, days: float) -> Estimate:
        """S so many days after time zero, given alive without event where the curves start."""
        found, method = self.curves, "Simon-Makuch"
        if isinstance(found, str):
            return not_estimable(found, method)
        if days <= found.start_day:
            told = say("later.before_start", day=f"{found.start_day:g}")
            return not_estimable(told, method)
        return survival_at(found.after if is_after else found.before, days)


def stratified_cox(frames: tuple[pl.DataFrame, ...], method: str) -> Estimate:
    """The common hazard ratio of a switch in several groups, frames as of `time_dependent_cox`.

    Not estimable for the reasons of `cox_maximum`. R: coxph(Surv(start, stop, event) ~ state +
    strata(group)).
    """
    parts = [
        counting_process(frame).with_columns(stratum=pl.lit(k))
        for k, frame in enumerate(frames)
        if frame.height
    ]
    rows = pl.concat(parts)
    columns = ("stop", "event", "state", "start", "stratum")
    stop, event, state, start, stratum = (rows[c].cast(pl.Float64).to_numpy() for c in columns)
    fit = cox_maximum(
        cox_rows(stop, event, state, stratum=stratum, start=start), (say("later.the_switch"),)
    )
    if isinstance(fit, str):
        return not_estimable(fit, method)
    error = float(np.sqrt(fit.naive_variance[0, 0]))
    return hazard_ratio(float(fit.coefficients[0]), error, method)


def changing_of(
    code: str, label: str, rows: pl.DataFrame, strata: tuple[Changing, ...] = ()
) -> Changing:
    """From rows time_days, state, switch_day, is_in_doubt, n; who is in doubt is counted apart."""
    known = rows.filter(~pl.col("is_in_doubt"))
    each = known[np.repeat(np.arange(known.height), known["n"].to_numpy())]
    frame = each.select("time_days", pl.col("state").alias("event"), "switch_day")
    frame = frame.with_row_index("enrollment_key")
    return Changing(code, label, frame, int(rows["n"].sum()) - frame.height, strata)
