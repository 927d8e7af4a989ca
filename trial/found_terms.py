"""Terms that an export brings to a study with an open list of terms.

They become part of the study definition that is stored in the snapshot, so that pages and old
links read them like declared ones. A code is made of the text: equal texts give equal codes in
every load, whatever their case.
"""

import hashlib
import json
import re

from trial.document import parse_document
from trial.study import Study
from trial.study_file import parse_study
from trial.toxicity_file import FOUND_CATEGORY, FOUND_TERM

LONGEST_CODE = 40
LONGEST_LABEL = 200
UNCODED = "not coded"
_PLAIN = re.compile(r"[a-z0-9]+(?:(?:, | |[-/_'])[a-z0-9]+)*")
_SHOUTED = re.compile(r"[^a-zа-яё]*[A-ZА-ЯЁ][^a-zа-яё]*")


def code_of(text: str) -> str:
    """The code of a term's text.

    Its Latin letters and digits, if nothing else stands there but spaces, commas and what joins two
    words; any other text, or a long one, gets a part of its hash: `CD4+` and `CD4-` are two terms.
    """
    plain = " ".join(text.casefold().split())
    words = "_".join(re.findall(r"[a-z0-9]+", plain))
    kept = _PLAIN.fullmatch(plain)
    if kept and len(words) <= LONGEST_CODE - 2 and words:
        return words if words[0].isalpha() else f"t_{words}"
    digest = hashlib.sha256(plain.encode()).hexdigest()[:10]
    return f"t_{words[: LONGEST_CODE - 13].strip('_')}_{digest}".replace("__", "_")


def label_of(text: str) -> str:
    """What the screen calls a term: capitals all over are written as a sentence."""
    plain = "".join(c for c in " ".join(text.split()) if c.isprintable())[:LONGEST_LABEL]
    return plain.capitalize() if _SHOUTED.fullmatch(plain) else plain


def with_found_terms(study: Study, terms: list[tuple[str, str]]) -> Study:
    """The study with these terms (text, text of the category) added to its open list.

    Of several texts or categories of one code the last counts. A term whose code is declared stays
    as declared. A term without a category is `not coded`.
    """
    declared = {term.code for term in study.toxicity.terms}
    there = {category.code for category in study.toxicity.categories}
    new = {code_of(text): (text, category or UNCODED) for text, category in terms}
    new = {code: told for code, told in new.items() if code not in declared}
    if not new:
        return study
    categories = {code_of(category): category for _, category in new.values()}
    tables = [
        (FOUND_CATEGORY, {"code": code, "label": label_of(text)})
        for code, text in sorted(categories.items(), key=lambda told: told[1].casefold())
        if code not in there
    ]
    tables += [
        (FOUND_TERM, {"code": code, "label": label_of(text), "category": code_of(category)})
        for code, (text, category) in sorted(new.items(), key=lambda told: told[1][0].casefold())
    ]
    added = "".join(_table(name, cells) for name, cells in tables)
    text = f"{study.text.rstrip()}\n\n# Terms as the export named them.\n{added}"
    return parse_study(parse_document(f"{study.code} with the terms of the export", text))


def _table(name: str, cells: dict[str, str]) -> str:
    """One table in TOML; JSON writes a text as TOML does."""
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in cells.items()]
    return f"\n[[{name}]]\n" + "\n".join(lines) + "\n"
