"""make bench: a whole survival comparison from the warehouse file, against lifelines on raw rows.

Curves with intervals, at-risk table, milestones, log-rank, hazard ratio and RMST of two cohorts.
One run, one table; the machine is noisy, so ratios count. The hazard ratios are compared as well.
"""

import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import logrank_test

from analysis.link import default_view
from analysis.survival_results import survival_results
from trial.schema import SCHEMA_VERSION, TABLES
from trial.study import Study
from trial.study_file import read_study
from warehouse.build import BUILT_BY_SQL, build_snapshot, definition_rows
from warehouse.query import Snapshot, open_snapshot, query

SIZES = (300, 10_000, 1_000_000)
ROUNDS = 7
SLOW_ROUNDS = 1


def _frames(study: Study, n: int) -> dict[str, pl.DataFrame]:
    """A made registry of n patients in two arms: exponential times, staggered entry."""
    rng = np.random.default_rng(20161122)
    arm = rng.integers(0, 2, n)
    death = np.ceil(rng.exponential(1500 * (1 + 0.4 * arm)))
    seen = np.ceil(rng.uniform(200, 2500, n))
    key = np.arange(n)
    day = np.minimum(death, seen)
    died = key[death <= seen]
    milestones = pl.concat(
        [
            pl.DataFrame({"enrollment_key": died, "milestone_code": "death", "day": day[died]}),
            pl.DataFrame({"enrollment_key": key, "milestone_code": "last_contact", "day": day}),
        ]
    ).with_columns(pl.lit(1).alias("instance"), pl.lit(None, pl.String).alias("detail_code"))
    enrollments = pl.DataFrame(
        {
            "enrollment_key": key,
            "patient_key": key,
            "cohort_code": [study.cohorts[i].code for i in arm],
            "enrollment_year": pl.Series([None] * n, dtype=pl.Int32),
            "entry_day": pl.Series([None] * n, dtype=pl.Int32),
            "sex": np.where(rng.random(n) < 0.5, "male", "female"),
        }
    )
    load = {
        "study_code": study.code,
        "mapping_code": "bench",
        "data_cutoff": "undated",
        "schema_version": SCHEMA_VERSION,
        "rows_in": n,
        "rows_loaded": n,
        "rows_quarantined": 0,
        "is_synthetic": True,
        "loaded_at": "",
        "program_version": "",
    }
    schemas = {table.name: table.schema for table in TABLES}
    lines = enrollments.select(
        "enrollment_key",
        pl.lit(1).alias("line_number"),
        pl.lit(study.lines[0].code).alias("entry_reason"),
        pl.lit(0).alias("start_day"),
        pl.lit(None, pl.String).alias("protocol_as_treated"),
        pl.lit(None, pl.String).alias("intent"),
        pl.lit(True).alias("is_primary"),
    )
    filled = {
        "dim_enrollment": enrollments,
        "dim_line": lines,
        "fct_milestone": milestones,
        "load": pl.DataFrame([load]),
        "study": pl.DataFrame([{"study_code": study.code, "definition": study.text}]),
    }
    made = {*definition_rows(study), *BUILT_BY_SQL, *filled}
    empty = {name: schema.create_empty() for name, schema in schemas.items() if name not in made}
    return {**empty, **filled}


def _seconds(run: Callable[[], object], rounds: int) -> float:
    found = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def _lifelines(frame: pd.DataFrame) -> float:
    """The same comparison by lifelines on raw rows; its hazard ratio."""
    groups = [frame[frame.arm == arm] for arm in (0, 1)]
    for group in groups:
        KaplanMeierFitter().fit(group.time, group.event).median_survival_time_  # noqa: B018
    one, other = groups
    logrank_test(one.time, other.time, one.event, other.event)
    fit = CoxPHFitter().fit(frame, "time", "event")
    return float(np.exp(fit.params_["arm"]))


def _raw(snapshot: Snapshot) -> pd.DataFrame:
    counts = query(
        snapshot,
        "survival",
        default_view("survival", "", snapshot.study).selection,
        endpoint_code="os",
    )
    rows = counts.to_pandas()
    rows = rows.loc[rows.index.repeat(rows.n)]
    arm = (rows.cohort_code == snapshot.study.cohorts[1].code).astype(int)
    return pd.DataFrame({"time": rows.time_days, "event": rows.state, "arm": arm})


def main() -> int:
    """Print the table."""
    warnings.simplefilter("ignore")
    study = read_study("myeloid")
    print(f"{'patients':>10} {'build s':>9} {'here ms':>9} {'lifelines ms':>13} {'ratio':>7}  HR")
    for n in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            frames = _frames(study, n)
            name = build_snapshot(Path(folder), study, frames, None).snapshot_id
            built = time.perf_counter() - start
            snapshot = open_snapshot(Path(folder), name)
            view = default_view("survival", name, study)
            results = survival_results(snapshot, view)
            here = _seconds(lambda s=snapshot, v=view: survival_results(s, v), ROUNDS)
            raw = _raw(snapshot)
            there = _seconds(lambda r=raw: _lifelines(r), ROUNDS if n < 1e5 else SLOW_ROUNDS)
            ours, theirs = results.comparisons[0].hazard_ratio.estimate or 0, _lifelines(raw)
            assert abs(ours / theirs - 1) < 1e-4, (ours, theirs)
            print(
                f"{n:>10} {built:>9.1f} {1e3 * here:>9.1f} {1e3 * there:>13.1f} "
                f"{there / here:>7.1f}  {ours:.4f} = {theirs:.4f}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
