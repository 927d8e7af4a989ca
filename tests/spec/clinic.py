"""A clinic's export of ALL-REZ in a few words: each child gets a plain course, tests change it."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import duckdb

from etl.load import LoadReport, load
from etl.mapping_file import read_mapping
from trial.study_file import STUDIES
from warehouse.query import Snapshot, open_snapshot

DAY_0 = date(2016, 3, 1)
COLUMNS = {
    "patients": "patient_id,case_id,protocol,relapse_number,sex,birth_date,diagnosis_date,"
    "frontline_end_date,on_frontline_therapy,relapse_date,registration_date,site,"
    "immunophenotype,genetics,age_years,timing_recorded,risk_recorded,first_block_elsewhere",
    "lines": "case_id,line_number,entry_reason,start_date,protocol_as_treated,intent,"
    "remission_date,remission_type",
    "courses": "case_id,line_number,block,course_number,start_date,stop_date,anc_recovery_date,"
    "planned,dose_percent,completed,ae_documented",
    "infusions": "case_id,line_number,block,course_number,kind,start_date,stop_date,dose,"
    "dose_basis,step,cell_source",
    "assessments": "case_id,sample_date,material,method,measure,result,unit,lod,loq,"
    "line_number,block,course_number",
    "adverse_events": "case_id,term,grade,scale,onset_date,end_date,serious,outcome,"
    "infection_site,documentation,pathogen",
    "followup": "case_id,status,last_contact_date,last_disease_assessment_date,relapse_date,"
    "relapse_site,death_date,death_cause,second_malignancy_date",
    "transplants": "case_id,transplant_number,conditioning_date,transplant_date,donor,"
    "ae_documented",
}
BLOCKS = {"F1": (6, 11), "F2": (25, 30)}


def on(day: int | None) -> str:
    """A day since the relapse as the clinic writes it; empty for None."""
    return "" if day is None else (DAY_0 + timedelta(days=day)).strftime("%d.%m.%Y")


@dataclass
class Clinic:
    """The eight files, row by row; every value is text."""

    folder: Path
    rows: dict[str, list[dict[str, str]]] = field(default_factory=lambda: {n: [] for n in COLUMNS})

    def add(self, table: str, **cells: str) -> None:
        """One row; what is not said is empty."""
        unknown = set(cells) - set(COLUMNS[table].split(","))
        assert not unknown, unknown
        self.rows[table].append(cells)

    def child(self, name: str, protocol: str = "2014", **baseline: str) -> "Child":
        """A child with an early marrow relapse on day 0, F1 and F2, and nothing else yet."""
        plain = {
            "relapse_number": "1", "sex": "f", "birth_date": "01.02.2008",
            "diagnosis_date": "01.03.2013", "frontline_end_date": "01.02.2016",
            "on_frontline_therapy": "no", "relapse_date": on(0), "registration_date": on(0),
            "site": "BM", "immunophenotype": "B", "first_block_elsewhere": "no",
        }  # fmt: skip
        case = f"{name}/1"
        self.add(
            "patients",
            patient_id=name,
            case_id=case,
            protocol=f"ALL-REZ {protocol}",
            **{**plain, **baseline},
        )
        return Child(self, case)

    def snapshot(self) -> tuple[Snapshot, LoadReport]:
        """Write, load, open."""
        export = self.folder / "export"
        export.mkdir(exist_ok=True)
        for table, columns in COLUMNS.items():
            names = [*columns.split(","), "data_origin"]
            buffer = io.StringIO()
            writer = csv.DictWriter(buffer, names, restval="", lineterminator="\n")
            writer.writeheader()
            for row in self.rows[table]:
                writer.writerow({**row, "data_origin": "SYNTHETIC"})
            (export / f"{table}.csv").write_text(buffer.getvalue(), encoding="utf-8")
        mapping = read_mapping("allrez", studies=self.folder / "studies")
        report = load(export, mapping, self.store)
        return open_snapshot(self.store, report.snapshot_id), report

    @property
    def store(self) -> Path:
        """Where snapshots go."""
        return self.folder / "store"

    def redefine(self, old: str, new: str) -> None:
        """Change the study definition that this clinic is loaded with."""
        own = self.folder / "studies" / "allrez.toml"
        own.parent.mkdir(exist_ok=True)
        source = own if own.exists() else STUDIES / "allrez.toml"
        text = source.read_text(encoding="utf-8")
        assert old in text, old
        own.write_text(text.replace(old, new, 1), encoding="utf-8")


@dataclass(frozen=True)
class Ward:
    """A clinic and its snapshot, loaded once for many tests."""

    clinic: Clinic
    snapshot: Snapshot

    def rows(self, sql: str, keep: Callable[[str], bool]) -> dict[str, tuple]:
        """Rows of a query over both files, `results` and `records`, by their first column.

        `keep` says which; none of them may come twice.
        """
        folder = self.clinic.store / "snapshots" / self.snapshot.snapshot_id
        with duckdb.connect() as con:
            for name in ("results", "records"):
                con.execute(f"attach '{folder}/{name}.duckdb' as {name} (read_only)")
            found = con.execute(sql).fetchall()
        kept = [row for row in found if keep(row[0])]
        rows = {name: tuple(rest) for name, *rest in kept}
        assert len(rows) == len(kept), "several rows of one child"
        return rows


@dataclass
class Child:
    """One child of a clinic."""

    clinic: Clinic
    case: str

    def line(self, remission: int | None = None, **cells: str) -> "Child":
        """Its first line, with the day of remission, and blocks F1 and F2."""
        plain = {"line_number": "1", "entry_reason": "first relapse", "start_date": on(0)}
        kind = "M1" if remission is not None else ""
        told = {**plain, "remission_date": on(remission), "remission_type": kind, **cells}
        self.clinic.add("lines", case_id=self.case, **told)
        for block, (start, stop) in BLOCKS.items():
            self.course(block, start, stop)
        return self

    def remission(self, day: int, kind: str) -> "Child":
        """One more remission of its first line, told by a second row of the line."""
        line = next(r for r in self.clinic.rows["lines"] if r["case_id"] == self.case)
        told = {**line, "remission_date": on(day), "remission_type": kind}
        self.clinic.add("lines", **told)
        return self

    def second_line(self, start: int, reason: str = "refractory") -> "Child":
        """Its second line, without courses."""
        told = {"line_number": "2", "entry_reason": reason, "start_date": on(start)}
        self.clinic.add("lines", case_id=self.case, **told)
        return self

    def course(
        self, block: str, start: int, stop: int | None, number: str = "1", **cells: str
    ) -> "Child":
        """One course."""
        plain = {"line_number": "1", "ae_documented": "yes"}
        told = {"block": block, "course_number": number, "start_date": on(start)}
        told |= {"stop_date": on(stop)}
        self.clinic.add("courses", case_id=self.case, **{**plain, **told, **cells})
        return self

    def infusion(self, kind: str, start: int, stop: int | None, **cells: str) -> "Child":
        """One infusion of the first course of blinatumomab."""
        plain = {"line_number": "1", "block": "BLINA", "course_number": "1", "kind": kind}
        told = {**plain, "start_date": on(start), "stop_date": on(stop), **cells}
        self.clinic.add("infusions", case_id=self.case, **told)
        return self

    def transplant(self, day: int) -> "Child":
        """Its transplant, a week after conditioning began."""
        days = {"conditioning_date": on(day - 7), "transplant_date": on(day)}
        told = {"transplant_number": "1", "donor": "MUD", "ae_documented": "yes", **days}
        self.clinic.add("transplants", case_id=self.case, **told)
        return self

    def sample(self, day: int, result: str, unit: str = "", **cells: str) -> "Child":
        """One MRD sample of the marrow, by flow."""
        plain = {"material": "BM", "method": "flow", "measure": "MRD"}
        told = {**plain, "sample_date": on(day), "result": result, "unit": unit, **cells}
        self.clinic.add("assessments", case_id=self.case, **told)
        return self

    def event(self, day: int, term: str = "sepsis", grade: str = "3", **cells: str) -> "Child":
        """One adverse event."""
        told = {"term": term, "grade": grade, "scale": "CTCAE 5", "onset_date": on(day), **cells}
        self.clinic.add("adverse_events", case_id=self.case, **told)
        return self

    def seen(self, day: int, **cells: int | str | None) -> "Child":
        """Its follow-up, alive up to a day unless `death_date` says otherwise."""
        dead = cells.get("death_date") is not None
        plain: dict[str, int | str | None] = {
            "status": "dead" if dead else "alive",
            "last_contact_date": day,
            "last_disease_assessment_date": day,
            "death_cause": "other" if dead else "",
        }
        told = {
            name: on(value) if isinstance(value, int) or value is None else value
            for name, value in {**plain, **cells}.items()
        }
        self.clinic.add("followup", case_id=self.case, **told)
        return self
