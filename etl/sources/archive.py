"""Zip archives and gzip files -> plain files in a folder of ours, within bounds.

Nothing an archive says about itself is trusted. Sizes are counted while unpacking; the files get
names of ours, so no member can be written elsewhere; an archive with a member that tries to, or
with anything else that only an attack or damage explains, is refused as a whole.
"""

import gzip
import os
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_IFMT, S_ISDIR, S_ISLNK, S_ISREG
from tempfile import mkstemp
from typing import Protocol
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from etl.errors import LoadError, shown
from etl.sources.bounds import MB, Bounds
from etl.sources.encoding import is_western

ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
GZIP_START = b"\x1f\x8b"
_CHUNK = MB
_ENCRYPTED, _UTF8_NAME = 0x1, 0x800
# What Python's unpackers raise on damaged or unknown input.
_DAMAGE = (
    BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OSError,
    struct.error,
)
# End of the list of contents, with the list's size at this place; the same in the 64-bit format.
_END, _END_64 = (b"PK\x05\x06", "<I", 12), (b"PK\x06\x06", "<Q", 40)
_LONGEST_END = 22 + 65_535 + 76
_RUSSIAN_NAME = re.compile(r"[ -~А-Яа-яЁё№]*")
_NO_DATA = {"thumbs.db", "desktop.ini"}
_MAC_FOLDER = "__MACOSX"


class _Packed(Protocol):
    """What unpacks while it is read."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class ExportFile:
    """A file of an export: its name there (with folders, /) and where it is on disk."""

    name: str
    path: Path


@dataclass(frozen=True)
class Refused:
    """What is in an export but cannot be read, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Unpacked:
    """What came out of an archive."""

    files: tuple[ExportFile, ...]
    refused: tuple[Refused, ...]


class Budget:
    """Counts what is unpacked against the bounds; one for a whole export."""

    def __init__(self, bounds: Bounds, total_bytes: int | None = None) -> None:
        """Start at nothing. `total_bytes`: another bound than that of a whole export."""
        self.bounds = bounds
        self._total = bounds.total_bytes if total_bytes is None else total_bytes
        self._packed = self._unpacked = 0

    def add_packed(self, n_bytes: int) -> None:
        """So much is about to be unpacked."""
        self._packed += n_bytes

    def take(self, name: str, n_bytes: int) -> None:
        """So much came out. Raises LoadError if that is more than the bounds allow."""
        self._unpacked += n_bytes
        if self._unpacked > self._total:
            raise LoadError(
                f"{name}: unpacks to more than {self._total / MB:,.0f} MB. Split the export."
            )
        most = max(self.bounds.free_of_ratio_bytes, self.bounds.ratio * self._packed)
        if self._unpacked > most:
            raise LoadError(
                f"{name}: unpacks to more than {self.bounds.ratio} times its size, as no real "
                "table does. If it is one, unpack it and give the folder."
            )


def why_no_data(name: str) -> str:
    """Why a file of this name is not looked at, '' if it is."""
    parts = name.split("/")
    last = parts[-1].casefold()
    is_beside = last in _NO_DATA or last.startswith("~$") or _MAC_FOLDER in parts
    if is_beside:
        return "no data: a file that the system or the office program keeps for itself."
    if not name.isprintable():
        return "its name holds characters that cannot be shown. Rename it."
    return ""


def is_hidden(name: str) -> bool:
    """Whether a file or a folder above it is hidden by a dot."""
    return any(part.startswith(".") for part in name.split("/"))


def zip_members(path: Path, name: str, bounds: Bounds) -> list[str]:
    """The names in a zip file. Raises LoadError if it is damaged or lists too much."""
    try:
        with _opened_zip(path, name, bounds) as zip_file:
            return zip_file.namelist()
    except _DAMAGE as error:
        raise _damaged(name, error) from error


def unpack(path: Path, name: str, folder: Path, budget: Budget) -> Unpacked:
    """Unpack a zip archive into `folder`; hidden members are left out.

    Raises LoadError, naming archive and member, if it is damaged, encrypted, goes beyond the
    bounds, or has a member that is a link, has a path leading out, or has a name that another has.
    """
    budget.add_packed(path.stat().st_size)
    files: list[ExportFile] = []
    refused: dict[str, str] = {}
    try:
        with _opened_zip(path, name, budget.bounds) as zip_file:
            for info, member in _checked_members(zip_file, name, budget.bounds):
                if reason := why_no_data(member):
                    refused[_without_mac_members(member)] = reason
                elif not is_hidden(member):
                    with zip_file.open(info) as packed:
                        where = f"{name}: {shown(member)}"
                        files.append(_write(packed, folder, member, where, budget))
    except _DAMAGE as error:
        raise _damaged(name, error) from error
    return Unpacked(tuple(files), tuple(Refused(shown(n, 200), r) for n, r in refused.items()))


def unpack_gzip(file: ExportFile, folder: Path, budget: Budget) -> ExportFile:
    """Unpack a gzip file into `folder`; the name stays. Raises LoadError like `unpack`."""
    try:
        budget.add_packed(file.path.stat().st_size)
        with gzip.open(file.path) as packed:
            return _write(packed, folder, file.name, file.name, budget)
    except _DAMAGE as error:
        raise _damaged(file.name, error) from error


