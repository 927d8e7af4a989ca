"""Deaths: how children died, of what, in which block, and whether adverse events tell the same.

Early deaths alone are compared between groups: the landmark is a fixed day that everybody has
passed, or is told as possible. All other deaths grow with follow-up, which differs between cohorts.
"""

from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from analysis.answer import Account, Answer, Disclosed, Figure, Note, Number, Table
from analysis.charts.leaving import death_bar, left_before, left_before_height
from analysis.compose import Page
from analysis.groups import Group, groups
from analysis.shares import Line, Share, headline_of, line_numbers
from trial.words import say
from warehouse.query import query

EARLY, ALIVE, IN_DOUBT, UNKNOWN = "early", "alive", "in_doubt", "unknown"
# Everybody is in one of these; `in_doubt`: not known whether alive.
CLASSES = (
    *(EARLY, "with_disease", "in_remission", "in_remission_after_transplant"),
    *("after_second_malignancy", UNKNOWN, IN_DOUBT, ALIVE),
)
DEAD = tuple(c for c in CLASSES if c not in (ALIVE, IN_DOUBT))
# What deaths and fatal adverse events say of each other; all but the first and the last two are
# mismatches, and a warning each.
MISMATCHES = (
    *("no_fatal_event", "event_in_quarantine", "other_cause", "no_cause"),
    *("no_death", "death_in_quarantine"),
)
MATCHES = ("matched", *MISMATCHES, "not_toxic", "not_toxic_no_cause")
OUTSIDE, NOT_KEPT, NOT_RECORDED = "outside", "not_kept", "not_recorded"


@dataclass(frozen=True)
class Deaths:
    """How every line of the population stands; `rows` of each group as `deaths.sql` gives them."""

    on: Page
    groups: tuple[Group, ...]
    rows: dict[str, list[dict[str, Any]]]

    def counts(self, group: Group, *columns: str) -> Counter:
        """Lines of a group by the values of some columns: a code, or a tuple of codes."""
        found: Counter = Counter()
        for row in self.rows[group.code]:
            codes = [row[column] for column in columns]
            found[codes[0] if len(codes) == 1 else tuple(codes)] += row["n"]
        return found

    def size(self, group: Group) -> int:
        """Everybody of a group."""
        return sum(row["n"] for row in self.rows[group.code])

    def dead(self, group: Group) -> int:
        """Who of a group is recorded as dead."""
        counts = self.counts(group, "class_code")
        return sum(counts[c] for c in DEAD)

    def flagged(self, group: Group, flag: str) -> int:
        """Lines of a group with `is_open` or `has_relapsed`."""
        return self.counts(group, flag)[True]

    def disclosed(self, part: str, cells: list[int]) -> Disclosed:
        """Cells that add to the dead, and what is left of each group."""
        rest = [self.size(g) - self.dead(g) for g in self.groups]
        return Disclosed((*cells, *rest), part)


def _deaths(on: Page) -> Deaths:
    found = query(on.snapshot, "deaths", on.view.selection)
    known = groups(on.study, on.view.selection)
    return Deaths(on, known, {g.code: found.filter(g.matches).rows(named=True) for g in known})


# ---------------------------------------------------------------- classes


def _landmark(on: Page) -> int:
    assert on.study.response
    return on.study.response.landmark_day


def _label(on: Page, code: str) -> str:
    return say(f"deaths.{code}", landmark=_landmark(on))


def _share(deaths: Deaths, group: Group, code: str) -> Share:
    on, size = deaths.on, deaths.size(group)
    assert on.study.response
    instead = "" if size else say("deaths.nobody")
    if code == EARLY and size and group.line_code not in on.study.response.line_codes:
        instead = say("deaths.not_judged")
    n = deaths.counts(group, "class_code")[code]
    n_open = deaths.flagged(group, "is_open") if code == EARLY and not instead else 0
    more = say("deaths.possible", n=n_open, landmark=_landmark(on)) if n_open else ""
    is_too_open = n_open > on.study.toxicity.most_undocumented * size
    apart = say("deaths.too_open") if is_too_open else ""
    return Share(group, n, size, instead, apart=apart, more=more)


