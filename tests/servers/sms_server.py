"""SMS gateway on loopback: records requests; answers, stalls or redirects as configured."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedRequest:
    """A received request."""

    method: str
    path: str
    headers: dict[str, str]
    form: dict[str, str]


@dataclass(slots=True, kw_only=True)
class SmsServer:
    """Server that answers with the next of `statuses`, repeating the last."""

    statuses: list[int] = field(default_factory=lambda: [200])
    location: str = ""
    stalls: bool = False
    """Whether requests are answered only at the end."""
    body: bytes = b"{}"
    taken: list[ReceivedRequest] = field(default_factory=list)
    origin: str = ""

    @property
    def url(self) -> str:
        """URL for messages."""
        return f"{self.origin}/send"


@contextmanager
def make_sms_server() -> Iterator[SmsServer]:
    """A running HTTP server on a free port."""
    server, ending = SmsServer(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            written = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            server.taken.append(
                ReceivedRequest(
                    method=self.command,
                    path=self.path,
                    headers={name.lower(): value for name, value in self.headers.items()},
                    form=dict(parse_qsl(written, strict_parsing=bool(written))),
                )
            )
            if server.stalls:
                ending.wait()
            status = server.statuses.pop(0) if len(server.statuses) > 1 else server.statuses[0]
            self.send_response(status)
            if server.location:
                self.send_header("Location", server.location)
            self.send_header("Content-Length", str(len(server.body)))
            self.end_headers()
            self.wfile.write(server.body)

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Suppress the access log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server.origin = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            ending.set()
            http.shutdown()
            thread.join()
