"""`verify_many` against the real gateway: order, resumption, what a tampered answer is worth."""

import json
import pickle
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx2
import pytest

from gateway.limits.quotas import Quotas
from tests.gateway_fixture import UNKNOWN, GatewayFixture
from tests.reference_merkle import root_from_path
from tests.sdk_builders import client_of
from xinqiao import AsyncClient, Client, RowResult, errors

pytestmark = pytest.mark.asyncio(loop_scope="session")

KINDS = pytest.mark.parametrize("kind", [Client, AsyncClient])
Change = Callable[[bytes], bytes]
QUESTIONS = ["is_active.v1", "not_abnormal.v1"]


class ChangedStream(httpx2.SyncByteStream):
    """A body whose parts are changed on the way; it breaks where the change says so."""

    def __init__(self, stream: Any, change: Change) -> None:
        self._stream = stream
        self._change = change

    def __iter__(self) -> Iterator[bytes]:
        for part in self._stream:
            yield self._change(part)

    def close(self) -> None:
        """Close the real one."""
        self._stream.close()


class ChangingTransport(httpx2.HTTPTransport):
    """The network, with a change of the batches' answers for the first so many of them."""

    def __init__(self, change: Change, times: int = 1) -> None:
        super().__init__()
        self._change = change
        self._times = times
        self.batches = 0

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Forward the request."""
        response = super().handle_request(request)
        if not request.url.path.endswith("/batch") or response.status_code != httpx2.codes.OK:
            return response
        self.batches += 1
        if self.batches > self._times:
            return response
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=ChangedStream(response.stream, self._change),
        )


def cut(after: int) -> Change:
    """A connection that breaks after so many parts."""
    seen = 0

    def change(part: bytes) -> bytes:
        nonlocal seen
        seen += 1
        if seen > after:
            raise httpx2.ReadError("cut")
        return part

    return change


async def results_of(found: Any) -> list[RowResult]:
    """All results of either client."""
    if isinstance(found, AsyncIterator):
        return [each async for each in found]
    return list(found)


async def each_of(rows: list[Any]) -> AsyncIterator[Any]:
    """The rows, to be awaited."""
    for row in rows:
        yield row


@KINDS
async def test_many_rows_are_answered_in_order_and_each_can_be_shown(
    served: GatewayFixture, kind: type[Client | AsyncClient]
) -> None:
    """In batches; rows with questions of their own, and wrong ones, among them."""
    platform = client_of(await served.client("platform"), kind)
    usccs = [each.enterprise.uscc for each in served.entities[:60]]
    name = served.entities[60].enterprise
    rows: list[Any] = [
        *usccs,
        (name.uscc, {"enterprise_name.v1": name.name}),
        "no code",
        UNKNOWN,
    ]
    told: list[int] = []
    found = await results_of(
        platform.verify_many(
            each_of(rows) if kind is AsyncClient else rows,
            purpose="merchant_review",
            questions=QUESTIONS,
            batch_size=25,
            progress=told.append,
        )
    )
    assert [each.row for each in found] == list(range(len(rows)))
    assert [each.uscc for each in found] == [*usccs, name.uscc, "no code", UNKNOWN]
    assert [each.row for each in found if not each.answered] == [61]
    assert found[61].problem is not None
    assert found[61].problem.code == "invalid_uscc"
    assert found[60]["enterprise_name.v1"].match == "strict"
    assert [answer.answer for answer in found[62].answers] == ["not_determined"] * 2
    assert told == sorted(told)
    assert told[-1] == len(rows)
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301 - our own bytes
    shown = json.loads(json.dumps(found[30].to_dict()))["evidence"]
    proof = [bytes.fromhex(each) for each in shown["proof"]]
    line = shown["line"].encode()
    root = root_from_path(line, shown["leaf_index"], shown["manifest"]["lines"], proof)
    assert root is not None
    assert root.hex() == shown["manifest"]["root"]


async def test_a_batch_that_breaks_off_is_taken_up(served: GatewayFixture) -> None:
    """Each enterprise is asked about once, whatever was lost on the way."""
    caller = await served.client("platform")
    transport = ChangingTransport(cut(after=1), times=2)
    platform = client_of(caller, Client, transport=transport)
    usccs = [each.enterprise.uscc for each in served.entities]
    found = list(platform.verify_many(usccs, purpose="merchant_review", questions=QUESTIONS))
    assert transport.batches >= 2
    log = await served.log_of(caller)
    assert len(log) == len(usccs)
    assert {row["disclosure_id"] for row in log} == {each.disclosure_id for each in found}


async def test_rows_given_again_under_their_key_cost_nothing(served: GatewayFixture) -> None:
    """In another process: the same answers, and nothing new in the log."""
    caller = await served.client("platform")
    usccs = [each.enterprise.uscc for each in served.entities[:30]]

    def asked() -> list[str | None]:
        platform = client_of(caller, Client)
        rows = platform.verify_many(
            usccs,
            purpose="merchant_review",
            questions=QUESTIONS,
            idempotency_key="night",
            batch_size=10,
        )
        return [each.disclosure_id for each in rows]

    assert asked() == asked()
    assert len(await served.log_of(caller)) == len(usccs)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda part: part.replace(b'"answer":"yes"', b'"answer":"no" '), "lines"),
        (lambda part: part.replace(b'"lines":3', b'"lines":4'), "signature"),
        (lambda part: part.replace(b'"root":"', b'"root":"00'), "signature"),
        (lambda part: part.replace(b'"keyid":"', b'"keyid":"x'), "key"),
    ],
)
async def test_nothing_of_a_tampered_batch_is_given_out(
    served: GatewayFixture, change: Change, reason: str
) -> None:
    """The manifest does not fit the lines, or is not the gateway's."""
    caller = await served.client("platform")
    platform = client_of(caller, Client, transport=ChangingTransport(change, times=99))
    rows = [served.uscc("clean"), UNKNOWN, served.uscc("penalised")]
    with pytest.raises(errors.SignatureInvalid) as refused:
        list(platform.verify_many(rows, purpose="merchant_review", questions=QUESTIONS))
    assert refused.value.reason == reason
    assert refused.value.idempotency_key


