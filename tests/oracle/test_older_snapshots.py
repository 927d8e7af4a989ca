"""Snapshots of every older schema version are read, and give the numbers that they gave then."""

import csv
import gzip
import io
from pathlib import Path

import pytest

from analysis.answer import NUMBER_COLUMNS
from analysis.export import numbers_csv
from analysis.link import parse_link
from analysis.questions import answer, open_link

FIXTURES = Path(__file__).parent.parent / "fixtures"
LINKS = {
    "schema_1": "/survival?v=1&data=undated.1d28a2c9a481&cohorts=a,b&endpoint=rfs&time=2&tau=2"
    "&bands=yes&marks=yes&f.sex=female",
}


@pytest.mark.parametrize("version", sorted(LINKS))
def test_an_old_link_on_an_old_snapshot_gives_the_same_numbers(
    version: str, tmp_path: Path
) -> None:
    page, params = parse_link(LINKS[version])
    folder = tmp_path / "snapshots" / params["data"][0]
    folder.mkdir(parents=True)
    packed = (FIXTURES / version / "results.duckdb.gz").read_bytes()
    (folder / "results.duckdb").write_bytes(gzip.decompress(packed))
    opened = open_link(page, params, tmp_path)
    assert opened.problems == ()
    now = list(csv.DictReader(io.StringIO(numbers_csv(answer(opened.snapshot, opened.view)))))
    saved = (FIXTURES / version / "numbers.csv").read_text("utf-8")
    then = list(csv.DictReader(io.StringIO(saved)))
    assert tuple(then[0]) == NUMBER_COLUMNS
    assert now == then
