"""FastAPI dependency for pages that need a signed-in person; any other visitor is sent to sign in."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Protocol, TypedDict
from urllib.parse import quote

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.identity import sessions
from gateway.identity.permissions import Permission
from gateway.identity.return_url import safe_return
from gateway.identity.sessions import Session
from gateway.pages.forms import Fields, is_same_origin, read_form, single_value
from gateway.pages.i18n import Translated
from gateway.pages.page_route import NOT_FOUND, STALE, EarlyResponse, PageMessage, message_page
from gateway.pages.upload_form import UploadForm, read_upload_form
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


class Authorship(TypedDict):
    """The person who makes a change, and the digest of the identity token of the sign-in."""

    actor: str
    token_digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A signed-in person: the request, the session and its cookie."""

    request: Request
    session: Session
    cookie: str
    runtime: PageRuntime

    @property
    def authorship(self) -> Authorship:
        """The person as the author of a change."""
        session = self.session
        return Authorship(actor=session.subject, token_digest=session.identity_token_digest)

    def token(self, purpose: str) -> str:
        """The CSRF token of the form `purpose`."""
        return sessions.csrf_token(self.runtime.digests, self.cookie, purpose)

    def notice(self, texts: Mapping[str, Translated]) -> Translated | None:
        """The text that the query parameter `notice` names, if any."""
        return texts.get(self.request.query_params.get("notice", ""))

    def message_page(self, message: PageMessage, *, retry_after: int | None = None) -> Response:
        """A page of one message; `retry_after` in seconds."""
        return message_page(self.request, message, self, retry_after=retry_after)

    def not_found(self) -> Response:
        """The 404 page."""
        return self.message_page(NOT_FOUND)

    def require(self, permission: Permission, uscc: str | None) -> None:
        """Raise the 404 page unless the person has the permission for the enterprise `uscc`."""
        if uscc is None or not self.session.may(uscc, permission):
            raise EarlyResponse(self.not_found())

    async def form(self, purpose: str) -> Fields:
        """The fields of the posted form `purpose`; a "stale" page unless it came from our own page."""
        fields = await read_form(self.request)
        if fields is None or not self._is_own(fields, purpose):
            raise EarlyResponse(self.message_page(STALE))
        return fields

    async def upload_form(self, purpose: str) -> UploadForm:
        """The posted form `purpose` with its files; otherwise as `form`."""
        form = await read_upload_form(self.request)
        if form is None or not self._is_own(form.fields, purpose):
            raise EarlyResponse(self.message_page(STALE))
        return form

    def _is_own(self, fields: Fields, purpose: str) -> bool:
        """True if the form came from our own page: same origin, and the CSRF token fits."""
        return is_same_origin(
            self.request, self.runtime.settings.issuer
        ) and sessions.csrf_token_fits(
            self.runtime.digests, self.cookie, purpose, single_value(fields, "csrf")
        )


async def signed_in(request: Request) -> Visitor:
    """The signed-in person of a request; any other visitor is redirected to sign-in."""
    runtime: PageRuntime = request.app.state.runtime
    async with runtime.engine.begin() as connection:
        session = await sessions.current(
            connection, runtime.digests, runtime.settings, request.cookies, now=runtime.now()
        )
    if session is not None:
        cookie = request.cookies[sessions.cookie_name(runtime.settings)]
        return Visitor(request=request, session=session, cookie=cookie, runtime=runtime)
    if request.method != "GET":  # the CSP's form-action forbids a redirect to the provider
        raise EarlyResponse(message_page(request, STALE))
    here = request.url.path
    if request.url.query:
        here = f"{here}?{request.url.query}"
    wanted = quote(safe_return(here), safe="/")
    raise EarlyResponse(RedirectResponse(f"/portal/sign-in?return={wanted}", status_code=303))


def new_secret() -> str:
    """A random secret of 192 bits."""
    return secrets.token_urlsafe(24)


UsingVisitor = Annotated[Visitor, Depends(signed_in)]
