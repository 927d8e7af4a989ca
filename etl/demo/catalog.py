"""The defects that can be planted, each with the rule that must find it.

They are those of real hospital exports: dates of many shapes, decimal commas, letters of the other
alphabet that look alike, words for a negative result, several values in a cell, rows told twice,
and rows that contradict each other. Where a defect can be repaired, the repaired text is what the
clean export says, so that nothing else is found; where it cannot be, the row is kept out.
"""

import calendar
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from etl.demo.derivation import TIMINGS, timing
from etl.demo.sheets import Case, Row, written

SEVERITY = {
    **dict.fromkeys(
        (
            "decimal_comma", "power_of_ten", "percent_in_value", "negative_word", "missing_word",
            "thousands_separator", "look_alike_letters", "spelling", "outer_spaces",
            "roman_numeral", "grade_range", "grade_word", "date_shape", "excel_serial", "us_date",
            "partial_date", "identical_copy",
        ),
        "repair",
    ),
    **dict.fromkeys(
        (
            "ambiguous_date", "not_a_date", "impossible_date", "placeholder_date",
            "ambiguous_unit", "unit_contradiction", "several_values", "spreadsheet_error",
            "not_a_grade", "not_a_number", "out_of_range", "unknown_code", "missing_value",
            "wrong_number_of_fields", "stop_before_start", "event_without_day",
            "day_without_event", "conflicting_rows", "not_before_day_0",
            "before_day_0", "no_enrollment", "no_line", "no_course",
        ),
        "error",
    ),
    **dict.fromkeys(
        (
            "detail_missing", "number_differs", "overlapping_courses", "assessment_without_course",
            "out_of_order", "remission_missing", "remission_at_death",
            "after_terminal", "outside_every_block", "fatal_without_death", "no_grade",
        ),
        "warning",
    ),
    "recorded_differs": "info",
}  # fmt: skip

# New texts by column; None: the defect does not fit this row.
Change = Callable[[Row, Case], dict[str, str] | None]


@dataclass(frozen=True)
class Defect:
    """A defect in the rows of one file.

    `column` is where it is found ("": the whole row). `is_new_row`: the changed row is added after
    the row, which stays as it is. `extra_field`: the last text but one is written without quotes
    and falls apart into two fields.
    """

    file: str
    column: str
    rule: str
    change: Change
    is_new_row: bool = False
    extra_field: bool = False

    @property
    def severity(self) -> str:
        """repair, error, warning or info."""
        return SEVERITY[self.rule]


def _cell(
    file: str,
    column: str,
    rule: str,
    new: Callable[[str], str] | str,
    fits: Callable[[Row], bool] = lambda row: True,
    **also: str,
) -> Defect:
    """A defect of one filled cell (`also`: other cells changed with it)."""

    def change(row: Row, _: Case) -> dict[str, str] | None:
        old = row[column]
        if not old or not fits(row):
            return None
        text = new if isinstance(new, str) else new(old)
        return None if text == old else {column: text, **also}

    return Defect(file, column, rule, change)


def _is(column: str, *texts: str) -> Callable[[Row], bool]:
    return lambda row: row[column] in texts


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


def _is_mrd(row: Row) -> bool:
    """A marrow's MRD in figures."""
    return row["material"] == "BM" and row["measure"] == "MRD" and _is_number(row["result"])


def _is_mrd_percent(row: Row) -> bool:
    return _is_mrd(row) and row["unit"] == "%"


def _is_blasts(row: Row) -> bool:
    return row["measure"] == "blasts"


def _has_point(column: str) -> Callable[[Row], bool]:
    return lambda row: "." in row[column]


def _comma(text: str) -> str:
    return text.replace(".", ",")


def _empty(file: str, column: str, text: str, fits: Callable[[Row], bool] = lambda row: True):
    """A word for "missing" in a cell that was empty."""

    def change(row: Row, _: Case) -> dict[str, str] | None:
        return {column: text} if not row[column] and fits(row) else None

    return Defect(file, column, "missing_word", change)


_LATIN = "ABCEHKMOPTXS3"
_ALIKE = str.maketrans(_LATIN, "АВСЕНКМОРТХЅЗ")


def _alike(letters: str) -> Callable[[str], str]:
    """These letters of a text written with the other alphabet."""
    table = {ord(letter): _ALIKE[ord(letter)] for letter in letters}
    return lambda text: text.translate(table)


