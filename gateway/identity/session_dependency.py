"""FastAPI dependency for pages that need a signed-in person; any other visitor is sent to sign in."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Protocol
from urllib.parse import quote

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.responses import RedirectResponse

from gateway.identity import sessions
from gateway.identity.permissions import Permission
from gateway.identity.return_url import safe_return
from gateway.identity.sessions import Session
from gateway.pages.forms import Fields, is_same_origin, one, read_form
from gateway.pages.page_route import InsteadError, not_found, stale
from gateway.settings import Settings
from gateway.signing.keyed_digests import KeyedDigests


class PageRuntime(Protocol):
    """The part of the runtime that pages need."""

    @property
    def settings(self) -> Settings:
        """The installation's settings."""
        ...

    @property
    def engine(self) -> AsyncEngine:
        """The database."""
        ...

    @property
    def digests(self) -> KeyedDigests:
        """The keyed digests of secrets."""
        ...

    @property
    def now(self) -> Callable[[], datetime]:
        """The clock."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A signed-in person: the session and its cookie."""

    session: Session
    cookie: str
    runtime: PageRuntime

    def token(self, purpose: str) -> str:
        """The CSRF token of the form `purpose`."""
        return sessions.csrf_token(self.runtime.digests, self.cookie, purpose)

    def must(self, permission: Permission, request: Request, uscc: str | None) -> str:
        """`uscc` if the person has the permission for it; else a "not found" page."""
        if uscc is None or not self.session.may(uscc, permission):
            raise InsteadError(not_found(request, self))
        return uscc

    async def form(self, request: Request, purpose: str) -> Fields:
        """The fields of the posted form `purpose`; a "stale" page unless it came from our own page."""
        fields = await read_form(request)
        fits = (
            fields is not None
            and is_same_origin(request, self.runtime.settings.issuer)
            and sessions.csrf_token_fits(
                self.runtime.digests,
                self.cookie,
                purpose,
                one(fields, "csrf"),
            )
        )
        if fields is None or not fits:
            raise InsteadError(stale(request, self))
        return fields


async def visitor_if_any(request: Request) -> Visitor | None:
    """The signed-in person of a request, if any."""
    runtime: PageRuntime = request.app.state.runtime
    async with runtime.engine.begin() as connection:
        session = await sessions.current(
            connection,
            runtime.digests,
            runtime.settings,
            request.cookies,
            now=runtime.now(),
        )
    if session is None:
        return None
    cookie = request.cookies[sessions.cookie_name(runtime.settings)]
    return Visitor(session=session, cookie=cookie, runtime=runtime)


async def signed_in(request: Request) -> Visitor:
    """The signed-in person of a request; any other visitor is redirected to sign-in."""
    visitor = await visitor_if_any(request)
    if visitor is None:
        if request.method != "GET":  # the CSP's form-action forbids a redirect to the provider
            raise InsteadError(stale(request))
        here = request.url.path
        if request.url.query:
            here = f"{here}?{request.url.query}"
        wanted = quote(safe_return(here), safe="/")
        raise InsteadError(RedirectResponse(f"/portal/sign-in?return={wanted}", status_code=303))
    return visitor


def new_secret() -> str:
    """A random secret of 192 bits."""
    return secrets.token_urlsafe(24)


UsingVisitor = Annotated[Visitor, Depends(signed_in)]
