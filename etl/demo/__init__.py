"""The demo: a made-up export of ALL-REZ 2014 and 2016, with the truth behind it.

No child in it exists. It shows what the program does with a real export, and proves its numbers:
the truth of every estimate is known, every defect in the rows is listed, and every flaw that a
registry can have is switched on by name.
"""

import csv
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from etl.demo.about import readme
from etl.demo.defects import MOST_PATIENTS, damaged
from etl.demo.flaws import FLAWS, plan
from etl.demo.plan import DemoError, Plan
from etl.demo.planted import FIRST_ROW, both_protocols, write_header, write_planted
from etl.demo.shapes import SHAPES
from etl.demo.tables import drawn_group, tables
from etl.demo.truth import truth

__all__ = ["FLAWS", "MAPPING", "SHAPES", "DemoError", "DemoReport", "write_demo"]

CSV = "csv"
# The mapping that loads it.
MAPPING = SHAPES[CSV].mapping

FEWEST_PATIENTS = 20
_PART = 5_000


@dataclass(frozen=True)
class DemoReport:
    """What was written: data rows of each file, planted defects, and where the truth is.

    `n_findings` counts the rows of about/planted.csv: defects, what follows from them, and children
    on both protocols.
    """

    folder: Path
    files: tuple[tuple[str, int], ...]
    n_defects: int
    n_findings: int
    truth: Path


def _checked(out: Path, patients: int, defects: bool) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DemoError(f"{out}: exists and is not an empty folder. Name a folder to be made.")
    if patients < FEWEST_PATIENTS:
        raise DemoError(
            f"{patients} patients are too few for a demo. Ask for {FEWEST_PATIENTS} or more."
        )
    if defects and patients > MOST_PATIENTS:
        raise DemoError(
            f"defects are planted among at most {MOST_PATIENTS} patients, not {patients}. Ask for "
            "fewer, or leave the defects out."
        )


def _check_shape(shape: str, patients: int, defects: bool) -> None:
    if shape not in SHAPES:
        raise DemoError(f"no shape '{shape}'. Known: {', '.join(SHAPES)}.")
    if defects and shape != CSV:
        raise DemoError(
            f"defects are planted in the CSV shape only, not in '{shape}': about/planted.csv names "
            "rows of the CSV files. Leave the defects out, or the shape."
        )
    if patients > _PART and not SHAPES[shape].in_parts:
        raise DemoError(
            f"the shape '{shape}' holds at most {_PART} patients, not {patients}. Ask for fewer, "
            "or for the CSV shape."
        )


@dataclass(frozen=True)
class _Written:
    """Rows of each file; how many defects and findings about/planted.csv lists."""

    rows: dict[str, int]
    n_defects: int
    n_findings: int


def _write_clean(out: Path, patients: int, seed: int, how: Plan, shape: str) -> _Written:
    """Write the tables in parts, so that memory does not grow with the number of patients.

    What is planted names the rows of the CSV files, in whatever shape.
    """
    rows: Counter[str] = Counter()
    n_patients = n_findings = 0
    (out / "about").mkdir(parents=True)
    with _planted_file(out) as listed:
        for part, first in enumerate(range(0, patients, _PART)):
            index = np.arange(first, min(first + _PART, patients))
            made = tables(drawn_group(index, patients, seed, how), seed, part)
            found = both_protocols(made["patients"], FIRST_ROW + n_patients)
            write_planted(listed, found)
            n_findings += len(found)
            n_patients += made["patients"].height
            rows.update(dict(SHAPES[shape].write(out, made)))
    return _Written(rows, 0, n_findings)


def _write_damaged(out: Path, patients: int, seed: int, how: Plan) -> _Written:
    made = tables(drawn_group(np.arange(patients), patients, seed, how), seed, 0)
    export = damaged(made, seed)
    (out / "about").mkdir(parents=True)
    for name, rows in export.rows.items():
        with (out / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([export.headers[name], *rows])
    with _planted_file(out) as file:
        write_planted(file, export.planted)
    rows = {f"{name}.csv": len(rows) for name, rows in export.rows.items()}
    return _Written(rows, export.n_defects, len(export.planted))


def _planted_file(out: Path) -> TextIO:
    file = (out / "about" / "planted.csv").open("w", encoding="utf-8", newline="")
    write_header(file)
    return file


def write_demo(
    out: Path,
    patients: int = 300,
    seed: int = 20140,
    flaw: str | None = None,
    defects: bool = False,
    shape: str = CSV,
) -> DemoReport:
    """Write a demo of `patients` children to the folder `out`, and about/ beside it.

    Three of five children are first enrolled on ALL-REZ 2014. Same arguments, same bytes. `flaw` is
    one of FLAWS; `defects` plants one or more of every kind of finding. `shape`: one of SHAPES,
    eight CSV files (csv) or the same rows as another program would export them. Raises DemoError if
    `out` holds something, for a flaw or shape that is not known, for too few or too many patients,
    and for defects in another shape than csv.
    """
    how = plan(flaw)
    _checked(out, patients, defects)
    _check_shape(shape, patients, defects)
    if defects:
        written = _write_damaged(out, patients, seed, how)
    else:
        written = _write_clean(out, patients, seed, how, shape)
    about = out / "about"
    (about / "README.txt").write_text(readme(patients, seed, flaw, defects), encoding="utf-8")
    known = {**truth(how.nature), "flaw": flaw}
    (about / "truth.json").write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
    files = tuple(written.rows.items())
    return DemoReport(out, files, written.n_defects, written.n_findings, about / "truth.json")
