"""CDISC ODM-XML: small files a person can read, and published examples, with the tables of each."""

from pathlib import Path

import pytest

from etl.errors import LoadError
from etl.sources.odm import read_odm
from etl.sources.raw import ROW, RawTable

EXAMPLES = Path(__file__).parents[1] / "fixtures" / "odm"

METADATA = """
<Study OID="S"><MetaDataVersion OID="M" Name="M">
  <ItemGroupDef OID="DEMO" Name="Demography" Repeating="No">
    <ItemRef ItemOID="SEX" Mandatory="No"/><ItemRef ItemOID="WEIGHT" Mandatory="No"/>
  </ItemGroupDef>
  <ItemGroupDef OID="AE" Name="Adverse events" Repeating="Yes">
    <ItemRef ItemOID="GRADE" Mandatory="No"/>
  </ItemGroupDef>
  <ItemDef OID="SEX" Name="Sex">
    <Question><TranslatedText>Sex of the
      child</TranslatedText></Question><CodeListRef CodeListOID="C"/></ItemDef>
  <ItemDef OID="WEIGHT" Name="Weight"/>
  <CodeList OID="C">
    <CodeListItem CodedValue="1"><Decode><TranslatedText>male</TranslatedText></Decode>
    </CodeListItem>
    <CodeListItem CodedValue="2"><Decode><TranslatedText>female</TranslatedText></Decode>
    </CodeListItem>
  </CodeList>
</MetaDataVersion></Study>
"""


def subject(key: str, groups: str, attributes: str = "") -> str:
    return (
        f'<SubjectData SubjectKey="{key}" {attributes}><StudyEventData StudyEventOID="V1">'
        f'<FormData FormOID="F">{groups}</FormData></StudyEventData></SubjectData>'
    )


def demo(*items: str, attributes: str = "") -> str:
    return f'<ItemGroupData ItemGroupOID="DEMO" {attributes}>{"".join(items)}</ItemGroupData>'


def item(oid: str, value: str, attributes: str = "") -> str:
    return f'<ItemData ItemOID="{oid}" Value="{value}" {attributes}/>'


def read(
    folder: Path,
    clinical: str,
    kind: str = "Snapshot",
    encoding: str = "UTF-8",
    namespace: str = 'xmlns="http://www.cdisc.org/ns/odm/v1.3"',
) -> dict[str, RawTable]:
    path = folder / "odm.xml"
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?>\n<ODM {namespace} FileType="{kind}" '
        f'ODMVersion="1.3.2">{METADATA}<ClinicalData StudyOID="S">\n{clinical}\n'
        "</ClinicalData></ODM>"
    )
    path.write_bytes(text.encode(encoding))
    return {table.name: table for table in read_odm(path, "odm.xml")}


def items(table: RawTable) -> list[tuple[str, ...]]:
    """Row number, subject and the items of each row."""
    columns = [c for c in table.columns if c.isupper()]
    return table.rows.select(ROW, "SubjectKey", *columns).rows()


def refused(path: Path) -> str:
    with pytest.raises(LoadError) as error:
        read_odm(path, path.name)
    return str(error.value)


def changes(folder: Path, clinical: str) -> dict[str, RawTable]:
    return read(folder, clinical, kind="Transactional")


# --- snapshots


def test_an_item_group_is_a_table_with_its_keys_and_its_items_as_defined(tmp_path: Path):
    table = read(tmp_path, subject("P1", demo(item("SEX", "1"))))["DEMO"]
    assert table.columns == (
        *("StudyOID", "SubjectKey", "StudyEventOID", "StudyEventRepeatKey", "FormOID"),
        *("FormRepeatKey", "ItemGroupRepeatKey", "SEX", "WEIGHT"),
    )
    assert table.rows.rows() == [("S", "P1", "V1", "", "F", "", "", "1", "", 1)]


