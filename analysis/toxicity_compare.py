"""Kinds of blocks of a study beside each other: innovative ones, say, and those of the standard.

Between cohorts they are compared like everything else. Within a cohort they are the same children,
who had one kind after the other: their numbers stand beside each other without a difference.
"""

from dataclasses import dataclass
from functools import cached_property, partial

from analysis.answer import Account, Answer, Disclosed, Figure, Note, Number, Table
from analysis.charts.rows import Row
from analysis.charts.toxicity import rate_differences, rates, rates_height
from analysis.compose import Page
from analysis.shares import headline_of
from analysis.toxicity_exposure import (
    accounts_of,
    among,
    asked_told,
    is_kept,
    not_kept,
    scales_told,
)
from analysis.toxicity_items import Items, items_of
from analysis.toxicity_kinds import (
    EVERY,
    FIRST,
    LATER,
    MEASURES,
    PER_COURSE,
    PER_YEAR,
    Exposed,
    Kind,
    kind_numbers,
    kinds_of,
    number_base,
)
from trial.words import say

TITLES = {
    "compare_patients": "compare.title_patients",
    "compare_years": "compare.title_years",
    "compare_number": "compare.title_number",
}


@dataclass(frozen=True)
class Compared:
    """The kinds of blocks that somebody was given, for the item of the view."""

    items: Items
    kinds: tuple[Kind, ...]

    @property
    def on(self) -> Page:
        """The view."""
        return self.items.on

    @property
    def asked(self) -> str:
        """Item and grade in words."""
        return asked_told(self.items)

    @cached_property
    def accounts(self) -> tuple[Account, ...]:
        """Who is in a figure of all kinds: documented in at least one of them."""
        shown, never = among(self.items, "group_lines"), say("compare.without")
        beside = {
            one.group.code: tuple(kind.parts[EVERY][k].n_documented for kind in self.kinds)
            for k, one in enumerate(shown)
        }
        return accounts_of(self.items, shown, never, "compare_account", beside)

    def caption(self, key: str) -> str:
        """A caption with what all figures say."""
        blocks = tuple(code for kind in self.kinds for code in kind.kind.block_codes)
        scales = scales_told(self.items, self.on.view.item, blocks)
        kinds = "; ".join(_composed(self.on, kind) for kind in self.kinds)
        return self.on.caption(key, asked=self.asked, kinds=kinds, scales=scales)


def _composed(on: Page, kind: Kind) -> str:
    """A kind and its blocks: 'F and R blocks (F1, F2)'."""
    labels = ", ".join(on.study.block(code).label for code in kind.kind.block_codes)
    return say("compare.composed", kind=kind.kind.label, blocks=labels)


# ---------------------------------------------------------------- tables


def _measured(one: Exposed, kind: Kind, position: int, part: str) -> tuple:
    """Patients and rates of a group, as a row of a table tells them."""
    share = kind.line(part, "").shares[position]
    return (share.told, *(one.told(measure) for measure in MEASURES))


def _days(one: Exposed) -> str:
    days, courses = one.total("n_days"), one.total("n_courses")
    return say("compare.days", days=days, each=f"{days / courses:.0f}") if courses else "0"


def _measure_columns() -> tuple[str, ...]:
    return (say("compare.patients"), *(say(f"compare.{m.code}") for m in MEASURES))


def _within_table(of: Compared) -> Table:
    """Each cohort's kinds beneath each other: the same children, no difference."""
    rows, disclosed = [], []
    for position, group in enumerate(of.items.groups):
        for kind in of.kinds:
            one = kind.parts[EVERY][position]
            sizes = (one.n_started, one.n_documented, one.total("n_courses"), _days(one))
            told = _measured(one, kind, position, EVERY)
            rows.append((group.label, kind.kind.label, *sizes, *told))
            disclosed.append(kind.disclosed)
    columns = [say("column.cohort"), say("compare.kind"), say("column.started")]
    columns += [say("column.documented"), say("column.courses"), say("compare.days_at_risk")]
    title = say("compare.table_within", asked=of.asked)
    columns += _measure_columns()
    return Table("compare_within", title, tuple(columns), tuple(rows), tuple(disclosed), n_labels=2)


