"""The demo as the workbook of a Russian clinic.

A sheet a table, Russian headings and words, real dates and numbers; the way such workbooks are
kept is kept too: titles above the header, follow-up beside the baseline of a child, the induction
with a group of columns a block under a merged heading, a total below the adverse events, MRD as
percent, power of ten or word. Each row says that it is synthetic.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from etl.demo.shapes.fields import CASE, DATE, ORIGIN, Tables
from etl.demo.shapes.russian import RESULTS, WORDS

FILE = "ALL-REZ.xlsx"
_TITLE = "Регистр рецидивов ОЛЛ. СИНТЕТИЧЕСКИЕ ДАННЫЕ, пациентов не существует"
_TOTAL = "Итого"
_FRACTION = "fraction"
_NUMBERS = {
    "age_years", "line_number", "course_number", "dose_percent", "dose", "step", "lod", "loq",
    "grade", "transplant_number",
}  # fmt: skip
# Blocks of the first line that stand side by side, each given once.
_INDUCTION = ("prephase", "F1", "F2")

Cell = str | float | datetime | None


@dataclass(frozen=True)
class Column:
    """A column of a sheet: its heading, the column of the table, and what is merged above it."""

    heading: str
    column: str
    group: str = ""


@dataclass(frozen=True)
class Sheet:
    """A sheet: its name, its columns, and the rows that it takes from the tables."""

    name: str
    columns: tuple[Column, ...]
    rows: Callable[[Tables], pl.DataFrame]
    title: str = ""
    has_total: bool = False

    @property
    def groups(self) -> bool:
        """Whether the header has two rows."""
        return any(c.group for c in self.columns)


def _columns(*pairs: tuple[str, str]) -> tuple[Column, ...]:
    """The columns between the identifier of the case and the origin of the data."""
    told = (("Код случая", CASE), *pairs, ("Происхождение данных", ORIGIN))
    return tuple(Column(heading, column) for heading, column in told)


_COURSE = (("Линия", "line_number"), ("Блок", "block"), ("№ курса", "course_number"))
_PATIENTS = _columns(
    ("Код пациента", "patient_id"), ("№ ИБ", "medical_record"), ("Протокол", "protocol"),
    ("Пол", "sex"), ("Дата рождения", "birth_date"), ("Возраст, лет", "age_years"),
    ("Дата ПД", "diagnosis_date"), ("Дата окончания терапии", "frontline_end_date"),
    ("Рецидив на терапии", "on_frontline_therapy"), ("Дата рецидива", "relapse_date"),
    ("Дата регистрации", "registration_date"), ("№ рецидива", "relapse_number"),
    ("Локализация", "site"), ("Иммунофенотип", "immunophenotype"), ("Генетика", "genetics"),
    ("Срок рецидива", "timing_recorded"), ("Группа риска", "risk_recorded"),
    ("Первый блок в другой клинике", "first_block_elsewhere"), ("Статус", "status"),
    ("Дата последнего контакта", "last_contact_date"),
    ("Дата последнего обследования", "last_disease_assessment_date"),
    ("Дата следующего рецидива", "next_relapse_date"),
    ("Локализация следующего рецидива", "relapse_site"), ("CD19", "cd19_at_relapse"),
    ("Дата смерти", "death_date"), ("Причина смерти", "death_cause"),
    ("Дата второй опухоли", "second_malignancy_date"),
)  # fmt: skip
_LINES = _columns(
    ("Линия", "line_number"), ("Показание", "entry_reason"), ("Дата начала", "start_date"),
    ("Протокол терапии", "protocol_as_treated"), ("Цель", "intent"),
    ("Дата ремиссии", "remission_date"), ("Критерий ремиссии", "remission_type"),
)  # fmt: skip
_OF_COURSE = (
    ("Начало", "start_date"), ("Окончание", "stop_date"),
    ("Восстановление АЧН", "anc_recovery_date"), ("По плану", "planned"),
    ("Доза, %", "dose_percent"), ("Завершён", "completed"),
    ("Причина прекращения", "stop_reason"), ("НЯ учтены", "ae_documented"),
)  # fmt: skip
_INFUSIONS = _columns(
    *_COURSE, ("Препарат", "kind"), ("Дата начала", "start_date"),
    ("Дата окончания", "stop_date"), ("Доза", "dose"), ("Единица", "dose_basis"),
    ("Ступень", "step"), ("Причина прекращения", "stop_reason"),
    ("Источник клеток", "cell_source"),
)  # fmt: skip
_ASSESSMENTS = _columns(
    ("Дата пункции", "sample_date"), ("Материал", "material"), ("Метод", "method"),
    ("Показатель", "measure"), ("Результат", "result"), ("Ед.", "unit"),
    ("Предел обнаружения", "lod"), ("Предел измерения", "loq"), *_COURSE,
)  # fmt: skip
_EVENTS = _columns(
    ("Явление", "term"), ("Степень", "grade"), ("Шкала", "scale"), ("Дата начала", "onset_date"),
    ("Дата окончания", "end_date"), ("Серьёзное", "serious"), ("Исход", "outcome"),
    ("Очаг инфекции", "infection_site"), ("Подтверждение", "documentation"),
    ("Возбудитель", "pathogen"),
)  # fmt: skip
_TRANSPLANTS = _columns(
    ("№ ТГСК", "transplant_number"), ("Дата начала кондиционирования", "conditioning_date"),
    ("Дата ТГСК", "transplant_date"), ("Донор", "donor"), ("Источник", "graft"),
    ("Обработка", "manipulation"), ("Кондиционирование", "conditioning"),
    ("Статус на ТГСК", "status_at_transplant"), ("МОБ до ТГСК, %", "mrd_before"),
    ("НЯ учтены", "ae_documented"),
)  # fmt: skip


def _induction_columns() -> tuple[Column, ...]:
    case, origin = _columns()
    blocks = [
        Column(heading, f"{block} {column}", WORDS["block"][block])
        for block in _INDUCTION
        for heading, column in _OF_COURSE
    ]
    return (case, *blocks, origin)


# ----------------------------------------------------------------------------------------- rows


def _table(name: str) -> Callable[[Tables], pl.DataFrame]:
    return lambda tables: tables[name]


def _children(tables: Tables) -> pl.DataFrame:
    """Baseline and follow-up of each enrollment in one row."""
    seen = tables["followup"].rename({"relapse_date": "next_relapse_date"}).drop(ORIGIN)
    return tables["patients"].join(seen, on=CASE, how="left", maintain_order="left")


def _stands_in_induction() -> pl.Expr:
    is_first = (pl.col("line_number") == "1") & (pl.col("course_number") == "1")
    return is_first & pl.col("block").is_in(_INDUCTION)


def _induction(tables: Tables) -> pl.DataFrame:
    """The blocks of the induction of each enrollment in one row, columns named block and column."""
    given = tables["courses"].filter(_stands_in_induction())
    rows = given.select(CASE, ORIGIN).unique(maintain_order=True)
    for block in _INDUCTION:
        names = {column: f"{block} {column}" for _, column in _OF_COURSE}
        mine = given.filter(pl.col("block") == block).select(CASE, *names).rename(names)
        rows = rows.join(mine, on=CASE, how="left", maintain_order="left")
    return rows


def _later_courses(tables: Tables) -> pl.DataFrame:
    return tables["courses"].filter(~_stands_in_induction())


_SHEETS = (
    Sheet("Пациенты", _PATIENTS, _children, title=_TITLE),
    Sheet("Линии терапии", _LINES, _table("lines")),
    Sheet("Индукция", _induction_columns(), _induction),
    Sheet("Блоки", _columns(*_COURSE, *_OF_COURSE), _later_courses),
    Sheet("Инфузии", _INFUSIONS, _table("infusions"), title=_TITLE),
    Sheet("КМП и МОБ", _ASSESSMENTS, _table("assessments")),
    Sheet("Токсичность", _EVENTS, _table("adverse_events"), title=_TITLE, has_total=True),
    Sheet("ТГСК", _TRANSPLANTS, _table("transplants")),
)


# ---------------------------------------------------------------------------------------- cells


def _power_of_ten(text: str) -> str:
    """A fraction as a laboratory writes it: 0.00035 is 3.5*10^-4."""
    return f"{Decimal(text).normalize():E}".replace("E", "*10^")


def _result(text: str, unit: str | None) -> str | float:
    """A result as the sheet shows it: a number of percents, a power of ten, or a word."""
    if text in RESULTS:
        return RESULTS[text]
    sign = "<" if text.startswith("<") else ""
    if unit == _FRACTION:
        return sign + _power_of_ten(text.removeprefix("<"))
    return text if sign else float(text)


def _cell(column: str, text: str | None) -> Cell:
    if text is None:
        return None
    name = column.rpartition(" ")[2]
    if name.endswith("_date"):
        return datetime.strptime(text, DATE)
    if name in _NUMBERS:
        return float(text)
    return WORDS[name][text] if name in WORDS else text


def _cells(sheet: Sheet, row: dict[str, str | None]) -> list[Cell]:
    """The cells of a row. A result that is a fraction shows it itself and needs no unit."""
    cells = {c.column: _cell(c.column, row[c.column]) for c in sheet.columns}
    if text := row.get("result"):
        cells["result"] = _result(text, row["unit"])
        cells["unit"] = None if row["unit"] == _FRACTION else row["unit"]
    if text := row.get("mrd_before"):
        cells["mrd_before"] = _result(text, "%")
    return list(cells.values())


# -------------------------------------------------------------------------------------- writing


def _write_row(page: Worksheet, number: int, cells: Iterable[Cell], date_format: Format) -> None:
    for position, cell in enumerate(cells):
        if isinstance(cell, datetime):
            page.write_datetime(number, position, cell, date_format)
        elif isinstance(cell, str):
            page.write_string(number, position, cell)
        elif cell is not None:
            page.write_number(number, position, cell)


def _write_groups(page: Worksheet, number: int, sheet: Sheet, form: Format) -> None:
    """The merged headings above the columns of a group."""
    names = [c.group for c in sheet.columns]
    for name in dict.fromkeys(filter(None, names)):
        first = names.index(name)
        page.merge_range(number, first, number, first + names.count(name) - 1, name, form)


def _write_sheet(book: Workbook, sheet: Sheet, rows: pl.DataFrame, form: dict[str, Format]) -> None:
    page = book.add_worksheet(sheet.name)
    number = 0
    if sheet.title:
        page.write_string(0, 0, sheet.title)
        number = 2  # a blank row parts title and table
    if sheet.groups:
        _write_groups(page, number, sheet, form["head"])
        number += 1
    page.write_row(number, 0, [c.heading for c in sheet.columns], form["head"])
    number += 1
    for offset, row in enumerate(rows.iter_rows(named=True)):
        _write_row(page, number + offset, _cells(sheet, row), form["date"])
    if sheet.has_total:
        page.write_row(number + rows.height, 0, [_TOTAL, rows.height])


def write_workbook(out: Path, tables: Tables) -> tuple[tuple[str, int], ...]:
    """Write ALL-REZ.xlsx to the folder `out`; the rows of each sheet, totals left out."""
    written = []
    # Row by row to disk: memory does not grow with the rows.
    options: dict[str, Any] = {"constant_memory": True}
    with Workbook(str(out / FILE), options) as book:
        # Same rows, same bytes: the day is that of the demo's data, not of its writing.
        book.set_properties({"created": datetime(2022, 1, 31), "title": _TITLE})
        form = {
            "date": book.add_format({"num_format": "dd.mm.yyyy"}),
            "head": book.add_format({"bold": True, "text_wrap": True, "align": "center"}),
        }
        for sheet in _SHEETS:
            rows = sheet.rows(tables)
            _write_sheet(book, sheet, rows, form)
            written.append((f"{FILE} [{sheet.name}]", rows.height))
    return tuple(written)
