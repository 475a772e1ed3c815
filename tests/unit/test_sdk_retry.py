"""SDK retries: waiting times, limits, and what may be repeated."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from xinqiao import RetryPolicy, errors
from xinqiao._core import flow
from xinqiao._core.api import consents, verification
from xinqiao._core.transport.retry import may_repeat, parse_retry_after
from xinqiao._core.transport.send import clock_hint
from xinqiao.testing import FakeGateway

USCC = "91330106MA2XXXXXX0"
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC).timestamp()
LIMITED = errors.RateLimited(retry_after=5)


def longest(_: float, high: float) -> float:
    return high


def test_the_wait_doubles_up_to_its_longest() -> None:
    """Full jitter between zero and the step's span."""
    policy = RetryPolicy(retries=9, deadline=1000, base=1, longest=5)
    error = errors.ServerUnavailable()
    waits = [policy.wait(n, error, elapsed=0, chance=longest) for n in range(5)]
    assert waits == [1, 2, 4, 5, 5]
    assert policy.wait(3, error, elapsed=0, chance=lambda low, _: low) == 0


def test_the_server_is_never_asked_before_the_time_it_gave() -> None:
    """Jitter is added to Retry-After."""
    policy = RetryPolicy(base=1)
    assert policy.wait(0, LIMITED, elapsed=0, chance=lambda low, _: low) == 5
    assert policy.wait(0, LIMITED, elapsed=0, chance=longest) == 6


def test_tries_and_time_are_bounded() -> None:
    """The error is raised after so many tries or before the deadline would pass."""
    policy = RetryPolicy(retries=3, deadline=30)
    assert policy.wait(3, errors.ServerUnavailable(), elapsed=0, chance=longest) is None
    assert policy.wait(0, LIMITED, elapsed=26, chance=longest) is None
    assert RetryPolicy(retries=0).wait(0, LIMITED, elapsed=0, chance=longest) is None


def test_a_negative_policy_is_refused() -> None:
    """Refused in the constructor."""
    with pytest.raises(errors.ConfigurationError):
        RetryPolicy(retries=-1)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("Sun, 22 Nov 2026 10:01:00 GMT", 60),
        ("Sun, 22 Nov 2026 09:00:00 GMT", 0),
        ("1.5", None),
        ("soon", None),
        ("Sun, 22 Nov 2026 10:01:00 +99999999999999999999", None),
        ("Sun, 22 Nov 99999999999999999999 10:01:00 GMT", None),
        ("-1", None),
        ("٣", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: int | None) -> None:
    """RFC 9110 §10.2.3, as whole seconds, rounded up; other values are ignored."""
    found = parse_retry_after(value, now=NOW + 0.5 if value and "10:01" in value else NOW)
    assert (found, isinstance(found, float)) == (seconds, False)


def test_a_possibly_executed_call_is_not_repeated() -> None:
    """Calls that are not idempotent are repeated only if they were not sent."""
    lost, unsent = errors.ServerUnavailable(), errors.ServerUnavailable()
    unsent.may_have_arrived = False
    assert [may_repeat(lost, idempotent=x) for x in (True, False)] == [True, False]
    assert [may_repeat(unsent, idempotent=x) for x in (True, False)] == [True, True]
    assert may_repeat(errors.RateLimited(), idempotent=False)
    assert may_repeat(errors.TemporarilyUnavailable(), idempotent=False)
    for final in (errors.SignatureInvalid(), errors.NotAvailable(), errors.InvalidUscc()):
        assert not may_repeat(final, idempotent=True)


def test_what_is_sent_once_is_repeated_only_if_it_was_never_sent() -> None:
    """Not after an answer, whatever it says."""
    unsent = errors.ServerUnavailable()
    unsent.may_have_arrived = False
    assert may_repeat(unsent, idempotent=False, once=True)
    for answered in (errors.TemporarilyUnavailable(status=503), errors.RateLimited(status=429)):
        assert not may_repeat(answered, idempotent=False, once=True)


def test_a_date_that_cannot_be_computed_explains_nothing() -> None:
    """The field is not signed: its zone may be absurd."""
    session = FakeGateway().client()._session
    date = "Sun, 22 Nov 2026 10:01:00 +99999999999999999999"
    assert clock_hint(session, {"date": date}) is None


def drive(started: flow.Flow[Any], fake_gateway: FakeGateway) -> tuple[Any, list[float]]:
    """Run a flow without network and waiting; its result and pauses."""
    pauses: list[float] = []

    def do(step: flow.Step) -> Any:
        match step:
            case flow.Send(request):
                return fake_gateway.handle_request(request)
            case flow.Pause(seconds):
                return pauses.append(seconds)
            case flow.Exclusive(inner):
                return run(inner)

    def run(inner: flow.Flow[Any]) -> Any:
        try:
            step = next(inner)
            while True:
                try:
                    outcome = do(step)
                except httpx2.RequestError as error:
                    step = inner.throw(error)
                else:
                    step = inner.send(outcome)
        except StopIteration as end:
            return end.value

    return run(started), pauses


