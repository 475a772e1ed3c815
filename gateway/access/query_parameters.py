"""Query parameters of `/v1`: one that the endpoint does not know is refused, as a member of a body is."""

from typing import Final

from fastapi import Request
from fastapi.routing import APIRoute

from gateway.access.errors import InvalidRequestError
from gateway.privacy.redaction import scan

LONGEST_NAME: Final = 64


def known_parameters(route: APIRoute) -> list[str]:
    """Names of the query parameters that an endpoint and what it depends on declare."""
    known, waiting = [], [route.dependant]
    while waiting:
        here = waiting.pop()
        known += [each.alias for each in here.query_params]
        waiting += here.dependencies
    return known


async def refuse_unknown_parameters(request: Request) -> None:
    """Raise `InvalidRequestError` for a parameter that the route does not declare."""
    route = request.scope["route"]
    if not request.scope["query_string"] or not isinstance(route, APIRoute):
        return
    known = known_parameters(route)
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        raise InvalidRequestError(
            f"This endpoint has no query parameter {scan(unknown[0]).text[:LONGEST_NAME]!r}; "
            f"it has {', '.join(known) or 'none'}."
        )
