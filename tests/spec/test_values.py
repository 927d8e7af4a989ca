"""One cell in, what was read out: every shape, every repair, every error, and any text at all."""

import math
import time
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.values import (
    MESSAGES,
    Grade,
    Measured,
    Read,
    read_code,
    read_date,
    read_grade,
    read_measured,
    read_number,
    severity,
)
from etl.values.letters import ROMAN, without_look_alikes
from etl.values.rules import ERRORS, REPAIRS

NBSP, THIN, NARROW, ZERO_WIDTH = "\u00a0", "\u2009", "\u202f", "\u200b"
BLOCKS = {"F1": "F1", "F2": "F2", "CLO": "CLO", "BLINA": "BLINA", "FLU": "FLU", "R1": "R1"}
SITES = {"BM": "BM", "BM+CNS": "BM+CNS", "CNS": "CNS", "other EM": "EM", "тяжёлая форма": "BAD"}
TEXTS = {
    **BLOCKS,
    **SITES,
    "ALL-REZ 2014": "2014",
    "TCRab/CD19 depletion": "depletion",
    "febrile neutropenia": "FN",
    "S2": "S2",
    "CD3": "CD3",
    "1": "first",
    "2": "second",
    "яички": "testis",
}


def _error(rule: str) -> Read[Any]:
    return Read(None, (), rule)


MISSING = Read(None, ("missing_word",))
NOTHING = Read(None)

