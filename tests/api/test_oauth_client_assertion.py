"""Client authentication by `private_key_jwt`: claims, algorithms, single use."""

import asyncio
import base64
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from tests.client_builders import set_active
from tests.oauth_builders import (
    ASSERTION_TYPE,
    ISSUER,
    OAuthFixture,
    make_bank,
    public_jwk,
)
from tests.rsa_keys import rsa_key


@pytest.mark.parametrize(
    ("key", "alg"),
    [
        (partial(ec.generate_private_key, ec.SECP256R1()), "ES256"),
        (rsa_key, "PS256"),
        (ed25519.Ed25519PrivateKey.generate, "EdDSA"),
    ],
    ids=["ES256", "PS256", "EdDSA"],
)
async def test_each_accepted_algorithm_authenticates(
    oauth: OAuthFixture, key: Any, alg: str
) -> None:
    """ES256, PS256 and EdDSA with the registered key."""
    bank = await oauth.bank(key=key(), alg=alg)
    assert (await bank.token()).status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"iat": -8},
        {"iat": 8, "nbf": 8},
        {"exp": -8},
        {"exp": 299},
        {"iat": None},
        {"extra": "claim"},
    ],
    ids=str,
)
async def test_a_clock_that_is_a_little_off_passes(
    oauth: OAuthFixture, claims: dict[str, Any]
) -> None:
    """Ten seconds of skew, five minutes of life, no `iat`, further claims."""
    bank = await oauth.bank()
    answer = await bank.token(assertion=bank.assertion(**_at(oauth, claims)))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": -60},
        {"exp": -300},
        {"exp": 360},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"iat": 65},
        {"nbf": 65},
        {"sub": None},
        {"sub": 7},
        {"iss": None},
        {"iss": "another"},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "x" * 257},
        {"jti": "a\0b"},
        {"aud": None},
        {"aud": [ISSUER]},
        {"aud": f"{ISSUER}/"},
        {"aud": f"{ISSUER}/oauth/token"},
        {"aud": f"{ISSUER}/oauth/par"},
        {"aud": "https://elsewhere.test"},
    ],
    ids=str,
)
async def test_an_assertion_with_wrong_claims_fails(
    oauth: OAuthFixture, claims: dict[str, Any]
) -> None:
    """Expired, too long-lived, from the future, another audience or an array of them."""
    bank = await oauth.bank()
    answer = await bank.token(assertion=bank.assertion(**_at(oauth, claims)))
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_client"


@pytest.mark.parametrize(
    "header",
    [
        {"jwk": public_jwk(ec.generate_private_key(ec.SECP256R1()))},
        {"jku": "https://elsewhere.test/keys"},
        {"x5u": "https://elsewhere.test/cert"},
        {"x5c": ["AAAA"]},
        {"crit": ["exp"]},
        {"kid": "no-such-key"},
    ],
    ids=lambda header: next(iter(header)),
)
async def test_a_header_that_brings_its_own_key_fails(oauth: OAuthFixture, header: Any) -> None:
    """Keys come from the registration by `kid`; `jwk`, `jku`, `x5c` and `crit` are refused."""
    bank = await oauth.bank()
    answer = await bank.token(assertion=bank.assertion(header=header))
    assert answer.json()["error"] == "invalid_client"


@pytest.mark.parametrize(
    "typ",
    [
        "JWT",
        "jwt",
        "client-authentication+jwt",
        "Client-Authentication+JWT",
        "application/client-authentication+jwt",
        None,
    ],
)
async def test_a_type_that_says_client_assertion_passes(
    oauth: OAuthFixture, typ: str | None
) -> None:
    """Any case, with or without `application/` (RFC 7515 §4.1.9), or no `typ`."""
    bank = await oauth.bank()
    assert (await bank.token(assertion=bank.assertion(header={"typ": typ}))).status_code == 200


@pytest.mark.parametrize(
    "typ",
    ["dpop+jwt", "at+jwt", "xinqiao-rotation+jwt", "JWS", "JWT ", "text/jwt", "application/"],
)
async def test_another_kind_of_jwt_is_no_client_assertion(oauth: OAuthFixture, typ: str) -> None:
    """The types of other signed statements are refused."""
    bank = await oauth.bank()
    answer = await bank.token(assertion=bank.assertion(header={"typ": typ}))
    assert answer.json()["error"] == "invalid_client"
    assert "typ" in answer.json()["error_description"]


@pytest.mark.parametrize("typ", ["null", "7", "[]", "true", '""'])
async def test_a_type_that_is_no_text_is_refused(oauth: OAuthFixture, typ: str) -> None:
    """A `typ` that is not a string is refused."""
    bank = await oauth.bank()
    header = f'{{"alg": "ES256", "kid": "k1", "typ": {typ}}}'.encode()
    head = base64.urlsafe_b64encode(header).decode().rstrip("=")
    signed = head + "." + bank.assertion().split(".", 1)[1]
    answer = await bank.token(assertion=signed)
    assert answer.json()["error"] == "invalid_client"
    assert "typ" in answer.json()["error_description"]


async def test_rs256_fails_although_the_key_is_the_registered_one(oauth: OAuthFixture) -> None:
    """Only listed algorithms are accepted."""
    bank = await oauth.bank(key=rsa_key(), alg="PS256")
    weak = replace(bank, alg="RS256")
    assert (await weak.token()).json()["error"] == "invalid_client"
    assert (await bank.token()).status_code == 200


