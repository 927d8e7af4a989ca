"""The flow of patients: from enrollment through response, MRD, block and transplant to a state."""

from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from analysis.answer import Answer, Disclosed, Figure, Number, Table
from analysis.charts.flow import Band, Flow, Node, Stage, flow_chart, flow_height
from analysis.compose import Page
from analysis.groups import Group
from analysis.link import threshold_of
from analysis.measures import (
    RESPONSE,
    Counted,
    Rule,
    accounts,
    class_label,
    judged_groups,
    label_of,
    measure_of,
)
from analysis.wording import time_in_words
from trial.response import FlowStage
from trial.words import say
from warehouse.query import flow_paths

# Of MRD these classes are one node: nothing definite is known.
NOT_KNOWN = ("not_evaluable", "not_sampled", "too_early", "in_doubt")
# The nodes of each kind of stage, in the order they are drawn, with how they are toned.
NODES: dict[str, dict[str, str]] = {
    "remission": {
        "remission": "good", "other_remission": "between", "non_response": "bad",
        "early_death": "ended",
        "not_evaluable": "unknown", "in_doubt": "unknown",
    },
    "timepoint": {
        "negative": "good", "indeterminate": "between", "positive": "bad",
        "not_known": "unknown", "died": "ended", "not_reached": "ended",
    },
    "block": {"started": "good", "in_doubt": "unknown", "not_started": "ended"},
    "milestone": {"happened": "good", "in_doubt": "unknown", "not_happened": "ended"},
    "state": {
        "alive_without_event": "good", "alive_after_event": "between", "dead": "bad",
        "not_followed": "unknown", "unknown": "unknown",
    },
}  # fmt: skip
NONE = {
    "remission": "not_evaluable",
    "timepoint": "not_reached",
    "block": "not_started",
    "milestone": "not_happened",
    "state": "unknown",
}


@dataclass(frozen=True)
class _Paths:
    """The paths of a group: one row a path, a column a stage, n."""

    group: Group
    frame: pl.DataFrame

    @property
    def n(self) -> int:
        """Everybody."""
        return int(self.frame["n"].sum())


def flow_stages(on: Page) -> tuple[FlowStage, ...]:
    """The stages that the study declares."""
    return on.study.response.flow if on.study.response else ()


def as_nodes(on: Page, frame: pl.DataFrame) -> pl.DataFrame:
    """The stages of a query as nodes: MRD without a definite class is one, no row is another."""
    for k, stage in enumerate(flow_stages(on)):
        column = pl.col(f"stage_{k}")
        if stage.kind == "timepoint":
            column = pl.when(column.is_in(NOT_KNOWN)).then(pl.lit("not_known")).otherwise(column)
        column = pl.when(column == "none").then(pl.lit(NONE[stage.kind])).otherwise(column)
        frame = frame.with_columns(column.alias(f"stage_{k}"))
    return frame


def _paths(on: Page) -> list[_Paths]:
    threshold = threshold_of(on.view.mrd) if on.view.mrd else None
    frame = as_nodes(on, flow_paths(on.snapshot, on.view.selection, on.view.definition, threshold))
    return [_Paths(g, frame.filter(g.matches)) for g in judged_groups(on)]


def stage_label(on: Page, stage: FlowStage) -> str:
    """A stage in words."""
    study = on.study
    if stage.kind == "remission":
        return label_of(study, measure_of(on.view, "remission"))
    if stage.kind == "timepoint":
        return label_of(study, measure_of(on.view, stage.code))
    if stage.kind == "block":
        return study.block(stage.code).label
    if stage.kind == "milestone":
        return study.milestone_label(stage.code)
    return say("flow.at", time=time_in_words(study, stage.at))


def node_label(on: Page, stage: FlowStage, code: str) -> str:
    """A node in words."""
    if stage.kind == "remission" or (stage.kind == "timepoint" and code != "not_known"):
        return class_label(on.study, code)
    what = ""
    if stage.kind == "block":
        what = on.study.block(stage.code).label
    if stage.kind == "milestone":
        what = on.study.milestone_label(stage.code)
    return say(f"flow.{code}", what=what)


def _counts(paths: _Paths, *columns: str) -> list[tuple]:
    return paths.frame.group_by(*columns).agg(pl.col("n").sum()).rows() if paths.n else []


