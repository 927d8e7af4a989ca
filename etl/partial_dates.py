"""Milestones without a full date: the middle of the month or year, within what is known.

A middle taken blindly decides outcomes: a relapse of December would fall after a death on the 10th.
So of the days that the date can mean, the nearest to the middle is taken that contradicts no full
date of the patient: not before day 0; nothing after death, nor after the last contact; death and
last contact not before anything that happened.
"""

import polars as pl

from etl.findings import FILE, ROW_ID, in_column
from etl.sources.raw import ROW
from trial.study import Study

CASE = "enrollment_id"
KEY = [FILE, ROW, "milestone_code"]
PARTIAL = ("partial_date", "partial_year")
MESSAGE = (
    "Of the days that this date can mean, the nearest to its middle was taken that fits the other "
    "dates of the patient."
)


def _partial(milestones: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """Milestones of which a part of the date was made up, with the first and last possible day."""
    told = findings.filter(pl.col("rule").is_in(PARTIAL)).select(
        *ROW_ID, "column_name", _span="rule"
    )
    cell = [*ROW_ID, "column_name"]
    rows = milestones.join(told.unique(cell), left_on=[FILE, ROW, "column_name"], right_on=cell)
    year = pl.col("_span") == "partial_year"
    first = pl.when(year).then(pl.col("date").dt.truncate("1y"))
    first = first.otherwise(pl.col("date").dt.truncate("1mo"))
    after = pl.when(year).then(first.dt.offset_by("1y")).otherwise(first.dt.offset_by("1mo"))
    return rows.with_columns(first.alias("_first"), after.dt.offset_by("-1d").alias("_last"))


def _known(partial: pl.DataFrame, full: pl.DataFrame, study: Study) -> pl.DataFrame:
    """What full dates of the patient say within the days that each partial date can mean."""
    code = pl.col("_code")
    terminal = code.is_in([m.code for m in study.milestones if m.is_terminal])
    censors = code.is_in(sorted(_censoring(study)))
    others = full.select(CASE, _code="milestone_code", _date="date")
    inside = partial.join(others, on=CASE).filter(
        pl.col("_date").is_between(pl.col("_first"), pl.col("_last"))
    )
    return inside.group_by(KEY).agg(
        pl.col("_date").filter(terminal).min().alias("_death"),
        pl.col("_date").filter(censors).max().alias("_seen"),
        pl.col("_date").filter(~terminal).max().alias("_happened"),
    )


def _censoring(study: Study) -> set[str]:
    return {e.censor for e in study.endpoints if not e.is_finished}


def with_bounded(
    milestones: pl.DataFrame, findings: pl.DataFrame, enrollments: pl.DataFrame, study: Study
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Milestones with partial dates moved within what is known, and the repairs that this took.

    `milestones` and `findings`: as `etl.staging.StagedFile` has them. A bound outside the possible
    days moves nothing: then the dates contradict each other, and other checks say so.
    """
    partial = _partial(milestones, findings)
    if partial.is_empty():
        return milestones, []
    full = milestones.filter(pl.col("date").is_not_null()).join(partial, on=KEY, how="anti")
    origins = enrollments.select(CASE, "origin_date").unique(CASE, keep="first")
    rows = partial.join(origins, on=CASE, how="left").join(
        _known(partial, full, study), on=KEY, how="left"
    )
    code, origin = pl.col("milestone_code"), pl.col("origin_date")
    ends = code.is_in([m.code for m in study.milestones if m.is_terminal])
    censors = code.is_in(sorted(_censoring(study)))
    begun = pl.when(origin.is_between(pl.col("_first"), pl.col("_last"))).then(origin)
    lowest = pl.max_horizontal(begun, pl.when(ends | censors).then("_happened"))
    highest = pl.min_horizontal(
        pl.when(~ends).then("_death"), pl.when(~ends & ~censors).then("_seen")
    )
    moved = pl.max_horizontal(pl.min_horizontal("date", highest), lowest)
    changed = rows.with_columns(moved.alias("_moved")).filter(pl.col("_moved") != pl.col("date"))
    if changed.is_empty():
        return milestones, []
    joined = milestones.join(
        changed.select(*KEY, "_moved").unique(KEY), on=KEY, how="left", maintain_order="left"
    )
    bounded = joined.with_columns(pl.coalesce("_moved", "date").alias("date")).drop("_moved")
    return bounded, [in_column(changed, "partial_bounded", MESSAGE, "repair")]
