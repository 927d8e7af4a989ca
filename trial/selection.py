"""Which enrollments are looked at: cohorts, and levels of characteristics.

OR within a characteristic, AND between characteristics. An empty filter means every level,
'missing' included. Codes are checked against the study definition, so that nothing undeclared
reaches a query.
"""

from dataclasses import dataclass, replace

from trial.study import ENROLLMENT, Study


@dataclass(frozen=True)
class Filter:
    """Keep the enrollments whose characteristic has one of these level codes."""

    characteristic_code: str
    level_codes: tuple[str, ...]


@dataclass(frozen=True)
class Selection:
    """Cohorts, filters (none of them empty) and kinds of line, each in the study's order."""

    cohort_codes: tuple[str, ...]
    filters: tuple[Filter, ...] = ()
    line_codes: tuple[str, ...] = (ENROLLMENT,)

    def levels(self, characteristic_code: str) -> tuple[str, ...]:
        """The level codes kept of a characteristic; empty if it is not filtered."""
        for f in self.filters:
            if f.characteristic_code == characteristic_code:
                return f.level_codes
        return ()

    def without(self, characteristic_code: str) -> "Selection":
        """This selection with one characteristic not filtered."""
        kept = tuple(f for f in self.filters if f.characteristic_code != characteristic_code)
        return replace(self, filters=kept)


def selection(
    study: Study,
    cohort_codes: list[str],
    levels: dict[str, list[str]],
    line_codes: list[str] | None = None,
) -> Selection:
    """A selection in canonical order: equal choices give equal selections.

    Without `line_codes` it is the study's first kind of line.

    Unknown codes raise KeyError: callers that take codes from outside check them first.
    """
    for code in cohort_codes:
        study.cohort(code)
    for code in line_codes or []:
        study.line(code)
    for code, wanted in levels.items():
        unknown = set(wanted) - set(study.characteristic(code).level_codes)
        if unknown:
            raise KeyError(f"{code}: {sorted(unknown)}")
    filters = tuple(
        Filter(x.code, tuple(code for code in x.level_codes if code in levels[x.code]))
        for x in study.characteristics
        if levels.get(x.code)
    )
    cohorts = tuple(c.code for c in study.cohorts if c.code in cohort_codes)
    wanted = line_codes or [study.lines[0].code]
    lines = tuple(line.code for line in study.lines if line.code in wanted)
    return Selection(cohorts, filters, lines)


def in_words(study: Study, chosen: Selection) -> str:
    """The filters in plain words, for captions and exports."""
    parts = [lines_in_words(study, chosen)] if len(study.lines) > 1 else []
    if not chosen.filters:
        return "; ".join([*parts, "all enrolled patients"])
    for f in chosen.filters:
        x = study.characteristic(f.characteristic_code)
        parts.append(f"{x.label}: {' or '.join(x.level_label(c) for c in f.level_codes)}")
    return "; ".join(parts)


def lines_in_words(study: Study, chosen: Selection) -> str:
    """The kinds of line in plain words."""
    return " or ".join(study.line(code).label for code in chosen.line_codes)
