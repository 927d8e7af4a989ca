"""Overview: the cohorts side by side, what became of everybody, follow-up, and who was left out."""

from dataclasses import replace

import polars as pl

from analysis.answer import Answer, Disclosed, Note, Number, Table, of_estimate
from analysis.compose import Page, late_entry, page
from analysis.groups import Group, groups
from analysis.link import View
from analysis.outcomes import outcomes
from analysis.shares import FEWEST_FOR_PERCENT
from analysis.stats.balance import (
    Moments,
    standardized_difference_levels,
    standardized_difference_means,
)
from analysis.stats.counts import day_counts
from analysis.stats.estimate import Estimate
from analysis.stats.survival import follow_up
from analysis.wording import crossing, percent
from trial.schema import EXCLUDED
from trial.study import ENROLLMENT, MISSING, Characteristic, Endpoint
from trial.words import say
from warehouse.query import Snapshot, by_level, compared_levels, query

# From this on a difference between the cohorts is marked; at this size noise reaches it too.
NOTICEABLE = 0.1


def _counted(n: int, of: int) -> str:
    """38/52 (73.1 %); a group below ten has no percentage."""
    return f"{n}/{of}" if of < FEWEST_FOR_PERCENT else f"{n}/{of} ({percent(n / of)})"


def _written_smd(found: Estimate) -> str:
    return say("value.none") if found.estimate is None else f"{found.estimate:.2f}"


def _baseline(on: Page) -> tuple[Table, list[Number]]:
    """Each characteristic known at enrollment, level by level, 'not recorded' as its own row."""
    shown = groups(on.study, on.view.selection)
    rows: list[tuple] = []
    disclosed: list[Disclosed] = []
    numbers: list[Number] = []
    for x in on.study.characteristics:
        if x.known_at != ENROLLMENT:
            continue
        counted = by_level(on.snapshot, "baseline", x.code, on.view.selection)
        counts = {g.code: _levels(counted, x, g) for g in shown}
        found = _standardized(on, [list(counts[g.code].values()) for g in shown])
        every = tuple(n for g in shown for n in counts[g.code].values())
        part = Disclosed(every, f"baseline.{x.code}")
        for position, code in enumerate(x.level_codes):
            cells = [_counted(counts[g.code][code], on.sizes[g.code].n_population) for g in shown]
            smd = [_written_smd(found)] if position == 0 else [""]
            rows.append((x.label, x.level_label(code), *cells, *smd[: len(shown) - 1]))
            disclosed.append(part)
        numbers += _baseline_numbers(on, x, shown, counts, found, part)
        if x.kind == "number":
            rows.append(_mean_row(on, x, shown))
            disclosed.append(part)
    columns = (say("column.characteristic"), say("column.level"), *(g.label for g in shown))
    columns += (say("column.smd"),) if len(shown) == 2 else ("",) * (len(shown) - 1)
    title = say("overview.table_baseline")
    if len(shown) > 2:
        rows, columns = [row[: 2 + len(shown)] for row in rows], columns[: 2 + len(shown)]
    table = Table("baseline", title, columns, tuple(rows), tuple(disclosed), n_labels=2)
    return table, numbers


def _levels(counted: pl.DataFrame, x: Characteristic, group: Group) -> dict[str, int]:
    mine = counted.filter(group.matches)
    mine = mine.with_columns(pl.col("level_code").fill_null(MISSING))
    found = dict(mine.select("level_code", "n").rows())
    return {code: int(found.get(code, 0)) for code in x.level_codes}


def _standardized(on: Page, counts: list[list[int]]) -> Estimate:
    """The standardized mean difference over all levels, of two groups."""
    if on.refused:
        return Estimate(None, method="SMD", reason=on.refused)
    if len(counts) != 2:
        return Estimate(None, method="SMD", reason=say("overview.smd_two"))
    reference, other = counts
    return standardized_difference_levels(other, reference)


def _moments(on: Page, x: Characteristic, group: Group) -> Moments | None:
    found = by_level(on.snapshot, "moments", x.code, on.view.selection).filter(group.matches)
    if not found.height or found["n"][0] < 2:
        return None
    row = found.row(0, named=True)
    return Moments(int(row["n"]), float(row["mean"]), float(row["standard_deviation"]))


