"""SDK tokens: assertions, DPoP proofs, nonces, shared refresh."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm

from tests.clock import Clock
from tests.rsa_keys import rsa_key
from xinqiao import Client, errors, generate_dpop_key
from xinqiao._core.signatures.jose import SigningKey, dpop_proof
from xinqiao.testing import FakeGateway

USCC = "91330106MA2XXXXXX0"
NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)


def token_requests(fake_gateway: FakeGateway) -> list[httpx2.Request]:
    return [request for request in fake_gateway.requests if request.url.path == "/oauth/token"]


def form_of(request: httpx2.Request) -> dict[str, str]:
    return dict(parse_qsl(request.content.decode()))


def unverified(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def test_the_client_assertion_names_the_issuer_as_one_string_and_lives_a_minute() -> None:
    """`aud`, `exp` and others, as FAPI 2.0 requires."""
    fake_gateway = FakeGateway()
    fake_gateway.client().questions()
    first, second = (form_of(request) for request in token_requests(fake_gateway))
    claims = unverified(first["client_assertion"])
    assert claims["aud"] == fake_gateway.issuer
    assert claims["iss"] == claims["sub"] == "bank"
    assert 0 < claims["exp"] - claims["iat"] <= 60
    assert claims["jti"] != unverified(second["client_assertion"])["jti"]
    header = jwt.get_unverified_header(first["client_assertion"])
    assert (header["alg"], header["kid"]) == ("ES256", "client-1")


def test_a_nonce_that_the_server_asks_for_is_used_once_given() -> None:
    """Two requests for the first token, one for the next; two where the nonce is old."""
    fake_gateway = FakeGateway(clock=(clock := Clock(NOON)).timestamp)
    client = fake_gateway.client()
    client.questions()
    proofs = [unverified(request.headers["dpop"]) for request in token_requests(fake_gateway)]
    assert [proof.get("nonce") is not None for proof in proofs] == [False, True]
    for passed, sent in ((30, 3), (3600, 5)):
        clock.advance(timedelta(seconds=passed))
        fake_gateway.revoke_tokens()
        client.questions()
        assert len(token_requests(fake_gateway)) == sent


def test_a_token_is_used_until_shortly_before_its_end() -> None:
    """Five minutes less thirty seconds."""
    fake_gateway = FakeGateway(clock=(clock := Clock(NOON)).timestamp)
    client = fake_gateway.client()
    for passed, issued in ((0, 1), (269, 1), (2, 2)):
        clock.advance(timedelta(seconds=passed))
        client.questions()
        assert fake_gateway.oauth.issued == issued


def test_each_call_asks_for_its_own_scope_unless_one_is_given() -> None:
    """By the call's endpoint."""
    fake_gateway = FakeGateway()
    client = fake_gateway.client()
    client.questions()
    client.consents()
    assert [form_of(r)["scope"] for r in token_requests(fake_gateway)] == [
        "verify",
        "verify",
        "consents",
    ]
    fake_gateway = FakeGateway()
    client = fake_gateway.client(scope="verify consents")
    client.questions()
    client.consents()
    assert [form_of(r)["scope"] for r in token_requests(fake_gateway)] == ["verify consents"] * 2


def test_many_threads_share_one_token() -> None:
    """One refresh at a time."""
    fake_gateway = FakeGateway()
    client = fake_gateway.client()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: client.questions(), range(48)))
    assert fake_gateway.oauth.issued == 1


def test_many_tasks_share_one_token() -> None:
    """One refresh at a time."""
    fake_gateway = FakeGateway()

    async def ask_many() -> None:
        async with fake_gateway.async_client() as client:
            await asyncio.gather(*(client.questions() for _ in range(48)))

    asyncio.run(ask_many())
    assert fake_gateway.oauth.issued == 1


def test_a_token_that_was_revoked_is_renewed_once() -> None:
    """A second refusal is raised."""
    fake_gateway = FakeGateway()
    client = fake_gateway.client()
    client.questions()
    fake_gateway.revoke_tokens()
    client.questions()
    assert fake_gateway.oauth.issued == 2
    fake_gateway.refuse(401, "invalid_token", times=2)
    with pytest.raises(errors.InvalidToken):
        client.questions()


def test_a_nonce_asked_for_again_and_again_is_an_error() -> None:
    """No endless loop."""
    fake_gateway = FakeGateway()
    client = fake_gateway.client()
    client.questions()
    fake_gateway.refuse(401, "use_dpop_nonce", times=2)
    with pytest.raises(errors.DpopNonceRefused):
        client.questions()


def test_a_client_that_the_server_does_not_know_is_refused() -> None:
    """With another private key than the registered one."""
    with pytest.raises(errors.OAuthError) as caught:
        FakeGateway().client(private_jwks=generate_dpop_key()).questions()
    assert (caught.value.code, caught.value.status) == ("invalid_client", 400)


def test_the_proof_is_bound_to_method_address_and_token() -> None:
    """`htu` without query, `ath` under /v1, public members only in the header."""
    key = SigningKey.of(generate_dpop_key())
    proof = dpop_proof(
        key,
        method="GET",
        uri="https://g.test/v1/consents?status=active#x",
        now=1.9,
        jti="j",
        nonce="n",
        access_token="t",
    )
    claims, header = unverified(proof), jwt.get_unverified_header(proof)
    assert claims == {
        "htm": "GET",
        "htu": "https://g.test/v1/consents",
        "iat": 1,
        "jti": "j",
        "nonce": "n",
        "ath": "47mKTaMaEn1L3m5DAz9muidMqw636xxw7EFAK_YnPdg",
    }
    assert header["typ"] == "dpop+jwt"
    assert set(header["jwk"]) == {"kty", "crv", "x", "y"}


