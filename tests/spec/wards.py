"""Several small populations in one load: told apart by sex and age, which filters choose."""

from dataclasses import dataclass
from itertools import product
from pathlib import Path

from analysis.link import View, decode
from tests.spec.made import Workshop
from warehouse.query import Snapshot

# As the export writes them, and as a link chooses them.
SEXES = {"f": "girl", "m": "boy", "": "missing"}
AGES = {"7": "young", "12": "older", "": "missing"}
PLACES = tuple(product(SEXES, AGES))


@dataclass(frozen=True)
class Child:
    """What one child's row says; days as numbers, empty where it never came to it."""

    protocol: str
    seen: int
    remission: int | None = None
    relapse: int | None = None
    is_dead: bool = False

    def row(self, name: str, sex: str, age: str) -> str:
        """The line of the export."""
        days = ("" if day is None else str(day) for day in (self.remission, self.relapse))
        told = (name, self.protocol, sex, age, "1", *days, str(int(self.is_dead)), str(self.seen))
        return ",".join(told)


@dataclass(frozen=True)
class Wards:
    """A snapshot of up to nine populations by name."""

    snapshot: Snapshot
    names: tuple[str, ...]

    def view(self, ward: str, **options: str) -> View:
        """The survival page of one population."""
        sex, age = PLACES[self.names.index(ward)]
        chosen = {"f.sex": SEXES[sex], "f.age": AGES[age], **options}
        asked = {name: [value] for name, value in chosen.items()}
        decoded = decode("survival", asked, self.snapshot.snapshot_id, self.snapshot.study)
        assert decoded.problems == ()
        return decoded.view


def wards_of(folder: Path, study: str, children: dict[str, list[Child]]) -> Wards:
    """Load all children together. Raises ValueError for more populations than there are places."""
    if len(children) > len(PLACES):
        raise ValueError(f"{len(children)} wards, {len(PLACES)} places")
    lines = [
        child.row(f"{ward}{k}", *place)
        for (ward, mine), place in zip(children.items(), PLACES, strict=False)
        for k, child in enumerate(mine)
    ]
    workshop = Workshop(folder, study=study).patients(*lines)
    return Wards(workshop.snapshot(), tuple(children))
