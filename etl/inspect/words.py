"""What columns are usually called: English and Russian headings, CDISC variables, REDCap fields.

All phrases are written as `phrases` writes a name: small letters, е for ё, words parted by single
spaces, `№` spelled out. In a list the better phrase stands first.
"""

import re

_WORD = re.compile(r"[^\W_]+")
_BRACKETS = re.compile(r"\([^)]*\)")


def folded(text: str) -> str:
    """The words of a text, as the phrases here are written."""
    plain = text.casefold().replace("ё", "е").replace("№", " номер ")
    return " ".join(_WORD.findall(plain))


def phrases(name: str) -> tuple[str, ...]:
    """What a name says: as a whole, without brackets, each side of a slash, after the last point.

    The last is the item of an OID such as IT.PATIENTS.SEX.
    """
    parts = [name, _BRACKETS.sub(" ", name), *name.split("/")]
    if "." in name and " " not in name:
        parts.append(name.rsplit(".", 1)[1])
    return tuple(dict.fromkeys(phrase for phrase in map(folded, parts) if phrase))


# ---------------------------------------------------------------- what is never shown

# A phrase that holds one of these, as whole words, tells who somebody is.
IDENTIFYING = (
    "фио", "ф и о", "фамилия", "имя", "отчество", "инициалы", "телефон", "адрес", "паспорт",
    "снилс", "полис", "рождения", "рождение", "д р", "др", "иб", "истории болезни",
    "история болезни", "амб карта", "врач", "лечащий врач", "мама", "отец", "мать",
    "surname", "initials", "phone", "telephone", "mobile", "address", "street", "email", "e mail",
    "passport", "ssn", "mrn", "medical record", "record number", "hospital number", "chart number",
    "nhs", "birth", "birthdate", "birth dt", "dob", "brthdt", "brthdtc", "birthday", "zip",
    "zipcode", "postcode", "postal", "city", "doctor", "physician", "investigator", "invnam",
    "mother",
    "father", "guardian", "contact person", "insurance",
)  # fmt: skip
NAME_WORDS = ("name", "names")
PERSON_WORDS = (
    "first", "last", "full", "patient", "child", "given", "middle", "family", "maiden",
    "participant", "subject", "parent", "person",
)  # fmt: skip
# How a text that names a person looks: initials after a surname, a patronymic, an address.
PERSON = re.compile(
    r"[A-ZА-ЯЁ][\w-]+,?\s+[A-ZА-ЯЁ]\.(\s*[A-ZА-ЯЁ]\.)?|[A-ZА-ЯЁ]\.\s*([A-ZА-ЯЁ]\.)?\s*[A-ZА-ЯЁ][\w-]+"
    r"|.*(ович|евич|овна|евна|ична|инична|оглы|кызы)|.*@.*"
)
FREE_TEXT = (
    "comment", "comments", "note", "notes", "remark", "remarks", "description", "specify",
    "narrative", "text", "free text", "verbatim", "aeterm", "cmtrt", "mhterm", "coval",
    "комментарий", "комментарии", "примечание", "примечания", "описание", "уточнить", "прочее",
    "анамнез", "эпикриз",
)  # fmt: skip

# ---------------------------------------------------------------- who and when