def test_labels_and_codes_come_from_the_definitions(tmp_path: Path):
    table = read(tmp_path, subject("P1", demo(item("SEX", "1"))))["DEMO"]
    assert table.labels == (("SEX", "Sex of the child"), ("WEIGHT", "Weight"))
    assert table.codes == (("SEX", (("1", "male"), ("2", "female"))),)
    assert table.form == "ODM-XML 1.3.2, UTF-8: Demography"


def test_a_defined_group_without_data_is_an_empty_table(tmp_path: Path):
    table = read(tmp_path, subject("P1", demo(item("SEX", "1"))))["AE"]
    assert (table.rows.height, table.columns[-1]) == (0, "GRADE")


def test_a_group_and_an_item_that_nobody_defined_are_read_all_the_same(tmp_path: Path):
    unknown = '<ItemGroupData ItemGroupOID="NEW"><ItemData ItemOID="X" Value="7"/></ItemGroupData>'
    tables = read(tmp_path, subject("P1", demo(item("NOTE", "n")) + unknown))
    assert items(tables["DEMO"]) == [(1, "P1", "", "", "n")]
    assert items(tables["NEW"]) == [(2, "P1", "7")]


def test_a_null_item_and_an_absent_one_are_empty_cells(tmp_path: Path):
    null = '<ItemData ItemOID="SEX" IsNull="Yes"/>'
    assert items(read(tmp_path, subject("P1", demo(null)))["DEMO"]) == [(1, "P1", "", "")]


def test_typed_items_give_the_text_of_the_element(tmp_path: Path):
    typed = (
        '<ItemDataString ItemOID="SEX">2</ItemDataString>'
        '<ItemDataFloat ItemOID="WEIGHT" MeasurementUnitOID="KG">12.50</ItemDataFloat>'
    )
    table = read(tmp_path, subject("P1", demo(typed)))["DEMO"]
    assert table.rows.select("SEX", "WEIGHT", "WEIGHT.MeasurementUnitOID").rows() == [
        ("2", "12.50", "KG")
    ]


def test_a_unit_told_with_a_value_stands_beside_it(tmp_path: Path):
    weight = (
        '<ItemData ItemOID="WEIGHT" Value="26"><MeasurementUnitRef MeasurementUnitOID="LB"/>'
        "</ItemData>"
    )
    table = read(tmp_path, subject("P1", demo(weight)))["DEMO"]
    assert table.columns[-2:] == ("WEIGHT", "WEIGHT.MeasurementUnitOID")
    assert table.rows["WEIGHT.MeasurementUnitOID"].to_list() == ["LB"]


def test_the_site_of_a_subject_is_a_column_where_one_is_told(tmp_path: Path):
    site = '<SiteRef LocationOID="Kazan"/><StudyEventData StudyEventOID="V1">'
    here = subject("P1", demo()).replace('<StudyEventData StudyEventOID="V1">', site)
    table = read(tmp_path, here + subject("P2", demo()))["DEMO"]
    assert table.rows.select("SubjectKey", "LocationOID").rows() == [("P1", "Kazan"), ("P2", "")]


def test_audit_records_and_vendors_elements_give_no_cells_and_no_rows(tmp_path: Path):
    audit = (
        "<AuditRecord><UserRef UserOID='U'/><DateTimeStamp>2026-01-01</DateTimeStamp></AuditRecord>"
    )
    vendor = "<v:Pool xmlns:v='urn:v'><SubjectData SubjectKey='GHOST'/></v:Pool>"
    table = read(tmp_path, vendor + subject("P1", audit + demo(audit, item("SEX", "1"))))["DEMO"]
    assert items(table) == [(1, "P1", "1", "")]


def test_a_key_that_a_snapshot_holds_twice_gives_two_rows(tmp_path: Path):
    clinical = subject("P1", demo(item("SEX", "1")) + demo(item("SEX", "2")))
    assert items(read(tmp_path, clinical)["DEMO"]) == [(1, "P1", "1", ""), (2, "P1", "2", "")]


