"""Records of arrays: a frozen dataclass whose arrays hold one element (or row) a thing.

A day is counted in float64 so that a day that never comes is infinity: `day < NEVER` needs no
second mask. Records may hold records and tuples of records.
"""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

NEVER = np.inf
Record = TypeVar("Record")


def _each(change: Callable[..., np.ndarray], *records: Any) -> Any:
    first = records[0]
    if isinstance(first, np.ndarray):
        return change(*records)
    if isinstance(first, tuple):
        return tuple(_each(change, *parts) for parts in zip(*records, strict=True))
    parts = {f.name: [getattr(record, f.name) for record in records] for f in fields(first)}
    return type(first)(**{name: _each(change, *values) for name, values in parts.items()})


def take(record: Record, index: np.ndarray) -> Record:
    """The elements of `record` at `index` (positions or a mask)."""
    return _each(lambda array: array[index], record)


def joined(first: Record, second: Record) -> Record:
    """The elements of `first`, then those of `second`."""
    return _each(lambda a, b: np.concatenate([a, b]), first, second)


def _nothing(dtype: np.dtype) -> float | int | bool:
    return NEVER if dtype.kind == "f" else np.zeros((), dtype).item()


def scattered(record: Record, index: np.ndarray, n: int) -> Record:
    """`n` elements: those of `record` at the positions `index`; elsewhere never, zero, no."""

    def spread(array: np.ndarray) -> np.ndarray:
        whole = np.full((n, *array.shape[1:]), _nothing(array.dtype), array.dtype)
        whole[index] = array
        return whole

    return _each(spread, record)
