"""Exports in which a flaw of a survival comparison is planted, and exports without it.

All are files, loaded as a department's are. Most are a demo: with one of its own flaws, or with its
CSV files changed by `export_of`, where the demo has no such flaw. A few are made from hazards.
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np

from etl.demo import MAPPING, write_demo
from etl.load import load
from etl.mapping_file import read_mapping
from tests.spec.made import Workshop
from warehouse.query import Snapshot, open_snapshot

Rows = list[dict[str, str]]
PROTOCOLS = ("ALL-REZ 2014", "ALL-REZ 2016")
PATIENTS = 300
_DATE = "%d.%m.%Y"
_FOLLOWED = timedelta(days=500)  # treatment is over by then: no row lies after the last contact
_LOST = 0.6  # of the living
_MADE = 120  # children of each cohort


def rows_of(folder: Path, name: str) -> Rows:
    """The rows of one CSV file of an export."""
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _put(folder: Path, name: str, rows: Rows) -> None:
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _day(text: str) -> datetime:
    return datetime.strptime(text, _DATE)


# --- changes of a demo ----------------------------------------------------------------------------


def tossed(folder: Path, seed: int) -> None:
    """Children of ALL-REZ 2014 alone, by a coin in one cohort or the other.

    Nothing tells the cohorts apart: neither hazards nor follow-up nor how complete it is.
    """
    coin = np.random.default_rng(seed)
    patients = [row for row in rows_of(folder, "patients") if row["protocol"] == PROTOCOLS[0]]
    kept = {row["case_id"] for row in patients}
    for row in patients:
        row["protocol"] = PROTOCOLS[int(coin.random() < 0.5)]
    _put(folder, "patients", patients)
    for path in folder.glob("*.csv"):
        if path.stem != "patients":
            rows = rows_of(folder, path.stem)
            _put(folder, path.stem, [row for row in rows if row["case_id"] in kept])


def left(folder: Path, seed: int) -> None:
    """Of the living of ALL-REZ 2014 six of ten are not seen after 500 days or their last event."""
    coin = np.random.default_rng(seed)
    begun = {r["case_id"]: r for r in rows_of(folder, "patients") if r["protocol"] == PROTOCOLS[0]}
    rows = rows_of(folder, "followup")
    for row in rows:
        leaves = coin.random() < _LOST
        if row["death_date"] or row["case_id"] not in begun or not leaves:
            continue
        days = [row["relapse_date"], row["second_malignancy_date"]]
        begin = _day(begun[row["case_id"]]["relapse_date"])
        last = max([begin + _FOLLOWED, *(_day(day) for day in days if day)])
        for column in ("last_contact_date", "last_disease_assessment_date"):
            row[column] = min(_day(row[column]), last).strftime(_DATE)
    _put(folder, "followup", rows)


def alone(folder: Path, seed: int) -> None:
    """No child of ALL-REZ 2016 has favorable genetics: a level that one cohort alone has."""
    rows = rows_of(folder, "patients")
    for row in rows:
        if row["protocol"] == PROTOCOLS[1] and row["genetics"] == "favourable":
            row["genetics"] = "other"
    _put(folder, "patients", rows)


# --- worlds ---------------------------------------------------------------------------------------

Change = Callable[[Path, int], None]


@dataclass(frozen=True)
class Demo:
    """A demo with a flaw of its own, defects, or a change of its files, loaded."""

    flaw: str | None = None
    change: Change | None = None
    defects: bool = False
    patients: int = PATIENTS

    def __call__(self, folder: Path, seed: int) -> Snapshot:
        """The snapshot of the demo with this seed. Nothing is quarantined but planted defects."""
        export, store = folder / "export", folder / "store"
        write_demo(export, self.patients, seed, self.flaw, self.defects)
        if self.change:
            self.change(export, seed)
        report = load(export, read_mapping(MAPPING), store)
        assert self.defects or not report.rows_quarantined, report
        return open_snapshot(store, report.snapshot_id)


# Hazards a day up to day 180 and later. Crossing: the newer cohort has more events first.
_HAZARDS = {
    "crossing": ((0.0010, 0.0010), (0.0025, 0.0004)),
    "proportional": ((0.0015, 0.0010), (0.0010, 0.0010 * 2 / 3)),
    "no event": ((0.0010, 0.0010), (0.0, 0.0)),
}
_CHANGE = 180


def days_at(rng: np.random.Generator, n: int, early: float, late: float) -> np.ndarray:
    """Whole days, from 1 on, to an event with one hazard up to _CHANGE and another one later."""
    total = rng.exponential(size=n)
    with np.errstate(divide="ignore"):
        first, later = total / early, _CHANGE + (total - early * _CHANGE) / late
    return np.ceil(np.where(total <= early * _CHANGE, first, later))


def hazards(kind: str) -> tuple[tuple[float, float], tuple[float, float]]:
    """Of both cohorts, early and late."""
    return _HAZARDS[kind]


def made(kind: str, folder: Path, seed: int) -> Snapshot:
    """A made-up export whose hazards are of a kind; both cohorts are followed for 1 to 5 years."""
    rng, lines = np.random.default_rng(seed), []
    for protocol, (early, late) in zip(("2014", "2016"), hazards(kind), strict=True):
        event, seen = days_at(rng, _MADE, early, late), np.ceil(rng.uniform(365, 1826, _MADE))
        for k, (dies, ends) in enumerate(zip(event, seen, strict=True)):
            day = int(min(dies, ends))
            lines.append(f"{protocol}-{k},{protocol},f,7,1,1,,{int(dies <= ends)},{day}")
    return Workshop(folder).patients(*lines).snapshot()


Make = Callable[[Path, int], Snapshot]
WORLDS: dict[str, Make] = {
    "demo": Demo(),
    "coin": Demo(change=tossed, patients=500),
    "late referral": Demo("late_referral"),
    "same child": Demo("same_child"),
    "left": Demo(change=left),
    "defects": Demo(defects=True),
    "level alone": Demo(change=alone),
    "death lag": Demo("death_reporting_lag"),
    "transplant loss": Demo("transplant_dependent_loss"),
    "case mix": Demo("case_mix_shift"),
    **{kind: partial(made, kind) for kind in _HAZARDS},
}
