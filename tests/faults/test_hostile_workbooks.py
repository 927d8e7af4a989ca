"""A workbook that is broken, locked, far too large or made to harm gets a reason, and quickly."""

import struct
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from etl.errors import LoadError
from etl.sources.grid import Line, Merge
from etl.sources.raw import RawTable
from etl.sources.sheet import find_table
from etl.sources.workbook import read_workbook
from etl.sources.xlsx import open_book
from etl.sources.xlsx_sheet import read_cells

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

RELS = "_rels/.rels"
BOOK = "xl/workbook.xml"
BOOK_RELS = "xl/_rels/workbook.xml.rels"
SHEET = "xl/worksheets/sheet1.xml"
TEXTS = "xl/sharedStrings.xml"
STYLES = "xl/styles.xml"
HEADER = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c><c r="B1" t="str"><v>a</v></c></row>'
)
HUGE_NUMBER = "9" * 6_000


def _relations(*targets: tuple[str, str], mode: str = "Internal") -> str:
    items = "".join(
        f'<Relationship Id="r{n}" Type="{OFFICE}/{kind}" Target="{target}" TargetMode="{mode}"/>'
        for n, (kind, target) in enumerate(targets, start=1)
    )
    return f'<Relationships xmlns="{PACKAGE}">{items}</Relationships>'


def _sheet(rows: str, after: str = "", main: str = MAIN) -> str:
    return f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData>{after}</worksheet>'


def _book(*names: str, main: str = MAIN, properties: str = "") -> str:
    sheets = "".join(
        f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(names, start=1)
    )
    inner = f"{properties}<sheets>{sheets}</sheets>"
    return f'<workbook xmlns="{main}" xmlns:r="{OFFICE}">{inner}</workbook>'


def _parts(rows: str, after: str = "") -> dict[str, str | bytes]:
    return {
        RELS: _relations(("officeDocument", "xl/workbook.xml")),
        BOOK: _book("S"),
        BOOK_RELS: _relations(
            ("worksheet", "worksheets/sheet1.xml"),
            ("sharedStrings", "/xl/sharedStrings.xml"),
            ("styles", "styles.xml"),
        ),
        SHEET: _sheet(rows, after),
        TEXTS: f'<sst xmlns="{MAIN}"><si><t>one</t><rPh><t>no</t></rPh></si></sst>',
        STYLES: f'<styleSheet xmlns="{MAIN}"><cellXfs><xf numFmtId="0"/></cellXfs></styleSheet>',
    }


def _write(path: Path, parts: Mapping[str, str | bytes]) -> Path:
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


def _read(folder: Path, parts: Mapping[str, str | bytes]) -> RawTable:
    (table,) = read_workbook(_write(folder / "a.xlsx", parts), "a.xlsx")
    return table


def _refused(path: Path, *words: str) -> None:
    with pytest.raises(LoadError) as caught:
        read_workbook(path, "a.xlsx")
    message = str(caught.value)
    assert message.startswith("a.xlsx") and len(message.splitlines()) == 1 and len(message) < 400
    for word in words:
        assert word in message, message


def _bytes(folder: Path, data: bytes) -> Path:
    path = folder / "a.xlsx"
    path.write_bytes(data)
    return path


def _good() -> bytes:
    stream = BytesIO()
    with ZipFile(stream, "w") as archive:
        for name, data in _parts(HEADER).items():
            archive.writestr(name, data)
    return stream.getvalue()


def test_the_plainest_workbook_is_read(tmp_path: Path) -> None:
    rows = (
        HEADER
        + '<row><c><v>1</v></c><c t="s"><v>0</v></c></row><row r="9"><c r="B9"><v>2</v></c></row>'
    )
    table = _read(tmp_path, _parts(rows))
    assert table.columns == ("id", "a")
    assert table.rows.rows() == [("1", "one", 2), ("", "2", 9)]


