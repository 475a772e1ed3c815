"""OpenID provider attacks: forged ID tokens, discovery documents, keys."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import jwt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.identity.identity_provider import (
    Attempt,
    IdentityRefusedError,
    IdentityUnavailableError,
    TooWeakError,
)
from gateway.identity.openid import OpenIdProvider
from gateway.identity.sessions import Identity
from gateway.settings import Settings
from tests.oauth_builders import Key, public_jwk, sign_jwt
from tests.rsa_keys import rsa_key

NOW: Final = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
SECONDS: Final = int(NOW.timestamp())
ATTEMPT: Final = Attempt(state="s", nonce="n" * 64, verifier="v" * 64)
USCC: Final = "91330106MA2CXXXX16"
EC_KEY: Final = ec.generate_private_key(ec.SECP256R1())
RSA_KEY: Final = rsa_key()
STRANGER: Final = ec.generate_private_key(ec.SECP256R1())
RSA_JWK: Final = {
    name: value
    for name, value in json.loads(
        jwt.algorithms.RSAAlgorithm.to_jwk(RSA_KEY.public_key()),
    ).items()
    if name in {"kty", "n", "e"}
}


@dataclass(slots=True, kw_only=True)
class Provider:
    """A provider on a real socket with configurable answers."""

    issuer: str = ""
    says: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Claims of a valid token; a claim of `None` is left out."""
        good = {
            "iss": self.issuer,
            "aud": "portal",
            "sub": "person-1",
            "name": "韦若知",
            "nonce": ATTEMPT.nonce,
            "acr": "high",
            "auth_time": SECONDS - 30,
            "iat": SECONDS,
            "exp": SECONDS + 300,
            "firms": [{"uscc": USCC, "role": "legal_representative"}],
        }
        return {name: value for name, value in {**good, **changed}.items() if value is not None}

    def gives(self, token: str) -> None:
        """Return this ID token from the token endpoint."""
        self.says["/token"] = {"id_token": token, "access_token": "x", "token_type": "Bearer"}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one request."""
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = request.split(" ")[1]
        self.asked.append(path)
        said = self.says.get(path)
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        status = "200 OK" if said is not None else "404 Not Found"
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[Provider]:
    """A correct provider that tests change."""
    made = Provider()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.issuer = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    made.says["/.well-known/openid-configuration"] = {
        "issuer": made.issuer,
        "authorization_endpoint": f"{made.issuer}/authorize",
        "token_endpoint": f"{made.issuer}/token",
        "jwks_uri": f"{made.issuer}/jwks",
    }
    made.says["/jwks"] = {
        "keys": [public_jwk(EC_KEY, kid="k1"), {**RSA_JWK, "kid": "r1", "alg": "RS256"}]
    }
    made.gives(token(made.claims()))
    yield made
    server.close()
    await server.wait_closed()


def token(
    claims: dict[str, Any],
    *,
    key: Key = EC_KEY,
    alg: str = "ES256",
    **header: Any,
) -> str:
    """A signed ID token."""
    return sign_jwt(key, alg, claims, {"kid": "k1"} | header)


def gateway_of(provider: Provider, **changed: Any) -> OpenIdProvider:
    """The gateway's client for the provider."""
    nowhere = Path("/nowhere")
    chosen: dict[str, Any] = {
        "database_url": "postgresql://x@y/z",
        "issuer": "http://127.0.0.1:8000",
        "secret": "s" * 32,
        "signing_keys": nowhere,
        "vault_keys": nowhere,
        "log_checkpoints": "/nowhere",
        "demo": True,
        "identity_issuer": provider.issuer,
        "identity_client_id": "portal",
        "identity_client_secret": "s",
        "identity_claim": "firms",
        "identity_acr": "high higher",
        **changed,
    }
    return OpenIdProvider(Settings.model_validate(chosen))


async def arrive(provider: Provider, *, now: datetime = NOW, **changed: Any) -> Identity:
    """Return with a code; the authenticated person."""
    return await gateway_of(provider, **changed).identity_of({"code": "c"}, ATTEMPT, now=now)


async def test_a_valid_token_authenticates_its_subject(provider: Provider) -> None:
    """Subject and token digest are taken from the provider's token."""
    identity = await arrive(provider)
    assert identity.subject == f"{provider.issuer}#person-1"
    assert identity.mandates == [{"uscc": USCC, "role": "legal_representative"}]
    assert len(identity.token_digest) == 32


