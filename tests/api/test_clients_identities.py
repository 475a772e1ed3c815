"""Uniqueness of client ids and names, confusable ones included."""

import asyncio
import secrets
from typing import Any

import pytest

from tests.client_builders import get, make_operator, make_registration, post
from tests.gateway_fixture import GatewayFixture

pytestmark = pytest.mark.asyncio(loop_scope="session")


def make_body(client_id: str | None = None, **changes: Any) -> dict[str, Any]:
    """Body that registers a client."""
    own = client_id or f"bank-{secrets.token_hex(6)}"
    return {"client_id": own, "registration": make_registration(**changes)}


async def test_an_id_in_another_case_is_taken(gateway: GatewayFixture) -> None:
    """Also if the other client has ended."""
    operator, body = await make_operator(gateway), make_body()
    assert (await post(operator, "/clients", body)).status_code == 201
    for ended in (False, True):
        again = await post(operator, "/clients", make_body(body["client_id"].upper()))
        assert (again.status_code, again.json()["code"]) == (409, "conflict")
        assert body["client_id"] in again.json()["detail"]
        if not ended:
            await post(operator, f"/clients/{body['client_id']}/end")


async def test_a_name_that_looks_like_anothers_is_taken(gateway: GatewayFixture) -> None:
    """In Chinese or English name; the refusal names the other client."""
    operator, own = await make_operator(gateway), secrets.token_hex(6)
    first = make_body(name_zh=f"钱塘银行 {own}", name_en=f"Qiantang Bank {own}")
    assert (await post(operator, "/clients", first)).status_code == 201
    for changes in (
        {"name_zh": f"钱塘銀行{own}"},
        {"name_en": f"QIANTANG  bank-{own}"},
        {"name_en": f"ＱＩＡＮＴＡＮＧ Bank {own}"},
        {"name_en": f"Qiäntang Bank {own}"},
        {"name_zh": f"Qiantang Bank {own}"},
        {"name_en": f"钱塘银行 {own}"},
    ):
        answer = await post(operator, "/clients", make_body(**changes))
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict"), changes
        assert first["client_id"] in answer.json()["detail"]
    for changes in ({"name_en": f"Qiantang\u200b Bank {own}"}, {"name_en": f"Qiаntang Bank {own}"}):
        answer = await post(operator, "/clients", make_body(**changes))
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request"), changes


async def test_the_name_of_a_client_that_has_ended_is_free(gateway: GatewayFixture) -> None:
    """It may be registered again under another id."""
    operator, body = await make_operator(gateway), make_body()
    await post(operator, "/clients", body)
    again = make_body() | {"registration": body["registration"]}
    assert (await post(operator, "/clients", again)).status_code == 409
    await post(operator, f"/clients/{body['client_id']}/suspend")
    assert (await post(operator, "/clients", again)).status_code == 409
    await post(operator, f"/clients/{body['client_id']}/end")
    assert (await post(operator, "/clients", again)).status_code == 201


async def test_one_of_concurrent_registrations_of_a_name_succeeds(
    gateway: GatewayFixture,
) -> None:
    """Each in another spelling; and one id in two cases."""
    operator, own = await make_operator(gateway), secrets.token_hex(6)
    names = [f"{' ' * n}Crowded Bank {own}" for n in range(8)]
    answers = await asyncio.gather(
        *(post(operator, "/clients", make_body(name_en=name)) for name in names),
        *(
            post(operator, "/clients", make_body(cased))
            for cased in (f"twice-{own}", f"TWICE-{own}")
        ),
    )
    statuses = [answer.status_code for answer in answers]
    assert sorted(statuses[:8]) == [201] + [409] * 7
    assert sorted(statuses[8:]) == [201, 409]


async def test_clients_that_share_a_name_already_go_on(gateway: GatewayFixture) -> None:
    """Clients from before the check are neither refused nor renamed."""
    operator, one, other = (
        await make_operator(gateway),
        await gateway.client(),
        await gateway.client(),
    )
    shown = [await get(operator, f"/clients/{each.client_id}") for each in (one, other)]
    assert shown[0]["name_zh"] == shown[1]["name_zh"]
    assert (await post(operator, f"/clients/{other.client_id}/suspend")).status_code == 200
    assert (await post(operator, f"/clients/{other.client_id}/resume")).status_code == 200
    taken = await post(operator, "/clients", make_body(name_zh=shown[0]["name_zh"]))
    assert taken.status_code == 409
