"""From a link to its answer: the one way in for pages, exports and the command line."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from analysis.answer import Answer
from analysis.data import data_answer
from analysis.disclosure import gate, release
from analysis.link import LinkError, Params, View, decode, snapshot_in
from analysis.overview import overview_answer
from analysis.response import response_answer
from analysis.response_parts import response_part
from analysis.survival import survival_answer
from analysis.survival_parts import survival_part
from analysis.toxicity import toxicity_answer
from analysis.toxicity_parts import toxicity_part
from trial.words import say
from warehouse.query import Snapshot, SnapshotError, open_snapshot
from warehouse.store import current_ids, store_folder

QUESTIONS: dict[str, Callable[[Snapshot, View], Answer]] = {
    "overview": overview_answer,
    "response": response_answer,
    "toxicity": toxicity_answer,
    "survival": survival_answer,
    "data": data_answer,
}

PARTS_OF: dict[str, Callable[[Snapshot, View, str], Answer | None]] = {
    "response": response_part,
    "toxicity": toxicity_part,
    "survival": survival_part,
}


@dataclass(frozen=True)
class Opened:
    """A link that leads to data: the snapshot, the view, and what of the link was not applied."""

    snapshot: Snapshot
    view: View
    problems: tuple[str, ...]


def open_link(page: str, params: Params, store: Path | None = None) -> Opened:
    """Open the data of a link and read its view.

    A link that names no data gets the current snapshot of the first study. Raises LinkError if it
    leads to no data: then no number may be shown.
    """
    store = store or store_folder()
    named = snapshot_in(params)
    current = current_ids(store)
    if named is None:
        if not current:
            raise LinkError(say("link.no_data"))
        named = next(iter(current.values()))
    try:
        snapshot = open_snapshot(store, named)
    except SnapshotError as error:
        raise LinkError(str(error)) from error
    decoded = decode(page, params, named, snapshot.study)
    return Opened(snapshot, decoded.view, decoded.problems)


def answer(snapshot: Snapshot, view: View) -> Answer:
    """The released answer of a view, but for the part that is open beneath it.

    Raises PolicyError if the operator's policy is unknown.
    """
    return release(QUESTIONS[view.page](snapshot, view))


def part_answer(snapshot: Snapshot, view: View, wanted: str = "") -> Answer | None:
    """The released answer of the part that is open beneath a page; None if there is none.

    What the page itself withholds is withheld in it too. `wanted`: the patient a clinician asks
    about, which no address holds.
    """
    if view.page not in PARTS_OF:
        return None
    part = PARTS_OF[view.page](snapshot, view, wanted)
    if part is None or gate().k is None:
        return part
    return release(part, QUESTIONS[view.page](snapshot, view))


def whole_answer(snapshot: Snapshot, view: View) -> Answer:
    """Everything behind a view: the page and the part that is open, as one answer."""
    head, part = answer(snapshot, view), part_answer(snapshot, view)
    if part is None:
        return head
    return replace(
        head,
        headline=" ".join(text for text in (head.headline, part.headline) if text),
        notes=(*head.notes, *part.notes),
        figures=(*head.figures, *part.figures),
        tables=(*head.tables, *part.tables),
        tell=lambda: (*head.numbers, *part.numbers),
        has_numbers=head.has_numbers or part.has_numbers,
    )


def newer_snapshot(snapshot: Snapshot) -> str | None:
    """The current snapshot of the same study if it is another one."""
    current = current_ids(store_folder()).get(snapshot.study.code)
    return current if current != snapshot.snapshot_id else None


@dataclass(frozen=True)
class Choice:
    """A snapshot to choose: what it is called, and whether it is the current one of its study."""

    snapshot: Snapshot
    is_current: bool

    @property
    def label(self) -> str:
        """Study and snapshot in words."""
        older = "" if self.is_current else f" ({say('frame.not_current')})"
        return f"{self.snapshot.study.label} · {self.snapshot.snapshot_id}{older}"


def choices(viewed: str | None = None) -> list[Choice]:
    """The current snapshot of each study, and the one that is being viewed if it is another."""
    store = store_folder()
    current = current_ids(store).values()
    found = []
    for snapshot_id in {*current, *([viewed] if viewed else [])}:
        # Made by a newer program: it cannot be offered, and opening it by link says why.
        with suppress(SnapshotError):
            found.append(Choice(open_snapshot(store, snapshot_id), snapshot_id in current))
    return sorted(found, key=lambda c: (c.snapshot.study.code, not c.is_current))