PATIENT = (
    "usubjid", "patient id", "patientid", "patient code", "patient no", "patient number",
    "код пациента", "id пациента", "номер пациента", "patient", "пациент", "subject id", "subjid",
    "subjectkey", "participant id", "record id", "study id", "case id", "id", "код", "номер иб",
    "номер истории болезни",
)  # fmt: skip
ENROLLMENT = (
    "enrollment id", "case id", "case no", "код случая", "номер случая", "subjid", "subjectkey",
    "record id",
)  # fmt: skip
COHORT = (
    "arm", "trt01p", "actarm", "trt01a", "treatment arm", "study arm", "cohort", "когорта",
    "protocol", "протокол", "randomization arm", "treatment group", "trt", "treatment", "rx",
    "группа лечения", "рука", "рукав", "ветвь", "группа",
)  # fmt: skip
ORIGIN = (
    "randdt", "randomization date", "randomisation date", "date of randomization",
    "дата рандомизации", "rlpsdt", "relapse date", "date of relapse", "дата рецидива", "rfstdtc",
    "trtsdt", "enrollment date", "date of enrollment", "inclusion date", "registration date",
    "regdt", "дата включения", "дата регистрации", "treatment start date", "дата начала терапии",
    "diagnosis date", "date of diagnosis", "diagdt", "дата диагноза", "дата постановки диагноза",
    "дата пд", "acceptance date", "accept dt", "accept date", "date of acceptance", "random",
)  # fmt: skip
# Of these CDISC variables it is certain; who was never treated has none.
SURE_ORIGIN = ("RANDDT", "RFSTDTC", "TRTSDT")
ENTRY = ("registration date", "regdt", "дата регистрации")
BIRTH = (
    "birth date", "date of birth", "birthdate", "dob", "brthdtc", "brthdt", "дата рождения", "д р",
)  # fmt: skip
BASELINE_DATES = {
    "birth": BIRTH,
    "initial_diagnosis": (
        "diagnosis date", "date of diagnosis", "initial diagnosis date", "diagdt", "дата пд",
        "дата диагноза", "дата постановки диагноза",
    ),
    "frontline_end": ("frontline end date", "flendt", "дата окончания терапии"),
}  # fmt: skip
SEX = ("sex", "gender", "пол")
AGE = (
    "age", "age years", "возраст", "возраст лет", "age at enrollment", "age at relapse",
    "age at diagnosis",
)  # fmt: skip
# Columns that hold the word for a kind of row, or the state of a form, and nothing of a patient.
NO_FACT = (
    "studyid", "studyoid", "domain", "siteid", "site id", "country", "subjid", "srcfl", "rdomain",
    "redcap event name", "redcap repeat instrument", "redcap repeat instance",
    "redcap data access group", "redcap survey identifier", "номер п п", "armcd",
    "actarmcd", "saffl", "ittfl", "efffl", "fasfl", "pprotfl", "event", "censor",
    "relapse", "recurrence", "рецидив", "событие",
)  # fmt: skip

# ---------------------------------------------------------------- milestones

# Code in a study (any of these) -> what the column of its day is called.
MILESTONES: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("death",), (
        "death date", "date of death", "dthdt", "dthdtc", "дата смерти",
    )),
    (("last_contact",), (
        "last contact date", "date of last contact", "last contact", "lstalvdt", "rfpendtc",
        "last follow up date", "date of last follow up", "fu date", "follow up date", "last seen",
        "дата последнего контакта",
        "дата последнего визита", "дата последнего наблюдения",
    )),
    (("relapse", "recurrence"), (
        "next relapse date", "nxrlpsdt", "дата следующего рецидива", "relapse date", "rlpsdt",
        "date of relapse", "дата рецидива", "recurrence date",
    )),
    (("remission", "response"), (
        "remission date", "date of remission", "cr date", "remdt", "дата ремиссии",
        "дата достижения ремиссии",
    )),
    (("transplant",), (
        "transplant date", "transplantation date", "date of transplant", "hsct date", "sct date",
        "дата тгск", "тгск дата", "дата трансплантации",
    )),
    (("second_malignancy",), ("second malignancy date", "secmaldt", "дата второй опухоли")),
    (("last_disease_assessment", "last_assessment"), (
        "last disease assessment date", "lstasdt", "дата последнего обследования",
    )),
)  # fmt: skip
MILESTONE_LABELS = {
    "death": "death", "last_contact": "last contact", "relapse": "relapse",
    "remission": "remission", "transplant": "stem cell transplant",
    "second_malignancy": "second malignancy",
    "last_disease_assessment": "last disease assessment",
}  # fmt: skip
STATUS = (
    "status", "vital status", "survival status", "eosstt", "статус", "статус пациента", "исход",
)  # fmt: skip
DEAD = ("dead", "died", "deceased", "death", "умер", "умерла", "смерть", "умер ла")
LOST = ("lost", "lost to follow up", "выбыл", "выбыла", "потерян", "потеряна", "пнн")
ALIVE = ("alive", "living", "жив", "жива", "жив а")

