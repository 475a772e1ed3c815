"""Rules of the fake gateway that need its clock or its faults."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import httpx2
import pytest

from xinqiao import Client, RetryPolicy, errors
from xinqiao.testing import FakeAgreement, FakeGateway

USCC: Final = "91330106MA2CXXXX16"
DAY: Final = 24 * 3600


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_780_000_000.0

    def __call__(self) -> float:
        """Read it."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fake(clock: Clock) -> FakeGateway:
    made = FakeGateway(clock=clock)
    made.add_enterprise(
        USCC,
        answers={("enterprise_name.v1", "甲"): "yes", "rating_at_least.v1": "yes"},
        records=[{"dataset": "penalty", "fields": {"fine": str(n)}} for n in range(2)],
    )
    return made


def test_a_refused_request_cools_down_for_thirty_days(fake: FakeGateway, clock: Clock) -> None:
    """Then it may be asked for again."""
    client = fake.client()
    asked: dict[str, Any] = {"purpose": "tender", "datasets": ["penalty"]}
    fake.answer_consent(client.request_consent(USCC, **asked).consent_id, grant=False)
    with pytest.raises(errors.CoolingDown):
        client.request_consent(USCC, **asked)
    clock.now += 30 * DAY - 1
    with pytest.raises(errors.CoolingDown):
        client.request_consent(USCC, **asked)
    clock.now += 1
    assert client.request_consent(USCC, **asked).status == "requested"


def test_a_cool_down_in_a_consent_flow_comes_back_as_a_refusal(
    fake: FakeGateway, clock: Clock
) -> None:
    """The enterprise is not asked again; after thirty days it may grant."""
    client = fake.client()

    def flow(*, grant: bool) -> str:
        begun = client.start_consent(uscc=USCC, purpose="tender", datasets=["penalty"])
        return client.finish_consent(begun, fake.decide(begun.url, grant=grant)).uscc

    for grant in (False, True):
        with pytest.raises(errors.ConsentRefused):
            flow(grant=grant)
    clock.now += 30 * DAY
    assert flow(grant=True) == USCC


def test_a_request_is_answered_within_seven_days(fake: FakeGateway, clock: Clock) -> None:
    """Then it has expired."""
    client = fake.client()
    asked = client.request_consent(USCC, purpose="tender", datasets=["penalty"])
    clock.now += 7 * DAY
    assert client.consent(asked.consent_id).status == "expired"


def test_a_key_is_kept_for_a_day(fake: FakeGateway, clock: Clock) -> None:
    """Then it is a new key."""
    client = fake.client()
    held = fake.grant_consent(USCC, purpose="tender", datasets=["penalty"], max_uses=5)
    asked: dict[str, Any] = {"purpose": "tender", "datasets": ["penalty"], "idempotency_key": "k"}
    for days, left in ((0, 4), (1, 4), (0.1, 3)):
        clock.now += days * DAY
        client.query(USCC, **asked)
        assert held.uses_left == left


def test_a_cursor_is_kept_for_a_quarter_of_an_hour(fake: FakeGateway, clock: Clock) -> None:
    """Then the query begins at the first page."""
    client = fake.client()
    fake.grant_consent(USCC, purpose="tender", datasets=["penalty"])
    first = client.query(USCC, purpose="tender", datasets=["penalty"], page_size=1)
    clock.now += 15 * 60
    with pytest.raises(errors.InvalidRequest):
        first.next_page()


def test_values_leave_the_budget_after_thirty_days(fake: FakeGateway, clock: Clock) -> None:
    """Each from its first use."""
    client = fake.client()

    def ask(value: str) -> str:
        said = client.verify(USCC, purpose="tender", questions={"enterprise_name.v1": value})
        return said["enterprise_name.v1"].answer

    assert [ask(value) for value in ("乙", "丙", "丁", "甲")] == [
        "no",
        "no",
        "no",
        "not_determined",
    ]
    clock.now += 30 * DAY
    assert ask("甲") == "yes"


