"""Authorization code flow: decision, code, tokens, each single-use; refresh and revocation."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.oauth_builders import (
    ASSERTION_TYPE,
    ISSUER,
    REDIRECT_URI,
    USCC,
    OAuthFixture,
    answer_of,
    claims_of,
    decide,
    decide_and_resume,
    interaction_of,
    make_session,
    public_jwk,
    resume,
    thumbprint_of,
)


async def test_the_token_response_has_the_granted_details(oauth: OAuthFixture) -> None:
    """Pushed, decided in part, redeemed; the answer has the granted details."""
    bank = await oauth.bank()
    opened = await bank.open(await bank.pushed())
    back = await decide_and_resume(oauth, interaction_of(opened))
    answer = answer_of(back)
    assert back.status_code == 303
    assert back.headers["location"].startswith(REDIRECT_URI + "&")
    assert (answer["state"], answer["iss"], answer["tenant"]) == ("st/at é", ISSUER, "7")
    body = (await bank.redeem(answer["code"])).json()
    details = body["authorization_details"][0]
    assert body["token_type"] == "DPoP"
    assert body["scope"] == "query verify"
    assert details["enterprise"] == {"uscc": USCC}
    assert details["datasets"] == ["registration"]
    assert details["questions"] == ["is_active.v1"]
    assert details["max_uses"] == 10
    assert details["consent_id"].startswith("cst_")
    token = oauth.runtime.tokens.verify(body["access_token"], oauth.clock())
    assert (token.consent_id, token.uscc) == (details["consent_id"], USCC)
    claims = claims_of(body["access_token"])
    assert claims["sub"] == USCC
    assert claims["authorization_details"] == body["authorization_details"]
    assert "person-1" not in str(claims)


async def test_a_refusal_comes_back_as_access_denied(oauth: OAuthFixture) -> None:
    """With the client's state and our issuer."""
    bank = await oauth.bank()
    opened = await bank.open(await bank.pushed())
    answer = answer_of(await decide_and_resume(oauth, interaction_of(opened), grant=False))
    assert answer["error"] == "access_denied"
    assert (answer["state"], answer["iss"]) == ("st/at é", ISSUER)
    assert "code" not in answer


async def test_without_a_state_none_comes_back(oauth: OAuthFixture) -> None:
    """No state is made up."""
    bank = await oauth.bank()
    opened = await bank.open(await bank.pushed(state=None))
    assert "state" not in answer_of(await decide_and_resume(oauth, interaction_of(opened)))


async def test_a_decided_request_cannot_be_opened_again(oauth: OAuthFixture) -> None:
    """A decision spends the request."""
    bank = await oauth.bank()
    request_uri = await bank.pushed()
    interaction = interaction_of(await bank.open(request_uri))
    cookie = await make_session(oauth)
    await decide(oauth, interaction, cookie)
    assert (await bank.open(request_uri)).status_code == 400
    assert (await resume(oauth, interaction, cookie)).status_code == 303
    assert (await bank.open(request_uri)).status_code == 400


