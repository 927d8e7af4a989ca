"""Cells as an export writes them: codes, dates, numbers, identifiers. Missing is an empty cell.

Texts are looked up in tables made once, since a demo may have a hundred million cells.
"""

from functools import cache

import numpy as np
import polars as pl

_FIRST_DAY = int(np.datetime64("1990-01-01").astype(int))
_LAST_DAY = int(np.datetime64("2022-12-31").astype(int))


def coded(labels: tuple[str, ...], index: np.ndarray) -> pl.Series:
    """The label at each index; an index below 0 is missing."""
    texts = pl.Series([*labels, None], dtype=pl.String)
    return texts.gather(np.where(index < 0, len(labels), index).astype(np.uint32))


@cache
def _dates() -> tuple[str, ...]:
    days = np.arange(_FIRST_DAY, _LAST_DAY + 1).astype("datetime64[D]")
    return tuple(f"{text[8:]}.{text[5:7]}.{text[:4]}" for text in days.astype(str))


def dated(day: np.ndarray) -> pl.Series:
    """Days since 1970 as dd.mm.yyyy; a day that is not finite is missing."""
    known = np.isfinite(day)
    return coded(_dates(), np.where(known, np.where(known, day, 0) - _FIRST_DAY, -1))


def whole(number: np.ndarray) -> pl.Series:
    """Whole numbers."""
    return pl.Series(number.astype(np.int64)).cast(pl.String)


def yes_no(is_so: np.ndarray) -> pl.Series:
    """`yes` and `no`."""
    return coded(("no", "yes"), is_so.astype(int))


def _plain(mantissa: int, exponent: int) -> str:
    """Two digits times ten to the exponent, without an exponent: 35, -3 is 0.035."""
    if exponent >= 0:
        return str(mantissa * 10**exponent)
    digits = str(mantissa).rjust(1 - exponent, "0")
    return f"{digits[:exponent]}.{digits[exponent:]}".rstrip("0").rstrip(".")


_LOWEST = -9


@cache
def _two_digits() -> tuple[str, ...]:
    return tuple(_plain(m, e) for e in range(_LOWEST, 2) for m in range(10, 100))


def two_digits(value: np.ndarray) -> pl.Series:
    """Numbers from 1e-8 to below 1000 with two significant digits; NaN is missing."""
    known = np.isfinite(value)
    safe = np.where(known, value, 1.0)
    exponent = np.floor(np.log10(safe) + 1e-12).astype(int)
    mantissa = np.rint(safe / 10.0 ** (exponent - 1)).astype(int)
    exponent = np.where(mantissa >= 100, exponent + 1, exponent)
    mantissa = np.where(mantissa >= 100, mantissa // 10, np.maximum(mantissa, 10))
    index = (exponent - 1 - _LOWEST) * 90 + mantissa - 10
    return coded(_two_digits(), np.where(known, index, -1))


def tenths(value: np.ndarray) -> pl.Series:
    """Numbers from 0 to 100 with at most one decimal."""
    texts = tuple(f"{k / 10:g}" for k in range(1001))
    return coded(texts, np.rint(value * 10).astype(int))


_MIX = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)


def _scrambled(values: np.ndarray, key: int) -> np.ndarray:
    """SplitMix64 of each value and a key (Steele, Lea and Flood, OOPSLA 2014)."""
    z = values * np.uint64(_MIX[0]) + np.uint64(key % 2**64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(_MIX[1])
    z = (z ^ (z >> np.uint64(27))) * np.uint64(_MIX[2])
    return z ^ (z >> np.uint64(31))


def shuffled(index: np.ndarray, size: int, seed: int) -> np.ndarray:
    """A permutation of 0..size-1 at these indices, keyed by `seed`, without a table of it.

    A Feistel network of four rounds over the next power of four, walked until inside `size`.
    """
    half = np.uint64(max(1, (int(size - 1).bit_length() + 1) // 2))
    mask = (np.uint64(1) << half) - np.uint64(1)
    value = index.astype(np.uint64)
    outside = np.ones(len(value), bool)
    while outside.any():
        left, right = value[outside] >> half, value[outside] & mask
        for turn in range(4):
            left, right = right, left ^ (_scrambled(right, seed * 4 + turn) & mask)
        value[outside] = (left << half) | right
        outside = value >= size
    return value.astype(np.int64)


def patient_ids(index: np.ndarray, patients: int, seed: int) -> pl.Series:
    """Codes such as RB-00417, unique among `patients`, in no order."""
    width = max(5, len(str(patients - 1)))
    numbers = pl.Series(shuffled(index, 10**width, seed))
    return pl.select(pl.lit("RB-") + numbers.cast(pl.String).str.zfill(width)).to_series()
