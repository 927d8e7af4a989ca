"""Subgroups: the hazard ratio of every level of several characteristics, from one query.

Exploratory: the number of subgroups looked at is the number of rows, and stands beside them.
"""

import polars as pl

from analysis.groups import groups
from analysis.stats.forest import forest
from trial.selection import Selection
from warehouse.query import Snapshot, counts_by_level


def subgroups(
    snapshot: Snapshot, chosen: Selection, endpoint_code: str, characteristic_codes: tuple[str, ...]
) -> pl.DataFrame:
    """Every level against the comparator, the first chosen cohort in the study's order.

    Grain: one row per characteristic x level that has anybody: characteristic_code, level_code,
    n_reference, n_other, n_events_reference, n_events_other, log_hazard_ratio, standard_error,
    hazard_ratio, lower, upper, p_value, reason. Of a selection of two cohorts and one kind of line;
    raises ValueError for another one.
    """
    shown = groups(snapshot.study, chosen)
    if len(shown) != 2:
        raise ValueError(f"a forest compares two cohorts, not {len(shown)}")
    keys = ("characteristic_code", "level_code")
    columns = ("time_days", "state")
    counts = counts_by_level(
        snapshot, "forest", characteristic_codes, chosen, columns, endpoint_code=endpoint_code
    )
    named = counts.select(*keys).unique().sort(keys).with_row_index("subgroup")
    numbered = counts.join(named, on=keys, how="left", maintain_order="left")
    fitted = forest(numbered, *(g.cohort_code for g in shown))
    return named.join(fitted, on="subgroup", how="left", maintain_order="left").drop("subgroup")
