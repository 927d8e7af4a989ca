"""A few damaged exports of every kind; `make soak` has ten thousand of them."""

from dataclasses import replace
from pathlib import Path

import pytest

from etl.assign import assigned
from etl.sources.export import opened
from tests.soak.cases import Wrong, check_refusal, count_again, judged, written
from tests.soak.exports import exports

KINDS = tuple(exports())
# A case that is loaded: a small table.
LOADED = 67


@pytest.mark.parametrize("place", range(len(KINDS)), ids=KINDS)
def test_a_damaged_export_is_refused_or_accounted_for(place: int) -> None:
    outcome = judged(place, whole=False)
    assert (outcome.kind, outcome.problem) == (KINDS[place], "")


def test_a_damaged_export_is_loaded_into_a_snapshot_that_says_so() -> None:
    outcome = judged(LOADED, whole=True)
    assert (outcome.kind, outcome.became, outcome.problem) == ("dataset-json", "quarantined", "")


@pytest.mark.parametrize("kind", ["workbook", "redcap xml", "sas transport"])
def test_another_reader_counts_the_rows_of_an_unharmed_export(tmp_path: Path, kind: str) -> None:
    export = exports()[kind]
    with opened(written(export.pack(export.inner), tmp_path / "export")) as files:
        parts, _ = assigned(files, export.mapping)
    assert count_again(export, export.inner, parts)


def test_a_row_lost_in_reading_is_found(tmp_path: Path) -> None:
    export = exports()["csv"]
    with opened(written(export.inner, tmp_path / "export")) as files:
        parts, _ = assigned(files, export.mapping)
    rows = parts[1].raw.rows
    parts[1] = replace(parts[1], raw=replace(parts[1].raw, rows=rows.head(rows.height - 1)))
    with pytest.raises(Wrong, match=r"lines\.csv: \d+ rows read, \d+ counted"):
        count_again(export, export.inner, parts)


@pytest.mark.parametrize("text", ["no file is named.", "a.csv: a\u202eb", "a.csv" + "." * 9999])
def test_a_refusal_that_says_nothing_clear_is_found(text: str) -> None:
    with pytest.raises(Wrong):
        check_refusal(text, ["a.csv"])
    check_refusal("a.csv: is empty.", ["a.csv"])
