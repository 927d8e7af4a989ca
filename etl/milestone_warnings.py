"""Warnings about when milestones happened: after the end, or before what has to come first."""

import polars as pl

from etl.findings import in_column
from trial.study import Study


def after_the_end(days: pl.DataFrame, study: Study, censoring: set[str]) -> list[pl.DataFrame]:
    """Warnings: something after death, or after the last day the patient was observed."""
    code = pl.col("milestone_code")
    terminal = {m.code for m in study.milestones if m.is_terminal}
    ends = days.filter(code.is_in(sorted(terminal))).group_by("enrollment_id")
    last = {study.response.contact} if study.response else censoring
    seen = days.filter(code.is_in(sorted(last))).group_by("enrollment_id")
    after_end = days.join(ends.agg(pl.col("day").min().alias("end")), on="enrollment_id")
    after_seen = days.join(seen.agg(pl.col("day").max().alias("seen")), on="enrollment_id")
    return [
        in_column(
            after_end.filter(pl.col("day") > pl.col("end")),
            "after_terminal",
            "After the patient's death, by the days in the export. Loaded; check both days.",
            "warning",
        ),
        in_column(
            after_seen.filter(pl.col("day") > pl.col("seen")),
            "after_last_observation",
            "After the last day the patient was observed. Loaded; check both days.",
            "warning",
        ),
        _on_last_day(after_end, study),
    ]


def _on_last_day(after_end: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Warning: a remission dated to the day of death, which is no remission."""
    remission = study.response.remission if study.response else ""
    on_the_day = (pl.col("milestone_code") == remission) & (pl.col("day") == pl.col("end"))
    message = "Remission on the day of death does not count as one. Loaded; check both days."
    return in_column(after_end.filter(on_the_day), "remission_at_death", message, "warning")


def out_of_order(days: pl.DataFrame, study: Study, doubts: pl.DataFrame) -> list[pl.DataFrame]:
    """Warnings: a milestone without the one that has to come first, unless that is in doubt."""
    frames = []
    for milestone in study.milestones:
        if milestone.requires is None:
            continue
        code = pl.col("milestone_code")
        first = days.filter(code == milestone.requires).group_by("enrollment_id")
        unsure = doubts.filter(code == milestone.requires)
        mine = (
            days.filter(code == milestone.code)
            .join(unsure, on="enrollment_id", how="anti")
            .join(first.agg(pl.col("day").min().alias("before")), on="enrollment_id", how="left")
        )
        wrong = mine.filter(pl.col("before").is_null() | (pl.col("before") > pl.col("day")))
        label = study.milestone_label(milestone.requires)
        message = f"No {label} on or before this day. Loaded; check both days."
        frames.append(in_column(wrong, "out_of_order", message, "warning"))
    return frames
