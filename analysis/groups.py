"""The groups that a page sets side by side: cohorts, by kind of line where several are chosen.

Groups are compared within one kind of line alone: children of different kinds entered for
different reasons and have different time zeros. Of several kinds, and of a kind that the study
declares not comparable, each group is shown by itself.
"""

from dataclasses import dataclass

import polars as pl

from analysis.answer import CohortSize
from trial.selection import Selection
from trial.study import ENROLLMENT, Endpoint, Study
from trial.words import say
from warehouse.query import Snapshot, query


@dataclass(frozen=True)
class Group:
    """One column of a page; `role` picks its colour. The reference group is compared with."""

    code: str
    label: str
    cohort_code: str
    line_code: str
    role: int
    is_reference: bool

    @property
    def matches(self) -> pl.Expr:
        """Which rows of a query are of this group."""
        return (pl.col("cohort_code") == self.cohort_code) & (
            pl.col("entry_reason") == self.line_code
        )


def groups(study: Study, chosen: Selection) -> tuple[Group, ...]:
    """The groups of a selection, the reference cohort first within each kind of line."""
    several = len(chosen.line_codes) > 1
    roles = [cohort.code for cohort in study.cohorts]
    found: list[Group] = []
    for line_code in chosen.line_codes:
        for cohort in sorted(study.cohorts, key=lambda c: not c.is_reference):
            if cohort.code not in chosen.cohort_codes:
                continue
            label = cohort.label
            if several:
                label = say("group.label", cohort=label, line=study.line(line_code).label)
            found.append(
                Group(
                    code=f"{cohort.code}/{line_code}" if several else cohort.code,
                    label=label,
                    cohort_code=cohort.code,
                    line_code=line_code,
                    role=(roles.index(cohort.code) if not several else len(found)) % 6,
                    is_reference=cohort.is_reference,
                )
            )
    return tuple(found)


def not_compared(study: Study, chosen: Selection) -> str | None:
    """Why the groups of a selection are not compared with each other, None if they are."""
    if len(chosen.line_codes) > 1:
        return say("group.several_lines")
    (line,) = (study.line(code) for code in chosen.line_codes)
    return None if line.is_compared else line.note or say("group.single_arm", line=line.label)


def origin_label(study: Study, endpoint: Endpoint, chosen: Selection) -> str:
    """What the time axis counts from: a later line has its own start."""
    only_first = chosen.line_codes == (study.lines[0].code,)
    if endpoint.origin == ENROLLMENT and not only_first:
        return say("group.line_start")
    return study.milestone_label(endpoint.origin)


def sizes(snapshot: Snapshot, chosen: Selection) -> dict[str, CohortSize]:
    """How many are in each group: of the population, and of all first lines of the kind."""
    counted = query(snapshot, "cohort", chosen)
    found = {}
    for group in groups(snapshot.study, chosen):
        mine = counted.filter(group.matches)
        n_population, n_enrolled = (int(mine[c].sum()) for c in ("n_population", "n_enrolled"))
        found[group.code] = CohortSize(group.code, group.label, n_population, n_enrolled)
    return found
