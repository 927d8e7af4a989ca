"""A delimited text file in, the raw rows, misfits and rows set aside out."""

import csv
import io
from pathlib import Path
from typing import Literal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.errors import LoadError
from etl.sources.bounds import BOUNDS, Bounds
from etl.sources.csv_file import fast_frame, read_csv_file
from etl.sources.raw import ROW, RawTable

NAME = "export/table.csv"
Rows = list[tuple[int, tuple[str, ...]]]


def read(folder: Path, content: bytes | str, bounds: Bounds = BOUNDS) -> RawTable:
    """The one table in such a file."""
    path = folder / "table.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    (table,) = read_csv_file(path, NAME, bounds)
    return table


def rows_of(table: RawTable) -> Rows:
    return [(row[-1], row[:-1]) for row in table.rows.select(*table.columns, ROW).rows()]


def refused(folder: Path, content: bytes | str, *words: str, bounds: Bounds = BOUNDS) -> None:
    with pytest.raises(LoadError) as error:
        read(folder, content, bounds)
    assert NAME in str(error.value)
    for word in words:
        assert word in str(error.value)


def test_a_plain_file_is_read_as_it_stands(tmp_path: Path) -> None:
    table = read(tmp_path, "id,rx,note\n1,Obs, a b \n2,Lev,\n")
    assert (table.file, table.name, table.columns) == (NAME, "", ("id", "rx", "note"))
    assert rows_of(table) == [(2, ("1", "Obs", " a b ")), (3, ("2", "Lev", ""))]
    assert table.rows.schema == {"id": pl.String, "rx": pl.String, "note": pl.String, ROW: pl.Int64}
    assert (table.misfits, table.aside, table.form) == ((), (), "CSV, UTF-8, separated by ,")


@pytest.mark.parametrize(
    ("text", "separator", "columns"),
    [
        ("id;Бласты, %;МОБ, %\n1;0,5;0,01\n2;1,5;0,1\n", ";", ("id", "Бласты, %", "МОБ, %")),
        ("id\tnote\n1\ta, b; c\n", "tab", ("id", "note")),
        ("id|note\n1|a,b\n", "|", ("id", "note")),
        ('id,"a;b"\n1,"x;y"\n', ",", ("id", "a;b")),
        ('"id";"note"\n"1";"a, ""b"", c"\n', ";", ("id", "note")),
        ("sep=;\nid;a,b\n1;x\n", ";", ("id", "a,b")),
        ("\ufeffsep=^\r\nid^a\r\n1^x\r\n", "^", ("id", "a")),
        ("id\na;b\n", ",", ("id",)),
    ],
)
def test_the_separator_is_the_one_that_fits(
    tmp_path: Path, text: str, separator: str, columns: tuple[str, ...]
) -> None:
    table = read(tmp_path, text)
    assert table.columns == columns
    assert table.form == f"CSV, UTF-8, separated by {separator}"
    assert [number for number, _ in rows_of(table)][0] == 2
    assert not table.misfits


RUSSIAN = "Код;Пол;Статус;Локализация\n1;м;жив;костный мозг\n2;ж;умер;ЦНС\n"


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("cp1251", "cp1251"),
        ("koi8-r", "KOI8-R"),
        ("cp866", "cp866"),
    ],
)
def test_russian_text_in_every_encoding_met(tmp_path: Path, encoding: str, said: str) -> None:
    table = read(tmp_path, RUSSIAN.encode(encoding))
    assert table.form == f"CSV, {said}, separated by ;"
    assert table.columns == ("Код", "Пол", "Статус", "Локализация")
    assert rows_of(table)[0] == (2, ("1", "м", "жив", "костный мозг"))
    assert rows_of(read(tmp_path, RUSSIAN.upper().encode(encoding)))[1][1][2] == "УМЕР"


def test_capitals_inside_words_tell_koi8(tmp_path: Path) -> None:
    table = read(tmp_path, "id;mg/m2;Фамилия\n1;5 мкг/м2;Щукина\n2;7;Цой\n".encode("koi8-r"))
    assert table.rows["Фамилия"].to_list() == ["Щукина", "Цой"]


def test_western_words_are_windows_1252(tmp_path: Path) -> None:
    table = read(tmp_path, "id,dose mg/m²,name\n1,5,Müller\n2,6,Étienne\n".encode("cp1252"))
    assert table.form == "CSV, windows-1252, separated by ,"
    assert table.columns[1] == "dose mg/m²" and table.rows["name"][1] == "Étienne"


def test_two_russian_letters_are_enough(tmp_path: Path) -> None:
    table = read(tmp_path, "id,sex\n1,м\n2,ж\n".encode("cp1251"))
    assert table.rows["sex"].to_list() == ["м", "ж"]


