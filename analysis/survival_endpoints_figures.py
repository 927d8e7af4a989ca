"""The list of endpoints as pictures: values on one axis, differences on another."""

from dataclasses import replace
from functools import partial

from analysis.answer import Account, Disclosed, Figure
from analysis.charts.response import difference, dumbbell, page_height
from analysis.charts.rows import Amount, Difference, Row
from analysis.compose import Page
from analysis.disclosure import gate
from analysis.groups import origin_label
from analysis.incidence_results import GroupIncidence
from analysis.stats.estimate import Estimate
from analysis.survival_endpoints_results import EndpointRow
from analysis.wording import time_in_words, written
from trial.study import ENROLLMENT, Endpoint
from trial.words import say

MOST_WITH_COUNTS = 2


def label_of(endpoint: Endpoint) -> str:
    """Abbreviation and label."""
    return say("endpoints.label", abbreviation=endpoint.abbreviation, label=endpoint.label)


def zero_of(on: Page, endpoint: Endpoint) -> str:
    """The time zero, and that only some reached it where it is a later one."""
    key = "endpoints.zero" if endpoint.origin == ENROLLMENT else "endpoints.zero_among"
    return say(key, origin=origin_label(on.study, endpoint, on.view.selection))


def better_of(on: Page, endpoint: Endpoint) -> str:
    """Which direction is better; coming to the goal of the bridge is neither."""
    if endpoint.kind == "survival":
        return say("endpoints.higher")
    bridge = on.study.survival.bridge
    is_goal = bridge is not None and bridge.reach == endpoint.code
    return say("endpoints.neither" if is_goal else "endpoints.lower")


# ---------------------------------------------------------------- rows


def _value(row: EndpointRow, g: GroupIncidence, found: Estimate) -> Amount:
    """Its counts stand beside the dot; in words why there is none."""
    counted = {"events": row.events_by(g), "n": g.n}
    number = say("endpoints.number", **counted)
    if found.estimate is None:
        reason = found.reason or ""
        return Amount(g.group.label, g.group.role, None, number=number, instead=reason)
    value = f"{100 * found.estimate:.0f} %".rjust(5, "\u2007")
    told = written(found, lambda x: f"{100 * x:.1f}", " %")
    return Amount(
        g.group.label,
        g.group.role,
        found.estimate,
        found.lower,
        found.upper,
        number=_number(row, value, counted),
        more=say("endpoints.more", value=told, **counted),
    )


def _number(row: EndpointRow, value: str, counted: dict[str, int]) -> str:
    """Of many groups the percentage alone has room; the rest is told where the pointer is."""
    if len(row.found) > MOST_WITH_COUNTS:
        return value
    return say("endpoints.number_percent", value=value, **counted)


def _hidden(row: EndpointRow) -> tuple[Amount, ...]:
    hidden = say("disclosure.short")
    return tuple(Amount(g.group.label, g.group.role, None, instead=hidden) for g in row.found)


def _differences(row: EndpointRow) -> tuple[Difference, ...]:
    reference, drawn = row.found[0].group.label, []
    for g, found in row.pairs:
        name = say("share.minus", cohort=g.group.label, comparator=reference)
        limits = (found.estimate, found.lower, found.upper)
        drawn.append(Difference(name, g.group.role, *limits, instead=found.reason or ""))
    return tuple(drawn)


def drawn_row(on: Page, row: EndpointRow) -> Row:
    """An endpoint as the pictures draw it; a withheld one says so."""
    endpoint = row.endpoint
    label = endpoint.abbreviation
    if row.is_incidence:
        label = say("endpoints.drawn", abbreviation=label, better=better_of(on, endpoint))
    shown = Row(label, (), small=zero_of(on, endpoint))
    if not gate().passes(row.disclosed):
        return replace(shown, proportions=_hidden(row))
    values = zip(row.found, row.values, strict=True)
    return replace(
        shown,
        proportions=tuple(_value(row, g, value) for g, value in values),
        differences=_differences(row),
    )


# ---------------------------------------------------------------- figures


def population_accounts(on: Page) -> tuple[Account, ...]:
    """The whole population: each row says how many of it it counts."""
    found = []
    for size in on.sizes.values():
        outside = size.n_enrolled - size.n_population
        told = ((say("account.filtered"), outside),) if outside else ()
        disclosed = Disclosed((size.n_population, outside), f"population.{size.code}")
        found.append(Account(size.label, size.n_enrolled, size.n_population, told, disclosed))
    return tuple(found)


def endpoint_figures(on: Page, rows: tuple[EndpointRow, ...], headline: str) -> tuple[Figure, ...]:
    """Values, and right of them the differences; none where there is nothing to draw."""
    drawn = [drawn_row(on, row) for row in rows]
    if not any(p.estimate is not None for row in drawn for p in row.proportions):
        return ()
    when = time_in_words(on.study, on.view.time)
    first = Figure(
        code="endpoints",
        title=say("endpoints.title", time=when),
        draw=partial(dumbbell, drawn, say("endpoints.axis")),
        page_height=page_height(drawn),
        caption=on.caption("endpoints.caption", time=when),
        alt_text=say("endpoints.alt", headline=headline),
        tables=("endpoints", "left_out"),
        accounts=population_accounts(on),
    )
    if not any(d.estimate is not None for row in drawn for d in row.differences):
        return (first,)
    title, axis = say("endpoints.title_difference", time=when), say("response.axis_difference")
    other = replace(first, code="endpoints_difference", title=title)
    return (first, replace(other, draw=partial(difference, drawn, axis)))
