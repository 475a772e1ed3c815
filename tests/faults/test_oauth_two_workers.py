"""Single-use credentials with two worker processes on one PostgreSQL and one Redis.

Each crowd is half at the one process and half at the other. `FULL=1` makes it 200 strong.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import httpx2
import pytest

from tests.oauth_builders import Bank, OAuthFixture, answer_of, interaction_of, make_session
from tests.portal_fixture import hidden_fields
from tests.servers.redis_server import RedisServer
from tests.servers.two_workers import CROWD, Workers, query, session_headers
from tests.waiting import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKEN: Final = "/oauth/token"


async def crowd(
    banks: Sequence[Bank], act: Callable[[Bank, str, str], Awaitable[httpx2.Response]]
) -> list[httpx2.Response]:
    """Concurrent calls, each with a prepared assertion and proof."""
    ready = [(bank, bank.assertion(), await bank.proof(TOKEN)) for bank in banks]
    return list(await asyncio.gather(*(act(*each) for each in ready)))


def the_one_good(answers: Sequence[httpx2.Response], error: str) -> httpx2.Response:
    """The only successful answer; the others have `error`."""
    good = [answer for answer in answers if answer.status_code == 200]
    bad = [answer.json()["error"] for answer in answers if answer.status_code != 200]
    assert len(good) == 1
    assert bad == [error] * (len(answers) - 1)
    return good[0]


async def test_one_concurrent_use_of_a_code_gets_tokens_which_are_revoked(workers: Workers) -> None:
    """The other uses revoke the tokens, on both workers."""
    bank = await workers.bank()
    code = await through_the_portal(workers, bank)
    answers = await crowd(
        workers.both(bank), lambda one, own, proof: one.redeem(code, assertion=own, proof=proof)
    )
    given = the_one_good(answers, "invalid_grant").json()
    for one in workers.both(bank)[:2]:
        for token in (given["access_token"], given["refresh_token"]):
            assert (await one.about("introspect", token)).json() == {"active": False}
        assert (await one.refresh(given["refresh_token"])).json()["error"] == "invalid_grant"
        called = await query(one, given["access_token"])
        assert (called.status_code, called.json()["code"]) == (401, "invalid_token")


async def test_a_second_use_elsewhere_ends_a_token_that_was_in_use(workers: Workers) -> None:
    """A token cached by one worker is revoked by the code's second use at the other."""
    bank = await workers.bank()
    one, other = workers.both(bank)[:2]
    code = await through_the_portal(workers, bank)
    given = (await one.redeem(code)).json()
    assert (await query(one, given["access_token"])).status_code == 200
    assert (await other.redeem(code)).json()["error"] == "invalid_grant"
    called = await query(one, given["access_token"])
    assert (called.status_code, called.json()["code"]) == (401, "invalid_token")


async def test_one_concurrent_use_of_an_assertion_gets_a_token(workers: Workers) -> None:
    """The assertion's `jti` is spent once, and one token is stored."""
    bank = await workers.bank()
    the_same = bank.assertion()
    answers = await crowd(
        workers.both(bank), lambda one, _, proof: one.token(assertion=the_same, proof=proof)
    )
    the_one_good(answers, "invalid_client")
    kept = await workers.servers[0].value(
        "SELECT count(*) FROM access_token WHERE client_id = :c", c=bank.client_id
    )
    assert kept == 1


async def test_one_concurrent_use_of_a_proof_gets_a_token(workers: Workers) -> None:
    """Redis decides on the proof's `jti` atomically."""
    bank = await workers.bank()
    the_same = await bank.proof(TOKEN)
    answers = await crowd(
        workers.both(bank), lambda one, own, _: one.token(assertion=own, proof=the_same)
    )
    the_one_good(answers, "invalid_dpop_proof")


