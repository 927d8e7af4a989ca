"""An export as the operator gives it (a file, a folder, a zip archive) -> its files and tables.

An archive is taken for what it holds, not for how it is called, and unpacked into a private folder
that is removed at the end, whatever happens. The reader of a file is chosen by its content; its
name decides only where the content leaves it open.
"""

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISLNK, S_ISREG
from tempfile import TemporaryDirectory

from etl.errors import LoadError, shown
from etl.sources.archive import (
    GZIP_START,
    ZIP_STARTS,
    Budget,
    ExportFile,
    Refused,
    check_workbook,
    unpack,
    unpack_gzip,
    why_no_data,
    zip_members,
)
from etl.sources.bounds import BOUNDS, MB, Bounds
from etl.sources.csv_file import read_csv_file
from etl.sources.dataset_json import read_dataset_json
from etl.sources.file_kind import (
    ARCHIVE,
    JSON,
    OLD_OFFICE,
    START_BYTES,
    TEXT,
    TRANSPORT,
    WORKBOOK,
    XML,
    ZIP,
    document_kind,
    is_gzip_name,
    kind_of,
)
from etl.sources.odm import read_odm
from etl.sources.raw import RawTable
from etl.sources.sas_transport import read_sas_transport
from etl.sources.workbook import read_workbook

_NO_TABLE = (
    "and holds no table that can be read. Export it as CSV, as a workbook (.xlsx), SAS transport, "
    "Dataset-JSON or ODM."
)
_NESTED = "an archive inside the export. Unpack it first."
_LINK = "a link. Put the file itself there."
_NO_FILE = "no file: a device or a channel of the system."


@dataclass(frozen=True)
class Export:
    """The files of an export in the order of their names, and what of it cannot be read, and why.

    Hidden files are in neither: they belong to the system.
    """

    files: tuple[ExportFile, ...]
    refused: tuple[Refused, ...]


@contextmanager
def opened(path: Path, bounds: Bounds = BOUNDS) -> Iterator[Export]:
    """The export at `path`, a file, folder or zip archive; its files exist inside `with` only.

    Raises LoadError if there is none, if it is damaged, or if an archive is not to be trusted.
    """
    with TemporaryDirectory(prefix="export-") as folder:
        yield _export(path, Path(folder), bounds)


def read_file(
    file: ExportFile, sheets: Collection[str] | None = None, bounds: Bounds = BOUNDS
) -> list[RawTable]:
    """The tables of a file, by the reader for what it holds.

    `sheets`: of a workbook these alone, so that a sheet that is no table does not stop the others.
    Raises LoadError if the file has gone, is no kind of file that can be read, goes beyond the
    bounds, or as its reader does.
    """
    try:
        return _tables(file, sheets, bounds)
    except LoadError as error:
        # Some readers name the place on the disk, which of an archive nobody has ever seen.
        raise LoadError(str(error).replace(str(file.path), file.name)) from error


def _tables(file: ExportFile, sheets: Collection[str] | None, bounds: Bounds) -> list[RawTable]:
    path, name = file.path, file.name
    kind = kind_of(_start(path, name), name)
    _refuse_too_large(path, name, bounds)
    if kind == ZIP:
        kind = document_kind(zip_members(path, name, bounds))
    if kind == WORKBOOK:
        check_workbook(path, name, bounds)
    if kind in (WORKBOOK, OLD_OFFICE):
        return read_workbook(path, name, sheets)
    if kind == XML:
        return read_odm(path, name)
    bounded = {TEXT: read_csv_file, JSON: read_dataset_json, TRANSPORT: read_sas_transport}
    if kind not in bounded:
        raise LoadError(f"{name}: looks like {kind} {_NO_TABLE}")
    return bounded[kind](path, name, bounds)


