"""How the lines of a selection end an endpoint: one query, from which every page counts.

Whoever is enrolled is either in the population or not, and whoever is in it either has a time or is
left out for a reason: the parts add up because they are parts of one table.
"""

from dataclasses import dataclass

import polars as pl

from analysis.groups import Group, groups
from analysis.stats.counts import DelayedEntry, delayed_entry
from trial.selection import Selection
from trial.study import Endpoint
from warehouse.query import Snapshot, query


@dataclass(frozen=True)
class Ended:
    """One group: how many ended on each day with which state, and how many have no time.

    `by_day`: columns time_days, state, reason, n (and those of the group). `left_out`: by reason,
    one of `trial.schema.LEFT_OUT`.
    """

    by_day: pl.DataFrame
    n_enrolled: int
    n_population: int
    left_out: dict[str, int]

    @property
    def by_reason(self) -> dict[tuple[int, str], int]:
        """How many ended in each state by each milestone."""
        counted = self.by_day.group_by("state", "reason").agg(pl.col("n").sum()).sort(pl.all())
        return {(state, reason): int(n) for state, reason, n in counted.rows()}

    @property
    def n_in_doubt(self) -> int:
        """Those of whom a quarantined row might have told what the endpoint needs."""
        return self.left_out.get("in_doubt", 0)

    @property
    def n_without_origin(self) -> int:
        """Those in whom the clock never started."""
        return self.left_out.get("without_origin", 0)

    @property
    def n_without_day(self) -> int:
        """Those with neither an event nor a day of observation."""
        return self.left_out.get("without_day", 0)


Parts = dict[tuple[str, str], pl.DataFrame]
NOBODY = pl.DataFrame(
    schema={
        "is_population": pl.Boolean,
        "time_days": pl.Int32,
        "state": pl.Int8,
        "reason": pl.String,
        "n": pl.Int64,
    }
)


@dataclass(frozen=True)
class Outcomes:
    """All groups of a selection, as `queries/survival.sql` tells them, by cohort and line."""

    parts: Parts

    def of(self, group: Group) -> Ended:
        """The lines of one group."""
        mine = self.parts.get((group.cohort_code, group.line_code), NOBODY)
        population = mine.filter("is_population")
        by_day = population.filter(pl.col("state").is_not_null())
        left_out: dict[str, int] = {}
        if by_day.height < population.height:
            without = population.filter(pl.col("state").is_null())
            left_out = dict(without.select("reason", "n").rows())
        n_enrolled, n_population = int(mine["n"].sum()), int(population["n"].sum())
        return Ended(by_day, n_enrolled, n_population, left_out)


def outcomes(snapshot: Snapshot, chosen: Selection, endpoint: Endpoint) -> Outcomes:
    """How the lines of a selection end an endpoint."""
    found = query(snapshot, "survival", chosen, endpoint_code=endpoint.code)
    parts = found.partition_by("cohort_code", "entry_reason", as_dict=True)
    return Outcomes({(str(cohort), str(line)): rows for (cohort, line), rows in parts.items()})


def from_registration(
    snapshot: Snapshot, chosen: Selection, endpoint: Endpoint
) -> dict[str, DelayedEntry]:
    """By group, the day counts of those under observation: at risk from their registration on.

    Who had the event, or was last seen, by the day of registration was never at risk and is counted
    beside. Only of endpoints with one state (`day_counts` refuses competing ones).
    """
    found = query(snapshot, "survival_entry", chosen, endpoint_code=endpoint.code)
    return {g.code: delayed_entry(found.filter(g.matches)) for g in groups(snapshot.study, chosen)}
