"""HTTP/1.1 protocol of uvicorn (httptools) with strict message framing (RFC 9112) and bounds.

- `Upgrade` is ignored (RFC 9110 §7.8). The parser stops after such a head as if another protocol
  began there; the head is then parsed once more without that field, and what follows it is its body.
- A head is bounded in bytes, in fields and in time; so are chunk extensions and trailers, which are
  never headers (RFC 9110 §6.5.1).
- A message that cannot be served ends its connection: pending answers go out first, then one refusal,
  and nothing after it is parsed.
"""

import asyncio
from typing import TYPE_CHECKING, Any, Final

import httptools
import orjson
import structlog
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from gateway.http1 import head
from gateway.http1.head import HeadRefusal, RequestHead
from gateway.http1.response_writer import ResponseWriter
from gateway.problems import PROBLEM_TYPE, document

if TYPE_CHECKING:
    from uvicorn._types import (
        ASGI3Application,
        ASGIReceiveCallable,
        ASGISendCallable,
        ASGISendEvent,
        Scope,
    )

log = structlog.get_logger("gateway.http1")

LINGER_SECONDS: Final = 5.0  # in which what a refused client still sends is read and dropped
DRAIN_SECONDS: Final = 2.0  # in which a new connection's request is still taken while a worker ends
CONNECT: Final = b"CONNECT"


class RefusedError(Exception):
    """Raised in the parser's callbacks; `refusal` answers the message."""

    def __init__(self, refusal: HeadRefusal) -> None:
        self.refusal = refusal
        super().__init__(refusal.detail)


