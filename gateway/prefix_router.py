"""FastAPI router that looks at its routes only for paths that begin as one of them does.

FastAPI compares a path with every route of a router, and of the routers in it, several times, and prepares
them all at the first call; so each router costs the paths of those that are asked after it.
"""

from functools import cached_property

from fastapi import APIRouter
from fastapi.routing import iter_route_contexts
from starlette.routing import Match
from starlette.types import Scope


class PrefixRouter(APIRouter):
    """A router whose routes are complete before its first request, included without a prefix."""

    @cached_property
    def _prefixes(self) -> tuple[str, ...]:
        paths = {
            each.path.partition("{")[0] for each in iter_route_contexts(self.routes) if each.path
        }
        return tuple(sorted(paths))

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """No match without a look at the routes, or else theirs."""
        path: str = scope["path"].removeprefix(scope.get("root_path", ""))
        return super().matches(scope) if path.startswith(self._prefixes) else (Match.NONE, {})
