"""Days of a course: when events began and how long they lasted, and when the next course came."""

from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from analysis.answer import Figure, Number, Table
from analysis.charts.by_day import Onsets, by_day, by_day_height
from analysis.charts.rows import Quartiles, Row
from analysis.charts.toxicity import spans, spans_height
from analysis.disclosure import gate
from analysis.groups import Group
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.toxicity_course import Course
from analysis.toxicity_exposure import events_asked
from analysis.toxicity_first import Incidence
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
        mine = found.filter(one.group.matches).rows(named=True)
        row = mine[0] if mine else dict.fromkeys(("n_courses", "n"), 0) | {"quartiles": None}
        ended = tuple(int(row.get(f"n_{code}", 0)) for code in ENDS)
        days = days_of(row["n"], row["quartiles"], less=planned or 0)
        rows.append((one.group.label, row["n_courses"], row["n"], _told(days), *ended))
        disclosed.append(course.disclosed((row["n"], *ended), "next_course"))
        base = replace(course.number, cohort=one.group.code, statistic="next_course_delay")
        base = replace(base, denominator=row["n_courses"], disclosed=disclosed[-1])
        numbers += days.numbers(base)
    columns = [say("column.cohort"), say("column.documented"), say("time.with_next")]
    columns.append(say("time.delay" if planned else "time.interval", planned=planned))
    columns += [say(f"time.without_{code}") for code in ENDS]
    title = say("time.table_next_course", **course.told)
    table = Table("next_course", title, tuple(columns), tuple(rows), tuple(disclosed))
    return table, numbers


def _told(days: Days) -> str:
    if not days.quartiles:
        return days.reason
    first, middle, third = (f"{day:g}" for day in days.quartiles)
    return say("time.days", first=first, middle=middle, third=third)


# ---------------------------------------------------------------- first events, day by day


def _onsets(of: Incidence, position: int, n_days: int) -> tuple[list[int], list[int]]:
    """First onsets on each day of the course, and patients still at risk in it."""
    one, course = of.groups[position], of.course
    counts = dict(zip(one.counts.day.tolist(), one.counts.events[:, 0].tolist(), strict=True))
    mine = course.first.filter(one.group.matches).filter("is_documented")
    still = [int(mine.filter(pl.col("last_day") >= day)["n"].sum()) for day in range(n_days)]
    return [int(counts.get(float(day), 0)) for day in range(n_days)], still


def day_by_day(of: Incidence, caption: str) -> tuple[tuple[Figure, ...], Table, list[Number]]:
    """Bars of first onsets by day, day 1 being the first; a table; a number each day with any."""
    course, shown = of.course, [k for k, one in enumerate(of.groups) if one.n]
    last = course.first.filter("is_documented")["last_day"].max()
    n_days = min(int(str(last)) + 1 if last is not None else 0, MOST_DAYS)
    found = {k: _onsets(of, k, n_days) for k in shown}
    told = course.disclosed(
        (*(n for onsets, still in found.values() for n in (*onsets, *still)), *of.rest), "by_day"
    )
    rows = [
        (day + 1, *(n for k in shown for n in (found[k][0][day], found[k][1][day])))
        for day in range(n_days)
    ]
    columns = [say("column.day")]
    for k in shown:
        label = of.groups[k].group.label
        columns += [say("time.onsets", group=label), say("time.still_in", group=label)]
    title = say("time.table_by_day", **course.told)
    table = Table("by_day", title, tuple(columns), tuple(rows), (told,) * len(rows))
    numbers = [
        replace(
            course.event_number,
            cohort=of.groups[k].group.code,
            statistic="onset_by_day",
            time_days=day + 1,
            estimate=n,
            numerator=n,
            denominator=found[k][1][day],
            unit="patients",
            method="count",
            disclosed=told,
        )
        for k in shown
        for day, n in enumerate(found[k][0])
        if n
    ]
    drawn = [
        Onsets(of.groups[k].group.label, of.groups[k].group.role, tuple(onsets), tuple(still))
        for k, (onsets, still) in found.items()
    ]
    if not any(n for onsets, _ in found.values() for n in onsets):
        return (), table, numbers
    figure = Figure(
        code="by_day",
        title=say("time.title_by_day", **course.told),
        draw=partial(by_day, drawn, say("time.axis_day"), say("time.axis_still_in")),
        page_height=by_day_height(drawn),
        caption=caption,
        alt_text=say("time.alt_by_day", **course.told),
        tables=("by_day",),
        disclosed=(told,),
        accounts=course.accounts("by_day"),
    )
    return (figure,), table, numbers


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
    terms = []
    for code in found["term_code"].unique(maintain_order=True):
        of_term = found.filter(pl.col("term_code") == code)
        rows = [of_term.filter(a.group.matches).rows(named=True) for a in course.groups]
        onset = tuple(days_of(r[0]["n"], r[0]["onset"]) if r else Days(0, None) for r in rows)
        duration = tuple(
            days_of(r[0]["n_ended"], r[0]["duration"], r[0]["n"] - r[0]["n_ended"])
            if r
            else Days(0, None)
            for r in rows
        )
        terms.append(TermDays(code, *_named(course)[code], onset, duration))
    return sorted(terms, key=lambda term: (-term.n, term.label))


@dataclass(frozen=True)
class Spans:
    """The terms of the course, and what may be shown of them."""

    course: Course
    terms: list[TermDays]

    def disclosed(self, term: TermDays):
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