def test_the_strict_kind_and_other_prefixes_are_read_alike(tmp_path: Path) -> None:
    parts = _parts(HEADER)
    parts[BOOK] = _book("S", main=STRICT)
    rows = HEADER.replace("<", "<x:").replace("<x:/", "</x:")
    parts[SHEET] = (
        f'<x:worksheet xmlns:x="{STRICT}"><x:sheetData>{rows}</x:sheetData></x:worksheet>'
    )
    assert _read(tmp_path, parts).columns == ("id", "a")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", ["no Excel workbook"]),
        (b"id,sex\n1,m\n", ["no Excel workbook"]),
        (b"<html><table><tr><td>1</td></tr></table></html>", ["no Excel workbook", ".xlsx"]),
        (b"PK\x03\x04" + b"\xff" * 60, ["no Excel workbook"]),
        (_good()[:-40], ["no Excel workbook"]),
        (_good()[:200], ["no Excel workbook"]),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"W\x00o\x00r\x00k\x00b\x00o\x00o\x00k\x00",
            [".xls"],
        ),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            ["password"],
        ),
    ],
)
def test_a_file_that_is_no_workbook(tmp_path: Path, data: bytes, words: list[str]) -> None:
    _refused(_bytes(tmp_path, data), *words)


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    _refused(tmp_path / "none.xlsx", "cannot be read")
    _refused(tmp_path, "cannot be read")


def test_an_archive_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    _refused(_write(path, {"readme.txt": "x"}), "holds no workbook")
    _refused(_write(path, {"mimetype": "x", "content.xml": "<x/>"}), "OpenDocument")
    word = {RELS: _relations(("officeDocument", "word/document.xml")), "word/document.xml": "<x/>"}
    _refused(_write(path, word), "word/document.xml is no workbook")
    binary = {RELS: _relations(("officeDocument", "xl/workbook.bin")), "xl/workbook.bin": "\x83"}
    _refused(_write(path, binary), "holds no workbook")
    outside = {RELS: _relations(("officeDocument", "http://127.0.0.1:9/a.xml"), mode="External")}
    _refused(_write(path, outside), "holds no workbook")


@pytest.mark.parametrize("part", [BOOK, BOOK_RELS, SHEET, TEXTS, STYLES])
def test_a_part_that_is_missing_cut_off_or_something_else(tmp_path: Path, part: str) -> None:
    path = tmp_path / "a.xlsx"
    parts = _parts(HEADER)
    text = parts[part]
    assert isinstance(text, str)
    _refused(_write(path, {k: v for k, v in parts.items() if k != part}), "damaged", part)
    _refused(_write(path, {**parts, part: text[:-10]}), "damaged", part)
    _refused(_write(path, {**parts, part: b"\x00\x01\x02"}), "damaged", part)
    _refused(_write(path, {**parts, part: '<?xml version="1.0" encoding="no"?>' + text}), "damaged")
    _refused(_write(path, {**parts, part: f"<!DOCTYPE x>{text}"}), part, "DOCTYPE")


def test_entities_are_refused_before_they_can_grow(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {new} "{f"&{old};" * 30}">' for old, new in zip("abcdef", "bcdefg", strict=True)
    )
    rows = HEADER + '<row r="2"><c r="A2" t="str"><v>&g;</v></c></row>'
    _refused(
        _write(tmp_path / "a.xlsx", {**_parts(""), SHEET: f"{bomb}]>{_sheet(rows)}"}), "DOCTYPE"
    )
    outside = f'<!DOCTYPE x [<!ENTITY g SYSTEM "file:///etc/passwd">]>{_sheet(rows)}'
    _refused(_write(tmp_path / "a.xlsx", {**_parts(""), SHEET: outside}), "DOCTYPE")


def test_a_part_whose_bytes_were_changed(tmp_path: Path) -> None:
    data = bytearray(_good())
    place = data.index(b"</sheetData>") - 20
    data[place] ^= 1
    _refused(_bytes(tmp_path, bytes(data)), "damaged", SHEET)