def _line(deaths: Deaths, code: str) -> Line:
    """A class as a row: early deaths are compared, the others are not and fall together."""
    shares = tuple(_share(deaths, g, code) for g in deaths.groups)
    label, on = _label(deaths.on, code), deaths.on
    if code == EARLY:
        also = tuple(deaths.flagged(g, "is_open") for g in deaths.groups)
        return Line(label, shares, "dead.early", on.refused, also=also)
    also = tuple(deaths.counts(g, "class_code")[c] for g in deaths.groups for c in CLASSES)
    return Line(label, shares, "dead.classes", say("deaths.not_compared"), also=also)


def _class_table(deaths: Deaths) -> Table:
    reference, *others = deaths.groups
    columns = [say("deaths.column_class"), *(g.label for g in deaths.groups)]
    columns += [say("column.minus", cohort=g.label, comparator=reference.label) for g in others]
    lines = [_line(deaths, c) for c in CLASSES]
    rows = tuple((*x.cells, *[x.refused] * (len(columns) - len(x.cells))) for x in lines)
    told = tuple(x.disclosed for x in lines)
    return Table("deaths", say("deaths.table"), tuple(columns), rows, told)


def _accounts(deaths: Deaths) -> tuple[Account, ...]:
    """Who is in a figure: the whole population."""
    found = []
    for g in deaths.groups:
        size = deaths.on.sizes[g.code]
        outside = size.n_enrolled - size.n_population
        told = ((say("account.filtered"), outside),) if outside else ()
        disclosed = Disclosed((size.n_population, outside), f"population.{g.code}")
        found.append(Account(g.label, size.n_enrolled, size.n_population, told, disclosed))
    return tuple(found)


def _figure(deaths: Deaths) -> Figure:
    on, bars = deaths.on, []
    labels = {c: _label(on, c) for c in CLASSES}
    labels |= {c: say(f"deaths.drawn_{c}") for c in (EARLY, UNKNOWN)}
    for g in deaths.groups:
        counts = dict(deaths.counts(g, "class_code"))
        counts[UNKNOWN] = counts.get(UNKNOWN, 0) + counts.pop(IN_DOUBT, 0)
        bars.append(death_bar(say("deaths.everybody"), g.label, g.role, counts, labels))
    return Figure(
        code="deaths",
        title=say("deaths.title"),
        draw=partial(left_before, bars, say("response.axis")),
        page_height=left_before_height(bars),
        caption=on.caption("deaths.caption", landmark=_landmark(on)),
        alt_text=say("deaths.alt"),
        tables=("deaths", "death_causes"),
        disclosed=(_line(deaths, ALIVE).disclosed,),
        accounts=_accounts(deaths),
    )


# ---------------------------------------------------------------- causes, blocks, matches


def _causes(on: Page) -> dict[str, str]:
    """What each cause is called, in the study's order; `not_recorded` is one of them."""
    assert on.study.response
    details = on.study.milestone(on.study.response.death).details
    return {x.code: x.label for x in details} | {NOT_RECORDED: say("deaths.not_recorded")}


def _cause_told(deaths: Deaths) -> Disclosed:
    """What the causes tell: every cell is one of a class and a cause."""
    counts = [deaths.counts(g, "class_code", "cause_code") for g in deaths.groups]
    return deaths.disclosed("dead.causes", [n for c in counts for n in c.values()])


def _cause_table(deaths: Deaths) -> Table:
    """Class by cause: rows that anybody is in."""
    counts = [deaths.counts(g, "class_code", "cause_code") for g in deaths.groups]
    told, rows = _cause_told(deaths), []
    for code in DEAD:
        for cause, label in _causes(deaths.on).items():
            cells = [c[code, cause] for c in counts]
            if any(cells):
                rows.append((_label(deaths.on, code), label, *cells))
    names = (say("deaths.column_class"), say("deaths.column_cause"))
    columns = (*names, *(g.label for g in deaths.groups))
    title = say("deaths.table_causes")
    return Table("death_causes", title, columns, tuple(rows), (told,) * len(rows), n_labels=2)


def _blocks(on: Page) -> dict[str, str]:
    """What each place of a death is called, those outside any block last."""
    blocks = {b.code: b.label for b in on.study.blocks}
    return blocks | {c: say(f"deaths.block_{c}") for c in (OUTSIDE, IN_DOUBT, NOT_KEPT)}


