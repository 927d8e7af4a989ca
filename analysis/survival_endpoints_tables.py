"""The list of endpoints as tables and tidy numbers: values, day 0, who is in it, definitions."""

from dataclasses import replace

from analysis.answer import Number, Table, of_estimate
from analysis.compose import Page
from analysis.incidence_results import GroupIncidence
from analysis.shares import Share
from analysis.stats.estimate import Estimate
from analysis.survival_endpoints_figures import better_of, label_of, zero_of
from analysis.survival_endpoints_results import DayZero, EndpointRow, day_zero
from analysis.wording import points, time_in_words, written
from trial.words import say


def _percent(found: Estimate) -> str:
    return written(found, lambda x: f"{100 * x:.1f}", " %")


def _cell(row: EndpointRow, g: GroupIncidence, value: Estimate) -> str:
    if not g.n and "not_defined" in g.ended.left_out:
        return say("endpoints.no_group")
    events, total = row.events_by(g), g.counts.n_events[0]
    counts = {"events": events, "n": g.n, "at_risk": row.at_risk(g)}
    cell = say("endpoints.cell", told=_percent(value), **counts)
    return cell if total == events else say("endpoints.cell_later", cell=cell, total=total, n=g.n)


def _values(on: Page, rows: tuple[EndpointRow, ...]) -> Table:
    told = []
    for row in rows:
        values = zip(row.found, row.values, strict=True)
        cells = [_cell(row, g, value) for g, value in values]
        pairs = [written(found, points) for _, found in row.pairs]
        labels = (label_of(row.endpoint), zero_of(on, row.endpoint), better_of(on, row.endpoint))
        told.append((*labels, *cells, *pairs))
    columns = [say(f"endpoints.column_{x}") for x in ("endpoint", "zero", "better")]
    if rows:
        reference = rows[0].found[0].group.label
        columns += [g.group.label for g in rows[0].found]
        columns += [
            say("column.minus", cohort=g.group.label, comparator=reference)
            for g, _ in rows[0].pairs
        ]
    title = say("endpoints.table", time=time_in_words(on.study, on.view.time))
    disclosed = tuple(row.disclosed for row in rows)
    return Table("endpoints", title, tuple(columns), tuple(told), disclosed, n_labels=3)


def _share(x: DayZero) -> Share:
    return Share(x.g.group, x.n_events, x.g.n)


def _day_0_told(x: DayZero) -> str:
    rest = x.g.n - x.n_events
    return say("endpoints.day_0", counted=_share(x).told, rest=rest, told=_percent(x.rest))


def _day_0(on: Page, rows: tuple[EndpointRow, ...]) -> Table:
    told, disclosed = [], []
    for row in rows:
        if found := day_zero(row):
            told.append((label_of(row.endpoint), *map(_day_0_told, found)))
            disclosed.append(row.disclosed)
    columns = [say("endpoints.column_endpoint"), *_group_labels(rows)]
    title = say("endpoints.table_day_0", time=time_in_words(on.study, on.view.time))
    return Table("day_0", title, tuple(columns), tuple(told), tuple(disclosed))


def _group_labels(rows: tuple[EndpointRow, ...]) -> list[str]:
    return [g.group.label for g in rows[0].found] if rows else []


def _left_out(on: Page, rows: tuple[EndpointRow, ...]) -> Table:
    told = []
    for row in rows:
        words = {
            "origin": on.study.milestone_label(row.endpoint.origin),
            "censor": on.study.milestone_label(row.endpoint.censor),
        }
        cells = [_left_out_told(g, words) for g in row.found]
        told.append((label_of(row.endpoint), *cells))
    columns = (say("endpoints.column_endpoint"), *_group_labels(rows))
    disclosed = tuple(row.disclosed for row in rows)
    return Table("left_out", say("endpoints.table_left_out"), columns, tuple(told), disclosed)


def _left_out_told(g: GroupIncidence, words: dict[str, str]) -> str:
    reasons = "".join(
        say("endpoints.reason", n=n, reason=say(f"endpoints.{reason}", **words))
        for reason, n in sorted(g.ended.left_out.items())
    )
    return say("endpoints.left_out", n=g.n, of=g.ended.n_population, reasons=reasons)


def _definitions(on: Page, rows: tuple[EndpointRow, ...]) -> Table:
    told = [(label_of(r.endpoint), zero_of(on, r.endpoint), r.endpoint.definition) for r in rows]
    columns = [say(f"endpoints.column_{x}") for x in ("endpoint", "zero", "definition")]
    title = say("endpoints.table_definitions")
    return Table("definitions", title, tuple(columns), tuple(told), is_prose=True)


def endpoint_tables(on: Page, rows: tuple[EndpointRow, ...]) -> tuple[Table, ...]:
    """Values first; who is in each endpoint and the definitions last."""
    return (_values(on, rows), _day_0(on, rows), _left_out(on, rows), _definitions(on, rows))


# ---------------------------------------------------------------- numbers


def endpoint_numbers(on: Page, rows: tuple[EndpointRow, ...]) -> list[Number]:
    """Of every endpoint: each group's value, counts and day 0, and every difference."""
    numbers = []
    for row in rows:
        base = replace(on.number(), endpoint=row.endpoint.code, disclosed=row.disclosed)
        timed = replace(base, time_days=row.days, unit="proportion")
        for g, value in zip(row.found, row.values, strict=True):
            mine = replace(timed, cohort=g.group.code, denominator=g.n)
            mine = replace(mine, statistic="endpoint_value", numerator=row.events_by(g))
            numbers += [replace(mine, **of_estimate(value)), *_counts(row, g, base)]
        for g, found in row.pairs:
            pair = replace(timed, cohort=g.group.code, comparator=row.found[0].group.code)
            pair = replace(pair, statistic="endpoint_difference")
            numbers.append(replace(pair, **of_estimate(found)))
        numbers += [n for x in day_zero(row) for n in _day_0_numbers(x, timed)]
    return numbers


def _counts(row: EndpointRow, g: GroupIncidence, base: Number) -> list[Number]:
    """Patients in the estimate, their events so far, those left out by reason."""
    told = replace(base, cohort=g.group.code, unit="patients", method="count")

    def count(statistic: str, n: int, of: int, reason: str | None = None) -> Number:
        row = replace(told, statistic=statistic, level_code=reason)
        return replace(row, estimate=n, numerator=n, denominator=of)

    of = g.ended.n_population
    numbers = [count("endpoint_n", g.n, of)]
    numbers.append(count("endpoint_events", g.counts.n_events[0], g.n))
    left_out = sorted(g.ended.left_out.items())
    return numbers + [count("endpoint_left_out", n, of, reason) for reason, n in left_out]


def _day_0_numbers(x: DayZero, base: Number) -> list[Number]:
    mine = replace(base, cohort=x.g.group.code)
    share = replace(mine, statistic="day_0_proportion", time_days=0.0)
    share = replace(share, numerator=x.n_events, denominator=x.g.n)
    rest = replace(mine, statistic="survival_after_day_0", denominator=x.g.n - x.n_events)
    return [
        replace(share, **of_estimate(_share(x).found)),
        replace(rest, **of_estimate(x.rest)),
    ]
