"""The filter bar: every characteristic and level of the study with its counts."""

from dataclasses import dataclass

from analysis.disclosure import gate
from analysis.link import View, clock_start, known_late
from trial.words import say
from warehouse.query import Snapshot, level_counts


@dataclass(frozen=True)
class LevelCount:
    """One level: how many children under all other filters, and how many in all.

    None where the policy withholds it: then of every level of the characteristic, since they add
    up.
    """

    code: str
    label: str
    n_population: int | None
    n_all: int | None


@dataclass(frozen=True)
class FilterGroup:
    """One characteristic; `refused` says why it is not offered for the endpoint, else None."""

    code: str
    label: str
    levels: tuple[LevelCount, ...]
    refused: str | None


def _released(rows: list[tuple[str, int, int]]) -> list[tuple[str, int | None, int | None]]:
    small = gate()
    if any(small.hides(n, n_all, n_all - n) for _, n_all, n in rows):
        return [(code, None, None) for code, _, _ in rows]
    return list(rows)


def filter_bar(snapshot: Snapshot, view: View) -> tuple[FilterGroup, ...]:
    """Every characteristic in the study's order; levels with nobody stay, 'missing' is a level."""
    study = snapshot.study
    groups, counted = [], level_counts(snapshot, view.selection)
    for x in study.characteristics:
        late = known_late(x, clock_start(view.page, study.endpoint(view.endpoint)))
        known_at = study.milestone_label(x.known_at)
        counts = _released(counted[x.code].rows())
        groups.append(
            FilterGroup(
                code=x.code,
                label=x.label,
                levels=tuple(LevelCount(c, x.level_label(c), n, n_all) for c, n_all, n in counts),
                refused=say("frame.late", label=x.label, known_at=known_at) if late else None,
            )
        )
    return tuple(groups)
