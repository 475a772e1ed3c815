"""Checkpoint store over HTTP on loopback: one resource with entity tags, and injected faults."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(slots=True, kw_only=True)
class CheckpointServer:
    """Stored checkpoint and the faults to inject."""

    content: bytes | None = None
    conditional: bool = True
    """Whether it supports entity tags and preconditions."""
    status: int | None = None
    """Status of every answer, if set."""
    put_status: int | None = None
    """Status of the answer to a PUT, if set."""
    location: str = ""
    before_put: list[bytes] = field(default_factory=list)
    """Concurrent writes, one before each PUT."""
    authorization: list[str | None] = field(default_factory=list)
    origin: str = ""

    @property
    def url(self) -> str:
        """URL of the resource."""
        return f"{self.origin}/log/checkpoint"

    @property
    def etag(self) -> str | None:
        """Entity tag of the stored text."""
        if self.content is None or not self.conditional:
            return None
        return f'"{hashlib.sha256(self.content).hexdigest()[:16]}"'

    def fits(self, match: str | None, none_match: str | None) -> bool:
        """True if the request's preconditions hold (RFC 9110 §13.1)."""
        if not self.conditional:
            return True
        if none_match == "*" and self.content is not None:
            return False
        return match is None or match == self.etag


class _Http(ThreadingHTTPServer):
    """HTTP server with its state."""

    def __init__(self, kept: CheckpointServer) -> None:
        self.kept = kept
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    """Request handler: GET and conditional PUT."""

    @property
    def _kept(self) -> CheckpointServer:
        assert isinstance(self.server, _Http)
        return self.server.kept

    def do_GET(self) -> None:
        kept = self._kept
        kept.authorization.append(self.headers.get("Authorization"))
        if kept.status is not None:
            self._answer(kept.status, b"something else")
        elif kept.content is None:
            self._answer(404)
        else:
            self._answer(200, kept.content)

    def do_PUT(self) -> None:
        kept = self._kept
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if kept.before_put:
            kept.content = kept.before_put.pop(0)
        if kept.status or kept.put_status:
            self._answer(kept.status or kept.put_status or 0)
        elif kept.fits(self.headers.get("If-Match"), self.headers.get("If-None-Match")):
            kept.content = content
            self._answer(204)
        else:
            self._answer(412)

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        if self._kept.etag is not None:
            self.send_header("ETag", self._kept.etag)
        if self._kept.location:
            self.send_header("Location", self._kept.location)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Suppress the access log."""


@contextmanager
def make_checkpoint_server() -> Iterator[CheckpointServer]:
    """A running server on a free port."""
    server = CheckpointServer()

    with _Http(server) as http:
        server.origin = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