@pytest.mark.parametrize("alg", ["none", "None", "HS256"])
async def test_an_unsigned_or_secret_signed_assertion_fails(oauth: OAuthFixture, alg: str) -> None:
    """Neither `none` nor HS256 is accepted."""
    bank = await oauth.bank()
    header, payload, signature = bank.assertion().split(".")
    head = base64.urlsafe_b64encode(b'{"alg":"%s"}' % alg.encode()).decode().rstrip("=")
    for forged in (f"{head}.{payload}.", f"{head}.{payload}.{signature}", f"{header}.{payload}."):
        answer = await bank.token(assertion=forged)
        assert answer.json()["error"] == "invalid_client"


@pytest.mark.parametrize("text", ["x", "a.b", "a.b.c", "....", "é.é.é", "e30.e30.e30", "." * 9_000])
async def test_a_malformed_jwt_fails(oauth: OAuthFixture, text: str) -> None:
    """`invalid_client`, not a server error."""
    bank = await oauth.bank()
    answer = await bank.token(assertion=text)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_client"


async def test_an_unknown_client_and_a_wrong_key_get_the_same_error(oauth: OAuthFixture) -> None:
    """The same error, so that registration cannot be inferred."""
    bank, stranger = await oauth.bank(), make_bank(oauth)
    forger = make_bank(oauth, client_id=bank.client_id)
    answers = [await one.token() for one in (stranger, forger)]
    assert answers[0].status_code == answers[1].status_code == 400
    assert answers[0].content == answers[1].content
    assert answers[0].json()["error"] == "invalid_client"


async def test_client_id_of_another_beside_a_good_assertion_fails(oauth: OAuthFixture) -> None:
    """A `client_id` parameter must equal the assertion's subject."""
    bank, other = await oauth.bank(), await oauth.bank()
    form = {"grant_type": "client_credentials", "client_id": other.client_id}
    assert (await bank.post("/oauth/token", form)).json()["error"] == "invalid_client"
    same = {"grant_type": "client_credentials", "client_id": bank.client_id}
    assert (await bank.post("/oauth/token", same)).status_code == 200


async def test_without_an_assertion_authentication_fails(oauth: OAuthFixture) -> None:
    """Neither a client_id, a secret nor a password authenticates."""
    bank = await oauth.bank()
    for form in (
        {"client_id": bank.client_id},
        {"client_id": bank.client_id, "client_secret": "s"},
        {"client_assertion_type": ASSERTION_TYPE, "client_id": bank.client_id},
        {"client_assertion_type": "saml2", "client_assertion": bank.assertion()},
    ):
        answer = await oauth.http.post(
            "/oauth/token",
            data={"grant_type": "client_credentials", **form},
            headers={"DPoP": await bank.proof("/oauth/token")},
        )
        assert answer.json()["error"] == "invalid_client"


async def test_a_suspended_client_is_refused_from_the_next_request(oauth: OAuthFixture) -> None:
    """From the next request, and until it is resumed."""
    bank = await oauth.bank()
    for active, status in ((True, 200), (False, 400), (True, 200)):
        async with oauth.runtime.engine.begin() as connection:
            await set_active(connection, bank.client_id, active=active)
        answer = await bank.token()
        assert answer.status_code == status
    async with oauth.runtime.engine.begin() as connection:
        await set_active(connection, bank.client_id, active=False)
    assert (await bank.token()).json()["error"] == "invalid_client"


async def test_an_assertion_is_used_once(oauth: OAuthFixture) -> None:
    """At any endpoint."""
    bank = await oauth.bank()
    assertion = bank.assertion()
    assert (await bank.token(assertion=assertion)).status_code == 200
    assert (await bank.token(assertion=assertion)).json()["error"] == "invalid_client"
    answer = await bank.post("/oauth/par", bank.request(), assertion=assertion)
    assert answer.json()["error"] == "invalid_client"


async def test_an_assertion_is_spent_even_when_the_request_is_refused(oauth: OAuthFixture) -> None:
    """The `jti` is committed with the refusal."""
    bank = await oauth.bank()
    assertion = bank.assertion()
    assert (await bank.token(assertion=assertion, scope="admin")).json()["error"] == "invalid_scope"
    assert (await bank.token(assertion=assertion)).json()["error"] == "invalid_client"


async def test_a_used_assertion_is_refused_before_what_it_asks_for_is(oauth: OAuthFixture) -> None:
    """Authentication is checked before the scope, at whichever endpoint it was first used."""
    bank = await oauth.bank()
    assertion = bank.assertion()
    assert (await bank.post("/oauth/par", bank.request(), assertion=assertion)).status_code == 201
    answer = await bank.token(assertion=assertion, scope="admin")
    assert answer.json()["error"] == "invalid_client"


async def test_the_jti_of_one_client_is_free_for_another(oauth: OAuthFixture) -> None:
    """`jti` values are unique for each client."""
    one, other = await oauth.bank(), await oauth.bank()
    for bank in (one, other):
        answer = await bank.token(assertion=bank.assertion(jti="the same"))
        assert answer.status_code == 200


async def test_one_of_fifty_concurrent_uses_of_an_assertion_succeeds(oauth: OAuthFixture) -> None:
    """The primary key of `assertion_jti` admits one."""
    bank = await oauth.bank()
    assertion = bank.assertion()
    answers = await asyncio.gather(*(bank.token(assertion=assertion) for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 49
    kept = await oauth.value(
        "SELECT count(*) FROM access_token WHERE client_id = :client_id", client_id=bank.client_id
    )
    assert kept == 1


def _at(oauth: OAuthFixture, claims: dict[str, Any]) -> dict[str, Any]:
    """JWT times, given in seconds from now."""
    now = int(oauth.clock().timestamp())
    return {
        name: now + value if name in {"exp", "iat", "nbf"} and type(value) is int else value
        for name, value in claims.items()
    }