# text | rules; each means 5 March 2019
FIFTH_OF_MARCH = """
05.03.2019                | -
2019-03-05                | date_shape
2019-3-5                  | date_shape
2019/03/05                | date_shape
2019.03.05                | date_shape
2019-03-05 00:00:00       | date_shape
2019-03-05T14:30          | date_shape
2019-03-05 14:30:00.000   | date_shape
05.03.2019 00:00          | date_shape
05.03.2019, 9:05          | date_shape
5.3.2019                  | date_shape
05.3.2019                 | date_shape
05. 03. 2019              | date_shape
05.03.2019 г.             | date_shape
05.03.2019г               | date_shape
05.03.19                  | date_shape
5.3.19                    | date_shape
05-03-2019                | date_shape
5-3-2019                  | date_shape
5 марта 2019              | date_shape
5 МАРТА 2019 года         | date_shape
05 мар 2019               | date_shape
5 мар. 2019 г.            | date_shape
5 March 2019              | date_shape
5 Mar 2019                | date_shape
05-Mar-2019               | date_shape
05-Mar-19                 | date_shape
05MAR2019                 | date_shape
March 5, 2019             | date_shape
Mar 5 2019                | date_shape
43529                     | excel_serial
43529.0                   | excel_serial
43529,604                 | excel_serial
"""
# text | day | rules
OTHER_DATES = """
25/03/2019                | 2019-03-25 | date_shape
03/25/2019                | 2019-03-25 | us_date
3/25/19                   | 2019-03-25 | us_date
3/25/2019 12:00:00 AM     | 2019-03-25 | date_shape us_date
29.02.2020                | 2020-02-29 | -
01.01.39                  | 2039-01-01 | date_shape
01.01.40                  | 1940-01-01 | date_shape
01.01.00                  | 2000-01-01 | date_shape
01.01.1970                | 1970-01-01 | -
31.12.2099                | 2099-12-31 | -
02.01.1900                | 1900-01-02 | -
20000                     | 1954-10-03 | excel_serial
60000                     | 2064-04-08 | excel_serial
05-03-2019                | 2019-03-05 | date_shape
1 янв 2019                | 2019-01-01 | date_shape
1 фев 2019                | 2019-02-01 | date_shape
1 апреля 2019             | 2019-04-01 | date_shape
1 мая 2019                | 2019-05-01 | date_shape
1 June 2019               | 2019-06-01 | date_shape
1 июл. 2019               | 2019-07-01 | date_shape
1 августа 2019            | 2019-08-01 | date_shape
1 сент. 2019              | 2019-09-01 | date_shape
1 Sept 2019               | 2019-09-01 | date_shape
1 октября 2019            | 2019-10-01 | date_shape
1 ноя 2019                | 2019-11-01 | date_shape
1 December 2019           | 2019-12-01 | date_shape
"""
# text | error
NO_DATES = """
03/04/2019                | ambiguous_date
3/4/2019                  | ambiguous_date
04/04/2019                | ambiguous_date
03/04/2019 10:00          | ambiguous_date
05-03-19                  | ambiguous_date
19/03/05                  | ambiguous_date
31.02.2019                | impossible_date
2019-02-31                | impossible_date
29.02.2019                | impossible_date
00.05.2019                | impossible_date
05.13.2019                | impossible_date
03-25-2019                | impossible_date
13/13/2019                | impossible_date
02/30/2019                | impossible_date
31 апреля 2019            | impossible_date
05.03.0219                | impossible_date
05.03.2119                | impossible_date
31.12.1899                | impossible_date
01.01.1900                | placeholder_date
1900-01-01                | placeholder_date
01/01/1900                | placeholder_date
01.01.1900 00:00          | placeholder_date
1 января 1900             | placeholder_date
00.01.1900                | placeholder_date
00.00.0000                | placeholder_date
0000-00-00                | placeholder_date
01.01.0001                | placeholder_date
весна 2019                | not_a_date
5 весны 2019              | not_a_date
abc                       | not_a_date
05.03                     | not_a_date
19999                     | not_a_date
60001                     | not_a_date
3652059                   | not_a_date
20190305                  | not_a_date
05.03.2019 25:00          | not_a_date
2019-03-04T21:00:00Z      | not_a_date
2019-03-05T00:00+03:00    | not_a_date
05.03.2019?               | not_a_date
05.03.219                 | not_a_date
05,03,2019                | not_a_date
٠٥.٠٣.٢٠١٩                | not_a_date
０５.０３.２０１９            | not_a_date
5 ² 2019                  | not_a_date
#REF!                     | spreadsheet_error
"""
PARTIAL_DATES = """
05.2019                   | 2019-05-15
5.2019                    | 2019-05-15
05/2019                   | 2019-05-15
05-2019                   | 2019-05-15
2019-05                   | 2019-05-15
2019.05                   | 2019-05-15
май 2019                  | 2019-05-15
мая 2019 г.               | 2019-05-15
May 2019                  | 2019-05-15
"""
# text | value | rules
NUMBERS = """
0.35                      | 0.35       | -
-3                        | -3         | -
+3                        | 3          | -
.5                        | 0.5        | -
5.                        | 5          | -
1e-4                      | 0.0001     | -
1E-004                    | 0.0001     | -
12500                     | 12500      | -
0,35                      | 0.35       | decimal_comma
-0,35                     | -0.35      | decimal_comma
1,5e3                     | 1500       | decimal_comma
12,500                    | 12.5       | decimal_comma
12 500                    | 12500      | thousands_separator
1 234 567                 | 1234567    | thousands_separator
-12 500                   | -12500     | thousands_separator
12 500.5                  | 12500.5    | thousands_separator
12 500,5                  | 12500.5    | decimal_comma thousands_separator
"""
NO_NUMBERS = [
    *("abc", "nan", "NaN", "inf", "-Infinity", "1e999", "1e-999", "0x10", "1_000", "1,234.5"),
    *("1.234,5", "1,234,567", "1.2.3", "5,", ",5", "0 500", "1 23", "12  500", "75%", "15 мг"),
    *("1-2", "--1", "+", "e5", ".", "٣", "３", "²", "½", "Ⅷ", "−5", "1" * 61),
]
# text | unit | qualifier | value | rules
MEASURED = """
85                        | %        | =            | 0.85    | -
0.35                      | %        | =            | 0.0035  | -
0.01                      | %        | =            | 1e-4    | -
0                         | %        | =            | 0       | -
100                       | %        | =            | 1       | -
0.0035                    | fraction | =            | 0.0035  | -
1                         | fraction | =            | 1       | -
<0.01                     | %        | <            | 1e-4    | -
< 0.01                    | %        | <            | 1e-4    | -
>50                       | %        | >            | 0.5     | -
<0.0001                   | fraction | <            | 1e-4    | -
1e-4                      |          | =            | 1e-4    | -
1.5E-05                   |          | =            | 1.5e-5  | -
<1e-4                     | fraction | <            | 1e-4    | -
undetectable              |          | undetectable |         | -
undetectable              | %        | undetectable |         | -
detected                  |          | detected     |         | -
failed                    |          | failed       |         | -
0,35                      | %        | =            | 0.0035  | decimal_comma
<0,01                     | %        | <            | 1e-4    | decimal_comma
0,0035                    | fraction | =            | 0.0035  | decimal_comma
1,5e-4                    |          | =            | 1.5e-4  | decimal_comma
1*10-4                    |          | =            | 1e-4    | power_of_ten
1*10^-4                   |          | =            | 1e-4    | power_of_ten
1x10^-4                   |          | =            | 1e-4    | power_of_ten
1х10-4                    |          | =            | 1e-4    | power_of_ten
1 × 10 −4                 |          | =            | 1e-4    | power_of_ten
1·10–4                    |          | =            | 1e-4    | power_of_ten
1x10^(-4)                 |          | =            | 1e-4    | power_of_ten
10^-4                     |          | =            | 1e-4    | power_of_ten
10⁻⁴                      |          | =            | 1e-4    | power_of_ten
10^⁻⁴                     |          | =            | 1e-4    | power_of_ten
1x10⁻⁴                    |          | =            | 1e-4    | power_of_ten
1x10⁻⁴                    | fraction | =            | 1e-4    | power_of_ten
<10^-4                    |          | <            | 1e-4    | power_of_ten
2,5*10-3                  |          | =            | 2.5e-3  | decimal_comma power_of_ten
0.35%                     |          | =            | 0.0035  | percent_in_value
0.35 %                    |          | =            | 0.0035  | percent_in_value
0.35%                     | %        | =            | 0.0035  | percent_in_value
<0.01%                    |          | <            | 1e-4    | percent_in_value
0,35%                     |          | =            | 0.0035  | decimal_comma percent_in_value
отр                       |          | undetectable |         | negative_word
отр.                      |          | undetectable |         | negative_word
Отрицательно              |          | undetectable |         | negative_word
neg                       |          | undetectable |         | negative_word
NEGATIVE                  |          | undetectable |         | negative_word
не обн.                   |          | undetectable |         | negative_word
не  обнаружено            | %        | undetectable |         | negative_word
обн.                      |          | detected     |         | detected_word
обнаружено                |          | detected     |         | detected_word
Undetectable              |          | undetectable |         | spelling
FAILED                    |          | failed       |         | spelling
"""
# text | unit | error
NOT_MEASURED = """
0,01                      |          | ambiguous_unit
0.01                      |          | ambiguous_unit
<0.01                     |          | ambiguous_unit
85                        |          | ambiguous_unit
5e-1x                     |          | not_a_number
5e+1                      |          | ambiguous_unit
0.5                       | copies   | ambiguous_unit
0.5%                      | fraction | unit_contradiction
0,5 %                     | fraction | unit_contradiction
1e-4                      | %        | unit_contradiction
5e-05                     | %        | unit_contradiction
10^-4                     | %        | unit_contradiction
1*10-4%                   |          | unit_contradiction
0,5% -> отр               |          | several_values
0,5% -> отр               | %        | several_values
0.5 → 0.01                | %        | several_values
отр; 0,01%                |          | several_values
0.5% (отр.)               |          | several_values
0,5, 0,1                  | %        | several_values
0,5% затем не обн.        |          | several_values
0.5/0.1                   | %        | several_values
0.5 0.1                   | %        | several_values
5-10                      | %        | several_values
5–10 %                    |          | several_values
10-4                      |          | several_values
0.5|н/д                   |          | several_values
#REF!                     |          | spreadsheet_error
#ССЫЛКА!                  | %        | spreadsheet_error
150                       | %        | out_of_range
1.5                       | fraction | out_of_range
-1                        | %        | out_of_range
100.01%                   |          | out_of_range
>100                      | %        | out_of_range
<0                        | %        | out_of_range
1*10^4                    | fraction | out_of_range
abc                       | %        | not_a_number
+                         |          | not_a_number
пол.                      |          | not_a_number
≤0.01                     | %        | not_a_number
10e-4                     |          | not_a_number
1*104                     |          | not_a_number
1*100                     | fraction | not_a_number
1*10^,4                   |          | not_a_number
1*10.4                    |          | not_a_number
1e999                     | %        | not_a_number
nan                       | fraction | not_a_number
inf                       | %        | not_a_number
2019-03-05                | %        | not_a_number
12 500                    | %        | not_a_number
٠٫٥                       | %        | not_a_number
０.５                       | %        | not_a_number
"""
# text | low | high | rules
GRADES = """
1                         | 1 | 1 | -
5                         | 5 | 5 | -
I                         | 1 | 1 | roman_numeral
III                       | 3 | 3 | roman_numeral
iv                        | 4 | 4 | roman_numeral
Ⅲ                         | 3 | 3 | roman_numeral
V                         | 5 | 5 | roman_numeral
ІІІ                       | 3 | 3 | look_alike_letters roman_numeral
З                         | 3 | 3 | look_alike_letters
3-4                       | 3 | 4 | grade_range
3–4                       | 3 | 4 | grade_range
3 - 4                     | 3 | 4 | grade_range
2-4                       | 2 | 4 | grade_range
III-IV                    | 3 | 4 | roman_numeral grade_range
3-IV                      | 3 | 4 | roman_numeral grade_range
З-4                       | 3 | 4 | look_alike_letters grade_range
тяжёлая                   | 3 | 3 | grade_word
тяжелая                   | 3 | 3 | grade_word
Тяжелая                   | 3 | 3 | grade_word
severe                    | 3 | 3 | grade_word
лёгкая                    | 1 | 1 | grade_word
mild                      | 1 | 1 | grade_word
умеренная                 | 2 | 2 | grade_word
средней  тяжести          | 2 | 2 | grade_word
moderate                  | 2 | 2 | grade_word
жизнеугрожающая           | 4 | 4 | grade_word
life-threatening          | 4 | 4 | grade_word
fatal                     | 5 | 5 | grade_word
лёгкая-умеренная          | 1 | 2 | grade_range grade_word
"""
NO_GRADES = [
    *("+", "6", "0", "abc", "-1", "3.0", "33", "VI", "4-3", "3-3", "1-2-3", "3-6", "3-", "-3"),
    *("3/4", "٣", "３", "³", "III ст", "ЗЗ", "3-4-"),
]
# text | code | rules
CODES = """
F1                        | F1        | -
BM+CNS                    | BM+CNS    | -
2                         | second    | -
СNS                       | CNS       | look_alike_letters
ВМ                        | BM        | look_alike_letters
СD3                       | CD3       | look_alike_letters
СLО                       | CLO       | look_alike_letters
ВLINА                     | BLINA     | look_alike_letters
Ѕ2                        | S2        | look_alike_letters
СDЗ                       | CD3       | look_alike_letters
ΒΜ                        | BM        | look_alike_letters
ALL-RЕZ 2014              | 2014      | look_alike_letters
f1                        | F1        | spelling
All-Rez 2014              | 2014      | spelling
ALL–REZ 2014              | 2014      | spelling
ALL - REZ  2014           | 2014      | spelling
febrile  Neutropenia      | FN        | spelling
BM + CNS                  | BM+CNS    | spelling
тяжелая форма             | BAD       | spelling
ЯИЧКИ                     | testis    | spelling
II                        | second    | roman_numeral
Ⅱ                         | second    | roman_numeral
ii                        | second    | spelling roman_numeral
ІІ                        | second    | look_alike_letters roman_numeral
іІ                        | second    | look_alike_letters spelling roman_numeral
сns                       | CNS       | look_alike_letters spelling
вм+сns                    | BM+CNS    | look_alike_letters spelling
TCRαβ/CD19 depletion      | depletion | look_alike_letters spelling
"""
NO_CODES = [
    "F3",
    "С NS",
    "III",
    "F",
    "F 1",
    "F11",
    "bone marrow",
    "Ｆ１",
    "ALL REZ 2014",
    "x" * 999,
    "nan",
]

