"""Cells of a spreadsheet -> the text that a person sees in them.

A cell stores a number and, apart from it, how to show it. Read without its format, 0.01 % is
0.0001: beside a heading in percent that is an error of a factor 100. So a percent cell is written
with its sign, a date cell as a date, and any other number plainly, in the shortest text that gives
the same number back. A cell that shows a month and stands on its first day is written as the month:
that is what a spreadsheet makes of a typed 05.2019, and the day is of its making.

Source: ECMA-376 Part 1, 18.8.30 (number formats), 18.17.4 (dates). Both date systems count days:
that of 1900 from 1 (1 January 1900) and with a 29 February 1900 that never was, that of 1904 from
0 (1 January 1904).
"""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from math import isfinite

PLAIN, PERCENT = "plain", "percent"
DATE, MONTH, TIME, ELAPSED = "date", "month", "time", "elapsed"
# What a formula shows here that no program has calculated yet.
NOT_CALCULATED = "#NOT CALCULATED!"

_BUILT_IN = {
    **dict.fromkeys((9, 10), PERCENT),
    **dict.fromkeys((14, 15, 16, 22, *range(27, 37), *range(50, 59)), DATE),
    17: MONTH,
    **dict.fromkeys((*range(18, 22), 45, 47), TIME),
    46: ELAPSED,
}
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.')
_BRACKETS = re.compile(r"\[[^\]]*\]")
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_WHOLE = re.compile(r"-?[1-9][0-9]*|0")
_SMALLEST_PLAIN, _LARGEST_PLAIN = 1e-30, 1e30

SECONDS_A_DAY = 86_400
_DAY_0 = {False: date(1899, 12, 30), True: date(1904, 1, 1)}
_LAST_DAY = date(9999, 12, 31)
# Before the day that never was, the 1900 system is one day behind.
_NEVER_WAS = 60


def format_kind(number: int, code: str | None) -> str:
    """What a number format shows; `code` is None for a format that every program knows."""
    if code is None:
        return _BUILT_IN.get(number, PLAIN)
    positive = _LITERAL.sub("", code).split(";")[0]
    if _ELAPSED.search(positive):
        return ELAPSED
    letters = set(_BRACKETS.sub("", positive).lower())
    has_clock = bool(letters & set("hs"))
    if "y" in letters and "m" in letters and not has_clock and "d" not in letters:
        return MONTH
    if letters & set("dy") or ("m" in letters and not has_clock):
        return DATE
    if has_clock:
        return TIME
    return PERCENT if "%" in letters else PLAIN


@lru_cache(maxsize=65_536)
def number_text(raw: str, kind: str, is_1904: bool) -> str:
    """The number `raw`, as the file writes it, in a format of `kind`; no number: `raw` itself.

    A date outside of what the date system can show (below day 0, after the year 9999) is written as
    the number.
    """
    if kind == PLAIN and _WHOLE.fullmatch(raw):
        return raw
    if not _NUMBER.fullmatch(raw) or not isfinite(value := float(raw)):
        return raw
    if kind == PERCENT:
        return f"{_decimal_text(Decimal(repr(value)).scaleb(2).normalize())}%"
    if kind != PLAIN and value >= 0:
        return _moment_text(value, kind, is_1904) or _plain(value)
    return _plain(value)


def iso_text(raw: str) -> str:
    """A date written as ISO 8601 as dd.mm.yyyy; with a time zone or unreadable: `raw` itself."""
    try:
        moment = datetime.fromisoformat(raw)
    except ValueError:
        return raw
    if moment.tzinfo is not None:
        return raw
    seconds = moment.hour * 3600 + moment.minute * 60 + moment.second
    return _with_clock(f"{moment:%d.%m.%Y}", seconds)


def _plain(value: float) -> str:
    text = repr(value + 0.0)  # + 0.0 makes -0.0 a plain 0.0
    if "e" in text and _SMALLEST_PLAIN <= abs(value) <= _LARGEST_PLAIN:
        text = _decimal_text(Decimal(text))
    return text.removesuffix(".0")


def _decimal_text(value: Decimal) -> str:
    return format(value + 0, "f")


def _moment_text(value: float, kind: str, is_1904: bool) -> str:
    """A day, time of day or duration in days; '' if the day is after the year 9999."""
    if value > _LAST_DAY.toordinal():
        return ""
    days, seconds = divmod(round(value * SECONDS_A_DAY), SECONDS_A_DAY)
    if kind == ELAPSED:
        return _clock(days * SECONDS_A_DAY + seconds)
    if kind == TIME and not days:
        return _clock(seconds)
    day = _day_text(days, is_1904)
    if kind == MONTH and day.startswith("01.") and not seconds:
        return day[3:]
    return _with_clock(day, seconds) if day else ""


def _day_text(days: int, is_1904: bool) -> str:
    if not is_1904 and days in (0, _NEVER_WAS):
        return "29.02.1900" if days else "00.01.1900"
    behind = not is_1904 and days < _NEVER_WAS
    if days + behind > (_LAST_DAY - _DAY_0[is_1904]).days:
        return ""
    return f"{_DAY_0[is_1904] + timedelta(days=days + behind):%d.%m.%Y}"


def _with_clock(day: str, seconds: int) -> str:
    return f"{day} {_clock(seconds)}" if seconds else day


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
