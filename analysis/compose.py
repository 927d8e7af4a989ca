"""What every answer about patients has in common: data, population, the notes of every page."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from analysis.answer import Answer, CohortSize, Disclosed, Figure, Note, Number, Table
from analysis.groups import Group, not_compared, sizes
from analysis.link import View
from analysis.wording import cutoff_in_words, notice
from trial.selection import Selection, in_words
from trial.study import Study
from trial.words import say
from warehouse.query import Snapshot, query


def late_entry(snapshot: Snapshot) -> list[Note]:
    """The warning that some were registered long after the clock began."""
    enrolled = query(snapshot, "enrollment")
    late, n = int(enrolled["n_late_entry"].sum()), int(enrolled["n_enrolled"].sum())
    if not late:
        return []
    text = say("overview.late_entry", n=late, of=n)
    return [Note("warning", text, Disclosed((late, n - late), "late_entry"))]


@dataclass(frozen=True)
class Page:
    """The view that is being answered, and what follows from it for every number."""

    question: str
    snapshot: Snapshot
    view: View
    sizes: dict[str, CohortSize] = field(compare=False)

    @property
    def study(self) -> Study:
        """The study of the snapshot."""
        return self.snapshot.study

    @property
    def population(self) -> str:
        """The population in words."""
        return in_words(self.study, self.view.selection)

    @property
    def refused(self) -> str | None:
        """Why groups are not compared."""
        return not_compared(self.study, self.view.selection)

    @property
    def is_empty(self) -> bool:
        """Whether nobody is in the population."""
        return all(size.n_population == 0 for size in self.sizes.values())

    def size_of(self, chosen: Selection, group: Group) -> CohortSize:
        """The size of a group of another selection over the same snapshot."""
        return sizes(self.snapshot, chosen)[group.code]

    def number(self) -> Number:
        """A tidy number with what all numbers of the page share."""
        return Number(
            snapshot=self.snapshot.snapshot_id,
            synthetic=self.snapshot.is_synthetic,
            question=self.question,
            population=self.population,
        )

    def caption(self, key: str, *, chosen: Selection | None = None, **told: object) -> str:
        """A caption: what `key` says, then population (of `chosen`, if not the view's) and data."""
        return say(
            "frame.caption",
            told=say(key, **told),
            population=in_words(self.study, chosen) if chosen else self.population,
            snapshot=self.snapshot.snapshot_id,
            cutoff=cutoff_in_words(self.snapshot.data_cutoff),
            notice=notice(self.snapshot),
        )

    def nobody(self) -> str:
        """The headline of an empty population."""
        names = ", ".join(size.label for size in self.sizes.values())
        return say("survival.nobody", population=self.population, cohorts=names)

    def notes(self) -> list[Note]:
        """The warnings of every page about patients."""
        notes = []
        if self.refused:
            notes.append(Note("warning", self.refused))
        elif not self.study.randomised and len(self.sizes) > 1:
            notes.append(Note("warning", say("survival.not_randomised")))
        load = self.snapshot.load
        if load["rows_quarantined"]:
            n, rows_in = load["rows_quarantined"], load["rows_in"]
            notes.append(Note("warning", say("survival.quarantined", n=n, rows_in=rows_in)))
        return notes

    def primary(self) -> list[Note]:
        """What the study declares as the one primary measure of the question."""
        primary = self.study.primary(self.question)
        return [Note("info", say("frame.primary", measure=primary.measure))] if primary else []

    def answer(
        self,
        headline: str,
        notes: list[Note],
        figures: tuple[Figure, ...],
        tables: tuple[Table, ...],
        numbers: tuple[Number, ...] | Callable[[], tuple[Number, ...]],
        **more,
    ) -> Answer:
        """The answer of the page; a table without rows is none, and no figure names it."""
        tell = numbers if callable(numbers) else lambda: numbers
        shown = tuple(table for table in tables if table.rows)
        codes = {table.code for table in shown}
        figures = tuple(
            replace(figure, tables=tuple(code for code in figure.tables if code in codes))
            for figure in figures
        )
        return Answer(
            question=self.question,
            headline=headline,
            snapshot=self.snapshot.snapshot_id,
            data_cutoff=cutoff_in_words(self.snapshot.data_cutoff),
            notice=notice(self.snapshot),
            synthetic=self.snapshot.is_synthetic,
            population=self.population,
            cohorts=tuple(self.sizes.values()),
            notes=tuple(notes),
            figures=figures,
            tables=shown,
            tell=tell,
            has_numbers=callable(numbers) or bool(numbers),
            **more,
        )

    def empty(self) -> Answer:
        """The answer of an empty population: a sentence."""
        return self.answer(self.nobody(), [], (), (), ())


def page(question: str, snapshot: Snapshot, view: View) -> Page:
    """The page of a view."""
    return Page(question, snapshot, view, sizes(snapshot, view.selection))
