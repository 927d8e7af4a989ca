"""The draft of a study definition: what a study must have, as far as an export shows it.

Every guess is marked. Milestones death and last contact and overall survival are always there,
since no study goes without; a draft whose mapping has no column for them counts nobody there.
"""

from collections.abc import Iterator

from etl.fact_tables import fact_table
from etl.inspect import words
from etl.inspect.matching import Hit
from etl.inspect.meanings import new_codes, plain, severities, suffixed
from etl.inspect.profile import Column, Level
from etl.inspect.roles import Recognized, candidates
from etl.inspect.toml_text import entry, fill_in, note, written
from etl.inspect.wide import WideCourses
from trial.found_terms import code_of
from trial.study import MISSING
from trial.study_file import ENROLLMENT_COLUMNS, MAX_COHORTS
from trial.treatment_file import CODE_LISTS

ALL = "all"
AGE, SEX, BIRTH = "age", "sex", "birth"
MOST_CHARACTERISTICS = 12
_OLDEST = 120
_CHILDREN = ((0, 1), (1, 6), (6, 10), (10, 18), (18, _OLDEST))
_ADULTS = ((0, 18), (18, 40), (40, 65), (65, _OLDEST))
_OLDEST_CHILD = 30
_ALWAYS = ("death", "last_contact")
_SEXES = [{"code": "female", "label": "female"}, {"code": "male", "label": "male"}]


def screen_failures(column: Column) -> list[str]:
    """Levels of the column of arms that are no arm."""
    return [x.text for x in column.levels if words.folded(x.said) in words.SCREEN_FAILURES]


def cohort_levels(cohort: Hit | None) -> list[Level]:
    """The levels that become cohorts; none if there are more than a study can have."""
    if cohort is None:
        return []
    out = screen_failures(cohort.column)
    levels = [level for level in cohort.column.levels if level.text not in out]
    if len(new_codes(levels)) > MAX_COHORTS:
        return []
    return sorted(levels, key=lambda x: (words.folded(x.said) not in words.REFERENCE, x.text))


def characteristic_code(column: Column) -> str:
    """The code of a characteristic made of a column."""
    name = column.name.rsplit(".", 1)[-1] if " " not in column.name else column.name
    code = code_of(name)
    taken = (*ENROLLMENT_COLUMNS, AGE, SEX, BIRTH, "age_band", MISSING)
    return suffixed(code, "_told") if code in taken else code


def chosen(seen: Recognized) -> dict[str, Column]:
    """Code -> column of the characteristics that a draft gets."""
    found: dict[str, Column] = {}
    for column in candidates(seen):
        found.setdefault(characteristic_code(column), column)
    return dict(list(found.items())[:MOST_CHARACTERISTICS])


def _head(code: str, title: str, synthetic: bool) -> list[str]:
    told = "SYNTHETIC rows. " if synthetic else ""
    return [
        note("A draft. Every line marked 'guess' was guessed from the columns of the export:"),
        note("correct them, delete what is not needed, then load with --studies and this folder."),
        entry("code", code),
        entry("label", title, "the name of the export"),
        entry("notice", f"{told}DRAFT, not checked by anybody: no result."),
        entry("synthetic", synthetic, "whether a column marks rows as synthetic"),
        entry("randomised", False, "say true if the cohorts were randomized"),
        entry("source", title),
    ]


def _cohorts(seen: Recognized) -> Iterator[str]:
    levels = cohort_levels(seen.cohort)
    if not levels:
        yield from ["", fill_in("no column of arms was recognized: everybody is one cohort")]
    codes = new_codes(levels) or {ALL: "All patients"}
    for i, (code, label) in enumerate(codes.items()):
        yield from ["", "[[cohort]]", entry("code", code), entry("label", label)]
        if i == 0:
            yield entry("reference", True, "others are compared with it")