def _start(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(START_BYTES)
    except OSError as error:
        raise LoadError(f"{name}: cannot be read: {error.strerror}.") from error


def _refuse_too_large(path: Path, name: str, bounds: Bounds) -> None:
    if path.stat().st_size > bounds.total_bytes:
        most = bounds.total_bytes / MB
        raise LoadError(f"{name}: larger than {most:,.0f} MB. Split the export.")


def _export(path: Path, folder: Path, bounds: Bounds) -> Export:
    budget = Budget(bounds)
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise LoadError(f"{path}: no such file or folder.") from error
    except OSError as error:
        raise LoadError(f"{path}: cannot be read: {error.strerror}.") from error
    if S_ISDIR(mode):
        files, refused = _in_folder(path, bounds)
    elif S_ISREG(mode):
        files, refused = _in_file(path, folder, budget)
    else:
        raise LoadError(f"{path}: neither a file nor a folder.")
    return _looked_into(files, refused, folder, budget)


def _in_file(path: Path, folder: Path, budget: Budget) -> tuple[list[ExportFile], list[Refused]]:
    """The file itself, or what is in the archive."""
    name = shown(path.name, 200)
    start = _start(path, name)
    if kind_of(start, name) != ZIP:
        return [ExportFile(name, path)], []
    if document_kind(zip_members(path, name, budget.bounds)) != ARCHIVE:
        return [ExportFile(name, path)], []
    unpacked = unpack(path, name, folder, budget)
    return list(unpacked.files), list(unpacked.refused)


def _in_folder(path: Path, bounds: Bounds) -> tuple[list[ExportFile], list[Refused]]:
    """All files in a folder and the folders in it, but for hidden ones."""
    files: list[ExportFile] = []
    refused: list[Refused] = []
    for name, found in _walked(path):
        reason = why_no_data(name) or _why_no_file(found)
        if reason:
            refused.append(Refused(shown(name, 200), reason))
        else:
            files.append(ExportFile(name, found))
        if len(files) + len(refused) > bounds.members:
            raise LoadError(f"{path}: holds more than {bounds.members:,} files. Choose some.")
    return files, refused


def _walked(path: Path) -> Iterator[tuple[str, Path]]:
    """What stands in a folder and its folders, with its name there: files, links, a Mac's own."""

    def cannot(error: OSError) -> None:
        raise LoadError(f"{path}: a folder in it cannot be read: {error.strerror}.") from error

    for at, folders, names in os.walk(path, onerror=cannot):
        here = Path(at)
        links = [f for f in folders if (here / f).is_symlink() or why_no_data(f)]
        folders[:] = [f for f in folders if f not in links and not f.startswith(".")]
        for name in names + links:
            if not name.startswith("."):
                yield (here / name).relative_to(path).as_posix(), here / name


def _why_no_file(path: Path) -> str:
    """Why nothing is read from here. A link could show any file of this machine, or one twice."""
    mode = path.lstat().st_mode
    if S_ISLNK(mode):
        return _LINK
    return "" if S_ISREG(mode) else _NO_FILE


def _looked_into(
    files: list[ExportFile], refused: list[Refused], folder: Path, budget: Budget
) -> Export:
    """The files with gzip-compressed ones unpacked and without archives in archives."""
    kept: list[ExportFile] = []
    refused = list(refused)
    for file in files:
        start = _start(file.path, file.name)
        if is_gzip_name(file.name) and start.startswith(GZIP_START):
            kept.append(unpack_gzip(file, folder, budget))
        elif _is_archive(file, start, budget.bounds):
            refused.append(Refused(file.name, _NESTED))
        else:
            kept.append(file)
    return Export(
        tuple(sorted(kept, key=lambda file: file.name)),
        tuple(sorted(refused, key=lambda one: one.name)),
    )


def _is_archive(file: ExportFile, start: bytes, bounds: Bounds) -> bool:
    if not start.startswith(ZIP_STARTS):
        return False
    return document_kind(zip_members(file.path, file.name, bounds)) == ARCHIVE
