"""What kinds of blocks, time and burden share: the events asked for, scales, who is left out."""

from collections.abc import Mapping
from dataclasses import dataclass

from analysis.answer import Account, Answer, Disclosed
from analysis.compose import Page
from analysis.disclosure import gate
from analysis.groups import Group
from analysis.toxicity_items import ANY, FATAL, Items, code_of, kind_of, shown_categories
from analysis.wording import at_least
from trial.words import say
from warehouse.query import query

ALL = "all"
# From this version of the tables on, a course knows until when a child was at risk in it.
KEPT_SINCE = 6


def is_kept(on: Page) -> bool:
    """Whether the data say until when a child was at risk in each course."""
    return on.snapshot.load["schema_version"] >= KEPT_SINCE


def not_kept(on: Page) -> Answer:
    """The answer where they do not: a sentence."""
    return on.answer(say("time.not_kept"), [], (), (), ())


def terms_of(on: Page, item: str) -> list[str]:
    """The terms of an item: of any event those shown, of a fatal one every term."""
    toxicity = on.study.toxicity
    if kind_of(item) == "term":
        return [code_of(item)]
    categories = {"category": [code_of(item)], ANY: shown_categories(on)}.get(kind_of(item))
    return [t.code for t in toxicity.terms if categories is None or t.category_code in categories]


def events_asked(on: Page) -> dict:
    """The events of the view's item and grade, for a query."""
    item = on.view.item
    return {
        "terms": terms_of(on, item),
        "is_fatal": kind_of(item) == FATAL,
        "grade": on.view.grade,
    }


def asked_told(items: Items) -> str:
    """The item and least grade of the view in words; a fatal event counts at every grade."""
    label = items.label(items.on.view.item)
    if kind_of(items.on.view.item) == FATAL:
        return label
    return say("compare.asked", item=label, at_least=at_least(items.on.study, items.on.view.grade))


def scales_told(items: Items, item: str, blocks: tuple[str, ...]) -> str:
    """The scales by which events of an item were graded in some blocks; words if none was."""
    terms = set(terms_of(items.on, item))
    used = {
        scale
        for (_, block, term), found in items.scales.items()
        if block in blocks and term in terms
        for scale in found
    }
    labels = [s.label for s in items.on.study.toxicity.scales if s.code in used]
    return ", ".join(labels) or say("time.no_scales")


def two_scales(items: Items, item: str, blocks: tuple[str, ...]) -> str:
    """Why a term is not compared over some blocks: scales that do not mean the same."""
    if kind_of(item) != "term":
        return ""
    families = {
        items.on.study.toxicity.scale(scale).family
        for (_, block, term), found in items.scales.items()
        if block in blocks and term == code_of(item)
        for scale in found
    }
    return say("toxicity.two_scales") if len(families) > 1 else ""


def rest_of(items: Items, item: str, counted: Mapping[str, int]) -> tuple[int, ...]:
    """Numbers of patients that an item tells beside the items that hold it or are in it.

    `counted`: patients by item. Two looks at the page, at a category and at one of its terms, must
    not be subtracted; so a category stands or falls with its terms, and 'any' with the rest beside
    each category.
    """
    toxicity, kind = items.on.study.toxicity, kind_of(item)
    if kind == FATAL:
        return ()
    if kind == ANY:
        every = counted.get(ALL if items.on.view.extra else ANY, 0)
        inner = [counted.get(f"category/{c}", 0) for c in shown_categories(items.on)]
        beside = counted.get(ALL, 0) - counted.get(ANY, 0)
        return (beside, *(every - n for n in inner if n))
    code = code_of(item) if kind == "category" else toxicity.term(code_of(item)).category_code
    whole = counted.get(f"category/{code}", 0)
    inner = [counted.get(f"term/{t.code}", 0) for t in toxicity.terms if t.category_code == code]
    return (whole, *(n for n in inner if n), *(whole - n for n in inner if n))


def is_withholding() -> bool:
    """Whether the operator withholds small numbers: else nobody needs to know what they tell."""
    return gate().k is not None


@dataclass(frozen=True)
class Among:
    """Of a group: who had any such course, and who of them is documented."""

    group: Group
    n_started: int
    n_documented: int


def among(items: Items, name: str) -> tuple[Among, ...]:
    """Of every group, by a query of n_started and n_documented."""
    found = query(items.on.snapshot, name, items.on.view.selection)
    rows = []
    for group in items.groups:
        mine = found.filter(group.matches)
        started, documented = (int(mine[c].sum()) for c in ("n_started", "n_documented"))
        rows.append(Among(group, started, documented))
    return tuple(rows)


def accounts_of(
    items: Items,
    shown: tuple[Among, ...],
    never: str,
    part: str,
    beside: Mapping[str, tuple[int, ...]] | None = None,
) -> tuple[Account, ...]:
    """Who is in a figure: the documented; outside the population, without such a course, others.

    `never` says in words who had no such course. `beside`: of each group, denominators that are
    told elsewhere; what is left of the documented beside them is known too.
    """
    found = []
    for one in shown:
        size = items.on.sizes[one.group.code]
        reasons = (
            (say("account.filtered"), size.n_enrolled - size.n_population),
            (never, size.n_population - one.n_started),
            (say("compare.not_documented"), one.n_started - one.n_documented),
        )
        counts = (one.n_documented, *(n for _, n in reasons))
        told = tuple((reason, n) for reason, n in reasons if n)
        others = (beside or {}).get(one.group.code, ())
        rest = tuple(abs(one.n_documented - n) for n in others)
        disclosed = Disclosed((*counts, *rest), f"{part}.{one.group.code}")
        found.append(Account(one.group.label, size.n_enrolled, one.n_documented, told, disclosed))
    return tuple(found)
