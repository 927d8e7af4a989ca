"""Workbooks as clinics send them: what is shown in a cell is what arrives, and no row is lost."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zipfile import ZipFile

import pytest
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from etl.errors import LoadError
from etl.sources.cell_text import format_kind, number_text
from etl.sources.grid import Line, Merge, column_letters, column_number
from etl.sources.raw import READER_REPAIRS, ROW, SET_ASIDE, RawTable
from etl.sources.sheet import Found, find_table, is_total
from etl.sources.workbook import read_workbook

Fill = Callable[[Worksheet, Callable[[str], Format]], None]


def _write(path: Path, options: dict | None = None, /, **sheets: Fill) -> Path:
    """A workbook with these sheets; the filler of each gets it and a maker of number formats."""
    book = xlsxwriter.Workbook(path, options or {})
    for name, fill in sheets.items():
        fill(book.add_worksheet(name), lambda code: book.add_format({"num_format": code}))
    book.close()
    return path


def _saved_by_excel(path: Path) -> Path:
    """The same workbook without the wish to be calculated when it is opened."""
    with ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    before = parts["xl/workbook.xml"]
    parts["xl/workbook.xml"] = before.replace(b' fullCalcOnLoad="1"', b"")
    assert before != parts["xl/workbook.xml"]
    with ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


def _column(path: Path, fill: Fill, options: dict | None = None, saved: bool = False) -> list[str]:
    """The texts of a column 'value' whose cells `fill` writes from B2 on, beside numbered rows."""

    def with_header(sheet: Worksheet, formats: Callable[[str], Format]) -> None:
        sheet.write_row("A1", ["n", "value"])
        sheet.write_column("A2", range(30))
        fill(sheet, formats)

    _write(path, options, S=with_header)
    (table,) = read_workbook(_saved_by_excel(path) if saved else path, path.name)
    return [text for text in table.rows["value"].to_list() if text]


def _one(path: Path) -> RawTable:
    (table,) = read_workbook(path, path.name)
    return table


def _grid(text: str) -> list[Line]:
    """Lines of cells separated by '|'; a blank line is a blank row."""
    rows = text.strip("\n").split("\n")
    return [
        Line(n, tuple(c.strip() for c in row.split("|"))) for n, row in enumerate(rows, start=1)
    ]


def _found(text: str, *merges: str) -> Found:
    found = find_table(_grid(text), [_merge(m) for m in merges], "a.xlsx [S]")
    assert found is not None
    return found


def _merge(text: str) -> Merge:
    first, last = text.split(":")
    (left, top), (right, bottom) = (
        (column_number(cell.rstrip("0123456789")), int(cell.lstrip("ABCDEFGHIJ")))
        for cell in (first, last)
    )
    return Merge(top, left, bottom, right)


def _names(found: Found) -> list[str]:
    return [name for name in found.header.names if name]


def test_a_plain_sheet_is_read_as_it_stands(tmp_path: Path) -> None:
    def fill(sheet: Worksheet, _: Callable[[str], Format]) -> None:
        sheet.write_row("A1", ["Код", "Пол", "Возраст"])
        sheet.write_row("A2", ["p1", "м", 7])
        sheet.write_row("A3", ["p2", " ж ", 12.5])

    table = _one(_write(tmp_path / "a.xlsx", Пациенты=fill))
    assert (table.file, table.name, table.form) == ("a.xlsx", "Пациенты", "Excel workbook")
    assert table.columns == ("Код", "Пол", "Возраст")
    assert table.rows.rows() == [("p1", "м", "7", 2), ("p2", " ж ", "12.5", 3)]
    assert not table.misfits and not table.aside and table.repairs.is_empty()


def test_every_sheet_is_a_table_and_hidden_ones_say_so(tmp_path: Path) -> None:
    def fill(sheet: Worksheet, _: Callable[[str], Format]) -> None:
        sheet.write_row("A1", ["id", "a"])

    def hide(sheet: Worksheet, formats: Callable[[str], Format]) -> None:
        fill(sheet, formats)
        sheet.very_hidden()

    path = _write(tmp_path / "a.xlsx", first=fill, blank=lambda *_: None, second=hide)
    assert [(t.name, t.form, t.n_rows) for t in read_workbook(path, "a.xlsx")] == [
        ("first", "Excel workbook", 0),
        ("second", "Excel workbook, hidden sheet", 0),
    ]
    (second,) = read_workbook(path, "a.xlsx", only=["second"])
    assert second.name == "second"
    with pytest.raises(LoadError, match="no sheet 'third'.* 'first', 'blank', 'second'"):
        read_workbook(path, "a.xlsx", only=["third"])


def test_a_sheet_that_is_not_asked_for_cannot_stop_the_load(tmp_path: Path) -> None:
    def fill(sheet: Worksheet, _: Callable[[str], Format]) -> None:
        sheet.write_row("A1", ["id", "a"])

    def twice(sheet: Worksheet, _: Callable[[str], Format]) -> None:
        sheet.write_row("A1", ["id", "id"])

    path = _write(tmp_path / "a.xlsx", data=fill, legend=twice)
    assert len(read_workbook(path, "a.xlsx", only={"data"})) == 1
    with pytest.raises(LoadError, match=r"a.xlsx \[legend\]: columns A and B"):
        read_workbook(path, "a.xlsx")


def test_a_workbook_of_blank_sheets_is_refused(tmp_path: Path) -> None:
    def spaces(sheet: Worksheet, _: Callable[[str], Format]) -> None:
        sheet.write("C3", "  ")

    path = _write(tmp_path / "a.xlsx", one=lambda *_: None, two=spaces)
    with pytest.raises(LoadError, match="a.xlsx: every sheet is blank"):
        read_workbook(path, "a.xlsx")


# What is in a cell


def test_numbers_are_written_plainly_and_text_stays_text(tmp_path: Path) -> None:
    def fill(sheet: Worksheet, _: Callable[[str], Format]) -> None:
        sheet.write_column("B2", [12, 0.01, 0.0001, 1.5e-07, 1e15, -3.5, 123456.789])
        sheet.write_column("B9", [True, False])
        for row, text in enumerate(
            ["12.0", "007", "1e-4", "строка\nвторая", "12\xa0500"], start=10
        ):
            sheet.write_string(row, 1, text)

    assert _column(tmp_path / "a.xlsx", fill) == [
        *("12", "0.01", "0.0001", "0.00000015", "1000000000000000", "-3.5", "123456.789"),
        *("TRUE", "FALSE"),
        *("12.0", "007", "1e-4", "строка\nвторая", "12\xa0500"),
    ]


def test_a_percent_cell_keeps_its_percent_sign(tmp_path: Path) -> None:
    """0,01% typed into a cell is stored as 0.0001: bare, it would be read as another MRD level."""

    def fill(sheet: Worksheet, formats: Callable[[str], Format]) -> None:
        for row, value in enumerate([0.0001, 0.07, 1, 0, 0.29], start=1):
            sheet.write_number(row, 1, value, formats("0.00%"))

    assert _column(tmp_path / "a.xlsx", fill) == ["0.01%", "7%", "100%", "0%", "29%"]


DAYS = (
    datetime(2019, 5, 17),
    datetime(2019, 5, 17, 13, 45, 30),
    datetime(2004, 2, 29),
)


@pytest.mark.parametrize("is_1904", [False, True])
def test_a_date_is_the_same_day_in_both_date_systems(tmp_path: Path, is_1904: bool) -> None:
    def fill(sheet: Worksheet, formats: Callable[[str], Format]) -> None:
        codes = ("dd.mm.yyyy", "dd.mm.yyyy hh:mm", "[$-419]d mmm yyyy;@")
        for row, (day, code) in enumerate(zip(DAYS, codes, strict=True), start=1):
            sheet.write_datetime(row, 1, day, formats(code))

    assert _column(tmp_path / "a.xlsx", fill, {"date_1904": is_1904}) == [
        *("17.05.2019", "17.05.2019 13:45:30", "29.02.2004"),
    ]


def test_dates_of_the_1904_system_are_recorded_once_a_column(tmp_path: Path) -> None:
    def fill(sheet: Worksheet, formats: Callable[[str], Format]) -> None:
        sheet.write("A1", "выгрузка")
        sheet.write_datetime("B1", datetime(2026, 1, 1), formats("dd.mm.yyyy"))
        sheet.write_row("A2", ["id", "diagnosis", "relapse", "count", "site"])
        for row in (2, 3):
            sheet.write_row(row, 0, [f"p{row}", "", "", 3, "КМ"])
            sheet.write_datetime(row, 1, datetime(2019, 5, row), formats("dd.mm.yyyy"))
        sheet.write_datetime("C4", datetime(2020, 5, 4), formats("dd.mm.yyyy"))

    table = _one(_write(tmp_path / "a.xlsx", {"date_1904": True}, S=fill))
    assert table.form == "Excel workbook, header in row 2, 1904 date system"
    assert table.repairs.rows() == [
        (3, "diagnosis", "02.05.2019", "date_system_1904"),
        (4, "relapse", "04.05.2020", "date_system_1904"),
    ]
    assert set(table.repairs["rule"]) <= set(READER_REPAIRS)
    plain = _one(_write(tmp_path / "b.xlsx", S=fill))
    assert plain.repairs.is_empty() and "1904" not in plain.form


@pytest.mark.parametrize(
    ("raw", "kind", "is_1904", "text"),
    [
        ("61", "date", False, "01.03.1900"),
        ("60", "date", False, "29.02.1900"),
        ("59", "date", False, "28.02.1900"),
        ("0", "date", False, "00.01.1900"),
        ("0", "date", True, "01.01.1904"),
        ("43602.999999999", "date", False, "18.05.2019"),
        ("2958465", "date", False, "31.12.9999"),
        ("2958466", "date", False, "2958466"),
        ("2957004", "date", True, "2957004"),
        ("-5", "date", False, "-5"),
        ("43586", "month", False, "05.2019"),
        ("43602", "month", False, "17.05.2019"),
        ("0.378472222222222", "time", False, "09:05:00"),
        ("1.5", "time", False, "01.01.1900 12:00:00"),
        ("1.5", "elapsed", False, "36:00:00"),
        ("7.0000000000000007E-2", "percent", False, "7%"),
        ("0.30000000000000004", "plain", False, "0.30000000000000004"),
        ("-0", "plain", False, "0"),
        ("1E+300", "plain", False, "1e+300"),
        ("1E+999", "plain", False, "1E+999"),
        ("12345678901234567", "plain", False, "12345678901234567"),
        ("nan", "date", False, "nan"),
        ("1_000", "plain", False, "1_000"),
    ],
)
def test_the_text_of_a_number(raw: str, kind: str, is_1904: bool, text: str) -> None:
    assert number_text(raw, kind, is_1904) == text


@pytest.mark.parametrize(
    ("number", "code", "kind"),
    [
        (0, None, "plain"),
        (14, None, "date"),
        (17, None, "month"),
        (10, None, "percent"),
        (46, None, "elapsed"),
        (164, "dd.mm.yyyy;@", "date"),
        (164, r"[$-F800]dddd\,\ mmmm\ dd\,\ yyyy", "date"),
        (164, "mm.yyyy", "month"),
        (164, "mmmm", "date"),
        (164, "mm:ss", "time"),
        (164, "[h]:mm:ss", "elapsed"),
        (164, '0.00" д/сут"', "plain"),
        (164, r"0\ \d\a\y\s", "plain"),
        (164, "[Red]0.00;[Blue]-0.00", "plain"),
        (164, '0.00"%"', "plain"),
        (164, "0.0%;-0.0%", "percent"),
        (164, "# ##0_р_.", "plain"),
        (164, "0.00E+00", "plain"),
        (164, "General", "plain"),
    ],
)
def test_what_a_number_format_shows(number: int, code: str | None, kind: str) -> None:
    assert format_kind(number, code) == kind


def test_an_error_cell_arrives_as_its_text_not_as_a_blank(tmp_path: Path) -> None:
    def fill(sheet: Worksheet, _: Callable[[str], Format]) -> None:
        for row, error in enumerate(["#REF!", "#N/A", "#DIV/0!"], start=1):
            sheet.write(row, 1, "=A1/0", None, error)
        sheet.write_string("B5", "#ССЫЛКА!")

    shown = _column(tmp_path / "a.xlsx", fill, saved=True)
    assert shown == ["#REF!", "#N/A", "#DIV/0!", "#ССЫЛКА!"]


def _formulas(sheet: Worksheet, _: Callable[[str], Format]) -> None:
    sheet.write("B2", "=1+1", None, 2)
    sheet.write("B3", '="КМ"', None, "КМ")
    sheet.write("B4", "=1+1")
    sheet.write("B5", "=1+1", None, "")
    sheet.write_number("B6", 5)


def test_a_formula_gives_the_value_that_was_stored(tmp_path: Path) -> None:
    """The third is a stored 0; the fourth has no value."""
    shown = _column(tmp_path / "a.xlsx", _formulas, saved=True)
    assert shown == ["2", "КМ", "0", "#NOT CALCULATED!", "5"]


def test_a_formula_that_no_program_has_calculated_is_no_zero(tmp_path: Path) -> None:
    """The writer leaves 0 for every formula and asks the next program to calculate."""
    shown = _column(tmp_path / "a.xlsx", _formulas)
    assert shown == ["#NOT CALCULATED!"] * 4 + ["5"]


def test_rich_text_is_read_as_one_text(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(path, {"in_memory": True})
    sheet = book.add_worksheet("S")
    sheet.write_row("A1", ["id", "МОБ"])
    sheet.write("A2", "p1")
    sheet.write_rich_string("B2", "10", book.add_format({"font_script": 1}), "-4")
    sheet.write("A3", "p2")
    sheet.write_comment("A3", "a comment is not read")
    book.close()
    assert _one(path).rows["МОБ"].to_list() == ["10-4", ""]


# Where the table is


def test_titles_above_the_header_are_set_aside(tmp_path: Path) -> None:
    def fill(sheet: Worksheet, formats: Callable[[str], Format]) -> None:
        sheet.merge_range("B2:F2", "Реестр рецидивов ОЛЛ", formats("@"))
        sheet.write_row("B3", ["Дата выгрузки:", "01.02.2026"])
        sheet.write_row("B5", ["Код", "Пол", "Дата\nрецидива", "Срок", "Статус"])
        sheet.write_row("B6", ["p1", "м", "05.03.2019", "ранний", "жив"])
        sheet.write_row("B9", ["p2", "ж", "05.04.2019"])

    table = _one(_write(tmp_path / "a.xlsx", S=fill))
    assert table.columns == ("Код", "Пол", "Дата рецидива", "Срок", "Статус")
    assert table.aside == ((2, "title_row"), (3, "title_row"))
    assert table.form == "Excel workbook, header in row 5"
    assert table.rows.rows() == [
        ("p1", "м", "05.03.2019", "ранний", "жив", 6),
        ("p2", "ж", "05.04.2019", "", "", 9),
    ]


def test_a_heading_merged_over_columns_is_part_of_their_names(tmp_path: Path) -> None:
    def fill(sheet: Worksheet, formats: Callable[[str], Format]) -> None:
        plain = formats("@")
        sheet.merge_range("A1:A2", "Код", plain)
        sheet.merge_range("B1:C1", "Рецидив", plain)
        sheet.merge_range("D1:E1", "Токсичность,\nстепень", plain)
        sheet.write_row("B2", ["Дата", "Срок", 3, 4, "Статус"])
        sheet.write_row("A3", ["p1", "05.03.2019", "ранний", "", "1", "жив"])

    table = _one(_write(tmp_path / "a.xlsx", S=fill))
    assert table.columns == (
        *("Код", "Рецидив / Дата", "Рецидив / Срок"),
        *("Токсичность, степень / 3", "Токсичность, степень / 4", "Статус"),
    )
    assert table.form == "Excel workbook, header in rows 1 and 2"
    assert table.rows.rows() == [("p1", "05.03.2019", "ранний", "", "1", "жив", 3)]
    assert not table.aside


def test_a_heading_before_blank_cells_counts_as_merged_where_nothing_is_merged() -> None:
    found = _found("""
        Код | Рецидив |      | Блок |
            | Дата    | Срок | Имя  | Дата
        p1  | 05.2019 | ранн | F1   | 06.2019
    """)
    assert _names(found) == ["Код", "Рецидив / Дата", "Рецидив / Срок", "Блок / Имя", "Блок / Дата"]
    assert found.numbers == [3]


@pytest.mark.parametrize(
    ("text", "merges"),
    [
        ("id | sex | age\n | m | 7", ()),
        ("id | sex | age\np1 | m | seven", ()),
        ("id | sex | age\n\n | m | seven", ()),
        ("id | sex | age\np1 | | ", ("B1:C1",)),
        ("id | sex | age\n | m | ", ("A1:A1",)),
    ],
)
def test_a_first_row_of_data_never_ends_up_in_the_header(
    text: str, merges: tuple[str, ...]
) -> None:
    found = _found(text, *merges)
    assert _names(found) == ["id", "sex", "age"]
    assert len(found.numbers) == 1


def test_a_heading_over_data_leaves_a_column_without_a_name() -> None:
    with pytest.raises(LoadError, match=r"a.xlsx \[S\]: C2 is filled, but its column has no name"):
        _found("id | site | \np1 | КМ | ЦНС", "B1:C1")


def test_a_merged_cell_gives_its_value_to_every_row(tmp_path: Path) -> None:
    def fill(sheet: Worksheet, formats: Callable[[str], Format]) -> None:
        sheet.write_row("A1", ["Код", "Блок", "Дата"])
        sheet.merge_range("A2:A5", "p1", formats("@"))
        sheet.write_row("B2", ["F1", "05.03.2019"])
        sheet.write_row("B3", ["F2", "05.04.2019"])
        sheet.write_row("B5", ["R1", "05.05.2019"])

    table = _one(_write(tmp_path / "a.xlsx", S=fill))
    assert [row[0::3] for row in table.rows.rows()] == [("p1", 2), ("p1", 3), ("p1", 5)]
    assert table.repairs.rows() == [
        (3, "Код", "p1", "merged_cell"),
        (5, "Код", "p1", "merged_cell"),
    ]


def test_a_cell_merged_over_columns_makes_its_row_a_misfit() -> None:
    found = _found(
        """
        id | sex | age
        Protocol 2014 | |
        p1 | m | 7
        p2 | unknown |
        p3 | f | 9
        """,
        *("A2:C2", "B4:C4"),
    )
    assert found.misfits == ((2, ("Protocol 2014",)), (4, ("p2", "unknown")))
    assert found.numbers == [3, 5]


def test_a_row_merged_far_beyond_the_table_is_no_header() -> None:
    found = _found("id | sex\np1 | m\np2 | f", "B2:J2")
    assert _names(found) == ["id", "sex"]
    assert found.numbers == [2, 3]


def test_only_rows_of_data_are_said_to_have_got_a_merged_value() -> None:
    found = _found(
        """
        id | sex | age
        p1 | m | 7
           | unknown |
           | f | 9
        """,
        *("A2:A4", "B3:C3"),
    )
    assert found.misfits == ((3, ("p1", "unknown")),)
    assert found.filled == ((4, 0, "p1"),)


def test_a_blank_cell_merged_over_rows_changes_nothing() -> None:
    found = _found("id | a\n | x\np2 | y", "A2:A3")
    assert found.rows == [["", "x"], ["p2", "y"]]
    assert not found.filled


def test_a_totals_row_is_set_aside_not_loaded() -> None:
    found = _found(
        """
        id | sex | age
        p1 | m | 7
        Итого по протоколу: | | 1
        p2 | f | 9
         | Всего | 16
        """,
        "A3:B3",
    )
    assert found.aside == ((3, "totals_row"), (5, "totals_row"))
    assert found.numbers == [2, 4]
    assert {rule for _, rule in found.aside} <= set(SET_ASIDE)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["Итого", "", "57"], True),
        (["", "ВСЕГО:", "12", "0,5 %", "#REF!", "-"], True),
        (["Total"], True),
        (["Grand total", "1 200"], True),
        (["Сумма", "3.5"], True),
        (["Total body irradiation", "12"], False),
        (["Total", "12.05.2019", "7"], False),
        (["Итого", "57 пациентов"], False),
        (["p1", "Итого", "5"], False),
        (["Итоговый", "5"], False),
        (["57", "12"], False),
        ([], False),
    ],
)
def test_what_counts_as_a_totals_row(cells: list[str], expected: bool) -> None:
    assert is_total(cells) is expected


def test_the_header_further_down_is_set_aside() -> None:
    found = _found(
        """
        Код | Рецидив |
            | Дата    | Срок
        p1  | 05.2019 | ранн
        Код | Рецидив |
            | Дата    | Срок
        p2  | Дата    | Срок
        Код | Дата    | Срок
        """,
        *("A1:A2", "B1:C1", "A4:A5", "B4:C4"),
    )
    assert found.aside == ((4, "header_again"), (5, "header_again"))
    assert found.numbers == [3, 6, 7]
    assert not found.filled


def test_notes_below_the_table_are_misfits_not_dropped() -> None:
    found = _found("""
        id | sex | age
        p1 | m | 7
        p2 |  |

        p3 | f | 9
        Итого | | 16
        Заполнил Иванов

        | * по данным центра
    """)
    assert found.misfits == ((7, ("Заполнил Иванов",)), (9, ("* по данным центра",)))
    assert found.numbers == [2, 3, 5]
    assert found.rows[1] == ["p2", "", ""]


def test_blank_columns_before_between_and_after_are_left_out(tmp_path: Path) -> None:
    def fill(sheet: Worksheet, formats: Callable[[str], Format]) -> None:
        sheet.write_row("C2", ["id", "", "sex"])
        sheet.write_row("C3", ["p1", "", "m"])
        sheet.write_blank("H3", None, formats("0.0"))

    table = _one(_write(tmp_path / "a.xlsx", S=fill))
    assert table.columns == ("id", "sex")
    assert table.rows.rows() == [("p1", "m", 3)]


@pytest.mark.parametrize(
    ("text", "merges", "message"),
    [
        ("id | x | a | sex | y | a", (), "columns C and F are both called 'a' .header in row 1"),
        (f"id | {ROW}", (), f"column B is called {ROW}"),
        ("id | | sex\np1 | 3 | m", (), "B2 is filled, but its column has no name"),
        ("id | sex\np1 | m | 3", (), "C2 is filled, but its column has no name"),
        ("id | | site | \np1 | f | КМ | ЦНС", (), "B2 is filled, but its column has no name"),
        ("id | site | \n\n | КМ | ЦНС", (), "C3 is filled, but its column has no name"),
        ("id | a | b\n | c | d\n | e | f\n1 | 2 | 3", ("A1:A3", "B1:C1"), "down to row 3"),
        ("id | a\np1 | x\np2 | y", ("A2:A3",), "A3 holds a value under a merged cell"),
    ],
)
def test_a_table_that_is_not_clear_is_refused_with_the_place(
    text: str, merges: tuple[str, ...], message: str
) -> None:
    with pytest.raises(LoadError, match=message):
        _found(text, *merges)


def test_columns_are_called_as_in_the_program() -> None:
    letters = ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA", "XFD"]
    assert [column_letters(column_number(text)) for text in letters] == letters
    assert (column_number("A"), column_number("XFD")) == (0, 16_383)


def test_a_sheet_of_one_column_has_its_header_on_top() -> None:
    found = _found("id\np1\np2")
    assert _names(found) == ["id"]
    assert found.rows == [["p1"], ["p2"]]
    assert find_table(_grid(" | \n\n")) is None
