"""Withdrawal notices (R14): one for each client that received a withdrawn record."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import text

from gateway.db.engine import to_json
from gateway.disclosure import commit, withdrawal_notices
from gateway.disclosure.withdrawal_notices import ChangedRecord, RecordKind
from tests.gateway_fixture import Caller, GatewayFixture
from tests.waiting import lock_waits

pytestmark = pytest.mark.asyncio(loop_scope="session")

CHANGE = text("""
    UPDATE record SET version = version + 1, repaired_at = CAST(:repaired_at AS timestamptz)
    WHERE uscc = :uscc AND record_id = :record_id""")


@pytest_asyncio.fixture(loop_scope="session")
async def record(gateway: GatewayFixture) -> AsyncIterator[ChangedRecord]:
    """A penalty of the province that is disclosed; restored after the test."""
    of = gateway.entity("penalised")
    penalty = next(each for each in of.records if each.dataset == "penalty")
    yield ChangedRecord(uscc=penalty.uscc, dataset="penalty", record_id=penalty.record_id)
    await gateway.rows(
        "UPDATE record SET version = 1, repaired_at = NULL"
        " WHERE uscc = :uscc AND record_id = :record_id",
        uscc=penalty.uscc,
        record_id=penalty.record_id,
    )


async def update_record(gateway: GatewayFixture, record: ChangedRecord, kind: RecordKind) -> int:
    """Update a record as an ingest does; the number of notices."""
    async with gateway.runtime.engine.begin() as connection:
        named = {"uscc": record.uscc, "record_id": record.record_id, "repaired_at": None}
        await connection.execute(CHANGE, named)
        return await withdrawal_notices.notify_changed_records(
            connection, kind, [record], now=gateway.clock()
        )


async def disclose(caller: Caller, uscc: str, *datasets: str) -> str:
    """Query; the disclosure's id."""
    response = await caller.query(uscc, *datasets)
    assert response.status_code == 200, response.text
    return str(response.json()["disclosure_id"])


async def notices_to(gateway: GatewayFixture, caller: Caller) -> list[dict[str, Any]]:
    """The client's record notices, in order."""
    return await gateway.rows(
        "SELECT * FROM tombstone WHERE client_id = :client AND record_id IS NOT NULL"
        " ORDER BY occurred_at, change_id",
        client=caller.client_id,
    )


async def test_one_notice_to_each_recipient(gateway: GatewayFixture, record: ChangedRecord) -> None:
    """It names the record and the disclosures that contain it, without content."""
    one, other, elsewhere = [await gateway.client() for _ in range(3)]
    for bank in (one, other):
        await gateway.grant(bank, record.uscc)
    first = await disclose(one, record.uscc, "penalty")
    second = await disclose(one, record.uscc, "penalty")
    third = await disclose(other, record.uscc, "penalty")
    await disclose(other, record.uscc, "licence")  # rests on other records
    await gateway.grant(elsewhere, gateway.uscc("clean"))
    await disclose(elsewhere, gateway.uscc("clean"), "penalty")
    await update_record(gateway, record, "record_repaired")
    notice, *more = await notices_to(gateway, one)
    assert not more
    assert notice["disclosure_ids"] == [first, second]
    assert [each["disclosure_ids"] for each in await notices_to(gateway, other)] == [[third]]
    assert await notices_to(gateway, elsewhere) == []
    assert notice["kind"] == "record_repaired"
    assert notice["record_id"] == record.record_id
    assert notice["dataset"] == "penalty"
    assert notice["consent_id"] is notice["acknowledged_at"] is None
    assert notice.keys() == {
        "uscc", "change_id", "client_id", "kind", "occurred_at", "dataset", "record_id",
        "consent_id", "disclosure_ids", "questions", "cursor", "acknowledged_at",
    }  # fmt: skip


async def test_a_yes_or_no_is_a_disclosure_too(
    gateway: GatewayFixture, record: ChangedRecord
) -> None:
    """A verification that used the record, without consent, is a disclosure."""
    platform = await gateway.client("platform")
    assert await platform.answers(
        record.uscc, "no_live_penalty.v1", purpose="merchant_onboarding"
    ) == ["no"]
    await platform.answers(record.uscc, "is_active.v1", purpose="merchant_onboarding")
    await update_record(gateway, record, "record_corrected")
    answered, _ = await gateway.log_of(platform)
    assert [each["disclosure_ids"] for each in await notices_to(gateway, platform)] == [
        [answered["disclosure_id"]]
    ]


async def test_a_refusal_gets_no_notice(gateway: GatewayFixture, record: ChangedRecord) -> None:
    """Only disclosures cause notices."""
    bank = await gateway.client()
    assert (await bank.query(record.uscc, "penalty")).status_code == 403
    await update_record(gateway, record, "record_withdrawn")
    assert await notices_to(gateway, bank) == []


