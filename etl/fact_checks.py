"""Checks of courses, infusions, samples and adverse events."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from etl.attribution import COURSE, beside
from etl.cells import MAX_DAY, every_row
from etl.fact_tables import FACT_TABLES, FactTable, fact_table
from etl.findings import FILE
from etl.places import Places
from etl.repeats import differing, later
from etl.sources.raw import ROW
from etl.staging_facts import CARRIED, COUNTED, SPAN
from trial.study import Study

CASE = "enrollment_id"
FACT_KEY = (FILE, ROW)
# By whether it is the end of what the row tells, or another later day of it.
BEFORE_START = {
    True: ("stop_before_start", "It ends before it begins."),
    False: ("day_before_start", "This day is before the first day of what it belongs to."),
}


@dataclass(frozen=True)
class Known:
    """What the warnings look at beside the facts: milestones with their days, doubts, study."""

    days: pl.DataFrame
    doubts: pl.DataFrame
    study: Study

    def in_doubt(self, *codes: str) -> pl.DataFrame:
        """Enrollments of which a quarantined row might have told of one of these."""
        return self.doubts.filter(pl.col("milestone_code").is_in(codes)).select(CASE).unique()

    def first_day(self, code: str, name: str) -> pl.DataFrame:
        """The first day of a milestone, by enrollment."""
        mine = self.days.filter(pl.col("milestone_code") == code)
        return mine.group_by(CASE).agg(pl.col("day").min().alias(name))

    @property
    def death(self) -> str:
        """The terminal milestone."""
        return next((m.code for m in self.study.milestones if m.is_terminal), "")


def _day_columns(table: FactTable) -> list[str]:
    return [c.name for c in table.columns if c.kind == "day"]


def _later_days(table: FactTable) -> list[str]:
    """The days that cannot be before the one that dates the row."""
    return [name for name in _day_columns(table) if name != table.day]


def _with_days(frame: pl.DataFrame, table: FactTable, enrollments: pl.DataFrame) -> pl.DataFrame:
    """Dates as days since day 0, of rows whose enrollment is loaded: the others are orphans."""
    origins = enrollments.select(CASE, "origin_date").unique(CASE)
    frame = frame.join(origins, on=CASE, maintain_order="left")
    for name in _day_columns(table):
        if name in frame.columns:
            since = (pl.col(f"{name}_date") - pl.col("origin_date")).dt.total_days()
            frame = frame.with_columns(pl.coalesce(pl.col(name), since.cast(pl.Int32)).alias(name))
    return frame.drop("origin_date")


def resolved(facts: dict[str, pl.DataFrame], enrollments: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Facts in days; a course that names no line gets the one running on its first day."""
    days = {
        table.name: _with_days(facts[table.name], table, enrollments)
        for table in FACT_TABLES
        if table.name in facts
    }
    if "fct_course" in days:
        days["fct_course"] = _with_line(days["fct_course"], days.get("dim_line"))
    if "fct_course" in days and COUNTED in days["fct_course"].columns:
        days["fct_course"] = _with_number(days["fct_course"])
    return days


def _with_number(courses: pl.DataFrame) -> pl.DataFrame:
    """Courses that are counted get 1, 2, 3 in the order of their first days."""
    order = pl.col("start_day").rank("dense").over(CASE, "line_number", "block_code")
    counted = pl.when(pl.col(COUNTED)).then(order.cast(pl.Int32))
    return courses.with_columns(pl.coalesce(counted, "course_number").alias("course_number"))


