"""The demo: what its rows promise, read by a naive loader that shares no code with it.

`found_in` is that loader: plain Python over the text of the files, one rule after the other as a
reader of a hospital's export would state them. A clean demo gives it nothing but children on both
protocols; a damaged one exactly what about/planted.csv lists.
"""

import csv
import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from etl.demo import FLAWS, DemoError, write_demo
from etl.demo.flaws import plan
from etl.demo.tables import drawn_group, tables
from etl.demo.truth import marginal_hazard_ratio, truth

SEED = 20140
CUTOFF = date(2021, 12, 31)
DAY = timedelta(1)

# --- the naive loader ---------------------------------------------------------------------------

YES_NO = ("yes", "no")
DOCUMENTED = ("yes", "no", "unknown")
PROTOCOLS = ("ALL-REZ 2014", "ALL-REZ 2016")
SITES = ("BM", "BM+CNS", "BM+testis", "CNS", "testis", "other EM")
BLOCKS = ("prephase", "F1", "F2", "R1", "R2", "FLU", "CLO", "BLINA", "maintenance")
INFECTIONS = ("sepsis", "bacteraemia", "pneumonia", "invasive fungal infection", "viral infection",
              "other infection")  # fmt: skip
TERMS = (
    *INFECTIONS, "febrile neutropenia", "oral mucositis", "vomiting", "ALT increased",
    "bilirubin increased", "pancreatitis", "allergic reaction", "thrombosis", "seizure",
    "neurotoxicity", "ICANS", "CRS", "hypokalaemia", "hypotension", "fever", "anaemia",
    "neutropenia", "thrombocytopenia", "veno-occlusive disease",
)  # fmt: skip
CAUSES = ("infection", "toxicity", "bleeding", "leukaemia", "GVHD", "other")
# A tuple: codes. "?": may be empty.
SCHEMA: dict[str, dict[str, object]] = {
    "patients": {
        "patient_id": "text", "medical_record": "text", "case_id": "text", "protocol": PROTOCOLS,
        "relapse_number": ("1", "2"), "sex": ("m", "f"), "birth_date": "date",
        "diagnosis_date": "date", "frontline_end_date": "date?",
        "on_frontline_therapy": ("?", *YES_NO), "relapse_date": "date",
        "registration_date": "date", "site": SITES, "immunophenotype": ("B",),
        "genetics": ("?", "favourable", "unfavourable", "other"), "age_years": "number",
        "timing_recorded": ("?", "very early", "early", "late"),
        "risk_recorded": ("?", "S1", "S2", "S3", "S4"), "first_block_elsewhere": YES_NO,
    },
    "lines": {
        "case_id": "text", "line_number": "number",
        "entry_reason": ("first relapse", "refractory", "second relapse", "molecular"),
        "start_date": "date", "protocol_as_treated": PROTOCOLS,
        "intent": ("curative", "palliative"), "remission_date": "date?",
        "remission_type": ("?", "M1", "M1 and counts", "MRD"),
    },
    "courses": {
        "case_id": "text", "line_number": "number", "block": BLOCKS, "course_number": "number",
        "start_date": "date", "stop_date": "date", "anc_recovery_date": "date?",
        "planned": YES_NO, "dose_percent": "number?", "completed": YES_NO,
        "stop_reason": "text?", "ae_documented": DOCUMENTED,
    },
    "infusions": {
        "case_id": "text", "line_number": "number", "block": BLOCKS, "course_number": "number",
        "kind": ("blinatumomab", "CD3"), "start_date": "date", "stop_date": "date",
        "dose": "number", "dose_basis": ("ug/m2/d", "1e6/kg"), "step": ("?", "1", "2"),
        "stop_reason": "text?", "cell_source": ("?", "autologous", "donor", "unknown"),
    },
    "assessments": {
        "case_id": "text", "sample_date": "date", "material": ("BM", "PB", "CSF"),
        "method": ("morphology", "flow", "PCR"), "measure": ("blasts", "MRD"), "result": "result",
        "unit": ("?", "%", "fraction"), "lod": "number?", "loq": "number?",
        "line_number": "number", "block": ("?", *BLOCKS), "course_number": "number?",
    },
    "adverse_events": {
        "case_id": "text", "term": TERMS, "grade": "grade",
        "scale": ("CTCAE 4.03", "CTCAE 5", "Lee 2014", "ASTCT 2019"), "onset_date": "date",
        "end_date": "date?", "serious": YES_NO,
        "outcome": ("recovered", "ongoing", "fatal", "unknown"),
        "infection_site": ("?", "blood", "lung", "gut", "skin", "airways", "CNS", "other"),
        "documentation": ("?", "microbiological", "clinical", "unexplained"), "pathogen": "text?",
    },
    "followup": {
        "case_id": "text", "status": ("alive", "dead", "lost"), "last_contact_date": "date",
        "last_disease_assessment_date": "date", "relapse_date": "date?",
        "relapse_site": ("?", *SITES),
        "cd19_at_relapse": ("?", "positive", "dim", "negative", "lineage switch", "unknown"),
        "death_date": "date?", "death_cause": ("?", *CAUSES), "second_malignancy_date": "date?",
    },
    "transplants": {
        "case_id": "text", "transplant_number": "number", "conditioning_date": "date",
        "transplant_date": "date", "donor": ("MSD", "MUD", "MMUD", "haplo", "cord"),
        "graft": ("BM", "PB", "CB"), "manipulation": ("none", "TCRab/CD19 depletion"),
        "conditioning": ("TBI", "treosulfan", "other"),
        "status_at_transplant": ("CR2", "CR3", "not in remission"), "mrd_before": "text?",
        "ae_documented": DOCUMENTED,
    },
}  # fmt: skip
COURSE = ("case_id", "line_number", "block", "course_number")
KEYS = {
    "courses": COURSE,
    "lines": ("case_id", "line_number"),
    "transplants": ("case_id", "transplant_number"),
    "assessments": ("case_id", "sample_date", "material", "method", "measure"),
    "followup": ("case_id",),
    "patients": ("case_id",),
}
ALIKE = str.maketrans("АВСЕНКМОРТХЅЗ", "ABCEHKMOPTXS3")
MONTHS = ("января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября",
          "октября", "ноября", "декабря")  # fmt: skip
ENGLISH = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Bad(Exception):
    """A cell that cannot be read; its text is the rule."""


@cache
def a_date(text: str) -> tuple[date, str | None]:
    def of(year: str, month: str | int, day: str | int) -> date:
        try:
            found = date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
        except ValueError:
            raise Bad("impossible_date") from None
        if found == date(1900, 1, 1):
            raise Bad("placeholder_date")
        return found

    if m := re.fullmatch(r"(\d\d)\.(\d\d)\.(\d{4})", text):
        return of(m[3], m[2], m[1]), None
    if m := re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", text):
        return of(m[1], m[2], m[3]), "date_shape"
    if m := re.fullmatch(r"(\d\d?)\.(\d\d?)\.(\d\d|\d{4})( 00:00)?", text):
        return of(m[3], m[2], m[1]), "date_shape"
    if m := re.fullmatch(r"(\d\d?) (\w+) (\d{4})", text):
        names = MONTHS if m[2] in MONTHS else ENGLISH
        return of(m[3], names.index(m[2]) + 1, m[1]), "date_shape"
    if re.fullmatch(r"\d{5}", text):
        return date(1899, 12, 30) + int(text) * DAY, "excel_serial"
    if m := re.fullmatch(r"(\d\d)/(\d\d)/(\d{4})", text):
        if int(m[2]) <= 12:
            raise Bad("ambiguous_date")
        return of(m[3], m[1], m[2]), "us_date"
    if m := re.fullmatch(r"(\d\d)\.(\d{4})", text):
        return of(m[2], m[1], 15), "partial_date"
    raise Bad("not_a_date")


