"""HEAD requests (RFC 9110 §9.3.2): routed to the handler of GET, and answered without content.

Where GET has an effect or waits, HEAD is not allowed (405). A route declared for HEAD stays so.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from fastapi import Request
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import Match
from starlette.types import Scope

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
H = TypeVar("H", bound=Callable[..., Any])
Acts = Callable[[Request], bool]
_ACTS: Final = "__get_acts__"


def get_only(*, when: Acts = lambda _: True) -> Callable[[H], H]:
    """Mark a handler whose GET has an effect or waits, always or where `when` holds: no HEAD."""

    def mark(handler: H) -> H:
        setattr(handler, _ACTS, when)
        return handler

    return mark


def waits(request: Request) -> bool:
    """True for a long poll (`?wait=`)."""
    return request.query_params.get("wait", "0") != "0"


def as_routed(scope: Scope) -> Scope:
    """The scope for routing: HEAD as GET, where HEAD is allowed."""
    if scope["method"] != "HEAD" or _first(scope, "HEAD") or not _may_be_headed(scope):
        return scope
    return {**scope, "method": "GET"}


def allowed_methods(scope: Scope) -> tuple[str, ...]:
    """The methods for `Allow` (RFC 9110 §15.5.6)."""
    found = {method for method in METHODS if _first(scope, method)}
    if _may_be_headed(scope):
        found.add("HEAD")
    return tuple(method for method in METHODS if method in found)


def method_of(request: Request) -> str:
    """The method that the client sent, before HEAD was routed as GET."""
    return getattr(request.state, "method", request.method)


def _may_be_headed(scope: Scope) -> bool:
    route = _first(scope, "GET")
    if route is None:
        return False
    acts: Acts | None = getattr(route.endpoint, _ACTS, None)
    return acts is None or not acts(Request(scope))


def _first(scope: Scope, method: str) -> RouteContext | None:
    """The route for this method at the request's path."""
    # A mounted application has changed root_path by now; routes are matched from ours.
    root = scope.get("app_root_path", scope.get("root_path", ""))
    asked = {**scope, "method": method, "root_path": root}
    routes: Iterator[RouteContext] = iter_route_contexts(scope["app"].router.routes)
    return next((route for route in routes if _serves(route, asked)), None)


def _serves(route: RouteContext, scope: Scope) -> bool:
    """True where a route matches this request; mounts hold static files, for GET and HEAD only."""
    fetched = route.methods is not None or scope["method"] in {"GET", "HEAD"}
    return fetched and route.matches(scope)[0] is Match.FULL
