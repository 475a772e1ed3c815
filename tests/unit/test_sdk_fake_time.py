"""Time in the SDK's fake gateway: its lifetimes are the gateway's, and a test lets them pass."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import httpx2
import pytest

import consent.lifecycle
from gateway.access import consent_request_body, dpop
from gateway.disclosure import idempotency, withdrawal_notices
from gateway.disclosure.application_outcomes.model import TERM
from gateway.oauth import authorization_codes, client_assertion, par, token_issuer
from gateway.queries import cursor
from gateway.signing import dpop_nonces
from gateway.transparency import disclosure_leaf
from verification import WINDOW
from xinqiao import Client, ConsentStart, errors
from xinqiao.testing import FakeGateway, FakeSetupError
from xinqiao.testing._rules import lifetimes as _lifetimes

USCC: Final = "91330106MA2CXXXX16"
NOON: Final = datetime(2026, 3, 1, 4, tzinfo=UTC)
ASKED: Final[dict[str, Any]] = {"purpose": "tender", "datasets": ["penalty"]}


@pytest.fixture
def fake() -> FakeGateway:
    made = FakeGateway(clock=NOON.timestamp)
    made.add_enterprise(USCC, answers={"is_active.v1": "yes"}, records=[{"dataset": "penalty"}])
    return made


@pytest.fixture
def bank(fake: FakeGateway) -> Iterator[Client]:
    with fake.client() as client:
        yield client


def start(bank: Client) -> ConsentStart:
    return bank.start_consent(uscc=USCC, **ASKED)


def test_lifetimes_are_those_of_the_gateway() -> None:
    """Each, in both directions."""
    seconds = {
        "ASSERTION": client_assertion.LONGEST_LIFE_SECONDS,
        "PROOF": dpop.WINDOW_SECONDS,
        "SKEW": dpop.SKEW_SECONDS,
        "NONCE_SLOT": dpop_nonces.SLOT_SECONDS,
        "ACCESS_TOKEN": token_issuer.ACCESS_TOKEN_SECONDS,
        "IDEMPOTENCY_KEY": idempotency.KEY_LIFE_SECONDS,
        "QUERY_CURSOR": cursor.CURSOR_LIFE_SECONDS,
        "MERGE": disclosure_leaf.MERGE_SECONDS,
        "PROBE_BUDGET": WINDOW,
    }
    gateways = {name: timedelta(seconds=each) for name, each in seconds.items()} | {
        "CODE": authorization_codes.CODE_LIFETIME,
        "PUSHED_REQUEST": par.REQUEST_LIFETIME,
        "CONSENT_REQUEST": consent.lifecycle.ANSWER_WITHIN,
        "COOL_DOWN": consent.lifecycle.COOL_DOWN,
        "DEFAULT_TERM": consent_request_body.DEFAULT_TERM,
        "LONGEST_TERM": consent_request_body.LONGEST_TERM,
        "OUTCOME": TERM,
        "EXPIRY_NOTICE": withdrawal_notices.EXPIRY_NOTICE_PERIOD,
    }
    assert client_assertion.SKEW_SECONDS == dpop.SKEW_SECONDS
    found = {name: each for name, each in vars(_lifetimes).items() if isinstance(each, timedelta)}
    assert found == gateways


def test_a_code_is_redeemed_within_a_minute(fake: FakeGateway, bank: Client) -> None:
    """Then the browser's coming back has come too late."""
    for seconds, late in ((59, False), (60, True)):
        begun = start(bank)
        back = fake.decide(begun.url)
        fake.advance(timedelta(seconds=seconds))
        if not late:
            assert bank.finish_consent(begun, back).uscc == USCC
            continue
        with pytest.raises(errors.CallbackExpired):
            bank.finish_consent(begun, back)


def test_a_pushed_request_waits_for_the_browser_for_ninety_seconds(
    fake: FakeGateway, bank: Client
) -> None:
    """Then the browser sees an error, and never comes back."""
    begun, late = start(bank), start(bank)
    fake.advance(timedelta(seconds=89))
    assert fake.decide(begun.url)
    fake.advance(timedelta(seconds=1))
    with pytest.raises(FakeSetupError, match="older than 90 seconds"):
        fake.decide(late.url)


