"""Small exports of every kind that a reader is for: what the long counts mutate.

Ten are the synthetic demo of 20 children in one of its shapes, four the published examples.
"""

import gzip
import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from etl.demo import SHAPES
from etl.demo.plan import Plan
from etl.demo.tables import drawn_group, tables
from etl.mapping import Mapping
from etl.mapping_file import read_mapping
from tests.conftest import ROOT
from tests.spec.made import STUDY

Files = dict[str, bytes]
FIXTURES = ROOT / "tests" / "fixtures"
CHILDREN, SEED = 20, 20140

PEOPLE = """
study = "made"

[[source]]
code = "people"
file = "{file}"
patient_id = "{id}"

[source.enrollment]
cohort = {{ column = "{cohort}", codes = {codes} }}
{origin}

[source.enrollment.characteristics]
sex = {{ column = "{sex}", codes = {sexes} }}
age = {{ column = "{age}" }}

[[source.milestone]]
code = "last_contact"
day = {{ column = "{seen}" }}
required = true
"""
DEMOGRAPHY = {
    "id": "USUBJID",
    "cohort": "ARMCD",
    "codes": '{ "ZAN_LOW" = "old", "PLACEBO" = "old", "ZAN_HIGH" = "new" }',
    "origin": 'origin = { column = "RFSTDTC", date_format = "%Y-%m-%d" }',
    "sex": "SEX",
    "sexes": '{ "F" = "girl", "M" = "boy" }',
    "age": "AGE",
    "seen": 'RFENDTC", date_format = "%Y-%m-%d',
}
PROJECT = {
    "file": "project.xml",
    "id": "record_id",
    "cohort": "sex",
    "codes": '{ "0" = "old", "1" = "new" }',
    "origin": "",
    "sex": "sex",
    "sexes": '{ "0" = "girl", "1" = "boy" }',
    "age": "age",
    "seen": "age",
}


@dataclass(frozen=True)
class Export:
    """An export to be mutated.

    `inner`: its files, text still in UTF-8 and nothing packed yet; `pack` makes of them what is
    handed in. `grain`: what its texts are made of: 'cells' (CSV), 'markup' (XML), 'json' or
    'records' (SAS). `mapping` loads it.
    """

    inner: Files
    grain: str
    mapping: Mapping
    pack: Callable[[Files], Files]


def _as_it_is(files: Files) -> Files:
    return files


def _in_encoding(encoding: str) -> Callable[[Files], Files]:
    def pack(files: Files) -> Files:
        texts = {name: data.decode(errors="replace") for name, data in files.items()}
        return {name: text.encode(encoding, errors="replace") for name, text in texts.items()}

    return pack


def _zipped(name: str) -> Callable[[Files], Files]:
    def pack(files: Files) -> Files:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, data in files.items():
                archive.writestr(member, data)
        return {name: packed.getvalue()}

    return pack


def _gzipped(files: Files) -> Files:
    return {f"{name}.gz": gzip.compress(data, mtime=0) for name, data in files.items()}


def _of_gz(mapping: Mapping) -> Mapping:
    """The mapping that reads the same files from their gzip-compressed ones."""
    sources = tuple(replace(source, file=f"{source.file}.gz") for source in mapping.sources)
    return replace(mapping, sources=sources)


def _compressed(files: Files) -> Files:
    return {name: gzip.compress(data, mtime=0) for name, data in files.items()}


def _read(folder: Path) -> Files:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def _shapes() -> dict[str, Files]:
    made = tables(drawn_group(np.arange(CHILDREN), CHILDREN, SEED, Plan()), SEED, 0)
    shapes = {}
    for name, shape in SHAPES.items():
        with TemporaryDirectory() as folder:
            shape.write(Path(folder), made)
            shapes[name] = _read(Path(folder))
    return shapes


def _people(**words: str) -> Mapping:
    """The mapping of a file with one row a person to the small study of the tests."""
    with TemporaryDirectory() as folder:
        study = STUDY.partition('[[characteristic]]\ncode = "responder"')[0]
        study = study.replace("below = 19", "below = 119")
        (Path(folder) / "made.toml").write_text(study, encoding="utf-8")
        path = Path(folder) / "people.toml"
        path.write_text(PEOPLE.format(**words), encoding="utf-8")
        return read_mapping(str(path), studies=Path(folder))


def _in_russian(files: Files) -> Files:
    """CSV files with Cyrillic letters in every row, so that their encoding matters."""
    return {name: data.replace(b"RB-", "РБ-".encode()) for name, data in files.items()}


def _members(workbook: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def _transactional(files: Files) -> Files:
    """The snapshot as inserted subject by subject; the last subjects are sent again as upserts."""
    text = files["export.xml"].decode().replace('FileType="Snapshot"', 'FileType="Transactional"')
    inserted = text.replace("<SubjectData ", '<SubjectData TransactionType="Insert" ')
    again = "".join(re.findall(r"<SubjectData .*?</SubjectData>\s*", text, re.DOTALL)[-5:])
    again = again.replace("<SubjectData ", '<SubjectData TransactionType="Upsert" ')
    return {"export.xml": inserted.replace("</ClinicalData>", f"{again}</ClinicalData>").encode()}


def _example(name: str, mapped: Mapping, pack: Callable[[Files], Files] = _as_it_is) -> Export:
    data = (FIXTURES / "dataset_json" / name).read_bytes()
    if name.endswith(".dsjc"):
        data = gzip.decompress(data)
    return Export({name: data}, "json", mapped, pack)


@cache
def exports() -> dict[str, Export]:
    """Every export by the name of its kind."""
    shapes = _shapes()
    maps = {name: read_mapping(shape.mapping) for name, shape in SHAPES.items()}
    tables, book, odm = shapes["csv"], shapes["workbook"], shapes["odm"]
    [(book_name, workbook)] = book.items()
    project = _members((FIXTURES / "redcap.zip").read_bytes())["simple/project.xml"]
    return {
        "csv": Export(tables, "cells", maps["csv"], _as_it_is),
        "csv in cp1251": Export(_in_russian(tables), "cells", maps["csv"], _in_encoding("cp1251")),
        "csv in utf-16": Export(tables, "cells", maps["csv"], _in_encoding("utf-16")),
        "csv in a zip": Export(tables, "cells", maps["csv"], _zipped("export.zip")),
        "csv in gz": Export(tables, "cells", _of_gz(maps["csv"]), _gzipped),
        "workbook": Export(_members(workbook), "markup", maps["workbook"], _zipped(book_name)),
        "redcap csv": Export(shapes["redcap"], "cells", maps["redcap"], _as_it_is),
        "redcap xml": Export({"project.xml": project}, "markup", _people(**PROJECT), _as_it_is),
        "odm snapshot": Export(odm, "markup", maps["odm"], _as_it_is),
        "odm transactions": Export(_transactional(odm), "markup", maps["odm"], _as_it_is),
        "sas transport": Export(shapes["adam"], "records", maps["adam"], _as_it_is),
        "dataset-json": _example("dm.json", _people(file="dm.json", **DEMOGRAPHY)),
        "dataset-ndjson": _example("dm.ndjson", _people(file="dm.ndjson", **DEMOGRAPHY)),
        "dataset-json packed": _example(
            "dm.dsjc", _people(file="dm.dsjc", **DEMOGRAPHY), _compressed
        ),
    }
