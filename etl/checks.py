"""Checks between rows: one set of baseline facts a patient, one day a milestone, nobody orphaned.

Quarantining a row can orphan another, so the checks run until nothing new is found. Which rows
are bad is decided by the findings alone; a fact is loaded when no error condemns its row.
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from etl.findings import FILE, ROW_ID, bad_rows, found, without_bad
from etl.sources.csv_file import ROW
from etl.staging import MAX_DAY
from trial.study import Study

# Facts of one patient that differ between rows are all kept out: nobody can say which is right.
CONFLICT = "Rows of one patient disagree ({what}); all of them are kept out. Correct the export."


@dataclass(frozen=True)
class Checked:
    """Facts that passed, and all findings.

    `enrollments`: one row per patient_id. `milestones`: one row per patient_id x milestone_code,
    with its day. `doubts`: patient_id x milestone_code that a quarantined row might have told of.
    `sources`: every loaded row and the fact taken from it (file, row, patient_id, table_name,
    item_code; table 'none' for a row that says that nothing happened).
    """

    enrollments: pl.DataFrame
    milestones: pl.DataFrame
    doubts: pl.DataFrame
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


@dataclass(frozen=True)
class Facts:
    """What rows say, as `etl.staging.StagedFile` describes it, of all files together."""

    enrollments: pl.DataFrame
    milestones: pl.DataFrame
    denials: pl.DataFrame
    feeds: pl.DataFrame
    rows: pl.DataFrame

    def without_bad(self, findings: pl.DataFrame) -> "Facts":
        """The facts of rows that no error condemns."""
        frames = (self.enrollments, self.milestones, self.denials, self.feeds, self.rows)
        return Facts(*(without_bad(frame, findings) for frame in frames))


def _conflicts(facts: Facts, cutoff: date | None) -> list[pl.DataFrame]:
    """Errors between rows, among facts that no error condemns yet."""
    enrollments, milestones = facts.enrollments, facts.milestones
    baseline_facts = [c for c in enrollments.columns if c not in (FILE, ROW, "patient_id")]
    baseline = _differing(enrollments, ["patient_id"], baseline_facts)
    later = enrollments.filter(pl.col("origin_date") > cutoff) if cutoff else enrollments.clear()
    orphans = facts.rows.join(enrollments, on="patient_id", how="anti")
    dated = milestones.filter(pl.col("date").is_not_null())
    known = enrollments.unique("patient_id", maintain_order=True)
    dated = dated.join(known.select("patient_id", "origin_date"), on="patient_id")
    since = (pl.col("date") - pl.col("origin_date")).dt.total_days()
    key = ["patient_id", "milestone_code"]
    several = _differing(milestones, key, ["day", "date"])
    frames = [
        found(baseline, "conflicting_baseline", "error", CONFLICT.format(what="baseline facts")),
        found(
            later,
            "enrolled_after_cutoff",
            "error",
            "Day 0 is after the data cut-off. Declare a later cut-off to count this patient.",
        ),
        found(
            orphans,
            "no_enrollment",
            "error",
            "No loaded row enrolls this patient. Correct the rows of the patient.",
        ),
        _in_column(
            dated.filter(since < 0),
            "before_day_0",
            "This date is before day 0 of the patient. Correct one of the two dates.",
        ),
        _in_column(
            dated.filter(since > MAX_DAY),
            "not_a_day",
            f"More than {MAX_DAY} days after day 0. Correct one of the two dates.",
        ),
        _in_column(several, "conflicting_milestone", CONFLICT.format(what="two days")),
        _in_column(
            milestones.join(facts.denials, on=key, how="semi"),
            "conflicting_milestone",
            CONFLICT.format(what="happened or not"),
        ),
        _in_column(
            facts.denials.join(milestones, on=key, how="semi"),
            "conflicting_milestone",
            CONFLICT.format(what="happened or not"),
        ),
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
    facts: Facts,
    findings: pl.DataFrame,
    study: Study,
    *,
    repeats: bool,
    cutoff: date | None,
) -> Checked:
    """Check facts against each other; `findings` are those of staging.

    `repeats`: several rows of a patient may carry the same baseline facts. `cutoff`: the declared
    data cut-off.
    """
    while True:
        good = facts.without_bad(findings)
        n_bad = bad_rows(findings).height
        findings = pl.concat([findings, *_conflicts(good, cutoff)])
        if bad_rows(findings).height == n_bad:
            break
    censoring = {endpoint.censor for endpoint in study.endpoints}
    latest = _latest(good.enrollments, good.milestones)
    happened, moved, dropped = _cut(good.milestones, cutoff, censoring)
    days = _days(happened, good.enrollments)
    noted = [
        _in_column(moved, "after_cutoff", "After the data cut-off; observed up to it.", "warning"),
        _in_column(dropped, "after_cutoff", "After the data cut-off; not counted.", "warning"),
        *_copies(good.enrollments, happened, repeats),
        *_late(days, {m.code for m in study.milestones if m.is_terminal}, censoring),
    ]
    first = days.unique(["patient_id", "milestone_code"], keep="first", maintain_order=True)
    enrollments = good.enrollments.sort(FILE, ROW)
    return Checked(
        enrollments=enrollments.unique("patient_id", keep="first", maintain_order=True),
        milestones=first.select("patient_id", "milestone_code", "day"),
        doubts=_doubts(facts.feeds, findings, good.enrollments),
        sources=_sources(good, happened),
        findings=pl.concat([findings, *noted]),
        latest_date=latest,
    )


def _copies(
    enrollments: pl.DataFrame, milestones: pl.DataFrame, repeats: bool
) -> list[pl.DataFrame]:
    """Repairs: facts that stand in several rows and are counted once."""
    again = "The same fact stands in an earlier row; counted once."
    copies = [_later_copies(milestones, ["patient_id", "milestone_code"])]
    if not repeats:
        copies.append(_later_copies(enrollments, ["patient_id"]))
    return [found(rows, "identical_copy", "repair", again) for rows in copies]


def _late(days: pl.DataFrame, terminal: set[str], censoring: set[str]) -> list[pl.DataFrame]:
    """Warnings: something after death, or after the last day the patient was observed."""
    code = pl.col("milestone_code")
    ends = days.filter(code.is_in(sorted(terminal))).group_by("patient_id")
    seen = days.filter(code.is_in(sorted(censoring))).group_by("patient_id")
    after_end = days.join(ends.agg(pl.col("day").min().alias("end")), on="patient_id")
    after_seen = days.join(seen.agg(pl.col("day").max().alias("seen")), on="patient_id")
    return [
        _in_column(
            after_end.filter(pl.col("day") > pl.col("end")),
            "after_terminal",
            "After the patient's death, by the days in the export. Loaded; check both days.",
            "warning",
        ),
        _in_column(
            after_seen.filter(pl.col("day") > pl.col("seen")),
            "after_last_observation",
            "After the last day the patient was observed. Loaded; check both days.",
            "warning",
        ),
    ]


def _doubts(feeds: pl.DataFrame, findings: pl.DataFrame, enrollments: pl.DataFrame) -> pl.DataFrame:
    """Milestones of enrolled patients that a quarantined row might have told of."""
    condemned = feeds.join(bad_rows(findings), left_on=[FILE, ROW], right_on=ROW_ID, how="semi")
    enrolled = condemned.join(enrollments, on="patient_id", how="semi")
    return enrolled.select("patient_id", "milestone_code").unique()


def _latest(enrollments: pl.DataFrame, milestones: pl.DataFrame) -> date | None:
    """The latest calendar date among the facts, None if the export has none."""
    dates = pl.concat([enrollments["origin_date"].alias("date"), milestones["date"]])
    latest = dates.max()
    return latest if isinstance(latest, date) else None


def _days(milestones: pl.DataFrame, enrollments: pl.DataFrame) -> pl.DataFrame:
    """Milestones with their day, in the order of the export."""
    origins = enrollments.select("patient_id", "origin_date").unique("patient_id")
    since = (pl.col("date") - pl.col("origin_date")).dt.total_days().cast(pl.Int32)
    return (
        milestones.join(origins, on="patient_id", how="left")
        .with_columns(pl.coalesce("day", since).alias("day"))
        .sort(FILE, ROW)
    )


def _sources(good: Facts, happened: pl.DataFrame) -> pl.DataFrame:
    keys = [FILE, ROW, "patient_id"]

    def taken(frame: pl.DataFrame, table: str, item: pl.Expr) -> pl.DataFrame:
        return frame.select(*keys, pl.lit(table).alias("table_name"), item.alias("item_code"))

    facts = pl.concat(
        [
            taken(good.enrollments, "dim_enrollment", pl.lit("")),
            taken(happened, "fct_milestone", pl.col("milestone_code")),
        ]
    )
    silent = good.rows.join(facts, on=[FILE, ROW], how="anti")
    return pl.concat([facts, taken(silent, "none", pl.lit(""))])
