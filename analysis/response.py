"""Response: remission by the landmark and MRD at each time point, with where the missing went."""

from dataclasses import dataclass, replace

import polars as pl

from analysis.answer import Answer, Disclosed, Figure, Note, Number, Table
from analysis.charts.response import difference, dumbbell, page_height
from analysis.compose import Page, page
from analysis.disclosure import gate
from analysis.groups import Group, groups
from analysis.link import View
from analysis.shares import Line, Share, headline_of, line_numbers
from trial.words import say
from warehouse.query import Snapshot, query

CLASSES = (
    "negative", "positive", "indeterminate", "not_evaluable",
    "not_sampled", "in_doubt", "too_early", "not_reached",
)  # fmt: skip
RESPONSES = ("remission", "non_response", "early_death", "not_evaluable", "in_doubt")
# A difference of this many points in the share of indeterminate results is worth a warning.
MOST_INDETERMINATE = 0.10


@dataclass(frozen=True)
class Counted:
    """How many of a group are in each class at a time point (or of each response)."""

    group: Group
    counts: dict[str, int]

    @property
    def n(self) -> int:
        """Everybody."""
        return sum(self.counts.values())


def _counted(frame: pl.DataFrame, group: Group, column: str, codes: tuple[str, ...]) -> Counted:
    mine = frame.filter(group.matches).with_columns(pl.col(column).fill_null("in_doubt"))
    found = dict(mine.group_by(column).agg(pl.col("n").sum()).rows())
    return Counted(group, {code: int(found.get(code, 0)) for code in codes})


def _share(counted: Counted, yes: str, missing: str) -> Share:
    """The share of a response: of everybody, or of those in whom it is known."""
    if missing == "left_out":
        known = ("negative", "positive") if yes == "negative" else ("remission", "non_response")
        known = (*known, "early_death") if yes == "remission" else known
        of = sum(counted.counts[code] for code in known)
        reason = "" if of else say("response.nobody_known")
        return Share(counted.group, counted.counts[yes], of, reason, counted.n - of)
    return Share(counted.group, counted.counts[yes], counted.n, _why_none(counted))


def _why_none(counted: Counted) -> str:
    """Why a group has no proportion at all: nobody there, or nobody came to that time point."""
    if counted.n == 0:
        return say("response.nobody")
    return say("response.not_reached") if counted.counts.get("not_reached") == counted.n else ""


@dataclass(frozen=True)
class Measured:
    """One row of the page: remission, or MRD at a time point; its line and all its classes."""

    code: str
    line: Line
    counted: tuple[Counted, ...]


def response_lines(on: Page) -> tuple[Measured, ...]:
    """Remission, then MRD at every time point; empty if the study judges no response."""
    study, view = on.study, on.view
    rule = study.response
    if rule is None:
        return ()
    shown = [g for g in groups(study, view.selection) if g.line_code in rule.line_codes]
    landmark = query(on.snapshot, "response", view.selection)
    mrd = query(on.snapshot, "mrd", view.selection, threshold=view.mrd)
    remission = tuple(_counted(landmark, g, "response_code", RESPONSES) for g in shown)
    what = study.milestone_label(rule.remission)
    label = say("response.remission", what=what[:1].upper() + what[1:], day=rule.landmark_day)
    found = [_measured("remission", label, remission, "remission", on)]
    for point in study.timepoints:
        mine = mrd.filter(pl.col("timepoint_code") == point.code)
        counted = tuple(_counted(mine, g, "class", CLASSES) for g in shown)
        label = say("response.mrd", threshold=f"{100 * view.mrd:g} %", at=point.label)
        found.append(_measured(point.code, label, counted, "negative", on))
    return tuple(found)


def _measured(code: str, label: str, counted: tuple[Counted, ...], yes: str, on: Page) -> Measured:
    shares = tuple(_share(c, yes, on.view.missing) for c in counted)
    return Measured(code, Line(label, shares, f"response.{code}", on.refused), counted)


