"""Who was enrolled in which year, and what they were given: the counts of the part `era`.

Two protocols one after the other differ in their years. What changed with the years, beside the
protocol, stands here by cohort and year of enrollment: case mix (levels of the covariates that the
study declared), the block of the course rule, the transplant within a year, MRD and its limit.
"""

from dataclasses import dataclass, field
from math import exp, log

import numpy as np
import polars as pl

from analysis.answer import Disclosed
from analysis.compose import Page
from analysis.groups import Group, groups
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.competing import aalen_johansen, incidence_at, state_counts
from analysis.stats.estimate import Estimate, not_estimable
from analysis.stats.proportion import wilson
from analysis.wording import percent, percent_limits
from trial.study import Endpoint
from trial.words import say
from warehouse.query import counts_by_level, query

REACHED_BY = 365
LEVEL, BLOCK, REACH = "level", "block", "reach"
ALL_YEARS = "all"


@dataclass(frozen=True)
class Counted:
    """`numerator` of `denominator` patients, and the proportion, or why there is none."""

    numerator: int
    denominator: int
    found: Estimate

    @property
    def told(self) -> str:
        """13/62 (21.0 %, 12.7 to 32.6); of fewer than ten 3/8; if not yet seen, that."""
        counted = f"{self.numerator}/{self.denominator}"
        if self.found.estimate is None:
            few = self.denominator < FEWEST_FOR_PERCENT
            return counted if few else say("era.untold", counted=counted, reason=self.found.reason)
        told = {"counted": counted, "value": percent(self.found.estimate)}
        if self.found.lower is None:
            return say("era.cell_bare", **told)
        return say("share.cell", limits=percent_limits(self.found), **told)


def share(numerator: int, denominator: int) -> Counted:
    """A share with Wilson's interval; none of fewer than ten."""
    return Counted(
        numerator,
        denominator,
        _at_least_ten(denominator, "Wilson") or wilson(numerator, denominator),
    )


def _at_least_ten(n: int, method: str) -> Estimate | None:
    if n >= FEWEST_FOR_PERCENT:
        return None
    return not_estimable(say("survival.few", n=FEWEST_FOR_PERCENT), method)


Place = tuple[str, str]  # code of a group, year


@dataclass(frozen=True)
class Trait:
    """Something that may change with the years, counted by group and year, and over all years.

    `code` and `level` name it, `kind` is LEVEL, BLOCK or REACH; `heading` is what it is of.
    """

    kind: str
    code: str
    level: str
    heading: str
    label: str
    cells: dict[Place, Counted]

    @property
    def part(self) -> str:
        """What is withheld together: all levels of a characteristic."""
        return f"era.{self.code}"

    @property
    def counts(self) -> tuple[int, ...]:
        """Every cell and what is left of its denominator."""
        cells = self.cells.values()
        return tuple(n for c in cells for n in (c.numerator, c.denominator - c.numerator))


@dataclass(frozen=True)
class Assay:
    """MRD samples of a group and year: how many by method, and their limits of detection.

    `n_lines`: patients with a sample of the method. `limits`: each limit with its samples.
    """

    by_method: dict[str, int]
    n_lines: dict[str, int]
    limits: dict[float, int]
    n_assumed: int

    @property
    def n(self) -> int:
        """Samples."""
        return sum(self.by_method.values())

    @property
    def n_limit(self) -> int:
        """Samples whose limit is known."""
        return sum(self.limits.values())

    @property
    def mean_limit(self) -> float | None:
        """The geometric mean of the limits; None if none is known."""
        total = sum(n * log(limit) for limit, n in self.limits.items())
        return exp(total / self.n_limit) if self.n_limit else None

    @property
    def median_limit(self) -> float | None:
        """The median of the limits; None if none is known."""
        known = np.repeat(list(self.limits), list(self.limits.values()))
        return float(np.median(known)) if known.size else None

    @property
    def counts(self) -> tuple[int, ...]:
        """Every number of samples, and of patients who gave them."""
        of_methods = (x for n in self.by_method.values() for x in (n, self.n - n))
        limits = (self.n_limit, self.n - self.n_limit, self.n_assumed)
        return (*of_methods, *self.n_lines.values(), *limits, self.n_limit - self.n_assumed)


@dataclass(frozen=True)
class Era:
    """Everything by year. `sizes`: patients by place; a year is its number, or that none is known.

    `assays` is empty for a study without MRD.
    """

    on: Page
    groups: tuple[Group, ...]
    sizes: dict[Place, int]
    traits: tuple[Trait, ...] = ()
    assays: dict[Place, Assay] = field(default_factory=dict)

    def years(self, group: Group) -> tuple[str, ...]:
        """The years of a group in order; the unknown one last."""
        return tuple(y for code, y in self.sizes if code == group.code and y != ALL_YEARS)

    @property
    def has_years(self) -> bool:
        """Whether any year is known."""
        return any(year.isdigit() for _, year in self.sizes)

    def n(self, group: Group, year: str = ALL_YEARS) -> int:
        """Patients of a group, of one year or of all."""
        return self.sizes.get((group.code, year), 0)

    def disclosed(self, trait: Trait) -> Disclosed:
        """What a trait tells: its levels stand or fall together, with the sizes of the years."""
        together = (n for t in self.traits if t.code == trait.code for n in t.counts)
        outside = [self.sizes[place] - cell.denominator for place, cell in trait.cells.items()]
        return Disclosed((*self.sizes.values(), *together, *outside), trait.part)

    @property
    def all_disclosed(self) -> tuple[Disclosed, ...]:
        """What everything here tells."""
        return (*(self.disclosed(trait) for trait in self.traits), self.assay_disclosed)

    @property
    def assay_disclosed(self) -> Disclosed:
        """What the samples tell: all of them together."""
        counts = (n for assay in self.assays.values() for n in assay.counts)
        return Disclosed((*self.sizes.values(), *counts), "era_mrd")