def _mean_row(on: Page, x: Characteristic, shown: tuple[Group, ...]) -> tuple:
    moments = [_moments(on, x, g) for g in shown]
    cells = [
        say("overview.mean", mean=f"{m.mean:.1f}", sd=f"{m.standard_deviation:.1f}", n=m.n)
        if m and m.n >= FEWEST_FOR_PERCENT
        else say("survival.few", n=FEWEST_FOR_PERCENT)
        for m in moments
    ]
    smd = ""
    if len(moments) == 2 and moments[0] and moments[1] and not on.refused:
        smd = _written_smd(standardized_difference_means(moments[1], moments[0]))
    return (x.label, say("overview.mean_label", unit=x.unit), *cells, *[smd][: len(shown) - 1])


def _baseline_numbers(
    on: Page,
    x: Characteristic,
    shown: tuple[Group, ...],
    counts: dict[str, dict[str, int]],
    found: Estimate,
    part: Disclosed,
) -> list[Number]:
    base = replace(on.number(), characteristic_code=x.code, disclosed=part)
    numbers = []
    for g in shown:
        for code, n in counts[g.code].items():
            row = replace(base, cohort=g.code, level_code=code, statistic="baseline_count")
            row = replace(row, estimate=n, numerator=n, unit="patients", method="count")
            numbers.append(replace(row, denominator=on.sizes[g.code].n_population))
    if len(shown) == 2:
        row = replace(base, cohort=shown[1].code, comparator=shown[0].code)
        row = replace(row, statistic="standardized_difference", unit="standard deviations")
        numbers.append(replace(row, **of_estimate(found)))
    return numbers


# ------------------------------------------------------------------ what became of everybody


def _outcome_rows(on: Page, endpoint: Endpoint) -> list[tuple[str, str | None]]:
    """Outcome and detail, in the order of the table: no remission first, alive last."""
    rows: list[tuple[str, str | None]] = []
    for event in sorted(endpoint.events, key=lambda e: e.state):
        details = on.study.milestone(event.milestone_code).details
        if event.milestone_code == (on.study.response and on.study.response.relapse):
            rows += [(event.milestone_code, d.code) for d in details]
            rows.append((event.milestone_code, None))
        else:
            rows.append((event.milestone_code, ""))
    return [
        *rows,
        ("lost", ""),
        ("alive_in_remission", ""),
        ("not_evaluable", ""),
        ("in_doubt", ""),
        ("no_follow_up", ""),
    ]


def _outcome_label(on: Page, outcome: str, detail: str | None) -> str:
    codes = [m.code for m in on.study.milestones]
    if outcome in ("lost", "alive_in_remission", "not_evaluable", "in_doubt", "no_follow_up"):
        return say(f"overview.{outcome}")
    label = on.study.milestone_label(outcome) if outcome in codes else outcome
    if detail == "":
        return label
    found = next((d.label for d in on.study.milestone(outcome).details if d.code == detail), None)
    return say("overview.detail", label=label, detail=found or say("overview.unknown"))


def _outcomes(on: Page) -> tuple[Table | None, list[Number]]:
    """One outcome a patient: the rows add to N."""
    endpoint = next((e for e in on.study.endpoints if e.kind == "states"), None)
    rule, chosen = on.study.response, on.view.selection
    if endpoint is None or rule is None:
        return None, []
    found = query(
        on.snapshot, "outcome", chosen, endpoint_code=endpoint.code, lost_code=rule.lost or ""
    )
    shown = [g for g in groups(on.study, chosen) if g.line_code in endpoint.line_codes]
    if not shown:
        return None, []
    rows, numbers, disclosed = [], [], []
    kept = _outcome_rows(on, endpoint)
    counts = {g.code: {k: _outcome(found, g, *k) for k in kept} for g in shown}
    part = Disclosed(tuple(n for g in shown for n in counts[g.code].values()), "outcome")
    for outcome, detail in kept:
        cells = [
            _counted(counts[g.code][outcome, detail], on.sizes[g.code].n_population) for g in shown
        ]
        rows.append((_outcome_label(on, outcome, detail), *cells))
        disclosed.append(part)
        for g in shown:
            n = counts[g.code][outcome, detail]
            item = "_".join(x for x in (outcome, detail if detail is not None else "unknown") if x)
            row = replace(on.number(), endpoint="results", cohort=g.code, level_code=item)
            row = replace(row, statistic="results_count", estimate=n, numerator=n, method="count")
            row = replace(row, denominator=on.sizes[g.code].n_population, unit="patients")
            numbers.append(replace(row, disclosed=part))
    rows += _outcome_sums(on, found, shown)
    disclosed += [part] * (len(rows) - len(disclosed))
    columns = (say("column.outcome"), *(g.label for g in shown))
    title = say("overview.table_outcomes")
    return Table("outcomes", title, columns, tuple(rows), tuple(disclosed)), numbers