MISSING_TEXTS = [
    "н/д",
    "Н/Д",
    "н.д.",
    "-",
    "–",
    "—",
    "n/a",
    "N/A",
    "na",
    "нет данных",
    "Нет  данных",
]
BROKEN_FORMULAS = [
    *("#REF!", "#ref!", "#ССЫЛКА!", "#Н/Д", "#N/A", "#ЗНАЧ!", "#VALUE!", "#ДЕЛ/0!", "#DIV/0!"),
    *("#ИМЯ?", "#NAME?", "#ЧИСЛО!", "#NUM!", "########"),
]


def _table(text: str) -> list[tuple[str, ...]]:
    """The rows of a table; cells are parted by ` | `."""
    return [tuple(map(str.strip, line.split(" | "))) for line in text.strip().splitlines()]


def _rules(text: str) -> tuple[str, ...]:
    """The rules of a cell; `-` is none."""
    return () if text == "-" else tuple(text.split())


def test_every_rule_has_a_sentence_and_a_severity() -> None:
    assert set(MESSAGES) == set(REPAIRS) | set(ERRORS)
    assert not set(REPAIRS) & set(ERRORS)
    assert all(text.endswith(".") and "\n" not in text for text in MESSAGES.values())
    assert severity("decimal_comma") == "repair"
    assert severity("not_a_date") == "error"
    with pytest.raises(KeyError):
        severity("no_such_rule")


