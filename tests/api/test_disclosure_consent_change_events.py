"""Notices to clients about their consents, with the disclosures that lose their basis."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

import consent
from consent import Channel, Consent, store
from consent.model import Person
from gateway.background.housekeeping import notify_expired_consents
from gateway.disclosure import consent_log_writer, withdrawal_notices
from gateway.disclosure.consent_change_events import ConsentNotice, notices_for
from tests.consent_builders import BANK, NOON, make_consent, make_person, must_succeed
from tests.gateway_fixture import Caller, GatewayFixture

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def news_to(gateway: GatewayFixture, caller: Caller) -> list[tuple[str, str, Sequence[str]]]:
    """Kind, consent and disclosures of the client's notices, in order."""
    rows = await gateway.rows(
        "SELECT * FROM tombstone WHERE client_id = :client AND consent_id IS NOT NULL"
        " ORDER BY occurred_at, xmin::text::bigint, kind DESC",
        client=caller.client_id,
    )
    return [(each["kind"], each["consent_id"], each["disclosure_ids"]) for each in rows]


async def disclose(caller: Caller, uscc: str, *datasets: str) -> str:
    """Query; the disclosure's id."""
    response = await caller.query(uscc, *datasets)
    assert response.status_code == 200, response.text
    return str(response.json()["disclosure_id"])


async def narrow(gateway: GatewayFixture, consent_id: str, **less: Any) -> None:
    """Narrow a consent as the enterprise."""
    async with gateway.runtime.engine.connect() as connection:
        held = await store.by_id(connection, consent_id)
    assert held is not None
    await gateway.act(partial(consent.narrow, scope=replace(held.scope, **less)), consent_id)


async def test_a_withdrawal_names_the_disclosures_under_that_consent_only(
    gateway: GatewayFixture,
) -> None:
    """A grant names none; other clients get no notice."""
    uscc = gateway.uscc("clean")
    bank, other = await gateway.client(), await gateway.client()
    consent_id = await gateway.grant(bank, uscc)
    await gateway.grant(other, uscc)
    first, second = await disclose(bank, uscc, "penalty"), await disclose(bank, uscc, "licence")
    await disclose(other, uscc, "penalty")
    await gateway.act(consent.withdraw, consent_id)
    assert await news_to(gateway, bank) == [
        ("consent_granted", consent_id, []),
        ("consent_withdrawn", consent_id, [first, second]),
    ]
    assert [each[0] for each in await news_to(gateway, other)] == ["consent_granted"]


async def test_a_narrowing_names_the_disclosures_of_the_removed_part(
    gateway: GatewayFixture,
) -> None:
    """Fewer uses or a shorter term affect no disclosure."""
    uscc, bank = gateway.uscc("clean"), await gateway.client()
    consent_id = await gateway.grant(bank, uscc, questions=("legal_representative_name.v1",))
    await disclose(bank, uscc, "registration")
    both = await disclose(bank, uscc, "licence", "penalty")
    one = await disclose(bank, uscc, "penalty")
    await narrow(gateway, consent_id, max_uses=5)
    await narrow(gateway, consent_id, datasets=("registration", "licence"))
    assert await news_to(gateway, bank) == [
        ("consent_granted", consent_id, []),
        ("consent_narrowed", consent_id, []),
        ("consent_narrowed", consent_id, [both, one]),
    ]


async def test_a_separate_consent_taken_back_names_the_disclosures_of_its_dataset(
    gateway: GatewayFixture,
) -> None:
    """The dataset goes on without the field; other datasets are not concerned."""
    uscc, bank = gateway.uscc("clean"), await gateway.client()
    consent_id = await gateway.grant(bank, uscc)
    registration = await disclose(bank, uscc, "registration")
    await disclose(bank, uscc, "licence")
    await narrow(gateway, consent_id, separate_consents=())
    assert await news_to(gateway, bank) == [
        ("consent_granted", consent_id, []),
        ("consent_narrowed", consent_id, [registration]),
    ]


async def test_a_decision_that_is_not_committed_is_no_news(gateway: GatewayFixture) -> None:
    """Consent and notice are one transaction; a lost race writes neither."""
    uscc, bank = gateway.uscc("clean"), await gateway.client()
    consent_id = await gateway.grant(bank, uscc)
    async with gateway.runtime.engine.connect() as connection:
        held = await store.by_id(connection, consent_id)
        assert held is not None
        withdrawn = consent.withdraw(held, person=_person(held), now=gateway.clock())
        assert isinstance(withdrawn, consent.Transition)
        assert await consent_log_writer.save(connection, held, withdrawn)
        assert not await consent_log_writer.save(connection, held, withdrawn)
        await connection.rollback()
    assert [each[0] for each in await news_to(gateway, bank)] == ["consent_granted"]


