"""The same batch sent to two workers at once: one answers it, the other says when to come back."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any, Final

import httpx2
import pytest

from tests.batch_builders import NDJSON, PATH, batch_body, batch_line, read_batch
from tests.ingest_fixture import make_uscc
from tests.oauth_builders import Bank, digest_of
from tests.servers.two_workers import Workers
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

LINES: Final = 30


async def headers_of(
    bank: Bank, token: str, method: str = "POST", path: str = PATH
) -> dict[str, str]:
    """Headers of one call."""
    proof = await bank.proof(path, ath=digest_of(token), htm=method)
    return {"Authorization": f"DPoP {token}", "DPoP": proof}


async def charged_to(bank: Bank, token: str) -> int:
    """Charge to the client's quota of the day."""
    headers = await headers_of(bank, token, "GET", "/v1/limits")
    found = (await bank.oauth.http.get("/v1/limits", headers=headers)).json()
    day = next(each for each in found["limits"] if each["limit"] == "client_day")
    return int(day["quota"] - day["remaining"])


async def test_a_batch_sent_twice_at_once_is_answered_and_charged_once(workers: Workers) -> None:
    """The other call gets no line; under the key the answers come from either worker then."""
    bank = await workers.bank()
    one, other, *_ = workers.both(bank)
    token = (await bank.token(scope="verify")).json()["access_token"]
    lines = [
        batch_line(n, make_uscc(n), "is_active.v1", purpose="loan_approval") for n in range(LINES)
    ]
    body, key, rest_may_come = batch_body(lines), secrets.token_hex(8), asyncio.Event()

    async def slow_body() -> AsyncIterator[bytes]:
        yield body[:-10]
        await rest_may_come.wait()
        yield body[-10:]

    async def send(worker: Bank, content: Any) -> httpx2.Response:
        own = {"Content-Type": NDJSON, "Idempotency-Key": key}
        headers = {**await headers_of(worker, token), **own}
        return await worker.oauth.http.post(PATH, content=content, headers=headers)

    async def begun() -> bool:
        found = await bank.oauth.value(
            "SELECT count(*) FROM verification_batch WHERE key = :key AND held_until > now()",
            key=key,
        )
        return bool(found)

    first = asyncio.create_task(send(one, slow_body()))
    await eventually(begun)
    refused = await send(other, body)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert int(refused.headers["Retry-After"]) > 0
    rest_may_come.set()
    answered = await first
    assert answered.status_code == httpx2.codes.OK, answered.text
    again = await send(other, body)
    assert read_batch(again.content).lines == read_batch(answered.content).lines
    assert await bank.oauth.value("SELECT count(*) FROM disclosure") == LINES
    assert await charged_to(bank, token) <= LINES + 3  # a call each: refused, repeated, this one
    assert not await begun()