def _between_table(of: Compared) -> Table:
    """Each kind and measure, the cohorts beside each other, with differences."""
    groups, rows, disclosed = of.items.groups, [], []
    for kind in of.kinds:
        line = kind.line(EVERY, say("compare.patients"))
        found = [(*line.cells, *[line.refused or ""] * (len(groups) - 1 - len(line.pairs)))]
        for measure in MEASURES:
            told = [one.told(measure) for one in kind.parts[EVERY]]
            pairs = [measure.difference_told(d) for _, d in kind.pairs(measure)]
            pairs += [kind.refused or ""] * (len(groups) - 1 - len(pairs))
            found.append((say(f"compare.{measure.code}"), *told, *pairs))
        rows += [(kind.kind.label, *row) for row in found]
        disclosed += [kind.disclosed] * len(found)
    columns = [say("compare.kind"), say("column.measure"), *(g.label for g in groups)]
    for g in groups[1:]:
        columns.append(say("share.minus", cohort=g.label, comparator=groups[0].label))
    title = say("compare.table_between", asked=of.asked)
    told = tuple(disclosed)
    return Table("compare_between", title, tuple(columns), tuple(rows), told, n_labels=2)


def _number_table(of: Compared) -> Table:
    """First against later courses of each kind, by cohort; the same children again."""
    rows, disclosed = [], []
    for kind in of.kinds:
        for position, group in enumerate(of.items.groups):
            for part in (FIRST, LATER):
                one = kind.parts[part][position]
                if not one.n_started:
                    continue
                told = _measured(one, kind, position, part)
                labels = (kind.kind.label, group.label, say(f"compare.{part}"))
                rows.append((*labels, one.n_documented, one.total("n_courses"), _days(one), *told))
                disclosed.append(kind.disclosed)
    columns = [say("compare.kind"), say("column.cohort"), say("compare.which")]
    columns += [say("column.documented"), say("column.courses"), say("compare.days_at_risk")]
    columns += _measure_columns()
    title = say("compare.table_number", asked=of.asked)
    told = tuple(disclosed)
    return Table("compare_number", title, tuple(columns), tuple(rows), told, n_labels=3)


# ---------------------------------------------------------------- figures


def _has_estimate(rows: list[Row]) -> bool:
    return any(p.estimate is not None for row in rows for p in row.proportions)


def _figure(of: Compared, code: str, rows: list[Row], axis: str, *, is_rate: bool) -> Figure:
    told = {"asked": of.asked}
    return Figure(
        code=code,
        title=say(TITLES[code], **told),
        draw=partial(rates, rows, axis, is_rate=is_rate),
        page_height=rates_height(rows),
        caption=of.caption("compare.caption_patients" if not is_rate else "compare.caption_rates"),
        alt_text=say("compare.alt", **told),
        tables=("compare_between", "compare_within"),
        accounts=of.accounts,
    )


def _difference_figure(of: Compared, rows: list[Row]) -> tuple[Figure, ...]:
    if not any(d.estimate is not None for row in rows for d in row.differences):
        return ()
    told = {"asked": of.asked}
    return (
        Figure(
            code="compare_difference",
            title=say("compare.title_difference", **told),
            draw=partial(rate_differences, rows, say("response.axis_difference")),
            page_height=rates_height(rows),
            caption=of.caption("compare.caption_patients"),
            alt_text=say("compare.alt", **told),
            tables=("compare_between",),
            accounts=of.accounts,
        ),
    )


def _by_number(of: Compared) -> list[Row]:
    """Under each kind its first and its later courses, of kinds that have both."""
    rows = []
    for kind in of.kinds:
        if not any(one.n_documented for one in kind.parts[LATER]):
            continue
        rows.append(Row(kind.kind.label, ()))
        for part in (FIRST, LATER):
            rows.append(kind.amounts(PER_COURSE, part, say(f"compare.{part}"), indent=1))
    return rows


