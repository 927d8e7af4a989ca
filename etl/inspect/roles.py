"""Which column plays which role: by its name first, and only if its cells do not speak against it.

No role is better than a wrong one. What is found here is a guess and is written as one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from etl.fact_tables import fact_table
from etl.inspect import words
from etl.inspect.matching import Hit, dated, hit, mostly
from etl.inspect.profile import (
    CHOICE,
    DATE,
    DAY,
    ID,
    NUMBER,
    TEXT,
    WITH_LEVELS,
    YES_NO,
    Column,
)
from etl.inspect.units import Found, Unit, is_no_fact, is_supplement
from etl.inspect.wide import WideCourses, wide_courses

# So much of a column must be filled where every row needs a value.
NEARLY_ALL = 0.95
# Of a column that says what kind of row it is: less is a table of rows of several kinds.
_MOST_ROWS = 0.6
# A relapse that all have is day 0, one that some have is an event.
_MOST_ORIGINS, _SURE = 0.9, 0.5
_MOST_COHORTS = 12
_NUMERIC = (NUMBER, CHOICE, YES_NO)
_FACT_KINDS = {
    "day": (DATE, DAY),
    "code": WITH_LEVELS,
    "flag": WITH_LEVELS,
    "number": _NUMERIC,
    "whole": _NUMERIC,
    "duration": _NUMERIC,
    "grade": (NUMBER, CHOICE, YES_NO, TEXT),
    "measured": (NUMBER, CHOICE, YES_NO, TEXT),
}
# A fact table and the columns that feed it.
Fact = tuple[str, dict[str, Hit]]
REPEATING = ("relapse", "remission", "transplant")


@dataclass(frozen=True)
class MilestoneGuess:
    """The day of a milestone, the status beside it, and whether it can stand in several rows."""

    unit: Unit
    codes: tuple[str, ...]
    day: Hit
    status: Hit | None
    repeats: bool


@dataclass(frozen=True)
class Recognized:
    """What is recognized in an export. `ids`: the column of the enrollment by title of the unit.

    `facts`: fact table and its columns by title; `mixed`: titles of tables of several kinds of
    row. `patient`, `enrollment`: columns of the enrolling unit.
    """

    enrolling: Unit
    patient: Hit
    enrollment: Hit
    ids: dict[str, str]
    cohort: Hit | None
    origin: Hit | None
    entry: Hit | None
    sex: Hit | None
    age: Hit | None
    dates: tuple[tuple[str, Hit], ...]
    milestones: tuple[MilestoneGuess, ...]
    facts: dict[str, Fact]
    wide: dict[str, WideCourses]
    mixed: tuple[str, ...]
    units: tuple[Unit, ...]
    supplements: dict[str, str] = field(default_factory=dict)

    @property
    def repeats(self) -> bool:
        """Whether several rows of the enrolling unit are of one enrollment."""
        return not self.enrollment.column.is_unique


# ---------------------------------------------------------------- facts


def _kinds(table: str, name: str, column: Column) -> bool:
    """Whether the cells of a column can be what a fact table wants there."""
    if name == "term_code" and column.kind == TEXT:
        return any(p in words.DICTIONARY_TERMS for p in words.phrases(column.name))
    kinds = _FACT_KINDS[fact_table(table).column(name).kind]
    private = column.is_private or not dated(column) if column.kind == DATE else column.is_private
    return column.kind in kinds and not private


def _fact(unit: Unit) -> Fact | None:
    """The fact table that a unit feeds and its columns; '' as table: rows of several kinds."""
    every = (*WITH_LEVELS, DATE, DAY, NUMBER, TEXT)
    for table, columns in words.FACTS.items():
        hits: dict[str, Hit] = {}
        for name, called in columns.items():
            taken = tuple(h.column.name for h in hits.values())
            found = hit(unit, called, every, taken, lambda c, n=name, t=table: _kinds(t, n, c))
            if found:
                hits[name] = found
        told = [hits.get(name) for name in words.TELLING[table]]
        if all(told):
            full = all(h and mostly(unit, _MOST_ROWS)(h.column) for h in told)
            parameters = table == "fct_course" and hit(unit, words.PARAMETER, every)
            return (table if full and not parameters else "", hits)
    return None


# ---------------------------------------------------------------- who


def _identifiers(unit: Unit) -> list[Column]:
    full = mostly(unit, NEARLY_ALL)
    return [c for c in unit.columns if c.kind == ID and full(c)]


def _score(unit: Unit) -> float:
    """How much a unit looks like the one that enrolls."""
    wanted = ((words.SEX, 2), (words.BIRTH, 2), (words.AGE, 2))
    every = (*WITH_LEVELS, DATE, NUMBER, TEXT)
    score = sum(points for called, points in wanted if hit(unit, called, every))
    score += 2 * (_origin(unit) is not None) + 3 * (_cohort(unit) is not None)
    score += 3 * any(c.is_unique for c in _identifiers(unit))
    return score - 6 * (_fact(unit) is not None)


def _with_first_as_identifier(unit: Unit) -> Unit:
    """A unit of which no column is called an identifier: the first, if no text comes twice."""
    first = unit.columns[0] if unit.columns else None
    if _identifiers(unit) or not first or not first.is_unique or first.kind not in (TEXT, NUMBER):
        return unit
    found = replace(first, kind=ID, is_private=True, levels=(), low=None, high=None)
    return replace(unit, columns=(found, *unit.columns[1:]))


def _enrollment(unit: Unit, others: list[Unit]) -> Hit:
    """The identifier of a row: one that no row shares, and that most other tables have."""
    found = _identifiers(unit)
    unique = [c for c in found if c.is_unique] or found
    shared = {c.name: sum(c.name in other.names for other in others) for c in unique}
    best = max(shared.values())
    names = [c for c in unique if shared[c.name] == best]
    why = "tells the rows apart" if names[0].is_unique else "the same in all rows of a patient"
    called = hit(replace(unit, columns=tuple(names)), words.PATIENT, (ID,))
    return Hit(called.column if called else names[0], why)


def _identified(unit: Unit, enrollment: Hit) -> str | None:
    """The column of a unit that identifies the enrollment."""
    name = enrollment.column.name
    if name in unit.names:
        return name
    alike = [n for n in unit.names if words.folded(n) == words.folded(name)]
    if alike:
        return alike[0]
    found = hit(unit, words.PATIENT, (ID,))
    return found.column.name if found and found.column in _identifiers(unit) else None


# ---------------------------------------------------------------- milestones


def _begins(unit: Unit) -> Callable[[Column], bool]:
    """Whether a date can be day 0: nearly all rows have it, or its name leaves no doubt."""

    def fits(column: Column) -> bool:
        share = _SURE if column.name in words.SURE_ORIGIN else _MOST_ORIGINS
        return bool(column.date_format) and mostly(unit, share)(column)

    return fits


def _origin(unit: Unit) -> Hit | None:
    found = hit(unit, words.ORIGIN, (DATE,), fits=_begins(unit))
    return Hit(found.column, f"{found.why}, and nearly all rows have it") if found else None


def _once(unit: Unit, id_column: str, column: Column) -> bool:
    return unit.column(id_column).is_unique or column.name in unit.steady


def _milestones(
    units: list[Unit], ids: dict[str, str], facts: dict[str, Fact], origin: tuple[str, ...]
) -> Iterator[MilestoneGuess]:
    """Each milestone from the first unit that has a column for it.

    `units`: the enrolling one first, whose day 0 (`origin`) is no milestone. Of tables of facts,
    only lines of therapy have milestones.
    """
    told = [u for u in units if facts.get(u.title, ("dim_line",))[0] == "dim_line"]
    for codes, called in words.MILESTONES:
        for unit in told:
            hits = facts.get(unit.title, ("", {}))[1].values()
            used = origin if unit is units[0] else tuple(h.column.name for h in hits)
            found = hit(unit, called, (DATE, DAY), used, dated)
            once = found and _once(unit, ids[unit.title], found.column)
            if found and (once or codes[0] in REPEATING):
                status = hit(unit, words.STATUS, WITH_LEVELS)
                yield MilestoneGuess(unit, codes, found, status, not once)
                break


def _units(found: Found) -> list[Unit]:
    """The units that can hold facts."""
    tables = [u for u in found.units if not is_supplement(u) and u.n_rows]
    if any(_identifiers(unit) for unit in tables):
        return tables
    return [_with_first_as_identifier(unit) for unit in tables]


def _supplements(found: Found) -> dict[str, str]:
    """The file of supplemental qualifiers of each domain: AE -> suppae.csv."""
    named = {}
    for unit in found.units:
        if is_supplement(unit) and not unit.table:
            domain = next((level.text for level in unit.column("RDOMAIN").levels), "")
            named[domain] = unit.file
    return named


def recognize(found: Found) -> Recognized | None:
    """What the columns of an export are; None if no table has a patient identifier."""
    units = [unit for unit in _units(found) if _identifiers(unit)]
    if not units:
        return None
    unit = max(units, key=lambda u: (_score(u), u.n_rows))
    others = [u for u in units if u is not unit]
    enrollment = _enrollment(unit, others)
    ids = {u.title: c for u in [unit, *others] if (c := _identified(u, enrollment))}
    kept = [u for u in [unit, *others] if u.title in ids]
    told = {u.title: fact for u in kept if u is not unit and (fact := _fact(u))}
    facts = {title: fact for title, fact in told.items() if fact[0]}
    origin = _origin(unit)
    taken = (origin.column.name,) if origin else ()
    return Recognized(
        enrolling=unit,
        patient=_patient(unit, enrollment),
        enrollment=enrollment,
        ids=ids,
        cohort=_cohort(unit),
        origin=origin,
        entry=hit(unit, words.ENTRY, (DATE,), taken, dated) if origin else None,
        sex=hit(unit, words.SEX, WITH_LEVELS),
        age=hit(unit, words.AGE, (NUMBER, CHOICE)),
        dates=_dates(unit, taken),
        milestones=tuple(_milestones(kept, ids, facts, taken)),
        facts=facts,
        wide={u.title: w for u in kept if u.title not in told and (w := wide_courses(u))},
        mixed=tuple(title for title, fact in told.items() if not fact[0]),
        units=tuple(kept),
        supplements=_supplements(found),
    )


def _patient(unit: Unit, enrollment: Hit) -> Hit:
    """The child, who may be enrolled more than once."""
    found = hit(unit, words.PATIENT, (ID,))
    return found if found and found.column in _identifiers(unit) else enrollment


def _cohort(unit: Unit) -> Hit | None:
    """The column of arms: a choice whose levels can all be shown."""

    def fits(column: Column) -> bool:
        is_same = column.is_unique or not column.levels or len(column.levels) > _MOST_COHORTS
        return not is_same and not column.is_private and mostly(unit, NEARLY_ALL)(column)

    return hit(unit, words.COHORT, WITH_LEVELS, fits=fits)


def _dates(unit: Unit, taken: tuple[str, ...]) -> tuple[tuple[str, Hit], ...]:
    hits = {
        code: hit(unit, called, (DATE,), taken, dated)
        for code, called in words.BASELINE_DATES.items()
    }
    return tuple((code, found) for code, found in hits.items() if found)


def candidates(seen: Recognized) -> list[Column]:
    """Choices of the enrolling unit that may be characteristics: steady, mostly filled, no twin."""
    unit = seen.enrolling
    roles = (seen.cohort, seen.sex, seen.age, *(m.status for m in seen.milestones))
    taken = {h.column.name for h in roles if h}
    taken |= {c.name for c in unit.columns if {*words.phrases(c.name)} & {*words.COHORT}}
    chosen: list[Column] = []
    counted = [_counts(h.column) for h in (seen.cohort,) if h]
    for column in unit.columns:
        if column.name in taken or not _may_describe(unit, seen, column):
            continue
        if _counts(column) not in counted:
            chosen.append(column)
            counted.append(_counts(column))
    return chosen


def _counts(column: Column) -> list[tuple[str, int]]:
    return [(words.folded(level.said), level.count) for level in column.levels]


def _may_describe(unit: Unit, seen: Recognized, column: Column) -> bool:
    has_levels = column.kind in WITH_LEVELS and 2 <= len(column.levels) <= 8
    plain = not (column.is_private or column.is_synthetic or is_no_fact(column.name))
    same = not seen.repeats or column.name in unit.steady
    twin = column.name.endswith("N") and column.name[:-1] in unit.names
    return (
        has_levels
        and plain
        and same
        and not twin
        and mostly(unit, 0.8)(column)
        and not _is_later(column)
        and not _is_bare_flag(column)
    )


def _is_bare_flag(column: Column) -> bool:
    """A 0/1 column without labels: as often an outcome as something known at day 0."""
    return {level.said for level in column.levels} <= set(words.DIGITS)


def _is_later(column: Column) -> bool:
    """Whether a column is called like something that is known only later."""
    said = f"{words.folded(column.name)} {words.folded(column.label)} ".split()
    return any(word.startswith(words.LATER) for word in said)
