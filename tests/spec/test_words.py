"""Nothing declared is unused, nothing used is undeclared, generated documents are current."""

import re
from pathlib import Path

from trial.glossary import glossary
from trial.words import TEXTS

ROOT = Path(__file__).parent.parent.parent
CODE = {
    p: p.read_text("utf-8")
    for p in [ROOT / "app.py", *ROOT.glob("analysis/**/*.py"), *ROOT.glob("pages/**/*.py")]
}


def _used() -> set[str]:
    return {
        k
        for text in CODE.values()
        for k in re.findall(r"""["']([a-z0-9]+\.[a-z_0-9]+)["']""", text)
    }


def _put_together() -> set[str]:
    """Keys made in the code, as in say(f"column.{column}"): the family, and every quoted word."""
    families = {f for text in CODE.values() for f in re.findall(r"""f["']([a-z_.]+)\{""", text)}
    words = {w for text in CODE.values() for w in re.findall(r"""["']([a-z_]+)["']""", text)}
    return {family + word for family in families if "." in family for word in words}


def test_every_text_that_is_used_is_declared() -> None:
    prefixes = {key.split(".")[0] for key in TEXTS}
    used = {key for key in _used() if key.split(".")[0] in prefixes}
    assert used - set(TEXTS) == set()


def test_every_text_that_is_declared_is_used() -> None:
    assert set(TEXTS) - _used() - _put_together() == set()


def test_the_glossary_is_current() -> None:
    assert (ROOT / "GLOSSARY.md").read_text("utf-8") == glossary(), "run: make fix"
