"""Derived characteristics: what the study definition works out from dates and other levels.

Months are calendar months: a date plus months is the same day of a later month, or that month's
last day where it has no such day. Intervals are half open: 'before' excludes the bound, 'from'
includes it.
"""

import polars as pl

from etl.places import Places
from etl.staging import RECORDED, band
from trial.study import MISSING, Characteristic, DateBound, DeriveRule, Study

AGE_TOLERANCE = 1


def with_derived(enrollments: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Enrollments with every characteristic that dates and other characteristics decide.

    A characteristic or baseline date that the export lacks altogether is missing for everybody.
    """
    frame = _with_all_columns(enrollments, study)
    for x in study.characteristics:
        if x.years_since:
            frame = frame.with_columns(_years(x).alias(x.code))
            frame = frame.with_columns(band(x, pl.col(x.code)).alias(x.level_column))
        elif x.rules:
            levels = {y.code: y.level_column for y in study.characteristics}
            frame = frame.with_columns(_by_rules(x.rules, levels).alias(x.code))
    return frame


def _with_all_columns(enrollments: pl.DataFrame, study: Study) -> pl.DataFrame:
    wanted: dict[str, pl.DataType | type[pl.DataType]] = {"origin_date": pl.Date}
    wanted |= {"entry_day": pl.Int32, "entry_date": pl.Date}
    wanted |= {date.code: pl.Date for date in study.baseline_dates}
    for x in study.characteristics:
        recorded = pl.Float64 if x.kind == "number" else pl.String
        wanted[x.code + RECORDED if x.is_derived else x.level_column] = (
            recorded if x.is_derived else pl.String
        )
    absent = {name: kind for name, kind in wanted.items() if name not in enrollments.columns}
    return enrollments.with_columns(
        pl.lit(None, dtype=kind).alias(name) for name, kind in absent.items()
    )


def _years(x: Characteristic) -> pl.Expr:
    """Completed calendar years from a baseline date to day 0; else what was recorded."""
    start, end = pl.col(str(x.years_since)), pl.col("origin_date")
    years = end.dt.year() - start.dt.year()
    before_birthday = end.dt.strftime("%m%d") < start.dt.strftime("%m%d")
    derived = (years - before_birthday.cast(pl.Int32)).cast(pl.Float64)
    return pl.coalesce(derived, pl.col(x.code + RECORDED))


def _bound(bound: DateBound) -> pl.Expr:
    limit = pl.col(bound.date_code).dt.offset_by(f"{bound.months}mo")
    day_0 = pl.col("origin_date")
    return day_0 < limit if bound.is_before else day_0 >= limit


def _holds(rule: DeriveRule, columns: dict[str, str]) -> pl.Expr:
    parts = [_bound(bound) for bound in rule.bounds]
    for code, levels in rule.levels:
        level = pl.col(columns[code])
        known = level.is_in([x for x in levels if x != MISSING])
        parts.append(known.fill_null(True) if MISSING in levels else known)
    return pl.all_horizontal(parts)


def _by_rules(rules: tuple[DeriveRule, ...], columns: dict[str, str]) -> pl.Expr:
    """The level of the first rule that holds; missing where a decisive rule cannot be judged."""
    result = pl.lit(None, pl.String)
    for rule in reversed(rules):
        holds = _holds(rule, columns)
        chosen = pl.when(holds.fill_null(False)).then(pl.lit(rule.level)).otherwise(result)
        result = (
            pl.when(holds.is_null()).then(None).otherwise(chosen) if rule.is_decisive else chosen
        )
    return result


def with_happened(
    enrollments: pl.DataFrame, milestones: pl.DataFrame, study: Study
) -> pl.DataFrame:
    """Enrollments with the characteristics that say whether a milestone happened by a day.

    `milestones`: enrollment_id, milestone_code, day. Not by that day only counts if the
    enrollment was seen up to it, or died before; otherwise the level is missing.
    """
    frame = enrollments
    for x in study.characteristics:
        if x.happened is None:
            continue
        rule, by_day = x.happened, x.happened.by_day
        mine = milestones.filter(pl.col("milestone_code") == rule.milestone_code)
        first = mine.group_by("enrollment_id").agg(pl.col("day").min().alias("_day"))
        ends = {m.code for m in study.milestones if m.is_terminal}
        seen = milestones.group_by("enrollment_id").agg(
            pl.col("day").max().alias("_seen"),
            pl.col("milestone_code").is_in(sorted(ends)).any().alias("_ended"),
        )
        joined = frame.join(first, on="enrollment_id", how="left").join(
            seen, on="enrollment_id", how="left"
        )
        yes = pl.col("_day").is_not_null() if by_day is None else pl.col("_day") <= by_day
        known = pl.lit(True) if by_day is None else (pl.col("_seen") >= by_day) | pl.col("_ended")
        level = pl.when(yes.fill_null(False)).then(pl.lit("yes")).when(known).then(pl.lit("no"))
        frame = joined.with_columns(level.alias(x.code)).drop("_day", "_seen", "_ended")
    return frame


def disagreements(enrollments: pl.DataFrame, study: Study, place: Places) -> list[pl.DataFrame]:
    """Findings where the export records another value than the derived one, both known."""
    findings = []
    for x in study.characteristics:
        if x.compared_with:
            other = study.characteristic(x.compared_with)
            differs = pl.col(x.level_column) != pl.col(other.level_column)
            message = f"{x.label} differs from {other.label}. Loaded; both are shown."
            findings.append(
                place.found(
                    enrollments.filter(differs), x.code, "recorded_differs", "info", message
                )
            )
        if x.is_derived and x.code + RECORDED in enrollments.columns and not x.happened:
            findings.append(_differing(enrollments, x, place))
    return findings


def _differing(enrollments: pl.DataFrame, x: Characteristic, place: Places) -> pl.DataFrame:
    recorded, derived = pl.col(x.code + RECORDED), pl.col(x.code)
    if x.kind == "number":
        differs = (recorded - derived).abs() > AGE_TOLERANCE
        message = f"{x.label} as recorded differs from what the dates say. The dates count."
        rows = enrollments.filter(differs)
        return place.found(rows, x.code, "number_differs", "warning", message)
    message = f"{x.label} as recorded differs from the derived one. The derived one counts."
    rows = enrollments.filter(recorded != derived)
    return place.found(rows, x.code, "recorded_differs", "info", message)
