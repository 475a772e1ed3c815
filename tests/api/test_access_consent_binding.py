"""Consent-bound tokens: valid for their consent only, and as long as it is active."""

import asyncio

import pytest

import consent
from tests.gateway_fixture import Caller, GatewayFixture, query_body, verification_body
from tests.oauth_builders import claims_of, sign_jwt
from tests.waiting import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="session")

VERIFY = "/v1/verifications"
QUERY = "/v1/queries"


async def send(bank: Caller, path: str, body: dict[str, object], token: str) -> tuple[int, str]:
    """Status and error code of a call."""
    proof = await bank.proof("POST", path, token)
    headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
    answer = await bank.send(path, body, headers=headers)
    return answer.status_code, answer.json().get("code", "")


async def make_bound_token(bank: Caller, uscc: str, consent_id: str) -> str:
    """A token bound to this consent."""
    gateway = bank.gateway
    key = gateway.runtime.keys.current("token", gateway.clock())
    claims = claims_of(await bank.token("query verify")) | {"uscc": uscc, "consent_id": consent_id}
    return sign_jwt(key.private, "EdDSA", claims, {"typ": "at+jwt", "kid": key.kid})


async def test_a_bound_token_ends_with_its_consent_for_public_questions_too(
    gateway: GatewayFixture,
) -> None:
    """Public questions need the client's own token."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    consent_id = await gateway.grant(bank, uscc)
    token = await make_bound_token(bank, uscc, consent_id)
    body = verification_body(uscc, "is_active.v1")
    assert await send(bank, VERIFY, body, token) == (200, "")
    await gateway.act(consent.withdraw, consent_id)
    assert await send(bank, VERIFY, body, token) == (401, "invalid_token")
    assert await send(bank, QUERY, query_body(uscc), token) == (403, "consent_withdrawn")
    assert (await bank.verify(uscc, "is_active.v1")).status_code == 200


async def test_a_bound_token_says_nothing_of_another_enterprise(gateway: GatewayFixture) -> None:
    """Refused although the client has a consent of the other enterprise."""
    bank, uscc, other = await gateway.client(), gateway.uscc("clean"), gateway.uscc("penalised")
    token = await make_bound_token(bank, uscc, await gateway.grant(bank, uscc))
    elsewhere = await gateway.grant(bank, other)
    refused = (403, "not_available")
    assert await send(bank, VERIFY, verification_body(other, "is_active.v1"), token) == refused
    assert await send(bank, QUERY, query_body(other), token) == refused
    assert await send(bank, QUERY, query_body(other, consent_id=elsewhere), token) == refused


async def test_a_bound_token_reads_under_no_other_consent(gateway: GatewayFixture) -> None:
    """Refused for another consent of the same client and enterprise."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    first = await gateway.grant(bank, uscc)
    token = await make_bound_token(bank, uscc, first)
    await gateway.act(consent.withdraw, first)
    second = await gateway.grant(bank, uscc)
    named = query_body(uscc, consent_id=second)
    assert await send(bank, QUERY, named, token) == (403, "not_available")
    assert (await bank.query(uscc, consent_id=second)).status_code == 200


async def test_a_receipt_is_for_the_client_and_not_for_a_token_whose_consent_has_ended(
    gateway: GatewayFixture,
) -> None:
    """Receipts stay available with a client_credentials token, whatever the consent's state."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    consent_id = await gateway.grant(bank, uscc)
    token = await make_bound_token(bank, uscc, consent_id)
    told = (await bank.query(uscc, consent_id=consent_id)).json()
    path = f"/v1/receipts/{told['disclosure_id']}"

    async def receipt(token: str) -> int:
        proof = await bank.proof("GET", path, token)
        headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
        return (await bank.send(path, b"", method="GET", headers=headers)).status_code

    async with asyncio.timeout(PATIENCE):
        while await receipt(token) == 404:  # noqa: ASYNC110  # the sequencer works on its own
            await asyncio.sleep(0.2)
    assert await receipt(token) == 200
    await gateway.act(consent.withdraw, consent_id)
    assert await receipt(token) == 401
    assert await receipt(await bank.token("query verify")) == 200
