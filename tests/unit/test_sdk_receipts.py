"""SDK receipts: promised leaves are checked after their time; a missing one is proof."""

from datetime import timedelta

import httpx2
import pytest

from tests.clock import Clock
from xinqiao import errors, verify_evidence
from xinqiao.testing import FakeGateway

USCC = "91330106MA2XXXXXX0"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fake_gateway(clock: Clock) -> FakeGateway:
    fake_gateway = FakeGateway(clock=clock.timestamp)
    fake_gateway.add_enterprise(USCC, answers={"is_active.v1": "yes"})
    return fake_gateway


def test_due_receipts_are_fetched_and_verified_once(
    fake_gateway: FakeGateway, clock: Clock
) -> None:
    """Not earlier and not twice."""
    with fake_gateway.client() as client:
        asked = [
            client.verify(USCC, purpose="tender", questions=["is_active.v1"]) for _ in "1234567"
        ]
        assert client.check_receipts() == ()
        clock.advance(timedelta(seconds=11))
        found = client.check_receipts()
        assert [each.disclosure_id for each in found] == [each.disclosure_id for each in asked]
        assert [each.leaf_index for each in found] == list(range(7))
        assert client.check_receipts() == ()


def test_a_query_is_checked_too(fake_gateway: FakeGateway, clock: Clock) -> None:
    """One leaf for each page."""
    fake_gateway.grant_consent(USCC, purpose="tender", datasets=["licence"])
    with fake_gateway.client() as client:
        page = client.query(USCC, purpose="tender", datasets=["licence"])
        clock.advance(timedelta(seconds=11))
        assert [each.disclosure_id for each in client.check_receipts()] == [page.disclosure_id]


async def test_the_asyncio_client_does_the_same(fake_gateway: FakeGateway, clock: Clock) -> None:
    """The same flow."""
    async with fake_gateway.async_client() as client:
        await client.verify(USCC, purpose="tender", questions=["is_active.v1"])
        fake_gateway.leave_out_leaf()
        await client.verify(USCC, purpose="tender", questions=["is_active.v1"])
        clock.advance(timedelta(seconds=11))
        with pytest.raises(errors.PromiseBroken):
            await client.check_receipts()


def test_a_leaf_left_out_is_a_broken_promise_with_its_proof(
    fake_gateway: FakeGateway, clock: Clock
) -> None:
    """The evidence holds the promise; the error repeats at each check."""
    with fake_gateway.client() as client:
        fake_gateway.leave_out_leaf()
        asked = client.verify(USCC, purpose="tender", questions=["is_active.v1"])
        clock.advance(timedelta(seconds=11))
        for _ in range(2):
            with pytest.raises(errors.PromiseBroken) as caught:
                client.check_receipts()
        promised = caught.value.promised
        assert promised is not None
        assert promised.disclosure_id == asked.disclosure_id
        kept = verify_evidence(promised.evidence, keys=fake_gateway.jwks)
        assert kept.json()["log_promise"]["leaf_hash"] == promised.promise.leaf_hash


@pytest.mark.parametrize("what", ["leaf_hash", "leaf_index", "tree_size", "proof", "checkpoint"])
def test_a_receipt_that_does_not_show_it_is_refused(
    fake_gateway: FakeGateway, clock: Clock, what: str
) -> None:
    """The log's signature and the tree decide."""
    with fake_gateway.client() as client:
        for _ in range(5):
            client.verify(USCC, purpose="tender", questions=["is_active.v1"])
        clock.advance(timedelta(seconds=11))

        def forged(request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
            body = response.json()
            if what == "leaf_hash":
                body["leaf_hash"] = "00" * 32
            elif what == "proof":
                body["inclusion_proof"][0] = "00" * 32
            elif what == "checkpoint":
                lines = body["checkpoint"].split("\n")
                lines[1] = "9"
                body["checkpoint"] = "\n".join(lines)
            else:
                body[what] += 1
            again = httpx2.Response(200, json=body)
            return fake_gateway.signer.sign(request, again, created=fake_gateway.now)

        fake_gateway.answer_with(forged)
        with pytest.raises(errors.ReceiptInvalid) as caught:
            client.check_receipts()
        assert not isinstance(caught.value, errors.PromiseBroken)
