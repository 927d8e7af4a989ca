"""Reading mappings: one TOML file, checked against its study definition.

What cannot be said is refused with its line; the file of the export is checked when it is read.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from etl.fact_tables import FACT_TABLES, FactColumn, fact_table, highest_grade, known_codes
from etl.mapping import (
    EMPTY,
    FILLED,
    NOT,
    Codes,
    Day,
    EnrollmentRule,
    Exclusion,
    FactCell,
    FactRule,
    Flag,
    Mapping,
    MilestoneRule,
    NewColumn,
    Number,
    RowCondition,
    SourceRule,
    Unit,
)
from etl.values import UNITS
from trial.document import DocumentError, Table, read_document, unique
from trial.study import UNIT_DAYS, Characteristic, Study
from trial.study_file import STUDIES, read_study

MAPPINGS = Path(__file__).parent / "mappings"
_PLACE = re.compile(r"\{(\w+)\}")


# ---------------------------------------------------------------- rows


def _condition(table: Table, column: str) -> RowCondition:
    if isinstance(table.data[column], list):
        return RowCondition(column, table.texts(column))
    told = table.table(column)
    if len(told.data) != 1:
        raise table.error(column, "a condition is a list of texts, 'not' or 'filled'.")
    if NOT in told.data:
        condition = RowCondition(column, told.texts(NOT), NOT)
    else:
        condition = RowCondition(column, (), FILLED if told.flag(FILLED) else EMPTY)
    told.done()
    return condition


def _rows(table: Table, key: str = "rows") -> tuple[RowCondition, ...]:
    rows = table.table(key, None)
    return tuple(_condition(rows, column) for column in rows.data) if rows else ()


def _exclusion(table: Table) -> Exclusion:
    exclusion = Exclusion(_rows(table), table.filled("reason"))
    if not exclusion.rows:
        raise table.error(None, 'say which rows: rows = { column = ["text"] }.')
    table.done()
    return exclusion


def _new_column(table: Table) -> NewColumn:
    name = table.filled("name")
    if "from" in table.data:
        part = table.number("part")
        if part != int(part) or part == 0:
            raise table.error("part", "'part' is 1, 2 ... or, from the end, -1, -2 ...")
        new = NewColumn(name, "split", (table.filled("from"),), table.filled("split"), int(part))
    elif "first_filled" in table.data:
        new = NewColumn(name, "first_filled", table.texts("first_filled"))
    elif "row" in table.data:
        if not table.flag("row"):
            raise table.error("row", "'row' is true, or not there.")
        new = NewColumn(name, "row", ())
    else:
        new = NewColumn(name, "join", table.texts("join"), table.text("with", ""))
    if not new.sources and new.kind != "row":
        raise table.error(None, "a new column is made of one column or more.")
    table.done()
    return new


# ---------------------------------------------------------------- cells


def _code_pairs(table: Table, allowed: list[str]) -> tuple[tuple[str, str], ...]:
    codes = table.table("codes", None)
    if codes is None:
        return ()
    if not codes.data:
        raise table.error("codes", "'codes' is empty: say which text means which code.")
    return tuple((text, codes.code(text, allowed)) for text in codes.data)


def _codes(table: Table, allowed: list[str]) -> Codes:
    if "value" in table.data:
        cell = Codes(None, value=table.code("value", allowed))
        table.done()
        return cell
    cell = Codes(
        table.filled("column"),
        _code_pairs(table, allowed),
        others=table.code("others", allowed, None),
    )
    if not cell.codes:
        raise table.error(None, 'say which text means which code: codes = { "text" = "code" }.')
    table.done()
    return cell


def _date_format(table: Table) -> str | None:
    date_format = table.text("date_format", None)
    if date_format is None:
        return None
    sample = date(2016, 11, 22)
    try:
        if datetime.strptime(sample.strftime(date_format), date_format).date() != sample:
            raise ValueError
    except ValueError:
        told = f"'{date_format}' does not write a date; write it as '%d.%m.%Y'."
        raise table.error("date_format", told) from None
    return date_format


def _unit_days(table: Table) -> float:
    return UNIT_DAYS[table.code("unit", list(UNIT_DAYS), "day")]


def _day(table: Table) -> Day:
    first = table.number("first", 0)
    if first not in (0, 1):
        raise table.error("first", "the first day is numbered 0 or 1.")
    day = Day(table.filled("column"), _date_format(table), _unit_days(table), int(first))
    if day.date_format and (day.unit_days, day.first) != (1.0, 0):
        raise table.error(None, "'unit' and 'first' are for day numbers, not for dates.")
    table.done()
    return day


def _date(table: Table) -> Day:
    day = _day(table)
    if day.date_format is None:
        raise table.error(None, "this is a date: give its 'date_format'.")
    return day


def _flag(table: Table | None) -> Flag | None:
    if table is None:
        return None
    flag = Flag(table.filled("column"), table.texts("event"), table.texts("no_event"))
    both = set(flag.event) & set(flag.no_event)
    if both:
        raise table.error(None, f"{sorted(both)} means both 'event' and 'no_event'.")
    table.done()
    return flag


# ---------------------------------------------------------------- enrollments and milestones


def _characteristic(table: Table, x: Characteristic) -> Codes | Number:
    if x.kind == "choice":
        return _codes(table, [level.code for level in x.levels])
    cell = Number(table.filled("column"), table.number("times", 1.0))
    table.done()
    return cell


def _characteristics(table: Table, study: Study) -> tuple[tuple[str, Codes | Number], ...]:
    known = {x.code: x for x in study.characteristics}
    cells = []
    for code, cell in table.mapping("characteristics").items():
        if code not in known:
            raise cell.error(None, f"study '{study.code}' has no characteristic '{code}'.")
        cells.append((code, _characteristic(cell, known[code])))
    read = [x.code for x in study.characteristics if not x.is_derived]
    left_out = [code for code in read if code not in dict(cells)]
    if left_out:
        raise table.error(
            "characteristics",
            f"the study's characteristics {left_out} are not mapped. Map them, or take them "
            "out of the study definition.",
        )
    return tuple(cells)


def _enrollment(table: Table | None, study: Study) -> EnrollmentRule | None:
    if table is None:
        return None
    origin, entry = table.table("origin", None), table.table("entry", None)
    known = [d.code for d in study.baseline_dates]
    dates = table.mapping("dates")
    for code, cell in dates.items():
        if code not in known:
            raise cell.error(None, f"study '{study.code}' has no [[baseline_date]] '{code}'.")
    rule = EnrollmentRule(
        rows=_rows(table),
        repeats=table.flag("repeats", False),
        cohort=_codes(table.table("cohort"), [c.code for c in study.cohorts]),
        origin=_date(origin) if origin else None,
        entry=_day(entry) if entry else None,
        dates=tuple((code, _date(cell)) for code, cell in dates.items()),
        characteristics=_characteristics(table, study),
    )
    table.done()
    return rule


def _milestone(table: Table, study: Study) -> MilestoneRule:
    known = {m.code: m for m in study.milestones if not m.is_derived}
    code = table.code("code", list(known))
    detail = table.table("detail", None)
    wants = detail.flag("wanted", False) if detail else False
    rule = MilestoneRule(
        code=code,
        rows=_rows(table),
        day=_day(table.table("day")),
        flag=_flag(table.table("flag", None)),
        required=table.flag("required", False),
        exclusive=table.flag("exclusive", False),
        detail=_codes(detail, [d.code for d in known[code].details]) if detail else None,
        wants_detail=wants,
        pick=table.code("pick", ["first", "last"], None),
    )
    table.done()
    return rule


# ---------------------------------------------------------------- facts


def _counted(table: Table, column: FactColumn) -> FactCell:
    if column.name != "course_number" or not table.flag("counted"):
        raise table.error("counted", "only a 'course_number' is counted: counted = true.")
    table.done()
    return FactCell(None, is_counted=True)


def _constant(table: Table, column: FactColumn, allowed: list[str]) -> FactCell:
    value = table.text("value")
    if allowed and value not in allowed:
        raise table.error("value", f"'{value}' is none of {', '.join(allowed)}.")
    if column.kind in ("whole", "number") and not value.isdecimal():
        raise table.error("value", f"'{column.name}' is a number: value = \"1\".")
    if column.kind in ("day", "measured", "grade", "duration"):
        raise table.error("value", f"'{column.name}' cannot be the same for all.")
    table.done()
    return FactCell(None, value=value)


def _unit(table: Table) -> Unit | None:
    """The unit of a measured cell: a column, a table with its codes, or one value for all."""
    told = table.data.get("unit")
    if told is None or isinstance(told, str):
        column = table.text("unit", None)
        return Unit(column) if column else None
    unit = table.table("unit")
    if "value" in unit.data:
        found = Unit(None, value=unit.code("value", list(UNITS)))
    else:
        found = Unit(unit.filled("column"), _code_pairs(unit, list(UNITS)))
    unit.done()
    return found


def _fact_cell(table: Table, column: FactColumn, study: Study) -> FactCell:
    allowed = known_codes(study, column) if column.kind in ("code", "flag") else []
    if column.kind == "grade":
        allowed = ["1", "2", "3", "4", "5"]
    if "counted" in table.data:
        return _counted(table, column)
    if ("column" in table.data) == ("value" in table.data):
        raise table.error(None, "give either 'column' or 'value'.")
    if "value" in table.data:
        return _constant(table, column, allowed)
    if column.kind == "day":
        day = _day(table)
        return FactCell(day.column, day=day)
    is_open = column.codes == "term" and study.toxicity.is_open
    cell = FactCell(
        column=table.filled("column"),
        codes=_code_pairs(table, allowed),
        others=table.code("others", allowed, None) if column.kind == "code" else None,
        unit=_unit(table) if column.kind == "measured" else None,
        unit_days=_unit_days(table) if column.kind == "duration" else 1.0,
        category=table.text("category", None) if is_open else None,
    )
    if column.kind in ("code", "flag") and not cell.codes and not is_open:
        raise table.error(None, "a coded column needs its 'codes'.")
    table.done()
    return cell


def _with_highest_grade(
    cells: list[tuple[FactColumn, FactCell]], study: Study
) -> list[tuple[FactColumn, FactCell]]:
    """The cells, that of a grade with the highest that its scales have."""
    scales = [cell for column, cell in cells if column.codes == "scale"]
    named = [code for c in scales for code in (c.value, c.others, *dict(c.codes).values())]
    highest = highest_grade(study, named)
    return [
        (column, replace(cell, highest_grade=highest) if column.kind == "grade" else cell)
        for column, cell in cells
    ]


def _fact(table: Table, study: Study) -> FactRule:
    target = fact_table(table.code("table", [t.name for t in FACT_TABLES]))
    columns = table.mapping("columns")
    known = [column.name for column in target.columns]
    cells = []
    for name, cell in columns.items():
        if name not in known:
            told = f"{target.name} has no column '{name}'. It has: {', '.join(known)}."
            raise cell.error(None, told)
        column = target.column(name)
        cells.append((column, _fact_cell(cell, column, study)))
    needed = [c.name for c in target.columns if c.required and not c.may_lack]
    lacking = [name for name in needed if name not in columns]
    if lacking:
        raise table.error("columns", f"{target.name} needs {', '.join(lacking)}.")
    cells = _with_highest_grade(cells, study)
    rule = FactRule(target, _rows(table), tuple(cells), table.flag("span", False))
    if rule.is_span and (not target.key or not target.end):
        raise table.error("span", f"rows of {target.name} have no start and stop under one key.")
    if rule.is_span and any(cell.is_counted for _, cell in rule.cells):
        raise table.error("span", "rows that are counted are not put together: one of the two.")
    table.done()
    return rule


# ---------------------------------------------------------------- sources


def _filled_in(value: Any, words: dict[str, str]) -> Any:
    """A part of a rule with `{name}` replaced in every text, keys too."""
    if isinstance(value, str):
        return _PLACE.sub(lambda place: words.get(place[1], place[0]), value)
    if isinstance(value, dict):
        return {_filled_in(k, words): _filled_in(v, words) for k, v in value.items()}
    return [_filled_in(v, words) for v in value] if isinstance(value, list) else value


def _each(table: Table) -> Iterator[Table]:
    """A rule as often as its `each` says: once without one."""
    if "each" not in table.data:
        yield table
        return
    for words in table.tables("each", at_least=1):
        told = {key: words.text(key) for key in words.data}
        rest = {key: value for key, value in table.data.items() if key != "each"}
        # The places in the document stay those of the rule: a mistake is told with its line.
        yield Table(table.document, table.path, _filled_in(rest, told))


def _synthetic(table: Table | None) -> RowCondition | None:
    if table is None:
        return None
    condition = RowCondition(table.filled("column"), (table.filled("value"),))
    table.done()
    return condition


def _source(table: Table, study: Study) -> SourceRule:
    enrollment_id = table.text("enrollment_id", None) or table.filled("patient_id")
    milestones = [rule for m in table.tables("milestone") for rule in _each(m)]
    facts = [rule for f in table.tables("fact") for rule in _each(f)]
    source = SourceRule(
        code=table.new_code(),
        file=table.filled("file"),
        table=table.text("table", None),
        missing=table.texts("missing", ("",)),
        patient_id=table.text("patient_id", enrollment_id),
        enrollment_id=enrollment_id,
        single=table.flag("single", False),
        synthetic=_synthetic(table.table("synthetic", None)),
        enrollment=_enrollment(table.table("enrollment", None), study),
        milestones=tuple(_milestone(m, study) for m in milestones),
        facts=tuple(_fact(f, study) for f in facts),
        where=_rows(table, "where"),
        excludes=tuple(_exclusion(x) for x in table.tables("exclude")),
        new_columns=tuple(_new_column(c) for c in table.tables("column")),
        supplement=table.text("supplement", None),
        ignored=table.texts("ignore", ()),
    )
    unique(table.tables("column"), [c.name for c in source.new_columns], "column")
    table.done()
    return source


def read_mapping(name: str, folder: Path = MAPPINGS, studies: Path | None = None) -> Mapping:
    """The mapping `name` (of the project, or a path to a TOML file) and its study.

    `studies`: a folder of study definitions that is looked at before the project's own. Raises
    DocumentError, naming the wrong line, if mapping or study cannot be used.
    """
    path = Path(name) if name.endswith(".toml") else folder / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.toml")))
        raise DocumentError(f"no mapping '{name}'. Known: {known}; or give a path to a .toml.")
    root = read_document(path).root()
    study = _study(root.text("study"), studies)
    tables = root.tables("source", at_least=1)
    sources = tuple(_source(table, study) for table in tables)
    unique(tables, [source.code for source in sources], "source")
    if not any(source.enrollment for source in sources):
        raise root.error(None, "no source has an [source.enrollment]: nobody would be enrolled.")
    _check_dates(root, sources)
    cutoff, is_draft = root.text("data_cutoff", None), root.flag("draft", False)
    mapping = Mapping(path.stem, study, cutoff, sources, is_draft)
    root.done()
    return mapping


def _study(code: str, studies: Path | None) -> Study:
    own = studies is not None and (studies / f"{code}.toml").is_file()
    return read_study(code, studies if own and studies else STUDIES)


def _is_dated(source: SourceRule, kind: str) -> bool:
    if kind == "milestone":
        return any(m.day.date_format for m in source.milestones)
    return any(c.day and c.day.date_format for f in source.facts for _, c in f.cells)


def _check_dates(root: Table, sources: tuple[SourceRule, ...]) -> None:
    if any(s.enrollment and s.enrollment.origin for s in sources):
        return
    for i, source in enumerate(sources):
        for kind in ("milestone", "fact"):
            if _is_dated(source, kind):
                raise root.document.error(
                    ("source", i, kind),
                    "a date needs a day 0: add [source.enrollment.origin] with its column.",
                )
