"""Nobody is lost on the response page: many random exports, many random views of each."""

import random
from pathlib import Path

import pytest

from tests.property.test_response_properties import check_view, made, random_view

EXPORTS, VIEWS = 40, 60


@pytest.mark.soak
def test_accounts_add_up_over_many_exports(tmp_path: Path) -> None:
    checked = 0
    for seed in range(100, 100 + EXPORTS):
        snapshot, enrolled, _ = made(tmp_path / str(seed), seed, defects=seed % 2 == 0)
        chance = random.Random(seed)
        for _ in range(VIEWS):
            check_view(
                snapshot, enrolled, random_view(chance, snapshot.snapshot_id, snapshot.study)
            )
            checked += 1
    print(f"\nsoak: {checked} views of the response page over {EXPORTS} exports, all add up")