def test_every_rule_is_shown_in_a_table() -> None:
    tables = [FIFTH_OF_MARCH, OTHER_DATES, NO_DATES, NUMBERS, MEASURED, NOT_MEASURED, GRADES, CODES]
    shown = {rule for table in tables for row in _table(table) for rule in row[-1].split()} - {"-"}
    elsewhere = {"partial_date", "partial_year", "missing_word", "not_a_grade", "unknown_code"}
    assert shown | elsewhere == set(MESSAGES)


@pytest.mark.parametrize(("text", "rule"), _table(FIFTH_OF_MARCH))
def test_a_date_that_can_only_mean_one_day(text: str, rule: str) -> None:
    assert read_date(text) == Read(date(2019, 3, 5), _rules(rule))


@pytest.mark.parametrize(("text", "day", "rules"), _table(OTHER_DATES))
def test_a_date_by_the_conventions(text: str, day: str, rules: str) -> None:
    assert read_date(text) == Read(date.fromisoformat(day), _rules(rules))


@pytest.mark.parametrize(("text", "rule"), _table(NO_DATES))
@pytest.mark.parametrize("partial", [False, True])
def test_a_date_that_cannot_be_read(text: str, rule: str, partial: bool) -> None:
    assert read_date(text, partial) == _error(rule)


