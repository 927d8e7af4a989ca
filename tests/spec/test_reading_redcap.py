"""REDCap: rows of its XML that the example projects do not show, and the data dictionary."""

from pathlib import Path

import pytest

from etl.errors import LoadError
from etl.sources.odm import read_odm
from etl.sources.raw import RawTable
from etl.sources.redcap import is_redcap, read_dictionary

HEADER = (
    '"Variable / Field Name","Form Name","Field Type","Field Label",'
    '"Choices, Calculations, OR Slider Labels","Text Validation Type OR Show Slider Number",'
    "Identifier?\n"
)
PROJECT = """<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" FileType="{kind}" ODMVersion="1.3.1"
     xmlns:redcap="https://projectredcap.org"><Study OID="S"><GlobalVariables>{repeating}
</GlobalVariables><MetaDataVersion OID="M" redcap:RecordIdField="id">
  <StudyEventDef OID="Event.visit" redcap:UniqueEventName="visit" redcap:ArmNum="1">
    <FormRef FormOID="Form.one"/><FormRef FormOID="Form.two"/></StudyEventDef>
  <FormDef OID="Form.one"><ItemGroupRef ItemGroupOID="one.id"/></FormDef>
  <FormDef OID="Form.two"><ItemGroupRef ItemGroupOID="two.m"/></FormDef>
  <ItemGroupDef OID="one.id"><ItemRef ItemOID="id"/><ItemRef ItemOID="one_complete"/></ItemGroupDef>
  <ItemGroupDef OID="two.m"><ItemRef ItemOID="m____1"/><ItemRef ItemOID="two_complete"/>
  </ItemGroupDef>
  <ItemDef OID="id" Name="id" redcap:Identifier="y"/>
  <ItemDef OID="m____1" Name="m"><Question><TranslatedText>Marker</TranslatedText></Question>
    <CodeListRef CodeListOID="C"/></ItemDef>
  <CodeList OID="C" redcap:CheckboxChoices="-1, unknown | 2, yes"/>
</MetaDataVersion></Study><ClinicalData StudyOID="S"><SubjectData SubjectKey="7">{data}
</SubjectData></ClinicalData></ODM>"""


def project(folder: Path, data: str, repeating: str = "", kind: str = "Snapshot") -> RawTable:
    path = folder / "project.xml"
    path.write_text(PROJECT.format(data=data, repeating=repeating, kind=kind), encoding="utf-8")
    [table] = read_odm(path, "project.xml")
    return table


def visit(repeat: str, form: str, form_repeat: str, group: str, items: str) -> str:
    return (
        f'<StudyEventData StudyEventOID="Event.visit" StudyEventRepeatKey="{repeat}">'
        f'<FormData FormOID="Form.{form}" FormRepeatKey="{form_repeat}">'
        f'<ItemGroupData ItemGroupOID="{group}">{items}</ItemGroupData></FormData></StudyEventData>'
    )


def marker(text: str) -> str:
    return f'<ItemData ItemOID="m____1" Value="{text}"/>'


def rows(table: RawTable) -> list[tuple[str, ...]]:
    return table.rows.select(table.columns).rows()


def test_a_form_that_holds_nothing_yet_has_the_status_incomplete(tmp_path: Path):
    table = project(tmp_path, visit("1", "two", "1", "two.m", marker("1")))
    assert table.columns == ("id", "redcap_event_name", "one_complete", "m____1", "two_complete")
    assert rows(table) == [("7", "visit", "0", "1", "0")]


def test_a_repeating_event_has_a_row_for_each_instance_and_no_instrument(tmp_path: Path):
    repeating = '<redcap:RepeatingEvent redcap:UniqueEventName="visit"/>'
    data = visit("1", "two", "1", "two.m", marker("0")) + visit(
        "2", "two", "1", "two.m", marker("1")
    )
    table = project(tmp_path, data, repeating)
    assert table.columns[:4] == (
        *("id", "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"),
    )
    assert rows(table) == [
        ("7", "visit", "", "1", "0", "0", "0"),
        ("7", "visit", "", "2", "0", "1", "0"),
    ]


def test_a_second_repeat_never_falls_into_the_row_of_the_first_even_if_not_declared(tmp_path: Path):
    data = visit("1", "two", "1", "two.m", marker("0")) + visit(
        "1", "two", "2", "two.m", marker("1")
    )
    assert rows(project(tmp_path, data)) == [
        ("7", "visit", "", "", "0", "0", "0"),
        ("7", "visit", "two", "2", "", "1", "0"),
    ]


