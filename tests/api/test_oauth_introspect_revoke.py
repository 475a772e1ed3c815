"""Introspection (RFC 7662) and revocation (RFC 7009) of a client's own tokens."""

from datetime import timedelta

import pytest

from gateway.clients import registry
from tests.oauth_builders import (
    ISSUER,
    USCC,
    OAuthFixture,
    make_bank,
    public_jwk,
    thumbprint_of,
)

INACTIVE = {"active": False}


async def test_an_own_token_is_introspected_with_its_grant(oauth: OAuthFixture) -> None:
    """RFC 7662: active, client, scope, expiry and key binding."""
    bank = await oauth.bank()
    token = (await bank.token(scope="query")).json()["access_token"]
    answer = await bank.about("introspect", token)
    body = answer.json()
    assert body["active"] is True
    assert (body["client_id"], body["scope"], body["iss"]) == (bank.client_id, "query", ISSUER)
    assert body["token_type"] == "DPoP"
    assert body["cnf"] == {"jkt": thumbprint_of(public_jwk(bank.proof_key))}
    assert body["exp"] > body["iat"]
    assert answer.headers["cache-control"] == "no-store"


async def test_a_consent_bound_token_is_introspected_with_its_consent(oauth: OAuthFixture) -> None:
    """The granted details with consent and enterprise; for the refresh token too."""
    bank = await oauth.bank()
    tokens = (await bank.redeem(await bank.code())).json()
    for name in ("access_token", "refresh_token"):
        body = (await bank.about("introspect", tokens[name])).json()
        assert body["active"] is True
        assert body["authorization_details"] == tokens["authorization_details"]
        assert body["uscc"] == USCC


async def test_another_clients_token_is_not_active(oauth: OAuthFixture) -> None:
    """`active: false`, without further members."""
    bank, other = await oauth.bank(), await oauth.bank()
    tokens = (await bank.redeem(await bank.code())).json()
    for name in ("access_token", "refresh_token"):
        assert (await other.about("introspect", tokens[name])).json() == INACTIVE


@pytest.mark.parametrize("token", ["x", "a.b.c", "e30.e30.e30", "é", "." * 9_000])
async def test_a_malformed_token_is_not_active(oauth: OAuthFixture, token: str) -> None:
    """Malformed tokens are no error (RFC 7662 §2.2)."""
    bank = await oauth.bank()
    answer = await bank.about("introspect", token)
    assert (answer.status_code, answer.json()) == (200, INACTIVE)
    assert (await bank.about("revoke", token)).status_code == 200


async def test_an_expired_token_is_not_active(oauth: OAuthFixture) -> None:
    """After its five minutes."""
    bank = await oauth.bank()
    token = (await bank.token()).json()["access_token"]
    oauth.clock.advance(timedelta(seconds=301))
    assert (await bank.about("introspect", token)).json() == INACTIVE


async def test_a_token_is_not_active_without_an_agreement(oauth: OAuthFixture) -> None:
    """Ending the agreement makes its tokens inactive."""
    bank = await oauth.bank()
    token = (await bank.token()).json()["access_token"]
    async with oauth.runtime.engine.begin() as connection:
        await registry.end_agreement(connection, bank.client_id, now=oauth.clock())
    assert (await bank.about("introspect", token)).json() == INACTIVE


async def test_a_revoked_access_token_is_over_and_the_others_are_not(oauth: OAuthFixture) -> None:
    """RFC 7009: one access token, at once; revoking it again changes nothing."""
    bank = await oauth.bank()
    one, other = [(await bank.token()).json()["access_token"] for _ in range(2)]
    for _ in range(2):
        answer = await bank.about("revoke", one)
        assert (answer.status_code, answer.json()) == (200, {})
    assert (await bank.about("introspect", one)).json() == INACTIVE
    assert (await bank.about("introspect", other)).json()["active"] is True


async def test_a_revoked_refresh_token_takes_its_access_tokens_along(oauth: OAuthFixture) -> None:
    """All tokens of the grant are revoked."""
    bank = await oauth.bank()
    tokens = (await bank.redeem(await bank.code())).json()
    later = (await bank.refresh(tokens["refresh_token"])).json()["access_token"]
    assert (await bank.about("revoke", tokens["refresh_token"])).status_code == 200
    assert (await bank.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
    for token in (later, tokens["access_token"], tokens["refresh_token"]):
        assert (await bank.about("introspect", token)).json() == INACTIVE


async def test_another_clients_token_cannot_be_revoked(oauth: OAuthFixture) -> None:
    """Refused, and the token stays active."""
    bank, other = await oauth.bank(), await oauth.bank()
    tokens = (await bank.redeem(await bank.code())).json()
    for name in ("access_token", "refresh_token"):
        answer = await other.about("revoke", tokens[name])
        assert answer.json()["error"] == "invalid_grant"
        assert (await bank.about("introspect", tokens[name])).json()["active"] is True


@pytest.mark.parametrize("endpoint", ["introspect", "revoke"])
async def test_client_authentication_comes_first(oauth: OAuthFixture, endpoint: str) -> None:
    """Unauthenticated callers are refused first; the token parameter is required."""
    bank, stranger = await oauth.bank(), make_bank(oauth)
    token = (await bank.token()).json()["access_token"]
    assert (await stranger.about(endpoint, token)).json()["error"] == "invalid_client"
    assert (await bank.about(endpoint, "")).json()["error"] == "invalid_request"