@pytest.mark.parametrize(("text", "day"), _table(PARTIAL_DATES))
def test_a_month_is_its_15th_only_where_accepted(text: str, day: str) -> None:
    assert read_date(text, partial=True) == Read(date.fromisoformat(day), ("partial_date",))
    assert read_date(text) == _error("not_a_date")


@pytest.mark.parametrize("text", ["2019", "2019 г."])
def test_a_year_is_its_first_of_july_only_where_accepted(text: str) -> None:
    assert read_date(text, partial=True) == Read(date(2019, 7, 1), ("partial_year",))
    assert read_date(text) == _error("not_a_date")
    assert read_date("1900", partial=True) == _error("placeholder_date")
    assert read_date("1899", partial=True) == _error("not_a_date")


@pytest.mark.parametrize("text", ["13.2019", "2019-13", "00.2019"])
def test_a_month_that_is_none(text: str) -> None:
    assert read_date(text, partial=True) == _error("impossible_date")


@given(st.dates(date(1900, 1, 2), date(2099, 12, 31)))
def test_a_full_date_reads_back(day: date) -> None:
    assert read_date(f"{day:%d.%m.%Y}") == Read(day)
    assert read_date(day.isoformat()) == Read(day, ("date_shape",))
    assert read_date(f"{day:%Y-%m-%d %H:%M:%S}") == Read(day, ("date_shape",))
    american = read_date(f"{day:%m/%d/%Y}")
    assert american == (Read(day, ("us_date",)) if day.day > 12 else _error("ambiguous_date"))