def test_a_second_use_of_a_code_ends_the_first_one_s_token(fake: FakeGateway, bank: Client) -> None:
    """RFC 6749, section 4.1.2."""
    begun = start(bank)
    back = fake.decide(begun.url)
    token = bank.finish_consent(begun, back).access_token
    assert token in fake.oauth.tokens
    with pytest.raises(errors.CallbackExpired):
        bank.finish_consent(begun, back)
    assert token not in fake.oauth.tokens


def test_a_consent_that_runs_out_is_notified_once(fake: FakeGateway, bank: Client) -> None:
    """At its end, without a disclosure; nothing is notified of a request that was not answered."""
    held = fake.grant_consent(USCC, valid_until=date(2026, 3, 10), **ASKED)
    bank.query(USCC, **ASKED)
    bank.request_consent(USCC, purpose="loan_approval", datasets=["penalty"])
    fake.advance(timedelta(days=9))
    assert len(bank.changes()) == 0
    fake.advance(timedelta(days=1))
    [notice] = bank.changes()
    assert (notice.kind, notice.consent_id) == ("consent_expired", held.consent_id)
    assert (notice.occurred_at, notice.disclosure_ids) == (held.valid_until, ())
    with pytest.raises(errors.ConsentExpired):
        bank.query(USCC, consent_id=held.consent_id, **ASKED)
    fake.advance(timedelta(days=40))
    assert len(bank.changes()) == 1


def test_a_term_that_is_not_asked_for_is_ninety_days(fake: FakeGateway, bank: Client) -> None:
    """In a consent flow as by link."""
    begun = start(bank)
    grant = bank.finish_consent(begun, fake.decide(begun.url))
    asked = bank.request_consent(USCC, purpose="loan_approval", datasets=["penalty"])
    assert grant.valid_until == bank.consent(asked.consent_id).valid_until
    assert grant.valid_until == datetime(2026, 5, 30, 16, tzinfo=UTC)


def test_a_token_ends_with_its_consent(fake: FakeGateway, bank: Client) -> None:
    """Before its five minutes are over."""
    until = NOON + timedelta(seconds=100)
    begun = bank.start_consent(uscc=USCC, valid_until=until, **ASKED)
    token = bank.finish_consent(begun, fake.decide(begun.url)).access_token
    assert fake.oauth.tokens[token][1] == until.timestamp()


@pytest.mark.parametrize(
    ("seconds", "refused"), [(65, False), (71, True), (-9, False), (-11, True)]
)
def test_a_proof_is_of_the_last_minute(seconds: int, refused: bool) -> None:
    """And ten seconds of skew on both sides."""
    fake = FakeGateway(clock=(NOON + timedelta(seconds=30)).timestamp)
    with fake.client() as bank:
        bank.questions()
        made = bank.headers_for("GET", "/v1/consents", scope="consents")
        fake._ahead = seconds
        with httpx2.Client(base_url=fake.issuer, transport=fake) as raw:
            answer = raw.get("/v1/consents", headers=made)
    assert (answer.status_code == 401) is refused
    assert ("iat is not now" in answer.text) is refused


def test_a_nonce_is_good_for_its_slot_and_the_next(fake: FakeGateway, bank: Client) -> None:
    """An older one is answered with a new one, which the client uses."""
    bank.questions()
    before = len(fake.requests)
    fake.advance(timedelta(seconds=119))
    bank.questions()
    assert len(fake.requests) - before <= 2


def test_the_clients_of_the_gateway_live_in_its_time(fake: FakeGateway, bank: Client) -> None:
    """A year on, calls are signed and proven by the same clock."""
    fake.advance(timedelta(days=365))
    asked = bank.verify(USCC, purpose="tender", questions=["is_active.v1"])
    assert asked.as_of == NOON + timedelta(days=365)
