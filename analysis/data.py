"""The data behind a view: what was loaded, what was kept out, by which check. Counts, no rows."""

from dataclasses import replace
from functools import partial

from analysis.answer import Answer, Disclosed, Note, Number, Table
from analysis.disclosure import is_clinician
from analysis.groups import sizes
from analysis.link import View
from analysis.wording import cutoff_in_words, notice
from trial.selection import in_words
from trial.words import say
from warehouse.query import Snapshot, query, read_records
from warehouse.solved import snapshot_before, solved_counts, solved_findings
from warehouse.store import store_folder

QUESTION = "data"


def _table(code: str, columns: tuple[str, ...], rows: list[tuple], **told: str) -> Table:
    titles = tuple(say(f"column.{column}") for column in columns)
    return Table(code, say(f"data.table_{code}", **told), titles, tuple(rows))


def clinician_tables(snapshot: Snapshot) -> tuple[Table, ...]:
    """Findings and quarantined rows with their raw texts: for a clinician alone.

    Empty for a viewer: then the records of the snapshot are not opened at all. Raises PolicyError
    for a role that is not known, SnapshotError if the records cannot be read.
    """
    if not is_clinician():
        return ()
    store = store_folder()
    columns = ("file", "row", "column", "raw_text", "severity", "rule", "message")
    findings = read_records(store, snapshot.snapshot_id, "finding").rows()
    quarantined = read_records(store, snapshot.snapshot_id, "quarantine").rows()
    before = snapshot_before(store, snapshot)
    solved = solved_findings(store, snapshot, before).rows(named=True) if before else []
    told = ("file_name", "source_row", "column_name", "raw_text", "severity", "rule", "message")
    tables = (
        _table("findings", columns, findings),
        _table("quarantine", ("file", "row", "row_text"), quarantined),
        _table("solved_findings", columns, [tuple(row[name] for name in told) for row in solved]),
    )
    return tuple(table for table in tables if table.rows)


def _solved_table(snapshot: Snapshot) -> Table:
    """Checks with fewer findings than in the snapshot before; empty if there is none to compare."""
    before = snapshot_before(store_folder(), snapshot)
    columns = ("source", "severity", "rule", "column", "before", "now")
    if before is None:
        return Table("solved", "", columns, ())
    rows = solved_counts(snapshot, before).rows()
    return _table("solved", columns, rows, snapshot=before.snapshot_id)


def _numbers(snapshot: Snapshot, n_enrolled: int, beside: Disclosed) -> tuple[Number, ...]:
    def number(statistic: str, value: int, of: int, unit: str) -> Number:
        return Number(
            snapshot=snapshot.snapshot_id,
            synthetic=snapshot.is_synthetic,
            question=QUESTION,
            statistic=statistic,
            estimate=value,
            numerator=value,
            denominator=of,
            unit=unit,
            method="count",
        )

    rows_in = snapshot.load["rows_in"]
    counts = ["rows_in", "rows_loaded", "rows_quarantined"]
    counts += ["rows_excluded"] if snapshot.load["rows_excluded"] else []
    return (
        *(number(name, snapshot.load[name], rows_in, "rows") for name in counts),
        replace(number("enrolled", n_enrolled, n_enrolled, "patients"), disclosed=beside),
    )


def data_answer(snapshot: Snapshot, view: View) -> Answer:
    """The account of the load behind a view: files, findings by check, enrollments by cohort."""
    study, load = snapshot.study, snapshot.load
    enrolled = dict(query(snapshot, "enrollment").select("cohort_code", "n_enrolled").rows())
    n_enrolled = sum(enrolled.values())
    issues = query(snapshot, "issue")
    made = say("data.synthetic_source") if load["is_synthetic"] else study.source
    notes = [
        Note("info", say("data.source", source=made, mapping=load["mapping_code"])),
        Note("info", say("data.rows_hint" if not is_clinician() else "data.rows_shown")),
    ]
    if issues.is_empty():
        notes.insert(0, Note("info", say("data.no_issues")))
    tables = (
        _table(
            "files",
            ("file", "source", "rows_in", "rows_loaded", "rows_quarantined", "rows_excluded"),
            [
                (number, source or say("data.no_source"), *counts)
                for number, source, *counts in query(snapshot, "file").drop("is_enrolling").rows()
            ],
        ),
        _table("issues", ("file", "severity", "rule", "column", "findings", "rows"), issues.rows()),
        _solved_table(snapshot),
        _table(
            "cohorts", ("cohort", "n"), [(c.label, enrolled.get(c.code, 0)) for c in study.cohorts]
        ),
    )
    shown = sizes(snapshot, view.selection)
    # Beside the sizes of the strip the enrollments tell how many lines are left out.
    left = abs(n_enrolled - sum(c.n_enrolled for c in shown.values()))
    beside = Disclosed((left,), "enrolled")
    tables = tuple(
        replace(t, disclosed=(beside,) * len(t.rows)) if t.code == "cohorts" else t for t in tables
    )
    counts = {name: load[name] for name in ("rows_in", "rows_loaded", "rows_quarantined")}
    n_excluded = load["rows_excluded"]
    counts["excluded"] = say("data.excluded", n=n_excluded) if n_excluded else ""
    return Answer(
        question=QUESTION,
        headline=say("data.headline", enrollments=n_enrolled, **counts),
        snapshot=snapshot.snapshot_id,
        data_cutoff=cutoff_in_words(snapshot.data_cutoff),
        notice=notice(snapshot),
        synthetic=snapshot.is_synthetic,
        population=in_words(study, view.selection),
        cohorts=tuple(shown.values()),
        notes=tuple(notes),
        figures=(),
        tables=tuple(table for table in tables if table.rows),
        tell=partial(_numbers, snapshot, n_enrolled, beside),
        is_about_patients=False,
        headline_disclosed=(beside,),
    )
