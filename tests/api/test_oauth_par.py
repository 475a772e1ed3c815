"""PAR endpoint (RFC 9126): validation and refusals."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.oauth_builders import (
    ISSUER,
    REDIRECT_URI,
    USCC,
    OAuthFixture,
    interaction_of,
    make_bank,
    make_consent_request,
    public_jwk,
    thumbprint_of,
)


async def test_a_pushed_request_is_kept_for_ninety_seconds(oauth: OAuthFixture) -> None:
    """201 with a random `request_uri` and its lifetime."""
    bank = await oauth.bank()
    answer = await bank.push()
    body = answer.json()
    assert answer.status_code == 201
    assert body["expires_in"] == 90
    assert body["request_uri"].startswith("urn:ietf:params:oauth:request_uri:")
    assert len(body["request_uri"]) >= len("urn:ietf:params:oauth:request_uri:") + 22
    assert answer.headers["cache-control"] == "no-store"
    assert (await bank.open(body["request_uri"])).status_code == 303


async def test_a_request_needs_no_proof_no_state_and_no_scope(oauth: OAuthFixture) -> None:
    """Optional parameters may be missing; unknown ones are ignored."""
    bank = await oauth.bank()
    answer = await bank.push_unproven(state=None)
    assert answer.status_code == 201
    assert "dpop-nonce" not in answer.headers
    for more in ({"scope": "query"}, {"nonce": "n" * 1_000}, {"prompt": "consent"}, {"x": "y"}):
        assert (await bank.push(**more)).status_code == 201
    assert (await bank.push(state="s" * 1_000)).status_code == 201


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": "v" * 44}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"redirect_uri": "https://evil.test/callback"}, "invalid_request"),
        ({"redirect_uri": REDIRECT_URI + "&x=1"}, "invalid_request"),
        ({"redirect_uri": REDIRECT_URI.upper()}, "invalid_request"),
        ({"redirect_uri": REDIRECT_URI.replace("https", "http")}, "invalid_request"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
        ({"request": "e30.e30."}, "request_not_supported"),
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": "admin"}, "invalid_scope"),
        ({"state": "s" * 5_000}, "invalid_request"),
        ({"dpop_jkt": "short"}, "invalid_request"),
        ({"dpop_jkt": "A" * 43}, "invalid_dpop_proof"),
        ({"authorization_details": None}, "invalid_request"),
        ({"resource": "https://elsewhere.test"}, "invalid_target"),
        ({"client_id": "another"}, "invalid_client"),
    ],
    ids=str,
)
async def test_a_request_that_is_not_in_order_is_refused(
    oauth: OAuthFixture, change: dict[str, str | None], error: str
) -> None:
    """An OAuth error at PAR, not in the browser."""
    bank = await oauth.bank()
    answer = await bank.push(**change)
    assert answer.status_code == 400
    assert answer.json()["error"] == error
    assert answer.json()["error_description"]


async def test_a_push_without_authentication_fails(oauth: OAuthFixture) -> None:
    """A client_id alone does not authenticate."""
    bank = await oauth.bank()
    form = bank.request(client_id=bank.client_id)
    answer = await oauth.http.post("/oauth/par", data=form)
    assert answer.json()["error"] == "invalid_client"


@pytest.mark.parametrize(
    "details",
    [
        "x",
        "{}",
        "[]",
        "[1]",
        "null",
        '[{"type":"credit_data"}]',
        "[" * 20_000,
        json.dumps([make_consent_request(), make_consent_request()]),
        json.dumps([make_consent_request(type="account_information")]),
        json.dumps([make_consent_request(type=None)]),
        json.dumps([make_consent_request(extra=1)]),
        json.dumps([make_consent_request(enterprise={"uscc": "91330106MA2CXXXX16", "name": "x"})]),
        json.dumps([make_consent_request(enterprise={"uscc": "933840198503150011"})]),
        json.dumps([make_consent_request(enterprise="91330106MA2CXXXX16")]),
        json.dumps([make_consent_request(purpose=None)]),
        json.dumps([make_consent_request(purpose="marketing")]),
        json.dumps([make_consent_request(datasets=None, questions=None)]),
        json.dumps([make_consent_request(datasets=[], questions=[])]),
        json.dumps([make_consent_request(datasets=["no_such"])]),
        json.dumps([make_consent_request(datasets=["\u0000"])]),
        json.dumps([make_consent_request(datasets="registration")]),
        json.dumps([make_consent_request(datasets=["registration"] * 65)]),
        json.dumps([make_consent_request(questions=["no_such.v1"])]),
        json.dumps([make_consent_request(valid_until="tomorrow")]),
        json.dumps([make_consent_request(valid_until="2099-01-01")]),
        json.dumps([make_consent_request(valid_until="2030-01-01T00:00:00")]),
        json.dumps([make_consent_request(valid_until="9999-12-31T23:59:59-23:59")]),
        json.dumps([make_consent_request(valid_until="0001-01-01T00:00:00+23:59")]),
        json.dumps([make_consent_request(valid_until=4_000_000_000)]),
        json.dumps([make_consent_request(valid_until="2020-01-01T00:00:00Z")]),
        json.dumps(
            [
                make_consent_request(
                    valid_until=(datetime.now(UTC) + timedelta(days=740)).isoformat()
                )
            ]
        ),
        json.dumps([make_consent_request(max_uses=0)]),
        json.dumps([make_consent_request(max_uses=100_001)]),
        json.dumps([make_consent_request(max_uses="10")]),
        json.dumps([make_consent_request(max_uses=1.5)]),
        json.dumps([make_consent_request(max_uses=True)]),
    ],
    ids=range(36),
)
async def test_details_that_are_not_exactly_right_are_refused(
    oauth: OAuthFixture, details: str
) -> None:
    """Unknown, malformed or out of bounds: `invalid_authorization_details`."""
    bank = await oauth.bank()
    answer = await bank.push(authorization_details=details)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_authorization_details"


@pytest.mark.parametrize("uscc", ["91330106MA2CXXXX17", "933840198503010828"])
async def test_a_code_needs_to_be_well_formed_only(oauth: OAuthFixture, uscc: str) -> None:
    """A wrong check character, or a right one on a code that could be read as an ID number."""
    bank = await oauth.bank()
    details = json.dumps([make_consent_request(enterprise={"uscc": uscc})])
    assert (await bank.push(authorization_details=details)).status_code == 201


async def test_the_error_names_the_wrong_member_only(oauth: OAuthFixture) -> None:
    """The wrong member, without the name of the dataset or question."""
    bank = await oauth.bank()
    answer = await bank.push(authorization_details=json.dumps([make_consent_request(max_uses=0)]))
    told = answer.json()["error_description"]
    assert "Mend: [0].max_uses: give 1 or more." in told
    assert "the list" not in told


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"purpose": "tender"}, "purpose tender"),
        ({"datasets": ["registration", "honour"]}, "dataset honour"),
        ({"questions": ["not_abnormal.v1"]}, "question not_abnormal.v1"),
    ],
)
async def test_more_than_the_agreement_allows_is_refused_here(
    oauth: OAuthFixture, change: dict[str, Any], named: str
) -> None:
    """The description names what the agreement does not cover."""
    bank = await oauth.bank()
    answer = await bank.push(authorization_details=json.dumps([make_consent_request(**change)]))
    assert answer.json()["error"] == "invalid_authorization_details"
    assert named in answer.json()["error_description"]


async def test_a_term_beyond_the_agreements_end_is_refused(oauth: OAuthFixture) -> None:
    """Refused; the default term ends with the agreement at the latest."""
    bank = await oauth.bank()
    beyond = (oauth.clock() + timedelta(days=366)).isoformat()
    answer = await bank.push(
        authorization_details=json.dumps([make_consent_request(valid_until=beyond)])
    )
    assert answer.json()["error"] == "invalid_authorization_details"
    assert "agreement ends on" in answer.json()["error_description"]


@pytest.mark.parametrize(
    "change",
    [
        {"enterprise": None},
        {"datasets": None},
        {"questions": None},
        {"max_uses": None},
        {"valid_until": None},
        {"max_uses": 100_000},
        {"enterprise": {"uscc": "91330106ma2cxxxx16"}},
        {"datasets": ["registration", "registration"]},
    ],
    ids=str,
)
async def test_optional_members_may_be_missing(oauth: OAuthFixture, change: dict[str, Any]) -> None:
    """Without an enterprise the person chooses one; the term has a default."""
    bank = await oauth.bank()
    details = json.dumps([make_consent_request(**change)])
    answer = await bank.push(authorization_details=details)
    assert answer.status_code == 201, answer.text


async def test_the_answer_is_the_same_for_every_enterprise(oauth: OAuthFixture) -> None:
    """Unknown enterprises, and ones with a cool-down, look like any other."""
    bank = await oauth.bank()
    assert await bank.code(grant=False) == "access_denied"
    for uscc in ("91330106MA2CXXXX16", "91330106MA2CXXXX29"):
        details = json.dumps([make_consent_request(enterprise={"uscc": uscc})])
        answer = await bank.push(authorization_details=details)
        assert answer.status_code == 201
        assert answer.json().keys() == {"request_uri", "expires_in"}


async def test_a_proof_at_par_is_checked_like_any_other(oauth: OAuthFixture) -> None:
    """A replayed proof, a wrong URL, a missing nonce."""
    bank = await oauth.bank()
    proof = await bank.proof("/oauth/par")
    assert (await bank.post("/oauth/par", bank.request(), proof=proof)).status_code == 201
    for bad, error in (
        (proof, "invalid_dpop_proof"),
        (await bank.proof("/oauth/token"), "invalid_dpop_proof"),
        (await bank.proof("/oauth/par", nonce=None), "use_dpop_nonce"),
    ):
        answer = await bank.post("/oauth/par", bank.request(), proof=bad)
        assert answer.json()["error"] == error


@pytest.mark.parametrize("how", ["proof", "dpop_jkt", "both"])
async def test_a_code_is_bound_to_the_key_named_at_par(oauth: OAuthFixture, how: str) -> None:
    """By `dpop_jkt`, a proof, or both; another key gets no token."""
    bank = await oauth.bank()
    jkt = thumbprint_of(public_jwk(bank.proof_key))
    push = bank.push_unproven if how == "dpop_jkt" else bank.push
    pushed = await push(dpop_jkt=None if how == "proof" else jkt)
    kept = await oauth.value(
        "SELECT dpop_jkt FROM pushed_request WHERE client_id = :c", c=bank.client_id
    )
    assert pushed.status_code == 201
    assert kept == jkt


async def test_opening_a_request_does_not_spend_it(oauth: OAuthFixture) -> None:
    """Reloading the page is possible until the decision."""
    bank = await oauth.bank()
    request_uri = await bank.pushed()
    first, second = [interaction_of(await bank.open(request_uri)) for _ in range(2)]
    assert first != second


async def test_parameters_beside_the_request_uri_are_ignored(oauth: OAuthFixture) -> None:
    """Only the pushed parameters count (RFC 9126 §4)."""
    bank = await oauth.bank()
    opened = await bank.open(
        await bank.pushed(), redirect_uri="https://evil.test", scope="admin", state="x", request="y"
    )
    assert opened.status_code == 303
    assert opened.headers["location"].startswith(f"{ISSUER}/portal/decide/")


async def test_a_request_that_has_expired_gets_a_page_and_no_redirect(oauth: OAuthFixture) -> None:
    """After ninety seconds."""
    bank = await oauth.bank()
    request_uri = await bank.pushed()
    oauth.clock.advance(timedelta(seconds=91))
    _is_a_page(await bank.open(request_uri))


async def test_a_request_of_another_client_gets_a_page_and_no_redirect(oauth: OAuthFixture) -> None:
    """A request_uri is bound to its client."""
    bank, other = await oauth.bank(), await oauth.bank()
    _is_a_page(await other.open(await bank.pushed()))


async def test_without_a_pushed_request_nothing_begins(oauth: OAuthFixture) -> None:
    """PAR is required; unverified addresses are never redirected to."""
    bank, stranger = await oauth.bank(), make_bank(oauth)
    _is_a_page(await bank.open("urn:ietf:params:oauth:request_uri:made-up"))
    _is_a_page(await stranger.open(await bank.pushed()))
    for names in (
        bank.request(client_id=bank.client_id),
        {"client_id": bank.client_id},
        {"request_uri": await bank.pushed()},
        {"client_id": "\0", "request_uri": "\0"},
        {},
    ):
        _is_a_page(await oauth.http.get("/oauth/authorize", params=names))
    twice = {"client_id": [bank.client_id] * 2, "request_uri": await bank.pushed()}
    _is_a_page(await oauth.http.get("/oauth/authorize", params=twice))


async def test_a_client_suspended_since_it_pushed_gets_no_decision(oauth: OAuthFixture) -> None:
    """The status is read again when the page is opened."""
    bank = await oauth.bank()
    request_uri = await bank.pushed()
    await oauth.change(
        "UPDATE client SET state = 'suspended' WHERE client_id = :c", c=bank.client_id
    )
    _is_a_page(await bank.open(request_uri))


def _is_a_page(answer: Any) -> None:
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")
    assert "location" not in answer.headers
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "change",
    [
        {"purpose": "marketing"},
        {"datasets": ["supervision"]},
        {"valid_until": "2020-01-01T00:00:00Z"},
    ],
    ids=str,
)
async def test_refused_requests_are_counted_for_their_enterprise(
    oauth: OAuthFixture, change: dict[str, Any]
) -> None:
    """R10, as hourly counts; requests without a valid enterprise are not counted."""
    bank = await oauth.bank()
    refused = json.dumps([make_consent_request(**change)])
    nameless = json.dumps([make_consent_request(**change, enterprise=None)])
    for details in (refused, refused, nameless, "x"):
        answer = await bank.push(authorization_details=details)
        assert answer.json()["error"] == "invalid_authorization_details"
    assert (await bank.push()).status_code == 201
    [(line, times)] = oauth.runtime.refusal_counter.take().items()
    assert (line.uscc, line.client_id, line.kind) == (USCC, bank.client_id, "consent_request")
    assert (line.reason, times) == ("invalid_authorization_details", 2)


async def test_a_request_out_of_order_is_counted_for_whom_it_names(oauth: OAuthFixture) -> None:
    """For any error, once client and enterprise are known."""
    bank = await oauth.bank()
    await bank.push(code_challenge=None)
    await bank.push(scope="admin")
    lines = oauth.runtime.refusal_counter.take()
    assert {(each.uscc, each.reason) for each in lines} == {
        (USCC, "invalid_request"), (USCC, "invalid_scope"),
    }  # fmt: skip
