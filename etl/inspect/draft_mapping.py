"""The draft of a mapping: a source for each table in which something was recognized.

Texts of a choice that mean no code of the study are listed to be filled in; until then their rows
are quarantined, which is seen, and never counted as something else.
"""

from glob import escape
from itertools import count

from etl.inspect import words
from etl.inspect.draft_facts import code_entry, day, fact, unknown, wide
from etl.inspect.draft_study import AGE, SEX, chosen, cohort_levels, screen_failures
from etl.inspect.matching import Hit, hit
from etl.inspect.meanings import coded, pairs, suffixed
from etl.inspect.profile import DATE, NUMBER, WITH_LEVELS, YES_NO
from etl.inspect.roles import MilestoneGuess, Recognized
from etl.inspect.toml_text import entry, fill_in, note
from etl.inspect.units import Found, Unit
from trial.found_terms import code_of
from trial.study import Characteristic, Study

# A column that is always empty: a characteristic that no column was found for is "not recorded".
NOT_FOUND = "no such column"
_NEVER = "\N{SYMBOL FOR UNIT SEPARATOR} never in a text"


# ---------------------------------------------------------------- enrollments


def _cohort(seen: Recognized, study: Study, own: bool) -> list[str]:
    """The cohort; nobody is put into one by a guess that no text supports."""
    allowed = tuple((c.code, c.label) for c in study.cohorts)
    if own and not cohort_levels(seen.cohort):
        return [entry("cohort", {"value": study.reference.code}, "no column of arms")]
    if seen.cohort:
        known, unsaid = pairs(seen.cohort.column, allowed)
        out = screen_failures(seen.cohort.column)
        left = [level for level in unsaid if level.text not in out]
        if known:
            cell = {"column": seen.cohort.column.name, "codes": known}
            line = entry("cohort", cell, seen.cohort.why)
            return [line, *unknown(left, allowed, seen.cohort.column.hidden)]
    column = (seen.cohort or seen.enrollment).column.name
    cell = {"column": column, "codes": {"fill in: text in the export": allowed[0][0]}}
    said = "no column was recognized as the cohort: until it is said, nobody is loaded"
    return [fill_in(said), note(f"allowed: {', '.join(c for c, _ in allowed)}"),
            entry("cohort", cell)]  # fmt: skip


def _called(unit: Unit, *names: str) -> Hit | None:
    """A column that is called as a study calls something, or has all words of its code."""
    kinds = (*WITH_LEVELS, NUMBER, DATE)
    wanted = tuple(words.folded(name.replace("_", " ")) for name in names)
    found = hit(unit, wanted, kinds, fits=lambda c: not c.is_private)
    if found:
        return found
    needed = set(wanted[0].split())
    for column in unit.columns if len(needed) > 1 else ():
        said = words.folded(column.name.replace("_", " ")).split()
        if needed <= set(said) and column.kind in kinds and not column.is_private:
            return Hit(column, "all words of the code")
    return None


def _column_of(seen: Recognized, x: Characteristic, own: bool) -> Hit | None:
    roles = {SEX: seen.sex, AGE: seen.age}
    if roles.get(x.code):
        return roles[x.code]
    if own:
        column = chosen(seen).get(x.code)
        return Hit(column, "a choice known at day 0") if column else None
    return _called(seen.enrolling, x.code, x.label)


def _characteristic(seen: Recognized, x: Characteristic, own: bool) -> tuple[list[str], bool]:
    """The lines of one characteristic, and whether no column was found for it."""
    found = _column_of(seen, x, own)
    if found and x.kind == "number" and found.column.kind not in (YES_NO, DATE):
        return [entry(x.code, {"column": found.column.name}, found.why)], False
    if found and x.kind == "choice":
        lines = code_entry(x.code, found.column, coded(x.levels), found.why)
        if lines:
            return lines, False
    if x.is_derived:
        return [], False
    cell: dict = {"column": NOT_FOUND}
    if x.kind == "choice":
        cell["codes"] = {"fill in: text in the export": x.levels[0].code}
    said = f"no column was recognized as '{x.code}' ({x.label}); not recorded until it is said"
    if found:
        said = f"'{x.code}': column {found.column.name}, but none of its texts means a level"
    lines = [fill_in(said), entry(x.code, cell)]
    if x.kind == "choice":
        lines.insert(1, note(f"allowed: {', '.join(level.code for level in x.levels)}"))
    return lines, True


def _dates(seen: Recognized, study: Study) -> list[str]:
    known = {date.code for date in study.baseline_dates}
    lines = []
    for code, found in seen.dates:
        if code in known and seen.origin:
            lines.append(entry(code, day(found.column), found.why))
    left = known - {code for code, _ in seen.dates}
    lines += [fill_in(f"no column was recognized as the date '{code}'") for code in sorted(left)]
    return ["", "[source.enrollment.dates]", *lines] if lines else []


