"""In-memory connection to an application under the gateway's HTTP protocol, with chosen segments."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.http1.protocol import Http1Protocol
from gateway.http1.server import SERVER_OPTIONS

PATIENCE: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A received answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The JSON body."""
        return orjson.loads(self.body)

    @property
    def closes(self) -> bool:
        """True if the answer announces the end of the connection."""
        return self.headers.get("connection") == "close"


@dataclass(slots=True, kw_only=True)
class Recorder:
    """Application that records requests and answers with them.

    It answers `/early` without reading the body, and `/held` once `release` is set.
    """

    seen: list[dict[str, Any]] = field(default_factory=list)
    broken_off: int = 0
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        assert scope["type"] == "http"
        request = Request(scope, receive)
        told = {
            "method": scope["method"],
            "path": scope["raw_path"].decode(),
            "query": scope["query_string"].decode(),
            "headers": [(n.decode("latin-1"), v.decode("latin-1")) for n, v in scope["headers"]],
            "body": "",
        }
        self.seen.append(told)
        if scope["path"] == "/held":
            await self.release.wait()
        if scope["path"] != "/early":
            try:
                told["body"] = (await request.body()).decode("latin-1")
            except ClientDisconnect:
                self.broken_off += 1
                return
        told["headers_after"] = len(scope["headers"])
        await Response(orjson.dumps(told), media_type="application/json")(scope, receive, send)

    @property
    def paths(self) -> list[str]:
        """Paths of the recorded requests, in order."""
        return [each["path"] for each in self.seen]


@dataclass(slots=True, kw_only=True)
class Http1Connection:
    """Client side of a connection, with the protocol on the other side."""

    app: Recorder
    protocol: Http1Protocol
    reader: asyncio.StreamReader

    async def arrives(self, *segments: bytes) -> None:
        """Deliver these segments in order."""
        for segment in segments:
            if self.protocol.transport.is_closing():
                return
            self.protocol.data_received(segment)
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    async def answer(self) -> Answer:
        """The next answer."""
        async with asyncio.timeout(PATIENCE):
            lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()
            pairs = (line.split(": ", 1) for line in lines[1:-1])
            headers = {name.lower(): value for name, value in pairs}
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(status=int(lines[0].split(" ")[1]), headers=headers, body=body)

    async def ends(self) -> bytes:
        """All bytes until the connection is closed."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.read()

    async def refused(self, status: int) -> Answer:
        """The last answer, which must be a refusal that closes the connection."""
        answer = await self.answer()
        assert (answer.status, answer.json["status"]) == (status, status), answer
        assert answer.json["code"] == "invalid_request"
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.closes
        assert await self.ends() == b""
        return answer


@asynccontextmanager
async def connect(**options: Any) -> AsyncIterator[Http1Connection]:
    """A connection to a new recorder."""
    app = Recorder()
    made: list[Http1Protocol] = []
    accepted = asyncio.Event()
    config = uvicorn.Config(app, lifespan="off", log_config=None, **{**SERVER_OPTIONS, **options})
    config.load()
    state = uvicorn.Server(config).server_state

    class Protocol(Http1Protocol):
        """The gateway's protocol, with a future for its connection."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            made.append(self)
            accepted.set()

    def factory() -> Http1Protocol:
        return Protocol(config=config, server_state=state, app_state={})

    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
    try:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        await accepted.wait()
        yield Http1Connection(app=app, protocol=made[0], reader=reader)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
    finally:
        server.close()
        for each in made:
            each.transport.abort()
        app.release.set()
        await asyncio.gather(*state.tasks, return_exceptions=True)
        await asyncio.sleep(0)


def cuts(data: bytes, *places: int) -> dict[str, list[bytes]]:
    """Segmentations of `data`: whole, at each of `places`, byte by byte."""
    return {
        "one segment": [data],
        **{f"cut at {place}": [data[:place], data[place:]] for place in places},
        "byte by byte": [bytes([octet]) for octet in data],
    }


def segmentations(data: bytes, *places: int) -> Iterator[list[bytes]]:
    """The segmentations without their names."""
    yield from cuts(data, *places).values()
