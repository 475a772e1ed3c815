"""Consent events as log leaves: recomputed and proved by client and enterprise."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

import consent
from consent import Transition
from consent import store as consents
from gateway.disclosure import consent_log_writer
from gateway.transparency.checkpoints import origin_of
from tests.consent_builders import make_event_of, make_person, make_request
from tests.consent_leaf_checks import (
    SCOPE,
    assert_in_the_log,
    computed_leaves,
    enterprise_record,
    make_eventful_consent,
    person_of,
    record_of,
    stated_leaves,
    wait_for_merged_record,
    without_their_leaf,
)
from tests.gateway_fixture import Caller, GatewayFixture

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHOWN: Final = consent.DisplayedText(text_version="2026.2", language="zh")
UNKNOWN: Final = "cst_" + "a" * 26 + "-1"


@pytest_asyncio.fixture(loop_scope="session")
async def bank(gateway: GatewayFixture) -> AsyncIterator[Caller]:
    """A new bank."""
    yield await gateway.client("bank")


async def test_each_event_is_a_leaf_that_both_records_recompute(
    gateway: GatewayFixture, bank: Caller
) -> None:
    """By the published description; the client's record hides the acting person."""
    consent_id = await make_eventful_consent(gateway, bank)
    theirs = (await record_of(bank, consent_id))["record"]
    own = (await enterprise_record(gateway, consent_id))["record"]
    acts = ["requested", "granted", "paused", "resumed", "amended", "withdrawn"]
    assert [event["xq:act"] for event in own["xq:events"]] == acts
    assert (
        list(computed_leaves(theirs))
        == stated_leaves(theirs)
        == stated_leaves(own)
        == list(computed_leaves(own))
    )
    assert len(set(stated_leaves(own))) == len(acts)
    for shown, hidden in zip(own["xq:events"], theirs["xq:events"], strict=True):
        assert person_of(shown) == shown["xq:leaf"]["xq:personSha256"]
        assert person_of(shown) == hidden["xq:leaf"]["xq:personSha256"]
    salts = ["xq:personSalt" in event["xq:leaf"] for event in theirs["xq:events"]]
    assert salts == [True, False, False, False, False, False]  # what it did itself it may see


async def test_a_receipt_proves_it_to_both(gateway: GatewayFixture, bank: Caller) -> None:
    """In each party's record, and by the log endpoint for the client."""
    consent_id = await make_eventful_consent(gateway, bank)
    made = await wait_for_merged_record(bank, consent_id)
    origin, keys = origin_of(gateway.issuer), gateway.runtime.keys
    names = [f"{consent_id}-{number}" for number in range(1, 7)]
    own = {
        each["disclosure_id"]: each
        for each in (await enterprise_record(gateway, consent_id))["receipts"]
    }
    assert set(own) == set(names)
    by_name = {each["disclosure_id"]: each for each in made["receipts"]}
    for name, leaf in zip(names, stated_leaves(made["record"]), strict=True):
        answer = await bank.send(f"/v1/receipts/{name}", b"", method="GET", scope=SCOPE)
        assert answer.status_code == 200, answer.text
        assert answer.json()["disclosure_id"] == name
        for receipt in (answer.json(), by_name[name], own[name]):
            assert_in_the_log(receipt, leaf, keys, origin)


async def test_another_clients_consent_has_no_receipt(
    gateway: GatewayFixture, bank: Caller
) -> None:
    """The same refusal as for an unknown consent or event."""
    consent_id = await gateway.grant(bank, gateway.uscc("clean"))
    await wait_for_merged_record(bank, consent_id)
    other = await gateway.client("bank")
    mine = await gateway.grant(other, gateway.uscc("clean"))
    await wait_for_merged_record(other, mine)
    names = (f"{consent_id}-1", f"{consent_id}-2", UNKNOWN, f"{mine}-3", f"{mine}-01")
    answers = [
        await other.send(f"/v1/receipts/{name}", b"", method="GET", scope=SCOPE) for name in names
    ]
    assert [each.status_code for each in answers] == [404] * len(names)
    assert len({json.dumps({**each.json(), "request_id": None}) for each in answers}) == 1
    assert len({each.headers["retry-after"] for each in answers}) == 1


async def test_a_receipt_of_an_event_needs_the_scope_of_consents(
    gateway: GatewayFixture, bank: Caller
) -> None:
    """Refused the same for existing and unknown events."""
    consent_id = await gateway.grant(bank, gateway.uscc("clean"))
    for name in (f"{consent_id}-1", UNKNOWN):
        answer = await bank.send(f"/v1/receipts/{name}", b"", method="GET", scope="query verify")
        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
        assert 'scope="consents"' in answer.headers["www-authenticate"]


FORGED: Final = {
    "an act": "UPDATE consent_event SET what = 'resumed' WHERE seq = 2",
    "a person": "UPDATE consent_event SET actor = 'somebody-else' WHERE seq = 2",
    "a token": r"UPDATE consent_event SET identity_token_digest = '\x00' WHERE seq = 2",
    "a dataset": "UPDATE consent_event SET datasets = datasets || '{penalty}' WHERE seq = 2",
    "a term": "UPDATE consent_event SET valid_until = valid_until + '1 day' WHERE seq = 2",
    "more uses": "UPDATE consent_event SET max_uses = 11 WHERE seq = 2",
    "a time": "UPDATE consent_event SET at = at - interval '1 microsecond' WHERE seq = 2",
    "a text": "UPDATE consent_event SET text_version = '2027.1' WHERE seq = 2",
    "a separate consent": "UPDATE consent_event SET separate_consents = '[]' WHERE seq = 2",
    "a way": "UPDATE consent_event SET channel = 'redirect' WHERE seq = 2",
}