def era_counts(on: Page) -> Era:
    """Everything that is counted by cohort and year of enrollment."""
    codes, shown = on.study.survival.covariate_codes, groups(on.study, on.view.selection)
    found = counts_by_level(
        on.snapshot, "era_level", codes, on.view.selection, ("enrollment_year",)
    )
    first = _placed(shown, found.filter(pl.col("characteristic_code") == codes[0]))
    sizes = {place: int(rows["n"].sum()) for place, rows in first.items()}
    era = Era(on, shown, sizes)
    traits = (*_levels(era, found), *_block(era), *_reach(era))
    return Era(on, shown, sizes, traits, _assays(era))


def _placed(shown: tuple[Group, ...], frame: pl.DataFrame) -> dict[Place, pl.DataFrame]:
    """Rows by group and year, years in order, then all years of the group together."""
    found: dict[Place, pl.DataFrame] = {}
    for group in shown:
        mine = frame.filter(group.matches)
        for year in mine["enrollment_year"].unique().sort(nulls_last=True):
            name = say("era.no_year") if year is None else str(year)
            found[group.code, name] = mine.filter(pl.col("enrollment_year").eq_missing(year))
        if mine.height:
            found[group.code, ALL_YEARS] = mine
    return found


def _of_all(era: Era, frame: pl.DataFrame) -> dict[Place, Counted]:
    """How many of the patients of each place are in a frame with column n."""
    rows = _placed(era.groups, frame)
    counted = {place: int(rows[place]["n"].sum()) if place in rows else 0 for place in era.sizes}
    return {place: share(n, era.sizes[place]) for place, n in counted.items()}


def _levels(era: Era, found: pl.DataFrame) -> list[Trait]:
    """Case mix: every level of every covariate that anybody has, `not recorded` like the others."""
    traits = []
    for code in era.on.study.survival.covariate_codes:
        x = era.on.study.characteristic(code)
        mine = found.filter(pl.col("characteristic_code") == code)
        for level in x.level_codes:
            rows = mine.filter(pl.col("level_code") == level)
            if rows.height:
                told = (LEVEL, code, level, x.label, x.level_label(level))
                traits.append(Trait(*told, _of_all(era, rows)))
    return traits


def _block(era: Era) -> list[Trait]:
    """Who started the block of the course rule."""
    rule = era.on.study.response.course if era.on.study.response else None
    if rule is None:
        return []
    code, chosen = rule.block_code, era.on.view.selection
    rows = query(era.on.snapshot, "era_block", chosen, block_code=code)
    told = (BLOCK, code, "", say("era.treatment"))
    label = say("era.block", block=era.on.study.block(code).label)
    return [Trait(*told, label, _of_all(era, rows))]


def _reach(era: Era) -> list[Trait]:
    """Who came to the transplant within a year, with competing events."""
    bridge = era.on.study.survival.bridge
    if bridge is None:
        return []
    endpoint = era.on.study.endpoint(bridge.reach)
    chosen = era.on.view.selection
    rows = query(era.on.snapshot, "era_time", chosen, endpoint_code=endpoint.code)
    rows = rows.filter(pl.col("state").is_not_null())
    if not rows.height:
        return []
    placed = _placed(era.groups, rows)
    none = rows.clear()
    cells = {place: _reached(placed.get(place, none), endpoint) for place in era.sizes}
    told = (REACH, endpoint.code, "", say("era.treatment"))
    return [Trait(*told, say("era.reach", label=endpoint.abbreviation), cells)]


def _reached(rows: pl.DataFrame, endpoint: Endpoint) -> Counted:
    counts = state_counts(rows, max(endpoint.states))
    by_then = int(counts.events[counts.day <= REACHED_BY, 0].sum())
    few = _at_least_ten(counts.n, "Aalen-Johansen")
    found = few or incidence_at(aalen_johansen(counts), 1, float(REACHED_BY))
    return Counted(by_then, counts.n, found)


def _assays(era: Era) -> dict[Place, Assay]:
    rule = era.on.study.response
    if rule is None or not rule.mrd_measure:
        return {}
    rows = query(era.on.snapshot, "era_mrd", era.on.view.selection)
    placed = _placed(era.groups, rows)
    return {place: _assay(placed[place]) for place in era.sizes if place in placed}


def _assay(rows: pl.DataFrame) -> Assay:
    totals, limits = rows.filter("is_total"), rows.filter(~pl.col("is_total"))
    by_method = totals.group_by("method_code").agg(pl.col("n").sum(), pl.col("n_lines").sum())
    by_limit = limits.drop_nulls("lod").group_by("lod").agg(pl.col("n").sum()).sort("lod")
    return Assay(
        {code: int(n) for code, n, _ in by_method.sort("method_code").iter_rows()},
        {code: int(n) for code, _, n in by_method.sort("method_code").iter_rows()},
        {float(limit): int(n) for limit, n in by_limit.iter_rows()},
        int(limits.filter("is_lod_assumed")["n"].sum()),
    )
