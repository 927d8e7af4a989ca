"""Inspect: what the report says of an export, and how far its drafts get, without a name in either.

The exports are made here. In each, columns that tell who somebody is hold MARK.
"""

import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.errors import LoadError
from etl.inspect import inspect
from etl.inspect.toml_text import entry, note
from etl.load import LoadReport, load
from etl.mapping import Mapping
from etl.mapping_file import read_mapping
from tests.spec.made import STUDY
from trial.document import DocumentError

MARK = "Zzyzx"
N = 12


def _export(folder: Path, **files: str) -> Path:
    export = folder / "export"
    export.mkdir(exist_ok=True)
    for name, text in files.items():
        (export / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return export


def _table(header: str, *rows: str, by: str = ",") -> str:
    return "\n".join(line.replace(",", by) for line in (header, *rows)) + "\n"


def _day(i: int, month: int = 3) -> str:
    return f"{i + 1:02d}.{month:02d}.2019"


def _iso(i: int, month: int = 3) -> str:
    return f"2019-{month:02d}-{i + 1:02d}"


def _clinic(folder: Path) -> Path:
    """A Russian clinic's CSV: one row a child, blocks side by side."""
    header = (
        "№ п/п,ФИО,Код пациента,Дата рождения,Пол (м/ж),Протокол,Дата рецидива,Группа риска,"
        "F1 начало,F1 окончание,F2 начало,F2 окончание,Статус,Дата смерти,"
        "Дата последнего контакта,Примечание"
    )
    rows = []
    for i in range(N):
        dead = i % 4 == 0
        risk = ("S1", "S2", "S3")[i % 3]
        who = f"{i + 1},{MARK} {i},{MARK}-{i},{i + 1:02d}.07.20{i:02d},{'жм'[i % 2]}"
        blocks = f"{_day(i)},{_day(i, 4)},{_day(i, 5)},{_day(i, 6)}"
        end = f"{'умер' if dead else 'жив'},{_day(i, 9) if dead else ''},{_day(i, 9)}"
        protocol = f"ALL-REZ 201{4 + i % 2 * 2}"
        rows.append(f"{who},{protocol},{_day(i)},{risk},{blocks},{end},{MARK} звонил")
    export = _export(folder)
    text = _table(header, *rows, by=";")
    (export / "Реестр.csv").write_bytes(text.encode("cp1251"))
    return export


def _adam(folder: Path) -> Path:
    """ADSL, ADAE and ADTTE, with two patients who were never randomized."""
    adsl = [
        f"S,{MARK}{i},{7 + i},{'FM'[i % 2]},{('Placebo', 'Active')[i % 2]},{_iso(i)},"
        f"{_iso(i, 9) if i % 4 == 0 else ''},{_iso(i, 9)}"
        for i in range(N)
    ]
    adsl += [f"S,{MARK}9{i},9,F,Screen Failure,,,{_iso(i, 9)}" for i in range(2)]
    adae = [
        f"{MARK}{i},{MARK} told by the mother,{('Fever', 'Rash')[i % 2]},General disorders,"
        f"{('MILD', 'MODERATE', 'SEVERE')[i % 3]},{_iso(i, 4)},Y"
        for i in range(N)
    ]
    adtte = [
        f"{MARK}{i},{code},{told},{100 + i},{int(i % 3 == 0)},DAYS"
        for i in range(N)
        for code, told in (("OS", "Overall survival"), ("PFS", "Progression-free survival"))
    ]
    return _export(
        folder,
        adsl__csv=_table("STUDYID,USUBJID,AGE,SEX,ARM,TRTSDT,DTHDT,LSTALVDT", *adsl),
        adae__csv=_table("USUBJID,AETERM,AEDECOD,AEBODSYS,AESEV,ASTDT,AESER", *adae),
        adtte__csv=_table("USUBJID,PARAMCD,PARAM,AVAL,CNSR,AVALU", *adtte),
    )


FIELDS = (
    ("study_no", "baseline", "text", "Number", "", "", "y"),
    ("kin", "baseline", "radio", "Who came along", f"1, {MARK} | 2, {MARK} too", "", "y"),
    ("sex", "baseline", "radio", "Sex", "1, Female | 2, Male", "", ""),
    ("arm", "baseline", "radio", "Arm", "1, Old | 2, New", "", ""),
    ("rand", "baseline", "text", "Date of randomization", "", "date_dmy", ""),
    ("seen", "baseline", "text", "Date of last contact", "", "date_dmy", ""),
    ("story", "baseline", "text", "In short", "", "", ""),
    ("course_block", "courses", "radio", "Block", "1, F1 | 2, F2", "", ""),
    ("course_start", "courses", "text", "First day", "", "date_dmy", ""),
    ("visit_note", "visits", "notes", "Said", "", "", ""),
)
HEADINGS = (
    "Variable / Field Name,Form Name,Field Type,Field Label,"
    '"Choices, Calculations, OR Slider Labels",Text Validation Type OR Show Slider Number,'
    "Identifier?"
)


def _redcap(folder: Path) -> Path:
    """A project with repeating courses and visits, raw values, and its data dictionary."""
    lines = []
    for i in range(N):
        base = f"{i % 2 + 1},{i % 2 + 1},{i % 2 + 1},{_iso(i)},{_iso(i, 9)},{MARK}"
        lines.append(f"{MARK}{i},,,{base},,,")
        lines += [f"{MARK}{i},courses,{k},,,,,,,{k},{_iso(i, 3 + k)}," for k in (1, 2)]
        lines.append(f"{MARK}{i},visits,1,,,,,,,,,{MARK} {i}")
    names = [name for name, *_ in FIELDS]
    keys = "redcap_repeat_instrument,redcap_repeat_instance"
    fields = [",".join(f'"{cell}"' for cell in field) for field in FIELDS]
    return _export(
        folder,
        data__csv=_table(",".join([names[0], keys, *names[1:]]), *lines),
        dictionary__csv="\n".join([HEADINGS, *fields]) + "\n",
    )


def _drafts(export: Path, folder: Path, study: str | None = None) -> tuple[str, Mapping]:
    """The report and all drafts as text, and the mapping read from them."""
    drafts = folder / "drafts"
    told = inspect(export, drafts, study)
    texts = [told, *(p.read_text(encoding="utf-8") for p in sorted(drafts.iterdir()))]
    (mapping,) = drafts.glob("*.mapping.toml")
    return "\n".join(texts), read_mapping(str(mapping), studies=drafts)


def _loaded(export: Path, folder: Path) -> tuple[str, Mapping, LoadReport]:
    text, mapping = _drafts(export, folder)
    return text, mapping, load(export, mapping, folder / "store")


def _line(report: str, start: str) -> str:
    """The line of a report that begins so, single spaces."""
    return next(
        " ".join(line.split()) for line in report.splitlines() if line.strip().startswith(start)
    )


# ---------------------------------------------------------------- the report


def test_a_csv_file_is_told_column_by_column(tmp_path: Path) -> None:
    told = inspect(_clinic(tmp_path), None, None)
    assert "Реестр.csv: 12 rows, 16 columns (CSV, cp1251" in told
    assert _line(told, "Пол") == "Пол (м/ж) choice of 2 12/12 ж (6), м (6)"
    assert _line(told, "Группа") == "Группа риска choice of 3 12/12 S1 (4), S2 (4), S3 (4)"
    assert _line(told, "Дата рец") == "Дата рецидива date %d.%m.%Y 12/12 years 2019 to 2019"
    assert _line(told, "ФИО") == "ФИО text 12/12 not shown: may tell who it is"
    assert _line(told, "Код") == "Код пациента id 12/12 not shown: may tell who it is"
    assert all(len(line) <= 100 for line in told.splitlines())


def test_too_few_cells_have_no_range(tmp_path: Path) -> None:
    told = inspect(_clinic(tmp_path), None, None)
    assert _line(told, "Дата смерти") == "Дата смерти date %d.%m.%Y 3/12"


def test_columns_of_redcap_have_label_and_choices(tmp_path: Path) -> None:
    told = inspect(_redcap(tmp_path), None, None)
    assert "data.csv, rows of courses: 24 rows" in told
    assert _line(told, "sex") == 'sex choice of 2 12/12 "Sex"; 1 = Female (6), 2 = Male (6)'
    assert _line(told, "course_block").endswith('"Block"; 1 = F1 (12), 2 = F2 (12)')
    assert "dictionary.csv: data dictionary of REDCap, 10 fields" in told


def test_the_fixture_of_redcap_is_told_too(repeating: Path) -> None:
    told = inspect(repeating, None, None)
    assert "data dictionary of REDCap" in told and "rows of blood_pressure" in told


@pytest.fixture(scope="module")
def repeating(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("redcap")
    with ZipFile(Path(__file__).parent.parent / "fixtures" / "redcap.zip") as archive:
        for name in ("data.csv", "dictionary.csv"):
            data = archive.read(f"vignette-repeating/{name}")
            (folder / name).write_bytes(data)
    return folder


def test_a_file_that_cannot_be_read_does_not_stop_the_rest(tmp_path: Path) -> None:
    export = _adam(tmp_path)
    (export / "scan.pdf").write_bytes(b"%PDF-1.7\x00\x01")
    told = inspect(export, None, None)
    assert "scan.pdf: cannot be read: scan.pdf" in told
    assert "adsl.csv: 14 rows" in told and "adtte.csv: 24 rows" in told


def test_files_of_the_same_columns_are_told_once(tmp_path: Path) -> None:
    rows = [f"{i},{'FM'[i % 2]}" for i in range(N)]
    site = {f"site{k}__csv": _table("patient_id,sex", *rows) for k in (1, 2)}
    told = inspect(_export(tmp_path, **site), None, None)
    assert "site2.csv: 12 rows, columns as in site1.csv" in told
    assert told.count("choice of 2") == 1


def test_a_rare_long_text_in_a_choice_is_counted_and_not_shown(tmp_path: Path) -> None:
    rows = [f"{i},{('low', 'high')[i % 2]}" for i in range(N)]
    export = _export(tmp_path, a__csv=_table("patient_id,risk", *rows, f"99,ask {MARK} about it"))
    told = inspect(export, None, None)
    assert _line(told, "risk").startswith("risk choice of 3 13/13 high (6), low (6), 1 not shown")


# ---------------------------------------------------------------- who it is stays out


@pytest.mark.parametrize("make", [_clinic, _adam, _redcap])
def test_no_text_that_tells_who_it_is_stands_in_report_or_draft(make, tmp_path: Path) -> None:
    text, _ = _drafts(make(tmp_path), tmp_path)
    assert MARK not in text


def test_names_are_known_by_their_look_where_the_column_does_not_say(tmp_path: Path) -> None:
    rows = [
        f"{MARK}{i % 4},{('Иванов И.И.', 'Петрова А.', 'Сидоров С.С.', 'Ким О.')[i // 4 % 4]},"
        f"{MARK}{'abcd'[i % 4]},F{i % 3 + 1}"
        for i in range(24)
    ]
    told = inspect(_export(tmp_path, a__csv=_table("код,кто,ребенок,блок", *rows)), None, None)
    assert MARK not in told and "Иванов" not in told
    assert "F1 (8), F2 (8), F3 (8)" in told


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8"), min_size=1))
@settings(max_examples=60)
def test_every_text_comes_back_from_toml_as_it_was(text: str, name: str) -> None:
    written = "\n".join([note(text), entry(name, {"codes": {name: [text]}}, text)])
    assert tomllib.loads(written) == {name: {"codes": {name: [text]}}}
    assert len(written.splitlines()) == 2


HOSTILE = ('a"]]]\n[evil]', "{block} \\u0041 '''", "x\u202e\u2028# y", "колонка = 1 ☢")


def test_hostile_names_and_levels_stay_text(tmp_path: Path) -> None:
    names = ['"' + name.replace('"', '""') + '"' for name in HOSTILE]
    rows = [
        f"{i},{names[i % 3]},{names[i % 2]},{names[i % 4]},{names[(i + 1) % 3]},{names[i % 2]}"
        for i in range(24)
    ]
    header = f"patient_id,arm,{','.join(names)}"
    _, mapping = _drafts(_export(tmp_path, a__csv=_table(header, *rows)), tmp_path)
    assert len(mapping.study.cohorts) == 3
    (source,) = mapping.sources
    assert source.enrollment and source.enrollment.cohort.column == "arm"
    assert {text for text, _ in source.enrollment.cohort.codes} == set(HOSTILE[:3])
    assert {column for column in source.columns() if column in HOSTILE}


# ---------------------------------------------------------------- drafts that load


def test_a_draft_of_a_russian_clinic_loads_every_row(tmp_path: Path) -> None:
    _, mapping, report = _loaded(_clinic(tmp_path), tmp_path)
    assert (report.enrollments, report.rows_quarantined) == (N, 0)
    (source,) = mapping.sources
    rule = source.enrollment
    assert rule and rule.origin and rule.origin.column == "Дата рецидива"
    assert source.patient_id == "Код пациента"
    assert [m.code for m in source.milestones] == ["death", "last_contact"]
    death = source.milestones[0]
    assert death.flag and (death.flag.event, death.flag.no_event) == (("умер",), ("жив",))
    assert [x.code for x in mapping.study.characteristics][:2] == ["sex", "age"]
    assert mapping.study.characteristic("age").years_since == "birth"
    assert "ФИО" in source.ignored


def test_blocks_side_by_side_become_one_rule_a_block(tmp_path: Path) -> None:
    _, mapping = _drafts(_clinic(tmp_path), tmp_path)
    facts = mapping.sources[0].facts
    starts = [f.cell("start_day") for f in facts]
    assert [c.column for c in starts if c] == ["F1 начало", "F2 начало"]
    assert [b.code for b in mapping.study.blocks] == ["f1", "f2"]


def test_a_draft_of_adam_takes_finished_times_and_leaves_screen_failures_out(
    tmp_path: Path,
) -> None:
    _, mapping, report = _loaded(_adam(tmp_path), tmp_path)
    counts = {f.file_name: (f.rows_loaded, f.rows_quarantined) for f in report.files}
    assert counts == {"adsl.csv": (12, 0), "adae.csv": (12, 0), "adtte.csv": (24, 0)}
    assert [f.rows_excluded for f in report.files if f.is_enrolling] == [2]
    assert [(e.code, e.is_finished) for e in mapping.study.endpoints] == [
        ("os", True),
        ("pfs", True),
    ]
    assert mapping.study.reference.code == "placebo"
    assert mapping.study.toxicity.steps == ("mild", "moderate", "severe")
    (times,) = [f for s in mapping.sources for f in s.facts if f.table.name == "fct_finished_time"]
    state = times.cell("state")
    assert state and dict(state.codes) == {"0": "event", "1": "censored"}


def test_a_draft_of_redcap_has_a_source_for_each_instrument(tmp_path: Path) -> None:
    _, mapping, report = _loaded(_redcap(tmp_path), tmp_path)
    wheres = [[(c.column, c.values) for c in s.where] for s in mapping.sources]
    kinds = ("", "courses", "visits")
    assert wheres == [[("redcap_repeat_instrument", (kind,))] for kind in kinds]
    counts = [(f.rows_loaded, f.rows_quarantined, f.rows_excluded) for f in report.files]
    # Nothing is recognized in the visits: they are left out with a reason that says so.
    assert counts == [(12, 0, 0), (24, 0, 0), (0, 0, 12)]
    assert [b.label for b in mapping.study.blocks] == ["F1", "F2"]
    assert mapping.study.cohort("new").label == "New"


def test_a_supplement_is_joined_to_its_domain(tmp_path: Path) -> None:
    ids = range(N)
    dm = [f"DM,{i},{'FM'[i % 2]},{('A', 'B')[i % 2]},{_iso(i)},{_iso(i, 9)}" for i in ids]
    supp = [f"DM,{i},,,SITE,North" for i in ids]
    export = _export(
        tmp_path,
        dm__csv=_table("DOMAIN,USUBJID,SEX,ARM,RFSTDTC,RFPENDTC", *dm),
        suppdm__csv=_table("RDOMAIN,USUBJID,IDVAR,IDVARVAL,QNAM,QVAL", *supp),
    )
    _, mapping = _drafts(export, tmp_path)
    assert [(s.file, s.supplement) for s in mapping.sources] == [("dm.csv", "suppdm.csv")]


def test_one_table_in_two_formats_is_mapped_once(tmp_path: Path) -> None:
    rows = [f"{i};{'FM'[i % 2]};{'AB'[i % 2]}" for i in range(N)]
    text = _table("patient_id;sex;arm", *rows)
    export = _export(tmp_path, a__csv=text, a__txt=text.replace(";", ","))
    text, mapping = _drafts(export, tmp_path)
    assert [s.file for s in mapping.sources] == ["a.csv"]
    assert "# a.txt: the same table as a.csv" in text


# ---------------------------------------------------------------- no guess is better


def _registry(folder: Path, relapsed: int, day=_day) -> Path:
    rows = [
        f"{i},{'FM'[i % 2]},{day(i)},{day(i, 8) if i < relapsed else ''},{day(i, 9)}"
        for i in range(N)
    ]
    header = "patient_id,sex,diagnosis_date,relapse_date,last_contact_date"
    return _export(folder, r__csv=_table(header, *rows))


@pytest.mark.parametrize(("relapsed", "day_0"), [(12, "relapse_date"), (5, "diagnosis_date")])
def test_a_relapse_is_day_0_only_if_all_have_one(relapsed: int, day_0: str, tmp_path: Path) -> None:
    _, mapping = _drafts(_registry(tmp_path, relapsed), tmp_path)
    (source,) = mapping.sources
    assert source.enrollment and source.enrollment.origin
    assert source.enrollment.origin.column == day_0
    assert ("relapse" in [m.code for m in source.milestones]) == (relapsed < N)


def test_dates_whose_month_cannot_be_told_are_left_to_a_person(tmp_path: Path) -> None:
    export = _registry(tmp_path, 5, lambda i, month=3: f"{i % 9 + 1:02d}/{month:02d}/2019")
    text, mapping = _drafts(export, tmp_path)
    (source,) = mapping.sources
    assert source.enrollment and source.enrollment.origin is None
    assert source.milestones == ()
    assert "date d/m or m/d?" in text and "cannot be told apart: diagnosis_date" in text


def test_a_status_with_a_word_nobody_knows_is_no_flag(tmp_path: Path) -> None:
    rows = [
        f"{i},{('dead', 'alive', 'abroad')[i % 3]},{_day(i)},{_day(i, 8) if i % 3 == 0 else ''}"
        for i in range(N)
    ]
    header = "patient_id,status,randomization_date,death_date"
    _, mapping = _drafts(_export(tmp_path, r__csv=_table(header, *rows)), tmp_path)
    assert [(m.code, m.flag) for m in mapping.sources[0].milestones] == [("death", None)]


def test_rows_of_several_kinds_are_not_taken_for_one(tmp_path: Path) -> None:
    patients = [f"{i},{'AB'[i % 2]},{_day(i)}" for i in range(N)]
    given = [
        f"{i},R1,1,{_day(i, 4)},{'drug' if i % 2 else ''},{'5' if i % 2 else ''}" for i in range(N)
    ]
    export = _export(
        tmp_path,
        p__csv=_table("patient_id,arm,randomization_date", *patients),
        x__csv=_table("patient_id,block,course_number,start_date,kind,dose", *given),
    )
    text, mapping = _drafts(export, tmp_path)
    assert [s.file for s in mapping.sources] == ["p.csv"]
    assert "rows of several kinds" in text


# ---------------------------------------------------------------- for a study that is there


def _with_study(folder: Path, arms: str) -> Path:
    (folder / "drafts").mkdir()
    (folder / "drafts" / "made.toml").write_text(STUDY, encoding="utf-8")
    rows = [f"{i},{arms.split()[i % 2]},{'xy'[i % 2]},{7 + i},{_day(i)}" for i in range(N)]
    header = "patient_id,protocol,sex,age,randomization_date"
    return _export(folder, p__csv=_table(header, *rows))


def test_a_draft_for_a_known_study_says_what_it_did_not_find(tmp_path: Path) -> None:
    export = _with_study(tmp_path, "Old New")
    text, mapping = _drafts(export, tmp_path, "made")
    assert "no column was recognized as 'responder'" in text
    assert "'sex': column sex, but none of its texts means a level" in text
    report = load(export, mapping, tmp_path / "store")
    assert (report.enrollments, report.rows_quarantined) == (N, 0)


def test_nobody_is_put_into_a_cohort_that_no_text_names(tmp_path: Path) -> None:
    export = _with_study(tmp_path, "X Y")
    text, mapping = _drafts(export, tmp_path, "made")
    assert "no column was recognized as the cohort" in text
    with pytest.raises(LoadError, match="no row could be loaded"):
        load(export, mapping, tmp_path / "store")


# ---------------------------------------------------------------- refusals


def test_a_draft_is_never_written_over(tmp_path: Path) -> None:
    export = _adam(tmp_path)
    _drafts(export, tmp_path)
    before = {p: p.read_bytes() for p in (tmp_path / "drafts").iterdir()}
    with pytest.raises(LoadError, match=r"export\.toml: is there already"):
        inspect(export, tmp_path / "drafts", None)
    assert {p: p.read_bytes() for p in (tmp_path / "drafts").iterdir()} == before


def test_what_cannot_be_drafted_is_said(tmp_path: Path) -> None:
    export = _export(tmp_path, a__csv="when,what\n2019,x\n2019,y\n")
    drafts = tmp_path / "drafts"
    with pytest.raises(LoadError, match="no table has a column that identifies a patient"):
        inspect(export, drafts, None)
    assert not drafts.exists()
    with pytest.raises(LoadError, match="give --draft FOLDER too"):
        inspect(export, None, "made")
    with pytest.raises(DocumentError, match="no study definition 'nowhere'"):
        inspect(_adam(tmp_path), drafts, "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(LoadError, match="holds no file"):
        inspect(tmp_path / "empty", None, None)