def test_two_groups_of_a_row_that_contradict_each_other_refuse_the_file(tmp_path: Path):
    data = visit("1", "two", "1", "two.m", marker("0")) + visit(
        "1", "two", "1", "two.m", marker("1")
    )
    with pytest.raises(LoadError, match="item group 2 gives the field 'm____1' another value"):
        project(tmp_path, data)


def test_an_item_that_no_form_has_is_a_column_at_the_end(tmp_path: Path):
    item = '<ItemData ItemOID="extra" Value="x"/>'
    table = project(tmp_path, visit("1", "two", "1", "two.m", item))
    assert (table.columns[-1], table.rows["extra"].to_list()) == ("extra", ["x"])


def test_a_column_of_checkboxes_is_labelled_with_its_choice(tmp_path: Path):
    table = project(tmp_path, visit("1", "two", "1", "two.m", marker("1")))
    assert dict(table.labels)["m____1"] == "Marker (choice=unknown)"


def test_a_project_with_transactions_is_refused(tmp_path: Path):
    first = visit("1", "two", "1", "two.m", marker("1"))
    change = first.replace("<ItemGroupData ", '<ItemGroupData TransactionType="Upsert" ')
    with pytest.raises(LoadError, match="a project of REDCap with transactions"):
        project(tmp_path, first + change, kind="Transactional")


def dictionary(folder: Path, rows: str, header: str = HEADER) -> Path:
    path = folder / "dictionary.csv"
    path.write_text(header + rows, encoding="utf-8")
    return path


def test_a_dictionary_tells_columns_labels_codes_and_identifiers(tmp_path: Path):
    path = dictionary(
        tmp_path,
        "id,one,text,Record ID,,,\n"
        "name,one,text,Family name,,,y\n"
        'sex,one,radio,Sex,"1, male | 2, female, girl",,\n'
        'm,two,checkbox,Marker,"-1, unknown | A, yes",,\n'
        "note,two,descriptive,Read this,,,\n"
        'bmi,two,calc,BMI,"round([w],1)",,\n'
        "alive,two,yesno,Alive,,,\n",
    )
    found = read_dictionary(path)
    assert found
    assert dict(found.labels) == {
        **{"id": "Record ID", "name": "Family name", "sex": "Sex", "bmi": "BMI"},
        **{"m____1": "Marker (choice=unknown)", "m___a": "Marker (choice=yes)", "alive": "Alive"},
        **{"one_complete": "Complete?", "two_complete": "Complete?"},
    }
    codes = dict(found.codes)
    assert codes["sex"] == (("1", "male"), ("2", "female, girl"))
    assert codes["alive"] == (("1", "Yes"), ("0", "No"))
    assert codes["m___a"] == (("1", "Checked"), ("0", "Unchecked"))
    assert "bmi" not in codes
    assert found.identifiers == {"name", "Family name"}


def test_a_dictionary_saved_by_a_russian_spreadsheet_is_read(tmp_path: Path):
    path = tmp_path / "dictionary.csv"
    header = HEADER.replace(",", ";").replace(
        "Choices; Calculations; OR", "Choices, Calculations, OR"
    )
    path.write_bytes((header + "fio;one;text;Фамилия и имя ребёнка;;;y\n").encode("cp1251"))
    found = read_dictionary(path)
    assert found
    assert found.identifiers == {"fio", "Фамилия и имя ребёнка"}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("name,one,text,Name,,y\n", "row 2: 6 fields under 7 headings"),
        ("name,one,text,Name,,,y\nname,one,text,Name,,,\n", "row 3: the field 'name' stands"),
    ],
)
def test_a_dictionary_in_which_an_identifier_could_be_missed_is_refused(
    tmp_path: Path, rows: str, said: str
):
    with pytest.raises(LoadError, match=said):
        read_dictionary(dictionary(tmp_path, rows))


def test_a_dictionary_without_its_marks_of_identifiers_is_refused(tmp_path: Path):
    path = dictionary(tmp_path, "name,one,text,Name,,\n", HEADER.replace(",Identifier?", ""))
    with pytest.raises(LoadError, match=r"a data dictionary without 'Identifier\?'"):
        read_dictionary(path)


@pytest.mark.parametrize(
    ("columns", "is_one"),
    [
        (("record_id", "redcap_event_name", "x"), True),
        (("record_id", "race___1"), True),
        (("record_id", "age", "demographics_complete"), True),
        (("Record ID", "Repeat Instrument", "Repeat Instance", "Age"), True),
        (("Record ID", "Race (choice=White)"), True),
        (("patient", "Relapse date", "treatment_complete"), False),
        (("patient", "relapse_date"), False),
    ],
)
def test_an_export_of_redcap_is_recognized_by_its_header(columns: tuple[str, ...], is_one: bool):
    assert is_redcap(columns) == is_one
