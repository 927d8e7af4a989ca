"""What a study says about comparing survival, as frozen dataclasses."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Split:
    """Groups by something known only after time zero: looked at from a landmark day on.

    `kind` milestone (it happened by the day), timepoint (its MRD sample was negative by the day) or
    infusion (at least one of that kind by the day); `of` is its code. `days`: the landmarks that
    are offered, from the time zero of the endpoint, which is one of `endpoint_codes`.
    """

    code: str
    label: str
    kind: str
    of: str
    endpoint_codes: tuple[str, ...]
    days: tuple[int, ...]


@dataclass(frozen=True)
class Bridge:
    """The way to a transplant: the incidence of reaching it, survival from it, MRD before it.

    `reach` is an endpoint of kind incidence, `after` one of kind survival, `timepoint` a time point
    of MRD, None if there is none.
    """

    reach: str
    after: str
    timepoint: str | None


@dataclass(frozen=True)
class Published:
    """A result of another trial at a time (in the study's unit), to hold the own curve against.

    `value`, `lower` and `upper` are proportions; the limits are None where none are published.
    `differs`: how its population is another one. `source` is the citation.
    """

    endpoint_code: str
    time: float
    value: float
    lower: float | None
    upper: float | None
    label: str
    differs: str
    source: str


@dataclass(frozen=True)
class SurvivalRule:
    """Declared before anybody looks: covariates of the fair comparison, splits, what stands beside.

    `stratify_by`: the characteristic that the crude comparison is stratified by where there are too
    few patients to adjust. Who was registered later than `late_days` after the relapse is told.
    """

    covariate_codes: tuple[str, ...] = ()
    stratify_by: str | None = None
    late_days: int = 14
    splits: tuple[Split, ...] = ()
    bridge: Bridge | None = None
    published: tuple[Published, ...] = ()

    def split(self, code: str) -> Split:
        """The split of a code. Raises KeyError."""
        for split in self.splits:
            if split.code == code:
                return split
        raise KeyError(code)