@pytest.mark.parametrize("encoding", ["UTF-8", "windows-1251", "UTF-16", "koi8-r"])
def test_a_file_is_read_in_the_encoding_it_declares(tmp_path: Path, encoding: str):
    table = read(tmp_path, subject("Иванова", demo(item("SEX", "ж"))), encoding=encoding)["DEMO"]
    assert items(table) == [(1, "Иванова", "ж", "")]
    assert encoding in table.form


def test_western_letters_in_windows_1252_are_read(tmp_path: Path):
    table = read(tmp_path, subject("Zoë", demo()), encoding="windows-1252")["DEMO"]
    assert items(table) == [(1, "Zoë", "", "")]


@pytest.mark.parametrize("namespace", ["", 'xmlns="http://www.cdisc.org/ns/odm/v1.2"'])
def test_older_versions_of_odm_are_read(tmp_path: Path, namespace: str):
    table = read(tmp_path, subject("P1", demo(item("SEX", "1"))), namespace=namespace)["DEMO"]
    assert items(table) == [(1, "P1", "1", "")]


# --- transactions


def test_an_update_changes_the_row_and_the_old_value_is_recorded(tmp_path: Path):
    insert = subject("P1", demo(item("SEX", "1"), item("WEIGHT", "12")), 'TransactionType="Insert"')
    update = subject("P1", demo(item("WEIGHT", "13")), 'TransactionType="Update"')
    table = changes(tmp_path, insert + update)["DEMO"]
    assert items(table) == [(1, "P1", "1", "13")]
    assert table.aside == ((2, "odm_change"),)
    assert table.repairs.rows() == [(1, "WEIGHT", "12", "odm_update")]


def test_an_upsert_inserts_what_is_new_and_updates_what_is_there(tmp_path: Path):
    upsert = 'TransactionType="Upsert"'
    clinical = subject("P1", demo(item("SEX", "1")), upsert)
    clinical += subject("P1", demo(item("SEX", "2")), upsert) + subject("P2", demo(), upsert)
    assert items(changes(tmp_path, clinical)["DEMO"]) == [(1, "P1", "2", ""), (3, "P2", "", "")]


def test_a_removed_subject_takes_all_its_rows_along(tmp_path: Path):
    insert = 'TransactionType="Insert"'
    ae = '<ItemGroupData ItemGroupOID="AE"><ItemData ItemOID="GRADE" Value="3"/></ItemGroupData>'
    clinical = subject("P1", demo() + ae, insert) + subject("P2", demo(), insert)
    clinical += '<SubjectData SubjectKey="P1" TransactionType="Remove"/>'
    tables = changes(tmp_path, clinical)
    assert items(tables["DEMO"]) == [(3, "P2", "", "")]
    assert tables["DEMO"].aside == ((1, "odm_removed"),)
    assert (tables["AE"].rows.height, tables["AE"].aside) == (0, ((2, "odm_removed"),))


def test_a_removed_group_may_be_inserted_again(tmp_path: Path):
    clinical = subject("P1", demo(item("SEX", "1")), 'TransactionType="Insert"')
    clinical += subject("P1", demo(), 'TransactionType="Remove"')
    clinical += subject("P1", demo(item("SEX", "2")), 'TransactionType="Insert"')
    table = changes(tmp_path, clinical)["DEMO"]
    assert items(table) == [(3, "P1", "2", "")]
    assert table.aside == ((1, "odm_removed"), (2, "odm_change"))


def test_a_removed_item_leaves_an_empty_cell_and_a_record(tmp_path: Path):
    clinical = subject("P1", demo(item("SEX", "1")), 'TransactionType="Insert"')
    gone = '<ItemData ItemOID="SEX" TransactionType="Remove"/>'
    clinical += subject("P1", demo(gone), 'TransactionType="Update"')
    table = changes(tmp_path, clinical)["DEMO"]
    assert items(table) == [(1, "P1", "", "")]
    assert table.repairs.rows() == [(1, "SEX", "1", "odm_update")]


