"""Days of a course: when events began and how long they lasted, and when the next course came."""

from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from analysis.answer import Disclosed, Figure, Note, Number, Table
from analysis.charts.by_day import Onsets, by_day, by_day_height
from analysis.charts.rows import Quartiles, Row
from analysis.charts.toxicity import spans, spans_height
from analysis.disclosure import gate
from analysis.groups import Group
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.toxicity_course import Course
from analysis.toxicity_exposure import events_asked
from analysis.toxicity_first import Incidence, Ran
from analysis.toxicity_items import FATAL, kind_of
from trial.words import say
from warehouse.query import query

# Rows that are drawn, the most frequent first; the table has all.
MOST_DRAWN = 15
# Days that are drawn and told one by one: later onsets are counted.
MOST_DAYS = 84
QUARTILES = ("first_quartile", "median", "third_quartile")
ENDS = ("death", "relapse", "window", "censored", "same_day")


@dataclass(frozen=True)
class Days:
    """Quartiles of days of `n` patients; None of fewer than ten. `n_unknown` are those beside."""

    n: int
    quartiles: tuple[float, float, float] | None
    n_unknown: int = 0

    @property
    def reason(self) -> str:
        """Why there are none."""
        few = say("survival.few", n=FEWEST_FOR_PERCENT)
        return few if self.n else say("response.nobody")

    @property
    def told(self) -> str:
        """9 (5 to 14), n 12; 3 unknown."""
        parts = [say("time.n", n=self.n)]
        if self.quartiles:
            first, middle, third = (f"{day:g}" for day in self.quartiles)
            quartiles = {"first": first, "middle": middle, "third": third}
            parts = [say("time.quartiles", n=self.n, **quartiles)]
        if self.n_unknown:
            parts.append(say("time.n_unknown", n=self.n_unknown))
        return "; ".join(parts)

    def drawn(self, group: Group, hidden: str) -> Quartiles:
        """As a chart draws it; a withheld one says so."""
        if hidden:
            return Quartiles(group.label, group.role, 0, None, instead=hidden)
        if not self.quartiles:
            instead = "" if self.n == self.n_unknown == 0 else self.reason
            return Quartiles(
                *(group.label, group.role, self.n, None),
                n_unknown=self.n_unknown,
                unknown=say("time.unknown_end"),
                instead=instead,
            )
        first, middle, third = self.quartiles
        return Quartiles(
            *(group.label, group.role, self.n, middle, first, third),
            n_unknown=self.n_unknown,
            unknown=say("time.unknown_end"),
        )

    def numbers(self, base: Number) -> list[Number]:
        """Median and quartiles, a row each."""
        row = replace(base, numerator=self.n, unit="days", method="quartiles, type 7")
        if not self.quartiles:
            told = [(None, self.reason)] * 3
        else:
            told = [(day, None) for day in self.quartiles]
        return [
            replace(row, level_code=code, estimate=day, not_estimable_reason=reason)
            for code, (day, reason) in zip(QUARTILES, told, strict=True)
        ]


def days_of(n: int, quartiles: list[float] | None, n_unknown: int = 0, less: int = 0) -> Days:
    """Quartiles as a query gives them, `less` days earlier; of fewer than ten none."""
    if quartiles is None or n < FEWEST_FOR_PERCENT:
        return Days(n, None, n_unknown)
    first, middle, third = (float(day) - less for day in quartiles)
    return Days(n, (first, middle, third), n_unknown)


# ---------------------------------------------------------------- the next course


def delay(course: Course) -> tuple[Table, list[Number]]:
    """Days to the next course, or beyond those planned; and who had none, by how it ended."""
    found = query(course.on.snapshot, "next_course", course.on.view.selection, **course.place)
    planned = course.block.planned_days
    rows, disclosed, numbers = [], [], []
    for one in course.groups:
        n_courses, days, ended = _next_of(found.filter(one.group.matches), planned or 0)
        rows.append((one.group.label, n_courses, days.n, _told(days), *ended))
        disclosed.append(course.disclosed((days.n, *ended), "next_course"))
        base = replace(course.number, cohort=one.group.code, statistic="next_course_delay")
        base = replace(base, denominator=n_courses, disclosed=disclosed[-1])
        numbers += days.numbers(base)
    columns = [say("column.cohort"), say("column.documented"), say("time.with_next")]
    columns.append(say("time.delay" if planned else "time.interval", planned=planned))
    columns += [say(f"time.without_{code}") for code in ENDS]
    title = say("time.table_next_course", **course.told)
    table = Table("next_course", title, tuple(columns), tuple(rows), tuple(disclosed))
    return table, numbers


