"""The forest as numbers: everybody, then every level of every characteristic that divides them."""

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.compose import Page
from analysis.groups import Group
from analysis.link import known_late
from analysis.stats.contingency import HypothesisTest
from analysis.stats.estimate import Estimate
from analysis.survival_subgroups_asked import (
    EVERYBODY,
    Asked,
    Rows,
    Side,
    asked_of,
    named,
    rows_of,
    side_of,
)
from analysis.survival_subgroups_compare import Raw, Sides, compared, shrunken_levels, tested
from trial.study import MISSING, Characteristic, Endpoint
from trial.words import say


@dataclass(frozen=True)
class Pair:
    """A group against the reference in a row.

    `shrunken` is None of everybody, and of a level that is not recorded: nothing to shrink toward.
    """

    group: Group
    raw: Estimate
    shrunken: Estimate | None = None


@dataclass(frozen=True)
class Level:
    """A row: everybody, or a level of a characteristic."""

    code: str
    label: str
    sides: tuple[Side, ...]
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class Division:
    """A characteristic: its levels with anybody, and the interaction test of each comparison."""

    characteristic: Characteristic
    levels: tuple[Level, ...]
    tests: tuple[tuple[Group, HypothesisTest], ...]


@dataclass(frozen=True)
class Forest:
    """All rows: everybody, then each characteristic that divides the patients anew.

    `left_out`: characteristics that do not, each with the reason.
    """

    asked: Asked
    overall: Level
    divisions: tuple[Division, ...]
    left_out: tuple[tuple[Characteristic, str], ...]

    @property
    def levels(self) -> tuple[Level, ...]:
        """The subgroups looked at."""
        return tuple(level for division in self.divisions for level in division.levels)

    @property
    def n_compared(self) -> int:
        """Comparisons of subgroups that have an estimate."""
        pairs = (pair for level in self.levels for pair in level.pairs)
        return sum(pair.raw.estimate is not None for pair in pairs)

    @property
    def p_values(self) -> tuple[float, ...]:
        """Of the interaction tests that are possible."""
        tests = (test.p_value for division in self.divisions for _, test in division.tests)
        return tuple(p for p in tests if p is not None)


def characteristics(on: Page, endpoint: Endpoint) -> tuple[Characteristic, ...]:
    """Those that are known when the clock of the endpoint starts."""
    return tuple(x for x in on.study.characteristics if not known_late(x, endpoint.origin))


def forest_of(on: Page, endpoint: Endpoint) -> Forest | None:
    """All rows, of an endpoint of kind survival or incidence.

    None where nobody of the population has a time, or the study has nothing to divide by.
    """
    chosen = characteristics(on, endpoint)
    if not chosen:
        return None
    rows = rows_of(on, endpoint, chosen)
    if not rows.has(EVERYBODY):
        return None
    asked = asked_of(on, endpoint, rows)
    kept, left_out = _dividing(on, rows, chosen)
    sides = _sides(asked, rows, kept)
    raw = compared(asked, rows, sides)
    pairs = tuple(Pair(g, raw[EVERYBODY, g.code]) for g in asked.groups[1:])
    overall = Level(EVERYBODY, say("subgroups.overall"), sides[EVERYBODY], pairs)
    divisions = tuple(_division(asked, rows, x, sides, raw) for x in kept)
    return Forest(asked, overall, divisions, tuple(left_out))


def _dividing(
    on: Page, rows: Rows, chosen: Sequence[Characteristic]
) -> tuple[list[Characteristic], list[tuple[Characteristic, str]]]:
    """The characteristics that divide the patients anew, and the others with the reason.

    Two that divide them alike would show each finding, and count each test, twice.
    """
    kept: list[Characteristic] = []
    left_out: list[tuple[Characteristic, str]] = []
    seen: dict[frozenset[int], str] = {}
    for x in chosen:
        there = [named(x, code) for code in x.level_codes if rows.has(named(x, code))]
        content = frozenset(rows.content(name) for name in there)
        if x.compared_with is not None:
            label = on.study.characteristic(x.compared_with).label
            left_out.append((x, say("forest.repeats", label=label)))
        elif len(there) < 2:
            left_out.append((x, say("forest.one_level")))
        elif content in seen:
            left_out.append((x, say("forest.same", label=seen[content])))
        else:
            seen[content] = x.label
            kept.append(x)
    return kept, left_out


def _sides(asked: Asked, rows: Rows, kept: Sequence[Characteristic]) -> Sides:
    names = [EVERYBODY, *(named(x, code) for x in kept for code in x.level_codes)]
    return {
        name: tuple(side_of(asked, rows, name, group) for group in asked.groups)
        for name in names
        if rows.has(name)
    }


def _division(asked: Asked, rows: Rows, x: Characteristic, sides: Sides, raw: Raw) -> Division:
    codes = [code for code in x.level_codes if named(x, code) in sides]
    names = [named(x, code) for code in codes if code != MISSING]
    tests, shrunk = [], {}
    for group in () if asked.refused or not names else asked.groups[1:]:
        mine = [raw[name, group.code] for name in names]
        tests.append((group, tested(asked, rows, names, group, mine)))
        for name, found in zip(names, shrunken_levels(asked, mine), strict=True):
            shrunk[name, group.code] = found
    levels = []
    for code in codes:
        name = named(x, code)
        pairs = tuple(
            Pair(g, raw[name, g.code], shrunk.get((name, g.code))) for g in asked.groups[1:]
        )
        levels.append(Level(code, x.level_label(code), sides[name], pairs))
    return Division(x, tuple(levels), tuple(tests))
