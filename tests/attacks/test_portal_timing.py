"""How long a page takes does not tell whether an id is another's or nobody's (Welch's t)."""

import os
import random
import statistics
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest_asyncio

from tests.attacks.test_timing import KEPT, SURE, surely_apart
from tests.portal_gallery import ask_by_link
from tests.portal_house import House, a_house

ROUNDS: Final = 2_000 if os.environ.get("FULL") else 60


@pytest_asyncio.fixture
async def house(migrated_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """A running portal."""
    async with a_house(migrated_url, tmp_path) as made:
        yield made


async def test_anothers_and_nobodys_pages_take_equally_long(house: House) -> None:
    """Consents, requests, codes, whole enterprises; `test_timing` shows that the measure sees a leak."""
    theirs = await ask_by_link(house, house.firm)
    code = (await house.add_code(house.firm)).code_id
    pairs = {
        "consent": (f"/portal/consents/{theirs}", f"/portal/consents/cst_{'a' * 26}"),
        "request": (f"/portal/asked/{theirs}", f"/portal/asked/cst_{'a' * 26}"),
        "code": (f"/portal/codes/{code}", f"/portal/codes/{'A' * 26}"),
        "enterprise": tuple(
            f"/portal/enterprises/{uscc}/looks" for uscc in (house.firm, house.nobody)
        ),
    }
    stranger = await house.signed_in("wang")
    taken: dict[tuple[str, int], list[float]] = {(name, n): [] for name in pairs for n in (0, 1)}
    chance = random.Random(20261123)  # noqa: S311  # an order, not a secret
    for _ in range(ROUNDS):
        for name, which in chance.sample(list(taken), len(taken)):
            begun = time.perf_counter()
            answer = await stranger.get(pairs[name][which])
            taken[name, which].append(time.perf_counter() - begun)
            assert answer.status_code in {403, 404}
    kept = {each: sorted(times)[: int(len(times) * KEPT)] for each, times in taken.items()}
    apart = {name: surely_apart(kept[name, 0], kept[name, 1]) for name in pairs}
    medians = {each: f"{1000 * statistics.median(times):.2f} ms" for each, times in kept.items()}
    assert max(apart.values()) < SURE, (medians, apart)
