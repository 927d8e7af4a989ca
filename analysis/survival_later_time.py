"""Groups that switch in time: before and after something that happened after time zero.

Everybody counts as before until the own switch and as after from then on, so that nobody gets the
time it had to live for the switch. Convention and sources: `analysis.stats.time_dependent`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl

from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.counts import DayCounts
from analysis.stats.cox import hazard_ratios
from analysis.stats.estimate import Estimate, not_estimable
from analysis.stats.logrank import LogRank, log_rank
from analysis.stats.survival import survival_at
from analysis.stats.time_dependent import METHOD, SimonMakuch, simon_makuch, state_counts
from trial.words import say


def few_in(short: Iterable[tuple[str, str]]) -> str:
    """Why all together are not compared: levels with fewer than ten, each with its group.

    Pooled, groups that are too small for a comparison would seem to give one. Empty if none is.
    """
    parts = [say("later.few_part", level=level, group=group) for level, group in short]
    return say("later.few", n=FEWEST_FOR_PERCENT, parts=", ".join(parts)) if parts else ""


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
    def sides(self) -> tuple[DayCounts, DayCounts]:
        """Day counts before and after the switch, from time zero on."""
        return state_counts(self.frame)

    @property
    def counted(self) -> tuple[int, int, int, int]:
        """Ever before the switch, those after it; events before and after."""
        before, after = self.sides
        return before.n, after.n, before.n_events, after.n_events

    @cached_property
    def few(self) -> str:
        """Why all together are not compared, as `few_in`; a group without any time is none."""
        groups = [s for s in self.strata if s.n + s.n_in_doubt]
        return few_in(
            (say(f"later.{key}"), group.label)
            for group in groups
            for key, side in zip(("before_short", "after_short"), group.sides, strict=True)
            if side.n < FEWEST_FOR_PERCENT
        )

    @cached_property
    def refused(self) -> str:
        """Why there is no comparison: too few before or after, or no event; empty if there is."""
        if self.few:
            return self.few
        for key, side in zip(("before_short", "after_short"), self.sides, strict=True):
            if not side.n:
                told = say("response.nobody")
            elif side.n < FEWEST_FOR_PERCENT:
                told = say("survival.few", n=FEWEST_FOR_PERCENT)
            elif not side.n_events:
                told = say("later.no_events")
            else:
                continue
            return say("share.of", group=say(f"later.{key}"), reason=told)
        return ""

    @cached_property
    def hazard_ratio(self) -> Estimate:
        """The hazard after the switch against before it; or why not.

        Of day counts: a day costs what it costs, however many rows it has. R: coxph(Surv(start,
        stop, event) ~ state), as `time_dependent_cox`.
        """
        if self.refused:
            return not_estimable(self.refused, METHOD)
        return replace(hazard_ratios(self.sides)[0], method=METHOD)

    @cached_property
    def stratified(self) -> Estimate:
        """The same within the groups, each with a baseline hazard of its own."""
        method = f"{METHOD}, stratified"
        if self.refused:
            return not_estimable(self.refused, method)
        return replace(hazard_ratios(*(s.sides for s in self.strata if s.n))[0], method=method)

    @cached_property
    def mantel_byar(self) -> LogRank:
        """The test of Mantel & Byar that the hazard is the same before and after."""
        if self.refused:
            return LogRank(None, 0, None, (), (), reason=self.refused)
        return log_rank(self.sides)

    @cached_property
    def curves(self) -> SimonMakuch | str:
        """The curves before and after the switch; or why there are none."""
        return self.few or simon_makuch(self.frame)

    @property
    def events_by_start(self) -> tuple[int, int]:
        """Events by the day on which the curves start, before and after the switch."""
        if isinstance(self.curves, str):
            return 0, 0
        day = self.curves.start_day
        first, other = (int(side.events[side.day <= day].sum()) for side in self.sides)
        return first, other

    def at(self, is_after: bool, days: float) -> Estimate:
        """S so many days after time zero, given alive without event where the curves start."""
        found, method = self.curves, "Simon-Makuch"
        if isinstance(found, str):
            return not_estimable(found, method)
        if days <= found.start_day:
            told = say("later.before_start", day=f"{found.start_day:g}")
            return not_estimable(told, method)
        return survival_at(found.after if is_after else found.before, days)


def changing_of(
    code: str, label: str, rows: pl.DataFrame, strata: tuple[Changing, ...] = ()
) -> Changing:
    """From rows time_days, state, switch_day, is_in_doubt, n; who is in doubt is counted apart."""
    known = rows.filter(~pl.col("is_in_doubt"))
    each = known[np.repeat(np.arange(known.height), known["n"].to_numpy())]
    frame = each.select("time_days", pl.col("state").alias("event"), "switch_day")
    frame = frame.with_row_index("enrollment_key")
    return Changing(code, label, frame, int(rows["n"].sum()) - frame.height, strata)