NUMBERS = (
    _cell("courses", "dose_percent", "decimal_comma", _comma, _has_point("dose_percent")),
    _cell("infusions", "dose", "decimal_comma", _comma, _has_point("dose")),
    _cell("assessments", "lod", "decimal_comma", _comma, _has_point("lod")),
    _cell("assessments", "result", "decimal_comma", _comma,
          lambda r: _is_mrd(r) and "." in r["result"]),
    _cell("assessments", "result", "decimal_comma", _comma,
          lambda r: _is_blasts(r) and "." in r["result"]),
    *(
        _cell("assessments", "result", "power_of_ten", text, _is_mrd_percent, unit="")
        for text in ("1*10-4", "1x10^-4", "10^-4", "1x10⁻⁴")
    ),
    _cell("assessments", "result", "percent_in_value", "{}%".format, _is_mrd_percent, unit=""),
    _cell("assessments", "result", "percent_in_value", "{}%".format, _is_blasts, unit=""),
    *(
        _cell("assessments", "result", "negative_word", text, _is("result", "undetectable"))
        for text in ("отр", "отр.", "neg", "negative", "не обн.", "не обнаружено")
    ),
    _empty("courses", "dose_percent", "н/д"),
    _empty("patients", "genetics", "n/a"),
    _empty("assessments", "lod", "-", lambda r: r["measure"] == "MRD"),
    _empty("adverse_events", "end_date", "нет данных"),
    *(
        _cell("infusions", "dose", "thousands_separator", text, _is("kind", "CD3"))
        for text in ("12 500", "12\u00a0500")
    ),
    _cell("assessments", "result", "ambiguous_unit", "0,01", _is_mrd_percent, unit=""),
    _cell("assessments", "result", "ambiguous_unit", "0.01", _is_mrd_percent, unit=""),
    _cell("assessments", "result", "unit_contradiction", "0.5%", _is_mrd, unit="fraction"),
    _cell("assessments", "result", "unit_contradiction", "12%", _is_blasts, unit="fraction"),
    _cell("assessments", "result", "several_values", "0,5% -> отр", _is_mrd),
    _cell("assessments", "result", "spreadsheet_error", "#REF!"),
    _cell("adverse_events", "grade", "spreadsheet_error", "#Н/Д"),
    _cell("infusions", "dose", "spreadsheet_error", "#N/A"),
    _cell("assessments", "sample_date", "spreadsheet_error", "#ЗНАЧ!"),
    _cell("adverse_events", "end_date", "spreadsheet_error", "#ССЫЛКА!"),
    _cell("patients", "age_years", "spreadsheet_error", "#ЗНАЧ!"),
    _cell("infusions", "dose", "not_a_number", "full"),
    _cell("courses", "dose_percent", "not_a_number", "full"),
    _cell("patients", "age_years", "not_a_number", "seven"),
    _cell("assessments", "lod", "not_a_number", "low"),
    _cell("assessments", "result", "out_of_range", "120", _is_blasts),
    _cell("assessments", "result", "out_of_range", "150", _is_mrd_percent),
    _cell("assessments", "result", "out_of_range", "-3", _is_blasts),
    _cell("courses", "dose_percent", "out_of_range", "400"),
)  # fmt: skip

