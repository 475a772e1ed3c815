"""SDK clients for tests, blocking and asyncio, with a transport that can tamper with answers."""

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


async def result_of(outcome: Any) -> Any:
    """Result of a call of either client."""
    return await outcome if inspect.isawaitable(outcome) else outcome


def client_of(caller: Caller, kind: type[Client | AsyncClient], **options: Any) -> Any:
    """SDK client of this kind with the caller's credentials."""
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
    """Real network transport that records the statuses of /v1 and may tamper with answers."""

    def __init__(self, spoil: Answer = lambda response: response) -> None:
        self._real = httpx2.AsyncHTTPTransport()
        self._spoil = spoil
        self.statuses: list[int] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Forward the request and return its answer."""
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


def tamper_with(response: httpx2.Response, old: bytes, new: bytes) -> httpx2.Response:
    """The same answer with one member of its body changed."""
    headers = {k: v for k, v in response.headers.items() if k != "content-length"}
    content = response.content.replace(old, new)
    return httpx2.Response(response.status_code, headers=headers, content=content)


def members(document: Any, path: str = "") -> set[str]:
    """Path of each member of a JSON document, list indices left out."""
    if isinstance(document, dict):
        below = (members(value, f"{path}.{name}") for name, value in document.items())
        return {path}.union(*below)
    if isinstance(document, list):
        return {path}.union(*(members(value, f"{path}[]") for value in document))
    return {path}


def parse_json(body: bytes) -> Any:
    """Parse a JSON body."""
    return json.loads(body)
