"""XML made to harm: each file is refused with a reason, and nothing outside it is ever touched."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from etl.errors import LoadError
from etl.sources.odm import read_odm
from etl.sources.odm_xml import elements

MARKER = "the-secret-in-another-file"
NAMESPACE = 'xmlns="http://www.cdisc.org/ns/odm/v1.3"'


def document(
    value: str = "1", prolog: str = "", declaration: str = '<?xml version="1.0"?>', inside: str = ""
) -> str:
    return (
        f"{declaration}\n{prolog}<ODM {NAMESPACE} FileType='Snapshot'>"
        f"<ClinicalData StudyOID='S'>{inside}<SubjectData SubjectKey='P1'>"
        f"<ItemGroupData ItemGroupOID='G'><ItemData ItemOID='I' Value='{value}'/>"
        f"<ItemDataString ItemOID='T'>{value}</ItemDataString>"
        "</ItemGroupData></SubjectData></ClinicalData></ODM>"
    )


def refused(folder: Path, content: str | bytes) -> str:
    path = folder / "hostile.xml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(LoadError) as error:
        read_odm(path, path.name)
    text = str(error.value)
    assert text.startswith(f"{path}")
    assert MARKER not in text
    assert len(text) < 600
    return text


def value_of(folder: Path, content: bytes) -> str:
    path = folder / "odd.xml"
    path.write_bytes(content)
    [table] = read_odm(path, path.name)
    return table.rows["I"][0]


@pytest.fixture
def listener() -> Iterator[tuple[int, list[object]]]:
    """A port of this machine, and who connected to it."""
    met: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        done = threading.Event()

        def listen() -> None:
            while not done.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                met.append(connection.getpeername())
                connection.close()

        thread = threading.Thread(target=listen)
        thread.start()
        yield server.getsockname()[1], met
        done.set()
        thread.join()


def secret(folder: Path) -> str:
    path = folder / "secret.txt"
    path.write_text(MARKER, encoding="utf-8")
    return path.as_uri()


@pytest.mark.parametrize("place", ["&x;", "a &x; b"])
def test_an_entity_cannot_pull_in_a_file(tmp_path: Path, place: str):
    prolog = f"<!DOCTYPE ODM [<!ENTITY x SYSTEM '{secret(tmp_path)}'>]>"
    assert "holds a DOCTYPE" in refused(tmp_path, document(place, prolog))


@pytest.mark.parametrize(
    "prolog",
    [
        "<!DOCTYPE ODM [<!ENTITY x SYSTEM '{url}'>]>",
        "<!DOCTYPE ODM SYSTEM '{url}'>",
        "<!DOCTYPE ODM PUBLIC '-//X//Y' '{url}'>",
        "<!DOCTYPE ODM [<!ENTITY % x SYSTEM '{url}'> %x;]>",
        "<?xml-stylesheet href='{url}' type='text/xsl'?><!DOCTYPE ODM [<!ENTITY x 'y'>]>",
    ],
)
def test_a_document_type_cannot_reach_the_network(
    tmp_path: Path, listener: tuple[int, list[object]], prolog: str
):
    port, met = listener
    text = document("1", prolog.format(url=f"http://127.0.0.1:{port}/x"))
    assert "holds a DOCTYPE" in refused(tmp_path, text)
    assert met == []


def test_includes_schemas_and_stylesheets_are_not_followed(
    tmp_path: Path, listener: tuple[int, list[object]]
):
    port, met = listener
    url = f"http://127.0.0.1:{port}/x"
    include = f"<i:include xmlns:i='http://www.w3.org/2001/XInclude' href='{secret(tmp_path)}'/>"
    include += f"<i:include xmlns:i='http://www.w3.org/2001/XInclude' href='{url}'/>"
    text = document(prolog=f"<?xml-stylesheet href='{url}'?>", inside=include)
    schema = "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:schemaLocation="
    text = text.replace("<ODM ", f"<ODM {schema}'http://www.cdisc.org/ns/odm/v1.3 {url}' ", 1)
    assert value_of(tmp_path, text.encode()) == "1"
    assert met == []


def test_the_listener_would_have_seen_a_connection(listener: tuple[int, list[object]]):
    port, met = listener
    socket.create_connection(("127.0.0.1", port)).close()
    for _ in range(100):
        if met:
            break
        threading.Event().wait(0.02)
    assert len(met) == 1


def test_a_billion_laughs_are_refused_before_the_first(tmp_path: Path):
    entities = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 20))
    prolog = f"<!DOCTYPE ODM [<!ENTITY l0 'ha'>{entities}]>"
    assert "holds a DOCTYPE" in refused(tmp_path, document("&l19;", prolog))


def test_quadratic_blowup_is_refused_before_it_grows(tmp_path: Path):
    prolog = f"<!DOCTYPE ODM [<!ENTITY x '{'a' * 100_000}'>]>"
    assert "holds a DOCTYPE" in refused(tmp_path, document("&x;" * 10_000, prolog))


def test_an_entity_nobody_declared_is_refused(tmp_path: Path):
    assert "Entity 'x' not defined" in refused(tmp_path, document("&x;"))


def test_a_document_type_in_utf_16_is_seen_as_well(tmp_path: Path):
    text = document("&x;", f"<!DOCTYPE ODM [<!ENTITY x SYSTEM '{secret(tmp_path)}'>]>")
    assert "holds a DOCTYPE" in refused(tmp_path, text.encode("utf-16"))


@pytest.mark.parametrize("name", ["UTF-7", "utf7", "unicode-1-1-utf-7"])
def test_utf_7_is_refused_with_or_without_a_document_type(tmp_path: Path, name: str):
    declaration = f'<?xml version="1.0" encoding="{name}"?>'
    hidden = "+ADwAIQ-DOCTYPE ODM +AFsAPAAh-ENTITY x 'y'+AD4AXQA+-"
    refused(tmp_path, document(declaration=declaration, prolog=hidden))
    refused(tmp_path, document(declaration=declaration))


@pytest.mark.parametrize("name", ["x-nobody", "hex", "undefined", "idna", "unicode_escape"])
def test_an_unknown_encoding_is_refused(tmp_path: Path, name: str):
    text = document(declaration=f'<?xml version="1.0" encoding="{name}"?>')
    assert "line 1" in refused(tmp_path, text)


def test_a_hundred_thousand_levels_are_refused(tmp_path: Path):
    deep = "<SubjectData SubjectKey='P'>" * 100_000
    assert "Excessive depth" in refused(tmp_path, document(inside=deep))


def test_an_attribute_of_50_mb_is_refused(tmp_path: Path):
    path = tmp_path / "hostile.xml"
    start, end = document("@").split("@", 1)
    with path.open("w", encoding="utf-8") as file:
        file.write(start)
        file.writelines("a" * 1_000_000 for _ in range(50))
        file.write(end)
    with pytest.raises(LoadError, match="line 2: not readable as XML"):
        read_odm(path, path.name)


def test_a_cut_file_is_refused_with_the_line_where_it_ends(tmp_path: Path):
    text = document().replace("<ItemGroupData", "\n<ItemGroupData")
    assert "line 3: not readable as XML" in refused(tmp_path, text[: text.index("</ItemGroup")])


@pytest.mark.parametrize("content", ["", "   \n", "no XML", "\x00\x01\x02", "<ODM>", "PK\x03\x04"])
def test_what_is_no_xml_is_refused(tmp_path: Path, content: str):
    assert "not readable as XML" in refused(tmp_path, content)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path):
    with pytest.raises(LoadError, match="cannot be read"):
        read_odm(tmp_path / "none.xml", "none.xml")
    with pytest.raises(LoadError, match="cannot be read"):
        read_odm(tmp_path, "folder")


def test_a_code_page_declared_as_utf_8_is_refused(tmp_path: Path):
    text = document("Иванова", declaration='<?xml version="1.0" encoding="UTF-8"?>')
    assert "not readable as XML" in refused(tmp_path, text.encode("windows-1251"))


def test_utf_8_declared_as_a_code_page_is_refused_and_not_misread(tmp_path: Path):
    text = document("Иванова", declaration='<?xml version="1.0" encoding="windows-1251"?>')
    assert "declares windows-1251 but is UTF-8 text" in refused(tmp_path, text.encode())
    assert value_of(tmp_path, text.encode("windows-1251")) == "Иванова"


def test_comments_and_processing_instructions_give_no_data(tmp_path: Path):
    inside = "<!-- <SubjectData SubjectKey='X'/> --><?php echo 1 ?><?xml-model href='x'?>"
    text = document(inside=inside).replace(">1<", ">1<!-- 2 -->3<?x y?>4<")
    path = tmp_path / "odd.xml"
    path.write_text(text, encoding="utf-8")
    [table] = read_odm(path, path.name)
    assert table.rows.select("SubjectKey", "I", "T").rows() == [("P1", "1", "134")]


def test_hostile_names_reach_a_message_short_and_on_one_line(tmp_path: Path):
    name = "x" * 5_000
    assert len(refused(tmp_path, f"<{name}/>")) < 600
    text = refused(
        tmp_path, document(inside="<SubjectData SubjectKey='P' TransactionType='a&#10;b'/>")
    )
    assert "\n" not in text


def test_what_was_read_is_let_go_so_memory_does_not_grow_with_the_file(tmp_path: Path):
    path = tmp_path / "long.xml"
    audit = "<AuditRecord><UserRef UserOID='U'/><!-- x --><?x y?>text</AuditRecord>"
    path.write_text(document(inside=audit * 2_000), encoding="utf-8")
    held = [sum(1 for _ in e.iter()) for event, e in elements(path, frozenset()) if event == "end"]
    assert len(held) > 4_000
    assert max(held) <= 6
