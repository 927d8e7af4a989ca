"""The parts of the survival page beneath its figure: one is open, and only that is worked out."""

from collections.abc import Callable

from analysis.answer import Answer
from analysis.compose import Page, page
from analysis.link import View
from analysis.survival_bridge import bridge_answer
from analysis.survival_components import components_answer
from analysis.survival_endpoints import endpoints_answer
from analysis.survival_era import era_answer
from analysis.survival_fair import fair_answer
from analysis.survival_later import later_answer
from analysis.survival_subgroups import subgroups_answer
from warehouse.query import Snapshot

ANSWERS: dict[str, Callable[[Page], Answer]] = {
    "endpoints": endpoints_answer,
    "components": components_answer,
    "later": later_answer,
    "fair": fair_answer,
    "era": era_answer,
    "bridge": bridge_answer,
    "subgroups": subgroups_answer,
}


def survival_part(snapshot: Snapshot, view: View, wanted: str = "") -> Answer | None:
    """The answer of the part that is open; None where the head has said that there is nothing."""
    on = page("survival", snapshot, view)
    if not view.look or on.is_empty:
        return None
    return ANSWERS[view.look](on)