CODES = (
    _cell("patients", "site", "look_alike_letters", _alike("BM"), _is("site", "BM")),
    _cell("patients", "site", "look_alike_letters", _alike("C"), _is("site", "CNS", "BM+CNS")),
    _cell("patients", "risk_recorded", "look_alike_letters", _alike("S"),
          _is("risk_recorded", "S2")),
    _cell("courses", "block", "look_alike_letters", _alike("B"), _is("block", "BLINA")),
    _cell("courses", "block", "look_alike_letters", _alike("CO"), _is("block", "CLO")),
    _cell("infusions", "kind", "look_alike_letters", _alike("C"), _is("kind", "CD3")),
    _cell("infusions", "kind", "look_alike_letters", _alike("3"), _is("kind", "CD3")),
    _cell("assessments", "material", "look_alike_letters", _alike("BM"), _is("material", "BM")),
    _cell("adverse_events", "scale", "look_alike_letters", _alike("CTAE"),
          _is("scale", "CTCAE 5")),
    _cell("transplants", "donor", "look_alike_letters", _alike("M"), _is("donor", "MSD", "MUD")),
    _cell("courses", "block", "spelling", "f1", _is("block", "F1")),
    _cell("patients", "protocol", "spelling", "All-Rez 2014", _is("protocol", "ALL-REZ 2014")),
    _cell("patients", "sex", "spelling", "F", _is("sex", "f")),
    _cell("lines", "entry_reason", "spelling", "First  relapse",
          _is("entry_reason", "first relapse")),
    _cell("lines", "intent", "spelling", "Curative", _is("intent", "curative")),
    _cell("adverse_events", "term", "spelling", "febrile  Neutropenia",
          _is("term", "febrile neutropenia")),
    _cell("assessments", "method", "spelling", "Morphology", _is("method", "morphology")),
    _cell("followup", "status", "spelling", "Alive", _is("status", "alive")),
    _cell("transplants", "donor", "spelling", "Haplo", _is("donor", "haplo")),
    _cell("patients", "genetics", "outer_spaces", "{} ".format),
    _cell("patients", "age_years", "outer_spaces", " {}".format),
    _cell("courses", "start_date", "outer_spaces", " {}".format),
    _cell("infusions", "dose", "outer_spaces", "{} ".format),
    _cell("assessments", "result", "outer_spaces", " {} ".format,
          _is("result", "undetectable")),
    _cell("followup", "death_cause", "outer_spaces", " {}".format),
    _cell("patients", "relapse_number", "roman_numeral", "I", _is("relapse_number", "1")),
    _cell("adverse_events", "grade", "roman_numeral", "II", _is("grade", "2")),
    _cell("adverse_events", "grade", "roman_numeral", "III", _is("grade", "3")),
    _cell("adverse_events", "grade", "roman_numeral", "IV", _is("grade", "4")),
    _cell("adverse_events", "grade", "grade_range", "3-4", _is("grade", "3")),
    *(
        _cell("adverse_events", "grade", "grade_word", text, _is("grade", "3"))
        for text in ("тяжёлая", "тяжелая", "severe")
    ),
    *(
        _cell("adverse_events", "grade", rule, text, _is("grade", "2", "3"))
        for text, rule in (("+", "no_grade"), ("6", "not_a_grade"), ("abc", "not_a_grade"))
    ),
    _cell("adverse_events", "term", "unknown_code", "headache"),
    _cell("assessments", "method", "unknown_code", "NGS"),
    _cell("patients", "sex", "unknown_code", "x"),
    _cell("lines", "entry_reason", "unknown_code", "other"),
    _cell("courses", "block", "unknown_code", "R9"),
    _cell("followup", "status", "unknown_code", "gone"),
    _cell("transplants", "donor", "unknown_code", "sister"),
    *(
        _cell(file, column, "no_grade" if column == "grade" else "missing_value", "")
        for file, column in (
            ("patients", "relapse_date"), ("lines", "start_date"), ("courses", "block"),
            ("courses", "start_date"), ("infusions", "start_date"),
            ("assessments", "sample_date"), ("assessments", "result"),
            ("adverse_events", "term"), ("adverse_events", "grade"),
            ("adverse_events", "onset_date"), ("followup", "last_contact_date"),
            ("transplants", "transplant_date"),
        )
    ),
)  # fmt: skip

_OF_MONTH = ("января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября",
             "октября", "ноября", "декабря")  # fmt: skip
_IN_EXCEL = date(1899, 12, 30)


def _date(file: str, column: str, rule: str, new: Callable[[date], str | None]) -> Defect:
    """The date of a cell written another way; `new` is None for dates that it does not suit."""

    def change(row: Row, _: Case) -> dict[str, str] | None:
        day = row.day(column)
        text = new(day) if day else None
        return {column: text} if text and text != row[column] else None

    return Defect(file, column, rule, change)


def _short(day: date) -> str:
    return f"{day.day}.{day.month}.{day.year}"


def _in_russian(day: date) -> str:
    return f"{day.day} {_OF_MONTH[day.month - 1]} {day.year}"


def _in_english(day: date) -> str:
    return f"{day.day} {calendar.month_abbr[day.month]} {day.year}"


def _serial(day: date) -> str:
    return str((day - _IN_EXCEL).days)