def _origin_wanted(seen: Recognized) -> list[str]:
    """Where day 0 might stand, if dates there need one; day numbers do without."""
    dates = [f"{c.name} ({c.date_format})" for c in seen.enrolling.columns if c.date_format]
    if not dates:
        return []
    wanted = 'day 0 of dates: origin = { column = "...", date_format = "..." }, one of'
    return [fill_in(f"{wanted}: {', '.join(dates)}")]


def _enrollment(seen: Recognized, study: Study, own: bool) -> list[str]:
    lines = ["", "[source.enrollment]"]
    if seen.repeats:
        lines.append(entry("repeats", True, "several rows of a patient"))
    lines += _cohort(seen, study, own)
    if seen.origin:
        lines.append(entry("origin", day(seen.origin.column), seen.origin.why))
    else:
        lines += _origin_wanted(seen)
    if seen.entry:
        lines.append(entry("entry", day(seen.entry.column), seen.entry.why))
    lines += _dates(seen, study)
    told = [_characteristic(seen, x, own) for x in study.characteristics]
    inner = [line for part, _ in told for line in part]
    empty = any(lacks for _, lacks in told)
    lines += ["", "[source.enrollment.characteristics]", *inner] if inner else []
    return [*_empty_column(seen), *lines] if empty else lines


def _empty_column(seen: Recognized) -> list[str]:
    return [
        "",
        note("An empty column for what no column was found for. Delete it when all are filled in."),
        "[[source.column]]",
        entry("name", NOT_FOUND),
        entry("from", seen.enrollment.column.name),
        entry("split", _NEVER),
        entry("part", 2),
    ]


def _exclusion(seen: Recognized) -> list[str]:
    out = screen_failures(seen.cohort.column) if seen.cohort else []
    if not seen.cohort or not out:
        return []
    rows = {seen.cohort.column.name: out}
    return ["", "[[source.exclude]]", entry("rows", rows, "they were never treated"),
            entry("reason", "screen failure")]  # fmt: skip


# ---------------------------------------------------------------- milestones


def _flag(guess: MilestoneGuess, meant: tuple[str, ...]) -> dict | None:
    """The flag of a milestone in a status of which every level is understood."""
    if guess.status is None or guess.status.column.hidden:
        return None
    column = guess.status.column
    said = {x.text: words.folded(x.said) for x in column.levels}
    if not set(said.values()) <= {*words.DEAD, *words.ALIVE, *words.LOST}:
        return None
    event = [text for text, word in said.items() if word in meant]
    other = [text for text in said if text not in event]
    return {"column": column.name, "event": event, "no_event": other} if event else None


def _milestone(guess: MilestoneGuess, study: Study, dated: bool) -> list[str]:
    known = [m.code for m in study.milestones if not m.is_derived]
    code = next((c for c in guess.codes if c in known), None)
    column = guess.day.column
    if code is None or (column.kind == DATE and not dated):
        why = "the study has no such milestone" if code is None else "there is no date of day 0"
        return [fill_in(f"milestone {guess.codes[0]}, column {column.name}: {why}")]
    cell = day(column)
    lines = ["", "[[source.milestone]]", entry("code", code), entry("day", cell, guess.day.why)]
    flag = _flag(guess, words.DEAD) if code == "death" else None
    if flag:
        lines += [entry("flag", flag, "the status"), entry("exclusive", True)]
    lost = _flag(guess, words.LOST) if code == "last_contact" and "lost" in known else None
    if lost:
        lines += ["", "[[source.milestone]]", entry("code", "lost"), entry("day", cell),
                  entry("flag", lost, "the status")]  # fmt: skip
    details = next(m for m in study.milestones if m.code == code).details
    return [*lines, *([fill_in(f"detail of {code} (what kind)")] if details else [])]


# ---------------------------------------------------------------- sources


def _who(unit: Unit, seen: Recognized) -> list[str]:
    """The columns of patient and enrollment."""
    column = seen.ids[unit.title]
    if unit is not seen.enrolling:
        return [entry("enrollment_id", column, "as in the source that enrolls")]
    if seen.patient.column.name == column:
        return [entry("patient_id", column, seen.enrollment.why)]
    patient = entry("patient_id", seen.patient.column.name, seen.patient.why)
    return [patient, entry("enrollment_id", column, seen.enrollment.why)]


def _head(unit: Unit, code: str, seen: Recognized) -> list[str]:
    lines = ["", note(unit.title), "[[source]]", entry("code", code),
             entry("file", escape(unit.file))]  # fmt: skip
    if unit.table:
        lines.append(entry("table", escape(unit.table)))
    lines += _who(unit, seen)
    if unit.where:
        lines.append(entry("where", {column: [text] for column, text in unit.where}))
    domain = next((c.levels[0].text for c in unit.columns if c.name == "DOMAIN" and c.levels), "")
    if domain in seen.supplements:
        lines.append(entry("supplement", escape(seen.supplements[domain]), f"SUPP of {domain}"))
    return lines


