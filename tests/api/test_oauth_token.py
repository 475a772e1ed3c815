"""Token endpoint: client_credentials tokens, their claims, and refusals."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest

from gateway.clients import registry
from tests.oauth_builders import (
    ISSUER,
    OAuthFixture,
    claims_of,
    public_jwk,
    some_terms,
    thumbprint_of,
)


async def test_a_client_gets_a_bound_token_for_all_its_scopes(oauth: OAuthFixture) -> None:
    """All registered scopes by default."""
    bank = await oauth.bank()
    answer = await bank.token()
    body = answer.json()
    assert answer.status_code == 200
    assert body["token_type"] == "DPoP"
    assert body["scope"] == "verify query consents"
    assert 0 < body["expires_in"] <= 600
    assert "refresh_token" not in body
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["dpop-nonce"]


async def test_the_token_is_what_the_resource_server_reads(oauth: OAuthFixture) -> None:
    """Issuer, audience, client, scope, key and agreement (RFC 9068)."""
    bank = await oauth.bank()
    text = (await bank.token(scope="query")).json()["access_token"]
    token = oauth.runtime.tokens.verify(text, oauth.clock())
    jkt = thumbprint_of(public_jwk(bank.proof_key))
    assert (token.client_id, token.jkt, token.scopes) == (bank.client_id, jkt, frozenset({"query"}))
    assert (token.agreement_version, token.consent_id, token.uscc) == (1, None, None)
    claims = claims_of(text)
    assert claims["iss"] == claims["aud"] == ISSUER
    assert claims["sub"] == bank.client_id
    assert claims["exp"] - claims["iat"] == 300
    kept = await oauth.value("SELECT client_id FROM access_token WHERE jti = :j", j=token.jti)
    assert kept == bank.client_id


async def test_a_scope_in_another_order_and_twice_is_the_same_scope(oauth: OAuthFixture) -> None:
    """Scopes are a set."""
    bank = await oauth.bank()
    answer = await bank.token(scope="query verify query")
    assert answer.json()["scope"] == "query verify"


@pytest.mark.parametrize(
    "scope",
    [
        "admin",
        "query admin",
        "no-such-scope",
        '"',
        "é",
        "query\tverify",
        "query\nverify",
        "query\u00a0verify",
        "query\u3000verify",
        "query\x1fverify",
        "query  verify",
        " query",
        "query ",
        " ",
    ],
)
async def test_a_scope_beyond_the_clients_is_refused(oauth: OAuthFixture, scope: str) -> None:
    """`invalid_scope`; scopes are separated by one space (RFC 6749 §3.3)."""
    bank = await oauth.bank()
    answer = await bank.token(scope=scope)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_scope"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "implicit"}, "unsupported_grant_type"),
        ({"grant_type": 'é"\\'}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "resource": "https://x.test"}, "invalid_target"),
        ({"grant_type": "client_credentials", "authorization_details": "[]"}, "invalid_request"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "no-such-code"}, "invalid_grant"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "none"}, "invalid_grant"),
    ],
    ids=str,
)
async def test_an_unsupported_or_malformed_grant_is_refused(
    oauth: OAuthFixture, form: dict[str, str], error: str
) -> None:
    """The RFC's error code with a helpful description."""
    bank = await oauth.bank()
    answer = await bank.post("/oauth/token", form)
    assert answer.status_code == 400
    assert answer.json()["error"] == error
    assert answer.json()["error_description"]
    assert answer.headers["cache-control"] == "no-store"


async def test_the_resource_server_may_be_named_and_repeated(oauth: OAuthFixture) -> None:
    """RFC 8707: `resource` may be repeated."""
    bank = await oauth.bank()
    form = {"grant_type": "client_credentials", "resource": [ISSUER, f"{ISSUER}/"]}
    assert (await bank.post("/oauth/token", form)).status_code == 200  # type: ignore[arg-type]


async def test_a_client_without_an_agreement_in_force_gets_nothing(oauth: OAuthFixture) -> None:
    """None, ended, or not yet in force."""
    bank = await oauth.bank()
    async with oauth.runtime.engine.begin() as connection:
        await registry.end_agreement(connection, bank.client_id, now=oauth.clock())
    assert (await bank.token()).json()["error"] == "unauthorized_client"
    assert (await bank.push()).json()["error"] == "unauthorized_client"
    later = some_terms(oauth.clock(), valid_from=oauth.clock() + timedelta(hours=1))
    async with oauth.runtime.engine.begin() as connection:
        await registry.put_agreement(connection, bank.client_id, later)
    assert (await bank.token()).json()["error"] == "unauthorized_client"
    async with oauth.runtime.engine.begin() as connection:
        assert (
            await registry.put_agreement(connection, bank.client_id, some_terms(oauth.clock())) == 3
        )
    text = (await bank.token()).json()["access_token"]
    assert claims_of(text)["agreement_version"] == 3


async def test_a_token_never_outlives_the_agreement(oauth: OAuthFixture) -> None:
    """`exp` is at most the agreement's end."""
    bank = await oauth.bank()
    ends = oauth.clock() + timedelta(seconds=100)
    async with oauth.runtime.engine.begin() as connection:
        await registry.put_agreement(
            connection, bank.client_id, some_terms(oauth.clock(), valid_until=ends)
        )
    text = (await bank.token()).json()["access_token"]
    assert claims_of(text)["exp"] <= ends.timestamp()


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b'{"grant_type": "client_credentials"}', "application/json", 415),
        (b"a=1&a=2", "application/x-www-form-urlencoded", 400),
        (b"grant_type=x&grant_type=x", "application/x-www-form-urlencoded", 400),
        (b"grant_type=&grant_type=x", "application/x-www-form-urlencoded", 400),
        (b"grant_type=%ff", "application/x-www-form-urlencoded", 400),
        (b"grant_type=a%00b", "application/x-www-form-urlencoded", 400),
        (b"grant_type=\xe9", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"p%d=1" % n for n in range(65)), "application/x-www-form-urlencoded", 400),
        (b"grant_type=" + b"x" * 70_000, "application/x-www-form-urlencoded", 413),
        (b"", "application/x-www-form-urlencoded", 400),
    ],
    ids=range(10),
)
@pytest.mark.parametrize("endpoint", ["token", "par", "introspect", "revoke"])
async def test_a_body_that_is_no_decent_form_is_refused(
    oauth: OAuthFixture, endpoint: str, body: bytes, content_type: str, status: int
) -> None:
    """Duplicate parameters, wrong size, encoding or media type."""
    answer = await oauth.http.post(
        f"/oauth/{endpoint}", content=body, headers={"content-type": content_type}
    )
    assert answer.status_code == status
    assert answer.json()["error"] in {"invalid_request", "invalid_client", "invalid_dpop_proof"}


@pytest.mark.parametrize("endpoint", ["token", "par", "introspect", "revoke"])
async def test_parameters_in_the_address_are_refused(oauth: OAuthFixture, endpoint: str) -> None:
    """URLs are logged, so secrets must not be in them."""
    bank = await oauth.bank()
    form = urlencode({"grant_type": "client_credentials", "client_id": bank.client_id})
    answer = await bank.post(f"/oauth/{endpoint}?{form}", {})
    assert answer.json()["error"] == "invalid_request"


@pytest.mark.parametrize("endpoint", ["token", "par", "introspect", "revoke"])
async def test_only_post_is_taken(oauth: OAuthFixture, endpoint: str) -> None:
    """405 for other methods."""
    for verb in ("GET", "PUT", "DELETE", "PATCH"):
        assert (await oauth.http.request(verb, f"/oauth/{endpoint}")).status_code == 405