def a_number(text: str, highest: float = 300) -> tuple[float, str | None]:
    rule = None
    for old, new, name in ((",", ".", "decimal_comma"), (" ", "", "thousands_separator"),
                           ("\u00a0", "", "thousands_separator")):  # fmt: skip
        if old in text:
            text, rule = text.replace(old, new), name
    try:
        number = float(text)
    except ValueError:
        raise Bad("not_a_number") from None
    if number < 0 or (number > highest and rule != "thousands_separator"):
        raise Bad("out_of_range")
    return number, rule


def a_code(text: str, codes: tuple[str, ...]) -> tuple[str, str | None]:
    if text in codes:
        return text, None
    alike = text.translate(ALIKE)
    if alike in codes:
        return alike, "look_alike_letters"
    plain = {" ".join(code.casefold().split()): code for code in codes}
    if (spelled := " ".join(text.casefold().split())) in plain:
        return plain[spelled], "spelling"
    if text in ("I", "II") and "1" in codes:
        return str(len(text)), "roman_numeral"
    raise Bad("unknown_code")


def a_grade(text: str) -> tuple[int, str | None]:
    if text in ("1", "2", "3", "4", "5"):
        return int(text), None
    if text in ("I", "II", "III", "IV", "V"):
        return ("I", "II", "III", "IV", "V").index(text) + 1, "roman_numeral"
    if re.fullmatch("[1-5]-[1-5]", text):
        return int(text[0]), "grade_range"
    if text in ("тяжёлая", "тяжелая", "severe"):
        return 3, "grade_word"
    if text == "+":
        return 1, "no_grade"
    raise Bad("not_a_grade")


def a_result(text: str, measure: str, unit: str) -> tuple[object, str | None]:
    """A word; or ("=" or "<", fraction)."""
    if text in ("undetectable", "detected", "failed"):
        return text, None
    if text in ("отр", "отр.", "neg", "negative", "не обн.", "не обнаружено"):
        return "undetectable", "negative_word"
    if "->" in text:
        raise Bad("several_values")
    if re.fullmatch(r"(1[*xх])?10(\^?-4|⁻⁴)", text):
        return ("=", 1e-4), "power_of_ten"
    sign, rule = "=", None
    if text.endswith("%"):
        if unit:
            raise Bad("unit_contradiction")
        text, unit, rule = text[:-1], "%", "percent_in_value"
    if text.startswith("<"):
        sign, text = "<", text[1:]
    if not unit:
        raise Bad("ambiguous_unit")
    number, repaired = a_number(text, 100 if unit == "%" else 1)
    return (sign, number / 100 if unit == "%" else number), rule or repaired


def read_cell(kind: object, raw: str, row: dict[str, str]) -> tuple[object, str | None]:
    text = raw.strip(" ")
    rule = "outer_spaces" if text != raw else None
    optional = kind[0] == "?" if isinstance(kind, tuple) else str(kind).endswith("?")
    if optional and text in ("н/д", "-", "n/a", "нет данных"):
        return None, "missing_word"
    if not text:
        if kind == "grade":
            return 1, "no_grade"
        if not optional:
            raise Bad("missing_value")
        return None, rule
    if text in ("#REF!", "#ССЫЛКА!", "#Н/Д", "#N/A", "#ЗНАЧ!"):
        raise Bad("spreadsheet_error")
    if isinstance(kind, tuple):
        value, found = a_code(text, kind)
    elif kind == "result":
        value, found = a_result(text, row["measure"], row["unit"])
    else:
        readers = {"date": a_date, "numb": a_number, "grad": a_grade}
        reader = readers.get(str(kind)[:4], lambda t: (t, None))
        value, found = reader(text)
    return value, found or rule


Finding = tuple[str, int, str, str, str, str]


class Row(dict):
    """Values of a row by column; `number` in the file, `raw` texts by column."""

    def __init__(self, file: str, number: int, raw: dict[str, str]) -> None:
        super().__init__()
        self.file, self.number, self.raw = file, number, raw

    def finding(self, column: str, rule: str, severity: str) -> Finding:
        raw = self.raw[column] if column else ""
        return f"{self.file}.csv", self.number, column, raw, rule, severity

    def key(self, *columns: str) -> tuple:
        return tuple(self[c] for c in columns)


def months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + (day.day - 1) * DAY, following - DAY)


def years_between(birth: date, day: date) -> int:
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def derived(row: Row) -> tuple[str | None, str | None]:
    """Time of relapse and risk group by the definitions of ALL-REZ BFM."""
    end, on = row["frontline_end_date"], row["on_frontline_therapy"]
    relapse, has_bm = row["relapse_date"], "BM" in row["site"]
    timing = None
    if relapse < months_later(row["diagnosis_date"], 18):
        timing = "very early"
    elif end and relapse >= months_later(end, 6):
        timing = "late"
    elif on == "yes" or (end and relapse < months_later(end, 6)):
        timing = "early"
    place = "iem" if not has_bm else "bm" if row["site"] == "BM" else "combined"
    risk = {
        "very early": {"iem": "S2", "combined": "S4", "bm": "S4"},
        "early": {"iem": "S2", "combined": "S2", "bm": "S3"},
        "late": {"iem": "S1", "combined": "S2", "bm": "S2"},
    }
    return timing, risk[timing][place] if timing else None


def is_negative(row: Row) -> bool:
    """Marrow MRD below 1e-4 with a limit that shows it."""
    if row["measure"] != "MRD" or row["material"] != "BM":
        return False
    match row["result"]:
        case "undetectable":
            return (row["lod"] or 1e-4) <= 1e-4
        case "detected":
            return (row["loq"] or 1) <= 1e-4
        case ("<", limit):
            return limit <= 1e-4
        case ("=", value):
            return value < 1e-4
    return False


