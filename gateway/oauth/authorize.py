"""The authorization endpoint: open an interaction for a pushed request, and resume after the decision.

The browser is redirected only to the registered address in the pushed request; every other failure
shows a page of our own. Parameters beside `client_id` and `request_uri` are ignored (RFC 9126 §4);
every redirect is a 303 and names the issuer (RFC 9207).
"""

from typing import Final

import structlog
from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncConnection

from consent.mapping import request_from_json
from gateway.clients import registry
from gateway.clients.registration import CLIENT_ID
from gateway.identity import interactions, sessions
from gateway.identity.interactions import Interaction
from gateway.oauth import authorization_codes
from gateway.oauth.authorization_codes import PushedRequest
from gateway.pages.i18n import Translated
from gateway.pages.page_route import PageMessage, message_page
from gateway.privacy.redaction import for_logs
from gateway.runtime import Runtime

log = structlog.get_logger("gateway.oauth")

SEE_OTHER: Final = 303
LONGEST: Final = 512
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
FAILED: Final = Translated("无法继续", "This cannot go on")
UNKNOWN_REQUEST: Final = Translated(
    "这个授权请求不存在或已失效，请回到原来的网站重新开始。",
    "This request does not exist, or not any more. Go back to the site you came from and begin again.",
)
NOTHING_TO_RESUME: Final = Translated(
    "这个决定已处理，或不是在此浏览器中作出的。",
    "This decision has been handed over already, or was not made in this browser.",
)


async def authorize(request: Request, runtime: Runtime) -> Response:
    """Open an interaction for a pushed request and redirect to its decision page."""
    client_id, request_uri = (
        _parameter(request, "client_id"),
        _parameter(request, "request_uri"),
    )
    if not CLIENT_ID.fullmatch(client_id) or not request_uri:
        return error_page(request, "parameters", UNKNOWN_REQUEST)
    digest = runtime.digests.of("request_uri", request_uri)
    now = runtime.now()
    async with runtime.engine.begin() as connection:
        pushed = await authorization_codes.pushed_request(connection, digest, client_id, now=now)
        if pushed is None:
            return error_page(request, "request_uri", UNKNOWN_REQUEST, client_id)
        client = await registry.find(connection, client_id)
        if client is None or not client.active or not client.agreement_in_force(now):
            return error_page(request, "client_not_in_standing", UNKNOWN_REQUEST, client_id)
        interaction_id = await interactions.open_interaction(
            connection,
            runtime.digests,
            request_digest=digest,
            asked=request_from_json(pushed.parameters | {"client_id": client_id}),
            redirect_origin=authorization_codes.origin_of(pushed.parameters["redirect_uri"]),
            now=now,
        )
    return _redirect(f"{runtime.settings.issuer}/portal/decide/{interaction_id}")


async def resume(request: Request, runtime: Runtime) -> Response:
    """Redirect to the client with the decision: a code, or `access_denied`."""
    async with runtime.engine.begin() as connection:
        taken = await _taken(connection, request, runtime)
        if taken is None:
            return error_page(request, "nothing_to_resume", NOTHING_TO_RESUME)
        interaction, pushed = taken
        response = await _response(connection, runtime, interaction, pushed)
    parameters = response | {"state": pushed.parameters["state"], "iss": runtime.settings.issuer}
    return _redirect(
        authorization_codes.with_parameters(pushed.parameters["redirect_uri"], parameters)
    )


async def _taken(
    connection: AsyncConnection, request: Request, runtime: Runtime
) -> tuple[Interaction, PushedRequest] | None:
    """Take the interaction that this session decided, with its pushed request; once."""
    now = runtime.now()
    session = await sessions.current(
        connection, runtime.digests, runtime.settings, request.cookies, now=now
    )
    interaction_id = _parameter(request, "interaction")
    if session is None or not interaction_id:
        return None
    interaction = await interactions.take_decided(
        connection, runtime.digests, interaction_id, session_digest=session.digest, now=now
    )
    if interaction is None:
        return None
    pushed = await authorization_codes.take_pushed_request(connection, interaction.request_digest)
    return (interaction, pushed) if pushed else None


async def _response(
    connection: AsyncConnection,
    runtime: Runtime,
    interaction: Interaction,
    pushed: PushedRequest,
) -> dict[str, str | None]:
    if interaction.outcome != "granted" or interaction.consent_id is None:
        reason, client_id = "the enterprise refused", pushed.client_id
        log.info("refused", error="access_denied", reason=reason, client_id=client_id)
        return {"error": "access_denied", "error_description": "The enterprise did not agree."}
    return {
        "code": await authorization_codes.new_code(
            connection, runtime.digests, pushed, interaction, now=runtime.now()
        )
    }


def error_page(
    request: Request, reason: str, sentence: Translated, client_id: str | None = None
) -> Response:
    """An error page, without a redirect."""
    claimed = for_logs(client_id) if client_id and CLIENT_ID.fullmatch(client_id) else None
    log.info("refused", error="authorization_page", reason=reason, claimed_client_id=claimed)
    return message_page(request, PageMessage(400, FAILED, sentence, onward=None))


def _parameter(request: Request, name: str) -> str:
    """A query parameter that is given once; else an empty text."""
    values = request.query_params.getlist(name)
    usable = len(values) == 1 and len(values[0]) <= LONGEST and values[0].isprintable()
    return values[0] if usable else ""


def _redirect(location: str) -> Response:
    return RedirectResponse(location, status_code=SEE_OTHER, headers=HEADERS)
