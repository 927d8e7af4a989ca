"""Checks between rows: one set of baseline facts an enrollment, one day a milestone, no orphans.

Quarantining a row can orphan another, so the checks run until nothing new is found. Which rows
are bad is decided by the findings alone; a fact is loaded when no error condemns its row. Checks
of courses, samples and adverse events are in `etl/fact_checks.py`, warnings about the order of
milestones in `etl/milestone_warnings.py`.
"""

from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from etl.assign import Beside
from etl.attribution import attributed
from etl.cells import MAX_DAY
from etl.derive import disagreements, with_derived, with_happened
from etl.fact_checks import (
    Known,
    copies,
    fact_errors,
    fact_warnings,
    in_days,
    resolved,
    spanned,
)
from etl.findings import FILE, ROW_ID, bad_rows, condemned, found, in_column, without_bad
from etl.look_alikes import look_alikes
from etl.milestone_warnings import after_the_end, out_of_order
from etl.partial_dates import with_bounded
from etl.places import Places, places
from etl.repeats import differing, later, shared
from etl.sources.raw import ROW
from etl.staging import StagedFile
from trial.study import FINISHED_TIMES, Study

# Facts of one enrollment that differ between rows are all kept out: which is right, nobody knows.
CONFLICT = "Rows of one patient disagree ({what}); all of them are kept out. Correct the export."


@dataclass(frozen=True)
class Checked:
    """Facts that passed, and all findings.

    `enrollments`: one row per enrollment_id. `milestones`: one row per enrollment_id x
    milestone_code x instance, with day and detail. `facts`: by table, days resolved, copies
    removed. `doubts`: enrollment_id x milestone or table that a quarantined row might have told
    of. `sources`: every loaded row and the fact taken from it (file, row, enrollment_id,
    table_name, item_code; table 'none' for a row that says that nothing happened).
    """

    enrollments: pl.DataFrame
    milestones: pl.DataFrame
    facts: dict[str, pl.DataFrame]
    doubts: pl.DataFrame
    sources: pl.DataFrame
    findings: pl.DataFrame
    latest_date: date | None


@dataclass(frozen=True)
class Facts:
    """What rows say, as `etl.staging.StagedFile` describes it, of all files together."""

    enrollments: pl.DataFrame
    milestones: pl.DataFrame
    denials: pl.DataFrame
    feeds: pl.DataFrame
    rows: pl.DataFrame
    facts: dict[str, pl.DataFrame]

    def without_bad(self, findings: pl.DataFrame) -> "Facts":
        """The facts of rows that no error condemns."""
        return Facts(
            enrollments=without_bad(self.enrollments, findings),
            milestones=without_bad(self.milestones, findings),
            denials=without_bad(self.denials, findings),
            feeds=without_bad(self.feeds, findings),
            rows=without_bad(self.rows, findings),
            facts={name: without_bad(frame, findings) for name, frame in self.facts.items()},
        )


def _collected(staged: list[StagedFile], study: Study) -> Facts:
    enrollments = pl.concat([s.enrollments for s in staged], how="diagonal")
    facts: dict[str, pl.DataFrame] = {}
    for name in {name for s in staged for name in s.facts}:
        facts[name] = pl.concat([s.facts[name] for s in staged if name in s.facts], how="diagonal")
    return Facts(
        enrollments=with_derived(enrollments, study),
        milestones=pl.concat([s.milestones for s in staged]),
        denials=pl.concat([s.denials for s in staged]),
        feeds=pl.concat([s.feeds for s in staged]),
        rows=pl.concat([s.rows for s in staged]),
        facts=facts,
    )


