"""When an endpoint ends for a patient, and how: small tables a clinician can check by eye."""

from pathlib import Path

import duckdb
import pytest

from tests.spec.made import Workshop
from tests.spec.tables import rows


def _number(text: str) -> int | None:
    return None if text == "-" else int(text)


def _outcomes(workshop: Workshop) -> dict[tuple[str, str], tuple[int | None, int | None, str]]:
    """(patient, endpoint) -> (time_days, state, reason)."""
    snapshot = workshop.snapshot()
    folder = workshop.store / "snapshots" / snapshot.snapshot_id
    with duckdb.connect() as con:
        con.execute(f"attach '{folder}/results.duckdb' as results (read_only)")
        con.execute(f"attach '{folder}/records.duckdb' as records (read_only)")
        found = con.execute(
            "select source_patient_id, endpoint_code, time_days, state, reason "
            "from results.fct_time_to_event "
            "join records.record_enrollment using (enrollment_key)"
        ).fetchall()
    return {(patient, endpoint): (t, s, r) for patient, endpoint, t, s, r in found}


@pytest.mark.parametrize(
    ("story", "patient", "expected"),
    [
        (
            "never in remission, alive: censored at last contact; no relapse-free survival",
            "p,2014,f,7,0,,,0,200",
            """efs 200 0 last_contact
            rfs - - without_origin""",
        ),
        (
            "remission on day 30, relapse on day 90, dead on day 150: the relapse ends both",
            "p,2014,f,7,1,30,90,1,150",
            """efs 90 1 relapse
            rfs 60 1 relapse""",
        ),
        (
            "relapse and death on one day: relapse, which the study names first",
            "p,2014,f,7,1,30,90,1,90",
            """efs 90 1 relapse
            rfs 60 1 relapse""",
        ),
        (
            "dead on day 0: an event on day 0, which the curve keeps",
            "p,2014,f,7,0,,,1,0",
            """efs 0 1 death
            rfs - - without_origin""",
        ),
        (
            "in remission to last contact on the very day of remission: observed 0 days",
            "p,2014,f,7,1,40,,0,40",
            """efs 40 0 last_contact
            rfs 0 0 last_contact""",
        ),
        (
            "relapse recorded before remission: it ends EFS, but not what starts at remission",
            "p,2014,f,7,1,100,50,0,300",
            """efs 50 1 relapse
            rfs 200 0 last_contact""",
        ),
    ],
)
def test_what_ends_the_time(tmp_path: Path, story: str, patient: str, expected: str) -> None:
    found = _outcomes(Workshop(tmp_path).patients(patient))
    wanted = rows("endpoint time_days state reason\n" + expected)
    assert found == {
        ("p", row["endpoint"]): (_number(row["time_days"]), _number(row["state"]), row["reason"])
        for row in wanted
    }, story


def test_a_milestone_that_is_also_censoring_does_not_lengthen_the_time(tmp_path: Path) -> None:
    found = _outcomes(
        Workshop(tmp_path).patients("a,2014,f,7,0,,,1,100", "b,2016,m,12,1,20,500,0,400")
    )
    assert found["a", "efs"] == (100, 1, "death")
    # A relapse known after the last contact counts: the file knows it happened.
    assert found["b", "efs"] == (500, 1, "relapse")