@pytest.mark.parametrize("what", FORGED)
async def test_a_changed_event_shows(gateway: GatewayFixture, bank: Caller, what: str) -> None:
    """The leaf in the log no longer fits the changed row."""
    consent_id = await gateway.grant(bank, gateway.uscc("clean"), datasets=("registration",))
    await wait_for_merged_record(bank, consent_id)
    await gateway.rows(f"{FORGED[what]} AND consent_id = :consent", consent=consent_id)
    for made in (await record_of(bank, consent_id), await enterprise_record(gateway, consent_id)):
        first, second = computed_leaves(made["record"])
        receipts = [each["leaf_hash"] for each in made["receipts"]]
        assert [first] == receipts[:1]
        assert second not in receipts
        assert stated_leaves(made["record"]) == receipts


async def test_a_changed_event_with_a_new_leaf_shows_in_the_log(
    gateway: GatewayFixture, bank: Caller
) -> None:
    """A forged leaf beside the event differs from the leaf in the tree."""
    consent_id = await gateway.grant(bank, gateway.uscc("clean"))
    await wait_for_merged_record(bank, consent_id)
    await gateway.rows(
        "UPDATE consent_leaf SET leaf_hash = sha256('x') WHERE leaf_id = :leaf",
        leaf=f"{consent_id}-2",
    )
    made = await record_of(bank, consent_id)
    assert stated_leaves(made["record"])[1] != made["receipts"][1]["leaf_hash"]
    assert list(computed_leaves(made["record"]))[1] == made["receipts"][1]["leaf_hash"]
    await gateway.rows(
        """UPDATE consent_leaf l SET leaf_hash = e.leaf_hash FROM log_entry e
           WHERE e.uscc = l.uscc AND e.disclosure_id = l.leaf_id AND l.leaf_id = :leaf""",
        leaf=f"{consent_id}-2",
    )


async def test_without_its_leaf_an_event_is_not_written(gateway: GatewayFixture) -> None:
    """One transaction: consent, event and leaf are written together or not at all."""
    uscc = gateway.uscc("clean")
    asked = replace(make_request(), uscc=uscc, consent_id="cst_" + "b" * 26)
    begun = Transition(consent=asked, event=make_event_of(asked))
    at = asked.requested_at
    granted = consent.grant(asked, scope=asked.scope, person=make_person(uscc), shown=SHOWN, now=at)
    assert isinstance(granted, Transition)

    async def write(what: Transition) -> None:
        async with gateway.runtime.engine.begin() as connection:
            if what is begun:
                await consent_log_writer.insert(connection, what)
            else:
                await consent_log_writer.save(connection, asked, what)

    for what in (begun, granted):
        leaf, seq = f"{asked.consent_id}-{what.event.seq}", what.event.seq
        in_its_way = "INSERT INTO consent_leaf VALUES (:uscc, :leaf, '', '', '')"
        await gateway.rows(in_its_way, uscc=uscc, leaf=leaf)
        with pytest.raises(IntegrityError):
            await write(what)
        async with gateway.runtime.engine.connect() as connection:
            stands = await consents.by_id(connection, asked.consent_id)
            assert len(await consents.events_of(connection, uscc, asked.consent_id)) == seq - 1
        assert stands == (None if what is begun else asked)
        await gateway.rows("DELETE FROM consent_leaf WHERE leaf_id = :leaf", leaf=leaf)
        await write(what)
    assert not await without_their_leaf(gateway.runtime.engine, [uscc])


async def test_rolled_back_and_refused_acts_leave_no_leaf(
    gateway: GatewayFixture, bank: Caller
) -> None:
    """A rolled back transaction, and the later of two concurrent acts."""
    uscc = gateway.uscc("clean")
    consent_id = await gateway.grant(bank, uscc)
    engine = gateway.runtime.engine
    async with engine.connect() as connection:
        held = await consents.by_id(connection, consent_id)
        assert held is not None
        paused = consent.pause(held, person=make_person(uscc), now=gateway.clock())
        assert isinstance(paused, Transition)
        assert await consent_log_writer.save(connection, held, paused)
        await connection.rollback()
    async with engine.begin() as connection:
        assert await consent_log_writer.save(connection, held, paused)
        assert not await consent_log_writer.save(connection, held, paused)
        [[count]] = await connection.execute(
            text("SELECT count(*) FROM consent_leaf WHERE leaf_id LIKE :of"),
            {"of": f"{consent_id}-%"},
        )
    assert count == 3
    assert not await without_their_leaf(engine, [uscc])


async def test_without_the_salt_the_record_claims_no_leaf(
    gateway: GatewayFixture, bank: Caller
) -> None:
    """Erasing the salts removes the person from the log; tree and receipt stay valid."""
    consent_id = await gateway.grant(bank, gateway.uscc("clean"))
    await wait_for_merged_record(bank, consent_id)
    leaf = f"{consent_id}-2"
    [gone] = await gateway.rows(
        "DELETE FROM consent_leaf WHERE leaf_id = :leaf RETURNING *", leaf=leaf
    )
    made = await record_of(bank, consent_id)
    assert ["xq:leaf" in event for event in made["record"]["xq:events"]] == [True, False]
    assert len(made["receipts"]) == 2
    await gateway.rows(
        "INSERT INTO consent_leaf VALUES (:uscc, :leaf_id, :salt, :person_salt, :leaf_hash)", **gone
    )