def test_the_thumbprint_is_that_of_rfc_7638() -> None:
    """RFC 7638 §3.1."""
    n = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECP"
        "ebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY"
        "368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0f"
        "M4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )
    key = SigningKey("PS256", None, {"e": "AQAB", "kty": "RSA", "n": n}, None)
    assert key.thumbprint == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


@pytest.mark.parametrize(
    ("jwk", "alg"),
    [
        (OKPAlgorithm.to_jwk(ed25519.Ed25519PrivateKey.generate(), as_dict=True), "EdDSA"),
        (RSAAlgorithm.to_jwk(rsa_key(), as_dict=True), "PS256"),
        (generate_dpop_key(), "ES256"),
    ],
)
def test_the_algorithm_follows_from_the_key(jwk: dict[str, Any], alg: str) -> None:
    """EdDSA, PS256 or ES256."""
    fake_gateway = FakeGateway()
    fake_gateway.oauth.client_jwk = jwk
    fake_gateway.client(private_jwks={"keys": [jwk]}).questions()
    assertion = form_of(token_requests(fake_gateway)[-1])["client_assertion"]
    assert jwt.get_unverified_header(assertion)["alg"] == alg


@pytest.mark.parametrize(
    "jwk",
    [
        {"keys": []},
        {"kty": "oct", "k": "c2VjcmV0LXNlY3JldA", "d": "x"},
        {"kty": "EC", "crv": "P-384", "d": "c2VjcmV0LXNlY3JldA", "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": "P-256", "d": "c2VjcmV0LXNlY3JldA", "x": "AA", "y": "AA"},
        {"kty": "RSA", "d": "c2VjcmV0LXNlY3JldA"},
    ],
)
def test_a_key_that_cannot_be_used_is_refused_without_quoting_it(jwk: dict[str, Any]) -> None:
    """Neither in the error nor in its cause."""
    with pytest.raises(errors.ConfigurationError) as caught:
        FakeGateway().client(private_jwks=jwk)
    assert caught.value.__cause__ is None
    assert "c2VjcmV0LXNlY3JldA" not in repr(caught.value)


@pytest.mark.parametrize(
    ("issuer", "allowed"),
    [
        ("https://gateway.example", True),
        ("https://gateway.example/", True),
        ("http://127.0.0.1:8000", True),
        ("http://localhost:8000", True),
        ("http://[::1]:8000", True),
        ("http://gateway.example", False),
        ("http://127.0.0.1.evil.example", False),
        ("https://gateway.example/path", False),
        ("https://user@gateway.example", False),
        ("gateway.example", False),
        ("ftp://gateway.example", False),
    ],
)
def test_http_is_for_loopback_only(issuer: str, *, allowed: bool) -> None:
    """Tokens are not sent in clear text."""
    options: dict[str, Any] = {"client_id": "bank", "private_jwks": generate_dpop_key()}
    if allowed:
        assert Client(issuer=issuer, **options).issuer == issuer.rstrip("/")
    else:
        with pytest.raises(errors.ConfigurationError):
            Client(issuer=issuer, **options)


class TamperingGateway(FakeGateway):
    """A gateway with a defect in one of its OAuth documents."""

    def __init__(self, path: str, **lies: Any) -> None:
        super().__init__()
        self._path, self._lies = path, lies

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = super().handle_request(request)
        if request.url.path == self._path and response.status_code == 200:
            return httpx2.Response(200, json={**json.loads(response.content), **self._lies})
        return response


@pytest.mark.parametrize(
    ("path", "lies"),
    [
        ("/.well-known/oauth-authorization-server", {"issuer": "https://evil.test"}),
        ("/.well-known/oauth-authorization-server", {"token_endpoint": "https://evil.test/t"}),
        ("/.well-known/oauth-authorization-server", {"jwks_uri": None}),
        ("/.well-known/jwks.json", {"keys": None}),
        ("/.well-known/jwks.json", {"keys": [{"kty": "OKP", "crv": "Ed25519"}]}),
        ("/oauth/token", {"token_type": "Bearer"}),
        ("/oauth/token", {"access_token": None}),
    ],
)
def test_a_server_that_is_not_what_it_should_be_is_refused(path: str, lies: dict[str, Any]) -> None:
    """Another issuer, endpoints elsewhere, no keys, unbound tokens."""
    with pytest.raises(errors.ProtocolError):
        TamperingGateway(path, **lies).client().questions()


def test_secrets_do_not_print() -> None:
    """Keys, tokens and nonces have no repr."""
    fake_gateway = FakeGateway()
    client = fake_gateway.client()
    client.questions()
    token = next(iter(fake_gateway.oauth.tokens))
    texts = [repr(client), repr(client._session), str(client), repr(client._session.settings)]
    for secret in (token, fake_gateway.private_jwk["d"], "PrivateKey"):
        assert not any(secret in text for text in texts)
