"""DPoP proofs at the authorization server (RFC 9449): required, with nonce, single-use."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.oauth_builders import ISSUER, OAuthFixture, claims_of, public_jwk, sign_jwt

TOKEN = "/oauth/token"


async def test_without_a_proof_there_is_no_token(oauth: OAuthFixture) -> None:
    """Tokens are always bound to a key."""
    bank = await oauth.bank()
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": bank.assertion(),
    }
    answer = await oauth.http.post(TOKEN, data=form)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")
    two = [("DPoP", await bank.proof(TOKEN)), ("DPoP", await bank.proof(TOKEN))]
    answer = await oauth.http.post(TOKEN, data=form, headers=two)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")


async def test_without_a_nonce_the_answer_brings_one_that_passes(oauth: OAuthFixture) -> None:
    """The refusal has a nonce that works with the same assertion."""
    bank = await oauth.bank()
    assertion = bank.assertion()
    refused = await bank.token(assertion=assertion, proof=await bank.proof(TOKEN, nonce=None))
    assert (refused.status_code, refused.json()["error"]) == (400, "use_dpop_nonce")
    nonce = refused.headers["dpop-nonce"]
    again = await bank.token(assertion=assertion, proof=await bank.proof(TOKEN, nonce=nonce))
    assert again.status_code == 200


async def test_the_nonce_of_a_success_is_good_for_the_next_request(oauth: OAuthFixture) -> None:
    """No extra round trip after the first."""
    bank = await oauth.bank()
    nonce = (await bank.token()).headers["dpop-nonce"]
    answer = await bank.token(proof=await bank.proof(TOKEN, nonce=nonce))
    assert answer.status_code == 200


@pytest.mark.parametrize("nonce", ["", "x", "x.y", "é", 7, ["x"]])
async def test_a_made_up_nonce_is_answered_with_a_real_one(oauth: OAuthFixture, nonce: Any) -> None:
    """Nonces are keyed; a foreign one is refused with a valid one."""
    bank = await oauth.bank()
    answer = await bank.token(proof=await bank.proof(TOKEN, nonce=nonce))
    assert answer.json()["error"] == "use_dpop_nonce"
    assert answer.headers["dpop-nonce"]


async def test_an_old_nonce_is_over(oauth: OAuthFixture) -> None:
    """The previous nonce is accepted in its window, older ones are not."""
    bank = await oauth.bank()
    nonce = await oauth.nonce()
    oauth.clock.advance(timedelta(seconds=55))
    assert (await bank.token(proof=await bank.proof(TOKEN, nonce=nonce))).status_code == 200
    oauth.clock.advance(timedelta(seconds=70))
    answer = await bank.token(proof=await bank.proof(TOKEN, nonce=nonce))
    assert answer.json()["error"] == "use_dpop_nonce"


@pytest.mark.parametrize(
    "claims",
    [
        {"htm": "GET"},
        {"htm": "post"},
        {"htm": None},
        {"htu": f"{ISSUER}/oauth/par"},
        {"htu": "https://elsewhere.test/oauth/token"},
        {"htu": "http://credit.test/oauth/token"},
        {"htu": None},
        {"jti": None},
        {"iat": None},
        {"iat": 1_000},
        {"iat": 2**40},
        {"exp": 1_000},
        {"nbf": 2**40},
    ],
    ids=str,
)
async def test_a_proof_of_something_else_fails(oauth: OAuthFixture, claims: dict[str, Any]) -> None:
    """Another method, URL or time."""
    bank = await oauth.bank()
    answer = await bank.token(proof=await bank.proof(TOKEN, **claims))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"typ": None},
        {"jwk": None},
        {"jwk": public_jwk(ec.generate_private_key(ec.SECP256R1()))},
        {"jwk": {"kty": "oct", "k": "c2VjcmV0"}},
        {"jwk": "text"},
        {"crit": ["nonce"]},
    ],
    ids=range(7),
)
async def test_a_proof_with_a_wrong_header_fails(
    oauth: OAuthFixture, header: dict[str, Any]
) -> None:
    """`typ` dpop+jwt, with the public key of the signature."""
    bank = await oauth.bank()
    answer = await bank.token(proof=await bank.proof(TOKEN, header=header))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")


async def test_rs256_proves_nothing(oauth: OAuthFixture) -> None:
    """RS256 is not accepted, whatever the key."""
    bank = await oauth.bank()
    key = rsa.generate_private_key(65_537, 2_048)
    errors = []
    for alg in ("RS256", "PS256"):
        claims = claims_of(await bank.proof(TOKEN))
        proof = sign_jwt(key, alg, claims, {"typ": "dpop+jwt", "jwk": public_jwk(key)})
        errors.append((await bank.token(proof=proof)).json().get("error"))
    assert errors == ["invalid_dpop_proof", None]


@pytest.mark.parametrize(
    "htu",
    [
        "HTTPS://CREDIT.TEST/oauth/token",
        "https://credit.test:443/oauth/token",
        "https://credit.test/oauth/token?x=1#y",
    ],
)
async def test_an_address_may_be_written_in_other_ways(oauth: OAuthFixture, htu: str) -> None:
    """Case of scheme and host, the default port, query and fragment are ignored."""
    bank = await oauth.bank()
    proof = await bank.proof(TOKEN, htu=htu, extra="claim")
    assert (await bank.token(proof=proof)).status_code == 200


async def test_a_proof_passes_once(oauth: OAuthFixture) -> None:
    """A second use is refused although everything else is new."""
    bank = await oauth.bank()
    proof = await bank.proof(TOKEN)
    assert (await bank.token(proof=proof)).status_code == 200
    answer = await bank.token(proof=proof)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")


async def test_a_used_proof_spends_neither_its_assertion_nor_the_clients_quota(
    oauth: OAuthFixture,
) -> None:
    """Proof, assertion and count are checked in one round trip, the proof first."""
    bank = await oauth.bank()
    proof, assertion = await bank.proof(TOKEN), bank.assertion()
    assert (await bank.token(proof=proof)).status_code == 200
    answer = await bank.token(proof=proof, assertion=assertion)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")
    assert (await bank.token(assertion=assertion)).status_code == 200


async def test_a_used_assertion_is_refused_with_a_nonce_for_the_next_proof(
    oauth: OAuthFixture,
) -> None:
    """An authenticated client's refusals bring one, as successes do."""
    bank = await oauth.bank()
    assertion = bank.assertion()
    assert (await bank.token(assertion=assertion)).status_code == 200
    refused = await bank.token(assertion=assertion)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_client")
    proof = await bank.proof(TOKEN, nonce=refused.headers["dpop-nonce"])
    assert (await bank.token(proof=proof)).status_code == 200


async def test_one_of_fifty_concurrent_uses_of_a_proof_succeeds(oauth: OAuthFixture) -> None:
    """The replay store decides atomically."""
    bank = await oauth.bank()
    proof = await bank.proof(TOKEN)
    answers = await asyncio.gather(*(bank.token(proof=proof) for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 49