def test_an_archive_with_a_password_for_its_parts(tmp_path: Path) -> None:
    data = bytearray(_good())
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(signature)
        while place >= 0:
            (flags,) = struct.unpack_from("<H", data, place + at)
            struct.pack_into("<H", data, place + at, flags | 1)
            place = data.find(signature, place + 4)
    _refused(_bytes(tmp_path, bytes(data)), "cannot be unpacked", "password")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ('<row r="0"/>', "no row of a sheet"),
        ('<row r="1048577"/>', "no row of a sheet"),
        (f'<row r="{HUGE_NUMBER}"/>', "no row of a sheet"),
        ('<row r="2"/><row r="2"/>', "no row of a sheet follows row 2"),
        ('<row r="2"><c r="A3"/></row>', "'A3' stands in row 2"),
        ('<row r="2"><c r="B2"/><c r="A2"/></row>', "out of order"),
        ('<row r="2"><c r="B2"/><c r="B2"/></row>', "out of order"),
        ('<row r="2"><c r="XFE2"/></row>', "outside of a sheet"),
        ('<row r="2"><c r="ЖЖ2"/></row>', "is no cell"),
        (f'<row r="2"><c r="A{HUGE_NUMBER}"/></row>', "is no cell"),
        ('<row r="2"><c r="XFD2"/><c/></row>', "out of order"),
        ('<row r="2"><c r="A2" t="s"><v>1</v></c></row>', "a text that is not there"),
        ('<row r="2"><c r="A2" t="s"><v>-1</v></c></row>', "a text that is not there"),
        (f'<row r="2"><c r="A2" t="s"><v>{HUGE_NUMBER}</v></c></row>', "a text that is not there"),
        ('<row r="2"><c r="A2" s="1"><v>1</v></c></row>', "a style that is not there"),
        ('<row r="2"><c r="A2" s="-1"><v>1</v></c></row>', "a style that is not there"),
    ],
)
def test_cells_that_point_nowhere(tmp_path: Path, rows: str, words: str) -> None:
    _refused(_write(tmp_path / "a.xlsx", _parts(rows)), "[S]", "damaged", words)


@pytest.mark.parametrize("merge", ["A1:XFE2", "A1:", "A0:B2", ":", "1:2", "A1:A1048577"])
def test_a_merged_range_that_is_none(tmp_path: Path, merge: str) -> None:
    after = f'<mergeCells><mergeCell ref="{merge}"/></mergeCells>'
    path = _write(tmp_path / "a.xlsx", _parts(HEADER, after))
    if merge == "A1:":
        assert read_workbook(path, "a.xlsx")[0].columns == ("id", "a")
    else:
        _refused(
            path, "damaged", "no cell" if merge not in ("A1:XFE2", "A1:A1048577") else "outside"
        )


def test_odd_cells_arrive_as_they_are(tmp_path: Path) -> None:
    cells = "".join(
        f'<row r="{n}"><c r="A{n}" {cell}</c><c r="B{n}"><v>{n}</v></c></row>'
        for n, cell in enumerate(
            (
                't="n"><v>abc</v>',
                f"><v>{HUGE_NUMBER}</v>",
                't="b"><v>2</v>',
                't="d"><v>2019-05-17</v>',
                't="d"><v>2019-05-17T10:00:00</v>',
                't="d"><v>2019-05-17T10:00:00Z</v>',
                't="d"><v>soon</v>',
                't="unknown"><v>x</v>',
                't="str"><v>a_x000D_b_x0000__xD800__x005F_</v>',
                't="inlineStr"><is><r><t>one</t></r><r><t> two</t></r><rPh><t>no</t></rPh></is>',
                't="str"><f>HYPERLINK("http://127.0.0.1:9")</f><v>link</v>',
                't="str"><f>cmd|"/C calc"!A0</f><v>dde</v>',
                't="e"><v/>',
                't="str"><f>""</f><v></v>',
            ),
            start=2,
        )
    )
    assert _read(tmp_path, _parts(HEADER + cells)).rows["id"].to_list() == [
        *("abc", HUGE_NUMBER, "2", "17.05.2019", "17.05.2019 10:00:00", "2019-05-17T10:00:00Z"),
        *("soon", "x", "a\rb_x0000__xD800__", "one two", "link", "dde", "#NOT CALCULATED!", ""),
    ]


