"""Query parameters of `/v1`: one that the endpoint does not know, or twice, is refused as in a body."""

from fastapi import Request
from fastapi.routing import APIRoute

from gateway.access.errors import InvalidRequestError
from gateway.access.http.invalid_members import shown_name


def check_query_parameters(request: Request) -> None:
    """Raise `InvalidRequestError` for a parameter that the route does not declare, or that stands twice."""
    if not request.scope["query_string"]:
        return
    route = request.scope["route"]
    if not isinstance(route, APIRoute):
        return
    known = _known(route)
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name not in known:
            raise InvalidRequestError(
                f"This endpoint has no query parameter {shown_name(name)!r}; "
                f"it has {', '.join(known) or 'none'}."
            )
        if name in seen:
            raise InvalidRequestError(f"The query parameter {name!r} stands twice.")
        seen.add(name)


def _known(route: APIRoute) -> list[str]:
    """Names that an endpoint and what it depends on declare."""
    known, waiting = [], [route.dependant]
    while waiting:
        here = waiting.pop()
        known += [each.alias for each in here.query_params]
        waiting += here.dependencies
    return known
