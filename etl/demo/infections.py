"""What is known of an infection: its site, its pathogen, and how it is documented.

An infection is microbiologically documented if a pathogen was found, clinically if a focus was,
and else unexplained (consensus of the Immunocompromised Host Society, J Infect Dis 1990;161:397).
"""

from dataclasses import dataclass

import numpy as np

from etl.demo.events import IS_INFECTION, TERMS

INFECTION_SITES = ("blood", "lung", "gut", "skin", "airways", "CNS", "other")
DOCUMENTATION = ("microbiological", "clinical", "unexplained")
PATHOGENS = (
    "E. coli", "Klebsiella pneumoniae", "Pseudomonas aeruginosa", "Staphylococcus epidermidis",
    "Streptococcus mitis", "Enterococcus faecium", "Candida albicans", "Aspergillus fumigatus",
    "Pneumocystis jirovecii", "adenovirus", "cytomegalovirus", "rhinovirus", "other",
)  # fmt: skip
# By term: site, pathogen, and in how many of a hundred events; "": nothing was found.
_BACTERIA = (
    ("blood", "E. coli", 14), ("blood", "Klebsiella pneumoniae", 12),
    ("blood", "Pseudomonas aeruginosa", 10), ("blood", "Staphylococcus epidermidis", 26),
    ("blood", "Streptococcus mitis", 24), ("blood", "Enterococcus faecium", 10),
    ("blood", "other", 4),
)  # fmt: skip
_FOUND = {
    "sepsis": (
        ("blood", "E. coli", 17), ("blood", "Klebsiella pneumoniae", 14),
        ("blood", "Pseudomonas aeruginosa", 15), ("blood", "Streptococcus mitis", 14),
        ("blood", "Enterococcus faecium", 6), ("blood", "", 34),
    ),
    "bacteraemia": _BACTERIA,
    "pneumonia": (
        ("lung", "Klebsiella pneumoniae", 6), ("lung", "Pseudomonas aeruginosa", 6),
        ("lung", "Pneumocystis jirovecii", 4), ("lung", "rhinovirus", 8), ("lung", "other", 4),
        ("lung", "", 72),
    ),
    "invasive fungal infection": (
        ("lung", "Aspergillus fumigatus", 42), ("CNS", "Aspergillus fumigatus", 3),
        ("other", "Aspergillus fumigatus", 5), ("blood", "Candida albicans", 14),
        ("other", "Candida albicans", 6), ("lung", "", 30),
    ),
    "viral infection": (
        ("airways", "rhinovirus", 48), ("airways", "adenovirus", 12), ("gut", "adenovirus", 12),
        ("blood", "cytomegalovirus", 14), ("lung", "cytomegalovirus", 4), ("other", "other", 10),
    ),
    "other infection": (
        ("gut", "E. coli", 6), ("gut", "other", 10), ("skin", "Staphylococcus epidermidis", 8),
        ("skin", "", 26), ("gut", "", 20), ("airways", "", 16), ("CNS", "", 2), ("other", "", 6),
        ("", "", 6),
    ),
}  # fmt: skip
# Nobody wrote down: the site, and how an infection without a pathogen is documented.
_NO_SITE, _NO_DOCUMENTATION = 0.05, 0.06


@dataclass(frozen=True)
class Infections:
    """One adverse event an element: indices of INFECTION_SITES, PATHOGENS and DOCUMENTATION; -1:
    not known, or no infection."""

    site: np.ndarray
    pathogen: np.ndarray
    documentation: np.ndarray


def _place(names: tuple[str, ...], name: str) -> int:
    return names.index(name) if name else -1


def _kinds(term: str) -> np.ndarray:
    """Of each kind of this infection: up to which chance, site, pathogen, documentation."""
    up_to, rows = 0.0, []
    for site, pathogen, percent in _FOUND[term]:
        up_to += percent / 100
        documentation = 0 if pathogen else 1 if site else 2
        places = _place(INFECTION_SITES, site), _place(PATHOGENS, pathogen), documentation
        rows.append((up_to, *places))
    return np.array(rows)


def found_infections(rng: np.random.Generator, term: np.ndarray) -> Infections:
    """What was found of events of these terms (indices of TERMS)."""
    n = len(term)
    drawn = rng.random(n)
    found = np.full((3, n), -1)
    for number in np.flatnonzero(IS_INFECTION):
        kinds, mine = _kinds(TERMS[number].name), term == number
        kind = np.searchsorted(kinds[:-1, 0], drawn[mine], "right")
        found[:, mine] = kinds[kind, 1:].T
    site, pathogen, documentation = found
    no_site = rng.random(n) < _NO_SITE
    no_documentation = (rng.random(n) < _NO_DOCUMENTATION) & (pathogen < 0)
    return Infections(
        site=np.where(no_site, -1, site),
        pathogen=pathogen,
        documentation=np.where(no_documentation, -1, documentation),
    )
