"""Errors of an answer that was lost after its call was sent, apart from calls that were never sent."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from xinqiao import Client, RetryPolicy, errors
from xinqiao.testing import FakeGateway

USCC = "91330106MA2XXXXXX0"
AT_ONCE = RetryPolicy(retries=0)
QUICK = RetryPolicy(retries=1, base=0)


class Faulty(FakeGateway):
    """A fake gateway that is reached over a network of which single requests fail."""

    def __init__(self) -> None:
        super().__init__()
        self.add_enterprise(USCC, answers={"is_active.v1": "yes"})
        self.faults: Iterator[Callable[[httpx2.Request], None] | None] = iter(())
        self.path = "/v1/verifications"

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer, unless the next fault raises."""
        fault = next(self.faults, None) if request.url.path == self.path else None
        if fault is not None:
            fault(request)
        return super().handle_request(request)

    def fail(self, *faults: type[httpx2.RequestError] | None, path: str) -> None:
        """Fail the next requests for this path so; None is one that passes."""

        def raising(kind: type[httpx2.RequestError]) -> Callable[[httpx2.Request], None]:
            def fault(request: httpx2.Request) -> None:
                raise kind("broken", request=request)

            return fault

        self.path = path
        self.faults = iter([None if kind is None else raising(kind) for kind in faults])


@pytest.fixture
def network() -> Faulty:
    return Faulty()


def ask(client: Client, **options: Any) -> Any:
    """A call that may spend a use."""
    return client.verify(USCC, purpose="tender", questions=["is_active.v1"], **options)


def failed(network: Faulty, retry: RetryPolicy = AT_ONCE) -> errors.XinqiaoError:
    """The error of such a call."""
    with network.client(retry=retry) as client, pytest.raises(errors.XinqiaoError) as caught:
        ask(client, idempotency_key="loan-17")
    return caught.value


SENT = [httpx2.ReadError, httpx2.WriteError, httpx2.RemoteProtocolError]
NEVER_SENT = [httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError]


@pytest.mark.parametrize("kind", SENT)
def test_an_answer_that_is_lost_has_a_class_of_its_own(
    network: Faulty, kind: type[httpx2.RequestError]
) -> None:
    """It says that a use may be spent, has the key to repeat with, and is pickled whole."""
    network.fail(kind, path="/v1/verifications")
    error = pickle.loads(pickle.dumps(failed(network)))  # noqa: S301 - our own bytes
    assert type(error) is errors.AnswerLost
    assert (error.idempotency_key, error.may_have_arrived) == ("loan-17", True)
    assert (
        "A use may have been spent: repeated with the same idempotency key (loan-17), the call spends no "
        "other." in str(error)
    )


def test_an_answer_that_is_late_is_lost_and_timed_out(network: Faulty) -> None:
    """Whoever catches `TimedOut` goes on catching it."""
    network.fail(httpx2.ReadTimeout, path="/v1/verifications")
    error = failed(network)
    assert isinstance(error, errors.AnswerLost)
    assert isinstance(error, errors.TimedOut)
    assert "A use may have been spent" in str(error)


@pytest.mark.parametrize("kind", NEVER_SENT)
def test_what_was_never_sent_is_no_lost_answer(
    network: Faulty, kind: type[httpx2.RequestError]
) -> None:
    """Nor is a proxy's refusal to connect."""
    network.fail(kind, path="/v1/verifications")
    error = failed(network)
    assert isinstance(error, errors.ServerUnavailable)
    assert not isinstance(error, errors.AnswerLost)
    assert not error.may_have_arrived
    assert "spent" not in str(error)


def test_an_answer_lost_by_an_earlier_try_is_not_forgotten(network: Faulty) -> None:
    """The last try was refused by the system, the first may have spent the use."""
    network.fail(httpx2.ReadError, httpx2.ConnectError, path="/v1/verifications")
    error = failed(network, QUICK)
    assert type(error) is errors.AnswerLost
    assert str(error).startswith(
        "A use may have been spent: repeated with the same idempotency key (loan-17), the call spends no "
        "other. An earlier try of this call was sent, and its answer was lost. The last try: "
    )


def test_a_lost_read_spends_nothing_whatever_its_last_try_found(network: Faulty) -> None:
    """And says so first."""
    network.fail(httpx2.ReadError, httpx2.ConnectError, path="/v1/questions")
    with network.client(retry=QUICK) as client, pytest.raises(errors.AnswerLost) as caught:
        client.questions()
    assert str(caught.value).startswith("It only reads: it is safe to repeat. An earlier try")