@given(st.integers(20_000, 20_000))
def test_excel_counts_days(number: int) -> None:
    """Excel's day 43529 is 5 March 2019."""
    day = date(2019, 3, 5) + timedelta(days=number - 43529)
    assert read_date(str(number)) == Read(day, ("excel_serial",))


@pytest.mark.parametrize(("text", "value", "rules"), _table(NUMBERS))
def test_a_number(text: str, value: str, rules: str) -> None:
    assert read_number(text) == Read(float(value), _rules(rules))


@pytest.mark.parametrize("space", [NBSP, THIN, NARROW])
def test_any_typographic_space_parts_thousands(space: str) -> None:
    assert read_number(f"12{space}500") == Read(12500.0, ("thousands_separator",))


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_no_number(text: str) -> None:
    assert read_number(text) == _error("not_a_number")


@given(st.floats(-1e15, 1e15).map(lambda x: round(x, 6)))
def test_a_number_reads_back(value: float) -> None:
    assert read_number(f"{value:.6f}") == Read(value)
    assert read_number(f"{value:.6f}".replace(".", ",")) == Read(value, ("decimal_comma",))


def test_minus_zero_is_zero() -> None:
    number, share = read_number("-0").value, read_measured("-0", "%", True).value
    assert number is not None and share is not None and share.value is not None
    assert math.copysign(1, number) == math.copysign(1, share.value) == 1


@pytest.mark.parametrize(("text", "unit", "qualifier", "value", "rules"), _table(MEASURED))
def test_a_result(text: str, unit: str, qualifier: str, value: str, rules: str) -> None:
    result = Measured(qualifier, float(value) if value else None)
    assert read_measured(text, unit or None, needs_unit=True) == Read(result, _rules(rules))


@pytest.mark.parametrize(("text", "unit", "rule"), _table(NOT_MEASURED))
def test_a_result_that_cannot_be_read(text: str, unit: str, rule: str) -> None:
    assert read_measured(text, unit or None, needs_unit=True) == _error(rule)


def test_a_plain_number_is_a_fraction_only_where_no_unit_is_needed() -> None:
    assert read_measured("0.01", None, needs_unit=False) == Read(Measured("=", 0.01))
    assert read_measured("0.01%", None, needs_unit=False).repairs == ("percent_in_value",)
    assert read_measured("0.01%", None, needs_unit=False).value == Measured("=", 0.0001)
    assert read_measured("1.5", None, needs_unit=False) == _error("out_of_range")


