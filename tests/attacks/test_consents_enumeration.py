"""Enumeration by consent requests: enterprises in different states look the same.

The same requests go to enterprises in different states; status, shape, length and SQL statements
are equal.
"""

import os
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

import httpx2
import pytest
from sqlalchemy import event

import consent
from consent import Consent, DisplayedText, Person, Refused, Transition
from tests.attacks.test_access_timing import QUOTAS
from tests.gateway_fixture import UNKNOWN, Caller, GatewayFixture

pytestmark = pytest.mark.asyncio(loop_scope="session")

ASKS: Final = 300 if os.environ.get("FULL") else 15
SHOWN: Final = DisplayedText(text_version="2026.1", language="zh")
PATH: Final = "/v1/consents"
VARIES: Final = {
    "date",
    "content-digest",
    "signature",
    "signature-input",
    "dpop-nonce",
    "ratelimit",
}


async def in_every_state(gateway: GatewayFixture) -> dict[str, str]:
    """One enterprise in each state, with consents of other clients."""
    other, third = await gateway.client(quotas=QUOTAS), await gateway.client(quotas=QUOTAS)
    states = {
        "exists": gateway.uscc("clean"),
        "has allowed others": gateway.uscc("penalised"),
        "has refused others": gateway.uscc("repaired"),
        "has withdrawn from others": gateway.uscc("disputed"),
        "is a person's business": gateway.uscc("individual_business"),
        "is gone": gateway.uscc("deregistered"),
        "was never there": UNKNOWN,
    }
    assert len(set(states.values())) == len(states)
    await gateway.grant(other, states["has allowed others"])
    taken_back = await gateway.grant(other, states["has withdrawn from others"])
    await gateway.act(consent.withdraw, taken_back)
    for client in (other, third):
        asked = await post(client, states["has refused others"], {"datasets": ["penalty"]})
        await gateway.act(refuse, asked.json()["consent_id"])
    return states


def refuse(held: Consent, *, person: Person, now: datetime) -> Transition | Refused:
    """Refuse as the enterprise."""
    return consent.refuse(held, person=person, shown=SHOWN, now=now)


async def post(client: Caller, uscc: str, more: dict[str, Any]) -> httpx2.Response:
    """Request a consent."""
    body = {"enterprise": {"uscc": uscc}, "purpose": "loan_approval"} | more
    return await client.send(PATH, body, scope="consents")


async def refusals(gateway: GatewayFixture, client: Caller, uscc: str) -> list[Any]:
    """Log rows of this client's requests to this enterprise."""
    found = await gateway.log_of(client)
    shown = ("kind", "outcome", "reason", "purpose", "asked")
    return [[row[name] for name in shown] for row in found if row["uscc"] == uscc]


async def get(client: Caller, path: str) -> httpx2.Response:
    """GET as the client."""
    return await client.send(path, b"", method="GET", scope="consents")


def make_ask(chance: random.Random, gateway: GatewayFixture) -> dict[str, Any]:
    """Random requests, mostly valid."""
    terms = [gateway.clock() + timedelta(days=days) for days in (1, 30, 90, 5_000, -1)]
    good = ["penalty", "licence", "registration"]
    made = {
        "purpose": chance.choice([*["loan_approval"] * 6, "supplier_check", "marketing"]),
        "datasets": chance.sample([*good * 3, "nonsense"], k=2),
        "questions": chance.sample(["is_active.v1", "rating_at_least.v1"], k=chance.randint(0, 1)),
        "valid_until": chance.choice([None, *(each.isoformat() for each in terms)]),
        "max_uses": chance.choice([None, None, 1, 10, 100, 0]),
    }
    return {name: value for name, value in made.items() if value is not None}


def shape(answer: httpx2.Response, uscc: str) -> tuple[Any, ...]:
    """An answer without the parts that differ each time."""
    body = re.sub(r"cst_[a-z0-9]+", "cst", answer.text.replace(uscc, "uscc"))
    body = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+", "time", body)
    body = re.sub(r'"request_id":"[^"]+"', "", body)
    headers = {
        name: "" if name in VARIES else value
        for name, value in answer.headers.items()
        if name != "x-request-id"
    }
    return answer.status_code, body, len(answer.content), tuple(sorted(headers.items()))


