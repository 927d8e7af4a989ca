"""What can be asked of response: remission by the landmark, MRD at a time point; who counts in it.

A measure puts everybody into one class. A rule (denominator, and what a missing result counts as)
makes a proportion of the classes; whoever is not in its denominator is left out with a reason, so
that shown and left out add to everybody.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import polars as pl

from analysis.answer import Account, Disclosed, Number
from analysis.compose import Page
from analysis.groups import Group, groups
from analysis.link import OWN_LIMIT, REMISSION, View, response_points, threshold_of
from analysis.shares import Line, Share
from trial.response import MRD_CLASSES, RESPONSE_CLASSES
from trial.study import Study
from trial.words import say
from warehouse.query import query

# Beyond this share of a group that did not come to a time point, those who did are a selection.
MOST_NOT_REACHED = 0.10


@dataclass(frozen=True)
class Kind:
    """The classes of a measure: `yes` is the response, `known` are all that decide it.

    `sampled`: somebody looked. `missing`: not known though it could have been; who never came to a
    time point, or died before the sample, is not missing but did not respond.
    """

    yes: str
    known: tuple[str, ...]
    sampled: tuple[str, ...]
    missing: tuple[str, ...]
    classes: tuple[str, ...]


MRD = Kind(
    yes="negative",
    known=("negative", "positive"),
    sampled=("negative", "positive", "indeterminate", "not_evaluable"),
    missing=("indeterminate", "not_evaluable", "not_sampled", "too_early", "in_doubt"),
    classes=MRD_CLASSES,
)
RESPONSE = Kind(
    yes="remission",
    known=("remission", "other_remission", "non_response", "early_death"),
    sampled=("remission", "other_remission", "non_response"),
    missing=("not_evaluable", "in_doubt"),
    classes=RESPONSE_CLASSES,
)


@dataclass(frozen=True)
class Rule:
    """Who counts: the denominator, and whether missing ones count as not responding."""

    denominator: str
    missing: str

    @property
    def code(self) -> str:
        """As numbers.csv names it: what is left out changes nothing among the evaluable."""
        plain = self.missing == "not_negative" or self.denominator == "evaluable"
        return self.denominator if plain else f"{self.denominator}_without_missing"

    def counts(self, kind: Kind, code: str, is_reached: bool) -> bool:
        """Whether somebody of a class is in the denominator."""
        if self.missing == "left_out" and code in kind.missing:
            return False
        return {
            "enrolled": True,
            "started": is_reached,
            "sampled": code in kind.sampled,
            "evaluable": code in kind.known,
        }[self.denominator]


def rule_of(view: View) -> Rule:
    """The rule of a view."""
    return Rule(view.denominator, view.missing)


@dataclass(frozen=True)
class Counted:
    """How many of a group are in each class, and came to the time point or did not."""

    group: Group
    kind: Kind
    cells: dict[tuple[str, bool], int]

    @property
    def n(self) -> int:
        """Everybody."""
        return sum(self.cells.values())

    @property
    def counts(self) -> dict[str, int]:
        """Patients by class, in the measure's order."""
        return {c: sum(self.cells.get((c, r), 0) for r in (True, False)) for c in self.kind.classes}

    def denominator(self, rule: Rule) -> int:
        """How many a rule counts."""
        return sum(n for (code, r), n in self.cells.items() if rule.counts(self.kind, code, r))

    def left_out(self, rule: Rule) -> dict[str, int]:
        """How many of each class a rule does not count; classes without anybody are not named."""
        found: dict[str, int] = {}
        for (code, is_reached), n in self.cells.items():
            if not rule.counts(self.kind, code, is_reached) and n:
                found[code] = found.get(code, 0) + n
        return {code: found[code] for code in self.kind.classes if code in found}

    def share(self, rule: Rule) -> Share:
        """The proportion with a response under a rule; why there is none, if there is none."""
        of = self.denominator(rule)
        yes = sum(
            n
            for (code, r), n in self.cells.items()
            if code == self.kind.yes and rule.counts(self.kind, code, r)
        )
        return Share(
            self.group, yes, of, self._why_none(rule, of), self.n - of, self._why_apart(rule)
        )

    def _why_apart(self, rule: Rule) -> str:
        """Why a denominator chosen by something that came later is not compared.

        Who reached a later block or a transplant lived and responded to reach it: among those
        alone the groups differ in who is left.
        """
        if self.kind is not MRD or rule.denominator == "enrolled" or not self.n:
            return ""
        n = sum(n for (_, is_reached), n in self.cells.items() if not is_reached)
        few = n <= MOST_NOT_REACHED * self.n
        return "" if few else say("response.selected", n=n, of=self.n)

    def _why_none(self, rule: Rule, of: int) -> str:
        """Why there is no proportion: none of nobody, none where nobody's response is known.

        Who is only missing (a quarantined row, no sample) makes no 0 % of a time point that nobody
        of the group is known to have come to.
        """
        if self.n == 0:
            return say("response.nobody")
        if self.kind is MRD and not any(
            n for (_, is_reached), n in self.cells.items() if is_reached
        ):
            return say("response.not_reached")
        unknown = (*self.kind.missing, "not_reached")
        if not any(n for code, n in self.counts.items() if code not in unknown):
            is_sampled = any(self.counts[code] for code in self.kind.sampled)
            return say("response.nobody_known" if is_sampled else "response.nobody_was_sampled")
        return "" if of else say(f"nobody.{rule.denominator}")


