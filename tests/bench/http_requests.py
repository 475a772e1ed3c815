"""What a window sends is made by the process that sends it, before its clock starts."""

from collections.abc import Mapping
from typing import Protocol

from tests.bench.options import HOST

Headers = Mapping[str, str]


class RequestSource(Protocol):
    """The requests of one window."""

    def build(self) -> list[bytes]:
        """Whole HTTP/1.1 requests as they go over the wire."""
        ...


def post_request(path: str, port: int, headers: Headers, body: bytes) -> bytes:
    """One POST."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {HOST}:{port}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body
