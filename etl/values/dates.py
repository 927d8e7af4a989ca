"""Dates: every way of writing one day that can only mean that day.

`dd.mm.yyyy` is how an export writes a date. Conventions for the other shapes:

- Day before month with points and dashes, as in Russia. Slashes come from spreadsheets of either
  locale, so the order must show: one of the two numbers is above 12, or the date is ambiguous.
- Two-digit years: 00-39 are 2000-2039, 40-99 are 1940-1999. With dashes or slashes (05-03-19,
  19/03/05) such a year may stand first, so that is ambiguous.
- A time of day is dropped. A time with a zone is not read: 21:00 UTC is the next day in Moscow.
- A five-digit number from 20000 (1954) to 60000 (2064) is a day number of Excel's 1900 system. The
  1904 system (old Excel for Mac) counts 1462 days less for the same day; nothing in a cell tells
  the two apart, so it is not guessed: dates four years early are its mark, to be mended at export.
- A month without a day is the 15th, a year alone the first of July, where the caller accepts that,
  else no date.
- Years from 1900 to 2099; `05.03.0219` is a slip of the keyboard.
"""

import re
from datetime import date, timedelta

from etl.values.read import Read, no_value, repaired
from etl.values.rules import ERRORS

FIRST_YEAR, LAST_YEAR = 1900, 2099
LAST_SHORT_YEAR_OF_THIS_CENTURY = 39
MIDDLE_OF_MONTH, MIDDLE_OF_YEAR = 15, (7, 1)
EXCEL_DAY_0 = date(1899, 12, 30)
EXCEL_SERIALS = range(20_000, 60_001)
PARTIAL = ("partial_date", "partial_year")
# Year, month, day. The last is what Excel shows for the number 0.
PLACEHOLDER_YEARS = {0, 1, 1900}
PLACEHOLDERS = {(1900, 1, 1), (1, 1, 1), (0, 0, 0), (1900, 1, 0)}
MONTHS = (
    ("январь", "января", "янв", "january", "jan"),
    ("февраль", "февраля", "февр", "фев", "february", "feb"),
    ("март", "марта", "мар", "march", "mar"),
    ("апрель", "апреля", "апр", "april", "apr"),
    ("май", "мая", "may"),
    ("июнь", "июня", "июн", "june", "jun"),
    ("июль", "июля", "июл", "july", "jul"),
    ("август", "августа", "авг", "august", "aug"),
    ("сентябрь", "сентября", "сент", "сен", "september", "sept", "sep"),
    ("октябрь", "октября", "окт", "october", "oct"),
    ("ноябрь", "ноября", "нояб", "ноя", "november", "nov"),
    ("декабрь", "декабря", "дек", "december", "dec"),
)
_MONTH_NUMBERS = {name: number for number, names in enumerate(MONTHS, start=1) for name in names}

_D, _M = r"(?P<d>[0-9]{1,2})", r"(?P<m>[0-9]{1,2})"
_D2, _M2 = r"(?P<d>[0-9]{2})", r"(?P<m>[0-9]{2})"
_D_ABOVE_12 = r"(?P<d>1[3-9]|[2-9][0-9])"
_Y, _Y2, _Y4 = r"(?P<y>[0-9]{4}|[0-9]{2})", r"(?P<y>[0-9]{2})", r"(?P<y>[0-9]{4})"
_NAME = r"(?P<m>[^\W\d_]+)\.?"
_G = r"(?:\s*г(?:\.|ода)?)?"  # "2019 г.", "2019 года"
_SHAPES = tuple(
    (re.compile(shape), rule)
    for shape, rule in (
        (rf"{_D2}\.{_M2}\.{_Y4}", ""),
        (rf"{_D}\s*\.\s*{_M}\s*\.\s*{_Y}{_G}", "date_shape"),
        (rf"{_D}-{_M}-{_Y4}", "date_shape"),
        (rf"{_Y4}(?P<sign>[-./]){_M}(?P=sign){_D}", "date_shape"),
        (rf"{_D}[\s.\-]*{_NAME}[\s,\-]*{_Y}{_G}", "date_shape"),
        (rf"{_NAME}\s+{_D},?\s+{_Y4}", "date_shape"),
        (rf"{_D_ABOVE_12}/{_M}/{_Y4}", "date_shape"),
        (rf"{_M}/{_D_ABOVE_12}/{_Y}", "us_date"),
        (rf"{_D}/{_M}/{_Y}", "ambiguous_date"),
        (rf"{_D}-{_M}-{_Y2}", "ambiguous_date"),
        (rf"{_M}[-./]{_Y4}{_G}", "partial_date"),
        (rf"{_Y4}[-./]{_M2}", "partial_date"),
        (rf"{_NAME}\s+{_Y4}{_G}", "partial_date"),
        (rf"{_Y4}{_G}", "partial_year"),
    )
)
_SERIAL = re.compile(r"([0-9]{5})(?:[.,][0-9]+)?")
_TIMED = re.compile(
    r"(.*[0-9])(?:T|,?\s+)(?:[01]?[0-9]|2[0-3]):[0-5][0-9]"
    r"(?::[0-5][0-9](?:[.,][0-9]{1,9})?)?(?:\s?[AaPp][Mm])?"
)


def read_date(text: str, partial: bool = False) -> Read[date]:
    """The day that `text` names; `partial` accepts a month and takes its 15th day."""
    text = text.strip()
    if nothing := no_value(text):
        return nothing
    timed = _TIMED.fullmatch(text)
    read = _read_day(timed[1] if timed else text, partial)
    if timed and read.value:
        return repaired(read.value, {*read.repairs, "date_shape"})
    return read


def _read_day(text: str, partial: bool) -> Read[date]:
    if serial := _SERIAL.fullmatch(text):
        return _of_serial(int(serial[1]))
    for shape, rule in _SHAPES:
        if written := shape.fullmatch(text):
            if rule in PARTIAL and not partial:
                break
            return _of_parts(written.groupdict(), rule)
    return Read(None, error="not_a_date")


def _of_serial(number: int) -> Read[date]:
    if number not in EXCEL_SERIALS:
        return Read(None, error="not_a_date")
    return Read(EXCEL_DAY_0 + timedelta(days=number), ("excel_serial",))


def _of_parts(parts: dict[str, str], rule: str) -> Read[date]:
    """The date of the day (`d`), month (`m`, number or name; may be absent both) and year (`y`)."""
    if rule == "partial_year":
        if int(parts["y"]) in PLACEHOLDER_YEARS:
            return Read(None, error="placeholder_date")
        value = _calendar_day(int(parts["y"]), *MIDDLE_OF_YEAR)
        return repaired(value, {rule}) if value else Read(None, error="not_a_date")
    month = _month(parts["m"])
    if month is None:
        return Read(None, error="not_a_date")
    year, day = _year(parts["y"]), int(parts.get("d", MIDDLE_OF_MONTH))
    if (year, month, day) in PLACEHOLDERS:
        return Read(None, error="placeholder_date")
    if rule in ERRORS:
        return Read(None, error=rule)
    value = _calendar_day(year, month, day)
    return repaired(value, {rule}) if value else Read(None, error="impossible_date")


def _month(text: str) -> int | None:
    return int(text) if text.isdecimal() else _MONTH_NUMBERS.get(text.casefold())


def _year(text: str) -> int:
    if len(text) > 2:
        return int(text)
    return int(text) + (2000 if int(text) <= LAST_SHORT_YEAR_OF_THIS_CENTURY else 1900)


def _calendar_day(year: int, month: int, day: int) -> date | None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None
