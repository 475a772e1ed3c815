"""Raw HTTP/1.1 call: target and header lines are sent unchanged."""

from contextlib import closing
from http.client import HTTPConnection
from typing import TypeAlias

import httpx2

Line: TypeAlias = tuple[str, str]


def raw_call(
    issuer: str, method: str, target: str, lines: list[Line], body: bytes = b""
) -> httpx2.Response:
    """Request and answer as a signature verifier takes them, header lines stripped."""
    connection = HTTPConnection(issuer.removeprefix("http://"), timeout=30)
    with closing(connection):
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in [*lines, *([("Content-Length", str(len(body)))] if body else [])]:
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        stripped = [(name, value.strip(" \t")) for name, value in lines]
        return httpx2.Response(
            answer.status,
            headers=answer.getheaders(),
            content=answer.read(),
            request=httpx2.Request(
                method, f"{issuer}{target.removeprefix(issuer)}", headers=stripped
            ),
        )