def test_a_damaged_byte_does_not_change_the_encoding(tmp_path: Path) -> None:
    damaged = RUSSIAN.encode()[:-1] + b"\xd0\n"
    refused(tmp_path, damaged, f"not UTF-8 text from byte {len(damaged) - 1}")
    refused(tmp_path, b"\xef\xbb\xbfid\n\xff\n", "not UTF-8 text")


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_end_of_line(tmp_path: Path, line_end: str) -> None:
    table = read(tmp_path, line_end.join(["a,b", "1,2", "", "3,4"]))
    assert rows_of(table) == [(2, ("1", "2")), (4, ("3", "4"))]


def test_blank_lines_are_no_rows_but_count(tmp_path: Path) -> None:
    table = read(tmp_path, "\n\na,b\n\n1,2\n,\n\n3,4\n\n")
    assert rows_of(table) == [(5, ("1", "2")), (6, ("", "")), (8, ("3", "4"))]
    assert rows_of(read(tmp_path, 'a\n1\n\n""\n2\n')) == [(2, ("1",)), (4, ("",)), (5, ("2",))]


def test_a_quoted_line_break_shifts_no_number(tmp_path: Path) -> None:
    table = read(tmp_path, 'a,b\n1,"x\r\ny ""z"""\n2,\\n\n3,5" or 6"\n')
    assert rows_of(table) == [
        (2, ("1", 'x\r\ny "z"')),
        (3, ("2", "\\n")),
        (4, ("3", '5" or 6"')),
    ]


def test_a_row_that_does_not_fit_is_a_misfit(tmp_path: Path) -> None:
    table = read(tmp_path, "a,b,c\n1,2,3\n1,2\n1,2,3,4\n,,,5\n4,5,6\n")
    assert rows_of(table) == [(2, ("1", "2", "3")), (6, ("4", "5", "6"))]
    assert table.misfits == (
        (3, ("1", "2")),
        (4, ("1", "2", "3", "4")),
        (5, ("", "", "", "5")),
    )
    assert table.n_rows == 5


def test_empty_fields_beyond_the_header_are_cut(tmp_path: Path) -> None:
    assert rows_of(read(tmp_path, "a;b\n1;2;\n3;4;;\n")) == [(2, ("1", "2")), (3, ("3", "4"))]


def test_blank_columns_are_left_out_if_empty_and_refused_if_not(tmp_path: Path) -> None:
    table = read(tmp_path, "a;;b;;\n1;;2;;\n3;;4;;\n")
    assert (table.columns, rows_of(table)[1]) == (("a", "b"), (3, ("3", "4")))
    words = "column 4 of the header has no name, but row 3 has a value there"
    refused(tmp_path, "a;;b;\n1;;2;\n3;;4;5\n", words)


def test_a_header_alone_is_an_empty_table(tmp_path: Path) -> None:
    for text in ("a,b", "a,b\n", '"a","b"\r\n\r\n'):
        table = read(tmp_path, text)
        assert (table.columns, table.n_rows, table.rows.columns) == (("a", "b"), 0, ["a", "b", ROW])


def test_titles_above_the_header_are_set_aside(tmp_path: Path) -> None:
    body = "Код;Пол;Статус\n1;м;жив\n2;ж;умер\n"
    table = read(tmp_path, "Отчёт за 2019, 2020\n\n" + body)
    assert table.aside == ((1, "title_row"),)
    assert (table.columns, rows_of(table)[0]) == (("Код", "Пол", "Статус"), (4, ("1", "м", "жив")))
    assert read(tmp_path, "Отчёт;;\n;;\n" + body).aside == ((1, "title_row"), (2, "title_row"))


@pytest.mark.parametrize(
    "text",
    [
        "id,rx\n1,Obs,x\n2,Lev,y\n",
        "id\n1,5,7\n2,6,8\n",
        "name\nIvan,m\nOlga,f\n",
        "a,b,c,d\n1,,,\n2,,,\n",
    ],
)
def test_what_may_be_a_header_is_no_title(tmp_path: Path, text: str) -> None:
    table = read(tmp_path, text)
    assert table.aside == () and table.n_rows == 2
    assert ",".join(table.columns) == text.split("\n", 1)[0]


def test_totals_at_the_end_are_set_aside(tmp_path: Path) -> None:
    table = read(tmp_path, "a;b;c\n1;2;3\nИтого:;2;3\n;Всего;5\nTotal;8\n;;\n")
    assert table.aside == ((3, "totals_row"), (4, "totals_row"), (5, "totals_row"))
    assert [number for number, _ in rows_of(table)] == [2, 6] and not table.misfits


