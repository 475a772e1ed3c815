"""A page that needs a signed-in person gets one, or a sign-in page stands in its place."""

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


class Hands(Protocol):
    """What a page needs of the running gateway."""

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
        """How secrets are kept."""
        ...

    @property
    def now(self) -> Callable[[], datetime]:
        """What time it is."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A signed-in person at this browser."""

    session: Session
    cookie: str
    hands: Hands

    def token(self, purpose: str) -> str:
        """The hidden field `csrf` of the form `purpose`."""
        return sessions.csrf_token(self.hands.digests, self.cookie, purpose)

    def must(self, power: Permission, request: Request, uscc: str | None) -> str:
        """Give `uscc` back if the person may do this for it; else there is nothing here."""
        if uscc is None or not self.session.may(uscc, power):
            raise InsteadError(not_found(request, self))
        return uscc

    async def form(self, request: Request, purpose: str) -> Fields:
        """The fields of our own form `purpose`, sent from our own page; else nothing is done."""
        fields = await read_form(request)
        fits = (
            fields is not None
            and is_same_origin(request, self.hands.settings.issuer)
            and sessions.csrf_token_fits(
                self.hands.digests,
                self.cookie,
                purpose,
                one(fields, "csrf"),
            )
        )
        if fields is None or not fits:
            raise InsteadError(stale(request, self))
        return fields


async def visitor_if_any(request: Request) -> Visitor | None:
    """The signed-in person whose request this is, if there is one."""
    hands: Hands = request.app.state.runtime
    async with hands.engine.begin() as connection:
        session = await sessions.current(
            connection,
            hands.digests,
            hands.settings,
            request.cookies,
            now=hands.now(),
        )
    if session is None:
        return None
    cookie = request.cookies[sessions.cookie_name(hands.settings)]
    return Visitor(session=session, cookie=cookie, hands=hands)


async def signed_in(request: Request) -> Visitor:
    """The signed-in person whose request this is; anybody else is asked to sign in first."""
    visitor = await visitor_if_any(request)
    if visitor is None:
        if request.method != "GET":  # our policy lets no form lead to the provider's pages
            raise InsteadError(stale(request))
        here = request.url.path
        if request.url.query:
            here = f"{here}?{request.url.query}"
        wanted = quote(safe_return(here), safe="/")
        raise InsteadError(RedirectResponse(f"/portal/sign-in?return={wanted}", status_code=303))
    return visitor


def new_secret() -> str:
    """128 random bits and more, for a cookie."""
    return secrets.token_urlsafe(24)


UsingVisitor = Annotated[Visitor, Depends(signed_in)]