def _choice(code: str, column: Column) -> list[str]:
    levels = new_codes(column.levels, (MISSING,))
    table = [{"code": c, "label": label} for c, label in levels.items()]
    name = plain(column.label or column.name.replace("_", " ")) or code
    return _characteristic(code, name, "choice", table, f"known at day 0? column {column.name}")


def _characteristic(code: str, label: str, kind: str, levels: list, why: str) -> list[str]:
    return [
        "",
        "[[characteristic]]",
        entry("code", code, why),
        entry("label", label),
        entry("kind", kind),
        entry("known_at", "enrollment"),
        f"level = {written(levels)}",
    ]


def _band(lower: int, upper: int) -> str:
    if lower == 0:
        return f"under {upper}"
    return f"{lower} or older" if upper == _OLDEST else f"{lower} to {upper - 1}"


def _age(seen: Recognized) -> Iterator[str]:
    born = dict(seen.dates).get(BIRTH) if seen.origin else None
    if seen.age is None and born is None:
        return
    high = seen.age.column.high if seen.age else None
    bands = _ADULTS if high is not None and high > _OLDEST_CHILD else _CHILDREN
    levels = [{"code": f"from_{a}", "label": _band(a, b), "from": a, "below": b} for a, b in bands]
    why = f"column {seen.age.column.name}; the bands" if seen.age else "from the date of birth"
    yield from [*_characteristic(AGE, "Age", "number", levels, why), entry("unit", "years")]
    if seen.age is None:
        yield entry("years_since", BIRTH)
        yield from ["", "[[baseline_date]]", entry("code", BIRTH), entry("label", "birth")]


def _characteristics(seen: Recognized) -> Iterator[str]:
    if seen.sex:
        why = f"column {seen.sex.column.name}"
        yield from _characteristic(SEX, "Sex", "choice", _SEXES, why)
    yield from _age(seen)
    used = chosen(seen)
    for code, column in used.items():
        yield from _choice(code, column)
    left = [c.name for c in candidates(seen) if c not in used.values()]
    if left:
        yield from ["", fill_in(f"not used, though choices too: {', '.join(left)}")]


def _milestones(seen: Recognized, endpoints: dict[str, str]) -> Iterator[str]:
    guessed = {m.codes[0]: m for m in seen.milestones}
    for code in dict.fromkeys((*guessed, *_ALWAYS)):
        yield from ["", "[[milestone]]"]
        if code in guessed:
            yield entry("code", code, f"column {guessed[code].day.column.name}")
            if guessed[code].repeats:
                yield entry("repeats", True, "several rows of a patient can have it")
        else:
            yield from [fill_in("no column of it was recognized"), entry("code", code)]
        yield entry("label", words.MILESTONE_LABELS[code])
        if code == "death":
            yield entry("terminal", True)
    for code, label in endpoints.items():
        if code != "os":
            yield from ["", "[[milestone]]", entry("code", suffixed(code, "_event"))]
            yield entry("label", f"event of {label}")


def finished(seen: Recognized) -> dict[str, str]:
    """Code -> label of endpoints whose times the export brings."""
    tables = [hits for table, hits in seen.facts.values() if table == "fct_finished_time"]
    levels = [level for hits in tables for level in hits["endpoint_code"].column.levels]
    return {code_of(x.text): plain(x.said) or code_of(x.text) for x in levels}


def _endpoint(code: str, label: str, event: str, is_finished: bool) -> Iterator[str]:
    yield from ["", "[[endpoint]]", entry("code", code), entry("label", label)]
    yield entry("abbreviation", code.upper()[:12])
    if is_finished:
        yield entry("finished", True, "its times stand in the export")
    yield entry("origin", "enrollment")
    yield entry("censor", "last_contact")
    yield entry("rmst_taus", [24, 12], "months")
    yield entry(
        "definition",
        "As the export says it."
        if is_finished
        else ("From day 0 to death of any cause; censored at last contact."),
    )
    yield entry("event", [{"milestone": event, "state": 1}])


