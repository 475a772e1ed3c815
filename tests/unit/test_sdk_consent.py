"""SDK consent flow: start, callback checks, code redemption."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from xinqiao import ConsentStart, errors, generate_dpop_key
from xinqiao._core.wire.dates import CHINA
from xinqiao.testing import FakeGateway, FakeSetupError

USCC = "91330106MA2XXXXXX0"
UNTIL = datetime(2027, 5, 22, tzinfo=UTC)
WANTED: dict[str, Any] = {
    "uscc": USCC,
    "purpose": "loan_approval",
    "datasets": ["registration", "penalty"],
    "questions": ["legal_representative_id.v1"],
    "valid_until": UNTIL,
    "max_uses": 10,
}


@pytest.fixture
def fake_gateway() -> FakeGateway:
    made = FakeGateway()
    made.add_enterprise(USCC)
    return made


def pushed(fake_gateway: FakeGateway) -> dict[str, str]:
    [started] = fake_gateway.oauth.pushed.values()
    return started.form


def test_a_granted_consent_comes_back_with_what_was_granted(fake_gateway: FakeGateway) -> None:
    """PAR, decision, callback, code, consent."""
    client = fake_gateway.client()
    start = client.start_consent(**WANTED)
    grant = client.finish_consent(start, fake_gateway.decide(start.url))
    assert (grant.uscc, grant.purpose) == (USCC, "loan_approval")
    assert grant.datasets == ("registration", "penalty")
    assert grant.questions == ("legal_representative_id.v1",)
    assert (grant.valid_until, grant.max_uses) == (UNTIL, 10)
    assert client.consent(grant.consent_id).status == "active"


def test_the_flow_works_with_asyncio_too(fake_gateway: FakeGateway) -> None:
    """The same with asyncio."""

    async def flow() -> str:
        async with fake_gateway.async_client() as client:
            start = await client.start_consent(**WANTED)
            return (await client.finish_consent(start, fake_gateway.decide(start.url))).uscc

    assert asyncio.run(flow()) == USCC


def test_the_pushed_request_says_all_and_the_browser_carries_only_its_name(
    fake_gateway: FakeGateway,
) -> None:
    """PAR, PKCE S256, state, authorization_details; the URL has no data."""
    start = fake_gateway.client().start_consent(**WANTED)
    form = pushed(fake_gateway)
    assert form["response_type"] == "code"
    assert form["code_challenge_method"] == "S256"
    assert len(form["code_challenge"]) == 43
    assert form["scope"] == "query verify"
    assert json.loads(form["authorization_details"]) == [
        {
            "type": "credit_data",
            "enterprise": {"uscc": USCC},
            "purpose": "loan_approval",
            "datasets": ["registration", "penalty"],
            "questions": ["legal_representative_id.v1"],
            "valid_until": "2027-05-22T00:00:00+00:00",
            "max_uses": 10,
        }
    ]
    assert USCC not in start.url
    assert set(start.url.partition("?")[2].replace("=", "&").split("&")[::2]) == {
        "client_id",
        "request_uri",
    }


def test_the_enterprise_may_be_left_to_the_one_who_signs_in(fake_gateway: FakeGateway) -> None:
    """The grant names the enterprise; without questions the scope is `query`."""
    client = fake_gateway.client()
    start = client.start_consent(purpose="tender", datasets=["licence"])
    assert pushed(fake_gateway)["scope"] == "query"
    assert "enterprise" not in json.loads(pushed(fake_gateway)["authorization_details"])[0]
    with pytest.raises(ValueError, match="uscc="):
        fake_gateway.decide(start.url)
    assert client.finish_consent(start, fake_gateway.decide(start.url, uscc=USCC)).uscc == USCC
    again = client.start_consent(purpose="tender", datasets=["licence"])
    with pytest.raises(errors.ConsentRefused):
        client.finish_consent(again, fake_gateway.decide(again.url, grant=False))


def test_a_decision_in_the_browser_is_a_notice_too(fake_gateway: FakeGateway) -> None:
    """Granted and refused, with the consent's id."""
    client = fake_gateway.client()
    starts = [client.start_consent(**WANTED) for _ in range(2)]
    grant = client.finish_consent(starts[0], fake_gateway.decide(starts[0].url))
    fake_gateway.decide(starts[1].url, grant=False)
    granted, refused = client.changes()
    assert (granted.kind, granted.consent_id) == ("consent_granted", grant.consent_id)
    assert refused.kind == "consent_refused"


