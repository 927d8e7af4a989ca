"""The shapes of the demo: CSV, and what other programs would export.

All say the same: loaded by its mapping, each shape gives the same results tables.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from etl.demo.shapes.adam import write_adam
from etl.demo.shapes.csv_files import write_csv_files
from etl.demo.shapes.fields import Tables
from etl.demo.shapes.odm import write_odm
from etl.demo.shapes.redcap import write_redcap
from etl.demo.shapes.workbook import write_workbook

__all__ = ["SHAPES", "Shape"]


@dataclass(frozen=True)
class Shape:
    """How a shape is written, and the mapping that loads it.

    `write` takes a folder and the tables of a clean demo, and gives what it wrote: names and rows.
    `in_parts`: it can be called again to go on; the others hold what fits into memory.
    """

    write: Callable[[Path, Tables], tuple[tuple[str, int], ...]]
    mapping: str
    in_parts: bool = False


SHAPES = {
    "csv": Shape(write_csv_files, "allrez", in_parts=True),
    "workbook": Shape(write_workbook, "allrez_workbook"),
    "redcap": Shape(write_redcap, "allrez_redcap"),
    "adam": Shape(write_adam, "allrez_adam"),
    "odm": Shape(write_odm, "allrez_odm"),
}
