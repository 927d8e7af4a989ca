"""Rows left out by rule: screen failures and the like, with everything else of the same person.

They are no error and no loss: each is counted, with the reason that the mapping gives.
"""

from dataclasses import replace

import polars as pl

from etl.findings import FILE, ROW_ID, found
from etl.sources.raw import ROW
from etl.staging import EXCLUDED_COLUMNS, StagedFile
from trial.schema import EXCLUDED

CASE = "enrollment_id"


def _persons(staged: list[StagedFile]) -> pl.DataFrame:
    """Enrollments that an enrolling source leaves out altogether, with the reason."""
    out = [file.excluded for file in staged if file.source.enrollment]
    persons = pl.concat([pl.DataFrame(schema=EXCLUDED_COLUMNS), *out])
    enrolled = pl.concat([file.enrollments.select(CASE) for file in staged])
    first = persons.sort(FILE, ROW).unique(CASE, keep="first")
    return first.join(enrolled, on=CASE, how="anti").select(CASE, "reason")


def _contradicted(file: StagedFile, enrolled: pl.DataFrame) -> pl.DataFrame:
    """Rows that leave somebody out whom another row enrolls: one of them is wrong."""
    rows = file.excluded if file.source.enrollment else file.excluded.clear()
    message = "Left out by this row, and enrolled by another. Loaded; correct one of them."
    both = rows.join(enrolled, on=CASE, how="semi")
    return found(both, "excluded_and_enrolled", "warning", message)


def _without(file: StagedFile, persons: pl.DataFrame) -> StagedFile:
    """A file without the rows of these persons, which are left out with them."""
    theirs = file.rows.join(persons, on=CASE).select(*EXCLUDED_COLUMNS)
    excluded = pl.concat([file.excluded, theirs])
    if excluded.is_empty():
        return file
    notes = [
        found(excluded.filter(pl.col("reason") == reason), EXCLUDED + reason, "info", message)
        for reason in excluded["reason"].unique().sort().to_list()
        for message in [f"Left out by the mapping: {reason}."]
    ]
    gone = theirs.select(ROW)
    seen = file.findings.join(gone, left_on="source_row", right_on=ROW, how="anti")

    def kept(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.join(gone, on=ROW, how="anti")

    return replace(
        file,
        enrollments=kept(file.enrollments),
        milestones=kept(file.milestones),
        denials=kept(file.denials),
        feeds=kept(file.feeds),
        facts={name: kept(frame) for name, frame in file.facts.items()},
        rows=kept(file.rows),
        findings=pl.concat([seen, *notes]),
        excluded=excluded,
    )


def without_excluded(staged: list[StagedFile]) -> tuple[pl.DataFrame, list[StagedFile]]:
    """The rows left out of all files (file_number, source_row), and the files without them."""
    persons = _persons(staged)
    enrolled = pl.concat([file.enrollments.select(CASE) for file in staged])
    staged = [
        replace(file, findings=pl.concat([file.findings, _contradicted(file, enrolled)]))
        for file in staged
    ]
    files = [_without(file, persons) for file in staged]
    rows = pl.concat([pl.DataFrame(schema=EXCLUDED_COLUMNS), *(file.excluded for file in files)])
    return rows.select(file_number=FILE, source_row=ROW).unique(ROW_ID), files
