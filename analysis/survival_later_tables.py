"""Groups by something known only later: the tables, at a landmark and in time."""

from analysis import survival_later_disclosed as told_of
from analysis.answer import Table
from analysis.stats.counts import at_risk_table
from analysis.stats.estimate import Estimate
from analysis.stats.logrank import LogRank
from analysis.survival_later_model import Later, Scope, Side
from analysis.survival_later_time import Changing
from analysis.wording import p_value, points, time_in_words, written
from trial.words import say


def ratio_told(found: Estimate) -> str:
    """1.40 (0.91 to 2.15), or why there is none; never a p-value."""
    return written(found, lambda x: f"{x:.2f}")


def _percent(found: Estimate) -> str:
    return written(found, lambda x: f"{100 * x:.1f}", " %")


def _cell(scope: Scope, side: Side, days: float) -> str:
    (row,) = at_risk_table(side.counts, (days,))
    told = {"events": side.events_by(days), "n": side.n, "at_risk": row.at_risk}
    return say("survival.cell", told=_percent(scope.at(side, days)), **told)


def _survival(later: Later) -> Table:
    """A note says why all together have no rows, if they are not compared."""
    study, rows, disclosed = later.on.study, [], []
    for scope in (s for s in later.scopes if later.is_shown(s) and not s.refused):
        for time in study.milestone_times:
            days = time * study.unit_days
            cells = [_cell(scope, side, days) for side in scope.sides]
            difference = written(scope.difference(days), points)
            rows.append((scope.label, time_in_words(study, time), *cells, difference))
            disclosed.append(told_of.at_time(later, time))
    columns = [say("column.cohort"), say("later.column_time")]
    columns += [side.label for side in later.scopes[0].sides]
    columns.append(say("later.column_difference"))
    title = say("later.table")
    return Table("later", title, tuple(columns), tuple(rows), tuple(disclosed), n_labels=2)


def _ratio_row(scope: Scope, label: str, ratio: Estimate) -> tuple[str, ...]:
    cells = (say("later.events_of", events=s.counts.n_events, n=s.n) for s in scope.pair)
    return (label, *cells, ratio_told(ratio))


def _ratios(later: Later) -> Table:
    rows = []
    for scope in filter(later.is_shown, later.scopes):
        rows.append(_ratio_row(scope, scope.label, scope.hazard_ratio))
        if scope.strata and not scope.refused:
            rows.append(_ratio_row(scope, say("later.stratified"), scope.stratified))
    first, other = (side.label for side in later.scopes[0].pair)
    columns = [say("column.cohort")]
    columns += [say("later.column_events", side=label) for label in (first, other)]
    columns.append(say("later.column_ratio", other=other, first=first))
    disclosed = (told_of.totals(later),) * len(rows)
    title = say("later.table_ratio")
    return Table("later_ratio", title, tuple(columns), tuple(rows), disclosed)


def _moved(scope: Scope, side: Side) -> tuple[int | str, ...]:
    """Of the first level, in how many it happened later; no cell where nobody changes once."""
    if scope.n_later is None:
        return ()
    return (scope.n_later if side is scope.pair[0] else say("value.none"),)


def _counts(later: Later) -> Table:
    """Every group by level: all with a time are left out by the landmark or under observation."""
    rows: list[tuple] = []
    for scope in filter(later.is_shown, later.scopes):
        for side in scope.sides:
            gone, n = side.dropped, side.n
            parts = (gone.n + n, gone.events, gone.censored, n, *_moved(scope, side))
            rows.append((scope.label, side.label, *parts, side.counts.n_events))
        if n := scope.n_in_doubt:
            none = (say("value.none"),) * (4 + len(_moved(scope, scope.pair[1])))
            rows.append((scope.label, say("later.in_doubt_row"), n, *none))
    day = later.day
    columns = [say("column.cohort"), say("later.column_level"), say("later.column_all")]
    columns += [say("later.column_event", day=day), say("later.column_gone", day=day)]
    columns.append(say("later.column_n"))
    if later.scopes[0].n_later is not None:
        columns.append(say("later.column_moved", of=later.of))
    columns.append(say("later.column_after"))
    disclosed = (told_of.dropped(later),) * len(rows)
    title = say("later.table_counts")
    return Table("later_counts", title, tuple(columns), tuple(rows), disclosed, n_labels=2)


def landmark_tables(later: Later) -> tuple[Table, ...]:
    """Survival, hazard ratios, and who is counted where."""
    return _survival(later), _ratios(later), _counts(later)


def mantel_told(test: LogRank) -> str:
    """Chi-square and p, or why there is no test."""
    if test.chi_square is None or test.p_value is None:
        return say("value.not_estimable", reason=test.reason)
    told = {"chi_square": f"{test.chi_square:.2f}", "df": test.degrees_of_freedom}
    value = say("value.log_rank", **told)
    return say("value.with_p", value=value, p=p_value(test.p_value))


def _model(later: Later) -> Table:
    rows = []
    for one in filter(later.is_shown, later.changing):
        before, after, events_before, events_after = one.counted
        cells = (
            say("later.events_of", events=events_before, n=before),
            say("later.events_of", events=events_after, n=after),
        )
        ratio, test = ratio_told(one.hazard_ratio), mantel_told(one.mantel_byar)
        rows.append((one.label, one.n, *cells, ratio, test))
        if one.strata and not one.few:
            ratio, none = ratio_told(one.stratified), say("value.none")
            rows.append((say("later.stratified"), one.n, *cells, ratio, none))
    columns = [say("column.cohort"), say("column.n")]
    columns += [
        say("later.column_events", side=say(f"later.{side}", of=later.of))
        for side in ("before", "after")
    ]
    columns += [say("later.column_model"), say("later.column_mantel")]
    disclosed = (told_of.model(later),) * len(rows)
    title = say("later.table_model")
    return Table("later_model", title, tuple(columns), tuple(rows), disclosed)


def _cell_in_time(one: Changing, is_after: bool, days: float) -> str:
    """S with its limits and how many are at risk; before the curves start, why not."""
    estimate, found = one.at(is_after, days), one.curves
    if isinstance(found, str) or estimate.estimate is None:
        return _percent(estimate)
    (row,) = at_risk_table((found.after if is_after else found.before).counts, (days,))
    return say("later.at_risk", told=_percent(estimate), n=row.at_risk)


def _curves(later: Later, one: Changing) -> list[tuple]:
    study, found, rows = later.on.study, one.curves, []
    if isinstance(found, str):
        return []
    start = say("later.on_day", day=f"{found.start_day:g}")
    for time in study.milestone_times:
        days = time * study.unit_days
        cells = (_cell_in_time(one, is_after, days) for is_after in (False, True))
        rows.append((one.label, time_in_words(study, time), start, *cells))
    return rows


def _in_time(later: Later) -> Table:
    rows, disclosed = [], []
    for one in filter(later.is_shown, later.changing):
        mine = _curves(later, one)
        rows += mine
        disclosed += [told_of.curves(later, one)] * len(mine)
    columns = [say("column.cohort"), say("later.column_since"), say("later.column_start")]
    columns += [say(f"later.{side}", of=later.of) for side in ("before", "after")]
    title = say("later.table_curves")
    return Table("later_curves", title, tuple(columns), tuple(rows), tuple(disclosed), n_labels=2)


def time_tables(later: Later) -> tuple[Table, ...]:
    """The model in time, and the curves."""
    return _model(later), _in_time(later)
