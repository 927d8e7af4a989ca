"""The findings of a load for whoever corrects the export: what, where, what to do, what is solved.

It reads the records of a snapshot, raw texts with them: for the people who hold the export anyway.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from etl.errors import LoadError, printable
from warehouse.query import Snapshot, open_snapshot, read_records
from warehouse.solved import snapshot_before, solved_findings
from warehouse.store import current_ids

# A spreadsheet takes a text that begins so for a formula, and would run it.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
ORDER = {"error": 0, "warning": 1, "repair": 2, "info": 3}
GROUP = ["severity", "file_name", "column_name", "rule"]
COLUMNS = ["state", *GROUP, "source_row", "source_enrollment_id", "raw_text", "message"]
MOST_EXAMPLES = 3


@dataclass(frozen=True)
class Findings:
    """Findings of a snapshot: `open` ones, and those `solved` since the one before (if known)."""

    snapshot: Snapshot
    open: pl.DataFrame
    solved: pl.DataFrame
    before: str | None


def _chosen(store: Path, study: str | None, snapshot_id: str | None) -> str:
    if snapshot_id:
        return snapshot_id
    current = current_ids(store)
    if study is None and len(current) == 1:
        return next(iter(current.values()))
    if study in current:
        return current[study]
    known = ", ".join(sorted(current)) or "none"
    asked = f"no data of study '{study}'" if study else "several studies or none"
    raise LoadError(f"{store}: {asked}. Say which: --study CODE. There are: {known}.")


def findings(store: Path, study: str | None = None, snapshot_id: str | None = None) -> Findings:
    """The findings of a snapshot, of the study's current one if none is named.

    Raises LoadError if the study has no data, SnapshotError for a snapshot that cannot be read.
    """
    snapshot = open_snapshot(store, _chosen(store, study, snapshot_id))
    found = read_records(store, snapshot.snapshot_id, "finding_of")
    before = snapshot_before(store, snapshot)
    solved = solved_findings(store, snapshot, before) if before else found.clear()
    return Findings(snapshot, found, solved, before.snapshot_id if before else None)


def _grouped(frame: pl.DataFrame) -> pl.DataFrame:
    """One row per severity x file x column x rule, the worst first."""
    return (
        frame.group_by(GROUP, maintain_order=True)
        .agg(pl.len().alias("n"), pl.col("message").first(), pl.col("source_row"), "raw_text")
        .sort(pl.col("severity").replace_strict(ORDER), *GROUP[1:])
    )


def _examples(rows: list[int], texts: list[str]) -> str:
    """The first rows and texts of a group; row 0 stands for the whole table."""
    told = [
        (f"row {row}" if row else "the whole table") + (f" '{text[:60]}'" if text else "")
        for row, text in zip(rows, texts, strict=True)
    ]
    more = f" and {len(told) - MOST_EXAMPLES} more" if len(told) > MOST_EXAMPLES else ""
    return ", ".join(told[:MOST_EXAMPLES]) + more


def _lines(frame: pl.DataFrame) -> list[str]:
    lines = []
    for group in _grouped(frame).iter_rows(named=True):
        place = f", column '{group['column_name']}'" if group["column_name"] else ""
        lines.append(
            f"{group['severity']}: {group['file_name']}{place}: {group['rule']} ({group['n']})"
        )
        lines.append(f"    {group['message']}")
        lines.append(f"    {_examples(group['source_row'], group['raw_text'])}")
    return lines


def in_words(found: Findings) -> str:
    """The findings by file, column and check, with examples, and what is solved."""
    lines = [f"Snapshot {found.snapshot.snapshot_id}: {found.open.height} findings."]
    lines += _lines(found.open)
    if found.before is None:
        return "\n".join([*lines, "There is no snapshot before it to compare with."])
    lines.append(f"Solved since snapshot {found.before}: {found.solved.height} findings.")
    return "\n".join([*lines, *_lines(found.solved)])


def _harmless(text: str) -> str:
    """A text that neither a spreadsheet nor a terminal obeys."""
    plain = printable(text).replace("\n", " ")
    return f"'{plain}" if text.startswith(FORMULA_STARTS) else plain


def write_csv(found: Findings, path: Path) -> None:
    """Every finding as a row of a CSV file that a spreadsheet opens without running anything."""
    frames = [
        frame.select(pl.lit(state).alias("state"), pl.all()).select(COLUMNS)
        for state, frame in (("open", found.open), ("solved", found.solved))
    ]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in pl.concat(frames).iter_rows():
            writer.writerow([_harmless(v) if isinstance(v, str) else v for v in row])
