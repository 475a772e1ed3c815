"""Races, late codes, floods and numeric bounds at the OAuth endpoints."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.background.housekeeping import delete_expired
from gateway.clients import registry
from gateway.limits.memory_store import MemoryStore
from gateway.limits.model import Admission, Verdict
from gateway.limits.quotas import FEWEST_AT_OAUTH, OAUTH, Quotas
from gateway.limits.store_protocol import LimiterUnavailableError
from tests.oauth_builders import (
    OAuthFixture,
    make_bank,
    make_consent_request,
    some_terms,
)
from verification import NotACode, id_check_character, is_market_entity, parse_uscc

ALIVE = """SELECT count(*) FROM access_token WHERE client_id = :client
           AND code_digest IS NOT NULL AND revoked_at IS NULL"""


@pytest.mark.parametrize("how", ["revoke", "reuse"])
async def test_no_refresh_outruns_the_revocation_of_its_token(
    oauth: OAuthFixture, how: str
) -> None:
    """In any order, the refreshed token is revoked or not issued."""
    for _ in range(6):
        bank = await oauth.bank()
        code = await bank.code()
        token = (await bank.redeem(code)).json()["refresh_token"]
        ending = bank.about("revoke", token) if how == "revoke" else bank.redeem(code)
        refreshes = [bank.refresh(token) for _ in range(8)]
        answers = await asyncio.gather(*refreshes[:4], ending, *refreshes[4:])
        given = [each.json()["access_token"] for each in answers if "access_token" in each.text]
        assert await oauth.value(ALIVE, client=bank.client_id) == 0
        assert (await bank.refresh(token)).json()["error"] == "invalid_grant"
        for late in given:
            assert (await bank.about("introspect", late)).json() == {"active": False}


async def test_a_code_used_again_after_weeks_still_ends_what_it_gave(oauth: OAuthFixture) -> None:
    """Housekeeping keeps a code as long as a token derived from it."""
    bank = await oauth.bank()
    code, unused = await bank.code(), await (await oauth.bank()).code()
    token = (await bank.redeem(code)).json()["refresh_token"]
    oauth.clock.advance(timedelta(days=40))
    await delete_expired(oauth.runtime)
    digests = oauth.runtime.digests
    kept = "SELECT count(*) FROM authorization_code WHERE digest = :digest"
    assert await oauth.value(kept, digest=digests.of("code", unused)) == 0
    assert (await bank.refresh(token)).status_code == 200
    assert (await bank.redeem(code)).json()["error"] == "invalid_grant"
    assert (await bank.refresh(token)).json()["error"] == "invalid_grant"
    oauth.clock.advance(timedelta(days=63))
    await delete_expired(
        oauth.runtime
    )  # the refresh token goes first, its code with it or after it
    await delete_expired(oauth.runtime)
    assert await oauth.value(kept, digest=digests.of("code", code)) == 0


def a_persons_number_that_passes_for_a_code() -> str:
    """A synthetic ID number (district 110101, 1 January 1990) with a fitting GB 32100 check character."""
    for serial in range(1_000):
        first = f"11010119900101{serial:03d}"
        number = first + id_check_character(first)
        code = parse_uscc(number)
        if not isinstance(code, NotACode) and not is_market_entity(code):
            return number
    raise AssertionError("one in thirty-one does")


PERSON = a_persons_number_that_passes_for_a_code()


@pytest.mark.parametrize(
    "details",
    [
        make_consent_request(enterprise={"uscc": PERSON}),
        make_consent_request(enterprise={"uscc": f" {PERSON.lower()} "}),
        make_consent_request(enterprise={"uscc": PERSON[:-1]}),
        make_consent_request(enterprise={"uscc": ""}),
        make_consent_request(enterprise={"uscc": PERSON, "name": "x"}),
        make_consent_request(datasets=[PERSON.lower()]),
        make_consent_request(questions=[PERSON.lower()]),
        make_consent_request(purpose=PERSON),
        make_consent_request() | {PERSON: 1},
    ],
    ids=lambda details: str(details.get("enterprise")),
)
async def test_a_persons_number_is_no_enterprise_and_goes_nowhere(
    oauth: OAuthFixture, details: dict[str, Any]
) -> None:
    """Refused as under /v1; not echoed, logged or stored."""
    bank = await oauth.bank()
    with capture_logs() as logs:
        answer = await bank.push(authorization_details=json.dumps([details]))
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"] == "invalid_authorization_details"
    assert len(logs) == 1
    count = "SELECT count(*) FROM pushed_request WHERE client_id = :client"
    assert await oauth.value(count, client=bank.client_id) == 0
    for shown in (answer.text, str(logs)):
        assert PERSON[:-1] not in shown


async def test_a_client_that_asks_too_often_waits(oauth: OAuthFixture) -> None:
    """429 with Retry-After, counted by endpoint and client; nothing is spent."""
    begun = oauth.clock()  # where it stays for the store, however long the calls take
    guard = MemoryStore(lambda: begun + oauth.clock.ahead)
    oauth = replace(oauth, runtime=replace(oauth.runtime, limiter=guard))
    oauth.app.state.runtime = oauth.runtime
    bank, other = await oauth.bank(), await oauth.bank()
    await _allow(oauth, bank.client_id, per_minute=1)
    code = await bank.code()
    for _ in range(FEWEST_AT_OAUTH):
        assert (await bank.token()).status_code == 200
    with capture_logs() as logs:
        refused = await bank.redeem(code)
    assert (refused.status_code, refused.json()["error"]) == (429, "temporarily_unavailable")
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.headers["ratelimit"].startswith('"oauth";r=0')
    assert [line["reason"] for line in logs] == ["rate limited"]
    assert (await bank.push()).status_code == 201
    assert (await other.token()).status_code == 200
    oauth.clock.advance(timedelta(seconds=2))
    assert (await bank.redeem(code)).status_code == 200


async def test_a_stranger_cannot_use_up_what_is_a_clients(oauth: OAuthFixture) -> None:
    """Failed authentications are not counted for the named client."""
    bank = await oauth.bank()
    await _allow(oauth, bank.client_id, per_minute=1)
    stranger = make_bank(oauth, client_id=bank.client_id)
    for _ in range(FEWEST_AT_OAUTH + 5):
        assert (await stranger.token()).json()["error"] == "invalid_client"
    assert (await bank.token()).status_code == 200


async def test_an_overheard_assertion_does_not_use_up_its_clients_count(
    oauth: OAuthFixture,
) -> None:
    """Replayed assertions are not counted, and no token over the limit is stored."""
    begun = oauth.clock()
    guard = MemoryStore(lambda: begun + oauth.clock.ahead)
    oauth = replace(oauth, runtime=replace(oauth.runtime, limiter=guard))
    oauth.app.state.runtime = oauth.runtime
    bank = await oauth.bank()
    await _allow(oauth, bank.client_id, per_minute=1)
    overheard = bank.assertion()
    assert (await bank.token(assertion=overheard)).status_code == 200
    for _ in range(FEWEST_AT_OAUTH + 5):
        assert (await bank.token(assertion=overheard)).json()["error"] == "invalid_client"
    for _ in range(FEWEST_AT_OAUTH - 1):
        assert (await bank.token()).status_code == 200
    assert (await bank.token()).status_code == 429
    kept = "SELECT count(*) FROM access_token WHERE client_id = :client"
    assert await oauth.value(kept, client=bank.client_id) == FEWEST_AT_OAUTH


class StoreFailingOnClients(MemoryStore):
    """A store that fails between the proof and the client's limit."""

    async def admit(self, admission: Admission) -> Verdict:
        """Admit proofs; fail for a client's limit."""
        if any(counter.name == OAUTH for counter in admission.counters):
            raise LimiterUnavailableError
        return await super().admit(admission)


async def test_no_token_without_a_working_counter(oauth: OAuthFixture) -> None:
    """503, and the code is valid once the store is back."""
    bank = await oauth.bank()
    code = await bank.code()
    guard = StoreFailingOnClients(oauth.clock)
    away = replace(oauth, runtime=replace(oauth.runtime, limiter=guard))
    oauth.app.state.runtime = away.runtime
    refused = await replace(bank, oauth=away).redeem(code)
    assert (refused.status_code, refused.json()["error"]) == (503, "temporarily_unavailable")
    oauth.app.state.runtime = oauth.runtime
    assert (await bank.redeem(code)).status_code == 200


async def _allow(oauth: OAuthFixture, client_id: str, **quotas: int) -> None:
    async with oauth.runtime.engine.begin() as connection:
        terms = some_terms(oauth.clock(), quotas=Quotas(**quotas))
        await registry.put_agreement(connection, client_id, terms)
