"""Load: an export and its mapping -> a published snapshot and an account of every row."""

import json
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from importlib import metadata
from pathlib import Path

import polars as pl

from etl.assign import Beside, Part, assigned, beside
from etl.checks import Checked, check
from etl.errors import LoadError
from etl.exclude import without_excluded
from etl.fact_rows import fact_rows
from etl.findings import FILE, ROW_ID, bad_rows, found, none_found
from etl.identity import read_secret, surrogate_keys
from etl.mapping import Mapping
from etl.sources.export import opened
from etl.sources.raw import ROW, SET_ASIDE
from etl.staging import StagedFile, stage
from etl.staging_facts import CATEGORY_TEXT, TERM_TEXT
from trial.found_terms import with_found_terms
from trial.schema import SCHEMA_VERSION
from trial.study import Study
from warehouse.build import build_snapshot
from warehouse.store import current_ids

OWNER = "source_enrollment_id"
# Rows that a reader sets aside and that could have been data; a title is not.
COUNTED_ASIDE = tuple(rule for rule in SET_ASIDE if rule != "title_row")


@dataclass(frozen=True)
class FileAccount:
    """What became of the rows that one source reads of one table.

    rows_in = rows_loaded + rows_quarantined + rows_excluded. `source_code` is '' for rows that no
    source takes, and for supplements.
    """

    file_number: int
    file_name: str
    source_code: str
    is_enrolling: bool
    rows_in: int
    rows_loaded: int
    rows_quarantined: int
    rows_excluded: int


@dataclass(frozen=True)
class LoadReport:
    """What a load did. `issues` counts findings by file, severity, rule and column."""

    study_code: str
    snapshot_id: str
    is_new: bool
    results_hash: str
    data_cutoff: str | None
    enrollments: int
    files: tuple[FileAccount, ...]
    unread_files: tuple[str, ...]
    issues: tuple[dict, ...] = field(default=())

    @property
    def rows_quarantined(self) -> int:
        """Rows kept out, over all files."""
        return sum(f.rows_quarantined for f in self.files)

    def as_json(self) -> str:
        """The report as JSON."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False)


def declared_cutoff(text: str | None) -> date | None:
    """A declared data cut-off. Raises LoadError if it is not an ISO date."""
    try:
        found = date.fromisoformat(text) if text else None
    except ValueError as error:
        raise LoadError(f"data cut-off '{text}' is not a date. Write it as 2026-05-03.") from error
    if found and found > date.today():
        raise LoadError(f"data cut-off {text} has not come yet.")
    return found


def _cutoff(declared: date | None, latest: date | None) -> str | None:
    """The declared cut-off; else the year of the latest date, since a day could be one child's."""
    if declared:
        return declared.isoformat()
    return str(latest.year) if latest else None


def _cutoff_not_applied() -> pl.DataFrame:
    """The warning that a cut-off was declared for an export that has day numbers and no dates."""
    whole = pl.DataFrame({FILE: [1], ROW: [0]}, schema={FILE: pl.Int32, ROW: pl.Int64})
    message = "The export has day numbers and no dates: the declared cut-off could not be applied."
    return found(whole, "cutoff_not_applied", "warning", message)


def _accounts(
    parts: list[Part], left_out: pl.DataFrame, findings: pl.DataFrame
) -> tuple[FileAccount, ...]:
    bad, accounts = bad_rows(findings), []
    for number, part in enumerate(parts, start=1):
        quarantined = bad.filter(pl.col("file_number") == number).height
        aside = sum(rule in COUNTED_ASIDE for _, rule in part.raw.aside)
        excluded = left_out.filter(pl.col("file_number") == number).height + aside
        rows_in = part.raw.n_rows + aside
        enrolls = part.source is not None and part.source.enrollment is not None
        code = part.source.code if part.source else ""
        counts = (rows_in, rows_in - quarantined - excluded, quarantined, excluded)
        accounts.append(FileAccount(number, part.raw.title, code, enrolls, *counts))
    return tuple(accounts)


