"""Reading the part of a study definition about blocks and toxicity."""

from typing import Any

from trial.document import Table, unique
from trial.response_file import Declared, Known, assay_defaults, response, timepoints
from trial.study import (
    Block,
    Category,
    Level,
    Primary,
    Scale,
    Term,
    Toxicity,
)

ATTRIBUTION_DAYS = 30
CODE_LISTS = ("material", "method", "measure", "infusion", "cell_source")
# What a load adds to the definition of a study with an open list of terms.
FOUND_CATEGORY, FOUND_TERM = "found_category", "found_term"
QUESTIONS = ["response", "toxicity", "survival"]


def labelled(root: Table, key: str) -> tuple[Level, ...]:
    """A list of tables with code and label, such as a code list."""
    tables = root.tables(key)
    found = [Level(t.new_code(), t.filled("label")) for t in tables]
    for table in tables:
        table.done()
    unique(tables, [level.code for level in found], key)
    return tuple(found)


def _blocks(root: Table) -> tuple[Block, ...]:
    tables = root.tables("block")
    found = []
    for t in tables:
        days = int(t.number("attribution_days", ATTRIBUTION_DAYS))
        until_relapse = t.flag("until_relapse", True)
        label, note = t.filled("label"), t.text("note", "")
        found.append(Block(t.new_code(), label, note, days, until_relapse))
        t.done()
    unique(tables, [block.code for block in found], "block")
    return tuple(found)


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
        found.append(Scale(t.new_code(), t.filled("label"), t.texts("level", ())))
        if len(found[-1].steps) > 5:
            raise t.error("level", "a scale has at most five steps.")
        t.done()
    unique(tables, [scale.code for scale in found], "scale")
    if len({scale.steps for scale in found if scale.steps}) > 1:
        raise tables[0].error(None, "two scales with different names of their steps: load apart.")
    return tuple(found)


def _toxicity(root: Table) -> Toxicity:
    """Terms as declared, and, in an open list, those that the export brought (`found_term`)."""
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
    found = Toxicity(
        categories=categories,
        terms=_terms([*table.tables("term"), *brought[1]], codes),
        scales=_scales(table),
        grades=tuple(int(grade) for grade in grades),
        most_undocumented=table.number("most_undocumented", 0.2),
        is_open=is_open,
    )
    table.done()
    return found


def _primaries(root: Table) -> tuple[Primary, ...]:
    tables = root.tables("primary")
    found = []
    for t in tables:
        options = t.table("options", None)
        pairs = tuple((key, options.text(key)) for key in options.data) if options else ()
        found.append(Primary(t.code("question", QUESTIONS), t.filled("measure"), pairs))
        t.done()
    if len({p.question for p in found}) < len(found):
        raise tables[-1].error("question", "one primary measure a question, not two.")
    return tuple(found)


def treatment(root: Table, declared: Declared) -> dict[str, Any]:
    """The fields of a Study that are about treatment; a study may have none of them.

    `declared` is what the definition declares elsewhere.
    """
    codes = {name: labelled(root, name) for name in CODE_LISTS}
    blocks = _blocks(root)
    lists = {name: [level.code for level in levels] for name, levels in codes.items()}
    points = timepoints(root, [block.code for block in blocks], declared.milestone_codes)
    known = Known(declared, [b.code for b in blocks], [p.code for p in points], lists)
    return {
        "blocks": blocks,
        "codes": tuple(codes.items()),
        "response": response(root.table("response", None), known),
        "assay_defaults": assay_defaults(root, lists["method"]),
        "timepoints": points,
        "toxicity": _toxicity(root),
        "primaries": _primaries(root),
    }
