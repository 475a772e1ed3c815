"""A small CDN on loopback: keeps what it is allowed to for as long as it may, and purges by keys."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

TOKEN: Final = "purge token of the tests, long enough"
_MAX_AGE: Final = re.compile(r"(?:^|[ ,])max-age=(\d+)")
_NOT_PASSED_ON: Final = frozenset({"content-length", "cdn-cache-control", "surrogate-control"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A stored response."""

    answer: httpx2.Response
    keys: frozenset[str]
    until: datetime


@dataclass(slots=True, kw_only=True)
class CachingCdn:
    """Serves `origin`'s pages to citizens, and takes the gateway's purges."""

    now: Callable[[], datetime]
    address: str = ""
    origin: httpx2.AsyncClient | None = None
    stored: dict[tuple[str, str], Stored] = field(default_factory=dict)
    purges: list[list[str]] = field(default_factory=list)
    """The keys of each purge, also of refused ones."""
    is_dead: bool = False
    """Whether purges are refused."""
    stalled: asyncio.Event | None = None
    """What purges wait for, where it is set."""

    @property
    def purge_url(self) -> str:
        """Address of its purges."""
        return f"{self.address}/purge"

    async def get(self, path: str, accept: str = "text/html") -> httpx2.Response:
        """Answer of the CDN to a citizen."""
        async with httpx2.AsyncClient(base_url=self.address, trust_env=False) as citizen:
            return await citizen.get(path, headers={"Accept": accept})

    async def serve_page(self, request: Request) -> Response:
        """Answer from the store, or ask the origin and store what may be stored."""
        assert self.origin is not None
        accept = request.headers.get("accept", "")
        key = (f"{request.url.path}?{request.url.query}".rstrip("?"), accept)
        found = self.stored.get(key)
        is_hit = found is not None and self.now() < found.until
        if found is None or not is_hit:
            answer = await self.origin.get(key[0], headers={"Accept": accept})
            limit = _MAX_AGE.search(answer.headers.get("cdn-cache-control", ""))
            found = Stored(
                answer=answer,
                keys=frozenset(answer.headers.get("surrogate-key", "").split()),
                until=self.now() + timedelta(seconds=int(limit[1]) if limit else 0),
            )
            if limit and answer.status_code == 200:
                self.stored[key] = found
        headers = {n: v for n, v in found.answer.headers.items() if n not in _NOT_PASSED_ON}
        headers.pop("content-encoding", None)
        headers["x-cache"] = "hit" if is_hit else "miss"
        return Response(found.answer.content, found.answer.status_code, headers)

    async def take_purge(self, request: Request) -> Response:
        """Drop all that has one of the keys."""
        keys = json.loads(await request.body())["tags"]
        assert request.headers["surrogate-key"].split() == keys
        self.purges.append(keys)
        if self.stalled is not None:
            await self.stalled.wait()
        if self.is_dead:
            return Response(status_code=503)
        if request.headers["authorization"] != f"Bearer {TOKEN}":
            return Response(status_code=401)
        self.stored = {k: each for k, each in self.stored.items() if not each.keys & set(keys)}
        return Response(status_code=204)


@asynccontextmanager
async def caching_cdn(now: Callable[[], datetime]) -> AsyncIterator[CachingCdn]:
    """A running CDN, whose `origin` is still to be set."""
    cdn = CachingCdn(now=now)
    app = Starlette(
        routes=[
            Route("/purge", cdn.take_purge, methods=["POST"]),
            Route("/{path:path}", cdn.serve_page),
        ]
    )
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        cdn.address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield cdn
        finally:
            server.should_exit = True
            if cdn.stalled is not None:
                cdn.stalled.set()
            await serving