def test_context_changes_nothing_and_is_recorded(tmp_path: Path):
    clinical = subject("P1", demo(item("SEX", "1")), 'TransactionType="Insert"')
    clinical += subject("P1", demo(item("SEX", "2")), 'TransactionType="Context"')
    table = changes(tmp_path, clinical)["DEMO"]
    assert items(table) == [(1, "P1", "1", "")]
    assert table.aside == ((2, "odm_context"),)


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (subject("P1", demo(), 'TransactionType="Insert"'), "inserts what the file holds already"),
        (subject("P1", demo()), "inserts what the file holds already"),
        (subject("P2", demo(), 'TransactionType="Update"'), "updates what the file does not hold"),
        (
            '<SubjectData SubjectKey="P2" TransactionType="Remove"/>',
            "removes what the file does not hold",
        ),
        (
            subject(
                "P1", demo(item("SEX", "2", 'TransactionType="Update"')), 'TransactionType="Update"'
            ),
            "changes what the file does not hold",
        ),
        (subject("P1", demo(), 'TransactionType="Erase"'), "'Erase' is none of Insert"),
    ],
)
def test_a_transaction_that_contradicts_what_came_before_refuses_the_file(
    tmp_path: Path, second: str, said: str
):
    first = subject("P1", demo(item("WEIGHT", "1")), 'TransactionType="Insert"')
    with pytest.raises(LoadError, match=rf"odm\.xml line \d+: .*{said}"):
        changes(tmp_path, first + second)


# --- what is refused


@pytest.mark.parametrize(
    ("clinical", "said"),
    [
        ("<ItemData ItemOID='SEX' Value='1'/>", "stands outside an item group"),
        ("<Wonder/>", "<Wonder> is not known in clinical data"),
        ("<SubjectData/>", "<SubjectData> has no SubjectKey"),
        ("<subjectdata SubjectKey='P1'/>", "It is spelled <SubjectData>"),
        (subject("P1", demo("<ItemData Value='1'/>")), "<ItemData> has no ItemOID"),
        (subject("P1", demo(item("SEX", "1"), item("SEX", "2"))), "stands twice"),
    ],
)
def test_what_would_be_lost_or_guessed_refuses_the_file(tmp_path: Path, clinical: str, said: str):
    with pytest.raises(LoadError, match=said):
        read(tmp_path, clinical)


def test_an_item_called_like_a_key_is_refused(tmp_path: Path):
    with pytest.raises(LoadError, match="called like a key: SubjectKey. Rename"):
        read(tmp_path, subject("P1", demo(item("SubjectKey", "1"))))


def test_clinical_data_with_nobody_in_it_is_refused(tmp_path: Path):
    with pytest.raises(LoadError, match="holds no record of anybody"):
        read(tmp_path, "")


@pytest.mark.parametrize("root", ["svg", "definitions", "Bundle"])
def test_another_kind_of_xml_is_refused_by_the_name_of_its_root(tmp_path: Path, root: str):
    path = tmp_path / "other.xml"
    path.write_text(f"<{root} xmlns='urn:other'/>", encoding="utf-8")
    assert f"the root element is <{root}>, not <ODM>" in refused(path)


def test_a_misspelled_element_is_refused_with_its_line():
    text = refused(EXAMPLES / "cdash-odm-test-invalid.xml")
    assert "line 14: <studyName> is no element of ODM. It is spelled <StudyName>." in text


def test_a_file_of_definitions_alone_is_refused(tmp_path: Path):
    path = tmp_path / "definitions.xml"
    text = (EXAMPLES / "cdash-odm-test-invalid.xml").read_text(encoding="utf-8")
    path.write_text(text.replace("studyName>", "StudyName>"), encoding="utf-8")
    assert "holds metadata only, no clinical data" in refused(path)


# --- published examples


def test_the_published_snapshot_gives_all_its_groups_and_all_its_values():
    path = EXAMPLES / "odm-data-snapshot.xml"
    tables = read_odm(path, path.name)
    assert {table.name: table.rows.height for table in tables} == {
        **{"IG.AE": 2, "IG.AE.AE_ARRAY1": 20, "IG.DS": 2, "IG.LB.LB_ARRAY1": 18, "IG.EC": 2},
        **{"IG.EC.EC_ARRAY1": 8, "IG.DM": 2, "IG.VS": 4, "IG.CM": 2},
    }
    values = sum(
        text != ""
        for table in tables
        for column in table.columns
        if column.startswith("IT.")
        for text in table.rows[column]
    )
    assert values == path.read_text(encoding="utf-8").count("<ItemData ")