def test_an_array_formula_that_was_never_calculated_is_refused(tmp_path: Path) -> None:
    """Only its first cell shows that it is a formula; the others would be taken for numbers."""
    rows = HEADER + '<row r="2"><c r="A2"><f t="array" ref="A2:B2">A1:B1</f><v>0</v></c></row>'
    parts = _parts(rows)
    assert _read(tmp_path, parts).rows["id"].to_list() == ["0"]
    parts[BOOK] = _book("S", properties='<calcPr fullCalcOnLoad="1"/>')
    _refused(_write(tmp_path / "a.xlsx", parts), "A2:B2", "never calculated")


def test_two_sheets_of_one_name_are_refused(tmp_path: Path) -> None:
    parts = {**_parts(HEADER), BOOK: _book("S", "S")}
    parts[BOOK_RELS] = _relations(*[("worksheet", "worksheets/sheet1.xml")] * 2)
    _refused(_write(tmp_path / "a.xlsx", parts), "two sheets are called 'S'")
    parts[BOOK] = _book("S", "T", "U")
    _refused(_write(tmp_path / "a.xlsx", parts), "names a sheet that it does not hold")


def test_a_name_made_for_the_terminal_stays_on_one_line(tmp_path: Path) -> None:
    parts = {**_parts('<row r="2"><c r="A3"/></row>'), BOOK: _book("S&#10;&#9;" + "x" * 500)}
    _refused(_write(tmp_path / "a.xlsx", parts), r"[S\n\txxx")


def test_one_cell_in_the_last_corner_costs_one_line(tmp_path: Path) -> None:
    row = '<row r="2"><c r="A2"><v>1</v></c></row>'
    corner = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    path = _write(tmp_path / "a.xlsx", _parts(HEADER + row + corner))
    _refused(path, "[S]: XFD1048576 is filled, but its column has no name")
    blank = '<row r="1048576" s="5"><c r="XFD1048576" s="5"/></row>'
    assert _read(tmp_path, _parts(HEADER + row + blank)).rows.rows() == [("1", "", 2)]


def test_a_sheet_of_too_many_cells_is_refused_with_the_cell(tmp_path: Path) -> None:
    rows = "".join(f'<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>' for n in range(1, 9))
    with ZipFile(_write(tmp_path / "a.xlsx", _parts(rows))) as archive:
        book = open_book(archive, "a.xlsx")
        assert len(read_cells(archive, book, book.sheets[0], "S").lines) == 8
        with pytest.raises(LoadError, match="S: more than 40,000 cells up to XFD3"):
            read_cells(archive, book, book.sheets[0], "S", most_cells=40_000)


def test_a_sheet_as_wide_as_can_be_is_read(tmp_path: Path) -> None:
    names = "".join(f'<c t="str"><v>c{i}</v></c>' for i in range(16_384))
    cells = "<c><v>7</v></c>" * 16_384
    table = _read(tmp_path, _parts(f"<row>{names}</row><row>{cells}</row>"))
    assert len(table.columns) == 16_384 and table.rows.select(table.columns[-1]).item() == "7"


def test_merged_ranges_over_everything_are_bounded() -> None:
    n = 2_300
    lines = [Line(1, tuple(f"c{i}" for i in range(n))), Line(2, ("x",) * n)]
    lines += [Line(row, ("",) * n + ("y",)) for row in range(3, n)]
    merges = [Merge(2, column, 1_048_576, column) for column in range(n)]
    with pytest.raises(LoadError, match="S: merged cells cover more than 5,000,000 cells"):
        find_table(lines, merges, "S")


def test_merged_ranges_that_overlap_are_refused(tmp_path: Path) -> None:
    rows = '<row><c><v>5</v></c><c><v>0</v></c></row><row r="3"><c r="B3"><v>1</v></c></row>'
    merge = '<mergeCell ref="A2:A9"/>'
    parts = _parts(HEADER + rows, f"<mergeCells>{merge}{merge}</mergeCells>")
    _refused(_write(tmp_path / "a.xlsx", parts), "A3 holds a value under a merged cell")