def _next_of(mine: pl.DataFrame, planned: int) -> tuple[int, Days, tuple[int, ...]]:
    """Courses of a group, the days to the next one, and those without one by how it ended."""
    if not mine.height:
        return 0, Days(0, None), (0,) * len(ENDS)
    (row,) = mine.rows(named=True)
    ended = tuple(int(row[f"n_{code}"]) for code in ENDS)
    return row["n_courses"], days_of(row["n"], row["quartiles"], less=planned), ended


def _told(days: Days) -> str:
    if not days.quartiles:
        return days.reason
    first, middle, third = (f"{day:g}" for day in days.quartiles)
    return say("time.days", first=first, middle=middle, third=third)


# ---------------------------------------------------------------- first events, day by day


@dataclass(frozen=True)
class ByDay:
    """First events on each day of a course, day 1 being its first, and patients still at risk.

    `days`: both numbers of each day, by group with anybody.
    """

    of: Incidence
    days: tuple[tuple[Group, tuple[int, ...], tuple[int, ...]], ...]

    @property
    def disclosed(self) -> Disclosed:
        """Each day tells its patients: all of them stand or fall together."""
        counts = [n for _, onsets, still in self.days for n in (*onsets, *still)]
        return self.of.course.disclosed((*counts, *self.of.rest), "by_day")

    def table(self) -> Table:
        """Every day, up to the last on which anybody is at risk."""
        columns, texts = [say("column.day")], []
        for group, onsets, still in self.days:
            columns += [
                say("time.onsets", group=group.label),
                say("time.still_in", group=group.label),
            ]
            texts += [onsets, still]
        rows = tuple((day, *n) for day, n in enumerate(zip(*texts, strict=True), start=1))
        title, told = say("time.table_by_day", **self.of.course.told), self.disclosed
        return Table("by_day", title, tuple(columns), rows, (told,) * len(rows))

    def numbers(self) -> list[Number]:
        """Every day with a first event; time_days is the day of the course, from 1 on."""
        base = replace(self.of.course.event_number, statistic="onset_by_day", unit="patients")
        base = replace(base, method="count", disclosed=self.disclosed)
        numbers = []
        for group, onsets, still in self.days:
            for day, (n, at_risk) in enumerate(zip(onsets, still, strict=True), start=1):
                row = replace(base, cohort=group.code, time_days=day, denominator=at_risk)
                numbers += [replace(row, estimate=n, numerator=n)] if n else []
        return numbers

    @property
    def _axis(self) -> str:
        """What the days are, and whether later ones are left out."""
        is_cut = len(self.days[0][1]) == MOST_DAYS
        return say("time.axis_day_cut", most=MOST_DAYS) if is_cut else say("time.axis_day")

    def figure(self, caption: str) -> tuple[Figure, ...]:
        """Bars by day; none without any event."""
        if not any(n for _, onsets, _ in self.days for n in onsets):
            return ()
        drawn = [Onsets(g.label, g.role, onsets, still) for g, onsets, still in self.days]
        course = self.of.course
        figure = Figure(
            code="by_day",
            title=say("time.title_by_day", **course.told),
            draw=partial(by_day, drawn, self._axis, say("time.axis_still_in")),
            page_height=by_day_height(drawn),
            caption=caption,
            alt_text=say("time.alt_by_day", **course.told),
            tables=("by_day",),
            disclosed=(self.disclosed,),
            accounts=course.accounts("by_day"),
        )
        return (figure,)


def day_by_day(of: Incidence) -> ByDay:
    """The first events of the documented by day, of at most `MOST_DAYS` days."""
    known = of.course.first.filter("is_documented")
    last = known["last_day"].to_numpy()
    n_days = min(int(last.max()) + 1, MOST_DAYS) if last.size else 0
    days = tuple((one.group, *_onsets(one, known, n_days)) for one in of.shown)
    return ByDay(of, days)