async def test_an_answer_without_its_manifest_is_lost(served: GatewayFixture) -> None:
    """Whoever cuts it off at a line's end tells nothing."""
    caller = await served.client("platform")

    def without(part: bytes) -> bytes:
        return part.partition(b'{"manifest"')[0]

    platform = client_of(caller, Client, transport=ChangingTransport(without, times=99))
    with pytest.raises(errors.XinqiaoError):
        list(platform.verify_many([UNKNOWN], purpose="merchant_review", questions=QUESTIONS))


async def test_what_does_not_fit_a_quota_is_waited_for_or_told(served: GatewayFixture) -> None:
    """By how long one is willing to wait."""
    caller = await served.client("platform", quotas=Quotas(per_minute=60))
    platform = client_of(caller, Client)
    usccs = [each.enterprise.uscc for each in served.entities[:63]]
    asked = {"purpose": "merchant_review", "questions": ["is_active.v1"]}
    first = list(platform.verify_many(usccs, **asked, idempotency_key="n", longest_wait=0))
    assert [each.problem.code for each in first if each.problem] == ["rate_limited"] * 3
    rest = list(platform.verify_many(usccs, **asked, idempotency_key="n"))
    assert all(each.answered for each in rest)
    assert [each.disclosure_id for each in rest[:60]] == [each.disclosure_id for each in first[:60]]


async def test_what_cannot_be_asked_is_refused_before_it_is_sent(served: GatewayFixture) -> None:
    """No questions, one string for a list, a size that is none."""
    platform = client_of(await served.client("platform"), Client)
    for rows, options in (
        ([UNKNOWN], {}),
        ([UNKNOWN], {"questions": "is_active.v1"}),
        ([UNKNOWN], {"questions": QUESTIONS, "batch_size": 0}),
        ([UNKNOWN], {"questions": QUESTIONS, "idempotency_key": "ü"}),
    ):
        with pytest.raises(errors.ConfigurationError):
            list(platform.verify_many(rows, purpose="merchant_review", **options))
