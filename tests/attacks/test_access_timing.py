"""Timing side channels: response times do not depend on the enterprise (Welch's t-test).

Each pair is asked alone and in a crowd, whose calls share its statements.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

import httpx2
import orjson
import pytest

from gateway.limits.quotas import Quotas
from tests.batch_builders import NDJSON, PATH, answered, batch_body, batch_line
from tests.gateway_fixture import UNKNOWN, Caller, GatewayFixture, query_body, verification_body
from tests.undisclosed_records import FEW, MANY, with_closed_records
from tests.welch import Ask, LeakyApplication, compare

pytestmark = [pytest.mark.alone, pytest.mark.asyncio(loop_scope="session")]

QUOTAS = Quotas(
    per_minute=10_000_000,
    per_day=10_000_000,
    per_enterprise_per_minute=10_000_000,
    distinct_enterprises_per_day=10_000_000,
)
NAME = "enterprise_name.v1"
CLOSED = ("rating_at_least.v1", "良好"), ("legal_representative_id.v1", "330106199001011234")
"""Questions that need a consent."""
Send = Callable[[], Awaitable[httpx2.Response]]
CROWD = 7
"""Calls of another client about other enterprises, sent together with the one that is timed."""


@pytest.mark.parametrize("crowd", [0, CROWD], ids=["alone", "crowd"])
async def test_known_unknown_and_closed_enterprises_take_equally_long(
    gateway: GatewayFixture, crowd: int
) -> None:
    """Without consent: unknown, registered, listed, and with 300 penalties.

    Times may differ where the answers do.
    """
    bank = await gateway.client(quotas=QUOTAS)
    async with with_closed_records(gateway):
        enterprises = {
            "unknown": UNKNOWN,
            "closed": gateway.uscc("repaired"),
            "listed": gateway.uscc("serious_violation"),
            "many": MANY,
        }
        await demand_alike(
            gateway,
            bank,
            "/v1/verifications",
            {name: verification_body(uscc, *CLOSED) for name, uscc in enterprises.items()},
            crowd=crowd_of(gateway, crowd),
        )


@pytest.mark.parametrize("crowd", [0, CROWD], ids=["alone", "crowd"])
async def test_a_query_without_consent_tells_nothing_by_its_time(
    gateway: GatewayFixture, crowd: int
) -> None:
    """Refused after the same time for unknown enterprises and for 300 penalties."""
    bank = await gateway.client(quotas=QUOTAS)
    async with with_closed_records(gateway):
        bodies = {"unknown": UNKNOWN, "few": FEW, "many": MANY}
        await demand_alike(
            gateway,
            bank,
            "/v1/queries",
            {name: query_body(uscc, "penalty", "registration") for name, uscc in bodies.items()},
            status=403,
            crowd=crowd_of(gateway, crowd),
        )


@pytest.mark.parametrize("crowd", [0, CROWD], ids=["alone", "crowd"])
async def test_a_query_under_a_consent_for_something_else_tells_nothing_by_its_time(
    gateway: GatewayFixture, crowd: int
) -> None:
    """With consent for licences, the number of penalties does not show."""
    bank = await gateway.client(quotas=QUOTAS)
    async with with_closed_records(gateway):
        for uscc in (FEW, MANY):
            await gateway.grant(bank, uscc, datasets=["licence"], max_uses=None)
        await demand_alike(
            gateway,
            bank,
            "/v1/queries",
            {"few": query_body(FEW, "penalty"), "many": query_body(MANY, "penalty")},
            status=403,
            crowd=crowd_of(gateway, crowd),
        )


@pytest.mark.parametrize("neighbours", [0, CROWD], ids=["alone", "among others"])
async def test_a_line_of_a_batch_tells_nothing_by_its_time(
    gateway: GatewayFixture, neighbours: int
) -> None:
    """Unknown, closed, listed, with 300 penalties: by itself, and in one set with others."""
    bank = await gateway.client(quotas=QUOTAS)
    around = neighbours_of(gateway, neighbours, *CLOSED)
    async with with_closed_records(gateway):
        enterprises = {
            "unknown": UNKNOWN,
            "closed": gateway.uscc("repaired"),
            "listed": gateway.uscc("serious_violation"),
            "many": MANY,
        }
        await demand_alike(
            gateway,
            bank,
            PATH,
            {
                name: batch_body([batch_line(1, uscc, *CLOSED, purpose="loan_approval"), *around])
                for name, uscc in enterprises.items()
            },
            crowd=(),
        )


@pytest.mark.parametrize("neighbours", [0, CROWD], ids=["alone", "among others"])
async def test_a_line_does_not_tell_by_its_time_who_has_consent(
    gateway: GatewayFixture, neighbours: int
) -> None:
    """None, another client's, and the client's own for another purpose: each is not determined."""
    bank, other = await gateway.client(quotas=QUOTAS), await gateway.client(quotas=QUOTAS)
    nobodys, others, own = (each.enterprise.uscc for each in gateway.entities[-5:-2])
    questions = [tag for tag, _ in CLOSED]
    await gateway.grant(other, others, questions=questions, max_uses=None)
    await gateway.grant(
        bank, own, questions=questions, max_uses=None, purpose="post_loan_management"
    )
    around = neighbours_of(gateway, neighbours, *CLOSED)
    bodies = {
        name: batch_body([batch_line(1, uscc, *CLOSED, purpose="loan_approval"), *around])
        for name, uscc in {"nobody's": nobodys, "another's": others, "own": own}.items()
    }
    for body in bodies.values():
        told = await answered(bank, body)
        assert told.answers[0] == ["not_determined"] * len(CLOSED)
    await demand_alike(gateway, bank, PATH, bodies, crowd=())


@pytest.mark.parametrize("neighbours", [0, CROWD], ids=["alone", "among others"])
async def test_a_line_does_not_tell_by_its_time_how_a_name_compares(
    gateway: GatewayFixture, neighbours: int
) -> None:
    """A yes and a no; and, both undetermined, a budget that is spent and an unknown enterprise."""
    bank = await gateway.client(quotas=QUOTAS)
    compared, locked = (each.enterprise for each in gateway.entities[-2:])
    wrong = f"{compared.name[1:]}{compared.name[0]}"
    around = neighbours_of(gateway, neighbours, "is_active.v1")
    guesses = [
        batch_line(n, locked.uscc, (NAME, guess), purpose="loan_approval")
        for n, guess in enumerate(("甲", "乙", "丙"))
    ]
    assert (await answered(bank, guesses)).answers == [["no"]] * len(guesses)
    for pair in (
        {"yes": (compared.uscc, compared.name), "no": (compared.uscc, wrong)},
        {"unknown": (UNKNOWN, locked.name), "locked": (locked.uscc, locked.name)},
    ):
        bodies = {
            name: batch_body([batch_line(1, uscc, (NAME, value), purpose="loan_approval"), *around])
            for name, (uscc, value) in pair.items()
        }
        await demand_alike(gateway, bank, PATH, bodies, crowd=())


async def test_a_call_does_not_tell_what_another_client_asks_about(gateway: GatewayFixture) -> None:
    """As fast beside another client's calls about the same enterprise as beside those about another one."""
    bank = await gateway.client(quotas=QUOTAS)
    same, other = (each.enterprise.uscc for each in gateway.entities[:2])
    await demand_alike(
        gateway,
        bank,
        "/v1/verifications",
        dict.fromkeys(("same", "other"), verification_body(same, "is_active.v1")),
        crowd={"same": [same] * 3 * CROWD, "other": [other] * 3 * CROWD},
    )


