"""Checked facts -> rows of the canonical fact tables, keyed, every declared column there."""

import polars as pl

from etl.fact_tables import FACT_TABLES, STATES
from etl.findings import FILE
from etl.sources.raw import ROW
from etl.staging import CARRIED
from trial.schema import TABLES
from trial.study import Study

CASE = "enrollment_id"
NAMES = tuple(table.name for table in FACT_TABLES)
NUMBERED = {"fct_infusion": "infusion_number", "fct_adverse_event": "event_number"}


def fact_rows(
    facts: dict[str, pl.DataFrame], keyed: pl.DataFrame, study: Study
) -> dict[str, pl.DataFrame]:
    """The frames of the fact tables. `keyed`: enrollments with enrollment_key and patient_key."""
    keys = keyed.select(CASE, "enrollment_key", "cohort_code", "origin_date", "patient_id")
    frames = {name: facts.get(name, pl.DataFrame(schema={CASE: pl.String})) for name in NAMES}
    if "dim_line" not in facts:
        frames["dim_line"] = _one_line_each(keyed, study)
    keyed_frames = {
        name: frame.join(keys, on=CASE, maintain_order="left") for name, frame in frames.items()
    }
    keyed_frames["dim_line"] = _with_primary(keyed_frames["dim_line"])
    if "state" in keyed_frames["fct_finished_time"].columns:
        numbers = {state: number for number, state in enumerate(STATES)}
        told = pl.col("state").replace_strict(numbers, return_dtype=pl.Int8)
        finished = keyed_frames["fct_finished_time"].with_columns(told.alias("state"))
        keyed_frames["fct_finished_time"] = finished
    keyed_frames["fct_assessment"] = _with_limits(keyed_frames["fct_assessment"], study)
    return {name: _declared(name, frame) for name, frame in keyed_frames.items()}


def _one_line_each(keyed: pl.DataFrame, study: Study) -> pl.DataFrame:
    """An export without lines of therapy: everybody has the first kind, from day 0."""
    return keyed.select(
        CASE,
        pl.lit(1, pl.Int32).alias("line_number"),
        pl.lit(study.lines[0].code).alias("entry_reason"),
        pl.lit(0, pl.Int32).alias("start_day"),
    )


def _with_primary(lines: pl.DataFrame) -> pl.DataFrame:
    """Marks the first line of each kind of a child: of dated ones the earliest, else as listed."""
    begins = pl.col("origin_date").cast(pl.Int32) + pl.col("start_day")
    order = pl.struct(begins.fill_null(0), CASE, "line_number")
    first = order.rank("ordinal").over("patient_id", "entry_reason") == 1
    return lines.with_columns(first.alias("is_primary"))


def _with_limits(samples: pl.DataFrame, study: Study) -> pl.DataFrame:
    """The study's default detection limit where the export has none, marked as assumed."""
    if "lod" not in samples.columns:
        return samples.with_columns(pl.lit(False).alias("is_lod_assumed"))
    years = pl.col("origin_date").dt.year()
    assumed = pl.lit(None, pl.Float64)
    measure = study.response.mrd_measure if study.response else None
    for default in study.assay_defaults:
        fits = (pl.col("method_code") == default.method_code) & (
            years.is_between(default.from_year, default.to_year)
            & (pl.col("measure_code") == measure)
        )
        assumed = pl.when(fits).then(pl.lit(default.lod)).otherwise(assumed)
    is_assumed = pl.col("lod").is_null() & assumed.is_not_null()
    return samples.with_columns(
        pl.coalesce("lod", assumed).alias("lod"), is_assumed.alias("is_lod_assumed")
    )


def _declared(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The columns of the schema: what was not mapped is missing, documentation unknown."""
    schema = next(t.schema for t in TABLES if t.name == name)
    wanted = list(schema.columns())
    if name in NUMBERED:
        frame = _numbered(frame, NUMBERED[name])
    absent = [c for c in wanted if c not in frame.columns]
    frame = frame.with_columns(pl.lit(None).alias(c) for c in absent)
    if "ae_documented" in wanted:
        frame = frame.with_columns(pl.col("ae_documented").fill_null("unknown"))
    return frame.select(wanted)


def _numbered(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """Rows of an enrollment numbered by what they say, so that the export's order does not tell."""
    apart = (FILE, ROW, CASE, "patient_id", "origin_date", *CARRIED)
    told = [c for c in frame.columns if c not in apart]
    days = [c for c in told if c.endswith("_day")]
    ordered = frame.sort(*days, *[c for c in told if c not in days], nulls_last=True)
    number = pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("enrollment_key")
    return ordered.with_columns(number.alias(column))