def _figures(of: Compared) -> tuple[Figure, ...]:
    lines = [kind.line(EVERY, kind.kind.label) for kind in of.kinds]
    shares = [line.chart_row(kind.is_hidden) for kind, line in zip(of.kinds, lines, strict=True)]
    years = [kind.amounts(PER_YEAR, EVERY, kind.kind.label) for kind in of.kinds]
    figures: list[Figure] = []
    if _has_estimate(shares):
        axis = say("response.axis")
        figures.append(_figure(of, "compare_patients", shares, axis, is_rate=False))
        figures += _difference_figure(of, shares)
    axes = {"compare_years": (years, PER_YEAR), "compare_number": (_by_number(of), PER_COURSE)}
    for code, (rows, measure) in axes.items():
        if _has_estimate(rows):
            axis = say(f"compare.{measure.code}")
            figures.append(_figure(of, code, rows, axis, is_rate=True))
    return tuple(figures)


# ---------------------------------------------------------------- words and numbers


def _kind_told(kind: Kind) -> str:
    """A kind in words: patients and their difference, then events per time at risk."""
    rates_told = (
        say("share.named", group=one.group.label, told=one.told(PER_YEAR))
        for one in kind.parts[EVERY]
        if not one.instead
    )
    text = headline_of(kind.line(EVERY, kind.kind.label))
    told = "; ".join(rates_told)
    if not told:
        return text
    years = say("compare.years_told", told=told)
    # Where patients are not compared their rates stand first.
    if kind.refused or kind.line(EVERY, "").shares[0].apart:
        return f"{kind.kind.label}: {years[0].lower()}{years[1:]} {text}"
    return f"{text} {years}"


def _undocumented(kind: Kind) -> list[Note]:
    parts = [
        say("toxicity.left_out_of", n=one.n_started - one.n_documented, of=one.n_started, group=g)
        for one in kind.parts[EVERY]
        if one.n_started > one.n_documented
        for g in (one.group.label,)
    ]
    if not parts:
        return []
    told = {"kind": kind.kind.label, "parts": ", ".join(parts)}
    return [Note("warning", say("compare.left_out", **told), kind.disclosed)]


def _notes(of: Compared) -> list[Note]:
    notes = [Note("warning", of.on.refused)] if of.on.refused else []
    for kind in of.kinds:
        if kind.refused and kind.refused != of.on.refused:
            told = say("compare.refused", kind=kind.kind.label, reason=kind.refused)
            notes.append(Note("warning", told, Disclosed(part=kind.disclosed.part)))
        notes += _undocumented(kind)
    notes.append(Note("warning", say("compare.same_children")))
    absent = [k for k in of.on.study.toxicity.block_groups if k not in [x.kind for x in of.kinds]]
    if absent:
        labels = ", ".join(k.label for k in absent)
        notes.append(Note("info", say("compare.not_given", kinds=labels)))
    notes.append(Note("info", say("compare.lengths")))
    return [*notes, Note("info", say("toxicity.exploratory"))]


def _numbers(of: Compared) -> tuple[Number, ...]:
    base = number_base(of.items)
    return tuple(number for kind in of.kinds for number in kind_numbers(kind, base))


def compare_answer(on: Page) -> Answer:
    """The kinds of blocks of a view; a sentence if nobody was given any of them."""
    if not is_kept(on):
        return not_kept(on)
    items = items_of(on)
    of = Compared(items, kinds_of(items))
    if not of.kinds:
        return on.answer(say("compare.nobody"), [], (), (), ())
    headline = "\n".join([say("compare.headline", asked=of.asked), *map(_kind_told, of.kinds)])
    tables = (_between_table(of), _within_table(of), _number_table(of))
    return on.answer(
        headline,
        _notes(of),
        _figures(of),
        tables,
        _numbers(of),
        headline_disclosed=tuple(kind.disclosed for kind in of.kinds),
    )
