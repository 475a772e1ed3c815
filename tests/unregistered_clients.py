"""Callers without a client's key, for tests that registration cannot be inferred."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from gateway.clients import registry
from gateway.clients.registration import Registration
from gateway.db.engine import to_json
from tests.client_builders import set_active
from tests.oauth_builders import Bank, Key, OAuthFixture, make_bank, public_jwk, some_terms

EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
RSA_KEYS = {bits: rsa.generate_private_key(65_537, bits) for bits in (2_048, 3_072)}
FORGED: Mapping[str, tuple[Key, str]] = {
    "ES256": (ec.generate_private_key(ec.SECP256R1()), "ES256"),
    "EdDSA": (ed25519.Ed25519PrivateKey.generate(), "EdDSA"),
    "PS256 of 2048 bits": (rsa.generate_private_key(65_537, 2_048), "PS256"),
    "PS256 of 3072 bits": (rsa.generate_private_key(65_537, 3_072), "PS256"),
}
"""Unregistered keys, by algorithm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCase:
    """A client that is registered or not."""

    client_id: str

    def forger(self, oauth: OAuthFixture, key: Key, alg: str) -> Bank:
        """A client that signs with its own key in this client's name."""
        return replace(make_bank(oauth), client_id=self.client_id, key=key, alg=alg)


Making = Callable[[OAuthFixture], Awaitable[ClientCase]]


async def _registered(oauth: OAuthFixture, *keys: Key, **changes: Any) -> ClientCase:
    client_id = f"bank-{secrets.token_hex(6)}"
    jwks = {"keys": [public_jwk(key, kid=f"k{n}") for n, key in enumerate(keys, 1)]}
    registration = Registration(
        **{
            "client_id": client_id,
            "kind": "bank",
            "name_zh": f"测试银行 {client_id}",
            "name_en": f"Test Bank {client_id}",
            "scopes": ("verify", "query", "consents"),
            "redirect_uris": ("https://bank.test/callback",),
            "jwks": jwks if keys else None,
            **changes,
        }
    )
    async with oauth.runtime.engine.begin() as connection:
        await registry.register_client(connection, registration, now=oauth.clock())
        await registry.put_agreement(connection, client_id, some_terms(oauth.clock()))
    return ClientCase(client_id=client_id)


async def unknown(_world: OAuthFixture) -> ClientCase:
    """An unknown client id."""
    return ClientCase(client_id=f"bank-{secrets.token_hex(6)}")


async def unknown_before_all(_world: OAuthFixture) -> ClientCase:
    """An unknown client id that sorts before every registered one."""
    return ClientCase(client_id="-")


async def with_another_key(oauth: OAuthFixture) -> ClientCase:
    """A client with one key of each kind."""
    return await _registered(oauth, EC_KEY, ED_KEY, *RSA_KEYS.values())


async def with_one_key(oauth: OAuthFixture) -> ClientCase:
    """A client with one key, of another algorithm or length."""
    return await _registered(oauth, EC_KEY)


async def with_eight_keys(oauth: OAuthFixture) -> ClientCase:
    """A client with the maximal number of keys."""
    return await _registered(oauth, *[ec.generate_private_key(ec.SECP256R1()) for _ in range(8)])


async def suspended(oauth: OAuthFixture) -> ClientCase:
    """A suspended client."""
    made = await with_another_key(oauth)
    async with oauth.runtime.engine.begin() as connection:
        await set_active(connection, made.client_id, active=False)
    return made


async def without_agreement(oauth: OAuthFixture) -> ClientCase:
    """A client whose agreement has ended."""
    made = await with_another_key(oauth)
    async with oauth.runtime.engine.begin() as connection:
        await registry.end_agreement(connection, made.client_id, now=oauth.clock())
    return made


async def without_keys(oauth: OAuthFixture) -> ClientCase:
    """A client that authenticates by certificate."""
    from gateway.clients.authentication_method import Authentication

    by_certificate = Authentication(
        token_endpoint_auth_method="tls_client_auth", tls_client_auth_san_dns="api.bank.test"
    )
    return await _registered(oauth, authentication=by_certificate)


async def with_keys_elsewhere(oauth: OAuthFixture) -> ClientCase:
    """A client with a fetched key set; no fetch is due during a test."""
    uri = "https://keys.bank.test/jwks.json"
    made = await _registered(oauth, jwks_uri=uri)
    now = oauth.clock()
    await oauth.change(
        """INSERT INTO client_key_set
               (client_id, jwks_uri, jwks, fetched_at, fresh_until, tried_at, settled_at)
           VALUES (:client_id, :uri, CAST(:jwks AS jsonb), :now, :later, :later, :later)""",
        client_id=made.client_id,
        uri=uri,
        jwks=to_json({"keys": [public_jwk(EC_KEY, kid="k1")]}),
        now=now,
        later=now + timedelta(hours=1),
    )
    return made


EVERYBODY: Mapping[str, Making] = {
    making.__name__: making
    for making in (
        unknown,
        unknown_before_all,
        with_another_key,
        with_one_key,
        with_eight_keys,
        suspended,
        without_agreement,
        without_keys,
        with_keys_elsewhere,
    )
}