def _class_table(code: str, title: str, rows: list[tuple[str, Counted]], what: str = "") -> Table:
    """Where everybody went: one row a time point and group, adding to N; `what` is a response."""
    if not rows:
        return Table(code, title, (), ())
    codes = tuple(rows[0][1].counts)
    titles = tuple(say(f"class.{name}", what=what) for name in codes)
    columns = (say("column.measure"), say("column.cohort"), *titles, say("column.n"))
    told = [(label, c.group.label, *c.counts.values(), c.n) for label, c in rows]
    disclosed = [
        Disclosed(tuple(c.counts.values()), f"classes.{label}.{c.group.code}") for label, c in rows
    ]
    return Table(code, title, columns, tuple(told), tuple(disclosed), n_labels=2)


def _share_table(results: tuple[Measured, ...]) -> Table:
    first = results[0].line
    columns = [say("column.measure"), *(s.group.label for s in first.shares)]
    for share, _ in first.pairs:
        told = {"cohort": share.group.label, "comparator": first.shares[0].group.label}
        columns.append(say("column.minus", **told))
    return Table(
        "shares",
        say("response.table_shares"),
        tuple(columns),
        tuple(m.line.cells for m in results),
        tuple(m.line.disclosed for m in results),
    )


def _bound_table(results: tuple[Measured, ...]) -> Table:
    """Best and worst case: all that is not known counted as negative, or as not negative."""
    rows, disclosed = [], []
    for m in results[1:]:
        for c in m.counted:
            known = c.counts["negative"] + c.counts["positive"] + c.counts["not_reached"]
            unknown = c.n - known
            worst = Share(c.group, c.counts["negative"], c.n, _why_none(c))
            best = replace(worst, numerator=c.counts["negative"] + unknown)
            rows.append((m.line.label, c.group.label, worst.told, best.told))
            counts = (*worst.counts, *best.counts, unknown)
            disclosed.append(Disclosed(counts, f"bounds.{m.code}.{c.group.code}"))
    columns = (say("column.measure"), say("column.cohort"))
    columns += (say("column.worst"), say("column.best"))
    title = say("response.table_bounds")
    return Table("bounds", title, columns, tuple(rows), tuple(disclosed), n_labels=2)


def _tables(on: Page, results: tuple[Measured, ...]) -> tuple[Table, ...]:
    rule = on.study.response
    what = on.study.milestone_label(rule.remission) if rule else ""
    responses = [(results[0].line.label, c) for c in results[0].counted]
    classes = [(m.line.label, c) for m in results[1:] for c in m.counted]
    found = (
        _share_table(results),
        _class_table("responses", say("response.table_responses"), responses, what),
        _class_table("classes", say("response.table_classes"), classes),
        _bound_table(results),
    )
    return tuple(table for table in found if table.rows)


def _figures(on: Page, results: tuple[Measured, ...], headline: str) -> tuple[Figure, ...]:
    passed = gate()
    rows = [m.line.chart_row(not passed.passes(m.line.disclosed)) for m in results]
    drawn = [r for r in rows if any(p.estimate is not None for p in r.proportions)]
    if not drawn:
        return ()
    missing = say(f"missing.{on.view.missing}")
    caption = on.caption("response.caption", missing=missing, material=_material(on))
    figures = [
        Figure(
            code="response",
            title=say("response.title"),
            chart=dumbbell(rows, say("response.axis")),
            page_height=page_height(rows),
            caption=caption,
            alt_text=say("response.alt", headline=headline),
            tables=("shares",),
        )
    ]
    if any(r.differences for r in rows):
        figures.append(
            Figure(
                code="response_difference",
                title=say("response.title_difference"),
                chart=difference(rows, say("response.axis_difference")),
                page_height=page_height(rows),
                caption=caption,
                alt_text=say("response.alt", headline=headline),
                tables=("shares",),
            )
        )
    return tuple(figures)


def _material(on: Page) -> str:
    """Which samples count."""
    code = on.study.response.material if on.study.response else None
    if code is None:
        return say("response.any_material")
    label = next(x.label for x in on.study.code_list("material") if x.code == code)
    return say("response.material", material=label)


