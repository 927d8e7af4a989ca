"""Checked facts -> rows of the canonical fact tables, keyed, every declared column there."""

import polars as pl

from etl.fact_tables import FACT_TABLES, STATES
from etl.repeats import shared
from trial.schema import TABLES
from trial.study import Study

CASE, KEY = "enrollment_id", "enrollment_key"
NAMES = tuple(table.name for table in FACT_TABLES)
NUMBERED = {"fct_infusion": "infusion_number", "fct_adverse_event": "event_number"}
# A number made of digits stays below this.
LARGEST = 2**62


def fact_rows(
    facts: dict[str, pl.DataFrame], keyed: pl.DataFrame, study: Study
) -> dict[str, pl.DataFrame]:
    """The frames of the fact tables. `keyed`: enrollments with enrollment_key and patient_key."""
    keys = keyed.select(CASE, KEY, "cohort_code", "origin_date", "patient_id")
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
    kind = ["patient_id", "entry_reason"]
    several = shared(lines, kind)
    first = order.rank("ordinal").over(kind) == 1
    return pl.concat(
        [
            lines.filter(~several).with_columns(pl.lit(True).alias("is_primary")),
            lines.filter(several).with_columns(first.alias("is_primary")),
        ]
    )


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
        frame = _numbered(frame, wanted, NUMBERED[name])
    absent = [c for c in wanted if c not in frame.columns]
    frame = frame.with_columns(pl.lit(None).alias(c) for c in absent)
    if "ae_documented" in wanted:
        frame = frame.with_columns(pl.col("ae_documented").fill_null("unknown"))
    return frame.select(wanted)


def _numbered(frame: pl.DataFrame, wanted: list[str], column: str) -> pl.DataFrame:
    """Rows of an enrollment numbered by what they say, so that the export's order does not tell."""
    told = [c for c in wanted if c in frame.columns and c != KEY]
    days = [c for c in told if c.endswith("_day")]
    rest = [c for c in told if c not in days]
    listed = _listed(frame.select(KEY, *days, *rest))
    ordered = listed.sort(KEY, *_few(listed, [*days, *rest]))
    place = pl.int_range(1, pl.len() + 1, dtype=pl.Int32)
    begins = pl.when(pl.col(KEY).ne_missing(pl.col(KEY).shift(1))).then(place)
    return ordered.with_columns((place - begins.forward_fill() + 1).alias(column))


def _listed(frame: pl.DataFrame) -> pl.DataFrame:
    """Texts as places in a sorted list of them, which are sorted faster, and the same."""
    texts = [c for c, kind in frame.schema.items() if kind == pl.String]
    lists = {c: pl.Enum(frame[c].drop_nulls().unique().sort()) for c in texts}
    return frame.with_columns(pl.col(c).cast(kind) for c, kind in lists.items())


def _few(frame: pl.DataFrame, columns: list[str]) -> list[pl.Expr]:
    """Few columns that sort as these do, missing values last: small ones are digits of a number.

    A sort by two columns without missing values takes a fifth of the time of one by ten.
    """
    few: list[pl.Expr] = []
    room = 0
    for name in columns:
        value = pl.col(name).to_physical()
        if frame.schema[name].is_float():
            few, room = [*few, value.is_null(), value.fill_null(0)], 0
            continue
        lowest, highest = frame.select(value.min().alias("low"), value.max().alias("high")).row(0)
        if lowest is None:
            continue
        size = int(highest) - int(lowest) + 2
        digit = (value.cast(pl.Int64) - int(lowest)).fill_null(size - 1)
        if size > room:
            few, room = [*few, digit], LARGEST // size
        else:
            few[-1], room = few[-1] * size + digit, room // size
    return few
