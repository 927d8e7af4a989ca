"""The demo: a made-up export of ALL-REZ 2014 and 2016, with the truth behind it.

No child in it exists. It shows what the program does with a real export, and proves its numbers:
the truth of every estimate is known, every defect in the rows is listed, and every flaw that a
registry can have is switched on by name.
"""

import csv
import json
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from etl.demo.about import readme
from etl.demo.defects import MOST_PATIENTS, damaged
from etl.demo.flaws import FLAWS, plan
from etl.demo.plan import DemoError, Plan
from etl.demo.planted import FIRST_ROW, both_protocols, write_header, write_planted
from etl.demo.tables import FILES, drawn_group, tables
from etl.demo.truth import truth

__all__ = ["FLAWS", "MAPPING", "DemoError", "DemoReport", "write_demo"]

# The mapping that loads it.
MAPPING = "allrez"

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


@dataclass(frozen=True)
class _Written:
    rows: dict[str, int]
    n_defects: int
    n_findings: int


def _write_clean(out: Path, patients: int, seed: int, how: Plan) -> _Written:
    """Write the tables in parts, so that memory does not grow with the number of patients."""
    rows: dict[str, int] = dict.fromkeys(FILES, 0)
    n_findings = 0
    (out / "about").mkdir(parents=True)
    with ExitStack() as stack:
        files = {name: stack.enter_context((out / f"{name}.csv").open("wb")) for name in FILES}
        listed = stack.enter_context(_planted_file(out))
        for part, first in enumerate(range(0, patients, _PART)):
            index = np.arange(first, min(first + _PART, patients))
            made = tables(drawn_group(index, patients, seed, how), seed, part)
            found = both_protocols(made["patients"], FIRST_ROW + rows["patients"])
            write_planted(listed, found)
            n_findings += len(found)
            for name, table in made.items():
                table.write_csv(files[name], include_header=part == 0)
                rows[name] += table.height
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
    rows = {name: len(rows) for name, rows in export.rows.items()}
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
) -> DemoReport:
    """Write a demo of `patients` children to the folder `out`: eight CSV files and about/.

    Three of five children are first enrolled on ALL-REZ 2014. Same arguments, same bytes. `flaw` is
    one of FLAWS; `defects` plants one or more of every kind of finding. Raises DemoError if `out`
    holds something, or for a flaw that is not known, or too few or too many patients.
    """
    how = plan(flaw)
    _checked(out, patients, defects)
    write = _write_damaged if defects else _write_clean
    written = write(out, patients, seed, how)
    about = out / "about"
    (about / "README.txt").write_text(readme(patients, seed, flaw, defects), encoding="utf-8")
    known = {**truth(how.nature), "flaw": flaw}
    (about / "truth.json").write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
    files = tuple((f"{name}.csv", written.rows[name]) for name in FILES)
    return DemoReport(out, files, written.n_defects, written.n_findings, about / "truth.json")