def _measure(threshold: float) -> str:
    """The code of MRD below a threshold: mrd_1e-4."""
    return f"mrd_{threshold:.0e}".replace("e-0", "e-")


def _numbers(on: Page, results: tuple[Measured, ...]) -> tuple[Number, ...]:
    numbers: list[Number] = []
    for m in results:
        is_mrd = m.code != "remission"
        base = replace(
            on.number(),
            timepoint_code=m.code if is_mrd else None,
            measure_code=_measure(on.view.mrd) if is_mrd else "remission_by_landmark",
            denominator_code="enrolled" if on.view.missing == "not_negative" else "evaluable",
        )
        numbers += line_numbers(m.line, base, "proportion")
        for c in m.counted:
            counts = tuple(c.counts.values())
            part = f"classes.{m.line.label}.{c.group.code}"
            for code, n in c.counts.items():
                told = {"cohort": c.group.code, "level_code": code, "statistic": "count"}
                row = replace(base, **told, estimate=n, numerator=n, denominator=c.n)
                row = replace(row, unit="patients", method="count", denominator_code="enrolled")
                numbers.append(replace(row, disclosed=Disclosed(counts, part)))
    return tuple(numbers)


def _notes(on: Page, results: tuple[Measured, ...]) -> list[Note]:
    notes = on.notes()
    if not on.view.timepoint:
        return [*notes, *on.primary(), _without_mrd(on), _missing_note(on)]
    point = next(m for m in results if m.code == on.view.timepoint)
    shares = [c.counts["indeterminate"] / c.n for c in point.counted if c.n]
    if len(shares) > 1 and max(shares) - min(shares) > MOST_INDETERMINATE:
        text = say("response.indeterminate", at=point.line.label)
        notes.append(Note("warning", text, point.line.disclosed))
    mrd = query(on.snapshot, "mrd", on.view.selection, threshold=on.view.mrd)
    here = mrd.filter(pl.col("timepoint_code") == on.view.timepoint, pl.col("is_lod_assumed"))
    if assumed := int(here["n"].sum()):
        text = say("response.assumed", n=assumed, at=point.line.label)
        notes.append(Note("info", text, Disclosed((assumed,), "assumed")))
    return [*notes, *on.primary(), _missing_note(on)]


def _missing_note(on: Page) -> Note:
    return Note("info", say(f"missing.{on.view.missing}"))


def _without_mrd(on: Page) -> Note:
    """Why no MRD is shown."""
    rule = on.study.response
    if rule is None or rule.mrd_measure:
        return Note("info", say("response.no_timepoints"))
    return Note("info", say("response.no_mrd", what=on.study.milestone_label(rule.remission)))


def _not_judged(on: Page) -> str:
    """Which of the chosen kinds of line have no response, in words; empty if all have."""
    rule, study = on.study.response, on.study
    judged = rule.line_codes if rule else ()
    others = [study.line(c).label for c in on.view.selection.line_codes if c not in judged]
    lines = ", ".join(study.line(c).label for c in judged)
    return say("response.not_judged", lines=lines, others=", ".join(others)) if others else ""


def response_answer(snapshot: Snapshot, view: View) -> Answer:
    """The answer of a response view; a study without a response rule says so."""
    on = page("response", snapshot, view)
    if on.study.response is None:
        return on.answer(say("response.none"), [], (), (), ())
    if on.is_empty:
        return on.empty()
    undefined = _not_judged(on)
    if not set(view.selection.line_codes) & set(on.study.response.line_codes):
        return on.answer(undefined, [], (), (), ())
    results = response_lines(on)
    told = [m for m in results[1:] if m.code == view.timepoint] + [results[0]]
    headline = " ".join(headline_of(m.line) for m in told)
    return on.answer(
        headline,
        [*([Note("warning", undefined)] if undefined else []), *_notes(on, results)],
        _figures(on, results, headline),
        _tables(on, results),
        _numbers(on, results),
        headline_disclosed=tuple(m.line.disclosed for m in told),
    )