def _unsigned(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none", "kid": "k1"}, claims)
    made = [base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts]
    return ".".join([*made, ""])


def _cut(claims: dict[str, Any]) -> str:
    return token(claims).rpartition(".")[0] + "."


def _tampered(claims: dict[str, Any]) -> str:
    head, _, signature = token(claims).split(".")
    other = token({**claims, "sub": "person-2"}).split(".")[1]
    return f"{head}.{other}.{signature}"


def _by_public_key(claims: dict[str, Any]) -> str:
    secret = json.dumps(public_jwk(EC_KEY, kid="k1")) * 2
    return jwt.encode(claims, secret, algorithm="HS256", headers={"kid": "k1"})


FORGERIES: Final[dict[str, Callable[[dict[str, Any]], str]]] = {
    "unsigned": _unsigned,
    "cut off": _cut,
    "tampered with": _tampered,
    "by a stranger's key": lambda claims: token(claims, key=STRANGER),
    "by a key it brings": lambda claims: token(
        claims, key=STRANGER, jwk=public_jwk(STRANGER, kid="k1")
    ),
    "by an address it brings": lambda claims: token(claims, jku="https://evil.example/jwks"),
    "by a secret": _by_public_key,
    "by an unknown key": lambda claims: token(claims, kid="k9"),
    "with an extension": lambda claims: token(claims, crit=["exp"]),
    "of another type": lambda claims: token(claims, typ="logout+jwt"),
    "RS256 unasked": lambda claims: token(claims, key=RSA_KEY, alg="RS256", kid="r1"),
    "no token": lambda _: "no token",
    "empty": lambda _: "",
}


@pytest.mark.parametrize("forged", FORGERIES)
async def test_a_forged_token_proves_nothing(provider: Provider, forged: str) -> None:
    """Refused for any claims."""
    provider.gives(FORGERIES[forged](provider.claims()))
    with pytest.raises(IdentityRefusedError):
        await arrive(provider)


async def test_a_key_for_one_rsa_algorithm_verifies_no_other(provider: Provider) -> None:
    """A key with `alg` RS256 verifies no PS256 token, and RS256 only where the setting allows."""
    provider.gives(token(provider.claims(), key=RSA_KEY, alg="PS256", kid="r1"))
    with pytest.raises(IdentityRefusedError):
        await arrive(provider, identity_rs256=True)
    provider.gives(token(provider.claims(), key=RSA_KEY, alg="RS256", kid="r1"))
    assert (await arrive(provider, identity_rs256=True)).name == "韦若知"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"iss": "https://elsewhere.example"}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"aud": "another"}, "audience"),
        ({"aud": ["portal", "another"], "azp": "portal"}, "audience"),
        ({"aud": []}, "audience"),
        ({"aud": None}, "audience"),
        ({"aud": {"portal": 1}}, "audience"),
        ({"azp": "another"}, "audience"),
        ({"exp": SECONDS - 10}, "in_time"),
        ({"exp": None}, "in_time"),
        ({"exp": True}, "in_time"),
        ({"exp": "never"}, "in_time"),
        ({"iat": SECONDS + 11}, "in_time"),
        ({"iat": SECONDS - 300}, "in_time"),
        ({"iat": None}, "in_time"),
        ({"nbf": SECONDS + 11}, "in_time"),
        ({"nbf": "soon"}, "in_time"),
        ({"nonce": "m" * 64}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"nonce": ["n" * 64]}, "nonce"),
        ({"sub": None}, "subject"),
        ({"sub": ""}, "subject"),
        ({"sub": 7}, "subject"),
        ({"sub": "a\nb"}, "subject"),
        ({"sub": "x" * 256}, "subject"),
        ({"firms": USCC}, "mandates"),
        ({"firms": [USCC]}, "mandates"),
        ({"firms": [{"uscc": USCC}]}, "mandates"),
        ({"firms": [{"uscc": USCC.lower(), "role": "agent"}]}, "mandates"),
        ({"firms": [{"uscc": "%", "role": "agent"}]}, "mandates"),
        ({"firms": [{"uscc": USCC, "role": "<b>"}]}, "mandates"),
    ],
)
async def test_a_claim_that_does_not_fit_refuses_the_token(
    provider: Provider, changed: dict[str, Any], reason: str
) -> None:
    """The log has one reason for each."""
    provider.gives(token(provider.claims(**changed)))
    with pytest.raises(IdentityRefusedError) as refused:
        await arrive(provider)
    assert str(refused.value) == reason
    assert not isinstance(refused.value, TooWeakError)