def _flow(on: Page, paths: _Paths) -> Flow:
    stages = []
    for k, stage in enumerate(flow_stages(on)):
        found = dict(_counts(paths, f"stage_{k}"))
        nodes = tuple(
            Node(code, node_label(on, stage, code), int(found[code]), tone)
            for code, tone in NODES[stage.kind].items()
            if found.get(code)
        )
        stages.append(Stage(stage_label(on, stage), nodes))
    first = Stage(say("flow.enrolled"), (Node("all", say("flow.all"), paths.n, "plain"),))
    bands = [Band(0, "all", node.code, node.n) for node in stages[0].nodes]
    for k in range(len(stages) - 1):
        found = _counts(paths, f"stage_{k}", f"stage_{k + 1}")
        bands += [Band(k + 1, a, b, int(n)) for a, b, n in found]
    return Flow(paths.group.label, paths.group.role, (first, *stages), tuple(bands))


def _all_counts(on: Page, paths: _Paths) -> tuple[int, ...]:
    """Every node and band."""
    counts = [n for k in range(len(flow_stages(on))) for _, n in _counts(paths, f"stage_{k}")]
    for k in range(len(flow_stages(on)) - 1):
        counts += [n for _, _, n in _counts(paths, f"stage_{k}", f"stage_{k + 1}")]
    return tuple(int(n) for n in counts)


def _figure(on: Page, paths: _Paths) -> Figure:
    flow = _flow(on, paths)
    everybody = Counted(paths.group, RESPONSE, {("remission", True): paths.n})
    rule = Rule("enrolled", "not_negative")
    return Figure(
        code=f"flow_{paths.group.code}".replace("/", "_"),
        title=say("flow.title", group=paths.group.label, n=paths.n),
        draw=partial(flow_chart, flow),
        page_height=flow_height(flow),
        caption=on.caption("flow.caption"),
        alt_text=_in_words(on, paths),
        tables=("flow",),
        disclosed=(Disclosed(_all_counts(on, paths), f"flow.{paths.group.code}"),),
        accounts=accounts(on, (everybody,), rule, f"flow.{paths.group.code}"),
    )


def _in_words(on: Page, paths: _Paths) -> str:
    """How many there are at each stage."""
    told = []
    for k, stage in enumerate(flow_stages(on)):
        found = dict(_counts(paths, f"stage_{k}"))
        nodes = [
            f"{found[code]} {node_label(on, stage, code)}"
            for code in NODES[stage.kind]
            if found.get(code)
        ]
        told.append(f"{stage_label(on, stage)}: {', '.join(nodes)}")
    return say("flow.words", group=paths.group.label, n=paths.n, stages="; ".join(told))


def _table(on: Page, every: list[_Paths]) -> Table:
    """One row a stage and node; a column a group, n of N."""
    rows, disclosed = [], []
    for k, stage in enumerate(flow_stages(on)):
        found = [dict(_counts(paths, f"stage_{k}")) for paths in every]
        for code in NODES[stage.kind]:
            counts = [int(f.get(code, 0)) for f in found]
            if not any(counts):
                continue
            told = [say("lens.of", n=n, of=p.n) for n, p in zip(counts, every, strict=True)]
            rows.append((stage_label(on, stage), node_label(on, stage, code), *told))
            left = [p.n - n for n, p in zip(counts, every, strict=True)]
            disclosed.append(Disclosed((*counts, *left), f"flow.stage_{k}"))
    columns = (say("flow.column_stage"), say("flow.column_node"), *(p.group.label for p in every))
    title = say("flow.table")
    return Table("flow", title, columns, tuple(rows), tuple(disclosed), n_labels=2)


def _path_numbers(on: Page, paths: _Paths) -> list[Number]:
    columns = [f"stage_{k}" for k in range(len(flow_stages(on)))]
    base = replace(on.number(), cohort=paths.group.code, statistic="flow_count", unit="patients")
    base = replace(base, method="count", denominator=paths.n)
    part = f"flow.{paths.group.code}"
    disclosed = Disclosed(
        (*_all_counts(on, paths), *(int(r[-1]) for r in _counts(paths, *columns))), part
    )
    numbers = []
    for *codes, n in sorted(_counts(paths, *columns)):
        row = replace(base, level_code=">".join(codes), estimate=int(n), numerator=int(n))
        numbers.append(replace(row, disclosed=disclosed))
    return numbers


def flow_answer(on: Page) -> Answer:
    """The flow of each group."""
    every = [paths for paths in _paths(on) if paths.n]
    if not every:
        return on.answer(say("flow.nobody"), [], (), (), ())
    numbers = [number for paths in every for number in _path_numbers(on, paths)]
    return on.answer(
        say("flow.headline"),
        [],
        tuple(
            replace(_figure(on, paths), beside=position % 2 == 1)
            for position, paths in enumerate(every)
        ),
        (_table(on, every),),
        tuple(numbers),
    )