class Loaded:
    """An export read by the rules: rows that are not kept out, and every finding."""

    def __init__(self, folder: Path) -> None:
        self.findings: list[Finding] = []
        self.rows = {file: self._read(folder, file) for file in SCHEMA}
        for check in (self._rows, self._copies, self._conflicts, self._references, self._between):
            check()

    def _read(self, folder: Path, file: str) -> list[Row]:
        with (folder / f"{file}.csv").open(encoding="utf-8", newline="") as opened:
            header, *lines = csv.reader(opened, strict=True)
        assert header == [*SCHEMA[file], "data_origin"]
        rows = []
        for number, cells in enumerate(lines, start=2):
            if len(cells) != len(header):
                finding = (f"{file}.csv", number, "", "", "wrong_number_of_fields", "error")
                self.findings.append(finding)
                continue
            assert cells[-1] == "SYNTHETIC"
            if row := self._typed(Row(file, number, dict(zip(header, cells, strict=True)))):
                rows.append(row)
        return rows

    def _typed(self, row: Row) -> Row | None:
        good = True
        for column, kind in SCHEMA[row.file].items():
            try:
                row[column], rule = read_cell(kind, row.raw[column], row.raw)
            except Bad as bad:
                self.findings.append(row.finding(column, str(bad), "error"))
                good = False
            else:
                if rule:
                    severity = "warning" if rule == "no_grade" else "repair"
                    self.findings.append(row.finding(column, rule, severity))
        return row if good else None

    def _keep_out(self, bad: list[tuple[Row, str, str]]) -> None:
        """Errors of one round: found together, then all their rows are gone."""
        for row, column, rule in bad:
            self.findings.append(row.finding(column, rule, "error"))
        gone = {id(row) for row, _, _ in bad}
        for file, rows in self.rows.items():
            self.rows[file] = [row for row in rows if id(row) not in gone]

    def _rows(self) -> None:
        bad = []
        for file, start, stop in (("courses", "start_date", "stop_date"),
                                  ("infusions", "start_date", "stop_date"),
                                  ("adverse_events", "onset_date", "end_date")):  # fmt: skip
            for row in self.rows[file]:
                if row[stop] and row[stop] < row[start]:
                    bad.append((row, stop, "stop_before_start"))
        for row in self.rows["followup"]:
            if row["status"] == "dead" and not row["death_date"]:
                bad.append((row, "death_date", "event_without_day"))
            elif row["status"] == "alive" and row["death_date"]:
                bad.append((row, "death_date", "day_without_event"))
            elif row["status"] == "dead" and not row["death_cause"]:
                self.findings.append(row.finding("death_cause", "detail_missing", "warning"))
        for row in self.rows["patients"]:
            if row["diagnosis_date"] >= row["relapse_date"]:
                bad.append((row, "diagnosis_date", "not_before_day_0"))
            age = years_between(row["birth_date"], row["relapse_date"])
            if abs(age - row["age_years"]) > 1:
                self.findings.append(row.finding("age_years", "number_differs", "warning"))
        self._keep_out(bad)

    def _copies(self) -> None:
        for file, rows in self.rows.items():
            seen, kept = set(), []
            for row in rows:
                facts = tuple(row.values())
                if facts in seen:
                    self.findings.append(row.finding("", "identical_copy", "repair"))
                else:
                    kept.append(row)
                seen.add(facts)
            self.rows[file] = kept

    def _conflicts(self) -> None:
        bad = []
        for file, key in KEYS.items():
            counts = Counter(row.key(*key) for row in self.rows[file])
            bad += [(r, "", "conflicting_rows") for r in self.rows[file] if counts[r.key(*key)] > 1]
        self._keep_out(bad)

    def _references(self) -> None:
        """Rows that stand on no row; again, as long as more are found."""
        while True:
            origin = {r["case_id"]: r["relapse_date"] for r in self.rows["patients"]}
            lines = {r.key("case_id", "line_number") for r in self.rows["lines"]}
            courses = {r.key(*COURSE) for r in self.rows["courses"]}
            bad = []
            for row in (r for file in SCHEMA for r in self.rows[file]):
                early = self._early(row, origin)
                if row["case_id"] not in origin:
                    bad.append((row, "", "no_enrollment"))
                elif early:
                    bad.append((row, early, "before_day_0"))
                elif (
                    row.file in ("courses", "infusions", "assessments")
                    and row.key("case_id", "line_number") not in lines
                ):
                    bad.append((row, "", "no_line"))
                elif row.file == "infusions" and row.key(*COURSE) not in courses:
                    bad.append((row, "", "no_course"))
            if not bad:
                return
            self._keep_out(bad)

    @staticmethod
    def _early(row: Row, origin: dict[str, date]) -> str | None:
        if row["case_id"] not in origin:
            return None
        columns = [c for c, kind in SCHEMA[row.file].items() if str(kind).startswith("date")]
        if row.file == "patients":
            columns = ["registration_date"]
        return next((c for c in columns if row[c] and row[c] < origin[row["case_id"]]), None)

    def by_case(self, file: str) -> dict[str, list[Row]]:
        cases = defaultdict(list)
        for row in self.rows[file]:
            cases[row["case_id"]].append(row)
        return cases

    def _between(self) -> None:
        note = self.findings.append
        followup = {r["case_id"]: r for r in self.rows["followup"]}
        death = {case: r["death_date"] for case, r in followup.items() if r["death_date"]}
        lines, courses = self.by_case("lines"), self.by_case("courses")
        transplants = self.by_case("transplants")
        loaded = {r.key(*COURSE) for r in self.rows["courses"]}
        for of_case in courses.values():
            ordered = sorted(of_case, key=lambda r: (r["start_date"], r["stop_date"]))
            for before, row in pairwise(ordered):
                if row["start_date"] <= before["stop_date"]:
                    note(row.finding("start_date", "overlapping_courses", "warning"))
        for row in self.rows["assessments"]:
            if row["block"] and row.key(*COURSE) not in loaded:
                note(row.finding("block", "assessment_without_course", "warning"))
            of_line = (line for line in lines[row["case_id"]]
                       if line["line_number"] == row["line_number"])  # fmt: skip
            remission = next(of_line)["remission_date"]
            if is_negative(row) and (not remission or remission > row["sample_date"]):
                note(row.finding("result", "remission_missing", "warning"))
        for row in self.rows["transplants"]:
            days = [line["remission_date"] for line in lines[row["case_id"]]]
            if not any(day and day <= row["transplant_date"] for day in days):
                note(row.finding("transplant_date", "out_of_order", "warning"))
        for row in self.rows["lines"]:
            died = death.get(row["case_id"])
            if row["remission_date"] and died and row["remission_date"] >= died:
                note(row.finding("remission_date", "remission_at_death", "warning"))
        self._after_death(death)
        self._events(followup, death, courses, transplants)
        self._patients()

    def _after_death(self, death: dict[str, date]) -> None:
        for file in ("courses", "infusions", "assessments", "adverse_events", "transplants"):
            columns = [c for c, kind in SCHEMA[file].items() if str(kind).startswith("date")]
            for row in self.rows[file]:
                for c in columns:
                    if row[c] and row[c] > death.get(row["case_id"], CUTOFF):
                        finding = row.finding(c, "after_terminal", "warning")
                        self.findings.append(finding)

    def windows(self, case: str, followup, courses, transplants) -> list[tuple[date, date, Row]]:
        """First and last day of the events of each course and transplant."""
        spans = []
        relapse = followup[case]["relapse_date"] if case in followup else None
        for c in courses[case]:
            ends = [o["start_date"] - DAY for o in courses[case]
                    if o["start_date"] > c["start_date"]]  # fmt: skip
            ends += [t["conditioning_date"] - DAY for t in transplants[case]
                     if t["conditioning_date"] > c["start_date"]]  # fmt: skip
            ends += [relapse] if relapse and relapse >= c["start_date"] else []
            spans.append((c["start_date"], min([*ends, c["stop_date"] + 30 * DAY]), c))
        for t in transplants[case]:
            spans.append((t["conditioning_date"], t["transplant_date"] + 100 * DAY, t))
        return spans

    def _events(self, followup, death, courses, transplants) -> None:
        for row in self.rows["adverse_events"]:
            spans = self.windows(row["case_id"], followup, courses, transplants)
            if not any(first <= row["onset_date"] <= last for first, last, _ in spans):
                self.findings.append(row.finding("onset_date", "outside_every_block", "warning"))
            if row["grade"] == 5 and row["case_id"] not in death:
                self.findings.append(row.finding("grade", "fatal_without_death", "warning"))

    def _patients(self) -> None:
        times = Counter(row["patient_id"] for row in self.rows["patients"])
        for row in self.rows["patients"]:
            for column, value in zip(("timing", "risk"), derived(row), strict=True):
                recorded = row[f"{column}_recorded"]
                if value and recorded and value != recorded:
                    finding = row.finding(f"{column}_recorded", "recorded_differs", "info")
                    self.findings.append(finding)
            if times[row["patient_id"]] > 1:
                self.findings.append(row.finding("protocol", "both_protocols", "info"))