def _person(held: Consent) -> Person:
    return Person(
        subject="a-person", uscc=held.uscc, channel=Channel.PORTAL, identity_token_digest=b"\x01"
    )


async def test_an_expired_consent_is_notified_once_by_concurrent_workers(
    gateway: GatewayFixture,
) -> None:
    """Once with concurrent workers, dated at its last moment; not for an active one."""
    uscc, bank = gateway.uscc("clean"), await gateway.client()
    over = await gateway.grant(bank, uscc, days=1, granted_days_ago=3)
    await gateway.grant(bank, uscc, purpose="post_loan_management")
    forgotten = await gateway.grant(bank, uscc, purpose="tender", days=1, granted_days_ago=60)
    gone = await gateway.grant(bank, uscc, purpose="supplier_check", days=1, granted_days_ago=3)
    await gateway.act(consent.withdraw, gone)
    await asyncio.gather(*(notify_expired_consents(gateway.runtime) for _ in range(2)))
    await notify_expired_consents(gateway.runtime)
    heard = [each for each in await news_to(gateway, bank) if each[0] == "consent_expired"]
    assert heard == [("consent_expired", over, [])]
    assert forgotten not in [each[1] for each in heard]
    (row,) = await gateway.rows(
        "SELECT t.occurred_at = c.valid_until AS then FROM tombstone t"
        " JOIN consent c USING (uscc, consent_id) WHERE t.kind = 'consent_expired'"
        " AND t.consent_id = :id",
        id=over,
    )
    assert row["then"]


async def test_expired_consents_are_found_by_an_index(gateway: GatewayFixture) -> None:
    """Index scan across all enterprises, as it runs every few minutes."""
    now = gateway.clock()
    values = {"now": now, "since": now - timedelta(days=30), "most": 1000}
    async with gateway.runtime.engine.connect() as connection:
        await connection.execute(
            text("SET LOCAL enable_seqscan = off")
        )  # which pays in a small table
        plan = await connection.execute(text(f"EXPLAIN {withdrawal_notices.EXPIRED}"), values)
        assert "ix_consent_ending" in "\n".join(plan.scalars())


async def test_only_withdrawals_need_an_acknowledgement(
    gateway: GatewayFixture,
) -> None:
    """Required for withdrawn, not for granted and expired."""
    uscc, bank = gateway.uscc("clean"), await gateway.client()
    consent_id = await gateway.grant(bank, uscc)
    await gateway.grant(bank, uscc, purpose="tender", days=1, granted_days_ago=3)
    await notify_expired_consents(gateway.runtime)
    async with gateway.runtime.engine.connect() as connection:
        assert bank.client_id not in {
            each.client_id for each in await withdrawal_notices.count_unacknowledged(connection)
        }
        assert (
            await withdrawal_notices.unacknowledged_notices(connection, bank.client_id, limit=10)
            == []
        )
    await gateway.act(consent.withdraw, consent_id)
    async with gateway.runtime.engine.connect() as connection:
        owed = await withdrawal_notices.unacknowledged_notices(connection, bank.client_id, limit=10)
    assert [each.kind for each in owed] == ["consent_withdrawn"]


async def test_changes_that_give_no_notice() -> None:
    """Pause, resume, the client's own waiver, and replacement by a newer grant."""
    held = make_consent()
    paused = consent.pause(held, person=make_person(), now=NOON)
    given_up = consent.give_up(held, client_id=BANK, now=NOON)
    newer = make_consent(consent_id="cst_newer")
    replaced = consent.supersede(held, newer=newer, person=make_person(), now=NOON)
    for act in (paused, given_up, replaced):
        assert isinstance(act, consent.Transition)
        assert notices_for(held, act) == ()
    resumed = consent.resume(must_succeed(paused), person=make_person(), now=NOON)
    assert isinstance(resumed, consent.Transition)
    assert notices_for(must_succeed(paused), resumed) == ()


async def test_a_change_may_take_one_thing_back_and_give_another() -> None:
    """For an amendment of which a part was granted."""
    held = make_consent(datasets=("registration", "penalty"))
    changed = consent.narrow(
        held, scope=replace(held.scope, datasets=("registration",)), person=make_person(), now=NOON
    )
    assert isinstance(changed, consent.Transition)
    narrower = make_consent(datasets=("registration", "licence"))
    assert notices_for(narrower, changed) == (
        ConsentNotice(kind="consent_narrowed", taken_back=("licence",)),
    )
    wider = make_consent(datasets=("penalty",))
    assert notices_for(wider, changed) == (
        ConsentNotice(kind="consent_narrowed", taken_back=("penalty",)),
        ConsentNotice(kind="consent_granted"),
    )
