"""ASGI middleware that refuses non-canonical paths (400) before routing.

As an OAuth error under /oauth, a page for a browser, a problem elsewhere.
"""

from typing import Final

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway import problems
from gateway.access.errors import GatewayError, InvalidRequestError, NotFoundError
from gateway.http1.paths import has_encoded_slash, path_problem
from gateway.oauth.errors import invalid_request, reply_of
from gateway.pages.page_route import MALFORMED, NOT_FOUND, message_page

log = structlog.get_logger("gateway.http1")

NUL: Final = b"%00"


class PathSpelling:
    """Passes only requests with a canonical path."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            try:
                check_target(scope)
            except GatewayError as error:
                log.info("refused", error=error.code, reason=error.detail, method=scope["method"])
                await refusal_response(Request(scope), error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def check_target(scope: Scope) -> None:
    """Raise the error of a request whose target is not acceptable."""
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    trouble = path_problem(path)
    if trouble is not None:
        raise InvalidRequestError(trouble)
    if has_encoded_slash(path):
        raise NotFoundError
    if NUL in scope["query_string"]:  # PostgreSQL has no text for it
        raise InvalidRequestError("The character U+0000 is not accepted.")


def refusal_response(request: Request, error: GatewayError) -> Response:
    """The response in the form that fits the path."""
    path = request.scope["path"]
    if path.startswith("/v1/"):
        return _problem(request, error)
    if "text/html" in request.headers.get("accept", ""):
        message = NOT_FOUND if error.code == "not_found" else MALFORMED
        return message_page(request, message)
    if path.startswith("/oauth/") and error.code == "invalid_request":
        status, body, headers = reply_of(invalid_request(error.detail))
        return Response(orjson.dumps(body), status, dict(headers))
    return _problem(request, error)


def _problem(request: Request, error: GatewayError) -> Response:
    return problems.problem(error.code, error.detail, request_id=request.state.request_id)