def test_a_limit_after_a_lost_answer_stays_a_limit(network: Faulty) -> None:
    """With what its answer says, and that an earlier try was sent."""
    network.fail(httpx2.ReadError, path="/v1/verifications")
    network.refuse(429, "rate_limited", retry_after=60)
    error = failed(network, QUICK)
    assert (type(error), error.retry_after) == (errors.RateLimited, 60)
    assert error.idempotency_key == "loan-17"
    assert "An earlier try of this call was sent" in str(error)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_proxy_that_answers_for_the_gateway_has_lost_its_answer(
    network: Faulty, status: int
) -> None:
    """The call may have been carried out; the same key gets the answer and spends nothing."""
    held = network.grant_consent(USCC, purpose="tender", datasets=["penalty"], max_uses=2)
    network.break_down(status, processed=True)
    with network.client(retry=AT_ONCE) as client:
        with pytest.raises(errors.AnswerLost, match=str(status)) as lost:
            client.query(USCC, purpose="tender", datasets=["penalty"])
        key = lost.value.idempotency_key
        client.query(USCC, purpose="tender", datasets=["penalty"], idempotency_key=key)
    assert held.uses_left == 1


def test_a_call_that_only_reads_is_safe_to_repeat(network: Faulty) -> None:
    """Its sentence does not speak of uses."""
    network.fail(httpx2.ReadError, path="/v1/questions")
    with (
        network.client(retry=AT_ONCE) as client,
        pytest.raises(errors.AnswerLost, match="It only reads: it is safe to repeat") as caught,
    ):
        client.questions()
    assert "spent" not in str(caught.value)


@pytest.mark.parametrize("status", [502, 504])
@pytest.mark.parametrize(
    ("endpoint", "named"),
    [
        ("discovery", "GET {issuer}/.well-known/oauth-authorization-server"),
        ("token", "POST {issuer}/oauth/token"),
    ],
)
def test_what_failed_on_the_way_to_a_token_is_named(
    network: Faulty, endpoint: Any, named: str, status: int
) -> None:
    """By its address, the status and that repeating does no harm: the call was never sent."""
    network.break_down(status, endpoint=endpoint)
    error = failed(network)
    assert (type(error), error.status) == (errors.ServerUnavailable, status)
    named = named.format(issuer=network.issuer)
    assert str(error) == (
        f"{named} was answered {status} by the gateway or a proxy before it. "
        "It spends nothing: it is safe to repeat."
    )
    assert network.requests[-1].url.path != "/v1/verifications"


def test_a_token_whose_answer_is_lost_is_no_lost_answer(network: Faulty) -> None:
    """The call waited for it; a timeout stays one."""
    network.fail(httpx2.ReadTimeout, path="/oauth/token")
    error = failed(network)
    assert type(error) is errors.TimedOut
    assert f"That was POST {network.issuer}/oauth/token. It spends nothing" in str(error)


def test_an_answer_without_the_keys_to_verify_it_is_lost(network: Faulty) -> None:
    """Nothing of it is read; it may have spent a use."""
    network.fail(httpx2.ReadError, path="/.well-known/jwks.json")
    error = failed(network)
    assert type(error) is errors.AnswerLost
    assert f"GET {network.issuer}/.well-known/jwks.json" in str(error)
    assert str(error).count("spen") == 2
    assert "It spends nothing" not in str(error)


@pytest.mark.parametrize("fault", ["proxy", "connection"])
def test_a_lost_answer_to_the_callback_s_code_says_how_to_go_on(
    network: Faulty, fault: str
) -> None:
    """The consent stands: it is in the list, and can be queried by its id."""
    with network.client(retry=AT_ONCE) as client:
        start = client.start_consent(uscc=USCC, purpose="tender", datasets=["penalty"])
        callback = network.decide(start.url)
        if fault == "proxy":
            network.break_down(504, endpoint="token", processed=True)
        else:
            network.fail(httpx2.ReadError, path="/oauth/token")
        with pytest.raises(errors.AnswerLost, match=r'client\.consents\(status="active"\)'):
            client.finish_consent(start, callback)
        [held] = client.consents(status="active")
        page = client.query(
            USCC, purpose="tender", datasets=["penalty"], consent_id=held.consent_id
        )
    assert page.consent is not None


def test_it_is_the_same_with_asyncio(network: Faulty) -> None:
    """One core for both clients."""
    network.disconnect()

    async def call() -> None:
        async with network.async_client(retry=AT_ONCE) as client:
            await client.verify(USCC, purpose="tender", questions=["is_active.v1"])

    with pytest.raises(errors.AnswerLost):
        asyncio.run(call())
