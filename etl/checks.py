"""Checks between rows: one set of baseline facts a patient, one day a milestone, nobody orphaned.

Quarantining a row can orphan another, so the checks run until nothing new is found. Which rows
are bad is decided by the findings alone; a fact is loaded when no error condemns its row.
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from etl.findings import FILE, bad_rows, found, without_bad
from etl.sources.csv_file import ROW

# Facts of one patient that differ between rows are all kept out: nobody can say which is right.
CONFLICT = "Rows of one patient disagree ({what}); all of them are kept out. Correct the export."


@dataclass(frozen=True)
class Checked:
    """Facts that passed, and all findings.

    `enrollments`: one row per patient_id. `milestones`: one row per patient_id x milestone_code,
    with its day. `sources`: every row that a loaded fact stands on (file, row, patient_id,
    table_name, item_code).
    """

    enrollments: pl.DataFrame
    milestones: pl.DataFrame
    sources: pl.DataFrame
    findings: pl.DataFrame
    latest_date: date | None


def _differing(frame: pl.DataFrame, keys: list[str], facts: list[str]) -> pl.DataFrame:
    """Rows of the groups whose facts are not all the same."""
    n_versions = pl.struct(facts).n_unique().over(keys)
    return frame.filter(n_versions > 1)


def _later_copies(frame: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """All rows of a group but its first."""
    return frame.filter(pl.int_range(pl.len()).over(keys, order_by=[FILE, ROW]) > 0)


def _conflicts(
    enrollments: pl.DataFrame, milestones: pl.DataFrame, facts: list[str], cutoff: date | None
) -> list[pl.DataFrame]:
    """Errors between rows, among facts that no error condemns yet."""
    baseline = _differing(enrollments, ["patient_id"], facts)
    later = enrollments.filter(pl.col("origin_date") > cutoff) if cutoff else enrollments.clear()
    orphans = milestones.join(enrollments, on="patient_id", how="anti")
    dated = milestones.filter(pl.col("date").is_not_null())
    known = enrollments.unique("patient_id", maintain_order=True)
    dated = dated.join(known.select("patient_id", "origin_date"), on="patient_id")
    early = dated.filter(pl.col("date") < pl.col("origin_date"))
    several = _differing(milestones, ["patient_id", "milestone_code"], ["day", "date"])
    frames = [
        found(baseline, "conflicting_baseline", "error", CONFLICT.format(what="baseline facts")),
        found(
            orphans,
            "no_enrollment",
            "error",
            "No loaded row enrolls this patient. Correct the rows of the patient.",
        ),
        found(
            later,
            "enrolled_after_cutoff",
            "error",
            "Day 0 is after the data cut-off. Declare a later cut-off to count this patient.",
        ),
        _in_column(
            early,
            "before_day_0",
            "This date is before day 0 of the patient. Correct one of the two dates.",
        ),
        _in_column(several, "conflicting_milestone", CONFLICT.format(what="two days")),
    ]
    return [frame for frame in frames if frame.height]


def _in_column(rows: pl.DataFrame, rule: str, message: str, severity: str = "error"):
    """Findings at the column and raw text that each milestone carries itself."""
    base = found(rows, rule, severity, message)
    return (
        base.with_columns(rows["column_name"], rows["raw_text"].fill_null(""))
        if rows.height
        else base
    )


def _cut(milestones: pl.DataFrame, cutoff: date | None, censoring: set[str]) -> tuple:
    """Apply the data cut-off to dated milestones: what is later does not count.

    A censoring milestone after the cut-off moves to it; any other is not loaded.
    """
    if cutoff is None:
        return milestones, milestones.clear(), milestones.clear()
    late = pl.col("date") > cutoff
    censors = pl.col("milestone_code").is_in(sorted(censoring))
    moved = milestones.filter(late & censors)
    dropped = milestones.filter(late & ~censors)
    kept = milestones.filter(~(late & ~censors).fill_null(False)).with_columns(
        pl.when(late).then(pl.lit(cutoff)).otherwise(pl.col("date")).alias("date")
    )
    return kept, moved, dropped


def check(
    enrollments: pl.DataFrame,
    milestones: pl.DataFrame,
    findings: pl.DataFrame,
    *,
    repeats: bool,
    cutoff: date | None,
    censoring: set[str],
) -> Checked:
    """Check facts against each other; see `etl.staging.StagedFile` for the frames that come in.

    `repeats`: several rows of a patient may carry the same baseline facts. `censoring`: the
    milestones that end observation.
    """
    facts = [c for c in enrollments.columns if c not in (FILE, ROW, "patient_id")]
    all_findings = findings
    while True:
        good = without_bad(enrollments, all_findings)
        happened = without_bad(milestones, all_findings)
        n_bad = bad_rows(all_findings).height
        all_findings = pl.concat([all_findings, *_conflicts(good, happened, facts, cutoff)])
        if bad_rows(all_findings).height == n_bad:
            break
    latest = _latest(good, happened)
    happened, moved, dropped = _cut(happened, cutoff, censoring)
    copies = [
        found(
            _later_copies(happened, ["patient_id", "milestone_code"]),
            "identical_copy",
            "repair",
            "The same fact stands in an earlier row; counted once.",
        )
    ]
    if not repeats:
        copies.append(
            found(
                _later_copies(good, ["patient_id"]),
                "identical_copy",
                "repair",
                "The same baseline facts stand in an earlier row; counted once.",
            )
        )
    late = [
        _in_column(moved, "after_cutoff", "After the data cut-off; observed up to it.", "warning"),
        _in_column(dropped, "after_cutoff", "After the data cut-off; not counted.", "warning"),
    ]
    return Checked(
        enrollments=good.sort(FILE, ROW).unique("patient_id", keep="first", maintain_order=True),
        milestones=_days(happened, good),
        sources=_sources(good, happened),
        findings=pl.concat([all_findings, *copies, *late]),
        latest_date=latest,
    )


def _latest(enrollments: pl.DataFrame, milestones: pl.DataFrame) -> date | None:
    """The latest calendar date among the facts, None if the export has none."""
    dates = pl.concat([enrollments["origin_date"].alias("date"), milestones["date"]])
    latest = dates.max()
    return latest if isinstance(latest, date) else None


def _days(milestones: pl.DataFrame, enrollments: pl.DataFrame) -> pl.DataFrame:
    origins = enrollments.select("patient_id", "origin_date").unique("patient_id")
    since = (pl.col("date") - pl.col("origin_date")).dt.total_days().cast(pl.Int32)
    return (
        milestones.join(origins, on="patient_id", how="left")
        .with_columns(pl.coalesce("day", since).alias("day"))
        .sort(FILE, ROW)
        .unique(["patient_id", "milestone_code"], keep="first", maintain_order=True)
        .select("patient_id", "milestone_code", "day")
    )


def _sources(enrollments: pl.DataFrame, milestones: pl.DataFrame) -> pl.DataFrame:
    keys = [FILE, ROW, "patient_id"]
    return pl.concat(
        [
            enrollments.select(
                *keys,
                pl.lit("dim_enrollment").alias("table_name"),
                pl.lit("").alias("item_code"),
            ),
            milestones.select(
                *keys,
                pl.lit("fct_milestone").alias("table_name"),
                pl.col("milestone_code").alias("item_code"),
            ),
        ]
    )
