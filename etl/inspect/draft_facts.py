"""Drafts of single cells and of facts: courses, adverse events, assessments, finished times."""

from collections.abc import Iterator

from etl.fact_tables import FactColumn, fact_table
from etl.inspect import words
from etl.inspect.matching import Hit, hit
from etl.inspect.meanings import Allowed, allowed_codes, meaning, pairs, severities, states
from etl.inspect.profile import DATE, TEXT, WITH_LEVELS, Column, Level
from etl.inspect.roles import Recognized
from etl.inspect.toml_text import entry, fill_in, note
from etl.inspect.units import Unit
from etl.inspect.wide import WideCourses
from trial.study import Study

_MOST_TOLD = 12


def day(column: Column) -> dict:
    """A day as a mapping writes it; the format of dates is known."""
    if column.kind == DATE:
        return {"column": column.name, "date_format": column.date_format}
    cdisc = column.name.isupper() and column.name.endswith("DY")
    return {"column": column.name, "first": 1} if cdisc else {"column": column.name}


def unknown(levels: list[Level], allowed: Allowed, hidden: int = 0) -> Iterator[str]:
    """What a person has to say of texts that mean no code."""
    if levels:
        told = ", ".join(level.text for level in levels[:_MOST_TOLD])
        yield fill_in(f"no code was found for {len(levels)} texts: {told}")
        yield note(f"allowed: {', '.join(code for code, _ in allowed)}")
    if hidden:
        yield fill_in(f"{hidden} rare texts are not shown here; `etl issues` lists their rows")


def code_entry(name: str, column: Column, allowed: Allowed, why: str) -> list[str] | None:
    """A coded cell and what is left to fill in; None if no text means any of the codes."""
    known, left = pairs(column, allowed)
    if not known:
        return None
    cell = {"column": column.name, "codes": known}
    return [entry(name, cell, why), *unknown(left, allowed, column.hidden)]


def _scale(hits: dict[str, Hit], study: Study) -> dict | None:
    """The scale where no column says it: the only one of the study that fits."""
    steps = severities(hits["grade"].column)
    fitting = [s.code for s in study.toxicity.scales if bool(s.steps) == bool(steps)]
    return {"value": fitting[0]} if len(fitting) == 1 else None


def _term(column: Column, unit: Unit, study: Study) -> dict | None:
    if not study.toxicity.is_open or any(level.label for level in column.levels):
        return None
    category = hit(unit, words.CATEGORY, ("choice", "text"), fits=lambda c: not c.is_private)
    return {"column": column.name} | ({"category": category.column.name} if category else {})


def _plain(column: FactColumn, one: Column, unit: Unit, dated: bool) -> dict | None:
    """A cell that needs no codes."""
    if column.kind == "day":
        return day(one) if dated or one.kind != DATE else None
    if column.kind == "measured":
        unit_of = hit(unit, words.UNIT, (*WITH_LEVELS, TEXT))
        return {"column": one.name} | ({"unit": unit_of.column.name} if unit_of else {})
    if column.kind == "duration":
        told = hit(unit, words.TIME_UNIT, WITH_LEVELS)
        said = words.folded(told.column.levels[0].said) if told and told.column.levels else "day"
        return {"column": one.name, "unit": words.TIME_UNITS.get(said, "day")}
    if column.kind == "grade" and (steps := severities(one)):
        return {"column": one.name, "codes": steps}
    return {"column": one.name}


def _cell(column: FactColumn, one: Hit, unit: Unit, study: Study, dated: bool) -> list[str] | None:
    """The lines of a cell of a fact; None if it cannot be said."""
    if column.codes == "state":
        found = states(one.column)
        return [entry(column.name, {"column": one.column.name, "codes": found}, one.why)]
    term = _term(one.column, unit, study) if column.codes == "term" else None
    if column.kind in ("code", "flag") and term is None:
        return code_entry(column.name, one.column, allowed_codes(study, column), one.why)
    cell = term or _plain(column, one.column, unit, dated)
    return [entry(column.name, cell, one.why)] if cell else None


def _told(
    column: FactColumn, table: str, unit: Unit, seen: Recognized, study: Study
) -> list[str] | None:
    """The lines of a column of a fact table: from its column, or what can stand for one."""
    hits = seen.facts[unit.title][1]
    one = hits.get(column.name)
    told = _cell(column, one, unit, study, seen.origin is not None) if one else None
    if told is None and column.name == "course_number" and table == "fct_course":
        return [entry(column.name, {"counted": True}, "by their days")]
    if told is None and column.name == "scale_code" and (scale := _scale(hits, study)):
        return [entry(column.name, scale, "the only one that fits")]
    return told


def fact(unit: Unit, seen: Recognized, study: Study) -> list[str]:
    """The fact that a unit feeds; a comment if something it needs cannot be said."""
    name, hits = seen.facts[unit.title]
    table = fact_table(name)
    told = {c.name: _told(c, name, unit, seen, study) for c in table.columns}
    lacking = [c.name for c in table.columns if c.required and not told[c.name]]
    if lacking:
        why = "nothing in the study fits" if seen.origin else "no date of day 0, or no code, for"
        return [fill_in(f"{name} of this table: {why} {', '.join(lacking)}")]
    cells = [line for lines in told.values() for line in lines or ()]
    head = ["", "[[source.fact]]", entry("table", name, "its columns")]
    return [*head, "", "[source.fact.columns]", *cells]


def wide(side: WideCourses, study: Study) -> list[str]:
    """Courses of blocks side by side, as one rule for each block that the study has."""
    allowed = tuple((b.code, b.label) for b in study.blocks)
    meant = {b: meaning(Level(b, "", 1), allowed) for b in side.blocks}
    each = [{"block": b, "code": code} for b, code in meant.items() if code]
    if not each:
        return [fill_in(f"blocks side by side ({', '.join(side.blocks)}): none is in the study")]
    lines = [
        "", "[[source.fact]]", entry("table", "fct_course", "blocks side by side"),
        entry("each", each), entry("rows", {side.start: {"filled": True}}), "",
        "[source.fact.columns]", entry("block_code", {"value": "{code}"}),
        entry("course_number", {"value": "1"}),
        entry("start_day", {"column": side.start, "date_format": side.date_format}),
    ]  # fmt: skip
    if side.stop:
        lines.append(entry("stop_day", {"column": side.stop, "date_format": side.date_format}))
    return lines
