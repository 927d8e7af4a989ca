"""From a link to its answer: the one way in for pages, exports and the command line."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from analysis.answer import Answer
from analysis.data import data_answer
from analysis.disclosure import release
from analysis.link import LinkError, Params, View, decode, snapshot_in
from analysis.overview import overview_answer
from analysis.response import response_answer
from analysis.survival import survival_answer
from analysis.toxicity import toxicity_answer
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
    """The released answer of a view. Raises PolicyError if the operator's policy is unknown."""
    return release(QUESTIONS[view.page](snapshot, view))


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