async def test_concurrent_decisions_of_one_request_decide_once(workers: Workers) -> None:
    """One request_uri in many tabs: one consent, one code."""
    bank = await workers.bank()
    request_uri, cookie = await bank.pushed(), await make_session(bank.oauth)
    tabs = [(one.oauth, interaction_of(await one.open(request_uri))) for one in workers.both(bank)]
    forms = [await decision_form(oauth, tab, cookie) for oauth, tab in tabs]
    decided = await asyncio.gather(
        *(press(oauth, tab, cookie, form) for (oauth, tab), form in zip(tabs, forms, strict=True))
    )
    led = [answer.headers.get("location", "") for answer in decided]
    won = [tab for (_, tab), to in zip(tabs, led, strict=True) if to.startswith("/oauth/resume")]
    assert len(won) == 1
    lost = [answer for answer, to in zip(decided, led, strict=True) if "/oauth/resume" not in to]
    assert len(lost) == CROWD - 1
    assert {answer.status_code for answer in lost} <= {303, 409}, {
        (answer.status_code, answer.headers.get("location")) for answer in lost
    }
    count = "SELECT count(*) FROM consent WHERE client_id = :c"
    assert await workers.servers[0].value(count, c=bank.client_id) == 1
    back = await asyncio.gather(*(resume(oauth, won[0], cookie) for oauth, _ in tabs))
    assert sorted(answer.status_code for answer in back) == [303] + [400] * (CROWD - 1)
    code = answer_of(next(answer for answer in back if answer.status_code == 303))["code"]
    assert (await bank.redeem(code)).status_code == 200
    assert (await bank.open(request_uri)).status_code == 400


async def test_a_nonce_and_a_proof_from_before_a_flush_are_void_on_both(
    workers: Workers, redis: RedisServer
) -> None:
    """A used proof, and a new one with the old nonce, are refused after FLUSHALL."""
    bank = await workers.bank()
    nonce, used = await bank.oauth.nonce(), await bank.proof(TOKEN)
    assert (await bank.token(proof=used)).status_code == 200
    with redis.client() as direct:
        direct.flushall()
    for one in workers.both(bank)[:2]:
        for proof in (used, await one.proof(TOKEN, nonce=nonce)):
            refused = await one.token(proof=proof)
            assert (refused.status_code, refused.json()["error"]) == (400, "use_dpop_nonce")
        fresh = await one.proof(TOKEN, nonce=refused.headers["dpop-nonce"])
        assert (await one.token(proof=fresh)).status_code == 200


async def test_a_client_suspended_at_one_worker_is_refused_at_the_other(workers: Workers) -> None:
    """A token cached by the other worker is refused."""
    bank = await workers.bank()
    one, other = workers.both(bank)[:2]
    given = (await one.redeem(await through_the_portal(workers, bank))).json()
    assert (await query(other, given["access_token"])).status_code == 200
    suspend = "UPDATE client SET state = 'suspended' WHERE client_id = :c"
    await workers.servers[0].change(suspend, c=bank.client_id)
    called = await query(other, given["access_token"])
    assert (called.status_code, called.json()["code"]) == (403, "client_suspended")
    assert (await other.refresh(given["refresh_token"])).json()["error"] == "invalid_client"


async def through_the_portal(workers: Workers, bank: Bank) -> str:
    """A code for a granted consent, opened and decided at different workers."""
    one, other = workers.both(bank)[:2]
    cookie = await make_session(one.oauth)
    tab = interaction_of(await one.open(await other.pushed()))
    form = await decision_form(other.oauth, tab, cookie)
    await press(one.oauth, tab, cookie, form)
    return answer_of(await resume(other.oauth, tab, cookie))["code"]


async def decision_form(oauth: OAuthFixture, tab: str, cookie: str) -> dict[str, str]:
    """Form fields of the decision page."""
    address = f"/portal/decide/{tab}"
    page = await oauth.http.get(address, headers=session_headers(cookie))
    assert page.status_code == 200, page.text
    return hidden_fields(page.text, address) | {"decision": "grant", "dataset": "registration"}


async def press(
    oauth: OAuthFixture, tab: str, cookie: str, form: dict[str, str]
) -> httpx2.Response:
    """Submit the grant, again if the answer is 503."""
    until = time.monotonic() + PATIENCE
    while True:
        answer = await oauth.http.post(
            f"/portal/decide/{tab}", data=form, headers=session_headers(cookie)
        )
        if answer.status_code != 503 or time.monotonic() > until:
            return answer


async def resume(oauth: OAuthFixture, tab: str, cookie: str) -> httpx2.Response:
    """Resume at the authorization endpoint."""
    asked = {"interaction": tab}
    return await oauth.http.get("/oauth/resume", params=asked, headers=session_headers(cookie))
