"""The parts of the survival page beneath its figure: one is open, and only that is worked out."""

from collections.abc import Callable

from analysis.answer import Answer
from analysis.compose import Page, page
from analysis.link import View
from warehouse.query import Snapshot

ANSWERS: dict[str, Callable[[Page], Answer]] = {}


def survival_part(snapshot: Snapshot, view: View, wanted: str = "") -> Answer | None:
    """The answer of the part that is open; None where the head has said that there is nothing."""
    on = page("survival", snapshot, view)
    if view.look not in ANSWERS or on.is_empty:
        return None
    return ANSWERS[view.look](on)
