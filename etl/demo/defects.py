"""Plant every defect of the catalog, one a row, and tell what a load must find.

Rows are chosen by the seed among those where a defect gives its own findings alone. A defect that
keeps out a row that others stand on, or that moves a date that others are held against, has its
case for itself. All choices are made on the clean rows and written at the end.
"""

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from etl.demo.catalog import DEFECTS, SEVERITY, Defect
from etl.demo.plan import DemoError
from etl.demo.planted import FIRST_ROW, Planted, both_protocols
from etl.demo.sheets import Row, Sheets, can_go, follows, sheets

MOST_PATIENTS = 5_000
_ENOUGH = 300
_LEAVES = ("adverse_events", "infusions", "assessments")
_MOVING = (
    "overlapping_courses", "out_of_order", "remission_at_death", "conflicting_rows",
)  # fmt: skip


@dataclass(frozen=True)
class DamagedExport:
    """Header and rows of each file, ready to be written, and the findings a load must give."""

    headers: dict[str, tuple[str, ...]]
    rows: dict[str, list[list[str]]]
    planted: list[Planted]
    n_defects: int


@dataclass(frozen=True)
class _Choice:
    """A defect, the row it goes to, and the cells that are written for it."""

    defect: Defect
    row: Row
    cells: list[str]


@dataclass(frozen=True)
class _Planter:
    """What is chosen so far: rows that hold a defect, cases that one defect has for itself."""

    sheets: Sheets
    rng: np.random.Generator
    choices: list[_Choice] = field(default_factory=list)
    rows: set[int] = field(default_factory=set)
    cases: set[str] = field(default_factory=set)

    def choose(self, defect: Defect) -> None:
        """Choose a row for the defect. Raises DemoError if none is fit."""
        rows = self.sheets.rows[defect.file]
        begin = int(self.rng.integers(len(rows))) if rows else 0
        for row in rows[begin:] + rows[:begin]:
            if self._fits(defect, row):
                return
        raise DemoError(
            f"{defect.file}.csv: no row is left for the defect '{defect.rule}' in column "
            f"'{defect.column}'. Ask for {_ENOUGH} patients or more."
        )

    def _fits(self, defect: Defect, row: Row) -> bool:
        case_id = row["case_id"]
        if id(row) in self.rows or case_id in self.cases:
            return False
        case = self.sheets.cases[case_id]
        new = defect.change(row, case)
        if new is None or (_is_kept_out(defect) and not can_go(case, row)):
            return False
        everything = [r for of_file in case.rows.values() for r in of_file]
        if _is_alone(defect):
            if any(id(r) in self.rows for r in everything):
                return False
            self.cases.add(case_id)
        self.rows.add(id(row))
        self.choices.append(_Choice(defect, row, row.changed(new)))
        return True


def _is_kept_out(defect: Defect) -> bool:
    return defect.severity == "error"


def _is_alone(defect: Defect) -> bool:
    """Whether the defect has its case for itself."""
    if defect.file in _LEAVES:
        return False
    return _is_kept_out(defect) or defect.rule in _MOVING


def _choices(sheet: Sheets, rng: np.random.Generator) -> list[_Choice]:
    planter = _Planter(sheet, rng)
    ids = [row["case_id"] for row in sheet.rows["patients"] if row["relapse_number"] != "1"]
    for case_id in ids:
        planter.cases.update((case_id, f"{case_id[:-1]}1"))
    for defect in sorted(DEFECTS, key=_is_alone, reverse=True):
        planter.choose(defect)
    return planter.choices


@dataclass(frozen=True)
class _Place:
    """Where a row ends up: its file, its number there, and the number of the row added to it."""

    file: str
    row: int
    added: int | None


def _write(sheet: Sheets, choices: list[_Choice]) -> tuple[dict[str, list[list[str]]], dict]:
    """The final rows of each file, and the place of each row by its id."""
    by_row = {id(choice.row): choice for choice in choices}
    written: dict[str, list[list[str]]] = {}
    places: dict[int, _Place] = {}
    for name, rows in sheet.rows.items():
        final = written[name] = []
        for row in rows:
            choice = by_row.get(id(row))
            number = FIRST_ROW + len(final)
            is_added = choice is not None and choice.defect.is_new_row
            final.append(row.cells if choice is None or is_added else _as_written(choice))
            if choice is not None and is_added:
                final.append(choice.cells)
            places[id(row)] = _Place(f"{name}.csv", number, number + 1 if is_added else None)
    return written, places


def _as_written(choice: _Choice) -> list[str]:
    if not choice.defect.extra_field:
        return choice.cells
    return [*choice.cells[:-1], " not typed", choice.cells[-1]]


def _found(sheet: Sheets, choice: _Choice, places: dict[int, _Place]) -> list[Planted]:
    """The findings of one defect: its own first, then what follows."""
    defect, row, place = choice.defect, choice.row, places[id(choice.row)]
    text = choice.cells[row.columns.index(defect.column)] if defect.column else ""
    number = place.added or place.row
    own = Planted(place.file, number, defect.column, text, defect.rule, defect.severity)
    because = f"{place.file}:{number}"
    found = [own]
    if defect.rule == "conflicting_rows":
        found.append(Planted(place.file, place.row, "", "", defect.rule, "error", because))
    if not _is_kept_out(defect):
        return found
    for other in follows(sheet.cases[row["case_id"]], row):
        at = places[id(other.row)]
        text = other.row[other.column] if other.column else ""
        severity = SEVERITY[other.rule]
        found.append(Planted(at.file, at.row, other.column, text, other.rule, severity, because))
    return found


def damaged(tables: dict[str, pl.DataFrame], seed: int) -> DamagedExport:
    """These tables with one or more of every defect. Raises DemoError if rows are too few."""
    sheet = sheets(tables)
    choices = _choices(sheet, np.random.default_rng([seed, 77]))
    rows, places = _write(sheet, choices)
    numbers = {name: k for k, name in enumerate(tables)}
    planted = [one for choice in choices for one in _found(sheet, choice, places)]
    for one in both_protocols(tables["patients"], FIRST_ROW):
        at = places[id(sheet.rows["patients"][one.row - FIRST_ROW])]
        planted.append(Planted(one.file, at.row, one.column, one.raw_text, one.rule, one.severity))
    planted.sort(key=lambda p: (numbers[p.file.removesuffix(".csv")], p.row, p.column, p.rule))
    headers = {name: tuple(table.columns) for name, table in tables.items()}
    return DamagedExport(headers, rows, planted, len(choices))