def _outcome(found: pl.DataFrame, group: Group, outcome: str, detail: str | None) -> int:
    mine = found.filter(group.matches, pl.col("outcome") == outcome)
    if detail is None:
        mine = mine.filter(pl.col("detail_code").is_null())
    elif detail:
        mine = mine.filter(pl.col("detail_code") == detail)
    return int(mine["n"].sum())


def _outcome_sums(on: Page, found: pl.DataFrame, shown: list[Group]) -> list[tuple]:
    """N, and beneath it two sums of rows above: remissions, and remissions that came late."""
    failed = ["early_death", "non_response", "not_evaluable", "in_doubt", "no_follow_up"]
    remission = ~pl.col("outcome").is_in(failed)
    no_response = pl.col("outcome") == "non_response"
    total = [str(int(found.filter(g.matches)["n"].sum())) for g in shown]
    reached, late = [], []
    for g in shown:
        n = int(found.filter(g.matches, remission)["n"].sum())
        reached.append(_counted(n, on.sizes[g.code].n_population))
        n_failed = int(found.filter(g.matches, no_response)["n"].sum())
        n_late = int(found.filter(g.matches, no_response, pl.col("is_late"))["n"].sum())
        late.append(_counted(n_late, n_failed))
    return [
        (say("overview.total"), *total),
        (say("overview.remission"), *reached),
        (say("overview.late"), *late),
    ]


# ------------------------------------------------------------------ follow-up and left out


def _follow_up(on: Page) -> tuple[Table, list[Number]]:
    """Reverse Kaplan-Meier follow-up of survival itself (only death ends it), else of the first."""
    ends = {m.code for m in on.study.milestones if m.is_terminal}
    of_death = [e for e in on.study.endpoints if {x.milestone_code for x in e.events} <= ends]
    endpoint = of_death[0] if of_death else on.study.endpoints[0]
    chosen = on.view.selection
    ended = outcomes(on.snapshot, chosen, endpoint)
    rows, numbers, disclosed = [], [], []
    for g in groups(on.study, chosen):
        mine = day_counts(ended.of(g).by_day)
        found = follow_up(mine)
        if 0 < mine.n < FEWEST_FOR_PERCENT:
            reason = say("survival.few", n=FEWEST_FOR_PERCENT)
            found = Estimate(None, method=found.method, reason=reason)
        part = Disclosed((mine.n, mine.n_events, mine.n - mine.n_events), f"follow_up.{g.code}")
        rows.append((g.label, f"{mine.n_events}/{mine.n}", crossing(found, on.study)))
        disclosed.append(part)
        row = replace(on.number(), endpoint=endpoint.code, cohort=g.code, unit="days")
        row = replace(row, statistic="median_follow_up", denominator=mine.n, disclosed=part)
        numbers.append(replace(row, **of_estimate(found)))
    columns = (say("column.cohort"), say("overview.deaths", endpoint=endpoint.label))
    columns += (say("measure.follow_up"),)
    title = say("overview.table_follow_up")
    return Table("follow_up", title, columns, tuple(rows), tuple(disclosed)), numbers


def _left_out(on: Page) -> Table:
    """From everybody enrolled to the population, step by step; each step says why."""
    enrolled = {row["cohort_code"]: row for row in query(on.snapshot, "enrollment").to_dicts()}
    rows, disclosed = [], []
    for g in groups(on.study, on.view.selection):
        size, all_of = on.sizes[g.code], enrolled.get(g.cohort_code, {})
        n_enrolled = all_of.get("n_enrolled", 0)
        filtered = size.n_enrolled - size.n_population
        other = n_enrolled - size.n_enrolled
        counts = (n_enrolled, other, size.n_enrolled, filtered, size.n_population)
        rows.append((g.label, *counts))
        disclosed.append(Disclosed(counts, f"left_out.{g.code}"))
    names = ("cohort", "enrolled", "other_line", "of_line", "filtered", "population")
    columns = tuple(say(f"column.{name}") for name in names)
    title = say("overview.table_left_out")
    return Table("left_out", title, columns, tuple(rows), tuple(disclosed))