def planted_in(folder: Path) -> list[dict[str, str]]:
    with (folder / "about" / "planted.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def as_findings(planted: list[dict[str, str]]) -> list[Finding]:
    return sorted(
        (p["file"], int(p["row"]), p["column"], p["raw_text"], p["rule"], p["severity"])
        for p in planted
    )


# --- the demos that the tests read --------------------------------------------------------------


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "clean"
    write_demo(out)
    return out


@pytest.fixture(scope="module")
def loaded(clean: Path) -> Loaded:
    return Loaded(clean)


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "dirty"
    write_demo(out, defects=True)
    return out


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More than one part, so that the rows of several are joined."""
    out = tmp_path_factory.mktemp("demo") / "large"
    write_demo(out, 20_000, seed=3)
    return out


def with_dates(table: pl.DataFrame) -> pl.DataFrame:
    days = [c for c in table.columns if c.endswith("_date")]
    return table.with_columns(pl.col(days).str.to_date("%d.%m.%Y"))


def made(flaw: str | None, patients: int = 2_000) -> dict[str, pl.DataFrame]:
    """The tables of a demo with a flaw, dates read."""
    group = drawn_group(np.arange(patients), patients, SEED, plan(flaw))
    return {name: with_dates(table) for name, table in tables(group, SEED, 0).items()}


@pytest.fixture(scope="module")
def plain() -> dict[str, pl.DataFrame]:
    return made(None)


# --- a clean export -----------------------------------------------------------------------------


def test_a_clean_export_gives_nothing_but_children_on_both_protocols(
    clean: Path, loaded: Loaded
) -> None:
    assert {f[4] for f in loaded.findings} == {"both_protocols"}
    assert sorted(loaded.findings) == as_findings(planted_in(clean))


def test_three_of_five_children_are_first_on_the_older_protocol(loaded: Loaded) -> None:
    first = [r for r in loaded.rows["patients"] if r["relapse_number"] == "1"]
    assert Counter(r["protocol"] for r in first) == {PROTOCOLS[0]: 180, PROTOCOLS[1]: 120}
    assert len({r["patient_id"] for r in loaded.rows["patients"]}) == 300


def test_a_few_children_are_on_both_protocols(loaded: Loaded) -> None:
    patients = {r["case_id"]: r for r in loaded.rows["patients"]}
    followup = {r["case_id"]: r for r in loaded.rows["followup"]}
    lines = loaded.by_case("lines")
    again = [r for r in patients.values() if r["relapse_number"] == "2"]
    assert 3 <= len(again) <= 6
    for second in again:
        first = patients[f"{second['patient_id']}/1"]
        told = [followup[r["case_id"]] for r in (first, second)]
        assert (first["protocol"], second["protocol"]) == PROTOCOLS
        assert told[0]["relapse_date"] == second["relapse_date"]
        assert told[0]["relapse_site"] == second["site"]
        for column in ("status", "last_contact_date", "death_date", "death_cause"):
            assert told[0][column] == told[1][column]
        assert len(lines[first["case_id"]]) == 1
        for column in ("sex", "birth_date", "diagnosis_date", "genetics"):
            assert first[column] == second[column]


def test_recorded_is_derived_and_known_or_unknown_both_ways(loaded: Loaded) -> None:
    unknown = 0
    for row in loaded.rows["patients"]:
        assert derived(row) == (row["timing_recorded"], row["risk_recorded"])
        assert row["age_years"] == years_between(row["birth_date"], row["relapse_date"])
        assert row["age_years"] < 18 or row["relapse_number"] == "2"
        assert row["relapse_date"] <= row["registration_date"]
        unknown += row["timing_recorded"] is None
        if row["timing_recorded"] in ("early", "late"):
            assert row["on_frontline_therapy"] == "yes" or row["frontline_end_date"]
    assert 1 <= unknown <= 12


def test_lines_count_up_and_begin_with_their_reason(loaded: Loaded) -> None:
    followup = {r["case_id"]: r for r in loaded.rows["followup"]}
    by_case = loaded.by_case("lines")
    for patient in loaded.rows["patients"]:
        case = patient["case_id"]
        lines = by_case[case]
        assert [r["line_number"] for r in lines] == list(range(1, len(lines) + 1))
        assert lines[0]["start_date"] == patient["relapse_date"]
        of_number = {"1": "first relapse", "2": "second relapse"}
        assert lines[0]["entry_reason"] == of_number[patient["relapse_number"]]
        relapse = followup[case]["relapse_date"]
        for before, row in pairwise(lines):
            assert before["start_date"] < row["start_date"]
            if row["entry_reason"] == "second relapse":
                assert relapse <= row["start_date"] <= relapse + 5 * DAY
            else:
                assert row["entry_reason"] == "refractory" and not before["remission_date"]
                assert row["start_date"] > patient["relapse_date"] + 60 * DAY
        if relapse and lines[0]["remission_date"]:
            assert relapse > lines[0]["remission_date"]
        for row in lines:
            assert (row["remission_date"] is None) == (row["remission_type"] is None)


def test_blocks_follow_each_other_as_the_protocols_have_them(loaded: Loaded) -> None:
    protocol = {r["case_id"]: r["protocol"] for r in loaded.rows["patients"]}
    origin = {r["case_id"]: r["relapse_date"] for r in loaded.rows["patients"]}
    own = {PROTOCOLS[0]: {"R1", "R2"}, PROTOCOLS[1]: {"FLU", "CLO"}}
    for case, courses in loaded.by_case("courses").items():
        first = [r["block"] for r in courses if r["line_number"] == 1]
        planned = ["prephase", "F1", "F2"]
        assert first[:3] == planned[: len(first)]
        old, new = protocol[case] == PROTOCOLS[0], protocol[case] == PROTOCOLS[1]
        assert not {r["block"] for r in courses} & own[PROTOCOLS[old]]
        after = [b for b in first[3:] if b != "maintenance"]
        assert (
            after == (["R1", "R2"] * 4 if old else ["FLU", "CLO", "BLINA", "BLINA"])[: len(after)]
        )
        assert (courses[0]["start_date"] - origin[case]).days in (0, 1)
        for row in courses:
            days = (row["start_date"] - origin[case]).days
            if row["line_number"] == 1 and row["block"] == "F1":
                assert 5 <= days <= 8
            assert row["stop_date"] >= row["start_date"]
            assert (row["completed"] == "yes") == (row["stop_reason"] is None)
            if row["line_number"] > 1:
                assert row["block"] == "BLINA"
        for key, n in Counter(r.key("line_number", "block") for r in courses).items():
            numbers = [r["course_number"] for r in courses if r.key("line_number", "block") == key]
            assert numbers == list(range(1, n + 1)), new


def test_infusions_lie_in_their_course_and_cells_come_weekly(loaded: Loaded) -> None:
    courses = {r.key(*COURSE): r for r in loaded.rows["courses"]}
    protocol = {r["case_id"]: r["protocol"] for r in loaded.rows["patients"]}
    for row in loaded.rows["infusions"]:
        course = courses[row.key(*COURSE)]
        assert row["block"] == "BLINA"
        assert course["start_date"] <= row["start_date"] <= row["stop_date"] <= course["stop_date"]
        if row["kind"] == "CD3":
            assert protocol[row["case_id"]] == PROTOCOLS[1] and row["line_number"] == 1
            assert (row["start_date"] - course["start_date"]).days in (0, 7, 14, 21)
            assert row["step"] is None and row["cell_source"] and row["dose_basis"] == "1e6/kg"
        else:
            assert row["step"] and row["cell_source"] is None


def test_no_date_is_after_the_cutoff_or_the_death(loaded: Loaded) -> None:
    for rows in loaded.rows.values():
        for row in rows:
            assert all(v <= CUTOFF for v in row.values() if isinstance(v, date))
    for row in loaded.rows["followup"]:
        seen, contact = row["last_disease_assessment_date"], row["last_contact_date"]
        assert seen <= contact
        for column in ("relapse_date", "second_malignancy_date"):
            assert row[column] is None or row[column] <= seen
        assert (row["status"] == "dead") == (row["death_date"] is not None)
        assert row["death_date"] in (None, contact)
        assert (row["death_cause"] is None) == (row["death_date"] is None)
        assert (row["relapse_date"] is None) == (row["relapse_site"] is None)


def test_transplants_are_in_remission(loaded: Loaded) -> None:
    lines, followup = loaded.by_case("lines"), loaded.by_case("followup")
    for row in loaded.rows["transplants"]:
        case, day = row["case_id"], row["transplant_date"]
        assert day == row["conditioning_date"] + 7 * DAY
        remission = max(r["remission_date"] for r in lines[case]
                        if r["remission_date"] and r["remission_date"] <= day)  # fmt: skip
        relapse = followup[case][0]["relapse_date"]
        assert not relapse or not remission <= relapse <= day
        after = bool(relapse and relapse < day)
        assert row["status_at_transplant"] == ("CR3" if after or case[-1] == "2" else "CR2")
    numbers = loaded.by_case("transplants").values()
    assert all([r["transplant_number"] for r in rows] == list(range(1, len(rows) + 1))
               for rows in numbers)  # fmt: skip


def test_remission_is_a_marrow_with_few_blasts(loaded: Loaded) -> None:
    marrow = defaultdict(dict)
    for row in loaded.rows["assessments"]:
        if row["material"] == "BM" and row["measure"] == "blasts":
            key = row.key("case_id", "line_number")
            marrow[key][row["sample_date"]] = row["result"][1]
    for row in loaded.rows["lines"]:
        if row["remission_date"]:
            looks = marrow[row.key("case_id", "line_number")]
            assert looks[row["remission_date"]] < 0.05


def test_no_sample_is_negative_before_remission(loaded: Loaded) -> None:
    """Of blood too, and also where the limit would leave it open."""
    remission = {r.key("case_id", "line_number"): r["remission_date"] for r in loaded.rows["lines"]}
    for row in loaded.rows["assessments"]:
        day = remission[row.key("case_id", "line_number")]
        if row["measure"] == "MRD" and not (day and day <= row["sample_date"]):
            match row["result"]:
                case (sign, value):
                    assert sign == "=" and value >= 1e-4
                case word:
                    assert word == "failed"


def test_a_sample_names_the_latest_course_of_its_line(loaded: Loaded) -> None:
    courses = loaded.by_case("courses")
    for row in loaded.rows["assessments"]:
        begun = [c for c in courses[row["case_id"]]
                 if c["line_number"] == row["line_number"]
                 and c["start_date"] <= row["sample_date"]]  # fmt: skip
        latest = max(begun, key=lambda c: c["start_date"]) if begun else None
        named = (row["block"], row["course_number"])
        assert named == (latest.key("block", "course_number") if latest else (None, None))


def high_risk(folder: Path) -> pl.DataFrame:
    """First relapses of a large export with their dates, all files joined; `looked`: a marrow was
    looked at in days 1-60."""
    read = {
        name: with_dates(pl.read_csv(folder / f"{name}.csv", infer_schema=False))
        for name in ("patients", "lines", "followup", "assessments")
    }
    patients = read["patients"].rename({"relapse_date": "origin"})
    first = read["lines"].filter(pl.col("line_number") == "1")
    since = (pl.col("sample_date") - pl.col("origin")).dt.total_days()
    marrow = read["assessments"].filter(material="BM", measure="blasts")
    looks = marrow.join(patients.select("case_id", "origin"), on="case_id").filter(
        since > 0, since <= 60
    )
    looked = looks.select("case_id", looked=pl.lit(True)).unique()
    of_case = patients.select("case_id", "origin", "protocol", "relapse_number", "risk_recorded")
    return (
        of_case.join(first.select("case_id", "remission_date"), on="case_id")
        .join(read["followup"], on="case_id")
        .join(looked, on="case_id", how="left")
        .with_columns(pl.col("looked").fill_null(False))
        .filter(pl.col("relapse_number") == "1", pl.col("risk_recorded").is_in(["S3", "S4"]))
    )


def test_mrd_is_missing_at_one_of_seven_looks(plain: dict[str, pl.DataFrame]) -> None:
    marrow = plain["assessments"].filter(material="BM", line_number="1")
    look = ["case_id", "sample_date", "block"]
    looks = marrow.filter(measure="blasts").select(look)
    tested = marrow.filter(measure="MRD").select(look).unique().with_columns(tested=1)
    both = looks.join(tested, on=look, how="left", nulls_equal=True)
    share = both.group_by("block").agg(n=pl.len(), missing=pl.col("tested").is_null().mean())
    for block, n, missing in share.iter_rows():
        assert n < 600 or 0.12 <= missing <= 0.18, block


def test_few_children_are_never_evaluated(large: Path) -> None:
    followed = (pl.col("last_contact_date") - pl.col("origin")).dt.total_days() > 60
    looked = high_risk(large).filter(followed)["looked"]
    assert 0.03 <= 1 - looked.sum() / len(looked) <= 0.04


def test_events_belong_to_a_documented_course_and_to_the_scale_of_their_year(
    loaded: Loaded,
) -> None:
    followup = {r["case_id"]: r for r in loaded.rows["followup"]}
    courses, transplants = loaded.by_case("courses"), loaded.by_case("transplants")
    for row in loaded.rows["adverse_events"]:
        spans = loaded.windows(row["case_id"], followup, courses, transplants)
        onset, told = row["onset_date"], followup[row["case_id"]]
        inside = [owner for first, last, owner in spans if first <= onset <= last]
        assert any(owner["ae_documented"] != "no" for owner in inside)
        assert onset <= told["last_contact_date"]
        ctcae = "CTCAE 5" if onset.year >= 2018 else "CTCAE 4.03"
        crs = "ASTCT 2019" if onset.year >= 2019 else "Lee 2014"
        assert row["scale"] == {"CRS": crs, "ICANS": "ASTCT 2019"}.get(row["term"], ctcae)
        assert row["term"] in INFECTIONS or row["pathogen"] is None
        assert (row["outcome"] == "recovered") <= (row["end_date"] is not None)


# What can stand beside an infection: its sites, and its pathogens besides "other".
FUNGI = {"Aspergillus fumigatus", "Candida albicans"}
VIRUSES = {"adenovirus", "cytomegalovirus", "rhinovirus"}
BACTERIA = {
    "E. coli", "Klebsiella pneumoniae", "Pseudomonas aeruginosa", "Staphylococcus epidermidis",
    "Streptococcus mitis", "Enterococcus faecium",
}  # fmt: skip
OF_INFECTION = {
    "sepsis": ({"blood"}, BACTERIA), "bacteraemia": ({"blood"}, BACTERIA),
    "viral infection": (None, VIRUSES), "invasive fungal infection": (None, FUNGI),
    "pneumonia": ({"lung"}, None), "other infection": (None, None),
}  # fmt: skip


def test_site_pathogen_and_documentation_fit_the_infection(loaded: Loaded) -> None:
    seen = defaultdict(Counter)
    for row in loaded.rows["adverse_events"]:
        told = [row[c] for c in ("infection_site", "pathogen", "documentation")]
        if row["term"] not in INFECTIONS:
            assert told == [None, None, None]
            continue
        site, pathogen, documentation = told
        sites, pathogens = OF_INFECTION[row["term"]]
        assert not sites or site in {*sites, None}
        assert not pathogens or pathogen in {*pathogens, "other", None}
        assert (documentation == "microbiological") == (pathogen is not None)
        assert documentation != "unexplained" or site is None
        seen["site"][site] += 1
        seen["documentation"][documentation] += 1
    assert len(seen["site"]) == 8 and len(seen["documentation"]) == 4
    assert all(count < 0.15 * counts.total() for counts in seen.values()
               for told, count in counts.items() if told is None)  # fmt: skip


def test_neutrophils_recover_before_what_ends_the_wait(loaded: Loaded) -> None:
    followup = {r["case_id"]: r for r in loaded.rows["followup"]}
    days, transplants = defaultdict(list), loaded.by_case("transplants")
    for case, courses in loaded.by_case("courses").items():
        starts = [c["start_date"] for c in courses]
        starts += [t["conditioning_date"] for t in transplants[case]]
        for row in courses:
            recovered, start = row["anc_recovery_date"], row["start_date"]
            days[row["block"]].append((recovered - start).days if recovered else None)
            if not recovered:
                continue
            ends = [day for day in starts if day > start]
            ends += [day for c in ("relapse_date", "death_date")
                     if (day := followup[case][c]) and day >= start]  # fmt: skip
            assert all(recovered < end for end in ends), row
            assert recovered <= followup[case]["last_contact_date"]
    found = {block: [day for day in told if day is not None] for block, told in days.items()}
    assert all(18 <= day <= 40 for told in found.values() for day in told)
    assert not found["prephase"] and not found["maintenance"]
    assert len(found["BLINA"]) < 0.1 * len(days["BLINA"])
    assert all(0.3 < len(found[b]) / len(days[b]) < 0.9 for b in ("R1", "R2", "FLU", "CLO"))
    assert np.mean(found["R1"]) < np.mean(found["FLU"]) > np.mean(found["R2"])


def test_a_death_of_infection_or_toxicity_has_one_event_of_grade_5(loaded: Loaded) -> None:
    fatal = defaultdict(list)
    for row in loaded.rows["adverse_events"]:
        if row["grade"] == 5:
            assert row["outcome"] == "fatal"
            fatal[row["case_id"]].append(row["end_date"])
    needed = {r["case_id"]: [r["death_date"]] for r in loaded.rows["followup"]
              if r["death_cause"] in ("infection", "toxicity")}  # fmt: skip
    assert fatal == needed and len(needed) > 5


def test_the_plain_demo_has_what_analyses_stumble_over(loaded: Loaded) -> None:
    patients = {r["case_id"]: r for r in loaded.rows["patients"]}
    days = defaultdict(list)
    for row in loaded.rows["followup"]:
        patient = patients[row["case_id"]]
        if row["status"] == "alive":
            days[patient["protocol"]].append(row["last_contact_date"] - patient["relapse_date"])
    old, new = (np.median([d.days for d in days[p]]) for p in PROTOCOLS)
    assert new < old - 365
    first = [r for r in loaded.rows["lines"] if r["line_number"] == 1]
    origin = {case: r["relapse_date"] for case, r in patients.items()}
    late = [r for r in first
            if not r["remission_date"]
            or r["remission_date"] > origin[r["case_id"]] + 60 * DAY]  # fmt: skip
    assert 30 <= len(late) <= 100
    lost = sum(r["status"] == "lost" for r in loaded.rows["followup"])
    assert 0.01 <= lost / 300 <= 0.05


# --- the same bytes -----------------------------------------------------------------------------

_DIGEST = """
import hashlib, sys
import numpy as np
from etl.demo.defects import damaged
from etl.demo.flaws import plan
from etl.demo.tables import drawn_group, tables
made = tables(drawn_group(np.arange(300), 300, 20140, plan(None)), 20140, 0)
digest = hashlib.sha256(repr({k: v.rows() for k, v in made.items()}).encode())
digest.update(repr(damaged(made, 20140)).encode())
print(digest.hexdigest())
"""


def test_the_same_arguments_make_the_same_bytes(clean: Path, tmp_path: Path) -> None:
    write_demo(tmp_path / "again")
    files = sorted(p.relative_to(clean) for p in clean.rglob("*") if p.is_file())
    assert [str(f) for f in files if f.parent.name] == [
        "about/README.txt", "about/planted.csv", "about/truth.json"
    ]  # fmt: skip
    for file in files:
        assert (clean / file).read_bytes() == (tmp_path / "again" / file).read_bytes(), file


def test_the_hash_seed_of_python_changes_nothing() -> None:
    digests = set()
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run(
            [sys.executable, "-c", _DIGEST], env=environment, capture_output=True, check=True,
            cwd=Path(__file__).parent.parent.parent,
        )  # fmt: skip
        digests.add(done.stdout)
    assert len(digests) == 1 and len(digests.pop()) == 65


def test_another_seed_makes_other_children(clean: Path, large: Path) -> None:
    ids = [
        {line.split(",")[0] for line in (out / "patients.csv").read_text("utf-8").splitlines()[1:]}
        for out in (clean, large)
    ]
    assert len(ids[1]) == 20_000
    assert not ids[0] <= ids[1]
    first = (large / "patients.csv").read_text("utf-8").splitlines()[1:6]
    assert first != sorted(first)


def test_the_report_counts_the_rows(tmp_path: Path) -> None:
    report = write_demo(tmp_path / "demo", patients=20, seed=1)
    for name, rows in report.files:
        text = (tmp_path / "demo" / name).read_text("utf-8")
        assert text.count("\n") == rows + 1
    assert report.n_defects == 0
    assert "SYNTHETIC" in (tmp_path / "demo" / "about" / "README.txt").read_text("utf-8")


# --- what is wrong with the arguments -----------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"flaw": "bad luck"}, "no flaw 'bad luck'. Known: assay_limit_by_year, case_mix_shift"),
        ({"patients": 19}, "19 patients are too few for a demo. Ask for 20 or more."),
        ({"patients": 5001, "defects": True}, "at most 5000 patients, not 5001"),
        ({"patients": 20, "defects": True}, "Ask for 300 patients or more"),
    ],
)
def test_bad_arguments_are_told_and_write_nothing(
    tmp_path: Path, arguments: dict, words: str
) -> None:
    with pytest.raises(DemoError, match=re.escape(words)):
        write_demo(tmp_path / "demo", **arguments)
    assert not (tmp_path / "demo").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(DemoError, match="exists and is not an empty folder"):
        write_demo(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


# --- defects ------------------------------------------------------------------------------------

RULES = """
decimal_comma power_of_ten percent_in_value negative_word missing_word thousands_separator
look_alike_letters spelling outer_spaces roman_numeral grade_range grade_word date_shape
excel_serial us_date partial_date ambiguous_date not_a_date impossible_date placeholder_date
ambiguous_unit unit_contradiction several_values spreadsheet_error not_a_grade not_a_number
out_of_range unknown_code missing_value wrong_number_of_fields stop_before_start
event_without_day day_without_event detail_missing number_differs identical_copy
conflicting_rows not_before_day_0 before_day_0 no_enrollment no_line no_course
overlapping_courses assessment_without_course out_of_order remission_missing
remission_at_death after_terminal outside_every_block fatal_without_death recorded_differs
both_protocols no_grade
"""


def test_a_damaged_export_gives_exactly_what_was_planted(dirty: Path) -> None:
    assert sorted(Loaded(dirty).findings) == as_findings(planted_in(dirty))


def test_every_rule_is_planted_and_every_row_at_most_once(dirty: Path) -> None:
    planted = planted_in(dirty)
    own = [p for p in planted if not p["because"]]
    assert {p["rule"] for p in own} == set(RULES.split())
    places = Counter((p["file"], p["row"]) for p in planted)
    assert max(places.values()) == 1
    causes = {p["because"] for p in planted} - {""}
    assert causes <= {f"{p['file']}:{p['row']}" for p in own}


def test_every_other_row_is_as_in_the_clean_export(clean: Path, dirty: Path) -> None:
    own = Counter(p["file"] for p in planted_in(dirty) if not p["because"])
    for name in SCHEMA:
        texts = [(out / f"{name}.csv").read_text("utf-8").splitlines() for out in (clean, dirty)]
        changed = Counter(texts[1]) - Counter(texts[0])
        assert 0 < sum(changed.values()) <= own[f"{name}.csv"]


def test_a_row_kept_out_keeps_out_the_rows_that_stand_on_it(dirty: Path) -> None:
    rules = {p["rule"] for p in planted_in(dirty) if p["because"]}
    assert rules == {"no_enrollment", "no_line", "no_course", "assessment_without_course",
                     "conflicting_rows"}  # fmt: skip


# --- flaws --------------------------------------------------------------------------------------


def of_protocol(made: dict[str, pl.DataFrame], table: str, protocol: str) -> pl.DataFrame:
    cases = made["patients"].filter(pl.col("protocol") == protocol)
    return made[table].join(cases, on="case_id", how="semi")


def test_late_referral_hides_who_dies_early(plain: dict[str, pl.DataFrame]) -> None:
    late = made("late_referral")
    waits = late["patients"].with_columns(
        wait=(pl.col("registration_date") - pl.col("relapse_date")).dt.total_days()
    )
    by_protocol = dict(waits.group_by("protocol").agg((pl.col("wait") > 14).mean()).iter_rows())
    assert 0.25 < by_protocol[PROTOCOLS[0]] < 0.42 and by_protocol[PROTOCOLS[1]] == 0
    both = waits.join(late["followup"], on="case_id")
    assert both.filter(pl.col("death_date") < pl.col("registration_date")).is_empty()
    assert late["patients"].height < plain["patients"].height


def test_death_reporting_lag_hides_late_deaths(plain: dict[str, pl.DataFrame]) -> None:
    recent = pl.col("death_date") > date(2021, 11, 1)
    lag = made("death_reporting_lag")
    assert plain["followup"].filter(recent).height > 3
    assert lag["followup"].filter(recent).is_empty()
    alive = lag["followup"].filter(pl.col("status") == "alive")
    assert alive.filter(pl.col("last_contact_date") == CUTOFF).height > 0.9 * alive.height


def test_loss_can_depend_on_the_transplant(plain: dict[str, pl.DataFrame]) -> None:
    def lost(made: dict[str, pl.DataFrame]) -> tuple[float, float]:
        is_lost = made["followup"].with_columns(lost=pl.col("status") == "lost")
        with_it = is_lost.join(made["transplants"], on="case_id", how="semi")["lost"].mean()
        without = is_lost.join(made["transplants"], on="case_id", how="anti")["lost"].mean()
        return float(str(with_it)), float(str(without))

    assert max(lost(plain)) < 0.06
    with_it, without = lost(made("transplant_dependent_loss"))
    assert with_it > 0.2 and without < 0.02


def test_the_limit_of_detection_can_change_by_year(plain: dict[str, pl.DataFrame]) -> None:
    def limits(made: dict[str, pl.DataFrame]) -> dict[int, set]:
        flow = made["assessments"].filter(pl.col("method") == "flow", pl.col("lod").is_not_null())
        by_year = flow.group_by(pl.col("sample_date").dt.year()).agg(pl.col("lod").unique())
        return {year: set(lods) for year, lods in by_year.iter_rows()}

    assert set.union(*limits(plain).values()) == {"0.0001"}
    changing = limits(made("assay_limit_by_year"))
    assert changing[2015] == {"0.001"} and changing[2017] == {"0.0001"}
    assert changing[2020] == {"0.00001"}


def test_events_of_the_older_protocol_can_be_underreported(plain: dict[str, pl.DataFrame]) -> None:
    fewer = made("underreported_adverse_events")
    old, new = (
        of_protocol(fewer, "adverse_events", p).height
        / of_protocol(plain, "adverse_events", p).height
        for p in PROTOCOLS
    )
    assert 0.45 < old < 0.56 and new == 1
    assert fewer["courses"].equals(plain["courses"])


def test_the_transplant_can_wait_for_mrd(plain: dict[str, pl.DataFrame]) -> None:
    def waits(made: dict[str, pl.DataFrame]) -> tuple[float, float]:
        first = made["lines"].filter(pl.col("line_number") == "1")
        rows = (
            made["transplants"].filter(pl.col("transplant_number") == "1").join(first, on="case_id")
        )
        rows = rows.filter(pl.col("mrd_before").is_not_null()).with_columns(
            wait=(pl.col("transplant_date") - pl.col("remission_date")).dt.total_days(),
            positive=pl.col("mrd_before").str.contains("^[0-9]"),
        )
        rows = rows.filter(pl.col("status_at_transplant") == "CR2")
        old = made["patients"].filter(pl.col("protocol") == PROTOCOLS[0])
        rows = rows.join(old, on="case_id", how="semi")
        medians = dict(rows.group_by("positive").agg(pl.col("wait").median()).iter_rows())
        return medians[True], medians[False]

    positive, negative = waits(plain)
    assert abs(positive - negative) < 15
    positive, negative = waits(made("transplant_wait_by_mrd"))
    assert positive > negative + 40


def test_cells_can_be_tied_to_the_length_of_the_course(plain: dict[str, pl.DataFrame]) -> None:
    def shares(made: dict[str, pl.DataFrame]) -> tuple[float, float]:
        cells = made["infusions"].filter(pl.col("kind") == "CD3")
        of_course = ["case_id", "line_number", "block", "course_number"]
        new = of_protocol(made, "courses", PROTOCOLS[1])
        first = new.filter(pl.col("block") == "BLINA", pl.col("line_number") == "1")
        courses = first.join(cells.select(of_course).unique().with_columns(cells=1), on=of_course,
                             how="left")  # fmt: skip
        days = (pl.col("stop_date") - pl.col("start_date")).dt.total_days()
        share = pl.col("cells").is_not_null().mean()
        table = dict(courses.group_by(days >= 21).agg(share).iter_rows())
        return table[False], table[True]

    short, whole = shares(plain)
    assert abs(short - whole) < 0.25 and 0.55 < whole < 0.75
    assert shares(made("cd3_tied_to_course_length")) == (0, 1)


def test_there_can_be_many_children_on_both_protocols(plain: dict[str, pl.DataFrame]) -> None:
    def pairs(made: dict[str, pl.DataFrame]) -> int:
        return made["patients"].filter(pl.col("relapse_number") == "2").height

    assert pairs(made("same_child")) > 3 * pairs(plain) > 30


def test_case_mix_can_shift() -> None:
    shifted = made("case_mix_shift")
    new = of_protocol(shifted, "patients", PROTOCOLS[1])
    old = of_protocol(shifted, "patients", PROTOCOLS[0])

    def share_s4(patients: pl.DataFrame) -> float:
        high = patients.filter(pl.col("risk_recorded").is_in(["S3", "S4"]))
        return float(str((high["risk_recorded"] == "S4").mean()))

    assert share_s4(new) < share_s4(old) - 0.1


@pytest.mark.parametrize("flaw", sorted(FLAWS))
def test_an_export_with_a_flaw_is_clean_all_the_same(flaw: str, tmp_path: Path) -> None:
    """A flaw is no defect: every row of it can be loaded."""
    patients = 120
    group = drawn_group(np.arange(patients), patients, SEED, plan(flaw))
    for name, table in tables(group, SEED, 0).items():
        table.write_csv(tmp_path / f"{name}.csv")
    assert {f[4] for f in Loaded(tmp_path).findings} == {"both_protocols"}


# --- the truth ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def known(clean: Path) -> dict:
    return json.loads((clean / "about" / "truth.json").read_text("utf-8"))


def test_the_truth_says_of_whom_and_by_how_many_draws(known: dict) -> None:
    assert known["synthetic"] is True and known["flaw"] is None
    assert "high risk" in known["target_population"]
    assert min(known["draws_per_cohort"]) >= 1_000_000
    assert {"os", "efs", "rfs", "hazard_ratio"} <= set(known["definitions"])


@pytest.mark.parametrize("view", ["own_case_mix", "newer_case_mix", "overlap"])
def test_the_truth_is_made_of_probabilities(known: dict, view: str) -> None:
    for cohort in known[view]["cohorts"].values():
        for year in ("1", "2", "3", "5"):
            assert 0 < cohort["efs"]["survival"][year] <= cohort["os"]["survival"][year] < 1
        for name in ("os", "efs", "rfs"):
            curve = list(cohort[name]["survival"].values())
            assert curve == sorted(curve, reverse=True)
        for year in ("1", "2", "3"):
            causes = sum(by_year[year] for by_year in cohort["cumulative_incidence"].values())
            assert causes + cohort["rfs"]["survival"][year] == pytest.approx(1, abs=3e-5)
        for tau in ("2", "3"):
            assert 0 < cohort["efs"]["rmst_years"][tau] < cohort["os"]["rmst_years"][tau]
            assert cohort["os"]["rmst_years"][tau] < float(tau)
        assert 0.1 < cohort["efs"]["event_on_day_0"] < 0.3
    assert 0.5 < known[view]["hazard_ratio"]["efs"] < 1
    assert 0.5 < known[view]["hazard_ratio"]["os"] < 1


def test_the_newer_protocol_is_its_own_reference(known: dict) -> None:
    views = [known[v]["cohorts"]["allrez2016"] for v in ("own_case_mix", "newer_case_mix")]
    assert views[0] == views[1]


def test_a_shift_of_case_mix_changes_the_crude_truth_most() -> None:
    plain = truth(plan(None).nature, 100_000)
    shifted = truth(plan("case_mix_shift").nature, 100_000)

    def difference(known: dict, view: str) -> float:
        old, new = (c["efs"]["survival"]["3"] for c in known[view]["cohorts"].values())
        return new - old

    assert difference(shifted, "own_case_mix") > difference(plain, "own_case_mix") + 0.03
    assert difference(shifted, "newer_case_mix") < difference(shifted, "own_case_mix") - 0.03


def test_a_longer_wait_for_the_transplant_changes_the_truth() -> None:
    waiting = truth(plan("transplant_wait_by_mrd").nature, 100_000)
    plain = truth(plan(None).nature, 100_000)
    old = [
        k["own_case_mix"]["cohorts"]["allrez2014"]["rfs"]["survival"]["1"] for k in (waiting, plain)
    ]
    assert old[0] < old[1] - 0.01


def test_the_hazard_ratio_of_proportional_hazards_is_their_ratio() -> None:
    hazards = np.array([0.004, 0.004 * 0.6])
    at_risk = np.exp(-hazards[:, None] * np.arange(1000))
    events = at_risk - np.exp(-hazards[:, None] * np.arange(1, 1001))
    assert marginal_hazard_ratio(at_risk, events) == pytest.approx(0.6, abs=0.001)
    assert np.isnan(marginal_hazard_ratio(at_risk, events * np.array([[1], [0]])))


def kaplan_meier(days: list[float], event: list[bool], at: float) -> tuple[float, float]:
    """Survival and Greenwood's standard error, by counting."""
    time, happened = np.array(days), np.array(event)
    survival, variance = 1.0, 0.0
    for day in np.unique(time[happened & (time <= at)]):
        at_risk, died = (time >= day).sum(), (happened & (time == day)).sum()
        survival *= 1 - died / at_risk
        variance += died / (at_risk * max(at_risk - died, 1))
    return survival, survival * variance**0.5


def times_of(row: dict) -> dict[str, tuple[int, bool]]:
    """Days and event of each endpoint of a child, by the definitions of the truth."""
    origin, remission, dead = row["origin"], row["remission_date"], row["death_date"]
    landmark, seen = origin + 60 * DAY, row["last_disease_assessment_date"]
    events = (row["relapse_date"], dead, row["second_malignancy_date"])
    first = min((day for day in events if day), default=None)
    in_time = remission is not None and remission <= landmark
    known = row["looked"] or remission is not None
    failed = known and not in_time and not (dead and dead <= landmark)
    end = origin if failed else first or seen
    times = {
        "os": ((row["last_contact_date"] - origin).days, dead is not None),
        "efs": ((end - origin).days, failed or first is not None),
    }
    if remission:
        times["rfs"] = (((first or seen) - remission).days, first is not None)
    return times


def test_the_export_of_many_children_estimates_the_truth(large: Path) -> None:
    """Each cohort's high risk; tolerance four standard errors, the seed is fixed."""
    known = json.loads((large / "about" / "truth.json").read_text("utf-8"))
    times = defaultdict(list)
    for row in high_risk(large).iter_rows(named=True):
        for endpoint, time in times_of(row).items():
            times[f"allrez{row['protocol'][-4:]}", endpoint].append(time)
    assert len(times) == 6
    for (cohort, endpoint), rows in times.items():
        expected = known["own_case_mix"]["cohorts"][cohort][endpoint]["survival"]
        days, events = (list(column) for column in zip(*rows, strict=True))
        for year in (1, 2, 3):
            survival, error = kaplan_meier(days, events, year * 365.25)
            assert abs(survival - expected[str(year)]) < 4 * error, (cohort, endpoint, year)


def test_the_truth_does_not_depend_on_the_switches_of_observation() -> None:
    lagging = plan("death_reporting_lag")
    assert lagging.nature == plan(None).nature
    assert replace(lagging, observation=plan(None).observation) == plan(None)
