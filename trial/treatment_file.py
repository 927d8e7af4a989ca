"""Reading the part of a study definition about blocks and primary measures."""

from typing import Any

from trial.document import Table, unique
from trial.response_file import Declared, Known, assay_defaults, response, timepoints
from trial.study import Block, Level, Primary
from trial.toxicity_file import toxicity

ATTRIBUTION_DAYS = 30
CODE_LISTS = (
    *("material", "method", "measure", "infusion", "cell_source"),
    *("infection_site", "pathogen", "documentation"),
)
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
        planned = t.number("planned_days", None)
        told = (t.filled("label"), t.text("note", ""), days, until_relapse)
        found.append(Block(t.new_code(), *told, None if planned is None else int(planned)))
        t.done()
    unique(tables, [block.code for block in found], "block")
    return tuple(found)


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
        "toxicity": toxicity(root, declared, [b.code for b in blocks]),
        "primaries": _primaries(root),
    }
