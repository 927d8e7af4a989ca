"""What a load of a demo must find: the expected findings, one row each, in about/planted.csv."""

import csv
from dataclasses import astuple, dataclass
from typing import TextIO

import numpy as np
import polars as pl

COLUMNS = ("file", "row", "column", "raw_text", "rule", "severity", "because")
FIRST_ROW = 2  # the header is row 1


@dataclass(frozen=True)
class Planted:
    """One expected finding. `because`: file:row of the planted row it follows from, or empty."""

    file: str
    row: int
    column: str
    raw_text: str
    rule: str
    severity: str
    because: str = ""


def both_protocols(patients: pl.DataFrame, first_row: int) -> list[Planted]:
    """An info for each row of a child enrolled on both protocols: true, and no defect.

    `first_row` is the row of the file at which `patients` begins.
    """
    twice = patients["patient_id"].is_duplicated().to_numpy()
    protocols = patients["protocol"].to_list()
    return [
        Planted("patients.csv", first_row + k, "protocol", protocols[k], "both_protocols", "info")
        for k in np.flatnonzero(twice).tolist()
    ]


def write_header(file: TextIO) -> None:
    """The header of planted.csv."""
    csv.writer(file, lineterminator="\n").writerow(COLUMNS)


def write_planted(file: TextIO, planted: list[Planted]) -> None:
    """Append rows to planted.csv."""
    csv.writer(file, lineterminator="\n").writerows(astuple(one) for one in planted)
