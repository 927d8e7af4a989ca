"""What sentences, tables and figures of the fair comparison are filled with."""

from typing import Any

from analysis.survival_fair_results import Fair, Pair
from analysis.wording import time_in_words
from trial.words import say


def names(pair: Pair) -> dict[str, Any]:
    """The cohorts of a pair."""
    return {"cohort": pair.newer.cohort.label, "comparator": pair.older.cohort.label}


def suffix(position: int) -> str:
    """What the codes of a pair end in: nothing for the first."""
    return f"_{position + 1}" if position else ""


def covariates(fair: Fair) -> str:
    """What is balanced, and nothing else."""
    return ", ".join(fair.named)


def whom(pair: Pair) -> str:
    """For whom the weighted numbers speak."""
    return say(f"fair.whom_{pair.found.plan.target}", cohort=pair.newer.cohort.label)


def cut_in_words(fair: Fair) -> str:
    """The follow-up that all cohorts share, in the study's unit."""
    study = fair.on.study
    return time_in_words(study, round((fair.cut_day or 0.0) / study.unit_days, 1))
