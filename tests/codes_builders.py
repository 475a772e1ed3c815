"""Builders for enterprise codes over the API: a registering authority, its enterprises, its calls."""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx2

from tests.gateway_fixture import Caller, GatewayFixture

SCOPE: Final = "codes"
CODES: Final = "/v1/enterprise-codes"


@asynccontextmanager
async def make_authority(
    gateway: GatewayFixture, *usccs: str, **terms: Any
) -> AsyncIterator[Caller]:
    """A source that has registered these enterprises, for as long as the block runs.

    Their codes are deleted at its end.
    """
    caller = await gateway.client("source", **{"datasets": frozenset({"registration"}), **terms})
    before = await gateway.rows(
        "SELECT uscc, source_id, name, division, status FROM enterprise WHERE uscc = ANY(:usccs)",
        usccs=list(usccs),
    )
    await gateway.rows(
        "UPDATE enterprise SET source_id = :client WHERE uscc = ANY(:usccs)",
        client=caller.client_id,
        usccs=list(usccs),
    )
    try:
        yield caller
    finally:
        for row in before:
            await gateway.rows(
                "UPDATE enterprise SET source_id = :source_id, name = :name, division = :division,"
                " status = :status WHERE uscc = :uscc",
                **row,
            )
        for table in ("enterprise_code", "enterprise_code_locator"):
            await gateway.rows(f"DELETE FROM {table} WHERE uscc = ANY(:u)", u=list(usccs))  # noqa: S608


def code_body(uscc: str, **changed: Any) -> dict[str, Any]:
    """Body that issues a code."""
    return {"enterprise": {"uscc": uscc}, "sign_name": "云栖小店", "label": "南门", **changed}


async def post(
    caller: Caller, path: str, body: Mapping[str, Any] | bytes, *, key: str | None = None
) -> httpx2.Response:
    """POST below `/v1/enterprise-codes`, with a key of its own unless one is given."""
    headers = {"Idempotency-Key": key} if key else None
    return await caller.send(CODES + path, body, scope=SCOPE, headers=headers)


async def get(caller: Caller, path: str) -> httpx2.Response:
    """GET below `/v1/enterprise-codes`."""
    return await caller.send(CODES + path, b"", method="GET", scope=SCOPE)


async def issue(caller: Caller, uscc: str, **changed: Any) -> dict[str, Any]:
    """Issue a code."""
    response = await post(caller, "", code_body(uscc, **changed), key=secrets.token_hex(8))
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


def problem(response: httpx2.Response) -> tuple[int, str]:
    """Status and code of a problem."""
    return response.status_code, response.json()["code"]
