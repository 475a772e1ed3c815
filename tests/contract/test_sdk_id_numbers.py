"""ID numbers that the SDK asks about: encrypted by default, the same bytes when repeated, in no evidence."""

import secrets
from typing import Any

import pytest

from gateway.clients.terms import ENCRYPTED
from tests.gateway_fixture import GatewayFixture
from tests.sdk_builders import client_of, result_of
from xinqiao import AsyncClient, Client, four_elements

pytestmark = pytest.mark.asyncio(loop_scope="session")

ID_NUMBER = "legal_representative_id.v1"
GROUP = "four_elements.v1"


@pytest.mark.parametrize("kind", [Client, AsyncClient])
async def test_a_number_goes_out_encrypted(served: GatewayFixture, kind: Any) -> None:
    """By itself and in a group, also with pinned keys; the evidence holds no number."""
    caller = await served.client(id_numbers=ENCRYPTED)
    of = served.entity("clean")
    uscc, number = of.uscc, of.personal["legal_representative_id_number"]
    await served.grant(caller, uscc, datasets=(), questions=[ID_NUMBER, GROUP])
    group = four_elements(
        name=of.enterprise.name,
        legal_representative=of.enterprise.legal_representative,
        id_number=number,
    )
    for options in ({}, {"keys": served.runtime.keys.published()}):
        client = client_of(caller, kind, **options)
        asked = [group, (ID_NUMBER, number), (ID_NUMBER, "330106199001011234")]
        result = await result_of(
            client.verify(uscc.lower(), purpose="loan_approval", questions=asked)
        )
        assert [str(each.answer) for each in result.answers] == ["yes", "yes", "no"]
        assert number.encode() not in result.evidence.exchange.request_body
        await result_of(client.close() if kind is Client else client.aclose())


async def test_a_repeated_call_is_the_same_bytes(served: GatewayFixture) -> None:
    """In another process, by the idempotency key; under another key nothing is alike."""
    caller, uscc = await served.client(), served.uscc("clean")
    await served.grant(caller, uscc, datasets=(), questions=[ID_NUMBER])
    bodies = []
    key, other = secrets.token_hex(8), secrets.token_hex(8)
    for idempotency_key in (key, key, other):
        client = client_of(caller, AsyncClient)
        result = await client.verify(
            uscc,
            purpose="loan_approval",
            questions={ID_NUMBER: "330106199001011234"},
            idempotency_key=idempotency_key,
        )
        bodies.append(result.evidence.exchange.request_body)
        await client.aclose()
    assert bodies[0] == bodies[1]
    parts = [set(body.split(b'"value":"')[1].split(b".")) for body in bodies]
    assert parts[0] & parts[2] <= {b"", b'"}]}'}
