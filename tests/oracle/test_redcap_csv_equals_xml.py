"""REDCap exports a project as flat CSV and as XML: two ways to the same table, neither ours.

20 projects. Where the two files differ, it stands here why, and how often; nothing else may.
"""

import zipfile
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from etl.errors import LoadError
from etl.sources.csv_file import read_csv_file
from etl.sources.odm import read_identifiers, read_odm
from etl.sources.raw import ROW
from etl.sources.redcap import is_redcap, read_dictionary
from etl.sources.redcap_flat import EVENT, INSTANCE, INSTRUMENT

ARCHIVE = Path(__file__).parents[1] / "fixtures" / "redcap.zip"
PROJECTS = sorted({n.split("/")[0] for n in zipfile.ZipFile(ARCHIVE).namelist() if "/" in n})
EMPTY = ("empty-rows", "potentially-problematic-dictionary")
FILLED = [project for project in PROJECTS if project not in EMPTY]

# Cells that differ in white space only. XML reads a line break in an attribute as one space, while
# these CSV files have two spaces, or the line break; one has a space before a minus sign.
SPACES = {
    ("blank-for-gray-status", "address"): 5,
    ("blank-for-gray-status", "comments"): 2,
    ("checkboxes-1", "desired_result"): 3,
    ("longitudinal", "comments"): 2,
    ("longitudinal", "study_comments"): 2,
    ("longitudinal", "vob14"): 3,
    ("longitudinal", "vob7"): 4,
    ("multilevel-model-1", "slope_factor_1"): 140,
    ("simple", "address"): 5,
    ("simple", "comments"): 2,
}
# Cells that truly differ: the CSV is older than the XML or went through a spreadsheet.
VALUES = {
    # The CSV says TRUE and FALSE where the project stores 1 and 0.
    ("simple", "sex"): 5,
    # The CSV of an older REDCap says [document], the XML tells the name of the file.
    ("simple", "mugshot"): 5,
    # The project was made anew from its CSV: its surveys were answered on another day.
    ("survey", "prescreening_survey_timestamp"): 2,
    # Calculated when the record was next opened, after the CSV had been exported.
    ("validation-types-1", "f_calculated"): 1,
}
# The CSV was exported before data access groups and a field were added to the project.
ONLY_IN_XML = {"simple": ("redcap_data_access_group", "interpreter_needed")}
# Rows that were deleted in the project before the XML was exported.
ONLY_IN_CSV = {
    "arm-multiple-delete": [
        (record, "event_1_arm_2", "", "") for record in ("102", "103", "105", "120")
    ]
}

Cells = dict[str, str]


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("redcap")
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(folder)
    return folder


@cache
def from_csv(folder: Path) -> tuple[tuple[str, ...], list[Cells]]:
    [table] = read_csv_file(folder / "data.csv", "data.csv")
    assert not table.misfits
    assert not table.aside
    return table.columns, table.rows.drop(ROW).to_dicts()


@cache
def from_xml(folder: Path) -> tuple[tuple[str, ...], list[Cells]]:
    [table] = read_odm(folder / "project.xml", "project.xml")
    return table.columns, table.rows.drop(ROW).to_dicts()


def key(row: Cells) -> tuple[str, ...]:
    record = next(iter(row.values()))
    return (record, *(row.get(name, "") for name in (EVENT, INSTRUMENT, INSTANCE)))


def one_space(text: str) -> str:
    return " ".join(text.split())


def expected(pins: dict[tuple[str, str], int], project: str) -> Counter[str]:
    return Counter({column: n for (where, column), n in pins.items() if where == project})


@pytest.mark.parametrize("project", FILLED)
def test_both_exports_have_the_same_columns_in_the_same_order(projects: Path, project: str):
    columns, _ = from_xml(projects / project)
    shared = tuple(c for c in columns if c not in ONLY_IN_XML.get(project, ()))
    assert shared == from_csv(projects / project)[0]
    assert set(ONLY_IN_XML.get(project, ())) <= set(columns)


@pytest.mark.parametrize("project", FILLED)
def test_both_exports_have_the_same_rows_in_the_same_order(projects: Path, project: str):
    gone = ONLY_IN_CSV.get(project, [])
    in_csv = [key(row) for row in from_csv(projects / project)[1]]
    assert [k for k in in_csv if k in gone] == gone
    assert [key(row) for row in from_xml(projects / project)[1]] == [
        k for k in in_csv if k not in gone
    ]


@pytest.mark.parametrize("project", FILLED)
def test_both_exports_have_the_same_text_in_every_cell_but_those_listed(
    projects: Path, project: str
):
    in_csv = {key(row): row for row in from_csv(projects / project)[1]}
    spaces, values = Counter[str](), Counter[str]()
    for row in from_xml(projects / project)[1]:
        for column, text in in_csv[key(row)].items():
            spaces[column] += row[column] != text and one_space(row[column]) == one_space(text)
            values[column] += one_space(row[column]) != one_space(text)
    assert +spaces == expected(SPACES, project)
    assert +values == expected(VALUES, project)


@pytest.mark.parametrize("project", EMPTY)
def test_a_project_without_records_is_refused_either_way(projects: Path, project: str):
    with pytest.raises(LoadError):
        read_csv_file(projects / project / "data.csv", "data.csv")
    with pytest.raises(LoadError, match="holds no record of anybody"):
        read_odm(projects / project / "project.xml", "project.xml")


def dictionary_file(folder: Path) -> Path:
    [path] = folder.glob("diction*.csv")
    return path


@pytest.mark.parametrize("project", FILLED)
def test_every_column_of_an_export_is_known_to_the_dictionary(projects: Path, project: str):
    dictionary = read_dictionary(dictionary_file(projects / project))
    assert dictionary is not None
    columns, _ = from_csv(projects / project)
    known = {column for column, _, _ in dictionary.columns()}
    unknown = [c for c in columns if c not in known and not c.startswith("redcap_")]
    assert unknown == [c for c in columns if c.endswith("_timestamp")]
    assert is_redcap(columns)


@pytest.mark.parametrize("project", FILLED)
def test_dictionary_and_xml_tell_the_same_codes_and_identifiers(projects: Path, project: str):
    dictionary = read_dictionary(dictionary_file(projects / project))
    assert dictionary is not None
    [table] = read_odm(projects / project / "project.xml", "project.xml")
    in_xml = {column: set(codes) for column, codes in table.codes}
    told = {column: set(codes) for column, codes in dictionary.codes if column in table.columns}
    assert {column: codes for column, codes in told.items() if in_xml.get(column) != codes} == {}
    marked = {column for column in dictionary.identifiers if column in table.columns}
    assert marked == read_identifiers(projects / project / "project.xml")


def test_the_dictionary_of_the_api_says_the_same_as_the_one_downloaded(projects: Path):
    downloaded = read_dictionary(projects / "simple" / "dictionary.csv")
    api = read_dictionary(projects / "simple" / "metadata.csv")
    assert downloaded and api
    assert [f.name for f in api.fields] == [
        f.name for f in downloaded.fields if f.name != "interpreter_needed"
    ]
    assert api.identifiers == downloaded.identifiers
    assert "name_last" in api.identifiers


def test_an_export_is_no_dictionary(projects: Path):
    assert read_dictionary(projects / "simple" / "data.csv") is None
    assert read_dictionary(projects / "longitudinal" / "event.csv") is None