def _american(day: date) -> str | None:
    return f"{day:%m/%d/%Y}" if day.day > 12 else None


def _either_way(day: date) -> str | None:
    return f"{day:%m/%d/%Y}" if day.day <= 12 and day.day != day.month else None


def _middle(day: date) -> date:
    return day.replace(day=15)


def _partial_diagnosis(row: Row, _: Case) -> dict[str, str] | None:
    """The month alone, if its 15th gives the same time of relapse."""
    days = [row.day(c) for c in ("diagnosis_date", "frontline_end_date", "relapse_date")]
    diagnosis, end, relapse = days
    if not diagnosis or not relapse or not row["timing_recorded"]:
        return None
    if _derived(_middle(diagnosis), end, row, relapse) != row["timing_recorded"]:
        return None
    return {"diagnosis_date": f"{diagnosis:%m.%Y}"}


def _derived(diagnosis: date, end: date | None, row: Row, relapse: date) -> str:
    """Time of relapse as the loader derives it."""
    on = {"yes": 1, "no": 0, "": -1}[row["on_frontline_therapy"]]
    days = [float(np.datetime64(d).astype(int)) if d else np.inf for d in (diagnosis, end, relapse)]
    arrays = [np.array([day]) for day in days]
    found = int(timing(arrays[0], arrays[1], np.array([on]), arrays[2])[0])
    return TIMINGS[found] if found >= 0 else ""


def _partial_end(row: Row, case: Case) -> dict[str, str] | None:
    """The month alone, if its 15th is between the onset and the last contact."""
    end, onset = row.day("end_date"), row.day("onset_date")
    if not end or not onset or row["grade"] == "5":
        return None
    fits = onset <= _middle(end) <= case.followup.known_day("last_contact_date")
    return {"end_date": f"{end:%m.%Y}"} if fits else None


DATES = (
    _date("patients", "birth_date", "date_shape", date.isoformat),
    _date("lines", "start_date", "date_shape", date.isoformat),
    _date("courses", "start_date", "date_shape", date.isoformat),
    _date("courses", "stop_date", "date_shape", _short),
    _date("infusions", "start_date", "date_shape", date.isoformat),
    _date("assessments", "sample_date", "date_shape", lambda d: f"{written(d)} 00:00"),
    _date("adverse_events", "onset_date", "date_shape", lambda d: f"{d:%d.%m.%y}"),
    _date("followup", "last_contact_date", "date_shape", _in_russian),
    _date("transplants", "transplant_date", "date_shape", _in_english),
    _date("patients", "registration_date", "excel_serial", _serial),
    _date("courses", "stop_date", "excel_serial", _serial),
    _date("infusions", "stop_date", "excel_serial", _serial),
    _date("followup", "last_disease_assessment_date", "excel_serial", _serial),
    _date("assessments", "sample_date", "us_date", _american),
    _date("adverse_events", "onset_date", "us_date", _american),
    Defect("patients", "diagnosis_date", "partial_date", _partial_diagnosis),
    Defect("adverse_events", "end_date", "partial_date", _partial_end),
    _date("assessments", "sample_date", "ambiguous_date", _either_way),
    _date("adverse_events", "onset_date", "ambiguous_date", _either_way),
    _date("infusions", "start_date", "ambiguous_date", _either_way),
    _cell("adverse_events", "onset_date", "not_a_date", "весна 2019"),
    _cell("assessments", "sample_date", "not_a_date", "abc"),
    _cell("adverse_events", "onset_date", "impossible_date", "31.02.2019"),
    _cell("infusions", "stop_date", "impossible_date", "30.02.2018"),
    _cell("followup", "last_contact_date", "impossible_date", "31.02.2019"),
    _cell("adverse_events", "onset_date", "placeholder_date", "01.01.1900"),
    _cell("patients", "birth_date", "placeholder_date", "01.01.1900"),
)


def _before_start(start: str, stop: str) -> Change:
    def change(row: Row, case: Case) -> dict[str, str] | None:
        first = row.known_day(start)
        if (first - case.origin).days < 5 or not row[stop]:
            return None
        return {stop: written(first - timedelta(2))}

    return change


def _status(status: str, column: str, text: Callable[[Row], str]) -> Change:
    def change(row: Row, _: Case) -> dict[str, str] | None:
        return {column: text(row)} if row["status"] == status else None

    return change