def test_a_newer_grant_takes_the_older_one_s_place(fake: FakeGateway) -> None:
    """And that of requests that are open, for the same purpose."""
    client = fake.client()
    held = fake.grant_consent(USCC, purpose="tender", datasets=["penalty"])
    other = fake.grant_consent(USCC, purpose="loan_approval", datasets=["penalty"])
    asked = [client.request_consent(USCC, purpose="tender", datasets=["penalty"]) for _ in "ab"]
    fake.answer_consent(asked[1].consent_id)
    ids = [held.consent_id, other.consent_id, *(each.consent_id for each in asked)]
    assert [client.consent(each).status for each in ids] == [
        "superseded",
        "active",
        "superseded",
        "active",
    ]
    with pytest.raises(errors.NotAvailable):
        client.query(USCC, purpose="tender", datasets=["penalty"], consent_id=held.consent_id)


def test_an_amendment_changes_the_consent_that_it_names(fake: FakeGateway) -> None:
    """It keeps its id and its uses; the request is superseded."""
    client = fake.client()
    held = fake.grant_consent(USCC, purpose="tender", datasets=["penalty"], max_uses=5)
    client.query(USCC, purpose="tender", datasets=["penalty"])
    more = client.request_consent(
        USCC, purpose="tender", datasets=["penalty", "licence"], max_uses=9, amends=held.consent_id
    )
    fake.answer_consent(more.consent_id)
    assert client.consent(more.consent_id).status == "superseded"
    changed = client.consent(held.consent_id)
    assert (changed.datasets, changed.uses_left) == (("penalty", "licence"), 8)


def test_a_source_can_be_unavailable(fake: FakeGateway) -> None:
    """It is said of the dataset, and of nothing else."""
    client = fake.client()
    fake.grant_consent(USCC, purpose="tender", datasets=["penalty", "licence"])
    fake.take_offline("penalty")
    page = client.query(USCC, purpose="tender", datasets=["penalty", "licence"])
    whole = [(each.dataset, each.reason) for each in page.withheld if not each.fields]
    assert whole == [("penalty", "source_unavailable")]
    assert page.records == ()
    fake.take_offline()
    assert client.query(USCC, purpose="tender", datasets=["penalty"]).records


def test_an_agreement_can_leave_questions_out() -> None:
    """Of verifications and of requests for a consent."""
    fake = FakeGateway(agreement=FakeAgreement(questions=["is_active.v1"]))
    client = fake.client()
    assert client.verify(USCC, purpose="tender", questions=["is_active.v1"]).answers
    calls: list[Callable[[], object]] = [
        lambda: client.verify(USCC, purpose="tender", questions=["not_abnormal.v1"]),
        lambda: client.request_consent(USCC, purpose="tender", questions=["not_abnormal.v1"]),
    ]
    for each in calls:
        with pytest.raises(errors.NotInAgreement):
            each()


def begin(client: Client) -> object:
    return client.start_consent(uscc=USCC, purpose="tender", datasets=["penalty"])


def test_token_and_par_endpoints_can_fail(fake: FakeGateway) -> None:
    """An OAuth error, a proxy's answer, a lost connection."""
    fake.refuse(400, "invalid_client", endpoint="token")
    with pytest.raises(errors.OAuthError) as refused:
        fake.client().questions()
    assert refused.value.code == "invalid_client"
    fake.break_down(503, endpoint="token", times=9)
    with pytest.raises(errors.ServerUnavailable):
        fake.client().questions()
    fake.refuse(400, "invalid_request", endpoint="par")
    with pytest.raises(errors.OAuthError):
        begin(fake.client())
    fake.disconnect(endpoint="par", times=9)
    with pytest.raises(errors.ServerUnavailable):
        begin(fake.client())


