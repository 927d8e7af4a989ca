"""The tables of an export as units: rows of one kind, each with what its columns hold.

A table is one unit, but for an export of REDCap, in which one table holds the rows of several
instruments, and of several events. A data dictionary beside it is no table: it names the columns.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import polars as pl

from etl.errors import LoadError
from etl.inspect import words
from etl.inspect.profile import EMPTY, ID, MOSTLY, WITH_LEVELS, Column, Hints, column, private
from etl.sources.export import Export, ExportFile, read_file
from etl.sources.raw import RawTable
from etl.sources.redcap import Dictionary, is_redcap, read_dictionary
from etl.sources.redcap_flat import EVENT, INSTRUMENT

Where = tuple[tuple[str, str], ...]
FEWEST_NAMES = 3
# Fields of REDCap into which anything can be typed.
_TYPED_IN = ("text", "notes")


@dataclass(frozen=True)
class Unit:
    """Rows of one kind. `table` is '' where the file holds one table.

    `where`: column and text that tell its rows from the others of the table. `steady`: columns
    that say the same in all rows of one identifier.
    """

    file: str
    table: str
    form: str
    where: Where
    n_rows: int
    columns: tuple[Column, ...]
    steady: frozenset[str] = frozenset()

    @property
    def title(self) -> str:
        """How a report names it."""
        name = f"{self.file} [{self.table}]" if self.table else self.file
        kinds = ", ".join(text or "no repeat" for _, text in self.where)
        return f"{name}, rows of {kinds}" if kinds else name

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(c.name for c in self.columns)

    @property
    def has_missing_words(self) -> bool:
        """Whether some cells hold a word for 'no value'."""
        return any(c.has_missing_words for c in self.columns)

    def column(self, name: str) -> Column:
        """The column of a name. Raises KeyError."""
        for one in self.columns:
            if one.name == name:
                return one
        raise KeyError(name)


@dataclass(frozen=True)
class Found:
    """What is in an export: units, and files that are no table or cannot be read, with a word."""

    units: tuple[Unit, ...]
    others: tuple[tuple[str, str], ...] = ()
    twins: tuple[tuple[str, str], ...] = ()


@dataclass
class _Reading:
    units: list[Unit] = field(default_factory=list)
    others: list[tuple[str, str]] = field(default_factory=list)


def _folder(name: str) -> str:
    return name.rpartition("/")[0]


def _dictionaries(export: Export) -> dict[str, tuple[str, Dictionary]]:
    """The data dictionary of each folder of the export: its file and what it says."""
    found = {}
    for file in export.files:
        if file.name.casefold().endswith(".csv"):
            dictionary = _dictionary(file)
            if dictionary:
                found[_folder(file.name)] = (file.name, dictionary)
    return found


def _dictionary(file: ExportFile) -> Dictionary | None:
    """A dictionary that is damaged is told as a file that cannot be read, when it is read."""
    try:
        return read_dictionary(file.path)
    except LoadError:
        return None


def _hints(raw: RawTable, dictionary: Dictionary | None) -> Hints:
    """What the export says of the columns; in an ADTTE table PARAM is the label of PARAMCD."""
    labels, codes = dict(raw.labels), dict(raw.codes)
    if {"PARAMCD", "PARAM"} <= set(raw.columns):
        pairs = raw.rows.select(pl.col("PARAMCD", "PARAM").str.strip_chars())
        pairs = pairs.unique("PARAMCD", keep="first", maintain_order=True)
        codes["PARAMCD"] = tuple(pairs.filter(pl.col("PARAMCD") != "").iter_rows())
    if dictionary is None or not is_redcap(raw.columns):
        return Hints(labels, codes)
    labels |= dict(dictionary.labels)
    codes |= dict(dictionary.codes)
    free = [f for f in dictionary.fields if f.kind in _TYPED_IN and not f.validation]
    marked = {*dictionary.identifiers, raw.columns[0]}
    return Hints(labels, codes, frozenset(marked), frozenset(f.name for f in free))


def _kinds(rows: pl.DataFrame, column_name: str) -> list[str]:
    return rows[column_name].str.strip_chars().unique(maintain_order=True).to_list()


def _parts(raw: RawTable) -> Iterator[tuple[Where, pl.DataFrame]]:
    """The rows of each instrument, and those of none by event; of any other table all of them."""
    by = [name for name in (INSTRUMENT, EVENT) if name in raw.columns]
    by = [name for name in by if len(_kinds(raw.rows, name)) > 1 or name == INSTRUMENT]
    if not by:
        yield (), raw.rows
        return
    for kind in _kinds(raw.rows, by[0]):
        rows = raw.rows.filter(pl.col(by[0]).str.strip_chars() == kind)
        events = len(by) > 1 and not kind and len(_kinds(rows, EVENT)) > 1
        for event in _kinds(rows, EVENT) if events else [None]:
            if event is None:
                yield ((by[0], kind),), rows
            else:
                mine = rows.filter(pl.col(EVENT).str.strip_chars() == event)
                yield ((by[0], kind), (EVENT, event)), mine


def _steady(rows: pl.DataFrame, columns: tuple[Column, ...]) -> frozenset[str]:
    """Columns that are the same in all rows of the identifier that repeats least."""
    keys = [c for c in columns if c.kind == ID and c.filled == rows.height]
    if not keys:
        return frozenset()
    key = max(keys, key=lambda c: c.n_levels).name
    others = [c.name for c in columns if c.name != key]
    versions = rows.group_by(key).agg(pl.col(others).n_unique())
    return frozenset(name for name in others if versions[name].max() == 1)


def _is_one_each(column: Column, columns: tuple[Column, ...], steady: frozenset[str]) -> bool:
    """Whether nearly every patient has a text of their own, the same in all their rows: a name."""
    patients = max((c.n_levels for c in columns if c.kind == ID), default=0)
    many = column.n_levels >= max(FEWEST_NAMES, MOSTLY * patients)
    return column.kind in WITH_LEVELS and column.name in steady and many


def _as_identifier(found: tuple[Column, ...], name: str) -> tuple[Column, ...]:
    return tuple(replace(c, kind=ID, is_private=True) if c.name == name else c for c in found)


def _units(raw: RawTable, several: bool, dictionary: Dictionary | None) -> Iterator[Unit]:
    hints = _hints(raw, dictionary)
    for where, rows in _parts(raw):
        found = tuple(column(rows[name], hints) for name in raw.columns)
        if is_redcap(raw.columns):
            found = _as_identifier(found, raw.columns[0])
        if where:
            found = tuple(c for c in found if c.kind != EMPTY)
        steady = _steady(rows, found)
        found = tuple(private(c) if _is_one_each(c, found, steady) else c for c in found)
        # A row that fits no header is counted where all rows are one unit.
        n_rows = rows.height if where else raw.n_rows
        table = raw.name if several else ""
        yield Unit(raw.file, table, raw.form, where, n_rows, found, steady)


def _format(unit: Unit) -> str:
    return unit.form.split(",")[0].split(" ")[0]


def _stem(file: str) -> str:
    return file.rsplit("/", 1)[-1].partition(".")[0].casefold()


def _is_twin(one: Unit, other: Unit) -> bool:
    """Whether a unit is another one in another format: same columns, as many rows."""
    same = (set(one.names), one.n_rows, one.where) == (set(other.names), other.n_rows, other.where)
    called = _stem(one.file) == _stem(other.file) or _format(one) != _format(other)
    return same and called and one.file != other.file


def _without_twins(units: list[Unit]) -> tuple[list[Unit], list[tuple[str, str]]]:
    """Units but those that are another one again; and of these which is which."""
    kept: list[Unit] = []
    twins = []
    for unit in units:
        same = [other for other in kept if _is_twin(unit, other)]
        if same:
            twins.append((unit.title, same[0].title))
        else:
            kept.append(unit)
    return kept, twins


def look_into(export: Export) -> Found:
    """The units of an export, in the order of its files.

    A file that cannot be read is told with the reason, and the rest goes on.
    """
    dictionaries = _dictionaries(export)
    reading = _Reading(others=[(refused.name, refused.reason) for refused in export.refused])
    for file in export.files:
        name, dictionary = dictionaries.get(_folder(file.name), ("", None))
        if file.name == name and dictionary:
            told = f"data dictionary of REDCap, {len(dictionary.fields)} fields; used for labels"
            reading.others.append((name, told))
            continue
        try:
            tables = read_file(file)
        except LoadError as error:
            reading.others.append((file.name, f"cannot be read: {error}"))
            continue
        for raw in tables:
            reading.units += _units(raw, len(tables) > 1, dictionary)
    units, twins = _without_twins(reading.units)
    return Found(tuple(units), tuple(reading.others), tuple(twins))


def is_supplement(unit: Unit) -> bool:
    """Whether it is a table of SDTM supplemental qualifiers."""
    return {"RDOMAIN", "IDVAR", "QNAM", "QVAL"} <= set(unit.names)


def is_no_fact(name: str) -> bool:
    """Whether a column tells nothing of a patient: study, site, kind of a row, state of a form."""
    said = words.phrases(name)
    return any(p in words.NO_FACT or p.endswith(" complete") for p in said)
