"""Pages of the on-screen code: shown by the enterprise in the portal, opened once by who scans it."""

import hmac
import secrets
from datetime import datetime
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from gateway.access.http.head_requests import get_only
from gateway.codes import qr, store
from gateway.codes.public_page import page_html
from gateway.codes.public_page.invalid_code import invalid_code_page
from gateway.codes.public_page.summary import public_datasets, summary_of
from gateway.codes.screen.screen_code import (
    LIFE,
    NONCE_BYTES,
    PATH,
    ScreenCode,
    Sealer,
    parse_screen_token,
    screen_token,
    screen_url,
    view_key,
)
from gateway.creditfile.file_query import enterprise_from_json, records_from_json
from gateway.creditfile.local_dates import SHANGHAI
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor
from gateway.limits.model import Admission, Replay, Replayed
from gateway.limits.store_protocol import LimiterUnavailableError
from gateway.pages.page_route import (
    RETRY_SECONDS,
    UNAVAILABLE,
    PageRoute,
    message_page,
)
from gateway.pages.rendering import PageRenderer
from gateway.prefix_router import PrefixRouter
from gateway.runtime import Runtime, UsingRuntime

REFRESH_SECONDS: Final = 45
"""The shown code is replaced before it ends, with time left to scan it."""
TURNS: Final = 20
"""Codes shown one after another without a tap; a phone left lying then stops showing them."""
REMEMBERED: Final = int(LIFE.total_seconds()) * 2
"""Seconds for which a viewed code is remembered: longer than it lives."""

router = PrefixRouter(route_class=PageRoute, include_in_schema=False)
renderer: Final = PageRenderer("gateway.codes")


@router.get("/portal/enterprises/{uscc}/screen-code")
async def show_screen_code(
    uscc: str, runtime: UsingRuntime, visitor: UsingVisitor, turn: int = 1
) -> Response:
    """Show a fresh on-screen code, replaced every 45 seconds."""
    visitor.require(Permission.CODES, uscc)
    async with runtime.engine.connect() as connection:
        name = await store.enterprise_name(connection, uscc)
    if name is None:
        return visitor.not_found()
    now = runtime.now()
    token = screen_token(
        uscc, now=now, nonce=secrets.token_bytes(NONCE_BYTES), sealer=_sealer(runtime)
    )
    symbol = qr.as_svg(
        qr.matrix_of(screen_url(runtime.settings.issuer, token)), label="屏幕码 on-screen code"
    )
    renews = 1 <= turn < TURNS
    page = renderer.visitor_page(
        visitor,
        "codes/screen_code.html",
        tab="codes",
        enterprise={"uscc": uscc, "name": name},
        symbol=symbol.decode(),
        made_at=_clock(now),
        until=_clock(now + LIFE),
        refresh=REFRESH_SECONDS if renews else None,
    )
    if renews:  # people turn it off by a link (WCAG 2.2, 2.2.1)
        page.headers["Refresh"] = (
            f"{REFRESH_SECONDS}; url={visitor.request.url.path}?turn={turn + 1}"
        )
    return page


@router.get(PATH + "{token:path}")
@router.get(PATH.lower() + "{token:path}")
@get_only()
async def view_screen_code(
    request: Request, token: str, runtime: UsingRuntime, view: str = ""
) -> Response:
    """Show the credit summary of an on-screen code, to its first viewer alone.

    That page's own links carry a view key, which opens it again in another language or size.
    """
    shown, now = parse_screen_token(token, sealer=_sealer(runtime)), runtime.now()
    if shown is None:
        return invalid_code_page(request, "screen_forged")
    if now >= shown.expires_at:
        return invalid_code_page(request, "screen_over")
    key = view_key(shown, sealer=partial(runtime.digests.of, "screen_view"))
    try:
        is_known = hmac.compare_digest(view.encode(), key.encode())
        if not is_known and not await _is_first_view(runtime, shown):
            return invalid_code_page(request, "screen_over")
    except LimiterUnavailableError:  # unknown whether it was viewed before: not shown
        return message_page(request, UNAVAILABLE, retry_after=RETRY_SECONDS)
    return await _summary_page(request, runtime, shown, key=key, now=now)


async def _summary_page(
    request: Request, runtime: Runtime, shown: ScreenCode, *, key: str, now: datetime
) -> Response:
    row = await store.read_file_of(
        runtime.hot, shown.uscc, public_datasets(runtime.catalogue), runtime.catalogue, now=now
    )
    enterprise = enterprise_from_json(row["enterprise"])
    if enterprise is None:
        return invalid_code_page(request, "screen_over")
    summary = summary_of(enterprise, records_from_json(row["records"]), runtime.catalogue, now=now)
    return page_html.screen_code_page(
        request, summary, runtime.catalogue, made_at=_clock(shown.made_at), view=key
    )


async def _is_first_view(runtime: Runtime, shown: ScreenCode) -> bool:
    """True for the first view without a key; raises `LimiterUnavailableError`."""
    verdict = await runtime.limiter.admit(
        Admission(
            tag=shown.nonce,
            generation=None,
            replay=Replay(key=f"screen code {shown.nonce}", ttl=REMEMBERED),
        )
    )
    return not isinstance(verdict, Replayed)


def _sealer(runtime: Runtime) -> Sealer:
    return partial(runtime.digests.of, "screen_code")


def _clock(moment: datetime) -> str:
    return moment.astimezone(SHANGHAI).strftime("%H:%M:%S")
