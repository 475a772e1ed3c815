"""A request and its answer: the parts that a response signature covers, exact to the byte."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import httpx2

#: The signed headers and no others: evidence is passed on, so it must hold no token.
REQUEST_HEADERS: Final = ("content-digest", "content-type", "signature", "signature-input")
RESPONSE_HEADERS: Final = ("content-type", "content-digest", "signature", "signature-input")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """An unverified exchange. Header names are in lower case."""

    method: str
    target_uri: str
    request_headers: Mapping[str, str]
    request_body: bytes = field(repr=False)
    status: int
    response_headers: Mapping[str, str]
    response_body: bytes = field(repr=False)

    @classmethod
    def of(cls, response: httpx2.Response) -> Exchange:
        """Build from a response whose body has been read, and its request."""
        request = response.request
        return cls(
            method=request.method,
            target_uri=str(request.url),
            request_headers=combine_fields(request.headers, REQUEST_HEADERS),
            request_body=request.content,
            status=response.status_code,
            response_headers=combine_fields(response.headers, RESPONSE_HEADERS),
            response_body=response.content,
        )


def combine_fields(headers: httpx2.Headers, names: tuple[str, ...]) -> dict[str, str]:
    """Combined field values (RFC 9421, section 2.1): lines stripped and joined by commas."""
    lines = {name: headers.get_list(name) for name in names}
    return {
        name: ", ".join(line.strip(" \t") for line in each) for name, each in lines.items() if each
    }


def sha256_digest(body: bytes) -> str:
    """Content-Digest value of a body (RFC 9530): `sha-256=:base64:`."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
