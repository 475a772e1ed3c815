"""HTTP requests of one window, built in the load generator's process before its clock starts."""

from collections.abc import Mapping
from typing import Protocol

from tests.bench.options import HOST

Headers = Mapping[str, str]


class RequestSource(Protocol):
    """Builder of the requests of one window."""

    def build(self) -> list[bytes]:
        """Complete HTTP/1.1 requests as bytes."""
        ...


def get_request(path: str, port: int, headers: Headers) -> bytes:
    """One GET request."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {HOST}:{port}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def post_request(path: str, port: int, headers: Headers, body: bytes) -> bytes:
    """One POST request."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {HOST}:{port}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body