def _aside(unit: Unit, read: set[str]) -> list[str]:
    """Identifying columns that are left unread, and the mark of synthetic rows."""
    private = [c.name for c in unit.columns if c.is_private and c.name not in read]
    lines = [entry("ignore", private, "they may tell who it is")] if private else []
    for column in unit.columns:
        if column.is_synthetic and column.levels:
            mark = {"column": column.name, "value": column.levels[0].text}
            return [*lines, entry("synthetic", mark, "all rows say so")]
    return lines


def _rules(unit: Unit, seen: Recognized, study: Study) -> list[str]:
    """Milestones and facts of a unit."""
    dated = seen.origin is not None
    mine = [m for m in seen.milestones if m.unit.title == unit.title]
    lines = [line for guess in mine for line in _milestone(guess, study, dated)]
    if unit.title in seen.facts:
        lines += fact(unit, seen, study)
    if unit.title in seen.wide and dated:
        lines += wide(seen.wide[unit.title], study)
    return lines


def _ambiguous(unit: Unit) -> list[str]:
    dates = [c.name for c in unit.columns if c.kind == DATE and not c.date_format]
    told = "no day of these columns is above 12, so day and month cannot be told apart"
    return [fill_in(f"{told}: {', '.join(dates)}")] if dates else []


def _source(unit: Unit, code: str, seen: Recognized, study: Study, own: bool) -> list[str]:
    """The source of a unit; only comments if nothing in it was recognized."""
    read = {seen.ids[unit.title], seen.patient.column.name, *(column for column, _ in unit.where)}
    known = {d.code for d in study.baseline_dates}
    read |= {h.column.name for c, h in seen.dates if c in known and unit is seen.enrolling}
    lines = [*_head(unit, code, seen), *_missing(unit), *_aside(unit, read)]
    if unit is seen.enrolling:
        lines += [*_exclusion(seen), *_enrollment(seen, study, own)]
    rules = [*_rules(unit, seen, study), *_ambiguous(unit)]
    if unit is seen.enrolling or any(not line.startswith("#") for line in rules if line):
        return [*lines, *rules]
    if unit.title in seen.mixed:
        rules.append(fill_in("rows of several kinds: one source each, told apart by 'where'"))
    told = "nothing was recognized" if not rules else "nothing can be loaded yet"
    if unit.where:
        rest = {column: [text] for column, text in unit.where}
        return [*lines, *rules, "", "[[source.exclude]]", fill_in(f"{told} in these rows"),
                entry("rows", rest), entry("reason", "not mapped yet")]  # fmt: skip
    return ["", fill_in(f"{unit.title}: {told}; without a source it is not read"), *rules]


def _missing(unit: Unit) -> list[str]:
    if not unit.has_missing_words:
        return []
    return [entry("missing", ["", *words.MISSING], "some of them stand there for 'no value'")]


def _free(code: str, taken: list[str]) -> str:
    numbered = (suffixed(code, f"_no{n}") for n in count(2))
    return code if code not in taken else next(c for c in numbered if c not in taken)


def _source_codes(units: tuple[Unit, ...]) -> list[str]:
    """A code of its own for each source."""
    codes: list[str] = []
    for unit in units:
        name = next((text for _, text in reversed(unit.where) if text), "") or unit.table
        code = code_of(name or unit.file.rsplit("/", 1)[-1].partition(".")[0] or "table")
        codes.append(_free(code, codes))
    return codes


def mapping_text(seen: Recognized, found: Found, study: Study, own: bool) -> str:
    """The draft of a mapping as TOML; `own`: the study is a draft of the same export."""
    units = tuple(u for u in seen.units if u.title in seen.ids)
    lines = [
        note(
            "A draft. Every line marked 'guess' was guessed; lines marked 'fill in' wait for you."
        ),
        note("What can be said here: etl/mappings/README.md."),
        note("A draft is not loaded: correct it, then delete the next line."),
        entry("draft", True),
        entry("study", study.code),
        note('data_cutoff = "2026-01-31"'),
    ]
    for unit, code in zip(units, _source_codes(units), strict=True):
        lines += _source(unit, code, seen, study, own)
    titles = {u.title for u in units}
    left = [u.title for u in found.units if u.title not in titles]
    lines += ["", *(fill_in(f"{t}: no patient identifier was recognized") for t in left)]
    lines += [note(f"{twin}: the same table as {first}") for twin, first in found.twins]
    return "\n".join(lines).rstrip() + "\n"
