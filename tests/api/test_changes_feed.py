"""Changes feed: each client's consent and withdrawal notices, complete and in order."""

import asyncio
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import text

import consent
from gateway.background.sequencing import sequencer_of
from gateway.disclosure import change_feed
from tests.gateway_fixture import Caller, GatewayFixture

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATH = "/v1/changes"
SCOPE = "changes"


async def number(gateway: GatewayFixture) -> None:
    """Number the pending notices, as the sequencer does."""
    sequencer = sequencer_of(gateway.runtime)
    while await gateway.rows("SELECT change_id FROM tombstone WHERE cursor IS NULL LIMIT 1"):
        await sequencer.round()
        await asyncio.sleep(0.02)


async def read(caller: Caller, after: str | None = None, wait: float = 0) -> dict[str, Any]:
    """A page of the caller's feed."""
    query = f"?wait={wait}" + (f"&after={after}" if after is not None else "")
    answer = await caller.send(PATH + query, b"", method="GET", scope=SCOPE)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def acknowledge(caller: Caller, cursor: str) -> Any:
    """Acknowledge all notices up to `cursor`."""
    return await caller.send(f"{PATH}/ack", {"cursor": cursor}, scope=SCOPE)


async def test_a_grant_and_a_withdrawal_reach_their_client_with_its_disclosures(
    gateway: GatewayFixture,
) -> None:
    """In order of occurrence, in the wire's shape."""
    uscc, bank = gateway.uscc("clean"), await gateway.client()
    consent_id = await gateway.grant(bank, uscc)
    told = await bank.query(uscc, "penalty")
    await gateway.act(consent.withdraw, consent_id)
    await number(gateway)
    found = await read(bank)
    granted, withdrawn = found["changes"]
    assert (granted["kind"], withdrawn["kind"]) == ("consent_granted", "consent_withdrawn")
    assert withdrawn["disclosure_ids"] == [told.json()["disclosure_id"]]
    assert withdrawn["consent_id"] == granted["consent_id"] == consent_id
    assert withdrawn.keys() == {
        "change_id",
        "kind",
        "occurred_at",
        "dataset",
        "record_id",
        "consent_id",
        "disclosure_ids",
    }
    assert (withdrawn["dataset"], withdrawn["record_id"]) == (None, None)
    assert withdrawn["occurred_at"].endswith("+08:00")


async def test_a_cursor_goes_on_where_the_page_before_ended(gateway: GatewayFixture) -> None:
    """Reading is idempotent: the same cursor gives the same page."""
    uscc, bank = gateway.uscc("clean"), await gateway.client()
    consent_id = await gateway.grant(bank, uscc)
    await number(gateway)
    first = await read(bank)
    assert await read(bank) == first
    assert await read(bank, first["cursor"]) == {"changes": [], "cursor": first["cursor"]}
    await gateway.act(consent.withdraw, consent_id)
    await number(gateway)
    later = await read(bank, first["cursor"])
    assert [each["kind"] for each in later["changes"]] == ["consent_withdrawn"]
    assert later["cursor"] != first["cursor"]


async def test_a_client_reads_and_counts_its_own_changes_only(gateway: GatewayFixture) -> None:
    """Numbering starts at one for each client."""
    uscc = gateway.uscc("clean")
    bank, other = await gateway.client(), await gateway.client()
    for _ in range(3):
        await gateway.act(consent.withdraw, await gateway.grant(other, uscc))
    mine = await gateway.grant(bank, uscc)
    await number(gateway)
    found = await read(bank)
    assert [each["consent_id"] for each in found["changes"]] == [mine]
    assert found["cursor"] == "1"


async def test_a_late_commit_is_not_skipped(gateway: GatewayFixture) -> None:
    """A transaction that commits late gets a later number."""
    uscc, bank = gateway.uscc("clean"), await gateway.client()
    early, late = (
        await gateway.grant(bank, uscc),
        await gateway.grant(bank, gateway.uscc("penalised")),
    )
    await number(gateway)
    before = (await read(bank))["cursor"]
    async with gateway.runtime.engine.connect() as slow:
        await slow.execute(
            text(
                "INSERT INTO tombstone (uscc, change_id, client_id, kind, occurred_at, consent_id,"
                " disclosure_ids) VALUES (:uscc, 'chg_slow_' || :consent, :client,"
                " 'consent_withdrawn', now(), :consent, '{}')"
            ),
            {"uscc": uscc, "consent": early, "client": bank.client_id},
        )
        await gateway.act(consent.withdraw, late)
        await number(gateway)
        seen = await read(bank, before)
        assert [each["consent_id"] for each in seen["changes"]] == [late]
        await slow.commit()
    await number(gateway)
    assert [each["consent_id"] for each in (await read(bank, seen["cursor"]))["changes"]] == [early]


