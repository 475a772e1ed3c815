"""HEAD (RFC 9110 §9.3.2): the answer to GET without its content.

Every address that takes GET takes HEAD, and serves it by the same handler, but for those whose GET
has an effect or waits: there HEAD is not allowed (405). A route that is for HEAD itself stays so.
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
    """Mark a handler whose GET has an effect or waits, always or where `when` holds."""

    def mark(handler: H) -> H:
        setattr(handler, _ACTS, when)
        return handler

    return mark


def waits(request: Request) -> bool:
    """Whether a request asks to be held until there is something to tell (`?wait=`)."""
    return request.query_params.get("wait", "0") != "0"


def routed(scope: Scope) -> Scope:
    """The scope by which a request finds its handler: HEAD as GET, where GET may be asked so."""
    if scope["method"] != "HEAD" or _first(scope, "HEAD") or not _may_be_headed(scope):
        return scope
    return {**scope, "method": "GET"}


def allowed(scope: Scope) -> tuple[str, ...]:
    """Every method of the request's address (RFC 9110 §15.5.6)."""
    found = {method for method in METHODS if _first(scope, method)}
    if _may_be_headed(scope):
        found.add("HEAD")
    return tuple(method for method in METHODS if method in found)


def method_of(request: Request) -> str:
    """The method that the client has sent, whatever the request was routed by."""
    return getattr(request.state, "method", request.method)


def _may_be_headed(scope: Scope) -> bool:
    route = _first(scope, "GET")
    if route is None:
        return False
    acts: Acts | None = getattr(route.endpoint, _ACTS, None)
    return acts is None or not acts(Request(scope))


def _first(scope: Scope, method: str) -> RouteContext | None:
    """The route that serves this method at the request's address."""
    # What is mounted has been given a root of its own by now; routes are matched from ours.
    root = scope.get("app_root_path", scope.get("root_path", ""))
    asked = {**scope, "method": method, "root_path": root}
    routes: Iterator[RouteContext] = iter_route_contexts(scope["app"].router.routes)
    return next((route for route in routes if _serves(route, asked)), None)


def _serves(route: RouteContext, scope: Scope) -> bool:
    """Whether a route is for this request; what is mounted holds files, which are only fetched."""
    fetched = route.methods is not None or scope["method"] in {"GET", "HEAD"}
    return fetched and route.matches(scope)[0] is Match.FULL
