"""OpenID FAPI 2.0 conformance cases that no other test file covers."""

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.oauth_builders import (
    ISSUER,
    Bank,
    OAuthFixture,
    answer_of,
    decide_and_resume,
    interaction_of,
    public_jwk,
    thumbprint_of,
)


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "n" * 64},
        {"nonce": "n" * 384},
        {"nonce": None},
        {"state": "s" * 384},
        {"state": None},
    ],
    ids=["nonce of 64", "long nonce", "no nonce", "long state", "no state"],
)
async def test_nonce_and_state_of_any_length_lead_to_a_token(
    oauth: OAuthFixture, changes: dict[str, str | None]
) -> None:
    """The nonce is ignored; the state comes back unchanged, or not at all if none was sent."""
    bank = await oauth.bank()
    opened = await bank.open(await bank.pushed(**changes))
    answer = answer_of(await decide_and_resume(oauth, interaction_of(opened)))
    assert answer.get("state") == changes.get("state", "st/at é")
    assert (await bank.redeem(answer["code"])).status_code == 200


@pytest.mark.parametrize("pushed", ["inside", None])
async def test_a_state_outside_the_pushed_request_is_not_used(
    oauth: OAuthFixture, pushed: str | None
) -> None:
    """Only the pushed state comes back."""
    bank = await oauth.bank()
    opened = await bank.open(await bank.pushed(state=pushed), state="outside", nonce="outside")
    assert answer_of(await decide_and_resume(oauth, interaction_of(opened))).get("state") == pushed


@pytest.mark.parametrize("how", ["proof", "dpop_jkt"])
@pytest.mark.parametrize("whose", ["the same key", "another key"])
async def test_a_code_is_redeemed_with_the_key_named_at_par_only(
    oauth: OAuthFixture, how: str, whose: str
) -> None:
    """With a proof at PAR or `dpop_jkt` alone; another key gets no token."""
    bank = await oauth.bank()
    jkt = thumbprint_of(public_jwk(bank.proof_key))
    answer = await (bank.push() if how == "proof" else bank.push_unproven(dpop_jkt=jkt))
    opened = await bank.open(answer.json()["request_uri"])
    code = answer_of(await decide_and_resume(oauth, interaction_of(opened)))["code"]
    if whose == "the same key":
        assert (await bank.redeem(code)).status_code == 200
        return
    other = replace(bank, proof_key=ec.generate_private_key(ec.SECP256R1()))
    assert (await other.redeem(code)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({}, 201),
        ({"iat": 8, "nbf": 8}, 201),
        ({"iat": 65, "nbf": 65}, 400),
        ({"aud": f"{ISSUER}/oauth/par"}, 400),
        ({"aud": [f"{ISSUER}/oauth/par"]}, 400),
        ({"aud": [ISSUER]}, 400),
        ({"aud": f"{ISSUER}/oauth/token"}, 400),
        ({"exp": -300}, 400),
        ({"sub": None}, 400),
    ],
    ids=str,
)
async def test_an_assertion_is_judged_at_par_as_at_the_token_endpoint(
    oauth: OAuthFixture, claims: dict[str, Any], status: int
) -> None:
    """The issuer is the audience; clock skew of seconds is accepted, of a minute not."""
    bank = await oauth.bank()
    answer = await _pushed_with(bank, claims)
    assert answer == (status, None if status == 201 else "invalid_client")


async def _pushed_with(bank: Bank, claims: dict[str, Any]) -> tuple[int, str | None]:
    now = int(bank.oauth.clock().timestamp())
    made = {
        name: now + value if name in {"iat", "nbf", "exp"} else value
        for name, value in claims.items()
    }
    answer = await bank.post("/oauth/par", bank.request(), assertion=bank.assertion(**made))
    return answer.status_code, answer.json().get("error")