def _onsets(one: Ran, known: pl.DataFrame, n_days: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """First events on each day, and patients at risk on it whether they had one or not."""
    counts = dict(zip(one.counts.day.tolist(), one.counts.events[:, 0].tolist(), strict=True))
    mine = known.filter(one.group.matches)
    last, n = mine["last_day"].to_numpy(), mine["n"].to_numpy()
    still = tuple(int(n[last >= day].sum()) for day in range(n_days))
    return tuple(int(counts.get(float(day), 0)) for day in range(n_days)), still


def later_onsets(of: Incidence) -> list[Note]:
    """First events after the days that are told one by one."""
    later = tuple(one.counts.n_events[0] - one.events_by(MOST_DAYS - 1) for one in of.groups)
    if not any(later):
        return []
    parts = ", ".join(
        say("share.named", group=one.group.label, told=n)
        for one, n in zip(of.groups, later, strict=True)
    )
    text = say("time.later", day=MOST_DAYS, parts=parts)
    return [Note("info", text, of.course.disclosed((*later, *of.rest), "by_day"))]


# ---------------------------------------------------------------- terms


@dataclass(frozen=True)
class TermDays:
    """A term of a course: day of onset and duration of the first event, by group."""

    code: str
    label: str
    category: str
    onset: tuple[Days, ...]
    duration: tuple[Days, ...]

    @property
    def n(self) -> int:
        """Patients who had it, of all groups."""
        return sum(days.n for days in self.onset)


def _named(course: Course) -> dict[str, tuple[str, str]]:
    return {t.code: (t.label, t.category_code) for t in course.on.study.toxicity.terms}


def terms_in(course: Course) -> list[TermDays]:
    """Every term of the item that anybody had, the most frequent first."""
    chosen, asked = course.on.view.selection, events_asked(course.on)
    found = query(course.on.snapshot, "event_spans", chosen, **course.place, **asked)
    by_group = {
        (row["cohort_code"], row["entry_reason"], row["term_code"]): row
        for row in found.rows(named=True)
    }
    named, nobody = _named(course), {"n": 0, "onset": None, "n_ended": 0, "duration": None}
    terms = []
    for code in found["term_code"].unique(maintain_order=True):
        keys = [(a.group.cohort_code, a.group.line_code, code) for a in course.groups]
        rows = [by_group.get(key, nobody) for key in keys]
        onset = tuple(days_of(r["n"], r["onset"]) for r in rows)
        duration = tuple(days_of(r["n_ended"], r["duration"], r["n"] - r["n_ended"]) for r in rows)
        terms.append(TermDays(code, *named[code], onset, duration))
    return sorted(terms, key=lambda term: (-term.n, term.label))


@dataclass(frozen=True)
class Spans:
    """The terms of the course, and what may be shown of them."""

    course: Course
    terms: list[TermDays]

    def disclosed(self, term: TermDays) -> Disclosed:
        """A term tells its patients and the rest; with its category's other terms it falls."""
        counts = []
        for one, onset, ended in zip(self.course.groups, term.onset, term.duration, strict=True):
            counts += [onset.n, one.n_documented - onset.n, ended.n, ended.n_unknown]
        is_fatal = kind_of(self.course.on.view.item) == FATAL
        rest = () if is_fatal else self.course.rest(f"term/{term.code}")
        return self.course.disclosed((*counts, *rest), f"spans.{term.category}")

    def hidden(self) -> set[str]:
        """Categories that the policy withholds."""
        return {t.category for t in self.terms if not gate().passes(self.disclosed(t))}

    def table(self) -> Table:
        """Onset and duration of every term, by group."""
        groups = [one.group for one in self.course.groups]
        rows = [
            (term.label, *(d.told for d in term.onset), *(d.told for d in term.duration))
            for term in self.terms
        ]
        columns = [say("column.item")]
        columns += [say("time.column_onset", group=g.label) for g in groups]
        columns += [say("time.column_duration", group=g.label) for g in groups]
        told = tuple(self.disclosed(term) for term in self.terms)
        title = say("time.table_spans", **self.course.told)
        return Table("spans", title, tuple(columns), tuple(rows), told)

    def numbers(self) -> list[Number]:
        """Quartiles of onset and duration; the numerator is whose days are known."""
        numbers, base = [], self.course.event_number
        for term in self.terms:
            row = replace(base, item_code=term.code, disclosed=self.disclosed(term))
            for position, one in enumerate(self.course.groups):
                mine = replace(row, cohort=one.group.code)
                onset, duration = term.onset[position], term.duration[position]
                told = replace(mine, statistic="onset_days", denominator=one.n_documented)
                numbers += onset.numbers(told)
                told = replace(mine, statistic="duration_days", denominator=onset.n)
                numbers += duration.numbers(told)
        return numbers

    def figure(self, name: str, caption: str) -> tuple[Figure, ...]:
        """The most frequent terms as bars from quartile to quartile: 'onset' or 'duration'."""
        hidden, short, rows = self.hidden(), say("disclosure.short"), []
        groups = [one.group for one in self.course.groups]
        for term in self.terms[:MOST_DRAWN]:
            days = term.onset if name == "onset" else term.duration
            why = short if term.category in hidden else ""
            drawn = tuple(d.drawn(g, why) for d, g in zip(days, groups, strict=True))
            rows.append(Row(term.label, drawn))
        if not any(p.estimate is not None for row in rows for p in row.proportions):
            return ()
        first_day = 1 if name == "onset" else 0
        draw = partial(spans, rows, say(f"time.axis_{name}"), first_day=first_day)
        figure = Figure(
            code=f"spans_{name}",
            title=say(f"time.title_{name}", **self.course.told),
            draw=draw,
            page_height=spans_height(rows),
            caption=caption,
            alt_text=say(f"time.alt_{name}", **self.course.told),
            tables=("spans",),
            accounts=self.course.accounts(f"spans_{name}"),
        )
        return (figure,)