async def test_a_decision_is_handed_over_once_and_to_its_own_browser(oauth: OAuthFixture) -> None:
    """Neither another session nor a second visit gets a code."""
    bank = await oauth.bank()
    interaction = interaction_of(await bank.open(await bank.pushed()))
    cookie = await make_session(oauth)
    assert (await resume(oauth, interaction, cookie)).status_code == 400
    await decide(oauth, interaction, cookie)
    assert (await resume(oauth, interaction, await make_session(oauth))).status_code == 400
    assert (await resume(oauth, interaction, "no-such-session")).status_code == 400
    answers = await asyncio.gather(*(resume(oauth, interaction, cookie) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [303] + [400] * 19


async def test_a_code_is_used_once_and_the_second_use_ends_what_the_first_gave(
    oauth: OAuthFixture,
) -> None:
    """RFC 6749 §4.1.2: access token and refresh token are revoked."""
    bank = await oauth.bank()
    code = await bank.code()
    first = (await bank.redeem(code)).json()
    assert (await bank.about("introspect", first["access_token"])).json()["active"] is True
    second = await bank.redeem(code)
    assert (second.status_code, second.json()["error"]) == (400, "invalid_grant")
    for token in (first["access_token"], first["refresh_token"]):
        assert (await bank.about("introspect", token)).json() == {"active": False}
    assert (await bank.refresh(first["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_reused_code_also_ends_what_was_refreshed(oauth: OAuthFixture) -> None:
    """Tokens from the refresh token are revoked with the code."""
    bank = await oauth.bank()
    code = await bank.code()
    first = (await bank.redeem(code)).json()
    later = (await bank.refresh(first["refresh_token"])).json()["access_token"]
    await bank.redeem(code)
    assert (await bank.about("introspect", later)).json() == {"active": False}


async def test_one_of_fifty_concurrent_redemptions_succeeds(oauth: OAuthFixture) -> None:
    """Redemption is one atomic statement; the other 49 revoke what the first received."""
    bank = await oauth.bank()
    code = await bank.code()
    answers = await asyncio.gather(*(bank.redeem(code) for _ in range(50)))
    good = [answer for answer in answers if answer.status_code == 200]
    bad = {answer.json()["error"] for answer in answers if answer.status_code != 200}
    assert len(good) == 1
    assert bad == {"invalid_grant"}
    token = good[0].json()["access_token"]
    assert (await bank.about("introspect", token)).json() == {"active": False}


async def test_a_code_is_refused_from_another_client(oauth: OAuthFixture) -> None:
    """It gets no token and does not spend the code."""
    bank, thief = await oauth.bank(), await oauth.bank()
    code = await bank.code()
    assert (await thief.redeem(code)).json()["error"] == "invalid_grant"
    assert (await bank.redeem(code)).status_code == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_request"),
        ({"code_verifier": "short"}, "invalid_request"),
        ({"redirect_uri": "https://bank.test/other"}, "invalid_grant"),
        ({"redirect_uri": ""}, "invalid_grant"),
    ],
    ids=str,
)
async def test_a_code_is_bound_to_verifier_and_redirect(
    oauth: OAuthFixture, form: dict[str, str], error: str
) -> None:
    """A wrong or missing verifier or redirect_uri gets no token, and spends the code."""
    bank = await oauth.bank()
    code = await bank.code()
    assert (await bank.redeem(code, form=form)).json()["error"] == error
    assert (await bank.redeem(code)).json()["error"] == "invalid_grant"


async def test_a_code_is_bound_to_the_key_that_was_proven_at_par(oauth: OAuthFixture) -> None:
    """Another key of the same client gets no token."""
    bank = await oauth.bank()
    other = replace(bank, proof_key=ec.generate_private_key(ec.SECP256R1()))
    assert (await other.redeem(await bank.code())).json()["error"] == "invalid_grant"


async def test_a_code_lives_for_a_minute(oauth: OAuthFixture) -> None:
    """After sixty seconds it is expired, unused."""
    bank = await oauth.bank()
    code = await bank.code()
    oauth.clock.advance(timedelta(seconds=61))
    assert (await bank.redeem(code)).json()["error"] == "invalid_grant"


async def test_a_code_dies_with_its_consent(oauth: OAuthFixture) -> None:
    """A withdrawal between decision and redemption."""
    bank = await oauth.bank()
    code = await bank.code()
    await _set_consent(oauth, bank.client_id, "withdrawn")
    assert (await bank.redeem(code)).json()["error"] == "invalid_grant"


async def test_a_refresh_token_is_used_again_and_again(oauth: OAuthFixture) -> None:
    """No rotation; each use gives a new access token with the granted details."""
    bank = await oauth.bank()
    first = (await bank.redeem(await bank.code())).json()
    tokens = {first["access_token"]}
    for _ in range(3):
        answer = await bank.refresh(first["refresh_token"])
        body = answer.json()
        assert answer.status_code == 200
        assert "refresh_token" not in body
        assert body["authorization_details"] == first["authorization_details"]
        assert body["scope"] == first["scope"]
        tokens.add(body["access_token"])
    assert len(tokens) == 4


async def test_a_refresh_may_narrow_the_scope_and_never_widen_it(oauth: OAuthFixture) -> None:
    """The granted scope is the maximum, even if the client may have more."""
    bank = await oauth.bank()
    first = (await bank.redeem(await bank.code())).json()
    narrow = await bank.refresh(first["refresh_token"], form={"scope": "query"})
    assert narrow.json()["scope"] == "query"
    wide = await bank.refresh(first["refresh_token"], form={"scope": "query consents"})
    assert wide.json()["error"] == "invalid_scope"


async def test_a_scope_that_the_client_has_lost_is_not_refreshed(oauth: OAuthFixture) -> None:
    """Scopes removed by the operator are removed from existing grants."""
    bank = await oauth.bank()
    first = (await bank.redeem(await bank.code())).json()
    await oauth.change(
        "UPDATE client SET scopes = ARRAY['query'] WHERE client_id = :c", c=bank.client_id
    )
    assert (await bank.refresh(first["refresh_token"])).json()["scope"] == "query"


async def test_a_client_with_a_new_proof_key_keeps_its_consents(oauth: OAuthFixture) -> None:
    """RFC 9449 §5: the refresh token is bound to the client; the new token to the new key."""
    bank = await oauth.bank()
    code = await bank.code()
    first = (await bank.redeem(code)).json()
    changed = replace(bank, proof_key=ec.generate_private_key(ec.SECP256R1()))
    second = (await changed.refresh(first["refresh_token"])).json()
    for token, key in ((first, bank.proof_key), (second, changed.proof_key)):
        bound = claims_of(token["access_token"])["cnf"]
        assert bound == {"jkt": thumbprint_of(public_jwk(key))}
    assert second["authorization_details"] == first["authorization_details"]
    told = (await bank.about("introspect", first["refresh_token"])).json()
    assert told["active"] is True
    assert "cnf" not in told
    assert (await bank.refresh(first["refresh_token"])).status_code == 200
    await bank.redeem(code)  # a second use ends what came of either key
    for token in (first["access_token"], second["access_token"], first["refresh_token"]):
        assert (await bank.about("introspect", token)).json() == {"active": False}


async def test_a_refresh_token_is_of_no_use_without_its_clients_authentication(
    oauth: OAuthFixture,
) -> None:
    """The refresh token and the DPoP key alone do not authenticate the client."""
    bank, thief = await oauth.bank(), await oauth.bank()
    token = (await bank.redeem(await bank.code())).json()["refresh_token"]
    with_its_key = replace(thief, proof_key=bank.proof_key)
    assert (await with_its_key.refresh(token)).json()["error"] == "invalid_grant"
    forger = replace(bank, key=thief.key)
    assert (await forger.refresh(token)).json()["error"] == "invalid_client"
    unproven = await oauth.http.post(
        "/oauth/token",
        data={
            "grant_type": "refresh_token",
            "refresh_token": token,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": bank.assertion(),
        },
    )
    assert unproven.json()["error"] == "invalid_dpop_proof"
    assert (await bank.refresh(token)).status_code == 200


@pytest.mark.parametrize("status", ["withdrawn", "superseded", "expired", "exhausted"])
async def test_tokens_die_at_once_with_the_consent(oauth: OAuthFixture, status: str) -> None:
    """No refresh and no active token after its end."""
    bank = await oauth.bank()
    first = (await bank.redeem(await bank.code())).json()
    await _set_consent(oauth, bank.client_id, status)
    assert (await bank.refresh(first["refresh_token"])).json()["error"] == "invalid_grant"
    for token in (first["access_token"], first["refresh_token"]):
        assert (await bank.about("introspect", token)).json() == {"active": False}


async def test_a_paused_consent_leaves_the_refresh_token_alive(oauth: OAuthFixture) -> None:
    """Calls are refused while it is paused; resuming needs no new request."""
    bank = await oauth.bank()
    first = (await bank.redeem(await bank.code())).json()
    await _set_consent(oauth, bank.client_id, "paused")
    assert (await bank.refresh(first["refresh_token"])).status_code == 200


async def test_no_usable_credential_is_stored(oauth: OAuthFixture) -> None:
    """The database holds digests of codes, refresh tokens and request URIs."""
    bank = await oauth.bank()
    opened = await bank.open(await bank.pushed())
    code = answer_of(await decide_and_resume(oauth, interaction_of(opened)))["code"]
    tokens = (await bank.redeem(code)).json()
    for table in ("authorization_code", "refresh_token", "access_token", "pushed_request"):
        rows = await oauth.value(f"SELECT coalesce(json_agg(t), '[]')::text FROM {table} t")  # noqa: S608
        for secret in (code, tokens["refresh_token"], tokens["access_token"]):
            assert secret not in rows


async def test_the_redirect_keeps_the_registered_address_whole(oauth: OAuthFixture) -> None:
    """Host, path and the registered query are unchanged."""
    bank = await oauth.bank()
    opened = await bank.open(await bank.pushed())
    back = await decide_and_resume(oauth, interaction_of(opened))
    registered, target = urlsplit(REDIRECT_URI), urlsplit(back.headers["location"])
    assert (target.scheme, target.netloc, target.path) == registered[:3]
    assert back.headers["referrer-policy"] == "no-referrer"


async def _set_consent(oauth: OAuthFixture, client_id: str, status: str) -> None:
    await oauth.change("UPDATE consent SET status = :s WHERE client_id = :c", s=status, c=client_id)
