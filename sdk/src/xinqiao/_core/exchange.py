"""One request and its answer, exact to the byte, as far as a signature covers them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import httpx2

#: What is kept: the signed parts and no others. Evidence is handed on, so it holds no token, and
#: nothing in it can be changed unnoticed.
REQUEST_HEADERS: Final = ("content-digest", "signature")
RESPONSE_HEADERS: Final = ("content-type", "content-digest", "signature", "signature-input")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """An exchange whose answer nobody has verified yet. Header names are in lower case."""

    method: str
    target_uri: str
    request_headers: Mapping[str, str]
    request_body: bytes = field(repr=False)
    status: int
    response_headers: Mapping[str, str]
    response_body: bytes = field(repr=False)

    @classmethod
    def of(cls, response: httpx2.Response) -> Exchange:
        """Take what matters of a response whose body has been read, and of its request."""
        request = response.request
        return cls(
            method=request.method,
            target_uri=str(request.url),
            request_headers=combined(request.headers, REQUEST_HEADERS),
            request_body=request.content,
            status=response.status_code,
            response_headers=combined(response.headers, RESPONSE_HEADERS),
            response_body=response.content,
        )


def combined(headers: httpx2.Headers, names: tuple[str, ...]) -> dict[str, str]:
    """Several lines of one field count as one, without blanks around them (RFC 9421, section 2.1)."""
    lines = {name: headers.get_list(name) for name in names}
    return {
        name: ", ".join(line.strip(" \t") for line in each) for name, each in lines.items() if each
    }


def sha256_digest(body: bytes) -> str:
    """Write the Content-Digest of a body (RFC 9530): `sha-256=:base64:`."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