def test_the_published_snapshot_in_two_versions_of_metadata_is_one_subject():
    tables = {t.name: t for t in read_odm(EXAMPLES / "test_clinical_data_01.xml", "x")}
    assert tables["LB"].rows.select("SubjectKey", "StudyEventOID", "LBORRES", ROW).rows() == [
        ("1000", "Screen", "245", 2),
        ("1000", "VISIT_1", "300", 4),
    ]


def test_dataset_xml_is_read_as_rows_without_a_subject_level():
    [table] = read_odm(EXAMPLES / "ae.xml", "ae.xml")
    assert table.rows.height == 16
    assert table.rows.select("StudyOID", "SubjectKey", "IT.USUBJID").row(0) == (
        *("cdisc01", "", "CDISC01.100008"),
    )


def test_groups_within_groups_of_odm_2_carry_the_repeat_keys_around_them():
    path = EXAMPLES / "Demographics_RACE_check_all_that_apply.xml"
    tables = {t.name: t for t in read_odm(path, path.name)}
    race = tables["IG.RACE"]
    assert race.columns[6:10] == (
        *("FO.DEMOGRAPHICS.ItemGroupRepeatKey", "IG.DEMOGRAPHICS.ItemGroupRepeatKey"),
        *("ItemGroupRepeatKey", "IT.RACE_CODE"),
    )
    assert tables["IG.DEMOGRAPHICS"].rows["SubjectKey"].to_list() == ["001", "002", "003"]
    assert race.rows.height == 18
    assert tables["FO.DEMOGRAPHICS"].rows.height == 0


def test_values_of_odm_2_are_read_and_an_empty_one_is_empty():
    path = EXAMPLES / "RepeatingIG-UC-D-Example.xml"
    table = {t.name: t for t in read_odm(path, path.name)}["IG.MEDHIST"]
    assert table.rows.select("ItemGroupRepeatKey", "I.MH.TERM", "I.MH.ACTIVE").rows() == [
        ("1", "some problem", ""),
        ("2", "some other problem", "2"),
        ("3", "another heart related problem", "2"),
        ("4", "a final problem", "2"),
    ]


def test_the_published_example_of_odm_1_1_contradicts_itself(tmp_path: Path):
    path = tmp_path / "odm.xml"
    text = (EXAMPLES / "odm1_1_0_example.xml").read_text(encoding="latin-1")
    text = text.replace('<!DOCTYPE ODM SYSTEM "odm1-1-0.dtd" >', "")
    path.write_text(text, encoding="latin-1")
    assert "line 232: a transaction updates what the file does not hold" in refused(path)


def test_the_published_example_of_odm_1_1_is_read_once_its_update_has_the_right_keys(
    tmp_path: Path,
):
    path = tmp_path / "odm.xml"
    text = (EXAMPLES / "odm1_1_0_example.xml").read_text(encoding="latin-1")
    text = text.replace('<!DOCTYPE ODM SYSTEM "odm1-1-0.dtd" >', "")
    text = text.replace('"Page 1"', '"PAGE_1"').replace(
        'ItemGroupRepeatKey="1">\n            <ItemData ItemOID="SBP" Value="130"',
        'ItemGroupRepeatKey="">\n            <ItemData ItemOID="SBP" Value="130"',
    )
    path.write_text(text, encoding="latin-1")
    vitals = {t.name: t for t in read_odm(path, "odm.xml")}["VITALS"]
    assert vitals.rows.height == 8
    assert vitals.rows.select("SubjectKey", "SBP", "DBP").row(0) == ("P001", "130", "80")
    assert vitals.repairs.rows() == [(2, "SBP", "120", "odm_update")]