def test_what_is_refused_or_never_arrives_is_not_done(fake: FakeGateway) -> None:
    """No use is spent and no code redeemed; a proxy's failure after the work has spent one."""
    client = fake.client()
    held = fake.grant_consent(USCC, purpose="tender", datasets=["penalty"], max_uses=5)
    outages: list[Callable[[], None]] = [
        lambda: fake.refuse(503, "temporarily_unavailable"),
        lambda: fake.refuse(429, "rate_limited", retry_after=0),
        lambda: fake.break_down(502),
    ]
    for spent, each in enumerate(outages, start=1):
        each()
        assert client.query(USCC, purpose="tender", datasets=["penalty"]).records
        assert held.uses_left == 5 - spent
    fake.break_down(processed=True, times=9)
    with pytest.raises(errors.ServerUnavailable):
        client.query(USCC, purpose="tender", datasets=["penalty"])
    assert held.uses_left == 1
    fake.recover()
    begun = client.start_consent(uscc=USCC, purpose="tender", datasets=["penalty"])
    back = fake.decide(begun.url)
    fake.refuse(503, "temporarily_unavailable", endpoint="token")
    with pytest.raises(errors.TemporarilyUnavailable):  # a code is sent once
        client.finish_consent(begun, back)
    assert client.finish_consent(begun, back).uscc == USCC  # that was not redeemed


def test_a_gateway_recovers_from_every_fault(fake: FakeGateway) -> None:
    """Faults at each endpoint, and sources that are away."""
    fake.grant_consent(USCC, purpose="tender", datasets=["penalty"])
    fake.disconnect(times=9)
    fake.refuse(400, "invalid_client", endpoint="token", times=9)
    fake.take_offline("penalty")
    fake.recover()
    assert fake.client().query(USCC, purpose="tender", datasets=["penalty"]).records


def test_discovery_can_fail(fake: FakeGateway) -> None:
    """A proxy answers in the gateway's place."""
    fake.break_down(502, endpoint="discovery", times=9)
    with pytest.raises(errors.ServerUnavailable):
        fake.client().questions()


def test_the_log_can_fail_while_calls_succeed(fake: FakeGateway, clock: Clock) -> None:
    """Promises wait for the next look."""
    client = fake.client()
    fake.refuse(503, "temporarily_unavailable", endpoint="log", times=9)
    client.verify(USCC, purpose="tender", questions=["is_active.v1"])
    clock.now += 60
    with pytest.raises(errors.TemporarilyUnavailable):
        client.check_receipts()
    with fake.client() as other:
        assert other.questions()


def test_a_body_without_a_digest_is_answered(fake: FakeGateway) -> None:
    """The wire leaves it to the client; the signature then does not cover the body."""
    content = json.dumps(
        {
            "enterprise": {"uscc": USCC},
            "purpose": "tender",
            "questions": [{"question": "is_active.v1"}],
        }
    ).encode()
    with fake.client() as bank:
        made = bank.headers_for("POST", "/v1/verifications", content=content, scope="verify")
        headers = {name: value for name, value in made.items() if name != "content-digest"}
        with httpx2.Client(base_url=fake.issuer, transport=fake) as raw:
            answer = raw.post("/v1/verifications", content=content, headers=headers)
    assert answer.status_code == 200
    assert '"@target-uri";req)' in answer.headers["signature-input"]


def test_a_limit_fills_up_steadily(clock: Clock) -> None:
    """Three calls a minute at once, then one in twenty seconds; the client waits for it."""
    fake = FakeGateway(clock=clock, agreement=FakeAgreement(per_minute=3))
    with fake.client(retry=RetryPolicy(retries=0)) as bank:
        for _ in range(3):
            bank.consents()
        with pytest.raises(errors.RateLimited) as limited:
            bank.consents()
        assert limited.value.retry_after == 20
        clock.now += 20
        bank.consents()
        with pytest.raises(errors.RateLimited):
            bank.consents()
