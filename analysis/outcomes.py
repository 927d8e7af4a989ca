"""How the lines of a selection end an endpoint: one query, from which every page counts.

Whoever is enrolled is either in the population or not, and whoever is in it either has a time or is
left out for a reason: the parts add up because they are parts of one table.
"""

from dataclasses import dataclass

import polars as pl

from analysis.groups import Group
from trial.selection import Selection
from trial.study import Endpoint
from warehouse.query import Snapshot, query


@dataclass(frozen=True)
class Ended:
    """One group: how many ended on each day with which state, and how many have no time.

    `by_day`: columns time_days, state, reason, n. `left_out`: by reason, `trial.schema.LEFT_OUT`.
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


@dataclass(frozen=True)
class Outcomes:
    """All groups of a selection, as `queries/survival.sql` tells them."""

    frame: pl.DataFrame

    def of(self, group: Group) -> Ended:
        """The lines of one group."""
        mine = self.frame.filter(group.matches)
        population = mine.filter("is_population")
        has_time = population["state"].is_not_null()
        without = population.filter(~has_time)
        return Ended(
            by_day=population.filter(has_time).select("time_days", "state", "reason", "n"),
            n_enrolled=int(mine["n"].sum()),
            n_population=int(population["n"].sum()),
            left_out=dict(without.select("reason", "n").rows()),
        )


def outcomes(snapshot: Snapshot, chosen: Selection, endpoint: Endpoint) -> Outcomes:
    """How the lines of a selection end an endpoint."""
    return Outcomes(query(snapshot, "survival", chosen, endpoint_code=endpoint.code))
