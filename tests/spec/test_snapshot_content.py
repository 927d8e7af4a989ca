"""What the content id of a snapshot tells apart and what not, and what a table refuses."""

import random
from collections.abc import Iterable

import duckdb
import polars as pl
import pytest
from dataframely.exc import ValidationError

from tests.bench.registry import study
from trial.schema import TableSpec, tables_of
from warehouse.build import in_order, insert
from warehouse.content import table_digest
from warehouse.ddl import create_table

MILESTONES = next(table for table in tables_of(study()) if table.name == "fct_milestone")
# More rows than DuckDB gives to one thread.
MANY = 300_000
ROW = {
    "enrollment_key": 1,
    "milestone_code": "relapse",
    "instance": 1,
    "day": 10,
    "detail_code": None,
}


def _digest(frame: pl.DataFrame, table: TableSpec = MILESTONES) -> str:
    with duckdb.connect() as con:
        create_table(con, table)
        insert(con, table.name, in_order(frame, table))
        return table_digest(con, table)


def _rows(*changes: dict) -> pl.DataFrame:
    schema = {**MILESTONES.schema.create_empty().schema}
    return pl.DataFrame([{**ROW, **change} for change in changes], schema=schema)


def _stored_keys(frame: pl.DataFrame) -> Iterable[int]:
    with duckdb.connect() as con:
        create_table(con, MILESTONES)
        insert(con, MILESTONES.name, in_order(frame, MILESTONES))
        found = con.execute("select enrollment_key from fct_milestone").fetchall()
    return [key for (key,) in found]


def test_rows_lie_in_the_order_of_their_key_whatever_the_order_of_the_export() -> None:
    keys = random.Random(7).sample(range(-50, 50), 40)
    assert _stored_keys(_rows(*({"enrollment_key": key} for key in keys))) == sorted(keys)


def test_equal_rows_in_another_order_have_the_same_content() -> None:
    changes = [{"instance": n, "milestone_code": code} for n in (1, 2) for code in ("death", "cr")]
    assert _digest(_rows(*changes)) == _digest(_rows(*reversed(changes)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([{"day": 10}], [{"day": 11}]),
        ([{"detail_code": None}], [{"detail_code": ""}]),
        ([{}], [{}, {"instance": 2}]),
        (
            [{"detail_code": "ab"}, {"instance": 2, "detail_code": "c"}],
            [{"detail_code": "a"}, {"instance": 2, "detail_code": "bc"}],
        ),
        (
            [{"detail_code": "x"}, {"instance": 2, "detail_code": None}],
            [{"detail_code": None}, {"instance": 2, "detail_code": "x"}],
        ),
    ],
)
def test_any_change_of_a_value_changes_the_content(one: list[dict], other: list[dict]) -> None:
    assert _digest(_rows(*one)) != _digest(_rows(*other))


def test_a_large_table_has_the_same_content_in_every_build() -> None:
    """Sums of numbers that DuckDB adds in parallel as floats were another one every time."""
    key = pl.int_range(MANY, eager=True)
    frame = _rows({}).drop("enrollment_key").join(key.to_frame("enrollment_key"), how="cross")
    first = _digest(frame)
    assert first == _digest(frame.reverse())
    changed = pl.when(pl.col("enrollment_key") == MANY // 2).then(11).otherwise("day")
    assert first != _digest(frame.with_columns(changed.alias("day").cast(pl.Int32)))


def test_two_rows_of_one_key_are_refused() -> None:
    with pytest.raises(duckdb.ConstraintException, match="fct_milestone: two rows have the same"):
        in_order(_rows({"day": 3}, {"day": 4}), MILESTONES)


@pytest.mark.parametrize("change", [{"day": -1}, {"day": None}, {"milestone_code": None}])
def test_a_row_that_breaks_the_schema_is_refused(change: dict) -> None:
    with pytest.raises(ValidationError):
        in_order(_rows(change), MILESTONES)
