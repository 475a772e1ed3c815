"""Cacheable representation of a page or stylesheet: codings, strong entity tags, 304 (RFC 9110)."""

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from gateway.pages.content_coding import CODINGS, Coding, encoded, negotiated_coding

OK: Final = 200
NOT_MODIFIED: Final = 304
REVALIDATED: Final = "no-cache"
VARY: Final = "Accept, Accept-Encoding"
_DIGEST_BYTES: Final = 16
_SUFFIXES: Final[Mapping[Coding, str]] = {"br": "-br", "gzip": "-gz", "identity": ""}
_TAG: Final = re.compile(r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_OF_NOT_MODIFIED: Final[tuple[str, ...]] = ("cache-control", "vary", "content-language", "etag")
"""RFC 9110 §15.4.5."""


class Representation:
    """A page's bytes and headers (names in lower case); its coded forms are made when first asked for."""

    def __init__(self, body: bytes, headers: Mapping[str, str]) -> None:
        digest = hashlib.sha256(body).digest()[:_DIGEST_BYTES]
        self._name = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        self._headers = dict(headers)
        self._bodies: dict[Coding, bytes] = {"identity": body}

    @classmethod
    def of(cls, page: Response) -> "Representation":
        """The representation of a rendered page; a cache may keep it and must ask before each use."""
        headers = {name: value for name, value in page.headers.items() if name != "content-length"}
        return cls(bytes(page.body), headers | {"cache-control": REVALIDATED, "vary": VARY})

    @property
    def max_size(self) -> int:
        """Upper bound of the bytes of all coded forms."""
        return len(CODINGS) * len(self._bodies["identity"])

    def response(self, request: Request, status: int = OK) -> Response:
        """The response in the coding that the client accepts; 304 where it has these bytes already.

        Only what GET finds is cacheable; the answer to a form is not.
        """
        coding = negotiated_coding(",".join(request.headers.getlist("accept-encoding")))
        headers = self._headers
        if request.method != "GET":
            headers = headers | {"cache-control": "no-store"}
        elif status == OK:
            tag = f"{self._name}{_SUFFIXES[coding]}"
            headers = headers | {"etag": f'"{tag}"'}
            if _names(",".join(request.headers.getlist("if-none-match")), tag):
                kept = {name: headers[name] for name in _OF_NOT_MODIFIED if name in headers}
                return Response(status_code=NOT_MODIFIED, headers=kept)
        if coding != "identity":
            headers = headers | {"content-encoding": coding}
        return Response(self.coded(coding), status, headers)

    def coded(self, coding: Coding) -> bytes:
        """The bytes in a coding."""
        body = self._bodies.get(coding)
        if body is None:
            body = self._bodies[coding] = encoded(self._bodies["identity"], coding)
        return body


class PlainAnswer:
    """A response that is kept as it is: sent uncoded, and to clients that do not store it."""

    def __init__(self, answer: Response) -> None:
        self._answer = answer

    @property
    def max_size(self) -> int:
        """The bytes of its body."""
        return len(self._answer.body)

    def response(self, _request: Request) -> Response:
        """The same response anew."""
        answer = self._answer
        return Response(bytes(answer.body), answer.status_code, dict(answer.headers))


def _names(if_none_match: str, tag: str) -> bool:
    """True if `If-None-Match` has this tag, by weak comparison (RFC 9110 §13.1.2)."""
    return if_none_match.strip() == "*" or tag in _TAG.findall(if_none_match)
