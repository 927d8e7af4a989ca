"""A made registry of any size: its study definition and its checked frames.

Two cohorts; exponential times with staggered entry; eight blocks with forty terms of adverse
events; five characteristics of five levels. Everything is drawn anew from one seed.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from trial.schema import SCHEMA_VERSION, TABLES
from trial.study import Study
from trial.study_file import study_from_text
from warehouse.build import definition_rows

SEED = 20161122
BLOCKS = [f"b{i}" for i in range(8)]
CATEGORIES = [f"c{i}" for i in range(8)]
TERMS = [f"t{i}" for i in range(40)]
CHARACTERISTICS = [f"x{i}" for i in range(5)]
LEVELS = [f"l{i}" for i in range(5)]
POINTS = 4
REMISSION_DAY = 30
# Adverse events of a patient in one block; of a larger registry courses and events are left out.
EVENTS_A_BLOCK = 2
MOST_WITH_EVENTS = 1_000_000


def _tables(name: str, rows: list[str]) -> Iterator[str]:
    for row in rows:
        yield f"[[{name}]]\n{row}\n"


def _lists() -> Iterator[str]:
    """The repeating parts of the definition."""
    levels = ", ".join(f'{{ code = "{code}", label = "{code}" }}' for code in LEVELS)
    for code in CHARACTERISTICS:
        row = f'code = "{code}"\nlabel = "{code}"\nkind = "choice"\nknown_at = "enrollment"'
        yield from _tables("characteristic", [f"{row}\nlevel = [{levels}]"])
    yield from _tables("block", [f'code = "{b}"\nlabel = "{b}"' for b in BLOCKS])
    for i in range(POINTS):
        row = f'code = "p{i}"\nlabel = "p{i}"\nafter_block = "b{i}"\nfrom_day = 10\nto_day = 28'
        yield from _tables("timepoint", [row])
    for i, code in enumerate(CATEGORIES):
        row = f'code = "{code}"\nlabel = "{code}"\ndefault = {str(i < 6).lower()}'
        yield from _tables("toxicity.category", [row])
    for i, code in enumerate(TERMS):
        row = f'code = "{code}"\nlabel = "{code}"\ncategory = "{CATEGORIES[i % 8]}"'
        yield from _tables("toxicity.term", [row])


def study() -> Study:
    """The study definition of the registry."""
    fixed = (Path(__file__).parent / "registry.toml").read_text(encoding="utf-8")
    return study_from_text(fixed + "\n".join(_lists()))


def _patients(rng: np.random.Generator, of: Study, n: int) -> dict[str, pl.DataFrame]:
    arm = rng.integers(0, 2, n)
    death = np.ceil(rng.exponential(1500 * (1 + 0.4 * arm)))
    seen = np.ceil(rng.uniform(200, 2500, n))
    key = np.arange(n)
    day = np.minimum(death, seen).astype(np.int32)
    died, remitted = death <= seen, day > REMISSION_DAY
    parts = [
        ("death", key[died], day[died]),
        ("last_contact", key, day),
        ("remission", key[remitted], np.full(remitted.sum(), REMISSION_DAY, np.int32)),
    ]
    milestones = pl.concat(
        pl.DataFrame({"enrollment_key": who, "milestone_code": code, "day": when})
        for code, who, when in parts
    ).with_columns(
        pl.lit(1, pl.Int32).alias("instance"), pl.lit(None, pl.String).alias("detail_code")
    )
    levels = {
        code: pl.Series(LEVELS).gather(rng.integers(0, len(LEVELS), n)) for code in CHARACTERISTICS
    }
    cohorts = pl.Series([cohort.code for cohort in of.cohorts])
    enrollments = pl.DataFrame(
        {"enrollment_key": key, "patient_key": key, "cohort_code": cohorts.gather(arm), **levels}
    ).with_columns(
        pl.lit(None, pl.Int32).alias(name)
        for name in ("enrollment_year", "entry_day", "potential_months")
    )
    lines = enrollments.select(
        "enrollment_key",
        pl.lit(1, pl.Int32).alias("line_number"),
        pl.lit(of.lines[0].code).alias("entry_reason"),
        pl.lit(0, pl.Int32).alias("start_day"),
        pl.lit(None, pl.String).alias("protocol_as_treated"),
        pl.lit(None, pl.String).alias("intent"),
        pl.lit(True).alias("is_primary"),
    )
    return {"dim_enrollment": enrollments, "dim_line": lines, "fct_milestone": milestones}


def _courses(n: int) -> pl.DataFrame:
    key = np.repeat(np.arange(n), len(BLOCKS))
    start = np.tile(np.arange(len(BLOCKS)) * 30, n)
    return pl.DataFrame(
        {
            "enrollment_key": key,
            "line_number": np.ones(key.size, np.int32),
            "block_code": pl.Series(BLOCKS).gather(np.tile(np.arange(len(BLOCKS)), n)),
            "course_number": np.ones(key.size, np.int32),
            "start_day": start.astype(np.int32),
            "stop_day": (start + 20).astype(np.int32),
        }
    ).with_columns(
        pl.lit(True).alias("is_planned"),
        pl.lit(None, pl.Float64).alias("dose_percent"),
        pl.lit(True).alias("is_completed"),
        pl.lit("yes").alias("ae_documented"),
        (pl.col("start_day") + 18).alias("recovery_day"),
        (pl.col("start_day") + 29).alias("until_day"),
        pl.lit("next_course").alias("until_code"),
    )


def _events(rng: np.random.Generator, n: int) -> pl.DataFrame:
    a_patient = len(BLOCKS) * EVENTS_A_BLOCK
    block = np.tile(np.repeat(np.arange(len(BLOCKS)), EVENTS_A_BLOCK), n)
    onset = (block * 30 + rng.integers(0, 20, block.size)).astype(np.int32)
    grade = rng.integers(1, 5, block.size).astype(np.int32)
    return pl.DataFrame(
        {
            "enrollment_key": np.repeat(np.arange(n), a_patient),
            "event_number": np.tile(np.arange(1, a_patient + 1, dtype=np.int32), n),
            "term_code": pl.Series(TERMS).gather(rng.integers(0, len(TERMS), block.size)),
            "grade_low": grade,
            "grade_high": grade,
            "onset_day": onset,
            "block_code": pl.Series(BLOCKS).gather(block),
        }
    ).with_columns(
        pl.lit("ctcae5").alias("scale_code"),
        pl.lit(None, pl.Int32).alias("end_day"),
        pl.lit(None, pl.Boolean).alias("is_serious"),
        pl.lit(None, pl.String).alias("outcome_code"),
        pl.lit(None, pl.String).alias("infection_site_code"),
        pl.lit(None, pl.String).alias("pathogen_code"),
        pl.lit(None, pl.String).alias("documentation_code"),
        pl.lit(1, pl.Int32).alias("line_number"),
        pl.lit(1, pl.Int32).alias("course_number"),
    )


def _samples(rng: np.random.Generator, n: int) -> pl.DataFrame:
    size = n * POINTS
    return pl.DataFrame(
        {
            "enrollment_key": np.repeat(np.arange(n), POINTS),
            "sample_day": np.tile(np.arange(POINTS, dtype=np.int32) * 30 + 15, n),
            "value": 10.0 ** -rng.integers(2, 6, size),
        }
    ).with_columns(
        pl.lit("marrow").alias("material_code"),
        pl.lit("flow").alias("method_code"),
        pl.lit("mrd").alias("measure_code"),
        pl.lit("=").alias("qualifier"),
        pl.lit(0.0001).alias("lod"),
        pl.lit(0.0001).alias("loq"),
        pl.lit(False).alias("is_lod_assumed"),
    )


def frames(of: Study, n: int) -> dict[str, pl.DataFrame]:
    """Every frame that a build needs, of a registry of n patients."""
    rng = np.random.default_rng(SEED)
    filled = _patients(rng, of, n)
    if n <= MOST_WITH_EVENTS:
        filled["fct_course"] = _courses(n)
        filled["fct_adverse_event"] = _events(rng, n)
        filled["fct_assessment"] = _samples(rng, n)
    load = {
        "study_code": of.code,
        "mapping_code": "bench",
        "data_cutoff": "undated",
        "schema_version": SCHEMA_VERSION,
        "rows_in": n,
        "rows_loaded": n,
        "rows_quarantined": 0,
        "rows_excluded": 0,
        "previous_snapshot_id": None,
        "is_synthetic": True,
        "loaded_at": "",
        "program_version": "",
    }
    filled["load"] = pl.DataFrame([load])
    filled["study"] = pl.DataFrame([{"study_code": of.code, "definition": of.text}])
    made = {*definition_rows(of), *filled}
    rest = (t for t in TABLES if not t.by_sql and t.name not in made)
    return {**{t.name: t.schema.create_empty() for t in rest}, **filled}