def test_what_only_looks_like_totals_stays(tmp_path: Path) -> None:
    text = "a;b\nTotal;2\n1;Total\nTotal body irradiation;8\n"
    assert [number for number, _ in rows_of(read(tmp_path, text))] == [2, 3, 4]


def test_the_header_again_is_set_aside(tmp_path: Path) -> None:
    table = read(tmp_path, "a,b\n1,2\na,b\na,c\n3,4\n")
    assert table.aside == ((3, "header_again"),)
    assert [number for number, _ in rows_of(table)] == [2, 4, 5]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "the file is empty"),
        (" \n\n", "the file is empty"),
        ("\n\r\n".encode("utf-16"), "the file is empty"),
        (b"a,b\n1,\x00\n", "NUL bytes"),
        (b"a\x00b\x00\n", "NUL bytes"),
        ("a,b\n1,\0\n".encode("utf-16"), "NUL bytes"),
        (b"\xff\xfe=\xd8,\x00\n\x00", "not UTF-16 text from byte 1 on"),
        (b"PK\x03\x04\xff\xfe\xfa,a\n", "control characters in row 1"),
        ("a,a,a (2)\n1,2,3\n", "the header names twice: a (2)."),
        ("a,_source_row\n1,2\n", "_source_row"),
        (",,\n1,2,3\n", "column 1 of the header has no name"),
        (",,\n", "no header"),
        ("sep=;\n", "no header"),
        ('a,b\n1,"x\n2,y\n', "row 2: not readable as CSV (unexpected end of data)"),
        ('a,b\n1,"x"y\n', "row 2: not readable as CSV"),
        ('"a,b\n', "row 1: not readable as CSV"),
        ("a,b\n\n1,2\n" + "1" * 200_000 + ",1\n", "row 4: not readable as CSV"),
        ("a,b\n1,2\n" + "1" * 200_000 + ",1\n", "row 3: not readable as CSV"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, content: bytes | str, words: str) -> None:
    refused(tmp_path, content, words)


def test_a_file_that_is_not_there_or_no_file(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.csv", tmp_path):
        with pytest.raises(LoadError, match=f"{NAME}: cannot be read"):
            read_csv_file(path, NAME)


def test_the_message_shows_no_control_characters(tmp_path: Path) -> None:
    evil = '"a\x1b[31m"'
    refused(tmp_path, f"{evil},{evil}\n", "control characters in row 1")
    backwards = '"a\u202e\nb"'
    third = '"a\u202e\nb (2)"'
    header = f"{backwards},{backwards},{third}\n"
    refused(tmp_path, header, "twice: a\ufffd\ufffdb (2).")
    long = "a" * 99
    refused(tmp_path, f"{long},{long},{long} (2)\n", f"twice: {'a' * 57}....")


def test_a_heading_that_stands_twice_is_told_apart_by_its_number(tmp_path: Path) -> None:
    """An export of REDCap with labels has a 'Complete?' behind every instrument."""
    table = read(tmp_path, "id,Complete?,Complete?\n1,yes,no\n")
    assert table.columns == ("id", "Complete?", "Complete? (2)")
    assert table.repeated == ("Complete?",)


def test_bounds_are_refused_with_their_row(tmp_path: Path) -> None:
    small = Bounds(record_bytes=1000, columns=50, misfits=3, piece_bytes=64)
    ok = "a,b\n1,2\n"
    refused(tmp_path, "a" * 2000, "row 1: longer than 1,000", bounds=small)
    refused(tmp_path, ok * 9 + "x" * 2000 + ok, "row 19", "1,000", bounds=small)
    refused(tmp_path, ok + '1,"' + "x\n" * 800 + '"\n', "row 3", "1,000", bounds=small)
    assert read(tmp_path, ok + '1,"x,"\n' * 400, small).n_rows == 401
    refused(tmp_path, ok + "," * 60 + "\n", "row 3: 61 fields", bounds=small)
    refused(tmp_path, ",".join(f"c{i}" for i in range(51)), "51 columns", bounds=small)
    refused(tmp_path, ok + "1\n" * 4, "more than 3 rows", bounds=small)


def test_a_line_of_twenty_megabytes_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, b"a,b\n1,2\n" + b"x" * (20 << 20) + b"\n", "row 3: not readable as CSV")
    refused(tmp_path, b"a,b\n1,2\n" + b"x" * (40 << 20) + b"\n", "row 3: longer than 10,485,760")


def naive(text: str, separator: str) -> tuple[Rows, Rows]:
    """Rows and misfits by Python's reader alone, after a header row of plain names."""
    header, *records = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    filled = [(n, tuple(cells)) for n, cells in enumerate(records, 2) if cells]
    width = len(header)
    cut = [(n, c[:width] if not any(c[width:]) else c) for n, c in filled]
    return [r for r in cut if len(r[1]) == width], [r for r in cut if len(r[1]) != width]