def _older(row: Row, _: Case) -> dict[str, str] | None:
    return {"age_years": str(int(row["age_years"]) + 3)}


ROWS = (
    Defect("adverse_events", "", "wrong_number_of_fields",
           lambda r, c: {"pathogen": "E. coli"} if not r["pathogen"] else None, extra_field=True),
    Defect("assessments", "", "wrong_number_of_fields",
           lambda r, c: {} if r["course_number"] else None, extra_field=True),
    Defect("courses", "stop_date", "stop_before_start", _before_start("start_date", "stop_date")),
    Defect("infusions", "stop_date", "stop_before_start",
           _before_start("start_date", "stop_date")),
    Defect("adverse_events", "end_date", "stop_before_start",
           _before_start("onset_date", "end_date")),
    Defect("followup", "death_date", "event_without_day",
           _status("dead", "death_date", lambda r: "")),
    Defect("followup", "death_date", "day_without_event",
           _status("alive", "death_date", lambda r: r["last_contact_date"])),
    Defect("followup", "death_cause", "detail_missing",
           _status("dead", "death_cause", lambda r: "")),
    Defect("patients", "age_years", "number_differs", _older),
)  # fmt: skip


def _copy(file: str) -> Defect:
    return Defect(file, "", "identical_copy", lambda r, c: {}, is_new_row=True)


def _contradiction(file: str, column: str, texts: tuple[str, str], fits=lambda row: True) -> Defect:
    """The same row once more with another text in one column."""

    def change(row: Row, _: Case) -> dict[str, str] | None:
        if not fits(row):
            return None
        return {column: texts[1] if row[column] == texts[0] else texts[0]}

    return Defect(file, "", "conflicting_rows", change, is_new_row=True)


def _day_earlier(column: str) -> Change:
    return lambda row, case: {column: written(row.known_day(column) - timedelta(1))}


KEYS = (
    *(_copy(file) for file in ("patients", "lines", "courses", "infusions", "assessments",
                               "adverse_events", "followup", "transplants")),
    _contradiction("lines", "intent", ("curative", "palliative")),
    _contradiction("courses", "dose_percent", ("100", "50")),
    _contradiction("assessments", "result", ("1.2", "3.4"), _is_mrd_percent),
    _contradiction("followup", "death_cause", ("leukaemia", "bleeding"), _is("status", "dead")),
    Defect("transplants", "", "conflicting_rows", _day_earlier("conditioning_date"),
           is_new_row=True),
)  # fmt: skip


def _diagnosed_after(row: Row, case: Case) -> dict[str, str] | None:
    if row["timing_recorded"] != "very early":
        return None
    return {"diagnosis_date": written(case.origin + timedelta(10))}


def _before_day_0(column: str, fits: Callable[[Row], bool]) -> Change:
    def change(row: Row, case: Case) -> dict[str, str] | None:
        return {column: written(case.origin - timedelta(4))} if fits(row) else None

    return change


def _nobody(row: Row, _: Case) -> dict[str, str]:
    """A patient number that no demo gives: one digit too many."""
    return {"case_id": f"{row['case_id'][:-2]}77/1"}


def _overlapping(row: Row, case: Case) -> dict[str, str] | None:
    """A chemotherapy block begun on the last day of the one before."""
    if row["block"] not in ("F2", "R1", "R2"):
        return None
    before = case["courses"][case["courses"].index(row) - 1]
    start, stop = before.known_day("start_date"), before.known_day("stop_date")
    return {"start_date": written(stop)} if start < stop else None


def _too_early_transplant(row: Row, case: Case) -> dict[str, str] | None:
    """Dates of the transplant before every remission and between two courses, if no event is then
    outside."""
    days = [day for line in case["lines"] if (day := line.day("remission_date"))]
    transplant = min(days) - timedelta(3)
    conditioning = transplant - timedelta(7)
    if len(case["transplants"]) > 1 or conditioning <= case.origin:
        return None
    spans = [(c.known_day("start_date"), c.known_day("stop_date")) for c in case["courses"]]
    if any(start <= transplant and stop >= conditioning for start, stop in spans):
        return None
    new = {"conditioning_date": written(conditioning), "transplant_date": written(transplant)}
    moved = Case({**case.rows, "transplants": [replace(row, cells=row.changed(new))]})
    return new if moved.has_all_events_inside else None