def _quarantine(parts: list[Part], findings: pl.DataFrame) -> pl.DataFrame:
    bad = bad_rows(findings)
    frames = [pl.DataFrame(schema={**{k: pl.Int64 for k in ROW_ID}, "row_text": pl.String})]
    for number, raw in enumerate((part.raw for part in parts), start=1):
        mine = bad.filter(pl.col("file_number") == number)
        if mine.is_empty():
            continue
        texts = raw.rows.join(mine, left_on=ROW, right_on="source_row", how="semi").select(
            pl.lit(number, pl.Int64).alias("file_number"),
            pl.col(ROW).alias("source_row"),
            pl.struct(raw.columns).struct.json_encode().alias("row_text"),
        )
        misfits = pl.DataFrame(
            [(number, row, json.dumps(f, ensure_ascii=False)) for row, f in raw.misfits],
            schema=texts.schema,
            orient="row",
        )
        frames += [texts, misfits]
    rows = pl.concat(frames)
    return rows.join(bad.cast({"file_number": pl.Int64}), on=ROW_ID, how="semi")


def _issues(findings: pl.DataFrame) -> pl.DataFrame:
    keys = ["file_number", "severity", "rule", "column_name"]
    return (
        findings.group_by(keys)
        .agg(
            pl.len().cast(pl.Int64).alias("n_findings"),
            pl.col("source_row").n_unique().cast(pl.Int64).alias("n_rows"),
        )
        .sort(keys)
    )


def _with_owner(findings: pl.DataFrame, parts: list[Part]) -> pl.DataFrame:
    """Numbered findings, each with the enrollment that its row names."""
    frames = [pl.DataFrame(schema={**{k: findings.schema[k] for k in ROW_ID}, OWNER: pl.String})]
    for number, part in enumerate(parts, start=1):
        source = part.source or (part.shared[0] if part.shared else None)
        if source and source.enrollment_id in part.raw.columns:
            owner = pl.col(source.enrollment_id).str.strip_chars().alias(OWNER)
            rows = findings.filter(pl.col("file_number") == number).select(ROW_ID).unique()
            cells = part.raw.rows.select(pl.col(ROW).alias("source_row"), owner)
            frames.append(rows.join(cells, on="source_row"))
    owners = pl.concat(frames)
    numbered = findings.with_row_index("finding_number", offset=1)
    return numbered.join(owners, on=ROW_ID, how="left", maintain_order="left")


def _keys(checked: Checked, study: Study) -> pl.DataFrame:
    """enrollment_id -> enrollment_key, patient_key."""
    secret, ids = read_secret(), checked.enrollments
    enrollment = surrogate_keys(secret, "enrollment", study.code, ids["enrollment_id"])
    patient = surrogate_keys(secret, "patient", study.code, ids["patient_id"])
    return ids.select("enrollment_id", enrollment_key=enrollment, patient_key=patient)


def _potential_months(cutoff: date | None) -> pl.Expr:
    """Whole months from day 0 to the declared data cut-off: a month says less of a date than a day.

    Nothing for the dead (column `is_dead`), whose follow-up ended, and without a declared cut-off.
    """
    if cutoff is None:
        return pl.lit(None, pl.Int32).alias("potential_months")
    start = pl.col("origin_date")
    months = cutoff.year * 12 + cutoff.month - start.dt.year() * 12 - start.dt.month()
    whole = (months - (start.dt.day() > cutoff.day)).clip(0).cast(pl.Int32)
    return pl.when(~pl.col("is_dead")).then(whole).alias("potential_months")


def _enrollment_rows(keyed: pl.DataFrame, study: Study, cutoff: date | None) -> pl.DataFrame:
    since = (pl.col("entry_date") - pl.col("origin_date")).dt.total_days().cast(pl.Int32)
    levels = [c for x in study.characteristics for c in {x.level_column, x.code}]
    return keyed.select(
        "enrollment_key",
        "patient_key",
        "cohort_code",
        pl.col("origin_date").dt.year().cast(pl.Int32).alias("enrollment_year"),
        pl.coalesce("entry_day", since).alias("entry_day"),
        _potential_months(cutoff),
        *[c for c in dict.fromkeys(levels) if c in keyed.columns],
    )