def _endpoints(seen: Recognized, endpoints: dict[str, str]) -> Iterator[str]:
    if "os" not in endpoints:
        yield from _endpoint("os", "Overall survival", "death", False)
    for code, label in endpoints.items():
        event = "death" if code == "os" else suffixed(code, "_event")
        yield from _endpoint(code, label, event, True)


def _lists(seen: Recognized) -> dict[str, list[Level]]:
    """Levels of blocks, lines and code lists, from the tables that have them."""
    found: dict[str, list[Level]] = {}
    for table, hits in seen.facts.values():
        for name, one in hits.items():
            codes = fact_table(table).column(name).codes
            if codes in (*CODE_LISTS, "block", "line"):
                found.setdefault(codes, []).extend(one.column.levels)
    for wide in seen.wide.values():
        found.setdefault("block", []).extend(_wide_levels(wide))
    return found


def _wide_levels(wide: WideCourses) -> list[Level]:
    return [Level(block, "", 1) for block in wide.blocks]


def _treatment(seen: Recognized) -> Iterator[str]:
    for name, levels in _lists(seen).items():
        why = "the levels of a column; check their order" if name == "block" else "a level"
        for code, label in new_codes(levels).items():
            yield from ["", f"[[{name}]]", entry("code", code, why), entry("label", label)]


def _terms(levels: list[Level]) -> Iterator[str]:
    """Terms that the export writes as numbers, which no reader would understand."""
    if levels:
        yield from ["", "[[toxicity.category]]", entry("code", "adverse_events")]
        yield entry("label", "Adverse events", "the export has no categories")
    for code, label in new_codes(levels).items():
        cells = {"code": code, "label": label, "category": "adverse_events"}
        yield from ["", "[[toxicity.term]]", *(entry(k, v) for k, v in cells.items())]


def _scales(hits: dict[str, Hit], steps: dict[str, str] | None) -> list[dict]:
    """Scales: of severities in words, as a column names them, or CTCAE."""
    if steps:
        named = words.SEVERITY_STEPS[: max(3, *(int(step) for step in steps.values()))]
        return [{"code": "severity", "label": "severity", "level": list(named)}]
    scale = hits.get("scale_code")
    levels = new_codes(scale.column.levels) if scale else {}
    found = [{"code": code, "label": label} for code, label in levels.items()]
    return found or [{"code": "ctcae", "label": "CTCAE, version not stated"}]


def _toxicity(seen: Recognized) -> Iterator[str]:
    tables = [hits for table, hits in seen.facts.values() if table == "fct_adverse_event"]
    if not tables:
        return
    hits = tables[0]
    steps = severities(hits["grade"].column)
    yield from ["", "[toxicity]", entry("open_terms", True, "the terms are a dictionary's")]
    yield entry("grades", [2, 3, 1] if steps else [3, 4, 5])
    yield entry("scale", _scales(hits, steps), "the grading scale")
    yield from _terms([x for x in hits["term_code"].column.levels if x.label])


def _day_0(seen: Recognized) -> str:
    if seen.origin is None:
        return entry("day_0", "day 0", "no date of it was recognized")
    name = seen.origin.column.name
    return entry("day_0", plain(name.replace("_", " ")) or "day 0", f"column {name}")


def study_text(seen: Recognized, code: str, title: str) -> str:
    """The draft of a study definition as TOML."""
    synthetic = any(c.is_synthetic for unit in seen.units for c in unit.columns)
    endpoints = finished(seen)
    lines = [
        *_head(code, title, synthetic),
        _day_0(seen),
        entry("time_unit", "month", "the unit of the time axis"),
        entry("milestone_times", [6, 12, 24], "in that unit"),
        *_cohorts(seen),
        *_milestones(seen, endpoints),
        *_characteristics(seen),
        *_treatment(seen),
        "",
        fill_in("[response] (landmark, remission, material) cannot be guessed"),
        *_endpoints(seen, endpoints),
        *_toxicity(seen),
    ]
    return "\n".join(lines) + "\n"