def _negative_too_early(row: Row, case: Case) -> dict[str, str] | None:
    remission = case.remission(row["line_number"])
    is_before = remission is None or row.known_day("sample_date") < remission
    if not _is_mrd(row) or not is_before or row["lod"] != "0.0001":
        return None
    return {"result": "undetectable", "unit": ""}


def _remission_of_the_dead(row: Row, case: Case) -> dict[str, str] | None:
    is_last = case["lines"][-1] is row
    if not case.death or not is_last or row["remission_date"] or case["transplants"]:
        return None
    return {"remission_date": written(case.death), "remission_type": "M1"}


def _sample_of_the_dead(row: Row, case: Case) -> dict[str, str] | None:
    if not case.death or not _is_mrd(row) or case.death > date(2021, 12, 1):
        return None
    return {"sample_date": written(case.death + timedelta(5))}


def _end_after_death(row: Row, case: Case) -> dict[str, str] | None:
    if not case.death or row["grade"] == "5" or case.death > date(2021, 12, 1):
        return None
    return {"end_date": written(case.death + timedelta(5))}


def _outside(row: Row, case: Case) -> dict[str, str] | None:
    """An event 45 days after the last course, if no transplant is near and the child is seen."""
    last = max(c.known_day("stop_date") for c in case["courses"]) + timedelta(45)
    seen = case.followup.known_day("last_contact_date")
    if row["grade"] == "5" or last > seen or not case.is_far(last):
        return None
    return {"onset_date": written(last), "end_date": ""}


def _fatal_of_the_living(row: Row, case: Case) -> dict[str, str] | None:
    if case.death or row["grade"] != "4":
        return None
    return {"grade": "5", "outcome": "fatal"}


def _other_risk(row: Row, _: Case) -> dict[str, str] | None:
    other = {"S3": "S2", "S2": "S3"}.get(row["risk_recorded"])
    return {"risk_recorded": other} if other else None


def _other_timing(row: Row, _: Case) -> dict[str, str] | None:
    other = {"early": "late", "late": "early"}.get(row["timing_recorded"])
    return {"timing_recorded": other} if other else None


BETWEEN = (
    Defect("patients", "diagnosis_date", "not_before_day_0", _diagnosed_after),
    Defect("assessments", "sample_date", "before_day_0", _before_day_0("sample_date", _is_mrd)),
    Defect("infusions", "start_date", "before_day_0",
           _before_day_0("start_date", lambda r: True)),
    Defect("adverse_events", "", "no_enrollment", _nobody),
    Defect("transplants", "", "no_enrollment", _nobody),
    Defect("assessments", "", "no_line",
           lambda r, c: {"line_number": "4"} if not r["block"] else None),
    Defect("infusions", "", "no_course", lambda r, c: {"course_number": "9"}),
    Defect("lines", "start_date", "missing_value",
           lambda r, c: {"start_date": ""} if c.naming("courses", r, ("line_number",)) else None),
    Defect("courses", "dose_percent", "not_a_number",
           lambda r, c: {"dose_percent": "?"} if r["block"] == "BLINA" else None),
    Defect("courses", "start_date", "overlapping_courses", _overlapping),
    Defect("assessments", "block", "assessment_without_course",
           lambda r, c: {"course_number": "9"} if r["block"] else None),
    Defect("transplants", "transplant_date", "out_of_order",
           _too_early_transplant),
    Defect("assessments", "result", "remission_missing", _negative_too_early),
    Defect("lines", "remission_date", "remission_at_death", _remission_of_the_dead),
    Defect("assessments", "sample_date", "after_terminal", _sample_of_the_dead),
    Defect("adverse_events", "end_date", "after_terminal", _end_after_death),
    Defect("adverse_events", "onset_date", "outside_every_block", _outside),
    Defect("adverse_events", "grade", "fatal_without_death", _fatal_of_the_living),
    Defect("patients", "risk_recorded", "recorded_differs", _other_risk),
    Defect("patients", "timing_recorded", "recorded_differs", _other_timing),
)  # fmt: skip

DEFECTS = (*NUMBERS, *CODES, *DATES, *ROWS, *KEYS, *BETWEEN)