def crowd_of(gateway: GatewayFixture, size: int) -> list[str]:
    """So many enterprises."""
    return [each.enterprise.uscc for each in gateway.entities[:size]]


def neighbours_of(
    gateway: GatewayFixture, size: int, *questions: str | tuple[str, str]
) -> list[bytes]:
    """So many lines of a batch behind its first, about other enterprises."""
    return [
        batch_line(n, uscc, *questions, purpose="loan_approval")
        for n, uscc in enumerate(crowd_of(gateway, size), 2)
    ]


async def demand_alike(
    gateway: GatewayFixture,
    bank: Caller,
    path: str,
    bodies: Mapping[str, Mapping[str, Any] | bytes],
    *,
    status: int = 200,
    crowd: Sequence[str] | Mapping[str, Sequence[str]],
) -> None:
    """Fail if these calls of `bank` are distinguishable from the first.

    `crowd` are the enterprises of another client's calls beside each, or by the name of the call.
    """
    other = await gateway.client(quotas=QUOTAS)
    crowds = crowd if isinstance(crowd, Mapping) else dict.fromkeys(bodies, crowd)
    slower = LeakyApplication(gateway.app)
    transport = httpx2.ASGITransport(app=slower)
    async with httpx2.AsyncClient(transport=transport, base_url=gateway.issuer) as http:

        async def post(
            caller: Caller, address: str, document: Mapping[str, Any] | bytes, mark: str
        ) -> Send:
            body = document if isinstance(document, bytes) else orjson.dumps(document)
            headers = await caller.headers("POST", address, body) | {"X-Request-Id": mark}
            if isinstance(document, bytes):
                headers["Content-Type"] = NDJSON
            return partial(http.post, address, content=body, headers=headers)

        async def timed(send: Send) -> float:
            begun = time.perf_counter()
            response = await send()
            taken = time.perf_counter() - begun
            assert response.status_code == status, response.text
            return taken

        def sending(name: str, document: Mapping[str, Any] | bytes) -> Ask:
            beside = [verification_body(uscc, "is_active.v1", CLOSED[0]) for uscc in crowds[name]]

            async def ask(mark: str) -> float:
                send = await post(bank, path, document, mark)
                others = [await post(other, "/v1/verifications", each, "other") for each in beside]
                crowding = [asyncio.ensure_future(each()) for each in others]
                if crowding:  # then the others are under way
                    await asyncio.wait(crowding, return_when=asyncio.FIRST_COMPLETED)
                taken = await timed(send)
                await asyncio.gather(*crowding)
                return taken

            return ask

        groups = {name: sending(name, body) for name, body in bodies.items()}
        compared = await compare(groups, slower=slower, baseline=next(iter(bodies)))
    print(compared)
    compared.demand_alike()