@pytest.mark.parametrize(
    "changed",
    [
        {"acr": "low"},
        {"acr": None},
        {"acr": "high higher"},
        {"acr": ["high"]},
        {"auth_time": SECONDS - 3611},
        {"auth_time": SECONDS + 11},
        {"auth_time": None},
        {"auth_time": "today"},
    ],
)
async def test_a_weak_or_old_sign_in_has_its_own_page(
    provider: Provider, changed: dict[str, Any]
) -> None:
    """The person is told, since signing in again may help."""
    provider.gives(token(provider.claims(**changed)))
    with pytest.raises(TooWeakError):
        await arrive(provider, identity_max_age=3600)


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": ["portal"]},
        {"azp": "portal"},
        {"iat": SECONDS + 10},
        {"exp": SECONDS - 9},
        {"iat": SECONDS - 299.5},
        {"acr": "higher"},
        {"name": None},
        {"firms": None},
        {"firms": []},
    ],
)
async def test_valid_variants_of_tokens_are_accepted(
    provider: Provider, changed: dict[str, Any]
) -> None:
    """An audience list of one, small clock skew, a missing name or enterprise."""
    provider.gives(token(provider.claims(**changed)))
    assert (await arrive(provider)).name in {"韦若知", "person-1"}


@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": "https://elsewhere.example"},
        {"issuer": None},
        {"token_endpoint": None},
        {"token_endpoint": "ftp://elsewhere.example/token"},
        {"jwks_uri": "http://elsewhere.example/jwks"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"code_challenge_methods_supported": ["plain"]},
        {"code_challenge_methods_supported": "S256"},
    ],
)
async def test_a_discovery_document_that_does_not_fit_stops_sign_in(
    provider: Provider, changed: dict[str, Any]
) -> None:
    """Before any redirect."""
    provider.says["/.well-known/openid-configuration"].update(changed)
    with pytest.raises(IdentityUnavailableError):
        await gateway_of(provider).sign_in_url(ATTEMPT, now=NOW)


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/jwks", "/token"])
@pytest.mark.parametrize("said", [None, b"<html>", b"[]", b"x" * 70_000])
async def test_a_provider_with_malformed_answers_authenticates_no_one(
    provider: Provider, path: str, said: bytes | None
) -> None:
    """An unavailable provider, not a server error."""
    provider.says[path] = said
    with pytest.raises(IdentityUnavailableError):
        await arrive(provider)


async def test_an_address_elsewhere_in_a_private_network_is_not_asked(provider: Provider) -> None:
    """URLs in the discovery document on other hosts are fetched from public addresses only."""
    document = provider.says["/.well-known/openid-configuration"]
    for address in ("https://10.0.0.1/token", "https://169.254.169.254/token"):
        document["token_endpoint"] = address
        with pytest.raises(IdentityUnavailableError):
            await arrive(provider)


async def test_a_new_key_of_the_provider_is_found_and_asked_for_once_a_minute(
    provider: Provider,
) -> None:
    """An unknown `kid` fetches the keys once a minute at most."""
    gateway = gateway_of(provider)
    provider.gives(token(provider.claims(), key=STRANGER, kid="k2"))
    for _ in range(5):
        with pytest.raises(IdentityRefusedError):
            await gateway.identity_of({"code": "c"}, ATTEMPT, now=NOW)
    assert provider.asked.count("/jwks") == 1
    assert provider.asked.count("/.well-known/openid-configuration") == 1
    provider.says["/jwks"]["keys"].append(public_jwk(STRANGER, kid="k2"))
    later = NOW + timedelta(minutes=1)
    assert (await gateway.identity_of({"code": "c"}, ATTEMPT, now=later)).name == "韦若知"


async def test_the_cached_provider_documents_expire_after_an_hour(provider: Provider) -> None:
    """Withdrawn keys expire with the cache."""
    gateway = gateway_of(provider)
    await gateway.identity_of({"code": "c"}, ATTEMPT, now=NOW)
    provider.says["/jwks"] = {"keys": []}
    later = NOW + timedelta(hours=1)
    provider.gives(token(provider.claims(iat=SECONDS + 3600, exp=SECONDS + 3700)))
    with pytest.raises(IdentityRefusedError):
        await gateway.identity_of({"code": "c"}, ATTEMPT, now=later)