@contextmanager
def statements(gateway: GatewayFixture) -> Iterator[list[str]]:
    """Statements about consents inside the block."""
    seen: list[str] = []

    def note(*given: Any) -> None:
        if "consent" in given[2]:  # the log is sealed meanwhile
            seen.append(given[2])

    engine = gateway.runtime.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


async def test_asking_tells_nothing_about_whom_is_asked(gateway: GatewayFixture) -> None:
    """The same answer and statements for each state, at the request and when read later."""
    states = await in_every_state(gateway)
    client = await gateway.client(quotas=QUOTAS)
    chance = random.Random(20261123)  # noqa: S311  # an order, not a secret
    for state in states.values():  # so that all have an open request to give up
        await post(client, state, {"datasets": ["penalty"]})
    taken = 0
    for _ in range(ASKS):
        asked = make_ask(chance, gateway)
        answers: dict[str, Any] = {}
        work: dict[str, Any] = {}
        read: dict[str, Any] = {}
        for name in chance.sample(list(states), len(states)):
            with statements(gateway) as seen:
                answer = await post(client, states[name], asked)
            answers[name], work[name] = shape(answer, states[name]), tuple(seen)
            if answer.status_code == 201:
                taken += 1
                own = f"{PATH}/{answer.json()['consent_id']}"
                read[name] = [
                    shape(await get(client, path), states[name]) for path in (own, f"{own}?wait=0")
                ]
        assert len(set(answers.values())) == 1, (asked, answers)
        assert len(set(work.values())) == 1, (asked, work)
        assert all(each == next(iter(read.values())) for each in read.values()), (asked, read)
    assert taken > len(states), "most were mistakes"
    logs = [await refusals(gateway, client, uscc) for uscc in states.values()]
    assert logs[0], "nothing was refused"
    assert all(each == logs[0] for each in logs), "one enterprise's log has what another's has not"


async def test_the_list_names_ones_own_asks_and_nothing_else(gateway: GatewayFixture) -> None:
    """One entry for each state, without other clients' consents."""
    states = await in_every_state(gateway)
    client = await gateway.client(quotas=QUOTAS)
    for uscc in states.values():
        assert (await post(client, uscc, {"datasets": ["penalty"]})).status_code == 201
    found = (await get(client, PATH)).json()["consents"]
    assert sorted(each["enterprise"]["uscc"] for each in found) == sorted(states.values())
    assert {each["status"] for each in found} == {"requested"}
    nobody = await gateway.client(quotas=QUOTAS)
    assert (await get(nobody, PATH)).json()["consents"] == []


async def test_anothers_consent_and_none_are_answered_alike(gateway: GatewayFixture) -> None:
    """Read, wait, record, symbol, waive, amend: the same answer."""
    other, client = await gateway.client(quotas=QUOTAS), await gateway.client(quotas=QUOTAS)
    uscc = gateway.uscc("clean")
    theirs, none = await gateway.grant(other, uscc), "cst_" + "a" * 26
    reads = [("GET", tail) for tail in ("", "?wait=5", "/record", "/symbol")]
    for method, tail in (*reads, ("DELETE", "")):
        answers = [
            await client.send(f"{PATH}/{each}{tail}", b"", method=method, scope="consents")
            for each in (theirs, none)
        ]
        assert [each.status_code for each in answers] == [404, 404], tail
        assert shape(answers[0], uscc) == shape(answers[1], uscc), tail
    amended = [
        await post(client, uscc, {"datasets": ["penalty"], "amends": consent_id})
        for consent_id in (theirs, none)
    ]
    assert shape(amended[0], uscc) == shape(amended[1], uscc)
    assert amended[0].status_code == 404


async def test_a_leak_would_be_seen(gateway: GatewayFixture) -> None:
    """Control: the client's own refusal is visible in status and statements."""
    client = await gateway.client(quotas=QUOTAS)
    uscc = gateway.uscc("clean")
    first = await post(client, uscc, {"datasets": ["penalty"]})
    await gateway.act(refuse, first.json()["consent_id"])
    again = await post(client, uscc, {"datasets": ["penalty"]})
    assert shape(again, uscc) != shape(first, uscc)
    assert again.json()["code"] == "cooling_down"