# ---------------------------------------------------------------- facts

_LINE = ("line number", "linenum", "line", "номер линии", "линия")
_BLOCK = ("block", "course block", "блок", "treatment block", "курс терапии")
_NUMBER = ("course number", "courseno", "course no", "cycle number", "cycle", "номер курса")
_START = (
    "astdt", "exstdtc", "start date", "date of start", "start", "дата начала", "начало",
)  # fmt: skip
_STOP = (
    "aendt", "exendtc", "stop date", "end date", "stop", "end", "дата окончания", "окончание",
)  # fmt: skip

# Table -> column -> what it is called. In this order: a table of an export is the first that fits.
FACTS: dict[str, dict[str, tuple[str, ...]]] = {
    "fct_finished_time": {
        "endpoint_code": ("paramcd",),
        "time_days": ("aval",),
        "state": ("cnsr",),
    },
    "fct_adverse_event": {
        "term_code": (
            "aedecod", "preferred term", "term", "adverse event", "adverse event term",
            "adverse event name", "явление", "нежелательное явление", "токсичность", "осложнение",
        ),
        "grade": (
            "atoxgr", "aetoxgr", "ctcae grade", "grade", "toxicity grade", "степень",
            "степень токсичности", "aesev", "asev", "severity", "тяжесть",
        ),
        "onset_day": (
            "astdt", "aestdtc", "onset date", "date of onset", "onset", "start date",
            "дата начала", "начало",
        ),
        "end_day": (
            "aendt", "aeendtc", "end date", "stop date", "resolution date", "дата окончания",
            "окончание",
        ),
        "scale_code": ("scale", "grading scale", "atoxscl", "шкала"),
        "is_serious": ("aeser", "serious", "is serious", "sae", "серьезное"),
        "outcome_code": ("aeout", "outcome", "исход"),
        "infection_site_code": ("infection site", "site of infection", "infsite", "очаг инфекции"),
        "pathogen_code": ("pathogen", "aepatho", "возбудитель"),
        "documentation_code": (
            "infection documentation", "documentation of infection", "documentation", "infdoc",
            "подтверждение",
        ),
    },
    "fct_infusion": {
        "kind_code": ("kind", "infusion kind", "drug", "препарат", "extrt"),
        "dose": ("dose", "exdose", "доза"),
        "dose_basis": ("dose basis", "dose unit", "exdosu", "единица"),
        "start_day": _START,
        "stop_day": _STOP,
        "line_number": _LINE,
        "block_code": _BLOCK,
        "course_number": _NUMBER,
        "step": ("step", "dosestep", "ступень"),
        "cell_source": ("cell source", "cellsrc", "источник клеток"),
    },
    "fct_assessment": {
        "sample_day": (
            "sample date", "date of sample", "adt", "lbdtc", "assessment date", "дата пункции",
            "дата моб", "дата исследования",
        ),
        "material_code": ("material", "specimen", "lbspec", "материал"),
        "method_code": ("method", "lbmethod", "метод"),
        "measure_code": ("measure", "paramcd", "lbtestcd", "показатель"),
        "result": ("result", "avalc", "lborres", "результат"),
        "lod": ("lod", "llod", "предел обнаружения"),
        "loq": ("loq", "lloq", "предел измерения"),
        "line_number": _LINE,
        "block_code": _BLOCK,
        "course_number": _NUMBER,
    },
    "dim_line": {
        "line_number": _LINE,
        "entry_reason": ("entry reason", "linersn", "line reason", "показание"),
        "start_day": _START,
        "protocol_as_treated": ("protocol as treated", "trtp", "протокол терапии"),
        "intent": ("intent", "цель"),
    },
    "fct_course": {
        "block_code": (*_BLOCK, "extrt"),
        "course_number": _NUMBER,
        "start_day": _START,
        "stop_day": _STOP,
        "recovery_day": (
            "anc recovery date", "neutrophil recovery date", "recovery date", "ancrecdt",
            "восстановление ачн", "дата восстановления",
        ),
        "line_number": _LINE,
        "is_planned": ("planned", "is planned", "planfl", "по плану"),
        "dose_percent": ("dose percent", "dosepct", "доза"),
        "is_completed": ("completed", "is completed", "complfl", "завершен"),
        "ae_documented": ("ae documented", "aedoc", "ня учтены"),
    },
}  # fmt: skip
# What a table of that kind must have for the guess; the rest of what it needs may be made up.
TELLING = {
    "fct_finished_time": ("endpoint_code", "time_days", "state"),
    "fct_adverse_event": ("term_code", "grade", "onset_day"),
    "fct_infusion": ("kind_code", "dose", "start_day", "block_code"),
    "fct_assessment": ("sample_day", "material_code", "method_code", "measure_code"),
    "dim_line": ("line_number", "entry_reason", "start_day"),
    "fct_course": ("block_code", "start_day"),
}
CATEGORY = ("aebodsys", "aesoc", "system organ class", "category", "категория")
UNIT = ("unit", "avalu", "lborresu", "ед", "единица")
TIME_UNIT = ("avalu",)
# A column that says by its name that its terms come from a dictionary.
DICTIONARY_TERMS = ("aedecod", "preferred term")
# Rows of other parameters say the same again; which of them counts, a person has to say.
PARAMETER = ("paramcd",)
WIDE_STARTS = ("начало", "дата начала", "start", "start date", "begin")
WIDE_STOPS = ("окончание", "дата окончания", "stop", "stop date", "end", "end date")

