"""Steps in processes of their own, and their figures as lines of a table."""

import json
import subprocess
import sys
from pathlib import Path

# Key of a figure, title, width, format, and what the figure is multiplied by.
Column = tuple[str, str, int, str, float]


def process(*command: str) -> dict:
    """The JSON that a process prints last; {} if it prints nothing. Ends the run if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
    return json.loads(done.stdout.strip().splitlines()[-1]) if done.stdout.strip() else {}


def step(name: str, what: str | int, folder: Path) -> dict:
    """One step of the benchmark in a process of its own, so that its peak memory is its own."""
    return process(sys.executable, "-m", "tests.bench", name, str(what), str(folder))


def titles(columns: tuple[Column, ...]) -> str:
    """The line above the figures."""
    return " ".join(title.rjust(width) for _, title, width, _, _ in columns)


def figures(found: dict, columns: tuple[Column, ...]) -> str:
    """One line of figures; '-' for what was not measured."""
    return " ".join(
        (form.format(found[key] * scale) if key in found else "-").rjust(width)
        for key, _, width, form, scale in columns
    )