def check_workbook(path: Path, name: str, bounds: Bounds) -> None:
    """Raise LoadError if a zip file that a reader will unpack is damaged or beyond the bounds."""
    budget = Budget(bounds, bounds.workbook_bytes)
    budget.add_packed(path.stat().st_size)
    try:
        with _opened_zip(path, name, bounds) as zip_file:
            for info in zip_file.infolist():
                _refuse_packing(info, name)
                with zip_file.open(info) as member:
                    for chunk in _chunks(member):
                        budget.take(name, len(chunk))
    except _DAMAGE as error:
        raise _damaged(name, error) from error


def _damaged(name: str, error: Exception) -> LoadError:
    system = error.strerror if isinstance(error, OSError) else None
    reason = shown(system or str(error), 200)
    return LoadError(f"{name}: cannot be unpacked ({reason}). Export it again.")


def _opened_zip(path: Path, name: str, bounds: Bounds) -> ZipFile:
    """The archive; its list of contents is read whole, so the size of that comes first."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _LONGEST_END))
        end = file.read()
    for start, form, offset in (_END, _END_64):
        place = end.rfind(start)
        listed = end[place + offset : place + offset + struct.calcsize(form)] if place >= 0 else b""
        n_bytes = struct.unpack(form, listed)[0] if len(listed) == struct.calcsize(form) else 0
        if bounds.listing_bytes < n_bytes <= size:
            raise LoadError(f"{name}: lists more than {bounds.members:,} files. Unpack and choose.")
    return ZipFile(path)


def _checked_members(zip_file: ZipFile, name: str, bounds: Bounds) -> list[tuple[ZipInfo, str]]:
    """The files in the archive with their decoded names; all are checked before the first."""
    infos = zip_file.infolist()
    if len(infos) > bounds.members:
        raise LoadError(f"{name}: holds more than {bounds.members:,} files. Unpack and choose.")
    members: dict[str, ZipInfo] = {}
    for info in infos:
        member = _safe_name(member_name(info), name)
        _refuse_packing(info, name)
        _refuse_special(info, member, name)
        if info.is_dir() or info.orig_filename.endswith("\\"):
            continue
        if member in members:
            raise LoadError(f"{name}: holds '{shown(member)}' twice. Pack it again.")
        members[member] = info
    return [(info, member) for member, info in members.items()]


def member_name(info: ZipInfo) -> str:
    """The name of a member as it was typed.

    Archives not marked as UTF-8 use the code page of the system that packed them: of a Russian
    Windows cp866, by some programs cp1251. Python took them for cp437, the Western one.
    """
    if info.flag_bits & _UTF8_NAME or info.orig_filename.isascii():
        return info.orig_filename
    raw = info.orig_filename.encode("cp437")
    for encoding in ("utf-8", "cp866", "cp1251") if not is_western(raw) else ("utf-8",):
        name = raw.decode(encoding, errors="replace")
        if "\N{REPLACEMENT CHARACTER}" not in name and (
            encoding == "utf-8" or _RUSSIAN_NAME.fullmatch(name)
        ):
            return name
    return info.orig_filename


def _safe_name(member: str, name: str) -> str:
    parts = member.replace("\\", "/").split("/")
    if member[:1] in ("/", "\\") or re.match("[A-Za-z]:", member) or ".." in parts:
        raise LoadError(
            f"{name}: '{shown(member)}' in it would be written outside of its folder. An archive "
            "made by a usual program has no such file: do not open it, ask who sent it."
        )
    return "/".join(part for part in parts if part not in ("", "."))


def _refuse_packing(info: ZipInfo, name: str) -> None:
    """Encryption; and methods that ask for as much memory as their header says."""
    if info.flag_bits & _ENCRYPTED:
        raise LoadError(f"{name}: locked with a password. Unpack it and give the folder.")
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise LoadError(f"{name}: packed by an unusual method. Pack it again as a plain zip file.")


def _refuse_special(info: ZipInfo, member: str, name: str) -> None:
    mode = info.external_attr >> 16
    if S_IFMT(mode) and not (S_ISREG(mode) or S_ISDIR(mode)):
        what = "a link" if S_ISLNK(mode) else "no plain file"
        raise LoadError(f"{name}: '{shown(member)}' in it is {what}. Pack the file itself.")


def _without_mac_members(member: str) -> str:
    """One line for all that a Mac adds."""
    before, mac, _ = member.partition(_MAC_FOLDER)
    return before + mac


def _write(packed: _Packed, folder: Path, name: str, where: str, budget: Budget) -> ExportFile:
    """Unpack into a new file with a name of ours and only letters of the file's own ending.

    `where`: the file as messages call it.
    """
    ending = re.search(r"\.[a-z0-9]{1,8}$", name.casefold().removesuffix(".gz"))
    handle, path = mkstemp(suffix=ending[0] if ending else "", dir=folder)
    with os.fdopen(handle, "wb") as file:
        for chunk in _chunks(packed):
            budget.take(where, len(chunk))
            file.write(chunk)
    return ExportFile(name, Path(path))


def _chunks(packed: _Packed) -> Iterator[bytes]:
    while chunk := packed.read(_CHUNK):
        yield chunk
