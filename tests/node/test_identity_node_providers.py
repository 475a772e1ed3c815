"""node-oidc-provider as OpenID provider and as FAPI 2.0 server, for other tests."""

import re
import secrets
import time
from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.parse import parse_qs, urljoin, urlsplit

import asyncpg
import httpx2
import jwt
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy.engine import make_url

from tests.databases import new_database
from tests.node.programs import Node, Program
from tests.oauth_builders import ASSERTION_TYPE, challenge_of, public_jwk, sign_jwt
from tests.waiting import PATIENCE

REDIRECT_URI: Final = "http://127.0.0.1:9/portal/sign-in/return"
PERSON: Final[dict[str, Any]] = {
    "sub": "person-1",
    "name": "韦若知",
    "acr": "urn:example:acr:high",
    "enterprises": [{"uscc": "91330106MA2CXXXX16", "role": "legal_representative"}],
}
VERIFIER: Final = "v" * 43


@pytest_asyncio.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    """HTTP client that follows no redirects."""
    async with httpx2.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        yield client


async def _signed_in(
    http: httpx2.AsyncClient, issuer: str, fields: dict[str, str]
) -> dict[str, str]:
    """Sign in at the provider; parameters of the redirect back."""
    begun = {
        "client_id": "portal",
        "response_type": "code",
        "redirect_uri": REDIRECT_URI,
        "scope": "openid profile enterprises",
        "state": "s",
        "nonce": "n",
        "acr_values": "urn:example:acr:high",
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
    }
    answer = await http.get(f"{issuer}/auth", params=begun)
    page = urljoin(issuer, answer.headers["location"])
    form = await http.get(page)
    assert re.search('<form method="post">', form.text)
    answer = await http.post(page, data=fields)
    address = urljoin(issuer, answer.headers["location"])
    while not address.startswith(REDIRECT_URI):
        answer = await http.get(address)
        address = urljoin(issuer, answer.headers["location"])
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def _portal(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    return {
        "client_id": "portal",
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "private_key_jwt",
        "id_token_signed_response_alg": "ES256",
        "jwks": {"keys": [public_jwk(key, kid="k1")]},
    }


def _assertion(key: ec.EllipticCurvePrivateKey, client_id: str, issuer: str) -> dict[str, str]:
    now = int(time.time())
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": issuer,
        "iat": now,
        "exp": now + 60,
        "jti": secrets.token_urlsafe(16),
    }
    made = sign_jwt(key, "ES256", claims, {"kid": "k1"})
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": made}


async def test_the_foreign_provider_signs_a_person_in_and_names_the_enterprises(
    node: Node,
    http: httpx2.AsyncClient,
) -> None:
    """Discovery, code flow with PKCE, ID token with `acr` and the enterprises claim."""
    key = ec.generate_private_key(ec.SECP256R1())
    ask = {"clients": [_portal(key)], "accounts": [PERSON]}
    async with Program.running(node, "provider.mjs", ask) as program:
        issuer = (await program.says())["issuer"]
        metadata = (await http.get(f"{issuer}/.well-known/openid-configuration")).json()
        assert metadata["issuer"] == issuer
        assert "enterprises" in metadata["claims_supported"]
        assert metadata["code_challenge_methods_supported"] == ["S256"]
        back = await _signed_in(http, issuer, {"account": PERSON["sub"]})
        assert (back["state"], back["iss"]) == ("s", issuer)
        form = {
            "grant_type": "authorization_code",
            "code": back["code"],
            "code_verifier": VERIFIER,
            "redirect_uri": REDIRECT_URI,
            **_assertion(key, "portal", issuer),
        }
        tokens = (await http.post(metadata["token_endpoint"], data=form)).json()
        keys = jwt.PyJWKSet.from_dict((await http.get(metadata["jwks_uri"])).json())
        signer = keys[jwt.get_unverified_header(tokens["id_token"])["kid"]]
        claims = jwt.decode(tokens["id_token"], signer, ["ES256"], audience="portal", issuer=issuer)
    assert claims["nonce"] == "n"
    assert {name: claims[name] for name in PERSON} == PERSON


async def test_the_foreign_provider_can_be_weaker_than_asked_or_refuse(
    node: Node,
    http: httpx2.AsyncClient,
) -> None:
    """A sign-in without the requested `acr`, and an `access_denied`."""
    key = ec.generate_private_key(ec.SECP256R1())
    ask = {"clients": [_portal(key)], "accounts": [PERSON]}
    async with Program.running(node, "provider.mjs", ask) as program:
        issuer = (await program.says())["issuer"]
        refused = await _signed_in(http, issuer, {"account": "nobody"})
        assert refused["error"] == "access_denied"
        weak = {"account": PERSON["sub"], "acr": "urn:example:acr:low"}
        back = await _signed_in(http, issuer, weak)
        form = {
            "grant_type": "authorization_code",
            "code": back["code"],
            "code_verifier": VERIFIER,
            "redirect_uri": REDIRECT_URI,
            **_assertion(key, "portal", issuer),
        }
        tokens = (await http.post(f"{issuer}/token", data=form)).json()
    claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert claims["acr"] == "urn:example:acr:low"