def _facts(
    checked: Checked, keys: pl.DataFrame, study: Study, cutoff: date | None
) -> dict[str, pl.DataFrame]:
    ends = [m.code for m in study.milestones if m.is_terminal]
    dead = checked.milestones.filter(pl.col("milestone_code").is_in(ends))["enrollment_id"]
    is_dead = pl.col("enrollment_id").is_in(dead.implode()).alias("is_dead")
    keyed = checked.enrollments.join(keys, on="enrollment_id").with_columns(is_dead)
    source_id = pl.col("patient_id").alias("source_patient_id")
    sources = checked.sources.join(keys, on="enrollment_id")
    doubts = checked.doubts.join(keys, on="enrollment_id")
    milestones = checked.milestones.join(keys, on="enrollment_id")
    return {
        "dim_enrollment": _enrollment_rows(keyed, study, cutoff),
        **fact_rows(checked.facts, keyed, study),
        "fct_milestone": milestones.select(
            "enrollment_key", "milestone_code", "instance", "day", "detail_code"
        ),
        "fct_doubt": doubts.select("enrollment_key", "milestone_code"),
        "record_enrollment": keyed.select("enrollment_key", source_id, "origin_date"),
        "record_fact": _traced(sources),
    }


def _traced(sources: pl.DataFrame) -> pl.DataFrame:
    """Each row of the export and fact that was taken from it once, in their order."""
    key = ["file_number", "source_row", "table_name", "item_code"]
    named = {"file_number": FILE, "source_row": ROW}
    rows = sources.select("enrollment_key", *key[2:], **named).sort(key)
    is_new = pl.any_horizontal(pl.col(c).ne_missing(pl.col(c).shift(1)) for c in key)
    return rows.filter(is_new)


def _ledger(
    mapping: Mapping,
    accounts: tuple[FileAccount, ...],
    cutoff: str | None,
    is_synthetic: bool,
    previous: str | None,
) -> dict[str, pl.DataFrame]:
    files = pl.DataFrame([asdict(a) for a in accounts])
    load = {
        "study_code": mapping.study.code,
        "mapping_code": mapping.code,
        "data_cutoff": cutoff or "undated",
        "schema_version": SCHEMA_VERSION,
        "rows_in": files["rows_in"].sum(),
        "rows_loaded": files["rows_loaded"].sum(),
        "rows_quarantined": files["rows_quarantined"].sum(),
        "rows_excluded": files["rows_excluded"].sum(),
        "is_synthetic": is_synthetic,
        "loaded_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "program_version": _program_version(),
        "previous_snapshot_id": previous,
    }
    study = {"study_code": mapping.study.code, "definition": mapping.study.text}
    return {
        "load": pl.DataFrame([load], schema_overrides={"previous_snapshot_id": pl.String}),
        "file": files.drop("file_name"),
        "record_file": files.select("file_number", "file_name"),
        "study": pl.DataFrame([study]),
    }


def _program_version() -> str:
    libraries = ("duckdb", "polars")
    return " ".join(f"{name} {metadata.version(name)}" for name in libraries)


def load(path: Path, mapping: Mapping, store: Path, cutoff: str | None = None) -> LoadReport:
    """Load the export at `path` (a file or a folder) into `store`.

    `cutoff` is the declared data cut-off (ISO date); the mapping's own comes second, the latest
    date in the data third. Raises LoadError, with nothing published, if the export cannot be read
    or if no row of it can be loaded.
    """
    ready = _ready(path, mapping, store, declared_cutoff(cutoff or mapping.data_cutoff))
    published = build_snapshot(store, ready.study, ready.frames, ready.data_cutoff)
    return LoadReport(
        study_code=ready.study.code,
        snapshot_id=published.snapshot_id,
        is_new=published.is_new,
        results_hash=published.results_hash,
        data_cutoff=ready.data_cutoff,
        enrollments=ready.frames["dim_enrollment"].height,
        files=ready.accounts,
        unread_files=ready.unread,
        issues=tuple(ready.frames["issue"].to_dicts()),
    )


@dataclass(frozen=True)
class _Ready:
    """What an export comes to: the frames of a snapshot, and the account of them."""

    study: Study
    frames: dict[str, pl.DataFrame]
    data_cutoff: str | None
    accounts: tuple[FileAccount, ...]
    unread: tuple[str, ...]