async def test_numbering_at_once_gives_each_notice_one_place(gateway: GatewayFixture) -> None:
    """Concurrent sequencers leave neither gaps nor duplicates."""
    uscc, bank = gateway.uscc("clean"), await gateway.client()
    for _ in range(5):
        await gateway.act(consent.withdraw, await gateway.grant(bank, uscc))
    await asyncio.gather(*(number(gateway) for _ in range(4)))
    rows = await gateway.rows(
        "SELECT cursor FROM tombstone WHERE client_id = :client ORDER BY cursor",
        client=bank.client_id,
    )
    assert [each["cursor"] for each in rows] == list(range(1, 11))


async def test_waiting_ends_with_the_first_change(gateway: GatewayFixture) -> None:
    """A long poll answers as soon as there is a notice."""
    uscc, bank = gateway.uscc("clean"), await gateway.client()
    waiting = asyncio.create_task(read(bank, wait=20))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await gateway.grant(bank, uscc)
    await number(gateway)
    found = await waiting
    assert [each["kind"] for each in found["changes"]] == ["consent_granted"]


async def test_acknowledged_notices_are_no_longer_due(gateway: GatewayFixture) -> None:
    """Only up to the cursor; repeating it keeps the first time."""
    uscc, bank = gateway.uscc("clean"), await gateway.client()
    await gateway.act(consent.withdraw, await gateway.grant(bank, uscc))
    await number(gateway)
    cursor = (await read(bank))["cursor"]
    await gateway.act(consent.withdraw, await gateway.grant(bank, uscc))
    await number(gateway)
    answer = await acknowledge(bank, cursor)
    assert answer.status_code == 200
    assert answer.json()["cursor"] == cursor
    with gateway.clock.later(minutes=1):
        assert (await acknowledge(bank, cursor)).status_code == 200
    rows = await gateway.rows(
        "SELECT cursor, acknowledged_at FROM tombstone WHERE client_id = :client ORDER BY cursor",
        client=bank.client_id,
    )
    assert [each["acknowledged_at"] is None for each in rows] == [False, False, True, True]
    assert rows[0]["acknowledged_at"] == rows[1]["acknowledged_at"]


@pytest.mark.parametrize("cursor", ["1", "9" * 18])
async def test_a_cursor_beyond_the_feed_is_refused(gateway: GatewayFixture, cursor: str) -> None:
    """Refused for reading and for acknowledging."""
    bank = await gateway.client()
    answer = await acknowledge(bank, cursor)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    answer = await bank.send(f"{PATH}?after={cursor}", b"", method="GET", scope=SCOPE)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("cursor", ["", "-1", "1.0", "x", "9" * 19, "１"])
async def test_a_cursor_is_one_that_the_feed_gave(gateway: GatewayFixture, cursor: str) -> None:
    """Refused with the member's name, in query and body."""
    bank = await gateway.client()
    answer = await bank.send(f"{PATH}?after={quote(cursor)}", b"", method="GET", scope=SCOPE)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert (await acknowledge(bank, cursor)).status_code == 400


async def test_the_feed_needs_its_own_scope(gateway: GatewayFixture) -> None:
    """The scope `query` is not enough."""
    bank = await gateway.client()
    answer = await bank.send(PATH, b"", method="GET", scope="query")
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


async def test_a_round_takes_so_many_and_the_next_ones_the_rest(gateway: GatewayFixture) -> None:
    """The rest is numbered in the next rounds."""
    bank = await gateway.client()
    insert = text(
        "INSERT INTO tombstone (uscc, change_id, client_id, kind, occurred_at, dataset, record_id,"
        " disclosure_ids) SELECT :uscc, 'chg_bulk_' || :client || n, :client, 'record_repaired',"
        " now(), 'penalty', 'r' || n, '{}' FROM generate_series(1, :many) AS n"
    )
    many = change_feed.MAX_NUMBERED + 1
    async with gateway.runtime.engine.begin() as connection:
        await connection.execute(
            insert, {"uscc": gateway.uscc("clean"), "client": bank.client_id, "many": many}
        )
    await number(gateway)
    rows = await gateway.rows(
        "SELECT cursor FROM tombstone WHERE client_id = :client ORDER BY cursor",
        client=bank.client_id,
    )
    assert [each["cursor"] for each in rows] == list(range(1, many + 1))
    answer = await acknowledge(bank, str(many))
    assert answer.status_code == 200
    last = await read(bank, str(many - 3))
    assert (len(last["changes"]), last["cursor"]) == (3, str(many))
