"""The CDISC pilot, loaded by study and mapping files alone, equals an independent R script.

`tests/oracle/cdisc_pilot.R` reads the same ADaM and SDTM files and was written from the words of
the study definitions, without looking at this program's analysis.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from analysis.answer import Number
from analysis.link import decode
from analysis.questions import answer
from etl.load import LoadReport, load
from etl.mapping_file import read_mapping
from tests.oracle.r_results import r_file
from warehouse.query import Snapshot, open_snapshot

FIXTURES = Path(__file__).parent.parent / "fixtures" / "cdisc_pilot"
COHORTS = "placebo,low,high"
# The exports, and the severities by which R looks at each: they hold the same events.
EXPORTS = {"adam": "13", "sdtm": "2"}
KEYS = (
    "statistic", "cohort", "comparator", "endpoint", "block_code", "item_code", "grade_min",
    "characteristic_code", "level_code",
)  # fmt: skip
# What R calls otherwise than the program, and what the test looks at by itself.
RENAMED = {"n": "in_figure", "state_count": "events", "response_count": "count"}
NOT_NUMBERS = {"population_size", "events_outside_blocks", "no_hazard_ratio"}


@dataclass(frozen=True)
class Pilot:
    """One export of the pilot as loaded, its numbers by key, and what R found in it."""

    report: LoadReport
    snapshot: Snapshot
    numbers: dict[tuple, Number]
    r: dict


def _key(record: dict) -> tuple:
    is_share = str(record["statistic"]).startswith("proportion")
    days = None if is_share else record.get("time_days")
    return (days if days is None else round(days, 3), *(record.get(name) for name in KEYS))


def _answered(snapshot: Snapshot, page: str, **options: str) -> tuple[Number, ...]:
    params = {name: [value] for name, value in {"cohorts": COHORTS, **options}.items()}
    decoded = decode(page, params, snapshot.snapshot_id, snapshot.study)
    assert decoded.problems == ()
    return answer(snapshot, decoded.view).numbers


def _views(snapshot: Snapshot, grades: str) -> Iterator[tuple[Number, ...]]:
    yield _answered(snapshot, "overview")
    yield _answered(snapshot, "response")
    for grade in grades:
        yield _answered(snapshot, "toxicity", grade=grade)
    for endpoint in snapshot.study.endpoints:
        yield _answered(snapshot, "survival", endpoint=endpoint.code)


@pytest.fixture(scope="module", params=EXPORTS)
def pilot(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pilot:
    """One export, loaded by its mapping."""
    store, name = tmp_path_factory.mktemp("pilot"), request.param
    report = load(FIXTURES / name, read_mapping(f"cdisc_{name}"), store)
    snapshot = open_snapshot(store, report.snapshot_id)
    numbers = {_key(vars(n)): n for view in _views(snapshot, EXPORTS[name]) for n in view}
    return Pilot(report, snapshot, numbers, r_file("cdisc_pilot")[name])


def _item_codes(snapshot: Snapshot) -> dict[str, str]:
    """The export's own text of a term or category -> its code in the study."""
    toxicity = snapshot.study.toxicity
    named = {x.label.casefold(): x.code for x in (*toxicity.terms, *toxicity.categories)}
    return {"any": "any", **named}


def _wanted(pilot: Pilot) -> Iterator[tuple[tuple, dict]]:
    """R's records under this program's names."""
    codes = _item_codes(pilot.snapshot)
    for record in pilot.r["numbers"]:
        statistic = record["statistic"]
        if statistic in NOT_NUMBERS:
            continue
        named = {**record, "statistic": RENAMED.get(statistic, statistic)}
        if "item" in record:
            named["item_code"] = codes[record["item"].casefold()]
        if statistic == "term_count":
            named["statistic"] = "proportion"
        if statistic == "log_rank_chi_square":
            named["cohort"] = COHORTS
        yield _key(named), record


def _close(mine: float | None, r: float, tolerance: float) -> bool:
    return mine is not None and math.isclose(mine, r, rel_tol=tolerance, abs_tol=1e-12)


def _agrees(mine: Number, r: dict) -> bool:
    if r.get("reason") == "beyond_last_follow_up":
        return mine.estimate is None and "follow-up ends" in str(mine.not_estimable_reason)
    if "estimate" not in r and "numerator" not in r:
        return mine.estimate is None
    tolerance = 1e-6 if mine.statistic == "hazard_ratio" else 1e-8
    names = [n for n in ("estimate", "lower", "upper", "p_value", "numerator") if n in r]
    return all(_close(getattr(mine, name), r[name], tolerance) for name in names)


def test_every_row_is_loaded_or_left_out_by_rule_or_quarantined(pilot: Pilot) -> None:
    found = {
        account.file_name.split(".")[0]: {
            "rows_in": account.rows_in,
            "excluded": account.rows_excluded,
            "quarantined": account.rows_quarantined,
        }
        for account in pilot.report.files
        if account.source_code
    }
    assert found == pilot.r["files"]


def test_numbers_of_the_pilot(pilot: Pilot) -> None:
    wanted = list(_wanted(pilot))
    absent = [record for key, record in wanted if key not in pilot.numbers]
    pairs = [(record, pilot.numbers.get(key)) for key, record in wanted]
    wrong = [(record, mine) for record, mine in pairs if mine and not _agrees(mine, record)]
    assert len(wanted) > 500
    assert not absent, "\n".join([f"{len(absent)} of {len(wanted)}:", *map(str, absent[:20])])
    assert not wrong, "\n".join([f"{len(wrong)} of {len(wanted)}:", *map(str, wrong[:20])])


def test_nobody_has_an_adverse_event_that_r_does_not_count(pilot: Pilot) -> None:
    known = {key for key, _ in _wanted(pilot)}
    more = [
        number
        for key, number in pilot.numbers.items()
        if number.item_code not in (None, "fatal")
        and number.statistic == "proportion"
        and number.numerator
        if key not in known
    ]
    assert not more, "\n".join(map(str, more[:20]))


def test_a_cohort_without_events_has_no_hazard_ratio(pilot: Pilot) -> None:
    none = {r["endpoint"] for r in pilot.r["numbers"] if r["statistic"] == "no_hazard_ratio"}
    ratios = [n for n in pilot.numbers.values() if n.statistic == "hazard_ratio"]
    given = {n.endpoint for n in ratios if n.estimate is not None}
    assert "os" in none
    assert not none & given