def test_a_start_can_be_stored_and_finished_by_another_worker(fake_gateway: FakeGateway) -> None:
    """As JSON in the session, with a shared DPoP key."""
    key = generate_dpop_key()
    start = fake_gateway.client(dpop_key=key).start_consent(**WANTED)
    stored = ConsentStart.from_json(start.to_json())
    assert stored == start
    worker = fake_gateway.client(dpop_key=key)
    assert worker.finish_consent(stored, fake_gateway.decide(start.url)).uscc == USCC


def test_a_worker_with_another_key_says_what_is_missing(fake_gateway: FakeGateway) -> None:
    """Before the code is sent."""
    start = fake_gateway.client().start_consent(**WANTED)
    with pytest.raises(errors.ConfigurationError, match="same dpop_key"):
        fake_gateway.client().finish_consent(start, fake_gateway.decide(start.url))
    assert fake_gateway.oauth.codes


def test_a_refusal_is_an_error_of_its_own(fake_gateway: FakeGateway) -> None:
    """`ConsentRefused`."""
    client = fake_gateway.client()
    start = client.start_consent(**WANTED)
    with pytest.raises(errors.ConsentRefused) as caught:
        client.finish_consent(start, fake_gateway.decide(start.url, grant=False))
    assert caught.value.code == "access_denied"


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("code=c&state=wrong&iss=https://gateway.test", errors.ConsentFlowInvalid),
        ("code=c&iss=https://gateway.test", errors.ConsentFlowInvalid),
        ("code=c&state={state}", errors.ConsentFlowInvalid),
        ("code=c&state={state}&iss=https://evil.test", errors.ConsentFlowInvalid),
        ("code=c&code=d&state={state}&iss=https://gateway.test", errors.ConsentFlowInvalid),
        ("state={state}&iss=https://gateway.test", errors.ConsentFlowInvalid),
        ("error=access_denied&state=wrong&iss=https://gateway.test", errors.ConsentFlowInvalid),
        ("error=server_error&state={state}&iss=https://gateway.test", errors.OAuthError),
        ("code=unknown&state={state}&iss=https://gateway.test", errors.CallbackExpired),
    ],
)
def test_a_callback_that_does_not_belong_to_the_flow_is_refused(
    fake_gateway: FakeGateway, query: str, error: type[errors.XinqiaoError]
) -> None:
    """State and issuer are checked first."""
    client = fake_gateway.client()
    start = client.start_consent(**WANTED)
    with pytest.raises(error) as caught:
        client.finish_consent(
            start, f"https://bank.test/callback?{query.format(state=start.state)}"
        )
    assert type(caught.value) is error


def test_a_code_is_not_redeemed_twice(fake_gateway: FakeGateway) -> None:
    """Reloading the callback raises an error of its own, which is a refusal of the server's too."""
    client = fake_gateway.client()
    start = client.start_consent(**WANTED)
    callback = fake_gateway.decide(start.url)
    client.finish_consent(start, callback)
    with pytest.raises(errors.CallbackExpired) as caught:
        client.finish_consent(start, callback)
    assert isinstance(caught.value, errors.OAuthError)
    assert caught.value.code == "invalid_grant"


def test_neither_start_nor_grant_prints_its_secrets(fake_gateway: FakeGateway) -> None:
    """Verifier, state and tokens have no repr."""
    client = fake_gateway.client()
    start = client.start_consent(**WANTED)
    grant = client.finish_consent(start, fake_gateway.decide(start.url))
    assert start.verifier not in repr(start)
    assert start.state not in repr(start)
    assert grant.access_token not in repr(grant)
    assert grant.refresh_token is not None
    assert grant.refresh_token not in repr(grant)


def test_a_text_that_is_no_start_is_refused_without_quoting_it() -> None:
    """A truncated or changed session."""
    for text in ("", "[]", '{"verifier": "secret"}'):
        with pytest.raises(errors.ConfigurationError) as caught:
            ConsentStart.from_json(text)
        assert "secret" not in str(caught.value)


