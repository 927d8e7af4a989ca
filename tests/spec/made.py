"""Small studies and exports made for a test, and a load of them."""

from dataclasses import dataclass, field
from pathlib import Path

from etl.load import LoadReport, load
from etl.mapping_file import read_mapping
from warehouse.query import Snapshot, open_snapshot

STUDY = """
code = "made"
label = "Made for a test"
notice = "MADE for a test."
synthetic = true
randomised = false
source = "a test"
day_0 = "diagnosis"
time_unit = "month"
milestone_times = [1, 12]

[[cohort]]
code = "old"
label = "Old"
reference = true

[[cohort]]
code = "new"
label = "New"

[[milestone]]
code = "remission"
label = "remission"

[[milestone]]
code = "relapse"
label = "relapse"

[[milestone]]
code = "death"
label = "death"
terminal = true

[[milestone]]
code = "last_contact"
label = "last contact"

[[endpoint]]
code = "efs"
label = "Event-free survival"
abbreviation = "EFS"
origin = "enrollment"
censor = "last_contact"
rmst_taus = [12, 6]
definition = "To relapse or death."
event = [{ milestone = "relapse", state = 1 }, { milestone = "death", state = 1 }]

[[endpoint]]
code = "rfs"
label = "Relapse-free survival"
abbreviation = "RFS"
origin = "remission"
censor = "last_contact"
rmst_taus = [12]
definition = "From remission to relapse or death."
event = [{ milestone = "relapse", state = 1 }, { milestone = "death", state = 1 }]

[[characteristic]]
code = "sex"
label = "Sex"
kind = "choice"
known_at = "enrollment"
level = [{ code = "girl", label = "girl" }, { code = "boy", label = "boy" }]

[[characteristic]]
code = "age"
label = "Age"
kind = "number"
unit = "years"
known_at = "enrollment"
level = [
    { code = "young", label = "under 10", from = 0, below = 10 },
    { code = "older", label = "10 or older", from = 10, below = 19 },
]

[[characteristic]]
code = "responder"
label = "In remission after induction"
kind = "choice"
known_at = "remission"
level = [{ code = "yes", label = "yes" }, { code = "no", label = "no" }]
"""

MAPPING = """
study = "made"

[[source]]
code = "patients"
file = "patients.csv"
missing = ["", "NA"]
patient_id = "id"

[source.enrollment]
cohort = { column = "protocol", codes = { "2014" = "old", "2016" = "new" } }

[source.enrollment.characteristics]
sex = { column = "sex", codes = { "f" = "girl", "m" = "boy" } }
age = { column = "age" }
responder = { column = "responder", codes = { "1" = "yes", "0" = "no" } }

[[source.milestone]]
code = "remission"
day = { column = "remission" }

[[source.milestone]]
code = "relapse"
day = { column = "relapse" }

[[source.milestone]]
code = "death"
day = { column = "seen" }
flag = { column = "dead", event = ["1"], no_event = ["0"] }

[[source.milestone]]
code = "last_contact"
day = { column = "seen" }
required = true
"""

HEADER = "id,protocol,sex,age,responder,remission,relapse,dead,seen"


@dataclass
class Workshop:
    """A folder with one study, one mapping, an export and a store; each text can be changed."""

    folder: Path
    study: str = STUDY
    mapping: str = MAPPING
    files: dict[str, str] = field(default_factory=dict)

    def patients(self, *lines: str, header: str = HEADER) -> "Workshop":
        """The export: one line a patient."""
        self.files["patients.csv"] = "\n".join([header, *lines]) + "\n"
        return self

    def write(self) -> Path:
        """Write everything; the folder of the export."""
        studies, export = self.folder / "studies", self.folder / "export"
        for made in (studies, export):
            made.mkdir(exist_ok=True)
        (studies / "made.toml").write_text(self.study, encoding="utf-8")
        (self.folder / "made.toml").write_text(self.mapping, encoding="utf-8")
        for name, text in self.files.items():
            (export / name).write_text(text, encoding="utf-8")
        return export

    def load(self, cutoff: str | None = None) -> LoadReport:
        """Load the export into the store of the workshop."""
        export = self.write()
        mapping = read_mapping(str(self.folder / "made.toml"), studies=self.folder / "studies")
        return load(export, mapping, self.store, cutoff)

    @property
    def store(self) -> Path:
        """Where snapshots go."""
        return self.folder / "store"

    def snapshot(self, cutoff: str | None = None) -> Snapshot:
        """Load, and open what was published."""
        return open_snapshot(self.store, self.load(cutoff).snapshot_id)
