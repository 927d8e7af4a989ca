"""The list behind each cell of toxicity, for clinicians alone: every event, and who is not counted.

Results (keys, days) and records (who is who) meet here by enrollment key. A viewer gets a sentence,
and no record is opened.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import polars as pl

from analysis.answer import Answer, Note, Table
from analysis.compose import Page
from analysis.disclosure import ACCESS, CLINICIAN, is_clinician
from analysis.toxicity_exposure import terms_of
from analysis.toxicity_infections import CODE_LISTS, KEPT_SINCE, OUTCOMES
from analysis.toxicity_items import (
    FATAL,
    Items,
    items_of,
    kind_of,
)
from analysis.wording import at_least, grade_label
from trial.words import say
from warehouse.query import query, read_records
from warehouse.store import store_folder

HIGHEST = 5


@dataclass(frozen=True)
class Listing:
    """What is listed for a view: events in the block, events outside any, who is not counted."""

    items: Items
    events: pl.DataFrame
    outside: pl.DataFrame
    undocumented: pl.DataFrame

    @property
    def on(self) -> Page:
        """The view."""
        return self.items.on

    @property
    def has_infections(self) -> bool:
        """Whether the data keep what is known of infections."""
        is_kept = self.on.snapshot.load["schema_version"] >= KEPT_SINCE
        return is_kept and self.on.study.toxicity.infections is not None


def _listing(on: Page) -> Listing:
    chosen, block = on.view.selection, on.view.block
    is_fatal = kind_of(on.view.item) == FATAL
    asked = {"terms": terms_of(on, on.view.item), "grade": on.view.grade, "is_fatal": is_fatal}
    known = read_records(store_folder(), on.snapshot.snapshot_id, "identity")
    frames = (
        query(on.snapshot, "listing", chosen, block=block, **asked),
        query(on.snapshot, "listing_outside", chosen, **asked),
        query(on.snapshot, "listing_undocumented", chosen, block=block),
    )
    named = (
        frame.join(known, on="enrollment_key", how="left").sort(
            "cohort_code", "source_patient_id", "line_number", maintain_order=True
        )
        for frame in frames
    )
    return Listing(items_of(on), *named)


# ---------------------------------------------------------------- cells


def _name(row: dict[str, Any]) -> str:
    line = row["line_number"]
    name = row["source_patient_id"] or say("patients.unknown")
    return name if line == 1 else say("patients.line", name=name, line=line)


def _who(on: Page, row: dict[str, Any]) -> tuple[str, str, str]:
    """Identifier, cohort, kind of line."""
    cohort = on.study.cohort(row["cohort_code"]).label
    return _name(row), cohort, on.study.line(row["entry_reason"]).label


def _date(row: dict[str, Any], day: int | None) -> str:
    """A day as a date where the export has one, else as a day from day 0."""
    if day is None:
        return say("value.none")
    origin = row["origin_date"]
    if origin is None:
        return say("patients.day", day=day)
    return (origin + timedelta(days=day)).isoformat()


def _of_course(row: dict[str, Any], day: int | None) -> str:
    """A day of the course: its first is day 1."""
    return say("value.none") if day is None else str(day - row["start_day"] + 1)


def _grade(on: Page, row: dict[str, Any]) -> str:
    """A grade, a range as '3-4', or that there is none."""
    low, high = row["grade_low"], row["grade_high"]
    if (low, high) == (1, HIGHEST):
        return say("events.no_grade")
    if low == high:
        return grade_label(on.study, low)
    return f"{grade_label(on.study, low)}-{grade_label(on.study, high)}"


def _graded(on: Page, row: dict[str, Any]) -> tuple[str, str, str]:
    """Term, grade, scale with its version."""
    toxicity = on.study.toxicity
    term = toxicity.term(row["term_code"]).label
    return term, _grade(on, row), toxicity.scale(row["scale_code"]).label


def _known(on: Page, dimension: str, code: str | None) -> str:
    if code is None:
        return say("infections.not_recorded")
    return next(x.label for x in on.study.code_list(CODE_LISTS[dimension]) if x.code == code)


def _ended(listing: Listing, row: dict[str, Any]) -> tuple[str, ...]:
    """Outcome, serious, and of an infection what is known of it."""
    on, code = listing.on, row["outcome_code"]
    outcome = say(f"infections.outcome_{code}") if code in OUTCOMES else ""
    serious = {True: say("events.yes"), False: say("events.no")}.get(row["is_serious"])
    told = (outcome or say("infections.not_recorded"), serious or say("infections.not_recorded"))
    if not listing.has_infections:
        return told
    category = on.study.toxicity.term(row["term_code"]).category_code
    if category != on.study.toxicity.infections:
        return (*told, *[say("value.none")] * len(CODE_LISTS))
    columns = ("infection_site_code", "pathogen_code", "documentation_code")
    known = zip(CODE_LISTS, columns, strict=True)
    return (*told, *(_known(on, dimension, row[column]) for dimension, column in known))


def _ended_columns(listing: Listing) -> tuple[str, ...]:
    names = (say("infections.outcome"), say("events.column_serious"))
    return names + tuple(say(f"infections.{d}") for d in CODE_LISTS if listing.has_infections)


def _counted(row: dict[str, Any]) -> str:
    """Whether the event counts in the cell, or why not."""
    if not row["is_documented"]:
        return say("events.counts_not")
    return say("events.counts" if row["is_certain"] else "events.possible")


# ---------------------------------------------------------------- tables


def _columns(*names: str) -> tuple[str, ...]:
    return tuple(say(f"events.column_{name}") for name in names)


WHO = ("patient", "cohort", "line")
GRADED = ("term", "grade", "scale")


def _event_table(listing: Listing) -> Table:
    on, rows = listing.on, []
    for row in listing.events.rows(named=True):
        days = (_of_course(row, row["onset_day"]), _date(row, row["onset_day"]))
        days += (_of_course(row, row["end_day"]), _date(row, row["end_day"]))
        who, graded = _who(on, row), _graded(on, row)
        told = (row["course_number"], *graded, _counted(row), *days, *_ended(listing, row))
        rows.append((*who, *told))
    names = ("counted", "onset_day", "onset", "end_day", "end")
    columns = _columns(*WHO, "course", *GRADED, *names) + _ended_columns(listing)
    title = say("events.table", n=len(rows), **_asked(listing))
    return Table("events", title, columns, tuple(rows))


def _nearest(on: Page, row: dict[str, Any]) -> str:
    """The course nearest to an event outside every block, and how far away it is."""
    if row["block_code"] is None:
        return say("events.no_course")
    block, gap = on.study.block(row["block_code"]).label, row["gap_days"]
    key = "events.before" if gap < 0 else "events.after"
    return say(key, block=block, number=row["course_number"], days=abs(gap))


def _outside_table(listing: Listing) -> Table:
    on, rows = listing.on, []
    for row in listing.outside.rows(named=True):
        dates = (_date(row, row["onset_day"]), _date(row, row["end_day"]))
        told = (*_who(on, row), *_graded(on, row), *dates, _nearest(on, row))
        rows.append((*told, *_ended(listing, row)))
    columns = _columns(*WHO, *GRADED, "onset", "end", "nearest") + _ended_columns(listing)
    title = say("events.table_outside", n=len(rows), **_asked(listing))
    return Table("events_outside", title, columns, tuple(rows))


def _reasons(row: dict[str, Any]) -> str:
    """Why somebody is not counted in the block."""
    found = []
    if row["courses_no"]:
        found.append(say("events.reason_no", courses=row["courses_no"]))
    if row["courses_unknown"]:
        found.append(say("events.reason_unknown", courses=row["courses_unknown"]))
    if row["is_event_in_doubt"]:
        found.append(say("events.reason_event"))
    if row["is_course_in_doubt"]:
        key = "events.reason_course" if row["has_started"] else "events.reason_started"
        found.append(say(key))
    return "; ".join(found)


def _undocumented_table(listing: Listing) -> Table:
    on = listing.on
    rows = tuple((*_who(on, r), _reasons(r)) for r in listing.undocumented.rows(named=True))
    title = say("events.table_undocumented", n=len(rows), **_asked(listing))
    return Table("events_undocumented", title, _columns(*WHO, "reason"), rows)


def _count_table(listing: Listing) -> Table:
    """Of each group who started the block: with the item, possibly, without, not documented."""
    items, view, rows = listing.items, listing.on.view, []
    for s in items.started(view.block):
        n = items.count(view.block, view.item, s.group)
        possible = items.possible(view.block, view.item, s.group)
        rest = s.n_documented - n - possible
        rows.append((s.group.label, n, possible, rest, s.n_undocumented, s.n_started))
    names = ("cohort", "with", "possible", "without", "undocumented", "started")
    title = say("events.table_counts", **_asked(listing))
    return Table("events_counts", title, _columns(*names), tuple(rows))


def _asked(listing: Listing) -> dict[str, str]:
    """What the list is about, in words."""
    on = listing.on
    is_fatal = kind_of(on.view.item) == FATAL
    return {
        "item": listing.items.label(on.view.item),
        "at_least": say("events.any_grade") if is_fatal else at_least(on.study, on.view.grade),
        "block": on.study.block(on.view.block).label,
    }


def list_answer(on: Page) -> Answer:
    """The events behind a view's cell; for a viewer a sentence that says for whom this is."""
    if not is_clinician():
        return on.answer(say("events.viewer", variable=ACCESS, role=CLINICIAN), [], (), (), ())
    listing = _listing(on)
    counted = listing.events.filter(pl.col("is_documented") & pl.col("is_certain"))
    told = {
        "n": listing.events.height,
        "n_counted": counted.height,
        "patients": counted.select("enrollment_key", "line_number").n_unique(),
        "outside": listing.outside.height,
        "undocumented": listing.undocumented.height,
    }
    notes = [Note("info", say("events.note"))]
    if not listing.has_infections and on.study.toxicity.infections:
        notes.insert(0, Note("warning", say("infections.not_kept")))
    tables = (_count_table(listing), _event_table(listing), _undocumented_table(listing))
    headline = say("events.headline", **told, **_asked(listing))
    return on.answer(headline, notes, (), (*tables, _outside_table(listing)), ())