def test_a_flow_comes_back_to_a_registered_address(fake_gateway: FakeGateway) -> None:
    """One that the fake's client is opened with, or that is registered; no other."""
    mine = "http://127.0.0.1:8421/callback"
    with fake_gateway.client(redirect_uri=mine) as client:
        start = client.start_consent(**WANTED)
        assert fake_gateway.decide(start.url).startswith(f"{mine}?")
        client.start_consent(**WANTED, redirect_uri="https://bank.test/callback")
        with pytest.raises(errors.OAuthError, match="character by character"):
            client.start_consent(**WANTED, redirect_uri="https://bank.test/callback/")
    with pytest.raises(FakeSetupError, match="no redirect address"):
        fake_gateway.client(redirect_uri="http://bank.test/callback")


def test_a_part_of_what_was_asked_is_granted(fake_gateway: FakeGateway) -> None:
    """Datasets, questions, a shorter term, fewer uses; in the browser and by link."""
    client, until = fake_gateway.client(), UNTIL - timedelta(days=100)
    part: dict[str, Any] = {"datasets": ["penalty"], "questions": [], "valid_until": until}
    start = client.start_consent(**WANTED)
    grant = client.finish_consent(start, fake_gateway.decide(start.url, **part, max_uses=3))
    assert (grant.datasets, grant.questions) == (("penalty",), ())
    assert (grant.valid_until, grant.max_uses) == (until, 3)
    asked = client.request_consent(**WANTED | {"purpose": "tender"})
    fake_gateway.answer_consent(asked.consent_id, **part)
    given = client.consent(asked.consent_id)
    assert (given.datasets, given.uses_left) == (("penalty",), 10)


def test_a_flow_needs_a_place_to_come_back_to(fake_gateway: FakeGateway) -> None:
    """There is no default redirect_uri."""
    with pytest.raises(errors.ConfigurationError, match="redirect_uri"):
        fake_gateway.client(redirect_uri=None).start_consent(**WANTED)
    assert fake_gateway.requests == []


@pytest.mark.parametrize(
    "mistake",
    [
        {"datasets": ["penaltyy"]},
        {"purpose": "loan_aproval"},
        {"valid_until": datetime(2020, 1, 1, tzinfo=UTC)},
        {"max_uses": 0},
    ],
)
def test_a_mistake_in_what_is_asked_for_is_a_request_to_be_mended(
    fake_gateway: FakeGateway, mistake: dict[str, Any]
) -> None:
    """Credentials and clock are right; whoever catches `OAuthError` goes on catching it."""
    with pytest.raises(errors.InvalidAuthorizationDetails) as caught:
        fake_gateway.client().start_consent(**{**WANTED, **mistake})
    assert isinstance(caught.value, errors.RequestRefused)
    assert isinstance(caught.value, errors.OAuthError)
    assert caught.value.code == "invalid_authorization_details"
    assert set(caught.value.unknown) == {"penaltyy", "loan_aproval"} & set(str(mistake).split("'"))


def test_a_time_without_its_zone_is_named_with_its_mend(fake_gateway: FakeGateway) -> None:
    """Before anything is asked."""
    naive, client = datetime(2027, 5, 22), fake_gateway.client()  # noqa: DTZ001 - the mistake
    with pytest.raises(
        errors.ConfigurationError, match=r"^`valid_until` needs a time zone, or give"
    ):
        client.start_consent(**{**WANTED, "valid_until": naive})
    with pytest.raises(
        errors.ConfigurationError, match=r"^`decided_from` needs a time zone, or give"
    ):
        client.query(USCC, purpose="tender", datasets=["penalty"], decided_from=naive)
    assert fake_gateway.requests == []


def test_the_end_of_a_cool_down_is_told_by_its_error_and_by_the_refusal_that_began_it(
    fake_gateway: FakeGateway,
) -> None:
    """30 days after `decided_at` of the refused consent; `retry_after` tells how long that is."""
    client = fake_gateway.client()
    start = client.start_consent(**WANTED)
    fake_gateway.decide(start.url, grant=False)
    asked = {name: WANTED[name] for name in ("purpose", "datasets")}
    with pytest.raises(errors.CoolingDown):
        client.request_consent(USCC, **asked)
    [held] = client.consents(status="refused")
    assert held.decided_at is not None
    again = held.decided_at + timedelta(days=30)
    fake_gateway.advance(again - datetime.now(UTC) - timedelta(hours=1))
    with pytest.raises(errors.CoolingDown) as refused:
        client.request_consent(USCC, **asked)
    assert refused.value.retry_after is not None
    assert again.astimezone(CHINA).isoformat(timespec="seconds") in refused.value.detail
    fake_gateway.advance(timedelta(seconds=refused.value.retry_after))
    assert client.request_consent(USCC, **asked).status == "requested"
