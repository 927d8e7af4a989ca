"""Reading the part of a study definition about response: its rule, samples, courses and flow."""

from dataclasses import dataclass

from trial.document import Table, unique
from trial.response import (
    AS_RECORDED,
    AssayDefault,
    CourseRule,
    FlowStage,
    ResponseDefinition,
    ResponseRule,
    Timepoint,
)

STAGES = ("remission", "timepoint", "block", "milestone", "state")


@dataclass(frozen=True)
class Declared:
    """What the definition declares elsewhere: codes; of a milestone also its details."""

    lines: tuple[str, ...]
    cohorts: tuple[str, ...]
    milestones: dict[str, tuple[str, ...]]
    endpoints: dict[str, str]

    @property
    def milestone_codes(self) -> list[str]:
        """Milestones that an export brings."""
        return list(self.milestones)


@dataclass(frozen=True)
class Known:
    """All codes that the response part may name: those, blocks, time points and code lists."""

    declared: Declared
    blocks: list[str]
    timepoints: list[str]
    lists: dict[str, list[str]]


def _some(table: Table, key: str, allowed: list[str], default: tuple[str, ...]) -> tuple[str, ...]:
    chosen = table.texts(key, default)
    if unknown := set(chosen) - set(allowed):
        told = ", ".join(sorted(unknown))
        raise table.error(key, f"not known as {key}: {told}. Allowed: {', '.join(allowed)}.")
    return chosen


def response(table: Table | None, known: Known) -> ResponseRule | None:
    """The response rule; None if the study has none."""
    if table is None:
        return None
    milestones, lists = known.declared.milestone_codes, known.lists
    remission = table.code("remission", milestones)
    rule = ResponseRule(
        line_codes=_some(table, "lines", list(known.declared.lines), known.declared.lines),
        landmark_day=int(table.number("landmark_day")),
        assessed_from_day=int(table.number("assessed_from_day")),
        remission=remission,
        relapse=table.code("relapse", milestones, None),
        death=table.code("death", milestones),
        contact=table.code("contact", milestones),
        lost=table.code("lost", milestones, None),
        material=table.code("material", lists["material"], None),
        mrd_measure=table.code("mrd_measure", lists["measure"], None),
        method_order=_some(table, "method_order", lists["method"], ()),
        thresholds=table.numbers("thresholds", ()),
        needs_sample=table.flag("needs_sample", True),
        definitions=_definitions(table, known.declared.milestones[remission]),
        course=_course(table.table("course", None), known),
        flow=tuple(_stage(t, known) for t in table.tables("flow")),
    )
    _check(table, rule)
    table.done()
    return rule


def _check(table: Table, rule: ResponseRule) -> None:
    if not 0 <= rule.assessed_from_day < rule.landmark_day:
        raise table.error("landmark_day", "the landmark comes after 'assessed_from_day'.")
    if bool(rule.thresholds) != bool(rule.mrd_measure):
        raise table.error(None, "'mrd_measure' and 'thresholds' go together.")
    if not all(0 < t < 1 for t in rule.thresholds):
        raise table.error("thresholds", "a threshold is a fraction between 0 and 1.")
    if rule.course and not rule.mrd_measure:
        raise table.error("course", "courses are compared by MRD: 'mrd_measure' is missing.")
    if len({(s.kind, s.code) for s in rule.flow}) < len(rule.flow):
        raise table.error("flow", "a stage of the flow stands twice.")
    if any(stage.kind == "state" for stage in rule.flow[:-1]):
        raise table.error("flow", "the state at a time is the last stage.")


def _definitions(table: Table, details: tuple[str, ...]) -> tuple[ResponseDefinition, ...]:
    tables = table.tables("definition")
    found = []
    for t in tables:
        chosen = _some(t, "details", list(details), ())
        label, note = t.filled("label"), t.text("note", "")
        found.append(ResponseDefinition(t.new_code(), label, note, chosen))
        t.done()
    unique(tables, [definition.code for definition in found], "definition")
    return tuple(found) or (AS_RECORDED,)


def _course(table: Table | None, known: Known) -> CourseRule | None:
    if table is None:
        return None
    lists = known.lists
    rule = CourseRule(
        block_code=table.code("block", known.blocks),
        before_days=int(table.number("before_days")),
        after_from_day=int(table.number("after_from_day")),
        after_to_day=int(table.number("after_to_day")),
        high_measure=table.code("high_measure", lists["measure"], None),
        high_from=float(table.number("high_from", 0.0)),
        drug=table.code("drug", lists["infusion"], None),
        cells=table.code("cells", lists["infusion"], None),
        cells_by_day=int(table.number("cells_by_day", 0)),
        cells_planned_in=_some(table, "cells_planned_in", list(known.declared.cohorts), ()),
        cells_not_after=table.code("cells_not_after", known.declared.milestone_codes, None),
        other_sources=_some(table, "other_sources", lists["cell_source"], ()),
    )
    if not 0 < rule.after_from_day <= rule.after_to_day:
        raise table.error("after_to_day", "the window must not end before it begins.")
    if bool(rule.high_measure) != bool(rule.high_from):
        raise table.error(None, "'high_measure' and 'high_from' go together.")
    if bool(rule.cells) != bool(rule.cells_by_day):
        raise table.error(None, "'cells' and 'cells_by_day' go together.")
    table.done()
    return rule


def _stage(table: Table, known: Known) -> FlowStage:
    kind = table.code("stage", list(STAGES))
    allowed = {
        "timepoint": known.timepoints,
        "block": known.blocks,
        "milestone": known.declared.milestone_codes,
    }
    if kind in allowed:
        stage = FlowStage(kind, table.code("code", allowed[kind]))
    elif kind == "state":
        free, alive = (_curve(table, key, known) for key in ("event_free", "alive"))
        stage = FlowStage(kind, "", free, alive, float(table.number("at")))
    else:
        stage = FlowStage(kind)
    table.done()
    return stage


def _curve(table: Table, key: str, known: Known) -> str:
    curves = [code for code, kind in known.declared.endpoints.items() if kind == "survival"]
    return table.code(key, curves)


def assay_defaults(root: Table, methods: list[str]) -> tuple[AssayDefault, ...]:
    """Detection limits where the export has none."""
    found = []
    for t in root.tables("assay_default"):
        method = t.code("method", methods)
        years = int(t.number("from_year")), int(t.number("to_year"))
        found.append(AssayDefault(method, *years, t.number("lod")))
        t.done()
    return tuple(found)


def timepoints(root: Table, blocks: list[str], milestones: list[str]) -> tuple[Timepoint, ...]:
    """The time points of MRD."""
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
        if point.code == "remission":
            raise t.error("code", "'remission' is what links call the response at the landmark.")
        found.append(point)
        t.done()
    unique(tables, [point.code for point in found], "timepoint")
    return tuple(found)
