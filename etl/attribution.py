"""The course an adverse event belongs to, and the days on which one can belong to it.

An adverse event belongs to the course in whose window its first day lies: from the first day of
the course to the earliest of the day before the next course, the day of a relapse, the day of
death, and the block's days of attribution after the last day of the course.

The child is at risk of such an event as long as the window is open and the child is alive and
seen: `until_day`, and what ended it, `until_code`. What the export dates after the last contact
(a death, a relapse, a course) was seen, so that it ends a window and is not hidden by the contact.
"""

import polars as pl

from etl.findings import FILE
from etl.sources.raw import ROW
from trial.study import Study

CASE = "enrollment_id"
COURSE = [CASE, "line_number", "block_code", "course_number"]
# What ends the days at risk of a course; of several on one day the first of these is named.
ENDS = ("death", "relapse", "next_course", "window", "censored")
# Those that end the window in which events are looked for, whoever is still seen.
WINDOW_ENDS = ("relapse", "next_course", "window")


def beside(column: str, by: int) -> pl.Expr:
    """What stands so many rows further up (or down, below 0) in rows sorted by enrollment."""
    is_same = pl.col(CASE) == pl.col(CASE).shift(by)
    return pl.when(is_same).then(pl.col(column).shift(by))


def _happened(days: pl.DataFrame, code: str | None, name: str) -> pl.DataFrame:
    """The days of a milestone, by enrollment; none if the study has no such milestone."""
    mine = days.filter(pl.col("milestone_code") == code) if code else days.clear()
    return mine.select(CASE, pl.col("day").cast(pl.Int32).alias(name))


def _last_seen(courses: pl.DataFrame, days: pl.DataFrame, study: Study) -> pl.DataFrame:
    """The last day on which each child was seen; nothing of one without a last contact."""
    rule = study.response
    if rule is None:
        return _happened(days, None, "censored")
    contact = _happened(days, rule.contact, "censored")
    told = [_happened(days, code, "censored") for code in (rule.death, rule.relapse)]
    told.append(courses.select(CASE, censored="start_day"))
    known = pl.concat([contact, *told]).join(contact, on=CASE, how="semi")
    return known.group_by(CASE).agg(pl.col("censored").max())


def _first_relapse(courses: pl.DataFrame, days: pl.DataFrame, study: Study) -> pl.DataFrame:
    """The first relapse on or after the start of each course of a block that one ends."""
    rule = study.response
    relapses = _happened(days, rule.relapse if rule else None, "relapse")
    ends = pl.col("block_code").is_in([b.code for b in study.blocks if b.until_relapse])
    later = ends & (pl.col("relapse") >= pl.col("start_day"))
    rows = courses.join(relapses, on=CASE).filter(later)
    return rows.group_by(COURSE).agg(pl.col("relapse").min())


def _with_ends(courses: pl.DataFrame, days: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Courses in the order of their days, with the last day that each of `ENDS` leaves them.

    None of it is before the first day: a course that begins on the day of the next one, or of the
    death, keeps that day.
    """
    after = {block.code: block.attribution_days for block in study.blocks}
    courses = courses.sort(CASE, "start_day", "line_number", "course_number")
    has_stop = "stop_day" in courses.columns
    stop = pl.coalesce("stop_day", "start_day") if has_stop else pl.col("start_day")
    attributed_for = pl.col("block_code").replace_strict(after, return_dtype=pl.Int32)
    deaths = _happened(days, study.response.death if study.response else None, "death")
    died = deaths.group_by(CASE).agg(pl.col("death").min())
    told = (
        courses.with_columns(
            (stop + attributed_for).alias("window"),
            (beside("start_day", -1) - 1).alias("next_course"),
        )
        .join(_first_relapse(courses, days, study), on=COURSE, how="left", maintain_order="left")
        .join(died, on=CASE, how="left", maintain_order="left")
        .join(_last_seen(courses, days, study), on=CASE, how="left", maintain_order="left")
    )
    start = pl.col("start_day")
    return told.with_columns(
        pl.when(pl.col(end) < start).then(start).otherwise(pl.col(end)).alias(end) for end in ENDS
    )


def with_windows(courses: pl.DataFrame, days: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Courses with `last` (last day on which an adverse event of it can begin), `until_day` (the
    last of these days on which the child was alive and seen) and `until_code` (one of `ENDS`).

    `days`: milestones with their day. Without a response rule nobody knows which milestones are
    death and last contact: only the window and the next course end a course then.
    """
    until = pl.min_horizontal(ENDS)
    code = pl.coalesce(pl.when(pl.col(end) == until).then(pl.lit(end)) for end in ENDS)
    last = pl.min_horizontal(WINDOW_ENDS).alias("last")
    ended = _with_ends(courses, days, study)
    return ended.with_columns(last, until.alias("until_day"), code.alias("until_code")).drop(ENDS)


def attributed(
    facts: dict[str, pl.DataFrame], days: pl.DataFrame, study: Study
) -> dict[str, pl.DataFrame]:
    """The facts, courses with `until_day` and `until_code`, adverse events with their course.

    An event outside every window has no course. Without any event there is an empty table of them.
    """
    events = facts.get("fct_adverse_event", _no_events())
    if "fct_course" not in facts:
        return {**facts, "fct_adverse_event": _with_course(events, _no_courses())}
    courses = with_windows(facts["fct_course"], days, study)
    found = _with_course(events, courses.select(*COURSE, "start_day", "last"))
    return {**facts, "fct_course": courses.drop("last"), "fct_adverse_event": found}


def _no_events() -> pl.DataFrame:
    return pl.DataFrame(
        schema={FILE: pl.Int32, ROW: pl.Int64, CASE: pl.String, "onset_day": pl.Int32}
    )


def _no_courses() -> pl.DataFrame:
    course = {CASE: pl.String, "line_number": pl.Int32, "block_code": pl.String}
    return pl.DataFrame(
        schema={**course, "course_number": pl.Int32, "start_day": pl.Int32, "last": pl.Int32}
    )


def _with_course(events: pl.DataFrame, windows: pl.DataFrame) -> pl.DataFrame:
    # Of two courses with that day the later one, which is the one that is running.
    windows = windows.sort("start_day", maintain_order=True)
    joined = events.sort("onset_day").join_asof(
        windows, left_on="onset_day", right_on="start_day", by=CASE, check_sortedness=False
    )
    is_over = pl.col("onset_day") > pl.col("last")
    course = [pl.when(~is_over).then(pl.col(c)).alias(c) for c in COURSE if c != CASE]
    return joined.with_columns(course).drop("start_day", "last")
