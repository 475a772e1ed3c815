"""Clients of the SDK for callers of the gateway, blocking and with asyncio, and what lies between."""

import inspect
import json
from collections.abc import Callable
from typing import Any

import httpx2
from jwt.algorithms import ECAlgorithm

from tests.gateway_fixture import Caller
from xinqiao import AsyncClient, Client, RetryPolicy

QUICK = RetryPolicy(base=0.01)
Answer = Callable[[httpx2.Response], httpx2.Response]


async def settled(outcome: Any) -> Any:
    """What a call of either client gives."""
    return await outcome if inspect.isawaitable(outcome) else outcome


def client_of(caller: Caller, kind: type[Client | AsyncClient], **options: Any) -> Any:
    """A client of this kind with the caller's own credentials."""
    private: dict[str, Any] = ECAlgorithm.to_jwk(caller.key, as_dict=True)
    chosen: dict[str, Any] = {
        "issuer": caller.gateway.issuer,
        "client_id": caller.client_id,
        "private_jwks": {**private, "kid": "k1"},
        "redirect_uri": "https://bank.test/callback",
        "retry": QUICK,
        **options,
    }
    return kind(**chosen)


class TamperingTransport(httpx2.AsyncBaseTransport):
    """The real network; keeps the statuses of /v1, and may spoil answers on their way."""

    def __init__(self, spoil: Answer = lambda response: response) -> None:
        self._real = httpx2.AsyncHTTPTransport()
        self._spoil = spoil
        self.statuses: list[int] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Pass on what was asked and what was answered."""
        response = await self._real.handle_async_request(request)
        if not request.url.path.startswith("/v1"):
            return response
        await response.aread()
        response.request = request
        self.statuses.append(response.status_code)
        return self._spoil(response)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._real.aclose()


def altered(response: httpx2.Response, old: bytes, new: bytes) -> httpx2.Response:
    """The same answer, with one part of its body changed."""
    headers = {k: v for k, v in response.headers.items() if k != "content-length"}
    content = response.content.replace(old, new)
    return httpx2.Response(response.status_code, headers=headers, content=content)


def members(document: Any, path: str = "") -> set[str]:
    """The path of every member of a JSON document; of lists, those of any element."""
    if isinstance(document, dict):
        below = (members(value, f"{path}.{name}") for name, value in document.items())
        return {path}.union(*below)
    if isinstance(document, list):
        return {path}.union(*(members(value, f"{path}[]") for value in document))
    return {path}


def read(body: bytes) -> Any:
    """A JSON body."""
    return json.loads(body)
