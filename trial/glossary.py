"""The glossary, generated from the schema and the study definitions: python -m trial.glossary."""

from trial.schema import TABLES
from trial.study_file import STUDIES, read_study

WORDS = (
    ("cohort", "The enrollments of one protocol or arm; one cohort of a study is the reference."),
    ("enrollment", "One patient in one protocol; the unit that is counted and compared."),
    ("day 0", "The day an enrollment's clock starts; the study definition says which day it is."),
    ("milestone", "Something that happens to an enrollment on a day: remission, relapse, death."),
    (
        "characteristic",
        "A fact about an enrollment to filter by, with the milestone it is known at.",
    ),
    ("missing", "A level of every characteristic: not recorded in the export."),
    (
        "endpoint",
        "A time to event: its origin, the milestones that end it, where censoring happens.",
    ),
    ("censored", "Without event up to the last day the endpoint was observed."),
    ("at risk", "Under observation and without event just before a time."),
    ("KM", "Kaplan-Meier estimate of the survival function, S(t)."),
    ("reverse KM", "Kaplan-Meier with censoring as the event: the follow-up."),
    ("HR", "Hazard ratio of a Cox model, ties by Efron; below 1: fewer events than the reference."),
    ("log-rank", "Test that the hazards of all chosen cohorts are equal."),
    ("RMST", "Restricted mean survival time: mean time without event within the first tau."),
    ("snapshot", "One immutable state of the data, named by its cut-off and its content."),
    ("data cut-off", "Nothing after this date counts; declared, or the latest date in the export."),
    ("mapping", "A TOML file that ties one export format to the canonical tables."),
    ("quarantine", "Rows of an export kept out of every table, each with the check it failed."),
    ("repair", "A value changed while loading, recorded with what stood there before."),
)


def glossary() -> str:
    """The glossary as Markdown."""
    lines = [
        "# Glossary",
        "",
        "Made by `make fix` from the schema; do not edit.",
        "",
        "## Words",
        "",
    ]
    lines += [f"- **{word}**: {meaning}" for word, meaning in WORDS]
    lines += ["", "## Studies", ""]
    for path in sorted(STUDIES.glob("*.toml")):
        study = read_study(path.stem)
        lines += [f"### {study.label} (`{study.code}`)", "", f"{study.notice}", ""]
        lines += [f"- **{e.abbreviation}**, {e.label}: {e.definition}" for e in study.endpoints]
        lines.append("")
    lines += ["## Tables", ""]
    for table in TABLES:
        grain = (table.schema.__doc__ or "").strip()
        lines += [f"### {table.name} (`{table.database}.duckdb`)", "", grain, ""]
        lines += ["| column | type | meaning |", "|---|---|---|"]
        for name, column in table.schema.columns().items():
            key = " (key)" if column.primary_key else ""
            lines.append(f"| `{name}`{key} | {type(column).__name__} | {column.description} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    print(glossary(), end="")
