"""Reading the part of a study definition about blocks, response, samples and toxicity."""

from typing import Any

from trial.document import Table, unique
from trial.study import (
    AssayDefault,
    Block,
    Category,
    Level,
    LineKind,
    Primary,
    ResponseRule,
    Scale,
    Term,
    Timepoint,
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


def _response(
    table: Table | None, milestones: list[str], lines: tuple[LineKind, ...], codes: dict
) -> ResponseRule | None:
    if table is None:
        return None
    known = [line.code for line in lines]
    chosen = table.texts("lines", tuple(known))
    if set(chosen) - set(known):
        raise table.error("lines", f"these are not all lines of this study: {', '.join(known)}.")
    methods = [level.code for level in codes["method"]]
    rule = ResponseRule(
        line_codes=chosen,
        landmark_day=int(table.number("landmark_day")),
        assessed_from_day=int(table.number("assessed_from_day")),
        remission=table.code("remission", milestones),
        relapse=table.code("relapse", milestones, None),
        death=table.code("death", milestones),
        contact=table.code("contact", milestones),
        lost=table.code("lost", milestones, None),
        material=table.code("material", [level.code for level in codes["material"]], None),
        mrd_measure=table.code("mrd_measure", [level.code for level in codes["measure"]], None),
        method_order=table.texts("method_order", ()),
        thresholds=table.numbers("thresholds", ()),
    )
    if set(rule.method_order) - set(methods):
        raise table.error("method_order", f"these are not all methods: {', '.join(methods)}.")
    if not 0 <= rule.assessed_from_day < rule.landmark_day:
        raise table.error("landmark_day", "the landmark comes after 'assessed_from_day'.")
    if bool(rule.thresholds) != bool(rule.mrd_measure):
        raise table.error(None, "'mrd_measure' and 'thresholds' go together.")
    if not all(0 < t < 1 for t in rule.thresholds):
        raise table.error("thresholds", "a threshold is a fraction between 0 and 1.")
    table.done()
    return rule


def _assay_defaults(root: Table, codes: dict) -> tuple[AssayDefault, ...]:
    found = []
    for t in root.tables("assay_default"):
        method = t.code("method", [level.code for level in codes["method"]])
        years = int(t.number("from_year")), int(t.number("to_year"))
        found.append(AssayDefault(method, *years, t.number("lod")))
        t.done()
    return tuple(found)


def _timepoints(root: Table, blocks: list[str], milestones: list[str]) -> tuple[Timepoint, ...]:
    tables = root.tables("timepoint")
    found = []
    for t in tables:
        point = Timepoint(
            code=t.new_code(),
            label=t.filled("label"),
            after_block=t.code("after_block", blocks, None),
            before_block=t.code("before_block", blocks, None),
            before_milestone=t.code("before_milestone", milestones, None),
            from_day=int(t.number("from_day")),
            to_day=int(t.number("to_day")),
        )
        anchors = (point.after_block, point.before_block, point.before_milestone)
        if sum(anchor is not None for anchor in anchors) != 1:
            raise t.error(None, "one of after_block, before_block, before_milestone is needed.")
        if point.from_day > point.to_day:
            raise t.error("from_day", "the window must not end before it begins.")
        found.append(point)
        t.done()
    unique(tables, [point.code for point in found], "timepoint")
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


def treatment(root: Table, milestones: list[str], lines: tuple[LineKind, ...]) -> dict[str, Any]:
    """The fields of a Study that are about treatment; a study may have none of them."""
    codes = {name: labelled(root, name) for name in CODE_LISTS}
    blocks = _blocks(root)
    return {
        "blocks": blocks,
        "codes": tuple(codes.items()),
        "response": _response(root.table("response", None), milestones, lines, codes),
        "assay_defaults": _assay_defaults(root, codes),
        "timepoints": _timepoints(root, [block.code for block in blocks], milestones),
        "toxicity": _toxicity(root),
        "primaries": _primaries(root),
    }
