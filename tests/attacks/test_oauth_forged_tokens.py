"""Forged tokens with a known `jti` and claims: introspected as inactive, and revoking nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from tests.oauth_builders import ISSUER, OAuthFixture, claims_of, sign_jwt

THEIRS = ed25519.Ed25519PrivateKey.generate()
Forge = Callable[[OAuthFixture, str], str]


def _another_key(oauth: OAuthFixture, token: str) -> str:
    return sign_jwt(THEIRS, "EdDSA", claims_of(token), _header(oauth))


def _another_kid(oauth: OAuthFixture, token: str) -> str:
    return sign_jwt(THEIRS, "EdDSA", claims_of(token), _header(oauth) | {"kid": "token-of-theirs"})


def _key_of_another_use(oauth: OAuthFixture, token: str) -> str:
    key = oauth.runtime.keys.current("response", oauth.clock())
    return sign_jwt(key.private, "EdDSA", claims_of(token), _header(oauth) | {"kid": key.kid})


def _another_type(oauth: OAuthFixture, token: str) -> str:
    key = oauth.runtime.keys.current("token", oauth.clock())
    return sign_jwt(key.private, "EdDSA", claims_of(token), _header(oauth) | {"typ": "JWT"})


def _wider_claims(oauth: OAuthFixture, token: str) -> str:
    head, _, signature = token.split(".")
    wider = sign_jwt(THEIRS, "EdDSA", claims_of(token) | {"scope": "admin"}, _header(oauth))
    return ".".join((head, wider.split(".")[1], signature))


def _unsigned(_world: OAuthFixture, token: str) -> str:
    return token.rpartition(".")[0] + "."


def _header(oauth: OAuthFixture) -> dict[str, Any]:
    return {"typ": "at+jwt", "kid": oauth.runtime.keys.current("token", oauth.clock()).kid}


FORGERIES: dict[str, Forge] = {
    "another key under our key's name": _another_key,
    "another key": _another_kid,
    "our key for responses": _key_of_another_use,
    "another type": _another_type,
    "wider claims": _wider_claims,
    "no signature": _unsigned,
}


@pytest.mark.parametrize("how", FORGERIES)
async def test_a_forged_token_with_a_known_jti_is_inactive(oauth: OAuthFixture, how: str) -> None:
    """The genuine token stays active."""
    bank = await oauth.bank()
    true = (await bank.token()).json()["access_token"]
    forged = FORGERIES[how](oauth, true)
    assert claims_of(forged)["jti"] == claims_of(true)["jti"]
    assert (await bank.about("introspect", forged)).json() == {"active": False}
    assert (await bank.about("revoke", forged)).status_code == 200
    assert (await bank.about("introspect", true)).json()["active"] is True


async def test_the_true_token_of_another_issuer_is_not_active(oauth: OAuthFixture) -> None:
    """Signed by our key with another issuer or audience."""
    bank = await oauth.bank()
    true = (await bank.token()).json()["access_token"]
    key = oauth.runtime.keys.current("token", oauth.clock())
    for changed in ({"iss": "https://x.test"}, {"aud": "https://x.test"}, {"aud": [ISSUER]}):
        other = sign_jwt(key.private, "EdDSA", claims_of(true) | changed, _header(oauth))
        assert (await bank.about("introspect", other)).json() == {"active": False}
