"""Patients one by one, for clinicians alone: swimmer plot, the list behind a number, and why not.

Results (keys, days) and records (who is who) meet here by enrollment key, and nowhere else.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

import polars as pl

from analysis.answer import Account, Answer, Figure, Table
from analysis.charts.swimmer import Lane, Mark, Span, swimmer_chart, swimmer_height
from analysis.compose import Page
from analysis.disclosure import is_clinician
from analysis.groups import groups
from analysis.link import EVERYBODY, REMISSION, WINDOWS, threshold_of
from analysis.measures import Measure, class_label, label_of, measure_of, rule_of
from analysis.response_flow import as_nodes, flow_stages, node_label, stage_label
from trial.response import FlowStage
from trial.study import MISSING
from trial.words import say
from warehouse.query import flow_lines, query, read_records
from warehouse.store import store_folder

MOST_LANES = 60
KEYS = ["enrollment_key", "line_number"]
CELLS = "cells"


@dataclass(frozen=True)
class Patients:
    """The lines of the population with who they are and their class; and what happened to them."""

    lines: pl.DataFrame
    courses: pl.DataFrame
    events: pl.DataFrame
    samples: pl.DataFrame


def _classes(on: Page, measure: Measure) -> pl.DataFrame:
    chosen = on.view.selection
    if measure.point == REMISSION:
        return query(on.snapshot, "patient_response", chosen, definition=measure.by)
    told = {"timepoint_code": measure.point, "threshold": threshold_of(measure.by)}
    return query(on.snapshot, "patient_mrd", chosen, **told)


def _samples(on: Page) -> pl.DataFrame:
    rule = on.study.response
    if rule is None or rule.mrd_measure is None:
        schema = {"enrollment_key": pl.Int64, "line_number": pl.Int32}
        return pl.DataFrame(schema={**schema, "day": pl.Int32, "class": pl.String})
    told = {"measure_code": rule.mrd_measure, "material_code": rule.material}
    threshold = threshold_of(on.view.mrd)
    return query(on.snapshot, "patient_sample", on.view.selection, **told, threshold=threshold)


def _read(on: Page, measure: Measure) -> Patients:
    rule = on.study.response
    assert rule
    chosen = on.view.selection
    told = {"contact_code": rule.contact, "death_code": rule.death}
    lines = query(on.snapshot, "patient", chosen, **told)
    known = read_records(store_folder(), on.snapshot.snapshot_id, "identity")
    lines = lines.join(known, on="enrollment_key", how="left")
    lines = lines.join(_classes(on, measure), on=KEYS, how="left").with_columns(
        end=pl.min_horizontal(
            pl.coalesce("death_day", "contact_day", "start_day"), pl.col("next_start")
        )
    )
    if rule.flow:
        threshold = threshold_of(on.view.mrd) if on.view.mrd else None
        paths = flow_lines(on.snapshot, chosen, on.view.definition, threshold)
        lines = lines.join(as_nodes(on, paths), on=KEYS, how="left")
    cells = rule.course.cells if rule.course else None
    return Patients(
        lines,
        query(on.snapshot, "patient_course", chosen),
        query(on.snapshot, "patient_event", chosen, cells_code=cells),
        _samples(on),
    )


def _listed(on: Page, patients: Patients) -> pl.DataFrame:
    """The lines that are asked for, sorted."""
    lines = patients.lines
    if on.view.who != EVERYBODY:
        lines = lines.filter(pl.col("class") == on.view.who)
    followed = pl.col("end") - pl.col("start_day")
    by = {
        "class": [pl.col("class"), pl.col("cohort_code"), -followed],
        "follow_up": [-followed],
        "response_day": [pl.col("day") - pl.col("start_day"), -followed],
    }[on.view.sort]
    return lines.sort(*by, pl.col("source_patient_id"), "line_number", nulls_last=True)


# ---------------------------------------------------------------- swimmer


def _spans(on: Page, patients: Patients, row: dict) -> tuple[Span, ...]:
    labels = {b.code: b.label for b in on.study.blocks}
    spans = []
    for course in _of(patients.courses, row).rows(named=True):
        start = course["start_day"] - row["start_day"]
        stop = course["stop_day"]
        end = start + 1 if stop is None else stop - row["start_day"]
        label = say(
            "patients.course", block=labels[course["block_code"]], number=course["course_number"]
        )
        spans.append(Span(start, max(end, start), course["block_code"], label))
    return tuple(spans)


def _of(frame: pl.DataFrame, row: dict) -> pl.DataFrame:
    return frame.filter(
        pl.col("enrollment_key") == row["enrollment_key"],
        pl.col("line_number") == row["line_number"],
    )


def _marks(on: Page, patients: Patients, row: dict) -> tuple[Mark, ...]:
    shown = _mark_labels(on)
    marks = []
    for event in _of(patients.events, row).rows(named=True):
        code, day = event["event_code"], event["day"]
        if code in shown and row["start_day"] <= day <= row["end"]:
            marks.append(Mark(day - row["start_day"], code, shown[code]))
    for sample in _of(patients.samples, row).rows(named=True):
        code = f"mrd_{sample['class']}"
        if code in shown and row["start_day"] <= sample["day"] <= row["end"]:
            marks.append(Mark(sample["day"] - row["start_day"], code, shown[code]))
    return tuple(sorted(marks, key=lambda mark: mark.day))


def _mark_labels(on: Page) -> dict[str, str]:
    """What is marked, in the order of the legend: samples, milestones that are no bookkeeping."""
    rule = on.study.response
    assert rule
    quiet = {rule.contact, rule.lost, *(e.censor for e in on.study.endpoints)}
    found = {}
    if rule.mrd_measure:
        found |= {f"mrd_{c}": say(f"patients.mrd_{c}") for c in ("negative", "positive")}
    if rule.course and rule.course.cells:
        kinds = {x.code: x.label for x in on.study.code_list("infusion")}
        found[CELLS] = kinds[rule.course.cells]
    told = [m for m in on.study.milestones if not m.is_derived and m.code not in quiet]
    return found | {m.code: m.label for m in told}


def _lanes(on: Page, patients: Patients, listed: pl.DataFrame, wanted: str) -> list[Lane]:
    """The lanes, drawn to the end of the window: an arrow says that it goes on."""
    roles = {cohort.code: k for k, cohort in enumerate(on.study.cohorts)}
    lanes = []
    for row in listed.head(MOST_LANES).rows(named=True):
        last = row["end"] - row["start_day"]
        end = min(last, WINDOWS[on.view.window] or last)
        spans = [s for s in _spans(on, patients, row) if s.start <= end]
        lanes.append(
            Lane(
                _name(row),
                roles[row["cohort_code"]],
                end,
                tuple(replace(s, stop=min(s.stop, end)) for s in spans),
                tuple(m for m in _marks(on, patients, row) if m.day <= end),
                end < last or (row["death_day"] is None and row["next_start"] is None),
                bool(wanted) and row["source_patient_id"] == wanted,
            )
        )
    return lanes


def _name(row: dict) -> str:
    line = row["line_number"]
    name = row["source_patient_id"] or say("patients.unknown")
    return name if line == 1 else say("patients.line", name=name, line=line)


def _figure(on: Page, patients: Patients, listed: pl.DataFrame, wanted: str) -> tuple[Figure, ...]:
    lanes = _lanes(on, patients, listed, wanted)
    if not lanes:
        return ()
    rule = on.study.response
    blocks = tuple((b.code, b.label) for b in on.study.blocks)
    marks = tuple(_mark_labels(on).items())
    cohorts = tuple((k, cohort.label) for k, cohort in enumerate(on.study.cohorts))
    draw = partial(
        swimmer_chart,
        lanes,
        blocks=blocks,
        marks=marks,
        cohorts=cohorts,
        unit_days=on.study.unit_days,
        time_title=say("patients.axis", unit=on.study.time_unit),
        landmark_day=rule.landmark_day if rule else None,
    )
    told: dict[str, Any] = {"n": len(lanes), "of": listed.height}
    return (
        Figure(
            code="swimmer",
            title=say("patients.title"),
            draw=draw,
            page_height=swimmer_height(lanes, blocks=blocks, marks=marks, cohorts=cohorts),
            caption=on.caption(
                "patients.caption", landmark=rule.landmark_day if rule else "", **told
            ),
            alt_text=say("patients.alt", **told),
            accounts=_accounts(on, listed.head(MOST_LANES)),
            names_patients=True,
        ),
    )


def _accounts(on: Page, drawn: pl.DataFrame) -> tuple[Account, ...]:
    found = []
    for g in groups(on.study, on.view.selection):
        size = on.sizes[g.code]
        shown = drawn.filter(g.matches).height
        rest = size.n_population - shown
        reasons = [
            (say("account.filtered"), size.n_enrolled - size.n_population),
            (say("patients.not_listed"), rest),
        ]
        named = tuple((label, n) for label, n in reasons if n)
        found.append(Account(g.label, size.n_enrolled, shown, named))
    return tuple(found)


# ---------------------------------------------------------------- the list


def _date(row: dict, day: int | None) -> str:
    """A day as a date where the export has one, else as a day from day 0."""
    if day is None:
        return say("value.none")
    origin = row["origin_date"]
    if origin is None:
        return say("patients.day", day=day)
    date = (origin + timedelta(days=day)).isoformat()
    return say("patients.dated", date=date, day=day)


def _node(on: Page, stage: FlowStage, code: str | None) -> str:
    """Where a patient is at a stage of the flow: who is in a band is found by sorting."""
    return say("value.none") if code is None else node_label(on, stage, code)


def _who(on: Page) -> str:
    """Whom the list holds, in words."""
    if on.view.who == EVERYBODY:
        return say("patients.everybody")
    return class_label(on.study, on.view.who)


def _table(on: Page, measure: Measure, listed: pl.DataFrame) -> Table:
    cohorts = {c.code: c.label for c in on.study.cohorts}
    lines = {line.code: line.label for line in on.study.lines}
    stages, rows = flow_stages(on), []
    for row in listed.rows(named=True):
        label = say("value.none") if row["class"] is None else class_label(on.study, row["class"])
        rows.append(
            (
                _name(row),
                cohorts[row["cohort_code"]],
                lines[row["entry_reason"]],
                label,
                _date(row, row["day"]),
                *(_node(on, stage, row.get(f"stage_{k}")) for k, stage in enumerate(stages)),
                _date(row, row["end"]),
                say("patients.dead" if row["death_day"] is not None else "patients.alive"),
            )
        )
    names = ("patient", "cohort", "line", "class", "class_day")
    columns = [say(f"patients.column_{name}") for name in names]
    columns += [stage_label(on, stage) for stage in stages]
    columns += [say(f"patients.column_{name}") for name in ("last_seen", "status")]
    told = {"what": label_of(on.study, measure), "who": _who(on)}
    title = say("patients.table", n=listed.height, **told)
    return Table("patients", title, tuple(columns), tuple(rows))


def patients_answer(on: Page, wanted: str = "") -> Answer:
    """The patients of the population, and why one of them (`wanted`) is or is not counted.

    For a viewer a sentence that says for whom this is; then no record is opened.
    """
    if not is_clinician():
        return on.answer(say("patients.viewer"), [], (), (), ())
    measure = measure_of(on.view, on.view.timepoint)
    patients = _read(on, measure)
    listed = _listed(on, patients)
    told = {"what": label_of(on.study, measure), "who": _who(on)}
    headline = say("patients.headline", n=listed.height, of=patients.lines.height, **told)
    tables = [_table(on, measure, listed)]
    if wanted:
        tables.insert(0, _why(on, measure, patients, wanted))
    return on.answer(headline, [], _figure(on, patients, listed, wanted), tuple(tables), ())


# ---------------------------------------------------------------- why is this patient not here?


def _why(on: Page, measure: Measure, patients: Patients, wanted: str) -> Table:
    """Rule by rule: is this patient counted, and what stops it; then the rows it comes from."""
    store, name = store_folder(), on.snapshot.snapshot_id
    keys = _enrollments_of(read_records(store, name, "identity"), wanted)
    rows: list[tuple] = []
    for line in query(on.snapshot, "line_of", enrollment_keys=keys).rows(named=True):
        rows += [(_line_name(on, line), *told) for told in _steps(on, measure, patients, line)]
    if not keys:
        rows.append((wanted, say("why.known"), say("why.no"), say("why.not_enrolled")))
    for found in read_records(store, name, "kept_out", source_id=wanted).rows(named=True):
        where = say("why.where", file=found["file_name"], row=found["source_row"])
        rows.append((where, say("why.quarantined"), say("why.no"), found["message"]))
    for found in read_records(store, name, "fact_row", enrollment_keys=keys).rows(named=True):
        where = say("why.where", file=found["file_name"], row=found["source_row"])
        told = " ".join(x for x in (found["table_name"], found["item_code"]) if x)
        rows.append((where, say("why.source"), "", told))
    columns = tuple(say(f"why.column_{c}") for c in ("line", "rule", "answer", "told"))
    title = say("why.title", patient=wanted, what=label_of(on.study, measure))
    return Table("why", title, columns, tuple(rows))


def _enrollments_of(known: pl.DataFrame, wanted: str) -> list[int]:
    """The enrollments whose patient is meant: capitals do not count, and the number of a case
    behind the identifier ('RB-1/2') says no more than the patient."""
    meant = wanted.casefold()
    found = [
        (source.casefold(), key)
        for key, source in known.select("enrollment_key", "source_patient_id").rows()
        if _is_meant(meant, source.casefold())
    ]
    longest = max((len(source) for source, _ in found), default=0)
    return [key for source, key in found if len(source) == longest]


def _is_meant(meant: str, source: str) -> bool:
    return meant == source or (
        meant.startswith(source) and not meant[len(source) : len(source) + 1].isalnum()
    )


def _line_name(on: Page, line: dict) -> str:
    cohort = on.study.cohort(line["cohort_code"]).label
    kind = on.study.line(line["entry_reason"]).label
    return say("why.line", cohort=cohort, kind=kind, number=line["line_number"])


def _yes(is_so: bool) -> str:
    return say("why.yes" if is_so else "why.no")


def _steps(on: Page, measure: Measure, patients: Patients, line: dict) -> list[tuple]:
    """Each rule that decides whether a line is counted, in the order they are applied."""
    study, chosen = on.study, on.view.selection
    rule = study.response
    cohort, kind = line["cohort_code"], line["entry_reason"]
    steps = [
        (say("why.cohort"), _yes(cohort in chosen.cohort_codes), study.cohort(cohort).label),
        (say("why.kind"), _yes(kind in chosen.line_codes), study.line(kind).label),
        (say("why.primary"), _yes(line["is_primary"]), say("why.primary_told")),
    ]
    for f in chosen.filters:
        x = study.characteristic(f.characteristic_code)
        level = line[x.level_column] or MISSING
        steps.append((x.label, _yes(level in f.level_codes), x.level_label(level)))
    judged = bool(rule and kind in rule.line_codes)
    steps.append((say("why.judged"), _yes(judged), study.line(kind).label))
    mine = _of(patients.lines, line)
    if mine.height and judged:
        code = mine["class"].item() or "in_doubt"
        reached = bool(mine["is_reached"].item())
        is_counted = rule_of(on.view).counts(measure.kind, code, reached)
        told = say("why.counted_told", label=class_label(study, code))
        steps.append((say("why.counted"), _yes(is_counted), told))
        steps.append(
            (say("why.response"), _yes(code == measure.kind.yes), class_label(study, code))
        )
    return steps