CELL_TEXT = st.text(st.sampled_from("ab\"'\\ \n\r,;|\té\u2028\ufeffx\x01ж"), max_size=5)
LINES = st.lists(st.lists(CELL_TEXT, max_size=4).map(tuple), max_size=12)


@given(LINES, st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), st.sampled_from([8, 40, 10_000]))
@settings(max_examples=60)
def test_ragged_rows_are_read_as_by_pythons_reader(
    tmp_path_factory: pytest.TempPathFactory, lines: list, quoting: Literal[0, 1], piece_bytes: int
) -> None:
    """Whatever piece goes to which reader. The header shows what separates fields."""
    out = io.StringIO(newline="")
    out.write("sep=,\nfirst,second,third\n")
    csv.writer(out, quoting=quoting).writerows(lines)  # type: ignore[arg-type]
    folder = tmp_path_factory.mktemp("ragged")
    table = read(folder, out.getvalue(), Bounds(piece_bytes=piece_bytes))
    rows, misfits = naive(out.getvalue().split("\n", 1)[1], ",")
    assert rows_of(table) == rows
    assert list(table.misfits) == misfits


PLAIN = st.text(st.sampled_from('ab"\\ é\ufeffx\x01ж'), max_size=4)


@given(st.lists(st.lists(PLAIN, min_size=1, max_size=3), min_size=1, max_size=8), st.booleans())
@settings(max_examples=60)
def test_the_fast_reader_never_disagrees(lines: list[list[str]], quoted: bool) -> None:
    cells = [[f'"{c}"' if quoted else c for c in line] for line in lines]
    text = "".join(";".join(line) + "\n" for line in cells)
    width = max(map(len, lines))
    schema = {str(i): pl.String for i in range(width)}
    fast = fast_frame(text.encode(), ";", schema)
    if fast is not None:
        records = list(csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True))
        assert [list(row) for row in fast.rows()] == records


def test_a_plain_piece_goes_to_the_fast_reader() -> None:
    schema = {"0": pl.String, "1": pl.String}
    for text in (b"1,2\n,\n", b'"1",2\r\n"",""\r\n', b'1,5"\n'):
        assert fast_frame(text, ",", schema) is not None
    for text in (b'"1,2"\n', b"1,2\n\n", b"1\n1,2,3\n", b"1,2\r3,4\n", b'"a""b",1\n'):
        assert fast_frame(text, ",", schema) is None


# What the texts in an encoding are made of: in windows-1252 accented letters beside others.
PIECES = {
    "utf-8": "жé漢\u00a0 a1.-",
    "utf-8-sig": "жé漢\u00a0 a1.-",
    "utf-16": "жé漢\u00a0 a1.-",
    "utf-16-le": "жé\u00a0 a1.-",
    "utf-16-be": "жé\u00a0 a1.-",
    "cp1251": "жёЪ№«\u00a0 a1.-",
    "koi8-r": "жёЪ а1.-",
    "cp866": "жёЪ№ а1.-",
    "cp1252": ("né", "où ", "1", ".", "-"),
}
DELIMITED = st.sampled_from(["\r\n", "\n", "\r"]), st.sampled_from(",;|\t")


@given(st.data(), st.sampled_from(sorted(PIECES)), *DELIMITED)
@settings(max_examples=60)
def test_what_a_csv_writer_wrote_reads_back_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    data: st.DataObject,
    encoding: str,
    line_end: str,
    separator: str,
) -> None:
    """Any texts, any supported encoding, separator, end of line and quoting."""
    width = data.draw(st.integers(2, 4))
    quoting: Literal[0, 1] = data.draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    # The writer puts quotes around the other end of line only if told to put them everywhere.
    breaks = line_end if quoting == csv.QUOTE_MINIMAL else "\r\n"
    cell = st.lists(st.sampled_from([*PIECES[encoding], *',;|\t"', *breaks]), max_size=4)
    rows = data.draw(st.lists(st.tuples(*[cell.map("".join)] * width), max_size=9))
    western = encoding == "cp1252"
    names = ("Größe", "Müller", "naïve", "façade") if western else (
        "Пациент", "Локализация рецидива", "Ответ на лечение", "Наблюдение"
    )  # fmt: skip
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=separator, lineterminator=line_end, quoting=quoting).writerows(
        [names[:width], *rows]
    )
    folder = tmp_path_factory.mktemp("written")
    table = read(folder, out.getvalue().encode(encoding), Bounds(piece_bytes=50))
    assert table.columns == names[:width]
    assert [cells for _, cells in rows_of(table)] == rows
    assert [number for number, _ in rows_of(table)] == list(range(2, len(rows) + 2))