def _rows(deaths: Deaths, column: str, labels: dict[str, str]) -> tuple[tuple, ...]:
    """A row a value that anybody has, with the number of each group."""
    counts = [deaths.counts(g, column) for g in deaths.groups]
    codes = [code for code in labels if any(counted[code] for counted in counts)]
    return tuple((labels[code], *(counted[code] for counted in counts)) for code in codes)


def _told(deaths: Deaths, column: str, part: str) -> Disclosed:
    """What a column tells: all its values, and who has none."""
    counts = [deaths.counts(g, column) for g in deaths.groups]
    return Disclosed(tuple(n for counted in counts for n in counted.values()), part)


def _block_told(deaths: Deaths) -> Disclosed:
    return _told(deaths, "block_code", "dead.blocks")


def _match_told(deaths: Deaths) -> Disclosed:
    return _told(deaths, "match_code", "dead.matches")


def _block_table(deaths: Deaths) -> Table:
    told = _block_told(deaths)
    rows = tuple(
        (label, *(f"{n}/{deaths.dead(g)}" for n, g in zip(counts, deaths.groups, strict=True)))
        for label, *counts in _rows(deaths, "block_code", _blocks(deaths.on))
    )
    columns = (say("column.block"), *(g.label for g in deaths.groups))
    title = say("deaths.table_blocks")
    return Table("death_blocks", title, columns, rows, (told,) * len(rows))


def _match_table(deaths: Deaths) -> Table:
    labels = {c: say(f"deaths.match_{c}") for c in MATCHES}
    rows = _rows(deaths, "match_code", labels)
    columns = (say("deaths.column_match"), *(g.label for g in deaths.groups))
    told = (_match_told(deaths),) * len(rows)
    return Table("death_matches", say("deaths.table_matches"), columns, rows, told)


# ---------------------------------------------------------------- words and numbers


def _any_told(deaths: Deaths) -> Disclosed:
    """What the number of the dead tells, beside that of early deaths."""
    found = []
    for g in deaths.groups:
        counts, dead = deaths.counts(g, "class_code"), deaths.dead(g)
        found += [dead, dead - counts[EARLY], counts[ALIVE], counts[IN_DOUBT]]
    return Disclosed(tuple(found), "dead.any")


def _headline(deaths: Deaths) -> str:
    parts = [
        say("share.named", group=g.label, told=f"{deaths.dead(g)}/{deaths.size(g)}")
        for g in deaths.groups
    ]
    early = headline_of(_line(deaths, EARLY))
    return f"{early[0].upper()}{early[1:]}\n" + say("deaths.so_far", parts="; ".join(parts))


def _relapsed_told(deaths: Deaths) -> Disclosed:
    """What those who died in a remission after a relapse tell beside the others in remission."""
    found = []
    for g in deaths.groups:
        n, counts = deaths.flagged(g, "has_relapsed"), deaths.counts(g, "class_code")
        found.append(n)
        found.append(sum(counts[c] for c in DEAD if c.startswith("in_remission")) - n)
    return Disclosed(tuple(n for n in found if n >= 0), "dead.relapsed")


def _note(deaths: Deaths, key: str, column: str, code: object, told: Disclosed) -> list[Note]:
    """A warning with the number of each group; none if there is nobody."""
    counts = [(deaths.counts(g, column)[code], g.label) for g in deaths.groups]
    parts = ", ".join(say("deaths.n_of", n=n, group=label) for n, label in counts if n)
    return [Note("warning", say(key, parts=parts), told)] if parts else []


def _follow_up(deaths: Deaths) -> str:
    """Why deaths are not compared, but for early ones where there are any to compare."""
    rule = deaths.on.study.response
    is_judged = rule and any(g.line_code in rule.line_codes for g in deaths.groups)
    early = [say("deaths.early_only", landmark=_landmark(deaths.on))] if is_judged else []
    return " ".join([*early, say("deaths.follow_up")])


def _notes(deaths: Deaths) -> list[Note]:
    notes = [Note("warning", _follow_up(deaths))]
    told = _any_told(deaths)
    notes += _note(deaths, "deaths.note_in_doubt", "class_code", IN_DOUBT, told)
    told = _relapsed_told(deaths)
    notes += _note(deaths, "deaths.note_relapsed", "has_relapsed", True, told)
    for code in MISMATCHES:
        told = _match_told(deaths)
        notes += _note(deaths, f"deaths.note_{code}", "match_code", code, told)
    notes += _neither(deaths)
    if any(deaths.counts(g, "block_code")[NOT_KEPT] for g in deaths.groups):
        notes.append(Note("warning", say("deaths.note_not_kept")))
    return [*notes, Note("info", say("deaths.note_match")), Note("info", say("deaths.note_block"))]