def _ready(path: Path, mapping: Mapping, store: Path, declared: date | None) -> _Ready:
    """Read and check an export. Raw rows and all else that is no frame are let go at the end."""
    with opened(path) as export:
        parts, unread = assigned(export, mapping, path.is_file())
    checked, left_out, is_synthetic = _checked(path, parts, mapping, declared)
    accounts = _accounts(parts, left_out, checked.findings)
    if checked.enrollments.is_empty():
        raise LoadError(f"{path}: no row could be loaded. {_worst(checked.findings)}")
    study, unsure = _with_found_terms(mapping.study, checked)
    mapping = replace(mapping, study=study)
    checked = replace(checked, findings=pl.concat([checked.findings, unsure]))
    data_cutoff = _cutoff(declared, checked.latest_date)
    if declared and checked.latest_date is None:
        checked = replace(checked, findings=pl.concat([checked.findings, _cutoff_not_applied()]))
    sorted_findings = checked.findings.sort("file_number", "source_row", "column_name", "rule")
    previous = current_ids(store).get(mapping.study.code)
    frames = {
        **_facts(checked, _keys(checked, mapping.study), mapping.study, declared),
        **_ledger(mapping, accounts, data_cutoff, is_synthetic, previous),
        "issue": _issues(checked.findings),
        "finding": _with_owner(sorted_findings, parts),
        "quarantine": _quarantine(parts, checked.findings),
    }
    return _Ready(mapping.study, frames, data_cutoff, accounts, tuple(unread))


def _checked(
    path: Path, parts: list[Part], mapping: Mapping, declared: date | None
) -> tuple[Checked, pl.DataFrame, bool]:
    """The checked facts; the rows left out by rule; whether all rows say they are synthetic."""
    staged, left_out, others = _staged(parts, mapping.study)
    is_synthetic = _is_synthetic(path, staged)
    return _check(staged, mapping, declared, others), left_out, is_synthetic


def _staged(parts: list[Part], study: Study) -> tuple[list[StagedFile], pl.DataFrame, list[Beside]]:
    """The parts that a source reads, typed; rows left out by rule; findings and doubts beside.

    A row of somebody who is left out as a whole is left out too.
    """
    numbered = list(enumerate(parts, start=1))
    staged = [
        stage(part.raw, n, part.source, study, part.shared) for n, part in numbered if part.source
    ]
    left_out, staged = without_excluded(staged)
    return staged, left_out, [beside(part, n) for n, part in numbered if not part.source]


def _with_found_terms(study: Study, checked: Checked) -> tuple[Study, pl.DataFrame]:
    """The study with the terms that an open list takes from the export.

    And a warning for each event whose category is not the one that its term counts in: the most
    frequent.
    """
    events = checked.facts["fct_adverse_event"]
    if TERM_TEXT not in events.columns:
        return study, none_found()
    events = events.filter(pl.col(TERM_TEXT).is_not_null())
    told = ["term_code", CATEGORY_TEXT]
    terms = events.group_by(told).agg(pl.len(), pl.col(TERM_TEXT).sort().last())
    terms = terms.sort("len", CATEGORY_TEXT, nulls_last=False)
    counted = terms.group_by("term_code", maintain_order=True).last()
    message = "This term stands more often in another category, which counts for all of its rows."
    other = events.join(counted, on=told, how="anti", nulls_equal=True)
    unsure = found(other, "term_in_two_categories", "warning", message)
    return with_found_terms(study, counted.select(TERM_TEXT, CATEGORY_TEXT).rows()), unsure


def _check(
    staged: list[StagedFile], mapping: Mapping, cutoff: date | None, others: list[Beside]
) -> Checked:
    rules = [source.enrollment for source in mapping.sources if source.enrollment]
    repeats = any(rule.repeats for rule in rules)
    return check(staged, others, mapping.study, repeats=repeats, cutoff=cutoff)


def _is_synthetic(path: Path, staged: list[StagedFile]) -> bool:
    """Whether the rows say that they are synthetic. Raises LoadError if only some of them do."""
    said = [s.rows["is_synthetic"] for s in staged if s.source.synthetic]
    marked = pl.concat(said) if said else pl.Series([], dtype=pl.Boolean)
    if marked.any() and not marked.all():
        raise LoadError(
            f"{path}: {marked.sum()} of {marked.len()} rows say that they are synthetic, the "
            "others do not. Synthetic and real rows must never be mixed: load them apart."
        )
    return bool(marked.any())


def _worst(findings: pl.DataFrame) -> str:
    errors = findings.filter(pl.col("severity") == "error")
    if errors.is_empty():
        return "The mapping enrolls nobody."
    first = errors.sort("file_number", "source_row").row(0, named=True)
    place = f"row {first['source_row']}" + (
        f", column '{first['column_name']}', '{first['raw_text']}'" if first["column_name"] else ""
    )
    return f"{errors.height} errors; the first at {place}: {first['message']}"