def _baseline_errors(
    enrollments: pl.DataFrame, study: Study, cutoff: date | None, place: Places
) -> list[pl.DataFrame]:
    """Errors within the baseline facts of one row."""
    origin = pl.col("origin_date")
    later = enrollments.filter(origin > cutoff) if cutoff else enrollments.clear()
    frames = [
        found(
            later,
            "enrolled_after_cutoff",
            "error",
            "Day 0 is after the data cut-off. Declare a later cut-off to count this patient.",
        )
    ]
    for baseline in study.baseline_dates:
        message = f"{baseline.label.capitalize()} is not before day 0. Correct one of the dates."
        wrong = enrollments.filter(pl.col(baseline.code) >= origin)
        frames.append(place.found(wrong, baseline.code, "not_before_day_0", "error", message))
    wrong = enrollments.filter(pl.col("entry_date") < origin)
    message = "Registered before day 0. Correct one of the two dates."
    frames.append(place.found(wrong, "entry", "before_day_0", "error", message))
    for x in study.characteristics:
        if x.years_since:
            wrong = enrollments.filter(
                pl.col(x.code).is_not_null() & pl.col(x.level_column).is_null()
            )
            message = f"No band of {x.label} holds what the dates say. Correct one of them."
            frames.append(place.found(wrong, x.years_since, "outside_bands", "error", message))
    return frames


def _conflicts(facts: Facts, study: Study) -> list[pl.DataFrame]:
    """Errors between rows, among facts that no error condemns yet."""
    enrollments, milestones = facts.enrollments, facts.milestones
    baseline_facts = [c for c in enrollments.columns if c not in (FILE, ROW, "enrollment_id")]
    baseline = differing(enrollments, ["enrollment_id"], baseline_facts)
    orphans = facts.rows.join(enrollments, on="enrollment_id", how="anti")
    dated = _days(milestones.filter(pl.col("date").is_not_null()), enrollments)
    key = ["enrollment_id", "milestone_code"]
    once = ~pl.col("milestone_code").is_in([m.code for m in study.milestones if m.repeats])
    several = differing(milestones.filter(once), key, ["day", "date"])
    again = differing(milestones.filter(~once), [*key, "day", "date"], ["detail_code"])
    conflict = CONFLICT.format(what="happened or not")
    return [
        found(baseline, "conflicting_baseline", "error", CONFLICT.format(what="baseline facts")),
        found(
            orphans,
            "no_enrollment",
            "error",
            "No loaded row enrolls this patient. Correct the rows of the patient.",
        ),
        in_column(
            dated.filter(pl.col("day") < 0),
            "before_day_0",
            "This date is before day 0 of the patient. Correct one of the two dates.",
        ),
        in_column(
            dated.filter(pl.col("day") > MAX_DAY),
            "not_a_day",
            f"More than {MAX_DAY} days after day 0. Correct one of the two dates.",
        ),
        in_column(several, "conflicting_milestone", CONFLICT.format(what="two days")),
        found(again, "conflicting_rows", "error", CONFLICT.format(what="two kinds on one day")),
        in_column(
            milestones.filter(once).join(facts.denials, on=key, how="semi"),
            "conflicting_milestone",
            conflict,
        ),
        in_column(
            facts.denials.filter(once).join(milestones, on=key, how="semi"),
            "conflicting_milestone",
            conflict,
        ),
    ]


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


def picked(facts: Facts) -> Facts:
    """Of several days of a milestone of which the first or the last counts, that one.

    Rows whose day does not count say no more than that they were read.
    """
    rows = facts.milestones
    if rows["pick"].null_count() == rows.height:
        return facts
    order = (
        pl.struct("day", "date", FILE, ROW)
        .rank("ordinal")
        .over("enrollment_id", "milestone_code", "pick")
    )
    last = pl.len().over("enrollment_id", "milestone_code", "pick")
    chosen = pl.when(pl.col("pick") == "first").then(order == 1).otherwise(order == last)
    kept = rows.filter(pl.col("pick").is_null() | chosen)
    return replace(facts, milestones=kept)


