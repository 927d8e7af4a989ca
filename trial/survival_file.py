"""Reading the part of a study definition about comparing survival."""

from dataclasses import dataclass

from trial.document import Table, unique
from trial.study import ENROLLMENT, Characteristic, Endpoint
from trial.survival_rule import Bridge, Published, Split, SurvivalRule

# What a split can be about, with the list of codes that it names one of.
KINDS = ("milestone", "timepoint", "infusion")


@dataclass(frozen=True)
class Beside:
    """What the definition declares elsewhere, for [survival] to name."""

    endpoints: tuple[Endpoint, ...]
    characteristics: tuple[Characteristic, ...]
    codes: dict[str, list[str]]

    def of_kind(self, kind: str) -> list[str]:
        """The endpoints of a kind."""
        return [e.code for e in self.endpoints if e.kind == kind]

    @property
    def baseline(self) -> list[str]:
        """Characteristics known at enrollment."""
        return [x.code for x in self.characteristics if x.known_at == ENROLLMENT]


def survival(table: Table | None, beside: Beside) -> SurvivalRule:
    """What a study declares about comparisons of survival; an empty rule if it has no such table.

    Raises DocumentError for codes that are not declared, and for a landmark before day 1.
    """
    if table is None:
        return SurvivalRule()
    rule = SurvivalRule(
        covariate_codes=_baseline(table, "covariates", beside),
        stratify_by=table.code("stratify_by", beside.baseline, None),
        late_days=int(table.number("late_days", 14)),
        splits=_splits(table, beside),
        bridge=_bridge(table.table("bridge", None), beside),
        published=tuple(_published(t, beside) for t in table.tables("published")),
    )
    table.done()
    return rule


def _baseline(table: Table, key: str, beside: Beside) -> tuple[str, ...]:
    codes = table.texts(key, ())
    if unknown := [code for code in codes if code not in beside.baseline]:
        raise table.error(key, f"'{unknown[0]}' is no characteristic known at enrollment.")
    if len(set(codes)) < len(codes):
        raise table.error(key, "a covariate is named once.")
    return codes


def _splits(table: Table, beside: Beside) -> tuple[Split, ...]:
    tables = table.tables("split")
    found = tuple(_split(t, beside) for t in tables)
    unique(tables, [split.code for split in found], "split")
    return found


def _split(table: Table, beside: Beside) -> Split:
    named = [kind for kind in KINDS if kind in table.data]
    if len(named) != 1:
        raise table.error(None, f"a split is about one of {', '.join(KINDS)}.")
    (kind,) = named
    endpoints, allowed = table.texts("endpoints"), beside.of_kind("survival")
    if unknown := [code for code in endpoints if code not in allowed]:
        raise table.error("endpoints", f"'{unknown[0]}' is no endpoint of kind 'survival'.")
    days = table.numbers("days")
    if not days or any(day < 1 or day != int(day) for day in days):
        raise table.error("days", "'days' are whole numbers from 1 on: landmarks after time zero.")
    split = Split(
        code=table.new_code(),
        label=table.filled("label"),
        kind=kind,
        of=table.code(kind, beside.codes[kind]),
        endpoint_codes=endpoints,
        days=tuple(int(day) for day in days),
    )
    table.done()
    return split


def _bridge(table: Table | None, beside: Beside) -> Bridge | None:
    if table is None:
        return None
    bridge = Bridge(
        reach=table.code("reach", beside.of_kind("incidence")),
        after=table.code("after", beside.of_kind("survival")),
        timepoint=table.code("timepoint", beside.codes["timepoint"], None),
    )
    table.done()
    return bridge


def _published(table: Table, beside: Beside) -> Published:
    values = [table.number("value"), table.number("lower", None), table.number("upper", None)]
    if any(value is not None and not 0 <= value <= 1 for value in values):
        raise table.error("value", "'value', 'lower' and 'upper' are proportions from 0 to 1.")
    codes = [e.code for e in beside.endpoints if e.kind != "states"]
    published = Published(
        endpoint_code=table.code("endpoint", codes),
        time=float(table.number("time")),
        value=float(values[0]),
        lower=values[1],
        upper=values[2],
        label=table.filled("label"),
        differs=table.filled("differs"),
        source=table.filled("source"),
    )
    table.done()
    return published
