"""Reading the part of a study definition about adverse events."""

from trial.document import Table, nearest, unique
from trial.response_file import Declared
from trial.study import BlockGroup, Category, DeathRule, Scale, Term, Toxicity

# What a load adds to the definition of a study with an open list of terms.
FOUND_CATEGORY, FOUND_TERM = "found_category", "found_term"
CAUSES = ("toxic_causes", "disease_causes")


def _categories(tables: list[Table]) -> tuple[Category, ...]:
    found = tuple(
        Category(t.new_code(), t.filled("label"), t.flag("default", True)) for t in tables
    )
    for t in tables:
        t.done()
    unique(tables, [category.code for category in found], "category")
    return found


def _terms(tables: list[Table], categories: list[str]) -> tuple[Term, ...]:
    terms = [Term(t.new_code(), t.filled("label"), t.code("category", categories)) for t in tables]
    for t in tables:
        t.done()
    unique(tables, [term.code for term in terms], "term")
    return tuple(terms)


def _scales(table: Table) -> tuple[Scale, ...]:
    tables = table.tables("scale")
    found = []
    for t in tables:
        label = t.filled("label")
        # Versions of one scale are called alike: CTCAE 4.03, CTCAE 5.
        family = t.text("family", label.partition(" ")[0])
        found.append(Scale(t.new_code(), label, t.texts("level", ()), family))
        if len(found[-1].steps) > 5:
            raise t.error("level", "a scale has at most five steps.")
        t.done()
    unique(tables, [scale.code for scale in found], "scale")
    if len({scale.steps for scale in found if scale.steps}) > 1:
        raise tables[0].error(None, "two scales with different names of their steps: load apart.")
    return tuple(found)


def _pinned(table: Table, items: list[str], is_open: bool) -> tuple[str, ...]:
    """Items that stand first. Those of an open list are known after loading only."""
    pinned = tuple(table.texts("pinned", ()))
    for item in pinned:
        if item not in items and not is_open:
            hint = nearest(item, items)
            raise table.error("pinned", f"{item!r} is no item of this study.{hint}")
    if len(set(pinned)) < len(pinned):
        raise table.error("pinned", "an item is pinned once.")
    return pinned


def _groups(table: Table, blocks: list[str]) -> tuple[BlockGroup, ...]:
    tables = table.tables("group")
    found = []
    for t in tables:
        codes = t.texts("blocks")
        if unknown := [code for code in codes if code not in blocks]:
            raise t.error("blocks", f"{unknown[0]!r} is no block.{nearest(unknown[0], blocks)}")
        found.append(BlockGroup(t.new_code(), t.filled("label"), tuple(codes)))
        t.done()
    unique(tables, [group.code for group in found], "group")
    named = [code for group in found for code in group.block_codes]
    if len(set(named)) < len(named):
        raise tables[-1].error("blocks", "a block belongs to one group.")
    return tuple(found)


def _death(table: Table | None, declared: Declared) -> DeathRule | None:
    """The rule about deaths: its causes are details of the milestone `milestone`."""
    if table is None:
        return None
    milestones = declared.milestone_codes
    death = table.code("milestone", milestones)
    causes = list(declared.milestones[death])
    toxic, disease = (tuple(table.texts(key, ())) for key in CAUSES)
    for key, named in zip(CAUSES, (toxic, disease), strict=True):
        if unknown := [cause for cause in named if cause not in causes]:
            raise table.error(key, f"{unknown[0]!r} is no detail of {death!r}.")
    if set(toxic) & set(disease):
        raise table.error(CAUSES[1], "a cause is toxic or of the disease, not both.")
    others = (
        table.code("transplant", milestones, None),
        table.code("malignancy", milestones, None),
    )
    table.done()
    return DeathRule(toxic, disease, *others)


def toxicity(root: Table, declared: Declared, blocks: list[str]) -> Toxicity:
    """What a study says about adverse events; nothing if it has no such table.

    Terms are those declared and, in an open list, those that the export brought (`found_term`).
    """
    brought = root.tables(FOUND_CATEGORY), root.tables(FOUND_TERM)
    table = root.table("toxicity", None)
    if table is None:
        return Toxicity()
    is_open = table.flag("open_terms", False)
    at_least = 0 if is_open else 1
    categories = _categories([*table.tables("category", at_least), *brought[0]])
    grades = table.numbers("grades")
    if not set(grades) <= {1, 2, 3, 4, 5} or not grades:
        raise table.error("grades", "grades are whole numbers from 1 to 5.")
    codes = [category.code for category in categories]
    terms = _terms([*table.tables("term"), *brought[1]], codes)
    items = ["fatal", *(f"category/{c}" for c in codes), *(f"term/{t.code}" for t in terms)]
    found = Toxicity(
        categories=categories,
        terms=terms,
        scales=_scales(table),
        grades=tuple(int(grade) for grade in grades),
        most_undocumented=table.number("most_undocumented", 0.2),
        is_open=is_open,
        pinned=_pinned(table, items, is_open),
        infections=table.code("infections", codes, None),
        block_groups=_groups(table, blocks),
        death=_death(table.table("death", None), declared),
    )
    table.done()
    return found
