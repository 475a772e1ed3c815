"""A form is small, urlencoded, and sent by our own page."""

import asyncio
from typing import Final, NewType
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request

LARGEST: Final = 32_768
MOST_FIELDS: Final = 200
ARRIVES_WITHIN: Final = 20  # seconds, for the whole form
FORM_TYPE: Final = "application/x-www-form-urlencoded"

Fields = NewType("Fields", dict[str, list[str]])


async def fields_of(request: Request) -> Fields | None:
    """The fields that were sent; `None` if this is no form of ours."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        return None
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        return None
    body = bytearray()
    try:
        async with asyncio.timeout(ARRIVES_WITHIN):
            async for chunk in request.stream():
                body += chunk
                if len(body) > LARGEST:
                    return None
    except (TimeoutError, ClientDisconnect):
        return None
    try:
        parsed = parse_qs(bytes(body).decode(), max_num_fields=MOST_FIELDS, keep_blank_values=True)
    except ValueError:
        return None
    return Fields(parsed)


def one(fields: Fields, name: str) -> str:
    """The one value of `name`, or nothing."""
    values = fields.get(name, [])
    return values[0] if len(values) == 1 else ""


def sent_from_here(request: Request, issuer: str) -> bool:
    """Whether the browser says that a page of this origin sent the request, if it says anything.

    Our pages send no referrer, so a browser gives `Origin: null` with their forms; where it gives
    `Sec-Fetch-Site` too, that decides. The hidden token is checked beside this, always.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return request.headers.get("origin", "null") in {"null", issuer}
