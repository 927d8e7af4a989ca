"""The eight tables of the export, of one group of children, as text."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from etl.demo.assessments import MATERIALS, METHODS, Assessments, assessments
from etl.demo.baseline import GENETICS, drawn_children
from etl.demo.cells import coded, dated, patient_ids, tenths, two_digits, whole, yes_no
from etl.demo.courses import (
    BLOCKS,
    STOPPED,
    Courses,
    Infusions,
    Transplants,
    given_courses,
    given_infusions,
    given_transplants,
    has_line,
    known_remission,
)
from etl.demo.derivation import SITES, TIMINGS, risk, timing
from etl.demo.events import (
    CAUSES,
    OUTCOMES,
    TERMS,
    AdverseEvents,
    Deaths,
    adverse_events,
    deaths,
)
from etl.demo.infections import DOCUMENTATION, INFECTION_SITES, PATHOGENS, found_infections
from etl.demo.natural_history import Traits, simulated
from etl.demo.observation import Enrollments, observed
from etl.demo.plan import Plan
from etl.demo.recovery import recovery_days
from etl.demo.schedule import FIRST_BLINA

PROTOCOLS = ("ALL-REZ 2014", "ALL-REZ 2016")
FILES: tuple[str, ...] = (
    "patients", "lines", "courses", "infusions", "assessments", "adverse_events", "followup",
    "transplants",
)  # fmt: skip
_DOCUMENTED = ("unknown", "no", "yes")
_DONORS = ("MSD", "MUD", "MMUD", "haplo", "cord")
_NEW_SCALES, _NEW_CTCAE = (
    float(np.datetime64(day).astype(int)) for day in ("2019-01-01", "2018-01-01")
)


@dataclass(frozen=True)
class Group:
    """Everything about a group of children, before it is written."""

    ids: pl.Series
    enrollments: Enrollments
    transplants: Transplants
    deaths: Deaths
    courses: Courses
    infusions: Infusions
    assessments: Assessments
    events: AdverseEvents

    @property
    def case_ids(self) -> pl.Series:
        """The case_id of each enrollment."""
        numbers = whole(self.enrollments.number)
        return pl.select(self.ids + "/" + numbers).to_series().alias("case_id")

    def date(self, case: np.ndarray, day: np.ndarray) -> pl.Series:
        """Days of cases as dates."""
        return dated(self.enrollments.origin[case] + day)


def drawn_group(index: np.ndarray, patients: int, seed: int, plan: Plan) -> Group:
    """The children at these positions of a demo of `patients` children; three of five are first
    enrolled on ALL-REZ 2014. Each stage draws from a stream of its own, so that a flaw leaves
    alone what it does not change.
    """
    part = int(index[0])

    def stream(stage: int) -> np.random.Generator:
        return np.random.default_rng([seed, part, stage])

    protocol = (index % 5 >= 3).astype(int)
    children = drawn_children(stream(1), protocol, plan.nature)
    traits = Traits(protocol, children.risk, children.genetics, children.is_ten)
    history = simulated(stream(2), traits, plan.nature)
    e = observed(stream(3), children, history, plan.observation)
    t = given_transplants(stream(4), e)
    c = given_courses(stream(5), e, t)
    d = deaths(stream(6), e, c, t)
    return Group(
        ids=patient_ids(index[e.child], patients, seed).alias("patient_id"),
        enrollments=e,
        transplants=d.transplants,
        deaths=d,
        courses=d.courses,
        infusions=given_infusions(stream(7), e, d.courses, plan.observation),
        assessments=assessments(stream(8), e, d.courses, d.transplants, plan.observation),
        events=adverse_events(stream(9), e, d, plan.observation),
    )


def _any_of(rng: np.random.Generator, n: int, shares: list[float]) -> np.ndarray:
    return np.searchsorted(np.cumsum(shares)[:-1], rng.random(n), "right")


def _completed_years(birth: np.ndarray, day: np.ndarray) -> np.ndarray:
    first, last = birth.astype("datetime64[D]"), day.astype("datetime64[D]")
    months = [x.astype("datetime64[M]") for x in (first, last)]
    of_month = [x - month for x, month in zip((first, last), months, strict=True)]
    passed = (months[1] - months[0]).astype(int) - (of_month[1] < of_month[0])
    return passed // 12


def _patients(rng: np.random.Generator, g: Group) -> dict[str, pl.Series]:
    e = g.enrollments
    n, x = len(e.number), e.children
    derived = timing(x.diagnosis, e.frontline_end, e.on_frontline, e.origin)
    year = np.datetime_as_string((e.origin).astype("datetime64[D]"), unit="Y")
    numbers = pl.Series(rng.integers(1, 100_000, n)).cast(pl.String).str.zfill(5)
    elsewhere = (rng.random(n) < 0.12) | (e.registration > 14)
    return {
        "patient_id": g.ids,
        "medical_record": pl.select(pl.Series(year) + "/" + numbers).to_series(),
        "case_id": g.case_ids,
        "protocol": coded(PROTOCOLS, e.protocol),
        "relapse_number": whole(e.number),
        "sex": coded(("f", "m"), x.is_male.astype(int)),
        "birth_date": dated(x.birth),
        "diagnosis_date": dated(x.diagnosis),
        "frontline_end_date": dated(e.frontline_end),
        "on_frontline_therapy": coded(("no", "yes"), e.on_frontline),
        "relapse_date": dated(e.origin),
        "registration_date": dated(e.origin + e.registration),
        "site": coded(SITES, e.site),
        "immunophenotype": coded(("B",), np.zeros(n, int)),
        "genetics": coded(GENETICS, np.where(x.is_genetics_recorded, x.genetics, -1)),
        "age_years": whole(_completed_years(x.birth, e.origin)),
        "timing_recorded": coded(TIMINGS, derived),
        "risk_recorded": coded(("S1", "S2", "S3", "S4"), risk(derived, e.site) - 1),
        "first_block_elsewhere": yes_no(elsewhere),
    }


def _reasons(e: Enrollments, line: np.ndarray, case: np.ndarray) -> np.ndarray:
    """first relapse, second relapse, refractory."""
    is_refractory = (line == 1) & np.isinf(e.history.lines[0].remission)[case]
    later = np.where(is_refractory, 2, 1)
    return np.where(line == 0, e.number[case] - 1, later)


def _lines(rng: np.random.Generator, g: Group) -> dict[str, pl.Series]:
    e = g.enrollments
    told = np.stack([has_line(e, k) for k in range(3)], axis=1)
    case, line = np.nonzero(told)

    def of(name: str) -> np.ndarray:
        return np.stack([getattr(part, name) for part in e.history.lines], axis=1)[case, line]

    remission = np.stack([known_remission(e, k) for k in range(3)], axis=1)[case, line]
    start = e.origin[case] + of("start")
    is_new = (e.protocol[case] == 1) | ((line > 0) & (start >= _date("2016-07-01")))
    kind = _any_of(rng, len(case), [0.45, 0.35, 0.20])
    return {
        "case_id": g.case_ids.gather(case),
        "line_number": whole(line + 1),
        "entry_reason": coded(
            ("first relapse", "second relapse", "refractory"), _reasons(e, line, case)
        ),
        "start_date": dated(start),
        "protocol_as_treated": coded(PROTOCOLS, is_new.astype(int)),
        "intent": coded(("curative", "palliative"), of("is_palliative").astype(int)),
        "remission_date": g.date(case, remission),
        "remission_type": coded(
            ("M1", "M1 and counts", "MRD"), np.where(np.isfinite(remission), kind, -1)
        ),
    }


def _date(text: str) -> float:
    return float(np.datetime64(text).astype(int))


def _courses(rng: np.random.Generator, g: Group) -> dict[str, pl.Series]:
    c = g.courses
    n = len(c.case)
    doses = ("100", "75", "80", "50", "87.5", "66.7")
    dose = _any_of(rng, n, [0.86, 0.05, 0.04, 0.02, 0.02, 0.01])
    # A stream of its own moves no other column.
    recovery = recovery_days(rng.spawn(1)[0], g.enrollments, g.transplants, c)
    return {
        "case_id": g.case_ids.gather(c.case),
        "line_number": whole(c.line + 1),
        "block": coded(BLOCKS, c.block),
        "course_number": whole(c.number),
        "start_date": g.date(c.case, c.start),
        "stop_date": g.date(c.case, c.stop),
        "anc_recovery_date": g.date(c.case, recovery),
        "planned": yes_no(rng.random(n) >= 0.03),
        "dose_percent": coded(doses, np.where(rng.random(n) < 0.04, -1, dose)),
        "completed": yes_no(c.stopped < 0),
        "stop_reason": coded(STOPPED, c.stopped),
        "ae_documented": coded(_DOCUMENTED, c.documented + 1),
    }


def _infusions(rng: np.random.Generator, g: Group) -> dict[str, pl.Series]:
    c, x = g.courses, g.infusions
    n = len(x.course)
    is_cells = x.step == 0
    cells = 2 + _any_of(rng, n, [0.06, 0.22, 0.50, 0.17, 0.05])
    reason = np.where(x.is_stopped, _any_of(rng, n, [0.3, 0.3, 0.25, 0.15]), -1)
    source = _any_of(rng, n, [0.86, 0.10, 0.04])
    at = c.case[x.course]
    return {
        "case_id": g.case_ids.gather(at),
        "line_number": whole(c.line[x.course] + 1),
        "block": coded(BLOCKS, c.block[x.course]),
        "course_number": whole(c.number[x.course]),
        "kind": coded(("blinatumomab", "CD3"), is_cells.astype(int)),
        "start_date": g.date(at, x.start),
        "stop_date": g.date(at, x.stop),
        "dose": coded(
            ("5", "15", "0.1", "0.5", "1", "2", "5"), np.where(is_cells, cells, x.step - 1)
        ),
        "dose_basis": coded(("ug/m2/d", "1e6/kg"), is_cells.astype(int)),
        "step": coded(("1", "2"), x.step - 1),
        "stop_reason": coded(("CRS", "neurotoxicity", "infection", "technical"), reason),
        "cell_source": coded(("autologous", "donor", "unknown"), np.where(is_cells, source, -1)),
    }


def _mrd_text(value: np.ndarray, result: np.ndarray, unit: np.ndarray) -> pl.Series:
    """A number, `<0.01`, or a word."""
    scaled = np.where(unit == 1, value * 100, value)
    number = two_digits(np.where(result <= 1, scaled, np.nan))
    words = coded(("undetectable", "detected", "failed"), result - 2)
    frame = pl.DataFrame({"number": number, "word": words, "below": result == 1})
    text = pl.when("below").then("<" + pl.col("number")).otherwise("number")
    return frame.select(pl.coalesce("word", text)).to_series()


def _assessments(rng: np.random.Generator, g: Group) -> dict[str, pl.Series]:
    c, a = g.courses, g.assessments
    is_blasts = a.method == 0
    course = np.maximum(a.course, 0)
    known = a.course >= 0
    mrd = _mrd_text(np.where(is_blasts, 1.0, a.value), a.result, a.unit)
    blasts = tenths(np.where(is_blasts, a.value, 0))
    frame = pl.DataFrame({"mrd": mrd, "blasts": blasts, "is_blasts": is_blasts})
    limits = ("0.00001", "0.0001", "0.001")
    lod, loq = (
        np.where(np.isnan(x), -1, np.rint(np.log10(np.where(np.isnan(x), 1, x)) + 5))
        for x in (a.lod, a.loq)
    )
    return {
        "case_id": g.case_ids.gather(a.case),
        "sample_date": g.date(a.case, a.day),
        "material": coded(MATERIALS, a.material),
        "method": coded(METHODS, a.method),
        "measure": coded(("MRD", "blasts"), is_blasts.astype(int)),
        "result": frame.select(pl.when("is_blasts").then("blasts").otherwise("mrd")).to_series(),
        "unit": coded(("%", "fraction"), a.unit - 1),
        "lod": coded(limits, lod),
        "loq": coded(limits, loq),
        "line_number": whole(a.line + 1),
        "block": coded(BLOCKS, np.where(known, c.block[course], -1)),
        "course_number": coded(
            tuple(str(k) for k in range(1, 10)), np.where(known, c.number[course] - 1, -1)
        ),
    }


def _scale(onset: np.ndarray, term: np.ndarray) -> np.ndarray:
    names = np.array([t.name for t in TERMS])[term]
    ctcae = np.where(onset >= _NEW_CTCAE, 1, 0)
    crs = np.where(onset >= _NEW_SCALES, 3, 2)
    return np.where(names == "CRS", crs, np.where(names == "ICANS", 3, ctcae))


def _events(rng: np.random.Generator, g: Group) -> dict[str, pl.Series]:
    x = g.events
    found = found_infections(rng, x.term)
    onset = g.enrollments.origin[x.case] + x.onset
    return {
        "case_id": g.case_ids.gather(x.case),
        "term": coded(tuple(t.name for t in TERMS), x.term),
        "grade": whole(x.grade),
        "scale": coded(("CTCAE 4.03", "CTCAE 5", "Lee 2014", "ASTCT 2019"), _scale(onset, x.term)),
        "onset_date": dated(onset),
        "end_date": g.date(x.case, x.end),
        "serious": yes_no(x.is_serious),
        "outcome": coded(OUTCOMES, x.outcome),
        "infection_site": coded(INFECTION_SITES, found.site),
        "documentation": coded(DOCUMENTATION, found.documentation),
        "pathogen": coded(PATHOGENS, found.pathogen),
    }


def _followup(rng: np.random.Generator, g: Group) -> dict[str, pl.Series]:
    e = g.enrollments
    n = len(e.number)
    case = np.arange(n)
    first = e.history.lines[0]
    after_blina = (e.protocol == 1) & (e.relapse > first.schedule.blocks[:, FIRST_BLINA])
    shares = np.where(after_blina[:, None], [0.60, 0.10, 0.21, 0.03], [0.78, 0.04, 0.01, 0.01])
    cd19 = (rng.random(n)[:, None] >= shares.cumsum(axis=1)).sum(axis=1)
    is_dead, has_relapse = np.isfinite(e.death), np.isfinite(e.relapse)
    second = e.history.second_malignancy
    return {
        "case_id": g.case_ids,
        "status": coded(("alive", "dead", "lost"), np.where(is_dead, 1, e.is_lost * 2)),
        "last_contact_date": g.date(case, e.contact),
        "last_disease_assessment_date": g.date(case, e.assessed),
        "relapse_date": g.date(case, e.relapse),
        "relapse_site": coded(SITES, np.where(has_relapse, e.next_site, -1)),
        "cd19_at_relapse": coded(
            ("positive", "dim", "negative", "lineage switch", "unknown"),
            np.where(has_relapse, cd19, -1),
        ),
        "death_date": g.date(case, e.death),
        "death_cause": coded(CAUSES, g.deaths.cause),
        "second_malignancy_date": g.date(case, np.where(second <= e.assessed, second, np.inf)),
    }


def _transplants(rng: np.random.Generator, g: Group) -> dict[str, pl.Series]:
    e, t = g.enrollments, g.transplants
    n = len(t.case)
    donor = _any_of(rng, n, [0.20, 0.27, 0.08, 0.41, 0.04])
    # Haploidentical grafts are depleted of T cells; cord blood comes from cord donors alone.
    graft = np.where(donor == 4, 2, np.where(donor == 3, 1, _any_of(rng, n, [0.62, 0.38])))
    manipulation = np.where(donor == 3, rng.random(n) < 0.95, False).astype(int)
    after_relapse = np.isfinite(e.history.lines[0].remission)[t.case] & (t.line == 1)
    status = np.minimum(e.number[t.case] - 1 + after_relapse, 1)
    level = np.where(t.line == 0, e.history.mrd_before_transplant[t.case], -4.6)
    result = np.where(level >= -4, 0, np.where(rng.random(n) < 0.35, 1, 2))
    value = 10 ** np.where(result == 1, -4, np.minimum(level, -1.4))
    shown = ~t.is_repeat & (rng.random(n) >= 0.1)
    mrd = _mrd_text(value, result, np.ones(n, int))
    return {
        "case_id": g.case_ids.gather(t.case),
        "transplant_number": whole(t.number),
        "conditioning_date": g.date(t.case, t.conditioning),
        "transplant_date": g.date(t.case, t.day),
        "donor": coded(_DONORS, donor),
        "graft": coded(("BM", "PB", "CB"), graft),
        "manipulation": coded(("none", "TCRab/CD19 depletion"), manipulation),
        "conditioning": coded(("TBI", "treosulfan", "other"), _any_of(rng, n, [0.5, 0.42, 0.08])),
        "status_at_transplant": coded(("CR2", "CR3", "not in remission"), status),
        "mrd_before": pl.DataFrame({"m": mrd, "s": shown})
        .select(pl.when("s").then("m"))
        .to_series(),
        "ae_documented": coded(_DOCUMENTED, t.documented + 1),
    }


_WRITERS: dict[str, Callable[[np.random.Generator, Group], dict[str, pl.Series]]] = {
    "patients": _patients,
    "lines": _lines,
    "courses": _courses,
    "infusions": _infusions,
    "assessments": _assessments,
    "adverse_events": _events,
    "followup": _followup,
    "transplants": _transplants,
}


def tables(group: Group, seed: int, part: int) -> dict[str, pl.DataFrame]:
    """The tables of FILES, all text, empty cells null; the last column says SYNTHETIC."""
    result = {}
    for stage, (name, writer) in enumerate(_WRITERS.items(), start=10):
        columns = writer(np.random.default_rng([seed, part, stage]), group)
        frame = pl.DataFrame({k: v.alias(k) for k, v in columns.items()})
        result[name] = frame.with_columns(data_origin=pl.lit("SYNTHETIC"))
    return result
