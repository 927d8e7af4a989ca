"""What an address can say about the parts of the survival page."""

from trial.study import ENROLLMENT, Study

# Parts of the survival page beneath its figure, in the order they are offered.
SURVIVAL_PARTS = ("endpoints", "components", "later", "fair", "era", "bridge", "subgroups")
# How groups by something known only later are looked at.
LATER_BY = ("landmark", "time_dependent")
# Whom the weights of the fair comparison make both cohorts like: the overlap, or the newer cohort.
WEIGHTS = ("overlap", "newer")
# What the forest of subgroups shows.
SCALES = ("hazard_ratio", "difference", "rmst")
SURVIVAL_OPTIONS = ("look", "split", "day", "by", "weights", "scale", "published")


def survival_parts(study: Study) -> tuple[str, ...]:
    """The parts that a study has anything for."""
    rule = study.survival
    cannot_adjust = study.randomised or len(study.cohorts) < 2 or not rule.covariate_codes
    absent = {
        "endpoints": len(study.endpoints) < 2,
        "components": not any(e.kind == "states" for e in study.endpoints),
        "later": not rule.splits,
        "fair": cannot_adjust,
        "era": cannot_adjust,
        "bridge": rule.bridge is None,
        "subgroups": not any(x.known_at == ENROLLMENT for x in study.characteristics),
    }
    return tuple(part for part in SURVIVAL_PARTS if not absent[part])


def survival_allowed(study: Study, split: str = "") -> dict[str, tuple[str, ...]]:
    """What each option can be, its default first; the days are those of a split, or the first."""
    rule, parts = study.survival, survival_parts(study)
    splits = tuple(s.code for s in rule.splits)
    chosen = split if split in splits else (splits[0] if splits else "")
    days = tuple(str(day) for day in rule.split(chosen).days) if chosen else ()
    return {
        "look": parts,
        "split": splits,
        "day": days,
        "by": LATER_BY if splits else (),
        "weights": WEIGHTS if "fair" in parts else (),
        "scale": SCALES if "subgroups" in parts else (),
        "published": ("no", "yes") if rule.published else (),
    }
