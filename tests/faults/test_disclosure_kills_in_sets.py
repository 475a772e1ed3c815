"""Sessions killed while sets are under way: what was answered is written, and counted once.

`FULL=1`: two hundred kills.
"""

import asyncio
from collections import Counter
from typing import Any, Final

import pytest

from gateway.db.prepared import Sets
from tests.gateway_fixture import GatewayFixture
from tests.sampling import sampled

pytestmark = pytest.mark.asyncio(loop_scope="session")

KILLS: Final = sampled(10, full=200)
CALLERS: Final = 24
KILL: Final = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'xinqiao-hot' AND state = 'active'"""
TOLD: Final = """
    SELECT d.disclosure_id, d.consent_id,
           (SELECT count(*) FROM disclosure_salt s
            WHERE s.uscc = d.uscc AND s.disclosure_id = d.disclosure_id) AS salts
    FROM disclosure d WHERE d.client_id = :client_id AND d.outcome = 'told'"""


@pytest.mark.parametrize("sets", [Sets(), Sets(under_way=1), None], ids=["usual", "full", "alone"])
async def test_killed_sessions_lose_nothing_and_count_nothing_twice(
    gateway: GatewayFixture, sets: Sets | None
) -> None:
    """Each call is repeated under its key until it is answered: one disclosure and one use each."""
    bank = await gateway.client()
    usccs = [each.enterprise.uscc for each in gateway.entities[100 : 100 + CALLERS]]
    consents = [await gateway.grant(bank, uscc, max_uses=None) for uscc in usccs]
    await bank.token()
    told: dict[str, Any] = {}
    done = asyncio.Event()

    async def ask(number: int) -> None:
        turn = 0
        while not done.is_set():
            key = f"{number}-{turn}"
            for _ in range(20):
                answer = await bank.query(
                    usccs[number], "registration", headers={"Idempotency-Key": key}
                )
                if answer.status_code == 200:
                    told[key] = answer.json()["disclosure_id"]
                    break
                assert answer.status_code == 503, answer.text
            turn += 1

    gateway.runtime.hot.use_sets(sets)
    try:
        asking = [asyncio.create_task(ask(number)) for number in range(CALLERS)]
        killed = 0
        while killed < KILLS:
            [found] = await gateway.rows(KILL)
            killed += found["count"]
            await asyncio.sleep(0.01)
        done.set()
        await asyncio.gather(*asking)
    finally:
        gateway.runtime.hot.use_sets(Sets())
    written = await gateway.rows(TOLD, client_id=bank.client_id)
    assert set(told.values()) <= {row["disclosure_id"] for row in written}
    assert len(set(told.values())) == len(told)
    assert {row["salts"] for row in written} == {1}
    uses = Counter(row["consent_id"] for row in written)
    assert {each: await gateway.uses(each) for each in consents} == {
        each: uses[each] for each in consents
    }
    # A call that was written and not answered was found again under its key.
    assert len(written) == len(told)
