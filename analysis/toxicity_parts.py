"""The parts of the toxicity page beneath its table: one is open, and only that is worked out."""

from collections.abc import Callable

from analysis.answer import Answer
from analysis.compose import Page, page
from analysis.link import View
from analysis.toxicity_blocks import blocks_answer
from analysis.toxicity_burden import burden_answer
from analysis.toxicity_compare import compare_answer
from analysis.toxicity_deaths import deaths_answer
from analysis.toxicity_infections import infections_answer
from analysis.toxicity_list import list_answer
from analysis.toxicity_time import time_answer
from warehouse.query import Snapshot

ANSWERS: dict[str, Callable[[Page], Answer]] = {
    "blocks": blocks_answer,
    "compare": compare_answer,
    "time": time_answer,
    "burden": burden_answer,
    "infections": infections_answer,
    "deaths": deaths_answer,
    "list": list_answer,
}


def toxicity_part(snapshot: Snapshot, view: View, wanted: str = "") -> Answer | None:
    """The answer of the part that is open; None where the head has said that there is nothing."""
    on = page("toxicity", snapshot, view)
    if not view.more or on.is_empty:
        return None
    return ANSWERS[view.more](on)
