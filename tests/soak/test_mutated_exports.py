"""Ten thousand damaged exports of every kind: each is refused with a reason or fully accounted for.

Two processes share the work. Building a snapshot takes most of the time of a load, so one case in
four is built and read; the others end where the building would begin.
"""

import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from tests.soak.cases import MOST_BYTES, MOST_SECONDS, Outcome, is_whole, judged
from tests.soak.memory_disk import memory_folder

pytestmark = pytest.mark.soak
# Fewer for a first look: RELAPSE_BOARD_SOAK_CASES=500 make soak.
N_CASES = int(os.environ.get("RELAPSE_BOARD_SOAK_CASES", "10000"))
N_TOGETHER = 20
# A case that hangs is ended by the system, and so is its process.
HANGS_SECONDS = 10 * MOST_SECONDS
SHOWN = 20


def judge_some(first: int, at_work: Path) -> list[Outcome]:
    """The outcomes of the cases from `first` on; in `at_work` stands which one is at work."""
    outcomes = []
    for number in range(first, min(first + N_TOGETHER, N_CASES)):
        (at_work / str(os.getpid())).write_text(str(number), encoding="ascii")
        signal.alarm(HANGS_SECONDS)
        outcomes.append(judged(number, is_whole(number)))
        signal.alarm(0)
    return outcomes


def all_judged(at_work: Path) -> Iterator[Outcome]:
    """Every case, judged in processes of its own; one that dies says at which case."""
    at_work.mkdir()
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawned) as pool:
        begun = [pool.submit(judge_some, n, at_work) for n in range(0, N_CASES, N_TOGETHER)]
        try:
            for some in as_completed(begun):
                yield from some.result()
        except BrokenProcessPool:
            cases = [path.read_text(encoding="ascii") for path in at_work.iterdir()]
            pytest.fail(f"a process died or hung at one of the cases {', '.join(cases)}")


def by_kind(outcomes: list[Outcome]) -> str:
    """A line for each kind of export: what became of how many."""
    became = Counter((outcome.kind, outcome.became) for outcome in outcomes)
    words = ("loaded", "quarantined", "checked", "refused", "failed")
    kinds = dict.fromkeys(kind for kind, _ in sorted(became))
    lines = []
    for kind in kinds:
        counts = [f"{became[kind, word]} {word}" for word in words if became[kind, word]]
        again = sum(outcome.is_counted for outcome in outcomes if outcome.kind == kind)
        lines.append(f"  {kind}: {', '.join(counts)}; {again} counted by another reader")
    return "\n".join(lines)


def test_every_mutated_export_is_refused_or_accounted_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes, problems = [], []
    # Two processes on two cores.
    monkeypatch.setenv("POLARS_MAX_THREADS", "1")
    with memory_folder(tmp_path) as folder:
        monkeypatch.setenv("TMPDIR", str(folder))
        for outcome in all_judged(tmp_path / "at-work"):
            outcomes.append(outcome)
            if outcome.problem:
                problems.append(f"case {outcome.number}, {outcome.kind}, {outcome.told}")
                print(f"{problems[-1]}: {outcome.problem}", flush=True)
    slowest = max(outcome.seconds for outcome in outcomes)
    peak = max(outcome.peak_bytes for outcome in outcomes)
    print(
        f"\nsoak: {len(outcomes):,} mutated exports, {len(problems)} problems; at most "
        f"{slowest:.1f} s (bound {MOST_SECONDS}) and {peak / 2**20:,.0f} MB (bound "
        f"{MOST_BYTES / 2**20:,.0f})\n{by_kind(outcomes)}"
    )
    assert len(outcomes) == N_CASES
    assert not problems, "\n".join(problems[:SHOWN])
