"""The course an adverse event belongs to.

An adverse event belongs to the course in whose window its first day lies: from the first day of
the course to the earliest of the day before the next course, the day of a relapse, the day of
death, and the block's days of attribution after the last day of the course.
"""

import polars as pl

from etl.findings import FILE
from etl.sources.raw import ROW
from trial.study import Study

CASE = "enrollment_id"
COURSE = [CASE, "line_number", "block_code", "course_number"]


def beside(column: str, by: int) -> pl.Expr:
    """What stands so many rows further up (or down, below 0) in rows sorted by enrollment."""
    is_same = pl.col(CASE) == pl.col(CASE).shift(by)
    return pl.when(is_same).then(pl.col(column).shift(by))


def course_windows(facts: dict[str, pl.DataFrame], days: pl.DataFrame, study: Study):
    """Each course with the first and last day an adverse event of it can begin."""
    empty = {CASE: pl.String, "line_number": pl.Int32, "block_code": pl.String}
    schema = {**empty, "course_number": pl.Int32, "start_day": pl.Int32, "last": pl.Int32}
    if "fct_course" not in facts:
        return pl.DataFrame(schema=schema)
    after = {block.code: block.attribution_days for block in study.blocks}
    courses = facts["fct_course"].sort(CASE, "start_day", "line_number", "course_number")
    stop = (
        pl.coalesce("stop_day", "start_day")
        if "stop_day" in courses.columns
        else pl.col("start_day")
    )
    courses = courses.with_columns(
        (stop + pl.col("block_code").replace_strict(after, return_dtype=pl.Int32)).alias("last"),
        (beside("start_day", -1) - 1).alias("next"),
    )
    rule = study.response
    if rule and rule.relapse:
        relapses = days.filter(pl.col("milestone_code") == rule.relapse)
        joined = courses.join(relapses.select(CASE, relapse="day"), on=CASE, how="left")
        ends = pl.col("block_code").is_in([b.code for b in study.blocks if b.until_relapse])
        later = ends & (pl.col("relapse") >= pl.col("start_day"))
        first = joined.filter(later).group_by(COURSE).agg(pl.col("relapse").min())
        courses = courses.join(first, on=COURSE, how="left")
    else:
        courses = courses.with_columns(pl.lit(None, pl.Int32).alias("relapse"))
    last = pl.min_horizontal("last", "next", "relapse")
    # A course that begins on the day of the next one keeps that day.
    last = pl.max_horizontal(last, pl.when(pl.col("next") < pl.col("start_day")).then("start_day"))
    return courses.select(*COURSE, "start_day", last.alias("last"))


def attributed(facts: dict[str, pl.DataFrame], days: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Adverse events with the course they belong to, empty outside any."""
    events = facts.get("fct_adverse_event")
    if events is None:
        return pl.DataFrame(
            schema={FILE: pl.Int32, ROW: pl.Int64, CASE: pl.String, "onset_day": pl.Int32}
        )
    windows = course_windows(facts, days, study).sort("start_day", maintain_order=True)
    # Of two courses with that day the later one, which is the one that is running.
    ordered = events.sort("onset_day")
    joined = ordered.join_asof(
        windows, left_on="onset_day", right_on="start_day", by=CASE, check_sortedness=False
    )
    is_over = pl.col("onset_day") > pl.col("last")
    course = [pl.when(~is_over).then(pl.col(c)).alias(c) for c in COURSE if c != CASE]
    return joined.with_columns(course).drop("start_day", "last")
