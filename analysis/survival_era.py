"""The cohorts by year of enrollment: case mix, treatment and MRD, which change with the years.

Described and not tested: many years and levels are looked at, and a change of the protocol cannot
be told from a change of the years. The headline names the largest differences in words.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from analysis.answer import Account, Answer, Disclosed, Figure, Note, Number, Table, of_estimate
from analysis.charts.cells import Cell
from analysis.charts.toxicity import HeatMap, heat_map, heat_map_height
from analysis.compose import Page
from analysis.groups import Group
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.estimate import Estimate
from analysis.survival_era_counts import (
    ALL_YEARS,
    BLOCK,
    LEVEL,
    REACH,
    REACHED_BY,
    Assay,
    Counted,
    Era,
    Place,
    Trait,
    era_counts,
)
from analysis.wording import percent
from trial.words import say

# So many of the largest differences of case mix are named.
MOST_NAMED = 3


def era_answer(on: Page) -> Answer:
    """The years of a view; a sentence if the data hold none."""
    if not on.study.survival.covariate_codes:
        return on.answer(say("fair.no_covariates"), [], (), (), ())
    if on.is_empty:
        return on.empty()
    era = era_counts(on)
    if not era.has_years:
        return on.answer(say("era.no_years"), [], (), (), ())
    headline = _headline(era)
    return on.answer(
        headline,
        _notes(era),
        tuple(_figures(era, headline)),
        (*(_table(era, group) for group in era.groups), _assay_table(era)),
        partial(_numbers, era),
        headline_disclosed=era.all_disclosed,
    )


# ---------------------------------------------------------------- headline and notes


def _headline(era: Era) -> str:
    """Which years, then what differs most between the cohorts, in words."""
    spans = [_span(era, g) for g in era.groups if era.n(g)]
    text = [say("era.headline", spans="; ".join(spans))]
    reference, *others = era.groups
    for group in others:
        if not era.on.refused and era.n(reference) and era.n(group):
            text += _changes(era, reference, group)
    return " ".join(text)


def _span(era: Era, group: Group) -> str:
    years = [year for year in era.years(group) if year.isdigit()]
    told = {"group": group.label, "n": era.n(group)}
    if not years:
        return say("era.span_unknown", **told)
    key = "era.span" if years[0] != years[-1] else "era.span_one"
    return say(key, first=years[0], last=years[-1], **told)


def _changes(era: Era, reference: Group, group: Group) -> Iterator[str]:
    """The largest differences of case mix; then treatment and MRD, whatever they are."""
    named = {"cohort": group.label, "comparator": reference.label}
    largest = _largest(era, reference, group)
    if largest:
        parts = "; ".join(_change(trait, reference, group) for trait in largest)
        yield say("era.case_mix", parts=parts, **named)
    treatment = [t for t in era.traits if t.kind in (BLOCK, REACH)]
    if treatment:
        parts = "; ".join(_change(trait, reference, group) for trait in treatment)
        yield say("era.treated", parts=parts, **named)
    if assay := _assay_change(era, reference, group):
        yield assay


def _largest(era: Era, reference: Group, group: Group) -> list[Trait]:
    """At most one level of a characteristic: of two levels the second says the same."""
    found: dict[str, tuple[float, Trait]] = {}
    for trait in era.traits:
        one, other = (trait.cells[g.code, ALL_YEARS].found.estimate for g in (reference, group))
        if trait.kind != LEVEL or one is None or other is None:
            continue
        distance = abs(other - one)
        if distance > found.get(trait.code, (0.0, trait))[0]:
            found[trait.code] = (distance, trait)
    ordered = sorted(found.values(), key=lambda pair: -pair[0])
    return [trait for _, trait in ordered[:MOST_NAMED]]


def _change(trait: Trait, reference: Group, group: Group) -> str:
    before, after = (_short(trait.cells[g.code, ALL_YEARS]) for g in (reference, group))
    label = trait.label
    if trait.kind == LEVEL:
        label = say("era.level", heading=trait.heading, level=trait.label)
    return say("era.change", label=label, before=before, after=after)


def _short(cell: Counted) -> str:
    """n/N and percent without limits."""
    counted = f"{cell.numerator}/{cell.denominator}"
    if cell.found.estimate is None:
        return counted
    return say("era.cell_bare", counted=counted, value=percent(cell.found.estimate))


def _assay_change(era: Era, reference: Group, group: Group) -> str:
    one, other = (era.assays.get((g.code, ALL_YEARS)) for g in (reference, group))
    if not (one and other and one.n_limit and other.n_limit):
        return ""
    return say("era.limits", before=_limit_of(one), after=_limit_of(other))


def _limit_of(assay: Assay) -> str:
    """The mean limit, and of how many samples; of how many of all, if not all limits are known."""
    key = "era.limit_of" if assay.n_limit == assay.n else "era.limit_known"
    return say(key, limit=_limit(assay.mean_limit), n=assay.n_limit, of=assay.n)


def _limit(limit: float | None) -> str:
    return say("value.none") if limit is None else say("era.limit", value=f"{100 * limit:.2g}")


def _notes(era: Era) -> list[Note]:
    on = era.on
    notes = [Note("warning", on.refused)] if on.refused else []
    notes.append(Note("warning", say("era.years_are_protocols")))
    shared = _shared_years(era)
    if len(era.groups) > 1 and not on.refused:
        text = say("era.shared", years=", ".join(shared)) if shared else say("era.none_shared")
        notes.append(Note("info", text, Disclosed(tuple(era.sizes.values()), "era.sizes")))
    if any(t.kind == BLOCK for t in era.traits):
        notes.append(Note("info", say("era.not_yet_come")))
    return [*notes, Note("info", say("era.exploratory"))]


def _shared_years(era: Era) -> list[str]:
    """Years in which every cohort enrolled."""
    sets = [{y for y in era.years(g) if y.isdigit()} for g in era.groups if era.n(g)]
    return sorted(set.intersection(*sets)) if len(sets) > 1 else []


# ---------------------------------------------------------------- figures and tables


def _figures(era: Era, headline: str) -> Iterator[Figure]:
    """One map a cohort: its years across, what may change down."""
    for position, group in enumerate(era.groups, start=1):
        if not era.n(group):
            continue
        drawn = _heat_map(era, group)
        yield Figure(
            code=f"era_{position}",
            title=say("era.title", group=group.label),
            draw=partial(heat_map, drawn),
            page_height=heat_map_height(drawn),
            caption=era.on.caption("era.caption", days=REACHED_BY, few=FEWEST_FOR_PERCENT),
            alt_text=say("era.alt", group=group.label, headline=headline),
            tables=(f"era_{group.code}", "era_mrd"),
            disclosed=era.all_disclosed,
            accounts=(_account(era, group),),
            beside=position > 1,
        )


def _account(era: Era, group: Group) -> Account:
    size = era.on.sizes[group.code]
    n_outside = size.n_enrolled - size.n_population
    told = ((say("account.filtered"), n_outside),) if n_outside else ()
    sizes = Disclosed((size.n_population, n_outside), "era.sizes")
    return Account(group.label, size.n_enrolled, size.n_population, told, sizes)


def _row_label(trait: Trait) -> str:
    if trait.kind == LEVEL:
        return say("era.level", heading=trait.heading, level=trait.label)
    return trait.label


def _heat_map(era: Era, group: Group) -> HeatMap:
    years = era.years(group)
    cells = tuple(
        _cell(trait, year, trait.cells[group.code, year]) for trait in era.traits for year in years
    )
    labels = tuple(_row_label(trait) for trait in era.traits)
    sizes = tuple(say("era.size", n=era.n(group, year)) for year in years)
    label = say("era.sizes")
    return HeatMap(group.label, group.role, years, labels, cells, sizes, label)


def _cell(trait: Trait, year: str, counted: Counted) -> Cell:
    """n/N and percent; where a year has enough patients and is not yet seen, only that."""
    estimate, n = counted.found.estimate, counted.denominator
    is_open = estimate is None and n >= FEWEST_FOR_PERCENT
    known = (None, None) if is_open else (counted.numerator, n)
    return Cell(year, _row_label(trait), *known, estimate, say("era.open"))


def _table(era: Era, group: Group) -> Table:
    """One cohort: what may change in rows, years in columns, all years last."""
    years = [*era.years(group), ALL_YEARS] if era.n(group) else []
    # Sizes are a row: the titles of columns are never withheld.
    sizes = Disclosed(tuple(era.sizes.values()), "era.sizes")
    rows: list[tuple] = [(say("era.sizes"), "", *(era.n(group, year) for year in years))]
    disclosed = [sizes]
    for trait in era.traits if years else ():
        cells = (trait.cells[group.code, year].told for year in years)
        rows.append((trait.heading, trait.label, *cells))
        disclosed.append(era.disclosed(trait))
    columns = [say("column.characteristic"), say("column.level")]
    columns += [say("era.all_years") if year == ALL_YEARS else year for year in years]
    title = say("era.table", group=group.label)
    code = f"era_{group.code}"
    if not years:
        return Table(code, title, (), ())
    return Table(code, title, tuple(columns), tuple(rows), tuple(disclosed), n_labels=2)


def _method_label(era: Era, code: str) -> str:
    known = {method.code: method.label for method in era.on.study.code_list("method")}
    return known.get(code, code)


def _methods(era: Era) -> list[str]:
    return sorted({code for assay in era.assays.values() for code in assay.by_method})


def _assay_table(era: Era) -> Table:
    """MRD samples by cohort and year: method, mean limit of detection, where it is assumed."""
    rows, methods = [], _methods(era)
    labels = {group.code: group.label for group in era.groups}
    for (code, year), assay in era.assays.items():
        name = say("era.all_years") if year == ALL_YEARS else year
        cells = [_of_samples(assay.by_method.get(method, 0), assay.n) for method in methods]
        limits = (_limit(assay.mean_limit), f"{assay.n_assumed}/{assay.n_limit}")
        rows.append((labels[code], name, assay.n, *cells, *limits))
    columns = (say("column.cohort"), say("era.year"), say("era.samples"))
    columns += tuple(_method_label(era, method) for method in methods)
    columns += (say("era.mean_limit"), say("era.assumed"))
    told = (era.assay_disclosed,) * len(rows)
    return Table("era_mrd", say("era.table_mrd"), columns, tuple(rows), told, n_labels=2)


def _of_samples(n: int, of: int) -> str:
    return f"{n}/{of}" if of < FEWEST_FOR_PERCENT else f"{n}/{of} ({percent(n / of)})"


# ---------------------------------------------------------------- numbers


def _numbers(era: Era) -> tuple[Number, ...]:
    """By cohort and year; the year is the item, `all_years` for all."""
    base = era.on.number()
    numbers = [_size(era, base, place, n) for place, n in era.sizes.items()]
    for trait in era.traits:
        numbers += [
            _trait_number(era, base, trait, place, cell) for place, cell in trait.cells.items()
        ]
    for place, assay in era.assays.items():
        numbers += _assay_numbers(era, _placed(base, place), assay)
    return tuple(numbers)


def _placed(base: Number, place: Place) -> Number:
    code, year = place
    known = f"year_{year}" if year.isdigit() else "year_unknown"
    item = "all_years" if year == ALL_YEARS else known
    return replace(base, cohort=code, item_code=item)


def _size(era: Era, base: Number, place: Place, n: int) -> Number:
    row = replace(_placed(base, place), statistic="era_patients", unit="patients", method="count")
    told = Disclosed(tuple(era.sizes.values()), "era.sizes")
    return replace(row, estimate=n, numerator=n, denominator=n, disclosed=told)


def _trait_number(era: Era, base: Number, trait: Trait, place: Place, cell: Counted) -> Number:
    codes = {
        LEVEL: {"characteristic_code": trait.code, "level_code": trait.level},
        BLOCK: {"block_code": trait.code},
        REACH: {"endpoint": trait.code, "time_days": float(REACHED_BY)},
    }[trait.kind]
    row = replace(_placed(base, place), statistic=f"era_{trait.kind}", unit="proportion", **codes)
    row = replace(row, numerator=cell.numerator, denominator=cell.denominator)
    return replace(row, disclosed=era.disclosed(trait), **of_estimate(cell.found))


def _assay_numbers(era: Era, base: Number, assay: Assay) -> Iterator[Number]:
    """Samples, not patients: by method, then the mean and the median limit of detection."""
    base = replace(base, disclosed=era.assay_disclosed)
    for method in _methods(era):
        n = assay.by_method.get(method, 0)
        row = replace(base, statistic="era_mrd_samples", level_code=method, unit="samples")
        yield replace(row, estimate=n, numerator=n, denominator=assay.n, method="count")
    for name, value in (("mean", assay.mean_limit), ("median", assay.median_limit)):
        method = say(f"era.method_{name}")
        reason = None if value is not None else say("era.no_limit")
        row = replace(base, statistic=f"era_mrd_limit_{name}", unit="fraction")
        row = replace(row, denominator=assay.n_limit)
        yield replace(row, **of_estimate(Estimate(value, method=method, reason=reason)))
