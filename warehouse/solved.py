"""Which findings of the snapshot before are gone: what a corrected export has solved.

A finding is the same if it says the same of the same cell of the same enrollment: rows may stand
elsewhere in the next export. Of findings that are alike, as many are gone as there are fewer.
"""

from pathlib import Path

import polars as pl

from warehouse.query import Snapshot, SnapshotError, open_snapshot, query, read_records

FIRST_COMPARED_VERSION = 4
SAME = ["file_name", "source_enrollment_id", "column_name", "rule", "raw_text"]
COUNTED = ["source_code", "severity", "rule", "column_name"]


def snapshot_before(store: Path, snapshot: Snapshot) -> Snapshot | None:
    """The snapshot that was current when this one was built.

    None if there was none, if it is not there any more, or if it was made by an older program
    that did not say whose row a finding is about.
    """
    named = snapshot.load["previous_snapshot_id"]
    if named is None:
        return None
    try:
        before = open_snapshot(store, named)
    except SnapshotError:
        return None
    return before if before.load["schema_version"] >= FIRST_COMPARED_VERSION else None


def solved_counts(now: Snapshot, before: Snapshot) -> pl.DataFrame:
    """Checks with fewer findings than before: counts alone, no records are opened.

    Grain: one row per source_code x severity x rule x column_name; columns before, now.
    """
    told = []
    for snapshot in (before, now):
        sources = query(snapshot, "file").select("file_number", "source_code")
        issues = query(snapshot, "issue").join(sources, on="file_number")
        told.append(issues.group_by(COUNTED).agg(pl.col("n_findings").sum().alias("n")))
    both = told[0].join(told[1], on=COUNTED, how="left", suffix="_now").fill_null(0)
    fewer = both.filter(pl.col("n") > pl.col("n_now")).sort(COUNTED)
    return fewer.select(*COUNTED, pl.col("n").alias("before"), pl.col("n_now").alias("now"))


def solved_findings(store: Path, now: Snapshot, before: Snapshot) -> pl.DataFrame:
    """Findings of the snapshot before that are gone, with their cells: for clinicians alone.

    Columns of `queries/finding_of.sql`; source_row is the row of the export before.
    """
    then, still = (read_records(store, s.snapshot_id, "finding_of") for s in (before, now))
    left = still.group_by(SAME).agg(pl.len().alias("_left"))
    number = pl.int_range(pl.len()).over(SAME)
    joined = then.with_columns(number.alias("_number")).join(
        left, on=SAME, how="left", nulls_equal=True, maintain_order="left"
    )
    return joined.filter(pl.col("_number") >= pl.col("_left").fill_null(0)).drop("_number", "_left")
