"""Inspect: what is in an export, for a person; and drafts of its mapping and its study.

Nothing is loaded. What could tell who somebody is stands neither in the report nor in a draft.
"""

from pathlib import Path

from etl.errors import LoadError, shown
from etl.inspect.draft_mapping import mapping_text
from etl.inspect.draft_study import study_text
from etl.inspect.meanings import suffixed
from etl.inspect.report import report
from etl.inspect.roles import recognize
from etl.inspect.units import Found, look_into
from etl.sources.export import opened
from trial.document import parse_document
from trial.found_terms import code_of
from trial.study import Study
from trial.study_file import STUDIES, parse_study, read_study

_NO_PATIENT = (
    "no table has a column that identifies a patient, so there is nothing to draft. Name one such "
    "a column patient_id, or write the mapping by hand."
)


def inspect(path: Path, draft: Path | None, study: str | None) -> str:
    """What the export at `path` (a file, a folder or a zip) holds, as text for a terminal.

    `draft`: a folder to write a draft mapping into, made if it is not there; `study`: the code of
    a study, in that folder or of the project, that the mapping is for; without it a draft study is
    written too. Files that cannot be read are told with the reason.

    Raises LoadError if the export cannot be opened, holds no file, has no patient identifier to
    draft a mapping with, or a draft is there already; DocumentError if the study is not known.
    """
    if study and draft is None:
        raise LoadError("--study says what a draft is for: give --draft FOLDER too.")
    with opened(path) as export:
        found = look_into(export)
    if not found.units and not found.others:
        raise LoadError(f"{path}: holds no file. Give the folder or file of the export.")
    told = report(found)
    return told if draft is None else f"{told}\n\n{_drafted(path, found, draft, study)}"


def _drafted(path: Path, found: Found, folder: Path, study_code: str | None) -> str:
    """Write the drafts; what was written, and how to go on."""
    seen = recognize(found)
    if seen is None:
        raise LoadError(f"{path}: {_NO_PATIENT}")
    title = shown(path.resolve().name.partition(".")[0], 80)
    if study_code:
        study, files = _known_study(study_code, folder), {}
    else:
        code = _new_code(title)
        text = study_text(seen, code, title)
        study = parse_study(parse_document(f"{code}.toml", text))
        files = {f"{code}.toml": text}
    name = f"{study.code}.mapping.toml"
    files[name] = mapping_text(seen, found, study, own=not study_code)
    _write(folder, files)
    written = "\n".join(f"Written: {folder / name}" for name in files)
    load = f"python -m etl load {path} --mapping {folder / name} --studies {folder}"
    return f"{written}\nCorrect the lines marked 'guess' and 'fill in', then: {load}"


def _new_code(title: str) -> str:
    """A code for the draft study that no study of the project has."""
    code = code_of(title)
    return suffixed(code, "_draft") if (STUDIES / f"{code}.toml").is_file() else code


def _known_study(code: str, folder: Path) -> Study:
    own = (folder / f"{code}.toml").is_file()
    return read_study(code, folder if own else STUDIES)


def _write(folder: Path, files: dict[str, str]) -> None:
    """Write all files or none; nothing is written over."""
    there = [name for name in files if (folder / name).exists()]
    if there:
        raise LoadError(f"{folder / there[0]}: is there already. Give another folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            with (folder / name).open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise LoadError(f"{folder}: cannot be written to: {error.strerror}.") from error