def _neither(deaths: Deaths) -> list[Note]:
    """Dead without a fatal event of a cause that is neither toxic nor the disease: who is asked."""
    rule = deaths.on.study.toxicity.death
    named = {*rule.toxic_causes, *rule.disease_causes} if rule else set()
    labels, parts = _causes(deaths.on), []
    for g in deaths.groups:
        counts = deaths.counts(g, "match_code", "cause_code")
        for cause, label in labels.items():
            if cause not in named and (n := counts["not_toxic", cause]):
                parts.append(say("deaths.n_of", n=f"{label} {n}", group=g.label))
    if not parts:
        return []
    text = say("deaths.note_neither", parts=", ".join(parts))
    told = Disclosed((*_match_told(deaths).counts, *_cause_told(deaths).counts), "dead.neither")
    return [Note("warning", text, told)]


def _counted(base: Number, group: Group, told: Disclosed, n: int, of: int) -> Number:
    named = replace(base, cohort=group.code, method="count", unit="patients", disclosed=told)
    return replace(named, estimate=n, numerator=n, denominator=of)


def _class_numbers(deaths: Deaths, base: Number) -> list[Number]:
    numbers = []
    for code in CLASSES:
        line, row = _line(deaths, code), replace(base, level_code=code)
        numbers += line_numbers(line, row, "death_class_proportion")
        row = replace(row, statistic="death_class_count")
        for g in deaths.groups:
            n, of = deaths.counts(g, "class_code")[code], deaths.size(g)
            numbers.append(_counted(row, g, line.disclosed, n, of))
    return numbers


def _cause_numbers(deaths: Deaths, base: Number) -> list[Number]:
    numbers, row = [], replace(base, statistic="death_cause_count")
    told = _cause_told(deaths)
    for g in deaths.groups:
        counts, size = deaths.counts(g, "class_code", "cause_code"), deaths.size(g)
        for code in DEAD:
            for cause in _causes(deaths.on):
                named = replace(row, item_code=code, level_code=cause)
                numbers.append(_counted(named, g, told, counts[code, cause], size))
    return numbers


def _block_numbers(deaths: Deaths, base: Number) -> list[Number]:
    numbers, row = [], replace(base, statistic="death_block_count", denominator_code="dead")
    blocks = [b.code for b in deaths.on.study.blocks]
    told = _block_told(deaths)
    for g in deaths.groups:
        counts, dead = deaths.counts(g, "block_code"), deaths.dead(g)
        for code in _blocks(deaths.on):
            named = replace(row, level_code=code, block_code=code if code in blocks else None)
            numbers.append(_counted(named, g, told, counts[code], dead))
    return numbers


def _match_numbers(deaths: Deaths, base: Number) -> list[Number]:
    numbers, row = [], replace(base, statistic="death_match_count")
    for g in deaths.groups:
        counts, told = deaths.counts(g, "match_code"), _match_told(deaths)
        for code in MATCHES:
            named = replace(row, level_code=code)
            numbers.append(_counted(named, g, told, counts[code], deaths.size(g)))
    return numbers


def _numbers(deaths: Deaths) -> tuple[Number, ...]:
    base = replace(deaths.on.number(), denominator_code="enrolled")
    makers = (_class_numbers, _cause_numbers, _block_numbers, _match_numbers)
    return tuple(number for make in makers for number in make(deaths, base))


def deaths_answer(on: Page) -> Answer:
    """The deaths of a view; where nobody died everybody is told as alive or not known."""
    deaths = _deaths(on)
    tables = [_class_table(deaths), _cause_table(deaths), _block_table(deaths)]
    return on.answer(
        _headline(deaths),
        _notes(deaths),
        (_figure(deaths),),
        (*tables, _match_table(deaths)),
        _numbers(deaths),
        headline_disclosed=(_line(deaths, EARLY).disclosed, _any_told(deaths)),
    )