# ---------------------------------------------------------------- texts

# Texts that mean the same as a code of a study, whatever the export writes.
SAME = (
    ("female", "f", "ж", "жен", "женский", "w", "girl", "девочка"),
    ("male", "m", "м", "муж", "мужской", "boy", "мальчик"),
    ("yes", "y", "да", "true", "checked", "есть"),
    ("no", "n", "нет", "false", "unchecked"),
    ("marrow", "bm", "bone marrow", "км", "костный мозг"),
    ("blood", "pb", "peripheral blood", "пк", "кровь"),
    ("csf", "ликвор", "смж"),
    ("flow", "мпц", "пц", "flow cytometry"),
    ("pcr", "пцр"),
    ("mrd", "моб"),
    ("blasts", "бласты"),
    ("recovered", "resolved", "recovered resolved", "выздоровление", "разрешилось"),
    ("ongoing", "not recovered not resolved", "recovering resolving", "продолжается"),
    ("fatal", "death", "летальный", "смерть"),
    ("unknown", "неизвестно", "неизв"),
    ("first", "1", "1 й"),
    ("second", "2", "2 й"),
)
DIGITS = {"1": "yes", "0": "no"}
# Cohorts that others are compared with.
REFERENCE = ("placebo", "control", "standard", "observation", "obs", "контроль", "стандарт")
SCREEN_FAILURES = ("screen failure", "not assigned", "not randomized", "screen fail", "scrnfail")
SEVERITY_STEPS = ("mild", "moderate", "severe", "life-threatening", "death")
SYNTHETIC = ("synthetic", "синтетич")
MISSING = ("NA", ".", "NULL", "null", "NaN", "nan", "<NA>")
TIME_UNITS = {"day": "day", "days": "day", "week": "week", "weeks": "week", "month": "month",
              "months": "month", "year": "year", "years": "year"}  # fmt: skip
# Words of columns that are known only after day 0: no characteristic to filter by.
LATER = (
    "death", "dth", "смерт", "eos", "status", "статус", "outcome", "исход", "remission", "ремисси",
    "cause", "причин", "response", "ответ", "следующ", "next", "last", "последн", "dcs", "dcdecod",
    "dcreas", "discon", "dsrae", "comp8", "comp16", "comp24",
)  # fmt: skip
