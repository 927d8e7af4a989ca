"""Who of each group is in a figure of an endpoint, and who is not for which reason."""

from collections.abc import Iterable

from analysis.answer import Account, Disclosed
from analysis.groups import Group
from analysis.outcomes import Ended
from trial.study import Endpoint, Study
from trial.words import say


def time_accounts(
    study: Study, endpoint: Endpoint, ended: Iterable[tuple[Group, Ended]], part: str
) -> tuple[Account, ...]:
    """Of all enrolled in each group: those with a time, and the others by reason."""
    names = {
        "origin": study.milestone_label(endpoint.origin),
        "censor": study.milestone_label(endpoint.censor),
    }
    found = []
    for group, mine in ended:
        reasons = [(say("account.filtered"), mine.n_enrolled - mine.n_population)]
        reasons += [(say(f"account.{code}", **names), n) for code, n in mine.left_out.items()]
        n_shown = mine.n_population - sum(mine.left_out.values())
        disclosed = Disclosed((n_shown, *(n for _, n in reasons)), part)
        told = tuple((label, n) for label, n in reasons if n)
        found.append(Account(group.label, mine.n_enrolled, n_shown, told, disclosed))
    return tuple(found)
