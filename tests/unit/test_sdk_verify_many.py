"""`verify_many` with the fake gateway: batches, limits, and calls that break down on the way."""

import gc
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import httpx2
import pytest

from xinqiao import RowResult, errors
from xinqiao.testing import FakeAgreement, FakeGateway

USCCS = [f"91330106MA2{n:06}X" for n in range(25)]
PATH = "/v1/verifications/batch"


def make_gateway(**options: Any) -> FakeGateway:
    """A gateway that knows half of the enterprises."""
    made = FakeGateway(**options)
    for uscc in USCCS[::2]:
        made.add_enterprise(uscc, answers={"is_active.v1": "yes"})
    return made


def verified(gateway: FakeGateway, rows: Iterable[str] = USCCS, **options: Any) -> list[RowResult]:
    """The results of all rows."""
    asked: dict[str, Any] = {"purpose": "merchant_review", "questions": ["is_active.v1"], **options}
    return list(gateway.client().verify_many(rows, **asked))


def keys_sent(gateway: FakeGateway) -> list[str]:
    """The idempotency keys of the batches."""
    return [each.headers["idempotency-key"] for each in gateway.requests if each.url.path == PATH]


def test_rows_are_answered_in_order_batch_by_batch() -> None:
    """Three batches, each under a key of its own."""
    told: list[int] = []
    gateway = make_gateway()
    found = verified(gateway, batch_size=10, progress=told.append)
    assert [each.uscc for each in found] == USCCS
    assert [each["is_active.v1"].answer for each in found[:4]] == ["yes", "not_determined"] * 2
    assert told[-1] == len(USCCS)
    assert len(set(keys_sent(gateway))) == 3


def test_rows_are_read_one_batch_at_a_time() -> None:
    """So that a file of any length can be given."""
    read: list[str] = []

    def rows() -> Iterable[str]:
        for uscc in USCCS:
            read.append(uscc)
            yield uscc

    asked: dict[str, Any] = {"purpose": "merchant_review", "questions": ["is_active.v1"]}
    results = make_gateway().client().verify_many(rows(), **asked, batch_size=5)
    next(results)
    assert len(read) == 5


@pytest.mark.parametrize("processed", [True, False])
def test_a_batch_that_breaks_down_is_sent_again_under_its_key(*, processed: bool) -> None:
    """Whether or not it was carried out."""
    gateway = make_gateway()
    gateway.break_down(times=2, processed=processed)
    found = verified(gateway)
    assert all(each.answered for each in found)
    assert len(set(keys_sent(gateway))) == 1
    assert len(keys_sent(gateway)) == 1 + 2 + 1  # without a nonce, broken down, answered


def test_a_gateway_that_stays_down_ends_with_the_key() -> None:
    """By which the rows go on later."""
    gateway = make_gateway()
    gateway.break_down(times=99)
    with pytest.raises(errors.ServerUnavailable) as refused:
        verified(gateway, idempotency_key="night")
    assert refused.value.idempotency_key == "night"
    gateway.recover()
    assert [each.answered for each in verified(gateway, idempotency_key="night")] == [True] * 25


def test_what_does_not_fit_a_quota_is_told_or_comes_later() -> None:
    """Ten calls a minute, and a client that does not wait."""
    now = [1_760_000_000.0]
    gateway = make_gateway(agreement=FakeAgreement(per_minute=10), clock=lambda: now[0])
    first = verified(gateway, idempotency_key="night", longest_wait=0)
    limited = [each for each in first if each.problem]
    assert {each.problem.code for each in limited if each.problem} == {"rate_limited"}
    assert len(limited) == 15
    now[0] += 60
    second = verified(gateway, idempotency_key="night", longest_wait=0)
    assert sum(each.answered for each in second) == 20
    assert [each.disclosure_id for each in second[:10]] == [
        each.disclosure_id for each in first[:10]
    ]


def test_a_wrong_row_has_a_problem_and_the_others_their_answers() -> None:
    """In its place."""
    found = verified(make_gateway(), [USCCS[0], "no code", USCCS[2]])
    assert [each.answered for each in found] == [True, False, True]
    assert found[1].problem is not None
    assert found[1].problem.code == "invalid_uscc"
    with pytest.raises(KeyError):
        found[1]["is_active.v1"]


class Interrupted(httpx2.SyncByteStream):
    """An answer during which somebody presses Ctrl-C."""

    is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        """A part, then the interrupt."""
        yield b'{"line"'
        raise KeyboardInterrupt

    def close(self) -> None:
        """Note it."""
        self.is_closed = True


class InterruptedGateway(FakeGateway):
    """A gateway whose batches are interrupted."""

    stream = Interrupted()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer as the fake does, a batch with the interrupted stream."""
        answer = super().handle_request(request)
        if request.url.path == PATH and answer.is_success:
            return httpx2.Response(200, headers=answer.headers, stream=self.stream)
        return answer


def test_an_interrupt_closes_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the flow ends: a flow that were dropped half-way would print a traceback of its own."""
    printed: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda told: printed.append(told.exc_value))
    gc.collect()  # what earlier tests left behind
    printed.clear()
    gateway = InterruptedGateway()
    with suppress(KeyboardInterrupt):
        verified(gateway)
    gc.collect()
    assert gateway.stream.is_closed
    assert not printed