@given(st.integers(0, 10**8), st.sampled_from(["", "<", ">"]))
def test_a_percent_equals_its_fraction(millionths: int, sign: str) -> None:
    """0.35 % and 0.0035 are the same float, however many digits."""
    percent = f"{sign}{millionths // 10**6}.{millionths % 10**6:06}"
    fraction = f"{sign}{millionths // 10**8}.{millionths % 10**8:08}"
    expected = read_measured(fraction, "fraction", True)
    assert read_measured(percent, "%", True) == expected
    assert read_measured(percent + "%", None, True).value == expected.value
    if expected.value and millionths:
        assert read_measured(f"{sign}{millionths}*10-8", None, True).value == expected.value


@pytest.mark.parametrize(("text", "low", "high", "rules"), _table(GRADES))
def test_a_grade(text: str, low: str, high: str, rules: str) -> None:
    assert read_grade(text) == Read(Grade(int(low), int(high)), _rules(rules))


@pytest.mark.parametrize("text", NO_GRADES)
def test_no_grade(text: str) -> None:
    assert read_grade(text) == _error("not_a_grade")


@pytest.mark.parametrize(("text", "code", "rules"), _table(CODES))
def test_a_code(text: str, code: str, rules: str) -> None:
    assert read_code(text, TEXTS) == Read(code, _rules(rules))


@pytest.mark.parametrize("text", NO_CODES)
def test_no_code(text: str) -> None:
    assert read_code(text, TEXTS) == _error("unknown_code")


@pytest.mark.parametrize("text", [f"F1{ZERO_WIDTH}", "\ufeffF1", "f\u00ad1"])
def test_characters_nobody_sees_are_spelling(text: str) -> None:
    assert read_code(text, TEXTS) == Read("F1", ("spelling",))


def test_no_break_spaces_are_spaces() -> None:
    assert read_code(f"ALL-REZ{NBSP}2014", TEXTS) == Read("2014", ("spelling",))


def test_cyrillic_codes_are_found_by_latin_letters() -> None:
    codes = {"ВР": "high", "СР": "standard"}
    assert read_code("BP", codes) == Read("high", ("look_alike_letters",))
    assert read_code("cр", codes) == Read("standard", ("look_alike_letters", "spelling"))


def test_a_text_that_could_be_two_codes_is_neither() -> None:
    cyrillic_and_latin = {"С": "cyrillic", "C": "latin"}
    assert read_code("C", cyrillic_and_latin) == Read("latin")
    assert read_code("c", cyrillic_and_latin) == Read("latin", ("spelling",))
    assert read_code("Ⅽ", cyrillic_and_latin) == _error("unknown_code")
    assert read_code("ΒB", {"BB": "one", "ВВ": "other"}) == _error("unknown_code")
    assert read_code("AB", {"ab": "one", "aB": "other"}) == _error("unknown_code")
    assert read_code("AB", {"ab": "one", "aB": "one"}) == Read("one", ("spelling",))


def test_a_known_text_wins_over_what_it_may_mean() -> None:
    codes = {"-": "negative", "II": "roman", "2": "arabic", "na": "sodium", "None": "none"}
    assert read_code("-", codes) == Read("negative")
    assert read_code("–", codes) == Read("negative", ("spelling",))
    assert read_code("II", codes) == Read("roman")
    assert read_code("NA", codes) == Read("sodium", ("spelling",))
    assert read_code("abc", codes) == _error("unknown_code")


def test_look_alikes_are_single_letters_of_other_alphabets() -> None:
    for letter, latin in (("С", "C"), ("В", "B"), ("М", "M"), ("О", "O"), ("Т", "T"), ("Ѕ", "S")):
        assert ord(letter) > 0x400 and without_look_alikes(letter) == latin
    assert without_look_alikes("Привет") == "Пpивeт"
    assert ROMAN["IV"] == ROMAN["Ⅳ"] == 4 and ROMAN["XII"] == ROMAN["Ⅻ"] == 12


def _read_all(text: str) -> list[Read[Any]]:
    return [
        read_date(text),
        read_date(text, partial=True),
        read_number(text),
        *(
            read_measured(text, unit, needs_unit)
            for unit in (None, "%", "fraction", "?")
            for needs_unit in (True, False)
        ),
        read_grade(text),
        read_code(text, TEXTS),
    ]


