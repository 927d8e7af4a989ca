"""Fast ways through the rows of an export against plain loops over them."""

import hashlib
import hmac

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.attribution import attributed
from etl.fact_rows import fact_rows
from etl.findings import FILE
from etl.identity import surrogate_keys
from etl.repeats import differing, later, shared
from etl.sources.raw import ROW
from tests.bench.registry import study

FEW = settings(max_examples=60, deadline=None)
# Values that a hash, a null or a boundary between two columns could confuse.
CELLS = st.tuples(
    st.sampled_from([None, "", "a", "ab", "b"]),
    st.sampled_from([None, 0.0, -0.0, 1.5]),
    st.sampled_from([None, 0, 1]),
)
REGISTRY = study()


def _frame(rows: list[tuple]) -> pl.DataFrame:
    schema = {"text": pl.String, "number": pl.Float64, "code": pl.Int32}
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_row_index(ROW)
    # The last row of the export comes first, as after a join.
    return frame.select(pl.lit(1, pl.Int32).alias(FILE), pl.all()).reverse()


@FEW
@given(st.lists(CELLS, max_size=12))
def test_a_row_is_shared_if_another_one_is_equal(rows: list[tuple]) -> None:
    frame = _frame(rows)
    told = [row[2:] for row in frame.rows()]
    expected = [told.count(row) > 1 for row in told]
    assert shared(frame, ["text", "number", "code"]).to_list() == expected


@FEW
@given(st.lists(CELLS, max_size=12))
def test_of_equal_rows_all_are_later_but_the_first_of_the_export(rows: list[tuple]) -> None:
    frame = _frame(rows)
    found = frame.filter(later(frame, ["text", "number", "code"]))[ROW].to_list()
    assert sorted(found) == [i for i, row in enumerate(rows) if row in rows[:i]]


@FEW
@given(st.lists(CELLS, max_size=12))
def test_rows_of_one_key_differ_if_their_facts_do(rows: list[tuple]) -> None:
    found = differing(_frame(rows), ["text"], ["number", "code"])[ROW].to_list()
    versions = {text: {row[1:] for row in rows if row[0] == text} for text, _, _ in rows}
    assert sorted(found) == [i for i, row in enumerate(rows) if len(versions[row[0]]) > 1]


@FEW
@given(st.binary(min_size=32, max_size=80), st.lists(st.text(max_size=9), max_size=4))
def test_keys_are_the_hmac_of_the_standard_library(secret: bytes, ids: list[str]) -> None:
    digests = (
        hmac.digest(secret, "\x1f".join(("patient", "a study", identity)).encode(), hashlib.sha256)
        for identity in ids
    )
    expected = [int.from_bytes(digest[:8], "big") >> 1 for digest in digests]
    assert surrogate_keys(secret, "patient", "a study", ids).to_list() == expected


EVENT = st.tuples(
    st.sampled_from(["one", "two"]),
    st.integers(0, 3),
    st.sampled_from([None, 5, 9]),
    st.sampled_from(["t0", "t1"]),
    st.integers(1, 4),
)


def _numbered(events: list[tuple]) -> list[tuple]:
    names = ("enrollment_id", "onset_day", "end_day", "term_code", "grade_low")
    kinds = (pl.String, pl.Int32, pl.Int32, pl.String, pl.Int32)
    frame = pl.DataFrame(events, schema=dict(zip(names, kinds, strict=True)), orient="row")
    frame = frame.with_columns(
        grade_high="grade_low",
        scale_code=pl.lit("ctcae5"),
        **{FILE: pl.lit(1, pl.Int32), ROW: pl.int_range(pl.len())},
    )
    keyed = pl.DataFrame(
        {
            "enrollment_id": ["one", "two"],
            "enrollment_key": [7, 3],
            "patient_id": ["one", "two"],
            "cohort_code": ["a", "a"],
            "origin_date": pl.Series([None, None], dtype=pl.Date),
        }
    )
    rows = fact_rows({"fct_adverse_event": frame}, keyed, REGISTRY)["fct_adverse_event"]
    columns = ("enrollment_key", "event_number", *names[1:])
    return rows.select(pl.col(columns).cast(pl.String)).rows()


@FEW
@given(st.lists(EVENT, max_size=8), st.randoms())
def test_events_are_numbered_by_what_they_say_whatever_their_order(
    events: list[tuple], random
) -> None:
    expected = []
    for case, key in (("two", "3"), ("one", "7")):
        mine = [event[1:] for event in events if event[0] == case]
        mine.sort(key=lambda e: (e[0], e[1] is None, e[1] or 0, *e[2:]))
        for number, (onset, end, term, grade) in enumerate(mine, start=1):
            ends = None if end is None else str(end)
            expected.append((key, str(number), str(onset), ends, term, str(grade)))
    shuffled = random.sample(events, len(events))
    assert _numbered(events) == _numbered(shuffled) == expected


COURSE = st.tuples(st.sampled_from(["one", "two"]), st.integers(0, 40), st.integers(0, 9))


@FEW
@given(st.lists(COURSE, max_size=6), st.lists(st.integers(0, 90), max_size=6))
def test_an_event_belongs_to_the_course_that_is_running(
    courses: list[tuple], onsets: list[int]
) -> None:
    days = REGISTRY.blocks[0].attribution_days
    frame = pl.DataFrame(
        {
            "enrollment_id": [case for case, _, _ in courses],
            "line_number": pl.Series([1] * len(courses), dtype=pl.Int32),
            "block_code": [REGISTRY.blocks[0].code] * len(courses),
            "course_number": pl.Series(range(1, len(courses) + 1), dtype=pl.Int32),
            "start_day": pl.Series([start for _, start, _ in courses], dtype=pl.Int32),
            "stop_day": pl.Series([start + n for _, start, n in courses], dtype=pl.Int32),
        },
        schema_overrides={"enrollment_id": pl.String, "block_code": pl.String},
    )
    cases = [case for case in ("one", "two") for _ in onsets]
    events = pl.DataFrame(
        {"enrollment_id": cases, "onset_day": pl.Series([*onsets, *onsets], dtype=pl.Int32)},
        schema_overrides={"enrollment_id": pl.String},
    )
    milestones = pl.DataFrame(schema={"enrollment_id": pl.String, "milestone_code": pl.String})
    facts = {"fct_course": frame, "fct_adverse_event": events}
    loaded = attributed(facts, milestones.with_columns(day=pl.lit(0)), REGISTRY)
    found = loaded["fct_adverse_event"]

    def course_of(case: str, onset: int) -> int | None:
        begun = [(s, n, s + long) for n, (c, s, long) in enumerate(courses, 1) if c == case]
        running = max((c for c in begun if c[0] <= onset), default=None)
        return running[1] if running and onset <= running[2] + days else None

    got = found.select("enrollment_id", "onset_day", "course_number").rows()
    wanted = [
        (case, day, course_of(case, day))
        for case, day in zip(cases, [*onsets, *onsets], strict=True)
    ]
    assert sorted(got, key=str) == sorted(wanted, key=str)
