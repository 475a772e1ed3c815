"""A watch as an oracle: on consents, existence, other clients; and as a burden. Each attack has its goal."""

import asyncio
from typing import Any

import pytest

from gateway.limits.quotas import Quotas
from tests.gateway_fixture import UNKNOWN, GatewayFixture
from tests.records_builders import deliver, make_department, make_penalty
from tests.watch_builders import ACTIVE, PENALTY, delete, follow, put, show, told, watch
from verification import QUESTIONS

pytestmark = pytest.mark.asyncio(loop_scope="session")

CLOSED = [each.tag for each in QUESTIONS if each.needs_consent]


def without_what_differs_anyway(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without its times."""
    return {name: value for name, value in answer.items() if not name.endswith("_at")}


async def test_nothing_under_consent_can_be_watched(gateway: GatewayFixture) -> None:
    """Goal: learn when a rating changes, by a list, with a consent or without."""
    bank, uscc = await gateway.client(), gateway.entities[130].uscc
    await gateway.grant(bank, uscc, questions=["rating_at_least.v1"])
    for tag in CLOSED:
        refused = await put(bank, [uscc], ACTIVE, tag)
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")
    source = await make_department(gateway)
    await watch(gateway, bank, uscc, purpose="loan_approval")
    row = {"uscc": uscc, "level": "较差", "score": 300, "date": "2026-11-01"}
    await deliver(source, "public_rating", row)
    assert await told(gateway, bank) == []


async def test_a_list_tells_nothing_of_existence(gateway: GatewayFixture) -> None:
    """Goal: find which of two codes is registered, by what PUT, GET and the first round tell."""
    bank = await gateway.client()
    known = gateway.entities[131].uscc
    seen = []
    for uscc in (known, UNKNOWN):
        answer = await put(bank, [uscc], ACTIVE, PENALTY, "enterprise_name.v2")
        await follow(gateway)
        whole = (await show(bank)).json()
        assert whole.pop("enterprises") == [uscc]
        seen.append(
            (
                answer.status_code,
                without_what_differs_anyway(answer.json()),
                without_what_differs_anyway(whole),
                await told(gateway, bank),
                len(answer.content),
            )
        )
        await delete(bank)
    assert seen[0] == seen[1]


async def test_another_clients_list_is_not_there(gateway: GatewayFixture) -> None:
    """Goal: read, replace or delete it, or learn of it from one's own feed and cursor."""
    bank, thief = await gateway.client(), await gateway.client()
    department, uscc = await make_department(gateway), gateway.entities[132].uscc
    await watch(gateway, bank, uscc)
    missing = (await show(thief, "no-such-list")).json()
    stolen = (await show(thief)).json()
    assert {**stolen, "request_id": ""} == {**missing, "request_id": ""}
    assert (await delete(thief)).status_code == 404
    assert (await thief.send("/v1/watches", b"", method="GET")).json() == {"watches": []}
    await watch(gateway, thief, gateway.entities[133].uscc)
    await deliver(department, "penalty", make_penalty(gateway, uscc))
    assert await told(gateway, thief) == []
    assert await told(gateway, bank) == [(uscc, [PENALTY])]
    feed = await thief.send("/v1/changes", b"", method="GET", scope="changes")
    assert feed.json() == {"changes": [], "cursor": "0"}


async def test_the_cursor_does_not_count_other_watchers(gateway: GatewayFixture) -> None:
    """Goal: learn from one's own cursor how many others watch the same enterprise."""
    clients = [await gateway.client() for _ in range(3)]
    department, uscc = await make_department(gateway), gateway.entities[134].uscc
    for each in clients:
        await watch(gateway, each, uscc)
    await deliver(department, "penalty", make_penalty(gateway, uscc))
    for each in clients:
        assert await told(gateway, each) == [(uscc, [PENALTY])]
        feed = await each.send("/v1/changes", b"", method="GET", scope="changes")
        assert feed.json()["cursor"] == "1"


async def test_a_suspended_client_reads_nothing_that_was_told(gateway: GatewayFixture) -> None:
    """Goal: go on listening by a list that was put before."""
    bank, department = await gateway.client(), await make_department(gateway)
    uscc = gateway.entities[135].uscc
    await watch(gateway, bank, uscc)
    await bank.token("changes")
    await gateway.rows(
        "UPDATE client SET state = 'suspended' WHERE client_id = :client", client=bank.client_id
    )
    await deliver(department, "penalty", make_penalty(gateway, uscc))
    await follow(gateway)
    answer = await bank.send("/v1/changes", b"", method="GET", scope="changes")
    assert answer.json()["code"] == "client_suspended"
    assert await gateway.log_of(bank) == []


async def test_a_division_cannot_be_swept_by_lists(gateway: GatewayFixture) -> None:
    """Goal: listen to more enterprises than may be asked about, by many lists or by replacing one."""
    most = 30
    bank = await gateway.client(quotas=Quotas(distinct_enterprises_per_day=most))
    usccs = [each.uscc for each in gateway.entities]
    watched: set[str] = set()
    for start in range(0, 120, 10):
        some = usccs[start : start + 10]
        for name in ("one", f"list-{start}"):
            if (await put(bank, some, name=name)).status_code == 200:
                watched |= set(some)
    assert len(watched) <= most
    rows = await gateway.rows(
        "SELECT DISTINCT uscc FROM watch WHERE client_id = :client", client=bank.client_id
    )
    assert len(rows) <= most


async def test_a_flood_of_lists_holds_no_connection_and_is_limited(
    gateway: GatewayFixture,
) -> None:
    """Goal: keep the gateway busy, so that others are not served."""
    bank, other = await gateway.client(), await gateway.client()
    usccs = [f"91330106MB{number:08d}"[:18] for number in range(5_000)]
    flood = [asyncio.create_task(put(bank, usccs, name=f"n{n}")) for n in range(20)]
    answer = await other.verify(gateway.entities[0].uscc, ACTIVE)
    assert answer.status_code == 200
    statuses = [
        (each.status_code, each.json().get("code")) for each in await asyncio.gather(*flood)
    ]
    assert set(statuses) <= {(200, None), (429, "rate_limited"), (429, "quota_exhausted")}
    assert statuses.count((200, None)) <= 600 // 50
    for n in range(20):
        await delete(bank, f"n{n}")


async def test_what_is_kept_of_answers_tells_none(gateway: GatewayFixture) -> None:
    """Goal: read answers out of a copy of the database, by comparing marks of known enterprises."""
    bank = await gateway.client()
    same = [each.uscc for each in gateway.entities[140:150]]
    await watch(gateway, bank, *same)
    rows = await gateway.rows(
        "SELECT marks FROM watch WHERE client_id = :client", client=bank.client_id
    )
    assert len({bytes(each["marks"]) for each in rows}) == len(same)
    assert {len(each["marks"]) for each in rows} == {8}
