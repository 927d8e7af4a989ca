"""A made export of any size, as two CSV files, and its mapping: what a load is measured on."""

from pathlib import Path

import numpy as np
import polars as pl

from tests.bench.registry import BLOCKS, CHARACTERISTICS, LEVELS, SEED, TERMS, study

EVENTS_A_PATIENT = 10
PART = 200_000
MAPPING = """
study = "registry"

[[source]]
code = "patients"
file = "patients.csv"
patient_id = "id"

[source.enrollment]
cohort = { column = "arm", codes = { "A" = "a", "B" = "b" } }
origin = { column = "day_0", date_format = "%Y-%m-%d" }

[source.enrollment.characteristics]
CHARACTERISTICS

[[source.milestone]]
code = "remission"
day = { column = "remission", date_format = "%Y-%m-%d" }

[[source.milestone]]
code = "death"
day = { column = "last_seen", date_format = "%Y-%m-%d" }
flag = { column = "dead", event = ["1"], no_event = ["0"] }

[[source.milestone]]
code = "last_contact"
day = { column = "last_seen", date_format = "%Y-%m-%d" }

[[source.fact]]
table = "fct_course"
each = [ { block = "b0" }, { block = "b1" } ]
rows = { "{block} start" = { filled = true } }

[source.fact.columns]
block_code = { value = "{block}" }
course_number = { value = "1" }
start_day = { column = "{block} start", date_format = "%Y-%m-%d" }
stop_day = { column = "{block} stop", date_format = "%Y-%m-%d" }
ae_documented = { value = "yes" }

[[source]]
code = "events"
file = "events.csv"
patient_id = "id"

[[source.fact]]
table = "fct_adverse_event"

[source.fact.columns]
term_code = { column = "term", codes = { TERMS } }
grade = { column = "grade" }
scale_code = { value = "ctcae5" }
onset_day = { column = "onset", date_format = "%Y-%m-%d" }
end_day = { column = "end", date_format = "%Y-%m-%d" }
is_serious = { column = "serious", codes = { "Y" = "yes", "N" = "no" } }
"""


def _patients(rng: np.random.Generator, first: int, n: int) -> pl.DataFrame:
    day_0 = pl.Series(np.datetime64("2010-01-01") + rng.integers(0, 3000, n)).cast(pl.Date)
    seen = rng.integers(60, 2000, n)
    frame = pl.DataFrame(
        {
            "id": np.arange(first, first + n),
            "arm": pl.Series(["A", "B"]).gather(rng.integers(0, 2, n)),
            "day_0": day_0,
            "dead": rng.integers(0, 2, n),
            "_seen": seen,
            **{x: pl.Series(LEVELS).gather(rng.integers(0, 5, n)) for x in CHARACTERISTICS},
        }
    )

    def after(days: pl.Expr) -> pl.Expr:
        return (pl.col("day_0").cast(pl.Int32) + days).cast(pl.Date)

    return frame.with_columns(
        ("P" + pl.col("id").cast(pl.String).str.zfill(8)).alias("id"),
        after(pl.lit(30)).alias("remission"),
        after(pl.col("_seen")).alias("last_seen"),
        *(after(pl.lit(30 * i + day)).alias(f"b{i} {word}") for i in (0, 1)
          for day, word in ((0, "start"), (20, "stop"))),
    ).drop("_seen")  # fmt: skip


def _events(rng: np.random.Generator, patients: pl.DataFrame) -> pl.DataFrame:
    row = np.repeat(np.arange(patients.height), EVENTS_A_PATIENT)
    onset = rng.integers(0, 55, row.size)
    day = patients["day_0"].gather(row).cast(pl.Int32)
    return pl.DataFrame(
        {
            "id": patients["id"].gather(row),
            "term": pl.Series(TERMS).gather(rng.integers(0, len(TERMS), row.size)),
            "grade": rng.integers(1, 5, row.size),
            "onset": (day + pl.Series(onset, dtype=pl.Int32)).cast(pl.Date),
            "end": (day + pl.Series(onset + 3, dtype=pl.Int32)).cast(pl.Date),
            "serious": pl.Series(["Y", "N"]).gather(rng.integers(0, 2, row.size)),
        }
    )


def write_export(folder: Path, patients: int) -> None:
    """Write patients.csv and events.csv (ten events a patient), study and mapping to a folder."""
    rng = np.random.default_rng(SEED)
    (folder / "export").mkdir()
    with (
        (folder / "export" / "patients.csv").open("wb") as people,
        (folder / "export" / "events.csv").open("wb") as events,
    ):
        for first in range(0, patients, PART):
            part = _patients(rng, first, min(PART, patients - first))
            part.write_csv(people, include_header=first == 0)
            _events(rng, part).write_csv(events, include_header=first == 0)
    of = study()
    (folder / f"{of.code}.toml").write_text(of.text, encoding="utf-8")
    levels = ", ".join(f'"{x}" = "{x}"' for x in LEVELS)
    cells = [f'{x} = {{ column = "{x}", codes = {{ {levels} }} }}' for x in CHARACTERISTICS]
    text = MAPPING.replace("CHARACTERISTICS", "\n".join(cells))
    text = text.replace("TERMS", ", ".join(f'"{t}" = "{t}"' for t in TERMS))
    (folder / "mapping.toml").write_text(text, encoding="utf-8")
    assert set(BLOCKS) >= {"b0", "b1"}