def spanned(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Rows that the mapping puts together as one: from the first start to the last stop.

    It has no stop if the part that begins last has none: that one still runs.
    """
    table = fact_table(name)
    if SPAN not in frame.columns:
        return frame
    parts = frame.filter(pl.col(SPAN))
    key = [CASE, *(k for k in table.key if k in frame.columns)]
    day, end = str(table.day), str(table.end)
    said = [c for c in frame.columns if c not in (*key, day, end)]
    ended = pl.col(end) if end in frame.columns else pl.lit(None, pl.Int32).alias(end)
    runs = (ended.is_null() & (pl.col(day) == pl.col(day).max())).any()
    stop = pl.when(~runs & (ended.max() >= pl.col(day).max())).then(ended.max())
    one = (
        parts.sort(FILE, ROW)
        .group_by(key, maintain_order=True)
        .agg(pl.col(said).drop_nulls().first(), pl.col(day).min(), stop.alias(end))
    )
    rest = frame.filter(pl.col(SPAN).is_null())
    return pl.concat([rest, one.select(frame.columns)])


def _with_line(courses: pl.DataFrame, lines: pl.DataFrame | None) -> pl.DataFrame:
    """Courses with their line: line 1 where the export has no lines."""
    if "line_number" not in courses.columns:
        courses = courses.with_columns(pl.lit(None, pl.Int32).alias("line_number"))
    if lines is None:
        return courses.with_columns(pl.col("line_number").fill_null(1))
    running = lines.select(CASE, "start_day", _running="line_number").sort("start_day")
    joined = courses.with_row_index("_order").sort("start_day")
    joined = joined.join_asof(running, on="start_day", by=CASE, check_sortedness=False)
    filled = pl.coalesce("line_number", "_running").alias("line_number")
    return joined.with_columns(filled).sort("_order").drop("_order", "_running")


def fact_errors(days: dict[str, pl.DataFrame], study: Study, place: Places) -> list[pl.DataFrame]:
    """Errors of fact rows that no error condemns yet; `days`: the facts, resolved."""
    found = []
    for name, frame in days.items():
        found += _day_errors(frame, fact_table(name), place)
        found.append(_conflicting(frame, fact_table(name), place))
    return [*found, *_orphans(days, study, place)]


def _day_errors(frame: pl.DataFrame, table: FactTable, place: Places) -> list[pl.DataFrame]:
    found = []
    for name in _day_columns(table):
        if name not in frame.columns:
            continue
        where = f"{table.name}.{name}"
        before, after = frame.filter(pl.col(name) < 0), frame.filter(pl.col(name) > MAX_DAY)
        message = "This date is before day 0 of the patient. Correct one of the two dates."
        found.append(place.found(before, where, "before_day_0", "error", message))
        message = f"More than {MAX_DAY} days after day 0. Correct one of the two dates."
        found.append(place.found(after, where, "not_a_day", "error", message))
    for name in _later_days(table):
        if name not in frame.columns:
            continue
        wrong = frame.filter(pl.col(name) < pl.col(str(table.day)))
        rule, told = BEFORE_START[name == table.end]
        message = f"{told} Correct one of the two dates."
        found.append(place.found(wrong, f"{table.name}.{name}", rule, "error", message))
    return found


def _values(frame: pl.DataFrame) -> list[str]:
    """The columns that say what a row is about, not where it stood or how it was written."""
    apart = (*FACT_KEY, *CARRIED)
    return [c for c in frame.columns if c not in apart and not c.endswith("_date")]


def _conflicting(frame: pl.DataFrame, table: FactTable, place: Places) -> pl.DataFrame:
    """Rows of one key that say different things: nobody knows which is right."""
    key = [CASE, *(k for k in table.key if k in frame.columns)]
    rows = frame.clear()
    if SPAN in frame.columns:
        parts = frame.filter(pl.col(SPAN).is_not_null())
        rows = _torn(parts, key, [c for c in _values(frame) if c not in (table.day, table.end)])
        frame = frame.filter(pl.col(SPAN).is_null())
    if table.key:
        rows = pl.concat([rows, differing(frame, key, _values(frame))])
    message = "Two rows with the same key disagree; both are kept out. Correct the export."
    return place.found(rows, table.name, "conflicting_rows", "error", message)


def _torn(parts: pl.DataFrame, key: list[str], told: list[str]) -> pl.DataFrame:
    """Parts of one course that say different things of it; a blank says nothing."""
    several = [pl.col(c).drop_nulls().n_unique().over(key) > 1 for c in told if c not in key]
    return parts.filter(pl.any_horizontal(every_row(False), *several))


def _lines(facts: dict[str, pl.DataFrame], frame: pl.DataFrame) -> pl.DataFrame:
    """The lines that rows can stand on; an export without lines has line 1 of everybody."""
    if "dim_line" in facts:
        return facts["dim_line"].select(CASE, "line_number").unique()
    return frame.select(CASE, pl.lit(1, pl.Int32).alias("line_number")).unique()


def _orphans(facts: dict[str, pl.DataFrame], study: Study, place: Places) -> list[pl.DataFrame]:
    """Rows that stand on a line or course that is not loaded."""
    found = []
    message = "This line of therapy is not loaded. Correct its row, or the line number here."
    for name in ("fct_course", "fct_infusion", "fct_assessment"):
        if name in facts and "line_number" in facts[name].columns:
            # A course that names no line and falls into none stands on nothing.
            named = every_row(True) if name == "fct_course" else pl.col("line_number").is_not_null()
            frame = facts[name].filter(named)
            rows = frame.join(_lines(facts, frame), on=[CASE, "line_number"], how="anti")
            found.append(place.found(rows, name, "no_line", "error", message))
    if "fct_infusion" in facts and "fct_course" in facts:
        rows = facts["fct_infusion"].join(facts["fct_course"], on=COURSE, how="anti")
        if "dim_line" in facts:
            rows = rows.join(_lines(facts, rows), on=[CASE, "line_number"], how="semi")
        message = "The course of this infusion is not loaded. Correct its row, or the course here."
        found.append(place.found(rows, "fct_infusion", "no_course", "error", message))
    return found


def in_days(
    facts: dict[str, pl.DataFrame], cutoff: date | None, place: Places
) -> tuple[dict[str, pl.DataFrame], list[pl.DataFrame]]:
    """Resolved facts with nothing after the cut-off; findings of what was cut."""
    kept: dict[str, pl.DataFrame] = {}
    findings = []
    for name, dated in facts.items():
        table = fact_table(name)
        if table.day is None or cutoff is None:
            kept[name] = dated
            continue
        late = every_row(False)
        if f"{table.day}_date" in dated.columns:
            late = (pl.col(f"{table.day}_date") > cutoff).fill_null(False)
        for later_day in (d for d in _later_days(table) if f"{d}_date" in dated.columns):
            # What goes on beyond the cut-off has no end yet.
            ends = pl.col(f"{later_day}_date") > cutoff
            end = pl.when(ends.fill_null(False)).then(None).otherwise(pl.col(later_day))
            dated = dated.with_columns(end.alias(later_day))
        message = "After the data cut-off; not counted."
        where = f"{name}.{table.day}"
        findings.append(place.found(dated.filter(late), where, "after_cutoff", "warning", message))
        kept[name] = dated.filter(~late)
    return kept, findings


def copies(name: str, frame: pl.DataFrame, place: Places) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of a fact table without exact copies, and the repairs that this took."""
    is_copy = later(frame, _values(frame))
    again = "The same row stands further up; counted once."
    found = place.found(frame.filter(is_copy), name, "identical_copy", "repair", again)
    return frame.filter(~is_copy) if is_copy.any() else frame, found


def fact_warnings(
    facts: dict[str, pl.DataFrame], known: Known, place: Places
) -> list[pl.DataFrame]:
    """What is loaded and listed: see the message of each."""
    found = _after_death(facts, known, place)
    if "fct_course" in facts:
        found.append(_overlapping(facts["fct_course"], place))
    if "fct_assessment" in facts:
        found += _sample_warnings(facts, known, place)
    if facts["fct_adverse_event"].height:
        found += _event_warnings(facts["fct_adverse_event"], known, place)
    return found


def _after_death(facts: dict[str, pl.DataFrame], known: Known, place: Places) -> list[pl.DataFrame]:
    died = known.first_day(known.death, "death")
    message = "After the patient's death, by the days in the export. Check both days."
    found = []
    for name, frame in facts.items():
        columns = [c for c in _day_columns(fact_table(name)) if c in frame.columns]
        if not columns:
            continue
        last = pl.max_horizontal(columns)
        after = frame.join(died, on=CASE).filter(last > pl.col("death"))
        for column in columns:
            rows, where = after.filter(pl.col(column) > pl.col("death")), f"{name}.{column}"
            found.append(place.found(rows, where, "after_terminal", "warning", message))
    return found


def _overlapping(courses: pl.DataFrame, place: Places) -> pl.DataFrame:
    ordered = courses.sort(CASE, "start_day", FILE, ROW)
    if "stop_day" not in ordered.columns:
        ordered = ordered.with_columns(pl.lit(None, pl.Int32).alias("stop_day"))
    ends = pl.coalesce(beside("stop_day", 1), beside("start_day", 1))
    rows = ordered.filter(pl.col("start_day") <= ends)
    message = "This course begins before the one before it ends. Check both courses."
    return place.found(rows, "fct_course.start_day", "overlapping_courses", "warning", message)


def _sample_warnings(
    facts: dict[str, pl.DataFrame], known: Known, place: Places
) -> list[pl.DataFrame]:
    samples, found = facts["fct_assessment"], []
    if "block_code" in samples.columns and "fct_course" in facts:
        named = samples.filter(pl.col("block_code").is_not_null())
        rows = named.join(facts["fct_course"], on=COURSE, how="anti", nulls_equal=True)
        message = "The course named here is not loaded. Check block, line and number."
        where = "fct_assessment.block_code"
        found.append(place.found(rows, where, "assessment_without_course", "warning", message))
    if known.study.response and known.study.response.mrd_measure:
        lines = facts.get("dim_line", _first_lines(samples))
        found.append(_remission_missing(samples, lines, known, place))
    return found


def _first_lines(frame: pl.DataFrame) -> pl.DataFrame:
    """Line 1 from day 0 on, of an export without lines."""
    first = pl.lit(1, pl.Int32).alias("line_number")
    return frame.select(CASE, first, pl.lit(0, pl.Int32).alias("start_day")).unique()


def _running(frame: pl.DataFrame, day: str, lines: pl.DataFrame) -> pl.DataFrame:
    """Rows with the number of the line that is running on their day, as `_line`."""
    begun = lines.select(CASE, "start_day", _line="line_number").sort("start_day")
    ordered = frame.sort(day)
    return ordered.join_asof(
        begun, left_on=day, right_on="start_day", by=CASE, check_sortedness=False
    )


def _remission_missing(
    samples: pl.DataFrame, lines: pl.DataFrame, known: Known, place: Places
) -> pl.DataFrame:
    """A marrow negative for MRD in a line that has no remission by then."""
    rule = known.study.response
    assert rule is not None
    limit = min(rule.thresholds)
    is_mrd = pl.col("measure_code") == rule.mrd_measure
    if rule.material:
        is_mrd = is_mrd & (pl.col("material_code") == rule.material)
    is_negative = (pl.col("qualifier") == "undetectable") | (
        pl.col("qualifier").is_in(["=", "<"]) & (pl.col("value") <= limit)
    )
    is_negative = is_negative & ~((pl.col("qualifier") == "=") & (pl.col("value") >= limit))
    happened = known.days.filter(pl.col("milestone_code") == rule.remission)
    reached = _running(happened.select(CASE, "day"), "day", lines)
    first = reached.group_by(CASE, "_line").agg(pl.col("day").min().alias("remission"))
    negative = samples.filter(is_mrd & is_negative).drop("_line", strict=False)
    rows = (
        _running(negative, "sample_day", lines)
        .join(known.in_doubt(rule.remission), on=CASE, how="anti")
        .join(first, on=[CASE, "_line"], how="left", nulls_equal=True)
        .filter(pl.col("remission").is_null() | (pl.col("remission") > pl.col("sample_day")))
    )
    message = "MRD negative, but no remission is dated by then. Check the remission."
    return place.found(rows, "fct_assessment.result", "remission_missing", "warning", message)


def _event_warnings(events: pl.DataFrame, known: Known, place: Places) -> list[pl.DataFrame]:
    died = known.first_day(known.death, "death")
    fatal = events.filter(pl.col("grade_low") == 5)
    fatal = fatal.join(known.in_doubt(known.death), on=CASE, how="anti")
    rows = fatal.join(died, on=CASE, how="anti")
    message = "Grade 5, but no death is recorded. Check the grade and the follow-up."
    where = "fct_adverse_event.grade"
    found = [place.found(rows, where, "fatal_without_death", "warning", message)]
    outside = (
        events.filter(pl.col("block_code").is_null())
        .join(known.in_doubt("fct_course", "dim_line"), on=CASE, how="anti")
        .join(died, on=CASE, how="left")
        .filter(pl.col("death").is_null() | (pl.col("onset_day") <= pl.col("death")))
    )
    message = "It began outside every block, so no block counts it. Check the date."
    where = "fct_adverse_event.onset_day"
    found.append(place.found(outside, where, "outside_every_block", "warning", message))
    return found