def _notes(on: Page) -> list[Note]:
    notes = [*on.notes(), *_quarantined_enrollments(on), *_excluded_enrollments(on)]
    notes += _other_lines(on)
    enrolled = query(on.snapshot, "enrollment").to_dicts()
    both = min(
        (row["n_in_other_cohorts"] for row in enrolled if row["n_in_other_cohorts"]), default=0
    )
    if both:
        disclosed = Disclosed((both,), "both_cohorts")
        notes.append(Note("info", say("overview.both", n=both), disclosed))
    notes += late_entry(on.snapshot)
    notes += _disagreements(on)
    if len(groups(on.study, on.view.selection)) == 2:
        notes.append(Note("info", say("overview.smd_note", limit=NOTICEABLE)))
    return notes


def _quarantined_enrollments(on: Page) -> list[Note]:
    """Rows that would have enrolled somebody: those children are in no number at all."""
    files = query(on.snapshot, "file").filter(pl.col("is_enrolling"))
    n, of = int(files["rows_quarantined"].sum()), int(files["rows_in"].sum())
    if not n:
        return []
    text = say("overview.quarantined", n=n, of=of)
    return [Note("warning", text, Disclosed((n, of - n), "quarantined"))]


def _excluded_enrollments(on: Page) -> list[Note]:
    """Rows that would have enrolled somebody and were left out by rule, with the reason."""
    files = query(on.snapshot, "file").filter(pl.col("is_enrolling"))
    issues = query(on.snapshot, "issue").join(files, on="file_number", how="semi")
    by_rule = pl.col("rule").str.strip_prefix(EXCLUDED)
    told = issues.filter(pl.col("rule").str.starts_with(EXCLUDED))
    of, notes = int(files["rows_in"].sum()), []
    for reason, n in told.group_by(by_rule).agg(pl.col("n_rows").sum()).sort("rule").rows():
        text = say("overview.excluded", n=n, of=of, reason=reason)
        notes.append(Note("info", text, Disclosed((n, of - n), f"excluded.{reason}")))
    return notes


def _other_lines(on: Page) -> list[Note]:
    """What the tables mean for lines that began after the enrollment."""
    rule, notes = on.study.response, []
    first, chosen = on.study.lines[0].code, on.view.selection.line_codes
    if any(code != first for code in chosen):
        notes.append(Note("info", say("overview.baseline_of_enrollment")))
    missing = [on.study.line(c).label for c in chosen if rule and c not in rule.line_codes]
    if missing:
        notes.append(Note("info", say("overview.not_judged", lines=", ".join(missing))))
    return notes


def _disagreements(on: Page) -> list[Note]:
    """How many of all in these lines are recorded otherwise than derived, whatever the filters."""
    notes = []
    for x in on.study.characteristics:
        if not x.compared_with:
            continue
        other = on.study.characteristic(x.compared_with)
        everybody = replace(on.view.selection, filters=())
        counted = compared_levels(on.snapshot, x.code, other.code, everybody)
        n, of = (int(counted[c].sum()) for c in ("n_differs", "n_known"))
        if n:
            text = say("overview.differs", n=n, of=of, recorded=x.label, derived=other.label)
            notes.append(Note("info", text, Disclosed((n, of - n), f"differs.{x.code}")))
    return notes


def _headline(on: Page) -> str:
    parts = [
        say("frame.cohort_n", cohort=s.label, n=s.n_population, n_enrolled=s.n_enrolled)
        for s in on.sizes.values()
    ]
    return say("overview.headline", parts="; ".join(parts), population=on.population)


def overview_answer(snapshot: Snapshot, view: View) -> Answer:
    """The answer of the overview of a view."""
    on = page("overview", snapshot, view)
    if on.is_empty:
        return on.empty()
    baseline, numbers = _baseline(on)
    outcomes, more = _outcomes(on)
    followed, last = _follow_up(on)
    tables = [_left_out(on), followed, *([outcomes] if outcomes else []), baseline]
    sizes = tuple(
        Disclosed((s.n_population, s.n_enrolled - s.n_population)) for s in on.sizes.values()
    )
    return on.answer(
        _headline(on),
        _notes(on),
        (),
        tuple(tables),
        (*numbers, *more, *last),
        headline_disclosed=sizes,
    )