def test_a_call_waits_as_long_as_it_is_told() -> None:
    """The core has no clock and no sockets."""
    fake_gateway = FakeGateway()
    session = fake_gateway.client(retry=RetryPolicy())._session
    fake_gateway.refuse(429, "rate_limited", retry_after=7, times=2)
    result, pauses = drive(verification.questions(session), fake_gateway)
    assert len(result) > 0
    assert [7 <= pause <= 7.5 for pause in pauses] == [True, True]


def test_an_authorization_code_is_not_sent_twice_when_the_answer_is_lost() -> None:
    """A second use would revoke the first one's tokens."""

    class Losing(FakeGateway):
        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            response = super().handle_request(request)
            if b"code_verifier" in request.content and response.status_code == 200:
                raise httpx2.ReadError("lost", request=request)
            return response

    fake_gateway = Losing()
    fake_gateway.add_enterprise(USCC)
    client = fake_gateway.client()
    start = client.start_consent(uscc=USCC, purpose="tender", datasets=["licence"])
    callback = fake_gateway.decide(start.url)
    before = len(fake_gateway.requests)
    with pytest.raises(errors.ServerUnavailable):
        client.finish_consent(start, callback)
    assert len(fake_gateway.requests) == before + 1


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_an_authorization_code_is_sent_once_whatever_the_answer(status: int) -> None:
    """A second use would revoke the first one's tokens."""
    fake_gateway = FakeGateway()
    fake_gateway.add_enterprise(USCC)
    client = fake_gateway.client()
    start = client.start_consent(uscc=USCC, purpose="tender", datasets=["licence"])
    callback = fake_gateway.decide(start.url)
    if status in {429, 503}:
        fake_gateway.refuse(status, "temporarily_unavailable", retry_after=0, endpoint="token")
    else:
        fake_gateway.break_down(status, endpoint="token")
    with pytest.raises((errors.ServerUnavailable, errors.LimitReached)):
        client.finish_consent(start, callback)
    assert len([each for each in fake_gateway.requests if b"code_verifier" in each.content]) == 1


class Slow(FakeGateway):
    """A gateway that takes a second of its own clock for each request, and notes what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.ticks = 0.0
        self.given: list[dict[str, float]] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer, a second later."""
        self.given.append(request.extensions["timeout"])
        self.ticks += 1
        return super().handle_request(request)

    def flow(self, retry: RetryPolicy) -> flow.Flow[Any]:
        """A call of a new client, under this gateway's clock."""
        session = self.client(retry=retry, timeout=2)._session
        session.world = replace(session.world, ticks=lambda: self.ticks)
        return verification.questions(session)


def test_a_total_bounds_every_request_by_what_is_left() -> None:
    """Metadata, token and its nonce, and the call: for a person who waits."""
    slow = Slow()
    with pytest.raises(errors.TimedOut, match=r"RetryPolicy\.total") as caught:
        drive(slow.flow(RetryPolicy(retries=3, total=2.5)), slow)
    assert [set(each.values()) for each in slow.given] == [{2}, {1.5}, {0.5}]
    assert not caught.value.may_have_arrived


def test_a_total_that_suffices_changes_nothing() -> None:
    """The client's timeout stays each request's."""
    slow = Slow()
    result, _ = drive(slow.flow(RetryPolicy(total=60)), slow)
    assert len(result) > 0
    assert {each["read"] for each in slow.given} == {2}


def test_no_try_begins_after_the_total() -> None:
    """Though the policy's deadline is later."""
    policy = RetryPolicy(deadline=30, total=3)
    assert policy.wait(0, errors.RateLimited(retry_after=5), elapsed=0, chance=longest) is None
    assert policy.wait(0, errors.ServerUnavailable(), elapsed=0, chance=longest) is not None


@pytest.mark.parametrize("total", [0, -1, float("inf"), float("nan")])
def test_a_total_is_a_time(total: float) -> None:
    """Refused in the constructor."""
    with pytest.raises(errors.ConfigurationError, match="total"):
        RetryPolicy(total=total)


def test_a_call_that_the_gateway_holds_has_its_wait_on_top_of_the_total() -> None:
    """`await_decision` holds for five seconds."""
    slow = Slow()
    slow.add_enterprise("91330106MA2XXXXXX0")
    client = slow.client(retry=RetryPolicy(total=3), timeout=2)
    asked = client.request_consent("91330106MA2XXXXXX0", purpose="tender", datasets=["licence"])
    slow.ticks, slow.given = 0.0, []
    session = client._session
    session.world = replace(session.world, ticks=lambda: slow.ticks)
    drive(consents.await_decision(session, asked.consent_id, within=5), slow)
    assert slow.given[-1]["read"] == 7