def _settled(
    facts: Facts, findings: pl.DataFrame, study: Study, place: Places
) -> tuple[Facts, pl.DataFrame]:
    """The facts no error condemns, in days, and all findings, when no check finds anything new."""
    while True:
        good = picked(facts.without_bad(findings))
        n_bad = bad_rows(findings).height
        good = replace(good, facts=resolved(good.facts, good.enrollments))
        new = _conflicts(good, study) + fact_errors(good.facts, study, place)
        findings = pl.concat([findings, *new])
        if bad_rows(findings).height == n_bad:
            return good, findings


def check(
    staged: list[StagedFile],
    others: list[Beside],
    study: Study,
    *,
    repeats: bool,
    cutoff: date | None,
) -> Checked:
    """Check the facts of all files against each other.

    `others`: what is to be said of rows that no source reads. `repeats`: several rows of an
    enrollment may carry the same baseline facts. `cutoff`: the declared data cut-off.
    """
    place = places(staged)
    facts = _collected(staged, study)
    first = pl.concat([s.findings for s in [*staged, *others]])
    dated, bounded = with_bounded(facts.milestones, first, facts.enrollments, study)
    facts, first = replace(facts, milestones=dated), pl.concat([first, *bounded])
    good = picked(facts.without_bad(first))
    first = pl.concat([first, *_baseline_errors(good.enrollments, study, cutoff, place)])
    good, findings = _settled(facts, first, study, place)
    feeds = pl.concat([facts.feeds, *(other.feeds for other in others)])
    doubts = _doubts(feeds, findings, good.enrollments)
    censoring = {endpoint.censor for endpoint in study.endpoints if not endpoint.is_finished}
    happened, moved, dropped = _cut(good.milestones, cutoff, censoring)
    days = _days(happened, good.enrollments)
    tables, late = in_days(good.facts, cutoff, place)
    once = {name: copies(name, frame, place) for name, frame in tables.items()}
    loaded = {name: spanned(name, kept) for name, (kept, _) in once.items()}
    loaded = attributed(loaded, days, study)
    noted = [
        in_column(moved, "after_cutoff", "After the data cut-off; observed up to it.", "warning"),
        in_column(dropped, "after_cutoff", "After the data cut-off; not counted.", "warning"),
        *_copies(good.enrollments, happened, study, repeats),
        *after_the_end(days, study, censoring),
        *out_of_order(days, study, doubts),
        *disagreements(good.enrollments, study, place),
        _both_cohorts(good.enrollments, place),
        look_alikes(good.enrollments),
        _no_follow_up(good, days, doubts, study, censoring),
        *late,
        *(finding for _, finding in once.values()),
        *fact_warnings(loaded, Known(days, doubts, study), place),
    ]
    enrollments = good.enrollments.filter(~later(good.enrollments, ["enrollment_id"]))
    milestones = _instances(days)
    return Checked(
        enrollments=with_happened(enrollments, milestones, study),
        milestones=milestones,
        facts=loaded,
        doubts=doubts,
        sources=_sources(good, happened, tables),
        findings=pl.concat([findings, *noted]).unique(
            [*ROW_ID, "column_name", "rule"], keep="first", maintain_order=True
        ),
        latest_date=_latest(good.enrollments, good.milestones),
    )


def _instances(days: pl.DataFrame) -> pl.DataFrame:
    """Each milestone of an enrollment once a day, numbered from the first on."""
    key = ["enrollment_id", "milestone_code"]
    first = days.filter(~later(days, [*key, "day"]))
    again = shared(first, key)
    number = pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over(key, order_by="day")
    once = first.filter(~again).with_columns(pl.lit(1, pl.Int32).alias("instance"))
    several = first.filter(again).with_columns(number.alias("instance"))
    return pl.concat([once, several]).select(*key, "instance", "day", "detail_code")


