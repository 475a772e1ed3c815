"""Server on loopback that takes alerts: records them; refuses, stalls or redirects as configured."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedAlert:
    """A received request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True, kw_only=True)
class AlertServer:
    """Server that answers with the next of `statuses`, repeating the last."""

    statuses: list[int] = field(default_factory=lambda: [204])
    taken: list[ReceivedAlert] = field(default_factory=list)
    origin: str = ""

    @property
    def url(self) -> str:
        """URL for alerts."""
        return f"{self.origin}/alerts"


@contextmanager
def make_alert_server() -> Iterator[AlertServer]:
    """A running HTTP server on a free port."""
    server = AlertServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            server.taken.append(ReceivedAlert(path=self.path, headers=headers, body=body))
            status = server.statuses.pop(0) if len(server.statuses) > 1 else server.statuses[0]
            self.send_response(status)
            if status in {302, 307}:
                self.send_header("Location", f"{server.origin}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.origin = f"http://127.0.0.1:{listening.server_address[1]}"
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()