@pytest.mark.parametrize("text", MISSING_TEXTS)
def test_a_missing_word_is_missing_everywhere(text: str) -> None:
    assert all(read == MISSING for read in _read_all(text))


@pytest.mark.parametrize("text", BROKEN_FORMULAS)
def test_a_broken_formula_is_an_error_everywhere(text: str) -> None:
    assert all(read == _error("spreadsheet_error") for read in _read_all(text))


@pytest.mark.parametrize("text", ["", " ", NBSP])
def test_an_empty_text_is_missing_and_nothing_is_said(text: str) -> None:
    assert all(read == NOTHING for read in _read_all(text))


CELLS = [
    *(
        row[0]
        for table in (FIFTH_OF_MARCH, NO_DATES, NUMBERS, MEASURED, NOT_MEASURED, GRADES, CODES)
        for row in _table(table)
    ),
    *NO_NUMBERS,
    *MISSING_TEXTS,
    *BROKEN_FORMULAS,
]
PIECES = [*"0123456789.,-+/%<>^*xх() :eETZ#гСF", NBSP, "10", "⁻⁴", "−", "мар", "отр", "III", "->"]
ANY_TEXT = st.one_of(
    st.text(max_size=30),
    st.lists(st.sampled_from(PIECES), max_size=14).map("".join),
    st.tuples(st.sampled_from(CELLS), st.sampled_from(["", " ", "->", "-", "\x00"]), st.text()).map(
        "".join
    ),
)


def _is_sound(read: Read[Any]) -> bool:
    """An error comes alone; repairs are rules in their order; a number is finite."""
    if read.error:
        return read.error in ERRORS and read.value is None and not read.repairs
    number = read.value.value if isinstance(read.value, Measured) else read.value
    finite = not isinstance(number, float) or math.isfinite(number)
    return finite and list(read.repairs) == [rule for rule in REPAIRS if rule in read.repairs]


@settings(max_examples=300, deadline=None)
@given(ANY_TEXT)
def test_any_text_is_read_soundly_and_outer_spaces_do_not_matter(text: str) -> None:
    reads = _read_all(text)
    assert all(_is_sound(read) for read in reads), text
    assert _read_all(f" {text}{NBSP}") == reads


@settings(max_examples=200)
@given(ANY_TEXT)
def test_what_is_read_is_clean_when_written_as_an_export_does(text: str) -> None:
    day, number, grade = read_date(text).value, read_number(text).value, read_grade(text).value
    share, code = read_measured(text, "%", True).value, read_code(text, TEXTS).value
    assert day is None or read_date(f"{day:%d.%m.%Y}") == Read(day)
    assert number is None or read_number(repr(number)) == Read(number)
    assert not grade or grade.low != grade.high or read_grade(str(grade.low)) == Read(grade)
    assert not share or read_measured(_written(share), "fraction", True) == Read(share)
    assert code is None or code in {read_code(known, TEXTS).value for known in TEXTS}


def _written(share: Measured) -> str:
    if share.value is None:
        return share.qualifier
    return share.qualifier.removeprefix("=") + repr(share.value)


@pytest.mark.parametrize(
    "text",
    [
        *("9" * 100_000, " 3" * 50_000, "3" + " " * 100_000 + "x", "- " * 50_000 + "x"),
        *("5" + "a" * 100_000, "(" * 100_000, "1e" + "9" * 100_000, "н" * 100_000),
        *("10^" + "⁻" * 100_000, "1," * 50_000, "1 000" * 20_000, "\x00" * 100_000, "\ud800"),
    ],
    ids=lambda text: ascii(text[:6]),
)
def test_a_monstrous_text_is_an_error_and_soon(text: str) -> None:
    start = time.perf_counter()
    assert all(read.error for read in _read_all(text))
    assert time.perf_counter() - start < 5
