"""Consent uses and withdrawals with two worker processes.

`FULL=1`: 500 queries on 100 uses.
"""

import asyncio
import os
import secrets
import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import httpx2
import pytest

import consent
from consent import Channel, DisplayedText, Person, Purpose, Request, store
from consent.ids import RANDOM_BYTES, consent_id_from
from gateway.clients import registry
from gateway.disclosure import consent_log_writer
from gateway.limits.quotas import Quotas
from tests.gateway_fixture import query_body
from tests.oauth_builders import USCC, Bank, digest_of, some_terms
from tests.servers.two_workers import Workers

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASKED, ALLOWED = (500, 100) if os.environ.get("FULL") else (120, 30)
PATH: Final = "/v1/queries"
PERSON: Final = Person(
    subject="person-1", uscc=USCC, channel=Channel.PORTAL, identity_token_digest=b"\x01" * 32
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedCall:
    """A prepared call."""

    bank: Bank
    headers: dict[str, str]
    body: dict[str, Any]

    async def send(self) -> httpx2.Response:
        """Send it."""
        return await self.bank.oauth.http.post(PATH, json=self.body, headers=self.headers)


async def make_bank_in_a_hurry(workers: Workers) -> Bank:
    """A client with large limits."""
    bank = await workers.bank()
    quotas = Quotas(per_minute=10_000, per_enterprise_per_minute=10_000)
    async with bank.oauth.runtime.engine.begin() as connection:
        terms = some_terms(bank.oauth.clock(), quotas=quotas)
        await registry.put_agreement(connection, bank.client_id, terms)
    return bank


async def make_consent(bank: Bank, *, uses: int | None) -> str:
    """Id of a consent with so many uses."""
    now = bank.oauth.clock()
    asked = consent.request(
        Request(
            client_id=bank.client_id,
            uscc=USCC,
            purpose=Purpose.LOAN_APPROVAL,
            datasets=("registration",),
            valid_until=now + timedelta(days=30),
            max_uses=uses,
        ),
        consent_id=consent_id_from(secrets.token_bytes(RANDOM_BYTES)),
        channel=Channel.LINK,
        now=now,
    )
    assert isinstance(asked, consent.Transition)
    granted = consent.grant(
        asked.consent,
        scope=asked.consent.scope,
        person=PERSON,
        shown=DisplayedText(text_version="2026.1", language="zh"),
        now=now,
    )
    assert isinstance(granted, consent.Transition)
    async with bank.oauth.runtime.engine.begin() as connection:
        await consent_log_writer.insert(connection, asked)
        assert await consent_log_writer.save(connection, asked.consent, granted)
    return granted.consent.consent_id


async def ready(
    banks: list[Bank], consent_id: str, *, key: str | None = None
) -> list[PreparedCall]:
    """Prepared calls, each with its own proof."""
    answer = await banks[0].token(scope="query")
    token = str(answer.json()["access_token"])
    made = []
    for bank in banks:
        proof = await bank.proof(PATH, ath=digest_of(token))
        headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
        body = query_body(USCC, "registration", consent_id=consent_id)
        keyed = headers | ({"Idempotency-Key": key} if key else {})
        made.append(PreparedCall(bank=bank, headers=keyed, body=body))
    return made


def at_both(workers: Workers, bank: Bank, count: int) -> list[Bank]:
    """The bank's calls, alternating between the workers."""
    return [replace(bank, oauth=workers.servers[turn % 2]) for turn in range(count)]


async def test_n_allowed_uses_are_n_disclosures(workers: Workers) -> None:
    """The others are refused, and each call is logged."""
    bank = await make_bank_in_a_hurry(workers)
    consent_id = await make_consent(bank, uses=ALLOWED)
    calls = await ready(at_both(workers, bank, ASKED), consent_id)
    answers = await asyncio.gather(*(call.send() for call in calls))
    outcomes = Counter(
        "told" if each.status_code == 200 else each.json()["code"] for each in answers
    )
    assert outcomes == {"told": ALLOWED, "consent_exhausted": ASKED - ALLOWED}
    left = [each.json()["consent"]["uses_left"] for each in answers if each.status_code == 200]
    assert sorted(left) == list(range(ALLOWED))
    logged = "SELECT count(*) FROM disclosure WHERE client_id = :c AND outcome = :o"
    for outcome, rows in (("told", ALLOWED), ("refused", ASKED - ALLOWED)):
        assert await bank.oauth.value(logged, c=bank.client_id, o=outcome) == rows
    uses = "SELECT uses FROM consent WHERE consent_id = :i"
    assert await bank.oauth.value(uses, i=consent_id) == ALLOWED


async def test_a_repeated_call_is_disclosed_once_with_the_same_bytes(
    workers: Workers,
) -> None:
    """A repeated idempotency key spends nothing on either worker."""
    bank = await make_bank_in_a_hurry(workers)
    consent_id = await make_consent(bank, uses=5)
    calls = await ready(at_both(workers, bank, 20), consent_id, key="loan-4711")
    answers = await asyncio.gather(*(call.send() for call in calls))
    assert {each.status_code for each in answers} == {200}
    assert len({each.content for each in answers}) == 1
    uses = "SELECT uses FROM consent WHERE consent_id = :i"
    assert await bank.oauth.value(uses, i=consent_id) == 1


async def test_after_a_withdrawal_nothing_is_disclosed(workers: Workers) -> None:
    """Concurrent queries on both workers; those after the withdrawal are refused."""
    bank = await make_bank_in_a_hurry(workers)
    consent_id = await make_consent(bank, uses=None)
    calls = await ready(at_both(workers, bank, ASKED), consent_id)
    waiting = list(reversed(calls))
    answers = list[tuple[float, httpx2.Response]]()

    enough = asyncio.Event()

    async def teller() -> None:
        while waiting:
            call = waiting.pop()
            began = time.monotonic()
            answers.append((began, await call.send()))
            if len(answers) >= ASKED // 4:
                enough.set()

    async def enterprise() -> float:
        await enough.wait()
        async with bank.oauth.runtime.engine.begin() as connection:
            held = await store.by_id(connection, consent_id)
            assert held is not None
            ended = consent.withdraw(held, person=PERSON, now=bank.oauth.clock())
            assert isinstance(ended, consent.Transition)
            assert await consent_log_writer.save(connection, held, ended)
        return time.monotonic()

    tellers = asyncio.gather(*(teller() for _ in range(8)))
    withdrawn = await enterprise()
    await tellers
    before = Counter(each.status_code for at, each in answers if at < withdrawn)
    after = Counter(each.status_code for at, each in answers if at >= withdrawn)
    assert before[200] > 0
    assert after.keys() == {403}
    assert {each.json()["code"] for at, each in answers if at >= withdrawn} == {"consent_withdrawn"}
