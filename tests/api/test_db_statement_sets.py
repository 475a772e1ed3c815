"""Statements for a set of calls, on PostgreSQL: as the single ones, each call by itself."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

import consent
from gateway.db.prepared import HotDatabase, Sets
from gateway.db.statements import SetStatement
from gateway.disclosure.commit import DISCLOSE
from gateway.oauth.unit_of_work import SPEND_AND_STORE
from tests.gateway_fixture import Caller, GatewayFixture, QuestionValue

pytestmark = pytest.mark.asyncio(loop_scope="session")

RATING = ("rating_at_least.v1", "良好")
TEXTS = SetStatement.lateral("SELECT CAST(:given AS text[]) AS found, CAST(:one AS integer) AS one")
VALUES = SetStatement.lateral("""
    SELECT CAST(:some AS bytea) AS some, CAST(:at AS timestamptz) AS at, CAST(:text AS text) AS text,
           CAST(:sure AS boolean) AS sure""")
EACH_SET: dict[str, Sets | None] = {
    "alone": None,
    "usual": Sets(),
    "full": Sets(under_way=1),
    "large": Sets(largest=64, under_way=1),
}


@contextmanager
def sets_of(gateway: GatewayFixture, sets: Sets | None) -> Iterator[None]:
    """The gateway with sets of this size inside the block."""
    gateway.runtime.hot.use_sets(sets)
    try:
        yield
    finally:
        gateway.runtime.hot.use_sets(Sets())


@pytest_asyncio.fixture(loop_scope="session")
async def hot(gateway: GatewayFixture) -> AsyncIterator[HotDatabase]:
    """A database whose concurrent calls always make one set."""
    made = await HotDatabase.open(gateway.settings.database_url, size=4, sets=Sets(under_way=1))
    yield made
    await made.close()


@pytest.mark.parametrize("sets", EACH_SET.values(), ids=EACH_SET)
async def test_a_crowd_is_answered_and_counted_as_one_by_one(
    gateway: GatewayFixture, sets: Sets | None
) -> None:
    """Thirty enterprises, three calls each, among them an unknown one: the same answers, rows and uses."""
    usccs = [each.enterprise.uscc for each in gateway.entities[:30]]
    questions: list[str | tuple[str, QuestionValue]] = [
        "is_active.v1",
        RATING,
        ("enterprise_name.v2", "合成商贸有限公司"),
    ]

    async def asked(together: bool) -> tuple[list[Any], Counter[str], int]:
        bank = await gateway.client()
        granted = await gateway.grant(bank, usccs[0], questions=[RATING[0]], max_uses=2)
        await bank.token()
        calls = [bank.verify(uscc, *questions) for _ in range(3) for uscc in usccs]
        if together:
            responses = await asyncio.gather(*calls)
        else:
            responses = [await each for each in calls]
        answers = [each.json()["answers"] for each in responses]
        of_first = sorted(map(str, answers[::30]))  # who gets the last use is not said
        log = await gateway.log_of(bank)
        counted = Counter(f"{row['uscc']} {row['outcome']} {len(row['relied_on'])}" for row in log)
        return [answers[1:30], of_first], counted, await gateway.uses(granted)

    with sets_of(gateway, None):
        alone = await asked(together=False)
    with sets_of(gateway, sets):
        assert await asked(together=True) == alone


@pytest.mark.parametrize("sets", EACH_SET.values(), ids=EACH_SET)
async def test_no_use_is_overspent_and_nothing_follows_a_withdrawal(
    gateway: GatewayFixture, sets: Sets | None
) -> None:
    """In full sets and by themselves."""
    bank, uscc, other = await gateway.client(), gateway.uscc("clean"), gateway.uscc("penalised")
    limited = await gateway.grant(bank, uscc, max_uses=5)
    withdrawn = await gateway.grant(bank, other, max_uses=None)
    await bank.token()
    with sets_of(gateway, sets):
        racing = [
            asyncio.create_task(bank.query(each)) for _ in range(16) for each in (uscc, other)
        ]
        await asyncio.wait(racing[1:4:2])
        await gateway.act(consent.withdraw, withdrawn)
        spent = await gateway.uses(withdrawn)
        answers = await asyncio.gather(*racing)
    codes = Counter(each.json().get("code", "told") for each in answers[0::2])
    assert codes == {"told": 5, "consent_exhausted": 11}
    assert await gateway.uses(limited) == 5
    codes = Counter(each.json().get("code", "told") for each in answers[1::2])
    assert codes["told"] == spent == await gateway.uses(withdrawn)
    assert codes["told"] + codes["consent_withdrawn"] == 16


@pytest.mark.parametrize("given", [[], ["a", 'b"c', "d\\", "{e,f}", "", "NULL", "企业"], None])
async def test_lists_arrive_as_they_are(hot: HotDatabase, given: list[str] | None) -> None:
    """In a set a list is an array of JSON."""
    calls = [hot.submit(TEXTS, {"given": given, "one": one}) for one in range(3)]
    rows = await asyncio.gather(*calls)
    assert [(row["found"], row["one"]) for row in rows if row] == [(given, n) for n in range(3)]


async def test_values_of_every_type_arrive_as_they_are(hot: HotDatabase) -> None:
    """Bytes, microseconds, quotes, and NULL of each."""
    moment = datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=UTC)
    given = {"some": b'\0\xff"', "at": moment, "text": '企业 "\\\n\x1f\U00020000', "sure": True}
    calls = [given, given, dict.fromkeys(given), given | {"text": ""}]  # the first goes by itself
    rows = await asyncio.gather(*(hot.submit(VALUES, each) for each in calls))
    assert [row and {name: row[name] for name in given} for row in rows] == calls


async def test_a_value_that_postgresql_refuses_fails_its_own_call(hot: HotDatabase) -> None:
    """A zero byte, half a surrogate pair, and a number that is none."""
    given = [["right"], ["\0"], ["\ud800"], ["right"]]
    calls = [hot.submit(TEXTS, {"given": each, "one": 1}) for each in given]
    calls.append(hot.submit(TEXTS, {"given": [], "one": "none"}))
    found = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(each, Exception) for each in found] == [False, True, True, False, True]


async def _pending(gateway: GatewayFixture, bank: Caller, uscc: str, number: int) -> dict[str, Any]:
    [enterprise] = await gateway.rows(
        "SELECT registration_id, version FROM enterprise WHERE uscc = :uscc", uscc=uscc
    )
    return {
        **dict.fromkeys(DISCLOSE.names),
        "uscc": uscc, "disclosure_id": f"dsc_{bank.client_id}_{number}",
        "client_id": bank.client_id, "kind": "verification", "outcome": "told",
        "purpose": "loan_approval", "asked": "[]", "probes": "[]", "answer": "",
        "relied_on": f'[["{enterprise["registration_id"]}", {enterprise["version"]}]]',
        "result_digest": b"", "request_digest": b"", "leaf_hash": bytes(32), "salt": bytes(32),
        "now": gateway.clock(),
    }  # fmt: skip


async def test_a_moved_row_undoes_itself_and_not_its_neighbours(
    gateway: GatewayFixture, hot: HotDatabase
) -> None:
    """Another version than was read, probes counted meanwhile, a disclosure that is there already."""
    bank = await gateway.client()
    usccs = [each.enterprise.uscc for each in gateway.entities[40:46]]
    calls = [await _pending(gateway, bank, uscc, n) for n, uscc in enumerate(usccs)]
    calls[1]["relied_on"] = calls[0]["relied_on"]
    calls[3]["probes"] = '[{"question": "enterprise_name", "asked": {"x": 1}, "revision": 7}]'
    found = await asyncio.gather(
        *(hot.submit(DISCLOSE, each) for each in calls), return_exceptions=True
    )
    # A revision that was never read is written at first, and never over another one.
    moved = [getattr(each, "sqlstate", None) for each in found]
    assert moved == [None, "XQ001", None, None, None, None]
    calls[3]["probes"] = '[{"question": "enterprise_name", "asked": {"y": 1}, "revision": 7}]'
    for n, each in enumerate(calls):
        each["disclosure_id"] = f"dsc_{bank.client_id}_again_{n}"
    calls[4]["disclosure_id"] = f"dsc_{bank.client_id}_4"
    found = await asyncio.gather(
        *(hot.submit(DISCLOSE, each) for each in calls), return_exceptions=True
    )
    moved = [getattr(each, "sqlstate", None) for each in found]
    assert moved == [None, "XQ001", None, "XQ001", "23505", None]
    written = {
        row["disclosure_id"].removeprefix(f"dsc_{bank.client_id}_")
        for row in await gateway.log_of(bank)
    }
    assert written == {"0", "2", "3", "4", "5", "again_0", "again_2", "again_5"}


async def test_a_locked_row_does_not_hold_up_its_neighbours(
    gateway: GatewayFixture, hot: HotDatabase
) -> None:
    """It is left out of the set, tries again, and is written in the end."""
    bank = await gateway.client()
    usccs = [each.enterprise.uscc for each in gateway.entities[50:54]]
    calls = [await _pending(gateway, bank, uscc, n) for n, uscc in enumerate(usccs)]
    locking = await asyncpg.connect(
        gateway.settings.database_url.replace("postgresql+asyncpg", "postgresql")
    )
    try:
        async with locking.transaction():
            await locking.execute("SELECT 1 FROM enterprise WHERE uscc = $1 FOR UPDATE", usccs[1])
            waiting = [hot.submit(DISCLOSE, each) for each in calls]
            await asyncio.gather(*(each for n, each in enumerate(waiting) if n != 1))
            assert not waiting[1].done()
        await waiting[1]
    finally:
        await locking.close()
    assert len(await gateway.log_of(bank)) == 4


async def test_many_locked_enterprises_hold_up_no_other(
    gateway: GatewayFixture, hot: HotDatabase
) -> None:
    """As a delivery locks them: more than there are connections, asked about all the while."""
    bank = await gateway.client()
    usccs = [each.enterprise.uscc for each in gateway.entities[60:80]]
    locked, free = usccs[:12], usccs[12:]
    calls = [await _pending(gateway, bank, uscc, n) for n, uscc in enumerate(usccs)]
    locking = await asyncpg.connect(
        gateway.settings.database_url.replace("postgresql+asyncpg", "postgresql")
    )
    try:
        async with locking.transaction():
            await locking.execute(
                "SELECT 1 FROM enterprise WHERE uscc = ANY($1) FOR UPDATE", locked
            )
            held = [hot.submit(DISCLOSE, each) for each in calls[:12]]
            for turn in range(3):
                written = [
                    hot.submit(
                        DISCLOSE, {**each, "disclosure_id": f"{each['disclosure_id']}_{turn}"}
                    )
                    for each in calls[12:]
                ]
                await asyncio.gather(*written)
            assert not any(each.done() for each in held)
        await asyncio.gather(*held)
    finally:
        await locking.close()
    assert len(await gateway.log_of(bank)) == len(locked) + 3 * len(free)


@pytest.mark.parametrize("sets", EACH_SET.values(), ids=EACH_SET)
async def test_each_assertion_gives_one_token_in_whatever_sets(
    gateway: GatewayFixture, sets: Sets | None
) -> None:
    """Twelve assertions, each used three times at once: the first use is stored, with its token."""
    bank = await gateway.client()
    until = gateway.clock() + timedelta(minutes=5)
    calls = [
        {
            "client_id": bank.client_id, "assertion": f"{bank.client_id}-{number % 12}",
            "forgotten_at": until, "jti": f"{bank.client_id}-token-{number}", "scope": "verify",
            "uscc": None, "consent_id": None, "code_digest": None, "expires_at": until,
        }
        for number in range(36)
    ]  # fmt: skip
    with sets_of(gateway, sets):
        rows = await asyncio.gather(
            *(gateway.runtime.hot.submit(SPEND_AND_STORE, each) for each in calls)
        )
    assert Counter(number % 12 for number, row in enumerate(rows) if row) == dict.fromkeys(
        range(12), 1
    )
    stored = await gateway.rows(
        "SELECT jti FROM access_token WHERE jti LIKE :mine", mine=f"{bank.client_id}-token-%"
    )
    assert {row["jti"] for row in stored} == {row["jti"] for row in rows if row}