def _copies(
    enrollments: pl.DataFrame, milestones: pl.DataFrame, study: Study, repeats: bool
) -> list[pl.DataFrame]:
    """Repairs: facts that stand in several rows and are counted once."""
    again = "The same fact stands in an earlier row; counted once."
    once = milestones.filter(
        ~pl.col("milestone_code").is_in([m.code for m in study.milestones if m.repeats])
    )
    frames = [once.filter(later(once, ["enrollment_id", "milestone_code"]))]
    if not repeats:
        frames.append(enrollments.filter(later(enrollments, ["enrollment_id"])))
    return [found(rows, "identical_copy", "repair", again) for rows in frames]


def _no_follow_up(
    good: Facts,
    days: pl.DataFrame,
    doubts: pl.DataFrame,
    study: Study,
    censoring: set[str],
) -> pl.DataFrame:
    """Warning: an enrollment of which no row says how long it was observed, nor that it ended."""
    ends = {m.code for m in study.milestones if m.is_terminal} | censoring
    known = pl.col("milestone_code").is_in(sorted(ends))
    rows = good.enrollments.join(days.filter(known), on="enrollment_id", how="anti")
    if FINISHED_TIMES in good.facts:
        rows = rows.join(good.facts[FINISHED_TIMES], on="enrollment_id", how="anti")
    rows = rows.join(doubts.filter(known), on="enrollment_id", how="anti")
    message = "No row says how long this patient was observed: no endpoint can count it."
    return found(rows, "no_follow_up", "warning", message)


def _both_cohorts(enrollments: pl.DataFrame, place: Places) -> pl.DataFrame:
    """Info: the same child in several cohorts; pages count the first enrollment of a kind."""
    message = "This child is enrolled in more than one cohort; the first line of a kind counts."
    rows = differing(enrollments, ["patient_id"], ["cohort_code"])
    return place.found(rows, "cohort_code", "both_protocols", "info", message)


def _doubts(feeds: pl.DataFrame, findings: pl.DataFrame, enrollments: pl.DataFrame) -> pl.DataFrame:
    """Milestones and tables of enrolled patients that a quarantined row might have told of."""
    enrolled = condemned(feeds, findings).join(enrollments, on="enrollment_id", how="semi")
    return enrolled.select("enrollment_id", "milestone_code").unique()


def _latest(enrollments: pl.DataFrame, milestones: pl.DataFrame) -> date | None:
    """The latest calendar date among the facts, None if the export has none."""
    dates = pl.concat([enrollments["origin_date"].alias("date"), milestones["date"]])
    latest = dates.max()
    return latest if isinstance(latest, date) else None


def _days(milestones: pl.DataFrame, enrollments: pl.DataFrame) -> pl.DataFrame:
    """Milestones with their day, in the order of the export."""
    origins = enrollments.select("enrollment_id", "origin_date").unique("enrollment_id")
    since = (pl.col("date") - pl.col("origin_date")).dt.total_days().cast(pl.Int32)
    return (
        milestones.join(origins, on="enrollment_id", how="left")
        .with_columns(pl.coalesce("day", since).alias("day"))
        .sort(FILE, ROW)
    )


def _sources(good: Facts, happened: pl.DataFrame, tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Which fact was taken from which row; names as places in their sorted lists take no room."""
    keys = [FILE, ROW, "enrollment_id"]
    table = pl.Enum(sorted({"dim_enrollment", "fct_milestone", "none", *tables}))
    item = pl.Enum(sorted({"", *happened["milestone_code"].unique()}))

    def taken(frame: pl.DataFrame, name: str, code: pl.Expr) -> pl.DataFrame:
        named = {"table_name": pl.lit(name, table), "item_code": code.cast(item)}
        return frame.select(*keys, **named)

    facts = pl.concat(
        [
            taken(good.enrollments, "dim_enrollment", pl.lit("")),
            taken(happened, "fct_milestone", pl.col("milestone_code")),
            *(taken(frame, name, pl.lit("")) for name, frame in tables.items()),
        ]
    )
    silent = good.rows.join(facts.select(FILE, ROW), on=[FILE, ROW], how="anti")
    return pl.concat([facts, taken(silent, "none", pl.lit(""))])
