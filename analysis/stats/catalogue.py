"""The statistician's page, generated: python -m analysis.stats.catalogue > STATISTICS.md.

Every statistic with its definition, its convention, the source of its formula, the R call that
gives the same number and the test that says so. The entries stand in `catalogue.toml`; a test sees
to it that every public function of the room is in one, and that every test it names is there.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

ENTRIES = Path(__file__).parent / "catalogue.toml"

HEAD = """# Statistics

Made by `make fix` from `analysis/stats/catalogue.toml`; do not edit.

What every number means, and which call of R gives the same. `S` stands for
`Surv(time, event)` of R's package survival 3.5-3; `z` for the cohort, the reference first.

Everywhere: intervals are two-sided and of 95 %. A ratio is the other cohort's over the
reference's, a difference the other's minus the reference's. What cannot be estimated is a sentence
that says why, never infinity or 0. At risk on a day are all whose time is that day or later; an
event on day 0 counts. Times are days; a year is 365.25 of them.
"""


@dataclass(frozen=True)
class Statistic:
    """One entry: what a statistic is, whence its formula, and what proves it."""

    topic: str
    name: str
    functions: tuple[str, ...]
    definition: str
    convention: str
    source: str
    r_call: str
    test: str


def statistics() -> tuple[Statistic, ...]:
    """Every entry, in the order of the page. Raises TypeError for an entry with a wrong field."""
    found = tomllib.loads(ENTRIES.read_text(encoding="utf-8"))["statistic"]
    return tuple(Statistic(**{**x, "functions": tuple(x["functions"])}) for x in found)


def _entry(x: Statistic) -> list[str]:
    functions = ", ".join(f"`{name}`" for name in x.functions)
    return [
        f"### {x.name}",
        "",
        x.definition,
        "",
        f"- Convention: {x.convention}",
        f"- Formula: {x.source}",
        f"- R: {x.r_call}",
        f"- Here: {functions}",
        f"- Test: `{x.test}`",
        "",
    ]


def page() -> str:
    """The page as Markdown."""
    lines, topic = [HEAD], ""
    for x in statistics():
        if x.topic != topic:
            topic = x.topic
            lines += [f"## {topic}", ""]
        lines += _entry(x)
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    print(page(), end="")