class Http1Protocol(HttpToolsProtocol):
    """One connection of a client or proxy."""

    head_within: float = 10.0
    """Seconds from a connection's start, or a later message's first byte, to the end of its head."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # uvicorn's own
        super().__init__(*args, **kwargs)
        self.parser = self._new_parser()
        self._in_head = True  # between two messages too
        self._head_begun = False
        self._advanced = False
        self._without_progress = 0  # bytes that have arrived and completed nothing
        self._head_timer: asyncio.TimerHandle | None = None
        self._refusal: HeadRefusal | None = None
        self._is_ending = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the timer of the first head."""
        super().connection_made(transport)
        self._writer = ResponseWriter(transport, self.loop)
        self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timers."""
        self._stop_head_timer()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """End after the answers under way; a new connection has a moment for its first request."""
        self._is_ending = True
        if self.cycle is None:
            self.loop.call_later(DRAIN_SECONDS, self._close_unused)
        else:
            super().shutdown()

    def _close_unused(self) -> None:
        if self.cycle is None:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Parse `data`, unless this connection has been refused."""
        if self._refusal is not None:
            return
        self._advanced = False
        try:
            self._feed(data)
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(cause.refusal if isinstance(cause, RefusedError) else head.MALFORMED)
            return
        self._without_progress = 0 if self._advanced else self._without_progress + len(data)
        if self._without_progress > head.MAX_HEAD_BYTES:
            self._refuse(head.HEAD_TOO_LARGE)
        elif self._in_head and (self._head_begun or self._without_progress):
            self._start_head_timer()

    def on_message_begin(self) -> None:
        """A head's first byte."""
        super().on_message_begin()
        self._unset_keepalive_if_required()
        self._head_begun = True

    def on_url(self, url: bytes) -> None:
        """A piece of the request target."""
        super().on_url(url)
        if len(self.url) > head.MAX_TARGET_BYTES:
            raise RefusedError(head.TARGET_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A whole field, of the head or of a trailer."""
        if self._in_head:
            self.headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Check the head and start serving the message."""
        method = self.parser.get_method()
        if self.parser.should_upgrade() and method != CONNECT:
            return  # `_feed` parses this head once more
        found = RequestHead(
            method=method,
            target=self.url,
            version=self.parser.get_http_version(),
            fields=self.headers,
        )
        refusal = head.check_head(found)
        if refusal is not None:
            raise RefusedError(refusal)
        self.url, host = head.origin_form(found)
        if host is not None:
            self.headers[:] = [each for each in self.headers if each[0] != b"host"]
            self.headers.append((b"host", host))
        self.expect_100_continue = found.expects_continue
        super().on_headers_complete()
        if self._is_ending:
            self.cycle.keep_alive = False
        # `path` and `query_string` do not tell `/a?` from `/a`; a signature must.
        self.scope["target"] = self.url  # type: ignore[typeddict-unknown-key]
        self._in_head = self._head_begun = False
        self._advanced = True
        self._stop_head_timer()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._advanced = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The message has ended, trailers included."""
        if self._in_head:
            return  # an upgrade's first reading
        super().on_message_complete()
        self._in_head = self._advanced = True

    def on_response_complete(self) -> None:
        """Go on with the next message, or with the refusal that ends the connection."""
        if self._refusal is None or self.pipeline:
            super().on_response_complete()
        elif not self.transport.is_closing():
            self._send(self._refusal)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: "ASGI3Application") -> None:
        cycle.transport = self._writer  # type: ignore[assignment]  # it writes, and asks if it closes
        super()._start_asgi_task(
            cycle, _closing_unless_continued(cycle, app) if cycle.waiting_for_100_continue else app
        )

    def _new_parser(self) -> httptools.HttpRequestParser:
        parser = httptools.HttpRequestParser(self)
        # Strict in everything: what follows `Connection: close` is an error, not another message.
        parser.set_dangerous_leniencies(lenient_data_after_close=False)
        return parser

    def _feed(self, data: bytes) -> None:
        rest = memoryview(data)
        while True:
            try:
                self.parser.feed_data(rest)
            except httptools.HttpParserUpgrade as stopped:
                rest = rest[stopped.args[0] :]
                again = self._head_without_upgrade()
                self.parser = self._new_parser()
                self.parser.feed_data(again)
            else:
                return

    def _head_without_upgrade(self) -> bytes:
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (method, self.url, version)]
        lines += [b"%b: %b" % field for field in self.headers if field[0] != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])

    def _start_head_timer(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_within, self._head_is_late)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self.transport.is_closing() or self._refusal is not None or not self._in_head:
            return
        if self.flow.read_paused:  # we do not read
            self._start_head_timer()
        elif self._head_begun:
            self._refuse(head.HEAD_TOO_SLOW)
        else:  # empty lines at most, which some clients send after a body: no message to answer
            self.transport.close()

    def _refuse(self, refusal: HeadRefusal) -> None:
        """Stop parsing, and answer in the message's turn."""
        log.info("refused", error="invalid_request", status=refusal.status, reason=refusal.detail)
        self._refusal = refusal
        self._stop_head_timer()
        if not self._in_head and self.pipeline:
            self.pipeline.popleft()  # the newest, whose body is at fault; not started
        elif not self._in_head:
            self._break_off(self.cycle, refusal)
            return
        if self.cycle is None or self.cycle.response_complete:
            self._send(refusal)

    def _break_off(self, cycle: RequestResponseCycle, refusal: HeadRefusal) -> None:
        """End the message that is being served, within its body."""
        if cycle.response_complete:
            self._linger()
            return
        cycle.disconnected = True
        cycle.message_event.set()
        if cycle.response_started:
            self.transport.close()
        else:
            self._send(refusal)

    def _send(self, refusal: HeadRefusal) -> None:
        body = orjson.dumps(
            document("invalid_request", refusal.detail, status=refusal.status, request_id=None)
        )
        fields = [
            *self.server_state.default_headers,
            (b"content-type", PROBLEM_TYPE.encode()),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
            (b"connection", b"close"),
        ]
        lines = b"".join(b"%b: %b\r\n" % field for field in fields)
        self._writer.write(b"".join((STATUS_LINE[refusal.status], lines, b"\r\n", body)))
        self._writer.flush()
        self._linger()

    def _linger(self) -> None:
        """Close after the client has read the answer: unread bytes would reset the connection."""
        self._unset_keepalive_if_required()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)


def _closing_unless_continued(
    cycle: RequestResponseCycle, app: "ASGI3Application"
) -> "ASGI3Application":
    """Close the connection if a body waiting for `100 Continue` was never read.

    The client may omit that body, and what it sends next must not be taken for it.
    """

    async def serve(
        scope: "Scope", receive: "ASGIReceiveCallable", send: "ASGISendCallable"
    ) -> None:
        async def sending(message: "ASGISendEvent") -> None:
            if cycle.waiting_for_100_continue:
                cycle.keep_alive = False
            await send(message)

        await app(scope, receive, sending)

    return serve
