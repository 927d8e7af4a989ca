"""Snapshots of every older schema version are read, and give the numbers that they gave then."""

import csv
import gzip
import io
import lzma
from pathlib import Path

import pytest

from analysis.answer import NUMBER_COLUMNS
from analysis.export import numbers_csv
from analysis.link import parse_link
from analysis.questions import answer, open_link
from tests.oracle.r_results import same

FIXTURES = Path(__file__).parent.parent / "fixtures"
SCHEMA_1 = (
    "/survival?v=1&data=undated.1d28a2c9a481&cohorts=a,b&endpoint=rfs&time=2&tau=2"
    "&bands=yes&marks=yes&f.sex=female"
)
SCHEMA_2 = (
    "/{page}?v=1&data=2021-12-31.e64199ee57e2&cohorts=allrez2014,allrez2016&lines=first_relapse"
    "&endpoint={endpoint}&time=3&tau=3&bands=yes&marks=yes&timepoint=after_induction&mrd=0.0001"
    "&missing=not_negative&block=f1&grade=3&extra=no&f.risk_group=high"
)
SCHEMA_3 = SCHEMA_2.replace("2021-12-31.e64199ee57e2", "2021-12-31.557757c743fc")
SCHEMA_4 = SCHEMA_2.replace("2021-12-31.e64199ee57e2", "2021-12-31.e973c7142da5")
SCHEMA_5 = SCHEMA_2.replace("2021-12-31.e64199ee57e2", "2021-12-31.4bb55ab1af24")
SCHEMA_6 = SCHEMA_2.replace("2021-12-31.e64199ee57e2", "2021-12-31.f13b1d41eee1")
PAGES = ("overview", "response", "toxicity", "survival", "data")
LINKS = {
    "schema_1/numbers": SCHEMA_1,
    "schema_2/incidence": SCHEMA_2.format(page="survival", endpoint="cir"),
    **{f"schema_2/{page}": SCHEMA_2.format(page=page, endpoint="efs") for page in PAGES},
    "schema_3/incidence": SCHEMA_3.format(page="survival", endpoint="cir"),
    **{f"schema_3/{page}": SCHEMA_3.format(page=page, endpoint="efs") for page in PAGES},
    "schema_4/incidence": SCHEMA_4.format(page="survival", endpoint="cir"),
    **{f"schema_4/{page}": SCHEMA_4.format(page=page, endpoint="efs") for page in PAGES},
    "schema_5/incidence": SCHEMA_5.format(page="survival", endpoint="cir"),
    **{f"schema_5/{page}": SCHEMA_5.format(page=page, endpoint="efs") for page in PAGES},
    "schema_6/incidence": SCHEMA_6.format(page="survival", endpoint="cir"),
    **{f"schema_6/{page}": SCHEMA_6.format(page=page, endpoint="efs") for page in PAGES},
}
# What the response page tells beside what it told then: bounds as numbers, and two more classes.
TOLD_SINCE = ("proportion_worst", "proportion_best")
# In these data courses are quarantined: their children are no longer documented (CHANGELOG).
DOUBTFUL = "schema_2/toxicity"
# And the toxicity page: fatal events, and who left before each block.
SINCE_6 = "block_class_count"
# And the survival page: how far cohorts are compared, guards, tests of competing events.
SINCE_7 = {
    *("window_days", "completeness", "proportionality_chi_square", "fragility"),
    *("gray_chi_square", "subdistribution_hazard_ratio"),
}
CLASSES_SINCE = ("died", "other_remission")
ESTIMATES = ("estimate", "lower", "upper", "p_value")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds one snapshot of every older version."""
    folder = tmp_path_factory.mktemp("older")
    for version, link, unpack, name in (
        ("schema_1", SCHEMA_1, gzip.decompress, "results.duckdb.gz"),
        ("schema_2", SCHEMA_2, lzma.decompress, "results.duckdb.xz"),
        ("schema_3", SCHEMA_3, lzma.decompress, "results.duckdb.xz"),
        ("schema_4", SCHEMA_4, lzma.decompress, "results.duckdb.xz"),
        ("schema_5", SCHEMA_5, lzma.decompress, "results.duckdb.xz"),
        ("schema_6", SCHEMA_6, lzma.decompress, "results.duckdb.xz"),
    ):
        place = (
            folder / "snapshots" / parse_link(link.format(page="data", endpoint=""))[1]["data"][0]
        )
        place.mkdir(parents=True)
        packed = (FIXTURES / version / name).read_bytes()
        (place / "results.duckdb").write_bytes(unpack(packed))
    return folder


def _as_then(now: list[dict], version: int) -> list[dict]:
    """Today's numbers without what is told since.

    Who died before a sample counted as not sampled then (CHANGELOG): here they are put back.
    """
    since = {("median_follow_up", "cir")}
    now = [
        r
        for r in now
        if r["statistic"] not in SINCE_7 and (r["statistic"], r["endpoint"]) not in since
    ]
    if version < 6:
        now = [row for row in now if row["item_code"] != "fatal" and row["statistic"] != SINCE_6]
    if version >= 5:
        return now
    died = [row for row in now if row["level_code"] == "died"]
    told = []
    for row in now:
        if row["statistic"] in TOLD_SINCE or row["level_code"] in CLASSES_SINCE:
            continue
        if row["question"] == "response" and row["level_code"] == "not_sampled":
            same_place = ("cohort", "timepoint_code", "measure_code")
            (also,) = [d for d in died if all(d[c] == row[c] for c in same_place)]
            n = int(row["numerator"]) + int(also["numerator"])
            row = {**row, "numerator": str(n), "estimate": str(n)}
        told.append(row)
    return told


def _key(row: dict) -> tuple:
    """What a number is of."""
    values = (*ESTIMATES, "numerator", "denominator", "not_estimable_reason", "method", "unit")
    return tuple(row[c] for c in NUMBER_COLUMNS if c not in values)


def _is_cut(ours: dict) -> bool:
    """Comparisons end with the follow-up that the cohorts share (CHANGELOG)."""
    reason = ours["not_estimable_reason"]
    return ", up to " in ours["method"] or "in which the cohorts are compared" in reason


def _is_corrected(ours: dict, old: dict) -> bool:
    """A time point of a cohort of whom nobody is known to have come to it was 0 % (CHANGELOG)."""
    of_nobody = "nobody reached it" in ours["not_estimable_reason"]
    is_zero = ours["statistic"] != "proportion" or ours["numerator"] == old["numerator"] == "0"
    return of_nobody and is_zero and not ours["estimate"] and old["estimate"] != ""


@pytest.mark.parametrize("name", sorted(set(LINKS) - {DOUBTFUL}))
def test_an_old_link_on_an_old_snapshot_gives_the_same_numbers(name: str, store: Path) -> None:
    opened = open_link(*parse_link(LINKS[name]), store)
    assert opened.problems == ()
    now = list(csv.DictReader(io.StringIO(numbers_csv(answer(opened.snapshot, opened.view)))))
    saved = (FIXTURES / f"{name}.csv").read_text("utf-8")
    then = sorted(csv.DictReader(io.StringIO(saved)), key=_key)
    assert set(then[0]) == set(NUMBER_COLUMNS)
    now = sorted(_as_then(now, int(name[7])), key=_key)
    assert len(now) == len(then)
    for ours, old in zip(now, then, strict=True):
        if _is_corrected(ours, old) or _is_cut(ours):
            continue
        for column in NUMBER_COLUMNS:
            if column in ESTIMATES and old[column] and ours[column]:
                same(float(ours[column]), float(old[column]), 1e-9, f"{column} of {old}")
            else:
                assert ours[column] == old[column], old


def test_children_with_quarantined_courses_leave_the_denominators_of_toxicity(store: Path) -> None:
    opened = open_link(*parse_link(LINKS[DOUBTFUL]), store)
    now = csv.DictReader(io.StringIO(numbers_csv(answer(opened.snapshot, opened.view))))
    then = csv.DictReader((FIXTURES / f"{DOUBTFUL}.csv").read_text("utf-8").splitlines())
    ours = {_key(row): row for row in _as_then(list(now), 2)}
    smaller = 0
    for old in then:
        if old["statistic"].endswith("_difference"):
            continue
        new = ours[_key(old)]
        if old["statistic"] == "block_started":
            assert new["numerator"] == old["numerator"]
        elif old["statistic"] != "block_undocumented":
            assert int(new["numerator"]) <= int(old["numerator"])
            assert int(new["denominator"]) <= int(old["denominator"])
            smaller += int(new["denominator"]) < int(old["denominator"])
    assert smaller > 100