def counted(frame: pl.DataFrame, group: Group, kind: Kind) -> Counted:
    """The classes of a group; of a query with columns class, is_reached and n."""
    mine = frame.filter(group.matches).with_columns(pl.col("class").fill_null("in_doubt"))
    found = mine.group_by("class", "is_reached").agg(pl.col("n").sum())
    return Counted(group, kind, {(c, bool(r)): int(n) for c, r, n in found.rows()})


@dataclass(frozen=True)
class Measure:
    """A measure: REMISSION by a definition, or MRD at a time point below a threshold."""

    point: str
    by: str

    @property
    def kind(self) -> Kind:
        """Its classes."""
        return RESPONSE if self.point == REMISSION else MRD

    @property
    def code(self) -> str:
        """As numbers.csv names it: remission_morphology, mrd_1e-4, mrd_limit."""
        if self.point == REMISSION:
            return f"remission_{self.by}"
        if self.by == OWN_LIMIT:
            return "mrd_limit"
        return f"mrd_{float(self.by):.0e}".replace("e-0", "e-")

    @property
    def timepoint_code(self) -> str | None:
        """The time point, None of remission."""
        return None if self.point == REMISSION else self.point


def measure_of(view: View, point: str) -> Measure:
    """The measure that a view's definition and threshold make of a point."""
    return Measure(point, view.definition if point == REMISSION else view.mrd)


def by_label(study: Study, measure: Measure) -> str:
    """The definition or threshold in words."""
    if measure.point == REMISSION:
        rule = study.response
        return next(d.label for d in rule.definitions if d.code == measure.by) if rule else ""
    return threshold_label(measure.by)


def threshold_label(threshold: str) -> str:
    """A threshold in words."""
    if threshold == OWN_LIMIT:
        return say("response.own_limit")
    return say("response.below", threshold=percent_of(threshold))


def point_labels(study: Study) -> dict[str, str]:
    """What a response can be asked about, in words."""
    rule = study.response
    found = {REMISSION: study.milestone_label(rule.remission)} if rule else {}
    points = {p.code: p.label for p in study.timepoints}
    others = [code for code in response_points(study) if code != REMISSION]
    return found | {code: say("lens.mrd_at", at=points[code]) for code in others}


def percent_of(threshold: str) -> str:
    """A threshold as people write it: 0.0001 -> '0.01 %'."""
    return f"{100 * float(threshold):g} %"


def label_of(study: Study, measure: Measure) -> str:
    """A measure in words."""
    rule = study.response
    if measure.point == REMISSION:
        assert rule
        what = study.milestone_label(rule.remission)
        label = say("response.remission", what=what[:1].upper() + what[1:], day=rule.landmark_day)
        if len(rule.definitions) > 1:
            label = say("response.by_definition", label=label, by=by_label(study, measure))
        return label
    at = study.timepoint(measure.point).label
    key = "response.mrd_limit" if measure.by == OWN_LIMIT else "response.mrd"
    threshold = "" if measure.by == OWN_LIMIT else percent_of(measure.by)
    return say(key, threshold=threshold, at=at)


@dataclass(frozen=True)
class Measured:
    """A measure of every group, under a rule."""

    measure: Measure
    label: str
    counted: tuple[Counted, ...]
    line: Line


def judged_groups(on: Page) -> tuple[Group, ...]:
    """The groups whose response is judged."""
    rule = on.study.response
    lines = rule.line_codes if rule else ()
    return tuple(g for g in groups(on.study, on.view.selection) if g.line_code in lines)


def class_counts(on: Page, measure: Measure) -> tuple[Counted, ...]:
    """Everybody of the population by class, group by group."""
    if measure.point == REMISSION:
        frame = query(on.snapshot, "response", on.view.selection, definition=measure.by)
    else:
        frame = query(
            on.snapshot, "mrd", on.view.selection, threshold=threshold_of(measure.by)
        ).filter(pl.col("timepoint_code") == measure.point)
    return tuple(counted(frame, g, measure.kind) for g in judged_groups(on))


def measured(on: Page, measure: Measure, found: tuple[Counted, ...], rule: Rule) -> Measured:
    """A row of the page."""
    label = label_of(on.study, measure)
    shares = tuple(c.share(rule) for c in found)
    return Measured(
        measure, label, found, Line(label, shares, f"response.{measure.point}", on.refused)
    )


def accounts(on: Page, found: Iterable[Counted], rule: Rule, part: str) -> tuple[Account, ...]:
    """Of all enrolled in each group: who is shown, and who was left out by which reason."""
    told = []
    for c in found:
        size = on.sizes[c.group.code]
        reasons = [(say("account.filtered"), size.n_enrolled - size.n_population)]
        reasons += [(class_label(on.study, code), n) for code, n in c.left_out(rule).items()]
        shown = c.denominator(rule)
        disclosed = Disclosed((shown, *(n for _, n in reasons)), part)
        named = tuple((label, n) for label, n in reasons if n)
        told.append(Account(c.group.label, size.n_enrolled, shown, named, disclosed))
    return tuple(told)


def class_label(study: Study, code: str) -> str:
    """A class in words."""
    rule = study.response
    what = study.milestone_label(rule.remission) if rule else ""
    return say(f"class.{code}", what=what)


def base_number(on: Page, measure: Measure, rule: Rule) -> Number:
    """A tidy number with what all numbers of a measure share."""
    return replace(
        on.number(),
        timepoint_code=measure.timepoint_code,
        measure_code=measure.code,
        denominator_code=rule.code,
    )
