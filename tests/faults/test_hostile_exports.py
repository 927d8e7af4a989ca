"""Exports with bad intent, damage or oddity: a clear refusal, nothing outside, nothing left."""

import gzip
import os
import re
import struct
import tempfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from stat import S_IFIFO, S_IFLNK
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile, ZipInfo

import pytest
import xlsxwriter

from etl.errors import LoadError
from etl.sources.archive import ExportFile
from etl.sources.bounds import BOUNDS, MB, Bounds
from etl.sources.csv_file import read_csv_file
from etl.sources.export import Export, opened, read_file

CSV = b"id,rx\n1,Obs\n"
SMALL = Bounds(total_bytes=50_000, free_of_ratio_bytes=60_000, members=5, workbook_bytes=9_000)


@pytest.fixture(autouse=True)
def unpacked_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where archives are unpacked; empty after every test."""
    folder = tmp_path / "private"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert not list(folder.iterdir())


def zipped(folder: Path, *members: tuple[str | ZipInfo, bytes], name: str = "export.zip") -> Path:
    path = folder / name
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for member, content in members:
            archive.writestr(member, content)
    return path


def written(path: Path, content: bytes = CSV) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def refused(path: Path, *words: str, bounds: Bounds = BOUNDS) -> None:
    """Refused on opening or reading, by one printable line that names the file."""
    with pytest.raises(LoadError) as error, opened(path, bounds) as export:
        for file in export.files:
            read_file(file, bounds=bounds)
    text = str(error.value)
    assert text.isprintable() and "Traceback" not in text
    for word in (path.name, *words):
        assert word in text


def names(export: Export) -> list[str]:
    return [file.name for file in export.files]


def reasons(export: Export) -> dict[str, str]:
    return {one.name: one.reason for one in export.refused}


def test_a_file_a_folder_and_an_archive_give_the_same(tmp_path: Path, unpacked_here: Path) -> None:
    folder = tmp_path / "export"
    written(folder / "site 1" / "table.csv")
    archive = zipped(tmp_path, ("site 1/", b""), ("site 1/table.csv", CSV), name="named.xlsx")
    for path, name in (
        (folder / "site 1" / "table.csv", "table.csv"),
        (folder, "site 1/table.csv"),
        (archive, "site 1/table.csv"),
    ):
        with opened(path) as export:
            assert (names(export), export.refused) == ([name], ())
            (table,) = read_file(export.files[0])
            assert (table.file, table.rows.height) == (name, 1)
            (private,) = unpacked_here.iterdir()
            assert private.stat().st_mode & 0o777 == 0o700


def test_nothing_is_left_over_after_an_error(tmp_path: Path, unpacked_here: Path) -> None:
    archive = zipped(tmp_path, ("table.csv", CSV))
    with pytest.raises(KeyError), opened(archive) as export:
        assert export.files[0].path.is_relative_to(unpacked_here)
        raise KeyError


@pytest.mark.parametrize(
    "member",
    [
        "../evil.csv",
        "a/../../evil.csv",
        "/etc/evil.csv",
        "..\\evil.csv",
        "a\\..\\..\\evil.csv",
        "\\\\server\\share\\evil.csv",
        "C:\\evil.csv",
        "c:evil.csv",
    ],
)
def test_a_member_that_climbs_out_is_refused(tmp_path: Path, member: str) -> None:
    refused(zipped(tmp_path, ("table.csv", CSV), (member, CSV)), "outside of its folder")
    assert not list(tmp_path.rglob("evil*"))


def test_backslashes_alone_are_folders_of_an_old_windows(tmp_path: Path) -> None:
    with opened(zipped(tmp_path, ("site\\", b""), ("site\\table.csv", CSV))) as export:
        assert names(export) == ["site/table.csv"]


@pytest.mark.parametrize(("kind", "word"), [(S_IFLNK, "a link"), (S_IFIFO, "no plain file")])
def test_a_member_that_is_no_file_is_refused(tmp_path: Path, kind: int, word: str) -> None:
    info = ZipInfo("table.csv")
    info.create_system, info.external_attr = 3, (kind | 0o777) << 16
    refused(zipped(tmp_path, (info, b"/etc/passwd")), f"'table.csv' in it is {word}")


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    refused(zipped(tmp_path, ("a/table.csv", CSV), ("a\\table.csv", CSV)), "twice")


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path, ("table.csv", CSV))
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    refused(written(path, bytes(data)), "locked with a password")


def test_an_unusual_packing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with ZipFile(path, "w", ZIP_BZIP2) as archive:
        archive.writestr("table.csv", CSV)
    refused(path, "unusual method")


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path, ("table.csv", CSV * 50))
    whole = path.read_bytes()
    for length in (len(whole) - 1, len(whole) // 2, 10):
        refused(written(path, whole[:length]), "cannot be unpacked")
    wrong_sum = whole.replace(whole[14:18], b"\0\0\0\0")
    refused(written(path, wrong_sum), "cannot be unpacked (Bad CRC-32")
    refused(written(path, whole[:45] + b"\xff\xff" + whole[47:]), "cannot be unpacked")
    cut = gzip.compress(CSV, mtime=0)[:-9]
    refused(written(tmp_path / "table.csv.gz", cut), "cannot be unpacked")


def test_a_size_that_lies_is_found_out(tmp_path: Path) -> None:
    path = zipped(tmp_path, ("table.csv", CSV * 50))
    told = struct.pack("<I", len(CSV * 50))
    refused(written(path, path.read_bytes().replace(told, struct.pack("<I", 10))), "Bad CRC-32")


def test_a_bomb_of_true_size_is_refused_early(tmp_path: Path) -> None:
    path = zipped(tmp_path, *((f"{i}.csv", bytes(10 * MB)) for i in range(8)))
    refused(path, "export.zip: 5.csv: unpacks to more than 200 times its size")


def test_too_much_in_total_is_refused(tmp_path: Path) -> None:
    parts = [(f"{i}.csv", bytes(20_000)) for i in range(4)]
    refused(zipped(tmp_path, *parts), "2.csv: unpacks to more than 0 MB", bounds=SMALL)
    packed = written(tmp_path / "x.csv.gz", gzip.compress(bytes(60_000)))
    refused(packed, "x.csv.gz: unpacks to more than", bounds=SMALL)
    refused(packed, "200 times", bounds=Bounds(free_of_ratio_bytes=20_000))
    refused(written(tmp_path / "big.csv", bytes(60_000)), "larger than", bounds=SMALL)


def test_a_gzip_file_in_an_archive_counts_too(tmp_path: Path) -> None:
    inner = gzip.compress(bytes(60_000))
    archive = zipped(tmp_path, ("a/x.csv.gz", inner))
    with pytest.raises(LoadError, match="a/x.csv.gz: unpacks to more"), opened(archive, SMALL):
        raise AssertionError


def test_a_bomb_in_a_workbook_is_refused(tmp_path: Path) -> None:
    list_of_parts = ("[Content_Types].xml", b"<Types/>")
    path = zipped(tmp_path, list_of_parts, ("xl/sheet.xml", bytes(10_000)), name="book.xlsx")
    refused(path, "book.xlsx: unpacks to more than", bounds=SMALL)
    opendocument = zipped(
        tmp_path, ("mimetype", b"x"), ("content.xml", bytes(10_000)), name="b.ods"
    )
    refused(opendocument, "b.ods: unpacks to more than", bounds=SMALL)


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    six = [(f"{i}.csv", CSV) for i in range(6)]
    refused(zipped(tmp_path, *six), "more than 5 files", bounds=SMALL)
    refused(zipped(tmp_path, *six), "lists more than 10,000 files", bounds=Bounds(listing_bytes=9))
    for member, content in six:
        written(tmp_path / "folder" / member, content)
    refused(tmp_path / "folder", "more than 5 files", bounds=SMALL)


def test_an_archive_in_an_archive_or_folder_is_left_packed(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "private", ("table.csv", CSV)).read_bytes()
    (tmp_path / "private" / "export.zip").unlink()
    written(tmp_path / "folder" / "inner.csv", inner)
    for path in (tmp_path / "folder", zipped(tmp_path, ("inner.csv", inner))):
        with opened(path) as export:
            assert names(export) == []
            assert "Unpack it first" in reasons(export)["inner.csv"]


def test_what_the_system_adds_is_no_data(tmp_path: Path) -> None:
    system = ("Thumbs.db", "a/desktop.ini", "~$book.xlsx", "__MACOSX/a/._table.csv")
    members = [(name, b"x") for name in (*system, "a/.DS_Store", ".git/table.csv")]
    for name, content in (*members, ("a/table.csv", CSV)):
        written(tmp_path / "folder" / name, content)
    with opened(tmp_path / "folder") as export:
        assert names(export) == ["a/table.csv"]
        assert list(reasons(export)) == ["Thumbs.db", "__MACOSX", "a/desktop.ini", "~$book.xlsx"]
    with opened(zipped(tmp_path, *members, ("a/table.csv", CSV))) as export:
        assert names(export) == ["a/table.csv"]
        assert list(reasons(export)) == ["Thumbs.db", "__MACOSX", "a/desktop.ini", "~$book.xlsx"]
        assert all("no data" in reason for reason in reasons(export).values())


def test_links_and_channels_in_a_folder_are_refused_one_by_one(tmp_path: Path) -> None:
    outside = written(tmp_path / "outside" / "secret.csv")
    folder = tmp_path / "folder"
    written(folder / "table.csv")
    (folder / "out.csv").symlink_to(outside)
    (folder / "in.csv").symlink_to(folder / "table.csv")
    (folder / "loop").symlink_to(folder)
    (folder / "nowhere.csv").symlink_to(folder / "gone.csv")
    os.mkfifo(folder / "pipe.csv")
    with opened(folder) as export:
        assert names(export) == ["table.csv"]
        assert list(reasons(export)) == ["in.csv", "loop", "nowhere.csv", "out.csv", "pipe.csv"]


def test_a_name_that_cannot_be_shown_is_refused(tmp_path: Path) -> None:
    evil = "a\x1b[31m\nb.csv"
    written(tmp_path / "folder" / evil)
    (Path(os.fsdecode(os.fsencode(tmp_path / "folder") + b"/\xff.csv"))).write_bytes(CSV)
    for path in (tmp_path / "folder", zipped(tmp_path, (evil, CSV))):
        with opened(path) as export:
            assert names(export) == []
            for one in export.refused:
                assert one.name.isprintable() and "cannot be shown" in one.reason


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("Пациенты/Рецидив №2.csv", "cp866"),
        ("Пациенты.csv", "cp1251"),
        ("Пациенты.csv", "utf-8"),
        ("Größe.csv", "cp437"),
        ("naïve.csv", "cp437"),
    ],
)
def test_names_are_decoded_as_they_were_packed(tmp_path: Path, name: str, encoding: str) -> None:
    """Without the mark for UTF-8, as the archives of Windows have them."""
    packed = name.encode(encoding)
    path = zipped(tmp_path, ("x" * len(packed), CSV))
    with opened(written(path, path.read_bytes().replace(b"x" * len(packed), packed))) as export:
        assert names(export) == [name]
        assert read_file(export.files[0])[0].file == name
    with opened(zipped(tmp_path, (name, CSV))) as export:
        assert names(export) == [name]


def test_a_gzip_file_keeps_its_name(tmp_path: Path) -> None:
    path = written(tmp_path / "folder" / "adex.csv.gz", gzip.compress(CSV, mtime=0))
    for opened_path in (path, path.parent):
        with opened(opened_path) as export:
            assert names(export) == ["adex.csv.gz"]
            assert export.files[0].path.suffix == ".csv"
            assert read_file(export.files[0])[0].columns == ("id", "rx")


def test_a_name_in_gz_alone_makes_no_compressed_file(tmp_path: Path) -> None:
    with opened(written(tmp_path / "table.csv.gz")) as export:
        assert read_file(export.files[0])[0].n_rows == 1


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"\x89PNG\r\n\x1a\n\0\0", "looks like a PNG image"),
        ("a.csv", b"%PDF-1.7\n", "looks like a PDF document"),
        ("a.csv", b"MZ\x90\0\3", "looks like a Windows program"),
        ("a.xls", b"\r\n<HTML><table><tr>", "looks like a web page"),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "looks like a Word document"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "a.xls"),
        ("a.csv", gzip.compress(CSV, mtime=0), "whose name does not end in .gz"),
        ("a.csv", bytes(128) + b"DICM", "looks like a DICOM image"),
        ("a.csv", b"", "the file is empty"),
        ("a.json", b"", "the file is empty"),
        ("a.csv", b"id,rx\n1,\0\n", "NUL bytes"),
        ("a.xml", b"<?xml version='1.0'?><x/>", "a.xml"),
        ("a.xml", b"<!-- a form -->\n<x/>", "a.xml"),
        ("a.csv", b'{"a": 1}', "a.csv"),
        ("a.xpt", b"HEADER RECORD*******LIBRARY HEADER", "a.xpt"),
        ("a.dsjc", b"x", "a.dsjc"),
        ("a.xlsx", b"PK\x03\x04" + bytes(40), "a.xlsx: cannot be unpacked"),
    ],
)
def test_what_holds_no_table_is_called_by_its_name(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    refused(written(tmp_path / name, content), words)


def test_a_document_of_another_program_is_no_archive(tmp_path: Path) -> None:
    parts = [("[Content_Types].xml", b""), ("word/document.xml", b"")]
    refused(zipped(tmp_path, *parts, name="report.docx"), "looks like a Word document")


def test_a_workbook_is_known_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("patients")
        sheet.write_row(0, 0, ["id", "rx"])
        sheet.write_row(1, 0, ["1", "Obs"])
    with opened(path) as export:
        (table,) = read_file(export.files[0])
    assert (table.file, table.name, table.rows["rx"].to_list()) == ("book.csv", "patients", ["Obs"])


def test_a_path_without_an_export(tmp_path: Path) -> None:
    for path, word in (
        (tmp_path / "nowhere", "no such file or folder"),
        (written(tmp_path / "file.csv") / "inside", "no such file or folder"),
        (Path("/dev/null"), "neither a file nor a folder"),
        (tmp_path / ("x" * 300), "cannot be read"),
    ):
        refused(path, word)


def test_a_file_that_goes_or_changes_after_opening(tmp_path: Path) -> None:
    path = written(tmp_path / "table.csv")
    with opened(path) as export:
        path.unlink()
        with pytest.raises(LoadError, match="table.csv: cannot be read: No such file"):
            read_file(export.files[0])
        path.mkdir()
        with pytest.raises(LoadError, match="table.csv: cannot be read: Is a directory"):
            read_file(ExportFile("table.csv", path))


def test_a_line_without_end_takes_little_memory(tmp_path: Path) -> None:
    path = written(tmp_path / "long.csv", b"id,rx\n1,Obs\n" + b"x" * (30 * MB))
    tracemalloc.start()
    with pytest.raises(LoadError, match=re.escape("row 3: longer than 10,485,760 bytes")):
        read_csv_file(path, path.name)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * path.stat().st_size
