"""The demo in other shapes: each is what the program it imitates would write.

Read here by the libraries themselves. That the shapes say the same is proved by loading them
(tests/oracle/test_five_shapes.py).
"""

import csv
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyreadstat
import pytest
from lxml import etree
from polars.exceptions import InvalidOperationError
from python_calamine import CalamineWorkbook

from etl.demo import SHAPES, DemoError, write_demo
from etl.demo.plan import Plan
from etl.demo.shapes.fields import FORMS, Tables
from etl.demo.tables import drawn_group, tables
from etl.mapping_file import read_mapping

SEED, PATIENTS = 20140, 40
ODM = "{http://www.cdisc.org/ns/odm/v1.3}"
Grid = Sequence[Sequence[object]]


@pytest.fixture(scope="module")
def made() -> Tables:
    return tables(drawn_group(np.arange(PATIENTS), PATIENTS, SEED, Plan()), SEED, 0)


@pytest.fixture(scope="module")
def written(made: Tables, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder a shape."""
    folders = {name: tmp_path_factory.mktemp(name) for name in SHAPES}
    for name, folder in folders.items():
        SHAPES[name].write(folder, made)
    return folders


def test_every_column_of_the_tables_is_a_field_of_its_form(made: Tables) -> None:
    for name, table in made.items():
        told = ["case_id", *(field.column for field in FORMS[name].fields)]
        assert sorted(told) == sorted(table.columns), name


@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_tables_make_the_same_bytes(
    shape: str, made: Tables, written: dict[str, Path], tmp_path: Path
) -> None:
    names = {name.partition(" [")[0] for name, _ in SHAPES[shape].write(tmp_path, made)}
    assert names == {path.name for path in tmp_path.iterdir()}
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (written[shape] / path.name).read_bytes(), path.name


@pytest.mark.parametrize("shape", [name for name in SHAPES if name != "csv"])
def test_a_text_that_is_no_choice_ends_the_writing(
    shape: str, made: Tables, tmp_path: Path
) -> None:
    strange = made["lines"].with_columns(entry_reason=pl.lit("third relapse"))
    with pytest.raises((InvalidOperationError, KeyError), match="third relapse|incomplete mapping"):
        SHAPES[shape].write(tmp_path, {**made, "lines": strange})


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_has_a_mapping(shape: str) -> None:
    assert read_mapping(SHAPES[shape].mapping).study.code == "allrez"


# --- what is refused ----------------------------------------------------------------------------


def test_defects_are_not_planted_in_another_shape(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="CSV shape only, not in 'odm'"):
        write_demo(tmp_path / "demo", shape="odm", defects=True)
    assert not (tmp_path / "demo").exists()


def test_a_shape_holds_no_more_patients_than_memory(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="at most 5000 patients, not 5001"):
        write_demo(tmp_path / "demo", patients=5001, shape="adam")


def test_an_unknown_shape_is_told_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="Known: csv, workbook, redcap, adam, odm"):
        write_demo(tmp_path / "demo", shape="spss")


# --- workbook -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sheets(written: dict[str, Path]) -> dict[str, Grid]:
    book = CalamineWorkbook.from_path(str(written["workbook"] / "ALL-REZ.xlsx"))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def body(grid: Grid) -> list[dict[str, object]]:
    """The rows below the heading that begins with 'Код случая', without a total."""
    top = next(i for i, row in enumerate(grid) if row[0] == "Код случая")
    names = [str(name) for name in grid[top]]
    return [dict(zip(names, row, strict=True)) for row in grid[top + 1 :] if row[0] != "Итого"]


def test_every_row_of_every_sheet_says_that_it_is_synthetic(sheets: dict[str, Grid]) -> None:
    assert len(sheets) == 8
    for name, grid in sheets.items():
        said = {row["Происхождение данных"] for row in body(grid)}
        assert said == {"СИНТЕТИЧЕСКИЕ"}, name


def test_dates_and_numbers_are_cells_of_their_kind(made: Tables, sheets: dict[str, Grid]) -> None:
    first = body(sheets["Пациенты"])[0]
    text = str(made["patients"]["birth_date"][0])
    assert first["Дата рождения"] == date(int(text[6:]), int(text[3:5]), int(text[:2]))
    assert first["Возраст, лет"] == float(made["patients"]["age_years"][0])


def test_sheets_have_titles_a_merged_heading_and_a_total(
    made: Tables, sheets: dict[str, Grid]
) -> None:
    assert "СИНТЕТИЧЕСКИЕ ДАННЫЕ" in str(sheets["Пациенты"][0][0])
    assert [name for name in sheets["Индукция"][0] if name] == ["Префаза", "F1", "F2"]
    assert sheets["Токсичность"][-1][:2] == ["Итого", made["adverse_events"].height]


def test_no_course_is_lost_between_the_wide_sheet_and_the_long_one(
    made: Tables, sheets: dict[str, Grid]
) -> None:
    wide = [row for row in sheets["Индукция"][2:] for row in (row[1], row[9], row[17]) if row]
    assert len(wide) + len(body(sheets["Блоки"])) == made["courses"].height
    assert len(wide) > PATIENTS


def test_mrd_stands_as_percent_as_power_of_ten_or_as_word(
    made: Tables, sheets: dict[str, Grid]
) -> None:
    told = zip(made["assessments"].rows(named=True), body(sheets["КМП и МОБ"]), strict=True)
    seen: dict[str, tuple[object, object]] = {}
    for row, cells in told:
        kind = row["unit"] if "0" in row["result"] else row["result"]
        seen[f"{kind}{'<' in row['result']}"] = (row["result"], cells["Результат"])
        if kind == "fraction":
            mantissa, exponent = str(cells["Результат"]).removeprefix("<").split("*10^")
            assert float(f"{mantissa}e{exponent}") == float(row["result"].removeprefix("<"))
        elif kind == "%":
            assert str(cells["Результат"]) in (row["result"], str(float(row["result"].strip("<"))))
    assert seen["undetectableFalse"][1] == "отр." and seen["%True"] == ("<0.01", "<0.01")


# --- REDCap -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def project(written: dict[str, Path]) -> list[dict[str, str]]:
    with (written["redcap"] / "data.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_record_has_one_base_row_and_numbered_instances(
    made: Tables, project: list[dict[str, str]]
) -> None:
    base = [row["record_id"] for row in project if not row["redcap_repeat_instrument"]]
    assert base == made["patients"]["case_id"].to_list()
    keys = [(r["record_id"], r["redcap_repeat_instrument"]) for r in project]
    count: Counter[tuple[str, str]] = Counter()
    for key, row in zip(keys, project, strict=True):
        count[key] += 1
        assert row["redcap_repeat_instance"] == (str(count[key]) if key[1] else ""), key


def test_the_dictionary_knows_every_column(
    project: list[dict[str, str]], written: dict[str, Path]
) -> None:
    with (written["redcap"] / "dictionary.csv").open(encoding="utf-8", newline="") as file:
        fields = list(csv.DictReader(file))
    known = {f"{form}_complete" for form in {field["Form Name"] for field in fields}}
    for field in fields:
        name = field["Variable / Field Name"]
        choices = field["Choices, Calculations, OR Slider Labels"].split(" | ")
        is_checkbox = field["Field Type"] == "checkbox"
        known |= {f"{name}___{c.split(',')[0]}" for c in choices} if is_checkbox else {name}
    assert known == set(project[0]) - {"redcap_repeat_instrument", "redcap_repeat_instance"}


def test_every_row_fills_its_own_instrument_and_no_other(project: list[dict[str, str]]) -> None:
    for row in project:
        complete = {name for name, text in row.items() if name.endswith("_complete") and text}
        instrument = row["redcap_repeat_instrument"]
        own = (
            {f"{instrument}_complete"}
            if instrument
            else {"baseline_complete", "follow_up_complete"}
        )
        assert complete == own
        said = {text for name, text in row.items() if name.endswith("data_origin") and text}
        assert said == {"SYNTHETIC"}


def test_why_a_course_was_stopped_is_a_checkbox(
    made: Tables, project: list[dict[str, str]]
) -> None:
    ticked = [row for row in project if row["course_stop_reason___1"] == "1"]
    assert len(ticked) == made["courses"].filter(pl.col("stop_reason") == "relapse").height > 0


# --- ADaM ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def datasets(written: dict[str, Path]) -> dict[str, tuple[Any, Any]]:
    return {
        path.stem: pyreadstat.read_xport(path, output_format="polars")
        for path in sorted(written["adam"].iterdir())
    }


def test_datasets_keep_to_the_limits_of_transport_files(datasets: dict) -> None:
    assert set(datasets) == {"adsl", "adlot", "adex", "adlb", "adae", "adpr"}
    for name, (frame, about) in datasets.items():
        assert about.table_name == name.upper()
        assert all(len(column) <= 8 for column in frame.columns)
        assert all(label and len(label) <= 40 for label in about.column_labels)
        assert set(frame["SRCFL"]) == {"SYNTHETIC"}


def test_numbers_come_back_as_the_same_doubles(made: Tables, datasets: dict) -> None:
    events, samples = datasets["adex"][0], datasets["adlb"][0]
    courses = events.filter(pl.col("PARCAT1") == "COURSE")
    infusions = events.filter(pl.col("PARCAT1") == "INFUSION")
    for read, table, column in (
        (courses["DOSEPCT"], "courses", "dose_percent"),
        (infusions["EXDOSE"], "infusions", "dose"),
        (samples["LLOD"], "assessments", "lod"),
        (samples["LLOQ"], "assessments", "loq"),
    ):
        texts = made[table][column].to_list()
        assert read.to_list() == [None if t is None else float(t) for t in texts], column


def test_dates_are_numbers_shown_as_dates(made: Tables, datasets: dict) -> None:
    frame, about = datasets["adsl"]
    assert about.original_variable_types["RLPSDT"] == "DATE9"
    assert (
        frame["RLPSDT"].dt.to_string("%d.%m.%Y").to_list()
        == made["patients"]["relapse_date"].to_list()
    )


def test_a_child_on_both_protocols_has_two_records_in_adsl(made: Tables, datasets: dict) -> None:
    frame = datasets["adsl"][0]
    assert frame["SUBJID"].to_list() == made["patients"]["case_id"].to_list()
    assert frame["USUBJID"].to_list() == made["patients"]["patient_id"].to_list()


# --- ODM ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def odm(written: dict[str, Path]) -> etree._Element:
    return etree.parse(written["odm"] / "export.xml").getroot()


def test_the_file_is_a_snapshot_that_says_it_is_synthetic(odm: etree._Element) -> None:
    assert odm.tag == f"{ODM}ODM" and odm.get("FileType") == "Snapshot"
    assert odm.get("ODMVersion") == "1.3.2" and "SYNTHETIC" in odm.get("Description", "")


def test_whatever_the_data_name_is_defined(odm: etree._Element) -> None:
    for kind, data in (
        ("StudyEvent", "StudyEventData"),
        ("Form", "FormData"),
        ("ItemGroup", "ItemGroupData"),
        ("Item", "ItemData"),
    ):
        defined = {x.get("OID") for x in odm.iter(f"{ODM}{kind}Def")}
        assert {x.get(f"{kind}OID") for x in odm.iter(f"{ODM}{data}")} <= defined
        assert {x.get(f"{kind}OID") for x in odm.iter(f"{ODM}{kind}Ref")} == defined


def test_coded_values_are_in_their_code_lists(odm: etree._Element) -> None:
    lists = {
        x.get("OID"): {item.get("CodedValue") for item in x.iter(f"{ODM}CodeListItem")}
        for x in odm.iter(f"{ODM}CodeList")
    }
    coded = {
        x.get("OID"): lists[ref.get("CodeListOID")]
        for x in odm.iter(f"{ODM}ItemDef")
        for ref in x.iter(f"{ODM}CodeListRef")
    }
    values = [x for x in odm.iter(f"{ODM}ItemData") if x.get("ItemOID") in coded]
    assert len(values) > 1000
    assert all(x.get("Value") in coded[x.get("ItemOID")] for x in values)


def test_item_groups_are_the_rows_and_each_is_synthetic(made: Tables, odm: etree._Element) -> None:
    groups = Counter(x.get("ItemGroupOID") for x in odm.iter(f"{ODM}ItemGroupData"))
    assert groups == {f"IG.{name.upper()}": table.height for name, table in made.items()}
    for group in odm.iter(f"{ODM}ItemGroupData"):
        oid = str(group.get("ItemGroupOID")).replace("IG.", "IT.", 1)
        values = {x.get("ItemOID"): x.get("Value") for x in group}
        assert values[f"{oid}.DATA_ORIGIN"] == "SYNTHETIC"


def test_repeat_keys_tell_the_groups_of_a_subject_apart(odm: etree._Element) -> None:
    for subject in odm.iter(f"{ODM}SubjectData"):
        groups = list(subject.iter(f"{ODM}ItemGroupData"))
        keys = {(x.get("ItemGroupOID"), x.get("ItemGroupRepeatKey")) for x in groups}
        assert len(keys) == len(groups)
