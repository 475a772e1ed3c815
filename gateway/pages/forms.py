"""Form parsing: a small urlencoded body, and the same-origin check (CSRF tokens: `identity.sessions`)."""

import asyncio
from typing import Final, NewType
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request

MAX_FORM_BYTES: Final = 32_768
MAX_FORM_FIELDS: Final = 200
BODY_TIMEOUT_SECONDS: Final = 20
_LENGTH_DIGITS: Final = 18
FORM_TYPE: Final = "application/x-www-form-urlencoded"

Fields = NewType("Fields", dict[str, list[str]])


async def read_form(request: Request) -> Fields | None:
    """Parse the posted form; `None` if it is malformed, too large or too slow."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        return None
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        return None
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_FORM_BYTES:
                    return None
    except (TimeoutError, ClientDisconnect):
        return None
    try:
        parsed = parse_qs(
            bytes(body).decode(), max_num_fields=MAX_FORM_FIELDS, keep_blank_values=True
        )
    except ValueError:
        return None
    return Fields(parsed)


def is_too_large(request: Request) -> bool:
    """True for a form whose declared length exceeds `MAX_FORM_BYTES`."""
    length = request.headers.get("content-length", "")
    return length.isdecimal() and int(length[:_LENGTH_DIGITS]) > MAX_FORM_BYTES


def single_value(fields: Fields, name: str) -> str:
    """The value of a field given exactly once; otherwise an empty string."""
    values = fields.get(name, [])
    return values[0] if len(values) == 1 else ""


def is_same_origin(request: Request, issuer: str) -> bool:
    """True where `Sec-Fetch-Site` or `Origin` allows a same-origin form, or both are absent.

    Pages send no referrer, so browsers send `Origin: null` with their forms; `Sec-Fetch-Site`
    decides where present. The CSRF token is checked in any case.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return request.headers.get("origin", "null") in {"null", issuer}
