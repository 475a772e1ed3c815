"""Cacheable representation of a page or stylesheet: codings, strong entity tags, 304 (RFC 9110)."""

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Final, NamedTuple, Self

from starlette.requests import Request
from starlette.responses import Response

from gateway.pages.content_coding import CODINGS, Coding, encoded, negotiated_coding

OK: Final = 200
NOT_MODIFIED: Final = 304
REVALIDATED: Final = b"no-cache"
VARY: Final = b"Accept, Accept-Encoding"
_DIGEST_BYTES: Final = 16
_TAG: Final = re.compile(r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_OF_NOT_MODIFIED: Final = frozenset({b"cache-control", b"vary", b"content-language", b"etag"})
"""RFC 9110 §15.4.5."""
_UNCACHED: Final = {b"cache-control": b"no-store"}

Headers = Mapping[bytes, bytes]
"""Headers as they are sent, with names in lower case."""


class _Coded(NamedTuple):
    """A body as it is sent, with its entity tag: its digest."""

    content: bytes
    tag: str

    @classmethod
    def of(cls, content: bytes) -> Self:
        """The body with this content."""
        digest = hashlib.sha256(content).digest()[:_DIGEST_BYTES]
        return cls(content, base64.urlsafe_b64encode(digest).decode().rstrip("="))


class Representation:
    """A page's bytes and headers; its coded forms are made when first asked for.

    A page that may never be asked for again is coded `quickly`, to other bytes under another tag.
    """

    def __init__(self, body: bytes, headers: Headers, *, quickly: bool = False) -> None:
        self._headers = headers
        self._quickly = quickly
        self._body = body
        self._coded: dict[Coding, _Coded] = {}

    @property
    def max_size(self) -> int:
        """Upper bound of the bytes of all coded forms."""
        return len(CODINGS) * len(self._body)

    def response(self, request: Request, status: int = OK) -> Response:
        """The response in the coding that the client accepts; 304 where it has these bytes already.

        Only what GET finds is cacheable; the answer to a form is not.
        """
        coding = negotiated_coding(",".join(request.headers.getlist("accept-encoding")))
        coded = {b"content-encoding": coding.encode()} if coding != "identity" else {}
        if request.method != "GET":
            return self._sent(coding, status, {**self._headers, **_UNCACHED, **coded})
        if status != OK:
            return self._sent(coding, status, {**self._headers, **coded})
        tag = self._in(coding).tag
        headers = {**self._headers, b"etag": f'"{tag}"'.encode()}
        if _names(",".join(request.headers.getlist("if-none-match")), tag):
            return _not_modified(headers)
        return self._sent(coding, status, {**headers, **coded})

    def coded(self, coding: Coding) -> bytes:
        """The bytes in a coding."""
        return self._in(coding).content

    def _in(self, coding: Coding) -> _Coded:
        found = self._coded.get(coding)
        if found is None:
            content = encoded(self._body, coding, quickly=self._quickly)
            found = self._coded[coding] = _Coded.of(content)
        return found

    def _sent(self, coding: Coding, status: int, headers: Headers) -> Response:
        response = Response(self.coded(coding), status)
        response.raw_headers.extend(headers.items())
        return response


def revalidated(page: Response) -> Headers:
    """The headers of a page that a cache may keep, and must ask before each use."""
    headers = dict(page.raw_headers)
    del headers[b"content-length"]
    return headers | {b"cache-control": REVALIDATED, b"vary": VARY}


def _not_modified(headers: Headers) -> Response:
    response = Response(status_code=NOT_MODIFIED)
    kept = (each for each in headers.items() if each[0] in _OF_NOT_MODIFIED)
    response.raw_headers.extend(kept)
    return response


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
