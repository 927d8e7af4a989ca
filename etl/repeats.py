"""Rows that say what another row says too, and what to do with them.

Few rows of an export do. So a hash of every row is sorted first; only the rows whose hash is there
twice are compared with each other. That takes a tenth of the time of comparing all of them.
"""

from collections.abc import Sequence

import polars as pl

from etl.findings import FILE
from etl.sources.raw import ROW


def shared(frame: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """Whether another row holds the same in these columns; nulls are the same."""
    hashes = frame.select(columns).hash_rows()
    ordered = hashes.sort()
    twice = ordered.filter(ordered == ordered.shift(1)).unique()
    if twice.is_empty():
        return pl.repeat(False, frame.height, dtype=pl.Boolean, eager=True)
    suspect = hashes.is_in(twice.implode())
    # Two different rows can have one hash.
    same = frame.filter(suspect).select(columns).is_duplicated()
    return suspect.scatter(suspect.arg_true(), same)


def differing(frame: pl.DataFrame, key: Sequence[str], facts: Sequence[str]) -> pl.DataFrame:
    """Rows of the groups of one key whose facts are not all the same."""
    several = frame.filter(shared(frame, key))
    return several.filter(pl.struct(facts).n_unique().over(key) > 1)


def later(frame: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """Whether a row further up in the export (of an earlier file, in it) holds the same."""
    again = shared(frame, columns)
    number = pl.int_range(pl.len()).over(columns, order_by=[FILE, ROW])
    after = frame.filter(again).select((number > 0).alias("after"))["after"]
    return again.scatter(again.arg_true(), after)