async def test_the_foreign_provider_wants_pkce(node: Node, http: httpx2.AsyncClient) -> None:
    """A request without a code challenge is refused."""
    key = ec.generate_private_key(ec.SECP256R1())
    async with Program.running(node, "provider.mjs", {"clients": [_portal(key)]}) as program:
        issuer = (await program.says())["issuer"]
        begun = {
            "client_id": "portal",
            "response_type": "code",
            "redirect_uri": REDIRECT_URI,
            "scope": "openid",
        }
        answer = await http.get(f"{issuer}/auth", params=begun)
    assert "error=invalid_request" in answer.headers["location"]


async def test_the_foreign_fapi_server_gives_the_token_that_ours_is_measured_beside(
    node: Node,
    http: httpx2.AsyncClient,
) -> None:
    """private_key_jwt, DPoP with server nonce, and a bound JWT of five minutes."""
    key, proof_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    client = {"client_id": "bank", "scope": "query", "jwks": {"keys": [public_jwk(key, kid="k1")]}}
    async with Program.running(node, "provider-fapi.mjs", {"clients": [client]}) as program:
        issuer = (await program.says())["issuer"]
        metadata = (await http.get(f"{issuer}/.well-known/openid-configuration")).json()
        assert metadata["issuer"] == issuer
        answer = await _token(http, issuer, key, proof_key, nonce=None)
        assert (answer.status_code, answer.json()["error"]) == (400, "use_dpop_nonce")
        nonce = answer.headers["dpop-nonce"]
        answer = await _token(http, issuer, key, proof_key, nonce=nonce)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("DPoP", 300, "query")
    header = jwt.get_unverified_header(body["access_token"])
    assert (header["typ"], header["alg"]) == ("at+jwt", "Ed25519")
    claims = jwt.decode(body["access_token"], options={"verify_signature": False})
    assert claims["cnf"].keys() == {"jkt"}


async def test_the_foreign_fapi_server_keeps_in_postgresql_what_it_has_spent(
    node: Node, http: httpx2.AsyncClient, postgres_url: str
) -> None:
    """Each token leaves an assertion and a proof there; an assertion used twice is refused by them."""
    key, proof_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    client = {"client_id": "bank", "scope": "query", "jwks": {"keys": [public_jwk(key, kid="k1")]}}
    address = make_url(await new_database(postgres_url))
    place = {
        "host": address.query.get("host", address.host),
        "user": address.username,
        "database": address.database,
    }
    ask = {"clients": [client], "postgres": {**place, "connections": 2}}
    async with Program.running(node, "provider-fapi.mjs", ask) as program:
        issuer = (await program.says())["issuer"]
        answer = await _token(http, issuer, key, proof_key, nonce=None)
        nonce, assertion = answer.headers["dpop-nonce"], _assertion(key, "bank", issuer)
        answers = [
            await _token(http, issuer, key, proof_key, nonce=nonce, assertion=assertion)
            for _ in range(2)
        ]
    assert [each.status_code for each in answers] == [200, 401], answers[1].text
    connection = await asyncpg.connect(**place, password=address.password, port=address.port)
    rows = await connection.fetch("SELECT model FROM bench_oidc WHERE expires_at > now()")
    await connection.close()
    assert [row["model"] for row in rows] == ["ReplayDetection"] * 3


async def _token(
    http: httpx2.AsyncClient,
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    proof_key: ec.EllipticCurvePrivateKey,
    *,
    nonce: str | None,
    assertion: dict[str, str] | None = None,
) -> httpx2.Response:
    claims = {
        "htm": "POST",
        "htu": f"{issuer}/token",
        "iat": int(time.time()),
        "jti": secrets.token_urlsafe(16),
        "nonce": nonce,
    }
    header = {"typ": "dpop+jwt", "jwk": public_jwk(proof_key)}
    form = {
        "grant_type": "client_credentials",
        "scope": "query",
        **(assertion or _assertion(key, "bank", issuer)),
    }
    headers = {"DPoP": sign_jwt(proof_key, "ES256", claims, header)}
    return await http.post(f"{issuer}/token", data=form, headers=headers)