async def test_a_second_correction_is_notified_for_disclosures_since_the_first(
    gateway: GatewayFixture, record: ChangedRecord
) -> None:
    """A later repair is notified to every recipient."""
    bank = await gateway.client()
    await gateway.grant(bank, record.uscc)
    first = await disclose(bank, record.uscc, "penalty")
    await update_record(gateway, record, "record_corrected")
    await update_record(gateway, record, "record_corrected")
    assert [each["disclosure_ids"] for each in await notices_to(gateway, bank)] == [[first]]
    second = await disclose(bank, record.uscc, "penalty")
    await update_record(gateway, record, "record_corrected")
    await update_record(gateway, record, "record_repaired")
    found = [(each["kind"], each["disclosure_ids"]) for each in await notices_to(gateway, bank)]
    assert found == [
        ("record_corrected", [first]),
        ("record_corrected", [second]),
        ("record_repaired", [first, second]),
    ]


async def test_an_answer_read_before_a_change_is_computed_again(
    gateway: GatewayFixture, record: ChangedRecord
) -> None:
    """The answer is computed again from the changed record."""
    bank = await gateway.client()
    await gateway.grant(bank, record.uscc)
    async with gateway.runtime.engine.begin() as connection:
        named = {"uscc": record.uscc, "record_id": record.record_id}
        await connection.execute(CHANGE, named | {"repaired_at": gateway.clock()})
        asked = asyncio.create_task(bank.query(record.uscc, "penalty"))
        await lock_waits(gateway.runtime.engine)
        assert not asked.done()
        await withdrawal_notices.notify_changed_records(
            connection, "record_repaired", [record], now=gateway.clock()
        )
    response = await asked
    assert record.record_id not in {each["record_id"] for each in response.json()["records"]}
    assert await notices_to(gateway, bank) == []


async def test_a_change_waits_for_a_concurrent_disclosure(
    gateway: GatewayFixture, record: ChangedRecord
) -> None:
    """A disclosure that commits while the change waits is notified."""
    bank = await gateway.client()
    version = (await gateway.rows(
        "SELECT version FROM record WHERE uscc = :uscc AND record_id = :record_id",
        uscc=record.uscc, record_id=record.record_id,
    ))[0]["version"]  # fmt: skip
    values: dict[str, Any] = {
        **dict.fromkeys(commit.DISCLOSE.names),
        "uscc": record.uscc, "disclosure_id": f"dsc_{bank.client_id}",
        "client_id": bank.client_id, "kind": "query", "outcome": "told", "purpose": "loan_approval",
        "asked": "[]", "relied_on": to_json([[record.record_id, version]]), "probes": "[]",
        "result_digest": b"", "leaf_hash": b"0" * 32, "salt": b"0" * 32, "now": gateway.clock(),
        "request_digest": b"", "answer": "",
    }  # fmt: skip
    teller = await asyncpg.connect(
        gateway.settings.database_url.replace("postgresql+asyncpg", "postgresql")
    )
    try:
        async with teller.transaction():
            arguments = [values[name] for name in commit.DISCLOSE.names]
            await teller.fetchrow(commit.DISCLOSE.single.positional, *arguments)
            changing = asyncio.create_task(update_record(gateway, record, "record_corrected"))
            await lock_waits(gateway.runtime.engine)
            assert not changing.done()
        assert await changing >= 1
    finally:
        await teller.close()
    assert [each["disclosure_ids"] for each in await notices_to(gateway, bank)] == [
        [f"dsc_{bank.client_id}"]
    ]


async def test_the_report_lists_unacknowledged_notices(
    gateway: GatewayFixture, record: ChangedRecord
) -> None:
    """Longest open first; acknowledged notices are left out."""
    early, late = await gateway.client(), await gateway.client()
    for bank in (early, late):
        await gateway.grant(bank, record.uscc)
    await disclose(early, record.uscc, "penalty")
    with_time = gateway.clock() - timedelta(days=400)
    async with gateway.runtime.engine.begin() as connection:
        await withdrawal_notices.notify_changed_records(
            connection, "record_repaired", [record], now=with_time
        )
    await disclose(late, record.uscc, "penalty")
    await update_record(gateway, record, "record_withdrawn")
    async with gateway.runtime.engine.connect() as connection:
        report = {
            each.client_id: each
            for each in await withdrawal_notices.count_unacknowledged(connection)
        }
        order = list(report)
        open_to_early = await withdrawal_notices.unacknowledged_notices(
            connection, early.client_id, limit=10
        )
    assert (report[early.client_id].open, report[late.client_id].open) == (2, 1)
    assert report[early.client_id].since == with_time
    assert order.index(early.client_id) < order.index(late.client_id)
    assert [each.kind for each in open_to_early] == ["record_repaired", "record_withdrawn"]
    await gateway.rows(
        "UPDATE tombstone SET acknowledged_at = now() WHERE client_id = :client",
        client=early.client_id,
    )
    async with gateway.runtime.engine.connect() as connection:
        assert early.client_id not in {
            each.client_id for each in await withdrawal_notices.count_unacknowledged(connection)
        }
